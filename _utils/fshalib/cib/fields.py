"""The fields of objects: attribute, id, list, reference, child element."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fshalib.cib import normalize
from fshalib.schema.types import REQUIRED, UNSET, Field, ListOf, ValueType

if TYPE_CHECKING:
    from lxml import etree

    Element = etree._Element
else:
    # The pillar check uses these schemas before lxml is installed.
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
    """One attribute; ``default`` means the same as no value, and is in canonical spelling."""

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
        """The key's description for the pillar."""
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
        """Return the attribute unchanged."""
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
    """The id of an element within an object; it counts only if an ``id-ref`` points to it."""

    kind: ValueType
    key: str = "id"
    attributes: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
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
    """A list in one attribute, with commas between the items; its order counts."""

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
        """The key's description for the pillar."""
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
        """Return the items unchanged."""
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
        """The key's description for the pillar."""
        kind = ListOf(self.item, "a list of ids", 1 if self.required else 0, distinct=True)
        return Field(kind, self.doc, REQUIRED if self.required else UNSET, self.example)

    @property
    def tags(self) -> tuple[str, ...]:
        """The child's tag."""
        return (self.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the ids."""
        children = element.findall(self.tag)
        for child in children:
            unknown_attributes(child, frozenset({"id"}), reading)
        return [child.get("id", "") for child in children] if children else UNSET

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
    """One child element with fields of its own, as ``<podman>`` in a bundle."""

    key: str
    schema: ElementSchema
    doc: str
    attributes: frozenset[str] = frozenset()

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        return Field(self.schema.section, self.doc)

    @property
    def tags(self) -> tuple[str, ...]:
        """The child's tag."""
        return (self.schema.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the child's spec."""
        children = element.findall(self.schema.tag)
        if len(children) > 1:
            reading.strange.append(f"<{self.schema.tag}> more than once in <{element.tag}>")
        return self.schema.read(children[0], reading) if children else UNSET

    def write(self, element: Element, value: Spec) -> None:
        """Make the child."""
        self.schema.write(below(element, self.schema.tag), value)

    def normal(self, value: Spec) -> Any:
        """Return the child's normal form, :data:`UNSET` for an empty one."""
        return self.schema.normal(value) or UNSET


@dataclass(frozen=True)
class Several:
    """Child elements of one kind, each with fields of its own; a list in the pillar."""

    key: str
    schema: ElementSchema
    doc: str
    ordered: bool = False
    required: bool = False
    example: object = UNSET
    expected: str = "a list of mappings"
    attributes: frozenset[str] = frozenset()

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        kind = ListOf(self.schema.section, self.expected, 1 if self.required else 0, keyed=True)
        return Field(kind, self.doc, REQUIRED if self.required else UNSET, self.example)

    @property
    def tags(self) -> tuple[str, ...]:
        """The child's tag."""
        return (self.schema.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the children's specs."""
        children = element.findall(self.schema.tag)
        return [self.schema.read(child, reading) for child in children] if children else UNSET

    def write(self, element: Element, value: list[Spec]) -> None:
        """Make the children."""
        for item in value:
            self.schema.write(below(element, self.schema.tag), item)

    def normal(self, value: list[Spec]) -> Any:
        """Return the children's normal forms, sorted where their order does not count."""
        if not value:
            return UNSET
        specs = [self.schema.normal(item) for item in value]
        return specs if self.ordered else sorted(specs, key=lambda spec: repr(shown(spec)))


@dataclass(frozen=True)
class Within:
    """A field within a child element of its own, as ``<op>`` in ``<operations>``."""

    tag: str
    inner: ElementField
    attributes: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The inner field's key."""
        return self.inner.key

    @property
    def field(self) -> Field:
        """What the pillar expects of the inner field."""
        return self.inner.field

    @property
    def tags(self) -> tuple[str, ...]:
        """The outer child's tag."""
        return (self.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the inner field's value."""
        outer = element.findall(self.tag)
        if not outer:
            return UNSET
        unknown_attributes(outer[0], self.inner.attributes | {"id"}, reading)
        unknown_children(outer[0], self.inner.tags, reading)
        reading.strange.extend(f"<{extra.tag}> a second time" for extra in outer[1:])
        return self.inner.read(outer[0], reading)

    def write(self, element: Element, value: Any) -> None:
        """Make the outer child with the inner field in it."""
        if value:
            self.inner.write(below(element, self.tag), value)

    def normal(self, value: Any) -> Any:
        """Return the normal form of the inner field's value."""
        return self.inner.normal(value)
