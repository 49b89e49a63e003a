"""The verbs failover and failback: what is refused, what is shown, what is done."""

from fshalib.events import event
from fshalib.pacemaker import tools
from fshalib.switchover import lock
from fshalib.switchover.operate import Given, failback, failover
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
