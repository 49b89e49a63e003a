"""The life of a profile: asynchronous start and stop, refusals, the zombie, restart, faults."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path

import pytest

from tests.unit.standin.harness import GUARD, Phone, eventually, loopback

NOT_HERE = "192.0.2.77"  # TEST-NET-1: no host has it


def nonlocal_bind() -> bool:
    return Path("/proc/sys/net/ipv4/ip_nonlocal_bind").read_text(encoding="ascii").strip() == "1"


def test_early_stop_and_restart_are_refused_with_exit_code_zero(make_node):
    node = make_node(extra={"timing": {"stop_guard": 9}}).start()
    for action in ("stop", "restart"):
        reply = node.api(f"sofia profile internal {action}")
        assert re.fullmatch(
            r"Profile internal must be up for at least 10 seconds to stop/restart\.\n"
            r"Please wait \d seconds\n",
            reply,
        )
    assert node.listed()


def test_stop_then_absent_everywhere_then_start(node):
    time.sleep(GUARD)
    assert node.api("sofia profile internal stop") == "Reload XML [Success]\nstopping: internal"
    assert not node.listed()
    assert node.api("sofia status profile internal") == "Invalid Profile!\n"
    assert node.api("sofia profile internal stop") == "Invalid Profile [internal]"
    assert "0 profiles 0 aliases" in node.api("sofia status")
    eventually(lambda: "internal: stopped" in node.log, "the end of the teardown")
    assert "started successfully" in node.api("sofia profile internal start")
    eventually(node.listed, "the profile after a clean start")


def test_restart_comes_back_by_itself(make_node):
    node = make_node(extra={"timing": {"stop_guard": 0.3, "name_freed": 1.5}}).start()
    time.sleep(GUARD)
    assert node.api("sofia profile internal restart").endswith("restarting: internal")
    assert not node.listed()
    eventually(node.listed, "the restarted profile")


def test_start_during_the_teardown_makes_an_unlisted_profile_that_answers(make_node):
    node = make_node(
        extra={"timing": {"stop_guard": 0.3, "socket_close": 0.1, "name_freed": 2.5}}
    ).start()
    time.sleep(0.3)
    node.api("sofia profile internal stop")
    time.sleep(0.3)  # the socket is closed, the name not yet free
    node.api("sofia profile internal start")
    eventually(lambda: "answers unlisted" in node.log, "the zombie")
    eventually(lambda: "internal: stopped" in node.log, "the end of the old one")
    assert not node.listed()
    assert node.api("sofia profile internal stop") == "Invalid Profile [internal]"
    with Phone(node.address) as phone:
        phone.send("OPTIONS")
        assert phone.final().status == 200
    node.api("sofia profile internal start")
    eventually(lambda: "gave up binding" in node.log, "three failed binds")
    assert not node.listed()


def test_start_while_the_old_socket_is_open_is_retried(make_node):
    node = make_node(
        extra={"timing": {"stop_guard": 0.3, "socket_close": 0.7, "name_freed": 0.7}}
    ).start()
    time.sleep(0.3)
    node.api("sofia profile internal stop")
    node.api("sofia profile internal start")
    assert not node.listed()
    eventually(node.listed, "the profile after the retry")
    assert node.log.count("ATTEMPT") in (1, 2)


def test_address_that_is_not_local_is_the_kernels_decision(make_node):
    node = make_node(profiles=[{"name": "internal", "sip_ip": NOT_HERE}]).start()
    if nonlocal_bind():
        assert node.listed()
        return
    eventually(lambda: "gave up binding" in node.log, "three attempts")
    assert [f"ATTEMPT {n}:" in node.log for n in (1, 2, 3)] == [True] * 3
    assert "started successfully" in node.api("sofia profile internal start")
    assert not node.listed()


def test_failing_bind_is_tried_three_times_and_heals_in_between(make_node):
    node = make_node(scale=0.3)
    node.write_config()
    node.fault("bind-fail")
    node.start()
    assert not node.listed()
    node.fault("off")
    eventually(node.listed, "the next attempt")


def test_standby_answers_503_until_recover(make_node):
    address = "127.0.0.1"
    node = make_node(
        profiles=[{"name": "internal", "sip_ip": address, "sip_port": free_udp(), "standby": True}]
    ).start()
    assert node.listed()
    with Phone(node.address) as phone:
        phone.send("OPTIONS")
        assert phone.receive().start == "SIP/2.0 503 System Paused"
        assert phone.invite().status == 503
        assert node.api("sofia profile internal recover") == "No sessions to recover.\n"
        phone.send("OPTIONS")
        assert phone.final().status == 200
        node.api("sofia global standby on")
        phone.send("OPTIONS")
        assert phone.final().status == 503


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(True, "503 Maximum Calls In Progress", id="before 1.11.1"),
        pytest.param(False, "200 OK", id="1.11.1 and later"),
    ],
)
def test_what_a_paused_switch_answers_depends_on_its_release(make_node, asked, status):
    profile = {"name": "internal", "sip_ip": loopback(), "options_503_on_busy": asked}
    node = make_node(profiles=[profile]).start()
    with Phone(node.address) as phone:
        node.api("fsctl pause inbound")
        phone.send("OPTIONS")
        assert phone.receive().start == f"SIP/2.0 {status}"
        node.api("fsctl resume")
        phone.send("OPTIONS")
        assert phone.final().status == 200


def test_a_full_switch_takes_no_call(make_node):
    profile = {"name": "internal", "sip_ip": loopback(), "options_503_on_busy": True}
    node = make_node(profiles=[profile], extra={"max_sessions": 1}).start()
    with Phone(node.address) as phone, Phone(node.address) as late:
        assert phone.invite().status == 200
        assert late.invite().start == "SIP/2.0 503 Maximum Calls In Progress"
        late.send("OPTIONS")
        assert late.final().status == 503


@pytest.mark.parametrize("again", ["rescan", "start"])
def test_a_rescan_puts_a_hot_profile_into_standby_again(make_node, again):
    profile = {"name": "internal", "sip_ip": loopback(), "standby": True}
    node = make_node(profiles=[profile]).start()
    with Phone(node.address) as phone:
        node.api("sofia recover")
        phone.send("OPTIONS")
        assert phone.final().status == 200
        node.api(f"sofia profile internal {again}")
        phone.send("OPTIONS")
        assert phone.final().status == 503


def free_udp() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_refuse_stop_fault(node):
    time.sleep(GUARD)
    node.fault("refuse-stop")
    assert "Please wait 10 seconds" in node.api("sofia profile internal stop")
    node.fault("off")
    assert "stopping: internal" in node.api("sofia profile internal stop")


def test_deaf_fault_shows_in_no_status(node):
    node.fault("deaf")
    with Phone(node.address, timeout=0.3) as phone:
        phone.send("OPTIONS")
        with pytest.raises(TimeoutError):
            phone.receive()
    assert node.listed()


def test_die_on_start_fault(make_node):
    node = make_node()
    node.write_config()
    node.fault("die-on-start")
    node.launch()
    assert node.process.wait(5) == 1
    assert "Error starting system!" in node.log


def test_faults_by_event_socket(node):
    assert node.api("standin fault deaf") == "+OK deaf\n"
    assert node.api("standin fault show") == "+OK deaf\n"
    assert node.api("standin fault nosuch").startswith("-USAGE")
    assert node.api("standin fault off") == "+OK none\n"


def test_new_core_uuid_at_every_start_and_one_copy_only(make_node):
    node = make_node().start()
    first = node.api("global_getvar core_uuid")
    running = node.process
    node.launch()
    assert node.process.wait(5) == 1
    node.process = running
    assert node.end() == 0
    node.start()
    assert node.api("global_getvar core_uuid") != first


@pytest.mark.parametrize("text", ["{", "[]", '{"profiles": [{"name": "x"}]}', '{"nosuch": 1}'])
def test_bad_configuration_is_one_line(make_node, text):
    node = make_node()
    node.write_config()
    (node.directory / "standin.json").write_text(text, encoding="utf-8")
    write, node.write_config = node.write_config, lambda: None
    node.launch()
    assert node.process.wait(5) == 1
    assert len(node.log.splitlines()) == 1
    assert str(node.directory / "standin.json") in node.log
    node.write_config = write
