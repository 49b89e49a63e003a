"""How a node's store is: what a check says, and whether the peer has the last row."""

from collections.abc import Iterator
from dataclasses import dataclass

from fshalib.errors import StoreError
from fshalib.store import client, joining, scheme
from fshalib.store.client import StoreAway
from fshalib.store.config import Config
from fshalib.store.scheme import Side
from fshalib.store.server import SERVICE
from fshalib.store.state import Slot, Store

OK, WARN, FAIL = "ok", "warn", "fail"
BEHIND = 2**20
"""Bytes: so far behind, the peer would miss a hundred calls."""

CAUGHT_UP = """\
DO $do$
DECLARE
  here pg_lsn := pg_current_wal_flush_lsn();
  until timestamptz := clock_timestamp() + make_interval(secs => {seconds});
BEGIN
  WHILE clock_timestamp() < until LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots
      WHERE slot_name = {slot} AND active AND confirmed_flush_lsn < here);
    PERFORM pg_sleep(0.005);
  END LOOP;
  PERFORM set_config('fsha.here', here::text, false);
END
$do$;
SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = {slot}
  AND confirmed_flush_lsn >= current_setting('fsha.here')::pg_lsn);
"""


@dataclass(frozen=True)
class Finding:
    """One thing about a store: how bad it is, and a sentence that says what to do."""

    level: str
    text: str

    def as_data(self) -> dict[str, str]:
        """Return it as plain data."""
        return {"level": self.level, "text": self.text}


def look(config: Config) -> tuple[Finding, ...]:
    """Return what a node finds of the pair's stores, from where it stands."""
    side = config.side
    try:
        own = config.local.look()
    except StoreAway as error:
        return (Finding(FAIL, f"{error}. Look at 'journalctl -u {SERVICE}' and start it."),)
    except StoreError as error:
        return (Finding(FAIL, str(error)),)
    if side.node not in own.nodes:
        return (Finding(FAIL, "the tables are not made yet: state.apply fsha makes them"),)
    peer: Store | None = None
    reason = ""
    try:
        peer = client.look_at_peer(side, config.psql)
    except StoreError as error:
        reason = str(error)
    return tuple(judge(side, own, peer, reason))


def judge(side: Side, own: Store, peer: Store | None, reason: str = "") -> Iterator[Finding]:
    """Return the findings on a pair of stores.

    peer, reason
        The peer's store, or why it can't be asked.
    """
    if peer is None:
        yield Finding(WARN, f"{reason}. Until it answers, a takeover finds the rows that are here.")
    else:
        decision = joining.decide(side, own, peer, serves=True)
        level = OK if decision.kind == joining.JOINED else WARN
        yield Finding(level, f"from {side.peer}: {decision.text}")
    yield _outgoing(side, own.slots.get(side.peers_slot))


def _outgoing(side: Side, slot: Slot | None) -> Finding:
    """Return how the peer takes this node's rows."""
    to = f"to {side.peer}:"
    if slot is None:
        return Finding(
            WARN, f"{to} it has not subscribed yet: its own run, or its keeper, does that"
        )
    if slot.lost:
        return Finding(FAIL, f"{to} it was away for too long; its keeper copies the rows anew")
    if slot.wal == "unreserved":
        return Finding(
            FAIL,
            f"{to} it is away and too far behind: the rows it lacks go with the next checkpoint",
        )
    if not slot.active:
        return Finding(WARN, f"{to} it does not take rows now; {slot.lag or 0} bytes wait for it")
    if (slot.lag or 0) > BEHIND:
        return Finding(WARN, f"{to} it is {slot.lag} bytes behind")
    return Finding(OK, f"{to} rows go out, {slot.lag or 0} bytes under way")


def caught_up(config: Config, seconds: float) -> bool:
    """Wait until the peer has every row of this moment, and tell whether it has.

    Raises :class:`errors.StoreError`.
    """
    slot = scheme.literal(config.side.peers_slot)
    return config.local.sql(CAUGHT_UP.format(slot=slot, seconds=seconds)) == "t"
