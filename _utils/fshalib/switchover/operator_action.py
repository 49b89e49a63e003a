"""One operator action: runtime state that someone has set on purpose, and what lifts it."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from fshalib.change import annotation
from fshalib.cib import document, update
from fshalib.cib.document import Element
from fshalib.cib.values import UnitError, score_value

STANDBY = "standby"
NODE_MAINTENANCE = "node-maintenance"
MAINTENANCE_MODE = "maintenance-mode"
STOP_ALL = "stop-all-resources"
UNMANAGED = "unmanaged"
TARGET_ROLE = "target-role"
BAN = "ban"
PREFERENCE = "preference"
HOLD = "hold"
FAIL_COUNT = "fail-count"
ACTIONS = (
    STANDBY, NODE_MAINTENANCE, MAINTENANCE_MODE, STOP_ALL, UNMANAGED, TARGET_ROLE,
    BAN, PREFERENCE, HOLD, FAIL_COUNT,
)  # fmt: skip

CLUSTER = "cluster"
DEFAULTS = "rsc_defaults"


@dataclass(frozen=True)
class OperatorAction:
    """One thing that someone has set on purpose.

    ``kind`` is one of :data:`ACTIONS`, ``subject`` a node, a resource, :data:`CLUSTER` or
    :data:`DEFAULTS`, ``what`` what it does in words, ``node`` the one that it concerns, if
    any. ``since`` is its time in UTC (``2026-08-20T12:11:28Z``), ``None`` when the CIB can't
    tell; of a fail count, the time of the last failure. ``hint`` is the command that lifts it.
    ``by``, ``reason`` and ``until`` are what the formula's own verbs have noted beside it.
    """

    kind: str
    subject: str
    what: str
    node: str
    since: str | None
    hint: str
    by: str = ""
    reason: str = ""
    until: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it was to have been lifted by now; ``now`` with its time zone."""
        note = annotation.Annotation(self.by, self.reason, self.since or "", self.until)
        return note.is_over(now.astimezone(timezone.utc))


PillarAttributes = Mapping[str, frozenset[str]]
"""Object id → the names of attributes that the pillar itself sets."""


def score(text: str) -> int:
    """Return a score as a number."""
    try:
        return score_value(text)
    except UnitError:
        return 0


def command(*argv: str) -> str:
    """Return a command as a person would type it."""
    return shlex.join(argv)


def deletion(tag: str, id: str) -> str:
    """Return the command that deletes one element and nothing else."""
    text = document.render(update.new_element(tag, id))
    return command("cibadmin", "--delete", "--xml-text", text)


def states(root: Element) -> Iterator[tuple[Element, str]]:
    """Yield each node's part of the status with the node's name."""
    names = {
        node.get("id", ""): node.get("uname", "")
        for node in root.iterfind("configuration/nodes/node")
    }
    for state in root.iterfind("status/node_state"):
        id = state.get("id", "")
        yield state, state.get("uname") or names.get(id) or id
