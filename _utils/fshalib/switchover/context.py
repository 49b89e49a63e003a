"""What a verb of an operator works with: who gives it, the pair, and whom it tells."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from fshalib.errors import RunError
from fshalib.events import event as events_event
from fshalib.switchover import lock
from fshalib.switchover.cluster import Cluster, FreeSwitch, Held
from fshalib.switchover.lock import RunningVerb
from fshalib.switchover.service import Service
from fshalib.switchover.switchover import Tell

log = logging.getLogger(__name__)

Answer = dict[str, Any]


class Checked(Protocol):
    """The checklist as a switchover looks at it, see ``checks.checklist.Checklist``."""

    def obstacles(self) -> Sequence[str]:
        """Return what stands in the way of a switchover."""

    def failures(self) -> str:
        """Return what has failed, ``""`` for nothing."""

    def summary(self) -> str:
        """Return it in one line."""

    def not_passed(self) -> list[dict[str, Any]]:
        """Return the lines that did not pass, as data."""


@dataclass(frozen=True)
class Context:
    """What a verb works with.

    ``by`` is who gives it, ``test`` whether only to look. ``check`` goes through the checklist,
    ``send`` puts an event on the bus (kind, subject, data), ``progress`` returns what tells a
    person who waits for a verb how far it is.
    """

    by: str
    test: bool
    cluster: Cluster
    freeswitch: FreeSwitch
    check: Callable[[], Checked]
    send: Callable[[str, str, dict[str, Any]], object]
    progress: Callable[[str], Tell]

    def announce(
        self, service: Service, phase: str, old: str, new: str, facts: Mapping[str, Any]
    ) -> None:
        """Send the event of a phase of a switchover."""
        data = {"phase": phase, "old": old, "new": new, **facts}
        self.send(events_event.FAILOVER, service.id, data)

    def going_on(self) -> Sequence[RunningVerb]:
        """Return the verbs that go on now, the first one first.

        Who gives an order has to hear of them before all else: in the middle of a move the cluster
        looks broken, and what it then refuses names no one. Raises :class:`errors.LiveError`.
        """
        return self.cluster.going_on(self.cluster.this_node())

    def refuse_second(self) -> list[str]:
        """Raise :class:`lock.Busy` when another verb goes on; return that to one that only looks.

        Raises :class:`errors.LiveError` as well.
        """
        others = self.going_on()
        if others and not self.test:
            raise lock.Busy(others[0])
        return [str(lock.Busy(other)) for other in others]

    def alone(self, verb: str, about: str = "") -> AbstractContextManager[Held | None]:
        """Hold the pair for a verb of this node, where there is a cluster to hold it in.

        about
            What others are told that it is about; without it, this node.

        Entering raises :class:`lock.Busy` and :class:`errors.LiveError`.
        """
        try:
            me = self.cluster.this_node()
        except RunError as error:
            log.info("nobody else can be at it: %s", error)
            return nullcontext()
        return self.cluster.hold(lock.begun(verb, self.by, me, about or me))


def answer(result: bool, comment: str, **facts: Any) -> Answer:
    """Return what ``fsha.failover`` and ``fsha.failback`` return."""
    nothing = {"old": "", "new": "", "seconds": None, "gap": None, "hold": False}
    return {"result": result, "comment": comment, **nothing, **facts}
