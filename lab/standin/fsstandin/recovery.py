"""The recovery table both switches share: one row per answered call, as in the real core DB."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .database import Database, DatabaseError, Row, connect

LOG = logging.getLogger("standin.recovery")
OTHERS = "technology='sofia' AND profile_name=? AND runtime_uuid!=?"
TAKE = f"DELETE FROM recovery WHERE {OTHERS} RETURNING uuid, metadata"  # noqa: S608 - no value
RETRIES = 120
CLOSE_SECONDS = 10.0


@dataclass(frozen=True)
class Statement:
    """One SQL statement that is due at ``due`` (monotonic seconds)."""

    due: float
    sql: str
    values: Row


class RecoveryStore:
    """Rows in a database, written late by a thread as the real switch does.

    Whatever is still queued when the process is killed is lost, as it is there. What a server does
    not take is tried again, 120 times every ``retry`` seconds as in the source of the real driver.

    Args:
        make: returns the database; the thread and whoever asks have a connection each.
        runtime_uuid: this run of the switch.
        hostname: this node.
        delay: seconds from an event to its row.
        retry: seconds between two attempts.

    Raises:
        DatabaseError: it cannot be reached, or the table not be made.

    """

    def __init__(
        self,
        make: Callable[[], Database],
        runtime_uuid: str,
        hostname: str,
        delay: float,
        retry: float = 1.0,
    ) -> None:
        self._make = make
        self._runtime_uuid = runtime_uuid
        self._hostname = hostname
        self._delay = delay
        self.retry = retry
        self._queue: queue.SimpleQueue[Statement | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._database = make()
        self._database.make_table()
        self._thread = threading.Thread(target=self._write, name="recovery", daemon=True)
        self._thread.start()

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
            rows = self._ask(TAKE, (profile, self._runtime_uuid))
        except DatabaseError as error:
            LOG.warning("recovery database %s", error)
            return []
        return [(str(uuid), str(metadata)) for uuid, metadata in rows]

    def flush(self, profile: str) -> None:
        """Queue the deletion of every row of ``profile``, whoever owns it."""
        self._put("DELETE FROM recovery WHERE technology='sofia' AND profile_name=?", (profile,))

    @property
    def reachable(self) -> bool:
        """Tell whether a server answers; a file always does. May take seconds."""
        try:
            return not self._database.remote or bool(self._ask("SELECT 1", ()))
        except DatabaseError:
            return False

    def close(self) -> None:
        """Write what is queued, if it can be written at once, and stop the thread."""
        self._queue.put(None)
        self._closing.set()
        self._thread.join(timeout=CLOSE_SECONDS)

    def _ask(self, sql: str, values: Row) -> list[Row]:
        database = self._make()
        try:
            return database.run([(sql, values)])
        finally:
            database.close()

    def _put(self, sql: str, values: Row) -> None:
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
        attempts = RETRIES if self._database.remote else 1
        statements = [(statement.sql, statement.values) for statement in batch]
        for attempt in range(1, attempts + 1):
            # Asked before the attempt, so that a close is followed by one more.
            last = attempt == attempts or self._closing.is_set()
            try:
                self._database.run(statements)
            except DatabaseError as error:
                if last:
                    LOG.warning("recovery database %s (%d lost)", error, len(batch))
                    return
                if attempt == 1:
                    LOG.warning("recovery database %s (%d wait)", error, len(batch))
            else:
                return
            self._closing.wait(self.retry)


def open_store(
    where: str, runtime_uuid: str, hostname: str, delay: float, retry: float
) -> RecoveryStore:
    """Return the store in the database named ``where``; raises DatabaseError."""
    return RecoveryStore(lambda: connect(where), runtime_uuid, hostname, delay, retry)
