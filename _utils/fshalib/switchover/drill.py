"""The verb drill: switch over and back again, if now is the time for it."""

import dataclasses
import logging
import re
from collections.abc import Iterable
from datetime import datetime, timezone

from fshalib.errors import LiveError, SwitchoverError
from fshalib.switchover import lock, switchover
from fshalib.switchover import request as switchover_request
from fshalib.switchover.cluster import Cluster
from fshalib.switchover.context import Answer, Context
from fshalib.switchover.operate import Given, arguments, carry_out
from fshalib.switchover.request import BACK, DRILL, THERE, Request
from fshalib.switchover.service import Service, SwitchoverRefused, find_service
from fshalib.system import poll

LOOK_EVERY = 1.0
LAST = "fsha-last-drill"
"""The transient attribute of both nodes that tells when the last drill went well (UTC)."""
FORM = "%Y-%m-%dT%H:%M:%SZ"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)

log = logging.getLogger(__name__)


def drill(context: Context, given: Given, max_calls: object) -> Answer:
    """Switch over and back again; skip it, with an event, when now is no time for it.

    max_calls
        With more call legs than these it is skipped.
    """
    cluster = context.cluster
    try:
        most = switchover_request.whole(max_calls, "max_calls")
        args = arguments(context, given)
        for other in context.going_on():
            return _second(args.me, other)
        status, root = cluster.status(), cluster.cib()
        service = find_service(root, args.resource)
    except SwitchoverError as error:
        return _answer(False, str(error))
    except LiveError as error:
        return _answer(False, f"Nothing was moved: {error}")
    active = status.serving(*service.members)
    if active and active != args.me:
        why = f"{active} serves, so it is for that node to run it"
        return _answer(True, f"Skipped: {why}.", skipped=True)
    try:
        request, _ = switchover_request.failover(status, root, args, simulate=cluster.simulate)
        against = _against(context, most)
    except SwitchoverRefused as refused:
        against = "; ".join(refused.reasons)
    except LiveError as error:
        against = str(error).rstrip(".")
    if against:
        return _skipped(context, service, active, f"Skipped: {against}.")
    if context.test:
        would = f"{service.id} would go to {request.new} and back to {request.old}."
        return _answer(True, would)
    return _both_ways(context, dataclasses.replace(request, verb=DRILL))


def _second(me: str, other: lock.RunningVerb) -> Answer:
    """Return the answer to whoever comes second; the schedule of both nodes begins one drill."""
    if other.verb == DRILL and other.node != me:
        return _answer(True, f"Skipped: there is a {other}.", skipped=True)
    return _answer(False, f"Nothing was moved: {lock.Busy(other)}.")


def _answer(result: bool, comment: str, *, skipped: bool = False, **ways: Answer) -> Answer:
    return {"result": result, "comment": comment, "skipped": skipped, **ways}


def _skipped(context: Context, service: Service, active: str, comment: str) -> Answer:
    facts = {"verb": DRILL, "by": context.by, "why": comment}
    context.announce(service, switchover.SKIPPED, active, "", facts)
    return _answer(False, comment, skipped=True)


def _against(context: Context, most: int) -> str:
    """Return why now is no time for a drill, ``""`` if it is."""
    legs = context.freeswitch.legs()
    if legs > most:
        return f"{legs} call legs are up, and max_calls is {most}"
    return context.check().failures()


def _both_ways(context: Context, request: Request) -> Answer:
    try:
        there = carry_out(context, dataclasses.replace(request, way=THERE))
    except lock.Busy as error:
        return _answer(False, f"Nothing was moved: {error}.")
    except LiveError as error:
        return _answer(False, f"Nothing was moved: {error}")
    if not there["result"]:
        return _answer(False, there["comment"], there=there)
    try:
        _wait_for_standby(context, request)
        home = carry_out(context, _way_back(request))
    except (LiveError, SwitchoverError, lock.Busy) as error:
        comment = f"There: {there['comment']} {_stays(request, error)}"
        return _answer(False, comment, there=there)
    comment = f"There: {there['comment']} Back: {home['comment']}"
    if not home["result"] and home["new"] != request.old:
        comment += f" {_stays(request, 'that has failed.')}"
    if home["result"]:
        _remember(context, request)
    return _answer(home["result"], comment, there=there, back=home)


def _remember(context: Context, request: Request) -> None:
    """Tell both nodes when it was: the journal of the other one does not know."""
    at = datetime.now(timezone.utc).strftime(FORM)
    try:
        context.cluster.note(LAST, at, request.pair)
    except LiveError as error:
        log.warning("the other node is not told of the drill: %s", error)


def last(cluster: Cluster, own: str) -> str:
    """Return when the last drill was of which either node knows, ``""`` for none.

    own
        When it was by this node's journal.

    Raises :class:`errors.LiveError`.
    """
    return max([own, *times(cluster.noted(LAST).values())])


def times(values: Iterable[str]) -> list[str]:
    """Return those of the attribute's values that are a time."""
    return [value for value in values if _TIME.fullmatch(value)]


def _way_back(request: Request) -> Request:
    return dataclasses.replace(
        request, old=request.new, new=request.old, banned=(request.new,), way=BACK
    )


def _stays(request: Request, why: object) -> str:
    return f"{request.service.id} STAYS on {request.new}: {why} fsha.failback goes back."


def _wait_for_standby(context: Context, request: Request) -> None:
    """Wait until this node could take the service back."""
    timeout = request.bounds.timeout
    context.cluster.settle(timeout)
    # stop_mode=recover has killed it; systemd brings it back.
    ready = poll.until(context.freeswitch.is_ready, bool, timeout, "this node's switch", LOOK_EVERY)
    if not ready:
        raise SwitchoverError(f"the switch of {request.old} is not back.")
