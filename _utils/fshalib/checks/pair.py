"""The pair, looked at from this minion: its facts, the checklist, and what moved by itself."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from fshalib.checks import checklist, checks_cluster, collect, node_facts, schedule, split
from fshalib.checks.collect import Links
from fshalib.checks.line import FAIL, Line
from fshalib.checks.minion import Minion
from fshalib.checks.node_facts import Facts
from fshalib.cib.document import Element
from fshalib.errors import LiveError
from fshalib.events import event as events_event
from fshalib.events import journal
from fshalib.freeswitch import recovery_db
from fshalib.pacemaker import tools
from fshalib.pacemaker.status import Status
from fshalib.switchover import unplanned
from fshalib.switchover.cluster import Cluster
from fshalib.switchover.dangers import Danger


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc)


def node_name(minion: Minion, cluster: Cluster) -> str:
    """Return this node's name in the cluster; the minion's where the cluster does not tell."""
    try:
        return cluster.this_node() or minion.id
    except LiveError:
        return minion.id


def facts(minion: Minion, cluster: Cluster) -> Facts:
    """Return what this node knows of itself, and note it in the cluster for the other one.

    Raises :class:`errors.RunError`.
    """
    me = cluster.this_node()
    return _facts(minion, me, _links(minion), split.seen(cluster.status(), cluster.cib(), me))


def _facts(minion: Minion, me: str, links: Links | None, seen: Facts) -> Facts:
    known = node_facts.gather(me or minion.id, minion.freeswitch.ask)
    known["minion"] = minion.id
    known["cluster"] = seen
    known["recovery"] = recovery_db.ask_pillars(minion.pillar)
    known["links_down"] = checks_cluster.down(links or ())
    known["state_run"] = minion.state_run()
    known["queued_jobs"] = schedule.queued(minion.opts, minion.pillar)
    known["unread_arguments"] = schedule.unread(minion.opts, minion.pillar)
    known["last_drill"] = minion.last_drill()
    if me:
        tools.note(node_facts.ATTRIBUTE, node_facts.render(known), [me])
    return known


def _links(minion: Minion) -> Links | None:
    links, why = minion.links()
    numbered = tuple({"number": link["link"], **link} for link in links)
    return None if why and not links else numbered


def check(minion: Minion, cluster: Cluster) -> tuple[Line, ...]:
    """Go through the checklist; what has moved by itself is noticed as well.

    Raises :class:`errors.LiveError`.
    """
    status, root = cluster.status(), cluster.cib()
    me, links = cluster.this_node(), _links(minion)
    if me:
        notice(minion, status, root, me)
    mine = _facts(minion, me, links, split.seen(status, root, me))
    view = collect.gather(status, root, mine, links, minion.ask_facts)
    if me:
        tell(minion, status, me, view.dangers)
    return checklist.lines(view)


def check_or_say(minion: Minion, cluster: Cluster) -> tuple[Line, ...]:
    """Go through the checklist; a cluster that can't be asked is its one line."""
    try:
        return check(minion, cluster)
    except LiveError as error:
        return (Line("cluster", "Cluster", FAIL, str(error), blocks=True),)


def notice(minion: Minion, status: Status, root: Element, me: str) -> dict[str, Any] | None:
    """Tell of a move that nobody ordered, and return it; ``None`` when there is nothing new.

    status, root
        How the cluster is, and its live CIB.
    me
        This node. Where it serves now, the event goes on the bus; the journal keeps it anyway.
    """
    move = unplanned.notice(status, root, me, time.time())
    if move is None:
        return None
    at = datetime.fromtimestamp(move.at, timezone.utc) if move.at else now()

    def tell(tag: str, event: Mapping[str, Any]) -> None:
        journal.keep(minion.opts, event, at)
        if move.new == me:
            minion.fire(tag, dict(event))

    data = move.as_data()
    events_event.send(tell, events_event.FAILOVER, move.service, minion.id, data)
    return data


def look(minion: Minion, cluster: Cluster) -> dict[str, Any] | None:
    """Tell what has moved by itself, which is returned, and what threatens.

    Raises :class:`errors.LiveError`.
    """
    status, root, me = cluster.status(), cluster.cib(), cluster.this_node()
    move = notice(minion, status, root, me)
    tell(minion, status, me, collect.threats(status, root, me, minion.ask_facts))
    return move


def tell(minion: Minion, status: Status, me: str, found: Iterable[Danger]) -> None:
    """Send an event of each danger that is new, once.

    me, found
        This node, and all dangers that there are now. The nodes of a pair that has split tell each
        for itself, of anything else the DC does.
    """
    dangers = {f"{danger.kind}:{danger.node}": danger for danger in found}
    told = set(tools.noted(TOLD).get(me, NOTHING).split()) - {NOTHING}
    for key, danger in dangers.items():
        if key in told or danger.kind == split.LOST:
            continue
        if danger.kind == split.SPLIT:
            facts = {"faults": [str(danger)], "waited": 0, "split": True}
            minion.send(events_event.RING, danger.node, facts)
        elif status.dc == me:
            facts = {**_BY_NOBODY, "danger": danger.kind, "reason": str(danger)}
            minion.send(events_event.OPERATOR, danger.node, facts)
    if told != set(dangers):
        tools.note(TOLD, " ".join(sorted(dangers)) or NOTHING, [me])


TOLD, NOTHING = "fsha-dangers", "-"
"""The transient attribute that keeps what a node has told of, and what it says for nothing."""
_BY_NOBODY = {"verb": "node-maintenance", "by": "", "since": None, "until": None}
