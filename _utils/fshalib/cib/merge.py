"""Merge desired objects into a CIB; ids, order and other people's settings stay."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from fshalib.cib import compat, shared_nvsets, update
from fshalib.cib.compare import Defaults, comparable, ids_in
from fshalib.cib.document import (
    CibError,
    Document,
    Element,
)
from fshalib.cib.kinds import BY_TAG, KINDS, Kind
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.normalize import changes, value
from fshalib.cib.objects import Object
from fshalib.cib.ownership import owned_ids
from fshalib.cib.read import IdInUse, object_name, owning_object
from fshalib.cib.references import hoist, remove_hollow


class UnknownMember(CibError):
    """A group, clone or bundle names a resource that neither exists nor is desired."""

    def __init__(self, container: str, member: str) -> None:
        self.container, self.member = container, member
        super().__init__(f"{container}: the member {member} does not exist.")


def _merge(
    document: Document, item: Object, owned: frozenset[str], defaults: Defaults | None
) -> Mapping[str, Mapping[str, Any]]:
    """Merge one object into a CIB and return the changes."""
    element, before, after, desired = comparable(document, item, owned, defaults)
    if before == after:
        return {}
    kind = KINDS[item.kind]
    new = update.new_element(str(kind.schema.tag))
    kind.schema.write(new, desired.spec)
    compat.fit_to_schema(document, new)
    if kind.name in shared_nvsets.SHARED:
        element = _shared(document, kind, item) if element is None else element
        if not kind.one:
            new.set("uname", item.id)
            update.update_attributes(document, element, new)
        shared_nvsets.merge(document, element, item, owned)
    elif element is not None:
        if element.tag == "master" and not _is_promotable(desired):
            element.tag = str(kind.schema.tag)
        update.update(document, element, new, item.id)
    elif kind.one:
        update.update(document, document.section(kind.section), new, item.id)
    else:
        new.set("id", item.id)
        update.insert(document, document.section(kind.section), new)
    return changes(before, after)


def _is_promotable(item: Object) -> bool:
    return value("promotable", item.values("meta").get("promotable", "false")) == "true"


def _shared(document: Document, kind: Kind, item: Object) -> Element:
    """Make the element of an object that several people write in."""
    section = document.section(kind.section)
    if kind.one:
        return section
    node = update.new_element("node", item.id)
    node.set("uname", item.id)
    return update.insert(document, section, node)


def _contain(document: Document, item: Object) -> None:
    """Move the members of a container into it, in their order; others move out of it."""
    container = cast(Element, document.find(item.id))
    current = [c.get("id", "") for c in container.iterchildren(*RESOURCE_TAGS)]
    if current == list(item.members):
        return
    # A resource that leaves a group stays in the cluster until it is removed by name.
    hoist(c for c in container.iterchildren(*RESOURCE_TAGS) if c.get("id") not in item.members)
    for member in item.members:
        element = document.find(member)
        if element is None or element.tag not in RESOURCE_TAGS:
            raise UnknownMember(item.id, member)
        if element.tag in ("clone", "master", "bundle", "template") or element.tag == container.tag:
            raise IdInUse(member, "primitive or group", BY_TAG[str(element.tag)].word)
        container.append(element)


_ORDER = {name: number for number, name in enumerate(KINDS)}


def _in_order(items: Iterable[Object]) -> list[Object]:
    """Sort objects: those that others refer to come first."""
    return sorted(items, key=lambda item: (_ORDER[item.kind], _depends(item)))


def _depends(item: Object) -> int:
    return 1 if item.kind == "clone" else 0


def merge(
    root: Element | Document,
    items: Iterable[Object],
    defaults: Defaults | None = None,
    also_owned: frozenset[str] = frozenset(),
    leaving: Iterable[str] = (),
) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """Merge desired objects into a CIB, in place; return the changes by id.

    defaults
        Returns the defaults of an agent's parameters.
    also_owned
        Ids of single options to remove if not desired, beside those that fsha owns.
    leaving
        Ids of objects that will be removed; others may take over the ids within them.

    Raises :class:`IdInUse` and :class:`UnknownMember`.
    """
    document = root if isinstance(root, Document) else Document(root)
    ordered = _in_order(items)
    owned = owned_ids(document) | also_owned
    used = (ids_in("id-ref", item.spec) for item in ordered)
    document.referenced_ids = document.referenced().union(*used)
    _make_way(document, ordered, {*leaving, *(item.id for item in ordered)})
    changes = {item.id: _merge(document, item, owned, defaults) for item in ordered}
    for item in ordered:
        if item.kind == "bundle" or item.members:
            _contain(document, item)
    remove_hollow(document)
    return {id: delta for id, delta in changes.items() if delta}


def _make_way(document: Document, items: Sequence[Object], free: set[str]) -> None:
    """Free the ids that elements within the objects need, if their holders may lose them."""
    for item in items if document.referenced_ids else ():
        for id in sorted(ids_in("id", item.spec) & document.referenced_ids):
            holder = document.find(id)
            owner = None if holder is None else owning_object(holder)
            if holder is None or owner is None or object_name(owner) == item.id:
                continue
            if owner is holder or object_name(owner) not in free:
                raise IdInUse(id, f"part of {item.id}", str(holder.tag))
            document.put_aside(holder)
