"""Properties, defaults and node attributes: in them others write too, so pairs are owned."""

import pytest

from fshalib.cib import read
from fshalib.cib.nvset import in_pillar
from fshalib.cib.ownership import owned
from fshalib.cib.target import DesiredObjects, target
from tests.unit.build import applied, cib, obj, options, pairs, patch, properties, tag

SCHEMA = "pacemaker-3.9"
FS1 = '<node id="1" uname="fs1">{}</node>'
NIGHT = {"rule": "date spec hours=0-6", "values": {"batch-limit": "1"}}


def node(**spec):
    return obj("node", "fs1", spec)


def values(root):
    return {pair.get("name"): pair.get("value") for pair in root.iter("nvpair")}


# --- node attributes ----------------------------------------------------------------------------


def test_several_sets_with_rules_behind_a_plain_one_keep_their_order():
    first = {"rule": "#uname eq fs1", "values": {"a": "1"}}
    second = {"rule": "date gt 2026-01-01", "values": {"a": "2"}}
    wanted = node(attributes=[{"values": {"a": "0"}}, first, second])
    found = applied(cib(nodes=FS1.format(""), schema=SCHEMA), wanted)
    written = [nvset.find("nvpair").get("value") for nvset in found.iter("instance_attributes")]
    assert written == ["0", "1", "2"]
    assert target(found, DesiredObjects((wanted,), complete=True)).empty


def test_node_attributes_of_others_stay_in_whichever_set_they_stand():
    inner = pairs("instance_attributes", "n", standby="on") + pairs(
        "instance_attributes", "m", rack="5", site="west"
    )
    root = cib(nodes=FS1.format(inner), schema=SCHEMA)
    wanted = node(attributes={"site": "east"}, utilization={"cpu": "2"})
    found = applied(root, wanted)
    assert patch(root, found) == [
        "+ utilization nodes/1/fs1-utilization",
        "nodes/1/m/m-site: value west → east",
    ]
    assert owned(found) == {"m-site", "fs1-utilization-cpu"}
    assert target(found, DesiredObjects((wanted,), complete=True)).empty


def test_a_node_is_known_by_its_name_and_keeps_what_is_the_clusters():
    root = cib(nodes=FS1.format("").replace('id="1"', 'id="42" type="remote"'), schema=SCHEMA)
    found = applied(root, node(description="first"))
    assert [dict(n.attrib) for n in found.iter("node")] == [
        {"id": "42", "uname": "fs1", "type": "remote", "description": "first"}
    ]
    assert target(found, DesiredObjects((node(),))).empty


@pytest.mark.parametrize(
    "leaving", [(node(attributes={"a": "1"}),), (node(),), ()], ids=["one", "all", "the node"]
)
def test_what_leaves_the_pillar_goes_and_what_was_never_ours_stays(leaving):
    theirs = pairs("instance_attributes", "n", standby="on", b="9")
    root = cib(nodes=FS1.format(theirs), schema=SCHEMA)
    first = applied(root, node(attributes={"a": "1", "c": "2"}), complete=True)
    found = target(first, DesiredObjects(leaving, complete=True))
    kept = {"a": "1"} if leaving and leaving[0].spec else {}
    assert values(found.root) == {"standby": "on", "b": "9", **kept}
    assert list(found.changes) == ["fs1"]
    assert found.drifted == ("fs1",)
    assert owned(found.root) == ({"n-a"} if kept else set())
    assert target(found.root, DesiredObjects(leaving, complete=True)).empty


def test_a_single_run_that_does_not_name_a_node_leaves_its_attributes():
    first = applied(cib(nodes=FS1.format("")), node(attributes={"a": "1"}))
    found = target(first, DesiredObjects((properties(batch_limit="5"),)))
    assert values(found.root) == {"a": "1", "batch-limit": "5"}
    assert "fs1-instance_attributes-a" in owned(found.root)


def test_a_set_that_holds_by_a_rule_comes_and_goes_as_a_whole():
    theirs = pairs("instance_attributes", "n", a="1") + (
        '<instance_attributes id="theirs"><rule id="r"><expression id="e" attribute="x" '
        'operation="defined"/></rule><nvpair id="p" name="a" value="7"/></instance_attributes>'
    )
    root = cib(nodes=FS1.format(theirs), schema=SCHEMA)
    ruled = {"rule": "#uname eq fs1", "values": {"a": "2"}}
    wanted = node(attributes=[ruled, {"values": {"b": "3"}}])
    found = applied(root, wanted, complete=True)
    assert [e.get("id") for e in found.iter("instance_attributes")] == [
        "fs1-instance_attributes",
        "n",
        "theirs",
    ]
    assert target(found, DesiredObjects((wanted,), complete=True)).empty
    back = target(found, DesiredObjects((), complete=True))
    assert patch(root, back.root) == []


def test_beside_rules_the_scores_of_plain_sets_count():
    wanted = node(
        attributes=[
            {"rule": "#uname eq fs1", "score": "5", "values": {"a": "1"}},
            {"score": "9", "values": {"a": "2"}},
            {"values": {"b": "3"}},
        ]
    )
    found = applied(cib(nodes=FS1.format(""), schema=SCHEMA), wanted)
    assert [
        (s.get("score"), len(s.findall("nvpair"))) for s in found.iter("instance_attributes")
    ] == [
        ("5", 1),
        ("9", 1),
        (None, 1),
    ]
    lower = node(
        attributes=[in_pillar(wanted.spec["attributes"])[0], {"values": {"a": "2", "b": "3"}}]
    )
    again = applied(found, lower)
    assert {pair.get("value"): pair.getparent().get("score") for pair in again.iter("nvpair")} == {
        "1": "5",
        "2": None,
        "3": None,
    }


# --- cluster properties ---------------------------------------------------------------------------


def test_properties_go_when_they_leave_and_only_ours():
    theirs = pairs("cluster_property_set", "cib-bootstrap-options", maintenance="x")
    root = cib(options=theirs, schema=SCHEMA)
    first = applied(root, properties(batch_limit="5", cluster_delay="9s"), complete=True)
    assert values(first) == {"maintenance": "x", "batch-limit": "5", "cluster-delay": "9s"}
    less = target(first, DesiredObjects((properties(batch_limit="5"),), complete=True))
    assert less.changes == {
        "cib-bootstrap-options": {"values:cluster-delay": {"old": "9s", "new": None}}
    }
    assert values(target(less.root, DesiredObjects((), complete=True)).root) == {"maintenance": "x"}


def test_a_property_that_others_set_is_ours_once_the_pillar_names_it():
    theirs = pairs("cluster_property_set", "cib-bootstrap-options").replace(
        "></", '><nvpair id="x" name="batch-limit" value="5"/></'
    )
    root = cib(options=theirs, schema=SCHEMA)
    found = applied(root, properties(batch_limit="5"), complete=True)
    assert (patch(root, found), owned(found)) == ([], {"x"})
    assert values(target(found, DesiredObjects((), complete=True)).root) == {}


def test_what_the_cluster_writes_is_never_owned_nor_taken():
    theirs = pairs("cluster_property_set", "cib-bootstrap-options").replace(
        "></", '><nvpair id="v" name="dc-version" value="2"/></'
    )
    root = cib(options=theirs, more=tag("v"), schema=SCHEMA)
    found = applied(root, properties(dc_version="3"), complete=True)
    assert (patch(root, found), owned(found)) == ([], set())


def test_properties_with_rules_come_and_go_beside_those_of_others():
    theirs = (
        '<cluster_property_set id="theirs"><rule id="r"><expression id="e" attribute="x" '
        'operation="defined"/></rule><nvpair id="p" name="batch-limit" value="7"/>'
        "</cluster_property_set>"
    )
    root = cib(options=theirs, schema=SCHEMA)
    wanted = options("properties", [NIGHT, {"values": {"batch-limit": "5"}}])
    found = applied(root, wanted, complete=True)
    # Not in cib-bootstrap-options: that comes before all others, and the rule would never count.
    assert owned(found) == {
        "cib-bootstrap-options-cluster_property_set-1",
        "cib-bootstrap-options-cluster_property_set-batch-limit",
    }
    assert target(found, DesiredObjects((wanted,), complete=True)).empty
    back = target(found, DesiredObjects((), complete=True)).root
    assert next(back.iter("cluster_property_set")).get("id") == "theirs"
    assert values(back) == {"batch-limit": "7"}


RULED = {"score": "2", "rule": "date gt 2020-01-01", "values": {"symmetric-cluster": "false"}}
PLAIN = {"score": "1", "values": {"symmetric-cluster": "true", "stonith-enabled": "false"}}
BOOT = {"id": "cib-bootstrap-options", "values": {"symmetric-cluster": "true"}}


def property_sets(root):
    """Return the sets of properties as the cluster takes them: the one that counts first."""
    sets = [
        (s.get("id"), int(s.get("score", "0")), s.find("rule") is not None, values(s))
        for s in root.iter("cluster_property_set")
    ]
    return sorted(sets, key=lambda s: (s[0] != "cib-bootstrap-options", -s[1]))


@pytest.mark.parametrize(
    "there", ["", pairs("cluster_property_set", "cib-bootstrap-options", **{"dc-version": "2"})]
)
def test_a_property_with_a_rule_comes_before_the_plain_one_of_a_lower_score(there):
    root = cib(options=there, schema=SCHEMA)
    wanted = options("properties", [RULED, PLAIN])
    found = applied(root, wanted, complete=True)
    ordered = [s for s in property_sets(found) if "symmetric-cluster" in s[3]]
    assert [(score, ruled) for _, score, ruled, _ in ordered] == [(2, True), (1, False)]
    assert target(found, DesiredObjects((wanted,), complete=True)).empty
    assert property_sets(target(found, DesiredObjects((), complete=True)).root) == property_sets(
        root
    )


def test_the_first_of_all_sets_comes_first_whatever_the_scores():
    wanted = options("properties", [RULED, BOOT])
    found = applied(cib(schema=SCHEMA), wanted, complete=True)
    assert property_sets(found)[0][0] == "cib-bootstrap-options"
    assert property_sets(found)[0][3] == {"symmetric-cluster": "true"}
    assert target(found, DesiredObjects((wanted,), complete=True)).empty


@pytest.mark.parametrize(("before", "after"), [(PLAIN, BOOT), (BOOT, PLAIN)])
def test_a_property_moves_when_its_order_against_a_rule_does(before, after):
    first = applied(cib(schema=SCHEMA), options("properties", [RULED, before]), complete=True)
    wanted = DesiredObjects((options("properties", [RULED, after]),), complete=True)
    found = target(first, wanted)
    assert "precedence:symmetric-cluster" in found.changes["cib-bootstrap-options"]
    ordered = [s for s in property_sets(found.root) if "symmetric-cluster" in s[3]]
    assert [ruled for _, _, ruled, _ in ordered] == [after is PLAIN, after is not PLAIN]
    assert target(found.root, wanted).empty


def test_of_two_plain_sets_the_first_of_all_counts_whatever_its_score():
    inner = pairs("cluster_property_set", "x", **{"batch-limit": "9"}).replace(
        'id="x"', 'id="x" score="5"'
    ) + pairs("cluster_property_set", "cib-bootstrap-options", **{"batch-limit": "5"})
    root = cib(options=inner, schema=SCHEMA)
    (item,) = read.read_all(root)
    assert item.values("sets") == {"batch-limit": "5"}
    assert target(root, DesiredObjects((item,))).changes == {}


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_sets_of_the_same_score_keep_their_order_when_built_anew(order):
    """Pacemaker 2.1 takes the last of them, Pacemaker 3 the first."""
    rule = '<rule id="r"><date_expression id="d" operation="gt" start="2020-01-01"/></rule>'
    sets = {
        "a": f'<cluster_property_set id="a">{rule}<nvpair id="p" name="batch-limit" value="1"/>'
        "</cluster_property_set>",
        "b": pairs("cluster_property_set", "b", **{"batch-limit": "5"}),
    }
    (item,) = read.read_all(cib(options="".join(sets[name] for name in order)))
    found = applied(cib(schema=SCHEMA), item)
    ruled = [s.find("rule") is not None for s in found.iter("cluster_property_set")]
    assert ruled == [name == "a" for name in order]


def test_another_rule_replaces_the_one_that_was_ours():
    first = applied(cib(schema=SCHEMA), options("properties", [NIGHT]), complete=True)
    day = {**NIGHT, "rule": "date spec hours=7-23"}
    found = target(first, DesiredObjects((options("properties", [day]),), complete=True))
    assert [e.get("hours") for e in found.root.iter("date_spec")] == ["7-23"]
    assert list(found.changes["cib-bootstrap-options"]) == ["ruled"]


# --- defaults -----------------------------------------------------------------------------------


def test_whoever_says_something_of_defaults_says_all():
    more = f"<rsc_defaults>{pairs('meta_attributes', 'd', priority='1')}</rsc_defaults>"
    root = cib(more=more, schema=SCHEMA)
    found = target(root, DesiredObjects((options("resource_defaults", {"is-managed": "true"}),)))
    assert values(found.root) == {"is-managed": "true"}


@pytest.mark.parametrize("wanted", [(), (options("resource_defaults", {}),)])
def test_whoever_says_nothing_of_defaults_takes_only_what_was_his(wanted):
    inner = pairs("meta_attributes", "d", priority="1").replace(
        "</", '<nvpair id="x" name="note" value="mine"/></'
    )
    root = cib(more=f"<rsc_defaults>{inner}</rsc_defaults>{tag('x')}", schema=SCHEMA)
    found = target(root, DesiredObjects(wanted, complete=True))
    assert values(found.root) == {"priority": "1"}
    assert found.changes == {"rsc-options": {"values:note": {"old": "mine", "new": None}}}
    nobodys = cib(more=f"<rsc_defaults>{inner}</rsc_defaults>", schema=SCHEMA)
    assert target(nobodys, DesiredObjects(wanted, complete=True)).empty


def test_defaults_with_rules_go_as_they_came():
    sets = [{"rule": "resource ocf:heartbeat:IPaddr2", "values": {"priority": "5"}},
            {"values": {"priority": "1"}}]  # fmt: skip
    start = cib(schema=SCHEMA)
    found = applied(start, options("resource_defaults", sets), complete=True)
    assert target(found, DesiredObjects((options("resource_defaults", sets),), complete=True)).empty
    back = target(found, DesiredObjects((), complete=True)).root
    assert read.read_all(back) == ()


# --- who a tag can name -------------------------------------------------------------------------


def test_users_are_owned_where_a_tag_can_name_them():
    wanted = DesiredObjects((obj("acl_user", "alice", {}),), complete=True)
    for schema, names in (("pacemaker-3.9", {"alice"}), ("pacemaker-3.0", set())):
        found = target(cib(schema=schema), wanted).root
        assert owned(found) == names


def test_a_user_never_takes_along_what_has_his_name():
    theirs = '<primitive id="alice" class="lsb" type="a"/>'
    first = applied(cib(theirs, schema=SCHEMA), obj("acl_user", "alice", {}), complete=True)
    found = target(first, DesiredObjects((), complete=True))
    assert [e.get("id") for e in found.root.iter("primitive")] == ["alice"]
