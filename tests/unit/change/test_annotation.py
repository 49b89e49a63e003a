"""Who set something, why and until when, beside it in the CIB."""

import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fshalib.change import annotation
from fshalib.change.annotation import (
    Annotation,
    BadAnnotation,
    annotate,
    parse,
    set_on_cluster,
    set_on_node,
)

NOW = datetime(2026, 9, 1, 12, 0, tzinfo=timezone.utc)
CIB = """<cib><configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="x" name="stonith-enabled" value="true"/></cluster_property_set></crm_config><nodes>
<node id="1" uname="fs1"/><node id="2" uname="fs2"><instance_attributes id="mine"><nvpair id="y"
name="site" value="a"/></instance_attributes></node></nodes></configuration></cib>"""


@pytest.fixture
def root():
    return etree.fromstring(CIB)


def pairs(root, path):
    return {p.get("name"): p.get("value") for p in root.iterfind(f"{path}//nvpair")}


TIMES = st.datetimes(datetime(2000, 1, 1)).map(lambda t: t.strftime(annotation.FORM))


@given(st.text(), st.text(), st.one_of(st.none(), TIMES))
def test_parse_and_render(by, reason, until):
    root = etree.fromstring(CIB)
    note = Annotation(by, reason, "2026-09-01T12:00:00Z", until)
    new = set_on_node(root, "fs2", "standby", "on", note)
    assert parse(pairs(new, "configuration/nodes")["fsha-standby"]) == note


def test_set_and_lift_leave_the_rest_alone(root):
    before = etree.tostring(root)
    note = annotate("alice", "disk", "2h", NOW)
    new = set_on_node(root, "fs2", "standby", "on", note)
    assert etree.tostring(root) == before
    found = pairs(new, "configuration/nodes")
    assert (found["site"], found["standby"]) == ("a", "on")
    assert len({e.get("id") for e in new.iter("nvpair")}) == 4
    back = set_on_node(new, "fs2", "standby", None, None)
    assert etree.tostring(back) == before
    both = set_on_cluster(new, "maintenance-mode", "true", note)
    assert pairs(both, "configuration/crm_config")["maintenance-mode"] == "true"
    again = set_on_cluster(both, "maintenance-mode", "true", annotate("bob", "more", None, NOW))
    assert parse(pairs(again, "configuration/crm_config")["fsha-maintenance"]).by == "bob"
    assert etree.tostring(set_on_cluster(again, "maintenance-mode", None, None)) == etree.tostring(
        new
    )


def test_a_node_without_attributes_and_one_that_is_none(root):
    new = set_on_node(root, "fs1", "standby", "on", annotate("al", "x", None, NOW))
    assert new.find("configuration/nodes/node[@id='1']/instance_attributes").get("id") == "nodes-1"
    with pytest.raises(BadAnnotation, match="fs9 is no node"):
        set_on_node(root, "fs9", "standby", "on", None)


@pytest.mark.parametrize("since", ["today", 5, None, "2026-13-01T00:00:00Z"])
def test_what_has_no_time_is_no_annotation(since):
    text = json.dumps({"by": "x", "reason": "y", "since": since})
    assert parse(text) is None
    until = json.dumps({"by": "x", "reason": "y", "since": "2026-09-01T12:00:00Z", "until": 5})
    assert parse(until) is None


def test_its_time():
    note = annotate("al", " new \n disk ", "90min", NOW)
    assert (note.reason, note.since, note.until) == (
        "new disk", "2026-09-01T12:00:00Z", "2026-09-01T13:30:00Z"
    )  # fmt: skip
    assert not note.is_over(NOW)
    assert note.is_over(NOW.replace(hour=14))
    assert not annotate("al", "x", None, NOW).is_over(NOW.replace(year=2030))


@pytest.mark.parametrize("ttl", ["soon", "-1", 0, "0s", "2000 days", True, "1.5h"])
def test_no_time(ttl):
    with pytest.raises(BadAnnotation, match="ttl"):
        annotate("al", "x", ttl, NOW)


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"by":1,"reason":"","since":""}', "null"])
def test_what_is_no_annotation(text):
    assert parse(text) is None
    assert set(annotation.NAMES) == {"standby", "maintenance-mode"}


def test_a_standby_until_pacemaker_stops_goes_as_well():
    assert annotation.online("fs2", "bob", NOW).transient == ""
    assert annotation.online("fs2", "bob", NOW, transient=True).transient == "standby"


def test_what_an_operator_sets_and_lifts(root):
    before = etree.tostring(root)
    note = annotate("alice", "disk", "2h", NOW)
    set_ = [annotation.standby("fs2", note), annotation.maintenance(note)]
    lifted = [annotation.online("fs2", "bob", NOW), annotation.no_maintenance("bob", NOW)]
    for one, back in zip(set_, lifted, strict=True):
        there = one.edit(root)
        assert etree.tostring(there) != before
        assert etree.tostring(one.edit(there)) == etree.tostring(there)
        assert etree.tostring(back.edit(there)) == before
        assert (one.note, back.note.by, back.about) == (note, "bob", one.about)
    assert [(one.verb, one.subject, one.what) for one in (*set_, *lifted)] == [
        ("standby", "fs2", "fs2 is in standby"),
        ("maintenance", "on", "maintenance mode is on"),
        ("online", "fs2", "fs2 is online"),
        ("maintenance", "off", "maintenance mode is off"),
    ]
