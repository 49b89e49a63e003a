"""The verbs standby, online and maintenance: set or lift something, and note who and why."""

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime

from fshalib.change import annotation
from fshalib.change.annotation import BadAnnotation, Setting
from fshalib.cib import document
from fshalib.cib.document import Element
from fshalib.errors import LiveError, SwitchoverError
from fshalib.events import event as events_event
from fshalib.switchover import dangers, lock, operator_action
from fshalib.switchover import service as switchover_service
from fshalib.switchover.context import Answer, Context
from fshalib.switchover.service import SwitchoverRefused

ON_OR_OFF: dict[Hashable, bool] = {"on": True, "off": False, True: True, False: False}


def standby(
    context: Context, node: str | None, reason: object, ttl: object, force: object, now: datetime
) -> Answer:
    """Put a node into standby.

    node
        The node; without it, this one.
    reason, ttl
        Why, and how long it is meant to last.
    force
        ``True``: also when the service runs there.
    """

    def setting() -> Setting:
        where = node or context.cluster.this_node()
        note = annotation.annotate(context.by, reason, ttl, now)
        _refuse_serving(context, where, force)
        return annotation.standby(where, note)

    return _set(context, setting)


def online(context: Context, node: str | None, now: datetime) -> Answer:
    """End a node's standby; without ``node`` it is this one."""

    def setting() -> Setting:
        where = node or context.cluster.this_node()
        transient = context.cluster.noted(operator_action.STANDBY).get(where, "")
        return annotation.online(where, context.by, now, transient=bool(transient))

    return _set(context, setting)


def maintenance(
    context: Context, state: object, reason: object, ttl: object, now: datetime
) -> Answer:
    """Switch the cluster's maintenance mode ``on`` or ``off``."""
    on = ON_OR_OFF.get(state) if isinstance(state, Hashable) else None
    if on is None:
        return {"result": False, "comment": f"on or off is expected, not {state!r}.", "changes": {}}

    def setting() -> Setting:
        if not on:
            _refuse_two_holders(context)
            return annotation.no_maintenance(context.by, now)
        return annotation.maintenance(annotation.annotate(context.by, reason, ttl, now))

    return _set(context, setting)


def _set(context: Context, setting: Callable[[], Setting]) -> Answer:
    """Set or lift something on the operator's behalf, with an annotation, as one commit.

    setting
        Returns what is to be set, or raises what speaks against it.
    """
    try:
        busy = context.refuse_second()
        wanted = setting()
        root = context.cluster.cib()
        more = _warnings(context, wanted.edit(root))
        if not wanted.transient and document.render(root) == document.render(wanted.edit(root)):
            return _done(f"Nothing to do: {wanted.what}.{more}")
        changes = {wanted.subject: wanted.verb}
        if context.test:
            return _would_be(wanted, changes, busy, more)
        with context.alone(wanted.verb, wanted.about):
            failed = _committed(context, wanted)
    except SwitchoverError as error:
        return {"result": False, "comment": str(error), "changes": {}}
    except (lock.Busy, BadAnnotation) as error:
        return _not_done(f"{error}.")
    except LiveError as error:
        return _not_done(error)
    if failed is not None:
        return _not_done(failed)
    facts = {"verb": wanted.verb, **dataclasses.asdict(wanted.note)}
    context.send(events_event.OPERATOR, wanted.subject, facts)
    return _done(f"Done: {wanted.what}.{more}", changes)


def _done(comment: str, changes: Mapping[str, str] | None = None) -> Answer:
    return {"result": True, "comment": comment, "changes": dict(changes or {})}


def _would_be(wanted: Setting, changes: dict[str, str], busy: list[str], more: str) -> Answer:
    first = f"It would be refused now: {'; '.join(busy)}. " if busy else ""
    comment = f"{first}Would be set: {wanted.what}.{more}"
    return {"result": not busy, "comment": comment, "changes": changes}


def _not_done(why: object) -> Answer:
    return {"result": False, "comment": f"Nothing done: {why}", "changes": {}}


def _committed(context: Context, wanted: Setting) -> Exception | None:
    """Commit a setting; return why that failed, which is an end of the verb all the same."""
    try:
        context.cluster.change(wanted.edit)
        if wanted.transient:
            context.cluster.forget(wanted.transient, wanted.subject)
    except LiveError as error:
        return error
    return None


def _warnings(context: Context, root: Element) -> str:
    """Return what threatens once a CIB is in force, as the end of a comment."""
    found = dangers.maintenance(context.cluster.status(), root)
    return "".join(f" WARNING: {danger}" for danger in found)


def _refuse_two_holders(context: Context) -> None:
    """Refuse to end maintenance mode while two nodes have the address, or may have it then."""
    cluster = context.cluster
    for danger in dangers.maintenance(cluster.status(), cluster.cib()):
        if danger.kind in _AFTERWARDS:
            would = _AFTERWARDS[danger.kind]
            raise SwitchoverRefused([f"{danger.text}: the cluster would {would}; {danger.advice}"])


_AFTERWARDS = {dangers.LEFT: "start it here", dangers.TWICE: "stop both, with all calls"}
"""What the cluster would do about a danger as soon as maintenance mode is off."""


def _refuse_serving(context: Context, node: str, force: object) -> None:
    status, root = context.cluster.status(), context.cluster.cib()
    if force is True:
        return
    serving = [s.id for s in switchover_service.services(root) if node in status.active(*s.members)]
    if serving:
        raise SwitchoverRefused(
            [f"{serving[0]} serves on {node}: fsha.failover moves it first, or force=True"]
        )
