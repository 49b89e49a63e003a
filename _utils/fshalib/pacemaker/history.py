"""What the cluster remembers of the operations on its nodes: what ran where when it last looked.

The history of a node outlives its Pacemaker: it is dropped when the node comes back.
"""

from fshalib.cib.document import Element

_SAYS_THAT_IT_RUNS = frozenset({"start", "promote", "demote", "monitor", "migrate_from"})


def running(root: Element, node: str) -> tuple[str, ...]:
    """Return the resources that ran on a node at the end of its history.

    root
        A CIB with its status.
    node
        The node's name.
    """
    return tuple(
        resource.get("id", "")
        for state in root.iterfind("status/node_state")
        if state.get("uname") == node
        for resource in state.iterfind("lrm/lrm_resources/lrm_resource")
        if _ran(resource)
    )


def was_lost(root: Element, node: str) -> bool:
    """Tell whether a node that is away was lost, and has not stopped in an orderly way.

    A node that was fenced counts as stopped.
    """
    states = [s for s in root.iterfind("status/node_state") if s.get("uname") == node]
    return any(s.get("expected") == "member" for s in states)


def _ran(resource: Element) -> bool:
    """Tell whether the last operation of a resource, apart from failures, left it running."""
    operations = [op for op in resource.iterfind("lrm_rsc_op") if "_last_failure_" not in _id(op)]
    last = max(operations, key=_call, default=None)
    return last is not None and last.get("operation") in _SAYS_THAT_IT_RUNS and _succeeded(last)


def _succeeded(op: Element) -> bool:
    return op.get("rc-code") in ("0", "8")


def _id(op: Element) -> str:
    return op.get("id", "")


def _call(op: Element) -> int:
    return int(op.get("call-id", "0")) if op.get("call-id", "").isdecimal() else 0
