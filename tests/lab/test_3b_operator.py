"""fsha.check, drill, the runner, and what operators set, on the recommended pair."""

from __future__ import annotations

import json
import time

from lab import VIP, voice
from tests.lab.test_3_switchover import leftovers, other

# --- is it ready? ----------------------------------------------------------------------------


def test_the_checklist_of_a_pair_that_is_ready(quiet):
    active = voice.serving(quiet)
    passive = other(quiet, active)
    # Each one notes its facts, so that the other one can compare them.
    for node in (passive, active):
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
        assert found.value["verdict"] == "warn"  # no fencing in the lab
        assert found.code == 1


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
    quiet.power_on(passive)
    quiet.wait(
        lambda: voice.cluster(quiet.nodes[active]).node(passive).word == "online", 120, "rejoin"
    )


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
