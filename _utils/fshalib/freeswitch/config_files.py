"""The formula's files in FreeSWITCH's configuration: what is to be changed of them, and how."""

import grp
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fshalib.freeswitch import client, config
from fshalib.freeswitch.config import DesiredConfig
from fshalib.freeswitch.preprocessor import SwitchConfError
from fshalib.freeswitch.recovery_db import OWN_STORE
from fshalib.system import files

MODE = 0o640
USUAL = Path("/etc/freeswitch")
KNOWN = Path("/var/lib/fsha/freeswitch.directories")
"""Where it is noted which configurations hold something of the formula's."""

Changes = dict[str, dict[str, Any]]


def group_number(name: str | None, directory: Path, service: str) -> int:
    """Return the group that the switch runs with: it leaves out what it may not read.

    name
        The group that the pillar names, if any.
    directory
        FreeSWITCH's configuration.
    service
        FreeSWITCH's systemd unit.

    Raises :class:`preprocessor.SwitchConfError` for a group that is not there, and
    :class:`errors.RunError`.
    """
    if name is not None:
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError as error:
            raise SwitchConfError(
                "freeswitch:configuration:group", f"there is no group {name} on this node"
            ) from error
    running = client.group_of(service)
    return (directory / config.ROOT).stat().st_gid if running is None else running


def text_of(path: Path) -> str:
    """Return a file's text as FreeSWITCH takes it: bytes, of which only some have a meaning.

    Raises :class:`OSError`.
    """
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _text_ahead(path: Path) -> str:
    """Return a file's text, and a stand-in for the store's data source before the run makes it."""
    if str(path) == OWN_STORE and not path.exists():
        return "pgsql://host=127.0.0.1 dbname=freeswitch user=freeswitch"
    return text_of(path)


def planned(
    data: Mapping[str, Any], directory: Path, service: str, *, ahead: bool = False
) -> "ConfigFiles":
    """Return what has to be written so that FreeSWITCH has what the pillar wants.

    data
        The pillar's ``fsha:freeswitch:configuration``.
    directory, service
        As for :func:`group_number`.
    ahead
        Whether the run has yet to make the recovery store of this node, as in a test run.

    The whole configuration is checked with it. Raises :class:`preprocessor.SwitchConfError` and
    :class:`errors.RunError`.
    """
    wanted = config.from_pillar(data, _text_ahead if ahead else text_of)
    new = config.verified(wanted, directory, text_of)
    return ConfigFiles(directory, wanted, new, group_number(data.get("group"), directory, service))


def remains(directory: Path) -> "ConfigFiles":
    """Return what is to be removed from a configuration.

    Raises :class:`preprocessor.SwitchConfError`.
    """
    nothing = DesiredConfig()
    return ConfigFiles(directory, nothing, config.candidate(nothing, directory, text_of), group=0)


def noted(known: Path = KNOWN) -> tuple[Path, ...]:
    """Return the configurations that may hold something of the formula's.

    The usual one is among them: an earlier version has noted none.
    """
    text = (files.read(known) or b"").decode("utf-8", "surrogateescape")
    return tuple(dict.fromkeys([USUAL, *map(Path, text.splitlines())]))


def note(directory: Path, known: Path = KNOWN) -> None:
    """Note that a configuration holds something of the formula's. Raises :class:`OSError`."""
    if directory not in noted(known):
        _write_noted([*noted(known), directory], known)


def forget(directory: Path, known: Path = KNOWN) -> None:
    """Note that it no longer does. Raises :class:`OSError`."""
    left = [path for path in noted(known) if path not in (USUAL, directory)]
    if left:
        _write_noted(left, known)
    else:
        known.unlink(missing_ok=True)


def _write_noted(directories: list[Path], known: Path) -> None:
    text = "".join(f"{path}\n" for path in directories if path != USUAL)
    known.parent.mkdir(parents=True, exist_ok=True)
    files.replace(known, text.encode("utf-8", "surrogateescape"), 0o644)


@dataclass(frozen=True)
class ConfigFiles:
    """What is to be written.

    ``new`` are the files and their text, ``None`` for those that go, ``group`` may read them.
    """

    directory: Path
    wanted: DesiredConfig
    new: Mapping[Path, str | None]
    group: int

    def changes(self) -> Changes:
        """Return file → parameter → old and new, without secrets."""
        return {**self._permissions(), **{self._name(p): self._change(p) for p in self.new}}

    def params(self, changes: Changes) -> Changes:
        """Return the changes of the formula's own files alone."""
        names = {self._name(path) for path in self.new if self._is_own(path)}
        return {name: params for name, params in changes.items() if name in names}

    def write(self) -> None:
        """Write it.

        Raises :class:`OSError`.
        """
        # The formula's own files first: an include of what is not there would include nothing.
        for path in sorted(self.new, key=lambda path: path.parent.name != config.OWN):
            text = self.new[path]
            if text is not None:
                ids = files.owner(path) or (0, self.group)
                content = text.encode("utf-8", "surrogateescape")
                files.replace(path, content, files.mode(path) or MODE, ids)
        for path in self._own():
            owner = files.owner(path)
            if owner is not None:
                files.restrict(path, MODE, (owner[0], self.group))
        for path, text in self.new.items():
            if text is None:
                path.unlink(missing_ok=True)
        own = self.directory / config.OWN
        if own.is_dir() and not any(own.iterdir()):
            own.rmdir()

    def _own(self) -> list[Path]:
        return [self.directory / fragment.path for fragment in config.fragments(self.wanted)]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.directory).as_posix()

    def _is_own(self, path: Path) -> bool:
        return self._name(path).startswith(f"{config.OWN}/")

    def _permissions(self) -> Changes:
        """Return which of the formula's files the switch may not read, or others may."""
        changes: Changes = {}
        for path in self._own():
            owner, mode = files.owner(path), files.mode(path)
            if owner is not None and (owner[1] != self.group or mode != MODE):
                changes[self._name(path)] = {
                    "permissions": {"old": f"{mode:o} {owner[1]}", "new": f"{MODE:o} {self.group}"}
                }
        return changes

    def _change(self, path: Path) -> dict[str, Any]:
        content = files.read(path)
        before = None if content is None else content.decode("utf-8", "surrogateescape")
        after = self.new[path] or ""
        if self._is_own(path):
            return config.differences(before, after)
        more = len(after) > len(before or "")
        word = "the formula's file"
        return {"include": {"old": None if more else word, "new": word if more else None}}
