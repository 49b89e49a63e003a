"""Rules about the network: how the ring's packets travel, and where the floating addresses are.

See :mod:`rules`: each check is a function from the configuration to findings, and what is known
of a finding stands in :data:`KNOWN`.
"""

import ipaddress
from collections.abc import Iterator, Mapping

from fshalib.agents import IPADDR2, plain
from fshalib.cib.objects import Object
from fshalib.cib.values import UnitError, parse_boolean
from fshalib.corosync.options import KNET, UDP, UDPU
from fshalib.lint.finding import HINT, Finding, KnownFinding
from fshalib.lint.topology import addresses
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

_CLEAR = (
    "Whoever reaches the port of the ring can read it, and can send what corosync takes for a "
    "node's. Upstream builds corosync without udp, udpu and cipher none since August 2026"
)
_MEND = (
    "use knet with a cipher, a hash and an authkey, on all nodes at once: it takes a restart of "
    "corosync on each"
)
KNOWN: Mapping[str, KnownFinding] = {
    "transport-udp": KnownFinding(
        f"{_CLEAR}. Multicast needs switches that pass it on, and has one link",
        'corosync.conf(5), transport; corosync\'s commit "Enforce encryption at compile time"',
        _MEND,
    ),
    "transport-udpu": KnownFinding(
        f"{_CLEAR}. It has one link",
        'corosync.conf(5), transport; corosync\'s commit "Enforce encryption at compile time"',
        _MEND,
    ),
    "no-cipher": KnownFinding(
        _CLEAR,
        "corosync.conf(5), crypto_cipher and crypto_hash",
        "set crypto: {cipher: aes256, hash: sha256} and an authkey, on all nodes at once: it takes "
        "a restart of corosync on each",
    ),
    "link-sctp": KnownFinding(
        "SCTP is deprecated since corosync 3.1.10, and upstream knet has removed it",
        "release notes of corosync 3.1.10; kronosnet 461",
        "remove knet_transport, on all nodes at once: the default is udp",
    ),
    "routed-link": KnownFinding(
        "Between different networks a router carries the ring, and the cluster can't move an "
        "address to a node whose networks do not hold it",
        "corosync takes it with knet and udpu; ocf:heartbeat:IPaddr2",
        "see that the route is there after a reboot of either node. If one network was meant, "
        "correct the address or its prefix length",
        HINT,
    ),
    "vip-elsewhere": KnownFinding(
        "IPaddr2 puts an address on the card whose network holds it. Where there is none, its "
        "start fails, and so does each failover",
        "ocf:heartbeat:IPaddr2, parameters nic and cidr_netmask",
        "give the card as nic and the prefix length as cidr_netmask, or name the card with its "
        "address under nodes:NODE:interfaces. If it is a typing mistake, correct it",
        HINT,
    ),
    "ipv6-announcement": KnownFinding(
        "IPaddr2 announces an IPv6 address before its start ends, an IPv4 address afterwards. "
        "This costs a second of each failover",
        "ocf:heartbeat:IPaddr2, parameter arp_bg; measured with resource-agents 4.12 and 4.16",
        "set arp_bg: true",
        HINT,
    ),
    "ipv6-dad": KnownFinding(
        "Until the kernel has looked for a duplicate of the address, one to two seconds, nobody "
        "can reach it: that long is each failover longer",
        "ocf:heartbeat:IPaddr2, parameter nodad; measured with resource-agents 4.12",
        "set nodad: true where fencing makes sure that the other node no longer has the address",
        HINT,
    ),
}

_RESOURCES: Keys = ("pacemaker", "resources")


def _transport(config: Config) -> Iterator[Finding]:
    transport = config.corosync.transport
    keys: Keys = ("corosync", "transport")
    if transport == UDP:
        yield "transport-udp", keys, "the ring is multicast in the clear"
    elif transport == UDPU:
        yield "transport-udpu", keys, "the ring is unicast in the clear"
    elif config.corosync.crypto["cipher"] == "none":
        signed = config.corosync.crypto["hash"] != "none"
        what = "signed, but not encrypted" if signed else "neither encrypted nor signed"
        yield "no-cipher", ("corosync", "crypto", "cipher"), f"the ring is {what}"


def _protocol(config: Config) -> Iterator[Finding]:
    for number, link in enumerate(config.corosync.links):
        if config.corosync.transport == KNET and link.get("knet_transport") == "sctp":
            keys = ("corosync", "links", number, "knet_transport")
            yield "link-sctp", keys, f"link {number} runs over SCTP"


def _routed(config: Config) -> Iterator[Finding]:
    first, *others = config.nodes or (None,)
    for node in others:
        pairs = zip(first.addresses, node.addresses, strict=False) if first else ()
        for link, texts in enumerate(pairs):
            one, other = map(ipaddress.ip_interface, texts)
            alone = one.network.num_addresses == 1 or other.network.num_addresses == 1
            if one.network != other.network and not alone:
                message = (
                    f"link {link} runs between {one.network} and {other.network}, "
                    f"the networks of {first.name if first else ''} and {node.name}"
                )
                yield "routed-link", ("nodes", node.name, "addresses"), message


def _elsewhere(config: Config) -> Iterator[Finding]:
    texts = [address for node in config.nodes for address in node.addresses]
    texts += [card.address for node in config.nodes for card in node.interfaces]
    networks = {ipaddress.ip_interface(text).network for text in texts}
    for item, ip in _ipaddr2(config) if networks else ():
        params = item.values("params")
        placed = params.get("nic") and params.get("cidr_netmask")
        if not placed and not any(ip in network for network in networks):
            keys = (*_RESOURCES, item.id, "params", "ip")
            yield "vip-elsewhere", keys, f"no address of the nodes is in the network of {ip}"


def _version_6(config: Config) -> Iterator[Finding]:
    for item, ip in _ipaddr2(config):
        params = item.values("params")
        keys = (*_RESOURCES, item.id)
        if ip.version == 6 and not _is_on(params.get("arp_bg", "false")):
            yield "ipv6-announcement", keys, "arp_bg is not true, and the address is IPv6"
        if ip.version == 6 and not _is_on(params.get("nodad", "false")):
            yield "ipv6-dad", keys, "nodad is not true, and the address is IPv6"


def _ipaddr2(
    config: Config,
) -> Iterator[tuple[Object, ipaddress.IPv4Address | ipaddress.IPv6Address]]:
    """Yield the floating addresses of IPaddr2, but for those that are none."""
    for item in addresses(config):
        try:
            ip = ipaddress.ip_address(item.values("params").get("ip", ""))
        except ValueError:
            continue
        if plain(item.agent) == IPADDR2:
            yield item, ip


def _is_on(text: str) -> bool:
    try:
        return parse_boolean(text)
    except UnitError:
        return False


CHECKS = (_transport, _protocol, _routed, _elsewhere, _version_6)
