"""Programs are run without a shell, bounded, and what they say is data."""

import os
import socket
import struct
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fshalib.system import icmp, programs
from fshalib.system import sip as system_sip

PYTHON = sys.executable


def python(code, **rest):
    return programs.run([PYTHON, "-c", code], **rest)


def test_what_a_program_says_is_returned_whatever_its_exit_code():
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert (done.code, done.out, done.err) == (7, "out\n", "err\n")
    assert done.argv[0] == PYTHON
    assert done.seconds > 0


@pytest.mark.parametrize("text", ["", "<cib/>", "電話\n\0", "a" * 200_000])
def test_standard_input_arrives_as_it_is(text):
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert python(code, stdin=text).out == text
    assert python(code, stdin=text.encode()).out == text


def test_without_input_the_input_is_empty():
    assert python("import sys; print(len(sys.stdin.read()))").out == "0\n"


def test_arguments_are_no_shells_business(tmp_path):
    hostile = f"; touch {tmp_path}/x $(touch {tmp_path}/y) 'a\" *"
    done = programs.run([PYTHON, "-c", "import sys; print(sys.argv[1])", hostile])
    assert done.out == hostile + "\n"
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_text_do_not_break_it():
    assert python("import sys; sys.stdout.buffer.write(b'\\xff')").out == "\udcff"


def test_messages_are_in_one_language_and_variables_can_be_added(monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("CIB_file", "/some/cib.xml")
    code = "import os; print(os.environ['LC_ALL'], os.environ['CIB_file'], os.environ['MORE'])"
    assert python(code, env={"MORE": "yes"}).out == "C /some/cib.xml yes\n"


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(programs.ToolMissing) as caught:
        programs.run(["no-such-tool", "--help"])
    assert caught.value.program == "no-such-tool"
    assert str(caught.value) == "no-such-tool is not installed on this node."


def test_administrators_programs_are_found_without_their_path(monkeypatch, tmp_path):
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\necho found\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setattr(programs, "SBIN", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    assert programs.run(["tool"]).out == "found\n"


def test_a_program_that_hangs_is_ended(tmp_path):
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(programs.ToolTimeout) as caught:
        python(code, timeout=2.0)
    assert time.monotonic() - begun < 20
    assert caught.value.seconds == 2.0
    assert "did not answer within 2 s" in str(caught.value)
    assert _gone(int(pid.read_text(encoding="utf-8")))


def test_the_children_of_a_program_that_hangs_are_ended_too(tmp_path):
    pid = tmp_path / "pid"
    child = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    begun = time.monotonic()
    with pytest.raises(programs.ToolTimeout):
        python(code, timeout=3.0)
    assert time.monotonic() - begun < 30
    assert _gone(int(pid.read_text(encoding="utf-8")))


def _gone(pid):
    """Tell whether a process has ended (init may still have to reap it)."""
    for _ in range(100):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except FileNotFoundError:
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_check_takes_only_the_codes_it_is_given():
    argv = [PYTHON, "-c", "import sys; sys.stderr.write('one\\nlast words\\n'); sys.exit(3)"]
    assert programs.check(argv, allowed=(0, 3)).code == 3
    with pytest.raises(programs.ToolFailed) as caught:
        programs.check(argv)
    assert caught.value.completed.code == 3
    assert str(caught.value).endswith("failed (exit code 3): last words")


def test_a_program_that_fails_in_silence_is_still_one_sentence():
    with pytest.raises(programs.ToolFailed, match=r"failed \(exit code 9\)\.$"):
        programs.check([PYTHON, "-c", "raise SystemExit(9)"])


# --- SIP OPTIONS -----------------------------------------------------------------------------


@pytest.fixture(params=[(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["v4", "v6"])
def sip(request):
    """A SIP server that answers one request; returns its address, port and what it was asked."""
    family, host = request.param
    asked = []
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        try:
            server.bind((host, 0))
        except OSError as error:
            if family == socket.AF_INET:
                raise
            # A machine may have been set up without IPv6; the IPv4 half always runs.
            pytest.skip(f"{host} can't be used on this machine: {error}")
        server.settimeout(10)

        def answer():
            data, peer = server.recvfrom(65535)
            asked.append(data.decode("ascii"))
            server.sendto(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", peer)

        thread = threading.Thread(target=answer)
        thread.start()
        yield host, server.getsockname()[1], asked
        thread.join()


@pytest.mark.parametrize(
    ("line", "serves"),
    [
        ("SIP/2.0 200 OK", True),
        ("SIP/2.0 202 Accepted", True),
        # Before FreeSWITCH 1.11.1: in a drain, at max-sessions, with a long queue. Its calls go on.
        ("SIP/2.0 503 Maximum Calls In Progress", True),
        ("SIP/2.0 503 System Busy", True),
        ("SIP/2.0 503 System Paused", False),
        ("SIP/2.0 404 Not Found", False),
        ("", False),
    ],
)
def test_who_serves_by_the_answer_to_options(line, serves):
    assert system_sip.serves(line) is serves


def test_a_sip_server_is_asked_for_its_options(sip):
    host, port, asked = sip
    assert system_sip.sip_options(host, port, timeout=10) == "SIP/2.0 200 OK"
    (text,) = asked
    shown = f"[{host}]" if ":" in host else host
    assert text.startswith(f"OPTIONS sip:ping@{shown} SIP/2.0\r\nVia: SIP/2.0/UDP {shown};rport")
    assert text.endswith("Content-Length: 0\r\n\r\n")


def test_silence_is_no_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        assert system_sip.sip_options("127.0.0.1", deaf.getsockname()[1], timeout=0.05) == ""


def test_nobody_there_is_no_answer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    assert system_sip.sip_options("127.0.0.1", port, timeout=1.0) == ""


# --- another host's clock --------------------------------------------------------------------


def reply(mark, came, left, kind=14, options=0):
    header = bytes([0x45 + options]) + bytes(19 + 4 * options)
    return header + icmp.ICMP.pack(kind, 0, 0, mark, 1, 5000, came, left)


def test_a_request_has_the_internet_checksum():
    words = struct.unpack("!10H", icmp.icmp_timestamp(0xBEEF, 86_399_999))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # RFC 1071: the sum over all of it, its own checksum included


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (reply(7, 10, 12), (10, 12)),
        (reply(7, 10, 12, options=2), (10, 12)),
        (reply(8, 10, 12), None),
        (reply(7, 10, 12, kind=0), None),
        (reply(7, 0x8000_0000, 12), None),
        (reply(7, 10, 12)[:-4], None),
        (b"", None),
    ],
)
def test_an_answer_is_told_from_other_packets(packet, expected):
    assert icmp.parse_icmp_timestamp(packet, 7) == expected


@given(st.binary(max_size=60))
def test_no_packet_breaks_the_parser(packet):
    icmp.parse_icmp_timestamp(packet, 7)


@given(
    asked=st.integers(0, icmp.DAY_MS - 1),
    ahead=st.integers(-3_600_000, 3_600_000),
    there=st.integers(0, 50),
    stay=st.integers(0, 5),
    back=st.integers(0, 50),
)
def test_the_offset_is_right_within_what_it_says(asked, ahead, there, stay, back):
    day = icmp.DAY_MS
    came, left = ((asked + ahead + there + more) % day for more in (0, stay))
    found = icmp.clock_answer(asked, there + stay + back, came, left)
    assert abs(found.ahead - ahead / 1000) <= found.within


@pytest.mark.skipif(os.geteuid() != 0, reason="a raw socket is for root")
def test_this_hosts_own_clock_is_in_step():
    found = icmp.ask_clock("127.0.0.1", 5)
    assert abs(found.ahead) <= found.within + 0.002


def test_nobody_answers_for_a_clock():
    begun = time.monotonic()
    assert icmp.ask_clock("240.0.0.1", 0.1) is None  # reserved: nobody is there
    assert time.monotonic() - begun < 5
