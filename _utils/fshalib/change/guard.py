"""The guard: whether a change may be committed, given the calls that it would interrupt.

    live CIB → voice resources ─┐
    simulated transition ───────┴→ what is interrupted, and where
                                       └→ policy, call legs, time → verdict

Nothing here asks anybody. Call legs are known only on the node whose FreeSWITCH holds them,
because its Event Socket listens on loopback; so a node that does not run the voice service
can't judge what interrupting it costs, and leaves the commit to the one that does. Where calls are
interrupted on several nodes each judges its own, see :mod:`agreement`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fshalib.change.interruption import Interruption
from fshalib.pillar.guard_policy import PATH, Policy, Window

ALLOWED: Final = "allowed"
REFUSED: Final = "refused"
ELSEWHERE: Final = "elsewhere"

OVERRIDE = """salt MINION state.apply fsha pillar='{"fsha": {"guard": {"override": true}}}'"""


@dataclass(frozen=True)
class Way:
    """How a change is made, for the advice of a verdict.

    ``elsewhere`` is what to do when only the node ``{}`` can judge, ``together`` when all of the
    nodes ``{}`` have to, ``""`` where they can't; ``override`` is the command that makes it in
    spite of the guard.
    """

    elsewhere: str = "apply it on {}"
    override: str = OVERRIDE
    together: str = "apply it on {} at the same time"


APPLY: Final = Way()


# --- calls ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Calls:
    """What this node could count.

    count
        The call legs on its FreeSWITCH; ``None`` if they can't be counted.
    node
        This node, never another: only the calls here can be counted here.
    reason
        Why they can't be counted.
    expected
        Whether FreeSWITCH should be up on this node. If not, no answer means no calls.
    """

    count: int | None
    node: str
    reason: str = ""
    expected: bool = True


def legs(profiles: Mapping[str, int | None]) -> int:
    """Return the call legs on running profiles.

    profiles
        Profile → sessions, from :func:`client.parse_profiles`; a profile that does
        not run has ``None``.

    A leg is one side of a call: a bridged call has two of them on the SIP profiles, a call to
    a mailbox, a conference or an ISDN line has one. So this is never less than the number of
    calls that use SIP, and at most twice as much. The commands that count calls ask the
    database: ``show calls count`` says 0 or too little after a takeover, and nothing but an
    error when the database is down.
    """
    return sum(count for count in profiles.values() if count is not None)


# --- the verdict ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """Whether a change may be committed here and now.

    kind
        ``allowed``; ``refused``; or ``elsewhere``: not by this node, but perhaps by the one
        that carries the calls.
    reason, cost, allow
        Why, what would be interrupted, and what would allow it; a sentence each, which
        another one may go on.
    interrupted
        The ids of the voice resources that would be interrupted.
    calls
        Call legs that are known to be interrupted; ``None`` if they can't be counted.
    awaits
        The nodes whose word is missing: this node alone does not know enough.
    watches
        Whether another node makes the change in any case, since all the calls are there.
    by
        The other node whose verdict it is, if any.
    """

    kind: str
    reason: str
    cost: str
    allow: str = ""
    interrupted: tuple[str, ...] = ()
    calls: int | None = None
    awaits: tuple[str, ...] = ()
    watches: bool = False
    by: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the change may be committed."""
        return self.kind == ALLOWED

    def __str__(self) -> str:
        """Return the verdict as a person reads it."""
        here = "Not on this node" if self.watches else "Not on this node alone"
        words = {ALLOWED: "Allowed", REFUSED: "Refused", ELSEWHERE: here}
        text = f"{words[self.kind]}: {self.cost}; {self.reason}."
        return f"{text} To do it: {self.allow}" if self.allow else text

    def as_data(self) -> dict[str, Any]:
        """Return the verdict as plain data for Salt's returns and events."""
        return {
            "kind": self.kind,
            "allowed": self.allowed,
            "reason": self.reason,
            "cost": self.cost,
            "allow": self.allow,
            "interrupted": list(self.interrupted),
            "calls": self.calls,
        }


@dataclass(frozen=True)
class _Obstacle:
    """One thing that stands in the way, and what would remove it."""

    kind: str
    reason: str
    remedy: str


def judge(
    policy: Policy,
    interrupted: Sequence[Interruption],
    calls: Calls,
    now: datetime,
    way: Way = APPLY,
) -> Verdict:
    """Return whether a change may be committed.

    policy
        What the operator allows.
    interrupted
        What the change would interrupt, see :func:`interrupted`.
    calls
        What this node could count; not looked at if nothing is interrupted.
    now
        The time, with its zone.
    way
        How the change is made.
    """
    nodes = tuple(dict.fromkeys(node for item in interrupted for node in item.nodes))
    if not nodes:
        reason, cost = "nothing that carries calls stops", "no call is interrupted"
        return Verdict(ALLOWED, reason, cost, calls=0)
    obstacles = _obstacles(policy, nodes, calls, now, way)
    kind, reason = _ruling(policy, obstacles, nodes, calls)
    away = kind == ELSEWHERE
    return Verdict(
        kind=kind,
        reason=reason,
        cost=f"{_doings(interrupted)} {_toll(nodes, calls)}",
        allow="" if kind == ALLOWED else _remedy(obstacles, way),
        interrupted=tuple(dict.fromkeys(item.resource for item in interrupted)),
        calls=calls.count if calls.node in nodes else None,
        awaits=tuple(node for node in nodes if node != calls.node) if away else (),
        watches=away and calls.node not in nodes,
    )


def _ruling(
    policy: Policy, obstacles: Sequence[_Obstacle], nodes: Sequence[str], calls: Calls
) -> tuple[str, str]:
    """Return the verdict's kind and reason."""
    reasons = " and ".join(obstacle.reason for obstacle in obstacles)
    if policy.override:
        return ALLOWED, f"override is set{', although ' if reasons else ''}{reasons}"
    if not obstacles:
        return ALLOWED, _permission(policy, nodes, calls)
    kinds = {obstacle.kind for obstacle in obstacles}
    return (REFUSED if REFUSED in kinds else ELSEWHERE), reasons


def _obstacles(
    policy: Policy, nodes: Sequence[str], calls: Calls, now: datetime, way: Way
) -> list[_Obstacle]:
    found = []
    if policy.window is not None and not policy.window.holds(now):
        found.append(_outside(policy.window, now))
    if policy.calls is None:
        return found
    if calls.node not in nodes:
        return [*found, _elsewhere(nodes, way)]
    if calls.count is not None and calls.count > policy.calls:
        found.append(_too_many(calls.count, policy.calls))
    if not policy.allow_unknown:
        found.extend(_uncounted(nodes, calls, way))
    return found


def _uncounted(nodes: Sequence[str], calls: Calls, way: Way) -> list[_Obstacle]:
    """Return the obstacles that calls can't be counted, here or on the other nodes."""
    blind = _blind(nodes, calls)
    others = [node for node in blind if node != calls.node]
    if not others or not way.together:
        return [_unknown(blind, nodes, calls)] if blind else []
    here = [_unknown([calls.node], nodes, calls)] if calls.node in blind else []
    return [*here, _together(others, nodes, way)]


def _together(others: Sequence[str], nodes: Sequence[str], way: Way) -> _Obstacle:
    """Return the obstacle that other nodes have to count their calls, too."""
    where = joined(others)
    reason = f"the calls on {where} matter as well, which only {where} can count"
    return _Obstacle(ELSEWHERE, reason, way.together.format(joined(sorted(nodes))))


def _outside(window: Window, now: datetime) -> _Obstacle:
    reason = f"it is outside of {PATH}:window ({window})"
    return _Obstacle(REFUSED, reason, f"wait for the window that opens on {window.opening(now)}")


def _elsewhere(nodes: Sequence[str], way: Way) -> _Obstacle:
    where = joined(nodes)
    reason = f"the calls are on {where}, which only {where} can count"
    return _Obstacle(ELSEWHERE, reason, way.elsewhere.format(where))


def _too_many(count: int, ceiling: int) -> _Obstacle:
    reason = f"{PATH}:calls allows {'none' if ceiling == 0 else f'no more than {ceiling}'}"
    return _Obstacle(REFUSED, reason, f"wait for fewer calls or raise {PATH}:calls to {count}")


def _unknown(blind: Sequence[str], nodes: Sequence[str], calls: Calls) -> _Obstacle:
    """Return the obstacle that calls on some nodes can't be counted."""
    reason = f"the calls on {joined(blind)} can't be counted{_because(blind, calls)}"
    cure = f"see that FreeSWITCH answers on {calls.node} or " if len(nodes) == 1 else ""
    return _Obstacle(REFUSED, reason, f"{cure}set {PATH}:unknown to allow")


def _because(blind: Sequence[str], calls: Calls) -> str:
    if calls.node in blind:
        return f" ({calls.reason.rstrip('.')})" if calls.reason else ""
    return f" on {calls.node}"


def _blind(nodes: Sequence[str], calls: Calls) -> list[str]:
    """Return the nodes whose calls are not known here; where FreeSWITCH is down there are none."""
    mute = calls.count is None and calls.expected
    return [node for node in nodes if node != calls.node or mute]


def _permission(policy: Policy, nodes: Sequence[str], calls: Calls) -> str:
    """Return why a change without obstacles may be made."""
    if policy.calls is None:
        return f"{PATH}:calls allows any number"
    blind = _blind(nodes, calls)
    if blind:
        return f"{PATH}:unknown allows what can't be counted{_because(blind, calls)}"
    if calls.count is None:
        return f"FreeSWITCH should not be up on {calls.node}"
    return f"{PATH}:calls allows {policy.calls}" if calls.count else f"{calls.node} has none"


def _remedy(obstacles: Sequence[_Obstacle], way: Way) -> str:
    steps = ", and ".join(obstacle.remedy for obstacle in obstacles)
    return f"{steps}, or override for one run with: {way.override}"


# --- words ---------------------------------------------------------------------------------

_UNKNOWN = "an unknown number of calls"


def joined(words: Sequence[str]) -> str:
    """Return words as a list for people: ``a, b and c``."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _doings(interrupted: Sequence[Interruption]) -> str:
    """Return what happens and the verb: ``stop of ip_shared and fs on fs1 interrupts``."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for item in interrupted:
        groups.setdefault((item.action, item.nodes), []).append(item.resource)
    phrases = [
        f"{action} of {joined(resources)} {'from' if action == 'move' else 'on'} {joined(nodes)}"
        for (action, nodes), resources in groups.items()
    ]
    return f"{joined(phrases)} {'interrupts' if len(phrases) == 1 else 'interrupt'}"


def _toll(nodes: Sequence[str], calls: Calls) -> str:
    """Return how many calls are interrupted."""
    others = [node for node in nodes if node != calls.node]
    if len(others) == len(nodes):
        return _UNKNOWN
    here = _amount(calls)
    return f"{here} on {calls.node} and {_UNKNOWN} on {joined(others)}" if others else here


def _amount(calls: Calls) -> str:
    if calls.count is None:
        return _UNKNOWN if calls.expected else "no calls"
    return amount(calls.count)


def amount(legs: int) -> str:
    """Return a number of call legs for people."""
    if legs == 0:
        return "no calls"
    return "1 call leg" if legs == 1 else f"{legs} call legs (a bridged call has two)"
