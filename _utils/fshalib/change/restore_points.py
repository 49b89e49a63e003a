"""Numbered restore points: the CIB as it was before each commit, kept on this node.

A point is one file, ``00000042.json``, with the notes first and the CIB's text last; so it
is there as a whole or not at all, and ``jq -r .cib`` gets the CIB out without Salt. Only
root can read it, for a CIB holds secrets. Whoever writes holds the lock of the file
``.last``, which keeps the last number that was given: none is given twice, even after the
newest point was removed by hand. Readers need no lock.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fshalib.change.guard import Way
from fshalib.errors import HistoryError as HistoryError
from fshalib.system import files, poll

COMMIT = "commit"
RESTORE = "restore"

KEEP = 20
LAST = ".last"
PATIENCE = 10.0
"""Seconds to wait for another process that is writing."""

_LOOK_EVERY = 0.02
_LONGEST_NUMBER = 32
_POINT = re.compile(r"([0-9]{8,32})\.json")
# What a process that was killed while it wrote has left (see fshalib.system.files.replace).
_TORN = re.compile(r"\.[0-9]{8,32}\.json\..+")


class NoSuchPoint(HistoryError):
    """There is no restore point of this number; ``existing`` are those that there are."""

    def __init__(self, number: int, existing: Sequence[int]) -> None:
        self.number, self.existing = number, tuple(existing)
        known = ", ".join(str(n) for n in self.existing) or "none"
        super().__init__(
            f"There is no restore point {number} on this node (there are: {known}). Each node "
            "counts its own: the one that has committed the change has it (pacemaker.history)."
        )


class PointUnreadable(HistoryError):
    """The file of a restore point is torn, or something else."""

    def __init__(self, number: int, reason: str) -> None:
        self.number, self.reason = number, reason
        super().__init__(f"Restore point {number} can't be read: {reason}. Take another one.")


class HistoryUnreadable(HistoryError):
    """The directory of the restore points cannot be read."""

    def __init__(self, directory: Path, reason: str) -> None:
        self.directory, self.reason = directory, reason
        super().__init__(f"The restore points in {directory} can't be read: {reason}.")


class HistoryUnwritable(HistoryError):
    """No restore point can be written: the disk is full, or somebody else is writing."""

    def __init__(self, directory: Path, reason: str) -> None:
        self.directory, self.reason = directory, reason
        super().__init__(
            f"No restore point can be written to {directory}: {reason}. "
            "Those that are there stay as they are."
        )


@dataclass(frozen=True)
class Note:
    """What is known of a commit: with its restore point it tells what was done, and by whom.

    when
        ISO 8601 in UTC, ``2026-08-20T12:11:28Z``.
    node, transaction, version
        Where it was committed, by which transaction, and the CIB's version before it.
    kind
        :data:`COMMIT` or :data:`RESTORE`.
    author, reason
        Who wanted it (a minion's id), and why.
    summary
        What it changes, in lines for people; whoever writes it has masked its secrets.
    committed
        The CIB's version after it; ``""`` until :func:`complete` has said it.
    """

    when: str
    node: str
    transaction: str
    version: str
    kind: str = COMMIT
    author: str = ""
    reason: str = ""
    summary: tuple[str, ...] = ()
    committed: str = ""


@dataclass(frozen=True)
class Point:
    """A restore point, without its CIB."""

    number: int
    note: Note


def way(number: int) -> Way:
    """Return how a restore is made, for the guard's advice; ``number`` is the point's."""
    return Way(
        elsewhere="take a restore point of {0}, which counts its own (pacemaker.history on {0})",
        override=f"salt-call pacemaker.restore {number} override=True",
        together="",
    )


# --- reading -------------------------------------------------------------------------------


def points(directory: Path) -> tuple[Point, ...]:
    """Return the restore points, newest first; files that are torn or foreign are left out.

    Raises :class:`HistoryUnreadable`.
    """
    found = []
    for number in _numbers(directory):
        # One may be pruned, by another process, between the listing and the reading.
        with contextlib.suppress(NoSuchPoint, PointUnreadable):
            found.append(read(directory, number)[1])
    return tuple(found)


def read(directory: Path, number: int) -> tuple[str, Point]:
    """Return the CIB of a restore point as text, and the point.

    Raises :class:`NoSuchPoint`, :class:`PointUnreadable`, :class:`HistoryUnreadable`.
    """
    try:
        content = _content(_path(directory, number))
    except (FileNotFoundError, NotADirectoryError):
        raise NoSuchPoint(number, _numbers(directory)) from None
    except OSError as error:
        raise PointUnreadable(number, _why(error)) from error
    return _parsed(number, content)


def _content(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        # Reading from a pipe would wait for ever.
        raise OSError(f"{path} is no regular file")
    return path.read_bytes()


def _parsed(number: int, content: bytes) -> tuple[str, Point]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        # Without its cause, which carries the whole text, secrets and all.
        raise PointUnreadable(number, f"it is torn or no JSON ({error})") from None
    cib = data.get("cib") if isinstance(data, dict) else None
    if not isinstance(cib, str):
        raise PointUnreadable(number, "there is no CIB in it")
    note = data.get("note")
    if not isinstance(note, dict) or not _well_typed(note):
        raise PointUnreadable(number, "its notes are not as expected")
    return cib, Point(number, _note(note))


_TEXTS = tuple(field.name for field in dataclasses.fields(Note) if field.name != "summary")


def _well_typed(data: Mapping[str, Any]) -> bool:
    lines = data.get("summary", [])
    texts = [data.get(name, "") for name in _TEXTS]
    return isinstance(lines, list) and all(isinstance(text, str) for text in [*texts, *lines])


def _note(data: Mapping[str, Any]) -> Note:
    # What another version of fsha has left out is empty; what it has added is not looked at.
    texts = {name: data.get(name, "") for name in _TEXTS}
    return Note(**texts, summary=tuple(data.get("summary", ())))


def _numbers(directory: Path) -> tuple[int, ...]:
    """Return the numbers of all points, newest first, readable or not."""
    try:
        names = [entry.name for entry in directory.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise HistoryUnreadable(directory, _why(error)) from error
    matches = [match for name in names if (match := _POINT.fullmatch(name))]
    found = {int(match[1]) for match in matches if match[0] == _name(int(match[1]))}
    return tuple(sorted(found, reverse=True))


def _name(number: int) -> str:
    return f"{number:08d}.json"


def _path(directory: Path, number: int) -> Path:
    return directory / _name(number)


def _why(error: OSError) -> str:
    return error.strerror or str(error)


# --- writing -------------------------------------------------------------------------------


def save(directory: Path, cib: str, note: Note, keep: int = KEEP) -> int:
    """Store the CIB as it is now, prune, and return the new point's number.

    directory
        Made (0700) where it is missing.
    cib
        The text of the CIB, kept to the last character.
    keep
        So many points stay, the newest, which is always one of them.

    Raises :class:`HistoryUnwritable`; the points that were there are then untouched.
    """
    with _writing(directory) as last:
        number = _next_number(directory, last)
        _write(directory, number, cib, note)
        # A point too many is no reason to say that this one was not written.
        with contextlib.suppress(OSError, HistoryUnreadable):
            _prune(directory, keep)
    return number


def complete(directory: Path, number: int, committed: str) -> Point:
    """Note the version that the CIB had after the commit, and return the point.

    Raises :class:`NoSuchPoint`, :class:`PointUnreadable`, :class:`HistoryUnwritable`.
    """
    read(directory, number)
    with _writing(directory):
        cib, point = read(directory, number)
        note = dataclasses.replace(point.note, committed=committed)
        _write(directory, number, cib, note)
    return Point(number, note)


def discard(directory: Path, number: int) -> None:
    """Remove a point whose commit did not happen; its number is not given again.

    Raises :class:`HistoryUnwritable`.
    """
    with _writing(directory):
        _path(directory, number).unlink(missing_ok=True)


def prune(directory: Path, keep: int = KEEP) -> tuple[int, ...]:
    """Remove all but the newest points, and what killed processes have left; return which.

    Raises :class:`HistoryUnwritable`.
    """
    if not directory.exists():
        return ()
    with _writing(directory):
        return _prune(directory, keep)


def _prune(directory: Path, keep: int) -> tuple[int, ...]:
    numbers = _numbers(directory)
    surplus = len(numbers) - max(keep, 1)
    # Those of commits that have not come to their end go first: they may all hold the same CIB.
    oldest = sorted(numbers[1:], key=lambda number: (_is_complete(directory, number), number))
    gone = tuple(sorted(oldest[: max(surplus, 0)], reverse=True))
    for number in reversed(gone):
        _path(directory, number).unlink(missing_ok=True)
    for entry in directory.iterdir():
        if _TORN.fullmatch(entry.name) and entry.is_file():
            entry.unlink(missing_ok=True)
    return gone


def _is_complete(directory: Path, number: int) -> bool:
    """Tell whether a point's commit came to its end; of one that can't be read, it did not."""
    try:
        return bool(read(directory, number)[1].note.committed)
    except (NoSuchPoint, PointUnreadable):
        return False


def _write(directory: Path, number: int, cib: str, note: Note) -> None:
    data = {"note": dataclasses.asdict(note), "cib": cib}
    files.replace(_path(directory, number), json.dumps(data, indent=1).encode("ascii"), 0o600)


@contextlib.contextmanager
def _writing(directory: Path) -> Iterator[int]:
    """Hold the lock, whose open file is given; an error of the disk becomes one of ours."""
    try:
        with _locked(directory) as last:
            yield last
    except OSError as error:
        raise HistoryUnwritable(directory, _why(error)) from error
    except HistoryUnreadable as error:
        raise HistoryUnwritable(directory, error.reason) from error


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[int]:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    last = os.open(directory / LAST, flags, 0o600)
    try:
        _take(last)
        yield last
    finally:
        # Said aloud: a child that was forked meanwhile would hold the lock on.
        fcntl.flock(last, fcntl.LOCK_UN)
        os.close(last)


def _take(last: int) -> None:
    """Wait for the lock, bounded: a commit must not hang on a process that does."""
    what = "the lock of the restore points"
    if not poll.until(lambda: _taken(last), bool, PATIENCE, what, _LOOK_EVERY):
        raise TimeoutError(f"another process has been writing for {PATIENCE:g} s")


def _taken(last: int) -> bool:
    try:
        fcntl.flock(last, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _next_number(directory: Path, last: int) -> int:
    """Give the next number and note it; a note that makes no sense counts for nothing."""
    noted = os.pread(last, _LONGEST_NUMBER, 0).strip()
    given = int(noted) if noted.isdigit() else 0
    number = max([given, *_numbers(directory)]) + 1
    text = f"{number:08d}".encode("ascii")
    os.pwrite(last, text, 0)
    os.ftruncate(last, len(text))
    os.fsync(last)
    return number
