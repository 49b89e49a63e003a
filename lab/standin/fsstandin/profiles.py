"""The life of the SIP profiles: asynchronous start and stop, and the table that status shows."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass

from .config import BIND_ATTEMPTS, Config, ProfileConfig
from .faults import Faults
from .useragent import Core, UserAgent

LOG = logging.getLogger("standin.profile")
STOP_GUARD_SECONDS = 10  # what the real refusal says, whatever the scale
MANAGER_HANGUP = "Q.850;cause=16"


@dataclass
class ProfileRun:
    """One thread of the real switch: a profile from its start to the end of its teardown."""

    config: ProfileConfig
    agent: UserAgent | None = None
    running: bool = False
    started: float = 0.0
    respawn: bool = False

    @property
    def url(self) -> str:
        """Return the URL that status prints."""
        return f"sip:mod_sofia@{self.config.sip_ip}:{self.config.sip_port}"

    @property
    def inuse(self) -> int:
        """Return the number of live sessions."""
        return len(self.agent.calls) if self.agent is not None else 0


class Profiles:
    """All profiles of one switch. ``table`` is what the real one keeps by name."""

    def __init__(self, config: Config, core: Core, faults: Faults) -> None:
        self._config = config
        self._timing = config.timing
        self._core = core
        self._faults = faults
        self.table: dict[str, ProfileRun] = {}
        self._bound: list[ProfileRun] = []
        self._starts: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> list[ProfileRun]:
        """Return what every status lists: table entries that are RUNNING."""
        return [run for run in self.table.values() if run.running]

    @property
    def sessions(self) -> list[UserAgent]:
        """Return every bound user agent, also of a profile that is listed nowhere."""
        return [run.agent for run in self._bound if run.agent is not None]

    def find(self, name: str) -> ProfileRun | None:
        """Return the RUNNING profile ``name``; None for stopped, never bound and unknown."""
        run = self.table.get(name)
        return run if run is not None and run.running else None

    def start(self, name: str) -> bool:
        """Begin to start ``name`` (or rescan it); False when no such profile is configured."""
        config = self._config.profile(name)
        if config is None:
            return False
        running = self.find(name)
        if running is not None:
            self.rescan(running)
        else:
            task = asyncio.get_running_loop().create_task(self._bind(ProfileRun(config)))
            self._starts.add(task)
            task.add_done_callback(self._starts.discard)
        return True

    def rescan(self, run: ProfileRun) -> None:
        """Read the parameters of a running profile again, which puts a hot one into standby."""
        if run.config.standby and run.agent is not None:
            run.agent.standby = True

    def refusal(self, run: ProfileRun) -> str | None:
        """Return the text that refuses an early stop; None when the stop is allowed."""
        left = run.started + self._timing.stop_guard - time.monotonic()
        if self._faults.on("refuse-stop"):
            left = float(STOP_GUARD_SECONDS)
        if left <= 0:
            return None
        seconds = max(1, math.ceil(left))
        return (
            f"Profile {run.config.name} must be up for at least {STOP_GUARD_SECONDS} seconds "
            f"to stop/restart.\nPlease wait {seconds} second{'' if seconds == 1 else 's'}\n"
        )

    def stop(self, run: ProfileRun, *, respawn: bool = False) -> None:
        """Begin to stop ``run``: unlisted and hung up now, socket and name freed later."""
        run.running = False
        run.respawn = respawn
        if run.agent is not None:
            run.agent.hang_up_all(MANAGER_HANGUP)
        loop = asyncio.get_running_loop()
        loop.call_later(self._timing.socket_close, self._close, run)
        loop.call_later(self._timing.name_freed, self._free, run)

    def hang_up_all(self, reason: str) -> None:
        """Hang up every call of every profile, as a shutdown does."""
        for agent in self.sessions:
            agent.hang_up_all(reason)

    def close(self) -> None:
        """Close every socket and forget the starts that are still trying."""
        for task in self._starts:
            task.cancel()
        for run in list(self._bound):
            self._close(run)

    def _close(self, run: ProfileRun) -> None:
        if run.agent is not None:
            run.agent.close()
        if run in self._bound:
            self._bound.remove(run)

    def _free(self, run: ProfileRun) -> None:
        if self.table.get(run.config.name) is run:
            del self.table[run.config.name]
        LOG.info("%s: stopped", run.config.name)
        if run.respawn:
            self.start(run.config.name)

    async def _bind(self, run: ProfileRun) -> None:
        name = run.config.name
        for attempt in range(1, BIND_ATTEMPTS + 1):
            try:
                run.agent = self._try_bind(run.config)
            except OSError as error:
                LOG.warning(
                    "Error Creating SIP UA for profile: %s (%s) ATTEMPT %d: %s",
                    name, run.url, attempt, error.strerror or error,
                )  # fmt: skip
                if attempt < BIND_ATTEMPTS:
                    await asyncio.sleep(self._timing.bind_interval)
                continue
            self._bound.append(run)
            run.running = True
            run.started = time.monotonic()
            if name in self.table:
                # As measured: the old thread still owns the name, so this one is never listed.
                LOG.warning("%s: started before the old one was gone: it answers unlisted", name)
            else:
                self.table[name] = run
            LOG.info("%s: RUNNING on %s", name, run.url)
            return
        LOG.warning("%s: gave up binding %s", name, run.url)

    def _try_bind(self, config: ProfileConfig) -> UserAgent:
        if self._faults.on("bind-fail"):
            raise OSError("fault bind-fail")
        return UserAgent(config, self._core, self._timing.deaf_start)
