"""Prepare a private place for a program, then become that program.

Run by :mod:`lab.machine` and :mod:`lab.build` as ``unshare --mount … python -m lab.launch SPEC``,
SPEC being :class:`Spec` as JSON. All mounts are made in the private mount namespace, so they end
with the program, however it ends.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lab import sh


@dataclass(frozen=True)
class Spec:
    """What to prepare.

    ``overlay``: lower directories, uppermost first, merged with ``upper`` (and ``work``) at
    ``target``. ``inner``: more overlays: lower directory, directory for upper and work, path inside
    the target. ``binds``: source, path inside the target, writable. ``system``: mount /proc, /dev
    and /sys in the target. ``chroot``: enter the target. ``detach``: run in the background, output
    to ``log``. ``cgroups``: directories of control groups to enter. ``argv``, ``env``: the program.
    """

    argv: list[str]
    env: dict[str, str]
    target: str
    overlay: list[str] = field(default_factory=list)
    upper: str = ""
    work: str = ""
    inner: list[tuple[str, str, str]] = field(default_factory=list)
    binds: list[tuple[str, str, bool]] = field(default_factory=list)
    system: bool = False
    chroot: bool = False
    detach: bool = False
    log: str = ""
    cgroups: list[str] = field(default_factory=list)

    def command(self, *, own_pids: bool = False) -> tuple[list[str], dict[str, str]]:
        """Return argument list and environment that carry out this specification.

        ``own_pids`` also gives the program a process namespace that dies with it.
        """
        pids = ["--pid", "--fork", "--kill-child"] if own_pids else []
        argv, env = sh.python_module("lab.launch", json.dumps(dataclasses.asdict(self)))
        return ["unshare", "--mount", "--propagation", "slave", *pids, *argv], env


def prepare(spec: Spec) -> None:
    """Make the mounts and enter the control groups of *spec*."""
    for group in spec.cgroups:
        (Path(group) / "cgroup.procs").write_text("0", encoding="ascii")
    if spec.overlay:
        mount_overlay(spec.overlay, Path(spec.upper), Path(spec.work), spec.target)
    for lower, own, inside in spec.inner:
        upper, work, target = Path(own) / "upper", Path(own) / "work", Path(spec.target + inside)
        for directory in (upper, work, target):
            directory.mkdir(parents=True, exist_ok=True)
        mount_overlay([lower], upper, work, str(target))
    if spec.system:
        sh.run(["mount", "-t", "proc", "proc", f"{spec.target}/proc"])
        sh.run(["mount", "--rbind", "/dev", f"{spec.target}/dev"])
        sh.run(["mount", "-t", "sysfs", "-o", "ro", "sysfs", f"{spec.target}/sys"])
    for source, inside, writable in spec.binds:
        bind(Path(source), Path(spec.target + inside), writable=writable)


def mount_overlay(lower: list[str], upper: Path, work: Path, target: str) -> None:
    """Mount a merged tree; nothing waits for the disk, since no data has to outlive the host."""
    # Left by the last such mount: the kernel asks us to confirm that we know.
    shutil.rmtree(work / "work" / "incompat", ignore_errors=True)
    options = f"lowerdir={':'.join(lower)},upperdir={upper},workdir={work},volatile"
    sh.run(["mount", "-t", "overlay", "overlay", "-o", options, target])


def bind(source: Path, target: Path, *, writable: bool) -> None:
    """Bind-mount *source* at *target*, which is created when it is missing."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    sh.run(["mount", "--bind", str(source), str(target)])
    if not writable:
        sh.run(["mount", "-o", "remount,bind,ro", str(target)])


def detach(log: str) -> None:
    """Go on in the background, as no one's child, with output to *log*."""
    if os.fork():
        os._exit(0)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in ((0, nothing), (1, sink), (2, sink)):
        os.dup2(source, target)


def main() -> None:
    """Carry out the specification given as the only argument."""
    spec = Spec(**json.loads(sys.argv[1]))
    if spec.detach:
        detach(spec.log)
    prepare(spec)
    program = sh.program(spec.argv[0]) if not spec.chroot else spec.argv[0]
    if spec.chroot:
        os.chroot(spec.target)
        os.chdir("/")
    os.execvpe(program, spec.argv, spec.env)  # noqa: S606 - this is what we are for


if __name__ == "__main__":
    main()
