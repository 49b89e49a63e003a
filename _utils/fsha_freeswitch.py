"""What fsha asks of FreeSWITCH on this node, through ``fs_cli``.

Facts (measured on FreeSWITCH 1.11, see docs/design.md): ``fs_cli`` ends with 0 for every
reply, errors included; with 255 when the switch is down, still starting, or refuses the
password; it can hang for ever without ``-T``. Only ``sofia status`` and ``sofia xmlstatus``
answer without asking the database, and a stopped profile is simply absent from them.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

import fsha_run
from fsha_run import Runner

PATIENCE_MS = 2000
# Where the formula puts the Event Socket's password unless the pillar names another file.
PASSWORD_FILE = "/etc/fsha/event_socket.password"  # noqa: S105  a path, no password


class SwitchUnreachable(fsha_run.RunError):
    """FreeSWITCH on this node does not answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"FreeSWITCH does not answer on this node: {reason}.")


@dataclass(frozen=True)
class Access:
    """How FreeSWITCH on this node is asked.

    fs_cli, host, port
        The client program, and where the Event Socket listens.
    password_file
        A file with the Event Socket's password; it reaches fs_cli through a private
        configuration file, never as an argument.
    """

    fs_cli: str = "fs_cli"
    host: str = "127.0.0.1"
    port: int = 8021
    password_file: str = ""


def access(pillar: Mapping[str, Any]) -> Access:
    """Return how FreeSWITCH is asked, from a pillar that need not have ``fsha:freeswitch``."""
    told = (pillar.get("fsha") or {}).get("freeswitch") or {}
    written = PASSWORD_FILE if Path(PASSWORD_FILE).exists() else ""
    return Access(
        told.get("fs_cli", "fs_cli"),
        told.get("host", "127.0.0.1"),
        told.get("port", 8021),
        told.get("password_file", written),
    )


def ask(command: str, where: Access = Access(), run: Runner = fsha_run.run) -> str:
    """Return FreeSWITCH's reply to one command.

    command
        As typed at its console, ``sofia xmlstatus``.

    Raises :class:`SwitchUnreachable` and :class:`fsha_run.ToolMissing`.
    """
    password = _password(where.password_file)
    with tempfile.TemporaryDirectory(prefix="fsha-") as home:
        settings = Path(home, ".fs_cli_conf")
        settings.touch(mode=0o600)
        settings.write_text(
            f"[default]\nhost => {where.host}\nport => {where.port}\npassword => {password}\n",
            encoding="utf-8",
        )
        argv = [where.fs_cli, "-T", str(PATIENCE_MS), "-t", str(PATIENCE_MS), "-x", command]
        try:
            done = run(argv, timeout=3 * PATIENCE_MS / 1000, env={"HOME": home})
        except fsha_run.ToolTimeout as error:
            raise SwitchUnreachable("its Event Socket hangs") from error
    if done.code == fsha_run.FS_CLI_TIMEOUT:
        raise SwitchUnreachable("its Event Socket gave no answer in time")
    if done.code != fsha_run.EX_OK:
        raise SwitchUnreachable("it is down, still starting, or refuses the password")
    return done.out


def _password(path: str) -> str:
    if not path:
        return "ClueCon"
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise SwitchUnreachable(f"the password file {path} can't be read ({reason})") from error


_STATE = re.compile(r"RUNNING \((\d+)\)")


def parse_profiles(text: str) -> Mapping[str, int | None]:
    """Return profile → live sessions from ``sofia xmlstatus``; ``None`` if not running."""
    try:
        root = etree.fromstring(text.encode("utf-8"), etree.XMLParser(resolve_entities=False))
    except etree.XMLSyntaxError as error:
        raise SwitchUnreachable("its answer to 'sofia xmlstatus' is no XML") from error
    found: dict[str, int | None] = {}
    for profile in root.iter("profile"):
        state = _STATE.match(profile.findtext("state") or "")
        found[profile.findtext("name") or ""] = int(state.group(1)) if state else None
    return found


def profiles(where: Access = Access(), run: Runner = fsha_run.run) -> Mapping[str, int | None]:
    """Return profile → live sessions (call legs) on this node; ``None`` if not running.

    Raises :class:`SwitchUnreachable` and :class:`fsha_run.ToolMissing`.
    """
    return parse_profiles(ask("sofia xmlstatus", where, run))
