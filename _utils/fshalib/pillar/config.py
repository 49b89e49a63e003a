"""Check pillar data; return a typed configuration, or raise an error with every mistake.

:func:`check` takes the whole ``fsha`` mapping and returns a :class:`Config`. :func:`make` does the
same for one object of the cluster, for the states. Both raise only :class:`ConfigErrors`.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fshalib.agents import FSSOFIA, held_address, is_fssofia_script
from fshalib.cib.field_types import ID, NODE_NAME
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.nvset import NO_SETS, NvSets
from fshalib.cib.objects import Object, primitives
from fshalib.cib.options import SERVER_WRITTEN, WITHOUT_EFFECT
from fshalib.cib.state import State
from fshalib.cib.ties import ties
from fshalib.pillar import guard_policy, validate
from fshalib.pillar.guard_policy import Policy
from fshalib.pillar.recovery_store import EXTERNAL, RecoveryStore, with_store
from fshalib.pillar.schema import PACEMAKER, PILLAR
from fshalib.pillar.validate_object import object_checks
from fshalib.schema.report import (
    ConfigError,
    ConfigErrors,
    Keys,
    Location,
    Report,
    path,
    quoted,
    suggestion,
)
from fshalib.schema.types import INVALID

NOT_MANAGED = SERVER_WRITTEN | WITHOUT_EFFECT
"""Properties that the pillar may have, and that the formula does not change."""


# --- the configuration -----------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """The cluster as a whole; timeouts in seconds."""

    name: str
    unmanaged: str
    membership_timeout: int
    require_all_nodes: bool
    settle_timeout: int
    restore_points: int


@dataclass(frozen=True)
class Interface:
    """A static interface of a node; ``address`` with its prefix length."""

    name: str
    address: str
    gateway: str | None = None


@dataclass(frozen=True)
class Node:
    """A node; ``addresses`` with their prefix lengths, one per link."""

    name: str
    id: int
    addresses: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    interfaces: tuple[Interface, ...] = ()

    @property
    def ips(self) -> tuple[str, ...]:
        """The addresses without their prefix lengths."""
        return tuple(str(ipaddress.ip_interface(address).ip) for address in self.addresses)


@dataclass(frozen=True)
class Network:
    """Which files of the host's network the formula writes."""

    hosts: bool
    interfaces: bool
    nonlocal_bind: bool


@dataclass(frozen=True)
class Corosync:
    """Messaging; ``crypto`` is complete, ``authkey`` is the decoded key or ``None``."""

    transport: str
    crypto: Mapping[str, str]
    authkey: bytes | None = field(repr=False)
    authkey_file: str | None
    totem: Mapping[str, Any]
    links: tuple[Mapping[str, Any], ...]
    quorum: Mapping[str, Any]
    logging: Mapping[str, Any]


@dataclass(frozen=True)
class Pacemaker:
    """The desired objects of the CIB; ``ignored`` are properties that the formula leaves alone."""

    objects: tuple[Object, ...]
    ignored: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[Object, ...]:
        """Return the objects of one kind, in the order of the pillar."""
        return tuple(item for item in self.objects if item.kind == kind)

    def primitives(self) -> tuple[Object, ...]:
        """Return the primitives, each with the settings of its template."""
        return primitives(self.objects)

    def values(self, kind: str) -> Mapping[str, str]:
        """Return the values of properties or defaults, without sets that have a rule."""
        options = self.of(kind)
        return options[0].values("sets") if options else {}


@dataclass(frozen=True)
class FreeSwitch:
    """FreeSWITCH and its Event Socket; timeouts in seconds."""

    profiles: tuple[str, ...]
    fs_cli: str
    host: str
    port: int
    password: str | None = field(repr=False)
    password_file: str
    init_script: bool
    start_timeout: int
    stop_timeout: int
    recover: bool
    vips: tuple[str, ...]
    service: str = "freeswitch"
    install: Mapping[str, Any] | None = field(default=None, repr=False)
    configuration: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Config:
    """A pillar without mistakes; ``retired`` are its keys that fsha no longer reads.

    ``state`` is the state of a cluster whose CIB stands in for a pillar.
    """

    cluster: Cluster
    nodes: tuple[Node, ...]
    network: Network
    corosync: Corosync
    pacemaker: Pacemaker
    guard: Policy
    freeswitch: FreeSwitch
    recovery_store: RecoveryStore = EXTERNAL
    retired: tuple[Keys, ...] = ()
    state: State | None = None


# --- the whole pillar ------------------------------------------------------------------------


def check(raw: object) -> Config:
    """Check the whole ``fsha`` mapping.

    raw
        The pillar's ``fsha`` merged over the defaults (or alone: they are filled in).

    Raises :class:`ConfigErrors` with every mistake, in the order of the pillar.

    .. code-block:: python

        fshalib.pillar.config.check(yaml.safe_load(text)["fsha"])
    """
    report = Report()
    at = Location(report)
    data = PILLAR.check(raw, at)
    if isinstance(data, dict):
        validate.check(data, raw, at)
        _check_policy(data.get("guard", {}), at.below("guard"))
    report.raise_for(raw)
    return replace(_config(data), retired=tuple(report.retired))


def check_kinds(raw: object) -> tuple[Object, ...]:
    """Check each object of a section ``fsha:pacemaker`` on its own, for an export.

    References between objects are not checked. Raises :class:`ConfigErrors`.
    """
    report = Report()
    data = PACEMAKER.check(raw, Location(report, ("pacemaker",)))
    report.raise_for({"pacemaker": raw})
    return objects(data) if isinstance(data, dict) else ()


def check_pacemaker(raw: object) -> tuple[Object, ...]:
    """Check the section ``fsha:pacemaker`` alone, for a pillar without nodes.

    Raises :class:`ConfigErrors`; paths in its sentences begin with ``fsha:pacemaker``.
    """
    report = Report()
    at = Location(report, ("pacemaker",))
    data = PACEMAKER.check(raw, at)
    if isinstance(data, dict):
        validate.check({"pacemaker": data}, {"pacemaker": raw}, Location(report))
    report.raise_for({"pacemaker": raw})
    return objects(data) if isinstance(data, dict) else ()


def of_cib(items: Iterable[Object], conf: Mapping[str, Any], nodes: Iterable[str]) -> Config:
    """Return the configuration of a cluster that somebody else built.

    items
        The objects of its CIB.
    conf
        Its corosync.conf as pillar data (``nodes``, ``corosync``); empty if that is not known.
    nodes
        The names of its nodes, in case ``conf`` is empty.

    Raises :class:`ConfigErrors` for mistakes in the data of corosync.conf.
    """
    pacemaker = Pacemaker(tuple(items))
    defaults = PILLAR.check({"nodes": {}}, Location(Report()))
    assert isinstance(defaults, dict)  # noqa: S101  a mapping was given
    bare = _config({**defaults, "nodes": {}})
    known = [Node(name, position, ()) for position, name in enumerate(nodes, start=1)]
    freeswitch = replace(bare.freeswitch, init_script=False)
    config = replace(bare, nodes=tuple(known), pacemaker=pacemaker, freeswitch=freeswitch)
    if not conf.get("nodes"):
        return config
    checked = check({**conf, "pacemaker": {}})
    return replace(config, nodes=checked.nodes, corosync=checked.corosync)


def _check_policy(guard: Mapping[str, Any], at: Location) -> None:
    """Report mistakes that only the policy finds: an unknown time zone, a window without length."""
    try:
        guard_policy.policy(guard)
    except guard_policy.PolicyError as wrong:
        at.below(*wrong.key.split(":")).error(wrong.message)


def _config(data: Any) -> Config:
    pacemaker = _pacemaker(data["pacemaker"])
    return Config(
        Cluster(**data["cluster"]),
        tuple(_node(name, n, i) for i, (name, n) in enumerate(data["nodes"].items(), start=1)),
        Network(**data["network"]),
        _corosync(data["corosync"]),
        pacemaker,
        guard_policy.policy(data["guard"]),
        _freeswitch(data["freeswitch"], pacemaker, data["recovery_store"]["mode"]),
        RecoveryStore(**data["recovery_store"]),
    )


def _node(name: str, data: Mapping[str, Any], position: int) -> Node:
    return Node(
        name,
        data.get("id", position),
        tuple(data["addresses"]),
        tuple(data["aliases"]),
        tuple(Interface(nic, **stanza) for nic, stanza in data["interfaces"].items()),
    )


def _corosync(data: Mapping[str, Any]) -> Corosync:
    knet = data["transport"] == "knet"
    crypto = {
        "cipher": data["crypto"].get("cipher", "aes256" if knet else "none"),
        "hash": data["crypto"].get("hash", "sha256" if knet else "none"),
    }
    return Corosync(
        data["transport"],
        crypto,
        data.get("authkey"),
        data.get("authkey_file"),
        data["totem"],
        tuple(data["links"]),
        data["quorum"],
        data["logging"],
    )


def _pacemaker(data: Mapping[str, Any]) -> Pacemaker:
    ignored = tuple(n for n in data["properties"].plain_values() if n in NOT_MANAGED)
    return Pacemaker(objects(data), ignored)


def objects(pacemaker: Mapping[str, Any]) -> tuple[Object, ...]:
    """Return all objects of the checked section ``fsha:pacemaker``.

    An object refers only to those before it.
    """
    items: list[Object] = []
    for key, kind in BY_KEY.items():
        if kind.one:
            items += _options(kind.name, pacemaker.get(key, NO_SETS))
        else:
            given = pacemaker.get(key, {})
            items += [Object(kind.name, name, spec) for name, spec in given.items()]
    return tuple(items)


def _options(kind: str, sets: NvSets) -> list[Object]:
    """Return properties or defaults as one object, without :data:`NOT_MANAGED`."""
    if kind == "properties":
        sets = sets.without(NOT_MANAGED, conditional=True)
    return [Object(kind, ONE_IDS[kind], {"sets": sets})] if sets else []


def _freeswitch(data: Mapping[str, Any], pacemaker: Pacemaker, store: str) -> FreeSwitch:
    values = {**data, "password": data.get("password"), "profiles": tuple(data["profiles"])}
    values["vips"] = tuple(data["vips"]) or _vips(pacemaker)
    if data.get("configuration") is not None:
        values["configuration"] = with_store(data["configuration"], store)
    return FreeSwitch(**values)


def _vips(pacemaker: Pacemaker) -> tuple[str, ...]:
    """Return the floating addresses that run beside the profiles, by a group or a colocation."""
    items = pacemaker.primitives()
    profiles = [i.id for i in items if i.agent == FSSOFIA or is_fssofia_script(i.agent)]
    near = ties(pacemaker.objects, through_clones=True).beside(profiles)
    addresses = [
        held_address(item.agent, item.values("params")) for item in items if item.id in near
    ]
    return tuple(dict.fromkeys(str(ipaddress.ip_address(ip)) for ip in addresses if ip))


# --- one object ------------------------------------------------------------------------------


def make(kind: str, id: object, spec: object) -> Object:
    """Make one object of the cluster.

    kind
        A name of ``fshalib.cib.kinds.KINDS``: ``primitive``, ``group``, ``location`` …
    id
        Its id; a node's name for a node.
    spec
        Its keys as in the pillar: a mapping. Keys whose value is ``None`` count as left out.

    Raises :class:`ConfigErrors`; the paths in its sentences begin with the id.
    """
    report = Report()
    at = Location(report)
    known = KINDS[kind]
    names = NODE_NAME if kind == "node" else ID
    if names.check(id, at) is INVALID or not isinstance(id, str):
        raise ConfigErrors(report.errors(id, "id"))
    raw = {k: v for k, v in spec.items() if v is not None} if isinstance(spec, Mapping) else spec
    data = known.schema.section.check(raw, at)
    if isinstance(data, dict):
        object_checks(kind, data, raw, at)
    report.raise_for(raw, id)
    if known.one:
        made = _options(kind, data.get("sets", NO_SETS))  # type: ignore[attr-defined]
        return made[0] if made else Object(kind, id, {"sets": NO_SETS})
    return Object(kind, id, data)  # type: ignore[arg-type]


def check_host(config: Config, name: str, addresses: Sequence[str]) -> None:
    """Check that the host on which this runs is one of the nodes.

    name
        The host's name, as ``uname -n`` prints it.
    addresses
        The host's addresses, without prefix lengths.

    Raises :class:`ConfigErrors` when neither the name nor an address is any node's.
    """
    names = [node.name for node in config.nodes]
    known = {ip for node in config.nodes for ip in node.ips}
    if name in names or known & set(addresses):
        return
    message = (
        f"a node of this host's name (uname -n) or with one of its addresses is expected, "
        f"{quoted(name)} is none of {', '.join(names)}{suggestion(name, names)}"
    )
    raise ConfigErrors([ConfigError(path(("nodes",)), message)])


def agents(config: Config) -> tuple[str, ...]:
    """Return the names of all agents that the pillar names, each once."""
    items = (*config.pacemaker.of("template"), *config.pacemaker.of("primitive"))
    return tuple(dict.fromkeys(item.agent for item in items if item.agent))
