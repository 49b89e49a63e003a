"""One machine of the lab: a systemd container in its own root and network namespace."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import cgroups, processes, sh
from lab.build import REPOSITORY_PATH, WHEELS_PATH, Layers
from lab.errors import LabCommandError, LabError, LabTimeoutError
from lab.identity import Identity
from lab.launch import Spec
from lab.net import NETNS_DIR, Network
from lab.processes import Process
from lab.settings import COMMAND_ENVIRONMENT, MACHINE_PREFIX, PROJECT_ROOT, STANDIN, Machine

BOOT_SECONDS = 120.0
BOOT_STEP_SECONDS = 2.0
END_SECONDS = 15.0
SHUTDOWN_SECONDS = 60.0
POLL_SECONDS = 0.05
CONSOLE_TAIL = 2000
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
BOOTED = ("running", "degraded")
NSPAWN_LEFTOVERS = (Path("/run/systemd/nspawn/propagate"), Path("/run/systemd/nspawn/unix-export"))


def machine_name(lab: str, machine: str) -> str:
    """Return the name by which a machine's systemd-nspawn is found."""
    return f"{MACHINE_PREFIX}.{lab}.{machine}"


@dataclass(frozen=True)
class Disk:
    """Where a machine's own files are: ``upper`` holds all it wrote since it was bare."""

    directory: Path

    @property
    def upper(self) -> Path:
        """The writable layer."""
        return self.directory / "upper"

    @property
    def work(self) -> Path:
        """Overlayfs's own work directory."""
        return self.directory / "work"

    @property
    def root(self) -> Path:
        """Where the merged root is mounted, seen by the machine's systemd-nspawn only."""
        return self.directory / "root"

    @property
    def console(self) -> Path:
        """What the machine printed on its console."""
        return self.directory / "console.log"

    def create(self) -> None:
        """Make the directories beside the writable layer."""
        for path in (self.work, self.root):
            path.mkdir(parents=True, exist_ok=True)

    def retire(self) -> Path:
        """Put everything the machine ever wrote aside; return where, for the caller to remove."""
        aside = self.directory.with_name(f".{self.directory.name}.{time.monotonic_ns()}")
        self.directory.rename(aside)
        return aside


class Container:
    """A machine of a running lab: run commands in it, start it and end it.

    ``name`` is its host name and Salt minion id; ``machine`` holds its addresses.
    """

    def __init__(self, lab: str, directory: Path, machine: Machine, network: Network) -> None:
        self.lab = lab
        self.machine = machine
        self.name = machine.name
        self.disk = Disk(directory / machine.name)
        self.network = network
        self.container = machine_name(lab, machine.name)
        self._supervisor: Process | None = None
        self._leader: Process | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, lab={self.lab!r})"

    def supervisor(self) -> Process | None:
        """Return the machine's systemd-nspawn, None when the machine is off."""
        if self._supervisor is None or not self._supervisor.alive():
            self._supervisor = processes.supervisors(self.container).get(self.container)
        return self._supervisor

    def leader(self) -> Process | None:
        """Return the machine's first process, None when the machine is off."""
        if self._leader is None or not self._leader.alive():
            supervisor = self.supervisor()
            self._leader = processes.leader(supervisor) if supervisor is not None else None
        return self._leader

    @property
    def running(self) -> bool:
        """True when the machine is switched on."""
        return self.leader() is not None

    def enter(self, argv: Sequence[str]) -> list[str]:
        """Return the argument list that runs *argv* inside the machine.

        Raises LabError when the machine is off.
        """
        leader = self.leader()
        if leader is None:
            if not self.disk.directory.exists():
                raise LabError(f"lab {self.lab} is not up: run python -m lab --lab {self.lab} up")
            raise LabError(f"{self.name} is off: start it with `power on` or `up`")
        flags = ("--mount", "--uts", "--ipc", "--net", "--pid")
        return ["nsenter", "--target", str(leader.pid), *flags, "--", *argv]

    def run(
        self,
        argv: Sequence[str],
        *,
        input: str | None = None,
        timeout: float = 60,
        check: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> sh.Completed:
        """Run a program inside the machine.

        Args:
            argv: program and arguments, no shell.
            input: text for its stdin.
            timeout: seconds until it is killed.
            check: raise when its exit code is not 0.
            env: variables beside PATH, HOME and LANG.

        Raises:
            LabCommandError: exit code is not 0 and *check*.
            LabTimeoutError: it did not end in time.
            LabError: the machine is off.

        """
        return sh.run(
            self.enter(argv),
            input=input,
            timeout=timeout,
            check=check,
            env={**COMMAND_ENVIRONMENT, **(env or {})},
            shown=argv,
            where=self.name,
        )

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file inside the machine, with its directories, owned by root."""
        self.run(["install", "-D", "-m", f"{mode:o}", "/dev/stdin", path], input=text)

    def read(self, path: str) -> str:
        """Return the text of a file inside the machine; raises LabCommandError if missing."""
        return self.run(["cat", path]).out

    def exists(self, path: str) -> bool:
        """True when *path* is there inside the machine."""
        return self.run(["test", "-e", path], check=False).ok

    def main_pid(self, service: str) -> int:
        """Return the process number, inside the machine, of a service's main process.

        Raises LabError when the service doesn't run.
        """
        shown = self.run(["systemctl", "show", "--property=MainPID", "--value", service])
        pid = int(shown.out.strip() or 0)
        if pid == 0:
            raise LabError(f"{self.name}: {service} has no running main process")
        return pid

    def kill(self, service: str) -> int:
        """SIGKILL the main process of a systemd service; return its number inside the machine."""
        pid = self.main_pid(service)
        self.run(["kill", "-KILL", str(pid)])
        return pid

    def prepare(self, identity: Identity) -> None:
        """Give a new machine its own files; a machine that has some keeps them."""
        if self.disk.upper.exists():
            return
        self.disk.create()
        draft = self.disk.directory / "upper.new"
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir()
        identity.write(draft, self.machine)
        draft.rename(self.disk.upper)

    def start(
        self,
        layers: Layers,
        shared: Path,
        freeswitch: Path | None,
        on_step: Callable[[str], None],
        cancelled: threading.Event,
    ) -> None:
        """Start the machine and wait until its systemd says that it is up, or until *cancelled*.

        Raises:
            LabTimeoutError, LabError: it did not come up; the end of its console is in the message.

        """
        self.disk.console.unlink(missing_ok=True)
        groups = cgroups.create(self.container)
        spec = Spec(
            argv=self._nspawn(layers, shared),
            env={
                "PATH": sh.SYSTEM_PATH,
                "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                # The namespace is the node's own, so its kernel's network settings are, too.
                "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
            },
            target=str(self.disk.root),
            overlay=layers.lower(node=self.machine.is_node),
            upper=str(self.disk.upper),
            work=str(self.disk.work),
            inner=self._own_copy(freeswitch),
            detach=True,
            log=str(self.disk.console),
            cgroups=[str(group) for group in groups],
        )
        command, env = spec.command()
        on_step("booting")
        started = time.monotonic()
        sh.run(command, env=env, shown=["systemd-nspawn", self.name])
        self.wait_booted(started + BOOT_SECONDS, cancelled)
        on_step(f"up after {time.monotonic() - started:.1f} s")

    def _own_copy(self, freeswitch: Path | None) -> list[tuple[str, str, str]]:
        """Return the overlay that lets a node write in the installation without changing it."""
        if freeswitch is None or not self.machine.is_node:
            return []
        return [(str(freeswitch), str(self.disk.directory / "freeswitch"), str(freeswitch))]

    def _nspawn(self, layers: Layers, shared: Path) -> list[str]:
        binds = [
            f"--bind-ro={PROJECT_ROOT}:/srv/formula",
            f"--bind-ro={layers.repo}:{REPOSITORY_PATH}",
            f"--bind-ro={layers.wheels}:{WHEELS_PATH}",
        ]
        if self.machine.is_node:
            binds.append(f"--bind={shared}:/srv/lab")
            if STANDIN.is_dir():
                binds.append(f"--bind-ro={STANDIN}:/opt/fsha-standin")
        namespace = NETNS_DIR / self.network.namespace(self.machine)
        return [
            "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit",
            f"--directory={self.disk.root}", f"--machine={self.container}",
            f"--hostname={self.name}", f"--network-namespace-path={namespace}",
            "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--capability=all",
            "--console=read-only", *binds,
        ]  # fmt: skip

    def wait_booted(self, deadline: float, cancelled: threading.Event) -> None:
        """Wait until the machine's systemd has finished its start; raises as :meth:`start`."""
        state = "no systemd yet"
        while time.monotonic() < deadline and not cancelled.is_set():
            if self._ended_early():
                raise LabError(f"{self.name} ended while it was booting:\n{self.console_tail()}")
            if self.leader() is not None:
                state = self.system_state(BOOT_STEP_SECONDS)
                if state in BOOTED:
                    return
            time.sleep(POLL_SECONDS)
        if cancelled.is_set():
            raise LabError(f"{self.name} was not waited for: interrupted")
        raise LabTimeoutError(
            f"{self.name} to boot", BOOT_SECONDS, f"{state}\n{self.console_tail()}"
        )

    def _ended_early(self) -> bool:
        # A process has no command line for a moment while it becomes another program, so neither
        # the launcher nor the supervisor may be seen; its control group holds it all the time.
        if self.supervisor() is not None or processes.launchers(self.container):
            return False
        return not cgroups.members(self.container) and self.supervisor() is None

    def system_state(self, seconds: float) -> str:
        """Return ``systemctl is-system-running``, waiting up to *seconds* for the start to end."""
        argv = ["systemctl", "is-system-running", "--wait"]
        try:
            return self.run(argv, check=False, timeout=seconds).out.strip()
        except LabTimeoutError:
            return self.run(argv[:-1], check=False).out.strip()

    def failed_units(self) -> list[str]:
        """Return the systemd units that failed."""
        listed = self.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"])
        return [line.split()[0] for line in listed.out.splitlines() if line.strip()]

    def console_tail(self) -> str:
        """Return the end of the console's log."""
        if not self.disk.console.exists():
            return "(nothing on its console)"
        text = self.disk.console.read_text(encoding="utf-8", errors="replace")
        return TERMINAL_CODES.sub("", text)[-CONSOLE_TAIL:]

    def halt(self) -> None:
        """End the machine at once, as if its power were cut: nothing inside is told."""
        supervisor, leader = self.supervisor(), self.leader()
        for process in (leader, supervisor if leader is None else None):
            if process is not None:
                process.kill()
        running = [item for item in (leader, supervisor) if item is not None]
        for process in processes.wait_gone(running, END_SECONDS):
            process.kill()
        self._ended(running)

    def shutdown_clean(self) -> None:
        """Shut the machine down in order (``systemctl poweroff``) and wait for the end."""
        supervisor = self.supervisor()
        if supervisor is None:
            return
        self.run(["systemctl", "poweroff"])
        if processes.wait_gone([supervisor], SHUTDOWN_SECONDS):
            what = f"{self.name} to shut down"
            raise LabTimeoutError(what, SHUTDOWN_SECONDS, self.console_tail())
        self._ended([supervisor])

    def _ended(self, running: list[Process]) -> None:
        left = processes.wait_gone(running, END_SECONDS)
        if left:
            raise LabError(f"{self.name}: process {left[0].pid} survives SIGKILL")
        self._supervisor = self._leader = None
        cgroups.remove(self.container)
        for parent in NSPAWN_LEFTOVERS:
            leftover = parent / self.container
            if leftover.is_dir():
                shutil.rmtree(leftover)

    def memory_mib(self) -> float:
        """Return the memory of all the machine's processes in MiB (proportional share)."""
        leader = self.leader()
        inode = processes.namespace_id(leader.pid, "pid") if leader is not None else None
        return processes.memory_mib(processes.members("pid", inode)) if inode is not None else 0.0

    def unit_state(self, unit: str) -> str:
        """Return ``active``, ``inactive``, ``failed``… of a systemd unit."""
        return self.run(["systemctl", "is-active", unit], check=False).out.strip()

    def json(self, argv: Sequence[str], timeout: float = 60) -> object:
        """Run a program that prints JSON and return the object; raises LabCommandError."""
        done = self.run(argv, timeout=timeout)
        try:
            return json.loads(done.out)
        except json.JSONDecodeError:
            raise LabCommandError(done, self.name) from None
