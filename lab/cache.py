"""The cache that all labs of a machine share: one directory per build stage, built once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.progress import Progress

PARTIAL = ".partial-"
KEY_LENGTH = 12


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold an exclusive lock on the file *path*; the kernel frees it when this process ends.

    ``waiting`` is called once when someone else holds it. The file is removed on release.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None:
                waiting()
                waiting = None
            fcntl.flock(handle, fcntl.LOCK_EX)
        # The holder before us removed the file: our lock is on a name that is gone.
        if _same_file(handle, path):
            break
        os.close(handle)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@dataclass(frozen=True)
class Stage:
    """A finished build stage: ``path`` of its directory, ``key`` the hash of its whole recipe."""

    name: str
    key: str
    path: Path


class Cache:
    """Build stages under *root*; a stage is complete when its directory has its final name."""

    def __init__(self, root: Path, progress: Progress) -> None:
        self.root = root
        self.progress = progress

    def stage(
        self, name: str, recipe: Mapping[str, object], build: Callable[[Path], None]
    ) -> Stage:
        """Return the stage *name* made by *recipe*, building it first when it isn't there.

        Args:
            name: for people, e.g. ``debian-bookworm``.
            recipe: everything the result depends on, JSON-able.
            build: called with an empty directory to fill.

        """
        key = recipe_key(recipe)
        final = self.root / f"{name}-{key}"
        if not final.is_dir():
            with locked(
                self.root / f"{name}-{key}.lock",
                lambda: self.progress(name, "another process is building it, waiting"),
            ):
                if not final.is_dir():
                    self._build(final, build)
        return Stage(name, key, final)

    def _build(self, final: Path, build: Callable[[Path], None]) -> None:
        for stale in self.root.glob(f"{final.name}{PARTIAL}*"):
            shutil.rmtree(stale)
        partial = self.root / f"{final.name}{PARTIAL}{os.getpid()}"
        partial.mkdir(parents=True)
        try:
            build(partial)
        except BaseException:
            log = partial / "build.log"
            if log.exists():
                shutil.copy(log, self.root / f"{final.name}.log")
            shutil.rmtree(partial)
            raise
        partial.rename(final)

    def stages(self) -> list[Path]:
        """Return the directories of all finished and abandoned stages."""
        if not self.root.is_dir():
            return []
        return sorted(path for path in self.root.iterdir() if path.is_dir())

    def prune(self, in_use: set[Path]) -> list[Path]:
        """Remove every stage that is not *in_use* nor being built; return what was removed."""
        removed = []
        for path in self.stages():
            stage = self.root / path.name.partition(PARTIAL)[0]
            if stage in in_use or stage.with_name(f"{stage.name}.lock").exists():
                continue
            shutil.rmtree(path)
            removed.append(path)
        for log in self.root.glob("*.log"):  # of builds that failed
            log.unlink()
        return removed


def recipe_key(recipe: Mapping[str, object]) -> str:
    """Return the short hash that names a recipe."""
    text = json.dumps(recipe, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]
