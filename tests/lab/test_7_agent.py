"""ocf:fsha:FSSofia on two real nodes: both standby models, and what judges of agents say."""

from __future__ import annotations

import pytest

from lab import VIP, voice
from tests.lab.conftest import wait_settled

AGENT = "ocf:fsha:FSSofia"
PROFILE = "internal"
DEEP = {"OCF_CHECK_LEVEL": 10}


def with_agent(standby, stop_mode, lab=None):
    """The recommended pillar with the OCF agent in the place of the init script.

    With a lab its switches are told about the standby model, a real one by that pillar.
    """
    pillar = voice.example("pillar.example")
    pillar["network"]["nonlocal_bind"] = standby == "hot"
    params = {"profiles": PROFILE, "vips": VIP, "standby": standby, "stop_mode": stop_mode}
    resources = pillar["pacemaker"]["resources"]
    resources["fs"] = {
        "agent": AGENT,
        "params": params,
        "operations": [
            {"name": "monitor", "interval": "2s", "timeout": "15s"},
            {
                "name": "monitor",
                "interval": "11s",
                "timeout": "20s",
                "params": {"OCF_CHECK_LEVEL": 10},
            },
            {"name": "start", "timeout": "60s"},
            {"name": "stop", "timeout": "90s"},
        ],
    }
    if lab is not None:
        voice.standby(lab, standby, pillar)
    return pillar


@pytest.fixture(scope="module", params=["cold", "hot"])
def agent(request, lab):
    """A pair on bare nodes with the OCF agent in one of its standby models."""
    lab.reset()
    voice.give(lab, with_agent(request.param, "recover", lab))
    applied = voice.apply(lab)
    assert applied.failed == []
    for node in lab.nodes.values():
        # The switches have started before the formula allowed them to bind.
        if voice.serving(lab) != node.name:
            node.run(["systemctl", "restart", "freeswitch"])
    wait_settled(lab)
    return lab, request.param


def other(lab, node):
    return next(n for n in lab.nodes if n != node)


def test_it_serves_and_a_second_run_changes_nothing(agent):
    lab, _ = agent
    serving = voice.serving(lab)
    assert lab.vip_holders() == [serving]
    assert voice.apply(lab).changes == {}
    status = voice.cluster(lab.nodes[serving])
    assert status.failures == ()
    # A probe on the other node has found that it does not run there, in both models.
    assert [r.nodes for r in status.resources if r.id == "fs"] == [(serving,)]


@pytest.mark.parametrize("stop_mode", ["hangup", "drain", "recover"])
def test_over_and_back_in_each_way(agent, stop_mode):
    lab, standby = agent
    voice.give(lab, with_agent(standby, stop_mode, lab))
    before = voice.serving(lab)
    done = voice.apply(lab)
    assert done.failed == []
    # The way to stop may change while it serves.
    assert voice.serving(lab) == before
    assert "restart fs" not in str(done.changes)
    for _ in range(2):
        old = voice.serving(lab)
        new = other(lab, old)
        with lab.probe() as probe:
            probe.wait_answered_by(old)
            done = lab.salt_call(lab.nodes[old], "fsha.failover", timeout=150)
            probe.wait_answered_by(new)
        assert done.value["result"] is True, done.value
        assert lab.vip_holders() == [new]
        assert voice.cluster(lab.nodes[new]).failures == ()


def test_a_killed_switch_is_seen_although_systemd_brings_it_back(agent):
    lab, _ = agent
    node = lab.nodes[voice.serving(lab)]
    with lab.probe() as probe:
        probe.wait_answered_by(node.name)
        node.kill("freeswitch")
        lab.wait(lambda: voice.serving(lab) == other(lab, node.name), 60, "the other node to serve")
        probe.wait_answered_by(other(lab, node.name))
    lab.wait(lambda: node.run(["fs_cli", "-x", "status"], check=False).code in (0, 255), 30, "it")
    node.run(["crm_resource", "--cleanup", "--resource", "fs"])
    wait_settled(lab)


def test_another_holder_of_the_vip_is_seen_on_the_wire(agent):
    lab, _ = agent
    serving = voice.serving(lab)
    node, peer = lab.nodes[serving], lab.nodes[other(lab, serving)]
    question = ["/usr/lib/fsha/fsha-probe", "arp", VIP, "eth0", "0.5"]
    assert node.run(question, check=False).code == 1
    peer.run(["ip", "address", "add", f"{VIP}/24", "dev", "eth0"])
    try:
        found = node.run(question, check=False)
    finally:
        peer.run(["ip", "address", "del", f"{VIP}/24", "dev", "eth0"])
    assert found.code == 0
    assert found.out.strip() == peer.read("/sys/class/net/eth0/address").strip()
    assert node.run(question, check=False).code == 1


def test_the_judges_of_agents_find_nothing(agent):
    lab, standby = agent
    node = lab.nodes[other(lab, voice.serving(lab))]
    told = [f"OCF_RESKEY_{k}={v}" for k, v in with_agent(standby, "hangup")["pacemaker"][
        "resources"]["fs"]["params"].items()]  # fmt: skip
    done = node.run(["env", *told, "OCF_ROOT=/usr/lib/ocf", "/usr/lib/ocf/resource.d/fsha/FSSofia",
                     "validate-all"], check=False)  # fmt: skip
    assert done.code == 0, done
    options = [f"--option={one.removeprefix('OCF_RESKEY_')}" for one in told]
    done = node.run(["crm_resource", "--validate", "--class", "ocf", "--provider", "fsha",
                     "--agent", "FSSofia", *options], check=False)  # fmt: skip
    assert done.code == 0, done
    for name in ("FSSofia", "FSSwitch", "fonebridge"):
        path = f"/usr/lib/ocf/resource.d/fsha/{name}"
        shown = node.run([path, "meta-data"]).out
        node.write("/tmp/metadata.xml", shown)
        assert node.run(["crm_resource", "--show-metadata", f"ocf:fsha:{name}"]).out.strip()


def test_ocf_tester_passes(agent):
    """It starts and stops the resource itself, so on a node that the cluster has left alone."""
    lab, standby = agent
    serving = voice.serving(lab)
    node = lab.nodes[serving]
    params = with_agent(standby, "hangup")["pacemaker"]["resources"]["fs"]["params"]
    told = [word for key, value in params.items() for word in ("-o", f"{key}={value}")]
    node.run(["apt-get", "install", "--yes", "--no-install-recommends", "libxml2-utils"])
    node.run(["crm_attribute", "--name", "maintenance-mode", "--update", "true"])
    try:
        # The profile may be stopped 10 s after its start, which takes longer than ocf-tester waits.
        done = node.run(
            ["ocf-tester", "-n", "fs", *told, "/usr/lib/ocf/resource.d/fsha/FSSofia"],
            check=False, timeout=300,
        )  # fmt: skip
        assert done.code == 0, done.out + done.err
        assert "passed all tests" in done.out
    finally:
        start = [*(f"OCF_RESKEY_{key}={value}" for key, value in params.items())]
        node.run(["env", *start, "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=fs",
                  "OCF_RESKEY_CRM_meta_timeout=60000", "/usr/lib/ocf/resource.d/fsha/FSSofia",
                  "start"])  # fmt: skip
        node.run(["crm_attribute", "--name", "maintenance-mode", "--delete"])
        wait_settled(lab)


CALLS = 5


@pytest.fixture
def recovering(agent):
    """The pair of that standby model, whose calls go on when it moves, and which is in sync."""
    lab, standby = agent
    voice.give(lab, with_agent(standby, "recover", lab))
    assert voice.apply(lab).failed == []
    wait_settled(lab)
    return lab


def wait_online(lab):
    node = next(iter(lab.nodes.values()))
    lab.wait(
        lambda: all(n.word == "online" for n in voice.cluster(node).nodes), 60, "both nodes online"
    )
    wait_settled(lab)


def test_calls_survive_the_shutdown_of_their_node(recovering):
    lab = recovering
    old = voice.serving(lab)
    new = other(lab, old)
    rows = lab.recovery_rows()
    with lab.calls(CALLS, held=1, ringing=0) as calls:
        lab.wait(lambda: lab.recovery_rows() == rows + CALLS + 1, 10, "the rows of the calls")
        lab.shutdown(old)
        lab.wait(lambda: voice.serving(lab) == new, 60, "the other node to serve")
        calls.wait(lambda now: now.reinvited == CALLS + 1, "the re-INVITEs", 30)
        calls.wait_heard(CALLS, 30)
    result = calls.result
    assert (result.counts("answered").survived, result.counts("held").survived) == (CALLS, 1)
    lab.power_on(old)
    wait_online(lab)


def test_after_a_power_cut_of_both_nodes_nobody_is_rung(recovering):
    lab = recovering
    rows = lab.recovery_rows()
    with lab.calls(CALLS, held=0, ringing=0) as calls:
        lab.wait(lambda: lab.recovery_rows() == rows + CALLS, 10, "the rows of the calls")
        for node in lab.nodes:
            lab.power_off(node)
        assert lab.recovery_rows() == rows + CALLS
        for node in lab.nodes:
            lab.power_on(node)
        lab.wait(lambda: voice.serving(lab), 120, "a node to serve")
        wait_online(lab)
        assert lab.recovery_rows() == 0
    assert {call.reinvites for call in calls.result.calls} == {0}
    # What comes after it is taken over as before.
    old = voice.serving(lab)
    with lab.calls(CALLS, held=0, ringing=0) as calls:
        lab.wait(lambda: lab.recovery_rows() == CALLS, 10, "the rows of the calls")
        done = lab.salt_call(lab.nodes[old], "fsha.failover", timeout=150)
        assert done.value["result"] is True, done.value
        calls.wait(lambda now: now.reinvited == CALLS, "the re-INVITEs", 30)
        calls.wait_heard(CALLS, 30)
    assert calls.result.counts("answered").survived == CALLS
    wait_settled(lab)
