"""Every kind of object in a cluster's configuration, in the pillar and in the CIB.

This table is the one definition of the kinds. The pillar's check and reference, the states,
the comparison, the patch and the export all go by it.

Facts: the schemas of Pacemaker 2.1 and 3.0 (``validate-with`` 3.x and 4.x), and Pacemaker
Explained for meanings and defaults.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fshalib.cib.element_schema import (
    OTHER,
    Attribute,
    Commas,
    Id,
    References,
    Several,
    Shape,
    Single,
    Within,
)
from fshalib.cib.field_types import HOST, ID, PARAMETER, PARAMETER_VALUE, AgentName
from fshalib.cib.fields import (
    Agent,
    Members,
    Operations,
    ResourceSets,
    Rules,
    Select,
    Sets,
    as_few,
    is_plain,
    score_of,
)
from fshalib.cib.objects import Object, plain_values
from fshalib.cib.options import (
    BOOLEAN,
    DURATION,
    INTEGER,
    META,
    OPERATION,
    PROPERTIES,
    PROPERTY_ALIASES,
    ROLE,
    SCORE,
    SERVER_WRITTEN,
    STRING,
)
from fshalib.cib.values import is_zero_score
from fshalib.schema.types import UNSET, Choice, Named, Plain, Section, Text, Whole

TEXT = Plain("text")
ANY_NAME = Text("a name", r"[^\x00-\x1f]+")
VALUES = Named(PARAMETER_VALUE, PARAMETER, "a mapping of parameters")
META_SECTION = Section(META, "a mapping of meta attributes", others=PARAMETER_VALUE)
PROPERTIES_SECTION = Section(
    PROPERTIES, "a mapping of cluster properties", PROPERTY_ALIASES, others=PARAMETER_VALUE
)

DESCRIPTION = Attribute("description", TEXT, "a note for people")
PARAMS = Sets(
    "params",
    "instance_attributes",
    VALUES,
    "the agent's parameters, as `crm_resource --show-metadata` names them",
    options=False,
    example={"ip": "10.101.20.219", "nic": "eth0"},
)
META_SETS = Sets("meta", "meta_attributes", META_SECTION, "meta attributes of this object")
UTILIZATION = Sets(
    "utilization",
    "utilization",
    VALUES,
    "what it needs, or has: capacities by name",
    options=False,
    example={"cpu": 2},
)


# --- resources -------------------------------------------------------------------------------

_IMPLIED = {"enabled": "true", "record-pending": "true", "start-delay": "0s"}
OPERATION_SHAPE = Shape(
    "op",
    (
        Attribute("name", OPERATION["name"].kind, OPERATION["name"].doc, example="monitor"),
        *(
            Attribute(name, known.kind, known.doc, theirs=known.theirs, default=_IMPLIED.get(name))
            for name, known in OPERATION.items()
            if name != "name"
        ),
        Sets("params", "instance_attributes", VALUES, "parameters of this operation alone",
             options=False, example={"OCF_CHECK_LEVEL": 10}),
        Sets("meta", "meta_attributes", Named(PARAMETER_VALUE, PARAMETER),
             "options of the operation that depend on rules"),
        Attribute("id-ref", ID, "id of operations to use, in place of all else"),
    ),
    "a mapping (name, interval, timeout …)",
)  # fmt: skip
OPERATIONS = Operations(OPERATION_SHAPE)

_COMMON = (META_SETS, PARAMS, UTILIZATION, OPERATIONS)
PRIMITIVE = Shape(
    "primitive",
    (
        Agent(required=False),
        Attribute("template", ID, "template to take everything from that is not said here, in "
                  "place of `agent`"),
        DESCRIPTION,
        *_COMMON,
    ),
)  # fmt: skip
TEMPLATE = Shape("template", (Agent(), DESCRIPTION, *_COMMON))
GROUP = Shape(
    "group",
    (
        Members("members", "the primitives, in the order in which they start", ("primitive",),
                several=True),
        DESCRIPTION,
        META_SETS,
        Sets("params", "instance_attributes", VALUES, "parameters of all members", options=False),
    ),
)  # fmt: skip
CLONE = Shape(
    "clone",
    (
        Members("resource", "the primitive or group that is cloned; promotable with "
                "`meta: {promotable: true}`", ("primitive", "group")),
        DESCRIPTION,
        META_SETS,
        Sets("params", "instance_attributes", VALUES, "parameters of all instances", options=False),
    ),
)  # fmt: skip


def _container(tag: str) -> Shape:
    return Shape(
        tag,
        (
            Attribute("image", TEXT, "the container's image", required=True,
                      example="registry.example/fs:1.11"),
            Attribute("replicas", INTEGER, "how many run at most", theirs="1"),
            Attribute("replicas-per-host", INTEGER, "how many run on one node", default="1"),
            Attribute("promoted-max", INTEGER, "how many are promoted", theirs="0"),
            Attribute("masters", INTEGER, "older name of promoted-max"),
            Attribute("run-command", TEXT, "what runs inside"),
            Attribute("network", TEXT, "network of the container tool"),
            Attribute("options", TEXT, "further options of the container tool"),
        ),
    )  # fmt: skip


_PORT = Shape(
    "port-mapping",
    (
        Attribute("port", INTEGER, "port on the replica's address"),
        Attribute("internal-port", INTEGER, "port inside, when it is another"),
        Attribute("range", Text("a range of ports", r"[0-9-]+"), "ports, in place of `port`"),
        Id(ID),
    ),
)
_STORAGE = Shape(
    "storage-mapping",
    (
        Attribute("source-dir", TEXT, "path on the host"),
        Attribute("source-dir-root", TEXT, "path on the host with a part for each replica"),
        Attribute("target-dir", TEXT, "path inside", required=True),
        Attribute("options", TEXT, "mount options"),
        Id(ID),
    ),
)
_NETWORK = Shape(
    "network",
    (
        Attribute("ip-range-start", TEXT, "first of the replicas' addresses"),
        Attribute("control-port", INTEGER, "port of Pacemaker inside", theirs="3121"),
        Attribute("host-interface", TEXT, "interface for the addresses"),
        Attribute("host-netmask", INTEGER, "prefix length of the addresses", theirs="32"),
        Attribute("add-host", BOOLEAN, "whether /etc/hosts inside names the replicas",
                  default="true"),
        Several("ports", _PORT, "ports that lead inside", example=[{"port": 5060}]),
    ),
)  # fmt: skip
BUNDLE = Shape(
    "bundle",
    (
        DESCRIPTION,
        META_SETS,
        Sets("params", "instance_attributes", VALUES, "parameters of the bundle", options=False),
        Single("docker", _container("docker"), "the container, run by docker"),
        Single("podman", _container("podman"), "the container, run by podman"),
        Single("rkt", _container("rkt"), "the container, run by rkt (no Pacemaker 3)"),
        Single("network", _NETWORK, "addresses and ports"),
        Within("storage", Several("storage", _STORAGE, "what is mounted inside",
                                  example=[{"source-dir": "/srv/fs", "target-dir": "/srv"}])),
        Members("resource", "the primitive that runs inside", ("primitive",), required=False),
    ),
)  # fmt: skip


# --- constraints -----------------------------------------------------------------------------

_LIFETIME = Within("lifetime", Rules("lifetime", "rules that say when it holds (no Pacemaker 3)"))
_DISCOVERY = Attribute(
    "resource-discovery",
    Choice(("always", "never", "exclusive")),
    "whether the cluster looks for the resource on the node before it runs there",
    default="always",
)
LOCATION = Shape(
    "rsc_location",
    (
        Attribute("rsc", ID, "the resource, or a tag of several", "resource",
                  example="VoiceServices"),
        Attribute("rsc-pattern", TEXT, "regular expression for resources, not `resource`"),
        Attribute("role", ROLE, "only for instances in this role", default="Started"),
        Attribute("node", HOST, "the node; together with score", example="freeswitch-dev"),
        Attribute("score", SCORE,
                  "how much: positive prefers, negative avoids, -INFINITY forbids; keep a "
                  "preference below the stickiness, else every switchover bounces back",
                  example=50),
        _DISCOVERY,
        ResourceSets(),
        Rules(),
        _LIFETIME,
    ),
)  # fmt: skip
COLOCATION = Shape(
    "rsc_colocation",
    (
        Attribute("rsc", ID, "the resource that is placed", "resource", example="fs"),
        Attribute("with-rsc", ID, "the resource that it is placed with", "with",
                  example="ip_shared"),
        Attribute("score", SCORE, "INFINITY together, -INFINITY apart, else how much",
                  theirs="0", default="0", example="INFINITY"),
        Attribute("rsc-role", ROLE, "only while `resource` is in this role", "role",
                  default="Started"),
        Attribute("with-rsc-role", ROLE, "only while `with` is in this role", "with-role",
                  default="Started"),
        Attribute("node-attribute", TEXT, "same value of this node attribute, not same node",
                  default="#uname"),
        Attribute("influence", BOOLEAN, "whether `resource` has a say in where `with` runs",
                  theirs="critical of the resource"),
        _LIFETIME,
        ResourceSets(),
    ),
)  # fmt: skip
_ACTIONS = Choice(("start", "promote", "demote", "stop"))
ORDER = Shape(
    "rsc_order",
    (
        Attribute("first", ID, "the resource that acts first", example="ip_shared"),
        Attribute("then", ID, "the resource that acts then", example="fs"),
        Attribute("first-action", _ACTIONS, "what `first` has to have done", default="start"),
        Attribute("then-action", _ACTIONS, "what `then` waits to do", theirs="first-action"),
        Attribute("kind", Choice(("Optional", "Mandatory", "Serialize")),
                  "how strict the order is", theirs="Mandatory"),
        Attribute("score", SCORE, "older form of kind: 0 is Optional, more is Mandatory"),
        Attribute("symmetrical", BOOLEAN, "whether stopping goes in the reverse order",
                  theirs="true, with Serialize false"),
        Attribute("require-all", BOOLEAN, "whether all instances of a clone count, or one",
                  default="true"),
        _LIFETIME,
        ResourceSets(),
    ),
)  # fmt: skip
TICKET = Shape(
    "rsc_ticket",
    (
        Attribute("ticket", ANY_NAME, "the ticket that is needed", required=True,
                  example="site-a"),
        Attribute("rsc", ID, "the resource", "resource", example="VoiceServices"),
        Attribute("rsc-role", ROLE, "only for this role", "role", default="Started"),
        Attribute("loss-policy", Choice(("stop", "demote", "fence", "freeze")),
                  "what happens when the ticket is lost", theirs="stop, or demote"),
        ResourceSets(),
    ),
)  # fmt: skip


# --- nodes and options -----------------------------------------------------------------------

NODE = Shape(
    "node",
    (
        Attribute("type", Choice(("member", "remote", "ping")), "kind of node", default="member"),
        DESCRIPTION,
        Attribute("score", SCORE, "score of the node (no use known)"),
        Sets("attributes", "instance_attributes", VALUES,
             "permanent node attributes; standby and maintenance are the operator's unless they "
             "are given here", options=False, example={"site": "east"}),
        UTILIZATION,
    ),
)  # fmt: skip
PROPERTY_SETS = Shape(
    "crm_config",
    (
        Sets("sets", "cluster_property_set", PROPERTIES_SECTION, "cluster properties",
             example={"stonith-enabled": False}),
    ),
)  # fmt: skip
RSC_DEFAULTS = Shape(
    "rsc_defaults",
    (
        Sets("sets", "meta_attributes", META_SECTION,
             "meta attributes that every resource has unless it says otherwise",
             example={"resource-stickiness": 100}),
    ),
)  # fmt: skip
OP_DEFAULTS = Shape(
    "op_defaults",
    (
        Sets("sets", "meta_attributes", Section(
            {n: f for n, f in OPERATION.items() if n not in ("name", "interval", "role")},
            "a mapping of options of operations", others=PARAMETER_VALUE),
            "options that every operation has unless it says otherwise",
            example={"timeout": "60s"}),
    ),
)  # fmt: skip


# --- fencing, tags, access, alerts -----------------------------------------------------------

LEVEL = Shape(
    "fencing-level",
    (
        Attribute("target", ANY_NAME, "the node", example="freeswitch-dev"),
        Attribute("target-pattern", TEXT, "a regular expression for nodes, in place of `target`"),
        Attribute("target-attribute", TEXT, "nodes by an attribute, in place of `target` …"),
        Attribute("target-value", TEXT, "… and its value"),
        Attribute("index", INTEGER, "levels are tried in this order, 1 first", required=True,
                  example=1),
        Commas("devices", ID, "fencing devices that must all succeed, in order",
               ["fence-freeswitch-dev"]),
    ),
)  # fmt: skip
TAG = Shape(
    "tag", (References("references", "obj_ref", ID, "ids of what is tagged", example=["fs"]),)
)
_PERMISSION = Shape(
    "acl_permission",
    (
        Attribute("kind", Choice(("read", "write", "deny")), "what is permitted", required=True,
                  example="read"),
        Attribute("xpath", TEXT, "for what this XPath finds", example="//nodes"),
        Attribute("reference", ID, "for the object with this id"),
        Attribute("object-type", TEXT, "for elements of this tag"),
        Attribute("attribute", TEXT, "only for this attribute of them"),
        DESCRIPTION,
        Id(ID),
    ),
)  # fmt: skip
ACL_ROLE = Shape(
    "acl_role",
    (
        DESCRIPTION,
        Several("permissions", _PERMISSION, "what the role may do, first match counts",
                ordered=True, example=[{"kind": "read", "xpath": "/cib"}]),
    ),
)  # fmt: skip
_ROLES = References("roles", "role", ID, "roles that it has", ordered=True, required=False,
                    example=["operator"])  # fmt: skip
ACL_USER = Shape(
    "acl_target",
    (Attribute("name", TEXT, "the user's name, when it is not the id", "login"), _ROLES),
)
ACL_GROUP = Shape(
    "acl_group",
    (Attribute("name", TEXT, "the group's name, when it is not the id", "login"), _ROLES),
)

_ALERT_META = Sets(
    "meta",
    "meta_attributes",
    Section(
        {
            "timeout": Attribute("timeout", DURATION, "how long the program may take",
                                 theirs="30s").field,
            "timestamp-format": Attribute("timestamp-format", STRING,
                                          "format of the time, as date(1) has it",
                                          theirs="%H:%M:%S.%06N").field,
            "enabled": Attribute("enabled", BOOLEAN, "whether the alert is sent",
                                 theirs="true").field,
        },
        "a mapping (timeout, timestamp-format, enabled)",
        others=PARAMETER_VALUE,
    ),
    "meta attributes of the alert",
)  # fmt: skip
_ALERT_PARAMS = Sets("params", "instance_attributes", VALUES, "parameters of the program",
                     options=False)  # fmt: skip
_RECIPIENT = Shape(
    "recipient",
    (
        Attribute("value", TEXT, "what the program is given as CRM_alert_recipient",
                  required=True, example="ops@example.org"),
        DESCRIPTION,
        _ALERT_META,
        _ALERT_PARAMS,
        Id(ID),
    ),
)  # fmt: skip
ALERT = Shape(
    "alert",
    (
        Attribute("path", TEXT, "the program that is run", required=True,
                  example="/usr/share/pacemaker/alerts/alert_file.sh"),
        DESCRIPTION,
        _ALERT_META,
        _ALERT_PARAMS,
        Select(),
        Several("recipients", _RECIPIENT, "to whom the alert goes", ordered=True,
                example=[{"value": "/var/log/cluster-events"}]),
    ),
)  # fmt: skip


# --- the table -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """One kind of object.

    name
        The kind's name for states and verbs.
    key
        The key of the pillar below ``fsha:pacemaker`` that holds objects of this kind.
    section
        The section of the CIB's configuration in which they stand.
    one
        Whether the section as a whole is the one object of this kind.
    word
        What people call one of them.
    """

    name: str
    key: str
    section: str
    shape: Shape
    word: str
    doc: str
    one: bool = False

    @cached_property
    def section_keys(self) -> frozenset[str]:
        """The keys that an object of this kind may have in the pillar."""
        return frozenset(self.shape.by_key)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("properties", "properties", "crm_config", PROPERTY_SETS, "cluster properties",
             "cluster properties", one=True),
        Kind("resource_defaults", "rsc_defaults", "rsc_defaults", RSC_DEFAULTS,
             "defaults of resources", "meta attributes that every resource has unless it says "
             "otherwise", one=True),
        Kind("operation_defaults", "op_defaults", "op_defaults", OP_DEFAULTS,
             "defaults of operations", "options that every operation has unless it says otherwise",
             one=True),
        Kind("node", "nodes", "nodes", NODE, "node", "permanent attributes of nodes, by node"),
        Kind("template", "templates", "resources", TEMPLATE, "template",
             "templates, which primitives take everything from that they do not say themselves"),
        Kind("primitive", "resources", "resources", PRIMITIVE, "primitive",
             "primitives, fencing devices (stonith:…) among them"),
        Kind("group", "groups", "resources", GROUP, "group",
             "primitives that start in order, stop in reverse, and stay together"),
        Kind("clone", "clones", "resources", CLONE, "clone",
             "primitives or groups that run on several nodes, promotable ones too"),
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
        Kind("alert", "alerts", "alerts", ALERT, "alert", "programs that are told of events"),
    )
}  # fmt: skip
"""Every kind by its name, in an order in which nothing refers to what comes later."""

BY_TAG: Mapping[str, Kind] = {
    **{kind.shape.tag: kind for kind in KINDS.values()},
    # The older form of a promotable clone.
    "master": KINDS["clone"],
}
ONE_IDS: Mapping[str, str] = {
    "properties": "cib-bootstrap-options",
    "resource_defaults": "rsc-options",
    "operation_defaults": "op-options",
}
"""The ids of what there is one of, after the sets that tools make for it."""
BY_KEY: Mapping[str, Kind] = {kind.key: kind for kind in KINDS.values()}

# Attributes whose default depends on another one of the same object.
_SYMMETRICAL = {"Serialize": "false"}


def normal(item: Object | None) -> dict[str, Any] | None:
    """Return an object's normal form; ``None`` for an object that is not there."""
    if item is None:
        return None
    form = KINDS[item.kind].shape.normal(item.form)
    special = _SPECIAL.get(item.kind)
    return special(form) if special else form


def _normal_properties(form: dict[str, Any]) -> dict[str, Any]:
    """Return one mapping for all plain sets: which of them holds an option does not count."""
    sets = form.get("sets", {})
    values = {n: v for n, v in plain_values(sets).items() if n not in SERVER_WRITTEN}
    ruled = [] if isinstance(sets, Mapping) else [one for one in sets if not is_plain(one)]
    shown = {name: values[name] for name in sorted(values)}
    return {**({"values": shown} if shown else {}), **({"ruled": ruled} if ruled else {})}


def _normal_defaults(form: dict[str, Any]) -> dict[str, Any]:
    sets = form.get("sets", {})
    return {"values": sets} if sets and isinstance(sets, Mapping) else form


def _normal_order(form: dict[str, Any]) -> dict[str, Any]:
    score = form.pop("score", None)
    kind = form.get("kind") or ("Optional" if score and is_zero_score(str(score)) else "Mandatory")
    if form.get("symmetrical") == _SYMMETRICAL.get(str(kind), "true"):
        del form["symmetrical"]
    if form.get("then-action") == form.get("first-action", "start"):
        del form["then-action"]
    if kind == "Mandatory":
        form.pop("kind", None)
    else:
        form["kind"] = kind
    return form


def _normal_node(form: dict[str, Any]) -> dict[str, Any]:
    """Put sets that hold by a rule in front of others of their score, as they are written."""
    return {key: _ruled_first(held) if isinstance(held, list) and key != OTHER else held
            for key, held in form.items()}  # fmt: skip


def _ruled_first(sets: list[Any]) -> list[Any]:
    return as_few(sorted(sets, key=lambda one: (-score_of(one), is_plain(one))))


def _normal_bundle(form: dict[str, Any]) -> dict[str, Any]:
    for container in form.values():
        if isinstance(container, dict) and "masters" in container:
            container["promoted-max"] = container.pop("masters")
    return form


_SPECIAL: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "properties": _normal_properties,
    "resource_defaults": _normal_defaults,
    "operation_defaults": _normal_defaults,
    "order": _normal_order,
    "node": _normal_node,
    "bundle": _normal_bundle,
}

__all__ = ["BY_KEY", "BY_TAG", "KINDS", "UNSET", "AgentName", "Kind", "Whole", "normal"]
