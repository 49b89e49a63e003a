"""What the formula manages, as the CIB's own tag lists it, and what operators own."""

import copy
import re
from collections.abc import Iterable

from lxml import etree

from fshalib.cib import shared_nvsets, update
from fshalib.cib.document import (
    OWNERSHIP_TAG,
    Document,
    Element,
    schema,
)
from fshalib.cib.kinds import BY_TAG, KINDS
from fshalib.cib.objects import Object
from fshalib.cib.read import (
    OBJECT_SECTIONS,
    locate,
    read_element,
    with_contents,
)
from fshalib.cib.references import drop_empty

# Constraints that crm_resource, crmsh and pcs make for an operator's move or ban.
OPERATOR_CONSTRAINT = re.compile(r"cli-(ban|prefer|standby)-")
# What an operator sets on a running resource; not compared unless the pillar names it.
OPERATOR_META = frozenset({"target-role", "is-managed", "maintenance"})
# Tags may name what has no XML id since this schema.
_TAGS_OF_TEXT = (3, 3)


def owned_ids(document: Document) -> frozenset[str]:
    """Return the ids that the formula manages: of objects, and of single options."""
    tag = document.find(OWNERSHIP_TAG)
    return frozenset() if tag is None else frozenset(r.get("id", "") for r in tag.iter("obj_ref"))


def owned(root: Element) -> frozenset[str]:
    """Return the ids that the formula manages, as the CIB itself says."""
    return owned_ids(Document(root))


def own(document: Document, ids: Iterable[str]) -> None:
    """Write into the CIB what the formula manages."""
    wanted = set(ids)
    if not wanted and document.find(OWNERSHIP_TAG) is None:
        return
    tags = document.section("tags")
    tag = document.find(OWNERSHIP_TAG)
    if tag is None:
        tag = update.insert(document, tags, update.new_element("tag", OWNERSHIP_TAG))
    for ref in tag.findall("obj_ref"):
        if ref.get("id", "") not in wanted:
            tag.remove(ref)
        wanted.discard(ref.get("id", ""))
    for id in sorted(wanted):
        etree.SubElement(tag, "obj_ref", {"id": id})
    if len(tag) == 0:
        tags.remove(tag)
        document.forget(tag)
    drop_empty(document, tags)


def to_own(document: Document, items: Iterable[Object]) -> frozenset[str]:
    """Return the ids by which wanted objects are owned."""
    found: set[str] = set()
    for item in items:
        kind = KINDS[item.kind]
        element = locate(document, kind, item.id)
        if kind.name not in shared_nvsets.PAIRED:
            found |= {item.id} if _can_own(document, item) else set()
        elif element is not None:
            found |= shared_nvsets.to_own(element, item)
    return frozenset(found)


def _can_own(document: Document, item: Object) -> bool:
    """Tell whether an object's id is a name for it alone that a tag may hold.

    The id of a user is no XML id: it may be that of another object too, and older schemas let
    no tag refer to it.
    """
    if item.kind != "acl_user":
        return True
    found = document.find(item.id)
    version = schema(document.root)
    return found is not None and found.tag == "acl_target" and version >= _TAGS_OF_TEXT


def left_behind(document: Document, items: Iterable[Object], owned: frozenset[str]) -> list[Object]:
    """Return what is to be left of objects that hold pairs of ours and are no longer wanted."""
    wanted = {(item.kind, item.id) for item in items}
    found = []
    for element in [*document.configuration.iterchildren("*"), *document.children("nodes")]:
        kind = BY_TAG.get(str(element.tag))
        if kind and kind.name in shared_nvsets.PAIRED and shared_nvsets.holds(element, owned):
            left = copy.deepcopy(element)
            shared_nvsets.strip(left, owned)
            item = read_element(left, document.referenced())
            shared = kind.name in shared_nvsets.SHARED
            found.append(Object(item.kind, item.id) if shared else item)
    return [item for item in found if (item.kind, item.id) not in wanted]


def manageable(document: Document) -> tuple[str, ...]:
    """Return the ids of all objects that can come and go, whoever configured them."""
    found = []
    for name in OBJECT_SECTIONS:
        for child in document.children(name):
            found += [element.get("id", "") for element in with_contents(child)]
    return tuple(id for id in found if id != OWNERSHIP_TAG)


OPERATOR_OPTIONS = frozenset({"maintenance-mode", "stop-all-resources"})
