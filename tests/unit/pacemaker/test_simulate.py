"""What crm_simulate says, as data and for people."""

import pytest

from fshalib.pacemaker import simulate
from fshalib.pacemaker.simulate import Action, parse_transition
from fshalib.system import programs


def test_a_move(sample):
    transition = parse_transition(sample("transition-move.xml"))
    assert [str(action) for action in transition.actions] == [
        "move ip_shared from fs1 to fs2",
        "move fs from fs1 to fs2",
    ]
    assert transition.interrupted == ("ip_shared", "fs")
    assert transition.placement == {"ip_shared": ("fs2",), "fs": ("fs2",)}


def test_a_restart_names_its_node_and_reason(sample):
    transition = parse_transition(sample("transition-restart.xml"))
    assert [str(action) for action in transition.actions] == [
        "restart ip_shared on fs1 (resource definition change)",
        "restart fs on fs1 (required ip_shared start)",
    ]
    assert transition.interrupted == ("ip_shared", "fs")


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (Action("start", "fs", "fs1"), "start fs on fs1"),
        (Action("stop", "fs", "fs1", blocked=True), "stop fs on fs1 (blocked)"),
        (Action("stop", "fs", "fs1", reason="node gone"), "stop fs on fs1 (node gone)"),
        (Action("recover", "fs", "fs1"), "recover fs on fs1"),
        (Action("fence", "fs1", "fs1"), "fence fs1 on fs1"),
    ],
)
def test_actions_for_people(action, text):
    assert str(action) == text


def test_what_only_starts_or_is_blocked_interrupts_nothing():
    actions = (Action("start", "a", "fs1"), Action("stop", "b", "fs1", blocked=True))
    assert simulate.Transition(actions, {}).interrupted == ()


def test_a_blocked_action_is_read_as_one():
    text = (
        '<pacemaker-result><actions><rsc_action action="stop" resource="fs" node="fs1" '
        'reason="start fs" blocked="true"/></actions></pacemaker-result>'
    )
    transition = parse_transition(text)
    assert [str(action) for action in transition.actions] == ["stop fs on fs1 (blocked) (start fs)"]
    assert transition.interrupted == ()


def test_what_is_handed_over_is_not_stopped():
    actions = (Action("stop", "s:0", "fs1", reason="gone"), Action("restart", "s", "fs1"),
               Action("stop", "fs", "fs1"))  # fmt: skip
    seen = simulate.with_handed_over(simulate.Transition(actions, {}), {"s"})
    assert [str(action) for action in seen.actions] == [
        "leave s:0 on fs1 to systemd, running",
        "restart s on fs1",
        "stop fs on fs1",
    ]
    assert seen.interrupted == ("s", "fs")


def test_what_stays_is_no_action():
    text = (
        '<pacemaker-result><actions><rsc_action action="leave" resource="a" node="fs1"/>'
        '<rsc_action action="none" resource="b" node="fs1"/></actions></pacemaker-result>'
    )
    assert parse_transition(text).actions == ()


def test_no_xml_is_no_transition():
    with pytest.raises(simulate.NoTransition, match=r"^crm_simulate gave no transition: "):
        parse_transition("crm_simulate: could not")
    assert issubclass(simulate.NoTransition, programs.RunError)
