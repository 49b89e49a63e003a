"""The lab's call client against the stand-in on loopback, and what it makes of what it saw."""

import argparse
import contextlib
import json
import select
import signal
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import caller, cli
from lab.calls import Call, Calls, CallsResult, Wanted, summarize
from lab.core import Lab
from lab.errors import LabError, LabTimeoutError
from lab.standin.fsstandin import sip
from tests.unit.standin.harness import GUARD, Phone, eventually, loopback, nodes

PTIME = 0.02


@pytest.fixture
def make_node(tmp_path):
    with nodes(tmp_path) as make:
        yield make


@pytest.fixture
def node(make_node):
    return make_node().start()


def calls(node, answered, **others):
    return Calls(Wanted(loopback(), *node.address, answered, **{"ptime": PTIME, **others}))


def channels(node):
    return json.loads(node.api("show channels as json")).get("rows", [])


# --- with a switch -------------------------------------------------------------------------


def test_each_kind_is_up_as_the_switch_sees_it_and_gone_afterwards(node):
    with calls(node, 3, ringing=2, held=1) as up:
        states = sorted(row["callstate"] for row in channels(node))
        assert states == ["ACTIVE"] * 3 + ["HELD"] + ["RINGING"] * 2
        now = up.now
        assert (now.answered, now.heard, now.ringing, now.held) == (3, 3, 2, 1)
    assert channels(node) == []
    result = up.result
    assert [call.kind for call in result.calls] == ["answered"] * 3 + ["ringing"] * 2 + ["held"]
    assert all(call.survived for call in result.calls), result
    assert all(call.ended_by == "caller" for call in result.calls)
    for call in result.of("answered"):
        assert 0 < call.received <= call.sent
        assert call.gap is not None
        assert call.gap < 5.0
    assert {call.gap for call in (*result.of("ringing"), *result.of("held"))} == {None}


def test_calls_end_with_their_profile(node):
    with calls(node, 2, ringing=1) as up:
        time.sleep(GUARD)
        node.api("sofia profile internal stop")
        up.wait(lambda now: now.ended == 3, "the end of the calls", 10)
    assert [(call.state, call.ended_by) for call in up.result.calls] == [("ended", "switch")] * 3
    assert up.result.counts("answered").by_switch == 2
    assert up.result.of("answered")[0].reason == "Q.850;cause=16"
    assert up.result.worst_gap is None


def test_calls_of_a_killed_switch_are_lost(node):
    with calls(node, 2, ringing=1, held=1) as up:
        node.end(signal.SIGKILL)
        up.wait(lambda now: now.heard == 0, "silence", 10)
    assert {call.ended_by for call in up.result.calls} == {"nobody"}
    for kind in ("answered", "ringing", "held"):
        counts = up.result.counts(kind)
        assert (counts.survived, counts.lost) == (0, counts.placed)


def test_answered_and_held_calls_go_on_at_the_switch_that_recovers_them(make_node):
    a = make_node("a").start()
    b = make_node("b", profiles=a.profiles, recovery_db=a.db)
    with calls(a, 3, ringing=1, held=1) as up:
        eventually(lambda: a.rows() == 4, "the rows")
        before = time.time()
        a.end(signal.SIGKILL)
        up.wait(lambda now: now.heard == 0, "silence", 10)
        eventually(b.start().listed, "the other profile")
        # The ringing call has no row: it cannot be taken over.
        assert b.api("sofia recover") == "Recovered 4 call(s)\n"
        up.wait(lambda now: now.reinvited == 4, "the re-INVITEs", 10)
        up.wait_heard(3, 10)
        after = time.time()
    result = up.result
    assert [result.counts(kind).survived for kind in ("answered", "ringing", "held")] == [3, 0, 1]
    assert [call.reinvites for call in result.calls] == [1, 1, 1, 0, 1]
    for call in result.of("answered"):
        assert before - 5 * PTIME <= call.gap_begin <= call.gap_begin + call.gap <= after
        assert call.gap > 3 * PTIME


def test_a_refused_call_is_an_error_that_says_how_the_calls_stand(node):
    node.api("fsctl pause")
    with pytest.raises(LabError, match="refused=1"), calls(node, 1):
        pass


def test_nobody_there_is_an_error_within_bounds(monkeypatch):
    monkeypatch.setattr("lab.calls.PLACE_SECONDS", 0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((loopback(), 0))
        wanted = Wanted(loopback(), *silent.getsockname(), 1)
        with pytest.raises(LabTimeoutError, match="to be placed"), Calls(wanted):
            pass


def test_the_result_is_there_only_afterwards(node):
    with calls(node, 1) as up, pytest.raises(LabError, match="leave their context"):
        _ = up.result


def test_calls_of_a_lab_that_is_down_are_an_error():
    with pytest.raises(LabError, match="not up"):
        Lab("no-such-lab").calls(1)


def by_hand(switch, answered=1, held=0):
    """A caller in this process, its calls placed."""
    ip, port = switch.socket.getsockname()
    options = argparse.Namespace(
        source=loopback(), address=ip, port=port, user="service", ringing_user="ringing",
        answered=answered, ringing=0, held=held, ptime=PTIME,
    )  # fmt: skip
    made = caller.Caller(options)
    for placed in made.calls:
        made.invite(placed)
    return made


def turn_until(made, condition, what):
    eventually(lambda: made.turn() or condition(), what)


def test_audio_follows_a_recovering_switch_to_another_address():
    with (
        Phone(("127.0.0.1", 9)) as switch,
        Phone(("127.0.0.1", 9)) as other,
        contextlib.closing(by_hand(switch)) as made,
    ):
        invite = switch.request("INVITE")
        switch.target = sip.address_of(sip.uri_of(invite.get("contact")))
        switch.respond(invite, switch.sdp())
        (placed,) = made.calls
        turn_until(made, lambda: placed.sent > 2, "audio")
        assert placed.media == switch.rtp.getsockname()
        switch.request("ACK")
        # The dialog's other side: our From is the caller's To.
        switch.call_id, switch.to = invite.get("call-id"), invite.get("from")
        branch = switch.send("INVITE", other.sdp(), cseq=7)
        turn_until(made, lambda: placed.media == other.rtp.getsockname(), "the new address")
        answer = switch.final()
        assert (answer.status, answer.cseq) == (200, (7, "INVITE"))
        assert caller.media_address(answer.body) == placed.rtp.getsockname()
        turn_until(made, lambda: readable(other.rtp), "audio at the new address")
        # A repeat is answered as before and is no re-INVITE of its own; so is a lost 200.
        switch.send("INVITE", other.sdp(), branch=branch, cseq=7)
        turn_until(made, lambda: readable(switch.socket), "the answer again")
        assert switch.final() == answer
        turn_until(made, lambda: readable(switch.socket), "the answer, no ACK having come")
        assert switch.final() == answer
        switch.send("ACK", cseq=7)
        turn_until(made, lambda: not placed.pending, "the end of the repeats")
        assert placed.reinvites == 1


def readable(opened):
    return bool(select.select([opened], [], [], 0)[0])


def test_requests_of_no_call_and_rubbish_harm_nothing():
    with Phone(("127.0.0.1", 9)) as switch, contextlib.closing(by_hand(switch)) as made:
        invite = switch.request("INVITE")
        switch.target = sip.address_of(sip.uri_of(invite.get("contact")))
        for datagram in (b"", b"\x00\xff", b"SIP/2.0 x\r\n\r\n", b"INVITE\r\nx\r\n\r\n"):
            switch.socket.sendto(datagram, switch.target)
        switch.send("BYE")
        turn_until(made, lambda: readable(switch.socket), "an answer")
        assert switch.final().status == 481
        assert made.calls[0].state == "calling"


# --- what it makes of it -------------------------------------------------------------------


def call(number=1, kind="answered", state="answered", by="caller", **others):
    return Call(number, kind, state, by, **others)


def test_counts_and_gaps():
    result = CallsResult(
        (
            call(1, gap=0.1, silence=0.02),
            call(2, gap=0.7, silence=0.02),
            call(3, gap=0.3, silence=0.02),
            call(4, gap=9.0, silence=9.0),
            call(5, by="nobody", gap=9.0, silence=0.0),
            call(6, state="ended", by="switch", gap=0.04, silence=0.0),
            call(7, state="refused", by="switch"),
            call(8, "ringing", "ringing"),
            call(9, "ringing", "ringing", "nobody"),
        )
    )
    counts = result.counts("answered")
    assert (counts.placed, counts.survived, counts.by_switch) == (7, 3, 1)
    assert (counts.lost, counts.refused) == (2, 1)
    assert result.counts("ringing").survived == 1
    assert result.counts("held").placed == 0
    assert result.gaps == (0.1, 0.3, 0.7)
    assert (result.median_gap, result.worst_gap) == (0.3, 0.7)
    screen = cli.calls_screen(result)
    assert screen.splitlines()[1].split() == ["answered", "7", "3", "1", "2", "1"]
    assert "longest gap heard: 0.700 s, median of the calls 0.300 s" in screen
    assert "held" not in screen


def test_no_survivor_has_no_gap():
    result = CallsResult((call(by="nobody", gap=3.0, silence=3.0),))
    assert (result.median_gap, result.worst_gap) == (None, None)
    assert "no answered call survived" in cli.calls_screen(result)
    assert result.as_dict()["worst_gap"] is None


def test_the_closing_words_become_the_result():
    told = {"calls": [{"number": 1, "kind": "held", "state": "held", "ended_by": "caller"}]}
    result = summarize({**told, "stall": 0.5})
    assert result.calls == (Call(1, "held", "held", "caller"),)
    assert "stalled 0.500 s" in cli.calls_screen(result)


@given(st.lists(st.floats(0.001, 5), min_size=1, max_size=30))
def test_the_listener_finds_the_longest_step(steps):
    listener = caller.Listener()
    listener.start(100.0)
    at, begins = 100.0, {}
    for step in steps:
        begins[at] = step
        at += step
        listener.heard(at)
    assert listener.longest == pytest.approx(max(steps))
    assert begins[listener.begin] == pytest.approx(max(steps))
    listener.end(at + 10)
    assert listener.silence == pytest.approx(10)
    assert listener.longest == pytest.approx(10)


def test_late_packets_are_no_gap():
    listener = caller.Listener()
    listener.start(10.0)
    listener.heard(11.0)
    listener.heard(10.5)
    listener.heard(11.2)
    assert listener.longest == pytest.approx(1.0)


def test_session_descriptions():
    text = caller.describe("192.0.2.1", 4000, 40, 2, held=False)
    assert caller.media_address(text) == ("192.0.2.1", 4000)
    assert sip.answered_direction(text) == "sendrecv"
    assert sip.offered_codec(text) == sip.Codec(0, "PCMU/8000")
    held = caller.describe("192.0.2.1", 4000, 40, 2, held=True)
    assert sip.answered_direction(held) == "inactive"
    assert caller.media_address(b"v=0\r\nm=audio 0 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n") is None


@given(st.binary(max_size=80))
def test_no_description_breaks_the_parser(data):
    found = caller.media_address(data)
    assert found is None or found[1] > 0


@pytest.mark.parametrize(
    ("uri", "user"),
    [("sip:ringing@192.0.2.1:5060", "ringing"), ("sip:192.0.2.1", ""), ("tel:1", "")],
)
def test_who_is_called(uri, user):
    assert sip.user_of(uri) == user


@pytest.mark.parametrize(
    ("offer", "answer"),
    [("sendonly", "recvonly"), ("inactive", "inactive"), ("sendrecv", "sendrecv")],
)
def test_the_answer_to_a_hold(offer, answer):
    assert sip.answered_direction(f"v=0\r\na={offer}\r\n".encode()) == answer
