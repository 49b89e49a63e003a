"""The verbs failover and failback: what is refused, what is shown, what is done."""

import pytest
from lxml import etree

from fshalib.events import event
from fshalib.pacemaker import tools
from fshalib.pacemaker.simulate import Transition
from fshalib.switchover import bans, lock
from fshalib.switchover.operate import Given, failback, failover
from fshalib.switchover.service import find_service
from tests.unit.switchover.fakes import Checked, FreeSwitch

GIVEN = Given(None, 1, 0)


def phases(events):
    return [data["phase"] for kind, _, data in events if kind == event.FAILOVER]


def test_a_failover_tells_each_phase(context, cluster, events):
    cluster.on_file = True
    done = failover(context(), GIVEN, None, False)
    assert done["result"] is True, done["comment"]
    assert (done["old"], done["new"], done["hold"]) == ("fs1", "fs2", False)
    assert phases(events) == ["started", "check", "move", "verify", "clean up", "finished"]
    assert {(subject, data["by"]) for _, subject, data in events} == {("VoiceServices", "alice")}


def test_what_the_checklist_says_stands_in_the_way_unless_forced(context, cluster, events):
    cluster.on_file = True
    blocked = context(check=lambda: Checked(obstacles=["the switch is down"]))
    done = failover(blocked, GIVEN, None, False)
    assert done["comment"] == (
        "Nothing was moved: the switch is down; force=True goes on all the same."
    )
    assert (cluster.changes, events) == ([], [])
    assert failover(blocked, GIVEN, None, True)["result"] is True


def test_a_plan_moves_nothing(context, cluster, events):
    shown = failover(context(test=True), GIVEN, None, False)
    assert shown["result"] is True
    assert shown["comment"].startswith("VoiceServices would move from fs1 to fs2.")
    assert shown["comment"].endswith("Check: OK: 3 checks")
    assert shown["plan"]["calls"] == {"legs": 2, "survive": 2}
    assert (cluster.changes, events) == ([], [])


def test_a_plan_says_who_is_at_it(context, running):
    running()
    shown = failover(context(test=True), GIVEN, None, False)
    assert shown["result"] is False
    assert shown["comment"].startswith("It would be refused now: there is a failover of Voice")


def test_whoever_comes_second_moves_nothing(context, cluster, running, events):
    running()
    done = failover(context(), GIVEN, None, False)
    assert done["comment"].startswith("Nothing was moved: there is a failover of VoiceServices")
    assert (cluster.changes, events) == ([], [])


@pytest.mark.parametrize("verb", [failover, failback])
def test_whoever_comes_second_in_a_slow_move_is_told_who_is_at_it(
    context, cluster, running, events, verb
):
    """In the middle of a move the service runs nowhere: that is not what has to be said."""
    running()
    cluster.moves_to()
    orders = {failover: (GIVEN, None, False), failback: (GIVEN, False)}
    done = verb(context(), *orders[verb])
    assert done["comment"].startswith("Nothing was moved: there is a failover of VoiceServices")
    assert " by bob on fs2 " in done["comment"]
    shown = verb(context(test=True), *orders[verb])
    assert shown["comment"].startswith("It would be refused now: there is a failover of Voice")
    assert (cluster.changes, events) == ([], [])


def test_numbers_that_are_none(context):
    done = failover(context(), Given(None, "soon", 0), None, False)
    assert (done["result"], "not timeout='soon'" in done["comment"]) == (False, True)


def test_a_cluster_that_does_not_know_this_node(context, cluster):
    cluster.me = tools.ClusterDown()
    for done in (failover(context(), GIVEN, None, False), failback(context(), GIVEN, False)):
        assert done["comment"].startswith("Nothing was moved by fail")
        assert "Pacemaker does not run on this node" in done["comment"]


def test_what_was_interrupted_before_it_moved_is_forgotten(context, cluster, running):
    running(phase="drain", since=1.0, node="fs1")
    switch = FreeSwitch()
    shown = failback(context(test=True), GIVEN, False)
    assert shown["comment"].endswith("it would be forgotten.")
    done = failback(context(freeswitch=switch), GIVEN, False)
    assert done["comment"].endswith("it is forgotten, and new calls are taken here.")
    assert switch.said == ["resume"]
    assert cluster.attributes[lock.ATTRIBUTE] == {}


def test_there_is_nothing_to_go_back_to(context):
    assert "no earlier switchover to undo" in failback(context(), GIVEN, False)["comment"]


def banned(cluster, *nodes):
    """Let a switchover have banned nodes."""
    cluster.root = bans.with_bans(cluster.root, find_service(cluster.root), nodes)
    for state in cluster.root.iter("node_state"):
        holder = etree.SubElement(state, "transient_attributes")
        name = f"{bans.BANNED}VoiceServices"
        etree.SubElement(holder, "nvpair", name=name, value=" ".join(nodes))
    cluster.simulate = lambda _root: Transition((), {})


def test_a_way_back_that_was_interrupted_is_not_taken_for_a_switchover(context, cluster, running):
    """The target has not taken over, and the service has gone back before this was killed."""
    running(phase="move", since=1.0, node="fs1")
    banned(cluster, "fs2")
    done = failback(context(), GIVEN, False)
    assert (done["result"], cluster.bans()) == (True, set())
    assert done["comment"].startswith("Nothing was moved: VoiceServices serves on fs1, as before ")
    assert cluster.attributes[bans.PREVIOUS] == {"fs1": "fs1", "fs2": "fs1"}
    assert cluster.seen.serving("VoiceServices") == "fs1"


def test_a_ban_that_was_left_where_it_serves_is_lifted_without_a_record(context, cluster):
    banned(cluster, "fs1")
    shown = failback(context(test=True), GIVEN, False)
    assert shown["comment"].endswith("it would be forgotten, and its bans lifted.")
    assert cluster.bans() == {"fs1"}
    done = failback(context(), GIVEN, False)
    assert (done["result"], cluster.bans()) == (True, set())


def test_a_service_that_leaves_while_its_ban_is_lifted_is_said(context, cluster, running):
    running(phase="move", since=1.0, node="fs1")
    banned(cluster, "fs1")
    cluster.settle = lambda _seconds: cluster.moves_to("fs2")
    done = failback(context(), GIVEN, False)
    assert done["result"] is False
    assert "has left fs1 meanwhile and serves on fs2" in done["comment"]


@pytest.mark.parametrize(
    ("me", "said"),
    [
        ("fs1", "and new calls are taken here"),
        ("fs2", "fsha.undrain on fs1 lets it take new calls"),
    ],
)
def test_a_switch_that_a_drain_has_closed_before_the_move_is_opened(
    context, cluster, running, me, said
):
    running(phase="move", since=1.0, node="fs1")
    cluster.me = me
    switch = FreeSwitch()
    switch.pause()
    done = failback(context(freeswitch=switch), GIVEN, False)
    assert said in done["comment"]
    assert ("resume" in switch.said) is (me == "fs1")
