"""Rules of a location constraint (``rule-*.rng``)."""

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
)
from fshalib.cib.field_types import ID, RuleText
from fshalib.cib.nvset_field import NO_ATTRIBUTES, canonical_rule
from fshalib.cib.options import ROLE, SCORE
from fshalib.schema.types import UNSET, Field, ListOf, Record, Text

RULE = Record(
    {
        "expression": Field(
            RuleText(),
            "tests joined by `and` or by `or`, close to what `crm configure show` writes",
            UNSET,
            "#uname eq ubuntu-v20z",
        ),
        "score": Field(SCORE, "score of the nodes on which the rule is true", UNSET, 50, "0"),
        "score-attribute": Field(
            Text("a node attribute"), "node attribute that holds the score, in place of `score`"
        ),
        "role": Field(ROLE, "only for instances in this role"),
        "id": Field(ID, "id of the rule; made from the constraint's without it"),
        "id-ref": Field(ID, "id of another rule to use"),
    },
    "a mapping (score, expression)",
)


@dataclass(frozen=True)
class Rules:
    """Scored rules of a location constraint; a list in the pillar."""

    key: str = "rules"
    doc: str = "rules, in place of node and score"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("rule",)

    @property
    def field(self) -> Field:
        """The key's description for the pillar."""
        return Field(ListOf(RULE, "a list of rules", keyed=True), self.doc)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the rules."""
        rules = element.findall("rule")
        return [self._read(rule, reading) for rule in rules] if rules else UNSET

    def _read(self, rule: Element, reading: Reading) -> dict[str, Any]:
        known = ("id-ref", "score", "score-attribute", "role")
        unknown_attributes(rule, frozenset({"id", "boolean-op", *known}), reading)
        spec: dict[str, Any] = {n: rule.get(n) for n in known if rule.get(n) is not None}
        if rule.get("id"):
            spec["id"] = rule.get("id")
        if "id-ref" not in spec:
            terms, strange = rule_xml.read(rule)
            reading.strange.extend(strange)
            spec["expression"] = cib_rule.render(terms)
        return spec

    def write(self, element: Element, value: list[Spec]) -> None:
        """Make the rules."""
        for item in value:
            names = ("id", "id-ref", "score", "score-attribute", "role")
            rule = below(element, "rule", {name: item.get(name) for name in names})
            if "id-ref" not in item:
                if "score-attribute" not in item:
                    rule.set("score", item.get("score", "0"))
                rule_xml.write(rule, cib_rule.parse(item["expression"]), below)

    def normal(self, value: list[Spec]) -> Any:
        """Return the rules in normal form: neither ids nor their order count."""
        if not value:
            return UNSET
        return sorted((self._normal(item) for item in value), key=repr)

    def _normal(self, item: Spec) -> dict[str, Any]:
        spec = {n: item[n] for n in ("id-ref", "score-attribute") if n in item}
        if "expression" in item:
            spec["expression"] = canonical_rule(item["expression"])
            if "score-attribute" not in item:
                spec["score"] = normalize.value("score", item.get("score", "0"))
        if item.get("role"):
            spec["role"] = normalize.value("role", item["role"])
        return spec
