"""FreeSWITCH's own configuration: what the formula adds to it, and whether it is still sound.

The formula writes fragments of its own below ``fsha/`` and one line into each file of the user's
that includes them, at the end of a section: FreeSWITCH reads parameters in order, and the last one
counts. Everything else in those files stays as it is, byte for byte.

Facts (``switch_xml.c`` of FreeSWITCH 1.11, and measured): includes are expanded line by line,
before anything is parsed, in comments as well; a path is relative to the including file; lines
with ``<include>`` or ``<?`` are left out; ``$${name}`` is replaced by a variable.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

ROOT = "freeswitch.xml"
SWITCH = "autoload_configs/switch.conf.xml"
SOFIA = "autoload_configs/sofia.conf.xml"
PRELOAD = "autoload_configs/pre_load_modules.conf.xml"
SECRET = frozenset({"core-db-dsn", "odbc-dsn"})
DEEPEST = 100
"""Includes in includes, as many as FreeSWITCH follows."""

Read = Callable[[Path], str]


class SwitchConfError(Exception):
    """FreeSWITCH's configuration is not as it has to be; nothing was written."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}.")


@dataclass(frozen=True)
class Profile:
    """What a SIP profile is to be told; ``file`` is relative to the configuration."""

    name: str
    file: str
    vip: str = ""
    hot: bool | None = None
    track_calls: bool = True
    odbc_dsn: str = field(default="", repr=False)


@dataclass(frozen=True)
class Wanted:
    """What FreeSWITCH is to be told; what is empty is left to the user."""

    switchname: str = ""
    core_db_dsn: str = field(default="", repr=False)
    auto_clear_sql: bool | None = None
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True)
class Fragment:
    """A file of the formula's own, and where it is included."""

    path: str
    into: str
    element: str
    lines: Mapping[str, str]
    load: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the file holds."""
        params = [
            f"  <param name={quoteattr(name)} value={_attribute(value)}/>"
            for name, value in self.lines.items()
        ]
        modules = [f"  <load module={quoteattr(name)}/>" for name in self.load]
        head = "<!-- Managed by Salt: changes made here are overwritten. -->"
        return "\n".join(["<include>", head, *params, *modules, "</include>", ""])


def _attribute(value: str) -> str:
    # In double quotes always: the preprocessor looks for nothing else.
    return quoteattr(value, {'"': "&quot;"})


def fragments(wanted: Wanted) -> tuple[Fragment, ...]:
    """Return the formula's own files.

    Raises :class:`SwitchConfError` for a value that FreeSWITCH would read as something else.
    """
    switch = {
        "switchname": wanted.switchname,
        "core-db-dsn": wanted.core_db_dsn,
        # Its name alone counts: without a database the switch then does not start half blind.
        "core-non-sqlite-db-required": "true" if wanted.core_db_dsn else "",
        # Without it a start deletes the other node's rows of channels and calls (never those that
        # calls are recovered from); with it FreeSWITCH makes no tables, and does not start on an
        # empty database (measured on 1.11.3).
        "auto-clear-sql": _WORDS[wanted.auto_clear_sql],
    }
    found = [Fragment("fsha/switch.xml", SWITCH, "settings", _given(switch))]
    if wanted.profiles:
        sofia = {"auto-restart": "false"}
        found.append(Fragment("fsha/sofia.xml", SOFIA, "global_settings", sofia))
    if wanted.core_db_dsn.startswith(("pgsql://", "postgresql://")):
        found.append(Fragment("fsha/pre_load.xml", PRELOAD, "modules", {}, ("mod_pgsql",)))
    found += [_of_profile(profile) for profile in wanted.profiles]
    for one in found:
        for name, value in one.lines.items():
            _readable(one.path, name, value)
    return tuple(one for one in found if one.lines or one.load)


def _of_profile(profile: Profile) -> Fragment:
    addresses = ("sip-ip", "rtp-ip", "ext-sip-ip", "ext-rtp-ip")
    params = {
        "track-calls": "true" if profile.track_calls else "false",
        **dict.fromkeys(addresses, profile.vip),
        "odbc-dsn": profile.odbc_dsn,
        "profile-standby": _WORDS[profile.hot],
    }
    path = f"fsha/profile_{profile.name}.xml"
    return Fragment(path, profile.file, "settings", _given(params))


_WORDS: Mapping[bool | None, str] = {None: "", True: "true", False: "false"}


def _given(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}


def _readable(path: str, name: str, value: str) -> None:
    if "$${" in value or re.search(r"[\x00-\x1f]", value):
        shown = "it" if name in SECRET else repr(value)
        raise SwitchConfError(
            path, f"{name}: {shown} has a line break or '$${{' in it, which FreeSWITCH replaces"
        )


# --- the user's files ------------------------------------------------------------------------

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def _without_comments(text: str) -> str:
    """Return a text of the same length, with blanks in the place of comments."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def directive(path: str) -> str:
    """Return the line that includes a file."""
    return f'<X-PRE-PROCESS cmd="include" data={quoteattr(path)}/>'


def with_include(text: str, fragment: Fragment, directory: Path) -> str:
    """Return the text of a user's file with a fragment included at the end of its section.

    Raises :class:`SwitchConfError` when there is no such section.
    """
    line = directive(str(directory / fragment.path))
    plain = _without_comments(text)
    if line in plain:
        return text
    end = plain.rfind(f"</{fragment.element}>")
    if end < 0:
        raise SwitchConfError(
            fragment.into, f"it has no <{fragment.element}> … </{fragment.element}> to add to"
        )
    start = text.rfind("\n", 0, end) + 1
    indent = text[start:end]
    # A directive takes the whole line that it stands in.
    if indent.strip():
        return f"{text[:end]}\n{line}\n{text[end:]}"
    return f"{text[:start]}{indent}  {line}\n{text[start:]}"


def is_loaded(text: str, module: str) -> bool:
    """Tell whether a list of modules loads one already."""
    found = re.compile(rf'<load\s+module\s*=\s*"{re.escape(module)}"')
    return bool(found.search(_without_comments(text)))


def candidate(wanted: Wanted, directory: Path, read: Read) -> dict[Path, str]:
    """Return the files that have to hold something else, with their new text.

    directory
        FreeSWITCH's configuration.
    read
        Returns a file's text; raises :class:`OSError`.

    Raises :class:`SwitchConfError`.
    """
    new: dict[Path, str] = {}
    for one in fragments(wanted):
        target = directory / one.into
        text = new.get(target) or _read(target, one.into, read)
        if one.load and all(is_loaded(text, module) for module in one.load):
            continue
        _check_name(one, text)
        new[directory / one.path] = one.text
        new[target] = with_include(text, one, directory)
    return {path: text for path, text in new.items() if _now(path, read) != text}


def _read(path: Path, name: str, read: Read) -> str:
    try:
        return read(path)
    except OSError as error:
        raise SwitchConfError(name, f"it can't be read ({error.strerror})") from error


def _now(path: Path, read: Read) -> str | None:
    try:
        return read(path)
    except OSError:
        return None


def _check_name(one: Fragment, text: str) -> None:
    """Refuse a file that is about another profile than its fragment."""
    found = re.search(r'<profile\s+name\s*=\s*"([^"]*)"', _without_comments(text))
    wanted = re.fullmatch(r"fsha/profile_(.*)\.xml", one.path)
    if wanted and (found is None or found[1] != wanted[1]):
        held = f"that of {found[1]}" if found else "none"
        raise SwitchConfError(one.into, f"the profile {wanted[1]} is expected in it, not {held}")


# --- the whole -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of the whole configuration, and where it stands."""

    file: Path
    number: int
    text: str


_INCLUDE = (
    re.compile(r'<x-pre-process\s[^>]*cmd\s*=\s*"include"[^>]*data\s*=\s*"([^"]*)"', re.IGNORECASE),
    re.compile(r'<!--#include\s+"([^"]*)"'),
)
_DROPPED = re.compile(r"<include>|</include>|<\?|<x-pre-process\s|<!--#", re.IGNORECASE)


def expanded(root: Path, read: Read) -> Iterator[Line]:
    """Yield the lines of a configuration with all includes in their places.

    root
        ``freeswitch.xml``.

    Raises :class:`SwitchConfError` for a file that can't be read, and for a circle.
    """
    yield from _expanded(root, read, 0)


def _expanded(path: Path, read: Read, depth: int) -> Iterator[Line]:
    if depth > DEEPEST:
        raise SwitchConfError(str(path), "files include each other in a circle")
    for number, text in enumerate(_read(path, str(path), read).split("\n"), start=1):
        pattern = next((found[1] for rule in _INCLUDE if (found := rule.search(text))), None)
        if pattern is not None and "$$" not in pattern:
            for inner in _matching(path, number, pattern, read):
                yield from _expanded(inner, read, depth + 1)
        elif not _DROPPED.search(text):
            yield Line(path, number, text)


def _matching(path: Path, number: int, pattern: str, read: Read) -> Iterable[Path]:
    """Return the files that an include means, in their order."""
    # "../x" has to be the same file under the same name, since what is new is known by it.
    target = Path(os.path.normpath(path.parent / pattern))
    if not re.search(r"[*?\[]", pattern):
        if _now(target, read) is None:
            raise SwitchConfError(f"{path}:{number}", f"it includes {target}, which is not there")
        return [target]
    return sorted(target.parent.glob(target.name))


def check(root: Path, read: Read) -> None:
    """Refuse a configuration that FreeSWITCH could not load.

    Raises :class:`SwitchConfError` with file and line.
    """
    lines = list(expanded(root, read))
    # FreeSWITCH takes two dashes in a comment, which XML does not.
    text = _without_comments("\n".join(line.text for line in lines))
    try:
        etree.fromstring(
            text.encode("utf-8"), etree.XMLParser(resolve_entities=False, huge_tree=True)
        )
    except etree.XMLSyntaxError as error:
        at = _place(lines, error.lineno or 1, root)
        reason = re.sub(r", line \d+, column \d+.*", "", str(error.msg))
        # What lxml calls a line is one of the whole.
        reason = re.sub(r"line (\d+)", lambda found: _place(lines, int(found[1]), root), reason)
        raise SwitchConfError(at, f"it is no well-formed XML: {reason}") from error


def _place(lines: list[Line], number: int, root: Path) -> str:
    """Return where a line of the whole stands in its file."""
    if not lines:
        return f"{root}:1"
    line = lines[min(max(number, 1), len(lines)) - 1]
    return f"{line.file}:{line.number}"


def digest(wanted: Wanted) -> str:
    """Return a short hash of what the formula adds: the same on two nodes that agree."""
    text = "\n".join(f"{one.path}\n{one.into}\n{one.text}" for one in fragments(wanted))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def differences(before: str | None, after: str) -> dict[str, dict[str, str | None]]:
    """Return what changes in a fragment: parameter → old and new, secrets hidden."""
    old, new = _params(before or ""), _params(after)
    return {
        name: {"old": _shown(name, old.get(name)), "new": _shown(name, new.get(name))}
        for name in {**new, **old}
        if old.get(name) != new.get(name)
    }


def _params(text: str) -> dict[str, str]:
    found = re.findall(r'<(?:param name|load module)="([^"]*)"(?: value="([^"]*)")?', text)
    return {name: value or "loaded" for name, value in found}


def _shown(name: str, value: str | None) -> str | None:
    return "(secret)" if value is not None and name in SECRET else value


def from_pillar(data: Mapping[str, Any]) -> Wanted:
    """Return what ``fsha:freeswitch:configuration`` wants, once it is checked."""
    profiles = tuple(
        Profile(
            name,
            told.get("file", f"sip_profiles/{name}.xml"),
            told.get("vip", ""),
            {"hot": True, "cold": False}.get(told.get("standby", "")),
            told.get("track_calls", True),
            told.get("odbc_dsn", ""),
        )
        for name, told in data.get("profiles", {}).items()
    )
    return Wanted(
        data.get("switchname", ""),
        data.get("core_db_dsn", ""),
        data.get("auto_clear_sql"),
        profiles,
    )
