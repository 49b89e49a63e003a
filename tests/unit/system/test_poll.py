"""Waiting ends as soon as it may, and when the time is up."""

import logging

import pytest

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
