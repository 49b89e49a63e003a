"""Moves a service by bans, brings it back, and lifts what need not stay."""

from collections.abc import Sequence
from dataclasses import dataclass

from fshalib.pacemaker.status import Status
from fshalib.switchover import bans, preflight, unplanned
from fshalib.switchover.cluster import Cluster, Edit
from fshalib.switchover.request import Request
from fshalib.system import poll

LOOK_EVERY = 0.2
RETURN_PATIENCE = 120.0


@dataclass(frozen=True)
class Mover:
    """Does with the cluster what a request asks for."""

    request: Request
    cluster: Cluster

    def announce(self) -> None:
        """Note the way before anything moves: failback knows it even if this run is killed."""
        self.cluster.note(bans.PREVIOUS, self.request.old, self.request.pair)
        self._note_bans(*self.request.pair)

    def move(self) -> Status:
        """Ban what is to be left, and return how the cluster is once it has moved or failed."""
        request = self.request
        self.cluster.change(self._banning(request.banned))
        return poll.until(
            self.cluster.status,
            self._has_moved_or_failed,
            request.bounds.timeout + request.service.drain,
            f"{request.service.id} on {request.new}",
            LOOK_EVERY,
        )

    def remember(self) -> None:
        """Tell both nodes where it went, so that nobody takes it for a failover."""
        self.cluster.note(unplanned.ATTRIBUTE, self.request.new, self.request.pair)

    def go_back(self) -> tuple[bool, bool]:
        """Let the service go back to where it came from; return whether it has, and a hold."""
        request = self.request
        # The target is what is banned now: whatever breaks off below, this is no ban made by hand.
        self.cluster.note(bans.PREVIOUS, request.new, request.pair)
        self.cluster.change(self._banning([request.new]))
        back = poll.until(
            self.cluster.status,
            lambda status: status.serving(*request.service.members) == request.old,
            RETURN_PATIENCE,
            f"{request.service.id} back on {request.old}",
            LOOK_EVERY,
        )
        returned = back.serving(*request.service.members) == request.old
        if returned:
            kept = self.lift()
        else:
            # It serves nowhere: a ban would keep it so when the fault is mended.
            self._lift_all()
            kept = False
        if not kept:
            self.cluster.note(bans.PREVIOUS, request.old, request.pair)
        return returned, kept

    def lift(self) -> bool:
        """Lift the pair's bans when the service then stays; tell whether one is kept."""
        root = self.cluster.cib()
        banned = set(bans.bans(root, self.request.service)) & set(self.request.pair)
        lifted = self._banning([])(root)
        if banned and not preflight.stays(self.cluster.simulate(lifted), self.request.service):
            self._note_bans(*sorted(banned))
            return True
        self._lift_all()
        return False

    def _has_moved_or_failed(self, status: Status) -> bool:
        new, service = self.request.new, self.request.service
        moved = status.serving(*service.members) == new
        lost = bool(preflight.is_lost(status, new))
        return moved or lost or preflight.has_failed(status, service, new)

    def _banning(self, nodes: Sequence[str]) -> Edit:
        request = self.request
        return lambda root: bans.rebanned(root, request.service, nodes, request.pair)

    def _lift_all(self) -> None:
        self.cluster.change(self._banning([]))
        self._note_bans(bans.NOBODY)

    def _note_bans(self, *nodes: str) -> None:
        """Tell whose bans are this switchover's, so that those made by hand are told apart."""
        service = self.request.service
        for part in service.parts:
            noted = " ".join(nodes) if part in service.bases else bans.NOBODY
            self.cluster.note(f"{bans.BANNED}{part}", noted, self.request.pair)
