"""One control group per machine, so that no two systemds manage the same one."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

REMOVE_SECONDS = 5.0


def roots(mountinfo: str) -> list[Path]:
    """Return where the hierarchies that systemd needs are mounted: unified and ``name=systemd``.

    Args:
        mountinfo: text of ``/proc/self/mountinfo``.

    """
    found = []
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            found.append(Path(left.split()[4]))
    return found


def _here() -> list[Path]:
    return roots(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))


def create(name: str) -> list[Path]:
    """Make the control group *name* in every hierarchy that counts and return its directories."""
    groups = [root / name for root in _here()]
    for group in groups:
        group.mkdir(exist_ok=True)
    return groups


def existing(prefix: str) -> list[Path]:
    """Return all control groups of machines whose name starts with *prefix*."""
    return [group for root in _here() for group in root.glob(f"{prefix}*") if group.is_dir()]


def members(prefix: str) -> list[int]:
    """Return the process numbers in the control groups of machines, however deep."""
    found: set[int] = set()
    for group in existing(prefix):
        for listing in group.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):  # the group went away meanwhile
                found.update(int(line) for line in listing.read_text().split())
    return sorted(found - {0})


def remove(name: str) -> None:
    """Remove the control group *name* and all below it, once its last process has gone."""
    deadline = time.monotonic() + REMOVE_SECONDS
    for group in [root / name for root in _here()]:
        while group.exists() and time.monotonic() < deadline:
            for directory, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):  # busy until its processes are reaped
                    Path(directory).rmdir()
            if group.exists():
                time.sleep(0.02)
