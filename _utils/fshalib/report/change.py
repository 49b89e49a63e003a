"""A plan, or a commit, as data for Salt's returns: with what operators have set beside it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from fshalib.change import guarding, transaction
from fshalib.change import plan as change_plan
from fshalib.change.commit import CommitOutcome, CommitRefused, Committer
from fshalib.change.plan import Make, Plan
from fshalib.cib.objects import Object
from fshalib.cib.target import DesiredObjects
from fshalib.schema import report as schema_report
from fshalib.switchover import operator_settings, settings_text
from fshalib.switchover.operator_action import FAIL_COUNT


def as_data(
    plan: Plan, unmanaged: str = "report", objects: Iterable[Object] = ()
) -> dict[str, Any]:
    """Return a plan as data.

    unmanaged
        ``ignore`` leaves out other people's objects.
    objects
        What is wanted: what it sets itself is no operator's.
    """
    data = change_plan.as_data(plan)
    if unmanaged == "ignore":
        data["unmanaged"] = []
    live = plan.target.live
    known = operator_settings.actions(live, None, operator_settings.attributes_of(objects))
    # What goes is not left alone.
    left = [action for action in known if action.subject not in plan.target.removed]
    done = [action for action in left if action.kind != FAIL_COUNT]
    failures = [action for action in left if action.kind == FAIL_COUNT]
    now = datetime.now(timezone.utc)
    return {
        **data,
        "actions": settings_text.as_lines(done, settings_text.last_change(live), now),
        "failures": settings_text.as_lines(failures, None, now),
        "overdue": settings_text.overdue(done, now),
        "empty": plan.empty,
        "comment": change_plan.summary(plan),
    }


def commit(
    committer: Committer, make: Make, what: str, objects: Iterable[Object] = ()
) -> dict[str, Any]:
    """Commit, and return what came of it; a refusal is an answer, no error.

    Raises as :meth:`Committer.commit` does.
    """
    refused = False
    try:
        done = committer.commit(make, what)
    except CommitRefused as error:
        refused = True
        done = CommitOutcome(error.plan, committed=False, attempts=1)
    return {
        **as_data(done.plan, "report", objects),
        "committed": done.committed,
        "refused": refused,
        "by": done.plan.verdict.by,
        "settled": done.settled,
        "attempts": done.attempts,
        "problems": list(done.problems),
        "version": done.version,
        "restore_point": done.point,
    }


def plan(
    wanted: Mapping[str, Any],
    objects: Iterable[Object],
    pillar: Mapping[str, Any],
    *,
    override: bool,
) -> dict[str, Any]:
    """Return what ``fsha.plan`` answers for a pillar.

    wanted, objects
        The pillar below ``fsha``, and the objects of the cluster in it.
    pillar
        This minion's own: how its FreeSWITCH is asked, and its guard.
    override
        Show the verdict with the guard overridden.

    Raises :class:`errors.ArgumentError` for a guard that is none.
    """
    unmanaged = schema_report.section(wanted, "cluster").get("unmanaged", "report")
    desired = DesiredObjects(tuple(objects), complete=True, purge=unmanaged == "purge")
    try:
        live, known = transaction.live(True), transaction.Transactions()
        guard = guarding.guard(wanted.get("guard"), pillar, override=override)
        planned = change_plan.of_live(live, desired, known.defaults, guard)
    except transaction.FAILED as error:
        return preview(None, error)
    return preview(as_data(planned, unmanaged, desired.objects))


def preview(data: Mapping[str, Any] | None, error: object = None) -> dict[str, Any]:
    """Return what ``fsha.plan`` answers.

    data
        What :func:`as_data` returned, ``None`` when there is no plan.

    Error:
        Why there is none.
    """
    keys = ("changes", "transition", "interrupted", "guard", "unmanaged", "actions")
    if data is None:
        return {"result": False, "comment": str(error), **dict.fromkeys(keys)}
    comment = data["comment"] if data["changes"] else "The cluster is as wanted."
    if not data["changes"] and not data["empty"]:
        comment = "Only the list of what fsha manages changes."
    if data["unmanaged"]:
        comment += f"\nNot in the pillar: {', '.join(data['unmanaged'])}."
    if data["actions"]:
        comment += "\nSet by operators: " + "\n  ".join(["", *data["actions"]])
    if data["failures"]:
        comment += "\nFailures on record: " + "\n  ".join(["", *data["failures"]])
    result = data["guard"]["kind"] != "refused"
    return {"result": result, "comment": comment, **{key: data[key] for key in keys}}
