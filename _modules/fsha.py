"""Operate the voice pair: see how it is, switch over, come back.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import dataclasses
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    import fsha_actions
    import fsha_cib
    import fsha_cluster
    import fsha_commit
    import fsha_config
    import fsha_corosync
    import fsha_corosync_export
    import fsha_event
    import fsha_export
    import fsha_file
    import fsha_freeswitch
    import fsha_poll
    import fsha_run
    import fsha_screen
    import fsha_status
    import fsha_switch

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

import salt.utils.yaml
from salt.exceptions import CommandExecutionError, SaltInvocationError

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha"

COROSYNC_CONF = "/etc/corosync/corosync.conf"
LOOK_EVERY = 0.2
SIP_PATIENCE = 5.0
RETURN_PATIENCE = 120.0
LONGEST = 3600.0


def __virtual__():
    """Load when lxml is there; say what is missing otherwise."""
    if MISSING:
        return False, f"fsha: {MISSING}; the state fsha_python.lxml puts lxml in place."
    return __virtualname__


# --- status --------------------------------------------------------------------------------


def status(as_data=False):
    """Show how the pair is: nodes, rings, resources, who holds the VIP, profiles, leftovers.

    as_data
        Return the same as data instead of one page of text: ``nodes``, ``dc``, ``quorate``,
        ``rings``, ``service`` (``id``, ``node``, ``vips``), ``resources``, ``profiles`` (of
        this node's switch), ``fail_counts``, ``failures``, ``actions`` (what operators have
        set: standby, bans, holds …, with the command that lifts each), ``leftovers`` (the same
        as lines), ``notes``.

    Raises ``CommandExecutionError`` when the cluster cannot be asked.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.status
        salt-call --out=json fsha.status as_data=True
    """
    try:
        data = _status(*_look())
        return data if as_data else fsha_screen.screen(data)
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        raise CommandExecutionError(str(error)) from error


def _look() -> tuple[Any, Any]:
    seen = fsha_status.parse_status(fsha_cluster.status())
    return seen, fsha_cib.parse(fsha_cluster.query())


def _status(seen: Any, root: Any) -> dict[str, Any]:
    notes: list[str] = []
    service = _service_data(seen, root, notes)
    done = _operator_actions(seen, root)
    return {
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
        "leftovers": fsha_actions.as_lines(done, fsha_actions.last_change(root), _now()),
        "actions": fsha_actions.as_data(done, fsha_actions.last_change(root)),
        "notes": notes,
    }


def _service_data(seen: Any, root: Any, notes: list[str]) -> dict[str, Any]:
    try:
        service = fsha_switch.find_service(root)
    except fsha_switch.Refused as error:
        notes.extend(error.reasons)
        return {"id": "", "node": "", "vips": []}
    return {"id": service.id, "node": seen.serving(service.id), "vips": list(service.vips)}


def _operator_actions(seen: Any, root: Any) -> Any:
    """Return what operators have set; fail counts have a place of their own on the screen."""
    told = (__pillar__.get("fsha") or {}).get("pacemaker") or {}
    found = fsha_actions.actions(root, seen, fsha_actions.spoken_for(told))
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
    try:
        return dict(fsha_freeswitch.profiles(fsha_freeswitch.access(__pillar__)))
    except fsha_run.RunError as error:
        notes.append(str(error))
        return {}


class _Bounds(NamedTuple):
    """An operator's numbers: seconds to wait, and the SIP port to ask (0 for none)."""

    timeout: float
    sip_port: int


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
    except fsha_config.ConfigErrors as error:
        return _planned(False, str(error))
    cluster = told.get("cluster") or {}
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
        raise fsha_config.ConfigErrors(
            [fsha_config.ConfigError("fsha", "a pillar with the key fsha is expected.")]
        )
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
        return fsha_config.check(told).pacemaker.objects
    return fsha_config.check_pacemaker(told.get("pacemaker") or {})


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
        root = fsha_cib.parse(fsha_cluster.query())
        found = fsha_export.export(root)
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        raise CommandExecutionError(str(error)) from error
    pillar, notes = _corosync(corosync_conf, root)
    pillar["pacemaker"] = found.pacemaker
    notes = [*notes, *found.notes]
    if file is not None:
        fsha_file.replace(Path(file), _text(pillar, notes).encode("utf-8"), 0o600)
        return {"result": True, "comment": f"Written to {file}.", "notes": notes}
    pillar["pacemaker"], secrets = fsha_export.without_secrets(found.pacemaker, "pacemaker")
    notes += [f"{path}: a secret, left out here; file=PATH writes it" for path in secrets]
    return {"pillar": {"fsha": pillar}, "notes": notes} if as_data else _text(pillar, notes)


def _text(pillar: dict[str, Any], notes: list[str]) -> str:
    head = "".join(f"# {note}\n" for note in notes)
    body = salt.utils.yaml.safe_dump({"fsha": pillar}, default_flow_style=False, sort_keys=False)
    return head + body


def _corosync(path: Any, root: Any) -> tuple[dict[str, Any], list[str]]:
    """Return what corosync.conf says, as pillar, and notes about it."""
    if path is None and fsha_cluster.on_file():
        return {}, ["nodes and corosync: not read, since a file stands in for the cluster"]
    where = Path(path or COROSYNC_CONF)
    try:
        conf = fsha_corosync.parse(where.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [f"nodes and corosync: {where} can't be read: {error.strerror}"]
    except (UnicodeDecodeError, fsha_corosync.ConfError) as error:
        return {}, [f"nodes and corosync: {where}: {error}"]
    hosts = __salt__["corosync.known"](str(where))["hosts"]
    exported = fsha_corosync_export.export(conf, _networks(), fsha_cib.node_names(root), hosts)
    return dict(exported.pillar), list(exported.notes)


def _networks() -> list[str]:
    """Return the networks of this host's addresses."""
    found = [*__salt__["network.subnets"](), *__salt__["network.subnets6"]()]
    return [network for network in found if network]


# --- switchover ----------------------------------------------------------------------------


def failover(target=None, resource=None, timeout=60, sip_port=5060):
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

    The node that is left is banned until the service runs on the other one. The ban is
    lifted when the service then stays; where the configuration would bounce it back, it is
    kept as a *hold*, which :func:`failback` lifts.

    Returns ``result``, ``comment``, ``old``, ``new``, ``seconds`` (until the cluster had it
    started) and ``hold``.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.failover
        salt-call fsha.failover ubuntu-v20z
    """
    try:
        bounds = _bounds(timeout, sip_port)
        seen, root = _look()
        service = fsha_switch.find_service(root, resource)
        active = _active(seen, service)
        target = fsha_switch.choose_target(seen, active, target)
        _check(seen, root, service, active, target)
        return _move(service, active, target, [active], bounds)
    except fsha_switch.SwitchError as error:
        return _answer(False, str(error))
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        return _answer(False, f"Not switched over: {error}")


def failback(resource=None, timeout=60, sip_port=5060):
    """Undo the last switchover: lift the hold, or move the service back where it was.

    resource, timeout, sip_port
        As for :func:`failover`.

    Returns what :func:`failover` returns.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.failback
    """
    try:
        bounds = _bounds(timeout, sip_port)
        seen, root = _look()
        service = fsha_switch.find_service(root, resource)
        active = _active(seen, service)
        target = _where_before(root, active)
        fsha_switch.choose_target(seen, active, target)
        lifted = fsha_switch.rebanned(root, service.id, [], [target])
        comes_back = fsha_switch.would_serve(fsha_switch.simulate(lifted), service) == target
        banned = [] if comes_back else [active]
        obstacles = fsha_switch.obstacles(seen, service, target)
        if obstacles:
            raise fsha_switch.Refused(obstacles)
        return _move(service, active, target, banned, bounds)
    except fsha_switch.SwitchError as error:
        return _answer(False, str(error))
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        return _answer(False, f"Not switched back: {error}")


def _active(seen: Any, service: Any) -> str:
    nodes = seen.active(service.id)
    if len(nodes) != 1:
        where = f"on {', '.join(nodes)}" if nodes else "nowhere"
        raise fsha_switch.Refused([f"{service.id} runs {where}; look at fsha.status first"])
    return nodes[0]


def _bounds(timeout: Any, sip_port: Any) -> _Bounds:
    """Return an operator's numbers, or refuse what is none."""
    try:
        bounds = _Bounds(float(timeout), int(sip_port))
    except (TypeError, ValueError) as error:
        raise fsha_switch.Refused([f"timeout and sip_port have to be numbers ({error})"]) from error
    if not 0 < bounds.timeout <= LONGEST or not 0 <= bounds.sip_port <= 65535:
        raise fsha_switch.Refused(
            [f"timeout has to lie between 0 and {LONGEST:g} s, sip_port between 0 and 65535"]
        )
    return bounds


def _where_before(root: Any, active: str) -> str:
    before = fsha_switch.previous_node(root, active, fsha_actions.PREVIOUS)
    if before is None:
        raise fsha_switch.Refused(
            ["there is no earlier switchover to undo; fsha.failover moves the service"]
        )
    return before


def _check(seen: Any, root: Any, service: Any, active: str, target: str) -> None:
    """Refuse a switchover that cannot succeed, with every reason there is."""
    found = list(fsha_switch.obstacles(seen, service, target))
    ban = fsha_switch.bans(root, service.id).get(target)
    if ban and fsha_switch.previous_node(root, active, fsha_actions.PREVIOUS) != target:
        found.append(
            f"{target} was banned by hand ({ban}); lift that first with "
            f"'crm_resource --clear --resource {service.id} --node {target}'"
        )
    moved = fsha_switch.rebanned(root, service.id, [active], [target])
    transition = fsha_switch.simulate(moved)
    if not found and fsha_switch.would_serve(transition, service) != target:
        actions = "; ".join(str(action) for action in transition.actions) or "do nothing"
        found.append(f"the cluster would not start {service.id} on {target}; it would: {actions}")
    if found:
        raise fsha_switch.Refused(found)


def _move(
    service: Any, active: str, target: str, banned: list[str], bounds: _Bounds
) -> dict[str, Any]:
    """Move the service by bans and say what became of it."""
    _announce(service, "started", active, target, {})
    try:
        return _moved(service, active, target, banned, bounds)
    except (fsha_run.RunError, fsha_cib.CibError) as error:
        _announce(service, "failed", active, target, {"why": str(error)})
        comment = (
            f"The switchover of {service.id} from {active} to {target} was broken off: {error} "
            "Look at fsha.status: a ban may be left, which fsha.failback lifts."
        )
        return _answer(False, comment, old=active)


def _moved(
    service: Any, active: str, target: str, banned: list[str], bounds: _Bounds
) -> dict[str, Any]:
    """Move the service, verify it, and lift every ban that is not needed to stay."""
    pair = [active, target]
    # Noted before anything moves, so that failback knows the way even if this run is killed.
    fsha_cluster.note(fsha_actions.PREVIOUS, active, pair)
    begun = time.monotonic()
    fsha_commit.change(lambda root: fsha_switch.rebanned(root, service.id, banned, pair))
    seen = fsha_poll.until(
        lambda: fsha_status.parse_status(fsha_cluster.status()),
        lambda s: s.serving(service.id) == target or fsha_switch.has_failed(s, service, target),
        bounds.timeout + service.drain,
        f"{service.id} on {target}",
        LOOK_EVERY,
    )
    seconds = round(time.monotonic() - begun, 2)
    if seen.serving(service.id) != target:
        return _give_up(service, active, target, seen, seconds)
    silent = _silent(service, bounds.sip_port)
    hold = _lift(service, pair)
    facts = {"old": active, "new": target, "seconds": seconds, "hold": hold}
    if silent:
        comment = (
            f"{service.id} runs on {target}, but nobody answers SIP on {', '.join(silent)} "
            f"port {bounds.sip_port}. Look at fsha.status on {target}; fsha.failback goes back."
        )
        _announce(service, "failed", active, target, {**facts, "silent": silent})
        return _answer(False, comment, **facts)
    comment = f"{service.id} moved from {active} to {target} in {seconds} s and serves there."
    if hold:
        comment += (
            f" The configuration prefers {active}, so the ban of {active} is kept as a hold: "
            "it stays until fsha.failback."
        )
    _announce(service, "finished", active, target, facts)
    return _answer(True, comment, **facts)


def _silent(service: Any, sip_port: int) -> list[str]:
    """Return the floating addresses that do not answer SIP OPTIONS."""
    if not sip_port:
        return []
    return [
        vip
        for vip in service.vips
        if not fsha_poll.until(
            lambda vip=vip: fsha_run.sip_options(vip, sip_port),
            bool,
            SIP_PATIENCE,
            f"SIP on {vip}",
            LOOK_EVERY,
        )
    ]


def _lift(service: Any, pair: list[str]) -> bool:
    """Lift the pair's bans when the service then stays where it is; tell whether one is kept."""
    root = fsha_cib.parse(fsha_cluster.query())
    held = set(fsha_switch.bans(root, service.id)) & set(pair)
    lifted = fsha_switch.rebanned(root, service.id, [], pair)
    if held and not fsha_switch.stays(fsha_switch.simulate(lifted), service):
        return True
    fsha_commit.change(lambda root: fsha_switch.rebanned(root, service.id, [], pair))
    return False


def _give_up(service: Any, active: str, target: str, seen: Any, seconds: float) -> dict[str, Any]:
    """Let the service go back to the node it came from, and say why."""
    why = "; ".join(seen.complaints(service.id))
    pair = [active, target]
    # The target is what is banned now: whatever breaks off below, this is no ban made by hand.
    fsha_cluster.note(fsha_actions.PREVIOUS, target, pair)
    fsha_commit.change(lambda root: fsha_switch.rebanned(root, service.id, [target], pair))
    back = fsha_poll.until(
        lambda: fsha_status.parse_status(fsha_cluster.status()),
        lambda s: s.serving(service.id) == active,
        RETURN_PATIENCE,
        f"{service.id} back on {active}",
        LOOK_EVERY,
    )
    returned = back.serving(service.id) == active
    if returned:
        kept = _lift(service, pair)
    else:
        # It serves nowhere: a ban would keep it so when the fault is mended.
        fsha_commit.change(lambda root: fsha_switch.rebanned(root, service.id, [], pair))
        kept = False
    if not kept:
        fsha_cluster.note(fsha_actions.PREVIOUS, active, pair)
    _announce(service, "failed", active, target, {"why": why, "returned": returned})
    where = f"It is back on {active}." if returned else f"It DOES NOT SERVE on {active} either."
    comment = f"{target} did not take {service.id} over ({seconds:g} s): {why}. {where}"
    return _answer(False, comment, old=active, new=active if returned else "", hold=kept)


def _announce(service: Any, phase: str, old: str, new: str, facts: dict[str, Any]) -> None:
    fsha_event.send(
        __salt__["event.send"],
        fsha_event.FAILOVER,
        service.id,
        __opts__["id"],
        {"phase": phase, "old": old, "new": new, **facts},
    )


def _answer(result: bool, comment: str, **facts: Any) -> dict[str, Any]:
    answer = {"result": result, "comment": comment, "old": "", "new": "", "seconds": None}
    return {**answer, "hold": False, **facts}
