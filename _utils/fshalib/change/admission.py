"""Whether a run may begin: the verdict on its whole change, before it touches a host.

    pillar → target → plan → own verdict ─┬→ nothing to do, or allowed: the run goes on
                                          ├→ refused: it ends
                                          └→ others have a word in it: they are waited for

Only the node with the calls can judge what interrupting them costs. Each node notes its verdict
(:mod:`agreement`), and the others wait for that note, and not for the commit: the commit needs the
files of both nodes.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from fshalib.change import agreement
from fshalib.change import guard as change_guard
from fshalib.change.guard import Verdict
from fshalib.change.plan import Guard, Make, Plan, is_untouched, make_plan, nothing_to_do
from fshalib.cib import document
from fshalib.cib.kinds import KINDS, ONE_IDS
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.objects import Object
from fshalib.cib.target import DesiredObjects
from fshalib.pacemaker import tools
from fshalib.pillar.config import Config
from fshalib.system import poll, programs
from fshalib.system.programs import Runner

PATIENCE = 30.0
"""Seconds that a node waits for the verdicts of others."""
LOOK_EVERY = 1.0
RECENT = {change_guard.ALLOWED: 120.0, change_guard.REFUSED: 3.0}
"""So many seconds before this run began a verdict may be noted and still be about the same change.

A run that was refused is often tried again, so of a refusal only the newest counts.
"""


@dataclass(frozen=True)
class Admission:
    """Whether a run may go on; without a plan there is no cluster yet."""

    plan: Plan | None

    @property
    def kind(self) -> str:
        """The verdict's kind, and ``allowed`` where there is no cluster yet."""
        return change_guard.ALLOWED if self.plan is None else self.plan.verdict.kind

    @property
    def by(self) -> str:
        """Another node whose verdict that is, if any."""
        return "" if self.plan is None else self.plan.verdict.by


def desired(config: Config) -> DesiredObjects:
    """Return all that a whole run stages for a pillar, as its commit will want it."""
    given = {item.kind for item in config.pacemaker.objects}
    bare = (
        Object(name, ONE_IDS[name], {"sets": NO_SETS})
        for name, kind in KINDS.items()
        if kind.one and name not in given
    )
    objects = (*config.pacemaker.objects, *bare)
    return DesiredObjects(objects, complete=True, purge=config.cluster.unmanaged == "purge")


@dataclass(frozen=True)
class Door:
    """How a run is judged before it begins, and how long other nodes' verdicts are waited for."""

    guard: Guard = field(default_factory=Guard)
    patience: float = PATIENCE
    run: Runner = programs.run
    sleep: Callable[[float], object] = time.sleep

    def admit(self, make: Make, *, test: bool, objections: Sequence[str] = ()) -> Admission:
        """Return whether a run may go on.

        make
            Makes the run's target out of the live CIB.
        test
            Nothing is noted, and nobody waited for.
        objections
            What else on this host speaks against the run, see :mod:`objections`.

        A host without a cluster is not judged. Raises :class:`errors.LiveError`.
        """
        try:
            plan = self._plan(make)
        except (programs.ToolMissing, tools.ClusterDown):
            return Admission(None)
        plan = objected(plan, objections)
        if test or plan.target.empty:
            return Admission(plan)
        if plan.verdict.kind == change_guard.ELSEWHERE:
            return self._agreed(plan, make)
        self._note(plan.verdict, agreement.mark(plan.target))
        return Admission(plan)

    def _plan(self, make: Make) -> Plan:
        """Return the plan; a refusal counts only if no other node has changed the cluster since."""
        cib = tools.query(self.run)
        plan = make_plan(cib, make, self.guard, self.run)
        if plan.verdict.kind == change_guard.REFUSED and not is_untouched(cib, self.run):
            plan = make_plan(tools.query(self.run), make, self.guard, self.run)
        return plan

    def _note(self, verdict: Verdict, about: str) -> None:
        agreement.write(verdict, about, self.guard.now().timestamp(), self.run)

    def _agreed(self, plan: Plan, make: Make) -> Admission:
        """Note this node's verdict, and return the one that the nodes come to in time."""
        begun = self.guard.now().timestamp()
        since = {kind: begun - seconds for kind, seconds in RECENT.items()}
        noted: set[str] = set()
        silent: list[str] = []

        def look() -> Admission:
            target = make(document.parse(tools.query(self.run)))
            if target.empty:
                return Admission(nothing_to_do(target))
            about = agreement.mark(target)
            if about not in noted:
                # A change of somebody else's gives the same target another mark.
                self._note(plan.verdict, about)
                noted.add(about)
            notes = agreement.read(about, since, self.run)
            silent[:] = agreement.missing(plan.verdict, notes)
            verdict = agreement.agreed(plan.verdict, notes, self.guard.policy.calls)
            return Admission(replace(plan, verdict=verdict))

        admission = poll.until(
            look,
            lambda seen: seen.kind != change_guard.ELSEWHERE,
            self.patience,
            "the verdict of the node with the calls",
            interval=LOOK_EVERY,
            sleep=self.sleep,
        )
        if admission.kind != change_guard.ELSEWHERE:
            return admission
        agreement.withdraw(self.run)
        verdict = agreement.unanswered(plan.verdict, silent, self.patience)
        return Admission(replace(plan, verdict=verdict))


def objected(plan: Plan, objections: Sequence[str]) -> Plan:
    """Return a plan that is refused for what else on this host speaks against the run."""
    if not objections:
        return plan
    verdict = replace(
        plan.verdict,
        kind=change_guard.REFUSED,
        reason="; ".join(text.rstrip(".") for text in objections),
        cost="the run would fail halfway",
        allow="mend that first",
        awaits=(),
    )
    return replace(plan, verdict=verdict)
