"""Transactions: stage objects, then commit all of them as one change.

.. code-block:: yaml

    voice:
      pacemaker_cib.committed:
        - complete: true
        - unmanaged: report
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fsha_config
import fsha_event
import fsha_normal
import fsha_state

if TYPE_CHECKING:
    __instance_id__: str
    __low__: dict[str, Any]
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "pacemaker_cib"

UNMANAGED = ("report", "purge", "ignore")
NO_LIBRARY = "can't be compared before lxml is in Salt's own Python (fsha_python.lxml does that)."


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def staged(name, kind, spec, transaction=None, absent=False):
    """Add one object to a transaction, or commit it at once; the other states use this.

    name
        The object's id.
    kind, spec, absent
        As for the execution function ``pacemaker.stage``.
    transaction
        The transaction's name; without one the object is committed at once.
    """
    test = __opts__["test"]
    if "pacemaker.stage" not in __salt__:
        return _promised(name, kind, spec, absent) if test else _no_library(name)
    own = transaction or f"alone:{name}"
    try:
        changes = __salt__["pacemaker.stage"](
            kind, own, run=__instance_id__, test=test, absent=absent, **spec
        )
    except (CommandExecutionError, SaltInvocationError) as error:
        return fsha_state.failed(name, str(error))
    if transaction is None:
        # One object alone can't tell what else belongs to the pillar.
        return {**committed(own, unmanaged="ignore"), "name": name}
    if not changes:
        return fsha_state.unchanged(name, f"{name} is as wanted.")
    verb = "would be" if test else "is"
    comment = f"{name} differs and {verb} staged for {transaction}."
    return fsha_state.changed(name, changes, comment, test)


def _no_library(name: str) -> dict[str, Any]:
    return fsha_state.failed(name, f"{name}: {NO_LIBRARY}")


def _promised(name: str, kind: str, spec: dict[str, Any], absent: bool) -> dict[str, Any]:
    """Say in a test run what can be said without lxml: on a host without a cluster, all is new."""
    if absent or __salt__["cmd.has_exec"]("cibadmin"):
        return fsha_state.not_yet(name, f"{name}: {NO_LIBRARY}")
    try:
        item = fsha_config.MAKERS[kind](**spec)
    except fsha_config.ConfigErrors as error:
        return fsha_state.failed(name, str(error))
    new = fsha_normal.masked(fsha_normal.normal(item))
    return fsha_state.changed(name, {"object": {"old": None, "new": new}}, f"{name} is new.", True)


def committed(name, complete=False, unmanaged="report", settle_timeout=120):
    """Bring everything that was staged under this name into the CIB, as one versioned change.

    name
        The transaction's name.
    complete
        Whether the transaction holds all that fsha manages: what it managed before and is
        no longer staged is then removed.
    unmanaged
        What to do with resources and constraints that somebody else configured:
        ``report``, ``purge`` or ``ignore``.
    settle_timeout
        Seconds to wait until the cluster has nothing left to do.

    ``changes`` holds the difference object by object and the cluster's transition, the same
    under ``test=True``. Drift gives exactly one event: from the node that commits, or in a
    test run from the DC.
    """
    test = __opts__["test"]
    if unmanaged not in UNMANAGED:
        return fsha_state.failed(
            name, f"unmanaged: one of {', '.join(UNMANAGED)} is expected, not {unmanaged!r}."
        )
    if "pacemaker.plan" not in __salt__:
        return (fsha_state.not_yet if test else fsha_state.failed)(name, f"{name}: {NO_LIBRARY}")
    kwargs = {"run": __instance_id__, "complete": complete, "unmanaged": unmanaged}
    try:
        if test:
            found = __salt__["pacemaker.plan"](name, **kwargs)
        else:
            found = __salt__["pacemaker.commit"](name, settle_timeout=settle_timeout, **kwargs)
        _announce(name, found, test, unmanaged)
    except CommandExecutionError as error:
        return fsha_state.failed(name, str(error))
    return _result(name, found, test, unmanaged)


def _result(name: str, found: dict[str, Any], test: bool, unmanaged: str) -> dict[str, Any]:
    left = _left_alone(found, unmanaged)
    happens = not found["empty"] if test else found["committed"]
    if not happens:
        ret = fsha_state.unchanged(name, f"The cluster is as wanted.{left}")
        if left:
            ret["warnings"] = [left.strip()]
        return ret
    changes = {"objects": found["changes"], "transition": found["transition"]}
    if test:
        return fsha_state.changed(name, changes, f"Would commit:\n{found['comment']}{left}", True)
    comment = f"Committed as {found['version']}:\n{found['comment']}{left}"
    if found["problems"]:
        return fsha_state.failed(name, f"{comment}\nBut: {'; '.join(found['problems'])}.", changes)
    if not found["settled"]:
        return fsha_state.failed(name, f"{comment}\nBut the cluster has not settled.", changes)
    return fsha_state.changed(name, changes, comment, False)


def _left_alone(found: dict[str, Any], unmanaged: str) -> str:
    if unmanaged != "report" or not found["unmanaged"]:
        return ""
    others = ", ".join(found["unmanaged"])
    return f"\nNot in the pillar and left alone: {others}."


def _announce(name: str, found: dict[str, Any], test: bool, unmanaged: str) -> None:
    """Send the one event that a run owes to the bus, if it owes any."""
    low = globals().get("__low__") or {}
    drifted = bool(found["drifted"] or found["unmanaged"])
    written = not test and found["committed"]
    if low.get("__prereq__") or not (drifted or written):
        return
    # What all nodes see and nobody has changed is told by one of them.
    if not written and not __salt__["pacemaker.is_reporter"]():
        return
    fsha_event.send(
        __salt__["event.send"],
        fsha_event.DRIFT if found["drifted"] or not written else fsha_event.COMMIT,
        "cib",
        __opts__["id"],
        {
            "transaction": name,
            "action": _action(found, test),
            "changes": found["changes"],
            "drifted": found["drifted"],
            "unmanaged": found["unmanaged"],
            "policy": unmanaged,
            "transition": found["transition"],
            "version": found.get("version", ""),
        },
        test=test,
    )


def _action(found: dict[str, Any], test: bool) -> str:
    if found["empty"]:
        return "reported"
    return "would_change" if test else "corrected"
