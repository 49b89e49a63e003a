"""The longest silence."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fsha_gap
import fsha_poll
from fsha_gap import Sample, longest


@pytest.mark.parametrize(
    ("answers", "expected"),
    [("", None), ("+", None), ("---", None), ("++", 0.0), ("+-+", 2.0), ("-+-++--+-", 3.0)],
)
def test_longest(answers, expected):
    samples = [Sample(float(at), answer == "+") for at, answer in enumerate(answers)]
    assert longest(samples) == expected
    assert longest(reversed(samples)) == expected


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), unique_by=lambda s: s[0]))
def test_no_gap_is_longer_than_the_watch(samples):
    found = longest(Sample(float(at), answered) for at, answered in samples)
    answered = [at for at, a in samples if a]
    if len(answered) < 2:
        assert found is None
    else:
        assert 0 <= found <= max(answered) - min(answered)


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
        more(10)
        silent.clear()
        more(5)
    assert watch.gap >= 0.04
