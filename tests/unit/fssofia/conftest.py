from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.unit.standin.harness import STANDIN, Node, nodes

SCRIPT = Path(__file__).parents[3] / "fsha" / "files" / "FSSofia"
PASSWORD = f"Sécret pass;word#{secrets.token_hex(4)}"
TIMING = {"stop_guard": 0.3, "socket_close": 0.05, "name_freed": 0.3, "bind_interval": 0.3}
LIMIT = 30.0

# Stands before fs_cli and notes what it was called with: arguments, then the password's presence
# in its environment.
RECORDER = """#!/bin/sh
{{ printf '%s\\n' "$@"; echo --; env; }} >>{log}
exec {fs_cli} "$@"
"""


@dataclass
class Done:
    """What one run of the script gave."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Agent:
    """FSSofia on one node, with its configuration file and runtime directory."""

    shell: str
    node: Node
    config: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.runtime = self.node.directory / "run"
        self.calls_log = self.node.directory / "fs_cli.log"
        fs_cli = self.node.directory / "fs_cli"
        fs_cli.write_text(
            RECORDER.format(log=self.calls_log, fs_cli=STANDIN / "fs_cli"), encoding="utf-8"
        )
        fs_cli.chmod(0o755)
        self.config = {
            "PROFILES": "internal",
            "FS_CLI": str(fs_cli),
            "PORT": str(self.node.port),
            "PASSWORD_FILE": str(self.node.password_file),
            "RUNTIME_DIR": str(self.runtime),
            "SWITCH_PROCESS": self.node.process_name,
            "START_TIMEOUT": "8",
            "STOP_TIMEOUT": "5",
            "SWITCH_WAIT": "1",
            "BIND_WAIT": "1",
            "TEARDOWN_MS": "500",
            "CONNECT_TIMEOUT_MS": "500",
            "REPLY_TIMEOUT_MS": "900",
            **self.config,
        }
        self.write()

    @property
    def path(self) -> Path:
        return self.node.directory / "FSSofia.default"

    @property
    def stamp(self) -> Path:
        return self.runtime / "internal"

    def write(self, **changes: str) -> None:
        self.config |= changes
        lines = [f"{name}='{value}'" for name, value in self.config.items()]
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.shell, str(SCRIPT), *arguments],
            env={
                "PATH": os.environ["PATH"],
                "FSSOFIA_CONFIG": str(self.path),
                "FSSOFIA_LIBRARY": str(SCRIPT.with_name("fssofia.sh")),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Done:
        began = time.monotonic()
        with self.popen(*arguments) as process:
            out, err = process.communicate(timeout=LIMIT)
        assert PASSWORD not in out + err
        return Done(process.returncode, out, err, time.monotonic() - began)

    def commands(self) -> list[str]:
        """Return the commands given to the switch so far."""
        words = self.calls_log.read_text(encoding="utf-8").split("\n")
        return [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-x"]


class Watch:
    """Looks for the password in every process's arguments, as fast as it can."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.rounds = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        secret = PASSWORD.encode()
        while not self._stop.is_set():
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):  # it has ended meanwhile
                    arguments = entry.read_bytes()
                    if secret in arguments:
                        self.found.add(arguments.decode(errors="replace"))
            self.rounds += 1


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    path = shutil.which(request.param)
    assert path, f"{request.param} is not installed"
    return path


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    with nodes(tmp_path) as make:

        def with_timing(name: str = "a", **settings: Any) -> Node:
            settings.setdefault("extra", {"timing": TIMING})
            return make(name, password=PASSWORD, **settings)

        yield with_timing


@pytest.fixture
def agent(make_node: Callable[..., Node], shell: str) -> Agent:
    """FSSofia on a node whose switch is up, its profile RUNNING, nothing started by FSSofia."""
    return Agent(shell, make_node().start())


@pytest.fixture
def idle(make_node: Callable[..., Node], shell: str) -> Agent:
    """FSSofia on a node whose switch is down."""
    node = make_node()
    node.write_config()
    return Agent(shell, node)


@pytest.fixture
def active(agent: Agent) -> Agent:
    """FSSofia that has been started."""
    assert agent.run("start").code == 0
    return agent
