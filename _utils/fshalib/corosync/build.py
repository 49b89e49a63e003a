"""corosync.conf as the formula writes it, from the pillar's settings."""

import difflib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fshalib.corosync.options import (
    BOOLEANS,
    CIPHERS,
    DEFAULT_CRYPTO,
    DEFAULT_LOGGING,
    HASHES,
    KNET,
    LINK_ALIASES,
    LINK_KEYS,
    MAX_LINKS,
    TOTEM_KEYS,
    TRANSPORTS,
    TRUTH,
    max_nodeid,
)
from fshalib.corosync.parser import Conf, ConfError, Entry, Option, Section


class SettingsError(ConfError):
    """The settings for a corosync.conf contradict corosync's rules."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True)
class RingNode:
    """A cluster node: name as in ``uname -n``, nodeid, one address (no prefix) per link."""

    name: str
    id: int
    addresses: tuple[str, ...]


def nodes_from(nodes: Mapping[str, Mapping[str, Any]]) -> tuple[RingNode, ...]:
    """Return the nodes of the pillar's ``nodes`` mapping, in its order.

    nodes
        ``{name: {"id": 1, "addresses": ["10.101.20.110/24", …]}}``; ``id`` defaults to the
        position, counted from 1; prefix lengths are dropped, other keys ignored.

    Raises :class:`SettingsError`.
    """
    if not isinstance(nodes, Mapping):
        raise SettingsError("nodes", "a mapping of names expected.")
    result = []
    for position, (name, given) in enumerate(nodes.items(), start=1):
        where = f"nodes:{name}"
        values = given if isinstance(given, Mapping) else {}
        raw = values.get("addresses")
        if not isinstance(raw, (list, tuple)) or not raw:
            raise SettingsError(f"{where}:addresses", "a list with one address per link expected.")
        identity = values.get("id") or position
        if not (str(identity).isascii() and str(identity).isdigit()):
            raise SettingsError(f"{where}:id", f'a number expected, not "{identity}".')
        addresses = tuple(
            _address(f"{where}:addresses:{link}", str(text)) for link, text in enumerate(raw)
        )
        result.append(RingNode(str(name), int(identity), addresses))
    return tuple(result)


def _address(path: str, text: str) -> str:
    try:
        return str(ipaddress.ip_interface(text).ip)
    except ValueError:
        raise SettingsError(path, f'an IPv4 or IPv6 address expected, not "{text}".') from None


def from_settings(
    cluster_name: str,
    nodes: Sequence[RingNode],
    transport: str = KNET,
    crypto: Mapping[str, str] | None = None,
    totem: Mapping[str, Any] | None = None,
    links: Sequence[Mapping[str, Any]] | None = None,
    quorum: Mapping[str, Any] | None = None,
    logging: Mapping[str, Any] | None = None,
) -> Conf:
    """Build the corosync.conf that every node of the cluster gets, the same text on each.

    cluster_name
        ``totem.cluster_name``.
    nodes
        All nodes; each has the same number of addresses, one per link, link 0 first.
    transport
        ``knet`` (up to 8 links, encrypted), ``udpu`` or ``udp`` (multicast; one link).
    crypto
        ``{"cipher": …, "hash": …}``. The defaults are aes256 and sha256 with knet, and none
        with udpu and udp: corosync 3 cannot encrypt with those.
    totem
        Further options of the totem section, names in :data:`TOTEM_KEYS`.
    links
        Options per link by position, names in :data:`LINK_KEYS`.
    quorum
        Further options of the quorum section. ``two_node: 1`` is added for exactly two
        nodes without a quorum device (votequorum(5)).
    logging
        Options of the logging section over :data:`DEFAULT_LOGGING`; a list of mappings is a
        repeated section (``logger_subsys``).

    Raises :class:`SettingsError`.
    """
    if not cluster_name:
        raise SettingsError("cluster:name", "a name for the cluster expected.")
    _one_of("corosync:transport", transport, TRANSPORTS)
    _check_nodes(nodes, transport)
    head = {"version": "2", "cluster_name": str(cluster_name), "transport": transport}
    head.update(_ip_version(nodes, totem or {}))
    head.update(_crypto(transport, crypto))
    entries: list[Entry] = [Option(key, value) for key, value in head.items()]
    entries += _totem(totem or {})
    totem_section = Section("totem", (*entries, *_interfaces(transport, nodes, links or ())))
    return Conf(
        (
            totem_section,
            Section("nodelist", tuple(_node_section(node) for node in nodes)),
            Section("quorum", _quorum(nodes, quorum or {})),
            Section("logging", _logging(logging or {})),
        )
    )


def _check_nodes(nodes: Sequence[RingNode], transport: str) -> None:
    if not nodes:
        raise SettingsError("nodes", "at least one node expected.")
    _unique("nodes", "name", (node.name for node in nodes))
    _unique("nodes", "id", (str(node.id) for node in nodes))
    links, highest = len(nodes[0].addresses), max_nodeid(transport)
    for node in nodes:
        where = f"nodes:{node.name}"
        if not 1 <= node.id <= highest:
            raise SettingsError(f"{where}:id", f"1 to {highest} expected, not {node.id}.")
        if len(node.addresses) != links:
            raise SettingsError(
                f"{where}:addresses",
                f"{links} addresses expected, as {nodes[0].name} has, not {len(node.addresses)}.",
            )
    if links > MAX_LINKS[transport]:
        raise SettingsError(
            "corosync:transport",
            f"{transport} has {MAX_LINKS[transport]} link(s) at most, the nodes have "
            f"{links} addresses; use knet, or give each node fewer addresses.",
        )
    for link in range(links):
        _unique("nodes", f"address on link {link}", (node.addresses[link] for node in nodes))
        if len({":" in node.addresses[link] for node in nodes}) > 1:
            raise SettingsError("nodes", f"link {link} mixes IPv4 and IPv6 addresses.")


def _unique(path: str, what: str, values: Iterable[str]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise SettingsError(path, f"the {what} {value} is used twice.")
        seen.add(value)


def _one_of(path: str, value: str, allowed: Iterable[str]) -> None:
    names = tuple(allowed)
    if value in names:
        return
    near = difflib.get_close_matches(value, names, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f": {', '.join(sorted(names))}."
    raise SettingsError(path, f'"{value}" is not known here{hint}')


def _ip_version(nodes: Sequence[RingNode], totem: Mapping[str, Any]) -> dict[str, str]:
    # Needed for udp, whose default is IPv4 only; harmless and clear for the others.
    only_v6 = all(":" in address for node in nodes for address in node.addresses)
    return {"ip_version": "ipv6"} if only_v6 and "ip_version" not in totem else {}


def _crypto(transport: str, crypto: Mapping[str, str] | None) -> dict[str, str]:
    given = {**(DEFAULT_CRYPTO if transport == KNET else {}), **(crypto or {})}
    cipher = str(given.get("cipher", "none"))
    digest = str(given.get("hash", "none"))
    _one_of("corosync:crypto:cipher", cipher, CIPHERS)
    _one_of("corosync:crypto:hash", digest, HASHES)
    if transport != KNET and (cipher, digest) != ("none", "none"):
        raise SettingsError(
            "corosync:crypto",
            f"transport {transport} cannot encrypt or sign; use transport knet, "
            "or cipher none and hash none.",
        )
    if cipher != "none" and digest == "none":
        raise SettingsError("corosync:crypto:hash", f"cipher {cipher} needs a hash.")
    return {"crypto_cipher": cipher, "crypto_hash": digest}


def _totem(totem: Mapping[str, Any]) -> list[Entry]:
    for key in totem:
        _one_of(f"corosync:totem:{key}", str(key), TOTEM_KEYS)
    # corosync does not compress by default, but does not take the word none.
    default = Option("knet_compression_model", "none")
    return [entry for entry in _entries("totem", totem) if entry != default]


def _interfaces(
    transport: str, nodes: Sequence[RingNode], links: Sequence[Mapping[str, Any]]
) -> Iterable[Section]:
    count = len(nodes[0].addresses)
    if len(links) > count:
        raise SettingsError(
            "corosync:links", f"{len(links)} links have options, the nodes have {count}."
        )
    for number, options in enumerate(links):
        named = {LINK_ALIASES.get(str(key), str(key)): value for key, value in options.items()}
        for key in named:
            _one_of(f"corosync:links:{number}:{key}", key, LINK_KEYS[transport])
        if named:
            rest = _entries("totem.interface", named)
            yield Section("interface", (Option("linknumber", str(number)), *rest))


def _node_section(node: RingNode) -> Section:
    addresses = (Option(f"ring{link}_addr", address) for link, address in enumerate(node.addresses))
    return Section("node", (Option("name", node.name), Option("nodeid", str(node.id)), *addresses))


def _quorum(nodes: Sequence[RingNode], quorum: Mapping[str, Any]) -> tuple[Entry, ...]:
    values: dict[str, Any] = {"provider": "corosync_votequorum"}
    if len(nodes) == 2 and "device" not in quorum:
        values["two_node"] = "1"
    values.update(quorum)
    result = _entries("quorum", values)
    if Option("two_node", "1") in result and len(nodes) != 2:
        raise SettingsError(
            "corosync:quorum:two_node", f"two_node is for two nodes, there are {len(nodes)}."
        )
    return result


def _logging(logging: Mapping[str, Any]) -> tuple[Entry, ...]:
    entries = _entries("logging", {**DEFAULT_LOGGING, **logging})
    if "logfile" in logging or Option("to_logfile", "no") not in entries:
        return entries
    # corosync would open it nevertheless, and not start if it can't.
    return tuple(e for e in entries if not (isinstance(e, Option) and e.key == "logfile"))


def _entries(path: str, values: Mapping[str, Any]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for key, value in values.items():
        here = f"{path}.{key}"
        if isinstance(value, Mapping):
            entries.append(Section(str(key), _entries(here, value)))
        elif isinstance(value, (list, tuple)):
            entries += [Section(str(key), _entries(here, item)) for item in value]
        else:
            entries.append(Option(str(key), _text(here, value)))
    return tuple(entries)


def _text(path: str, value: Any) -> str:
    """Return a plain value as corosync spells it."""
    if value is None:
        raise SettingsError(path.replace(".", ":"), "a value expected.")
    words = BOOLEANS.get(path.rpartition(".")[2])
    truth = TRUTH.get(str(value).lower())
    if truth is not None and (words or isinstance(value, bool)):
        return (words or ("no", "yes"))[truth]
    return str(value)
