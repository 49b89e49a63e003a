"""The only room with a door to the outside: programs are run here and nowhere else.

Arguments are lists and never pass a shell, every call is bounded in time, secrets go
through standard input or a file. What a program says is returned as data; the exit codes
that mean something to fsha have names here.

``CIB_file`` in the environment makes Pacemaker's tools work on a file instead of a
cluster; it is passed on, so everything above works without a cluster too.
"""

# ruff: noqa: N818
# Errors are named for what has happened.

import contextlib
import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

# Exit codes of Pacemaker's tools (crm_exit_e in its include/crm/common/results.h).
EX_OK = 0
EX_ERROR = 1
EX_INSUFFICIENT_PRIV = 4
EX_NOSUCH = 105
EX_USAGE = 64
EX_UNAVAILABLE = 69
EX_CONFIG = 78
EX_DISCONNECT = 102
EX_OLD = 103
EX_QUORUM = 106
EX_TIMEOUT = 124
# crm_diff: 0 the same, 1 different, above that an error.
EX_DIFFERENT = 1
# fs_cli: no connection, or the password was refused (it says the same for both).
FS_CLI_NO_CONNECTION = 255
FS_CLI_TIMEOUT = 254

SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_TIMEOUT = 30.0


class RunError(Exception):
    """A program could not do what was asked of it."""


class ToolMissing(RunError):
    """A program is not installed."""

    def __init__(self, program: str) -> None:
        self.program = program
        super().__init__(f"{program} is not installed on this node.")


class ToolTimeout(RunError):
    """A program did not answer within its bound and was ended."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        self.argv = tuple(argv)
        self.seconds = seconds
        super().__init__(f"{argv[0]} did not answer within {seconds:g} s and was ended.")


class ToolFailed(RunError):
    """A program ended with an exit code that means failure."""

    def __init__(self, completed: "Completed") -> None:
        self.completed = completed
        said = (completed.err or completed.out).strip().splitlines()
        detail = f": {said[-1].strip()}" if said else "."
        super().__init__(f"{completed.argv[0]} failed (exit code {completed.code}){detail}")


@dataclass(frozen=True)
class Completed:
    """What a program that ran to its end has said."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float


Runner = Callable[..., Completed]
"""The shape of :func:`run`, so that pure code and tests can be given another."""


def which(program: str) -> str | None:
    """Return the path of ``program``, looking into the administrator's directories too."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":" + SBIN)


def run(
    argv: Sequence[str],
    stdin: str | bytes | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run a program to its end and return what it said, whatever its exit code.

    argv
        The program and its arguments; no shell sees them. No secret belongs here: every
        user of the machine can read argument lists.
    stdin
        Text (or bytes) for its standard input; without it the input is empty.
    timeout
        Seconds after which the program is ended.
    env
        Variables to add to the environment.

    Raises :class:`ToolMissing` and :class:`ToolTimeout`.
    """
    program = which(argv[0])
    if program is None:
        raise ToolMissing(argv[0])
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":" + SBIN, "LC_ALL": "C"}
    environment.update(env or {})
    data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin or b""
    begun = time.monotonic()
    with subprocess.Popen(
        [program, *argv[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            out, err = _communicate(process, data, timeout)
        except subprocess.TimeoutExpired as expired:
            raise ToolTimeout(argv, timeout) from expired
    return Completed(
        argv=tuple(argv),
        code=process.returncode,
        out=out.decode("utf-8", "surrogateescape"),
        err=err.decode("utf-8", "surrogateescape"),
        seconds=time.monotonic() - begun,
    )


def _communicate(
    process: subprocess.Popen[bytes], data: bytes, timeout: float
) -> tuple[bytes, bytes]:
    try:
        return process.communicate(data, timeout=timeout)
    except BaseException:
        # With its children: they would hold the pipes open beyond every bound.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def check(
    argv: Sequence[str],
    stdin: str | bytes | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    env: Mapping[str, str] | None = None,
    allowed: Sequence[int] = (EX_OK,),
) -> Completed:
    """Run a program as :func:`run` does; an exit code that is not allowed is an error.

    Raises :class:`ToolFailed` besides what :func:`run` raises.
    """
    completed = run(argv, stdin=stdin, timeout=timeout, env=env)
    if completed.code not in allowed:
        raise ToolFailed(completed)
    return completed


ICMP = struct.Struct("!BBHHHIII")
ICMP_TIMESTAMP, ICMP_TIMESTAMP_REPLY = 13, 14
IP_HEADER_WORDS, IP_WORD = 0x0F, 4
DAY_MS = 86_400_000
NO_STANDARD = 0x8000_0000
"""The bit that marks a time of day which is none in milliseconds since midnight UTC."""


@dataclass(frozen=True)
class ClockAnswer:
    """Another host's clock: ``ahead`` seconds of ours, right to ``within`` seconds."""

    ahead: float
    within: float


def ask_clock(host: str, timeout: float = 0.5) -> ClockAnswer | None:
    """Ask a host's kernel for the time by an ICMP timestamp request (RFC 792); root only.

    host
        An IPv4 address; there is no such request for IPv6.
    timeout
        Seconds to wait for the answer.

    ``None`` when there is no answer, as from a host whose firewall drops the request.
    """
    mark = secrets.randbits(16)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
            sock.connect((host, 0))
            asked = _time_of_day()
            begun = time.monotonic()
            sock.send(icmp_timestamp(mark, asked))
            while (left := timeout - (time.monotonic() - begun)) > 0:
                sock.settimeout(left)
                told = parse_icmp_timestamp(sock.recv(2048), mark)
                if told is not None:
                    trip = (time.monotonic() - begun) * 1000
                    return clock_answer(asked, trip, *told)
    except OSError:
        # Nobody there, no route, not root and no answer all mean the same here: not known.
        return None
    return None


def _time_of_day() -> int:
    """Return the milliseconds since midnight UTC."""
    return int(time.time() * 1000) % DAY_MS


def icmp_timestamp(mark: int, asked: int) -> bytes:
    """Return a request: its identifier, and our time of day in milliseconds."""
    bare = ICMP.pack(ICMP_TIMESTAMP, 0, 0, mark, 1, asked, 0, 0)
    total = sum(struct.unpack(f"!{len(bare) // 2}H", bare))
    total = (total >> 16) + (total & 0xFFFF)
    return ICMP.pack(ICMP_TIMESTAMP, 0, ~(total + (total >> 16)) & 0xFFFF, mark, 1, asked, 0, 0)


def parse_icmp_timestamp(packet: bytes, mark: int) -> tuple[int, int] | None:
    """Return when a request came and was answered by the other's clock, ``None`` for no answer.

    packet
        With its IPv4 header, as a raw socket gives it.
    """
    if not packet:
        return None
    body = packet[(packet[0] & IP_HEADER_WORDS) * IP_WORD :]
    if len(body) < ICMP.size:
        return None
    kind, _, _, number, _, _, came, left = ICMP.unpack_from(body)
    if (kind, number) != (ICMP_TIMESTAMP_REPLY, mark) or (came | left) & NO_STANDARD:
        return None
    return came, left


def clock_answer(asked: int, trip: float, came: int, left: int) -> ClockAnswer:
    """Return what an answer says of the other's clock.

    asked
        Our time of day as we asked, milliseconds; ``came`` and ``left`` are the other's.
    trip
        Milliseconds until the answer was here.
    """
    ahead = (_between(asked, came) + _between(asked + trip, left)) / 2
    return ClockAnswer(round(ahead / 1000, 3) + 0.0, round(trip / 2000 + 0.002, 3))


def _between(one: float, other: float) -> float:
    """Return how much later another time of day is; one of them may be past midnight."""
    return (other - one + DAY_MS / 2) % DAY_MS - DAY_MS / 2


_SIP_OPTIONS = (
    "OPTIONS sip:ping@{host} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {mine};rport;branch=z9hG4bK{token}\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:fsha@{mine}>;tag={token}\r\n"
    "To: <sip:ping@{host}>\r\n"
    "Call-ID: {token}@{mine}\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Contact: <sip:fsha@{mine}>\r\n"
    "Content-Length: 0\r\n\r\n"
)


def sip_options(host: str, port: int = 5060, timeout: float = 1.0) -> str:
    """Ask a SIP server for its options over UDP and return its status line, ``""`` for silence.

    host, port
        Where to ask; an address, not a name.
    timeout
        Seconds to wait for the answer.
    """
    bare = host.strip("[]")
    family = socket.AF_INET6 if ":" in bare else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        try:
            sock.connect((bare, port))
            mine = sock.getsockname()[0]
            shown, own = (f"[{a}]" if ":" in a else a for a in (bare, mine))
            text = _SIP_OPTIONS.format(host=shown, mine=own, token=secrets.token_hex(8))
            sock.send(text.encode("ascii"))
            answer = sock.recv(65535).decode("utf-8", "replace")
        except OSError:
            # Nobody there, no route and no answer all mean the same here: silence.
            return ""
    return answer.split("\r\n", 1)[0]
