"""Take out of exported pillar data what the pillar check refuses, and as little else as can be.

A value that stands for itself goes alone. What decides where, when or with whom something holds
takes the whole object (or set, or operation) with it: half of a constraint would be another one.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fshalib.cib.kinds import BY_KEY
from fshalib.cib.options import META
from fshalib.cib.values import score_text
from fshalib.pillar.faults import Fault
from fshalib.schema.report import Key, Keys, given

Check = Callable[[dict[str, Any]], Iterable[Fault]]

_SETS = frozenset({"params", "meta", "utilization", "attributes"})
_LISTS = frozenset({*_SETS, "operations", "recipients"})
# Attributes without which the rest of an object, or of an item of a list, means the same.
_ALONE = frozenset(
    {
        *_LISTS,
        "description", "influence", "symmetrical", "require-all", "resource-discovery",
        "loss-policy", "login", "score", "id", "type",
        "timeout", "on-fail", "enabled", "record-pending", "start-delay", "interval-origin",
        "replicas", "replicas-per-host", "promoted-max", "masters", "run-command", "options",
    }
)  # fmt: skip
# Of these kinds any other mistake concerns what they are for.
_CONSTRAINTS = frozenset({"locations", "colocations", "orders", "tickets", "fencing_levels"})
_WHOLE = frozenset({"acl_roles", "acl_users", "acl_groups", "tags"})
_IN_CONSTRAINTS = _ALONE - {"score", "id", "type"}
# Pacemaker takes the number at the head of a score (scores.c; measured with 2.1.5).
_READ_AS_SCORES = frozenset(
    name for name in ("priority", "resource-stickiness", "migration-threshold") if name in META
)
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,18})", re.ASCII)


@dataclass(frozen=True)
class Omission:
    """What the pillar does not have as the cluster has it.

    keys
        What is left out: the keys below ``fsha:pacemaker`` that lead to it.
    at
        The keys of the mistake; the same, or further down.
    reason
        The sentence of the pillar check about it.
    instead
        The value that the pillar has in its place.
    """

    keys: Keys
    at: Keys
    reason: str
    instead: str | None = None


def omit(section: dict[str, Any], check: Check) -> tuple[Omission, ...]:
    """Take out of a section ``fsha:pacemaker`` what a check refuses, until it refuses nothing.

    section
        The section; it is changed.
    check
        Returns the mistakes in it.
    """
    omissions: list[Omission] = []
    while faults := tuple(check(section)):
        for at, reason in faults:
            one = _omission(section, at, reason)
            if one is not None:
                omissions.append(one)
        _sweep(section)
    return tuple(omissions)


_GONE: Any = object()


def _omission(section: dict[str, Any], at: Keys, reason: str) -> Omission | None:
    """Take out what one mistake is about; ``None`` where something around it went before."""
    keys, missing = _existing(section, at)
    if given(section, *keys) is _GONE:
        return None
    score = None if missing else _as_read(section, keys)
    if score is not None:
        _put(section, keys, int(score) if score.lstrip("-").isdecimal() else score)
        return Omission(keys, at, reason, score)
    unit = _unit(keys, missing)
    _put(section, unit, _GONE)
    return Omission(unit, at, reason)


def _existing(section: Any, keys: Keys) -> tuple[Keys, bool]:
    """Return how far keys lead to something, and whether that is not all the way."""
    here = section
    for number, key in enumerate(keys):
        if here is _GONE:
            return keys[:number], False
        if isinstance(here, list) and isinstance(key, str):
            # Some checks do not tell in which of several sets a parameter stands.
            return _in_sets(here, keys[:number], key)
        inside = key in here if isinstance(here, dict) else _in_list(here, key)
        if not inside:
            return keys[:number], True
        here = here[key]
    return keys, False


def _in_list(here: Any, key: Key) -> bool:
    return isinstance(here, list) and isinstance(key, int) and key < len(here)


def _in_sets(sets: list[Any], keys: Keys, name: str) -> tuple[Keys, bool]:
    for number, item in enumerate(sets):
        if isinstance(item, dict) and name in item.get("values", ()):
            return (*keys, number, "values", name), False
    return keys, True


def _as_read(section: dict[str, Any], keys: Keys) -> str | None:
    """Return a score as the cluster reads it, if that is another one than stands there."""
    text = given(section, *keys)
    if keys[-1] not in _READ_AS_SCORES or not _is_value(keys) or not isinstance(text, str):
        return None
    number = _NUMBER.match(text)
    score = text if number is None else score_text(int(number.group(1)))
    return None if score == text else score


# --- what goes with a mistake --------------------------------------------------------------------


def _unit(keys: Keys, missing: bool) -> Keys:
    """Return the keys of the least that can be left out with what they lead to.

    missing
        Whether something is missing there, which what is around it can't do without.
    """
    top = _top(keys)
    if keys[-1] == "id-ref" and top == 2:
        # What it uses is part of what it is.
        return keys[:top]
    for number in range(len(keys), top, -1):
        unit = keys[:number]
        if _goes_alone(unit) and not (missing and isinstance(unit[-1], str)):
            return unit
    return keys[:top]


def _top(keys: Keys) -> int:
    """Return how many keys lead to an object."""
    return 1 if BY_KEY[str(keys[0])].one else 2


def _is_value(keys: Keys) -> bool:
    """Tell whether keys lead to one value of a set."""
    inner = keys[_top(keys) :]
    if _top(keys) == 1:
        return (len(inner) == 1 and isinstance(inner[0], str)) or inner[1:-1] == ("values",)
    return len(inner) > 1 and (inner[-2] in _SETS or inner[-2] == "values")


def _goes_alone(keys: Keys) -> bool:
    kind, last = str(keys[0]), keys[-1]
    if _is_value(keys):
        return True
    if isinstance(last, int):
        return len(keys) == 2 or keys[-2] in _LISTS
    if kind in _WHOLE:
        return last == "description"
    return last in (_IN_CONSTRAINTS if kind in _CONSTRAINTS else _ALONE)


# --- changing the data ---------------------------------------------------------------------------


def _put(section: dict[str, Any], keys: Keys, value: Any) -> None:
    holder: Any = section
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value


def _sweep(section: dict[str, Any]) -> None:
    """Remove what was marked as gone, and what is empty without it."""
    for key in list(section):
        swept = _swept(section[key])
        section[key] = swept
        if swept is _GONE or swept in ({}, []):
            del section[key]


def _swept(data: Any) -> Any:
    if isinstance(data, dict):
        inner = {key: _swept(value) for key, value in data.items()}
        left = {k: v for k, v in inner.items() if v is not _GONE}
        emptied = {k for k, v in left.items() if k in _LISTS and v in ({}, [])}
        return {k: v for k, v in left.items() if k not in emptied}
    if isinstance(data, list):
        items = [_swept(item) for item in data if item is not _GONE]
        return [item for item in items if item != {"values": {}}]
    return data
