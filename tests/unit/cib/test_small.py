"""Waiting, what states return, and the status screen."""

import logging

import pytest

from fshalib.events import returns
from fshalib.freeswitch import client, recovery_db
from fshalib.report import text
from fshalib.schema import report
from fshalib.switchover import operator_settings
from fshalib.system import poll


class Clock:
    """Time that passes only while one sleeps."""

    def __init__(self):
        self.now = 100.0
        self.naps = []

    def sleep(self, seconds):
        self.naps.append(seconds)
        self.now += seconds

    def until(self, look, done, timeout, what="", interval=0.5):
        return poll.until(look, done, timeout, what, interval, lambda: self.now, self.sleep)


def test_waiting_ends_as_soon_as_it_may():
    clock, seen = Clock(), iter([1, 2, 3, 4])
    assert clock.until(lambda: next(seen), lambda n: n == 3, 60) == 3
    assert clock.naps == [0.5, 0.5]


def test_waiting_ends_when_the_time_is_up_with_what_was_seen_last():
    clock = Clock()
    assert clock.until(lambda: clock.now, lambda _: False, 1.2) == pytest.approx(101.2)
    assert clock.naps == pytest.approx([0.5, 0.5, 0.2])


def test_no_time_is_one_look():
    clock, looks = Clock(), []
    clock.until(lambda: looks.append(1), lambda _: False, 0)
    assert (len(looks), clock.naps) == (1, [])


def test_a_long_wait_says_what_it_waits_for(caplog):
    clock = Clock()
    with caplog.at_level(logging.INFO, logger="fshalib.system.poll"):
        clock.until(lambda: None, lambda _: False, 12, what="ring of fs1")
    assert [record.message for record in caplog.records] == [
        "ring of fs1: still waiting after 5 of 12 s",
        "ring of fs1: still waiting after 10 of 12 s",
    ]


def test_what_states_return():
    changes = {"a": {"old": 1, "new": 2}}
    assert returns.unchanged("n", "fine") == {
        "name": "n",
        "result": True,
        "changes": {},
        "comment": "fine",
    }
    assert returns.changed("n", changes, "c", test=True)["result"] is None
    assert returns.changed("n", changes, "c", test=False)["result"] is True
    assert returns.changed("n", changes, "c", test=True)["changes"] == changes
    assert returns.failed("n", "bad")["result"] is False
    assert returns.failed("n", "bad", changes)["changes"] == changes
    assert returns.not_yet("n", "wait")["result"] is None


PAIR = {
    "dc": "fs1",
    "quorate": True,
    "nodes": [
        {"name": "fs1", "state": "online", "dc": True},
        {"name": "fs2", "state": "standby", "dc": False},
    ],
    "rings": [
        {"node": "fs2", "link": 0, "address": "10.0.0.2", "connected": True},
        {"node": "fs2", "link": 1, "address": "10.0.1.2", "connected": False},
    ],
    "service": {"id": "VoiceServices", "node": "fs1", "vips": ["10.0.0.9"]},
    "resources": [
        {
            "id": "fs",
            "role": "Started",
            "nodes": ["fs1"],
            "agent": "lsb:FSSofia",
            "failed": True,
            "blocked": True,
            "orphaned": False,
            "managed": False,
        }
    ],
    "profiles": {"internal": 3, "external": None},
    "failures": ["fs stop failed on fs1"],
    "leftovers": ["cli-ban-VoiceServices-on-fs2: -INFINITY on fs2"],
    "notes": ["rings: odd", "and more"],
}


def test_the_screen_says_first_who_serves():
    lines = text.screen(PAIR).splitlines()
    assert lines[0] == "VoiceServices serves on fs1, VIP 10.0.0.9   [quorate, DC fs1]"
    found = [" ".join(line.split()) for line in lines[2:]]
    assert found == [
        "node fs1 online (DC)",
        "fs2 standby",
        "ring link 0 to fs2 connected 10.0.0.2",
        "link 1 to fs2 NOT CONNECTED 10.0.1.2",
        "resource fs Started fs1 lsb:FSSofia FAILED BLOCKED UNMANAGED",
        "profile internal RUNNING, 3 sessions",
        "external not running",
        "failures fs stop failed on fs1",
        "leftovers cli-ban-VoiceServices-on-fs2: -INFINITY on fs2",
        "note rings: odd",
        "and more",
    ]


def test_the_screen_says_what_is_wrong_in_capitals():
    bad = {**PAIR, "quorate": False, "dc": "", "service": {**PAIR["service"], "node": ""}}
    assert text.screen(bad).splitlines()[0] == (
        "VoiceServices DOES NOT SERVE   [quorum not known, DC none]"
    )
    lost = text.screen({**PAIR, "quorate": False}).splitlines()[0]
    assert lost.endswith("[NO QUORUM, DC fs1]")
    several = [{"id": "a", "node": "fs1"}, {"id": "b", "node": ""}]
    two = {**PAIR, "service": {"id": "", "node": "", "vips": [], "several": several}}
    assert text.screen(two).startswith("a serves on fs1; b DOES NOT SERVE   [")
    none = {**PAIR, "service": {"id": "", "node": "", "vips": []}, "rings": [], "resources": []}
    lines = text.screen(none).splitlines()
    assert lines[0].startswith("no voice service is configured")
    assert "ring      (not known)" in lines
    assert "resource  (none)" in lines


@pytest.mark.parametrize(
    "pillar",
    [
        {},
        {"fsha": None},
        {"fsha": "voice"},
        {"fsha": ["freeswitch"]},
        {"fsha": {"freeswitch": "x", "pacemaker": "y", "cluster": 1}},
        {"fsha": {"freeswitch": {"configuration": ["x"]}}},
    ],
)
def test_a_pillar_that_makes_no_sense_keeps_nobody_from_looking(pillar):
    assert report.section(pillar, "fsha", "cluster") == {}
    assert client.access(pillar).port == 8021
    assert recovery_db.ask_pillars(pillar) is None
    assert operator_settings.spoken_for(report.section(pillar, "fsha", "pacemaker")) == {}


def test_a_resource_that_is_no_mapping_says_nothing():
    told = {"resources": {"vip": "ocf:heartbeat:IPaddr2", "fs": {"meta": {"is-managed": False}}}}
    assert operator_settings.spoken_for(told) == {
        "vip": frozenset(),
        "fs": frozenset({"is-managed"}),
    }
