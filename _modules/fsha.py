"""Operate the voice pair: see how it is, switch over, come back.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import contextlib
import dataclasses
import getpass
import importlib
import logging
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fshalib

    importlib.reload(fshalib)
    from fshalib.change import annotation, commit
    from fshalib.checks import checklist, checks_cluster, collect, node_facts
    from fshalib.checks import line as checks_line
    from fshalib.cib import document, read
    from fshalib.corosync import parser
    from fshalib.events import event as events_event
    from fshalib.events import journal
    from fshalib.freeswitch import client, local, recovery_db
    from fshalib.lint import finding, foreign_cib, runner
    from fshalib.pacemaker import status as pacemaker_status
    from fshalib.pacemaker import tools
    from fshalib.pillar import config, export_cib, export_corosync
    from fshalib.report import html
    from fshalib.report import progress as report_progress
    from fshalib.report import text as report_text
    from fshalib.schema import report as schema_report
    from fshalib.schema.report import ConfigError, ConfigErrors
    from fshalib.switchover import (
        lock,
        operator_action,
        operator_settings,
        settings_text,
        switchover,
        unplanned,
    )
    from fshalib.switchover import request as switchover_request
    from fshalib.switchover import service as switchover_service
    from fshalib.system import files, poll, programs

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

import salt.utils.yaml
from salt.exceptions import CommandExecutionError, SaltClientError, SaltInvocationError

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha"

COROSYNC_CONF = "/etc/corosync/corosync.conf"
DRAIN_LOOK = 1.0
PEER_SECONDS = 5
CHECKED_BY_THE_ORDER = frozenset({"failover", "failures", "leftovers"})
"""Lines of the checklist that a switchover looks at by itself, for its own way."""
EXIT_CODES = {"pass": 0, "warn": 1, "fail": 2}


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"fsha: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


# --- status --------------------------------------------------------------------------------


def status(as_data=False):
    """Show how the pair is: nodes, rings, resources, who holds the VIP, profiles, leftovers.

    as_data
        Return the same as data instead of one page of text: ``cluster``, ``node`` (this one's
        name in it), ``last_drill`` (when, UTC), ``nodes``, ``dc``, ``quorate``,
        ``rings``, ``service`` (``id``, ``node``, ``vips``; ``several`` when it is not clear
        which one is meant), ``resources``, ``profiles`` (of
        this node's switch), ``fail_counts``, ``failures``, ``actions`` (what operators have
        set: standby, bans, holds …, with the command that lifts each), ``leftovers`` (the same
        as lines), ``operations`` (switchovers that go on, or were interrupted), ``notes``.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.status
        salt-call --out=json fsha.status as_data=True
    """
    try:
        data = _status(*_look())
        return data if as_data else report_text.screen(data)
    except (programs.RunError, document.CibError) as error:
        raise CommandExecutionError(str(error)) from error


def _look() -> tuple[Any, Any]:
    seen = pacemaker_status.parse_status(tools.status())
    return seen, document.parse(tools.query())


def _status(seen: Any, root: Any) -> dict[str, Any]:
    notes: list[str] = []
    service = _service_data(seen, root, notes)
    done = _operator_actions(seen, root)
    operations = lock.known()
    me = _me()
    notes += [lock.told(one, time.time(), me) for one in operations]
    return {
        "cluster": _cluster_name(root),
        "node": me,
        "last_drill": _last_drill(),
        "dc": seen.dc,
        "quorate": seen.quorate,
        "nodes": [{"name": n.name, "state": n.word, "dc": n.dc} for n in seen.nodes],
        "rings": _rings(notes),
        "service": service,
        "resources": [dataclasses.asdict(r) for r in seen.resources],
        "profiles": _profiles(notes),
        "fail_counts": [dataclasses.asdict(f) for f in seen.fail_counts],
        "failures": [str(f) for f in seen.failures]
        + [f"{f.resource}: fail count {f.count} on {f.node}" for f in seen.fail_counts],
        "leftovers": settings_text.as_lines(done, settings_text.last_change(root), _now()),
        "operations": [dataclasses.asdict(one) for one in operations],
        "actions": settings_text.as_data(done, settings_text.last_change(root)),
        "notes": notes,
    }


def _cluster_name(root: Any) -> str:
    """Return the cluster's name, which corosync gives to Pacemaker."""
    pair = root.find("configuration/crm_config//nvpair[@name='cluster-name']")
    told = schema_report.section(__pillar__, "fsha", "cluster").get("name")
    return str((pair.get("value") if pair is not None else told) or "")


def _service_data(seen: Any, root: Any, notes: list[str]) -> dict[str, Any]:
    try:
        service = switchover_service.find_service(root)
    except switchover_service.SwitchoverRefused as error:
        notes.extend(error.reasons)
        found = switchover_service.services(root)
        several = [{"id": one.id, "node": seen.serving(one.id)} for one in found]
        return {"id": "", "node": "", "vips": [], "several": several}
    node = seen.serving(service.id)
    return {"id": service.id, "node": node, "vips": list(service.vips), "several": []}


def _operator_actions(seen: Any, root: Any) -> Any:
    """Return what operators have set; fail counts have a place of their own on the screen."""
    told = schema_report.section(__pillar__, "fsha", "pacemaker")
    found = operator_settings.actions(root, seen, operator_settings.spoken_for(told))
    return [action for action in found if action.kind != "fail-count"]


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _rings(notes: list[str]) -> list[dict[str, Any]]:
    try:
        found = __salt__["corosync.status"]()
    except (CommandExecutionError, KeyError) as error:
        notes.append(f"rings: {error}")
        return []
    if not found["running"]:
        notes.append(f"rings: {found['reason']}")
        return []
    return [
        {
            "node": link["node"],
            "link": link["number"],
            "address": link["address"],
            "connected": link["connected"],
        }
        for link in found["links"]
    ]


def _profiles(notes: list[str]) -> dict[str, Any]:
    where = client.access(__pillar__)
    try:
        found = dict(client.profiles(where))
        paused = client.ask("fsctl pause_check inbound", where).strip() == "true"
    except programs.RunError as error:
        notes.append(str(error))
        return {}
    if paused:
        notes.append("new calls are refused here (the switch is paused): fsha.undrain ends that")
    return found


# --- plan and export -----------------------------------------------------------------------


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
        told = _told(pillar)
        objects = _objects(told)
    except ConfigErrors as error:
        return _planned(False, str(error))
    cluster = schema_report.section(told, "cluster")
    try:
        found = __salt__["pacemaker.plan_objects"](
            objects, cluster.get("unmanaged", "report"), told.get("guard"), override
        )
    except CommandExecutionError as error:
        return _planned(False, str(error))
    comment = found["comment"] if found["changes"] else "The cluster is as wanted."
    if not found["changes"] and not found["empty"]:
        comment = "Only the list of what fsha manages changes."
    if found["unmanaged"]:
        comment += f"\nNot in the pillar: {', '.join(found['unmanaged'])}."
    if found["actions"]:
        comment += "\nSet by operators: " + "\n  ".join(["", *found["actions"]])
    return _planned(found["guard"]["kind"] != "refused", comment, found)


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
        Its corosync.conf; without it the host's for ``live``, else none.

    With ``salt-call --retcode-passthrough`` the exit code is 2 when there is an error, else 1.
    Nothing is asked of a cluster, except its CIB.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.lint
        salt-call --local --module-dirs=. fsha.lint pillar=/root/new.sls
        salt-call fsha.lint cib=live
    """
    if pillar is not None and cib is not None:
        raise SaltInvocationError("pillar and cib: one of them, not both")
    try:
        if cib is None:
            found = runner.lint(config.check(_told(pillar)))
        else:
            found = _lint_cib(cib, corosync_conf)
    except ConfigErrors as error:
        __context__["retcode"] = EXIT_CODES["fail"]
        what = "pillar" if cib is None else "corosync.conf"
        raise CommandExecutionError(f"The {what} has mistakes: {error}") from error
    bad = any(advice.severity == finding.ERROR for advice in found)
    __context__["retcode"] = EXIT_CODES["fail" if bad else "pass"]
    return runner.as_data(found) if as_data else runner.page(found)


def _lint_cib(cib: Any, corosync_conf: Any) -> Any:
    live = cib == "live"
    try:
        text = tools.query() if live else Path(cib).read_text(encoding="utf-8")
        root = document.parse(text)
    except OSError as error:
        raise SaltInvocationError(f"{cib} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SaltInvocationError(f"{cib} is no XML: {error}.") from error
    except (programs.RunError, document.CibError) as error:
        raise CommandExecutionError(str(error)) from error
    told = _corosync(corosync_conf, root)[0] if live or corosync_conf else {}
    return foreign_cib.lint(root, told)


def report(file):
    """Write one HTML page that shows the pair: drawn, checked, and what has happened to it.

    file
        Where to; readable by root only, for it tells much. It needs no network to be looked at.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.report /root/pair.html
    """
    why = ""
    try:
        seen, checked = _status(*_look()), check(as_data=True)
    except (programs.RunError, document.CibError) as error:
        seen, checked, why = {}, {}, str(error)
    __context__["retcode"] = EXIT_CODES["pass"]  # the page is there, whatever is in it
    try:
        kept = journal.read(journal.place(__opts__))
    except journal.JournalError as error:
        return {"result": False, "comment": f"Not written: {error}"}
    at = _now().strftime(node_facts.FORM)
    facts = html.Facts(__opts__["id"], at, seen, checked, kept, why)
    try:
        files.replace(Path(file), html.page(facts).encode("utf-8", "replace"), 0o600)
    except OSError as error:
        why = f"{error.filename or file}: {error.strerror}"
        return {"result": False, "comment": f"Not written: {why}"}
    return {"result": True, "comment": f"Written to {file}."}


def _planned(result: bool, comment: str, found: Any = None) -> dict[str, Any]:
    keys = ("changes", "transition", "interrupted", "guard", "unmanaged", "actions")
    return {"result": result, "comment": comment, **{key: (found or {}).get(key) for key in keys}}


def _told(pillar: Any) -> dict[str, Any]:
    """Return the mapping below ``fsha`` of a pillar, which may be a file."""
    if pillar is None:
        told = __pillar__
    elif isinstance(pillar, str):
        told = _read_pillar(Path(pillar))
    else:
        told = pillar
    told = told.get("fsha", told) if isinstance(told, dict) else told
    if not isinstance(told, dict):
        raise ConfigErrors([ConfigError("fsha", "a pillar with the key fsha is expected.")])
    return told


def _read_pillar(path: Path) -> Any:
    try:
        return salt.utils.yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SaltInvocationError(f"{path} can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, salt.utils.yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise SaltInvocationError(f"{path} is no YAML: {reason}.") from error


def _objects(told: dict[str, Any]) -> Any:
    if "nodes" in told:
        return config.check(told).pacemaker.objects
    return config.check_pacemaker(told.get("pacemaker") or {})


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
    try:
        root = document.parse(tools.query())
        found = export_cib.export(root)
    except (programs.RunError, document.CibError) as error:
        raise CommandExecutionError(str(error)) from error
    pillar, notes = _corosync(corosync_conf, root)
    bind = None if tools.on_file() else node_facts.nonlocal_bind()
    if bind is not None:
        pillar["network"] = {"nonlocal_bind": bind}
        agents = {p.get("type") for p in root.iter("primitive") if p.get("class") == "lsb"}
        pillar["freeswitch"] = {"init_script": "FSSofia" in agents}
    pillar["pacemaker"] = found.pacemaker
    notes = [*notes, *found.notes]
    if file is not None:
        try:
            files.replace(Path(file), _text(pillar, notes).encode("utf-8"), 0o600)
        except OSError as error:
            raise CommandExecutionError(f"{file} is not written: {error.strerror}.") from error
        return {"result": True, "comment": f"Written to {file}.", "notes": notes}
    pillar["pacemaker"], secrets = export_cib.without_secrets(found.pacemaker, "pacemaker")
    notes += [f"{path}: a secret, left out here; file=PATH writes it" for path in secrets]
    return {"pillar": {"fsha": pillar}, "notes": notes} if as_data else _text(pillar, notes)


def _text(pillar: dict[str, Any], notes: list[str]) -> str:
    head = "".join(f"# {note}\n" for note in notes)
    body = salt.utils.yaml.safe_dump({"fsha": pillar}, default_flow_style=False, sort_keys=False)
    return head + body


def _corosync(path: Any, root: Any) -> tuple[dict[str, Any], list[str]]:
    """Return what corosync.conf says, as pillar, and notes about it."""
    if path is None and tools.on_file():
        return {}, ["nodes and corosync: not read, since a file stands in for the cluster"]
    where = Path(path or COROSYNC_CONF)
    try:
        conf = parser.parse(where.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [f"nodes and corosync: {where} can't be read: {error.strerror}"]
    except (UnicodeDecodeError, parser.ConfError) as error:
        return {}, [f"nodes and corosync: {where}: {error}"]
    hosts = __salt__["corosync.known"](str(where))["hosts"]
    exported = export_corosync.export(conf, _networks(), read.node_names(root), hosts)
    return dict(exported.pillar), list(exported.notes)


def _networks() -> list[str]:
    """Return the networks of this host's addresses."""
    found = [*__salt__["network.subnets"](), *__salt__["network.subnets6"]()]
    return [network for network in found if network]


# --- switchover ----------------------------------------------------------------------------


def failover(
    target=None,
    resource=None,
    timeout=60,
    sip_port=5060,
    drain=0,
    force=False,
    by=None,
    test=None,
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
    return _switched(
        switchover_request.FAILOVER,
        lambda by: _to_another(target, resource, (timeout, sip_port, drain), by),
        _who(by, kwargs),
        force,
        test,
    )


def failback(
    resource=None,
    timeout=60,
    sip_port=5060,
    drain=0,
    force=False,
    by=None,
    test=None,
    **kwargs,
):
    """Undo the last switchover that was ordered: lift the hold, or move the service back.

    resource, timeout, sip_port, drain, force, by, test
        As for :func:`failover`.

    One that was interrupted before anything moved is just forgotten, and its drain ended.

    Returns what :func:`failover` returns.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.failback
    """
    who = _who(by, kwargs)
    try:
        request = _request(resource, (timeout, sip_port, drain), who)
        looked = _look()
        undone = _undone(*looked, request, test)
    except switchover_service.SwitchoverError as error:
        return _answer(False, str(error))
    except (programs.RunError, document.CibError) as error:
        return _answer(False, f"Nothing was moved by {switchover_request.FAILBACK}: {error}")
    if undone:
        return _answer(True, undone)
    return _switched(
        switchover_request.FAILBACK,
        lambda _: switchover_request.failback(*looked, request),
        who,
        force,
        test,
    )


def _undone(seen: Any, root: Any, request: Any, test: Any) -> str:
    """Undo an interrupted switchover that has moved nothing; return what was done, ``""`` if none.

    There is but its record, and perhaps a switch that still refuses calls.
    """
    me = request.me
    service = switchover_service.find_service(root, request.resource)
    of_it = [o for o in lock.interrupted(me) if o.new and o.service == service.id]
    if not of_it or of_it[0].may_have_moved or seen.serving(service.id) != of_it[0].old:
        return ""
    said = f"Nothing had moved of the {of_it[0]}"
    drained = of_it[0].phase == lock.DRAIN
    if __opts__.get("test") if test is None else test:
        return f"{said}; it would be forgotten."
    if drained and of_it[0].node == me:
        _switch().resume()
    tools.forget(lock.ATTRIBUTE, of_it[0].node)
    if not drained:
        return f"{said}; it is forgotten."
    if of_it[0].node == me:
        return f"{said}; it is forgotten, and new calls are taken here."
    return f"{said}; it is forgotten. fsha.undrain on {of_it[0].node} lets it take new calls."


def _who(by: Any, kwargs: dict[str, Any]) -> str:
    """Return who gave the order."""
    unknown = [name for name in kwargs if not name.startswith("__")]
    if unknown:
        raise SaltInvocationError(f"there is no argument {' or '.join(sorted(unknown))}")
    given = by or kwargs.get("__pub_user") or os.environ.get("SUDO_USER") or getpass.getuser()
    return schema_report.printable(str(given))[:64]


def _switched(verb: str, order: Any, by: str, force: Any, test: Any) -> dict[str, Any]:
    """Do what an order says, or only show it."""
    try:
        what, transition = order(by)
        lines = () if what.moved else _checked()
        against = _against(lines, force)
        if __opts__.get("test") if test is None else test:
            return _shown(what, transition, lines, [*against, *_at_it(what)])
        if against:
            raise switchover_service.SwitchoverRefused(against)
        return _done(what)
    except (switchover_service.SwitchoverError, lock.Busy) as error:
        text = str(error) if isinstance(error, switchover_service.SwitchoverError) else ""
        return _answer(False, text or f"Nothing was moved: {error}.")
    except (programs.RunError, document.CibError) as error:
        return _answer(False, f"Nothing was moved by {verb}: {error}")


def _against(checked: Any, force: Any) -> list[str]:
    """Return what of the checklist stands in the way, unless that is not to count."""
    lines = [line for line in checked if line.name not in CHECKED_BY_THE_ORDER]
    found = [] if force is True else checklist.obstacles(lines)
    return [*found, "force=True goes on all the same"] if found else []


def _at_it(order: Any) -> list[str]:
    """Return who else is at it, for whom the order would be refused."""
    found = lock.going_on(lock.known(), order.me)
    return [str(lock.Busy(one)) for one in found]


def _done(order: Any) -> dict[str, Any]:
    """Carry an order out, telling each phase to the bus and to a person who waits."""
    progress = _progress(order.verb)

    def tell(phase: str, facts: Any) -> None:
        progress(phase, facts)
        _announce(order.service, phase, order.old, order.new, dict(facts))

    outcome = switchover.Switchover(order, _switch(), tell).run()
    return _answer(outcome.result, outcome.comment, **outcome.facts)


def _progress(verb: str) -> Any:
    seen = sys.stderr if "salt-call" in str(__opts__.get("__cli", "")) else None
    return report_progress.Progress(seen, f"fsha.{verb}")


def _to_another(target: Any, resource: Any, numbers: Any, by: str) -> Any:
    """Return the order for a switchover to the other node, and what the cluster would do."""
    request = _request(resource, numbers, by)
    interrupted = lock.interrupted(request.me)
    return switchover_request.failover(*_look(), request, target, interrupted)


def _request(resource: Any, numbers: Any, by: str) -> Any:
    return switchover_request.Request(switchover_request.bounds(*numbers), by, _me(), resource)


def _switch() -> Any:
    """Return the FreeSWITCH of this node."""
    return local.LocalSwitch(client.access(__pillar__))


def _me() -> str:
    return "" if tools.on_file() else tools.local_node()


def _shown(order: Any, transition: Any, checked: Any, against: list[str]) -> dict[str, Any]:
    """Return the plan of a switchover; one that would be refused is a failure."""
    calls = _calls_now(order)
    comment = switchover_request.foretold(order, transition, calls)
    if checked:
        comment += f"\nCheck: {checklist.summary(checked)}"
    if against:
        comment = f"It would be refused now: {'; '.join(against)}.\n{comment}"
    plan = {
        "checks": checklist.as_data(line for line in checked if line.verdict != checks_line.PASS),
        "transition": [str(action) for action in transition.actions] if transition else [],
        "calls": calls,
        "drain": order.bounds.drain,
    }
    return _answer(not against, comment, old=order.old, new=order.new, plan=plan)


def _calls_now(order: Any) -> Any:
    if order.me != order.old:
        return None
    try:
        return _switch().calls()
    except programs.RunError as error:
        return {"legs": None, "known": False, "reason": str(error)}


def drill(max_calls=0, timeout=60, sip_port=5060, resource=None, by=None, test=None, **kwargs):
    """Prove that the pair does what it is for: switch over and back again.

    max_calls
        With more call legs than these it is skipped.
    timeout, sip_port, resource, by, test
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
    who = _who(by, kwargs)
    try:
        most = switchover_request.whole(max_calls, "max_calls")
        request = _request(resource, (timeout, sip_port, 0), who)
        seen, root = _look()
        service = switchover_service.find_service(root, resource)
    except switchover_service.SwitchoverError as error:
        return {"result": False, "comment": str(error), "skipped": False}
    except (programs.RunError, document.CibError) as error:
        return {"result": False, "comment": f"Nothing was moved: {error}", "skipped": False}
    active = seen.serving(service.id)
    if active and active != request.me:
        why = f"{active} serves, so it is for that node to run it"
        return {"result": True, "comment": f"Skipped: {why}.", "skipped": True}
    try:
        order, _ = switchover_request.failover(seen, root, request)
        against = _against_a_drill(most)
    except switchover_service.SwitchoverRefused as refused:
        against = "; ".join(refused.reasons)
    except (programs.RunError, document.CibError) as error:
        against = str(error).rstrip(".")
    if against:
        return _skipped(service, active, who, f"Skipped: {against}.")
    if __opts__.get("test") if test is None else test:
        would = f"{service.id} would go to {order.new} and back to {order.old}."
        return {"result": True, "comment": would, "skipped": False}
    return _both_ways(dataclasses.replace(order, verb=switchover_request.DRILL))


def _skipped(service: Any, active: str, who: str, comment: str) -> dict[str, Any]:
    facts = {"verb": switchover_request.DRILL, "by": who, "why": comment}
    _announce(service, switchover.SKIPPED, active, "", facts)
    return {"result": False, "comment": comment, "skipped": True}


def _against_a_drill(most: int) -> str:
    """Return why now is no time for a drill, ``""`` if it is."""
    legs = _switch().legs()
    if legs > most:
        return f"{legs} call legs are up, and max_calls is {most}"
    failed = [line for line in _checked() if line.verdict == checks_line.FAIL]
    return "; ".join(f"{line.title.lower()}: {line.evidence}" for line in failed)


def _both_ways(order: Any) -> dict[str, Any]:
    try:
        there = _done(dataclasses.replace(order, way=switchover_request.THERE))
    except lock.Busy as error:
        return {"result": False, "comment": f"Nothing was moved: {error}.", "skipped": False}
    except (programs.RunError, document.CibError) as error:
        return {"result": False, "comment": f"Nothing was moved: {error}", "skipped": False}
    told = {"skipped": False, "there": there}
    if not there["result"]:
        return {"result": False, "comment": there["comment"], **told}
    try:
        _wait_for_standby(order)
        home = _done(
            dataclasses.replace(
                order,
                old=order.new,
                new=order.old,
                banned=(order.new,),
                way=switchover_request.BACK,
            )
        )
    except (
        programs.RunError,
        document.CibError,
        switchover_service.SwitchoverError,
        lock.Busy,
    ) as error:
        comment = f"There: {there['comment']} {_stays(order, error)}"
        return {"result": False, "comment": comment, **told}
    comment = f"There: {there['comment']} Back: {home['comment']}"
    if not home["result"] and home["new"] != order.old:
        comment += f" {_stays(order, 'that has failed.')}"
    return {"result": home["result"], "comment": comment, **told, "back": home}


def _stays(order: Any, why: Any) -> str:
    return f"{order.service.id} STAYS on {order.new}: {why} fsha.failback goes back."


def _wait_for_standby(order: Any) -> None:
    """Wait until this node could take the service back."""
    tools.settle(order.bounds.timeout)
    # stop_mode=recover has killed it; systemd brings it back.
    ready = poll.until(
        _switch().is_ready, bool, order.bounds.timeout, "this node's switch", DRAIN_LOOK
    )
    if not ready:
        raise switchover_service.SwitchoverError(f"the switch of {order.old} is not back.")


# --- what operators set ----------------------------------------------------------------------


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
    who = _who(by, kwargs)
    try:
        wait = switchover_request.bounds(1, 0, seconds).drain
        if __opts__.get("test") if test is None else test:
            left = _switch().legs()
            would = f"New calls would be refused on this node; {left} call legs are up."
            return {"result": True, "comment": would, "legs": left}
        with _alone("drain", who) as held:
            if held is not None:
                held.phase(lock.DRAIN)
            return _drained(wait, who)
    except (switchover_service.SwitchoverError, programs.RunError) as error:
        return {"result": False, "comment": str(error), "legs": None}
    except lock.Busy as error:
        return {"result": False, "comment": f"Nothing done: {error}.", "legs": None}


def _drained(wait: float, who: str) -> dict[str, Any]:
    """Refuse new calls and wait for the end of the others.

    What goes wrong with the switch is an answer: the drain has come to its end, if not a good one.
    """
    progress, switch = _progress("drain"), _switch()

    def legs() -> int:
        if not switch.paused():
            raise switchover_service.SwitchoverError(
                "Somebody lets this node take new calls again."
            )
        left = switch.legs()
        progress("draining", {"legs": left})
        return left

    try:
        switch.pause()
        _tell_calls("drain", {"by": who, "seconds": wait})
        left = poll.until(legs, lambda n: n == 0, wait, "the end of the calls", DRAIN_LOOK)
    except (switchover_service.SwitchoverError, programs.RunError) as error:
        return {"result": False, "comment": str(error), "legs": None}
    comment = f"New calls are refused on this node; {left} call legs are up."
    return {"result": not (wait and left), "comment": comment, "legs": left}


def _alone(verb: str, who: str, what: str = "") -> Any:
    """Hold an operation of this node, where there is a cluster to hold it in."""
    try:
        me = _me()
    except programs.RunError as error:
        log.info("nobody else can be at it: %s", error)
        return contextlib.nullcontext()
    return lock.Holder(lock.begun(verb, who, me, what or me))


def undrain(by=None, test=None, **kwargs):
    """Let this node's switch take new calls again.

    by, test
        See :func:`failover`.

    CLI Example:

    .. code-block:: bash

        salt fs1 fsha.undrain
    """
    who = _who(by, kwargs)
    try:
        _refuse_while_moving()
        if __opts__.get("test") if test is None else test:
            return {"result": True, "comment": "New calls would be taken on this node."}
        _switch().resume()
        _forget_drains()
    except lock.Busy as error:
        return {"result": False, "comment": f"Nothing done: {error}."}
    except programs.RunError as error:
        return {"result": False, "comment": str(error)}
    _tell_calls("undrain", {"by": who})
    return {"result": True, "comment": "New calls are taken on this node."}


def _refuse_while_moving() -> None:
    """Refuse to take calls in the middle of somebody's switchover."""
    for one in _operations_if_any():
        if one.new and one.goes_on(time.time(), _me()):
            raise lock.Busy(one)


def _forget_drains() -> None:
    """Forget drains of this node that were interrupted: what they left is undone."""
    for one in _operations_if_any():
        if not one.new and one.node == _me() and not one.goes_on(time.time(), one.node):
            tools.forget(lock.ATTRIBUTE, one.node)


def _operations_if_any() -> Any:
    """Return the operations that are known, none where no cluster runs."""
    try:
        return lock.known()
    except programs.RunError as error:
        log.info("no operation is known: %s", error)
        return ()


def _tell_calls(phase: str, facts: dict[str, Any]) -> None:
    _send(events_event.OPERATOR, "calls", {"verb": phase, **facts})


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
    who = _who(by, kwargs)

    def setting() -> Any:
        where = node or _me()
        note = annotation.remark(who, reason, ttl, _now())
        _refuse_serving(where, force)
        return annotation.standby(where, note)

    return _set(setting, test)


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
    who = _who(by, kwargs)

    def setting() -> Any:
        where = node or _me()
        transient = tools.noted(operator_action.STANDBY).get(where, "")
        return annotation.online(where, who, _now(), transient=bool(transient))

    return _set(setting, test)


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
    who = _who(by, kwargs)
    on = {"on": True, "off": False, True: True, False: False}.get(state)
    if on is None:
        return {"result": False, "comment": f"on or off is expected, not {state!r}.", "changes": {}}

    def setting() -> Any:
        if not on:
            return annotation.no_maintenance(who, _now())
        return annotation.maintenance(annotation.remark(who, reason, ttl, _now()))

    return _set(setting, test)


def _set(setting: Any, test: Any) -> dict[str, Any]:
    """Set or lift something on the operator's behalf, with a remark, as one commit.

    setting
        Returns the :class:`annotation.Setting`, or raises what speaks against it.
    """
    try:
        wanted = setting()
        root = document.parse(tools.query())
        if not wanted.transient and document.render(root) == document.render(wanted.edit(root)):
            return {"result": True, "comment": f"Nothing to do: {wanted.what}.", "changes": {}}
        changes = {wanted.subject: wanted.verb}
        if __opts__.get("test") if test is None else test:
            return {"result": True, "comment": f"Would be set: {wanted.what}.", "changes": changes}
        with _alone(wanted.verb, wanted.note.by, wanted.about):
            failed = _committed(wanted)
    except switchover_service.SwitchoverError as error:
        return {"result": False, "comment": str(error), "changes": {}}
    except (lock.Busy, annotation.BadRemark) as error:
        return _not_done(f"{error}.")
    except (programs.RunError, document.CibError) as error:
        return _not_done(error)
    if failed is not None:
        return _not_done(failed)
    _send(
        events_event.OPERATOR,
        wanted.subject,
        {"verb": wanted.verb, **dataclasses.asdict(wanted.note)},
    )
    return {"result": True, "comment": f"Done: {wanted.what}.", "changes": changes}


def _not_done(why: Any) -> dict[str, Any]:
    return {"result": False, "comment": f"Nothing done: {why}", "changes": {}}


def _committed(wanted: Any) -> Exception | None:
    """Commit a setting; return why that failed, which is an end of the operation all the same."""
    try:
        commit.change(wanted.edit)
        if wanted.transient:
            tools.forget(wanted.transient, wanted.subject)
    except (programs.RunError, document.CibError) as error:
        return error
    return None


def _refuse_serving(node: str, force: Any) -> None:
    seen, root = _look()
    if force is True:
        return
    serving = [one.id for one in switchover_service.services(root) if node in seen.active(one.id)]
    if serving:
        raise switchover_service.SwitchoverRefused(
            [f"{serving[0]} serves on {node}: fsha.failover moves it first, or force=True"]
        )


# --- is it ready? ----------------------------------------------------------------------------


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
    try:
        found = _checked()
    except (programs.RunError, document.CibError) as error:
        line = checks_line.Line("cluster", "Cluster", checks_line.FAIL, str(error), blocks=True)
        found = (line,)
    verdict = checklist.verdict(found)
    __context__["retcode"] = EXIT_CODES[verdict]
    summary = checklist.summary(found)
    if not as_data:
        return f"{summary}\n{checklist.as_text(found)}"
    at = _now().strftime(node_facts.FORM)
    return {
        "verdict": verdict,
        "summary": summary,
        "at": at,
        "node": __opts__["id"],
        "lines": checklist.as_data(found),
    }


def facts():
    """Return what this node knows of itself, and note it in the cluster for the other one.

    CLI Example:

    .. code-block:: bash

        salt '*' fsha.facts
    """
    try:
        return _facts(_me(), _links())
    except programs.RunError as error:
        raise CommandExecutionError(str(error)) from error


def _facts(me: str, links: Any) -> dict[str, Any]:
    found = node_facts.gather(me or __opts__["id"], _switch().ask)
    found["minion"] = __opts__["id"]
    found["recovery"] = recovery_db.ask_pillars(__pillar__)
    found["links_down"] = checks_cluster.down(links or ())
    found["state_run"] = _state_run()
    found["last_drill"] = _last_drill()
    if me:
        tools.note(node_facts.ATTRIBUTE, node_facts.render(found), [me])
    return found


def _checked() -> Any:
    seen, root = _look()
    me, links = _me(), _links()
    if me:
        _noticed(seen, root, me)
    view = collect.gather(seen, root, _facts(me, links), links, _ask_minion)
    return checklist.lines(view)


def _last_drill() -> str:
    """Return when the last drill was that this node has run, ``""`` for never."""
    drill = journal.last_drill(_journal())
    return drill["at"] if drill else ""


def _state_run() -> str:
    """Return a state run that goes on here, ``""`` for none."""
    running = __salt__["saltutil.is_running"]("state.*")
    return str(running[0].get("fun", "")) if running else ""


def _links() -> Any:
    notes: list[str] = []
    found = _rings(notes)
    links = tuple({"number": one["link"], **one} for one in found)
    return None if notes and not links else links


def _ask_minion(name: str) -> Any:
    if __opts__.get("file_client") == "local" or "publish.publish" not in __salt__:
        return None
    try:
        found = __salt__["publish.publish"](name, "fsha.facts", timeout=PEER_SECONDS)
    except (CommandExecutionError, SaltClientError) as error:
        log.info("%s can't be asked through the master: %s", name, error)
        return None
    return node_facts.believed(found.get(name) if isinstance(found, dict) else None)


def _journal() -> Any:
    try:
        return journal.read(journal.place(__opts__), (events_event.FAILOVER,))
    except journal.JournalError as error:
        log.warning("%s", error)
        return []


# --- what moved by itself ----------------------------------------------------------------------


def notice():
    """Look whether the service has moved by itself since this node last looked.

    A failover that nobody ordered is kept in this node's :func:`history`, with why and for how
    long, and told on Salt's event bus by the node that serves. Each run of the formula and each
    :func:`check` looks too; in the schedule it is noticed as soon as you like.

    Returns what was noticed (``old``, ``new``, ``gap`` in seconds, to the second, from the failure
    as the cluster noticed it, ``why``, ``calls``), ``None`` when there is nothing new.

    CLI Example:

    .. code-block:: bash

        salt 'fs*' fsha.notice
        salt 'fs*' schedule.add notice function=fsha.notice seconds=30
    """
    if tools.on_file():
        return None
    try:
        return _noticed(*_look(), _me())
    except (programs.RunError, document.CibError) as error:
        raise CommandExecutionError(str(error)) from error


def _noticed(seen: Any, root: Any, me: str) -> Any:
    move = unplanned.notice(seen, root, me, time.time())
    if move is None:
        return None
    at = datetime.fromtimestamp(move.at, timezone.utc) if move.at else _now()

    def tell(tag: str, event: Any) -> None:
        journal.keep(__opts__, event, at)
        if move.new == me:
            __salt__["event.send"](tag, event)

    data = move.as_data()
    events_event.send(tell, events_event.FAILOVER, move.service, __opts__["id"], data)
    return data


# --- what has happened -----------------------------------------------------------------------


def history(limit=20, kind=None):
    """Return what happened to the pair as this node has told it, newest first.

    limit
        How many entries.
    kind
        One kind of event only: drift, unmanaged, commit, refused, ring, failover, operator,
        overdue.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.history 5 kind=failover
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise SaltInvocationError(f"limit: a whole number from 1 is expected, not {limit!r}")
    if kind is not None and kind not in events_event.KINDS:
        raise SaltInvocationError(f"kind: one of {', '.join(events_event.KINDS)}, not {kind!r}")
    kinds = events_event.KINDS if kind is None else (kind,)
    try:
        return list(reversed(journal.read(journal.place(__opts__), kinds, limit)))
    except journal.JournalError as error:
        raise CommandExecutionError(str(error)) from error


def _announce(service: Any, phase: str, old: str, new: str, facts: dict[str, Any]) -> None:
    _send(events_event.FAILOVER, service.id, {"phase": phase, "old": old, "new": new, **facts})


def _send(kind: str, subject: str, data: dict[str, Any]) -> None:
    fire = journal.firing(__salt__["event.send"], __opts__)
    events_event.send(fire, kind, subject, __opts__["id"], data)


def _answer(result: bool, comment: str, **facts: Any) -> dict[str, Any]:
    answer = {"result": result, "comment": comment, "old": "", "new": "", "seconds": None}
    return {**answer, "gap": None, "hold": False, **facts}
