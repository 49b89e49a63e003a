"""Two stores on loopback: real PostgreSQL servers in temporary directories."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fshalib.errors import StoreError
from fshalib.store import client, joining, passwords, server, steps, tables
from fshalib.store.client import Local, StoreAway
from fshalib.store.scheme import REPLICATION, SWITCH, Side, note_start

PATIENCE = 20.0
PAIR_PASSWORD = passwords.of_pair(b"k" * 256)
SWITCH_PASSWORD = "of-the-switch"


def eventually(condition, what):
    """Wait until a condition holds, and return its value."""
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.05)


@dataclass
class Node:
    """A node of the pair: its server, its side, and what a keeper would do there."""

    name: str
    server: server.Server
    side: Side
    process: subprocess.Popen | None = None
    serves: bool = False

    @property
    def local(self):
        return Local(self.server.release.programs, self.server.socket, self.server.port)

    @property
    def wanted(self):
        secrets = {SWITCH: SWITCH_PASSWORD, REPLICATION: PAIR_PASSWORD}
        return steps.Wanted(self.side, tables.BUILT_IN, secrets)

    def make(self, template):
        home = Path(self.server.home)
        home.mkdir(mode=0o755, exist_ok=True)
        shutil.chown(home, "postgres")
        Path(self.server.socket).mkdir(exist_ok=True)
        shutil.chown(self.server.socket, "postgres")
        shutil.copytree(template, self.server.data, symlinks=True)
        for path in (Path(self.server.data), *Path(self.server.data).rglob("*")):
            shutil.chown(path, "postgres")
        (home / "postgresql.conf").write_text(server.settings(self.server), "utf-8")
        (home / "pg_hba.conf").write_text(server.access(["127.0.0.1"]), "utf-8")
        passfile = Path(self.side.passfile)
        passfile.write_text(f"*:*:*:*:{PAIR_PASSWORD}\n", "utf-8")
        passfile.chmod(0o600)
        shutil.chown(passfile, "postgres")

    def start(self):
        line = next(
            line
            for line in server.unit(self.server, "freeswitch").splitlines()
            if line.startswith("ExecStart=")
        )
        program = line.partition("=")[2].split()
        with Path(self.server.home, "log").open("ab") as log:
            self.process = subprocess.Popen(
                as_postgres([*program, "-c", "fsync=off"]), stdout=log, stderr=log
            )
        eventually(self.answers, f"the server of {self.name}")
        if self.local.has_database():
            self.local.sql(note_start(self.name))

    def answers(self):
        with contextlib.suppress(StoreAway):
            return self.local.sql("SELECT 1;", database="postgres") == "1"
        return False

    def stop(self, how="SIGINT"):
        if self.process is None:
            return
        pidfile = Path(self.server.data, "postmaster.pid")
        if self.process.poll() is None and pidfile.exists():
            pid = int(pidfile.read_text("utf-8").split()[0])
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
            number = {"SIGINT": 2, "SIGKILL": 9}[how]
            os.kill(pid, number)
            if how == "SIGKILL":
                for child in children:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(child), number)
        self.process.wait(PATIENCE)
        self.process = None
        pidfile.unlink(missing_ok=True)

    def look(self):
        return self.local.look()

    def own_side(self):
        """Make this node's own side and return the names of the steps."""
        done = []
        if not self.local.has_database():
            for step in steps.bare(self.wanted):
                self.local.sql(*step.sql, database="postgres")
                done.append(step.name)
        for step in steps.own_side(self.wanted, self.look()):
            self.local.sql(*step.sql)
            done.append(step.name)
        return done

    def look_at_peer(self):
        # The keeper runs as root and so may read the server's password file.
        return client.look_at_peer(self.side, f"{self.server.release.programs}/psql")

    def tend(self):
        """Take what is to be done to have the peer's rows, and return it."""
        decision = joining.decide(self.side, self.look(), self.look_at_peer(), serves=self.serves)
        if decision.on_peer:
            client.on_peer(self.side, f"{self.server.release.programs}/psql", *decision.on_peer)
        for step in decision.steps:
            self.local.sql(*step.sql)
        return decision

    def joined(self):
        return eventually(lambda: self.tend().kind == joining.JOINED, f"{self.name} to be joined")

    def as_switch(self, sql):
        """Run SQL as the switch does, over TCP with its password."""
        program = f"{self.server.release.programs}/psql"
        where = f"host=127.0.0.1 port={self.server.port} dbname=freeswitch user={SWITCH}"
        done = subprocess.run(
            [program, "-qtAX", "-v", "ON_ERROR_STOP=1", "-d", where, "-f", "-"],
            input=sql, capture_output=True, text=True, check=False,
            env={**os.environ, "PGPASSWORD": SWITCH_PASSWORD},
        )  # fmt: skip
        if done.returncode:
            raise StoreError(done.stderr)
        return done.stdout.strip()

    def call(self, *uuids, core="core-a"):
        for uuid in uuids:
            self.as_switch(
                "insert into recovery (runtime_uuid, technology, profile_name, hostname, uuid, "
                f"metadata) values ('{core}','sofia','internal','voice','{uuid}','<xml/>')"
            )

    def calls(self):
        return set(self.as_switch("select uuid from recovery").split())


def as_postgres(program):
    return ["runuser", "-u", "postgres", "--", *program]


def as_server(program):
    subprocess.run(as_postgres(program), check=True, capture_output=True)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(scope="session")
def release():
    try:
        return server.newest()
    except StoreError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def template(release, tmp_path_factory):
    """The directory of an empty server."""
    base = tmp_path_factory.mktemp("template")
    for path in (base, *base.parents):
        if path == Path(tempfile.gettempdir()):
            break
        path.chmod(0o755)
    shutil.chown(base, "postgres")
    made = server.Server(release, 0, (), 64, home=str(base))
    as_server([*server.initialize(made), "--no-sync"])
    return Path(made.data)


@pytest.fixture
def nodes(release, template):
    """Two nodes with servers that run, and nothing in them."""
    base = Path(tempfile.mkdtemp(prefix="store-"))
    base.chmod(0o755)
    ports = {"a": free_port(), "b": free_port()}
    made = []
    for number, (name, peer) in enumerate((("a", "b"), ("b", "a")), 1):
        side = Side(
            node=name, number=number, peer=peer, peer_number=3 - number,
            peer_addresses=("127.0.0.1",), port=ports[peer], passfile=str(base / f"{name}.pgpass"),
        )  # fmt: skip
        its = server.Server(
            release, ports[name], (), 64, home=str(base / name), socket=str(base / f"{name}.run")
        )
        made.append(Node(name, its, side))
    try:
        for node in made:
            node.make(template)
            node.start()
        yield tuple(made)
    finally:
        for node in made:
            node.stop()
        shutil.rmtree(base)


@pytest.fixture
def pair(nodes):
    """Two nodes that have each other's rows."""
    for node in nodes:
        node.own_side()
    for node in nodes:
        node.tend()
    for node in nodes:
        node.joined()
    return nodes


@pytest.fixture
def again(template):
    """Build a node's server anew."""
    return lambda node: _again(node, template)


def _again(node, template):
    """Return a node whose server has been made anew in an empty directory."""
    node.stop()
    shutil.rmtree(node.server.data)
    anew = replace(node, process=None)
    anew.make(template)
    anew.start()
    return anew
