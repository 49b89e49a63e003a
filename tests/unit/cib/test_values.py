import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fshalib.cib import values as units


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("100", "100"), ("+100", "100"), ("-5", "-5"), (" 7 ", "7"), ("0", "0"), ("-0", "0"),
        ("inf", "INFINITY"), ("+inf", "INFINITY"), ("-inf", "-INFINITY"),
        ("Infinity", "INFINITY"), ("+INFINITY", "INFINITY"), ("-INFINITY", "-INFINITY"),
        ("1000000", "INFINITY"), ("2000000", "INFINITY"), ("-9999999", "-INFINITY"),
        ("999999", "999999"),
    ],
)  # fmt: skip
def test_scores(text, canonical):
    assert units.parse_score(text) == canonical
    assert units.parse_score(canonical) == canonical


@pytest.mark.parametrize(
    "text", ["", "x", "1x", "1.5", "--1", "+-1", "infinite", "inf inity", "٣", "1" * 40, "nan"]
)
def test_no_scores(text):
    with pytest.raises(units.UnitError, match="score"):
        units.parse_score(text)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2", 2000), ("2s", 2000), ("2sec", 2000), ("2000ms", 2000), ("2000msec", 2000),
        ("PT2S", 2000), ("2 s", 2000), (" 2S ", 2000), ("5min", 300_000), ("5m", 300_000),
        ("1h", 3_600_000), ("1hr", 3_600_000), ("1500us", 1), ("0", 0), ("P1D", 86_400_000),
        ("PT1M30S", 90_000), ("P1DT1H", 90_000_000), ("P2W", 1_209_600_000),
    ],
)  # fmt: skip
def test_durations(text, milliseconds):
    assert units.parse_duration(text) == milliseconds
    assert units.parse_duration(units.duration_text(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "-1",
        "2x",
        "2.5s",
        "2 days",
        "P",
        "PT",
        "P1Y",
        "P1M",
        "P1DT",
        "pt2s",
        "1" * 40,
        "٣s",
    ],
)
def test_no_durations(text):
    with pytest.raises(units.UnitError, match="duration"):
        units.parse_duration(text)


@pytest.mark.parametrize("word", sorted(units.TRUE_WORDS | units.FALSE_WORDS))
def test_booleans(word):
    assert units.parse_boolean(f" {word.upper()} ") is (word in units.TRUE_WORDS)


@pytest.mark.parametrize("text", ["", "2", "truth", "enabled"])
def test_no_booleans(text):
    with pytest.raises(units.UnitError, match="true or false"):
        units.parse_boolean(text)


@pytest.mark.parametrize("parse", [units.parse_score, units.parse_duration, units.parse_boolean])
@given(text=st.text())
def test_any_text_parses_or_is_refused(parse, text):
    with contextlib.suppress(units.UnitError):
        assert parse(text) is not None


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_scores_keep_their_value_up_to_infinity(number):
    value = units.score_value(units.score_text(number))
    assert value == max(-units.INFINITY, min(units.INFINITY, number))


@pytest.mark.parametrize(
    ("text", "infinite"), [("inf", True), ("-INFINITY", True), ("1000000", True), ("999", False)]
)
def test_infinite(text, infinite):
    assert units.is_infinite(text) is infinite


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("1.0", 1), ("1.9", 1), ("-1.5", -1), ("+7", 7), (" 5", 5), ("5 ", 5), ("3s", 3),
        ("INFINITY", units.INFINITY), ("+INFINITY", units.INFINITY), ("-INFINITY", -units.INFINITY),
        ("99999999999", units.INFINITY), ("-99999999999", -units.INFINITY),
        ("red", -units.INFINITY), ("green", 0), ("Yellow", 0),
        ("infinity", None), ("--INFINITY", None), ("", None), ("foo", None), (".5", None),
    ],
)  # fmt: skip
def test_a_score_is_read_as_pacemaker_reads_it(text, value):
    assert units.read_score(text) == value
