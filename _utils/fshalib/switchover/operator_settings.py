"""Operator actions: runtime state that someone has set on purpose, and how to lift it.

Standby, maintenance, bans, target roles and fail counts belong to the operator: they are
told, never undone. The CIB does not say when or by whom such a thing was set. It says so
of its own last change only, so that is told beside the actions and never as one's origin;
a fail count alone has a time of its own.

The commands were tried on Pacemaker 2.1. ``crm_resource`` takes more than it is asked to:
``--clear`` also takes a preference for the same node, which may be the pillar's own, and
``--delete-parameter`` on a group or clone takes its child's. Where that could happen the
command is one that deletes exactly this element.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, cast

from fshalib.change import annotation
from fshalib.cib import target, update
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.normalize import value
from fshalib.cib.objects import Object
from fshalib.cib.target import Element
from fshalib.cib.values import UnitError, is_infinite, parse_boolean, score_text, score_value
from fshalib.pacemaker.status import Status
from fshalib.schema.types import printable
from fshalib.switchover import service

STANDBY = "standby"
NODE_MAINTENANCE = "node-maintenance"
MAINTENANCE_MODE = "maintenance-mode"
STOP_ALL = "stop-all-resources"
UNMANAGED = "unmanaged"
TARGET_ROLE = "target-role"
BAN = "ban"
PREFERENCE = "preference"
HOLD = "hold"
FAIL_COUNT = "fail-count"
ACTIONS = (
    STANDBY, NODE_MAINTENANCE, MAINTENANCE_MODE, STOP_ALL, UNMANAGED, TARGET_ROLE,
    BAN, PREFERENCE, HOLD, FAIL_COUNT,
)  # fmt: skip

CLUSTER = "cluster"
DEFAULTS = "rsc_defaults"

Spoken = Mapping[str, frozenset[str]]
"""Object id → the names of attributes that the pillar itself sets."""

_LONGEST_LINE = 500


@dataclass(frozen=True)
class OperatorAction:
    """One thing that someone has set on purpose.

    ``kind`` is one of :data:`ACTIONS`, ``subject`` a node, a resource, :data:`CLUSTER` or
    :data:`DEFAULTS`, ``what`` what it does in words, ``node`` the one that it concerns, if
    any. ``since`` is its time in UTC (``2026-08-20T12:11:28Z``), ``None`` when the CIB can't
    tell; of a fail count, the time of the last failure. ``hint`` is the command that lifts it.
    ``by``, ``reason`` and ``until`` are what the formula's own verbs have remarked on it.
    """

    kind: str
    subject: str
    what: str
    node: str
    since: str | None
    hint: str
    by: str = ""
    reason: str = ""
    until: str | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it was to have been lifted by now; ``now`` with its time zone."""
        remark = annotation.Remark(self.by, self.reason, self.since or "", self.until)
        return remark.is_over(now.astimezone(timezone.utc))


@dataclass(frozen=True)
class LastChange:
    """Who last changed the CIB's configuration, and when; ``""`` or ``None`` if it isn't told."""

    when: str | None
    user: str
    client: str
    origin: str


def actions(
    root: Element, status: Status | None = None, wanted: Spoken | None = None
) -> tuple[OperatorAction, ...]:
    """Return what operators have set, the cluster's own matters first.

    root
        The tree of a whole CIB, with its status.
    status
        What ``crm_mon`` says: it knows the fail counts when the CIB came without a status.
    wanted
        Object id (of properties ``cib-bootstrap-options``, of defaults ``rsc-options``, of
        a node its name) → names of the attributes that the pillar sets itself, which are no
        operator's then. A constraint whose id is in it is the pillar's as a whole.
    """
    spoken: Spoken = MappingProxyType({}) if wanted is None else wanted
    found = [
        *_properties(root, spoken),
        *_nodes(root, spoken),
        *_defaults(root, spoken),
        *_resources(root, spoken),
        *_constraints(root, spoken),
        *_fail_counts(root, status),
    ]
    return tuple(found)


def spoken_for(pacemaker: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Return what a pillar sets itself, for :func:`actions`.

    pacemaker
        The section ``fsha:pacemaker``, checked or not: what is no mapping says nothing.
    """
    found: dict[str, frozenset[str]] = {}
    for key, kind in BY_KEY.items():
        given = pacemaker.get(key)
        if not isinstance(given, Mapping):
            continue
        if kind.one:
            found[ONE_IDS[kind.name]] = frozenset(map(str, given))
            continue
        for id, form in given.items():
            key_of_pairs = "attributes" if kind.name == "node" else "meta"
            part = form.get(key_of_pairs) if isinstance(form, Mapping) else None
            found[str(id)] = frozenset(map(str, part)) if isinstance(part, Mapping) else frozenset()
    return found


def spoken_by(objects: Iterable[Object]) -> dict[str, frozenset[str]]:
    """Return what wanted objects set themselves, for :func:`actions`."""
    found = {}
    for item in objects:
        key = "sets" if KINDS[item.kind].one else "attributes" if item.kind == "node" else "meta"
        found[item.id] = frozenset(item.values(key))
    return found


# --- name-value pairs ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Setting:
    """A name-value pair that holds, or does so while a rule does.

    ``id`` is the pair's; ``alone`` says that its object has no other pair of this name.
    """

    name: str
    text: str
    id: str
    holder: str
    conditional: bool
    alone: bool

    @property
    def canonical(self) -> str:
        return value(self.name, self.text)

    @property
    def shown(self) -> str:
        rule = " while its rule holds" if self.conditional else ""
        return f"{self.name}={self.canonical}{rule}"


def _settings(root: Element, holder: Element, tag: str) -> Iterator[_Setting]:
    """Yield the pairs of an object's sets as the cluster takes them: the first one counts."""
    all_sets = (_resolved(root, nvset) for nvset in holder.findall(tag))
    # What fsha itself stops in order to remove it is nobody's action.
    sets = [s for s in all_sets if s.find(f"nvpair[@name='{target.LEAVING}']") is None]
    found = [
        (nvset, pair, _resolved(root, pair))
        for nvset in sorted(sets, key=_rank)
        for pair in nvset.findall("nvpair")
    ]
    names = [pair.get("name", meant.get("name", "")) for _, pair, meant in found]
    settled: set[str] = set()
    for name, (nvset, _, meant) in zip(names, found, strict=True):
        if name in settled or meant.get("value") is None:
            continue
        conditional = nvset.find("rule") is not None
        if not conditional:
            settled.add(name)
        yield _Setting(
            name=name,
            text=meant.get("value", ""),
            id=meant.get("id", ""),
            holder=nvset.get("id", ""),
            conditional=conditional,
            alone=names.count(name) == 1,
        )


def _rank(nvset: Element) -> tuple[bool, int]:
    # Whatever their scores, the cluster reads its bootstrap options first.
    return nvset.get("id") != target.PROPERTY_SET, -_score(nvset.get("score", "0"))


def _resolved(root: Element, element: Element) -> Element:
    """Return what an element with ``id-ref`` stands for."""
    reference = element.get("id-ref")
    if reference is None:
        return element
    return next((e for e in root.iter(element.tag) if e.get("id") == reference), element)


def _score(text: str) -> int:
    try:
        return score_value(text)
    except UnitError:
        return 0


def _true(text: str) -> bool:
    try:
        return parse_boolean(text)
    except UnitError:
        return False


def _is_spoken(spoken: Spoken, name: str, *ids: str) -> bool:
    return any(name in spoken.get(id, ()) for id in ids)


def _command(*argv: str) -> str:
    return shlex.join(argv)


def _deletion(tag: str, id: str) -> str:
    """Return the command that deletes one element and nothing else."""
    text = target.render(update.fresh(tag, id))
    return _command("cibadmin", "--delete", "--xml-text", text)


# --- the cluster ---------------------------------------------------------------------------


_PROPERTIES = {
    "maintenance-mode": (MAINTENANCE_MODE, "the cluster neither watches nor touches any resource"),
    "stop-all-resources": (STOP_ALL, "the cluster keeps every resource stopped"),
}


def _properties(root: Element, spoken: Spoken) -> Iterator[OperatorAction]:
    section = root.find("configuration/crm_config")
    if section is None:
        return
    settings = list(_settings(root, section, "cluster_property_set"))
    for held in settings:
        if held.name not in _PROPERTIES or not _true(held.text):
            continue
        if _is_spoken(spoken, held.name, target.PROPERTY_SET, held.holder):
            continue
        kind, words = _PROPERTIES[held.name]
        plain = _command("crm_attribute", "--name", held.name, "--delete")
        hint = plain if _is_plain(held) else _deletion("nvpair", held.id)
        action = OperatorAction(kind, CLUSTER, f"{held.shown}: {words}", "", None, hint)
        yield _remarked(action, held.name, settings)


def _remarked(action: OperatorAction, name: str, settings: Iterable["_Setting"]) -> OperatorAction:
    """Return an action with what stands beside it about who did it, and why."""
    text = next((s.text for s in settings if s.name == annotation.NAMES.get(name)), "")
    found = annotation.parse(text)
    if found is None:
        return action
    verb = _VERBS.get(action.kind, "")
    return replace(
        action,
        since=found.since,
        by=found.by,
        reason=found.reason,
        until=found.until,
        hint=f"salt-call {verb}{f' {action.node}' if action.node else ''}" if verb else action.hint,
    )


_VERBS = {MAINTENANCE_MODE: "fsha.maintenance off", STANDBY: "fsha.online"}
"""What lifts an action that one of the formula's own verbs has set."""


def _is_plain(held: _Setting) -> bool:
    """Tell whether a command that goes by the name can only mean this pair."""
    return held.alone and not held.conditional


# --- nodes ---------------------------------------------------------------------------------


_NODE_ATTRIBUTES = {
    "standby": (STANDBY, "in standby: no resource runs there"),
    "maintenance": (NODE_MAINTENANCE, "in maintenance: no resource is watched or touched there"),
}


def _nodes(root: Element, spoken: Spoken) -> Iterator[OperatorAction]:
    for node in root.iterfind("configuration/nodes/node"):
        name = node.get("uname", node.get("id", ""))
        settings = list(_settings(root, node, "instance_attributes"))
        for held in settings:
            if _is_spoken(spoken, held.name, name, node.get("id", "")):
                continue
            plain = _node_command(name, held.name, "forever")
            for action in _node(held, name, "", plain if _is_plain(held) else None):
                yield _remarked(action, held.name, settings)
    for state, name in _states(root):
        for transient in state.findall("transient_attributes"):
            for held in _settings(root, transient, "instance_attributes"):
                # Never by editing the CIB: the cluster's own copy would write it again.
                command = _node_command(name, held.name, "reboot")
                yield from _node(held, name, " (until Pacemaker stops there)", command)


def _node(held: _Setting, name: str, until: str, command: str | None) -> Iterator[OperatorAction]:
    if held.name in _NODE_ATTRIBUTES and _true(held.text):
        kind, words = _NODE_ATTRIBUTES[held.name]
        rule = " (while its rule holds)" if held.conditional else ""
        hint = command or _deletion("nvpair", held.id)
        yield OperatorAction(kind, name, f"{words}{until}{rule}", name, None, hint)


def _node_command(node: str, name: str, lifetime: str) -> str:
    argv = ("crm_attribute", "--node", node, "--name", name, "--lifetime", lifetime, "--delete")
    return _command(*argv)


def _states(root: Element) -> Iterator[tuple[Element, str]]:
    """Yield each node's part of the status with the node's name."""
    names = {
        node.get("id", ""): node.get("uname", "")
        for node in root.iterfind("configuration/nodes/node")
    }
    for state in root.iterfind("status/node_state"):
        id = state.get("id", "")
        yield state, state.get("uname") or names.get(id) or id


# --- resources -----------------------------------------------------------------------------


_RESOURCE_TAGS = ("primitive", "group", "clone", "master", "bundle", "template")
_DEFAULT = ("default", "#default")
_AS_EVER = frozenset({"started", "promoted", "master", *_DEFAULT})
_ROLES = {
    "Stopped": "the cluster keeps it stopped",
    "Unpromoted": "the cluster does not promote it",
}


def _odd(held: _Setting) -> tuple[str, str] | None:
    """Return the kind of a meta attribute that keeps a resource from its work, in words too."""
    text = held.text.lower()
    if held.name == "target-role":
        return None if text in _AS_EVER else (TARGET_ROLE, _ROLES.get(held.canonical, ""))
    if held.name == "is-managed":
        # What is no boolean counts as false for Pacemaker.
        managed = text in _DEFAULT or _true(held.text)
        return None if managed else (UNMANAGED, "the cluster does not start, stop or recover it")
    if held.name == "maintenance" and _true(held.text):
        return UNMANAGED, "the cluster neither watches nor touches it"
    return None


def _defaults(root: Element, spoken: Spoken) -> Iterator[OperatorAction]:
    section = root.find("configuration/rsc_defaults")
    if section is None:
        return
    for held in _settings(root, section, "meta_attributes"):
        odd = _odd(held)
        if odd is None or _is_spoken(spoken, held.name, held.holder, ONE_IDS["resource_defaults"]):
            continue
        what = f"{held.shown} for every resource that does not say otherwise"
        yield OperatorAction(odd[0], DEFAULTS, what, "", None, _deletion("nvpair", held.id))


def _resources(root: Element, spoken: Spoken) -> Iterator[OperatorAction]:
    for top in root.iterfind("configuration/resources/*"):
        for element in top.iter(*_RESOURCE_TAGS):
            id = element.get("id", "")
            for held in _settings(root, element, "meta_attributes"):
                odd = _odd(held)
                if odd is None or _is_spoken(spoken, held.name, id):
                    continue
                what = f"{held.shown}: {odd[1]}" if odd[1] else held.shown
                yield OperatorAction(odd[0], id, what, "", None, _meta_command(top, element, held))


def _meta_command(top: Element, element: Element, held: _Setting) -> str:
    family = top.xpath(".//meta_attributes/nvpair[@name=$name]", name=held.name)
    single = len(cast("list[Element]", family)) == 1
    if not single or not _is_plain(held) or element.tag == "template":
        return _deletion("nvpair", held.id)
    argv = ("crm_resource", "--resource", element.get("id", ""), "--meta")
    return _command(*argv, "--delete-parameter", held.name)


# --- bans and preferences ------------------------------------------------------------------


def _constraints(root: Element, spoken: Spoken) -> Iterator[OperatorAction]:
    ours = target.owned(root) | set(spoken)
    for element in root.iterfind("configuration/constraints/*"):
        id = element.get("id", "")
        if target.OPERATOR_CONSTRAINT.match(id) and id not in ours:
            yield _constraint(root, element)


def _constraint(root: Element, element: Element) -> OperatorAction:
    id, resource, node = element.get("id", ""), _resource(element), _named_node(element)
    if id == service.ban_id(resource, node) and service.is_held(root, resource, node):
        what = f"kept away from {node} by a switchover that is being held ({id})"
        hint = _command("salt-call", "fsha.failback", f"resource={resource}")
        return OperatorAction(HOLD, resource, what, node, None, hint)
    prefers = id.startswith("cli-prefer-")
    verb = "drawn to" if prefers else "banned from"
    where = node or "nodes by a rule"
    what = f"{verb} {where}{_details(element)} ({id})"
    kind = PREFERENCE if prefers else BAN
    return OperatorAction(kind, resource, what, node, None, _clearing(root, element, node))


def _resource(element: Element) -> str:
    names = (element.get("rsc"), element.get("rsc-pattern"), element.get("id"))
    return next((name for name in names if name), "")


def _named_node(element: Element) -> str:
    """Return the node that a location names, itself or by the rule that crm_resource writes."""
    if element.get("node"):
        return element.get("node", "")
    named = [
        e.get("value", "")
        for e in element.iterfind("rule/expression")
        if e.get("attribute") == "#uname" and e.get("operation") == "eq"
    ]
    return named[0] if len(named) == 1 else ""


def _details(element: Element) -> str:
    """Return what else a location says: its role, a score that isn't infinite, its end."""
    parts = []
    role = value("role", element.get("role", "Started"))
    if role != "Started":
        parts.append(f" in the role {role}")
    rule = element.find("rule")
    score = element.get("score") or (None if rule is None else rule.get("score"))
    if score is not None and not _is_infinite(score):
        parts.append(f" with a score of {score}")
    parts += [f" until {e.get('end')}" for e in element.iter("date_expression") if e.get("end")]
    return "".join(parts)


def _is_infinite(score: str) -> bool:
    try:
        return is_infinite(score)
    except UnitError:
        return False


def _clearing(root: Element, element: Element, node: str) -> str:
    id, resource = element.get("id", ""), element.get("rsc", "")
    usual = {service.ban_id(resource, node), f"cli-prefer-{resource}"}
    cleared = [
        other
        for other in root.iterfind("configuration/constraints/rsc_location")
        if other.get("id") in usual and _named_node(other) == node
    ]
    # A constraint with a lifetime is not always cleared by its node's name.
    if cleared == [element] and element.get("node"):
        return _command("crm_resource", "--clear", "--resource", resource, "--node", node)
    return _deletion(str(element.tag), id)


# --- fail counts ---------------------------------------------------------------------------


_FAILURE = re.compile(
    r"(?P<what>fail-count|last-failure)-(?P<resource>[^#]+)(?:#(?P<operation>.+)_[0-9]+)?"
)


@dataclass(frozen=True)
class _Failures:
    """A part of the fail count of a resource on a node, or the time of its last failure."""

    resource: str
    operation: str
    count: int = 0
    last: int = 0


def _fail_counts(root: Element, status: Status | None) -> Iterator[OperatorAction]:
    if root.find("status") is None and status is not None:
        for known in status.fail_counts:
            yield _fail_count(known.resource, known.node, known.count, (), None)
    for state, node in _states(root):
        found = list(_failures(state))
        for resource in dict.fromkeys(part.resource for part in found if part.count):
            parts = [part for part in found if part.resource == resource]
            count = score_text(sum(part.count for part in parts))
            operations = {part.operation for part in parts if part.count and part.operation}
            last = max(part.last for part in parts)
            yield _fail_count(resource, node, count, sorted(operations), _utc(last))


def _failures(state: Element) -> Iterator[_Failures]:
    for pair in state.iterfind("transient_attributes//nvpair"):
        match = _FAILURE.fullmatch(pair.get("name", ""))
        if match is None:
            continue
        number = max(_score(pair.get("value", "")), 0)
        resource, operation = match["resource"], match["operation"] or ""
        if match["what"] == "fail-count":
            yield _Failures(resource, operation, count=number)
        else:
            yield _Failures(resource, operation, last=_seconds(pair.get("value", "")))


def _fail_count(
    resource: str, node: str, count: str, operations: Iterable[str], since: str | None
) -> OperatorAction:
    of = f" ({', '.join(operations)})" if operations else ""
    hint = _command("crm_resource", "--cleanup", "--resource", resource, "--node", node)
    return OperatorAction(
        FAIL_COUNT, resource, f"fail count {count} on {node}{of}", node, since, hint
    )


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


# --- times ---------------------------------------------------------------------------------


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# As ctime(3) writes it, in every locale: Thu Aug 20 12:11:28 2026.
_WRITTEN = re.compile(
    r"[A-Z][a-z]{2} +([A-Z][a-z]{2}) +([0-9]{1,2}) +([0-9]{2}):([0-9]{2}):([0-9]{2}) +([0-9]{4})"
)
_ISO = "%Y-%m-%dT%H:%M:%SZ"


def _utc(seconds: float) -> str | None:
    """Return a time as ISO 8601 in UTC; ``None`` for none, and for one that cannot be."""
    try:
        told = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    # Not by strftime, which leaves out the zeros of early years.
    return told.replace(tzinfo=None).isoformat(timespec="seconds") + "Z" if seconds else None


def last_change(root: Element) -> LastChange:
    """Return who last changed the CIB's configuration, and when, as the CIB itself says.

    The time is that of the clock, and taken to be in the time zone, of this machine.
    """
    return LastChange(
        when=_written(root.get("cib-last-written", "")),
        user=root.get("update-user", ""),
        client=root.get("update-client", ""),
        origin=root.get("update-origin", ""),
    )


def _written(text: str) -> str | None:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or match[1] not in _MONTHS:
        return None
    day, hour, minute, second, year = (int(match[group]) for group in range(2, 7))
    try:
        local = datetime(year, _MONTHS.index(match[1]) + 1, day, hour, minute, min(second, 59))
        return _utc(local.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def age(seconds: float) -> str:
    """Return a span of time in its two largest units, ``2 h 5 min``."""
    whole = int(seconds)
    for size, unit, part_size, part_unit in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
    ):
        if whole >= size:
            part = whole % size // part_size
            return f"{whole // size} {unit}" + (f" {part} {part_unit}" if part else "")
    return f"{whole // 60} min" if whole >= 60 else f"{whole} s"


def _ago(when: str, now: datetime) -> str:
    """Return a time for people; one that is still to come shows that a clock is wrong."""
    seconds = (now - datetime.strptime(when, _ISO).replace(tzinfo=timezone.utc)).total_seconds()
    return f"{age(seconds)} ago ({when})" if seconds >= 0 else f"at {when}, which is still to come"


# --- for people and for programs -----------------------------------------------------------


def as_lines(found: Sequence[OperatorAction], last: LastChange | None, now: datetime) -> list[str]:
    """Return a line for each action, and one on the CIB's last change; none without actions.

    now
        The time, with its time zone.
    """
    if not found:
        return []
    lines = [_line(action, now) for action in found]
    return lines if last is None else [*lines, *_last_line(last, now)]


def _line(action: OperatorAction, now: datetime) -> str:
    shown = f"{action.subject}: {action.what}"
    if action.kind == FAIL_COUNT and action.since is not None:
        shown += f", last failure {_ago(action.since, now)}"
    elif action.by:
        shown += f", by {action.by} {_ago(action.since or '', now)}: {action.reason}"
    if action.until is not None:
        over = "OVERDUE, it was to end" if action.is_overdue(now) else "until"
        shown += f" ({over} {action.until})"
    return printable(f"{shown}. To lift it: {action.hint}", _LONGEST_LINE)


def _last_line(last: LastChange, now: datetime) -> list[str]:
    parts = [_ago(last.when, now)] if last.when else []
    told = (("by", last.user), ("with", last.client), ("on", last.origin))
    parts += [f"{word} {name}" for word, name in told if name]
    line = f"last change of the CIB, which need not be one of these: {' '.join(parts)}"
    return [printable(line, _LONGEST_LINE)] if parts else []


def overdue(found: Sequence[OperatorAction], now: datetime) -> list[str]:
    """Return a line for each action that was to have been lifted by now."""
    return [_line(action, now) for action in found if action.is_overdue(now)]


def as_data(found: Sequence[OperatorAction], last: LastChange | None = None) -> dict[str, Any]:
    """Return the same as plain data for Salt's returns and events."""
    return {
        "actions": [asdict(action) for action in found],
        "last_change": None if last is None else asdict(last),
    }
