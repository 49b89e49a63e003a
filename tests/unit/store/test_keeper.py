"""The keeper: when it clears rows that belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fshalib.freeswitch.event_socket import Access
from fshalib.store import client, joining, keeper
from fshalib.store.state import NodeLine, Store
from fshalib.system.programs import Completed
from tests.unit.store.test_host import its_config

MINE, PEERS, DEAD = "core-a", "core-b", "core-dead"


def store(rows):
    return Store(
        version=150000, wal=0, roles={}, create=True, functions={}, tables={}, publications={},
        slots={}, nodes={"a": NodeLine("g", (), MINE), "b": NodeLine("g", (), PEERS, "1")},
        rows=rows, registrations=0,
    )  # fmt: skip


@dataclass
class World:
    """What a keeper meets, one look after the other."""

    now: float = 1000.0
    taken_over: float | None = 0.0
    answered: int = 0
    core: str = MINE
    peer_answers: bool = True
    serves: bool = True
    rows: dict = None
    deleted: list = None

    def look(self):
        own = store(self.rows)
        if self.peer_answers:
            self.answered += 1
        line = replace(own.nodes["b"], answered=str(self.answered))
        return replace(own, nodes={**own.nodes, "b": line})


@pytest.fixture
def world(monkeypatch):
    world = World(rows={MINE: 3, DEAD: 2}, deleted=[])

    class Local:
        def look(self):
            return world.look()

        def sql(self, *statements):
            world.deleted += [text for text in statements if text.startswith("DELETE")]
            return ""

    class Host(keeper.Host):
        def holds(self, addresses):
            return world.serves

        def core_uuid(self, config):
            return world.core

        def taken_over_at(self, config):
            return world.taken_over

    monkeypatch.setattr(type(its_config()), "local", Local())
    monkeypatch.setattr(client, "look_at_peer", lambda *_: world.look())
    monkeypatch.setattr(
        joining, "decide", lambda *_, **__: joining.Joining(joining.JOINED, "the rows come in")
    )
    world.said = []
    world.keeper = keeper.Keeper(
        its_config(), world.said.append, lambda: world.now, lambda: world.now, Host()
    )
    return world


def turns(world, seconds):
    for _ in range(int(seconds // keeper.TURN_SECONDS)):
        world.now += keeper.TURN_SECONDS
        world.keeper.turn()


def test_rows_of_a_switch_that_ended_long_ago_go(world):
    turns(world, 120)
    assert world.deleted
    assert all(f"'{DEAD}'" in sql and MINE not in sql for sql in world.deleted)


@pytest.mark.parametrize(
    "case",
    [
        {"peer_answers": False},
        {"core": ""},
        {"serves": False},
        {"taken_over": None},
        {"rows": {MINE: 3, PEERS: 1}},
    ],
    ids=lambda case: next(iter(case)),
)
def test_rows_stay(world, case):
    for name, value in case.items():
        setattr(world, name, value)
    turns(world, 120)
    assert world.deleted == []


def test_rows_stay_until_a_takeover_is_long_over(world):
    turns(world, 120)
    world.deleted.clear()
    world.taken_over = world.now
    turns(world, keeper.AFTER_TAKEOVER)
    assert world.deleted == []
    turns(world, 10)
    assert world.deleted


def switch_that(answer, code=0):
    def run(argv, env, **_):
        asked.append((argv, Path(env["HOME"], ".fs_cli_conf").read_text("utf-8")))
        return Completed(tuple(argv), code, answer, "", 0.0)

    asked = []
    return keeper.Host(run), asked


def test_the_switch_is_asked_with_its_password_which_is_no_argument(tmp_path):
    password = tmp_path / "password"
    password.write_text("geheim\n", "utf-8")
    config = replace(its_config(), switch=Access(password_file=str(password)))
    host, asked = switch_that("core-a\n")
    assert host.core_uuid(config) == "core-a"
    ((argv, settings),) = asked
    assert "password => geheim\n" in settings
    assert not any("geheim" in word for word in argv)


@pytest.mark.parametrize(("answer", "code"), [("-ERR no reply\n", 0), ("", 255), ("", 254)])
def test_a_switch_that_does_not_answer_has_no_identity(tmp_path, answer, code):
    password = tmp_path / "password"
    password.write_text("geheim", "utf-8")
    config = replace(its_config(), switch=Access(password_file=str(password)))
    host, _ = switch_that(answer, code)
    assert host.core_uuid(config) == ""
    password.unlink()
    assert host.core_uuid(config) == ""


def test_each_sentence_is_said_once(world):
    world.rows = {MINE: 1}
    turns(world, 20)
    assert world.said == ["the rows come in"]
