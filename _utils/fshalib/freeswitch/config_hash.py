"""Hashes of FreeSWITCH's configuration, which must be the same on both nodes."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

PARTS = ("sip_profiles", "dialplan", "directory", "autoload_configs")
"""Directories with a hash of their own; all other files are the part ``other``."""
OTHER = "other"
# Files that each node makes itself.
NOT_COMPARED = ("tls/*", "*.pem", "*.fsxml", "*~", "*.bak", "*.dpkg-*", ".*")


def config_hash(directory: Path, exclude: Sequence[str] = ()) -> dict[str, Any]:
    """Return the hashes of a configuration.

    directory
        FreeSWITCH's ``conf_dir``.
    exclude
        Patterns of further files that are a node's own, relative to it (``vars_local.xml``).

    Returns ``{"hash": …, "parts": {part: …}, "files": {path: …}}``, all SHA-256.

    Raises :class:`OSError` when a file can't be read.
    """
    patterns = (*NOT_COMPARED, *exclude)
    files = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in sorted(_files(directory))
        if not any(fnmatchcase(name, p) or fnmatchcase(path.name, p) for p in patterns)
    }
    parts = {part: _joined(_of(files, part)) for part in (*PARTS, OTHER) if _of(files, part)}
    return {"hash": _joined(files), "parts": parts, "files": files}


def _files(directory: Path) -> Iterable[tuple[str, Path]]:
    for path in directory.rglob("*"):
        if path.is_file():
            yield path.relative_to(directory).as_posix(), path


def _part(name: str) -> str:
    first = name.partition("/")[0]
    return first if "/" in name and first in PARTS else OTHER


def _of(files: Mapping[str, str], part: str) -> dict[str, str]:
    return {name: digest for name, digest in files.items() if _part(name) == part}


def _joined(files: Mapping[str, str]) -> str:
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def differences(mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, list[str]]:
    """Return part → its files that differ between two nodes.

    mine, theirs
        The ``files`` of two hashes.
    """
    names = [n for n in sorted({*mine, *theirs}) if mine.get(n) != theirs.get(n)]
    return {
        part: [name for name in names if _part(name) == part]
        for part in (*PARTS, OTHER)
        if any(_part(name) == part for name in names)
    }
