"""The verbs failover and failback: ask for a switchover, look what speaks against it, do it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.cib.document import Element
from fshalib.errors import LiveError, RunError, SwitchoverError
from fshalib.pacemaker.simulate import Transition
from fshalib.pacemaker.status import Status
from fshalib.switchover import lock
from fshalib.switchover import request as switchover_request
from fshalib.switchover.context import Answer, Checked, Context, answer
from fshalib.switchover.request import FAILBACK, FAILOVER, Arguments, Request
from fshalib.switchover.service import SwitchoverRefused, find_service
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
        status, root = cluster.status(), cluster.cib()
        undone = _undone(context, status, root, args)
    except SwitchoverError as error:
        return answer(False, str(error))
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


def _undone(context: Context, status: Status, root: Element, args: Arguments) -> str:
    """Undo an interrupted switchover that has moved nothing; return what was done, ``""`` if none.

    There is but its record, and perhaps a switch that still refuses calls.
    """
    service = find_service(root, args.resource)
    interrupted = context.cluster.interrupted(args.me)
    last = next((o for o in interrupted if o.new and o.service == service.id), None)
    if last is None or last.may_have_moved or status.serving(*service.members) != last.old:
        return ""
    nothing_moved = f"Nothing had moved of the {last}"
    if context.test:
        return f"{nothing_moved}; it would be forgotten."
    drained, here = last.phase == lock.DRAIN, last.node == args.me
    if drained and here:
        context.freeswitch.resume()
    context.cluster.forget(lock.ATTRIBUTE, last.node)
    if not drained:
        return f"{nothing_moved}; it is forgotten."
    if here:
        return f"{nothing_moved}; it is forgotten, and new calls are taken here."
    return f"{nothing_moved}; it is forgotten. fsha.undrain on {last.node} lets it take new calls."


def _switched(context: Context, verb: str, requested: Requested, force: object) -> Answer:
    """Do what is requested, or only show it."""
    try:
        request, transition = requested()
        checked = None if request.moved else context.check()
        against = _against(checked, force)
        if context.test:
            busy = [str(lock.Busy(other)) for other in context.cluster.going_on(request.me)]
            return _shown(context, request, transition, checked, [*against, *busy])
        if against:
            raise SwitchoverRefused(against)
        return carry_out(context, request)
    except SwitchoverError as error:
        return answer(False, str(error))
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
    return answer(not against, comment, old=request.old, new=request.new, plan=plan)


def _calls_now(context: Context, request: Request) -> Mapping[str, Any] | None:
    if request.me != request.old:
        return None
    try:
        return context.freeswitch.calls()
    except RunError as error:
        return {"legs": None, "known": False, "reason": str(error)}
