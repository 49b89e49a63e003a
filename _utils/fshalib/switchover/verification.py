"""Does the service serve where it was moved to? Asked of the network and of the agents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fshalib.switchover import outage, preflight, unplanned
from fshalib.switchover.cluster import Cluster, Network
from fshalib.switchover.request import Request
from fshalib.system import poll

LOOK_EVERY = 0.2
SIP_PATIENCE = 5.0
SIP_SECONDS, WATCH_SECONDS = 1.0, 0.4
"""Seconds that one question by SIP may take: afterwards, and of many while it moves."""
BEFORE_PATIENCE = 2.0
"""Seconds for an address to answer before the move: the first question may be lost."""
AGENT_PATIENCE = 30.0
"""Seconds for a first monitor: that of depth 10 asks a slow switch for a while."""
RECOVERED_PATIENCE = 5.0


@dataclass(frozen=True)
class Verification:
    """Looks whether a request has come to what it was for."""

    request: Request
    cluster: Cluster
    network: Network

    def answering(self) -> frozenset[str]:
        """Return the floating addresses that answer SIP OPTIONS with a yes now, before the move."""
        port = self._port()
        vips = self.request.service.vips if port else ()
        return frozenset(vip for vip in vips if self._answers(vip, port, BEFORE_PATIENCE))

    def was_silent(self, before: frozenset[str]) -> bool:
        """Tell whether the address that is watched took no calls before anything moved.

        before
            What :meth:`answering` has returned.
        """
        return bool(self._port() and self.request.service.vips) and not before

    def watch(self, before: frozenset[str] = frozenset()) -> outage.Watch | None:
        """Return what measures how long no new call is taken, ``None`` if nobody can be asked.

        before
            What :meth:`answering` has returned.
        """
        port = self._port()
        vips = self.request.service.vips
        if not port or not vips:
            return None
        vip = next((one for one in vips if one in before), vips[0])
        return outage.Watch(lambda: self.network.served(vip, port, WATCH_SECONDS))

    def silent(self, before: frozenset[str] = frozenset()) -> list[str]:
        """Return the floating addresses that should answer SIP OPTIONS and do not in time.

        before
            What answered before the move has to answer afterwards. If nothing did, or that is not
            known, one address has to.
        """
        port = self._port()
        vips = self.request.service.vips if port else ()
        if before or len(vips) < 2:
            wanted = [vip for vip in vips if not before or vip in before]
            return [vip for vip in wanted if not self._answers(vip, port)]
        return [] if self._any_answers(vips, port) else [*vips]

    def faults(self, before: frozenset[str] = frozenset()) -> list[str]:
        """Return what is wrong with the service where it runs now, as parts of a sentence.

        before
            What :meth:`answering` has returned.
        """
        return [
            *(self._cut_off() or [*self._silent_in_words(before), *self._disagreements()]),
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

    def _answers(self, address: str, port: int, patience: float = SIP_PATIENCE) -> bool:
        return self._any_answers([address], port, patience)

    def _any_answers(
        self, addresses: Sequence[str], port: int, patience: float = SIP_PATIENCE
    ) -> bool:
        return poll.until(
            lambda: any(self.network.served(one, port, SIP_SECONDS) for one in addresses),
            bool,
            patience,
            f"SIP on {' or '.join(addresses)}",
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

    def _silent_in_words(self, before: frozenset[str]) -> list[str]:
        port = self.request.bounds.sip_port
        return [f"nobody answers SIP on {vip} port {port}" for vip in self.silent(before)]

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
