"""A pair of which one node, or one link, is away can be changed."""

from __future__ import annotations

import pytest

from lab import voice
from tests.lab.conftest import wait_settled

# The pillar's membership_timeout, which a run would wait for in vain.
MEMBERSHIP = 120


def with_interval(seconds):
    pillar = voice.example("pillar.example")
    assert pillar["cluster"]["membership_timeout"] == MEMBERSHIP
    monitor = pillar["pacemaker"]["resources"]["ip_shared"]["operations"][0]
    monitor["interval"] = f"{seconds}s"
    return pillar


def changed(done, name):
    return done.state(name, "fsha-cluster-committed")["changes"]["objects"]


def is_cut(lab, node):
    links = lab.salt_call(node, "corosync.status").value["links"]
    return not all(link["connected"] for link in links)


@pytest.fixture
def active(quiet):
    return quiet.nodes[voice.serving(quiet)]


def test_with_a_link_away(quiet, active):
    passive = next(name for name in quiet.nodes if name != active.name)
    quiet.link_down(passive, 1)
    try:
        quiet.wait(lambda: is_cut(quiet, active), 30, "the loss of the link")
        voice.give(quiet, with_interval(6))
        done = voice.apply(quiet, active.name)
        assert done.failed == []
        assert "ip_shared" in changed(done, active.name)
    finally:
        quiet.link_up(passive, 1)


def test_with_a_node_away(quiet, active):
    passive = next(name for name in quiet.nodes if name != active.name)
    quiet.power_off(passive)
    try:
        quiet.wait(
            lambda: not voice.cluster(active).node(passive).online, 60, "the loss of the node"
        )
        voice.give(quiet, with_interval(7))
        done = voice.apply(quiet, active.name)
        assert done.failed == []
        assert "ip_shared" in changed(done, active.name)
        assert done.seconds < MEMBERSHIP / 2
        for state in ("fsha-corosync-ring", "fsha-cluster-ready"):
            (warning,) = done.state(active.name, state)["warnings"]
            assert passive in warning
        demanding = with_interval(7)
        demanding["cluster"] |= {"require_all_nodes": True, "membership_timeout": 5}
        voice.give(quiet, demanding)
        assert voice.apply(quiet, active.name).failed
    finally:
        quiet.power_on(passive)
        quiet.wait_minions([quiet.nodes[passive]])
        voice.give(quiet, voice.example("pillar.example"))
        quiet.wait(lambda: voice.cluster(active).node(passive).online, 120, "the node to return")
    # Whoever was away takes over what was changed meanwhile.
    assert voice.apply(quiet).failed == []
    wait_settled(quiet)
