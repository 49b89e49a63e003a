"""ocf:fsha:FSSwitch, in every state of the switch and of the unit that runs it."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lxml import etree

from tests.unit.fssofia.conftest import SCRIPT
from tests.unit.fssofia.test_ocf import FUNCTIONS, LIMIT, Done, reason
from tests.unit.fssofia.test_ocf import pytestmark as needs_shell_functions
from tests.unit.standin.harness import STANDIN, Node

AGENT = SCRIPT.with_name("ocf") / "FSSwitch"
OK, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7

pytestmark = needs_shell_functions

# A systemctl that says what stands in its file, and does what it is told to that file.
SYSTEMCTL = """#!/bin/sh
state=$(dirname "$0")/state
echo "$*" >>"$state.log"
for verb; do
    case $verb in
    show) cat "$state" ;;
    start) [ ! -e "$state.fails" ] || exit 1; cp "$state.started" "$state" ;;
    stop) [ -e "$state.stuck" ] || cp "$state.stopped" "$state" ;;
    kill) cp "$state.stopped" "$state" ;;
    esac
done
"""


def said(active: str, sub: str, load: str = "loaded") -> str:
    return f"LoadState={load}\nActiveState={active}\nSubState={sub}\n"


@dataclass
class Switch:
    """The agent as Pacemaker calls it, and the unit as systemd would tell of it."""

    node: Node
    parameters: dict[str, str] = field(default_factory=dict)
    timeout: float = 10.0

    def __post_init__(self) -> None:
        self.base = self.node.directory / "FSSwitch"
        self.fssofia = self.node.directory / "FSSofia"
        self.programs = self.node.directory / "bin"
        self.programs.mkdir(exist_ok=True)
        systemctl = self.programs / "systemctl"
        systemctl.write_text(SYSTEMCTL, encoding="utf-8")
        systemctl.chmod(0o755)
        self.log = self.programs / "state.log"
        (self.programs / "state.started").write_text(said("active", "running"), encoding="utf-8")
        (self.programs / "state.stopped").write_text(said("inactive", "dead"), encoding="utf-8")
        self.unit("active", "running")
        if not self.node.password_file.exists():
            self.node.write_config()
        self.node.password_file.chmod(0o400)
        self.parameters = {
            "fs_cli": str(STANDIN / "fs_cli"),
            "port": str(self.node.port),
            "password_file": str(self.node.password_file),
            "runtime_dir": str(self.base),
            "fssofia_dir": str(self.fssofia),
            "switch_process": self.node.process_name,
            **self.parameters,
        }

    def unit(self, active: str, sub: str, load: str = "loaded") -> None:
        (self.programs / "state").write_text(said(active, sub, load), encoding="utf-8")

    def told(self) -> list[str]:
        """Return what systemctl was told to do, beside the looking."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line for line in lines if not line.startswith("show")]

    def run(self, action: str) -> Done:
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_FUNCTIONS_DIR": str(FUNCTIONS),
            "OCF_RESOURCE_INSTANCE": "switch",
            "OCF_RESKEY_CRM_meta_timeout": str(int(self.timeout * 1000)),
            "HA_LOGTAG": "FSSwitch",
            "FSSOFIA_LIBRARY": str(SCRIPT.with_name("fssofia.sh")),
            **{f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()},
        }
        done = subprocess.run(
            ["sh", str(AGENT), action],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr, 0.0)


@pytest.fixture
def switch(make_node) -> Switch:
    return Switch(make_node().start())


def test_a_switch_that_leaves_the_cluster_goes_on(switch):
    switch.parameters["leave_running"] = "true"
    assert switch.run("stop").code == OK
    assert switch.told() == []
    assert switch.run("monitor").code == OK


def test_its_life(switch):
    assert switch.run("validate-all").code == OK
    assert switch.run("monitor").code == OK  # a probe of what systemd started at boot
    assert switch.run("start").code == OK
    assert switch.told() == []
    assert switch.run("stop").code == OK
    assert switch.told() == ["--no-block stop -- freeswitch"]
    assert switch.run("monitor").code == NOT_RUNNING
    assert switch.run("stop").code == OK
    assert switch.run("start").code == OK
    assert switch.told()[1:] == ["--no-block start -- freeswitch"]
    assert switch.run("monitor").code == OK


def test_a_unit_that_has_failed_is_started_again(switch):
    switch.unit("failed", "failed")
    assert switch.run("monitor").code == NOT_RUNNING
    assert switch.run("start").code == OK
    assert switch.told() == ["reset-failed -- freeswitch", "--no-block start -- freeswitch"]


def test_a_start_that_systemd_refuses(switch):
    switch.unit("inactive", "dead")
    (switch.programs / "state.fails").touch()
    done = switch.run("start")
    assert done.code == GENERIC
    assert reason(done).startswith("systemctl start freeswitch failed")


def test_a_unit_that_fails_as_it_starts(switch):
    switch.node.end(signal.SIGKILL)
    switch.unit("inactive", "dead")
    (switch.programs / "state.started").write_text(said("failed", "failed"), encoding="utf-8")
    done = switch.run("start")
    assert (done.code, reason(done)) == (
        GENERIC,
        "freeswitch has failed: see journalctl -u freeswitch",
    )


def test_a_start_waits_no_longer_than_it_may(switch):
    switch.node.end(signal.SIGKILL)
    switch.timeout = 4
    done = switch.run("start")
    assert done.code == GENERIC
    assert "the switch is not running" in reason(done)


def test_a_switch_on_its_way_back_is_no_failure(switch):
    switch.parameters["restart_wait"] = "30"
    switch.node.end(signal.SIGKILL)
    switch.unit("activating", "auto-restart")
    assert switch.run("monitor").code == OK
    switch.node.start()
    switch.unit("active", "running")
    assert switch.run("monitor").code == OK
    assert not (switch.base / ".away").exists()


def test_a_switch_that_does_not_come_back_is_one(switch):
    switch.parameters["restart_wait"] = "0"
    switch.node.end(signal.SIGKILL)
    switch.unit("activating", "auto-restart")
    done = switch.run("monitor")
    assert done.code == GENERIC
    assert reason(done).startswith("not back within 0 s (activating, auto-restart)")


def test_a_hung_switch(switch):
    switch.node.fault("hang-esl")
    done = switch.run("monitor")
    assert done.code == GENERIC
    assert "it hangs" in reason(done)


def test_a_password_that_is_refused(switch, make_node):
    switch.node.password_file.chmod(0o600)
    switch.node.password_file.write_text("another\n", encoding="utf-8")
    switch.node.password_file.chmod(0o400)
    for action in ("monitor", "start"):
        done = switch.run(action)
        assert done.code == GENERIC
        assert "refuses the password" in reason(done)


def test_a_stop_that_systemd_does_not_get_done_ends_in_a_kill(switch):
    (switch.programs / "state.stuck").touch()
    switch.timeout = 6
    assert switch.run("stop").code == OK
    assert switch.told() == ["--no-block stop -- freeswitch", "kill --signal=KILL -- freeswitch"]


def test_a_switch_that_is_to_end_without_a_word_does_so_before_an_orderly_stop(switch):
    home = switch.fssofia / "fs"
    home.mkdir(parents=True)
    process = switch.node.process
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
    start_time = stat.rpartition(")")[2].split()[19]
    (home / ".leaving").write_text(f"{process.pid} {start_time}\n", encoding="utf-8")
    assert switch.run("stop").code == OK
    assert process.wait(timeout=0) == -signal.SIGKILL
    assert not (home / ".leaving").exists()


def test_a_stop_needs_no_password(switch):
    switch.node.password_file.unlink()
    assert switch.run("stop").code == OK


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("service", "-x", CONFIGURED, "is no unit's name"),
        ("service", "a b", CONFIGURED, "is no unit's name"),
        ("restart_wait", "long", CONFIGURED, "restart_wait=long: a whole number is expected"),
        ("port", "sip", CONFIGURED, "port=sip: a whole number from 1"),
        ("fs_cli", "/nonexistent", INSTALLED, "is no program"),
        ("password_file", "/nonexistent", INSTALLED, "is missing or empty"),
    ],
)
def test_bad_input(switch, name, value, code, words):
    switch.parameters[name] = value
    for action in ("validate-all", "start"):
        done = switch.run(action)
        assert done.code == code
        assert words in reason(done)
    assert switch.told() == []


def test_no_such_unit(switch):
    switch.unit("inactive", "dead", "not-found")
    done = switch.run("start")
    assert done.code == INSTALLED
    assert "there is no unit freeswitch (systemd says: not-found)" in reason(done)


def test_other_actions(switch):
    assert switch.run("usage").code == OK
    assert switch.run("promote").code == UNIMPLEMENTED


@pytest.mark.parametrize("name", ["FSSofia", "FSSwitch", "fonebridge"])
def test_crmsh_can_read_the_metadata(name):
    agent = AGENT.with_name(name)
    done = subprocess.run(
        ["sh", str(agent), "meta-data"], capture_output=True, text=True, check=True
    )
    # As crmsh does it: lxml takes no text that names its encoding.
    assert etree.fromstring(done.stdout).get("name") == name


def test_the_metadata_name_all_that_is_read():
    done = subprocess.run(["sh", str(AGENT), "meta-data"], capture_output=True, check=True)
    root = etree.fromstring(done.stdout)
    text = AGENT.read_text(encoding="utf-8")
    body = text[text.index("read_parameters()") :]
    for parameter in root.iter("parameter"):
        default = parameter.find("content").get("default")
        assert f"OCF_RESKEY_{parameter.get('name')}:-{default}}}" in body
