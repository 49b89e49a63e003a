"""The fields that objects are described by: attribute, id, list, reference, child element."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fshalib.cib import normalize
from fshalib.schema.types import REQUIRED, UNSET, Field, ListOf, ValueType

if TYPE_CHECKING:
    from lxml import etree

    Element = etree._Element
else:
    # The pillar is checked by these shapes before lxml is there.
    Element = Any
from fshalib.cib.element_schema import (
    ElementField,
    ElementSchema,
    Reading,
    Spec,
    below,
    unknown_attributes,
    unknown_children,
)
from fshalib.cib.nvset import shown

Canonical = Callable[[str], str]


@dataclass(frozen=True)
class Attribute:
    """One attribute; ``default`` is the value that says nothing, in its canonical spelling."""

    name: str
    kind: ValueType
    doc: str
    pillar_key: str = ""
    default: str | None = None
    required: bool = False
    example: object = UNSET
    theirs: str = ""
    canonical: Canonical | None = None

    @property
    def key(self) -> str:
        """The key in the pillar."""
        return self.pillar_key or self.name

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        theirs = self.theirs or self.default or ""
        return Field(
            self.kind, self.doc, REQUIRED if self.required else UNSET, self.example, theirs
        )

    @property
    def attributes(self) -> frozenset[str]:
        """The attribute's name."""
        return frozenset({self.name})

    tags: tuple[str, ...] = ()

    def read(self, element: Element, _reading: Reading) -> Any:
        """Return the attribute as it stands."""
        return element.get(self.name, UNSET)

    def write(self, element: Element, value: str) -> None:
        """Set the attribute."""
        element.set(self.name, value)

    def normal(self, value: str) -> Any:
        """Return the canonical spelling."""
        same = self.canonical(value) if self.canonical else normalize.value(self.name, value)
        return UNSET if same == self.default else same


@dataclass(frozen=True)
class Id:
    """The id of a part of an object, which counts only where an ``id-ref`` points to it."""

    kind: ValueType
    key: str = "id"
    attributes: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        return Field(self.kind, "id in the CIB; made from the object's when it is left out")

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the id if something refers to it."""
        id = element.get("id")
        return id if id in reading.referenced else UNSET

    def write(self, element: Element, value: str) -> None:
        """Set the id."""
        element.set("id", value)

    def normal(self, _value: str) -> Any:
        """Ids do not count."""
        return UNSET


@dataclass(frozen=True)
class Commas:
    """A list that one attribute holds, with commas between; its order counts."""

    name: str
    item: ValueType
    doc: str
    example: object = UNSET
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key in the pillar."""
        return self.name

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        return Field(
            ListOf(self.item, "a list of one or more ids", 1), self.doc, REQUIRED, self.example
        )

    @property
    def attributes(self) -> frozenset[str]:
        """The attribute's name."""
        return frozenset({self.name})

    def read(self, element: Element, _reading: Reading) -> Any:
        """Return the items."""
        text = element.get(self.name)
        return UNSET if text is None else text.split(",")

    def write(self, element: Element, value: list[str]) -> None:
        """Set the attribute."""
        element.set(self.name, ",".join(value))

    def normal(self, value: list[str]) -> Any:
        """Return the items as they stand."""
        return list(value)


@dataclass(frozen=True)
class References:
    """Child elements that each name another object by its id."""

    key: str
    tag: str
    item: ValueType
    doc: str
    ordered: bool = False
    required: bool = True
    example: object = UNSET
    attributes: frozenset[str] = frozenset()

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        kind = ListOf(self.item, "a list of ids", 1 if self.required else 0, distinct=True)
        return Field(kind, self.doc, REQUIRED if self.required else UNSET, self.example)

    @property
    def tags(self) -> tuple[str, ...]:
        """The child's tag."""
        return (self.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the ids."""
        found = element.findall(self.tag)
        for child in found:
            unknown_attributes(child, frozenset({"id"}), reading)
        return [child.get("id", "") for child in found] if found else UNSET

    def write(self, element: Element, value: list[str]) -> None:
        """Make the children."""
        for id in value:
            below(element, self.tag, {"id": id})

    def normal(self, value: list[str]) -> Any:
        """Return the ids, sorted where their order does not count."""
        if not value:
            return UNSET
        return list(value) if self.ordered else sorted(set(value))


@dataclass(frozen=True)
class Single:
    """One child element with parts of its own, as ``<podman>`` in a bundle."""

    key: str
    shape: ElementSchema
    doc: str
    attributes: frozenset[str] = frozenset()

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        return Field(self.shape.section, self.doc)

    @property
    def tags(self) -> tuple[str, ...]:
        """The child's tag."""
        return (self.shape.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the child's form."""
        found = element.findall(self.shape.tag)
        if len(found) > 1:
            reading.strange.append(f"<{self.shape.tag}> more than once in <{element.tag}>")
        return self.shape.read(found[0], reading) if found else UNSET

    def write(self, element: Element, value: Spec) -> None:
        """Make the child."""
        self.shape.write(below(element, self.shape.tag), value)

    def normal(self, value: Spec) -> Any:
        """Return the child's normal form; one that says nothing is none."""
        return self.shape.normal(value) or UNSET


@dataclass(frozen=True)
class Several:
    """Child elements of one kind, each with parts of its own; a list in the pillar."""

    key: str
    shape: ElementSchema
    doc: str
    ordered: bool = False
    required: bool = False
    example: object = UNSET
    expected: str = "a list of mappings"
    attributes: frozenset[str] = frozenset()

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        kind = ListOf(self.shape.section, self.expected, 1 if self.required else 0, keyed=True)
        return Field(kind, self.doc, REQUIRED if self.required else UNSET, self.example)

    @property
    def tags(self) -> tuple[str, ...]:
        """The child's tag."""
        return (self.shape.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the children's forms."""
        found = element.findall(self.shape.tag)
        return [self.shape.read(child, reading) for child in found] if found else UNSET

    def write(self, element: Element, value: list[Spec]) -> None:
        """Make the children."""
        for item in value:
            self.shape.write(below(element, self.shape.tag), item)

    def normal(self, value: list[Spec]) -> Any:
        """Return the children's normal forms, sorted where their order does not count."""
        if not value:
            return UNSET
        forms = [self.shape.normal(item) for item in value]
        return forms if self.ordered else sorted(forms, key=lambda one: repr(shown(one)))


@dataclass(frozen=True)
class Within:
    """A part that lies in a child element of its own, as ``<op>`` lies in ``<operations>``."""

    tag: str
    part: ElementField
    attributes: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The inner part's key."""
        return self.part.key

    @property
    def field(self) -> Field:
        """What the pillar expects of the inner part."""
        return self.part.field

    @property
    def tags(self) -> tuple[str, ...]:
        """The outer child's tag."""
        return (self.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the inner part's value."""
        found = element.findall(self.tag)
        if not found:
            return UNSET
        unknown_attributes(found[0], self.part.attributes | {"id"}, reading)
        unknown_children(found[0], self.part.tags, reading)
        reading.strange.extend(f"<{extra.tag}> a second time" for extra in found[1:])
        return self.part.read(found[0], reading)

    def write(self, element: Element, value: Any) -> None:
        """Make the outer child with the inner part in it."""
        if value:
            self.part.write(below(element, self.tag), value)

    def normal(self, value: Any) -> Any:
        """Return the inner part's normal form."""
        return self.part.normal(value)
