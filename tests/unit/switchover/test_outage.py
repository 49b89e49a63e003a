"""The longest time without a yes."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fshalib.switchover import outage
from fshalib.switchover.outage import UNNOTICED, longest
from fshalib.system import poll


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], None),
        ([1.0], None),
        ([1.0, 1.02, 1.05], 0.0),
        ([1.0, 1.02, 3.02, 3.04], 2.0),
        # Questions that waited are answered all at once, late.
        ([1.0, 2.5, 2.5, 2.5], 1.5),
    ],
)
def test_longest(answers, expected):
    assert longest(answers) == expected
    assert longest(reversed(answers)) == expected


@given(st.lists(st.integers(0, 1000)))
def test_no_gap_is_longer_than_the_watch(answers):
    found = longest(map(float, answers))
    if len(answers) < 2:
        assert found is None
    else:
        assert 0 <= found <= max(answers) - min(answers)


def test_a_watch_sees_a_time_without_a_yes():
    silent = threading.Event()
    asked = []

    def ask():
        asked.append(1)
        return not silent.is_set()

    def more(number):
        goal = len(asked) + number
        poll.until(lambda: len(asked), lambda n: n >= goal, 10, interval=0.01)

    with outage.Watch(ask, every=0.005) as watch:
        more(5)
        silent.set()
        more(40)
        silent.clear()
        more(5)
    assert watch.gap > UNNOTICED


@pytest.mark.parametrize(
    ("first", "then"),
    [([False, False, False], True), ([True], False)],
    ids=["goes on when it begins", "goes on when it ends"],
)
def test_a_time_without_a_yes_counts_as_far_as_the_watch_goes(first, then):
    answers = iter(first)
    seen = []

    def ask():
        seen.append(1)
        return next(answers, then)

    with outage.Watch(ask, every=0.06) as watch:
        poll.until(lambda: len(seen), lambda n: n >= 6, 10, interval=0.01)
    assert watch.gap >= 3 * 0.06


def test_without_any_yes_nothing_is_known():
    seen = []
    with outage.Watch(lambda: seen.append(1) or False, every=0.005) as watch:
        poll.until(lambda: len(seen), lambda n: n >= 3, 10, interval=0.01)
    assert watch.gap is None
