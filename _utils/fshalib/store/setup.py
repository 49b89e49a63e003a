"""Sets a node's store up, and tells what that would change.

    files → data → server → roles, tables, publications → keeper

The peer is not needed for any of it. The keeper joins the two.
"""

import ipaddress
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fshalib.errors import StoreError
from fshalib.freeswitch.event_socket import Access
from fshalib.store import installing, passwords, scheme, server, steps, tables
from fshalib.store.config import Config
from fshalib.store.installing import HostFile
from fshalib.store.scheme import Side
from fshalib.store.server import SERVICE, Server
from fshalib.system import programs
from fshalib.system.programs import Runner

STAMPS = "/run/fsha/FSSofia"
BINARIES = (
    "lib*/libfreeswitch.so.1",
    "lib*/*/libfreeswitch.so.1",
    "lib*/freeswitch/mod/mod_sofia.so",
)
PREFIXES = (Path("/usr"), Path("/usr/local/freeswitch"), Path("/opt/freeswitch"))
ABSENT = "absent"


@dataclass(frozen=True)
class Wish:
    """What the pillar wants of a node's store.

    node, peer
        Their names, numbers and bare addresses, link 0 first.
    """

    node: str
    number: int
    addresses: tuple[str, ...]
    peer: str
    peer_number: int
    peer_addresses: tuple[str, ...]
    port: int
    keep_megabytes: int | None
    vips: tuple[str, ...]
    switch: str
    access: Access
    home: str = server.HOME
    prefix: str = ""


@dataclass(frozen=True)
class Setup:
    """All that a node's store is to be."""

    server: Server
    config: Config
    wanted: steps.Wanted
    files: tuple[HostFile, ...]


@dataclass(frozen=True)
class Done:
    """What was changed, or would be: the file or part → old and new, without secrets."""

    changes: Mapping[str, Mapping[str, str]]
    restarted: bool = False


def plan(wish: Wish, authkey: bytes, release: server.Release) -> Setup:
    """Return the setup of a node's store.

    authkey
        Corosync's key: the password of the replication comes from it.

    Raises :class:`errors.StoreError`.
    """
    # The link with the higher number first: it is the one without the phones.
    peers = tuple(reversed([str(ipaddress.ip_address(a)) for a in wish.peer_addresses]))
    side = Side(
        wish.node, wish.number, wish.peer, wish.peer_number, peers, wish.port,
        f"{wish.home}/replication.pgpass",
    )  # fmt: skip
    keep = wish.keep_megabytes or _kept(wish.home)
    its = Server(release, wish.port, wish.addresses, keep, wish.home)
    its_config = Config(
        side=side, programs=release.programs, socket=its.socket, port=its.port, vips=wish.vips,
        stamps=STAMPS, switch=wish.access,
    )  # fmt: skip
    secrets = {"switch": installing.password(), "replication": passwords.of_pair(authkey)}
    wanted = steps.Wanted(
        side,
        tables.wanted(binaries(wish.prefix)),
        {scheme.SWITCH: secrets["switch"], scheme.REPLICATION: secrets["replication"]},
    )
    return Setup(
        its, its_config, wanted, installing.host_files(its, its_config, wish.switch, secrets)
    )


def _kept(home: str) -> int:
    """Return how much log is kept: as it is configured already, so that a run changes nothing."""
    configured = Path(home, "postgresql.conf")
    for line in configured.read_text("utf-8").splitlines() if configured.exists() else ():
        name, _, value = line.partition(" = ")
        if name == "max_slot_wal_keep_size" and value.removesuffix("MB").isdigit():
            return int(value.removesuffix("MB"))
    where = next(path for path in (Path(home), *Path(home).parents) if path.exists())
    return server.keep_megabytes(shutil.disk_usage(where).free)


def binaries(prefix: str = "") -> Sequence[bytes]:
    """Return the content of FreeSWITCH's binaries that make tables, as far as they are found."""
    roots = (Path(prefix),) if prefix else PREFIXES
    found = [path for root in roots for pattern in BINARIES for path in sorted(root.glob(pattern))]
    return [path.read_bytes() for path in dict.fromkeys(path.resolve() for path in found)]


def changes(setup: Setup, run: Runner = programs.run) -> Done:
    """Return what :func:`apply` would change now; it looks only."""
    differing = installing.differing(setup.files)
    told = {file.path: _difference(file) for file in differing}
    if not installing.has_data(setup.server):
        return Done({**told, setup.server.data: {"old": ABSENT, "new": "made"}}, True)
    if not installing.active(SERVICE, run):
        return Done({**told, SERVICE: {"old": "stopped", "new": "running"}}, True)
    told |= {step.name: {"old": "otherwise", "new": step.text} for step in _steps(setup)}
    if not installing.active(installing.KEEPER, run):
        told[installing.KEEPER] = {"old": "stopped", "new": "running"}
    return Done(told, _needs_restart(setup, differing))


def _difference(file: HostFile) -> dict[str, str]:
    there = Path(file.path).exists()
    return {"old": "otherwise" if there else ABSENT, "new": f"mode {file.mode:04o}"}


def _needs_restart(setup: Setup, differing: Sequence[HostFile]) -> bool:
    paths = {file.path for file in differing}
    its = f"{setup.server.home}/postgresql.conf", f"/etc/systemd/system/{SERVICE}.service"
    return bool(paths & set(its))


def _steps(setup: Setup) -> tuple[steps.Step, ...]:
    local = setup.config.local
    if not local.has_database():
        return steps.bare(setup.wanted)
    return steps.own_side(setup.wanted, local.look())


def apply(setup: Setup, run: Runner = programs.run) -> Done:
    """Set the store up and return what was changed.

    Raises :class:`errors.StoreError`.
    """
    differing = installing.differing(setup.files)
    told = {file.path: _difference(file) for file in differing}
    installing.write(differing, setup.server.home)
    if not installing.has_data(setup.server):
        installing.make_data(setup.server, run)
        told[setup.server.data] = {"old": ABSENT, "new": "made"}
    restart = _needs_restart(setup, differing)
    running = installing.active(SERVICE, run)
    if not running:
        installing.check_port(setup.server.port)
    if restart or not running:
        installing.start(running, run)
        told[SERVICE] = {"old": "running" if running else "stopped", "new": "started"}
    elif differing:
        installing.reload(run)
    installing.until_it_answers(setup.config.local)
    told |= _take_steps(setup)
    if differing or not installing.active(installing.KEEPER, run):
        installing.keep(run)
        told.setdefault(installing.KEEPER, {"old": "otherwise", "new": "started"})
    return Done(told, restart or not running)


def _take_steps(setup: Setup) -> dict[str, dict[str, str]]:
    local, told = setup.config.local, {}
    if not local.has_database():
        for step in steps.bare(setup.wanted):
            local.sql(*step.sql, database="postgres")
            told[step.name] = {"old": ABSENT, "new": step.text}
    for step in steps.own_side(setup.wanted, local.look()):
        local.sql(*step.sql)
        told[step.name] = {"old": "otherwise", "new": step.text}
    left = steps.own_side(setup.wanted, local.look())
    if left:
        raise StoreError(
            f"{', '.join(steps.names(left))} of the recovery store can't be put right: somebody "
            "else changes it, or this release of PostgreSQL is not known to fsha"
        )
    return told
