"""The recovery table both switches share: one row per answered call, as in the real core DB."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path

LOG = logging.getLogger("standin.recovery")
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS recovery (runtime_uuid VARCHAR(255), technology VARCHAR(255), "
    "profile_name VARCHAR(255), hostname VARCHAR(255), uuid VARCHAR(255), metadata text)"
)
OTHERS = "technology='sofia' AND profile_name=? AND runtime_uuid!=?"
BUSY_SECONDS = 5.0


@dataclass(frozen=True)
class Statement:
    """One SQL statement that is due at ``due`` (monotonic seconds)."""

    due: float
    sql: str
    values: tuple[str, ...]


class RecoveryStore:
    """Rows in the SQLite file ``path``, written late by a thread as the real switch does.

    Whatever is still queued when the process is killed is lost, as it is there.
    Raises sqlite3.Error when the file cannot be opened or made.
    """

    def __init__(self, path: Path, runtime_uuid: str, hostname: str, delay: float) -> None:
        self._path = path
        self._runtime_uuid = runtime_uuid
        self._hostname = hostname
        self._delay = delay
        self._queue: queue.SimpleQueue[Statement | None] = queue.SimpleQueue()
        connection = self._connect()
        try:
            with connection:
                connection.execute(SCHEMA)
        finally:
            connection.close()
        self._thread = threading.Thread(target=self._write, name="recovery", daemon=True)
        self._thread.start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
        connection.execute("PRAGMA synchronous=OFF")
        return connection

    def insert(self, profile: str, uuid: str, metadata: str) -> None:
        """Queue the row of an answered call."""
        self._put(
            "INSERT INTO recovery VALUES (?, 'sofia', ?, ?, ?, ?)",
            (self._runtime_uuid, profile, self._hostname, uuid, metadata),
        )

    def delete(self, uuid: str) -> None:
        """Queue the end of an own row; rows another switch took over are not touched."""
        self._put(
            "DELETE FROM recovery WHERE runtime_uuid=? AND uuid=?", (self._runtime_uuid, uuid)
        )

    def take(self, profile: str) -> list[tuple[str, str]]:
        """Return (uuid, metadata) of every row of ``profile`` not our own, and delete them.

        An unreachable database looks like an empty one: the real switch says the same.
        """
        try:
            connection = self._connect()
            try:
                with connection:
                    connection.execute("BEGIN IMMEDIATE")
                    values = (profile, self._runtime_uuid)
                    rows = connection.execute(
                        f"SELECT uuid, metadata FROM recovery WHERE {OTHERS}",  # noqa: S608
                        values,
                    ).fetchall()
                    connection.execute(f"DELETE FROM recovery WHERE {OTHERS}", values)  # noqa: S608
            finally:
                connection.close()
        except sqlite3.Error as error:
            LOG.warning("recovery database %s: %s", self._path, error)
            return []
        return [(str(uuid), str(metadata)) for uuid, metadata in rows]

    def flush(self, profile: str) -> None:
        """Queue the deletion of every row of ``profile``, whoever owns it."""
        self._put("DELETE FROM recovery WHERE technology='sofia' AND profile_name=?", (profile,))

    def close(self) -> None:
        """Write what is queued and stop the thread."""
        self._queue.put(None)
        self._thread.join(timeout=2 * BUSY_SECONDS)

    def _put(self, sql: str, values: tuple[str, ...]) -> None:
        self._queue.put(Statement(time.monotonic() + self._delay, sql, values))

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            time.sleep(max(0.0, first.due - time.monotonic()))
            batch = [first]
            while not self._queue.empty():
                item = self._queue.get()
                if item is None:
                    self._commit(batch)
                    return
                batch.append(item)
            self._commit(batch)

    def _commit(self, batch: list[Statement]) -> None:
        try:
            connection = self._connect()
            try:
                with connection:
                    for statement in batch:
                        connection.execute(statement.sql, statement.values)
            finally:
                connection.close()
        except sqlite3.Error as error:
            LOG.warning("recovery database %s: %s (%d lost)", self._path, error, len(batch))
