"""A planned switchover: who serves, who could, what moves it, and what would bounce it back.

The move is a ban of the node that is left, never a preference with a score of INFINITY: a
preference for one node is outbid by the pillar's own one for the other. Measured on
Pacemaker 2.1: with a +INFINITY location in the configuration, ``crm_resource --move``
towards the other node does nothing at all, and lifting a ban bounces the resource back at
once; so a ban that has to stay is kept as a *hold* and said to be one.
"""

# ruff: noqa: N818
# Errors are named for what has happened.

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

from lxml import etree

from fshalib.agents import VIP_AGENTS, VOICE_AGENTS
from fshalib.cib import target as cib_target
from fshalib.cib.target import Element
from fshalib.pacemaker import simulate as pacemaker_simulate
from fshalib.pacemaker import tools
from fshalib.pacemaker.status import Status
from fshalib.pillar import validate_freeswitch
from fshalib.system import programs
from fshalib.system.programs import Runner

PREVIOUS = "fsha-previous-node"
"""The transient attribute by which a switchover notes where the service was before."""
BANNED = "fsha-banned-"
"""The transient attribute, with the service's name, by which it notes which nodes it bans."""
NOBODY = "-"
"""What it says when there is no ban of a switchover's."""


class SwitchError(Exception):
    """A switchover is refused or has failed; the text says why and what to do."""


class Refused(SwitchError):
    """A switchover is refused; nothing was moved."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("Nothing was moved: " + "; ".join(self.reasons) + ".")


@dataclass(frozen=True)
class Service:
    """The resource that an operator switches over, with its floating addresses.

    ``drain`` is how many seconds its stop may wait for calls to end, ``sofia`` the members that
    are ``ocf:fsha:FSSofia``, ``keeps`` whether all of these leave their calls to the other node.
    """

    id: str
    members: tuple[str, ...]
    vips: tuple[str, ...]
    drain: int = 0
    sofia: tuple[str, ...] = ()
    keeps: bool = False


def find_service(root: Element, name: str | None = None) -> Service:
    """Return the voice service of a CIB: the group (or primitive) that holds FreeSWITCH.

    name
        The id of another resource to take instead.

    Raises :class:`Refused` when there is none, or more than one to choose from.
    """
    resources = list(root.iterfind("configuration/resources/*"))
    if name is not None:
        found = [e for e in resources if e.get("id") == name]
    else:
        found = _services(resources)
    if len(found) != 1:
        ids = ", ".join(e.get("id", "") for e in found or resources) or "none"
        what = f"there is no resource {name}" if name else "it is not clear what to switch over"
        raise Refused([f"{what} (resources: {ids}); name one with resource=ID"])
    return _service(found[0])


def services(root: Element) -> tuple[Service, ...]:
    """Return all voice services of a CIB; a pair has one as a rule."""
    return tuple(map(_service, _services(list(root.iterfind("configuration/resources/*")))))


def _services(resources: list[Element]) -> list[Element]:
    # A clone of the switch runs everywhere: there is nothing of it to be moved.
    moving = [e for e in resources if e.tag != "clone"]
    ways = ((moving, VOICE_AGENTS), (moving, VIP_AGENTS), (resources, VOICE_AGENTS | VIP_AGENTS))
    candidates = ([e for e in some if _agents(e) & agents] for some, agents in ways)
    return next((found for found in candidates if found), [])


def _primitives(element: Element) -> list[Element]:
    return [element] if element.tag == "primitive" else list(element.iter("primitive"))


def _agents(element: Element) -> frozenset[str]:
    return frozenset(p.get("type", "") for p in _primitives(element))


def _service(element: Element) -> Service:
    primitives = _primitives(element)
    vips = [
        str(pair.get("value"))
        for p in primitives
        if p.get("type") in VIP_AGENTS
        for pair in p.iterfind("instance_attributes/nvpair[@name='ip']")
        if pair.get("value")
    ]
    members = tuple(p.get("id", "") for p in primitives)
    drain = max((_drain_time(p) for p in primitives), default=0)
    ours = [p for p in primitives if (p.get("provider"), p.get("type")) == ("fsha", "FSSofia")]
    sofia = tuple(p.get("id", "") for p in ours)
    keeps = bool(ours) and all(_parameters(p).get("stop_mode") == "recover" for p in ours)
    return Service(element.get("id", ""), members, tuple(vips), drain, sofia, keeps)


def _parameters(primitive: Element) -> dict[str, str]:
    pairs = primitive.iterfind("instance_attributes/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def _drain_time(primitive: Element) -> int:
    """Return how long ocf:fsha:FSSofia waits for calls when it is stopped."""
    told = _parameters(primitive)
    if primitive.get("provider") != "fsha" or told.get("stop_mode") != "drain":
        return 0
    seconds = told.get("drain_time", "")
    return (
        int(seconds)
        if seconds.isascii() and seconds.isdecimal()
        else validate_freeswitch.DRAIN_TIME
    )


# --- bans and holds ------------------------------------------------------------------------


def ban_id(resource: str, node: str) -> str:
    """Return the id of a ban, the same that ``crm_resource --ban`` gives it."""
    return f"cli-ban-{resource}-on-{node}"


def bans(root: Element, resource: str) -> dict[str, str]:
    """Return the bans in force on a resource, node → id."""
    prefix = ban_id(resource, "")
    # The node is part of the id: a ban with a lifetime names it in a rule only.
    return {
        e.get("id", "").removeprefix(prefix): e.get("id", "")
        for e in root.iterfind("configuration/constraints/rsc_location")
        if e.get("rsc") == resource and e.get("id", "").startswith(prefix)
    }


def with_bans(root: Element, resource: str, nodes: Sequence[str]) -> Element:
    """Return a copy of a CIB in which exactly these nodes are banned for a resource."""
    new = copy.deepcopy(root)
    constraints = cast(Element, new.find("configuration/constraints"))
    for node, id in bans(new, resource).items():
        if node not in nodes:
            cib_target.remove(new, id)
    held = bans(new, resource)
    for node in nodes:
        if node not in held:
            etree.SubElement(
                constraints,
                "rsc_location",
                {
                    "id": ban_id(resource, node),
                    "rsc": resource,
                    "role": "Started",
                    "node": node,
                    "score": "-INFINITY",
                },
            )
    return new


def rebanned(root: Element, resource: str, ban: Sequence[str], lift: Sequence[str]) -> Element:
    """Return a copy of a CIB with some nodes banned and other bans lifted; the rest stays.

    A node that stands in both is banned.
    """
    kept = [node for node in bans(root, resource) if node not in lift]
    return with_bans(root, resource, list(dict.fromkeys([*kept, *ban])))


# --- before: can it be done? ---------------------------------------------------------------


def choose_target(status: Status, active: str, target: str | None) -> str:
    """Return the node to switch over to: the one that is asked for, or the only other one.

    Raises :class:`Refused`.
    """
    others = [node.name for node in status.nodes if node.name != active]
    if not others:
        raise Refused(["there is no other node in this cluster to switch over to"])
    if target is None:
        if len(others) != 1:
            raise Refused([f"a target is needed, one of: {', '.join(others)}"])
        return others[0]
    if target == active:
        raise Refused([f"the service runs on {target} already"])
    if target not in others:
        names = ", ".join(node.name for node in status.nodes)
        raise Refused([f"{target} is no node of this cluster (nodes: {names})"])
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
    found += [
        f"{part.id} is not managed by the cluster"
        for part in status.resource(service.id)
        if not part.managed
    ]
    found += [
        f"{held.resource} has failed on {target} (fail count {held.count}): look at it, "
        f"then 'crm_resource --cleanup --resource {held.resource} --node {target}'"
        for held in status.fail_counts
        if held.node == target and held.resource in service.members
    ]
    return tuple(found)


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
    return pacemaker_simulate.parse_transition(tools.simulate(cib_target.render(root), run))


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


def is_held(root: Element, resource: str, node: str) -> bool:
    """Tell whether a ban of a node is a switchover's own, and none that somebody made by hand.

    A switchover notes both nodes before it bans or lifts anything, and afterwards what is left.
    """
    noted = _noted(root, f"{BANNED}{resource}") or _noted(root, PREVIOUS)
    return any(node in value.split() for value in noted)


def held(root: Element, resource: str) -> list[str]:
    """Return the nodes from which a switchover keeps a resource."""
    return [node for node in bans(root, resource) if is_held(root, resource, node)]


def previous_node(root: Element, active: str) -> str | None:
    """Return where a service that is now on ``active`` was before the last switchover.

    Every node carries it as a transient attribute, so that one of them may have been
    restarted meanwhile.
    """
    others = [value for value in _noted(root, PREVIOUS) if value != active]
    return others[0] if others else None


def _noted(root: Element, attribute: str) -> list[str]:
    """Return what the nodes' copies of a transient attribute say."""
    found = root.xpath(
        "status/node_state/transient_attributes//nvpair[@name=$name]/@value", name=attribute
    )
    return [str(value) for value in cast("list[str]", found)]
