"""From pillar data to a checked, typed configuration, or to sentences about every mistake.

``check`` takes the whole ``fsha`` mapping and returns a :class:`Config`; :func:`make` does the
same for one object of the cluster, as the states need it. Both raise :class:`ConfigErrors` and
nothing else.
"""

import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fshalib.cib.field_types import ID, NODE_NAME
from fshalib.cib.kinds import BY_KEY, KINDS, ONE_IDS
from fshalib.cib.normalize import masked
from fshalib.cib.objects import Object, inherited, plain_values
from fshalib.cib.options import SERVER_WRITTEN, WITHOUT_EFFECT
from fshalib.cib.values import FALSE_WORDS, TRUE_WORDS, UnitError, parse_duration
from fshalib.pacemaker.agent import AgentMetadata, Parameter
from fshalib.pillar import guard_policy, validate, validate_freeswitch
from fshalib.pillar.guard_policy import Policy
from fshalib.pillar.schema import PACEMAKER, PILLAR
from fshalib.pillar.validate_objects import object_checks
from fshalib.schema.types import (
    INVALID,
    At,
    ConfigError,
    ConfigErrors,
    Keys,
    Report,
    path,
    printable,
    quoted,
    suggestion,
    text,
)

__all__ = [
    "PACEMAKER",
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
    "check",
    "check_agents",
    "check_host",
    "make",
    "objects",
    "text",
]

NOT_MANAGED = SERVER_WRITTEN | WITHOUT_EFFECT
"""Properties that may stand in the pillar and that the formula leaves alone."""

IPADDR2 = "ocf:heartbeat:IPaddr2"
FSSOFIA = "lsb:FSSofia"
FSSOFIAS = frozenset({FSSOFIA, validate_freeswitch.FSSOFIA})


# --- the configuration -----------------------------------------------------------------------


@dataclass(frozen=True)
class Cluster:
    """The cluster as a whole; timeouts in seconds."""

    name: str
    unmanaged: str
    membership_timeout: int
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

    objects: tuple[Object, ...]
    ignored: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[Object, ...]:
        """Return the objects of one kind, in the order of the pillar."""
        return tuple(item for item in self.objects if item.kind == kind)

    def primitives(self) -> tuple[Object, ...]:
        """Return the primitives with all that they take from their templates."""
        templates = {item.id: item for item in self.of("template")}
        return tuple(
            inherited(item, templates.get(str(item.form.get("template", ""))))
            for item in self.of("primitive")
        )

    def values(self, kind: str) -> Mapping[str, str]:
        """Return the values that always hold of properties or defaults."""
        found = self.of(kind)
        return found[0].values("sets") if found else {}


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
    """A pillar without a mistake."""

    cluster: Cluster
    nodes: tuple[Node, ...]
    network: Network
    corosync: Corosync
    pacemaker: Pacemaker
    guard: Policy
    freeswitch: FreeSwitch


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
    at = At(report)
    data = PILLAR.check(raw, at)
    if isinstance(data, dict):
        validate.check(data, raw, at)
        _check_policy(data.get("guard", {}), at.below("guard"))
    report.raise_for(raw)
    return _config(data)


def check_kinds(raw: object) -> tuple[Object, ...]:
    """Check each object of a section ``fsha:pacemaker`` for itself, as an export does.

    What they say of each other is not looked at. Raises :class:`ConfigErrors`.
    """
    report = Report()
    data = PACEMAKER.check(raw, At(report, ("pacemaker",)))
    report.raise_for({"pacemaker": raw})
    return objects(data) if isinstance(data, dict) else ()


def check_pacemaker(raw: object) -> tuple[Object, ...]:
    """Check the section ``fsha:pacemaker`` alone, where a pillar tells no nodes.

    Raises :class:`ConfigErrors`; paths in its sentences begin with ``fsha:pacemaker``.
    """
    report = Report()
    at = At(report, ("pacemaker",))
    data = PACEMAKER.check(raw, at)
    if isinstance(data, dict):
        validate.check({"pacemaker": data}, {"pacemaker": raw}, At(report))
    report.raise_for({"pacemaker": raw})
    return objects(data) if isinstance(data, dict) else ()


def of_cib(items: Iterable[Object], told: Mapping[str, Any], nodes: Iterable[str]) -> Config:
    """Return the configuration of a cluster that somebody else built, as far as it is known.

    items
        What its CIB holds.
    told
        What its corosync.conf says, in the shape of the pillar (``nodes``, ``corosync``); empty
        when that is not known.
    nodes
        The names of its nodes, for when it is not.

    Raises :class:`ConfigErrors` for what corosync.conf says.
    """
    pacemaker = Pacemaker(tuple(items))
    defaults = PILLAR.check({"nodes": {}}, At(Report()))
    assert isinstance(defaults, dict)  # noqa: S101  a mapping was given
    bare = _config({**defaults, "nodes": {}})
    known = [Node(name, position, ()) for position, name in enumerate(nodes, start=1)]
    freeswitch = replace(bare.freeswitch, init_script=False)
    found = replace(bare, nodes=tuple(known), pacemaker=pacemaker, freeswitch=freeswitch)
    if not told.get("nodes"):
        return found
    checked = check({**told, "pacemaker": {}})
    return replace(found, nodes=checked.nodes, corosync=checked.corosync)


def _check_policy(guard: Mapping[str, Any], at: At) -> None:
    """Report what only shows when the window is made: a strange time zone, a window of no time."""
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
    properties = plain_values(data["properties"])
    ignored = tuple(name for name in properties if name in NOT_MANAGED)
    return Pacemaker(objects(data), ignored)


def objects(pacemaker: Mapping[str, Any]) -> tuple[Object, ...]:
    """Return all objects of the checked section ``fsha:pacemaker``.

    In an order in which nothing refers to what comes later.
    """
    found: list[Object] = []
    for key, kind in BY_KEY.items():
        given = pacemaker.get(key, {})
        if kind.one:
            found += _options(kind.name, given) if given else []
        else:
            found += [Object(kind.name, name, form) for name, form in given.items()]
    return tuple(found)


def _options(kind: str, sets: Any) -> list[Object]:
    """Return properties or defaults as one object, without what the formula leaves alone."""
    if kind == "properties":
        sets = _managed(sets) if isinstance(sets, Mapping) else [
            {**one, "values": _managed(one.get("values", {}))} for one in sets
        ]  # fmt: skip
    return [Object(kind, ONE_IDS[kind], {"sets": sets})] if sets else []


def _managed(values: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in values.items() if name not in NOT_MANAGED}


def _freeswitch(data: Mapping[str, Any], pacemaker: Pacemaker) -> FreeSwitch:
    values = {**data, "password": data.get("password"), "profiles": tuple(data["profiles"])}
    values["vips"] = tuple(data["vips"]) or _vips(pacemaker)
    return FreeSwitch(**values)


def _vips(pacemaker: Pacemaker) -> tuple[str, ...]:
    by_id = {item.id: item for item in pacemaker.primitives()}
    found: list[str] = []
    for group in pacemaker.of("group"):
        members = [by_id[member] for member in group.members]
        if any(member.agent in FSSOFIAS for member in members):
            found += [m.values("params").get("ip", "") for m in members if m.agent == IPADDR2]
    return tuple(dict.fromkeys(str(ipaddress.ip_address(ip)) for ip in found if ip))


# --- one object ------------------------------------------------------------------------------


def make(kind: str, id: object, form: object) -> Object:
    """Make one object of the cluster.

    kind
        A name of ``fshalib.cib.kinds.KINDS``: ``primitive``, ``group``, ``location`` …
    id
        Its id; a node's name for a node.
    form
        Its keys as in the pillar: a mapping. Keys whose value is ``None`` count as left out.

    Raises :class:`ConfigErrors`; the paths in its sentences begin with the id.
    """
    report = Report()
    at = At(report)
    known = KINDS[kind]
    names = NODE_NAME if kind == "node" else ID
    if names.check(id, at) is INVALID or not isinstance(id, str):
        raise ConfigErrors(report.errors(id, "id"))
    raw = {k: v for k, v in form.items() if v is not None} if isinstance(form, Mapping) else form
    data = known.shape.section.check(raw, at)
    if isinstance(data, dict):
        object_checks(kind, data, raw, at)
    report.raise_for(raw, id)
    if known.one:
        found = _options(kind, data.get("sets", {}))  # type: ignore[attr-defined]
        return found[0] if found else Object(kind, id, {"sets": {}})
    return Object(kind, id, data)  # type: ignore[arg-type]


# --- agents ----------------------------------------------------------------------------------


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


def agents(config: Config) -> tuple[str, ...]:
    """Return the names of all agents that the pillar names, each once."""
    items = (*config.pacemaker.of("template"), *config.pacemaker.of("primitive"))
    return tuple(dict.fromkeys(item.agent for item in items if item.agent))


def check_agents(
    config: Config,
    metadata: Callable[[str], AgentMetadata | None],
    known: Sequence[str] = (),
    later: Collection[str] = (),
) -> None:
    """Check every primitive against the metadata of its agent, once agents are installed.

    metadata
        Returns what an agent says of itself, by its name, or ``None`` for an agent that is not
        there.
    known
        Names of installed agents, for the suggestion of the nearest one.
    later
        Names of agents that need not be there yet.

    Raises :class:`ConfigErrors` for unknown agents; for unknown and missing parameters; for
    values of another type; and for values that two resources share and may not.
    """
    report = Report()
    uses = [(use, metadata(use.agent)) for use in _uses(config.pacemaker)]
    for use, found in uses:
        at = At(report, use.keys)
        if found is not None:
            _parameters(use, found, at.below("params"))
        elif use.names_agent and use.agent not in later:
            at.below("agent").error(
                f"an installed resource agent is expected, {quoted(use.agent)} is not on "
                f"this node{suggestion(use.agent, known)}"
            )
    _unique([(use, found) for use, found in uses if found is not None and use.complete], report)
    if report.found:
        raise ConfigErrors(ConfigError(path(keys), message) for keys, message in report.found)


@dataclass(frozen=True)
class _Use:
    """A resource or a template that runs an agent.

    own
        The parameters that it gives itself, name and value of each.
    params
        Those with which the agent runs, its template's among them.
    complete
        Whether that is all: not for a template, and not where rules decide.
    """

    keys: Keys
    id: str
    agent: str
    own: Sequence[tuple[str, str]]
    params: Mapping[str, str]
    names_agent: bool = True
    complete: bool = True


def _uses(pacemaker: Pacemaker) -> Iterator[_Use]:
    for item in pacemaker.of("template"):
        keys = ("pacemaker", "templates", item.id)
        yield _Use(keys, item.id, item.agent, _given(item), {}, complete=False)
    for item, whole in zip(pacemaker.of("primitive"), pacemaker.primitives(), strict=True):
        # With rules, or sets of others, what it is given depends on more than this.
        plain = all(not {"rule", "id-ref"} & set(one) for one in _sets(whole))
        keys = ("pacemaker", "resources", item.id)
        params = whole.values("params")
        if whole.agent:
            yield _Use(
                keys, item.id, whole.agent, _given(item), params, bool(item.agent), plain
            )  # fmt: skip


def _sets(item: Object) -> Sequence[Mapping[str, Any]]:
    sets = item.form.get("params", {})
    return [{"values": sets}] if isinstance(sets, Mapping) else sets


def _given(item: Object) -> list[tuple[str, str]]:
    return [pair for one in _sets(item) for pair in one.get("values", {}).items()]


def _parameters(use: _Use, found: AgentMetadata, at: At) -> None:
    older = {name for parameter in found.parameters.values() for name in parameter.older}
    for name, value in use.own:
        parameter = found.parameters.get(name)
        if parameter is not None:
            expected = _unfit(parameter, value)
            shown = quoted(masked({name: value})[name])
            if expected:
                at.below(name).error(f"{expected} is expected by {use.agent}, not {shown}.")
        elif not _common(name, use.agent) and name not in older:
            at.below(name).error(
                f"a parameter of {use.agent} is expected{suggestion(name, found.parameters)}"
            )
    for name, parameter in found.parameters.items() if use.complete else ():
        told = any(known in use.params for known in (name, *parameter.older))
        if _required(name, parameter, use.agent) and not told:
            at.below(name).error(f"this key is missing; {use.agent} requires it.")


def _common(name: str, agent: str) -> bool:
    """Tell whether a parameter is of every agent, or one of fencing that Pacemaker itself reads."""
    fencing = _is_fencing(agent)
    return name in COMMON_PARAMETERS or (fencing and name.startswith(("pcmk_", "provides")))


def _is_fencing(agent: str) -> bool:
    return agent.startswith("stonith:")


def _required(name: str, parameter: Parameter, agent: str) -> bool:
    # Which node is to be fenced the cluster tells the agent itself.
    told_later = _is_fencing(agent) and name in ("port", "plug")
    return parameter.required and not parameter.default and not told_later


def _is_number(text: str) -> bool:
    """Tell whether text is a whole number, or a duration: agents call both an integer."""
    try:
        parse_duration(text.lstrip("+-"))
    except UnitError:
        return False
    return True


def _is_boolean(text: str) -> bool:
    return text.strip().lower() in (TRUE_WORDS | FALSE_WORDS | {"t", "f"})


_TYPES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "integer": (_is_number, "a whole number"),
    "boolean": (_is_boolean, "true or false"),
}


def _unfit(parameter: Parameter, value: str) -> str:
    """Return what is expected in place of a value of another type; ``""`` when it fits."""
    words = parameter.options
    if parameter.type == "select" and words:
        fits = value.casefold() in {word.casefold() for word in words}
        return "" if fits else f"one of {', '.join(words)}"
    test, expected = _TYPES.get(parameter.type, (None, ""))
    # An agent whose own default is of another type means something else by it.
    if test is None or test(value) or (parameter.default and not test(parameter.default)):
        return ""
    return expected


def _unique(uses: Sequence[tuple[_Use, AgentMetadata]], report: Report) -> None:
    """Report values that an agent wants for one resource alone and two give."""
    taken: dict[tuple[object, ...], str] = {}
    for use, found in uses:
        for group, names in _groups(use, found).items():
            values = tuple(use.params.get(n, found.parameters[n].default) for n in names)
            other = taken.setdefault((use.agent, group, *values), use.id)
            if other != use.id:
                first = next(name for name in names if name in use.params)
                At(report, use.keys).below("params", first).error(
                    f"a value of its own is expected by {use.agent}, this is that of "
                    f"{printable(other)}."
                )


def _groups(use: _Use, found: AgentMetadata) -> Mapping[str, list[str]]:
    """Return the groups of unique parameters of which a resource gives any."""
    groups: dict[str, list[str]] = {}
    for name, parameter in sorted(found.parameters.items()):
        if parameter.unique:
            groups.setdefault(parameter.unique, []).append(name)
    return {g: names for g, names in groups.items() if any(n in use.params for n in names)}
