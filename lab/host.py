"""What the lab needs of the machine it runs on, said in one sentence when it is missing."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path

from lab import cgroups, sh
from lab.errors import HostNotReadyError
from lab.settings import HOST_PROGRAMS, RUN_ROOT, cache_root

MINIMUM_KERNEL = (5, 16)  # nftables egress hooks, which packet loss needs
FREE_GIB = 4
GIB = 1 << 30


def missing_packages() -> list[str]:
    """Return the Debian packages that bring what the host lacks."""
    path = f"{sh.SYSTEM_PATH}:{os.environ.get('PATH', '')}"
    needed = HOST_PROGRAMS.items()
    return sorted({package for name, package in needed if shutil.which(name, path=path) is None})


def problems() -> list[str]:
    """Return one sentence for each thing that keeps the lab from working here."""
    found = []
    if os.geteuid() != 0:
        found.append("the lab must run as root: namespaces, mounts and systemd-nspawn need it")
    packages = missing_packages()
    if packages:
        found.append(f"packages are missing: run apt-get install {' '.join(packages)}")
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if version and tuple(int(part) for part in version.groups()) < MINIMUM_KERNEL:
        wanted = ".".join(str(part) for part in MINIMUM_KERNEL)
        found.append(f"the kernel is {platform.release()}, the lab needs {wanted} or newer")
    if not re.search(r"\boverlay$", Path("/proc/filesystems").read_text(), re.MULTILINE):
        found.append("the kernel has no overlay filesystem yet: run modprobe overlay")
    if not cgroups.roots(Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        found.append("no cgroup hierarchy for systemd is mounted under /sys/fs/cgroup")
    found.extend(_space())
    return found


def _space() -> list[str]:
    sentences = []
    for path in {cache_root(), RUN_ROOT}:
        there = next(parent for parent in (path, *path.parents) if parent.exists())
        free = shutil.disk_usage(there).free / GIB
        if free < FREE_GIB:
            sentences.append(f"{path} has {free:.1f} GiB free, the lab needs {FREE_GIB}")
    return sentences


def require() -> None:
    """Raise HostNotReadyError with every problem of this host, if there is any."""
    found = problems()
    if found:
        raise HostNotReadyError("\n".join(found))


def install_packages() -> list[str]:
    """Install what is missing with apt-get and return the package names."""
    packages = missing_packages()
    if packages:
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        sh.run(["apt-get", "update", "-q"], timeout=300, env=env)
        sh.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages],
            timeout=900,
            env=env,
        )
    return packages
