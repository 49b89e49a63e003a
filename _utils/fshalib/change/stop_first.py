"""A resource is stopped, or let go of, before it is removed: the CIB in between."""

from collections.abc import Mapping, Sequence
from typing import cast

from lxml import etree

from fshalib import agents
from fshalib.agents import FREESWITCH, FSSOFIA, FSSWITCH, LEAVE_RUNNING
from fshalib.cib import agent, update
from fshalib.cib.document import Document, Element, schema
from fshalib.cib.leaving import AWAY, LEAVING, copy_without_leaving
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.ownership import own, owned_ids
from fshalib.cib.read import with_contents
from fshalib.cib.references import hoist, remove_hollow, remove_references
from fshalib.cib.target import Target


def stopped_first(
    found: Target, running: Mapping[str, Sequence[str]], who: str = "", service: str = FREESWITCH
) -> Element | None:
    """Return the CIB in which what a target removes is stopped first, ``None`` if nothing runs.

    A resource that is simply removed is stopped as an orphan, and only if the cluster is told
    to do so. So it stays for a moment, out of its group and with no constraint of its own,
    where stopping it stops nothing else. It bears the mark :data:`LEAVING`, so that others don't
    take this halfway state for a configuration that somebody wants.

    What is handed over (:func:`handed_over`) goes on running: it is no longer managed, and nowhere
    looked for (:func:`leaving.let_go`). An FSSwitch that goes together with an FSSofia is told to
    leave its switch alone, for its stop ends a switch that FSSofia has taken leave of.

    running
        Where everything runs now, id → nodes.
    who
        A name of this run alone.
    service
        The name of FreeSWITCH's service on these hosts.
    """
    document = Document(copy_without_leaving(found.live))
    ours = owned_ids(document)
    gone = set(found.removed)
    leaving = [
        id
        for id in found.removed
        if running.get(id) and cast(Element, document.find(id)).tag == "primitive"
    ]
    kept = handed_over(found, service) & set(leaving)
    names = agent.names(found.live)
    stops = {id for id in kept if _is_told(found, names, leaving, id)}
    units = [id for id in leaving if id in kept - stops]
    _let_go(document, units, gone, who)
    _stop(document, [id for id in leaving if id not in units], gone, kept, who)
    remove_hollow(document)
    # Until it is gone it stays the formula's, so that any later run may finish the work.
    own(document, ours & frozenset(document.ids()))
    return document.root if leaving else None


def _let_go(document: Document, ids: Sequence[str], gone: set[str], who: str) -> None:
    """Let some resources run without the cluster's care, each outside of all others."""
    alone = {*ids, *(id for id in gone if _holds_only(document, id, set(ids)))}
    for outermost in dict.fromkeys(_outermost(document, id, alone) for id in ids):
        for inner in with_contents(_out_of_everything(document, outermost)):
            _set_first(document, inner, "meta_attributes", {**_NOT_MANAGED, LEAVING: who})
        _look_nowhere(document, outermost)


def _stop(
    document: Document, ids: Sequence[str], gone: set[str], kept: frozenset[str], who: str
) -> None:
    """Let some resources be stopped; what is kept leaves its switch running."""
    for outermost in dict.fromkeys(_outermost(document, id, gone) for id in ids):
        element = _out_of_everything(document, outermost)
        for inner in with_contents(element):
            if inner.get("id") in kept:
                _set_first(document, inner, "instance_attributes", {LEAVE_RUNNING: "true"})
        _set_first(document, element, "meta_attributes", {"target-role": "Stopped", LEAVING: who})


def _is_told(found: Target, names: Mapping[str, str], leaving: Sequence[str], id: str) -> bool:
    """Tell whether a resource is stopped with a word to leave its switch alone.

    Pacemaker stops with the parameters of the last start, so only a switch that the cluster has not
    started itself hears that word for certain.
    """
    profiles = any(agents.plain(names[other]) == FSSOFIA for other in leaving)
    return agents.plain(names[id]) == FSSWITCH and (profiles or _is_old(found))


def _is_old(found: Target) -> bool:
    known = schema(found.live)
    return known != (0, 0) and known < _DISCOVERY_SINCE


# The cluster counts what it has placed on a node. The last one is in nobody's way.
_NOT_MANAGED = {"is-managed": "false", "priority": "-INFINITY"}
_DISCOVERY_SINCE = (2, 2)
"""The first schema with ``resource-discovery``."""


def _out_of_everything(document: Document, id: str) -> Element:
    """Take a resource out of its containers and all constraints, and return it."""
    element = cast(Element, document.find(id))
    hoist([element])
    for inner in with_contents(element):
        remove_references(document, inner.get("id", ""))
    return element


def _look_nowhere(document: Document, id: str) -> None:
    """Let the cluster neither start a resource nor look for it on any node.

    So it can forget that the resource runs, and then the resource can go without a stop.
    """
    for number, node in enumerate(document.children("nodes")):
        location = update.new_element("rsc_location", f"{AWAY}{id}-{number}")
        keys = ("rsc", "node", "score", "resource-discovery")
        for key, value in zip(keys, (id, node.get("uname", ""), "-INFINITY", "never"), strict=True):
            location.set(key, value)
        update.insert(document, document.section("constraints"), location)


def _holds_only(document: Document, id: str, primitives: set[str]) -> bool:
    element = cast(Element, document.find(id))
    inside = {e.get("id", "") for e in element.iter("primitive")}
    return element.tag in RESOURCE_TAGS and bool(inside) and inside <= primitives


def handed_over(found: Target, service: str = FREESWITCH) -> frozenset[str]:
    """Return what goes on running when it is removed: FreeSWITCH, if systemd is to run it.

    service
        The name of FreeSWITCH's service on these hosts.

    That is an FSSwitch, and any resource that runs the unit itself. Where the target has another
    resource for it that runs on one node only, nothing is handed over: that one would find the
    switch running on both.
    """
    if any(_runs_switch(name, service) for name in _outside_clones(found.root).values()):
        return frozenset()
    names = agent.names(found.live)
    kept = (id for id in found.removed if _runs_switch(names.get(id, ""), service))
    old = _is_old(found)
    return frozenset(id for id in kept if not old or agents.plain(names[id]) == FSSWITCH)


def _runs_switch(name: str, service: str) -> bool:
    return agents.plain(name) == FSSWITCH or agents.is_unit(name, service)


def _outside_clones(root: Element) -> dict[str, str]:
    """Return the agents of the primitives that run on one node only."""
    cloned = {
        primitive.get("id", "")
        for tag in ("clone", "master")
        for clone in root.iter(tag)
        for primitive in clone.iter("primitive")
    }
    return {id: name for id, name in agent.names(root).items() if id not in cloned}


def _outermost(document: Document, id: str, gone: set[str]) -> str:
    """Return what goes as a whole with a resource: itself, or a container that holds it."""
    element = cast(Element, document.find(id))
    for container in element.iterancestors(*RESOURCE_TAGS):
        inner = {e.get("id", "") for e in with_contents(container)}
        if inner <= gone:
            element = container
    return element.get("id", "")


def _set_first(document: Document, element: Element, tag: str, values: Mapping[str, str]) -> None:
    # In a set of its own, the first that counts: others may use those that are there.
    new = update.new_element(tag)
    new.set("score", "INFINITY")
    for name, value in values.items():
        etree.SubElement(new, "nvpair", {"name": name, "value": value})
    update.insert_in(document, element, new)
