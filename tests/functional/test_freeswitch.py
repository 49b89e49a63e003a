"""The execution module ``freeswitch`` through Salt's own loader, on a stand-in for the switch."""

import inspect
import json
import shutil
import stat
from types import SimpleNamespace

import pytest
from salt.exceptions import CommandExecutionError, SaltInvocationError

from fshalib.freeswitch import client, config_files, pending
from fshalib.pacemaker import tools
from fshalib.pillar import once
from tests.functional.conftest import ROOT
from tests.unit.freeswitch.test_config import FILES
from tests.unit.standin.harness import Phone, nodes


@pytest.fixture
def switch(tmp_path, loaders, monkeypatch):
    """A switch that is up, and the verbs that ask it."""
    with nodes(tmp_path) as make:
        node = make(password="s3cret").start()
        access = {
            "fs_cli": str(ROOT / "lab/standin/fs_cli"),
            "port": node.port,
            "password_file": str(node.password_file),
        }
        where = client.Access(**access)
        monkeypatch.setattr(client, "access", lambda _pillar: where)
        monkeypatch.setattr(client, "STAMPS", (str(tmp_path / "run"),))
        monkeypatch.setattr(client.stamped, "__defaults__", ((str(tmp_path / "run"),),))
        yield node


@pytest.fixture
def verbs(loaders, switch):
    found = loaders.modules.freeswitch
    loaders.context.pop("retcode", None)
    return found


def serve(tmp_path, node):
    stamp = tmp_path / "run" / "internal"
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(f"{node.api('global_getvar core_uuid')}\n1 2\n", encoding="ascii")


def test_a_drain_is_only_shown_under_test(loaders, switch, cib_file, events):
    fsha = loaders.modules.fsha
    events()
    shown = fsha.drain(60, test=True)
    assert shown == {
        "result": True,
        "comment": "New calls would be refused on this node; 0 call legs are up.",
        "legs": 0,
    }
    assert switch.api("fsctl pause_check inbound") == "false"
    assert fsha.drain()["result"] is True
    assert switch.api("fsctl pause_check inbound") == "true"
    assert fsha.undrain(test=True)["comment"] == "New calls would be taken on this node."
    assert switch.api("fsctl pause_check inbound") == "true"
    assert fsha.undrain()["result"] is True
    assert switch.api("fsctl pause_check inbound") == "false"
    assert [event["data"]["verb"] for _, event in events()] == ["drain", "undrain"]


def test_status(verbs, switch, tmp_path):
    seen = verbs.status()
    assert (seen["running"], seen["ready"], seen["paused"]) == (True, True, [])
    assert (seen["sessions"], seen["max_sessions"]) == (0, 1000)
    assert seen["profiles"]["internal"]["address"] == switch.ip
    assert (seen["serves"], seen["summary"]) == ([], "This switch is a standby; 0 call legs.")
    serve(tmp_path, switch)
    assert verbs.status()["summary"] == "This switch serves internal; 0 call legs."
    assert verbs.profiles() == seen["profiles"]


def test_calls_by_kind(verbs, switch):
    with Phone(switch.address) as phone, Phone(switch.address) as other:
        phone.invite()
        other.invite()
        data = verbs.calls()
        assert (data["legs"], data["calls"], data["survive"]) == (2, 2, 2)
        assert data["kinds"] == {"answered": 2}


def test_no_call_survives_on_a_pair_that_hangs_up(verbs, switch, cib_file):
    with Phone(switch.address) as phone:
        phone.invite()
        data = verbs.calls()
    assert (data["legs"], data["survive"], data["lost"]) == (1, 0, {"hung up": 1})


def test_pause_and_resume(verbs, switch):
    assert verbs.ready()["result"] is True
    looked = verbs.pause(test=True)
    assert (looked["result"], looked["changed"]) == (True, ["inbound"])
    assert verbs.ready()["result"] is True
    assert verbs.pause()["changed"] == ["inbound"]
    with Phone(switch.address) as phone:
        assert phone.invite().status == 503
    told = verbs.ready()
    assert (told["result"], "paused (inbound)" in told["comment"]) == (False, True)
    assert verbs.pause()["changed"] == []
    assert verbs.resume()["changed"] == ["inbound"]
    assert verbs.ready()["result"] is True


def test_recover_is_refused_where_nothing_is_served(verbs, switch, tmp_path):
    told = verbs.recover(vips=["127.0.0.1"])
    assert (told["result"], "this node does not serve" in told["comment"]) == (False, True)
    serve(tmp_path, switch)
    told = verbs.recover(vips=["192.0.2.7"])
    assert (told["result"], "192.0.2.7 is not on this node" in told["comment"]) == (False, True)
    told = verbs.recover("other", vips=["127.0.0.1"])
    assert (told["result"], "other is not served here" in told["comment"]) == (False, True)


def test_a_switch_that_is_down(verbs, switch):
    switch.end()
    seen = verbs.status()
    assert (seen["running"], "does not answer on this node" in seen["summary"]) == (False, True)
    assert verbs.ready()["result"] is False
    for verb in (verbs.profiles, verbs.calls, verbs.gateways, verbs.pause, verbs.registrations):
        with pytest.raises(CommandExecutionError, match="does not answer on this node"):
            verb()


@pytest.mark.parametrize("bad", ["north", 5, None, ["inbound"]])
def test_bad_arguments(verbs, bad):
    with pytest.raises(SaltInvocationError, match="inbound, outbound or both"):
        verbs.pause(bad)
    with pytest.raises(SaltInvocationError, match="profile's name"):
        verbs.recover("a;b")
    with pytest.raises(SaltInvocationError, match="whole number"):
        verbs.registrations(limit=-1)


def test_config_hash(verbs, tmp_path):
    conf = tmp_path / "conf"
    shutil.copytree(ROOT / "tests/unit/samples", conf / "sip_profiles")
    data = verbs.config_hash(str(conf))
    assert set(data["parts"]) == {"sip_profiles"}
    with pytest.raises(CommandExecutionError, match="is no directory"):
        verbs.config_hash(str(tmp_path / "nowhere"))


def test_registrations(verbs, monkeypatch):
    rows = [{"reg_user": str(number), "realm": "pbx"} for number in range(5)]
    text = json.dumps({"row_count": 5, "rows": rows})
    monkeypatch.setattr(client, "ask", lambda *_: text)
    assert verbs.registrations(limit=2) == {"count": 5, "registrations": rows[:2]}
    # What the switch says while its database is away.
    monkeypatch.setattr(client, "ask", lambda *_: "-ERR Database error!")
    with pytest.raises(CommandExecutionError, match="can't tell its registrations: -ERR Database"):
        verbs.registrations()


# --- its configuration -----------------------------------------------------------------------

CIB = "<cib><configuration/><status>{}</status></cib>"
DSN = "pgsql://host=10.0.0.1 password=hunter2"
AGENT = "systemd:freeswitch"


@pytest.fixture
def told():
    """What the pillar says of the switch's configuration."""
    return {"switchname": "voice", "core_db_dsn": DSN, "profiles": {"internal": {}}}


@pytest.fixture
def conf(tmp_path, loaders, monkeypatch, told):
    """FreeSWITCH's configuration, and a pillar that wants something in it."""
    for name, text in FILES.items():
        path = tmp_path / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    config = SimpleNamespace(
        freeswitch=SimpleNamespace(configuration=told, service="freeswitch", vips=("192.0.2.9",)),
        pacemaker=SimpleNamespace(primitives=lambda: [SimpleNamespace(agent=AGENT)]),
    )
    monkeypatch.setattr(once, "checked", lambda _pillar: config)
    monkeypatch.setattr(client, "group_of", lambda _service: None)

    def no_cluster():
        raise tools.ClusterDown

    monkeypatch.setattr(tools, "local_node", no_cluster)
    monkeypatch.setattr(tools, "query", no_cluster)
    verb = loaders.modules.freeswitch.configure
    monkeypatch.setitem(inspect.unwrap(verb).__globals__, "PENDING", tmp_path / "pending.json")
    monkeypatch.setitem(inspect.unwrap(verb).__globals__, "KNOWN", tmp_path / "known")
    monkeypatch.setattr(config_files, "USUAL", tmp_path / "nowhere")
    return tmp_path / "conf"


def test_configure_looks_writes_and_is_done(verbs, conf, switch):
    before = {path: path.read_bytes() for path in conf.rglob("*.xml")}
    looked = verbs.configure(str(conf), test=True)
    assert looked["result"] is None
    assert set(looked["changes"]) == {
        *("fsha/switch.xml", "fsha/sofia.xml", "fsha/pre_load.xml", "fsha/profile_internal.xml"),
        *(name for name in FILES if name != "freeswitch.xml"),
    }
    assert before == {path: path.read_bytes() for path in conf.rglob("*.xml")}
    done = verbs.configure(str(conf), test=False)
    assert (done["result"], done["changes"]) == (True, looked["changes"])
    assert "Read again by internal." in done["comment"]
    assert "restart the switch of the node that does not serve" in done["comment"]
    assert "hunter2" not in str(looked) + str(done)
    written = conf / "fsha" / "switch.xml"
    assert "hunter2" in written.read_text(encoding="utf-8")
    assert stat.S_IMODE(written.stat().st_mode) == 0o640
    # What waits for a restart is said until there was one.
    again = verbs.configure(str(conf), test=False)
    assert (again["result"], again["changes"]) == (True, {})
    assert (
        "effective: switchname, core-db-dsn, core-non-sqlite-db-required, mod_pgsql;"
        in (again["comment"])
    )
    switch.end()
    switch.start()
    again = verbs.configure(str(conf), test=False)
    assert again["comment"] == "FreeSWITCH is told what it needs."


def test_a_profile_that_a_rescan_would_break_is_not_rescanned(verbs, conf, told, monkeypatch):
    told["profiles"]["internal"]["vip"] = "10.0.0.9"
    asked = []
    ask = client.ask
    monkeypatch.setattr(client, "ask", lambda q, *rest: asked.append(q) or ask(q, *rest))
    done = verbs.configure(str(conf), test=False)
    assert "sip-ip of internal, rtp-ip of internal" in done["comment"]
    assert "Read again" not in done["comment"]
    assert "reloadxml" in asked
    assert not [question for question in asked if "rescan" in question]


def with_service(verbs, monkeypatch, restart):
    ours = dict.fromkeys(("network.ip_addrs", "network.ip_addrs6"), list)
    ours["service.restart"] = restart
    monkeypatch.setitem(inspect.unwrap(verbs.configure).__globals__, "__salt__", ours)


def test_a_switch_that_nobody_needs_is_restarted_if_wanted(verbs, conf, told, switch, monkeypatch):
    restarted = []

    def restart(service):
        restarted.append(service)
        switch.end()
        switch.start()

    with_service(verbs, monkeypatch, restart)
    told["restart"] = "passive"
    with Phone(switch.address) as phone:
        phone.invite()
        done = verbs.configure(str(conf), test=False)
        assert "not while this node serves: switch over" in done["comment"]
        assert restarted == []
    switch.end()
    switch.start()
    told["switchname"] = "other"
    done = verbs.configure(str(conf), test=False)
    assert restarted == ["freeswitch"]
    assert "The switch did not serve and was restarted; in effect: switchname." in done["comment"]
    again = verbs.configure(str(conf), test=False)
    assert again["comment"] == "FreeSWITCH is told what it needs."


def test_a_switch_that_the_cluster_runs_is_restarted_by_it(verbs, conf, told, switch, monkeypatch):
    def no_restart(_service):
        raise AssertionError

    with_service(verbs, monkeypatch, no_restart)
    told["restart"] = "passive"
    monkeypatch.setattr(tools, "query", lambda: CIB.format(""))
    done = verbs.configure(str(conf), test=False)
    assert "the cluster is about to run freeswitch, so apply the state again" in done["comment"]
    primitive = '<primitive id="s" class="systemd" type="freeswitch"/>'
    monkeypatch.setattr(
        tools,
        "query",
        lambda: CIB.format("").replace(
            "<configuration/>", f"<configuration>{primitive}</configuration>"
        ),
    )
    monkeypatch.setattr(tools, "local_node", lambda: "fs1")
    monkeypatch.setattr(tools, "note", lambda *_: None)
    asked = []

    def restart(node, _seconds):
        asked.append(node)
        switch.end()
        switch.start()

    monkeypatch.setattr(pending, "restart_by_cluster", restart)
    done = verbs.configure(str(conf), test=False)
    assert asked == ["fs1"]
    assert "was restarted; in effect: switchname" in done["comment"]


def test_a_switch_that_serves_is_not_restarted(verbs, conf, told, switch, tmp_path, monkeypatch):
    def restart(_service):
        raise AssertionError

    with_service(verbs, monkeypatch, restart)
    told["restart"] = "passive"
    serve(tmp_path, switch)
    done = verbs.configure(str(conf), test=False)
    assert "not while this node serves: switch over" in done["comment"]


def test_what_the_switch_may_not_read_is_put_right(verbs, conf, monkeypatch):
    verbs.configure(str(conf), test=False)
    monkeypatch.setattr(client, "group_of", lambda _service: 4711)
    looked = verbs.configure(str(conf), test=True)
    assert looked["changes"]["fsha/switch.xml"]["permissions"]["new"] == "640 4711"
    verbs.configure(str(conf), test=False)
    assert (conf / "fsha" / "switch.xml").stat().st_gid == 4711
    assert verbs.configure(str(conf), test=False)["changes"] == {}


def texts(conf):
    return {path.name: path.read_bytes() for path in conf.rglob("*.xml")}


def test_what_the_formula_has_put_there_is_taken_away(verbs, conf, told, switch):
    before = texts(conf)
    told["profiles"]["internal"]["standby"] = "hot"
    verbs.configure(str(conf), test=False)
    # As the profile is told by the parameter.
    switch.api("sofia global standby on")
    with Phone(switch.address) as phone:
        assert phone.invite().status == 503
    told.clear()
    looked = verbs.unconfigure(test=True)
    assert (looked["result"], "fsha/profile_internal.xml" in looked["changes"]) == (None, True)
    assert "hunter2" not in str(looked)
    done = verbs.unconfigure(test=False)
    assert (done["result"], done["changes"]) == (True, looked["changes"])
    assert texts(conf) == before
    with Phone(switch.address) as phone:
        assert phone.invite().status == 200
    again = verbs.unconfigure(test=False)
    assert (again["result"], again["changes"]) == (True, {})


def test_the_state_takes_it_away(verbs, loaders, conf, told):
    before = texts(conf)
    assert loaders.states.freeswitch_config.managed(name=str(conf)).result is True
    told.clear()
    absent = loaders.states.freeswitch_config.absent
    looked = absent(name="gone", test=True)
    assert (looked.result, bool(looked.changes)) == (None, True)
    assert absent(name="gone").result is True
    assert texts(conf) == before
    again = absent(name="gone")
    assert (again.result, again.changes) == (True, {})


def test_configure_breaks_nothing(verbs, conf):
    broken = conf / "sip_profiles" / "other.xml"
    broken.write_text("<profile>\n<settings>\n</profile>\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in conf.rglob("*.xml")}
    for test in (True, False):
        told = verbs.configure(str(conf), test=test)
        assert told["result"] is False
        assert f"{broken}:3: it is not well-formed XML" in told["comment"]
    assert before == {path: path.read_bytes() for path in conf.rglob("*.xml")}


def test_nothing_is_read_while_another_node_has_something_else(verbs, conf, monkeypatch):
    monkeypatch.setattr(tools, "local_node", lambda: "fs1")
    monkeypatch.setattr(tools, "note", lambda *_: None)
    members = "".join(
        f'<node_state uname="{name}" in_ccm="true" crmd="online"/>' for name in ("fs1", "fs2")
    )
    monkeypatch.setattr(tools, "query", lambda: CIB.format(members))
    done = verbs.configure(str(conf), patience=0, test=False)
    assert done["result"] is True
    assert "Not read yet: fs2 has another configuration." in done["comment"]
    # The next run that finds the other node with the same reads it, although nothing changes.
    monkeypatch.setattr(tools, "query", lambda: CIB.format(""))
    done = verbs.configure(str(conf), patience=0, test=False)
    assert done["changes"] == {}
    assert "Read again by internal." in done["comment"]
    done = verbs.configure(str(conf), patience=0, test=False)
    assert "Read again" not in done["comment"]


def test_the_state_tells_what_the_verb_did(verbs, loaders, conf):
    managed = loaders.states.freeswitch_config.managed
    looked = managed(name=str(conf), test=True)
    assert (looked.result, bool(looked.changes)) == (None, True)
    assert managed(name=str(conf)).result is True
    again = managed(name=str(conf))
    assert (again.result, again.changes) == (True, {})
    absent = managed(name=str(conf / "nowhere"), test=True)
    assert (absent.result, absent.changes) == (None, {})
