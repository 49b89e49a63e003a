"""Undoes an interrupted switchover whose service is still where it was: nothing is moved for it.

There is its record, perhaps bans that it has left, and perhaps a switch that refuses new calls.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from fshalib.cib.document import Element
from fshalib.errors import RunError, SwitchoverError
from fshalib.pacemaker.status import Status
from fshalib.switchover import bans, lock, preflight
from fshalib.switchover.context import Context
from fshalib.switchover.lock import RunningVerb
from fshalib.switchover.request import FAILBACK, FAILOVER, Arguments
from fshalib.switchover.service import Service, find_service

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AtHome:
    """A service on the node from which an interrupted switchover was to take it.

    ``last`` is the record of that, ``None`` when it is lost and only a ban of this node is left.
    ``banned`` are the nodes of the pair that a switchover has banned, ``pair`` both.
    """

    service: Service
    home: str
    pair: tuple[str, ...]
    banned: tuple[str, ...]
    last: RunningVerb | None

    @property
    def what(self) -> str:
        """What was interrupted."""
        return str(self.last) if self.last else "switchover that has left a ban"


def find(context: Context, status: Status, root: Element, arguments: Arguments) -> AtHome | None:
    """Return what is to be undone without a move; ``None`` when there is no such thing."""
    service = find_service(root, arguments.resource)
    home = status.serving(*service.members)
    interrupted = context.cluster.interrupted(arguments.me)
    last = next((o for o in interrupted if o.new and o.service == service.id), None)
    nodes = (last.old, last.new) if last else tuple(node.name for node in status.nodes)
    banned = tuple(node for node in bans.held(root, service) if node in nodes)
    if not home or (last.old != home if last else home not in banned):
        return None
    return AtHome(service, home, nodes, banned, last)


def undo(context: Context, arguments: Arguments, at_home: AtHome) -> str:
    """Undo it, or only tell what would be done; return that as sentences.

    Raises :class:`errors.SwitchoverError` when the service has left its node meanwhile, and
    :class:`errors.LiveError`.
    """
    last = at_home.last
    if context.test:
        bans_too = ", and its bans lifted" if at_home.banned else ""
        return f"{_nothing_moved(at_home)}; it would be forgotten{bans_too}."
    held = _lifted(context, arguments, at_home) if _may_have_banned(at_home) else ()
    refuses = _let_calls_in(context, arguments, last) if last else ""
    if last:
        context.cluster.forget(lock.ATTRIBUTE, last.node)
    return f"{_nothing_moved(at_home)}; it is forgotten{refuses}{_hold(at_home, held)}"


def _nothing_moved(at_home: AtHome) -> str:
    if at_home.last and not at_home.last.may_have_moved:
        return f"Nothing had moved of the {at_home.what}"
    where = f"{at_home.service.id} serves on {at_home.home}"
    return f"Nothing was moved: {where}, as before the {at_home.what}"


def _may_have_banned(at_home: AtHome) -> bool:
    return at_home.last is None or at_home.last.may_have_moved


def _lifted(context: Context, arguments: Arguments, at_home: AtHome) -> Sequence[str]:
    """Lift the bans that the service does not need to stay; return the nodes still banned."""
    cluster, service, home = context.cluster, at_home.service, at_home.home
    # Whoever is killed in here leaves a record of the same order: the next failback begins anew.
    other = next((node for node in at_home.pair if node != home), "")
    verb = at_home.last.verb if at_home.last else FAILOVER
    begun = lock.begun(verb, context.by, arguments.me, service.id, home, other)
    with cluster.hold(begun) as holder:
        holder.phase(lock.MOVE)
        if home in at_home.banned:
            cluster.change(lambda root: bans.rebanned(root, service, [], [home]))
        others = [node for node in at_home.banned if node != home]
        lifted = bans.rebanned(cluster.cib(), service, [], others)
        keep = others if others and not _stays(context, lifted, service) else []
        if others and not keep:
            cluster.change(lambda root: bans.rebanned(root, service, [], others))
        _note(context, at_home, keep)
        cluster.settle(arguments.bounds.timeout)
        now = cluster.status().serving(*service.members)
    if now != home:
        where = f"serves on {now}" if now else "serves nowhere"
        raise SwitchoverError(
            f"{service.id} has left {home} meanwhile and {where}: look at fsha.status, and give "
            "fsha.failback once more."
        )
    return keep


def _stays(context: Context, root: Element, service: Service) -> bool:
    return preflight.stays(context.cluster.simulate(root), service)


def _note(context: Context, at_home: AtHome, keep: Sequence[str]) -> None:
    """Note whose bans are left, and where a further failback is to go."""
    cluster, last = context.cluster, at_home.last
    service = at_home.service
    for part in service.parts:
        banned = " ".join(keep) if part in service.bases else ""
        cluster.note(f"{bans.BANNED}{part}", banned or bans.NOBODY, at_home.pair)
    if last and last.verb == FAILBACK:
        cluster.note(bans.PREVIOUS, last.new, at_home.pair)
    elif any(node != at_home.home for node in at_home.banned):
        # Its own way back has noted the node that did not take over.
        cluster.note(bans.PREVIOUS, at_home.home, at_home.pair)


def _let_calls_in(context: Context, arguments: Arguments, last: RunningVerb) -> str:
    """Let the switch take calls that a drain may have closed; return what is to be told of it."""
    can_be_drained = last.phase != lock.CHECK and last.node == last.old
    if not can_be_drained and last.phase != lock.DRAIN:
        return ""
    if last.node != arguments.me:
        when = "" if last.phase == lock.DRAIN else "If it refuses new calls: "
        return f". {when}fsha.undrain on {last.node} lets it take new calls"
    if last.phase != lock.DRAIN and not _is_paused(context):
        return ""
    context.freeswitch.resume()
    return ", and new calls are taken here"


def _is_paused(context: Context) -> bool:
    try:
        return context.freeswitch.paused()
    except RunError as error:
        log.info("a switch that can't be asked refuses no calls: %s", error)
        return False


def _hold(at_home: AtHome, held: Sequence[str]) -> str:
    if not held:
        return "."
    return (
        f". The hold stays that keeps {at_home.service.id} away from {' and '.join(held)}: "
        "fsha.failback lifts it."
    )
