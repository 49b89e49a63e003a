"""Random configurations over every kind of object, and other spellings of the same.

:func:`configurations` draws objects that fit together: nothing refers to what is not there.
:class:`Respeller` then writes their CIB as another person, or another tool, would have done.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from fshalib.cib import normalize
from fshalib.cib import rule as cib_rule
from fshalib.cib.fields import Attribute
from fshalib.cib.kinds import BY_TAG, KINDS, ONE_IDS
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.nvset import NvSets
from fshalib.cib.objects import Object
from fshalib.cib.options import PROPERTY_ALIASES, SERVER_WRITTEN
from fshalib.cib.rule import Date, Join, OfOperation, OfResource, Test
from fshalib.cib.spec import from_pillar
from fshalib.cib.values import parse_boolean, parse_duration, parse_score

NODES = ("fs1", "fs2")
PRIMITIVES = ("ip_shared", "fs", "ip-arp", "p.4", "boxed")
TEMPLATES = ("vip", "t.2")
GROUPS = ("VoiceServices", "Others")
CLONES = ("fs-clone", "_c")
BUNDLES = ("box",)
LOCATIONS = ("prefers", "cli-prefer-VoiceServices", "l.3")
COLOCATIONS = ("with", "c.2")
ORDERS = ("before", "o.2")
TICKETS = ("needs-site",)
LEVELS = ("level-1", "level-2")
TAGS = ("tagged", "t-2")
ROLES = ("operator", "auditor")
USERS = ("alice", "bob")
USER_GROUPS = ("ops",)
ALERTS = ("mail", "log")
SHARED = ("shared-params", "shared-meta")

# All that XML 1.0 can hold in an attribute, hostile ones more often.
HOSTILE = (
    '"', "'", "<", ">", "&", "]]>", "<!--", "\n", "\r\n", "\t", "&lt;", "é", "電話", "\U0001f4de",
    "\\", "(", "and", "${x}",
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(["", "eth0", "10.0.0.1", "a b"]),
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
        max_size=6,
    ),
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=3).map("".join),
)
scores = st.sampled_from(["0", "1", "50", "-7", "1999", "INFINITY", "-INFINITY"])
durations = st.sampled_from(["0s", "1s", "2s", "60s", "90s"])
booleans = st.sampled_from(["true", "false"])
numbers = st.sampled_from(["1", "2", "3121"])
names = st.sampled_from(["ip", "nic", "timeout", "a:b", "1st", "#kind"])
roles = st.sampled_from(["Started", "Stopped", "Promoted", "Unpromoted"])
actions = st.sampled_from(["start", "stop", "promote", "demote"])

Draw = Callable[[Any], Any]
Fields = Mapping[str, Any]


def some(fields: Fields, most: int = 3) -> Any:
    """Return a strategy for a mapping with a few of the fields."""
    return _mapping(few(sorted(fields), 0, most), fields)


@st.composite
def _mapping(draw: Draw, keys: Any, fields: Fields) -> dict[str, Any]:
    return {key: draw(fields[key]) for key in draw(keys)}


def few(items: Any, low: int = 0, high: int = 2) -> Any:
    """Return a strategy for a short list of different items of a sequence."""
    return _few(tuple(items), low, high)


# Strategies cost more to make than to draw from.
@functools.cache
def _few(items: tuple[str, ...], low: int, high: int) -> Any:
    return st.lists(st.sampled_from(items), min_size=low, max_size=high, unique=True)


@functools.cache
def one_of(items: tuple[str, ...]) -> Any:
    """Return a strategy for one item of a sequence."""
    return st.sampled_from(items)


# --- rules -----------------------------------------------------------------------------------

dates = st.sampled_from(["2026-01-01", "2026-06-01 12:00:00Z"])
_tests = st.one_of(
    st.builds(Test, st.just("#uname"), st.sampled_from(["eq", "ne"]), st.sampled_from(NODES)),
    st.builds(Test, st.sampled_from(["pingd", "and"]), st.sampled_from(["defined", "not_defined"])),
    st.builds(
        Test,
        st.sampled_from(["load", "two words", "("]),
        st.sampled_from(cib_rule.BINARY),
        texts,
        st.sampled_from([None, "string", "number", "version"]),
        st.sampled_from([None, None, "param", "meta"]),
    ),
)
_parts = {"hours": st.sampled_from(["9-16", "8"]), "weekdays": st.just("1-5"),
          "years": st.just("2026-")}  # fmt: skip
_dates = st.one_of(
    st.builds(Date, st.just("gt"), start=dates),
    st.builds(Date, st.just("lt"), end=dates),
    st.builds(Date, st.just("in_range"), dates, dates),
    st.builds(Date, st.just("in_range"), end=dates),
    st.builds(
        Date, st.just("in_range"), dates, parts=st.just({"months": "2"}) | st.just({"hours": "3"})
    ),
    st.builds(Date, st.just("spec"), parts=some(_parts).filter(bool)),
)
_special = st.one_of(
    st.builds(
        OfResource,
        st.sampled_from([None, "ocf"]),
        st.sampled_from([None, "heartbeat"]),
        st.sampled_from([None, "IPaddr2"]),
    ),
    st.builds(OfOperation, st.sampled_from(["monitor", "and"]), st.none() | durations),
)
_joins = st.sampled_from(cib_rule.JOINS)


def joins(terms: Any) -> Any:
    """Return a strategy for terms joined, with brackets within brackets."""
    inner = st.builds(Join, _joins, st.lists(terms, min_size=1, max_size=2).map(tuple))
    outer = st.lists(st.one_of(terms, terms, inner), min_size=1, max_size=3).map(tuple)
    # A single term has no join.
    return st.builds(Join, _joins, outer).map(
        lambda rule: rule if len(rule.terms) > 1 else Join("and", rule.terms)
    )


rules = joins(st.one_of(_tests, _dates)).map(cib_rule.render)
default_rules = joins(st.one_of(_tests, _dates, _special)).map(cib_rule.render)


# --- sets of values --------------------------------------------------------------------------


def sets_of(values: Any, rules: Any = rules) -> Any:
    """Return a strategy for one plain mapping, or for several sets."""
    one = st.fixed_dictionaries(
        {"values": values}, optional={"score": scores, "rule": rules}
    ).filter(lambda s: s["values"] or "rule" in s)
    several = st.lists(one, min_size=1, max_size=3)
    return st.one_of(values, values, several)


params = st.dictionaries(names, texts, max_size=2)
param_sets = sets_of(params)
_metas = {
    "resource-stickiness": scores,
    "migration-threshold": scores,
    "failure-timeout": durations,
    "allow-migrate": booleans,
    "note": texts,
}
metas = some(_metas, 2)
meta_sets = sets_of(metas)
clone_metas = some(
    {
        **_metas,
        "promotable": booleans,
        "promoted-max": numbers,
        "notify": booleans,
        "interleave": booleans,
    }
)
utilization = st.dictionaries(st.sampled_from(["cpu", "memory"]), numbers, max_size=2)
property_values = some(
    {
        "stonith-enabled": booleans,
        "no-quorum-policy": st.sampled_from(["ignore", "stop"]),
        "cluster-recheck-interval": durations,
        "fence-reaction": st.sampled_from(["stop", "panic"]),
        "stop-orphan-actions": booleans,
        "note": texts,
    }
)
operation_defaults = some(
    {"timeout": durations, "record-pending": booleans, "on-fail": st.just("ignore")}
)
_operations = {
    "timeout": durations,
    "enabled": booleans,
    "record-pending": booleans,
    "start-delay": durations,
    "on-fail": st.sampled_from(["restart", "ignore"]),
    "role": roles,
    "description": texts,
    "params": sets_of(st.dictionaries(st.just("OCF_CHECK_LEVEL"), texts, max_size=1)),
    "meta": sets_of(st.dictionaries(st.just("note"), texts, max_size=1)),
}
operations = st.lists(
    st.builds(
        lambda name, interval, rest: {"name": name, "interval": interval, **rest},
        st.sampled_from(["monitor", "start", "stop"]),
        durations,
        some(_operations, 2),
    ),
    max_size=3,
    unique_by=lambda op: (op["name"], op["interval"]),
)
agents = st.sampled_from(
    ["ocf:heartbeat:IPaddr2", "ocf:pacemaker:Dummy", "lsb:FSSofia", "systemd:getty@tty1",
     "stonith:fence_ipmilan"]
)  # fmt: skip


# --- objects ---------------------------------------------------------------------------------


@dataclass
class World:
    """What the objects of one configuration may refer to."""

    draw: Draw
    schema: str
    found: list[Object] = field(default_factory=list)
    free: list[str] = field(default_factory=list)

    def add(self, kind: str, id: str, spec: Fields) -> None:
        assert spec.keys() <= KINDS[kind].section_keys, spec
        self.found.append(Object(kind, id, from_pillar(kind, spec)))

    def ids(self, *kinds: str) -> list[str]:
        return [item.id for item in self.found if item.kind in kinds]

    @property
    def resources(self) -> tuple[str, ...]:
        return tuple(self.ids("primitive", "group", "clone", "bundle"))

    def take(self, items: list[str]) -> list[str]:
        """Return ids that are now members of something."""
        self.free = [id for id in self.free if id not in items]
        return items

    @property
    def modern(self) -> bool:
        return self.schema != "pacemaker-3.0"

    @property
    def newest(self) -> bool:
        return self.schema == "pacemaker-4.0"

    def __call__(self, strategy: Any) -> Any:
        return self.draw(strategy)

    def chance(self) -> bool:
        return bool(self.draw(st.booleans()))


_resource = some(
    {
        "description": texts,
        "meta": meta_sets,
        "params": param_sets,
        "utilization": sets_of(utilization),
        "operations": operations,
    }
)
_group = some({"description": texts, "meta": meta_sets, "params": param_sets}, 2)
_clone = some({"description": texts, "meta": sets_of(clone_metas), "params": param_sets}, 2)


def _templates(world: World) -> None:
    for id in world(few(TEMPLATES, 0, 1)):
        world.add("template", id, {"agent": world(agents), **world(_resource)})


def _primitives(world: World) -> None:
    templates = world.ids("template")
    world.free = world(few(PRIMITIVES, 0, 4))
    for id in world.free:
        made = templates and world.chance()
        spec = {"template": templates[0]} if made else {"agent": world(agents)}
        world.add("primitive", id, {**spec, **world(_resource)})
    _share(world)


def _share(world: World) -> None:
    """Let one primitive use another one's set by its id."""
    ids = world.ids("primitive")
    if len(ids) < 2 or not world.chance():
        return
    shared = world(one_of(SHARED))
    owner, user = (next(o for o in world.found if o.id == id) for id in ids[:2])
    key = "params" if shared == "shared-params" else "meta"
    own = {"id": shared, "values": {"note": "shared"}}
    for item, one in ((owner, own), (user, {"id-ref": shared})):
        world.found[world.found.index(item)] = item.with_sets(key, NvSets.of([one]))


def _groups(world: World) -> None:
    for id in world(few(GROUPS)):
        members = world(few(world.free, 0, 3)) if world.free else []
        if members:
            world.add("group", id, {"members": world.take(members), **world(_group)})


def _clones(world: World) -> None:
    for id in world(few(CLONES)):
        inner = [*world.free, *world.ids("group")]
        inner = [i for i in inner if i not in {m for o in world.found for m in o.members}]
        if inner:
            (member,) = world.take([world(one_of(tuple(inner)))])
            world.add("clone", id, {"resource": member, **world(_clone)})


_ports = st.lists(
    st.one_of(
        st.fixed_dictionaries({"port": numbers}, optional={"internal-port": numbers}),
        st.fixed_dictionaries({"range": st.sampled_from(["5060-5080", "1"])}),
    ),
    max_size=2,
    unique_by=lambda port: (port.get("port"), port.get("range")),
)
_network = some({"ip-range-start": texts, "control-port": numbers, "host-interface": texts,
                 "host-netmask": numbers, "add-host": booleans, "ports": _ports})  # fmt: skip
_storage = st.lists(
    st.builds(
        lambda source, target, rest: {source: "/srv", "target-dir": target, **rest},
        st.sampled_from(["source-dir", "source-dir-root"]),
        st.sampled_from(["/a", "/b"]),
        some({"options": texts}),
    ),
    max_size=2,
    unique_by=lambda mount: mount["target-dir"],
)
_container = some({"replicas": numbers, "replicas-per-host": numbers, "promoted-max": numbers,
                   "run-command": texts, "network": texts, "options": texts})  # fmt: skip
_bundle = some({"network": _network, "storage": _storage, "meta": meta_sets})


_TOOLS = {"pacemaker-3.0": ("docker", "rkt"), "pacemaker-3.9": ("docker", "rkt", "podman"),
          "pacemaker-4.0": ("docker", "podman")}  # fmt: skip


def _bundles(world: World) -> None:
    for id in world(few(BUNDLES, 0, 1)):
        spec = {world(one_of(_TOOLS[world.schema])): {"image": world(texts), **world(_container)}}
        if world.free and world.chance():
            (spec["resource"],) = world.take([world(one_of(tuple(world.free)))])
        world.add("bundle", id, {**spec, **world(_bundle)})


# --- constraints ---

_in_set: Fields = {"sequential": booleans, "require-all": booleans}
_kinds = st.sampled_from(["Optional", "Mandatory", "Serialize"])
_of_sets = {
    "location": some({**_in_set, "role": roles}, 2),
    "colocation": some({**_in_set, "role": roles, "score": scores}, 2),
    "order": some({**_in_set, "action": actions, "kind": _kinds}, 2),
    "ticket": some({**_in_set, "role": roles}, 2),
}


@functools.cache
def _resource_sets(resources: tuple[str, ...], kind: str) -> Any:
    one = st.builds(
        lambda ids, rest: {"resources": ids, **rest}, few(resources, 1, 3), _of_sets[kind]
    )
    return st.lists(one, min_size=1, max_size=2)


@functools.cache
def _pairs(resources: tuple[str, ...]) -> Any:
    return st.tuples(st.sampled_from(resources), st.sampled_from(resources))


_scored_rules = st.lists(
    st.builds(
        lambda expression, score, rest: {"expression": expression, **score, **rest},
        rules,
        st.one_of(scores.map(lambda s: {"score": s}), st.just({"score-attribute": "weight"})),
        some({"role": roles}),
    ),
    min_size=1,
    max_size=2,
)
_lifetimes = st.lists(
    st.builds(lambda rule, score: {"expression": rule, "score": score}, rules, scores),
    min_size=1,
    max_size=1,
)
_with_role = some({"role": roles})
_location = some(
    {"resource-discovery": st.sampled_from(["always", "never"]), "lifetime": _lifetimes}, 1
)
_older_colocation: Fields = {"score": scores, "lifetime": _lifetimes}
_colocation = {
    False: some(_older_colocation),
    True: some({**_older_colocation, "influence": booleans}),
}
_colocated = some({"role": roles, "with-role": roles, "node-attribute": texts})
_any_order: Fields = {"symmetrical": booleans, "require-all": booleans, "lifetime": _lifetimes}
_order = st.one_of(some({**_any_order, "kind": _kinds}), some({**_any_order, "score": scores}))
_ordered = some({"first-action": actions, "then-action": actions})
_ticket = st.builds(
    lambda ticket, rest: {"ticket": ticket, **rest},
    st.sampled_from(["site-a", "site b"]),
    some({"loss-policy": st.sampled_from(["stop", "fence"])}),
)
_which = st.sampled_from(["sets", "rsc-pattern", "resource", "resource"])


def _known(world: World, spec: dict[str, Any]) -> dict[str, Any]:
    """Return a constraint without what Pacemaker 3 has no longer."""
    if world.newest:
        spec.pop("lifetime", None)
        spec.update({"rules": spec["rules"][:1]} if "rules" in spec else {})
    return spec


def _locations(world: World) -> None:
    for id in world(few(LOCATIONS)) if world.resources else []:
        spec = world(_location)
        which = world(_which)
        if which == "sets":
            spec["sets"] = world(_resource_sets(world.resources, "location"))
        else:
            spec[which] = world(texts if which == "rsc-pattern" else one_of(world.resources))
            spec.update(world(_with_role))
        if world.chance():
            spec.update(node=world(one_of(NODES)), score=world(scores))
        else:
            spec["rules"] = world(_scored_rules)
        world.add("location", id, _known(world, spec))


def _colocations(world: World) -> None:
    for id in world(few(COLOCATIONS)) if world.resources else []:
        spec = world(_colocation[world.modern])
        if world.chance():
            spec["sets"] = world(_resource_sets(world.resources, "colocation"))
        else:
            spec["resource"], spec["with"] = world(_pairs(world.resources))
            spec.update(world(_colocated))
        world.add("colocation", id, _known(world, spec))


def _orders(world: World) -> None:
    for id in world(few(ORDERS)) if world.resources else []:
        spec = world(_order)
        if world.chance():
            spec["sets"] = world(_resource_sets(world.resources, "order"))
        else:
            spec["first"], spec["then"] = world(_pairs(world.resources))
            spec.update(world(_ordered))
        world.add("order", id, _known(world, spec))


def _tickets(world: World) -> None:
    for id in world(few(TICKETS, 0, 1)) if world.resources else []:
        spec = world(_ticket)
        if world.chance():
            spec["sets"] = world(_resource_sets(world.resources, "ticket"))
        else:
            spec.update(world(_with_role), resource=world(one_of(world.resources)))
        world.add("ticket", id, spec)


# --- fencing, access, tags, alerts, options ---

_targets = st.sampled_from(
    [{"target": "fs1"}, {"target-pattern": "fs.*"},
     {"target-attribute": "rack", "target-value": "1 & 2"}]
)  # fmt: skip


_indexes = st.sampled_from(["1", "2", "9"])


def _levels(world: World) -> None:
    devices = world.ids("primitive")
    for id in world(few(LEVELS)) if devices else []:
        spec = {**world(_targets), "index": world(_indexes), "devices": world(few(devices, 1))}
        world.add("fencing_level", id, spec)


_somewhere = [{"xpath": "//nodes[@id='<&']"}, {"object-type": "op"},
              {"object-type": "nvpair", "attribute": "value"}]  # fmt: skip
_described = some({"description": texts})


@functools.cache
def _permissions(things: tuple[str, ...]) -> Any:
    permission = st.builds(
        lambda kind, where, rest: {"kind": kind, **where, **rest},
        st.sampled_from(["read", "write", "deny"]),
        st.sampled_from([*_somewhere, *({"reference": thing} for thing in things)]),
        _described,
    )
    return st.lists(permission, max_size=3)


_named = some({"login": texts})


def _access(world: World) -> None:
    for id in world(few(ROLES)):
        spec = {"permissions": world(_permissions(world.resources))}
        world.add("acl_role", id, {**spec, **world(_described)})
    known = world.ids("acl_role")
    for kind, ids in (("acl_user", USERS), ("acl_group", USER_GROUPS)):
        for id in world(few(ids)):
            spec = {"roles": world(few(known))} if known else {}
            world.add(kind, id, {**spec, **(world(_named) if world.modern else {})})


# A user's id is no XML id, and neither is a node's or a section's.
_NEVER_TAGGED = (
    "acl_user", "node", "properties", "resource_defaults", "operation_defaults", "tag",
)  # fmt: skip


def _tags(world: World) -> None:
    things = [item.id for item in world.found if item.kind not in _NEVER_TAGGED]
    for id in world(few(TAGS)) if things else []:
        world.add("tag", id, {"references": world(few(things, 1, 3))})


_alert_meta = sets_of(some({"timeout": durations, "timestamp-format": texts}))
_recipients = st.lists(
    st.builds(
        lambda value, rest: {"value": value, **rest},
        texts,
        some({"description": texts, "meta": _alert_meta, "params": param_sets}, 2),
    ),
    max_size=2,
)
_selections = st.builds(
    lambda events, attributes: {"events": events, "attributes": attributes},
    few(["fencing", "nodes", "resources", "attributes"], 0, 4),
    few(["site", "<&"]),
)
_alert = some({"description": texts, "meta": _alert_meta, "params": param_sets,
               "select": _selections, "recipients": _recipients})  # fmt: skip


def _alerts(world: World) -> None:
    for id in world(few(ALERTS)):
        world.add("alert", id, {"path": world(texts), **world(_alert)})


_option_sets = {
    modern: {
        "properties": sets_of(property_values),
        "resource_defaults": sets_of(metas, default_rules if modern else rules),
        "operation_defaults": sets_of(operation_defaults, default_rules if modern else rules),
    }
    for modern in (True, False)
}


def _options(world: World) -> None:
    for kind, sets in _option_sets[world.modern].items():
        if world.chance():
            world.add(kind, ONE_IDS[kind], {"sets": world(sets)})


_node = some({"attributes": param_sets, "utilization": sets_of(utilization),
              "description": texts, "score": scores}, 2)  # fmt: skip


def _nodes(world: World) -> None:
    for id in world(few(NODES)):
        world.add("node", id, world(_node))


_RESOURCES = (_templates, _primitives, _groups, _clones, _bundles)
_OTHERS = st.lists(
    st.sampled_from([_locations, _colocations, _orders, _tickets, _levels, _access, _alerts,
                     _options, _nodes]),
    unique=True, min_size=1, max_size=4,
)  # fmt: skip


@st.composite
def configurations(draw: Draw, schema: str = "pacemaker-3.9") -> tuple[Object, ...]:
    """Return objects that fit together, in random order, as a schema allows them.

    Each configuration has resources and a few of the other kinds.
    """
    world = World(draw, schema)
    for make in (*_RESOURCES, *draw(_OTHERS), _tags):
        make(world)
    return tuple(draw(st.permutations(world.found)))


# --- respelling ------------------------------------------------------------------------------

SET_TAGS = ("instance_attributes", "meta_attributes", "utilization", "cluster_property_set")
# Their children have no order, whatever they are.
UNORDERED = (
    "operations", "rule", "tag", "network", "storage", "select", "select_attributes",
    "configuration", "constraints", "tags", "alerts", "acls", "nodes", "fencing-topology",
)  # fmt: skip
# These children keep their order among themselves, but not to children of other tags.
ORDERED = frozenset(
    {*SET_TAGS, *RESOURCE_TAGS, "resource_set", "recipient", "acl_permission", "role"}
)
_NAMELESS_IDS = frozenset(
    {
        *SET_TAGS, "nvpair", "op", "rule", "expression", "date_expression", "rsc_expression",
        "op_expression", "duration", "date_spec", "resource_set", "acl_permission", "recipient",
        "attribute", "port-mapping", "storage-mapping",
    }
)  # fmt: skip
_ROLES = {
    "Promoted": ("Promoted", "Master", "promoted", "master"),
    "Unpromoted": ("Unpromoted", "Slave", "slave"),
    "Started": ("Started", "started"),
    "Stopped": ("Stopped", "stopped"),
}
_OTHER_NAMES = {
    **{older: newer for newer, older in PROPERTY_ALIASES.items()},
    "promoted-max": "master-max",
}


@dataclass
class Respeller:
    """Writes the same configuration as another person, or another tool, would."""

    random: random.Random

    def cib(self, root: etree._Element) -> None:
        """Respell a whole tree, in place."""
        configuration = root.find("configuration")
        for element in list(configuration.iter("*")):
            self._values(element)
        for element in list(configuration.iter("*")):
            self._implied(element)
        for rule in list(configuration.iter("rule")):
            self._brackets(rule)
        for clone in list(configuration.iter("clone")):
            self._master(clone)
        self._properties(configuration)
        self._ids(configuration)
        for element in list(configuration.iter("*")):
            self._order(element)

    def _often(self) -> bool:
        return self.random.random() < 0.5

    def _values(self, element: etree._Element) -> None:
        if element.tag != "nvpair":
            for name, text in list(element.attrib.items()):
                if name not in ("id", "name", "value", "type"):
                    element.set(name, self.text(name, text))
            return
        holder = element.getparent()
        if holder.tag in ("instance_attributes", "utilization"):
            return
        name = element.get("name")
        element.set("value", self.text(name, element.get("value")))
        if name in _OTHER_NAMES and self._often():
            element.set("name", _OTHER_NAMES[name])

    def text(self, name: str, text: str) -> str:
        """Return another spelling of an option's value."""
        if name in normalize.SCORES:
            return self.random.choice(self._scores(text))
        if name in normalize.DURATIONS:
            return self.random.choice(self._durations(text))
        if name in normalize.BOOLEANS:
            true = parse_boolean(text)
            words = ("true", "yes", "on", "Y", "1") if true else ("false", "no", "OFF", "n", "0")
            return self.random.choice(words)
        if name in normalize.ROLES:
            role = normalize.value(name, text)
            return self.random.choice(_ROLES[role])
        return text

    def _scores(self, text: str) -> list[str]:
        canonical = parse_score(text)
        if canonical.endswith("INFINITY"):
            sign = "-" if canonical.startswith("-") else self.random.choice(["", "+"])
            return [f"{sign}INFINITY", f"{sign}1000000"]
        return [canonical, canonical if canonical.startswith("-") else f"+{canonical}"]

    def _durations(self, text: str) -> list[str]:
        milliseconds = parse_duration(text)
        seconds = milliseconds // 1000
        found = [f"{seconds}", f"{seconds}s", f"{seconds} sec", f"{milliseconds}ms",
                 f"PT{seconds}S"]  # fmt: skip
        return [*found, f"{seconds // 60}min"] if seconds % 60 == 0 else found

    # --- what is implied -----------------------------------------------------------------

    def _implied(self, element: etree._Element) -> None:
        """Write out, or leave out, what means the same when it is not there."""
        kind = BY_TAG.get(str(element.tag))
        for part in kind.schema.fields if kind else ():
            if isinstance(part, Attribute) and part.default is not None:
                self._either(element, part.name, part.default)
        for names in _IMPLIED.get(str(element.tag), ()):
            self._either(element, *names)
        special = {"rsc_order": self._rsc_order, "expression": self._expression,
                   "primitive": self._primitive}.get(str(element.tag))  # fmt: skip
        if special:
            special(element)

    def _either(self, element: etree._Element, name: str, default: str) -> None:
        text = element.get(name)
        if text is None:
            if self._often() and not element.get("id-ref"):
                element.set(name, self.text(name, default))
        elif normalize.value(name, text) == default and self._often():
            del element.attrib[name]

    def _rsc_order(self, order: etree._Element) -> None:
        score, kind = order.get("score"), order.get("kind")
        if score is not None and self._often():
            del order.attrib["score"]
            order.set("kind", "Optional" if parse_score(score) == "0" else "Mandatory")
        elif kind in (None, "Mandatory") and score is None and self._often():
            order.set("kind", "Mandatory")
        symmetrical = "false" if order.get("kind") == "Serialize" else "true"
        self._either(order, "symmetrical", symmetrical)
        if order.get("then") and order.get("then-action") is None and self._often():
            order.set("then-action", order.get("first-action", "start"))

    def _expression(self, test: etree._Element) -> None:
        if test.get("operation") in ("eq", "ne"):
            self._either(test, "type", "string")
        if test.get("value") is not None:
            self._either(test, "value-source", "literal")

    def _primitive(self, primitive: etree._Element) -> None:
        if primitive.get("provider") == "heartbeat" and self._often():
            del primitive.attrib["provider"]

    def _brackets(self, rule: etree._Element) -> None:
        """Put brackets around one term, or around all."""
        if rule.get("id-ref") or len(rule) == 0:
            return
        if rule.getparent().tag == "rule":
            self._either(rule, "score", "0")
        chosen = list(rule) if self._often() else [self.random.choice(list(rule))]
        if self.random.random() < 0.3:
            at = list(rule).index(chosen[0])
            inner = etree.Element("rule", {"id": f"brackets-{self.random.getrandbits(40)}"})
            if len(chosen) > 1 and rule.get("boolean-op"):
                inner.set("boolean-op", rule.get("boolean-op"))
            rule.insert(at, inner)
            inner.extend(chosen)
        if rule.get("boolean-op") is None or len(rule) == 1:
            self._either(rule, "boolean-op", "and")

    def _master(self, clone: etree._Element) -> None:
        """Write a promotable clone in the older form."""
        sets = clone.findall("meta_attributes")
        if len(sets) != 1 or sets[0].find("rule") is not None or not self._often():
            return
        for pair in sets[0].findall("nvpair"):
            if pair.get("name") == "promotable" and parse_boolean(pair.get("value")):
                sets[0].remove(pair)
                clone.tag = "master"

    def _properties(self, configuration: etree._Element) -> None:
        """Spread cluster properties over several sets."""
        options = configuration.find("crm_config")
        plain = [] if options is None else [s for s in options if s.find("rule") is None]
        for pair in [pair for nvset in plain for pair in nvset.findall("nvpair")]:
            if self._often() and pair.get("name") not in SERVER_WRITTEN:
                other = next((s for s in options if s.get("id") == "other-options"), None)
                if other is None:
                    other = etree.SubElement(options, plain[0].tag, {"id": "other-options"})
                other.append(pair)

    # --- ids and order -------------------------------------------------------------------

    def _ids(self, configuration: etree._Element) -> None:
        """Give other ids to what nobody names but the list of what the formula owns."""
        renamed = {}
        named = {element.get("id-ref") for element in configuration.iter("*")}
        for element in configuration.iter(*_NAMELESS_IDS):
            id = element.get("id")
            if id is not None and id not in named and self._often():
                renamed[id] = f"id{len(renamed)}-{self.random.getrandbits(40)}"
                element.set("id", renamed[id])
        for reference in configuration.iter("obj_ref"):
            reference.set("id", renamed.get(reference.get("id"), reference.get("id")))

    def _order(self, element: etree._Element) -> None:
        if element.tag == "resource_set":
            if normalize.value("sequential", element.get("sequential", "true")) == "false":
                self._shuffle(element, list(element))
            return
        attributes = list(element.attrib.items())
        self.random.shuffle(attributes)
        element.attrib.clear()
        element.attrib.update(attributes)
        children = list(element)
        if element.tag in UNORDERED or element.tag in SET_TAGS or element.tag in BY_TAG:
            self._shuffle(element, children)

    def _shuffle(self, parent: etree._Element, children: list[etree._Element]) -> None:
        """Shuffle children; those whose order counts keep theirs, but for sets by their scores."""
        shuffled = list(children)
        self.random.shuffle(shuffled)
        for tag in {child.tag for child in children if child.tag in ORDERED}:
            kept = [child for child in children if child.tag == tag]
            kept = sorted(kept, key=self._moved)
            for index, child in enumerate(shuffled):
                if child.tag == tag:
                    shuffled[index] = kept.pop(0)
        parent[:] = shuffled

    def _moved(self, child: etree._Element) -> int:
        """Return a place that keeps sets of one score in their order."""
        if child.tag not in SET_TAGS:
            return 0
        return int(parse_score(child.get("score", "0")).replace("INFINITY", "1000000"))


_IMPLIED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "resource_set": (("sequential", "true"), ("require-all", "true"), ("role", "Started"),
                     ("action", "start")),
    "op": (("enabled", "true"), ("record-pending", "true"), ("start-delay", "0s")),
    "network": (("add-host", "true"),),
    "docker": (("replicas-per-host", "1"),),
    "podman": (("replicas-per-host", "1"),),
}  # fmt: skip
