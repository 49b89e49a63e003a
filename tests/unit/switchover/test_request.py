"""What an operator orders: within which bounds, from where to where, and when it is refused."""

import dataclasses
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fshalib.pacemaker.simulate import Action, Transition
from fshalib.switchover import bans, preflight
from fshalib.switchover import bans as switchover_bans
from fshalib.switchover.bans import with_bans
from fshalib.switchover.lock import MOVE, RunningVerb
from fshalib.switchover.request import (
    Arguments,
    Bounds,
    bounds,
    failback,
    failover,
    foretold,
    look_again,
    whole,
)
from fshalib.switchover.service import Service, SwitchoverRefused

VOICE = Service("VoiceServices", ("ip_shared", "fs"), ())
ARGUMENTS = Arguments(Bounds(), "alice", "fs1")
NOTED = (
    '<transient_attributes id="1"><instance_attributes id="status-1">'
    f'<nvpair id="s" name="{switchover_bans.PREVIOUS}" value="%s"/></instance_attributes>'
    "</transient_attributes>"
)
NOTED_BAN = f'<nvpair id="b" name="{bans.BANNED}VoiceServices" value="%s"/>'


@pytest.fixture
def moving(sample, tools):
    """The cluster would move the service from fs1 to fs2."""
    tools.say("crm_simulate", out=sample("transition-move.xml"))
    return partial(preflight.simulate, run=tools)


def came_from(root, node):
    next(root.iter("node_state")).append(etree.fromstring(NOTED % node))
    return root


def refusal(request, *args, **kwargs):
    with pytest.raises(SwitchoverRefused) as refused:
        request(*args, **kwargs)
    return str(refused.value)


# --- numbers ---------------------------------------------------------------------------------


def test_numbers_come_as_text_from_a_command_line():
    assert bounds("90", "5080", "2.5") == Bounds(90.0, 5080, 2.5)
    assert bounds(90, 5060.0) == Bounds(90.0, 5060, 0.0)
    assert whole("3", "max_calls") == 3


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("soon", 5060), "have to be numbers, not timeout='soon'"),
        (("nan", "sip"), "not timeout='nan' and sip_port='sip'"),
        ((True, 5060), "not timeout=True"),
        ((0, 5060), "timeout has to lie between 0 and 3600 s"),
        (("inf", 5060), "timeout has to lie between 0 and 3600 s"),
        ((60, 5060, -1), "drain has to lie between 0 and 3600 s"),
        ((60, -1), "sip_port has to be a whole number between 0 and 65535"),
        ((60, "5060.5"), "sip_port has to be a whole number between 0 and 65535"),
        ((60, "inf"), "sip_port has to be a whole number between 0 and 65535"),
    ],
)
def test_what_is_no_number_or_out_of_bounds(args, said):
    assert said in refusal(bounds, *args)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.none(), st.booleans()))
def test_any_input_is_within_bounds_or_refused(value):
    for args in ((value, 5060), (60, value), (60, 5060, value)):
        try:
            found = bounds(*args)
        except SwitchoverRefused:
            continue
        assert 0 < found.timeout <= 3600
        assert 0 <= found.sip_port <= 65535
        assert 0 <= found.drain <= 3600


@pytest.mark.parametrize("number", ["many", -1, 1.5, True, None, ""])
def test_what_is_no_whole_number(number):
    assert "max_calls: a whole number is expected" in refusal(whole, number, "max_calls")


# --- there -----------------------------------------------------------------------------------


def test_the_node_that_is_left_is_banned(status, pair, moving, tools):
    request, transition = failover(status, pair, ARGUMENTS, simulate=moving)
    assert (request.old, request.new, request.banned) == ("fs1", "fs2", ("fs1",))
    assert (request.verb, request.by, request.me, request.moved) == (
        "failover",
        "alice",
        "fs1",
        False,
    )
    assert [str(action) for action in transition.actions] == [
        "move ip_shared from fs1 to fs2",
        "move fs from fs1 to fs2",
    ]
    ((_, simulated, _),) = tools.calls
    assert "cli-ban-VoiceServices-on-fs1" in simulated


def test_what_the_cluster_would_not_do_is_refused(status, pair, sample, tools):
    tools.say("crm_simulate", out=sample("transition-restart.xml"))
    said = refusal(
        failover, status, pair, ARGUMENTS, simulate=partial(preflight.simulate, run=tools)
    )
    assert "the cluster would not start VoiceServices on fs2; it would: " in said


def test_obstacles_and_a_ban_are_told_together(status, pair, moving):
    standby = tuple(dataclasses.replace(n, standby=n.name == "fs2") for n in status.nodes)
    away = dataclasses.replace(status, nodes=standby, quorate=False)
    banned = with_bans(pair, VOICE, ["fs2"])
    said = refusal(failover, away, banned, ARGUMENTS, simulate=moving)
    assert "fs2 is standby" in said
    assert "the cluster has no quorum" in said
    assert "fs2 was banned by hand (cli-ban-VoiceServices-on-fs2); lift that first with" in said


def test_a_hold_is_no_ban_by_hand(status, pair, moving):
    held = came_from(with_bans(pair, VOICE, ["fs2"]), "fs2")
    said = refusal(failover, status, held, ARGUMENTS, simulate=moving)
    assert "a hold is in force that keeps VoiceServices on fs1" in said
    assert "fsha.failback lifts it and goes back" in said


def test_only_the_node_that_serves_can_refuse_calls(status, pair, moving):
    afar = Arguments(Bounds(drain=30), "alice", "fs2")
    said = "only fs1 itself can refuse new calls"
    assert said in refusal(failover, status, pair, afar, simulate=moving)
    assert said in refusal(failback, status, came_from(pair, "fs2"), afar, simulate=moving)
    here = dataclasses.replace(afar, me="fs1")
    assert failover(status, pair, here, simulate=moving)[0].bounds.drain == 30


def test_a_service_that_does_not_run_once_is_not_moved(status, pair, moving):
    for nodes, said in (((), "runs nowhere"), (("fs1", "fs2"), "runs on fs1, fs2")):
        resources = tuple(dataclasses.replace(r, nodes=nodes) for r in status.resources)
        found = dataclasses.replace(status, resources=resources)
        assert said in refusal(failover, found, pair, ARGUMENTS, simulate=moving)


def operation(new, service="VoiceServices", verb="failback"):
    return RunningVerb(verb, "bob", "fs2", service, "fs2", new, 1.0, 1.0, MOVE)


def test_what_was_interrupted_after_its_move_is_finished(status, pair, tools):
    request, transition = failover(status, pair, ARGUMENTS, None, [operation("fs1")], tools)
    assert (request.verb, request.old, request.new) == ("failback", "fs2", "fs1")
    assert (request.moved, request.by, request.banned) == (True, "alice", ())
    assert transition is None
    assert tools.calls == []


@pytest.mark.parametrize(
    ("stale", "target"),
    [
        (operation("fs2"), None),  # it had not moved
        (dataclasses.replace(operation("fs1"), phase="drain"), None),
        (operation("fs1"), "fs2"),  # but the other way is what is wanted now
        (operation("fs1", service="Other"), None),
        (operation(""), None),  # a drain
    ],
)
def test_what_was_interrupted_before_is_begun_anew(status, pair, moving, stale, target):
    request, _ = failover(status, pair, ARGUMENTS, target, [stale], moving)
    assert (request.verb, request.new, request.moved) == ("failover", "fs2", False)


# --- and back --------------------------------------------------------------------------------


def test_the_way_back_needs_no_ban_where_the_configuration_leads_there(status, pair, moving):
    request, transition = failback(status, came_from(pair, "fs2"), ARGUMENTS, moving)
    assert (request.verb, request.old, request.new, request.banned) == (
        "failback",
        "fs1",
        "fs2",
        (),
    )
    assert transition.actions


def test_the_way_back_is_a_ban_where_it_does_not(status, pair, sample, tools):
    tools.say("crm_simulate", out=sample("transition-restart.xml"))
    tools.say("crm_simulate", out=sample("transition-move.xml"))
    request, transition = failback(
        status, came_from(pair, "fs2"), ARGUMENTS, partial(preflight.simulate, run=tools)
    )
    assert request.banned == ("fs1",)
    assert [action.action for action in transition.actions] == ["move", "move"]
    lifted, banned = (cib for _, cib, _ in tools.calls)
    assert "cli-ban-VoiceServices-on-fs1" not in lifted
    assert "cli-ban-VoiceServices-on-fs1" in banned


def test_a_ban_that_would_only_stop_the_service_is_refused(status, pair, sample, tools):
    tools.say("crm_simulate", out=sample("transition-restart.xml"))
    restarting = partial(preflight.simulate, run=tools)
    said = refusal(failback, status, came_from(pair, "fs2"), ARGUMENTS, restarting)
    assert "the cluster would not start VoiceServices on fs2; it would: " in said


def test_a_ban_by_hand_is_not_lifted_by_the_way_back(status, pair, moving):
    banned = with_bans(came_from(pair, "fs2"), VOICE, ["fs2"])
    nvset = banned.find("status/node_state/transient_attributes/instance_attributes")
    nvset.append(etree.fromstring(f'<nvpair id="b" name="{bans.BANNED}VoiceServices" value="-"/>'))
    said = refusal(failback, status, banned, ARGUMENTS, moving)
    assert "fs2 was banned by hand" in said


def test_a_way_back_that_was_interrupted_is_found_by_its_hold(status, pair, moving):
    """It has noted the node that it was to leave already, and lifted nothing yet."""
    banned = with_bans(came_from(pair, "fs1"), VOICE, ["fs2"])
    nvset = banned.find("status/node_state/transient_attributes/instance_attributes")
    nvset.append(etree.fromstring(NOTED_BAN % "fs1 fs2"))
    request, _ = failback(status, banned, ARGUMENTS, moving)
    assert (request.old, request.new) == ("fs1", "fs2")


def test_a_service_that_a_switchover_keeps_from_running_is_brought_back(status, pair, moving):
    nowhere = dataclasses.replace(
        status, resources=tuple(dataclasses.replace(r, nodes=()) for r in status.resources)
    )
    banned = with_bans(came_from(pair, "fs1"), VOICE, ["fs1"])
    said = refusal(failover, nowhere, banned, ARGUMENTS, simulate=moving)
    assert "runs nowhere; a switchover keeps it from fs1: fsha.failback lifts that" in said
    request, _ = failback(nowhere, banned, ARGUMENTS, moving)
    assert (request.old, request.new, request.banned, request.from_nowhere) == (
        "fs1",
        "fs2",
        (),
        True,
    )
    assert look_again(nowhere, banned, request, moving).actions
    by_hand = with_bans(pair, VOICE, ["fs1"])
    by_hand.remove(by_hand.find("status"))
    said = refusal(failback, nowhere, by_hand, ARGUMENTS, moving)
    assert "look at fsha.status first" in said


def test_without_an_earlier_switchover_there_is_no_way_back(status, pair, tools):
    assert "there is no earlier switchover to undo" in refusal(
        failback, status, pair, ARGUMENTS, tools
    )


def test_the_way_back_to_a_node_that_can_not_is_refused(status, pair, tools):
    standby = tuple(dataclasses.replace(n, standby=n.name == "fs2") for n in status.nodes)
    away = dataclasses.replace(status, nodes=standby)
    assert "fs2 is standby" in refusal(failback, away, came_from(pair, "fs2"), ARGUMENTS, tools)


# --- just before it moves --------------------------------------------------------------------


def test_what_was_so_before_the_drain_may_be_so_no_longer(status, pair, moving):
    request, _ = failover(status, pair, ARGUMENTS, simulate=moving)
    assert look_again(status, pair, request, moving).actions
    elsewhere = tuple(dataclasses.replace(r, nodes=("fs2",)) for r in status.resources)
    moved = dataclasses.replace(status, resources=elsewhere)
    said = refusal(look_again, moved, pair, request, moving)
    assert "VoiceServices has come to fs2 meanwhile" in said
    standby = tuple(dataclasses.replace(n, standby=n.name == "fs2") for n in status.nodes)
    away = dataclasses.replace(status, nodes=standby)
    assert "fs2 is standby" in refusal(look_again, away, pair, request, moving)
    banned = with_bans(pair, VOICE, ["fs2"])
    assert "fs2 was banned by hand" in refusal(look_again, status, banned, request, moving)


def test_the_way_back_lifts_the_hold(status, pair, moving):
    held = came_from(with_bans(pair, VOICE, ["fs2"]), "fs2")
    request, _ = failback(status, held, ARGUMENTS, moving)
    assert look_again(status, held, request, moving).actions
    drill = dataclasses.replace(request, verb="drill", way="back")
    assert look_again(status, held, drill, moving).actions
    there = dataclasses.replace(drill, way="there")
    assert "a hold is in force" in refusal(look_again, status, held, there, moving)


# --- the plan --------------------------------------------------------------------------------


def test_the_plan_in_sentences(status, pair, moving):
    request, transition = failover(status, pair, ARGUMENTS, simulate=moving)
    assert foretold(request, transition, None).splitlines() == [
        "VoiceServices would move from fs1 to fs2.",
        "The cluster would: move ip_shared from fs1 to fs2; move fs from fs1 to fs2.",
        "Which calls would survive only fs1 can tell: run it there.",
    ]
    drained = dataclasses.replace(request, bounds=Bounds(drain=90))
    assert "First new calls would be refused for up to 90 s." in foretold(drained, None, None)
    done = dataclasses.replace(request, moved=True)
    assert foretold(done, None, None).startswith("What was interrupted would be finished; ")
    assert "The cluster would" not in foretold(request, Transition((), {}), None)
    start = Transition((Action("start", "fs", "fs2"),), {})
    assert "The cluster would: start fs on fs2." in foretold(request, start, None)
