"""Random wanted sets of configuration objects, and other spellings of the same."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

import fsha_cib
from fsha_model import (
    Agent,
    Expression,
    Group,
    Location,
    Object,
    Operation,
    Primitive,
    Properties,
    ResourceDefaults,
    Rule,
)
from fsha_units import parse_boolean, parse_duration, parse_score

PRIMITIVES = ("ip_shared", "fs", "ip-arp", "p.4")
GROUPS = ("VoiceServices", "Others")
LOCATIONS = ("prefers", "cli-prefer-VoiceServices", "l.3")
NODES = ("fs1", "fs2")

# All that XML 1.0 can hold in an attribute, hostile ones more often.
HOSTILE = (
    '"',
    "'",
    "<",
    ">",
    "&",
    "]]>",
    "<!--",
    "\n",
    "\r\n",
    "\t",
    "&lt;",
    "é",
    "電話",
    "\U0001f4de",
)
texts = st.one_of(
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
        max_size=12,
    ),
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join),
)
scores = st.one_of(st.integers(-2000, 2000).map(str), st.sampled_from(["INFINITY", "-INFINITY"]))
durations = st.integers(0, 90).map(lambda n: f"{n}s")
booleans = st.sampled_from(["true", "false"])
names = st.sampled_from(["ip", "nic", "cidr_netmask", "arp", "config"])

metas = st.fixed_dictionaries(
    {},
    optional={
        "resource-stickiness": scores,
        "migration-threshold": scores,
        "failure-timeout": durations,
        "allow-migrate": booleans,
    },
)
operations = st.lists(
    st.builds(
        Operation,
        st.sampled_from(["monitor", "start", "stop"]),
        durations,
        st.fixed_dictionaries(
            {},
            optional={
                "timeout": durations,
                "enabled": booleans,
                "on-fail": st.sampled_from(["restart", "ignore"]),
            },
        ),
    ),
    max_size=3,
    unique_by=lambda op: (op.name, op.interval),
).map(tuple)
agents = st.sampled_from(
    [
        Agent("ocf", "IPaddr2", "heartbeat"),
        Agent("ocf", "Dummy", "pacemaker"),
        Agent("lsb", "FSSofia"),
    ]
)
expressions = st.one_of(
    st.builds(Expression, st.just("#uname"), st.sampled_from(["eq", "ne"]), st.sampled_from(NODES)),
    st.builds(Expression, st.just("pingd"), st.sampled_from(["defined", "not_defined"])),
    st.builds(Expression, st.just("load"), st.just("lt"), st.just("5"), st.just("number")),
)
rules = st.lists(
    st.builds(
        Rule,
        scores,
        st.lists(expressions, min_size=1, max_size=2).map(tuple),
        st.none(),
        st.sampled_from(["and", "or"]),
    ),
    min_size=1,
    max_size=2,
).map(tuple)
properties = st.fixed_dictionaries(
    {},
    optional={
        "stonith-enabled": booleans,
        "no-quorum-policy": st.sampled_from(["ignore", "stop"]),
        "cluster-recheck-interval": durations,
        "symmetric-cluster": booleans,
    },
)
defaults = st.fixed_dictionaries(
    {}, optional={"resource-stickiness": scores, "migration-threshold": scores}
)


@st.composite
def wanted(draw: st.DrawFn) -> tuple[Object, ...]:
    """Return objects that fit together, in random order."""
    ids = draw(st.lists(st.sampled_from(PRIMITIVES), unique=True))
    found: list[Object] = [
        Primitive(
            i, draw(agents), draw(st.dictionaries(names, texts)), draw(metas), draw(operations)
        )
        for i in ids
    ]
    free = list(ids)
    for group in GROUPS:
        members = draw(st.lists(st.sampled_from(free), unique=True)) if free else []
        if members:
            free = [i for i in free if i not in members]
            found.append(Group(group, tuple(members), draw(metas)))
    resources = [item.id for item in found]
    for location in draw(st.lists(st.sampled_from(LOCATIONS), unique=True)) if resources else []:
        resource = draw(st.sampled_from(resources))
        if draw(st.booleans()):
            found.append(Location(location, resource, draw(st.sampled_from(NODES)), draw(scores)))
        else:
            found.append(Location(location, resource, rules=draw(rules)))
    found.append(Properties(draw(properties)))
    found.append(ResourceDefaults(draw(defaults)))
    return tuple(draw(st.permutations(found)))


@dataclass
class Respeller:
    """Writes the same configuration as another person, or another tool, would."""

    random: random.Random

    def cib(self, root: fsha_cib.Element) -> None:
        """Respell a whole tree, in place."""
        for element in root.iter("*"):
            for attribute, text in list(element.attrib.items()):
                if element.tag == "nvpair" and attribute == "value":
                    owner = element.getparent().tag
                    if owner != "instance_attributes":
                        element.set("value", self.text(element.get("name"), text))
                elif attribute in ("score", "interval", "timeout", "enabled"):
                    element.set(attribute, self.text(attribute, text))
        for tag in ("instance_attributes", "meta_attributes", "cluster_property_set", "operations"):
            for holder in root.iter(tag):
                children = list(holder)
                self.random.shuffle(children)
                holder[:] = children

    def text(self, name: str, text: str) -> str:
        """Return another spelling of an option's value."""
        if name in ("score", "resource-stickiness", "migration-threshold"):
            return self.random.choice(self.scores(text))
        if name in ("interval", "timeout", "failure-timeout", "cluster-recheck-interval"):
            return self.random.choice(self.durations(text))
        if name in ("enabled", "allow-migrate", "stonith-enabled", "symmetric-cluster"):
            words = (
                ("true", "yes", "on", "Y", "1") if parse_boolean(text) else ("no", "OFF", "n", "0")
            )
            return self.random.choice(words)
        return text

    def scores(self, text: str) -> list[str]:
        """Return the spellings of a score."""
        canonical = parse_score(text)
        if canonical.endswith("INFINITY"):
            sign = "-" if canonical.startswith("-") else self.random.choice(["", "+"])
            return [f"{sign}INFINITY", f"{sign}inf", f"{sign}Infinity", f"{sign}1000000"]
        return [canonical, canonical if canonical.startswith("-") else f"+{canonical}"]

    def durations(self, text: str) -> list[str]:
        """Return the spellings of a duration in whole seconds."""
        milliseconds = parse_duration(text)
        seconds = milliseconds // 1000
        found = [
            f"{seconds}",
            f"{seconds}s",
            f"{seconds} sec",
            f"{milliseconds}ms",
            f"PT{seconds}S",
        ]
        return [*found, f"{seconds // 60}min"] if seconds % 60 == 0 else found
