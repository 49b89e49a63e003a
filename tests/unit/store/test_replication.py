"""What flows between two stores, and what a fault does to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fshalib.errors import StoreError
from fshalib.store import joining, steps, tables
from tests.unit.store.conftest import eventually


def same(pair, calls):
    eventually(lambda: all(node.calls() == calls for node in pair), f"{calls} on both")


def test_a_second_run_finds_nothing_to_do(pair):
    for node in pair:
        assert node.own_side() == []
        assert node.tend().kind == joining.JOINED


def test_rows_flow_both_ways_and_a_takeover_clears_them_on_both(pair):
    a, b = pair
    a.call("1", "2")
    b.call("3", core="core-b")
    same(pair, {"1", "2", "3"})
    # What `sofia recover` does: every row that is not its own.
    b.as_switch("delete from recovery where runtime_uuid != 'core-b'")
    b.call("1", "2", core="core-b")
    same(pair, {"1", "2", "3"})
    assert set(a.look().rows) == {"core-b"}
    b.as_switch("update recovery set metadata = 'held' where uuid = '1'")
    eventually(
        lambda: a.as_switch("select metadata from recovery where uuid = '1'") == "held", "update"
    )
    b.as_switch("delete from recovery")
    same(pair, set())


def test_a_registration_is_renewed_on_the_other_node(pair):
    a, b = pair
    a.as_switch("insert into sip_registrations (sip_user, contact, expires) values ('1000','c',60)")
    question = "select expires from sip_registrations"
    eventually(lambda: b.as_switch(question) == "60", "the registration")
    b.as_switch("update sip_registrations set expires = 120 where sip_user = '1000'")
    assert b.as_switch(question) == "120"
    eventually(lambda: a.as_switch(question) == "120", "the renewal, once")
    a.as_switch("update sip_registrations set expires = 180 where sip_user = '1000'")
    eventually(lambda: b.as_switch(question) == "180", "the renewal back")
    b.as_switch("delete from sip_registrations where expires <= 180")
    eventually(lambda: a.as_switch(question) == "", "its end")


@pytest.mark.parametrize(
    "sql", ["DROP TABLE recovery", "TRUNCATE recovery", "ALTER TABLE recovery ADD x int"]
)
def test_the_switch_can_not_take_its_table_away(pair, sql):
    with pytest.raises(StoreError, match=r"must be owner|permission denied"):
        pair[0].as_switch(sql)
    # It makes its other tables by itself.
    pair[0].as_switch("create table sip_dialogs (call_id varchar(255)); drop table sip_dialogs")


def test_a_store_that_was_stopped_catches_up(pair):
    a, b = pair
    a.stop()
    b.call("1", "2", core="core-b")
    a.start()
    same((a, b), {"1", "2"})


def test_both_write_while_the_nodes_can_not_reach_each_other(pair):
    a, b = pair
    a.call("1", "2", "3")
    same(pair, {"1", "2", "3"})
    for node in pair:
        node.local.sql("ALTER SUBSCRIPTION fsha DISABLE;")
    # Both serve: b has taken over what was there, a goes on with it and with a new one.
    b.as_switch("delete from recovery where runtime_uuid != 'core-b'")
    b.call("1", "2", "3", core="core-b")
    a.as_switch("delete from recovery where uuid = '2'")
    a.call("4")
    b.call("5", core="core-b")
    for node in pair:
        assert node.tend().steps
    # What b took belongs to b; nothing stands on one node alone.
    same(pair, {"1", "2", "3", "4", "5"})
    assert a.look().rows == b.look().rows == {"core-a": 1, "core-b": 4}


def test_both_are_killed(pair):
    a, b = pair
    a.call("1")
    b.call("2", core="core-b")
    same(pair, {"1", "2"})
    for node in pair:
        node.stop("SIGKILL")
    for node in pair:
        node.start()
    same(pair, {"1", "2"})
    for node in pair:
        node.joined()


def test_a_node_that_is_built_anew_takes_the_rows_and_is_heard_again(pair, again):
    a, b = pair
    a.call("1")
    b.call("2", core="core-b")
    same(pair, {"1", "2"})
    b = again(b)
    b.own_side()
    a.serves = True
    assert "begun anew" in a.tend().text
    assert "copies its rows" in b.tend().text
    a.joined()
    b.joined()
    same((a, b), {"1", "2"})
    b.call("3", core="core-c")
    a.call("4")
    same((a, b), {"1", "2", "3", "4"})


def test_an_old_copy_of_the_data_is_put_back(pair, tmp_path):
    a, b = pair
    a.call("1")
    same(pair, {"1"})
    b.stop()
    shutil.copytree(b.server.data, tmp_path / "copy")
    b.start()
    b.call("2", core="core-b")
    a.call("3")
    same(pair, {"1", "2", "3"})
    b.stop()
    shutil.rmtree(b.server.data)
    shutil.copytree(tmp_path / "copy", b.server.data)
    for path in (Path(b.server.data), *Path(b.server.data).rglob("*")):
        shutil.chown(path, "postgres")
    b.start()
    assert "gone back in time" in b.tend().text
    eventually(lambda: a.tend().kind == joining.JOINED and b.tend().kind == joining.JOINED, "both")
    same((a, b), {"1", "2", "3"})
    b.call("4", core="core-c")
    a.call("5")
    same((a, b), {"1", "2", "3", "4", "5"})


def test_a_slot_that_has_lost_its_wal(pair):
    a, b = pair
    b.call("1", core="core-b")
    same(pair, {"1"})
    a.stop()
    b.local.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB';", "SELECT pg_reload_conf();")

    def lost():
        b.local.sql("SELECT pg_switch_wal();", "CHECKPOINT;")
        b.call("2", core="core-b")
        return b.look().slots[b.side.peers_slot].lost

    eventually(lost, "the slot to be lost")
    calls = b.calls()
    a.start()
    assert "copies them anew" in a.tend().text
    a.joined()
    same((a, b), calls)
    a.call("9")
    same((a, b), {*calls, "9"})


def test_a_password_that_has_changed_is_put_right(pair):
    a, _ = pair
    a.local.sql("ALTER ROLE freeswitch PASSWORD 'other';")
    with pytest.raises(StoreError, match="password authentication failed"):
        a.as_switch("select 1")
    assert a.own_side() == ["role freeswitch"]
    assert a.as_switch("select 1") == "1"


@pytest.mark.parametrize(
    ("harm", "name"),
    [
        ("ALTER TABLE recovery REPLICA IDENTITY FULL;", "table recovery"),
        ("ALTER TABLE recovery OWNER TO freeswitch;", "table recovery"),
        ("DROP TRIGGER fsha_take_over ON sip_registrations;", "table sip_registrations"),
        ("ALTER PUBLICATION fsha_deletes SET (publish = 'insert');", "publication fsha_deletes"),
        ("ALTER PUBLICATION fsha_own_rows DROP TABLE recovery;", "publication fsha_own_rows"),
        ("ALTER ROLE fsha_replication SUPERUSER;", "role fsha_replication"),
        ("REVOKE CREATE ON SCHEMA public FROM freeswitch;", "rights"),
        ("ALTER TABLE recovery ALTER COLUMN fsha_by SET DEFAULT 'x';", "table recovery"),
    ],
)
def test_what_somebody_has_changed_is_put_right(pair, harm, name):
    a, b = pair
    a.local.sql(harm)
    assert a.own_side() == [name]
    assert a.own_side() == []
    for node in pair:
        node.joined()
    a.call("1")
    b.call("2", core="core-b")
    same(pair, {"1", "2"})


def test_a_column_that_a_newer_switch_wants(pair):
    a, b = pair
    wanted = a.wanted
    newer = tables.Table(
        "recovery", (*wanted.tables[0].columns, tables.Column("region", "VARCHAR(255)")), ()
    )
    for node in pair:
        more = steps.Wanted(node.side, (newer, *wanted.tables[1:]), wanted.passwords)
        (step,) = steps.own_side(more, node.look())
        assert step.name == "table recovery"
        node.local.sql(*step.sql)
    a.as_switch("insert into recovery (uuid, region) values ('1', 'north')")
    eventually(lambda: b.as_switch("select region from recovery") == "north", "the new column")
