"""One operation on the pair at a time: who does what since when, where every node can see it.

An operation is a transient attribute of the node from which it is run. attrd puts all writes of
the cluster into one order, so of two that begin at once at least one sees the other and steps back.
While it lasts it is written again and again; one that has fallen silent was interrupted.
"""

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

import fsha_cluster
import fsha_poll
import fsha_run
from fsha_run import Runner

log = logging.getLogger(__name__)

ATTRIBUTE = "fsha-operation"
BEAT = 5.0
"""Seconds after which an operation says again that it goes on."""
SILENT = 20.0
"""Seconds without a word after which it counts as interrupted (the nodes' clocks may differ)."""

START_TIME = 19
"""Where the start time stands in /proc/PID/stat, behind the name (proc(5), field 22)."""
PATIENCE, LOOK_EVERY = 5.0, 0.05
"""Seconds until a word comes back from attrd, and between two looks."""

CHECK, DRAIN, MOVE, VERIFY, CLEAN_UP = "check", "drain", "move", "verify", "clean up"
PHASES = (CHECK, DRAIN, MOVE, VERIFY, CLEAN_UP)


@dataclass(frozen=True)
class Operation:
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


class Busy(Exception):  # noqa: N818  named for what is the case
    """Somebody else is at it; nothing was done."""

    def __init__(self, other: Operation) -> None:
        self.other = other
        super().__init__(
            f"there is a {other} (phase {other.phase}); wait for its end. If it was killed, it "
            f"counts as interrupted {SILENT:.0f} s after its last word"
        )


def begun(verb: str, by: str, node: str, service: str, old: str = "", new: str = "") -> Operation:
    """Return an operation of this process that begins now; the arguments are its fields."""
    now = round(time.time(), 1)
    me = process_of(os.getpid())
    return Operation(verb, by, node, service, old, new, now, now, process=me)


def parse(text: str) -> Operation | None:
    """Return the operation that an attribute tells of; ``None`` for anything else."""
    try:
        data: Any = json.loads(text)
        return Operation(**data)
    except (ValueError, TypeError):
        return None


def all_of(values: Iterable[str]) -> tuple[Operation, ...]:
    """Return the operations that attributes tell of, the one that began first at the front."""
    found = (parse(text) for text in values)
    return tuple(sorted((o for o in found if o), key=lambda o: (o.since, o.node)))


def known(run: Runner = fsha_run.run) -> tuple[Operation, ...]:
    """Return the operations that attrd knows of, going on or interrupted.

    Raises :class:`fsha_run.RunError`.
    """
    return all_of(fsha_cluster.noted(ATTRIBUTE, run).values())


def told(operation: Operation, now: float, me: str = "") -> str:
    """Return what a tired person has to know of an operation, and can do about it."""
    if operation.goes_on(now, me):
        return f"{operation} goes on (phase {operation.phase})"
    said = f"{operation} WAS INTERRUPTED (phase {operation.phase})"
    again = {
        CHECK: "nothing has been done yet",
        DRAIN: f"new calls may still be refused on {operation.node}: fsha.undrain there takes them "
        "again",
    }.get(operation.phase, "the service may be on either node, with a ban")
    if not operation.new:
        return f"{said}; {again}"
    return f"{said}; {again}. fsha.failover finishes it, fsha.failback undoes it"


def interrupted(found: Iterable[Operation], now: float, me: str = "") -> tuple[Operation, ...]:
    """Return the operations that have ended without a word, the last one first."""
    return tuple(one for one in reversed(tuple(found)) if not one.goes_on(now, me))


class Holder:
    """Holds an operation while it is entered; leaving it in good order gives it back.

    An exception, such as that of an interrupted terminal, leaves it as one that was interrupted.

    operation
        What is done.
    clock
        Seconds since the epoch.

    Entering raises :class:`Busy` when another one goes on.
    """

    def __init__(
        self,
        operation: Operation,
        run: Runner = fsha_run.run,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.operation = operation
        self._run = run
        self._clock = clock
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="fsha-operation", daemon=True)

    def __enter__(self) -> "Holder":
        self._refuse(known(self._run))
        self._write()
        # Once its own word has come back, all that was written before it is known, too.
        found = fsha_poll.until(
            lambda: known(self._run), self._has_come_back, PATIENCE, interval=LOOK_EVERY
        )
        try:
            self._refuse(found)
        except Busy as busy:
            if busy.other.node != self.operation.node:
                self._forget()
            raise
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        if kind is not None:
            return  # its last word stays: it was interrupted, and the phase tells what that means
        try:
            self._forget()
        except fsha_run.RunError as failed:
            log.warning("%s: not said that it has ended: %s", self.operation, failed)

    def phase(self, name: str) -> None:
        """Say which phase has begun."""
        self.operation = replace(self.operation, phase=name)
        self._write()

    def _has_come_back(self, found: Iterable[Operation]) -> bool:
        return fsha_cluster.on_file() or any(o.node == self.operation.node for o in found)

    def _is_mine(self, other: Operation) -> bool:
        return (other.node, other.since) == (self.operation.node, self.operation.since)

    def _refuse(self, found: Iterable[Operation]) -> None:
        now = self._clock()
        for other in found:
            if not self._is_mine(other) and other.goes_on(now, self.operation.node):
                raise Busy(other)

    def _write(self) -> None:
        with self._lock:
            self.operation = replace(self.operation, beat=round(self._clock(), 1))
            node = self.operation.node
            fsha_cluster.note(ATTRIBUTE, self.operation.text, [node], self._run)

    def _forget(self) -> None:
        fsha_cluster.forget(ATTRIBUTE, self.operation.node, self._run)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            self._say_again()

    def _say_again(self) -> None:
        try:
            self._write()
        except fsha_run.RunError as error:
            # The operation itself meets the same trouble, and decides what that means.
            log.warning("%s: not said that it goes on: %s", self.operation, error)
