"""The formula over salt-ssh: its library arrives with the first state run, a test run too."""

from __future__ import annotations

import json

import pytest

from lab import voice

SALT_SSH = "/opt/salt/bin/salt-ssh"
KEY = "/root/fsha-key"
INSTALL = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq"]


@pytest.fixture(scope="module")
def salt_ssh(lab):
    """Return a function that runs a job on the first node by salt-ssh, from outside."""
    lab.reset()
    voice.give(lab, voice.example("pillar.example"))
    node = next(iter(lab.nodes.values()))
    node.run([*INSTALL, "openssh-server"], timeout=300)
    lab.outside.run([*INSTALL, "openssh-client"], timeout=300)
    lab.outside.run(["rm", "-f", KEY, f"{KEY}.pub"])
    lab.outside.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY])
    node.run(["mkdir", "-p", "-m", "700", "/root/.ssh"])
    node.write("/root/.ssh/authorized_keys", lab.outside.read(f"{KEY}.pub"), 0o600)
    address = voice.example("pillar.example")["nodes"][node.name]["addresses"][0].partition("/")[0]
    roster = {node.name: {"host": address, "user": "root", "priv": KEY}}
    lab.outside.write("/etc/salt/roster", json.dumps(roster))

    def run(*job):
        program = [SALT_SSH, "--ignore-host-keys", "--static", "--out=json", node.name, *job]
        done = lab.outside.run(program, timeout=400, check=False)
        assert done.out, done.err
        return json.loads(done.out)[node.name]

    return run


def test_a_first_test_run_brings_the_library(salt_ssh):
    before = salt_ssh("corosync.installed")
    assert "No module named 'fshalib'" in json.dumps(before)

    states = salt_ssh("state.apply", "fsha", "test=True")
    assert isinstance(states, dict), states
    assert [state for state in states.values() if state.get("result") is False] == []
    assert any(state["__sls__"].startswith("fsha.pacemaker") for state in states.values())

    # A verb of the library answers now; the node is bare.
    assert salt_ssh("corosync.installed") is False
