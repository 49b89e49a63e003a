"""A resource is stopped before it is removed: the CIB in between."""

from collections.abc import Mapping, Sequence
from typing import cast

from lxml import etree

from fshalib.agents import FSSWITCH, LEAVE_RUNNING, plain
from fshalib.cib import agent, update
from fshalib.cib.document import (
    Document,
    Element,
)
from fshalib.cib.leaving import LEAVING, copy_without_leaving
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.ownership import own, owned_ids
from fshalib.cib.read import with_contents
from fshalib.cib.references import hoist, remove_hollow, remove_references
from fshalib.cib.target import Target


def stopped_first(
    found: Target, running: Mapping[str, Sequence[str]], who: str = ""
) -> Element | None:
    """Return the CIB in which what a target removes is stopped first, ``None`` if nothing runs.

    A resource that is simply removed is stopped as an orphan, and only if the cluster is told
    to do so. So it stays for a moment, out of its group and with no constraint of its own,
    where stopping it stops nothing else; a switch is left running. It bears the mark
    :data:`LEAVING`, so that others don't take this halfway state for a configuration that
    somebody wants.

    running
        Where everything runs now, id → nodes.
    who
        A name of this run alone.
    """
    document = Document(copy_without_leaving(found.live))
    ours = owned_ids(document)
    gone = set(found.removed)
    switches = _switches(document.root)
    leaving = [
        id
        for id in found.removed
        if running.get(id) and cast(Element, document.find(id)).tag == "primitive"
    ]
    for outermost in dict.fromkeys(_outermost(document, id, gone) for id in leaving):
        element = cast(Element, document.find(outermost))
        hoist([element])
        for inner in with_contents(element):
            remove_references(document, inner.get("id", ""))
        for inner in with_contents(element):
            if inner.get("id") in switches:
                _set_first(document, inner, "instance_attributes", {LEAVE_RUNNING: "true"})
        _set_first(document, element, "meta_attributes", {"target-role": "Stopped", LEAVING: who})
    remove_hollow(document)
    # Until it is gone it stays the formula's, so that any later run may finish the work.
    own(document, ours & frozenset(document.ids()))
    return document.root if leaving else None


def handed_over(found: Target) -> frozenset[str]:
    """Return what goes on running when it is removed: a switch that systemd runs anyway."""
    return _switches(found.live) & {*found.removed}


def _switches(root: Element) -> frozenset[str]:
    """Return the resources that are a switch, also by a template."""
    return frozenset(id for id, name in agent.names(root).items() if plain(name) == FSSWITCH)


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
