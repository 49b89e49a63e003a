"""A switchover from first to last: what it does in which phase, and what became of it.

The order is the same for failover, failback and each half of a drill: check, drain if it is
wanted, move by bans, verify, clean up. What it needs of the switch on its own node and of the bus
comes from the verb.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from fshalib.change import commit
from fshalib.cib import document
from fshalib.errors import LiveError
from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker import tools
from fshalib.switchover import arp, bans, lock, outage, preflight, request, unplanned
from fshalib.switchover import bans as switchover_bans
from fshalib.switchover import service as switchover_service
from fshalib.switchover.lock import CHECK, CLEAN_UP, DRAIN, MOVE, VERIFY
from fshalib.switchover.request import Order
from fshalib.system import poll, programs, sip

log = logging.getLogger(__name__)

STARTED, FINISHED, FAILED, SKIPPED = "started", "finished", "failed", "skipped"
LOOK_EVERY = 0.2
SIP_PATIENCE = 5.0
RETURN_PATIENCE = 120.0
RECOVERED_PATIENCE = 5.0
AGENT_PATIENCE = 30.0
"""Seconds for a first monitor: that of depth 10 asks a slow switch for a while."""
ASK_SECONDS = 0.4

Calls = Mapping[str, Any]


class Switch(Protocol):
    """The FreeSWITCH of the node where the switchover is run."""

    def calls(self) -> Calls:
        """Return its calls by kind, see ``freeswitch.calls``."""

    def legs(self) -> int:
        """Return how many call legs it has."""

    def pause(self) -> None:
        """Let it refuse new calls."""

    def resume(self) -> None:
        """Let it take new calls again."""


@dataclass(frozen=True)
class SwitchoverOutcome:
    """What became of it; ``facts`` go into the event, the return value and the journal."""

    result: bool
    comment: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def _takes_calls(address: str, port: int, seconds: float = 1.0) -> bool:
    """Tell whether an address answers SIP OPTIONS with a yes.

    A switch in hot standby answers with 503, as it would a call (measured on FreeSWITCH 1.11).
    """
    return sip.sip_options(address, port, seconds).startswith("SIP/2.0 2")


def _answers(address: str, port: int) -> bool:
    """Wait a moment until an address answers SIP OPTIONS with a yes, and tell whether it did."""
    return poll.until(
        lambda: _takes_calls(address, port),
        bool,
        SIP_PATIENCE,
        f"SIP on {address}",
        LOOK_EVERY,
    )


Tell = Callable[[str, Mapping[str, Any]], object]
"""Is told the name of each phase as it begins, and its facts."""


class Switchover:
    """One switchover.

    order
        What to do.
    switch
        This node's FreeSWITCH.
    tell
        Is told of each phase.
    """

    def __init__(
        self,
        order: Order,
        switch: Switch,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.order = order
        self.switch = switch
        self.tell = tell
        self.clock = clock
        self.phases: list[tuple[str, float]] = []
        self.calls: dict[str, Any] = {}
        self._holder: lock.Holder | None = None
        self._open = 0.0
        self._paused = False

    @property
    def service(self) -> switchover_service.Service:
        """What is moved."""
        return self.order.service

    def run(self) -> SwitchoverOutcome:
        """Do it, to the end or back to where it was.

        Raises :class:`lock.Busy` when somebody else is at it, and nothing was done.
        """
        order = self.order
        operation = lock.begun(
            order.verb, order.by, order.me, self.service.id, order.old, order.new
        )
        with lock.Holder(operation) as self._holder:
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
        way = {"way": self.order.way} if self.order.way else {}
        order = self.order
        return {"verb": order.verb, "by": order.by, "target": order.new, **way}

    def _so_far(self) -> dict[str, Any]:
        phases = [{"name": name, "seconds": round(s, 2)} for name, s in self.phases]
        return {"phases": phases, "calls": self.calls or None}

    # --- phases ------------------------------------------------------------------------------

    def _phase(self, name: str, **facts: Any) -> None:
        self._end_phase()
        self._open = self.clock()
        self.phases.append((name, 0.0))
        if self._holder is not None:
            self._holder.phase(name)
        self.tell(name, {**self._way(), **facts})

    def _end_phase(self) -> None:
        if self.phases:
            self.phases[-1] = (self.phases[-1][0], self.clock() - self._open)

    def _done(self) -> SwitchoverOutcome:
        if self.order.moved:
            self._remember(self.order.new)
            return self._verified(None, None, self._recovered())
        self._phase(CHECK)
        self._count()
        if self.order.bounds.drain:
            self._drain()
        try:
            if self._is_there_already():
                self._remember(self.order.new)
                return self._verified(None, None, self._recovered())
        except switchover_service.SwitchoverRefused as refused:
            return self._not_moved(refused)
        before = self._recovered()
        outcome, gap, seconds = self._moved()
        if outcome is not None:
            return replace(outcome, facts={**outcome.facts, "gap": gap})
        return self._verified(gap, seconds, before)

    def _is_there_already(self) -> bool:
        """Look once more, now that nobody else can be at it.

        An earlier switchover that was interrupted may have come to its end by itself. Raises
        :class:`service.Refused`.
        """
        order = self.order
        status = pacemaker_status.parse_status(tools.status())
        root = document.parse(tools.query())
        held = bans.held(root, self.service.id)
        if status.serving(self.service.id) == order.new and order.old in held:
            return True
        request.look_again(status, root, order)
        return False

    def _not_moved(self, refused: switchover_service.SwitchoverRefused) -> SwitchoverOutcome:
        self._resume()
        facts = {"old": self.order.old, "new": "", "why": "; ".join(refused.reasons)}
        return SwitchoverOutcome(False, str(refused), facts)

    def _broken_off(self, error: Exception) -> SwitchoverOutcome:
        moving = any(name == MOVE for name, _ in self.phases)
        if not (moving and self.service.drain):
            # One that serves on has to take calls; one that the agent drains resumes by itself.
            self._resume()
        comment = (
            f"The {self.order.verb} of {self.service.id} from {self.order.old} to "
            f"{self.order.new} was broken off: {error} "
        )
        comment += (
            "Look at fsha.status: a ban may be left, which fsha.failback lifts."
            if moving or self.order.moved
            else "Nothing was moved."
        )
        return SwitchoverOutcome(
            False, comment, {"old": self.order.old, "new": "", "why": str(error)}
        )

    def _forget_interrupted(self) -> None:
        """Forget earlier switchovers of this service that were interrupted: that is put right."""
        try:
            for one in lock.known():
                if one.service == self.service.id and one.new and self._is_over(one):
                    tools.forget(lock.ATTRIBUTE, one.node)
        except programs.RunError as error:
            log.warning("an interrupted switchover is still on record: %s", error)

    def _is_over(self, one: lock.Operation) -> bool:
        """Tell whether another operation has ended: while this one is held, none goes on."""
        return self._holder is None or one.node != self._holder.operation.node

    def _is_here(self) -> bool:
        """Tell whether the switch that carries the calls is this node's."""
        return self.order.me == self.order.old

    def _count(self) -> None:
        if not self._is_here() or self.order.from_nowhere:
            return
        try:
            found = self.switch.calls()
        except programs.RunError:
            return  # a switch that can't be asked is told by the checks
        expected = found.get("survive") if self.service.keeps else 0
        self.calls = {"before": found["legs"], "expected": expected, "kept": None}

    def _drain(self) -> None:
        """Refuse new calls, and wait until the others have ended or the time is up."""
        self._phase(DRAIN, seconds=self.order.bounds.drain)
        self._paused = True
        self.switch.pause()
        told: list[int] = []

        def legs() -> int:
            left = self.switch.legs()
            if told[-1:] != [left]:
                told.append(left)
                self.tell("draining", {**self._way(), "legs": left})
            return left

        left = poll.until(
            legs, lambda n: n == 0, self.order.bounds.drain, "the end of the calls", LOOK_EVERY
        )
        self._count()
        self.calls["drained"] = left == 0

    # --- the move ----------------------------------------------------------------------------

    def _moved(self) -> tuple[SwitchoverOutcome | None, float | None, float]:
        """Move it; return an outcome if that failed, the gap, and the seconds it took."""
        order = self.order
        self._phase(MOVE, old=order.old, new=order.new)
        # Noted before anything moves, so that failback knows the way even if this run is killed.
        tools.note(switchover_bans.PREVIOUS, order.old, order.pair)
        self._note_bans(*order.pair)
        begun = self.clock()
        watch = self._watch()
        with watch if watch else nullcontext():
            commit.change(self._with_bans(order.banned))
            seen = poll.until(
                lambda: pacemaker_status.parse_status(tools.status()),
                self._has_moved_or_failed,
                order.bounds.timeout + self.service.drain,
                f"{self.service.id} on {order.new}",
                LOOK_EVERY,
            )
            seconds = round(self.clock() - begun, 2)
            moved = seen.serving(self.service.id) == order.new
            outcome = None if moved else self._given_up(seen, seconds)
            if outcome is None or outcome.facts["returned"]:
                self._silent()
        if moved:
            self._remember(order.new)
        return outcome, watch.gap if watch else None, seconds

    def _remember(self, node: str) -> None:
        """Tell both nodes where it went, so that nobody takes it for a failover."""
        unplanned.remember(node, self.order.pair)

    def _with_bans(self, banned: Sequence[str]) -> Callable[[Any], Any]:
        return lambda root: bans.rebanned(root, self.service.id, banned, self.order.pair)

    def _has_moved_or_failed(self, seen: pacemaker_status.Status) -> bool:
        new = self.order.new
        moved = seen.serving(self.service.id) == new
        lost = bool(preflight.is_lost(seen, new))
        return moved or lost or preflight.has_failed(seen, self.service, new)

    def _watch(self) -> outage.Watch | None:
        port = self.order.bounds.sip_port
        if not port or not self.service.vips or tools.on_file():
            return None
        vip = self.service.vips[0]
        return outage.Watch(lambda: _takes_calls(vip, port, ASK_SECONDS))

    def _silent(self) -> list[str]:
        """Return the floating addresses that do not answer SIP OPTIONS."""
        port = self.order.bounds.sip_port
        if not port or tools.on_file():
            return []
        return [vip for vip in self.service.vips if not _answers(vip, port)]

    def _given_up(self, seen: pacemaker_status.Status, seconds: float) -> SwitchoverOutcome:
        """Let the service go back to the node it came from, and say why."""
        order = self.order
        lost = preflight.is_lost(seen, order.new)
        why = "; ".join([*([lost] if lost else ()), *seen.complaints(self.service.id)])
        # The target is what is banned now: whatever breaks off below, this is no ban made by hand.
        tools.note(switchover_bans.PREVIOUS, order.new, order.pair)
        commit.change(self._with_bans([order.new]))
        back = poll.until(
            lambda: pacemaker_status.parse_status(tools.status()),
            lambda s: s.serving(self.service.id) == order.old,
            RETURN_PATIENCE,
            f"{self.service.id} back on {order.old}",
            LOOK_EVERY,
        )
        returned = back.serving(self.service.id) == order.old
        if returned:
            kept = self._lift()
        else:
            # It serves nowhere: a ban would keep it so when the fault is mended.
            self._lift_all()
            kept = False
        if not kept:
            tools.note(switchover_bans.PREVIOUS, order.old, order.pair)
        self._resume()
        where = (
            f"It is back on {order.old}."
            if returned
            else f"It DOES NOT SERVE on {order.old} either."
        )
        comment = f"{order.new} did not take {self.service.id} over ({seconds:g} s): {why}. {where}"
        facts = {"old": order.old, "new": order.old if returned else "", "hold": kept}
        return SwitchoverOutcome(False, comment, {**facts, "why": why, "returned": returned})

    # --- afterwards --------------------------------------------------------------------------

    def _verified(
        self, gap: float | None, seconds: float | None, before: Mapping[str, str]
    ) -> SwitchoverOutcome:
        order = self.order
        self._phase(VERIFY)
        wrong = [
            f"nobody answers SIP on {vip} port {order.bounds.sip_port}" for vip in self._silent()
        ]
        wrong += self._twice()
        wrong += [f"the agent of {one} does not say that it is well" for one in self._unproven()]
        self._compare(before)
        self._phase(CLEAN_UP)
        self._resume()
        hold = self._lift()
        facts = {"old": order.old, "new": order.new, "seconds": seconds, "gap": gap, "hold": hold}
        if wrong:
            comment = (
                f"{self.service.id} runs on {order.new}, but {' and '.join(wrong)}. "
                f"Look at fsha.status on {order.new}; fsha.failback goes back."
            )
            return SwitchoverOutcome(False, comment, {**facts, "why": "; ".join(wrong)})
        return SwitchoverOutcome(True, self._comment(facts), facts)

    def _comment(self, facts: Mapping[str, Any]) -> str:
        order = self.order
        took = "" if facts["seconds"] is None else f" in {facts['seconds']} s"
        parts = [f"{self.service.id} moved from {order.old} to {order.new}{took} and serves there."]
        if order.moved:
            parts[0] = f"{self.service.id} serves on {order.new}; what was interrupted is done."
        if facts["gap"] is not None:
            parts.append(f"No new call was taken for {facts['gap']:g} s.")
        parts += self._told_calls()
        if facts["hold"]:
            parts.append(
                f"The configuration prefers {order.old}, so the ban of {order.old} is kept as a "
                "hold: it stays until fsha.failback."
            )
        return " ".join(parts)

    def _told_calls(self) -> list[str]:
        kept, expected = self.calls.get("kept"), self.calls.get("expected")
        if kept is None or not self.calls.get("before"):
            return []
        sure = "" if expected is None else f"; {expected} were expected to"
        return [f"{kept} of {self.calls['before']} call legs came back{sure}."]

    def _unproven(self) -> tuple[str, ...]:
        """Wait for the agents' own word on the new node; return those who do not give it."""
        if tools.on_file():
            return ()
        return poll.until(
            lambda: preflight.unproven(document.parse(tools.query()), self.service, self.order.new),
            lambda found: not found,
            AGENT_PATIENCE,
            "the first monitors on the new node",
            LOOK_EVERY,
        )

    def _twice(self) -> list[str]:
        """Return what the wire says against one holder of each floating address."""
        if tools.on_file():
            return []
        here = self.order.me == self.order.new
        return [
            said for vip in self.service.vips if (said := arp.disagreement(vip, held_here=here))
        ]

    def _recovered(self) -> dict[str, str]:
        """Return what the agents on the new node have noted of their last start."""
        return {
            id: tools.noted(f"{unplanned.RECOVERED}{id}").get(self.order.new, "")
            for id in self.service.sofia
        }

    def _compare(self, before: Mapping[str, str]) -> None:
        """Count the calls that the new node's agents have taken over."""
        if not self.service.sofia or self.order.moved:
            return
        after = poll.until(
            self._recovered,
            lambda found: all(found[id] != before.get(id) for id in self.service.sofia),
            RECOVERED_PATIENCE,
            "the number of recovered calls",
            LOOK_EVERY,
        )
        fresh = [text for id, text in after.items() if text and text != before.get(id)]
        if len(fresh) == len(self.service.sofia):
            self.calls.setdefault("before", None)
            self.calls["kept"] = sum(int(text.partition("@")[0]) for text in fresh)

    def _resume(self) -> None:
        """Let a switch that was drained take calls again, as a standby or because it serves on."""
        if not self._paused:
            return
        try:
            self.switch.resume()
            self._paused = False
        except programs.RunError as error:
            # stop_mode=recover has killed it; the new one is not paused.
            self.tell("resume", {**self._way(), "why": str(error)})

    def _lift(self) -> bool:
        """Lift the pair's bans when the service then stays; tell whether one is kept."""
        root = document.parse(tools.query())
        held = set(bans.bans(root, self.service.id)) & set(self.order.pair)
        lifted = self._with_bans([])(root)
        if held and not preflight.stays(preflight.simulate(lifted), self.service):
            self._note_bans(*sorted(held))
            return True
        self._lift_all()
        return False

    def _lift_all(self) -> None:
        commit.change(self._with_bans([]))
        self._note_bans(bans.NOBODY)

    def _note_bans(self, *nodes: str) -> None:
        """Tell whose bans are this switchover's, so that those made by hand are told apart."""
        name = f"{bans.BANNED}{self.service.id}"
        tools.note(name, " ".join(nodes), self.order.pair)
