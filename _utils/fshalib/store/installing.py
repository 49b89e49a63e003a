"""What a store has on the host: its files, its services, and how they are brought about."""

import os
import pwd
import shutil
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fshalib.errors import RunError, StoreError
from fshalib.freeswitch import recovery_db
from fshalib.store import config, passwords, server
from fshalib.store.client import Local
from fshalib.store.config import Config
from fshalib.store.server import SERVICE, Server
from fshalib.system import files, poll, programs
from fshalib.system.programs import Runner

KEEPER = "fsha-recovery-store-keeper"
LIBRARY = "/usr/lib/fsha-recovery-store"
PROGRAM = f"{LIBRARY}/fsha-recovery-store"
PASSWORD_FILE = "/etc/fsha/recovery_store.password"  # noqa: S105  a path
ROOMS = ("system", "store")
FILES = ("__init__.py", "errors.py", "freeswitch/__init__.py", "freeswitch/event_socket.py")
USER = "postgres"
START_SECONDS = 60.0
SCRIPT = f"""\
#!/usr/bin/python3
# Written by the formula fsha. What it does stands in fshalib/store/program.py.
import sys

sys.path.insert(0, "{LIBRARY}")
from fshalib.store.program import main

sys.exit(main(sys.argv[1:]))
"""
KEEPER_UNIT = f"""\
# Written by the formula fsha.
[Unit]
Description=Keeps the recovery store joined to that of the other node
After={SERVICE}.service
BindsTo={SERVICE}.service

[Service]
ExecStart={PROGRAM} keep
Restart=always
RestartSec=2

[Install]
WantedBy={SERVICE}.service
"""
SWITCH_AFTER_STORE = f"""\
# Written by the formula fsha.
[Unit]
After={SERVICE}.service
Wants={SERVICE}.service
"""


@dataclass(frozen=True)
class HostFile:
    """A file of the store: its path, text and mode; ``owner`` is a user's name."""

    path: str
    text: str
    mode: int = 0o644
    owner: str = "root"
    secret: bool = False


def password(path: str = PASSWORD_FILE) -> str:
    """Return the password of this node's switch, or a new one where there is none yet.

    Raises :class:`errors.StoreError`.
    """
    try:
        text = (files.read(Path(path)) or b"").decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: {error}") from error
    return text or passwords.fresh()


def host_files(
    its: Server, its_config: Config, switch: str, secrets: Mapping[str, str]
) -> tuple[HostFile, ...]:
    """Return all files that the store has on a host, but for its library and its data.

    switch
        The switch's unit without its suffix.
    secrets
        ``switch`` and ``replication``: their passwords.
    """
    side = its_config.side
    pass_line = f"*:*:*:*:{secrets['replication']}\n"
    source = f"pgsql://host=127.0.0.1 port={its.port} dbname=freeswitch user=freeswitch"
    units = "/etc/systemd/system"
    return (
        HostFile(f"{its.home}/postgresql.conf", server.settings(its)),
        HostFile(f"{its.home}/pg_hba.conf", server.access(side.peer_addresses)),
        HostFile(side.passfile, pass_line, 0o600, USER, secret=True),
        HostFile(PASSWORD_FILE, f"{secrets['switch']}\n", 0o600, secret=True),
        HostFile(
            recovery_db.OWN_STORE,
            f"{source} password={secrets['switch']}\n",
            0o600,
            secret=True,
        ),
        HostFile(config.PATH, config.text(its_config)),
        HostFile(PROGRAM, SCRIPT, 0o755),
        HostFile(f"{units}/{SERVICE}.service", server.unit(its, switch)),
        HostFile(f"{units}/{KEEPER}.service", KEEPER_UNIT),
        HostFile(f"{units}/{switch}.service.d/fsha-recovery-store.conf", SWITCH_AFTER_STORE),
        *library_files(),
    )


def library_files() -> Iterable[HostFile]:
    """Return the part of this library that the keeper needs, as files of the host.

    So the keeper is of the same release as the formula, and the logic is written once.
    """
    root = Path(__file__).parents[1]
    sources = [root / name for name in FILES]
    sources += [path for room in ROOMS for path in sorted((root / room).glob("*.py"))]
    for source in sources:
        path = f"{LIBRARY}/fshalib/{source.relative_to(root)}"
        yield HostFile(path, source.read_text("utf-8"))


def differing(wanted: Iterable[HostFile]) -> tuple[HostFile, ...]:
    """Return the files that a host has not, or has otherwise."""
    return tuple(file for file in wanted if not _is_there(file))


def _is_there(file: HostFile) -> bool:
    path = Path(file.path)
    content = files.read(path)
    if content != file.text.encode():
        return False
    return files.mode(path) == file.mode and files.owner(path) == _ids(file.owner)


def _ids(name: str) -> tuple[int, int] | None:
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        return None
    return user.pw_uid, user.pw_gid


def write(changed: Iterable[HostFile], home: str) -> None:
    """Write files; the directory of the data is the server's own.

    Raises :class:`errors.StoreError`.
    """
    try:
        for file in changed:
            ids = _ids(file.owner)
            if ids is None:
                raise StoreError(f"the user {file.owner} is not there: install PostgreSQL first")
            files.replace(Path(file.path), file.text.encode(), file.mode, ids)
        ids = _ids(USER)
        if ids and files.owner(Path(home)) != ids:
            os.chown(home, *ids)
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error


def has_data(its: Server) -> bool:
    """Tell whether the directory of the data is made."""
    return Path(its.data, "PG_VERSION").exists()


def make_data(its: Server, run: Runner = programs.run) -> None:
    """Make the directory of the data. Raises :class:`errors.StoreError`."""
    if Path(its.data).exists():
        # What an interrupted initdb has left; there is no PG_VERSION in it.
        shutil.rmtree(its.data)
    _run(run, ["runuser", "-u", USER, "--", *server.initialize(its)], 120.0)


def start(restart: bool, run: Runner = programs.run) -> None:
    """Start the server and its keeper, at each boot too; with ``restart`` anew.

    Raises :class:`errors.StoreError`.
    """
    _run(run, ["systemctl", "daemon-reload"], 60.0)
    _run(run, ["systemctl", "enable", "--quiet", SERVICE, KEEPER], 60.0)
    verb = "restart" if restart else "start"
    _run(run, ["systemctl", verb, SERVICE], START_SECONDS)


def keep(run: Runner = programs.run) -> None:
    """Start the keeper anew. Raises :class:`errors.StoreError`."""
    _run(run, ["systemctl", "restart", KEEPER], START_SECONDS)


def left(switch: str) -> tuple[str, ...]:
    """Return what a host has of a store: paths of files and directories.

    switch
        The switch's unit without its suffix.
    """
    return tuple(path for path in (*_places(switch), server.HOME) if Path(path).exists())


def _places(switch: str) -> tuple[str, ...]:
    units = "/etc/systemd/system"
    return (
        f"{units}/{KEEPER}.service",
        f"{units}/{SERVICE}.service",
        f"{units}/{switch}.service.d/fsha-recovery-store.conf",
        PASSWORD_FILE,
        recovery_db.OWN_STORE,
        config.PATH,
        "/etc/postgresql-common/createcluster.d/fsha.conf",
        LIBRARY,
    )


def remove(switch: str, run: Runner = programs.run) -> tuple[str, ...]:
    """Stop a host's store, take away all that it has, and return that.

    Raises :class:`errors.StoreError`.
    """
    there = left(switch)
    if any(path.startswith("/etc/systemd") for path in there):
        _run(run, ["systemctl", "disable", "--quiet", "--now", KEEPER, SERVICE], START_SECONDS * 2)
    try:
        for path in map(Path, there):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}") from error
    if there:
        _run(run, ["systemctl", "daemon-reload"], 60.0)
    return there


def active(service: str, run: Runner = programs.run) -> bool:
    """Tell whether a service runs."""
    return run(["systemctl", "is-active", "--quiet", service]).code == 0


def reload(run: Runner = programs.run) -> None:
    """Let the server read its settings again. Raises :class:`errors.StoreError`."""
    _run(run, ["systemctl", "reload", SERVICE], START_SECONDS)


def check_port(port: int) -> None:
    """Raise :class:`errors.StoreError` where another program has the server's port already."""
    with socket.socket() as sock:
        # As PostgreSQL does: connections of its last run are no obstacle.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            raise StoreError(
                f"another program has port {port} on this node ('ss -ltnp sport = :{port}' shows "
                f"it): end it, or give fsha:recovery_store:port another number ({error.strerror})"
            ) from error


def until_it_answers(local: Local, seconds: float = START_SECONDS) -> None:
    """Wait until the server takes questions. Raises :class:`errors.StoreError`."""
    poll.until(lambda: _answers(local), bool, seconds, "the recovery store to answer", interval=0.2)
    local.sql("SELECT 1;", database="postgres")


def _answers(local: Local) -> bool:
    try:
        return bool(local.sql("SELECT 1;", database="postgres"))
    except StoreError:
        return False


def _run(run: Runner, argv: list[str], seconds: float) -> None:
    try:
        done = run(argv, timeout=seconds)
    except RunError as error:
        raise StoreError(str(error)) from error
    if done.code:
        reason = (done.err or done.out).strip().splitlines() or ["no reason given"]
        raise StoreError(f"'{' '.join(argv)}' failed (exit code {done.code}): {reason[-1]}")
