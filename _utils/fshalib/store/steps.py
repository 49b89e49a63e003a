"""What is to be done to a store: the difference between what it is and what it should be.

    what is there (state.py) ─┐
    what should be (scheme) ──┴→ steps, each a sentence and its SQL

The first part makes a node's own side: roles, tables, publications. The second joins the two.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fshalib.store import passwords, scheme
from fshalib.store.scheme import Side, literal
from fshalib.store.state import Publication, Store
from fshalib.store.state import Table as LiveTable
from fshalib.store.tables import Table


@dataclass(frozen=True)
class Step:
    """One thing to do: a name and a sentence for people, and statements, each by itself."""

    name: str
    text: str
    sql: tuple[str, ...]


@dataclass(frozen=True)
class Wanted:
    """What a node's store should be: its side of the pair, its tables, its roles' passwords."""

    side: Side
    tables: tuple[Table, ...]
    passwords: Mapping[str, str]


_NO_DATABASE = (
    f"CREATE DATABASE {scheme.DATABASE} TEMPLATE template0 ENCODING 'UTF8' OWNER {scheme.OWNER};"
)
_RIGHTS = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC; "
    f"GRANT USAGE, CREATE ON SCHEMA public TO {scheme.SWITCH}; "
    f"GRANT USAGE ON SCHEMA public TO {scheme.REPLICATION};"
)
_ROLES: Mapping[str, tuple[str, bool, bool]] = {
    scheme.OWNER: ("NOLOGIN NOREPLICATION", False, False),
    scheme.SWITCH: ("LOGIN NOREPLICATION", True, False),
    scheme.REPLICATION: ("LOGIN REPLICATION", True, True),
}
IDENTITY_BY_KEY = "d"
TRIGGERS = {"fsha_take_over": "O", "fsha_once": "R"}
"""How each fires: for this node's own writes, and for the peer's rows as they come in."""


def bare(wanted: Wanted) -> tuple[Step, ...]:
    """Return the steps on a server without the database, to be taken in the database postgres."""
    roles = tuple(
        f"DO $do$ BEGIN CREATE ROLE {name}; EXCEPTION WHEN duplicate_object THEN NULL; END $do$;"
        for name in scheme.ROLES
    )
    logins = tuple(_role(name, wanted.passwords.get(name, "")) for name in scheme.ROLES)
    return (
        Step("roles", f"roles {', '.join(scheme.ROLES)}", (*roles, *logins)),
        Step("database", f"database {scheme.DATABASE}", (_NO_DATABASE,)),
    )


def _role(name: str, password: str) -> str:
    checks = f" PASSWORD {literal(passwords.verifier(password))}" if password else ""
    return f"ALTER ROLE {name} NOSUPERUSER NOCREATEDB NOCREATEROLE {_ROLES[name][0]}{checks};"


def own_side(wanted: Wanted, store: Store) -> tuple[Step, ...]:
    """Return the steps that make a node's own side, in the database of the switch."""
    return (
        *_roles(wanted, store),
        *_functions(wanted, store),
        *_tables(wanted, store),
        *_publications(wanted, store),
    )


def _roles(wanted: Wanted, store: Store) -> Iterator[Step]:
    for name, (_, login, replication) in _ROLES.items():
        role = store.roles.get(name, {})
        right = {"login": login, "replication": replication, "super": False}
        password = wanted.passwords.get(name, "")
        known = not password or passwords.is_of(store.passwords.get(name, ""), password)
        if dict(role) != right or not known:
            make = () if role else (f"CREATE ROLE {name};",)
            yield Step(f"role {name}", f"role {name}", (*make, _role(name, password)))
    if not store.create:
        yield Step("rights", "rights of the switch on its schema", (_RIGHTS,))


def _functions(wanted: Wanted, store: Store) -> Iterator[Step]:
    for name, sql in scheme.functions(wanted.side.node).items():
        if store.functions.get(name) != sql.split("$body$")[1]:
            yield Step(f"function {name}", f"function {name}", (sql,))


def _tables(wanted: Wanted, store: Store) -> Iterator[Step]:
    node = wanted.side.node
    if node not in store.nodes:
        make = () if scheme.NODES in store.tables else (scheme.MAKE_NODES,)
        line = (*make, scheme.note_node(node), scheme.note_start(node))
        yield Step(f"table {scheme.NODES}", "this node's line in the table of the nodes", line)
    for table in wanted.tables:
        live = store.tables.get(table.name)
        sql = _new_table(table, wanted) if live is None else _mended_table(table, live, wanted)
        if sql:
            yield Step(f"table {table.name}", f"table {table.name}", tuple(sql))


def _new_table(table: Table, wanted: Wanted) -> list[str]:
    return [scheme.make_table(table, wanted.side.node), scheme.own_table(table)]


def _mended_table(table: Table, live: LiveTable, wanted: Wanted) -> list[str]:
    """Return what a table lacks; rows stay, so that a running switch goes on."""
    sql = [
        f"ALTER TABLE {table.name} ADD COLUMN {column.name} {column.type};"
        for column in table.columns
        if column.name not in live.columns
    ]
    node = literal(wanted.side.node)
    own = {"fsha_id": "uuid NOT NULL DEFAULT gen_random_uuid()"}
    own["fsha_by"] = f"text NOT NULL DEFAULT {node}"
    sql += [
        f"ALTER TABLE {table.name} ADD COLUMN {name} {kind};"
        for name, kind in own.items()
        if name not in live.columns
    ]
    if live.by and live.by != f"{node}::text":
        sql.append(f"ALTER TABLE {table.name} ALTER COLUMN fsha_by SET DEFAULT {node};")
    if live.key != {"fsha_id", "fsha_by"}:
        drop = f"ALTER TABLE {table.name} DROP CONSTRAINT {table.name}_pkey; " if live.key else ""
        sql.append(f"{drop}ALTER TABLE {table.name} ADD PRIMARY KEY (fsha_id, fsha_by);")
    if live.identity != IDENTITY_BY_KEY:
        sql.append(f"ALTER TABLE {table.name} REPLICA IDENTITY DEFAULT;")
    if live.owner != scheme.OWNER or live.triggers != TRIGGERS:
        sql.append(scheme.own_table(table))
    return sql


def _publications(wanted: Wanted, store: Store) -> Iterator[Step]:
    for name, sql in scheme.publications(wanted.tables, wanted.side.node):
        live = store.publications.get(name)
        if live is None or not _publishes(live, name, wanted):
            drop = (f"DROP PUBLICATION {name};",) if live else ()
            yield Step(f"publication {name}", f"publication {name}", (*drop, sql))


def _publishes(live: Publication, name: str, wanted: Wanted) -> bool:
    tables = {table.name for table in wanted.tables}
    if name == scheme.DELETES:
        return live.publish == {"delete"} and dict(live.tables) == dict.fromkeys(tables, "")
    filter_ = f"(fsha_by = {literal(wanted.side.node)}::text)"
    right = dict.fromkeys({scheme.NODES, *tables}, filter_)
    return live.publish == {"insert", "update"} and dict(live.tables) == right


def names(steps: Iterable[Step]) -> Sequence[str]:
    """Return the names of steps, for people."""
    return [step.name for step in steps]
