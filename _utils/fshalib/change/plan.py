"""The plan of a change: target, what the cluster would do about it, and the guard's verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from fshalib.agents import FREESWITCH
from fshalib.change import guard as change_guard
from fshalib.change import (
    interruption,
    restore,
    stop_first,
    validation,
    verification,
    watchdog,
)
from fshalib.change.guard import Calls, Verdict, Way
from fshalib.change.validation import Judgement
from fshalib.cib import compare, document, normalize
from fshalib.cib import secrets as cib_secrets
from fshalib.cib import target as cib_target
from fshalib.cib.document import Element
from fshalib.cib.target import Target
from fshalib.errors import LiveError
from fshalib.pacemaker import simulate, tools
from fshalib.pillar.guard_policy import Policy
from fshalib.system import programs
from fshalib.system.programs import Runner


def nobody() -> Calls:
    """No calls: what is asked where nothing carries calls."""
    return Calls(None, "", "nobody was asked")


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


Make = Callable[[Element], Target]
"""Makes the target out of the live CIB; it leaves that as it is."""
Fails = Callable[[str, str], bool]
"""Tells whether a resource's agent would refuse its parameters on a node."""


@dataclass(frozen=True)
class Guard:
    """What the operator allows, and who counts the calls; asked only if any are at stake.

    ``service`` is the name of FreeSWITCH's service on these hosts.
    """

    policy: Policy = field(default_factory=Policy)
    count: Callable[[], Calls] = nobody
    now: Callable[[], datetime] = now
    way: Way = change_guard.APPLY
    service: str = FREESWITCH


@dataclass(frozen=True)
class Plan:
    """What would be done, before it is done; without ``judged``, nobody could be asked.

    ``doubts`` are what an agent says of a resource's new parameters on this node, by its id;
    ``before`` is what ``crm_verify`` has against the live CIB, and has against the target no less.
    """

    target: Target
    transition: simulate.Transition
    verdict: Verdict
    warnings: tuple[str, ...] = ()
    judged: bool = True
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    before: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether the CIB is already as it is wanted."""
        return self.target.empty


NO_TRANSITION = simulate.Transition(actions=(), placement={})
NOTHING_AT_STAKE = change_guard.judge(Policy(), (), nobody(), now())
ON_FILE = "a file stands in for the cluster"


def make_plan(cib: str, make: Make, guard: Guard | None = None, run: Runner = programs.run) -> Plan:
    """Return what has to be done to a CIB, what the cluster would do, and whether it may.

    cib
        The text of the live CIB.
    make
        Makes the target out of it, such as :func:`wanting` returns.
    guard
        What the operator allows; without it nothing may be interrupted.

    Raises :class:`target.CibError`, :class:`programs.RunError`; :class:`tools.InvalidCib` for what
    ``crm_verify`` has against the target and not against the live CIB.
    """
    allowing = guard or Guard()
    target = make(document.parse(cib))
    if target.empty:
        return nothing_to_do(target)
    verification.check_values(target, run)
    document.next_version(target.root)
    verified = verification.verified(target, run)
    foreseen = tools.foresee(document.render(target.root), run)
    transition = simulate.with_handed_over(
        simulate.parse_transition(foreseen), stop_first.handed_over(target, allowing.service)
    )
    said = validation.judge(target, None if tools.on_file() else run)
    fails = _failing(said, transition, run)
    verdict = _judged(target, transition, allowing, fails)
    verdict = _fatal(said, _without_sbd(watchdog.judge(target, run), verdict))
    return Plan(
        target, transition, verdict, verified.warnings, doubts=said.doubts, before=verified.before
    )


def is_untouched(cib: str, run: Runner = programs.run) -> bool:
    """Tell whether the configuration still is that of a CIB; not if it can't be asked."""
    try:
        live = document.version(document.parse(tools.query(run)))
    except LiveError:
        return False
    before = document.version(document.parse(cib))
    return (live.admin_epoch, live.epoch) == (before.admin_epoch, before.epoch)


def nothing_to_do(target: Target) -> Plan:
    """Return the plan of a change that changes nothing."""
    return Plan(target, NO_TRANSITION, NOTHING_AT_STAKE)


def wanting(wanted: cib_target.DesiredObjects, defaults: compare.Defaults | None = None) -> Make:
    """Return what makes the target of a run that wants these objects."""
    return lambda live: cib_target.target(live, wanted, defaults)


def restoring(point: Element) -> Make:
    """Return what makes the target that is an earlier configuration."""
    return lambda live: restore.restored(live, point)


def _failing(said: Judgement, transition: simulate.Transition, run: Runner) -> Fails:
    """Return what tells whether an agent would refuse a resource's parameters on a node."""
    here = tools.local_node(run) if said.failing_here & transition.reloaded else ""

    def fails(resource: str, node: str) -> bool:
        return resource in said.refused or (node == here and resource in said.failing_here)

    return fails


def _fatal(said: Judgement, verdict: Verdict) -> Verdict:
    """Return the verdict on a change that an agent refuses on every node; no policy allows it."""
    if not said.refused:
        return verdict
    reasons = [f"{id}, {text}" for id, texts in said.refused.items() for text in texts]
    return replace(
        verdict,
        kind=change_guard.REFUSED,
        reason="; ".join(reasons),
        cost=f"{' and '.join(said.refused)} would run on no node",
        allow="correct the value",
        awaits=(),
    )


def _without_sbd(said: watchdog.Obstacle | None, verdict: Verdict) -> Verdict:
    """Return the verdict on a change with which Pacemaker would end itself; nothing allows it."""
    if said is None or (said.awaits and verdict.kind == change_guard.REFUSED):
        return verdict
    cost = "Pacemaker would go down on every node at once"
    if not said.awaits:
        return replace(
            verdict,
            kind=change_guard.REFUSED,
            reason=said.reason,
            cost=cost,
            allow=said.remedy,
            awaits=(),
        )
    awaited = verdict.kind == change_guard.ELSEWHERE
    allow = "apply it on all nodes at the same time" if verdict.interrupted else said.remedy
    return replace(
        verdict,
        kind=change_guard.ELSEWHERE,
        reason=f"{verdict.reason}, and {said.reason}" if awaited else said.reason,
        cost=f"{verdict.cost}, and {cost}" if verdict.interrupted else cost,
        allow=verdict.allow if awaited else allow,
        awaits=tuple(dict.fromkeys((*verdict.awaits, *said.awaits))),
    )


def _judged(target: Target, transition: simulate.Transition, guard: Guard, fails: Fails) -> Verdict:
    # What a change removes is voice only in the CIB before it, what it adds only in that after.
    roots = (target.live, target.root)
    voice = frozenset[str]().union(
        *(interruption.voice_resources(root, guard.service) for root in roots)
    )
    stops = interruption.interrupted(transition, voice, transition.before, fails)
    if not stops:
        return NOTHING_AT_STAKE
    if tools.on_file():
        calls = Calls(None, stops[0].nodes[0], ON_FILE, expected=False)
        verdict = change_guard.judge(Policy(calls=None), stops, calls, guard.now())
        return replace(verdict, reason=f"{ON_FILE}, so that no call is lost")
    return change_guard.judge(guard.policy, stops, guard.count(), guard.now(), guard.way)


def make_first_plan(cib: str, make: Make) -> Plan:
    """Return the plan for a host that has none of the cluster's tools yet.

    Raises :class:`target.CibError`.
    """
    target = make(document.parse(cib))
    verdict = _fatal(validation.judge(target, None), NOTHING_AT_STAKE)
    return Plan(target, NO_TRANSITION, verdict, judged=False)


def of_live(
    cib: str, wanted: cib_target.DesiredObjects, defaults: compare.Defaults, guard: Guard
) -> Plan:
    """Return the plan for a CIB, also where none of the cluster's tools is installed yet."""
    make = wanting(wanted, defaults)
    try:
        return make_plan(cib, make, guard)
    except programs.ToolMissing:
        return make_first_plan(cib, make)


def as_data(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain data for Salt's returns and events."""
    before = plan.transition.before
    return {
        "changes": cib_secrets.masked(plan.target.changes),
        "drifted": list(plan.target.drifted),
        "unmanaged": list(plan.target.unmanaged),
        "transition": [str(action) for action in plan.transition.actions],
        "interrupted": {id: list(before.get(id, ())) for id in plan.verdict.interrupted},
        "guard": plan.verdict.as_data(),
        "warnings": [*plan.warnings, *_before(plan), *_doubts(plan)],
    }


def summary(plan: Plan) -> str:
    """Return a plan in a few lines for people."""
    shown = cib_secrets.masked(plan.target.changes)
    lines = [f"{name}: {normalize.shown(delta)}" for name, delta in shown.items()]
    if not lines and not plan.empty:
        lines.append("only the list of what fsha manages changes")
    actions = "; ".join(str(action) for action in plan.transition.actions)
    if plan.judged:
        lines.append(f"The cluster would then: {actions or 'do nothing'}.")
    else:
        lines.append("What the cluster would then do can't be told before it is installed.")
    if plan.verdict.interrupted or not plan.verdict.allowed:
        lines.append(str(plan.verdict))
    lines.extend(f"crm_verify warns: {warning}" for warning in plan.warnings)
    lines.extend(_before(plan))
    lines.extend(_doubts(plan))
    return "\n".join(lines)


def _before(plan: Plan) -> list[str]:
    """Return what was wrong before, and is not for this change to mend."""
    return [f"crm_verify refused the CIB before this change, too: {e}" for e in plan.before]


def _doubts(plan: Plan) -> list[str]:
    return [f"{id}: on this node {text}." for id, texts in plan.doubts.items() for text in texts]
