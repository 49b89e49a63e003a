"""Has the pair split? Each node then sees the other one as lost, and without fencing both serve.

What the cluster says of a lost node is no proof: it may be dead, or be up and serve. Proof comes
from the node itself, through the master, or from the network, where another host answers for the
address.
"""

from collections.abc import Iterable, Mapping

from fshalib.agents import is_fencing
from fshalib.checks.node_facts import Facts
from fshalib.cib import agent, properties
from fshalib.cib.document import Element
from fshalib.pacemaker import history
from fshalib.pacemaker.status import NodeStatus, Status
from fshalib.switchover import arp
from fshalib.switchover.dangers import Danger
from fshalib.switchover.service import services

SPLIT, LOST = "split", "lost"
"""A node that the cluster has lost is up; or nobody knows whether it is."""
TO_DO = (
    "choose the node that has the calls (salt-call --local freeswitch.calls on each), and on the "
    "other one run 'systemctl stop pacemaker'. Only then mend the network between them "
    "(corosync-cfgtool -s): when the nodes meet, the cluster stops what runs twice, with all its "
    "calls. Fencing prevents this"
)
UNKNOWN = (
    "look at it by its console or its minion: if it is up, the pair has split. Configure fencing, "
    "which answers this"
)


def is_lost(node: NodeStatus, root: Element) -> bool:
    """Tell whether the cluster has lost a node that did not stop in an orderly way."""
    away = node.unclean or not (node.online or node.pending)
    return away and history.was_lost(root, node.name)


def seen(status: Status, root: Element, me: str) -> Facts:
    """Return how this node sees the pair, for the other one: what it serves, and who is away."""
    return {
        "serves": [s.id for s in services(root) if status.serving(s.id) == me],
        "away": [n.name for n in status.nodes if n.unclean or not (n.online or n.pending)],
    }


def look(
    status: Status,
    root: Element,
    me: str,
    answers: Mapping[str, Facts],
    findings: Iterable[arp.ArpFinding],
) -> tuple[Danger, ...]:
    """Return whether the pair has split, as far as this node can know.

    status, root
        How the cluster is, and its CIB with its status.
    me
        This node.
    answers
        Node → its facts, of those that have answered just now.
    findings
        What the network says against the floating addresses.
    """
    lost = [node for node in status.nodes if node.name != me and is_lost(node, root)]
    second = next((f.text for f in findings if f.kind == arp.SECOND), "")
    found = (_danger(status, root, me, node, answers.get(node.name), second) for node in lost)
    return tuple(danger for danger in found if danger)


def _danger(
    status: Status, root: Element, me: str, node: NodeStatus, facts: Facts | None, second: str
) -> Danger | None:
    here = f"this node sees {node.name} as {node.word}"
    if facts is not None:
        theirs = facts.get("cluster")
        if theirs is None:  # the node has an older release
            return Danger(SPLIT, node.name, f"SPLIT: {here}, but it is up", TO_DO)
        if me not in theirs["away"]:
            return None  # it has not noticed yet, or they are about to meet
        who = _who_serves(status, root, me, node.name, theirs)
        text = f"SPLIT: {here}, but it is up, and sees {me} in the same way; {who}"
        return Danger(SPLIT, node.name, text, TO_DO)
    if second:
        return Danger(SPLIT, node.name, f"SPLIT: {here}, but {second}", TO_DO)
    if has_fencing(root):
        return None
    address = " and ".join(vip for s in services(root) for vip in s.vips) or "the service"
    text = f"{node.name} was lost, and without fencing nobody knows whether it still has {address}"
    return Danger(LOST, node.name, text, UNKNOWN)


def _who_serves(status: Status, root: Element, me: str, other: str, theirs: Facts) -> str:
    both = [s for s in services(root) if status.serving(s.id) == me and s.id in theirs["serves"]]
    if both:
        addresses = " and ".join(vip for s in both for vip in s.vips)
        shown = f" and hold {addresses}" if addresses else ""
        return f"BOTH SERVE {both[0].id}{shown}"
    if theirs["serves"]:
        return f"{other} serves"
    return f"{me} serves" if seen(status, root, me)["serves"] else "nobody serves"


def has_fencing(root: Element) -> bool:
    """Tell whether fencing is on, and there is a device for it."""
    on = properties.is_on(properties.read(root), "stonith-enabled", True)
    return on and any(map(is_fencing, agent.names(root).values()))
