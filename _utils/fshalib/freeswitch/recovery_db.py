"""Ask the recovery database by ``psql``: is it writable, how fast is it, how many rows has it.

The switch itself does not know that. The password goes through the environment, which only root
and the program itself can read, never through an argument.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from fshalib.schema import report
from fshalib.system import programs
from fshalib.system.programs import Runner

PSQL = "psql"
SECONDS = 5.0
OWN_STORE = "/etc/fsha/recovery_store.dsn"
"""The data source of a node's own store, where the pair has one (``recovery_store: pair``)."""
SLOW = 0.5
"""Seconds; with slower answers the recovery of many calls takes long."""

# libpq's names in a data source → its environment variables.
_VARIABLES: Mapping[str, str] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "passfile": "PGPASSFILE",
}
_QUESTION = """\
SELECT json_build_object(
  'standby', pg_is_in_recovery(),
  'read_only', current_setting('transaction_read_only') = 'on',
  'copies', coalesce((SELECT json_object_agg(coalesce(nullif(application_name, ''),
      client_addr::text, pid::text), coalesce(extract(epoch FROM replay_lag), 0))
    FROM pg_stat_replication), '{}'),
  'rows', coalesce((SELECT json_object_agg(runtime_uuid, n) FROM
    (SELECT runtime_uuid, count(*) AS n FROM recovery GROUP BY runtime_uuid) AS found), '{}'));
"""

Answer = dict[str, Any]


def variables(source: str) -> dict[str, str]:
    """Return libpq's variables for a data source of FreeSWITCH; empty for another kind.

    source
        ``pgsql://host=… dbname=…`` or a URI, ``postgresql://user:password@host/dbname``.
    """
    scheme, _, rest = source.partition("://")
    if scheme not in ("pgsql", "postgresql", "postgres"):
        return {}
    values = _key_values(rest) if scheme == "pgsql" and "=" in rest else _uri(source)
    return {_VARIABLES[key]: value for key, value in values.items() if key in _VARIABLES and value}


def _key_values(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError:
        return {}
    return dict(word.split("=", 1) for word in words if "=" in word)


def _uri(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        port = str(parts.port or "")
    except ValueError:
        return {}
    values = {
        "host": parts.hostname or "",
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": parts.path.lstrip("/"),
    }
    return {**values, **dict(parse_qsl(parts.query))}


def ask_pillars(pillar: Mapping[str, Any], run: Runner = programs.run) -> Answer | None:
    """Ask the database that a pillar names (``fsha:freeswitch:configuration``), see :func:`ask`."""
    settings = report.section(pillar, "fsha", "freeswitch", "configuration")
    on_pair = report.section(pillar, "fsha", "recovery_store").get("mode") == "pair"
    file = settings.get("core_db_dsn_file") or (OWN_STORE if on_pair else None)
    try:
        source = (
            Path(file).read_text(encoding="utf-8", errors="replace")
            if file
            else settings.get("core_db_dsn")
        )
    except OSError as error:
        return {"why": f"{file} can't be read: {error.strerror}"}
    return ask(str(source or "").strip(), run)


def ask(source: str, run: Runner = programs.run) -> Answer | None:
    """Return ``seconds``, ``writable``, ``rows`` (core uuid → how many) and ``copies`` of it.

    ``copies``: replica → the seconds that it lags behind (PostgreSQL shows them to a user with the
    role ``pg_monitor``).

    Returns ``why`` in their place if the database does not answer. Returns ``None`` for another
    kind of database, or without ``psql`` on this node.
    """
    environment = variables(source)
    if not environment:
        return None
    bounds = {"PGCONNECT_TIMEOUT": "3", "PGOPTIONS": "-c statement_timeout=3000"}
    try:
        done = run(
            [PSQL, "--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--file=-"],
            stdin=_QUESTION,
            timeout=SECONDS,
            env={**environment, **bounds},
        )
    except programs.ToolMissing:
        return None
    except programs.RunError as error:
        return {"why": str(error)}
    try:
        data = json.loads(done.out)
        rows = {str(core): int(n) for core, n in data["rows"].items()}
        copies = {str(name): round(float(lag), 2) for name, lag in data["copies"].items()}
        writable = not (data["standby"] or data["read_only"])
    except (ValueError, KeyError, TypeError, AttributeError):
        first_line = (done.err.strip() or done.out.strip() or "nothing").splitlines()[0]
        return {"why": first_line[:200]}
    return {"seconds": round(done.seconds, 2), "writable": writable, "rows": rows, "copies": copies}


def ghosts(rows: Mapping[str, int], cores: Iterable[str]) -> int:
    """Return the number of rows of switches that no longer run.

    rows
        Core uuid → how many.
    cores
        The core uuids of all switches that run.
    """
    alive = frozenset(cores)
    return sum(number for core, number in rows.items() if core not in alive)
