"""The moment between stop and removal: all has stopped, and what goes on running is let go of."""

from collections.abc import Callable, Collection, Mapping

from fshalib.change import stop_first
from fshalib.cib import document, leaving
from fshalib.cib.target import Target
from fshalib.errors import CommitError
from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker import tools
from fshalib.pacemaker.status import Status
from fshalib.system import poll
from fshalib.system.programs import Runner

FORGETTING = 10.0
"""Seconds in which the cluster forgets what it has let go of."""


class NotStopped(CommitError):
    """What should be removed does not stop; it stays in the configuration."""

    def __init__(self, places: Mapping[str, tuple[str, ...]], why: tuple[str, ...]) -> None:
        self.places, self.why = places, why
        running = ", ".join(f"{id} on {' and '.join(nodes)}" for id, nodes in places.items())
        reason = f": {'; '.join(why)}" if why else ""
        super().__init__(
            f"Not removed, since it still runs: {running}{reason}. The cluster was told to stop "
            "it; the next run goes on from there."
        )


def part(target: Target, service: str, run: Runner, sleep: Callable[[float], object]) -> None:
    """Make sure that the cluster thinks that nothing runs of what a target removes.

    target
        The target; the cluster is settled with the CIB of :func:`stop_first.stopped_first`.
    service
        The name of FreeSWITCH's service on these hosts.

    What is handed over goes on running, and the cluster forgets it. Raises :class:`NotStopped` and
    :class:`errors.RunError`.
    """
    gone = set(target.removed)
    kept = stop_first.handed_over(target, service)
    _refuse_what_runs(gone - kept, 0.0, run, sleep)
    places = leaving.let_go(document.parse(tools.query(run))) if kept else []
    for resource, node in places:
        tools.let_go(resource, node, run)
    if kept:
        _refuse_what_runs(kept, FORGETTING, run, sleep)


def _refuse_what_runs(
    ids: Collection[str], patience: float, run: Runner, sleep: Callable[[float], object]
) -> None:
    def look() -> Status:
        return pacemaker_status.parse_status(tools.status(run))

    def running(status: Status) -> dict[str, tuple[str, ...]]:
        return {r.id: r.nodes for r in status.resources if r.id in ids and r.nodes}

    status = poll.until(look, lambda seen: not running(seen), patience, sleep=sleep)
    left = running(status)
    if left:
        raise NotStopped(left, tuple(str(f) for f in status.failures if f.resource in left))
