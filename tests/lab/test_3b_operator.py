"""fsha.check, drill, the runner, and what operators set, on the recommended pair."""

from __future__ import annotations

import json
import time

from lab import VIP, voice
from lab.settings import LINKS
from lab.settings import OUTSIDE as OUTSIDE_MACHINE
from tests.lab.conftest import let_minions_ask
from tests.lab.test_3_switchover import leftovers, other

OUTSIDE = LINKS[0].address(OUTSIDE_MACHINE.host)
NOBODY = LINKS[0].address(250)

# --- is it ready? ----------------------------------------------------------------------------


def test_the_checklist_of_a_pair_that_is_ready(quiet):
    active = voice.serving(quiet)
    passive = other(quiet, active)
    # Each one notes its facts, so that the other one can compare them.
    for node in (passive, active):
        quiet.nodes[node].run(["ip", "route", "replace", "default", "via", OUTSIDE])
        quiet.salt_call(quiet.nodes[node], "fsha.facts", timeout=60)
    for node in (active, passive):
        found = quiet.salt_call(quiet.nodes[node], "fsha.check", as_data=True, timeout=60)
        lines = {(line["name"], line["node"]): line for line in found.value["lines"]}
        failed = [line for line in found.value["lines"] if line["verdict"] == "fail"]
        assert failed == []
        assert lines["vip", ""]["verdict"] == "pass", lines["vip", ""]
        assert lines["agents", ""]["verdict"] == "pass"
        assert {lines["switch", name]["verdict"] for name in quiet.nodes} <= {"pass", "warn"}
        assert lines["failover", ""]["evidence"].endswith(f"on {passive}")
        assert {lines["router", name]["verdict"] for name in quiet.nodes} == {"pass"}
        # They share a kernel, so their clocks can't differ.
        (clock,) = (line for line in found.value["lines"] if line["name"] == "offset")
        assert (clock["verdict"], clock["node"]) == ("pass", other(quiet, node)), clock
        assert found.value["verdict"] == "warn"  # no fencing in the lab
        assert found.code == 1


def test_a_gateway_that_does_not_answer_stands_in_the_way(quiet):
    active = voice.serving(quiet)
    peer = quiet.nodes[other(quiet, active)]
    peer.run(["ip", "route", "replace", "default", "via", NOBODY])
    try:
        quiet.salt_call(peer, "fsha.facts", timeout=60)
        done = quiet.salt_call(quiet.nodes[active], "fsha.failover", timeout=60).value
    finally:
        peer.run(["ip", "route", "replace", "default", "via", OUTSIDE])
        quiet.salt_call(peer, "fsha.facts", timeout=60)
    assert done["result"] is False
    assert f"network gateway on {peer.name}: {NOBODY} DOES NOT ANSWER" in done["comment"]
    assert voice.serving(quiet) == active


def test_facts_come_from_the_other_minion_where_the_master_lets_them(quiet):
    active = voice.serving(quiet)
    passive = other(quiet, active)
    let_minions_ask(quiet)
    # Nothing is noted in the cluster, so there is no other way.
    quiet.nodes[active].run(["attrd_updater", "--name=fsha-facts", "--delete", "-N", passive])
    found = quiet.salt_call(quiet.nodes[active], "fsha.check", as_data=True, timeout=60).value
    told = {line["node"]: line["evidence"] for line in found["lines"] if line["name"] == "facts"}
    assert told[passive] == "0 minutes old"


def test_the_checklist_when_the_peer_is_dead(quiet):
    active = voice.serving(quiet)
    passive = other(quiet, active)
    quiet.power_off(passive)
    quiet.wait(
        lambda: voice.cluster(quiet.nodes[active]).node(passive).word != "online", 60, "its end"
    )
    begun = time.monotonic()
    found = quiet.salt_call(quiet.nodes[active], "fsha.check", as_data=True, timeout=60)
    assert time.monotonic() - begun < 20
    assert (found.value["verdict"], found.code) == ("fail", 2)
    assert f"{passive} is" in found.value["summary"]
    assert quiet.salt_call(quiet.nodes[active], "fsha.notice").value is None
    quiet.power_on(passive)
    quiet.wait(
        lambda: voice.cluster(quiet.nodes[active]).node(passive).word == "online", 120, "rejoin"
    )


def test_whoever_is_not_root_moves_nothing(quiet):
    active = voice.serving(quiet)
    node = quiet.nodes[active]
    home = "/run/nobodys-salt"
    node.run(["install", "--directory", "--owner=nobody", home])
    # Salt itself refuses to start where it may not write its log.
    node.write(
        f"{home}/minion",
        f"root_dir: {home}\nuser: nobody\nfile_client: local\nid: {active}\n"
        "module_dirs: [/srv/formula]\n",
    )
    argv = ["runuser", "--user=nobody", "--", "salt-call", "--local", f"--config-dir={home}",
            "--module-dirs=/srv/formula", "--retcode-passthrough", "--out=json"]  # fmt: skip
    for order in (["fsha.failover"], ["fsha.drill"], ["fsha.standby", "reason=x"]):
        done = node.run([*argv, *order], timeout=60, check=False)
        answer = json.loads(done.out)["local"]
        assert (answer["result"], done.code) == (False, 1), done
        assert "run as root" in answer["comment"]
    assert voice.serving(quiet) == active


def test_a_second_holder_of_the_vip_fails_the_check(quiet):
    active = voice.serving(quiet)
    peer = quiet.nodes[other(quiet, active)]
    peer.run(["ip", "address", "add", f"{VIP}/24", "dev", "eth0"])
    try:
        found = quiet.salt_call(quiet.nodes[active], "fsha.check", as_data=True, timeout=60).value
    finally:
        peer.run(["ip", "address", "del", f"{VIP}/24", "dev", "eth0"])
    (line,) = [line for line in found["lines"] if line["name"] == "vip"]
    assert line["verdict"] == "fail"
    assert "answers for" in line["evidence"]


def test_a_drill_goes_there_and_back(quiet):
    active = voice.serving(quiet)
    node = quiet.nodes[active]
    skipped = quiet.salt_call(quiet.nodes[other(quiet, active)], "fsha.drill", timeout=120).value
    assert (skipped["result"], skipped["skipped"]) == (True, True)
    with quiet.calls(1, held=0, ringing=0):
        busy = quiet.salt_call(node, "fsha.drill", timeout=120).value
    assert (busy["result"], busy["skipped"]) == (False, True)
    assert "1 call legs are up" in busy["comment"]
    done = quiet.salt_call(node, "fsha.drill", timeout=300).value
    assert done["result"] is True, done
    assert voice.serving(quiet) == active
    assert done["there"]["gap"] > 0
    assert done["back"]["gap"] > 0
    assert not leftovers(node)
    status = quiet.salt_call(node, "fsha.status", as_data=True, timeout=60).value
    assert status["last_drill"]
    history = quiet.salt_call(node, "fsha.history", 50, kind="failover").value
    assert [e["data"]["phase"] for e in history].count("skipped") == 1


# --- from the master -------------------------------------------------------------------------


def salt_run(lab, *argv):
    done = lab.outside.run(["salt-run", "--out=json", *argv], timeout=400)
    return json.loads(done.out)


def test_the_master_goes_by_the_minion_that_is_alive(quiet):
    quiet.outside.run(["salt-run", "saltutil.sync_runners"])
    old = voice.serving(quiet)
    quiet.nodes[old].run(["systemctl", "stop", "salt-minion"])
    try:
        assert f"no answer from {old}" in salt_run(quiet, "fsha.status")
        done = salt_run(quiet, "fsha.failover", "voice")
    finally:
        quiet.nodes[old].run(["systemctl", "start", "salt-minion"])
    assert (done["result"], done["minion"]) == (True, other(quiet, old)), done
    assert voice.serving(quiet) == other(quiet, old)
    quiet.wait_minions(quiet.nodes.values())


def test_the_master_sees_the_pair_and_moves_it(quiet):
    quiet.outside.run(["salt-run", "saltutil.sync_runners"])
    quiet.salt("*", "saltutil.sync_all", timeout=60)
    old = voice.serving(quiet)
    (pair,) = salt_run(quiet, "fsha.status", "as_data=True")
    assert (pair["active"], pair["silent"]) == (old, [])
    assert pair["verdict"] in ("pass", "warn"), pair
    assert salt_run(quiet, "fsha.status").startswith(f"{pair['cluster']}: {old} serves")
    refused = salt_run(quiet, "fsha.failover", "nosuch")
    assert refused["result"] is False
    done = salt_run(quiet, "fsha.failover", pair["cluster"])
    assert (done["result"], done["minion"]) == (True, old), done
    assert voice.serving(quiet) == other(quiet, old)


# --- what operators set ----------------------------------------------------------------------


def test_standby_with_who_and_why_is_left_alone_and_reported(quiet):
    active = voice.serving(quiet)
    passive = other(quiet, active)
    node = quiet.nodes[active]
    done = quiet.salt_call(node, "fsha.standby", passive, reason="new disk", ttl="1s", by="alice")
    assert done.value["result"] is True, done.value
    try:
        quiet.wait(lambda: voice.cluster(node).node(passive).word == "standby", 30, "the standby")
        with quiet.events("fsha/overdue") as bus:
            applied = voice.apply(quiet)
        assert applied.failed == []
        assert [data["data"]["kind"] for _, data in bus.events] == ["overdue"]
        comment = applied.state(active, "fsha-cluster-committed")["comment"]
        assert "by alice" in comment
        assert "OVERDUE" in comment
        assert voice.cluster(node).node(passive).word == "standby"
        refused = quiet.salt_call(node, "fsha.standby", active, reason="x", timeout=60).value
        assert "fsha.failover moves it first" in refused["comment"]
    finally:
        back = quiet.salt_call(node, "fsha.online", passive, timeout=60)
    assert back.value["result"] is True
    quiet.wait(lambda: voice.cluster(node).node(passive).word == "online", 30, "its return")
    assert voice.apply(quiet).changes == {}


def test_a_standby_until_the_reboot_is_ended_as_well(quiet):
    active = voice.serving(quiet)
    passive = other(quiet, active)
    node = quiet.nodes[active]
    node.run(["crm_attribute", "--node", passive, "--name", "standby", "--lifetime", "reboot",
              "--update", "on"])  # fmt: skip
    quiet.wait(lambda: voice.cluster(node).node(passive).word == "standby", 30, "the standby")
    done = quiet.salt_call(node, "fsha.online", passive, timeout=60).value
    assert done["result"] is True
    quiet.wait(lambda: voice.cluster(node).node(passive).word == "online", 30, "its return")
    again = quiet.salt_call(node, "fsha.online", passive, timeout=60).value
    assert again["comment"] == f"Nothing to do: {passive} is online."
