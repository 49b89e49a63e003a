"""Options of schemas before Pacemaker 2, under the names and in the places of today.

Facts: ``upgrade-2.10.xsl`` of Pacemaker 2.1, which ``cibadmin --upgrade`` applies, and which every
Pacemaker since 2.0 applies to such a CIB each time it reads it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fshalib.cib.document import Element, schema
from fshalib.cib.kinds import KINDS, ONE_IDS
from fshalib.cib.nvset import NvSet, NvSets
from fshalib.cib.objects import Object

OLDEST = (3, 0)
"""The first schema that Pacemaker since 2.0 takes as it is."""
UPGRADE = "cibadmin --upgrade --force"

_DASHED = (
    "cluster-recheck-interval", "dc-deadtime", "election-timeout", "no-quorum-policy",
    "remove-after-stop", "shutdown-escalation", "startup-fencing", "stonith-action",
    "stonith-enabled", "stop-orphan-actions", "stop-orphan-resources", "symmetric-cluster",
)  # fmt: skip
_RENAMED: Mapping[str, str] = {
    **{name.replace("-", "_"): name for name in _DASHED},
    "transition_idle_timeout": "cluster-delay",
}
_MOVED: Mapping[str, tuple[str, str]] = {
    "default-resource-stickiness": ("resource_defaults", "resource-stickiness"),
    "is-managed-default": ("resource_defaults", "is-managed"),
    "default-action-timeout": ("operation_defaults", "timeout"),
}
_WITHOUT_EFFECT = frozenset(
    {"default-migration-threshold", "notification-agent", "notification-recipient"}
)
_FAILURE = "default-resource-failure-stickiness"
_PARAMETERS: Mapping[str, str] = {
    f"pcmk_{action}_cmd": f"pcmk_{action}_action"
    for action in ("list", "monitor", "off", "on", "reboot", "status")
}


@dataclass(frozen=True)
class Renewed:
    """What of an object has another name or place today.

    kind, id
        The object that has it now.
    key
        Its key that has changed.
    text
        What has become of what, for people.
    """

    kind: str
    id: str
    key: str
    text: str


def is_old(root: Element) -> bool:
    """Tell whether Pacemaker since 2.0 turns a CIB into a newer one each time it reads it."""
    return (0, 0) < schema(root) < OLDEST


def without_effect(properties: Object) -> frozenset[str]:
    """Return the properties that Pacemaker since 2.0 never reads in a CIB of today's schema."""
    values = properties.values("sets")
    return _gone(values) | (values.keys() & _RENAMED.keys())


def renewed(objects: Iterable[Object]) -> tuple[tuple[Object, ...], tuple[Renewed, ...]]:
    """Return the objects of such a CIB as Pacemaker understands them, and what is new in them."""
    found: list[Renewed] = []
    items = {(item.kind, item.id): item for item in objects}
    for key, item in list(items.items()):
        if item.kind == "properties":
            items[key] = _properties(item, items, found)
        elif item.kind == "node" and item.spec.get("type") == "normal":
            items[key] = Object(item.kind, item.id, {**item.spec, "type": "member"})
        elif "params" in item.spec:
            items[key] = _parameters(item, found)
    order = {name: number for number, name in enumerate(KINDS)}
    return tuple(sorted(items.values(), key=lambda item: order[item.kind])), tuple(found)


Items = dict[tuple[str, str], Object]


def _properties(item: Object, items: Items, found: list[Renewed]) -> Object:
    values = item.values("sets")
    kept = item.sets("sets").without(_gone(values))
    for old, text in values.items():
        name = old.replace("_", "-")
        if name in _MOVED or (name == _FAILURE and text == "-INFINITY"):
            _move(items, old, text, found)
        elif old in _RENAMED:
            new = _RENAMED[old]
            kept = kept.with_values({new: text})
            found.append(Renewed(item.kind, item.id, "values", f"{old} is {new} today"))
        elif name in _WITHOUT_EFFECT or name == _FAILURE:
            found.append(Renewed(item.kind, item.id, "", f"{old} has no effect any more"))
    return item.with_sets("sets", kept)


def _gone(values: Mapping[str, str]) -> frozenset[str]:
    gone = {*_MOVED, *_WITHOUT_EFFECT, _FAILURE}
    return frozenset(n for n in values if n in _RENAMED or n.replace("_", "-") in gone)


def _move(items: Items, old: str, text: str, found: list[Renewed]) -> None:
    """Put a property where it stands today, unless that is set there."""
    kind, name = _MOVED.get(old.replace("_", "-"), ("resource_defaults", "migration-threshold"))
    value = "1" if name == "migration-threshold" else text
    id = ONE_IDS[kind]
    there = items.get((kind, id), Object(kind, id))
    items[kind, id] = there.with_sets("sets", there.sets("sets").with_values({name: value}))
    where = f"{KINDS[kind].key}:{name}"
    found.append(Renewed(kind, id, "values", f"the property {old}={text} is {where} today"))


def _parameters(item: Object, found: list[Renewed]) -> Object:
    def renamed(nvset: NvSet) -> NvSet:
        values = {_PARAMETERS.get(name, name): text for name, text in nvset.values.items()}
        return NvSet(values, nvset.rule, nvset.score, nvset.id, nvset.id_ref)

    params = item.sets("params")
    for old in sorted({n for nvset in params for n in nvset.values if n in _PARAMETERS}):
        text = f"the parameter {old} is {_PARAMETERS[old]} today"
        found.append(Renewed(item.kind, item.id, "params", text))
    sets = tuple(map(renamed, params))
    return item.with_sets("params", NvSets(sets, params.listed))
