"""The recovery store on the pair: two hosts keep their calls, with nothing outside them."""

from __future__ import annotations

import json

import pytest

from lab import voice
from tests.lab.conftest import wait_settled
from tests.lab.test_7_agent import with_agent

CALLS = 10
STANDIN = "/etc/freeswitch/standin.json"
STORE = "/usr/lib/fsha-recovery-store/fsha-recovery-store"


def rows(node):
    """The calls that the node's own store knows."""
    source = node.read("/etc/fsha/recovery_store.dsn").strip().removeprefix("pgsql://")
    words = dict(word.split("=", 1) for word in source.split())
    done = node.run(
        ["sh", "-c", "exec $(ls /usr/lib/postgresql/*/bin/psql) -qtAX -f -"],
        input="select uuid from recovery;",
        env={
            f"PG{k.upper()}": v
            for k, v in words.items()
            if k in ("host", "port", "user", "password")
        }
        | {"PGDATABASE": words["dbname"]},
    )
    return set(done.out.split())


def both_have(lab, count):
    lab.wait(
        lambda: [len(rows(node)) for node in lab.nodes.values()] == [count] * 2,
        30,
        f"{count} rows on both",
    )


def joined(lab):
    for node in lab.nodes.values():
        lab.wait(
            lambda node=node: node.run([STORE, "status"], check=False).code == 0, 60, "the stores"
        )


@pytest.fixture(scope="module")
def stores(lab):
    """A pair in hot standby whose switches have their rows in the store of their node."""
    lab.reset()
    pillar = with_agent("hot", "recover", lab)
    pillar["recovery_store"] = {"mode": "pair"}
    voice.give(lab, pillar)
    applied = voice.apply(lab, timeout=900)
    assert applied.failed == []
    for node in lab.nodes.values():
        settings = json.loads(node.read(STANDIN))
        node.write(
            STANDIN, json.dumps({**settings, "recovery_db": "dsn:/etc/fsha/recovery_store.dsn"})
        )
    voice.restart_standby(lab)
    serving = lab.nodes[voice.serving(lab)]
    serving.run(["systemctl", "restart", "freeswitch"])
    joined(lab)
    for node in lab.nodes.values():
        node.run(["crm_resource", "--cleanup"])
    wait_settled(lab)
    return lab


def other(lab, node):
    return next(n for n in lab.nodes.values() if n is not node)


def test_a_second_run_changes_nothing(stores):
    assert voice.apply(stores).changes == {}


def test_a_killed_switch_loses_no_answered_call(stores):
    old = stores.nodes[voice.serving(stores)]
    new = other(stores, old)
    with stores.calls(CALLS) as calls:
        assert calls.now.heard == CALLS
        both_have(stores, CALLS)
        old.kill("freeswitch")
        stores.wait(lambda: voice.serving(stores) == new.name, 60, "the other node to serve")
        calls.wait(lambda now: now.reinvited == CALLS, "the re-INVITEs", 30)
        calls.wait_heard(CALLS, 30)
        both_have(stores, CALLS)
    assert calls.result.counts("answered").survived == CALLS
    both_have(stores, 0)
    new.run(["crm_resource", "--cleanup"])
    wait_settled(stores)


def test_a_planned_move_keeps_all_and_both_have_the_rows(stores):
    old = stores.nodes[voice.serving(stores)]
    new = other(stores, old)
    with stores.calls(CALLS) as calls:
        both_have(stores, CALLS)
        done = stores.salt_call(old, "fsha.failover", timeout=180)
        assert voice.serving(stores) == new.name, done.value
        calls.wait(lambda now: now.reinvited == CALLS, "the re-INVITEs", 30)
        calls.wait_heard(CALLS, 30)
        both_have(stores, CALLS)
    assert calls.result.counts("answered").survived == CALLS
    both_have(stores, 0)
    wait_settled(stores)


def test_a_node_without_power_loses_no_answered_call(stores):
    old = stores.nodes[voice.serving(stores)]
    new = other(stores, old)
    with stores.calls(CALLS) as calls:
        both_have(stores, CALLS)
        stores.power_off(old.name)
        stores.wait(lambda: voice.serving(stores) == new.name, 60, "the other node to serve")
        calls.wait(lambda now: now.reinvited == CALLS, "the re-INVITEs", 30)
        calls.wait_heard(CALLS, 30)
    assert calls.result.counts("answered").survived == CALLS
    stores.power_on(old.name)
    stores.wait_minions([old])
    stores.wait(lambda: voice.cluster(new).node(old.name).word == "online", 120, "the rejoin")
    joined(stores)
    both_have(stores, 0)
    wait_settled(stores)


def test_a_killed_database_is_back_and_catches_up(stores):
    serving = stores.nodes[voice.serving(stores)]
    passive = other(stores, serving)
    with stores.calls(CALLS) as calls:
        both_have(stores, CALLS)
        passive.run(["systemctl", "kill", "--signal=KILL", "fsha-recovery-store"])
        joined(stores)
        both_have(stores, CALLS)
        assert calls.now.heard == CALLS
    both_have(stores, 0)


def test_what_the_check_says(stores):
    node = stores.nodes[voice.serving(stores)]
    found = stores.salt_call(node, "recovery_store.status").value
    assert {finding["level"] for finding in found} == {"ok"}, found
    passive = other(stores, node)
    passive.run(["systemctl", "stop", "fsha-recovery-store"])
    try:
        found = stores.salt_call(node, "recovery_store.status").value
        assert "ok" not in {finding["level"] for finding in found}
        assert all(passive.name in finding["text"] for finding in found)
    finally:
        passive.run(["systemctl", "start", "fsha-recovery-store"])
    joined(stores)
