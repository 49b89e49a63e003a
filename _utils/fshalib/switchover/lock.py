"""One verb on the pair at a time: who does what since when, where every node can see it.

A verb that runs is a transient attribute of the node from which it is run. attrd puts all writes of
the cluster into one order, so of two that begin at once at least one sees the other and steps back.
While it lasts it is written again and again; one that has fallen silent was interrupted.
"""

import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from fshalib.errors import LiveError, LockError
from fshalib.pacemaker import tools
from fshalib.system import poll, programs
from fshalib.system.programs import Runner

log = logging.getLogger(__name__)

ATTRIBUTE = "fsha-operation"
BEAT = 5.0
"""Seconds after which a running verb says again that it goes on."""
TWICE = 2 * BEAT + 1
"""Seconds between two looks at one that seems silent: the clock of its node may be another one."""
SILENT = 20.0
"""Seconds without a word after which it counts as interrupted (the nodes' clocks may differ)."""

START_TIME = 19
"""Where the start time stands in /proc/PID/stat, behind the name (proc(5), field 22)."""
LOCK = Path("/run/fsha/operation.lock")
"""What keeps two verbs of one node apart: they would write the same attribute."""
PATIENCE, LOOK_EVERY = 5.0, 0.05
"""Seconds until a word comes back from attrd, and between two looks."""

CHECK, DRAIN, MOVE, VERIFY, CLEAN_UP = "check", "drain", "move", "verify", "clean up"
PHASES = (CHECK, DRAIN, MOVE, VERIFY, CLEAN_UP)


@dataclass(frozen=True)
class RunningVerb:
    """Something that somebody does with a service.

    ``verb`` as it is called; ``by`` who; ``node`` where it is run; ``service``; ``old``, ``new``
    the nodes; ``since`` and ``beat`` its begin and its last word (epoch, seconds); ``phase`` one of
    :data:`PHASES`; ``process`` the number and the start of the process that does it. One that moves
    nothing, such as a standby, has no ``old`` and ``new``; ``service`` is what it is about.
    """

    verb: str
    by: str
    node: str
    service: str
    old: str
    new: str
    since: float
    beat: float
    phase: str = CHECK
    process: str = ""

    def goes_on(self, now: float, me: str = "") -> bool:
        """Tell whether it said a word lately, and its process lives if that can be seen.

        now
            Seconds since the epoch.
        me
            The node that asks: of its own processes it knows at once.
        """
        if self.process and self.node == me and self.process != process_of(self.process):
            return False
        return abs(now - self.beat) < SILENT

    @property
    def may_have_moved(self) -> bool:
        """Whether it has got so far that its service may be on the other node."""
        return bool(self.new) and self.phase in (MOVE, VERIFY, CLEAN_UP)

    def __str__(self) -> str:
        since = time.strftime("%H:%M:%S UTC", time.gmtime(self.since))
        way = f" from {self.old} to {self.new}" if self.new else ""
        return f"{self.verb} of {self.service}{way} by {self.by} on {self.node} since {since}"

    @property
    def text(self) -> str:
        """The attribute's value."""
        return json.dumps(asdict(self), separators=(",", ":"))


def process_of(pid: int | str) -> str:
    """Return a living process's number and start, ``""`` for a dead one.

    pid
        Its number, or the same with whatever behind it.
    """
    number = str(pid).split()[0]
    try:
        stat = Path(f"/proc/{int(number)}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return ""
    return f"{number} {stat.rpartition(')')[2].split()[START_TIME]}"


class NotLocked(LockError, LiveError):
    """The lock of this node can't be taken."""

    def __init__(self, path: Path, error: OSError) -> None:
        self.path, self.error = path, error
        super().__init__(f"{path} can't be opened: {error.strerror}.")


class Busy(LockError):
    """Somebody else is at it; nothing was done."""

    def __init__(self, other: RunningVerb) -> None:
        self.other = other
        super().__init__(
            f"there is a {other} (phase {other.phase}); wait for its end. If it was killed, it "
            f"counts as interrupted {SILENT:.0f} s after its last word"
        )


def begun(verb: str, by: str, node: str, service: str, old: str = "", new: str = "") -> RunningVerb:
    """Return a verb of this process that begins now; the arguments are its fields."""
    now = round(time.time(), 1)
    me = process_of(os.getpid())
    return RunningVerb(verb, by, node, service, old, new, now, now, process=me)


def parse(text: str) -> RunningVerb | None:
    """Return the running verb that an attribute tells of; ``None`` for anything else."""
    try:
        data: Any = json.loads(text)
        return RunningVerb(**data)
    except (ValueError, TypeError):
        return None


def all_of(values: Iterable[str]) -> tuple[RunningVerb, ...]:
    """Return the verbs that attributes tell of, the one that began first at the front."""
    found = (parse(text) for text in values)
    return tuple(sorted((o for o in found if o), key=lambda o: (o.since, o.node)))


def known(run: Runner = programs.run) -> tuple[RunningVerb, ...]:
    """Return the verbs that attrd knows of, going on or interrupted.

    Raises :class:`programs.RunError`.
    """
    return all_of(tools.noted(ATTRIBUTE, run).values())


def description(running: RunningVerb, now: float, me: str = "") -> str:
    """Return what a tired person has to know of a running verb, and can do about it."""
    if running.goes_on(now, me):
        return f"{running} goes on (phase {running.phase})"
    said = f"{running} WAS INTERRUPTED (phase {running.phase})"
    again = {
        CHECK: "nothing has been done yet",
        DRAIN: f"new calls may still be refused on {running.node}: fsha.undrain there takes them "
        "again",
    }.get(running.phase, "the service may be on either node, with a ban")
    if not running.new:
        return f"{said}; {again}"
    if not running.may_have_moved:
        return f"{said}; {again}. Give the order once more, or let fsha.failback forget it"
    return f"{said}; {again}. fsha.failover finishes it, fsha.failback undoes it"


def interrupted(
    me: str, run: Runner = programs.run, clock: Callable[[], float] = time.time
) -> tuple[RunningVerb, ...]:
    """Return the verbs that have ended without a word, the last one first."""
    found = known(run)
    alive = going_on(found, me, run, clock)
    return tuple(one for one in reversed(found) if one not in alive)


def going_on(
    found: Iterable[RunningVerb],
    me: str,
    run: Runner = programs.run,
    clock: Callable[[], float] = time.time,
) -> tuple[RunningVerb, ...]:
    """Return which of some verbs go on.

    One of another node that seems to have been silent for long is looked at twice, since the clocks
    of the nodes may differ: whoever has said another word meanwhile goes on.
    """
    found = tuple(o for o in found if o.text not in _SILENT)
    silent = {o.text: o for o in found if not o.goes_on(clock(), me) and o.node != me}
    if not silent:
        return tuple(o for o in found if o.goes_on(clock(), me))

    def has_spoken(later: Iterable[RunningVerb]) -> set[tuple[str, float]]:
        return {(o.node, o.since) for o in later if o.text not in silent}

    asked = {(o.node, o.since) for o in silent.values()}
    later = poll.until(
        lambda: known(run), lambda seen: asked <= has_spoken(seen), TWICE, interval=LOOK_EVERY
    )
    spoken = has_spoken(later)
    _SILENT.update(text for text, o in silent.items() if (o.node, o.since) not in spoken)
    return tuple(o for o in found if o.goes_on(clock(), me) or (o.node, o.since) in spoken)


_SILENT: set[str] = set()
"""Words that were the last ones at two looks: a further word is another text."""


class Holder:
    """Holds a running verb while it is entered; leaving it in good order gives it back.

    An exception, such as that of an interrupted terminal, leaves it as one that was interrupted.
    Of one node's own verbs a lock lets one through, of different nodes' the order in which
    attrd has taken their words.

    running
        What is done.
    clock
        Seconds since the epoch.
    lock
        The file whose lock one verb of this node has at a time.

    Entering raises :class:`Busy` when another one goes on, and :class:`programs.RunError`.
    """

    def __init__(
        self,
        running: RunningVerb,
        run: Runner = programs.run,
        clock: Callable[[], float] = time.time,
        lock: Path = LOCK,
    ) -> None:
        self.running = running
        self._lock_file = lock
        self._run = run
        self._clock = clock
        self._writing = threading.Lock()
        self._lock: int | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="fsha-operation", daemon=True)

    def __enter__(self) -> "Holder":
        self._take()
        try:
            self._begin()
        except BaseException:
            self._end_beats()
            self._release()
            raise
        return self

    def _begin(self) -> None:
        self._refuse(known(self._run))
        self._write()
        # From now on, for another node may look twice because its clock is another one.
        self._thread.start()
        # Once its own word has come back, all that was written before it is known, too.
        found = poll.until(
            lambda: known(self._run), self._has_come_back, PATIENCE, interval=LOOK_EVERY
        )
        try:
            self._refuse(found)
        except Busy as busy:
            self._end_beats()
            if busy.other.node != self.running.node:
                self._forget()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_beats()
        try:
            # After an exception its last word stays: it was interrupted, and the phase tells what
            # that means.
            if kind is None:
                self._forget()
        except programs.RunError as failed:
            log.warning("%s: not said that it has ended: %s", self.running, failed)
        finally:
            self._release()

    def _end_beats(self) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def phase(self, name: str) -> None:
        """Say which phase has begun."""
        self.running = replace(self.running, phase=name)
        self._write()

    def _has_come_back(self, found: Iterable[RunningVerb]) -> bool:
        return tools.on_file() or any(o.node == self.running.node for o in found)

    def _is_mine(self, other: RunningVerb) -> bool:
        mine = self.running
        return (other.node, other.since, other.process) == (mine.node, mine.since, mine.process)

    def _refuse(self, found: Iterable[RunningVerb]) -> None:
        others = [other for other in found if not self._is_mine(other)]
        for other in going_on(others, self.running.node, self._run, self._clock):
            raise Busy(other)

    def _take(self) -> None:
        """Take this node's lock; whoever has it is named once he has said who he is."""
        if tools.on_file():
            return
        try:
            self._lock_file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise NotLocked(self._lock_file, error) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._release()
            raise Busy(self._holder_of_the_lock()) from None

    def _holder_of_the_lock(self) -> RunningVerb:
        def of_this_node(found: Iterable[RunningVerb]) -> list[RunningVerb]:
            return [o for o in found if o.node == self.running.node]

        found = poll.until(
            lambda: of_this_node(known(self._run)), bool, PATIENCE, interval=LOOK_EVERY
        )
        return found[0] if found else replace(self.running, by="somebody else")

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _write(self) -> None:
        with self._writing:
            self.running = replace(self.running, beat=round(self._clock(), 1))
            node = self.running.node
            tools.note(ATTRIBUTE, self.running.text, [node], self._run)

    def _forget(self) -> None:
        tools.forget(ATTRIBUTE, self.running.node, self._run)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            self._say_again()

    def _say_again(self) -> None:
        try:
            self._write()
        except programs.RunError as error:
            # The verb itself meets the same trouble, and decides what that means.
            log.warning("%s: not said that it goes on: %s", self.running, error)
