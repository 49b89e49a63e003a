"""Sets of name-value pairs, with ids, scores and rules (``nvset-*.rng``)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.cib import normalize, rule_xml
from fshalib.cib import rule as cib_rule
from fshalib.cib.element_schema import (
    Element,
    Reading,
    Spec,
    below,
    unknown_attributes,
    unknown_children,
)
from fshalib.cib.field_types import ID, RuleText
from fshalib.cib.objects import plain_values
from fshalib.cib.options import SCORE
from fshalib.cib.values import UnitError, score_value
from fshalib.schema.report import Location
from fshalib.schema.types import UNSET, Field, ListOf, Record, ValueType

NO_ATTRIBUTES: frozenset[str] = frozenset()


def score_of(one: Mapping[Any, Any]) -> int:
    """Return the score of a set or of its element's attributes; what is none counts as 0."""
    try:
        return score_value(str(one.get("score", "0")))
    except UnitError:
        return 0


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
        """Return the mapping, or the list of sets."""
        if isinstance(value, (list, tuple)):
            return ListOf(self.sets, "a list of sets", keyed=True).check(value, at)
        return self.values.check(value, at)


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
        """Return a mapping for one plain set, else a list of sets as they count."""
        found = element.findall(self.tag)
        if not found:
            return UNSET
        sets = in_order(self.read_set(nvset, reading) for nvset in found)
        # A score decides between sets; of a single one it says nothing.
        plain = len(sets) == 1 and not sets[0].keys() - {"values", "score"}
        return sets[0]["values"] if plain else sets

    def read_set(self, nvset: Element, reading: Reading) -> dict[str, Any]:
        """Return one set of the list."""
        unknown_attributes(nvset, frozenset({"id", "id-ref", "score"}), reading)
        unknown_children(nvset, ("rule", "nvpair"), reading)
        spec: dict[str, Any] = {}
        for name in ("id-ref", "score"):
            if nvset.get(name) is not None:
                spec[name] = nvset.get(name)
        if nvset.get("id") in reading.referenced:
            spec["id"] = nvset.get("id")
        for number, rule in enumerate(nvset.findall("rule")):
            if number:
                reading.strange.append(f"a second rule in <{nvset.tag}>")
            else:
                spec["rule"] = _read_plain_rule(rule, reading)
        if "id-ref" not in spec:
            spec["values"] = read_pairs(nvset, reading)
        return spec

    def write(self, element: Element, value: Any) -> None:
        """Make the sets; none for an empty mapping."""
        sets: list[Spec] = [{"values": value}] if isinstance(value, Mapping) else value
        for one in sets:
            if one.get("values") or one.get("id-ref") or one.get("rule"):
                nvset = below(element, self.tag, {n: one.get(n) for n in ("id", "id-ref", "score")})
                if one.get("rule"):
                    rule_xml.write(below(nvset, "rule"), cib_rule.parse(one["rule"]), below)
                for name, text in one.get("values", {}).items():
                    below(nvset, "nvpair", {"name": name, "value": text})

    def normal(self, value: Any) -> Any:
        """Return a mapping for plain sets, else the sets in the order in which they count."""
        sets: list[Spec] = [{"values": value}] if isinstance(value, Mapping) else value
        forms = in_order(spec for spec in map(self.normal_set, sets) if spec.keys() - {"score"})
        if not forms:
            return UNSET
        if all(map(is_plain, forms)):
            return self.same(plain_values(forms))
        return as_few(_without_unused(forms))

    def normal_set(self, one: Spec) -> dict[str, Any]:
        """Return the normal form of one set of the list."""
        spec: dict[str, Any] = {}
        if one.get("id-ref"):
            spec["id-ref"] = one["id-ref"]
        if score_of(one):
            spec["score"] = normalize.value("score", one["score"])
        if one.get("rule"):
            spec["rule"] = canonical_rule(one["rule"])
        if one.get("values"):
            spec["values"] = self.same(one["values"])
        return spec

    def same(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values in canonical spelling, sorted by name."""
        if self.options:
            return normalize.values(values)
        return dict(sorted(values.items()))


def in_order(sets: Iterable[Spec]) -> list[Any]:
    """Return sets in the order in which they count: by score, the highest first."""
    return sorted(sets, key=lambda one: -score_of(one))


def is_plain(one: Spec) -> bool:
    """Tell whether a set always holds, with values of its own."""
    return "rule" not in one and "id-ref" not in one


def _without_unused(sets: Iterable[Spec]) -> Iterator[dict[str, Any]]:
    """Yield sets without the values that an earlier one, which always holds, says already."""
    said: set[str] = set()
    for one in sets:
        if not is_plain(one):
            yield dict(one)
            continue
        left = {name: text for name, text in one["values"].items() if name not in said}
        said.update(left)
        if left:
            yield {**one, "values": left}


def as_few(sets: Iterable[Spec]) -> list[dict[str, Any]]:
    """Return sets in their order, with plain ones that say no more than one would joined."""
    found: list[dict[str, Any]] = []
    for one in sets:
        both = bool(found) and is_plain(found[-1]) and is_plain(one)
        if both and found[-1].get("score") == one.get("score"):
            values = {**one["values"], **found[-1]["values"]}
            found[-1]["values"] = {name: values[name] for name in sorted(values)}
        else:
            found.append(dict(one))
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
