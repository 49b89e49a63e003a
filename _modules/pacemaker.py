"""Read, plan and change the configuration of a Pacemaker cluster.

The states ``pacemaker_*`` are thin over these verbs. All changes of a run reach the CIB as
one patch against the exact version that was read; see ``docs/design.md``.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib import errors
from fshalib.schema import arguments

try:
    from fshalib.change import admission as change_admission
    from fshalib.change import commit as change_commit
    from fshalib.change import guarding, objections
    from fshalib.change import plan as change_plan
    from fshalib.change import restore_points as change_restore_points
    from fshalib.change import transaction as change_transaction
    from fshalib.cib import document, secrets
    from fshalib.pacemaker import agent_metadata, tools
    from fshalib.pacemaker import status as pacemaker_status
    from fshalib.pillar import once
    from fshalib.report import change as report_change
    from fshalib.schema.report import ConfigErrors

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "pacemaker"

# Restore points: every CIB as it was before a commit of this node.
RESTORE_DIRECTORY = "/var/lib/fsha/restore"
_TRANSACTIONS = "fsha.pacemaker.transactions"
_salts_errors = arguments.verb(CommandExecutionError, SaltInvocationError)


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"pacemaker: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


def _transactions() -> Any:
    """Return the transactions of this process."""
    if _TRANSACTIONS not in __context__:
        __context__[_TRANSACTIONS] = change_transaction.Transactions()
    return __context__[_TRANSACTIONS]


def _guard(guard: dict[str, Any] | None, override: bool, way: Any = None) -> Any:
    """Return what the operator allows, as given, else as the pillar says, and how it is made."""
    found = guarding.guard(guard, dict(__pillar__), override=override)
    return found if way is None else dataclasses.replace(found, way=way)


def _way(transaction: str, run: str) -> Any:
    """Return how a transaction is committed: the states' by a run, any other one by hand."""
    return None if run else guarding.way(transaction)


def _points(keep: int, kind: str) -> Any:
    if tools.on_file() and "fsha.restore_directory" not in __opts__:
        return None
    node = "" if tools.on_file() else tools.local_node()
    return change_commit.Points(_directory(), keep, node, __opts__["id"], kind)


def _directory() -> Path:
    return Path(__opts__.get("fsha.restore_directory", RESTORE_DIRECTORY))


@_salts_errors
def cib():
    """Return the text of the live CIB, with its status section.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.cib
    """
    return tools.query()


@_salts_errors
def status():
    """Return the cluster's state as data: nodes, DC, quorum, resources, failures.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.status
    """
    return dataclasses.asdict(_status())


def _status() -> Any:
    return pacemaker_status.parse_status(tools.status())


@_salts_errors
@arguments.typed(
    transaction=arguments.NAME,
    run=arguments.TEXT,
    test=arguments.FLAG,
    absent=arguments.FLAG,
)
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
    spec
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
    changes = _transactions().stage(
        transaction, run, kind, id, spec or {}, absent=absent, test=test
    )
    return secrets.masked(changes)


@_salts_errors
@arguments.typed(
    transaction=arguments.NAME,
    run=arguments.TEXT,
    complete=arguments.FLAG,
    override=arguments.FLAG,
    guard=arguments.MAPPING | arguments.NONE,
)
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
    known = _transactions()
    wanted = known.desired(
        transaction, run, complete=complete, purge=unmanaged == "purge", test=True
    )
    planned = change_plan.of_live(
        change_transaction.live(True),
        wanted,
        known.defaults,
        _guard(guard, override, _way(transaction, run)),
    )
    return report_change.as_data(planned, unmanaged, wanted.objects)


@_salts_errors
@arguments.typed(pillar=arguments.NAME, patience=arguments.SECONDS, test=arguments.FLAG)
def verdict(pillar="fsha", patience=30, test=None):
    """Return whether a whole run may begin; nothing is written to the configuration.

    The guard judges the change of the cluster. A configuration of FreeSWITCH that could not be
    written, or would not be sound, refuses the run as well.

    pillar
        The pillar's top-level key.
    patience
        Seconds to wait for the verdicts of the other nodes that carry calls.
    test
        Ask nobody else; without it, as the minion is configured.

    Returns ``cluster`` (whether there is one on this host), ``kind`` (``allowed``, ``refused`` or
    ``elsewhere``), ``refused`` and ``by`` (the other node whose verdict it is); where there is a
    cluster also what :func:`plan` returns, and ``policy`` (``fsha:cluster:unmanaged``). Raises
    ``CommandExecutionError``.

    CLI Example:

    .. code-block:: bash

        salt '*' pacemaker.verdict test=True
    """
    try:
        config = once.checked(__pillar__.get(pillar))
    except ConfigErrors as error:
        raise errors.ArgumentError(str(error)) from error
    testing = __opts__.get("test") if test is None else test
    wanted = change_admission.desired(config)
    # The agents may be others later in the run, so nothing of them is remembered.
    make = change_plan.wanting(wanted, change_transaction.Transactions().defaults)
    against = objections.switch_configuration(config.freeswitch)
    door = change_admission.Door(guarding.of_config(config, dict(__pillar__)), float(patience))
    found = door.admit(make, test=bool(testing), objections=against)
    kind = found.kind
    answer = {"cluster": found.plan is not None, "kind": kind, "by": found.by}
    answer["refused"] = kind == "refused" or (kind == "elsewhere" and not testing)
    if found.plan is None:
        return answer
    policy = config.cluster.unmanaged
    return {**report_change.as_data(found.plan, policy, wanted.objects), **answer, "policy": policy}


@_salts_errors
@arguments.typed(
    transaction=arguments.NAME,
    run=arguments.TEXT,
    complete=arguments.FLAG,
    override=arguments.FLAG,
    settle_timeout=arguments.SECONDS,
    restore_points=arguments.COUNT,
    guard=arguments.MAPPING | arguments.NONE,
)
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

    Returns what :func:`plan` returns, and ``committed``, ``refused``, ``by`` (another node whose
    refusal that is), ``settled``, ``attempts``, ``problems``, ``version`` and ``restore_point``. A
    change that the guard refuses is not written and stays staged. Raises
    ``CommandExecutionError``; the CIB is then as it was.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.commit mine
    """
    known = _transactions()
    wanted = known.desired(
        transaction, run, complete=complete, purge=unmanaged == "purge", test=False
    )
    points = _points(restore_points, "commit")
    allowed = _guard(guard, override, _way(transaction, run))
    committer = change_commit.Committer(allowed, points, settle_timeout)
    make = change_plan.wanting(wanted, known.defaults)
    done = report_change.commit(committer, make, transaction, wanted.objects)
    if not done["refused"]:
        known.close(transaction, run)
    return {**done, "unmanaged": [] if unmanaged == "ignore" else done["unmanaged"]}


@_salts_errors
def history():
    """List this node's restore points: the CIB as it was before each of its commits.

    Each node counts its own.

    Returns a list, the newest first, of ``number``, ``when`` (UTC), ``node``, ``author``
    (minion), ``transaction``, ``kind`` (``commit`` or ``restore``), ``version`` (before),
    ``committed`` (after) and ``summary`` (what the commit changed).

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.history
    """
    return [
        {
            "number": point.number,
            **dataclasses.asdict(point.note),
            "summary": list(point.note.summary),
        }
        for point in change_restore_points.points(_directory())
    ]


@_salts_errors
@arguments.typed(
    override=arguments.FLAG,
    settle_timeout=arguments.SECONDS,
    restore_points=arguments.COUNT,
    test=arguments.FLAG,
)
def restore(number, override=False, settle_timeout=120, restore_points=20, test=None):
    """Go back to the configuration before a commit, through the same plan and guard.

    number
        The restore point's, from :func:`history` of this node: each node counts its own.
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
    cib, _point = change_restore_points.read(_directory(), _number(number))
    make = change_plan.restoring(document.parse(cib))
    guard = _guard(None, override, change_restore_points.way(_number(number)))
    if __opts__.get("test") if test is None else test:
        plan = change_plan.make_plan(tools.query(), make, guard)
        return {**report_change.as_data(plan), "committed": False, "refused": False}
    committer = change_commit.Committer(guard, _points(restore_points, "restore"), settle_timeout)
    return report_change.commit(committer, make, f"restore of {_number(number)}")


def _number(given: Any) -> int:
    if isinstance(given, bool) or not str(given).isdecimal():
        message = f"number: that of a restore point (pacemaker.history) is expected, not {given!r}."
        raise errors.ArgumentError(message)
    return int(given)


def _name(given: Any, expected: str) -> str:
    if not isinstance(given, str) or not given.isprintable() or not given:
        raise errors.ArgumentError(f"{expected} is expected, not {given!r}.")
    return given


@_salts_errors
def is_reporter():
    """Tell whether this node is the one that reports what all nodes see: the DC.

    CLI Example:

    .. code-block:: bash

        salt '*' pacemaker.is_reporter
    """
    if tools.on_file():
        return True
    return _status().dc == tools.local_node()


@_salts_errors
def operational():
    """Tell whether the cluster can be changed although some of its nodes may be away.

    It can with a DC, a quorum, and any resource: without one this is the first run, in which a
    node can't know what the other one brings along. Pacemaker itself lists nodes it has never met.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.operational
    """
    try:
        seen = _status()
    except errors.LiveError:
        return False
    return bool(seen.dc) and seen.quorate and bool(seen.resources)


@_salts_errors
def agent(name):
    """Return an agent's parameters from its own metadata; ``None`` if it is not installed.

    name
        The agent, ``ocf:heartbeat:IPaddr2``.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.agent ocf:heartbeat:IPaddr2
    """
    found = agent_metadata.ask(_name(name, "name: an agent such as ocf:heartbeat:IPaddr2"))
    return None if found is None else dataclasses.asdict(found)


@_salts_errors
def agents(space):
    """Return the names of the resource agents that are installed.

    space
        Where to look: a standard with its provider, ``ocf:heartbeat``, or alone, ``lsb``.

    CLI Example:

    .. code-block:: bash

        salt fs1 pacemaker.agents ocf:heartbeat
    """
    return list(tools.agents(_name(space, "space: a standard such as ocf:heartbeat")))


@_salts_errors
@arguments.typed(name=arguments.NAME)
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
