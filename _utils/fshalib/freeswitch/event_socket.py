"""Ask FreeSWITCH on this node, through ``fs_cli``.

Facts (measured on FreeSWITCH 1.11): ``fs_cli`` ends with 0 for every reply, errors included; with
255 when the switch is down, still starting, or refuses the password; it can hang for ever without
``-T``. The keeper of the recovery store has a copy of this file, so it imports no lxml.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fshalib.system import programs
from fshalib.system.programs import Runner

PATIENCE_MS = 2000


class SwitchUnreachable(programs.RunError):
    """FreeSWITCH on this node does not answer."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"FreeSWITCH does not answer on this node: {reason}.")


@dataclass(frozen=True)
class Access:
    """The access to FreeSWITCH on this node.

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


def ask(command: str, where: Access = Access(), run: Runner = programs.run) -> str:
    """Return FreeSWITCH's reply to one command.

    command
        As typed at its console, ``sofia xmlstatus``.

    Raises :class:`SwitchUnreachable` and :class:`programs.ToolMissing`.
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
        except programs.ToolTimeout as error:
            raise SwitchUnreachable("its Event Socket hangs") from error
    if done.code == programs.FS_CLI_TIMEOUT:
        raise SwitchUnreachable("its Event Socket gave no answer in time")
    if done.code != programs.EX_OK:
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
