"""The parts of objects that are more than an attribute: sets, operations, rules, members.

See ``element_schema`` for what a part is. Facts: the schemas ``nvset-*.rng``, ``rule-*.rng``,
``resources-*.rng``, ``constraints-*.rng`` and ``alerts-*.rng`` of Pacemaker 2.1 and 3.0.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.cib import normalize
from fshalib.cib import rule as cib_rule
from fshalib.cib.element_schema import (
    Attribute,
    Element,
    Form,
    Reading,
    below,
    unknown_attributes,
    unknown_children,
)
from fshalib.cib.field_types import ID, AgentName, RuleText
from fshalib.cib.objects import plain_values
from fshalib.cib.options import BOOLEAN, ROLE, SCORE
from fshalib.cib.values import UnitError, score_value
from fshalib.schema.types import (
    REQUIRED,
    UNSET,
    At,
    Choice,
    Field,
    Kind,
    ListOf,
    Section,
    Text,
)

RESOURCE_TAGS = ("primitive", "group", "clone", "master", "bundle", "template")
NO_ATTRIBUTES: frozenset[str] = frozenset()


def score_of(one: Mapping[Any, Any]) -> int:
    """Return the score of a set or of its element's attributes; what is none counts as 0."""
    try:
        return score_value(str(one.get("score", "0")))
    except UnitError:
        return 0


# --- sets of name-value pairs ----------------------------------------------------------------


@dataclass(frozen=True)
class OneOrSeveral:
    """A mapping of values, or a list of sets of them: the kind of :class:`Sets`."""

    values: Kind
    sets: Section

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        return f"{self.values.expected}, or a list of sets"

    @property
    def item(self) -> Kind:
        """The kind of the values, for whoever walks through all kinds."""
        return self.values

    def check(self, value: object, at: At) -> object:
        """Return the mapping, or the list of sets."""
        if isinstance(value, (list, tuple)):
            return ListOf(self.sets, "a list of sets", keyed=True).check(value, at)
        return self.values.check(value, at)


def set_section(values: Kind) -> Section:
    """Return what one set of a list may hold."""
    return Section(
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
    values: Kind
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
        form: dict[str, Any] = {}
        for name in ("id-ref", "score"):
            if nvset.get(name) is not None:
                form[name] = nvset.get(name)
        if nvset.get("id") in reading.referenced:
            form["id"] = nvset.get("id")
        for number, rule in enumerate(nvset.findall("rule")):
            if number:
                reading.strange.append(f"a second rule in <{nvset.tag}>")
            else:
                form["rule"] = _read_plain_rule(rule, reading)
        if "id-ref" not in form:
            form["values"] = read_pairs(nvset, reading)
        return form

    def write(self, element: Element, value: Any) -> None:
        """Make the sets; none for an empty mapping."""
        sets: list[Form] = [{"values": value}] if isinstance(value, Mapping) else value
        for one in sets:
            if one.get("values") or one.get("id-ref") or one.get("rule"):
                nvset = below(element, self.tag, {n: one.get(n) for n in ("id", "id-ref", "score")})
                if one.get("rule"):
                    cib_rule.write(below(nvset, "rule"), cib_rule.parse(one["rule"]), below)
                for name, text in one.get("values", {}).items():
                    below(nvset, "nvpair", {"name": name, "value": text})

    def normal(self, value: Any) -> Any:
        """Return a mapping for plain sets, else the sets in the order in which they count."""
        sets: list[Form] = [{"values": value}] if isinstance(value, Mapping) else value
        forms = in_order(form for form in map(self.normal_set, sets) if form.keys() - {"score"})
        if not forms:
            return UNSET
        if all(map(is_plain, forms)):
            return self.same(plain_values(forms))
        return as_few(_without_unused(forms))

    def normal_set(self, one: Form) -> dict[str, Any]:
        """Return the normal form of one set of the list."""
        form: dict[str, Any] = {}
        if one.get("id-ref"):
            form["id-ref"] = one["id-ref"]
        if score_of(one):
            form["score"] = normalize.value("score", one["score"])
        if one.get("rule"):
            form["rule"] = _canonical_rule(one["rule"])
        if one.get("values"):
            form["values"] = self.same(one["values"])
        return form

    def same(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values in canonical spelling, sorted by name."""
        if self.options:
            return normalize.values(values)
        return dict(sorted(values.items()))


def in_order(sets: Iterable[Form]) -> list[Any]:
    """Return sets in the order in which they count: by score, the highest first."""
    return sorted(sets, key=lambda one: -score_of(one))


def is_plain(one: Form) -> bool:
    """Tell whether a set always holds, with values of its own."""
    return "rule" not in one and "id-ref" not in one


def _without_unused(sets: Iterable[Form]) -> Iterator[dict[str, Any]]:
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


def as_few(sets: Iterable[Form]) -> list[dict[str, Any]]:
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
    terms, strange = cib_rule.read(rule)
    reading.strange.extend(strange)
    return cib_rule.render(terms)


def _canonical_rule(text: str) -> str:
    try:
        return cib_rule.canonical(cib_rule.parse(text))
    except cib_rule.RuleError:
        # What cannot be read back differs from every good rule, and was noted as strange.
        return text


# --- the agent of a primitive ----------------------------------------------------------------


@dataclass(frozen=True)
class Agent:
    """The attributes ``class``, ``provider`` and ``type`` as one name."""

    required: bool = True
    key: str = "agent"
    attributes: frozenset[str] = frozenset({"class", "provider", "type"})
    tags: tuple[str, ...] = ()

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        return Field(
            AgentName(),
            "the resource agent, as CLASS:TYPE or ocf:PROVIDER:TYPE",
            REQUIRED if self.required else UNSET,
            "ocf:heartbeat:IPaddr2",
        )

    def read(self, element: Element, _reading: Reading) -> Any:
        """Return the name."""
        parts = [element.get(name) for name in ("class", "provider", "type")]
        return ":".join(part for part in parts if part) if any(parts) else UNSET

    def write(self, element: Element, value: str) -> None:
        """Set the attributes."""
        standard, _, rest = value.partition(":")
        provider, _, kind = rest.rpartition(":") if standard == "ocf" else ("", "", rest)
        element.set("class", standard)
        if provider:
            element.set("provider", provider)
        element.set("type", kind)

    def normal(self, value: str) -> Any:
        """Return the name; an ocf agent without a provider is heartbeat's."""
        standard, _, rest = value.partition(":")
        if standard == "ocf" and ":" not in rest:
            return f"ocf:heartbeat:{rest}"
        return value


# --- operations ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operations:
    """The operations of a primitive or template; name and interval tell them apart."""

    shape: Any
    key: str = "operations"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("operations",)

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        return Field(
            ListOf(self.shape.section, "a list of operations", keyed=True),
            "operations; without a monitor the cluster sees no failure",
            UNSET,
            [{"name": "monitor", "interval": "5s", "timeout": "20s"}],
        )

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the operations."""
        sections = element.findall("operations")
        if not sections:
            return UNSET
        found = []
        for section in sections:
            unknown_attributes(section, frozenset({"id", "id-ref"}), reading)
            unknown_children(section, ("op",), reading)
            if section.get("id-ref"):
                found.append({"id-ref": section.get("id-ref")})
            if section.get("id") in reading.referenced:
                reading.strange.append(f"operations {section.get('id')}, which others refer to")
            found += [self.shape.read(op, reading) for op in _first_ones(section, reading)]
        return found

    def write(self, element: Element, value: list[Form]) -> None:
        """Make the operations."""
        if not value:
            return
        section = below(element, "operations")
        for item in value:
            if "id-ref" in item:
                section.set("id-ref", item["id-ref"])
            else:
                self.shape.write(below(section, "op"), item)
                op = section[-1]
                op.set("interval", op.get("interval", "0s"))

    def normal(self, value: list[Form]) -> Any:
        """Return name and interval → the rest; ``UNSET`` without any."""
        if not value:
            return UNSET
        found: dict[str, Any] = {}
        for item in value:
            form = self.shape.normal(item)
            base = operation_key(form.pop("name", ""), form.pop("interval", "0s"))
            key, number = base, 1
            while key in found:
                number += 1
                key = f"{base} ({number})"
            found[key] = form
        return {key: found[key] for key in sorted(found)}


def _first_ones(section: Element, reading: Reading) -> list[Element]:
    """Return the operations without those that repeat an earlier one, which are never used."""
    found: dict[tuple[str, str], Element] = {}
    for op in section.findall("op"):
        key = operation_key(op.get("name", ""), op.get("interval", "0")), op.get("role", "")
        if key in found:
            reading.unused.append(f"{op.get('id')}: there is another {key[0]} before")
        else:
            found[key] = op
    return list(found.values())


def operation_key(name: str, interval: str) -> str:
    """Return what identifies an operation: its name and its interval, ``monitor 2s``."""
    return f"{name} {normalize.value('interval', interval)}"


# --- rules of a location ---------------------------------------------------------------------

RULE = Section(
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
        """What the pillar expects of it."""
        return Field(ListOf(RULE, "a list of rules", keyed=True), self.doc)

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the rules."""
        found = element.findall("rule")
        return [self._read(rule, reading) for rule in found] if found else UNSET

    def _read(self, rule: Element, reading: Reading) -> dict[str, Any]:
        known = ("id-ref", "score", "score-attribute", "role")
        unknown_attributes(rule, frozenset({"id", "boolean-op", *known}), reading)
        form: dict[str, Any] = {n: rule.get(n) for n in known if rule.get(n) is not None}
        if rule.get("id"):
            form["id"] = rule.get("id")
        if "id-ref" not in form:
            terms, strange = cib_rule.read(rule)
            reading.strange.extend(strange)
            form["expression"] = cib_rule.render(terms)
        return form

    def write(self, element: Element, value: list[Form]) -> None:
        """Make the rules."""
        for item in value:
            names = ("id", "id-ref", "score", "score-attribute", "role")
            rule = below(element, "rule", {name: item.get(name) for name in names})
            if "id-ref" not in item:
                if "score-attribute" not in item:
                    rule.set("score", item.get("score", "0"))
                cib_rule.write(rule, cib_rule.parse(item["expression"]), below)

    def normal(self, value: list[Form]) -> Any:
        """Return the rules in normal form: neither ids nor their order count."""
        if not value:
            return UNSET
        return sorted((self._normal(item) for item in value), key=repr)

    def _normal(self, item: Form) -> dict[str, Any]:
        form = {n: item[n] for n in ("id-ref", "score-attribute") if n in item}
        if "expression" in item:
            form["expression"] = _canonical_rule(item["expression"])
            if "score-attribute" not in item:
                form["score"] = normalize.value("score", item.get("score", "0"))
        if item.get("role"):
            form["role"] = normalize.value("role", item["role"])
        return form


# --- what contains resources -----------------------------------------------------------------


@dataclass(frozen=True)
class Members:
    """The resources that a group, clone or bundle contains, by their ids.

    Contained elements are resources of their own: whoever writes an object moves them.
    """

    key: str
    doc: str
    tags: tuple[str, ...]
    several: bool = False
    required: bool = True
    attributes: frozenset[str] = NO_ATTRIBUTES

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        default = REQUIRED if self.required else UNSET
        if self.several:
            kind: Kind = ListOf(ID, "a list of one or more resources", 1, distinct=True)
            return Field(kind, self.doc, default, ["ip_shared", "fs"])
        return Field(ID, self.doc, default, "fs")

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the ids, or the id."""
        ids = [child.get("id", "") for child in element.iterchildren(*self.tags)]
        if not ids:
            return UNSET
        if self.several:
            return ids
        if len(ids) > 1:
            reading.strange.append(f"more than one resource in <{element.tag}>")
        return ids[0]

    def write(self, element: Element, value: Any) -> None:
        """Do nothing: the members are elements that exist already."""

    def normal(self, value: Any) -> Any:
        """Return the ids in their order."""
        return list(value) if self.several else value


# --- sets of resources in constraints ---------------------------------------------------------

_ACTIONS = Choice(("start", "promote", "demote", "stop"))
RESOURCE_SET_ATTRIBUTES = (
    Attribute("id-ref", ID, "id of another set to use, in place of resources"),
    Attribute("sequential", BOOLEAN, "whether the members depend on each other in their order",
              default="true"),
    Attribute("require-all", BOOLEAN, "order: whether all members have to be active, or one",
              default="true"),
    Attribute("role", ROLE, "location, colocation, ticket: only in this role", default="Started"),
    Attribute("action", _ACTIONS, "order: what happens to the members", default="start"),
    Attribute("ordering", Choice(("group", "listed")), "colocation: deprecated"),
    Attribute("score", SCORE, "colocation: the set's own score"),
    Attribute("kind", Choice(("Optional", "Mandatory", "Serialize")), "order: the set's own kind"),
)  # fmt: skip

RESOURCE_SET = Section(
    {
        "resources": Field(
            ListOf(ID, "a list of one or more resources", 1, distinct=True),
            "the set's resources, in order",
            UNSET,
            ["ip_shared", "fs"],
        ),
        **{part.key: part.field for part in RESOURCE_SET_ATTRIBUTES},
        "id": Field(ID, "id in the CIB; made from the constraint's when it is left out"),
    },
    "a set of resources",
)


@dataclass(frozen=True)
class ResourceSets:
    """The sets of resources of a constraint, in order; a list in the pillar."""

    key: str = "sets"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("resource_set",)

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        kind = ListOf(RESOURCE_SET, "a list of sets of resources", keyed=True)
        return Field(kind, "sets of resources, in place of the pair", UNSET,
                     [{"resources": ["ip_shared", "fs"]}])  # fmt: skip

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the sets."""
        found = element.findall("resource_set")
        return [self._read(child, reading) for child in found] if found else UNSET

    def _read(self, child: Element, reading: Reading) -> dict[str, Any]:
        form: dict[str, Any] = {}
        for part in RESOURCE_SET_ATTRIBUTES:
            if child.get(part.name) is not None:
                form[part.key] = child.get(part.name)
        known = frozenset({"id"}).union(*(part.attributes for part in RESOURCE_SET_ATTRIBUTES))
        unknown_attributes(child, known, reading)
        unknown_children(child, ("resource_ref",), reading)
        if child.get("id") in reading.referenced:
            form["id"] = child.get("id")
        ids = [ref.get("id", "") for ref in child.findall("resource_ref")]
        if ids:
            form["resources"] = ids
        return form

    def write(self, element: Element, value: list[Form]) -> None:
        """Make the sets."""
        for item in value:
            child = below(element, "resource_set", {"id": item.get("id")})
            for part in RESOURCE_SET_ATTRIBUTES:
                if part.key in item:
                    part.write(child, item[part.key])
            for id in item.get("resources", ()):
                below(child, "resource_ref", {"id": id})

    def normal(self, value: list[Form]) -> Any:
        """Return the sets in their order."""
        if not value:
            return UNSET
        return [self._normal(item) for item in value]

    def _normal(self, item: Form) -> dict[str, Any]:
        form: dict[str, Any] = {"resources": list(item.get("resources", ()))}
        for part in RESOURCE_SET_ATTRIBUTES:
            if part.key in item:
                same = part.normal(item[part.key])
                if same is not UNSET:
                    form[part.key] = same
        if "sequential" in form:
            # Without an order between them, the members are a plain set.
            form["resources"].sort()
        return form


# --- what an alert is about ------------------------------------------------------------------

_SELECTIONS = ("fencing", "nodes", "resources")


@dataclass(frozen=True)
class Select:
    """Which events an alert is sent for."""

    key: str = "select"
    attributes: frozenset[str] = NO_ATTRIBUTES
    tags: tuple[str, ...] = ("select",)

    @property
    def field(self) -> Field:
        """What the pillar expects of it."""
        words = ListOf(
            Choice((*_SELECTIONS, "attributes")), "a list of kinds of events", distinct=True
        )
        names = ListOf(Text("a node attribute"), "a list of node attributes", distinct=True)
        section = Section(
            {
                "events": Field(words, "kinds of events; without any all but attributes"),
                "attributes": Field(names, "only changes of these node attributes"),
            }
        )
        return Field(section, "which events the alert is sent for", UNSET, {"events": ["nodes"]})

    def read(self, element: Element, reading: Reading) -> Any:
        """Return the kinds of events, and the names of attributes."""
        found = element.find("select")
        if found is None:
            return UNSET
        unknown_children(found, tuple(f"select_{w}" for w in (*_SELECTIONS, "attributes")), reading)
        events = [str(child.tag).removeprefix("select_") for child in found.iterchildren("*")]
        names = [e.get("name", "") for e in found.iterfind("select_attributes/attribute")]
        return {"events": events, **({"attributes": names} if names else {})}

    def write(self, element: Element, value: Form) -> None:
        """Make the selection."""
        select = below(element, "select")
        events = set(value.get("events", ()))
        if value.get("attributes"):
            events.add("attributes")
        for word in ("attributes", *_SELECTIONS):
            if word in events:
                below(select, f"select_{word}")
        for name in value.get("attributes", ()):
            below(select[0], "attribute", {"name": name})

    def normal(self, value: Form) -> Any:
        """Return the selection, sorted; without any it is as good as none."""
        names = sorted(value.get("attributes", ()))
        events = sorted({*value.get("events", ()), *(["attributes"] if names else [])})
        if not events:
            return UNSET
        return {"events": events, **({"attributes": names} if names else {})}


__all__ = [
    "Agent",
    "Members",
    "OneOrSeveral",
    "Operations",
    "ResourceSets",
    "Rules",
    "Select",
    "Sets",
    "as_few",
    "in_order",
    "is_plain",
    "operation_key",
    "read_pairs",
    "score_of",
]
