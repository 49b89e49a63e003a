"""What is wanted, merged into CIBs that people and the cluster have written in."""

import pytest

from fshalib.cib import compare, merge, ownership, references
from fshalib.cib import read as cib_read
from fshalib.cib.document import EMPTY, Document, parse, render
from fshalib.cib.kinds import ONE_IDS, normal
from fshalib.cib.read import find, read
from fshalib.cib.target import DesiredObjects, target
from tests.unit.build import (
    applied,
    cib,
    dummy,
    group,
    ids,
    location,
    obj,
    options,
    primitive,
    properties,
    tag,
)

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
        operations=[{"name": "monitor", "interval": "2s", "timeout": "20s", "enabled": "true"}],
    )
    before = render(find(root, "p"))
    found = target(root, DesiredObjects((item,)))
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
    found = target(
        root, DesiredObjects((primitive("p", params={"nic": "eth0", "ip": "10.0.0.2"}),))
    )
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
    found = target(root, DesiredObjects((primitive("p", params={"timeout": "20s"}),)))
    assert found.changes == {"p": {"params:timeout": {"old": "20", "new": "20s"}}}


@pytest.mark.parametrize("name", ["target-role", "is-managed", "maintenance"])
def test_what_an_operator_sets_on_a_resource_stays(name):
    def meta(owner):
        pair = f'<nvpair id="{owner}-x" name="{name}" value="Stopped"/>'
        return f'<meta_attributes id="{owner}-m">{pair}</meta_attributes>'

    root = cib(f'<group id="g">{meta("g")}{dummy("p", meta("p"))}</group>')
    found = target(root, DesiredObjects((primitive("p"), group("g", "p"))))
    assert found.changes == {}
    assert [e.get("name") for e in found.root.iter("nvpair")] == [name, name]


def test_what_an_operator_sets_gives_way_to_the_pillar_that_names_it():
    pair = '<nvpair id="x" name="target-role" value="Stopped"/>'
    root = cib(dummy("p", f'<meta_attributes id="m">{pair}</meta_attributes>'))
    found = target(root, DesiredObjects((primitive("p", meta={"target-role": "started"}),)))
    assert found.changes == {"p": {"meta:target-role": {"old": "Stopped", "new": "Started"}}}


def test_whatever_else_an_object_of_ours_says_is_a_difference():
    inner = (
        '<meta_attributes id="night"><rule id="r" score="0"><date_expression id="d" '
        'operation="gt" start="2020-01-01"/></rule><nvpair id="x" name="priority" value="1"/>'
        '</meta_attributes><utilization id="u"><nvpair id="y" name="cpu" value="1"/></utilization>'
        '<operations><op id="o" name="monitor" interval="5s"><instance_attributes id="oi">'
        '<nvpair id="z" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op></operations>'
    )
    root = cib(dummy("p", inner))
    item = primitive("p", params={"a": "b"}, operations=[{"name": "monitor", "interval": "5s"}])
    found = target(root, DesiredObjects((item,)))
    assert found.changes == {
        "p": {
            "params:a": {"old": None, "new": "b"},
            "meta": {
                "old": [{"rule": "date gt 2020-01-01", "values": {"priority": "1"}}],
                "new": None,
            },
            "utilization:cpu": {"old": "1", "new": None},
            "operations:monitor 5s:params": {"old": {"OCF_CHECK_LEVEL": "10"}, "new": None},
        }
    }
    assert ids(find(found.root, "p"), "*") == [
        "p",
        "p-instance_attributes",
        "p-instance_attributes-a",
        None,
        "o",
    ]


def test_options_that_the_pillar_does_not_name_stay():
    root = cib(
        options='<cluster_property_set id="cib-bootstrap-options">'
        '<nvpair id="a" name="dc-version" value="2.1.5"/>'
        '<nvpair id="b" name="maintenance-mode" value="true"/>'
        '<nvpair id="c" name="stonith-enabled" value="true"/></cluster_property_set>'
    )
    found = target(root, DesiredObjects((properties(stonith_enabled="false", dc_version="9"),)))
    values = {e.get("name"): e.get("value") for e in found.root.iter("nvpair")}
    assert values == {"dc-version": "2.1.5", "maintenance-mode": "true", "stonith-enabled": "false"}
    assert list(found.changes) == ["cib-bootstrap-options"]


def test_an_option_under_its_newer_name_is_the_same_option():
    root = cib(
        options='<cluster_property_set id="cib-bootstrap-options">'
        '<nvpair id="a" name="fencing-enabled" value="no"/></cluster_property_set>'
    )
    found = target(root, DesiredObjects((properties(stonith_enabled="false"),)))
    assert (found.changes, ownership.owned(found.root)) == ({}, {"a"})
    assert target(found.root, DesiredObjects((properties(stonith_enabled="false"),))).empty
    changed = target(root, DesiredObjects((properties(stonith_enabled="true"),)))
    values = {e.get("name"): e.get("value") for e in changed.root.iter("nvpair")}
    assert values == {"fencing-enabled": "true"}


def test_an_option_is_changed_in_whichever_set_it_stands():
    root = cib(
        options='<cluster_property_set id="theirs"><nvpair id="a" name="no-quorum-policy" '
        'value="ignore"/></cluster_property_set><cluster_property_set id="cib-bootstrap-options"/>'
    )
    wanted = DesiredObjects((properties(no_quorum_policy="stop", batch_limit="5"),))
    found = target(root, wanted)
    assert [(e.get("id"), e.get("value")) for e in found.root.iter("nvpair")] == [
        ("a", "stop"),
        ("cib-bootstrap-options-batch-limit", "5"),
    ]


def test_defaults_are_written_into_the_set_that_is_there():
    root = cib(
        more='<rsc_defaults><meta_attributes id="build-resource-defaults">'
        '<nvpair id="a" name="resource-stickiness" value="1"/>'
        '<nvpair id="b" name="migration-threshold" value="3"/></meta_attributes></rsc_defaults>'
    )
    found = target(
        root, DesiredObjects((options("resource_defaults", {"resource-stickiness": "100"}),))
    )
    assert [(e.get("id"), e.get("value")) for e in found.root.iter("nvpair")] == [("a", "100")]


@pytest.mark.parametrize("item", [options(kind, {}) for kind in ONE_IDS])
def test_nothing_wanted_writes_nothing(item):
    root = parse("<cib><configuration><resources/></configuration></cib>")
    assert target(root, DesiredObjects((item,), complete=True)).empty


def test_missing_sections_are_made_where_the_schema_wants_them():
    root = parse("<cib><configuration><acls/></configuration></cib>")
    wanted = (
        primitive("p"),
        location("l", "p", "fs1", "5"),
        options("resource_defaults", {"priority": "1"}),
    )
    found = target(root, DesiredObjects((*wanted, properties(symmetric_cluster="true"))))
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
    found = target(root, DesiredObjects((primitive("p", "lsb:FSSofia"),)))
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
    item = primitive("p", operations=[{"name": "monitor", "interval": "5s", "timeout": "9s"}])
    found = target(root, DesiredObjects((item,)))
    assert ids(found.root, "op") == ["a"]
    assert found.changes == {
        "p": {
            "operations:monitor 5s:timeout": {"old": None, "new": "9s"},
            "operations:monitor 10s": {"old": {"timeout": "20s"}, "new": None},
        }
    }
    bare = target(root, DesiredObjects((primitive("p"),)))
    assert list(bare.root.iter("operations")) == []


def test_new_ids_never_meet_ids_that_are_there():
    root = cib(dummy("q", '<meta_attributes id="p-instance_attributes"/>'))
    found = target(root, DesiredObjects((primitive("p", params={"a": "b"}),)))
    assert ids(find(found.root, "p"), "instance_attributes") == ["p-instance_attributes-1"]


def test_members_stand_in_the_group_in_the_order_that_is_wanted():
    root = cib(f'<group id="g">{dummy("a")}{dummy("b")}</group>{dummy("c")}')
    wanted = (primitive("a"), primitive("b"), primitive("c"), group("g", "c", "a", "b"))
    found = target(root, DesiredObjects(wanted))
    assert read(found.root, wanted[-1]).members == ("c", "a", "b")
    assert found.changes == {"g": {"members": {"old": ["a", "b"], "new": ["c", "a", "b"]}}}


def test_who_leaves_a_group_stays_in_the_cluster_in_order():
    root = cib(f'<group id="g">{dummy("a")}{dummy("b")}{dummy("c")}</group>')
    found = target(root, DesiredObjects((group("g", "b"),)))
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
    found = target(root, DesiredObjects((primitive("a"), group("new", "a"))))
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
    found = target(root, DesiredObjects((group("g", "b"), group("h", "a"))))
    assert found.removed == ()
    assert ids(found.root, "nvpair", "rsc_location") == ["x", "l"]
    assert read(found.root, group("h")).members == ("a",)


def test_a_primitive_that_is_taken_out_of_a_clone_leaves_no_hollow_one():
    root = cib(f'<clone id="c">{dummy("a")}</clone>{dummy("b")}')
    found = target(root, DesiredObjects((group("g", "a", "b"),)))
    assert ids(found.root, "clone", "group", "primitive") == ["g", "a", "b"]
    assert found.removed == ("c",)


def test_a_member_that_leaves_a_group_within_a_clone_leaves_both():
    root = cib(f'<clone id="c"><group id="g">{dummy("a")}{dummy("b")}</group></clone>')
    found = target(root, DesiredObjects((group("g", "a"),)))
    assert [e.get("id") for e in found.root.find("configuration/resources")] == ["b", "c"]


def test_a_member_that_does_not_exist_is_named():
    with pytest.raises(merge.UnknownMember) as caught:
        target(cib(), DesiredObjects((group("g", "nix"),)))
    assert (caught.value.container, caught.value.member) == ("g", "nix")
    assert str(caught.value) == "g: the member nix does not exist."


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (primitive("g"), "group"),
        (group("a", "a"), "primitive"),
        (location("a", "g", "fs1", "5"), "primitive"),
        (primitive("l"), "location constraint"),
        (primitive("x"), "nvpair"),
    ],
)
def test_an_id_of_another_kind_is_refused(item, found):
    inner = '<meta_attributes id="m"><nvpair id="x" name="priority" value="5"/></meta_attributes>'
    root = cib(
        f'<group id="g">{dummy("a", inner)}</group>',
        '<rsc_location id="l" rsc="g" node="fs1" score="5"/>',
    )
    with pytest.raises(cib_read.IdInUse) as caught:
        target(root, DesiredObjects((item,)))
    assert (caught.value.id, caught.value.found) == (item.id, found)
    assert f"already has a {found} of this name" in str(caught.value)


# --- locations -------------------------------------------------------------------------------

BY_HAND = (
    '<rsc_location id="cli-prefer-g" rsc="g" role="Started"><rule id="cli-prefer-rule-g" '
    'score="INFINITY" boolean-op="and"><expression id="cli-prefer-expr-g" attribute="#uname" '
    'operation="eq" value="fs1" type="string"/></rule></rsc_location>'
)
BY_PILLAR = obj(
    "location",
    "cli-prefer-g",
    {
        "resource": "g",
        "rules": [
            {"id": "cli-prefer-rule-g", "score": "INFINITY", "expression": "#uname eq fs1"},
        ],
    },
)


def test_a_rule_as_crm_resource_writes_it_is_the_same():
    root = cib(dummy("g"), BY_HAND)
    assert target(root, DesiredObjects((BY_PILLAR,))).changes == {}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('role="Started"', 'role="Promoted"', "role"),
        ('rsc="g"', 'rsc-pattern="g"', "rsc-pattern"),
        ('rsc="g"', 'rsc="g" resource-discovery="never"', "resource-discovery"),
        ('rsc="g"', 'rsc="g" odd="never"', "other"),
        ('score="INFINITY"', 'score-attribute="x"', "rules"),
        ('value="fs1"', 'value="fs2"', "rules"),
        (
            "</rule>",
            '<date_expression id="d" operation="lt" end="2020-01-01"/></rule>',
            "rules",
        ),
        ("</rule></rsc", '</rule><lifetime><rule id="q"/></lifetime></rsc', "other"),
    ],
)
def test_whatever_else_a_constraint_says_is_a_difference_and_corrected(old, new, path):
    assert old in BY_HAND
    root = cib(dummy("g"), BY_HAND.replace(old, new))
    found = target(root, DesiredObjects((BY_PILLAR,)))
    assert path in found.changes["cli-prefer-g"]
    assert normal(read(found.root, BY_PILLAR)) == normal(BY_PILLAR)
    assert target(found.root, DesiredObjects((BY_PILLAR,))).empty


def test_a_node_and_score_become_a_rule_and_back():
    root = cib(dummy("g"), BY_HAND)
    plain = location("cli-prefer-g", "g", "fs1", "50")
    found = target(root, DesiredObjects((plain,)))
    element = find(found.root, "cli-prefer-g")
    assert (dict(element.attrib), len(element)) == (
        {"id": "cli-prefer-g", "rsc": "g", "node": "fs1", "score": "50"},
        0,
    )
    back = target(found.root, DesiredObjects((BY_PILLAR,)))
    assert ids(back.root, "rule") == ["cli-prefer-rule-g"]


# --- what goes -------------------------------------------------------------------------------


def test_complete_removes_what_was_managed_and_is_no_longer_named():
    root = cib(dummy("a") + dummy("b") + dummy("theirs"), more=tag("a", "b"))
    found = target(root, DesiredObjects((primitive("a"),), complete=True))
    assert ids(found.root, "primitive", "obj_ref") == ["a", "theirs", "a"]
    assert found.removed == ("b",)
    assert found.drifted == ("b",)
    assert found.unmanaged == ("theirs",)
    assert found.changes["b"]["object"]["new"] is None


def test_complete_removes_a_managed_preference_that_looks_like_an_operators():
    root = cib(dummy("g"), BY_HAND, tag("g", "cli-prefer-g"))
    found = target(root, DesiredObjects((primitive("g"),), complete=True))
    assert found.removed == ("cli-prefer-g",)


def test_incomplete_leaves_what_it_does_not_name():
    root = cib(dummy("a") + dummy("b"), more=tag("a", "b"))
    found = target(root, DesiredObjects((primitive("a"),)))
    assert found.empty
    assert ownership.owned(found.root) == {"a", "b"}


def test_purge_removes_other_peoples_objects_but_no_operators_ban():
    root = cib(
        dummy("a") + dummy("theirs"),
        '<rsc_location id="cli-ban-a-on-fs1" rsc="a" role="Started" node="fs1" score="-INFINITY"/>'
        '<rsc_order id="o" first="a" then="theirs"/>',
    )
    kept = target(root, DesiredObjects((primitive("a"),), complete=True))
    assert kept.unmanaged == ("theirs", "o")
    assert kept.removed == ()
    purged = target(root, DesiredObjects((primitive("a"),), complete=True, purge=True))
    assert purged.removed == ("theirs", "o")
    assert ids(purged.root, "rsc_location") == ["cli-ban-a-on-fs1"]
    assert set(purged.drifted) == {"theirs", "o"}


def test_purge_of_a_container_spares_what_is_wanted_in_it():
    root = cib(f'<clone id="c"><group id="g">{dummy("a")}{dummy("x")}</group></clone>')
    found = target(root, DesiredObjects((primitive("a"),), complete=True, purge=True))
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
    found = target(root, DesiredObjects(absent=("a",)))
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
    assert set(found.removed) == {"a", "l", "c1", "o1", "lone", "u"}


def test_what_a_constraint_is_about_takes_it_along_whatever_else_it_says():
    sets = '<resource_set id="s{0}"><resource_ref id="a"/></resource_set>'
    rule = '<rule id="r"><expression id="e" attribute="x" operation="defined"/></rule>'
    root = cib(
        dummy("a") + dummy("b"),
        f'<rsc_location id="l">{sets.format(1)}{rule}</rsc_location>'
        f'<rsc_ticket id="t" ticket="x">{sets.format(2)}</rsc_ticket>'
        '<rsc_location id="m" rsc="b" node="fs1" score="1"/>',
        schema="pacemaker-3.9",
    )
    found = applied(root, absent=("a",))
    assert ids(found.find("configuration/constraints"), "*") == [None, "m"]


def test_devices_and_roles_go_from_where_they_are_named():
    root = cib(
        dummy("a") + dummy("b"),
        more='<fencing-topology><fencing-level id="f1" target="x" index="1" devices="a,b"/>'
        '<fencing-level id="f2" target="x" index="2" devices="a"/></fencing-topology>'
        '<acls><acl_role id="r"><acl_permission id="p1" kind="read" reference="a"/>'
        '<acl_permission id="p2" kind="read" reference="b"/></acl_role>'
        '<acl_role id="s"/><acl_target id="alice"><role id="r"/><role id="s"/></acl_target>'
        '<acl_group id="ops"><role id="s"/></acl_group></acls>',
        schema="pacemaker-3.9",
    )
    found = applied(root, absent=("a", "s"))
    assert [(e.get("id"), e.get("devices")) for e in found.iter("fencing-level")] == [("f1", "b")]
    assert ids(found, "acl_permission", "role") == ["p2", "r"]
    assert ids(found, "acl_target", "acl_group") == ["alice", "ops"]


@pytest.mark.parametrize(
    ("item", "id"),
    [
        (location("l", "nix"), "nix"),
        (obj("order", "o", {"first": "a", "then": "nix"}), "nix"),
        (obj("colocation", "c", {"sets": [{"resources": ["a", "nix"]}]}), "nix"),
        (obj("acl_user", "u", {"roles": ["nix"]}), "nix"),
        (obj("acl_role", "r", {"permissions": [{"kind": "read", "reference": "nix"}]}), "nix"),
        (obj("primitive", "p", {"template": "nix"}), "nix"),
        (primitive("p", params=[{"id-ref": "nix"}]), "nix"),
    ],
)
def test_what_is_referred_to_must_be_there(item, id):
    with pytest.raises(references.UnknownReference) as caught:
        target(cib(dummy("a")), DesiredObjects((item,)))
    assert (caught.value.owner, caught.value.id) == (item.id, id)
    assert f"{item.id} refers to nix, which is neither" in str(caught.value)


def test_what_others_take_their_values_from_is_not_removed():
    root = cib(
        '<template id="t" class="lsb" type="a"/><primitive id="p" template="t"/>'
        + dummy("a", '<instance_attributes id="i"><nvpair id="x" name="n" value="1"/>'
                "</instance_attributes>")
        + dummy("b", '<instance_attributes id-ref="i"/>')
    )  # fmt: skip
    for gone, user, used in (("t", "p", "t"), ("a", "b", "i")):
        with pytest.raises(references.UnknownReference) as caught:
            target(root, DesiredObjects(absent=(gone,)))
        assert (caught.value.owner, caught.value.id) == (user, used)
    assert target(root, DesiredObjects(absent=("t", "p", "a", "b"))).removed == ("t", "p", "a", "b")


def test_what_dangles_already_is_nobodys_business_here():
    root = cib(dummy("a"), '<rsc_location id="l" rsc="nix" node="fs1" score="1"/>')
    assert target(root, DesiredObjects((primitive("a"),))).changes == {}


def test_the_last_member_takes_its_group_along():
    root = cib(
        f'<group id="g">{dummy("a")}</group>',
        '<rsc_location id="l" rsc="g" node="fs1" score="1"/>',
    )
    found = target(root, DesiredObjects(absent=("a",)))
    assert ids(found.root, "group", "primitive", "rsc_location") == []
    assert set(found.removed) == {"g", "a", "l"}


def test_a_removed_group_leaves_its_members_in_order():
    root = cib(f'{dummy("z")}<group id="g">{dummy("a")}{dummy("b")}</group>')
    found = target(root, DesiredObjects(absent=("g",)))
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
    assert target(root, DesiredObjects(absent=(name,))).empty
    assert compare.removal(root, name) == {}


# --- ownership -------------------------------------------------------------------------------


def test_ownership_is_written_beside_other_tags_and_taken_back():
    root = cib(dummy("a"), more='<tags><tag id="theirs"><obj_ref id="a"/></tag></tags>')
    found = target(root, DesiredObjects((primitive("a"),)))
    assert ownership.owned(found.root) == {"a"}
    assert found.changes == {}
    assert not found.empty
    bare = target(found.root, DesiredObjects((), complete=True))
    assert bare.root.find("configuration/tags") is None


def test_what_was_removed_by_hand_is_made_again_although_the_tag_names_it():
    root = cib(dummy("a"), more=tag("a", "l"))
    found = target(
        root, DesiredObjects((primitive("a"), location("l", "a", "fs1", "5")), complete=True)
    )
    assert found.drifted == ("l",)
    assert found.changes["l"]["object"]["old"] is None
    assert ids(found.root, "rsc_location") == ["l"]


def test_what_was_removed_by_hand_and_is_not_wanted_leaves_the_tag():
    root = cib(dummy("a"), more=tag("a", "l"))
    found = target(root, DesiredObjects((primitive("a"),)))
    assert ownership.owned(found.root) == {"a"}
    assert found.changes == {}


def test_drift_is_only_what_was_managed_before():
    root = cib(dummy("a") + dummy("b"), more=tag("a"))
    changed = {"params": {"x": "y"}}
    wanted = (primitive("a", **changed), primitive("b", **changed), primitive("c"))
    found = target(root, DesiredObjects(wanted, complete=True))
    assert set(found.changes) == {"a", "b", "c"}
    assert found.drifted == ("a",)


def test_an_option_drifts_once_anything_is_managed():
    wanted = DesiredObjects((properties(stonith_enabled="false"),))
    assert target(cib(), wanted).drifted == ()
    assert target(cib(dummy("a"), more=tag("a")), wanted).drifted == ("cib-bootstrap-options",)


# --- for people ------------------------------------------------------------------------------


def test_what_is_shown_of_an_unknown_thing_hides_secrets():
    inner = (
        '<instance_attributes id="i"><nvpair id="x" name="passwd" value="hunter2"/>'
        '<nvpair id="y" name="ip" value="10.0.0.1"/></instance_attributes>'
    )
    root = cib(f'<container id="c">{dummy("a", inner)}</container>')
    shown = compare.describe(root, "c")
    assert "hunter2" not in shown
    assert "10.0.0.1" in shown
    assert "hunter2" in render(root)


def test_one_objects_changes_are_told_and_nothing_is_written():
    root = parse(EMPTY)
    found = compare.object_changes(Document(root), group("g", "a"))
    assert found == {"object": {"old": None, "new": {"members": ["a"]}}}
    assert list(root.find("configuration/resources")) == []
