"""The half of the call client that runs in the outside namespace: places calls, listens, hangs up.

Knows nothing of the lab: it calls an address from an address. Times of received RTP are the
kernel's own, so a busy caller does not make a gap longer. Prints JSON lines, see
:meth:`Caller.work`; hangs up and ends when stdin ends.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import math
import re
import secrets
import selectors
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

from lab.calls import (
    ANSWERED,
    BY_CALLER,
    BY_NOBODY,
    BY_SWITCH,
    CALLING,
    ENDED,
    HELD,
    KINDS,
    REFUSED,
    RINGING,
)
from lab.standin.fsstandin import sip

T1 = 0.5
T2 = 4.0
TRANSACTION = 64 * T1
HANG_UP_SECONDS = 4.0
PLACE_EVERY = 0.005
TELL_EVERY = 0.1
TICK = 0.02
SO_TIMESTAMPNS = 35  # Linux; the socket module has no name for it
RECEIVE_BUFFER = 1024 * 1024
DATAGRAM = 65535
RTP_HEADER = struct.Struct("!BBHII")
RTP_VERSION_2 = 0x80
PCMU_RATE = 8000
PCMU_SILENCE = b"\xff"
MEDIA = re.compile(rb"^m=audio (\d+) ", re.MULTILINE)
CONNECTION = re.compile(rb"^c=IN IP4 (\S+)", re.MULTILINE)
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS"


def describe(ip: str, port: int, milliseconds: int, version: int, *, held: bool) -> bytes:
    """Return a session description (RFC 4566) of one PCMU stream; a held one gets no audio."""
    lines = [
        "v=0",
        f"o=lab {port} {version} IN IP4 {ip}",
        "s=lab",
        f"c=IN IP4 {ip}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        f"a=ptime:{milliseconds}",
        "a=inactive" if held else "a=sendrecv",
    ]
    return "\r\n".join(lines).encode() + b"\r\n"


def media_address(description: bytes) -> sip.Address | None:
    """Return where a session description wants its audio, None when it names no such place."""
    port, ip = MEDIA.search(description), CONNECTION.search(description)
    if port is None or ip is None or int(port[1]) == 0:
        return None
    return ip[1].decode("ascii", "replace"), int(port[1])


@dataclass
class Listener:
    """Finds the longest time without audio. Times are seconds since the epoch."""

    last: float = 0.0
    longest: float = 0.0
    begin: float = 0.0
    silence: float = 0.0
    packets: int = 0

    def start(self, at: float) -> None:
        """Expect audio from now on."""
        self.last = self.begin = at

    def heard(self, at: float) -> None:
        """Take a packet into account."""
        if self.last and at - self.last > self.longest:
            self.longest, self.begin = at - self.last, self.last
        self.last = max(self.last, at)

    def end(self, at: float) -> None:
        """Expect no more; the silence before it counts as well."""
        self.silence = max(at - self.last, 0.0)
        self.heard(at)


@dataclass
class Pending:
    """A message that is sent again at T1, 2·T1, … T2 until it is answered."""

    data: bytes
    destination: sip.Address
    due: float
    wait: float = T1
    until: float = 0.0


@dataclass
class Call:
    """One call of ours: its dialog, its media and what was seen of it."""

    number: int
    kind: str
    user: str
    rtp: socket.socket
    identity: str
    remote: str
    target: str
    state: str = CALLING
    ended_by: str = ""
    reason: str = ""
    cseq: int = 1
    branch: str = ""
    version: int = 1
    media: sip.Address | None = None
    listener: Listener = field(default_factory=Listener)
    reinvites: int = 0
    hanging_up: bool = False
    taken: tuple[int, str] | None = None
    last_answer: bytes = b""
    pending: dict[str, Pending] = field(default_factory=dict)
    sequence: int = 0
    sent: int = 0

    @property
    def rtp_port(self) -> int:
        """Our port for audio."""
        return int(self.rtp.getsockname()[1])

    @property
    def alive(self) -> bool:
        """True until somebody ended it."""
        return self.state not in (REFUSED, ENDED)

    def as_dict(self) -> dict[str, object]:
        """Return what was seen, as the fields of :class:`lab.calls.Call`."""
        listens = self.kind == ANSWERED and self.listener.last > 0
        return {
            "number": self.number,
            "kind": self.kind,
            "state": self.state,
            "ended_by": self.ended_by,
            "reason": self.reason,
            "gap": self.listener.longest if listens else None,
            "gap_begin": self.listener.begin if listens else None,
            "silence": self.listener.silence if listens else None,
            "reinvites": self.reinvites,
            "sent": self.sent,
            "received": self.listener.packets,
        }


class Caller:
    """Places the calls, one SIP socket for all, one RTP socket each."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.ip: str = options.source
        self.target: sip.Address = (options.address, options.port)
        self.ptime: float = options.ptime
        self.samples = round(self.ptime * PCMU_RATE)
        self.chooser = selectors.DefaultSelector()
        self.sip = self._socket()
        self.port = int(self.sip.getsockname()[1])
        self.chooser.register(self.sip, selectors.EVENT_READ, None)
        wanted = (
            [(ANSWERED, options.user)] * options.answered
            + [(RINGING, options.ringing_user)] * options.ringing
            + [(HELD, options.user)] * options.held
        )
        self.calls = [self._new(n, kind, user) for n, (kind, user) in enumerate(wanted, start=1)]
        self.by_id = {call.identity: call for call in self.calls}
        self.beats: list[tuple[float, int]] = []
        self.stall = 0.0

    def _socket(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        made.setblocking(False)
        made.bind((self.ip, 0))
        return made

    def _new(self, number: int, kind: str, user: str) -> Call:
        rtp = self._socket()
        uri = f"sip:{user}@{self.target[0]}:{self.target[1]}"
        call = Call(number, kind, user, rtp, f"{secrets.token_hex(8)}@{self.ip}", f"<{uri}>", uri)
        self.chooser.register(rtp, selectors.EVENT_READ, call)
        return call

    # -- sending -----------------------------------------------------------------------------

    def _headers(self, call: Call, method: str, cseq: int, branch: str) -> list[tuple[str, str]]:
        return [
            ("Via", f"SIP/2.0/UDP {self.ip}:{self.port};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", self._local(call)),
            ("To", call.remote),
            ("Call-ID", call.identity),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<{self._contact(call)}>"),
            ("Allow", ALLOW),
        ]

    def _contact(self, call: Call) -> str:
        return f"sip:caller{call.number}@{self.ip}:{self.port}"

    def _local(self, call: Call) -> str:
        return f"<sip:caller{call.number}@{self.ip}>;tag=call{call.number}"

    def _send(self, data: bytes, destination: sip.Address) -> None:
        try:
            self.sip.sendto(data, destination)
        except OSError:  # an error of an earlier datagram, or no way there now: it is sent again
            return

    def _request(self, call: Call, method: str, body: bytes = b"") -> None:
        """Send a request, and again until its answer; the key is method and CSeq."""
        if method != "CANCEL":
            call.branch = f"z9hG4bK{secrets.token_hex(8)}"
        headers = self._headers(call, method, call.cseq, call.branch)
        if body:
            headers.append(("Content-Type", "application/sdp"))
        data = sip.build(f"{method} {call.target} SIP/2.0", headers, body)
        destination = sip.address_of(call.target) or self.target
        self._send(data, destination)
        now = time.monotonic()
        seconds = HANG_UP_SECONDS if call.hanging_up else TRANSACTION
        call.pending[f"{call.cseq} {method}"] = Pending(
            data, destination, now + T1, until=now + seconds
        )

    def _acknowledge(self, call: Call, number: int, branch: str) -> None:
        headers = self._headers(call, "ACK", number, branch)
        data = sip.build(f"ACK {call.target} SIP/2.0", headers)
        self._send(data, sip.address_of(call.target) or self.target)

    def invite(self, call: Call, *, held: bool = False) -> None:
        """Send an INVITE, or in a call that is up a re-INVITE, with our session description."""
        self._request(call, "INVITE", self._description(call, held=held))

    def _description(self, call: Call, *, held: bool) -> bytes:
        return describe(self.ip, call.rtp_port, self.samples // 8, call.version, held=held)

    def hang_up(self, call: Call) -> None:
        """End a call: BYE when it is answered, CANCEL while it rings."""
        if not call.alive or call.hanging_up:
            return
        call.hanging_up = True
        call.pending.clear()
        if call.state == ANSWERED:
            call.listener.end(time.time())
        if not call.branch:
            self._over(call, BY_NOBODY, "not placed yet")
        elif call.state in (CALLING, RINGING):
            self._request(call, "CANCEL")
        else:
            call.cseq += 1
            self._request(call, "BYE")

    def _speak(self, call: Call) -> None:
        """Send one packet of silence."""
        call.sequence += 1
        call.sent += 1
        header = RTP_HEADER.pack(
            RTP_VERSION_2, 0, call.sequence & 0xFFFF, call.sequence * self.samples, call.number
        )
        try:
            call.rtp.sendto(header + PCMU_SILENCE * self.samples, call.media or self.target)
        except OSError:  # the same as in _send; the next packet is due soon
            return

    # -- receiving ---------------------------------------------------------------------------

    def _listen(self, call: Call) -> None:
        while True:
            try:
                packet, ancillary, _, _ = call.rtp.recvmsg(DATAGRAM, 256)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier datagram
                continue
            listening = call.state == ANSWERED and not call.hanging_up
            if len(packet) < RTP_HEADER.size or packet[0] & 0xC0 != RTP_VERSION_2 or not listening:
                continue
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
            call.listener.heard(seconds + nanoseconds / 1e9)
            call.listener.packets += 1

    def _receive(self) -> None:
        while True:
            try:
                datagram, source = self.sip.recvfrom(DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier datagram
                continue
            try:
                message = sip.parse(datagram)
                if message.is_response:
                    self._answered(message)
                else:
                    self._asked(message, (source[0], source[1]))
            except (sip.SipError, ValueError):  # not for us, or not SIP at all
                continue

    def _answered(self, response: sip.Message) -> None:
        call = self.by_id.get(response.get("call-id"))
        number, method = response.cseq
        if call is None:
            return
        if method == "INVITE":
            self._invite_answered(call, response, number)
        elif response.status >= 200 and call.pending.pop(f"{number} {method}", None) is not None:
            if method == "BYE":
                self._over(call, BY_CALLER if response.status < 300 else BY_NOBODY, response.start)
            elif response.status >= 300:  # a CANCEL of a call that the other side does not know
                self._over(call, BY_NOBODY, response.start)

    def _invite_answered(self, call: Call, response: sip.Message, number: int) -> None:
        pending = call.pending.get(f"{number} INVITE")
        if response.status < 200:
            if pending is not None and call.state in (CALLING, RINGING):
                pending.due = pending.until = math.inf  # it was heard, and may ring for long
            if response.status == 180 and call.state == CALLING:
                call.state = RINGING
            return
        call.pending.pop(f"{number} INVITE", None)
        if response.status >= 300:
            self._acknowledge(call, number, call.branch)
            self._refused(call, response)
            return
        call.remote = response.get("to")
        if response.get("contact"):
            call.target = sip.uri_of(response.get("contact"))
        self._acknowledge(call, number, f"z9hG4bK{secrets.token_hex(8)}")
        if pending is not None:
            self._established(call, response.body)

    def _refused(self, call: Call, response: sip.Message) -> None:
        if call.hanging_up and response.status == 487:
            self._over(call, BY_CALLER, response.start)
        elif call.alive:
            state = REFUSED if call.state == CALLING else ENDED
            self._over(call, BY_SWITCH, response.start, state)

    def _established(self, call: Call, description: bytes) -> None:
        call.media = media_address(description) or call.media
        if call.state in (CALLING, RINGING):
            call.state = ANSWERED
            if call.kind == ANSWERED:
                call.listener.start(time.time())
                phase = self.ptime * call.number / max(len(self.calls), 1)
                heapq.heappush(self.beats, (time.monotonic() + phase, call.number))
            elif call.kind == HELD:
                call.cseq += 1
                call.version += 1
                self.invite(call, held=True)
        elif call.kind == HELD:
            call.state = HELD

    def _over(self, call: Call, by: str, reason: str, state: str = "") -> None:
        """Note the end of a call; one that we hung up keeps the state it was in."""
        if call.state == ANSWERED and not call.hanging_up:
            call.listener.end(time.time())
        if not call.hanging_up:
            call.state = state or ENDED
        call.ended_by = by
        call.reason = reason
        call.pending.clear()

    def _asked(self, request: sip.Message, source: sip.Address) -> None:
        call = self.by_id.get(request.get("call-id"))
        method = request.method
        if method == "ACK":
            if call is not None:
                call.pending.pop(f"{request.cseq[0]} 200", None)
        elif call is None or not call.alive or call.ended_by:
            self._respond(request, 481, source)
        elif method == "INVITE":
            self._reinvited(call, request, source)
        elif method == "BYE":
            self._respond(request, 200, source)
            self._over(call, BY_SWITCH, request.get("reason") or "BYE")
        else:
            self._respond(request, 200 if method == "OPTIONS" else 501, source)

    def _reinvited(self, call: Call, request: sip.Message, source: sip.Address) -> None:
        """Go on with the call at a switch that recovers it, at whatever address it names."""
        key = (request.cseq[0], request.branch)
        destination = sip.reply_address(request.get("via"), source)
        if call.taken == key:
            self._send(call.last_answer, destination)
            return
        call.taken = key
        call.reinvites += 1
        call.version += 1
        call.media = media_address(request.body) or call.media
        if request.get("contact"):
            call.target = sip.uri_of(request.get("contact"))
        body = self._description(call, held=call.kind == HELD)
        call.last_answer = self._respond(request, 200, source, call, body)
        now = time.monotonic()
        call.pending[f"{key[0]} 200"] = Pending(
            call.last_answer, destination, now + T1, until=now + TRANSACTION
        )

    def _respond(
        self,
        request: sip.Message,
        status: int,
        source: sip.Address,
        call: Call | None = None,
        body: bytes = b"",
    ) -> bytes:
        headers = [("Via", via) for via in request.get_all("via")]
        headers += [("Record-Route", value) for value in request.get_all("record-route")]
        headers += [(name, request.get(name.lower())) for name in ("From", "To", "Call-ID", "CSeq")]
        headers.append(("Allow", ALLOW))
        if call is not None:
            headers.append(("Contact", f"<{self._contact(call)}>"))
        if body:
            headers.append(("Content-Type", "application/sdp"))
        data = sip.build(f"SIP/2.0 {status} {sip.REASONS[status]}", headers, body)
        self._send(data, sip.reply_address(request.get("via"), source))
        return data

    def close(self) -> None:
        """Close every socket, without a word to anybody."""
        self.chooser.close()
        for opened in (self.sip, *(call.rtp for call in self.calls)):
            opened.close()

    # -- time --------------------------------------------------------------------------------

    def _repeat(self, now: float) -> None:
        for call in self.calls:
            for key, pending in list(call.pending.items()):
                if now >= pending.until:
                    del call.pending[key]
                    self._unanswered(call, key)
                elif now >= pending.due:
                    self._send(pending.data, pending.destination)
                    pending.wait = min(2 * pending.wait, T2)
                    pending.due = now + pending.wait

    def _unanswered(self, call: Call, key: str) -> None:
        if call.hanging_up:
            self._over(call, BY_NOBODY, f"no answer to {key}")
        elif key.endswith(" INVITE") and call.state == CALLING:
            self._over(call, BY_NOBODY, f"no answer to {key}", REFUSED)

    def _beat(self, now: float) -> None:
        """Send the packets that are due, and keep the pace, whatever was late."""
        while self.beats and self.beats[0][0] <= now:
            due, number = heapq.heappop(self.beats)
            call = self.calls[number - 1]
            if call.state != ANSWERED or call.hanging_up:
                continue
            self.stall = max(self.stall, now - due)
            self._speak(call)
            heapq.heappush(self.beats, (max(due + self.ptime, now), number))

    def _serve(self, timeout: float) -> bool:
        """Take what has come, for at most *timeout* seconds; True when stdin has ended."""
        asked_to_end = False
        for key, _ in self.chooser.select(timeout):
            if key.fileobj is sys.stdin:
                asked_to_end = True
            elif key.fileobj is self.sip:
                self._receive()
            else:
                self._listen(key.data)
        return asked_to_end

    def turn(self, longest: float = TICK) -> bool:
        """Send what is due and take what comes within a moment; True when stdin has ended."""
        now = time.monotonic()
        self._beat(now)
        self._repeat(now)
        due = self.beats[0][0] if self.beats else now + longest
        return self._serve(min(max(due - time.monotonic(), 0.0), longest))

    def status(self) -> dict[str, object]:
        """Return how the calls stand: counts by state, re-INVITEs, who was heard just now."""
        counts = dict.fromkeys((CALLING, ANSWERED, RINGING, HELD, REFUSED, ENDED), 0)
        for call in self.calls:
            counts[call.state] += 1
        recent = time.time() - 4 * self.ptime
        heard = [c for c in self.calls if c.state == ANSWERED and c.listener.last > recent]
        return {
            **counts,
            "heard": sum(call.listener.packets > 0 for call in heard),
            "reinvites": sum(call.reinvites for call in self.calls),
            "reinvited": sum(call.reinvites > 0 for call in self.calls),
        }

    def work(self) -> None:
        """Place the calls and serve them until stdin ends, then hang up and tell all.

        Prints ``{"status": …}`` every tenth of a second and at the end ``{"calls": …}``.
        """
        self.chooser.register(sys.stdin, selectors.EVENT_READ, None)
        waiting = list(reversed(self.calls))
        place = tell = time.monotonic()
        asked_to_end = False
        while not asked_to_end:
            now = time.monotonic()
            if waiting and now >= place:
                self.invite(waiting.pop())
                place = now + PLACE_EVERY
            if now >= tell:
                print(json.dumps({"status": self.status()}), flush=True)
                tell = now + TELL_EVERY
            asked_to_end = self.turn(PLACE_EVERY if waiting else TICK)
        self.chooser.unregister(sys.stdin)
        self._hang_up_all()
        told = [call.as_dict() for call in self.calls]
        print(json.dumps({"calls": told, "stall": self.stall}), flush=True)

    def _hang_up_all(self) -> None:
        for call in self.calls:
            self.hang_up(call)
        deadline = time.monotonic() + HANG_UP_SECONDS + T1
        while open_ := [call for call in self.calls if not call.ended_by]:
            self.turn()
            if time.monotonic() > deadline:
                for call in open_:
                    self._over(call, BY_NOBODY, "it did not end")


def main() -> None:
    """Run the caller; see ``lab.calls`` for its arguments."""
    parser = argparse.ArgumentParser()
    for name in ("source", "address", "user", "ringing-user"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("port", *KINDS):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--ptime", type=float, required=True)
    with contextlib.closing(Caller(parser.parse_args())) as caller:
        caller.work()


if __name__ == "__main__":
    main()
