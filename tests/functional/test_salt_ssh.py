"""The formula over salt-ssh: its library arrives with the first state run, a test run too."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import secrets
import socket
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from fshalib.system import poll

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SSHD = "/usr/sbin/sshd"
SEPARATED = Path("/run/sshd")
START_SECONDS = 30
CALL_SECONDS = 240


def key(path):
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]
    subprocess.run(made, check=True, stdin=subprocess.DEVNULL)
    return path


def free_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    """An SSH server of the test's own on the loopback: the port, and the key that opens it."""
    folder = tmp_path_factory.mktemp("sshd")
    mine = key(folder / "key")
    port = free_port()
    (folder / "config").write_text(
        f"""Port {port}
ListenAddress 127.0.0.1
HostKey {key(folder / "host")}
PidFile none
AuthorizedKeysFile {mine}.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
Subsystem sftp internal-sftp
# The target's Python is that of the tests; no profile of this host's user gets in the way.
SetEnv HOME={folder} PATH={BIN}:/usr/sbin:/usr/bin:/sbin:/bin
"""
    )
    new = not SEPARATED.exists()
    SEPARATED.mkdir(exist_ok=True)
    program = [SSHD, "-D", "-e", "-f", folder / "config"]
    server = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        assert poll.until(lambda: answers(port), bool, START_SECONDS)
        yield port, mine
    finally:
        server.terminate()
        server.wait(START_SECONDS)
        if new:
            SEPARATED.rmdir()


def example():
    """Return the recommended pillar with this host as its first node."""
    pillar = yaml.safe_load((ROOT / "pillar.example").read_text())
    nodes = pillar["fsha"]["nodes"]
    first = next(iter(nodes))
    text = json.dumps(pillar).replace(first, platform.node())
    pillar = json.loads(text)
    pillar["fsha"]["corosync"]["authkey"] = b64encode(secrets.token_bytes(256)).decode()
    return pillar


@pytest.fixture(scope="module")
def salt_ssh(sshd, tmp_path_factory):
    """Return a function that runs a job on the host ``fs1`` by salt-ssh."""
    port, mine = sshd
    folder = tmp_path_factory.mktemp("ssh")
    (folder / "pillar").mkdir()
    (folder / "pillar/top.sls").write_text("base: {'*': [pair]}\n")
    (folder / "pillar/pair.sls").write_text(yaml.safe_dump(example()))
    roster = {
        "host": "127.0.0.1",
        "port": port,
        "user": getpass.getuser(),
        "priv": str(mine),
        "thin_dir": str(folder / "target"),
        "ssh_options": [f"UserKnownHostsFile={folder}/known_hosts"],
    }
    (folder / "roster").write_text(yaml.safe_dump({"fs1": roster}))
    config = {
        "root_dir": str(folder),
        "pki_dir": str(folder / "pki"),
        "cachedir": str(folder / "cache"),
        "sock_dir": str(folder / "run"),
        "log_file": str(folder / "log"),
        "ssh_log_file": str(folder / "ssh_log"),
        "roster_file": str(folder / "roster"),
        "file_roots": {"base": [str(ROOT)]},
        "pillar_roots": {"base": [str(folder / "pillar")]},
        "user": getpass.getuser(),
    }
    (folder / "master").write_text(yaml.safe_dump(config))

    def run(*job):
        program = [BIN / "salt-ssh", "-c", folder, "--ignore-host-keys", "--static", "--out=json"]
        done = subprocess.run(
            [*program, "fs1", *job],
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=CALL_SECONDS,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)["fs1"]

    return run


def test_a_first_test_run_brings_the_library(salt_ssh):
    before = salt_ssh("fsha.lint")
    assert "with salt-ssh, run state.apply fsha test=True once" in before["stderr"]

    states = salt_ssh("state.apply", "fsha", "test=True")
    assert isinstance(states, dict), states
    failed = {name: state for name, state in states.items() if state.get("result") is False}
    assert failed == {}
    assert any(state["__sls__"] == "fsha.cluster" for state in states.values())

    # A sentence of the library: over salt-ssh a verb has no pillar.
    assert "a pillar with the key fsha is expected" in salt_ssh("fsha.lint")["stderr"]
