"""What the formula adds to FreeSWITCH's own configuration, and whether it takes effect there.

The formula writes fragments of its own below ``fsha/`` and one line into each file of the user's
that includes them, at the end of a section: FreeSWITCH reads parameters in order, and the last one
counts. Everything else in those files stays as it is, byte for byte.

Facts (``sofia.c`` of FreeSWITCH 1.11, and measured): ``rtp-ip`` is the exception, several are used
in turn, one call after the other; ``track-calls`` can be switched on and not off; the core reads
its section once, at its start; of a profile that runs a rescan takes up all parameters at once,
while its socket stays on the address, and its tables in the database, that it was started with.
"""

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from fshalib.freeswitch.preprocessor import (
    Read,
    SwitchConfError,
    Whole,
    read_if_there,
    read_text,
    whole,
    without_comments,
)

ROOT = "freeswitch.xml"
SWITCH = "autoload_configs/switch.conf.xml"
SOFIA = "autoload_configs/sofia.conf.xml"
PRELOAD = "autoload_configs/pre_load_modules.conf.xml"
OWN = "fsha"
"""The directory of the formula's own files, below the configuration."""
HEAD = "<!-- Managed by Salt: changes made here are overwritten. -->"
SECRET = frozenset({"core-db-dsn", "odbc-dsn"})
RESCANNED = frozenset({"track-calls", "profile-standby", "auto-restart"})
"""What a profile that runs takes up without harm; for the rest it has to be started anew."""

New = Mapping[Path, str | None]
"""Files with the text that they have to hold; ``None`` where there has to be none."""


@dataclass(frozen=True)
class ProfileConfig:
    """What a SIP profile is to be told; ``file`` is relative to the configuration."""

    name: str
    file: str
    vip: str = ""
    hot: bool | None = None
    track_calls: bool = True
    odbc_dsn: str = field(default="", repr=False)


@dataclass(frozen=True)
class DesiredConfig:
    """What FreeSWITCH is to be told; what is empty is left to the user."""

    switchname: str = ""
    core_db_dsn: str = field(default="", repr=False)
    auto_clear_sql: bool | None = None
    profiles: tuple[ProfileConfig, ...] = ()


@dataclass(frozen=True)
class Fragment:
    """A file of the formula's own, and where it is included."""

    path: str
    into: str
    element: str
    lines: Mapping[str, str]
    load: tuple[str, ...] = ()
    profile: str = ""

    @property
    def text(self) -> str:
        """What the file holds."""
        params = [
            f"  <param name={quoteattr(name)} value={_attribute(value)}/>"
            for name, value in self.lines.items()
        ]
        modules = [f"  <load module={quoteattr(name)}/>" for name in self.load]
        return "\n".join(["<include>", HEAD, *params, *modules, "</include>", ""])


def _attribute(value: str) -> str:
    # In double quotes always: the preprocessor looks for nothing else.
    return quoteattr(value, {'"': "&quot;"})


def fragments(wanted: DesiredConfig) -> tuple[Fragment, ...]:
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
    found = [Fragment(f"{OWN}/switch.xml", SWITCH, "settings", _given(switch))]
    if wanted.profiles:
        sofia = {"auto-restart": "false"}
        found.append(Fragment(f"{OWN}/sofia.xml", SOFIA, "global_settings", sofia))
    if wanted.core_db_dsn.startswith(("pgsql://", "postgresql://")):
        found.append(Fragment(f"{OWN}/pre_load.xml", PRELOAD, "modules", {}, ("mod_pgsql",)))
    found += [_of_profile(profile) for profile in wanted.profiles]
    for one in found:
        for name, value in one.lines.items():
            _readable(one.path, name, value)
    return tuple(one for one in found if one.lines or one.load)


def _of_profile(profile: ProfileConfig) -> Fragment:
    addresses = ("sip-ip", "rtp-ip", "ext-sip-ip", "ext-rtp-ip")
    params = {
        "track-calls": "true" if profile.track_calls else "",
        **dict.fromkeys(addresses, profile.vip),
        "odbc-dsn": profile.odbc_dsn,
        "profile-standby": _WORDS[profile.hot],
    }
    path = f"{OWN}/profile_{profile.name}.xml"
    return Fragment(path, profile.file, "settings", _given(params), profile=profile.name)


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


def directive(path: str) -> str:
    """Return the line that includes a file."""
    return f'<X-PRE-PROCESS cmd="include" data={quoteattr(path)}/>'


def with_include(text: str, fragment: Fragment, directory: Path) -> str:
    """Return the text of a user's file with a fragment included at the end of its section.

    Raises :class:`SwitchConfError` when there is no such section.
    """
    line = directive(str(directory / fragment.path))
    plain = without_comments(text)
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
    return bool(found.search(without_comments(text)))


def candidate(wanted: DesiredConfig, directory: Path, read: Read) -> dict[Path, str | None]:
    """Return the files that have to hold something else, with their new text.

    directory
        FreeSWITCH's configuration.
    read
        Returns a file's text; raises :class:`OSError`.

    A fragment that is no longer wanted goes, and so does the line that includes it.

    Raises :class:`SwitchConfError`.
    """
    new: dict[Path, str | None] = {}
    kept = {one.path for one in fragments(wanted)}
    for path in _own(directory, read):
        if path.relative_to(directory).as_posix() not in kept:
            new[path] = None
            new |= _without(path, directory, overlay(new, read))
    for one in fragments(wanted):
        target = directory / one.into
        text = read_text(target, one.into, overlay(new, read))
        _check_name(one, text)
        if one.load and all(is_loaded(text, module) for module in one.load):
            continue
        new[directory / one.path] = one.text
        new[target] = with_include(text, one, directory)
    return {path: text for path, text in new.items() if read_if_there(path, read) != text}


def _own(directory: Path, read: Read) -> Iterator[Path]:
    for path in sorted((directory / OWN).glob("*.xml")):
        if HEAD in (read_if_there(path, read) or ""):
            yield path


def _without(own: Path, directory: Path, read: Read) -> dict[Path, str | None]:
    """Return the files that include one of the formula's, without that line."""
    own_line = re.escape(directive(str(own)))
    # Where the section ended in the midst of a line, that line was broken up for it.
    line = re.compile(rf"\n{own_line}\n(?=</)|^[ \t]*{own_line}[ \t]*\n", re.MULTILINE)
    texts = {path: read_if_there(path, read) for path in sorted(directory.rglob("*.xml"))}
    return {p: line.sub("", text) for p, text in texts.items() if text and line.search(text)}


def overlay(new: New, read: Read) -> Read:
    """Return a way to read files as if what is new were written already."""

    def looked(path: Path) -> str:
        if path not in new:
            return read(path)
        text = new[path]
        if text is None:
            raise FileNotFoundError(2, "it is to be removed", str(path))
        return text

    return looked


def _check_name(one: Fragment, text: str) -> None:
    """Refuse a file that is about another profile than its fragment."""
    if not one.profile:
        return
    found = re.findall(r'<profile\s[^>]*\bname\s*=\s*"([^"]*)"', without_comments(text))
    if found != [one.profile]:
        held = f"that of {' and '.join(found)}" if found else "none"
        raise SwitchConfError(
            one.into, f"the profile {one.profile} is expected in it and no other, not {held}"
        )


# --- the whole -------------------------------------------------------------------------------


def verified(wanted: DesiredConfig, directory: Path, read: Read) -> dict[Path, str | None]:
    """Return what :func:`candidate` does, once the whole is sound with it and takes effect.

    Raises :class:`SwitchConfError` with file and line.
    """
    new = candidate(wanted, directory, read)
    found = whole(directory / ROOT, overlay(new, read))
    for one in fragments(wanted):
        section = _section(found, one)
        if section is None:
            what = f"the profile {one.profile}" if one.profile else f"<{one.element}>"
            raise SwitchConfError(
                one.into, f"nothing that {ROOT} includes has {what} of {_of(one)}; is it read?"
            )
        _takes_effect(found, section, one)
    return new


def _of(one: Fragment) -> str:
    """Return the configuration that a fragment is for, ``switch.conf``."""
    return "sofia.conf" if one.profile else Path(one.into).name.removesuffix(".xml")


def _section(found: Whole, one: Fragment) -> etree._Element | None:
    """Return the section from which FreeSWITCH takes what a fragment says: the first one."""
    all_ = (c for c in found.root.iter("configuration") if c.get("name") == _of(one))
    configuration = next(all_, None)
    if configuration is None or not one.profile:
        return None if configuration is None else configuration.find(one.element)
    for profile in configuration.iterfind("profiles/profile"):
        if (profile.get("name") or "").casefold() == one.profile.casefold():
            return profile.find(one.element)
    return None


def _takes_effect(found: Whole, section: etree._Element, one: Fragment) -> None:
    given: dict[str, list[etree._Element]] = {}
    for param in section.iterfind("param"):
        given.setdefault((param.get("name") or "").casefold(), []).append(param)
    for name, value in one.lines.items():
        others = [param for param in given.get(name, []) if param.get("value") != value]
        if len(others) == len(given.get(name, [])):
            raise SwitchConfError(one.into, f"FreeSWITCH would not read {name} in {one.path}")
        if given[name][-1] in others:
            raise SwitchConfError(
                found.place(given[name][-1]),
                f"{name} is set there, after the formula's, and would count; remove it",
            )
        for other in others if name == "rtp-ip" else ():
            if _same_family(other.get("value") or "", value):
                raise SwitchConfError(
                    found.place(other),
                    "rtp-ip is set there, too; FreeSWITCH would take the two in turn and every "
                    "second call would have no sound: remove this line",
                )
    loaded = {load.get("module") for load in section.iterfind("load")}
    if not loaded.issuperset(one.load):
        raise SwitchConfError(one.into, f"it would not load {' and '.join(one.load)}")


def _same_family(other: str, vip: str) -> bool:
    """Tell whether an address is of the same kind; what it is can't always be told."""
    try:
        return ipaddress.ip_address(other).version == ipaddress.ip_address(vip).version
    except ValueError:
        return True


# --- what it takes ---------------------------------------------------------------------------


def restarts(changed: Mapping[str, Iterable[str]], running: Iterable[str]) -> dict[str, list[str]]:
    """Return what only a start makes effective: profile, or ``""`` for the switch → parameters.

    changed
        Fragment → names of parameters.
    running
        The profiles that run; one that does not takes everything up at its next start.
    """
    scopes = {f"{OWN}/switch.xml": "", f"{OWN}/pre_load.xml": ""}
    scopes |= {f"{OWN}/profile_{name}.xml": name for name in running}
    found: dict[str, list[str]] = {}
    for path, names in changed.items():
        left = [n for n in names if not scopes.get(path) or n not in RESCANNED]
        if path in scopes and left:
            found.setdefault(scopes[path], []).extend(left)
    return found


def digest(wanted: DesiredConfig) -> str:
    """Return a short hash of what the formula adds: the same on two nodes that agree.

    It stands in the CIB while there are passwords in what it is of: so guessing is made dear.
    """
    text = "\n".join(f"{one.path}\n{one.into}\n{one.text}" for one in fragments(wanted))
    return hashlib.scrypt(text.encode("utf-8"), salt=b"fsha", n=2**14, r=8, p=1, dklen=8).hex()


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


def from_pillar(data: Mapping[str, Any], read: Read) -> DesiredConfig:
    """Return what ``fsha:freeswitch:configuration`` wants, once it is checked.

    read
        Returns the text of a file with a data source; raises :class:`OSError`.

    Raises :class:`SwitchConfError` when there is no data source in such a file.
    """
    profiles = tuple(
        ProfileConfig(
            name,
            told.get("file", f"sip_profiles/{name}.xml"),
            told.get("vip", ""),
            {"hot": True, "cold": False}.get(told.get("standby", "")),
            told.get("track_calls", True),
            _source(told, "odbc_dsn", read),
        )
        for name, told in data.get("profiles", {}).items()
    )
    return DesiredConfig(
        data.get("switchname", ""),
        _source(data, "core_db_dsn", read),
        data.get("auto_clear_sql"),
        profiles,
    )


def _source(data: Mapping[str, Any], key: str, read: Read) -> str:
    path = data.get(f"{key}_file")
    if path is None:
        return str(data.get(key, ""))
    text = read_text(Path(path), path, read).strip()
    if not text:
        raise SwitchConfError(path, f"it is empty; a data source is expected in it ({key}_file)")
    return text
