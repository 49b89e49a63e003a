"""What a person writes into corosync.conf and corosync does not read as it is meant.

Comments behind a value, quotes, blanks that are none, misspelt keys, and sections that corosync
does not know. Some of them make corosync refuse the file, which is tried with ``corosync -t`` of
3.1.7; it takes others in silence.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fshalib.corosync.conf import identity
from fshalib.corosync.options import IDENTITY, LINK_KEYS, SECRET, TOTEM_KEYS
from fshalib.corosync.parser import Conf, Entry, Option, Section, join, odd_blank
from fshalib.corosync.semantics import DEFAULTS, NUMBERS, UNUSED, YES, YES_OR_NO
from fshalib.schema.report import nearest, quoted


@dataclass(frozen=True)
class Oddity:
    """One thing that corosync does not read as it is meant.

    path
        Where it stands, as ``conf.flatten`` names it.
    text
        What it is, without a full stop.
    meant
        The value or name that is meant; ``None`` if that is not certain.
    refused
        Whether corosync refuses the file for it.
    """

    path: str
    text: str
    meant: str | None
    refused: bool


# --- what corosync knows ---------------------------------------------------------------------


def _of(section: str) -> frozenset[str]:
    """Return the keys of a section that are known elsewhere in this room."""
    paths = (*DEFAULTS, *NUMBERS, *UNUSED, *YES, *YES_OR_NO)
    here = (path.rpartition(".") for path in paths)
    return frozenset(key for above, _, key in here if above == section)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOG = _of("logging") | _words("logfile")
_KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset(),
    "totem": _of("totem")
    | TOTEM_KEYS
    | _words("cluster_name cluster_uuid crypto_cipher crypto_hash key secauth ip_dscp"),
    "totem.interface": frozenset().union(*LINK_KEYS.values())
    | _of("totem.interface")
    | _words("linknumber"),
    "totem.interface.member": _words("memberaddr"),
    "nodelist": frozenset(),
    "nodelist.node": _of("nodelist.node")
    | _words("name datacenterid")
    | frozenset(f"ring{link}_addr" for link in range(8)),
    "quorum": _of("quorum") | _words("provider cancel_wait_for_all"),
    "quorum.device": _words("model votes timeout sync_timeout master_wins"),
    "quorum.device.net": _words("host port tls algorithm tie_breaker connect_timeout")
    | _words("force_ip_version keep_active_partition_tie_breaker"),
    "logging": _LOG,
    "logging.logger_subsys": _LOG | _words("subsys"),
    "logging.logging_daemon": _LOG | _words("subsys name"),
}
"""The keys of each section that is judged; what is not listed (system, uidgid) is not judged."""
_SECTIONS: Mapping[str, frozenset[str]] = {
    "": _words("totem nodelist quorum logging uidgid system resources nozzle"),
    "totem": _words("interface"),
    "totem.interface": _words("member"),
    "nodelist": _words("node"),
    "quorum": _words("device"),
    "quorum.device": _words("net disk heuristics"),
    "logging": _words("logger_subsys logging_daemon"),
}
_HOMES = {name: above for above, names in _SECTIONS.items() for name in names}
# corosync takes any text for these; of some only one word counts.
_TEXTS = YES | YES_OR_NO | {"logging.logfile", "nodelist.node.name", "quorum.provider"}
_TEXTS |= {"totem.cluster_name", "totem.cluster_uuid", "totem.secauth"}
_TEXTS |= {"logging.logger_subsys.subsys", "logging.logging_daemon.name"}

_COMMENT = re.compile(r"(.*?)(?:[ \t]+(?:#|//).*|[ \t]*;+)", re.DOTALL)
_QUOTES = ('"', "'")


# --- finding ---------------------------------------------------------------------------------


def find(conf: Conf) -> tuple[Oddity, ...]:
    """Return what corosync does not read as it is meant, in the order of the file."""
    return tuple(_within(conf.entries, "", ""))


def _within(entries: Iterable[Entry], kind: str, path: str) -> Iterator[Oddity]:
    for entry in entries:
        if isinstance(entry, Option):
            oddity = _option(entry, kind, path)
            if oddity:
                yield oddity
            continue
        inner, here = join(kind, entry.name), join(path, entry.name)
        strange = _section(entry, kind, here)
        if strange:
            yield strange
            continue
        here = f"{here}[{identity(inner, entry)}]" if inner in IDENTITY else here
        yield from _within(entry.entries, inner, here)


def _option(option: Option, kind: str, path: str) -> Oddity | None:
    here, what = join(path, option.key), join(kind, option.key)
    blank = odd_blank(option.key)
    if blank:
        return Oddity(here, _in_it("name", blank), _without_blanks(option.key), refused=True)
    if kind in _KEYS and option.key not in _KEYS[kind]:
        return Oddity(here, _unknown_key(option.key, kind), None, refused=False)
    if what in SECRET:
        return None
    value = _meant_value(option.value)
    if value == option.value:
        return None
    refused = what not in _TEXTS and kind in _KEYS and not kind.startswith("quorum.device")
    end = ", and refuses this file" if refused else ", and takes all of it as the value"
    return Oddity(here, f"{_why(option.value)}{end}", value, refused)


def _why(text: str) -> str:
    blank = odd_blank(text)
    if blank:
        return f"there is a {blank} in it, which is no blank to corosync"
    if _COMMENT.fullmatch(text):
        return f"corosync has no comments behind a value: it reads {quoted(text)}"
    return f"corosync has no quotes: to it they are part of the value {quoted(text)}"


def _in_it(what: str, blank: str) -> str:
    return f"there is a {blank} in this {what}, which is no blank to corosync; it refuses this file"


def _unknown_key(key: str, kind: str) -> str:
    if not kind:
        return "corosync knows no key outside of all sections, and ignores it"
    near = nearest(key, _KEYS[kind], cutoff=0.75)
    question = f'; is "{near}" meant?' if near else ""
    return f"corosync up to 3.1.9 does not know this key, and ignores it{question}"


def _section(section: Section, kind: str, path: str) -> Oddity | None:
    """Return what is odd about a section's name; what is in such a section needs no word."""
    name = section.name
    blank = odd_blank(name)
    if blank:
        return Oddity(path, _in_it("name", blank), _without_blanks(name), refused=True)
    if kind not in _SECTIONS or name in _SECTIONS[kind]:
        return None
    near = nearest(name, _SECTIONS[kind], cutoff=0.75)
    more = f'; is "{near}" meant?' if near else ""
    if name in _HOMES:
        more = f"; {name} belongs into {_HOMES[name]}"
    text = f"corosync knows no such section here, and nothing in it counts{more}"
    return Oddity(path, text, None, refused=False)


# --- what is meant ---------------------------------------------------------------------------


def meant(conf: Conf, *, only_refused: bool = False) -> Conf:
    """Return a configuration with the values and names that are meant.

    only_refused
        Leave what corosync takes, though otherwise than it is meant: so the file may run.
    """
    return Conf(_mended(conf.entries, "", only_refused))


def _mended(entries: Iterable[Entry], kind: str, only_refused: bool) -> tuple[Entry, ...]:
    result: list[Entry] = []
    for entry in entries:
        if isinstance(entry, Section):
            name = _without_blanks(entry.name)
            inside = _mended(entry.entries, join(kind, name), only_refused)
            result.append(Section(name, inside))
            continue
        key = _without_blanks(entry.key)
        oddity = _option(Option(key, entry.value), kind, "")
        value = oddity.meant if oddity and (oddity.refused or not only_refused) else None
        result.append(Option(key, entry.value if value is None else value))
    return tuple(result)


def _meant_value(text: str) -> str:
    value = _without_blanks(text)
    comment = _COMMENT.fullmatch(value)
    value = comment[1] if comment else value
    if len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]:
        value = value[1:-1]
    return value.strip(" \t")


def _without_blanks(text: str) -> str:
    kinds = ((c, "" if unicodedata.category(c) == "Cf" else " ") for c in text)
    return "".join(blank if odd_blank(c) else c for c, blank in kinds).strip(" \t")
