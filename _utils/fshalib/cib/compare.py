"""Compare an object in the CIB with the desired one."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lxml import etree

from fshalib.cib import shared_nvsets
from fshalib.cib.document import (
    Document,
    Element,
)
from fshalib.cib.element_schema import OTHER, UNUSED
from fshalib.cib.kinds import BY_TAG, KINDS, normal
from fshalib.cib.normalize import Normal, changes
from fshalib.cib.nvset import NvSets, in_pillar
from fshalib.cib.objects import Object
from fshalib.cib.ownership import OPERATOR_META, manageable, owned_ids
from fshalib.cib.read import locate, read_element
from fshalib.cib.secrets import masked

Defaults = Callable[[str], Mapping[str, str]]
"""Returns the defaults of an agent's parameters, by the agent's name."""


def kept(live: Object | None, item: Object, owned: frozenset[str]) -> Object:
    """Return the desired object with other people's settings of the live one added.

    owned
        The names of the nvpairs that the formula wrote earlier.
    """
    if live is None:
        return item
    spec = dict(item.spec)
    if "meta" in KINDS[item.kind].section_keys:
        operators = {n: v for n, v in live.values("meta").items() if n in OPERATOR_META}
        _add(spec, "meta", item.sets("meta").with_values(operators))
    if item.kind in _DEFAULTS and not item.sets("sets"):
        # A pillar without defaults removes nobody's.
        theirs = {n: v for n, v in live.values("sets").items() if n not in owned}
        _add(spec, "sets", item.sets("sets").with_values(theirs))
    for key in _KEPT_KEYS.get(item.kind, ()):
        if key in live.spec:
            spec.setdefault(key, live.spec[key])
    return Object(item.kind, item.id, spec)


_DEFAULTS = ("resource_defaults", "operation_defaults")
# Keys that stay as they are unless the pillar has them: notes for people, and unused ones.
_KEPT_KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("primitive", "template", "group", "clone", "bundle"), ("description",)),
    "node": ("description", "score", "type"),
}


def _add(spec: dict[str, Any], key: str, sets: NvSets) -> None:
    """Put sets into a spec, unless there are none."""
    if sets:
        spec[key] = sets


def without_operators(live: Object, item: Object) -> Object:
    """Return an object without the settings of operators, in all its sets."""
    names = OPERATOR_META.difference(item.values("meta"))
    return live.with_sets("meta", live.sets("meta").without(names))


def _without_implied(
    live: Object | None, item: Object, defaults: Defaults | None
) -> tuple[Object | None, Object]:
    """Drop parameters with the agent's default if only one side has them."""
    if defaults is None or live is None or item.kind != "primitive" or not item.agent:
        return live, item
    mine, theirs = item.values("params"), live.values("params")
    if item.sets("params").listed or live.sets("params").listed or mine.keys() == theirs.keys():
        return live, item
    implied = defaults(item.agent)
    return _explicit(live, mine, implied), _explicit(item, theirs, implied)


def _explicit(item: Object, other: Mapping[str, str], implied: Mapping[str, str]) -> Object:
    """Return an object without the default parameters that the other side lacks."""
    own = item.values("params")
    names = {n for n, text in own.items() if n not in other and implied.get(n) == text}
    return item.with_sets("params", item.sets("params").without(names))


def comparable(
    document: Document, item: Object, owned: frozenset[str], defaults: Defaults | None
) -> tuple[Element | None, Normal | None, Normal | None, Object]:
    """Return an object's element, its normal form now, the desired one, and the desired object."""
    kind = KINDS[item.kind]
    element = locate(document, kind, item.id)
    live = None if element is None else read_element(element, document.referenced())
    desired = kept(live, item, owned_names(element, owned))
    if kind.name in shared_nvsets.SHARED:
        return element, *_shared_forms(element, live, desired, owned), desired
    if live is not None and live.spec == desired.spec and not document.referenced_ids:
        # Both are equal as they are; normal forms would be too.
        return element, {}, {}, desired
    compared = _without_implied(live, item, defaults)
    before, after = compared[0], kept(compared[0], compared[1], owned_names(element, owned))
    if before is not None and "meta" in kind.section_keys:
        before, after = without_operators(before, item), without_operators(after, item)
    # A missing section means the same as an empty one.
    present = {} if before is None and kind.one else normal(before)
    return element, *_with_ids(document, element, item, present, normal(after)), desired


def _shared_forms(
    element: Element | None, live: Object | None, desired: Object, owned: frozenset[str]
) -> tuple[Normal | None, Normal | None]:
    """Return the normal forms of an object that several people write in: only our share of it."""
    before, after = shared_nvsets.compared(element, desired, owned)
    new = normal(Object(desired.kind, desired.id, {**desired.spec, **after}))
    if live is None:
        return {} if KINDS[desired.kind].one else None, new
    own = {key: text for key, text in live.spec.items() if key not in (OTHER, UNUSED)}
    return normal(Object(desired.kind, desired.id, {**own, **before})), new


def _with_ids(
    document: Document,
    element: Element | None,
    item: Object,
    before: Normal | None,
    after: Normal | None,
) -> tuple[Normal | None, Normal | None]:
    """Add the ids that others refer to and that no element of the object has yet."""
    if not document.referenced_ids or element is None or before is None or after is None:
        return before, after
    ids = {child.get("id") for child in element.iter("*")}
    missing = sorted(ids_in("id", item.spec) & document.referenced_ids - ids)
    return ({**before, "ids": []}, {**after, "ids": missing}) if missing else (before, after)


def ids_in(key: str, spec: Any) -> set[str]:
    """Return the ids of a spec on any level: its own (``id``) or references (``id-ref``)."""
    ids: set[str] = set()
    left = [in_pillar(spec)]
    while left:
        value = left.pop()
        if isinstance(value, str):
            continue
        if isinstance(value, Mapping):
            id = value.get(key)
            if isinstance(id, str):
                ids.add(id)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return ids


def owned_names(element: Element | None, owned: frozenset[str]) -> frozenset[str]:
    """Return the names of the nvpairs in an element that the formula owns."""
    if element is None:
        return frozenset()
    return frozenset(p.get("name", "") for p in element.iter("nvpair") if p.get("id") in owned)


Difference = Mapping[str, Mapping[str, Any]]


def removal(root: Element | Document, id: str) -> Difference:
    """Return the difference that the removal of an object makes; empty if it is not there."""
    document = root if isinstance(root, Document) else Document(root)
    return removal_of(document, id) if id in manageable(document) else {}


def removal_of(document: Document, id: str) -> Difference:
    """Return the difference that the removal of an object makes."""
    return {"object": {"old": _described(document, id), "new": None}}


def removals(
    live: Element, removed: Iterable[str], described: Mapping[str, Difference]
) -> dict[str, Difference]:
    """Return the differences of removals, also of objects that others removed."""
    document = Document(live)
    return {id: described.get(id) or removal_of(document, id) for id in removed}


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
    for nvpair in copied.iter("nvpair"):
        name, text = nvpair.get("name", ""), nvpair.get("value", "")
        nvpair.set("value", masked({name: text})[name])
    return etree.tostring(copied, encoding="unicode", with_tail=False)


def object_changes(
    document: Document, item: Object, defaults: Defaults | None = None
) -> dict[str, dict[str, Any]]:
    """Return the changes that one object would make in a CIB.

    Raises :class:`CibError`.
    """
    _, before, after, _ = comparable(document, item, owned_ids(document), defaults)
    return changes(before, after)
