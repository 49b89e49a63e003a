"""From pillar data to a checked, typed configuration, or to sentences about every mistake.

``check`` takes the whole ``fsha`` mapping and returns a :class:`Config`. The makers
(``primitive``, ``group``, ``location``, ``properties``, ``resource_defaults``) do the same for
one object, as the states need it. All of them raise :class:`ConfigErrors` and nothing else.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fsha_cross
from fsha_kinds import ID
from fsha_model import (
    Agent,
    Group,
    Location,
    Object,
    Operation,
    Primitive,
    Properties,
    ResourceDefaults,
    Rule,
)
from fsha_options import SERVER_WRITTEN, WITHOUT_EFFECT
from fsha_schema import (
    INVALID,
    At,
    ConfigError,
    ConfigErrors,
    Kind,
    Report,
    path,
    quoted,
    suggestion,
    text,
)
from fsha_tree import (
    GROUP,
    LOCATION,
    META_SECTION,
    PILLAR,
    PROPERTIES_SECTION,
    RESOURCE,
)

__all__ = [
    "AgentMetadata",
    "Cluster",
    "Config",
    "ConfigError",
    "ConfigErrors",
    "Corosync",
    "FreeSwitch",
    "Interface",
    "Network",
    "Node",
    "Pacemaker",
    "Parameter",
    "agent_metadata",
    "check",
    "check_agents",
    "check_host",
    "group",
    "location",
    "primitive",
    "properties",
    "resource_defaults",
    "text",
]

NOT_MANAGED = SERVER_WRITTEN | WITHOUT_EFFECT
"""Properties that may stand in the pillar and that the formula leaves alone."""

IPADDR2 = "ocf:heartbeat:IPaddr2"
FSSOFIA = "lsb:FSSofia"


# --- the configuration -----------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """The cluster as a whole; timeouts in seconds."""

    name: str
    unmanaged: str
    membership_timeout: int
    settle_timeout: int


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
    """What the formula may do to the host's network."""

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
    """What the CIB shall hold; ``ignored`` names properties that are left alone."""

    primitives: tuple[Primitive, ...]
    groups: tuple[Group, ...]
    locations: tuple[Location, ...]
    properties: Properties | None
    resource_defaults: ResourceDefaults | None
    ignored: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[Object, ...]:
        """Everything to be managed, in an order in which nothing refers to what comes later."""
        options = (self.properties, self.resource_defaults)
        given = tuple(item for item in options if item is not None)
        return (*given, *self.primitives, *self.groups, *self.locations)


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


@dataclass(frozen=True)
class Config:
    """A pillar without a mistake."""

    cluster: Cluster
    nodes: tuple[Node, ...]
    network: Network
    corosync: Corosync
    pacemaker: Pacemaker
    freeswitch: FreeSwitch


# --- the whole pillar ------------------------------------------------------------------------


def check(raw: object) -> Config:
    """Check the whole ``fsha`` mapping.

    raw
        The pillar's ``fsha`` merged over the defaults (or alone: they are filled in).

    Raises :class:`ConfigErrors` with every mistake, in the order of the pillar.

    .. code-block:: python

        fsha_config.check(yaml.safe_load(text)["fsha"])
    """
    report = Report()
    at = At(report)
    data = PILLAR.check(raw, at)
    if isinstance(data, dict):
        fsha_cross.check(data, raw, at)
    report.raise_for(raw)
    return _config(data)


def _config(data: Any) -> Config:
    pacemaker = _pacemaker(data["pacemaker"])
    return Config(
        Cluster(**data["cluster"]),
        tuple(_node(name, n, i) for i, (name, n) in enumerate(data["nodes"].items(), start=1)),
        Network(**data["network"]),
        _corosync(data["corosync"]),
        pacemaker,
        _freeswitch(data["freeswitch"], pacemaker),
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
    managed = {n: v for n, v in data["properties"].items() if n not in NOT_MANAGED}
    return Pacemaker(
        tuple(_primitive(name, item) for name, item in data["resources"].items()),
        tuple(_group(name, item) for name, item in data["groups"].items()),
        tuple(_location(name, item) for name, item in data["locations"].items()),
        Properties(managed) if managed else None,
        ResourceDefaults(data["rsc_defaults"]) if data["rsc_defaults"] else None,
        tuple(name for name in data["properties"] if name in NOT_MANAGED),
    )


def _freeswitch(data: Mapping[str, Any], pacemaker: Pacemaker) -> FreeSwitch:
    values = {**data, "password": data.get("password"), "profiles": tuple(data["profiles"])}
    values["vips"] = tuple(data["vips"]) or _vips(pacemaker)
    return FreeSwitch(**values)


def _vips(pacemaker: Pacemaker) -> tuple[str, ...]:
    by_id = {item.id: item for item in pacemaker.primitives}
    found: list[str] = []
    for item in pacemaker.groups:
        members = [by_id[member] for member in item.members]
        if any(str(member.agent) == FSSOFIA for member in members):
            found += [
                m.params["ip"] for m in members if str(m.agent) == IPADDR2 and "ip" in m.params
            ]
    return tuple(dict.fromkeys(str(ipaddress.ip_address(ip)) for ip in found))


def _primitive(name: str, data: Mapping[str, Any]) -> Primitive:
    standard, provider, kind = data["agent"]
    operations = tuple(_operation(item) for item in data["operations"])
    agent = Agent(standard, kind, provider)
    return Primitive(name, agent, data["params"], data["meta"], operations)


def _operation(data: Mapping[str, Any]) -> Operation:
    rest = {key: value for key, value in data.items() if key not in ("name", "interval")}
    return Operation(data["name"], data.get("interval", "0s"), rest)


def _group(name: str, data: Mapping[str, Any]) -> Group:
    return Group(name, tuple(data["members"]), data["meta"])


def _location(name: str, data: Mapping[str, Any]) -> Location:
    rules = tuple(_rule(item) for item in data["rules"])
    return Location(name, data["resource"], data.get("node"), data.get("score"), rules)


def _rule(data: Mapping[str, Any]) -> Rule:
    boolean_op, expressions = data["expression"]
    return Rule(data["score"], expressions, data.get("id"), boolean_op)


# --- one object ------------------------------------------------------------------------------


def _one(
    name: object, raw: object, kind: Kind, also: Callable[[Any, At], None] | None = None
) -> tuple[str, Any]:
    """Check one object's id and data; paths in the mistakes begin with the id."""
    report = Report()
    if ID.check(name, At(report)) is INVALID or not isinstance(name, str):
        raise ConfigErrors(report.errors(raw, "id"))
    data = kind.check(raw, At(report))
    if also is not None and isinstance(data, dict):
        also(data, At(report))
    report.raise_for(raw, name)
    return name, data


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def primitive(
    id: object,
    agent: object,
    params: object = None,
    meta: object = None,
    operations: object = None,
) -> Primitive:
    """Make a primitive.

    agent
        ``"ocf:heartbeat:IPaddr2"``, ``"lsb:FSSofia"`` …
    params, meta
        Mappings of names to text, numbers, true or false.
    operations
        A list of mappings, each with ``name`` and mostly ``interval`` and ``timeout``.

    Raises :class:`ConfigErrors`.
    """
    raw = {"agent": agent, **_given(params=params, meta=meta, operations=operations)}
    return _primitive(*_one(id, raw, RESOURCE, fsha_cross.resource_checks))


def group(id: object, members: object, meta: object = None) -> Group:
    """Make a group of the primitives ``members``, a list of ids in order.

    Raises :class:`ConfigErrors`.
    """
    return _group(*_one(id, {"members": members, **_given(meta=meta)}, GROUP))


def location(
    id: object,
    resource: object,
    node: object = None,
    score: object = None,
    rules: object = None,
) -> Location:
    """Make a location constraint: ``node`` and ``score``, or ``rules``.

    rules
        A list of mappings with ``score``, ``expression`` and, if wanted, ``id``.

    Raises :class:`ConfigErrors`.
    """
    raw = {"resource": resource, **_given(node=node, score=score, rules=rules)}
    return _location(*_one(id, raw, LOCATION, lambda _, at: fsha_cross.location_checks(raw, at)))


def properties(values: object, id: object = "cib-bootstrap-options") -> Properties:
    """Make the cluster properties; those that the cluster writes itself are left out.

    Raises :class:`ConfigErrors`.
    """
    name, data = _one(id, values, PROPERTIES_SECTION)
    return Properties({n: v for n, v in data.items() if n not in NOT_MANAGED}, name)


def resource_defaults(values: object, id: object = "rsc-options") -> ResourceDefaults:
    """Make the meta attributes that all resources have by default.

    Raises :class:`ConfigErrors`.
    """
    name, data = _one(id, values, META_SECTION)
    return ResourceDefaults(data, name)


# --- agents ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """What an agent says of one of its parameters."""

    required: bool = False
    unique: bool = False
    type: str = "string"
    default: str | None = None


@dataclass(frozen=True)
class AgentMetadata:
    """What an agent says of itself; ``actions`` are the names of its operations."""

    parameters: Mapping[str, Parameter]
    actions: tuple[str, ...] = ()


def agent_metadata(data: Mapping[str, Any]) -> AgentMetadata:
    """Make metadata of what ``dataclasses.asdict`` made of it, as a Salt function returns it."""
    parameters = {name: Parameter(**item) for name, item in data["parameters"].items()}
    return AgentMetadata(parameters, tuple(data["actions"]))


COMMON_PARAMETERS = frozenset({"OCF_CHECK_LEVEL", "trace_ra", "trace_dir", "trace_file"})
"""Parameters of every OCF agent (ocf-shellfuncs) that its metadata does not name."""


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


def check_agents(
    config: Config,
    metadata: Callable[[Agent], AgentMetadata | None],
    known: Sequence[str] = (),
) -> None:
    """Check every primitive against the metadata of its agent, once agents are installed.

    metadata
        Returns what an agent says of itself, or ``None`` for an agent that is not there. It
        is not asked about lsb, systemd and service agents' parameters, which have none.
    known
        Names of installed agents, for the suggestion of the nearest one.

    Raises :class:`ConfigErrors` for unknown agents, unknown and missing parameters.
    """
    report = Report()
    for item in config.pacemaker.primitives:
        at = At(report, ("pacemaker", "resources", item.id))
        found = metadata(item.agent)
        if found is None:
            at.below("agent").error(
                f"an installed resource agent is expected, {quoted(str(item.agent))} is not on "
                f"this node{suggestion(str(item.agent), known)}"
            )
        else:
            _parameters(item, found, at.below("params"))
    if report.found:
        raise ConfigErrors(ConfigError(path(keys), message) for keys, message in report.found)


def _parameters(item: Primitive, found: AgentMetadata, at: At) -> None:
    for name in item.params:
        fencing = item.agent.standard == "stonith" and name.startswith("pcmk_")
        if name not in found.parameters and name not in COMMON_PARAMETERS and not fencing:
            at.below(name).error(
                f"a parameter of {item.agent} is expected{suggestion(name, found.parameters)}"
            )
    for name, parameter in found.parameters.items():
        if parameter.required and not parameter.default and name not in item.params:
            at.below(name).error(f"this key is missing; {item.agent} requires it.")


MAKERS: Mapping[str, Callable[..., Object]] = {
    "primitive": primitive,
    "group": group,
    "location": location,
    "properties": properties,
    "resource_defaults": resource_defaults,
}
"""The makers of single objects by the kind's name, as states and verbs give it."""
