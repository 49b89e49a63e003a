"""The status as one page of text."""

import pytest

from fshalib.report import text

PAIR = {
    "dc": "fs1",
    "quorate": True,
    "nodes": [
        {"name": "fs1", "state": "online", "dc": True},
        {"name": "fs2", "state": "standby", "dc": False},
    ],
    "rings": [
        {"node": "fs2", "link": 0, "address": "10.0.0.2", "connected": True},
        {"node": "fs2", "link": 1, "address": "10.0.1.2", "connected": False},
    ],
    "service": {"id": "VoiceServices", "node": "fs1", "vips": ["10.0.0.9"]},
    "resources": [
        {
            "id": "fs",
            "role": "Started",
            "nodes": ["fs1"],
            "agent": "lsb:FSSofia",
            "failed": True,
            "blocked": True,
            "orphaned": False,
            "managed": False,
        }
    ],
    "profiles": {"internal": 3, "external": None},
    "failures": ["fs stop failed on fs1"],
    "leftovers": ["cli-ban-VoiceServices-on-fs2: -INFINITY on fs2"],
    "notes": ["rings: odd", "and more"],
}


def test_the_screen_says_first_who_serves():
    lines = text.screen(PAIR).splitlines()
    assert lines[0] == "VoiceServices serves on fs1, VIP 10.0.0.9   [quorate, DC fs1]"
    found = [" ".join(line.split()) for line in lines[2:]]
    assert found == [
        "node fs1 online (DC)",
        "fs2 standby",
        "ring link 0 to fs2 connected 10.0.0.2",
        "link 1 to fs2 NOT CONNECTED 10.0.1.2",
        "resource fs Started fs1 lsb:FSSofia FAILED BLOCKED UNMANAGED",
        "profile internal RUNNING, 3 sessions",
        "external not running",
        "failures fs stop failed on fs1",
        "leftovers cli-ban-VoiceServices-on-fs2: -INFINITY on fs2",
        "note rings: odd",
        "and more",
    ]


def danger(kind, text="what it is"):
    return {"kind": kind, "node": "fs1", "text": text, "advice": "what to do"}


def test_a_danger_stands_before_all_else_and_a_split_before_the_others():
    lines = text.screen({**PAIR, "dangers": [danger("left"), danger("split", "SPLIT: x")]})
    assert lines.splitlines()[:5] == [
        "!!  SPLIT: x",
        "    -> what to do",
        "!!  what it is",
        "    -> what to do",
        "VoiceServices serves on fs1, VIP 10.0.0.9, AS THIS NODE SEES IT   [quorate, DC fs1]",
    ]


@pytest.mark.parametrize(
    ("kind", "but"),
    [
        ("silent", ", BUT NOBODY ANSWERS"),
        ("second", ", AND ANOTHER HOST ANSWERS"),
        ("missing", ", BUT THE ADDRESS IS NOT THERE"),
        ("cut off", ""),
        ("serves", ""),
    ],
)
def test_what_is_doubtful_is_not_plainly_said_to_serve(kind, but):
    headline = text.screen({**PAIR, "dangers": [danger(kind)]}).splitlines()[2]
    assert headline == f"VoiceServices serves on fs1, VIP 10.0.0.9{but}   [quorate, DC fs1]"


def test_what_is_too_long_for_its_column_does_not_run_into_the_next_one():
    long = {**PAIR["resources"][0], "id": "a" * 24, "nodes": ["freeswitch-dev", "ubuntu-v20z"]}
    words = text.screen({**PAIR, "resources": [long]}).split()
    assert {"a" * 24, "Started", "ubuntu-v20z", "lsb:FSSofia"} <= set(words)
    link = {**PAIR["rings"][0], "node": "n" * 40}
    assert "connected" in text.screen({**PAIR, "rings": [link]}).split()
    node = {**PAIR["nodes"][1], "name": "n" * 40}
    assert "standby" in text.screen({**PAIR, "nodes": [node]}).split()
    profile = "p" * 24
    assert profile in text.screen({**PAIR, "profiles": {profile: 0}}).split()


def test_the_screen_says_what_is_wrong_in_capitals():
    bad = {**PAIR, "quorate": False, "dc": "", "service": {**PAIR["service"], "node": ""}}
    assert text.screen(bad).splitlines()[0] == (
        "VoiceServices DOES NOT SERVE   [quorum not known, DC none]"
    )
    lost = text.screen({**PAIR, "quorate": False}).splitlines()[0]
    assert lost.endswith("[NO QUORUM, DC fs1]")
    several = [{"id": "a", "node": "fs1"}, {"id": "b", "node": ""}]
    two = {**PAIR, "service": {"id": "", "node": "", "vips": [], "several": several}}
    assert text.screen(two).startswith("a serves on fs1; b DOES NOT SERVE   [")
    none = {**PAIR, "service": {"id": "", "node": "", "vips": []}, "rings": [], "resources": []}
    lines = text.screen(none).splitlines()
    assert lines[0].startswith("no voice service is configured")
    assert "ring      (not known)" in lines
    assert "resource  (none)" in lines
