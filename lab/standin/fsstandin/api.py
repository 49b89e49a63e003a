"""The api commands and their texts, as measured on the real switch or read in its source."""

from __future__ import annotations

import asyncio
import json
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Protocol

from .call import Call
from .config import Config
from .faults import Faults
from .profiles import ProfileRun, Profiles
from .recovery import RETRIES, RecoveryStore

VERSION = "1.11.3-standin"
LINE = "=" * 97
Words = list[str]
Handler = Callable[[Words], Awaitable[str]]
UNDEFINED = "_undef_"
INVALID_PROFILE = "Invalid Profile!\n"
RELOADED = "Reload XML [Success]\n"
GUARDED = ("stop", "restart")


class Process(Protocol):
    """What the commands ask of the process they run in."""

    config: Config
    profiles: Profiles
    store: RecoveryStore | None
    faults: Faults
    core_uuid: str
    hostname: str
    started: float
    paused: set[str]
    shutting_down: bool

    def request_shutdown(self, mode: str) -> None:
        """End the process in the way ``fsctl shutdown`` MODE or ``fsctl crash`` does."""


class Api:
    """Runs one command line and returns its text."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._commands: dict[str, Handler] = {
            "status": self._status,
            "version": self._version,
            "uptime": self._uptime,
            "msleep": self._msleep,
            "hostname": self._hostname,
            "switchname": self._switchname,
            "global_getvar": self._global_getvar,
            "reloadxml": self._reloadxml,
            "hupall": self._hupall,
            "show": self._show,
            "fsctl": self._fsctl,
            "sofia": self._sofia,
            "standin": self._standin,
            "expand": self._expand,
            "uuid_getvar": self._uuid_getvar,
        }

    async def execute(self, line: str) -> str:
        """Run ``line``; an unknown command gives the real switch's ``-ERR ... not found!``."""
        words = line.split()
        handler = self._commands.get(words[0]) if words else None
        unloaded = self._process.shutting_down and handler == self._sofia
        if handler is None or unloaded:
            return f"-ERR {line.strip()} Command not found!\n"
        return await handler(words[1:])

    # -- core --------------------------------------------------------------------------------

    async def _status(self, _: Words) -> str:
        process = self._process
        up = time.monotonic() - process.started
        days, rest = divmod(int(up), 86400)
        hours, rest = divmod(rest, 3600)
        minutes, seconds = divmod(rest, 60)
        live = len(self._calls())
        total = sum(agent.total_calls for agent in process.profiles.sessions)
        return (
            f"UP 0 years, {days} days, {hours} hours, {minutes} minutes, {seconds} seconds, "
            f"{int(up * 1000) % 1000} milliseconds, 0 microseconds\n"
            f"FreeSWITCH (Version {VERSION}) is ready\n"
            f"{total} session(s) since startup\n"
            f"{live} session(s) - peak {live}, last 5min {live} \n"
            "0 session(s) per Sec out of max 30, peak 0, last 5min 0 \n"
            "1000 session(s) max\nmin idle cpu 0.00/99.00\n"
        )

    async def _version(self, _: Words) -> str:
        return f"FreeSWITCH Version {VERSION} (the lab's stand-in, not FreeSWITCH)\n"

    async def _uptime(self, _: Words) -> str:
        return f"{int(time.monotonic() - self._process.started)}\n"

    async def _msleep(self, words: Words) -> str:
        milliseconds = int(words[0]) if words and words[0].isdigit() else 0
        await asyncio.sleep(milliseconds / 1000)
        return "+OK"

    async def _hostname(self, _: Words) -> str:
        return self._process.hostname

    async def _switchname(self, _: Words) -> str:
        return self._process.config.switchname or self._process.hostname

    async def _global_getvar(self, words: Words) -> str:
        variables = {
            "core_uuid": self._process.core_uuid,
            "hostname": self._process.hostname,
            "switchname": await self._switchname([]),
        }
        if not words:
            return "".join(f"{name}={value}\n" for name, value in variables.items())
        return variables.get(words[0], "")

    async def _reloadxml(self, _: Words) -> str:
        return "+OK [Success]\n"

    async def _hupall(self, _: Words) -> str:
        for agent in self._process.profiles.sessions:
            agent.hang_up_all("Q.850;cause=16")
            agent.stopping = False
        return "+OK hangup all channels with cause MANAGER_REQUEST\n"

    async def _standin(self, words: Words) -> str:
        return self._process.faults.command(words)

    # -- fsctl -------------------------------------------------------------------------------

    async def _uuid_getvar(self, words: Words) -> str:
        """Return a variable of a channel, of the few that a stand-in has."""
        if len(words) != 2:
            return "-USAGE: <uuid> <var>\n"
        known = {"sip_via_protocol": "udp", "local_media_ip": ""}
        for run, call in self._calls():
            if call.dialog.uuid == words[0]:
                known["local_media_ip"] = run.config.media_ip
                return known.get(words[1], UNDEFINED)
        return "-ERR No such channel!\n"

    async def _expand(self, words: Words) -> str:
        """Run a command after each ``${command arguments}`` in it has been replaced."""
        line = " ".join(words)
        while found := re.search(r"\$\{(\w+)\(([^)]*)\)\}", line):
            value = await self.execute(f"{found[1]} {found[2]}")
            line = f"{line[: found.start()]}{value.strip()}{line[found.end() :]}"
        command, _, rest = line.partition(" ")
        return rest if command == "echo" else await self.execute(line)

    async def _fsctl(self, words: Words) -> str:
        process = self._process
        action = words[0] if words else ""
        checks = {
            "ready_check": not process.shutting_down,
            "shutdown_check": process.shutting_down,
            "pause_check": {"inbound", "outbound"} <= process.paused
            if len(words) < 2
            else words[1] in process.paused,
        }
        if action in checks:
            return "true" if checks[action] else "false"
        if action in ("pause", "resume"):
            kinds = set(words[1:]) & {"inbound", "outbound"} or {"inbound", "outbound"}
            process.paused = process.paused | kinds if action == "pause" else process.paused - kinds
            return "+OK\n"
        if action == "max_sessions":
            return "+OK max sessions: 1000\n"
        if action == "hupall":
            return (await self._hupall([])) and "+OK\n"
        if action in ("shutdown", "crash"):
            return await self._shutdown(action, words[1:])
        return "-ERR Invalid command\nUSAGE: fsctl [...]\n"

    async def _shutdown(self, action: str, words: Words) -> str:
        mode = "crash" if action == "crash" else (words[0] if words else "")
        if mode == "elegant":
            self._process.paused = {"inbound", "outbound"}
            while self._calls():
                await asyncio.sleep(0.05)
        self._process.request_shutdown(mode)
        return "+OK\n"

    # -- show --------------------------------------------------------------------------------

    def _calls(self) -> list[tuple[ProfileRun, Call]]:
        return [
            (ProfileRun(agent.profile), call)
            for agent in self._process.profiles.sessions
            for call in agent.calls.values()
        ]

    async def _show(self, words: Words) -> str:
        if not words or words[0] not in ("calls", "channels"):
            return "-USAGE: codec|endpoint|...|channels [count]|calls [count] [as xml|json]\n"
        store = self._process.store
        if store is not None and not await asyncio.to_thread(_reachable, store):
            return "-ERR Database error!\n"
        count_only = words[1:2] == ["count"]
        style = words[words.index("as") + 1] if "as" in words[:-1] else "csv"
        rows = [self._row(run, call) for run, call in self._calls()]
        if style == "xml":
            return _rows_as_xml(rows, count_only)
        if style == "json":
            return _rows_as_json(rows, count_only)
        text = ""
        if rows and not count_only:
            text = ",".join(rows[0]) + "\n"
            text += "".join(",".join(row.values()) + "\n" for row in rows)
        return f"{text}\n{len(rows)} total.\n"

    def _row(self, run: ProfileRun, call: Call) -> dict[str, str]:
        dialog = call.dialog
        created = datetime.fromtimestamp(dialog.created, tz=timezone.utc)
        return {
            "uuid": dialog.uuid,
            "direction": "inbound",
            "created": created.strftime("%Y-%m-%d %H:%M:%S"),
            "created_epoch": str(int(dialog.created)),
            "name": f"sofia/{run.config.name}/{dialog.target}",
            "state": "CS_EXECUTE",
            "callstate": _call_state(call),
            "ip_addr": dialog.source[0],
            "hostname": self._process.hostname,
        }

    # -- sofia -------------------------------------------------------------------------------

    async def _sofia(self, words: Words) -> str:
        handlers: dict[str, Handler] = {
            "status": self._sofia_status,
            "xmlstatus": self._sofia_xmlstatus,
            "profile": self._sofia_profile,
            "recover": self._sofia_recover,
            "global": self._sofia_global,
        }
        if not words or words[0] == "help":
            return "USAGE:\nsofia profile <name> [start | stop | restart | rescan] [wait]\n"
        handler = handlers.get(words[0])
        return await handler(words[1:]) if handler else f"Unknown Command [{words[0]}]\n"

    async def _registrations(self) -> None:
        """Count the registrations, which nobody has: what takes long when the server is away."""
        store = self._process.store
        for _ in range(RETRIES):
            if store is None or await asyncio.to_thread(_reachable, store):
                return
            await asyncio.sleep(store.retry)

    async def _sofia_status(self, words: Words) -> str:
        running = self._process.profiles.running
        if words[:1] == ["profile"]:
            run = self._process.profiles.find(words[1]) if len(words) > 1 else None
            if run is None:
                return INVALID_PROFILE
            await self._registrations()
            return _profile_text(run)
        if words:
            return "Invalid Syntax!\n"
        text = f"{'Name':>25}\t   Type\t  {'Data':>40}\tState\n{LINE}\n"
        for run in running:
            text += f"{run.config.name:>25}\tprofile\t  {run.url:>40}\tRUNNING ({run.inuse})\n"
        plural = "" if len(running) == 1 else "s"
        return f"{text}{LINE}\n{len(running)} profile{plural} 0 aliases\n"

    async def _sofia_xmlstatus(self, words: Words) -> str:
        header = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        if words[:1] == ["profile"]:
            run = self._process.profiles.find(words[1]) if len(words) > 1 else None
            if run is None:
                return INVALID_PROFILE
            await self._registrations()
            return header + _profile_xml(run)
        text = "".join(
            f"<profile>\n<name>{run.config.name}</name>\n<type>profile</type>\n"
            f"<data>{run.url}</data>\n<state>RUNNING ({run.inuse})</state>\n</profile>\n"
            for run in self._process.profiles.running
        )
        return f"{header}<profiles>\n{text}</profiles>\n"

    async def _sofia_global(self, words: Words) -> str:
        if len(words) == 2 and words[0] == "standby":
            on = words[1] in ("on", "true", "yes", "1")
            for agent in self._process.profiles.sessions:
                agent.standby = on
            return f"+OK Global standby {'on' if on else 'off'}"
        return "-ERR Usage: siptrace <on|off>|capture <on|off>|watchdog <on|off>|debug <...>"

    async def _sofia_recover(self, words: Words) -> str:
        running = self._process.profiles.running
        if words[:1] == ["flush"]:
            for run in running:
                self._flush(run)
            return "Flushing recovery database.\n"
        count = sum([await self._recover(run) for run in running])
        return f"Recovered {count} call(s)\n" if count else "No calls to recover.\n"

    async def _sofia_profile(self, words: Words) -> str:
        if len(words) < 2:
            return "Invalid Args!\n"
        name, action = words[:2]
        profiles = self._process.profiles
        if action == "start":
            done = profiles.start(name)
            return RELOADED + (f"{name} started successfully\n" if done else _not_started(name))
        run = profiles.find(name)
        if run is None:
            return f"Invalid Profile [{name}]"
        if action in GUARDED:
            return await self._stop(run, action, wait=words[2:3] == ["wait"])
        if action == "rescan":
            profiles.rescan(run)
            return RELOADED + "+OK scan complete\n"
        if action == "recover" and words[2:3] == ["flush"]:
            self._flush(run)
            return "Flushing recovery database.\n"
        if action == "recover":
            count = await self._recover(run)
            return f"Recovered {count} session(s)\n" if count else "No sessions to recover.\n"
        return "-ERR Unknown command!\n"

    async def _stop(self, run: ProfileRun, action: str, *, wait: bool) -> str:
        refusal = self._process.profiles.refusal(run)
        if refusal is not None:
            return refusal
        self._process.profiles.stop(run, respawn=action == "restart")
        if wait and action == "stop":
            await asyncio.sleep(self._process.config.timing.stop_wait)
        return RELOADED + ("stopping: " if action == "stop" else "restarting: ") + run.config.name

    async def _recover(self, run: ProfileRun) -> int:
        if run.agent is None:
            return 0
        run.agent.standby = False
        store = self._process.store
        if store is None:
            return 0
        # A server may take its time; calls go on meanwhile.
        rows = await asyncio.to_thread(store.take, run.config.name)
        # As in the source: a paused switch cannot make the session, and the row is gone.
        return run.agent.recover(rows) if "inbound" not in self._process.paused else 0

    def _flush(self, run: ProfileRun) -> None:
        if run.agent is not None:
            run.agent.standby = False
        if self._process.store is not None:
            self._process.store.flush(run.config.name)


def _reachable(store: RecoveryStore) -> bool:
    return store.reachable


def _call_state(call: Call) -> str:
    if not call.answered:
        return "RINGING"
    return "HELD" if call.held else "ACTIVE"


def _not_started(name: str) -> str:
    return f"Failure starting {name}\n"


def _profile_text(run: ProfileRun) -> str:
    fields = {
        "Name": run.config.name,
        "Domain Name": "N/A",
        "RTP-IP": run.config.media_ip,
        "SIP-IP": run.config.sip_ip,
        "URL": run.url,
        "CALLS-IN": str(run.agent.total_calls if run.agent else 0),
        "REGISTRATIONS": "0",
    }
    return LINE + "\n" + "".join(f"{key:<17}\t{value}\n" for key, value in fields.items())


def _profile_xml(run: ProfileRun) -> str:
    root = ET.Element("profile")
    info = ET.SubElement(root, "profile-info")
    for key, value in (
        ("name", run.config.name),
        ("rtp-ip", run.config.media_ip),
        ("sip-ip", run.config.sip_ip),
        ("url", run.url),
        ("calls-in", str(run.agent.total_calls if run.agent else 0)),
        ("registrations", "0"),
    ):
        ET.SubElement(info, key).text = value
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _rows_as_xml(rows: list[dict[str, str]], count_only: bool) -> str:
    root = ET.Element("result", row_count=str(len(rows)))
    for number, row in enumerate([] if count_only else rows, start=1):
        element = ET.SubElement(root, "row", row_id=str(number))
        for name, value in row.items():
            ET.SubElement(element, name).text = value
    return ET.tostring(root, encoding="unicode") + "\n"


def _rows_as_json(rows: list[dict[str, str]], count_only: bool) -> str:
    if count_only or not rows:
        return json.dumps({"row_count": len(rows)}) + "\n"
    return json.dumps({"row_count": len(rows), "rows": rows})
