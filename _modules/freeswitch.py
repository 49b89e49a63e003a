"""Ask FreeSWITCH on this node what it does, and tell it to take calls or not.

Everything goes through ``fs_cli`` with the Event Socket's password from a file, bounded in time;
where and how is in the pillar, ``fsha:freeswitch``. Nothing here starts or stops the service:
that is the cluster's business, see the execution module ``fsha``.

:depends: lxml in Salt's own Python; FreeSWITCH's fs_cli
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import fsha_calls
    import fsha_freeswitch
    import fsha_run
    import fsha_switch_hash

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

from salt.exceptions import CommandExecutionError, SaltInvocationError

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "freeswitch"

DIRECTIONS = ("inbound", "outbound", "both")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"freeswitch: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


def _ask(command: str) -> str:
    return fsha_freeswitch.ask(command, fsha_freeswitch.access(__pillar__)).strip()


def _told(command: str) -> str:
    """Return the switch's answer, or say in one sentence why there is none."""
    try:
        return _ask(command)
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


def _paused() -> list[str]:
    return [way for way in ("inbound", "outbound") if _ask(f"fsctl pause_check {way}") == "true"]


def _profiles() -> tuple[Any, ...]:
    return fsha_freeswitch.parse_bound(_ask("sofia xmlstatus"))


# --- looking ---------------------------------------------------------------------------------


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
    except fsha_run.RunError as error:
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
        "serves": list(fsha_freeswitch.stamped(core_uuid)),
    }
    return {**data, "summary": _summary(data)}


def _summary(data: dict[str, Any]) -> str:
    part = f"serves {' and '.join(data['serves'])}" if data["serves"] else "is a standby"
    legs = f"{data['sessions']} call legs"
    state = "" if data["ready"] else ", not ready"
    paused = f", paused ({' and '.join(data['paused'])})" if data["paused"] else ""
    return f"This switch {part}; {legs}{state}{paused}."


def profiles():
    """Return the SIP profiles that run: name → ``state``, ``sessions``, ``address``, ``port``.

    A profile that is stopped, or could not bind, is not among them.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.profiles
    """
    try:
        return {profile.name: profile.as_data() for profile in _profiles()}
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


def calls():
    """Return the calls of this node, and what of them would survive a move.

    Returns ``legs`` (a bridged call has two) and ``known``; when it is known, ``calls``,
    ``kinds`` (answered, ringing, held, TLS, …), ``survive``, ``doubtful`` and ``lost`` in legs,
    with the reasons in ``why``. The list of calls comes from the core database, so it is known
    only if that names as many legs as the profiles have.

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.calls
    """
    try:
        sessions = {profile.name: profile.sessions for profile in _profiles()}
        return fsha_calls.report(sessions, _ask).as_data()
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


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
    except fsha_run.RunError as error:
        return _answer(False, str(error))
    if paused:
        return _answer(False, f"The switch is paused ({' and '.join(paused)}): freeswitch.resume.")
    return _answer(True, "The switch takes calls.")


def gateways():
    """Return the gateways: name → what the switch says of it (state, status, profile, …).

    CLI Example:

    .. code-block:: bash

        salt '*' freeswitch.gateways
    """
    try:
        return fsha_freeswitch.parse_gateways(_ask("sofia xmlstatus gateway"))
    except fsha_run.RunError as error:
        raise CommandExecutionError(str(error)) from error


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
        raise SaltInvocationError(f"limit: a whole number is expected, not {limit!r}")
    text = _told("show registrations as json")
    try:
        data = json.loads(text)
        rows = data.get("rows", [])
    except (ValueError, AttributeError) as error:
        raise CommandExecutionError(f"The switch can't tell its registrations: {text[:80]}") from (
            error
        )
    return {"count": int(data.get("row_count", len(rows))), "registrations": rows[:limit]}


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
    where = Path(directory or _told("global_getvar conf_dir"))
    if not where.is_dir():
        raise CommandExecutionError(f"{where} is no directory: give directory=PATH")
    try:
        return fsha_switch_hash.config_hash(where, list(exclude))
    except OSError as error:
        raise CommandExecutionError(f"{error.filename}: {error.strerror}") from error


# --- telling ---------------------------------------------------------------------------------


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
        raise SaltInvocationError(
            f"direction: inbound, outbound or both is expected, not {direction!r}"
        )
    ways = DIRECTIONS[:2] if direction == "both" else (direction,)
    open_ = [way for way in ways if _told(f"fsctl pause_check {way}") != wanted]
    if not open_:
        return _answer(True, f"Nothing to do: {direction} is {verb}d already.", changed=[])
    if __opts__.get("test") if test is None else test:
        return _answer(None, f"Would {verb} {' and '.join(open_)}.", changed=open_)
    for way in open_:
        _told(f"fsctl {verb} {way}")
    left = [way for way in open_ if _told(f"fsctl pause_check {way}") != wanted]
    if left:
        return _answer(False, f"The switch did not {verb} {' and '.join(left)}.", changed=[])
    return _answer(True, f"{' and '.join(open_).capitalize()}: {verb}d.", changed=open_)


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
        raise SaltInvocationError(f"profile: a profile's name is expected, not {profile!r}")
    serves = fsha_freeswitch.stamped(_told("global_getvar core_uuid"))
    refusal = _no_right(wanted, serves, vips)
    if refusal:
        return _answer(False, f"Nothing was recovered: {refusal}")
    names = wanted or list(serves)
    if __opts__.get("test") if test is None else test:
        return _answer(None, f"Would recover the calls of {' and '.join(names)}.")
    legs = {name: _recovered(_told(f"sofia profile {name} recover")) for name in names}
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
    import fsha_config

    try:
        return list(fsha_config.check(__pillar__.get("fsha")).freeswitch.vips)
    except fsha_config.ConfigErrors as error:
        raise CommandExecutionError(str(error)) from error


def _recovered(text: str) -> int:
    found = re.match(r"Recovered (\d+)", text)
    return int(found[1]) if found else 0


def _answer(result: bool | None, comment: str, **facts: Any) -> dict[str, Any]:
    if result is False:
        __context__["retcode"] = 1
    return {"result": result, "comment": comment, **facts}
