"""Keeps a node's store joined to its peer's: it sees what PostgreSQL leaves as it is.

It runs on both nodes as a service. Each turn it looks at both stores, takes the steps that
:mod:`joining` names, notes that the switch answers, and clears rows that belong to nobody.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fshalib.errors import RunError, StoreError
from fshalib.freeswitch import event_socket
from fshalib.store import client, joining, scheme
from fshalib.store.config import Config
from fshalib.store.state import NodeLine, Store
from fshalib.system import programs
from fshalib.system.programs import Runner

TURN_SECONDS = 2.0
FRESH = 3 * TURN_SECONDS
"""So many seconds after a switch's last answer it counts as running."""
AFTER_TAKEOVER = 30.0
"""So many seconds after its takeover a node leaves rows alone: they may still be recovered.

So long, too, a switch must be unknown before its rows go: it may have just begun.
"""
ANSWER_SECONDS = 3.0


@dataclass
class Memory:
    """What a keeper remembers from one turn to the next."""

    said: str = ""
    peers_note: str = ""
    peers_note_at: float = float("-inf")
    strangers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Host:
    """What a keeper asks its host."""

    run: Runner = programs.run

    def holds(self, addresses: Sequence[str]) -> bool:
        """Tell whether one of some addresses is on this node."""
        done = self.run(["ip", "-json", "address", "show"], timeout=ANSWER_SECONDS)
        if done.code != programs.EX_OK:
            raise programs.ToolFailed(done)
        local = {
            str(address.get("local"))
            for link in json.loads(done.out)
            for address in link.get("addr_info", ())
        }
        return bool(local & set(addresses))

    def core_uuid(self, config: Config) -> str:
        """Return the switch's identity in this run, ``""`` when it does not answer."""
        try:
            answer = event_socket.ask("global_getvar core_uuid", config.switch, self.run).strip()
        except RunError:
            # Silence, a missing program and a hanging one mean the same here: no answer.
            return ""
        return "" if answer.startswith("-ERR") else answer

    def taken_over_at(self, config: Config) -> float | None:
        """Return when the node's last takeover ended (epoch), ``None`` while it has none."""
        notes = Path(config.stamps).glob("*/.recovered")
        return max((note.stat().st_mtime for note in notes), default=None)


@dataclass
class Keeper:
    """The keeper of one node.

    say
        Where its sentences go: one for each change.
    clock, wall
        Seconds that never go back, and the time of day.
    """

    config: Config
    say: Callable[[str], object]
    clock: Callable[[], float]
    wall: Callable[[], float]
    host: Host = field(default_factory=Host)
    memory: Memory = field(default_factory=Memory)

    def turn(self) -> None:
        """Look once, and do what is to be done; what stands in the way is said once."""
        try:
            self._say(self._turn())
        except (StoreError, RunError) as error:
            self._say(str(error))

    def _say(self, sentence: str) -> None:
        if sentence != self.memory.said:
            self.memory.said = sentence
            self.say(sentence)

    def _turn(self) -> str:
        side, local = self.config.side, self.config.local
        own = local.look()
        if side.node not in own.nodes:
            raise StoreError("the store is not made yet: state.apply fsha.recovery_store makes it")
        core = self.host.core_uuid(self.config)
        if core:
            local.sql(scheme.note_switch(side.node, core))
        peer = client.look_at_peer(side, self.config.psql, self.host.run)
        serves = self.host.holds(self.config.vips)
        decision = joining.decide(side, own, peer, serves=serves)
        if decision.on_peer:
            client.on_peer(side, self.config.psql, *decision.on_peer, run=self.host.run)
        for step in decision.steps:
            local.sql(*step.sql)
        if decision.kind == joining.JOINED and serves:
            self._clear_ghosts(own, core)
        return decision.text

    def _clear_ghosts(self, own: Store, core: str) -> None:
        """Delete rows of switches that have ended: the next takeover would ring for them.

        Only while both switches answer, and well after a takeover: before, such rows are the calls
        that are to be recovered.
        """
        note = own.nodes.get(self.config.side.peer, NodeLine())
        if note.answered != self.memory.peers_note:
            # The first note that is seen may be an old one.
            if self.memory.peers_note:
                self.memory.peers_note_at = self.clock()
            self.memory.peers_note = note.answered
        peer_runs = note.core_uuid and self.clock() - self.memory.peers_note_at < FRESH
        taken_over = self.host.taken_over_at(self.config)
        settled = taken_over is not None and self.wall() - taken_over > AFTER_TAKEOVER
        ghosts = self._strangers(set(own.rows or ()) - {core, note.core_uuid})
        if core and peer_runs and settled and ghosts:
            these = ", ".join(map(scheme.literal, ghosts))
            self.config.local.sql(f"DELETE FROM recovery WHERE runtime_uuid IN ({these});")
            self.say(f"deleted the rows of {len(ghosts)} switches that have ended")

    def _strangers(self, cores: set[str]) -> list[str]:
        """Return which of some unknown switches have been unknown for long."""
        now = self.clock()
        seen = {core: self.memory.strangers.get(core, now) for core in cores}
        self.memory.strangers = seen
        return sorted(core for core, since in seen.items() if now - since > AFTER_TAKEOVER)
