"""Read, plan and change the configuration of a Pacemaker cluster.

The states ``pacemaker_*`` are thin over these verbs. All changes of a run reach the CIB as
one patch against the exact version that was read; see ``docs/design.md``.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import dataclasses
import importlib
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fshalib

    importlib.reload(fshalib)
    from fshalib.change import commit as change_commit
    from fshalib.change import guard as change_guard
    from fshalib.change import plan as change_plan
    from fshalib.change import restore_points as change_restore_points
    from fshalib.cib import compare, document, kinds, secrets, target
    from fshalib.cib import document as cib_document
    from fshalib.freeswitch import client
    from fshalib.pacemaker import agent_metadata, tools
    from fshalib.pacemaker import status as pacemaker_status
    from fshalib.pillar import config, guard_policy
    from fshalib.schema import report
    from fshalib.schema.report import ConfigErrors
    from fshalib.switchover import operator_settings, settings_text
    from fshalib.system import programs

    MISSING = ""
    ERRORS: tuple[type[Exception], ...] = (
        programs.RunError,
        cib_document.CibError,
        change_restore_points.HistoryError,
    )
except ImportError as error:
    MISSING = str(error)
    ERRORS = ()

from salt.exceptions import CommandExecutionError, SaltInvocationError

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "pacemaker"

# Restore points: every CIB as it was before a commit of this node.
RESTORE_DIRECTORY = "/var/lib/fsha/restore"
_TRANSACTIONS = "fsha.pacemaker.transactions"
_UNSTAGED = "fsha.pacemaker.unstaged"
_DEFAULTS = "fsha.pacemaker.defaults"


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"pacemaker: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


class _Transaction:
    """The objects that a run has staged so far, beside the CIB as it was at the first of them."""

    def __init__(self, cib: str) -> None:
        self.live = document.Document(cib_document.parse(cib))
        self.objects: dict[tuple[str, str], Any] = {}
        self.absent: list[str] = []

    def stage(self, kind: str, item: Any) -> dict[str, Any]:
        """Add an object and return what it changes."""
        self.absent = [name for name in self.absent if name != item.id]
        self.objects[kind, item.id] = item
        return compare.object_changes(self.live, item, _defaults)

    def stage_absent(self, name: str) -> dict[str, Any]:
        """Add a removal and return what it changes."""
        self.objects = {key: item for key, item in self.objects.items() if item.id != name}
        self.absent.append(name)
        return compare.removal(self.live, name)

    def wanted(self, complete: bool = False, purge: bool = False) -> Any:
        """Return all of it as the library's question."""
        return target.DesiredObjects(
            tuple(self.objects.values()), tuple(self.absent), complete=complete, purge=purge
        )


def _live(test: bool) -> str:
    """Return the CIB; in a test run on a host that has no cluster yet, an empty one."""
    try:
        return tools.query()
    except (programs.ToolMissing, tools.ClusterDown):
        if test:
            return cib_document.EMPTY
        raise


def _transaction(name: str, run: str, test: bool) -> _Transaction:
    open_ones = __context__.setdefault(_TRANSACTIONS, {})
    key = (name, run)
    if key not in open_ones:
        open_ones[key] = _Transaction(_live(test))
    return open_ones[key]


def _object(kind: str, id: Any, spec: Any) -> Any:
    if not isinstance(kind, str) or kind not in kinds.KINDS:
        known = ", ".join(kinds.KINDS)
        raise SaltInvocationError(f"kind: one of {known} is expected, not {kind!r}.")
    try:
        return config.make(kind, id, spec)
    except ConfigErrors as error:
        raise SaltInvocationError(str(error)) from error


def _defaults(agent: str) -> dict[str, str]:
    """Return the defaults of an agent's parameters; none for an agent that can't be asked."""
    known = __context__.setdefault(_DEFAULTS, {})
    if agent not in known:
        known[agent] = _ask_defaults(agent)
    return known[agent]


def _ask_defaults(agent: str) -> dict[str, str]:
    try:
        text = tools.metadata(agent)
        found = {} if text is None else agent_metadata.parse_metadata(text).parameters
    except (programs.RunError, agent_metadata.MetadataError):
        # Without its metadata every difference counts, which is the safe side.
        return {}
    return {name: p.default for name, p in found.items() if p.default is not None}


def _guard(guard: dict[str, Any] | None, override: bool) -> Any:
    """Return what the operator allows: as given, else as the pillar says."""
    told = report.section(__pillar__, "fsha", "guard") if guard is None else guard
    try:
        policy = guard_policy.policy(told if told else {})
    except guard_policy.PolicyError as error:
        raise SaltInvocationError(str(error)) from error
    if override:
        policy = dataclasses.replace(policy, override=True)
    return change_plan.Guard(policy, _calls)


def _calls() -> Any:
    """Return the call legs on this node's FreeSWITCH."""
    node = tools.local_node()
    try:
        legs = change_guard.legs(client.profiles(client.access(__pillar__)))
    except programs.RunError as error:
        return change_guard.Calls(None, node, str(error))
    return change_guard.Calls(legs, node)


def _points(keep: int, kind: str) -> Any:
    if tools.on_file() and "fsha.restore_directory" not in __opts__:
        return None
    node = "" if tools.on_file() else tools.local_node()
    return change_commit.Points(_directory(), keep, node, __opts__["id"], kind)


def _directory() -> Path:
    return Path(__opts__.get("fsha.restore_directory", RESTORE_DIRECTORY))


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
        return tools.query()
    except programs.RunError as error:
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
        return pacemaker_status.parse_status(tools.status())
    except programs.RunError as error:
        raise CommandExecutionError(str(error)) from error


def stage(kind, transaction, id, spec=None, run="", test=False, absent=False):
    """Add an object to a transaction; nothing is written before :func:`commit`.

    A transaction lives as long as the run (the process) that stages it.

    kind
        ``primitive``, ``group``, ``clone``, ``location``, ``colocation``, ``order``,
        ``properties`` and so on: the kinds of docs/pillar.md.
    transaction
        The transaction's name.
    id
        The object's id; a node's name for a node.
    form
        What it says: the keys of its kind, as in the pillar.
    run
        What tells this run from others in the same process; the states give their own.
    test
        Whether a host without a cluster counts as an empty one.
    absent
        Stage the removal of ``id`` instead.

    Returns the object's own changes, ``{path: {"old": …, "new": …}}``. Raises
    ``SaltInvocationError`` for a bad object, ``CommandExecutionError`` for a cluster that
    cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.stage group mine VoiceServices '{members: [ip_shared, fs]}'
    """
    missing = _unstaged(transaction, run)
    missing.append(str(id))
    try:
        held = _transaction(transaction, run, test)
        item = None if absent else _object(kind, id, spec or {})
        found = held.stage_absent(id) if item is None else held.stage(kind, item)
    except ERRORS as error:
        raise CommandExecutionError(str(error)) from error
    missing[:] = [name for name in missing if name != str(id)]
    return secrets.masked(found)


def plan(transaction, run="", complete=False, unmanaged="report", guard=None, override=False):
    """Return what committing a transaction would do, and whether the guard lets it; nothing
    is written.

    transaction, run
        As given to :func:`stage`.
    complete
        Whether the transaction holds all that fsha manages.
    unmanaged
        ``report``, ``purge`` or ``ignore``: what to do with other people's objects.
    guard
        What may be interrupted, as in the pillar's ``fsha:guard``, which is the default.
    override
        Allow whatever it costs.

    Returns ``changes`` (object → path → old and new), ``drifted``, ``unmanaged``,
    ``transition`` (what the cluster would do), ``interrupted`` (voice resource → nodes),
    ``guard`` (``allowed``, ``reason``, ``cost``, ``allow``, ``calls``), ``actions`` (what
    operators have set and what is left alone, as lines), ``empty`` and ``comment``. Raises
    ``CommandExecutionError``.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.plan mine
    """  # noqa: D205
    try:
        wanted = _wanted(transaction, run, True, complete, unmanaged == "purge")
        found = _plan(_live(True), wanted, _guard(guard, override))
    except ERRORS as error:
        raise CommandExecutionError(str(error)) from error
    return _report(found, unmanaged, wanted.objects)


def _plan(live: str, wanted: Any, guard: Any) -> Any:
    make = change_plan.wanting(wanted, _defaults)
    try:
        return change_plan.make_plan(live, make, guard)
    except programs.ToolMissing:
        return change_plan.make_first_plan(live, make)


def plan_objects(objects, unmanaged="report", guard=None, override=False):
    """Return what it would take to bring the cluster to a whole set of objects.

    objects
        ``cib.objects.Object`` of all that the formula is to manage; for ``fsha.plan``, which
        makes them from a pillar.
    unmanaged, guard, override
        As for :func:`plan`.

    Returns what :func:`plan` returns. Raises ``CommandExecutionError``.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.plan
    """
    wanted = target.DesiredObjects(tuple(objects), complete=True, purge=unmanaged == "purge")
    try:
        found = _plan(_live(True), wanted, _guard(guard, override))
    except ERRORS as error:
        raise CommandExecutionError(str(error)) from error
    return _report(found, unmanaged, wanted.objects)


def commit(
    transaction,
    run="",
    complete=False,
    unmanaged="report",
    settle_timeout=120,
    guard=None,
    override=False,
    restore_points=20,
):
    """Write a transaction to the CIB as one versioned patch and wait until it has settled.

    transaction, run, complete, unmanaged, guard, override
        As for :func:`plan`.
    settle_timeout
        Seconds to wait for the end of the cluster's transition.
    restore_points
        So many restore points are kept, see :func:`history`.

    Returns what :func:`plan` returns, and ``committed``, ``refused``, ``settled``,
    ``attempts``, ``problems``, ``version`` and ``restore_point``. A change that the guard
    refuses is not written. Raises ``CommandExecutionError``; the CIB is then as it was.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.commit mine
    """
    try:
        wanted = _wanted(transaction, run, False, complete, unmanaged == "purge")
        committer = _committer(guard, override, restore_points, settle_timeout)
        make = change_plan.wanting(wanted, _defaults)
        found = _committed(committer, make, transaction, wanted.objects)
    except ERRORS as error:
        raise CommandExecutionError(str(error)) from error
    __context__.get(_TRANSACTIONS, {}).pop((transaction, run), None)
    return {**found, "unmanaged": [] if unmanaged == "ignore" else found["unmanaged"]}


def _committer(guard: Any, override: bool, keep: int, settle: float, kind: str = "commit") -> Any:
    return change_commit.Committer(_guard(guard, override), _points(keep, kind), settle)


def _committed(committer: Any, make: Any, what: str, objects: Any = ()) -> dict[str, Any]:
    """Commit, and return what came of it; a refusal is an answer, no error."""
    refused = False
    try:
        done = committer.commit(make, what)
    except change_commit.CommitRefused as error:
        refused = True
        done = change_commit.CommitOutcome(error.plan, committed=False, attempts=1)
    return {
        **_report(done.plan, "report", objects),
        "committed": done.committed,
        "refused": refused,
        "settled": done.settled,
        "attempts": done.attempts,
        "problems": list(done.problems),
        "version": done.version,
        "restore_point": done.point,
    }


def _report(found: Any, unmanaged: str, objects: Any = ()) -> dict[str, Any]:
    data = change_plan.as_data(found)
    if unmanaged == "ignore":
        data["unmanaged"] = []
    live = found.target.live
    known = operator_settings.actions(live, None, operator_settings.spoken_by(objects))
    # What goes is not left alone.
    done = [action for action in known if action.subject not in found.target.removed]
    now = datetime.now(timezone.utc)
    return {
        **data,
        "actions": settings_text.as_lines(done, settings_text.last_change(live), now),
        "overdue": settings_text.overdue(done, now),
        "empty": found.empty,
        "comment": change_plan.summary(found),
    }


def history():
    """List this node's restore points: the CIB as it was before each of its commits.

    Returns a list, the newest first, of ``number``, ``when`` (UTC), ``node``, ``author``
    (minion), ``transaction``, ``kind`` (``commit`` or ``restore``), ``version`` (before),
    ``committed`` (after) and ``summary`` (what the commit changed).

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.history
    """
    try:
        points = change_restore_points.points(_directory())
    except change_restore_points.HistoryError as error:
        raise CommandExecutionError(str(error)) from error
    return [
        {
            "number": point.number,
            **dataclasses.asdict(point.note),
            "summary": list(point.note.summary),
        }
        for point in points
    ]


def restore(number, override=False, settle_timeout=120, restore_points=20, test=None):
    """Go back to the configuration before a commit, through the same plan and guard.

    number
        The restore point's, from :func:`history`.
    override
        Allow whatever it costs.
    settle_timeout, restore_points
        As for :func:`commit`.
    test
        Only look: nothing is written. Without it, as the minion is configured.

    What operators do on purpose (standby, maintenance, target-role, bans) stays as it is now.
    Returns what :func:`commit` returns.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.restore 42 test=True
        salt fs1 pacemaker.restore 42
    """
    try:
        cib, _point = change_restore_points.read(_directory(), _number(number))
        make = change_plan.restoring(cib_document.parse(cib))
        if __opts__.get("test") if test is None else test:
            plan = change_plan.make_plan(_live(False), make, _guard(None, override))
            return {**_report(plan, "report"), "committed": False, "refused": False}
        committer = _committer(None, override, restore_points, settle_timeout, "restore")
        found = _committed(committer, make, f"restore of {_number(number)}")
    except ERRORS as error:
        raise CommandExecutionError(str(error)) from error
    return found


def _number(given: Any) -> int:
    if isinstance(given, bool) or not str(given).isdecimal():
        message = f"number: that of a restore point (pacemaker.history) is expected, not {given!r}."
        raise SaltInvocationError(message)
    return int(given)


def _name(given: Any, expected: str) -> str:
    if not isinstance(given, str) or not given.isprintable() or not given:
        raise SaltInvocationError(f"{expected} is expected, not {given!r}.")
    return given


def is_reporter():
    """Tell whether this node is the one that reports what all nodes see: the DC.

    CLI Example:

    .. code-block:: bash

        salt '*' pacemaker.is_reporter
    """
    if tools.on_file():
        return True
    dc = _status().dc
    try:
        return dc == tools.local_node()
    except programs.RunError as error:
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
        text = tools.metadata(_name(name, "name: an agent such as ocf:heartbeat:IPaddr2"))
        return None if text is None else dataclasses.asdict(agent_metadata.parse_metadata(text))
    except (programs.RunError, agent_metadata.MetadataError) as error:
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
        return list(tools.agents(_name(space, "space: a standard such as ocf:heartbeat")))
    except programs.RunError as error:
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
