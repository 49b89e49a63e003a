"""The pair, looked at from one minion: what it knows, and what moved by itself."""

import dataclasses
import json

import pytest

from fshalib.checks import pair as checks_pair
from fshalib.checks.minion import Minion
from fshalib.errors import LiveError
from fshalib.events import journal
from fshalib.pacemaker import tools as pacemaker_tools
from fshalib.switchover import unplanned
from fshalib.switchover.dangers import Danger
from tests.unit.switchover.fakes import Cluster

LINK = {"node": "fs2", "number": 1, "address": "192.0.2.2", "connected": False}
RING = {"running": True, "links": [LINK]}
MOVE = unplanned.Move("VoiceServices", "fs2", "fs1", 1.0, 2.0, "fs2 was lost")


@pytest.fixture
def fired():
    return []


@pytest.fixture
def minion(tmp_path, fired):
    return Minion(
        {"id": "minion1", journal.OPTION: str(tmp_path / "journal")},
        {},
        fire=lambda *event: fired.append(event),
        ring=lambda: RING,
        state_run=lambda: "state.apply",
        ask_facts=lambda _name: None,
    )


def test_an_event_is_sent_in_the_minions_name_and_kept(minion, fired):
    minion.send("operator", "calls", {"verb": "drain"})
    ((tag, event),) = fired
    assert (tag, event["minion"]) == ("fsha/operator/minion1/calls", "minion1")
    assert len(journal.read(journal.place(minion.opts))) == 1


class Named:
    def __init__(self, name):
        self.name = name

    def this_node(self):
        if isinstance(self.name, Exception):
            raise self.name
        return self.name


@pytest.mark.parametrize(
    ("name", "shown"),
    [("pbx1.example.net", "pbx1.example.net"), ("", "minion1"), (LiveError("down"), "minion1")],
)
def test_a_node_has_its_name_in_the_cluster_not_its_minions(minion, name, shown):
    assert checks_pair.node_name(minion, Named(name)) == shown


def test_the_last_drill_is_read_from_the_journal(minion, tmp_path):
    assert minion.last_drill() == ""
    data = {"phase": "finished", "verb": "drill", "way": "back"}
    minion.send("failover", "VoiceServices", data)
    assert minion.last_drill().endswith("Z")
    file = journal.place(minion.opts)
    file.unlink()
    file.mkdir()
    assert minion.last_drill() == ""


def test_facts_are_noted_for_the_other_node(minion, status, pair, monkeypatch):
    noted = []
    monkeypatch.setattr(pacemaker_tools, "note", lambda *args: noted.append(args))
    monkeypatch.setattr(checks_pair.node_facts, "gather", lambda node, _ask: {"node": node})
    facts = checks_pair.facts(minion, Cluster(status, pair))
    assert (facts["node"], facts["minion"], facts["state_run"]) == ("fs1", "minion1", "state.apply")
    assert facts["links_down"] == ["link 1 to fs2"]
    assert facts["cluster"] == {"serves": ["VoiceServices"], "away": []}
    ((name, text, nodes),) = noted
    assert (name, json.loads(text), nodes) == ("fsha-facts", facts, ["fs1"])


@pytest.mark.parametrize(("me", "tells"), [("fs1", 1), ("fs2", 0)])
def test_what_moved_by_itself_is_told_by_the_node_that_serves(
    minion, status, pair, fired, monkeypatch, me, tells
):
    monkeypatch.setattr(unplanned, "notice", lambda *_: MOVE)
    assert checks_pair.notice(minion, status, pair, me) == MOVE.as_data()
    assert len(fired) == tells
    (entry,) = journal.read(journal.place(minion.opts))
    assert entry["at"] == "1970-01-01T00:00:01Z"


def test_a_schedule_that_loses_its_arguments_is_among_the_facts(minion, status, pair, monkeypatch):
    monkeypatch.setattr(pacemaker_tools, "note", lambda *_: None)
    monkeypatch.setattr(checks_pair.node_facts, "gather", lambda node, _ask: {"node": node})
    minion.opts["schedule"] = {"keep": {"function": "state.apply", "kwargs": {"queue": True}}}
    facts = checks_pair.facts(minion, Cluster(status, pair))
    assert facts["queued_jobs"] == ["keep (state.apply)"]


def test_nothing_new_is_no_event(minion, status, pair, fired, monkeypatch):
    monkeypatch.setattr(unplanned, "notice", lambda *_: None)
    assert checks_pair.notice(minion, status, pair, "fs1") is None
    assert fired == []


@pytest.fixture
def attributes(monkeypatch):
    """Transient attributes that this node has noted."""
    found = {}
    monkeypatch.setattr(pacemaker_tools, "noted", lambda name: {"fs1": found.get(name, "")})
    monkeypatch.setattr(
        pacemaker_tools, "note", lambda name, value, _nodes: found.update({name: value})
    )
    return found


def danger(kind):
    return Danger(kind, "fs2", f"{kind} it is", "do something")


@pytest.mark.parametrize(
    ("kind", "tag"),
    [
        ("split", "fsha/ring/minion1/fs2"),
        ("serves", "fsha/operator/minion1/fs2"),
        ("left", "fsha/operator/minion1/fs2"),
    ],
)
def test_a_danger_is_told_once_until_it_is_over(minion, status, fired, attributes, kind, tag):
    for _ in range(2):
        checks_pair.tell(minion, status, "fs1", [danger(kind)])
    ((sent, event),) = fired
    assert sent == tag
    assert f"{kind} it is. Do something." in str(event["data"])
    checks_pair.tell(minion, status, "fs1", [])
    assert attributes == {checks_pair.TOLD: "-"}
    checks_pair.tell(minion, status, "fs1", [danger(kind)])
    assert len(fired) == 2


def test_each_half_of_a_split_tells_it_but_only_the_dc_of_a_whole_pair(
    minion, status, fired, attributes
):
    elsewhere = dataclasses.replace(status, dc="fs2")
    checks_pair.tell(minion, elsewhere, "fs1", [danger("left"), danger("split"), danger("lost")])
    ((_, event),) = fired
    assert event["data"]["split"] is True
    assert attributes == {checks_pair.TOLD: "left:fs2 lost:fs2 split:fs2"}


def test_without_a_danger_nothing_is_noted(minion, status, fired, attributes):
    checks_pair.tell(minion, status, "fs1", [])
    assert (fired, attributes) == ([], {})


def test_a_look_tells_of_moves_and_of_dangers(minion, status, pair, fired, attributes, monkeypatch):
    monkeypatch.setattr(unplanned, "notice", lambda *_: MOVE)
    monkeypatch.setattr(checks_pair.collect, "threats", lambda *_: (danger("split"),))
    assert checks_pair.look(minion, Cluster(status, pair)) == MOVE.as_data()
    assert [event["kind"] for _, event in fired] == ["failover", "ring"]


def test_a_cluster_that_can_not_be_asked_is_a_line(minion, status, pair):
    def lost():
        raise pacemaker_tools.ClusterDown

    cluster = Cluster(status, pair)
    cluster.status = lost
    (line,) = checks_pair.check_or_say(minion, cluster)
    assert (line.name, line.verdict, line.blocks) == ("cluster", "fail", True)
