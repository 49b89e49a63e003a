"""What callers hear when the switch of the node that serves is killed, with cold standby."""

from __future__ import annotations

import pytest

from lab import voice
from tests.lab.conftest import wait_settled
from tests.unit.freeswitch.test_config import FILES

CALLS = 10


def is_hot(node):
    return node.read("/proc/sys/net/ipv4/ip_nonlocal_bind").strip() == "1"


def profiles(lab, node):
    return lab.salt_call(node, "freeswitch.profiles").value


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
    # systemd has brought it back while the node had the VIP, and its profile with it.
    cold.wait(lambda: not profiles(cold, old), 30, "the end of that profile")
    new.run(["crm_resource", "--cleanup"])
    wait_settled(cold)


# --- a change that is refused -----------------------------------------------------------------

CONF = "/etc/freeswitch"
DSN = "/etc/fsha/freeswitch.dsn"
KEPT = ("/etc/hosts", "/etc/sysctl.d", "/etc/corosync", "/usr/lib/ocf/resource.d/fsha",
        "/usr/lib/fsha", "/etc/fsha", CONF)  # fmt: skip
"""What a run of the formula writes on a host."""


def as_it_is(node):
    """A host and its cluster: all that a refused change must leave alone."""
    files = node.run(["find", *KEPT, "-type", "f", "-printf", "%p %s %T@ %m\n"]).out
    cib = node.run(["cibadmin", "--query", "--scope", "configuration"]).out
    pids = [node.main_pid(unit) for unit in ("corosync", "pacemaker", "freeswitch")]
    return is_hot(node), sorted(files.splitlines()), cib, pids


def keeping_calls(lab):
    """Return examples/keeps_calls.sls, for a FreeSWITCH of which only the configuration is real."""
    for node in lab.nodes.values():
        for name, text in FILES.items():
            node.write(f"{CONF}/{name}", text)
        node.write(DSN, "pgsql://host=10.101.20.1 dbname=freeswitch\n", 0o600)
    pillar = voice.example("examples/keeps_calls.sls")
    voice.standby(lab, "hot", pillar)
    return pillar


def test_the_way_back_to_a_pair_that_hangs_up_is_refused_while_there_are_calls(cold):
    if cold.setup().freeswitch:
        pytest.skip("the configuration of a real switch is not ours")
    voice.give(cold, keeping_calls(cold))
    assert voice.apply(cold).failed == []
    voice.restart_standby(cold)
    wait_settled(cold)
    nodes = list(cold.nodes.values())
    before = [as_it_is(node) for node in nodes]
    assert [is_hot(node) for node in nodes] == [True, True]
    voice.give(cold, voice.example("pillar.example"))
    with cold.calls(2, ringing=0, held=0) as calls:
        done = voice.apply(cold)
        assert [as_it_is(node) for node in nodes] == before
    assert done.changes == {}
    for node in nodes:
        verdict = done.state(node.name, "fsha-verdict")
        assert verdict["result"] is False
        assert verdict["comment"].startswith("Nothing on this host was touched")
    assert calls.result.counts("answered").survived == 2
    # Once nobody speaks, it is done, and the service can still move.
    assert voice.apply(cold).failed == []
    assert [is_hot(node) for node in nodes] == [False, False]
    assert not any(node.exists(f"{CONF}/fsha") for node in nodes)
    voice.standby(cold, "cold")
    voice.restart_standby(cold)
    wait_settled(cold)
    old = cold.nodes[voice.serving(cold)]
    moved = cold.salt_call(old, "fsha.failover", timeout=120).value
    assert moved["result"] is True, moved
