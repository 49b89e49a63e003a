"""The engine on two real nodes: guard, restore, removal, two at a time, adoption."""

from __future__ import annotations

import concurrent.futures
import contextlib
import copy
import itertools
import json
import re
import xml.etree.ElementTree as ET

import pytest
import yaml

from lab import VIP, voice
from lab.settings import MASTER_ADDRESS, SIP_PORT
from tests.lab import peers

COMMITTED = "fsha-cluster-committed"
ROUNDS = 50


@pytest.fixture(scope="module")
def engine(lab):
    """The recommended pair on bare nodes, whatever the tests before have left."""
    if any(node.exists("/etc/corosync/corosync.conf") for node in lab.nodes.values()):
        lab.reset()
    voice.give(lab, voice.example("pillar.example"))
    assert voice.apply(lab).failed == []
    return lab


@pytest.fixture
def pair(engine):
    """The same, serving; every test that changes it waits until the cluster has settled."""
    assert voice.serving(engine)
    return engine


def active_node(lab):
    return lab.nodes[voice.serving(lab)]


def passive_node(lab):
    active = voice.serving(lab)
    return next(node for name, node in lab.nodes.items() if name != active)


def pillar_with(**params):
    """The recommended pillar, with more parameters of the floating address: changing one of them
    restarts it, and FreeSWITCH's profiles with it."""
    pillar = voice.example("pillar.example")
    pillar["pacemaker"]["resources"]["ip_shared"]["params"].update(params)
    return pillar


def apply(lab, target="*", **kwargs):
    """As ``voice.apply``, with more on the command line."""
    returns = lab.salt(target, "state.apply", "fsha", timeout=400, **kwargs)
    assert all(isinstance(states, dict) for states in returns.values()), returns
    return voice.Applied(dict(returns), {}, 0.0)


def configuration(node):
    return node.run(["cibadmin", "--query", "--scope", "configuration"]).out


def history(lab, node):
    return lab.salt_call(node, "pacemaker.history").value


def points(node):
    return node.run(["find", "/var/lib/fsha/restore", "-name", "*.json"], check=False).out


def operations(node):
    """What every resource did last on every node, and what goes on there: all that a restart,
    even a probe, would change."""
    status = ET.fromstring(node.run(["cibadmin", "--query", "--scope", "status"]).out)
    keys = ("operation", "call-id", "last-rc-change", "rc-code")
    return {
        (state.get("uname"), op.get("id")): tuple(op.get(key) for key in keys)
        for state in status.iter("node_state")
        for op in state.iter("lrm_rsc_op")
    }


def last(node, resource):
    """What a resource did last, apart from being looked at."""
    found = operations(node)
    return {key: done for key, done in found.items() if key[1] == f"{resource}_last_0"}


# --- calls ---------------------------------------------------------------------------------


def switch(node, command):
    password = 'fs_cli -p "$(cat /etc/freeswitch/event_socket.password)" -x "$0"'
    return node.run(["sh", "-c", password, command]).out


def legs(node):
    found = re.search(r"RUNNING \((\d+)\)", switch(node, "sofia status"))
    return int(found[1]) if found else 0


@contextlib.contextmanager
def calls(lab, count):
    """So many calls to the floating address that only end when somebody ends them."""
    active = active_node(lab)
    sipp = ["sipp", "-sn", "uac", f"{VIP}:{SIP_PORT}", "-i", MASTER_ADDRESS, "-nostdin"]
    sipp += ["-m", str(count), "-l", str(count), "-r", "10", "-d", "3600000"]
    quiet = ["--property=StandardOutput=null", "--property=StandardError=null"]
    lab.outside.run(["systemd-run", "--quiet", "--collect", "--unit=calls", *quiet, *sipp])
    try:
        lab.wait(lambda: legs(active) == count, 20, f"{count} calls")
        yield active
    finally:
        for node in lab.nodes.values():
            switch(node, "hupall")
        lab.outside.run(["systemctl", "stop", "calls"], check=False)
        lab.wait(lambda: not any(map(legs, lab.nodes.values())), 20, "the end of the calls")


# --- the guard -----------------------------------------------------------------------------

VERDICT = "fsha-verdict"


def host_settings(node):
    return node.read("/etc/hosts"), node.read(CONF), node.main_pid("corosync")


def test_a_change_that_would_interrupt_calls_is_refused(pair):
    pillar = pillar_with(arp_count=3)
    # What else this pillar changes on a host, which must not happen either.
    pillar["corosync"]["totem"]["token"] = 3300
    pillar["network"]["hosts"] = False
    voice.give(pair, pillar)
    active, passive = active_node(pair), passive_node(pair)
    before = configuration(active), operations(active), points(active), points(passive)
    hosts = [host_settings(node) for node in (active, passive)]
    with calls(pair, 2):
        looked = voice.apply(pair, active.name, test=True)
        with pair.events("fsha/") as bus:
            done = voice.apply(pair)
        assert legs(active) == 2

    told = looked.state(active.name, COMMITTED)
    assert told["result"] is False
    assert told["comment"].startswith("Would be refused")
    assert told["changes"]["guard"]["calls"] == 2

    assert looked.state(active.name, VERDICT)["comment"].startswith("Would be refused")
    told = done.state(active.name, VERDICT)
    assert told["result"] is False
    assert told["comment"].startswith("Nothing on this host was touched")
    assert len(done.failed) == 2
    # The other node does not wait for a commit that does not come.
    assert done.seconds < 45
    assert done.changes == {}
    assert [host_settings(node) for node in (active, passive)] == hosts
    cost = f"restart of ip_shared and fs on {active.name} interrupts 2 call legs"
    for words in (cost, "fsha:guard:calls allows none", '"override": true'):
        assert words in told["comment"]
    told = done.state(passive.name, VERDICT)
    assert told["result"] is False
    assert f"{active.name} refuses it: it still has 2 call legs" in told["comment"]

    assert before == (
        *(configuration(active), operations(active)),
        *(points(active), points(passive)),
    )
    assert [tag for tag, _ in bus.events] == [f"fsha/refused/{active.name}/cib"]
    event = bus.events[0][1]["data"]
    assert event["data"]["action"] == "refused"
    assert event["data"]["guard"]["calls"] == 2


def test_what_interrupts_nothing_needs_nobodys_leave(pair):
    pillar = pillar_with()
    pillar["pacemaker"]["resources"]["ip_shared"]["operations"][0]["interval"] = "7s"
    voice.give(pair, pillar)
    with calls(pair, 1) as active:
        # The node without calls may do it just as well.
        done = voice.apply(pair, passive_node(pair).name)
        assert done.failed == []
        assert legs(active) == 1
    told = done.state(passive_node(pair).name, COMMITTED)
    assert "interrupted" not in told["changes"]
    assert told["changes"]["objects"]["ip_shared"]
    assert (active.name, "ip_shared_monitor_7000") in operations(active)


def test_with_the_override_on_the_command_line_it_is_committed(pair):
    voice.give(pair, pillar_with(arp_count=3))
    with calls(pair, 1) as active, pair.events("fsha/") as bus:
        done = apply(pair, pillar={"fsha": {"guard": {"override": True}}})
        assert legs(active) == 0
    assert done.failed == []
    # Either of the two may now do it, and only the one with the call could count it.
    ((who, changes),) = done.changes.items()
    assert changes["objects"]["ip_shared"]["params:arp_count"]["new"] == "3"
    assert changes["guard"]["calls"] == (1 if who.startswith(active.name) else None)
    assert "override is set" in changes["guard"]["reason"]
    assert len(bus.events) == 1
    assert voice.serving(pair) == active.name


def test_a_pillar_that_allows_any_number_of_calls(pair):
    pillar = pillar_with(arp_count=4)
    pillar["guard"] = {"calls": "any"}
    voice.give(pair, pillar)
    with calls(pair, 1) as active:
        done = voice.apply(pair, active.name)
        assert legs(active) == 0
    assert done.failed == []
    told = done.state(active.name, COMMITTED)
    assert told["changes"]["guard"]["reason"] == "fsha:guard:calls allows any number"


# --- restore -------------------------------------------------------------------------------


def test_without_calls_it_is_committed_and_can_be_undone(pair):
    voice.give(pair, pillar_with(arp_count=5))
    active, passive = active_node(pair), passive_node(pair)
    before = configuration(active)
    done = voice.apply(pair, active.name)
    assert done.failed == []
    told = done.state(active.name, COMMITTED)
    assert told["changes"]["guard"]["reason"] == f"{active.name} has none"
    newest, *older = known = history(pair, active)
    assert f"pacemaker.restore {newest['number']}." in told["comment"]
    assert newest["kind"] == "commit"
    assert newest["node"] == newest["author"] == active.name
    assert newest["transaction"] == "fsha"
    assert "arp_count" in "".join(newest["summary"])
    assert newest["version"] != newest["committed"]
    assert all(newer["number"] > point["number"] for newer, point in itertools.pairwise(known))
    assert all(point["summary"] for point in older)

    active.run(["crm_standby", "--node", passive.name, "--update", "on"])
    try:
        looked = pair.salt_call(active, "pacemaker.restore", newest["number"], test=True).value
        assert (looked["committed"], looked["empty"]) == (False, False)
        assert set(looked["changes"]) == {"ip_shared"}
        changed = looked["changes"]["ip_shared"]["params:arp_count"]
        assert changed["old"] == "5"
        assert any("restart ip_shared" in action for action in looked["transition"])

        done = pair.salt_call(active, "pacemaker.restore", newest["number"]).value
        assert (done["committed"], done["refused"], done["problems"]) == (True, False, [])
        assert done["changes"] == looked["changes"]
        assert voice.cluster(active).node(passive.name).standby
        own, before_it, *_ = history(pair, active)
        assert before_it == newest
        assert (own["kind"], own["number"]) == ("restore", newest["number"] + 1)
        assert own["number"] == done["restore_point"]
        assert voice.serving(pair) == active.name
    finally:
        active.run(["crm_standby", "--node", passive.name, "--delete"])
    assert without_standby(configuration(active)) == without_standby(before)


def without_standby(text):
    """A configuration without what setting and lifting standby leaves, and without line breaks."""
    root = ET.fromstring(text)
    for node in root.iter("node"):
        node.clear()
    return ET.canonicalize(ET.tostring(root, encoding="unicode"), strip_text=True)


# --- what fails, and what leaves -----------------------------------------------------------

MISSING = "/dev/disk/by-label/nowhere"


@pytest.fixture(scope="module")
def crowded(engine):
    """The pair with three guests: in the middle of the group, on its own, and unable to start."""
    pillar = voice.example("pillar.example")
    resources = pillar["pacemaker"]["resources"]
    for name in ("middle", "alone"):
        resources[name] = {"agent": "ocf:pacemaker:Dummy"}
    params = {"device": MISSING, "directory": "/mnt", "fstype": "ext4"}
    resources["broken"] = {"agent": "ocf:heartbeat:Filesystem", "params": params}
    pillar["pacemaker"]["groups"]["VoiceServices"]["members"] = ["ip_shared", "middle", "fs"]
    voice.give(engine, pillar)
    return engine, voice.apply(engine)


def test_committed_but_it_failed_to_start(crowded):
    lab, done = crowded
    told = [done.state(minion, COMMITTED) for minion in lab.nodes]
    (failed,) = [state for state in told if state["changes"]]
    assert failed["result"] is False, told
    committed, _, but = failed["comment"].partition("\nBut: ")
    assert committed.startswith("Committed as ")
    # Pacemaker 3 writes the first letter of the reason large.
    failures = (f"broken start failed on {node} (not installed)" for node in lab.nodes)
    assert any(failure in but.lower() for failure in failures), but
    assert f"Couldn't find device [{MISSING}]" in but
    assert "broken" in failed["changes"]["objects"]
    for word in ("middle", "alone", "ip_shared", "fs "):
        assert word not in but
    # Everything else went on.
    status = voice.cluster(active_node(lab))
    assert status.resource("alone")[0].started
    assert status.serving("VoiceServices")


def test_what_leaves_the_pillar_is_stopped_and_removed(crowded):
    lab, _ = crowded
    voice.give(lab, voice.example("pillar.example"))
    active = active_node(lab)
    before = last(active, "fs"), last(active, "ip_shared")
    assert last(active, "middle")
    with lab.events("fsha/") as bus:
        done = voice.apply(lab)
    assert done.failed == []
    # One of the two has done it, and tells it; the other one finds it done.
    (changes,) = done.changes.values()
    for name in ("middle", "alone", "broken"):
        assert changes["objects"][name]["object"]["new"] is None
    # It tells what was there before anything was stopped, and that it was.
    assert "meta" not in changes["objects"]["alone"]["object"]["old"]
    assert any("stop alone" in action for action in changes["transition"])
    assert [tag.split("/")[1] for tag, _ in bus.events] == ["drift"]
    # That it was stopped first is nobody's doing but fsha's.
    assert not any("target-role" in done.state(m, COMMITTED)["comment"] for m in lab.nodes)
    assert voice.apply(lab, active.name).changes == {}
    status = voice.cluster(active)
    assert {resource.id for resource in status.resources} == {"ip_shared", "fs"}
    assert not any(resource.orphaned for resource in status.resources)
    assert (status.failures, status.fail_counts) == ((), ())
    assert (last(active, "fs"), last(active, "ip_shared")) == before
    # Not even a fail count is left, with which it could not start if it came back.
    lab.wait(lambda: not traces(active), 20, "the last traces to go")
    # What can be gone back to has them as they were: one point, and nothing stopped in it.
    (kept,) = [found for node in lab.nodes.values() if (found := removing(lab, node))]
    assert "target-role" not in kept
    for node in lab.nodes.values():
        # The agent's own mark that it runs.
        assert not node.run(["find", "/run", "-name", "Dummy-*.state"]).out


def traces(node):
    cib = node.run(["cibadmin", "--query"]).out
    return [name for name in ("middle", "alone", "broken") if name in cib]


def removing(lab, node):
    """Return the CIB before the newest commit of a node, if that commit removed the guests."""
    newest = history(lab, node)[0]
    if not any("alone" in line and "removed" in line for line in newest["summary"]):
        return ""
    return json.loads(node.read(f"/var/lib/fsha/restore/{newest['number']:08d}.json"))["cib"]


def test_a_switch_that_leaves_the_cluster_goes_on_running(pair):
    pillar = pillar_with()
    pillar["pacemaker"]["resources"]["switch"] = {"agent": "ocf:fsha:FSSwitch"}
    clone = {"resource": "switch", "meta": {"interleave": True}}
    pillar["pacemaker"]["clones"] = {"switch-clone": clone}
    voice.give(pair, pillar)
    assert voice.apply(pair).failed == []
    active = active_node(pair)
    assert len(voice.cluster(active).active("switch")) == len(pair.nodes)
    pids = {node.name: node.main_pid("freeswitch") for node in pair.nodes.values()}
    voice.give(pair, pillar_with())
    # Nothing that carries calls stops, so the guard does not ask for any.
    with calls(pair, 1):
        done = voice.apply(pair)
        assert legs(active) == 1
    assert done.failed == []
    (changes,) = done.changes.values()
    left = [action for action in changes["transition"] if action.endswith("to systemd, running")]
    assert len(left) == len(pair.nodes)
    assert not voice.cluster(active).resource("switch")
    assert pids == {node.name: node.main_pid("freeswitch") for node in pair.nodes.values()}
    assert voice.serving(pair) == active.name


def test_a_unit_that_leaves_the_cluster_goes_on_running(pair):
    pillar = pillar_with()
    unit = {"agent": "systemd:freeswitch", "operations": [{"name": "monitor", "interval": "10s"}]}
    pillar["pacemaker"]["resources"]["switch"] = unit
    clone = {"resource": "switch", "meta": {"interleave": True}}
    pillar["pacemaker"]["clones"] = {"switch-clone": clone}
    voice.give(pair, pillar)
    assert voice.apply(pair).failed == []
    active, passive = active_node(pair), passive_node(pair)
    # One that the cluster itself has started: Pacemaker then tells systemd never to restart it.
    passive.run(["systemctl", "stop", "freeswitch"])
    passive.run(["crm_resource", "--refresh", "--resource", "switch-clone"])
    pair.wait(lambda: restart_word(passive) == "no", 60, "the cluster to start the switch again")
    passive.run(["crm_resource", "--wait", "--timeout=60s"], timeout=90)
    pids = {node.name: node.main_pid("freeswitch") for node in pair.nodes.values()}
    voice.give(pair, pillar_with())
    with calls(pair, 1):
        done = voice.apply(pair)
        assert legs(active) == 1
    assert done.failed == []
    (committed,) = [c for c in done.changes.values() if "transition" in c]
    left = [line for line in committed["transition"] if line.endswith("to systemd, running")]
    assert len(left) == len(pair.nodes)
    assert not voice.cluster(active).resource("switch")
    assert pids == {node.name: node.main_pid("freeswitch") for node in pair.nodes.values()}
    assert [restart_word(node) for node in pair.nodes.values()] == ["always"] * len(pair.nodes)
    assert voice.serving(pair) == active.name
    assert voice.apply(pair).changes == {}


def restart_word(node):
    """Return when systemd restarts the switch."""
    shown = node.run(["systemctl", "show", "--property=Restart", "freeswitch"]).out
    return shown.strip().partition("=")[2]


def test_a_change_that_interrupts_calls_on_both_nodes(pair):
    def pillar(**params):
        found = pillar_with()
        switch = {"agent": "ocf:fsha:FSSwitch", "params": params}
        clone = {"resource": "switch", "meta": {"interleave": True}}
        together = {"resource": "VoiceServices", "with": "switch-clone", "score": "INFINITY"}
        found["pacemaker"]["resources"]["switch"] = switch
        found["pacemaker"] |= {
            "clones": {"switch-clone": clone},
            "colocations": {"voice-with-switch": together},
            "orders": {"switch-then-voice": {"first": "switch-clone", "then": "VoiceServices"}},
        }
        return found

    voice.give(pair, pillar())
    assert voice.apply(pair).failed == []
    active, passive = active_node(pair), passive_node(pair)
    # The agent can't take this one by a reload.
    voice.give(pair, pillar(runtime_dir="/run/fsha/another"))
    with calls(pair, 1):
        refused = voice.apply(pair)
        assert legs(active) == 1
    assert len(refused.failed) == len(pair.nodes)
    told = verdict(refused, passive)
    assert f"{active.name} refuses it: it still has 1 call leg" in told
    done = voice.apply(pair)
    assert done.failed == []
    assert len([c for c in done.changes.values() if "transition" in c]) == 1
    assert voice.serving(pair)
    voice.give(pair, pillar_with())
    assert voice.apply(pair).failed == []


def verdict(done, node):
    return done.state(node.name, "fsha-verdict")["comment"]


# --- two at a time -------------------------------------------------------------------------


def test_two_nodes_commit_at_the_same_moment(pair):
    one, other = pair.nodes.values()
    one.run(["rm", "--recursive", "--force", "/srv/lab/meet"])
    one.run(["mkdir", "/srv/lab/meet"])
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = [pool.submit(meet, *both) for both in ((one, other), (other, one))]
        told = [job.result() for job in jobs]
    epochs = []
    for number, (mine, theirs) in enumerate(zip(*told, strict=True), 1):
        assert mine["round"] == theirs["round"] == number
        assert mine["seen"] == theirs["seen"]
        seen = mine["seen"]
        # No change lost, none doubled.
        assert sorted(seen["values"]) == [[f"meet-{name}", str(number)] for name in pair.nodes]
        wanted = [f"meet-{name}-{n}" for name in pair.nodes for n in range(1, number + 1)]
        assert sorted(seen["constraints"]) == sorted(wanted)
        # Each report is true.
        for report in (mine, theirs):
            assert (report["committed"], report["error"]) == (True, "")
            assert report["problems"] == []
        assert mine["version"] != theirs["version"]
        epochs.append(seen["epoch"])
    # Two commits in each round, no more and no less.
    steps = {after - before for before, after in itertools.pairwise(epochs)}
    assert len(steps) == 1
    assert steps.pop() in (2, 4)
    for name, node in pair.nodes.items():
        kept = node.run(["find", f"/srv/lab/meet/points.{name}", "-name", "*.json"]).out
        assert len(kept.splitlines()) == ROUNDS


def meet(node, other):
    script = "/srv/formula/tests/lab/meet.py"
    argv = ["/opt/salt/bin/python3", script, "/srv/lab/meet", node.name, other.name, str(ROUNDS)]
    done = node.run(argv, timeout=300)
    rounds = [json.loads(line) for line in done.out.splitlines()]
    assert len(rounds) == ROUNDS
    return rounds


# --- adoption ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tools(engine):
    units = ("corosync", "pacemaker")
    before = {(n.name, u): n.main_pid(u) for n in engine.nodes.values() for u in units}
    conf = {n.name: n.read("/etc/corosync/corosync.conf") for n in engine.nodes.values()}
    peers.install(engine)
    after = {(n.name, u): n.main_pid(u) for n in engine.nodes.values() for u in units}
    assert after == before
    assert conf == {n.name: n.read("/etc/corosync/corosync.conf") for n in engine.nodes.values()}
    return engine


@pytest.mark.parametrize("build", [peers.by_crmsh, peers.by_pcs])
def test_a_cluster_that_others_built_is_adopted(tools, build):
    lab = tools
    node = next(iter(lab.nodes.values()))
    peers.clear(node)
    build(lab)
    assert "fsha-managed" not in configuration(node)
    status = voice.cluster(node)
    assert status.failures == ()
    assert status.serving("VoiceServices") == "freeswitch-dev"
    before = operations(node)

    exported = lab.salt_call(node, "fsha.export", file="/root/adopted.sls").value
    assert exported["result"] is True
    # Nothing but what the cluster itself writes is left out.
    told = ("the cluster's own", "the Event Socket's password is not exported")
    assert all(any(text in note for text in told) for note in exported["notes"])
    planned = lab.salt_call(node, "fsha.plan", pillar="/root/adopted.sls").value
    assert planned["result"] is True, planned
    assert (planned["changes"], planned["transition"], planned["unmanaged"]) == ({}, [], [])

    pillar = yaml.safe_load(node.read("/root/adopted.sls"))["fsha"]
    assert set(pillar["nodes"]) == set(lab.nodes)
    voice.give(lab, completed(pillar))
    looked = voice.apply(lab, node.name, test=True)
    assert looked.failed == []
    ownership = {"objects": {}, "transition": []}
    assert looked.changes == {f"{node.name} {COMMITTED}": ownership}
    assert operations(node) == before
    done = voice.apply(lab)
    assert done.failed == []
    assert list(done.changes.values()) == [ownership]
    assert operations(node) == before
    assert "fsha-managed" in configuration(node)
    again = voice.apply(lab, node.name)
    assert (again.failed, again.changes) == ([], {})


def completed(pillar):
    """An exported pillar with what no cluster can tell: what the hosts are to be like."""
    pillar, example = copy.deepcopy(pillar), voice.example("pillar.example")
    # The lab gives the key itself.
    assert pillar["corosync"].pop("authkey_file") == "/etc/corosync/authkey"
    assert pillar["network"] == {"nonlocal_bind": False}
    assert pillar["freeswitch"] == {"init_script": False}
    pillar["network"] = example["network"]
    return pillar


CONF = "/etc/corosync/corosync.conf"
# Not the bare names: of its own, an installer makes 127.0.1.1, with which corosync would be alone.
NAMES = {
    "10.101.20.110": "freeswitch-dev.redfonelabs.com",
    "10.101.20.220": "ubuntu-v20z.redfonelabs.com",
}


def in_others_words(text):
    """The same configuration as another tool would have written it, with what it has beside."""
    lines = [line.strip() for line in text.splitlines() if "two_node" not in line]
    told = "\n".join(line for line in lines if not line.startswith("ip_version"))
    told = told.replace("token: 3000\n", "").replace("version: 2", "version: 2\ncluster_uuid: 5a1b")
    for address, name in NAMES.items():
        told = told.replace(address, name)
    votequorum = "provider: corosync_votequorum"
    more = "expected_votes: 2\ntwo_node: 1\nwait_for_all: 1\nlast_man_standing: 0"
    return f"# Not the formula's\n{told}\n".replace(votequorum, f"{votequorum}\n{more}")


def test_a_corosync_conf_that_others_wrote_is_left_as_it_is(pair):
    voice.give(pair, voice.example("pillar.example"))
    assert voice.apply(pair).failed == []
    own = {node.name: node.read(CONF) for node in pair.nodes.values()}
    pids = {node.name: node.main_pid("corosync") for node in pair.nodes.values()}
    foreign = in_others_words(next(iter(own.values())))
    try:
        for node in pair.nodes.values():
            node.write(CONF, foreign)
        node = active_node(pair)
        exported = pair.salt_call(node, "fsha.export", file="/root/foreign.sls").value
        assert not [n for n in exported["notes"] if "restart" in n or "reload" in n], exported
        looked = voice.apply(pair, test=True)
        assert (looked.failed, looked.changes) == ([], {})
        done = voice.apply(pair)
        assert (done.failed, done.changes) == ([], {})
        # A change of something else keeps what the formula has no setting for.
        pillar = voice.example("pillar.example")
        pillar["corosync"]["totem"]["token"] = 3100
        for one in pair.nodes.values():
            assert one.read(CONF) == foreign
        voice.give(pair, pillar)
        assert voice.apply(pair).failed == []
        for one in pair.nodes.values():
            assert "cluster_uuid: 5a1b" in one.read(CONF)
            assert "token: 3100" in one.read(CONF)
        assert pids == {n.name: n.main_pid("corosync") for n in pair.nodes.values()}
    finally:
        for node in pair.nodes.values():
            node.write(CONF, own[node.name])
        next(iter(pair.nodes.values())).run(["corosync-cfgtool", "-R"])
        voice.give(pair, voice.example("pillar.example"))
