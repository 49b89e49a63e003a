"""The stand-in's process: start-up, signals, the three ways to end."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import resource
import signal
import socket
import sys
import time
import uuid
from pathlib import Path
from typing import IO

from .api import Api
from .call import Dialog
from .config import Config, ConfigError, ProfileConfig, config_path, load
from .database import DatabaseError
from .esl import EventSocket
from .faults import Faults
from .profiles import Profiles
from .recovery import RecoveryStore, open_store
from .rtp import MediaPorts

LOG = logging.getLogger("standin")
EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 255
SHUTDOWN_HANGUP = 'SIP;cause=701;text="SYSTEM_SHUTDOWN"'
FLAGS = frozenset({"-nf", "-ncwait", "-nonat", "-c", "-rp", "-lp", "-np"})
WITH_VALUE = frozenset({"-u", "-g", "-standin-conf"})
COMM = Path("/proc/self/comm")


class StartError(Exception):
    """The switch cannot start; the message says why."""


class Switch:
    """One run of the switch: a new core uuid, the profiles, the Event Socket, the calls."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.faults = Faults(config.fault_file)
        self.core_uuid = str(uuid.uuid4())
        self.hostname = socket.gethostname()
        self.answer_after = config.answer_after
        self.media_ports = MediaPorts(*config.rtp_ports)
        self.started = time.monotonic()
        self.paused: set[str] = set()
        self.shutting_down = False
        self.store = self._open_store()
        self.profiles = Profiles(config, self, self.faults)
        self._esl = EventSocket(config.password, self.faults, Api(self).execute)
        self._stop = asyncio.Event()

    def _open_store(self) -> RecoveryStore | None:
        where, timing = self.config.recovery_db, self.config.timing
        if not where:
            return None
        try:
            return open_store(
                where, self.core_uuid, self.hostname, timing.row_delay, timing.database_retry
            )
        except DatabaseError as error:
            raise StartError(f"recovery_db {error}") from error

    # -- what a user agent asks --------------------------------------------------------------

    def accepts_calls(self) -> bool:
        """Tell whether new inbound calls are taken."""
        calls = sum(len(agent.calls) for agent in self.profiles.sessions)
        full = calls >= self.config.max_sessions
        return "inbound" not in self.paused and not self.shutting_down and not full

    def is_deaf(self) -> bool:
        """Tell whether the fault ``deaf`` is on."""
        return self.faults.on("deaf")

    def call_answered(self, profile: ProfileConfig, dialog: Dialog) -> None:
        """Write the recovery row of a profile that tracks calls."""
        if self.store is not None and profile.track_calls:
            self.store.insert(profile.name, dialog.uuid, dialog.to_metadata())

    def call_ended(self, dialog: Dialog) -> None:
        """Delete the recovery row."""
        if self.store is not None:
            self.store.delete(dialog.uuid)

    # -- life --------------------------------------------------------------------------------

    async def run(self) -> int:
        """Start, serve until a signal or ``fsctl shutdown``, hang up, end; returns 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.request_shutdown, "")
        for profile in self.config.profiles:
            self.profiles.start(profile.name)
        await self._pause(self.config.timing.startup + self.faults.seconds("slow-start"))
        if not self._stop.is_set():
            await self._serve()
        self.shutting_down = True
        self.profiles.hang_up_all(SHUTDOWN_HANGUP)
        # As measured: mod_sofia goes first, and the Event Socket tells.
        await asyncio.sleep(self.config.timing.unload)
        self._esl.close()
        await asyncio.sleep(max(0.0, self.config.timing.shutdown - self.config.timing.unload))
        self.profiles.close()
        if self.store is not None:
            self.store.close()
        return EXIT_OK

    async def _serve(self) -> None:
        try:
            await self._esl.open(self.config.esl_host, self.config.esl_port)
        except OSError as error:  # the real one goes on without its Event Socket, too
            LOG.warning("Event Socket: %s", error)
        _notify("READY=1")
        _tell_the_waiting()
        LOG.info("ready, core_uuid %s", self.core_uuid)
        await self._stop.wait()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except asyncio.TimeoutError:
            return

    def request_shutdown(self, mode: str) -> None:
        """Begin a graceful end, or end at once for ``now`` and ``crash``."""
        if mode == "now":
            os._exit(EXIT_OK)
        if mode == "crash":
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.abort()
        self._stop.set()


def _notify(state: str) -> None:
    """Tell systemd (Type=notify); does nothing outside a unit."""
    target = os.environ.get("NOTIFY_SOCKET")
    if not target:
        return
    address = "\0" + target[1:] if target.startswith("@") else target
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        sender.send(state.encode())


def _go_to_background() -> None:
    """Go on in a child, as ``-ncwait`` wants it: the parent ends once the switch is ready.

    Its exit code is 0 then, and :data:`EXIT_FAILED` if the child has ended before.
    """
    readable, writable = os.pipe()
    if os.fork():
        os.close(writable)
        with os.fdopen(readable, "rb") as told:
            os._exit(EXIT_OK if told.read(1) else EXIT_FAILED)
    os.close(readable)
    os.setsid()
    _WAITING.append(writable)


def _tell_the_waiting() -> None:
    while _WAITING:
        handle = _WAITING.pop()
        os.write(handle, b"1")
        os.close(handle)


_WAITING: list[int] = []
"""The pipe to a parent that waits until the switch is ready."""


def _options(argv: list[str]) -> str | None:
    """Return the configuration file named in ``argv``; raises StartError on an unknown option."""
    explicit = None
    words = iter(argv)
    for word in words:
        if word in WITH_VALUE:
            value = next(words, None)
            if value is None:
                raise StartError(f"{word} needs a value")
            explicit = value if word == "-standin-conf" else explicit
        elif word not in FLAGS:
            raise StartError(
                f"unknown option {word}: the stand-in knows {' '.join(sorted(FLAGS | WITH_VALUE))}"
            )
    return explicit


def _claim(path: Path) -> IO[str]:
    """Lock and write the pidfile; raises StartError when another copy holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise StartError(f"{path} is held by a running switch") from error
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def _die_if_told(config: Config) -> None:
    if Faults(config.fault_file).on("die-on-start"):
        raise StartError("fault die-on-start")


async def _run(config: Config) -> int:
    return await Switch(config).run()


def main(argv: list[str]) -> int:
    """Run the switch, in the foreground unless it is told ``-ncwait``.

    Returns 0 after a graceful end, 1 when it cannot start, 255 on wrong options.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    try:
        path = config_path(_options(argv))
        if "-ncwait" in argv:
            _go_to_background()
    except StartError as error:
        print(f"freeswitch (stand-in): {error}", file=sys.stderr)
        return EXIT_USAGE
    try:
        config = load(path)
        COMM.write_text(config.process_name, encoding="ascii")
        _die_if_told(config)
        pidfile = _claim(config.pidfile) if config.pidfile is not None else None
        status = asyncio.run(_run(config))
    except (ConfigError, StartError) as error:
        print(f"Error starting system! {error}", file=sys.stderr)
        return EXIT_FAILED
    if pidfile is not None and config.pidfile is not None:
        config.pidfile.unlink(missing_ok=True)
        pidfile.close()
    return status
