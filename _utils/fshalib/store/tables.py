"""The switch's tables that both nodes share, as the installed FreeSWITCH would make them.

The store makes them in place of the switch, so that the switch can't drop them: at a failing
question FreeSWITCH drops a table and makes it anew, and a new table is in no publication
(switch_core_sqldb.c, sofia_glue.c). The columns are read out of the installed binaries, so a
release that wants another one is seen before it starts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column: its name, and its SQL type with its default."""

    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """A table with its columns in order, and the columns that have an index."""

    name: str
    columns: tuple[Column, ...]
    indexed: tuple[str, ...] = ()


def _table(name: str, text: str, indexed: tuple[str, ...]) -> Table:
    columns = (line.split(" ", 1) for line in text.split(", "))
    return Table(name, tuple(Column(column, kind) for column, kind in columns), indexed)


# FreeSWITCH 1.10 to 1.11.3 (switch_core_sqldb.c and mod_sofia's sofia_glue.c, commit cc93a683).
RECOVERY = _table(
    "recovery",
    "runtime_uuid VARCHAR(255), technology VARCHAR(255), profile_name VARCHAR(255), "
    "hostname VARCHAR(255), uuid VARCHAR(255), metadata text",
    ("technology", "profile_name", "uuid", "runtime_uuid"),
)
REGISTRATIONS = _table(
    "sip_registrations",
    "call_id VARCHAR(255), sip_user VARCHAR(255), sip_host VARCHAR(255), "
    "presence_hosts VARCHAR(255), contact VARCHAR(1024), status VARCHAR(255), "
    "ping_status VARCHAR(255), ping_count INTEGER, ping_time BIGINT, force_ping INTEGER, "
    "rpid VARCHAR(255), expires BIGINT, ping_expires INTEGER not null default 0, "
    "user_agent VARCHAR(255), server_user VARCHAR(255), server_host VARCHAR(255), "
    "profile_name VARCHAR(255), hostname VARCHAR(255), network_ip VARCHAR(255), "
    "network_port VARCHAR(6), sip_username VARCHAR(255), sip_realm VARCHAR(255), "
    "mwi_user VARCHAR(255), mwi_host VARCHAR(255), orig_server_host VARCHAR(255), "
    "orig_hostname VARCHAR(255), sub_host VARCHAR(255)",
    ("call_id", "sip_user", "sip_host", "contact", "expires", "hostname"),
)
BUILT_IN = (RECOVERY, REGISTRATIONS)

_MADE = re.compile(rb"CREATE TABLE (\w+) \(\n([^;\0]{1,4000}?)\n?\);")
_COLUMN = re.compile(r"([a-z_][a-z0-9_]{0,62}) +([A-Za-z][A-Za-z0-9_() ]{0,60})")


def in_binary(data: bytes) -> Mapping[str, tuple[Column, ...]]:
    """Return the tables that a binary of FreeSWITCH makes, by name, with their columns.

    data
        The whole file: ``libfreeswitch.so.1``, or ``mod_sofia.so``.
    """
    made = ((m[1].decode("ascii"), m[2].decode("ascii", "replace")) for m in _MADE.finditer(data))
    return {name: _columns(text) for name, text in made}


def _columns(text: str) -> tuple[Column, ...]:
    lines = (_COLUMN.fullmatch(line.strip()) for line in text.split(",\n"))
    return tuple(Column(match[1], match[2].strip()) for match in lines if match)


def wanted(binaries: Iterable[bytes]) -> tuple[Table, ...]:
    """Return the shared tables with the columns that the installed switch and this file know.

    The columns of the binaries come after those that are known, so that two nodes of different
    releases have the same ones in a rolling upgrade.
    """
    made: dict[str, tuple[Column, ...]] = {}
    for data in binaries:
        made |= in_binary(data)
    return tuple(_with(table, made.get(table.name, ())) for table in BUILT_IN)


def _with(table: Table, columns: tuple[Column, ...]) -> Table:
    known = {column.name for column in table.columns}
    more = tuple(column for column in columns if column.name not in known)
    return Table(table.name, (*table.columns, *more), table.indexed)
