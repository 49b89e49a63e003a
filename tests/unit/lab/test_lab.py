"""Names, identities, faults, Salt's output and the command line."""

import json

import pytest

from lab import Lab, cli
from lab.core import Faults, Setup, _check_same, _checked_prefix
from lab.errors import LabError, LabTimeoutError
from lab.identity import PASSWORD_FILE, Identity, machine_id
from lab.net import loss_rules
from lab.progress import Progress
from lab.saltbus import arguments, first_json_object
from lab.settings import NODES, OUTSIDE, VIP


@pytest.fixture
def lab():
    return Lab("no-such-lab", progress=Progress(quiet=True))


def test_the_name_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("FSHA_LAB", "mine")
    assert Lab().name == "mine"
    monkeypatch.delenv("FSHA_LAB")
    assert Lab().name == "fsha"


@pytest.mark.parametrize("name", ["A", "a b", "../x", "-a", "a-", "a.b", "x" * 25])
def test_names_that_could_do_harm_are_refused(name):
    with pytest.raises(LabError, match="can't be a lab's name"):
        Lab(name)


def test_a_lab_that_is_down_says_so(lab):
    assert lab.status() == {"lab": "no-such-lab", "up": False, "leftovers": []}
    assert lab.vip_holders() == []
    node = lab.nodes["freeswitch-dev"]
    assert node.running is False
    for call in (
        lambda: node.run(["true"]),
        lab.reset,
        node.power_off,
        node.boot,
        lab.partition,
        lambda: lab.link_down(node),
    ):
        with pytest.raises(LabError, match="no-such-lab is not up"):
            call()


def test_unknown_machines_and_links_are_named(lab):
    with pytest.raises(LabError, match="freeswitch-dev, ubuntu-v20z"):
        lab.node("nobody")
    with pytest.raises(LabError, match="only nodes"):
        lab.link_down("outside")
    with pytest.raises(LabError, match="no link 2"):
        lab.link_down("ubuntu-v20z", 2)
    with pytest.raises(LabError, match="0 to 100"):
        lab.loss("ubuntu-v20z", 0, 101)


def test_wait_returns_the_value_or_says_what_was_missing(lab):
    values = iter([0, "", "found"])
    assert lab.wait(lambda: next(values), 5, "it", interval=0) == "found"
    with pytest.raises(LabTimeoutError, match="waited 0 s for the moon"):
        lab.wait(lambda: False, 0, "the moon", interval=0)


def test_faults_survive_their_file():
    faults = Faults(down={("a", 0)}, partition=True, loss={("b", 1): 12.5}, delay={("b", 1): 3.0})
    assert Faults.from_json(faults.to_json()) == faults
    assert Faults.from_json(Faults().to_json()) == Faults()


def test_loss_rules_drop_both_ways_and_start_from_nothing():
    rules = loss_rules([("port1-0", 12.5), ("port2-0", 0)])
    assert "delete table netdev fsha_lab_loss" in rules
    assert rules.count("numgen random mod 1000 < 125 drop") == 2
    assert 'hook egress device "port1-0"' in rules
    assert "port2-0" not in rules
    assert "chain" not in loss_rules([])


IDENTITY = Identity("one", "geheim")


def test_a_node_knows_its_name_before_it_boots():
    files = IDENTITY.files(NODES[0])
    assert files["etc/hostname"] == ("freeswitch-dev\n", 0o644)
    assert files["etc/salt/minion_id"][0] == "freeswitch-dev\n"
    assert files["etc/lab-addresses"][0] == "eth0 10.101.20.110/24\neth1 10.101.21.110/24\n"
    assert "127.0.1.1\tfreeswitch-dev" in files["etc/hosts"][0]


def test_the_password_is_in_one_file_for_root_alone():
    holders = {path: mode for path, (text, mode) in IDENTITY.files(NODES[1]).items()
               if "geheim" in text}  # fmt: skip
    assert holders == {PASSWORD_FILE.lstrip("/"): 0o400}
    assert not [text for text, _ in IDENTITY.files(OUTSIDE).values() if "geheim" in text]


def test_the_standin_listens_on_the_vip():
    settings = json.loads(IDENTITY.files(NODES[0])["etc/freeswitch/standin.json"][0])
    assert settings["profiles"] == [{"name": "internal", "sip_ip": VIP, "sip_port": 5060}]
    assert settings["event_socket"]["password_file"] == PASSWORD_FILE


def test_only_the_outside_runs_the_master():
    outside = IDENTITY.links(OUTSIDE)
    node = IDENTITY.links(NODES[0])
    assert any("salt-master" in path for path in outside)
    assert not any("salt-minion" in path for path in outside)
    assert any("salt-minion" in path for path in node)
    assert not any("salt-master" in path for path in node)


def test_a_real_freeswitch_takes_the_standins_place(tmp_path):
    identity = Identity("one", "x", freeswitch=tmp_path)
    files, links = identity.files(NODES[0]), identity.links(NODES[0])
    assert f"{tmp_path}/bin/freeswitch" in files["etc/systemd/system/freeswitch.service"][0]
    assert "etc/freeswitch/standin.json" not in files
    assert links["usr/bin/fs_cli"] == f"{tmp_path}/bin/fs_cli"


def test_a_database_is_told_to_those_who_need_it_and_its_password_to_nobody_else():
    identity = Identity("one", "geheim", database_password="abc123")
    node, outside = identity.files(NODES[0]), identity.files(OUTSIDE)
    assert node["etc/freeswitch/recovery_db.pgpass"] == (
        "10.101.20.1:5432:freeswitch:freeswitch:abc123\n", 0o600,
    )  # fmt: skip
    told = json.loads(node["etc/freeswitch/standin.json"][0])["recovery_db"]
    assert told.startswith("postgresql://freeswitch@10.101.20.1:5432/")
    others = [text for path, (text, _) in {**node, **outside}.items() if "pgpass" not in path]
    assert not any("abc123" in text for text in others)
    wanted = "etc/systemd/system/multi-user.target.wants/postgresql.service"
    assert wanted in identity.links(OUTSIDE)
    assert wanted not in {**IDENTITY.links(OUTSIDE), **identity.links(NODES[0])}
    assert "postgresql" not in str(IDENTITY.files(NODES[0]))


def test_identity_is_written_with_its_modes(tmp_path):
    IDENTITY.write(tmp_path, NODES[0])
    password = tmp_path / PASSWORD_FILE.lstrip("/")
    assert password.stat().st_mode & 0o777 == 0o400
    assert (
        tmp_path / "etc/systemd/system/multi-user.target.wants/salt-minion.service"
    ).is_symlink()


def test_machine_ids_differ_and_last():
    ids = {machine_id(lab, name) for lab in ("a", "b") for name in ("x", "y")}
    assert len(ids) == 4
    assert all(len(item) == 32 for item in ids)
    assert machine_id("a", "x") in ids


SETUP = Setup(release="bookworm", freeswitch=None, password="x", layers={})


def test_another_release_needs_a_new_lab():
    _check_same(SETUP, None, None)
    _check_same(SETUP, "bookworm", None)
    with pytest.raises(LabError, match="--fresh"):
        _check_same(SETUP, "trixie", None)


def test_a_freeswitch_prefix_is_checked_first(tmp_path):
    assert _checked_prefix(None) is None
    with pytest.raises(LabError, match="no bin/freeswitch"):
        _checked_prefix(tmp_path)


def test_salt_arguments_are_text_or_json():
    assert arguments(["fsha", 3, True], {"test": True, "pillar": {"a": [1]}, "name": "x"}) == [
        "fsha", "3", "true", "test=true", 'pillar={"a": [1]}', "name=x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"local": true}', {"local": True}),
        (
            '/x.py:1: DeprecationWarning: {old}\n{"a": {"b": 1}}\nTask was destroyed\n',
            {"a": {"b": 1}},
        ),
        ('{broken\n{\n  "a": 1\n}\n', {"a": 1}),
        ("No minions matched the target.", None),
        ("", None),
    ],
)
def test_salts_json_is_found_among_noise(text, expected):
    assert first_json_object(text) == expected


STATUS = {
    "lab": "one",
    "up": False,
    "release": "trixie",
    "freeswitch": "stand-in",
    "vip": {"address": VIP, "holders": ["ubuntu-v20z"]},
    "machines": {
        "freeswitch-dev": {"power": "off"},
        "ubuntu-v20z": {
            "power": "on",
            "leader": 7,
            "memory_mib": 99,
            "addresses": {"eth0": ["10.101.20.220", VIP]},
            "links": {"eth0": "down"},
            "units": {"pacemaker": "active"},
        },
    },
    "faults": json.loads(Faults(down={("ubuntu-v20z", 0)}, loss={("ubuntu-v20z", 1): 5}).to_json()),
}


def test_the_status_screen_says_who_holds_the_vip():
    screen = cli.status_screen(STATUS)
    assert f"VIP {VIP}: ubuntu-v20z" in screen
    assert "freeswitch-dev: off" in screen
    assert "cable down" in screen
    assert "link 0 is out" in screen
    assert "loses 5 %" in screen


def test_the_status_of_no_lab_names_what_is_left():
    screen = cli.status_screen({"lab": "one", "up": False, "leftovers": ["process 7"]})
    assert "is down, but there is still" in screen
    assert "process 7" in screen


@pytest.mark.parametrize(
    "line",
    [
        "up --release trixie --freeswitch /opt/x --fresh",
        "down",
        "status --json",
        "exec freeswitch-dev crm_mon -1",
        "shell outside",
        "pillar --example",
        "pillar examples/article.sls",
        "reset",
        "reset ubuntu-v20z",
        "kill ubuntu-v20z corosync",
        "power off ubuntu-v20z",
        "link down ubuntu-v20z 1",
        "loss ubuntu-v20z 0 12.5 --delay 20",
        "partition",
        "heal",
        "probe --seconds 3 --interval-ms 10 --json",
        "prune",
        "doctor",
        "install-host-packages",
    ],
)
def test_every_command_is_understood(line):
    assert callable(cli.parser().parse_args(["--lab", "x", *line.split()]).run)


def test_an_exec_command_keeps_its_own_options():
    options = cli.parser().parse_args(["exec", "outside", "salt", "*", "test.ping", "--json"])
    assert options.command == ["salt", "*", "test.ping", "--json"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--lab A status", "can't be a lab's name"),
        ("--lab no-such-lab exec outside true", "is not up"),
        ("--lab no-such-lab exec outside", "needs a command"),
        ("--lab no-such-lab pillar", "FILE or --example"),
        ("--lab no-such-lab pillar x --example", "FILE or --example"),
        ("--lab no-such-lab power off ubuntu-v20z", "is not up"),
    ],
)
def test_a_mistake_gets_one_sentence_and_a_bad_exit_code(line, said, capsys):
    assert cli.main(line.split()) == cli.EXIT_FAILED
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_progress_is_plain_when_not_on_a_terminal(capsys):
    Progress()("nodes", "booting")
    line = capsys.readouterr().err
    assert line.endswith("s] nodes: booting\n")
    assert "\x1b" not in line
