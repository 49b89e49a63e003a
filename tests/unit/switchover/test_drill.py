"""The verb drill: over and back, or skipped with the reason."""

import pytest

from fshalib.pacemaker import tools
from fshalib.switchover import bans
from fshalib.switchover.drill import LAST, drill, last
from fshalib.switchover.operate import Given
from tests.unit.switchover.fakes import Checked, FreeSwitch

GIVEN = Given(None, 1, 0)


@pytest.fixture
def drilled(cluster):
    """A pair on which the service runs where no ban keeps it away."""
    cluster.on_file = True
    cluster.change = lambda edit: place(cluster, edit(cluster.root))
    cluster.simulate = lambda root: would(cluster, root)
    return cluster


def place(cluster, root):
    cluster.root = root
    banned = bans.bans_of(root, "VoiceServices")
    now = cluster.seen.serving("VoiceServices")
    cluster.moves_to(next(node for node in (now, "fs1", "fs2") if node not in banned))


def would(cluster, root):
    banned = bans.bans_of(root, "VoiceServices")
    to = next((node for node in ("fs2", "fs1") if banned and node not in banned), "")
    moved = cluster.moved
    placement = dict.fromkeys(moved.placement, (to,))
    return type(moved)(moved.actions if banned else (), placement)


def test_there_and_back(context, drilled, events):
    done = drill(context(), GIVEN, 0)
    assert done["result"] is True, done["comment"]
    assert done["comment"].startswith("There: VoiceServices moved from fs1 to fs2")
    assert " Back: VoiceServices moved from fs2 to fs1" in done["comment"]
    assert (done["skipped"], done["there"]["new"], done["back"]["new"]) == (False, "fs2", "fs1")
    assert drilled.seen.serving("VoiceServices") == "fs1"
    ways = [data["way"] for _, _, data in events if data["phase"] == "finished"]
    assert ways == ["there", "back"]
    assert {data["verb"] for _, _, data in events} == {"drill"}
    # The other node, whose journal has nothing of it, knows when it was.
    assert set(drilled.attributes[LAST]) == {"fs1", "fs2"}
    assert last(drilled, "") == last(drilled, "2001-01-01T00:00:00Z") > "2026"
    assert last(drilled, "2999-01-01T00:00:00Z") == "2999-01-01T00:00:00Z"


def test_it_is_for_the_node_that_serves(context, cluster, events):
    cluster.me = "fs2"
    done = drill(context(), GIVEN, 0)
    assert (done["result"], done["skipped"]) == (True, True)
    assert done["comment"] == "Skipped: fs1 serves, so it is for that node to run it."
    assert (cluster.changes, events) == ([], [])


@pytest.mark.parametrize(
    ("parts", "most", "why"),
    [
        ({"freeswitch": FreeSwitch(3)}, 2, "3 call legs are up, and max_calls is 2"),
        ({"check": lambda: Checked(failures="switch: it is down")}, 0, "switch: it is down"),
    ],
)
def test_it_is_skipped_with_an_event(context, cluster, events, parts, most, why):
    done = drill(context(**parts), GIVEN, most)
    assert (done["result"], done["skipped"]) == (False, True)
    assert done["comment"] == f"Skipped: {why}."
    ((_, subject, data),) = events
    assert (subject, data["phase"], data["why"]) == ("VoiceServices", "skipped", done["comment"])
    assert cluster.changes == []


def test_a_test_run_moves_nothing(context, cluster, events):
    done = drill(context(test=True), GIVEN, 0)
    assert done["comment"] == "VoiceServices would go to fs2 and back to fs1."
    assert (cluster.changes, events) == ([], [])


def test_whoever_is_at_it_goes_first(context, cluster, running):
    running()
    done = drill(context(), GIVEN, 0)
    assert done["comment"].startswith("Nothing was moved: there is a failover")
    assert cluster.changes == []


def test_whoever_is_at_it_in_a_slow_move_is_named(context, cluster, running, events):
    running()
    cluster.moves_to()
    done = drill(context(), GIVEN, 0)
    assert done["comment"].startswith("Nothing was moved: there is a failover of VoiceServices")
    assert (done["skipped"], events) == (False, [])


def test_the_other_nodes_drill_of_the_same_schedule_is_no_failure(context, running, events):
    running(verb="drill")
    done = drill(context(), GIVEN, 0)
    assert (done["result"], done["skipped"], events) == (True, True, [])
    assert done["comment"].startswith("Skipped: there is a drill of VoiceServices from fs1 to fs2")


@pytest.mark.parametrize("most", ["many", True, -1])
def test_a_number_of_calls_that_is_none(context, most):
    assert drill(context(), GIVEN, most)["comment"].startswith("Nothing was moved: max_calls: ")


def test_a_standby_that_does_not_come_back_leaves_it_there(context, drilled):
    switch = FreeSwitch(0)
    switch.is_ready = lambda: False
    done = drill(context(freeswitch=switch), Given(None, 0.01, 0), 0)
    assert done["result"] is False
    assert done["comment"].endswith(
        "VoiceServices STAYS on fs2: the switch of fs1 is not back. fsha.failback goes back."
    )
    assert "back" not in done
    assert last(drilled, "") == ""


def test_a_cluster_that_breaks_off_on_the_way_back_is_said(context, drilled):
    def lost(_seconds):
        raise tools.NotSettled(1.0)

    drilled.settle = lost
    done = drill(context(), GIVEN, 0)
    assert "STAYS on fs2: The cluster has not settled within 1 s." in done["comment"]
