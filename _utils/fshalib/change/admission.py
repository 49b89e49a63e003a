"""Whether a run may begin: the verdict on its whole change, before it touches a host.

    pillar → target → plan → verdict ─┬→ nothing to do, or allowed: the run goes on
                                      ├→ refused: it ends
                                      └→ elsewhere: the node with the calls notes its verdict

Only the node with the calls can judge what interrupting them costs. It notes its verdict in a
transient attribute, beside a mark of the configuration that it is about. The other node waits for
that note, and not for the commit: the commit needs the files of both nodes.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from fshalib.change import guard as change_guard
from fshalib.change.guard import Verdict
from fshalib.change.plan import Guard, Make, Plan, make_plan, nothing_to_do
from fshalib.cib import document
from fshalib.cib.document import Element
from fshalib.cib.kinds import KINDS, ONE_IDS
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.objects import Object
from fshalib.cib.target import DesiredObjects, Target
from fshalib.pacemaker import tools
from fshalib.pillar.config import Config
from fshalib.system import poll, programs
from fshalib.system.programs import Runner

NOTE = "fsha-verdict"
"""The transient attribute in which a node notes its verdict for the others."""
PATIENCE = 30.0
"""Seconds that a node waits for the verdict of the one that carries the calls."""
LOOK_EVERY = 1.0
RECENT = {change_guard.ALLOWED: 120.0, change_guard.REFUSED: 3.0}
"""So many seconds before this run began a verdict may be noted and still be about the same change.

A run that was refused is often tried again, so of a refusal only the newest counts.
"""


@dataclass(frozen=True)
class Admission:
    """Whether a run may go on; ``by`` is another node whose verdict that is."""

    plan: Plan | None
    by: str = ""

    @property
    def kind(self) -> str:
        """The verdict's kind, and ``allowed`` where there is no cluster yet."""
        return change_guard.ALLOWED if self.plan is None else self.plan.verdict.kind


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
    """How a run is judged before it begins, and how long another node's verdict is waited for."""

    guard: Guard = field(default_factory=Guard)
    patience: float = PATIENCE
    run: Runner = programs.run
    sleep: Callable[[float], object] = time.sleep

    def admit(self, make: Make, *, test: bool) -> Admission:
        """Return whether a run may go on.

        make
            Makes the run's target out of the live CIB.
        test
            Nothing is noted, and nobody waited for.

        A host without a cluster, and a cluster that is as wanted, are not judged. Raises
        :class:`errors.LiveError`.
        """
        try:
            plan = make_plan(tools.query(self.run), make, self.guard, self.run)
        except (programs.ToolMissing, tools.ClusterDown):
            return Admission(None)
        if test or not plan.verdict.interrupted:
            return Admission(plan)
        if plan.verdict.kind == change_guard.ELSEWHERE:
            return self._elsewhere(plan, make)
        self._note(plan)
        return Admission(plan)

    def _note(self, plan: Plan) -> None:
        """Let the other nodes know the verdict of this one."""
        value = f"{plan.verdict.kind}:{mark(plan.target)}:{self.guard.now().timestamp():.0f}"
        if not tools.on_file():
            tools.note(NOTE, value, [tools.local_node(self.run)], self.run)

    def _elsewhere(self, plan: Plan, make: Make) -> Admission:
        """Return the verdict of the node with the calls, or a refusal when it gives none."""
        begun = self.guard.now().timestamp()

        def look() -> Admission:
            target = make(document.parse(tools.query(self.run)))
            if target.empty:
                return Admission(nothing_to_do(target))
            kind, node = verdict_in(tools.noted(NOTE, self.run), mark(target), begun)
            return Admission(replace(plan, verdict=_of(plan.verdict, kind, node)), node)

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
        verdict = plan.verdict
        reason = f"{verdict.reason}, and no verdict came from there within {self.patience:.0f} s"
        return Admission(replace(plan, verdict=replace(verdict, reason=reason)))


def mark(target: Target) -> str:
    """Return a short hash of a target: the same on two nodes that want the same of the same CIB.

    The target has passwords and the hash stands in the CIB, so it is one that is slow to guess by.
    """
    text = document.render(cast(Element, target.root.find("configuration")))
    return hashlib.scrypt(text.encode(), salt=b"fsha", n=2**14, r=8, p=1, dklen=8).hex()


def verdict_in(noted: Mapping[str, str], about: str, begun: float) -> tuple[str, str]:
    """Return the kind of the verdict that another node has noted, and that node.

    noted
        The attribute of each node that has it.
    about
        The mark of the target in question.
    begun
        When this run began (epoch, seconds).

    Without one it is ``elsewhere``.
    """
    for node, value in noted.items():
        kind, _, rest = value.partition(":")
        of, _, at = rest.partition(":")
        if kind in RECENT and of == about and at.isdigit() and int(at) >= begun - RECENT[kind]:
            return kind, node
    return change_guard.ELSEWHERE, ""


def _of(mine: Verdict, kind: str, node: str) -> Verdict:
    if kind == change_guard.ELSEWHERE:
        return mine
    word = "allows it" if kind == change_guard.ALLOWED else "refuses it, see its own return"
    return replace(mine, kind=kind, reason=f"{node}, which counts the calls, {word}", allow="")
