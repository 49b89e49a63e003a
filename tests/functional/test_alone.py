"""Each state by itself: what test=True shows is what happens, once."""

import pytest
from lxml import etree

from tests.functional.pair import DEFAULTS, FS, GROUP, LOCATION, PROPERTIES, VALUES, VIP

NEW = ("extra", "pacemaker_resource", "present")
NEW_GROUP = ("Others", "pacemaker_resource", "present")
NEW_LOCATION = ("cli-prefer-VoiceServices", "pacemaker_constraint", "location")

CHANGED = {
    "new primitive": (
        NEW,
        {"agent": "ocf:heartbeat:Dummy", "params": {"fake": "a b"}, "meta": {"priority": 5}},
        {"extra": ["object"]},
        ["start extra on fs1"],
    ),
    "parameter": (
        VIP,
        {**VALUES[VIP], "params": {"ip": "10.101.20.220"}},
        {"ip_shared": ["params:ip"]},
        [
            "restart ip_shared on fs1 (resource definition change)",
            "restart fs on fs1 (required ip_shared start)",
        ],
    ),
    "operation": (
        FS,
        {**VALUES[FS], "operations": [{"name": "monitor", "interval": 5, "timeout": 30}]},
        {"fs": ["operations:monitor 5s:timeout"]},
        [],
    ),
    "group's order": (
        GROUP,
        {"members": ["fs", "ip_shared"]},
        {"VoiceServices": ["members"]},
        None,
    ),
    "group's meta": (
        GROUP,
        {**VALUES[GROUP], "meta": {"priority": 10}},
        {"VoiceServices": ["meta:priority"]},
        [],
    ),
    "score": (
        LOCATION,
        {**VALUES[LOCATION], "node": "fs2", "score": "inf"},
        {"voice-prefers-fs1": ["node", "score"]},
        ["move ip_shared from fs1 to fs2", "move fs from fs1 to fs2"],
    ),
    "new rule": (
        NEW_LOCATION,
        {
            "resource": "VoiceServices",
            "rules": [{"id": "cli-rule", "score": 10, "expression": "#uname eq fs1"}],
        },
        {"cli-prefer-VoiceServices": ["object"]},
        [],
    ),
    "option": (
        PROPERTIES,
        {"values": {"stonith-enabled": False, "no-quorum-policy": "ignore"}},
        {"cib-bootstrap-options": ["values:no-quorum-policy"]},
        [],
    ),
    "defaults": (
        DEFAULTS,
        {"values": {"migration-threshold": 3}},
        {"rsc-options": ["values:migration-threshold", "values:resource-stickiness"]},
        [],
    ),
    "absent constraint": (
        (LOCATION[0], LOCATION[1], "absent"),
        {},
        {"voice-prefers-fs1": ["object"]},
        [],
    ),
    "absent member": (
        ("fs", "pacemaker_resource", "absent"),
        {},
        {"fs": ["object"]},
        ["stop fs on fs1 (node availability)"],
    ),
}


def call(loaders, state, kwargs, test):
    name, module, function = state
    return loaders.states[f"{module}.{function}"](name=name, test=test, **kwargs)


@pytest.mark.parametrize("case", CHANGED)
def test_what_is_shown_is_what_happens_once(loaders, cib_file, case):
    state, kwargs, paths, transition = CHANGED[case]
    before = cib_file.text

    shown = call(loaders, state, kwargs, test=True)
    assert shown.result is None
    assert {name: sorted(delta) for name, delta in shown.changes["objects"].items()} == paths
    if transition is not None:
        assert shown.changes["transition"] == transition
    assert cib_file.text == before

    version = cib_file.version
    done = call(loaders, state, kwargs, test=False)
    assert done.result is True
    assert done.changes == shown.changes
    assert cib_file.patches_since(version) == 1
    cib_file.assert_sound()

    after = cib_file.text
    again = call(loaders, state, kwargs, test=False)
    assert (again.result, again.changes) == (True, {})
    assert cib_file.text == after


@pytest.mark.parametrize("state", VALUES, ids=lambda state: state[0])
def test_what_is_there_by_hand_is_adopted_without_a_change_in_it(loaders, cib_file, state):
    def configuration():
        sections = cib_file.root.xpath("configuration/*[not(self::tags)]")
        return [etree.tostring(section, with_tail=False) for section in sections]

    before = configuration()
    done = call(loaders, state, VALUES[state], test=False)
    assert done.result is True
    assert done.changes.get("objects", {}) == {}
    assert configuration() == before


@pytest.mark.parametrize("state", ["pacemaker_resource", "pacemaker_constraint"])
def test_what_is_not_there_is_absent(loaders, cib_file, state):
    before = cib_file.text
    done = loaders.states[f"{state}.absent"](name="nix")
    assert (done.result, done.changes) == (True, {})
    assert cib_file.text == before


def test_one_object_alone_says_nothing_of_others(loaders, cib_file, events):
    done = call(loaders, NEW, CHANGED["new primitive"][1], test=False)
    assert "left alone" not in done.comment
    ((tag, event),) = events()
    assert tag == "fsha/commit/fs1/cib"
    assert event["data"]["unmanaged"] == []


def test_a_group_that_is_removed_leaves_its_members(loaders, cib_file):
    done = loaders.states.pacemaker_resource.absent(name="VoiceServices")
    assert done.result is True
    assert set(done.changes["objects"]) == {"VoiceServices", "voice-prefers-fs1"}
    assert cib_file.count("//resources/primitive") == 2
    cib_file.assert_sound()


BAD = [
    ("pacemaker_resource.present", "x", {}, "either an agent (a primitive) or members"),
    ("pacemaker_resource.present", "x", {"agent": "IPaddr2"}, "agent"),
    (
        "pacemaker_resource.present",
        "1x",
        {"agent": "ocf:heartbeat:Dummy"},
        "an id (letters, digits",
    ),
    (
        "pacemaker_resource.present",
        "x",
        {
            "agent": "ocf:heartbeat:Dummy",
            "operations": [{"name": "monitor", "interval": "soon"}],
        },
        "a duration",
    ),
    (
        "pacemaker_resource.present",
        "x",
        {"agent": "ocf:heartbeat:Dummy", "params": {"a": "\x00"}},
        "control characters",
    ),
    ("pacemaker_resource.present", "g", {"members": ["nix"]}, "the member nix does not exist"),
    ("pacemaker_resource.present", "g", {"members": "ip_shared"}, "members"),
    (
        "pacemaker_resource.present",
        "VoiceServices",
        {"agent": "ocf:heartbeat:Dummy"},
        "already has a group of this name",
    ),
    ("pacemaker_constraint.location", "l", {"resource": "x", "node": "a"}, "score"),
    (
        "pacemaker_constraint.location",
        "l",
        {"resource": "x", "node": "a", "score": "much"},
        "a score",
    ),
    (
        "pacemaker_constraint.location",
        "l",
        {"resource": "nix", "node": "fs1", "score": 1},
        "l refers to nix, which is neither in the cluster nor among the objects of this run",
    ),
    ("pacemaker_property.present", "p", {"values": ["x"]}, "p"),
    (
        "pacemaker_property.present",
        "cib-bootstrap-options",
        {"values": {"stonith-enabled": True}},
        "crm_verify refuses the new configuration",
    ),
    ("pacemaker_cib.committed", "t", {"unmanaged": "delete"}, "report, purge, ignore"),
    ("pacemaker_cib.committed", "t", {"complete": True}, "nothing is staged"),
]


@pytest.mark.parametrize("test", [True, False], ids=["test", "apply"])
def test_bad_input_is_told_in_one_sentence(high, cib_file, events, test):
    before = cib_file.text
    # All of them in one run, which is much faster than a run for each.
    states = [
        (f"case {number}", *function.split("."), {"name": name, **kwargs})
        for number, (function, name, kwargs, _said) in enumerate(BAD)
    ]
    done = high(*states, test=test)
    told = {number: str(done[f"case {number}"].comment) for number in range(len(BAD))}
    assert {one.result for one in done.values()} == {False}
    assert [one.changes for one in done.values() if one.changes] == []
    assert [told[n] for n, (*_, said) in enumerate(BAD) if said not in told[n]] == []
    assert [text for text in told.values() if "Traceback" in text or "\n" in text] == []
    assert cib_file.text == before
    assert events() == []
