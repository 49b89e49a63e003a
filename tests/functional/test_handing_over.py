"""A switch that leaves the cluster and goes on running, as Pacemaker itself foresees it."""

import pytest

from fshalib.change import stop_first
from fshalib.cib import document
from fshalib.cib.target import DesiredObjects, target
from fshalib.pacemaker import simulate, tools

GROUP = "VoiceServices"


@pytest.fixture
def unit(cib_file):
    """The pair with FreeSWITCH's own unit in the group, in place of its profiles."""
    old, new = 'class="lsb" type="FSSofia"', 'class="systemd" type="freeswitch"'
    cib_file.path.write_text(cib_file.text.replace(old, new), encoding="utf-8")
    return cib_file


def foreseen(root):
    transition = simulate.parse_transition(tools.foresee(document.render(root)))
    return [str(action) for action in transition.actions]


@pytest.mark.parametrize("removed", [("fs",), ("fs", "ip_shared", GROUP, "voice-prefers-fs1")])
def test_nothing_happens_to_it_on_the_way(unit, removed):
    found = target(unit.root, DesiredObjects(absent=removed))
    running = {"fs": ("fs1",), "ip_shared": ("fs1",)}
    halfway = stop_first.stopped_first(found, running, "run")
    document.next_version(halfway)
    stops = ["stop ip_shared on fs1"] if "ip_shared" in removed else []
    assert [line.partition(" (")[0] for line in foreseen(halfway)] == stops
    assert tools.verify(document.render(document.configuration_only(halfway))) == ()
    # Simply removed it would be stopped.
    document.next_version(found.root)
    assert any(line.startswith("stop fs on fs1") for line in foreseen(found.root))


def test_without_stickiness_nothing_moves_either(unit):
    """What runs and is not managed counts as load of its node."""
    unit.by_hand("cibadmin", "--delete", "--xpath", "//nvpair[@name='resource-stickiness']")
    unit.by_hand("cibadmin", "--delete", "--xpath", "//rsc_location")
    assert unit.count("//rsc_location | //nvpair[@name='resource-stickiness']") == 0
    found = target(unit.root, DesiredObjects(absent=("fs",)))
    halfway = stop_first.stopped_first(found, {"fs": ("fs1",), "ip_shared": ("fs1",)}, "run")
    document.next_version(halfway)
    assert foreseen(halfway) == []


def test_the_plan_says_so_and_asks_for_no_calls(unit, loaders):
    pacemaker = loaders.modules.pacemaker
    pacemaker.stage("primitive", "leave", "fs", absent=True)
    plan = pacemaker.plan("leave")
    assert plan["transition"] == ["leave fs on fs1 to systemd, running"]
    assert (plan["interrupted"], plan["guard"]["allowed"]) == ({}, True)
