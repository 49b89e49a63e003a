"""Find the lab's processes in /proc: nothing is believed from a file that may be old."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
NSPAWN = "systemd-nspawn"
KIB = 1024


@dataclass(frozen=True)
class Process:
    """A process that can't be mistaken for a later one with the same number."""

    pid: int
    started: int

    def alive(self) -> bool:
        """True while this very process runs (a zombie doesn't)."""
        seen = stat(self.pid)
        return seen is not None and seen[2] == self.started and seen[0] not in "ZX"

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send signal *number* unless the process has ended."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


def stat(pid: int) -> tuple[str, int, int] | None:
    """Return state, parent and start time (clock ticks since boot) of a process, None if gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[1]), int(fields[19])


def pids() -> list[int]:
    """Return the numbers of all processes."""
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def command_line(pid: int) -> list[str]:
    """Return the argument list of a process, empty if gone."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return raw.decode(errors="replace").split("\0")[:-1]


def process(pid: int) -> Process | None:
    """Return the process with this number as it is now, None if there is none."""
    seen = stat(pid)
    return Process(pid, seen[2]) if seen is not None else None


def supervisors(prefix: str) -> dict[str, Process]:
    """Return machine name → its systemd-nspawn, for machines whose name starts with *prefix*."""
    found: dict[int, str] = {}
    for pid in pids():
        argv = command_line(pid)
        if not argv or Path(argv[0]).name != NSPAWN:
            continue
        for argument in argv:
            if argument.startswith(f"--machine={prefix}"):
                found[pid] = argument.removeprefix("--machine=")
    result = {}
    for pid, name in found.items():
        seen = stat(pid)
        # Before it becomes the machine's first process, a child still looks like its parent.
        if seen is not None and seen[0] != "Z" and seen[1] not in found:
            result[name] = Process(pid, seen[2])
    return result


def launchers(prefix: str) -> list[Process]:
    """Return the processes that are about to become a machine's systemd-nspawn."""
    found = []
    for pid in pids():
        argv = command_line(pid)
        if "lab.launch" in argv and f'"--machine={prefix}' in argv[-1]:
            found.append(process(pid))
    return [item for item in found if item is not None]


def leader(supervisor: Process) -> Process | None:
    """Return the machine's first process (its systemd), None before it runs."""
    tasks = PROC / str(supervisor.pid) / "task" / str(supervisor.pid) / "children"
    try:
        children = tasks.read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    for child in children:
        argv = command_line(int(child))
        if argv and Path(argv[0]).name != NSPAWN:
            return process(int(child))
    return None


def namespace_id(pid: int | str, kind: str) -> int | None:
    """Return the inode of a process's namespace *kind* (``net``, ``pid``…), None if gone."""
    try:
        return (PROC / str(pid) / "ns" / kind).stat().st_ino
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def members(kind: str, inode: int) -> list[Process]:
    """Return all processes whose namespace *kind* is the one with *inode*."""
    found = [process(pid) for pid in pids() if namespace_id(pid, kind) == inode]
    return [item for item in found if item is not None]


def memory_mib(processes: list[Process]) -> float:
    """Return the memory of *processes* in MiB, shared pages divided among their users (PSS)."""
    total = 0
    for item in processes:
        try:
            text = (PROC / str(item.pid) / "smaps_rollup").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / KIB


def wait_gone(processes: list[Process], seconds: float) -> list[Process]:
    """Wait up to *seconds* for processes to end; return those that still run."""
    deadline = time.monotonic() + seconds
    left = [item for item in processes if item.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [item for item in left if item.alive()]
    return left
