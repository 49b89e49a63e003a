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

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, cast

from fshalib.change import annotation
from fshalib.cib import leaving, target
from fshalib.cib.document import Element
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.normalize import value
from fshalib.cib.objects import Object
from fshalib.cib.values import UnitError, parse_boolean
from fshalib.pacemaker.status import Status
from fshalib.switchover.fail_counts import fail_counts
from fshalib.switchover.operator_action import (
    CLUSTER,
    DEFAULTS,
    MAINTENANCE_MODE,
    NODE_MAINTENANCE,
    STANDBY,
    STOP_ALL,
    TARGET_ROLE,
    UNMANAGED,
    OperatorAction,
    PillarAttributes,
    command,
    deletion,
    score,
    states,
)
from fshalib.switchover.operator_constraints import constraints


def actions(
    root: Element, status: Status | None = None, wanted: PillarAttributes | None = None
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
    in_pillar: PillarAttributes = MappingProxyType({}) if wanted is None else wanted
    found = [
        *_properties(root, in_pillar),
        *_nodes(root, in_pillar),
        *_defaults(root, in_pillar),
        *_resources(root, in_pillar),
        *constraints(root, in_pillar),
        *fail_counts(root, status),
    ]
    return tuple(found)


def attributes_in_pillar(pacemaker: Mapping[str, Any]) -> dict[str, frozenset[str]]:
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
        for id, spec in given.items():
            key_of_pairs = "attributes" if kind.name == "node" else "meta"
            part = spec.get(key_of_pairs) if isinstance(spec, Mapping) else None
            found[str(id)] = frozenset(map(str, part)) if isinstance(part, Mapping) else frozenset()
    return found


def attributes_of(objects: Iterable[Object]) -> dict[str, frozenset[str]]:
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
    sets = [s for s in all_sets if s.find(f"nvpair[@name='{leaving.LEAVING}']") is None]
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
    return nvset.get("id") != target.PROPERTY_SET, -score(nvset.get("score", "0"))


def _resolved(root: Element, element: Element) -> Element:
    """Return what an element with ``id-ref`` stands for."""
    reference = element.get("id-ref")
    if reference is None:
        return element
    return next((e for e in root.iter(element.tag) if e.get("id") == reference), element)


def _true(text: str) -> bool:
    try:
        return parse_boolean(text)
    except UnitError:
        return False


def _is_in_pillar(in_pillar: PillarAttributes, name: str, *ids: str) -> bool:
    return any(name in in_pillar.get(id, ()) for id in ids)


# --- the cluster ---------------------------------------------------------------------------


_PROPERTIES = {
    "maintenance-mode": (MAINTENANCE_MODE, "the cluster neither watches nor touches any resource"),
    "stop-all-resources": (STOP_ALL, "the cluster keeps every resource stopped"),
}


def _properties(root: Element, in_pillar: PillarAttributes) -> Iterator[OperatorAction]:
    section = root.find("configuration/crm_config")
    if section is None:
        return
    settings = list(_settings(root, section, "cluster_property_set"))
    for held in settings:
        if held.name not in _PROPERTIES or not _true(held.text):
            continue
        if _is_in_pillar(in_pillar, held.name, target.PROPERTY_SET, held.holder):
            continue
        kind, words = _PROPERTIES[held.name]
        plain = command("crm_attribute", "--name", held.name, "--delete")
        hint = plain if _is_plain(held) else deletion("nvpair", held.id)
        action = OperatorAction(kind, CLUSTER, f"{held.shown}: {words}", "", None, hint)
        yield _annotated(action, held.name, settings)


def _annotated(action: OperatorAction, name: str, settings: Iterable["_Setting"]) -> OperatorAction:
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


def _nodes(root: Element, in_pillar: PillarAttributes) -> Iterator[OperatorAction]:
    for node in root.iterfind("configuration/nodes/node"):
        name = node.get("uname", node.get("id", ""))
        settings = list(_settings(root, node, "instance_attributes"))
        for held in settings:
            if _is_in_pillar(in_pillar, held.name, name, node.get("id", "")):
                continue
            plain = _node_command(name, held.name, "forever")
            for action in _node(held, name, "", plain if _is_plain(held) else None):
                yield _annotated(action, held.name, settings)
    for state, name in states(root):
        for transient in state.findall("transient_attributes"):
            for held in _settings(root, transient, "instance_attributes"):
                # Never by editing the CIB: the cluster's own copy would write it again.
                command = _node_command(name, held.name, "reboot")
                yield from _node(held, name, " (until Pacemaker stops there)", command)


def _node(held: _Setting, name: str, until: str, command: str | None) -> Iterator[OperatorAction]:
    if held.name in _NODE_ATTRIBUTES and _true(held.text):
        kind, words = _NODE_ATTRIBUTES[held.name]
        rule = " (while its rule holds)" if held.conditional else ""
        hint = command or deletion("nvpair", held.id)
        yield OperatorAction(kind, name, f"{words}{until}{rule}", name, None, hint)


def _node_command(node: str, name: str, lifetime: str) -> str:
    argv = ("crm_attribute", "--node", node, "--name", name, "--lifetime", lifetime, "--delete")
    return command(*argv)


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


def _defaults(root: Element, in_pillar: PillarAttributes) -> Iterator[OperatorAction]:
    section = root.find("configuration/rsc_defaults")
    if section is None:
        return
    for held in _settings(root, section, "meta_attributes"):
        odd = _odd(held)
        if odd is None or _is_in_pillar(
            in_pillar, held.name, held.holder, ONE_IDS["resource_defaults"]
        ):
            continue
        what = f"{held.shown} for every resource that does not say otherwise"
        yield OperatorAction(odd[0], DEFAULTS, what, "", None, deletion("nvpair", held.id))


def _resources(root: Element, in_pillar: PillarAttributes) -> Iterator[OperatorAction]:
    for top in root.iterfind("configuration/resources/*"):
        for element in top.iter(*_RESOURCE_TAGS):
            id = element.get("id", "")
            for held in _settings(root, element, "meta_attributes"):
                odd = _odd(held)
                if odd is None or _is_in_pillar(in_pillar, held.name, id):
                    continue
                what = f"{held.shown}: {odd[1]}" if odd[1] else held.shown
                yield OperatorAction(odd[0], id, what, "", None, _meta_command(top, element, held))


def _meta_command(top: Element, element: Element, held: _Setting) -> str:
    family = top.xpath(".//meta_attributes/nvpair[@name=$name]", name=held.name)
    single = len(cast("list[Element]", family)) == 1
    if not single or not _is_plain(held) or element.tag == "template":
        return deletion("nvpair", held.id)
    argv = ("crm_resource", "--resource", element.get("id", ""), "--meta")
    return command(*argv, "--delete-parameter", held.name)
