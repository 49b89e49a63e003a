"""Which voice resources a simulated transition would interrupt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fshalib.agents import FREESWITCH, carries_calls, is_vip
from fshalib.cib import agent, read, ties
from fshalib.cib.document import Element
from fshalib.pacemaker import simulate
from fshalib.pacemaker.status import Status

_RESOURCES = ("primitive", "group", "clone", "master", "bundle")


def voice_resources(root: Element, service: str = FREESWITCH) -> frozenset[str]:
    """Return the ids of the primitives whose stop costs calls.

    root
        The live CIB, for what a change removes is only there.
    service
        The name of FreeSWITCH's service on these hosts.

    These are FreeSWITCH in all its forms, and the floating addresses that share a group or
    clone with it or are tied to it by mandatory colocations, in either direction and through
    however many of them. That is wider than what a switchover moves (``Ties.beside``): the guard
    rather asks once too often.
    """
    agents = agent.names(root)
    carrying = {id for id, name in agents.items() if carries_calls(name, service)}
    homes = {
        e.get("id", ""): outermost.get("id", "")
        for outermost in root.iterfind("configuration/resources/*")
        for e in outermost.iter(*_RESOURCES)
    }
    holders = {homes[id] for id in carrying if id in homes}
    pairs = ties.ties(read.read_all(root), through_clones=True).pairs
    tied = [{homes[id] for id in pair} for pair in pairs]
    while grown := {home for pair in tied if pair & holders for home in pair} - holders:
        holders |= grown
    bringing = {id for id, name in agents.items() if is_vip(name)}
    return frozenset(carrying | {id for id in bringing if homes.get(id) in holders})


@dataclass(frozen=True)
class Interruption:
    """A resource that runs and would not go on running, on these nodes."""

    resource: str
    nodes: tuple[str, ...]
    action: str = "stop"


def never(_resource: str, _node: str) -> bool:
    """No agent fails: what holds where none has been asked."""
    return False


def interrupted(
    transition: simulate.Transition,
    voice: frozenset[str],
    running: Status | Mapping[str, Sequence[str]],
    fails: Callable[[str, str], bool] = never,
) -> tuple[Interruption, ...]:
    """Return the voice resources that run now and would be interrupted.

    transition
        What the cluster would do.
    voice
        The resources that count, see :func:`voice_resources`.
    running
        Where everything runs now: the cluster's status, or id → nodes.
    fails
        Tells whether an agent would refuse the parameters that a resource gets, on a node. A
        reload of it then fails, and the cluster stops it.
    """
    places = _places(running)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for action in transition.actions:
        id = simulate.without_instance(action.resource)
        fatal = action.action in simulate.RELOADING and fails(id, action.node)
        key = id, "stop" if fatal else action.action
        if id in voice and key[1] in simulate.INTERRUPTING and not action.blocked:
            nodes = _left(action, places.get(key[0], ()))
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *nodes)))
    return tuple(Interruption(id, nodes, word) for (id, word), nodes in found.items() if nodes)


def _places(running: Status | Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return id → nodes, with the instances of a clone as one."""
    if isinstance(running, Status):
        pairs: Iterable[tuple[str, Sequence[str]]] = [(r.id, r.nodes) for r in running.resources]
    else:
        pairs = running.items()
    found: dict[str, tuple[str, ...]] = {}
    for name, nodes in pairs:
        id = simulate.without_instance(name)
        found[id] = tuple(dict.fromkeys((*found.get(id, ()), *nodes)))
    return found


def _left(action: simulate.Action, places: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes on which an action interrupts; in doubt all on which the resource runs."""
    node = action.source or action.node
    is_instance = simulate.without_instance(action.resource) != action.resource
    if is_instance and node in places:
        return (node,)
    return places
