"""What the library is given of the minion that it runs in: its options, and what Salt asks."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.checks.node_facts import Facts
from fshalib.events import event as events_event
from fshalib.events import journal
from fshalib.events.event import Fire
from fshalib.freeswitch import client

log = logging.getLogger(__name__)

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Minion:
    """A minion.

    ``opts`` and ``pillar`` are its own. ``fire`` puts an event on the bus, ``ring`` returns what
    ``corosync.status`` does, ``state_run`` a state run that goes on here (``""`` for none),
    ``ask_facts`` what ``fsha.facts`` returns on another minion, ``None`` if it can't be asked.
    """

    opts: Data
    pillar: Data
    fire: Fire
    ring: Callable[[], Data]
    state_run: Callable[[], str]
    ask_facts: Callable[[str], Facts | None]

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.opts["id"])

    @property
    def freeswitch(self) -> client.FreeSwitch:
        """The FreeSWITCH of this node."""
        return client.FreeSwitch(client.access(self.pillar))

    def send(self, kind: str, subject: str, data: Data) -> None:
        """Put an event on the bus, and keep it in the journal."""
        fire = journal.firing(self.fire, self.opts)
        events_event.send(fire, kind, subject, self.id, data)

    def links(self) -> tuple[list[dict[str, Any]], str]:
        """Return the ring's links as this node sees them, and why there are none."""
        ring = self.ring()
        if not ring["running"]:
            return [], f"rings: {ring['reason']}"
        links = [
            {
                "node": link["node"],
                "link": link["number"],
                "address": link["address"],
                "connected": link["connected"],
            }
            for link in ring["links"]
        ]
        return links, ""

    def last_drill(self) -> str:
        """Return when the last drill was that this node has run, ``""`` for never."""
        try:
            entries = journal.read(journal.place(self.opts), (events_event.FAILOVER,))
        except journal.JournalError as error:
            log.warning("%s", error)
            return ""
        drill = journal.last_drill(entries)
        return str(drill["at"]) if drill else ""
