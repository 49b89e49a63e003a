"""What the checklist looks at, asked of the cluster, the network and the other nodes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from fshalib.checks import node_facts, split
from fshalib.checks.node_facts import Facts
from fshalib.cib.document import Element
from fshalib.pacemaker import tools
from fshalib.pacemaker.simulate import Transition
from fshalib.pacemaker.status import NodeStatus, Status
from fshalib.switchover import arp, bans, dangers, drill, lock, preflight
from fshalib.switchover import service as switchover_service
from fshalib.switchover.dangers import Danger
from fshalib.switchover.service import Service
from fshalib.system import icmp, programs
from fshalib.system.programs import Runner

Links = tuple[Mapping[str, Any], ...]
AskNode = Callable[[str], "Facts | None"]
AskClock = Callable[[str], "icmp.ClockAnswer | None"]


STALE = timedelta(minutes=30)
"""Facts of another node that are older may no longer be true."""


def parse_time(text: str) -> datetime:
    """Read a time as facts have it."""
    return datetime.strptime(text, node_facts.FORM).replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class View:
    """Everything that was looked at.

    ``links`` as ``corosync.status`` has them, ``None`` when the ring can't be read. ``after`` is
    what the cluster would do if the service had to leave its node. ``facts`` node → its facts,
    ``None`` where there are none. ``arp_findings`` what ARP says against the floating addresses,
    ``None`` when it can't be asked. ``clocks`` node → how far its clock is ahead of ours, for those
    that were asked. ``operations`` are sentences.
    ``dangers`` is what can end, or has ended, in two holders.
    """

    status: Status
    root: Element
    service: Service | None
    me: str
    now: datetime
    links: tuple[Mapping[str, Any], ...] | None = None
    pending: Transition | None = None
    after: Transition | None = None
    facts: Mapping[str, node_facts.Facts | None] = field(default_factory=dict)
    arp_findings: tuple[arp.ArpFinding, ...] | None = None
    clocks: Mapping[str, icmp.ClockAnswer | None] = field(default_factory=dict)
    operations: tuple[str, ...] = ()
    dangers: tuple[Danger, ...] = ()
    last_drill: str = ""

    @property
    def active(self) -> str:
        """The node that serves, ``""`` for none."""
        return self.status.serving(*self.service.members) if self.service else ""

    @property
    def peers(self) -> tuple[str, ...]:
        """The nodes that do not serve."""
        return tuple(node.name for node in self.status.nodes if node.name != self.active)

    def is_fresh(self, node: str) -> bool:
        """Tell whether what is known of a node is its own, or young enough to go by."""
        facts = self.facts.get(node)
        return facts is not None and (
            node == self.me or self.now - parse_time(facts["at"]) <= STALE
        )

    def age(self, node: str) -> int:
        """Return how many minutes ago a node has told what is known of it, 0 for nothing."""
        facts = self.facts.get(node)
        seconds = (self.now - parse_time(facts["at"])).total_seconds() if facts else 0
        return int(max(seconds, 0) // 60)

    def switches(self) -> dict[str, node_facts.Facts]:
        """Return the facts of the switches that are known and run."""
        found = {node: facts["switch"] for node, facts in self.facts.items() if facts}
        return {node: switch for node, switch in found.items() if switch.get("running")}


def gather(
    status: Status,
    root: Element,
    mine: Facts,
    links: Links | None,
    ask_node: AskNode,
    ask_clock: AskClock = icmp.ask_clock,
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
    active = status.serving(*service.members) if service else ""
    noted = {node.name: _noted(node, run) for node in status.nodes if node.name != me}
    answers = _answers(status, root, noted, ask_node)
    known = {me: mine, **noted, **answers}
    findings = arp_findings(service, active, me, run) if service and active else None
    return View(
        status=status,
        root=root,
        service=service,
        me=me,
        now=datetime.now(timezone.utc),
        links=links,
        clocks=clocks(links or (), me, ask_clock),
        pending=preflight.simulate(root, run),
        after=_without(root, service, active, run) if service and active else None,
        facts={node.name: known.get(node.name) for node in status.nodes},
        arp_findings=findings,
        dangers=(
            *split.look(status, root, me, answers, findings or ()),
            *dangers.maintenance(status, root),
        ),
        operations=tuple(lock.description(one, time.time(), me) for one in lock.known(run)),
        last_drill=_last_drill(known, run),
    )


def _service(root: Element) -> switchover_service.Service | None:
    try:
        return switchover_service.find_service(root)
    except switchover_service.SwitchoverRefused:
        return None


def _without(root: Element, service: switchover_service.Service, active: str, run: Runner) -> Any:
    """Return what the cluster would do if the service had to leave its node."""
    return preflight.simulate(bans.rebanned(root, service, [active], []), run)


def _noted(node: NodeStatus, run: Runner) -> Facts | None:
    """Return the facts that a node has noted in the cluster."""
    return node_facts.parse(tools.noted(node_facts.ATTRIBUTE, run).get(node.name, ""))


def _answers(
    status: Status, root: Element, noted: Mapping[str, Facts | None], ask_node: AskNode
) -> dict[str, Facts]:
    """Return the facts of those other nodes that answer now.

    noted
        Which nodes these are, with what each has noted: its minion may have another name.

    A lost node is asked as well: it may be up, and serve.
    """
    asked = {
        node.name: ask_node(str((noted[node.name] or {}).get("minion") or node.name))
        for node in status.nodes
        if node.name in noted and (node.word == "online" or split.is_lost(node, root))
    }
    return {name: facts for name, facts in asked.items() if facts is not None}


def threats(status: Status, root: Element, me: str, ask_node: AskNode) -> tuple[Danger, ...]:
    """Return what can end, or has ended, in two holders, without a look at anything else.

    status, root, me, ask_node
        See :func:`gather`. Nobody is asked unless a node was lost.

    Raises :class:`programs.RunError`.
    """
    lost = [n for n in status.nodes if me and n.name != me and split.is_lost(n, root)]
    if not lost:
        return dangers.maintenance(status, root)
    noted = {node.name: _noted(node, programs.run) for node in lost}
    answers = _answers(status, root, noted, ask_node)
    service = _service(root)
    active = status.serving(*service.members) if service else ""
    findings = arp_findings(service, active, me) if service and active else None
    return (
        *split.look(status, root, me, answers, findings or ()),
        *dangers.maintenance(status, root),
    )


def _last_drill(known: Mapping[str, Facts | None], run: Runner) -> str:
    """Return when the last drill was of which any node knows, ``""`` for none."""
    by_facts = [str((facts or {}).get("last_drill", "")) for facts in known.values()]
    return max([*by_facts, *drill.times(tools.noted(drill.LAST, run).values())], default="")


def clocks(
    links: Links, me: str, ask_clock: AskClock = icmp.ask_clock
) -> dict[str, icmp.ClockAnswer | None]:
    """Ask the other nodes for the time, each over the first of its links that answers."""
    found: dict[str, icmp.ClockAnswer | None] = {}
    for link in links:
        node = str(link["node"])
        if found.get(node) is None and node != me and link["connected"]:
            found[node] = ask_clock(str(link["address"]))
    return found


def arp_findings(
    service: switchover_service.Service, active: str, me: str, run: Runner = programs.run
) -> tuple[arp.ArpFinding, ...] | None:
    """Return what the network says against the floating addresses, ``None`` if it can't tell."""
    if tools.on_file():
        return None
    ours = [vip for vip in service.vips if arp.interface_of(vip, run)]
    if not ours:
        return None
    said = [arp.disagreement(vip, held_here=active == me, run=run) for vip in ours]
    return tuple(one for one in said if one)
