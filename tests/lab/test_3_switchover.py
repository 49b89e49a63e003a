"""fsha.failover, fsha.failback and fsha.status on the recommended pair."""

from __future__ import annotations

import time

from lab import voice


def other(lab, node):
    return next(n for n in lab.nodes if n != node)


def leftovers(node):
    return "cli-" in node.run(["cibadmin", "--query", "--xpath", "//constraints"], check=False).out


def test_over_and_back(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    with quiet.events("fsha/failover") as bus, quiet.probe() as probe:
        probe.wait_answered_by(old)
        done = quiet.salt_call(node, "fsha.failover", timeout=120)
        probe.wait_answered_by(new)
    assert done.code == 0, done.value
    assert (done.value["result"], done.value["old"], done.value["new"]) == (True, old, new)
    assert done.value["hold"] is False
    assert 0 < done.value["seconds"] < 60
    assert voice.serving(quiet) == new
    assert quiet.vip_holders() == [new]
    assert not leftovers(node)
    assert set(probe.result.answered_by) == {old, new}
    assert (probe.result.longest.from_node, probe.result.longest.to_node) == (old, new)
    phases = [data["data"]["data"]["phase"] for _, data in bus.events]
    assert phases == ["started", "check", "move", "verify", "clean up", "finished"]
    assert [phase["name"] for phase in done.value["phases"]] == phases[1:-1]
    assert 0 < done.value["gap"] < done.value["seconds"] + 5
    assert done.value["calls"] == {"before": 0, "expected": 0, "kept": 0}
    last = quiet.salt_call(node, "fsha.history", 1, kind="failover").value[0]
    assert last["data"]["gap"] == done.value["gap"]
    assert voice.apply(quiet).changes == {}
    back = quiet.salt_call(quiet.nodes[new], "fsha.failback", timeout=120)
    assert back.value["result"] is True
    assert voice.serving(quiet) == old
    assert not leftovers(node)


def test_refused_when_the_peer_is_in_standby(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    node.run(["crm_standby", "--node", new, "--update", "on"])
    try:
        done = quiet.salt_call(node, "fsha.failover", timeout=60)
        assert done.value["result"] is False
        assert done.code != 0
        assert f"{new} is standby" in done.value["comment"]
        assert voice.serving(quiet) == old
        assert not leftovers(node)
    finally:
        node.run(["crm_standby", "--node", new, "--delete"])


def test_refused_for_unknown_and_active_targets(quiet):
    old = voice.serving(quiet)
    node = quiet.nodes[old]
    for target, word in ((old, "already"), ("nosuch", "no node of this cluster")):
        done = quiet.salt_call(node, "fsha.failover", target, timeout=60)
        assert done.value["result"] is False
        assert word in done.value["comment"]
    assert voice.serving(quiet) == old


def test_killed_in_the_middle_it_leaves_what_failback_resolves(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    node.run(["systemd-run", "--unit=switchover", "salt-call", "fsha.failover"])
    quiet.wait(lambda: leftovers(node), 60, "the ban")
    node.run(["systemctl", "kill", "--signal=KILL", "switchover"])
    quiet.wait(lambda: voice.serving(quiet) == new, 60, "the cluster to finish the move")
    page = quiet.salt_call(node, "fsha.status", timeout=60).value
    assert f"cli-ban-VoiceServices-on-{old}" in page
    assert "salt-call fsha.failback" in page
    # A run leaves it where it is.
    assert voice.apply(quiet).changes == {}
    assert voice.serving(quiet) == new
    back = quiet.salt_call(node, "fsha.failback", timeout=120).value
    assert back["result"] is True
    assert voice.serving(quiet) == old
    assert not leftovers(node)


def test_a_ban_by_hand_is_not_lifted_by_a_switchover(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    ban = ["crm_resource", "--resource", "VoiceServices", "--node", new]
    # Switchovers before this one have come from there, and hold nothing any more.
    node.run([*ban, "--ban"])
    try:
        for verb in ("fsha.failover", "fsha.failback"):
            done = quiet.salt_call(node, verb, timeout=60)
            assert done.value["result"] is False
            assert "banned by hand" in done.value["comment"]
            assert voice.serving(quiet) == old
        assert leftovers(node)
    finally:
        node.run([*ban, "--clear"])


def test_a_plan_tells_what_becomes_of_the_calls(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    with quiet.calls(3, held=0, ringing=0):
        here = quiet.salt_call(quiet.nodes[old], "fsha.failover", test=True, timeout=60).value
        there = quiet.salt_call(quiet.nodes[new], "fsha.failover", test=True, timeout=60).value
    assert (here["result"], here["old"], here["new"]) == (True, old, new)
    assert here["plan"]["calls"]["legs"] == 3
    assert "3 call legs are up, and are hung up" in here["comment"]
    assert f"only {old} can tell" in there["comment"]
    assert voice.serving(quiet) == old


def draining(lab, node, seconds):
    """Begin a switchover that waits for calls to end, as a unit of its own."""
    argv = ["systemd-run", "--unit=draining", "salt-call", "fsha.failover", f"drain={seconds}"]
    node.run([*argv, "by=alice"])
    lab.wait(lambda: "drain" in operation(node), 60, "the drain")


def operation(node):
    argv = ["attrd_updater", "--query", "--all", "--name", "fsha-operation"]
    return node.run(argv, check=False).out


def test_a_second_operator_is_refused_and_the_first_one_waits_for_calls(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    with quiet.calls(2, held=0, ringing=0) as calls:
        draining(quiet, quiet.nodes[old], 120)
        for node in (quiet.nodes[new], quiet.nodes[old]):
            refused = quiet.salt_call(node, "fsha.failover", timeout=60).value
            assert refused["result"] is False
            assert f"failover of VoiceServices from {old} to {new} by alice" in refused["comment"]
        assert "goes on (phase drain)" in quiet.salt_call(quiet.nodes[new], "fsha.status").value
        assert voice.serving(quiet) == old
    assert calls.result.counts("answered").survived == 2
    quiet.wait(lambda: voice.serving(quiet) == new, 60, "the move after the calls")
    quiet.wait(lambda: "verb" not in operation(quiet.nodes[new]), 30, "the end of the operation")
    assert not leftovers(quiet.nodes[new])


def test_while_somebody_moves_it_nobody_sets_anything(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    with quiet.calls(1, held=0, ringing=0):
        draining(quiet, quiet.nodes[old], 120)
        for node, verb, args in (
            (new, "fsha.standby", {"reason": "disk", "by": "bob"}),
            (new, "fsha.maintenance", {"state": "on", "reason": "kernel"}),
            (old, "fsha.undrain", {}),
            (old, "fsha.drain", {}),
        ):
            refused = quiet.salt_call(quiet.nodes[node], verb, timeout=60, **args).value
            assert refused["result"] is False
            assert f"failover of VoiceServices from {old} to {new} by alice" in refused["comment"]
        assert voice.cluster(quiet.nodes[new]).node(new).word == "online"
    quiet.wait(lambda: voice.serving(quiet) == new, 60, "the move after the calls")
    quiet.wait(lambda: "verb" not in operation(quiet.nodes[new]), 30, "the end of the operation")


def test_a_drain_that_is_over_and_one_that_is_ended(quiet):
    node = quiet.nodes[voice.serving(quiet)]
    done = quiet.salt_call(node, "fsha.drain", 5, timeout=60).value
    assert (done["result"], done["legs"]) == (True, 0)
    assert "new calls are refused here" in quiet.salt_call(node, "fsha.status").value
    assert quiet.salt_call(node, "fsha.undrain").value["result"] is True
    with quiet.calls(1, held=0, ringing=0):
        node.run(["systemd-run", "--unit=slow", "salt-call", "fsha.drain", "300", "by=alice"])
        quiet.wait(lambda: "drain" in operation(node), 60, "the drain")
        quiet.wait(
            lambda: "new calls are refused" in quiet.salt_call(node, "fsha.status").value,
            60, "the pause",
        )  # fmt: skip
        assert quiet.salt_call(node, "fsha.undrain").value["result"] is True
        quiet.wait(lambda: ended(node, "slow"), 30, "its end")
    assert "verb" not in operation(node)


def test_killed_in_its_drain_it_says_so_and_is_finished_or_undone(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    with quiet.calls(1, held=0, ringing=0):
        draining(quiet, node, 120)
        quiet.wait(
            lambda: "new calls are refused" in quiet.salt_call(node, "fsha.status").value,
            60, "the pause",
        )  # fmt: skip
        node.run(["systemctl", "kill", "--signal=KILL", "draining"])
        quiet.wait(
            lambda: "WAS INTERRUPTED (phase drain)" in quiet.salt_call(node, "fsha.status").value,
            60, "the word that it was interrupted",
        )  # fmt: skip
        page = quiet.salt_call(node, "fsha.status").value
        assert "new calls are refused" in page
        assert quiet.salt_call(node, "fsha.undrain").value["result"] is True
        assert voice.serving(quiet) == old
    done = quiet.salt_call(node, "fsha.failover", timeout=120).value
    assert done["result"] is True, done
    assert voice.serving(quiet) == new
    assert "INTERRUPTED" not in quiet.salt_call(node, "fsha.status").value


def test_killed_after_its_move_it_is_finished_by_the_same_order(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    node.run(["systemd-run", "--unit=moving", "salt-call", "fsha.failover"])
    quiet.wait(lambda: leftovers(node), 60, "the ban")
    node.run(["systemctl", "kill", "--signal=KILL", "moving"])
    quiet.wait(lambda: voice.serving(quiet) == new, 60, "the cluster to finish the move")
    quiet.wait(
        lambda: "WAS INTERRUPTED" in quiet.salt_call(node, "fsha.status").value, 60, "that word"
    )
    done = quiet.salt_call(node, "fsha.failover", timeout=120).value
    assert done["result"] is True
    assert "what was interrupted is done" in done["comment"]
    assert voice.serving(quiet) == new
    assert not leftovers(node)


def test_cut_off_in_the_middle_the_service_goes_on_and_the_cut_is_told(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    node = quiet.nodes[old]
    begun = time.monotonic()
    node.run(["systemd-run", "--unit=cut", "salt-call", "fsha.failover", "timeout=120"])
    quiet.wait(lambda: leftovers(node), 60, "the ban")
    quiet.partition()
    try:
        quiet.wait(lambda: ended(node, "cut"), 90, "the end of the switchover")
        # It does not wait for the timeout without a service.
        assert time.monotonic() - begun < 60
        last = quiet.salt_call(node, "fsha.history", 1, kind="failover").value[0]["data"]
        assert last["phase"] in ("failed", "finished")
        if last["phase"] == "failed":
            assert f"{new} is OFFLINE" in last["why"]
            assert voice.cluster(node).serving("VoiceServices") == old
        page = quiet.salt_call(node, "fsha.status").value
        assert "NOT CONNECTED" in page
        assert "OFFLINE" in page
    finally:
        quiet.heal()
    for name in quiet.nodes:
        quiet.wait(lambda n=name: together(quiet.nodes[n]), 120, f"{name} to see both nodes")
    node.run(["crm_resource", "--wait", "--timeout=60s"], timeout=90)
    now = voice.serving(quiet)
    assert now
    assert quiet.vip_holders() == [now]
    # Whatever was left: the same order again, or the way back, brings it in order.
    verb = "fsha.failback" if leftovers(node) else "fsha.failover"
    done = quiet.salt_call(node, verb, timeout=120).value
    assert done["result"] is True, done
    assert not leftovers(node)


def ended(node, unit):
    return node.run(["systemctl", "is-active", unit], check=False).out.strip() != "active"


def together(node):
    return {n.word for n in voice.cluster(node).nodes} == {"online"}


def test_text_for_a_number_moves_nothing(quiet):
    old = voice.serving(quiet)
    for argument in ("timeout=soon", "timeout=nan", "timeout=0", "sip_port=sip", "sip_port=70000"):
        done = quiet.salt_call(quiet.nodes[old], "fsha.failover", argument, timeout=60)
        assert done.value["result"] is False
        assert done.code != 0
        assert done.value["comment"].startswith("Nothing was moved: ")
    assert voice.serving(quiet) == old


def test_a_target_that_fails_gives_the_service_back(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    # Nothing can answer there: the start of the profiles fails.
    quiet.nodes[new].run(["systemctl", "stop", "freeswitch"])
    try:
        done = quiet.salt_call(quiet.nodes[old], "fsha.failover", "timeout=150", timeout=400)
        assert done.value["result"] is False
        assert new in done.value["comment"]
        assert voice.serving(quiet) == old
    finally:
        quiet.nodes[new].run(["systemctl", "start", "freeswitch"])
        quiet.nodes[old].run(["crm_resource", "--cleanup"])
        quiet.wait(lambda: voice.serving(quiet) == old, 60, "the pair to settle")
    assert not leftovers(quiet.nodes[old])


def test_status_on_one_page_and_as_data(quiet):
    active = voice.serving(quiet)
    node = quiet.nodes[active]
    page = quiet.salt_call(node, "fsha.status", timeout=60).value
    assert f"VoiceServices serves on {active}" in page
    data = quiet.salt_call(node, "fsha.status", as_data=True, timeout=60).value
    assert data["service"]["node"] == active
    assert data["quorate"] is True
    assert data["profiles"] == {"internal": 0}
    assert {n["state"] for n in data["nodes"]} == {"online"}
    assert len(data["rings"]) == 2
    assert all(link["connected"] for link in data["rings"])
    assert data["leftovers"] == []
    assert data["fail_counts"] == []


def test_power_cut_of_the_active_node(quiet):
    old = voice.serving(quiet)
    new = other(quiet, old)
    quiet.power_off(old)
    quiet.wait(lambda: voice.serving(quiet) == new, 60, "the survivor to serve")
    page = quiet.salt_call(quiet.nodes[new], "fsha.status", timeout=60).value
    assert "OFFLINE" in page or "UNCLEAN" in page
    noticed = quiet.salt_call(quiet.nodes[new], "fsha.notice").value
    assert (noticed["old"], noticed["new"], noticed["why"]) == (old, new, f"{old} was lost")
    assert quiet.salt_call(quiet.nodes[new], "fsha.notice").value is None
    (last,) = quiet.salt_call(quiet.nodes[new], "fsha.history", 1, kind="failover").value
    assert last["data"]["phase"] == "unplanned"
    refused = quiet.salt_call(quiet.nodes[new], "fsha.failover", timeout=60).value
    assert refused["result"] is False
    assert old in refused["comment"]
    quiet.power_on(old)
    quiet.wait(lambda: voice.cluster(quiet.nodes[new]).node(old).word == "online", 120, "rejoin")
    quiet.wait(lambda: bool(voice.serving(quiet)), 60, "the pair to serve")


def test_orderly_power_off_of_the_active_node(quiet):
    """Pacemaker and the switch are stopped side by side: the service must still get away."""
    old = voice.serving(quiet)
    new = other(quiet, old)
    quiet.nodes[old].run(["systemctl", "poweroff", "--no-block"])
    quiet.wait(
        lambda: voice.cluster(quiet.nodes[new]).serving("VoiceServices") == new, 60, "the survivor"
    )
    quiet.wait(lambda: not quiet.nodes[old].running, 90, "the end of the node")
    quiet.power_on(old)
    quiet.wait(lambda: voice.cluster(quiet.nodes[new]).node(old).word == "online", 120, "rejoin")
