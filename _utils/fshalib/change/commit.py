"""From what is wanted to a committed CIB: plan, judge, patch, commit, settle.

    live CIB + wanted → target → crm_verify → crm_simulate → verdict → versioned patch → settle

The patch carries the version that was read. When the CIB has moved meanwhile the cluster
refuses it, and all of it is read and planned again: a bounded number of times, with jitter,
because two nodes that apply at the same moment would otherwise meet again and again.
"""

import random
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import timezone
from pathlib import Path
from typing import TypeVar

from fshalib.change import aftermath, agreement, parting, restore_points, stop_first
from fshalib.change import guard as change_guard
from fshalib.change.guard import Verdict
from fshalib.change.plan import (
    Guard,
    Make,
    Plan,
    is_untouched,
    make_plan,
    nothing_to_do,
    summary,
)
from fshalib.cib import document, leaving
from fshalib.cib.document import Element
from fshalib.cib.target import Target
from fshalib.errors import CommitError
from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker import tools, transient
from fshalib.system import programs
from fshalib.system.programs import Runner

T = TypeVar("T")

ATTEMPTS = 12
JITTER = 0.5
ELSEWHERE_PATIENCE = 60.0
"""Seconds that a node waits for the word of the others, or for one of them to make the change."""
LOOK_EVERY = 2.0
RECOUNT = 10.0
"""Seconds after which a node that waits counts its calls again."""
FRESH = {change_guard.ALLOWED: 20.0, change_guard.REFUSED: 60.0}
"""So many seconds a verdict counts for the commit. A node notes an older one again while it waits;
one that refuses has ended its run.
"""


@dataclass(frozen=True)
class Points:
    """Where restore points go, how many are kept, and whose they are."""

    directory: Path
    keep: int = 20
    node: str = ""
    author: str = ""
    kind: str = restore_points.COMMIT


@dataclass(frozen=True)
class CommitOutcome:
    """What a commit has done."""

    plan: Plan
    committed: bool
    attempts: int
    settled: bool = True
    problems: tuple[str, ...] = ()
    version: str = ""
    point: int | None = None


class Contended(CommitError):
    """The CIB changed under every attempt."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        super().__init__(
            f"Not committed: the CIB changed under each of {attempts} attempts. "
            "Somebody else is changing the cluster; run again when it is quiet."
        )


class CommitRefused(CommitError):
    """The guard does not allow a change; nothing was written."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__(f"Not committed. {plan.verdict}")


# --- commits ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Committer:
    """How a change is committed: with what guard, with what restore points, how patiently.

    settle
        Seconds to wait for the end of a transition.
    name
        What this run is known by to others while it removes something.
    """

    guard: Guard = field(default_factory=Guard)
    points: Points | None = None
    settle: float = 120.0
    run: Runner = programs.run
    sleep: Callable[[float], object] = time.sleep
    name: str = field(default_factory=lambda: secrets.token_hex(4))

    def commit(self, make: Make, what: str = "") -> CommitOutcome:
        """Bring the live CIB to a target, as one patch, and wait until it has settled.

        make
            Makes the target out of the live CIB.
        what
            The transaction's name, for the restore point.

        A resource that is removed while it runs is stopped first, by a patch of its own.

        Raises :class:`Refused`, :class:`Contended`, :class:`target.CibError`,
        :class:`restore_points.HistoryError`, :class:`programs.RunError`; the CIB is then
        untouched, but for :class:`parting.NotStopped`. What goes wrong after the commit is in the
        outcome's ``problems``.
        """
        outcome = self._once(make, what)
        if outcome.committed or outcome.plan.empty:
            return outcome
        return self._waited(make, what, outcome)

    def _once(self, make: Make, what: str) -> CommitOutcome:
        return on_a_fresh_cib(lambda number: self._attempt(make, what, number), self.sleep)

    def _attempt(self, make: Make, what: str, number: int) -> CommitOutcome:
        cib = self._query_at_rest()
        plan = make_plan(cib, make, self.guard, self.run)
        if plan.empty:
            return CommitOutcome(plan, committed=False, attempts=number)
        if plan.verdict.kind == change_guard.REFUSED and not is_untouched(cib, self.run):
            # Another node has made a change meanwhile, perhaps this one, and calls could not be
            # counted for that very reason.
            raise tools.StaleCib
        about = agreement.mark(plan.target)
        self._note(plan.verdict, about)
        verdict, _silent = self._agreed(plan, about)
        if verdict.kind == change_guard.REFUSED:
            raise CommitRefused(replace(plan, verdict=verdict))
        if not _may_write(verdict):
            return CommitOutcome(plan, committed=False, attempts=number)
        plan = replace(plan, verdict=verdict)
        point = self._save(cib, plan, what)
        parked = self._parked(plan)
        try:
            self._write(cib, plan.target.root if parked is None else parked)
        except tools.StaleCib:
            # Nothing was written, so there is nothing to go back from.
            self._discard(point)
            raise
        except programs.RunError:
            if is_untouched(cib, self.run):
                self._discard(point)
            raise
        written = plan.target if parked is None else self._remove_what_stopped(plan, make)
        return self._finish(plan, number, point, written)

    def _query_at_rest(self) -> str:
        """Return the CIB once no other run is removing anything.

        What a run that has died has left halfway, this one finishes when the time is over.
        """
        end = time.monotonic() + self.settle
        while True:
            cib = tools.query(self.run)
            others = leaving.leaving(document.parse(cib)) - {self.name}
            if not others or time.monotonic() >= end:
                return cib
            self.sleep(LOOK_EVERY)

    def _parked(self, plan: Plan) -> Element | None:
        """Return the CIB in which what is removed is stopped first, if any of it runs."""
        if tools.on_file():
            return None
        parked = stop_first.stopped_first(
            plan.target, plan.transition.before, self.name, self.guard.service
        )
        if parked is not None:
            document.next_version(parked)
        return parked

    def _remove_what_stopped(self, plan: Plan, make: Make) -> Target:
        """Go on to the target once all that is removed has stopped, and return that target."""
        self._settled()
        try:
            parting.part(plan.target, self.guard.service, self.run, self.sleep)
        except parting.NotStopped:
            # Others need not wait for a run that has ended.
            change(leaving.left_halfway, self.run, self.sleep)
            raise
        return on_a_fresh_cib(lambda _number: self._reach(make), self.sleep)

    def _reach(self, make: Make) -> Target:
        """Write the target, made anew, for stopping has changed the status and so the version."""
        cib = tools.query(self.run)
        target = make(document.parse(cib))
        if not target.empty:
            document.next_version(target.root)
            self._write(cib, target.root)
        return target

    def _write(self, cib: str, target: Element) -> None:
        patch = tools.patch(cib, document.render(target), self.run)
        tools.apply_patch(patch, self.run)

    # --- restore points

    def _save(self, cib: str, plan: Plan, what: str) -> int | None:
        if self.points is None:
            return None
        note = restore_points.Note(
            when=self.guard.now().astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            node=self.points.node,
            author=self.points.author,
            transaction=what,
            version=str(document.version(plan.target.live)),
            kind=self.points.kind,
            summary=tuple(summary(plan).splitlines()),
        )
        return restore_points.save(self.points.directory, cib, note, self.points.keep)

    def _discard(self, point: int | None) -> None:
        if self.points is not None and point is not None:
            restore_points.discard(self.points.directory, point)

    def _complete(self, point: int | None, version: str) -> None:
        if self.points is not None and point is not None:
            restore_points.complete(self.points.directory, point, version)

    # --- what comes after the commit

    def _finish(
        self, plan: Plan, attempts: int, point: int | None, written: Target
    ) -> CommitOutcome:
        """Wait for the end of the transition; nothing from here on undoes the commit."""
        version = document.version(written.root)
        settled = True
        try:
            # Pacemaker adds an epoch of its own to that of the patch; others may have gone on.
            last = document.Version(version.admin_epoch, version.epoch + 1, 0)
            found = document.version(document.parse(tools.query(self.run)))
            version = found if found.epoch <= last.epoch else last
            settled = self._settled()
            problems = self._problems(plan)
            self._forget_failures(plan.target.removed)
        except programs.RunError as error:
            problems = (f"what came of it is not known, since the cluster can't be asked: {error}",)
        try:
            self._complete(point, str(version))
        except restore_points.HistoryError as error:
            problems = (*problems, f"the restore point has no note of the commit: {error}")
        return CommitOutcome(plan, True, attempts, settled, problems, str(version), point)

    def _forget_failures(self, removed: Collection[str]) -> None:
        """Remove the fail counts of what is gone: with them it could not start if it came back."""
        if tools.on_file() or not removed:
            return
        live = document.parse(tools.query(self.run))
        for node, name in transient.failures(live, removed):
            tools.forget(name, node, self.run)

    def _settled(self) -> bool:
        try:
            tools.settle(self.settle, self.run)
        except tools.NotSettled:
            return False
        return True

    def _problems(self, plan: Plan) -> tuple[str, ...]:
        """Return what has failed since of the resources that the plan touches."""
        if tools.on_file():
            return ()
        return aftermath.problems(plan, pacemaker_status.parse_status(tools.status(self.run)))

    # --- a change in which other nodes have a word

    def _agreed(self, plan: Plan, about: str) -> tuple[Verdict, list[str]]:
        """Return the verdict that the nodes come to, and the nodes whose word is missing."""
        own, now = plan.verdict, self.guard.now().timestamp()
        if own.kind == change_guard.REFUSED:
            return own, []
        since = {kind: now - seconds for kind, seconds in FRESH.items()}
        notes = agreement.read(about, since, self.run)
        if own.kind == change_guard.ELSEWHERE:
            verdict = agreement.agreed(own, notes, self.guard.policy.calls)
            return verdict, agreement.missing(own, notes)
        override = self.guard.policy.override
        return own if override else agreement.vetoed(own, notes, self.run), []

    def _note(self, verdict: Verdict, about: str) -> None:
        """Let the nodes know this one's verdict that wait for it."""
        if verdict.awaits or verdict.kind == change_guard.REFUSED:
            agreement.write(verdict, about, self.guard.now().timestamp(), self.run)

    def _waited(self, make: Make, what: str, outcome: CommitOutcome) -> CommitOutcome:
        """Wait until the nodes have agreed, or another one has made the same change."""
        patience = min(ELSEWHERE_PATIENCE, self.settle)
        begun = counted = time.monotonic()
        verdict, silent = outcome.plan.verdict, list(outcome.plan.verdict.awaits)
        while time.monotonic() < begun + patience:
            target = make(document.parse(tools.query(self.run)))
            if target.empty:
                return CommitOutcome(nothing_to_do(target), False, outcome.attempts)
            verdict, silent = self._agreed(outcome.plan, agreement.mark(target))
            if verdict.kind == change_guard.REFUSED:
                break
            if _may_write(verdict) or time.monotonic() >= counted + RECOUNT:
                # Calls come and go, so this node counts again, and notes it.
                outcome, counted = self._once(make, what), time.monotonic()
                if outcome.committed or outcome.plan.empty:
                    return outcome
            self.sleep(LOOK_EVERY)
        if not tools.on_file():
            agreement.withdraw(self.run)
        if verdict.kind != change_guard.REFUSED:
            verdict = agreement.unanswered(outcome.plan.verdict, silent, patience)
        raise CommitRefused(replace(outcome.plan, verdict=verdict))


def _may_write(verdict: Verdict) -> bool:
    """Tell whether this node may make a change, and does not leave it to another one."""
    return verdict.allowed and not verdict.watches


def change(
    edit: Callable[[Element], Element],
    run: Runner = programs.run,
    sleep: Callable[[float], object] = time.sleep,
) -> bool:
    """Commit an edit of the CIB that is no configuration object, such as a ban.

    edit
        Returns the target for the CIB that it is given, which it leaves as it is.

    Returns whether there was anything to write. Raises as :meth:`Committer.commit` does.
    """

    def attempt(_number: int) -> bool:
        cib = tools.query(run)
        live = document.parse(cib)
        target = edit(live)
        if document.render(live) == document.render(target):
            return False
        document.next_version(target)
        tools.apply_patch(tools.patch(cib, document.render(target), run), run)
        return True

    return on_a_fresh_cib(attempt, sleep)


def on_a_fresh_cib(attempt: Callable[[int], T], sleep: Callable[[float], object]) -> T:
    """Return what an attempt comes to that nobody's change has made stale."""
    for number in range(1, ATTEMPTS + 1):
        try:
            return attempt(number)
        except tools.StaleCib:  # noqa: PERF203  trying again is the loop
            sleep(random.uniform(0.05, JITTER))  # noqa: S311  jitter needs no secrecy
    raise Contended(ATTEMPTS)
