"""Sets of nvpairs that several people write in: cluster properties and node attributes.

The cluster itself, its operators and other tools keep nvpairs there beside the formula's. So the
formula compares, changes and owns single nvpairs, in any set. A set with a rule is compared and
owned as a whole.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fshalib.cib import compat, update
from fshalib.cib.document import Document, Element
from fshalib.cib.element_schema import Reading
from fshalib.cib.kinds import KINDS
from fshalib.cib.normalize import option_name
from fshalib.cib.nvset import FIRST, NvSet, NvSets, score_of
from fshalib.cib.nvset_field import Sets, in_order
from fshalib.cib.objects import Object
from fshalib.cib.options import SERVER_WRITTEN
from fshalib.cib.values import score_text

SHARED = ("properties", "node")
"""The kinds whose objects several people write in."""

PAIRED = (*SHARED, "resource_defaults", "operation_defaults")
"""The kinds that are owned by single nvpairs, because their objects always exist."""


def set_fields(kind: str) -> Iterator[Sets]:
    """Yield the fields of a kind that hold sets of nvpairs."""
    for known in KINDS[kind].schema.fields:
        if isinstance(known, Sets):
            yield known


# --- present and desired nvpairs --------------------------------------------------------------


def _plain_sets(element: Element, field: Sets) -> list[Element]:
    """Return the sets without a rule, the one that counts first in front."""
    sets = [s for s in element.findall(field.tag) if not _is_conditional(s)]
    return sorted(sets, key=lambda s: (s.get("id") != FIRST, -score_of(s.get("score"))))


def _conditional_sets(element: Element, field: Sets) -> list[Element]:
    return [s for s in element.findall(field.tag) if _is_conditional(s)]


def _is_conditional(nvset: Element) -> bool:
    return nvset.find("rule") is not None or "id-ref" in nvset.attrib


def _name(field: Sets, name: str) -> str:
    return option_name(name) if field.options else name


def _nvpairs(element: Element, field: Sets) -> dict[str, Element]:
    """Return the nvpairs that count, by their best-known names."""
    nvpairs: dict[str, Element] = {}
    for nvset in _plain_sets(element, field):
        for nvpair in nvset.findall("nvpair"):
            nvpairs.setdefault(_name(field, nvpair.get("name", "")), nvpair)
    return nvpairs


@dataclass(frozen=True)
class _NvPair:
    """An nvpair: its name, its text, and where it stands, if that counts.

    ``score`` is that of its set; ``first`` tells whether that is the set before all others.
    """

    name: str
    text: str
    score: int = 0
    first: bool = False

    @property
    def place(self) -> tuple[bool, int]:
        """Where it stands among sets, for the order."""
        return not self.first, self.score


def _desired(field: Sets, sets: NvSets) -> dict[str, _NvPair]:
    """Return the desired nvpairs by their best-known names."""
    nvpairs: dict[str, _NvPair] = {}
    placed = _placed(field, sets)
    for nvset in in_order(nvset for nvset in sets.without(SERVER_WRITTEN) if nvset.plain):
        for given, text in nvset.values.items():
            name = _name(field, given)
            new = _NvPair(given, text)
            if placed(name):
                new = _in_place(given, text, nvset.id, nvset.score)
            nvpairs.setdefault(name, new)
    return nvpairs


def _in_place(name: str, text: str, id: str | None, score: str | None) -> _NvPair:
    first = id == FIRST
    return _NvPair(name, text, 0 if first else score_of(score), first)


Placed = Callable[[str], bool]
"""Tells whether it counts in which set an nvpair stands, by its best-known name."""


def _placed(field: Sets, sets: NvSets) -> Placed:
    """Return what tells whether places count: only beside sets with a rule.

    Of the properties only those count that such a set has as well: the cluster, its operators and
    other tools write the others where they like.
    """
    if field.tag != "cluster_property_set":
        return lambda _name: bool(sets.conditional)
    ruled = {_name(field, name) for nvset in sets.conditional for name in nvset.values}
    return ruled.__contains__


def _normal_set(field: Sets, nvset: Element) -> NvSet:
    """Return a set in normal form."""
    return field.normal_set(field.read_set(nvset, Reading()))


# --- comparing -------------------------------------------------------------------------------


def compared(
    element: Element | None, item: Object, owned: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return our share of a shared object's sets, as it is and as desired.

    Other people's nvpairs and sets are left out, unless the formula desires the same.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for field in set_fields(item.kind):
        value = item.sets(field.key)
        desired, conditional = _desired(field, value), value.conditional
        placed = _placed(field, value)
        after[field.key] = _as_sets(desired, conditional)
        if element is not None:
            standing = {
                name: _as_desired(nvpair, placed(name))
                for name, nvpair in _nvpairs(element, field).items()
                if name in desired or nvpair.get("id") in owned
            }
            ours = [
                field.read_set(s, Reading()) for s in _our_sets(element, field, conditional, owned)
            ]
            before[field.key] = _as_sets(standing, ours)
    return before, after


def _as_desired(nvpair: Element, placed: bool) -> _NvPair:
    name, text = nvpair.get("name", ""), nvpair.get("value", "")
    if not placed:
        return _NvPair(name, text)
    parent = cast(Element, nvpair.getparent())
    return _in_place(name, text, parent.get("id"), parent.get("score"))


def _our_sets(
    element: Element, field: Sets, conditional: Sequence[NvSet], owned: frozenset[str]
) -> list[Element]:
    """Return the sets with rules that the formula owns, or desires as they are."""
    desired = [field.normal_set(nvset) for nvset in conditional]
    return [
        nvset
        for nvset in _conditional_sets(element, field)
        if nvset.get("id") in owned or _normal_set(field, nvset) in desired
    ]


def _as_sets(nvpairs: Mapping[str, _NvPair], conditional: Sequence[NvSet]) -> NvSets:
    sets = [
        NvSet(
            {n: p.text for n, p in nvpairs.items() if p.place == place},
            score=str(place[1]),
            id=None if place[0] else FIRST,
        )
        for place in sorted({nvpair.place for nvpair in nvpairs.values()})
    ]
    return NvSets.several([*conditional, *sets])


# --- writing ---------------------------------------------------------------------------------


def merge(document: Document, element: Element, item: Object, owned: frozenset[str]) -> None:
    """Write the desired nvpairs into an object's element, and remove ours that are not desired."""
    for field in set_fields(item.kind):
        sets = item.sets(field.key)
        _merge_plain(document, element, field, sets, owned)
        _merge_conditional(document, element, field, sets, owned)


def _merge_plain(
    document: Document, element: Element, field: Sets, sets: NvSets, owned: frozenset[str]
) -> None:
    desired, placed = _desired(field, sets), _placed(field, sets)
    present = _nvpairs(element, field)
    missing = [desired[name] for name in desired if name not in present]
    for name, nvpair in present.items():
        if name not in desired:
            if nvpair.get("id") in owned and name not in SERVER_WRITTEN:
                _remove(document, nvpair)
        elif _as_desired(nvpair, placed(name)).place != desired[name].place:
            _remove(document, nvpair)
            missing.append(desired[name])
        elif not _equal(field, name, nvpair.get("value", ""), desired[name].text):
            nvpair.set("value", desired[name].text)
    for wanted in missing:
        new = update.new_element("nvpair")
        new.set("name", wanted.name)
        new.set("value", wanted.text)
        placed_here = placed(_name(field, wanted.name))
        update.insert_in(document, _set_for(document, element, field, wanted, placed_here), new)


def _set_for(
    document: Document, element: Element, field: Sets, nvpair: _NvPair, placed: bool
) -> Element:
    """Return the set for a new nvpair."""
    for nvset in _plain_sets(element, field):
        here = _in_place("", "", nvset.get("id"), nvset.get("score"))
        if not placed or here.place == nvpair.place:
            return nvset
    if field.tag == "cluster_property_set" and (nvpair.first or not placed):
        return update.insert(document, element, update.new_element(field.tag, FIRST))
    new = update.new_element(field.tag)
    if nvpair.score:
        new.set("score", score_text(nvpair.score))
    return _place(document, element, new)


def _equal(field: Sets, name: str, first: str, second: str) -> bool:
    return field.same({name: first}) == field.same({name: second})


def _remove(document: Document, child: Element) -> None:
    """Remove an nvpair or a set, and the set that is empty without it."""
    parent = child.getparent()
    if parent is not None:
        parent.remove(child)
        document.forget(child)
        if len(parent) == 0 and child.tag == "nvpair" and parent.get("id") != FIRST:
            _remove(document, parent)


def _merge_conditional(
    document: Document, element: Element, field: Sets, sets: NvSets, owned: frozenset[str]
) -> None:
    desired = sets.conditional
    free = _our_sets(element, field, desired, owned)
    present = [_normal_set(field, nvset) for nvset in free]
    if in_order(present) == in_order(field.normal_set(given) for given in desired):
        return
    kept: list[Element | None] = []
    for given in desired:
        same = next((s for s in free if _normal_set(field, s) == field.normal_set(given)), None)
        if same is not None:
            free.remove(same)
        kept.append(same)
    for nvset in free:
        _remove(document, nvset)
    # A set with a rule is an exception from the plain ones, so it comes before them.
    behind = next(iter(_plain_sets(element, field)), None)
    last: dict[Element, Element] = {}
    for same, given in zip(kept, desired, strict=True):
        nvset = _new_set(document, element, field, given) if same is None else same
        before = _before(element, field, sets, given)
        if before is not None:
            # Several of them keep their order.
            last.get(before, before).addnext(nvset)
            last[before] = nvset
        elif behind is not None:
            behind.addprevious(nvset)
        else:
            element.append(nvset)


def _before(element: Element, field: Sets, sets: NvSets, given: NvSet) -> Element | None:
    """Return the last plain set of the same score that is desired before a set with a rule.

    Of sets with equal scores their order in the CIB decides.
    """
    rank = list(sets).index(given)
    earlier = [s for s in list(sets)[:rank] if s.plain and s.weight == given.weight]
    names = {_name(field, name) for nvset in earlier if nvset.id != FIRST for name in nvset.values}
    holders = [
        nvset
        for nvset in element.findall(field.tag)
        if not _is_conditional(nvset)
        and nvset.get("id") != FIRST
        and score_of(nvset.get("score")) == given.weight
        and names.intersection(_name(field, p.get("name", "")) for p in nvset.findall("nvpair"))
    ]
    return holders[-1] if holders else None


def _new_set(document: Document, element: Element, field: Sets, nvset: NvSet) -> Element:
    holder = update.new_element(str(element.tag))
    field.write(holder, [nvset])
    compat.fit_to_schema(document, holder)
    return _place(document, element, holder[0])


def _place(document: Document, element: Element, nvset: Element) -> Element:
    """Append a set to an object; its id is made from its owner's."""
    element.append(nvset)
    owner = element.get("uname") or FIRST
    document.adopt(nvset, owner, update.base)
    return nvset


# --- ownership -------------------------------------------------------------------------------


def to_own(element: Element, item: Object) -> frozenset[str]:
    """Return the ids of the nvpairs and sets of an object, for the formula's tag."""
    ids: set[str] = set()
    for field in set_fields(item.kind):
        sets = item.sets(field.key)
        if item.kind in SHARED:
            nvpairs = _nvpairs(element, field)
            ours = [nvpairs[name] for name in _desired(field, sets) if name in nvpairs]
            ours += _our_sets(element, field, sets.conditional, frozenset())
        else:
            # A pillar that sets defaults sets them all.
            ours = [*_conditional_sets(element, field)] if sets else []
            plain = _plain_sets(element, field) if sets else []
            ours += [nvpair for nvset in plain for nvpair in nvset.findall("nvpair")]
        ids |= {child.get("id", "") for child in ours}
    # A set with an id-ref has no id.
    return frozenset(ids - {""})


def holds(element: Element, owned: frozenset[str]) -> bool:
    """Tell whether an element has an nvpair or set that the formula owns."""
    return any(child.get("id") in owned for child in element.iter("*"))


def strip(element: Element, owned: frozenset[str]) -> None:
    """Remove what the formula owns from an element outside a CIB."""
    for child in list(element.iter("*")):
        parent = child.getparent()
        if parent is not None and child.get("id") in owned:
            parent.remove(child)
