"""FSSofia against the stand-in in every state of the switch, under dash and bash."""

from __future__ import annotations

import signal
import stat
import time

import pytest

from tests.unit.fssofia.conftest import PASSWORD, SCRIPT, TIMING, Agent, Watch
from tests.unit.standin.harness import Phone, eventually, loopback

QUICK = 3.0  # seconds; a second or less on an idle machine


def test_life(agent):
    """status 3, start, status 0, start again, reload, stop, stop again; recover runs once."""
    first = agent.run("status")
    assert first.code == 3
    assert "runs, as a standby" in first.out  # its profile runs from the switch's own start
    started = agent.run("start")
    assert (started.code, started.err) == (0, "")
    assert "recovered 0 calls" in started.out
    core_uuid = agent.node.api("global_getvar core_uuid")
    assert agent.stamp.read_text(encoding="utf-8").splitlines()[0] == core_uuid
    status = agent.run("status")
    assert (status.code, status.out, status.err) == (0, "FSSofia: active: internal\n", "")
    assert status.seconds < QUICK
    again = agent.run("start")
    assert (again.code, again.out) == (0, "FSSofia: already active: internal\n")
    assert agent.commands().count("sofia profile internal recover") == 1
    assert agent.run("reload").code == agent.run("force-reload").code == 0
    assert agent.commands().count("sofia profile internal rescan") == 2
    stopped = agent.run("stop")
    assert (stopped.code, stopped.err) == (0, "")
    assert not agent.node.listed()
    assert not agent.stamp.exists()
    assert agent.run("status").code == 3
    twice = agent.run("stop")
    assert (twice.code, twice.out) == (0, "FSSofia: not active on this node: nothing to stop\n")


def test_start_right_after_stop_makes_no_zombie(make_node, shell):
    timing = {"stop_guard": 0.3, "socket_close": 0.05, "name_freed": 2.0}
    agent = Agent(shell, make_node(extra={"timing": timing}).start(), {"TEARDOWN_MS": "2500"})
    assert agent.run("start").code == 0
    assert agent.run("restart").code == 0
    assert agent.node.listed()
    assert "unlisted" not in agent.node.log
    assert agent.run("status").code == 0


def test_stop_waits_out_the_refusal_of_the_first_seconds(active):
    active.node.fault("refuse-stop")
    process = active.popen("stop")
    eventually(lambda: active.commands().count("sofia profile internal stop") > 1, "a repetition")
    assert active.node.listed()
    active.node.fault("off")
    out, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "")
    assert out.count("must be up for at least 10 seconds") == 1
    assert not active.node.listed()


def test_stop_that_is_always_refused_fails_in_time(active):
    active.node.fault("refuse-stop")
    active.write(STOP_TIMEOUT="2")
    stopped = active.run("stop")
    assert stopped.code == 1
    assert "stop failed after" in stopped.err
    assert "the switch refuses" in stopped.err
    assert 2 <= stopped.seconds < 2 + QUICK
    assert active.run("status").code == 0


def test_switch_down(make_node, shell):
    node = make_node()
    node.write_config()
    agent = Agent(shell, node)
    assert agent.run("status").code == 3
    assert agent.run("stop").code == 0
    started = agent.run("start")
    assert started.code == 1
    assert "the switch is not running" in started.err
    assert 1 <= started.seconds < 1 + QUICK
    assert agent.run("reload").code == 7


def test_switch_still_starting(make_node, shell):
    node = make_node()
    node.write_config()
    node.fault("slow-start", "1.5")
    node.launch()
    agent = Agent(shell, node)
    eventually(lambda: "RUNNING" in node.log, "the profile")
    status = agent.run("status")
    assert status.code == 3
    assert "is closed: it is still starting" in status.err
    started = agent.run("start")
    assert (started.code, started.err) == (0, "")


def test_start_gives_up_in_time_when_the_switch_never_answers(agent):
    agent.node.fault("hang-esl")
    agent.write(START_TIMEOUT="2")
    started = agent.run("start")
    assert started.code == 1
    assert "does not answer: it hangs" in started.err
    assert 2 <= started.seconds < 2 + 2 * 1.6 + QUICK
    assert not agent.stamp.exists()


def test_wrong_password(active):
    active.node.password_file.write_text("another\n", encoding="utf-8")
    status = active.run("status")
    assert status.code == 4
    assert status.out == ""
    assert len(status.err.splitlines()) == 1
    assert f"refuses the password in {active.node.password_file}" in status.err
    stopped = active.run("stop")
    assert stopped.code == 1
    assert "refuses the password" in stopped.err
    assert stopped.seconds < QUICK


def test_wrong_password_before_the_first_start(agent):
    agent.node.password_file.write_text("another\n", encoding="utf-8")
    status = agent.run("status")
    assert status.code == 3  # nothing of ours runs here, and a stop must be able to say so
    assert "a start here would fail" in status.err
    started = agent.run("start")
    assert started.code == 1
    assert "refuses the password" in started.err
    assert started.seconds < QUICK
    assert agent.run("stop").code == 0


def test_frozen_switch_with_the_default_timeouts(active):
    active.write(CONNECT_TIMEOUT_MS="1500", REPLY_TIMEOUT_MS="2500")
    active.node.process.send_signal(signal.SIGSTOP)
    status = active.run("status")
    assert status.code == 4
    assert "does not answer: it hangs" in status.err
    assert len(status.err.splitlines()) == 1
    assert status.seconds < 7


def test_stop_kills_a_hung_switch_in_time(active):
    """A stop that failed would block the cluster where nothing can fence."""
    active.node.fault("hang-esl")
    active.write(STOP_TIMEOUT="2")
    stopped = active.run("stop")
    assert stopped.code == 0
    assert "killing the switch" in stopped.err
    assert "does not answer: it hangs" in stopped.err
    assert 2 <= stopped.seconds < 2 + 1.6 + QUICK
    assert active.node.process.wait(timeout=5) == -signal.SIGKILL
    assert not active.stamp.exists()


def test_event_socket_that_hangs_after_login(active):
    """A fs_cli that connects and then waits: its own exit code 254."""
    fs_cli = active.node.directory / "slow_fs_cli"
    fs_cli.write_text("#!/bin/sh\necho 'Request timed out.'\nexit 254\n", encoding="utf-8")
    fs_cli.chmod(0o755)
    active.write(FS_CLI=str(fs_cli))
    status = active.run("status")
    assert status.code == 4
    assert "does not answer: it hangs" in status.err


def test_fs_cli_that_never_ends_is_killed(active):
    fs_cli = active.node.directory / "stuck_fs_cli"
    fs_cli.write_text("#!/bin/sh\ntrap '' TERM\nexec sleep 30\n", encoding="utf-8")
    fs_cli.chmod(0o755)
    active.write(FS_CLI=str(fs_cli), CONNECT_TIMEOUT_MS="100", REPLY_TIMEOUT_MS="100")
    status = active.run("status")
    assert status.code == 4
    assert "does not answer: it hangs" in status.err
    assert status.seconds < 3 + QUICK


def test_unknown_profile(agent):
    agent.write(PROFILES="internal nosuch")
    started = agent.run("start")
    assert started.code == 1
    assert "profile nosuch does not exist in the switch's configuration" in started.err
    assert not agent.stamp.exists()


def test_bind_that_fails(make_node, shell):
    node = make_node()
    node.write_config()
    node.fault("bind-fail")
    agent = Agent(shell, node.start() and node)
    started = agent.run("start")
    assert started.code == 1
    assert "profile internal did not bind: see the switch's log" in started.err
    assert 1 <= started.seconds < 1 + QUICK
    assert agent.run("status").code == 3


def test_bind_that_heals_within_the_switchs_own_retries(make_node, shell):
    node = make_node(extra={"timing": {"bind_interval": 1.0}})
    node.write_config()
    node.fault("bind-fail")
    node.start()
    agent = Agent(shell, node, {"BIND_WAIT": "6"})
    process = agent.popen("start")
    eventually(lambda: "ATTEMPT 2" in node.log, "a second attempt")
    node.fault("off")
    out, err = process.communicate(timeout=15)
    assert (process.returncode, err) == (0, "")
    assert "active: internal" in out


def test_bind_that_fails_without_the_vip_says_so(make_node, shell):
    node = make_node()
    node.write_config()
    node.fault("bind-fail")
    agent = Agent(shell, node.start() and node, {"VIPS": "192.0.2.77"})
    assert "did not bind: 192.0.2.77 is not on this node" in agent.run("start").err


def test_zombie_is_named(make_node, shell):
    """Someone stops and starts the profile by hand, too fast."""
    timing = {"stop_guard": 0.3, "socket_close": 0.1, "name_freed": 3, "bind_interval": 0.3}
    agent = Agent(shell, make_node(extra={"timing": timing}).start())
    assert agent.run("start").code == 0
    time.sleep(0.3)
    agent.node.api("sofia profile internal stop")
    time.sleep(0.3)
    agent.node.api("sofia profile internal start")
    eventually(lambda: "answers unlisted" in agent.node.log, "the zombie")
    assert agent.run("status").code == 3
    started = agent.run("start")
    assert started.code == 1
    assert f"not listed but the switch holds {agent.node.ip}:5060" in started.err
    assert "restart the switch" in started.err


def test_switch_dies_during_start(make_node, shell):
    node = make_node(extra={"timing": {"bind_interval": 2.0}})
    node.write_config()
    node.fault("bind-fail")
    node.start()
    agent = Agent(shell, node, {"BIND_WAIT": "8"})
    process = agent.popen("start")
    eventually(lambda: agent.calls_log.exists() and "start" in " ".join(agent.commands()), "start")
    time.sleep(0.3)
    node.end(signal.SIGKILL)
    _, err = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "the switch is not running" in err


def test_switch_dies_during_stop(active):
    active.node.fault("refuse-stop")
    process = active.popen("stop")
    eventually(lambda: "sofia profile internal stop" in active.commands(), "the stop")
    active.node.end(signal.SIGKILL)
    out, _ = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "stopped" in out
    assert not active.stamp.exists()


def test_profile_that_goes_away(active):
    time.sleep(0.3)
    active.node.api("sofia profile internal stop")
    status = active.run("status")
    assert status.code == 3
    assert "profile internal is not RUNNING" in status.out
    assert active.run("stop").code == 0


def test_crash_that_systemd_hides(active):
    """The switch comes back with its profiles running: still not active, and stop is at once."""
    active.node.end(signal.SIGKILL)
    assert active.run("status").code == 3
    active.node.start()
    eventually(active.node.listed, "the profile")
    status = active.run("status")
    assert status.code == 3
    assert "the switch it was started in has gone" in status.out
    stopped = active.run("stop")
    assert stopped.code == 0
    assert stopped.seconds < QUICK
    assert active.node.listed()  # not ours: a BYE from it would help nobody
    assert active.run("start").code == 0
    assert active.run("status").code == 0


@pytest.mark.parametrize("line", [0, 1])
def test_stamp_of_another_switch_does_not_count(active, line):
    """The core_uuid and the process are checked each by itself."""
    lines = active.stamp.read_text(encoding="utf-8").splitlines()
    lines[line] = ["0d5e3a52-0000-4000-8000-000000000000", "1 1"][line]
    active.stamp.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert active.run("status").code == 3


def test_dead_switch_stops_at_once(active):
    active.node.end(signal.SIGKILL)
    stopped = active.run("stop")
    assert stopped.code == 0
    assert not active.stamp.exists()


def test_event_socket_closed_in_the_switch_that_was_started(make_node, shell):
    node = make_node(extra={"timing": {"shutdown": 4.0, "stop_guard": 0.3}}).start()
    agent = Agent(shell, node)
    assert agent.run("start").code == 0
    node.process.terminate()  # it closes the Event Socket and lives on for 4 s
    eventually(lambda: not node.listening(), "the closed port")
    status = agent.run("status")
    assert status.code == 4
    assert "is closed" in status.err


def test_takes_over_calls(make_node, shell):
    a = make_node("a").start()
    b = make_node("b", profiles=a.profiles, recovery_db=a.db)
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        a.end(signal.SIGKILL)
        b.start()
        agent = Agent(shell, b, {"VIPS": "127.0.0.1"})
        started = agent.run("start")
        assert (started.code, started.err) == (0, "")
        assert "profile internal: recovered 1 calls" in started.out
        phone.respond(phone.request("INVITE"), phone.sdp())
        phone.request("ACK")
        assert phone.echoes()


@pytest.mark.parametrize("reason", ["vip", "paused", "off"])
def test_recover_is_left_out(make_node, shell, reason):
    a = make_node("a").start()
    b = make_node("b", recovery_db=a.db).start()
    config = {"vip": {"VIPS": "127.0.0.1 192.0.2.77"}, "off": {"RECOVER": "no"}}.get(reason, {})
    agent = Agent(shell, b, config)
    if reason == "paused":
        b.api("fsctl pause inbound")
    expected = {"vip": "192.0.2.77 is not on this node", "paused": "paused (inbound)", "off": ""}
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        started = agent.run("start")
        assert started.code == 0
        assert expected[reason] in started.err
        assert bool(started.err) == (reason != "off")
        assert a.rows() == 1
        assert not [command for command in agent.commands() if command.endswith("recover")]


def test_two_profiles_and_one_taken_out_of_the_configuration(make_node, shell):
    address = loopback()
    profiles = [
        {"name": "internal", "sip_ip": address},
        {"name": "external", "sip_ip": address, "sip_port": 5080},
        {"name": "internal2", "sip_ip": address, "sip_port": 5090},
    ]
    agent = Agent(shell, make_node(profiles=profiles).start(), {"PROFILES": "internal external"})
    assert agent.run("start").code == 0
    agent.write(PROFILES="internal")
    assert agent.run("status").code == 0
    assert agent.run("stop").code == 0
    listed = [agent.node.listed(name) for name in ("internal", "external", "internal2")]
    assert listed == [False, False, True]


def test_password_is_in_no_argument_list_and_no_environment(agent):
    with Watch() as watch:
        for action in ("start", "status", "reload", "stop"):
            agent.run(action)
        agent.node.password_file.write_text("wrong\n", encoding="utf-8")
        agent.run("start")
    assert watch.found == set()
    assert watch.rounds > 10
    calls = agent.calls_log.read_text(encoding="utf-8")
    assert PASSWORD not in calls
    assert calls.count("-T\n") == calls.count("-t\n") == calls.count("-x\n") > 0
    conf = agent.runtime / ".home" / ".fs_cli_conf"
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (agent.runtime, conf.parent, conf)]
    assert modes == [0o700, 0o700, 0o400]


@pytest.mark.parametrize("password", [" blank", ">arrow", "two;;semicolons", "", "x" * 128])
def test_password_that_fs_cli_cannot_read(idle, password):
    idle.node.password_file.write_text(password + "\n", encoding="utf-8")
    started = idle.run("start")
    assert started.code == 1
    assert f"{idle.node.password_file}" in started.err
    assert started.seconds < QUICK


def test_usage(idle):
    for arguments in ((), ("nosuch",), ("start", "now")):
        done = idle.run(*arguments)
        assert done.code == 2
        assert "{start|stop|restart|status|reload|force-reload}" in done.err


def test_without_configuration(idle):
    idle.path.unlink()
    codes = {action: idle.run(action).code for action in ("start", "restart", "reload")}
    # Its settings are this node's own: with a 6 Pacemaker would try no other node.
    assert codes == {"start": 5, "restart": 5, "reload": 5}
    assert "apply the formula" in idle.run("start").err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROFILES", " "),
        ("PROFILES", "*"),
        ("PROFILES", "../internal"),
        ("PROFILES", "-x"),
        ("PROFILES", "a;b"),
        ("PORT", "esl"),
        ("START_TIMEOUT", ""),
        ("PORT", "65536"),
        ("HOST", "10.0.0.300"),
        ("START_TIMEOUT", "030"),
        ("STOP_TIMEOUT", "0"),
        ("BIND_WAIT", "08"),
        ("TEARDOWN_MS", "3s"),
        ("SWITCH_PROCESS", "freeswitch-production"),
        ("RUNTIME_DIR", "run/FSSofia"),
        ("VIPS", "10.0.0.1/24"),
        ("VIPS", "10.0.0"),
        ("RECOVER", "perhaps"),
    ],
)
def test_bad_configuration(idle, name, value):
    idle.write(**{name: value})
    started = idle.run("start")
    assert started.code == 5
    assert started.err.count("\n") == 1
    assert name in started.err
    assert str(idle.path) in started.err
    assert idle.run("status").code == 3
    assert idle.run("stop").code == 0


@pytest.mark.parametrize("line", ["PROFILES='internal", "VIPS=$VIP", "exit 3", "(("])
def test_a_configuration_that_no_shell_can_read(active, line):
    text = active.path.read_text(encoding="utf-8")
    active.path.write_text(f"{text}{line}\n", encoding="utf-8")
    status = active.run("status")
    # With 2 or 3 Pacemaker would take it for not running while it serves.
    assert status.code == 4
    assert f"{active.path}: the shell can't read it" in status.err
    assert active.run("start").code == 5


def test_a_last_line_that_is_false_is_no_mistake(active):
    text = active.path.read_text(encoding="utf-8")
    active.path.write_text(f"{text}[ -z x ] && PORT=1\n", encoding="utf-8")
    assert active.run("status").code == 0


def test_bad_configuration_while_active(active):
    active.write(RECOVER="perhaps")
    assert active.run("status").code == 4
    assert active.run("stop").code == 1


def test_without_fs_cli(idle):
    idle.write(FS_CLI="/nonexistent/fs_cli")
    started = idle.run("start")
    assert started.code == 5
    assert "/nonexistent/fs_cli" in started.err
    assert (idle.run("status").code, idle.run("stop").code) == (3, 0)


def test_header_keeps_init_systems_away():
    header = SCRIPT.read_text(encoding="utf-8").partition("### END INIT INFO")[0]
    assert "# Default-Start:\n" in header
    assert "# Default-Stop:\n" in header


# What a real switch says without mod_sofia.
UNLOADED = """#!/bin/sh
case "$*" in
*sofia*) echo '-ERR sofia xmlstatus Command not found!' ;;
*) exec {fs_cli} "$@" ;;
esac
"""


def test_a_switch_whose_sofia_is_gone_is_stopped_and_no_riddle(active):
    """Seen on a real switch after 'unload mod_sofia'."""
    fs_cli = active.node.directory / "fs_cli.unloaded"
    fs_cli.write_text(UNLOADED.format(fs_cli=active.config["FS_CLI"]), encoding="utf-8")
    fs_cli.chmod(0o755)
    active.write(FS_CLI=str(fs_cli))
    status = active.run("status")
    assert status.code == 3
    assert "it is going down, or mod_sofia is not loaded" in status.text
    # Its sockets went with it.
    time.sleep(TIMING["stop_guard"])
    active.node.api("sofia profile internal stop")
    eventually(lambda: not active.node.listed(), "the end of the profile")
    assert active.run("stop").code == 0
    started = active.run("start")
    assert started.code == 1
    assert "the switch has no Sofia" in started.err


def test_an_answer_that_nobody_expects_is_no_stop(active):
    fs_cli = active.node.directory / "fs_cli.odd"
    odd = UNLOADED.replace("-ERR sofia xmlstatus Command not found!", "-ERR Database error!")
    fs_cli.write_text(odd.format(fs_cli=active.config["FS_CLI"]), encoding="utf-8")
    fs_cli.chmod(0o755)
    active.write(FS_CLI=str(fs_cli))
    status = active.run("status")
    assert status.code == 4
    assert "unexpected reply: -ERR Database error!" in status.err
