"""Operator actions as lines and as data; when the configuration was last changed."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from fshalib.cib.document import Element
from fshalib.schema.report import printable
from fshalib.switchover.operator_action import FAIL_COUNT, OperatorAction

_LONGEST_LINE = 500


@dataclass(frozen=True)
class LastChange:
    """Who last changed the CIB's configuration, and when; ``""`` or ``None`` if it isn't told."""

    when: str | None
    user: str
    client: str
    origin: str


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# As ctime(3) writes it, in every locale: Thu Aug 20 12:11:28 2026.
_WRITTEN = re.compile(
    r"[A-Z][a-z]{2} +([A-Z][a-z]{2}) +([0-9]{1,2}) +([0-9]{2}):([0-9]{2}):([0-9]{2}) +([0-9]{4})"
)
_ISO = "%Y-%m-%dT%H:%M:%SZ"


def utc(seconds: float) -> str | None:
    """Return a time as ISO 8601 in UTC; ``None`` for none, and for one that cannot be."""
    try:
        told = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    # Not by strftime, which leaves out the zeros of early years.
    return told.replace(tzinfo=None).isoformat(timespec="seconds") + "Z" if seconds else None


def last_change(root: Element) -> LastChange:
    """Return who last changed the CIB's configuration, and when, as the CIB itself says.

    The time is that of the clock, and taken to be in the time zone, of this machine.
    """
    return LastChange(
        when=_written(root.get("cib-last-written", "")),
        user=root.get("update-user", ""),
        client=root.get("update-client", ""),
        origin=root.get("update-origin", ""),
    )


def _written(text: str) -> str | None:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or match[1] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(match[group]) for group in range(2, 7))
    try:
        local = datetime(year, _MONTHS.index(match[1]) + 1, day, hour, minute, min(second, 59))
        return utc(local.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def age(seconds: float) -> str:
    """Return a span of time in its two largest units, ``2 h 5 min``."""
    whole = int(seconds)
    for size, unit, part_size, part_unit in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
    ):
        if whole >= size:
            part = whole % size // part_size
            return f"{whole // size} {unit}" + (f" {part} {part_unit}" if part else "")
    return f"{whole // 60} min" if whole >= 60 else f"{whole} s"


def _ago(when: str, now: datetime) -> str:
    """Return a time for people; one that is still to come shows that a clock is wrong."""
    seconds = (now - datetime.strptime(when, _ISO).replace(tzinfo=timezone.utc)).total_seconds()
    return f"{age(seconds)} ago ({when})" if seconds >= 0 else f"at {when}, which is still to come"


def as_lines(found: Sequence[OperatorAction], last: LastChange | None, now: datetime) -> list[str]:
    """Return a line for each action, and one on the CIB's last change; none without actions.

    now
        The time, with its time zone.
    """
    if not found:
        return []
    lines = [_line(action, now) for action in found]
    return lines if last is None else [*lines, *_last_line(last, now)]


def _line(action: OperatorAction, now: datetime) -> str:
    shown = f"{action.subject}: {action.what}"
    if action.kind == FAIL_COUNT and action.since is not None:
        shown += f", last failure {_ago(action.since, now)}"
    elif action.by:
        shown += f", by {action.by} {_ago(action.since or '', now)}: {action.reason}"
    if action.until is not None:
        over = "OVERDUE, it was to end" if action.is_overdue(now) else "until"
        shown += f" ({over} {action.until})"
    return printable(f"{shown}. To lift it: {action.hint}", _LONGEST_LINE)


def _last_line(last: LastChange, now: datetime) -> list[str]:
    parts = [_ago(last.when, now)] if last.when else []
    told = (("by", last.user), ("with", last.client), ("on", last.origin))
    parts += [f"{word} {name}" for word, name in told if name]
    line = f"last change of the CIB, which need not be one of these: {' '.join(parts)}"
    return [printable(line, _LONGEST_LINE)] if parts else []


def overdue(found: Sequence[OperatorAction], now: datetime) -> list[str]:
    """Return a line for each action that was to have been lifted by now."""
    return [_line(action, now) for action in found if action.is_overdue(now)]


def as_data(found: Sequence[OperatorAction], last: LastChange | None = None) -> dict[str, Any]:
    """Return the same as plain data for Salt's returns and events."""
    return {
        "actions": [asdict(action) for action in found],
        "last_change": None if last is None else asdict(last),
    }
