"""The normal form of an object: the same for all spellings of it.

Two objects are the same if their normal forms are equal. The order of unordered things and the
spelling of scores (``inf``), durations (``2``, ``2s``, ``2000ms``), booleans (``yes``) and roles
(``Master``) do not count. A normal form is a plain dictionary that can be shown, compared and
sent.

Facts: Pacemaker Explained (scores, rules, operations) and
``crm_str_to_boolean``/``pcmk__parse_interval_spec`` in Pacemaker 2.1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fshalib.cib.options import PROPERTY_ALIASES
from fshalib.cib.values import (
    SCORE_EXPECTED,
    UnitError,
    duration_text,
    parse_boolean,
    parse_duration,
    read_score,
    score_text,
)

Normal = dict[str, Any]

ROLE_ALIASES = {"master": "Promoted", "slave": "Unpromoted"}
ROLES = frozenset({"role", "target-role", "rsc-role", "with-rsc-role"})

ALIASES: Mapping[str, str] = {
    **PROPERTY_ALIASES,
    "master-max": "promoted-max",
    "master-node-max": "promoted-node-max",
}
"""Other names of options, each with the name that the comparison uses."""

SCORES = frozenset(
    {
        "resource-stickiness", "migration-threshold", "score", "priority",
        "node-health-base", "node-health-green", "node-health-yellow", "node-health-red",
        "stonith-max-attempts",
    }
)  # fmt: skip
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
        "remote-connect-timeout",
        "stonith-watchdog-timeout",
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
        "fence-remote-without-quorum",
        "allow-unhealthy-nodes",
        "remote-allow-migrate",
        "promotable",
        "globally-unique",
        "interleave",
        "notify",
        "symmetrical",
        "sequential",
        "require-all",
        "influence",
        "add-host",
    }
)


def value(name: str, text: str) -> str:
    """Return the canonical spelling of an option's value; unknown options keep theirs.

    A value that does not parse is returned unchanged; so it differs from every good one.
    """
    for names, canonical in _CANONICAL:
        if name in names:
            try:
                return canonical(text)
            except UnitError:
                return text
    if name == "stonith-action":
        return "off" if text == "poweroff" else text
    if name in ROLES:
        return ROLE_ALIASES.get(text.lower(), text.capitalize())
    return text


def _duration(text: str) -> str:
    return duration_text(parse_duration(text))


def _score(text: str) -> str:
    """Return a score as Pacemaker reads it.

    Lower-case ``inf`` is 0 to it, without a word (2.1.5). So it stays as it is here, and differs
    from every good score.
    """
    number = read_score(text)
    if number is None:
        raise UnitError(text, SCORE_EXPECTED)
    return score_text(number)


def _boolean(text: str) -> str:
    return "true" if parse_boolean(text) else "false"


_CANONICAL: tuple[tuple[frozenset[str], Callable[[str], str]], ...] = (
    (SCORES, _score),
    (DURATIONS, _duration),
    (BOOLEANS, _boolean),
)


def option_name(name: str) -> str:
    """Return an option's best-known name: ``fencing-enabled`` is ``stonith-enabled``."""
    return ALIASES.get(name, name)


def values(pairs: Mapping[str, str]) -> dict[str, str]:
    """Return options under their best-known names in canonical spelling, sorted by name."""
    renamed = {option_name(name): text for name, text in pairs.items()}
    return {name: value(name, renamed[name]) for name in sorted(renamed)}


def changes(old: Normal | None, new: Normal | None, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return the differences between two normal forms, as Salt shows changes.

    Keys are paths (``params:nic``), values ``{"old": …, "new": …}``. A whole object that
    comes or goes has the one path ``""`` turned into ``object``.
    """
    if old is None or new is None:
        return {} if old == new else {prefix or "object": {"old": old, "new": new}}
    changed: dict[str, dict[str, Any]] = {}
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        path = f"{prefix}:{key}" if prefix else key
        # Parameters that come or go are listed one by one, also the first and the last.
        inner = {} if before == after else _inner(before, after, path, deep=bool(prefix))
        if inner:
            changed.update(inner)
        elif before != after:
            changed[path] = {"old": before, "new": after}
    return changed


def _inner(before: Any, after: Any, path: str, deep: bool) -> dict[str, dict[str, Any]]:
    """Return the changes within two mappings, one of which may be missing at the top."""
    if not deep:
        before = {} if before is None else before
        after = {} if after is None else after
    both = isinstance(before, dict) and isinstance(after, dict)
    return changes(before, after, path) if both else {}


def shown(delta: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the changes of one object as one line for people: ``params:nic eth1 → eth0``."""
    texts = []
    for path, change in delta.items():
        if path == "object":
            texts.append("removed" if change["new"] is None else "new")
        else:
            texts.append(f"{path} {_text(change['old'])} → {_text(change['new'])}")
    return ", ".join(texts)


def _text(value: Any) -> str:
    return "(none)" if value is None else str(value)
