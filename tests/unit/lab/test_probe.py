"""Gaps, answers and requests of the VIP's probe."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import cli, prober
from lab.errors import LabError
from lab.net import Network, known_macs
from lab.probe import Answer, Probe, find_gaps, summarize

SUMMARY = {"sent": 10, "started": 100.0, "ended": 110.0, "stall": 0.01}


def answers(*pairs):
    return [Answer(at, number, node) for number, (at, node) in enumerate(pairs)]


def test_a_gap_says_who_was_before_and_after():
    found = find_gaps(answers((100.0, "a"), (101.0, "a"), (104.0, "b"), (105.0, "b")),
                      100.0, 105.0, 1.5)  # fmt: skip
    assert len(found) == 1
    gap = found[0]
    assert (gap.start, gap.seconds, gap.from_node, gap.to_node) == (1.0, 3.0, "a", "b")


def test_silence_at_both_ends_is_a_gap():
    found = find_gaps(answers((103.0, "a")), 100.0, 110.0, 0.5)
    assert [(gap.seconds, gap.from_node, gap.to_node) for gap in found] == [
        (3.0, None, "a"),
        (7.0, "a", None),
    ]


def test_a_switch_that_takes_no_calls_does_not_end_a_gap():
    refused = [Answer(101.0, 1, "b", 503), Answer(101.5, 2, "b", 503)]
    said = [Answer(100.0, 0, "a"), *refused, Answer(102.0, 3, "b")]
    (gap,) = find_gaps(said, 100.0, 102.0, 1.0)
    assert (gap.seconds, gap.from_node, gap.to_node) == (2.0, "a", "b")
    assert summarize(said, SUMMARY, {}, 20).answered_by == {"a": 1, "b": 3}


def test_nobody_ever_is_one_gap():
    found = find_gaps([], 100.0, 101.0, 0.5)
    assert [(gap.seconds, gap.from_node, gap.to_node) for gap in found] == [(1.0, None, None)]


@given(
    times=st.lists(st.floats(0, 50, allow_nan=False), max_size=40),
    threshold=st.floats(0.01, 5),
)
def test_gaps_are_within_the_time_and_above_the_threshold(times, threshold):
    found = find_gaps(answers(*((at, "a") for at in times)), 0.0, 50.0, threshold)
    assert all(gap.seconds > threshold for gap in found)
    assert sum(gap.seconds for gap in found) <= 50.0 + 1e-6
    ordered = sorted({0.0, *times, 50.0})
    steps = [after - before for before, after in itertools.pairwise(ordered)]
    assert len(found) == sum(step > threshold for step in steps)


def test_an_answer_twice_counts_once():
    result = summarize([Answer(100.5, 1, "a"), Answer(100.6, 1, "a")], SUMMARY, {}, 20)
    assert (result.sent, result.answered, result.answered_by) == (10, 1, {"a": 1})
    assert result.longest is None
    assert result.as_dict()["longest"] == 0.0


def test_the_longest_gap_is_shown():
    result = summarize(answers((100.1, "a"), (103.1, "b"), (109.9, "b")), SUMMARY, {}, 0.5)
    assert result.longest is not None
    assert result.longest.seconds == pytest.approx(6.8)
    screen = cli.probe_screen(result)
    assert "a → b" in screen
    assert "longest gap 6.800 s" in screen
    assert "stalled" not in screen


def packet(payload, port=4000, protocol=17):
    header = bytes([0x45]) + bytes(8) + bytes([protocol]) + bytes(10)
    return header + struct.pack("!HHHH", 5060, port, 8 + len(payload), 0) + payload


def test_an_answer_is_recognised():
    request = prober.options_request("10.0.0.1:5060", ("10.0.0.2", 4000), 17, "abc")
    assert request.startswith(b"OPTIONS sip:10.0.0.1:5060 SIP/2.0\r\n")
    assert request.endswith(b"\r\n\r\n")
    assert b"CSeq: 17 OPTIONS" in request
    answer = b"SIP/2.0 200 OK\r\nCSeq: 17 OPTIONS\r\nX-Node: node-1\r\n\r\n"
    assert prober.parse_answer(packet(answer), 4000) == (17, "node-1", 200)
    unnamed = b"SIP/2.0 503 Busy\r\ncseq:17 OPTIONS\r\n\r\n"
    assert prober.parse_answer(packet(unnamed), 4000) == (17, None, 503)


@pytest.mark.parametrize(
    "other",
    [
        packet(b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n", port=4001),
        packet(b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n", protocol=6),
        packet(b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n"),
        packet(b"OPTIONS sip:x SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n"),
        packet(b""),
        bytes([0x45]),
    ],
)
def test_other_packets_are_passed_over(other):
    assert prober.parse_answer(other, 4000) is None


@given(st.binary(max_size=80))
def test_no_packet_breaks_the_parser(data):
    assert prober.parse_answer(data, 4000) is None


def test_every_interface_has_an_address_of_its_own():
    macs = known_macs()
    assert len(macs) == 6
    assert set(macs.values()) == {"outside", "freeswitch-dev", "ubuntu-v20z"}


def test_probing_a_lab_that_is_down_is_an_error():
    with pytest.raises(LabError, match="not up"), Probe(Network("no-such-lab")):
        pass
