"""Which voice resources a simulated transition would interrupt."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fshalib.agents import CALLS_AGENTS, CALLS_VIP_AGENTS
from fshalib.cib.document import Element
from fshalib.cib.values import FALSE_WORDS, INFINITY, UnitError, score_value
from fshalib.pacemaker import simulate
from fshalib.pacemaker.status import Status

_RESOURCES = ("primitive", "group", "clone", "master", "bundle")


def voice_resources(root: Element) -> frozenset[str]:
    """Return the ids of the primitives whose stop costs calls.

    root
        The live CIB, for what a change removes is only there.

    These are FreeSWITCH in all its forms, and the floating addresses that share a group or
    clone with it or are tied to it by mandatory colocations, in either direction and through
    however many of them.
    """
    homes = _homes(root)
    types = _types(root)
    holders = {home for id, kind in types.items() if kind in CALLS_AGENTS for home in homes[id]}
    ties = [_at_home(tie, homes) for tie in _ties(root)]
    while grown := {home for tie in ties if tie & holders for home in tie} - holders:
        holders |= grown
    return frozenset(
        id
        for id, kind in types.items()
        if kind in CALLS_AGENTS or (kind in CALLS_VIP_AGENTS and homes[id] & holders)
    )


def _types(root: Element) -> dict[str, str]:
    """Return the type of each primitive's agent, such as ``IPaddr2``, wherever it is said."""
    resources = "configuration/resources"
    templates = {e.get("id", ""): e for e in root.iterfind(f"{resources}/template")}
    return {
        e.get("id", ""): templates.get(e.get("template", ""), e)
        .get("type", "")
        .removesuffix(".service")
        for e in root.iterfind(f"{resources}//primitive")
    }


def _homes(root: Element) -> dict[str, set[str]]:
    """Return what a constraint can name → the outermost resources that it means.

    These are resources at any depth, and templates and tags, which stand for several.
    """
    homes: dict[str, set[str]] = {}
    for outermost in root.iterfind("configuration/resources/*"):
        home = outermost.get("id", "")
        for element in outermost.iter(*_RESOURCES):
            homes[element.get("id", "")] = {home}
            template = element.get("template")
            if template is not None:
                homes.setdefault(template, set()).add(home)
    for tag in root.iterfind("configuration/tags/tag"):
        homes[tag.get("id", "")] = _at_home(_ids(tag, "obj_ref"), homes)
    return homes


def _at_home(ids: Iterable[str], homes: Mapping[str, set[str]]) -> set[str]:
    return {home for id in ids for home in homes.get(id, ())}


def _ids(holder: Element, tag: str) -> set[str]:
    return {reference.get("id", "") for reference in holder.findall(tag)}


def _ties(root: Element) -> Iterator[set[str]]:
    """Yield what mandatory colocations hold together, by the ids that they name."""
    for constraint in root.iterfind("configuration/constraints/rsc_colocation"):
        sets = constraint.findall("resource_set")
        if sets:
            yield from _set_ties(sets, constraint.get("score"))
        elif _mandatory(constraint.get("score")):
            yield {constraint.get("rsc", ""), constraint.get("with-rsc", "")}


def _set_ties(sets: Sequence[Element], score: str | None) -> Iterator[set[str]]:
    """Yield the ties within sets, which may have scores of their own, and from set to set."""
    for one in sets:
        loose = one.get("sequential", "true").lower() in FALSE_WORDS
        if not loose and _mandatory(one.get("score", score)):
            yield _ids(one, "resource_ref")
    if _mandatory(score):
        for one, other in itertools.pairwise(sets):
            yield _ids(one, "resource_ref") | _ids(other, "resource_ref")


def _mandatory(score: str | None) -> bool:
    """Tell whether a score is plus infinity; Pacemaker takes a missing one for 0."""
    try:
        return score is not None and score_value(score) == INFINITY
    except UnitError:
        return False


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
