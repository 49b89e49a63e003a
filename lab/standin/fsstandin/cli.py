"""fs_cli of the stand-in: the options, exit codes and configuration file of the real one.

Exit codes (measured): 0 for every reply, errors included; 255 for no connection or a refused
password; 254 for the ``-t`` timeout. Without ``-T`` a frozen switch hangs it for ever.
Configuration (source of fs_cli): ``$HOME/.fs_cli_conf``, else ``/etc/fs_cli.conf``; sections are
profiles, the one called ``default`` is used, else the first; keys host, port, user, password,
debug, timeout, connect-timeout; ``#`` and ``;`` begin a comment line and ``;;`` cuts a line.
"""

from __future__ import annotations

import getopt
import os
import socket
import sys
from collections.abc import Callable
from typing import NamedTuple

EXIT_OK = 0
EXIT_USAGE = 1
EXIT_TIMEOUT = 254
EXIT_NO_CONNECTION = 255
SYSTEM_CONFIG = "/etc/fs_cli.conf"
DEBUG_LEVEL = 7
SHORT = {
    "-H": "host", "-P": "port", "-u": "user", "-p": "password", "-d": "debug", "-t": "timeout",
    "-T": "connect-timeout",
}  # fmt: skip
LONG = [
    "help", "no-color", "host=", "port=", "user=", "password=", "debug=", "execute=", "loglevel=",
    "log-uuid", "log-uuid-short", "quiet", "batchmode", "no-history-file", "retry", "interrupt",
    "reconnect", "timeout=", "connect-timeout=", "set-log-uuid=",
]  # fmt: skip
USAGE = (
    "Usage: fs_cli [-H <host>] [-P <port>] [-p <password>] [-d <level>] [-x command] "
    "[-t <timeout_ms>] [-T <connect_timeout_ms>] [-b] [profile]\n"
)


class ConnectError(Exception):
    """No connection, no banner in time, or a refused password."""


class ReplyTimeoutError(Exception):
    """The reply did not come within ``-t``, or the switch closed the connection first."""


class Settings(NamedTuple):
    """Where and how to connect; times in milliseconds, 0 = wait for ever."""

    host: str = "127.0.0.1"
    port: int = 8021
    user: str = ""
    password: str = "ClueCon"  # noqa: S105 - FreeSWITCH's own public default
    debug: int = 0
    timeout: int = 0
    connect_timeout: int = 0


class ConfigFile:
    """The profiles of a configuration file in order, and its process-wide timeouts."""

    def __init__(self) -> None:
        self.profiles: dict[str, Settings] = {}
        self.timeout = 0
        self.connect_timeout = 0


def parse_config(text: str) -> ConfigFile:
    """Parse the text of a fs_cli configuration file the way fs_cli does."""
    parsed = ConfigFile()
    section = ""
    for raw in text.split("\n"):
        if raw.startswith("[") and "]" in raw:
            section = raw[1 : raw.index("]")]
            continue
        line = _without_comment(raw)
        if line is None or "=" not in line:
            continue
        key, _, value = line.partition("=")
        value = value.removeprefix(">").lstrip(" \t")
        _set(parsed, section, key.strip(" \t").lower(), value)
    return parsed


def _without_comment(raw: str) -> str | None:
    if raw[:1] in ("#", ";", ""):
        return None
    first = raw.find(";")
    if first >= 0 and raw[first + 1 : first + 2] == ";":
        return raw[:first].lstrip(" \t")
    return raw.rstrip("\r").lstrip(" \t")


def _set(parsed: ConfigFile, section: str, key: str, value: str) -> None:
    current = parsed.profiles.setdefault(section, Settings())
    number = int(value) if value.isdigit() else 0
    if key == "timeout":
        parsed.timeout = number
    elif key == "connect-timeout":
        parsed.connect_timeout = number
    elif key != "port" or number:
        parsed.profiles[section] = _changed(current, key, value)


def _changed(settings: Settings, name: str, value: str) -> Settings:
    """Return ``settings`` with the one called ``name`` changed; an unknown name changes nothing.

    Raises ValueError when a number is expected and ``value`` is none.
    """
    changes: dict[str, Callable[[], Settings]] = {
        "host": lambda: settings._replace(host=value),
        "port": lambda: settings._replace(port=int(value)),
        "user": lambda: settings._replace(user=value),
        "password": lambda: settings._replace(password=value),
        "debug": lambda: settings._replace(debug=int(value)),
        "timeout": lambda: settings._replace(timeout=int(value)),
        "connect-timeout": lambda: settings._replace(connect_timeout=int(value)),
    }
    return changes.get(name, lambda: settings)()


def _read_config() -> ConfigFile:
    home = os.environ.get("HOME")
    candidates = [f"{home}/.fs_cli_conf"] if home else []
    readable = [path for path in [*candidates, SYSTEM_CONFIG] if os.access(path, os.R_OK)]
    if not readable:
        return ConfigFile()
    # Not pathlib: fs_cli is started many times a second, and every import counts.
    with open(readable[0], encoding="utf-8") as file:  # noqa: PTH123
        return parse_config(file.read())


class Client:
    """A connection to the Event Socket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._buffer = b""
        wait = settings.connect_timeout / 1000 or None
        try:
            self._socket = socket.create_connection((settings.host, settings.port), wait)
            banner, _ = self._receive()
        except OSError as error:
            raise ConnectError(str(error)) from error
        if banner.get("content-type") != "auth/request":
            raise ConnectError("no auth/request")
        self._authenticate()

    def _authenticate(self) -> None:
        settings = self._settings
        user = f"{settings.user}:" if settings.user else ""
        self._transmit(f"{'user' if user else ''}auth {user}{settings.password}\n\n")
        try:
            reply, _ = self._receive()
        except OSError as error:
            raise ConnectError(str(error)) from error
        if reply.get("reply-text") != "+OK accepted":
            raise ConnectError("refused")

    def api(self, command: str) -> str:
        """Run an api command; raises ReplyTimeoutError when ``timeout`` is set and passes."""
        limit = self._settings.timeout
        self._socket.settimeout(limit / 1000 or None)
        try:
            self._transmit(f"api {command}\nconsole_execute: true\n\n")
            headers, body = self._receive()
        except OSError as error:
            if limit:
                raise ReplyTimeoutError from error
            return ""
        reply = headers.get("reply-text", "")
        return body or (f"Error: {reply[4:]}!" if reply.lower().startswith("-err") else "")

    def _transmit(self, text: str) -> None:
        self._debug("esl_send", f"SEND\n{text}")
        self._socket.sendall(text.encode())

    def _receive(self) -> tuple[dict[str, str], str]:
        head = self._until(b"\n\n")
        headers: dict[str, str] = {}
        for line in head.decode("utf-8", "replace").strip("\n").split("\n"):
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
            self._debug("esl_recv_event", f"RECV HEADER [{name.strip()}] = [{value.strip()}]")
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            self._fill()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return headers, body.decode("utf-8", "replace")

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._fill()
        head, _, self._buffer = self._buffer.partition(mark)
        return head

    def _fill(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("closed by the switch")
        self._buffer += data

    def _debug(self, function: str, text: str) -> None:
        if self._settings.debug >= DEBUG_LEVEL:
            print(f"[DEBUG] esl.c:0 {function}() {text}", file=sys.stderr)


def _settings(argv: list[str]) -> tuple[Settings, str | None]:
    """Return the settings of ``argv`` over those of the configuration file, and the command."""
    given, rest = getopt.gnu_getopt(argv, "H:P:u:p:d:x:l:USt:T:qQrRhib?ns:", LONG)
    parsed = _read_config()
    wanted = rest[0] if rest else "default"
    base = parsed.profiles.get(wanted) or parsed.profiles.get("default")
    base = base or next(iter(parsed.profiles.values()), Settings())
    base = base._replace(timeout=parsed.timeout, connect_timeout=parsed.connect_timeout)
    command = None
    for option, value in given:
        if option in ("-x", "--execute"):
            command = value
        else:
            base = _changed(base, SHORT.get(option, option.removeprefix("--")), value)
    return base, command


def _interactive(client: Client) -> int:
    """Read command lines from stdin until its end or ``/exit``, as ``-b`` does."""
    for line in sys.stdin:
        command = line.strip()
        if command in ("/exit", "/quit", "/bye", "..."):
            return EXIT_OK
        if command:
            print(client.api(command), flush=True)
    return EXIT_OK


def main(argv: list[str]) -> int:
    """Run fs_cli; see the module for the exit codes."""
    try:
        settings, command = _settings(argv)
    except (getopt.GetoptError, ValueError):
        print(USAGE, end="")
        return EXIT_USAGE
    if any(word in ("-h", "--help", "-?") for word in argv):
        print(USAGE, end="")
        return EXIT_OK
    try:
        client = Client(settings)
        if command is None:
            return _interactive(client)
        print(client.api(command))
    except ConnectError:
        print("[ERROR] fs_cli.c:1699 main() Error Connecting []", file=sys.stderr)
        return EXIT_NO_CONNECTION
    except ReplyTimeoutError:
        print("Request timed out.")
        return EXIT_TIMEOUT
    except KeyboardInterrupt:
        return EXIT_OK
    return EXIT_OK
