"""What callers hear when the switch of the node that serves is killed, with cold standby."""

from __future__ import annotations

import pytest

from lab import voice
from tests.lab.conftest import wait_settled

CALLS = 10


def is_hot(node):
    return node.read("/proc/sys/net/ipv4/ip_nonlocal_bind").strip() == "1"


@pytest.fixture
def cold(pair):
    """A pair with cold standby that serves; made anew when another test has left a hot one."""
    hot = any(is_hot(node) for node in pair.nodes.values())
    if hot or pair.setup().freeswitch:
        pair.reset()
        pillar = voice.example("pillar.example")
        voice.standby(pair, "cold", pillar)
        voice.give(pair, pillar)
        assert voice.apply(pair).failed == []
    wait_settled(pair)
    return pair


def test_answered_and_held_calls_survive_a_killed_switch(cold):
    old = cold.nodes[voice.serving(cold)]
    new = next(node for node in cold.nodes.values() if node is not old)
    cold.salt_call(new, "fsha.notice")
    rows = cold.recovery_rows()
    # The lab knows a user that rings and rings only of the stand-in.
    rings = 0 if cold.setup().freeswitch else 1
    with cold.calls(CALLS, ringing=rings, held=1) as calls:
        assert calls.now.heard == CALLS
        cold.wait(lambda: cold.recovery_rows() == rows + CALLS + 1, 10, "the rows of the calls")
        old.kill("freeswitch")
        calls.wait(lambda now: now.heard == 0, "silence", 10)
        cold.wait(lambda: voice.serving(cold) == new.name, 60, "the other node to serve")
        calls.wait(lambda now: now.reinvited == CALLS + 1, "the re-INVITEs", 30)
        calls.wait_heard(CALLS, 30)
    result = calls.result
    answered, ringing, held = (result.counts(k) for k in ("answered", "ringing", "held"))
    assert (answered.survived, held.survived) == (CALLS, 1), result
    # Nothing is known of a call that nobody had answered.
    assert (ringing.survived, ringing.lost) == (0, rings), result
    # One re-INVITE each, and no call was taken twice.
    assert {call.reinvites for call in (*result.of("answered"), *result.of("held"))} == {1}
    assert len(result.gaps) == CALLS
    noticed = cold.salt_call(new, "fsha.notice").value
    assert (noticed["old"], noticed["new"]) == (old.name, new.name)
    assert noticed["calls"]["kept"] == CALLS + 1
    assert 0 <= noticed["gap"] < 30
    assert "fs monitor failed" in noticed["why"]
    assert 0 < result.median_gap <= result.worst_gap
    # All heard the same silence.
    begins = [call.gap_begin for call in result.of("answered")]
    ends = [call.gap_begin + call.gap for call in result.of("answered")]
    assert max(begins) < min(ends)
    new.run(["crm_resource", "--cleanup"])
    wait_settled(cold)
