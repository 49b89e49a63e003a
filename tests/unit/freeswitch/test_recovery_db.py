"""The recovery database, asked by psql."""

import json

import pytest

from fshalib.freeswitch import recovery_db
from fshalib.freeswitch.recovery_db import ask, ask_pillars, ghosts, variables
from fshalib.system import programs

SOURCE = "pgsql://host=10.0.0.1 port=5433 dbname=fs user=me password='hunter 2'"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (SOURCE, {"PGHOST": "10.0.0.1", "PGPORT": "5433", "PGDATABASE": "fs", "PGUSER": "me",
                  "PGPASSWORD": "hunter 2"}),
        ("postgresql://me:hunter%202@db:5433/fs?sslmode=require",
         {"PGHOST": "db", "PGPORT": "5433", "PGDATABASE": "fs", "PGUSER": "me",
          "PGPASSWORD": "hunter 2", "PGSSLMODE": "require"}),
        ("postgresql://fs:c2VjcmV0Cg==@db/fs",
         {"PGHOST": "db", "PGDATABASE": "fs", "PGUSER": "fs", "PGPASSWORD": "c2VjcmV0Cg=="}),
        ("pgsql://host=db password='a=b@c'", {"PGHOST": "db", "PGPASSWORD": "a=b@c"}),
        ("pgsql://host=db nosuch=1", {"PGHOST": "db"}),
        ("pgsql://host='db", {}),
        ("odbc://name:user:password", {}),
        ("sqlite:///x", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_variables(source, expected):
    assert variables(source) == expected


def psql(out="", err="", seconds=0.01, seen=None):
    def run(argv, stdin=None, timeout=0, env=None):
        if seen is not None:
            seen.append((argv, env))
        return programs.Completed(tuple(argv), 0 if out else 2, out, err, seconds)

    return run


KEPT = {"rows": {"a": 3, "b": 2}, "copies": {"db2": 0.5}}


def told(**more):
    return json.dumps({"standby": False, "read_only": False, **KEPT, **more})


def test_the_password_is_in_no_argument():
    seen = []
    found = ask(SOURCE, psql(told(), seen=seen))
    assert found == {"seconds": 0.01, "writable": True, **KEPT}
    ((argv, env),) = seen
    assert "hunter" not in " ".join(argv)
    assert env["PGPASSWORD"] == "hunter 2"
    assert env["PGCONNECT_TIMEOUT"] == "3"


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (psql(told(standby=True)), {"seconds": 0.01, "writable": False, **KEPT}),
        (psql(told(read_only=True)), {"seconds": 0.01, "writable": False, **KEPT}),
        (psql(err="psql: error: connection refused\nmore"),
         {"why": "psql: error: connection refused"}),
        (psql("garbage"), {"why": "garbage"}),
        (psql("[]"), {"why": "[]"}),
    ],
)  # fmt: skip
def test_what_it_says(run, expected):
    assert ask(SOURCE, run) == expected


def test_nobody_can_ask():
    def missing(argv, **_):
        raise programs.ToolMissing(argv[0])

    def hangs(argv, **_):
        raise programs.ToolTimeout(argv, 5)

    assert ask(SOURCE, missing) is None
    assert ask("odbc://x:y:z", psql(told())) is None
    assert "did not answer" in ask(SOURCE, hangs)["why"]


def test_ghosts():
    assert ghosts({"a": 3, "b": 2}, ["b", "c"]) == 3
    assert ghosts({}, []) == 0
    assert recovery_db.SLOW < recovery_db.SECONDS


@pytest.mark.parametrize(
    ("configuration", "asked"),
    [
        ({"core_db_dsn": SOURCE}, True),
        ({"core_db_dsn_file": "dsn"}, True),
        ({"core_db_dsn": "odbc://name"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_the_database_that_the_pillar_names(tmp_path, monkeypatch, configuration, asked):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dsn").write_text(f"{SOURCE}\n", encoding="utf-8")
    seen = []
    answer = ask_pillars(
        {"fsha": {"freeswitch": {"configuration": configuration}}}, psql(told(), seen=seen)
    )
    assert bool(answer) is bool(seen) is asked
    assert all(env["PGHOST"] == "10.0.0.1" for _, env in seen)
    assert ask_pillars({}, psql()) is None


def test_a_data_source_that_cannot_be_read(tmp_path):
    pillar = {"fsha": {"freeswitch": {"configuration": {"core_db_dsn_file": str(tmp_path / "no")}}}}
    assert "can't be read: No such file" in ask_pillars(pillar, psql())["why"]
