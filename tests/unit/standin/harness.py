"""Runs stand-in switches on loopback addresses and talks SIP to them; used by two test folders."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.standin.fsstandin import sip

STANDIN = Path(__file__).parents[3] / "lab" / "standin"
SCALE = 0.1
GUARD = 0.3  # how long a profile must be up before it may be stopped
PATIENCE = 10.0
_numbers = itertools.count(secrets.randbelow(5_000_000))  # parallel runs must not meet


def free_port() -> int:
    """Return a TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loopback() -> str:
    """Return an address in 127/8 of our own."""
    number = next(_numbers)
    return f"127.{101 + number // 62500 % 100}.{number // 250 % 250}.{1 + number % 250}"


def eventually(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Poll until ``condition`` is true and return its value; fail after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.01)


@dataclass
class Node:
    """A stand-in with its own directory; may be started, killed and started again."""

    directory: Path
    name: str = "a"
    profiles: list[dict[str, Any]] = field(default_factory=list)
    password: str = "pass word;1"
    scale: float = SCALE
    recovery_db: Path | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process_name = f"fs{os.getpid() % 100000}{next(_numbers) % 10000}{self.name}"[:15]
        if not self.profiles:
            self.profiles = [{"name": "internal", "sip_ip": loopback()}]

    @property
    def ip(self) -> str:
        return str(self.profiles[0]["sip_ip"])

    @property
    def address(self) -> tuple[str, int]:
        return self.ip, int(self.profiles[0].get("sip_port", 5060))

    @property
    def db(self) -> Path:
        return self.recovery_db or self.directory / "recovery.db"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text(encoding="utf-8")

    @property
    def password_file(self) -> Path:
        return self.directory / "password"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "STANDIN_CONFIG": str(self.directory / "standin.json")}

    def write_config(self) -> None:
        self.password_file.write_text(self.password + "\n", encoding="utf-8")
        config = {
            "profiles": self.profiles,
            "event_socket": {
                "host": "127.0.0.1",
                "port": self.port,
                "password_file": str(self.password_file),
            },
            "recovery_db": str(self.db),
            "switchname": "voice",
            "timing_scale": self.scale,
            "timing": {"stop_guard": GUARD},
            "fault_file": str(self.directory / "faults"),
            "process_name": self.process_name,
            "pidfile": str(self.directory / "pid"),
            **self.extra,
        }
        (self.directory / "standin.json").write_text(json.dumps(config), encoding="utf-8")

    def launch(self) -> None:
        """Start the process and return at once."""
        self.write_config()
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(STANDIN / "freeswitch"), "-nonat", "-nf"],
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def start(self) -> Node:
        """Start the process and wait until the Event Socket answers."""
        self.launch()
        eventually(self.listening, "the Event Socket")
        return self

    def listening(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def fault(self, *words: str) -> None:
        subprocess.run(
            [str(STANDIN / "standin"), "fault", *words],
            env=self.environment,
            check=True,
            capture_output=True,
        )
        time.sleep(0.06)  # the switch believes what it read for 50 ms

    def cli(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run fs_cli as an operator would."""
        return subprocess.run(
            [
                str(STANDIN / "fs_cli"),
                *("-P", str(self.port), "-p", self.password, "-T", "3000", "-t", "5000"),
                *options,
                *("-x", command),
            ],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def api(self, command: str) -> str:
        """Run ``command`` and return its text without fs_cli's newline."""
        done = self.cli(command)
        assert done.returncode == 0, done
        return done.stdout.removesuffix("\n")

    def listed(self, profile: str = "internal") -> bool:
        return f"<name>{profile}</name>" in self.api("sofia xmlstatus")

    def rows(self) -> int:
        with contextlib.closing(sqlite3.connect(self.db)) as connection:
            return int(connection.execute("select count(*) from recovery").fetchone()[0])


class Phone:
    """A caller: one UDP socket, one call; raises socket.timeout when nothing comes."""

    def __init__(self, target: tuple[str, int], timeout: float = 5.0) -> None:
        self.target = target
        self.call_id = f"{time.monotonic_ns()}@test"
        self.to = f"<sip:service@{target[0]}>"
        self.cseq = 1
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((loopback(), 0))
        self.socket.settimeout(timeout)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((self.ip, 0))
        self.rtp.settimeout(timeout)
        self.remote_rtp = ("", 0)
        self.invite_branch = ""

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
        self.rtp.close()

    @property
    def ip(self) -> str:
        return str(self.socket.getsockname()[0])

    @property
    def contact(self) -> str:
        return f"sip:phone@{self.ip}:{self.socket.getsockname()[1]}"

    def send(self, method: str, body: bytes = b"", branch: str = "", cseq: int = 0) -> str:
        branch = branch or f"z9hG4bK{time.monotonic_ns()}"
        headers = [
            ("Via", f"SIP/2.0/UDP {self.contact.partition('@')[2]};branch={branch}"),
            ("From", f"<{self.contact}>;tag=phone"),
            ("To", self.to),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq or self.cseq} {method}"),
            ("Contact", f"<{self.contact}>"),
            ("Max-Forwards", "70"),
        ]
        start = f"{method} sip:service@{self.target[0]}:{self.target[1]} SIP/2.0"
        self.socket.sendto(sip.build(start, headers, body), self.target)
        return branch

    def receive(self) -> sip.Message:
        return sip.parse(self.socket.recv(65535))

    def final(self) -> sip.Message:
        """Return the next response that is final."""
        while True:
            message = self.receive()
            if message.is_response and message.status >= 200:
                return message

    def request(self, method: str) -> sip.Message:
        """Return the next request ``method`` from the switch."""
        while True:
            message = self.receive()
            if not message.is_response and message.method == method:
                return message

    def sdp(self) -> bytes:
        return sip.sdp(self.ip, self.rtp.getsockname()[1], sip.Codec(8, "PCMA/8000"), 1)

    def invite(self) -> sip.Message:
        self.invite_branch = self.send("INVITE", self.sdp())
        answer = self.final()
        if answer.status == 200:
            self.accept(answer)
        return answer

    def accept(self, answer: sip.Message) -> None:
        """Take the dialog from ``answer`` and send the ACK."""
        self.to = answer.get("to")
        self.learn_media(answer.body)
        self.send("ACK")

    def learn_media(self, body: bytes) -> None:
        text = body.decode()
        ip = text.partition("c=IN IP4 ")[2].split()[0]
        port = text.partition("m=audio ")[2].split()[0]
        self.remote_rtp = (ip, int(port))

    def bye(self) -> sip.Message:
        self.cseq += 1
        self.send("BYE")
        return self.final()

    def respond(self, request: sip.Message, body: bytes = b"") -> None:
        """Answer a request of the switch with 200."""
        headers = [(name, request.get(name)) for name in ("via", "from", "to", "call-id", "cseq")]
        headers.append(("contact", f"<{self.contact}>"))
        self.socket.sendto(sip.build("SIP/2.0 200 OK", headers, body), self.target)

    def echoes(self, payload: bytes = b"media") -> bool:
        """Send one RTP datagram and tell whether it comes back."""
        self.rtp.sendto(payload, self.remote_rtp)
        try:
            return self.rtp.recv(2048) == payload
        except TimeoutError:
            return False


@contextlib.contextmanager
def nodes(directory: Path) -> Iterator[Callable[..., Node]]:
    """Yield a factory of nodes; every one still alive at the end is killed."""
    made: list[Node] = []

    def make(name: str = "a", **settings: Any) -> Node:
        node = Node(directory / name, name, **settings)
        made.append(node)
        return node

    try:
        yield make
    finally:
        for node in made:
            if node.process is not None and node.process.poll() is None:
                node.process.kill()
                node.process.wait(PATIENCE)
