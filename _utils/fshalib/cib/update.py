"""The least change that makes one element of the CIB say what another one says.

What is equal in normal form keeps its ids, spelling, order and place; so the patch between
the CIB before and after holds nothing but the change.
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


def _implied(tag: str, parts: Iterable[Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the defaults of a shape's attributes, and of all that lies within it."""
    for part in parts:
        if isinstance(part, Attribute) and part.default is not None:
            yield (tag, part.name), part.default
        elif isinstance(part, Within):
            yield from _implied(part.tag, (part.part,))
        elif isinstance(part, ResourceSets):
            yield from _implied("resource_set", RESOURCE_SET_ATTRIBUTES)
        elif hasattr(part, "shape"):
            yield from _implied(part.shape.tag, part.shape.parts)


# Attributes whose absence means the same as this value.
DEFAULTS = {
    ("rule", "boolean-op"): "and",
    ("expression", "value-source"): "literal",
    **{(tag, "score"): "0" for tag in SET_TAGS},
    **{
        key: text
        for kind in KINDS.values()
        for key, text in _implied(kind.shape.tag, kind.shape.parts)
    },
}
# What stands in front of what in its parent, where the schema is strict.
_ORDER: dict[str, tuple[str, ...]] = {
    **{kind.shape.tag: kind.shape.tags for kind in KINDS.values()},
    "master": KINDS["clone"].shape.tags,
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
    """Return what an element says, without its ids and the order of unordered children."""
    said = _said(element)
    if element.tag == "rule":
        # How terms are joined is told with them.
        said.pop("boolean-op", None)
        return (element.tag, tuple(sorted(said.items())), _terms(element))
    children = [(str(child.tag), canonical(child)) for child in _children(element)]
    if not all(tag in ORDERED for tag, _ in children):
        children.sort(key=repr)
    return (element.tag, tuple(sorted(said.items())), tuple(children))


def _said(element: Element) -> dict[str, str]:
    """Return an element's attributes in canonical spelling, without those that say nothing."""
    silent = set() if element.tag in REFERENCES else {"id"}
    if element.tag == "rule" and not _is_scored(element):
        silent.add("score")
    elif element.tag == "expression" and element.get("operation") in ("eq", "ne"):
        silent |= {"type"} if element.get("type") == "string" else set()
    names = [name for name in map(str, element.attrib) if name not in silent]
    found = {name: _value(element, name) for name in names}
    return {n: text for n, text in found.items() if text != DEFAULTS.get((str(element.tag), n))}


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


def _pair_name(pair: Element) -> str:
    return normalize.option_name(pair.get("name", ""))


def _children(element: Element) -> list[Element]:
    return [child for child in element.iterchildren("*") if child.tag not in RESOURCE_TAGS]


# --- grafting --------------------------------------------------------------------------------


def update(document: Document, old: Element, new: Element, owner: str = "") -> None:
    """Make ``old`` say what ``new`` says, with as little change as can be.

    document
        The CIB that ``old`` belongs to; it books the ids of what is new.
    new
        An element of the same meaning, not part of any CIB; its parts may be taken over.
    owner
        The id of the nearest element around ``old`` that has one.

    Resources within ``old`` are left where they are.
    """
    owner = old.get("id") or owner
    update_attributes(document, old, new)
    pairs = _matched(_children(old), _children(new))
    kept = {id(mine) for mine, _ in pairs if mine is not None}
    for child in _children(old):
        if id(child) not in kept:
            old.remove(child)
            document.forget(child)
    placed = []
    for mine, theirs in pairs:
        if mine is None:
            _insert(old, theirs)
            document.adopt(theirs, owner, base)
            placed.append(theirs)
        else:
            if canonical(mine) != canonical(theirs) or _names_parts(document, theirs):
                update(document, mine, theirs, owner)
            placed.append(mine)
    _reorder(old, placed)


def update_attributes(document: Document, old: Element, new: Element) -> None:
    """Make the attributes of ``old`` say what those of ``new`` say; ids mostly stay."""
    before, after = _said(old), _said(new)
    # What only says what is implied may stay, but not beside other attributes than before.
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
        # Ids do not count, but where somebody refers to them.
        document.rename(old, given)


def _names_parts(document: Document, new: Element) -> bool:
    """Tell whether parts are to have ids that others refer to."""
    return any(part.get("id") in document.referenced_ids for part in new.iter("*"))


Match = Callable[[Element, Element], bool]


def _same(mine: Element, theirs: Element) -> bool:
    return canonical(mine) == canonical(theirs)


def _alike(mine: Element, theirs: Element) -> bool:
    """Tell whether both are of one kind; what stands for something else is of its own kind."""
    return mine.tag == theirs.tag and ("id-ref" in mine.attrib) == ("id-ref" in theirs.attrib)


def _keyed(mine: Element, theirs: Element) -> bool:
    return _alike(mine, theirs) and _key(mine) == _key(theirs)


def _placed(mine: Element, theirs: Element) -> bool:
    return _alike(mine, theirs) and mine.tag not in REFERENCES and mine.tag != "nvpair"


def _key(element: Element) -> tuple[Any, ...]:
    """Return what makes two elements of one tag the same thing with other contents."""
    if element.tag == "nvpair":
        return (_pair_name(element),)
    if element.tag == "op":
        return (element.get("name"), normalize.value("interval", element.get("interval", "0")))
    said = {"id": element.get("id"), **_said(element)}
    rules = tuple(canonical(rule) for rule in element.findall("rule"))
    return (*(said.get(name) for name in _KEYS.get(str(element.tag), ("id",))), rules)


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
    """Pair the children that are wanted with those that are there: equal, alike, or in place."""
    free = list(mine)
    found: dict[int, Element] = {}
    for match in (_same, _keyed, _placed):
        for number, wanted in enumerate(theirs):
            if number in found:
                continue
            partner = next((child for child in free if match(child, wanted)), None)
            if partner is not None:
                found[number] = partner
                free.remove(partner)
    return [(found.get(number), wanted) for number, wanted in enumerate(theirs)]


def _insert(parent: Element, child: Element) -> None:
    """Insert a child where the schema wants it: resources last, in the order they come in."""
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


def _reorder(parent: Element, wanted: Iterable[Element]) -> None:
    """Bring the children whose order counts into the wanted order, each tag on its own."""
    by_tag: dict[str, list[Element]] = {}
    for child in wanted:
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
    """Put a new object into its section (or container), giving ids to all that lacks one."""
    _insert(parent, new)
    document.adopt(new, cast(str, new.get("id", parent.tag)), base)
    return new


def insert_in(document: Document, parent: Element, new: Element) -> Element:
    """Put a new part into an element, with an id made from its parent's."""
    _insert(parent, new)
    document.adopt(new, parent.get("id", ""), base)
    return new


def new_element(tag: str, id: str | None = None) -> Element:
    """Return an element that is part of no CIB yet."""
    return etree.Element(tag, {} if id is None else {"id": id})
