"""SIP OPTIONS: whether somebody takes calls at an address."""

import secrets
import socket

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

_STANDBY = "SIP/2.0 503 System Paused"


def serves(status_line: str) -> bool:
    """Tell by the answer to SIP OPTIONS whether the switch serves, with its calls.

    A profile in hot standby answers with 503, as it would a call (measured, FreeSWITCH 1.11).
    Before 1.11.1 one that is paused or full does, too, with another reason (read in sofia.c).
    """
    refused = status_line.startswith("SIP/2.0 503")
    return status_line.startswith("SIP/2.0 2") or (refused and not status_line.startswith(_STANDBY))


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
