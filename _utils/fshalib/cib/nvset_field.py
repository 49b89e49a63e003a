"""The field for sets of name-value pairs, with ids, scores and rules (``nvset-*.rng``)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fshalib.cib import normalize, rule_xml
from fshalib.cib import rule as cib_rule
from fshalib.cib.element_schema import (
    Element,
    Reading,
    below,
    unknown_attributes,
    unknown_children,
)
from fshalib.cib.field_types import ID, RuleText
from fshalib.cib.nvset import FIRST, NvSet, NvSets
from fshalib.cib.options import SCORE
from fshalib.schema.report import Location
from fshalib.schema.types import INVALID, UNSET, Field, ListOf, Record, ValueType

NO_ATTRIBUTES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OneOrSeveral:
    """A mapping of values, or a list of sets of them: the value type of :class:`Sets`."""

    values: ValueType
    sets: Record

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        return f"{self.values.expected}, or a list of sets"

    @property
    def item(self) -> ValueType:
        """The type of the values; the reference walks through all types."""
        return self.values

    def check(self, value: object, at: Location) -> object:
        """Return the sets of a mapping or a list."""
        if not isinstance(value, (list, tuple)):
            return _sets(self.values.check(value, at))
        checked = ListOf(self.sets, "a list of sets", keyed=True).check(value, at)
        if isinstance(checked, list):
            for number, (item, raw) in enumerate(zip(checked, value, strict=True)):
                _check_set(item, raw, at.below(number))
        return _sets(checked)


def _sets(checked: Any) -> object:
    return checked if checked is INVALID else NvSets.of(checked)


def _check_set(item: Mapping[str, Any], raw: Mapping[str, Any], at: Location) -> None:
    if not stands_alone(item, raw, at) and "values" not in raw:
        at.below("values").error("values or id-ref is expected; this key is missing.")


def set_section(values: ValueType) -> Record:
    """Return what one set of a list may hold."""
    return Record(
        {
            "values": Field(values, "the values", UNSET),
            "rule": Field(RuleText(), "when the set holds; without a rule always",
                          example="#uname eq freeswitch-dev"),
            "score": Field(SCORE, "which of several sets comes first: the highest; give each its "
                           "own, for of equal ones Pacemaker 2.1 takes the last and 3 the first",
                           theirs="0"),
            "id": Field(ID, "id in the CIB; made from the object's when it is left out. Of the "
                        f"cluster properties {FIRST} comes before all others"),
            "id-ref": Field(ID, "id of another set to use, in place of values"),
        },
        "a set (values, rule, score)",
    )  # fmt: skip


@dataclass(frozen=True)
class Sets:
    """Sets of name-value pairs: ``params``, ``meta``, ``utilization`` and their like.

    The pillar has a mapping for one set without a rule, and a list for several.
    ``options`` tells whether the names are Pacemaker's own, with values of known types.
    """

    key: str
    tag: str
    values: ValueType
    doc: str
    options: bool = True
    example: object = UNSET
    attributes: frozenset[str] = NO_ATTRIBUTES

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        return Field(
            OneOrSeveral(self.values, set_section(self.values)), self.doc, UNSET, self.example
        )

    @property
    def tags(self) -> tuple[str, ...]:
        """The sets' tag."""
        return (self.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the sets, the one that counts first in front."""
        elements = element.findall(self.tag)
        if not elements:
            return UNSET
        read = [self.read_set(nvset, reading) for nvset in elements]
        if FIRST not in reading.referenced:
            read = [_without_needless_id(nvset, read) for nvset in read]
        sets = in_order(read)
        # A score decides between sets; a single set needs none.
        if len(sets) == 1 and sets[0].plain and sets[0].id is None:
            return NvSets.of(sets[0].values)
        return NvSets.several(sets)

    def read_set(self, nvset: Element, reading: Reading) -> NvSet:
        """Return one set."""
        unknown_attributes(nvset, frozenset({"id", "id-ref", "score"}), reading)
        unknown_children(nvset, ("rule", "nvpair"), reading)
        rules = nvset.findall("rule")
        rule = _read_plain_rule(rules[0], reading) if rules else None
        reading.strange.extend(f"a second rule in <{nvset.tag}>" for _ in rules[1:])
        id, id_ref = nvset.get("id"), nvset.get("id-ref")
        return NvSet(
            read_nvpairs(nvset, reading) if id_ref is None else {},
            rule,
            nvset.get("score"),
            id if id in reading.referenced or id == FIRST else None,
            id_ref,
        )

    def write(self, element: Element, value: Iterable[NvSet]) -> None:
        """Make the sets, but for empty ones."""
        for given in value:
            if given.values or given.id_ref or given.rule:
                attributes = {"id": given.id, "id-ref": given.id_ref, "score": given.score}
                nvset = below(element, self.tag, attributes)
                if given.rule:
                    rule_xml.write(below(nvset, "rule"), cib_rule.parse(given.rule), below)
                for name, text in given.values.items():
                    below(nvset, "nvpair", {"name": name, "value": text})

    def normal(self, value: NvSets) -> Any:
        """Return one set if all are plain, else the sets, the one that counts first in front."""
        sets = in_order(
            nvset for nvset in map(self.normal_set, value) if nvset.values or not nvset.plain
        )
        if not sets:
            return UNSET
        if all(nvset.plain for nvset in sets):
            return NvSets.of(self.same(NvSets.several(sets).plain_values()))
        return NvSets.several(joined_sets(_without_unused(sets)))

    def normal_set(self, nvset: NvSet) -> NvSet:
        """Return the normal form of one set; its id counts only where it decides the order."""
        return NvSet(
            self.same(nvset.values),
            canonical_rule(nvset.rule) if nvset.rule else None,
            normalize.value("score", nvset.score or "") if nvset.weight else None,
            FIRST if nvset.id == FIRST else None,
            nvset.id_ref or None,
        )

    def same(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values in canonical spelling, sorted by name."""
        if self.options:
            return normalize.values(values)
        return dict(sorted(values.items()))


def stands_alone(item: Mapping[str, Any], raw: Mapping[str, Any], at: Location) -> bool:
    """Tell whether an item has an ``id-ref``; report any other key beside it."""
    others = [key for key in item if key != "id-ref"] if "id-ref" in raw else []
    if others:
        at.below(others[0]).error(f"{others[0]} is not expected beside id-ref.")
    return "id-ref" in raw


def _without_needless_id(nvset: NvSet, sets: Iterable[NvSet]) -> NvSet:
    """Return a set without its id, where that decides over no value: no other set has the same."""
    if nvset.id != FIRST:
        return nvset
    own, others = _names([nvset]), _names(other for other in sets if other is not nvset)
    return replace(nvset, id=None) if own.isdisjoint(others) else nvset


def _names(sets: Iterable[NvSet]) -> frozenset[str]:
    return frozenset(normalize.option_name(name) for nvset in sets for name in nvset.values)


def in_order(sets: Iterable[NvSet]) -> list[NvSet]:
    """Return sets by score, the highest first: that one counts first."""
    return sorted(sets, key=lambda nvset: (nvset.id != FIRST, -nvset.weight))


def _without_unused(sets: Iterable[NvSet]) -> Iterator[NvSet]:
    """Yield sets without the values that an earlier plain set has already."""
    known: set[str] = set()
    for nvset in sets:
        rest = nvset.without(known) if nvset.plain else nvset
        if nvset.plain:
            known.update(rest.values)
        if rest.values or not nvset.plain:
            yield rest


def joined_sets(sets: Iterable[NvSet]) -> list[NvSet]:
    """Join plain sets of the same score that follow each other; the order stays."""
    joined: list[NvSet] = []
    for nvset in sets:
        before = joined[-1] if joined else None
        joins = before and before.plain and nvset.plain and before.id == nvset.id
        if before and joins and before.score == nvset.score:
            values = {**nvset.values, **before.values}
            joined[-1] = replace(before, values={name: values[name] for name in sorted(values)})
        else:
            joined.append(nvset)
    return joined


def read_nvpairs(nvset: Element, reading: Reading) -> dict[str, str]:
    """Return a set's nvpairs; the first of a name counts, as for the cluster."""
    values: dict[str, str] = {}
    for nvpair in nvset.findall("nvpair"):
        unknown_attributes(nvpair, frozenset({"id", "name", "value"}), reading)
        name, text = nvpair.get("name"), nvpair.get("value")
        if name is None or text is None:
            reading.strange.append(f"<nvpair> {nvpair.get('id')} without a value of its own")
        elif name in values:
            reading.unused.append(
                f"{name}={text!r} of {nvpair.get('id')}: the set has a {name} before"
            )
        else:
            values[name] = text
    return values


def _read_plain_rule(rule: Element, reading: Reading) -> str:
    """Return the rule of a set as text; the cluster never uses its score."""
    unknown_attributes(rule, frozenset({"id", "boolean-op", "score"}), reading)
    terms, strange = rule_xml.read(rule)
    reading.strange.extend(strange)
    return cib_rule.render(terms)


def canonical_rule(text: str) -> str:
    """Return the text of a rule in its one spelling."""
    try:
        return cib_rule.canonical(cib_rule.parse(text))
    except cib_rule.RuleError:
        # Such a text differs from every good rule; the reading has noted it as strange.
        return text
