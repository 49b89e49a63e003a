"""The verbs failover and failback: ask for a switchover, look what speaks against it, do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.errors import LiveError, RunError, SwitchoverError
from fshalib.freeswitch import calls as freeswitch_calls
from fshalib.pacemaker.simulate import Transition
from fshalib.switchover import bans, lock, preflight
from fshalib.switchover import request as switchover_request
from fshalib.switchover import undo as switchover_undo
from fshalib.switchover.context import Answer, Checked, Context, answer
from fshalib.switchover.request import FAILBACK, FAILOVER, Arguments, Request
from fshalib.switchover.service import SwitchoverRefused
from fshalib.switchover.switchover import Switchover

Requested = Callable[[], tuple[Request, Transition | None]]


@dataclass(frozen=True)
class Given:
    """What an operator has given, as it came from a command line or a schedule."""

    resource: str | None
    timeout: object
    sip_port: object
    drain: object = 0


def arguments(context: Context, given: Given) -> Arguments:
    """Return what an operator has given, checked.

    Raises :class:`service.SwitchoverRefused` for numbers that are none, and
    :class:`errors.RunError` when the cluster does not know this node.
    """
    bounds = switchover_request.bounds(given.timeout, given.sip_port, given.drain)
    me = context.cluster.this_node()
    return switchover_request.Arguments(bounds, context.by, me, given.resource)


def failover(context: Context, given: Given, target: str | None, force: object) -> Answer:
    """Switch over to the other node, or only show it.

    target
        The node to switch to.
    force
        ``True`` to go on in spite of the checklist.
    """

    def requested() -> tuple[Request, Transition | None]:
        cluster, args = context.cluster, arguments(context, given)
        interrupted = cluster.interrupted(args.me)
        return switchover_request.failover(
            cluster.status(), cluster.cib(), args, target, interrupted, cluster.simulate
        )

    return _switched(context, FAILOVER, requested, force)


def failback(context: Context, given: Given, force: object) -> Answer:
    """Undo the last switchover, or only show it; arguments as for :func:`failover`."""
    cluster = context.cluster
    try:
        args = arguments(context, given)
        context.refuse_second()
        status, root = cluster.status(), cluster.cib()
        at_home = switchover_undo.find(context, status, root, args)
        undone = switchover_undo.undo(context, args, at_home) if at_home else ""
    except SwitchoverError as error:
        return answer(False, str(error))
    except lock.Busy as error:
        return answer(False, f"Nothing was moved: {error}.")
    except LiveError as error:
        return answer(False, f"Nothing was moved by {FAILBACK}: {error}")
    if undone:
        return answer(True, undone)
    return _switched(
        context,
        FAILBACK,
        lambda: switchover_request.failback(status, root, args, cluster.simulate),
        force,
    )


def _switched(context: Context, verb: str, requested: Requested, force: object) -> Answer:
    """Do what is requested, or only show it."""
    busy: list[str] = []
    try:
        busy = context.refuse_second()
        request, transition = requested()
        checked = None if request.moved else context.check()
        against = _against(checked, force)
        if context.test:
            return _shown(context, request, transition, checked, [*busy, *against])
        if against:
            raise SwitchoverRefused(against)
        return carry_out(context, request)
    except SwitchoverError as error:
        first = f"It would be refused now: {'; '.join(busy)}. " if busy else ""
        return answer(False, f"{first}{error}")
    except lock.Busy as error:
        return answer(False, f"Nothing was moved: {error}.")
    except LiveError as error:
        return answer(False, f"Nothing was moved by {verb}: {error}")


def _against(checked: Checked | None, force: object) -> list[str]:
    """Return what of the checklist stands in the way, unless that is not to count."""
    reasons = [] if checked is None or force is True else list(checked.obstacles())
    return [*reasons, "force=True goes on all the same"] if reasons else []


def carry_out(context: Context, request: Request) -> Answer:
    """Carry a request out, telling each phase to the bus and to a person who waits.

    Raises :class:`lock.Busy` and :class:`errors.LiveError`.
    """
    progress = context.progress(request.verb)

    def tell(phase: str, facts: Mapping[str, Any]) -> None:
        progress(phase, facts)
        context.announce(request.service, phase, request.old, request.new, facts)

    outcome = Switchover(request, context.cluster, context.freeswitch, tell).run()
    return answer(outcome.result, outcome.comment, **outcome.facts)


def _shown(
    context: Context,
    request: Request,
    transition: Transition | None,
    checked: Checked | None,
    against: list[str],
) -> Answer:
    """Return the plan of a switchover; one that would be refused is a failure."""
    calls = _calls_now(context, request)
    comment = switchover_request.foretold(request, transition, calls)
    hold = _would_be_held(context, request)
    if hold:
        comment += (
            f"\nThe configuration prefers {request.old}, so the ban of {request.old} would be kept "
            f"as a hold until fsha.failback. Nothing fails over to {request.old} meanwhile."
        )
    if checked:
        comment += f"\nCheck: {checked.summary()}"
    if against:
        comment = f"It would be refused now: {'; '.join(against)}.\n{comment}"
    plan = {
        "checks": checked.not_passed() if checked else [],
        "transition": [str(action) for action in transition.actions] if transition else [],
        "calls": calls,
        "drain": request.bounds.drain,
    }
    return answer(not against, comment, old=request.old, new=request.new, hold=hold, plan=plan)


def _would_be_held(context: Context, request: Request) -> bool:
    """Tell whether the service, once it is on its new node, would go back without a ban.

    The same question is asked after a move, see :meth:`mover.Mover.lift`.
    """
    cluster, service = context.cluster, request.service
    moving = bans.rebanned(cluster.cib(), service, request.banned, [request.new])
    moved = moving if request.moved else cluster.outcome(moving)
    free = bans.rebanned(moved, service, [], request.pair)
    return not preflight.stays(cluster.simulate(free), service)


def _calls_now(context: Context, request: Request) -> Mapping[str, Any] | None:
    if request.me != request.old:
        return None
    try:
        return freeswitch_calls.for_service(context.freeswitch.calls(), request.service.keeps)
    except RunError as error:
        return {"legs": None, "known": False, "reason": str(error)}
