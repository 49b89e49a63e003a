"""The server of a store: a PostgreSQL of its own, beside any that the host has already.

It has its own directory, port, unit and socket, so a database of the operator's is not touched.
Its rows are those of calls that are up now, so a new release of PostgreSQL begins with an empty
directory and takes them from the peer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fshalib.errors import StoreError
from fshalib.store import scheme

SERVICE = "fsha-recovery-store"
HOME = "/var/lib/fsha/recovery-store"
PROGRAMS = (Path("/usr/lib/postgresql"), Path("/usr"))
"""Where releases stand side by side (Debian), and where there is one (others)."""
NEEDED = ("initdb", "postgres", "psql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True)
class Release:
    """An installed PostgreSQL: its major release, and where its programs are."""

    major: int
    programs: str


def newest(directories: Sequence[Path] = PROGRAMS) -> Release:
    """Return the newest PostgreSQL that is installed whole.

    Raises :class:`errors.StoreError` for none, or for one that is too old.
    """
    side_by_side, single = directories
    releases = [
        Release(int(path.parent.name), str(path))
        for path in side_by_side.glob("*/bin")
        if path.parent.name.isdigit() and all((path / name).exists() for name in NEEDED)
    ]
    programs = single / "bin"
    if not releases and (programs / "postgres").exists():
        releases = [Release(_major(single), str(programs))]
    if not releases:
        raise StoreError(
            f"PostgreSQL is not installed on this node: the recovery store needs {scheme.OLDEST} "
            "or later."
        )
    found = max(releases, key=lambda release: release.major)
    if found.major < scheme.OLDEST:
        raise StoreError(
            f"PostgreSQL {found.major} is too old for the recovery store: {scheme.OLDEST} or later "
            "is needed, for earlier ones can't publish a part of a table. Install a newer release "
            "beside it, or set fsha:recovery_store:mode to external."
        )
    return found


def _major(prefix: Path) -> int:
    # The release's file stands beside its data, as the server itself looks for it.
    versions = [path.read_text("utf-8") for path in prefix.glob("share/pgsql/*.version")]
    return max((int(text) for text in versions if text.strip().isdigit()), default=0)


@dataclass(frozen=True)
class Server:
    """Where a store's server is: its port, its addresses, its files, how much WAL it may keep.

    listen
        The addresses of this node on which the peer reaches it, without 127.0.0.1.
    keep_megabytes
        The WAL that it keeps at most for a peer that is away.
    """

    release: Release
    port: int
    listen: tuple[str, ...]
    keep_megabytes: int
    home: str = HOME
    socket: str = f"/run/{SERVICE}"

    @property
    def data(self) -> str:
        """The directory of the data, one for each major release."""
        return f"{self.home}/{self.release.major}"


def settings(server: Server) -> str:
    """Return the server's settings.

    Without the timeouts a cut between the nodes is mended 20 s after its end. A walsender sends
    what is flushed, so synchronous_commit stays on (measured on 15 and 17).
    """
    listen = ", ".join(("127.0.0.1", *server.listen))
    values = {
        "listen_addresses": f"'{listen}'",
        "port": str(server.port),
        "unix_socket_directories": f"'{server.socket}'",
        "max_connections": "100",
        "shared_buffers": "32MB",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "wal_level": "logical",
        "min_wal_size": "64MB",
        "max_wal_size": "256MB",
        "max_slot_wal_keep_size": f"{server.keep_megabytes}MB",
        "max_wal_senders": "6",
        "max_replication_slots": "6",
        "max_logical_replication_workers": "6",
        "wal_sender_timeout": "5s",
        "wal_receiver_timeout": "5s",
        "wal_retrieve_retry_interval": "500ms",
        "tcp_user_timeout": "4s",
        "tcp_keepalives_idle": "2",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
        "password_encryption": "scram-sha-256",
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_line_prefix": "'%q%u@%d '",
    }
    lines = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join(["# Written by the formula fsha.", *lines, ""])


def access(peer_addresses: Sequence[str]) -> str:
    """Return who may log in: the switch from this node, the replication from the peer, no other."""
    database, switch, replication = scheme.DATABASE, scheme.SWITCH, scheme.REPLICATION
    rules = [
        ("local", "all", "postgres", "", "peer"),
        ("host", database, switch, "127.0.0.1/32", "scram-sha-256"),
        *(
            ("host", database, replication, _network(address), "scram-sha-256")
            for address in peer_addresses
        ),
    ]
    lines = [" ".join(word for word in rule if word) for rule in rules]
    return "\n".join(["# Written by the formula fsha.", *lines, ""])


def _network(address: str) -> str:
    return f"{address}/128" if ":" in address else f"{address}/32"


def keep_megabytes(free_bytes: int) -> int:
    """Return how much WAL may be kept for a peer that is away, in MB.

    free_bytes
        What is free where the data is. A fifth of that, 4 GB at most: a call costs 10 kB
        (measured), so 1 GB is 100,000 calls.
    """
    return max(128, min(4096, free_bytes // 5 // 2**20))


UNIT = """\
# Written by the formula fsha.
[Unit]
Description=Recovery store of the FreeSWITCH pair (PostgreSQL)
After=network-online.target
Wants=network-online.target
Before={switch}.service

[Service]
Type=notify
User=postgres
RuntimeDirectory={service}
RuntimeDirectoryMode=0755
ExecStart={programs}/postgres -D {data} {files}
ExecReload=/bin/kill -HUP $MAINPID
KillMode=mixed
KillSignal=SIGINT
TimeoutSec=120
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""


def unit(server: Server, switch: str) -> str:
    """Return the server's systemd unit.

    switch
        The switch's unit without its suffix; it starts after the store and stops before it.
    """
    return UNIT.format(
        switch=switch,
        service=SERVICE,
        programs=server.release.programs,
        data=server.data,
        files=f"-c config_file={server.home}/postgresql.conf -c hba_file={server.home}/pg_hba.conf",
    )


def initialize(server: Server) -> list[str]:
    """Return the command that makes the data's directory; it is run as the user postgres."""
    return [
        f"{server.release.programs}/initdb",
        f"--pgdata={server.data}",
        "--auth=reject",
        "--auth-local=peer",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-instructions",
    ]
