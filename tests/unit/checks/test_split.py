"""Has the pair split, as far as one of its nodes can know?"""

import dataclasses

import pytest
from lxml import etree

from fshalib.checks import split
from fshalib.switchover.arp import ArpFinding

THEIRS = {"switch": {}, "cluster": {"serves": ["VoiceServices"], "away": ["fs1"]}}
SECOND = ArpFinding("second", "another host (02:00:00:00:00:02) answers for 10.101.20.219 as well")


def lost(status, **state):
    changed = state or {"online": False}
    nodes = tuple(dataclasses.replace(n, **changed) if n.name == "fs2" else n for n in status.nodes)
    return dataclasses.replace(status, nodes=nodes)


def test_a_fence_device_of_a_template_counts(pair):
    root = with_fencing(pair)
    (device,) = root.xpath("//primitive[@id='f']")
    resources = device.getparent()
    etree.SubElement(resources, "template", id="t", **{"class": "stonith", "type": "fence_x"})
    device.attrib.pop("class")
    device.attrib.pop("type")
    device.set("template", "t")
    assert split.has_fencing(root)


def with_fencing(root):
    section = root.find("configuration/crm_config")
    holder = etree.SubElement(section, "cluster_property_set", id="p")
    etree.SubElement(holder, "nvpair", id="s", name="stonith-enabled", value="true")
    for pair in root.xpath("//crm_config//nvpair[@name='stonith-enabled']"):
        pair.set("value", "true")
    resources = root.find("configuration/resources")
    etree.SubElement(resources, "primitive", id="f", **{"class": "stonith", "type": "fence_x"})
    return root


def stopped(root, name="fs2"):
    root.find(f"status/node_state[@uname='{name}']").set("expected", "down")
    return root


def kinds(*args):
    return [danger.kind for danger in split.look(*args)]


def test_a_whole_pair_has_not_split(status, pair):
    assert split.look(status, pair, "fs1", {"fs2": THEIRS}, [SECOND]) == ()


@pytest.mark.parametrize("state", [{"online": False}, {"unclean": True}])
def test_two_nodes_that_both_serve(status, pair, state):
    (danger,) = split.look(lost(status, **state), pair, "fs1", {"fs2": THEIRS}, [])
    assert (danger.kind, danger.node) == (split.SPLIT, "fs2")
    assert danger.text.startswith("SPLIT: this node sees fs2 as ")
    assert "BOTH SERVE VoiceServices and hold 10.101.20.219" in danger.text
    assert "on the other one run 'systemctl stop pacemaker'" in danger.advice
    assert "salt-call --local" in danger.advice


@pytest.mark.parametrize(
    ("me", "serves", "said"),
    [("fs1", [], "fs1 serves"), ("fs3", ["VoiceServices"], "fs2 serves"), ("fs3", [], "nobody")],
)
def test_it_says_who_serves(status, pair, me, serves, said):
    theirs = {"cluster": {"serves": serves, "away": [me]}}
    (danger,) = split.look(lost(status), pair, me, {"fs2": theirs}, [])
    assert said in danger.text


def test_a_node_with_an_older_release_is_up_all_the_same(status, pair):
    assert kinds(lost(status), pair, "fs1", {"fs2": {"switch": {}}}, []) == [split.SPLIT]


def test_another_host_that_answers_is_proof_as_well(status, pair):
    (danger,) = split.look(lost(status), pair, "fs1", {}, [SECOND])
    assert danger.kind == split.SPLIT
    assert SECOND.text in danger.text


def test_what_sees_this_node_has_not_split_from_it(status, pair):
    theirs = {"cluster": {"serves": [], "away": []}}
    assert kinds(lost(status), pair, "fs1", {"fs2": theirs}, []) == []


def test_without_proof_nobody_knows_unless_there_is_fencing(status, pair):
    (danger,) = split.look(lost(status), pair, "fs1", {}, [])
    assert danger.kind == split.LOST
    assert "nobody knows whether it still has 10.101.20.219" in danger.text
    assert split.look(lost(status), with_fencing(pair), "fs1", {}, []) == ()
    assert kinds(lost(status), pair, "fs1", {"fs2": THEIRS}, []) == [split.SPLIT]


def test_a_node_that_stopped_in_an_orderly_way_is_not_lost(status, pair):
    assert kinds(lost(status), stopped(pair), "fs1", {}, [SECOND]) == []
    assert kinds(lost(status, pending=True), pair, "fs1", {}, []) == []


def test_how_a_node_sees_the_pair(status, pair):
    assert split.seen(status, pair, "fs1") == {"serves": ["VoiceServices"], "away": []}
    assert split.seen(lost(status), pair, "fs2") == {"serves": [], "away": ["fs2"]}
