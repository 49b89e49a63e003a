"""Make one element of the CIB mean the same as another, with the least change.

Elements that are equal in normal form keep their ids, spelling, order and place. So the patch
between the CIB before and after is nothing but the change.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from lxml import etree

from fshalib.cib import normalize, rule_xml
from fshalib.cib import rule as cib_rule
from fshalib.cib.document import REFERENCE_TAGS as REFERENCES
from fshalib.cib.document import Document, Element
from fshalib.cib.fields import Attribute, Within
from fshalib.cib.kinds import KINDS
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.resource_set import RESOURCE_SET_ATTRIBUTES, ResourceSets

SET_TAGS = ("instance_attributes", "meta_attributes", "utilization", "cluster_property_set")
# Children whose order among themselves counts.
ORDERED = frozenset(
    {
        "resource_set", "resource_ref", "role", "acl_permission", "recipient",
        *SET_TAGS,
    }
)  # fmt: skip


def _implied(tag: str, fields: Iterable[Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the defaults of the attributes of an element, on every level."""
    for field in fields:
        if isinstance(field, Attribute) and field.default is not None:
            yield (tag, field.name), field.default
        elif isinstance(field, Within):
            yield from _implied(field.tag, (field.inner,))
        elif isinstance(field, ResourceSets):
            yield from _implied("resource_set", RESOURCE_SET_ATTRIBUTES)
        elif hasattr(field, "schema"):
            yield from _implied(field.schema.tag, field.schema.fields)


# Attributes whose absence means the same as this value.
DEFAULTS = {
    ("rule", "boolean-op"): "and",
    ("expression", "value-source"): "literal",
    **{(tag, "score"): "0" for tag in SET_TAGS},
    **{
        key: text
        for kind in KINDS.values()
        for key, text in _implied(kind.schema.tag, kind.schema.fields)
    },
}
# The order of children, for elements whose schema is strict.
_ORDER: dict[str, tuple[str, ...]] = {
    **{kind.schema.tag: kind.schema.tags for kind in KINDS.values()},
    "master": KINDS["clone"].schema.tags,
    **dict.fromkeys(SET_TAGS, ("rule", "nvpair")),
}
_SHORT = {
    "expression": "expr",
    "rsc_expression": "rsc-expr",
    "op_expression": "op-expr",
    "date_expression": "date",
    "resource_set": "set",
    "acl_permission": "permission",
}
_PLAIN_SETS = ("instance_attributes", "utilization")


def canonical(element: Element) -> tuple[Any, ...]:
    """Return an element's normal form, without its ids and the order of unordered children."""
    attributes = _attributes(element)
    if element.tag == "rule":
        # The terms below have it too.
        attributes.pop("boolean-op", None)
        return (element.tag, tuple(sorted(attributes.items())), _terms(element))
    children = [(str(child.tag), canonical(child)) for child in _children(element)]
    if not all(tag in ORDERED for tag, _ in children):
        children.sort(key=repr)
    return (element.tag, tuple(sorted(attributes.items())), tuple(children))


def _attributes(element: Element) -> dict[str, str]:
    """Return an element's attributes in canonical spelling, without ids and defaults."""
    silent = set() if element.tag in REFERENCES else {"id"}
    if element.tag == "rule" and not _is_scored(element):
        silent.add("score")
    elif element.tag == "expression" and element.get("operation") in ("eq", "ne"):
        silent |= {"type"} if element.get("type") == "string" else set()
    names = [name for name in map(str, element.attrib) if name not in silent]
    spelled = {name: _value(element, name) for name in names}
    return {n: text for n, text in spelled.items() if text != DEFAULTS.get((str(element.tag), n))}


def _is_scored(rule: Element) -> bool:
    parent = rule.getparent()
    return parent is not None and parent.tag in ("rsc_location", "lifetime")


def _terms(rule: Element) -> Any:
    try:
        terms, strange = rule_xml.read(rule)
        return (cib_rule.canonical(terms), strange)
    except cib_rule.RuleError:
        return etree.tostring(rule, with_tail=False)


def _value(element: Element, name: str) -> str:
    text = element.get(name, "")
    if element.tag != "nvpair":
        return normalize.value(name, text)
    if name == "name":
        return _pair_name(element)
    parent = element.getparent()
    if name != "value" or (parent is not None and parent.tag in _PLAIN_SETS):
        return text
    return normalize.value(_pair_name(element), text)


def _pair_name(nvpair: Element) -> str:
    return normalize.option_name(nvpair.get("name", ""))


def _children(element: Element) -> list[Element]:
    return [child for child in element.iterchildren("*") if child.tag not in RESOURCE_TAGS]


# --- updating --------------------------------------------------------------------------------


def update(document: Document, old: Element, new: Element, owner: str = "") -> None:
    """Make ``old`` mean the same as ``new``, with the least change.

    document
        The CIB of ``old``; its index learns the new ids.
    new
        An element of the same kind, outside any CIB; its children may move into ``old``.
    owner
        The id of the nearest element around ``old`` that has one.

    Resources within ``old`` stay.
    """
    owner = old.get("id") or owner
    update_attributes(document, old, new)
    matches = _matched(_children(old), _children(new))
    kept = {id(mine) for mine, _ in matches if mine is not None}
    for child in _children(old):
        if id(child) not in kept:
            old.remove(child)
            document.forget(child)
    placed = []
    for mine, theirs in matches:
        if mine is None:
            _insert(old, theirs)
            document.adopt(theirs, owner, base)
            placed.append(theirs)
        else:
            if canonical(mine) != canonical(theirs) or _has_referenced_ids(document, theirs):
                update(document, mine, theirs, owner)
            placed.append(mine)
    _reorder(old, placed)


def update_attributes(document: Document, old: Element, new: Element) -> None:
    """Make the attributes of ``old`` mean the same as those of ``new``; most ids stay."""
    before, after = _attributes(old), _attributes(new)
    # An attribute with its default may stay, unless others come or go.
    silent = {*map(str, old.attrib)} - before.keys() - {"id", *map(str, new.attrib)}
    for name in (before.keys() - after.keys()) | (
        silent if before.keys() != after.keys() else set()
    ):
        del old.attrib[name]
    for name, text in after.items():
        if before.get(name) != text:
            old.set(name, new.get(name, ""))
    given = new.get("id")
    if given and given != old.get("id") and (not old.get("id") or given in document.referenced_ids):
        # An id counts only if something refers to it.
        document.rename(old, given)


def _has_referenced_ids(document: Document, new: Element) -> bool:
    """Tell whether an element or its children need ids that others refer to."""
    return any(element.get("id") in document.referenced_ids for element in new.iter("*"))


Match = Callable[[Element, Element], bool]


def _same(mine: Element, theirs: Element) -> bool:
    return canonical(mine) == canonical(theirs)


def _alike(mine: Element, theirs: Element) -> bool:
    """Tell whether both have one tag, and both or neither an ``id-ref``."""
    return mine.tag == theirs.tag and ("id-ref" in mine.attrib) == ("id-ref" in theirs.attrib)


def _keyed(mine: Element, theirs: Element) -> bool:
    return _alike(mine, theirs) and _key(mine) == _key(theirs)


def _placed(mine: Element, theirs: Element) -> bool:
    return _alike(mine, theirs) and mine.tag not in REFERENCES and mine.tag != "nvpair"


def _key(element: Element) -> tuple[Any, ...]:
    """Return the key of an element: with equal keys, two elements differ only in contents."""
    if element.tag == "nvpair":
        return (_pair_name(element),)
    if element.tag == "op":
        return (element.get("name"), normalize.value("interval", element.get("interval", "0")))
    attributes = {"id": element.get("id"), **_attributes(element)}
    rules = tuple(canonical(rule) for rule in element.findall("rule"))
    return (*(attributes.get(name) for name in _KEYS.get(str(element.tag), ("id",))), rules)


_KEYS = {
    "resource_ref": ("id",),
    "obj_ref": ("id",),
    "role": ("id",),
    "recipient": ("value",),
    "storage-mapping": ("target-dir",),
    "port-mapping": ("port", "range"),
    **dict.fromkeys(SET_TAGS, ("score", "id-ref")),
}


def _matched(
    mine: Sequence[Element], theirs: Sequence[Element]
) -> list[tuple[Element | None, Element]]:
    """Match desired children with present ones: equal, of the same key, or of the same tag."""
    free = list(mine)
    partners: dict[int, Element] = {}
    for match in (_same, _keyed, _placed):
        for number, desired in enumerate(theirs):
            if number in partners:
                continue
            partner = next((child for child in free if match(child, desired)), None)
            if partner is not None:
                partners[number] = partner
                free.remove(partner)
    return [(partners.get(number), desired) for number, desired in enumerate(theirs)]


def _insert(parent: Element, child: Element) -> None:
    """Insert a child at its place in the schema; resources come last, in the order of calls."""
    if child.tag in RESOURCE_TAGS:
        parent.append(child)
        return
    order = [tag for tag in _ORDER.get(str(parent.tag), ()) if tag not in RESOURCE_TAGS]
    later = {*order[order.index(str(child.tag)) + 1 :]} if child.tag in order else set()
    later.update(RESOURCE_TAGS)
    for index, sibling in enumerate(parent):
        if sibling.tag in later:
            parent.insert(index, child)
            return
    parent.append(child)


def _reorder(parent: Element, placed: Iterable[Element]) -> None:
    """Bring the children whose order counts into their desired order, each tag on its own."""
    by_tag: dict[str, list[Element]] = {}
    for child in placed:
        if child.tag in ORDERED:
            by_tag.setdefault(str(child.tag), []).append(child)
    for tag, children in by_tag.items():
        present = parent.findall(tag)
        if present == children:
            continue
        at = list(parent).index(present[0])
        for child in children:
            parent.remove(child)
        for offset, child in enumerate(children):
            parent.insert(at + offset, child)


def base(element: Element, owner: str) -> str:
    """Return the id that an element without one should have."""
    if element.tag == "nvpair":
        return f"{owner}-{element.get('name')}"
    if element.tag == "op":
        return f"{owner}-{element.get('name')}-{element.get('interval', '0s')}"
    parent = element.getparent()
    if parent is not None and parent.tag in ("rsc_defaults", "op_defaults"):
        # As crmsh and pcs name them: rsc-options.
        return owner
    return f"{owner}-{_SHORT.get(str(element.tag), str(element.tag))}"


def insert(document: Document, parent: Element, new: Element) -> Element:
    """Put a new object into its section (or container), and give ids to elements without one."""
    _insert(parent, new)
    document.adopt(new, cast(str, new.get("id", parent.tag)), base)
    return new


def insert_in(document: Document, parent: Element, new: Element) -> Element:
    """Put a new element into another one, with an id made from its parent's."""
    _insert(parent, new)
    document.adopt(new, parent.get("id", ""), base)
    return new


def new_element(tag: str, id: str | None = None) -> Element:
    """Make an element outside any CIB."""
    return etree.Element(tag, {} if id is None else {"id": id})
