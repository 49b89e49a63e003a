"""Drift: seen exactly, told once, corrected; what others did is left alone."""

from __future__ import annotations

import threading

import pytest

from lab import voice


@pytest.fixture
def node(quiet):
    return quiet.nodes["freeswitch-dev"]


def kinds(bus):
    return [tag.split("/")[1] for tag, _ in bus.events]


def change_parameter(node, value):
    xml = f'<nvpair id="ip_shared-instance_attributes-cidr_netmask" value="{value}"/>'
    node.run(["cibadmin", "--modify", "--scope", "resources", "--xml-text", xml])


def test_a_changed_parameter(quiet, node):
    change_parameter(node, "25")
    with quiet.events("fsha/") as looked:
        seen = voice.apply(quiet, test=True)
    assert seen.failed == []
    expected = {"params:cidr_netmask": {"old": "25", "new": "24"}}
    for minion in quiet.nodes:
        staged = seen.state(minion, "fsha-cluster-resource-ip_shared")
        assert "params:cidr_netmask 25 → 24" in staged["comment"]
        committed = seen.state(minion, "fsha-cluster-committed")
        assert committed["result"] is None
        assert committed["changes"]["objects"] == {"ip_shared": expected}
        assert any("ip_shared" in action for action in committed["changes"]["transition"])
    assert kinds(looked) == ["drift"]
    data = looked.events[0][1]["data"]
    assert data["test"] is True
    assert data["data"]["changes"] == {"ip_shared": expected}

    with quiet.events("fsha/") as corrected:
        done = voice.apply(quiet)
    assert done.failed == []
    assert kinds(corrected) == ["drift"]
    assert corrected.events[0][1]["data"]["data"]["action"] == "corrected"
    assert 'name="cidr_netmask" value="24"' in node.run(["cibadmin", "--query"]).out

    with quiet.events("fsha/") as in_sync:
        again = voice.apply(quiet)
    assert again.changes == {}
    assert in_sync.events == []


DUMMY = '<primitive id="visitor" class="ocf" provider="pacemaker" type="Dummy"/>'


def add_resource(node):
    node.run(["cibadmin", "--create", "--scope", "resources", "--xml-text", DUMMY])


def test_somebody_elses_resource_is_told_and_left(quiet, node):
    add_resource(node)
    try:
        with quiet.events("fsha/") as looked:
            seen = voice.apply(quiet, test=True)
        assert seen.failed == []
        assert kinds(looked) == ["drift"]
        assert looked.events[0][1]["data"]["data"]["unmanaged"] == ["visitor"]
        for minion in quiet.nodes:
            assert "visitor" in seen.state(minion, "fsha-cluster-committed")["comment"]
        voice.apply(quiet)
        assert 'id="visitor"' in node.run(["cibadmin", "--query"]).out
    finally:
        pillar = voice.example("pillar.example")
        pillar["cluster"]["unmanaged"] = "purge"
        voice.give(quiet, pillar)
        with quiet.events("fsha/") as purged:
            done = voice.apply(quiet)
        voice.give(quiet, voice.example("pillar.example"))
    assert done.failed == []
    assert kinds(purged) == ["drift"]
    assert 'id="visitor"' not in node.run(["cibadmin", "--query"]).out


def test_an_edited_corosync_conf(quiet, node):
    text = node.read("/etc/corosync/corosync.conf")
    node.write("/etc/corosync/corosync.conf", text.replace("token: 3000", "token: 5000"))
    with quiet.events("fsha/") as looked:
        seen = voice.apply(quiet, test=True)
    changes = seen.state(node.name, "fsha-corosync-config")["changes"]
    assert changes == {"totem.token": {"old": "5000", "new": "3000"}}
    assert kinds(looked) == ["drift"]
    with quiet.events("fsha/") as corrected:
        done = voice.apply(quiet)
    assert done.failed == []
    assert kinds(corrected) == ["drift"]
    assert node.read("/etc/corosync/corosync.conf") == text
    with quiet.events("fsha/") as in_sync:
        assert voice.apply(quiet).changes == {}
    assert in_sync.events == []


def test_what_an_operator_did_is_left_alone(quiet, node):
    passive = next(n for n in quiet.nodes if n != voice.serving(quiet))
    node.run(["crm_standby", "--node", passive, "--update", "on"])
    try:
        with quiet.events("fsha/") as bus:
            done = voice.apply(quiet)
        assert done.failed == []
        assert done.changes == {}
        assert bus.events == []
        assert voice.cluster(node).node(passive).standby
    finally:
        node.run(["crm_standby", "--node", passive, "--delete"])


def test_both_nodes_at_the_same_moment(quiet, node):
    for value in ("26", "27", "28"):
        change_parameter(node, value)
        gate = threading.Barrier(len(quiet.nodes))
        found = {}

        def run(minion, gate=gate, found=found):
            gate.wait(10)
            found[minion] = voice.apply(quiet, minion)

        with quiet.events("fsha/") as bus:
            threads = [threading.Thread(target=run, args=[minion]) for minion in quiet.nodes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [applied.failed for applied in found.values()] == [[], []]
        assert kinds(bus) == ["drift"]
        said = [a.state(m, "fsha-cluster-committed")["comment"] for m, a in found.items()]
        assert len([text for text in said if text.startswith("Committed as")]) == 1
        assert parameter(node) == "24"


def parameter(node):
    text = node.run(["cibadmin", "--query", "--xpath", "//nvpair[@name='cidr_netmask']"]).out
    return text.split(' value="')[1].split('"')[0]


def test_an_unknown_agent_parameter_is_named_before_the_cib_is_touched(quiet, node):
    pillar = voice.example("pillar.example")
    pillar["pacemaker"]["resources"]["ip_shared"]["params"]["cidr_netmsk"] = 24
    pillar["pacemaker"]["resources"]["other"] = {"agent": "ocf:heartbeat:IPadr2"}
    voice.give(quiet, pillar)
    before = node.run(["cibadmin", "--query", "--scope", "configuration"]).out
    try:
        for test in (True, False):
            done = voice.apply(quiet, node.name, test=test)
            said = done.state(node.name, "fsha-agents-known")["comment"]
            assert "fsha:pacemaker:resources:ip_shared:params:cidr_netmsk" in said
            assert '"cidr_netmask"' in said
            assert '"ocf:heartbeat:IPadr2"' in said
            assert '"ocf:heartbeat:IPaddr2"' in said
            assert done.changes == {}
    finally:
        voice.give(quiet, voice.example("pillar.example"))
    assert node.run(["cibadmin", "--query", "--scope", "configuration"]).out == before


def test_interfaces_are_written_and_never_bounced(quiet, node):
    pillar = voice.example("pillar.example")
    pillar["network"]["interfaces"] = True
    voice.give(quiet, pillar)
    try:
        active = quiet.nodes[voice.serving(quiet)]
        before = carrier_changes(quiet)
        with quiet.probe() as probe:
            probe.wait_answered_by(active.name)
            seen = voice.apply(quiet, test=True)
            done = voice.apply(quiet)
            again = voice.apply(quiet)
        assert seen.failed == done.failed == again.failed == []
        for minion in quiet.nodes:
            assert seen.state(minion, "fsha-network-interfaces")["result"] is None
            assert done.state(minion, "fsha-network-interfaces")["changes"]
        assert again.changes == {}
        stanza = node.read("/etc/network/interfaces")
        assert "iface eth0 inet static" in stanza
        assert "10.101.20.110" in stanza
        assert set(probe.result.answered_by) == {active.name}
        assert carrier_changes(quiet) == before
        assert quiet.vip_holders() == [active.name]
    finally:
        voice.give(quiet, voice.example("pillar.example"))


def carrier_changes(lab):
    """How often each node's interfaces went down or up: the kernel counts it."""
    return {
        (name, interface): node.read(f"/sys/class/net/{interface}/carrier_changes")
        for name, node in lab.nodes.items()
        for interface in ("eth0", "eth1")
    }


def test_a_minion_killed_in_the_middle(quiet, node):
    change_parameter(node, "29")
    quiet.outside.run(["salt", "--async", node.name, "state.apply", "fsha"])
    quiet.wait(lambda: running_states(node), 60, "the run to begin")
    node.kill("salt-minion")
    quiet.wait(lambda: quiet.salt(node.name, "test.ping", timeout=20).get(node.name), 90, "minion")
    done = voice.apply(quiet)
    assert done.failed == []
    assert voice.apply(quiet).changes == {}


def running_states(node):
    found = node.run(["find", "/var/cache/salt/minion/proc", "-type", "f"], check=False)
    return bool(found.out.strip())


def test_a_cut_link_is_named(quiet, node):
    peer = next(n for n in quiet.nodes if n != node.name)
    quiet.link_down(node.name, 1)
    try:
        ring = ["corosync_ring.healthy", "voice", "timeout=6", f"nodes={nodes_argument(quiet)}"]
        quiet.wait(
            lambda: "link 1" in healthy(quiet, node, ring)["comment"], 30, "the cut to be seen"
        )
        ret = healthy(quiet, node, ring)
        assert ret["result"] is False
        assert peer in ret["comment"]
        assert "link 0" not in ret["comment"]
    finally:
        quiet.link_up(node.name, 1)
    quiet.wait(lambda: healthy(quiet, node, ring)["result"], 60, "the link to come back")


def nodes_argument(lab):
    import json

    return json.dumps(voice.example("pillar.example")["nodes"])


def healthy(lab, node, ring):
    returned = lab.salt_call(node, "state.single", *ring, timeout=60)
    return next(iter(returned.value.values()))
