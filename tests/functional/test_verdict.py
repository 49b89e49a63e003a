"""The guard's verdict before a run, and what the run then touches."""

import platform

import pytest

from fshalib.change import guard
from fshalib.change.guard import Calls, Verdict
from fshalib.change.interruption import Interruption
from fshalib.freeswitch import client
from tests.functional.pair import DEFAULTS, FS, GROUP, LOCATION, PROPERTIES, VALUES, VIP
from tests.unit.freeswitch.test_config import FILES
from tests.unit.pillars import random_key

PILLAR = {
    "cluster": {"name": "voice"},
    "nodes": {
        platform.node(): {"addresses": ["10.101.20.110/24"]},
        "fs2": {"addresses": ["10.101.20.220/24"]},
    },
    "corosync": {"authkey": random_key()},
    "pacemaker": {
        "properties": VALUES[PROPERTIES]["values"],
        "rsc_defaults": VALUES[DEFAULTS]["values"],
        "resources": {"ip_shared": VALUES[VIP], "fs": VALUES[FS]},
        "groups": {"VoiceServices": VALUES[GROUP]},
        "locations": {
            LOCATION[0]: {**VALUES[LOCATION], "node": platform.node()},
        },
    },
}
NEXT = ("next", "test", "succeed_with_changes", {})


@pytest.fixture
def verdict(monkeypatch):
    """Return a function that makes the guard's verdict; the CIB in a file carries no calls."""

    def say(kind):
        cost = "stop of fs on fs1 interrupts 2 call legs"
        awaits = ("fs2",) if kind == guard.ELSEWHERE else ()
        made = Verdict(kind, "there are 2", cost, "wait", ("fs",), 2, awaits)
        monkeypatch.setattr("fshalib.change.plan._judged", lambda *_: made)

    return say


def allowed(**rest):
    return "fsha", "pacemaker_cib", "allowed", {"failhard": True, **rest}


@pytest.fixture
def run(high, pillar, cib_file, events):
    events()
    pillar["fsha"] = PILLAR
    return lambda **rest: high(allowed(patience=0), NEXT, **rest)


@pytest.mark.parametrize("kind", [guard.REFUSED, guard.ELSEWHERE])
def test_a_refused_run_ends_before_anything_is_touched(run, verdict, events, cib_file, kind):
    verdict(kind)
    before = cib_file.text
    done = run()
    assert list(done) == ["fsha"]
    assert done["fsha"].result is False
    assert done["fsha"].comment.startswith("Nothing on this host was touched:\n")
    assert "stop of fs on fs1 interrupts 2 call legs; there are 2" in done["fsha"].comment
    assert cib_file.text == before
    # The node that only waits has nothing to tell.
    told = [(tag, event["data"]["action"]) for tag, event in events()]
    assert told == ([("fsha/refused/fs1/cib", "refused")] if kind == guard.REFUSED else [])


def test_a_test_run_says_the_same_and_goes_on(run, verdict, events):
    verdict(guard.REFUSED)
    done = run(test=True)
    assert done["fsha"].result is False
    assert done["fsha"].comment.startswith("Would be refused:\n")
    assert done["next"].result is None
    assert events() == []
    verdict(guard.ELSEWHERE)
    assert run(test=True)["fsha"].result is True
    assert events() == []


@pytest.fixture
def switch(tmp_path, monkeypatch, pillar, run):
    """FreeSWITCH's configuration, which the pillar wants to have managed."""
    monkeypatch.setattr(client, "group_of", lambda _service: None)
    for name, text in FILES.items():
        path = tmp_path / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    wanted = {"directory": str(tmp_path / "conf"), "profiles": {"internal": {"standby": "cold"}}}
    pillar["fsha"] = {**PILLAR, "freeswitch": {"configuration": wanted}}
    return tmp_path / "conf"


def test_a_configuration_of_freeswitch_that_would_fail_refuses_the_whole_run(
    run, switch, events, cib_file
):
    before = cib_file.text
    assert run()["next"].result is True
    (switch / "sip_profiles/internal.xml").unlink()
    shown = run(test=True)
    assert (shown["fsha"].result, shown["next"].result) == (False, None)
    assert events() == []
    done = run()
    assert list(done) == ["fsha"]
    assert done["fsha"].comment.startswith("Nothing on this host was touched:\n")
    assert "Refused: the run would fail halfway; sip_profiles/internal.xml: " in (
        done["fsha"].comment
    )
    assert [tag for tag, _ in events()] == ["fsha/refused/fs1/cib"]
    assert (cib_file.text, (switch / "fsha").exists()) == (before, False)


def test_a_commit_by_hand_gives_its_own_advice(loaders, cib_file, monkeypatch):
    monkeypatch.setattr("fshalib.change.plan._judged", judged)
    pacemaker = loaders.modules.pacemaker
    spec = {"agent": "lsb:FSSofia"}
    pacemaker.stage("primitive", "by hand", "fs", spec)
    advice = pacemaker.plan("by hand")["guard"]["allow"]
    assert advice.endswith("salt-call pacemaker.commit 'by hand' override=True")
    pacemaker.stage("primitive", "of a run", "fs", spec, run="1")
    assert guard.OVERRIDE in pacemaker.plan("of a run", run="1")["guard"]["allow"]
    done = pacemaker.commit("by hand")
    assert (done["refused"], done["by"], done["guard"]["allow"]) == (True, "", advice)
    assert pacemaker.commit("by hand", override=True)["committed"]


def judged(_target, _transition, given, _fails):
    """Return the verdict of a node that has calls."""
    stop = [Interruption("fs", ("fs1",))]
    return guard.judge(given.policy, stop, Calls(2, "fs1"), given.now(), given.way)


def test_what_interrupts_nothing_passes(run, events):
    done = run()
    assert (done["fsha"].result, done["next"].result) == (True, True)
    assert done["fsha"].comment.startswith("The cluster may be changed: ")
    assert events() == []


def test_a_host_without_a_cluster_passes(run, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("fshalib.system.programs.SBIN", str(tmp_path))
    assert run()["fsha"].comment == (
        "There is no cluster on this host yet, so nothing is interrupted."
    )


def test_what_is_judged_is_what_the_run_commits(high, run, loaders, monkeypatch, cib_file):
    def stage(kind, state, **rest):
        return [(id, *state, {"spec": spec, "transaction": "fsha"})
                for id, spec in PILLAR["pacemaker"][kind].items()]  # fmt: skip

    options = [
        (id, state, fun, {"values": values, "transaction": "fsha"})
        for (id, state, fun), values in (
            (PROPERTIES, VALUES[PROPERTIES]["values"]),
            (DEFAULTS, VALUES[DEFAULTS]["values"]),
            (("op-options", "pacemaker_property", "operation_defaults"), {}),
        )
    ]
    done = high(
        *options,
        *stage("resources", ("pacemaker_resource", "present")),
        *stage("groups", ("pacemaker_resource", "present")),
        *stage("locations", ("pacemaker_constraint", "location")),
        ("fsha", "pacemaker_cib", "committed", {"complete": True}),
    )
    assert done["fsha"].result is True

    def no_simulation(*_):
        raise AssertionError

    # Now that all is as wanted, a run asks for nothing but the CIB.
    monkeypatch.setattr("fshalib.pacemaker.tools.foresee", no_simulation)
    assert run()["fsha"].comment == "The cluster is as wanted."
