"""The nodes of a corosync.conf as the pillar's ``nodes``."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fshalib.corosync import conf as corosync_conf
from fshalib.corosync import nodeids, semantics
from fshalib.corosync import options as corosync_options
from fshalib.corosync.options import KNET
from fshalib.corosync.parser import Conf, Section
from fshalib.pillar.export_notes import Notes, content, interfaces, listing
from fshalib.pillar.field_types import is_network_end
from fshalib.schema.report import printable, quoted

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_RING = re.compile(r"ring([0-7])_addr")
# Assumed for an address outside the host's networks: between the first and the second.
_PREFIXES = {4: (24, 8), 6: (64, 16)}


@dataclass(frozen=True)
class Host:
    """The host's networks, and its addresses of the host names in a file."""

    networks: tuple[Network, ...]
    conf: Conf
    addresses: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Listed:
    """A node as corosync.conf lists it; ``links`` are its addresses by link number.

    ``number`` is its nodeid, also one that corosync makes of its address. ``unnamed`` tells the
    origin of the name if the file has none.
    """

    path: str
    name: str
    unnamed: str
    section: Section
    links: Mapping[int, str]
    number: str | None

    @property
    def wanted(self) -> str:
        """Its path in the corosync.conf that the formula writes."""
        return f"nodelist.node[{self.name}]"


def listed_nodes(conf: Conf, known: semantics.ClusterFacts) -> tuple[Listed, ...]:
    """Return the nodes as the file lists them.

    conf
        The configuration, as ``semantics.plain`` returns it.
    """
    result: list[Listed] = []
    both = (conf, nodeids.numbered(conf, known.hosts))
    sections = (corosync_conf.inner(c, "nodelist", "node") for c in both)
    for section, with_id in zip(*sections, strict=True):
        options = section.options()
        number = with_id.options().get("nodeid")
        links = {int(m[1]): text for key, text in options.items() if (m := _RING.fullmatch(key))}
        path = _node_path(options, {node.path for node in result})
        name, unnamed = _node_name(options, number, known.names)
        result.append(Listed(path, name, unnamed, section, links, number))
    return tuple(result)


def _node_path(options: Mapping[str, str], taken: set[str]) -> str:
    """Return the path of a node in ``fshalib.corosync.conf.flatten``."""
    keys = (key for key in ("name", "nodeid", "ring0_addr") if key in options)
    identity = options.get(next(keys, ""), "1")
    path, number = f"nodelist.node[{identity}]", 2
    while path in taken:
        path, number = f"nodelist.node[{identity}#{number}]", number + 1
    return path


def _node_name(
    options: Mapping[str, str], number: str | None, names: Mapping[int, str]
) -> tuple[str, str]:
    """Return a node's name and, if it is not from the file, a remark on it."""
    address = options.get("ring0_addr", "")
    known = names.get(int(number), "") if number and is_number(number) else ""
    if options.get("name"):
        return options["name"], ""
    if known or (address and _address(address) is None):
        return known or address, "which is how Pacemaker calls it"
    return address or f"node{number}", "put the name that `uname -n` prints there in its place"


def link_numbers(conf: Conf, listed: Sequence[Listed]) -> tuple[int, ...]:
    """Return the numbers of the links; their order is that of the pillar's addresses."""
    numbers = {number for node in listed for number in node.links}
    if not listed:
        numbers = {int(n) for n in map(corosync_conf.link_number, interfaces(conf)) if is_number(n)}
    return tuple(sorted(numbers))


def pillar_nodes(
    listed: Sequence[Listed], numbers: Sequence[int], host: Host, notes: Notes
) -> dict[str, Any]:
    """Return the nodes as the pillar has them."""
    _gaps(listed, numbers, notes)
    transport = corosync_conf.options_of(host.conf, "totem").get("transport", KNET)
    result: dict[str, Any] = {}
    for node in listed:
        if node.name in result:
            notes.add(
                node.path,
                f"another node is called {printable(node.name)}; the pillar tells nodes apart by "
                f"name, so the formula would leave this one out ({listing(node.section)}).",
                node.path,
            )
            continue
        _name_note(node, notes)
        _node_rest(node, notes)
        facts: dict[str, Any] = {}
        identity = _id(node, len(result) + 1, transport, notes)
        if identity is not None:
            facts["id"] = identity
        facts["addresses"] = _addresses(node, listed, numbers, host, notes)
        result[node.name] = facts
    return result


def _gaps(listed: Sequence[Listed], numbers: Sequence[int], notes: Notes) -> None:
    for position, number in enumerate(numbers):
        if listed and position != number:
            moved = {f"ring{n}_addr" for n in (position, number)}
            notes.add(
                f"nodelist.node.ring{number}_addr",
                f"the pillar numbers links without a gap, so link {number} becomes link "
                f"{position}, which takes a restart of corosync.",
                *(f"{node.wanted}.{key}" for node in listed for key in moved),
            )


def _node_rest(node: Listed, notes: Notes) -> None:
    """Note the settings of a node that the pillar has no key for."""
    for entry in node.section.entries:
        key = entry.name if isinstance(entry, Section) else entry.key
        if key not in ("name", "nodeid") and not _RING.fullmatch(key):
            notes.kept(
                f"{node.path}.{key}",
                content(f"{node.path}.{key}", entry),
                f"{node.path}.{key}",
                f"{node.wanted}.{key}",
            )


def _name_note(node: Listed, notes: Notes) -> None:
    if node.unnamed:
        notes.add(
            node.path,
            f"this node has no name; the pillar has {printable(node.name)}, {node.unnamed}.",
            f"{node.wanted}.name",
        )


def _id(node: Listed, position: int, transport: str, notes: Notes) -> int | None:
    text, path = node.number, f"{node.path}.nodeid"
    highest = corosync_options.max_nodeid(transport)
    if text and is_number(text) and 1 <= int(text) <= highest:
        if "nodeid" not in node.section.options():
            notes.add(
                path,
                f"there is no nodeid, and corosync makes one of the address; the pillar has that "
                f"number, {int(text)}, which is the same to corosync.",
                path,
                f"{node.wanted}.nodeid",
            )
        return int(text)
    wrong = (
        "there is no nodeid"
        if text is None
        else f"the pillar takes 1 to {highest}, not {quoted(text)}"
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
    node: Listed,
    listed: Sequence[Listed],
    numbers: Sequence[int],
    host: Host,
    notes: Notes,
) -> list[str]:
    result = []
    for number in numbers:
        if number not in node.links:
            notes.refused.add(f"fsha:nodes:{node.name}:addresses")
            notes.add(
                f"{node.path}.ring{number}_addr",
                f"this node has no address on link {number}, other nodes have one; put it into the "
                "pillar, which is refused without it.",
            )
            continue
        peers = [_resolved(n.links[number], host) for n in listed if number in n.links]
        result.append(_with_prefix(node, number, [p for p in peers if p], host, notes))
    return result


def _with_prefix(
    node: Listed, number: int, peers: Sequence[Address], host: Host, notes: Notes
) -> str:
    text = node.links[number]
    path = f"{node.path}.ring{number}_addr"
    address = _resolved(text, host)
    if address is None:
        _unknown_host(node, path, text, notes)
        return text
    if _address(text) is None:
        notes.add(
            path,
            f"{printable(text)} is a host name; the pillar has its address {address}, which is "
            "the same to corosync.",
            path,
            f"{node.wanted}.ring{number}_addr",
        )
    length = _prefix(address, peers, host.networks)
    if length is None:
        length = _routed(address, peers, host.networks) or _assumed(address, peers)
        notes.add(
            path,
            f"the prefix length /{length} is assumed, because no network of this host holds "
            f"{address}.",
        )
    return f"{address}/{length}"


def _unknown_host(node: Listed, path: str, text: str, notes: Notes) -> None:
    notes.refused.add(f"fsha:nodes:{node.name}:addresses")
    shown = f"{printable(text)} is a host name" if text else "the address is missing"
    notes.add(
        path,
        f"{shown}; put an address with its prefix length in its place, the pillar is refused "
        "without it.",
        path,
        f"{node.wanted}.{path.rpartition('.')[2]}",
    )


def _resolved(text: str, host: Host) -> Address | None:
    return _address(semantics.resolve(host.conf, text, host.addresses) or "")


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _prefix(address: Address, peers: Sequence[Address], networks: Sequence[Network]) -> int | None:
    """Return the prefix length of an address's network, if possible one with its peers."""
    holding = [network for network in networks if address in network]
    sizes = [(all(peer in n for peer in peers), n.prefixlen) for n in holding]
    return max(sizes)[1] if sizes else None


def _routed(address: Address, peers: Sequence[Address], networks: Sequence[Network]) -> int | None:
    """Return the prefix length that a peer has on this host, for an address in another network."""
    held = [n.prefixlen for n in networks if any(peer in n for peer in peers)]
    for length in sorted(held, reverse=True):
        if not is_network_end(address, ipaddress.ip_interface(f"{address}/{length}").network):
            return length
    return None


def _assumed(address: Address, peers: Sequence[Address]) -> int:
    """Return the longest usual prefix length with which the peers are in one network."""
    usual, shortest = _PREFIXES[address.version]
    for length in range(usual, shortest - 1, -1):
        network = ipaddress.ip_interface(f"{address}/{length}").network
        if all(peer in network and not is_network_end(peer, network) for peer in peers):
            return length
    return usual


def is_number(text: str) -> bool:
    """Tell whether text is a number that corosync takes."""
    return re.fullmatch(r"[0-9]{1,10}", text) is not None
