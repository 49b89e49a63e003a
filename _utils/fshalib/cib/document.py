"""A CIB as a document: its text, its version, its sections, and the ids that are taken.

XML is parsed without entities, DTDs or network. Values are only set as attributes, so none can
break the XML.
"""

import copy
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from lxml import etree

from fshalib.errors import CibError as CibError

Element = etree._Element

OWNERSHIP_TAG = "fsha-managed"
_NOT_NCNAME = re.compile(r"[^A-Za-z0-9_.-]")
REFERENCE_TAGS = frozenset({"obj_ref", "resource_ref", "role"})
_WITHOUT_ID = frozenset(
    {
        "operations", "docker", "podman", "rkt", "network", "storage", "lifetime", "select",
        "select_attributes", "select_fencing", "select_nodes", "select_resources", "node",
        *REFERENCE_TAGS,
    }
)  # fmt: skip
_SECTIONS = (
    "crm_config", "nodes", "resources", "constraints", "fencing-topology", "op_defaults",
    "rsc_defaults", "acls", "tags", "alerts", "status",
)  # fmt: skip
_USERS = ".//*[@id-ref=$id]"
_VERSION = ("admin_epoch", "epoch", "num_updates")

EMPTY = """\
<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.0" admin_epoch="0" epoch="0" \
num_updates="0"><configuration><crm_config/><nodes/><resources/><constraints/>\
</configuration><status/></cib>"""
"""A CIB with nothing in it, for a host that has no cluster yet; Pacemaker 2 and 3 read it."""


class NotACib(CibError):
    """A text that should be a CIB is something else."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"This is not a CIB: {reason}.")


@dataclass(frozen=True, order=True)
class Version:
    """The version of a CIB; the cluster compares them in this order."""

    admin_epoch: int
    epoch: int
    num_updates: int

    def __str__(self) -> str:
        """Return the version as the field writes it, ``0.12.3``."""
        return f"{self.admin_epoch}.{self.epoch}.{self.num_updates}"


def parse(text: str) -> Element:
    """Return the root element of a CIB, or raise :class:`NotACib`."""
    # Without huge_tree: libxml2 then bounds what entities in attributes may grow to.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise NotACib(str(error)) from error
    # The DTD of a text that has none is None, which lxml's type stubs do not know.
    docinfo: Any = root.getroottree().docinfo
    if docinfo.internalDTD is not None:
        raise NotACib("it has a document type definition, which no CIB has")
    if root.tag != "cib" or root.find("configuration") is None:
        raise NotACib(f"its root is <{root.tag}> where <cib> with a <configuration> is expected")
    if not all(root.get(name, "0").isdecimal() for name in _VERSION):
        raise NotACib(f"its version ({', '.join(_VERSION)}) is not in whole numbers")
    return root


def render(root: Element) -> str:
    """Return the text of a CIB."""
    return etree.tostring(root, encoding="unicode")


def configuration_only(root: Element) -> Element:
    """Return a copy of a CIB with an empty status section."""
    bare = etree.Element("cib")
    for name, text in root.attrib.items():
        bare.set(name, text)
    bare.append(copy.deepcopy(cast(Element, root.find("configuration"))))
    etree.SubElement(bare, "status")
    return bare


def version(root: Element) -> Version:
    """Return the CIB's version."""
    return Version(*(int(root.get(name, "0")) for name in _VERSION))


def next_version(root: Element) -> None:
    """Give a target the version that follows its origin's, as the cluster expects it.

    Measured on Pacemaker 2.1: a versioned patch is taken when the epoch is one higher and
    num_updates is 0, and refused with exit code 103 when the CIB has moved meanwhile.
    """
    root.set("epoch", str(version(root).epoch + 1))
    root.set("num_updates", "0")


def schema(root: Element) -> tuple[int, int]:
    """Return the version of the schema that the CIB is validated with; (0, 0) for none."""
    match = re.fullmatch(r"pacemaker-(\d+)\.(\d+)", root.get("validate-with", ""))
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def _is_shared(element: Element) -> bool:
    """Tell whether an element that needs no id has one, so that others may refer to it."""
    return element.tag == "operations" and element.get("id") is not None


class Document:
    """A CIB's XML with an index of its ids; changes through its methods keep the index right.

    ``referenced_ids`` are the ids that others refer to; only those are compared.
    """

    def __init__(self, root: Element) -> None:
        self.root = root
        self.configuration = cast(Element, root.find("configuration"))
        self._by_id: dict[str, Element] = {}
        self._taken: set[str] = set()
        self._referenced: frozenset[str] | None = None
        self.referenced_ids: frozenset[str] = frozenset()
        self._note(self.configuration)

    def _note(self, element: Element) -> None:
        users = []
        for descendant in element.iter("*"):
            id = descendant.get("id")
            if id is None or descendant.tag == "node":
                continue
            if descendant.tag == "acl_target":
                users.append(descendant)
                continue
            self._taken.add(id)
            if descendant.tag not in REFERENCE_TAGS:
                self._by_id.setdefault(id, descendant)
        # A user's id is a name; another object may have the same, and comes first.
        for descendant in users:
            self._by_id.setdefault(descendant.get("id", ""), descendant)

    def find(self, id: str) -> Element | None:
        """Return the element with this id, not one that only refers to it."""
        return self._by_id.get(id)

    def referenced(self) -> frozenset[str]:
        """Return the ids that an ``id-ref`` points to."""
        if self._referenced is None:
            targets = self.configuration.xpath(".//@id-ref")
            self._referenced = frozenset(str(id) for id in cast("list[str]", targets))
        return self._referenced

    def section(self, name: str) -> Element:
        """Return a section of the configuration; a missing one is made at its place."""
        present = self.configuration.find(name)
        if present is not None:
            return present
        new = etree.Element(name)
        later = set(_SECTIONS[_SECTIONS.index(name) + 1 :])
        for index, child in enumerate(self.configuration):
            if child.tag in later:
                self.configuration.insert(index, new)
                return new
        self.configuration.append(new)
        return new

    def children(self, section: str) -> list[Element]:
        """Return the elements of a section; none for a missing one."""
        element = self.configuration.find(section)
        return [] if element is None else list(element.iterchildren("*"))

    def free_id(self, id: str) -> str:
        """Return ``id`` as a valid id that nothing in the CIB has, and take it."""
        base = _NOT_NCNAME.sub("_", id)
        if not re.match(r"[A-Za-z_]", base):
            base = f"_{base}"
        candidate, number = base, 0
        while candidate in self._taken:
            number += 1
            candidate = f"{base}-{number}"
        self._taken.add(candidate)
        return candidate

    def adopt(self, element: Element, owner: str, base: Callable[[Element, str], str]) -> None:
        """Add a new element to the index, and give ids to all in it that need one.

        owner
            The id of the nearest element around it that has one.
        base
            Returns the id that an element without one should have.
        """
        if "id-ref" in element.attrib:
            self._referenced = None
        elif element.tag not in _WITHOUT_ID or _is_shared(element):
            self._book(element, owner, base)
        for child in element.iterchildren("*"):
            self.adopt(child, element.get("id") or owner, base)

    def _book(self, element: Element, owner: str, base: Callable[[Element, str], str]) -> None:
        given = element.get("id")
        if given is None or self._by_id.get(given, element) is not element:
            element.set("id", self.free_id(given or base(element, owner)))
        self._by_id[element.get("id", "")] = element
        self._taken.add(element.get("id", ""))

    def rename(self, element: Element, id: str) -> None:
        """Give an element another id, and change the references to it."""
        former = element.get("id")
        self.forget(element, alone=True)
        element.set("id", id)
        self._by_id[id] = element
        self._taken.add(id)
        if former is not None:
            for user in cast("list[Element]", self.configuration.xpath(_USERS, id=former)):
                user.set("id-ref", id)

    def put_aside(self, element: Element) -> None:
        """Give an element an id that nobody refers to."""
        former = element.get("id", "")
        element.set("id", self.free_id(former))
        self._by_id[element.get("id", "")] = element
        del self._by_id[former]
        self._taken.discard(former)

    def forget(self, element: Element, alone: bool = False) -> None:
        """Take a removed element out of the index, with all in it unless ``alone``."""
        for descendant in [element] if alone else list(element.iter("*")):
            id = descendant.get("id", "")
            if self._by_id.get(id) is descendant:
                del self._by_id[id]
                self._taken.discard(id)

    def ids(self) -> Iterable[str]:
        """Return all ids of elements."""
        return self._by_id.keys()
