"""The cluster's configuration objects as plain, immutable data.

Every other room speaks in these words: ``fsha_config`` makes them from pillar data,
``fsha_cib`` turns them into the CIB's XML and back. They hold no behaviour but small
read-only conveniences, and nothing here knows of Salt, files or programs.

All values are text exactly as the cluster stores them; what two spellings have in common
(``2s`` and ``2000ms``) is the business of the normal form in ``fsha_cib``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Agent:
    """A resource agent's name in its parts, as ``ocf:heartbeat:IPaddr2`` has three."""

    standard: str
    type: str
    provider: str | None = None

    def __str__(self) -> str:
        """Return the name as the field writes it."""
        return ":".join(part for part in (self.standard, self.provider, self.type) if part)


@dataclass(frozen=True)
class Operation:
    """One operation of a primitive; ``name`` and ``interval`` together identify it."""

    name: str
    interval: str = "0s"
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Primitive:
    """A resource that the cluster runs once."""

    id: str
    agent: Agent
    params: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True)
class Group:
    """Primitives that start in order, stop in reverse, and stay together."""

    id: str
    members: tuple[str, ...]
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expression:
    """A test of a node attribute in a rule: ``#uname eq fs1``, ``defined pingd``."""

    attribute: str
    operation: str
    value: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class Rule:
    """A scored rule; ``boolean_op`` joins its expressions.

    ``other`` is what a rule found in the CIB says beyond that, such as a date.
    """

    score: str
    expressions: tuple[Expression, ...]
    id: str | None = None
    boolean_op: str = "and"
    other: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Location:
    """Where a resource prefers, or refuses, to run: a node with a score, or rules.

    ``other`` is what a constraint found in the CIB says beyond that, such as a role.
    """

    id: str
    resource: str
    node: str | None = None
    score: str | None = None
    rules: tuple[Rule, ...] = ()
    other: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Properties:
    """Cluster options in one property set."""

    values: Mapping[str, str]
    id: str = "cib-bootstrap-options"


@dataclass(frozen=True)
class ResourceDefaults:
    """Meta attributes that every resource has unless it says otherwise."""

    values: Mapping[str, str]
    id: str = "rsc-options"


Object = Primitive | Group | Location | Properties | ResourceDefaults
"""Anything that the formula can manage in the CIB."""

RESOURCE_KINDS = (Primitive, Group)
