"""Operate the voice pair: see how it is, switch over, come back.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import getpass
import importlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import salt.utils.yaml
from salt.exceptions import CommandExecutionError, SaltClientError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib import errors
from fshalib.schema import arguments

try:
    from fshalib.checks import checklist, node_facts, pair
    from fshalib.checks.minion import Minion
    from fshalib.cib import document
    from fshalib.events import journal
    from fshalib.lint import finding, judged, runner
    from fshalib.pacemaker import tools
    from fshalib.pillar import config, source
    from fshalib.pillar import export as pillar_export
    from fshalib.report import answers, overview, page
    from fshalib.report import change as report_change
    from fshalib.report import foreign as report_foreign
    from fshalib.report import progress as report_progress
    from fshalib.report import text as report_text
    from fshalib.schema import report as schema_report
    from fshalib.schema.report import ConfigErrors
    from fshalib.switchover import drain as switchover_drain
    from fshalib.switchover import drill as switchover_drill
    from fshalib.switchover import operate, settings
    from fshalib.switchover.cluster import LiveCluster
    from fshalib.switchover.context import Context
    from fshalib.system import files, tcp

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha"

PEER_SECONDS = 5
EXIT_CODES = {"pass": 0, "warn": 1, "fail": 2}
_salts_errors = arguments.verb(CommandExecutionError, SaltInvocationError)


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"fsha: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


# --- what the library is given -----------------------------------------------------------------


def _minion() -> Any:
    """Return this minion, as the library takes it."""

    def fire(tag: str, event: Any) -> Any:
        return __salt__["event.send"](tag, event)

    return Minion(__opts__, dict(__pillar__), fire, _ring, _state_run, _ask_facts)


def _ring() -> dict[str, Any]:
    try:
        return __salt__["corosync.status"]()
    except (CommandExecutionError, KeyError) as error:
        return {"running": False, "reason": str(error)}


def _state_run() -> str:
    """Return a state run that goes on here, ``""`` for none."""
    running = __salt__["saltutil.is_running"]("state.*")
    return str(running[0].get("fun", "")) if running else ""


def _ask_facts(name: str) -> Any:
    """Ask another minion for its facts through the master; ``None`` if it can't be asked."""
    if __opts__.get("file_client") == "local" or "publish.publish" not in __salt__:
        return None
    # Salt would wait for minutes for a master that can't be reached.
    if not tcp.may_answer(str(__opts__.get("master_uri") or "")):
        log.info("%s can't be asked: the master does not answer", name)
        return None
    try:
        answers = __salt__["publish.publish"](name, "fsha.facts", timeout=PEER_SECONDS)
    except (CommandExecutionError, SaltClientError) as error:
        log.info("%s can't be asked through the master: %s", name, error)
        return None
    return node_facts.believed(answers.get(name) if isinstance(answers, dict) else None)


def _context(by: Any, test: Any, kwargs: dict[str, Any]) -> Any:
    """Return what a verb of an operator works with; refuse arguments that it has not."""
    unknown = [name for name in kwargs if not name.startswith("__")]
    if unknown:
        raise errors.ArgumentError(f"there is no argument {' or '.join(sorted(unknown))}")
    given = by or kwargs.get("__pub_user") or os.environ.get("SUDO_USER") or getpass.getuser()
    minion, cluster = _minion(), LiveCluster()
    stream = sys.stderr if "salt-call" in str(__opts__.get("__cli", "")) else None
    return Context(
        by=schema_report.printable(str(given))[:64],
        test=bool(__opts__.get("test") if test is None else test),
        cluster=cluster,
        freeswitch=minion.freeswitch,
        check=lambda: checklist.Checklist(pair.check(minion, cluster)),
        send=minion.send,
        progress=lambda verb: report_progress.Progress(stream, f"fsha.{verb}"),
    )


def _fsha(pillar: Any) -> Any:
    """Return the mapping below ``fsha`` of a pillar, which may be a file."""
    if pillar is None:
        return source.of_minion(__pillar__)
    return source.fsha(pillar, salt.utils.yaml.safe_load)


def _host() -> Any:
    """Return what an export asks of this host."""
    return pillar_export.Host(
        networks=lambda: [
            *filter(None, __salt__["network.subnets"]()),
            *filter(None, __salt__["network.subnets6"]()),
        ],
        resolved=lambda conf: __salt__["corosync.known"](conf)["hosts"],
    )


def _corosync(path: Any, root: Any) -> Any:
    """Return what a corosync.conf says, as a pillar, and notes about it."""
    if path is None and tools.on_file():
        return {}, ["nodes and corosync: not read, since a file stands in for the cluster"]
    return pillar_export.corosync(path, root, _host())


def _wants_page(as_data: Any) -> bool:
    """Tell whether an answer goes to a person: at a terminal, unless a format is asked for."""
    if as_data is not None:
        return not as_data
    return "salt-call" in str(__opts__.get("__cli", "")) and not __opts__.get("output")


def _answer(answer: dict[str, Any], as_data: Any, shown: Any) -> Any:
    """Return an answer as data or as a page, with the same exit code."""
    if not _wants_page(as_data):
        return answer
    if not answer["result"]:
        __context__["retcode"] = 1
    return shown(answer)


# --- looking -----------------------------------------------------------------------------------


@_salts_errors
@arguments.typed(as_data=arguments.FLAG)
def status(as_data=False):
    """Show how the pair is: nodes, rings, resources, who holds the VIP, profiles, leftovers.

    as_data
        Return the same as data instead of one page of text: ``cluster``, ``node`` (this one's
        name in it), ``last_drill`` (when, UTC), ``nodes``, ``dc``, ``quorate``,
        ``rings``, ``service`` (``id``, ``node``, ``vips``; ``several`` when it is not clear
        which one is meant), ``resources``, ``profiles`` (of
        this node's switch), ``fail_counts``, ``failures``, ``actions`` (what operators have
        set: standby, bans, holds …, with the command that lifts each), ``leftovers`` (the same
        as lines), ``operations`` (switchovers that go on, or were interrupted), ``notes``,
        ``dangers`` (``kind``: split, lost, serves, left, twice, second, silent, missing or cut
        off; ``node``, ``text``, ``advice``): two holders, or an address that nobody can reach.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.status
        salt-call --out=json fsha.status as_data=True
    """
    data = overview.overview(_minion(), LiveCluster(), pair.now())
    return data if as_data else report_text.screen(data)


@_salts_errors
@arguments.typed(
    pillar=arguments.PATH | arguments.MAPPING | arguments.NONE,
    override=arguments.FLAG,
)
def plan(pillar=None, override=False):
    """Compare a pillar with the cluster, without a state run; nothing is changed.

    pillar
        The path of a pillar file (YAML), or its mapping; without it this minion's pillar. One
        without ``nodes`` is looked at for its section ``pacemaker`` alone.
    override
        Show the verdict with the guard overridden.

    Returns ``result`` (whether a run would get through), ``comment``, ``changes`` (object →
    path → old and new), ``transition`` (what the cluster would do), ``interrupted`` (voice
    resource → nodes), ``guard`` (the verdict), ``unmanaged`` (other people's objects) and
    ``actions`` (what operators have set). Works on a file in place of a cluster, too.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.plan
        salt-call fsha.plan pillar=/root/new.sls
        CIB_file=cib.xml salt-call --local --module-dirs=. fsha.plan pillar=new.sls
    """
    try:
        wanted = _fsha(pillar)
        objects = source.objects(wanted)
    except ConfigErrors as error:
        return report_change.preview(None, error)
    return report_change.plan(wanted, objects, dict(__pillar__), override=override)


@_salts_errors
@arguments.typed(
    pillar=arguments.PATH | arguments.MAPPING | arguments.NONE,
    as_data=arguments.FLAG,
    cib=arguments.PATH | arguments.NONE,
    corosync_conf=arguments.PATH | arguments.NONE,
)
def lint(pillar=None, as_data=False, cib=None, corosync_conf=None):
    """Tell from the configuration alone whether the pair will really fail over, and why not.

    pillar
        The path of a pillar file (YAML), or its mapping; without it this minion's pillar.
    as_data
        Return a list of ``severity`` (error, warning, hint), ``path``, ``message``, ``reason``,
        ``source``, ``mend``, ``code``, ``change`` (what to merge into the pillar) and ``remove``
        (keys to take out of it) instead of a page of text.
    cib
        Judge a cluster in place of a pillar, whoever built it: the path of its CIB (XML), or
        ``live`` for the one that runs here. Paths are the keys that :func:`export` would give.
    corosync_conf
        Its corosync.conf; without it the host's for ``live``, else none. One that can't be read is
        an error.

    What somebody has set by hand (standby, bans, target-role) comes with the command that lifts
    it. With ``salt-call --retcode-passthrough`` the exit code is 2 when there is an error, else 1.
    Nothing is asked of a cluster, except its CIB. Where ``crm_simulate`` is installed it has the
    last word: it lets the node that serves fail, in two runs as a rule.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.lint
        salt-call --local --module-dirs=. fsha.lint pillar=/root/new.sls
        salt-call fsha.lint cib=live
    """
    if pillar is not None and cib is not None:
        raise errors.ArgumentError("pillar and cib: one of them, not both")
    if cib is None and corosync_conf is not None:
        raise errors.ArgumentError("corosync_conf: only together with cib; a pillar has its own")
    try:
        if cib is None:
            known = config.check(_fsha(pillar))
            told = judged.judged(judged.built(known), known, runner.lint(known))
        else:
            told = report_foreign.lint(cib, corosync_conf, _host())
    except ConfigErrors as error:
        __context__["retcode"] = EXIT_CODES["fail"]
        what = "pillar" if cib is None else "corosync.conf"
        raise CommandExecutionError(f"The {what} has mistakes: {error}") from error
    bad = any(advice.severity == finding.ERROR for advice in told.advices)
    __context__["retcode"] = EXIT_CODES["fail" if bad else "pass"]
    if as_data:
        return runner.as_data(told.advices)
    page = runner.page if cib is None else report_foreign.page
    return page(told.advices, told.note)


@_salts_errors
@arguments.typed(file=arguments.PATH)
def report(file):
    """Write one HTML page that shows the pair: drawn, checked, and what has happened to it.

    file
        Where to; readable by root only, for it tells much. It needs no network to be looked at.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.report /root/pair.html
    """
    return page.write(file, _minion(), LiveCluster())


@_salts_errors
@arguments.typed(
    file=arguments.PATH | arguments.NONE,
    corosync_conf=arguments.PATH | arguments.NONE,
    as_data=arguments.FLAG,
)
def export(file=None, corosync_conf=None, as_data=False):
    """Turn a running cluster, whoever built it, into a pillar that changes nothing of it.

    file
        Where to write the pillar, readable by root only; without it, it is returned as text,
        with secrets (fencing passwords) left out.
    corosync_conf
        The corosync.conf to read; without it the host's, or none when a file stands in for
        the cluster.
    as_data
        Return ``pillar`` and ``notes`` as data instead of text.

    Whatever the pillar can't express is named, in comments at its head. Check it with
    ``fsha.plan pillar=FILE``: nothing is to change.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.export file=/root/fsha.sls
        CIB_file=cib.xml salt-call --local --module-dirs=. fsha.export
    """
    root = document.parse(tools.query())
    bind = None if tools.on_file() else node_facts.nonlocal_bind()
    pillar, notes = pillar_export.pillar(root, _corosync(corosync_conf, root), bind)
    if file is None:
        pillar, notes = pillar_export.without_secrets(pillar, notes)
        return {"pillar": {"fsha": pillar}, "notes": notes} if as_data else _text(pillar, notes)
    try:
        files.replace(Path(file), _text(pillar, notes).encode("utf-8"), 0o600)
    except OSError as error:
        raise CommandExecutionError(f"{file} is not written: {error.strerror}.") from error
    return {"result": True, "comment": f"Written to {file}.", "notes": notes}


def _text(pillar: dict[str, Any], notes: list[str]) -> str:
    head = "".join(f"# {' '.join(note.splitlines())}\n" for note in notes)
    body = salt.utils.yaml.safe_dump({"fsha": pillar}, default_flow_style=False, sort_keys=False)
    return head + body


@_salts_errors
@arguments.typed(as_data=arguments.FLAG)
def check(as_data=False):
    """Check whether the pair is ready to switch over, as a list with the evidence for each line.

    as_data
        Return ``verdict`` (pass, warn, fail), ``summary`` (one line), ``at``, ``node`` and
        ``lines`` (``name``, ``title``, ``verdict``, ``evidence``, ``advice``, ``node``,
        ``blocks``) as data instead of a page of text.

    With ``salt-call --retcode-passthrough`` the exit code is 0 when all is well, 1 for a warning
    and 2 for a failure, as monitoring wants it; without it 0 or 1. It can be run on any node. What
    only the other node knows (its switch, its files) comes from there through the master where that
    lets minions ask each other (``peer`` in its configuration), else from what that node has noted
    in the cluster at its last check.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.check
        salt-call --retcode-passthrough --out=json fsha.check as_data=True
    """
    minion, cluster = _minion(), LiveCluster()
    lines = pair.check_or_say(minion, cluster)
    __context__["retcode"] = EXIT_CODES[checklist.verdict(lines)]
    if as_data:
        me = pair.node_name(minion, cluster)
        return checklist.report(lines, me, pair.now().strftime(node_facts.FORM))
    return f"{checklist.summary(lines)}\n{checklist.as_text(lines)}"


@_salts_errors
def facts():
    """Return what this node knows of itself, and note it in the cluster for the other one.

    CLI Example:

    .. code-block:: bash

        salt '*' fsha.facts
    """
    return pair.facts(_minion(), LiveCluster())


@_salts_errors
@arguments.typed(as_data=arguments.FLAG)
def notice(as_data=None):
    """Look whether the service has moved by itself since this node last looked.

    A failover that nobody ordered is kept in this node's :func:`history`, with why and for how
    long, and told on Salt's event bus by the node that serves. Each run of the formula and each
    :func:`check` looks too; in the schedule it is noticed as soon as you like. A pair that has
    split, and a node's own maintenance where it serves, are told by an event as well, once.

    as_data
        See :func:`history`.

    Returns what was noticed (``old``, ``new``, ``gap`` in seconds, to the second, from the failure
    as the cluster noticed it, ``why``, ``calls``), ``None`` when there is nothing new.

    CLI Example:

    .. code-block:: bash

        salt 'fs*' fsha.notice
        salt 'fs*' schedule.add notice function=fsha.notice seconds=30
    """
    cluster = LiveCluster()
    move = None if cluster.on_file else pair.look(_minion(), cluster)
    return answers.notice(move) if _wants_page(as_data) else move


@_salts_errors
@arguments.typed(as_data=arguments.FLAG)
def history(limit=20, kind=None, as_data=None):
    """Show what happened to the pair as this node has told it, newest first.

    limit
        How many entries.
    kind
        One kind of event only: drift, commit, refused, ring, failover, operator, overdue; or what
        was done: drill, failback, unplanned, standby, online, maintenance, drain, undrain.
    as_data
        ``True`` returns data, ``False`` a page of text. Without it a person at ``salt-call`` gets
        the page; whoever asks for a format (``--out``), and everybody else, gets data.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.history 5 kind=drill
    """
    entries = journal.newest(journal.place(__opts__), limit, kind)
    return answers.history(entries) if _wants_page(as_data) else entries


# --- switchover --------------------------------------------------------------------------------


@_salts_errors
@arguments.typed(
    force=arguments.FLAG,
    by=arguments.NAME | arguments.NONE,
    test=arguments.FLAG,
    as_data=arguments.FLAG,
)
def failover(
    target=None,
    resource=None,
    timeout=60,
    sip_port=5060,
    drain=0,
    force=False,
    by=None,
    test=None,
    as_data=None,
    **kwargs,
):
    """Switch the voice service over to the other node, and see that it serves there.

    target
        The node to switch to; in a pair it need not be named.
    resource
        The resource to move, where it is not clear which one carries voice.
    timeout
        Seconds that the other node has to take over, beside those that a stop waits for calls
        to end (``stop_mode=drain``).
    sip_port
        The port on the floating address that has to answer SIP OPTIONS afterwards; 0 for
        none.
    drain
        Seconds in which new calls are refused and the others may end, before anything moves; on
        the node that serves. 0 moves at once.
    force
        Go on in spite of the checklist (:func:`check`); not of what the cluster could not do.
    by
        Who does it, for others to see; without it, who is logged in or gave the order to Salt.
    test
        Only show the plan; without it, as the minion is set.
    as_data
        Whether to return data or a page of text, see :func:`history`.

    The node that is left is banned until the service runs on the other one. The ban is
    lifted when the service then stays; where the configuration would bounce it back, it is
    kept as a *hold*, which :func:`failback` lifts. A switchover that was interrupted is finished
    by giving the order once more, and undone by :func:`failback`, which also brings back a service
    that it has left nowhere.

    Returns ``result``, ``comment``, ``old``, ``new``, ``seconds`` (until the cluster had it
    started), ``gap`` (seconds in which no new call was taken, seen from this node), ``hold``,
    ``calls`` (``before``, ``expected`` to be recoverable, ``kept``, in legs), ``phases``, of a
    failure ``why``, and with ``test`` a ``plan`` (none when the order itself is refused):
    ``checks`` (the lines of :func:`check` that did not pass), ``transition``, ``calls``, ``drain``.
    A plan that would be refused has the ``result`` False, any other one True: Salt takes ``None``
    for a failure.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.failover test=True
        salt-call fsha.failover
        salt-call fsha.failover ubuntu-v20z drain=300
    """
    given = operate.Given(resource, timeout, sip_port, drain)
    answer = operate.failover(_context(by, test, kwargs), given, target, force)
    return _answer(answer, as_data, answers.switchover)


@_salts_errors
@arguments.typed(
    force=arguments.FLAG,
    by=arguments.NAME | arguments.NONE,
    test=arguments.FLAG,
    as_data=arguments.FLAG,
)
def failback(
    resource=None,
    timeout=60,
    sip_port=5060,
    drain=0,
    force=False,
    by=None,
    test=None,
    as_data=None,
    **kwargs,
):
    """Undo the last switchover that was ordered: lift the hold, or move the service back.

    resource, timeout, sip_port, drain, force, by, test, as_data
        As for :func:`failover`.

    One that was interrupted while the service still is where it was is just forgotten: its bans
    are lifted and its drain is ended, and nothing moves.

    Returns what :func:`failover` returns.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.failback
    """
    given = operate.Given(resource, timeout, sip_port, drain)
    answer = operate.failback(_context(by, test, kwargs), given, force)
    return _answer(answer, as_data, answers.switchover)


@_salts_errors
@arguments.typed(by=arguments.NAME | arguments.NONE, test=arguments.FLAG, as_data=arguments.FLAG)
def drill(
    max_calls=0,
    timeout=60,
    sip_port=5060,
    resource=None,
    by=None,
    test=None,
    as_data=None,
    **kwargs,
):
    """Prove that the pair does what it is for: switch over and back again.

    max_calls
        With more call legs than these it is skipped.
    timeout, sip_port, resource, by, test, as_data
        As for :func:`failover`.

    It is run by the node that serves, and skipped on the other one, so that it can stand in the
    schedule of both. It is skipped, with an event, when a check fails or there are too many calls.
    What each way has cost is kept, see :func:`history`.

    Returns ``result``, ``comment``, ``skipped``, and ``there`` and ``back``: what
    :func:`failover` returns, for each way.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.drill
        salt '*' schedule.add drill function=fsha.drill cron='0 4 1 * *'
    """
    given = operate.Given(resource, timeout, sip_port)
    answer = switchover_drill.drill(_context(by, test, kwargs), given, max_calls)
    return _answer(answer, as_data, answers.drill)


# --- what operators set ------------------------------------------------------------------------


@_salts_errors
@arguments.typed(by=arguments.NAME | arguments.NONE, test=arguments.FLAG)
def drain(seconds=0, by=None, test=None, **kwargs):
    """Let this node's switch refuse new calls; those that are up go on.

    seconds
        How long to wait for them to end.
    by, test
        See :func:`failover`.

    Only the switch is told, the service stays where it is. :func:`undrain` takes calls again, and
    so does the next start of the service here.

    Returns ``result`` (whether no call is left, when that was waited for), ``comment``, ``legs``.

    CLI Example:

    .. code-block:: bash

        salt fs1 fsha.drain 600
    """
    return switchover_drain.drain(_context(by, test, kwargs), seconds)


@_salts_errors
@arguments.typed(by=arguments.NAME | arguments.NONE, test=arguments.FLAG)
def undrain(by=None, test=None, **kwargs):
    """Let this node's switch take new calls again.

    by, test
        See :func:`failover`.

    CLI Example:

    .. code-block:: bash

        salt fs1 fsha.undrain
    """
    return switchover_drain.undrain(_context(by, test, kwargs))


@_salts_errors
@arguments.typed(force=arguments.FLAG, by=arguments.NAME | arguments.NONE, test=arguments.FLAG)
def standby(node=None, reason=None, ttl=None, force=False, by=None, test=None, **kwargs):
    """Put a node into standby: the cluster runs nothing there, until :func:`online`.

    node
        The node; without it, this one.
    reason
        Why, for those who come after you. Status, drift reports and events show it.
    ttl
        How long it is meant to last (``2h``); afterwards drift reports call it overdue.
    force
        Also when the service runs there, and has to move; :func:`failover` takes more care.
    by, test
        See :func:`failover`.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.standby ubuntu-v20z reason='new disk' ttl=2h
    """
    return settings.standby(_context(by, test, kwargs), node, reason, ttl, force, pair.now())


@_salts_errors
@arguments.typed(
    node=arguments.NAME | arguments.NONE,
    by=arguments.NAME | arguments.NONE,
    test=arguments.FLAG,
)
def online(node=None, by=None, test=None, **kwargs):
    """End a node's standby, also one that was to last until Pacemaker stops there.

    node
        The node; without it, this one.
    by, test
        See :func:`failover`.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.online ubuntu-v20z
    """
    return settings.online(_context(by, test, kwargs), node, pair.now())


@_salts_errors
@arguments.typed(by=arguments.NAME | arguments.NONE, test=arguments.FLAG)
def maintenance(state, reason=None, ttl=None, by=None, test=None, **kwargs):
    """Switch the cluster's maintenance mode on or off: nothing is watched, nothing is touched.

    state
        ``on`` or ``off``.
    reason, ttl, by, test
        As for :func:`standby`.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.maintenance on reason='new Pacemaker' ttl=90min
        salt-call fsha.maintenance off
    """
    return settings.maintenance(_context(by, test, kwargs), state, reason, ttl, pair.now())
