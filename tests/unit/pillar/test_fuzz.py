"""Whatever stands in the pillar: a configuration, or sentences about what is wrong.

``FSHA_HYPOTHESIS=long pytest FILE`` tries a hundred times as many pillars.
"""

import copy
import datetime
import functools
import json
import os

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fshalib.cib import document
from fshalib.cib import target as cib_target
from fshalib.corosync import build, parser
from fshalib.lint import runner
from fshalib.pacemaker import agent as agent_types
from fshalib.pillar import config as pillar_config
from fshalib.pillar import validate_agents
from fshalib.pillar.schema import PILLAR
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import empty_cib, full
from tests.unit.schemas import faults

QUICK = settings(
    deadline=None,
    max_examples=10000 if os.environ.get("FSHA_HYPOTHESIS") == "long" else 100,
    suppress_health_check=[HealthCheck.too_slow],
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "inf", "1s", "10.101.20.219", "10.101.20.5/24", "fd00::1/64", "fs1", "a:b", "\x00",
         "lsb:FSSofia", "#uname eq fs1", "knet", "udp", "fe80::1%eth0/64", "{", "🎺", "\ud800",
         "#default", "INFINITY", "date spec hours=9", "fs", "ip_carrier", "far", "stonith:x/y",
         10**300, -1, float("nan"), float("inf"), b"bytes", datetime.date(2024, 1, 1)]
    )
)  # fmt: skip


def names_in(section, found):
    """Collect every key that the pillar knows, so that the fuzz meets the checks inside."""
    for name, known in getattr(section, "fields", {}).items():
        found.add(name)
        kind = known.kind
        while hasattr(kind, "item"):
            kind = kind.item
        names_in(kind, found)
    return found


KNOWN = sorted(names_in(PILLAR, set()))
keys = st.sampled_from(KNOWN) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=12,
)


def outcome(raw):
    """Return the mistakes; for a good pillar go on to what is made of it."""
    try:
        config = pillar_config.check(raw)
    except ConfigErrors as caught:
        return told(caught.errors)
    runner.summary(runner.lint(config))
    conf = corosync_conf(config)
    assert parser.parse(parser.render(conf)) == conf
    written(config.pacemaker.objects, config.nodes)
    return ()


def written(objects, nodes):
    """Write objects into an empty CIB: what is accepted can be written, and is what was wanted."""
    live = document.parse(empty_cib(*(node.name for node in nodes)))
    target = cib_target.target(live, cib_target.DesiredObjects(objects))
    assert faults(target.root) == []
    again = cib_target.target(
        document.parse(document.render(target.root)), cib_target.DesiredObjects(objects)
    )
    assert again.changes == {}


def told(errors):
    assert errors
    for error in errors:
        assert str(error).isprintable()
        assert error.path.startswith("fsha")
        assert error.message.endswith((".", "?"))
        reasons = ("expected", "leave it out", "requires it")
        assert any(reason in error.message for reason in reasons) or ":authkey" in error.path
    return errors


def corosync_conf(config):
    nodes = [build.RingNode(node.name, node.id, node.ips) for node in config.nodes]
    corosync = config.corosync
    return build.from_settings(
        config.cluster.name, nodes, corosync.transport, corosync.crypto, corosync.totem,
        corosync.links, corosync.quorum, corosync.logging,
    )  # fmt: skip


@QUICK
@given(values)
def test_anything(raw):
    outcome(raw)


@QUICK
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(PILLAR.fields, values)))
def test_anything_in_known_sections(raw):
    outcome(raw)


def places(data, path=()):
    yield path
    if isinstance(data, dict):
        for key, value in data.items():
            yield from places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*path, index))


PLACES = [place for place in places(full()) if place]
OBJECTS = [place for place in PLACES if place[0] == "pacemaker"]
# Values that are the agent's, the node's or the user's own business.
PARAMS = [
    place
    for place in OBJECTS
    if {"params", "attributes", "utilization"} & set(place[:-1])
    and isinstance(place[-1], str)
    and place[-1] not in ("id", "id-ref", "rule", "score", "values")
]
SECRET = "H4rdToGuess-9471"


@QUICK
@given(st.lists(st.tuples(st.sampled_from(PLACES), values | scalars), min_size=1, max_size=3))
def test_anything_in_place_of_something_good(changes):
    raw = full()
    for place, value in changes:
        put(raw, place, copy.deepcopy(value))
    outcome(raw)


@QUICK
@given(
    st.lists(st.tuples(st.sampled_from(OBJECTS), st.sampled_from(OBJECTS)), min_size=1, max_size=3)
)
def test_good_things_in_other_places(moves):
    raw = full()
    for source, place in moves:
        put(raw, place, functools.reduce(lambda data, key: data[key], source, full()))
    outcome(raw)


def put(data, place, value):
    """Put a value at a place, if an earlier change has left the place there."""
    *parents, last = place
    for key in parents:
        present = isinstance(data, dict) or (isinstance(data, list) and isinstance(key, int))
        if not present or key not in (data if isinstance(data, dict) else range(len(data))):
            return
        data = data[key]
    if isinstance(data, dict) or (isinstance(data, list) and last in range(len(data))):
        data[last] = value


@QUICK
@given(st.sampled_from(PLACES), keys, values)
def test_anything_added(place, key, value):
    raw = full()
    target = raw
    for part in place:
        target = target[part]
    if isinstance(target, dict):
        target[key] = value
    outcome(raw)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ":".join(map(str, place)))
def test_every_key_with_every_kind_of_value(place):
    for value in (
        None,
        [],
        {},
        "",
        "x" * 500,
        3,
        -1,
        2.5,
        True,
        [[]],
        [None],
        {"x": None},
        {1: 2},
        10**5000,
    ):
        raw = full()
        target = raw
        for part in place[:-1]:
            target = target[part]
        target[place[-1]] = value
        outcome(raw)


def test_a_pillar_that_holds_itself():
    raw = yaml.safe_load("&all {nodes: *all, cluster: *all, pacemaker: {resources: *all}}")
    assert outcome(raw)


# --- agents ----------------------------------------------------------------------------------

NAMES = ["ip", "nic", "passwd", "host_list", "server", "port"]
parameters = st.builds(
    agent_types.Parameter,
    required=st.booleans(),
    unique=st.sampled_from(["", "ip", "group"]),
    type=st.sampled_from(["string", "integer", "boolean", "select", "second", "odd"]),
    default=st.none() | st.sampled_from(["", "5", "5s", "x"]),
    options=st.lists(st.sampled_from(["", "a", "B"]), max_size=2).map(tuple),
    older=st.lists(st.sampled_from(NAMES), max_size=2).map(tuple),
)
metadata = st.none() | st.builds(
    agent_types.AgentMetadata, st.dictionaries(st.sampled_from(NAMES), parameters)
)


@QUICK
@given(st.lists(st.sampled_from(PARAMS), max_size=3), st.data())
def test_whatever_agents_say_of_themselves(places, data):
    raw = full()
    for place in places:
        put(raw, place, data.draw(st.sampled_from(["", "a", "5", "true", "10.101.20.217"])))
    try:
        config = pillar_config.check(raw)
    except ConfigErrors:
        return
    said = {agent: data.draw(metadata) for agent in pillar_config.agents(config)}
    try:
        validate_agents.check_agents(config, said.get, data.draw(st.lists(st.text(), max_size=3)))
    except ConfigErrors as caught:
        told(caught.errors)


# --- secrets ---------------------------------------------------------------------------------


@QUICK
@given(
    st.sampled_from(PARAMS),
    st.sampled_from(
        [lambda s: [s], lambda s: {"x": s}, lambda s: f"{s}\x00", lambda s: f"{s}\ud800"]
    ),
)
def test_values_of_parameters_are_never_shown(place, wrap):
    raw = full()
    put(raw, place, wrap(SECRET))
    assert SECRET not in json.dumps([str(error) for error in outcome(raw)])


@QUICK
@given(st.text(min_size=6, max_size=30, alphabet=st.characters(codec="ascii", categories=["L"])))
def test_an_authkey_is_never_shown(text):
    raw = full()
    secret = f"zqj{text}jqz"
    raw["corosync"]["authkey"] = secret
    told = json.dumps([str(error) for error in outcome(raw)])
    assert secret not in told
