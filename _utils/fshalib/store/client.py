"""The door to a store: psql, on this node as its administrator, on the peer as the replication."""

from collections.abc import Sequence
from dataclasses import dataclass

from fshalib.errors import RunError, StoreError
from fshalib.store import scheme, state
from fshalib.store.scheme import Side
from fshalib.store.state import Store
from fshalib.system import programs
from fshalib.system.programs import Completed, Runner

SECONDS = 20.0
PEER_SECONDS = 8.0
_ARGUMENTS = (
    "--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align",
    "--set=ON_ERROR_STOP=1", "--file=-",
)  # fmt: skip


class StoreAway(StoreError):
    """Nobody answers there, or nobody who lets this node in."""


@dataclass(frozen=True)
class Local:
    """The store of this node, as its administrator.

    directory
        Where PostgreSQL's programs are.
    socket
        The directory of the server's socket.
    user
        The user that the server runs as; whoever is that user on this node administers it.
    """

    directory: str
    socket: str
    port: int
    user: str = "postgres"
    run: Runner = programs.run

    def sql(self, *statements: str, database: str = scheme.DATABASE) -> str:
        """Run statements one after the other, each by itself, and return what they print.

        Raises :class:`StoreAway`, :class:`errors.StoreError`.
        """
        psql = [f"{self.directory}/psql", *_ARGUMENTS, f"--dbname={database}"]
        where = [f"--host={self.socket}", f"--port={self.port}", f"--username={self.user}"]
        done = _run(
            self.run,
            ["runuser", "-u", self.user, "--", *psql, *where],
            "\n".join(statements),
            SECONDS,
            {"PGCONNECT_TIMEOUT": "3"},
        )
        return _answer(done, "the recovery store of this node")

    def has_database(self) -> bool:
        """Tell whether the database of the switch is there. Raises :class:`StoreAway`."""
        question = f"SELECT 1 FROM pg_database WHERE datname = {scheme.literal(scheme.DATABASE)};"
        return self.sql(question, database="postgres") == "1"

    def look(self) -> Store:
        """Return the store as it is. Raises :class:`StoreAway`, :class:`errors.StoreError`."""
        return state.parse(self.sql(state.QUESTION, state.OWN))


def look_at_peer(side: Side, program: str, run: Runner = programs.run) -> Store:
    """Return the peer's store as the replication's user sees it.

    program
        The path of psql.

    Raises :class:`StoreAway`, :class:`errors.StoreError`.
    """
    done = _run(
        run, [program, *_ARGUMENTS, f"--dbname={side.source}"], state.QUESTION, PEER_SECONDS, {}
    )
    return state.parse(_answer(done, f"the recovery store of {side.peer}"))


def on_peer(side: Side, program: str, *statements: str, run: Runner = programs.run) -> None:
    """Run statements in the peer's store as the replication's user.

    Raises :class:`StoreAway`, :class:`errors.StoreError`.
    """
    argv = [program, *_ARGUMENTS, f"--dbname={side.source}"]
    done = _run(run, argv, "\n".join(statements), PEER_SECONDS, {})
    _answer(done, f"the recovery store of {side.peer}")


def _run(
    run: Runner, argv: Sequence[str], stdin: str, seconds: float, env: dict[str, str]
) -> Completed:
    try:
        return run(argv, stdin=stdin, timeout=seconds, env={**env, "PGAPPNAME": "fsha"})
    except programs.ToolTimeout as error:
        raise StoreAway(str(error)) from error
    except RunError as error:
        raise StoreError(str(error)) from error


NO_CONNECTION = 2
"""psql's exit code when the connection could not be made, or broke."""


def _answer(done: Completed, whose: str) -> str:
    if done.code == 0:
        return done.out.strip()
    lines = [line for line in done.err.strip().splitlines() if line.strip()]
    reason = lines[0].strip() if lines else f"exit code {done.code}"
    kind = StoreAway if done.code == NO_CONNECTION else StoreError
    raise kind(f"{whose}: {reason}")
