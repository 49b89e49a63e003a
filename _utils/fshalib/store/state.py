"""What a store is like now: one question to the server, and its answer as data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fshalib.errors import StoreError
from fshalib.store import scheme

_ROLES = ", ".join(f"'{name}'" for name in scheme.ROLES)
_CATALOG = f"""\
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'wal', pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'),
  'roles', coalesce((SELECT json_object_agg(rolname, json_build_object('login', rolcanlogin,
      'replication', rolreplication, 'super', rolsuper)) FROM pg_roles
      WHERE rolname IN ({_ROLES})), '{{}}'),
  'create', coalesce((SELECT has_schema_privilege(oid, 'public', 'CREATE') FROM pg_roles
      WHERE rolname = '{scheme.SWITCH}'), false),
  'functions', coalesce((SELECT json_object_agg(proname, prosrc) FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace
      AND proname IN ('fsha_take_over', 'fsha_once')), '{{}}'),
  'tables', coalesce((SELECT json_object_agg(relname, json_build_object(
      'owner', pg_get_userbyid(relowner),
      'key', (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_index i JOIN pg_attribute a
          ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
          WHERE i.indrelid = c.oid AND i.indisprimary),
      'identity', relreplident,
      'triggers', (SELECT coalesce(json_object_agg(tgname, tgenabled), '{{}}') FROM pg_trigger t
          WHERE t.tgrelid = c.oid AND NOT tgisinternal),
      'columns', (SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute a
          WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
      'by', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a
          ON a.attrelid = d.adrelid AND a.attnum = d.adnum
          WHERE d.adrelid = c.oid AND a.attname = 'fsha_by')))
      FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace), '{{}}'),
  'publications', coalesce((SELECT json_object_agg(p.pubname, json_build_object(
      'publish', concat_ws(',', CASE WHEN pubinsert THEN 'insert' END,
          CASE WHEN pubupdate THEN 'update' END, CASE WHEN pubdelete THEN 'delete' END,
          CASE WHEN pubtruncate THEN 'truncate' END),
      'tables', (SELECT coalesce(json_object_agg(prrelid::regclass::text,
          coalesce(pg_get_expr(prqual, prrelid), '')), '{{}}') FROM pg_publication_rel r
          WHERE r.prpubid = p.oid)))
      FROM pg_publication p), '{{}}'),
  'slots', coalesce((SELECT json_object_agg(slot_name, json_build_object('active', active,
      'wal', wal_status, 'lag', pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)))
      FROM pg_replication_slots WHERE slot_type = 'logical'), '{{}}'));
"""
_CONTENT = f"""\
SELECT bool_and(to_regclass(name) IS NOT NULL) AS ready
  FROM unnest(ARRAY['{scheme.NODES}', 'recovery', 'sip_registrations']) AS name \\gset
\\if :ready
SELECT json_build_object(
  'nodes', coalesce((SELECT json_object_agg(fsha_by, json_build_object('starts', starts,
      'generation', generation, 'core_uuid', core_uuid, 'answered', answered))
      FROM {scheme.NODES}), '{{}}'),
  'rows', coalesce((SELECT json_object_agg(core, n) FROM (SELECT
      coalesce(runtime_uuid, '') AS core, count(*) AS n FROM recovery GROUP BY 1) AS r), '{{}}'),
  'registrations', (SELECT count(*) FROM sip_registrations));
\\else
SELECT '{{}}';
\\endif
"""
QUESTION = _CATALOG + _CONTENT
"""A script for psql that prints two lines; whoever may read the tables may ask: the peer does."""

OWN = f"""\
SELECT json_build_object(
  'passwords', (SELECT coalesce(json_object_agg(rolname, rolpassword), '{{}}') FROM pg_authid
      WHERE rolname IN ({_ROLES})),
  'subscription', (SELECT json_build_object('enabled', subenabled, 'source', subconninfo,
      'slot', subslotname, 'publications', subpublications,
      'origin', (SELECT pg_wal_lsn_diff(remote_lsn, '0/0') FROM pg_replication_origin_status o
          WHERE o.external_id = 'pg_' || s.oid),
      'worker', (SELECT pid FROM pg_stat_subscription t WHERE t.subid = s.oid AND relid IS NULL),
      'copied', NOT EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubid = s.oid
          AND srsubstate NOT IN ('r', 's')),
      'tables', (SELECT json_agg(srrelid::regclass::text) FROM pg_subscription_rel r
          WHERE r.srsubid = s.oid))
      FROM pg_subscription s WHERE subname = '{scheme.SUBSCRIPTION}'
      AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())));
"""
"""What only a superuser may read, in a third line: what checks passwords, and the connection."""


@dataclass(frozen=True)
class Slot:
    """A replication slot: whether somebody reads it, what became of its WAL, bytes behind."""

    active: bool
    wal: str
    lag: int | None

    @property
    def lost(self) -> bool:
        """Whether the WAL that it still needs is gone, so that it never goes on."""
        return self.wal == "lost"


@dataclass(frozen=True)
class NodeLine:
    """What a node has noted of itself: see :data:`scheme.NODES`; ``answered`` by its clock."""

    generation: str = ""
    starts: tuple[str, ...] = ()
    core_uuid: str = ""
    answered: str = ""


@dataclass(frozen=True)
class Subscription:
    """A subscription to the peer.

    origin
        The position in the peer's WAL up to which its changes are here, in bytes; 0 for none yet.
    worker
        Whether its process runs.
    copied
        Whether the rows that were there at its beginning are here.
    """

    enabled: bool
    source: str
    slot: str
    publications: frozenset[str]
    origin: int
    worker: bool
    copied: bool
    tables: frozenset[str]


@dataclass(frozen=True)
class Table:
    """A table: its owner, key, columns, and which node its new rows name."""

    owner: str
    key: frozenset[str]
    identity: str
    columns: frozenset[str]
    triggers: Mapping[str, str]
    by: str


@dataclass(frozen=True)
class Publication:
    """A publication: which changes, and of which tables, each with its filter."""

    publish: frozenset[str]
    tables: Mapping[str, str]


@dataclass(frozen=True)
class Store:
    """A store as it is.

    wal
        The end of its WAL, in bytes.
    create
        Whether the switch may make its other tables.
    nodes, rows, registrations
        ``None`` for ``rows`` while the tables are not there.
    passwords, subscription
        Empty where a peer was asked.
    """

    version: int
    wal: int
    roles: Mapping[str, Mapping[str, bool]]
    create: bool
    functions: Mapping[str, str]
    tables: Mapping[str, Table]
    publications: Mapping[str, Publication]
    slots: Mapping[str, Slot]
    nodes: Mapping[str, NodeLine]
    rows: Mapping[str, int] | None
    registrations: int
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    subscription: Subscription | None = None

    @property
    def major(self) -> int:
        """The release of PostgreSQL, 15 or later."""
        return self.version // 10000

    @property
    def empty(self) -> bool:
        """Whether no switch has written anything."""
        return not self.rows and not self.registrations


def parse(answer: str) -> Store:
    """Return a store from what psql prints for :data:`QUESTION`, and for :data:`OWN` after it.

    Raises :class:`errors.StoreError`.
    """
    try:
        catalog, content, own = (*map(json.loads, answer.splitlines()), {})[:3]
        return _store(catalog, content, own)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        text = answer.strip().splitlines()[0][:200] if answer.strip() else "nothing"
        raise StoreError(f"the store answered {text!r}: {error}") from error


def _store(catalog: Mapping[str, Any], content: Mapping[str, Any], own: Mapping[str, Any]) -> Store:
    rows = content.get("rows")
    subscription = own.get("subscription")
    return Store(
        version=int(catalog["version"]),
        wal=int(catalog["wal"]),
        roles=catalog["roles"],
        create=bool(catalog["create"]),
        functions=catalog["functions"],
        tables={name: _table(value) for name, value in catalog["tables"].items()},
        publications={
            name: Publication(frozenset(value["publish"].split(",")), value["tables"])
            for name, value in catalog["publications"].items()
        },
        slots={name: _slot(value) for name, value in catalog["slots"].items()},
        nodes={name: _line(value) for name, value in content.get("nodes", {}).items()},
        rows=None if rows is None else {str(core): int(n) for core, n in rows.items()},
        registrations=int(content.get("registrations", 0)),
        passwords={name: str(value or "") for name, value in own.get("passwords", {}).items()},
        subscription=_subscription(subscription) if subscription else None,
    )


def _table(value: Mapping[str, Any]) -> Table:
    return Table(
        owner=str(value["owner"]),
        key=frozenset(value["key"] or ()),
        identity=str(value["identity"]),
        columns=frozenset(value["columns"] or ()),
        triggers=value["triggers"],
        by=str(value["by"] or ""),
    )


def _slot(value: Mapping[str, Any]) -> Slot:
    lag = value["lag"]
    return Slot(bool(value["active"]), str(value["wal"]), None if lag is None else int(lag))


def _line(value: Mapping[str, Any]) -> NodeLine:
    return NodeLine(
        generation=str(value["generation"]),
        starts=tuple(value["starts"]),
        core_uuid=str(value["core_uuid"]),
        answered=str(value["answered"] or ""),
    )


def _subscription(value: Mapping[str, Any]) -> Subscription:
    return Subscription(
        enabled=bool(value["enabled"]),
        source=str(value["source"]),
        slot=str(value["slot"] or ""),
        publications=frozenset(value["publications"]),
        origin=int(value["origin"] or 0),
        worker=value["worker"] is not None,
        copied=bool(value["copied"]),
        tables=frozenset(value["tables"] or ()),
    )
