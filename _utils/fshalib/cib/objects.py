"""The cluster's configuration objects as plain, immutable data.

Every other room speaks in these words: ``fshalib.pillar.config`` makes objects from pillar data,
``fshalib.cib.target`` turns them into the CIB's XML and back. Nothing here knows of Salt, files or
programs.

An object's *spec* has the shape of the pillar, but for its sets of pairs, which are
:class:`fshalib.cib.nvset.NvSets`. Its values are text exactly as the cluster stores them; what two
spellings have in common (``2s`` and ``2000ms``) is the business of the normal form.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fshalib.cib.nvset import NO_SETS, NvSets


@dataclass(frozen=True)
class Object:
    """Anything that the formula can manage in the CIB.

    kind
        The kind's name: ``primitive``, ``group``, ``location`` … (``fshalib.cib.kinds.KINDS``).
    id
        The object's id; a node's name for a node.
    spec
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
        return self.sets(key).plain_values()

    def sets(self, key: str) -> NvSets:
        """Return the sets of pairs under a key, none where it is not there."""
        sets: NvSets = self.spec.get(key, NO_SETS)
        return sets

    def with_sets(self, key: str, sets: NvSets) -> "Object":
        """Return the object with other sets of pairs under a key."""
        return Object(self.kind, self.id, {**self.spec, key: sets})


CONTAINERS = ("group", "clone", "bundle")


def inherited(item: Object, template: Object | None) -> Object:
    """Return a primitive with all that it takes from its template; its own values come first."""
    if template is None:
        return item
    spec = {**item.spec, "agent": item.agent or template.agent}
    for key in ("params", "meta", "utilization"):
        sets = NvSets.several([*item.sets(key), *template.sets(key)])
        if sets:
            spec[key] = sets
    told = {(op.name, op.interval) for op in operations(item)}
    more = [op.attributes for op in operations(template) if (op.name, op.interval) not in told]
    if more:
        spec["operations"] = [*item.spec.get("operations", ()), *more]
    return Object(item.kind, item.id, spec)


def primitives(objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the primitives of a configuration with all that they take from their templates."""
    known = tuple(objects)
    templates = {item.id: item for item in known if item.kind == "template"}
    return tuple(
        inherited(item, templates.get(str(item.spec.get("template", ""))))
        for item in known
        if item.kind == "primitive"
    )


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
