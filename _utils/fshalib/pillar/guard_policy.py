"""The operator's limits for a change: the pillar's ``fsha:guard`` as data.

These are a ceiling of calls, a window of time, and an override for one run. ``change.guard``
enforces them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fshalib.errors import ValueTextError
from fshalib.schema.report import printable, show

PATH = "fsha:guard"
ANY = "any"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MINUTE = timedelta(minutes=1)
_HOUR = 60
_DAY = 24 * _HOUR
# A weekly window is missed once when the clock skips it, never twice in a row.
_SEARCH = 15 * _DAY
_TIME = re.compile(r"([0-9]{1,2}):([0-5][0-9])", re.ASCII)


class PolicyError(ValueTextError):
    """A value of the policy can't be used; ``path`` is its key in the pillar."""

    def __init__(self, key: str, expected: str, value: object) -> None:
        self.key = key
        self.path = f"{PATH}:{key}"
        self.expected = expected
        self.value = value
        self.message = f"{expected} is expected, not {show(value)}."
        super().__init__(f"{self.path}: {self.message}")


# --- the window ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """The local times in which the voice service may be interrupted.

    days
        The days on which it begins; Monday is 0.
    start, end
        Minutes after midnight. An end that does not come after the start is on the next day.
    zone
        The time zone; ``None`` is the host's.

    When clocks are set back, an hour comes twice: both belong to the window, or neither.
    """

    days: frozenset[int] = frozenset(range(len(DAYS)))
    start: int = 0
    end: int = _DAY
    zone: ZoneInfo | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether a moment lies in the window; its end does not."""
        local = now.astimezone(self.zone)
        day, minute = local.weekday(), local.hour * _HOUR + local.minute
        if self.start < self.end:
            return day in self.days and self.start <= minute < self.end
        began_today = day in self.days and minute >= self.start
        return began_today or ((day - 1) % len(DAYS) in self.days and minute < self.end)

    def opens(self, now: datetime) -> datetime:
        """Return the first full minute after a moment that lies in the window."""
        minute = now.astimezone(timezone.utc).replace(second=0, microsecond=0)
        coming = (minute + n * _MINUTE for n in range(1, _SEARCH))
        return next(moment.astimezone(self.zone) for moment in coming if self.holds(moment))

    def opening(self, now: datetime) -> str:
        """Return when it opens next, for people: ``Sat 2026-11-28 02:00 Europe/Berlin``."""
        moment = self.opens(now)
        # Not %a: it speaks the host's language.
        return f"{DAYS[moment.weekday()].capitalize()} {moment:%Y-%m-%d %H:%M} {self._whose}"

    @property
    def _whose(self) -> str:
        return self.zone.key if self.zone else "local time"

    def __str__(self) -> str:
        """Return the window for people: ``sat, sun 02:00-05:00 Europe/Berlin``."""
        every = len(self.days) == len(DAYS)
        days = "every day" if every else ", ".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {_clock(self.start)}-{_clock(self.end)} {self._whose}"


def _clock(minutes: int) -> str:
    return f"{minutes // _HOUR:02}:{minutes % _HOUR:02}"


# --- the policy ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """The operator's limits.

    calls
        The number of call legs that a change may interrupt; ``None`` is any number.
    allow_unknown
        Whether a change may interrupt calls that can't be counted.
    window
        When the running voice service may be interrupted at all; ``None`` is always.
    override
        Whether everything is allowed, for this one run.
    """

    calls: int | None = 0
    allow_unknown: bool = False
    window: Window | None = None
    override: bool = False


def policy(data: Mapping[str, Any]) -> Policy:
    """Return the policy from the section ``fsha:guard``; every key may be missing.

    Raises :class:`PolicyError` for a time zone that this host does not know, and for a window
    without length. A guard from the arguments of a state or verb is not checked before: an unknown
    key raises the error too, and so cannot open the guard.
    """
    _only(data, ("calls", "unknown", "window", "override"), "")
    window = data.get("window")
    return Policy(
        calls=_ceiling(data.get("calls", 0)),
        allow_unknown=data.get("unknown") == "allow",
        window=None if window is None else _window(window),
        # Nothing but a plain true opens the guard.
        override=data.get("override") is True,
    )


def _ceiling(value: object) -> int | None:
    if value == ANY:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise PolicyError("calls", f"a whole number from 0 on or the word {ANY}", value)
    return value


def _only(data: object, keys: Sequence[str], at: str) -> None:
    if not isinstance(data, Mapping):
        raise PolicyError(at.rstrip(":"), "a mapping", data)
    for key in data:
        if key not in keys:
            raise PolicyError(f"{at}{printable(str(key))}", f"one of {', '.join(keys)}", key)


def _window(data: Mapping[str, Any]) -> Window:
    _only(data, ("days", "from", "to", "timezone"), "window:")
    start = parse_time(data.get("from", "00:00"), "window:from")
    end = parse_time(data.get("to", "24:00"), "window:to")
    if start in (end, _DAY):
        expected = "a time after that of from (a whole day is 00:00 to 24:00)"
        raise PolicyError("window:to", expected, data.get("to", "24:00"))
    return Window(_days(data.get("days", DAYS)), start, end, _zone(data.get("timezone")))


def parse_time(value: object, key: str = "window") -> int:
    """Return a time of day in minutes after midnight.

    value
        ``"02:00"``, up to ``"24:00"``. A number is taken as it is: YAML reads a bare
        ``22:00`` as 22 x 60.
    key
        Its key below ``fsha:guard``, for the message.

    Raises :class:`PolicyError`.
    """
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * _HOUR + int(match[2]) if match else value
    if isinstance(minutes, int) and not isinstance(minutes, bool) and 0 <= minutes <= _DAY:
        return minutes
    raise PolicyError(key, 'a time of day in quotes, such as "02:00",', value)


def _days(words: Sequence[str]) -> frozenset[int]:
    if not isinstance(words, (list, tuple, set, frozenset)):
        raise PolicyError("window:days", f"a list of {', '.join(DAYS)}", words)
    wrong = [word for word in words if word not in DAYS]
    if wrong or not words:
        raise PolicyError("window:days", f"some of {', '.join(DAYS)}", wrong[0] if wrong else words)
    return frozenset(DAYS.index(word) for word in words)


def _zone(name: object) -> ZoneInfo | None:
    """Return a time zone by name; ``None`` (the host's own) without a name."""
    if name is None:
        return None
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        expected = "the name of a time zone that this host knows, such as Europe/Berlin,"
        raise PolicyError("window:timezone", expected, name) from error
