"""What is read of elements, kind by kind; what cannot be expressed is named, never dropped."""

import re

import pytest
from lxml import etree

from fshalib.cib import document, read, rule
from fshalib.cib.kinds import KINDS, normal
from fshalib.cib.nvset import in_pillar
from fshalib.cib.read import find, read_all, strangers
from fshalib.cib.rule import Join
from fshalib.cib.target import DesiredObjects, target
from tests.unit.build import cib, dummy, obj, options, pairs, primitive
from tests.unit.schemas import faults

EVERYTHING = """
<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration>
<crm_config>
  <cluster_property_set id="cib-bootstrap-options">
    <nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>
  <cluster_property_set id="night" score="5"><rule id="nr">
    <date_expression id="nd" operation="date_spec"><date_spec id="ns" hours="0-6"/>
    </date_expression></rule><nvpair id="o2" name="batch-limit" value="1"/></cluster_property_set>
</crm_config>
<nodes><node id="1" uname="fs1" type="member" description="first">
  <instance_attributes id="n1"><nvpair id="n1s" name="site" value="east"/></instance_attributes>
  <utilization id="u1"><nvpair id="u1c" name="cpu" value="4"/></utilization></node></nodes>
<resources>
  <template id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><operations>
    <op id="vm" name="monitor" interval="5s" timeout="20s" on-fail="restart"/></operations>
  </template>
  <group id="g" description="both"><meta_attributes id="gm">
      <nvpair id="gms" name="resource-stickiness" value="100"/></meta_attributes>
    <primitive id="ip" template="vip"><instance_attributes id="ii">
      <nvpair id="iii" name="ip" value="10.0.0.1"/></instance_attributes></primitive>
    <primitive id="fs" class="lsb" type="FSSofia"/></group>
  <clone id="c"><meta_attributes id="cm"><nvpair id="cmp" name="promotable" value="true"/>
    </meta_attributes><primitive id="p" class="systemd" type="getty@tty1"/></clone>
  <bundle id="b"><podman image="i" replicas="2"/><network control-port="3121">
    <port-mapping id="pm" port="5060"/></network><storage>
    <storage-mapping id="sm" source-dir="/a" target-dir="/b" options="ro"/></storage></bundle>
</resources>
<constraints>
  <rsc_location id="l1" rsc="g" node="fs1" score="50" resource-discovery="never"/>
  <rsc_location id="l2" rsc-pattern="f." role="Promoted"><rule id="r" score-attribute="w"
    boolean-op="or"><expression id="e1" attribute="#uname" operation="eq" value="fs1"/>
    <rule id="r2" boolean-op="and"><expression id="e2" attribute="a" operation="defined"/>
    <date_expression id="d2" operation="lt" end="2030-01-01"/></rule></rule></rsc_location>
  <rsc_colocation id="co" rsc="ip" with-rsc="fs" score="INFINITY" with-rsc-role="Started"/>
  <rsc_order id="o" kind="Optional"><resource_set id="s1" sequential="false">
    <resource_ref id="ip"/><resource_ref id="fs"/></resource_set>
    <resource_set id="s2" action="stop"><resource_ref id="c"/></resource_set></rsc_order>
  <rsc_ticket id="t" rsc="g" ticket="site a" loss-policy="stop"/>
</constraints>
<fencing-topology><fencing-level id="f" target="fs1" index="1" devices="ip,fs"/></fencing-topology>
<op_defaults><meta_attributes id="od"><rule id="odr"><op_expression id="ode" name="monitor"/></rule>
  <nvpair id="odt" name="timeout" value="60s"/></meta_attributes></op_defaults>
<rsc_defaults><meta_attributes id="rd"><nvpair id="rds" name="priority" value="1"/>
  </meta_attributes></rsc_defaults>
<acls><acl_role id="ar"><acl_permission id="ap" kind="deny" object-type="nvpair" attribute="value"/>
  <acl_permission id="aq" kind="read" reference="g"/></acl_role>
  <acl_target id="alice"><role id="ar"/></acl_target>
  <acl_group id="ops" name="operators"><role id="ar"/></acl_group></acls>
<tags><tag id="tg"><obj_ref id="ip"/><obj_ref id="l1"/></tag></tags>
<alerts><alert id="a" path="/a"><select><select_attributes><attribute id="sa" name="site"/>
  </select_attributes><select_nodes/></select><recipient id="re" value="x"><meta_attributes
  id="rm"><nvpair id="rmt" name="timeout" value="5s"/></meta_attributes></recipient></alert>
</alerts>
</configuration><status/></cib>"""

FORMS = {
    ("properties", "cib-bootstrap-options"): {
        "sets": [
            {"score": "5", "rule": "date spec hours=0-6", "values": {"batch-limit": "1"}},
            {"values": {"stonith-enabled": "false"}},
        ]
    },
    ("operation_defaults", "op-options"): {
        "sets": [{"rule": "op monitor", "values": {"timeout": "60s"}}]
    },
    ("resource_defaults", "rsc-options"): {"sets": {"priority": "1"}},
    ("node", "fs1"): {
        "type": "member",
        "description": "first",
        "attributes": {"site": "east"},
        "utilization": {"cpu": "4"},
    },
    ("template", "vip"): {
        "agent": "ocf:heartbeat:IPaddr2",
        "operations": [
            {"name": "monitor", "interval": "5s", "timeout": "20s", "on-fail": "restart"}
        ],
    },
    ("group", "g"): {
        "members": ["ip", "fs"],
        "description": "both",
        "meta": {"resource-stickiness": "100"},
    },
    ("primitive", "ip"): {"template": "vip", "params": {"ip": "10.0.0.1"}},
    ("primitive", "fs"): {"agent": "lsb:FSSofia"},
    ("primitive", "p"): {"agent": "systemd:getty@tty1"},
    ("clone", "c"): {"resource": "p", "meta": {"promotable": "true"}},
    ("bundle", "b"): {
        "podman": {"image": "i", "replicas": "2"},
        "network": {"control-port": "3121", "ports": [{"port": "5060"}]},
        "storage": [{"source-dir": "/a", "target-dir": "/b", "options": "ro"}],
    },
    ("location", "l1"): {
        "resource": "g",
        "node": "fs1",
        "score": "50",
        "resource-discovery": "never",
    },
    ("location", "l2"): {
        "rsc-pattern": "f.",
        "role": "Promoted",
        "rules": [
            {
                "id": "r",
                "score-attribute": "w",
                "expression": "#uname eq fs1 or (defined a and date lt 2030-01-01)",
            }
        ],
    },
    ("colocation", "co"): {
        "resource": "ip",
        "with": "fs",
        "score": "INFINITY",
        "with-role": "Started",
    },
    ("order", "o"): {
        "kind": "Optional",
        "sets": [
            {"sequential": "false", "resources": ["ip", "fs"]},
            {"action": "stop", "resources": ["c"]},
        ],
    },
    ("ticket", "t"): {"resource": "g", "ticket": "site a", "loss-policy": "stop"},
    ("fencing_level", "f"): {"target": "fs1", "index": "1", "devices": ["ip", "fs"]},
    ("acl_role", "ar"): {
        "permissions": [
            {"kind": "deny", "object-type": "nvpair", "attribute": "value"},
            {"kind": "read", "reference": "g"},
        ]
    },
    ("acl_user", "alice"): {"roles": ["ar"]},
    ("acl_group", "ops"): {"login": "operators", "roles": ["ar"]},
    ("tag", "tg"): {"references": ["ip", "l1"]},
    ("alert", "a"): {
        "path": "/a",
        "select": {"events": ["attributes", "nodes"], "attributes": ["site"]},
        "recipients": [{"value": "x", "meta": {"timeout": "5s"}}],
    },
}


def test_every_kind_is_read_in_the_shape_of_the_pillar():
    root = document.parse(EVERYTHING)
    assert faults(root) == []
    found = {(item.kind, item.id): in_pillar(item.spec) for item in read_all(root)}
    assert found == FORMS
    assert {kind for kind, _ in found} == set(KINDS)
    assert strangers(root) == ()


def test_every_kind_is_written_as_it_was_read():
    root = document.parse(EVERYTHING)
    items = read_all(root)
    assert target(root, DesiredObjects(items)).changes == {}
    start = document.parse(document.EMPTY)
    start.set("validate-with", "pacemaker-3.9")
    built = target(start, DesiredObjects(items, complete=True)).root
    assert faults(built) == []
    again = {(o.kind, o.id): normal(o) for o in read_all(built) if o.id != "fsha-managed"}
    assert again == {key: normal(obj(*key, spec)) for key, spec in FORMS.items()}


# --- what cannot be expressed -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("xml", "what"),
    [
        ('<primitive id="x" class="lsb" type="a" odd="1"/>', "odd='1' of <primitive>"),
        ('<primitive id="x" class="lsb" type="a"><odd/></primitive>', "<odd> in <primitive>"),
        (
            '<primitive id="x" class="lsb" type="a"><meta_attributes id="m"><nvpair id="n" '
            'id-ref="y"/></meta_attributes></primitive>',
            "<nvpair> n without a value of its own",
        ),
        (
            '<primitive id="x" class="lsb" type="a"><meta_attributes id="m"><nvpair id="n" '
            'name="a"/></meta_attributes></primitive>',
            "<nvpair> n without a value of its own",
        ),
        (
            '<primitive id="x" class="lsb" type="a"><meta_attributes id="m" odd="1"/></primitive>',
            "odd='1' of <meta_attributes>",
        ),
        (
            '<primitive id="x" class="lsb" type="a"><operations><op id="o" name="monitor" '
            'requires="fencing"/></operations></primitive>',
            "requires='fencing' of <op>",
        ),
        ('<rsc_location id="x"><rule id="r"><odd/></rule></rsc_location>', "<odd> in a rule"),
        ('<rsc_location id="x"><rule id="r" odd="1"/></rsc_location>', "odd='1' of <rule>"),
        (
            '<rsc_order id="x"><resource_set id="s" odd="1"/></rsc_order>',
            "odd='1' of <resource_set>",
        ),
        ('<clone id="x"><primitive id="a"/><primitive id="b"/></clone>', "more than one resource"),
        (
            '<bundle id="x"><podman image="i"/><podman image="j"/></bundle>',
            "<podman> more than once",
        ),
        ('<bundle id="x"><storage/><storage/></bundle>', "<storage> a second time"),
        ('<tag id="x"><obj_ref id="a" odd="1"/></tag>', "odd='1' of <obj_ref>"),
        ('<alert id="x" path="/a"><select><select_odd/></select></alert>', "<select_odd>"),
        ('<alert id="x" path="/a"><recipient id="r" value="v" odd="1"/></alert>', "odd='1'"),
        ('<acl_role id="x"><read id="r"/></acl_role>', "<read> in <acl_role>"),
        ('<acl_target id="x"><role id="r" odd="1"/></acl_target>', "odd='1' of <role>"),
        ('<fencing-level id="x" odd="1"/>', "odd='1' of <fencing-level>"),
    ],
)
def test_what_cannot_be_expressed_is_named_and_a_difference(xml, what):
    item = read.read_element(etree.fromstring(xml))
    assert any(what in found for found in item.spec["other"]), item.spec["other"]
    assert "other" in normal(item)


def test_a_second_value_of_a_name_is_never_used_and_no_difference():
    inner = pairs("meta_attributes", "m", priority="1").replace(
        "</", '<nvpair id="n" name="priority" value="2"/></'
    )
    root = cib(dummy("p", inner))
    item = read.read(root, primitive("p"))
    assert in_pillar(item.spec["meta"]) == {"priority": "1"}
    assert item.spec["unused"] == ["priority='2' of n: the set has a priority before"]
    assert target(root, DesiredObjects((primitive("p", meta={"priority": "1"}),))).changes == {}


def test_an_operation_that_is_there_twice_is_used_once():
    ops = (
        '<operations><op id="o1" name="monitor" interval="5s" timeout="9s"/>'
        '<op id="o2" name="monitor" interval="5000ms" timeout="8s"/></operations>'
    )
    root = cib(dummy("p", ops))
    found = read.read(root, primitive("p"))
    monitor = {"name": "monitor", "interval": "5s", "timeout": "9s"}
    assert found.spec["operations"] == [monitor]
    assert found.spec["unused"] == ["o2: there is another monitor 5s before"]
    same = target(root, DesiredObjects((primitive("p", operations=[monitor]),)))
    assert (same.changes, [e.get("id") for e in same.root.iter("op")]) == ({}, ["o1", "o2"])


def test_what_cannot_be_expressed_is_told_when_it_is_taken_out():
    root = cib('<primitive id="p" class="lsb" type="a" odd="1"/>')
    found = target(root, DesiredObjects((primitive("p", "lsb:a"),)))
    assert found.changes == {"p": {"other": {"old": ["odd='1' of <primitive>"], "new": None}}}
    assert dict(find(found.root, "p").attrib) == {"id": "p", "class": "lsb", "type": "a"}
    # What nobody asks about is left as it is.
    left = target(root, DesiredObjects((primitive("q"),)))
    assert find(left.root, "p").get("odd") == "1"


HOSTILE = '"><primitive id="evil"/><!-- ]]> --> &amp; \'${SHELL}\n\t\U0001f4de'


@pytest.mark.parametrize(
    "item",
    [
        primitive("p", params=[{"values": {HOSTILE: HOSTILE}}], meta={HOSTILE: HOSTILE}),
        primitive("p", params=[{"rule": rule.render(Join("and", (
            rule.Test(HOSTILE, "eq", HOSTILE),))), "values": {"a": "1"}}]),
        primitive("p", operations=[{"name": "monitor", "interval": "5s", "description": HOSTILE}]),
        obj("location", "l", {"rsc-pattern": HOSTILE, "node": HOSTILE, "score": "1"}),
        obj("ticket", "t", {"ticket": HOSTILE, "resource": "a"}),
        obj("node", HOSTILE, {"description": HOSTILE, "attributes": {HOSTILE: HOSTILE}}),
        obj("fencing_level", "f", {"target-attribute": HOSTILE, "target-value": HOSTILE,
                                      "index": "1", "devices": ["a"]}),
        obj("acl_role", "r", {"permissions": [{"kind": "read", "xpath": HOSTILE}]}),
        obj("acl_user", HOSTILE, {"login": HOSTILE}),
        obj("alert", "x", {"path": HOSTILE, "recipients": [{"value": HOSTILE}],
                              "select": {"events": ["attributes"], "attributes": [HOSTILE]}}),
        options("properties", {HOSTILE: HOSTILE}),
    ],
    ids=lambda item: item.kind,
)  # fmt: skip
def test_hostile_values_of_every_kind_stay_values(item):
    root = cib(dummy("a"))
    wanted = DesiredObjects((item,))
    again = document.parse(document.render(target(root, wanted).root))
    assert read.find(again, "evil") is None
    assert normal(read.read(again, item)) == normal(item)
    assert target(again, wanted).changes == {}
    # An id that is made from a name is a valid one.
    made = [e.get("id") for e in again.iter("nvpair", "expression", "attribute", "recipient")]
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", id) for id in made)


def test_what_is_of_no_known_kind_is_told():
    root = cib('<odd id="x"/>', more='<recurring/><acls><acl_user id="old"/></acls>')
    assert strangers(root) == (
        "<recurring>",
        "<odd> x in <resources>",
        "<acl_user> old in <acls>",
    )
    assert read_all(root) == ()


def test_ids_of_parts_are_read_only_where_something_refers_to_them():
    inner = pairs("instance_attributes", "i", x="1")
    alone = read.read(cib(dummy("a", inner)), primitive("a"))
    assert in_pillar(alone.spec["params"]) == {"x": "1"}
    used = cib(dummy("a", inner) + dummy("b", '<instance_attributes id-ref="i"/>'))
    a, b = (in_pillar(read.read(used, primitive(name)).spec) for name in "ab")
    assert a["params"] == [{"id": "i", "values": {"x": "1"}}]
    assert b["params"] == [{"id-ref": "i"}]


# --- agents -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "attributes"),
    [
        ("ocf:heartbeat:IPaddr2", {"class": "ocf", "provider": "heartbeat", "type": "IPaddr2"}),
        ("lsb:FSSofia", {"class": "lsb", "type": "FSSofia"}),
        ("systemd:getty@tty1.service", {"class": "systemd", "type": "getty@tty1.service"}),
        ("stonith:external/ipmi", {"class": "stonith", "type": "external/ipmi"}),
        ("service:a:b", {"class": "service", "type": "a:b"}),
    ],
)
def test_an_agents_name_is_three_attributes_or_two(agent, attributes):
    root = target(cib(), DesiredObjects((primitive("p", agent),))).root
    assert dict(find(root, "p").attrib) == {"id": "p", **attributes}
    assert read.read(root, primitive("p")).agent == agent


def test_what_the_agent_does_anyway_is_no_difference():
    asked = []

    def defaults(agent):
        asked.append(agent)
        return {"nic": "eth0", "cidr_netmask": "24"}

    inner = pairs("instance_attributes", "i", ip="10.0.0.1", nic="eth0")
    root = cib(dummy("p", inner))
    bare = primitive("p", params={"ip": "10.0.0.1", "cidr_netmask": "24"})
    found = target(root, DesiredObjects((bare,)), defaults)
    assert found.changes == {}
    assert asked == ["ocf:heartbeat:Dummy"]
    # Another value is a difference all the same, and so is one that only one side has.
    other = primitive("p", params={"ip": "10.0.0.1", "nic": "eth1"})
    assert list(target(root, DesiredObjects((other,)), defaults).changes["p"]) == ["params:nic"]
    more = primitive("p", params={"ip": "10.0.0.1", "cidr_netmask": "25"})
    assert list(target(root, DesiredObjects((more,)), defaults).changes["p"]) == [
        "params:cidr_netmask"
    ]


@pytest.mark.parametrize(
    "item",
    [
        primitive("p", params={"ip": "10.0.0.2", "nic": "eth0"}),
        primitive("p", "lsb:FSSofia", params={"ip": "10.0.0.1", "nic": "eth0"}),
        primitive("q", params={"ip": "10.0.0.1"}),
        options("properties", {"batch-limit": "5"}),
    ],
)
def test_agents_are_not_asked_where_it_does_not_matter(item):
    root = cib(dummy("p", pairs("instance_attributes", "i", ip="10.0.0.1", nic="eth0")))
    target(root, DesiredObjects((item,)), lambda agent: pytest.fail(f"{agent} was asked"))
