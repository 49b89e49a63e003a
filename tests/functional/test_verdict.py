"""The guard's verdict before a run, and what the run then touches."""

import platform

import pytest

from fshalib.change import guard
from fshalib.change.guard import Verdict
from tests.functional.pair import DEFAULTS, FS, GROUP, LOCATION, PROPERTIES, VALUES, VIP
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
        made = Verdict(kind, "there are 2", cost, "wait", interrupted=("fs",), calls=2)
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
