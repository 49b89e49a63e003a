"""Where a lab keeps what its machines write: in memory when there is enough, else on the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from lab import sh

GIB = 1 << 30
KIB = 1 << 10
NEEDED_AVAILABLE = 5 * GIB
LIMIT = 3 * GIB
MEMINFO = Path("/proc/meminfo")


def fits_in_memory(meminfo: str) -> bool:
    """True when the machine can spare what two installed nodes write.

    Args:
        meminfo: text of ``/proc/meminfo``.

    """
    for line in meminfo.splitlines():
        key, _, value = line.partition(":")
        if key == "MemAvailable":
            return int(value.split()[0]) * KIB >= NEEDED_AVAILABLE
    return False


def create(directory: Path) -> bool:
    """Make the lab's directory, for root only; True when it is in memory."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    if not fits_in_memory(MEMINFO.read_text(encoding="ascii")):
        return False
    options = f"mode=700,size={LIMIT}"
    sh.run(["mount", "-t", "tmpfs", "-o", options, "fsha-lab", str(directory)])
    return True


def remove(directory: Path) -> None:
    """Remove the lab's directory with all in it, wherever it is."""
    if not directory.exists():
        return
    # File by file first: another lab's private view of our mount would keep the memory.
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    while os.path.ismount(directory):
        sh.run(["umount", str(directory)])
    directory.rmdir()
