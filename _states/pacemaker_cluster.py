"""The cluster as a whole."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns
from fshalib.system import poll

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "pacemaker_cluster"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


# Seconds that a node which is away is waited for where the cluster works without it.
GRACE = 5.0
NOT_JOINED = "has not joined"


def ready(name, nodes, timeout=120, require_all=True):
    """Wait until a DC is elected, the cluster has quorum and every node has joined.

    Write nothing to the CIB before: a node that joins later may bring an older configuration.

    name
        The cluster's name, for the report.
    nodes
        The names of all nodes.
    timeout
        Seconds to wait.
    require_all
        Whether the state fails while a node is away. With ``False`` a cluster that has a DC and a
        quorum, and has been configured before, is ready after a moment, with a warning.

    .. code-block:: yaml

        voice:
          pacemaker_cluster.ready:
            - nodes: [fs1, fs2]
    """
    test = __opts__["test"]
    faults, done = _wait(name, list(nodes), 0 if test else timeout, require_all)
    if not faults:
        return returns.unchanged(name, f"The cluster has a DC, quorum and {len(nodes)} nodes.")
    if done:
        return _degraded(name, faults)
    if test:
        return returns.not_yet(name, f"Would wait for the cluster: {'; '.join(faults)}.")
    return returns.failed(name, f"After {timeout} s: {'; '.join(faults)}.")


def _wait(name: str, nodes: list[str], timeout: float, require_all: bool):
    """Return what keeps the cluster from being whole, and whether it can do without."""
    look, begun = _look(nodes), time.monotonic()

    def can_do(faults: list[str]) -> bool:
        if not faults:
            return True
        waited = time.monotonic() - begun >= min(GRACE, timeout)
        away = all(fault.endswith(NOT_JOINED) for fault in faults)
        return not require_all and waited and away and __salt__["pacemaker.operational"]()

    faults = poll.until(look, can_do, timeout, f"cluster {name}")
    return faults, can_do(faults)


def _degraded(name: str, faults: list[str]) -> dict[str, Any]:
    away = f"Away: {'; '.join(faults)}."
    comment = f"The cluster has a DC and quorum, and can be changed. {away}"
    return {**returns.unchanged(name, comment), "warnings": [away]}


def _look(nodes: list[str]):
    def look() -> list[str]:
        if "pacemaker.status" not in __salt__:
            return ["lxml is not in Salt's Python yet"]
        try:
            status = __salt__["pacemaker.status"]()
        except CommandExecutionError as error:
            return [str(error).rstrip(".")]
        known = {node["name"]: node for node in status["nodes"]}
        faults = [] if status["dc"] else ["no DC is elected yet"]
        if status["dc"] and not status["quorate"]:
            faults.append("no quorum")
        for node in nodes:
            held = known.get(node)
            if held is None or not held["online"] or held["pending"]:
                faults.append(f"node {node} {NOT_JOINED}")
        faults.extend(f"unexpected node {node}" for node in known if node not in nodes)
        return faults

    return look
