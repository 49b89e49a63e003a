"""The cluster as a whole."""

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

__virtualname__ = "pacemaker_cluster"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def ready(name, nodes, timeout=120):
    """Wait until a DC is elected, the cluster has quorum and every node has joined.

    Write nothing to the CIB before: a node that joins later may bring an older configuration.

    name
        The cluster's name, for the report.
    nodes
        The names of all nodes.
    timeout
        Seconds to wait.

    .. code-block:: yaml

        voice:
          pacemaker_cluster.ready:
            - nodes: [fs1, fs2]
    """
    test = __opts__["test"]
    look = _look(list(nodes))
    faults = look() if test else poll.until(look, lambda f: not f, timeout, f"cluster {name}")
    if not faults:
        return returns.unchanged(name, f"The cluster has a DC, quorum and {len(nodes)} nodes.")
    if test:
        return returns.not_yet(name, f"Would wait for the cluster: {'; '.join(faults)}.")
    return returns.failed(name, f"After {timeout} s: {'; '.join(faults)}.")


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
                faults.append(f"node {node} has not joined")
        faults.extend(f"unexpected node {node}" for node in known if node not in nodes)
        return faults

    return look
