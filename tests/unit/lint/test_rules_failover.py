"""Will it really fail over?"""

import pytest

from fshalib.lint import finding, fixes, obstacles, rules_failover, runner
from fshalib.lint import rules as lint_rules
from fshalib.pillar import config
from tests.unit.lint import test_rules as test_lint
from tests.unit.lint.test_rules import CLEAN, FS, IP, everything, example
from tests.unit.pillars import GONE, changed

PM = "pacemaker"
GROUP = f"{PM}:groups:VoiceServices:members"
MONITOR = {"name": "monitor", "interval": "5s", "timeout": "15s"}
DEEP = {"name": "monitor", "interval": "30s", "timeout": "30s", "params": {"OCF_CHECK_LEVEL": 10}}
OURS = {
    "agent": "ocf:fsha:FSSofia",
    "params": {"profiles": "internal"},
    "operations": [MONITOR, DEEP],
}
HOT = {**OURS, "params": {"profiles": "internal", "standby": "hot"}}
BIND = ("network:nonlocal_bind", True)
SWITCH = {"agent": "ocf:fsha:FSSwitch", "operations": [MONITOR]}
CLONE = [
    (f"{PM}:resources:switch", SWITCH),
    (f"{PM}:clones:all", {"resource": "switch", "meta": {"interleave": True}}),
    (f"{PM}:colocations:c", {"resource": "VoiceServices", "with": "all", "score": "INFINITY"}),
    (f"{PM}:orders:o", {"first": "all", "then": "VoiceServices"}),
]
TIED = {"resource": "fs", "with": "ip_shared", "score": "INFINITY"}
ORDER = {"first": "ip_shared", "then": "fs"}
ALONE = [(f"{PM}:groups", {}), (f"{PM}:locations", {})]
HELD = f"{PM}:rsc_defaults"
LINK = "corosync:links"


def one_link():
    raw = changed(*CLEAN, (LINK, [{}]))
    for node in raw["nodes"].values():
        node["addresses"] = node["addresses"][:1]
    return runner.lint(config.check(raw))


NEVER = f"{PM}:locations:never"
SYSTEMD = {"agent": "systemd:freeswitch", "operations": [MONITOR]}
CLOUD = [
    (f"{PM}:groups", {}),
    (f"{PM}:locations:prefer-fs1", GONE),
    (f"{PM}:locations:by-rule", GONE),
    (FS, SYSTEMD),
    (f"{PM}:clones:all", {"resource": "fs", "meta": {"interleave": True}}),
    (f"{PM}:colocations:c", {"resource": "ip_shared", "with": "all", "score": "INFINITY"}),
    (f"{PM}:orders:o", {"first": "all", "then": "ip_shared"}),
]
"""The switch as a clone, and nothing but an address that moves."""


def banned(resource, score="-INFINITY", expression=None):
    """Return the place of a constraint that keeps a resource off the second node."""
    if expression:
        rules = [{"score": score, "expression": expression}]
        return [(NEVER, {"resource": resource, "rules": rules})]
    return [(NEVER, {"resource": resource, "node": "fs2", "score": score})]


DB = [(f"{PM}:resources:db", {"agent": "ocf:heartbeat:anything", "operations": [MONITOR]})]


def pair(colocation, order=None):
    """Return the places of a pair that is in no group but held together by constraints."""
    told = [*ALONE, (f"{PM}:colocations:c", colocation)]
    return [*told, (f"{PM}:orders:o", order)] if order else told


def clone(*changes):
    return [*CLONE, *changes]


CASES = [
    ([(f"{PM}:properties:stonith-enabled", False)], "stop-can-fail", FS),
    ([("corosync:quorum", {"wait_for_all": False})], "wait-for-all",
     "corosync:quorum:wait_for_all"),
    ([("corosync:quorum", {"two_node": False})], "lost-quorum", "corosync:quorum:two_node"),
    ([("corosync:quorum", {"two_node": False, "auto_tie_breaker": True,
                           "auto_tie_breaker_node": "highest"})],
     "lost-quorum", "corosync:quorum:auto_tie_breaker"),
    ([(f"{PM}:properties", {"stonith-enabled": False, "no-quorum-policy": "ignore"}),
      ("corosync:quorum", {"two_node": False})], "split-brain",
     f"{PM}:properties:no-quorum-policy"),
    ([(f"{HELD}:failure-timeout", GONE)], "failure-timeout", f"{HELD}:failure-timeout"),
    ([(f"{HELD}:failure-timeout", "5s"), (f"{HELD}:migration-threshold", 3)], "failure-timeout",
     f"{HELD}:failure-timeout"),
    ([(f"{HELD}:failure-timeout", 0)], "failure-timeout", f"{HELD}:failure-timeout"),
    ([(GROUP, ["fs", "ip_shared"])], "vip-after-switch", GROUP),
    (ALONE, "not-together", FS),
    (pair({"resource": "fs", "with": "ip_shared"}, ORDER), "not-together", FS),
    (pair({**TIED, "score": "-INFINITY"}, ORDER), "not-together", FS),
    (pair({"sets": [{"resources": ["ip_shared", "fs"], "score": 0}], "score": "INFINITY"}, ORDER),
     "not-together", FS),
    (pair({**TIED, "lifetime": [{"expression": "date lt 2040-01-01"}]}, ORDER), "not-together", FS),
    ([*pair({**TIED, "with": "all"}, ORDER), *CLONE[:2], (f"{PM}:orders:q", {
        "first": "all", "then": "fs"}),
      (f"{PM}:colocations:d", {**TIED, "resource": "ip_shared", "with": "all"})],
     "not-together", FS),
    (pair(TIED), "vip-after-switch", FS),
    # What needs both ties them no further than it runs.
    ([*pair({**TIED, "resource": "db"}, ORDER), *DB,
      (f"{PM}:colocations:d", {**TIED, "resource": "db", "with": "fs"})], "not-together", FS),
    ([*pair({"sets": [{"resources": ["db"]}, {"resources": ["fs", "ip_shared"],
                                              "sequential": False}], "score": "INFINITY"}, ORDER),
      *DB], "not-together", FS),
    *(([*ALONE, (f"{FS}:agent", agent)], "not-together", FS)
      for agent in ("systemd:freeswitch.service", "service:freeswitch", "systemd:freeswitch@a")),
    ([("pacemaker:resources", {}), ("pacemaker:groups", {}), ("pacemaker:locations", {})],
     "no-service", "pacemaker:resources"),
    ([(f"{IP}:agent", "ocf:heartbeat:IPaddr"), (GROUP, ["fs", "ip_shared"])], "vip-after-switch",
     GROUP),
    ([*ALONE, (f"{FS}:agent", "systemd:voice"), ("freeswitch:service", "voice")], "not-together",
     FS),
    ([(f"{PM}:clones:c", {"resource": "VoiceServices"}), (f"{PM}:locations", {})], "cloned-vip",
     f"{PM}:clones:c"),
    ([*pair(TIED, ORDER), (f"{PM}:clones:cl", {"resource": "ip_shared"})], "cloned-vip",
     f"{PM}:clones:cl"),
    ([*pair(TIED, ORDER), (FS, OURS), (f"{PM}:clones:cl", {"resource": "fs"})], "cloned-vip",
     f"{PM}:clones:cl"),
    (pair(TIED, {"first": "fs", "then": "ip_shared"}), "vip-after-switch", FS),
    (pair(TIED, {**ORDER, "kind": "Optional"}), "vip-after-switch", FS),
    (pair(TIED, {**ORDER, "score": 0}), "vip-after-switch", FS),
    (pair(TIED, {"sets": [{"resources": ["ip_shared", "fs"]}], "kind": "Serialize"}),
     "vip-after-switch", FS),
    ([(f"{HELD}:resource-stickiness", 0)], "comes-back", f"{HELD}:resource-stickiness"),
    ([(f"{PM}:locations:never", {"resource": "VoiceServices", "node": "fs2", "score": "-inf"})],
     "only-one-node", f"{PM}:locations:never"),
    (banned("VoiceServices", expression="#uname ne fs1"), "only-one-node", NEVER),
    (banned("VoiceServices", expression="#uname eq fs2 or (#uname eq fs1 and pingd gt 0)"),
     "only-one-node", NEVER),
    (banned("VoiceServices", score="-100"), "only-one-node", NEVER),
    (banned("ip_shared"), "only-one-node", NEVER),
    (banned("fs", score="-1"), "only-one-node", NEVER),
    ([*banned("all"), *CLONE], "only-one-node", NEVER),
    ([*banned("them"), (f"{PM}:tags:them", {"references": ["fs", "prefer-fs1"]})],
     "only-one-node", NEVER),
    ([(NEVER, {"sets": [{"resources": ["ip_shared", "fs"]}], "node": "fs2", "score": "-INFINITY"})],
     "only-one-node", NEVER),
    ([(NEVER, {"rsc-pattern": "^Voice", "node": "fs2", "score": "-INFINITY"})],
     "only-one-node", NEVER),
    ([(NEVER, {"rsc-pattern": "!^other", "node": "fs2", "score": "-INFINITY"})],
     "only-one-node", NEVER),
    ([(NEVER, {"resource": "VoiceServices", "node": "fs1", "score": 0,
               "resource-discovery": "exclusive"})], "only-one-node",
     f"{NEVER}:resource-discovery"),
    ([*banned("ip_shared"), *CLOUD], "only-one-node", NEVER),
    ([(f"{PM}:properties:symmetric-cluster", False), (f"{PM}:locations:by-rule", GONE)],
     "only-one-node", f"{PM}:properties:symmetric-cluster"),
    ([(f"{FS}:meta", {"target-role": "Stopped"})], "held-by-pillar", FS),
    ([(f"{FS}:meta", {"is-managed": False})], "held-by-pillar", FS),
    ([(f"{PM}:groups:VoiceServices:meta", {"maintenance": True})], "held-by-pillar",
     f"{PM}:groups:VoiceServices"),
    ([(f"{IP}:meta", {"target-role": "Stopped"})], "held-by-pillar", IP),
    ([(f"{IP}:meta", {"is-managed": False})], "held-by-pillar", IP),
    ([(f"{HELD}:is-managed", False)], "held-by-pillar", f"{HELD}:is-managed"),
    ([(f"{FS}:meta", {"critical": False})], "held-by-pillar", FS),
    ([*CLONE, (f"{PM}:clones:all:meta:target-role", "Stopped")], "held-by-pillar",
     f"{PM}:clones:all"),
    ([(f"{PM}:templates:t", {"agent": "lsb:FSSofia", "meta": {"is-managed": False}}),
      (FS, {"template": "t"})], "held-by-pillar", f"{PM}:templates:t"),
    ([(f"{PM}:nodes", {"fs2": {"attributes": {"standby": "on"}}})], "held-by-pillar",
     f"{PM}:nodes:fs2"),
    ([(f"{PM}:nodes", {"fs1": {"attributes": {"maintenance": True, "site": "a"}}})],
     "held-by-pillar", f"{PM}:nodes:fs1"),
    ([(f"{PM}:properties:stop-all-resources", True)], "held-by-pillar",
     f"{PM}:properties:stop-all-resources"),
    ([(f"{PM}:properties:shutdown-lock", True)], "held-by-pillar",
     f"{PM}:properties:shutdown-lock"),
    ([*ALONE, (f"{PM}:colocations:c", {**TIED, "influence": False}), (f"{PM}:orders:o", ORDER)],
     "held-by-pillar", f"{PM}:colocations:c:influence"),
    ([(f"{PM}:properties:maintenance-mode", True)], "held-by-pillar",
     f"{PM}:properties:maintenance-mode"),
    ([(f"{IP}:operations", [{**MONITOR, "on-fail": "ignore"}])], "failure-ignored",
     f"{IP}:operations:0"),
    ([(f"{IP}:operations", [{**MONITOR, "enabled": False}])], "failure-ignored",
     f"{IP}:operations:0"),
    ([(f"{FS}:operations:0:on-fail", "block")], "failure-ignored", f"{FS}:operations:0"),
    ([(f"{FS}:operations:0:on-fail", "stop")], "failure-ignored", f"{FS}:operations:0"),
    ([(f"{FS}:operations:1:on-fail", "ignore")], "failure-ignored", f"{FS}:operations:1"),
    ([(f"{FS}:operations:2:on-fail", "ignore")], "failure-ignored", f"{FS}:operations:2"),
    ([(f"{PM}:op_defaults", {"on-fail": "ignore"})], "failure-ignored",
     f"{PM}:op_defaults:on-fail"),
    ([(f"{PM}:op_defaults", {"enabled": False})], "failure-ignored", f"{PM}:op_defaults:enabled"),
    ([(FS, {**OURS, "operations": [{"name": "monitor", "interval": "5s"}, DEEP]}),
      (f"{PM}:op_defaults", {"timeout": "3s"})], "short-monitor", f"{FS}:operations:0"),
    ([("corosync:totem", {"token": 20000})], "token", "corosync:totem:token"),
    ([("corosync:totem", {"token": 500})], "token", "corosync:totem:token"),
    ([(FS, {**OURS, "operations": [MONITOR]})], "no-deep-check", f"{FS}:operations"),
    ([(FS, {**OURS, "operations": [{**MONITOR, "timeout": "6s"}, DEEP]})], "short-monitor",
     f"{FS}:operations:0"),
    ([(FS, HOT), BIND, ("freeswitch:configuration", {"switchname": "voice"})], "hot-flag",
     f"{FS}:params:standby"),
    (clone((f"{PM}:resources:switch", {**SWITCH, "agent": "systemd:freeswitch"})),
     "switch-by-systemd", f"{PM}:resources:switch"),
    (clone((f"{PM}:orders:o", GONE)), "switch-apart", f"{PM}:clones:all"),
    (clone((f"{PM}:colocations:c", GONE)), "switch-apart", f"{PM}:clones:all"),
    (clone((f"{PM}:colocations:c:score", 0)), "switch-apart", f"{PM}:clones:all"),
    (clone((f"{PM}:colocations:c:score", "-INFINITY")), "switch-apart", f"{PM}:clones:all"),
    (clone((f"{PM}:orders:o:kind", "Optional")), "switch-apart", f"{PM}:clones:all"),
    (clone((f"{PM}:orders:o", {"first": "VoiceServices", "then": "all"})), "switch-apart",
     f"{PM}:clones:all"),
    ([*CLOUD, (f"{PM}:colocations:c", GONE)], "switch-apart", f"{PM}:clones:all"),
    (clone((f"{PM}:clones:all", {"resource": "switch"})), "switch-not-interleaved",
     f"{PM}:clones:all"),
]  # fmt: skip


@pytest.mark.parametrize(("places", "code", "path"), CASES)
def test_what_keeps_it_from_failing_over(places, code, path):
    assert (code, f"fsha:{path}") in [(advice.code, advice.path) for advice in everything(*places)]


TEMPLATE = f"{PM}:templates:t"
SETS = {**DEEP, "params": [{"values": {"OCF_CHECK_LEVEL": 10}}]}
ADDRESS = {"agent": "ocf:heartbeat:IPaddr2", "params": {"nic": "eth0"}}
MADE = {"template": "t", "params": {"ip": "10.101.20.219"}}
START = {"name": "start", "timeout": "60s"}
STARTS = [(IP, {**MADE, "operations": [START, MONITOR]})]


@pytest.mark.parametrize(
    ("places", "code", "path"),
    [
        ([(TEMPLATE, {**ADDRESS, "operations": [{**MONITOR, "on-fail": "ignore"}]}), (IP, MADE)],
         "failure-ignored", f"{TEMPLATE}:operations:0"),
        ([(TEMPLATE, {**ADDRESS, "operations": [{**MONITOR, "interval": 9, "enabled": False}]}),
          *STARTS], "failure-ignored", f"{TEMPLATE}:operations:0"),
        ([(TEMPLATE, {**OURS, "operations": [{**MONITOR, "timeout": 5}, DEEP]}),
          (FS, {"template": "t"})], "short-monitor", f"{TEMPLATE}:operations:0"),
        ([(TEMPLATE, {**OURS, "operations": [DEEP]}),
          (FS, {"template": "t", "operations": [{**MONITOR, "timeout": 5}]})],
         "short-monitor", f"{FS}:operations:0"),
    ],
)  # fmt: skip
def test_an_operation_is_told_where_it_is_written(places, code, path):
    (advice,) = [a for a in everything(*places) if a.code == code]
    assert (advice.path, bool(advice.change)) == (f"fsha:{path}", True)


def test_the_level_of_a_check_may_stand_in_sets():
    found = everything((FS, {**OURS, "operations": [MONITOR, SETS]}))
    assert "no-deep-check" not in [advice.code for advice in found]


def test_a_mend_that_fails_leaves_the_words(monkeypatch):
    def fails(_config, _keys):
        raise IndexError

    monkeypatch.setattr(fixes, "MENDS", {"no-fencing": fails})
    (advice,) = [
        a for a in everything((f"{PM}:properties:stonith-enabled", False)) if a.code == "no-fencing"
    ]
    assert (advice.change, advice.remove) == ({}, ())


@pytest.mark.parametrize(
    "places",
    [
        [(f"{FS}:agent", "systemd:freeswitch")],
        [(f"{FS}:agent", "lsb:freeswitch")],
        [BIND],
        [(f"{PM}:resources:fs2", {**OURS, "params": {"profiles": "other"}})],
        [(f"{PM}:templates:t", {"agent": "lsb:FSSofia"}), (FS, {"template": "t"})],
    ],
)
def test_an_agent_is_replaced_only_where_ours_does_the_same(places):
    found = everything((f"{PM}:properties:stonith-enabled", False), *places)
    (advice,) = [advice for advice in found if advice.code == "stop-can-fail"]
    assert (advice.change, advice.remove) == ({}, ())


def test_a_cloned_address_is_not_told_to_be_apart():
    tied = [(f"{PM}:colocations:d", {**TIED, "with": "c"})]
    found = everything(*ALONE, (f"{PM}:clones:c", {"resource": "ip_shared"}), *tied)
    codes = [advice.code for advice in found]
    assert ("cloned-vip" in codes, "not-together" in codes) == (True, False)
    # The clone can't go while a constraint names it.
    assert [advice.change for advice in found if advice.code == "cloned-vip"] == [{}]


def test_what_the_switchs_owner_has_to_see_to():
    (advice,) = [a for a in everything((FS, HOT), BIND) if a.code == "hot-flag"]
    assert (advice.change, advice.remove) == ({}, ())


def test_a_single_link():
    assert [advice.code for advice in one_link()] == ["single-link"]


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        (["10.101.20.{}/24"], ["single-link"]),
        (["10.101.20.{}/24", "10.101.21.{}/24"], []),
        (["10.101.20.{}/24", "10.101.20.1{}/24"], ["single-link"]),
    ],
)
def test_links_are_what_the_nodes_have_addresses_for(addresses, found):
    raw = changed(*test_lint.CLEAN, (LINK, []))
    for number, node in enumerate(raw["nodes"].values(), start=10):
        node["addresses"] = [text.format(number) for text in addresses]
        node.pop("interfaces", None)
    assert [advice.code for advice in runner.lint(config.check(raw))] == found


THIRD = {"addresses": ["10.101.20.111/24", "10.101.21.111/24"]}


@pytest.mark.parametrize(
    "places",
    [
        CLONE,
        [(FS, OURS)],
        pair(TIED, ORDER),
        pair({**TIED, "resource": "ip_shared", "with": "fs"}, {**ORDER, "score": 5}),
        pair({"sets": [{"resources": ["ip_shared", "fs"], "score": "INFINITY"}]},
             {"sets": [{"resources": ["ip_shared", "fs"]}]}),
        pair({"sets": [{"resources": ["fs"]}, {"resources": ["ip_shared"]}], "score": "inf"},
             {"sets": [{"resources": ["ip_shared"]}, {"resources": ["fs"]}], "kind": "Mandatory"}),
        [*pair({**TIED, "with": "db"}, ORDER), *DB,
         (f"{PM}:colocations:d", {**TIED, "resource": "ip_shared", "with": "db"})],
        [*pair({**TIED, "with": "db"}, {"first": "db", "then": "fs"}), *DB,
         (f"{PM}:colocations:d", {**TIED, "resource": "db"}),
         (f"{PM}:orders:p", {"first": "ip_shared", "then": "db"})],
        [("corosync:totem", {"token": 3000})],
        [("corosync:quorum", {"wait_for_all": True})],
        [(f"{FS}:meta", {"target-role": "Started", "maintenance": False})],
        [(f"{PM}:locations:l", {"resource": "VoiceServices", "node": "fs1", "score": "-5"})],
        # What a rule says of more than the node's name may hold, or not.
        banned("VoiceServices", expression="#uname eq fs2 and pingd lt 1"),
        banned("VoiceServices", expression="not_defined pingd"),
        # Pacemaker looks for patterns at what nothing contains, and for exclusive nodes as well.
        [(NEVER, {"rsc-pattern": "^ip_", "node": "fs2", "score": "-INFINITY"})],
        [(NEVER, {"resource": "fs", "node": "fs1", "score": 0, "resource-discovery": "exclusive"})],
        [(NEVER, {"resource": "VoiceServices", "node": "fs2", "score": "-INFINITY",
                  "lifetime": [{"expression": "date lt 2020-01-01"}]})],
        [*banned("other"), (f"{PM}:resources:other", {**OURS, "agent": "ocf:heartbeat:anything"}),
         (f"{PM}:colocations:c", {"resource": "other", "with": "fs", "score": "INFINITY"})],
        [*banned("VoiceServices"), ("nodes:fs3", THIRD), ("corosync:quorum", {})],
        [(f"{PM}:properties:symmetric-cluster", False)],
        [(f"{FS}:operations:0:on-fail", "standby"), (f"{FS}:operations:1:on-fail", "restart"),
         (f"{FS}:operations:2:on-fail", "block")],
        [("pacemaker:resources:fence:operations:0:on-fail", "ignore")],
        [(f"{PM}:groups:VoiceServices:meta", {"target-role": "Stopped"}),
         (f"{FS}:meta", {"target-role": "Started"}), (f"{IP}:meta", {"target-role": "Started"})],
        [("nodes:fs3", THIRD), ("corosync:quorum", {}),
         (f"{PM}:nodes", {"fs2": {"attributes": {"standby": "on"}}})],
        [(f"{IP}:meta", {"critical": False})],
        [("corosync:quorum", {"two_node": True})],
        [*ALONE, (f"{PM}:clones:c", {"resource": "ip_shared", "meta": {"clone-max": 1}}),
         (f"{PM}:colocations:c1", {**TIED, "with": "c"}),
         (f"{PM}:orders:o", {"first": "c", "then": "fs"})],
        [("nodes:fs3", THIRD), ("corosync:quorum", {"auto_tie_breaker": True})],
    ],
)  # fmt: skip
def test_nothing_to_say(places):
    found = [advice.code for advice in everything(*places)]
    assert [code for code in found if code in rules_failover.KNOWN] == []


def test_everything_known_is_found_by_some_test():
    found = {code for _, code, _ in CASES} - set(lint_rules.KNOWN) - set(obstacles.KNOWN)
    assert found | {"single-link"} == set(rules_failover.KNOWN)


def test_the_verdict_is_the_last_line_and_the_worst_stands_first():
    found = example("examples/article.sls")
    page = runner.page(found)
    assert page.startswith("ERROR  fsha:")
    assert page.splitlines()[-1].startswith("It will NOT fail over as it should: ")
    good = runner.page(example("examples/keeps_calls.sls"))
    assert good.splitlines()[-1] == "It will fail over; 1 warning."
    assert runner.page(()) == "It will fail over; no findings."
    assert {a["severity"] for a in runner.as_data(found)} <= set(finding.SEVERITIES)


def test_every_example_is_judged():
    for name in ("pillar.example", "examples/article.sls", "examples/keeps_calls.sls"):
        assert runner.page(example(name))
