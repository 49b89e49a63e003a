"""Resource sets of constraints (``constraints-*.rng``)."""

from dataclasses import dataclass
from typing import Any

from fshalib.cib.element_schema import (
    Element,
    Reading,
    Spec,
    below,
    unknown_attributes,
    unknown_children,
)
from fshalib.cib.field_types import ID
from fshalib.cib.fields import Attribute
from fshalib.cib.nvset_field import NO_ATTRIBUTES
from fshalib.cib.options import BOOLEAN, ROLE, SCORE
from fshalib.schema.types import UNSET, Choice, Field, ListOf, Record

_ACTIONS = Choice(("start", "promote", "demote", "stop"))
RESOURCE_SET_ATTRIBUTES = (
    Attribute("id-ref", ID, "id of another set to use, in place of resources"),
    Attribute("sequential", BOOLEAN, "whether the members depend on each other in their order",
              default="true"),
    Attribute("require-all", BOOLEAN, "order: whether all members have to be active, or one",
              default="true"),
    Attribute("role", ROLE, "location, colocation, ticket: only in this role", default="Started"),
    Attribute("action", _ACTIONS, "order: what happens to the members", default="start"),
    Attribute("ordering", Choice(("group", "listed")), "colocation: deprecated"),
    Attribute("score", SCORE, "colocation: the set's own score"),
    Attribute("kind", Choice(("Optional", "Mandatory", "Serialize")), "order: the set's own kind"),
)  # fmt: skip

RESOURCE_SET = Record(
    {
        "resources": Field(
            ListOf(ID, "a list of one or more resources", 1, distinct=True),
            "the set's resources, in order",
            UNSET,
            ["ip_shared", "fs"],
        ),
        **{attribute.key: attribute.field for attribute in RESOURCE_SET_ATTRIBUTES},
        "id": Field(ID, "id in the CIB; made from the constraint's when it is left out"),
    },
    "a set of resources",
)


@dataclass(frozen=True)
class ResourceSets:
    """The sets of resources of a constraint, in order; a list in the pillar."""

    key: str = "sets"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("resource_set",)

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        kind = ListOf(RESOURCE_SET, "a list of sets of resources", keyed=True)
        return Field(kind, "sets of resources, in place of the pair", UNSET,
                     [{"resources": ["ip_shared", "fs"]}])  # fmt: skip

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the sets."""
        sets = element.findall("resource_set")
        return [self._read(child, reading) for child in sets] if sets else UNSET

    def _read(self, child: Element, reading: Reading) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        for attribute in RESOURCE_SET_ATTRIBUTES:
            if child.get(attribute.name) is not None:
                spec[attribute.key] = child.get(attribute.name)
        known = frozenset({"id"}).union(
            *(attribute.attributes for attribute in RESOURCE_SET_ATTRIBUTES)
        )
        unknown_attributes(child, known, reading)
        unknown_children(child, ("resource_ref",), reading)
        if child.get("id") in reading.referenced:
            spec["id"] = child.get("id")
        ids = [ref.get("id", "") for ref in child.findall("resource_ref")]
        if ids:
            spec["resources"] = ids
        return spec

    def write(self, element: Element, value: list[Spec]) -> None:
        """Make the sets."""
        for item in value:
            child = below(element, "resource_set", {"id": item.get("id")})
            for attribute in RESOURCE_SET_ATTRIBUTES:
                if attribute.key in item:
                    attribute.write(child, item[attribute.key])
            for id in item.get("resources", ()):
                below(child, "resource_ref", {"id": id})

    def normal(self, value: list[Spec]) -> Any:
        """Return the sets in their order."""
        if not value:
            return UNSET
        return [self._normal(item) for item in value]

    def _normal(self, item: Spec) -> dict[str, Any]:
        spec: dict[str, Any] = {"resources": list(item.get("resources", ()))}
        for attribute in RESOURCE_SET_ATTRIBUTES:
            if attribute.key in item:
                text = attribute.normal(item[attribute.key])
                if text is not UNSET:
                    spec[attribute.key] = text
        if "sequential" in spec:
            # Without an order between them, the members are a plain set.
            spec["resources"].sort()
        return spec
