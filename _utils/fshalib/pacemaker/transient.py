"""The status section of a CIB: transient attributes and failures of nodes."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from fshalib.cib.document import (
    Element,
)
from fshalib.cib.state import State


def attributes_of_online_nodes(root: Element, name: str) -> dict[str, str]:
    """Return a transient attribute of each online node, empty if it has none.

    root
        A CIB with its status.
    """
    members = [s for s in root.iterfind("status/node_state") if s.get("in_ccm") not in (None, "0")]
    attributes = {}
    for state in members:
        if state.get("in_ccm") == "false" or state.get("crmd") in ("offline", "0"):
            continue
        nvpairs = state.iterfind("transient_attributes//nvpair")
        values = [nvpair.get("value", "") for nvpair in nvpairs if nvpair.get("name") == name]
        attributes[state.get("uname", "")] = values[0] if values else ""
    return attributes


def online_nodes(root: Element) -> tuple[str, ...]:
    """Return the nodes that are in the cluster, by the status of a CIB."""
    return tuple(
        state.get("uname", "")
        for state in root.iterfind("status/node_state")
        if state.get("in_ccm") not in (None, "0", "false")
        and state.get("crmd") not in (None, "0", "offline")
    )


def state(root: Element, now: datetime) -> State:
    """Return what a CIB says of its nodes, tickets and quorum.

    root
        A CIB with its status.
    now
        The time at which its rules are judged.
    """
    attributes = {
        state.get("uname", ""): {
            pair.get("name", ""): pair.get("value", "")
            for pair in state.iterfind("transient_attributes/instance_attributes/nvpair")
        }
        for state in root.iterfind("status/node_state")
    }
    granted = (
        ticket.get("id", "")
        for ticket in root.iterfind("status/tickets/ticket_state")
        if ticket.get("granted") == "true" and ticket.get("standby") != "true"
    )
    online = frozenset(online_nodes(root))
    quorate = root.get("have-quorum") in ("1", "true")
    states = root.iterfind("status/node_state")
    refused = {state.get("uname", ""): dict(_refused(state)) for state in states}
    return State(online, quorate, attributes, refused, frozenset(granted), now)


_HARD = {
    "2": "its parameters are wrong", "3": "the agent lacks a feature",
    "4": "the agent lacks a permission", "5": "it is not installed",
}  # fmt: skip
"""Exit codes of an agent after which Pacemaker does not use the node again."""


def _refused(state: Element) -> Iterator[tuple[str, tuple[str, int]]]:
    """Yield what can't run on a node, by an exit code of its agent, why, and when."""
    for resource in state.iterfind("lrm/lrm_resources/lrm_resource"):
        for operation in resource.iterfind("lrm_rsc_op"):
            why = _HARD.get(operation.get("rc-code", ""))
            if why and operation.get("operation") != "stop":
                when = operation.get("last-rc-change", "")
                yield resource.get("id", ""), (why, int(when) if when.isdecimal() else 0)


_FAILURE = re.compile(r"(?:fail-count|last-failure)-([^#:]+)(?:[#:].*)?")


def failures(root: Element, ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return node and name of each transient attribute for a failure.

    root
        A CIB with its status.
    ids
        The resources in question.
    """
    names = set(ids)
    return tuple(
        (state.get("uname", ""), nvpair.get("name", ""))
        for state in root.iterfind("status/node_state")
        for nvpair in state.iterfind("transient_attributes//nvpair")
        if (match := _FAILURE.fullmatch(nvpair.get("name", ""))) and match[1] in names
    )
