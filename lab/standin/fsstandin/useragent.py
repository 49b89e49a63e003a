"""The SIP side of one running profile: a UDP user agent server with calls."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol

from . import sip
from .call import ALLOW, USER_AGENT, Call, Dialog, MetadataError
from .config import ProfileConfig
from .rtp import MediaError, MediaPort, MediaPorts

LOG = logging.getLogger("standin.sip")
T1 = 0.5
T2 = 4.0
TRANSACTION = 64 * T1
BURST = 64
DATAGRAM = 65535
NEVER_ANSWERS = "ringing"  # the called user whose phone rings for ever
BUSY = "Maximum Calls In Progress"
RECEIVE_BUFFER = 4 * 1024 * 1024


class Core(Protocol):
    """What a profile's user agent asks of the switch around it."""

    hostname: str
    answer_after: float
    media_ports: MediaPorts

    def accepts_calls(self) -> bool:
        """Tell whether new calls are taken (neither paused nor full)."""

    def is_deaf(self) -> bool:
        """Tell whether the fault ``deaf`` is on."""

    def call_answered(self, profile: ProfileConfig, dialog: Dialog) -> None:
        """Track an answered call."""

    def call_ended(self, dialog: Dialog) -> None:
        """Forget a call."""


class UserAgent:
    """SIP over UDP on the address of ``profile``; raises OSError when it cannot be bound."""

    def __init__(self, profile: ProfileConfig, core: Core, deaf: float = 0.0) -> None:
        self.profile = profile
        self.standby = profile.standby
        self.stopping = False
        self.calls: dict[tuple[str, str], Call] = {}
        self.total_calls = 0
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._contact = f"sip:mod_sofia@{profile.sip_ip}:{profile.sip_port}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._socket.bind((profile.sip_ip, profile.sip_port))
        except OSError:
            self._socket.close()
            raise
        # The real one sleeps 1 s between "RUNNING" and its first look at the socket.
        self._listening = self._loop.call_later(deaf, self._listen)
        self._handlers: dict[str, Callable[[sip.Message, sip.Address], None]] = {
            "INVITE": self._on_invite,
            "ACK": self._on_ack,
            "BYE": self._on_bye,
            "CANCEL": self._on_cancel,
            "OPTIONS": self._on_options,
        }

    def _listen(self) -> None:
        self._loop.add_reader(self._socket.fileno(), self._receive)

    def close(self) -> None:
        """Close the socket and drop the calls that are left, without a word to the peers."""
        for call in list(self.calls.values()):
            self._end(call)
        self._listening.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def hang_up_all(self, reason: str) -> None:
        """Send BYE (or a 487 before the answer) to every peer; nothing is answered afterwards."""
        self.stopping = True
        for call in list(self.calls.values()):
            if call.answered:
                self._send(self._request(call, "BYE", [("Reason", reason)]), call.next_hop())
            elif call.invite is not None:
                self._respond(call.invite, 487, call.dialog.source, call)
            self._end(call)

    def recover(self, rows: list[tuple[str, str]]) -> int:
        """Re-INVITE the peer of each row ``(uuid, metadata)``; returns how many were tried."""
        return sum(self._recover_one(metadata) for _, metadata in rows)

    # -- receiving ---------------------------------------------------------------------------

    def _receive(self) -> None:
        for _ in range(BURST):
            try:
                datagram, source = self._socket.recvfrom(DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error of an earlier datagram
                continue
            if self.stopping or self._core.is_deaf() or not datagram.strip():
                continue
            try:
                self._dispatch(sip.parse(datagram), (source[0], source[1]))
            except sip.SipError as error:
                LOG.info("%s: from %s: %s", self.profile.name, source, error)
            if self._socket.fileno() < 0:
                return

    def _dispatch(self, message: sip.Message, source: sip.Address) -> None:
        if message.is_response:
            self._on_response(message)
            return
        known = self._find(message)
        refusal = self._refusal(message.method) if known is None else ""
        if refusal:
            self._respond(message, 503, source, reason=refusal)
            return
        handler = self._handlers.get(message.method)
        if handler is not None:
            handler(message, source)
        elif known is not None:
            self._respond(message, 200, source, known)
        else:
            self._respond(message, 501, source)

    def _refusal(self, method: str) -> str:
        """Return why a request outside a call gets 503; busy comes first, as in sofia.c."""
        asked = method == "INVITE" or (method == "OPTIONS" and self.profile.options_503_on_busy)
        if asked and not self._core.accepts_calls():
            return BUSY
        return sip.REASONS[503] if self.standby and method != "ACK" else ""

    def _find(self, message: sip.Message) -> Call | None:
        side = "to" if message.is_response else "from"
        return self.calls.get((message.get("call-id"), sip.parameter(message.get(side), "tag")))

    def _on_options(self, request: sip.Message, source: sip.Address) -> None:
        self._respond(request, 200, source, self._find(request))

    def _on_invite(self, invite: sip.Message, source: sip.Address) -> None:
        call = self._find(invite)
        if call is None and sip.parameter(invite.get("to"), "tag"):
            self._respond(invite, 481, source)
        elif call is None:
            self._new_call(invite, source)
        elif call.invite is not None and call.invite.cseq == invite.cseq:
            self._send(call.last_response, sip.reply_address(invite.get("via"), source))
        else:
            self._reinvited(call, invite, source)

    def _new_call(self, invite: sip.Message, source: sip.Address) -> None:
        codec = sip.offered_codec(invite.body) if invite.body else sip.Codec()
        if codec is None:
            self._respond(invite, 488, source)
            return
        call = Call(Dialog.from_invite(invite, source), invite)
        try:
            call.media = self._core.media_ports.open_any(self.profile.media_ip)
        except MediaError as error:
            LOG.warning("%s: %s", self.profile.name, error)
            self._respond(invite, 503, source, reason="Service Unavailable")
            return
        call.dialog.rtp_port = call.media.port
        call.dialog.codec_payload, call.dialog.codec_name = codec.payload, codec.name
        self.calls[call.dialog.key] = call
        self.total_calls += 1
        self._respond(invite, 100, source)
        self._respond(invite, 180, source, call)
        if sip.user_of(invite.start.split(" ")[1]) == NEVER_ANSWERS:
            return
        timer = self._loop.call_later(self._core.answer_after, self._answer, call, source)
        call.timers.append(timer)

    def _answer(self, call: Call, source: sip.Address) -> None:
        if call.invite is None:
            return
        call.answered = True
        self._accept(call, call.invite, source)
        self._core.call_answered(self.profile, call.dialog)

    def _reinvited(self, call: Call, invite: sip.Message, source: sip.Address) -> None:
        call.stop_timers()
        call.invite = invite
        call.dialog.source = source
        call.direction = sip.answered_direction(invite.body)
        if invite.get("contact"):
            call.dialog.target = sip.uri_of(invite.get("contact"))
        self._accept(call, invite, source)

    def _accept(self, call: Call, invite: sip.Message, source: sip.Address) -> None:
        """Send the 200 with SDP and again until its ACK, at most 32 s."""
        self._respond(invite, 200, source, call, body=self._session_description(call))
        destination = sip.reply_address(invite.get("via"), source)
        self._repeat(call, call.last_response, destination, self._unacknowledged)

    def _unacknowledged(self, call: Call) -> None:
        LOG.info("%s: %s: no ACK", self.profile.name, call.dialog.call_id)
        self._send(self._request(call, "BYE", []), call.next_hop())
        self._end(call)

    def _on_ack(self, ack: sip.Message, source: sip.Address) -> None:
        call = self._find(ack)
        if call is not None and call.answered:
            call.stop_timers()
            call.dialog.source = source

    def _on_bye(self, bye: sip.Message, source: sip.Address) -> None:
        call = self._find(bye)
        if call is None:
            self._respond(bye, 481, source)
            return
        self._respond(bye, 200, source, call)
        self._end(call)

    def _on_cancel(self, cancel: sip.Message, source: sip.Address) -> None:
        call = self._find(cancel)
        if call is None or call.invite is None:
            self._respond(cancel, 481, source)
            return
        self._respond(cancel, 200, source)
        if not call.answered:
            self._respond(call.invite, 487, source, call)
            self._end(call)

    # -- recovery ----------------------------------------------------------------------------

    def _recover_one(self, metadata: str) -> int:
        try:
            dialog = Dialog.from_metadata(metadata)
            media = MediaPort(self.profile.media_ip, dialog.rtp_port)
        except (MetadataError, MediaError) as error:
            LOG.warning("%s: call not recovered: %s", self.profile.name, error)
            return 0
        # As in the source: audio begins with the peer's 200, which a deaf start has to wait for.
        media.silent = True
        call = Call(dialog, media=media, answered=True)
        self.calls[dialog.key] = call
        call.recovering = self._request(call, "INVITE", [], self._session_description(call))
        self._send(call.recovering, call.next_hop())
        self._repeat(call, call.recovering, call.next_hop(), self._end)
        return 1

    def _on_response(self, response: sip.Message) -> None:
        call = self._find(response)
        number, method = response.cseq
        if call is None or method != "INVITE" or number != call.dialog.local_cseq:
            return
        if response.status < 200:
            return
        self._send(self._request(call, "ACK", []), call.next_hop())
        if not call.recovering:
            return  # a repeated 200: its ACK was lost
        call.stop_timers()
        call.recovering = b""
        if response.status >= 300:
            LOG.warning(
                "%s: %s refused: %s", self.profile.name, call.dialog.call_id, response.start
            )
            self._end(call)
        elif call.media is not None:
            call.media.silent = False
            self._core.call_answered(self.profile, call.dialog)

    # -- sending -----------------------------------------------------------------------------

    def _request(
        self, call: Call, method: str, extra: list[tuple[str, str]], body: bytes = b""
    ) -> bytes:
        return call.request(method, self._contact, [*extra, ("X-Node", self._core.hostname)], body)

    def _session_description(self, call: Call) -> bytes:
        dialog = call.dialog
        media = (self.profile.media_ip, dialog.rtp_port)
        return sip.sdp(*media, dialog.codec, int(dialog.created), call.direction)

    def _respond(
        self,
        request: sip.Message,
        status: int,
        source: sip.Address,
        call: Call | None = None,
        *,
        reason: str = "",
        body: bytes = b"",
    ) -> None:
        to = request.get("to")
        if call is not None and not sip.parameter(to, "tag"):
            to = call.dialog.local
        elif status > 100 and not sip.parameter(to, "tag"):
            to = f"{to};tag=standin"
        headers = [("Via", via) for via in _stamped(request.get_all("via"), source)]
        headers += [("Record-Route", value) for value in request.get_all("record-route")]
        headers += [
            ("From", request.get("from")),
            ("To", to),
            ("Call-ID", request.get("call-id")),
            ("CSeq", request.get("cseq")),
            ("Contact", f"<{self._contact}>"),
            ("User-Agent", USER_AGENT),
            ("Allow", ALLOW),
            ("Supported", "timer, path, replaces"),
            ("X-Node", self._core.hostname),
        ]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        elif request.method == "OPTIONS":
            headers.append(("Accept", "application/sdp"))
        data = sip.build(f"SIP/2.0 {status} {reason or sip.REASONS[status]}", headers, body)
        if call is not None and request.method == "INVITE":
            call.last_response = data
        self._send(data, sip.reply_address(request.get("via"), source))

    def _repeat(
        self, call: Call, data: bytes, destination: sip.Address, give_up: Callable[[Call], None]
    ) -> None:
        """Send ``data`` again at T1, 2·T1, ... T2 until the timers are stopped or 64·T1."""

        def again(wait: float, waited: float) -> None:
            if waited >= TRANSACTION:
                give_up(call)
                return
            self._send(data, destination)
            schedule(min(2 * wait, T2), waited)

        def schedule(wait: float, waited: float) -> None:
            call.timers[:] = [self._loop.call_later(wait, again, wait, waited + wait)]

        schedule(T1, 0.0)

    def _send(self, data: bytes, destination: sip.Address) -> None:
        try:
            self._socket.sendto(data, destination)
        except OSError as error:  # without the address the kernel refuses; nothing leaves
            LOG.info("%s: to %s: %s", self.profile.name, destination, error)

    def _end(self, call: Call) -> None:
        call.release()
        if self.calls.pop(call.dialog.key, None) is not None and call.answered:
            self._core.call_ended(call.dialog)


def _stamped(vias: list[str], source: sip.Address) -> list[str]:
    """Return the Vias with received and rport filled in on the topmost one (RFC 3581)."""
    top = vias[0]
    parts = top.split(";")
    filled = [
        f"received={source[0]};rport={source[1]}" if part.strip().lower() == "rport" else part
        for part in parts
    ]
    return [";".join(filled), *vias[1:]]
