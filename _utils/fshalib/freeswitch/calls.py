"""Which calls a FreeSWITCH carries, and which of them would survive a move.

Facts (docs/freeswitch.md): answered legs over UDP whose media flows through the switch come
back; ringing ones have no row, a TLS or TCP connection ends with its switch, bypassed media was
never the switch's. ``show channels`` asks the core database, which the two nodes of a pair share
and where the rows of a killed switch stay. So each leg is asked about: only those that this switch
knows count, and only if they are as many as the profiles have.
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

# Neither may stand in a SIP URI.
_FIELD, _LEG = "|", "^"
_NO_CHANNEL = "-ERR No such channel"
_UUID = re.compile(r"[0-9a-fA-F-]{36}")
LONGEST = 1000
"""Characters of a command: what is longer, fs_cli cuts off (measured, 1.11)."""


class ChannelsUnknownError(FreeSwitchError):
    """The switch did not say which channels there are; the message says why."""


@dataclass(frozen=True)
class Leg:
    """One side of a call on a SIP profile; ``marks`` are what is special about it."""

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
        """Why nobody can promise that it survives; empty if it is lost or would."""
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
        raise ChannelsUnknownError(f"it said {reason!r} when asked for its channels") from error
    return tuple(_leg(row) for row in rows if str(row.get("name", "")).startswith("sofia/"))


def _leg(row: Mapping[str, Any]) -> Leg:
    uuid = str(row.get("uuid", ""))
    if not _UUID.fullmatch(uuid):
        raise ChannelsUnknownError(f"it names a channel {uuid[:40]!r}, which is none")
    profile = str(row["name"]).split("/")[1]
    state = _STATES.get(str(row.get("callstate", "")), RINGING)
    marks = {SRTP} if row.get("secure") else set()
    if ":" in str(row.get("ip_addr", "")):
        marks.add(IPV6)
    outbound = row.get("direction") == "outbound"
    return Leg(uuid, profile, state, str(row.get("call_uuid") or uuid), frozenset(marks), outbound)


def questions(legs: Sequence[Leg]) -> tuple[str, ...]:
    """Return the commands that ask for what is special about legs, a few of them in each."""
    asked: list[str] = []
    for text in map(_question, legs):
        if asked and len(asked[-1]) + len(_LEG) + len(text) <= LONGEST:
            asked[-1] += f"{_LEG}{text}"
        else:
            asked.append(f"expand echo {text}")
    return tuple(asked)


def _question(leg: Leg) -> str:
    # Of a call that comes in the switch keeps how, of one that goes out where to.
    names = ("sip_contact_uri" if leg.outbound else "sip_via_protocol", "bypass_media")
    return _FIELD.join(f"${{uuid_getvar({leg.uuid} {name})}}" for name in names)


def marked(legs: Sequence[Leg], answers: Iterable[str]) -> tuple[Leg, ...]:
    """Return the legs of this switch, with what the answers to :func:`questions` tell of them.

    A leg that it does not know is the other node's, or that of a switch that was killed.

    Raises :class:`ChannelsUnknownError` for answers to other questions.
    """
    told = [part for answer in answers for part in answer.strip().split(_LEG)] if legs else []
    if len(told) != len(legs):
        raise ChannelsUnknownError(f"it told of {len(told)} channels when asked about {len(legs)}")
    pairs = zip(legs, told, strict=True)
    return tuple(_marked(leg, text) for leg, text in pairs if _NO_CHANNEL not in text)


def _marked(leg: Leg, told: str) -> Leg:
    where, _, bypass = told.lower().partition(_FIELD)
    transport = where if where in _TRANSPORTS else _transport(where)
    marks = {_TRANSPORTS[transport]} if _TRANSPORTS.get(transport) else set()
    if bypass == "true":
        marks.add(BYPASS)
    return replace(leg, marks=leg.marks | marks)


_TRANSPORTS: Mapping[str, str] = {"udp": "", "tcp": TCP, "ws": TCP, "tls": TLS, "wss": TLS}


def _transport(uri: str) -> str:
    found = re.search(r";transport=([a-z]+)", uri)
    return "tls" if uri.startswith("sips:") else found[1] if found else "udp"


@dataclass(frozen=True)
class Report:
    """What is up, and what of it would survive; without ``known``, ``reason`` says why not."""

    legs: int
    known: bool
    reason: str = ""
    found: tuple[Leg, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data for Salt's returns."""
        data: dict[str, Any] = {"legs": self.legs, "known": self.known}
        if not self.known:
            return {**data, "reason": self.reason}
        kinds = Counter([leg.state for leg in self.found])
        kinds.update(mark for leg in self.found for mark in leg.marks)
        lost = Counter(leg.lost for leg in self.found if leg.lost)
        doubtful = Counter(leg.doubtful for leg in self.found if leg.doubtful)
        return {
            **data,
            "calls": len({leg.call for leg in self.found}),
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
    """Return in a sentence what would become of calls if their service moved.

    data
        What :meth:`Report.as_data` returned; ``legs`` is ``None`` for a switch that can't be asked.
    keeps
        Whether the service leaves its calls to the other node when it is stopped.
    """
    legs = data["legs"]
    if legs == 0:
        return "No calls are up."
    if legs is None:
        return f"Whether calls are up can't be told: {data['reason']}"
    if not keeps:
        return f"{legs} call legs are up, and are hung up: stop_mode: recover would keep them."
    if not data["known"]:
        return f"{legs} call legs are up; which survive can't be told: {data['reason']}."
    parts = [f"{data['survive']} of {legs} call legs survive"]
    for word in ("lost", "doubtful"):
        kinds = [f"{count} {kind} ({data['why'][kind]})" for kind, count in data[word].items()]
        parts += [f"{word}: {', '.join(kinds)}"] if kinds else []
    return "; ".join(parts) + "."


def report(sessions: Mapping[str, int | None], ask: Callable[[str], str]) -> Report:
    """Return what a switch carries.

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
        found = marked(listed, [ask(question) for question in questions(listed)])
        if len(found) != legs:
            return Report(
                legs,
                known=False,
                reason=f"the core database lists {len(found)} legs of this switch, the profiles "
                f"have {legs}",
            )
        return Report(legs, True, "", found)
    except ChannelsUnknownError as error:
        return Report(legs, known=False, reason=f"the switch can't tell: {error}")
