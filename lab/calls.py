"""What callers hear while the service moves: calls from outside, with audio both ways.

:class:`Calls` starts :mod:`lab.caller` in the outside namespace and turns what it saw into a
:class:`CallsResult`.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from lab import sh
from lab.errors import LabError, LabTimeoutError

ANSWERED, RINGING, HELD = "answered", "ringing", "held"
KINDS = (ANSWERED, RINGING, HELD)
# What a call is before it is of its kind, and when it is no more.
CALLING, REFUSED, ENDED = "calling", "refused", "ended"
BY_CALLER, BY_SWITCH, BY_NOBODY = "caller", "switch", "nobody"
DEFAULT_PTIME = 0.04
PLACE_SECONDS = 20.0
END_SECONDS = 15.0
SILENT_SECONDS = 1.0
"""A call whose caller heard nothing for that long before hanging up is dead."""
USER = "service"
RINGING_USER = "ringing"


@dataclass(frozen=True)
class Call:
    """One call, as its caller saw it.

    ``state`` is ``answered``, ``ringing`` or ``held`` when that is how it was until the caller hung
    up, else ``calling``, ``refused`` or ``ended``. ``ended_by``: ``caller``, ``switch``, or
    ``nobody`` when the switch did not know the call any more as the caller hung up; ``reason`` is
    what was said. Of an answered call: ``gap``, the longest time without audio in seconds, its
    begin in seconds since the epoch, and the ``silence`` in seconds before its end.
    ``reinvites`` counts what a recovering switch sent, ``sent`` and ``received`` the RTP packets.
    """

    number: int
    kind: str
    state: str
    ended_by: str
    reason: str = ""
    gap: float | None = None
    gap_begin: float | None = None
    silence: float | None = None
    reinvites: int = 0
    sent: int = 0
    received: int = 0

    @property
    def survived(self) -> bool:
        """True when it stayed as it should until the caller hung up, an answered one with audio."""
        kept = self.state == self.kind and self.ended_by == BY_CALLER
        return kept and (self.silence is None or self.silence < SILENT_SECONDS)


@dataclass(frozen=True)
class Counts:
    """How many calls of one kind there were and what became of them.

    ``survived``; ended ``by_switch``; ``lost``: still up for the caller, but dead; ``refused``:
    never came about.
    """

    kind: str
    placed: int
    survived: int
    by_switch: int
    lost: int
    refused: int


@dataclass(frozen=True)
class CallsResult:
    """What the callers saw; ``stall`` is how late the busiest machine made a packet, in seconds."""

    calls: tuple[Call, ...]
    stall: float = 0.0

    def of(self, kind: str) -> tuple[Call, ...]:
        """Return the calls of a kind: ``answered``, ``ringing`` or ``held``."""
        return tuple(call for call in self.calls if call.kind == kind)

    def counts(self, kind: str) -> Counts:
        """Return what became of the calls of a kind."""
        calls = self.of(kind)
        survived = sum(call.survived for call in calls)
        refused = sum(call.state == REFUSED for call in calls)
        switch = sum(c.ended_by == BY_SWITCH and c.state != REFUSED for c in calls)
        lost = len(calls) - survived - refused - switch
        return Counts(kind, len(calls), survived, switch, lost, refused)

    @property
    def gaps(self) -> tuple[float, ...]:
        """The longest gap of every answered call that survived, in seconds, shortest first."""
        alive = (call.gap for call in self.of(ANSWERED) if call.survived)
        return tuple(sorted(gap for gap in alive if gap is not None))

    @property
    def median_gap(self) -> float | None:
        """The median over the calls of their longest gaps, None when no answered call survived."""
        return statistics.median(self.gaps) if self.gaps else None

    @property
    def worst_gap(self) -> float | None:
        """The longest gap that any answered call survived, None when none did."""
        return self.gaps[-1] if self.gaps else None

    def as_dict(self) -> dict[str, object]:
        """Return it as data for JSON, with the counts by kind."""
        counts = [dataclasses.asdict(self.counts(kind)) for kind in KINDS]
        gaps = {"median_gap": self.median_gap, "worst_gap": self.worst_gap}
        return {**dataclasses.asdict(self), "counts": counts, **gaps}


def summarize(message: dict[str, Any]) -> CallsResult:
    """Return the result from the worker's closing words."""
    return CallsResult(tuple(Call(**call) for call in message["calls"]), message["stall"])


@dataclass(frozen=True)
class Standing:
    """How the calls stand at this moment.

    Counts of calls by state; ``heard``: answered calls with audio within the last four packets;
    ``reinvites`` of all calls together; ``reinvited``: calls that had at least one.
    """

    calling: int = 0
    answered: int = 0
    ringing: int = 0
    held: int = 0
    refused: int = 0
    ended: int = 0
    heard: int = 0
    reinvites: int = 0
    reinvited: int = 0


@dataclass(frozen=True)
class Wanted:
    """Which calls to place, from where to where.

    ``answered``, ``ringing`` and ``held`` are numbers of calls, ``ptime`` the seconds of audio in a
    packet, ``user`` and ``ringing_user`` whom to call for which.
    """

    source: str
    address: str
    port: int
    answered: int
    ringing: int = 0
    held: int = 0
    ptime: float = DEFAULT_PTIME
    user: str = USER
    ringing_user: str = RINGING_USER

    def arguments(self) -> list[str]:
        """Return the worker's arguments."""
        fields = dataclasses.asdict(self).items()
        return [f"--{name.replace('_', '-')}={value}" for name, value in fields]


class Calls:
    """Calls that are up, as a context manager; :attr:`result` is there after leaving it.

    with lab.calls(50, ringing=5) as calls:
        lab.nodes["freeswitch-dev"].kill("freeswitch")
        calls.wait(lambda now: now.reinvited == 50, "the recovery", 60)
        calls.wait_heard(50)
    print(calls.result.worst_gap)

    Entering it places the calls and waits until each is in its state; leaving it hangs up.

    Args:
        wanted: which calls.
        enter: the arguments that run a program where the calls come from.

    """

    def __init__(self, wanted: Wanted, enter: Sequence[str] = ()) -> None:
        self._wanted = wanted
        self._enter = list(enter)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._standing = Standing()
        self._told = 0
        self._ended = False
        self._changed = threading.Condition()
        self._result: CallsResult | None = None

    @property
    def result(self) -> CallsResult:
        """What the callers saw; raises LabError before the end of the calls."""
        if self._result is None:
            raise LabError("the calls are still up: leave their context first")
        return self._result

    @property
    def now(self) -> Standing:
        """How the calls stand, at most a tenth of a second ago."""
        with self._changed:
            return self._standing

    def wait(self, condition: Callable[[Standing], bool], what: str, timeout: float) -> Standing:
        """Wait until the calls stand as wanted, by what is seen from now on.

        Args:
            condition: told how they stand.
            what: what is waited for, for the message.
            timeout: seconds.

        Raises:
            LabTimeoutError: it did not come; how they stand instead is in the message.

        """
        deadline = time.monotonic() + timeout
        with self._changed:
            # What is on its way may be older than what the caller has just done.
            first = self._told + 2
            while self._told < first or not condition(self._standing):
                if self._ended:
                    raise LabError(f"the caller ended while {what} was waited for")
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    raise LabTimeoutError(what, timeout, str(self._standing))
            return self._standing

    def wait_heard(self, count: int, timeout: float = 60) -> Standing:
        """Wait until *count* answered calls have audio and return how the calls stand."""
        return self.wait(lambda now: now.heard >= count, f"audio in {count} calls", timeout)

    def __enter__(self) -> Calls:
        argv, env = sh.python_module("lab.caller", *self._wanted.arguments())
        self._process = sh.stream([*self._enter, *argv], env=env)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        try:
            self._wait_placed()
        except BaseException:
            self.__exit__(LabError, None, None)
            raise
        return self

    def _wait_placed(self) -> None:
        asked = self._wanted
        wanted = {ANSWERED: asked.answered, RINGING: asked.ringing, HELD: asked.held}

        def placed(now: Standing) -> bool:
            if now.refused or now.ended:
                raise LabError(f"not all calls came about: {now}")
            shown = dataclasses.asdict(now)
            return now.heard == asked.answered and all(shown[k] == n for k, n in wanted.items())

        self.wait(placed, f"{asked} to be placed", PLACE_SECONDS)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None or self._reader is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join(END_SECONDS)
        code = sh.stop(self._process)
        if self._result is None and kind is None:
            raise LabError(f"the caller broke off with exit code {code}")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - sh.stream opens it as a pipe
        for line in process.stdout:
            self._take(json.loads(line))
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        if "calls" in message:
            self._result = summarize(message)
            return
        with self._changed:
            self._standing = Standing(**message["status"])
            self._told += 1
            self._changed.notify_all()
