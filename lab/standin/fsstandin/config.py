"""The stand-in's configuration file, checked and typed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

DEFAULT_PATH = Path("/etc/freeswitch/standin.json")
DEFAULT_PASSWORD = "ClueCon"  # noqa: S105 - FreeSWITCH's own public default


class ConfigError(Exception):
    """The configuration file cannot be used; the message names the file and the key."""


@dataclass(frozen=True)
class Timing:
    """Durations in seconds. Source: measured on FreeSWITCH 1.11.3-dev, the middle of each range.

    ``startup``: from process start until the Event Socket listens; ``shutdown``: from SIGTERM until
    the process has gone; ``stop_guard``: how long a profile must be up before it may be stopped;
    ``bind_interval``: between two bind attempts; ``socket_close`` and ``name_freed``: from a
    profile's stop until its socket is closed and until its name leaves the table; ``stop_wait``:
    how long ``stop wait`` takes; ``row_delay``: from an answer or hangup to the recovery row;
    ``deaf_start``: how long a profile that is RUNNING does not read its socket yet; ``unload``: how
    long the Event Socket outlives mod_sofia at the end (0.3 s idle, 0.8 s with calls);
    ``database_retry``: between two attempts to reach a database server.
    """

    startup: float = 1.6
    shutdown: float = 4.0
    stop_guard: float = 10.0
    bind_interval: float = 5.0
    socket_close: float = 0.3
    name_freed: float = 1.6
    stop_wait: float = 0.5
    row_delay: float = 0.1
    deaf_start: float = 1.0
    unload: float = 0.5
    database_retry: float = 1.0

    def scaled(self, scale: float) -> Timing:
        """Return the same durations times ``scale``, so that tests need not wait."""
        return Timing(**{name: seconds * scale for name, seconds in asdict(self).items()})


BIND_ATTEMPTS = 3


@dataclass(frozen=True)
class ProfileConfig:
    """One SIP profile: ``name``, the address it binds, and the switches that matter here.

    ``options_503_on_busy``: OPTIONS get 503 while no new call is taken, as before 1.11.1 always,
    and since then with ``sip-options-respond-503-on-busy`` (read in mod_sofia's sofia.c).
    """

    name: str
    sip_ip: str
    sip_port: int = 5060
    rtp_ip: str = ""
    standby: bool = False
    track_calls: bool = True
    options_503_on_busy: bool = False

    @property
    def media_ip(self) -> str:
        """Return the address of the RTP sockets; the SIP address unless told otherwise."""
        return self.rtp_ip or self.sip_ip


@dataclass(frozen=True)
class Config:
    """All of ``standin.json``; every key but ``profiles`` has a default."""

    profiles: tuple[ProfileConfig, ...]
    esl_host: str = "127.0.0.1"
    esl_port: int = 8021
    password: str = DEFAULT_PASSWORD
    recovery_db: str = ""
    switchname: str = ""
    rtp_ports: tuple[int, int] = (16384, 17383)
    answer_after: float = 0.02
    max_sessions: int = 1000
    pidfile: Path | None = None
    fault_file: Path = Path("/run/freeswitch/standin.faults")
    process_name: str = "freeswitch"
    timing: Timing = field(default_factory=Timing)

    def profile(self, name: str) -> ProfileConfig | None:
        """Return the profile called ``name``, or None."""
        return next((p for p in self.profiles if p.name == name), None)


def config_path(explicit: str | None = None) -> Path:
    """Return the configuration file: the option, else ``STANDIN_CONFIG``, else the default."""
    return Path(explicit or os.environ.get("STANDIN_CONFIG") or DEFAULT_PATH)


def load(path: Path) -> Config:
    """Read and check ``path``.

    Raises ConfigError with the file and the key when something is missing or of the wrong type.

    Example file::

        {"profiles": [{"name": "internal", "sip_ip": "10.101.20.219", "sip_port": 5060,
                       "standby": false, "track_calls": true}],
         "event_socket": {"host": "127.0.0.1", "port": 8021,
                          "password_file": "/etc/freeswitch/event_socket.password"},
         "recovery_db": "/srv/lab/recovery.db", "switchname": "voice"}

    ``recovery_db`` is the path of a SQLite file, or the URI of a PostgreSQL database,
    ``postgresql://USER@HOST/DATABASE?passfile=PATH``; then the status of a single profile asks that
    database, too, as with the real one's ``odbc-dsn``. ``standby`` makes a profile that refuses
    every new request with 503 until it recovers calls.

    Further keys: ``rtp_ports`` [first, last], ``answer_after`` (seconds from INVITE to 200),
    ``max_sessions`` (a switch with so many calls takes no new one),
    ``timing_scale`` (1.0 = as measured), ``timing`` (single durations in seconds, see Timing),
    ``pidfile``, ``fault_file``, ``process_name``.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: an object is expected")
    try:
        return _build(data)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from error


_KEYS = {
    "profiles", "event_socket", "recovery_db", "switchname", "rtp_ports", "answer_after",
    "max_sessions", "timing_scale", "timing", "pidfile", "fault_file", "process_name",
}  # fmt: skip


def _build(data: dict[str, Any]) -> Config:
    unknown = set(data) - _KEYS
    if unknown:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    esl = data.get("event_socket", {})
    first, last = data.get("rtp_ports", (16384, 17383))
    optional: dict[str, Any] = {}
    for key in ("pidfile", "fault_file"):
        if data.get(key):
            optional[key] = Path(data[key])
    for key in ("recovery_db", "switchname", "process_name"):
        if data.get(key):
            optional[key] = str(data[key])
    return Config(
        profiles=tuple(ProfileConfig(**item) for item in data["profiles"]),
        esl_host=str(esl.get("host", "127.0.0.1")),
        esl_port=int(esl.get("port", 8021)),
        password=_password(esl.get("password_file")),
        rtp_ports=(int(first), int(last)),
        answer_after=float(data.get("answer_after", 0.02)),
        max_sessions=int(data.get("max_sessions", 1000)),
        timing=replace(
            Timing().scaled(float(data.get("timing_scale", 1.0))), **data.get("timing", {})
        ),
        **optional,
    )


def _password(path: str | None) -> str:
    if path is None:
        return DEFAULT_PASSWORD
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ValueError(f"event_socket.password_file: {error}") from error
    if not lines or not lines[0]:
        raise ValueError(f"event_socket.password_file: {path} is empty")
    return lines[0]
