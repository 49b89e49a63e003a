"""Export a running cluster as a pillar that makes no difference when the formula applies it.

A note names everything that the pillar cannot express, or leaves to somebody else. Then the
export proves itself: the pillar is checked, merged into the CIB that it came from, and every
change becomes a note.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fshalib.cib import normalize, nvset, obsolete, ownership, read, secrets, target, watchdog
from fshalib.cib import ownership as cib_ownership
from fshalib.cib.document import OWNERSHIP_TAG, Element
from fshalib.cib.element_schema import OTHER, UNUSED
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.objects import Object
from fshalib.cib.options import SERVER_WRITTEN
from fshalib.pillar import config
from fshalib.pillar.export_omit import Omission, omit
from fshalib.pillar.faults import faults
from fshalib.schema.report import Keys, path

NODE_STATE = frozenset({"standby", "maintenance"})


@dataclass(frozen=True)
class Exported:
    """A pillar's section ``fsha:pacemaker``, and a sentence for everything that is not in it."""

    pacemaker: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass
class _Notes:
    """Sentences, and the parts of objects that they account for: the object's id and its key."""

    sentences: list[str] = field(default_factory=list)
    parts: set[tuple[str, str]] = field(default_factory=set)

    def add(self, item: Object, what: str, *parts: str) -> None:
        self.sentences.append(f"{KINDS[item.kind].key}:{item.id}: {what}")
        self.parts.update((item.id, part) for part in parts)


def export(root: Element, rest: Mapping[str, Any] | None = None) -> Exported:
    """Return the pillar of a CIB.

    root
        The CIB, whoever built it.
    rest
        The pillar around it, with ``nodes``, if that is known.
    """
    notes = _Notes([f"{what}: the formula knows no such thing" for what in read.strangers(root)])
    section: dict[str, Any] = {}
    for item in _objects(root, notes):
        if _is_left_out(item, notes):
            continue
        spec = _pillar_spec(item, notes)
        if spec or KINDS[item.kind].name not in ("node", *_ONES):
            _put(section, item, spec)
    nodes = _node_names(root)
    omissions = omit(section, lambda raw: faults(raw, rest or {}, nodes))
    _prove(root, section, omissions, notes)
    return Exported(section, tuple(notes.sentences))


_ONES = tuple(name for name, kind in KINDS.items() if kind.one)


def _objects(root: Element, notes: _Notes) -> tuple[Object, ...]:
    """Return the objects of a CIB as Pacemaker understands them today."""
    objects = read.read_all(root)
    if not obsolete.is_old(root):
        return objects
    notes.sentences.append(
        f"the CIB is of the schema {root.get('validate-with')}, which Pacemaker since 2.0 turns "
        f"into a newer one each time it reads it; run {obsolete.UPGRADE} before the formula"
    )
    objects, renewed = obsolete.renewed(objects)
    for new in renewed:
        notes.add(Object(new.kind, new.id), f"{new.text}, as {obsolete.UPGRADE} has it", new.key)
    return objects


def _node_names(root: Element) -> frozenset[str]:
    """Return the names of all nodes, also of those that are known by their state alone."""
    nodes = (*root.iterfind("configuration/nodes/node"), *root.iterfind("status/node_state"))
    return frozenset(node.get("uname", "") for node in nodes) - {""}


def _is_left_out(item: Object, notes: _Notes) -> bool:
    if item.id == OWNERSHIP_TAG:
        return True
    if item.kind == "location" and ownership.OPERATOR_CONSTRAINT.match(item.id):
        notes.add(item, "an operator's move or ban; it stays in the cluster")
        return True
    return False


def _pillar_spec(item: Object, notes: _Notes) -> dict[str, Any]:
    """Return an object as pillar data, without settings of operators and of the cluster itself."""
    spec = {key: value for key, value in item.spec.items() if key not in (OTHER, UNUSED)}
    for what in item.spec.get(OTHER, ()):
        notes.add(item, f"{what} can't be expressed; the next run removes it", OTHER)
    for what in item.spec.get(UNUSED, ()):
        notes.add(item, f"{what}, so the cluster never uses it")
    if item.kind == "properties":
        _leave_out(spec, "sets", _servers_own(item), item, notes, "the cluster's own")
        _leave_out(spec, "sets", cib_ownership.OPERATOR_OPTIONS, item, notes, "an operator's")
        for name in sorted(obsolete.without_effect(item)):
            notes.add(item, f"{name} has no effect since Pacemaker 2.0, and stays as it is")
        spec["sets"] = _simple(spec["sets"].without(obsolete.without_effect(item)))
    if item.kind == "node":
        _leave_out(spec, "attributes", NODE_STATE, item, notes, "an operator's")
        if spec.get("type") == "member":
            del spec["type"]
    if "meta" in spec:
        _leave_out(spec, "meta", ownership.OPERATOR_META, item, notes, "an operator's")
    written = nvset.in_pillar(spec)
    return {key: _plain(value) for key, value in written.items() if value not in ({}, [])}


def _simple(sets: nvset.NvSets) -> nvset.NvSets:
    """Return properties without empty sets; where no rule decides, in one set."""
    if not sets.conditional:
        return nvset.NvSets.of(sets.plain_values())
    return nvset.NvSets.several(s for s in sets if s.values or not s.plain)


def _servers_own(properties: Object) -> frozenset[str]:
    """Return the properties that a pillar leaves to the cluster.

    Where a lost node's watchdog counts, the pillar says that sbd runs, or its check refuses it.
    """
    values = properties.values("sets")
    if watchdog.needs_sbd(values.get(watchdog.TIMEOUT)) and watchdog.is_true(
        values.get(watchdog.HAVE)
    ):
        return SERVER_WRITTEN - {watchdog.HAVE}
    return SERVER_WRITTEN


def _leave_out(
    spec: dict[str, Any],
    key: str,
    names: Collection[str],
    item: Object,
    notes: _Notes,
    whose: str,
) -> None:
    """Remove some values from the plain sets of a spec, with a note for each."""
    sets: nvset.NvSets = spec.get(key, nvset.NO_SETS)
    spec[key] = sets.without(names)
    plain = [given.values for given in sets if given.plain]
    gone = {n: text for values in plain for n, text in values.items() if n in names}
    for name, text in gone.items():
        notes.add(item, f"{name}={text} is {whose}, and stays as it is")


def _plain(value: Any) -> Any:
    """Return text as people would write it in YAML: ``true``, ``5``, else the text."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and len(value) < 16 and value.lstrip("-").isdecimal():
        return int(value) if str(int(value)) == value else value
    return value


def _put(section: dict[str, Any], item: Object, spec: dict[str, Any]) -> None:
    kind = KINDS[item.kind]
    if kind.one:
        section[kind.key] = spec.get("sets", {})
    else:
        section.setdefault(kind.key, {})[item.id] = spec


# --- what the pillar does not have ---------------------------------------------------------------


def _prove(
    root: Element, section: Mapping[str, Any], omissions: Iterable[Omission], notes: _Notes
) -> None:
    """Note what is left out, and every other change that a run with this pillar would make."""
    desired = target.DesiredObjects(config.check_kinds(section), complete=True)
    changes = target.target(root, desired).changes
    for omission in omissions:
        id, parts = _parts(omission.keys)
        hit = {part for part in _tops(changes.get(id, {})) if not parts or part in parts}
        notes.sentences.append(_sentence(omission, bool(hit)))
        notes.parts.update((id, part) for part in hit)
    for id, delta in changes.items():
        left = {p: change for p, change in delta.items() if (id, _top(p)) not in notes.parts}
        if left:
            shown = normalize.shown(secrets.masked(left))
            notes.sentences.append(f"{id}: the formula would change {shown}")


def _top(path: str) -> str:
    return path.partition(":")[0]


def _tops(delta: Iterable[str]) -> frozenset[str]:
    return frozenset(map(_top, delta))


def _parts(keys: Keys) -> tuple[str, tuple[str, ...]]:
    """Return the object that keys lead into, and the part of it; none for the whole."""
    kind = BY_KEY[str(keys[0])]
    if kind.one:
        return ONE_IDS[kind.name], ()
    return str(keys[1]), tuple(str(key) for key in keys[2:3])


def _sentence(omission: Omission, changes: bool) -> str:
    """Return the note of an omission.

    changes
        Whether the next run changes the cluster for it.
    """
    text = f"{path(omission.at, '')}: {omission.reason}"
    what = "" if omission.keys == omission.at else f"{path(omission.keys, '')} is "
    if omission.instead is not None:
        return f"{text} The cluster reads it as {omission.instead}, and so the next run writes it."
    then = "the next run removes it" if changes else "stays in the cluster as it is"
    return f"{text} {what or 'It is '}left out, and {then}."


# --- secrets ---------------------------------------------------------------------------------


def without_secrets(
    pillar: Mapping[str, Any], at: str = ""
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return pillar data with the values of secret-looking names hidden, and their paths.

    at
        The path of the data.
    """
    paths: list[str] = []

    def hide(data: Any, path: str) -> Any:
        if isinstance(data, Mapping):
            below = f"{path}:" if path else ""
            return {key: hide(item, f"{below}{key}") for key, item in data.items()}
        if isinstance(data, list):
            return [hide(item, f"{path}:{number}") for number, item in enumerate(data)]
        name = path.rpartition(":")[2]
        shown = secrets.masked({name: data})[name]
        if shown != data:
            paths.append(path)
        return shown

    return hide(pillar, at), tuple(paths)
