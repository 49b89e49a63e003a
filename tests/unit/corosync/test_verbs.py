"""The execution module, with corosync's tools played by their recorded output."""

import os
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError

from fshalib.corosync import authkey, build, parser
from fshalib.corosync import conf as fc
from fshalib.system import programs

KEY = bytes(range(256))
WANTED = build.from_settings(
    "voice",
    (
        build.RingNode("freeswitch-dev", 1, ("10.101.20.110", "10.101.21.110")),
        build.RingNode("ubuntu-v20z", 2, ("10.101.20.220", "10.101.21.220")),
    ),
    totem={"token": 1500},
    links=[{"link_priority": 2}, {"link_priority": 1}],
)
GHOST = (
    '<cib><configuration><nodes><node id="1" uname="node1"/></nodes><resources/>'
    "</configuration></cib>"
)


@pytest.fixture
def verbs(load, tools, tmp_path, monkeypatch):
    """The module on a node of its own: its files under tmp_path, Pacemaker stopped."""
    verbs = load("_modules", "corosync")
    for name in ("cib", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "authkey").write_bytes(KEY)
    (tmp_path / "pid").write_text("1")
    os.utime(tmp_path / "authkey", (1000, 1000))
    os.utime(tmp_path / "pid", (2000, 2000))
    monkeypatch.setattr(verbs.module, "CIB_DIRECTORY", str(tmp_path / "cib"))
    monkeypatch.setattr(verbs.module, "STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr(verbs.module, "PIDFILE", str(tmp_path / "pid"))
    monkeypatch.setattr(verbs.module, "AUTHKEY", str(tmp_path / "authkey"))
    monkeypatch.setattr(programs, "run", tools)
    pacemaker = {"runs": False}
    verbs.salt["service.status"] = lambda _service: pacemaker["runs"]
    verbs.__dict__["pacemaker"] = pacemaker
    verbs.__dict__["key"] = str(tmp_path / "authkey")
    return verbs


def _render(**settings):
    base = {
        "cluster_name": "voice",
        "nodes": fc.nodes_of(WANTED),
        "totem": {"token": 1500},
        "links": [{"link_priority": 2}, {"link_priority": 1}],
    }
    return parser.render(build.from_settings(**{**base, **settings}))


SAME = parser.render(WANTED)
RELOAD = _render(totem={"token": 3000})
RESTART = _render(crypto={"cipher": "aes128", "hash": "sha1"})


class TestPending:
    def test_nothing_where_the_running_values_are_the_wanted_ones(self, verbs, tools):
        tools.running("knet-ok")
        found = verbs.pending(text=SAME, authkey=verbs.key)
        assert (found["running"], found["class"], found["changes"]) == (True, "none", {})
        assert [node["name"] for node in found["nodes"]] == ["freeswitch-dev", "ubuntu-v20z"]

    @pytest.mark.parametrize(("text", "kind"), [(RELOAD, "reload"), (RESTART, "restart")])
    def test_the_class_follows_the_keys(self, verbs, tools, text, kind):
        tools.running("knet-ok")
        assert verbs.pending(text=text, authkey=verbs.key)["class"] == kind

    def test_a_stopped_corosync_has_nothing_pending(self, verbs, tools):
        tools.stopped()
        found = verbs.pending(text=SAME)
        assert (found["running"], found["changes"]) == (False, {})

    def test_a_missing_file_is_an_error(self, verbs, tmp_path):
        with pytest.raises(CommandExecutionError, match="does not exist"):
            verbs.pending(str(tmp_path / "none"))


class TestKeyInUse:
    def test_a_key_changed_after_the_start_needs_a_restart(self, verbs, tools):
        tools.running("knet-ok")
        os.utime(verbs.key, (3000, 3000))
        assert verbs.pending(text=SAME, authkey=verbs.key)["restart_paths"] == ["authkey"]

    def test_unless_corosync_remembers_that_it_is_the_same(self, verbs, tools):
        tools.running("knet-ok")
        answer = tools.answers[("corosync-cmapctl",)]
        answer.out += f"fsha.authkey (str) = {authkey.fingerprint(KEY)}\n"
        os.utime(verbs.key, (3000, 3000))
        assert verbs.pending(text=SAME, authkey=verbs.key)["class"] == "none"
        Path(verbs.key).write_bytes(KEY[::-1])
        assert verbs.pending(text=SAME, authkey=verbs.key)["class"] == "restart"

    def test_a_key_that_a_test_run_would_write_counts_instead_of_the_file(self, verbs, tools):
        tools.running("knet-ok")
        other = authkey.fingerprint(KEY[::-1])
        assert verbs.pending(text=SAME, authkey=verbs.key, fingerprint=other)["class"] == "restart"

    def test_it_is_noted_through_standard_input_and_only_when_certain(self, verbs, tools):
        tools.running("knet-ok")
        tools.say(["corosync-cmapctl", "-p", "/dev/stdin"])
        assert verbs.note_key(verbs.key) is True
        argv, stdin = tools.calls[-1]
        print_ = authkey.fingerprint(KEY)
        assert stdin == f"fsha.authkey str {print_}\n"
        assert print_ not in " ".join(argv)
        os.utime(verbs.key, (3000, 3000))
        assert verbs.note_key(verbs.key) is False


class TestGuard:
    def test_a_reload_is_never_refused(self, verbs, tools):
        tools.running("knet-ok")
        verbs.pacemaker["runs"] = True
        assert verbs.guard(text=RELOAD) == ""

    def test_a_restart_is_refused_while_pacemaker_runs(self, verbs, tools):
        tools.running("knet-ok")
        assert verbs.guard(text=RESTART) == ""
        verbs.pacemaker["runs"] = True
        said = verbs.guard(text=RESTART)
        assert "totem.crypto_cipher, totem.crypto_hash" in said
        assert "allow_restart: true" in said
        assert verbs.guard(text=RESTART, allow_restart=True) == ""

    def test_the_packages_cluster_is_not_spared_unless_it_holds_resources(
        self, verbs, tools, tmp_path
    ):
        cmap = (
            "nodelist.node.0.name (str) = node1\nnodelist.node.0.nodeid (u32) = 1\n"
            "nodelist.node.0.ring0_addr (str) = 127.0.0.1\n"
        )
        tools.say(["corosync-cmapctl"], cmap)
        verbs.pacemaker["runs"] = True
        cib = tmp_path / "cib" / "cib.xml"
        cib.write_text(GHOST)
        assert verbs.pending(text=SAME)["default"] is True
        assert verbs.guard(text=SAME) == ""
        cib.write_text(GHOST.replace("<resources/>", '<resources><primitive id="a"/></resources>'))
        assert "restart" in verbs.guard(text=SAME)

    def test_another_key_is_refused_while_pacemaker_runs(self, verbs, tools):
        tools.running("knet-ok")
        other = authkey.fingerprint(KEY[::-1])
        assert verbs.guard_key(other, verbs.key) == ""
        verbs.pacemaker["runs"] = True
        assert "refused" in verbs.guard_key(other, verbs.key)
        assert verbs.guard_key(other, verbs.key, allow_restart=True) == ""
        os.utime(verbs.key, (3000, 3000))
        assert verbs.guard_key(other, verbs.key) == ""


class TestGhost:
    def test_the_old_name_is_the_same_verb(self, verbs):
        assert verbs.ghost is verbs.packaged_cluster

    def test_its_files_are_removed_and_no_others(self, verbs, tools, tmp_path):
        tools.stopped()
        (tmp_path / "conf").write_text(SAME)
        for name in ("cib/cib.xml", "cib/cib.xml.sig", "cib/cib-1.raw", "state/ringid_1"):
            (tmp_path / name).write_text(GHOST)
        (tmp_path / "state" / "fdata").write_text("blackbox")
        found = verbs.forget_ghost(str(tmp_path / "conf"))
        assert found["nodes"] == ["node1"]
        assert len(found["files"]) == 4
        assert not list((tmp_path / "cib").iterdir())
        assert [p.name for p in (tmp_path / "state").iterdir()] == ["fdata"]

    def test_a_cib_of_ours_is_kept(self, verbs, tools, tmp_path):
        tools.stopped()
        (tmp_path / "conf").write_text(SAME)
        (tmp_path / "cib" / "cib.xml").write_text(GHOST.replace("node1", "ubuntu-v20z"))
        assert verbs.forget_ghost(str(tmp_path / "conf")) == {"nodes": [], "files": []}
        assert (tmp_path / "cib" / "cib.xml").exists()

    def test_nothing_is_removed_under_a_running_cluster(self, verbs, tools, tmp_path):
        tools.running("knet-ok")
        (tmp_path / "conf").write_text(SAME)
        (tmp_path / "cib" / "cib.xml").write_text(GHOST)
        with pytest.raises(CommandExecutionError, match="Stop Pacemaker"):
            verbs.forget_ghost(str(tmp_path / "conf"))
        assert (tmp_path / "cib" / "cib.xml").exists()


class TestJudge:
    def _judge(self, verbs, monkeypatch, text, code=0, err=""):
        seen = {}

        def run(argv, **_):
            seen["argv"] = argv
            seen["text"] = Path(argv[-1]).read_text()
            return type("Done", (), {"code": code, "err": err.replace("FILE", argv[-1]), "out": ""})

        monkeypatch.setattr(programs, "run", run)
        return verbs.test_config(text), seen

    def test_corosync_judges_a_private_candidate(self, verbs, monkeypatch):
        answer, seen = self._judge(verbs, monkeypatch, SAME)
        assert answer["result"] is True
        assert seen["argv"][:3] == ["corosync", "-t", "-c"]
        assert not Path(seen["argv"][-1]).exists()
        assert "to_stderr: yes" in seen["text"]
        assert "keyfile" not in seen["text"]

    def test_a_key_that_is_not_there_yet_is_stood_in_for(self, verbs, monkeypatch):
        Path(verbs.key).unlink()
        _, seen = self._judge(verbs, monkeypatch, SAME)
        assert "keyfile: " in seen["text"]

    def test_its_own_sentence_is_returned(self, verbs, monkeypatch):
        answer, _ = self._judge(
            verbs, monkeypatch, SAME, 8, "x error   [MAIN  ] parse error in config: FILE is bad\n"
        )
        assert answer == {"result": False, "comment": "parse error in config: corosync.conf is bad"}

    def test_what_is_no_configuration_does_not_reach_it(self, verbs):
        answer = verbs.test_config("totem {")
        assert answer["result"] is False
        assert "line 1" in answer["comment"]


class TestRest:
    def test_status_of_a_stopped_corosync(self, verbs, tools):
        tools.stopped()
        assert verbs.status()["running"] is False

    def test_status_and_faults_of_a_running_one(self, verbs, tools, nodes):
        tools.running("knet-cut1")
        assert verbs.status()["links"][1]["connected"] is False
        assert verbs.faults(nodes) == ["link 1 to ubuntu-v20z (10.101.21.220): not connected"]

    def test_faults_of_nodes_that_make_no_sense(self, verbs, tools):
        tools.running("knet-ok")
        with pytest.raises(CommandExecutionError, match="nodes:a"):
            verbs.faults({"a": {}})

    def test_config_is_data(self, verbs, tmp_path):
        (tmp_path / "conf").write_text(SAME)
        data = verbs.config(str(tmp_path / "conf"))
        assert [node["name"] for node in data["nodelist"]["node"]] == [
            "freeswitch-dev",
            "ubuntu-v20z",
        ]

    @pytest.mark.parametrize(("code", "result"), [(0, True), (1, False)])
    def test_reload_tells_what_came_of_it(self, verbs, tools, code, result):
        tools.say(["corosync-cfgtool", "-R"], "Reloading\nCould not reload: 7\n", code=code)
        done = verbs.reload_()
        assert done["result"] is result
        assert ("Could not reload: 7" in done["comment"]) is not result
