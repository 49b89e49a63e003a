"""SIP messages and the little SDP the stand-in needs, as data (RFC 3261, RFC 3581, RFC 4566)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

Address = tuple[str, int]

_COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
    "c": "content-type", "k": "supported", "s": "subject",
}  # fmt: skip
REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 400: "Bad Request", 481: "Call Does Not Exist",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
    501: "Not Implemented", 503: "System Paused",
}  # fmt: skip


class SipError(Exception):
    """The datagram is not a SIP message this stand-in can use."""


@dataclass(frozen=True)
class Message:
    """A request or a response: start line, headers in order (lower-case names), body."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def is_response(self) -> bool:
        """Tell a response from a request."""
        return self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """Return the method of a request, or of the CSeq for a response."""
        return self.cseq[1] if self.is_response else self.start.split(" ", 1)[0]

    @property
    def status(self) -> int:
        """Return the status code of a response."""
        return int(self.start.split(" ", 2)[1])

    def get(self, name: str) -> str:
        """Return the first header ``name`` (lower case), or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def get_all(self, name: str) -> list[str]:
        """Return all headers ``name``, comma lists not split."""
        return [value for key, value in self.headers if key == name]

    @property
    def cseq(self) -> tuple[int, str]:
        """Return the CSeq as number and method."""
        number, _, method = self.get("cseq").partition(" ")
        try:
            return int(number), method.strip()
        except ValueError as error:
            raise SipError(f"CSeq {self.get('cseq')!r}") from error

    @property
    def branch(self) -> str:
        """Return the branch of the topmost Via."""
        return parameter(self.get("via"), "branch")


def parse(datagram: bytes) -> Message:
    """Parse one datagram; raises SipError when the required headers are not there."""
    head, _, body = datagram.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise SipError(f"header line {line!r}")
        key = name.strip().lower()
        headers.append((_COMPACT.get(key, key), value.strip()))
    message = Message(lines[0], tuple(headers), body)
    if "SIP/2.0" not in lines[0] or not all(
        message.get(name) for name in ("via", "from", "to", "call-id", "cseq")
    ):
        raise SipError(f"not a SIP message: {lines[0][:60]!r}")
    return message


def build(start: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return the bytes of a message; Content-Length is added."""
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def parameter(value: str, name: str) -> str:
    """Return ``;name=VALUE`` of a header value outside <>, or an empty string."""
    outside = re.sub(r"<[^>]*>", "", value)
    found = re.search(rf";\s*{re.escape(name)}\s*=\s*\"?([^;,\"\s]+)", outside, re.IGNORECASE)
    return found.group(1) if found else ""


def uri_of(value: str) -> str:
    """Return the URI of a Contact, Route or To value, without <> and display name."""
    found = re.search(r"<([^>]*)>", value)
    return found.group(1) if found else value.split(";", 1)[0].strip()


def user_of(uri: str) -> str:
    """Return the user part of a sip: URI, an empty string when it has none."""
    found = re.match(r"sips?:([^@;?>]*)@", uri)
    return found.group(1) if found else ""


def address_of(uri: str) -> Address | None:
    """Return the IPv4 address and port a sip: URI points to; None for a name."""
    found = re.match(r"sip:(?:[^@]*@)?([^:;?>]+)(?::(\d+))?", uri)
    if not found:
        return None
    try:
        ipaddress.IPv4Address(found.group(1))
    except ValueError:
        return None
    return found.group(1), int(found.group(2) or 5060)


def reply_address(via: str, source: Address) -> Address:
    """Return where a response goes: the source for rport, else the Via's port (RFC 3261, 3581)."""
    if re.search(r";\s*rport", via, re.IGNORECASE):
        return source
    sent_by = via.split(";", 1)[0].split()[-1]
    port = sent_by.rpartition(":")[2]
    return source[0], int(port) if port.isdigit() else 5060


def split_list(values: list[str]) -> list[str]:
    """Split Record-Route values, which may be comma lists, into single ones."""
    return [item.strip() for value in values for item in re.split(r",(?![^<]*>)", value)]


@dataclass(frozen=True)
class Codec:
    """An RTP payload type and its rtpmap name (empty for a static one without a map)."""

    payload: int = 0
    name: str = "PCMU/8000"


def offered_codec(sdp: bytes) -> Codec | None:
    """Return the first audio codec of an offer; None when it has no audio stream."""
    text = sdp.decode("utf-8", "replace")
    media = re.search(r"^m=audio \d+ \S+ (\d+)", text, re.MULTILINE)
    if not media:
        return None
    payload = int(media.group(1))
    mapped = re.search(rf"^a=rtpmap:{payload} (\S+)", text, re.MULTILINE)
    return Codec(payload, mapped.group(1) if mapped else "")


SENDRECV = "sendrecv"
_ANSWERED_DIRECTIONS = {"sendonly": "recvonly", "inactive": "inactive", "recvonly": "sendonly"}


def answered_direction(offer: bytes) -> str:
    """Return the direction of the answer to ``offer`` (RFC 3264): not sendrecv when it holds."""
    found = re.search(rb"^a=(sendonly|inactive|recvonly)\r?$", offer, re.MULTILINE)
    return _ANSWERED_DIRECTIONS[found.group(1).decode()] if found else SENDRECV


def sdp(ip: str, port: int, codec: Codec, session: int, direction: str = SENDRECV) -> bytes:
    """Return a session description with one audio stream at ``ip``:``port``."""
    lines = [
        "v=0",
        f"o=FreeSWITCH {session} {session} IN IP4 {ip}",
        "s=FreeSWITCH",
        f"c=IN IP4 {ip}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {codec.payload}",
    ]
    if codec.name:
        lines.append(f"a=rtpmap:{codec.payload} {codec.name}")
    if direction != SENDRECV:
        lines.append(f"a={direction}")
    lines.append("a=ptime:20")
    return "\r\n".join(lines).encode() + b"\r\n"
