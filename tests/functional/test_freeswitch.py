"""The execution module ``freeswitch`` through Salt's own loader, on a stand-in for the switch."""

import json
import shutil

import pytest
from salt.exceptions import CommandExecutionError, SaltInvocationError

import fsha_freeswitch
from tests.functional.conftest import ROOT
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
        where = fsha_freeswitch.Access(**access)
        monkeypatch.setattr(fsha_freeswitch, "access", lambda _pillar: where)
        monkeypatch.setattr(fsha_freeswitch, "STAMPS", (str(tmp_path / "run"),))
        monkeypatch.setattr(fsha_freeswitch.stamped, "__defaults__", ((str(tmp_path / "run"),),))
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


def test_pause_and_resume(verbs, switch):
    assert verbs.ready()["result"] is True
    looked = verbs.pause(test=True)
    assert (looked["result"], looked["changed"]) == (None, ["inbound"])
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
    shutil.copytree(ROOT / "tests/unit/cib/samples", conf / "sip_profiles")
    data = verbs.config_hash(str(conf))
    assert set(data["parts"]) == {"sip_profiles"}
    with pytest.raises(CommandExecutionError, match="is no directory"):
        verbs.config_hash(str(tmp_path / "nowhere"))


def test_registrations(verbs, monkeypatch):
    rows = [{"reg_user": str(number), "realm": "pbx"} for number in range(5)]
    text = json.dumps({"row_count": 5, "rows": rows})
    monkeypatch.setattr(fsha_freeswitch, "ask", lambda *_: text)
    assert verbs.registrations(limit=2) == {"count": 5, "registrations": rows[:2]}
    # What the switch says while its database is away.
    monkeypatch.setattr(fsha_freeswitch, "ask", lambda *_: "-ERR Database error!")
    with pytest.raises(CommandExecutionError, match="can't tell its registrations: -ERR Database"):
        verbs.registrations()
