"""The scheme by which rows flow both ways: who owns what, what is published, who takes it.

Every row names the node that wrote it. A node publishes the inserts and updates of its own rows,
and every delete. So nothing comes back to where it was written, and a row that the other node took
over goes away on both (tried on PostgreSQL 15 and 17, both ways and mixed). A random key can't
conflict between nodes. Without a key, deletes of rows in flight match nothing, and rows stay.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fshalib.store.tables import Table

DATABASE = "freeswitch"
OWNER = "fsha_owner"
"""Owns the database and the tables; nobody can log in as it."""
SWITCH = "freeswitch"
REPLICATION = "fsha_replication"
ROLES = (OWNER, SWITCH, REPLICATION)
OWN_ROWS = "fsha_own_rows"
DELETES = "fsha_deletes"
SUBSCRIPTION = "fsha"
NODES = "fsha_node"
"""The table in which each node notes what the other must know of it.

``generation`` is new whenever the node's store begins anew. ``starts`` are the server's starts: the
peer knows one that the node itself does not know, when the node's data has gone back in time.
"""
STARTS_KEPT = 20
OLDEST = 15
"""The first PostgreSQL whose publications have row filters."""


@dataclass(frozen=True)
class Side:
    """One node of the pair, as its own store is set up.

    number, peer_number
        The nodes' numbers; they name the slots.
    peer_addresses
        Where the peer's store is asked, the best first.
    passfile
        The file on this node with the password of the replication.
    """

    node: str
    number: int
    peer: str
    peer_number: int
    peer_addresses: tuple[str, ...]
    port: int
    passfile: str

    @property
    def slot(self) -> str:
        """The slot on the peer from which this node takes its rows."""
        return f"fsha_{self.number}"

    @property
    def peers_slot(self) -> str:
        """The slot on this node from which the peer takes its rows."""
        return f"fsha_{self.peer_number}"

    @property
    def source(self) -> str:
        """The connection to the peer, without a password."""
        hosts = ",".join(self.peer_addresses)
        # Without these a cut is found after many minutes, and mended 20 s after its end (measured).
        return (
            f"host={hosts} port={self.port} dbname={DATABASE} user={REPLICATION} "
            f"passfile={self.passfile} connect_timeout=3 keepalives_idle=2 keepalives_interval=1 "
            "keepalives_count=3 tcp_user_timeout=4000"
        )


def literal(text: str) -> str:
    """Return text as a literal of SQL (with standard_conforming_strings, the default)."""
    return "'" + text.replace("'", "''") + "'"


def make_table(table: Table, node: str) -> str:
    """Return the SQL that makes a shared table on a node."""
    columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    return (
        f"CREATE TABLE {table.name} ({columns}, fsha_id uuid NOT NULL DEFAULT gen_random_uuid(), "
        f"fsha_by text NOT NULL DEFAULT {literal(node)}, PRIMARY KEY (fsha_id, fsha_by));"
    )


def own_table(table: Table) -> str:
    """Return the SQL that gives a shared table its owner, rights, indexes and trigger."""
    name = table.name
    indexes = "".join(
        f"CREATE INDEX IF NOT EXISTS fsha_{name}_{column} ON {name} ({column}); "
        for column in table.indexed
    )
    return (
        f"ALTER TABLE {name} OWNER TO {OWNER}; "
        f"REVOKE ALL ON {name} FROM {SWITCH}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {SWITCH}; "
        f"GRANT SELECT ON {name} TO {REPLICATION}; {indexes}"
        f"CREATE OR REPLACE TRIGGER fsha_take_over BEFORE UPDATE ON {name} "
        f"FOR EACH ROW EXECUTE FUNCTION fsha_take_over(); "
        f"CREATE OR REPLACE TRIGGER fsha_once BEFORE INSERT ON {name} "
        f"FOR EACH ROW EXECUTE FUNCTION fsha_once(); "
        f"ALTER TABLE {name} ENABLE REPLICA TRIGGER fsha_once;"
    )


# A phone that renews its registration on the other node updates a row that this one does not
# publish. So the row is written anew, by the node that has it now. The peer's apply worker writes
# with session_replication_role = replica, so no trigger fires there.
TAKE_OVER = """\
CREATE OR REPLACE FUNCTION fsha_take_over() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  IF OLD.fsha_by = {node} THEN
    RETURN NEW;
  END IF;
  EXECUTE format('DELETE FROM public.%I WHERE fsha_id = $1 AND fsha_by = $2', TG_TABLE_NAME)
    USING OLD.fsha_id, OLD.fsha_by;
  NEW.fsha_id := gen_random_uuid();
  NEW.fsha_by := {node};
  EXECUTE format('INSERT INTO public.%I SELECT ($1).*', TG_TABLE_NAME) USING NEW;
  RETURN NULL;
END
$body$;"""
# A copy of the peer's rows has rows that this node wrote before, and they travel back to the peer.
# Without this trigger they are duplicates there, and the apply worker fails for ever. A random key
# is the same row, and the one that is there has had all updates. (An apply worker has no
# search_path, so the schema is named.)
ONCE = """\
CREATE OR REPLACE FUNCTION fsha_once() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
  here boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE fsha_id = $1 AND fsha_by = $2)',
    TG_TABLE_NAME) INTO here USING NEW.fsha_id, NEW.fsha_by;
  IF here THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END
$body$;"""
MAKE_NODES = f"""\
CREATE TABLE {NODES} (fsha_by text PRIMARY KEY,
  generation uuid NOT NULL DEFAULT gen_random_uuid(), starts uuid[] NOT NULL DEFAULT '{{}}',
  core_uuid text NOT NULL DEFAULT '', answered timestamptz);
GRANT SELECT ON {NODES} TO {REPLICATION};"""


def note_node(node: str) -> str:
    """Return the SQL that makes a node's own line."""
    return f"INSERT INTO {NODES} (fsha_by) VALUES ({literal(node)}) ON CONFLICT DO NOTHING;"


def note_start(node: str) -> str:
    """Return the SQL that notes a start of the server, run at each start."""
    kept = f"(starts || gen_random_uuid())[greatest(1, cardinality(starts) - {STARTS_KEPT - 2}):]"
    return f"UPDATE {NODES} SET starts = {kept} WHERE fsha_by = {literal(node)};"


def note_switch(node: str, core_uuid: str) -> str:
    """Return the SQL that notes that a node's switch has answered just now."""
    return (
        f"UPDATE {NODES} SET core_uuid = {literal(core_uuid)}, answered = now() "
        f"WHERE fsha_by = {literal(node)};"
    )


def functions(node: str) -> Mapping[str, str]:
    """Return the SQL of the tables' functions, by their names."""
    return {"fsha_take_over": TAKE_OVER.format(node=literal(node)), "fsha_once": ONCE}


def publications(tables: Iterable[Table], node: str) -> Iterator[tuple[str, str]]:
    """Return the publications of a node: their names, and the SQL that makes each."""
    names = [NODES, *(table.name for table in tables)]
    own = ", ".join(f"{name} WHERE (fsha_by = {literal(node)})" for name in names)
    yield (
        OWN_ROWS,
        f"CREATE PUBLICATION {OWN_ROWS} FOR TABLE {own} WITH (publish = 'insert, update');",
    )
    # A node's own line goes away on that node alone.
    yield (
        DELETES,
        f"CREATE PUBLICATION {DELETES} FOR TABLE {', '.join(names[1:])} WITH (publish = 'delete');",
    )


def subscribe(side: Side, *, copy: bool) -> str:
    """Return the SQL that subscribes a node to its peer.

    copy
        Take the rows that the peer has, besides those to come: only into empty tables.
    """
    return (
        f"CREATE SUBSCRIPTION {SUBSCRIPTION} CONNECTION {literal(side.source)} "
        f"PUBLICATION {OWN_ROWS}, {DELETES} "
        f"WITH (slot_name = {side.slot}, copy_data = {str(copy).lower()});"
    )


def unsubscribe(*, slot_is_there: bool) -> tuple[str, ...]:
    """Return the SQL that ends a subscription, with its slot on the peer where that is there."""
    without = (
        () if slot_is_there else (f"ALTER SUBSCRIPTION {SUBSCRIPTION} SET (slot_name = NONE);",)
    )
    return (
        f"ALTER SUBSCRIPTION {SUBSCRIPTION} DISABLE;",
        *without,
        f"DROP SUBSCRIPTION {SUBSCRIPTION};",
    )
