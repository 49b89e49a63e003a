"""The state of corosync's ring as data: membership, quorum, links and faults.

corosync has no structured output, but its map of keys (cmap) is line by line ``key (type) =
value`` and holds nodelist, membership and, with transport knet, every link's state: see
cmap_keys(7). Only quorum has to be read from ``corosync-quorumtool -s``.

With transport udp and udpu there are no link statistics (and ``corosync-cfgtool -s`` prints
another node's address as its own there, corosync 3.1.7): the one link to a node counts as
connected while the node is a member.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from fshalib.corosync.build import RingNode
from fshalib.corosync.nodeids import nodeid_of
from fshalib.corosync.options import KNET, MAX_LINKS
from fshalib.errors import CorosyncError

CMAPCTL = "corosync-cmapctl"
QUORUMTOOL = "corosync-quorumtool"
# corosync-quorumtool.c: EXIT_SUCCESS is 0, a partition without quorum is 2.
QUORUMTOOL_NOT_QUORATE = 2
TIMEOUT = 10.0

_CMAP_LINE = re.compile(r"^(?P<key>\S+) \((?P<type>[a-z0-9]+)\) = (?P<value>.*)$")
_STATS_LINK = re.compile(r"^stats\.knet\.node(\d+)\.link(\d+)\.(connected|mtu)$")
_MEMBER_LINE = re.compile(r"^\s+(?P<id>\d+)\s+(?P<votes>\d+)\s+(?P<rest>\S.*)$")


class Completed(Protocol):
    """The result of a program; ``fshalib.system.programs.Completed`` has these and more."""

    @property
    def code(self) -> int:
        """The exit code."""

    @property
    def out(self) -> str:
        """Standard output."""

    @property
    def err(self) -> str:
        """Standard error."""


Run = Callable[..., Completed]
"""``fshalib.system.programs.run`` or a stand-in for it."""


class RingError(CorosyncError):
    """The state of the ring could not be read."""


class NotRunningError(RingError):
    """corosync does not answer on this node."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"corosync does not run on this node ({reason})."
            if reason
            else "corosync does not run on this node."
        )


class UnreadableError(RingError):
    """A tool's output lacks an expected line."""

    def __init__(self, tool: str, missing: str) -> None:
        self.tool = tool
        self.missing = missing
        super().__init__(f"{tool} printed no line with {missing}.")


@dataclass(frozen=True)
class Member:
    """A node: its number, and its name in the nodelist (the number if it has no name)."""

    nodeid: int
    name: str


@dataclass(frozen=True)
class Link:
    """One link from this node to another; ``mtu`` in bytes, known with knet only."""

    node: str
    number: int
    address: str
    connected: bool
    mtu: int | None = None


@dataclass(frozen=True)
class Quorum:
    """votequorum's state."""

    quorate: bool
    expected_votes: int
    total_votes: int


@dataclass(frozen=True)
class RingStatus:
    """The ring as this node sees it.

    ``nodes`` are those in the running configuration, ``members`` those that take part now;
    ``waiting`` is true while votequorum waits to see all nodes once (``wait_for_all``).
    """

    local: Member
    cluster_name: str
    transport: str
    quorate: bool
    expected_votes: int
    total_votes: int
    waiting: bool
    nodes: tuple[Member, ...]
    members: tuple[Member, ...]
    links: tuple[Link, ...]


# --- reading -----------------------------------------------------------------------------


def parse_cmap(text: str) -> dict[str, str]:
    """Return the keys that ``corosync-cmapctl`` printed; types are dropped."""
    matches = (_CMAP_LINE.match(line) for line in text.splitlines())
    return {match["key"]: match["value"] for match in matches if match}


def parse_quorum(text: str) -> Quorum:
    """Read the output of ``corosync-quorumtool -s``.

    Raises :class:`UnreadableError`.
    """
    values = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            values[key.strip()] = value.strip()

    def number(key: str) -> int:
        if not values.get(key, "").isdigit():
            raise UnreadableError(QUORUMTOOL, f'"{key}"')
        return int(values[key])

    if "Quorate" not in values:
        raise UnreadableError(QUORUMTOOL, '"Quorate"')
    return Quorum(values["Quorate"] == "Yes", number("Expected votes"), number("Total votes"))


def read_cmap(run: Run) -> dict[str, str]:
    """Return the running corosync's keys.

    Raises :class:`NotRunningError`, and what ``run`` raises.
    """
    done = run([CMAPCTL], timeout=TIMEOUT)
    if done.code != 0:
        raise NotRunningError(_last_line(done))
    return parse_cmap(done.out)


def read(run: Run) -> RingStatus:
    """Ask the running corosync for the state of its ring.

    run
        ``fshalib.system.programs.run``.

    Raises :class:`NotRunningError`, :class:`UnreadableError`, and what ``run`` raises.
    """
    cmap = read_cmap(run)
    # Exit code 1 without a line: no such keys, as with udp and udpu.
    stats = parse_cmap(run([CMAPCTL, "-m", "stats", "stats.knet."], timeout=TIMEOUT).out)
    done = run([QUORUMTOOL, "-s"], timeout=TIMEOUT)
    if done.code not in (0, QUORUMTOOL_NOT_QUORATE):
        raise NotRunningError(_last_line(done))
    return status(cmap, stats, parse_quorum(done.out))


def _last_line(done: Completed) -> str:
    lines = (done.err or done.out).strip().splitlines()
    return lines[-1].strip() if lines else ""


def status(cmap: Mapping[str, str], stats: Mapping[str, str], quorum: Quorum) -> RingStatus:
    """Make the status from the outputs of corosync's tools; see :func:`read`."""
    nodes = configured(cmap)
    names = {node.id: node.name for node in nodes}
    local = int(cmap.get("runtime.votequorum.this_node_id", "0"))
    members = tuple(Member(number, names.get(number, str(number))) for number in _joined(cmap))
    transport = cmap.get("totem.transport", KNET)
    links = tuple(
        link
        for node in nodes
        if node.id != local
        for link in _links(node, transport, stats, {member.nodeid for member in members})
    )
    return RingStatus(
        local=Member(local, names.get(local, str(local))),
        cluster_name=cmap.get("totem.cluster_name", ""),
        transport=transport,
        quorate=quorum.quorate,
        expected_votes=quorum.expected_votes,
        total_votes=quorum.total_votes,
        waiting=cmap.get("runtime.votequorum.wait_for_all_status") == "1",
        nodes=tuple(Member(node.id, node.name) for node in nodes),
        members=members,
        links=links,
    )


def configured(cmap: Mapping[str, str]) -> tuple[RingNode, ...]:
    """Return the nodelist of a running corosync; a missing link has an empty address."""
    positions = sorted(
        {int(key.split(".")[2]) for key in cmap if re.match(r"nodelist\.node\.\d+\.", key)}
    )
    return tuple(_node(cmap, f"nodelist.node.{position}.") for position in positions)


def _node(cmap: Mapping[str, str], prefix: str) -> RingNode:
    addresses = tuple(cmap.get(f"{prefix}ring{link}_addr", "") for link in range(MAX_LINKS[KNET]))
    totem = {key.removeprefix("totem."): text for key, text in cmap.items()}
    made = nodeid_of(addresses[0], totem) or 0
    number = int(cmap.get(f"{prefix}nodeid", made))
    return RingNode(cmap.get(f"{prefix}name", str(number)), number, addresses)


def _joined(cmap: Mapping[str, str]) -> list[int]:
    return sorted(
        int(key.split(".")[2])
        for key, value in cmap.items()
        if re.fullmatch(r"runtime\.members\.\d+\.status", key) and value == "joined"
    )


def _links(
    node: RingNode, transport: str, stats: Mapping[str, str], joined: set[int]
) -> Sequence[Link]:
    links = []
    for number, address in enumerate(node.addresses):
        if not address:
            continue
        if transport != KNET:
            links.append(Link(node.name, number, address, node.id in joined))
            continue
        prefix = f"stats.knet.node{node.id}.link{number}."
        mtu = stats.get(prefix + "mtu", "")
        connected = stats.get(prefix + "connected") == "1"
        links.append(
            Link(node.name, number, address, connected, int(mtu) if mtu.isdigit() else None)
        )
    return links


# --- faults ------------------------------------------------------------------------------

NOT_A_MEMBER = "not a member of the cluster"
NOT_CONNECTED = "not connected"


def faults(ring: RingStatus, nodes: Sequence[RingNode]) -> tuple[str, ...]:
    """Return the faults of the ring, each without a full stop; none if it is healthy.

    nodes
        The nodes that make up the cluster, with one address per link.

    Healthy means: quorate, exactly these members, and every link of every peer connected.
    """
    return (*_quorum_faults(ring), *_member_faults(ring, nodes), *_link_faults(ring, nodes))


def _quorum_faults(ring: RingStatus) -> list[str]:
    if ring.quorate:
        return []
    why = "; votequorum waits until it has seen all nodes once (wait_for_all)"
    return [
        f"not quorate: {ring.total_votes} of {ring.expected_votes} expected votes"
        + (why if ring.waiting else "")
    ]


def _member_faults(ring: RingStatus, desired: Sequence[RingNode]) -> list[str]:
    here = {member.name for member in ring.members}
    names = {node.name for node in desired}
    sentences = [
        f"{node.name} (nodeid {node.id}): {NOT_A_MEMBER}"
        for node in desired
        if node.name not in here
    ]
    strangers = {m for m in (*ring.members, *ring.nodes) if m.name not in names}
    sentences += [
        f"{member.name} (nodeid {member.nodeid}): in the running cluster, "
        "but not one of the configured nodes"
        for member in sorted(strangers, key=lambda m: m.nodeid)
    ]
    return sentences


def _link_faults(ring: RingStatus, desired: Sequence[RingNode]) -> list[str]:
    links = {(link.node, link.number): link for link in ring.links}
    sentences = []
    for node in desired:
        if node.name == ring.local.name:
            continue
        for number, address in enumerate(node.addresses):
            fault = _link_fault(links.get((node.name, number)), address)
            if fault:
                sentences.append(f"link {number} to {node.name} ({address}): {fault}")
    return sentences


def _link_fault(link: Link | None, address: str) -> str | None:
    if link is None:
        return "not in the running configuration"
    if link.address != address:
        return f"runs to {link.address} instead"
    return None if link.connected else NOT_CONNECTED


def is_away(fault: str) -> bool:
    """Tell whether a fault of :func:`faults` is that a node or link is away, and nothing worse."""
    return fault.endswith((f": {NOT_A_MEMBER}", f": {NOT_CONNECTED}"))


def as_data(ring: RingStatus) -> dict[str, Any]:
    """Return a status as plain data."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(ring).items()
    }
