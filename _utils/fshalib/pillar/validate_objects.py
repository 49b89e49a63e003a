"""Checks of the cluster's objects against each other, and within one object.

They work on what the shapes of ``fshalib.cib.kinds`` have checked already, where a wrong value is
left out: each check looks only at what is there, so one mistake is told once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fshalib.cib import rule as cib_rule
from fshalib.cib.element_schema import Id, Several, Shape, Single, Within
from fshalib.cib.field_types import NODE_NAME, PLAIN_CLASSES
from fshalib.cib.fields import Operations, ResourceSets, Rules, Sets
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.objects import plain_values
from fshalib.cib.options import OPERATION
from fshalib.cib.values import parse_duration
from fshalib.schema.types import INVALID, At, Keys, Report, given, printable, quoted, suggestion

Data = Mapping[str, Any]
Check = Callable[[Data, Data, At], None]

CONTAINABLE = {
    "groups": ("resources",),
    "clones": ("resources", "groups"),
    "bundles": ("resources",),
}
RESOURCES = ("resources", "groups", "clones", "bundles")
REMOTE = "ocf:pacemaker:remote"


def check(pacemaker: Data, raw: object, nodes: Data, at: At) -> None:
    """Report every contradiction in the section ``fsha:pacemaker``.

    pacemaker
        The checked section.
    raw
        The section as it was given: what was given wrongly is not missing as well.
    nodes
        The checked nodes of the pillar.
    """
    _ids(pacemaker, at)
    _id_refs(pacemaker, at)
    for keys, kind, form in _objects(pacemaker):
        told = given(raw, *keys)
        within = Report()
        object_checks(kind, form, {"sets": told} if KINDS[kind].one else told, At(within))
        for inner, message in within.found:
            at.below(*_place(keys, inner)).error(message)
    _members(pacemaker, at)
    _references(pacemaker, at)
    _devices(pacemaker, at)
    _named_nodes(pacemaker, nodes, at)


def agent_of(pacemaker: Data, resource: Data) -> str:
    """Return the agent of a primitive, which its template may name; ``""`` without one."""
    template = pacemaker.get("templates", {}).get(resource.get("template"), {})
    return str(resource.get("agent") or template.get("agent", ""))


# --- walking through objects -----------------------------------------------------------------


def _objects(pacemaker: Data) -> Iterator[tuple[Keys, str, Data]]:
    """Yield the place of each object, its kind and its form."""
    for key, kind in BY_KEY.items():
        if kind.one:
            yield (key,), kind.name, {"sets": pacemaker.get(key, {})}
            continue
        for name, form in pacemaker.get(key, {}).items():
            yield (key, name), kind.name, form


def _place(keys: Keys, inner: Keys) -> Keys:
    """Return a place in an object; the sets of what there is one of stand there themselves."""
    return (*keys, *(inner[1:] if len(keys) == 1 else inner))


def _parts(shape: Shape, form: Data, keys: Keys = ()) -> Iterator[tuple[Any, Any, Keys]]:
    """Yield each part that a form has, on every level, with its value and its place."""
    for key, outer in shape.by_key.items():
        if key not in form:
            continue
        part = outer.part if isinstance(outer, Within) else outer
        value, here = form[key], (*keys, key)
        yield part, value, here
        if isinstance(part, Single):
            yield from _parts(part.shape, value, here)
        elif isinstance(part, (Several, Operations)):
            for number, item in enumerate(value):
                yield from _parts(part.shape, item, (*here, number))


def _items(shape: Shape, form: Data, *kinds: type) -> Iterator[tuple[Any, Data, Keys]]:
    """Yield the parts of some kinds that hold lists, of sets or of rules, with each item."""
    for part, value, keys in _parts(shape, form):
        if isinstance(part, kinds) and not isinstance(value, Mapping):
            for number, item in enumerate(value):
                yield part, item, (*keys, number)


# --- ids -------------------------------------------------------------------------------------


def _ids(pacemaker: Data, at: At) -> None:
    taken = {ONE_IDS[kind.name]: f"the {kind.word}" for kind in KINDS.values() if kind.one}
    for key, kind in BY_KEY.items():
        # Names of nodes and users are no ids: they may be those of other objects.
        if kind.one or kind.name in ("node", "acl_user"):
            continue
        for name in pacemaker.get(key, {}):
            _take(name, f"{_a(kind.word)} {kind.word}", taken, at.below(key, name))
    for keys, kind_name, form in _objects(pacemaker):
        for id, word, inner in _inner_ids(KINDS[kind_name].shape, form):
            _take(id, word, taken, at.below(*_place(keys, inner)))


def _inner_ids(shape: Shape, form: Data) -> Iterator[tuple[str, str, Keys]]:
    """Yield the ids that are given to parts of an object, with what they are and their places."""
    for part, value, keys in _parts(shape, form):
        if isinstance(part, Id):
            yield value, "a part of an object", keys
    for part, item, keys in _items(shape, form, *_REFERRED):
        if "id" in item:
            yield item["id"], _REFERRED[type(part)], (*keys, "id")


_REFERRED = {Sets: "a set", Rules: "a rule", ResourceSets: "a set of resources"}
"""What another place may refer to by an ``id-ref``."""


def _id_refs(pacemaker: Data, at: At) -> None:
    """Check that an ``id-ref`` points to something of the same kind that is given an id."""
    found = [
        (part, item, _place(keys, inner))
        for keys, name, form in _objects(pacemaker)
        for part, item, inner in _items(KINDS[name].shape, form, *_REFERRED)
    ]
    known: dict[tuple[str, ...], list[str]] = {}
    for part, item, _ in found:
        # A set of nothing is not written.
        if "id" in item and (not isinstance(part, Sets) or item.get("values")):
            known.setdefault(part.tags, []).append(item["id"])
    for part, item, keys in found:
        expected = f"the id of {_REFERRED[type(part)]}"
        _known(item.get("id-ref"), known.get(part.tags, []), expected, at.below(*keys, "id-ref"))


def _a(word: str) -> str:
    return "an" if word[0] in "aeiouAEIOU" else "a"


def _take(name: str, kind: str, taken: dict[str, str], at: At) -> None:
    if name in taken:
        at.error(f"an id of its own is expected, {quoted(name)} is that of {taken[name]} already.")
    taken.setdefault(name, kind)


# --- within one object -----------------------------------------------------------------------


def object_checks(kind: str, data: Data, raw: object, at: At) -> None:
    """Report contradictions within one object.

    data
        The checked object.
    raw
        The object as it was given: what was given wrongly is not missing as well.
    """
    if isinstance(raw, Mapping):
        for check_one in _CHECKS.get(kind, ()):
            check_one(data, raw, at)
        for part, item, keys in _items(KINDS[kind].shape, data, *_LOOKS):
            _LOOKS[type(part)](item, _raw(raw, *keys), at.below(*keys))


def _raw(raw: Data, *keys: str | int) -> Data:
    """Return the mapping that was given at a place; empty when it is none."""
    found = given(raw, *keys)
    return found if isinstance(found, Mapping) else {}


def _told(raw: Data, keys: Sequence[str]) -> list[str]:
    """Return the keys that were given, well or badly; an empty list is as good as none."""
    empty = [key for key in ("sets", "rules") if raw.get(key) in ([], ())]
    return [key for key in keys if key in raw and key not in empty]


def _not_both(raw: Data, keys: Sequence[str], at: At) -> None:
    told = _told(raw, keys)
    if len(told) > 1:
        at.below(told[1]).error(f"{told[1]} is not expected beside {told[0]}; give one of them.")


def _either(raw: Data, keys: Sequence[str], at: At) -> None:
    _not_both(raw, keys, at)
    if not _told(raw, keys):
        at.below(keys[0]).error(f"{' or '.join(keys)} is expected; this key is missing.")


def _only_with(raw: Data, key: str, other: str, at: At) -> None:
    """Report that one of two keys is given without the other one that it belongs to."""
    if other in raw and key not in raw:
        at.below(key).error(f"{key} is expected beside {other}; this key is missing.")
    elif key in raw and other not in raw:
        at.below(key).error(f"{key} is expected only beside {other}.")


def _alone(item: Data, raw: Data, at: At) -> bool:
    """Tell whether something refers to another one; report what is given beside that."""
    others = [key for key in item if key != "id-ref"] if "id-ref" in raw else []
    if others:
        at.below(others[0]).error(f"{others[0]} is not expected beside id-ref.")
    return "id-ref" in raw


def _one_of(*keys: str) -> Check:
    """Return the check that exactly one of some keys is given."""
    return lambda _data, raw, at: _either(raw, keys, at)


def _at_most_one(*keys: str) -> Check:
    """Return the check that no more than one of some keys is given."""
    return lambda _data, raw, at: _not_both(raw, keys, at)


def _pair(first: str, second: str) -> Check:
    """Return the check that two keys are given, or sets in place of both."""

    def look(_data: Data, raw: Data, at: At) -> None:
        _either(raw, (first, "sets"), at)
        told = _told(raw, (first, "sets"))
        if told == [first]:
            _only_with(raw, second, first, at)

    return look


def _without_sets(first: str, *keys: str) -> Check:
    """Return the check that keys which belong to ``first`` are not given beside sets."""

    def look(_data: Data, raw: Data, at: At) -> None:
        for key in keys if _told(raw, ("sets",)) else ():
            if key in raw and first not in raw:
                at.below(key).error(f"{key} is not expected beside sets.")

    return look


def _location(_data: Data, raw: Data, at: At) -> None:
    ruled = _told(raw, ("rules",))
    plain = [name for name in ("node", "score") if name in raw]
    if ruled and plain:
        at.below(plain[0]).error(f"{plain[0]} is not expected beside rules; give one or the other.")
    elif not ruled and len(plain) < 2:
        missing = "score" if "node" in plain else "node"
        at.below(missing).error("node and score, or rules, are expected; this key is missing.")


def _agent(data: Data, _raw: Data, at: At) -> None:
    standard = str(data.get("agent", "")).partition(":")[0]
    if standard in PLAIN_CLASSES and data.get("params"):
        at.below("params").error(
            f"no parameters are expected: agents of class {standard} take none."
        )


def _operations(data: Data, raw: Data, at: At) -> None:
    operations = data.get("operations", ())
    for number, operation in enumerate(operations):
        told, here = _raw(raw, "operations", number), at.below("operations", number)
        if _alone(operation, told, here):
            if len(operations) > 1:
                here.below("id-ref").error("no other operations are expected beside id-ref.")
            continue
        _not_both(told, ("start-delay", "interval-origin"), here)
        if "name" not in told:
            missing = OPERATION["name"].kind.expected
            here.below("name").error(f"this key is missing; {missing} is expected.")
    _intervals(operations, raw, at)


def _intervals(operations: Sequence[Data], raw: Data, at: At) -> None:
    seen: set[tuple[str, int, str]] = set()
    for number, operation in enumerate(operations):
        told = _raw(raw, "operations", number)
        if "name" not in operation or ("interval" in told and "interval" not in operation):
            continue
        # The cluster takes one interval for two roles, though it warns of it.
        role = operation.get("role", "")
        key = operation["name"], parse_duration(operation.get("interval", "0")), role
        if key in seen:
            at.below("operations", number).error(
                f"an interval of its own is expected, there is a {printable(key[0])} every "
                f"{key[1]} ms already."
            )
        seen.add(key)


def _container(data: Data, raw: Data, at: At) -> None:
    for key in ("podman", "docker", "rkt"):
        _not_both(_raw(raw, key), ("promoted-max", "masters"), at.below(key))
    for number in range(len(data.get("network", {}).get("ports", ()))):
        keys = ("network", "ports", number)
        _either(_raw(raw, *keys), ("port", "range"), at.below(*keys))
        _not_both(_raw(raw, *keys), ("range", "internal-port"), at.below(*keys))
    for number in range(len(data.get("storage", ()))):
        sources = ("source-dir", "source-dir-root")
        _either(_raw(raw, "storage", number), sources, at.below("storage", number))


def _level(data: Data, raw: Data, at: At) -> None:
    _only_with(raw, "target-value", "target-attribute", at)
    if int(data.get("index", 1)) < 1:
        at.below("index").error(f"a whole number from 1 on is expected, not {data['index']}.")


def _permissions(data: Data, raw: Data, at: At) -> None:
    for number in range(len(data.get("permissions", ()))):
        told, here = _raw(raw, "permissions", number), at.below("permissions", number)
        _either(told, ("xpath", "reference", "object-type"), here)
        if "attribute" in told and _told(told, ("xpath", "reference")):
            here.below("attribute").error("attribute is expected only beside object-type.")


def _set(item: Data, raw: Data, at: At) -> None:
    if not _alone(item, raw, at) and "values" not in raw:
        at.below("values").error("values or id-ref is expected; this key is missing.")


def _resource_set(item: Data, raw: Data, at: At) -> None:
    if not _alone(item, raw, at) and "resources" not in raw:
        at.below("resources").error("resources or id-ref is expected; this key is missing.")
    _not_both(raw, ("score", "kind"), at)


def _rule(item: Data, raw: Data, at: At) -> None:
    if _alone(item, raw, at):
        return
    if "expression" not in raw:
        at.below("expression").error("this key is missing; a rule expression is expected.")
    # The score of a rule that only says when a constraint holds is never looked at.
    if at.keys[-2] == "lifetime":
        _not_both(raw, ("score", "score-attribute"), at)
    else:
        _either(raw, ("score", "score-attribute"), at)


_LOOKS: Mapping[type, Check] = {Sets: _set, Rules: _rule, ResourceSets: _resource_set}
_CHECKS: Mapping[str, tuple[Check, ...]] = {
    "primitive": (_one_of("agent", "template"), _agent, _operations),
    "template": (_agent, _operations),
    "bundle": (_one_of("podman", "docker", "rkt"), _container),
    "location": (
        _one_of("resource", "rsc-pattern", "sets"),
        _without_sets("resource", "role"),
        _location,
    ),
    "colocation": (
        _pair("resource", "with"),
        _without_sets("resource", "with", "role", "with-role", "node-attribute"),
    ),
    "order": (
        _pair("first", "then"),
        _without_sets("first", "then", "first-action", "then-action"),
        _at_most_one("kind", "score"),
    ),
    "ticket": (_one_of("resource", "sets"), _without_sets("resource", "role")),
    "fencing_level": (_one_of("target", "target-pattern", "target-attribute"), _level),
    "acl_role": (_permissions,),
}


# --- objects that name others ----------------------------------------------------------------


def _members(pacemaker: Data, at: At) -> None:
    """Check that what containers name is there, of the right kind, and in one of them only."""
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
    at: At,
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
            f"ids of resources are expected, {quoted(member)} is none{suggestion(member, known)}"
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


def _references(pacemaker: Data, at: At) -> None:
    """Check that whatever is named is there."""
    if not all(key in pacemaker for key in (*RESOURCES, "templates")):
        return
    resources = [id for key in RESOURCES for id in pacemaker.get(key, {})]
    # A constraint may also be of all that have a tag, or that are made from a template.
    named = [*resources, *pacemaker["templates"], *pacemaker.get("tags", {})]
    for key, fields in _REFERRING.items():
        for name, data in pacemaker.get(key, {}).items():
            here = at.below(key, name)
            for field in fields:
                _known(data.get(field), named, "the id of a resource or group", here.below(field))
            for number, one in enumerate(data.get("sets", ())):
                for id in one.get("resources", ()):
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


def _known_items(pacemaker: Data, at: At, key: str, field: str, names: Sequence[str]) -> None:
    for name, data in pacemaker.get(key, {}).items():
        for id in data.get(field, ()):
            _known(id, names, "ids that are in this pillar", at.below(key, name, field))


def _known(id: object, names: Sequence[str], expected: str, at: At) -> None:
    if isinstance(id, str) and id not in names:
        word = "are" if expected.startswith("ids") else "is"
        at.error(f"{expected} {word} expected, {quoted(id)} is none{suggestion(id, names)}")


def _devices(pacemaker: Data, at: At) -> None:
    """Check that fencing levels name fencing devices."""
    if not all(key in pacemaker for key in ("resources", "templates")):
        return
    resources = pacemaker["resources"]
    # What has no agent was told already.
    agents = {name: agent_of(pacemaker, resource) for name, resource in resources.items()}
    devices = [name for name, agent in agents.items() if agent.startswith("stonith:")]
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


def _named_nodes(pacemaker: Data, nodes: Data, at: At) -> None:
    """Check the names of nodes wherever they are given."""
    if not nodes or not all(key in pacemaker for key in ("resources", "templates", "bundles")):
        return
    names = [*nodes, *_remote_nodes(pacemaker)]
    known = {name.casefold() for name in names}
    replica = _replicas(pacemaker)
    for keys, node in (*_in_locations(pacemaker), *_in_levels(pacemaker), *_in_nodes(pacemaker),
                       *_in_rules(pacemaker)):  # fmt: skip
        if node.casefold() not in known and not replica.fullmatch(node):
            at.below(*keys).error(
                f"the name of a node is expected, {quoted(node)} is none{suggestion(node, names)}"
            )


def _remote_nodes(pacemaker: Data) -> Iterator[str]:
    """Yield the names of remote and guest nodes, which are resources."""
    for name, resource in pacemaker["resources"].items():
        if agent_of(pacemaker, resource) == REMOTE:
            yield name
        guest = plain_values(resource.get("meta", {})).get("remote-node")
        if guest is not None:
            yield guest
    for name, node in pacemaker.get("nodes", {}).items():
        if node.get("type", "member") != "member":
            yield name


def _replicas(pacemaker: Data) -> re.Pattern[str]:
    """Return what the names of the bundles' replicas match, which are nodes, too."""
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
        # Remote and guest nodes are resources, not members of the cluster. What can be the name
        # of no node was told already.
        good = NODE_NAME.check(name, At(Report())) is not INVALID
        if good and node.get("type", "member") == "member":
            yield ("nodes", name), name


def _in_rules(pacemaker: Data) -> Named:
    for keys, kind, form in _objects(pacemaker):
        for _, item, inner in _items(KINDS[kind].shape, form, Sets, Rules):
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
