"""What the lab consists of: names, addresses, packages, versions. Constants only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
FILES = Path(__file__).resolve().parent / "files"
STANDIN = Path(__file__).resolve().parent / "standin"

RUN_ROOT = Path("/var/lib/fsha-lab")
MACHINE_PREFIX = "fshalab"
NAME_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,22}[a-z0-9])?")

RELEASES = ("bookworm", "trixie")
DEFAULT_RELEASE = "bookworm"
SALT_VERSION = "3008.3"

VIP = "10.101.20.219"
SIP_PORT = 5060
MASTER_ADDRESS = "10.101.20.1"
PREFIX_LENGTH = 24

# What a plain Debian server has and minbase has not.
BASE_PACKAGES = (
    "systemd-sysv", "dbus", "udev", "kmod", "ifupdown", "netbase", "iproute2", "iputils-ping",
    "procps", "psmisc", "less", "ca-certificates", "python3", "logrotate",
)  # fmt: skip

# What a node can install offline; the repository holds the dependencies of all of these.
REPOSITORY_PACKAGES = (
    "corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents", "fence-agents", "ipmitool",
    "iputils-arping", "sudo", "rsync", "tcpdump", "nftables", "iptables", "ethtool",
    "python3-lxml", "corosync-qnetd", "corosync-qdevice", "crmsh", "pcs",
    "postgresql", "python3-psycopg2", "sip-tester", "cron", "openssh-server",
    "libxml2-utils", "xsltproc", "gnupg",
)  # fmt: skip
# Where a release calls a package otherwise, or where the small part of a split one is enough.
RENAMED_PACKAGES = {"trixie": {"fence-agents": "fence-agents-ipmilan"}}
# Packages that conflict with one above: also in the repository, resolved by themselves.
REPOSITORY_RIVALS = (("arping",),)
# What FreeSWITCH (the stand-in) needs in a node for a recovery database on another machine.
NODE_PACKAGES = ("python3-psycopg2",)
OUTSIDE_PACKAGES = ("sip-tester", "tcpdump", "iputils-arping", "nftables", "postgresql")

# What the throw-away build root needs to turn Salt's source-only dependencies into wheels.
BUILD_PACKAGES = ("gcc", "libc6-dev", "python3-dev", "python3-venv")
WHEELS = (f"salt=={SALT_VERSION}", "lxml")

# Program on the host → Debian package that brings it.
HOST_PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "bridge": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "mount": "mount",
    "chroot": "coreutils",
    "apt-get": "apt",
}


@dataclass(frozen=True)
class Link:
    """One network of the lab: a bridge outside and one interface in each node."""

    number: int
    bridge: str
    interface: str
    network: str

    def address(self, host: int) -> str:
        """Return the IPv4 address of host number *host* (1 to 254) on this link."""
        return f"{self.network}.{host}"


LINKS = (
    Link(0, "br0", "eth0", "10.101.20"),
    Link(1, "br1", "eth1", "10.101.21"),
)


@dataclass(frozen=True)
class Machine:
    """One container of the lab: its name and its host number in every network."""

    name: str
    host: int

    @property
    def is_node(self) -> bool:
        """True for a cluster node, False for the outside machine."""
        return self.name != OUTSIDE_NAME

    def port(self, link: Link) -> str:
        """Name of the bridge port outside that this machine's cable is plugged in."""
        return f"port{self.host}-{link.number}"

    def mac(self, link: Link) -> str:
        """Hardware address on *link*: the same after every power cycle, as on a real machine."""
        return f"52:54:00:65:{link.number:02x}:{self.host:02x}"


OUTSIDE_NAME = "outside"
OUTSIDE = Machine(OUTSIDE_NAME, 1)
NODES = (Machine("freeswitch-dev", 110), Machine("ubuntu-v20z", 220))
MACHINES = (OUTSIDE, *NODES)

COMMAND_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "PYTHONWARNINGS": "ignore",
}


def repository_packages(release: str) -> list[str]:
    """Return what the package repository of *release* holds, without the dependencies."""
    renamed = RENAMED_PACKAGES.get(release, {})
    return [renamed.get(name, name) for name in REPOSITORY_PACKAGES]


def cache_root() -> Path:
    """Return the directory of the shared cache (``$FSHA_LAB_CACHE`` or ``~/.cache/fsha-lab``)."""
    configured = os.environ.get("FSHA_LAB_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "fsha-lab"
