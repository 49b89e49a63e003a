"""A whole run: staged object by object, committed as one patch, told once."""

import stat
from pathlib import Path

import pytest

from tests.functional.conftest import EPOCHS_PER_PATCH, TOOLS
from tests.functional.pair import FS, GROUP, LOCATION, PROPERTIES, VALUES, VIP, states

VIP_MOVED = {VIP: {**VALUES[VIP], "params": {"ip": "10.101.20.220"}}}


def results(done):
    return {name: one.result for name, one in done.items()}


def changes(done):
    return {name: one.changes for name, one in done.items() if one.changes}


@pytest.fixture
def managed(high, cib_file, events):
    """The pair, adopted by the formula."""
    done = high(*states())
    assert set(results(done).values()) == {True}
    events()
    return cib_file


# --- from nothing ----------------------------------------------------------------------------


def test_a_pair_from_nothing_is_one_commit_and_one_event(high, empty_cib, events):
    before = empty_cib.text
    shown = high(*states(), test=True)
    assert set(results(shown).values()) == {None}
    assert shown["voice"].changes["transition"] == ["start ip_shared on fs1", "start fs on fs1"]
    assert empty_cib.text == before
    assert events() == []

    version = empty_cib.version
    done = high(*states())
    assert set(results(done).values()) == {True}
    assert changes(done) == changes(shown)
    assert empty_cib.patches_since(version) == 1
    empty_cib.assert_sound()
    ((tag, event),) = events()
    assert tag == "fsha/commit/fs1/cib"
    assert event["data"]["action"] == "corrected"
    assert event["data"]["version"] == str(empty_cib.version)

    after = empty_cib.text
    for test in (True, False):
        again = high(*states(), test=test)
        assert set(results(again).values()) == {True}
        assert changes(again) == {}
    assert empty_cib.text == after
    assert events() == []


def test_states_are_staged_in_any_order(high, empty_cib):
    staged = states()
    done = high(*reversed(staged[:-1]), staged[-1])
    assert set(results(done).values()) == {True}
    empty_cib.assert_sound()
    assert changes(high(*states())) == {}


def test_a_member_that_nobody_has_staged_keeps_the_rest_from_being_written(high, empty_cib):
    before = empty_cib.text
    done = high(*states(without=(VIP,)))
    assert done["voice"].result is False
    assert "VoiceServices: the member ip_shared does not exist" in done["voice"].comment
    assert empty_cib.text == before


def test_staging_changes_nothing_and_says_what_differs(high, managed):
    done = high(*states(changed=VIP_MOVED))
    assert done["ip_shared"].changes == {}
    assert done["ip_shared"].comment == (
        "ip_shared differs and is staged for voice: params:ip 10.101.20.219 → 10.101.20.220."
    )
    assert done["voice"].changes["objects"] == {
        "ip_shared": {"params:ip": {"old": "10.101.20.219", "new": "10.101.20.220"}}
    }


def test_what_could_not_be_staged_keeps_the_rest_from_being_written(high, managed, events):
    before = managed.text
    bad = {FS: {"agent": "lsb:FSSofia", "operations": [{"name": "monitor", "interval": "soon"}]}}
    done = high(*states(changed=bad))
    assert done["fs"].result is False
    assert done["voice"].result is False
    assert str(done["voice"].comment) == (
        "voice: nothing is written, because fs could not be staged."
    )
    assert managed.text == before
    assert events() == []


# --- drift -----------------------------------------------------------------------------------

DRIFTS = {
    "a changed address": (
        ["crm_resource", "-r", "ip_shared", "-p", "ip", "-v", "10.101.20.7"],
        {"ip_shared"},
    ),
    "another default": (
        ["cibadmin", "--modify", "--xml-text", '<nvpair id="st" value="1"/>'],
        {"rsc-options"},
    ),
    "an option": (
        ["crm_attribute", "-n", "stonith-enabled", "-v", "true"],
        {"cib-bootstrap-options"},
    ),
    "a constraint gone": (
        ["cibadmin", "--delete", "--xml-text", '<rsc_location id="voice-prefers-fs1"/>'],
        {"voice-prefers-fs1"},
    ),
    "another score": (
        [
            "cibadmin",
            "--modify",
            "--xml-text",
            '<rsc_location id="voice-prefers-fs1" rsc="VoiceServices" node="fs1" score="51"/>',
        ],
        {"voice-prefers-fs1"},
    ),
    "an operation gone": (
        ["cibadmin", "--delete", "--xml-text", '<op id="fs-mon"/>'],
        {"fs"},
    ),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_told_once_and_corrected(high, managed, events, drift):
    argv, objects = DRIFTS[drift]
    before = managed.root.find("configuration")
    managed.by_hand(*argv)

    shown = high(*states(), test=True)
    assert shown["voice"].result is None
    assert set(shown["voice"].changes["objects"]) == objects
    ((tag, event),) = events()
    assert (tag, event["test"]) == ("fsha/drift/fs1/cib", True)
    assert event["data"]["action"] == "would_change"
    assert set(event["data"]["drifted"]) == objects
    assert event["data"]["changes"] == shown["voice"].changes["objects"]

    done = high(*states())
    assert done["voice"].result is True
    assert changes(done) == changes(shown)
    ((tag, event),) = events()
    assert (tag, event["test"]) == ("fsha/drift/fs1/cib", False)
    assert event["data"]["action"] == "corrected"
    managed.assert_sound()
    values = [dict(e.attrib) for e in before.iter("nvpair", "op", "rsc_location")]
    now = managed.root.find("configuration").iter("nvpair", "op", "rsc_location")
    assert [_without_id(v) for v in values] == [_without_id(dict(e.attrib)) for e in now]

    assert changes(high(*states())) == {}
    assert events() == []


def _without_id(attributes):
    return {name: text for name, text in attributes.items() if name != "id"}


def test_another_spelling_by_hand_is_no_drift(high, managed, events):
    managed.by_hand("crm_attribute", "-n", "stonith-enabled", "-v", "off")
    managed.by_hand("cibadmin", "--modify", "--xml-text", '<op id="fs-mon" interval="5000ms"/>')
    assert changes(high(*states())) == {}
    assert events() == []


def test_what_an_operator_does_is_no_drift(high, managed, events):
    managed.by_hand("crm_resource", "--ban", "-r", "VoiceServices", "--node", "fs2")
    managed.by_hand("crm_attribute", "-N", "fs2", "-n", "standby", "-v", "on", "-t", "nodes")
    managed.by_hand("crm_attribute", "-n", "maintenance-mode", "-v", "true")
    managed.by_hand(
        "crm_resource", "-r", "VoiceServices", "--meta", "-p", "target-role", "-v", "Stopped"
    )
    before = managed.text
    for policy in ("report", "purge"):
        done = high(*states(unmanaged=policy))
        assert done["voice"].result is True
        assert changes(done) == {}
    assert managed.text == before
    assert events() == []


def test_the_dry_pass_of_a_prereq_sends_nothing(loaders, managed, events):
    managed.by_hand("crm_attribute", "-n", "stonith-enabled", "-v", "true")
    data = {
        "before": {
            "__env__": "base",
            "__sls__": "test",
            "test": ["succeed_without_changes", {"prereq": [{"pacemaker_property": "p"}]}],
        },
        "p": {
            "__env__": "base",
            "__sls__": "test",
            "pacemaker_property": [
                "present",
                {"name": "cib-bootstrap-options"},
                {"values": {"stonith-enabled": False}},
            ],
        },
    }
    done = {one.id: one for one in loaders.modules.state.high(data)}
    assert done["p"].changes != {}
    assert len(events()) == 1


# --- what is not in the pillar ---------------------------------------------------------------


@pytest.fixture
def foreign(managed):
    managed.by_hand(
        "cibadmin",
        "--create",
        "-o",
        "resources",
        "--xml-text",
        '<primitive id="theirs" class="ocf" provider="heartbeat" type="Dummy"/>',
    )
    return managed


@pytest.mark.parametrize("test", [True, False], ids=["test", "apply"])
def test_other_peoples_objects_are_reported(high, foreign, events, test):
    before = foreign.text
    done = high(*states(), test=test)
    assert done["voice"].result is True
    assert "Not in the pillar and left alone: theirs." in done["voice"].comment
    assert done["voice"].warnings == ["Not in the pillar and left alone: theirs."]
    assert foreign.text == before
    ((tag, event),) = events()
    assert tag == "fsha/drift/fs1/cib"
    assert (event["data"]["action"], event["data"]["unmanaged"]) == ("reported", ["theirs"])


def test_other_peoples_objects_are_ignored(high, foreign, events):
    done = high(*states(unmanaged="ignore"))
    assert (done["voice"].result, changes(done)) == (True, {})
    assert "theirs" not in done["voice"].comment
    assert foreign.count("//primitive[@id='theirs']") == 1
    assert events() == []


def test_other_peoples_objects_are_purged(high, foreign, events):
    shown = high(*states(unmanaged="purge"), test=True)
    assert list(shown["voice"].changes["objects"]) == ["theirs"]
    assert foreign.count("//primitive[@id='theirs']") == 1
    assert len(events()) == 1
    done = high(*states(unmanaged="purge"))
    assert changes(done) == changes(shown)
    assert foreign.count("//primitive[@id='theirs']") == 0
    foreign.assert_sound()
    ((_, event),) = events()
    assert (event["data"]["action"], event["data"]["drifted"]) == ("corrected", ["theirs"])


def test_what_leaves_the_pillar_leaves_the_cluster(high, managed, events):
    smaller = {GROUP: {"members": ["ip_shared"]}}
    done = high(*states(changed=smaller, without=(FS, LOCATION)))
    assert set(done["voice"].changes["objects"]) == {"VoiceServices", "fs", "voice-prefers-fs1"}
    assert managed.count("//primitive") == 1
    assert managed.count("//rsc_location") == 0
    owned = {ref.get("id") for ref in managed.root.iter("obj_ref")}
    assert owned & {"ip_shared", "VoiceServices", "fs", "voice-prefers-fs1"} == {
        "ip_shared",
        "VoiceServices",
    }
    managed.assert_sound()
    assert len(events()) == 1


# --- others write at the same time -----------------------------------------------------------

MEDDLER = """\
#!/bin/sh
# Before the first patches arrive, somebody else writes to the CIB.
for word; do [ "$word" = --patch ] && patch=yes; done
count=$(cat {count})
if [ -n "$patch" ] && [ "$count" -gt 0 ]; then
    echo $((count - 1)) > {count}
    {real} --modify -o crm_config --xml-text "<cluster_property_set id='cib-bootstrap-options'>\
<nvpair id='meddler-$count' name='batch-limit-$count' value='$count'/></cluster_property_set>"
fi
exec {real} "$@"
"""


def meddle(tmp_path, monkeypatch, times):
    """Put a cibadmin first in the path that lets somebody else write in between."""
    tools = tmp_path / "tools"
    tools.mkdir()
    count = tools / "count"
    count.write_text(f"{times}\n", encoding="utf-8")
    real = next(p for p in (Path(d, "cibadmin") for d in TOOLS.split(":")) if p.exists())
    script = tools / "cibadmin"
    script.write_text(MEDDLER.format(count=count, real=real), encoding="utf-8")
    script.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:{TOOLS}")
    return count


@pytest.mark.parametrize("times", [1, 2])
def test_a_write_in_between_is_seen_and_nothing_is_lost(
    high, managed, events, tmp_path, monkeypatch, times
):
    left = meddle(tmp_path, monkeypatch, times)
    version = managed.version
    done = high(*states(changed=VIP_MOVED))
    assert done["voice"].result is True
    assert left.read_text(encoding="utf-8").strip() == "0"
    # Each of the others' writes is one epoch.
    assert managed.version.epoch == version.epoch + times + EPOCHS_PER_PATCH
    assert managed.get("//nvpair[@name='ip']")["value"] == "10.101.20.220"
    assert managed.count("//nvpair[starts-with(@name, 'batch-limit-')]") == times
    assert len(events()) == 1


# --- secrets ---------------------------------------------------------------------------------


def test_no_secret_is_in_returns_events_or_logs(high, empty_cib, events, caplog):
    fence = (
        "fence",
        "pacemaker_resource",
        "present",
        {
            "agent": "stonith:fence_ipmilan",
            "params": {"ip": "10.0.0.9", "passwd": "hunter2"},
            "transaction": "voice",
        },
    )
    caplog.set_level("DEBUG")
    done = high(fence, *states(changed={PROPERTIES: {"values": {"stonith-enabled": True}}}))
    assert done["voice"].result is True
    assert empty_cib.get("//nvpair[@name='passwd']")["value"] == "hunter2"
    said = repr([{**one.full_return, "__low__": None} for one in done.values()]) + repr(events())
    assert "hunter2" not in said
    assert "(secret)" in said
    fsha = [r.getMessage() for r in caplog.records if not r.name.startswith("salt.")]
    assert "hunter2" not in "\n".join(fsha)
