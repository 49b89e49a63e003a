"""The verbs drain and undrain: this node's switch refuses new calls, and takes them again."""

import logging
import time
from collections.abc import Sequence

from fshalib.errors import LiveError, RunError, SwitchoverError
from fshalib.events import event as events_event
from fshalib.switchover import lock
from fshalib.switchover import request as switchover_request
from fshalib.switchover.context import Answer, Context
from fshalib.switchover.lock import RunningVerb
from fshalib.system import poll

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
DRAIN, UNDRAIN = "drain", "undrain"
SUBJECT = "calls"
"""What the events of both are about."""


def drain(context: Context, seconds: object) -> Answer:
    """Refuse new calls on this node, and wait for the end of the others.

    seconds
        How long to wait.
    """
    try:
        wait = switchover_request.bounds(1, 0, seconds).drain
        if context.test:
            left = context.freeswitch.legs()
            would = f"New calls would be refused on this node; {left} call legs are up."
            return {"result": True, "comment": would, "legs": left}
        with context.alone(DRAIN) as holder:
            if holder is not None:
                holder.phase(lock.DRAIN)
            return _drained(context, wait)
    except (SwitchoverError, LiveError) as error:
        return {"result": False, "comment": str(error), "legs": None}
    except lock.Busy as error:
        return {"result": False, "comment": f"Nothing done: {error}.", "legs": None}


def _drained(context: Context, wait: float) -> Answer:
    """Refuse new calls and wait for the end of the others.

    What goes wrong with the switch is an answer: the drain has come to its end, if not a good one.
    """
    progress, freeswitch = context.progress(DRAIN), context.freeswitch

    def legs() -> int:
        if not freeswitch.paused():
            raise SwitchoverError("Somebody lets this node take new calls again.")
        left = freeswitch.legs()
        progress("draining", {"legs": left})
        return left

    try:
        freeswitch.pause()
        facts = {"verb": DRAIN, "by": context.by, "seconds": wait}
        context.send(events_event.OPERATOR, SUBJECT, facts)
        left = poll.until(legs, lambda n: n == 0, wait, "the end of the calls", LOOK_EVERY)
    except (SwitchoverError, RunError) as error:
        return {"result": False, "comment": str(error), "legs": None}
    comment = f"New calls are refused on this node; {left} call legs are up."
    return {"result": not (wait and left), "comment": comment, "legs": left}


def undrain(context: Context) -> Answer:
    """Take new calls on this node again."""
    try:
        _refuse_while_moving(context)
        if context.test:
            return {"result": True, "comment": "New calls would be taken on this node."}
        context.freeswitch.resume()
        _forget_drains(context)
    except lock.Busy as error:
        return {"result": False, "comment": f"Nothing done: {error}."}
    except LiveError as error:
        return {"result": False, "comment": str(error)}
    context.send(events_event.OPERATOR, SUBJECT, {"verb": UNDRAIN, "by": context.by})
    return {"result": True, "comment": "New calls are taken on this node."}


def _refuse_while_moving(context: Context) -> None:
    """Refuse to take calls in the middle of somebody's switchover."""
    for other in _running_if_any(context):
        if other.new and other.goes_on(time.time(), context.cluster.this_node()):
            raise lock.Busy(other)


def _forget_drains(context: Context) -> None:
    """Forget drains of this node that were interrupted: what they left is undone."""
    for other in _running_if_any(context):
        here = not other.new and other.node == context.cluster.this_node()
        if here and not other.goes_on(time.time(), other.node):
            context.cluster.forget(lock.ATTRIBUTE, other.node)


def _running_if_any(context: Context) -> Sequence[RunningVerb]:
    """Return the verbs that are known, none where no cluster runs."""
    try:
        return context.cluster.running_verbs()
    except RunError as error:
        log.info("no running verb is known: %s", error)
        return ()
