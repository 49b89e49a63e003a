"""ocf:fsha:FSSofia against the stand-in: in every state its exit code, what it does, how long."""

from __future__ import annotations

import concurrent.futures
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from lxml import etree

from tests.unit.fssofia.conftest import (
    LIMIT,
    PASSWORD,
    RECORDER,
    SCRIPT,
    TIMING,
    Done,
    Watch,
)
from tests.unit.standin.harness import STANDIN, Node, Phone, eventually, loopback

AGENT = SCRIPT.parent / "ocf" / "FSSofia"
FUNCTIONS = Path("/usr/lib/ocf/lib/heartbeat")
OK, GENERIC, UNIMPLEMENTED, PERM, INSTALLED, CONFIGURED, NOT_RUNNING = 0, 1, 3, 4, 5, 6, 7
QUICK = 2.5

pytestmark = pytest.mark.skipif(
    not FUNCTIONS.is_dir(), reason="resource-agents is not installed on this host"
)

# "ip" as on a host that holds every address that is asked for but one, on a card or on loopback.
IP = """#!/bin/sh
for last; do :; done
[ ! -e "$0.gone" ] || exit 0
[ "$last" = 192.0.2.77 ] || echo "2: {card}    inet $last/24 scope global {card}"
"""

# "attrd_updater" as on a node of a cluster, which knows what it has been told.
ATTRD = """#!/bin/sh
told=$(dirname "$0")/attributes
echo "$*" >>"$told.log"
case $* in
*--update*) echo "$*" >>"$told" ;;
*) [ -s "$told" ] || exit "$(cat "$told.none")" ;;
esac
"""
NO_ATTRIBUTE, NO_ATTRD = 78, 102
CRM_NODE = "#!/bin/sh\necho fs1 fs2\n"


@dataclass
class Ocf:
    """The agent as Pacemaker calls it on one node."""

    node: Node
    parameters: dict[str, str] = field(default_factory=dict)
    instance: str = "fs"
    timeout: float = 10.0
    shell: str = "sh"
    probe: Path | None = None
    interval: int = 0

    def __post_init__(self) -> None:
        self.base = self.node.directory / "ocf"
        self.calls_log = self.node.directory / "fs_cli.log"
        self.programs = self.node.directory / "bin"
        self.programs.mkdir(exist_ok=True)
        fs_cli = self.node.directory / "fs_cli"
        recorder = RECORDER.format(log=self.calls_log, fs_cli=STANDIN / "fs_cli")
        fs_cli.write_text(recorder, encoding="utf-8")
        fs_cli.chmod(0o755)
        self.program("ip", IP.format(card="lo"))
        self.program("attrd_updater", ATTRD)
        self.program("crm_node", CRM_NODE)
        self.no_attribute(NO_ATTRD)
        self.nonlocal_bind = self.node.directory / "nonlocal"
        self.nonlocal_bind.write_text("1\n", encoding="utf-8")
        if not self.node.password_file.exists():
            self.node.write_config()
        self.node.password_file.chmod(0o400)
        self.parameters = {
            "profiles": "internal",
            "fs_cli": str(fs_cli),
            "port": str(self.node.port),
            "password_file": str(self.node.password_file),
            "runtime_dir": str(self.base),
            "switch_process": self.node.process_name,
            "switch_wait": "1",
            "bind_wait": "1",
            **self.parameters,
        }

    @property
    def stamp(self) -> Path:
        return self.base / self.instance / "internal"

    def program(self, name: str, text: str) -> None:
        path = self.programs / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def no_attribute(self, code: int) -> None:
        (self.programs / "attributes.none").write_text(f"{code}\n", encoding="utf-8")

    def attributes(self) -> list[str]:
        told = self.programs / "attributes"
        return told.read_text(encoding="utf-8").splitlines() if told.exists() else []

    def lose_the_vip(self) -> None:
        (self.programs / "ip.gone").touch()

    def run(self, action: str, depth: int = 0) -> Done:
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_FUNCTIONS_DIR": str(FUNCTIONS),
            "OCF_RESOURCE_INSTANCE": self.instance,
            "OCF_CHECK_LEVEL": str(depth),
            "OCF_RESKEY_CRM_meta_interval": str(self.interval),
            "OCF_RESKEY_CRM_meta_timeout": str(int(self.timeout * 1000)),
            "HA_LOGTAG": "FSSofia",
            "FSSOFIA_LIBRARY": str(SCRIPT.with_name("fssofia.sh")),
            "FSSOFIA_PROBE": str(self.probe or SCRIPT.with_name("fsha-probe")),
            "FSSOFIA_LSB_RUNTIME_DIR": str(self.node.directory / "run"),
            "FSSOFIA_NONLOCAL_BIND": str(self.nonlocal_bind),
            "FSSOFIA_TEARDOWN_MS": "500",
            "FSSOFIA_SWEEP_SECONDS": "3",
            **{f"OCF_RESKEY_{name}": value for name, value in self.parameters.items()},
        }
        began = time.monotonic()
        done = subprocess.run(
            [self.shell, str(AGENT), action],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert PASSWORD not in done.stdout + done.stderr
        seconds = time.monotonic() - began
        assert seconds < self.timeout, done
        return Done(done.returncode, done.stdout, done.stderr, seconds)

    def commands(self) -> list[str]:
        """Return the commands given to the switch so far."""
        if not self.calls_log.exists():
            return []
        words = self.calls_log.read_text(encoding="utf-8").split("\n")
        return [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-x"]


def reason(done: Done) -> str:
    """Return the one sentence that Pacemaker shows."""
    (line,) = [line for line in done.err.splitlines() if line.startswith("ocf-exit-reason:")]
    return line.removeprefix("ocf-exit-reason:")


@pytest.fixture(params=["cold", "hot"])
def standby(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def profiles(standby: str, **more: object) -> list[dict[str, object]]:
    return [{"name": "internal", "sip_ip": loopback(), "standby": standby == "hot", **more}]


@pytest.fixture
def made(make_node: Callable[..., Node], standby: str) -> Ocf:
    """The agent on a node whose switch is up and serves nobody yet."""
    node = make_node(profiles=profiles(standby))
    node.start()
    return Ocf(node, {"standby": standby, "vips": node.ip})


@pytest.fixture
def serving(made: Ocf) -> Ocf:
    assert made.run("start").code == OK
    return made


@pytest.fixture
def cold(make_node: Callable[..., Node]) -> Ocf:
    node = make_node().start()
    return Ocf(node, {"vips": node.ip})


# --- its life ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_life(made, shell):
    made.shell = shell
    assert made.run("monitor").code == NOT_RUNNING  # a probe where the switch already runs
    assert made.run("stop").code == OK
    with Phone(made.node.address) as phone:
        assert (phone.invite().status == 200) == (made.parameters["standby"] == "cold")
    started = made.run("start")
    assert started.code == OK, started.err
    assert made.run("start").code == OK
    assert made.run("monitor").code == OK
    deep = made.run("monitor", depth=10)
    assert deep.code == OK, deep.err
    with Phone(made.node.address) as phone:
        assert phone.invite().status == 200
        phone.bye()
    assert made.run("reload").code == OK
    with Phone(made.node.address) as phone:
        assert phone.invite().status == 200
        phone.bye()
    assert made.run("reload-agent").code == OK
    time.sleep(TIMING["stop_guard"])
    stopped = made.run("stop")
    assert stopped.code == OK, stopped.err
    assert made.run("monitor").code == NOT_RUNNING
    assert made.run("stop").code == OK
    assert made.run("start").code == OK
    assert made.run("monitor").code == OK


def test_hot_goes_back_into_standby(make_node):
    agent = Ocf(make_node(profiles=profiles("hot")).start(), {"standby": "hot"})
    assert agent.run("start").code == OK
    time.sleep(TIMING["stop_guard"])
    assert agent.run("stop").code == OK
    eventually(agent.node.listed, "the profile to be back")
    assert agent.run("monitor").code == NOT_RUNNING
    with Phone(agent.node.address) as phone:
        assert phone.invite().status == 503


def test_a_switch_that_is_restarted_is_not_running(serving):
    """What systemd hides: the profiles run, the calls are lost, and nobody recovered them."""
    serving.node.end(signal.SIGKILL)
    assert serving.run("monitor").code == NOT_RUNNING
    serving.node.start()
    done = serving.run("monitor")
    assert done.code == NOT_RUNNING
    assert "gone" in reason(done) or "restarted" in reason(done)
    assert serving.run("start").code == OK
    assert serving.run("monitor").code == OK


# --- states of the switch -----------------------------------------------------------------------


def test_switch_down(make_node):
    node = make_node()
    agent = Ocf(node)
    assert agent.run("monitor").code == NOT_RUNNING
    started = agent.run("start")
    assert started.code == GENERIC
    assert "the switch is not running" in reason(started)
    assert started.seconds < QUICK
    assert agent.run("stop").code == OK


def test_switch_still_starting(make_node):
    node = make_node(extra={"timing": {**TIMING, "startup": 1.0}})
    node.launch()
    agent = Ocf(node, {"switch_wait": "5"})
    assert agent.run("monitor").code == NOT_RUNNING
    assert agent.run("start").code == OK


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("hang-esl", "does not answer: it hangs"),
        ("password", "refuses the password"),
    ],
)
def test_a_switch_that_cannot_be_asked(cold, fault, words):
    assert cold.run("start").code == OK
    if fault == "password":
        cold.node.password_file.chmod(0o600)
        cold.node.password_file.write_text("another\n", encoding="utf-8")
        cold.node.password_file.chmod(0o400)
    else:
        cold.node.fault(fault)
    done = cold.run("monitor")
    assert done.code == GENERIC
    assert words in reason(done)
    # It holds the calls and cannot be told to let go of them: the other node would be blocked.
    cold.timeout = 8
    stopped = cold.run("stop")
    assert stopped.code == OK
    assert "killing the switch" in stopped.err
    assert cold.node.process.wait(timeout=5) == -signal.SIGKILL
    assert not cold.stamp.exists()


def test_a_profile_that_is_gone_and_one_of_two(make_node):
    ip = loopback()
    both = [
        {"name": n, "sip_ip": ip, "sip_port": p} for n, p in (("internal", 5060), ("two", 5080))
    ]
    agent = Ocf(make_node(profiles=both).start(), {"profiles": "internal two"})
    assert agent.run("start").code == OK
    time.sleep(TIMING["stop_guard"])
    agent.node.api("sofia profile two stop")
    done = agent.run("monitor")
    assert (done.code, reason(done)) == (GENERIC, "profile two is not RUNNING")
    agent.node.api("sofia profile internal stop")
    done = agent.run("monitor")
    assert (done.code, reason(done)) == (NOT_RUNNING, "no profile is RUNNING (internal two)")


def test_a_deaf_profile_is_seen_by_the_deep_monitor_alone(serving):
    serving.node.fault("deaf")
    assert serving.run("monitor").code == OK
    done = serving.run("monitor", depth=10)
    assert done.code == GENERIC
    assert "does not answer SIP OPTIONS" in reason(done)


def test_a_profile_put_back_into_standby_is_seen_by_the_deep_monitor(serving):
    serving.node.api("sofia global standby on")
    assert serving.run("monitor").code == OK
    done = serving.run("monitor", depth=10)
    assert done.code == GENERIC
    assert "503" in reason(done)


@pytest.mark.parametrize("why", ["paused", "full"])
def test_a_switch_that_takes_no_new_call_is_no_failure(make_node, why):
    """A drain must not end in a failover: before FreeSWITCH 1.11.1 OPTIONS get 503 meanwhile."""
    node = make_node(
        profiles=[{**item, "options_503_on_busy": True} for item in profiles("cold")],
        extra={"timing": TIMING, "max_sessions": 1},
    ).start()
    agent = Ocf(node, {"vips": node.ip})
    assert agent.run("start").code == OK
    with Phone(node.address) as phone:
        if why == "paused":
            node.api("fsctl pause inbound")
        else:
            assert phone.invite().status == 200
        done = agent.run("monitor", depth=10)
    assert done.code == OK
    assert "takes no new call" in done.err


def test_a_check_that_cannot_be_made_is_no_failure(serving):
    """A missing program must not take calls down."""
    serving.probe = serving.programs / "nowhere"
    done = serving.run("monitor", depth=10)
    assert done.code == OK
    assert "cannot be asked by SIP" in done.err


def test_a_bind_that_fails(make_node):
    node = make_node(extra={"timing": TIMING})
    node.write_config()
    node.directory.joinpath("faults").write_text("bind-fail\n", encoding="utf-8")
    node.start()
    agent = Ocf(node, {"vips": node.ip})
    node.fault("bind-fail")
    done = agent.run("start")
    assert done.code == GENERIC
    assert "did not bind" in reason(done)
    assert agent.run("monitor").code == NOT_RUNNING


def test_a_stop_that_is_refused_in_the_first_seconds_is_repeated(made):
    made.node.fault("refuse-stop")
    assert made.run("start").code == OK
    stopping = _in_background(lambda: made.run("stop"))
    eventually(lambda: sum("profile internal" in c for c in made.commands()) >= 4, "two orders")
    assert made.stamp.exists()
    made.node.fault("off")
    assert stopping().code == OK
    assert not made.stamp.exists()


def test_a_stop_that_is_always_refused_ends_with_a_kill(serving):
    serving.node.fault("refuse-stop")
    serving.timeout = 7
    done = serving.run("stop")
    assert done.code == OK
    assert "had to be killed" in done.err
    assert serving.node.process.wait(timeout=5) == -signal.SIGKILL


def test_another_switch_is_never_killed(cold):
    assert cold.run("start").code == OK
    cold.node.end(signal.SIGKILL)
    cold.node.start()
    cold.parameters["stop_mode"] = "recover"
    assert cold.run("stop").code == OK
    assert cold.node.process.poll() is None


def test_no_such_profile(cold):
    cold.parameters["profiles"] = "nosuch"
    done = cold.run("start")
    assert done.code == GENERIC
    assert "profile nosuch does not exist" in reason(done)


# --- calls ----------------------------------------------------------------------------------------


def pair(make_node, standby):
    """Two nodes with one address and one recovery database; the second one is up as a standby."""
    a = make_node("a", profiles=profiles(standby)).start()
    b = make_node("b", recovery_db=a.db, profiles=profiles(standby))
    b.profiles = a.profiles
    options = {"standby": standby, "vips": a.ip}
    return Ocf(a, dict(options)), Ocf(b, dict(options))


def test_calls_are_left_for_the_other_node_and_taken_over(make_node, standby):
    a, b = pair(make_node, standby)
    a.parameters["stop_mode"] = "recover"
    a.parameters["flush_ms"] = "300"
    assert a.run("start").code == OK
    with Phone(a.node.address) as phone:
        phone.invite()
        eventually(lambda: a.node.rows() == 1, "the row")
        stopped = a.run("stop")
        assert stopped.code == OK
        assert a.node.process.wait(timeout=5) == -signal.SIGKILL
        # New calls were refused before it, and nothing was said to the caller.
        assert "fsctl pause inbound" in a.commands()
        assert a.node.rows() == 1
        phone.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            phone.request("BYE")
        phone.socket.settimeout(5)
        b.node.start()
        started = b.run("start")
        assert started.code == OK, started.err
        assert "recovered 1 calls" in started.err
        assert (b.base / "fs" / ".recovered").read_text(encoding="utf-8").startswith("1 ")
        phone.respond(phone.request("INVITE"), phone.sdp())
        phone.request("ACK")
        assert phone.echoes()
        assert b.run("monitor", depth=10).code == OK


def left_a_row(make_node, standby):
    """Return the agent on a second node, after the first one's switch left a call behind."""
    a, b = pair(make_node, standby)
    assert a.run("start").code == OK
    with Phone(a.node.address) as phone:
        phone.invite()
        eventually(lambda: a.node.rows() == 1, "the row")
        a.node.end(signal.SIGKILL)
    b.node.start()
    return b


SERVED = "--update yes --name fsha-served-fs"


def test_the_first_start_since_the_cluster_came_up_rings_for_nobody(make_node, standby):
    b = left_a_row(make_node, standby)
    b.no_attribute(NO_ATTRIBUTE)
    started = b.run("start")
    assert started.code == OK, started.err
    assert "first start since the cluster came up" in started.err
    assert b.node.rows() == 0
    b.interval = 2000
    assert b.run("monitor", depth=10).code == OK  # a hot one is out of standby, too
    noted = [f"{SERVED} --node fs1", f"{SERVED} --node fs2"]
    eventually(lambda: b.attributes()[1:] == noted, "the attribute")
    noted = re.fullmatch(r"--update 0@(\d+) --name fsha-recovered-fs", b.attributes()[0])
    assert (
        abs(int(noted[1]) - time.time()) < 60
    )  # what reads it compares it with the cluster's times


@pytest.mark.parametrize("why", ["served", "nobody can tell", "wanted"])
def test_any_other_start_takes_the_calls_over(make_node, standby, why):
    b = left_a_row(make_node, standby)
    b.no_attribute(NO_ATTRD if why == "nobody can tell" else NO_ATTRIBUTE)
    if why == "served":
        (b.programs / "attributes").write_text(f"{SERVED} --node fs1\n", encoding="utf-8")
    elif why == "wanted":
        b.parameters["cold_start"] = "recover"
    started = b.run("start")
    assert started.code == OK, started.err
    assert "recovered 1 calls" in started.err
    eventually(lambda: "--update 1@" in "".join(b.attributes()), "how many came back")


@pytest.mark.parametrize(
    ("known", "interval", "copies"), [(True, 0, True), (True, 2000, False), (False, 0, False)]
)
def test_a_node_that_joins_learns_it_in_its_probe(made, known, interval, copies):
    made.no_attribute(NO_ATTRIBUTE)
    if known:
        (made.programs / "attributes").write_text("another node's\n", encoding="utf-8")
    made.interval = interval
    assert made.run("monitor").code == NOT_RUNNING
    assert made.attributes()[1:] == ([SERVED] if copies else [])


def test_callers_hear_a_switch_until_its_vip_goes(make_node, standby):
    a, _ = pair(make_node, standby)
    a.parameters["stop_mode"] = "recover"
    assert a.run("start").code == OK
    with Phone(a.node.address) as phone:
        phone.invite()
        eventually(lambda: a.node.rows() == 1, "the row")
        stopped = a.run("stop")
        assert stopped.code == OK
        assert a.node.process.poll() is None, stopped
        assert phone.echoes()
        assert a.run("monitor").code == NOT_RUNNING
        a.lose_the_vip()
        assert a.node.process.wait(timeout=5) == -signal.SIGKILL
    assert a.node.rows() == 1
    eventually(lambda: not (a.base / "fs" / ".leaving").exists(), "the end of the leave")


def test_a_switch_without_its_vip_ends_before_the_stop_does(make_node, standby):
    a, _ = pair(make_node, standby)
    a.parameters["stop_mode"] = "recover"
    assert a.run("start").code == OK
    a.lose_the_vip()
    assert a.run("stop").code == OK
    assert a.node.process.wait(timeout=0) == -signal.SIGKILL


@pytest.mark.parametrize("action", ["start", "stop"])
def test_a_switch_that_talks_on_ends_when_the_cluster_comes_back_to_it(make_node, standby, action):
    a, _ = pair(make_node, standby)
    a.parameters["stop_mode"] = "recover"
    assert a.run("start").code == OK
    left = a.node.process
    assert a.run("stop").code == OK
    a.parameters["switch_wait"] = "0"
    done = a.run(action)
    # It is gone before anything else is done with the profiles.
    assert left.wait(timeout=0) == -signal.SIGKILL
    assert done.code == (OK if action == "stop" else GENERIC)


def test_calls_are_waited_for_and_new_ones_refused(make_node, standby):
    a, _ = pair(make_node, standby)
    a.parameters |= {"stop_mode": "drain", "drain_time": "20"}
    a.timeout = 25
    assert a.run("start").code == OK
    with Phone(a.node.address) as phone, Phone(a.node.address) as late:
        phone.invite()
        runner = _in_background(lambda: a.run("stop"))
        eventually(lambda: a.node.api("fsctl pause_check inbound") == "true", "the pause")
        assert late.invite().status == 503
        assert a.node.listed()
        phone.bye()
        assert runner().code == OK
    assert a.node.api("fsctl pause_check inbound") == "false"


def test_calls_that_do_not_end_are_hung_up_when_the_time_is_over(make_node, standby):
    a, _ = pair(make_node, standby)
    a.parameters |= {"stop_mode": "drain", "drain_time": "1"}
    a.timeout = 25
    assert a.run("start").code == OK
    with Phone(a.node.address) as phone:
        phone.invite()
        done = a.run("stop")
        assert done.code == OK
        assert "1 call legs are left and are hung up now" in done.err
        assert phone.request("BYE")
    assert a.node.api("fsctl pause_check inbound") == "false"


def test_hangup_says_so_to_the_callers(serving):
    with Phone(serving.node.address) as phone:
        phone.invite()
        time.sleep(TIMING["stop_guard"])
        assert serving.run("stop").code == OK
        assert phone.request("BYE")


def _in_background(work):
    pool = concurrent.futures.ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return lambda: future.result(LIMIT)


def test_a_start_resumes_a_paused_switch(made):
    made.node.api("fsctl pause inbound")
    started = made.run("start")
    assert started.code == OK
    assert "the switch was paused (inbound): resuming it" in started.err
    assert made.node.api("fsctl pause_check inbound") == "false"


def test_without_the_vip_nothing_is_recovered(make_node, standby):
    a, b = pair(make_node, standby)
    assert a.run("start").code == OK
    b.node.profiles = profiles(standby)
    b.node.start()
    b.parameters["vips"] = f"{b.node.ip} 192.0.2.77"
    with Phone(a.node.address) as phone:
        phone.invite()
        eventually(lambda: a.node.rows() == 1, "the row")
        done = b.run("start")
        assert "192.0.2.77 is not on this node" in done.err
        assert done.code == (OK if standby == "cold" else GENERIC)
        assert not [command for command in b.commands() if "recover" in command]
        assert a.node.rows() == 1


def test_where_another_host_answers_for_the_vip_nothing_is_recovered(make_node, standby):
    a, b = pair(make_node, standby)
    assert a.run("start").code == OK
    b.node.profiles = profiles(standby)
    b.node.start()
    b.parameters["vips"] = b.node.ip
    b.program("ip", IP.format(card="eth7"))
    b.program("holder", '#!/bin/sh\n[ "$3" = eth7 ] && echo 02:00:00:00:00:07\n')
    with Phone(a.node.address) as phone:
        phone.invite()
        eventually(lambda: a.node.rows() == 1, "the row")
        b.probe = b.programs / "holder"
        done = b.run("start")
        assert done.code == GENERIC
        assert f"another host answers for {b.node.ip} on eth7" in reason(done)
        assert a.node.rows() == 1
        assert not b.stamp.exists()


# --- who else claims it ---------------------------------------------------------------------------


def test_two_resources_for_one_profile(cold):
    assert cold.run("start").code == OK
    other = Ocf(cold.node, {"vips": cold.node.ip}, instance="second")
    done = other.run("start")
    assert done.code == GENERIC
    assert "profile internal is already active through fs" in reason(done)
    assert other.run("stop").code == OK
    assert cold.run("monitor").code == OK


def test_a_profile_bound_to_another_address(made):
    made.parameters["vips"] = "127.0.0.1"
    done = made.run("start")
    assert done.code == GENERIC
    assert f"bound to {made.node.ip}, which is none of vips (127.0.0.1)" in reason(done)
    assert not [command for command in made.commands() if "recover" in command]


def test_what_was_started_for_nothing_is_stopped_again(cold):
    time.sleep(TIMING["stop_guard"])
    cold.node.api("sofia profile internal stop")
    time.sleep(0.6)
    cold.parameters["vips"] = "127.0.0.1"
    done = cold.run("start")
    assert done.code == GENERIC
    assert "none of vips" in reason(done)
    assert "sofia profile internal stop" in cold.commands()


def test_the_stop_after_a_failed_start_ends_what_it_left_running(cold):
    assert (cold.run("start").code, cold.run("stop").code) == (OK, OK)
    assert not cold.node.listed()
    cold.parameters["vips"] = "127.0.0.1"
    cold.node.fault("refuse-stop")  # as FreeSWITCH does in a profile's first ten seconds
    done = cold.run("start")
    assert (done.code, "none of vips" in reason(done)) == (GENERIC, True)
    assert cold.node.listed()
    cold.node.fault("off")
    assert cold.run("stop").code == OK
    assert not cold.node.listed()


def restarted_with_its_vip(agent):
    """The switch dies, and systemd brings it back while the node still holds the VIP."""
    assert agent.run("start").code == OK
    agent.node.end(signal.SIGKILL)
    agent.node.start()
    assert agent.run("monitor").code == NOT_RUNNING
    assert agent.node.listed()


def test_what_came_up_by_itself_is_stopped_once_its_vip_has_gone(cold):
    restarted_with_its_vip(cold)
    cold.node.fault("refuse-stop")  # as FreeSWITCH does in a profile's first ten seconds
    done = cold.run("stop")
    # The VIP has to move, so the stop does not wait for it.
    assert (done.code, done.seconds < QUICK) == (OK, True)
    cold.lose_the_vip()
    eventually(lambda: "sofia profile internal stop" in cold.commands(), "the stop")
    cold.node.fault("off")
    eventually(lambda: not cold.node.listed(), "the end of the profile")


def test_what_came_up_by_itself_is_kept_while_the_node_has_its_vip(cold):
    restarted_with_its_vip(cold)
    assert cold.run("stop").code == OK
    assert cold.run("start").code == OK
    cold.lose_the_vip()
    time.sleep(1.5)  # longer than from one look to the next
    assert cold.node.listed()
    assert "sofia profile internal stop" not in cold.commands()


def test_a_hot_profile_that_came_up_by_itself_stays(make_node):
    node = make_node(profiles=profiles("hot"))
    node.start()
    agent = Ocf(node, {"standby": "hot", "vips": node.ip})
    restarted_with_its_vip(agent)
    assert agent.run("stop").code == OK
    agent.lose_the_vip()
    time.sleep(1.5)
    assert node.listed()


def test_what_came_up_before_a_start_that_fails_is_stopped_as_well(cold):
    cold.parameters["vips"] = "127.0.0.1"
    assert cold.run("start").code == GENERIC
    assert cold.node.listed()
    assert cold.run("stop").code == OK
    cold.lose_the_vip()
    eventually(lambda: not cold.node.listed(), "the end of the profile")


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "value", "code", "words"),
    [
        ("profiles", "", CONFIGURED, "profiles is not set"),
        ("profiles", "   ", CONFIGURED, "profiles is not set"),
        ("profiles", "a;reboot", CONFIGURED, "'a;reboot' is no profile's name"),
        ("profiles", "it's", CONFIGURED, "is no profile's name"),
        ("profiles", "a<b>", CONFIGURED, "is no profile's name"),
        ("profiles", "*", CONFIGURED, "is no profile's name"),
        ("vips", "10.0.0.1/24", CONFIGURED, "without prefix length"),
        ("standby", "warm", CONFIGURED, "cold or hot"),
        ("cold_start", "ring", CONFIGURED, "flush or recover is expected"),
        ("stop_mode", "kill", CONFIGURED, "hangup, drain or recover"),
        ("drain_time", "soon", CONFIGURED, "a whole number"),
        ("drain_time", "2min", CONFIGURED, "a whole number"),
        ("flush_ms", "500ms", CONFIGURED, "a whole number"),
        ("profiles", "internal,external", CONFIGURED, "is no profile's name"),
        ("vips", "10.0.0.1,10.0.0.2", CONFIGURED, "without prefix length"),
        ("standby", "Hot", CONFIGURED, "cold or hot"),
        ("options_targets", "10.0.0.1", CONFIGURED, "ADDRESS:PORT is expected"),
        ("options_targets", "10.0.0.1:", CONFIGURED, "ADDRESS:PORT is expected"),
        ("options_targets", "10.0.0.1:sip", CONFIGURED, "ADDRESS:PORT is expected"),
        ("options_targets", ":5060", CONFIGURED, "ADDRESS:PORT is expected"),
        ("options_targets", "10.0.0.1,10.0.0.2:5060", CONFIGURED, "ADDRESS:PORT is expected"),
        ("options_targets", "2001:db8::1:5060", CONFIGURED, "[ADDRESS]:PORT for IPv6"),
        ("options_targets", "[]:5060", CONFIGURED, "[ADDRESS]:PORT for IPv6"),
        ("fs_cli", "/nowhere/fs_cli", INSTALLED, "is no program"),
        ("password_file", "/nowhere/password", INSTALLED, "is missing"),
        ("password_file", "/dev/null", INSTALLED, "is missing"),
    ],
)
def test_bad_parameters(cold, parameter, value, code, words):
    cold.parameters[parameter] = value
    for action in ("validate-all", "start"):
        done = cold.run(action)
        assert done.code == code
        assert words in reason(done)
    assert cold.commands() == []
    # A stop must not fail, whatever is wrong.
    assert cold.run("stop").code == OK


def test_targets_of_the_deep_check(cold):
    cold.parameters["options_targets"] = "10.0.0.1:5060 [2001:db8::1]:5080 sip.example.org:5060"
    assert cold.run("validate-all").code == OK


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [(0o444, PERM, "read by everybody"), (0o620, PERM, "written by others"), (0o440, OK, "")],
)
def test_the_password_is_nobody_elses(cold, mode, code, words):
    cold.node.password_file.chmod(mode)
    done = cold.run("validate-all")
    assert done.code == code
    assert words in done.err


def test_an_empty_password_file(cold):
    cold.node.password_file.chmod(0o600)
    cold.node.password_file.write_text("", encoding="utf-8")
    done = cold.run("start")
    # Of this node alone: Pacemaker may try the other one.
    assert (done.code, "is empty" in reason(done)) == (INSTALLED, True)


def test_hot_standby_needs_nonlocal_bind(made):
    made.nonlocal_bind.write_text("0\n", encoding="utf-8")
    done = made.run("start")
    if made.parameters["standby"] == "hot":
        assert (done.code, "ip_nonlocal_bind=1" in reason(done)) == (INSTALLED, True)
        assert made.commands() == []
    else:
        assert done.code == OK


@pytest.mark.parametrize("guard", ["true", "false"])
def test_hot_standby_with_ipv6_needs_its_guard(made, guard):
    made.parameters |= {"vips": "2001:db8::1", "ipv6_guard": guard}
    done = made.run("validate-all")
    refused = made.parameters["standby"] == "hot" and guard == "false"
    assert done.code == (CONFIGURED if refused else OK)
    assert ("a standby can send from it" in done.err) == refused


def test_calls_cannot_be_left_to_nobody(cold):
    cold.parameters |= {"stop_mode": "recover", "recover": "false"}
    assert cold.run("validate-all").code == CONFIGURED


def test_an_unknown_action(cold):
    assert cold.run("promote").code == UNIMPLEMENTED


# --- what it tells and what it keeps to itself --------------------------------------------------


def test_the_password_is_in_no_argument_list(made):
    with Watch() as watch:
        for action in ("start", "monitor", "reload"):
            made.run(action)
        made.parameters["stop_mode"] = "recover"
        made.run("stop")
    assert watch.found == set()
    assert watch.rounds > 10
    assert PASSWORD not in made.calls_log.read_text(encoding="utf-8")


def test_the_metadata_need_nothing_and_are_all_that_is_read():
    done = subprocess.run(["sh", str(AGENT), "meta-data"], capture_output=True, check=True)
    root = etree.fromstring(done.stdout)
    named = {parameter.get("name") for parameter in root.iter("parameter")}
    text = AGENT.read_text(encoding="utf-8")
    body = text[text.index("# --- what it is given") :]
    assert named == set(re.findall(r"OCF_RESKEY_([a-z_0-9]+)\b", body))
    defaults = {p.get("name"): p.find("content").get("default") for p in root.iter("parameter")}
    for name, default in defaults.items():
        if default:
            assert re.search(rf"OCF_RESKEY_{name}:-{re.escape(default)}}}", body), name
    # As ocf-tester does it: the document brings its own DTD, which knows what OCF 1.1 has more.
    etree.fromstring(done.stdout, etree.XMLParser(dtd_validation=True, no_network=True))
    choices = {
        parameter.get("name"): [option.get("value") for option in parameter.iter("option")]
        for parameter in root.iter("parameter")
        if parameter.find("content").get("type") == "select"
    }
    assert choices == {
        "standby": ["cold", "hot"],
        "stop_mode": ["hangup", "drain", "recover"],
        "cold_start": ["flush", "recover"],
    }
