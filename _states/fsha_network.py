"""Names and interfaces of the nodes, by Salt's own states."""

from __future__ import annotations

import importlib
import ipaddress
from typing import TYPE_CHECKING, Any

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]
    __states__: dict[str, Any]

__virtualname__ = "fsha_network"


def __virtual__():
    """Load always."""
    return __virtualname__


def hosts(name, nodes, managed=True):
    """Make sure that the hosts file has every node's first address and names.

    name
        The file, for the report.
    nodes
        Node name → ``{addresses: [address/prefix, …], aliases: [name, …]}``.
    managed
        Whether the formula writes it at all.

    .. code-block:: yaml

        /etc/hosts:
          fsha_network.hosts:
            - nodes:
                fs1: {addresses: [10.0.0.1/24], aliases: [fs1.example.com]}
    """
    if not managed:
        return returns.unchanged(name, f"{name} is not managed (network:hosts).")
    rets = []
    for node, facts in nodes.items():
        address = str(ipaddress.ip_interface(facts["addresses"][0]).ip)
        for host in [*facts.get("aliases", []), node]:
            ret = __states__["host.present"](host, ip=address)
            rets.append({**ret, "changes": {host: ret["changes"]} if ret["changes"] else {}})
    return _together(name, rets, f"{name} names every node.")


def interfaces(name, nodes, managed=False):
    """Make sure that this node's interfaces have their static stanzas.

    The state writes the stanza. It brings the interface up only if it has no address at all, and
    never takes it down: it may carry a ring or a floating address.

    name
        This host's name, as ``uname -n`` prints it. If no node is called so, it is the node with
        one of this host's addresses.
    nodes
        Node name → ``{addresses: […], interfaces: {eth0: {address: address/prefix, gateway:
        address}}}``.
    managed
        Whether the formula writes it at all.

    .. code-block:: yaml

        fs1:
          fsha_network.interfaces:
            - managed: true
            - nodes:
                fs1: {interfaces: {eth1: {address: 10.0.1.1/24}}}
    """
    if not managed:
        return returns.unchanged(name, "Interfaces are not managed (network:interfaces).")
    node = name if name in nodes else _by_address(nodes)
    if node is None:
        names = ", ".join(nodes)
        why = f"no node is called {name} or has one of this host's addresses ({names})"
        return returns.failed(name, f"Interfaces stay as they are: {why}.")
    wanted = (nodes[node] or {}).get("interfaces") or {}
    if not wanted:
        return returns.unchanged(name, f"The pillar has no nodes:{node}:interfaces to write.")
    rets = [_interface(interface, facts) for interface, facts in wanted.items()]
    return _together(name, rets, "Every interface has its static stanza.")


def _by_address(nodes: dict[str, Any]) -> str | None:
    """Return the node with one of this host's addresses, ``None`` if there is none."""
    cards = __salt__["network.interfaces"]().values()
    own = {a["address"] for card in cards for a in card.get("inet", []) + card.get("inet6", [])}
    for node, facts in nodes.items():
        addresses = (facts or {}).get("addresses") or []
        if own & {str(ipaddress.ip_interface(address).ip) for address in addresses}:
            return node
    return None


def _interface(interface: str, facts: dict[str, Any]) -> dict[str, Any]:
    address = ipaddress.ip_interface(facts["address"])
    settings: dict[str, Any] = {
        "type": "eth",
        "enabled": True,
        "noifupdown": True,
        "proto": "static",
        "ipaddr": str(address.ip),
        "netmask": str(address.netmask),
    }
    if facts.get("gateway"):
        settings["gateway"] = str(facts["gateway"])
        if address.network.num_addresses == 1:
            settings["pointopoint"] = settings["gateway"]  # else no route leads to the gateway
    ret = dict(__states__["network.managed"](interface, **settings))
    if ret["result"] is None and not ret["changes"]:
        ret["changes"] = {interface: ret["comment"]}
    live = __salt__["network.interfaces"]().get(interface, {})
    held = [held["address"] for held in live.get("inet", []) + live.get("inet6", [])]
    if str(address.ip) in held:
        return ret
    if live.get("inet"):
        ret["comment"] = (
            f"{ret['comment']} {interface} carries {', '.join(held)} and is left as it is; "
            f"{address} comes with the next boot or 'ifup {interface}'."
        )
        return ret
    ret["changes"] = {**ret["changes"], f"{interface} up": {"old": None, "new": str(address)}}
    if __opts__["test"]:
        return {**ret, "result": None}
    __salt__["ip.up"](interface, "eth")
    return ret


def _together(name: str, rets: list[dict[str, Any]], comment: str) -> dict[str, Any]:
    """Join the returns of several states."""
    changes: dict[str, Any] = {}
    for ret in rets:
        changes.update(ret["changes"])
    bad = [str(ret["comment"]) for ret in rets if ret["result"] is False]
    if bad:
        return returns.failed(name, "\n".join(bad), changes)
    if not changes:
        return returns.unchanged(name, comment)
    said = "\n".join(str(ret["comment"]) for ret in rets if ret["changes"])
    return returns.changed(name, changes, said, __opts__["test"])
