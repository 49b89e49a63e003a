"""The CIB as data: read it, merge what is wanted, tell the difference, keep ownership.

The target of a run is always *the live CIB with the wanted objects merged in*: ids, order
and everything that the operator or the cluster itself has written stay as they are, so the
patch between the two holds nothing but the change.

Nothing here runs a program or knows of Salt.
"""

# ruff: noqa: N818
# Errors are named for what has happened.

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from lxml import etree

from fshalib.cib import shared_nvsets, update
from fshalib.cib.document import (
    EMPTY,
    OWNERSHIP_TAG,
    CibError,
    Document,
    Element,
    NotACib,
    Version,
    configuration_only,
    next_version,
    parse,
    render,
    schema,
    version,
)
from fshalib.cib.element_schema import OTHER, UNUSED, Reading
from fshalib.cib.fields import RESOURCE_TAGS, is_plain
from fshalib.cib.kinds import BY_TAG, KINDS, ONE_IDS, Kind, normal
from fshalib.cib.normalize import Normal, changes, masked, value
from fshalib.cib.objects import Object, plain_values

__all__ = [
    "EMPTY",
    "CibError",
    "Element",
    "IdInUse",
    "NotACib",
    "Target",
    "UnknownMember",
    "UnknownReference",
    "Version",
    "Wanted",
    "configuration_only",
    "next_version",
    "parse",
    "render",
    "target",
    "version",
]

PROPERTY_SET = ONE_IDS["properties"]
# Constraints that crm_resource, crmsh and pcs make for an operator's move or ban.
OPERATOR_CONSTRAINT = re.compile(r"cli-(ban|prefer|standby)-")
# What an operator sets on a running resource; not compared unless the pillar names it.
OPERATOR_META = frozenset({"target-role", "is-managed", "maintenance"})
# A container that holds nothing any more is no resource, and no schema allows it.
_HOLLOW_TAGS = ("group", "clone", "master")
# Sections whose elements are whole objects with an id of their own.
_OBJECT_SECTIONS = ("resources", "constraints", "fencing-topology", "acls", "tags", "alerts")
# Tags may name what has no XML id since this schema.
_TAGS_OF_TEXT = (3, 3)

Defaults = Callable[[str], Mapping[str, str]]
"""Returns the defaults of an agent's parameters, by the agent's name."""


class IdInUse(CibError):
    """An id that is wanted for one kind of object belongs to another kind."""

    def __init__(self, id: str, wanted: str, found: str) -> None:
        self.id, self.wanted, self.found = id, wanted, found
        super().__init__(
            f"{id}: the cluster already has a {found} of this name, a {wanted} is wanted. "
            f"Remove the {found} or choose another name."
        )


class UnknownReference(CibError):
    """An object refers to something that is not there, or would be removed."""

    def __init__(self, owner: str, id: str) -> None:
        self.owner, self.id = owner, id
        super().__init__(
            f"{owner} refers to {id}, which neither is in the cluster nor is wanted there."
        )


class CannotRestore(CibError):
    """An earlier configuration holds, or lacks, what no object can express."""

    def __init__(self, lost: tuple[str, ...]) -> None:
        self.lost = lost
        super().__init__(
            f"This configuration can't be restored object by object, for it differs in what the "
            f"formula cannot express: {'; '.join(lost)}. Change that by hand first."
        )


class UnknownMember(CibError):
    """A group, clone or bundle names a resource that is neither in the cluster nor wanted."""

    def __init__(self, container: str, member: str) -> None:
        self.container, self.member = container, member
        super().__init__(f"{container}: the member {member} does not exist.")


# --- reading -------------------------------------------------------------------------------


def find(root: Element, id: str) -> Element | None:
    """Return the configuration's element with this id; a mere reference to it is none."""
    return Document(root).find(id)


def _locate(document: Document, kind: Kind, id: str) -> Element | None:
    """Return the element of an object, or raise :class:`IdInUse`."""
    if kind.one:
        return document.configuration.find(kind.section)
    if kind.name == "node":
        return next((n for n in document.children("nodes") if n.get("uname") == id), None)
    if kind.name == "acl_user":
        return next((u for u in document.children("acls") if _is(u, kind, id)), None)
    element = document.find(id)
    if element is not None and BY_TAG.get(str(element.tag)) is not kind:
        found = BY_TAG.get(str(element.tag))
        raise IdInUse(id, kind.word, found.word if found else str(element.tag))
    return element


def _is(element: Element, kind: Kind, id: str) -> bool:
    return element.tag == kind.shape.tag and element.get("id") == id


def read_element(element: Element, referenced: frozenset[str] = frozenset()) -> Object:
    """Return an element of a known kind as an object; what it can't express is in its form."""
    kind = BY_TAG[str(element.tag)]
    reading = Reading(referenced)
    form = kind.shape.read(element, reading)
    if element.tag == "master":
        _as_clone(form)
    if kind.name == "node":
        # The id and the name of a node are the cluster's own.
        reading.strange = [s for s in reading.strange if not s.startswith("uname=")]
    notes = ((OTHER, reading.strange), (UNUSED, reading.unused))
    form.update({key: found for key, found in notes if found})
    return Object(kind.name, _name(element), form)


def _name(element: Element) -> str:
    """Return the id of the object that an element of a known kind is."""
    kind = BY_TAG[str(element.tag)]
    if kind.one:
        return ONE_IDS[kind.name]
    return element.get("uname" if kind.name == "node" else "id", "")


def _as_clone(form: dict[str, Any]) -> None:
    meta = form.get("meta", {})
    if isinstance(meta, Mapping):
        form["meta"] = {**meta, "promotable": "true"}
    else:
        form["meta"] = [*meta, {"values": {"promotable": "true"}}]


def read_all(root: Element) -> tuple[Object, ...]:
    """Return every object of a configuration, in the order of the kinds.

    What is of no known kind is not among them: see :func:`strangers`.
    """
    document = Document(root)
    referenced = document.referenced()
    found = [read_element(element, referenced) for element in _elements(document)]
    found = [item for item in found if not KINDS[item.kind].one or _says_something(item)]
    order = {name: number for number, name in enumerate(KINDS)}
    return tuple(sorted(found, key=lambda item: order[item.kind]))


def _says_something(item: Object) -> bool:
    return any((normal(item) or {}).values())


def strangers(root: Element) -> tuple[str, ...]:
    """Return short descriptions of what in a configuration is of no known kind."""
    sections = {kind.section for kind in KINDS.values()}
    document = Document(root)
    found = [
        f"<{s.tag}>" for s in document.configuration.iterchildren("*") if s.tag not in sections
    ]
    for name in _OBJECT_SECTIONS:
        found += [
            f"<{child.tag}> {child.get('id', '')} in <{name}>"
            for child in document.children(name)
            if child.tag not in BY_TAG
        ]
    return tuple(found)


def _elements(document: Document) -> Iterator[Element]:
    """Yield the elements of all objects of known kinds."""
    for kind in KINDS.values():
        section = document.configuration.find(kind.section)
        if kind.one and section is not None and len(section):
            yield section
    yield from document.children("nodes")
    for name in _OBJECT_SECTIONS:
        for child in document.children(name):
            yield from (e for e in _with_contents(child) if e.tag in BY_TAG)


def _with_contents(element: Element) -> Iterator[Element]:
    """Yield a resource and all that it contains, or any other element alone."""
    if element.tag in RESOURCE_TAGS:
        return element.iter(*RESOURCE_TAGS)
    return iter([element])


def read(root: Element | Document, like: Object) -> Object | None:
    """Return the live counterpart of an object, ``None`` when there is none of its kind."""
    document = root if isinstance(root, Document) else Document(root)
    kind = KINDS[like.kind]
    try:
        element = _locate(document, kind, like.id)
    except IdInUse:
        return None
    return None if element is None else read_element(element, document.referenced())


# --- what is compared ------------------------------------------------------------------------


def _kept(live: Object | None, item: Object, owned: frozenset[str]) -> Object:
    """Return what is wanted of an object with what is somebody else's in it kept.

    owned
        The names of its pairs that the formula has written before.
    """
    if live is None:
        return item
    form = dict(item.form)
    if "meta" in KINDS[item.kind].section_keys:
        operators = {n: v for n, v in live.values("meta").items() if n in OPERATOR_META}
        _add(form, "meta", operators)
    if item.kind in _DEFAULTS and not item.form.get("sets"):
        # Whoever says nothing about defaults takes nobody's away.
        _add(form, "sets", {n: v for n, v in live.values("sets").items() if n not in owned})
    for key in _UNTOLD.get(item.kind, ()):
        if key in live.form:
            form.setdefault(key, live.form[key])
    return Object(item.kind, item.id, form)


_DEFAULTS = ("resource_defaults", "operation_defaults")
# What is left as it is when it is not said: notes for people, and what nobody uses.
_UNTOLD: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("primitive", "template", "group", "clone", "bundle"), ("description",)),
    "node": ("description", "score", "type"),
}


def _add(form: dict[str, Any], key: str, more: Mapping[str, str]) -> None:
    """Add values that are not wanted otherwise to the first plain set of a form."""
    sets = form.get(key, {})
    left = {n: v for n, v in more.items() if n not in plain_values(sets)}
    if not left:
        return
    if isinstance(sets, Mapping):
        form[key] = {**sets, **left}
        return
    first = next((n for n, one in enumerate(sets) if is_plain(one)), len(sets))
    one = sets[first] if first < len(sets) else {}
    held = {**one.get("values", {}), **left}
    form[key] = [*sets[:first], {**one, "values": held}, *sets[first + 1 :]]


def _without_operators(live: Object, item: Object) -> Object:
    """Return an object without what operators have set in it, wherever it stands."""
    named = plain_values(item.form.get("meta", {}))
    sets = live.form.get("meta", {})

    def told(values: Mapping[str, str]) -> dict[str, str]:
        return {n: v for n, v in values.items() if n in named or n not in OPERATOR_META}

    if isinstance(sets, Mapping):
        meta: Any = told(sets)
    else:
        meta = [{**s, "values": told(s["values"])} if is_plain(s) else s for s in sets]
    return Object(live.kind, live.id, {**live.form, "meta": meta})


def _without_implied(
    live: Object | None, item: Object, defaults: Defaults | None
) -> tuple[Object | None, Object]:
    """Drop parameters that say what the agent does anyway, where only one side has them."""
    if defaults is None or live is None or item.kind != "primitive" or not item.agent:
        return live, item
    mine, theirs = item.form.get("params", {}), live.form.get("params", {})
    if mine == theirs or not isinstance(mine, Mapping) or not isinstance(theirs, Mapping):
        return live, item
    if not set(mine) ^ set(theirs):
        return live, item
    implied = defaults(item.agent)
    return _explicit(live, theirs, mine, implied), _explicit(item, mine, theirs, implied)


def _explicit(
    item: Object, mine: Mapping[str, str], theirs: Mapping[str, str], implied: Mapping[str, str]
) -> Object:
    told = {n: v for n, v in mine.items() if n in theirs or implied.get(n) != v}
    return Object(item.kind, item.id, {**item.form, "params": told})


def _comparable(
    document: Document, item: Object, owned: frozenset[str], defaults: Defaults | None
) -> tuple[Element | None, Normal | None, Normal | None, Object]:
    """Return an object's element, its normal form now and as wanted, and what is wanted."""
    kind = KINDS[item.kind]
    element = _locate(document, kind, item.id)
    live = None if element is None else read_element(element, document.referenced())
    wanted = _kept(live, item, _names(element, owned))
    if kind.name in shared_nvsets.SHARED:
        return element, *_shared_forms(element, live, wanted, owned), wanted
    if live is not None and live.form == wanted.form and not document.counted:
        # Word for word the same: both need not be spelt out first.
        return element, {}, {}, wanted
    compared = _without_implied(live, item, defaults)
    before, after = compared[0], _kept(compared[0], compared[1], _names(element, owned))
    if before is not None and "meta" in kind.section_keys:
        before, after = _without_operators(before, item), _without_operators(after, item)
    # A section that is missing says no less than an empty one.
    held = {} if before is None and kind.one else normal(before)
    return element, *_with_ids(document, element, item, held, normal(after)), wanted


def _shared_forms(
    element: Element | None, live: Object | None, wanted: Object, owned: frozenset[str]
) -> tuple[Normal | None, Normal | None]:
    """Return the normal forms of what several people write in, as far as it is ours."""
    before, after = shared_nvsets.compared(element, wanted, owned)
    new = normal(Object(wanted.kind, wanted.id, {**wanted.form, **after}))
    if live is None:
        return {} if KINDS[wanted.kind].one else None, new
    told = {key: text for key, text in live.form.items() if key not in (OTHER, UNUSED)}
    return normal(Object(wanted.kind, wanted.id, {**told, **before})), new


def _with_ids(
    document: Document,
    element: Element | None,
    item: Object,
    before: Normal | None,
    after: Normal | None,
) -> tuple[Normal | None, Normal | None]:
    """Note the ids of parts that others refer to, where the parts do not have them yet."""
    if not document.counted or element is None or before is None or after is None:
        return before, after
    held = {part.get("id") for part in element.iter("*")}
    missing = sorted(_said_as("id", item.form) & document.counted - held)
    return ({**before, "ids": []}, {**after, "ids": missing}) if missing else (before, after)


def _said_as(key: str, form: Any) -> set[str]:
    """Return the ids that a form says on any level, given (``id``) or referred to (``id-ref``)."""
    found: set[str] = set()
    left = [form]
    while left:
        one = left.pop()
        if isinstance(one, str):
            continue
        if isinstance(one, Mapping):
            id = one.get(key)
            if isinstance(id, str):
                found.add(id)
            left += one.values()
        elif isinstance(one, list):
            left += one
    return found


def _names(element: Element | None, owned: frozenset[str]) -> frozenset[str]:
    """Return the names of an element's pairs that the formula owns by their ids."""
    if element is None:
        return frozenset()
    return frozenset(p.get("name", "") for p in element.iter("nvpair") if p.get("id") in owned)


# --- merging ---------------------------------------------------------------------------------


def _merge(
    document: Document, item: Object, owned: frozenset[str], defaults: Defaults | None
) -> Mapping[str, Mapping[str, Any]]:
    """Bring one object into a CIB and return what that changes."""
    element, before, after, wanted = _comparable(document, item, owned, defaults)
    if before == after:
        return {}
    kind = KINDS[item.kind]
    new = update.fresh(str(kind.shape.tag))
    kind.shape.write(new, wanted.form)
    update.fit(document, new)
    if kind.name in shared_nvsets.SHARED:
        element = _shared(document, kind, item) if element is None else element
        if not kind.one:
            new.set("uname", item.id)
            update.graft_attributes(document, element, new)
        shared_nvsets.merge(document, element, item, owned)
    elif element is not None:
        if element.tag == "master" and not _is_promotable(wanted):
            element.tag = str(kind.shape.tag)
        update.graft(document, element, new, item.id)
    elif kind.one:
        update.graft(document, document.section(kind.section), new, item.id)
    else:
        new.set("id", item.id)
        update.plant(document, document.section(kind.section), new)
    return changes(before, after)


def _is_promotable(item: Object) -> bool:
    return value("promotable", item.values("meta").get("promotable", "false")) == "true"


def _shared(document: Document, kind: Kind, item: Object) -> Element:
    """Return the element of an object that is not there yet and that others will write in too."""
    section = document.section(kind.section)
    if kind.one:
        return section
    node = update.fresh("node", item.id)
    node.set("uname", item.id)
    return update.plant(document, section, node)


def _contain(document: Document, item: Object) -> None:
    """Move the members of a container into it, in their order; others move out of it."""
    container = cast(Element, document.find(item.id))
    current = [c.get("id", "") for c in container.iterchildren(*RESOURCE_TAGS)]
    if current == list(item.members):
        return
    # Whoever leaves a group stays in the cluster until it is removed by name.
    _hoist(c for c in container.iterchildren(*RESOURCE_TAGS) if c.get("id") not in item.members)
    for member in item.members:
        found = document.find(member)
        if found is None or found.tag not in RESOURCE_TAGS:
            raise UnknownMember(item.id, member)
        if found.tag in ("clone", "master", "bundle", "template") or found.tag == container.tag:
            raise IdInUse(member, "primitive or group", BY_TAG[str(found.tag)].word)
        container.append(found)


def _hoist(members: Iterable[Element]) -> None:
    """Take resources out of all their containers, in their order."""
    for member in list(members):
        outermost = member
        while cast(Element, outermost.getparent()).tag != "resources":
            outermost = cast(Element, outermost.getparent())
        if outermost is not member:
            outermost.addprevious(member)


_ORDER = {name: number for number, name in enumerate(KINDS)}


def _in_order(items: Iterable[Object]) -> list[Object]:
    """Return objects with those that others refer to first, whatever order they came in."""
    return sorted(items, key=lambda item: (_ORDER[item.kind], _depends(item)))


def _depends(item: Object) -> int:
    return 1 if item.kind == "clone" else 0


def merge(
    root: Element | Document,
    items: Iterable[Object],
    defaults: Defaults | None = None,
    also_owned: frozenset[str] = frozenset(),
    leaving: Iterable[str] = (),
) -> dict[str, Mapping[str, Mapping[str, Any]]]:
    """Merge wanted objects into a CIB's tree, in place; return what that changes, by id.

    also_owned
        Ids of single options that go when they are not wanted, beside those that fsha owns.
    leaving
        Ids of objects that will be removed: what they hold may be taken over.

    Raises :class:`IdInUse` and :class:`UnknownMember`.
    """
    document = root if isinstance(root, Document) else Document(root)
    ordered = _in_order(items)
    owned = owned_ids(document) | also_owned
    used = (_said_as("id-ref", item.form) for item in ordered)
    document.counted = document.referenced().union(*used)
    _make_way(document, ordered, {*leaving, *(item.id for item in ordered)})
    found = {item.id: _merge(document, item, owned, defaults) for item in ordered}
    for item in ordered:
        if item.kind == "bundle" or item.members:
            _contain(document, item)
    _remove_hollow(document)
    return {id: delta for id, delta in found.items() if delta}


def _make_way(document: Document, items: Sequence[Object], free: set[str]) -> None:
    """Let the ids that parts are to have pass to them from objects that are free to give them."""
    for item in items if document.counted else ():
        for id in sorted(_said_as("id", item.form) & document.counted):
            holder = document.find(id)
            owner = None if holder is None else _owner(holder)
            if holder is None or owner is None or _name(owner) == item.id:
                continue
            if owner is holder or _name(owner) not in free:
                raise IdInUse(id, f"part of {item.id}", str(holder.tag))
            document.put_aside(holder)


def _owner(part: Element) -> Element | None:
    """Return the object that an element is, or is a part of."""
    return next((e for e in (part, *part.iterancestors()) if e.tag in BY_TAG), None)


def _remove_hollow(document: Document) -> None:
    """Remove the containers that the last member has left, innermost first."""
    resources = [e for r in document.children("resources") for e in _with_contents(r)]
    for element in reversed(resources):
        hollow = next(element.iterchildren(*RESOURCE_TAGS), None) is None
        if hollow and element.tag in _HOLLOW_TAGS:
            _remove(document, element.get("id", ""))


# --- removing --------------------------------------------------------------------------------


def remove(root: Element, id: str) -> None:
    """Remove an object with everything that refers to it; nothing happens if it is gone.

    What a group (or another container) holds stays in the cluster on its own until it is
    removed by name.
    """
    document = Document(root)
    _remove(document, id)
    _remove_hollow(document)


def _remove(document: Document, id: str) -> None:
    element = document.find(id)
    if element is None:
        return
    if element.tag in RESOURCE_TAGS:
        _hoist(element.iterchildren(*RESOURCE_TAGS))
    section = cast(Element, element.getparent())
    section.remove(element)
    document.forget(element)
    _drop_empty(document, section)
    _forget(document, id)


def _drop_empty(document: Document, section: Element) -> None:
    """Remove a section that holds nothing and may be missing."""
    if len(section) == 0 and section.tag in ("fencing-topology", "acls", "tags", "alerts"):
        document.configuration.remove(section)


_REFERENCES = ("rsc", "with-rsc", "first", "then", "template", "reference")


def _forget(document: Document, id: str) -> None:
    """Remove what spoke of a removed object: constraints, members of sets, tags and levels."""
    for constraint in document.children("constraints"):
        if any(constraint.get(name) == id for name in _REFERENCES):
            _remove(document, constraint.get("id", ""))
    paths = (
        "constraints//resource_ref[@id=$id]",
        "tags/tag/obj_ref[@id=$id]",
        "acls//role[@id=$id]",
        "acls//acl_permission[@reference=$id]",
    )
    for path in paths:
        for reference in cast("list[Element]", document.configuration.xpath(path, id=id)):
            _remove_reference(document, reference)
    _forget_device(document, id)


def _forget_device(document: Document, id: str) -> None:
    for level in document.children("fencing-topology"):
        devices = level.get("devices", "").split(",")
        if id in devices:
            left = [device for device in devices if device != id]
            if left:
                level.set("devices", ",".join(left))
            else:
                _remove(document, level.get("id", ""))


def _remove_reference(document: Document, reference: Element) -> None:
    """Remove a reference, and the set, constraint or tag that holds nothing without it."""
    holder = cast(Element, reference.getparent())
    holder.remove(reference)
    while _says_nothing(holder):
        parent = cast(Element, holder.getparent())
        parent.remove(holder)
        document.forget(holder)
        _drop_empty(document, parent)
        _forget(document, holder.get("id", ""))
        holder = parent


def _says_nothing(holder: Element) -> bool:
    """Tell whether an element is nothing without the reference that was taken out of it."""
    if holder.tag in ("resource_set", "tag"):
        return next(holder.iterchildren("*"), None) is None
    # A constraint may hold rules as well; it is about its sets.
    return str(holder.tag).startswith("rsc_") and holder.find("resource_set") is None


_POINTERS = ("id-ref", "template", "rsc", "with-rsc", "first", "then", "reference")


def _dangling(document: Document) -> list[tuple[str, str]]:
    """Return the references to what is not there: who refers, and to what."""
    found = []
    for element in document.configuration.iter("*"):
        ids = [element.get(name, "") for name in _POINTERS if name in element.attrib]
        if element.tag in ("resource_ref", "role"):
            ids.append(element.get("id", ""))
        found += [(element, id) for id in ids if document.find(id) is None]
    return [(_name(owner) if (owner := _owner(e)) is not None else "", id) for e, id in found]


# --- ownership -----------------------------------------------------------------------------


def owned_ids(document: Document) -> frozenset[str]:
    """Return the ids that the formula manages: of objects, and of single options."""
    tag = document.find(OWNERSHIP_TAG)
    return frozenset() if tag is None else frozenset(r.get("id", "") for r in tag.iter("obj_ref"))


def owned(root: Element) -> frozenset[str]:
    """Return the ids that the formula manages, as the CIB itself says."""
    return owned_ids(Document(root))


def own(document: Document, ids: Iterable[str]) -> None:
    """Write into the CIB what the formula manages."""
    wanted = set(ids)
    if not wanted and document.find(OWNERSHIP_TAG) is None:
        return
    tags = document.section("tags")
    tag = document.find(OWNERSHIP_TAG)
    if tag is None:
        tag = update.plant(document, tags, update.fresh("tag", OWNERSHIP_TAG))
    for ref in tag.findall("obj_ref"):
        if ref.get("id", "") not in wanted:
            tag.remove(ref)
        wanted.discard(ref.get("id", ""))
    for id in sorted(wanted):
        etree.SubElement(tag, "obj_ref", {"id": id})
    if len(tag) == 0:
        tags.remove(tag)
        document.forget(tag)
    _drop_empty(document, tags)


def _to_own(document: Document, items: Iterable[Object]) -> frozenset[str]:
    """Return the ids by which wanted objects are owned."""
    found: set[str] = set()
    for item in items:
        kind = KINDS[item.kind]
        element = _locate(document, kind, item.id)
        if kind.name not in shared_nvsets.PAIRED:
            found |= {item.id} if _can_own(document, item) else set()
        elif element is not None:
            found |= shared_nvsets.to_own(element, item)
    return frozenset(found)


def _can_own(document: Document, item: Object) -> bool:
    """Tell whether an object's id is a name for it alone that a tag may hold.

    The id of a user is no XML id: it may be that of another object too, and older schemas let
    no tag refer to it.
    """
    if item.kind != "acl_user":
        return True
    found = document.find(item.id)
    version = schema(document.root)
    return found is not None and found.tag == "acl_target" and version >= _TAGS_OF_TEXT


def _left_behind(
    document: Document, items: Iterable[Object], owned: frozenset[str]
) -> list[Object]:
    """Return what is to be left of objects that hold pairs of ours and are no longer wanted."""
    wanted = {(item.kind, item.id) for item in items}
    found = []
    for element in [*document.configuration.iterchildren("*"), *document.children("nodes")]:
        kind = BY_TAG.get(str(element.tag))
        if kind and kind.name in shared_nvsets.PAIRED and shared_nvsets.holds(element, owned):
            left = copy.deepcopy(element)
            shared_nvsets.strip(left, owned)
            item = read_element(left, document.referenced())
            shared = kind.name in shared_nvsets.SHARED
            found.append(Object(item.kind, item.id) if shared else item)
    return [item for item in found if (item.kind, item.id) not in wanted]


def manageable(document: Document) -> tuple[str, ...]:
    """Return the ids of all objects that can come and go, whoever configured them."""
    found = []
    for name in _OBJECT_SECTIONS:
        for child in document.children(name):
            found += [element.get("id", "") for element in _with_contents(child)]
    return tuple(id for id in found if id != OWNERSHIP_TAG)


# --- the target of a run -------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """What a run wants of the CIB.

    objects
        To be present, exactly so.
    absent
        Ids to be removed.
    complete
        Whether ``objects`` is all that the formula manages, so that what it managed before
        and no longer names goes too.
    purge
        Whether other people's objects are removed as well.
    """

    objects: tuple[Object, ...] = ()
    absent: tuple[str, ...] = ()
    complete: bool = False
    purge: bool = False


@dataclass(frozen=True)
class Target:
    """The CIB that a run wants, beside the one it started from.

    ``changes`` is object → path → ``{"old": …, "new": …}``; ``drifted`` are those of them
    that fsha had set before, ``removed`` those that go, ``unmanaged`` other people's objects.
    """

    live: Element
    root: Element
    changes: Mapping[str, Mapping[str, Mapping[str, Any]]]
    drifted: tuple[str, ...]
    unmanaged: tuple[str, ...]
    removed: tuple[str, ...] = ()

    @cached_property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        if self.changes:
            return False
        # Nothing but the configuration is ever another one.
        mine, theirs = (cast(Element, r.find("configuration")) for r in (self.root, self.live))
        return render(mine) == render(theirs)


def unmanaged(document: Document, wanted: Wanted) -> tuple[str, ...]:
    """Return the ids of objects that neither the pillar nor fsha knows.

    An operator's bans and moves are not among them: they are reported, never purged.
    """
    known = {item.id for item in wanted.objects} | owned_ids(document) | set(wanted.absent)
    return tuple(
        id for id in manageable(document) if id not in known and not OPERATOR_CONSTRAINT.match(id)
    )


def target(live: Element, wanted: Wanted, defaults: Defaults | None = None) -> Target:
    """Return the CIB that a run wants, with the difference for people.

    live
        The tree of the CIB as it is; it is not changed.
    wanted
        See :class:`Wanted`.
    defaults
        Returns the defaults of an agent's parameters; asked only where they matter.

    Raises :class:`CibError`.
    """
    document = Document(_copy(live))
    before = owned_ids(document)
    present = manageable(document)
    names = {item.id for item in wanted.objects}
    others = unmanaged(document, wanted)
    gone = set(wanted.absent) | (before if wanted.complete else set())
    gone |= set(others) if wanted.purge else set()
    gone -= names
    going = [id for id in present if id in gone]
    described = {id: _removal(document, id) for id in going}
    objects = list(wanted.objects)
    objects += _left_behind(document, objects, before) if wanted.complete else []
    found = merge(document, objects, defaults, leaving=going)
    for id in going:
        _remove(document, id)
    _remove_hollow(document)
    for owner, id in _dangling(document):
        if (owner, id) not in _dangling(Document(live)):
            raise UnknownReference(owner, id)
    left = frozenset(manageable(document))
    removed = tuple(id for id in present if id not in left)
    ours = _to_own(document, wanted.objects)
    kept = ours if wanted.complete else (before & frozenset(document.ids())) | ours
    own(document, kept - frozenset(removed))
    found |= _removals(live, removed, described)
    return Target(
        live=live,
        root=document.root,
        changes=found,
        drifted=tuple(id for id in found if _is_drift(id, objects, before, others)),
        unmanaged=others,
        removed=removed,
    )


def node_names(root: Element) -> dict[int, str]:
    """Return how Pacemaker calls the cluster's nodes, by their nodeid."""
    nodes = root.iterfind("configuration/nodes/node")
    named = ((node.get("id", ""), node.get("uname", "")) for node in nodes)
    return {int(id): name for id, name in named if id.isascii() and id.isdecimal()}


def attributes_of_online_nodes(root: Element, name: str) -> dict[str, str]:
    """Return a transient attribute of each node that is a member now, empty where it has none.

    root
        A CIB with its status.
    """
    members = [s for s in root.iterfind("status/node_state") if s.get("in_ccm") not in (None, "0")]
    found = {}
    for state in members:
        if state.get("in_ccm") == "false" or state.get("crmd") in ("offline", "0"):
            continue
        pairs = state.iterfind("transient_attributes//nvpair")
        values = [pair.get("value", "") for pair in pairs if pair.get("name") == name]
        found[state.get("uname", "")] = values[0] if values else ""
    return found


_FAILURE = re.compile(r"(?:fail-count|last-failure)-([^#:]+)(?:[#:].*)?")


def failures(root: Element, ids: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return node and name of each attribute in which the cluster remembers failures.

    root
        A CIB with its status.
    ids
        The resources in question.
    """
    names = set(ids)
    return tuple(
        (state.get("uname", ""), pair.get("name", ""))
        for state in root.iterfind("status/node_state")
        for pair in state.iterfind("transient_attributes//nvpair")
        if (match := _FAILURE.fullmatch(pair.get("name", ""))) and match[1] in names
    )


LEAVING = "fsha-leaving"
"""The meta attribute of a resource that is only stopped in order to be removed: by which run."""


def leaving(root: Element) -> frozenset[str]:
    """Return the names of the runs that are just removing resources."""
    return frozenset(who for pair in _marks(root) if (who := pair.get("value")))


def _marks(root: Element) -> list[Element]:
    pairs = root.iterfind("configuration/resources//meta_attributes/nvpair")
    return [pair for pair in pairs if pair.get("name") == LEAVING]


def left_halfway(root: Element) -> Element:
    """Return a CIB in which nobody goes on removing what is stopped for that."""
    new = copy.deepcopy(root)
    for pair in _marks(new):
        pair.set("value", "")
    return new


def _copy(root: Element) -> Element:
    """Return a copy of a CIB in which nothing is stopped for the sake of its removal."""
    new = copy.deepcopy(root)
    for pair in _marks(new):
        told = cast(Element, pair.getparent())
        cast(Element, told.getparent()).remove(told)
    return new


def parked(found: Target, running: Mapping[str, Sequence[str]], who: str = "") -> Element | None:
    """Return the CIB in which what a target removes is stopped first, ``None`` if nothing runs.

    A resource that is simply removed is stopped as an orphan, and only if the cluster is told
    to do so. So it stays for a moment, out of its group and with no constraint of its own,
    where stopping it stops nothing else. It bears the mark :data:`LEAVING`, so that others don't
    take this halfway state for a configuration that somebody wants.

    running
        Where everything runs now, id → nodes.
    who
        A name of this run alone.
    """
    document = Document(_copy(found.live))
    ours = owned_ids(document)
    gone = set(found.removed)
    leaving = [
        id
        for id in found.removed
        if running.get(id) and cast(Element, document.find(id)).tag == "primitive"
    ]
    for outermost in dict.fromkeys(_outermost(document, id, gone) for id in leaving):
        element = cast(Element, document.find(outermost))
        _hoist([element])
        for inner in _with_contents(element):
            _forget(document, inner.get("id", ""))
        _stop(document, element, who)
    _remove_hollow(document)
    # Until it is gone it stays the formula's, so that any later run may finish the work.
    own(document, ours & frozenset(document.ids()))
    return document.root if leaving else None


def _outermost(document: Document, id: str, gone: set[str]) -> str:
    """Return what goes as a whole with a resource: itself, or a container that holds it."""
    element = cast(Element, document.find(id))
    for container in element.iterancestors(*RESOURCE_TAGS):
        inner = {e.get("id", "") for e in _with_contents(container)}
        if inner <= gone:
            element = container
    return element.get("id", "")


def _stop(document: Document, element: Element, who: str) -> None:
    # In a set of its own, the first that counts: others may use those that are there.
    new = update.fresh("meta_attributes")
    new.set("score", "INFINITY")
    etree.SubElement(new, "nvpair", {"name": "target-role", "value": "Stopped"})
    etree.SubElement(new, "nvpair", {"name": LEAVING, "value": who})
    update.plant_in(document, element, new)


def restored(live: Element, point: Element) -> Target:
    """Return the target that brings a configuration back to an earlier one.

    What operators do on purpose (standby, maintenance, target-role, bans) stays as it is now.

    live, point
        The trees of the CIB as it is and as it was; neither is changed.

    Raises :class:`CibError`.
    """
    point = _copy(point)
    document, then = Document(_copy(live)), Document(point)
    _refuse_what_is_lost(document, then)
    items = [
        _without_their_settings(document, then, item)
        for item in read_all(point)
        if not _is_operators(item.id) and not _has_left(document, item)
    ]
    items += _said_since(document, items)
    present = manageable(document)
    wanted = {item.id for item in items}
    going = [id for id in present if id not in wanted and not _is_operators(id)]
    described = {id: _removal(document, id) for id in going}
    found = merge(document, items, None, _options(document))
    for id in going:
        _remove(document, id)
    _remove_hollow(document)
    left = frozenset(manageable(document))
    removed = tuple(id for id in present if id not in left)
    own(document, _owned_again(document, then, items) & frozenset(document.ids()))
    found |= _removals(live, removed, described)
    return Target(live, document.root, found, (), (), removed)


OPERATOR_OPTIONS = frozenset({"maintenance-mode", "stop-all-resources"})
_OPERATOR_PAIRS: Mapping[str, tuple[str, frozenset[str]]] = {
    "properties": ("sets", OPERATOR_OPTIONS),
    "node": ("attributes", frozenset({"standby", "maintenance"})),
}


def _said_since(document: Document, items: Iterable[Object]) -> list[Object]:
    """Return, as empty, the objects that stay but of which an earlier CIB said nothing."""
    known = {(item.kind, item.id) for item in items}
    return [
        Object(item.kind, item.id)
        for item in read_all(document.root)
        if item.kind in shared_nvsets.PAIRED and (item.kind, item.id) not in known
    ]


def _options(document: Document) -> frozenset[str]:
    """Return the ids of all single options, and of their sets with rules, but for operators'."""
    sections = [KINDS[kind].section for kind in shared_nvsets.PAIRED]
    theirs = frozenset().union(*(names for _, names in _OPERATOR_PAIRS.values()))
    return frozenset(
        child.get("id", "")
        for section in document.configuration.iterchildren(*sections)
        for child in section.iter("*")
        if child.get("name") not in theirs or child.tag != "nvpair"
    )


def _refuse_what_is_lost(document: Document, then: Document) -> None:
    """Refuse to go back to what no object can express, unless it is still there as it was."""
    now = {(item.kind, item.id): normal(item) for item in read_all(document.root)}
    lost = [
        f"{item.id}: {', '.join(item.form[OTHER])}"
        for item in read_all(then.root)
        if item.form.get(OTHER) and now.get((item.kind, item.id)) != normal(item)
    ]
    lost += [what for what in strangers(then.root) if what not in strangers(document.root)]
    lost += [what for what in strangers(document.root) if what not in strangers(then.root)]
    if lost:
        raise CannotRestore(tuple(lost))


def _has_left(document: Document, item: Object) -> bool:
    """Tell whether an object is a node that is no longer there: only the cluster adds nodes."""
    return item.kind == "node" and _locate(document, KINDS["node"], item.id) is None


def _without_their_settings(document: Document, then: Document, item: Object) -> Object:
    """Return an object of an earlier CIB without what operators had set in it at that time.

    What is there no longer comes back as it was; what the formula had set is no operator's.
    """
    if read(document, item) is None:
        return item
    if item.kind not in _OPERATOR_PAIRS:
        bare = Object(item.kind, item.id)
        return _without_operators(item, bare) if "meta" in item.form else item
    key, names = _OPERATOR_PAIRS[item.kind]
    names -= _names(_locate(then, KINDS[item.kind], item.id), owned_ids(then))
    sets = item.form.get(key, {})
    if isinstance(sets, Mapping):
        left: Any = {n: v for n, v in sets.items() if n not in names}
    else:
        left = [
            {**s, "values": {n: v for n, v in s["values"].items() if n not in names}}
            if is_plain(s)
            else s
            for s in sets
        ]
    return Object(item.kind, item.id, {**item.form, key: left})


def _owned_again(document: Document, then: Document, items: Iterable[Object]) -> frozenset[str]:
    """Return what was owned: objects by their ids, single options by their names."""
    before = owned_ids(then)
    found = set(before)
    for item in items:
        if item.kind in shared_nvsets.PAIRED:
            names = _names(_locate(then, KINDS[item.kind], item.id), before)
            element = _locate(document, KINDS[item.kind], item.id)
            pairs = () if element is None else element.iter("nvpair")
            found |= {pair.get("id", "") for pair in pairs if pair.get("name") in names}
    return frozenset(found)


def _is_operators(id: str) -> bool:
    return id == OWNERSHIP_TAG or OPERATOR_CONSTRAINT.match(id) is not None


def _is_drift(
    id: str, objects: Iterable[Object], before: frozenset[str], others: Sequence[str]
) -> bool:
    """Tell whether a difference is in something that the formula had set before."""
    sets = {o.id for o in objects if o.kind in shared_nvsets.PAIRED}
    return id in before or id in others or (id in sets and bool(before))


Difference = Mapping[str, Mapping[str, Any]]


def removal(root: Element | Document, id: str) -> Difference:
    """Return the difference that the end of an object makes, if it is there."""
    document = root if isinstance(root, Document) else Document(root)
    return _removal(document, id) if id in manageable(document) else {}


def _removal(document: Document, id: str) -> Difference:
    return {"object": {"old": _described(document, id), "new": None}}


def _removals(
    live: Element, removed: Iterable[str], described: Mapping[str, Difference]
) -> dict[str, Difference]:
    """Return the differences that removals make, also those that others have brought about."""
    document = Document(live)
    return {id: described.get(id) or _removal(document, id) for id in removed}


def describe(root: Element, id: str) -> Normal | str | None:
    """Return an object of any kind for people: its normal form, else its XML.

    The XML is without the values of secrets; a normal form still has them.
    """
    return _described(Document(root), id)


def _described(document: Document, id: str) -> Normal | str | None:
    element = document.find(id)
    if element is None:
        return None
    if element.tag in BY_TAG:
        return normal(read_element(element, document.referenced()))
    return _shown(element)


def _shown(element: Element) -> str:
    copied = copy.deepcopy(element)
    for pair in copied.iter("nvpair"):
        name, text = pair.get("name", ""), pair.get("value", "")
        pair.set("value", masked({name: text})[name])
    return etree.tostring(copied, encoding="unicode", with_tail=False)


def object_changes(
    document: Document, item: Object, defaults: Defaults | None = None
) -> dict[str, dict[str, Any]]:
    """Return what one object would change in a CIB.

    Raises :class:`CibError`.
    """
    _, before, after, _ = _comparable(document, item, owned_ids(document), defaults)
    return changes(before, after)
