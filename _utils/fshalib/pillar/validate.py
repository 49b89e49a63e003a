"""Checks of the pillar that look at several keys at once.

:data:`schema.PILLAR` has checked the data and left wrong values out. Each check looks only at the
remaining data, so one mistake is reported once.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fshalib.agents import ADDRESS_PARAMETER, plain
from fshalib.cib.nvset import NO_SETS
from fshalib.corosync.options import KNET, LINK_KEYS, MAX_LINKS, UDP, max_nodeid
from fshalib.pillar import (
    validate_freeswitch,
    validate_objects,
    validate_store,
    validate_watchdog,
)
from fshalib.pillar.field_types import is_network_end
from fshalib.schema.report import Keys, Location, given, printable, quoted

Data = Mapping[str, Any]
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def check(data: Data, raw: object, at: Location) -> None:
    """Report every contradiction in the whole pillar.

    data
        The checked pillar.
    raw
        The unchecked pillar. A key with a wrong value is in it, so it is not reported as missing.
    """
    nodes = data.get("nodes", {})
    _nodes(nodes, data.get("corosync", {}), at.below("nodes"))
    _corosync(data.get("corosync", {}), raw, nodes, at.below("corosync"))
    pacemaker = data.get("pacemaker", {})
    validate_objects.check(pacemaker, given(raw, "pacemaker"), nodes, at.below("pacemaker"))
    validate_watchdog.check(pacemaker, given(raw, "pacemaker"), at.below("pacemaker"))
    _vips(data, at)
    validate_freeswitch.check(data, at)
    validate_store.check(data, at)


# --- nodes -----------------------------------------------------------------------------------


def _nodes(nodes: Data, corosync: Data, at: Location) -> None:
    _host_names(nodes, at)
    _node_ids(nodes, corosync, at)
    _links(nodes, corosync, at)
    _distinct_addresses(nodes, at)
    for name, node in nodes.items():
        for nic, stanza in node.get("interfaces", {}).items():
            _gateway(stanza, at.below(name, "interfaces", nic))


def _host_names(nodes: Data, at: Location) -> None:
    taken: dict[str, str] = {}
    for name in nodes:
        if name.casefold() in taken:
            at.below(name).error(f"a name of its own is expected, {quoted(name)} is taken already.")
        taken[name.casefold()] = name
    for name, node in nodes.items():
        for alias in node.get("aliases", ()):
            other = taken.setdefault(alias.casefold(), name)
            if other != name or alias.casefold() == name.casefold():
                at.below(name, "aliases").error(
                    f"names of its own are expected, {quoted(alias)} is taken by "
                    f"{printable(other)}."
                )


def _node_ids(nodes: Data, corosync: Data, at: Location) -> None:
    taken: dict[int, str] = {}
    highest = max_nodeid(str(corosync.get("transport", KNET)))
    for position, (name, node) in enumerate(nodes.items(), start=1):
        identity = node.get("id", position)
        if identity in taken:
            given = "" if "id" in node else " (by the node's position)"
            at.below(name, "id").error(
                f"an id of its own is expected, {identity}{given} is that of "
                f"{printable(taken[identity])}."
            )
        elif identity > highest:
            at.below(name, "id").error(
                f"a number up to {highest} is expected with transport knet, not {identity}."
            )
        taken.setdefault(identity, name)


def _interfaces(node: Data) -> list[Interface]:
    return [ipaddress.ip_interface(text) for text in node.get("addresses", ())]


def _links(nodes: Data, corosync: Data, at: Location) -> None:
    complete = {name: _interfaces(node) for name, node in nodes.items() if "addresses" in node}
    if not complete:
        return
    first, model = next(iter(complete.items()))
    for name, addresses in complete.items():
        here = at.below(name, "addresses")
        if len(addresses) != len(model):
            here.error(
                f"an address for each link is expected: {printable(first)} has {len(model)}, "
                f"this node has {len(addresses)}."
            )
        for link, (mine, theirs) in enumerate(zip(addresses, model, strict=False)):
            _same_link(mine, theirs, (printable(first), link), corosync, here)


def _same_link(
    mine: Interface, theirs: Interface, of: tuple[str, int], corosync: Data, at: Location
) -> None:
    """Report an address that can't be on one link with that of the first node."""
    first, link = of
    if mine.version != theirs.version:
        at.error(
            f"an IPv{theirs.version} address is expected for link {link}, as on {first}, not "
            f'"{mine}"; corosync takes one family on a link.'
        )
    elif mine.network != theirs.network and _stays_in_its_network(corosync):
        at.error(
            f"an address in {theirs.network} is expected for link {link}, as on {first}, not "
            f'"{mine}": no router passes on what transport udp sends with a ttl of 1.'
        )


def _stays_in_its_network(corosync: Data) -> bool:
    """Tell whether the cluster's packets can't be routed; the others are unicast."""
    link: Data = next(iter(corosync.get("links", ())), {})
    return corosync.get("transport") == UDP and (
        link.get("ttl", 1) < 2 or link.get("broadcast", False)
    )


def _distinct_addresses(nodes: Data, at: Location) -> None:
    taken: dict[object, str] = {}
    for name, node in nodes.items():
        for link, address in enumerate(_interfaces(node)):
            if address.ip in taken:
                at.below(name, "addresses").error(
                    f'an address of its own is expected, "{address.ip}" is that of '
                    f"{taken[address.ip]}."
                )
            taken.setdefault(address.ip, f"{printable(name)}, link {link}")
    _distinct_stanzas(nodes, at)


def _distinct_stanzas(nodes: Data, at: Location) -> None:
    owners: dict[object, str] = {}
    for name, node in nodes.items():
        for address in _interfaces(node):
            owners.setdefault(address.ip, name)
    for name, node in nodes.items():
        for nic, stanza in node.get("interfaces", {}).items():
            if "address" not in stanza:
                continue
            ip = ipaddress.ip_interface(stanza["address"]).ip
            owner = owners.setdefault(ip, f"{name}, {nic}")
            if owner not in (name, f"{name}, {nic}"):
                at.below(name, "interfaces", nic, "address").error(
                    f'an address of its own is expected, "{ip}" is that of {printable(owner)}.'
                )


def _gateway(stanza: Data, at: Location) -> None:
    if "gateway" not in stanza or "address" not in stanza:
        return
    own = ipaddress.ip_interface(stanza["address"])
    gateway = ipaddress.ip_address(stanza["gateway"])
    if own.network.num_addresses == 1 and gateway.version == own.version and gateway != own.ip:
        return  # a host route: the gateway is at the other end of the link
    if gateway not in own.network or gateway == own.ip:
        at.below("gateway").error(f'another address in {own.network} is expected, not "{gateway}".')


# --- corosync --------------------------------------------------------------------------------


def _corosync(corosync: Data, raw: object, nodes: Data, at: Location) -> None:
    transport = corosync.get("transport")
    if transport is None:
        return
    counts = [len(node["addresses"]) for node in nodes.values() if "addresses" in node]
    count = max(counts, default=0)
    if count > MAX_LINKS[transport]:
        at.below("transport").error(
            f"{transport} carries {MAX_LINKS[transport]} link(s), but the nodes have {count} "
            f"addresses; {'give fewer' if transport == 'knet' else 'use knet, or give one each'}."
        )
    _crypto(corosync, raw, transport, at)
    _link_options(corosync.get("links", ()), transport, count, at.below("links"))
    _quorum(corosync.get("quorum", {}), len(nodes), at.below("quorum"))


def _crypto(corosync: Data, raw: object, transport: str, at: Location) -> None:
    if "crypto" not in corosync:
        return
    crypto = corosync["crypto"]
    here = at.below("crypto")
    if transport != "knet":
        wrong = [f"{name} {value}" for name, value in crypto.items() if value != "none"]
        if wrong:
            here.error(
                f"none is expected for cipher and hash with transport {transport}, which "
                f"corosync 3 cannot encrypt or sign, not {' and '.join(wrong)}; use knet."
            )
        return
    cipher, digest = crypto.get("cipher", "aes256"), crypto.get("hash", "sha256")
    if cipher != "none" and digest == "none":
        here.below("hash").error(f"a hash is expected with cipher {cipher}, not none.")
    _key(raw, digest != "none", at)


def _key(raw: object, needed: bool, at: Location) -> None:
    section = given(raw, "corosync")
    names = list(section) if isinstance(section, Mapping) else []
    sources = [name for name in ("authkey", "authkey_file") if name in names]
    if len(sources) == 2:
        at.below("authkey_file").error("authkey or authkey_file is expected, not both.")
    if needed and not sources:
        at.below("authkey").error(
            "authkey or authkey_file is expected, for the cluster's traffic is encrypted; make "
            "a key with corosync-keygen."
        )


def _link_options(links: Iterable[Data], transport: str, count: int, at: Location) -> None:
    links = list(links)
    if count and len(links) > count:
        at.error(f"options for at most {count} link(s) are expected, as the nodes have addresses.")
    for number, link in enumerate(links):
        for name in link:
            if name not in LINK_KEYS[transport]:
                users = [t for t, names in LINK_KEYS.items() if name in names]
                at.below(number, name).error(
                    f"an option of transport {transport} is expected; {name} is for "
                    f"{' and '.join(users)}."
                )


def _quorum(quorum: Data, nodes: int, at: Location) -> None:
    if quorum.get("two_node") and nodes != 2:
        at.below("two_node").error(f"false is expected with {nodes} nodes.")
    elif nodes == 2 and quorum.get("two_node", True) and quorum.get("auto_tie_breaker"):
        at.below("auto_tie_breaker").error(
            "false is expected with two_node, which two nodes have unless it is given as false: "
            "corosync takes only one of them, and switches two_node off."
        )


# --- floating addresses ----------------------------------------------------------------------


def vip_parameters(pacemaker: Data) -> Iterator[tuple[Keys, str]]:
    """Yield the place and the value of each parameter that names a floating address."""
    for key in ("templates", "resources"):
        for name, resource in pacemaker.get(key, {}).items():
            parameter = ADDRESS_PARAMETER.get(
                plain(validate_objects.agent_of(pacemaker, resource)), ""
            )
            value = resource.get("params", NO_SETS).plain_values().get(parameter)
            # A value with a mistake is no text here; its mistake is reported already.
            if isinstance(value, str):
                yield (key, name, "params", parameter), value


def _vips(data: Data, at: Location) -> None:
    pacemaker = data.get("pacemaker", {})
    for keys, value in vip_parameters(pacemaker):
        _vip(value, data, at.below("pacemaker", *keys))
    for value in data.get("freeswitch", {}).get("vips", ()):
        _vip(value, data, at.below("freeswitch", "vips"))


def _vip(value: str, data: Data, at: Location) -> None:
    try:
        ip = ipaddress.ip_address(value)
    except ValueError:
        hint = "; the prefix length goes to cidr_netmask" if "/" in value else ""
        at.error(f"an address is expected (10.101.20.219), not {quoted(value)}{hint}.")
        return
    nodes = data.get("nodes", {})
    owner = _owner(ip, nodes)
    links = {address.network for node in nodes.values() for address in _interfaces(node)}
    if owner is not None:
        at.error(f'an address of no node is expected, "{ip}" is that of {printable(owner)}.')
    elif any(is_network_end(ip, network) for network in links if ip in network):
        at.error(f'a host\'s address is expected, "{ip}" is the first or last of its network.')


def _owner(ip: object, nodes: Data) -> str | None:
    for name, node in nodes.items():
        stanzas = [s["address"] for s in node.get("interfaces", {}).values() if "address" in s]
        if any(
            ipaddress.ip_interface(text).ip == ip for text in (*node.get("addresses", ()), *stanzas)
        ):
            return str(name)
    return None
