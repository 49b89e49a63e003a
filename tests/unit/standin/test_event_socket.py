"""The Event Socket and fs_cli, against the measured exit codes and texts."""

from __future__ import annotations

import signal
import socket
import subprocess
import time

import pytest

from lab.standin.fsstandin.cli import Settings, parse_config
from tests.unit.standin.harness import STANDIN, eventually


def exchange(node, *requests: bytes) -> bytes:
    """Send requests one by one and return all that came until the switch was silent or closed."""
    received = b""
    with socket.create_connection(("127.0.0.1", node.port), 2) as connection:
        connection.settimeout(0.3)
        for request in (b"", *requests):
            connection.sendall(request)
            try:
                while data := connection.recv(65536):
                    received += data
            except TimeoutError:
                continue
            break
    return received


def test_protocol(node):
    said = exchange(node, b"auth pass word;1\n\n", b"api hostname\n\n", b"nosuch\n\n", b"exit\n\n")
    hostname = socket.gethostname()
    assert said.decode() == (
        "Content-Type: auth/request\n\n"
        "Content-Type: command/reply\nReply-Text: +OK accepted\n\n"
        f"Content-Type: api/response\nContent-Length: {len(hostname)}\n\n{hostname}"
        "Content-Type: command/reply\nReply-Text: -ERR command not found\n\n"
        "Content-Type: command/reply\nReply-Text: +OK bye\n\n"
    )


def test_wrong_password_is_refused_and_disconnected(node):
    said = exchange(node, b"auth wrong\n\n", b"api hostname\n\n")
    assert said.endswith(b"Content-Type: command/reply\nReply-Text: -ERR invalid\n\n")


def test_nothing_works_before_auth(node):
    assert b"-ERR command not found" in exchange(node, b"api hostname\n\n")


def test_bgapi_answers_with_a_job(node):
    assert b"+OK Job-UUID: " in exchange(node, b"auth pass word;1\n\n", b"bgapi status\n\n")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("nosuch thing", "-ERR nosuch thing Command not found!\n"),
        ("sofia nosuch", "Unknown Command [nosuch]\n"),
        ("sofia profile internal nosuch", "-ERR Unknown command!\n"),
        ("sofia status profile nosuch", "Invalid Profile!\n"),
        ("sofia xmlstatus profile nosuch", "Invalid Profile!\n"),
        ("sofia profile nosuch start", "Reload XML [Success]\nFailure starting nosuch\n"),
        ("sofia profile nosuch stop", "Invalid Profile [nosuch]"),
        (
            "sofia profile internal start",
            "Reload XML [Success]\ninternal started successfully\n",
        ),
        ("sofia profile internal rescan", "Reload XML [Success]\n+OK scan complete\n"),
        ("sofia recover", "No calls to recover.\n"),
        ("sofia profile internal recover", "No sessions to recover.\n"),
        ("sofia global standby on", "+OK Global standby on"),
        ("reloadxml", "+OK [Success]\n"),
        ("global_getvar switchname", "voice"),
        ("global_getvar nosuch", "-ERR no reply\n"),
        ("fsctl ready_check", "true"),
        ("fsctl pause_check", "false"),
        ("fsctl shutdown_check", "false"),
        ("show calls count", "\n0 total.\n"),
        ("show channels as json", '{"row_count": 0}\n'),
        ("show channels as xml", '<result row_count="0" />\n'),
    ],
)
def test_replies_have_exit_code_zero(shared_node, command, expected):
    done = shared_node.cli(command)
    assert (done.returncode, done.stdout) == (0, expected + "\n")


def test_status_of_a_running_profile(node):
    url = f"sip:mod_sofia@{node.ip}:5060"
    listing = node.api("sofia status").splitlines()
    assert listing[2].split("\t")[0].strip() == "internal"
    assert listing[2].endswith(f"{url}\tRUNNING (0)")
    assert listing[-1] == "1 profile 0 aliases"
    assert f"<data>{url}</data>\n<state>RUNNING (0)</state>" in node.api("sofia xmlstatus")
    assert "RUNNING" not in node.api("sofia status profile internal")
    assert f"SIP-IP           \t{node.ip}\n" in node.api("sofia status profile internal")
    assert f"<sip-ip>{node.ip}</sip-ip>" in node.api("sofia xmlstatus profile internal")


def test_pause_is_seen_and_undone(node):
    node.api("fsctl pause inbound")
    checks = [f"fsctl pause_check {kind}".strip() for kind in ("", "inbound", "outbound")]
    assert [node.api(check) for check in checks] == ["false", "true", "false"]
    node.api("fsctl resume")
    assert [node.api(check) for check in checks] == ["false", "false", "false"]


def test_no_connection_is_255(make_node):
    node = make_node()
    node.write_config()
    done = node.cli("status")
    assert (done.returncode, done.stdout) == (255, "")
    assert "Error Connecting []" in done.stderr


def test_starting_looks_like_stopped(make_node):
    node = make_node(scale=0.5)
    node.launch()
    assert node.cli("status").returncode == 255
    eventually(node.listening, "the Event Socket")


def test_refused_password_is_255_and_only_the_trace_shows_it(node):
    done = node.cli("status", "-p", "wrong")
    assert (done.returncode, done.stderr) == (
        255,
        "[ERROR] fs_cli.c:1699 main() Error Connecting []\n",
    )
    assert "RECV HEADER [Reply-Text] = [-ERR invalid]" in (
        node.cli("status", "-p", "wrong", "-d", "7").stderr
    )


def test_reply_timeout_is_254(node):
    began = time.monotonic()
    done = node.cli("msleep 3000", "-t", "200")
    assert (done.returncode, done.stdout) == (254, "Request timed out.\n")
    assert time.monotonic() - began < 2


def test_frozen_switch_hangs_fs_cli_unless_told(node):
    node.process.send_signal(signal.SIGSTOP)
    assert node.cli("status", "-T", "200").returncode == 255
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [STANDIN / "fs_cli", "-P", str(node.port), "-p", "x", "-t", "100", "-x", "status"],
            timeout=1,
            check=False,
        )


def test_hung_event_socket_by_fault_and_back(node):
    node.fault("hang-esl")
    assert node.cli("status", "-T", "200").returncode == 255
    node.fault("off")
    assert node.cli("status").returncode == 0


def test_configuration_file_of_fs_cli(node, tmp_path):
    (tmp_path / ".fs_cli_conf").write_text(
        f"# comment\n[other]\nport = 1\n[default]\nhost = 127.0.0.1\n"
        f"port => {node.port}\npassword =   {node.password}\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [STANDIN / "fs_cli", "-T", "1000", "-x", "fsctl ready_check"],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "true\n")


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("password = a;b", "a;b"),
        ("password = a;;b", "a"),
        ("password =   a b ", "a b "),
        ("password = a=b", "a=b"),
        ("password =>a", "a"),
        ("; password = a", "ClueCon"),
    ],
)
def test_configuration_lines_are_read_as_fs_cli_reads_them(line, password):
    parsed = parse_config(f"[default]\nport = 8021\n{line}\ntimeout = 7\n")
    assert parsed.profiles["default"] == Settings(password=password)
    assert parsed.timeout == 7


def test_in_the_background_it_is_ready_when_its_parent_ends(make_node):
    node = make_node()
    node.write_config()
    argv = [str(STANDIN / "freeswitch"), "-nonat", "-ncwait"]
    with (node.directory / "log").open("ab") as log:
        done = subprocess.run(
            argv, env=node.environment, stdout=log, stderr=log, timeout=30, check=False
        )
        assert done.returncode == 0
        assert node.api("fsctl ready_check") == "true"
    node.api("fsctl shutdown")


def test_in_the_background_a_start_that_fails_is_told(make_node):
    node = make_node()
    node.write_config()
    (node.directory / "faults").write_text("die-on-start\n", encoding="utf-8")
    argv = [str(STANDIN / "freeswitch"), "-nonat", "-ncwait"]
    done = subprocess.run(
        argv, env=node.environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert "die-on-start" in done.stderr
