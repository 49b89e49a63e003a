"""The states: what they report, what they touch, and how many events they send."""

import base64
import stat

import pytest

from fshalib.corosync import build, parser
from fshalib.corosync import conf as fc

KEY = bytes(range(256))
KEY64 = base64.b64encode(KEY).decode()
DEFAULT = (
    "totem {\nversion: 2\ncluster_name: debian\n}\n"
    "nodelist {\nnode {\nname: node1\nnodeid: 1\nring0_addr: 127.0.0.1\n}\n}\n"
)
BOTH = pytest.mark.parametrize("test", [True, False], ids=["test", "real"])


def _nothing_pending(running=True):
    return {"running": running, "class": "none", "changes": {}, "restart_paths": []}


@pytest.fixture
def config(load, bus, tmp_path):
    state = load("_states", "corosync_config")
    state.salt.update(
        {
            "event.send": bus.send,
            "corosync.installed": lambda: True,
            "corosync.test_config": lambda _text: {"result": True, "comment": ""},
            "corosync.guard": lambda **_: "",
            "corosync.pending": lambda **_: _nothing_pending(),
            "corosync.known": lambda _path: {"names": {}, "hosts": {}},
        }
    )
    state.__dict__["file"] = tmp_path / "corosync.conf"
    return state


def _manage(state, nodes, test, **settings):
    state.opts["test"] = test
    settings = {"cluster_name": "voice", "totem": {"token": 1500}, **settings}
    return state.managed(str(state.file), nodes=nodes, **settings)


class TestConfig:
    @BOTH
    def test_a_bare_host_gets_the_file_and_nobody_an_event(self, config, nodes, bus, test):
        config.salt["corosync.installed"] = lambda: False
        ret = _manage(config, nodes, test)
        assert ret["result"] is (None if test else True)
        assert ret["changes"]["totem.token"] == {"old": None, "new": "1500"}
        assert config.file.exists() is not test
        assert bus == []
        if not test:
            assert stat.S_IMODE(config.file.stat().st_mode) == 0o644

    def test_both_nodes_get_the_same_text(self, config, nodes, tmp_path):
        _manage(config, nodes, test=False)
        first = config.file.read_text()
        config.__dict__["file"] = tmp_path / "other"
        _manage(config, nodes, test=False)
        assert config.file.read_text() == first

    @BOTH
    def test_in_sync_nothing_happens(self, config, nodes, bus, test):
        _manage(config, nodes, test=False)
        before = config.file.stat().st_mtime_ns
        ret = _manage(config, nodes, test)
        assert (ret["result"], ret["changes"], bus) == (True, {}, [])
        assert config.file.stat().st_mtime_ns == before

    @BOTH
    def test_a_hand_edit_is_told_once_and_corrected(self, config, nodes, bus, test):
        _manage(config, nodes, test=False)
        edited = config.file.read_text().replace("token: 1500", "token: 9")
        config.file.write_text(edited)
        ret = _manage(config, nodes, test)
        assert ret["changes"] == {"totem.token": {"old": "9", "new": "1500"}}
        assert (config.file.read_text() == edited) is test
        ((tag, event),) = bus
        assert tag == "fsha/drift/fs1/corosync.conf"
        assert event["test"] is test
        assert event["data"]["changes"] == ret["changes"]

    @BOTH
    def test_a_comment_or_another_order_is_no_drift(self, config, nodes, bus, test):
        _manage(config, nodes, test=False)
        config.file.write_text("# mine\n" + config.file.read_text())
        assert _manage(config, nodes, test)["changes"] == {}
        assert bus == []

    @BOTH
    def test_replacing_the_packages_default_is_no_drift(self, config, nodes, bus, test):
        config.file.write_text(DEFAULT)
        ret = _manage(config, nodes, test)
        assert ret["changes"]["totem.cluster_name"] == {"old": "debian", "new": "voice"}
        assert bus == []

    @BOTH
    def test_a_file_that_is_none_is_drift(self, config, nodes, bus, test):
        config.file.write_text("nonsense")
        assert _manage(config, nodes, test)["result"] is (None if test else True)
        assert len(bus) == 1

    @BOTH
    @pytest.mark.parametrize("quorum", [{"two_node": True}, {"last_man_standing": "yes"}])
    def test_a_device_never_goes_because_the_pillar_does_not_name_it(
        self, config, nodes, bus, test, quorum
    ):
        _manage(config, nodes, test=False)
        device = "device {\nmodel: net\nvotes: 1\nnet {\nhost: q1\nalgorithm: ffsplit\n}\n}"
        text = config.file.read_text().replace("two_node: 1", device)
        config.file.write_text(text)
        for unasked in (None, {}, {"two_node": False}):
            ret = _manage(config, nodes, test, quorum=unasked)
            assert (ret["result"], ret["changes"]) == (True, {})
        ret = _manage(config, nodes, test, quorum=quorum)
        assert ret["result"] is False
        assert "has a quorum device" in ret["comment"]
        assert (config.file.read_text(), bus) == (text, [])
        settings = {"cluster_name": "voice", "totem": {"token": 1500}, "quorum": quorum}
        assert config.allowed(str(config.file), nodes=nodes, **settings)["result"] is False
        ret = _manage(config, nodes, False, totem={"token": 1700})
        assert list(ret["changes"]) == ["totem.token"]
        assert "host: q1" in config.file.read_text()
        assert "two_node" not in config.file.read_text()

    @BOTH
    def test_a_file_that_is_none_keeps_its_device(self, config, nodes, bus, test):
        text = "nonsense\nquorum {\n  device {\n    model: net\n  }\n}\n"
        config.file.write_text(text)
        ret = _manage(config, nodes, test)
        assert ret["result"] is False
        assert "has a quorum device" in ret["comment"]
        assert config.file.read_text() == text

    def test_the_dry_pass_of_a_prereq_sends_nothing(self, config, nodes, bus):
        config.file.write_text(parser.render(build.from_settings("v", build.nodes_from(nodes))))
        config.low["__prereq__"] = True
        assert _manage(config, nodes, test=True)["changes"]
        assert bus == []

    @BOTH
    def test_what_corosync_refuses_is_not_written(self, config, nodes, test):
        config.salt["corosync.test_config"] = lambda _text: {"result": False, "comment": "no!"}
        ret = _manage(config, nodes, test)
        assert (ret["result"], ret["changes"]) == (False, {})
        assert "no!" in ret["comment"]
        assert not config.file.exists()

    @BOTH
    def test_a_refused_restart_is_told_and_nothing_is_written(self, config, nodes, bus, test):
        _manage(config, nodes, test=False)
        before = config.file.read_text()
        config.salt["corosync.guard"] = lambda **_: "Not now."
        ret = _manage(config, nodes, test, transport="knet", crypto={"hash": "sha1"})
        assert (ret["result"], ret["changes"]) == (False, {})
        assert "Not now." in ret["comment"]
        assert config.file.read_text() == before
        assert [tag for tag, _ in bus] == ["fsha/refused/fs1/corosync.conf"]

    @BOTH
    def test_a_restart_is_refused_before_anything_is_touched(self, config, nodes, bus, test):
        _manage(config, nodes, test=False)
        before = config.file.read_text()
        config.opts["test"] = test
        settings = {"transport": "knet", "totem": {"token": 1500}}
        wanted = {"cluster_name": "voice", "nodes": nodes, **settings}
        config.salt["corosync.guard"] = lambda **_: "Not now."
        assert config.allowed(str(config.file), **wanted)["result"] is True
        ret = config.allowed(str(config.file), **wanted, crypto={"hash": "sha1"}, order=4)
        assert (ret["result"], ret["changes"], ret["comment"][-8:]) == (False, {}, "Not now.")
        assert config.file.read_text() == before
        assert [tag for tag, _ in bus] == ([] if test else ["fsha/refused/fs1/corosync.conf"])

    @BOTH
    def test_bad_settings_are_one_sentence(self, config, nodes, test):
        ret = _manage(config, nodes, test, totem={"tokn": 1})
        assert ret["result"] is False
        assert ret["comment"] == (
            'corosync:totem:tokn: "tokn" is not known here; did you mean "token"?'
        )
        assert not config.file.exists()

    def test_a_test_run_leaves_word_for_the_service(self, config, nodes):
        _manage(config, nodes, test=True)
        ((path, text),) = config.context["fsha.corosync.wanted"].items()
        assert path == str(config.file)
        assert fc.cluster_name(parser.parse(text)) == "voice"


@pytest.fixture
def authkey(load, bus, tmp_path):
    state = load("_states", "corosync_authkey")
    state.salt.update({"event.send": bus.send, "corosync.guard_key": lambda *_, **__: ""})
    state.__dict__["file"] = tmp_path / "authkey"
    return state


class TestAuthkey:
    def _present(self, state, test, **arguments):
        state.opts["test"] = test
        return state.present(str(state.file), **(arguments or {"key": KEY64}))

    @BOTH
    def test_it_is_created_for_root_alone(self, authkey, bus, test):
        ret = self._present(authkey, test)
        assert ret["changes"] == {"key": "created"}
        assert bus == []
        assert authkey.file.exists() is not test
        if not test:
            assert authkey.file.read_bytes() == KEY
            assert stat.S_IMODE(authkey.file.stat().st_mode) == 0o400
            assert self._present(authkey, test)["changes"] == {}

    @BOTH
    def test_another_key_is_drift_and_never_shown(self, authkey, bus, test):
        self._present(authkey, test=False)
        authkey.file.chmod(0o600)
        authkey.file.write_bytes(KEY[::-1])
        ret = self._present(authkey, test)
        assert ret["changes"] == {"key": "changed", "mode": {"old": "0600", "new": "0400"}}
        assert [tag for tag, _ in bus] == ["fsha/drift/fs1/authkey"]
        assert (authkey.file.read_bytes() == KEY) is not test
        for shown in (KEY64, KEY.hex(), KEY64[:20]):
            assert shown not in repr((ret, list(bus)))

    def test_a_wrong_mode_alone_leaves_content_and_time(self, authkey, bus):
        self._present(authkey, test=False)
        authkey.file.chmod(0o644)
        before = authkey.file.stat()
        ret = self._present(authkey, test=False)
        assert list(ret["changes"]) == ["mode"]
        after = authkey.file.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert len(bus) == 1

    @BOTH
    def test_a_key_in_use_is_not_replaced(self, authkey, bus, test):
        self._present(authkey, test=False)
        authkey.file.chmod(0o600)
        authkey.file.write_bytes(KEY[::-1])
        authkey.salt["corosync.guard_key"] = lambda *_, **__: "Not now."
        ret = self._present(authkey, test)
        assert (ret["result"], ret["changes"]) == (False, {})
        assert authkey.file.read_bytes() == KEY[::-1]
        assert [tag for tag, _ in bus] == ["fsha/refused/fs1/authkey"]

    @BOTH
    def test_a_key_in_use_is_refused_before_anything_is_touched(self, authkey, bus, test):
        def allowed(**given):
            authkey.opts["test"] = test
            return authkey.allowed(str(authkey.file), **(given or {"key": KEY64}))

        assert allowed()["result"] is True
        self._present(authkey, test=False)
        authkey.file.chmod(0o600)
        authkey.file.write_bytes(KEY[::-1])
        assert allowed()["result"] is True
        authkey.salt["corosync.guard_key"] = lambda *_, **__: "Not now."
        ret = allowed()
        assert (ret["result"], ret["comment"], ret["changes"]) == (False, "Not now.", {})
        assert [tag for tag, _ in bus] == ([] if test else ["fsha/refused/fs1/authkey"])
        assert "/nowhere/key" in allowed(source_file="/nowhere/key")["comment"]
        assert allowed(key="")["result"] is True

    def test_it_may_come_from_a_file(self, authkey, tmp_path):
        (tmp_path / "source").write_bytes(KEY)
        ret = self._present(authkey, test=False, source_file=str(tmp_path / "source"))
        assert ret["result"] is True
        assert authkey.file.read_bytes() == KEY

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            ({"key": "QUJD"}, "3 bytes"),
            ({"key": KEY64, "source_file": "/x"}, "not both"),
            ({"source_file": "/nowhere/key"}, "/nowhere/key"),
        ],
    )
    def test_a_key_that_will_not_do_is_one_sentence(self, authkey, arguments, word):
        ret = self._present(authkey, test=False, **arguments)
        assert ret["result"] is False
        assert word in ret["comment"]
        assert not authkey.file.exists()


@pytest.fixture
def service(load):
    """The service state over a pretended init system that remembers what was done."""
    state = load("_states", "corosync_service")
    done = []
    world = {
        "pending": [_nothing_pending()],
        "ghost": [],
        "refusal": "",
        "enabled": True,
        "pacemaker": False,
        "installed": True,
        "fails": "",
    }

    def act(verb):
        def do(service):
            done.append(f"{verb} {service}")
            return world["fails"] != f"{verb} {service}"

        return do

    def pending(_config, text=None, fingerprint=None):
        return world["pending"].pop(0) if len(world["pending"]) > 1 else world["pending"][0]

    def reload_():
        done.append("reload")
        return {"result": world["fails"] != "reload", "comment": "corosync refused the reload: 7"}

    state.salt.update(
        {
            "corosync.installed": lambda: world["installed"],
            "file.file_exists": lambda _path: True,
            "corosync.pending": pending,
            "corosync.guard": lambda *_, **__: world["refusal"],
            "corosync.packaged_cluster": lambda *_, **__: {"nodes": world["ghost"], "files": []},
            "corosync.forget_ghost": lambda _config: done.append("forget ghost"),
            "corosync.note_key": lambda: done.append("note key"),
            "corosync.reload": reload_,
            "service.enabled": lambda _name: world["enabled"],
            "service.enable": act("enable"),
            "service.start": act("start"),
            "service.stop": act("stop"),
            "service.status": lambda _name: world["pacemaker"],
        }
    )
    state.__dict__.update(done=done, world=world)
    return state


def _pending(kind):
    change = {"totem.token": {"old": "1", "new": "2"}}
    return {"running": True, "class": kind, "changes": change, "restart_paths": ["x"]}


class TestService:
    def _run(self, state, test=False):
        state.opts["test"] = test
        return state.running()

    def test_in_sync_only_the_key_is_noted(self, service):
        ret = self._run(service)
        assert (ret["result"], ret["changes"], service.done) == (True, {}, ["note key"])

    @pytest.mark.parametrize(
        ("world", "changes"),
        [
            ({"pending": [_nothing_pending(running=False)]}, {"corosync": "started"}),
            (
                {"pending": [_pending("reload")]},
                {"corosync": "reloaded", "totem.token": {"old": "1", "new": "2"}},
            ),
            (
                {"pending": [_pending("restart")], "ghost": ["node1"]},
                {
                    "corosync": "restarted",
                    "totem.token": {"old": "1", "new": "2"},
                    "ghost": {"old": "node1", "new": None},
                },
            ),
            ({"enabled": False}, {"enabled": {"old": False, "new": True}}),
        ],
        ids=["start", "reload", "restart", "enable"],
    )
    def test_a_test_run_tells_the_same_and_does_nothing(self, service, world, changes):
        service.world.update(world)
        ret = self._run(service, test=True)
        assert (ret["result"], ret["changes"], service.done) == (None, changes, [])
        if world.get("pending"):
            service.world["pending"] = [world["pending"][0], _nothing_pending()]
        ret = self._run(service)
        assert (ret["result"], ret["changes"]) == (True, changes)

    def test_a_reload_restarts_nothing(self, service):
        service.world.update(pending=[_pending("reload"), _nothing_pending()], pacemaker=True)
        self._run(service)
        assert service.done == ["reload", "note key"]

    def test_a_restart_takes_pacemaker_along_in_the_right_order(self, service):
        service.world.update(pending=[_pending("restart"), _nothing_pending()], pacemaker=True)
        self._run(service)
        assert service.done == [
            "stop pacemaker",
            "stop corosync",
            "forget ghost",
            "start corosync",
            "start pacemaker",
            "note key",
        ]

    def test_a_stopped_pacemaker_is_not_started(self, service):
        service.world.update(pending=[_pending("restart"), _nothing_pending()])
        self._run(service)
        assert "start pacemaker" not in service.done

    @BOTH
    def test_a_refused_restart_does_nothing(self, service, test):
        service.world.update(pending=[_pending("restart")], refusal="Not now.")
        ret = self._run(service, test)
        assert (ret["result"], ret["comment"], service.done) == (False, "Not now.", [])

    @pytest.mark.parametrize(
        ("kind", "fails", "word"),
        [
            ("restart", "stop pacemaker", "pacemaker could not be stopped"),
            ("restart", "start corosync", "corosync could not be started"),
            ("restart", "start pacemaker", "pacemaker could not be started again"),
            ("reload", "reload", "refused the reload"),
        ],
    )
    def test_a_failure_is_told(self, service, kind, fails, word):
        service.world.update(pending=[_pending(kind)], pacemaker=True, fails=fails)
        ret = self._run(service)
        assert ret["result"] is False
        assert word in ret["comment"]

    def test_values_that_did_not_take_are_told(self, service, monkeypatch):
        monkeypatch.setattr(service.module, "ANSWER_TIMEOUT", 0.0)
        service.world.update(pending=[_pending("reload")])
        ret = self._run(service)
        assert ret["result"] is False
        assert "other values of totem.token" in ret["comment"]

    @BOTH
    def test_without_packages_only_a_test_run_goes_on(self, service, test):
        service.world["installed"] = False
        ret = self._run(service, test)
        assert ret["result"] is (None if test else False)
        assert service.done == []


@pytest.fixture
def ring(load, bus):
    state = load("_states", "corosync_ring")
    looks = [[]]
    state.salt.update(
        {
            "event.send": bus.send,
            "corosync.faults": lambda _nodes: looks.pop(0) if len(looks) > 1 else looks[0],
        }
    )
    state.__dict__["looks"] = looks
    state.module.INTERVAL = 0.01
    return state


class TestRing:
    def test_a_whole_ring(self, ring, nodes, bus):
        ret = ring.healthy("voice", nodes)
        assert (ret["result"], ret["changes"], bus) == (True, {}, [])
        assert "freeswitch-dev, ubuntu-v20z; 2 links" in ret["comment"]

    def test_it_is_waited_for(self, ring, nodes, bus):
        ring.looks[:] = [["not quorate"], ["link 1 down"], []]
        assert ring.healthy("voice", nodes, timeout=5)["result"] is True
        assert bus == []

    def test_when_the_time_is_up_every_fault_is_named_and_told_once(self, ring, nodes, bus):
        ring.looks[:] = [["link 1 to b: not connected", "b: not a member"]]
        ret = ring.healthy("voice", nodes, timeout=0.05)
        assert ret["result"] is False
        assert "- link 1 to b: not connected\n- b: not a member" in ret["comment"]
        ((tag, event),) = bus
        assert tag == "fsha/ring/fs1/voice"
        assert event["data"]["faults"] == ["link 1 to b: not connected", "b: not a member"]

    @pytest.mark.parametrize("test", [False, True])
    @pytest.mark.parametrize(
        "fault",
        ["link 1 to b (10.0.0.2): not connected", "b (nodeid 2): not a member of the cluster"],
    )
    def test_what_is_away_is_told_and_the_run_goes_on(self, ring, nodes, bus, fault, test):
        ring.opts["test"] = test
        ring.module.GRACE = 0.05
        ring.salt["pacemaker.operational"] = lambda: True
        ring.looks[:] = [[fault]]
        ret = ring.healthy("voice", nodes, timeout=3600, require_all=False)
        assert (ret["result"], ret["warnings"]) == (True, [f"Away: {fault}."])
        assert fault in ret["comment"]
        assert [tag for tag, _ in bus] == ([] if test else ["fsha/ring/fs1/voice"])
        # That it may be away for good does not mean that nobody looks whether it comes.
        ring.looks[:] = [[fault], []]
        ring.opts["test"] = False
        whole = ring.healthy("voice", nodes, timeout=3600, require_all=False)
        assert "warnings" not in whole

    @pytest.mark.parametrize(
        ("operational", "require_all", "fault"),
        [
            (False, False, "b (nodeid 2): not a member of the cluster"),
            (True, True, "b (nodeid 2): not a member of the cluster"),
            (True, False, "not quorate: 1 of 2 expected votes"),
            (True, False, "c (nodeid 3): in the running cluster, but none of the wanted nodes"),
            (True, False, "link 0 to b (10.0.0.2): runs to 10.0.0.3 instead"),
        ],
    )
    def test_what_the_cluster_can_not_do_without(
        self, ring, nodes, bus, operational, require_all, fault
    ):
        ring.salt["pacemaker.operational"] = lambda: operational
        ring.looks[:] = [[fault]]
        ret = ring.healthy("voice", nodes, timeout=0.05, require_all=require_all)
        assert ret["result"] is False

    @pytest.mark.parametrize(("faults", "result"), [([], True), (["no corosync"], None)])
    def test_a_test_run_does_not_wait(self, ring, nodes, bus, faults, result):
        ring.opts["test"] = True
        ring.looks[:] = [faults]
        ret = ring.healthy("voice", nodes, timeout=3600)
        assert (ret["result"], ret["changes"], bus) == (result, {}, [])
        assert all(fault in ret["comment"] for fault in faults)
