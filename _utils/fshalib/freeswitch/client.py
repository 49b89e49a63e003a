"""What FreeSWITCH on this node answers, as types.

Facts (measured on FreeSWITCH 1.11): only ``sofia status`` and ``sofia xmlstatus`` answer without
asking the database, and a stopped profile is simply absent from them.
"""

import glob
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from fshalib.freeswitch import calls as freeswitch_calls
from fshalib.freeswitch.event_socket import Access as Access
from fshalib.freeswitch.event_socket import SwitchUnreachable as SwitchUnreachable
from fshalib.freeswitch.event_socket import ask as ask
from fshalib.schema import report
from fshalib.system import files, programs
from fshalib.system.programs import Runner

# Where the formula puts the Event Socket's password unless the pillar names another file.
PASSWORD_FILE = "/etc/fsha/event_socket.password"  # noqa: S105  a path, no password


def access(pillar: Mapping[str, Any]) -> Access:
    """Return the access to FreeSWITCH by a pillar, which may lack ``fsha:freeswitch``."""
    settings = report.section(pillar, "fsha", "freeswitch")
    written = PASSWORD_FILE if os.access(PASSWORD_FILE, os.F_OK) else ""
    return Access(
        settings.get("fs_cli", "fs_cli"),
        settings.get("host", "127.0.0.1"),
        settings.get("port", 8021),
        settings.get("password_file", written),
    )


_STATE = re.compile(r"RUNNING \((\d+)\)")


def parse_profiles(text: str) -> Mapping[str, int | None]:
    """Return profile → live sessions from ``sofia xmlstatus``; ``None`` if not running."""
    root = _xml(text, "sofia xmlstatus")
    sessions: dict[str, int | None] = {}
    for profile in root.iter("profile"):
        state = _STATE.match(profile.findtext("state") or "")
        sessions[profile.findtext("name") or ""] = int(state.group(1)) if state else None
    return sessions


def profiles(where: Access = Access(), run: Runner = programs.run) -> Mapping[str, int | None]:
    """Return profile → live sessions (call legs) on this node; ``None`` if not running.

    Raises :class:`SwitchUnreachable` and :class:`programs.ToolMissing`.
    """
    return parse_profiles(ask("sofia xmlstatus", where, run))


# --- who serves here -------------------------------------------------------------------------

# Where FSSofia and the OCF agent leave a stamp for each profile that they have started.
STAMPS = ("/run/FSSofia", "/run/fsha/FSSofia/*")


def stamped(core_uuid: str, directories: Iterable[str] = STAMPS) -> tuple[str, ...]:
    """Return the profiles that an agent has started in the running switch.

    core_uuid
        That of the running switch; another switch's stamps don't count.
    directories
        Patterns of the directories with the stamps.
    """
    started = set()
    for pattern in directories:
        for name in glob.glob(f"{pattern}/*"):  # noqa: PTH207  a pattern may be absolute
            path = Path(name)
            if path.is_file() and path.read_text(encoding="ascii").split("\n")[0] == core_uuid:
                started.add(path.name)
    return tuple(sorted(started))


def stamped_at(profile: str, directories: Iterable[str] | None = None) -> float:
    """Return when an agent last started a profile here (epoch, seconds); 0 if none has.

    directories
        Patterns of the directories with the stamps.
    """
    patterns = STAMPS if directories is None else directories
    names = [name for pattern in patterns for name in glob.glob(f"{pattern}/{profile}")]  # noqa: PTH207
    return max((files.changed_at(Path(name)) or 0.0 for name in names), default=0.0)


def group_of(service: str, run: Runner = programs.run) -> int | None:
    """Return the group number of the running switch; ``None`` if none runs.

    service
        Its systemd unit.

    Raises :class:`programs.RunError`.
    """
    done = run(["systemctl", "show", "--property=MainPID", "--value", f"{service}.service"])
    pid = done.out.strip()
    if done.code != programs.EX_OK or not pid.isdecimal() or pid == "0":
        return None
    match = re.search(
        rb"^Gid:\s+\d+\s+(\d+)", files.read(Path("/proc", pid, "status")) or b"", re.M
    )
    return int(match[1]) if match else None


# --- answers of the switch -------------------------------------------------------------------


@dataclass(frozen=True)
class Profile:
    """A SIP profile that runs; ``address`` is its bound address, without the port."""

    name: str
    state: str
    sessions: int
    address: str
    port: int

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "state": self.state,
            "sessions": self.sessions,
            "address": self.address,
            "port": self.port,
        }


_WHERE = re.compile(r"sips?:(?:[^@]*@)?(\[[^]]*\]|[^:;]+)(?::(\d+))?")


def parse_bound(text: str) -> tuple[Profile, ...]:
    """Return the profiles from ``sofia xmlstatus`` with their bound addresses; no aliases.

    Raises :class:`SwitchUnreachable` for an answer that is no XML.
    """
    bound = []
    for item in _xml(text, "sofia xmlstatus").iter("profile"):
        state = item.findtext("state") or ""
        running = _STATE.match(state)
        where = _WHERE.search(item.findtext("data") or "")
        address = where[1].strip("[]") if where else ""
        port = int(where[2] or 5060) if where else 0
        name = item.findtext("name") or ""
        word = "RUNNING" if running else state
        bound.append(Profile(name, word, int(running[1]) if running else 0, address, port))
    return tuple(bound)


def speaks_tls(text: str) -> bool:
    """Tell from ``sofia xmlstatus`` whether a profile is bound for TLS.

    Raises :class:`SwitchUnreachable` for an answer that is no XML.
    """
    bound = _xml(text, "sofia xmlstatus").iterfind("profile/data")
    return any(";transport=tls" in (data.text or "") for data in bound)


def parse_gateways(text: str) -> dict[str, dict[str, str]]:
    """Return gateway → its state, from ``sofia xmlstatus gateway``.

    Raises :class:`SwitchUnreachable` for an answer that is no XML.
    """
    gateways = _xml(text, "sofia xmlstatus gateway").iter("gateway")
    entries = [{str(e.tag): (e.text or "").strip() for e in gateway} for gateway in gateways]
    return {
        entry.get("name", ""): {key: text for key, text in entry.items() if key not in _NOT_SHOWN}
        for entry in entries
    }


_NOT_SHOWN = frozenset({"name", "password"})


def _xml(text: str, command: str) -> etree._Element:
    try:
        return etree.fromstring(
            text.encode("utf-8", "replace"), etree.XMLParser(resolve_entities=False)
        )
    except etree.XMLSyntaxError as error:
        first_line = text.strip().splitlines()[0][:80] if text.strip() else "nothing"
        raise SwitchUnreachable(
            f"its answer to '{command}' is no XML but {first_line!r}"
        ) from error


# --- for drains and switchovers ----------------------------------------------------------------


class FreeSwitch:
    """The FreeSWITCH of this node.

    where
        The access to it.

    Every method raises :class:`programs.RunError` if it does not answer.
    """

    def __init__(self, where: Access, run: Runner = programs.run) -> None:
        self._where = where
        self._run = run

    def ask(self, command: str) -> str:
        """Return its answer to a command."""
        return ask(command, self._where, self._run).strip()

    def calls(self) -> Mapping[str, Any]:
        """Return its calls; see :meth:`fshalib.freeswitch.calls.Report.as_data`."""
        return freeswitch_calls.report(self._sessions(), self.ask).as_data()

    def legs(self) -> int:
        """Return how many call legs it has."""
        return sum(self._sessions().values())

    def is_ready(self) -> bool:
        """Tell whether it can take calls; without an answer it can't."""
        try:
            return self.ask("fsctl ready_check") == "true"
        except SwitchUnreachable:
            return False

    def pause(self) -> None:
        """Make it refuse new calls."""
        self.ask("fsctl pause inbound")
        if not self.paused():
            raise SwitchUnreachable("it does not stop taking calls (fsctl pause)")

    def paused(self) -> bool:
        """Tell whether it refuses new calls."""
        return self.ask("fsctl pause_check inbound") == "true"

    def resume(self) -> None:
        """Make it take new calls again."""
        self.ask("fsctl resume")

    def _sessions(self) -> dict[str, int]:
        bound = parse_bound(self.ask("sofia xmlstatus"))
        return {profile.name: profile.sessions for profile in bound}
