"""What an operator asks for: from which node to which, within which bounds; whether that can be.

Nothing is moved here; :mod:`switchover` carries a request out. One that cannot succeed is
refused with every reason there is, before anything is touched.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fshalib.cib.document import Element
from fshalib.freeswitch import calls as freeswitch_calls
from fshalib.pacemaker.simulate import Transition
from fshalib.pacemaker.status import Status
from fshalib.switchover import bans, preflight
from fshalib.switchover import service as switchover_service
from fshalib.switchover.lock import RunningVerb

FAILOVER, FAILBACK, DRILL = "failover", "failback", "drill"
THERE, BACK = "there", "back"
LONGEST = 3600.0
PORTS = 65535


Simulate = Callable[[Element], Transition]
"""Returns what the cluster would do with a CIB."""


@dataclass(frozen=True)
class Bounds:
    """An operator's numbers.

    ``timeout``: seconds to take over; ``sip_port``: the port to ask, 0 for none; ``drain``: seconds
    to wait for calls to end.
    """

    timeout: float = 60.0
    sip_port: int = 5060
    drain: float = 0.0


def bounds(timeout: object, sip_port: object, drain: object = 0) -> Bounds:
    """Return an operator's numbers.

    Raises :class:`service.Refused` for what is none, or out of its range.
    """
    told = {"timeout": timeout, "sip_port": sip_port, "drain": drain}
    numbers = {name: _number(value) for name, value in told.items()}
    wrong = [name for name, number in numbers.items() if number is None]
    if wrong:
        shown = " and ".join(f"{name}={told[name]!r}" for name in wrong)
        raise switchover_service.SwitchoverRefused(
            [f"{', '.join(told)} have to be numbers, not {shown}"]
        )
    seconds, port, wait = (number or 0.0 for number in numbers.values())
    if not 0 < seconds <= LONGEST:
        raise switchover_service.SwitchoverRefused(
            [f"timeout has to lie between 0 and {LONGEST:g} s"]
        )
    if not 0 <= wait <= LONGEST:
        raise switchover_service.SwitchoverRefused(
            [f"drain has to lie between 0 and {LONGEST:g} s"]
        )
    if not 0 <= port <= PORTS or port != int(port):
        raise switchover_service.SwitchoverRefused(
            [f"sip_port has to be a whole number between 0 and {PORTS}"]
        )
    return Bounds(seconds, int(port), wait)


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return None if math.isnan(number) else number


def whole(number: object, name: str) -> int:
    """Return an operator's whole number.

    Raises :class:`service.Refused`.
    """
    if isinstance(number, bool) or not str(number).isdecimal():
        raise switchover_service.SwitchoverRefused(
            [f"{name}: a whole number is expected, not {number!r}"]
        )
    return int(str(number))


@dataclass(frozen=True)
class Request:
    """What is to be done: a service from the node ``old`` to ``new``, with ``banned`` nodes.

    ``me`` is the node from which it is done, ``by`` who does it. ``moved`` is true when the service
    runs on ``new`` already, and only the rest of an interrupted switchover is to be done. ``way``
    is :data:`THERE` or :data:`BACK` in a drill. ``from_nowhere`` is true when a switchover that was
    interrupted has left it running nowhere; ``old`` is just the other node then.
    """

    verb: str
    service: switchover_service.Service
    old: str
    new: str
    banned: tuple[str, ...]
    bounds: Bounds
    by: str
    me: str
    moved: bool = False
    way: str = ""
    from_nowhere: bool = False

    @property
    def pair(self) -> list[str]:
        """Both nodes."""
        return [self.old, self.new]


@dataclass(frozen=True)
class Arguments:
    """What an operator has said: the ``resource`` to move where it is not clear, ``bounds``.

    ``by`` is who it is, ``me`` the node where it is said.
    """

    bounds: Bounds
    by: str
    me: str
    resource: str | None = None


def failover(
    status: Status,
    root: Element,
    arguments: Arguments,
    target: str | None = None,
    interrupted: Iterable[RunningVerb] = (),
    simulate: Simulate = preflight.simulate,
) -> tuple[Request, Transition | None]:
    """Return the request for a switchover to the other node, and what the cluster would do.

    status, root
        How the cluster is, and its live CIB.
    target
        The node to switch to, ``None`` for the other one of a pair.
    interrupted
        Operations that ended without a word, the last one first: the first of this service is
        finished, if it has got as far as the move.

    There is no transition where nothing is left to be moved. Raises :class:`service.Refused`.
    """
    service = switchover_service.find_service(root, arguments.resource)
    active = _active(status, root, service)
    stale = next(
        (one for one in interrupted if one.service == service.id and one.may_have_moved), None
    )
    if stale and active == stale.new and target in (None, stale.new):
        return _request(stale.verb, service, stale.old, active, arguments, moved=True), None
    target = preflight.choose_target(status, active, target)
    _refuse_drain_from_afar(arguments, active)
    request = _request(FAILOVER, service, active, target, arguments, banned=(active,))
    return request, _foreseen(status, root, request, simulate)


def failback(
    status: Status, root: Element, arguments: Arguments, simulate: Simulate = preflight.simulate
) -> tuple[Request, Transition]:
    """Return the request for the way back, and what the cluster would do.

    Where lifting the hold is enough to bring the service back, no node is banned; else the ban is
    simulated, too. A service that an interrupted switchover keeps from running anywhere is brought
    to where it can run. Arguments and errors are those of :func:`failover`.
    """
    service = switchover_service.find_service(root, arguments.resource)
    if not status.active(*service.members) and bans.held(root, service):
        return _from_nowhere(status, root, service, arguments, simulate)
    active = _active(status, root, service)
    # A way back that was interrupted has noted the other node already; its hold is still there.
    held = [node for node in bans.held(root, service) if node != active]
    target = switchover_service.previous_node(root, active) or next(iter(held), None)
    if target is None:
        raise switchover_service.SwitchoverRefused(
            ["there is no earlier switchover to undo; fsha.failover moves the service"]
        )
    preflight.choose_target(status, active, target)
    _refuse_drain_from_afar(arguments, active)
    request = _request(FAILBACK, service, active, target, arguments)
    against = [*preflight.obstacles(status, service, target), *_held(root, request)]
    if against:
        raise switchover_service.SwitchoverRefused(against)
    transition = _simulated(root, request, simulate)
    if preflight.would_serve(transition, service) == target:
        return request, transition
    request = replace(request, banned=(active,))
    return request, _foreseen(status, root, request, simulate)


def _from_nowhere(
    status: Status,
    root: Element,
    service: switchover_service.Service,
    arguments: Arguments,
    simulate: Simulate,
) -> tuple[Request, Transition]:
    """Return the request that lifts what keeps a service from running anywhere."""
    nodes = [node.name for node in status.nodes]
    lifted = bans.rebanned(root, service, [], nodes)
    transition = simulate(lifted)
    target = preflight.would_serve(transition, service)
    if not target:
        raise switchover_service.SwitchoverRefused(
            [_would_not_start(service, "any node", transition)]
        )
    old = next((name for name in nodes if name != target), target)
    request = _request(FAILBACK, service, old, target, arguments)
    return replace(request, from_nowhere=True), transition


def _would_not_start(
    service: switchover_service.Service, where: str, transition: Transition
) -> str:
    actions = "; ".join(map(str, transition.actions)) or "do nothing"
    return f"the cluster would not start {service.id} on {where}; it would: {actions}"


def look_again(
    status: Status, root: Element, request: Request, simulate: Simulate = preflight.simulate
) -> Transition:
    """Return what the cluster would do with a request now, just before it is carried out.

    Time has gone by since it was given, with a drain much of it. Arguments and errors are those of
    :func:`failover`.
    """
    found = status.active(*request.service.members)
    if request.from_nowhere and not found:
        return _foreseen(status, root, request, simulate)
    active = _active(status, root, request.service)
    if active != request.old:
        raise switchover_service.SwitchoverRefused(
            [f"{request.service.id} has come to {active} meanwhile"]
        )
    return _foreseen(status, root, request, simulate)


def _request(
    verb: str,
    service: switchover_service.Service,
    old: str,
    new: str,
    arguments: Arguments,
    banned: tuple[str, ...] = (),
    moved: bool = False,
) -> Request:
    return Request(
        verb, service, old, new, banned, arguments.bounds, arguments.by, arguments.me, moved
    )


def _active(status: Status, root: Element, service: switchover_service.Service) -> str:
    nodes = status.active(*service.members)
    if len(nodes) != 1:
        where = f"on {', '.join(nodes)}" if nodes else "nowhere"
        held = "" if nodes else " and ".join(bans.held(root, service))
        what = (
            f"a switchover keeps it from {held}: fsha.failback lifts that"
            if held
            else "look at fsha.status first"
        )
        raise switchover_service.SwitchoverRefused([f"{service.id} runs {where}; {what}"])
    return nodes[0]


def _refuse_drain_from_afar(arguments: Arguments, active: str) -> None:
    if arguments.bounds.drain and arguments.me != active:
        raise switchover_service.SwitchoverRefused(
            [f"only {active} itself can refuse new calls: run it there, or without drain"]
        )


def _simulated(root: Element, request: Request, simulate: Simulate) -> Transition:
    return simulate(bans.rebanned(root, request.service, request.banned, [request.new]))


def _foreseen(status: Status, root: Element, request: Request, simulate: Simulate) -> Transition:
    """Return what the cluster would do; refuse what can't succeed, with every reason there is."""
    service, target = request.service, request.new
    found = [*preflight.obstacles(status, service, target), *_held(root, request)]
    transition = _simulated(root, request, simulate)
    if not found and preflight.would_serve(transition, service) != target:
        found.append(_would_not_start(service, target, transition))
    if found:
        raise switchover_service.SwitchoverRefused(found)
    return transition


def _held(root: Element, request: Request) -> list[str]:
    """Return why a ban of the target stands in the way: it was made by hand, or is a hold."""
    service, target = request.service, request.new
    by_hand = bans.by_hand(root, service, target)
    if by_hand:
        return [
            f"{target} was banned by hand ({ban}); lift that first with "
            f"'crm_resource --clear --resource {part} --node {target}'"
            for part, ban in by_hand.items()
        ]
    held = bans.bans(root, service).get(target)
    if not held or request.verb == FAILBACK or request.way == BACK:
        return []
    return [
        f"a hold is in force that keeps {service.id} on {request.old} "
        f"({', '.join(held.values())}); fsha.failback lifts it and goes back"
    ]


def foretold(
    request: Request, transition: Transition | None, calls: Mapping[str, Any] | None
) -> str:
    """Return the plan of a switchover as sentences.

    calls
        What the switch carries (``freeswitch.calls``), ``None`` where it can't be asked from here.
    """
    service = request.service.id
    lines = [f"{service} would move from {request.old} to {request.new}."]
    if request.moved:
        lines = [f"What was interrupted would be finished; {service} serves on {request.new}."]
    if request.bounds.drain:
        lines.append(f"First new calls would be refused for up to {request.bounds.drain:g} s.")
    if transition and transition.actions:
        lines.append(f"The cluster would: {'; '.join(map(str, transition.actions))}.")
    lines.append(
        freeswitch_calls.forecast(calls, request.service.keeps)
        if calls
        else f"Which calls would survive only {request.old} can tell: run it there."
    )
    return "\n".join(lines)
