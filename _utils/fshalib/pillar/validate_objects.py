"""Checks of the cluster's objects against each other, and within one object.

The schemas of ``fshalib.cib.kinds`` have checked the data and left wrong values out. Each check
looks only at the remaining data, so one mistake is reported once.
"""

import re
from collections.abc import Iterator, Sequence

from fshalib.agents import REMOTE, is_fencing
from fshalib.cib import rule as cib_rule
from fshalib.cib.element_schema import ElementSchema
from fshalib.cib.field_types import NODE_NAME
from fshalib.cib.fields import Id
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.location_rules import Rules
from fshalib.cib.nvset import FIRST, NO_SETS
from fshalib.cib.nvset_field import Sets
from fshalib.cib.operations import Operations
from fshalib.cib.resource_set import ResourceSets
from fshalib.cib.spec import items, walk
from fshalib.pillar.validate_object import Data, object_checks
from fshalib.schema.report import Keys, Location, Report, given, printable, quoted, suggestion
from fshalib.schema.types import INVALID

CONTAINABLE = {
    "groups": ("resources",),
    "clones": ("resources", "groups"),
    "bundles": ("resources",),
}
RESOURCES = ("resources", "groups", "clones", "bundles")


def check(pacemaker: Data, raw: object, nodes: Data, at: Location) -> None:
    """Report every contradiction in the section ``fsha:pacemaker``.

    pacemaker
        The checked section.
    raw
        The unchecked section. A key with a wrong value is in it, so it is not reported as missing.
    nodes
        The checked nodes of the pillar.
    """
    _ids(pacemaker, at)
    _id_refs(pacemaker, at, (Sets, Rules, ResourceSets))
    for keys, kind, spec in _objects(pacemaker):
        unchecked = given(raw, *keys)
        within = Report()
        object_checks(
            kind, spec, {"sets": unchecked} if KINDS[kind].one else unchecked, Location(within)
        )
        for inner, message in within.mistakes:
            at.below(*_place(keys, inner)).error(message)
    _members(pacemaker, at)
    _references(pacemaker, at)
    _devices(pacemaker, at)
    named_nodes(pacemaker, nodes, at)


def agent_of(pacemaker: Data, resource: Data) -> str:
    """Return the agent of a primitive, which its template may name; ``""`` without one."""
    template = pacemaker.get("templates", {}).get(resource.get("template"), {})
    return str(resource.get("agent") or template.get("agent", ""))


# --- walking through objects -----------------------------------------------------------------


def _objects(pacemaker: Data) -> Iterator[tuple[Keys, str, Data]]:
    """Yield the place of each object, its kind and its spec."""
    for key, kind in BY_KEY.items():
        if kind.one:
            yield (key,), kind.name, {"sets": pacemaker.get(key, NO_SETS)}
            continue
        for name, spec in pacemaker.get(key, {}).items():
            yield (key, name), kind.name, spec


def _place(keys: Keys, inner: Keys) -> Keys:
    """Return a place in an object; a kind with one object has its sets directly below its key."""
    return (*keys, *(inner[1:] if len(keys) == 1 else inner))


# --- ids -------------------------------------------------------------------------------------


def _ids(pacemaker: Data, at: Location) -> None:
    taken = {ONE_IDS[kind.name]: f"the {kind.word}" for kind in KINDS.values() if kind.one}
    for key, kind in BY_KEY.items():
        # Names of nodes and users are no ids: they may be those of other objects.
        if kind.one or kind.name in ("node", "acl_user"):
            continue
        for name in pacemaker.get(key, {}):
            _take(name, f"{_a(kind.word)} {kind.word}", taken, at.below(key, name))
    if taken[FIRST] == f"the {KINDS['properties'].word}":
        # That is one of their sets, which the pillar may name.
        del taken[FIRST]
    for keys, kind_name, spec in _objects(pacemaker):
        for id, word, inner in _inner_ids(KINDS[kind_name].schema, spec):
            _take(id, word, taken, at.below(*_place(keys, inner)))


def _inner_ids(schema: ElementSchema, spec: Data) -> Iterator[tuple[str, str, Keys]]:
    """Yield the ids within an object, each with the name of its kind and its place."""
    for field, value, keys in walk(schema, spec):
        if isinstance(field, Id):
            yield value, "a part of an object", keys
    for field, item, keys in items(schema, spec, *_REFERRED):
        if "id" in item:
            yield item["id"], _REFERRED[type(field)], (*keys, "id")


_REFERRED = {
    Sets: "a set",
    Rules: "a rule",
    ResourceSets: "a set of resources",
    Operations: "a list of operations",
}
"""The kinds of elements that an ``id-ref`` may point to."""


def operations_used(pacemaker: Data, at: Location) -> None:
    """Report operations that are used and stand nowhere; in the cluster others may have them."""
    _id_refs(pacemaker, at, (Operations,))


def _id_refs(pacemaker: Data, at: Location, kinds: tuple[type, ...]) -> None:
    """Check that an ``id-ref`` points to an id of the same kind."""
    places = [
        (field, item, _place(keys, inner))
        for keys, name, spec in _objects(pacemaker)
        for field, item, inner in items(KINDS[name].schema, spec, *kinds)
    ]
    known: dict[tuple[str, ...], list[str]] = {}
    for field, item, _ in places:
        # An empty set is not written, so it has no id.
        if "id" in item and (not isinstance(field, Sets) or item.get("values")):
            known.setdefault(field.tags, []).append(item["id"])
    for field, item, keys in places:
        expected = f"the id of {_REFERRED[type(field)]}"
        _known(item.get("id-ref"), known.get(field.tags, []), expected, at.below(*keys, "id-ref"))


def _a(word: str) -> str:
    return "an" if word[0] in "aeiouAEIOU" else "a"


def _take(name: str, kind: str, taken: dict[str, str], at: Location) -> None:
    if name in taken:
        at.error(f"an id of its own is expected, {quoted(name)} is that of {taken[name]} already.")
    taken.setdefault(name, kind)


# --- objects that name others ----------------------------------------------------------------


def _members(pacemaker: Data, at: Location) -> None:
    """Check that members of containers exist, are of the right kind, and in one container only."""
    taken: dict[str, str] = {}
    for key, inner in CONTAINABLE.items():
        for name, data in pacemaker.get(key, {}).items():
            field = "members" if key == "groups" else "resource"
            here = at.below(key, name, field)
            members = data.get(field, ())
            for member in (members,) if isinstance(members, str) else members:
                _member(member, name, inner, pacemaker, taken, here)


def _member(
    member: str,
    owner: str,
    inner: tuple[str, ...],
    pacemaker: Data,
    taken: dict[str, str],
    at: Location,
) -> None:
    known = [id for key in inner for id in pacemaker.get(key, {})]
    kinds = [BY_KEY[key].word for key in RESOURCES if member in pacemaker.get(key, {})]
    if not all(key in pacemaker for key in inner):
        return
    if member not in known and kinds:
        words = " or ".join(f"{BY_KEY[key].word}s" for key in inner)
        at.error(f"{words} are expected, {quoted(member)} is {_a(kinds[0])} {kinds[0]}.")
    elif member not in known:
        at.error(
            f"ids of resources are expected, there is no {quoted(member)}"
            f"{suggestion(member, known)}"
        )
    elif member in taken:
        at.error(
            f"resources of its own are expected, {quoted(member)} is in "
            f"{printable(taken[member])} already."
        )
    taken.setdefault(member, owner)


_REFERRING = {
    "locations": ("resource",),
    "colocations": ("resource", "with"),
    "orders": ("first", "then"),
    "tickets": ("resource",),
}


def _references(pacemaker: Data, at: Location) -> None:
    """Check that objects refer only to existing ones."""
    if not all(key in pacemaker for key in (*RESOURCES, "templates")):
        return
    resources = [id for key in RESOURCES for id in pacemaker.get(key, {})]
    # A constraint may also name a tag, or a template in place of its primitives.
    named = [*resources, *pacemaker["templates"], *pacemaker.get("tags", {})]
    for key, fields in _REFERRING.items():
        for name, data in pacemaker.get(key, {}).items():
            here = at.below(key, name)
            for field in fields:
                _known(data.get(field), named, "the id of a resource or group", here.below(field))
            for number, resource_set in enumerate(data.get("sets", ())):
                for id in resource_set.get("resources", ()):
                    place = here.below("sets", number, "resources")
                    _known(id, named, "ids of resources", place)
    for name, data in pacemaker["resources"].items():
        here = at.below("resources", name, "template")
        _known(data.get("template"), list(pacemaker["templates"]), "the id of a template", here)
    for key in ("acl_users", "acl_groups"):
        _known_items(pacemaker, at, key, "roles", list(pacemaker.get("acl_roles", {})))
    everything = [
        id for key, kind in BY_KEY.items() if not kind.one for id in pacemaker.get(key, {})
    ]
    _known_items(pacemaker, at, "tags", "references", everything)


def _known_items(pacemaker: Data, at: Location, key: str, field: str, names: Sequence[str]) -> None:
    for name, data in pacemaker.get(key, {}).items():
        for id in data.get(field, ()):
            _known(id, names, "ids that are in this pillar", at.below(key, name, field))


def _known(id: object, names: Sequence[str], expected: str, at: Location) -> None:
    if isinstance(id, str) and id not in names:
        word = "are" if expected.startswith("ids") else "is"
        at.error(f"{expected} {word} expected, there is no {quoted(id)}{suggestion(id, names)}")


def _devices(pacemaker: Data, at: Location) -> None:
    """Check that fencing levels name fencing devices."""
    if not all(key in pacemaker for key in ("resources", "templates")):
        return
    resources = pacemaker["resources"]
    # A resource without an agent is reported already.
    agents = {name: agent_of(pacemaker, resource) for name, resource in resources.items()}
    devices = [name for name, agent in agents.items() if is_fencing(agent)]
    for key, level in pacemaker.get("fencing_levels", {}).items():
        here = at.below("fencing_levels", key, "devices")
        for device in level.get("devices", ()):
            if device in resources and device not in devices and agents[device]:
                here.error(
                    f"fencing devices are expected, {quoted(device)} is a resource with the agent "
                    f"{printable(agents[device])}."
                )
            elif device not in resources:
                _known(device, devices, "ids of fencing devices", here)


# --- names of nodes --------------------------------------------------------------------------


def named_nodes(pacemaker: Data, nodes: Data, at: Location) -> None:
    """Report the names of nodes that are none of these; without nodes, none."""
    if not nodes or not all(key in pacemaker for key in ("resources", "templates", "bundles")):
        return
    names = [*nodes, *_remote_nodes(pacemaker)]
    known = {name.casefold() for name in names}
    replica = _replicas(pacemaker)
    for keys, node in (*_in_locations(pacemaker), *_in_levels(pacemaker), *_in_nodes(pacemaker),
                       *_in_rules(pacemaker)):  # fmt: skip
        if node.casefold() not in known and not replica.fullmatch(node):
            at.below(*keys).error(
                f"the name of a node is expected, there is no {quoted(node)}"
                f"{suggestion(node, names)}"
            )


def _remote_nodes(pacemaker: Data) -> Iterator[str]:
    """Yield the names of remote and guest nodes, which are resources."""
    for name, resource in pacemaker["resources"].items():
        if agent_of(pacemaker, resource) == REMOTE:
            yield name
        guest = resource.get("meta", NO_SETS).plain_values().get("remote-node")
        if guest is not None:
            yield guest
    for name, node in pacemaker.get("nodes", {}).items():
        if node.get("type", "member") != "member":
            yield name


def _replicas(pacemaker: Data) -> re.Pattern[str]:
    """Return a pattern of the names of the bundles' replicas, which are nodes, too."""
    return re.compile("|".join(f"{re.escape(name)}-[0-9]+" for name in pacemaker["bundles"]))


Named = Iterator[tuple[Keys, str]]


def _in_locations(pacemaker: Data) -> Named:
    for name, location in pacemaker.get("locations", {}).items():
        if "node" in location:
            yield ("locations", name, "node"), location["node"]


def _in_levels(pacemaker: Data) -> Named:
    for name, level in pacemaker.get("fencing_levels", {}).items():
        if "target" in level:
            yield ("fencing_levels", name, "target"), level["target"]


def _in_nodes(pacemaker: Data) -> Named:
    for name, node in pacemaker.get("nodes", {}).items():
        # Remote and guest nodes are resources, not members of the cluster. A bad name is reported
        # already.
        good = NODE_NAME.check(name, Location(Report())) is not INVALID
        if good and node.get("type", "member") == "member":
            yield ("nodes", name), name


def _in_rules(pacemaker: Data) -> Named:
    for keys, kind, spec in _objects(pacemaker):
        for _, item, inner in items(KINDS[kind].schema, spec, Sets, Rules):
            key = "rule" if "rule" in item else "expression"
            for node in _tested_nodes(item.get(key, "")):
                yield _place(keys, (*inner, key)), node


def _tested_nodes(expression: str) -> Iterator[str]:
    """Yield the names that a rule compares the node's own name with."""
    if expression:
        yield from _in_terms(cib_rule.parse(expression))


def _in_terms(rule: cib_rule.Join) -> Iterator[str]:
    for term in rule.terms:
        if isinstance(term, cib_rule.Join):
            yield from _in_terms(term)
        elif isinstance(term, cib_rule.Test) and _names_a_node(term):
            yield term.value or ""


def _names_a_node(test: cib_rule.Test) -> bool:
    return test.attribute == "#uname" and test.operation in ("eq", "ne") and test.source is None
