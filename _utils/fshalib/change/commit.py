"""From what is wanted to a committed CIB: plan, judge, patch, commit, settle.

    live CIB + wanted → target → crm_verify → crm_simulate → verdict → versioned patch → settle

The patch carries the version that was read. When the CIB has moved meanwhile the cluster
refuses it, and all of it is read and planned again: a bounded number of times, with jitter,
because two nodes that apply at the same moment would otherwise meet again and again.
"""

import random
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timezone
from pathlib import Path
from typing import TypeVar

from fshalib.change import guard as change_guard
from fshalib.change import restore_points, stop_first
from fshalib.change.plan import Guard, Make, Plan, make_plan, nothing_to_do, summary
from fshalib.cib import document, leaving
from fshalib.cib.document import Element
from fshalib.cib.target import Target
from fshalib.errors import CommitError, LiveError
from fshalib.pacemaker import simulate, tools, transient
from fshalib.pacemaker import status as pacemaker_status
from fshalib.system import programs
from fshalib.system.programs import Runner

T = TypeVar("T")

ATTEMPTS = 12
JITTER = 0.5
ELSEWHERE_PATIENCE = 60.0
"""Seconds that a node waits for the one that carries the calls to make the same change."""
LOOK_EVERY = 2.0


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


class NotStopped(CommitError):
    """What should be removed does not stop; it stays in the configuration."""

    def __init__(self, places: Mapping[str, tuple[str, ...]], why: tuple[str, ...]) -> None:
        self.places, self.why = places, why
        running = ", ".join(f"{id} on {' and '.join(nodes)}" for id, nodes in places.items())
        reason = f": {'; '.join(why)}" if why else ""
        super().__init__(
            f"Not removed, since it still runs: {running}{reason}. The cluster was told to stop "
            "it; the next run goes on from there."
        )


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
        untouched, but for :class:`NotStopped`. What goes wrong after the commit is in the
        outcome's ``problems``.
        """
        outcome = self._on_a_fresh_cib(lambda number: self._attempt(make, what, number))
        if outcome.plan.verdict.kind == change_guard.ELSEWHERE and not outcome.committed:
            return self._left_to_another(make, outcome)
        return outcome

    def _attempt(self, make: Make, what: str, number: int) -> CommitOutcome:
        cib = self._query_at_rest()
        plan = make_plan(cib, make, self.guard, self.run)
        if plan.empty or plan.verdict.kind == change_guard.ELSEWHERE:
            return CommitOutcome(plan, committed=False, attempts=number)
        if not plan.verdict.allowed:
            raise CommitRefused(plan)
        point = self._save(cib, plan, what)
        parked = self._parked(plan)
        try:
            self._write(cib, plan.target.root if parked is None else parked)
        except tools.StaleCib:
            # Nothing was written, so there is nothing to go back from.
            self._discard(point)
            raise
        except programs.RunError:
            if self._is_untouched(cib):
                self._discard(point)
            raise
        written = plan.target if parked is None else self._remove_what_stopped(plan, make)
        return self._finish(plan, number, point, written)

    def _is_untouched(self, cib: str) -> bool:
        """Tell whether the configuration still is what it was; not if it can't be asked."""
        try:
            now = document.version(document.parse(tools.query(self.run)))
        except LiveError:
            return False
        before = document.version(document.parse(cib))
        return (now.admin_epoch, now.epoch) == (before.admin_epoch, before.epoch)

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
        parked = stop_first.stopped_first(plan.target, plan.transition.before, self.name)
        if parked is not None:
            document.next_version(parked)
        return parked

    def _remove_what_stopped(self, plan: Plan, make: Make) -> Target:
        """Go on to the target once all that is removed has stopped, and return that target."""
        self._settled()
        status = pacemaker_status.parse_status(tools.status(self.run))
        gone = plan.target.removed
        left = {r.id: r.nodes for r in status.resources if r.id in gone and r.nodes}
        if left:
            # Others need not wait for a run that has ended.
            change(leaving.left_halfway, self.run, self.sleep)
            raise NotStopped(left, tuple(str(f) for f in status.failures if f.resource in left))
        return self._on_a_fresh_cib(lambda _number: self._reach(make))

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

    def _on_a_fresh_cib(self, attempt: Callable[[int], T]) -> T:
        return on_a_fresh_cib(attempt, self.sleep)

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
        """Return what has failed since of the resources that the plan touches, or keeps them back.

        Failures that were there before, and that nobody has cleaned up, are not this commit's.
        """
        if tools.on_file():
            return ()
        status = pacemaker_status.parse_status(tools.status(self.run))
        touched = {simulate.without_instance(a.resource) for a in plan.transition.actions}
        known = _known_failures(plan.target.live)
        fresh = [f for f in status.failures if (f.node, f.op_key, f.call) not in known]
        failed = [str(failure) for failure in fresh if failure.resource in touched]
        stuck = [
            f"{r.id} is {'blocked' if r.blocked else 'failed'} on {', '.join(r.nodes) or 'no node'}"
            for r in status.resources
            if r.id in touched and (r.blocked or r.failed)
        ]
        return tuple(dict.fromkeys(failed + stuck)) or tuple(_held_back(plan, status))

    def _left_to_another(self, make: Make, outcome: CommitOutcome) -> CommitOutcome:
        """Wait until the node that carries the calls has made the same change."""
        end = time.monotonic() + min(ELSEWHERE_PATIENCE, self.settle)
        while time.monotonic() < end:
            target = make(document.parse(tools.query(self.run)))
            if target.empty:
                return CommitOutcome(nothing_to_do(target), False, outcome.attempts)
            self.sleep(LOOK_EVERY)
        raise CommitRefused(outcome.plan)


def _known_failures(live: Element) -> frozenset[tuple[str, str, str]]:
    """Return the failed operations that a CIB remembers: node, key, and number of the call."""
    return frozenset(
        (state.get("uname", ""), op.get("operation_key", ""), op.get("call-id", ""))
        for state in live.iterfind("status/node_state")
        for op in state.iterfind("lrm/lrm_resources/lrm_resource/lrm_rsc_op")
        if op.get("id", "").endswith("_last_failure_0")
    )


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


def _held_back(plan: Plan, status: pacemaker_status.Status) -> list[str]:
    """Return what was changed but starts nowhere, since it has failed at an earlier time."""
    changed = plan.target.changes
    idle = [r.id for r in status.resources if r.id in changed and not (r.nodes or r.failed)]
    failed = {id: [c.node for c in status.fail_counts if c.resource == id] for id in idle}
    return [
        f"{id} runs on no node: it failed earlier on {' and '.join(nodes)}, and the cluster "
        f"remembers that; 'crm_resource --cleanup --resource {id}' lets it try again"
        for id, nodes in failed.items()
        if nodes
    ]
