"""What works but is not advised."""

from pathlib import Path

import pytest
import yaml

from fshalib.lint import rules, runner
from fshalib.pillar import config
from tests.unit.pillars import GONE, changed, with_key

ROOT = Path(__file__).resolve().parents[3]
IP = "pacemaker:resources:ip_shared"
FS = "pacemaker:resources:fs"
FENCE = {"agent": "stonith:fence_dummy", "operations": [{"name": "monitor", "interval": "20s"}]}
CLEAN = (
    ("pacemaker:properties:stonith-enabled", True),
    ("pacemaker:resources:fence", FENCE),
    ("network:nonlocal_bind", False),
    ("pacemaker:rsc_defaults:failure-timeout", "10min"),
)


def everything(*places):
    return runner.lint(config.check(changed(*CLEAN, *places)))


def advices(*places):
    """Return what this file is about: test_lint_failover.py has the rest."""
    return tuple(a for a in everything(*places) if a.code in rules.KNOWN)


def example(name):
    raw = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))["fsha"]
    return runner.lint(config.check(with_key(raw)))


def test_nothing_to_say():
    assert advices() == ()
    assert runner.summary(()) == ""


ARP = {"agent": "ocf:heartbeat:SendArp", "params": {"ip": "10.101.20.219", "nic": "eth0"},
       "operations": [{"name": "monitor", "interval": "5s"}]}  # fmt: skip
PREFER = "pacemaker:locations:prefer-fs1:score"
RULE = "pacemaker:locations:by-rule:rules"
MONITOR = [{"name": "monitor", "interval": "5s"}]
TEMPLATE = {
    "agent": "ocf:heartbeat:IPaddr2",
    "params": {"nic": "eth0"},
    "operations": [{"name": "monitor", "interval": "5s"}],
}
TIMES = [
    {"name": "monitor", "interval": "5s"},
    {"name": "start", "timeout": "60s"},
    {"name": "stop", "timeout": "90s"},
]
OURS = {"agent": "ocf:fsha:FSSofia", "params": {"profiles": "internal"}, "operations": TIMES}
RARE = [{"name": "monitor", "interval": "1min", "timeout": "20s"}]
LSB = {"agent": "lsb:x", "operations": MONITOR}
FROM_TEMPLATE = {"template": "t", "params": {"ip": "10.101.20.9"}}


def template(**changes):
    """Return the places of a template and of a resource that is made from it."""
    places = {"t": {**TEMPLATE, **changes}}
    return [("pacemaker:templates", places), ("pacemaker:resources:a", FROM_TEMPLATE)]


@pytest.mark.parametrize(
    ("places", "code", "path"),
    [
        ([(f"{IP}:params:nic", "eth0:0")], "nic-alias", f"{IP}:params:nic"),
        ([("pacemaker:resources:arp", ARP)], "send-arp", "pacemaker:resources:arp"),
        ([("pacemaker:locations:prefer-fs1:score", "+INFINITY")], "infinite-preference",
         "pacemaker:locations:prefer-fs1:score"),
        ([("pacemaker:locations:prefer-fs1:score", 1000000)], "infinite-preference",
         "pacemaker:locations:prefer-fs1:score"),
        ([(PREFER, 211)], "strong-preference", PREFER),
        ([(PREFER, 300), (f"{RULE}:0", {"score": -95, "expression": "#uname eq fs2"}),
          ("pacemaker:locations:x", {"resource": "VoiceServices", "node": "fs2", "score": 100})],
         "strong-preference", PREFER),
        ([(f"{RULE}:0", {"score": 400, "expression": "#uname eq fs2 and pingd gt 0"})],
         "strong-preference", f"{RULE}:0:score"),
        ([(PREFER, 60), ("pacemaker:rsc_defaults:resource-stickiness", 20)],
         "strong-preference", PREFER),
        ([(f"{RULE}:0:score", "inf")], "infinite-preference", f"{RULE}:0:score"),
        ([("pacemaker:locations:cli-ban-x", {"resource": "fs", "node": "fs1", "score": "-inf"})],
         "cli-id", "pacemaker:locations:cli-ban-x"),
        ([(RULE, [{"score": s, "expression": "defined a"} for s in (1, 2)])],
         "several-rules", RULE),
        ([("pacemaker:rsc_defaults", {})], "migration-threshold", "pacemaker:rsc_defaults"),
        ([("pacemaker:rsc_defaults:migration-threshold", 0)], "migration-threshold",
         "pacemaker:rsc_defaults"),
        ([("pacemaker:properties:stonith-enabled", False)], "no-fencing",
         "pacemaker:properties:stonith-enabled"),
        ([("pacemaker:resources:fence:agent", "lsb:fence")], "no-fence-device",
         "pacemaker:properties:stonith-enabled"),
        ([("pacemaker:resources:fence:meta", {"target-role": "Stopped"})], "no-fence-device",
         "pacemaker:properties:stonith-enabled"),
        ([("pacemaker:resources:fence:operations", [])], "no-fence-monitor",
         "pacemaker:resources:fence:operations"),
        ([("pacemaker:properties", {"fencing-enabled": "off", "no-quorum-policy": "ignore"})],
         "split-brain", "pacemaker:properties:no-quorum-policy"),
        ([(f"{IP}:operations", [])], "no-monitor", f"{IP}:operations"),
        ([(f"{IP}:operations:0:interval", 0)], "no-monitor", f"{IP}:operations"),
        ([(f"{IP}:operations:0", {"name": "monitor", "interval": "8s", "timeout": 2})],
         "monitor-times", f"{IP}:operations:0"),
        ([(f"{IP}:operations:0", {"name": "monitor", "interval": "1min"})], "monitor-times",
         f"{IP}:operations:0"),
        ([(f"{IP}:operations:0", {"name": "monitor", "interval": 1, "timeout": 1})],
         "monitor-times", f"{IP}:operations:0"),
        ([(f"{IP}:operations:0", {"name": "monitor", "interval": "1h", "timeout": "1h"})],
         "monitor-times", f"{IP}:operations:0"),
        ([("pacemaker:templates", {"t": {**TEMPLATE, "operations": RARE}}),
          (IP, {**FROM_TEMPLATE, "operations": [{**RARE[0], "interval": "31s"}]})],
         "monitor-times", f"{IP}:operations:0"),
        ([(f"{IP}:operations:0:role", "Stopped")], "no-monitor", f"{IP}:operations"),
        ([(f"{FS}:operations:1:timeout", "45s")], "agent-timeout", f"{FS}:operations"),
        ([("freeswitch:stop_timeout", 90)], "agent-timeout", f"{FS}:operations"),
        ([(FS, {**OURS, "operations": [*TIMES[:1], {"name": "start", "timeout": 5}, TIMES[2]]})],
         "agent-timeout", f"{FS}:operations"),
        ([(FS, {**OURS, "operations": TIMES[:2]})], "agent-timeout", f"{FS}:operations"),
        ([("pacemaker:templates", {"t": {**OURS, "operations": TIMES[:2]}}),
          (FS, {"template": "t"})], "agent-timeout", f"{FS}:operations"),
        ([("pacemaker:templates", {"t": OURS}),
          (FS, {"template": "t", "operations": [{**TIMES[1], "timeout": 5}]})],
         "agent-timeout", f"{FS}:operations"),
        ([("pacemaker:resources:switch", {**OURS, "agent": "ocf:fsha:FSSwitch", "params": {},
                                          "operations": [TIMES[0], TIMES[2]]})],
         "agent-timeout", "pacemaker:resources:switch:operations"),
        ([("network:nonlocal_bind", True)], "nonlocal-bind", "network:nonlocal_bind"),
        ([("pacemaker:properties:dc-version", "x")], "not-managed",
         "pacemaker:properties:dc-version"),
        ([("pacemaker:properties:expected-quorum-votes", 1)], "not-managed",
         "pacemaker:properties:expected-quorum-votes"),
        ([("lookup", {"lxml_package": "python3-lxml"})], "retired-key", "lookup:lxml_package"),
        ([("freeswitch:password", "ClueCon")], "published-password", "freeswitch:password"),
        # What a template says is said once, in the template.
        (template(params={"nic": "eth0:1"}), "nic-alias", "pacemaker:templates:t:params:nic"),
        (template(operations=[{"name": "monitor", "interval": "8s", "timeout": 2}]),
         "monitor-times", "pacemaker:templates:t:operations:0"),
        (template(operations=[]), "no-monitor", "pacemaker:resources:a:operations"),
        ([*template(), ("pacemaker:resources:arp", {**ARP, "params": FROM_TEMPLATE["params"]})],
         "send-arp", "pacemaker:resources:arp"),
        ([("pacemaker:templates", {"t": {"agent": "lsb:FSSofia", "operations": [
            {"name": "monitor", "interval": "5s"}, {"name": "stop", "timeout": "90s"}]}}),
          (FS, {"template": "t"})],
         "agent-timeout", f"{FS}:operations"),
        ([("pacemaker:op_defaults", {"timeout": "2s"})], "monitor-times",
         "pacemaker:resources:fence:operations:0"),
        ([("pacemaker:rsc_defaults:migration-threshold", 1000)], "migration-threshold",
         "pacemaker:rsc_defaults"),
        ([("pacemaker:templates", {"t": {**TEMPLATE, "meta": {"migration-threshold": "INFINITY"}}}),
          (IP, FROM_TEMPLATE)], "migration-threshold", "pacemaker:rsc_defaults"),
        ([("pacemaker:rsc_defaults", {}), (f"{FS}:operations:0:on-fail", "standby")],
         "migration-threshold", "pacemaker:rsc_defaults"),
        ([("pacemaker:clones:c", {"resource": "x"}), ("pacemaker:rsc_defaults", {}),
          ("pacemaker:resources:x", LSB), ("pacemaker:colocations:d", {
              "resource": "fs", "with": "c", "score": "INFINITY"}),
          ("pacemaker:groups:VoiceServices:meta", {"migration-threshold": 1})],
         "migration-threshold", "pacemaker:rsc_defaults"),
    ],
)  # fmt: skip
def test_one_advice(places, code, path):
    assert [(a.code, a.path) for a in advices(*places)] == [(code, f"fsha:{path}")]


@pytest.mark.parametrize(
    "places",
    [
        [("pacemaker:locations:prefer-fs1:score", "-INFINITY")],
        [(PREFER, 210)],
        [(FS, {**OURS, "operations": TIMES[:1]}), ("pacemaker:op_defaults", {"timeout": "90s"})],
        [("pacemaker:templates", {"t": {"agent": "lsb:FSSofia", "operations": [
            *TIMES[:2], {"name": "stop", "timeout": "300s"}]}}), (FS, {"template": "t"})],
        [(f"{IP}:operations:0", {"name": "monitor", "interval": "30s", "timeout": "20s"})],
        [("pacemaker:resources:fence:operations", RARE)],
        [(f"{FS}:operations", [{**RARE[0], "params": {"OCF_CHECK_LEVEL": 10}}, *TIMES])],
        [(PREFER, 5000), (f"{RULE}:0:score", 4990)],
        [(PREFER, "INFINITY"), (f"{RULE}:0:score", "INFINITY")],
        [(f"{RULE}:0", {"score": "INFINITY", "expression": "pingd gt 0"})],
        [("pacemaker:locations:f", {"resource": "fence", "node": "fs1", "score": "INFINITY"})],
        [("pacemaker:properties:symmetric-cluster", False), (PREFER, "INFINITY"),
         (f"{RULE}:0:score", "INFINITY")],
        [("pacemaker:rsc_defaults", {}), (f"{FS}:meta:migration-threshold", 3),
         ("pacemaker:groups:VoiceServices:meta", {"migration-threshold": 1})],
        [("freeswitch:init_script", False), (f"{FS}:operations:1:timeout", "10s")],
        [("pacemaker:properties", {"no-quorum-policy": "ignore"})],
        [("pacemaker:resources:fence:agent", "lsb:fence"),
         ("pacemaker:properties:fencing-watchdog-timeout", "10s"),
         ("pacemaker:properties:have-watchdog", True)],
        [("pacemaker:resources:arp", {**ARP, "params": {"ip": "10.101.21.9", "nic": "eth1"}})],
        [("network:nonlocal_bind", True), (f"{FS}:agent", "systemd:freeswitch")],
        template(),
        [("pacemaker:templates", {"t": FENCE}), ("pacemaker:resources:fence", {"template": "t"})],
        [("pacemaker:op_defaults", {"timeout": "100s"}), (f"{FS}:operations:1", {"name": "start"}),
         (f"{FS}:operations:2", GONE)],
        [("pacemaker:rsc_defaults", {}), ("pacemaker:resources:x", LSB),
         ("pacemaker:clones:c", {"resource": "VoiceServices", "meta": {"migration-threshold": 2}}),
         ("pacemaker:clones:d", {"resource": "x", "meta": {"migration-threshold": 2}})],
        [("pacemaker:rsc_defaults", {}), (f"{FS}:operations:0:on-fail", "standby"),
         (f"{IP}:operations:0:on-fail", "fence")],
        [("pacemaker:clones:c", {"resource": "x"}), ("pacemaker:rsc_defaults", {}),
         ("pacemaker:resources:x", LSB),
         ("pacemaker:groups:VoiceServices:meta", {"migration-threshold": 1})],
        [("pacemaker:resources:x", {"agent": "lsb:x", "operations": [{"id-ref": "y"}]})],
        [(f"{FS}:meta:target-role", "#default")],
    ],
)  # fmt: skip
def test_no_advice(places):
    assert advices(*places) == ()


def test_the_recommended_pair_lacks_only_fencing():
    assert [advice.code for advice in example("pillar.example")] == ["no-fencing"]


@pytest.mark.parametrize(
    ("places", "harmless"),
    [([], "100"), ([("pacemaker:rsc_defaults:resource-stickiness", 10)], "10"),
     ([(f"{RULE}:0", {"score": 190, "expression": "#uname eq fs1"})], "10"),
     ([("pacemaker:rsc_defaults:resource-stickiness", 0)], None)],
)  # fmt: skip
def test_what_a_preference_may_weigh(places, harmless):
    found = everything((PREFER, "INFINITY"), *places)
    (change,) = [a.change for a in found if a.code == "infinite-preference"]
    told = {"pacemaker": {"locations": {"prefer-fs1": {"score": harmless}}}}
    assert change == (told if harmless else {})


def test_a_threshold_by_rule_is_none_at_other_times():
    sets = [{"rule": "date spec hours=9-16", "values": {"migration-threshold": 1}}]
    found = everything(("pacemaker:rsc_defaults", sets))
    (advice,) = [advice for advice in found if advice.code == "migration-threshold"]
    assert advice.message == "there is no migration-threshold except by a rule for ip_shared, fs"


def test_only_what_is_too_short_is_given_more_time():
    stop = {"name": "stop", "timeout": "300s"}
    template = {"t": {"agent": "lsb:FSSofia", "operations": [TIMES[0], stop]}}
    found = everything(("pacemaker:templates", template), (FS, {"template": "t"}))
    (advice,) = [advice for advice in found if advice.code == "agent-timeout"]
    told = advice.change["pacemaker"]["resources"]["fs"]["operations"]
    assert told == [{"name": "start", "timeout": "60s"}]


def test_the_article():
    assert [advice.code for advice in example("examples/article.sls")] == [
        "split-brain", "infinite-preference", "cli-id", "migration-threshold", "no-monitor",
        "no-monitor", "agent-timeout", "agent-timeout", "nic-alias", "nic-alias", "send-arp",
        "nonlocal-bind", "not-managed", "stop-can-fail", "single-link", "transport-udpu",
    ]  # fmt: skip


def test_the_summary_says_each_reason_once_and_every_path():
    found = example("examples/article.sls")
    text = runner.summary(found)
    for advice in found:
        assert f"{advice.path}: {advice.message}." in text
        assert text.count(advice.reason) == 1
        assert text.count(advice.mend) >= 1


def test_no_password_in_the_advice():
    assert "ClueCon" not in runner.summary(advices(("freeswitch:password", "ClueCon")))


def test_everything_known_is_found_by_some_test():
    cases = test_one_advice.pytestmark[0].args[1]
    assert {case[1] for case in cases} == set(rules.KNOWN)
