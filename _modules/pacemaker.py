"""Read, plan and change the configuration of a Pacemaker cluster.

The states ``pacemaker_*`` are thin over these verbs. All changes of a run reach the CIB as
one patch against the exact version that was read; see ``docs/design.md``.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any

try:
    import fsha_cib
    import fsha_cluster
    import fsha_commit
    import fsha_config
    import fsha_metadata
    import fsha_normal
    import fsha_run
    import fsha_status

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

import salt.utils.args
from salt.exceptions import CommandExecutionError, SaltInvocationError

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "pacemaker"

_TRANSACTIONS = "fsha.pacemaker.transactions"
_UNSTAGED = "fsha.pacemaker.unstaged"


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"pacemaker: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


class _Transaction:
    """The objects that a run has staged so far, beside the CIB as it was at the first of them."""

    def __init__(self, cib: str) -> None:
        self.live = fsha_cib.parse(cib)
        self.objects: dict[tuple[str, str], Any] = {}
        self.absent: list[str] = []

    def stage(self, kind: str, item: Any) -> dict[str, Any]:
        """Add an object and return what it changes."""
        self.absent = [name for name in self.absent if name != item.id]
        self.objects[kind, item.id] = item
        return fsha_cib.object_changes(self.live, self.wanted(), item)

    def stage_absent(self, name: str) -> dict[str, Any]:
        """Add a removal and return what it changes."""
        self.objects = {key: item for key, item in self.objects.items() if item.id != name}
        self.absent.append(name)
        return fsha_cib.removal(self.live, name)

    def wanted(self, complete: bool = False, purge: bool = False) -> Any:
        """Return all of it as the library's question."""
        return fsha_cib.Wanted(
            tuple(self.objects.values()), tuple(self.absent), complete=complete, purge=purge
        )


def _live(test: bool) -> str:
    """Return the CIB; in a test run on a host that has no cluster yet, an empty one."""
    try:
        return fsha_cluster.query()
    except (fsha_run.ToolMissing, fsha_cluster.ClusterDown):
        if test:
            return fsha_cib.EMPTY
        raise


def _transaction(name: str, run: str, test: bool) -> _Transaction:
    open_ones = __context__.setdefault(_TRANSACTIONS, {})
    key = (name, run)
    if key not in open_ones:
        open_ones[key] = _Transaction(_live(test))
    return open_ones[key]


def _object(kind: str, spec: dict[str, Any]) -> Any:
    if kind not in fsha_config.MAKERS:
        known = ", ".join(fsha_config.MAKERS)
        raise SaltInvocationError(f"kind: one of {known} is expected, not {kind!r}.")
    try:
        inspect.signature(fsha_config.MAKERS[kind]).bind(**spec)
    except TypeError as error:
        raise SaltInvocationError(f"{kind}: {error}.") from error
    try:
        return fsha_config.MAKERS[kind](**spec)
    except fsha_config.ConfigErrors as error:
        raise SaltInvocationError(str(error)) from error


def _unstaged(transaction: str, run: str) -> list[str]:
    """Return what could not be staged; a transaction without it must not be written."""
    return __context__.setdefault(_UNSTAGED, {}).setdefault((transaction, run), [])


def _wanted(transaction: str, run: str, test: bool, complete: bool, purge: bool) -> Any:
    """Return what a transaction wants, if it may be written at all."""
    missing = _unstaged(transaction, run)
    if missing:
        raise CommandExecutionError(
            f"{transaction}: nothing is written, because {', '.join(missing)} could not be staged."
        )
    held = _transaction(transaction, run, test)
    if complete and not held.objects:
        raise CommandExecutionError(
            f"{transaction}: nothing is staged, and complete would remove everything that fsha "
            "manages; name what has to go with absent instead."
        )
    return held.wanted(complete, purge)


def cib():
    """Return the text of the live CIB, with its status section.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.cib
    """
    try:
        return fsha_cluster.query()
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


def status():
    """Return the cluster's state as data: nodes, DC, quorum, resources, failures.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.status
    """
    return dataclasses.asdict(_status())


def _status() -> Any:
    try:
        return fsha_status.parse_status(fsha_cluster.status())
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


def stage(kind, transaction, run="", test=False, absent=False, **spec):
    """Add an object to a transaction; nothing is written before :func:`commit`.

    A transaction lives as long as the run (the process) that stages it.

    kind
        ``primitive``, ``group``, ``location``, ``properties`` or ``resource_defaults``.
    transaction
        The transaction's name.
    run
        What tells this run from others in the same process; the states give their own.
    test
        Whether a host without a cluster counts as an empty one.
    absent
        Stage the removal of ``id`` instead.
    spec
        The object: ``id`` and the fields of its kind, as in the pillar.

    Returns the object's own changes, ``{path: {"old": …, "new": …}}``. Raises
    ``SaltInvocationError`` for a bad object, ``CommandExecutionError`` for a cluster that
    cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.stage group mine id=VoiceServices members='[ip_shared, fs]'
    """
    spec = salt.utils.args.clean_kwargs(**spec)
    if "id" not in spec:
        raise SaltInvocationError(f"{kind}: an id is expected.")
    missing = _unstaged(transaction, run)
    missing.append(str(spec["id"]))
    try:
        held = _transaction(transaction, run, test)
        item = None if absent else _object(kind, spec)
        found = held.stage_absent(spec["id"]) if item is None else held.stage(kind, item)
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        raise CommandExecutionError(str(error)) from error
    missing[:] = [name for name in missing if name != str(spec["id"])]
    return fsha_normal.masked(found)


def plan(transaction, run="", complete=False, unmanaged="report"):
    """Return what committing a transaction would do; nothing is written.

    transaction, run
        As given to :func:`stage`.
    complete
        Whether the transaction holds all that fsha manages.
    unmanaged
        ``report``, ``purge`` or ``ignore``: what to do with other people's objects.

    Returns ``changes`` (object → path → old and new), ``drifted``, ``unmanaged``,
    ``transition`` and ``comment``. Raises ``CommandExecutionError``.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.plan mine
    """
    try:
        wanted = _wanted(transaction, run, True, complete, unmanaged == "purge")
        found = _plan(_live(True), wanted)
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        raise CommandExecutionError(str(error)) from error
    return _report(found, unmanaged)


def _plan(live: str, wanted: Any) -> Any:
    try:
        return fsha_commit.make_plan(live, wanted)
    except fsha_run.ToolMissing:
        return fsha_commit.make_first_plan(live, wanted)


def commit(transaction, run="", complete=False, unmanaged="report", settle_timeout=120):
    """Write a transaction to the CIB as one versioned patch and wait until it has settled.

    transaction, run, complete, unmanaged
        As for :func:`plan`.
    settle_timeout
        Seconds to wait for the end of the cluster's transition.

    Returns what :func:`plan` returns, and ``committed``, ``settled``, ``attempts``,
    ``problems`` and ``version``. Raises ``CommandExecutionError``; the CIB is then as it was.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.commit mine
    """
    try:
        wanted = _wanted(transaction, run, False, complete, unmanaged == "purge")
        done = fsha_commit.commit(wanted, settle=settle_timeout)
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        raise CommandExecutionError(str(error)) from error
    __context__.get(_TRANSACTIONS, {}).pop((transaction, run), None)
    return {
        **_report(done.plan, unmanaged),
        "committed": done.committed,
        "settled": done.settled,
        "attempts": done.attempts,
        "problems": list(done.problems),
        "version": done.version,
    }


def _report(found: Any, unmanaged: str) -> dict[str, Any]:
    data = fsha_commit.as_data(found)
    if unmanaged == "ignore":
        data["unmanaged"] = []
    return {**data, "empty": found.empty, "comment": fsha_commit.summary(found)}


def is_reporter():
    """Tell whether this node is the one that reports what all nodes see: the DC.

    CLI Example:

    .. code-block:: bash

        salt '*' pacemaker.is_reporter
    """
    if fsha_cluster.on_file():
        return True
    dc = _status().dc
    try:
        return dc == fsha_cluster.local_node()
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


def agent(name):
    """Return an agent's parameters from its own metadata; ``None`` if it is not installed.

    name
        The agent, ``ocf:heartbeat:IPaddr2``.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.agent ocf:heartbeat:IPaddr2
    """
    try:
        text = fsha_cluster.metadata(name)
        return None if text is None else dataclasses.asdict(fsha_metadata.parse_metadata(text))
    except (fsha_run.RunError, fsha_metadata.MetadataError) as error:
        raise CommandExecutionError(f"{name}: {error}") from error


def agents(space):
    """Return the names of the resource agents that are installed.

    space
        Where to look: a standard with its provider, ``ocf:heartbeat``, or alone, ``lsb``.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.agents ocf:heartbeat
    """
    try:
        return list(fsha_cluster.agents(space))
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


def serving(name):
    """Tell where a resource, or every member of a group, is started.

    name
        The id of the primitive or group.

    Returns ``node`` (``""`` when it is not started on exactly one) and ``why`` not. Raises
    ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.serving VoiceServices
    """
    seen = _status()
    node = seen.serving(name)
    return {"node": node, "why": "" if node else "; ".join(seen.complaints(name))}
