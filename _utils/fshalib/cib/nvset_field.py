"""The field that holds sets of name-value pairs, with ids, scores and rules (``nvset-*.rng``)."""

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
from fshalib.cib.nvset import NvSet, NvSets
from fshalib.cib.options import SCORE
from fshalib.schema.report import Location
from fshalib.schema.types import INVALID, UNSET, Field, ListOf, Record, ValueType

NO_ATTRIBUTES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class OneOrSeveral:
    """A mapping of values, or a list of sets of them: the kind of :class:`Sets`."""

    values: ValueType
    sets: Record

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        return f"{self.values.expected}, or a list of sets"

    @property
    def item(self) -> ValueType:
        """The kind of the values, for whoever walks through all kinds."""
        return self.values

    def check(self, value: object, at: Location) -> object:
        """Return the sets, whichever way they are given."""
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
            "score": Field(SCORE, "which of several sets comes first: the highest", theirs="0"),
            "id": Field(ID, "id in the CIB; made from the object's when it is left out"),
            "id-ref": Field(ID, "id of another set to use, in place of values"),
        },
        "a set (values, rule, score)",
    )  # fmt: skip


@dataclass(frozen=True)
class Sets:
    """Sets of name-value pairs: ``params``, ``meta``, ``utilization`` and their like.

    In the pillar a mapping stands for the one set without a rule, a list for several.
    ``options`` says whether the names are Pacemaker's own, whose values have known kinds.
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
        """What the pillar expects of it."""
        return Field(
            OneOrSeveral(self.values, set_section(self.values)), self.doc, UNSET, self.example
        )

    @property
    def tags(self) -> tuple[str, ...]:
        """The sets' tag."""
        return (self.tag,)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the sets as they count."""
        found = element.findall(self.tag)
        if not found:
            return UNSET
        sets = in_order(self.read_set(nvset, reading) for nvset in found)
        # A score decides between sets; of a single one it says nothing.
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
            read_pairs(nvset, reading) if id_ref is None else {},
            rule,
            nvset.get("score"),
            id if id in reading.referenced else None,
            id_ref,
        )

    def write(self, element: Element, value: Iterable[NvSet]) -> None:
        """Make the sets; none for one that says nothing."""
        for one in value:
            if one.values or one.id_ref or one.rule:
                attributes = {"id": one.id, "id-ref": one.id_ref, "score": one.score}
                nvset = below(element, self.tag, attributes)
                if one.rule:
                    rule_xml.write(below(nvset, "rule"), cib_rule.parse(one.rule), below)
                for name, text in one.values.items():
                    below(nvset, "nvpair", {"name": name, "value": text})

    def normal(self, value: NvSets) -> Any:
        """Return one set for plain ones, else the sets in the order in which they count."""
        forms = in_order(one for one in map(self.normal_set, value) if one.values or not one.plain)
        if not forms:
            return UNSET
        if all(one.plain for one in forms):
            return NvSets.of(self.same(NvSets.several(forms).plain_values()))
        return NvSets.several(as_few(_without_unused(forms)))

    def normal_set(self, one: NvSet) -> NvSet:
        """Return the normal form of one set; its id does not count."""
        return NvSet(
            self.same(one.values),
            canonical_rule(one.rule) if one.rule else None,
            normalize.value("score", one.score or "") if one.weight else None,
            None,
            one.id_ref or None,
        )

    def same(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values in canonical spelling, sorted by name."""
        if self.options:
            return normalize.values(values)
        return dict(sorted(values.items()))


def stands_alone(item: Mapping[str, Any], raw: Mapping[str, Any], at: Location) -> bool:
    """Tell whether something refers to another one; report what is given beside that."""
    others = [key for key in item if key != "id-ref"] if "id-ref" in raw else []
    if others:
        at.below(others[0]).error(f"{others[0]} is not expected beside id-ref.")
    return "id-ref" in raw


def in_order(sets: Iterable[NvSet]) -> list[NvSet]:
    """Return sets in the order in which they count: by score, the highest first."""
    return sorted(sets, key=lambda one: -one.weight)


def _without_unused(sets: Iterable[NvSet]) -> Iterator[NvSet]:
    """Yield sets without the values that an earlier one, which always holds, says already."""
    known: set[str] = set()
    for one in sets:
        left = one.without(known) if one.plain else one
        if one.plain:
            known.update(left.values)
        if left.values or not one.plain:
            yield left


def as_few(sets: Iterable[NvSet]) -> list[NvSet]:
    """Return sets in their order, with plain ones that say no more than one would joined."""
    found: list[NvSet] = []
    for one in sets:
        before = found[-1] if found else None
        if before and before.plain and one.plain and before.score == one.score:
            values = {**one.values, **before.values}
            found[-1] = replace(before, values={name: values[name] for name in sorted(values)})
        else:
            found.append(one)
    return found


def read_pairs(nvset: Element, reading: Reading) -> dict[str, str]:
    """Return a set's pairs; the first of a name counts, as it does for the cluster."""
    found: dict[str, str] = {}
    for pair in nvset.findall("nvpair"):
        unknown_attributes(pair, frozenset({"id", "name", "value"}), reading)
        name, text = pair.get("name"), pair.get("value")
        if name is None or text is None:
            reading.strange.append(f"<nvpair> {pair.get('id')} without a value of its own")
        elif name in found:
            reading.unused.append(
                f"{name}={text!r} of {pair.get('id')}: the set has a {name} before"
            )
        else:
            found[name] = text
    return found


def _read_plain_rule(rule: Element, reading: Reading) -> str:
    """Return the rule of a set as text; its score is never used."""
    unknown_attributes(rule, frozenset({"id", "boolean-op", "score"}), reading)
    terms, strange = rule_xml.read(rule)
    reading.strange.extend(strange)
    return cib_rule.render(terms)


def canonical_rule(text: str) -> str:
    """Return the text of a rule in its one spelling."""
    try:
        return cib_rule.canonical(cib_rule.parse(text))
    except cib_rule.RuleError:
        # What cannot be read back differs from every good rule, and was noted as strange.
        return text
