"""Does the service serve where it was moved to? Asked of the network and of the agents."""

from collections.abc import Mapping
from dataclasses import dataclass

from fshalib.switchover import outage, preflight, unplanned
from fshalib.switchover.cluster import Cluster, Network
from fshalib.switchover.request import Request
from fshalib.system import poll

LOOK_EVERY = 0.2
SIP_PATIENCE = 5.0
SIP_SECONDS, WATCH_SECONDS = 1.0, 0.4
"""Seconds that one question by SIP may take: afterwards, and of many while it moves."""
AGENT_PATIENCE = 30.0
"""Seconds for a first monitor: that of depth 10 asks a slow switch for a while."""
RECOVERED_PATIENCE = 5.0


@dataclass(frozen=True)
class Verification:
    """Looks whether a request has come to what it was for."""

    request: Request
    cluster: Cluster
    network: Network

    def watch(self) -> outage.Watch | None:
        """Return what measures how long no new call is taken, ``None`` if nobody can be asked."""
        port = self._port()
        if not port or not self.request.service.vips:
            return None
        vip = self.request.service.vips[0]
        return outage.Watch(lambda: self.network.takes_calls(vip, port, WATCH_SECONDS))

    def is_silent(self) -> bool:
        """Tell whether the address that is watched takes no calls now, before anything moves."""
        port, vips = self._port(), self.request.service.vips
        return bool(port and vips) and not self.network.takes_calls(vips[0], port, SIP_SECONDS)

    def silent(self) -> list[str]:
        """Return the floating addresses that do not answer SIP OPTIONS with a yes in time."""
        port = self._port()
        vips = self.request.service.vips if port else ()
        return [vip for vip in vips if not self._answers(vip, port)]

    def faults(self) -> list[str]:
        """Return what is wrong with the service where it runs now, as parts of a sentence."""
        return [
            *(self._cut_off() or [*self._silent_in_words(), *self._disagreements()]),
            *(f"the agent of {id} does not say that it is well" for id in self._unproven()),
        ]

    def recovered(self) -> dict[str, str]:
        """Return what the agents on the new node have noted of their last start."""
        return {
            id: self.cluster.noted(f"{unplanned.RECOVERED}{id}").get(self.request.new, "")
            for id in self.request.service.sofia
        }

    def taken_over(self, before: Mapping[str, str]) -> int | None:
        """Return how many call legs the new node's agents have taken over, ``None`` if not known.

        before
            What they had noted before the move.
        """
        sofia = self.request.service.sofia
        if not sofia or self.request.moved:
            return None
        after = poll.until(
            self.recovered,
            lambda notes: all(notes[id] != before.get(id) for id in sofia),
            RECOVERED_PATIENCE,
            "the number of recovered calls",
            LOOK_EVERY,
        )
        fresh = [text for id, text in after.items() if text and text != before.get(id)]
        if len(fresh) != len(sofia):
            return None
        return sum(int(text.partition("@")[0]) for text in fresh)

    def _port(self) -> int:
        return 0 if self.cluster.on_file else self.request.bounds.sip_port

    def _answers(self, address: str, port: int) -> bool:
        return poll.until(
            lambda: self.network.takes_calls(address, port, SIP_SECONDS),
            bool,
            SIP_PATIENCE,
            f"SIP on {address}",
            LOOK_EVERY,
        )

    def _cut_off(self) -> list[str]:
        """Return why this node can't see whether the new one answers: its own network is down."""
        if self.cluster.on_file or self.request.me == self.request.new:
            return []
        found = {vip: self.network.cut_off(vip) for vip in self.request.service.vips}
        return [
            f"whether {vip} answers can't be seen from here: {why}"
            for vip, why in found.items()
            if why
        ]

    def _silent_in_words(self) -> list[str]:
        port = self.request.bounds.sip_port
        return [f"nobody answers SIP on {vip} port {port}" for vip in self.silent()]

    def _disagreements(self) -> list[str]:
        """Return what ARP says against one holder of each floating address."""
        vips = () if self.cluster.on_file else self.request.service.vips
        here = self.request.me == self.request.new
        findings = (self.network.disagreement(vip, held_here=here) for vip in vips)
        return [finding.text for finding in findings if finding]

    def _unproven(self) -> tuple[str, ...]:
        """Wait for the agents' own word on the new node; return those who do not give it."""
        if self.cluster.on_file:
            return ()
        request = self.request
        return poll.until(
            lambda: preflight.unproven(self.cluster.cib(), request.service, request.new),
            lambda members: not members,
            AGENT_PATIENCE,
            "the first monitors on the new node",
            LOOK_EVERY,
        )
