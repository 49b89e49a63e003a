"""The status section of a CIB: transient attributes and failures of nodes."""

import re
from collections.abc import Iterable

from fshalib.cib.document import (
    Element,
)


def attributes_of_online_nodes(root: Element, name: str) -> dict[str, str]:
    """Return a transient attribute of each node that is a member now, empty where it has none.

    root
        A CIB with its status.
    """
    members = [s for s in root.iterfind("status/node_state") if s.get("in_ccm") not in (None, "0")]
    found = {}
    for state in members:
        if state.get("in_ccm") == "false" or state.get("crmd") in ("offline", "0"):
            continue
        pairs = state.iterfind("transient_attributes//nvpair")
        values = [pair.get("value", "") for pair in pairs if pair.get("name") == name]
        found[state.get("uname", "")] = values[0] if values else ""
    return found


_FAILURE = re.compile(r"(?:fail-count|last-failure)-([^#:]+)(?:[#:].*)?")


def failures(root: Element, ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return node and name of each attribute in which the cluster remembers failures.

    root
        A CIB with its status.
    ids
        The resources in question.
    """
    names = set(ids)
    return tuple(
        (state.get("uname", ""), pair.get("name", ""))
        for state in root.iterfind("status/node_state")
        for pair in state.iterfind("transient_attributes//nvpair")
        if (match := _FAILURE.fullmatch(pair.get("name", ""))) and match[1] in names
    )
