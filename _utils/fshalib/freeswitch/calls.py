"""Which calls a FreeSWITCH carries, and which of them would survive a move.

Facts (docs/freeswitch.md): answered legs over UDP whose media flows through the switch come
back; ringing ones have no row, a TLS or TCP connection ends with its switch, bypassed media never
flows through it. ``show channels`` asks the core database, which the two nodes of a pair share
and where the rows of a killed switch stay. So fsha asks the switch about each leg: only legs that
this switch knows count, and only if the profiles have as many.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fshalib.errors import FreeSwitchError

ANSWERED, RINGING, HELD = "answered", "ringing", "held"
TLS, TCP, IPV6, BYPASS, SRTP = "TLS", "TCP", "IPv6", "bypassed media", "SRTP"

_STATES = {
    "ACTIVE": ANSWERED,
    "UNHELD": ANSWERED,
    "HELD": HELD,
    "RINGING": RINGING,
    "RING_WAIT": RINGING,
    "EARLY": RINGING,
    "DOWN": RINGING,
    "DIALING": RINGING,
}
WHY_LOST: Mapping[str, str] = {
    RINGING: "a call that nobody has answered has no row to be recovered from",
    TLS: "the TLS connection ends with its switch",
    TCP: "the TCP connection ends with its switch",
    BYPASS: "the media does not flow through the switch",
}
WHY_DOUBTFUL: Mapping[str, str] = {
    HELD: "held calls have come back without audio",
    IPV6: "recovered legs over IPv6 have sent an INVITE without SDP",
    SRTP: "the keys of encrypted media have been refused after a recovery",
}

# No SIP URI may have either.
_FIELD, _LEG = "|", "^"
_NO_CHANNEL = "-ERR No such channel"
_UUID = re.compile(r"[0-9a-fA-F-]{36}")
LONGEST = 1000
"""The longest command in characters; fs_cli cuts off the rest (measured, 1.11)."""


class ChannelsUnknownError(FreeSwitchError):
    """The switch's channels are not known; the message says why."""


@dataclass(frozen=True)
class Leg:
    """One side of a call on a SIP profile; ``marks`` are its special properties (TLS, SRTP …)."""

    uuid: str
    profile: str
    state: str
    call: str
    marks: frozenset[str] = frozenset()
    outbound: bool = False

    @property
    def lost(self) -> str:
        """Why it would not survive, by its first reason; empty if it might."""
        return next((mark for mark in WHY_LOST if mark in self.marks or mark == self.state), "")

    @property
    def doubtful(self) -> str:
        """Why it may not survive; empty if it is lost, or survives for sure."""
        if self.lost:
            return ""
        return next((mark for mark in WHY_DOUBTFUL if mark in self.marks or mark == self.state), "")


def parse_channels(text: str) -> tuple[Leg, ...]:
    """Return the legs on SIP profiles from ``show channels as json``.

    Raises :class:`ChannelsUnknownError`.
    """
    try:
        rows = json.loads(text).get("rows", [])
    except (ValueError, AttributeError) as error:
        reason = text.strip().splitlines()[0][:80] if text.strip() else "nothing"
        raise ChannelsUnknownError(f"its list of channels is no JSON but {reason!r}") from error
    return tuple(_leg(row) for row in rows if str(row.get("name", "")).startswith("sofia/"))


def _leg(row: Mapping[str, Any]) -> Leg:
    uuid = str(row.get("uuid", ""))
    if not _UUID.fullmatch(uuid):
        raise ChannelsUnknownError(f"it lists a channel with a bad id, {uuid[:40]!r}")
    profile = str(row["name"]).split("/")[1]
    state = _STATES.get(str(row.get("callstate", "")), RINGING)
    marks = {SRTP} if row.get("secure") else set()
    if ":" in str(row.get("ip_addr", "")):
        marks.add(IPV6)
    outbound = row.get("direction") == "outbound"
    return Leg(uuid, profile, state, str(row.get("call_uuid") or uuid), frozenset(marks), outbound)


def questions(legs: Sequence[Leg]) -> tuple[str, ...]:
    """Return the commands that ask for the marks of legs, several legs in each command."""
    asked: list[str] = []
    for text in map(_question, legs):
        if asked and len(asked[-1]) + len(_LEG) + len(text) <= LONGEST:
            asked[-1] += f"{_LEG}{text}"
        else:
            asked.append(f"expand echo {text}")
    return tuple(asked)


def _question(leg: Leg) -> str:
    # The switch keeps the transport of an incoming call, and the contact of an outgoing one.
    names = ("sip_contact_uri" if leg.outbound else "sip_via_protocol", "bypass_media")
    return _FIELD.join(f"${{uuid_getvar({leg.uuid} {name})}}" for name in names)


def marked(legs: Sequence[Leg], answers: Iterable[str]) -> tuple[Leg, ...]:
    """Return the legs of this switch, with the marks from the answers to :func:`questions`.

    A leg that this switch does not know belongs to the other node, or to a killed switch.

    Raises :class:`ChannelsUnknownError` for a wrong number of answers.
    """
    texts = [part for answer in answers for part in answer.strip().split(_LEG)] if legs else []
    if len(texts) != len(legs):
        raise ChannelsUnknownError(f"it answered for {len(texts)} of {len(legs)} channels")
    pairs = zip(legs, texts, strict=True)
    return tuple(_marked(leg, text) for leg, text in pairs if _NO_CHANNEL not in text)


def _marked(leg: Leg, answer: str) -> Leg:
    where, _, bypass = answer.lower().partition(_FIELD)
    transport = where if where in _TRANSPORTS else _transport(where)
    marks = {_TRANSPORTS[transport]} if _TRANSPORTS.get(transport) else set()
    if bypass == "true":
        marks.add(BYPASS)
    return replace(leg, marks=leg.marks | marks)


_TRANSPORTS: Mapping[str, str] = {"udp": "", "tcp": TCP, "ws": TCP, "tls": TLS, "wss": TLS}


def _transport(uri: str) -> str:
    match = re.search(r";transport=([a-z]+)", uri)
    return "tls" if uri.startswith("sips:") else match[1] if match else "udp"


@dataclass(frozen=True)
class Report:
    """The legs that are up, and which would survive; ``reason`` says why that is not known."""

    legs: int
    known: bool
    reason: str = ""
    all_legs: tuple[Leg, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data for Salt's returns."""
        data: dict[str, Any] = {"legs": self.legs, "known": self.known}
        if not self.known:
            return {**data, "reason": self.reason}
        kinds = Counter([leg.state for leg in self.all_legs])
        kinds.update(mark for leg in self.all_legs for mark in leg.marks)
        lost = Counter(leg.lost for leg in self.all_legs if leg.lost)
        doubtful = Counter(leg.doubtful for leg in self.all_legs if leg.doubtful)
        return {
            **data,
            "calls": len({leg.call for leg in self.all_legs}),
            "kinds": dict(kinds),
            "survive": self.legs - lost.total() - doubtful.total(),
            "doubtful": dict(doubtful),
            "lost": dict(lost),
            "why": {k: w for k, w in {**WHY_LOST, **WHY_DOUBTFUL}.items() if k in lost + doubtful},
        }


HUNG_UP = "hung up"
"""Why no call survives the move of a service that ends its calls when it is stopped."""
WHY_HUNG_UP = "the service ends its calls when it is stopped: stop_mode: recover would keep them"


def for_service(data: Mapping[str, Any], keeps: bool | None) -> dict[str, Any]:
    """Return what would survive the move of a service, of what a switch carries.

    data
        What :meth:`Report.as_data` returned.
    keeps
        Whether the service leaves its calls to the other node when it is stopped; ``None`` when
        that is not known, as without a cluster.
    """
    if keeps is not False or not data.get("known") or not data["legs"]:
        return dict(data)
    lost = {"survive": 0, "doubtful": {}, "lost": {HUNG_UP: data["legs"]}}
    return {**data, **lost, "why": {HUNG_UP: WHY_HUNG_UP}}


def forecast(data: Mapping[str, Any], keeps: bool) -> str:
    """Return a sentence about the calls that a move of the service would keep or end.

    data
        The result of :meth:`Report.as_data`; ``legs`` is ``None`` for a switch that can't be asked.
    keeps
        Whether the service leaves its calls to the other node when it is stopped.
    """
    legs = data["legs"]
    if legs == 0:
        return "No calls are up."
    if legs is None:
        return f"It is not known whether calls are up: {data['reason']}"
    if not keeps:
        return f"{legs} call legs are up, and are hung up: stop_mode: recover would keep them."
    if not data["known"]:
        return f"{legs} call legs are up; which survive is not known: {data['reason']}."
    parts = [f"{data['survive']} of {legs} call legs survive"]
    for word in ("lost", "doubtful"):
        kinds = [f"{count} {kind} ({data['why'][kind]})" for kind, count in data[word].items()]
        parts += [f"{word}: {', '.join(kinds)}"] if kinds else []
    return "; ".join(parts) + "."


def report(sessions: Mapping[str, int | None], ask: Callable[[str], str]) -> Report:
    """Return the calls of a switch.

    sessions
        Profile → live legs, as the profiles themselves count them.
    ask
        Returns the switch's answer to a command.

    Raises what ``ask`` raises.
    """
    legs = sum(count or 0 for count in sessions.values())
    if not legs:
        return Report(0, known=True)
    try:
        listed = parse_channels(ask("show channels as json"))
        ours = marked(listed, [ask(question) for question in questions(listed)])
        if len(ours) != legs:
            return Report(
                legs,
                known=False,
                reason=f"the core database lists {len(ours)} legs of this switch, the profiles "
                f"have {legs}",
            )
        return Report(legs, True, "", ours)
    except ChannelsUnknownError as error:
        return Report(legs, known=False, reason=f"the switch can't tell: {error}")
