"""What is wanted, merged into CIBs that people and the cluster have written in."""

import pytest

import fsha_cib
import fsha_normal
from fsha_cib import EMPTY, Wanted, find, parse, read, render, target
from fsha_model import (
    Agent,
    Expression,
    Group,
    Location,
    Operation,
    Primitive,
    Properties,
    ResourceDefaults,
    Rule,
)

DUMMY = Agent("ocf", "Dummy", "heartbeat")


def primitive(name, **rest):
    return Primitive(name, DUMMY, **rest)


def cib(resources="", constraints="", more="", options=""):
    return parse(
        '<cib epoch="5"><configuration>'
        f"<crm_config>{options}</crm_config><nodes/><resources>{resources}</resources>"
        f"<constraints>{constraints}</constraints>{more}</configuration><status/></cib>"
    )


def dummy(name, inner=""):
    return (
        f'<primitive id="{name}" class="ocf" provider="heartbeat" type="Dummy">{inner}</primitive>'
    )


def tag(*names):
    refs = "".join(f'<obj_ref id="{name}"/>' for name in names)
    return f'<tags><tag id="fsha-managed">{refs}</tag></tags>'


def ids(root, *tags):
    return [e.get("id") for e in root.iter(*tags)]


# --- what stays ------------------------------------------------------------------------------


def test_other_spellings_are_left_as_they_are():
    root = cib(
        dummy(
            "p",
            '<meta_attributes id="m"><nvpair id="n" name="resource-stickiness" value="+INFINITY"/>'
            '</meta_attributes><operations><op id="o" name="monitor" interval="2000ms"'
            ' timeout="20" enabled="yes"/></operations>',
        )
    )
    item = primitive(
        "p",
        meta={"resource-stickiness": "INFINITY"},
        operations=(Operation("monitor", "2s", {"timeout": "20s", "enabled": "true"}),),
    )
    before = render(find(root, "p"))
    found = target(root, Wanted((item,)))
    assert found.changes == {}
    assert render(find(found.root, "p")) == before


def test_a_changed_value_keeps_its_id_and_its_place():
    root = cib(
        dummy(
            "p",
            '<instance_attributes id="mine"><nvpair id="a" name="ip" value="10.0.0.1"/>'
            '<nvpair id="b" name="nic" value="eth0"/></instance_attributes>',
        )
    )
    found = target(root, Wanted((primitive("p", params={"nic": "eth0", "ip": "10.0.0.2"}),)))
    pairs = [(e.get("id"), e.get("value")) for e in found.root.iter("nvpair")]
    assert pairs == [("a", "10.0.0.2"), ("b", "eth0")]
    assert found.changes == {"p": {"params:ip": {"old": "10.0.0.1", "new": "10.0.0.2"}}}


def test_parameters_are_compared_letter_by_letter():
    root = cib(
        dummy(
            "p",
            '<instance_attributes id="i"><nvpair id="a" name="timeout" value="20"/>'
            "</instance_attributes>",
        )
    )
    found = target(root, Wanted((primitive("p", params={"timeout": "20s"}),)))
    assert found.changes == {"p": {"params:timeout": {"old": "20", "new": "20s"}}}


@pytest.mark.parametrize("name", ["target-role", "is-managed", "maintenance"])
def test_what_an_operator_sets_on_a_resource_stays(name):
    def meta(owner):
        pair = f'<nvpair id="{owner}-x" name="{name}" value="Stopped"/>'
        return f'<meta_attributes id="{owner}-m">{pair}</meta_attributes>'

    root = cib(f'<group id="g">{meta("g")}{dummy("p", meta("p"))}</group>')
    found = target(root, Wanted((primitive("p"), Group("g", ("p",)))))
    assert found.changes == {}
    assert [e.get("name") for e in found.root.iter("nvpair")] == [name, name]


def test_what_an_operator_sets_gives_way_to_the_pillar_that_names_it():
    pair = '<nvpair id="x" name="target-role" value="Stopped"/>'
    root = cib(dummy("p", f'<meta_attributes id="m">{pair}</meta_attributes>'))
    found = target(root, Wanted((primitive("p", meta={"target-role": "started"}),)))
    assert found.changes == {"p": {"meta:target-role": {"old": "Stopped", "new": "Started"}}}


def test_sets_that_hold_by_rule_and_options_without_a_word_here_stay():
    inner = (
        '<meta_attributes id="night"><rule id="r" score="0"><date_expression id="d" '
        'operation="gt" start="2020-01-01"/></rule><nvpair id="x" name="priority" value="1"/>'
        '</meta_attributes><utilization id="u"><nvpair id="y" name="cpu" value="1"/></utilization>'
        '<operations><op id="o" name="monitor" interval="5s"><instance_attributes id="oi">'
        '<nvpair id="z" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op></operations>'
    )
    root = cib(dummy("p", inner))
    item = primitive("p", params={"a": "b"}, operations=(Operation("monitor", "5s"),))
    found = target(root, Wanted((item,)))
    assert ids(found.root, "nvpair") == ["x", "p-instance_attributes-a", "y", "z"]
    assert [child.tag for child in find(found.root, "p")] == [
        "meta_attributes",
        "instance_attributes",
        "utilization",
        "operations",
    ]


def test_options_that_the_pillar_does_not_name_stay():
    root = cib(
        options='<cluster_property_set id="cib-bootstrap-options">'
        '<nvpair id="a" name="dc-version" value="2.1.5"/>'
        '<nvpair id="b" name="maintenance-mode" value="true"/>'
        '<nvpair id="c" name="stonith-enabled" value="true"/></cluster_property_set>'
    )
    found = target(root, Wanted((Properties({"stonith-enabled": "false", "dc-version": "9"}),)))
    values = {e.get("name"): e.get("value") for e in found.root.iter("nvpair")}
    assert values == {"dc-version": "2.1.5", "maintenance-mode": "true", "stonith-enabled": "false"}
    assert list(found.changes) == ["cib-bootstrap-options"]


def test_an_option_under_its_newer_name_is_the_same_option():
    root = cib(
        options='<cluster_property_set id="cib-bootstrap-options">'
        '<nvpair id="a" name="fencing-enabled" value="no"/></cluster_property_set>'
    )
    found = target(root, Wanted((Properties({"stonith-enabled": "false"}),)))
    assert found.empty
    changed = target(root, Wanted((Properties({"stonith-enabled": "true"}),)))
    values = {e.get("name"): e.get("value") for e in changed.root.iter("nvpair")}
    assert values == {"fencing-enabled": "true"}


def test_a_property_set_of_another_name_is_made_beside_the_first():
    root = cib(options='<cluster_property_set id="cib-bootstrap-options"/>')
    found = target(root, Wanted((Properties({"no-quorum-policy": "stop"}, "mine"),)))
    assert ids(found.root, "cluster_property_set") == ["cib-bootstrap-options", "mine"]


def test_defaults_are_written_into_the_set_that_is_there():
    root = cib(
        more='<rsc_defaults><meta_attributes id="build-resource-defaults">'
        '<nvpair id="a" name="resource-stickiness" value="1"/>'
        '<nvpair id="b" name="migration-threshold" value="3"/></meta_attributes></rsc_defaults>'
    )
    found = target(root, Wanted((ResourceDefaults({"resource-stickiness": "100"}),)))
    assert [(e.get("id"), e.get("value")) for e in found.root.iter("nvpair")] == [("a", "100")]


@pytest.mark.parametrize("item", [Properties({}), ResourceDefaults({})])
def test_nothing_wanted_writes_nothing(item):
    root = parse("<cib><configuration><resources/></configuration></cib>")
    assert target(root, Wanted((item,), complete=True)).empty


def test_missing_sections_are_made_where_the_schema_wants_them():
    root = parse("<cib><configuration><acls/></configuration></cib>")
    wanted = (primitive("p"), Location("l", "p", "fs1", "5"), ResourceDefaults({"priority": "1"}))
    found = target(root, Wanted((*wanted, Properties({"symmetric-cluster": "true"}))))
    assert [child.tag for child in found.root.find("configuration")] == [
        "crm_config",
        "resources",
        "constraints",
        "rsc_defaults",
        "acls",
        "tags",
    ]


# --- primitives and groups -------------------------------------------------------------------


def test_another_agent_leaves_no_trace_of_the_first():
    root = cib(dummy("p"))
    found = target(root, Wanted((Primitive("p", Agent("lsb", "FSSofia")),)))
    assert dict(find(found.root, "p").attrib) == {"id": "p", "class": "lsb", "type": "FSSofia"}
    assert found.changes == {"p": {"agent": {"old": "ocf:heartbeat:Dummy", "new": "lsb:FSSofia"}}}


def test_operations_are_known_by_name_and_interval():
    root = cib(
        dummy(
            "p",
            '<operations><op id="a" name="monitor" interval="5"/>'
            '<op id="b" name="monitor" interval="10s" timeout="20s"/></operations>',
        )
    )
    item = primitive("p", operations=(Operation("monitor", "5s", {"timeout": "9s"}),))
    found = target(root, Wanted((item,)))
    assert ids(found.root, "op") == ["a"]
    assert found.changes == {
        "p": {
            "operations:monitor 5s:timeout": {"old": None, "new": "9s"},
            "operations:monitor 10s": {"old": {"timeout": "20s"}, "new": None},
        }
    }
    bare = target(root, Wanted((primitive("p"),)))
    assert list(bare.root.iter("operations")) == []


def test_new_ids_never_meet_ids_that_are_there():
    root = cib(dummy("q", '<meta_attributes id="p-instance_attributes"/>'))
    found = target(root, Wanted((primitive("p", params={"a": "b"}),)))
    assert ids(find(found.root, "p"), "instance_attributes") == ["p-instance_attributes-1"]


def test_members_stand_in_the_group_in_the_order_that_is_wanted():
    root = cib(f'<group id="g">{dummy("a")}{dummy("b")}</group>{dummy("c")}')
    wanted = (primitive("a"), primitive("b"), primitive("c"), Group("g", ("c", "a", "b")))
    found = target(root, Wanted(wanted))
    assert read(found.root, wanted[-1]).members == ("c", "a", "b")
    assert found.changes == {"g": {"members": {"old": ["a", "b"], "new": ["c", "a", "b"]}}}


def test_who_leaves_a_group_stays_in_the_cluster_in_order():
    root = cib(f'<group id="g">{dummy("a")}{dummy("b")}{dummy("c")}</group>')
    found = target(root, Wanted((Group("g", ("b",)),)))
    assert ids(found.root.find("configuration/resources"), "primitive", "group") == [
        "a",
        "c",
        "g",
        "b",
    ]


def test_a_group_that_its_last_member_leaves_goes_with_what_spoke_of_it():
    root = cib(
        f'<group id="old">{dummy("a")}</group>',
        '<rsc_location id="l" rsc="old" node="fs1" score="5"/>',
    )
    found = target(root, Wanted((primitive("a"), Group("new", ("a",)))))
    assert ids(found.root, "group", "rsc_location") == ["new"]
    assert set(found.removed) == {"old", "l"}
    assert set(found.changes) == {"new", "old", "l"}


def test_two_groups_swap_their_members_and_stay_what_they_are():
    pair = '<nvpair id="x" name="target-role" value="Stopped"/>'
    meta = f'<meta_attributes id="m">{pair}</meta_attributes>'
    root = cib(
        f'<group id="g">{dummy("a")}</group><group id="h">{meta}{dummy("b")}</group>',
        '<rsc_location id="l" rsc="h" node="fs1" score="5"/>',
    )
    found = target(root, Wanted((Group("g", ("b",)), Group("h", ("a",)))))
    assert found.removed == ()
    assert ids(found.root, "nvpair", "rsc_location") == ["x", "l"]
    assert read(found.root, Group("h", ())).members == ("a",)


def test_a_primitive_that_is_taken_out_of_a_clone_leaves_no_hollow_one():
    root = cib(f'<clone id="c">{dummy("a")}</clone>{dummy("b")}')
    found = target(root, Wanted((Group("g", ("a", "b")),)))
    assert ids(found.root, "clone", "group", "primitive") == ["g", "a", "b"]
    assert found.removed == ("c",)


def test_a_member_that_leaves_a_group_within_a_clone_leaves_both():
    root = cib(f'<clone id="c"><group id="g">{dummy("a")}{dummy("b")}</group></clone>')
    found = target(root, Wanted((Group("g", ("a",)),)))
    assert [e.get("id") for e in found.root.find("configuration/resources")] == ["b", "c"]


def test_a_member_that_does_not_exist_is_named():
    with pytest.raises(fsha_cib.UnknownMember) as caught:
        target(cib(), Wanted((Group("g", ("nix",)),)))
    assert (caught.value.group, caught.value.member) == ("g", "nix")
    assert str(caught.value) == "g: the member nix does not exist."


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (primitive("g"), "group"),
        (Group("a", ("a",)), "primitive"),
        (Location("a", "g", "fs1", "5"), "primitive"),
        (primitive("l"), "rsc_location"),
        (primitive("x"), "nvpair"),
    ],
)
def test_an_id_of_another_kind_is_refused(item, found):
    inner = '<meta_attributes id="m"><nvpair id="x" name="priority" value="5"/></meta_attributes>'
    root = cib(
        f'<group id="g">{dummy("a", inner)}</group>',
        '<rsc_location id="l" rsc="g" node="fs1" score="5"/>',
    )
    with pytest.raises(fsha_cib.IdInUse) as caught:
        target(root, Wanted((item,)))
    assert (caught.value.id, caught.value.found) == (item.id, found)
    assert f"already has a {found} of this name" in str(caught.value)


# --- locations -------------------------------------------------------------------------------

BY_HAND = (
    '<rsc_location id="cli-prefer-g" rsc="g" role="Started"><rule id="cli-prefer-rule-g" '
    'score="INFINITY" boolean-op="and"><expression id="cli-prefer-expr-g" attribute="#uname" '
    'operation="eq" value="fs1" type="string"/></rule></rsc_location>'
)
BY_PILLAR = Location(
    "cli-prefer-g",
    "g",
    rules=(Rule("INFINITY", (Expression("#uname", "eq", "fs1"),), "cli-prefer-rule-g"),),
)


def test_a_rule_as_crm_resource_writes_it_is_the_same():
    root = cib(dummy("g"), BY_HAND)
    assert target(root, Wanted((BY_PILLAR,))).changes == {}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('role="Started"', 'role="Promoted"', "other"),
        ('rsc="g"', 'rsc-pattern="g"', "other"),
        ('rsc="g"', 'rsc="g" resource-discovery="never"', "other"),
        ('score="INFINITY"', 'score-attribute="x"', "rules"),
        ('value="fs1"', 'value="fs2"', "rules"),
        (
            "</rule>",
            '<date_expression id="d" operation="lt" end="2020-01-01"/></rule>',
            "rules",
        ),
        ("<rule", '<lifetime><rule id="q" score="0"/></lifetime><rule', "other"),
    ],
)
def test_whatever_else_a_constraint_says_is_a_difference_and_corrected(old, new, path):
    assert old in BY_HAND
    root = cib(dummy("g"), BY_HAND.replace(old, new))
    found = target(root, Wanted((BY_PILLAR,)))
    assert path in found.changes["cli-prefer-g"]
    assert fsha_normal.normal(read(found.root, BY_PILLAR)) == fsha_normal.normal(BY_PILLAR)
    assert target(found.root, Wanted((BY_PILLAR,))).empty


def test_a_node_and_score_become_a_rule_and_back():
    root = cib(dummy("g"), BY_HAND)
    plain = Location("cli-prefer-g", "g", "fs1", "50")
    found = target(root, Wanted((plain,)))
    element = find(found.root, "cli-prefer-g")
    assert (dict(element.attrib), len(element)) == (
        {"id": "cli-prefer-g", "rsc": "g", "node": "fs1", "score": "50"},
        0,
    )
    back = target(found.root, Wanted((BY_PILLAR,)))
    assert ids(back.root, "rule") == ["cli-prefer-rule-g"]


# --- what goes -------------------------------------------------------------------------------


def test_complete_removes_what_was_managed_and_is_no_longer_named():
    root = cib(dummy("a") + dummy("b") + dummy("theirs"), more=tag("a", "b"))
    found = target(root, Wanted((primitive("a"),), complete=True))
    assert ids(found.root, "primitive", "obj_ref") == ["a", "theirs", "a"]
    assert found.removed == ("b",)
    assert found.drifted == ("b",)
    assert found.unmanaged == ("theirs",)
    assert found.changes["b"]["object"]["new"] is None


def test_complete_removes_a_managed_preference_that_looks_like_an_operators():
    root = cib(dummy("g"), BY_HAND, tag("g", "cli-prefer-g"))
    found = target(root, Wanted((primitive("g"),), complete=True))
    assert found.removed == ("cli-prefer-g",)


def test_incomplete_leaves_what_it_does_not_name():
    root = cib(dummy("a") + dummy("b"), more=tag("a", "b"))
    found = target(root, Wanted((primitive("a"),)))
    assert found.empty
    assert fsha_cib.owned(found.root) == {"a", "b"}


def test_purge_removes_other_peoples_objects_but_no_operators_ban():
    root = cib(
        dummy("a") + dummy("theirs"),
        '<rsc_location id="cli-ban-a-on-fs1" rsc="a" role="Started" node="fs1" score="-INFINITY"/>'
        '<rsc_order id="o" first="a" then="theirs"/>',
    )
    kept = target(root, Wanted((primitive("a"),), complete=True))
    assert kept.unmanaged == ("theirs", "o")
    assert kept.removed == ()
    purged = target(root, Wanted((primitive("a"),), complete=True, purge=True))
    assert purged.removed == ("theirs", "o")
    assert ids(purged.root, "rsc_location") == ["cli-ban-a-on-fs1"]
    assert set(purged.drifted) == {"theirs", "o"}


def test_purge_of_a_container_spares_what_is_wanted_in_it():
    root = cib(f'<clone id="c"><group id="g">{dummy("a")}{dummy("x")}</group></clone>')
    found = target(root, Wanted((primitive("a"),), complete=True, purge=True))
    assert ids(found.root, "clone", "group", "primitive") == ["a"]
    assert found.removed == ("c", "g", "x")


def test_absent_goes_with_all_that_refers_to_it():
    root = cib(
        dummy("a") + dummy("b") + dummy("c"),
        '<rsc_location id="l" rsc="a" node="fs1" score="1"/>'
        '<rsc_colocation id="c1" rsc="b" with-rsc="a" score="1"/>'
        '<rsc_order id="o1" first="a" then="b"/>'
        '<rsc_order id="o2" first="b" then="c"/>'
        '<rsc_order id="sets"><resource_set id="s1"><resource_ref id="a"/></resource_set>'
        '<resource_set id="s2"><resource_ref id="b"/><resource_ref id="c"/></resource_set>'
        "</rsc_order>"
        '<rsc_colocation id="lone"><resource_set id="s3"><resource_ref id="a"/></resource_set>'
        "</rsc_colocation>",
        '<tags><tag id="t"><obj_ref id="a"/><obj_ref id="b"/></tag>'
        '<tag id="u"><obj_ref id="a"/></tag></tags>',
    )
    found = target(root, Wanted(absent=("a",)))
    assert ids(found.root.find("configuration"), "primitive", "rsc_location", "rsc_colocation") == [
        "b",
        "c",
    ]
    assert ids(found.root, "rsc_order", "resource_set", "resource_ref") == [
        "o2",
        "sets",
        "s2",
        "b",
        "c",
    ]
    assert ids(found.root, "tag", "obj_ref") == ["t", "b"]
    assert set(found.removed) == {"a", "l", "c1", "o1", "lone"}


def test_the_last_member_takes_its_group_along():
    root = cib(
        f'<group id="g">{dummy("a")}</group>',
        '<rsc_location id="l" rsc="g" node="fs1" score="1"/>',
    )
    found = target(root, Wanted(absent=("a",)))
    assert ids(found.root, "group", "primitive", "rsc_location") == []
    assert set(found.removed) == {"g", "a", "l"}


def test_a_removed_group_leaves_its_members_in_order():
    root = cib(f'{dummy("z")}<group id="g">{dummy("a")}{dummy("b")}</group>')
    found = target(root, Wanted(absent=("g",)))
    assert ids(found.root, "primitive", "group") == ["z", "a", "b"]


@pytest.mark.parametrize("name", ["nix", "x", "fsha-managed", "cib-bootstrap-options"])
def test_absent_touches_resources_and_constraints_only(name):
    root = cib(
        dummy(
            "a",
            '<meta_attributes id="m"><nvpair id="x" name="priority" value="5"/></meta_attributes>',
        ),
        more=tag("a"),
        options='<cluster_property_set id="cib-bootstrap-options"/>',
    )
    assert target(root, Wanted(absent=(name,))).empty
    assert fsha_cib.removal(root, name) == {}


# --- ownership -------------------------------------------------------------------------------


def test_ownership_is_written_beside_other_tags_and_taken_back():
    root = cib(dummy("a"), more='<tags><tag id="theirs"><obj_ref id="a"/></tag></tags>')
    found = target(root, Wanted((primitive("a"),)))
    assert fsha_cib.owned(found.root) == {"a"}
    assert found.changes == {}
    assert not found.empty
    bare = target(found.root, Wanted((), complete=True))
    assert bare.root.find("configuration/tags") is None


def test_what_was_removed_by_hand_is_made_again_although_the_tag_names_it():
    root = cib(dummy("a"), more=tag("a", "l"))
    found = target(root, Wanted((primitive("a"), Location("l", "a", "fs1", "5")), complete=True))
    assert found.drifted == ("l",)
    assert found.changes["l"]["object"]["old"] is None
    assert ids(found.root, "rsc_location") == ["l"]


def test_what_was_removed_by_hand_and_is_not_wanted_leaves_the_tag():
    root = cib(dummy("a"), more=tag("a", "l"))
    found = target(root, Wanted((primitive("a"),)))
    assert fsha_cib.owned(found.root) == {"a"}
    assert found.changes == {}


def test_drift_is_only_what_was_managed_before():
    root = cib(dummy("a") + dummy("b"), more=tag("a"))
    changed = {"params": {"x": "y"}}
    wanted = (primitive("a", **changed), primitive("b", **changed), primitive("c"))
    found = target(root, Wanted(wanted, complete=True))
    assert set(found.changes) == {"a", "b", "c"}
    assert found.drifted == ("a",)


def test_an_option_drifts_once_anything_is_managed():
    wanted = Wanted((Properties({"stonith-enabled": "false"}),))
    assert target(cib(), wanted).drifted == ()
    assert target(cib(dummy("a"), more=tag("a")), wanted).drifted == ("cib-bootstrap-options",)


# --- for people ------------------------------------------------------------------------------


def test_xml_that_is_shown_hides_secrets():
    inner = (
        '<instance_attributes id="i"><nvpair id="x" name="passwd" value="hunter2"/>'
        '<nvpair id="y" name="ip" value="10.0.0.1"/></instance_attributes>'
    )
    root = cib(f'<clone id="c">{dummy("a", inner)}</clone>')
    shown = fsha_cib.describe(root, "c")
    assert "hunter2" not in shown
    assert "10.0.0.1" in shown
    assert "hunter2" in render(root)


def test_one_objects_changes_are_told_in_the_light_of_all_others():
    root = parse(EMPTY)
    items = (Group("g", ("a",)), primitive("a"))
    found = fsha_cib.object_changes(root, Wanted(items), items[0])
    assert found == {"object": {"old": None, "new": {"members": ["a"], "meta": {}}}}
    assert list(root.find("configuration/resources")) == []
