"""Transactions: what is staged, what keeps a transaction from being written."""

import pytest

from fshalib.change import guarding, transaction
from fshalib.change.transaction import NothingWritten, Transactions
from fshalib.cib import document
from fshalib.errors import ArgumentError
from fshalib.freeswitch import client
from fshalib.pacemaker import tools as pacemaker_tools
from fshalib.system import programs

VIP = {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "10.101.20.9"}}


@pytest.fixture
def transactions(sample, monkeypatch):
    monkeypatch.setattr(pacemaker_tools, "metadata", lambda _agent: None)
    return Transactions(lambda _test: sample("pair.xml"))


def stage(transactions, id, spec=VIP, *, kind="primitive", absent=False, name="mine"):
    return transactions.stage(name, "", kind, id, spec, absent=absent, test=False)


def desired(transactions, *, complete=False, name="mine"):
    return transactions.desired(name, "", complete=complete, purge=False, test=False)


def test_what_is_staged_is_wanted(transactions):
    changes = stage(transactions, "ip_shared")
    assert changes["params:ip"] == {"old": "10.101.20.219", "new": "10.101.20.9"}
    stage(transactions, "fs", absent=True)
    wanted = desired(transactions)
    assert [item.id for item in wanted.objects] == ["ip_shared"]
    assert wanted.absent == ("fs",)


def test_the_last_word_on_an_object_counts(transactions):
    stage(transactions, "ip_shared", absent=True)
    stage(transactions, "ip_shared")
    assert desired(transactions).absent == ()
    stage(transactions, "ip_shared", absent=True)
    assert desired(transactions).objects == ()


def test_transactions_are_apart_until_they_are_closed(transactions):
    stage(transactions, "ip_shared", name="other")
    assert desired(transactions).objects == ()
    assert len(desired(transactions, name="other").objects) == 1
    transactions.close("other", "")
    assert desired(transactions, name="other").objects == ()


@pytest.mark.parametrize(
    ("kind", "spec", "said"),
    [("clones", {}, "kind: one of "), (["x"], {}, "kind: one of "), ("primitive", {}, "agent")],
)
def test_what_could_not_be_staged_keeps_it_from_being_written(transactions, kind, spec, said):
    with pytest.raises(ArgumentError, match=said):
        stage(transactions, "ip_shared", spec, kind=kind)
    with pytest.raises(NothingWritten, match="ip_shared could not be staged") as caught:
        desired(transactions)
    assert caught.value.data["transaction"] == "mine"
    stage(transactions, "ip_shared")
    assert len(desired(transactions).objects) == 1


def test_nothing_staged_is_no_complete_transaction(transactions):
    with pytest.raises(NothingWritten, match="complete would remove everything"):
        desired(transactions, complete=True)


def test_a_host_without_a_cluster_counts_as_empty_in_a_test_run(monkeypatch):
    def missing():
        raise programs.ToolMissing("cibadmin")

    monkeypatch.setattr(pacemaker_tools, "query", missing)
    assert transaction.live(True) == document.EMPTY
    with pytest.raises(programs.ToolMissing):
        transaction.live(False)


# --- the guard of this node ------------------------------------------------------------------


def test_the_guard_is_the_pillars_unless_one_is_given():
    pillar = {"fsha": {"guard": {"calls": 3}}}
    assert guarding.guard(None, pillar, override=False).policy.calls == 3
    assert guarding.guard({"calls": 5}, pillar, override=True).policy.calls == 5
    assert guarding.guard({}, pillar, override=True).policy.override is True


def test_a_guard_that_is_none_is_a_wrong_argument():
    with pytest.raises(ArgumentError, match="guard:calls"):
        guarding.guard({"calls": "many"}, {}, override=False)


def test_calls_that_can_not_be_counted_are_unknown(monkeypatch):
    def down(_access):
        raise client.SwitchUnreachable("it is down")

    monkeypatch.setattr(pacemaker_tools, "local_node", lambda: "fs1")
    monkeypatch.setattr(client, "profiles", lambda _access: {"internal": 2, "external": None})
    assert guarding.calls_here(client.Access()).count == 2
    monkeypatch.setattr(client, "profiles", down)
    calls = guarding.calls_here(client.Access())
    assert (calls.count, calls.node) == (None, "fs1")
    assert "it is down" in calls.reason
