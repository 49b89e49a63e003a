"""corosync.conf as data: paths of settings, nodes, and the answer of ``corosync -t``.

The grammar is that of corosync's own reader (``exec/coroparse.c`` of corosync 3.1): sections in
braces, ``key: value`` lines; a line with ``{`` opens a section, also with other text on it.

Paths name a setting as a person would: ``totem.token``,
``totem.interface[1].knet_link_priority``, ``nodelist.node[ubuntu-v20z].ring0_addr``.

The meaning of a configuration is in :mod:`semantics`, the comparison in :mod:`diff`.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fshalib.corosync.build import RingNode
from fshalib.corosync.options import IDENTITY, KNET, MAX_LINKS, MERGED, NUMBER, SECRET
from fshalib.corosync.parser import Conf, Entry, Option, Section, join


@dataclass(frozen=True)
class ConfChange:
    """One setting that differs; ``None`` if a side does not have it."""

    path: str
    old: str | None
    new: str | None


# --- paths -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setting:
    """A setting with its path, and its kind: the path without the keys of repeated sections.

    ``of`` is the key of its section: the number of a link, the name of a subsystem.
    """

    path: str
    kind: str
    value: str
    of: str = ""


def flatten(conf: Conf) -> dict[str, str]:
    """Return every setting by its path; repeated sections have their key in it.

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
    """Yield the settings; ``merge`` joins sections that are one to corosync under one path."""
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
            if not (merge and inner in MERGED):
                here = _distinct(here, taken)
        yield from walk(_without_identity(inner, entry), merge, inner, here, about, taken)


def identity(kind: str, section: Section) -> str:
    """Return the key of a section among others of its kind."""
    if kind == "totem.interface":
        return link_number(section)
    options = section.options()
    for key in IDENTITY.get(kind, ()):
        if key in options:
            return options[key]
    return "1"


def link_number(interface: Section) -> str:
    """Return the link of an interface section; corosync takes 0 without a ``linknumber``."""
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
    """Return the settings of all top level sections of a name; they are one to corosync."""
    result: dict[str, str] = {}
    for section in conf.sections(name):
        result.update(section.options())
    return result


def inner(conf: Conf, name: str, inner: str) -> tuple[Section, ...]:
    """Return the sections of one name in all of another name."""
    return tuple(section for outer in conf.sections(name) for section in outer.sections(inner))


def node_id(options: Mapping[str, str]) -> int:
    """Return a node's number, 0 if it has none."""
    text = options.get("nodeid", "")
    return int(text) if NUMBER.fullmatch(text) else 0


# --- asking ------------------------------------------------------------------------------


def nodes_of(conf: Conf) -> tuple[RingNode, ...]:
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
            result.append(RingNode(name, node_id(options), addresses))
    return tuple(result)


def cluster_name(conf: Conf) -> str | None:
    """Return ``totem.cluster_name``."""
    return flatten(conf).get("totem.cluster_name")


def is_packaged_default(conf: Conf) -> bool:
    """Tell whether this is the one-node example that distributions install and start.

    Debian and Ubuntu ship one node, ``node1``, whose only ring is on 127.0.0.1.
    """
    return only_loopback(nodes_of(conf))


def only_loopback(nodes: Sequence[RingNode]) -> bool:
    """Tell whether this is one node with loopback addresses only."""
    return len(nodes) == 1 and all(_is_loopback(a) for a in nodes[0].addresses if a)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


_LOG_TARGETS = {"to_stderr": "yes", "to_syslog": "no", "to_logfile": "no"}


def for_judge(conf: Conf, keyfile: str | None = None) -> Conf:
    """Return the configuration for a check by ``corosync -t``.

    It logs to standard error only: with ``to_stderr: no`` corosync's reason would go to a log.

    keyfile
        A key for the check in place of the configured one, which may not exist yet.
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


def judges_sentence(output: str, file: str) -> str:
    """Return corosync's reason from the output of ``corosync -t``; empty if it gave none.

    output
        Its output; a line may carry a log prefix (``Nov 23 21:04:29.843 error   [MAIN  ]``).
    file
        The path of the checked file; the reason names corosync.conf in its place.
    """
    lines = (_LOG_PREFIX.sub("", line).strip() for line in output.splitlines())
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


def as_changes(changes: Sequence[ConfChange]) -> dict[str, dict[str, str | None]]:
    """Return changes as a Salt state shows them: ``{path: {"old": …, "new": …}}``."""
    return {c.path: {"old": c.old, "new": c.new} for c in changes}
