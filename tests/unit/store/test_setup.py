"""What the pillar's wish makes of a node's store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fshalib.errors import StoreError
from fshalib.freeswitch.event_socket import Access
from fshalib.store import installing, passwords, server, setup
from fshalib.store.client import Local
from fshalib.system.programs import Completed

WISH = setup.Wish(
    node="a", number=1, addresses=("192.0.2.1", "198.51.100.1"), peer="b", peer_number=2,
    peer_addresses=("192.0.2.2", "198.51.100.2"), port=15432, keep_megabytes=None,
    vips=("192.0.2.9",), switch="freeswitch", access=Access(),
)  # fmt: skip
KEY = bytes(range(256))
RELEASE = server.Release(15, "/usr/lib/postgresql/15/bin")


@pytest.fixture
def wish(tmp_path):
    return replace(WISH, home=str(tmp_path / "home"))


def planned(wish):
    return setup.plan(wish, KEY, RELEASE)


def text(plan, name):
    return next(file.text for file in plan.files if file.path.endswith(name))


def test_the_peer_is_asked_on_the_link_without_the_phones_first(wish):
    side = planned(wish).wanted.side
    assert side.peer_addresses == ("198.51.100.2", "192.0.2.2")
    assert side.source.startswith("host=198.51.100.2,192.0.2.2 port=15432 dbname=freeswitch ")
    assert (side.slot, side.peers_slot) == ("fsha_1", "fsha_2")


def test_both_nodes_mean_the_same_slots(wish):
    other = replace(wish, node="b", number=2, peer="a", peer_number=1)
    mine, theirs = planned(wish).wanted.side, planned(other).wanted.side
    assert (mine.slot, mine.peers_slot) == (theirs.peers_slot, theirs.slot)


def test_the_server_listens_on_the_links_and_lets_the_peer_in(wish):
    plan = planned(wish)
    assert "listen_addresses = '127.0.0.1, 192.0.2.1, 198.51.100.1'\n" in text(plan, "gresql.conf")
    assert "198.51.100.2/32" in text(plan, "pg_hba.conf")
    assert passwords.of_pair(KEY) in text(plan, ".pgpass")


def test_how_much_log_is_kept_stays_as_it_was(wish, tmp_path):
    first = planned(wish)
    (tmp_path / "home").mkdir()
    (tmp_path / "home/postgresql.conf").write_text(
        text(first, "gresql.conf").replace(
            f"max_slot_wal_keep_size = {first.server.keep_megabytes}MB",
            "max_slot_wal_keep_size = 333MB",
        ),
        "utf-8",
    )
    assert planned(wish).server.keep_megabytes == 333
    assert planned(replace(wish, keep_megabytes=500)).server.keep_megabytes == 500


def test_a_bare_host_is_told_what_would_be_made(wish):
    done = setup.changes(planned(wish), lambda *_, **__: Completed((), 3, "", "", 0.0))
    assert done.restarted
    assert done.changes[f"{wish.home}/15"] == {"old": "absent", "new": "made"}
    assert f"{wish.home}/pg_hba.conf" in done.changes
    secret = passwords.of_pair(KEY)
    assert secret not in str(done)


def test_files_wait_for_the_server_s_user(monkeypatch, tmp_path):
    monkeypatch.setattr(installing, "USER", "nobody-like-this")
    file = installing.HostFile(str(tmp_path / "f"), "x", 0o600, "nobody-like-this")
    with pytest.raises(StoreError, match="install PostgreSQL first"):
        installing.write([file], str(tmp_path))


def test_a_server_that_does_not_answer_is_said():
    def refuses(*_, **__):
        return Completed((), 2, "", "psql: error: could not connect: no such file", 0.0)

    local = Local("/x", "/run/x", 15432, run=refuses)
    with pytest.raises(StoreError, match="recovery store of this node: psql: error"):
        installing.until_it_answers(local, seconds=0.0)
