"""Wait until corosync's ring is healthy.

.. code-block:: yaml

    voice-ring:
      corosync_ring.healthy:
        - nodes:
            fs1: {addresses: [10.0.0.1/24, 10.0.1.1/24]}
            fs2: {addresses: [10.0.0.2/24, 10.0.1.2/24]}
        - timeout: 120
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.events import event, journal, returns
from fshalib.system import poll

if TYPE_CHECKING:
    __low__: dict[str, Any]
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "corosync_ring"

INTERVAL = 1.0

log = logging.getLogger(__name__)


def __virtual__():
    """Load always: corosync may be installed earlier in the same run."""
    return __virtualname__


def healthy(name, nodes, timeout=120):
    """Wait until the ring is healthy: quorate, exactly these members, every link connected.

    name
        A name of the ring for the report.
    nodes
        ``{name: {id: 1, addresses: [one per link, prefix length allowed]}}``.
    timeout
        Seconds to wait at most. A test run does not wait.

    When the time is up, the result is false. The comment, and one ``ring`` event, name every
    link, member and vote with a fault.
    """
    try:
        if __opts__["test"]:
            return _test(name, nodes, timeout)
        faults = _wait(name, nodes, float(timeout))
    except CommandExecutionError as error:
        return returns.failed(name, str(error))
    if not faults:
        return returns.unchanged(name, _whole(nodes))
    if not __low__.get("__prereq__"):
        event.send(
            journal.firing(__salt__["event.send"], __opts__),
            event.RING,
            name,
            __opts__["id"],
            {"faults": faults, "waited": timeout},
        )
    told = "\n".join(f"- {fault}" for fault in faults)
    return returns.failed(name, f"The ring is not whole after {timeout} s:\n{told}")


def _wait(name, nodes, timeout):
    seen: list[list[str]] = []

    def look():
        faults = __salt__["corosync.faults"](nodes)
        if faults and faults not in seen[-1:]:
            log.info("%s: waiting: %s", name, "; ".join(faults))
        seen.append(faults)
        return faults

    return poll.until(
        look, lambda faults: not faults, timeout, what=f"ring {name}", interval=INTERVAL
    )


def _test(name, nodes, timeout):
    faults = __salt__["corosync.faults"](nodes)
    if not faults:
        return returns.unchanged(name, _whole(nodes))
    told = "; ".join(faults)
    return returns.not_yet(name, f"Would wait up to {timeout} s for the ring; now: {told}")


def _whole(nodes):
    links = len(next(iter(nodes.values()))["addresses"]) if nodes else 0
    each = "link" if links == 1 else "links"
    return f"The ring is whole: {', '.join(nodes)}; {links} {each} each, quorate."
