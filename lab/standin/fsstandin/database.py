"""The database that both switches share: a SQLite file or a PostgreSQL server.

A connection is made when it is needed and thrown away after an error, so a server that was away is
used again as soon as it is back.
"""

from __future__ import annotations

import contextlib
import importlib
import site
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

Row = tuple[Any, ...]
POSTGRESQL = ("postgresql://", "postgres://")
FILE = "dsn:"
BUSY_SECONDS = 5.0
# As measured with a server that drops packets: the answer comes after 9.2 s.
CONNECT_SECONDS = 9
STATEMENT_MILLISECONDS = 5000
SCHEMA_LOCK = 0x46534841  # any number; both switches may make the table in the same moment
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS recovery (runtime_uuid VARCHAR(255), technology VARCHAR(255), "
    "profile_name VARCHAR(255), hostname VARCHAR(255), uuid VARCHAR(255), metadata text)"
)


class DatabaseError(Exception):
    """The database cannot be used now; the message says where and why, without a password."""


class Database(Protocol):
    """Runs SQL with ``?`` for values, each call of ``run`` in one transaction."""

    place: str
    remote: bool

    def run(self, statements: Sequence[tuple[str, Row]]) -> list[Row]:
        """Run them all or none; returns the rows of the last. Raises DatabaseError."""

    def make_table(self) -> None:
        """Make the table unless it is there; raises DatabaseError."""

    def close(self) -> None:
        """Forget the connection."""


class SqliteFile:
    """A file that both nodes can reach."""

    remote = False

    def __init__(self, path: str) -> None:
        self.place = path

    def run(self, statements: Sequence[tuple[str, Row]]) -> list[Row]:
        """Run them all or none; returns the rows of the last. Raises DatabaseError."""
        rows: list[Row] = []
        try:
            connection = sqlite3.connect(self.place, timeout=BUSY_SECONDS)
            with contextlib.closing(connection), connection:
                connection.execute("PRAGMA synchronous=OFF")
                connection.execute("BEGIN IMMEDIATE")
                for sql, values in statements:
                    rows = connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise DatabaseError(f"{self.place}: {error}") from error
        return rows

    def make_table(self) -> None:
        """Make the table unless it is there; raises DatabaseError."""
        self.run([(SCHEMA, ())])

    def close(self) -> None:
        """Nothing is kept open."""


class PostgresqlServer:
    """A server named by a URI of libpq; its password is best in a file (``?passfile=…``)."""

    remote = True

    def __init__(self, uri: str) -> None:
        # Whoever puts a password into the URI does not find it in the log.
        scheme, _, rest = uri.partition("://")
        self.place = f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"
        self._uri = uri
        self._connection: Any = None
        self._driver = _driver(self.place)

    def run(self, statements: Sequence[tuple[str, Row]]) -> list[Row]:
        """Run them all or none; returns the rows of the last. Raises DatabaseError.

        A connection that was kept may have died with the server that is back by now: then a new one
        is tried once.
        """
        kept = self._connection is not None
        try:
            return self._run(statements)
        except self._driver.Error as error:
            self.close()
            dead = isinstance(error, self._driver.OperationalError | self._driver.InterfaceError)
            if not (kept and dead):
                raise self._error(error) from error
        try:
            return self._run(statements)
        except self._driver.Error as error:
            self.close()
            raise self._error(error) from error

    def _run(self, statements: Sequence[tuple[str, Row]]) -> list[Row]:
        if self._connection is None:
            self._connection = self._driver.connect(
                self._uri,
                connect_timeout=CONNECT_SECONDS,
                tcp_user_timeout=CONNECT_SECONDS * 1000,
                options=f"-c statement_timeout={STATEMENT_MILLISECONDS}",
            )
        rows: list[Row] = []
        with self._connection, self._connection.cursor() as cursor:
            for sql, values in statements:
                cursor.execute(sql.replace("?", "%s"), values)
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def _error(self, error: Exception) -> DatabaseError:
        return DatabaseError(f"{self.place}: {' '.join(str(error).split())}")

    def make_table(self) -> None:
        """Make the table unless it is there; raises DatabaseError."""
        self.run([("SELECT pg_advisory_xact_lock(?)", (SCHEMA_LOCK,)), (SCHEMA, ())])

    def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _driver(place: str) -> Any:
    """Return psycopg2, which our interpreter (started with -S) does not look for by itself."""
    try:
        site.main()
        return importlib.import_module("psycopg2")
    except ImportError as error:
        raise DatabaseError(f"{place}: install python3-psycopg2 ({error})") from error


def connect(where: str) -> Database:
    """Return the database named by a path, a URI or a file; nothing is opened yet.

    where
        The path of a SQLite file, a ``postgresql://`` URI, or ``dsn:PATH``: a file with a data
        source as the real switch takes it, ``pgsql://host=… password=…``.
    """
    if where.startswith(FILE):
        return PostgresqlServer(_in_file(Path(where.removeprefix(FILE))))
    return PostgresqlServer(where) if where.startswith(POSTGRESQL) else SqliteFile(where)


def _in_file(path: Path) -> str:
    """Return the URI that a data source in a file means."""
    try:
        text = path.read_text("utf-8").strip()
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror}") from error
    words = dict(word.partition("=")[::2] for word in text.removeprefix("pgsql://").split())
    user, password = words.pop("user", ""), words.pop("password", "")
    query = urlencode({"user": user, "password": password})
    return f"postgresql://{words['host']}:{words.get('port', '5432')}/{words['dbname']}?{query}"
