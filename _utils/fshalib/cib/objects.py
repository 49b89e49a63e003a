"""The cluster's configuration objects as plain, immutable data.

``fshalib.pillar.config`` makes objects from pillar data, ``fshalib.cib.target`` merges them into
the CIB's XML, ``fshalib.cib.read`` reads them from it.

An object's *spec* is data as in the pillar, but for its sets of nvpairs, which are
:class:`fshalib.cib.nvset.NvSets`. Its values are text as the cluster stores them; two spellings
(``2s`` and ``2000ms``) become equal in the normal form (``fshalib.cib.normalize``).
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
        Its keys and values, as in the pillar.
    """

    kind: str
    id: str
    spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        """The agent of a primitive or template, ``""`` if a template names it."""
        return str(self.spec.get("agent", ""))

    @property
    def members(self) -> tuple[str, ...]:
        """The ids of the resources that a group, clone or bundle contains."""
        if self.kind not in CONTAINERS:
            return ()
        inner = self.spec.get("members") or [self.spec.get("resource")]
        return tuple(id for id in inner if id)

    def values(self, key: str) -> Mapping[str, str]:
        """Return the values without a rule of ``params``, ``meta`` or ``utilization``."""
        return self.sets(key).plain_values()

    def sets(self, key: str) -> NvSets:
        """Return the sets of nvpairs under a key, none if there is no such key."""
        sets: NvSets = self.spec.get(key, NO_SETS)
        return sets

    def with_sets(self, key: str, sets: NvSets) -> "Object":
        """Return the object with other sets of nvpairs under a key."""
        return Object(self.kind, self.id, {**self.spec, key: sets})


CONTAINERS = ("group", "clone", "bundle")


def inherited(item: Object, template: Object | None) -> Object:
    """Return a primitive with its template's settings; its own values come first."""
    if template is None:
        return item
    spec = {**item.spec, "agent": item.agent or template.agent}
    for key in ("params", "meta", "utilization"):
        sets = NvSets.several([*item.sets(key), *template.sets(key)])
        if sets:
            spec[key] = sets
    own = {(op.name, op.interval) for op in operations(item)}
    more = [op.attributes for op in operations(template) if (op.name, op.interval) not in own]
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
    """One operation of a primitive."""

    name: str
    interval: str = "0s"
    attributes: Mapping[str, Any] = field(default_factory=dict)


def operations(item: Object) -> tuple[Operation, ...]:
    """Return an object's own operations, without those of an ``id-ref``."""
    return tuple(
        Operation(op["name"], op.get("interval", "0s"), op)
        for op in item.spec.get("operations", ())
        if "name" in op
    )
