"""SIP and RTP of the stand-in, recovery, and the ways a switch can end under a call."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time

import pytest

from lab.standin.fsstandin import sip
from tests.unit.standin.harness import GUARD, Phone, eventually, loopback


@pytest.fixture
def sipp() -> str:
    path = shutil.which("sipp")
    assert path, "sipp is not installed: install the package sip-tester (make test does)"
    return path


def test_options_says_which_node_answers(node):
    with Phone(node.address) as phone:
        phone.send("OPTIONS")
        answer = phone.final()
    assert answer.status == 200
    assert answer.get("user-agent") == "FreeSWITCH-standin"
    assert answer.get("x-node") == socket.gethostname()
    assert "INVITE" in answer.get("allow")


def test_options_every_5_ms_lose_nothing(node):
    count = 400
    answered = 0
    with Phone(node.address, timeout=0.001) as phone:
        began = time.monotonic()
        for number in range(count):
            phone.send("OPTIONS", cseq=number + 1)
            while time.monotonic() < began + (number + 1) * 0.005:
                answered += received(phone)
        deadline = time.monotonic() + 2
        while answered < count and time.monotonic() < deadline:
            answered += received(phone)
    assert answered == count


def received(phone: Phone) -> int:
    try:
        return int(phone.receive().status == 200)
    except TimeoutError:
        return 0


def test_call_with_media_and_counts(node):
    with Phone(node.address) as phone:
        answer = phone.invite()
        assert answer.status == 200
        assert b"m=audio" in answer.body
        assert b"RTP/AVP 8" in answer.body
        assert answer.get("contact") == f"<sip:mod_sofia@{node.ip}:5060>"
        assert phone.remote_rtp[0] == node.ip
        assert phone.echoes()
        eventually(lambda: node.rows() == 1, "the recovery row")
        assert "RUNNING (1)" in node.api("sofia status")
        assert node.api("show channels count") == "\n1 total.\n"
        assert '"callstate": "ACTIVE"' in node.api("show calls as json")
        assert phone.bye().status == 200
        eventually(lambda: node.rows() == 0, "the row's end")
        assert "RUNNING (0)" in node.api("sofia status")
        assert phone.bye().status == 481


def test_profile_without_track_calls_writes_no_row(make_node):
    profile = {"name": "internal", "sip_ip": loopback(), "track_calls": False}
    node = make_node(profiles=[profile]).start()
    with Phone(node.address) as phone:
        phone.invite()
        time.sleep(0.3)
        assert node.rows() == 0


def test_200_is_repeated_until_the_ack(node):
    with Phone(node.address) as phone:
        phone.send("INVITE", phone.sdp())
        first, second = phone.final(), phone.final()
        assert first == second
        phone.accept(second)
        phone.socket.settimeout(1.2)
        with pytest.raises(TimeoutError):
            phone.final()


def test_repeated_invite_makes_no_second_call(node):
    with Phone(node.address) as phone:
        phone.invite()
        phone.to = f"<sip:service@{node.ip}>"
        phone.send("INVITE", phone.sdp(), branch=phone.invite_branch)
        assert phone.final().status == 200
        assert "RUNNING (1)" in node.api("sofia status")


def test_reinvite_keeps_the_port(node):
    with Phone(node.address) as phone:
        phone.invite()
        port = phone.remote_rtp
        phone.cseq += 1
        assert phone.invite().status == 200
        assert phone.remote_rtp == port
        assert phone.echoes()


def test_cancel(make_node):
    node = make_node(extra={"answer_after": 5}).start()
    with Phone(node.address) as phone:
        branch = phone.send("INVITE", phone.sdp())
        while phone.receive().status != 180:
            continue
        phone.send("CANCEL", branch=branch)
        finals = [phone.final(), phone.final()]
        assert {(m.cseq[1], m.status) for m in finals} == {("CANCEL", 200), ("INVITE", 487)}
    assert "RUNNING (0)" in node.api("sofia status")


def test_paused_switch_takes_no_call(node):
    node.api("fsctl pause")
    with Phone(node.address) as phone:
        assert phone.invite().status == 503
        phone.send("OPTIONS")
        assert phone.final().status == 200


def test_in_dialog_request_of_an_unknown_call_is_481(node):
    with Phone(node.address) as phone:
        phone.to += ";tag=nosuch"
        assert phone.invite().status == 481


def test_profile_stop_says_bye_and_deletes_rows(node):
    with Phone(node.address) as phone:
        phone.invite()
        eventually(lambda: node.rows() == 1, "the row")
        time.sleep(GUARD)
        node.api("sofia profile internal stop")
        bye = phone.request("BYE")
        assert bye.get("reason") == "Q.850;cause=16"
        assert bye.get("call-id") == phone.call_id
        eventually(lambda: node.rows() == 0, "the row's end")


def test_sigterm_says_bye_and_deletes_rows(node):
    with Phone(node.address) as phone:
        phone.invite()
        eventually(lambda: node.rows() == 1, "the row")
        assert node.end() == 0
        assert "SYSTEM_SHUTDOWN" in phone.request("BYE").get("reason")
        assert node.rows() == 0


@pytest.mark.parametrize(
    ("how", "status"),
    [("fsctl shutdown now", 0), ("fsctl crash", -signal.SIGABRT), ("", -signal.SIGKILL)],
)
def test_hard_ends_keep_rows_and_say_nothing(node, how, status):
    with Phone(node.address, timeout=0.5) as phone:
        phone.invite()
        eventually(lambda: node.rows() == 1, "the row")
        if how:
            assert (node.cli(how, "-t", "0").returncode, node.process.wait(5)) == (0, status)
        else:
            assert node.end(signal.SIGKILL) == status
        assert node.rows() == 1
        with pytest.raises(TimeoutError):
            phone.request("BYE")


def test_call_survives_on_another_switch(make_node):
    """The owner is killed; the other switch takes the rows and the calls go on."""
    a = make_node("a").start()
    b = make_node("b", profiles=a.profiles, recovery_db=a.db)
    with Phone(a.address) as phone:
        phone.invite()
        port = phone.remote_rtp
        eventually(lambda: a.rows() == 1, "the row")
        a.end(signal.SIGKILL)
        b.start()
        eventually(b.listed, "the other profile")
        assert b.api("sofia recover") == "Recovered 1 call(s)\n"
        again = phone.request("INVITE")
        assert again.get("call-id") == phone.call_id
        assert sip.parameter(again.get("to"), "tag") == "phone"
        assert again.get("from") == phone.to
        assert again.get("contact") == f"<sip:mod_sofia@{a.ip}:5060>"
        phone.rtp.settimeout(0.2)
        assert not phone.echoes(b"before the 200")
        phone.rtp.settimeout(5.0)
        phone.respond(again, phone.sdp())
        assert phone.request("ACK").cseq[0] == again.cseq[0]
        phone.learn_media(again.body)
        assert phone.remote_rtp == port
        assert phone.echoes()
        assert b.api("sofia recover") == "No calls to recover.\n"
        eventually(lambda: b.rows() == 1, "the row under the new owner")
        time.sleep(GUARD)
        b.api("sofia profile internal stop")
        assert phone.request("BYE").cseq[0] > again.cseq[0]


def test_recover_repeats_its_invite(make_node):
    a = make_node("a").start()
    b = make_node("b", profiles=a.profiles, recovery_db=a.db)
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        a.end(signal.SIGKILL)
        eventually(b.start().listed, "the other profile")
        b.api("sofia profile internal recover")
        assert phone.request("INVITE").cseq == phone.request("INVITE").cseq


def test_recover_before_running_keeps_the_rows(make_node):
    a = make_node("a").start()
    b = make_node("b", profiles=a.profiles, recovery_db=a.db)
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        b.start()  # its bind fails: the owner lives
        assert not b.listed()
        assert b.api("sofia recover") == "No calls to recover.\n"
        assert b.api("sofia profile internal recover") == "Invalid Profile [internal]"
        assert a.rows() == 1


def test_recover_steals_the_rows_of_a_living_owner(make_node):
    a = make_node("a").start()
    b = make_node("b", recovery_db=a.db).start()
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        assert b.api("sofia recover") == "Recovered 1 call(s)\n"
        assert a.rows() == 0


def test_paused_recover_loses_the_rows(make_node):
    a = make_node("a").start()
    b = make_node("b", recovery_db=a.db).start()
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        b.api("fsctl pause")
        assert b.api("sofia recover") == "No calls to recover.\n"
        assert a.rows() == 0


def test_flush(make_node):
    a = make_node("a").start()
    b = make_node("b", recovery_db=a.db).start()
    with Phone(a.address) as phone:
        phone.invite()
        eventually(lambda: a.rows() == 1, "the row")
        assert b.api("sofia profile internal recover flush") == "Flushing recovery database.\n"
        eventually(lambda: a.rows() == 0, "the flush")


def test_no_database_no_start(make_node):
    node = make_node(extra={"recovery_db": "/nonexistent/recovery.db"})
    node.launch()
    assert node.process.wait(5) == 1
    assert "Error starting system! recovery_db" in node.log


def test_50_concurrent_sipp_calls(node, sipp, tmp_path):
    running = subprocess.Popen(
        [
            *(sipp, "-sn", "uac", f"{node.ip}:5060", "-i", loopback(), "-nostdin"),
            *("-m", "50", "-l", "50", "-r", "100", "-d", "1500"),
            *("-timeout", "20", "-timeout_error"),
        ],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually(lambda: "RUNNING (50)" in node.api("sofia status"), "50 calls at once")
    eventually(lambda: node.rows() == 50, "50 rows")
    assert running.wait(30) == 0, "sipp saw failed calls"
    eventually(lambda: node.rows() == 0, "no row left")


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\r\n\r\n", b"\x00\xff" * 40, b"OPTIONS sip:x SIP/2.0\r\n\r\n", b"INVITE\r\nx\r\n\r\n"],
)
def test_rubbish_is_ignored(shared_node, datagram):
    with Phone(shared_node.address) as phone:
        phone.socket.sendto(datagram, phone.target)
        phone.send("OPTIONS")
        assert phone.final().status == 200


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        ("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bKx", ("192.0.2.1", 5070)),
        ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx", ("192.0.2.1", 5060)),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bKx", ("192.0.2.1", 4000)),
    ],
)
def test_where_responses_go(via, expected):
    assert sip.reply_address(via, ("192.0.2.1", 4000)) == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:a@192.0.2.1:5070;transport=udp", ("192.0.2.1", 5070)),
        ("sip:192.0.2.1", ("192.0.2.1", 5060)),
        ("sip:a@example.org", None),
        ("tel:123", None),
    ],
)
def test_addresses_of_uris(uri, expected):
    assert sip.address_of(uri) == expected


def test_compact_and_folded_headers():
    message = sip.parse(
        b"OPTIONS sip:x SIP/2.0\r\nv: SIP/2.0/UDP 192.0.2.1\r\nf: <sip:a>\r\n ;tag=1\r\n"
        b"t: <sip:b>\r\ni: id\r\nCSeq: 7 OPTIONS\r\n\r\nbody"
    )
    assert (message.get("via"), message.cseq) == ("SIP/2.0/UDP 192.0.2.1", (7, "OPTIONS"))
    assert sip.parameter(message.get("from"), "tag") == "1"
    assert message.body == b"body"
