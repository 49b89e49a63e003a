"""What the formula's own agents take is checked in the pillar, wherever their parameters stand."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fshalib.agents import OURS
from fshalib.pacemaker import agent_metadata
from fshalib.pillar import config as pillar_config
from fshalib.pillar import own_agents
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import pillar

AGENTS = Path(__file__).parents[3] / "fsha/files/ocf"
RESOURCES = "fsha:pacemaker:resources"


@pytest.mark.parametrize("agent", sorted(AGENTS.iterdir()), ids=lambda path: path.name)
def test_the_table_is_what_the_agents_say_themselves(agent):
    argv = ["sh", str(agent), "meta-data"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    known = agent_metadata.parse_metadata(done.stdout)
    assert known.parameters == own_agents.PARAMETERS[f"{OURS}{agent.name}"]
    assert set(known.actions) == own_agents.ACTIONS[f"{OURS}{agent.name}"]


def test_no_agent_is_in_the_table_alone():
    assert set(own_agents.PARAMETERS) == {f"{OURS}{path.name}" for path in AGENTS.iterdir()}


@pytest.mark.parametrize("agent", own_agents.PARAMETERS)
def test_the_defaults_of_an_agent_fit_it(agent):
    defaults = {n: p.default for n, p in own_agents.PARAMETERS[agent].items() if p.default}
    assert [*own_agents.mistakes(agent, defaults)] == []


def served(params, templates=None, fs=None, **more):
    """Return a pillar whose service is the formula's own agent."""
    raw = pillar()
    resource = {"agent": "ocf:fsha:FSSofia", "params": params, **(fs or {})}
    raw["network"] = {"nonlocal_bind": "hot" in str(params)}
    pacemaker = raw["pacemaker"]
    pacemaker["resources"]["fs"] = {k: v for k, v in resource.items() if v is not None}
    pacemaker["resources"].update(more)
    pacemaker["op_defaults"] = {"timeout": "90s"}
    pacemaker["templates"] = templates or {}
    return raw


def errors(raw):
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check(raw)
    return [(error.path, error.message) for error in caught.value.errors]


WRONG = [
    ("stop_mode", "recovery", "one of hangup, drain, recover is expected"),
    ("stop_mode", "Recover", "one of hangup, drain, recover is expected"),
    ("standby", "Hot", "one of cold, hot is expected"),
    ("cold_start", "never", "one of flush, recover is expected"),
    ("drain_time", "2min", "a whole number without a unit is expected"),
    ("drain_time", "-1", "a whole number without a unit is expected"),
    ("drain_time", "030", "a whole number without a unit is expected"),
    ("flush_ms", "500ms", "a whole number without a unit is expected"),
    ("bind_wait", "2.5", "a whole number without a unit is expected"),
    ("arp_check", "maybe", "true or false is expected"),
    ("arp_check", "ja", "true or false is expected"),
    ("host", "127.0.0.1 ", "an address or a host's name is expected"),
    ("fs_cli", "fs_cli", "an absolute path"),
    ("switch_process", "freeswitch-production", "15 characters at most"),
    ("bind_wait", 0, "a whole number from 1"),
    ("options_targets", "10.101.20.300:5060", "ADDRESS:PORT"),
    ("port", "0", "a whole number from 1 to 65535 is expected"),
    ("port", 70000, "a whole number from 1 to 65535 is expected"),
    ("profiles", "", "the name of a Sofia profile is expected"),
    ("profiles", "  ", "the name of a Sofia profile is expected"),
    ("profiles", "internal,external", "separated by blanks, is expected"),
    ("profiles", "internal -x", "separated by blanks, is expected"),
    ("vips", "10.101.20.219/24", "addresses without prefix length"),
    ("vips", "10.101.20.219,10.101.20.218", "separated by blanks, is expected"),
    ("vips", "10.101.20", "addresses without prefix length"),
    ("vips", "fe80::1%eth0", "addresses without prefix length"),
    ("options_targets", "10.101.20.219", "ADDRESS:PORT"),
    ("options_targets", "10.101.20.219:5060,10.101.20.218:5060", "separated by blanks"),
    ("options_targets", "10.101.20.219:sip", "ADDRESS:PORT"),
    ("options_targets", "10.101.20.219:0", "ADDRESS:PORT"),
    ("options_targets", "2001:db8::1", "ADDRESS:PORT"),
    ("options_targets", "[2001:db8::1]", "ADDRESS:PORT"),
    ("stop_modes", "recover", 'did you mean "stop_mode"?'),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_a_wrong_value_is_one_sentence(name, value, words):
    [(path, message)] = errors(served({"profiles": "internal", name: value}))
    assert path == f"{RESOURCES}:fs:params:{name}"
    assert words in message
    if name != "stop_modes":
        assert f'by ocf:fsha:FSSofia, not "{value}".' in message


RIGHT = [
    {"stop_mode": "recover", "recover": "yes", "cold_start": "recover"},
    {"stop_mode": "hangup", "recover": False},
    {"stop_mode": "drain", "drain_time": 60, "flush_ms": "0"},
    {"profiles": "internal external-2 v6.x"},
    {"vips": "10.101.20.219 2001:db8::1"},
    {"options_targets": "10.101.20.219:5060 [2001:db8::1]:5061 sip.example.org:5060"},
    {"vips": "", "options_targets": "", "drain_time": ""},
    {"trace_ra": 1, "arp_check": "OFF", "recover": "Yes", "ipv6_guard": "n"},
]


@pytest.mark.parametrize("params", RIGHT)
def test_the_right_values(params):
    ipv6 = {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "2001:DB8::1"}}
    raw = served({"profiles": "internal", **params}, ipv6=ipv6)
    raw["nodes"]["fs1"]["interfaces"]["eth2"] = {"address": "2001:db8::9/64"}
    pillar_config.check(raw)


def test_calls_that_are_left_and_not_taken():
    params = {"profiles": "internal", "stop_mode": "recover", "recover": False}
    [(path, message)] = errors(served(params))
    assert path == f"{RESOURCES}:fs:params:recover"
    assert message.startswith("true is expected beside stop_mode: recover")


def test_without_profiles():
    assert errors(served({})) == [
        (
            f"{RESOURCES}:fs:params:profiles",
            "this key is missing; ocf:fsha:FSSofia requires it.",
        )
    ]


@pytest.mark.parametrize(
    ("agent", "name", "value"),
    [
        ("FSSwitch", "service", "free switch"),
        ("FSSwitch", "restart_wait", "30s"),
        ("fonebridge", "nic", "eth0/1"),
        ("fonebridge", "attempt_timeout", 0),
    ],
)
def test_the_other_agents(agent, name, value):
    params = {"nic": "eth1", name: value} if agent == "fonebridge" else {name: value}
    raw = served({"profiles": "internal"}, other={"agent": OURS + agent, "params": params})
    [(path, message)] = errors(raw)
    assert path == f"{RESOURCES}:other:params:{name}"
    assert f"is expected by {OURS}{agent}, not" in message


SOFIA = {"agent": "ocf:fsha:FSSofia"}


def test_a_template_is_told_where_it_is_wrong():
    templates = {"sofia": {**SOFIA, "params": {"stop_mode": "recovery"}}}
    raw = served({"profiles": "internal"}, templates, {"agent": None, "template": "sofia"})
    assert [path for path, _ in errors(raw)] == ["fsha:pacemaker:templates:sofia:params:stop_mode"]


def test_what_a_template_gives_counts_with_the_rest():
    templates = {"sofia": {**SOFIA, "params": {"stop_mode": "recover"}}}
    params = {"profiles": "internal", "recover": False}
    raw = served(params, templates, {"agent": None, "template": "sofia"})
    assert [path for path, _ in errors(raw)] == [f"{RESOURCES}:fs:params:recover"]


def test_the_old_rules_hold_for_a_template_as_well():
    templates = {"sofia": {**SOFIA, "params": {"stop_mode": "drain", "drain_time": 100}}}
    raw = served({"profiles": "internal"}, templates, {"agent": None, "template": "sofia"})
    [(path, message)] = errors(raw)
    assert path == f"{RESOURCES}:fs:operations"
    assert "needs a timeout of 120s" in message


@pytest.mark.parametrize(("seconds", "enough"), [("219s", False), ("220s", True)])
def test_the_operations_of_a_template_count(seconds, enough):
    stop = {"name": "stop", "timeout": seconds}
    templates = {"sofia": {**SOFIA, "operations": [stop]}}
    params = {"profiles": "internal", "stop_mode": "drain", "drain_time": 200}
    raw = served(params, templates, {"agent": None, "template": "sofia"})
    if enough:
        pillar_config.check(raw)
    else:
        keys = "fsha:pacemaker:templates:sofia:operations:0:timeout"
        assert [path for path, _ in errors(raw)] == [keys]


def ruled(*sets):
    return [{"values": {"profiles": "internal"}}, *sets]


def test_each_set_with_a_rule_is_judged():
    one = {"values": {"stop_mode": "recover"}, "rule": "#uname eq fs1", "score": 2}
    two = {"values": {"recover": False, "flush_ms": "1s"}, "rule": "#uname eq fs2", "score": 1}
    # Both at once hold on no node.
    [(path, _)] = errors(served(ruled(one, two)))
    assert path == f"{RESOURCES}:fs:params:2:values:flush_ms"


def test_a_set_with_a_rule_counts_with_what_always_holds():
    one = {"values": {"recover": False}, "rule": "#uname eq fs2", "score": 1}
    sets = ruled(one)
    sets[0]["values"]["stop_mode"] = "recover"
    assert [path for path, _ in errors(served(sets))] == [f"{RESOURCES}:fs:params:1:values:recover"]


def test_a_set_that_the_score_puts_behind_does_not_count():
    sets = ruled({"values": {"recover": False}, "rule": "#uname eq fs2", "score": 1})
    sets[0]["values"] |= {"stop_mode": "recover", "recover": True}
    sets[0]["score"] = 5
    pillar_config.check(served(sets))


def test_a_parameter_that_only_rules_give_is_not_missing():
    sets = [
        {"values": {"profiles": name}, "rule": f"#uname eq {node}"}
        for name, node in (("internal", "fs1"), ("other", "fs2"))
    ]
    pillar_config.check(served(sets))


def test_a_set_of_another_resource_counts():
    switch = {
        "agent": "ocf:fsha:FSSwitch",
        "params": [{"id": "socket", "values": {"port": "8021x"}}],
    }
    raw = served(ruled({"id-ref": "socket"}), switch=switch)
    found = errors(raw)
    assert {path for path, _ in found} == {f"{RESOURCES}:switch:params:0:values:port"}
    assert any(re.search("by ocf:fsha:FSSofia", message) for _, message in found)


@pytest.mark.parametrize("value", [None, [60], {}])
def test_a_value_of_another_kind_is_told_once(value):
    [(path, message)] = errors(served({"profiles": "internal", "drain_time": value}))
    assert path == f"{RESOURCES}:fs:params:drain_time"
    assert message.startswith("text, a number, true or false is expected")


OPERATIONS = [
    ({"name": "monitro"}, "name", 'not "monitro"; did you mean "monitor"?'),
    ({"name": "Monitor"}, "name", 'did you mean "monitor"?'),
    ({"name": "promote"}, "name", "an operation of ocf:fsha:FSSofia is expected"),
    ({"params": {"OCF_CHECK_LEVEL": "ten"}}, "params:OCF_CHECK_LEVEL", "a whole number"),
    ({"params": {"OCF_CHECK_LVL": 10}}, "params:OCF_CHECK_LVL", 'did you mean "OCF_CHECK_LEVEL"?'),
    ({"params": {"stop_mode": "recovery"}}, "params:stop_mode", "one of hangup, drain, recover"),
    ({"params": [{"values": {"vips": "x"}}]}, "params:0:values:vips", "a row of addresses"),
    ({"meta": {"flush_ms": 100}}, "meta:flush_ms", "has no effect here"),
]


@pytest.mark.parametrize("inherited", [False, True])
@pytest.mark.parametrize(("given", "place", "words"), OPERATIONS)
def test_what_an_operation_gives(given, place, words, inherited):
    operation = {"name": "monitor", "interval": "30s", "timeout": "20s", **given}
    more = {"operations": [operation]}
    templates = {"sofia": {**SOFIA, **more}} if inherited else {}
    fs = {"agent": None, "template": "sofia"} if inherited else more
    [(path, message)] = errors(served({"profiles": "internal"}, templates, fs))
    home = "fsha:pacemaker:templates:sofia" if inherited else f"{RESOURCES}:fs"
    assert path == f"{home}:operations:0:{place}"
    assert words in message


def test_the_right_operations():
    operations = [
        {"name": "monitor", "interval": "30s", "params": {"OCF_CHECK_LEVEL": "10"}},
        {"name": "stop", "timeout": "90s", "params": {"stop_mode": "recover"}},
        {"name": "reload-agent", "timeout": "20s"},
    ]
    pillar_config.check(served({"profiles": "internal"}, None, {"operations": operations}))


@pytest.mark.parametrize(
    ("key", "given", "place"),
    [
        ("resources", {"fs": {"meta": {"stop_mode": "recover"}}}, "resources:fs:meta:stop_mode"),
        ("groups", {"VoiceServices": {"meta": {"vips": "x"}}}, "groups:VoiceServices:meta:vips"),
        ("rsc_defaults", {"stop_mode": "recover"}, "rsc_defaults:stop_mode"),
        ("op_defaults", [{"values": {"flush_ms": "1"}}], "op_defaults:0:values:flush_ms"),
    ],
)
def test_a_parameter_among_meta_attributes(key, given, place):
    raw = served({"profiles": "internal"})
    section = raw["pacemaker"]
    if isinstance(given, dict) and key in ("resources", "groups"):
        for id, more in given.items():
            section[key][id] |= more
    else:
        section[key] = given
    found = [(path, message) for path, message in errors(raw) if "no effect" in message]
    assert [path for path, _ in found] == [f"fsha:pacemaker:{place}"]


def test_an_address_that_no_resource_holds():
    [(path, message)] = errors(served({"profiles": "internal", "vips": "10.101.20.210"}))
    assert path == f"{RESOURCES}:fs:params:vips"
    assert 'the address of a resource is expected (10.101.20.219), not "10.101.20.210"' in message
