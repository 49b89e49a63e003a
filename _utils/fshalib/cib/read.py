"""Find and read the objects of a CIB, as data."""

from collections.abc import Iterator
from typing import Any

from fshalib.cib.document import (
    CibError,
    Document,
    Element,
)
from fshalib.cib.element_schema import OTHER, UNUSED, Reading
from fshalib.cib.kinds import BY_TAG, KINDS, ONE_IDS, Kind, normal
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.nvset import NO_SETS, NvSets
from fshalib.cib.objects import Object

# Sections whose elements are whole objects with an id of their own.
OBJECT_SECTIONS = ("resources", "constraints", "fencing-topology", "acls", "tags", "alerts")


def find(root: Element, id: str) -> Element | None:
    """Return the configuration's element with this id, not one that only refers to it."""
    return Document(root).find(id)


def locate(document: Document, kind: Kind, id: str) -> Element | None:
    """Return the element of an object, or raise :class:`IdInUse`."""
    if kind.one:
        return document.configuration.find(kind.section)
    if kind.name == "node":
        return next((n for n in document.children("nodes") if n.get("uname") == id), None)
    if kind.name == "acl_user":
        return next((u for u in document.children("acls") if _is(u, kind, id)), None)
    element = document.find(id)
    if element is not None and BY_TAG.get(str(element.tag)) is not kind:
        actual = BY_TAG.get(str(element.tag))
        raise IdInUse(id, kind.word, actual.word if actual else str(element.tag))
    return element


def _is(element: Element, kind: Kind, id: str) -> bool:
    return element.tag == kind.schema.tag and element.get("id") == id


def read_element(element: Element, referenced: frozenset[str] = frozenset()) -> Object:
    """Return an element of a known kind as an object; unreadable content is in its ``other``."""
    kind = BY_TAG[str(element.tag)]
    reading = Reading(referenced)
    spec = kind.schema.read(element, reading)
    if element.tag == "master":
        _as_clone(spec)
    if kind.name == "node":
        # The id and the name of a node are the cluster's own.
        reading.strange = [s for s in reading.strange if not s.startswith("uname=")]
    notes = ((OTHER, reading.strange), (UNUSED, reading.unused))
    spec.update({key: lines for key, lines in notes if lines})
    return Object(kind.name, object_name(element), spec)


def object_name(element: Element) -> str:
    """Return the id of the object of an element of a known kind."""
    kind = BY_TAG[str(element.tag)]
    if kind.one:
        return ONE_IDS[kind.name]
    return element.get("uname" if kind.name == "node" else "id", "")


def _as_clone(spec: dict[str, Any]) -> None:
    meta: NvSets = spec.get("meta", NO_SETS)
    spec["meta"] = meta.without({"promotable"}).with_values({"promotable": "true"})


def read_all(root: Element) -> tuple[Object, ...]:
    """Return every object of a configuration, in the order of the kinds.

    For elements of no known kind see :func:`strangers`.
    """
    document = Document(root)
    referenced = document.referenced()
    objects = [read_element(element, referenced) for element in _elements(document)]
    objects = [item for item in objects if not KINDS[item.kind].one or _says_something(item)]
    order = {name: number for number, name in enumerate(KINDS)}
    return tuple(sorted(objects, key=lambda item: order[item.kind]))


def _says_something(item: Object) -> bool:
    return any((normal(item) or {}).values())


def strangers(root: Element) -> tuple[str, ...]:
    """Return short descriptions of the elements of no known kind."""
    sections = {kind.section for kind in KINDS.values()}
    document = Document(root)
    descriptions = [
        f"<{s.tag}>" for s in document.configuration.iterchildren("*") if s.tag not in sections
    ]
    for name in OBJECT_SECTIONS:
        descriptions += [
            f"<{child.tag}> {child.get('id', '')} in <{name}>"
            for child in document.children(name)
            if child.tag not in BY_TAG
        ]
    return tuple(descriptions)


def _elements(document: Document) -> Iterator[Element]:
    """Yield the elements of all objects of known kinds."""
    for kind in KINDS.values():
        section = document.configuration.find(kind.section)
        if kind.one and section is not None and len(section):
            yield section
    yield from document.children("nodes")
    for name in OBJECT_SECTIONS:
        for child in document.children(name):
            yield from (e for e in with_contents(child) if e.tag in BY_TAG)


def with_contents(element: Element) -> Iterator[Element]:
    """Yield a resource and all that it contains, or any other element alone."""
    if element.tag in RESOURCE_TAGS:
        return element.iter(*RESOURCE_TAGS)
    return iter([element])


def read(root: Element | Document, like: Object) -> Object | None:
    """Return the live object of the same kind and id, or ``None``."""
    document = root if isinstance(root, Document) else Document(root)
    kind = KINDS[like.kind]
    try:
        element = locate(document, kind, like.id)
    except IdInUse:
        return None
    return None if element is None else read_element(element, document.referenced())


def owning_object(element: Element) -> Element | None:
    """Return the nearest element that is an object: the given one, or one around it."""
    return next((e for e in (element, *element.iterancestors()) if e.tag in BY_TAG), None)


def node_names(root: Element) -> dict[int, str]:
    """Return Pacemaker's names of the cluster's nodes, by their nodeid."""
    nodes = root.iterfind("configuration/nodes/node")
    named = ((node.get("id", ""), node.get("uname", "")) for node in nodes)
    return {int(id): name for id, name in named if id.isascii() and id.isdecimal()}


def hosts(root: Element) -> tuple[str, ...]:
    """Return Pacemaker's names of all nodes on which it runs something, whatever their ids are."""
    nodes = root.iterfind("configuration/nodes/node")
    return tuple(n.get("uname", "") for n in nodes if n.get("type", "member") != "ping")


class IdInUse(CibError):
    """The id of a desired object belongs to an object of another kind."""

    def __init__(self, id: str, wanted: str, found: str) -> None:
        self.id, self.wanted, self.found = id, wanted, found
        super().__init__(
            f"{id}: the cluster already has a {found} of this name, a {wanted} is wanted. "
            f"Remove the {found} or choose another name."
        )
