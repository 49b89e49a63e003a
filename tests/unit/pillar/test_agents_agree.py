"""The formula's agents refuse on a node exactly what the pillar check refuses before: one truth."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fshalib.agents import FONEBRIDGE, FSSOFIA, FSSWITCH
from fshalib.pillar import own_agents

FILES = Path(__file__).parents[3] / "fsha/files"
FUNCTIONS = Path("/usr/lib/ocf/lib/heartbeat")
CONFIGURED = 6
SYSTEMCTL = "#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=active\\nSubState=running\\n'\n"
REQUIRED = {FSSOFIA: {"profiles": "internal"}, FSSWITCH: {}, FONEBRIDGE: {"nic": "lo"}}

NUMBERS = [
    *("", "0", "1", "5", "030", "00", "08", "-1", "+5", "5s", "2.5", " 5", "5 ", "1e3", "0x10"),
    *("5\n", "999999999", "9999999999", "9" * 30, "٣", "65535", "65536"),
]
WORDS = [
    *("", "true", "True", "TRUE", "tRuE", "t", "yes", "Yes", "y", "Y", "on", "On", "1", "ja"),
    *("false", "No", "OFF", "n", "N", "f", "0", "00", "maybe", " true", "true ", "  ", "2"),
]
PATHS = ["", "/a/b-c_d.e+f@g", "/", "a/b", "../x", " ", "/a b", "/a ", "/a\n", "/é", "~/x", "/a*"]
VALUES = {
    "profiles": [
        *("internal", "internal external", "int\tv6.x", "int\nint2", "internal,external", ""),
        *("  ", "-x", ".x", "x;y", "*", "é"),
    ],
    "vips": [
        *("", "  ", "10.0.0.1", "10.0.0.1 2001:DB8::1", "10.0.0.1\n10.0.0.2", "::", "1::", "::1"),
        *("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:10.0.0.1"),
        *("1:2:3:4:5:6:10.0.0.1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::"),
        *("1:2:3:4:5:6:7:10.0.0.1", "10.0.0.1::", "10.0.0", "10.0.0.300", "10.0.0.010", "10..0.1"),
        *("abc", "...", "0", "1234", ":", ":::", ":1::2", "1::2:", "1::2::3", "12345::1", "g::1"),
        *("10.0.0.1/24", "10.0.0.1,10.0.0.2", "10.0.0.1;", "fe80::1%eth0", "10.0.0.1."),
        "1.2.3.4.5",
    ],
    "options_targets": [
        *("", "  ", "10.0.0.1:5060", "10.0.0.1:5060 [::1]:5061", "host:5060", "a_b.c-d:1"),
        *("10.0.0.1:65535", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:99999999999", "::1:5060"),
        *("10.0.0.1:05060", "10.0.0.1", "10.0.0.1:", ":5060", "10.0.0.1:sip", "10.0.0.300:5060"),
        *("10.0.0:5060", "-h:5060", "[]:5060", "[zz]:5060", "[:::]:5060", "[::1]"),
        "[1.2.3.4]:5060",
        *("[::1:5060", "::1]:5060", "10.0.0.1:5060,10.0.0.2:5060", "sip:10.0.0.1:5060", "a/b:5060"),
    ],
    "host": [
        *("", "127.0.0.1", "::1", "localhost", "fs-1.example.org", " ", "a b", "127.0.0.1 ", "-h"),
        *("10.0.0.1/24", "127.0.0.1:8021", "127.0.0", "a;b", "127.0.0.1\npassword = x"),
        "1.2.3.999",
    ],
    "service": ["", "freeswitch.service", "a@b.service", "a b", "-x", "a/b", "*", "é"],
    "switch_process": [
        *("", "freeswitch", "a" * 15, "a" * 16, "freeswitch-production", "free switch"),
        *("/usr/bin/freeswitch", "*", " ", "a\n", "é"),
    ],
    "nic": [
        *("lo", "eth0.100", "br-lan", "e" * 15, "e" * 16, "", " ", "lo ", "l o", ".", "..", "a/b"),
        *("-lo", "lo\n", "lo:1"),
    ],
    "device_mac": [
        *("", "00:50:c2:65:d0:01", "00:50:C2:65:D0:01", "00-50-c2-65-d0-01", "0050c265d001", "xx"),
        *("00:50:c2:65:d0:1", "00:50:c2:65:d0:01:02", "00:50:c2:65:d0:0g", " ", "0::50:c2:65:d0:1"),
    ],
}  # fmt: skip


def values(name: str) -> list[str]:
    known = next(known[name] for known in own_agents.PARAMETERS.values() if name in known)
    by_type = {
        "integer": NUMBERS,
        "boolean": WORDS,
        "select": [w for o in known.options for w in (o, o.upper(), f"{o} ", f" {o}", f"{o}s")]
        + ["", " ", "\n"],
    }
    return by_type.get(known.type) or VALUES.get(name) or PATHS


PARAMETERS = [(a, name) for a, known in own_agents.PARAMETERS.items() for name in known]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    directory = tmp_path_factory.mktemp("node")
    systemctl = directory / "systemctl"
    systemctl.write_text(SYSTEMCTL, encoding="utf-8")
    systemctl.chmod(0o755)
    nonlocal_bind = directory / "nonlocal"
    nonlocal_bind.write_text("1\n", encoding="utf-8")
    return directory


def refused(agent: str, params: dict[str, str], node: Path, shell: str) -> bool:
    environment = {
        "PATH": f"{node}:{os.environ['PATH']}",
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_FUNCTIONS_DIR": str(FUNCTIONS),
        "OCF_RESOURCE_INSTANCE": "x",
        "HA_LOGTAG": "x",
        "FSSOFIA_LIBRARY": str(FILES / "fssofia.sh"),
        "FSSOFIA_NONLOCAL_BIND": str(node / "nonlocal"),
        **{f"OCF_RESKEY_{name}": value for name, value in params.items()},
    }
    argv = [shell, str(FILES / "ocf" / agent.rpartition(":")[2]), "validate-all"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
    # What this host lacks (a password file, fonulator) is another code than what is always wrong.
    assert done.returncode in (0, 4, 5, CONFIGURED), done.stderr
    assert ("ocf-exit-reason:" in done.stderr) is (done.returncode != 0), done.stderr
    return done.returncode == CONFIGURED


@pytest.mark.skipif(not FUNCTIONS.is_dir(), reason="resource-agents is not installed on this host")
@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("agent", "name"), PARAMETERS)
def test_agent_and_check_agree(node, agent, name, shell):
    given = [{**REQUIRED[agent], name: value} for value in values(name)]
    by_table = {p[name]: any(own_agents.mistakes(agent, p)) for p in given}
    assert {p[name]: refused(agent, p, node, shell) for p in given} == by_table
    assert set(by_table.values()) == {True, False}


@pytest.mark.skipif(not FUNCTIONS.is_dir(), reason="resource-agents is not installed on this host")
@pytest.mark.parametrize("stop_mode", ["hangup", "drain", "recover", "recovery"])
@pytest.mark.parametrize("recover", ["Yes", "on", "0", "Off", "N", "maybe", ""])
def test_they_agree_on_what_goes_together(node, stop_mode, recover):
    params = {"profiles": "internal", "stop_mode": stop_mode, "recover": recover}
    expected = any(own_agents.mistakes(FSSOFIA, params))
    assert refused(FSSOFIA, params, node, "dash") is expected
