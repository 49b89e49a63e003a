"""Could the other node take over? What speaks against it."""

from collections.abc import Iterable

from fshalib.cib import document
from fshalib.cib.document import Element
from fshalib.pacemaker import simulate as pacemaker_simulate
from fshalib.pacemaker import tools
from fshalib.pacemaker.status import Status
from fshalib.switchover.service import Service, SwitchoverRefused
from fshalib.system import programs
from fshalib.system.programs import Runner


def choose_target(status: Status, active: str, target: str | None) -> str:
    """Return the node to switch over to: the one that is asked for, or the only other one.

    Raises :class:`Refused`.
    """
    others = [node.name for node in status.nodes if node.name != active]
    if not others:
        raise SwitchoverRefused(["there is no other node in this cluster to switch over to"])
    if target is None:
        if len(others) != 1:
            raise SwitchoverRefused([f"a target is needed, one of: {', '.join(others)}"])
        return others[0]
    if target == active:
        raise SwitchoverRefused([f"the service runs on {target} already"])
    if target not in others:
        names = ", ".join(node.name for node in status.nodes)
        raise SwitchoverRefused([f"{target} is no node of this cluster (nodes: {names})"])
    return target


def obstacles(status: Status, service: Service, target: str) -> tuple[str, ...]:
    """Return why a node cannot take the service over now, as far as the status tells."""
    node = status.node(target)
    found = []
    if node is None or node.word != "online":
        found.append(f"{target} is {node.word if node else 'unknown'}")
    if not status.quorate:
        found.append("the cluster has no quorum" if status.dc else "the cluster has no DC just now")
    if status.maintenance:
        found.append("the cluster is in maintenance mode")
    kept = [] if status.maintenance else _in_maintenance(status, service)
    found += [
        f"{name} is in maintenance of its own, so the cluster would not stop {service.id} there; "
        f"end that first with 'crm_attribute --node {name} --name maintenance --delete'"
        for name in kept
    ]
    found += [
        f"{part.id} is not managed by the cluster"
        for part in status.resource(*service.members)
        if not part.managed and not kept
    ]
    found += [
        f"{held.resource} has failed on {target} (fail count {held.count}): look at it, "
        f"then 'crm_resource --cleanup --resource {held.resource} --node {target}'"
        for held in status.fail_counts
        if held.node == target and held.resource in service.members
    ]
    return tuple(found)


def _in_maintenance(status: Status, service: Service) -> list[str]:
    """Return the nodes with the service that are in maintenance of their own."""
    return [
        n.name for n in status.nodes if n.maintenance and n.name in status.active(*service.members)
    ]


def has_failed(status: Status, service: Service, target: str) -> bool:
    """Tell whether any part of the service has failed on the target, which began without failures.

    With one fail count on it the cluster may never start the service there: waiting longer
    only makes the interruption longer.
    """
    return any(c.node == target and c.resource in service.members for c in status.fail_counts)


def is_lost(status: Status, target: str) -> str:
    """Return why nothing can be started on a node any more, ``""`` while it is online."""
    node = status.node(target)
    word = "gone" if node is None else node.word
    return "" if word == "online" else f"{target} is {word}"


def operations_of(root: Element, node: str, members: Iterable[str]) -> list[Element]:
    """Return what the cluster keeps of the operations of some resources on a node.

    root
        The live CIB with its status.
    """
    wanted = frozenset(members)
    return [
        op
        for state in root.iterfind("status/node_state")
        if state.get("uname") == node
        for resource in state.iterfind("lrm/lrm_resources/lrm_resource")
        if resource.get("id") in wanted
        for op in resource.iterfind("lrm_rsc_op")
    ]


def unproven(root: Element, service: Service, node: str) -> tuple[str, ...]:
    """Return the members whose agent has not said yet, since their start, that all is well.

    A member without a monitor has nobody to say so, and is left out.
    """
    return tuple(
        member
        for member in service.members
        if _has_monitor(root, member) and not _is_proven(operations_of(root, node, [member]))
    )


def _has_monitor(root: Element, member: str) -> bool:
    found = [p for p in root.iter("primitive") if p.get("id") == member]
    templates = {p.get("template") for p in found}
    found += [t for t in root.iter("template") if t.get("id") in templates]
    return any(op.get("name") == "monitor" for one in found for op in one.iter("op"))


def _is_proven(ops: Iterable[Element]) -> bool:
    """Tell whether each monitor that was begun after the last start has succeeded."""
    known = [op for op in ops if op.get("call-id", "").isdecimal()]
    start = max((_call(op) for op in known if op.get("operation") == "start"), default=0)
    repeated = [
        op for op in known if op.get("operation") == "monitor" and op.get("interval") != "0"
    ]
    since = [op for op in repeated if _call(op) > start]
    return bool(since) and all(op.get("rc-code") == "0" for op in since)


def _call(op: Element) -> int:
    return int(op.get("call-id", "0"))


def simulate(root: Element, run: Runner = programs.run) -> pacemaker_simulate.Transition:
    """Return what the cluster would do with a CIB."""
    return pacemaker_simulate.parse_transition(tools.simulate(document.render(root), run))


def outcome(root: Element, run: Runner = programs.run) -> Element:
    """Return the CIB to which the cluster would come with a CIB."""
    return document.parse(tools.outcome(document.render(root), run))


def would_serve(transition: pacemaker_simulate.Transition, service: Service) -> str:
    """Return the node where all of the service would run, ``""`` if there is none."""
    places = {transition.placement.get(member, ()) for member in service.members}
    if len(places) == 1:
        (place,) = places
        if len(place) == 1:
            return place[0]
    return ""


def stays(transition: pacemaker_simulate.Transition, service: Service) -> bool:
    """Tell whether a transition leaves the service alone."""
    return not {a.resource for a in transition.actions} & set(service.members)
