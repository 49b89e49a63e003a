"""Operations of a resource: monitor, start, stop and so on (``resources-*.rng``)."""

from dataclasses import dataclass
from typing import Any

from fshalib.cib import normalize
from fshalib.cib.element_schema import (
    Element,
    Reading,
    Spec,
    below,
    unknown_attributes,
    unknown_children,
)
from fshalib.cib.nvset_field import NO_ATTRIBUTES
from fshalib.schema.types import UNSET, Field, ListOf, ValueType


@dataclass(frozen=True)
class OperationsId:
    """The id of a resource's operations, for others that use them; in an item of its own.

    It stands in the list beside the operations, but is no attribute of any of them.
    """

    kind: ValueType
    key: str = "id"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ()

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        return Field(self.kind, "id of this list, for others with `id-ref`; in an item of its own")

    def read(self, _element: Element, _reading: Reading) -> Any:
        """Return nothing: no operation has it."""
        return UNSET

    def write(self, element: Element, value: str) -> None:
        """Do nothing: :class:`Operations` writes it."""

    def normal(self, _value: str) -> Any:
        """Ids do not count."""
        return UNSET


@dataclass(frozen=True)
class Operations:
    """The operations of a primitive or template; name and interval tell them apart."""

    schema: Any
    key: str = "operations"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("operations",)

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        return Field(
            ListOf(self.schema.section, "a list of operations", keyed=True),
            "operations; without a monitor the cluster sees no failure",
            UNSET,
            [{"name": "monitor", "interval": "5s", "timeout": "20s"}],
        )

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the operations."""
        sections = element.findall("operations")
        if not sections:
            return UNSET
        operations = []
        for section in sections:
            unknown_attributes(section, frozenset({"id", "id-ref"}), reading)
            unknown_children(section, ("op",), reading)
            if section.get("id-ref"):
                operations.append({"id-ref": section.get("id-ref")})
                reading.unused += [f"{op.get('id')}: there is an id-ref" for op in section]
                continue
            if section.get("id") in reading.referenced:
                operations.append({"id": section.get("id")})
            operations += [self.schema.read(op, reading) for op in _first_of_each(section, reading)]
        return operations

    def write(self, element: Element, value: list[Spec]) -> None:
        """Make the operations."""
        if not value:
            return
        section = below(element, "operations")
        for item in value:
            name = next((key for key in ("id-ref", "id") if key in item), None)
            if name is not None:
                section.set(name, item[name])
            else:
                self.schema.write(below(section, "op"), item)
                op = section[-1]
                op.set("interval", op.get("interval", "0s"))

    def normal(self, value: list[Spec]) -> Any:
        """Return name and interval → the rest; ``UNSET`` without any."""
        result: dict[str, Any] = {}
        for item in value:
            if "id" in item:
                continue
            spec = self.schema.normal(item)
            base = operation_key(spec.pop("name", ""), spec.pop("interval", "0s"))
            key, number = base, 1
            while key in result:
                number += 1
                key = f"{base} ({number})"
            result[key] = spec
        return {key: result[key] for key in sorted(result)} or UNSET


def _first_of_each(section: Element, reading: Reading) -> list[Element]:
    """Return the operations without repetitions of an earlier one; the cluster never uses those."""
    first: dict[tuple[str, str], Element] = {}
    for op in section.findall("op"):
        key = operation_key(op.get("name", ""), op.get("interval", "0")), op.get("role", "")
        if key in first:
            reading.unused.append(f"{op.get('id')}: there is another {key[0]} before")
        else:
            first[key] = op
    return list(first.values())


def operation_key(name: str, interval: str) -> str:
    """Return what identifies an operation: its name and its interval, ``monitor 2s``."""
    return f"{name} {normalize.value('interval', interval)}"
