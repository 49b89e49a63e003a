"""The patch holds nothing but the change: ids, spelling, order and place of the rest stay."""

import pytest

import fsha_cib
from fsha_cib import Wanted, find, read, target
from fsha_model import Object
from tests.unit.cib.build import (
    applied,
    cib,
    clone,
    dummy,
    group,
    ids,
    options,
    pairs,
    patch,
    primitive,
    properties,
    text,
)

NEW, OLD = "pacemaker-3.9", "pacemaker-3.0"
MONITOR = {"name": "monitor", "interval": "5s"}


def changed(root, *items, **rest):
    """Return what the patch holds that makes a CIB say what is wanted."""
    return patch(root, applied(root, *items, **rest))


# --- sets and operations -------------------------------------------------------------------------


def test_one_parameter_is_one_attribute():
    root = cib(dummy("p", pairs("instance_attributes", "i", ip="10.0.0.1", nic="eth0")), schema=NEW)
    item = primitive("p", params={"nic": "eth0", "ip": "10.0.0.2"})
    assert changed(root, item) == ["resources/p/i/i-ip: value 10.0.0.1 → 10.0.0.2"]


def test_a_new_parameter_goes_into_the_set_that_is_there():
    root = cib(dummy("p", pairs("instance_attributes", "i", ip="10.0.0.1")), schema=NEW)
    item = primitive("p", params={"nic": "eth0", "ip": "10.0.0.1"})
    assert changed(root, item) == ["+ nvpair resources/p/i/i-nic"]


def test_the_last_parameter_takes_its_set_along():
    root = cib(dummy("p", pairs("instance_attributes", "i", ip="10.0.0.1")), schema=NEW)
    assert changed(root, primitive("p")) == ["- instance_attributes resources/p/i"]


def test_other_spellings_beside_a_change_are_left_as_they_are():
    root = cib(
        dummy(
            "p",
            pairs("meta_attributes", "m", priority="+5", maintenance="no")
            + '<operations><op id="a" name="monitor" interval="5000ms" timeout="1min" '
            'enabled="true"/><op id="b" name="start" interval="0" timeout="60"/></operations>',
        ),
        schema=NEW,
    )
    item = primitive(
        "p",
        meta={"priority": "5"},
        operations=[
            {"name": "start", "timeout": "60s"},
            {**MONITOR, "timeout": "30s"},
        ],
    )
    assert changed(root, item) == ["resources/p/operations/a: timeout 1min → 30s"]


def test_an_operation_with_another_interval_is_another_operation():
    op = '<operations><op id="a" name="monitor" interval="5s"/></operations>'
    root = cib(dummy("p", op), schema=NEW)
    ten = primitive("p", operations=[{"name": "monitor", "interval": "10s"}])
    # It keeps its place and its id: the cluster looks at name and interval.
    assert changed(root, ten) == ["resources/p/operations/a: interval 5s → 10s"]
    both = primitive("p", operations=[{"name": "monitor", "interval": "10s"}, MONITOR])
    assert changed(root, both) == ["+ op resources/p/operations/p-monitor-10s"]


def test_what_says_nothing_stays_but_not_where_it_would_be_refused():
    op = '<operations><op id="a" name="monitor" interval="5s" start-delay="0s"/></operations>'
    root = cib(dummy("p", op), schema=NEW)
    slow = primitive("p", operations=[{**MONITOR, "timeout": "9s"}])
    assert "resources/p/operations/a: timeout None → 9s" in changed(root, slow)
    since = primitive("p", operations=[{**MONITOR, "interval-origin": "2026-01-01"}])
    assert changed(root, since) == [
        "resources/p/operations/a: interval-origin None → 2026-01-01",
        "resources/p/operations/a: start-delay 0s → None",
    ]


def test_sets_are_known_by_their_rules():
    rule = (
        '<rule id="{0}" score="0"><expression id="{0}e" attribute="#uname" operation="eq" '
        'value="{1}"/></rule>'
    )
    sets = "".join(
        f'<instance_attributes id="on-{node}">{rule.format(f"r{node}", node)}'
        f'<nvpair id="nic-{node}" name="nic" value="eth0"/></instance_attributes>'
        for node in ("fs1", "fs2")
    )
    root = cib(dummy("p", sets), schema=NEW)

    def item(**nics):
        return primitive(
            "p",
            params=[{"rule": f"#uname eq {n}", "values": {"nic": v}} for n, v in nics.items()],
        )

    assert changed(root, item(fs1="eth0", fs2="eth1")) == [
        "resources/p/on-fs2/nic-fs2: value eth0 → eth1"
    ]
    assert changed(root, item(fs2="eth0")) == ["- instance_attributes resources/p/on-fs1"]
    assert changed(root, item(fs2="eth0", fs1="eth0")) == ["resources/p: order"]


def test_a_rule_keeps_its_id_and_what_of_it_stays():
    root = cib(
        dummy("p"),
        '<rsc_location id="l" rsc="p"><rule id="r" score="5" boolean-op="or">'
        '<expression id="e1" attribute="#uname" operation="eq" value="fs1" type="string"/>'
        '<expression id="e2" attribute="pingd" operation="defined"/></rule></rsc_location>',
        schema=NEW,
    )

    def item(expression, score="5"):
        return Object(
            "location",
            "l",
            {"resource": "p", "rules": [{"score": score, "expression": expression}]},
        )

    assert changed(root, item("defined pingd or #uname eq fs1")) == []
    assert changed(root, item("defined pingd or #uname eq fs1", "6")) == [
        "constraints/l/r: score 5 → 6"
    ]
    assert changed(root, item("defined pingd and #uname eq fs1")) == [
        "constraints/l/r: boolean-op or → None"
    ]
    assert changed(root, item("not_defined pingd or #uname eq fs1")) == [
        "constraints/l/r/e2: operation defined → not_defined"
    ]
    assert changed(root, item("#uname eq fs1")) == [
        "- expression constraints/l/r/e2",
        "constraints/l/r: boolean-op or → None",
    ]


# --- ids -----------------------------------------------------------------------------------------


def test_ids_of_new_things_are_made_from_their_owners():
    item = primitive(
        "p",
        params={"ip": "10.0.0.1", "a b": "c"},
        meta=[{"rule": "#uname eq fs1 or date spec hours=9-16", "values": {"priority": "1"}}],
        operations=[MONITOR, {"name": "monitor", "interval": "10s", "params": {"depth": "1"}}],
    )
    order = Object(
        "order", "o", {"sets": [{"resources": ["p"], "action": "start"}, {"resources": ["q"]}]}
    )
    alert = Object(
        "alert",
        "a",
        {"path": "/a", "recipients": [{"value": "x"}], "select": {"attributes": ["site"]}},
    )
    role = Object("acl_role", "r", {"permissions": [{"kind": "read", "xpath": "/cib"}]})
    root = applied(cib(dummy("q"), schema=NEW), item, order, alert, role)
    assert [id for id in ids(root.find("configuration"), "*") if id is not None] == [
        "q",
        "p",
        "p-meta_attributes",
        "p-meta_attributes-rule",
        "p-meta_attributes-rule-expr",
        "p-meta_attributes-rule-date",
        "p-meta_attributes-rule-date-date_spec",
        "p-meta_attributes-priority",
        "p-instance_attributes",
        "p-instance_attributes-ip",
        "p-instance_attributes-a_b",
        "p-monitor-5s",
        "p-monitor-10s",
        "p-monitor-10s-instance_attributes",
        "p-monitor-10s-instance_attributes-depth",
        "o",
        "o-set",
        "p",
        "o-set-1",
        "q",
        "r",
        "r-permission",
        "fsha-managed",
        "a",
        "o",
        "p",
        "r",
        "a",
        "a-attribute",
        "a-recipient",
    ]


def test_new_ids_never_meet_ids_that_are_there():
    root = cib(dummy("q", pairs("meta_attributes", "p-instance_attributes", a="1")), schema=NEW)
    found = applied(root, primitive("p", params={"a": "b"}))
    assert ids(find(found, "p"), "instance_attributes", "nvpair") == [
        "p-instance_attributes-1",
        "p-instance_attributes-1-a",
    ]


def test_an_object_may_not_be_named_as_a_part_of_another():
    root = cib(dummy("q", pairs("meta_attributes", "m", a="1")))
    with pytest.raises(fsha_cib.IdInUse, match="already has a nvpair of this name"):
        target(root, Wanted((primitive("m-a"),)))


@pytest.mark.parametrize("given", [None, "mine"])
def test_the_id_of_a_part_counts_where_something_refers_to_it(given):
    root = cib(dummy("a", pairs("instance_attributes", "i", x="1")) + dummy("b"), schema=NEW)
    part = {"id": given, "values": {"x": "1"}} if given else {"values": {"x": "1"}}
    one = primitive("a", params=[part])
    assert changed(root, one) == []
    used = primitive("b", params=[{"id-ref": given or "i"}])
    found = target(root, Wanted((one, used)))
    assert patch(root, applied(root, one, used)) == (
        ["+ instance_attributes resources/a/mine",
         "+ instance_attributes resources/b/instance_attributes",
         "- instance_attributes resources/a/i"]
        if given else ["+ instance_attributes resources/b/instance_attributes"]
    )  # fmt: skip
    assert ("a" in found.changes) == bool(given)
    assert target(found.root, Wanted((one, used))).empty


def test_a_renamed_part_is_found_again_by_those_that_use_it():
    root = cib(
        dummy("a", pairs("instance_attributes", "i", x="1"))
        + dummy("b", '<instance_attributes id-ref="i"/>'),
        schema=NEW,
    )
    mine = primitive("a", params=[{"id": "mine", "values": {"x": "1"}}])
    found = applied(root, mine, primitive("c", params=[{"id-ref": "mine"}]))
    assert [e.get("id-ref") for e in found.iter("instance_attributes")] == [None, "mine", "mine"]


def test_a_shared_part_may_change_its_owner():
    root = cib(
        dummy("a", pairs("instance_attributes", "i", x="1"))
        + dummy("b", '<instance_attributes id-ref="i"/>'),
        schema=NEW,
    )
    mine = primitive("b", params=[{"id": "i", "values": {"x": "1"}}])
    found = applied(root, primitive("a", params=[{"id-ref": "i"}]), mine)
    assert [
        (e.getparent().get("id"), dict(e.attrib)) for e in found.iter("instance_attributes")
    ] == [
        ("a", {"id-ref": "i"}),
        ("b", {"id": "i"}),
    ]
    with pytest.raises(fsha_cib.IdInUse) as caught:
        target(root, Wanted((mine,)))
    assert (caught.value.id, caught.value.found) == ("i", "instance_attributes")


# --- places that the schema wants ----------------------------------------------------------------


def test_new_parts_stand_where_every_schema_wants_them():
    sets = [{"resources": ["p", "q"]}]
    life = [{"expression": "date gt 2026-01-01"}]
    full = (
        primitive("p", operations=[MONITOR], utilization={"cpu": "1"}, params={"a": "1"},
                  meta={"priority": "1"}, description="d"),
        group("g", "q", params={"a": "1"}, meta={"priority": "1"}, description="d"),
        Object("location", "l1", {"sets": sets, "lifetime": life, "rules": life}),
        Object("colocation", "c1", {"sets": sets, "lifetime": life}),
        Object("order", "o1", {"sets": sets, "lifetime": life}),
        Object("bundle", "b", {"storage": [{"source-dir": "/a", "target-dir": "/b"}],
                               "network": {"ports": [{"port": "5060"}]},
                               "docker": {"image": "i"}, "meta": {"priority": "1"}}),
        Object("alert", "a", {"path": "/a", "recipients": [{"value": "x"}],
                              "select": {"events": ["nodes", "attributes"]},
                              "params": {"a": "1"}, "meta": {"timeout": "5s"}}),
    )  # fmt: skip
    for schema in (OLD, NEW):
        start = cib(dummy("p") + dummy("q"), schema=schema)
        made = applied(start, *full)
        # Part by part, on what is there already.
        bare = cib(
            f'{dummy("p")}<group id="g">{dummy("q")}</group><bundle id="b"><docker image="i"/>'
            "</bundle>",
            '<rsc_location id="l1" rsc="p" node="fs1" score="1"/>'
            '<rsc_colocation id="c1" rsc="p" with-rsc="q"/><rsc_order id="o1" first="p" then="q"/>',
            '<alerts><alert id="a" path="/b"/></alerts>',
            schema=schema,
        )
        grown = applied(bare, *full)
        for item in full:
            assert read(grown, item) == read(made, item)


def test_sections_are_made_where_the_schema_wants_them():
    root = fsha_cib.parse("<cib><configuration><acls/></configuration></cib>")
    wanted = (
        primitive("p"),
        properties(batch_limit="5"),
        options("operation_defaults", {"a": "1"}),
        Object("fencing_level", "f", {"target": "fs1", "index": "1", "devices": ["p"]}),
        Object("alert", "a", {"path": "/a"}),
        Object("node", "fs1", {}),
    )
    found = target(root, Wanted(wanted)).root
    assert [child.tag for child in found.find("configuration")] == [
        "crm_config",
        "nodes",
        "resources",
        "fencing-topology",
        "op_defaults",
        "acls",
        "tags",
        "alerts",
    ]


# --- members -------------------------------------------------------------------------------------


def test_a_clone_of_a_group_is_built_from_the_inside_whatever_the_order():
    items = (clone("c", "g", meta={"interleave": "true"}), group("g", "b", "a"), primitive("a"),
             primitive("b"))  # fmt: skip
    for order in (items, items[::-1], items[2:] + items[:2]):
        found = applied(cib(schema=NEW), *order)
        assert ids(found, "clone", "group", "primitive") == ["c", "g", "b", "a"]
        assert target(found, Wanted(items)).empty


def test_members_move_and_keep_all_that_is_theirs():
    root = cib(
        f'<group id="g">{dummy("a", pairs("meta_attributes", "m", x="1"))}{dummy("b")}</group>'
        f'<group id="h">{dummy("c")}</group>',
        schema=NEW,
    )
    before = text(find(root, "a"))
    found = applied(root, group("h", "a", "c"), group("g", "b"))
    assert text(find(found, "a")) == before
    assert [child.get("id") for child in find(found, "h")] == ["a", "c"]


def test_what_a_container_says_stands_before_its_members():
    root = cib(f'<group id="g">{dummy("a")}</group>', schema=NEW)
    found = applied(root, group("g", "a", meta={"priority": "1"}, params={"a": "1"}))
    assert [child.tag for child in find(found, "g")] == [
        "meta_attributes",
        "instance_attributes",
        "primitive",
    ]


def test_a_bundle_gets_and_loses_what_runs_in_it():
    bundle = Object("bundle", "b", {"podman": {"image": "i"}, "network": {"control-port": "3121"}})
    within = Object("bundle", "b", {**bundle.form, "resource": "a"})
    start = applied(cib(dummy("a"), schema=NEW), within)
    assert find(start, "a").getparent().get("id") == "b"
    found = applied(start, bundle)
    assert [e.get("id") for e in found.find("configuration/resources")] == ["a", "b"]
    assert target(found, Wanted((bundle,))).empty


@pytest.mark.parametrize(
    ("item", "word"),
    [
        (group("g", "h"), "group"),
        (clone("c", "c2"), "clone"),
        (clone("c", "b"), "bundle"),
        (group("g", "t"), "template"),
    ],
)
def test_what_no_container_can_hold_is_refused(item, word):
    inside = (f'<group id="h">{dummy("a")}</group><clone id="c2">{dummy("d")}</clone>'
              '<bundle id="b"><docker image="i"/></bundle>'
              '<template id="t" class="ocf" provider="heartbeat" type="Dummy"/>')  # fmt: skip
    with pytest.raises(fsha_cib.IdInUse) as caught:
        target(cib(inside), Wanted((item,)))
    assert (caught.value.found, caught.value.wanted) == (word, "primitive or group")


# --- older and newer schemas ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "roles"),
    [
        ("pacemaker-3.0", ["Master", "Slave", "Master"]),
        ("pacemaker-3.6", ["Master", "Slave", "Master"]),
        ("pacemaker-3.9", ["Promoted", "Slave", "Master"]),
    ],
)
def test_roles_are_spelt_as_the_schema_knows_them(schema, roles):
    root = cib(f'<clone id="c">{dummy("p")}</clone>{dummy("q")}', schema=schema)
    items = (
        primitive("p", operations=[{**MONITOR, "role": "Promoted"}]),
        Object("colocation", "co", {"resource": "q", "with": "c", "role": "Slave",
                                    "with-role": "Master"}),
    )  # fmt: skip
    found = applied(root, *items)
    constraint = find(found, "co")
    written = [next(found.iter("op")).get("role")]
    written += [constraint.get("rsc-role"), constraint.get("with-rsc-role")]
    assert written == roles
    assert target(found, Wanted(items)).empty


def test_newest_schemas_know_only_the_newer_words():
    root = cib(dummy("p"), schema="pacemaker-4.0")
    bundle = Object("bundle", "b", {"podman": {"image": "i", "masters": "1"}})
    item = primitive("p", operations=[{**MONITOR, "role": "Master"}])
    found = target(root, Wanted((item, bundle))).root
    assert next(found.iter("op")).get("role") == "Promoted"
    assert dict(next(found.iter("podman")).attrib) == {"image": "i", "promoted-max": "1"}
    assert target(found, Wanted((item, bundle))).empty


def test_rules_of_older_schemas_must_have_a_score():
    item = primitive("p", params=[{"rule": "a eq 1 and (b eq 2 or c eq 3)", "values": {"x": "1"}}])
    node = Object("node", "fs1", {"attributes": [{"rule": "a eq 1", "values": {"x": "1"}}]})
    for schema, score in ((OLD, "0"), (NEW, None)):
        root = cib(dummy("p"), nodes='<node id="1" uname="fs1"/>', schema=schema)
        found = applied(root, item, node)
        assert {rule.get("score") for rule in found.iter("rule")} == {score}


def test_an_older_promotable_clone_is_a_promotable_clone():
    root = cib(
        f'<master id="m">{pairs("meta_attributes", "ma", notify="true")}{dummy("p")}</master>',
        schema=NEW,
    )
    same = clone("m", "p", meta={"notify": "yes", "promotable": "true"})
    assert changed(root, same) == []
    other = clone("m", "p", meta={"notify": "no", "promotable": "true"})
    found = applied(root, other)
    assert target(found, Wanted((other,))).empty
    assert patch(root, found) == [
        "+ nvpair resources/m/ma/ma-promotable",
        "resources/m/ma/ma-notify: value true → no",
    ]
