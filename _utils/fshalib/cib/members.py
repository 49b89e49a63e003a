"""Members of a group, and the resource inside a clone or bundle."""

from dataclasses import dataclass
from typing import Any

from fshalib.cib.element_schema import (
    Element,
    Reading,
)
from fshalib.cib.field_types import ID
from fshalib.cib.nvset_field import NO_ATTRIBUTES
from fshalib.schema.types import REQUIRED, UNSET, Field, ListOf, ValueType

RESOURCE_TAGS = ("primitive", "group", "clone", "master", "bundle", "template")


@dataclass(frozen=True)
class Members:
    """The resources that a group, clone or bundle contains, by their ids.

    The members are resources of their own; ``fshalib.cib.merge`` moves them.
    """

    key: str
    doc: str
    tags: tuple[str, ...]
    several: bool = False
    required: bool = True
    attributes: frozenset[str] = NO_ATTRIBUTES

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        default = REQUIRED if self.required else UNSET
        if self.several:
            kind: ValueType = ListOf(ID, "a list of one or more resources", 1, distinct=True)
            return Field(kind, self.doc, default, ["ip_shared", "fs"])
        return Field(ID, self.doc, default, "fs")

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the ids, or the id."""
        ids = [child.get("id", "") for child in element.iterchildren(*self.tags)]
        if not ids:
            return UNSET
        if self.several:
            return ids
        if len(ids) > 1:
            reading.strange.append(f"more than one resource in <{element.tag}>")
        return ids[0]

    def write(self, element: Element, value: Any) -> None:
        """Do nothing: the members are elements that exist already."""

    def normal(self, value: Any) -> Any:
        """Return the ids in their order."""
        return list(value) if self.several else value
