"""The schema of an element: one description for the pillar and the CIB.

An :class:`ElementSchema` lists the fields of one kind of object. A field knows one key of the
pillar, and the attributes or child elements of that key in the CIB. It has four tasks:

``read``    element → spec: plain data as in the pillar
``write``   spec → element
``normal``  spec → normal form, in which two spellings of one value are equal
``field``   the key's description for the pillar's check and reference

Nothing of an element is dropped: what no field can read goes into the spec's key
:data:`OTHER`. So it counts as a difference, and an export can name it.

The kinds of objects are in ``fshalib.cib.kinds``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from fshalib.schema.types import UNSET, Field, Record

if TYPE_CHECKING:
    from lxml import etree

    Element = etree._Element
else:
    # The pillar check uses these schemas before lxml is installed.
    Element = Any

Spec = Mapping[str, Any]

OTHER = "other"
"""The key of a spec for what no field can read: a list of short descriptions."""
UNUSED = "unused"
"""The key of a spec for what the cluster never uses; it makes no difference."""


# --- fields ----------------------------------------------------------------------------------


@dataclass
class Reading:
    """The notes of reading one element.

    ``referenced`` are the ids that an ``id-ref`` anywhere in the CIB points to; no other id
    counts. ``strange`` collects what no field can read, ``unused`` what the cluster never uses.
    """

    referenced: frozenset[str] = frozenset()
    strange: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


class ElementField(Protocol):
    """One key of the pillar, with its place in the CIB."""

    @property
    def key(self) -> str:
        """The key."""

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that hold it."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The child elements that hold it, in the schema's order."""

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the value of the key, :data:`UNSET` without one."""

    def write(self, element: Element, value: Any) -> None:
        """Write the value into an element that does not have it."""

    def normal(self, value: Any) -> Any:
        """Return the value's normal form, :data:`UNSET` if it means the same as no value."""


def below(parent: Element, tag: str, attributes: Mapping[str, str | None] | None = None) -> Element:
    """Make an element below another; attributes that are ``None`` are left out."""
    given = {name: text for name, text in (attributes or {}).items() if text is not None}
    element = parent.makeelement(tag, given)
    parent.append(element)
    return element


def unknown_attributes(element: Element, known: frozenset[str], reading: Reading) -> None:
    """Note the attributes that no field can read."""
    reading.strange.extend(
        f"{name}={element.get(name)!r} of <{element.tag}>"
        for name in map(str, element.attrib)
        if name not in known
    )


def unknown_children(element: Element, known: tuple[str, ...], reading: Reading) -> None:
    """Note the child elements that no field can read."""
    reading.strange.extend(
        f"<{child.tag}> in <{element.tag}>"
        for child in element.iterchildren("*")
        if child.tag not in known
    )


# --- schemas ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class ElementSchema:
    """The fields of one kind of element."""

    tag: str
    fields: tuple[ElementField, ...]
    expected: str = "a mapping"

    @cached_property
    def section(self) -> Record:
        """What the pillar may hold for it."""
        return Record({known.key: known.field for known in self.fields}, self.expected)

    @cached_property
    def by_key(self) -> Mapping[str, ElementField]:
        """Its fields by their keys in the pillar."""
        return {known.key: known for known in self.fields}

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Its child elements in the schema's order."""
        return tuple(dict.fromkeys(tag for known in self.fields for tag in known.tags))

    @cached_property
    def attributes(self) -> frozenset[str]:
        """All attributes that it may have."""
        return frozenset({"id"}).union(*(known.attributes for known in self.fields))

    def read(self, element: Element, reading: Reading) -> dict[str, Any]:
        """Return an element's spec, without its id."""
        spec: dict[str, Any] = {}
        for key, known in self.by_key.items():
            value = known.read(element, reading)
            if value is not UNSET:
                spec[key] = value
        unknown_attributes(element, self.attributes, reading)
        unknown_children(element, self.tags, reading)
        return spec

    def write(self, element: Element, spec: Spec) -> None:
        """Write a spec into an empty element."""
        for key, known in self.by_key.items():
            if key in spec:
                known.write(element, spec[key])

    def normal(self, spec: Spec) -> dict[str, Any]:
        """Return a spec's normal form."""
        result: dict[str, Any] = {}
        for key, known in self.by_key.items():
            if key in spec:
                value = known.normal(spec[key])
                if value is not UNSET:
                    result[key] = value
        if spec.get(OTHER):
            result[OTHER] = sorted(spec[OTHER])
        return result
