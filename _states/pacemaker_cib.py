"""Transactions: stage objects, then commit all of them as one change.

.. code-block:: yaml

    voice:
      pacemaker_cib.committed:
        - complete: true
        - unmanaged: report
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError
from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.cib import kinds, normalize, secrets
from fshalib.events import event, journal, returns
from fshalib.pillar import config
from fshalib.schema.report import ConfigErrors, section

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    __instance_id__: str
    __low__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "pacemaker_cib"

UNMANAGED = ("report", "purge", "ignore")
OLD_FORM = "The argument form is called spec now. Rename it: form goes with version 0.2."
NO_LIBRARY = "can't be compared before lxml is in Salt's own Python (fsha_python.lxml does that)."


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def staged(name, kind, spec=None, transaction=None, absent=False, options=None, form=None):
    """Add one object to a transaction, or commit it at once; the other states call this.

    name
        The object's id.
    kind, absent
        As for the execution function ``pacemaker.stage``.
    spec
        The object's keys, as in the pillar.
    transaction
        The transaction's name; without one the object is committed at once.
    options
        More arguments of the calling state: keys of the object, too.
    form
        The old name of ``spec``, until version 0.2.
    """
    keys = {**({} if form is None else {"form": form}), **(options or {})}
    ret = _staged(name, kind, _spec(spec, keys), transaction, absent)
    if "form" in keys:
        ret["warnings"] = [*ret.get("warnings", []), OLD_FORM]
    return ret


def _spec(given: dict[str, Any] | None, keys: dict[str, Any]) -> dict[str, Any]:
    """Return an object's keys from a state's arguments."""
    single = {key: value for key, value in keys.items() if key != "form"}
    return returns.spec(given or keys.get("form"), single, STATE_INTERNAL_KEYWORDS)


def _staged(name, kind, spec, transaction, absent):
    test = __opts__["test"]
    if "pacemaker.stage" not in __salt__:
        return _promised(name, kind, spec, absent) if test else _no_library(name)
    own = transaction or f"alone:{name}"
    try:
        changes = __salt__["pacemaker.stage"](
            kind, own, name, spec, run=__instance_id__, test=test, absent=absent
        )
    except (CommandExecutionError, SaltInvocationError) as error:
        return returns.failed(name, str(error))
    if transaction is None:
        # One object alone can't tell what else belongs to the pillar.
        return {**committed(own, unmanaged="ignore"), "name": name}
    if not changes:
        return returns.unchanged(name, f"{name} is as wanted.")
    # Nothing is changed yet, and another node may be the one that changes it.
    comment = f"{name} differs and is staged for {transaction}: {normalize.shown(changes)}."
    return (returns.not_yet if test else returns.unchanged)(name, comment)


def _no_library(name: str) -> dict[str, Any]:
    return returns.failed(name, f"{name}: {NO_LIBRARY}")


def _promised(name: str, kind: str, spec: dict[str, Any], absent: bool) -> dict[str, Any]:
    """Return a test run's result without lxml: on a host without a cluster, everything is new."""
    if absent or __salt__["cmd.has_exec"]("cibadmin"):
        return returns.not_yet(name, f"{name}: {NO_LIBRARY}")
    try:
        item = config.make(kind, name, spec)
    except ConfigErrors as error:
        return returns.failed(name, str(error))
    new = secrets.masked(kinds.normal(item))
    return returns.changed(name, {"object": {"old": None, "new": new}}, f"{name} is new.", True)


def allowed(name="fsha", patience=30):
    """Ask whether a run may make the whole pillar true, before it touches anything on the host.

    name
        The pillar's top-level key.
    patience
        Seconds to wait for the verdicts of other nodes that carry calls.

    The guard judges the change of the cluster. FreeSWITCH's configuration is checked as well, since
    the commit needs it. What is refused fails the state, and the node that judged sends one event;
    with ``failhard`` the run ends there. A host without a cluster passes at once. A test run says
    the same, waits for nobody and sends nothing.

    .. code-block:: yaml

        fsha:
          pacemaker_cib.allowed:
            - failhard: true
    """
    test = __opts__["test"]
    if "pacemaker.verdict" not in __salt__:
        return (returns.not_yet if test else returns.failed)(name, f"{name}: {NO_LIBRARY}")
    try:
        found = __salt__["pacemaker.verdict"](name, patience=patience, test=test)
        # The node that judged sends it, not the one that took over its verdict.
        if found["refused"] and not test and not found["by"]:
            _announce(name, {**found, "committed": False}, test, found["policy"])
    except (CommandExecutionError, SaltInvocationError) as error:
        return returns.failed(name, str(error))
    if found["refused"]:
        before = "Would be refused" if test else "Nothing on this host was touched"
        return returns.failed(name, f"{before}:\n{found['comment']}")
    return returns.unchanged(name, _admitted(found))


def _admitted(found: dict[str, Any]) -> str:
    """Return why a run may begin."""
    if not found["cluster"]:
        return "There is no cluster on this host yet, so nothing is interrupted."
    if found["empty"]:
        return "The cluster is as wanted."
    guard = found["guard"]
    if not found["interrupted"]:
        return f"The cluster may be changed: {guard['reason']}."
    return f"The cluster may be changed: {guard['cost']}; {guard['reason']}."


def committed(
    name,
    complete=False,
    unmanaged="report",
    settle_timeout=120,
    guard=None,
    restore_points=20,
):
    """Commit all objects staged under this name to the CIB, as one versioned change.

    name
        The transaction's name.
    complete
        Whether the transaction holds all that fsha manages. Then objects that fsha managed before
        and that are not staged are removed.
    unmanaged
        What to do with resources and constraints that somebody else configured:
        ``report``, ``purge`` or ``ignore``.
    settle_timeout
        Seconds to wait until the cluster is idle.
    guard
        What the change may interrupt, as in ``fsha:guard``; that is the default.
    restore_points
        The number of restore points to keep, see ``pacemaker.history``.

    ``changes`` has the difference object by object, the cluster's transition, the interrupted
    resources and the guard's verdict, the same under ``test=True``. Drift sends exactly one
    event: from the node that commits, or in a test run from the DC. If the guard refuses the
    change, nothing is written, the state fails, and sends one event.
    """
    test = __opts__["test"]
    if unmanaged not in UNMANAGED:
        return returns.failed(
            name, f"unmanaged: one of {', '.join(UNMANAGED)} is expected, not {unmanaged!r}."
        )
    if "pacemaker.plan" not in __salt__:
        return (returns.not_yet if test else returns.failed)(name, f"{name}: {NO_LIBRARY}")
    kwargs: dict[str, Any] = {"run": __instance_id__, "complete": complete}
    kwargs.update(unmanaged=unmanaged, guard=guard)
    try:
        if test:
            found = __salt__["pacemaker.plan"](name, **kwargs)
        else:
            kwargs.update(settle_timeout=settle_timeout, restore_points=restore_points)
            found = __salt__["pacemaker.commit"](name, **kwargs)
        _announce(name, found, test, unmanaged)
    except (CommandExecutionError, SaltInvocationError) as error:
        return returns.failed(name, str(error))
    return _result(name, found, test, unmanaged)


def _result(name: str, found: dict[str, Any], test: bool, unmanaged: str) -> dict[str, Any]:
    left = _left_alone(found, unmanaged)
    refused = _is_refused(found, test)
    happens = not found["empty"] if test else found["committed"]
    if not happens and not refused:
        ret = returns.unchanged(name, f"The cluster is as wanted.{left}")
        others = _left_alone({**found, "actions": []}, unmanaged)
        if others:
            ret["warnings"] = [others.strip()]
        return ret
    if refused and not test:
        return returns.failed(name, f"Nothing was written.\n{found['comment']}{left}")
    changes = {"objects": found["changes"], "transition": found["transition"]}
    if found["interrupted"]:
        changes.update(interrupted=found["interrupted"], guard=found["guard"])
    if refused:
        return returns.failed(name, f"Would be refused:\n{found['comment']}{left}", changes)
    if test:
        return returns.changed(name, changes, f"Would commit:\n{found['comment']}{left}", True)
    return _written(name, found, changes, left)


def _is_refused(found: dict[str, Any], test: bool) -> bool:
    """Tell whether the guard refuses; in a test run, whether it would on this node."""
    return found["guard"]["kind"] == "refused" if test else found["refused"]


def _written(
    name: str, found: dict[str, Any], changes: dict[str, Any], left: str
) -> dict[str, Any]:
    """Return the state's result of a commit."""
    comment = f"Committed as {found['version']}:\n{found['comment']}{left}"
    if found["restore_point"] is not None:
        number = found["restore_point"]
        comment += f"\nTo go back, on {__opts__['id']}: salt-call pacemaker.restore {number}."
    if found["problems"]:
        return returns.failed(name, f"{comment}\nBut: {'; '.join(found['problems'])}.", changes)
    if not found["settled"]:
        return returns.failed(name, f"{comment}\nBut the cluster has not settled.", changes)
    return returns.changed(name, changes, comment, False)


def _left_alone(found: dict[str, Any], unmanaged: str) -> str:
    """Return lines of the comment about other people's objects, which stay."""
    text = ""
    if unmanaged == "report" and found["unmanaged"]:
        text += f"\nNot in the pillar and left alone: {', '.join(found['unmanaged'])}."
    if found["actions"]:
        lines = "\n  ".join(found["actions"])
        text += f"\nSet by operators and left alone:\n  {lines}"
    if found["failures"]:
        lines = "\n  ".join(found["failures"])
        text += f"\nFailures on record:\n  {lines}"
    return text


def _notice() -> None:
    """Record unplanned moves in the history; a failure of that does not fail the run."""
    try:
        __salt__["fsha.notice"]()
    except CommandExecutionError as error:
        log.info("not looked whether the service has moved: %s", error)


def _announce(name: str, found: dict[str, Any], test: bool, unmanaged: str) -> None:
    """Send the event of a run, if it has one."""
    low = globals().get("__low__") or {}
    if low.get("__prereq__"):
        return
    _notice()
    if found["overdue"] and __salt__["pacemaker.is_reporter"]():
        _send(event.OVERDUE, {"actions": found["overdue"]}, test)
    kind = _event_kind(found, test)
    if kind is None:
        return
    _send(
        kind,
        {
            "transaction": name,
            "nodes": sorted(map(str, section(__pillar__.get("fsha"), "nodes"))),
            "action": _action(found, test),
            "changes": found["changes"],
            "drifted": found["drifted"],
            "unmanaged": found["unmanaged"],
            "actions": found["actions"],
            "policy": unmanaged,
            "transition": found["transition"],
            "guard": found["guard"],
            "version": found.get("version", ""),
        },
        test,
    )


def _send(kind: str, data: dict[str, Any], test: bool) -> None:
    fire = journal.firing(__salt__["event.send"], __opts__)
    event.send(fire, kind, "cib", __opts__["id"], data, test=test)


def _event_kind(found: dict[str, Any], test: bool) -> str | None:
    """Return the kind of a run's event; none if there is none, or if another node sends it."""
    if not test and found["refused"]:
        # A node that waited in vain, or took over another one's verdict, has nothing to tell.
        own = found["guard"]["kind"] == "refused" and not found["by"]
        return event.REFUSED if own else None
    drifted = bool(found["drifted"] or found["unmanaged"])
    if not test and found["committed"]:
        return event.DRIFT if found["drifted"] else event.COMMIT
    # All nodes see drift in a test run; only one of them reports it.
    if drifted and __salt__["pacemaker.is_reporter"]():
        return event.DRIFT
    return None


def _action(found: dict[str, Any], test: bool) -> str:
    if found.get("refused"):
        return "refused"
    if found["empty"]:
        return "reported"
    return "would_change" if test else "corrected"
