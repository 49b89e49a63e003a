"""Two bare Debian nodes, their networks and the outside world on one machine.

For tests, the demo and the benchmarks::

    from lab import Lab

    lab = Lab()                                   # name from $FSHA_LAB, else "fsha"
    lab.up()                                      # no-op when it is up
    lab.pillar("examples/article.sls")
    returns = lab.salt("*", "state.apply", "fsha")        # {minion: return}, .code
    node = lab.nodes["freeswitch-dev"]
    node.run(["crm_mon", "-1"]).out               # Completed(argv, code, out, err, seconds)
    with lab.events("fsha/") as bus, lab.probe() as probe:
        lab.salt_call(node, "fsha.failover")      # Returned(value, code, completed)
    print(bus.events, probe.result.longest)       # [(tag, data)…], Gap(start, seconds, …)
    lab.reset()                                   # bare nodes again
    lab.down()

``Node``: ``run``, ``write``, ``read``, ``exists``, ``kill``, ``boot``, ``power_off``, ``shutdown``,
``running``, ``main_pid``, ``unit_state``. ``Lab``: ``power_on``, ``power_off``, ``link_down``,
``link_up``, ``loss``, ``partition``, ``heal``, ``vip_holders``, ``status``, ``wait``,
``leftovers``. On the command line the same: ``python -m lab --help``; see ``docs/lab.md``.
"""

from lab.calls import Call, Calls, CallsResult
from lab.core import Faults, Lab, Node
from lab.errors import HostNotReadyError, LabCommandError, LabError, LabTimeoutError
from lab.probe import Answer, Gap, Probe, ProbeResult
from lab.progress import Progress
from lab.saltbus import EventListener, Returned, Returns
from lab.settings import LINKS, MASTER_ADDRESS, NODES, SALT_VERSION, VIP
from lab.sh import Completed

__all__ = [
    "LINKS",
    "MASTER_ADDRESS",
    "NODES",
    "SALT_VERSION",
    "VIP",
    "Answer",
    "Call",
    "Calls",
    "CallsResult",
    "Completed",
    "EventListener",
    "Faults",
    "Gap",
    "HostNotReadyError",
    "Lab",
    "LabCommandError",
    "LabError",
    "LabTimeoutError",
    "Node",
    "Probe",
    "ProbeResult",
    "Progress",
    "Returned",
    "Returns",
]
