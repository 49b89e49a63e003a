"""What a CIB holds beside its configuration, as far as it decides where something may run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class State:
    """The state of a cluster.

    online
        The nodes that are in the cluster.
    quorate
        Whether it has quorum.

    Attributes
    ----------
        The transient attributes of each node.
    refused
        What can't run on a node, by its own agent: node → resource → why, and when (in seconds
        since 1970, 0 when that is not known).
    tickets
        The tickets that are granted.
    now
        The time at which rules with dates are judged.
    """

    online: frozenset[str]
    quorate: bool
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: Mapping[str, Mapping[str, tuple[str, int]]] = field(default_factory=dict)
    tickets: frozenset[str] = frozenset()
    now: datetime | None = None
