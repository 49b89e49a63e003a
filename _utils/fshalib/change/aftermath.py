"""What went wrong after a commit, in what it has changed."""

from fshalib.change.plan import Plan
from fshalib.cib.document import Element
from fshalib.pacemaker import simulate
from fshalib.pacemaker.status import Status


def problems(plan: Plan, status: Status) -> tuple[str, ...]:
    """Return what has failed since of the resources that a plan touches, or keeps them back.

    Failures that were there before, and that nobody has cleaned up, are not this commit's.
    """
    touched = {simulate.without_instance(a.resource) for a in plan.transition.actions}
    known = _known_failures(plan.target.live)
    fresh = [f for f in status.failures if (f.node, f.op_key, f.call) not in known]
    failed = [str(failure) for failure in fresh if failure.resource in touched]
    stuck = [
        f"{r.id} is {'blocked' if r.blocked else 'failed'} on {', '.join(r.nodes) or 'no node'}"
        for r in status.resources
        if r.id in touched and (r.blocked or r.failed)
    ]
    return tuple(dict.fromkeys(failed + stuck)) or tuple(_held_back(plan, status))


def _known_failures(live: Element) -> frozenset[tuple[str, str, str]]:
    """Return the failed operations that a CIB remembers: node, key, and number of the call."""
    return frozenset(
        (state.get("uname", ""), op.get("operation_key", ""), op.get("call-id", ""))
        for state in live.iterfind("status/node_state")
        for op in state.iterfind("lrm/lrm_resources/lrm_resource/lrm_rsc_op")
        if op.get("id", "").endswith("_last_failure_0")
    )


def _held_back(plan: Plan, status: Status) -> list[str]:
    """Return what was changed but starts nowhere, since it has failed at an earlier time."""
    changed = plan.target.changes
    idle = [r.id for r in status.resources if r.id in changed and not (r.nodes or r.failed)]
    failed = {id: [c.node for c in status.fail_counts if c.resource == id] for id in idle}
    return [
        f"{id} runs on no node: it failed earlier on {' and '.join(nodes)}, and the cluster "
        f"remembers that; 'crm_resource --cleanup --resource {id}' lets it try again"
        for id, nodes in failed.items()
        if nodes
    ]
