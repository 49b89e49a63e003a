"""Ask FreeSWITCH on this node what it does, and tell it to take calls or not.

Everything goes through ``fs_cli`` with the Event Socket's password from a file, bounded in time;
where and how is in the pillar, ``fsha:freeswitch``. Nothing here starts or stops the service:
that is the cluster's business, see the execution module ``fsha``.

:depends: lxml in Salt's own Python; FreeSWITCH's fs_cli
"""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib import agents, errors
from fshalib.schema import arguments

try:
    from fshalib.cib import document
    from fshalib.freeswitch import calls as freeswitch_calls
    from fshalib.freeswitch import client, config_files, preprocessor
    from fshalib.freeswitch import config as freeswitch_config
    from fshalib.freeswitch import config_hash as freeswitch_config_hash
    from fshalib.freeswitch import pending as freeswitch_pending
    from fshalib.pacemaker import tools, transient
    from fshalib.pillar import once
    from fshalib.schema.report import ConfigErrors
    from fshalib.switchover.service import find_service
    from fshalib.system import poll, programs

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "freeswitch"

NOTE = "fsha-freeswitch-config"
"""The node attribute that tells which configuration a node has got."""
# Without lxml the library is not there, and this module does not load.
KNOWN = None if MISSING else config_files.KNOWN
PENDING = Path("/run/fsha/freeswitch-config.json")
"""What is written and not in effect, see fshalib.freeswitch.pending."""
RESTART = 60.0
"""Seconds for a switch that was restarted to answer."""
ROLLING = (
    "restart the switch of the node that does not serve (systemctl restart {0}), switch over "
    "(fsha.failover), and restart the other one"
)
DIRECTIONS = ("inbound", "outbound", "both")
_salts_errors = arguments.verb(CommandExecutionError, SaltInvocationError)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"freeswitch: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


def _ask(command: str) -> str:
    return client.ask(command, client.access(dict(__pillar__))).strip()


def _paused() -> list[str]:
    return [way for way in ("inbound", "outbound") if _ask(f"fsctl pause_check {way}") == "true"]


def _profiles() -> tuple[Any, ...]:
    return client.parse_bound(_ask("sofia xmlstatus"))


# --- looking ---------------------------------------------------------------------------------


@_salts_errors
def status():
    """Return what this node's FreeSWITCH is about.

    Returns ``running``, ``summary``, and when it runs ``ready``, ``version``, ``uptime``
    (seconds), ``sessions``, ``max_sessions``, ``paused`` (directions), ``core_uuid``,
    ``switchname``, ``profiles``, and ``serves``: the profiles that the cluster's agent has
    started in this very switch. A switch that can't be asked gives ``running: False`` and why.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.status
    """
    try:
        return _status()
    except programs.RunError as error:
        return {"running": False, "summary": str(error)}


def _status() -> dict[str, Any]:
    core_uuid = _ask("global_getvar core_uuid")
    profiles = _profiles()
    limit = re.search(r"(\d+)\s*$", _ask("fsctl max_sessions"))
    data = {
        "running": True,
        "ready": _ask("fsctl ready_check") == "true",
        "version": _ask("version"),
        "uptime": int(_ask("uptime s")),
        "sessions": sum(profile.sessions for profile in profiles),
        "max_sessions": int(limit[1]) if limit else None,
        "paused": _paused(),
        "core_uuid": core_uuid,
        "switchname": _ask("switchname"),
        "profiles": {profile.name: profile.as_data() for profile in profiles},
        "serves": list(client.stamped(core_uuid)),
    }
    return {**data, "summary": _summary(data)}


def _summary(data: dict[str, Any]) -> str:
    part = f"serves {' and '.join(data['serves'])}" if data["serves"] else "is a standby"
    legs = f"{data['sessions']} call legs"
    state = "" if data["ready"] else ", not ready"
    paused = f", paused ({' and '.join(data['paused'])})" if data["paused"] else ""
    return f"This switch {part}; {legs}{state}{paused}."


@_salts_errors
def profiles():
    """Return the SIP profiles that run: name → ``state``, ``sessions``, ``address``, ``port``.

    A profile that is stopped, or could not bind, is not among them.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.profiles
    """
    return {profile.name: profile.as_data() for profile in _profiles()}


@_salts_errors
def calls():
    """Return the calls of this node, and what of them would survive a move.

    Returns ``legs`` (a bridged call has two) and ``known``; when it is known, ``calls``,
    ``kinds`` (answered, ringing, held, TLS, …), ``survive``, ``doubtful`` and ``lost`` in legs,
    with the reasons in ``why``. Of a service that hangs up when it is stopped none survives. The
    list of calls comes from the core database, so it is known only if that names as many legs as
    the profiles have.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.calls
    """
    sessions = {profile.name: profile.sessions for profile in _profiles()}
    return freeswitch_calls.for_service(freeswitch_calls.report(sessions, _ask).as_data(), _keeps())


def _keeps() -> bool | None:
    """Tell whether the service leaves its calls to the other node, ``None`` if not known."""
    try:
        return find_service(document.parse(tools.query())).keeps
    except (errors.LiveError, errors.SwitchoverError):
        return None  # no cluster, or it is not clear what would be moved


@_salts_errors
def ready():
    """Return whether this switch can take calls: ``result``, and in ``comment`` why not.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.ready
    """
    try:
        if _ask("fsctl ready_check") != "true":
            return _answer(False, "The switch is starting or going down (fsctl ready_check).")
        paused = _paused()
    except programs.RunError as error:
        return _answer(False, str(error))
    if paused:
        return _answer(False, f"The switch is paused ({' and '.join(paused)}): freeswitch.resume.")
    return _answer(True, "The switch takes calls.")


@_salts_errors
def gateways():
    """Return the gateways: name → what the switch says of it (state, status, profile, …).

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.gateways
    """
    return client.parse_gateways(_ask("sofia xmlstatus gateway"))


@_salts_errors
def registrations(limit=100):
    """Return how many phones are registered, and some of them.

    limit
        How many of them to return.

    They come from the core database, which both nodes may share.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.registrations limit=10
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise errors.ArgumentError(f"limit: a whole number is expected, not {limit!r}")
    text = _ask("show registrations as json")
    try:
        data = json.loads(text)
        rows = data.get("rows", [])
    except (ValueError, AttributeError) as error:
        raise CommandExecutionError(f"The switch can't tell its registrations: {text[:80]}") from (
            error
        )
    return {"count": int(data.get("row_count", len(rows))), "registrations": rows[:limit]}


@_salts_errors
@arguments.typed(directory=arguments.FOLDER | arguments.NONE, exclude=arguments.LIST)
def config_hash(directory=None, exclude=()):
    """Return hashes of the configuration, to compare the nodes of a pair.

    directory
        The configuration; without it, the switch is asked where it is.
    exclude
        Patterns of files that are a node's own.

    Returns ``hash``, ``parts`` (sip_profiles, dialplan, directory, autoload_configs, other)
    and ``files``.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.config_hash exclude='["vars_local.xml"]'
    """
    where = Path(directory or _ask("global_getvar conf_dir"))
    if not where.is_dir():
        raise CommandExecutionError(f"{where} is no directory: give directory=PATH")
    try:
        return freeswitch_config_hash.config_hash(where, list(exclude))
    except OSError as error:
        raise CommandExecutionError(f"{error.filename}: {error.strerror}") from error


# --- telling ---------------------------------------------------------------------------------


@_salts_errors
@arguments.typed(test=arguments.FLAG)
def pause(direction="inbound", test=None):
    """Refuse new calls; those that are up go on.

    direction
        ``inbound``, ``outbound`` or ``both``. A paused switch can't recover calls either.
    test
        Only tell what would be done; without it, as the minion is set.

    CLI Example:

    .. code-block:: bash

        salt fs1 freeswitch.pause
    """
    return _switch("pause", direction, "true", test)


@_salts_errors
@arguments.typed(test=arguments.FLAG)
def resume(direction="both", test=None):
    """Take new calls again.

    direction
        ``inbound``, ``outbound`` or ``both``.
    test
        Only tell what would be done; without it, as the minion is set.

    CLI Example:

    .. code-block:: bash

        salt fs1 freeswitch.resume
    """
    return _switch("resume", direction, "false", test)


def _switch(verb: str, direction: Any, wanted: str, test: Any) -> dict[str, Any]:
    if direction not in DIRECTIONS:
        raise errors.ArgumentError(
            f"direction: inbound, outbound or both is expected, not {direction!r}"
        )
    ways = DIRECTIONS[:2] if direction == "both" else (direction,)
    open_ = [way for way in ways if _ask(f"fsctl pause_check {way}") != wanted]
    if not open_:
        return _answer(True, f"Nothing to do: {direction} is {verb}d already.", changed=[])
    if __opts__.get("test") if test is None else test:
        return _answer(True, f"Would {verb} {' and '.join(open_)}.", changed=open_)
    for way in open_:
        _ask(f"fsctl {verb} {way}")
    left = [way for way in open_ if _ask(f"fsctl pause_check {way}") != wanted]
    if left:
        return _answer(False, f"The switch did not {verb} {' and '.join(left)}.", changed=[])
    return _answer(True, f"{' and '.join(open_).capitalize()}: {verb}d.", changed=open_)


@_salts_errors
@arguments.typed(vips=arguments.LIST | arguments.NONE, test=arguments.FLAG)
def recover(profile=None, vips=None, test=None):
    """Take over the calls of the other node that the agent's start has left out.

    profile
        One profile; without it, all that the cluster's agent has started here.
    vips
        The floating addresses; without it, those of the pillar.
    test
        Only tell what would be done; without it, as the minion is set.

    Refused unless the agent has started the profile in this very switch and every floating
    address is on this node: recovering takes the calls of a switch that is alive as well.

    CLI Example:

    .. code-block:: bash

        salt fs1 freeswitch.recover
    """
    wanted = [profile] if profile else []
    if any(not isinstance(name, str) or not _NAME.fullmatch(name) for name in wanted):
        raise errors.ArgumentError(f"profile: a profile's name is expected, not {profile!r}")
    serves = client.stamped(_ask("global_getvar core_uuid"))
    refusal = _no_right(wanted, serves, vips)
    if refusal:
        return _answer(False, f"Nothing was recovered: {refusal}")
    names = wanted or list(serves)
    if __opts__.get("test") if test is None else test:
        return _answer(True, f"Would recover the calls of {' and '.join(names)}.")
    legs = {name: _recovered(_ask(f"sofia profile {name} recover")) for name in names}
    return _answer(True, f"Recovered {sum(legs.values())} call legs.", legs=legs)


def _no_right(wanted: list[str], serves: tuple[str, ...], vips: Any) -> str:
    """Return why this node may not take calls over, empty if it may."""
    if not serves:
        return "this node does not serve, since no agent has started a profile in this switch."
    other = [name for name in wanted if name not in serves]
    if other:
        return f"{other[0]} is not served here, but {' and '.join(serves)}."
    addresses = list(vips or _pillars_vips())
    if not addresses:
        return "no floating address is known; give vips=[ADDRESS]."
    held = [*__salt__["network.ip_addrs"](), *__salt__["network.ip_addrs6"]()]
    away = [str(vip) for vip in addresses if str(vip) not in held]
    return f"{' and '.join(away)} is not on this node." if away else ""


def _pillars_vips() -> list[str]:
    return list(once.checked(__pillar__.get("fsha")).freeswitch.vips)


def _recovered(text: str) -> int:
    found = re.match(r"Recovered (\d+)", text)
    return int(found[1]) if found else 0


def _answer(result: bool | None, comment: str, **facts: Any) -> dict[str, Any]:
    if result is False:
        __context__["retcode"] = 1
    return {"result": result, "comment": comment, **facts}


# --- its configuration -----------------------------------------------------------------------


@_salts_errors
@arguments.typed(
    directory=arguments.FOLDER,
    pillar=arguments.NAME,
    patience=arguments.SECONDS,
    test=arguments.FLAG,
)
def configure(directory, pillar="fsha", patience=60, test=None):
    """Make sure that FreeSWITCH is told what a pair needs, and still can be loaded.

    directory
        FreeSWITCH's configuration, ``/etc/freeswitch``.
    pillar
        The pillar's top-level key; what is wanted is at ``freeswitch:configuration`` below it.
    patience
        Seconds to wait until the other nodes have got the same.
    test
        Only tell what would be changed; without it, as the minion is set.

    The whole configuration is checked with what would be added before a file is touched. A
    running switch reads it again only when every node of the cluster has it; a profile that
    serves is never restarted, and what only a restart makes effective is said.

    Returns ``result``, ``comment`` and ``changes``: file → parameter → old and new, without
    secrets.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.configure /etc/freeswitch test=True
    """
    where = Path(directory)
    testing = __opts__.get("test") if test is None else test
    if testing and not where.is_dir():
        return _answer(None, f"{where} is not there yet; would be looked at.", changes={})
    try:
        config = once.checked(__pillar__.get(pillar))
        data, service = config.freeswitch.configuration or {}, config.freeswitch.service
        ours = config_files.planned(data, where, service, ahead=bool(testing))
    except (ConfigErrors, preprocessor.SwitchConfError, errors.RunError) as error:
        return _answer(False, str(error), changes={})
    changes = ours.changes()
    if testing:
        would = "FreeSWITCH's configuration would change." if changes else "Nothing to do."
        return _answer(None if changes else True, would, changes=changes)
    try:
        ours.write()
        config_files.note(where, KNOWN)
        effect = _take_up(ours.wanted, config, ours.params(changes), patience)
    except OSError as error:
        return _answer(False, f"{error.filename}: {error.strerror}", changes=changes)
    except programs.RunError as error:
        return _answer(False, str(error), changes=changes)
    done = (
        "FreeSWITCH's configuration was changed."
        if changes
        else "FreeSWITCH is told what it needs."
    )
    return _answer(True, f"{done}{effect}", changes=changes)


@_salts_errors
@arguments.typed(
    directory=arguments.FOLDER | arguments.NONE,
    pillar=arguments.NAME,
    patience=arguments.SECONDS,
    test=arguments.FLAG,
)
def unconfigure(directory=None, pillar="fsha", patience=60, test=None):
    """Take away what :func:`configure` has put into FreeSWITCH's configuration.

    directory
        FreeSWITCH's configuration; without it, each that this node has had configured, and
        ``/etc/freeswitch``.
    pillar, patience, test
        As for :func:`configure`.

    The formula's own files go, and the lines that include them; all else stays byte for byte. A
    running switch reads what is left, as far as that does no harm.

    Returns what :func:`configure` returns.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.unconfigure test=True
    """
    testing = __opts__.get("test") if test is None else test
    try:
        config = once.checked(__pillar__.get(pillar))
        places = config_files.noted(KNOWN) if directory is None else (Path(directory),)
        ours = [mine for where in places if (mine := config_files.remains(where)).new]
    except (ConfigErrors, preprocessor.SwitchConfError) as error:
        return _answer(False, str(error), changes={})
    if not ours:
        return _answer(True, "FreeSWITCH's configuration has nothing of the formula's.", changes={})
    changes = {name: change for mine in ours for name, change in mine.changes().items()}
    if testing:
        return _answer(None, "The formula's part of it would be removed.", changes=changes)
    try:
        for mine in ours:
            mine.write()
            config_files.forget(mine.directory, KNOWN)
        params = {name: told for mine in ours for name, told in mine.params(changes).items()}
        effect = _take_up(freeswitch_config.DesiredConfig(), config, params, patience)
        _leave_standby(params)
    except OSError as error:
        return _answer(False, f"{error.filename}: {error.strerror}", changes=changes)
    except programs.RunError as error:
        return _answer(False, str(error), changes=changes)
    return _answer(True, f"The formula's part of it was removed.{effect}", changes=changes)


def _leave_standby(params: dict[str, Any]) -> None:
    """Take profiles out of standby: a rescan without the parameter would leave them there."""
    gone = [told.get("profile-standby", {}).get("old") for told in params.values()]
    if "true" not in gone:
        return
    try:
        _ask("sofia global standby off")
    except client.SwitchUnreachable:
        return  # it starts without standby


# --- effect ----------------------------------------------------------------------------------


def _take_up(wanted: Any, config: Any, changes: dict[str, Any], patience: float) -> str:
    """Let a running switch take up what it can once all nodes have it; say what is left."""
    try:
        now = freeswitch_pending.running(_ask)
    except client.SwitchUnreachable as error:
        _agree(freeswitch_config.digest(wanted), 0)
        if not changes:
            return ""
        freeswitch_pending.save(freeswitch_pending.load(PENDING).with_changes(changes), PENDING)
        return f" {error} It reads it at its next start."
    known = freeswitch_pending.load(PENDING, now)
    if changes:
        known = known.with_changes(changes)
    pending = freeswitch_pending.current(known, now)
    # Without anything to read nobody is waited for: the other node may be away for good.
    lacking = _agree(freeswitch_config.digest(wanted), patience if pending.changed else 0)
    freeswitch_pending.save(pending, PENDING)
    if not pending.changed:
        return ""
    if lacking:
        return f" Not read yet: {' and '.join(lacking)} has another configuration."
    hot = [profile.name for profile in wanted.profiles if profile.hot]
    managed = [profile.name for profile in wanted.profiles]
    pending, read = freeswitch_pending.take_up(pending, now, hot, managed, _ask)
    freeswitch_pending.save(pending, PENDING)
    said = f" Read again by {' and '.join(read)}." if read else ""
    left = freeswitch_config.restarts(pending.changed, now.sessions)
    return said + (_restarted(config, left, now) if left else "")


def _restarted(config: Any, left: dict[str, list[str]], now: Any) -> str:
    """Restart a switch that nobody needs, if that is wanted; say what is to be done otherwise."""
    what = freeswitch_pending.told(left)
    service = config.freeswitch.service
    if (config.freeswitch.configuration or {}).get("restart", "never") != "passive":
        return f" A restart makes effective: {what}; {ROLLING.format(service)}."
    held = [*__salt__["network.ip_addrs"](), *__salt__["network.ip_addrs6"]()]
    if now.serves or now.legs or set(config.freeswitch.vips) & set(held):
        return (
            f" A restart makes effective: {what}; not while this node serves: switch over "
            "(fsha.failover), and apply the state again."
        )
    if not _restart(config):
        return (
            f" A restart makes effective: {what}; the cluster is about to run {service}, so apply "
            "the state again once it does."
        )
    if not poll.until(lambda: _is_another(now.core), bool, RESTART, f"{service} to answer"):
        raise client.SwitchUnreachable(
            f"{service} was restarted, and is not back after {RESTART:.0f} s; look at its log"
        )
    PENDING.unlink(missing_ok=True)
    return f" The switch did not serve and was restarted; in effect: {what}."


def _restart(config: Any) -> bool:
    """Restart the switch through whoever runs it; return whether it is the time for that."""
    service = config.freeswitch.service
    wanted = any(agents.is_unit(item.agent, service) for item in config.pacemaker.primitives())
    try:
        root = document.parse(tools.query())
    except programs.RunError:
        root = None  # no cluster yet
    if root is not None and freeswitch_pending.is_in(root, service):
        freeswitch_pending.restart_by_cluster(tools.local_node(), RESTART)
    elif root is not None and wanted:
        return False  # the other node may commit it at any moment, and probe while this restarts
    else:
        __salt__["service.restart"](service)
    return True


def _is_another(core: str) -> bool:
    try:
        return _ask("global_getvar core_uuid") not in (core, "")
    except client.SwitchUnreachable:
        return False


def _agree(mark: str, patience: float) -> tuple[str, ...]:
    """Tell the other nodes what this one has; return those that have something else."""
    try:
        me = tools.local_node()
        tools.note(NOTE, mark, [me])
    except programs.RunError:
        return ()  # no cluster yet, so nobody serves
    return poll.until(
        lambda: _others_without(mark, me),
        lambda lacking: not lacking,
        patience,
        "the other node's FreeSWITCH configuration",
    )


def _others_without(mark: str, me: str) -> tuple[str, ...]:
    root = document.parse(tools.query())
    return tuple(
        name
        for name, value in transient.attributes_of_online_nodes(root, NOTE).items()
        if name != me and value != mark
    )
