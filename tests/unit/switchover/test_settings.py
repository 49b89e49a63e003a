"""The verbs standby, online and maintenance."""

import dataclasses
from datetime import datetime, timezone

import pytest

from fshalib.change import annotation
from fshalib.events import event
from fshalib.pacemaker import tools
from fshalib.switchover.settings import maintenance, online, standby
from tests.unit.switchover.test_dangers import put_into_maintenance

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=timezone.utc)
NOTE = {"by": "alice", "reason": "disk", "since": "2026-09-01T08:00:00Z", "until": None}


def value(cluster, name):
    found = cluster.root.xpath("configuration//nvpair[@name=$name]/@value", name=name)
    return found[0] if found else None


@pytest.fixture
def pair_at_rest(cluster):
    """A pair on which nothing moves."""
    cluster.moves_to("fs1")
    cluster.bans = set
    return cluster


def test_standby_is_set_with_who_and_why(context, pair_at_rest, events):
    done = standby(context(), "fs2", "disk", None, False, NOW)
    assert done == {
        "result": True,
        "comment": "Done: fs2 is in standby.",
        "changes": {"fs2": "standby"},
    }
    assert value(pair_at_rest, "standby") == "on"
    assert annotation.parse(value(pair_at_rest, "fsha-standby")).by == "alice"
    assert events == [(event.OPERATOR, "fs2", {"verb": "standby", **NOTE})]
    assert online(context(), "fs2", NOW)["comment"] == "Done: fs2 is online."
    assert value(pair_at_rest, "standby") is None
    assert online(context(), "fs2", NOW)["comment"] == "Nothing to do: fs2 is online."


def test_a_standby_until_a_restart_is_ended_as_well(context, pair_at_rest):
    pair_at_rest.attributes["standby"] = {"fs2": "on"}
    assert online(context(), "fs2", NOW)["result"] is True
    assert pair_at_rest.attributes["standby"] == {}


def test_the_node_that_serves_is_not_put_into_standby_unless_forced(context, pair_at_rest, events):
    done = standby(context(), None, "disk", None, False, NOW)
    assert "VoiceServices serves on fs1: fsha.failover moves it first" in done["comment"]
    assert (pair_at_rest.changes, events) == ([], [])
    assert standby(context(), None, "disk", None, True, NOW)["changes"] == {"fs1": "standby"}


@pytest.mark.parametrize("state", ["on", True, 1])
def test_maintenance(context, pair_at_rest, events, state):
    assert maintenance(context(), state, "disk", "2h", NOW)["changes"] == {"on": "maintenance"}
    assert value(pair_at_rest, "maintenance-mode") == "true"
    assert maintenance(context(), "off", None, None, NOW)["changes"] == {"off": "maintenance"}
    assert value(pair_at_rest, "maintenance-mode") is None
    assert [subject for _, subject, _ in events] == ["on", "off"]


def test_a_nodes_own_maintenance_where_it_serves_is_warned_of(context, pair_at_rest):
    put_into_maintenance(pair_at_rest.root)
    for done in (
        standby(context(), "fs2", "disk", None, False, NOW),
        standby(context(test=True), "fs1", "disk", None, True, NOW),
    ):
        assert done["result"] is True
        assert " WARNING: fs1 is in maintenance of its own and serves" in done["comment"]
    # In maintenance mode nothing is started, so it is safe until that ends.
    done = maintenance(context(), "on", "new Pacemaker", None, NOW)
    assert done["comment"] == "Done: maintenance mode is on."
    done = maintenance(context(), "off", None, None, NOW)
    assert " WARNING: fs1 is in maintenance of its own and serves" in done["comment"]


def test_maintenance_mode_stays_on_while_a_node_that_left_may_have_the_address(
    context, pair_at_rest
):
    put_into_maintenance(pair_at_rest.root)
    assert maintenance(context(), "on", "fs1 left", None, NOW)["result"] is True
    nodes = tuple(dataclasses.replace(n, online=n.name == "fs2") for n in pair_at_rest.seen.nodes)
    pair_at_rest.seen = dataclasses.replace(pair_at_rest.seen, nodes=nodes)
    done = maintenance(context(), "off", None, None, NOW)
    assert done["result"] is False
    assert "fs1 left in maintenance and MAY STILL HOLD 10.101.20.219" in done["comment"]
    assert "end its own maintenance: crm_attribute --node fs1 " in done["comment"]
    assert value(pair_at_rest, "maintenance-mode") == "true"


def test_maintenance_mode_stays_on_while_something_runs_twice(context, pair_at_rest):
    assert maintenance(context(), "on", "fs1 left", None, NOW)["result"] is True
    resources = tuple(
        dataclasses.replace(r, nodes=("fs1", "fs2"), managed=False)
        for r in pair_at_rest.seen.resources
    )
    pair_at_rest.seen = dataclasses.replace(pair_at_rest.seen, resources=resources)
    done = maintenance(context(), "off", None, None, NOW)
    assert done["result"] is False
    assert "TWO HOLDERS of 10.101.20.219" in done["comment"]
    assert "the cluster would stop both, with all calls" in done["comment"]
    assert value(pair_at_rest, "maintenance-mode") == "true"


@pytest.mark.parametrize("state", ["maybe", None, [], {}])
def test_a_state_that_is_none(context, pair_at_rest, state):
    done = maintenance(context(), state, "disk", None, NOW)
    assert done["comment"] == f"on or off is expected, not {state!r}."
    assert pair_at_rest.changes == []


def test_a_test_run_sets_nothing(context, pair_at_rest, events):
    done = maintenance(context(test=True), "on", "disk", None, NOW)
    assert done["comment"] == "Would be set: maintenance mode is on."
    assert (pair_at_rest.changes, events) == ([], [])


def test_without_a_reason_nothing_is_set(context, pair_at_rest):
    done = standby(context(), "fs2", " ", None, False, NOW)
    assert done["comment"].startswith("Nothing done: a reason is expected")
    assert pair_at_rest.changes == []


def test_whoever_is_at_it_goes_first(context, pair_at_rest, running, events):
    running()
    done = maintenance(context(), "on", "disk", None, NOW)
    assert done["comment"].startswith("Nothing done: there is a failover of VoiceServices")
    assert (pair_at_rest.changes, events) == ([], [])


def test_a_plan_says_who_is_at_it(context, pair_at_rest, running):
    running()
    done = standby(context(test=True), "fs2", "disk", None, False, NOW)
    assert done["result"] is False
    assert done["comment"].startswith("It would be refused now: there is a failover of Voice")
    assert done["comment"].endswith(" Would be set: fs2 is in standby.")
    assert pair_at_rest.changes == []


def test_whoever_is_at_it_is_named_before_what_the_move_does_to_the_cluster(
    context, pair_at_rest, running
):
    running()
    done = standby(context(), "fs1", "disk", None, False, NOW)
    assert done["comment"].startswith("Nothing done: there is a failover of VoiceServices")


def test_a_commit_that_fails_is_told_and_no_event_is_sent(context, pair_at_rest, events):
    pair_at_rest.broken = tools.NoQuorum()
    done = maintenance(context(), "on", "disk", None, NOW)
    assert done["comment"].startswith("Nothing done: The cluster has no quorum")
    assert pair_at_rest.running is None
    assert events == []
