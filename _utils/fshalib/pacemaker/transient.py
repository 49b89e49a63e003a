"""The status section of a CIB: transient attributes and failures of nodes."""

import re
from collections.abc import Iterable

from fshalib.cib.document import (
    Element,
)


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
