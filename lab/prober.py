"""The half of the probe that runs in the outside namespace: sends OPTIONS, prints the answers.

Answers are taken from a packet socket: it tells the sender's hardware address, so the answering
node is known whatever software answers, and the kernel's own time stamp, so a busy prober does
not make a gap longer. Prints JSON lines, see :meth:`Worker.work`; ends when stdin ends.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import selectors
import socket
import struct
import sys
import time
import uuid
from collections import Counter

from lab.net import known_macs
from lab.settings import LINKS, OUTSIDE

SOMEBODY = "somebody"
LINGER_SECONDS = 0.2  # for answers to the last requests
SO_TIMESTAMPNS = 35  # Linux; the socket module has no name for it
ETH_P_IP = 0x0800
UDP = 17
UDP_HEADER = 8
SMALLEST_PACKET = 20 + UDP_HEADER
STATUS = re.compile(rb"SIP/2\.0 (\d{3})\b")
CSEQ = re.compile(rb"^CSeq:\s*(\d+)\s+OPTIONS", re.MULTILINE | re.IGNORECASE)
NAMED = re.compile(rb"^X-Node:\s*([\w.-]+)", re.MULTILINE | re.IGNORECASE)


def options_request(target: str, source: tuple[str, int], number: int, call: str) -> bytes:
    """Return a SIP OPTIONS request (RFC 3261, 11.1) from *source* to *target* (``HOST:PORT``)."""
    host, port = source
    return (
        f"OPTIONS sip:{target} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};rport;branch=z9hG4bK{call}{number}\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:probe@{host}>;tag={call}\r\n"
        f"To: <sip:{target}>\r\n"
        f"Call-ID: {call}.{number}@{host}\r\n"
        f"CSeq: {number} OPTIONS\r\n"
        f"Contact: <sip:probe@{host}:{port}>\r\n"
        "Accept: application/sdp\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def parse_answer(packet: bytes, port: int) -> tuple[int, str | None, int] | None:
    """Return number, X-Node and status code of a SIP answer to our *port*, else None.

    Args:
        packet: an IPv4 packet.
        port: UDP, where the answer has to go.

    """
    if len(packet) < SMALLEST_PACKET or packet[9] != UDP:
        return None
    header = (packet[0] & 0x0F) * 4
    if len(packet) < header + UDP_HEADER:
        return None
    if struct.unpack_from("!H", packet, header + 2)[0] != port:
        return None
    payload = packet[header + UDP_HEADER :]
    number = CSEQ.search(payload)
    status = STATUS.match(payload)
    if status is None or number is None:
        return None
    named = NAMED.search(payload)
    return int(number[1]), named[1].decode() if named else None, int(status[1])


class Worker:
    """Sends requests at a steady pace and prints answers as JSON lines until stdin ends."""

    def __init__(self, interval: float, address: str, port: int) -> None:
        self.interval = interval
        self.target = (address, port)
        self.macs = known_macs()
        link = LINKS[0]
        self.sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sender.bind((link.address(OUTSIDE.host), 0))
        self.sender.setblocking(False)
        self.source: tuple[str, int] = self.sender.getsockname()
        self.receiver = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.receiver.bind((link.bridge, ETH_P_IP))
        self.receiver.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.receiver.setblocking(False)
        self.call = uuid.uuid4().hex[:12]
        self.sent = 0
        self.stall = 0.0
        self.errors: Counter[str] = Counter()

    def send(self) -> None:
        """Send the next request; an error the kernel reports is counted, not fatal."""
        self.sent += 1
        request = options_request(
            f"{self.target[0]}:{self.target[1]}", self.source, self.sent, self.call
        )
        try:
            self.sender.sendto(request, self.target)
        except OSError as error:
            self.errors[error.strerror or str(error)] += 1

    def receive(self) -> None:
        """Print every answer that has come."""
        while True:
            try:
                packet, ancillary, _, sender = self.receiver.recvmsg(65535, 256)
            except BlockingIOError:
                break
            found = parse_answer(packet, self.source[1])
            if found is None:
                continue
            number, named, status = found
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
            node = self.macs.get(sender[4].hex(":")) or named or SOMEBODY
            at = seconds + nanoseconds / 1e9
            print(json.dumps({"answer": [at, number, node, status]}), flush=True)
        self._discard()

    def _discard(self) -> None:
        """Empty the sending socket: its copies of the answers are not needed."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.sender.recv(65535)

    def work(self) -> None:
        """Send and receive until stdin ends, then wait for late answers and sum up."""
        chooser = selectors.DefaultSelector()
        chooser.register(self.receiver, selectors.EVENT_READ)
        chooser.register(sys.stdin, selectors.EVENT_READ)
        print(json.dumps({"said": "started"}), flush=True)
        started = time.time()
        last = due = time.monotonic()
        asked_to_end = False
        while not asked_to_end:
            now = time.monotonic()
            if now >= due:
                self.send()
                self.stall = max(self.stall, now - last - self.interval)
                last = now
                due = max(due + self.interval, now)
            for key, _ in chooser.select(max(due - time.monotonic(), 0)):
                if key.fileobj is sys.stdin:
                    asked_to_end = True
                else:
                    self.receive()
        ended = time.time()
        time.sleep(LINGER_SECONDS)
        self.receive()
        summary = {"sent": self.sent, "started": started, "ended": ended, "stall": self.stall}
        print(json.dumps({"summary": summary, "errors": dict(self.errors)}), flush=True)


def main() -> None:
    """Run the worker; arguments: interval in seconds, address, port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("interval", type=float)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    options = parser.parse_args()
    Worker(options.interval, options.address, options.port).work()


if __name__ == "__main__":
    main()
