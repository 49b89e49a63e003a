"""What the network says of an address: who answers for it, asked by the agents' own probe."""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any

from fshalib.system import programs
from fshalib.system.programs import Runner

PROBE = "/usr/lib/fsha/fsha-probe"
SECONDS = "0.3"
SOMEBODY, NOBODY = 0, 1

SECOND, SILENT, MISSING, CUT_OFF = "second", "silent", "missing", "cut off"
"""What can be wrong with an address: two hosts have it; nobody can reach it; it is not on the node
that serves; this node can't see whether anybody answers."""


@dataclass(frozen=True)
class ArpFinding:
    """What the network says against an address: one of the kinds above, and a sentence."""

    kind: str
    text: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.text


def holder(address: str, run: Runner = programs.run) -> str | None:
    """Return the MAC address of another host that answers for an IPv4 address, ``""`` for none.

    ``None`` when it can't be asked: an IPv6 address, no network to ask on, no probe, no root.
    """
    interface = interface_of(address, run)
    if not interface:
        return None
    try:
        done = run([PROBE, "arp", address, interface, SECONDS])
    except programs.RunError:
        return None
    if done.code == SOMEBODY:
        return done.out.split()[0] if done.out.split() else "another host"
    return "" if done.code == NOBODY else None


def is_here(address: str, run: Runner = programs.run) -> bool:
    """Tell whether this host has an address."""
    return bool(_local_interface(address, run))


def interface_of(address: str, run: Runner = programs.run) -> str:
    """Return the interface that has an IPv4 address, or is in its network; ``""`` for none."""
    if ipaddress.ip_address(address).version != 4:
        return ""
    here = _local_interface(address, run)
    if here:
        return here
    routes = _json(["ip", "-json", "route", "get", address], run)
    # Through a gateway nobody can be asked.
    return next((str(r["dev"]) for r in routes if "gateway" not in r and "dev" in r), "")


def routers(run: Runner = programs.run) -> dict[str, bool | None]:
    """Return the default gateways of this host, and whether each answers; ``None`` if not known.

    They are asked by ARP, which no firewall of theirs refuses.
    """
    return {
        str(route["gateway"]): _heard(str(route["gateway"]), run)
        for family in ("-4", "-6")
        for route in _json(["ip", "-json", family, "route", "show", "default"], run)
        if route.get("gateway")
    }


def _heard(address: str, run: Runner) -> bool | None:
    found = holder(address, run)
    return None if found is None else bool(found)


def _local_interface(address: str, run: Runner) -> str:
    links = _json(["ip", "-json", "address", "show", "to", address], run)
    return next((str(link["ifname"]) for link in links if link.get("ifname")), "")


def _json(argv: list[str], run: Runner) -> list[dict[str, Any]]:
    done = run(argv)
    if done.code != programs.EX_OK:
        return []
    try:
        found = json.loads(done.out or "[]")
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)]


def disagreement(address: str, *, held_here: bool, run: Runner = programs.run) -> ArpFinding | None:
    """Return what speaks against an address being where it should be, ``None`` if nothing.

    held_here
        Whether this host should have it, or the other one.
    """
    here = is_here(address, run)
    if held_here and not here:
        return ArpFinding(MISSING, f"{address} is not on this node")
    if not held_here and here:
        return ArpFinding(SECOND, f"{address} is still on this node as well")
    unplugged = cut_off(address, run)
    if held_here and unplugged:
        return ArpFinding(SILENT, f"nobody can reach {address}: {unplugged}")
    if unplugged:
        return ArpFinding(CUT_OFF, f"whether {address} answers can't be seen here: {unplugged}")
    other = holder(address, run)
    if held_here and other:
        return ArpFinding(SECOND, f"another host ({other}) answers for {address} as well")
    if not held_here and other == "":
        return ArpFinding(SILENT, f"nobody answers for {address} on the network")
    return None


def cut_off(address: str, run: Runner = programs.run) -> str:
    """Return why this host can't reach the network of an address, ``""`` for no such reason."""
    interface = interface_of(address, run)
    links = _json(["ip", "-json", "link", "show", "dev", interface], run) if interface else []
    flags = next((link["flags"] for link in links if "flags" in link), None)
    return "" if flags is None or "LOWER_UP" in flags else f"{interface} of this node has no link"
