"""A switchover from first to last: what it does in which phase, and what became of it.

It is the same for failover, failback and each half of a drill: check, drain if it is wanted, move
by bans, verify, clean up.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from fshalib.errors import LiveError, RunError
from fshalib.pacemaker.status import Status
from fshalib.switchover import bans, lock, preflight
from fshalib.switchover import request as switchover_request
from fshalib.switchover.cluster import Cluster, FreeSwitch, Held, LiveNetwork, Network
from fshalib.switchover.lock import CHECK, CLEAN_UP, DRAIN, MOVE, VERIFY, RunningVerb
from fshalib.switchover.mover import LOOK_EVERY, Mover
from fshalib.switchover.request import Request
from fshalib.switchover.service import Service, SwitchoverRefused
from fshalib.switchover.verification import Verification
from fshalib.system import poll

log = logging.getLogger(__name__)

STARTED, FINISHED, FAILED, SKIPPED = "started", "finished", "failed", "skipped"


@dataclass(frozen=True)
class SwitchoverOutcome:
    """What became of it; ``facts`` go into the event, the return value and the journal."""

    result: bool
    comment: str
    facts: Mapping[str, Any] = field(default_factory=dict)


Tell = Callable[[str, Mapping[str, Any]], object]
"""Is called with the name of each phase as it begins, and its facts."""


class Switchover:
    """One switchover.

    request
        What to do.
    cluster, freeswitch, network
        What it is done with.
    tell
        Is called at each phase.
    """

    def __init__(
        self,
        request: Request,
        cluster: Cluster,
        freeswitch: FreeSwitch,
        tell: Tell,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.request = request
        self.cluster = cluster
        self.freeswitch = freeswitch
        self.tell = tell
        self.clock = clock
        self.phases: list[tuple[str, float]] = []
        self.calls: dict[str, Any] = {}
        self._mover = Mover(request, cluster)
        self._verification = Verification(request, cluster, network or LiveNetwork())
        self._held: Held | None = None
        self._open = 0.0
        self._paused = False
        self._answered: frozenset[str] = frozenset()
        self._was_silent = False

    @property
    def service(self) -> Service:
        """What is moved."""
        return self.request.service

    def run(self) -> SwitchoverOutcome:
        """Do it, to the end or back to where it was.

        Raises :class:`lock.Busy` when somebody else is at it, and nothing was done.
        """
        request = self.request
        running = lock.begun(
            request.verb, request.by, request.me, self.service.id, request.old, request.new
        )
        with self.cluster.hold(running) as self._held:
            self.tell(STARTED, self._way())
            try:
                outcome = self._done()
            except LiveError as error:
                outcome = self._broken_off(error)
            self._end_phase()
            facts = {**self._way(), **outcome.facts, **self._so_far()}
            self.tell(FINISHED if outcome.result else FAILED, facts)
            if outcome.result:
                self._forget_interrupted()
            return replace(outcome, facts=facts)

    def _way(self) -> dict[str, Any]:
        request = self.request
        way = {"way": request.way} if request.way else {}
        return {"verb": request.verb, "by": request.by, "target": request.new, **way}

    def _so_far(self) -> dict[str, Any]:
        phases = [{"name": name, "seconds": round(s, 2)} for name, s in self.phases]
        return {"phases": phases, "calls": self.calls or None}

    # --- phases ------------------------------------------------------------------------------

    def _phase(self, name: str, **facts: Any) -> None:
        self._end_phase()
        self._open = self.clock()
        self.phases.append((name, 0.0))
        if self._held is not None:
            self._held.phase(name)
        self.tell(name, {**self._way(), **facts})

    def _end_phase(self) -> None:
        if self.phases:
            self.phases[-1] = (self.phases[-1][0], self.clock() - self._open)

    def _done(self) -> SwitchoverOutcome:
        if self.request.moved:
            self._mover.remember()
            return self._verified(None, None, self._verification.recovered())
        self._phase(CHECK)
        self._count()
        # A switch that is drained answers no more.
        self._answered = self._verification.answering()
        if self.request.bounds.drain:
            self._drain()
        try:
            if self._is_there_already():
                self._mover.remember()
                return self._verified(None, None, self._verification.recovered())
        except SwitchoverRefused as refused:
            return self._not_moved(refused)
        before = self._verification.recovered()
        self._was_silent = self._verification.was_silent(self._answered)
        outcome, gap, seconds = self._moved()
        if outcome is not None:
            return replace(outcome, facts={**outcome.facts, **self._gap(gap)})
        return self._verified(gap, seconds, before)

    def _is_there_already(self) -> bool:
        """Look once more, now that nobody else can be at it.

        An earlier switchover that was interrupted may have come to its end by itself. Raises
        :class:`service.SwitchoverRefused`.
        """
        request = self.request
        status = self.cluster.status()
        root = self.cluster.cib()
        left = bans.held(root, self.service)
        if status.serving(*self.service.members) == request.new and request.old in left:
            return True
        switchover_request.look_again(status, root, request, self.cluster.simulate)
        return False

    def _not_moved(self, refused: SwitchoverRefused) -> SwitchoverOutcome:
        self._resume()
        facts = {"old": self.request.old, "new": "", "why": "; ".join(refused.reasons)}
        return SwitchoverOutcome(False, str(refused), facts)

    def _broken_off(self, error: Exception) -> SwitchoverOutcome:
        moving = any(name == MOVE for name, _ in self.phases)
        if not (moving and self.service.drain):
            # One that serves on has to take calls; one that the agent drains resumes by itself.
            self._resume()
        comment = (
            f"The {self.request.verb} of {self.service.id} from {self.request.old} to "
            f"{self.request.new} was broken off: {error} "
        )
        comment += (
            "Look at fsha.status: a ban may be left, which fsha.failback lifts."
            if moving or self.request.moved
            else "Nothing was moved."
        )
        facts = {"old": self.request.old, "new": "", "why": str(error)}
        return SwitchoverOutcome(False, comment, facts)

    def _forget_interrupted(self) -> None:
        """Forget earlier switchovers of this service that were interrupted: that is put right."""
        try:
            for other in self.cluster.running_verbs():
                if other.service == self.service.id and other.new and self._is_over(other):
                    self.cluster.forget(lock.ATTRIBUTE, other.node)
        except RunError as error:
            log.warning("an interrupted switchover is still on record: %s", error)

    def _is_over(self, other: RunningVerb) -> bool:
        """Tell whether another verb has ended: while this one holds the pair, none goes on."""
        return self._held is None or other.node != self._held.running.node

    # --- the calls ---------------------------------------------------------------------------

    def _count(self) -> None:
        """Count the calls, if the switch that carries them is this node's."""
        if self.request.me != self.request.old or self.request.from_nowhere:
            return
        try:
            calls = self.freeswitch.calls()
        except RunError:
            return  # a switch that can't be asked is told by the checks
        expected = calls.get("survive") if self.service.keeps else 0
        self.calls = {"before": calls["legs"], "expected": expected, "kept": None}

    def _drain(self) -> None:
        """Refuse new calls, and wait until the others have ended or the time is up."""
        self._phase(DRAIN, seconds=self.request.bounds.drain)
        self._paused = True
        self.freeswitch.pause()
        shown: list[int] = []

        def legs() -> int:
            left = self.freeswitch.legs()
            if shown[-1:] != [left]:
                shown.append(left)
                self.tell("draining", {**self._way(), "legs": left})
            return left

        left = poll.until(
            legs, lambda n: n == 0, self.request.bounds.drain, "the end of the calls", LOOK_EVERY
        )
        self._count()
        self.calls["drained"] = left == 0

    def _resume(self) -> None:
        """Let a switch that was drained take calls again, as a standby or because it serves on."""
        if not self._paused:
            return
        try:
            self.freeswitch.resume()
            self._paused = False
        except RunError as error:
            # stop_mode=recover has killed it; the new one is not paused.
            self.tell("resume", {**self._way(), "why": str(error)})

    # --- the move ----------------------------------------------------------------------------

    def _moved(self) -> tuple[SwitchoverOutcome | None, float | None, float]:
        """Move it; return an outcome if that failed, the gap, and the seconds it took."""
        new = self.request.new
        self._phase(MOVE, old=self.request.old, new=new)
        self._mover.announce()
        begun = self.clock()
        watch = self._verification.watch(self._answered)
        with watch if watch else nullcontext():
            status = self._mover.move()
            seconds = round(self.clock() - begun, 2)
            moved = status.serving(*self.service.members) == new
            outcome = None if moved else self._given_up(status, seconds)
            if outcome is None or outcome.facts["returned"]:
                self._verification.silent(self._answered)
        if moved:
            self._mover.remember()
        return outcome, watch.gap if watch else None, seconds

    def _given_up(self, status: Status, seconds: float) -> SwitchoverOutcome:
        """Let the service go back to the node it came from, and say why."""
        old, new = self.request.old, self.request.new
        lost = preflight.is_lost(status, new)
        why = "; ".join([*([lost] if lost else ()), *status.complaints(*self.service.members)])
        returned, kept = self._mover.go_back()
        self._resume()
        where = f"It is back on {old}." if returned else f"It DOES NOT SERVE on {old} either."
        comment = f"{new} did not take {self.service.id} over ({seconds:g} s): {why}. {where}"
        facts = {"old": old, "new": old if returned else "", "hold": kept}
        return SwitchoverOutcome(False, comment, {**facts, "why": why, "returned": returned})

    # --- afterwards --------------------------------------------------------------------------

    def _verified(
        self, gap: float | None, seconds: float | None, before: Mapping[str, str]
    ) -> SwitchoverOutcome:
        old, new = self.request.old, self.request.new
        self._phase(VERIFY)
        wrong = self._verification.faults(self._answered)
        kept = self._verification.taken_over(before)
        if kept is not None:
            self.calls.setdefault("before", None)
            self.calls["kept"] = kept
        self._phase(CLEAN_UP)
        self._resume()
        hold = self._mover.lift()
        facts = {"old": old, "new": new, "seconds": seconds, "hold": hold, **self._gap(gap)}
        if wrong:
            comment = (
                f"{self.service.id} runs on {new}, but {' and '.join(wrong)}. "
                f"Look at fsha.status on {new}; fsha.failback goes back."
            )
            return SwitchoverOutcome(False, comment, {**facts, "why": "; ".join(wrong)})
        return SwitchoverOutcome(True, self._comment(facts), facts)

    def _comment(self, facts: Mapping[str, Any]) -> str:
        id, old, new = self.service.id, self.request.old, self.request.new
        took = "" if facts["seconds"] is None else f" in {facts['seconds']} s"
        parts = [f"{id} moved from {old} to {new}{took} and serves there."]
        if self.request.moved:
            parts[0] = f"{id} serves on {new}; what was interrupted is done."
        if facts["gap"] is not None:
            parts.append(self._gap_in_words(facts["gap"]))
        parts += self._calls_in_words()
        if facts["hold"]:
            parts.append(
                f"The configuration prefers {old}, so the ban of {old} is kept as a "
                f"hold: it stays until fsha.failback. Nothing fails over to {old} meanwhile."
            )
        return " ".join(parts)

    def _gap(self, gap: float | None) -> dict[str, Any]:
        """Return the gap as facts; one that went on before it was measured is a lower bound."""
        return {"gap": gap, **({"silent_before": True} if self._was_silent else {})}

    def _gap_in_words(self, gap: float) -> str:
        if not self._was_silent:
            return f"No new call was taken for {gap:g} s."
        return (
            f"No new call was taken for at least {gap:g} s: {self.service.vips[0]} did not answer "
            "when the switchover began."
        )

    def _calls_in_words(self) -> list[str]:
        kept, expected = self.calls.get("kept"), self.calls.get("expected")
        if kept is None or not self.calls.get("before"):
            return []
        sure = "" if expected is None else f"; {expected} were expected to"
        return [f"{kept} of {self.calls['before']} call legs came back{sure}."]
