"""Every kind of object in a cluster's configuration, in the pillar and in the CIB.

This table is the one definition of the kinds. The pillar's check and reference, the states,
the comparison, the patch and the export use it.

Facts: the schemas of Pacemaker 2.1 and 3.0 (``validate-with`` 3.x and 4.x), and Pacemaker
Explained for meanings and defaults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from fshalib.cib.cluster_schema import (
    ACL_GROUP,
    ACL_ROLE,
    ACL_USER,
    ALERT,
    LEVEL,
    NODE,
    OP_DEFAULTS,
    PROPERTY_SETS,
    RSC_DEFAULTS,
    TAG,
)
from fshalib.cib.constraint_schema import COLOCATION, LOCATION, ORDER, TICKET
from fshalib.cib.element_schema import ElementSchema
from fshalib.cib.nvset import FIRST, NO_SETS, NvSets, shown
from fshalib.cib.nvset_field import joined_sets
from fshalib.cib.objects import Object
from fshalib.cib.options import (
    SERVER_WRITTEN,
)
from fshalib.cib.resource_schema import BUNDLE, CLONE, GROUP, PRIMITIVE, TEMPLATE
from fshalib.cib.values import is_zero_score

# --- the table -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    name
        The kind's name for states and verbs.
    key
        The key of the pillar below ``fsha:pacemaker`` that holds objects of this kind.
    section
        The section of the CIB's configuration that holds them.
    one
        Whether the whole section is the only object of this kind.
    word
        The word for it in messages.
    """

    name: str
    key: str
    section: str
    schema: ElementSchema
    word: str
    doc: str
    one: bool = False

    @cached_property
    def section_keys(self) -> frozenset[str]:
        """The keys that an object of this kind may have in the pillar."""
        return frozenset(self.schema.by_key)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("properties", "properties", "crm_config", PROPERTY_SETS, "cluster properties",
             "cluster properties", one=True),
        Kind("resource_defaults", "rsc_defaults", "rsc_defaults", RSC_DEFAULTS,
             "defaults of resources", "defaults for the meta attributes of all resources",
             one=True),
        Kind("operation_defaults", "op_defaults", "op_defaults", OP_DEFAULTS,
             "defaults of operations", "defaults for the options of all operations",
             one=True),
        Kind("node", "nodes", "nodes", NODE, "node", "permanent attributes of nodes, by node"),
        Kind("template", "templates", "resources", TEMPLATE, "template",
             "templates; a primitive takes from its template what it does not set itself"),
        Kind("primitive", "resources", "resources", PRIMITIVE, "primitive",
             "primitives, including fencing devices (stonith:…)"),
        Kind("group", "groups", "resources", GROUP, "group",
             "primitives that start in order, stop in reverse, and stay together"),
        Kind("clone", "clones", "resources", CLONE, "clone",
             "primitives or groups that run on several nodes, also promotable ones"),
        Kind("bundle", "bundles", "resources", BUNDLE, "bundle", "containers"),
        Kind("location", "locations", "constraints", LOCATION, "location constraint",
             "where resources prefer, or refuse, to run"),
        Kind("colocation", "colocations", "constraints", COLOCATION, "colocation constraint",
             "what runs on the same node, or does not"),
        Kind("order", "orders", "constraints", ORDER, "order constraint",
             "what starts before what"),
        Kind("ticket", "tickets", "constraints", TICKET, "ticket constraint",
             "what depends on a ticket of a multi-site cluster"),
        Kind("fencing_level", "fencing_levels", "fencing-topology", LEVEL, "fencing level",
             "which fencing devices are tried for which node, and in which order"),
        Kind("acl_role", "acl_roles", "acls", ACL_ROLE, "ACL role", "sets of permissions"),
        Kind("acl_user", "acl_users", "acls", ACL_USER, "ACL user", "users with their roles"),
        Kind("acl_group", "acl_groups", "acls", ACL_GROUP, "ACL group",
             "groups of users with their roles"),
        Kind("tag", "tags", "tags", TAG, "tag", "names for several objects at once"),
        Kind("alert", "alerts", "alerts", ALERT, "alert", "programs that run on events"),
    )
}  # fmt: skip
"""Every kind by its name; a kind refers only to those before it."""

BY_TAG: Mapping[str, Kind] = {
    **{kind.schema.tag: kind for kind in KINDS.values()},
    # The older form of a promotable clone.
    "master": KINDS["clone"],
}
ONE_IDS: Mapping[str, str] = {
    "properties": FIRST,
    "resource_defaults": "rsc-options",
    "operation_defaults": "op-options",
}
"""The ids of the kinds with one object: those of the sets that Pacemaker's tools make."""
BY_KEY: Mapping[str, Kind] = {kind.key: kind for kind in KINDS.values()}

# Attributes whose default depends on another one of the same object.
_SYMMETRICAL = {"Serialize": "false"}


def normal(item: Object | None) -> dict[str, Any] | None:
    """Return an object's normal form; ``None`` for an object that is not there."""
    if item is None:
        return None
    spec = KINDS[item.kind].schema.normal(item.spec)
    special = _SPECIAL.get(item.kind)
    result: dict[str, Any] = shown(special(spec) if special else spec)
    return result


def _normal_properties(spec: dict[str, Any]) -> dict[str, Any]:
    """Return one mapping for all plain sets; which of them has an option rarely counts."""
    sets: NvSets = spec.get("sets", NO_SETS)
    values = sets.without(SERVER_WRITTEN).plain_values()
    result = {
        "values": {name: values[name] for name in sorted(values)},
        "ruled": NvSets.several(sets.conditional),
        "precedence": _precedence(sets),
    }
    return {key: content for key, content in result.items() if content}


def _precedence(sets: NvSets) -> dict[str, str]:
    """Return where options stand that a set with a rule has as well: the order decides."""
    ruled = {name for nvset in sets.conditional for name in nvset.values}
    return {
        name: "first" if nvset.id == FIRST else nvset.score or "0"
        for nvset in sets
        for name in sorted(nvset.values)
        if nvset.plain and name in ruled
    }


def _normal_defaults(spec: dict[str, Any]) -> dict[str, Any]:
    sets: NvSets = spec.get("sets", NO_SETS)
    return {"values": sets} if sets and not sets.conditional else spec


def _normal_order(spec: dict[str, Any]) -> dict[str, Any]:
    score = spec.pop("score", None)
    kind = spec.get("kind") or ("Optional" if score and is_zero_score(str(score)) else "Mandatory")
    if spec.get("symmetrical") == _SYMMETRICAL.get(str(kind), "true"):
        del spec["symmetrical"]
    if spec.get("then-action") == spec.get("first-action", "start"):
        del spec["then-action"]
    if kind == "Mandatory":
        spec.pop("kind", None)
    else:
        spec["kind"] = kind
    return spec


def _normal_node(spec: dict[str, Any]) -> dict[str, Any]:
    """Put sets with a rule before others of their score, as they are written."""
    return {key: _conditional_first(value) if isinstance(value, NvSets) else value
            for key, value in spec.items()}  # fmt: skip


def _conditional_first(sets: NvSets) -> NvSets:
    ordered = joined_sets(sorted(sets, key=lambda nvset: (-nvset.weight, nvset.plain)))
    return replace(sets, sets=tuple(ordered))


def _normal_bundle(spec: dict[str, Any]) -> dict[str, Any]:
    for container in spec.values():
        if isinstance(container, dict) and "masters" in container:
            container["promoted-max"] = container.pop("masters")
    return spec


_SPECIAL: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "properties": _normal_properties,
    "resource_defaults": _normal_defaults,
    "operation_defaults": _normal_defaults,
    "order": _normal_order,
    "node": _normal_node,
    "bundle": _normal_bundle,
}
