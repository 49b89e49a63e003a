"""The meaning of a corosync.conf to corosync.

Files are compared by their meaning (``comparable.normal``). So a file by somebody else differs
only if corosync would behave differently.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from fshalib.corosync.conf import Setting, identity, inner, numeral, options_of
from fshalib.corosync.options import DEFAULT_CRYPTO, KNET, LINK_RELOAD, NUMBER, UDP, UDPU
from fshalib.corosync.parser import Conf, Entry, Option, Section

# --- what corosync makes of a setting: totemconfig.c, coroparse.c, votequorum.c, logconfig.c

DEFAULTS: Mapping[str, str] = {
    "totem.transport": KNET,
    "totem.crypto_cipher": "none",
    "totem.crypto_hash": "none",
    "totem.crypto_model": "nss",
    "totem.keyfile": "/etc/corosync/authkey",
    "totem.link_mode": "passive",
    "totem.clear_node_high_bit": "no",
    "totem.config_version": "0",
    "totem.threads": "0",
    "totem.token": "3000",
    "totem.token_warning": "75",
    "totem.token_coefficient": "650",
    "totem.token_retransmits_before_loss_const": "4",
    "totem.join": "50",
    "totem.send_join": "0",
    "totem.merge": "200",
    "totem.downcheck": "1000",
    "totem.fail_recv_const": "2500",
    "totem.seqno_unchanged_const": "30",
    "totem.heartbeat_failures_allowed": "0",
    "totem.max_network_delay": "50",
    "totem.window_size": "50",
    "totem.max_messages": "17",
    "totem.miss_count_const": "5",
    "totem.block_unlisted_ips": "yes",
    "totem.cancel_token_hold_on_retransmit": "no",
    "totem.knet_mtu": "0",
    "totem.knet_pmtud_interval": "30",
    "totem.knet_compression_threshold": "0",
    "totem.knet_compression_level": "0",
    "totem.interface.knet_link_priority": "1",
    "totem.interface.knet_ping_precision": "2048",
    "totem.interface.knet_pong_count": "2",
    "totem.interface.knet_transport": "udp",
    "totem.interface.broadcast": "no",
    "totem.interface.ttl": "1",
    "nodelist.node.quorum_votes": "1",
    "quorum.two_node": "0",
    "quorum.last_man_standing": "0",
    "quorum.last_man_standing_window": "10000",
    "quorum.auto_tie_breaker": "0",
    "quorum.auto_tie_breaker_node": "lowest",
    "quorum.allow_downscale": "0",
    "quorum.expected_votes_tracking": "0",
    "logging.to_stderr": "yes",
    "logging.to_logfile": "no",
    "logging.to_syslog": "yes",
    "logging.logfile_priority": "info",
    "logging.syslog_priority": "info",
    "logging.syslog_facility": "daemon",
    "logging.debug": "off",
    "logging.timestamp": "hires",
    "logging.fileline": "off",
    "logging.function_name": "off",
    "logging.blackbox": "on",
}
"""corosync 3.1's defaults.

``totem.version`` is not among them: corosync refuses a file without it. Nor is
``knet_compression_model``: it refuses one that says ``none``. Others depend on the
rest of the file: ``ip_version``, ``netmtu``, ``mcastport``, ``expected_votes`` and
``wait_for_all``.
"""

_DEFAULT_PORT = 5405
_NETMTU = {KNET: "65536", UDPU: "1500", UDP: "1500"}
_FAMILIES = {"ipv4": (4,), "ipv6": (6,), "ipv4-6": (4, 6), "ipv6-4": (6, 4)}


def _each(section: str, names: str) -> frozenset[str]:
    return frozenset(f"{section}.{name}" for name in names.split())


# Numbers, in any spelling that strtoll takes; for these 0 means the default.
_ZERO_IS_DEFAULT = (
    _each("totem", "consensus downcheck fail_recv_const hold join knet_mtu knet_pmtud_interval")
    | _each("totem", "max_messages max_network_delay merge miss_count_const netmtu token")
    | _each("totem", "seqno_unchanged_const token_retransmit window_size")
    | _each("totem", "token_retransmits_before_loss_const")
    | _each("totem.interface", "knet_ping_interval knet_ping_timeout knet_pong_count")
    | _each("quorum", "expected_votes")
)
NUMBERS = (
    _ZERO_IS_DEFAULT
    | _each("totem", "config_version heartbeat_failures_allowed knet_compression_level nodeid")
    | _each("totem", "knet_compression_threshold send_join threads token_coefficient token_warning")
    | _each("totem", "version")
    | _each("totem.interface", "knet_link_priority knet_ping_precision mcastport ttl")
    | _each("nodelist.node", "nodeid quorum_votes")
    | _each("quorum", "allow_downscale auto_tie_breaker expected_votes_tracking last_man_standing")
    | _each("quorum", "last_man_standing_window two_node votes wait_for_all")
    | _each("quorum.device", "master_wins sync_timeout timeout votes")
)
# Only these words count; with any other one the default holds.
YES_OR_NO = frozenset({"totem.block_unlisted_ips", "totem.cancel_token_hold_on_retransmit"})
YES = frozenset({"totem.clear_node_high_bit", "totem.interface.broadcast"})
DESTINATIONS = ("to_logfile", "to_stderr", "to_syslog")
PRIORITIES = ("logfile_priority", "syslog_priority")
ADDRESSES = ("totem.interface.bindnetaddr", "totem.interface.mcastaddr")
RING = re.compile(r"ring([0-7])_addr")

UNUSED = (
    _each("logging", "syslog_level to_file")
    | _each("totem.interface", "ringnumber")
    | _each("totem", "nodeid rrp_autorecovery_check_timeout rrp_mode rrp_problem_count_threshold")
    | _each("totem", "rrp_problem_count_mcast_threshold rrp_problem_count_timeout vsftype")
    | _each("totem", "rrp_token_expired_timeout")
)
"""Settings of earlier versions that corosync 3.1 accepts, and that have no effect.

``ringnumber`` is one of them: a section without a ``linknumber`` is about link 0, whatever
its ``ringnumber``.
"""


@dataclass(frozen=True)
class ClusterFacts:
    """Facts about the nodes from outside corosync.conf.

    names
        Names by nodeid, as the CIB has them: Pacemaker's, for nodes without one in the file.
    hosts
        Addresses of host names in the resolver's order, for nodes whose addresses are names.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)


NOTHING_KNOWN = ClusterFacts()
EMPTY = Conf()


def plain(conf: Conf) -> Conf:
    """Return a configuration with repeated sections joined as corosync joins them.

    A second ``nodelist`` overwrites the first, node by node in their order. A ``logging_daemon``
    called corosync sets options of the log itself, or of a subsystem. There, as in a
    ``logger_subsys``, the first of a repeated key counts.
    """
    nodelist = _overlaid(conf.sections("nodelist"))
    entries: list[Entry] = []
    for entry in conf.entries:
        if isinstance(entry, Section) and entry.name == "logging":
            logs = tuple(log for inside in entry.entries for log in _logs(inside))
            entries.append(Section(entry.name, logs))
        elif isinstance(entry, Section) and entry.name == "nodelist":
            entries += nodelist
            nodelist = ()
        else:
            entries.append(entry)
    return Conf(tuple(entries))


def _overlaid(nodelists: tuple[Section, ...]) -> tuple[Section, ...]:
    if len(nodelists) < 2:
        return nodelists
    rest = [
        e for nodelist in nodelists for e in nodelist.entries if e not in nodelist.sections("node")
    ]
    layers = zip_longest(*(nodelist.sections("node") for nodelist in nodelists))
    nodes = (tuple(e for node in same if node for e in node.entries) for same in layers)
    return (Section("nodelist", (*rest, *(Section("node", entries) for entries in nodes))),)


def _logs(entry: Entry) -> tuple[Entry, ...]:
    """Return an entry of the logging section as plain entries of that section."""
    if not isinstance(entry, Section):
        return (entry,)
    options = entry.options()
    daemon = entry.name == "logging_daemon" and options.get("name") == "corosync"
    if not (daemon or entry.name == "logger_subsys"):
        return (entry,)
    titles = ("name", "subsys") if daemon else ("subsys",)
    items = [e for e in entry.entries if isinstance(e, Option) and e.key not in titles]
    firsts = {item.key: item for item in reversed(items)}
    sections = [e for e in entry.entries if isinstance(e, Section)]
    rest: tuple[Entry, ...] = (*reversed(firsts.values()), *sections)
    if "subsys" in options:
        rest = (Option("subsys", options["subsys"]), *rest)
    elif daemon:
        return rest
    return (Section("logger_subsys", rest),)


def ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return an address, ``None`` for a name."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def resolve(conf: Conf, text: str, hosts: Mapping[str, Sequence[str]]) -> str | None:
    """Return the address that corosync uses for a ``ringX_addr``, ``None`` if it is not known.

    conf
        The configuration; its ``ip_version`` decides between several addresses.
    hosts
        As in :class:`ClusterFacts`.
    """
    literal = ip(text)
    if literal:
        return str(literal)
    addresses = [address for address in map(ip, hosts.get(text, ())) if address]
    for version in _FAMILIES.get(_ip_version_of(conf), ()):
        for address in addresses:
            if address.version == version:
                return str(address)
    return None


def _ip_version_of(conf: Conf) -> str:
    totem = options_of(conf, "totem")
    return totem.get("ip_version", _default_ip_version(totem.get("transport", KNET)))


def _default_ip_version(transport: str) -> str:
    return "ipv4" if transport == UDP else "ipv6-4"


def rings(options: Mapping[str, str]) -> list[str]:
    """Return a node's addresses as they are written, that of the lowest link first."""
    return [options[key] for key in sorted(options) if RING.fullmatch(key)]


class Meaning:
    """The meaning of each setting of one configuration, beside its other settings."""

    def __init__(self, conf: Conf, known: ClusterFacts) -> None:
        totem = options_of(conf, "totem")
        nodes = [node.options() for node in inner(conf, "nodelist", "node")]
        self._conf = conf
        self._hosts = known.hosts
        self._totem = totem
        self._transport = totem.get("transport", KNET)
        self._has_nodes = any(map(rings, nodes))
        links = inner(conf, "totem", "interface")
        self._broadcast = any(link.options().get("broadcast") == "yes" for link in links)
        self._logging = {
            **{
                path.removeprefix("logging."): text
                for path, text in DEFAULTS.items()
                if path.startswith("logging.")
            },
            **{k: spelled_value(f"logging.{k}", v) for k, v in options_of(conf, "logging").items()},
        }
        self._subsystems = inner(conf, "logging", "logger_subsys")
        targets = (s.options().get("to_logfile", "no") for s in self._subsystems)
        self._to_logfile = "yes" in (
            self._logging["to_logfile"],
            *(spelled_value("logging.to_logfile", text) for text in targets),
        )
        self._defaults = {
            **DEFAULTS,
            **{f"logging.logger_subsys.{key}": text for key, text in self._logging.items()},
            "totem.ip_version": _default_ip_version(self._transport),
            "totem.netmtu": _NETMTU.get(self._transport, ""),
        }
        votes = [numeral(options.get("quorum_votes", "1")) for options in nodes]
        if votes and all(map(NUMBER.fullmatch, votes)) and not inner(conf, "quorum", "device"):
            self._defaults["quorum.expected_votes"] = str(sum(map(int, votes)))

    def of(self, setting: Setting) -> str | None:
        """Return the meaning of a setting; ``None`` for a default, and for one without effect."""
        kind = setting.kind
        value = spelled_value(kind, setting.value)
        if kind.startswith("nodelist.node.ring"):
            value = resolve(self._conf, value, self._hosts) or value
        if self.is_unused(kind, value) or (kind in _ZERO_IS_DEFAULT and value == "0"):
            return None
        return None if value == self._default(setting) else value

    def _default(self, setting: Setting) -> str | None:
        if setting.kind == "totem.interface.mcastport" and NUMBER.fullmatch(setting.of):
            # With broadcast, corosync counts the ports of the links by two.
            number = int(setting.of)
            return None if number and self._broadcast else str(_DEFAULT_PORT + number)
        return self._defaults.get(setting.kind)

    def is_unused(self, kind: str, value: str) -> bool:
        """Tell whether a setting has no effect in corosync."""
        if kind in NUMBERS and not NUMBER.fullmatch(value):
            # corosync refuses the file.
            return False
        if kind.startswith("totem.interface."):
            return kind in UNUSED or self._unused_in_link(
                kind.removeprefix("totem.interface."), value
            )
        return kind in UNUSED or {
            # Its meaning is in the cipher and the hash.
            "totem.secauth": True,
            "totem.key": "keyfile" in self._totem,
            "quorum.votes": self._has_nodes,
            "logging.logfile": not self._to_logfile,
        }.get(kind, False)

    def _unused_in_link(self, key: str, value: str) -> bool:
        if key in ("bindnetaddr", "member.memberaddr"):
            return self._has_nodes
        if key == "mcastaddr":
            return self._transport != UDP and ip(value) is not None
        if key == "broadcast":
            return self._transport == UDPU
        if key == "knet_transport":
            return self._transport != KNET and value in ("udp", "sctp")
        # Another priority than 1 is refused without knet.
        return key in LINK_RELOAD - {"knet_link_priority"} and self._transport != KNET

    def unsaid(self) -> dict[str, str]:
        """Return the settings that follow from others.

        These are the cipher and the hash of ``secauth``, and the defaults of a subsystem of the
        log that differ from the log's own settings.
        """
        result = {}
        for kind, text in DEFAULT_CRYPTO.items():
            if self._totem.get("secauth") == "on" and f"crypto_{kind}" not in self._totem:
                result[f"totem.crypto_{kind}"] = text
        for section in self._subsystems:
            path = f"logging.logger_subsys[{identity('logging.logger_subsys', section)}]"
            for key in ("debug", "syslog_facility"):
                default = DEFAULTS[f"logging.{key}"]
                if default != self._logging[key]:
                    result[f"{path}.{key}"] = default
        return result

    def literal(self) -> bool:
        """Tell whether ``ip_version`` has no effect: it admits each address as it is."""
        texts = [t for node in inner(self._conf, "nodelist", "node") for t in rings(node.options())]
        addresses = [ip(resolve(self._conf, text, self._hosts) or "") for text in texts]
        admitted = _FAMILIES.get(_ip_version_of(self._conf), ())
        return bool(addresses) and all(
            address and address.version in admitted for address in addresses
        )


def spelled_value(kind: str, text: str) -> str:
    """Return a value in its normal spelling, by its kind of setting."""
    key = kind.rpartition(".")[2]
    if kind in NUMBERS:
        return numeral(text)
    if kind in YES_OR_NO:
        return text if text in ("yes", "no") else DEFAULTS[kind]
    if kind in YES:
        return "yes" if text == "yes" else "no"
    if kind in ADDRESSES:
        return str(ip(text) or text)
    if kind.startswith("logging.") and key in DESTINATIONS:
        return {"on": "yes", "off": "no"}.get(text, text)
    if kind.startswith("logging.") and key in PRIORITIES:
        return {"error": "err", "panic": "emerg", "warn": "warning"}.get(text.lower(), text.lower())
    return text
