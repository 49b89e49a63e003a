"""ocf:fsha:fonebridge against an emulated fonulator and DAHDI's counters."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import pytest
from lxml import etree

AGENT = Path(__file__).parents[3] / "fsha/files/ocf/fonebridge"
FUNCTIONS = Path("/usr/lib/ocf/lib/heartbeat")
OK, GENERIC, UNIMPLEMENTED, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 5, 6, 7

CONFIG = """\
[globals]
fb=192.168.1.254
port=1
server=00:00:00:00:00:00

[span1]
framing=esf
encoding=b8zs
"""

# It notes what it is asked and given. The device answers when the file "answers" is there, and
# sends its frames when it has got a configuration with the MAC address in "wanted".
FONULATOR = """\
#!/bin/sh
cd "$(dirname "$0")" || exit 9
printf '%s\\n' "$*" >>asked
if [ -e hangs ]; then sleep 60; fi
if [ ! -e answers ]; then echo "unable to reach the foneBRIDGE"; exit 1; fi
case $1 in
-q) exit 0 ;;
esac
cp "$1" given
touch pointed
"""

COUNTERS = """\
Errors: 0

Group #0 (0x1a2b3c4d)
Spans: 1
  Device: eth1 (MAC: 00:50:c2:65:d0:01)
    Span 1: subaddr=0 ready=1 delay=0 real_channels=24 no_front_padding=0
  Device UPs: 1
  Device DOWNs: 0
  Rx Frames: {rx}
  Tx Frames: 77
  Rx Bytes: {rx}
  Tx Bytes: 77
"""


def test_the_settings_are_in_the_devices_grammar():
    """fonulator takes a blank at the end of a line, or a word it does not know, for a mistake."""
    text = (AGENT.parents[1] / "fonebridge.conf.jinja").read_text(encoding="utf-8")
    spans = {
        "span2": {"framing": "esf", "encoding": "b8zs", "longhaul": 0, "crc4": False},
        "span1": {"framing": "ccs", "encoding": "hdb3", "crc4": True, "slave": True},
    }
    bridge = {"device": "192.168.1.254", "priorities": [1, 0, 2, 3], "spans": spans}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    lines = environment.from_string(text).render(bridge=bridge).split("\n")
    assert [line for line in lines if not line.startswith("#")] == [
        *("[globals]", "fb=192.168.1.254", "port=1", "priorities=1,0,2,3", ""),
        *("[span1]", "framing=ccs", "encoding=hdb3", "crc4", "slave", ""),
        *("[span2]", "framing=esf", "encoding=b8zs", "longhaul=0", ""),
    ]


@dataclass
class Bridge:
    """A node's view of the device, in a directory."""

    directory: Path
    parameters: dict[str, str] = field(default_factory=dict)
    timeout: float = 6.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        program = self.directory / "fonulator"
        program.write_text(FONULATOR, encoding="utf-8")
        program.chmod(0o755)
        (self.directory / "redfone.conf").write_text(CONFIG, encoding="utf-8")
        self.answers(True)
        self.parameters = {
            "nic": "lo",
            "config": str(self.directory / "redfone.conf"),
            "fonulator": str(program),
            "counters": str(self.counters),
            "runtime_dir": str(self.directory / "run"),
            "attempt_timeout": "1",
            **self.parameters,
        }

    @property
    def counters(self) -> Path:
        return self.directory / "dynamic-ethmf"

    @property
    def asked(self) -> list[str]:
        log = self.directory / "asked"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    @property
    def given(self) -> str:
        return (self.directory / "given").read_text(encoding="utf-8")

    def answers(self, yes: bool) -> None:
        path = self.directory / "answers"
        path.touch() if yes else path.unlink()

    def counts(self, *, sends: str = "pointed") -> None:
        """Let DAHDI count frames, which come while the file of that name is there."""
        self._write(0)
        self._threads.append(threading.Thread(target=self._count, args=(self.directory / sends,)))
        self._threads[-1].start()

    def _count(self, sends: Path) -> None:
        received = 0
        while not self._stop.wait(0.02):
            received += 20 if sends.exists() else 0
            self._write(received)

    def _write(self, received: int) -> None:
        new = self.counters.with_suffix(".new")
        new.write_text(COUNTERS.format(rx=received), encoding="utf-8")
        new.replace(self.counters)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def run(self, action: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_FUNCTIONS_DIR": str(FUNCTIONS),
            "OCF_RESOURCE_INSTANCE": "bridge",
            "OCF_RESKEY_CRM_meta_timeout": str(int(self.timeout * 1000)),
            "HA_LOGTAG": "fonebridge",
            "HA_debug": "0",
            **{f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()},
        }
        argv = ["sh", str(AGENT), action]
        return subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=30, check=False
        )


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    if not FUNCTIONS.is_dir():
        pytest.skip("resource-agents is not installed on this host")
    made = Bridge(tmp_path)
    yield made
    made.close()


def mac() -> str:
    return Path("/sys/class/net/lo/address").read_text(encoding="utf-8").strip()


def test_start_points_the_device_at_this_node_and_sees_frames(bridge):
    bridge.counts()
    done = bridge.run("start")
    assert done.returncode == OK, done.stderr
    assert bridge.asked[0].startswith("-q ")
    lines = bridge.given.splitlines()
    assert lines[:2] == ["[globals]", f"server={mac()}"]
    assert [line for line in lines if line.startswith("server=")] == [f"server={mac()}"]
    assert "encoding=b8zs" in lines
    assert "server=00:00:00:00:00:00" in CONFIG  # the operator's own file stays as it is
    assert (bridge.directory / "redfone.conf").read_text(encoding="utf-8") == CONFIG
    assert bridge.run("monitor").returncode == OK


def test_start_tries_again_until_the_device_answers(bridge):
    bridge.counts()
    bridge.answers(False)
    timer = threading.Timer(1.5, bridge.answers, [True])
    timer.start()
    done = bridge.run("start")
    timer.join()
    assert done.returncode == OK, done.stderr
    assert sum(words.startswith("-q") for words in bridge.asked) >= 2
    assert "unable to reach the foneBRIDGE" in done.stderr


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("silent", "unable to reach the foneBRIDGE"),
        ("hangs", "no answer within 1 s"),
        ("elsewhere", "it took the configuration, but no frame arrives on lo"),
    ],
)
def test_start_that_does_not_succeed_ends_in_time_with_the_reason(bridge, fault, why):
    bridge.counts(sends="never" if fault == "elsewhere" else "pointed")
    if fault == "silent":
        bridge.answers(False)
    if fault == "hangs":
        (bridge.directory / "hangs").touch()
    began = time.monotonic()
    done = bridge.run("start")
    assert done.returncode == GENERIC
    assert re.search(rf"was not pointed at {mac()} \(lo\): {re.escape(why)}", done.stderr)
    # Pacemaker would have killed it otherwise, and nobody had read the reason.
    assert time.monotonic() - began < bridge.timeout
    assert bridge.run("monitor").returncode == NOT_RUNNING
    assert bridge.run("stop").returncode == OK


def test_without_counters_the_devices_word_has_to_do(bridge):
    done = bridge.run("start")
    assert done.returncode == OK
    assert "not verified" in done.stderr
    assert bridge.run("monitor").returncode == OK


def test_stop_leaves_the_device_alone(bridge):
    bridge.counts()
    assert bridge.run("start").returncode == OK
    asked = bridge.asked
    assert bridge.run("stop").returncode == OK
    assert bridge.run("monitor").returncode == NOT_RUNNING
    assert bridge.run("stop").returncode == OK
    assert bridge.asked == asked


def test_a_node_that_has_not_started_it_is_not_running_it(bridge):
    """Frames may still arrive here, from before the device was pointed elsewhere."""
    (bridge.directory / "pointed").touch()
    bridge.counts()
    assert bridge.run("monitor").returncode == NOT_RUNNING
    assert bridge.asked == []


def test_monitor_sees_that_the_frames_go_elsewhere(bridge):
    bridge.counts()
    assert bridge.run("start").returncode == OK
    (bridge.directory / "pointed").unlink()
    done = bridge.run("monitor")
    assert done.returncode == GENERIC
    assert f"answers but sends no frames to lo ({mac()})" in done.stderr


def test_a_dead_device_is_no_reason_to_move(bridge):
    bridge.counts()
    assert bridge.run("start").returncode == OK
    (bridge.directory / "pointed").unlink()
    bridge.answers(False)
    done = bridge.run("monitor")
    assert done.returncode == OK
    assert "the foneBRIDGE does not answer" in done.stderr


def test_the_counters_of_another_device_do_not_count(bridge):
    bridge.counts()
    bridge.parameters["device_mac"] = "00:50:C2:65:D0:99"
    done = bridge.run("start")
    assert done.returncode == OK
    assert "not verified" in done.stderr
    bridge.parameters["device_mac"] = "00:50:C2:65:D0:01"
    assert "not verified" not in bridge.run("start").stderr


@pytest.mark.parametrize(
    ("parameter", "value", "code", "sentence"),
    [
        ("nic", "", CONFIGURED, "nic is not set"),
        ("nic", "../lo", CONFIGURED, "is not the name of an interface"),
        ("nic", "eth77", INSTALLED, "this node has no interface eth77"),
        ("fonulator", "/nowhere/fonulator", INSTALLED, "there is no program"),
        ("config", "/nowhere/redfone.conf", INSTALLED, "can't be read"),
        ("config", "/etc/hostname", INSTALLED, "has no line fb="),
        ("attempt_timeout", "soon", CONFIGURED, "a number of seconds is expected"),
    ],
)
def test_bad_parameters_are_refused_with_one_sentence(bridge, parameter, value, code, sentence):
    bridge.parameters[parameter] = value
    for action in ("validate-all", "start"):
        done = bridge.run(action)
        assert done.returncode == code
        (reason,) = [line for line in done.stderr.splitlines() if "ocf-exit-reason" in line]
        assert sentence in reason
    assert bridge.asked == []
    # Whatever is wrong, a stop must not fail.
    assert bridge.run("stop").returncode == OK


def test_an_unknown_action_is_one(bridge):
    assert bridge.run("promote").returncode == UNIMPLEMENTED


def test_the_metadata_need_nothing():
    done = subprocess.run(["sh", str(AGENT), "meta-data"], capture_output=True, check=True)
    root = etree.fromstring(done.stdout)
    assert root.get("name") == "fonebridge"
    named = {parameter.get("name") for parameter in root.iter("parameter")}
    used = set(re.findall(r"OCF_RESKEY_([a-z_]+)", AGENT.read_text(encoding="utf-8")))
    assert named == used - {"CRM_meta_timeout"} - {"_meta_timeout"}
    schema = Path("/usr/share/resource-agents/ra-api-1.dtd")
    if schema.exists():
        assert etree.DTD(str(schema)).validate(root)
