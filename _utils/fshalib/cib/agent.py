"""The agent of a resource: one name in the pillar, up to three attributes in the CIB."""

from dataclasses import dataclass
from typing import Any

from fshalib.cib.element_schema import (
    Element,
    Reading,
)
from fshalib.cib.field_types import AgentName
from fshalib.schema.types import REQUIRED, UNSET, Field


@dataclass(frozen=True)
class Agent:
    """The attributes ``class``, ``provider`` and ``type`` as one name."""

    required: bool = True
    key: str = "agent"
    attributes: frozenset[str] = frozenset({"class", "provider", "type"})
    tags: tuple[str, ...] = ()

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        return Field(
            AgentName(),
            "the resource agent, as CLASS:TYPE or ocf:PROVIDER:TYPE",
            REQUIRED if self.required else UNSET,
            "ocf:heartbeat:IPaddr2",
        )

    def read(self, element: Element, _reading: Reading) -> Any:
        """Return the name."""
        return name_of(element) or UNSET

    def write(self, element: Element, value: str) -> None:
        """Set the attributes."""
        standard, _, rest = value.partition(":")
        provider, _, kind = rest.rpartition(":") if standard == "ocf" else ("", "", rest)
        element.set("class", standard)
        if provider:
            element.set("provider", provider)
        element.set("type", kind)

    def normal(self, value: str) -> Any:
        """Return the name; an ocf agent without a provider is heartbeat's."""
        standard, _, rest = value.partition(":")
        if standard == "ocf" and ":" not in rest:
            return f"ocf:heartbeat:{rest}"
        return value


def name_of(element: Element) -> str:
    """Return the whole name of the agent that a primitive or template names, ``""`` for none."""
    parts = [element.get(name) for name in ("class", "provider", "type")]
    return ":".join(part for part in parts if part)


def names(root: Element) -> dict[str, str]:
    """Return the whole name of the agent of each primitive of a CIB, also one of a template."""
    templates = {e.get("id", ""): name_of(e) for e in root.iter("template")}
    return {
        e.get("id", ""): name_of(e) or templates.get(e.get("template", ""), "")
        for e in root.iter("primitive")
    }
