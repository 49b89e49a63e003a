"""How a node takes its peer's rows: what is to be done now, by what both stores are.

    own store ─┐                    ┌→ nothing
    peer's ────┼→ what is the case ─┼→ steps
    serves? ───┘                    └→ what must wait, and why

Each case here loses rows without any error of PostgreSQL's (tried on 15 and 17): a slot whose WAL
is gone, a peer that began anew, data that has gone back in time.
"""

from dataclasses import dataclass

from fshalib.store import scheme
from fshalib.store.scheme import Side, literal
from fshalib.store.state import NodeLine, Store, Subscription
from fshalib.store.steps import Step

JOINED = "joined"
"""Nothing is to be done: the peer's rows come in."""
WAITS = "waits"
STEPS = "steps"


@dataclass(frozen=True)
class Joining:
    """What is the case, in a sentence, and what to do about it.

    on_peer
        Statements for the peer's store, before the steps: a node may drop its own slot there.
    """

    kind: str
    text: str
    steps: tuple[Step, ...] = ()
    on_peer: tuple[str, ...] = ()


def decide(side: Side, own: Store, peer: Store, *, serves: bool) -> Joining:
    """Return what is to be done so that a node has its peer's rows.

    own, peer
        Both stores, with the own side of each made (:func:`steps.own_side`).
    serves
        Whether the floating address is on this node: then its rows are those of live calls, and
        are not given up for those of the peer.
    """
    missing = _missing(side, peer)
    if missing:
        return Joining(WAITS, f"{side.peer} has no {missing} yet: it makes its side in its own run")
    subscription = own.subscription
    if subscription is None:
        return _first(side, own, peer)
    if _went_back(side, own, peer):
        return _went_back_in_time(side, own, peer, serves=serves)
    copy = own.nodes.get(side.peer, NodeLine())
    if copy.generation and copy.generation != peer.nodes[side.peer].generation:
        text = f"{side.peer} has begun anew: this node subscribes anew"
        return _again(side, own, peer, text, copy=False)
    slot = peer.slots.get(side.slot)
    if slot is None or slot.lost:
        return _lost(side, own, peer, serves=serves)
    changes = tuple(_changes(side, subscription))
    if changes:
        return Joining(STEPS, "the subscription is not as it should be", (_step(changes),))
    if not subscription.copied:
        return Joining(WAITS, f"the rows of {side.peer} are being copied")
    if not subscription.worker:
        return Joining(WAITS, f"PostgreSQL connects to {side.peer}")
    return Joining(JOINED, f"the rows of {side.peer} come in")


def _missing(side: Side, peer: Store) -> str:
    for name in (scheme.OWN_ROWS, scheme.DELETES):
        if name not in peer.publications:
            return f"publication {name}"
    return "" if side.peer in peer.nodes else f"line in {scheme.NODES}"


def _first(side: Side, own: Store, peer: Store) -> Joining:
    """Subscribe; rows are copied only into empty tables, and only if there are any."""
    copy = own.empty and not peer.empty
    dropped: tuple[str, ...] = ()
    if side.slot in peer.slots:
        # Of this node's former store. Only its own user may drop it, and only when nobody reads it.
        dropped = (f"SELECT pg_drop_replication_slot({literal(side.slot)});",)
    sql = (*_forget(side, own, copy=copy), *_subscribe(side, peer, copy=copy))
    with_rows = " and copies its rows" if copy else ""
    return Joining(STEPS, f"subscribes to {side.peer}{with_rows}", (_step(sql),), dropped)


def _went_back(side: Side, own: Store, peer: Store) -> bool:
    """Tell whether this node's data is older than what the peer has had from it."""
    known = peer.nodes.get(side.node, NodeLine()).starts
    mine = own.nodes[side.node]
    same = peer.nodes.get(side.node, NodeLine()).generation == mine.generation
    if same and known and known[-1] not in mine.starts:
        return True
    slot = own.slots.get(side.peers_slot)
    return slot is not None and slot.lag is not None and slot.lag < 0


def _went_back_in_time(side: Side, own: Store, peer: Store, *, serves: bool) -> Joining:
    text = "the data of this node's store has gone back in time, as when a copy was put back"
    copied = "" if serves else f"; it takes its rows anew from {side.peer}"
    anew = _again(side, own, peer, text + copied, copy=not serves)
    generation = (
        f"UPDATE {scheme.NODES} SET generation = gen_random_uuid() "
        f"WHERE fsha_by = {literal(side.node)};"
    )
    # The peer subscribes anew when it sees another generation.
    return Joining(
        anew.kind, anew.text, (*anew.steps, Step("generation", "begins anew", (generation,)))
    )


def _lost(side: Side, own: Store, peer: Store, *, serves: bool) -> Joining:
    """Return what to do after this node was away for so long that the peer dropped its rows."""
    if serves:
        text = f"{side.peer} no longer keeps rows for this node: it subscribes anew"
        return _again(side, own, peer, text, copy=False)
    text = f"{side.peer} no longer keeps rows for this node, which was away: it copies them anew"
    return _again(side, own, peer, text, copy=True)


def _again(side: Side, own: Store, peer: Store, text: str, *, copy: bool) -> Joining:
    there = side.slot in peer.slots
    sql = (
        *scheme.unsubscribe(slot_is_there=there),
        *_forget(side, own, copy=copy),
        *_subscribe(side, peer, copy=copy),
    )
    return Joining(STEPS, text, (_step(sql),))


def _forget(side: Side, own: Store, *, copy: bool) -> tuple[str, ...]:
    """Return what makes room for the peer's rows: some of those here may have ended there."""
    line = f"DELETE FROM {scheme.NODES} WHERE fsha_by = {literal(side.peer)};"
    full = copy and not own.empty
    # TRUNCATE is not published, so the peer keeps its rows.
    return (line, "TRUNCATE recovery, sip_registrations;") if full else (line,)


def _subscribe(side: Side, peer: Store, *, copy: bool) -> tuple[str, ...]:
    subscribe = scheme.subscribe(side, copy=copy)
    if copy:
        return (subscribe,)
    # An update of a line that is not here would be passed over, so the line is written by hand.
    line = peer.nodes[side.peer]
    starts = ", ".join(f"{literal(start)}::uuid" for start in line.starts)
    return (
        f"INSERT INTO {scheme.NODES} (fsha_by, generation, starts, core_uuid) VALUES "
        f"({literal(side.peer)}, {literal(line.generation)}, ARRAY[{starts}]::uuid[], "
        f"{literal(line.core_uuid)});",
        subscribe,
    )


def _changes(side: Side, subscription: Subscription) -> list[str]:
    name = scheme.SUBSCRIPTION
    sql = []
    if subscription.source != side.source:
        sql.append(f"ALTER SUBSCRIPTION {name} CONNECTION {literal(side.source)};")
    if subscription.publications != {scheme.OWN_ROWS, scheme.DELETES}:
        both = f"{scheme.OWN_ROWS}, {scheme.DELETES}"
        sql.append(f"ALTER SUBSCRIPTION {name} SET PUBLICATION {both} WITH (refresh = false);")
    if not subscription.enabled:
        sql.append(f"ALTER SUBSCRIPTION {name} ENABLE;")
    shared = {scheme.NODES, "recovery", "sip_registrations"}
    if not shared <= subscription.tables:
        sql.append(f"ALTER SUBSCRIPTION {name} REFRESH PUBLICATION WITH (copy_data = false);")
    return sql


def _step(sql: tuple[str, ...] | list[str]) -> Step:
    return Step("subscription", "the subscription to the peer", tuple(sql))
