"""Checks of the pillar that look at several keys at once.

They work on what :data:`fsha_tree.PILLAR` has checked already, where a wrong value is left
out: each check looks only at what is there, so one mistake is told once.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fsha_corosync import LINK_KEYS, MAX_LINKS
from fsha_kinds import PLAIN_CLASSES, is_network_end
from fsha_schema import At, printable, quoted, suggestion
from fsha_units import UnitError, parse_duration

Data = Mapping[str, Any]
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VIP_PARAMETER = {
    "ocf:heartbeat:IPaddr2": "ip",
    "ocf:heartbeat:IPaddr": "ip",
    "ocf:heartbeat:SendArp": "ip",
    "ocf:heartbeat:IPv6addr": "ipv6addr",
}
"""Agents that hold or announce an address, and the parameter that names it."""


def check(data: Data, raw: object, at: At) -> None:
    """Report every contradiction in the whole pillar.

    data
        The checked pillar.
    raw
        The pillar as it was given: what was given wrongly is not missing as well.
    """
    nodes = data.get("nodes", {})
    _nodes(nodes, at.below("nodes"))
    _corosync(data.get("corosync", {}), raw, nodes, at.below("corosync"))
    pacemaker = data.get("pacemaker", {})
    here = at.below("pacemaker")
    _ids(pacemaker, here)
    for name, resource in pacemaker.get("resources", {}).items():
        resource_checks(resource, here.below("resources", name))
    if "resources" in pacemaker:
        _groups(pacemaker, here)
    for name in pacemaker.get("locations", {}):
        location_checks(given(raw, "pacemaker", "locations", name), here.below("locations", name))
    if "resources" in pacemaker and "groups" in pacemaker:
        _locations(pacemaker, nodes, here)
    _vips(data, at)


def given(raw: object, *keys: object) -> object:
    """Return what was given at ``keys``, or ``None``."""
    for key in keys:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(key)
    return raw


# --- nodes -----------------------------------------------------------------------------------


def _nodes(nodes: Data, at: At) -> None:
    _host_names(nodes, at)
    _node_ids(nodes, at)
    _links(nodes, at)
    _distinct_addresses(nodes, at)
    for name, node in nodes.items():
        for nic, stanza in node.get("interfaces", {}).items():
            _gateway(stanza, at.below(name, "interfaces", nic))


def _host_names(nodes: Data, at: At) -> None:
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


def _node_ids(nodes: Data, at: At) -> None:
    taken: dict[int, str] = {}
    for position, (name, node) in enumerate(nodes.items(), start=1):
        identity = node.get("id", position)
        if identity in taken:
            given = "" if "id" in node else " (by the node's position)"
            at.below(name, "id").error(
                f"an id of its own is expected, {identity}{given} is that of "
                f"{printable(taken[identity])}."
            )
        taken.setdefault(identity, name)


def _interfaces(node: Data) -> list[Interface]:
    return [ipaddress.ip_interface(text) for text in node.get("addresses", ())]


def _links(nodes: Data, at: At) -> None:
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
            if mine.network != theirs.network:
                here.error(
                    f"an address in {theirs.network} is expected for link {link}, as on "
                    f'{printable(first)}, not "{mine}".'
                )


def _distinct_addresses(nodes: Data, at: At) -> None:
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


def _distinct_stanzas(nodes: Data, at: At) -> None:
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


def _gateway(stanza: Data, at: At) -> None:
    if "gateway" not in stanza or "address" not in stanza:
        return
    own = ipaddress.ip_interface(stanza["address"])
    gateway = ipaddress.ip_address(stanza["gateway"])
    if gateway not in own.network or gateway == own.ip:
        at.below("gateway").error(f'another address in {own.network} is expected, not "{gateway}".')


# --- corosync --------------------------------------------------------------------------------


def _corosync(corosync: Data, raw: object, nodes: Data, at: At) -> None:
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


def _crypto(corosync: Data, raw: object, transport: str, at: At) -> None:
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


def _key(raw: object, needed: bool, at: At) -> None:
    told = given(raw, "corosync")
    names = list(told) if isinstance(told, Mapping) else []
    sources = [name for name in ("authkey", "authkey_file") if name in names]
    if len(sources) == 2:
        at.below("authkey_file").error("authkey or authkey_file is expected, not both.")
    if needed and not sources:
        at.below("authkey").error(
            "authkey or authkey_file is expected, for the cluster's traffic is encrypted; make "
            "a key with corosync-keygen."
        )


def _link_options(links: Iterable[Data], transport: str, count: int, at: At) -> None:
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


def _quorum(quorum: Data, nodes: int, at: At) -> None:
    if quorum.get("two_node") and nodes != 2:
        at.below("two_node").error(f"false is expected with {nodes} nodes.")


# --- pacemaker -------------------------------------------------------------------------------


def _ids(pacemaker: Data, at: At) -> None:
    taken: dict[str, str] = {"cib-bootstrap-options": "the cluster properties",
                             "rsc-options": "the resource defaults"}  # fmt: skip
    for part, name in (
        ("resources", "a resource"), ("groups", "a group"), ("locations", "a location constraint")
    ):  # fmt: skip
        for item in pacemaker.get(part, {}):
            _take(item, name, taken, at.below(part, item))
    for location, data in pacemaker.get("locations", {}).items():
        for number, rule in enumerate(data.get("rules", ())):
            if "id" in rule:
                here = at.below("locations", location, "rules", number, "id")
                _take(rule["id"], "a rule", taken, here)


def _take(name: str, kind: str, taken: dict[str, str], at: At) -> None:
    if name in taken:
        at.error(f"an id of its own is expected, {quoted(name)} is that of {taken[name]} already.")
    taken.setdefault(name, kind)


def resource_checks(resource: Data, at: At) -> None:
    """Report contradictions within one primitive."""
    standard = resource.get("agent", ("",))[0]
    if standard in PLAIN_CLASSES and resource.get("params"):
        at.below("params").error(
            f"no parameters are expected: agents of class {standard} take none."
        )
    seen: set[tuple[str, int]] = set()
    for number, operation in enumerate(resource.get("operations", ())):
        key = _operation_key(operation)
        if key is None:
            continue
        if key in seen:
            at.below("operations", number).error(
                f"an interval of its own is expected, there is a {printable(key[0])} every "
                f"{key[1]} ms already."
            )
        seen.add(key)


def _operation_key(operation: Data) -> tuple[str, int] | None:
    if "name" not in operation:
        return None
    try:
        return operation["name"], parse_duration(operation.get("interval", "0"))
    except UnitError:
        return None


def _groups(pacemaker: Data, at: At) -> None:
    resources, groups = pacemaker.get("resources", {}), pacemaker.get("groups", {})
    taken: dict[str, str] = {}
    for group, data in groups.items():
        here = at.below("groups", group, "members")
        for member in data.get("members", ()):
            if member in groups and member not in resources:
                here.error(f"primitives are expected, {quoted(member)} is a group.")
            elif member not in resources:
                here.error(
                    f"ids of resources are expected, {quoted(member)} is none"
                    f"{suggestion(member, resources)}"
                )
            elif member in taken:
                here.error(
                    f"resources of its own are expected, {quoted(member)} is in group "
                    f"{printable(taken[member])} already."
                )
            taken.setdefault(member, group)


def _locations(pacemaker: Data, nodes: Data, at: At) -> None:
    names = [*pacemaker.get("resources", {}), *pacemaker.get("groups", {})]
    for name, data in pacemaker.get("locations", {}).items():
        here = at.below("locations", name)
        resource = data.get("resource")
        if resource is not None and resource not in names:
            here.below("resource").error(
                f"the id of a resource or group is expected, {quoted(resource)} is none"
                f"{suggestion(resource, names)}"
            )
        for keys, node in _named_nodes(data):
            if nodes and node.casefold() not in {known.casefold() for known in nodes}:
                here.below(*keys).error(
                    f"the name of a node is expected, {quoted(node)} is none"
                    f"{suggestion(node, nodes)}"
                )


def _named_nodes(location: Data) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if "node" in location:
        yield ("node",), location["node"]
    for number, rule in enumerate(location.get("rules", ())):
        for expression in rule.get("expression", ("", ()))[1]:
            if expression.attribute == "#uname" and expression.operation in ("eq", "ne"):
                yield ("rules", number, "expression"), expression.value


def location_checks(raw: object, at: At) -> None:
    """Report when a location, as it was given, has neither, or both, of its two forms."""
    if not isinstance(raw, Mapping):
        return
    ruled = bool(raw.get("rules"))
    plain = [name for name in ("node", "score") if name in raw]
    if ruled and plain:
        at.below(plain[0]).error(f"{plain[0]} is not expected beside rules; give one or the other.")
    elif not ruled and len(plain) < 2:
        missing = "score" if "node" in plain else "node"
        at.below(missing).error("node and score, or rules, are expected; this key is missing.")


# --- floating addresses ----------------------------------------------------------------------


def vip_parameters(pacemaker: Data) -> Iterator[tuple[str, str, str]]:
    """Yield id, parameter and value of each resource that holds or announces an address."""
    for name, resource in pacemaker.get("resources", {}).items():
        standard, provider, kind = resource.get("agent", ("", None, ""))
        parameter = VIP_PARAMETER.get(":".join(part for part in (standard, provider, kind) if part))
        value = resource.get("params", {}).get(parameter)
        if parameter is not None and isinstance(value, str):
            yield name, parameter, value


def _vips(data: Data, at: At) -> None:
    pacemaker = data.get("pacemaker", {})
    for name, parameter, value in vip_parameters(pacemaker):
        _vip(value, data, at.below("pacemaker", "resources", name, "params", parameter))
    for value in data.get("freeswitch", {}).get("vips", ()):
        _vip(value, data, at.below("freeswitch", "vips"))


def _vip(value: str, data: Data, at: At) -> None:
    try:
        ip = ipaddress.ip_address(value)
    except ValueError:
        hint = "; the prefix length goes to cidr_netmask" if "/" in value else ""
        at.error(f"an address is expected (10.101.20.219), not {quoted(value)}{hint}.")
        return
    links, others = _networks(data.get("nodes", {}))
    owner = _owner(ip, data.get("nodes", {}))
    if owner is not None:
        at.error(f'an address of no node is expected, "{ip}" is that of {printable(owner)}.')
    elif links and not any(ip in network for network in (*links, *others)):
        at.error(
            f"an address in the network of a link is expected ({_list(links)}), not "
            f'"{ip}"; name the network of another interface under nodes:NODE:interfaces.'
        )
    elif any(is_network_end(ip, network) for network in links if ip in network):
        at.error(f'a host\'s address is expected, "{ip}" is the first or last of its network.')


def _networks(nodes: Data) -> tuple[list[Network], list[Network]]:
    links = [address.network for node in nodes.values() for address in _interfaces(node)]
    others = [
        ipaddress.ip_interface(stanza["address"]).network
        for node in nodes.values()
        for stanza in node.get("interfaces", {}).values()
        if "address" in stanza
    ]
    return list(dict.fromkeys(links)), list(dict.fromkeys(others))


def _owner(ip: object, nodes: Data) -> str | None:
    for name, node in nodes.items():
        stanzas = [s["address"] for s in node.get("interfaces", {}).values() if "address" in s]
        if any(
            ipaddress.ip_interface(text).ip == ip for text in (*node.get("addresses", ()), *stanzas)
        ):
            return str(name)
    return None


def _list(networks: Iterable[Network]) -> str:
    return ", ".join(str(network) for network in networks)
