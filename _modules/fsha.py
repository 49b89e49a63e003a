"""Operate the voice pair: see how it is, switch over, come back.

:depends: lxml in Salt's own Python; Pacemaker's command-line tools
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    import fsha_cib
    import fsha_cluster
    import fsha_commit
    import fsha_event
    import fsha_freeswitch
    import fsha_poll
    import fsha_run
    import fsha_screen
    import fsha_status
    import fsha_switch

    MISSING = ""
except ImportError as error:
    MISSING = str(error)

from salt.exceptions import CommandExecutionError

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha"

PREVIOUS = "fsha-previous-node"
# Where the formula puts the Event Socket's password unless the pillar names another file.
PASSWORD_FILE = "/etc/fsha/event_socket.password"  # noqa: S105  a path, no password
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
        this node's switch), ``fail_counts``, ``failures``, ``leftovers``, ``notes``.

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
        "leftovers": _leftovers(root),
        "notes": notes,
    }


def _service_data(seen: Any, root: Any, notes: list[str]) -> dict[str, Any]:
    try:
        service = fsha_switch.find_service(root)
    except fsha_switch.Refused as error:
        notes.extend(error.reasons)
        return {"id": "", "node": "", "vips": []}
    return {"id": service.id, "node": seen.serving(service.id), "vips": list(service.vips)}


def _leftovers(root: Any) -> list[str]:
    """Return the constraints that an operator's move or ban has left, holds marked as such."""
    ours = fsha_cib.owned(root)
    before = fsha_switch.previous_node(root, "", PREVIOUS)
    return [
        _leftover(e, before)
        for e in root.iterfind("configuration/constraints/rsc_location")
        if fsha_cib.OPERATOR_CONSTRAINT.match(e.get("id", "")) and e.get("id") not in ours
    ]


def _leftover(element: Any, before: str | None) -> str:
    node = element.get("node", "nodes by rule")
    shown = f"{element.get('id')}: {element.get('score', 'a rule')} on {node}"
    return f"{shown} (a hold: fsha.failback lifts it)" if node == before else shown


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
    told = (__pillar__.get("fsha") or {}).get("freeswitch") or {}
    written = PASSWORD_FILE if Path(PASSWORD_FILE).exists() else ""
    try:
        text = fsha_freeswitch.ask(
            "sofia xmlstatus",
            fs_cli=told.get("fs_cli", "fs_cli"),
            host=told.get("host", "127.0.0.1"),
            port=told.get("port", 8021),
            password_file=told.get("password_file", written),
        )
        return dict(fsha_freeswitch.parse_profiles(text))
    except fsha_run.RunError as error:
        notes.append(str(error))
        return {}


class _Bounds(NamedTuple):
    """An operator's numbers: seconds to wait, and the SIP port to ask (0 for none)."""

    timeout: float
    sip_port: int


# --- switchover ----------------------------------------------------------------------------


def failover(target=None, resource=None, timeout=60, sip_port=5060):
    """Switch the voice service over to the other node, and see that it serves there.

    target
        The node to switch to; in a pair it need not be named.
    resource
        The resource to move, where it is not clear which one carries voice.
    timeout
        Seconds that the other node has to take over.
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
    before = fsha_switch.previous_node(root, active, PREVIOUS)
    if before is None:
        raise fsha_switch.Refused(
            ["there is no earlier switchover to undo; fsha.failover moves the service"]
        )
    return before


def _check(seen: Any, root: Any, service: Any, active: str, target: str) -> None:
    """Refuse a switchover that cannot succeed, with every reason there is."""
    found = list(fsha_switch.obstacles(seen, service, target))
    ban = fsha_switch.bans(root, service.id).get(target)
    if ban and fsha_switch.previous_node(root, active, PREVIOUS) != target:
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
    fsha_cluster.note(PREVIOUS, active, pair)
    begun = time.monotonic()
    fsha_commit.change(lambda root: fsha_switch.rebanned(root, service.id, banned, pair))
    seen = fsha_poll.until(
        lambda: fsha_status.parse_status(fsha_cluster.status()),
        lambda s: s.serving(service.id) == target or fsha_switch.has_failed(s, service, target),
        bounds.timeout,
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
    fsha_commit.change(lambda root: fsha_switch.rebanned(root, service.id, [target], pair))
    back = fsha_poll.until(
        lambda: fsha_status.parse_status(fsha_cluster.status()),
        lambda s: s.serving(service.id) == active,
        RETURN_PATIENCE,
        f"{service.id} back on {active}",
        LOOK_EVERY,
    )
    returned = back.serving(service.id) == active
    kept = _lift(service, pair)
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
