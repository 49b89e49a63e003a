"""The shared recovery database: a PostgreSQL on the outside machine, used by both nodes' switches.

Its empty cluster is made once, see :mod:`lab.build`; what is here makes it this lab's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.build import POSTGRESQL_DATA, POSTGRESQL_PATH
from lab.settings import LINKS, OUTSIDE

if TYPE_CHECKING:
    from lab.machine import Container

SERVICE = "postgresql"
NAME = "freeswitch"
PORT = 5432
ADDRESS = LINKS[0].address(OUTSIDE.host)
PASSFILE = "/etc/freeswitch/recovery_db.pgpass"
START_SECONDS = 30.0
# Nothing has to outlive the host, and the machines write to memory.
SETTINGS = {
    "listen_addresses": ADDRESS,
    "port": str(PORT),
    "unix_socket_directories": "/run/postgresql",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

UNIT = f"""\
[Unit]
Description=PostgreSQL of the lab, the recovery database
After=network.target

[Service]
Type=notify
User=postgres
RuntimeDirectory=postgresql
ExecStart={POSTGRESQL_PATH}/bin/postgres -D {POSTGRESQL_DATA} \
  {" ".join(f"-c {name}={value}" for name, value in SETTINGS.items())}
ExecReload=/bin/kill -HUP $MAINPID
KillSignal=SIGINT
"""

EMPTY = """\
SET client_min_messages = warning;
SELECT 'CREATE ROLE {name} LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE {name} PASSWORD '{password}';
DROP DATABASE IF EXISTS {name} WITH (FORCE);
CREATE DATABASE {name} OWNER {name};
"""


def uri() -> str:
    """Return the database's URI for the nodes; the password is in a file there, not in it."""
    return f"postgresql://{NAME}@{ADDRESS}:{PORT}/{NAME}?passfile={PASSFILE}"


def dsn(password: str) -> str:
    """Return the database as a data source of FreeSWITCH."""
    return f"pgsql://host={ADDRESS} port={PORT} dbname={NAME} user={NAME} password={password}"


def passfile(password: str) -> str:
    """Return the text of the password file, as libpq reads it."""
    return f"{ADDRESS}:{PORT}:{NAME}:{NAME}:{password}\n"


def empty(outside: Container, password: str) -> None:
    """Make the database empty, and start the server before if it does not run.

    Args:
        outside: the machine, running.
        password: of the user ``freeswitch``, letters and digits.

    Raises:
        LabCommandError: the server does not start, or refuses.

    """
    outside.run(["systemctl", "start", SERVICE], timeout=START_SECONDS)
    query(outside, EMPTY.format(name=NAME, password=password), name="postgres")


def query(outside: Container, sql: str, *, name: str = NAME) -> str:
    """Run SQL in the database *name* as its administrator and return what it prints.

    Raises:
        LabCommandError: the server does not run, or refuses.

    """
    psql = [f"{POSTGRESQL_PATH}/bin/psql", "-qtA", "--set=ON_ERROR_STOP=1", f"--dbname={name}"]
    command = ["runuser", "-u", "postgres", "--", *psql, "--host=/run/postgresql", "--file=-"]
    return outside.run(command, input=sql).out.strip()
