"""What the pillar can't hold is left out alone, with a note; the own plan takes what is left."""

import copy

import pytest
import yaml

from fshalib.cib import document
from fshalib.cib.kinds import KINDS, ONE_IDS
from fshalib.cib.target import DesiredObjects, target
from fshalib.pillar import source
from fshalib.pillar.export_cib import export
from tests.unit.build import cib, dummy, pairs

NODES = {"fs1": {"addresses": ["10.101.20.110/24"]}, "fs2": {"addresses": ["10.101.20.220/24"]}}
REST = {"nodes": NODES, "corosync": {"authkey_file": "/etc/fsha/authkey"}}
MEMBERS = '<node id="1" uname="fs1"/><node id="2" uname="fs2"/>'
_KEYS = {id: KINDS[name].key for name, id in ONE_IDS.items()}


def planned(root, rest):
    """Return the export and what its own plan would change; the plan refuses nothing."""
    found = export(root, rest)
    text = yaml.safe_dump({**rest, "pacemaker": found.pacemaker}, sort_keys=False)
    objects = source.objects(yaml.safe_load(text))
    changes = target(root, DesiredObjects(objects, complete=True)).changes
    return found, {(id, path) for id, delta in changes.items() for path in delta}


def unnoted(found, changes):
    """Return the changes that no note names, by the object and the part of it."""
    return [(id, path) for id, path in changes if not any(_names(n, id, path) for n in found.notes)]


def _names(note, id, path):
    part = path.partition(":")[0]
    if id in _KEYS:
        return note.startswith(f"{_KEYS[id]}:") or f"{id}: the formula would change" in note
    if part == "other":
        return f":{id}: " in note and "can't be expressed" in note
    return f":{id}:{part}" in note or (f"{id}: the formula would change" in note and path in note)


# --- one odd value at a time, everywhere ----------------------------------------------------------


def values(root):
    """Yield each place of a value of a configuration: the number of its element, and a name."""
    for number, element in enumerate(root.find("configuration").iter("*")):
        yield from ((number, str(name)) for name in element.attrib)


@pytest.mark.parametrize(
    ("odd", "rest"), [("1.0", {}), ("Bürö < x", {}), ("", REST)], ids=["decimal", "text", "empty"]
)
def test_the_own_plan_takes_an_export_with_any_odd_value(sample, odd, rest):
    sound = document.parse(sample("foreign.xml"))
    assert planned(sound, rest)[1] == set()
    for number, name in values(sound):
        root = copy.deepcopy(sound)
        element = list(root.find("configuration").iter("*"))[number]
        element.set(name, odd)
        found, changes = planned(root, rest)
        assert unnoted(found, changes) == [], (element.tag, name, found.notes)


def noted(found, *words):
    return [note for note in found.notes if all(word in note for word in words)]


# --- that key alone -------------------------------------------------------------------------------


def test_a_score_with_a_fraction_is_taken_as_the_cluster_reads_it():
    root = cib(dummy("a", pairs("meta_attributes", "am", priority="2.9")))
    found, changes = planned(root, {})
    assert found.pacemaker["resources"]["a"]["meta"] == {"priority": 2}
    assert noted(found, "resources:a:meta:priority:", '"2.9"', "The cluster reads it as 2")
    # It is that already, so nothing has to be written.
    assert changes == set()


@pytest.mark.parametrize(
    ("text", "read"),
    [("10%", 10), ("-3.9", -3), ("7x", 7), (" 5 6", 5), ("99999999999 x", "INFINITY")],
)
def test_the_number_at_the_head_of_a_score_counts(text, read):
    meta = pairs("meta_attributes", "am").replace(
        "></", f'><nvpair id="s" name="resource-stickiness" value="{text}"/></'
    )
    found, _ = planned(cib(dummy("a", meta)), {})
    assert found.pacemaker["resources"]["a"]["meta"] == {"resource-stickiness": read}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("priority", "high", "a score"),
        ("is-managd", "false", 'did you mean "is-managed"?'),
        ("multiple-active", "stpo_start", 'did you mean "stop_start"?'),
        ("failure-timeout", "1.5min", "a duration"),
    ],
)
def test_a_meta_attribute_that_is_none_goes_alone(name, value, why):
    meta = pairs("meta_attributes", "am", requires="nothing").replace(
        "</", f'<nvpair id="odd" name="{name}" value="{value}"/></'
    )
    root = cib(dummy("a", meta), '<rsc_location id="l" rsc="a" node="fs1" score="5"/>')
    found, changes = planned(root, {})
    assert found.pacemaker["resources"]["a"]["meta"] == {"requires": "nothing"}
    assert found.pacemaker["locations"]["l"]["resource"] == "a"
    assert noted(found, f"resources:a:meta:{name}:", why, "the next run removes it")
    assert changes == {("a", f"meta:{name}")}


def test_parameters_that_no_agent_of_the_class_takes_go_alone():
    inner = pairs("instance_attributes", "i", x="1")
    lsb = '<primitive id="{0}" class="lsb" type="mysql">{1}</primitive>'
    root = cib(f'{lsb.format("m", inner)}<group id="g">{dummy("a")}</group>')
    found, changes = planned(root, {})
    assert found.pacemaker["resources"]["m"] == {"agent": "lsb:mysql"}
    assert noted(found, "resources:m:params:", "agents of class lsb take none")
    assert changes == {("m", "params:x")}


def test_a_misspelt_property_stays_and_the_others_are_taken():
    options = pairs("cluster_property_set", "cib-bootstrap-options", **{
        "stonith-enabled": "false", "crmd-transition-delay": "2s", "no-quorum-policy": "stop"
    })  # fmt: skip
    found, changes = planned(cib(options=options), {})
    assert found.pacemaker["properties"] == {"stonith-enabled": False, "no-quorum-policy": "stop"}
    assert noted(found, "properties:crmd-transition-delay:", "stays in the cluster as it is")
    assert changes == set()


def test_an_operation_goes_as_a_whole_where_half_of_it_would_be_another_one():
    ops = (
        '<op id="m" name="monitor" interval="5x"/>'
        '<op id="s" name="start" interval="0" timeout="soon"/>'
    )
    found, _ = planned(cib(dummy("a", f"<operations>{ops}</operations>")), {})
    assert found.pacemaker["resources"]["a"]["operations"] == [{"name": "start", "interval": 0}]
    assert noted(found, "resources:a:operations:0 is left out", "operations:0:interval:")
    assert noted(found, "resources:a:operations:1:timeout:", "It is left out")


def test_a_set_goes_with_its_rule():
    rule = '<rule id="r"><expression id="e" attribute="#uname" operation="eq" value="fs9"/></rule>'
    sets = (
        f'<meta_attributes id="s" score="5">{rule}<nvpair id="p" name="priority" value="9"/>'
        "</meta_attributes>" + pairs("meta_attributes", "t", priority="1")
    )
    found, changes = planned(cib(dummy("a", sets), nodes=MEMBERS), {})
    assert found.pacemaker["resources"]["a"]["meta"] == [{"values": {"priority": 1}}]
    assert noted(found, "meta:0:rule:", 'there is no "fs9"', "meta:0 is left out")
    assert changes == {("a", "meta")}


# --- what refers to it ----------------------------------------------------------------------------


def test_what_refers_to_what_is_left_out_is_left_out_too():
    """Else it would be another thing: a group without one of its members, say."""
    root = cib(
        f'<clone id="c"><group id="g">{dummy("Bürö")}{dummy("b")}</group></clone>',
        '<rsc_location id="l" rsc="c" node="fs1" score="5"/><rsc_order id="o"><resource_set '
        'id="s"><resource_ref id="b"/><resource_ref id="Bürö"/></resource_set></rsc_order>',
        '<tags><tag id="t"><obj_ref id="b"/><obj_ref id="l"/></tag></tags>',
    )
    found, changes = planned(root, {})
    assert found.pacemaker == {"resources": {"b": {"agent": "ocf:heartbeat:Dummy"}}}
    for name in ("resources:Bürö", "groups:g", "clones:c", "locations:l", "orders:o", "tags:t"):
        assert noted(found, name, "left out, and stays in the cluster as it is"), name
    assert changes == set()


def test_a_constraint_on_nothing_is_left_out():
    bad = '<rsc_colocation id="c" rsc="a" with-rsc="gone" score="5"/>'
    found, changes = planned(cib(dummy("a"), bad), {})
    assert "colocations" not in found.pacemaker
    assert noted(found, "colocations:c:with:", 'there is no "gone"', "colocations:c is left out")
    assert changes == set()


@pytest.mark.parametrize("rest", [{}, REST], ids=["alone", "with nodes"])
def test_what_names_a_node_that_is_not_there_is_noted_not_refused(rest):
    rule = (
        '<rsc_location id="r" rsc="a"><rule id="rr" score="5"><expression id="e" '
        'attribute="#uname" operation="eq" value="fs9"/></rule></rsc_location>'
    )
    plain = '<rsc_location id="l" rsc="a" node="fs9" score="5"/>'
    kept = '<rsc_location id="k" rsc="a" node="fs1" score="5"/>'
    fence = '<primitive id="f" class="stonith" type="fence_x"/>'
    level = '<fencing-level id="v" target="fs9" index="1" devices="f"/>'
    topology = f"<fencing-topology>{level}</fencing-topology>"
    root = cib(dummy("a") + fence, rule + plain + kept, topology, nodes=MEMBERS)
    found, changes = planned(root, rest)
    assert list(found.pacemaker["locations"]) == ["k"]
    assert "fencing_levels" not in found.pacemaker
    for name in ("locations:r", "locations:l", "fencing_levels:v"):
        assert noted(found, name, 'there is no "fs9"', "stays in the cluster as it is"), name
    assert changes == set()


def test_what_a_role_permits_is_never_half_of_it():
    permissions = (
        '<acl_permission id="d" kind="deny" object-type="x" attribute="y" reference="Bürö"/>'
        '<acl_permission id="w" kind="write" xpath="/cib"/>'
    )
    acls = (
        f'<acl_role id="r">{permissions}</acl_role><acl_target id="u"><role id="r"/></acl_target>'
    )
    found, changes = planned(cib(more=f"<acls>{acls}</acls>"), {})
    assert found.pacemaker == {}
    assert noted(found, "acl_roles:r is left out")
    assert noted(found, "acl_users:u is left out")
    assert changes == set()


def test_a_change_that_no_omission_is_about_is_noted_beside_one():
    """A note about one part of an object stands for that part alone."""
    inner = '<operations><op id="o" name="monitor" interval="5s" weird="1"/></operations>'
    meta = pairs("meta_attributes", "am", priority="high")
    found, changes = planned(cib(dummy("a", meta + inner)), {})
    assert noted(found, "resources:a:meta:priority:", "the next run removes it")
    assert noted(found, "resources:a: weird='1' of <op> can't be expressed")
    assert changes == {("a", "meta:priority"), ("a", "other")}


def test_operations_that_are_shared_are_exported_with_their_id():
    own = '<operations id="ops"><op id="m" name="monitor" interval="9s"/></operations>'
    root = cib(dummy("a", own) + dummy("b", '<operations id-ref="ops"/>'))
    found, changes = planned(root, {})
    resources = found.pacemaker["resources"]
    assert resources["a"]["operations"] == [{"id": "ops"}, {"name": "monitor", "interval": "9s"}]
    assert resources["b"]["operations"] == [{"id-ref": "ops"}]
    assert (found.notes, changes) == ((), set())


@pytest.mark.parametrize(
    ("own", "user", "place"),
    [
        ('<operations id="x"><op id="m" name="monitor" interval="9s"/></operations>',
         '<operations id-ref="x"/>', "operations:0:id-ref"),
        ('<instance_attributes id="x"><nvpair id="p" name="fake" value="1"/></instance_attributes>',
         '<instance_attributes id-ref="x"/>', "params:0:id-ref"),
    ],
    ids=["operations", "parameters"],
)  # fmt: skip
def test_what_uses_a_part_of_what_is_left_out_is_left_out_too(own, user, place):
    root = cib(dummy("Bürö", own) + dummy("b", user))
    found, changes = planned(root, {})
    assert found.pacemaker == {}
    assert noted(found, f"resources:b:{place}:", "resources:b is left out")
    assert changes == set()


# --- properties in several sets -------------------------------------------------------------------

RULE = '<rule id="r"><date_expression id="d" operation="gt" start="2020-01-01"/></rule>'
OVERRIDE = (
    f'<cluster_property_set id="over" score="2">{RULE}'
    '<nvpair id="o" name="batch-limit" value="1"/></cluster_property_set>'
)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ('id="base" score="1"', {"score": 1}),
        ('id="cib-bootstrap-options" score="1"', {"id": "cib-bootstrap-options", "score": 1}),
    ],
)
def test_which_of_several_property_sets_counts_is_in_the_pillar(plain, expected):
    pair = '<nvpair id="b" name="batch-limit" value="5"/>'
    root = cib(options=f"{OVERRIDE}<cluster_property_set {plain}>{pair}</cluster_property_set>")
    found, changes = planned(root, {})
    sets = found.pacemaker["properties"]
    assert {**expected, "values": {"batch-limit": 5}} in sets
    assert {"score": 2, "rule": "date gt 2020-01-01", "values": {"batch-limit": 1}} in sets
    assert (found.notes, changes) == ((), set())


def test_without_a_rule_all_property_sets_are_one():
    inner = pairs("cluster_property_set", "x", **{"batch-limit": "9", "cluster-delay": "9s"})
    boot = pairs("cluster_property_set", "cib-bootstrap-options", **{"batch-limit": "5"})
    found, changes = planned(cib(options=inner + boot), {})
    assert found.pacemaker["properties"] == {"batch-limit": 5, "cluster-delay": "9s"}
    assert changes == set()
