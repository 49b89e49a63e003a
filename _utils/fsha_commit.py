"""From what is wanted to a committed CIB: plan, patch, commit, settle.

    live CIB + wanted → target → crm_verify → crm_simulate → versioned patch → settle

The patch carries the version that was read. When the CIB has moved meanwhile the cluster
refuses it, and all of it is read and planned again: a bounded number of times, with jitter,
because two nodes that apply at the same moment would otherwise meet again and again.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import fsha_cib
import fsha_cluster
import fsha_normal
import fsha_plan
import fsha_run
import fsha_status
from fsha_run import Runner

T = TypeVar("T")

ATTEMPTS = 12
JITTER = 0.5


@dataclass(frozen=True)
class Plan:
    """What would be done, before it is done; without ``judged``, nobody could be asked."""

    target: fsha_cib.Target
    transition: fsha_plan.Transition
    warnings: tuple[str, ...] = ()
    judged: bool = True

    @property
    def empty(self) -> bool:
        """Whether the CIB is already as it is wanted."""
        return self.target.empty


@dataclass(frozen=True)
class Outcome:
    """What a commit has done."""

    plan: Plan
    committed: bool
    attempts: int
    settled: bool = True
    problems: tuple[str, ...] = ()
    version: str = ""


class Contended(fsha_run.RunError):
    """The CIB changed under every attempt."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts
        super().__init__(
            f"Not committed: the CIB changed under each of {attempts} attempts. "
            "Somebody else is changing the cluster; run again when it is quiet."
        )


NO_TRANSITION = fsha_plan.Transition(actions=(), placement={})


def make_plan(cib: str, wanted: fsha_cib.Wanted, run: Runner = fsha_run.run) -> Plan:
    """Return what has to be done to a CIB, and what the cluster would do about it.

    cib
        The text of the live CIB.
    wanted
        The objects that it should hold.

    Raises :class:`fsha_cib.CibError`, :class:`fsha_run.RunError`.
    """
    target = fsha_cib.target(fsha_cib.parse(cib), wanted)
    if target.empty:
        return Plan(target, NO_TRANSITION)
    fsha_cib.next_version(target.root)
    text = fsha_cib.render(target.root)
    warnings = fsha_cluster.verify(text, run)
    transition = fsha_plan.parse_transition(fsha_cluster.simulate(text, run))
    return Plan(target, transition, warnings)


def make_first_plan(cib: str, wanted: fsha_cib.Wanted) -> Plan:
    """Return the plan for a host that has none of the cluster's tools yet.

    Raises :class:`fsha_cib.CibError`.
    """
    return Plan(fsha_cib.target(fsha_cib.parse(cib), wanted), NO_TRANSITION, judged=False)


def commit(
    wanted: fsha_cib.Wanted,
    settle: float = 120.0,
    run: Runner = fsha_run.run,
    sleep: Callable[[float], object] = time.sleep,
) -> Outcome:
    """Bring the live CIB to what is wanted, as one patch, and wait until it has settled.

    wanted
        The objects that the CIB should hold.
    settle
        Seconds to wait for the end of the transition.

    Raises :class:`Contended`, :class:`fsha_cib.CibError`, :class:`fsha_run.RunError`; the
    CIB is then untouched. What goes wrong after the commit is in the outcome's ``problems``.
    """

    def attempt(number: int) -> Outcome:
        cib = fsha_cluster.query(run)
        plan = make_plan(cib, wanted, run)
        if plan.empty:
            return Outcome(plan, committed=False, attempts=number)
        patch = fsha_cluster.patch(cib, fsha_cib.render(plan.target.root), run)
        fsha_cluster.apply_patch(patch, run)
        return _finish(plan, number, settle, run)

    return _on_a_fresh_cib(attempt, sleep)


def change(
    edit: Callable[[fsha_cib.Element], fsha_cib.Element],
    run: Runner = fsha_run.run,
    sleep: Callable[[float], object] = time.sleep,
) -> bool:
    """Commit an edit of the CIB that is no configuration object, such as a ban.

    edit
        Returns the target for the CIB that it is given, which it leaves as it is.

    Returns whether there was anything to write. Raises as :func:`commit` does.
    """

    def attempt(_number: int) -> bool:
        cib = fsha_cluster.query(run)
        live = fsha_cib.parse(cib)
        target = edit(live)
        if fsha_cib.render(live) == fsha_cib.render(target):
            return False
        fsha_cib.next_version(target)
        fsha_cluster.apply_patch(fsha_cluster.patch(cib, fsha_cib.render(target), run), run)
        return True

    return _on_a_fresh_cib(attempt, sleep)


def _on_a_fresh_cib(attempt: Callable[[int], T], sleep: Callable[[float], object]) -> T:
    """Return what an attempt comes to that nobody's change has made stale."""
    for number in range(1, ATTEMPTS + 1):
        try:
            return attempt(number)
        except fsha_cluster.StaleCib:  # noqa: PERF203  trying again is the loop
            sleep(random.uniform(0.05, JITTER))  # noqa: S311  jitter needs no secrecy
    raise Contended(ATTEMPTS)


def _finish(plan: Plan, attempts: int, seconds: float, run: Runner) -> Outcome:
    """Wait for the end of the transition; nothing from here on undoes the commit."""
    version = str(fsha_cib.version(plan.target.root))
    settled = True
    try:
        settled = _settled(seconds, run)
        problems = _problems(plan, run)
        # Pacemaker adds an epoch of its own to that of the patch.
        version = str(fsha_cib.version(fsha_cib.parse(fsha_cluster.query(run))))
    except fsha_run.RunError as error:
        problems = (f"what came of it is not known, since the cluster can't be asked: {error}",)
    return Outcome(plan, True, attempts, settled, problems, version)


def _settled(seconds: float, run: Runner) -> bool:
    try:
        fsha_cluster.settle(seconds, run)
    except fsha_cluster.NotSettled:
        return False
    return True


def _problems(plan: Plan, run: Runner) -> tuple[str, ...]:
    """Return what failed of the resources that the plan touches."""
    if fsha_cluster.on_file():
        return ()
    status = fsha_status.parse_status(fsha_cluster.status(run))
    touched = {action.resource for action in plan.transition.actions}
    failed = [str(f) for f in status.failures if f.resource in touched]
    stuck = [
        f"{r.id} is {'blocked' if r.blocked else 'failed'} on {', '.join(r.nodes) or 'no node'}"
        for r in status.resources
        if r.id in touched and (r.blocked or r.failed)
    ]
    return tuple(dict.fromkeys(failed + stuck))


def as_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data for Salt's returns and events."""
    return {
        "changes": fsha_normal.masked(plan.target.changes),
        "drifted": list(plan.target.drifted),
        "unmanaged": list(plan.target.unmanaged),
        "transition": [str(action) for action in plan.transition.actions],
    }


def summary(plan: Plan) -> str:
    """Return a plan in a few lines for people."""
    shown = fsha_normal.masked(plan.target.changes)
    lines = [f"{name}: {_delta(delta)}" for name, delta in shown.items()]
    if not lines and not plan.empty:
        lines.append("only the list of what fsha manages changes")
    actions = "; ".join(str(action) for action in plan.transition.actions)
    if plan.judged:
        lines.append(f"The cluster would then: {actions or 'do nothing'}.")
    else:
        lines.append("What the cluster would then do can't be told before it is installed.")
    lines.extend(f"crm_verify warns: {warning}" for warning in plan.warnings)
    return "\n".join(lines)


def _delta(delta: Mapping[str, Mapping[str, Any]]) -> str:
    parts = []
    for path, change in delta.items():
        if path == "object":
            parts.append("removed" if change["new"] is None else "new")
        else:
            parts.append(f"{path} {_shown(change['old'])} → {_shown(change['new'])}")
    return ", ".join(parts)


def _shown(value: Any) -> str:
    return "(none)" if value is None else str(value)
