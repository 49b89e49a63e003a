"""The lab as a whole: bring it up, take it down, break it on purpose, watch it."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import re
import secrets
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import cgroups, database, disk, host, processes, saltbus
from lab.build import Builder, Layers
from lab.cache import Cache, locked
from lab.calls import DEFAULT_PTIME, RINGING_USER, USER, Calls, Wanted
from lab.errors import LabError, LabTimeoutError
from lab.identity import Identity
from lab.machine import NSPAWN_LEFTOVERS, Container, machine_name
from lab.net import NETNS_DIR, Network
from lab.probe import DEFAULT_INTERVAL, DEFAULT_THRESHOLD, Probe
from lab.progress import Progress
from lab.settings import (
    DEFAULT_RELEASE,
    LINKS,
    NAME_PATTERN,
    NODES,
    OUTSIDE,
    RELEASES,
    RUN_ROOT,
    SIP_PORT,
    VIP,
    Machine,
    cache_root,
)

DEFAULT_NAME = "fsha"
MINIONS_SECONDS = 90.0
PING_PATIENCE = 3
PUBLISH_PORT = 4505
END_SECONDS = 5.0
# What systemd mounts anew in every machine, so that nothing of ours shows below it.
HIDDEN_IN_NODES = ("tmp", "run", "dev", "proc", "sys")
PILLAR_TOP = "base:\n  '*':\n    - fsha\n"
COUNT_ROWS = "SELECT count(*) FROM recovery"
MASTER_KEYS = "/etc/salt/pki/master"
MASTER_CACHE = "/var/cache/salt/master"
KEY_STATES = ("minions", "minions_pre", "minions_rejected", "minions_denied")


@dataclass
class Faults:
    """Network faults that are set now; they outlive a power cycle as a cut cable does."""

    down: set[tuple[str, int]] = field(default_factory=set)
    partition: bool = False
    loss: dict[tuple[str, int], float] = field(default_factory=dict)
    delay: dict[tuple[str, int], float] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps(
            {
                "down": sorted(self.down),
                "partition": self.partition,
                "loss": [[*key, value] for key, value in sorted(self.loss.items())],
                "delay": [[*key, value] for key, value in sorted(self.delay.items())],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Faults:
        """Return what :meth:`to_json` wrote."""
        data = json.loads(text)
        return cls(
            down={(name, number) for name, number in data["down"]},
            partition=data["partition"],
            loss={(name, number): value for name, number, value in data["loss"]},
            delay={(name, number): value for name, number, value in data["delay"]},
        )


@dataclass(frozen=True)
class Setup:
    """How the running lab was made; kept in its directory."""

    release: str
    freeswitch: str | None
    password: str
    layers: dict[str, str]
    database_password: str = ""

    def places(self) -> Layers:
        """Return where the machines' parts are."""
        paths = {key: Path(value) for key, value in self.layers.items() if key != "release"}
        return Layers(release=self.release, **paths)


class Node(Container):
    """A machine of a lab, with a power switch."""

    def __init__(self, lab: Lab, machine: Machine) -> None:
        super().__init__(lab.name, lab.directory, machine, lab.network)
        self._lab = lab

    def boot(self) -> None:
        """Switch the node on and wait until it has booted; no-op when it is on."""
        self._lab.power_on(self)

    def power_off(self) -> None:
        """Cut the node's power: nothing inside is told."""
        self._lab.power_off(self)

    def shutdown(self) -> None:
        """Shut the node down in order and switch it off."""
        self._lab.shutdown(self)


class Lab:
    """Two bare nodes and the outside, on this machine.

    Args:
        name: which lab; several can run at once. Default: ``$FSHA_LAB`` or ``fsha``.
        progress: where progress lines go; default stderr.

    Raises:
        LabError: the name can't be used.

    """

    def __init__(self, name: str | None = None, *, progress: Progress | None = None) -> None:
        self.name = name or os.environ.get("FSHA_LAB") or DEFAULT_NAME
        if not NAME_PATTERN.fullmatch(self.name):
            raise LabError(
                f"{self.name!r} can't be a lab's name: use up to 24 of a-z, 0-9 and - in between"
            )
        self.progress = progress if progress is not None else Progress()
        self.directory = RUN_ROOT / self.name
        self.network = Network(self.name)
        self.outside = Node(self, OUTSIDE)
        self.nodes = {machine.name: Node(self, machine) for machine in NODES}

    # ---------------------------------------------------------------- the lab's own files

    @property
    def machines(self) -> list[Node]:
        """The outside and the nodes."""
        return [self.outside, *self.nodes.values()]

    @property
    def shared(self) -> Path:
        """The directory that both nodes see as /srv/lab."""
        return self.directory / "shared"

    @property
    def _ready(self) -> Path:
        """There since the lab came up as a whole for the first time."""
        return self.directory / "ready"

    def setup(self) -> Setup | None:
        """Return how the lab was made, None when there is none."""
        try:
            return Setup(**json.loads((self.directory / "lab.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def _write_private(self, name: str, text: str) -> None:
        target = self.directory / name
        partial = self.directory / f".{name}.{os.getpid()}"
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as sink:
            sink.write(text)
        partial.replace(target)

    def _required_setup(self) -> Setup:
        setup = self.setup()
        if setup is None:
            raise LabError(f"lab {self.name} is not up: run python -m lab --lab {self.name} up")
        return setup

    def _lock(self) -> Any:
        return locked(
            Path("/run") / f"fsha-lab.{self.name}.lock",
            lambda: self.progress("lab", f"another command works on lab {self.name}, waiting"),
        )

    # ---------------------------------------------------------------- up, down, reset

    def up(
        self,
        release: str | None = None,
        *,
        freeswitch: str | Path | None = None,
        database: bool = False,
        fresh: bool = False,
    ) -> bool:
        """Bring the lab up; nothing to do when it is.

        Args:
            release: Debian code name of all machines, default bookworm.
            freeswitch: installation prefix of a real FreeSWITCH; None uses the stand-in.
            database: with a PostgreSQL outside as the recovery database of the stand-in; otherwise
                that is a file both nodes see. A real FreeSWITCH is only told its password.
            fresh: remove what is there first.

        Returns:
            True when something was started, False when everything ran already.

        Raises:
            HostNotReadyError: the host lacks something.
            LabError: it did not come up; everything that was started is removed again.

        """
        host.require()
        prefix = _checked_prefix(freeswitch)
        if release is not None and release not in RELEASES:
            raise LabError(f"no release {release!r}: choose {' or '.join(RELEASES)}")
        with self._lock():
            if fresh:
                self._down()
            setup = self.setup() if self._ready.exists() else None
            if setup is None and self.leftovers():
                self.progress("lab", "an earlier lab broke off: removing what it left behind")
                self._down()
            if setup is not None:
                _check_same(setup, release, prefix, database=database)
                if all(node.running for node in self.machines):
                    self.progress("lab", f"{self.name} is up already ({setup.release})")
                    return False
                self.progress("lab", "some machines are off: starting them")
                self._start(setup)
                return True
            try:
                self._start(
                    self._new_setup(release or DEFAULT_RELEASE, prefix, with_database=database)
                )
            except BaseException as error:
                self.progress("lab", f"{_reason(error)}: removing what was started")
                self._down()
                raise
            return True

    def _new_setup(self, release: str, freeswitch: Path | None, *, with_database: bool) -> Setup:
        layers = Builder(Cache(cache_root(), self.progress), release).layers()
        places = {key: str(value) for key, value in dataclasses.asdict(layers).items()}
        setup = Setup(
            release=release,
            freeswitch=str(freeswitch) if freeswitch else None,
            password=secrets.token_hex(16),
            layers=places,
            database_password=secrets.token_hex(16) if with_database else "",
        )
        if disk.create(self.directory):
            self.progress("lab", "what the machines write is kept in memory")
        self.shared.mkdir(exist_ok=True)
        self._write_private("lab.json", json.dumps(setup.__dict__))
        return setup

    def _start(self, setup: Setup) -> None:
        self.network.create_outside()
        if setup.database_password and not self.outside.running:
            # A switch does not start without its database.
            self._boot([self.outside], setup)
            database.empty(self.outside, setup.database_password)
        self._boot([node for node in self.machines if not node.running], setup)
        self.wait_minions(self.nodes.values())
        self._ready.touch()
        self.progress("lab", f"{self.name} is up")

    def _boot(self, nodes: Iterable[Node], setup: Setup) -> None:
        """Start machines at the same time; raises the first error after all have ended."""
        chosen = list(nodes)
        for node in chosen:
            if node.machine.is_node:
                self.network.plug_in(node.machine)
        self._apply_faults(self.faults())
        cancelled = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(len(chosen), 1)) as pool:
            jobs = [pool.submit(self._boot_one, node, setup, cancelled) for node in chosen]
            try:
                done, _ = concurrent.futures.wait(jobs, return_when="FIRST_EXCEPTION")
            finally:
                # All have booted, one failed, or we were interrupted: no reason to wait for others.
                cancelled.set()
                concurrent.futures.wait(jobs)
        for job in done:
            job.result()

    def _boot_one(self, node: Node, setup: Setup, cancelled: threading.Event) -> None:
        freeswitch = Path(setup.freeswitch) if setup.freeswitch else None
        node.prepare(Identity(self.name, setup.password, freeswitch, setup.database_password))
        node.start(
            setup.places(),
            self.shared,
            freeswitch,
            lambda what: self.progress(f"machine {node.name}", what),
            cancelled,
        )
        failed = node.failed_units()
        if failed:
            self.progress(f"machine {node.name}", f"these units failed: {', '.join(failed)}")

    def wait_minions(self, nodes: Iterable[Node]) -> None:
        """Wait until the minions of *nodes* answer the master.

        Raises:
            LabTimeoutError: they don't.

        """
        wanted = sorted(node.name for node in nodes)
        self.progress("salt", f"waiting for {' and '.join(wanted)} to answer the master")
        deadline = time.monotonic() + MINIONS_SECONDS
        answered: list[str] = []
        while time.monotonic() < deadline:
            if self._subscribed() >= set(wanted):
                returns = saltbus.salt(self.outside, wanted, "test.ping", [], {}, PING_PATIENCE)
                answered = sorted(name for name, value in returns.items() if value is True)
                if answered == wanted:
                    self.progress("salt", "all minions answer")
                    return
            time.sleep(0.2)
        raise LabTimeoutError(
            f"the minions {', '.join(wanted)}", MINIONS_SECONDS, f"answers from {answered}"
        )

    def _subscribed(self) -> set[str]:
        """Return the nodes that are connected to the port on which the master publishes jobs."""
        argv = ["ss", "-Htn", "state", "established", "sport", "=", f":{PUBLISH_PORT}"]
        peers = {line.split()[-1].rpartition(":")[0] for line in self._outside_lines(argv)}
        addresses = {machine.name: LINKS[0].address(machine.host) for machine in NODES}
        return {name for name, address in addresses.items() if address in peers}

    def _outside_lines(self, argv: list[str]) -> list[str]:
        return [line for line in self.outside.run(argv).out.splitlines() if line.strip()]

    def down(self) -> None:
        """Remove the lab, whatever state it is in: processes, namespaces, mounts, files.

        Raises:
            LabError: something is left that can't be removed; it is named.

        """
        with self._lock():
            self._down()

    def _down(self) -> None:
        prefix = machine_name(self.name, "")
        _end(processes.launchers(prefix))
        for container, supervisor in processes.supervisors(prefix).items():
            self.progress("lab", f"ending {container.removeprefix(prefix)}")
            leader = processes.leader(supervisor)
            # Its first process first: systemd-nspawn then cleans up after itself.
            if leader is not None:
                leader.kill()
                processes.wait_gone([supervisor], END_SECONDS)
            _end([supervisor])
        _end(self._strays())
        self.network.remove()
        for group in cgroups.existing(prefix):
            cgroups.remove(group.name)
        for path in self._nspawn_leftovers():
            shutil.rmtree(path)
        disk.remove(self.directory)
        if RUN_ROOT.exists() and not any(RUN_ROOT.iterdir()):
            RUN_ROOT.rmdir()
        left = self.leftovers()
        if left:
            raise LabError(f"lab {self.name} leaves behind: {'; '.join(left)}")

    def _strays(self) -> list[processes.Process]:
        """Return processes in the lab's network namespaces and control groups."""
        prefix = machine_name(self.name, "")
        inodes = {(NETNS_DIR / name).stat().st_ino for name in self.network.namespaces()}
        # A namespace whose making was broken off is an ordinary file, or still ours.
        inodes.discard(processes.namespace_id("self", "net") or 0)
        found = [item for inode in inodes for item in processes.members("net", inode)]
        grouped = [processes.process(pid) for pid in cgroups.members(prefix)]
        return list({*found, *processes.launchers(prefix), *(p for p in grouped if p is not None)})

    def _nspawn_leftovers(self) -> list[Path]:
        prefix = machine_name(self.name, "")
        return [path for parent in NSPAWN_LEFTOVERS for path in parent.glob(f"{prefix}*")]

    def leftovers(self) -> list[str]:
        """Return everything of this lab that exists on the machine, for people to read."""
        prefix = machine_name(self.name, "")
        found = [
            f"process {item.pid} ({name})" for name, item in processes.supervisors(prefix).items()
        ]
        found += [f"process {item.pid} in a lab namespace or group" for item in self._strays()]
        found += [f"network namespace {name}" for name in self.network.namespaces()]
        found += [f"control group {path}" for path in cgroups.existing(prefix)]
        found += [f"directory {path}" for path in self._nspawn_leftovers()]
        if self.directory.exists():
            found.append(f"directory {self.directory}")
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
        found += [f"mount {line.split()[1]}" for line in mounts.splitlines() if self._ours(line)]
        return found

    def _ours(self, mount: str) -> bool:
        namespaces = f"{NETNS_DIR}/{machine_name(self.name, '')}"
        return mount.split()[1].startswith((f"{self.directory}/", namespaces))

    def reset(self, nodes: Sequence[str | Node] | None = None) -> None:
        """Make nodes bare again: power off, forget all they wrote, boot.

        Their Salt keys and caches on the master go too. All nodes together also lose what they
        shared and every network fault.

        Args:
            nodes: which; default all nodes (never the outside).

        """
        setup = self._required_setup()
        chosen = [self.node(item) for item in nodes] if nodes else list(self.nodes.values())
        old = []
        with self._lock(), concurrent.futures.ThreadPoolExecutor(max_workers=1) as cleaner:
            for node in chosen:
                self.progress(f"machine {node.name}", "power off, back to bare")
                node.halt()
                self.network.unplug(node.machine)
                # In this order a reset that is broken off leaves a node that can boot.
                self._forget_minion(node.name)
                old.append(node.disk.retire())
            if len(chosen) == len(self.nodes):
                shutil.rmtree(self.shared)
                self.shared.mkdir()
                self._write_private("faults.json", Faults().to_json())
                if setup.database_password:
                    database.empty(self.outside, setup.database_password)
            cleaned = [cleaner.submit(shutil.rmtree, path) for path in old]
            self._boot(chosen, setup)
            self.wait_minions(chosen)
            for job in cleaned:
                job.result()

    def _forget_minion(self, name: str) -> None:
        paths = [f"{MASTER_KEYS}/{state}/{name}" for state in KEY_STATES]
        self.outside.run(["rm", "-rf", *paths, f"{MASTER_CACHE}/minions/{name}"])

    def node(self, which: str | Node) -> Node:
        """Return a node or the outside by name; raises LabError with the names there are."""
        if isinstance(which, Node):
            return which
        for node in self.machines:
            if node.name == which:
                return node
        names = ", ".join(node.name for node in self.machines)
        raise LabError(f"no machine {which!r} in the lab: there are {names}")

    # ---------------------------------------------------------------- power

    def power_off(self, which: str | Node) -> None:
        """Cut a node's power: nothing inside is told, its addresses vanish with its namespace."""
        self._required_setup()
        node = self._cluster_node(which)
        node.halt()
        self.network.unplug(node.machine)

    def shutdown(self, which: str | Node) -> None:
        """Shut a node down in order and switch it off."""
        self._required_setup()
        node = self._cluster_node(which)
        node.shutdown_clean()
        self.network.unplug(node.machine)

    def power_on(self, which: str | Node) -> None:
        """Switch a node on and wait until it has booted; nothing to do when it is on."""
        node = self._cluster_node(which)
        if not node.running:
            self._boot([node], self._required_setup())

    def _cluster_node(self, which: str | Node) -> Node:
        node = self.node(which)
        if not node.machine.is_node:
            raise LabError(f"{node.name} holds the lab together: only nodes can be switched off")
        return node

    # ---------------------------------------------------------------- network faults

    def faults(self) -> Faults:
        """Return the network faults that are set."""
        try:
            return Faults.from_json((self.directory / "faults.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Faults()

    def _change_faults(self, change: Callable[[Faults], None]) -> None:
        self._required_setup()
        with locked(self.directory / "faults.lock"):
            before, after = self.faults(), self.faults()
            change(after)
            try:
                self._apply_faults(after)
            except LabError:
                self._apply_faults(before)
                raise
            self._write_private("faults.json", after.to_json())

    def _apply_faults(self, faults: Faults) -> None:
        """Make the cables that are plugged in behave as the faults say."""
        plugged = [machine for machine in NODES if self.network.exists(machine)]
        losses = []
        for machine in plugged:
            self.network.set_isolated(machine, isolated=faults.partition)
            for link in LINKS:
                key = (machine.name, link.number)
                self.network.set_link(machine, link, up=key not in faults.down)
                self.network.set_delay(machine, link, faults.delay.get(key, 0))
                losses.append((machine, link, faults.loss.get(key, 0.0)))
        self.network.set_loss(losses)

    def link_down(self, which: str | Node, link: int | None = None) -> None:
        """Pull a node's cable on *link* (0 or 1; default both)."""
        keys = self._cables(which, link)
        self._change_faults(lambda faults: faults.down.update(keys))

    def link_up(self, which: str | Node, link: int | None = None) -> None:
        """Plug a node's cable on *link* in again (default both)."""
        keys = self._cables(which, link)
        self._change_faults(lambda faults: faults.down.difference_update(keys))

    def loss(
        self, which: str | Node, link: int, percent: float, *, delay_ms: float | None = None
    ) -> None:
        """Lose *percent* of the packets of a node on *link*, in each direction; 0 ends it.

        Args:
            which: the node.
            link: 0 or 1.
            percent: 0 to 100.
            delay_ms: also delay each packet, each way; needs a kernel with netem. None leaves the
                delay as it is.

        Raises:
            LabError: no such link, percent out of range, or the kernel can't delay.

        """
        if not 0 <= percent <= 100:
            raise LabError(f"loss is a percentage from 0 to 100, not {percent}")
        key = self._cables(which, link)[0]

        def change(faults: Faults) -> None:
            faults.loss[key] = percent
            if delay_ms is not None or percent == 0:
                faults.delay[key] = delay_ms or 0.0

        self._change_faults(change)

    def partition(self) -> None:
        """Let the nodes not hear each other on any link; both still hear the outside."""

        def change(faults: Faults) -> None:
            faults.partition = True

        self._change_faults(change)

    def heal(self) -> None:
        """End every network fault: partition, pulled cables, loss, delay."""

        def change(faults: Faults) -> None:
            faults.__init__()  # type: ignore[misc]

        self._change_faults(change)

    def _cables(self, which: str | Node, link: int | None) -> list[tuple[str, int]]:
        node = self._cluster_node(which)
        numbers = [item.number for item in LINKS]
        if link is not None and link not in numbers:
            raise LabError(f"no link {link}: a node has {' and '.join(map(str, numbers))}")
        return [(node.name, number) for number in numbers if link in (None, number)]

    # ---------------------------------------------------------------- Salt

    def pillar(self, source: str | Path, *, refresh: bool = True) -> None:
        """Make *source* the pillar ``fsha`` of every minion.

        Args:
            source: a file, or the SLS text itself (when it has a line break).
            refresh: tell running minions to take it at once.

        """
        is_text = isinstance(source, str) and "\n" in source
        text = str(source) if is_text else Path(source).read_text(encoding="utf-8")
        self.outside.write("/srv/pillar/top.sls", PILLAR_TOP, 0o600)
        self.outside.write("/srv/pillar/fsha.sls", text, 0o600)
        awake = [node.name for node in self.nodes.values() if node.running]
        if refresh and awake:
            self.salt(awake, "saltutil.refresh_pillar", wait=True)

    def salt(
        self,
        target: str | Sequence[str],
        fun: str,
        *args: object,
        timeout: float = 300,
        **kwargs: object,
    ) -> saltbus.Returns:
        """Run a Salt function on minions by the master's ``salt`` command.

        Args:
            target: glob, or a list of minion ids.
            fun: e.g. ``state.apply``.
            *args: its arguments; text as it is (Salt reads YAML), other values as JSON.
            **kwargs: its keyword arguments, likewise.
            timeout: seconds for the command as a whole.

        Returns:
            minion id → return; also ``.code`` (exit code) and ``.completed``.

        Raises:
            LabCommandError: the command printed no result (no minion matched, master down).
            LabTimeoutError: it did not end in time.

        """
        return saltbus.salt(self.outside, target, fun, args, kwargs, timeout)

    def salt_call(
        self,
        which: str | Node,
        fun: str,
        *args: object,
        local: bool = False,
        timeout: float = 300,
        **kwargs: object,
    ) -> saltbus.Returned:
        """Run ``salt-call`` in a node; ``local`` without the master, from the formula itself.

        Returns ``value``, ``code`` (the function's own, passed through) and ``completed``.
        """
        node = self.node(which)
        return saltbus.salt_call(node, fun, args, kwargs, local=local, timeout=timeout)

    def events(self, prefix: str = "") -> saltbus.EventListener:
        """Return a context manager that collects the master's events with a tag *prefix*."""
        return saltbus.EventListener(self.outside, prefix)

    # ---------------------------------------------------------------- watching

    def probe(
        self,
        *,
        interval: float = DEFAULT_INTERVAL,
        threshold: float = DEFAULT_THRESHOLD,
        address: str = VIP,
        port: int = SIP_PORT,
    ) -> Probe:
        """Return a probe of the VIP from outside, as a context manager (times in seconds)."""
        return Probe(
            self.network, interval=interval, threshold=threshold, address=address, port=port
        )

    def calls(
        self,
        answered: int,
        *,
        ringing: int = 0,
        held: int = 0,
        ptime: float = DEFAULT_PTIME,
        user: str = USER,
        ringing_user: str = RINGING_USER,
        address: str = VIP,
        port: int = SIP_PORT,
    ) -> Calls:
        """Return UDP calls from outside to the VIP, as a context manager.

        Args:
            answered: how many calls with audio.
            ringing: how many that are never answered.
            held: how many that are put on hold.
            ptime: seconds of audio in a packet, which is how fine gaps are seen.
            user: whom to call; whoever it is has to answer and, for the gaps, to send audio.
            ringing_user: whom to call for a call that rings.
            address: the VIP.
            port: SIP's.

        Raises:
            LabError: the lab is not up.

        """
        if not self.network.exists(OUTSIDE):
            raise LabError(f"lab {self.name} is not up: there is nobody to call")
        source = LINKS[0].address(OUTSIDE.host)
        wanted = Wanted(source, address, port, answered, ringing, held, ptime, user, ringing_user)
        return Calls(wanted, ["ip", "netns", "exec", self.network.namespace(OUTSIDE)])

    def recovery_rows(self) -> int:
        """Return how many calls stand in the recovery database of the stand-ins.

        A call is in it about 0.1 s after its answer: a switch that dies earlier leaves none of it.

        Raises:
            LabError: a real FreeSWITCH has a database that the lab knows nothing of.

        """
        setup = self._required_setup()
        if setup.database_password:
            return int(database.query(self.outside, COUNT_ROWS))
        if setup.freeswitch:
            raise LabError("the recovery rows are unknown: bring the lab up with --database")
        with contextlib.closing(sqlite3.connect(self.shared / "recovery.db")) as connection:
            return int(connection.execute(COUNT_ROWS).fetchone()[0])

    def vip_holders(self, address: str = VIP) -> list[str]:
        """Return the nodes that have the VIP on an interface: one when all is well."""
        return [
            node.name
            for node in self.nodes.values()
            if any(address in held for held in self.network.addresses(node.machine).values())
        ]

    def wait(
        self,
        condition: Callable[[], object],
        timeout: float,
        what: str,
        *,
        interval: float = 0.2,
    ) -> Any:
        """Wait until *condition* returns something true and return that.

        Raises:
            LabTimeoutError: not within *timeout* seconds; *what* and the last value are in it.

        """
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() >= deadline:
                raise LabTimeoutError(what, timeout, repr(value))
            time.sleep(interval)

    def status(self) -> dict[str, Any]:
        """Return what runs where as data: machines, links, addresses, VIP, faults."""
        setup = self.setup()
        if setup is None:
            return {"lab": self.name, "up": False, "leftovers": self.leftovers()}
        faults = self.faults()
        return {
            "lab": self.name,
            "up": all(node.running for node in self.machines),
            "release": setup.release,
            "freeswitch": setup.freeswitch or "stand-in",
            "vip": {"address": VIP, "holders": self.vip_holders()},
            "machines": {
                node.name: self._machine_status(node, with_database=bool(setup.database_password))
                for node in self.machines
            },
            "faults": json.loads(faults.to_json()),
        }

    def _machine_status(self, node: Node, *, with_database: bool) -> dict[str, Any]:
        leader = node.leader()
        if leader is None:
            return {"power": "off"}
        units = ("salt-minion", "freeswitch", "corosync", "pacemaker")
        outside = ("salt-master", database.SERVICE) if with_database else ("salt-master",)
        wanted = units if node.machine.is_node else outside
        return {
            "power": "on",
            "leader": leader.pid,
            "memory_mib": round(node.memory_mib()),
            "addresses": self.network.addresses(node.machine),
            "links": self.network.link_states(node.machine) if node.machine.is_node else {},
            "units": {unit: node.unit_state(unit) for unit in wanted},
        }


def _end(found: Sequence[processes.Process]) -> None:
    """SIGKILL processes and wait until they are gone."""
    for process in found:
        process.kill()
    processes.wait_gone(list(found), END_SECONDS)


def _reason(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed"


def _checked_prefix(freeswitch: str | Path | None) -> Path | None:
    if freeswitch is None:
        return None
    prefix = Path(freeswitch).resolve()
    for name in ("freeswitch", "fs_cli"):
        if not os.access(prefix / "bin" / name, os.X_OK):
            raise LabError(f"{prefix} is no FreeSWITCH installation: it has no bin/{name}")
    if re.search(r"[:,\s]", str(prefix)):
        raise LabError(f"{prefix} can't be used: its path has a colon, a comma or a blank")
    if prefix.parts[1] in HIDDEN_IN_NODES:
        raise LabError(f"{prefix} can't be used: a node has its own /{prefix.parts[1]}")
    return prefix


def _check_same(
    setup: Setup, release: str | None, freeswitch: Path | None, *, database: bool = False
) -> None:
    asked = str(freeswitch) if freeswitch else None
    if release not in (None, setup.release) or (asked is not None and asked != setup.freeswitch):
        raise LabError(
            f"the lab is up with {setup.release} and {setup.freeswitch or 'the stand-in'}: "
            "add --fresh to make it anew, or run down first"
        )
    if database and not setup.database_password:
        raise LabError("the lab is up without a database: add --fresh, or run down first")
