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
import time
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.corosync import status
from fshalib.events import event, journal, returns
from fshalib.system import poll

if TYPE_CHECKING:
    __low__: dict[str, Any]
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "corosync_ring"

INTERVAL = 1.0
# Seconds that what is away is waited for where the cluster works without it: links that have just
# been configured take a moment.
GRACE = 10.0

log = logging.getLogger(__name__)


def __virtual__():
    """Load always: corosync may be installed earlier in the same run."""
    return __virtualname__


def healthy(name, nodes, timeout=120, require_all=True):
    """Wait until the ring is healthy: quorate, exactly these members, every link connected.

    name
        A name of the ring for the report.
    nodes
        ``{name: {id: 1, addresses: [one per link, prefix length allowed]}}``.
    timeout
        Seconds to wait at most. A test run does not wait.
    require_all
        Whether the state fails while a node or a link is away. With ``False`` the ring of a
        cluster that has a DC and a quorum, and has been configured before, will do after a
        moment, with a warning.

    When the time is up, the result is false. The comment, and one ``ring`` event, name every
    link, member and vote with a fault.
    """
    test = __opts__["test"]
    try:
        faults, done = _wait(name, nodes, 0.0 if test else float(timeout), require_all)
    except CommandExecutionError as error:
        return returns.failed(name, str(error))
    if not faults:
        return returns.unchanged(name, _whole(nodes))
    if test and not done:
        told = "; ".join(faults)
        return returns.not_yet(name, f"Would wait up to {timeout} s for the ring; now: {told}")
    if not test and not __low__.get("__prereq__"):
        event.send(
            journal.firing(__salt__["event.send"], __opts__),
            event.RING,
            name,
            __opts__["id"],
            {"faults": faults, "waited": min(GRACE, timeout) if done else timeout},
        )
    told = "\n".join(f"- {fault}" for fault in faults)
    if done:
        comment = f"The ring is not whole, but the cluster works without what is away:\n{told}"
        return {**returns.unchanged(name, comment), "warnings": [f"Away: {'; '.join(faults)}."]}
    return returns.failed(name, f"The ring is not whole after {timeout} s:\n{told}")


def _wait(name, nodes, timeout, require_all):
    """Return what keeps the ring from being whole, and whether the cluster can do without."""
    begun = time.monotonic()
    seen: list[list[str]] = []

    def look():
        faults = __salt__["corosync.faults"](nodes)
        if faults and faults not in seen[-1:]:
            log.info("%s: waiting: %s", name, "; ".join(faults))
        seen.append(faults)
        return faults

    def can_do(faults):
        if not faults:
            return True
        waited = time.monotonic() - begun >= min(GRACE, timeout)
        away = all(status.is_away(fault) for fault in faults)
        return not require_all and waited and away and _operational()

    faults = poll.until(look, can_do, timeout, what=f"ring {name}", interval=INTERVAL)
    return faults, can_do(faults)


def _operational():
    # On the first run there is no lxml in a test run, and no Pacemaker in any.
    return "pacemaker.operational" in __salt__ and __salt__["pacemaker.operational"]()


def _whole(nodes):
    links = len(next(iter(nodes.values()))["addresses"]) if nodes else 0
    each = "link" if links == 1 else "links"
    return f"The ring is whole: {', '.join(nodes)}; {links} {each} each, quorate."
