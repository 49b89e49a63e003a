"""corosync.conf as data: read it, write it, build the wanted one, compare two.

Pure functions over immutable data; nothing here runs a program or opens a file. The grammar
is that of corosync's own reader (``exec/coroparse.c`` of corosync 3.1): sections in braces,
``key: value`` lines, a line with ``{`` opens a section whatever else is on it.

Paths name a setting the way a person would look for it: ``totem.token``,
``totem.interface[1].knet_link_priority``, ``nodelist.node[ubuntu-v20z].ring0_addr``.

What a configuration means to corosync is in :mod:`semantics`, how two differ in
:mod:`diff`.
"""

import difflib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KNET = "knet"
UDPU = "udpu"
UDP = "udp"
TRANSPORTS = (KNET, UDPU, UDP)

MAX_LINKS = {KNET: 8, UDPU: 1, UDP: 1}
# KNET_MAX_HOST of libknet; corosync refuses a nodeid from there on with transport knet.
MAX_NODEID = 65535
# fgets buffer in coroparse.c, less the line's end and the terminating zero.
MAX_LINE = 510

CIPHERS = ("none", "aes128", "aes192", "aes256")
HASHES = ("none", "md5", "sha1", "sha256", "sha384", "sha512")
DEFAULT_CRYPTO = {"cipher": "aes256", "hash": "sha256"}
DEFAULT_LOGGING: Mapping[str, str] = {
    "to_stderr": "no",
    "to_logfile": "yes",
    "logfile": "/var/log/corosync/corosync.log",
    "to_syslog": "yes",
}

# Read again on a reload: totem_volatile_config_read() in exec/totemconfig.c, and
# cmap.c for config_version, which it tracks.
TOTEM_RELOAD = frozenset(
    {
        "block_unlisted_ips",
        "cancel_token_hold_on_retransmit",
        "config_version",
        "consensus",
        "downcheck",
        "fail_recv_const",
        "heartbeat_failures_allowed",
        "hold",
        "join",
        "knet_compression_level",
        "knet_compression_model",
        "knet_compression_threshold",
        "knet_mtu",
        "knet_pmtud_interval",
        "max_messages",
        "max_network_delay",
        "merge",
        "miss_count_const",
        "send_join",
        "seqno_unchanged_const",
        "token",
        "token_coefficient",
        "token_retransmit",
        "token_retransmits_before_loss_const",
        "token_warning",
        "window_size",
    }
)
# Read at start only, or refused on a reload (remove_ro_entries() in exec/cfg.c). Newer
# builds can change crypto and key on a reload, but only if every node has the new file at
# that moment, which a node by node run cannot promise: for fsha they need a restart.
TOTEM_RESTART = frozenset(
    {
        "clear_node_high_bit",
        "crypto_model",
        "ip_version",
        "keyfile",
        "link_mode",
        "netmtu",
        "threads",
    }
)
TOTEM_KEYS = TOTEM_RELOAD | TOTEM_RESTART
"""Names that ``totem`` settings may have beside those with a setting of their own."""

LINK_KEYS: Mapping[str, frozenset[str]] = {
    KNET: frozenset(
        {
            "knet_link_priority",
            "knet_ping_interval",
            "knet_ping_precision",
            "knet_ping_timeout",
            "knet_pong_count",
            "knet_transport",
            "mcastport",
        }
    ),
    UDPU: frozenset({"mcastport"}),
    UDP: frozenset({"bindnetaddr", "broadcast", "mcastaddr", "mcastport", "ttl"}),
}
LINK_ALIASES: Mapping[str, str] = {"link_priority": "knet_link_priority"}
LINK_RELOAD = frozenset(
    {
        "knet_link_priority",
        "knet_ping_interval",
        "knet_ping_precision",
        "knet_ping_timeout",
        "knet_pong_count",
    }
)
# How corosync spells true and false differs from key to key (coroparse.c, logconfig.c).
_BOOLEANS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("debug", "fileline", "function_name", "timestamp", "blackbox"), ("off", "on")),
    **dict.fromkeys(
        (
            "allow_downscale",
            "auto_tie_breaker",
            "expected_votes_tracking",
            "last_man_standing",
            "master_wins",
            "two_node",
            "wait_for_all",
        ),
        ("0", "1"),
    ),
    **dict.fromkeys(
        (
            "block_unlisted_ips",
            "broadcast",
            "cancel_token_hold_on_retransmit",
            "clear_node_high_bit",
            "to_logfile",
            "to_stderr",
            "to_syslog",
        ),
        ("no", "yes"),
    ),
}
_TRUTH = {"false": 0, "no": 0, "off": 0, "true": 1, "yes": 1, "on": 1}
SECRET = frozenset({"totem.key"})
# What tells apart sections that may come more than once.
IDENTITY: Mapping[str, tuple[str, ...]] = {
    "nodelist.node": ("name", "nodeid", "ring0_addr"),
    "totem.interface": ("linknumber",),
    "logging.logger_subsys": ("subsys",),
    "logging.logging_daemon": ("name",),
}
# Of these, several about one thing are one to corosync: it keeps a value for each key.
_MERGED = frozenset({"totem.interface", "logging.logger_subsys"})
NUMBER = re.compile(r"[+-]?[0-9]{1,20}")


class ConfError(Exception):
    """A corosync.conf cannot be read, written or built."""


class ParseError(ConfError):
    """Text is not a corosync.conf."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"corosync.conf line {line}: {reason}.")


class UnwritableError(ConfError):
    """A key, section name or value that corosync's reader would not read back."""

    def __init__(self, path: str, text: str, reason: str) -> None:
        self.path = path
        self.text = text
        self.reason = reason
        super().__init__(f"{path}: {text!r} cannot stand in corosync.conf: {reason}.")


class SettingsError(ConfError):
    """The settings that a corosync.conf is wanted from contradict corosync's rules."""

    def __init__(self, path: str, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True)
class Option:
    """One ``key: value`` line."""

    key: str
    value: str


@dataclass(frozen=True)
class Section:
    """A named pair of braces and what stands in it, in order."""

    name: str
    entries: tuple["Entry", ...] = ()

    def options(self) -> dict[str, str]:
        """Return the section's own lines; the last of a repeated key wins, as in corosync."""
        return {e.key: e.value for e in self.entries if isinstance(e, Option)}

    def sections(self, name: str) -> "tuple[Section, ...]":
        """Return the sections called ``name`` that stand directly in this one."""
        return tuple(e for e in self.entries if isinstance(e, Section) and e.name == name)


Entry = Option | Section


@dataclass(frozen=True)
class Conf:
    """A whole corosync.conf."""

    entries: tuple[Entry, ...] = ()

    def sections(self, name: str) -> tuple[Section, ...]:
        """Return the top level sections called ``name``."""
        return tuple(e for e in self.entries if isinstance(e, Section) and e.name == name)


@dataclass(frozen=True)
class Node:
    """A cluster node: name as in ``uname -n``, nodeid, one address (no prefix) per link."""

    name: str
    id: int
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One setting that differs; ``None`` where a side has no such setting."""

    path: str
    old: str | None
    new: str | None


# --- reading and writing -----------------------------------------------------------------


def parse(text: str) -> Conf:
    """Read the text of a corosync.conf; comments are lost, unknown keys and order are not.

    Raises :class:`ParseError` for what corosync's reader would refuse as well.
    """
    stack: list[tuple[str, int, list[Entry]]] = [("", 0, [])]
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").strip(" \t")
        if not line or line.startswith("#"):
            continue
        _parse_line(stack, number, line)
    if len(stack) > 1:
        raise ParseError(stack[-1][1], f'section "{stack[-1][0]}" is not closed')
    return Conf(tuple(stack[0][2]))


def _parse_line(stack: list[tuple[str, int, list[Entry]]], number: int, line: str) -> None:
    if "{" in line:
        name, _, rest = line.partition("{")
        name = name.strip(" \t").rstrip(" \t:")
        if not name:
            raise ParseError(number, "a section name is missing before the opening brace")
        if rest.strip(" \t"):
            raise ParseError(number, "there is text after the opening brace")
        stack.append((name, number, []))
    elif ":" in line:
        key, _, value = line.partition(":")
        key = key.strip(" \t")
        if not key:
            raise ParseError(number, "a key is missing before the colon")
        stack[-1][2].append(Option(key, value.strip(" \t")))
    elif line == "}":
        if len(stack) == 1:
            raise ParseError(number, "a closing brace has no section to close")
        name, _, entries = stack.pop()
        stack[-1][2].append(Section(name, tuple(entries)))
    else:
        raise ParseError(number, f'"{line}" is neither a section nor a "key: value" line')


def render(conf: Conf) -> str:
    """Write a corosync.conf; the same data gives the same text everywhere.

    Raises :class:`UnwritableError` for data that corosync would read back differently.
    """
    blocks = ["\n".join(_lines(entry, "", 0)) + "\n" for entry in conf.entries]
    return "\n".join(blocks)


def _lines(entry: Entry, path: str, depth: int) -> Iterable[str]:
    indent = "    " * depth
    if isinstance(entry, Option):
        here = join(path, entry.key)
        _writable(here, entry.key, ":{}")
        _writable(here, entry.value, "{", empty=True)
        line = f"{indent}{entry.key}: {entry.value}".rstrip(" ")
        if len(line.encode("utf-8", "surrogateescape")) > MAX_LINE:
            raise UnwritableError(here, entry.value[:20] + "…", "the line is too long")
        yield line
        return
    here = join(path, entry.name)
    _writable(here, entry.name, ":{}")
    yield f"{indent}{entry.name} {{"
    for inner in entry.entries:
        yield from _lines(inner, here, depth + 1)
    yield f"{indent}}}"


def _writable(path: str, text: str, forbidden: str, empty: bool = False) -> None:
    if not text and not empty:
        raise UnwritableError(path, text, "it is empty")
    if text != text.strip(" \t\r"):
        raise UnwritableError(path, text, "it begins or ends with white space")
    if text.startswith("#") and forbidden != "{":
        raise UnwritableError(path, text, "it begins with #, which makes it a comment")
    for char in "\n\r\0" + forbidden:
        if char in text:
            raise UnwritableError(path, text, f"it contains {char!r}")


def join(path: str, name: str) -> str:
    """Return the path of what stands in a section."""
    return f"{path}.{name}" if path else name


# --- building the wanted one -------------------------------------------------------------


def nodes_from(nodes: Mapping[str, Mapping[str, Any]]) -> tuple[Node, ...]:
    """Return the nodes of the pillar's ``nodes`` mapping, in its order.

    nodes
        ``{name: {"id": 1, "addresses": ["10.101.20.110/24", …]}}``; ``id`` defaults to the
        position, counted from 1; prefix lengths are dropped; other keys are not looked at.

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
        result.append(Node(str(name), int(identity), addresses))
    return tuple(result)


def _address(path: str, text: str) -> str:
    try:
        return str(ipaddress.ip_interface(text).ip)
    except ValueError:
        raise SettingsError(path, f'an IPv4 or IPv6 address expected, not "{text}".') from None


def from_settings(
    cluster_name: str,
    nodes: Sequence[Node],
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
        ``{"cipher": …, "hash": …}``; what is not given is aes256 and sha256 with knet, and
        none with udpu and udp, with which corosync 3 cannot encrypt.
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


def _check_nodes(nodes: Sequence[Node], transport: str) -> None:
    if not nodes:
        raise SettingsError("nodes", "at least one node expected.")
    _unique("nodes", "name", (node.name for node in nodes))
    _unique("nodes", "id", (str(node.id) for node in nodes))
    links = len(nodes[0].addresses)
    for node in nodes:
        where = f"nodes:{node.name}"
        if not 1 <= node.id <= MAX_NODEID:
            raise SettingsError(f"{where}:id", f"1 to {MAX_NODEID} expected, not {node.id}.")
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


def _ip_version(nodes: Sequence[Node], totem: Mapping[str, Any]) -> dict[str, str]:
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
    # Not to compress is the default, but none of the words that corosync takes.
    unsaid = Option("knet_compression_model", "none")
    return [entry for entry in _entries("totem", totem) if entry != unsaid]


def _interfaces(
    transport: str, nodes: Sequence[Node], links: Sequence[Mapping[str, Any]]
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


def _node_section(node: Node) -> Section:
    addresses = (Option(f"ring{link}_addr", address) for link, address in enumerate(node.addresses))
    return Section("node", (Option("name", node.name), Option("nodeid", str(node.id)), *addresses))


def _quorum(nodes: Sequence[Node], quorum: Mapping[str, Any]) -> tuple[Entry, ...]:
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
    # corosync would open it all the same, and refuse to start where it cannot.
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
    words = _BOOLEANS.get(path.rpartition(".")[2])
    truth = _TRUTH.get(str(value).lower())
    if truth is not None and (words or isinstance(value, bool)):
        return (words or ("no", "yes"))[truth]
    return str(value)


# --- paths -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """A setting with its path, and its kind: the path without what tells sections apart.

    ``of`` is what its section is about: the number of a link, the name of a subsystem.
    """

    path: str
    kind: str
    value: str
    of: str = ""


def flatten(conf: Conf) -> dict[str, str]:
    """Return every setting by its path; repeated sections are told apart by what names them.

    A second section of the same name in one place keeps its own path
    (``nodelist.node[a#2]``), so neither hides the other. The users and groups of all
    ``uidgid`` sections are one set (``uidgid.uid[hacluster]``).
    """
    return {setting.path: setting.value for setting in walk(conf.entries, merge=False)}


def walk(
    entries: Iterable[Entry],
    merge: bool,
    kind: str = "",
    path: str = "",
    of: str = "",
    taken: set[str] | None = None,
) -> Iterator[Setting]:
    """Yield the settings, with those of sections that are one to corosync under one path."""
    entries = tuple(entries)
    taken = set() if taken is None else taken
    names = [e.name for e in entries if isinstance(e, Section)]
    for entry in entries:
        if isinstance(entry, Option):
            here = join(path, entry.key)
            here = f"{here}[{entry.value}]" if kind == "uidgid" else here
            yield Setting(here, join(kind, entry.key), entry.value, of)
            continue
        inner, here, about = join(kind, entry.name), join(path, entry.name), of
        # Top level sections of one name are one section to corosync.
        if kind and (inner in IDENTITY or names.count(entry.name) > 1):
            about = identity(inner, entry)
            here = f"{here}[{about}]"
            if not (merge and inner in _MERGED):
                here = _distinct(here, taken)
        yield from walk(_without_identity(inner, entry), merge, inner, here, about, taken)


def identity(kind: str, section: Section) -> str:
    """Return what tells a section from others of its kind."""
    if kind == "totem.interface":
        return link_number(section)
    options = section.options()
    for key in IDENTITY.get(kind, ()):
        if key in options:
            return options[key]
    return "1"


def link_number(interface: Section) -> str:
    """Return the link that an interface section is about; corosync takes 0 where it says none."""
    return numeral(interface.options().get("linknumber", "0"))


def _without_identity(kind: str, section: Section) -> Iterable[Entry]:
    named_by_path = {"totem.interface": "linknumber", "logging.logger_subsys": "subsys"}.get(kind)
    return (e for e in section.entries if not (isinstance(e, Option) and e.key == named_by_path))


def _distinct(path: str, taken: set[str]) -> str:
    candidate, number = path, 2
    while candidate in taken:
        candidate = f"{path[:-1]}#{number}]"
        number += 1
    taken.add(candidate)
    return candidate


def numeral(text: str) -> str:
    """Return a number in its shortest spelling, other text as it is."""
    return str(int(text)) if NUMBER.fullmatch(text) else text


def options_of(conf: Conf, name: str) -> dict[str, str]:
    """Return the settings of all top level sections of a name, which are one to corosync."""
    result: dict[str, str] = {}
    for section in conf.sections(name):
        result.update(section.options())
    return result


def inner(conf: Conf, name: str, inner: str) -> tuple[Section, ...]:
    """Return the sections of one name in all of another name."""
    return tuple(found for part in conf.sections(name) for found in part.sections(inner))


def node_id(options: Mapping[str, str]) -> int:
    """Return a node's number, 0 if it has none."""
    text = options.get("nodeid", "")
    return int(text) if NUMBER.fullmatch(text) else 0


# --- asking ------------------------------------------------------------------------------


def nodes_of(conf: Conf) -> tuple[Node, ...]:
    """Return the nodes that a configuration lists; one without a name is named by address."""
    result = []
    for nodelist in conf.sections("nodelist"):
        for section in nodelist.sections("node"):
            options = section.options()
            addresses = tuple(
                options[key]
                for key in (f"ring{link}_addr" for link in range(MAX_LINKS[KNET]))
                if key in options
            )
            name = options.get("name") or (addresses[0] if addresses else "")
            result.append(Node(name, node_id(options), addresses))
    return tuple(result)


def cluster_name(conf: Conf) -> str | None:
    """Return ``totem.cluster_name``."""
    return flatten(conf).get("totem.cluster_name")


def is_packaged_default(conf: Conf) -> bool:
    """Tell whether this is the one-node example that distributions install and start.

    Debian and Ubuntu ship one node, ``node1``, whose only ring is on 127.0.0.1.
    """
    return only_loopback(nodes_of(conf))


def only_loopback(nodes: Sequence[Node]) -> bool:
    """Tell whether this is one node that can talk to none but itself."""
    return len(nodes) == 1 and all(_is_loopback(a) for a in nodes[0].addresses if a)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


_LOG_TARGETS = {"to_stderr": "yes", "to_syslog": "no", "to_logfile": "no"}


def for_judge(conf: Conf, keyfile: str | None = None) -> Conf:
    """Return the configuration as ``corosync -t`` shall judge it.

    All is as it was, but what corosync has to say goes to standard error alone: with
    ``to_stderr: no`` its reason would reach a log and nobody else.

    keyfile
        Judge with this key instead of the configured one, which may not be there yet.
    """
    entries: list[Entry] = [
        Section("logging", _logging_to_stderr(e.entries))
        if isinstance(e, Section) and e.name == "logging"
        else e
        for e in conf.entries
    ]
    entries.append(Section("logging", tuple(Option(k, v) for k, v in _LOG_TARGETS.items())))
    if keyfile:
        entries.append(Section("totem", (Option("keyfile", keyfile),)))
    return Conf(tuple(entries))


def _logging_to_stderr(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    result: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Section):
            result.append(Section(entry.name, _logging_to_stderr(entry.entries)))
        elif entry.key not in _LOG_TARGETS:
            result.append(entry)
    return tuple(result)


_LOG_PREFIX = re.compile(r"^.*?\[[A-Z]+ *\] +")


def judges_sentence(said: str, file: str) -> str:
    """Return corosync's reason from what ``corosync -t`` printed; empty if it gave none.

    said
        Its output; a line may carry a log prefix (``Nov 23 21:04:29.843 error   [MAIN  ]``).
    file
        The path of the candidate, which is of no use to anybody afterwards.
    """
    lines = (_LOG_PREFIX.sub("", line).strip() for line in said.splitlines())
    reasons = [line for line in lines if line and "Corosync Cluster Engine" not in line]
    return reasons[0].replace(file, "corosync.conf") if reasons else ""


def as_data(conf: Conf) -> dict[str, Any]:
    """Return a configuration as nested mappings; repeated sections become lists."""
    return _as_data(conf.entries, "")


def _as_data(entries: Iterable[Entry], path: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for entry in entries:
        if isinstance(entry, Option):
            secret = join(path, entry.key) in SECRET
            result[entry.key] = "(secret)" if secret else entry.value
        else:
            here = join(path, entry.name)
            inner = _as_data(entry.entries, here)
            if here in IDENTITY or here == "uidgid":
                result.setdefault(entry.name, []).append(inner)
            else:
                result.setdefault(entry.name, {}).update(inner)
    return result


def as_changes(changes: Sequence[Change]) -> dict[str, dict[str, str | None]]:
    """Return changes in the shape of a Salt state: ``{path: {"old": …, "new": …}}``."""
    return {c.path: {"old": c.old, "new": c.new} for c in changes}
