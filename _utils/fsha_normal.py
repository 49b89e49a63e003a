"""The normal form: what two spellings of one configuration object have in common.

Two objects are the same when their normal forms are equal, whatever the order of unordered
things, the spelling of scores (``inf``), durations (``2``, ``2s``, ``2000ms``), booleans
(``yes``) and roles (``Master``). A normal form is a plain dictionary, so that it can be
shown, compared and sent as it is.

Facts: Pacemaker Explained (scores, rules, operations) and
``crm_str_to_boolean``/``pcmk__parse_interval_spec`` in Pacemaker 2.1.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fsha_model import (
    Expression,
    Group,
    Location,
    Object,
    Primitive,
    Properties,
    ResourceDefaults,
    Rule,
)
from fsha_options import PROPERTY_ALIASES, SERVER_WRITTEN
from fsha_units import UnitError, duration_text, parse_boolean, parse_duration, parse_score

Normal = dict[str, Any]

ROLE_ALIASES = {"master": "Promoted", "slave": "Unpromoted"}

SCORES = frozenset({"resource-stickiness", "migration-threshold", "score", "priority"})
DURATIONS = frozenset(
    {
        "interval",
        "timeout",
        "start-delay",
        "failure-timeout",
        "cluster-recheck-interval",
        "dc-deadtime",
        "election-timeout",
        "stonith-timeout",
        "join-finalization-timeout",
        "join-integration-timeout",
        "shutdown-escalation",
        "shutdown-lock-limit",
        "transition-delay",
        "cluster-delay",
        "priority-fencing-delay",
        "node-pending-timeout",
    }
)
BOOLEANS = frozenset(
    {
        "enabled",
        "record-pending",
        "is-managed",
        "maintenance",
        "allow-migrate",
        "critical",
        "symmetric-cluster",
        "maintenance-mode",
        "stonith-enabled",
        "concurrent-fencing",
        "startup-fencing",
        "start-failure-is-fatal",
        "stop-all-resources",
        "stop-orphan-resources",
        "stop-orphan-actions",
        "enable-acl",
        "enable-startup-probes",
        "shutdown-lock",
    }
)


def value(name: str, text: str) -> str:
    """Return the canonical spelling of an option's value; unknown options keep theirs.

    A value that does not parse is returned as it stands: it differs from every good one,
    which is what a comparison needs to know.
    """
    for names, canonical in _CANONICAL:
        if name in names:
            try:
                return canonical(text)
            except UnitError:
                return text
    if name == "role" or name == "target-role":
        return ROLE_ALIASES.get(text.lower(), text.capitalize())
    return text


def _duration(text: str) -> str:
    return duration_text(parse_duration(text))


def _boolean(text: str) -> str:
    return "true" if parse_boolean(text) else "false"


_CANONICAL: tuple[tuple[frozenset[str], Callable[[str], str]], ...] = (
    (SCORES, parse_score),
    (DURATIONS, _duration),
    (BOOLEANS, _boolean),
)


def values(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return name-value pairs in canonical spelling, sorted by name."""
    return {name: value(name, pairs[name]) for name in sorted(pairs)}


def property_name(name: str) -> str:
    """Return a cluster option's best-known name (``fencing-enabled`` → ``stonith-enabled``)."""
    return PROPERTY_ALIASES.get(name, name)


def properties(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return cluster options in normal form, without those the cluster writes itself."""
    renamed = {property_name(n): v for n, v in pairs.items() if n not in SERVER_WRITTEN}
    return values(renamed)


def operation_key(name: str, interval: str) -> str:
    """Return what identifies an operation: its name and its interval, ``monitor 2s``."""
    return f"{name} {value('interval', interval)}"


def _primitive(item: Primitive) -> Normal:
    return {
        "agent": str(item.agent),
        "params": dict(sorted(item.params.items())),
        "meta": values(item.meta),
        "operations": {
            operation_key(op.name, op.interval): values(op.attributes)
            for op in sorted(item.operations, key=lambda op: operation_key(op.name, op.interval))
        },
    }


def _group(item: Group) -> Normal:
    return {"members": list(item.members), "meta": values(item.meta)}


def _expression(item: Expression) -> str:
    # crm_resource spells out that names are compared as text, which is the default.
    spelt_out = item.operation in ("eq", "ne") and item.type == "string"
    parts = [item.attribute, item.operation, item.value, None if spelt_out else item.type]
    return " ".join(part for part in parts if part is not None)


def rule(item: Rule) -> Normal:
    """Return a rule in normal form: ids do not count, the order of expressions neither."""
    form: Normal = {
        "score": value("score", item.score),
        "expressions": sorted(_expression(e) for e in item.expressions),
    }
    if len(item.expressions) > 1:
        form["boolean-op"] = item.boolean_op.lower()
    if item.other:
        form["other"] = dict(sorted(item.other.items()))
    return form


def _location(item: Location) -> Normal:
    form: Normal = {"resource": item.resource}
    if item.rules:
        form["rules"] = sorted((rule(r) for r in item.rules), key=repr)
    else:
        form["node"] = item.node
        form["score"] = value("score", item.score or "0")
    if item.other:
        form["other"] = dict(sorted(item.other.items()))
    return form


def _properties(item: Properties) -> Normal:
    return {"values": properties(item.values)}


def _resource_defaults(item: ResourceDefaults) -> Normal:
    return {"values": values(item.values)}


_FORMS: dict[type, Callable[[Any], Normal]] = {
    Primitive: _primitive,
    Group: _group,
    Location: _location,
    Properties: _properties,
    ResourceDefaults: _resource_defaults,
}


def normal(item: Object | None) -> Normal | None:
    """Return an object's normal form; ``None`` for an object that is not there."""
    return None if item is None else _FORMS[type(item)](item)


def changes(old: Normal | None, new: Normal | None, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return what differs between two normal forms, as Salt shows changes.

    Keys are paths (``params:nic``), values ``{"old": …, "new": …}``. A whole object that
    comes or goes has the one path ``""`` turned into ``object``.
    """
    if old is None or new is None:
        return {} if old == new else {prefix or "object": {"old": old, "new": new}}
    found: dict[str, dict[str, Any]] = {}
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        path = f"{prefix}:{key}" if prefix else key
        if isinstance(before, dict) and isinstance(after, dict):
            found.update(changes(before, after, path))
        elif before != after:
            found[path] = {"old": before, "new": after}
    return found


_SECRET_NAME = re.compile(
    r"passw|pass$|secret|credential|community|(^|auth|api|access|private)[_-]?key$|token$",
    re.IGNORECASE,
)
SECRET = "(secret)"  # noqa: S105  the word that stands for one


def masked(data: Any) -> Any:
    """Return data for people and events, with the values of secret-looking names hidden.

    Fencing agents take passwords as parameters; what comes from here may be logged.
    """
    if isinstance(data, Mapping):
        return {name: _masked_pair(str(name), held) for name, held in data.items()}
    if isinstance(data, (list, tuple)):
        return [masked(item) for item in data]
    return data


def _masked_pair(name: str, held: Any) -> Any:
    if not _SECRET_NAME.search(name.rsplit(":", 1)[-1]):
        return masked(held)
    if isinstance(held, Mapping):
        return {part: None if text is None else SECRET for part, text in held.items()}
    return None if held is None else SECRET
