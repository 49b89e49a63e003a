"""How an object is shaped, in the pillar and in the CIB: one description for both.

A :class:`Shape` lists the parts of one kind of object. Each part knows one key of the pillar
and the attributes or child elements that hold it in the CIB, and does four things with it:

``read``    element → plain data, the *form*, in the very shape of the pillar
``write``   form → element
``normal``  form → normal form, in which two spellings of the same thing are equal
``field``   what the pillar's check and its reference say about it

What an element holds beyond its parts is never dropped: it is read into the form's key
:data:`OTHER`, so that it counts as a difference, and an export can name it.

Nothing here knows which kinds of objects there are: that is ``fshalib.cib.kinds``.
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
    # The pillar is checked by these shapes before lxml is there.
    Element = Any

Spec = Mapping[str, Any]

OTHER = "other"
"""The key of a form that holds what no part can express: a list of short descriptions."""
UNUSED = "unused"
"""The key of a form that holds what is there and never used; it makes no difference."""


# --- what parts work with --------------------------------------------------------------------


@dataclass
class Reading:
    """One element on its way into a form.

    ``referenced`` are the ids that an ``id-ref`` anywhere in the CIB points to, for only
    those ids mean something; ``strange`` collects what cannot be expressed, ``unused`` what the
    cluster itself never looks at.
    """

    referenced: frozenset[str] = frozenset()
    strange: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


class ElementField(Protocol):
    """One key of the pillar with its place in the CIB."""

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
        """Write the value into an element that has none of it."""

    def normal(self, value: Any) -> Any:
        """Return the value's normal form, :data:`UNSET` when it says nothing."""


def below(parent: Element, tag: str, attributes: Mapping[str, str | None] | None = None) -> Element:
    """Make an element below another; attributes that are ``None`` are left out."""
    given = {name: text for name, text in (attributes or {}).items() if text is not None}
    element = parent.makeelement(tag, given)
    parent.append(element)
    return element


def unknown_attributes(element: Element, known: frozenset[str], reading: Reading) -> None:
    """Note the attributes that nothing can express."""
    reading.strange.extend(
        f"{name}={element.get(name)!r} of <{element.tag}>"
        for name in map(str, element.attrib)
        if name not in known
    )


def unknown_children(element: Element, known: tuple[str, ...], reading: Reading) -> None:
    """Note the child elements that nothing can express."""
    reading.strange.extend(
        f"<{child.tag}> in <{element.tag}>"
        for child in element.iterchildren("*")
        if child.tag not in known
    )


# --- shapes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class ElementSchema:
    """The parts of one kind of element."""

    tag: str
    parts: tuple[ElementField, ...]
    expected: str = "a mapping"

    @cached_property
    def section(self) -> Record:
        """What the pillar may hold for it."""
        return Record({part.key: part.field for part in self.parts}, self.expected)

    @cached_property
    def by_key(self) -> Mapping[str, ElementField]:
        """Its parts by their keys in the pillar."""
        return {part.key: part for part in self.parts}

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Its child elements in the schema's order."""
        return tuple(dict.fromkeys(tag for part in self.parts for tag in part.tags))

    @cached_property
    def attributes(self) -> frozenset[str]:
        """All attributes that it may have."""
        return frozenset({"id"}).union(*(part.attributes for part in self.parts))

    def read(self, element: Element, reading: Reading) -> dict[str, Any]:
        """Return an element's form, without its id."""
        spec: dict[str, Any] = {}
        for key, part in self.by_key.items():
            value = part.read(element, reading)
            if value is not UNSET:
                spec[key] = value
        unknown_attributes(element, self.attributes, reading)
        unknown_children(element, self.tags, reading)
        return spec

    def write(self, element: Element, spec: Spec) -> None:
        """Write a form into an empty element."""
        for key, part in self.by_key.items():
            if key in spec:
                part.write(element, spec[key])

    def normal(self, spec: Spec) -> dict[str, Any]:
        """Return a form's normal form."""
        result: dict[str, Any] = {}
        for key, part in self.by_key.items():
            if key in spec:
                value = part.normal(spec[key])
                if value is not UNSET:
                    result[key] = value
        if spec.get(OTHER):
            result[OTHER] = sorted(spec[OTHER])
        return result
