"""The longest silence."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fsha_gap
import fsha_poll
from fsha_gap import UNNOTICED, longest


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


def test_a_watch_sees_a_silence():
    silent = threading.Event()
    asked = []

    def ask():
        asked.append(1)
        return "" if silent.is_set() else "SIP/2.0 200 OK"

    def more(number):
        goal = len(asked) + number
        fsha_poll.until(lambda: len(asked), lambda n: n >= goal, 10, interval=0.01)

    with fsha_gap.Watch(ask, every=0.005) as watch:
        more(5)
        silent.set()
        more(40)
        silent.clear()
        more(5)
    assert watch.gap > UNNOTICED
