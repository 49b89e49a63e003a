"""The patch holds nothing but the change: ids, spelling, order and place of the rest stay."""

import pytest

from fshalib.change.restore import restored
from fshalib.change.stop_first import handed_over, stopped_first
from fshalib.cib import document, leaving, ownership
from fshalib.cib import read as cib_read
from fshalib.cib.read import find, read
from fshalib.cib.target import DesiredObjects, target
from tests.unit.build import (
    applied,
    cib,
    clone,
    dummy,
    group,
    ids,
    obj,
    options,
    pairs,
    patch,
    primitive,
    properties,
    tag,
    text,
)
from tests.unit.schemas import faults

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
        return obj(
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
    order = obj(
        "order", "o", {"sets": [{"resources": ["p"], "action": "start"}, {"resources": ["q"]}]}
    )
    alert = obj(
        "alert",
        "a",
        {"path": "/a", "recipients": [{"value": "x"}], "select": {"attributes": ["site"]}},
    )
    role = obj("acl_role", "r", {"permissions": [{"kind": "read", "xpath": "/cib"}]})
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
    with pytest.raises(cib_read.IdInUse, match="already has a nvpair of this name"):
        target(root, DesiredObjects((primitive("m-a"),)))


@pytest.mark.parametrize("given", [None, "mine"])
def test_the_id_of_a_part_counts_where_something_refers_to_it(given):
    root = cib(dummy("a", pairs("instance_attributes", "i", x="1")) + dummy("b"), schema=NEW)
    part = {"id": given, "values": {"x": "1"}} if given else {"values": {"x": "1"}}
    one = primitive("a", params=[part])
    assert changed(root, one) == []
    used = primitive("b", params=[{"id-ref": given or "i"}])
    found = target(root, DesiredObjects((one, used)))
    assert patch(root, applied(root, one, used)) == (
        ["+ instance_attributes resources/a/mine",
         "+ instance_attributes resources/b/instance_attributes",
         "- instance_attributes resources/a/i"]
        if given else ["+ instance_attributes resources/b/instance_attributes"]
    )  # fmt: skip
    assert ("a" in found.changes) == bool(given)
    assert target(found.root, DesiredObjects((one, used))).empty


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
    with pytest.raises(cib_read.IdInUse) as caught:
        target(root, DesiredObjects((mine,)))
    assert (caught.value.id, caught.value.found) == ("i", "instance_attributes")


# --- places that the schema wants ----------------------------------------------------------------


def test_new_parts_stand_where_every_schema_wants_them():
    sets = [{"resources": ["p", "q"]}]
    life = [{"expression": "date gt 2026-01-01"}]
    full = (
        primitive("p", operations=[MONITOR], utilization={"cpu": "1"}, params={"a": "1"},
                  meta={"priority": "1"}, description="d"),
        group("g", "q", params={"a": "1"}, meta={"priority": "1"}, description="d"),
        obj("location", "l1", {"sets": sets, "lifetime": life, "rules": life}),
        obj("colocation", "c1", {"sets": sets, "lifetime": life}),
        obj("order", "o1", {"sets": sets, "lifetime": life}),
        obj("bundle", "b", {"storage": [{"source-dir": "/a", "target-dir": "/b"}],
                               "network": {"ports": [{"port": "5060"}]},
                               "docker": {"image": "i"}, "meta": {"priority": "1"}}),
        obj("alert", "a", {"path": "/a", "recipients": [{"value": "x"}],
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
    root = document.parse("<cib><configuration><acls/></configuration></cib>")
    wanted = (
        primitive("p"),
        properties(batch_limit="5"),
        options("operation_defaults", {"a": "1"}),
        obj("fencing_level", "f", {"target": "fs1", "index": "1", "devices": ["p"]}),
        obj("alert", "a", {"path": "/a"}),
        obj("node", "fs1", {}),
    )
    found = target(root, DesiredObjects(wanted)).root
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
        assert target(found, DesiredObjects(items)).empty


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
    bundle = obj("bundle", "b", {"podman": {"image": "i"}, "network": {"control-port": "3121"}})
    within = obj("bundle", "b", {**bundle.spec, "resource": "a"})
    start = applied(cib(dummy("a"), schema=NEW), within)
    assert find(start, "a").getparent().get("id") == "b"
    found = applied(start, bundle)
    assert [e.get("id") for e in found.find("configuration/resources")] == ["a", "b"]
    assert target(found, DesiredObjects((bundle,))).empty


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
    with pytest.raises(cib_read.IdInUse) as caught:
        target(cib(inside), DesiredObjects((item,)))
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
        obj("colocation", "co", {"resource": "q", "with": "c", "role": "Slave",
                                    "with-role": "Master"}),
    )  # fmt: skip
    found = applied(root, *items)
    constraint = find(found, "co")
    written = [next(found.iter("op")).get("role")]
    written += [constraint.get("rsc-role"), constraint.get("with-rsc-role")]
    assert written == roles
    assert target(found, DesiredObjects(items)).empty


def test_newest_schemas_know_only_the_newer_words():
    root = cib(dummy("p"), schema="pacemaker-4.0")
    bundle = obj("bundle", "b", {"podman": {"image": "i", "masters": "1"}})
    item = primitive("p", operations=[{**MONITOR, "role": "Master"}])
    found = target(root, DesiredObjects((item, bundle))).root
    assert next(found.iter("op")).get("role") == "Promoted"
    assert dict(next(found.iter("podman")).attrib) == {"image": "i", "promoted-max": "1"}
    assert target(found, DesiredObjects((item, bundle))).empty


def test_rules_of_older_schemas_must_have_a_score():
    item = primitive("p", params=[{"rule": "a eq 1 and (b eq 2 or c eq 3)", "values": {"x": "1"}}])
    node = obj("node", "fs1", {"attributes": [{"rule": "a eq 1", "values": {"x": "1"}}]})
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
    assert target(found, DesiredObjects((other,))).empty
    assert patch(root, found) == [
        "+ nvpair resources/m/ma/ma-promotable",
        "resources/m/ma/ma-notify: value true → no",
    ]
    plain = clone("m", "p", meta={"notify": "true"})
    found = applied(root, plain)
    assert [e.get("id") for e in found.iter("clone", "master")] == ["m"]
    assert target(found, DesiredObjects((plain,))).empty


# --- what is removed while it runs is stopped first ----------------------------------------------

SET = '<resource_set id="{0}s"><resource_ref id="{1}"/><resource_ref id="x"/></resource_set>'


def stopping(root, *absent, running="abcdx", items=()):
    """Return the CIB in which what is removed is stopped, after its schema has accepted it."""
    found = stopped_first(
        target(root, DesiredObjects(items, absent)), dict.fromkeys(running, ("fs1",))
    )
    if found is not None:
        assert faults(found) == []
    return found


def stopped(root):
    """Return the resources that are told to be stopped."""
    return [
        pair.getparent().getparent().get("id")
        for pair in root.iter("nvpair")
        if (pair.get("name"), pair.get("value")) == ("target-role", "Stopped")
    ]


def test_what_stops_leaves_its_group_and_all_that_speaks_of_it():
    root = cib(
        f'<group id="g">{dummy("a")}{dummy("b")}{dummy("c")}</group>{dummy("x")}',
        '<rsc_order id="o" first="b" then="x"/><rsc_location id="l" rsc="b" node="fs1" score="1"/>'
        f'<rsc_colocation id="s">{SET.format("s", "b")}</rsc_colocation>'
        '<rsc_order id="kept" first="g" then="x"/>',
        schema=NEW,
    )
    before = text(root)
    found = stopping(root, "b")
    assert stopped(found) == ["b"]
    assert [e.get("id") for e in found.find("configuration/resources")] == ["b", "g", "x"]
    assert [e.get("id") for e in find(found, "g")] == ["a", "c"]
    assert ids(found.find("configuration/constraints"), "*")[1:] == ["s", "ss", "x", "kept"]
    assert text(root) == before


SWITCH = '<primitive id="s" class="ocf" provider="fsha" type="FSSwitch"/>'


SOFIA = '<primitive id="x" class="ocf" provider="fsha" type="FSSofia"/>'


@pytest.mark.parametrize("beside", [dummy("x"), SOFIA])
def test_a_switch_is_left_running(beside):
    root = with_nodes(
        f'<clone id="c">{SWITCH}</clone>{beside}', '<rsc_order id="o" first="c" then="x"/>'
    )
    found = target(root, DesiredObjects(absent=("s", "c", "x")))
    assert handed_over(found) == {"s"}
    halfway = stopping(root, "s", "c", "x", running="sx")
    told = [e.getparent().getparent().get("id") for e in halfway.iter("nvpair")
            if (e.get("name"), e.get("value")) == ("leave_running", "true")]  # fmt: skip
    if beside == SOFIA:
        # Its stop ends what FSSofia has taken leave of.
        assert (stopped(halfway), told, leaving.let_go(halfway)) == (["c", "x"], ["s"], [])
    else:
        # Pacemaker would stop it with the parameters of its start.
        assert (stopped(halfway), told) == (["x"], [])
        assert leaving.let_go(halfway) == [("c", "fs1"), ("c", "fs2")]


def test_a_switch_by_a_template_is_left_running():
    switch = '<clone id="c"><primitive id="s" template="t"/></clone>'
    template = '<template id="t" class="ocf" provider="fsha" type="FSSwitch"/>'
    root = with_nodes(f"{switch}{SOFIA}{template}")
    assert handed_over(target(root, DesiredObjects(absent=("s", "c", "x")))) == {"s"}


def unit(id="s", agent="systemd:freeswitch"):
    standard, _, kind = agent.partition(":")
    return f'<primitive id="{id}" class="{standard}" type="{kind}"/>'


def with_nodes(resources, constraints=""):
    nodes = '<node id="1" uname="fs1"/><node id="2" uname="fs2"/>'
    return cib(resources, constraints, nodes=nodes, schema=NEW)


def metas(root, id):
    return read(root, primitive(id)).values("meta")


@pytest.mark.parametrize(
    "agent",
    ["systemd:freeswitch", "systemd:freeswitch.service", "service:freeswitch", "lsb:freeswitch"],
)
@pytest.mark.parametrize(
    ("resources", "removed", "whole"),
    [
        ("{}", "s", "s"),
        ('<group id="g">' + dummy("a") + "{}</group>", "s", "s"),
        ('<clone id="c">{}</clone>', "sc", "c"),
        ('<group id="g">{}</group>', "sg", "g"),
        # What leaves with it is stopped, and it is not.
        ('<group id="g">' + dummy("a") + "{}</group>", "sag", "s"),
        ('<clone id="c"><group id="g">' + dummy("a") + "{}</group></clone>", "sagc", "s"),
    ],
)
def test_the_unit_of_the_switch_is_let_go_of(agent, resources, removed, whole):
    root = with_nodes(
        resources.format(unit("s", agent)) + dummy("x"),
        f'<rsc_order id="o" first="{whole}" then="x"/>',
    )
    found = target(root, DesiredObjects(absent=tuple(removed)))
    assert handed_over(found) == {"s"}
    halfway = stopped_first(found, dict.fromkeys("sax", ("fs1",)), "run")
    assert faults(halfway) == []
    assert metas(halfway, "s")["is-managed"] == "false"
    assert stopped(halfway) == (["c"] if "c" in removed and "a" in removed else
                                ["g"] if removed == "sag" else [])  # fmt: skip
    assert leaving.let_go(halfway) == [(whole, "fs1"), (whole, "fs2")]
    assert ids(halfway.find("configuration/constraints"), "rsc_order") == []
    assert leaving.leaving(halfway) == {"run"}
    # Whoever reads it meanwhile takes it for the configuration that it was.
    again = leaving.copy_without_leaving(halfway)
    assert leaving.let_go(again) == []
    assert metas(again, "s") == {}


def test_only_the_unit_that_the_pillar_names_is_let_go_of():
    root = with_nodes(unit("s", "systemd:voice") + unit("t"))
    found = target(root, DesiredObjects(absent=("s", "t")))
    assert handed_over(found, "voice") == {"s"}
    halfway = stopped_first(found, {"s": ("fs1",), "t": ("fs1",)}, service="voice.service")
    assert stopped(halfway) == ["t"]
    assert leaving.let_go(halfway) == [("s", "fs1"), ("s", "fs2")]


@pytest.mark.parametrize(
    ("new", "kept"),
    [
        (obj("primitive", "n", {"agent": "systemd:freeswitch"}), False),
        (obj("primitive", "n", {"agent": "ocf:fsha:FSSwitch"}), False),
        (obj("primitive", "n", {"agent": "ocf:fsha:FSSofia"}), True),
    ],
)
@pytest.mark.parametrize("old", [unit(), SWITCH])
def test_what_another_resource_runs_on_one_node_is_not_handed_over(old, new, kept):
    found = target(with_nodes(old), DesiredObjects((new,), ("s",)))
    assert handed_over(found) == ({"s"} if kept else set())


@pytest.mark.parametrize("agent", ["systemd:freeswitch", "ocf:fsha:FSSwitch"])
def test_a_clone_that_goes_on_finds_the_switch_running(agent):
    new = obj("primitive", "n", {"agent": agent}), obj("clone", "k", {"resource": "n"})
    assert handed_over(target(with_nodes(unit()), DesiredObjects(new, ("s",)))) == {"s"}


def test_a_cib_of_an_old_schema_can_t_let_go():
    root = cib(unit(), schema="pacemaker-1.2")
    assert handed_over(target(root, DesiredObjects(absent=("s",)))) == frozenset()


def test_a_unit_that_does_not_run_is_not_let_go_of():
    found = target(with_nodes(unit() + dummy("x")), DesiredObjects(absent=("s", "x")))
    assert leaving.let_go(stopped_first(found, {"x": ("fs1",)})) == []


def test_nothing_that_runs_needs_no_stopping():
    root = cib(dummy("a") + dummy("b"), schema=NEW)
    assert stopping(root, "b", running="a") is None
    assert stopping(root, running="ab") is None
    assert stopped_first(target(root, DesiredObjects(absent=("b",))), {"b": ()}) is None


def test_only_what_runs_is_stopped():
    root = cib(dummy("a") + dummy("b") + dummy("c"), schema=NEW)
    assert stopped(stopping(root, "a", "b", running="bc")) == ["b"]


def test_what_goes_as_a_whole_stops_as_a_whole():
    inner = f'<group id="g">{dummy("a")}{dummy("b")}</group>'
    root = cib(f'<clone id="k">{inner}</clone>{dummy("x")}',
               '<rsc_order id="o" first="k" then="x"/>', schema=NEW)  # fmt: skip
    found = stopping(root, "k", "g", "a", "b")
    assert stopped(found) == ["k"]
    assert ids(found, "clone", "group", "primitive", "rsc_order") == ["k", "g", "a", "b", "x"]
    # The last member takes its containers along, one of two does not.
    assert stopped(stopping(root, "a", "b")) == ["k"]
    assert stopped(stopping(root, "a")) == ["a"]


def test_a_group_that_is_taken_apart_stops_nothing():
    root = cib(f'<group id="g">{dummy("a")}{dummy("b")}</group>', schema=NEW)
    assert stopping(root, "g") is None


def test_what_stops_is_told_to_whatever_it_was_told_before():
    inner = pairs("meta_attributes", "m", **{"target-role": "Started", "priority": "1"})
    found = stopping(cib(dummy("a", inner), schema=NEW), "a")
    assert read(found, primitive("a")).values("meta") == {
        "target-role": "Stopped",
        "priority": "1",
        leaving.LEAVING: "",
    }


def test_an_older_promotable_clone_stops_as_a_whole():
    root = cib(f'<master id="m">{dummy("a")}</master>', schema=OLD)
    found = stopping(root, "m", "a")
    assert stopped(found) == ["m"]
    assert find(found, "m").getparent().tag == "resources"
    assert [e.get("id") for e in find(found, "m").iter("primitive")] == ["a"]


def test_what_waits_for_a_member_does_not_stop_with_its_group():
    root = cib(
        f'<group id="g">{dummy("a")}{dummy("b")}</group>{dummy("x")}',
        '<rsc_order id="o" first="a" then="x"/>'
        '<rsc_colocation id="c" rsc="x" with-rsc="b" score="INFINITY"/>',
        schema=NEW,
    )
    # Measured on Pacemaker 2.1: with either of them x would stop, and start after the removal.
    assert ids(stopping(root, "g", "a", "b"), "rsc_order", "rsc_colocation") == []


def test_who_shares_the_meta_attributes_of_what_stops_does_not_stop():
    root = cib(
        dummy("a", pairs("meta_attributes", "m", priority="1"))
        + dummy("b", '<meta_attributes id-ref="m"/>'),
        schema=NEW,
    )
    found = stopping(root, "a", items=(primitive("b", meta={"priority": "1"}),))
    assert stopped(found) == ["a"]
    assert [pair.get("name") for pair in find(found, "m")] == ["priority"]


# --- back to an earlier configuration ------------------------------------------------------------


def back(live, point):
    """Return the target that restores a point, after its schema has accepted it."""
    before = text(live), text(point)
    found = restored(live, point)
    assert faults(found.root) == []
    assert (text(live), text(point)) == before
    return found


def test_what_was_added_goes_and_what_was_removed_or_changed_comes_back():
    point = cib(
        f'<group id="g">{dummy("a", pairs("instance_attributes", "i", ip="10.0.0.1"))}'
        f'{dummy("b")}</group>',
        '<rsc_location id="l" rsc="g" node="fs1" score="5"/>',
        options=pairs("cluster_property_set", "cib-bootstrap-options", **{"batch-limit": "5"}),
        schema=NEW,
    )  # fmt: skip
    live = cib(
        dummy("a", pairs("instance_attributes", "i", ip="10.0.0.2")) + dummy("new"),
        '<rsc_order id="o" first="a" then="new"/>',
        options=pairs("cluster_property_set", "cib-bootstrap-options", **{"cluster-delay": "9s"}),
        schema=NEW,
    )
    found = back(live, point)
    assert patch(point, found.root) == []
    assert found.removed == ("new", "o")
    assert found.changes["a"] == {"params:ip": {"old": "10.0.0.2", "new": "10.0.0.1"}}
    assert found.changes["g"]["object"]["old"] is None
    assert found.changes["new"]["object"]["new"] is None
    assert back(found.root, point).empty


def test_members_go_back_to_where_they_were():
    point = cib(f'<group id="g">{dummy("a")}{dummy("b")}</group>{dummy("c")}', schema=NEW)
    live = cib(f'<group id="g">{dummy("c")}</group><clone id="k">{dummy("b")}</clone>{dummy("a")}',
               schema=NEW)  # fmt: skip
    found = back(live, point)
    assert [e.get("id") for e in find(found.root, "g")] == ["a", "b"]
    assert (find(found.root, "c").getparent().tag, found.removed) == ("resources", ("k",))


def test_what_the_cluster_is_at_is_not_where_it_was():
    """The version and status are the live CIB's: a point is no dump that is loaded."""
    live, point = cib(dummy("a"), schema=NEW), cib(schema=NEW)
    live.set("epoch", "99")
    found = back(live, point)
    assert (str(document.version(found.root)), document.schema(found.root)) == (
        "0.99.0",
        (3, 9),
    )
    assert found.live is live


THEIRS = {
    "nodes": '<node id="1" uname="fs1">'
    + pairs("instance_attributes", "n", standby="on", maintenance="true")
    + "</node>",
    "options": pairs("cluster_property_set", "cib-bootstrap-options",
                     **{"maintenance-mode": "true", "stop-all-resources": "true"}),
    "resources": dummy("a", pairs("meta_attributes", "m", **{"target-role": "Stopped",
                                                             "is-managed": "false"})),
    "constraints": '<rsc_location id="cli-ban-a-on-fs1" rsc="a" node="fs1" score="-INFINITY"/>',
}  # fmt: skip
NOBODYS = {"nodes": '<node id="1" uname="fs1"/>', "resources": dummy("a")}


def test_what_operators_have_set_since_stays():
    assert back(cib(**THEIRS, schema=NEW), cib(**NOBODYS, schema=NEW)).empty


@pytest.mark.parametrize("where", ["constraints", "nodes", "options", "resources"])
def test_what_operators_had_set_then_does_not_come_back(where):
    """A point is taken before every commit, so often enough in the midst of maintenance."""
    point = cib(**{**NOBODYS, where: THEIRS[where]}, schema=NEW)
    assert back(cib(**NOBODYS, schema=NEW), point).empty


RULE = (
    '<rule id="r" score="1"><expression id="e" attribute="#uname" operation="eq" value="a"/></rule>'
)
SINCE = {
    "nodes": '<node id="1" uname="fs1">'
    + pairs("instance_attributes", "n", rack="a")
    + pairs("utilization", "u", cpu="2")
    + "</node>",
    "options": pairs("cluster_property_set", "cib-bootstrap-options")
    + pairs("cluster_property_set", "ruled", **{"batch-limit": "5"}).replace(
        "<nv", RULE + "<nv", 1
    ),
    "more": f"<rsc_defaults>{pairs('meta_attributes', 'd', priority='1')}</rsc_defaults>",
}


@pytest.mark.parametrize("where", list(SINCE))
def test_options_that_were_set_since_go_and_come_back(where):
    nothing = {"nodes": NOBODYS["nodes"]}
    one, other = cib(**{**nothing, where: SINCE[where]}, schema=NEW), cib(**nothing, schema=NEW)
    found = back(one, other)
    assert found.changes
    assert back(found.root, other).empty
    assert back(one, one).empty
    again = back(found.root, one)
    assert back(again.root, one).empty
    assert again.changes


def test_an_operators_ban_goes_with_what_it_is_about():
    found = back(cib(**THEIRS, schema=NEW), cib(nodes=THEIRS["nodes"], schema=NEW))
    assert found.removed == ("a", "cli-ban-a-on-fs1")


def test_ownership_is_restored_for_what_is_there():
    point = cib(dummy("a") + dummy("b"), more=tag("a", "gone"))
    live = cib(dummy("a") + dummy("b") + dummy("c"), more=tag("b", "c"))
    assert ownership.owned(restored(live, point).root) == {"a"}
    bare = restored(live, cib(dummy("a")))
    assert bare.root.find("configuration/tags") is None


def test_what_was_owned_then_and_is_gone_is_owned_again():
    point = applied(cib(schema=NEW), primitive("a"), properties(batch_limit="5"))
    found = back(cib(schema=NEW), point)
    assert ownership.owned(found.root) == ownership.owned(point)


def test_a_pair_that_comes_back_is_owned_whatever_its_id_was():
    mine = properties(batch_limit="5")
    point = applied(cib(options='<cluster_property_set id="cib-bootstrap-options"><nvpair id="odd" '
                                'name="batch-limit" value="9"/></cluster_property_set>',
                        schema=NEW), mine)  # fmt: skip
    found = back(cib(schema=NEW), point)
    assert target(found.root, DesiredObjects(complete=True)).root.find(".//nvpair") is None


ODD = '<primitive id="a" class="lsb" type="a"><operations>{0}</operations></primitive>'
OP = '<op id="o" name="monitor" interval="5s"{0}/>'


def test_what_cannot_be_expressed_is_restored_or_refused_and_never_only_told():
    point, live = (cib(ODD.format(OP.format(more))) for more in (' requires="fencing"', ""))
    try:
        found = restored(live, point)
    except document.CibError:
        return
    assert patch(point, found.root) == []


def test_what_is_of_no_known_kind_comes_back_or_is_told():
    point = cib(more='<acls><acl_user id="old"><read id="r" xpath="/cib"/></acl_user></acls>')
    try:
        found = restored(cib(), point)
    except document.CibError:
        return
    assert "old" in found.changes
    assert find(found.root, "old") is not None


def test_what_is_stopped_before_it_goes_stays_the_formulas_until_it_is_gone():
    root = applied(
        cib(), primitive("a"), primitive("b"), obj("group", "g", {"members": ["a", "b"]})
    )
    kept = (primitive("a"), obj("group", "g", {"members": ["a"]}))
    found = target(root, DesiredObjects(kept, complete=True))
    halfway = stopped_first(found, {"a": ("fs1",), "b": ("fs1",)}, "run")
    assert leaving.leaving(halfway) == {"run"}
    assert leaving.leaving(leaving.left_halfway(halfway)) == frozenset()
    assert ownership.owned(halfway) == ownership.owned(root) >= {"a", "b", "g"}
    # Whoever comes next, finishes it.
    found = target(halfway, DesiredObjects(kept, complete=True))
    assert found.removed == ("b",)
    again = stopped_first(found, {"b": ("fs1",)}, "other")
    assert (stopped(again), leaving.leaving(again)) == (["b"], {"other"})


def test_what_was_stopped_before_it_went_starts_again_when_it_is_wanted_after_all():
    group = obj("group", "g", {"members": ["a", "b"]})
    items = (primitive("a"), primitive("b", meta={"priority": "3"}), group)
    root = applied(cib(), *items)
    halfway = stopped_first(target(root, DesiredObjects(absent=("b",))), {"b": ("fs1",)}, "run")
    found = target(halfway, DesiredObjects(items, complete=True))
    assert (stopped(found.root), leaving.leaving(found.root)) == ([], frozenset())
    assert target(found.root, DesiredObjects(items, complete=True)).empty
    for point in (root, halfway):
        back = restored(halfway, point)
        assert (stopped(back.root), leaving.leaving(back.root)) == ([], frozenset())


# --- the names that tools give ------------------------------------------------------------------


def test_defaults_have_the_ids_that_crmsh_and_pcs_give_them():
    sets = {"sets": {"resource-stickiness": "100"}}
    root = applied(
        cib(),
        obj("resource_defaults", "rsc-options", sets),
        obj("operation_defaults", "op-options", {"sets": {"timeout": "20s"}}),
    )
    assert [s.get("id") for s in root.iter("meta_attributes")] == ["op-options", "rsc-options"]
    assert find(root, "rsc-options-resource-stickiness").get("value") == "100"
