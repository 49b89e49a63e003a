"""From the corosync.conf of a running cluster, whoever wrote it, to this formula's pillar.

The result holds what the pillar can say, and a note for everything else: what the formula
leaves as it is in the file, what was assumed, and what it would write otherwise. The last step
of :func:`export` is its own proof: corosync.conf is built from the new pillar as the formula
builds it, and each setting that would still mean something else becomes a note.

Pure functions; what this host knows (networks, names, addresses) is given to them.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fshalib.cib.values import FALSE_WORDS, TRUE_WORDS
from fshalib.corosync import conf as corosync_conf
from fshalib.corosync import diff, semantics
from fshalib.corosync.conf import Change, Conf, Section
from fshalib.corosync.semantics import Known
from fshalib.pillar import config, schema
from fshalib.pillar.field_types import is_network_end
from fshalib.schema import types
from fshalib.schema.types import INVALID, At, Flag, Report, Whole, printable, quoted

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

AUTHKEY = semantics.DEFAULTS["totem.keyfile"]

_RING = re.compile(r"ring([0-7])_addr")
_BRACKETS = re.compile(r"\[.*?\](?=[.\[]|$)")
_SHOWN = 200
# Assumed where no network of the host holds an address; the lower one at worst.
_PREFIXES = {4: (24, 8), 6: (64, 16)}

# What the formula writes itself, from elsewhere in the pillar or always the same.
_WRITTEN = frozenset(
    {"version", "cluster_name", "transport", "crypto_cipher", "crypto_hash", "provider"}
)
_NO_RINGS = "corosync 3 has no redundant rings, several links need transport knet"
_REASONS: Mapping[str, str] = {
    "totem.cluster_uuid": "corosync does not use it, only pcs does",
    "totem.key": "a key is never exported, put it into the file that authkey_file names",
    "totem.nodeid": "the pillar gives each node its id",
    "totem.vsftype": "corosync 3 does not know it",
    **dict.fromkeys(
        (
            "totem.rrp_autorecovery_check_timeout",
            "totem.rrp_mode",
            "totem.rrp_problem_count_mcast_threshold",
            "totem.rrp_problem_count_threshold",
            "totem.rrp_problem_count_timeout",
            "totem.rrp_token_expired_timeout",
        ),
        _NO_RINGS,
    ),
    "totem.interface.ringnumber": "it is the old name of linknumber",
    "totem.interface.bindnetaddr": "with a nodelist corosync takes the address from there",
    "totem.interface.member.memberaddr": "with a nodelist corosync takes the nodes from there",
    "nodelist.node.quorum_votes": "in the pillar each node has one vote",
    "quorum.device": "the pillar has no quorum device",
    "quorum.votes": "the nodes have their votes in the nodelist",
    "logging.logger_subsys": "the pillar sets logging for all subsystems at once",
    "logging.logging_daemon": "the pillar sets logging for all daemons at once",
    "uidgid": "a file in /etc/corosync/uidgid.d says the same",
}
_COST = {diff.RELOAD: "a reload", diff.RESTART: "a restart"}


@dataclass(frozen=True)
class Exported:
    """The pillar's part below ``fsha`` and a sentence about everything that is not in it."""

    pillar: dict[str, Any]
    notes: tuple[str, ...]


def export(
    conf: Conf,
    networks: Sequence[str] = (),
    names: Mapping[int, str] | None = None,
    hosts: Mapping[str, Sequence[str]] | None = None,
) -> Exported:
    """Return the pillar that the formula writes this corosync.conf from.

    networks
        The host's networks (``10.101.20.0/24``, or its addresses with prefix lengths), which
        tell the prefix length of each node's address.
    names
        Names of nodes by nodeid, as the CIB knows them, for nodes without a name of their own.
    hosts
        Addresses of host names in the resolver's order, for nodes whose addresses are names.

    Returns the keys ``cluster``, ``nodes`` and ``corosync``, with no more than what the formula
    must be told. Where no note tells of a reload or a restart, the file means the same to
    corosync as what the formula would write, so it is left as it is.

    Raises :class:`ValueError` for a network that is none.

    .. code-block:: python

        exported = export(conf.parse(text), ["10.101.20.0/24"])
    """
    notes = _Notes(_theirs(conf))
    if len(conf.sections("nodelist")) > 1:
        notes.add(
            "nodelist",
            "there are several; corosync lays their nodes over each other in their order, and the "
            "pillar has what that gives.",
        )
    conf = semantics.plain(conf)
    known = Known(names or {}, hosts or {})
    held = tuple(ipaddress.ip_interface(text).network for text in networks)
    listed = _listed(conf, known.names)
    numbers = _link_numbers(conf, listed)
    nodes = _nodes(listed, numbers, _Host(held, conf, known.hosts), notes)
    name = corosync_conf.options_of(conf, "totem").get("cluster_name", "")
    pillar: dict[str, Any] = {"cluster": {"name": name} if name else {}, "nodes": nodes}
    stand_ins = _stand_ins(nodes, numbers, _transport(conf))
    pillar["corosync"] = _corosync(conf, stand_ins, numbers, notes)
    _no_cluster(listed, notes)
    _compare(conf, pillar, stand_ins, known, notes)
    return Exported(pillar, tuple(notes.texts))


# --- notes -----------------------------------------------------------------------------------


@dataclass
class _Notes:
    """Collects notes.

    ``theirs`` is what corosync takes for settings that are not there. ``covered`` are paths of
    corosync.conf, and ``refused`` paths of the pillar, that a note has told about already;
    ``reasons`` say of a path why the pillar cannot hold it.
    """

    theirs: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, sentence: str, *covered: str) -> None:
        """Note a sentence about a path; it is all there is to say of what is ``covered``."""
        self.texts.append(f"{printable(path, _SHOWN)}: {sentence}")
        self.covered.update(covered)

    def changed(self, change: Change) -> None:
        """Note what the formula would write otherwise."""
        old, new = (_shown(change.path, text) for text in (change.old, change.new))
        deed = "leave it out" if change.new is None else "write it"
        why = f"{self._why(change.path)}the formula would {deed}, which takes"
        cost = _COST[diff.change_class((change,))]
        self.add(change.path, f"{old} → {new}: {why} {cost} of corosync.", change.path)

    def kept(self, path: str, said: str, *covered: str) -> None:
        """Note what the pillar has no place for and the formula leaves in the file."""
        why = self._why(path) or "the pillar has no place for it; "
        self.add(path, f"{why}the formula keeps it in the file ({said}).", *covered)

    def unused(self, path: str, text: str) -> None:
        """Note what corosync does nothing with."""
        why = self._why(path)
        said = "corosync does nothing with it, and the formula would leave it out"
        self.add(path, f"{why}{said} ({_shown(path, text)}).", path)

    def _why(self, path: str) -> str:
        reason = self.reasons.get(path, _reason(path))
        return f"{reason}; " if reason else ""

    def knows(self, path: str) -> bool:
        """Tell whether a note was made about a path of corosync.conf."""
        return _below(path, self.covered, ".[")


def _below(path: str, tops: Iterable[str], separators: str) -> bool:
    return any(path == t or path.startswith(tuple(t + c for c in separators)) for t in tops)


def _reason(path: str) -> str:
    return _REASONS.get(_BRACKETS.sub("", path), "")


def _shown(path: str, text: str | None) -> str:
    """Return a value as it may be shown: no key, and nothing that may have been meant as one."""
    if text is None:
        return "nothing"
    key = path.rpartition(".")[2]
    if key == "key" or (key == "keyfile" and not text.startswith("/")):
        return "(secret)"
    return printable(text, _SHOWN) or '""'


# --- nodes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Host:
    """What this host knows: its networks, and addresses of the host names in a file."""

    networks: tuple[Network, ...]
    conf: Conf
    addresses: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class _Listed:
    """A node as corosync.conf lists it; ``links`` are its addresses by link number.

    ``unnamed`` says where the name comes from when the node has none of its own.
    """

    path: str
    name: str
    unnamed: str
    section: Section
    links: Mapping[int, str]

    @property
    def wanted(self) -> str:
        """Its path in the corosync.conf that the formula writes."""
        return f"nodelist.node[{self.name}]"


def _listed(conf: Conf, names: Mapping[int, str]) -> tuple[_Listed, ...]:
    result: list[_Listed] = []
    sections = (node for part in conf.sections("nodelist") for node in part.sections("node"))
    for section in sections:
        options = section.options()
        links = {int(m[1]): text for key, text in options.items() if (m := _RING.fullmatch(key))}
        path = _node_path(options, {node.path for node in result})
        result.append(_Listed(path, *_node_name(options, names), section, links))
    return tuple(result)


def _node_path(options: Mapping[str, str], taken: set[str]) -> str:
    """Return the path by which ``fshalib.corosync.conf.flatten`` calls a node."""
    keys = (key for key in ("name", "nodeid", "ring0_addr") if key in options)
    identity = options.get(next(keys, ""), "1")
    path, number = f"nodelist.node[{identity}]", 2
    while path in taken:
        path, number = f"nodelist.node[{identity}#{number}]", number + 1
    return path


def _node_name(options: Mapping[str, str], names: Mapping[int, str]) -> tuple[str, str]:
    """Return a node's name and, when it is not its own, what to think of it."""
    number = options.get("nodeid", "")
    address = options.get("ring0_addr", "")
    known = names.get(int(number), "") if _is_number(number) else ""
    if options.get("name"):
        return options["name"], ""
    if known or (address and _address(address) is None):
        return known or address, "which is how Pacemaker calls it"
    return address or f"node{number}", "put the name that `uname -n` prints there in its place"


def _link_numbers(conf: Conf, listed: Sequence[_Listed]) -> tuple[int, ...]:
    """Return the numbers of the links; their order is that of the pillar's addresses."""
    found = {number for node in listed for number in node.links}
    if not listed:
        found = {int(n) for n in map(corosync_conf.link_number, _interfaces(conf)) if _is_number(n)}
    return tuple(sorted(found))


def _nodes(
    listed: Sequence[_Listed], numbers: Sequence[int], host: _Host, notes: _Notes
) -> dict[str, Any]:
    _gaps(listed, numbers, notes)
    result: dict[str, Any] = {}
    for node in listed:
        if node.name in result:
            notes.add(
                node.path,
                f"another node is called {printable(node.name)}; the pillar tells nodes apart by "
                f"name, so the formula would leave this one out ({_listing(node.section)}).",
                node.path,
            )
            continue
        _name_note(node, notes)
        _node_rest(node, notes)
        facts: dict[str, Any] = {}
        identity = _id(node, len(result) + 1, notes)
        if identity is not None:
            facts["id"] = identity
        facts["addresses"] = _addresses(node, listed, numbers, host, notes)
        result[node.name] = facts
    return result


def _gaps(listed: Sequence[_Listed], numbers: Sequence[int], notes: _Notes) -> None:
    for position, number in enumerate(numbers):
        if listed and position != number:
            moved = {f"ring{n}_addr" for n in (position, number)}
            notes.add(
                f"nodelist.node.ring{number}_addr",
                f"the pillar numbers links without a gap, so link {number} becomes link "
                f"{position}, which takes a restart of corosync.",
                *(f"{node.wanted}.{key}" for node in listed for key in moved),
            )


def _node_rest(node: _Listed, notes: _Notes) -> None:
    """Note what the pillar has no place for in a node."""
    for entry in node.section.entries:
        key = entry.name if isinstance(entry, Section) else entry.key
        if key not in ("name", "nodeid") and not _RING.fullmatch(key):
            notes.kept(
                f"{node.path}.{key}",
                _content(f"{node.path}.{key}", entry),
                f"{node.path}.{key}",
                f"{node.wanted}.{key}",
            )


def _name_note(node: _Listed, notes: _Notes) -> None:
    if node.unnamed:
        notes.add(
            node.path,
            f"this node has no name; the pillar has {printable(node.name)}, {node.unnamed}.",
            f"{node.wanted}.name",
        )


def _id(node: _Listed, position: int, notes: _Notes) -> int | None:
    text = node.section.options().get("nodeid")
    if text and _is_number(text) and 1 <= int(text) <= corosync_conf.MAX_NODEID:
        return int(text)
    path = f"{node.path}.nodeid"
    wrong = (
        "there is none and corosync makes one of the address"
        if text is None
        else f"the pillar takes 1 to {corosync_conf.MAX_NODEID}, not {quoted(text)}"
    )
    notes.add(
        path,
        f"{wrong}; the formula would number this node by its position, {position}, which takes "
        "a restart of corosync.",
        path,
        f"{node.wanted}.nodeid",
    )
    return None


def _addresses(
    node: _Listed,
    listed: Sequence[_Listed],
    numbers: Sequence[int],
    host: _Host,
    notes: _Notes,
) -> list[str]:
    result = []
    for number in numbers:
        if number not in node.links:
            notes.refused.add(f"fsha:nodes:{node.name}:addresses")
            notes.add(
                f"{node.path}.ring{number}_addr",
                f"this node has no address on link {number}, other nodes have; the pillar wants "
                "one for each link of each node and is refused until it is there.",
            )
            continue
        peers = [_resolved(n.links[number], host) for n in listed if number in n.links]
        result.append(_with_prefix(node, number, [p for p in peers if p], host, notes))
    return result


def _with_prefix(
    node: _Listed, number: int, peers: Sequence[Address], host: _Host, notes: _Notes
) -> str:
    text = node.links[number]
    path = f"{node.path}.ring{number}_addr"
    found = _resolved(text, host)
    if found is None:
        _unknown_host(node, path, text, notes)
        return text
    if _address(text) is None:
        notes.add(
            path,
            f"{printable(text)} is a host name; the pillar has its address {found}, which is "
            "the same to corosync.",
            path,
            f"{node.wanted}.ring{number}_addr",
        )
    length = _prefix(found, peers, host.networks)
    if length is None:
        length = _assumed(found, peers)
        notes.add(
            path,
            f"the prefix length /{length} is assumed, because no network of this host holds "
            f"{found}.",
        )
    return f"{found}/{length}"


def _unknown_host(node: _Listed, path: str, text: str, notes: _Notes) -> None:
    notes.refused.add(f"fsha:nodes:{node.name}:addresses")
    shown = f"{printable(text)} is a host name" if text else "the address is missing"
    notes.add(
        path,
        f"{shown}; the pillar wants an address with its prefix length, and is refused until "
        "one stands in its place.",
        path,
        f"{node.wanted}.{path.rpartition('.')[2]}",
    )


def _resolved(text: str, host: _Host) -> Address | None:
    return _address(semantics.resolve(host.conf, text, host.addresses) or "")


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _prefix(found: Address, peers: Sequence[Address], networks: Sequence[Network]) -> int | None:
    """Return the prefix length of an address, best that of a network that holds its peers too."""
    holding = [network for network in networks if found in network]
    sizes = [(all(peer in n for peer in peers), n.prefixlen) for n in holding]
    return max(sizes)[1] if sizes else None


def _assumed(found: Address, peers: Sequence[Address]) -> int:
    """Return the longest usual prefix length with which the peers are in one network."""
    usual, shortest = _PREFIXES[found.version]
    for length in range(usual, shortest - 1, -1):
        network = ipaddress.ip_interface(f"{found}/{length}").network
        if all(peer in network and not is_network_end(peer, network) for peer in peers):
            return length
    return usual


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,10}", text) is not None


# --- corosync --------------------------------------------------------------------------------


def _transport(conf: Conf) -> str:
    """Return the transport that the pillar can say."""
    found = corosync_conf.options_of(conf, "totem").get("transport", corosync_conf.KNET)
    return found if found in corosync_conf.TRANSPORTS else corosync_conf.KNET


def _theirs(conf: Conf) -> Mapping[str, str]:
    """Return what corosync takes for the settings that are not there."""
    result = dict(semantics.DEFAULTS)
    if corosync_conf.options_of(conf, "totem").get("secauth") == "on":
        result["totem.crypto_cipher"] = corosync_conf.DEFAULT_CRYPTO["cipher"]
        result["totem.crypto_hash"] = corosync_conf.DEFAULT_CRYPTO["hash"]
    return result


def _stand_ins(
    nodes: Mapping[str, Mapping[str, Any]], numbers: Sequence[int], transport: str
) -> tuple[corosync_conf.Node, ...]:
    """Return nodes without a fault, as many and with as many links as there are.

    With them everything but the nodes can be built, whatever is wrong with the nodes; without
    any nodelist there are two.
    """
    links = min(max(len(numbers), 1), corosync_conf.MAX_LINKS[transport])
    texts = [text for node in nodes.values() for text in node["addresses"]]
    only_v6 = bool(texts) and all(":" in text for text in texts)
    start = ipaddress.ip_address("2001:db8::" if only_v6 else "10.0.0.0")
    return tuple(
        corosync_conf.Node(name, n, tuple(str(start + (link << 16) + n) for link in range(links)))
        for n, name in enumerate(nodes or ("a", "b"), start=1)
    )


def _corosync(
    conf: Conf,
    nodes: Sequence[corosync_conf.Node],
    numbers: Sequence[int],
    notes: _Notes,
) -> dict[str, Any]:
    transport = _transport(conf)
    usual = corosync_conf.flatten(corosync_conf.from_settings("a", nodes, transport))
    result: dict[str, Any] = {
        "transport": "" if transport == corosync_conf.KNET else transport,
        "crypto": _crypto(conf, transport, usual, notes),
        "totem": _settings(conf, "totem", schema.TOTEM, usual, notes),
        "links": _links(conf, transport, numbers, notes),
        "quorum": _quorum(conf, len(nodes), usual, notes),
        "logging": _settings(conf, "logging", schema.LOGGING, usual, notes),
    }
    result = {key: value for key, value in result.items() if value}
    if semantics.needs_key(_built("a", nodes, result)):
        result["authkey_file"] = _authkey_file(result.get("totem", {}), notes)
    return result


def _settings(
    conf: Conf,
    name: str,
    shape: types.Section,
    usual: Mapping[str, str],
    notes: _Notes,
) -> dict[str, Any]:
    """Return a section's settings that the pillar must name.

    They are those that are not what the formula writes anyway, and those that are not there
    where the formula would write something else than corosync's own default.
    """
    given = {f"{name}.{key}": text for key, text in corosync_conf.options_of(conf, name).items()}
    added = {p: notes.theirs[p] for p in usual if p in notes.theirs and p not in given}
    result = {}
    for path, said in {**given, **added}.items():
        section, _, key = path.partition(".")
        text = semantics.spelled(path, said)
        known = section == name and key in shape.fields and key not in _WRITTEN
        if known and usual.get(path) != text:
            value = _value(path, text, shape.fields[key].kind, notes)
            if value is not INVALID:
                result[key] = value
    return result


def _value(path: str, text: str, kind: types.Kind, notes: _Notes) -> object:
    """Return a setting's text as the pillar's value."""
    value: object = text
    if isinstance(kind, Flag) and text.lower() in TRUE_WORDS | FALSE_WORDS:
        value = text.lower() in TRUE_WORDS
    elif isinstance(kind, Whole) and _is_number(text):
        value = int(text)
    checked = kind.check(value, At(Report()))
    if checked is INVALID:
        notes.reasons[path] = f"the pillar takes {kind.expected}"
    return checked


def _crypto(
    conf: Conf, transport: str, usual: Mapping[str, str], notes: _Notes
) -> dict[str, object]:
    totem = corosync_conf.options_of(conf, "totem")
    given = {
        kind: totem.get(f"crypto_{kind}", notes.theirs[f"totem.crypto_{kind}"])
        for kind in ("cipher", "hash")
    }
    if transport != corosync_conf.KNET:
        reason = "corosync 3 encrypts with transport knet only"
        notes.reasons.update(dict.fromkeys(("totem.crypto_cipher", "totem.crypto_hash"), reason))
        return {}
    fields = schema.COROSYNC.fields["crypto"].kind.fields  # type: ignore[attr-defined]
    result = {}
    for kind, text in given.items():
        path = f"totem.crypto_{kind}"
        if text != usual[path]:
            result[kind] = _value(path, text, fields[kind].kind, notes)
    result = {kind: value for kind, value in result.items() if value is not INVALID}
    if result.get("hash") == "none" and result.get("cipher") != "none":
        notes.reasons["totem.crypto_hash"] = "a cipher needs a hash, and corosync refuses this"
        del result["hash"]
    return result


def _authkey_file(totem: Mapping[str, Any], notes: _Notes) -> str:
    """Return where the authkey lies: the key itself is never exported."""
    keyfile = str(totem.get("keyfile", AUTHKEY))
    if keyfile != AUTHKEY:
        notes.add(
            "totem.keyfile",
            f"corosync reads the key from {keyfile}, which authkey_file names; the formula would "
            f"put that key at {AUTHKEY} as well.",
        )
    return keyfile


def _interfaces(conf: Conf) -> tuple[Section, ...]:
    """Return the sections that hold options of links."""
    return tuple(link for totem in conf.sections("totem") for link in totem.sections("interface"))


def _links(
    conf: Conf, transport: str, numbers: Sequence[int], notes: _Notes
) -> list[dict[str, object]]:
    result: list[dict[str, object]] = [{} for _ in numbers[: corosync_conf.MAX_LINKS[transport]]]
    for link in _interfaces(conf):
        number = corosync_conf.link_number(link)
        path = f"totem.interface[{number}]"
        position = numbers.index(int(number)) if _is_link(number, numbers) else len(result)
        for key, text in link.options().items():
            if position >= len(result):
                notes.reasons[f"{path}.{key}"] = "the nodes have no such link"
            elif key in corosync_conf.LINK_KEYS[transport]:
                kind = schema.LINK.fields[key].kind
                said = semantics.spelled(f"totem.interface.{key}", text)
                value = _value(f"{path}.{key}", said, kind, notes)
                result[position].update({} if value is INVALID else {key: value})
            elif key in schema.LINK.fields and not _reason(f"{path}.{key}"):
                notes.reasons[f"{path}.{key}"] = f"transport {transport} does not use it"
    while result and not result[-1]:
        result.pop()
    return result


def _is_link(number: str, numbers: Sequence[int]) -> bool:
    return _is_number(number) and int(number) in numbers


def _quorum(conf: Conf, count: int, usual: Mapping[str, str], notes: _Notes) -> dict[str, Any]:
    result = _settings(conf, "quorum", schema.QUORUM, usual, notes)
    if result.get("two_node") and count != 2:
        notes.reasons["quorum.two_node"] = f"two_node is for two nodes, there are {count}"
        del result["two_node"]
    elif result.get("auto_tie_breaker") and result.get("two_node", count == 2):
        notes.reasons["quorum.two_node"] = "corosync switches it off beside auto_tie_breaker"
        result["two_node"] = False
    return result


# --- the rest ------------------------------------------------------------------------------


def _content(path: str, entry: corosync_conf.Entry) -> str:
    return _listing(entry) if isinstance(entry, Section) else _shown(path, entry.value)


def _listing(section: Section) -> str:
    """Return what stands in a section, on one line."""
    top = f"{section.name}."
    flat = corosync_conf.flatten(Conf((section,)))
    parts = (f"{path.removeprefix(top)}: {_shown(path, text)}" for path, text in flat.items())
    return ", ".join(parts) or "it is empty"


def _no_cluster(listed: Sequence[_Listed], notes: _Notes) -> None:
    """Note that there are no nodes to export, so that no pillar can come of it."""
    nodes = [corosync_conf.Node(n.name, 0, tuple(n.links.values())) for n in listed]
    if corosync_conf.only_loopback(nodes):
        said = "this is the one-node example of the packages, and no cluster to take over"
    elif not listed:
        said = "there is none; the pillar names each node with its addresses, fill them in"
    else:
        return
    notes.add("nodelist", f"{said}; the pillar is refused as it is.")
    notes.refused.add("fsha:nodes")


# --- the proof -------------------------------------------------------------------------------


def _compare(
    conf: Conf,
    pillar: Mapping[str, Any],
    stand_ins: Sequence[corosync_conf.Node],
    known: Known,
    notes: _Notes,
) -> None:
    """Note what the checks of the pillar say, what is not in it, and what would still differ."""
    sound = _check(pillar, notes)
    name = pillar["cluster"].get("name") or _default_name()
    try:
        nodes: Sequence[corosync_conf.Node] = corosync_conf.nodes_from(pillar["nodes"])
        built = _built(name, nodes, pillar["corosync"])
    except corosync_conf.SettingsError as wrong:
        if sound:
            notes.add(wrong.path, f"the formula would refuse this pillar: {wrong.message}")
        # All that there is to say of the nodes was said above; compare the rest.
        built = _without_nodes(_built(name, stand_ins, pillar["corosync"]))
        conf = _without_nodes(conf)
    kept = diff.kept(conf, built)
    for path, entry in [one for one in kept.rest if not notes.knows(one[0])]:
        notes.kept(path, _content(path, entry), path)
    writes = corosync_conf.flatten(built)
    for path, text in semantics.unused(conf).items():
        if writes.get(path) != text and not notes.knows(path):
            notes.unused(path, text)
    for change in diff.difference(conf, kept.conf, known):
        if not notes.knows(change.path):
            notes.changed(change)


def _check(pillar: Mapping[str, Any], notes: _Notes) -> bool:
    """Note the mistakes in the pillar; tell whether there is none, noted before or not."""
    try:
        config.check(pillar)
    except config.ConfigErrors as wrong:
        for error in wrong.errors:
            if not _below(error.path, notes.refused, ":"):
                notes.add(error.path, f"the formula would refuse this pillar: {error.message}")
        return False
    return True


def _built(
    name: str, nodes: Sequence[corosync_conf.Node], corosync: Mapping[str, Any]
) -> corosync_conf.Conf:
    """Build corosync.conf as the state ``corosync_config.managed`` does."""
    return corosync_conf.from_settings(
        name,
        nodes,
        transport=corosync.get("transport", corosync_conf.KNET),
        crypto=corosync.get("crypto"),
        totem=corosync.get("totem"),
        links=corosync.get("links"),
        quorum=corosync.get("quorum"),
        logging=corosync.get("logging"),
    )


def _default_name() -> str:
    return str(schema.CLUSTER.fields["name"].default)


def _without_nodes(conf: Conf) -> Conf:
    """Return a configuration whose nodelist has no node in it."""
    return Conf(
        tuple(
            Section(e.name, tuple(inner for inner in e.entries if not _is_node(inner)))
            if isinstance(e, Section) and e.name == "nodelist"
            else e
            for e in conf.entries
        )
    )


def _is_node(entry: corosync_conf.Entry) -> bool:
    return isinstance(entry, Section) and entry.name == "node"
