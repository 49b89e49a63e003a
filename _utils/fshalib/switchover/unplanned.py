"""A service that has moved without anybody's order: when, from where, why, and for how long.

A node remembers in a transient attribute where it last saw the service. A planned switchover tells
both nodes where it went, so whatever differs later the cluster has done by itself, or somebody by
hand. When and how long comes from the cluster's own history of operations, to the second.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from fshalib.cib.document import Element
from fshalib.events.journal import UNPLANNED
from fshalib.pacemaker import tools
from fshalib.pacemaker.status import Status
from fshalib.switchover import lock
from fshalib.switchover.lock import RunningVerb
from fshalib.switchover.preflight import operations_of
from fshalib.switchover.service import Service, SwitchoverRefused, find_service
from fshalib.system import programs
from fshalib.system.programs import Runner

ATTRIBUTE = "fsha-seen"
RELATED = 300.0
"""Seconds that a failure may be older than the start that answers it."""
RECENT = 60.0
"""Seconds between a start and the agent's word on it."""
RECOVERED = "fsha-recovered-"
"""The agent's transient attribute, with the resource's name: how many calls, ``@``, its start."""
ANSWERS = ("0", "7", "8", "5")
"""Exit codes of a probe that has its answer: runs, does not, is promoted, is not installed."""
LATER = 1.0
"""Seconds that it may seem younger: both are cut to whole seconds."""


@dataclass(frozen=True)
class Move:
    """A move that nobody ordered. ``at``: when it served again (epoch, 0 if not known).

    ``gap`` is how long it was from the failure as the cluster noticed it until then, in seconds to
    the second; ``None`` when no failure is on record, as when a node was lost. ``kept`` is how many
    calls came back, ``None`` if the agents do not say.
    """

    service: str
    old: str
    new: str
    at: float
    gap: float | None
    why: str
    kept: int | None = None

    def as_data(self) -> dict[str, Any]:
        """Return it as the data of an event."""
        return {
            "verb": UNPLANNED,
            "by": "",
            "old": self.old,
            "new": self.new,
            "hold": False,
            "phase": UNPLANNED,
            "gap": self.gap,
            "why": self.why,
            "calls": None if self.kept is None else {**_NOT_COUNTED, "kept": self.kept},
        }


_NOT_COUNTED = {"before": None, "expected": None}


def notice(
    status: Status, root: Element, me: str, now: float, run: Runner = programs.run
) -> Move | None:
    """Return what has moved since this node last looked, and remember where it is now.

    status, root
        How the cluster is, and its live CIB.
    me
        This node.
    now
        Seconds since the epoch.

    ``None`` while nothing has moved, nothing serves, or a switchover is at it, which tells where it
    went when it is over. Raises :class:`programs.RunError`.
    """
    try:
        service = find_service(root)
    except SwitchoverRefused:
        return None
    node = status.serving(*service.members)
    if not node or any(_tells(one, node, now, me) for one in lock.known(run)):
        return None
    before = remembered(me, run)
    if before != node:
        remember(node, [me], run)
    move = moved(before, node, root, status, service)
    return None if move is None else replace(move, kept=kept(service, node, move.at, run))


def _tells(running: RunningVerb, node: str, now: float, me: str) -> bool:
    """Tell whether a running verb will say, or its interruption says, why the service is there."""
    went_there = running.may_have_moved and running.new == node
    return running.goes_on(now, me) or went_there


def started(root: Element, service: Service, node: str) -> float:
    """Return when the last of a service was started on a node (epoch), 0 if that is not known.

    root
        The live CIB with its status.
    """
    starts = [
        _epoch(op) + float(op.get("exec-time", 0)) / 1000
        for op in operations_of(root, node, service.members)
        if op.get("operation") == "start" and op.get("rc-code") == "0"
    ]
    return max(starts, default=0.0)


def moved(before: str, node: str, root: Element, status: Status, service: Service) -> Move | None:
    """Return the move between two looks, ``None`` if there was none or nothing is known.

    before, node
        Where the service was seen the last time, ``""`` if it was not, and where it is now.
    """
    if not before or before == node:
        return None
    at = started(root, service, node)
    failure = _failure(root, service, before, at)
    gap = None if failure is None else round(max(at - _epoch(failure), 0.0), 1)
    return Move(service.id, before, node, at, gap, _why(status, service, before))


def _failure(root: Element, service: Service, node: str, at: float) -> Element | None:
    """Return the failure on a node that has led to a start elsewhere.

    That is the first one after which its resource did not run again there; what failed later came
    of it. If everything ran again, it is the last one.
    """
    known = operations_of(root, node, service.members)
    related = [op for op in known if _has_failed(op) and -LATER <= at - _epoch(op) <= RELATED]
    lasting = [op for op in related if not _ran_again(op, known)]
    if lasting:
        return min(lasting, key=_epoch)
    return max(related, key=_epoch, default=None)


def _ran_again(failure: Element, known: Iterable[Element]) -> bool:
    """Tell whether the resource of a failure was started on the same node after it."""
    return any(
        op.getparent() is failure.getparent()
        and (op.get("operation") == "start" or op.get("interval", "0") != "0")
        and op.get("rc-code") == "0"
        and _call(op) > _call(failure)
        for op in known
    )


def _call(op: Element) -> int:
    text = op.get("call-id", "")
    return int(text) if text.isdecimal() else 0


def _has_failed(op: Element) -> bool:
    """Tell whether an operation is on record as failed, and was no probe that got its answer.

    The cluster keeps a probe that finds a resource where it did not expect it as a failure, too.
    """
    is_probe = op.get("operation") == "monitor" and op.get("interval") == "0"
    answers = ANSWERS if is_probe else ANSWERS[:1]
    return op.get("id", "").endswith("_last_failure_0") and op.get("rc-code") not in answers


def _why(status: Status, service: Service, node: str) -> str:
    failed = [
        str(f)
        for f in status.failures
        if f.node == node and f.resource in service.members and f.exitstatus != "ok"
    ]
    if failed:
        return "; ".join(failed)
    known = status.node(node)
    if known is None or not known.online:
        return f"{node} was lost"
    if known.standby:
        return f"{node} was put into standby"
    return f"no failure of {node} is on record: it was lost, or this was done by hand"


def _epoch(op: Element) -> float:
    text = op.get("last-rc-change", "0")
    return float(text) if text.isdecimal() else 0.0


def kept(service: Service, node: str, at: float, run: Runner = programs.run) -> int | None:
    """Return how many calls the agents have taken over at that start, ``None`` if they don't say.

    at
        When the service was started on the node (epoch).
    """
    told = [
        tools.noted(f"{RECOVERED}{id}", run).get(node, "").partition("@") for id in service.sofia
    ]
    fresh = [
        int(number)
        for number, _, when in told
        if number.isdecimal() and when.isdecimal() and abs(int(when) - at) <= RECENT
    ]
    return sum(fresh) if fresh and len(fresh) == len(service.sofia) else None


def remember(node: str, nodes: Iterable[str], run: Runner = programs.run) -> None:
    """Tell nodes where the service is."""
    tools.note(ATTRIBUTE, node, list(nodes), run)


def remembered(me: str, run: Runner = programs.run) -> str:
    """Return where this node has last seen the service, ``""`` if it has not."""
    return tools.noted(ATTRIBUTE, run).get(me, "")
