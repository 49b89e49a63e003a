"""Which objects the formula manages (by a tag in the CIB), and which settings are operators'."""

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
# Settings of operators; they are not compared unless the pillar names them.
OPERATOR_META = frozenset({"target-role", "is-managed", "maintenance"})
# The first schema in which a tag may name something without an XML id.
_TAGS_OF_TEXT = (3, 3)


def owned_ids(document: Document) -> frozenset[str]:
    """Return the ids that the formula manages: of objects, and of single options."""
    tag = document.find(OWNERSHIP_TAG)
    return frozenset() if tag is None else frozenset(r.get("id", "") for r in tag.iter("obj_ref"))


def owned(root: Element) -> frozenset[str]:
    """Return the ids that the formula manages, by the tag in the CIB."""
    return owned_ids(Document(root))


def own(document: Document, ids: Iterable[str]) -> None:
    """Write the ids that the formula manages into the CIB's tag."""
    missing = set(ids)
    if not missing and document.find(OWNERSHIP_TAG) is None:
        return
    tags = document.section("tags")
    tag = document.find(OWNERSHIP_TAG)
    if tag is None:
        tag = update.insert(document, tags, update.new_element("tag", OWNERSHIP_TAG))
    for ref in tag.findall("obj_ref"):
        if ref.get("id", "") not in missing:
            tag.remove(ref)
        missing.discard(ref.get("id", ""))
    for id in sorted(missing):
        etree.SubElement(tag, "obj_ref", {"id": id})
    if len(tag) == 0:
        tags.remove(tag)
        document.forget(tag)
    drop_empty(document, tags)


def to_own(document: Document, items: Iterable[Object]) -> frozenset[str]:
    """Return the ids that mark desired objects as the formula's."""
    ids: set[str] = set()
    for item in items:
        kind = KINDS[item.kind]
        element = locate(document, kind, item.id)
        if kind.name not in shared_nvsets.PAIRED:
            ids |= {item.id} if _can_own(document, item) else set()
        elif element is not None:
            ids |= shared_nvsets.to_own(element, item)
    return frozenset(ids)


def _can_own(document: Document, item: Object) -> bool:
    """Tell whether a tag may hold an object's id, and means no other object by it.

    The id of a user is no XML id: another object may have it too, and older schemas let no tag
    refer to it.
    """
    if item.kind != "acl_user":
        return True
    element = document.find(item.id)
    version = schema(document.root)
    return element is not None and element.tag == "acl_target" and version >= _TAGS_OF_TEXT


def left_behind(document: Document, items: Iterable[Object], owned: frozenset[str]) -> list[Object]:
    """Return objects that are no longer desired and have nvpairs of ours, without those."""
    desired = {(item.kind, item.id) for item in items}
    leftovers = []
    for element in [*document.configuration.iterchildren("*"), *document.children("nodes")]:
        kind = BY_TAG.get(str(element.tag))
        if kind and kind.name in shared_nvsets.PAIRED and shared_nvsets.holds(element, owned):
            copied = copy.deepcopy(element)
            shared_nvsets.strip(copied, owned)
            item = read_element(copied, document.referenced())
            shared = kind.name in shared_nvsets.SHARED
            leftovers.append(Object(item.kind, item.id) if shared else item)
    return [item for item in leftovers if (item.kind, item.id) not in desired]


def manageable(document: Document) -> tuple[str, ...]:
    """Return the ids of all objects that can be made and removed, whoever configured them."""
    ids = []
    for name in OBJECT_SECTIONS:
        for child in document.children(name):
            ids += [element.get("id", "") for element in with_contents(child)]
    return tuple(id for id in ids if id != OWNERSHIP_TAG)


OPERATOR_OPTIONS = frozenset({"maintenance-mode", "stop-all-resources"})
