"""The clock of another host, asked by an ICMP timestamp."""

import secrets
import socket
import struct
import time
from dataclasses import dataclass

ICMP = struct.Struct("!BBHHHIII")
ICMP_TIMESTAMP, ICMP_TIMESTAMP_REPLY = 13, 14
IP_HEADER_WORDS, IP_WORD = 0x0F, 4
DAY_MS = 86_400_000
NO_STANDARD = 0x8000_0000
"""The bit of a time of day that is not in milliseconds since midnight UTC (RFC 792)."""


@dataclass(frozen=True)
class ClockAnswer:
    """Another host's clock: ``ahead`` seconds of ours, right to ``within`` seconds."""

    ahead: float
    within: float


def ask_clock(host: str, timeout: float = 0.5) -> ClockAnswer | None:
    """Ask a host's kernel for the time by an ICMP timestamp request (RFC 792). Only for root.

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
                marks = parse_icmp_timestamp(sock.recv(2048), mark)
                if marks is not None:
                    trip = (time.monotonic() - begun) * 1000
                    return clock_answer(asked, trip, *marks)
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
    """Return when the other host received and answered, by its clock; ``None`` if no answer.

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
    """Return how far the other host's clock is ahead of ours.

    asked
        Our time of day as we asked, milliseconds; ``came`` and ``left`` are the other's.
    trip
        Milliseconds until the answer was here.
    """
    ahead = (_between(asked, came) + _between(asked + trip, left)) / 2
    return ClockAnswer(round(ahead / 1000, 3) + 0.0, round(trip / 2000 + 0.002, 3))


def _between(earlier: float, later: float) -> float:
    """Return by how many milliseconds ``later`` is the later time of day, also past midnight."""
    return (later - earlier + DAY_MS / 2) % DAY_MS - DAY_MS / 2
