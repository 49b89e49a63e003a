"""The verbs drain and undrain."""

from fshalib.events import event
from fshalib.freeswitch import client
from fshalib.pacemaker import tools
from fshalib.switchover import lock
from fshalib.switchover.drain import drain, undrain
from tests.unit.switchover.fakes import FreeSwitch


def test_a_drain_refuses_new_calls_and_waits(context, cluster, events):
    switch = FreeSwitch(2, 0)
    done = drain(context(freeswitch=switch), 30)
    assert done == {
        "result": True,
        "comment": "New calls are refused on this node; 0 call legs are up.",
        "legs": 0,
    }
    assert switch.said == ["pause"]
    assert events == [(event.OPERATOR, "calls", {"verb": "drain", "by": "alice", "seconds": 30.0})]
    assert cluster.running is None


def test_calls_that_do_not_end_in_time(context):
    done = drain(context(freeswitch=FreeSwitch(*[2] * 9)), 0.01)
    assert (done["result"], done["legs"]) == (False, 2)
    # Nobody waits for what nobody has asked for.
    assert drain(context(freeswitch=FreeSwitch(*[2] * 9)), 0)["result"] is True


def test_somebody_who_lets_calls_in_ends_the_drain(context):
    switch = FreeSwitch(2, 2)
    switch.let_in = True
    done = drain(context(freeswitch=switch), 30)
    assert done["comment"] == "Somebody lets this node take new calls again."


def test_a_test_run_refuses_nothing(context, events):
    switch = FreeSwitch(3)
    done = drain(context(freeswitch=switch, test=True), 30)
    assert done["comment"] == "New calls would be refused on this node; 3 call legs are up."
    assert undrain(context(freeswitch=switch, test=True))["result"] is True
    assert (switch.said, events) == ([], [])


def test_a_number_of_seconds_that_is_none(context):
    assert "drain has to lie between 0" in drain(context(), 99999)["comment"]


def test_a_drain_needs_no_cluster(context, cluster):
    cluster.me = tools.ClusterDown()
    assert drain(context(), 0)["result"] is True


def test_a_switch_that_does_not_answer(context, events):
    def down():
        raise client.SwitchUnreachable("it is down")

    switch = FreeSwitch()
    switch.pause = switch.resume = down
    for done in (drain(context(freeswitch=switch), 0), undrain(context(freeswitch=switch))):
        assert done["comment"] == "FreeSWITCH does not answer on this node: it is down."
    assert events == []


def test_undrain_forgets_a_drain_of_this_node_that_was_interrupted(
    context, cluster, running, events
):
    running("drain", "", "", "drain", "fs1", since=1.0)
    switch = FreeSwitch()
    assert undrain(context(freeswitch=switch))["comment"] == "New calls are taken on this node."
    assert switch.said == ["resume"]
    assert cluster.attributes[lock.ATTRIBUTE] == {}
    assert events == [(event.OPERATOR, "calls", {"verb": "undrain", "by": "alice"})]


def test_nobody_takes_calls_in_the_middle_of_a_switchover(context, running, events):
    running()
    switch = FreeSwitch()
    done = undrain(context(freeswitch=switch))
    assert done["comment"].startswith("Nothing done: there is a failover of VoiceServices")
    assert drain(context(freeswitch=switch), 0)["comment"].startswith("Nothing done: there is a")
    assert (switch.said, events) == ([], [])
