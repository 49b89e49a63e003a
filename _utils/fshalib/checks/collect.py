"""What the checklist looks at, asked of the cluster, the network and the other nodes."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from fshalib.checks import node_facts
from fshalib.checks.checklist import View
from fshalib.checks.node_facts import Facts
from fshalib.cib.target import Element
from fshalib.pacemaker import tools
from fshalib.pacemaker.status import Node, Status
from fshalib.switchover import arp, lock
from fshalib.switchover import service as switchover_service
from fshalib.system import programs
from fshalib.system.programs import Runner

Links = tuple[Mapping[str, Any], ...]
AskNode = Callable[[str], "Facts | None"]
AskClock = Callable[[str], "programs.ClockAnswer | None"]


def gather(
    status: Status,
    root: Element,
    mine: Facts,
    links: Links | None,
    ask_node: AskNode,
    ask_clock: AskClock = programs.ask_clock,
    run: Runner = programs.run,
) -> View:
    """Look at the whole pair.

    status, root
        How the cluster is, and its live CIB.
    mine
        The facts of this node.
    links
        The ring's links as this node sees them, ``None`` when they can't be read.
    ask_node
        Asks a minion for its node's facts; ``None`` when it can't be asked.
    ask_clock
        Asks an address for the time.

    Raises :class:`programs.RunError`.
    """
    me = str(mine["node"])
    service = _service(root)
    active = status.serving(service.id) if service else ""
    known = {node.name: _facts_of(node, mine, ask_node, run) for node in status.nodes}
    return View(
        status=status,
        root=root,
        service=service,
        me=me,
        now=datetime.now(timezone.utc),
        links=links,
        clocks=clocks(links or (), me, ask_clock),
        pending=switchover_service.simulate(root, run),
        after=_without(root, service, active, run) if service and active else None,
        facts=known,
        wire=_on_the_wire(service, active, me, run) if service and active else None,
        operations=tuple(lock.told(one, time.time(), me) for one in lock.known(run)),
        last_drill=max((str((f or {}).get("last_drill", "")) for f in known.values()), default=""),
    )


def _service(root: Element) -> switchover_service.Service | None:
    try:
        return switchover_service.find_service(root)
    except switchover_service.Refused:
        return None


def _without(root: Element, service: switchover_service.Service, active: str, run: Runner) -> Any:
    """Return what the cluster would do if the service had to leave its node."""
    return switchover_service.simulate(
        switchover_service.rebanned(root, service.id, [active], []), run
    )


def _facts_of(node: Node, mine: Facts, ask_node: AskNode, run: Runner) -> Facts | None:
    """Return a node's facts: this one's own, another one's from itself or from the cluster."""
    if node.name == mine["node"]:
        return mine
    noted = node_facts.parse(tools.noted(node_facts.ATTRIBUTE, run).get(node.name, ""))
    # Its minion may have another name, which it has noted as well.
    minion = str((noted or {}).get("minion") or node.name)
    return (ask_node(minion) if node.word == "online" else None) or noted


def clocks(
    links: Links, me: str, ask_clock: AskClock = programs.ask_clock
) -> dict[str, programs.ClockAnswer | None]:
    """Ask the other nodes for the time, each over the first of its links that answers."""
    found: dict[str, programs.ClockAnswer | None] = {}
    for link in links:
        node = str(link["node"])
        if found.get(node) is None and node != me and link["connected"]:
            found[node] = ask_clock(str(link["address"]))
    return found


def _on_the_wire(
    service: switchover_service.Service, active: str, me: str, run: Runner
) -> tuple[str, ...] | None:
    """Return what the network says against the floating addresses, ``None`` if it can't tell."""
    if tools.on_file():
        return None
    ours = [vip for vip in service.vips if arp.interface_of(vip, run)]
    if not ours:
        return None
    said = [arp.disagreement(vip, held_here=active == me, run=run) for vip in ours]
    return tuple(one for one in said if one)
