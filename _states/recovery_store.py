"""Keep the recovery store of the pair, see the execution module of the same name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns
from fshalib.system import poll

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "recovery_store"


def __virtual__():
    """Load always."""
    return __virtualname__


def present(name, pillar="fsha"):
    """Make sure that this node has its store, with its server, tables and keeper.

    name
        Free to choose.
    pillar
        The pillar's top-level key.

    .. code-block:: yaml

        fsha-recovery-store:
          recovery_store.present: []
    """
    test = __opts__["test"]
    try:
        done = __salt__["recovery_store.set_up"](pillar=pillar, test=test)
    except CommandExecutionError as error:
        if test and "not installed" in str(error):
            return returns.not_yet(name, "PostgreSQL is not here yet; the store would be made.")
        return returns.failed(name, str(error))
    changes = done["changes"]
    comment = "The store is as it should be."
    if changes:
        comment = "The store would be changed." if test else "The store was changed."
    return {
        "name": name,
        "result": None if test and changes else True,
        "changes": changes,
        "comment": comment,
    }


def absent(name, pillar="fsha"):
    """Make sure that this node has no store, and nothing of it.

    name
        Free to choose.
    pillar
        The pillar's top-level key.

    .. code-block:: yaml

        fsha-recovery-store-gone:
          recovery_store.absent: []
    """
    test = __opts__["test"]
    try:
        paths = __salt__["recovery_store.tear_down"](pillar=pillar, test=test)
    except CommandExecutionError as error:
        return returns.failed(name, str(error))
    changes = {path: {"old": "present", "new": "absent"} for path in paths}
    comment = "There is no store."
    if changes:
        comment = "The store would be taken away." if test else "The store was taken away."
    result = None if test and changes else True
    return {"name": name, "result": result, "changes": changes, "comment": comment}


def joined(name, timeout=60):
    """Wait until rows go both ways, and warn where they do not.

    name
        Free to choose.
    timeout
        Seconds to wait.

    It never fails: calls are carried without it, and the keeper joins the stores later.

    .. code-block:: yaml

        fsha-recovery-store-joined:
          recovery_store.joined: []
    """
    if __opts__["test"]:
        return {"name": name, "result": True, "changes": {}, "comment": "Would be looked at."}

    def bad():
        findings = __salt__["recovery_store.status"]()
        return [finding["text"] for finding in findings if finding["level"] != "ok"]

    try:
        left = poll.until(bad, lambda texts: not texts, timeout, "the stores to be joined")
    except CommandExecutionError as error:
        return returns.failed(name, str(error))
    comment = "Rows go both ways." if not left else "Rows do not go both ways yet."
    answer = {"name": name, "result": True, "changes": {}, "comment": comment}
    return {**answer, "warnings": left} if left else answer
