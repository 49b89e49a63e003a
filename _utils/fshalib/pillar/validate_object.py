"""Checks within one object of the cluster."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fshalib.cib.field_types import PLAIN_CLASSES
from fshalib.cib.kinds import KINDS
from fshalib.cib.location_rules import Rules
from fshalib.cib.nvset_field import stands_alone
from fshalib.cib.options import OPERATION
from fshalib.cib.resource_set import ResourceSets
from fshalib.cib.spec import items
from fshalib.cib.values import parse_duration
from fshalib.schema.report import Location, given, printable

Data = Mapping[str, Any]


Check = Callable[[Data, Data, Location], None]


def object_checks(kind: str, data: Data, raw: object, at: Location) -> None:
    """Report contradictions within one object.

    data
        The checked object.
    raw
        The unchecked object. A key with a wrong value is in it, so it is not reported as missing.
    """
    if isinstance(raw, Mapping):
        for check_one in _CHECKS.get(kind, ()):
            check_one(data, raw, at)
        for field, item, keys in items(KINDS[kind].schema, data, *_ITEM_CHECKS):
            _ITEM_CHECKS[type(field)](item, _raw(raw, *keys), at.below(*keys))


def _raw(raw: Data, *keys: str | int) -> Data:
    """Return the unchecked mapping at a place; empty if there is none."""
    value = given(raw, *keys)
    return value if isinstance(value, Mapping) else {}


def _present(raw: Data, keys: Sequence[str]) -> list[str]:
    """Return the keys that the pillar has, right or wrong; an empty list counts as no key."""
    empty = [key for key in ("sets", "rules") if raw.get(key) in ([], ())]
    return [key for key in keys if key in raw and key not in empty]


def _not_both(raw: Data, keys: Sequence[str], at: Location) -> None:
    present = _present(raw, keys)
    if len(present) > 1:
        at.below(present[1]).error(
            f"{present[1]} is not expected beside {present[0]}; give one of them."
        )


def _either(raw: Data, keys: Sequence[str], at: Location) -> None:
    _not_both(raw, keys, at)
    if not _present(raw, keys):
        at.below(keys[0]).error(f"{' or '.join(keys)} is expected; this key is missing.")


def _only_with(raw: Data, key: str, other: str, at: Location) -> None:
    """Report that one of two keys is given without the other one that it belongs to."""
    if other in raw and key not in raw:
        at.below(key).error(f"{key} is expected beside {other}; this key is missing.")
    elif key in raw and other not in raw:
        at.below(key).error(f"{key} is expected only beside {other}.")


def _one_of(*keys: str) -> Check:
    """Return the check that exactly one of some keys is given."""
    return lambda _data, raw, at: _either(raw, keys, at)


def _at_most_one(*keys: str) -> Check:
    """Return the check that no more than one of some keys is given."""
    return lambda _data, raw, at: _not_both(raw, keys, at)


def _pair(first: str, second: str) -> Check:
    """Return the check that two keys are given, or sets in place of both."""

    def look(_data: Data, raw: Data, at: Location) -> None:
        _either(raw, (first, "sets"), at)
        present = _present(raw, (first, "sets"))
        if present == [first]:
            _only_with(raw, second, first, at)

    return look


def _without_sets(first: str, *keys: str) -> Check:
    """Return the check that keys which belong to ``first`` are not given beside sets."""

    def look(_data: Data, raw: Data, at: Location) -> None:
        for key in keys if _present(raw, ("sets",)) else ():
            if key in raw and first not in raw:
                at.below(key).error(f"{key} is not expected beside sets.")

    return look


def _location(_data: Data, raw: Data, at: Location) -> None:
    ruled = _present(raw, ("rules",))
    plain = [name for name in ("node", "score") if name in raw]
    if ruled and plain:
        at.below(plain[0]).error(f"{plain[0]} is not expected beside rules; give one or the other.")
    elif not ruled and len(plain) < 2:
        missing = "score" if "node" in plain else "node"
        at.below(missing).error("node and score, or rules, are expected; this key is missing.")


def _agent(data: Data, _raw: Data, at: Location) -> None:
    standard = str(data.get("agent", "")).partition(":")[0]
    if standard in PLAIN_CLASSES and data.get("params"):
        at.below("params").error(
            f"no parameters are expected: agents of class {standard} take none."
        )


def _operations(data: Data, raw: Data, at: Location) -> None:
    operations = data.get("operations", ())
    for number, operation in enumerate(operations):
        unchecked, here = _raw(raw, "operations", number), at.below("operations", number)
        if stands_alone(operation, unchecked, here):
            if len(operations) > 1:
                here.below("id-ref").error("no other operations are expected beside id-ref.")
            continue
        if "id" in unchecked:
            _list_id(operations, number, unchecked, here)
            continue
        _not_both(unchecked, ("start-delay", "interval-origin"), here)
        if "name" not in unchecked:
            missing = OPERATION["name"].kind.expected
            here.below("name").error(f"this key is missing; {missing} is expected.")
    _intervals(operations, raw, at)


def _list_id(operations: Sequence[Data], number: int, raw: Data, at: Location) -> None:
    """Check the item that gives a list of operations its id."""
    others = [key for key in raw if key != "id"]
    if others:
        at.below(others[0]).error(f"{others[0]} is not expected beside id; give it an item.")
    if any("id" in item for item in operations[:number]):
        at.below("id").error("one id is expected for all operations of a resource.")


def _intervals(operations: Sequence[Data], raw: Data, at: Location) -> None:
    seen: set[tuple[str, int, str]] = set()
    for number, operation in enumerate(operations):
        unchecked = _raw(raw, "operations", number)
        if "name" not in operation or ("interval" in unchecked and "interval" not in operation):
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


def _container(data: Data, raw: Data, at: Location) -> None:
    for key in ("podman", "docker", "rkt"):
        _not_both(_raw(raw, key), ("promoted-max", "masters"), at.below(key))
    for number in range(len(data.get("network", {}).get("ports", ()))):
        keys = ("network", "ports", number)
        _either(_raw(raw, *keys), ("port", "range"), at.below(*keys))
        _not_both(_raw(raw, *keys), ("range", "internal-port"), at.below(*keys))
    for number in range(len(data.get("storage", ()))):
        sources = ("source-dir", "source-dir-root")
        _either(_raw(raw, "storage", number), sources, at.below("storage", number))


def _level(data: Data, raw: Data, at: Location) -> None:
    _only_with(raw, "target-value", "target-attribute", at)
    if int(data.get("index", 1)) < 1:
        at.below("index").error(f"a whole number from 1 on is expected, not {data['index']}.")


def _permissions(data: Data, raw: Data, at: Location) -> None:
    for number in range(len(data.get("permissions", ()))):
        unchecked, here = _raw(raw, "permissions", number), at.below("permissions", number)
        _either(unchecked, ("xpath", "reference", "object-type"), here)
        if "attribute" in unchecked and _present(unchecked, ("xpath", "reference")):
            here.below("attribute").error("attribute is expected only beside object-type.")


def _resource_set(item: Data, raw: Data, at: Location) -> None:
    if not stands_alone(item, raw, at) and "resources" not in raw:
        at.below("resources").error("resources or id-ref is expected; this key is missing.")
    _not_both(raw, ("score", "kind"), at)


def _rule(item: Data, raw: Data, at: Location) -> None:
    if stands_alone(item, raw, at):
        return
    if "expression" not in raw:
        at.below("expression").error("this key is missing; a rule expression is expected.")
    # The cluster never uses the score of a rule in a lifetime.
    if at.keys[-2] == "lifetime":
        _not_both(raw, ("score", "score-attribute"), at)
    else:
        _either(raw, ("score", "score-attribute"), at)


_ITEM_CHECKS: Mapping[type, Check] = {Rules: _rule, ResourceSets: _resource_set}
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
