"""The lab's networks: namespaces without an uplink, bridges outside, and their faults.

Everything is made inside the lab's own namespaces; the host's namespace gets no interface at all.
A fault is set at the bridge port, so a node's own configuration never shows it, except that a
pulled cable takes the carrier away as a real one does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab import sh
from lab.errors import LabError
from lab.settings import (
    LINKS,
    MACHINE_PREFIX,
    MACHINES,
    NODES,
    OUTSIDE,
    PREFIX_LENGTH,
    Link,
    Machine,
)

NETNS_DIR = Path("/run/netns")
LOSS_SCALE = 1000  # loss is set in tenths of a percent
LOSS_TABLE = "fsha_lab_loss"


class Network:
    """The namespaces of the lab *name* and what is plugged where."""

    def __init__(self, name: str) -> None:
        self.name = name

    def namespace(self, machine: Machine) -> str:
        """Name of the machine's network namespace."""
        return f"{MACHINE_PREFIX}.{self.name}.{machine.name}"

    def namespaces(self) -> list[str]:
        """Return the lab's existing namespaces."""
        prefix = f"{MACHINE_PREFIX}.{self.name}."
        if not NETNS_DIR.is_dir():
            return []
        return sorted(path.name for path in NETNS_DIR.iterdir() if path.name.startswith(prefix))

    def exists(self, machine: Machine) -> bool:
        """True when the machine's namespace is there."""
        return (NETNS_DIR / self.namespace(machine)).exists()

    def ip(self, machine: Machine, *arguments: str) -> str:
        """Run ip in the machine's namespace and return its output."""
        return sh.run(["ip", "-n", self.namespace(machine), *arguments]).out

    def query(self, machine: Machine, *arguments: str) -> list[dict[str, Any]]:
        """Run ``ip -j`` in the machine's namespace and return the objects it lists."""
        text = sh.run(["ip", "-n", self.namespace(machine), "-j", *arguments]).out
        found = json.loads(text or "[]")
        return [item for item in found if item]

    def create_outside(self) -> None:
        """Make the outside namespace with one bridge per link, unless it is there."""
        if self.exists(OUTSIDE):
            return
        self._create(OUTSIDE)
        for link in LINKS:
            mac = OUTSIDE.mac(link)
            self.ip(OUTSIDE, "link", "add", link.bridge, "address", mac, "type", "bridge",
                    "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")  # fmt: skip
            address = f"{link.address(OUTSIDE.host)}/{PREFIX_LENGTH}"
            self.ip(OUTSIDE, "address", "add", address, "brd", "+", "dev", link.bridge)
            self.ip(OUTSIDE, "link", "set", link.bridge, "up")

    def _create(self, machine: Machine) -> None:
        namespace = self.namespace(machine)
        sh.run(["ip", "netns", "add", namespace])
        # An address must be usable at once: no duplicate address detection.
        for scope in ("all", "default"):
            key = f"net.ipv6.conf.{scope}.accept_dad"
            sh.run(["ip", "netns", "exec", namespace, "sysctl", "-q", "-w", f"{key}=0"])
        self.ip(machine, "link", "set", "lo", "up")

    def plug_in(self, machine: Machine) -> None:
        """Make the node's namespace and cables, as new; nothing of an earlier life is left."""
        self.unplug(machine)
        self._create(machine)
        for link in LINKS:
            port = machine.port(link)
            sh.run(["ip", "link", "add", link.interface, "address", machine.mac(link),
                    "netns", self.namespace(machine), "type", "veth",
                    "peer", "name", port, "netns", self.namespace(OUTSIDE)])  # fmt: skip
            self.ip(OUTSIDE, "link", "set", port, "master", link.bridge)
            self.ip(OUTSIDE, "link", "set", port, "up")

    def unplug(self, machine: Machine) -> None:
        """Remove the node's cables and namespace with every address that is still in it."""
        if self.exists(OUTSIDE):
            ports = {entry["ifname"] for entry in self.query(OUTSIDE, "link", "show")}
            for link in LINKS:
                if machine.port(link) in ports:
                    self.ip(OUTSIDE, "link", "delete", machine.port(link))
        if self.exists(machine):
            sh.run(["ip", "netns", "delete", self.namespace(machine)])

    def remove(self) -> None:
        """Remove every namespace of the lab, whatever state it is in."""
        for machine in NODES:
            self.unplug(machine)
        for namespace in self.namespaces():
            sh.run(["ip", "netns", "delete", namespace])

    def addresses(self, machine: Machine) -> dict[str, list[str]]:
        """Return the machine's IPv4 addresses by interface, without lengths."""
        if not self.exists(machine):
            return {}
        listed = self.query(machine, "-4", "address", "show")
        return {
            entry["ifname"]: [info["local"] for info in entry.get("addr_info", [])]
            for entry in listed
            if entry.get("addr_info") and entry["ifname"] != "lo"
        }

    def link_states(self, machine: Machine) -> dict[str, str]:
        """Return ``up``, ``down`` or ``isolated`` for each of the node's cables."""
        states = {}
        for entry in self.query(OUTSIDE, "-d", "link", "show"):
            for link in LINKS:
                if entry["ifname"] == machine.port(link):
                    slave = entry.get("linkinfo", {}).get("info_slave_data", {})
                    up = "isolated" if slave.get("isolated") else "up"
                    states[link.interface] = up if "UP" in entry["flags"] else "down"
        return states

    def set_link(self, machine: Machine, link: Link, *, up: bool) -> None:
        """Pull the node's cable on *link* or plug it in again."""
        self.ip(OUTSIDE, "link", "set", machine.port(link), "up" if up else "down")

    def set_isolated(self, machine: Machine, *, isolated: bool) -> None:
        """Let the node hear only outside, no other isolated node, on every link."""
        value = "on" if isolated else "off"
        for link in LINKS:
            sh.run(["bridge", "-n", self.namespace(OUTSIDE), "link", "set",
                    "dev", machine.port(link), "isolated", value])  # fmt: skip

    def set_loss(self, losses: Iterable[tuple[Machine, Link, float]]) -> None:
        """Drop packets at random at the given ports, in each direction by itself.

        Args:
            losses: machine, link, percent (0 to 100); what isn't named loses nothing.

        """
        script = loss_rules([(m.port(link), percent) for m, link, percent in losses])
        nft = ["ip", "netns", "exec", self.namespace(OUTSIDE), "nft", "-f", "-"]
        sh.run(nft, input=script)

    def set_delay(self, machine: Machine, link: Link, milliseconds: float) -> None:
        """Delay packets of the node on *link*, each direction by itself; 0 ends it."""
        for where, device in ((OUTSIDE, machine.port(link)), (machine, link.interface)):
            namespace = self.namespace(where)
            shown = sh.run(["tc", "-n", namespace, "qdisc", "show", "dev", device]).out
            if "netem" in shown:
                sh.run(["tc", "-n", namespace, "qdisc", "del", "dev", device, "root"])
            if milliseconds > 0:
                done = sh.run(
                    ["tc", "-n", namespace, "qdisc", "add", "dev", device, "root",
                     "netem", "delay", f"{milliseconds}ms"],
                    check=False,
                )  # fmt: skip
                if not done.ok:
                    raise LabError(
                        f"this kernel can't delay packets (tc netem: {done.err.strip()}); "
                        "loss without --delay works on every kernel from 5.16"
                    )


def loss_rules(losses: Iterable[tuple[str, float]]) -> str:
    """Return the nft script that drops packets of the given ports at random.

    Args:
        losses: port name and percent; a port with 0 percent gets no rule.

    """
    lines = [f"table netdev {LOSS_TABLE}", f"delete table netdev {LOSS_TABLE}"]
    wanted = [(port, round(percent * LOSS_SCALE / 100)) for port, percent in losses if percent > 0]
    if wanted:
        lines.append(f"table netdev {LOSS_TABLE} {{")
        for number, (port, share) in enumerate(wanted):
            for hook in ("ingress", "egress"):
                lines.append(f"  chain {hook}{number} {{")
                lines.append(f'    type filter hook {hook} device "{port}" priority 0;')
                lines.append(f"    numgen random mod {LOSS_SCALE} < {share} drop")
                lines.append("  }")
        lines.append("}")
    return "\n".join(lines) + "\n"


def known_macs() -> dict[str, str]:
    """Return hardware address → machine name for every interface of the lab."""
    return {machine.mac(link): machine.name for machine in MACHINES for link in LINKS}
