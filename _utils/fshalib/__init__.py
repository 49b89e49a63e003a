"""The library of fsha: everything hard, typed, and tested without Salt.

The rooms
---------
Each room may import itself and the rooms above it. All may import ``errors`` and ``agents``.
``tests/unit/test_rooms.py`` holds these floors. The ``__init__.py`` of a room imports nothing, for
the pillar is checked before lxml is installed.

==============  ==================================================================================
``system``      Runs programs, reads and writes files, waits: the only door to the host.
``events``      What goes to Salt: state returns, events, and the journal that keeps them.
``schema``      Types of values, and how a mistake in them is reported.
``cib``         The CIB: its objects, and how they are read, written, compared and merged.
``pacemaker``   Pacemaker's own tools: the questions to them, and their answers as types.
``corosync``    corosync.conf, its key, and the state of the ring.
``freeswitch``  FreeSWITCH: its Event Socket, its calls, its configuration.
``store``       The recovery store on the pair: PostgreSQL on each node, replicated both ways.
``pillar``      The pillar: its schema, its checks, and the way back from a cluster to a pillar.
``lint``        Finds in a configuration alone what will hinder a failover.
``change``      One change of the CIB: plan, guard, restore point, commit.
``switchover``  A switchover, from the order to the check of its result.
``checks``      The checklist: what is looked at on both nodes, and the verdict.
``report``      What a person reads: text, progress, one HTML page.
==============  ==================================================================================

The way of one value
--------------------
``fsha:pacemaker:resources:ip_shared:params:ip`` goes from the pillar to the cluster like this:

1. ``fsha/map.jinja`` merges the pillar with the defaults. The SLS makes one
   ``pacemaker_resource.present`` of each resource, and one ``pacemaker_cib.committed`` at the end.
2. ``_states/pacemaker_resource`` hands the state's arguments to ``pacemaker_cib.staged``, and that
   to ``pacemaker.stage`` in ``_modules``. This reads the live CIB once for each run
   (``pacemaker.tools``) and collects the objects of the run.
3. ``pillar.config.make`` checks the arguments. The kind (``cib.kinds``) names the schema of its
   element (``cib.resource_schema``, built from ``cib.element_schema``). ``params`` is a set of
   pairs (``cib.nvset``). The result is a ``cib.objects.Object``.
4. ``cib.compare.object_changes`` compares the object with the live CIB. The defaults of the agent's
   metadata (``pacemaker.agent_metadata``) count as set. The difference is what the state returns
   as its changes; ``test=True`` goes no further than a plan.
5. ``pacemaker_cib.committed`` calls ``pacemaker.commit`` and so ``change.commit``, which repeats
   the rest of the way when somebody else has changed the CIB meanwhile.
6. ``cib.target`` makes the target out of the live CIB and the objects of the run: ``cib.merge``
   finds the element of each object, ``cib.update`` changes in it only what differs.
7. ``change.plan`` lets ``crm_verify`` check the target and ``crm_simulate`` foretell what the
   cluster will do (``pacemaker.simulate``). The formula's own agents judge their new parameters
   (``change.validation``). ``change.guard`` decides whether calls may pay for it.
8. ``change.restore_points`` keeps the CIB as it was. ``crm_diff`` makes one patch with the version
   of the CIB that was read, and ``cibadmin --patch`` applies it: all objects at once, or none.

An upgrade
----------
A minion is one long-running process that forks its jobs, and a job inherits what that process has
imported. For a job of the schedule the process imports fsha itself, at any moment, also while Salt
copies a new release file by file. So each file of ``_modules`` and ``_states``, which Salt runs
anew for each job, begins with ``importlib.reload(fshalib)``. That runs this file again, and it
drops the rest of the library from memory when a file has changed. A reload also mends what was
imported from a folder without this file, or from a half-written one.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

_Stamp = dict[str, tuple[int, int]]


def _files(folder: str) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _files(entry.path)


def _stamp() -> _Stamp:
    """Return the time of change and the size of each file of the library, by its path."""
    files = ((f.path, f.stat()) for f in _files(str(Path(__file__).parent)))
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in files}


def _forget() -> None:
    """Drop all that has been imported of the library, but for this file itself."""
    for name in [name for name in sys.modules if name.startswith(f"{__name__}.")]:
        del sys.modules[name]
        globals().pop(name.split(".")[1], None)


_now = _stamp()
if globals().get("_at_import") != _now:
    _forget()
_at_import = _now
