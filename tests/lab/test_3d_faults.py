"""Faults that the cluster does not see as they are: what the verbs say, and how each ends."""

from __future__ import annotations

import pytest

from lab import VIP, voice
from tests.lab.conftest import let_minions_ask, wait_settled
from tests.lab.test_3_switchover import draining, ended, leftovers, operation, other, together
from tests.lab.test_3b_operator import salt_run

SPLIT = "SPLIT: "


@pytest.fixture
def active(quiet):
    return quiet.nodes[voice.serving(quiet)]


@pytest.fixture
def passive(quiet, active):
    return quiet.nodes[other(quiet, active.name)]


def page(lab, node, **how):
    return lab.salt_call(node, "fsha.status", timeout=60, **how).value


def dangers(lab, node, **how):
    data = lab.salt_call(node, "fsha.status", as_data=True, timeout=60, **how).value
    return {danger["kind"]: danger for danger in data["dangers"]}


def check_lines(lab, node, name):
    report = lab.salt_call(node, "fsha.check", as_data=True, timeout=60).value
    return [line for line in report["lines"] if line["name"] == name]


def facts_of(bus):
    """What each event has told, whatever its kind."""
    return [event["data"]["data"] for _, event in bus.events]


# --- a node's own maintenance -----------------------------------------------------------------


def own_maintenance(node, *how):
    node.run(["crm_attribute", "--node", node.name, "--name", "maintenance", *how])


def resources(node):
    return voice.cluster(node).resources


def look_anew(lab, node, places):
    """Let the cluster look what runs where, and wait until it has found that."""
    node.run(["crm_resource", "--refresh"])
    lab.wait(lambda: {r.id: r.nodes for r in resources(node)} == places, 30, f"it to see {places}")


def test_pacemaker_stops_on_a_node_in_maintenance_of_its_own(quiet, active, passive):
    own_maintenance(active, "--update", "true")
    quiet.wait(lambda: not any(r.managed for r in resources(active)), 30, "the maintenance")
    serves = f"{active.name} is in maintenance of its own and serves VoiceServices"
    assert page(quiet, active).startswith(f"!!  {serves}")
    (line,) = check_lines(quiet, passive, "holders")
    assert (line["verdict"], line["node"], line["blocks"]) == ("fail", active.name, True)
    lint = quiet.salt_call(passive, "fsha.lint", cib="live").value
    assert f"{active.name} is in maintenance of its own" in lint

    active.run(["systemctl", "stop", "pacemaker"])
    quiet.wait(lambda: voice.cluster(passive).dc == passive.name, 60, "the other DC")
    # Any change of the CIB lets the cluster look, which else it does at its next recheck.
    passive.run(["crm_attribute", "--name", "nudge", "--update", "1"])
    quiet.wait(lambda: len(quiet.vip_holders()) == 2, 60, "the second holder")
    passive.run(["crm_attribute", "--name", "nudge", "--delete"])
    left = f"{active.name} left in maintenance and MAY STILL HOLD {VIP}"
    with quiet.events("fsha/operator") as bus:
        (line,) = check_lines(quiet, passive, "holders")
    assert line["evidence"] == f"{left}, which {passive.name} holds as well"
    assert [told["danger"] for told in facts_of(bus)] == ["left"]
    assert page(quiet, passive).startswith(f"!!  {left}")

    # What the advice says, step by step.
    on = quiet.salt_call(passive, "fsha.maintenance", "on", reason="it left").value
    assert on["result"] is True
    refused = quiet.salt_call(passive, "fsha.maintenance", "off").value
    assert (refused["result"], left in refused["comment"]) == (False, True)
    active.run(["systemctl", "start", "pacemaker"])
    quiet.wait(lambda: voice.cluster(passive).node(active.name).online, 60, "its return")
    own_maintenance(active, "--delete")
    both = tuple(quiet.nodes)
    quiet.wait(lambda: sorted(resources(passive)[0].nodes) == sorted(both), 30, "two holders")
    refused = quiet.salt_call(passive, "fsha.maintenance", "off").value
    assert (refused["result"], "TWO HOLDERS of" in refused["comment"]) == (False, True)
    assert page(quiet, active).startswith(f"!!  TWO HOLDERS of {VIP}: ip_shared runs on ")
    passive.run(["ip", "address", "del", f"{VIP}/24", "dev", "eth0"])
    look_anew(quiet, passive, {"ip_shared": (active.name,), "fs": (active.name,)})
    assert dangers(quiet, passive) == {}
    off = quiet.salt_call(passive, "fsha.maintenance", "off").value
    assert off["result"] is True
    wait_settled(quiet)
    assert (quiet.vip_holders(), voice.serving(quiet)) == ([active.name], active.name)
    assert voice.cluster(active).failures == ()


# --- the network ------------------------------------------------------------------------------


def test_the_cable_of_the_address_is_pulled(quiet, active, passive):
    with quiet.probe() as probe:
        probe.wait_answered_by(active.name)
        quiet.link_down(active.name, 0)
        try:
            quiet.wait(lambda: "silent" in dangers(quiet, passive), 30, "the silence")
            told = f"VoiceServices serves on {active.name}, VIP {VIP}, BUT NOBODY ANSWERS"
            assert told in page(quiet, passive)
            here = page(quiet, active, local=True)
            assert f"nobody can reach {VIP}: eth0 of this node has no link" in here
            (line,) = check_lines(quiet, passive, "vip")
            assert (line["verdict"], line["blocks"]) == ("fail", False)
            assert "salt-call --local fsha.failover" in line["advice"]
            done = quiet.salt_call(passive, "fsha.failover", timeout=120).value
            probe.wait_answered_by(passive.name)
        finally:
            quiet.link_up(active.name, 0)
    assert (done["result"], done["new"], done["silent_before"]) == (True, passive.name, True), done
    assert f"for at least {done['gap']:g} s" in done["comment"]
    # It knows of the silence only since it looked.
    assert 0 < done["gap"] <= probe.result.longest.seconds
    assert dangers(quiet, passive) == {}
    quiet.wait_minions([active])


def test_the_pair_splits_and_meets_again(quiet, active, passive):
    let_minions_ask(quiet)
    quiet.outside.run(["salt-run", "saltutil.sync_runners"])
    pair = (active, passive)
    quiet.partition()
    try:
        for node in pair:
            quiet.wait(
                lambda n=node: voice.cluster(n).serving("VoiceServices") == n.name, 60, "two"
            )
        assert salt_run(quiet, "fsha.status").startswith("voice: THE PAIR HAS SPLIT: ")
        refused = salt_run(quiet, "fsha.failover", "voice")
        assert (refused["result"], "HAS SPLIT" in refused["comment"]) == (False, True)
        with quiet.events("fsha/ring") as bus:
            assert page(quiet, active).startswith(f"!!  SPLIT: this node sees {passive.name} as ")
            for node in pair:
                (line,) = check_lines(quiet, node, "holders")
                both = f"BOTH SERVE VoiceServices and hold {VIP}"
                assert (line["verdict"], line["evidence"].endswith(both)) == ("fail", True), line
        assert [told["split"] for told in facts_of(bus)] == [True, True]
    finally:
        quiet.heal()
    for node in pair:
        quiet.wait(lambda n=node: together(n), 120, f"{node.name} to see both nodes")
    wait_settled(quiet)
    assert quiet.vip_holders() == [voice.serving(quiet)]
    (seen,) = salt_run(quiet, "fsha.status", "as_data=True")
    assert (seen["split"], seen["active"]) == ("", voice.serving(quiet))


# --- what a switchover leaves -----------------------------------------------------------------

PREFER = "prefers-home"


def test_a_hold_is_announced_and_what_has_not_moved_is_forgotten(quiet, active, passive):
    preference = (
        f'<rsc_location id="{PREFER}" rsc="VoiceServices" node="{active.name}" score="5000"/>'
    )
    active.run(["cibadmin", "--create", "--scope", "constraints", "--xml-text", preference])
    try:
        plan = quiet.salt_call(active, "fsha.failover", test=True).value
        assert (plan["result"], plan["hold"]) == (True, True), plan
        never = f"Nothing fails over to {active.name} meanwhile"
        assert never in plan["comment"]
        done = quiet.salt_call(active, "fsha.failover", timeout=120).value
        assert (done["result"], done["hold"], never in done["comment"]) == (True, True, True)
        assert f"it can't fail over to {active.name} meanwhile" in page(quiet, passive)
        back = quiet.salt_call(passive, "fsha.failback", timeout=120).value
        assert (back["result"], back["new"]) == (True, active.name), back
    finally:
        active.run(["cibadmin", "--delete", "--xml-text", f'<rsc_location id="{PREFER}"/>'])
    assert not leftovers(active)
    # There and back is on record now, which is no reason to move what has not moved since.
    with quiet.calls(1, held=0, ringing=0) as calls:
        draining(quiet, active, 120)
        active.run(["systemctl", "kill", "--signal=KILL", "draining"])
        quiet.wait(lambda: ended(active, "draining"), 30, "its end")
        done = quiet.salt_call(active, "fsha.failback", timeout=120).value
        assert done["result"] is True
        assert done["comment"].startswith("Nothing had moved of the failover of VoiceServices")
        assert voice.serving(quiet) == active.name
        assert "verb" not in operation(active)
        assert "new calls are refused" not in page(quiet, active)
    assert calls.result.counts("answered").survived == 1


# --- profiles and processes -------------------------------------------------------------------


def running_profiles(lab, node):
    return [*lab.salt_call(node, "freeswitch.profiles").value]


def test_a_profile_that_runs_on_the_cold_standby_is_told(quiet, active, passive):
    bind = "net.ipv4.ip_nonlocal_bind={}"
    passive.run(["sysctl", bind.format(1)])
    try:
        passive.run(["systemctl", "restart", "freeswitch"])
        quiet.wait(lambda: running_profiles(quiet, passive), 30, "the profile")
        quiet.salt_call(passive, "fsha.facts")
        (line,) = check_lines(quiet, active, "stray")
        assert (line["verdict"], line["node"]) == ("warn", passive.name)
        assert "sofia profile internal stop" in line["advice"]
    finally:
        passive.run(["sysctl", bind.format(0)])
        passive.run(["systemctl", "restart", "freeswitch"])
    quiet.wait(lambda: not running_profiles(quiet, passive), 30, "its end")


def test_a_start_that_fails_leaves_no_profile(quiet, active, passive):
    """Another host answers for the address, so the calls are not taken over."""
    second = ["ip", "address", "{}", f"{VIP}/32", "dev", "br0"]
    quiet.outside.run([word.format("add") for word in second])
    ban = ["crm_resource", "--resource", "VoiceServices", "--node", active.name]
    try:
        active.run([*ban, "--ban"])
        quiet.wait(lambda: voice.cluster(active).failures, 60, "the failed start")
    finally:
        quiet.outside.run([word.format("delete") for word in second])
        active.run([*ban, "--clear"])
    (failure,) = voice.cluster(active).failures
    assert (failure.resource, failure.node) == ("fs", passive.name)
    quiet.wait(lambda: voice.serving(quiet) == active.name, 60, "the pair to serve again")
    assert running_profiles(quiet, passive) == []
    active.run(["crm_resource", "--cleanup"])
    wait_settled(quiet)


RAW = ("Traceback", "<pacemaker-result", "its root is")


def test_corosync_crashes_on_the_standby(quiet, active, passive):
    """Each answer there is a page or a sentence, until one says what to do."""
    answers = []

    def says_what_to_do():
        done = passive.run(["salt-call", "--local", "fsha.status"], check=False)
        answers.append(done.out + done.err)
        return "start what is not running" in answers[-1]

    passive.kill("corosync")
    try:
        quiet.wait(says_what_to_do, 60, "what to do")
        assert [text for text in answers if any(word in text for word in RAW)] == []
        assert "systemctl status corosync pacemaker" in answers[-1]
        lost = f"!!  {passive.name} was lost, and without fencing"
        quiet.wait(lambda: page(quiet, active).startswith(lost), 60, "the loss of the node")
        report = quiet.salt_call(passive, "fsha.check", as_data=True, local=True).value
        assert [(line["name"], line["verdict"]) for line in report["lines"]] == [
            ("cluster", "fail")
        ]
    finally:
        # Pacemaker goes on without it and tries to reach it again, for ever (2.1.5).
        passive.run(["systemctl", "start", "corosync"])
    for node in (passive, active):
        quiet.wait(lambda n=node: is_whole(n), 60, f"{node.name} to see both nodes")
    wait_settled(quiet)
    assert voice.serving(quiet) == active.name
    assert dangers(quiet, active) == {}


def is_whole(node):
    status = voice.cluster_if_up(node)
    return status is not None and {n.word for n in status.nodes} == {"online"}
