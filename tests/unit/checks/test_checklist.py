"""The checklist: every line, when it passes and when it does not."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from lxml import etree

from fshalib.checks import checklist, checks_cluster, collect, node_facts
from fshalib.checks.line import FAIL, PASS, SKIP, WARN
from fshalib.pacemaker import simulate
from fshalib.pacemaker import status as pacemaker_status
from fshalib.switchover import operator_action
from fshalib.switchover.arp import ArpFinding
from fshalib.switchover.dangers import Danger
from fshalib.switchover.service import Service
from fshalib.system import icmp

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=timezone.utc)
CIB = """<cib><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">{}
</cluster_property_set></crm_config><nodes><node id="1" uname="fs1"/><node id="2" uname="fs2"/>
</nodes><resources><group id="voice"><primitive id="vip" class="ocf" provider="heartbeat"
type="IPaddr2"/><primitive id="fs" class="ocf" provider="fsha" type="FSSofia"/></group>{}
</resources><constraints/></configuration><status/></cib>"""


def cib(properties="", resources=""):
    return etree.fromstring(CIB.format(properties, resources))


def node(name, **state):
    flags = {"standby": False, "maintenance": False, "pending": False, "unclean": False}
    return pacemaker_status.NodeStatus(
        name, **{"online": True, "dc": name == "fs1", **flags, **state}
    )


def resource(id, *nodes, **more):
    agent = "ocf:fsha:FSSofia" if id == "fs" else "ocf:heartbeat:IPaddr2"
    role = "Started" if nodes else "Stopped"
    return pacemaker_status.Resource(id, agent, role, nodes, "voice", **more)


STATUS = pacemaker_status.Status(
    "fs1", True, (node("fs1"), node("fs2")), (resource("vip", "fs1"), resource("fs", "fs1"))
)
STILL = simulate.Transition(actions=(), before={}, placement={})
MOVED = replace(STILL, placement={"vip": ("fs2",), "fs": ("fs2",)})
SWITCH = {
    "running": True, "ready": True, "paused": False, "version": "FreeSWITCH 1.11", "uptime": 4000,
    "core": "c", "switchname": "voice", "answers": True, "profiles": ["internal"], "serves": [],
    "gateways": {}, "config": {"sip_profiles": "a", "other": "b"},
}  # fmt: skip
FACTS = {
    "node": "fs1", "at": "2026-09-01T11:59:00Z", "switch": SWITCH, "agents": "a",
    "nonlocal_bind": "0", "disks": {"/var/log": 50}, "locked": "", "synchronised": True,
}  # fmt: skip
LINKS = tuple({"node": "fs2", "number": n, "connected": True} for n in (0, 1))
VIEW = collect.View(
    status=STATUS,
    root=cib(
        '<nvpair id="s" name="stonith-enabled" value="true"/>',
        '<primitive id="fence" class="stonith" type="fence_x"/>',
    ),
    service=Service("voice", ("vip", "fs"), ("192.0.2.9",), sofia=("fs",), keeps=True),
    me="fs1",
    now=NOW,
    links=LINKS,
    pending=STILL,
    after=MOVED,
    facts={"fs1": FACTS, "fs2": FACTS},
    arp_findings=(),
    last_drill="2026-08-20T10:00:00Z",
)
FENCED = replace(
    STATUS,
    resources=(
        *STATUS.resources,
        pacemaker_status.Resource("fence", "stonith:fence_x", "Started", ("fs2",)),
    ),
)
GOOD = replace(VIEW, status=FENCED)


def facts(**more):
    return {**FACTS, **more}


def switch(**more):
    return facts(switch={**SWITCH, **more})


def line(view, name):
    (found,) = [one for one in checklist.lines(view) if one.name == name and one.verdict != PASS]
    return found


def test_a_pair_that_is_ready():
    found = checklist.lines(GOOD)
    assert [(one.name, one.evidence) for one in found if one.verdict != PASS] == []
    assert checklist.verdict(found) == PASS
    assert checklist.summary(found) == f"OK: {len(found)} checks, 0 fail, 0 warn"
    assert checklist.obstacles(found) == ()
    assert len(found) >= 20


def status(**more):
    return replace(GOOD, status=replace(FENCED, **more))


def with_facts(node, found):
    return replace(GOOD, facts={**GOOD.facts, node: found})


def database(**more):
    recovery = {"seconds": 0.01, "writable": True, "rows": {}, **more}
    return with_facts("fs1", facts(recovery=recovery))


def clock(answer):
    return replace(GOOD, clocks={"fs2": answer})


def arp(kind, text):
    return replace(GOOD, arp_findings=(ArpFinding(kind, text),))


def danger(kind):
    return replace(GOOD, dangers=(Danger(kind, "fs2", "what threatens", "what to do"),))


WATCHDOG = '<nvpair id="w" name="stonith-watchdog-timeout" value="10s"/>'
FENCING = pacemaker_status.FenceEvent("fs2", "off", "failed", "noon", "no answer")
AWAY = (node("fs1"), node("fs2", online=False))
HELD = pacemaker_status.FailCount("fs", "fs2", "1")
OPERATORS = {
    "maintenance-mode": cib('<nvpair id="m" name="maintenance-mode" value="true"/>'),
    "standby": etree.fromstring(etree.tostring(cib()).replace(
        b'<node id="2" uname="fs2"/>',
        b'<node id="2" uname="fs2"><instance_attributes id="a"><nvpair id="b" name="standby" '
        b'value="on"/></instance_attributes></node>')),
}  # fmt: skip


@pytest.mark.parametrize(
    ("view", "name", "verdict", "blocks", "evidence"),
    [
        (status(nodes=AWAY), "membership", FAIL, True, "fs2 is OFFLINE"),
        (status(nodes=(node("fs1"),)), "membership", FAIL, True, "the cluster has one node"),
        (status(quorate=False), "quorum", FAIL, True, "there is no quorum"),
        (replace(GOOD, links=None), "rings", WARN, False, "can't be read"),
        (replace(GOOD, links=({**LINKS[0], "connected": False}, LINKS[1])), "rings", WARN, False,
         "not connected: link 0 to fs2"),
        (with_facts("fs2", facts(links_down=["link 1 to fs1"])), "rings", WARN, False,
         "not connected: link 1 to fs1"),
        (replace(GOOD, pending=replace(STILL, actions=("stop fs",))), "settled", WARN, False,
         "the cluster is about to: stop fs"),
        (status(fail_counts=(HELD,)), "failures", FAIL, True, "fs has failed there"),
        (status(fail_counts=(replace(HELD, node="fs1"),)), "failures", WARN, False, "fs has"),
        (replace(GOOD, root=OPERATORS["maintenance-mode"]), "leftovers", FAIL, True, "neither"),
        (replace(GOOD, root=OPERATORS["standby"]), "leftovers", WARN, False, "in standby"),
        (replace(GOOD, operations=("failover by bob",)), "operations", WARN, False, "bob"),
        (replace(GOOD, root=cib()), "fencing", WARN, False, "there is no fencing"),
        (VIEW, "fencing", FAIL, False, "not started: fence"),
        (status(resources=(*FENCED.resources, resource("x", "fs1", "fs2"))), "twice", FAIL, True,
         "x runs on fs1 and fs2"),
        (replace(GOOD, service=None), "service", FAIL, True, "no voice service"),
        (status(resources=(resource("vip", "fs1"), resource("fs"), FENCED.resources[-1])),
         "service", FAIL, True, "does not serve: fs is Stopped"),
        (replace(GOOD, after=STILL), "failover", FAIL, True, "would not start it elsewhere"),
        (arp("second", "another host answers"), "vip", FAIL, True, "another host"),
        (danger("split"), "holders", FAIL, True, "what threatens"),
        (danger("serves"), "holders", FAIL, True, "what threatens"),
        (danger("left"), "holders", FAIL, True, "what threatens"),
        (danger("lost"), "holders", WARN, False, "what threatens"),
        (arp("silent", "nobody answers"), "vip", FAIL, False, "nobody answers"),
        (arp("missing", "is not on this node"), "vip", FAIL, False, "is not on this node"),
        (arp("cut off", "eth0 has no link"), "vip", FAIL, True, "eth0 has no link"),
        (replace(GOOD, arp_findings=None), "vip", SKIP, False, "can't be asked"),
        (with_facts("fs2", None), "facts", WARN, False, "nothing is known"),
        (with_facts("fs2", facts(at="2026-09-01T10:00:00Z")), "facts", WARN, False, "120 minutes"),
        (with_facts("fs2", facts(switch={"running": False, "why": "it is down"})), "switch", FAIL,
         True, "it is down"),
        (with_facts("fs1", facts(switch={"running": False, "why": "it is down"})), "switch", FAIL,
         False, "it is down"),
        (with_facts("fs2", switch(ready=False)), "switch", WARN, False, "not ready"),
        (with_facts("fs2", switch(paused=True)), "switch", WARN, False, "refuses new calls"),
        (with_facts("fs2", switch(uptime=3)), "switch", WARN, False, "3 s ago"),
        (with_facts("fs2", switch(version="1.10")), "version", WARN, False, "1.10 on fs2"),
        (with_facts("fs2", switch(switchname="other")), "switchname", WARN, False, "other on fs2"),
        (with_facts("fs2", switch(config={"sip_profiles": "x", "other": "b"})), "config", WARN,
         False, "different in sip_profiles"),
        (with_facts("fs2", switch(answers=False)), "rows", FAIL, True, "no answer from it"),
        (database(why="connection refused"), "database", FAIL, True, "connection refused"),
        (database(writable=False), "database", FAIL, True, "can't be written to"),
        (database(seconds=2.5), "database", WARN, False, "answers in 2.5 s"),
        (database(rows={"c": 1, "gone": 4}), "ghosts", WARN, False, "4 belong to a switch"),
        (with_facts("fs2", facts(agents="other")), "agents", FAIL, False, "other on fs2"),
        (with_facts("fs2", facts(nonlocal_bind="1")), "nonlocal_bind", FAIL, False, "1 on fs2"),
        (with_facts("fs1", switch(gateways={"g": "FAIL_WAIT", "ok": "REGED"})), "gateways", WARN,
         False, "not registered: g (FAIL_WAIT)"),
        (with_facts("fs2", facts(disks={"/var/log": 8})), "disk", WARN, False, "8 % of /var/log"),
        (with_facts("fs2", facts(disks={"/var/log": 1})), "disk", FAIL, False, "1 % of /var/log"),
        (with_facts("fs2", facts(locked="/var/lib/dpkg/lock")), "packages", WARN, False, "dpkg"),
        (with_facts("fs2", facts(state_run="state.apply")), "state-run", WARN, False, "apply"),
        (replace(with_facts("fs2", facts(sbd=False)), root=cib(WATCHDOG)), "sbd", FAIL, False,
         "sbd does not run: Pacemaker will not start here again"),
        (with_facts("fs2", facts(unread_arguments=["job_kwargs of keep (state.apply)"])),
         "schedule-arguments", WARN, False, "job_kwargs of keep"),
        (with_facts("fs2", facts(queued_jobs=["keep (state.apply)"])), "schedule", WARN, False,
         "queue is true for keep (state.apply): if such a job meets another"),
        (clock(icmp.ClockAnswer(-3.2, 0.001)), "offset", WARN, False, "3.2 s behind that of"),
        (clock(icmp.ClockAnswer(0.2, 0.01)), "offset", WARN, False, "0.2 s ahead of that of"),
        (clock(None), "offset", SKIP, False, "can't be compared"),
        (status(fenced=(FENCING,)), "fence-history", WARN, False, "off has failed at noon: no"),
        (status(fenced=(replace(FENCING, outcome="pending"),)), "fence-history", FAIL, True,
         "off is running"),
        (with_facts("fs2", facts(routers={"192.0.2.1": False})), "router", FAIL, True,
         "192.0.2.1 DOES NOT"),
        (with_facts("fs1", facts(routers={"192.0.2.1": False})), "router", FAIL, False,
         "192.0.2.1 DOES NOT"),
        (with_facts("fs1", facts(routers={"fe80::1": None})), "router", SKIP, False, "by ARP"),
        (with_facts("fs2", switch(certificates={"agent.pem": 5})), "certificate", WARN, False,
         "agent.pem expires in 5 days"),
        (with_facts("fs2", switch(certificates={"agent.pem": -2})), "certificate", FAIL, False,
         "agent.pem expired 2 days ago"),
        (with_facts("fs2", switch(certificates={"agent.pem": None})), "certificate", WARN, False,
         "can't be read"),
        (database(copies={"db2": 60.0}), "database-copy", WARN, False, "db2 is 60 s behind"),
        (with_facts("fs2", facts(synchronised=False)), "clock", WARN, False, "NTP"),
        (with_facts("fs2", facts(at="2026-09-01T12:00:30Z")), "clock", WARN, False, "30 s ahead"),
        (replace(GOOD, last_drill=""), "drill", WARN, False, "none is recorded"),
        (replace(GOOD, last_drill="2026-01-20T10:00:00Z"), "drill", WARN, False, "224 days ago"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(view, name, verdict, blocks, evidence):
    found = line(view, name)
    assert (found.verdict, found.blocks) == (verdict, blocks)
    assert evidence in found.evidence
    if verdict in (WARN, FAIL):
        assert found.advice or name in ("operations", "service", "switch", "certificate")
    assert bool(checklist.obstacles([found])) == blocks


def test_an_address_that_nobody_answers_for_is_a_reason_to_switch_over():
    """Only a second holder is to be looked for; where nobody answers, the service has to go."""
    silent, second = (line(arp(kind, "x"), "vip").advice for kind in ("silent", "second"))
    assert "fsha.failover moves the service" in silent
    assert "then look at the network of fs1" in silent
    assert "salt-call --local fsha.failover" in silent
    assert "second one" not in silent
    assert "find the second one" in second


def test_what_is_in_order_is_told_too():
    view = replace(
        GOOD,
        status=replace(GOOD.status, fenced=(replace(FENCING, outcome="success"), FENCING)),
        clocks={"fs2": icmp.ClockAnswer(0.051, 0.002)},
        facts={
            "fs1": facts(
                routers={"192.0.2.1": True},
                recovery={"seconds": 0.01, "writable": True, "rows": {}, "copies": {"db2": 0.2}},
            ),
            "fs2": switch(certificates={"agent.pem": 100}),
        },
    )
    told = {one.name: one for one in checklist.lines(view)}
    names = ("fence-history", "offset", "router", "certificate", "database-copy")
    assert {told[name].verdict for name in names} == {PASS}
    # The history has the latest event first: what failed before it is mended.
    assert "the last one of each node succeeded" in told["fence-history"].evidence


def with_profiles(view, names="internal", standby=""):
    """Return a view whose agent has these profiles."""
    root = cib()
    pairs = f'<nvpair id="p" name="profiles" value="{names}"/>'
    pairs += f'<nvpair id="q" name="standby" value="{standby}"/>' if standby else ""
    root.find(".//primitive[@id='fs']").append(
        etree.fromstring(f'<instance_attributes id="fs-i">{pairs}</instance_attributes>')
    )
    root.find("status").append(etree.fromstring(
        '<node_state id="1" uname="fs1"><lrm><lrm_resources><lrm_resource id="fs"><lrm_rsc_op '
        f'id="fs_start_0" operation="start" rc-code="0" last-rc-change="{STARTED_AT}" '
        'exec-time="0"/></lrm_resource></lrm_resources></lrm></node_state>'))  # fmt: skip
    return replace(view, root=root)


STARTED_AT = int((NOW - timedelta(minutes=10)).timestamp())


def strays(view):
    """Return the verdicts on profiles that run where they should not, node → verdict."""
    return {one.node: one.verdict for one in checklist.lines(view) if one.name == "stray"}


def test_a_profile_that_runs_on_a_cold_standby_is_told():
    view = with_profiles(GOOD)
    assert strays(view) == {"fs2": WARN}
    found = line(view, "stray")
    assert found.evidence == "internal runs here, where the cluster has not started it"
    assert "sofia profile internal stop" in found.advice
    assert found.blocks is False
    assert strays(with_profiles(GOOD, standby="cold")) == {"fs2": WARN}


def test_after_a_failed_start_on_both_nodes_both_are_told():
    nowhere = replace(FENCED, resources=(resource("vip"), resource("fs"), FENCED.resources[-1]))
    assert strays(with_profiles(replace(GOOD, status=nowhere))) == {"fs1": WARN, "fs2": WARN}


@pytest.mark.parametrize(
    "view",
    [
        with_profiles(with_facts("fs2", switch(profiles=[]))),
        with_profiles(with_facts("fs2", switch(profiles=["external"]))),
        with_profiles(with_facts("fs2", None)),
        # It was noted before the service left that node.
        with_profiles(with_facts("fs2", facts(at="2026-09-01T11:45:00Z"))),
    ],
    ids=["stopped", "another one", "not known", "older than the move"],
)
def test_profiles_that_run_only_where_they_serve_are_in_order(view):
    assert strays(view) == {"": PASS}


def test_a_hot_standby_has_its_profiles_running():
    assert strays(with_profiles(GOOD, standby="hot")) == {}


def test_the_init_scripts_profiles_are_those_that_it_has_started():
    root = cib()
    script = root.find(".//primitive[@id='fs']")
    script.set("class", "lsb")
    script.attrib.pop("provider", None)
    served = {"fs1": switch(serves=["internal"]), "fs2": switch()}
    assert strays(replace(GOOD, root=root, facts=served)) == {"fs2": WARN}


def test_what_was_to_have_ended_fails():
    remark = '{"by":"al","reason":"disk","since":"2026-09-01T08:00:00Z","until":"%s"}'
    for until, verdict in (("2026-09-01T11:00:00Z", FAIL), ("2026-09-01T13:00:00Z", WARN)):
        root = cib()
        root.find("configuration/nodes/node[@uname='fs2']").append(etree.fromstring(
            '<instance_attributes id="a"><nvpair id="b" name="standby" value="on"/>'
            '<nvpair id="c" name="fsha-standby" value=""/></instance_attributes>'))  # fmt: skip
        root.find(".//nvpair[@name='fsha-standby']").set("value", remark % until)
        found = line(replace(GOOD, root=root), "leftovers")
        assert found.verdict == verdict
        assert "by al: disk" in found.evidence
        assert found.advice.endswith(": salt-call fsha.online fs2")


def test_the_page_and_the_summary():
    found = checklist.lines(status(quorate=False))
    page = checklist.as_text(found)
    assert "FAIL  Quorum: there is no quorum" in page
    assert "      -> see corosync-quorumtool" in page
    assert checklist.summary(found).startswith("FAIL: ")
    assert "(Quorum: there is no quorum)" in checklist.summary(found)
    weak = checklist.lines(replace(GOOD, last_drill=""))
    assert checklist.summary(weak).startswith("WARN: ")
    assert [one["name"] for one in checklist.as_data(found)[:2]] == ["holders", "service"]


def test_every_action_is_known_to_the_checklist():
    assert set(operator_action.ACTIONS) >= checks_cluster._IN_THE_WAY


# --- facts -----------------------------------------------------------------------------------


def test_facts_survive_the_attribute():
    assert node_facts.parse(node_facts.render(FACTS)) == FACTS
    for text in ("", "[]", "{}", '{"switch":1}', "soon"):
        assert node_facts.parse(text) is None


@pytest.mark.parametrize(("text", "expected"), [("0\n", False), ("1\n", True), ("x", None)])
def test_nonlocal_bind(tmp_path, text, expected):
    (tmp_path / "value").write_text(text, encoding="utf-8")
    assert node_facts.nonlocal_bind(tmp_path / "value") is expected
    assert node_facts.nonlocal_bind(tmp_path / "none") is None


def test_a_lock_that_is_held(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("", encoding="utf-8")
    table = tmp_path / "locks"
    table.write_text(
        f"1: POSIX ADVISORY WRITE 42 fd:01:{lock.stat().st_ino} 0 EOF\n", encoding="utf-8"
    )
    assert node_facts.locked(table, [tmp_path / "none", lock]) == str(lock)
    table.write_text("1: POSIX ADVISORY WRITE 42 fd:01:999999999 0 EOF\n", encoding="utf-8")
    assert node_facts.locked(table, [lock]) == ""
    assert node_facts.locked(tmp_path / "none", [lock]) == ""


def test_agents_are_compared_by_content_and_name(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_text("1", encoding="utf-8")
    first = node_facts.agents_hash([tmp_path / "a", tmp_path / "none"])
    assert first == node_facts.agents_hash([tmp_path / "a"])
    (tmp_path / "a" / "one").write_text("2", encoding="utf-8")
    assert node_facts.agents_hash([tmp_path / "a"]) != first
    assert node_facts.agents_hash([tmp_path / "none"]) == ""


def test_age_of_facts_is_not_negative():
    found = checklist.lines(
        with_facts("fs2", facts(at=(NOW + timedelta(minutes=5)).strftime(node_facts.FORM)))
    )
    assert {one.evidence for one in found if one.name == "facts"} == {
        "0 minutes old",
        "1 minutes old",
    }


def test_what_stands_in_the_way_is_told_with_its_node():
    down = {"running": False, "why": "it does not answer: it is down"}
    found = checklist.lines(with_facts("fs2", {**facts(), "node": "fs2", "switch": down}))
    (said,) = checklist.obstacles(found)
    assert said.startswith("switch on fs2: it does not answer: it is down; start it")
    assert "(Switch on fs2: it does not answer" in checklist.summary(found)


def long_ago(**more):
    return facts(at="2026-09-01T10:00:00Z", **more)


def test_what_was_told_long_ago_is_not_said_to_be_so_now():
    view = with_facts("fs2", long_ago(locked="/var/lib/dpkg/lock", routers={"192.0.2.1": True}))
    told = {(one.name, one.node): one for one in checklist.lines(view)}
    for name in ("switch", "router", "disk"):
        assert told[name, "fs2"].verdict == SKIP
        assert told[name, "fs2"].evidence.endswith(" (as of 120 minutes ago)")
    assert told["packages", "fs2"].verdict == WARN
    assert told["packages", "fs2"].evidence.endswith("dpkg/lock is locked (as of 120 minutes ago)")
    for name in ("version", "config", "agents"):
        assert told[name, ""].verdict == SKIP
        assert told[name, ""].evidence.endswith(" (as of 120 minutes ago on fs2)")
    # What this node tells of itself is of now.
    assert told["switch", "fs1"].verdict == PASS
    assert told["facts", "fs2"].evidence == "120 minutes old"
    assert {told[name, ""].verdict for name in ("membership", "rings")} == {PASS}


@pytest.mark.parametrize(("at", "blocks"), [("11:45:00", True), ("11:15:00", False)])
def test_what_was_so_long_ago_does_not_stand_in_the_way(at, blocks):
    old = facts(at=f"2026-09-01T{at}Z", routers={"192.0.2.1": False})
    gone = {**old, "node": "fs2", "switch": {"running": False, "why": "it is down"}}
    found = checklist.lines(with_facts("fs2", gone))
    assert bool(checklist.obstacles(found)) is blocks
    assert {one.verdict for one in found if one.name in ("switch", "router")} >= {FAIL}
    mine = checklist.lines(replace(with_facts("fs2", gone), me="fs2"))
    assert checklist.obstacles(mine)


DOWN = {"running": False, "why": "it does not answer: it is down"}


@pytest.mark.parametrize(
    ("starts_switch", "node", "verdict"),
    [(True, "fs2", PASS), (True, "fs1", FAIL), (False, "fs2", FAIL)],
)
def test_a_switch_that_the_cluster_starts_with_the_service_is_off_elsewhere(
    starts_switch, node, verdict
):
    view = with_facts(node, {**facts(), "node": node, "switch": DOWN})
    view = replace(view, service=replace(view.service, starts_switch=starts_switch))
    (found,) = [x for x in checklist.lines(view) if (x.name, x.node) == ("switch", node)]
    assert found.verdict == verdict
    assert ("the cluster starts it" in found.evidence) is (verdict == PASS)
