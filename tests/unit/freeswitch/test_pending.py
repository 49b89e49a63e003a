"""What of a changed configuration waits for a restart, and what a running switch is told."""

import os

import pytest
from lxml import etree

from fshalib.freeswitch import client
from fshalib.freeswitch import pending as fse
from fshalib.freeswitch.pending import Pending, Running
from fshalib.system import programs

CHANGES = {
    "fsha/switch.xml": {"switchname": {}},
    "fsha/sofia.xml": {"auto-restart": {}},
    "fsha/profile_a.xml": {"track-calls": {}},
    "fsha/profile_b.xml": {"sip-ip": {}, "track-calls": {}},
}


def running(core="1", started=100.0, sessions=None, serves=()):
    return Running(core, started, {"a": 0, "b": 2} if sessions is None else sessions, serves)


class Switch:
    """Answers, and remembers what it was asked."""

    def __init__(self, reload="+OK [Success]"):
        self.asked = []
        self.reload = reload

    def __call__(self, command):
        self.asked.append(command)
        return self.reload if command == "reloadxml" else "+OK"


@pytest.fixture(autouse=True)
def stamps(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "STAMPS", (str(tmp_path / "stamps"),))
    (tmp_path / "stamps").mkdir()
    return tmp_path / "stamps"


def test_only_what_does_no_harm_is_taken_up():
    switch = Switch()
    pending = Pending("1").with_changes(CHANGES)
    left, read = fse.take_up(pending, running(), [], ["a", "b", "c"], switch)
    assert switch.asked == ["reloadxml", "sofia profile a rescan"]
    assert read == ("a",)
    assert dict(left.changed) == {
        "fsha/switch.xml": ("switchname",),
        "fsha/profile_b.xml": ("sip-ip", "track-calls"),
    }


@pytest.mark.parametrize(
    ("hot", "serves", "woken"),
    [(["a"], ("a",), True), (["a"], (), False), ([], ("a",), False), (["b"], ("b",), False)],
)
def test_a_hot_profile_that_serves_is_taken_out_of_standby(hot, serves, woken):
    switch = Switch()
    pending = Pending("1").with_changes({"fsha/profile_a.xml": {"track-calls": {}}})
    fse.take_up(pending, running(serves=serves), hot, ["a"], switch)
    assert ("sofia global standby off" in switch.asked) is woken


def test_a_switch_that_refuses_the_files():
    switch = Switch("+OK [[error near line 3]: unexpected closing tag]")
    with pytest.raises(client.SwitchUnreachable, match="error near line 3"):
        fse.take_up(Pending("1").with_changes(CHANGES), running(), [], [], switch)
    assert switch.asked == ["reloadxml"]


def test_what_is_pending_is_kept_while_that_switch_runs(tmp_path):
    path = tmp_path / "kept"
    pending = Pending("1").with_changes(CHANGES)
    fse.save(pending, path)
    assert fse.load(path, running()) == pending == fse.load(path)
    assert fse.load(path, running(core="2")) == Pending("2")
    again = pending.with_changes({"fsha/switch.xml": {"core-db-dsn": {}, "switchname": {}}})
    assert again.changed["fsha/switch.xml"] == ("switchname", "core-db-dsn")
    fse.save(Pending("1"), path)
    assert not path.exists()
    assert fse.load(path, running()) == Pending("1")


def test_a_switch_that_could_not_be_asked_is_known_by_its_start(tmp_path):
    path = tmp_path / "kept"
    pending = Pending("").with_changes(CHANGES)
    fse.save(pending, path)
    before = running(started=pending.at - 5)
    assert fse.load(path, before) == Pending("1", pending.changed, pending.at)
    assert fse.load(path, running(started=pending.at + 5)) == Pending("1")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"core": "1"}', '{"core":"1","changed":[],"at":0}']
)
def test_what_a_crash_left_is_as_nothing(tmp_path, text):
    path = tmp_path / "kept"
    path.write_text(text, encoding="utf-8")
    assert fse.load(path, running()) == Pending("1")


def test_a_profile_that_was_started_since_has_read_it(stamps):
    pending = Pending("1").with_changes(CHANGES)
    assert fse.current(pending, running()) == pending
    assert "fsha/profile_b.xml" not in fse.current(pending, running(sessions={"a": 0})).changed
    stamp = stamps / "b"
    stamp.write_text("1\n", encoding="ascii")
    os.utime(stamp, (pending.at - 9, pending.at - 9))
    assert "fsha/profile_b.xml" in fse.current(pending, running()).changed
    os.utime(stamp, (pending.at + 9, pending.at + 9))
    assert "fsha/profile_b.xml" not in fse.current(pending, running()).changed


def test_in_words():
    assert fse.told({"": ["switchname"], "a": ["sip-ip"]}) == "switchname, sip-ip of a"


def test_the_group_of_a_running_switch():
    def said(out, code=0):
        return lambda argv, **_: programs.Completed(tuple(argv), code, out, "", 0.0)

    assert client.group_of("freeswitch", said(f"{os.getpid()}\n")) == os.getegid()
    assert client.group_of("freeswitch", said("0\n")) is None
    assert client.group_of("freeswitch", said("", 1)) is None
    assert client.group_of("freeswitch", said("999999999\n")) is None


def told_to(commands, fails=""):
    def run(argv, **_):
        commands.append(" ".join(argv))
        code = 124 if fails and fails in commands[-1] else 0
        return programs.Completed(tuple(argv), code, "", "", 0.0)

    return run


def test_the_cluster_restarts_what_it_runs():
    commands = []
    fse.restart_by_cluster("fs1", 60, told_to(commands))
    assert commands == [
        "attrd_updater --name standby --update on --node fs1",
        "crm_resource --wait --timeout=60s",
        "attrd_updater --name standby --delete --node fs1",
        "crm_resource --wait --timeout=60s",
    ]


def test_a_standby_is_lifted_whatever_happens():
    commands = []
    with pytest.raises(programs.RunError):
        fse.restart_by_cluster("fs1", 1, told_to(commands, fails="--wait"))
    assert commands[-1] == "attrd_updater --name standby --delete --node fs1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<primitive class="systemd" type="freeswitch"/>', True),
        ('<clone><primitive class="service" type="freeswitch"/></clone>', True),
        ('<primitive class="systemd" type="freeswitch.service"/>', True),
        ('<primitive class="lsb" type="freeswitch"/>', True),
        ('<template id="t" class="systemd" type="freeswitch"/><primitive template="t"/>', True),
        ('<primitive class="systemd" type="other"/>', False),
        ('<primitive class="ocf" type="freeswitch"/>', False),
    ],
)
def test_who_runs_the_switch(text, expected):
    assert fse.is_in(etree.fromstring(f"<cib>{text}</cib>"), "freeswitch") is expected
