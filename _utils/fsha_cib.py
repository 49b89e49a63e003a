"""The CIB as data: read, merge what is wanted, tell the difference, keep ownership.

The target of a run is always *the live CIB with the wanted objects merged in*: ids, order
and everything that the operator or the cluster itself has written stay as they are, so the
patch between the two holds nothing but the change.

Nothing here runs a program or knows of Salt. XML is parsed without entities, DTDs or
network; values are only ever set as attributes of the tree, so none can break out of it.
"""

# ruff: noqa: N818
# Errors are named for what has happened.

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from lxml import etree

from fsha_model import (
    RESOURCE_KINDS,
    Agent,
    Expression,
    Group,
    Location,
    Object,
    Operation,
    Primitive,
    Properties,
    ResourceDefaults,
    Rule,
)
from fsha_normal import (
    Normal,
    changes,
    masked,
    normal,
    operation_key,
    property_name,
    value,
)
from fsha_options import SERVER_WRITTEN

Element = etree._Element

OWNERSHIP_TAG = "fsha-managed"
PROPERTY_SET = "cib-bootstrap-options"
# Constraints that crm_resource, crmsh and pcs make for an operator's move or ban.
OPERATOR_CONSTRAINT = re.compile(r"cli-(ban|prefer|standby)-")
# What an operator sets on a running resource; not compared unless the pillar names it.
OPERATOR_META = frozenset({"target-role", "is-managed", "maintenance"})
_RESOURCE_TAGS = ("primitive", "group", "clone", "bundle", "template", "master")
# A container that holds nothing any more is no resource, and no schema allows it.
_CONTAINER_TAGS = ("group", "clone", "master")
# Elements whose ``id`` is the name of something else.
_REFERENCE_TAGS = frozenset({"obj_ref", "resource_ref", "role"})
_NOT_NCNAME = re.compile(r"[^A-Za-z0-9_.-]")


class CibError(Exception):
    """The CIB, or what is wanted of it, cannot be worked with."""


class NotACib(CibError):
    """A text that should be a CIB is something else."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"This is not a CIB: {reason}.")


class IdInUse(CibError):
    """An id that is wanted for one kind of object belongs to another kind."""

    def __init__(self, id: str, wanted: str, found: str) -> None:
        self.id, self.wanted, self.found = id, wanted, found
        super().__init__(
            f"{id}: the cluster already has a {found} of this name, a {wanted} is wanted. "
            f"Remove the {found} or choose another name."
        )


class UnknownMember(CibError):
    """A group names a resource that is neither in the cluster nor wanted."""

    def __init__(self, group: str, member: str) -> None:
        self.group, self.member = group, member
        super().__init__(f"{group}: the member {member} does not exist.")


@dataclass(frozen=True, order=True)
class Version:
    """The version of a CIB; the cluster compares them in this order."""

    admin_epoch: int
    epoch: int
    num_updates: int

    def __str__(self) -> str:
        """Return the version as the field writes it, ``0.12.3``."""
        return f"{self.admin_epoch}.{self.epoch}.{self.num_updates}"


_VERSION = ("admin_epoch", "epoch", "num_updates")

EMPTY = """\
<cib crm_feature_set="3.0.14" validate-with="pacemaker-3.0" admin_epoch="0" epoch="0" \
num_updates="0"><configuration><crm_config/><nodes/><resources/><constraints/>\
</configuration><status/></cib>"""
"""A CIB with nothing in it, for a host that has no cluster yet; Pacemaker 2 and 3 read it."""


def parse(text: str) -> Element:
    """Return the tree of a CIB, or raise :class:`NotACib`."""
    # Without huge_tree: libxml2 then bounds what entities in attributes may grow to.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, UnicodeEncodeError) as error:
        raise NotACib(str(error)) from error
    # The DTD of a text that has none is None, which lxml's type stubs do not know.
    docinfo: Any = root.getroottree().docinfo
    if docinfo.internalDTD is not None:
        raise NotACib("it has a document type definition, which no CIB has")
    if root.tag != "cib" or root.find("configuration") is None:
        raise NotACib(f"its root is <{root.tag}> where <cib> with a <configuration> is expected")
    if not all(root.get(name, "0").isdecimal() for name in _VERSION):
        raise NotACib(f"its version ({', '.join(_VERSION)}) is not in whole numbers")
    return root


def render(root: Element) -> str:
    """Return the text of a CIB's tree."""
    return etree.tostring(root, encoding="unicode")


def version(root: Element) -> Version:
    """Return the CIB's version."""
    return Version(*(int(root.get(name, "0")) for name in _VERSION))


def next_version(root: Element) -> None:
    """Give a target the version that follows its origin's, as the cluster expects it.

    Measured on Pacemaker 2.1: a versioned patch is taken when the epoch is one higher and
    num_updates is 0, and refused with exit code 103 when the CIB has moved meanwhile.
    """
    root.set("epoch", str(version(root).epoch + 1))
    root.set("num_updates", "0")


# --- finding -------------------------------------------------------------------------------


def _configuration(root: Element) -> Element:
    return cast(Element, root.find("configuration"))


def _section(root: Element, name: str) -> Element:
    """Return a section of the configuration, making it at its place when it is missing."""
    configuration = _configuration(root)
    found = configuration.find(name)
    if found is not None:
        return found
    order = ("crm_config", "nodes", "resources", "constraints", "fencing-topology",
             "op_defaults", "rsc_defaults", "acls", "tags", "alerts", "status")  # fmt: skip
    new = etree.Element(name)
    followers = set(order[order.index(name) + 1 :])
    for index, child in enumerate(configuration):
        if child.tag in followers:
            configuration.insert(index, new)
            return new
    configuration.append(new)
    return new


def _children(root: Element, section: str) -> list[Element]:
    """Return what stands in a section of the configuration, which may be missing."""
    found = _configuration(root).find(section)
    return [] if found is None else list(found.iterchildren(tag=etree.Element))


def find(root: Element, id: str) -> Element | None:
    """Return the configuration's element with this id; a mere reference to it is none."""
    found = cast("list[Element]", _configuration(root).xpath(".//*[@id=$id]", id=id))
    return next((element for element in found if element.tag not in _REFERENCE_TAGS), None)


def _find_kind(root: Element, id: str, *tags: str) -> Element | None:
    element = find(root, id)
    if element is not None and element.tag not in tags:
        raise IdInUse(id, tags[0], str(element.tag))
    return element


def _free_id(root: Element, wanted: str) -> str:
    """Return ``wanted`` as a valid id that nothing in the CIB has."""
    base = _NOT_NCNAME.sub("_", wanted)
    candidate, number = base, 0
    while root.xpath("//*[@id=$id]", id=candidate):
        number += 1
        candidate = f"{base}-{number}"
    return candidate


# --- name-value pairs ----------------------------------------------------------------------


def _first_set(parent: Element, tag: str) -> Element | None:
    """Return the first set without a rule: the one that always holds."""
    for found in parent.findall(tag):
        if found.find("rule") is None:
            return found
    return None


def _pairs(nvset: Element | None) -> dict[str, str]:
    if nvset is None:
        return {}
    return {pair.get("name", ""): pair.get("value", "") for pair in nvset.findall("nvpair")}


def _set_pairs(
    root: Element,
    nvset: Element,
    wanted: Mapping[str, str],
    kept: Callable[[str], bool],
    key: Callable[[str], str] = lambda name: name,
) -> None:
    """Make a set hold what is wanted; pairs that are equal in normal form stay untouched."""
    left = {key(name): (name, text) for name, text in wanted.items()}
    for pair in nvset.findall("nvpair"):
        name = pair.get("name", "")
        if key(name) in left:
            _, text = left.pop(key(name))
            if _canonical(nvset, key(name), pair.get("value", "")) != _canonical(
                nvset, key(name), text
            ):
                pair.set("value", text)
        elif not kept(name):
            nvset.remove(pair)
    for name, text in left.values():
        id = _free_id(root, f"{nvset.get('id')}-{name}")
        etree.SubElement(nvset, "nvpair", {"id": id, "name": name, "value": text})


def _canonical(nvset: Element, name: str, text: str) -> str:
    return text if nvset.tag == "instance_attributes" else value(name, text)


def _merge_set(
    root: Element,
    parent: Element,
    tag: str,
    wanted: Mapping[str, str],
    kept: Callable[[str], bool] = lambda _name: False,
) -> None:
    nvset = _first_set(parent, tag)
    if nvset is None:
        if not wanted:
            return
        id = _free_id(root, f"{parent.get('id')}-{tag}")
        nvset = etree.Element(tag, {"id": id})
        _insert_set(parent, nvset)
    _set_pairs(root, nvset, wanted, kept)
    if len(nvset) == 0:
        parent.remove(nvset)


def _insert_set(parent: Element, nvset: Element) -> None:
    """Insert a set where the schema allows it: before operations and members, after sets."""
    for index, child in enumerate(parent):
        if child.tag in ("operations", "primitive", "utilization"):
            parent.insert(index, nvset)
            return
    parent.append(nvset)


def _operator_meta(wanted: Mapping[str, str]) -> Callable[[str], bool]:
    return lambda name: name in OPERATOR_META and name not in wanted


# --- one object: XML to data ---------------------------------------------------------------


def _read_primitive(element: Element) -> Primitive:
    return Primitive(
        id=element.get("id", ""),
        agent=Agent(element.get("class", ""), element.get("type", ""), element.get("provider")),
        params=_pairs(_first_set(element, "instance_attributes")),
        meta=_pairs(_first_set(element, "meta_attributes")),
        operations=tuple(_read_operation(op) for op in element.findall("operations/op")),
    )


def _read_operation(element: Element) -> Operation:
    attributes = {
        str(name): str(text)
        for name, text in element.attrib.items()
        if name not in ("id", "name", "interval")
    }
    return Operation(element.get("name", ""), element.get("interval", "0s"), attributes)


def _read_group(element: Element) -> Group:
    return Group(
        id=element.get("id", ""),
        members=tuple(child.get("id", "") for child in element.findall("primitive")),
        meta=_pairs(_first_set(element, "meta_attributes")),
    )


def _read_location(element: Element) -> Location:
    rules = tuple(_read_rule(rule) for rule in element.findall("rule"))
    return Location(
        id=element.get("id", ""),
        resource=element.get("rsc", ""),
        node=element.get("node"),
        score=None if rules else element.get("score", "0"),
        rules=rules,
        other=_others(element, _LOCATION_WORDS, "rule", _LOCATION_DEFAULTS),
    )


_LOCATION_WORDS = frozenset({"id", "rsc", "node", "score"})
_LOCATION_DEFAULTS = {"role": "Started", "resource-discovery": "always"}
_RULE_WORDS = frozenset({"id", "score", "boolean-op"})


def _others(
    element: Element,
    words: frozenset[str],
    children: str,
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return what an element says that the model has no word for: it counts as well.

    words
        The attributes that the model knows.
    children
        The tag of the children that it knows.
    defaults
        Attributes with the values that say nothing.
    """
    found = {
        str(name): str(text)
        for name, text in element.attrib.items()
        if name not in words and value(str(name), str(text)) != defaults.get(str(name))
    }
    for child in element.iterchildren(tag=etree.Element):
        if child.tag != children:
            shown = etree.tostring(child, encoding="unicode", with_tail=False)
            found[f"<{child.tag}>"] = found.get(f"<{child.tag}>", "") + shown
    return found


def _read_rule(element: Element) -> Rule:
    return Rule(
        id=element.get("id"),
        score=element.get("score", "0"),
        boolean_op=element.get("boolean-op", "and"),
        other=_others(element, _RULE_WORDS, "expression"),
        expressions=tuple(
            Expression(
                attribute=e.get("attribute", ""),
                operation=e.get("operation", ""),
                value=e.get("value"),
                type=e.get("type"),
            )
            for e in element.findall("expression")
        ),
    )


_READERS: dict[str, Callable[[Element], Object]] = {
    "primitive": _read_primitive,
    "group": _read_group,
    "rsc_location": _read_location,
}


def read(root: Element, like: Object) -> Object | None:
    """Return the live counterpart of an object, as the same kind of data.

    Properties and defaults are read with all their values, whatever their sets' ids; of a
    primitive or group, the part that this model can express.
    """
    if isinstance(like, Properties):
        return _read_properties(root, like)
    if isinstance(like, ResourceDefaults):
        return _read_defaults(root, like)
    element = find(root, like.id)
    if element is None or element.tag not in _READERS:
        return None
    return _READERS[str(element.tag)](element)


def _read_properties(root: Element, like: Properties) -> Properties:
    nvset = _property_set(root, like.id)
    managed = {property_name(name) for name in like.values}
    held = {n: v for n, v in _pairs(nvset).items() if property_name(n) in managed}
    return Properties(values=held, id=like.id)


def _read_defaults(root: Element, like: ResourceDefaults) -> ResourceDefaults:
    return ResourceDefaults(values=_pairs(_defaults_set(root)), id=like.id)


def _defaults_set(root: Element) -> Element | None:
    section = _configuration(root).find("rsc_defaults")
    return None if section is None else _first_set(section, "meta_attributes")


# --- one object: data to XML ---------------------------------------------------------------


def _merge_primitive(root: Element, item: Primitive) -> None:
    element = _find_kind(root, item.id, "primitive")
    if element is None:
        element = etree.SubElement(_section(root, "resources"), "primitive", {"id": item.id})
    _set_agent(element, item.agent)
    _merge_set(root, element, "instance_attributes", item.params)
    _merge_set(root, element, "meta_attributes", item.meta, _operator_meta(item.meta))
    _merge_operations(root, element, item)


def _set_agent(element: Element, agent: Agent) -> None:
    found = Agent(element.get("class", ""), element.get("type", ""), element.get("provider"))
    if str(found) == str(agent):
        return
    wanted = {"class": agent.standard, "provider": agent.provider, "type": agent.type}
    for name, text in wanted.items():
        if text is not None:
            element.set(name, text)
        elif name in element.attrib:
            del element.attrib[name]


def _merge_operations(root: Element, element: Element, item: Primitive) -> None:
    section = element.find("operations")
    if section is None:
        if not item.operations:
            return
        section = etree.SubElement(element, "operations")
    left = {operation_key(op.name, op.interval): op for op in item.operations}
    for found in section.findall("op"):
        op = left.pop(operation_key(found.get("name", ""), found.get("interval", "0s")), None)
        if op is None:
            section.remove(found)
        else:
            _set_attributes(found, op.attributes)
    for op in left.values():
        id = _free_id(root, f"{item.id}-{op.name}-{op.interval}")
        new = etree.SubElement(section, "op", {"id": id, "name": op.name, "interval": op.interval})
        _set_attributes(new, op.attributes)
    if len(section) == 0:
        element.remove(section)


def _set_attributes(element: Element, wanted: Mapping[str, str]) -> None:
    fixed = ("id", "name", "interval")
    for name in [n for n in element.attrib if n not in fixed and n not in wanted]:
        del element.attrib[name]
    for name, text in wanted.items():
        held = element.get(name)
        if held is None or value(name, held) != value(name, text):
            element.set(name, text)


def _merge_group(root: Element, item: Group) -> None:
    element = _find_kind(root, item.id, "group")
    if element is None:
        element = etree.SubElement(_section(root, "resources"), "group", {"id": item.id})
    _merge_set(root, element, "meta_attributes", item.meta, _operator_meta(item.meta))
    current = [child.get("id", "") for child in element.findall("primitive")]
    if current == list(item.members):
        return
    # Whoever leaves the group stays in the cluster until it is removed by name.
    _hoist(c for c in element.findall("primitive") if c.get("id") not in item.members)
    for member in item.members:
        found = _find_kind(root, member, "primitive")
        if found is None:
            raise UnknownMember(item.id, member)
        element.append(found)


def _hoist(members: Iterable[Element]) -> None:
    """Take resources out of all their containers, in their order."""
    for member in list(members):
        outermost = member
        while cast(Element, outermost.getparent()).tag != "resources":
            outermost = cast(Element, outermost.getparent())
        if outermost is not member:
            outermost.addprevious(member)


def _merge_location(root: Element, item: Location) -> None:
    element = _find_kind(root, item.id, "rsc_location")
    if element is None:
        element = etree.SubElement(_section(root, "constraints"), "rsc_location", {"id": item.id})
    elif normal(_read_location(element)) == normal(item):
        return
    for child in list(element):
        element.remove(child)
    for name in [name for name in element.attrib if name != "id"]:
        del element.attrib[name]
    element.set("rsc", item.resource)
    if not item.rules:
        element.set("node", item.node or "")
        element.set("score", item.score or "0")
    for rule in item.rules:
        _append_rule(root, element, rule, item.id)


def _append_rule(root: Element, location: Element, rule: Rule, owner: str) -> None:
    id = _free_id(root, rule.id or f"{owner}-rule")
    element = etree.SubElement(location, "rule", {"id": id, "score": rule.score})
    if len(rule.expressions) > 1:
        element.set("boolean-op", rule.boolean_op)
    for expression in rule.expressions:
        new = etree.SubElement(element, "expression", {"id": _free_id(root, f"{id}-expr")})
        parts = {
            "attribute": expression.attribute,
            "operation": expression.operation,
            "value": expression.value,
            "type": expression.type,
        }
        for name, text in parts.items():
            if text is not None:
                new.set(name, text)


def _property_set(root: Element, id: str) -> Element | None:
    return next((s for s in _children(root, "crm_config") if s.get("id") == id), None)


def _merge_properties(root: Element, item: Properties) -> None:
    wanted = {n: v for n, v in item.values.items() if n not in SERVER_WRITTEN}
    nvset = _property_set(root, item.id)
    if nvset is None:
        if not wanted:
            return
        section = _section(root, "crm_config")
        nvset = etree.SubElement(section, "cluster_property_set", {"id": item.id})
    _set_pairs(root, nvset, wanted, kept=lambda _name: True, key=property_name)


def _merge_defaults(root: Element, item: ResourceDefaults) -> None:
    nvset = _defaults_set(root)
    if nvset is None:
        if not item.values:
            return
        section = _section(root, "rsc_defaults")
        nvset = etree.SubElement(section, "meta_attributes", {"id": _free_id(root, item.id)})
    _set_pairs(root, nvset, item.values, kept=lambda _name: False)


_MERGERS: dict[type, Callable[[Element, Any], None]] = {
    Primitive: _merge_primitive,
    Group: _merge_group,
    Location: _merge_location,
    Properties: _merge_properties,
    ResourceDefaults: _merge_defaults,
}
# Members before their groups, resources before what speaks of them.
_MERGE_ORDER = (Properties, ResourceDefaults, Primitive, Group, Location)


def merge(root: Element, items: Iterable[Object]) -> None:
    """Merge the wanted objects into a CIB's tree, in place.

    Raises :class:`IdInUse` and :class:`UnknownMember`.
    """
    for item in sorted(items, key=lambda item: _MERGE_ORDER.index(type(item))):
        _MERGERS[type(item)](root, item)
    _remove_hollow(root)


def _remove_hollow(root: Element) -> None:
    """Remove the containers that the last member has left, innermost first."""
    for element in reversed([e for r in _children(root, "resources") for e in _resources(r)]):
        hollow = next(element.iterchildren(*_RESOURCE_TAGS), None) is None
        if hollow and element.tag in _CONTAINER_TAGS:
            remove(root, element.get("id", ""))


def _resources(element: Element) -> Iterator[Element]:
    """Yield a resource and all that it contains, in document order."""
    return element.iter(*_RESOURCE_TAGS)


def remove(root: Element, id: str) -> None:
    """Remove an object with everything that refers to it; nothing happens if it is gone.

    What a group (or another container) holds stays in the cluster on its own until it is
    removed by name.
    """
    element = find(root, id)
    if element is None:
        return
    if element.tag in _RESOURCE_TAGS:
        _hoist(element.iterchildren(*_RESOURCE_TAGS))
    cast(Element, element.getparent()).remove(element)
    _forget(root, id)
    _remove_hollow(root)


_REFERENCES = ("rsc", "with-rsc", "first", "then")


def _forget(root: Element, id: str) -> None:
    """Remove what spoke of a removed object: constraints, members of sets and tags."""
    for constraint in _children(root, "constraints"):
        if any(constraint.get(name) == id for name in _REFERENCES):
            remove(root, constraint.get("id", ""))
    for path in ("constraints//resource_ref[@id=$id]", "tags/tag/obj_ref[@id=$id]"):
        for reference in cast("list[Element]", _configuration(root).xpath(path, id=id)):
            _remove_reference(root, reference)


def _remove_reference(root: Element, reference: Element) -> None:
    """Remove a reference, and the set, constraint or tag that holds nothing without it."""
    holder = cast(Element, reference.getparent())
    holder.remove(reference)
    while len(holder) == 0 and holder.tag not in ("constraints", "tags"):
        parent = cast(Element, holder.getparent())
        parent.remove(holder)
        _forget(root, holder.get("id", ""))
        holder = parent


# --- ownership -----------------------------------------------------------------------------


def owned(root: Element) -> frozenset[str]:
    """Return the ids of the objects that the formula manages, as the CIB itself says."""
    refs = _configuration(root).xpath("tags/tag[@id=$id]/obj_ref/@id", id=OWNERSHIP_TAG)
    return frozenset(str(ref) for ref in cast("list[str]", refs))


def own(root: Element, ids: Iterable[str]) -> None:
    """Write into the CIB which objects the formula manages."""
    wanted = set(ids)
    tags = _section(root, "tags")
    found = [tag for tag in tags.findall("tag") if tag.get("id") == OWNERSHIP_TAG]
    tag = found[0] if found else etree.SubElement(tags, "tag", {"id": OWNERSHIP_TAG})
    for ref in tag.findall("obj_ref"):
        if ref.get("id", "") not in wanted:
            tag.remove(ref)
        wanted.discard(ref.get("id", ""))
    for id in sorted(wanted):
        etree.SubElement(tag, "obj_ref", {"id": id})
    if len(tag) == 0:
        tags.remove(tag)
    if len(tags) == 0:
        _configuration(root).remove(tags)


def manageable(root: Element) -> tuple[str, ...]:
    """Return the ids of all resources and constraints, whoever configured them."""
    resources = [e for resource in _children(root, "resources") for e in _resources(resource)]
    found = [*resources, *_children(root, "constraints")]
    return tuple(element.get("id", "") for element in found)


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
        Whether other people's resources and constraints are removed as well.
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

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return render(self.live) == render(self.root)


def _ids(objects: Iterable[Object]) -> frozenset[str]:
    """Return the ids to be owned: resources and constraints, whose ids are whole objects."""
    return frozenset(o.id for o in objects if isinstance(o, (*RESOURCE_KINDS, Location)))


def unmanaged(root: Element, wanted: Wanted) -> tuple[str, ...]:
    """Return the ids of resources and constraints that neither the pillar nor fsha knows.

    An operator's bans and moves are not among them: they are reported, never purged.
    """
    known = _ids(wanted.objects) | owned(root) | set(wanted.absent)
    return tuple(
        id for id in manageable(root) if id not in known and not OPERATOR_CONSTRAINT.match(id)
    )


def target(live: Element, wanted: Wanted) -> Target:
    """Return the CIB that a run wants, with the difference for people.

    live
        The tree of the CIB as it is; it is not changed.
    wanted
        See :class:`Wanted`.

    Raises :class:`CibError`.
    """
    root = copy.deepcopy(live)
    before = owned(live)
    names = _ids(wanted.objects)
    others = unmanaged(live, wanted)
    gone = set(wanted.absent) | (before if wanted.complete else set())
    gone |= set(others) if wanted.purge else set()
    merge(root, wanted.objects)
    for id in manageable(live):
        if id in gone - names:
            remove(root, id)
    left = frozenset(manageable(root))
    removed = tuple(id for id in manageable(live) if id not in left)
    own(root, (names if wanted.complete else before | names) & left)
    found = _differences(live, root, wanted.objects, removed)
    return Target(
        live=live,
        root=root,
        changes=found,
        drifted=tuple(id for id in found if _is_drift(id, wanted, before, others)),
        unmanaged=others,
        removed=removed,
    )


def _is_drift(id: str, wanted: Wanted, before: frozenset[str], others: Sequence[str]) -> bool:
    """Tell whether a difference is in something that the formula had set before."""
    sets = {o.id for o in wanted.objects if isinstance(o, (Properties, ResourceDefaults))}
    return id in before or id in others or (id in sets and bool(before))


def _differences(
    live: Element, root: Element, objects: Sequence[Object], removed: Sequence[str]
) -> dict[str, dict[str, dict[str, Any]]]:
    found = {}
    for item in objects:
        delta = changes(normal(read(live, item)), normal(read(root, item)))
        if delta:
            found[item.id] = delta
    for id in removed:
        found[id] = removal(live, id)
    return found


def removal(root: Element, id: str) -> dict[str, dict[str, Any]]:
    """Return the difference that the end of a resource or constraint makes, if it is there."""
    if id not in manageable(root):
        return {}
    return {"object": {"old": describe(root, id), "new": None}}


def describe(root: Element, id: str) -> Normal | str | None:
    """Return an object of any kind for people: its normal form, else its XML.

    The XML is without the values of secrets; a normal form still has them.
    """
    element = find(root, id)
    if element is None:
        return None
    reader = _READERS.get(str(element.tag))
    return normal(reader(element)) if reader else _shown(element)


def _shown(element: Element) -> str:
    copied = copy.deepcopy(element)
    for pair in copied.iter("nvpair"):
        name, text = pair.get("name", ""), pair.get("value", "")
        pair.set("value", masked({name: text})[name])
    return etree.tostring(copied, encoding="unicode", with_tail=False)


def object_changes(live: Element, wanted: Wanted, item: Object) -> dict[str, dict[str, Any]]:
    """Return what one object of a run would change, given all that the run wants so far.

    Raises :class:`CibError`.
    """
    root = copy.deepcopy(live)
    merge(root, wanted.objects)
    return changes(normal(read(live, item)), normal(read(root, item)))
