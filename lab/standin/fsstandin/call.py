"""One call: the dialog with the peer, its media, and its form in the recovery table."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid as uuid_module
from dataclasses import asdict, dataclass, field

from . import sip
from .rtp import MediaPort

FIRST_CSEQ = 1000
USER_AGENT = "FreeSWITCH-standin"
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, INFO, UPDATE, REGISTER, REFER, NOTIFY"


class MetadataError(Exception):
    """A row of the recovery table that holds no call of this stand-in."""


@dataclass
class Dialog:
    """What it takes to send a request in the dialog; this is what the table stores.

    ``local`` and ``remote`` are whole From/To values with their tags; ``target`` is the peer's
    Contact URI; ``source`` is where the peer was last seen.
    """

    uuid: str
    call_id: str
    local: str
    remote: str
    target: str
    routes: list[str]
    source: tuple[str, int]
    local_cseq: int
    rtp_port: int
    codec_payload: int
    codec_name: str
    created: float

    @property
    def key(self) -> tuple[str, str]:
        """Return what identifies the dialog in both directions: Call-ID and the peer's tag."""
        return self.call_id, sip.parameter(self.remote, "tag")

    @property
    def codec(self) -> sip.Codec:
        """Return the negotiated codec."""
        return sip.Codec(self.codec_payload, self.codec_name)

    def to_metadata(self) -> str:
        """Return the dialog as the text of a recovery row."""
        return json.dumps(asdict(self))

    @classmethod
    def from_metadata(cls, text: str) -> Dialog:
        """Return the dialog of a recovery row; raises MetadataError on junk."""
        try:
            data = json.loads(text)
            data["source"] = (str(data["source"][0]), int(data["source"][1]))
            return cls(**data)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise MetadataError(f"row without a call: {error}") from error

    @classmethod
    def from_invite(cls, invite: sip.Message, source: tuple[str, int]) -> Dialog:
        """Return the dialog that answering ``invite`` makes (without media yet)."""
        return cls(
            uuid=str(uuid_module.uuid4()),
            call_id=invite.get("call-id"),
            local=f"{invite.get('to')};tag={secrets.token_hex(6)}",
            remote=invite.get("from"),
            target=sip.uri_of(invite.get("contact")),
            routes=sip.split_list(invite.get_all("record-route")),
            source=source,
            local_cseq=FIRST_CSEQ,
            rtp_port=0,
            codec_payload=0,
            codec_name="",
            created=time.time(),
        )


@dataclass
class Call:
    """A live call of one profile: its dialog plus what dies with the process."""

    dialog: Dialog
    invite: sip.Message | None = None
    media: MediaPort | None = None
    answered: bool = False
    last_response: bytes = b""
    recovering: bytes = b""
    direction: str = sip.SENDRECV
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Tell whether the peer has put the call on hold."""
        return self.direction != sip.SENDRECV

    def stop_timers(self) -> None:
        """Cancel retransmissions and the pending answer."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    def release(self) -> None:
        """Free timers and media."""
        self.stop_timers()
        if self.media is not None:
            self.media.close()
            self.media = None

    def request(
        self, method: str, contact: str, extra: list[tuple[str, str]], body: bytes = b""
    ) -> bytes:
        """Return an in-dialog request; a new CSeq for everything but ACK."""
        dialog = self.dialog
        if method != "ACK":
            dialog.local_cseq += 1
        address = sip.address_of(contact) or ("0.0.0.0", 5060)  # noqa: S104 - a Via, not a bind
        headers = [
            (
                "Via",
                f"SIP/2.0/UDP {address[0]}:{address[1]};rport;branch=z9hG4bK{secrets.token_hex(8)}",
            ),
            *(("Route", route) for route in dialog.routes),
            ("Max-Forwards", "70"),
            ("From", dialog.local),
            ("To", dialog.remote),
            ("Call-ID", dialog.call_id),
            ("CSeq", f"{dialog.local_cseq} {method}"),
            ("Contact", f"<{contact}>"),
            ("User-Agent", USER_AGENT),
            ("Allow", ALLOW),
            *extra,
        ]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return sip.build(f"{method} {dialog.target} SIP/2.0", headers, body)

    def next_hop(self) -> sip.Address:
        """Return where a request goes: the first route, the Contact, or the last source."""
        first = sip.uri_of(self.dialog.routes[0]) if self.dialog.routes else self.dialog.target
        return sip.address_of(first) or self.dialog.source
