"""Sets of name-value pairs in which several people write: properties and node attributes.

The cluster itself, its operators and other tools keep pairs there beside the formula's. So it
is single pairs that are compared, changed and owned, in whichever set they stand; a set that
holds by a rule is compared and owned as a whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fshalib.cib import compat, update
from fshalib.cib.document import Document, Element
from fshalib.cib.element_schema import Reading
from fshalib.cib.kinds import KINDS, ONE_IDS
from fshalib.cib.normalize import option_name
from fshalib.cib.nvset import NvSet, NvSets, score_of
from fshalib.cib.nvset_field import Sets, in_order
from fshalib.cib.objects import Object
from fshalib.cib.options import SERVER_WRITTEN
from fshalib.cib.values import score_text

SHARED = ("properties", "node")
"""The kinds whose objects are shared with other people."""

PAIRED = (*SHARED, "resource_defaults", "operation_defaults")
"""The kinds that are owned pair by pair, for their objects are always there."""


def parts(kind: str) -> Iterator[Sets]:
    """Yield the parts of a kind that are sets of pairs."""
    for part in KINDS[kind].shape.parts:
        if isinstance(part, Sets):
            yield part


# --- what stands there -----------------------------------------------------------------------


def _plain(element: Element, part: Sets) -> list[Element]:
    """Return the sets that always hold, the one that counts first in front."""
    found = [s for s in element.findall(part.tag) if not _is_whole(s)]
    return sorted(
        found, key=lambda s: (s.get("id") != ONE_IDS["properties"], -score_of(s.get("score")))
    )


def _ruled(element: Element, part: Sets) -> list[Element]:
    return [s for s in element.findall(part.tag) if _is_whole(s)]


def _is_whole(nvset: Element) -> bool:
    return nvset.find("rule") is not None or "id-ref" in nvset.attrib


def _name(part: Sets, name: str) -> str:
    return option_name(name) if part.options else name


def _pairs(element: Element, part: Sets) -> dict[str, Element]:
    """Return the pairs that count, by their best-known names."""
    found: dict[str, Element] = {}
    for nvset in _plain(element, part):
        for pair in nvset.findall("nvpair"):
            found.setdefault(_name(part, pair.get("name", "")), pair)
    return found


@dataclass(frozen=True)
class _Pair:
    """A pair that is wanted: its name, its text, and the score of its set where it matters."""

    name: str
    text: str
    score: int = 0


def _wanted(part: Sets, wanted: NvSets) -> dict[str, _Pair]:
    """Return the pairs that are wanted, by their best-known names."""
    found: dict[str, _Pair] = {}
    for one in in_order(one for one in wanted.without(SERVER_WRITTEN) if one.plain):
        score = one.weight if _scored(part, wanted) else 0
        for name, text in one.values.items():
            found.setdefault(_name(part, name), _Pair(name, text, score))
    return found


def _scored(part: Sets, wanted: NvSets) -> bool:
    """Tell whether scores mean something: beside sets that may hold or not.

    The cluster takes its own set of properties first, whatever the scores.
    """
    return part.tag != "cluster_property_set" and bool(wanted.conditional)


def _said(part: Sets, nvset: Element) -> NvSet:
    """Return what a set says, in normal form."""
    return part.normal_set(part.read_set(nvset, Reading()))


# --- comparing -------------------------------------------------------------------------------


def compared(
    element: Element | None, item: Object, owned: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sets of a shared object that matter, as they are and as they are wanted.

    Pairs and sets that are neither wanted nor the formula's own are left out.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for part in parts(item.kind):
        value = item.sets(part.key)
        wanted, ruled = _wanted(part, value), value.conditional
        after[part.key] = _form(wanted, ruled)
        if element is not None:
            standing = {
                name: _standing(pair, _scored(part, value))
                for name, pair in _pairs(element, part).items()
                if name in wanted or pair.get("id") in owned
            }
            ours = [part.read_set(s, Reading()) for s in _ours(element, part, ruled, owned)]
            before[part.key] = _form(standing, ours)
    return before, after


def _standing(pair: Element, scored: bool) -> _Pair:
    nvset = cast(Element, pair.getparent())
    score = score_of(nvset.get("score")) if scored else 0
    return _Pair(pair.get("name", ""), pair.get("value", ""), score)


def _ours(
    element: Element, part: Sets, ruled: Sequence[NvSet], owned: frozenset[str]
) -> list[Element]:
    """Return the sets with rules that the formula owns, or wants as they are."""
    wanted = [part.normal_set(one) for one in ruled]
    return [
        nvset
        for nvset in _ruled(element, part)
        if nvset.get("id") in owned or _said(part, nvset) in wanted
    ]


def _form(pairs: Mapping[str, _Pair], ruled: Sequence[NvSet]) -> NvSets:
    sets = [
        NvSet({n: p.text for n, p in pairs.items() if p.score == score}, score=str(score))
        for score in sorted({pair.score for pair in pairs.values()})
    ]
    return NvSets.several([*ruled, *sets])


# --- writing ---------------------------------------------------------------------------------


def merge(document: Document, element: Element, item: Object, owned: frozenset[str]) -> None:
    """Bring the wanted pairs into an object's element, and take out what is ours no longer."""
    for part in parts(item.kind):
        sets = item.sets(part.key)
        _merge_plain(document, element, part, sets, owned)
        _merge_ruled(document, element, part, sets.conditional, owned)


def _merge_plain(
    document: Document, element: Element, part: Sets, sets: NvSets, owned: frozenset[str]
) -> None:
    wanted, scored = _wanted(part, sets), _scored(part, sets)
    standing = _pairs(element, part)
    missing = [wanted[name] for name in wanted if name not in standing]
    for name, pair in standing.items():
        if name not in wanted:
            if pair.get("id") in owned and name not in SERVER_WRITTEN:
                _remove(document, pair)
        elif _standing(pair, scored).score != wanted[name].score:
            _remove(document, pair)
            missing.append(wanted[name])
        elif not _equal(part, name, pair.get("value", ""), wanted[name].text):
            pair.set("value", wanted[name].text)
    for found in missing:
        new = update.new_element("nvpair")
        new.set("name", found.name)
        new.set("value", found.text)
        update.insert_in(document, _set_for(document, element, part, found, scored), new)


def _set_for(
    document: Document, element: Element, part: Sets, pair: _Pair, scored: bool
) -> Element:
    """Return the set that a new pair belongs into."""
    for nvset in _plain(element, part):
        if not scored or score_of(nvset.get("score")) == pair.score:
            return nvset
    if part.tag == "cluster_property_set":
        return update.insert(document, element, update.new_element(part.tag, _FIRST))
    new = update.new_element(part.tag)
    if pair.score:
        new.set("score", score_text(pair.score))
    return _place(document, element, new)


def _equal(part: Sets, name: str, one: str, other: str) -> bool:
    return part.same({name: one}) == part.same({name: other})


def _remove(document: Document, child: Element) -> None:
    """Remove a pair or set, and the set that holds nothing without it."""
    parent = child.getparent()
    if parent is not None:
        parent.remove(child)
        document.forget(child)
        if len(parent) == 0 and child.tag == "nvpair" and parent.get("id") != _FIRST:
            _remove(document, parent)


_FIRST = ONE_IDS["properties"]


def _merge_ruled(
    document: Document,
    element: Element,
    part: Sets,
    wanted: Sequence[NvSet],
    owned: frozenset[str],
) -> None:
    free = _ours(element, part, wanted, owned)
    standing = [_said(part, nvset) for nvset in free]
    if in_order(standing) == in_order(part.normal_set(one) for one in wanted):
        return
    placed: list[Element | None] = []
    for one in wanted:
        same = next((s for s in free if _said(part, s) == part.normal_set(one)), None)
        if same is not None:
            free.remove(same)
        placed.append(same)
    for nvset in free:
        _remove(document, nvset)
    # A set that holds by a rule comes before the plain ones, which it is an exception from.
    behind = next(iter(_plain(element, part)), None)
    for same, one in zip(placed, wanted, strict=True):
        nvset = _new_set(document, element, part, one) if same is None else same
        if behind is not None:
            behind.addprevious(nvset)
        else:
            element.append(nvset)


def _new_set(document: Document, element: Element, part: Sets, one: NvSet) -> Element:
    holder = update.new_element(str(element.tag))
    part.write(holder, [one])
    compat.fit_to_schema(document, holder)
    return _place(document, element, holder[0])


def _place(document: Document, element: Element, nvset: Element) -> Element:
    """Put a set behind the others; its id is made from its owner's."""
    element.append(nvset)
    owner = element.get("uname") or _FIRST
    document.adopt(nvset, owner, update.base)
    return nvset


# --- ownership -------------------------------------------------------------------------------


def to_own(element: Element, item: Object) -> frozenset[str]:
    """Return the ids by which the pairs and sets of an object are owned."""
    found: set[str] = set()
    for part in parts(item.kind):
        sets = item.sets(part.key)
        if item.kind in SHARED:
            pairs = _pairs(element, part)
            ours = [pairs[name] for name in _wanted(part, sets) if name in pairs]
            ours += _ours(element, part, sets.conditional, frozenset())
        else:
            # Whoever says something about defaults says all of it.
            ours = [*_ruled(element, part)] if sets else []
            plain = _plain(element, part) if sets else []
            ours += [pair for nvset in plain for pair in nvset.findall("nvpair")]
        found |= {one.get("id", "") for one in ours}
    # What stands for another set has no id.
    return frozenset(found - {""})


def holds(element: Element, owned: frozenset[str]) -> bool:
    """Tell whether an element holds a pair or set that the formula owns."""
    return any(child.get("id") in owned for child in element.iter("*"))


def strip(element: Element, owned: frozenset[str]) -> None:
    """Take what the formula owns out of an element that is part of no CIB."""
    for child in list(element.iter("*")):
        parent = child.getparent()
        if parent is not None and child.get("id") in owned:
            parent.remove(child)
