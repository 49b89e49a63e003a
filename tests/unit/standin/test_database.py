"""The recovery rows in a database that can go away, without a server."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from lab.standin.fsstandin import database
from lab.standin.fsstandin.database import DatabaseError, PostgresqlServer, SqliteFile
from lab.standin.fsstandin.recovery import LOG, RecoveryStore
from tests.unit.standin.harness import eventually


class Server:
    """A SQLite file in the place of a server, that can be away."""

    remote = True
    place = "server"

    def __init__(self, path, state):
        self._file = SqliteFile(str(path))
        self._state = state

    def run(self, statements):
        self._state["asked"] += 1
        if self._state["away"]:
            raise DatabaseError("server: away")
        return self._file.run(statements)

    def make_table(self):
        self.run([(database.SCHEMA, ())])

    def close(self):
        pass


@pytest.fixture(autouse=True)
def log(monkeypatch, caplog):
    """What the store says, kept from the handlers of other libraries in this process."""
    monkeypatch.setattr(LOG, "propagate", False)
    LOG.addHandler(caplog.handler)
    yield
    LOG.removeHandler(caplog.handler)


@pytest.fixture
def state():
    return {"away": False, "asked": 0}


@pytest.fixture
def store(tmp_path, state):
    made = RecoveryStore(lambda: Server(tmp_path / "db", state), "me", "a", 0.0, retry=0.01)
    yield made
    made.close()


def rows(tmp_path):
    with sqlite3.connect(tmp_path / "db") as connection:
        return connection.execute("SELECT runtime_uuid, uuid FROM recovery").fetchall()


def other(tmp_path, state):
    """A second switch on the same server."""
    return RecoveryStore(lambda: Server(tmp_path / "db", state), "you", "b", 0.0, retry=0.01)


def test_rows_wait_for_a_server_that_was_away(store, state, tmp_path):
    state["away"] = True
    store.insert("internal", "one", "{}")
    eventually(lambda: state["asked"] > 3, "some attempts")
    assert rows(tmp_path) == []
    assert not store.reachable
    state["away"] = False
    eventually(lambda: rows(tmp_path) == [("me", "one")], "the row")
    assert store.reachable


def test_a_server_that_is_away_looks_empty_and_loses_nothing(store, state, tmp_path):
    taker = other(tmp_path, state)
    store.insert("internal", "one", "{}")
    eventually(lambda: rows(tmp_path), "the row")
    state["away"] = True
    assert taker.take("internal") == []
    state["away"] = False
    assert taker.take("another") == []
    assert store.take("internal") == []  # its own
    assert taker.take("internal") == [("one", "{}")]
    assert rows(tmp_path) == []
    taker.close()


def test_the_end_does_not_wait_for_a_server_that_is_away(store, state, caplog):
    state["away"] = True
    store.insert("internal", "one", "{}")
    eventually(lambda: state["asked"] > 3, "some attempts")
    began = time.monotonic()
    store.close()
    assert time.monotonic() - began < 5  # far less than 120 attempts, 10 s at most
    assert "(1 lost)" in caplog.text


def test_no_server_no_start(state, tmp_path):
    state["away"] = True
    with pytest.raises(DatabaseError, match="away"):
        other(tmp_path, state)


# --- the server's driver -------------------------------------------------------------------


class Driver:
    """The part of psycopg2 that is used; its connections die when told so."""

    class Error(Exception):
        pass

    class OperationalError(Error):
        pass

    class InterfaceError(Error):
        pass

    class DataError(Error):
        pass

    def __init__(self):
        self.connections = 0
        self.fail_with = None
        self.alive = True
        self.executed = []
        self.description = None

    def connect(self, uri, **options):
        if not self.alive:
            raise self.OperationalError(f"no\n  server at {uri.partition('@')[2]}")
        self.connections += 1
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def cursor(self):
        return self

    def close(self):
        pass

    def execute(self, sql, values):
        if self.fail_with is not None:
            error, self.fail_with = self.fail_with, None
            raise error
        self.executed.append((sql, values))


@pytest.fixture
def driver(monkeypatch):
    made = Driver()
    monkeypatch.setattr(database, "_driver", lambda _: made)
    return made


URI = "postgresql://user:geheim@192.0.2.1:5432/name?passfile=/x"


def test_the_place_names_no_secret(driver):
    assert PostgresqlServer(URI).place == "postgresql://192.0.2.1:5432/name"


@pytest.mark.parametrize("kind", ["OperationalError", "InterfaceError"])
def test_a_kept_connection_that_has_died_is_replaced_at_once(driver, kind):
    server = PostgresqlServer(URI)
    server.run([("SELECT ?", (1,))])
    driver.fail_with = getattr(driver, kind)("server closed the connection")
    server.run([("SELECT ?", (2,))])
    assert driver.connections == 2
    assert driver.executed == [("SELECT %s", (1,)), ("SELECT %s", (2,))]


def test_an_error_of_the_statement_is_not_tried_again(driver):
    server = PostgresqlServer(URI)
    server.run([("SELECT 1", ())])
    driver.fail_with = driver.DataError("bad value")
    with pytest.raises(DatabaseError, match="bad value"):
        server.run([("SELECT 2", ())])
    assert driver.executed == [("SELECT 1", ())]


def test_a_server_that_is_away_is_one_error_on_one_line(driver):
    server = PostgresqlServer(URI)
    server.run([("SELECT 1", ())])
    driver.alive = False
    driver.fail_with = driver.OperationalError("gone")
    with pytest.raises(DatabaseError) as caught:
        server.run([("SELECT 2", ())])
    assert str(caught.value).startswith("postgresql://192.0.2.1:5432/name: no server at")
    assert "geheim" not in str(caught.value)
    driver.alive = True
    server.run([("SELECT 3", ())])
    assert driver.connections == 2


def test_the_kind_of_database_is_in_its_name(driver, tmp_path: Path):
    assert isinstance(database.connect(URI), PostgresqlServer)
    assert isinstance(database.connect(str(tmp_path / "db")), SqliteFile)


def test_without_the_driver_the_switch_does_not_start_and_says_what_to_install(make_node):
    """Also with the driver: nobody listens on that port."""
    node = make_node(extra={"recovery_db": "postgresql://user@127.0.0.1:9/name"})
    node.launch()
    assert node.process is not None
    try:
        assert node.process.wait(20) == 1
    except subprocess.TimeoutExpired:
        pytest.fail("the switch goes on without its database")
    assert "Error starting system! recovery_db postgresql://127.0.0.1:9/name" in node.log
