"""The cluster's configuration objects as plain, immutable data.

Every other room speaks in these words: ``fshalib.pillar.config`` makes objects from pillar data,
``fshalib.cib.target`` turns them into the CIB's XML and back. Nothing here knows of Salt, files or
programs.

An object's *form* has the shape of the pillar, and its values are text exactly as the cluster
stores them; what two spellings have in common (``2s`` and ``2000ms``) is the business of the
normal form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Object:
    """Anything that the formula can manage in the CIB.

    kind
        The kind's name: ``primitive``, ``group``, ``location`` … (``fshalib.cib.kinds.KINDS``).
    id
        The object's id; a node's name for a node.
    form
        What it says, in the shape of the pillar.
    """

    kind: str
    id: str
    spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        """The agent of a primitive or template, ``""`` when a template names it."""
        return str(self.spec.get("agent", ""))

    @property
    def members(self) -> tuple[str, ...]:
        """The ids of the resources that a group, clone or bundle contains."""
        if self.kind not in CONTAINERS:
            return ()
        inner = self.spec.get("members") or [self.spec.get("resource")]
        return tuple(id for id in inner if id)

    def values(self, key: str) -> Mapping[str, str]:
        """Return the values that always hold under ``params``, ``meta`` or ``utilization``."""
        return plain_values(self.spec.get(key, {}))


CONTAINERS = ("group", "clone", "bundle")


def plain_values(sets: Any) -> dict[str, str]:
    """Return the values of all sets without a rule, the first of a name first."""
    if isinstance(sets, Mapping):
        return dict(sets)
    found: dict[str, str] = {}
    for one in sets:
        if "rule" not in one:
            for name, text in one.get("values", {}).items():
                found.setdefault(name, text)
    return found


def inherited(item: Object, template: Object | None) -> Object:
    """Return a primitive with all that it takes from its template; its own values come first."""
    if template is None:
        return item
    spec = {**item.spec, "agent": item.agent or template.agent}
    for key in ("params", "meta", "utilization"):
        sets = [*_sets(item.spec.get(key)), *_sets(template.spec.get(key))]
        if sets:
            spec[key] = sets
    told = {(op.name, op.interval) for op in operations(item)}
    more = [op.attributes for op in operations(template) if (op.name, op.interval) not in told]
    if more:
        spec["operations"] = [*item.spec.get("operations", ()), *more]
    return Object(item.kind, item.id, spec)


def _sets(given: Any) -> list[Any]:
    """Return a list of sets, whichever way they were given."""
    if not given:
        return []
    return [{"values": given}] if isinstance(given, Mapping) else list(given)


@dataclass(frozen=True)
class Operation:
    """One operation of a primitive, as advice looks at it."""

    name: str
    interval: str = "0s"
    attributes: Mapping[str, Any] = field(default_factory=dict)


def operations(item: Object) -> tuple[Operation, ...]:
    """Return an object's own operations; those of an ``id-ref`` are none of its own."""
    return tuple(
        Operation(op["name"], op.get("interval", "0s"), op)
        for op in item.spec.get("operations", ())
        if "name" in op
    )
