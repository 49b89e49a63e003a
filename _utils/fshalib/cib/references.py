"""Remove an object, and every reference to it."""

from collections.abc import Iterable
from typing import cast

from fshalib.cib.document import (
    CibError,
    Document,
    Element,
)
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.read import object_name, owning_object, with_contents


class UnknownReference(CibError):
    """An object refers to something that does not exist, or would be removed."""

    def __init__(self, owner: str, id: str) -> None:
        self.owner, self.id = owner, id
        super().__init__(
            f"{owner} refers to {id}, which is neither in the cluster nor among the objects of "
            "this run."
        )


def remove(root: Element, id: str) -> None:
    """Remove an object and every reference to it; nothing happens without the object.

    The members of a group (or another container) stay in the cluster until they are removed by
    name.
    """
    document = Document(root)
    remove_object(document, id)
    remove_hollow(document)


def remove_object(document: Document, id: str) -> None:
    """Remove an object and all references to it."""
    element = document.find(id)
    if element is None:
        return
    if element.tag in RESOURCE_TAGS:
        hoist(element.iterchildren(*RESOURCE_TAGS))
    section = cast(Element, element.getparent())
    section.remove(element)
    document.forget(element)
    drop_empty(document, section)
    remove_references(document, id)


def drop_empty(document: Document, section: Element) -> None:
    """Remove an empty section, if the schema allows that."""
    if len(section) == 0 and section.tag in ("fencing-topology", "acls", "tags", "alerts"):
        document.configuration.remove(section)


_REFERENCES = ("rsc", "with-rsc", "first", "then", "template", "reference")


def remove_references(document: Document, id: str) -> None:
    """Remove the references to an object: in constraints, sets, tags, ACLs and fencing levels."""
    for constraint in document.children("constraints"):
        if any(constraint.get(name) == id for name in _REFERENCES):
            remove_object(document, constraint.get("id", ""))
    paths = (
        "constraints//resource_ref[@id=$id]",
        "tags/tag/obj_ref[@id=$id]",
        "acls//role[@id=$id]",
        "acls//acl_permission[@reference=$id]",
    )
    for path in paths:
        for reference in cast("list[Element]", document.configuration.xpath(path, id=id)):
            _remove_reference(document, reference)
    _forget_device(document, id)


def _forget_device(document: Document, id: str) -> None:
    for level in document.children("fencing-topology"):
        devices = level.get("devices", "").split(",")
        if id in devices:
            left = [device for device in devices if device != id]
            if left:
                level.set("devices", ",".join(left))
            else:
                remove_object(document, level.get("id", ""))


def _remove_reference(document: Document, reference: Element) -> None:
    """Remove a reference, and the set, constraint or tag that is empty without it."""
    holder = cast(Element, reference.getparent())
    holder.remove(reference)
    while _says_nothing(holder):
        parent = cast(Element, holder.getparent())
        parent.remove(holder)
        document.forget(holder)
        drop_empty(document, parent)
        remove_references(document, holder.get("id", ""))
        holder = parent


def _says_nothing(holder: Element) -> bool:
    """Tell whether an element has no reference left."""
    if holder.tag in ("resource_set", "tag"):
        return next(holder.iterchildren("*"), None) is None
    # A constraint may hold rules as well; it is about its sets.
    return str(holder.tag).startswith("rsc_") and holder.find("resource_set") is None


_POINTERS = ("id-ref", "template", "rsc", "with-rsc", "first", "then", "reference")


def dangling(document: Document) -> list[tuple[str, str]]:
    """Return the references to nothing: the object that refers, and the missing id."""
    references = []
    for element in document.configuration.iter("*"):
        ids = [element.get(name, "") for name in _POINTERS if name in element.attrib]
        if element.tag in ("resource_ref", "role"):
            ids.append(element.get("id", ""))
        references += [(element, id) for id in ids if document.find(id) is None]
    return [
        (object_name(owner) if (owner := owning_object(e)) is not None else "", id)
        for e, id in references
    ]


# An empty container is no resource, and no schema allows it.
_HOLLOW_TAGS = ("group", "clone", "master")


def hoist(members: Iterable[Element]) -> None:
    """Take resources out of all their containers, in their order."""
    for member in list(members):
        outermost = member
        while cast(Element, outermost.getparent()).tag != "resources":
            outermost = cast(Element, outermost.getparent())
        if outermost is not member:
            outermost.addprevious(member)


def remove_hollow(document: Document) -> None:
    """Remove the empty containers, innermost first."""
    resources = [e for r in document.children("resources") for e in with_contents(r)]
    for element in reversed(resources):
        hollow = next(element.iterchildren(*RESOURCE_TAGS), None) is None
        if hollow and element.tag in _HOLLOW_TAGS:
            remove_object(document, element.get("id", ""))
