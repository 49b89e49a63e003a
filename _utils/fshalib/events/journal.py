"""What happened to the pair, as this node told it: every event, one line of JSON each.

Salt's bus forgets. The journal is what ``fsha.history``, the age of the last drill and the report
are read from. It holds no secrets, since events hold none, and forgets its older half when it has
grown too large.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fshalib.errors import ArgumentError, FshaError
from fshalib.events import event as events_event

log = logging.getLogger(__name__)

PATH = "/var/lib/fsha/journal.jsonl"
OPTION = "fsha.journal"
"""The minion's option that names another file."""
LARGEST = 1 << 20
MODE = 0o600

UNPLANNED = "unplanned"
"""Verb and phase of a move that nobody ordered."""

VERBS = (
    "drill", "failback", UNPLANNED, "standby", "online", "maintenance", "drain", "undrain",
)  # fmt: skip
"""What an event of a kind tells of, beside the kinds: a drill is a switchover of its own."""

Entry = dict[str, Any]


class JournalError(FshaError):
    """The journal can't be read or written; the text says why."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"the journal {path}: {reason}")


def place(opts: Mapping[str, Any]) -> Path:
    """Return where a minion's journal is."""
    return Path(opts.get(OPTION, PATH))


def firing(fire: events_event.Fire, opts: Mapping[str, Any]) -> events_event.Fire:
    """Return what sends an event to Salt's bus and keeps it in the journal.

    fire
        Who carries it, ``__salt__["event.send"]``.
    opts
        The minion's options.
    """

    def send(tag: str, event: dict[str, Any]) -> object:
        keep(opts, event)
        return fire(tag, event)

    return send


def keep(opts: Mapping[str, Any], event: Mapping[str, Any], at: datetime | None = None) -> None:
    """Keep an event.

    at
        When it happened; without it, now.

    A journal that can't be written is no reason to stop anything: that goes to the log.
    """
    try:
        append(place(opts), entry(event, at))
    except JournalError as error:
        log.warning("an event is not kept: %s", error)


def entry(event: Mapping[str, Any], now: datetime | None = None) -> Entry:
    """Return the line that an event makes: ``at``, ``kind``, ``subject``, ``node``, ``data``."""
    at = now or datetime.now(timezone.utc)
    return {
        "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "kind": event["kind"],
        "subject": event["subject"],
        "node": event["minion"],
        "test": event["test"],
        "data": event["data"],
    }


def append(path: Path, line: Entry) -> None:
    """Add a line, whole or not at all.

    Raises :class:`JournalError`.
    """
    text = json.dumps(line, separators=(",", ":"), default=str) + "\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path) as handle:
            if os.fstat(handle).st_size > LARGEST:
                _forget_half(path, handle)
            # A line that a power cut has torn must not take this one with it.
            torn = not _ends_a_line(handle)
            os.write(handle, ("\n" * torn + text).encode("utf-8"))
    except OSError as error:
        raise JournalError(path, error.strerror or str(error)) from error


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _ends_a_line(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def _forget_half(path: Path, handle: int) -> None:
    # In place, for others wait for the lock on this very file.
    lines = path.read_bytes().splitlines(keepends=True)
    os.ftruncate(handle, 0)
    os.write(handle, b"".join(lines[len(lines) // 2 :]))


def read(path: Path, kinds: Iterable[str] = events_event.KINDS, limit: int = 0) -> list[Entry]:
    """Return the entries of some kinds, oldest first; of many, the last ones.

    kinds
        Which events.
    limit
        How many at most; 0 for all.

    A line that is cut short by a power cut is left out. Raises :class:`JournalError`.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(path, error.strerror or str(error)) from error
    wanted = frozenset(kinds)
    found = [line for line in map(_parsed, text.splitlines()) if line.get("kind") in wanted]
    return found[-limit:] if limit else found


def newest(path: Path, limit: object, kind: object = None) -> list[Entry]:
    """Return the last entries, newest first, as somebody asks for them.

    limit
        How many at most.
    kind
        One kind of event only, or one of :data:`VERBS`: what was done; ``None`` for all.

    Raises :class:`errors.ArgumentError` and :class:`JournalError`.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ArgumentError(f"limit: a whole number from 1 is expected, not {limit!r}")
    if kind is None or kind in events_event.KINDS:
        kinds = events_event.KINDS if kind is None else (str(kind),)
        return read(path, kinds, limit)[::-1]
    if kind not in VERBS:
        known = ", ".join((*events_event.KINDS, *VERBS))
        raise ArgumentError(f"kind: one of {known} is expected, not {kind!r}")
    done = [line for line in read(path) if line["data"].get("verb") == kind]
    return done[-limit:][::-1]


def _parsed(line: str) -> Entry:
    try:
        data = json.loads(line)
    except ValueError:
        return {}
    return data if isinstance(data, dict) and isinstance(data.get("data"), dict) else {}


# --- switchovers --------------------------------------------------------------------------------


def switchovers(entries: Iterable[Entry]) -> list[Entry]:
    """Return how each switchover and failover ended: its data, with ``at``, ``node`` and ``ok``."""
    ends = {"finished": True, "failed": False, UNPLANNED: True}
    found = [
        {"at": e["at"], "node": e["node"], "ok": ends[e["data"]["phase"]], **e["data"]}
        for e in entries
        if e["kind"] == events_event.FAILOVER and e["data"].get("phase") in ends
    ]
    # What was noticed late stands late in the journal.
    return sorted(found, key=lambda one: str(one["at"]))


def last_drill(entries: Iterable[Entry]) -> Entry | None:
    """Return the way back of the last drill that went well, ``None`` if there is none."""
    found = [e for e in switchovers(entries) if e["ok"] and e.get("verb") == "drill"]
    drills = [e for e in found if e.get("way") == "back"]
    return drills[-1] if drills else None
