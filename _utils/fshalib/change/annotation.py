"""Who set something on purpose, why, since when and until when: written beside it in the CIB.

The CIB does not say who has set what in it. So the formula's own verbs leave an annotation: a
pair of their own beside ``standby`` or ``maintenance-mode``, in the same commit.
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from lxml import etree

from fshalib.cib import target
from fshalib.cib.document import Element
from fshalib.cib.values import UnitError, parse_duration
from fshalib.errors import ValueTextError

NAMES: Mapping[str, str] = {"standby": "fsha-standby", "maintenance-mode": "fsha-maintenance"}
"""What is annotated → the name of the pair with the annotation."""
LONGEST = timedelta(days=365)
FORM = "%Y-%m-%dT%H:%M:%SZ"


class BadAnnotation(ValueTextError):
    """An annotation that nobody could use; the text says which part and what is expected."""


@dataclass(frozen=True)
class Annotation:
    """``by`` whom, the ``reason``, ``since`` and ``until`` when (UTC, ``2026-08-20T12:11:28Z``)."""

    by: str
    reason: str
    since: str
    until: str | None = None

    def is_over(self, now: datetime) -> bool:
        """Tell whether it was to have ended by now."""
        return self.until is not None and self.until <= now.strftime(FORM)


def annotate(by: str, reason: object, ttl: object, now: datetime) -> Annotation:
    """Return an annotation.

    reason
        Text, not empty.
    ttl
        How long it is meant to last: seconds or a duration (``2h``); ``None`` for no end.

    Raises :class:`BadAnnotation`.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise BadAnnotation("a reason is expected, for those who come after you: reason='…'")
    until = None if ttl is None else (now + _lasting(ttl)).strftime(FORM)
    return Annotation(by, " ".join(reason.split())[:200], now.strftime(FORM), until)


def _lasting(ttl: object) -> timedelta:
    try:
        lasting = timedelta(milliseconds=parse_duration(str(ttl)))
    except UnitError as error:
        raise BadAnnotation(f"ttl: a duration such as 2h is expected, not {ttl!r}") from error
    if isinstance(ttl, bool) or not timedelta(0) < lasting <= LONGEST:
        raise BadAnnotation(f"ttl: more than nothing and at most {LONGEST.days} days, not {ttl!r}")
    return lasting


def parse(text: str) -> Annotation | None:
    """Return the annotation that a pair's value is, ``None`` for anything else."""
    try:
        data: Any = json.loads(text)
        found = Annotation(**data)
    except (ValueError, TypeError):
        return None
    texts = (found.by, found.reason)
    times = (found.since, *(() if found.until is None else (found.until,)))
    return found if all(isinstance(t, str) for t in texts) and all(map(_is_time, times)) else None


def _is_time(text: object) -> bool:
    try:
        return bool(datetime.strptime(str(text), FORM)) and isinstance(text, str)
    except ValueError:
        return False


# --- what an operator sets --------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """Something that is set or lifted by ``verb`` on a ``subject``, and ``what`` is the case then.

    ``note`` is who and why, ``edit`` returns a copy of a CIB in which it is so, ``about`` is what
    others are told that it is about, ``transient`` the attribute of the subject's status that has
    to go as well, if any.
    """

    verb: str
    subject: str
    what: str
    note: Annotation
    edit: Callable[[Element], Element]
    about: str
    transient: str = ""


def standby(node: str, note: Annotation) -> Setting:
    """Return how a node is put into standby."""
    edit = partial(set_on_node, node=node, name="standby", value="on", note=note)
    return Setting("standby", node, f"{node} is in standby", note, edit, node)


def online(node: str, by: str, now: datetime, *, transient: bool = False) -> Setting:
    """Return how a node's standby is ended, with its annotation.

    transient
        Whether it is in one that lasts until Pacemaker stops there (``crm_standby -l reboot``).
    """
    edit = partial(set_on_node, node=node, name="standby", value=None, note=None)
    over = Annotation(by, "", now.strftime(FORM))
    name = "standby" if transient else ""
    return Setting("online", node, f"{node} is online", over, edit, node, name)


def maintenance(note: Annotation) -> Setting:
    """Return how maintenance mode is switched on."""
    edit = partial(set_on_cluster, name="maintenance-mode", value="true", note=note)
    return Setting("maintenance", "on", "maintenance mode is on", note, edit, "the cluster")


def no_maintenance(by: str, now: datetime) -> Setting:
    """Return how maintenance mode is switched off, and its annotation removed."""
    edit = partial(set_on_cluster, name="maintenance-mode", value=None, note=None)
    over = Annotation(by, "over", now.strftime(FORM))
    return Setting("maintenance", "off", "maintenance mode is off", over, edit, "the cluster")


# --- in the CIB ------------------------------------------------------------------------------


def set_on_cluster(root: Element, name: str, value: str | None, note: Annotation | None) -> Element:
    """Return a copy of a CIB with a cluster property and its annotation set, or both removed."""
    new = copy.deepcopy(root)
    section = cast(Element, new.find("configuration/crm_config"))
    _set(section, "cluster_property_set", target.PROPERTY_SET, name, value, note)
    return new


def set_on_node(
    root: Element, node: str, name: str, value: str | None, note: Annotation | None
) -> Element:
    """Return a copy of a CIB with a node's attribute and its annotation set, or both removed.

    Raises :class:`BadAnnotation` for a node that is not in it.
    """
    new = copy.deepcopy(root)
    found = new.xpath("configuration/nodes/node[@uname=$node]", node=node)
    if not found:
        raise BadAnnotation(f"{node} is no node of this cluster")
    holder = cast("list[Element]", found)[0]
    _set(holder, "instance_attributes", f"nodes-{holder.get('id')}", name, value, note)
    return new


def _set(
    holder: Element, tag: str, id: str, name: str, value: str | None, note: Annotation | None
) -> None:
    text = None if note is None else json.dumps(asdict(note), separators=(",", ":"))
    for key, content in ((name, value), (NAMES[name], text)):
        pairs = [p for p in holder.iterfind(f"{tag}/nvpair") if p.get("name") == key]
        for pair in pairs[1:] if content is not None else pairs:
            cast(Element, pair.getparent()).remove(pair)
        if content is None:
            continue
        if pairs:
            pairs[0].set("value", content)
        else:
            nvset = holder.find(tag)
            if nvset is None:
                nvset = etree.SubElement(holder, tag, {"id": id})
            more = {"id": f"{nvset.get('id')}-{key}", "name": key, "value": content}
            etree.SubElement(nvset, "nvpair", more)
