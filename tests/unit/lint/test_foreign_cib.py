"""A cluster that somebody else built is judged as its pillar would be."""

import pytest
import yaml
from lxml import etree

from fshalib.cib import document, target
from fshalib.lint import foreign_cib, runner
from fshalib.pillar import config as pillar_config
from tests.unit import pillars
from tests.unit.cib.test_corpus import FILES
from tests.unit.lint import test_rules as test_lint
from tests.unit.switchover.test_dangers import in_maintenance_mode, put_into_maintenance

EXAMPLES = ("pillar.example", "examples/article.sls", "examples/keeps_calls.sls")
# What only a pillar can tell, or only a cluster.
APART = {"agent-timeout", "cli-id", "left-behind", "not-managed", "nonlocal-bind", "hot-flag"}


def example(name):
    raw = yaml.safe_load((test_lint.ROOT / name).read_text(encoding="utf-8"))["fsha"]
    return pillar_config.check(pillars.with_key(raw))


def built(config):
    """Return the CIB that a pillar makes of an empty one."""
    empty = document.parse(pillars.empty_cib(*(node.name for node in config.nodes)))
    return target.target(empty, target.DesiredObjects(config.pacemaker.objects)).root


def said(advices):
    return {(a.code, a.path) for a in advices if a.code not in APART and ":cli-" not in a.path}


@pytest.mark.parametrize("name", EXAMPLES)
def test_as_its_pillar(name):
    config = example(name)
    told = {a for a in said(runner.lint(config)) if a[1].startswith("fsha:pacemaker")}
    assert said(foreign_cib.lint(built(config), {})) == told


def test_what_corosync_says_is_judged_too():
    raw = pillars.changed(*test_lint.CLEAN, ("corosync:totem", {"token": 20000}))
    told = {key: raw[key] for key in ("nodes", "corosync")}
    found = foreign_cib.lint(built(pillar_config.check(raw)), told)
    assert [a.path for a in found if a.code == "token"] == ["fsha:corosync:totem:token"]


def test_what_our_own_agents_would_refuse():
    root = etree.fromstring(
        "<cib><configuration><crm_config/><nodes/><resources>"
        '<primitive id="fs" class="ocf" provider="fsha" type="FSSofia">'
        '<instance_attributes id="a"><nvpair id="a1" name="profiles" value="internal"/>'
        '<nvpair id="a2" name="stop_mode" value="recovery"/></instance_attributes>'
        '<operations><op id="o" name="monitro" interval="5s"/><op id="p" name="stop" interval="0">'
        '<instance_attributes id="b"><nvpair id="b1" name="drain_time" value="030"/>'
        "</instance_attributes></op></operations></primitive></resources><constraints/>"
        "</configuration><status/></cib>"
    )
    found = {a.path: a.message for a in foreign_cib.lint(root, {}) if a.code == "refused-parameter"}
    home = "fsha:pacemaker:resources:fs"
    assert [*found] == [
        f"{home}:params:stop_mode",
        f"{home}:operations:monitro",
        f"{home}:operations:stop:params:drain_time",
    ]
    assert found[f"{home}:params:stop_mode"].startswith("one of hangup, drain, recover is expected")


def test_what_a_move_has_left():
    root = built(example("pillar.example"))
    root.find("configuration/constraints").append(
        etree.fromstring('<rsc_location id="cli-ban-VoiceServices-on-freeswitch-dev" '
                         'rsc="VoiceServices" node="freeswitch-dev" score="-INFINITY"/>')
    )  # fmt: skip
    (advice,) = [a for a in foreign_cib.lint(root, {}) if a.code == "left-behind"]
    assert "(-INFINITY for freeswitch-dev)" in advice.message
    assert advice.severity == "error"


def test_a_preference_that_a_move_has_left_is_judged_by_its_score():
    root = built(example("pillar.example"))
    root.find("configuration/constraints").append(
        etree.fromstring('<rsc_location id="cli-prefer-VoiceServices" rsc="VoiceServices" '
                         'node="freeswitch-dev" score="INFINITY"/>')
    )  # fmt: skip
    found = [a for a in foreign_cib.lint(root, {}) if a.code in foreign_cib.KNOWN]
    assert [(a.code, a.severity) for a in found] == [("left-preference", "warning")]


@pytest.mark.parametrize(
    ("id", "end", "code", "severity"),
    [
        ("cli-prefer-VoiceServices", "", "left-behind", "error"),
        ("cli-ban-VoiceServices-on-freeswitch-dev", "2099-01-01 00:00:00Z", "left-behind", "error"),
        ("cli-ban-VoiceServices-on-freeswitch-dev", "some day", "left-ban", "warning"),
        ("cli-ban-VoiceServices-on-freeswitch-dev", "2020-01-01 00:00:00Z", "left-over", "hint"),
        ("cli-prefer-VoiceServices", "2020-01-01", "left-over", "hint"),
    ],
)
def test_what_a_move_has_left_is_judged_by_what_it_does(id, end, code, severity):
    root = built(example("pillar.example"))
    date = f'<date_expression id="d" operation="lt" end="{end}"/>' if end else ""
    rule = (
        '<rule id="r" score="-INFINITY" boolean-op="and"><expression id="e" attribute="#uname" '
        f'operation="eq" value="freeswitch-dev" type="string"/>{date}</rule>'
    )
    root.find("configuration/constraints").append(
        etree.fromstring(f'<rsc_location id="{id}" rsc="VoiceServices">{rule}</rsc_location>')
    )
    found = [a for a in foreign_cib.lint(root, {}) if a.code in foreign_cib.KNOWN]
    assert [(a.code, a.severity) for a in found] == [(code, severity)]


@pytest.mark.parametrize("name", ["priority", "target-role"])
def test_one_strange_value_does_not_hide_the_rest(name):
    raw = pillars.changed(*test_lint.CLEAN)
    root = built(pillar_config.check(raw))
    clean = {a.code for a in foreign_cib.lint(root, {})}
    group = root.find(".//group")
    group.insert(0, etree.fromstring(
        f'<meta_attributes id="m"><nvpair id="n" name="{name}" value="foo"/></meta_attributes>'
    ))  # fmt: skip
    assert {a.code for a in foreign_cib.lint(root, {})} == clean | {"not-understood"}


@pytest.mark.parametrize("agent", ["systemd:freeswitch", "lsb:freeswitch", "ocf:voice:FreeSwitch"])
def test_other_peoples_agents_are_freeswitch_as_well(agent):
    raw = pillars.changed(("pacemaker:resources:fs:agent", agent))
    found = {a.code: a.message for a in runner.lint(pillar_config.check(raw))}
    assert found["stop-can-fail"].startswith(f"a stop of {agent} ")
    assert "failure-timeout" in found


def test_the_whole_corpus():
    strange = {}
    for file in FILES:
        root = document.parse(file.read_text(encoding="utf-8"))
        for advice in foreign_cib.lint(root, {}):
            assert advice.code in runner.ALL_KNOWN or advice.code in foreign_cib.KNOWN
            if advice.code == "not-understood":
                strange.setdefault(file.stem, []).append(advice.path)
    if FILES:
        assert strange == {
            "bug-1573": ["fsha:pacemaker:properties:no_quorum-policy"],
            "colocation-influence": [
                "fsha:pacemaker:colocations:colocation-rsc1a-rsc1b-INFINITY:influence"
            ],
            "intervals": ["fsha:pacemaker:resources:rsc6:operations:0:timeout"],
        }


def maintained(root):
    return [a for a in foreign_cib.lint(root, {}) if a.code == "node-maintenance"]


def test_a_nodes_own_maintenance_where_something_runs(pair):
    assert maintained(pair) == []
    put_into_maintenance(pair)
    (advice,) = maintained(pair)
    assert advice.path == "fsha:pacemaker:nodes:fs1:attributes:maintenance"
    assert "ip_shared, fs ran there last" in advice.message
    assert advice.severity == "error"
    assert maintained(in_maintenance_mode(pair)) == []


def test_a_nodes_own_maintenance_where_nothing_runs_is_no_danger(pair):
    assert maintained(put_into_maintenance(pair, "fs2")) == []
    pair.find(".//nvpair[@name='maintenance']").set("value", "perhaps")
    assert maintained(pair) == []
