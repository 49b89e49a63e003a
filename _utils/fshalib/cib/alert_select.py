"""Which events an alert is sent for (``alerts-*.rng``)."""

from dataclasses import dataclass
from typing import Any

from fshalib.cib.element_schema import (
    Element,
    Reading,
    Spec,
    below,
    unknown_children,
)
from fshalib.cib.nvset_field import NO_ATTRIBUTES
from fshalib.schema.types import UNSET, Choice, Field, ListOf, Record, Text

_SELECTIONS = ("fencing", "nodes", "resources")


@dataclass(frozen=True)
class Select:
    """Which events an alert is sent for."""

    key: str = "select"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("select",)

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        words = ListOf(
            Choice((*_SELECTIONS, "attributes")), "a list of kinds of events", distinct=True
        )
        names = ListOf(Text("a node attribute"), "a list of node attributes", distinct=True)
        section = Record(
            {
                "events": Field(words, "kinds of events; without any all but attributes"),
                "attributes": Field(names, "only changes of these node attributes"),
            }
        )
        return Field(section, "which events the alert is sent for", UNSET, {"events": ["nodes"]})

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the kinds of events, and the names of attributes."""
        select = element.find("select")
        if select is None:
            return UNSET
        unknown_children(
            select, tuple(f"select_{w}" for w in (*_SELECTIONS, "attributes")), reading
        )
        events = [str(child.tag).removeprefix("select_") for child in select.iterchildren("*")]
        names = [e.get("name", "") for e in select.iterfind("select_attributes/attribute")]
        return {"events": events, **({"attributes": names} if names else {})}

    def write(self, element: Element, value: Spec) -> None:
        """Make the selection."""
        select = below(element, "select")
        events = set(value.get("events", ()))
        if value.get("attributes"):
            events.add("attributes")
        for word in ("attributes", *_SELECTIONS):
            if word in events:
                below(select, f"select_{word}")
        for name in value.get("attributes", ()):
            below(select[0], "attribute", {"name": name})

    def normal(self, value: Spec) -> Any:
        """Return the selection, sorted; :data:`UNSET` for an empty one."""
        names = sorted(value.get("attributes", ()))
        events = sorted({*value.get("events", ()), *(["attributes"] if names else [])})
        if not events:
            return UNSET
        return {"events": events, **({"attributes": names} if names else {})}
