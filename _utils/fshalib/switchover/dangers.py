"""A node's own maintenance, which can end in two holders of the floating address.

It does not outlive Pacemaker on that node. If Pacemaker stops there, what runs goes on running, and
the cluster starts it on the other node as well: at once if that node was the DC, else at the latest
at the next recheck (15 minutes). Once both have it, maintenance of the cluster only keeps it so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fshalib.cib.document import Element
from fshalib.pacemaker import history
from fshalib.pacemaker.status import Status
from fshalib.switchover import operator_settings
from fshalib.switchover.operator_action import MAINTENANCE_MODE, NODE_MAINTENANCE, OperatorAction
from fshalib.switchover.service import Service, services

SERVES, LEFT, TWICE = "serves", "left", "twice"
"""A node in its own maintenance serves; its Pacemaker has stopped and it may serve on; or two nodes
have the service, and the cluster leaves it so."""


@dataclass(frozen=True)
class Danger:
    """What threatens: its ``kind``, the ``node`` that it comes from, and what to do."""

    kind: str
    node: str
    text: str
    advice: str

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return f"{self.text}. {self.advice[:1].upper()}{self.advice[1:]}."


def maintenance(status: Status, root: Element) -> tuple[Danger, ...]:
    """Return the dangers that come from nodes in maintenance of their own.

    status, root
        How the cluster is, and its CIB with its status.
    """
    actions = operator_settings.actions(root)
    everywhere = any(action.kind == MAINTENANCE_MODE for action in actions)
    nodes = {a.node: a for a in reversed(actions) if a.kind == NODE_MAINTENANCE}
    all_services = services(root)
    found = (
        *(_twice(status, service) for service in all_services),
        *(
            _danger(status, root, service, action, everywhere)
            for action in nodes.values()
            for service in all_services
        ),
    )
    return tuple(danger for danger in found if danger)


def sentences(found: Iterable[Danger]) -> list[str]:
    """Return dangers as a person reads them."""
    return [str(danger) for danger in found]


def _danger(
    status: Status, root: Element, service: Service, action: OperatorAction, everywhere: bool
) -> Danger | None:
    node = status.node(action.node)
    if node is not None and node.online and not (node.pending or node.unclean):
        # In maintenance mode of the whole cluster nothing is started anywhere.
        serves = action.node in status.active(*service.members) and not everywhere
        return _serving(service, action) if serves else None
    left = set(history.running(root, action.node)) & set(service.members)
    return _gone(status, service, action, everywhere) if left else None


def _twice(status: Status, service: Service) -> Danger | None:
    """Return what runs on two nodes; what the cluster manages it puts right by itself."""
    twice = [
        item
        for item in status.resources
        if item.id in service.members and len(item.nodes) > 1 and not item.managed
    ]
    if not twice:
        return None
    ids, nodes = " and ".join(item.id for item in twice), " and ".join(twice[0].nodes)
    runs = "runs" if len(twice) == 1 else "run"
    return Danger(
        TWICE,
        twice[0].nodes[0],
        f"TWO HOLDERS of {_address(service)}: {ids} {runs} on {nodes}, and maintenance keeps the "
        "cluster from changing that",
        "leave the maintenance on. Find the node that has the calls (salt-call --local "
        "freeswitch.calls on each). On the other one stop the profiles and take the address away "
        "(ip address del); then crm_resource --refresh shows the cluster that it runs once",
    )


def _address(service: Service) -> str:
    return " and ".join(service.vips) or service.id


def _serving(service: Service, action: OperatorAction) -> Danger:
    return Danger(
        SERVES,
        action.node,
        f"{action.node} is in maintenance of its own and serves {service.id}: if Pacemaker stops "
        f"there, another node starts it as well, and both hold {_address(service)}",
        f"do not stop Pacemaker there. End this maintenance ({action.hint}) and move the service "
        "first (fsha.failover); or use fsha.maintenance on, which holds for the whole cluster",
    )


def _gone(status: Status, service: Service, action: OperatorAction, everywhere: bool) -> Danger:
    node, address = action.node, _address(service)
    others = [name for name in status.active(*service.members) if name != node]
    text = f"{node} left in maintenance and MAY STILL HOLD {address}"
    if others:
        text += f", which {others[0]} holds as well"
        advice = (
            "at once: salt-call --local fsha.maintenance on "
            f"reason='two holders'. Look on both nodes (ip address show {address}). On the one "
            "without the calls stop the profiles and take the address away"
        )
    elif everywhere:
        advice = (
            f"leave maintenance mode on until Pacemaker runs on {node} again. If {node} is off or "
            f"does not have the address, end its own maintenance: {action.hint}"
        )
    else:
        text += "; another node starts it as well, at the latest at the next recheck"
        advice = (
            "at once, before that happens: salt-call --local fsha.maintenance on "
            f"reason='{node} left in maintenance'. Then start Pacemaker on {node}. If that is off "
            f"or does not have the address, end its own maintenance: {action.hint}"
        )
    return Danger(LEFT, node, text, advice)
