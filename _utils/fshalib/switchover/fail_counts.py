"""Fail counts as operator actions: they too are lifted by hand."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fshalib.cib.document import Element
from fshalib.cib.values import score_text
from fshalib.pacemaker.status import Status
from fshalib.switchover.operator_action import FAIL_COUNT, OperatorAction, command, score, states
from fshalib.switchover.settings_text import utc

_FAILURE = re.compile(
    r"(?P<what>fail-count|last-failure)-(?P<resource>[^#]+)(?:#(?P<operation>.+)_[0-9]+)?"
)


@dataclass(frozen=True)
class _Failures:
    """A part of the fail count of a resource on a node, or the time of its last failure."""

    resource: str
    operation: str
    count: int = 0
    last: int = 0


def fail_counts(root: Element, status: Status | None) -> Iterator[OperatorAction]:
    """Yield the fail counts of all nodes."""
    if root.find("status") is None and status is not None:
        for known in status.fail_counts:
            yield _fail_count(known.resource, known.node, known.count, (), None)
    for state, node in states(root):
        found = list(_failures(state))
        for resource in dict.fromkeys(part.resource for part in found if part.count):
            parts = [part for part in found if part.resource == resource]
            count = score_text(sum(part.count for part in parts))
            operations = {part.operation for part in parts if part.count and part.operation}
            last = max(part.last for part in parts)
            yield _fail_count(resource, node, count, sorted(operations), utc(last))


def _failures(state: Element) -> Iterator[_Failures]:
    for pair in state.iterfind("transient_attributes//nvpair"):
        match = _FAILURE.fullmatch(pair.get("name", ""))
        if match is None:
            continue
        number = max(score(pair.get("value", "")), 0)
        resource, operation = match["resource"], match["operation"] or ""
        if match["what"] == "fail-count":
            yield _Failures(resource, operation, count=number)
        else:
            yield _Failures(resource, operation, last=_seconds(pair.get("value", "")))


def _fail_count(
    resource: str, node: str, count: str, operations: Iterable[str], since: str | None
) -> OperatorAction:
    of = f" ({', '.join(operations)})" if operations else ""
    hint = command("crm_resource", "--cleanup", "--resource", resource, "--node", node)
    return OperatorAction(
        FAIL_COUNT, resource, f"fail count {count} on {node}{of}", node, since, hint
    )


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
