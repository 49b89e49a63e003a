"""What a good pillar becomes."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fshalib.cib import options
from fshalib.cib.kinds import KINDS
from fshalib.cib.nvset import in_pillar
from fshalib.pacemaker import agent as agent_types
from fshalib.pillar import config as pillar_config
from fshalib.pillar import validate_agents
from fshalib.schema import report as schema_report
from fshalib.schema.report import ConfigErrors
from tests.unit.build import obj
from tests.unit.pillars import GONE, changed, full

IP = "pacemaker:resources:ip_shared"
FS = "pacemaker:resources:fs"


def check(*places):
    return pillar_config.check(changed(*places))


def test_objects():
    assert check().pacemaker.objects == (
        properties({"stonith-enabled": "false", "no-quorum-policy": "stop"}),
        obj(
            "resource_defaults",
            "rsc-options",
            {"sets": {"resource-stickiness": "100", "migration-threshold": "1"}},
        ),
        obj(
            "primitive",
            "ip_shared",
            {
                "agent": "ocf:heartbeat:IPaddr2",
                "params": {"ip": "10.101.20.219", "nic": "eth0", "cidr_netmask": "24"},
                "operations": [{"name": "monitor", "interval": "5s", "timeout": "20s"}],
            },
        ),
        obj(
            "primitive",
            "fs",
            {
                "agent": "lsb:FSSofia",
                "meta": {"target-role": "Started"},
                "operations": [
                    {"name": "monitor", "interval": "5", "timeout": "20"},
                    {"name": "start", "timeout": "60s"},
                    {"name": "stop", "timeout": "90s"},
                ],
            },
        ),
        obj("group", "VoiceServices", {"members": ["ip_shared", "fs"]}),
        obj(
            "location",
            "prefer-fs1",
            {"resource": "VoiceServices", "node": "fs1", "score": "50"},
        ),
        obj(
            "location",
            "by-rule",
            {
                "resource": "VoiceServices",
                "rules": [{"id": "rule-1", "score": "10", "expression": "#uname eq fs2"}],
            },
        ),
    )


def properties(values):
    return obj("properties", "cib-bootstrap-options", {"sets": values})


def test_every_kind_has_a_pillar_form():
    found = pillar_config.check(full()).pacemaker
    assert {item.kind for item in found.objects} == set(KINDS)
    order = list(dict.fromkeys(item.kind for item in found.objects))
    assert order == list(KINDS)


def test_values_become_text_wherever_they_stand():
    found = {
        (item.kind, item.id): in_pillar(item.spec)
        for item in pillar_config.check(full()).pacemaker.objects
    }
    assert found["operation_defaults", "op-options"]["sets"] == [
        {"values": {"timeout": "30s"}},
        {"id": "slow", "rule": "resource ::IPaddr2 and op start", "values": {"timeout": "90"}},
    ]
    assert found["primitive", "ping"]["operations"][0]["params"] == {"OCF_CHECK_LEVEL": "10"}
    assert found["primitive", "ip_carrier"]["params"][0]["score"] == "2"
    assert found["clone", "database-clone"]["meta"] == {"promotable": "true"}
    assert found["bundle", "media-bundle"]["podman"]["replicas"] == "2"
    assert found["bundle", "media-bundle"]["network"]["ports"] == [{"id": "sip", "port": "5060"}]
    assert found["colocation", "apart"]["score"] == "-10"
    assert found["order", "helpers-first"]["sets"][0]["sequential"] == "false"
    assert found["fencing_level", "fs1-first"]["index"] == "1"
    assert found["alert", "log"]["recipients"][0]["meta"] == {"timeout": "5"}
    assert found["node", "fs1"]["utilization"] == {"cpu": "4"}


def test_what_primitives_take_from_their_template():
    found = {item.id: item for item in pillar_config.check(full()).pacemaker.primitives()}
    carrier = found["ip_carrier"]
    assert carrier.agent == "ocf:heartbeat:IPaddr2"
    assert carrier.values("params") == {"ip": "10.101.20.218", "nic": "eth0"}
    assert carrier.spec["operations"] == [{"name": "monitor", "interval": "10s", "role": "Started"}]
    assert found["fs"].agent == "lsb:FSSofia"


def test_nodes():
    first, second = check().nodes
    assert (first.name, first.id, first.ips) == ("fs1", 1, ("10.101.20.110", "10.101.21.110"))
    assert first.addresses == ("10.101.20.110/24", "10.101.21.110/24")
    assert first.interfaces == (pillar_config.Interface("eth0", "10.101.20.110/24", "10.101.20.1"),)
    assert (second.id, second.aliases, second.interfaces) == (2, (), ())


def test_ipv6_pair():
    config = check(
        ("nodes:fs1:addresses", ["FD00:0::1/64"]),
        ("nodes:fs2:addresses", ["fd00::2/64"]),
        ("nodes:fs1:interfaces", {}),
        ("corosync:links", []),
        (f"{IP}:params:ip", "fd00:0:0::9"),
    )
    assert config.nodes[0].addresses == ("fd00::1/64",)
    assert config.freeswitch.vips == ("fd00::9",)


def test_a_third_network_that_carries_no_link():
    config = check(
        (f"{IP}:params:ip", "192.0.2.9"),
        ("nodes:fs1:interfaces:eth2", {"address": "192.0.2.1/24"}),
    )
    assert config.freeswitch.vips == ("192.0.2.9",)


ALONE = (("pacemaker:groups", {}), ("pacemaker:locations", {}))
TIE = "pacemaker:colocations:together"


@pytest.mark.parametrize(
    ("places", "vips"),
    [
        ((), ("10.101.20.219",)),
        ((("freeswitch:vips", ["10.101.21.9"]),), ("10.101.21.9",)),
        ((("pacemaker:groups:VoiceServices:members", ["fs"]),), ()),
        (((f"{FS}:agent", "lsb:other"),), ()),
        (((f"{FS}:agent", "service:FSSofia"),), ("10.101.20.219",)),
        ((*ALONE, (TIE, {"resource": "fs", "with": "ip_shared", "score": "INFINITY"})),
         ("10.101.20.219",)),
        ((*ALONE, (TIE, {"resource": "ip_shared", "with": "fs", "score": "INFINITY"})),
         ("10.101.20.219",)),
        ((*ALONE, (TIE, {"resource": "ip_shared", "with": "fs", "score": 100})), ()),
    ],
)  # fmt: skip
def test_vips(places, vips):
    assert check(*places).freeswitch.vips == vips


@pytest.mark.parametrize(
    ("transport", "crypto", "complete"),
    [
        ("knet", {}, ("aes256", "sha256")),
        ("knet", {"cipher": "none"}, ("none", "sha256")),
        ("knet", {"cipher": "none", "hash": "none"}, ("none", "none")),
        ("udpu", {}, ("none", "none")),
        ("udp", {"cipher": "none"}, ("none", "none")),
    ],
)
def test_crypto_is_complete(transport, crypto, complete):
    config = check(
        ("corosync:transport", transport),
        ("corosync:crypto", crypto),
        ("corosync:links", []),
        ("nodes:fs1:addresses", ["10.101.20.110/24"]),
        ("nodes:fs2:addresses", ["10.101.20.220/24"]),
    )
    assert tuple(config.corosync.crypto.values()) == complete


def test_without_crypto_no_key_is_needed():
    config = check(
        ("corosync:authkey", GONE), ("corosync:crypto", {"cipher": "none", "hash": "none"})
    )
    assert config.corosync.authkey is None


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("stonith-enabled", False, "false"), ("stonith-enabled", "yes", "true"),
        ("stonith-enabled", 0, "false"), ("stonith-timeout", 60, "60"),
        ("stonith-timeout", "PT1M", "60s"), ("stonith-timeout", " 60s ", "60s"),
        ("stonith-action", False, "off"), ("stonith-action", "REBOOT", "reboot"),
        ("stonith-watchdog-timeout", -1, "-1"), ("node-health-red", "-inf", "-INFINITY"),
        ("load-threshold", "80 %", "80%"), ("load-threshold", 80, "80%"),
        ("batch-limit", "007", "7"), ("migration-limit", -1, "-1"),
        ("no-quorum-policy", "Ignore", "ignore"), ("cluster-recheck-interval", 2.0, "2"),
    ],
)  # fmt: skip
def test_properties_become_the_clusters_text(name, given, text):
    assert made({name: given}) == properties({name: text})


def made(values):
    return pillar_config.make("properties", "cib-bootstrap-options", {"sets": values})


@pytest.mark.parametrize(("new", "old"), sorted(options.PROPERTY_ALIASES.items()))
def test_both_names_of_a_property(new, old):
    kind = options.PROPERTIES[old].kind
    value = kind.words[0] if hasattr(kind, "words") else "true" if old.startswith("stop") else 1
    assert list(made({new: value}).values("sets")) == [old]


def test_properties_that_are_left_alone():
    config = check(
        ("pacemaker:properties:dc-version", "2.1.5"),
        ("pacemaker:properties:expected-quorum-votes", 1),
        ("pacemaker:properties:last-lrm-refresh", 1299964019),
    )
    assert set(config.pacemaker.values("properties")) == {"stonith-enabled", "no-quorum-policy"}
    assert config.pacemaker.ignored == (
        "dc-version", "expected-quorum-votes", "last-lrm-refresh",
    )  # fmt: skip
    assert made({"dc-version": "2.1.5"}) == properties({})


def test_nothing_given_nothing_managed():
    config = check(("pacemaker:properties", {}), ("pacemaker:rsc_defaults", {}))
    assert not {"properties", "resource_defaults"} & {o.kind for o in config.pacemaker.objects}


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (3, "3"), ("x", "x"), (2.0, "2"), (2.5, "2.5"), ("", "")],
)
def test_text(value, text):
    assert schema_report.text(value) == text


@pytest.mark.parametrize("value", [None, [], {}, b"x", pytest.param(10**5000, id="huge")])
def test_no_text(value):
    with pytest.raises(TypeError):
        schema_report.text(value)


# --- single objects --------------------------------------------------------------------------


def test_make():
    spec = {
        "agent": "ocf:pacemaker:Dummy",
        "params": {"fail": True},
        "meta": {"priority": "+5"},
        "utilization": None,
        "operations": [{"name": "monitor", "on-fail": "Restart", "enabled": "yes"}],
    }
    assert in_pillar(pillar_config.make("primitive", "a", spec).spec) == {
        "agent": "ocf:pacemaker:Dummy",
        "params": {"fail": "true"},
        "meta": {"priority": "5"},
        "operations": [{"name": "monitor", "on-fail": "restart", "enabled": "true"}],
    }
    location = {"resource": "g", "node": "fs1", "score": "inf"}
    assert pillar_config.make("location", "l", location).spec["score"] == "INFINITY"
    made = pillar_config.make("resource_defaults", "other", {"sets": {"priority": 1}})
    assert made == obj("resource_defaults", "rsc-options", {"sets": {"priority": "1"}})


def test_every_kind_is_made_alone():
    pacemaker = full()["pacemaker"]
    whole = pillar_config.check(full()).pacemaker
    for kind in KINDS.values():
        given = pacemaker[kind.key]
        objects = {item.id: item for item in whole.of(kind.name)}
        forms = {next(iter(objects)): {"sets": given}} if kind.one else given
        for id, spec in forms.items():
            assert pillar_config.make(kind.name, id, spec) == objects[id]


@pytest.mark.parametrize(
    ("kind", "id", "spec", "path"),
    [
        ("primitive", "a", {"agent": "ocf:Dummy"}, "a:agent"),
        ("primitive", "a", {"agent": None}, "a:agent"),
        ("primitive", "a", None, "a"),
        ("primitive", "a", {"agent": "lsb:x", "params": 1}, "a:params"),
        ("primitive", "a", {"agent": "lsb:x", "params": {"b": 1}}, "a:params"),
        ("primitive", "a", {"agent": "lsb:x", "operations": [{}]}, "a:operations:0:name"),
        ("primitive", "1", {"agent": "lsb:x"}, "id"),
        ("primitive", None, {"agent": "lsb:x"}, "id"),
        ("primitive", "a\nb", {"agent": "lsb:x"}, "id"),
        ("node", "fs-", {}, "id"),
        ("group", "g", {"members": []}, "g:members"),
        ("location", "l", {"resource": "g"}, "l:node"),
        ("location", "l", {"resource": "g", "node": "fs1"}, "l:score"),
        ("location", "l", {"resource": "g", "node": "fs1", "score": "x"}, "l:score"),
        ("location", "l", {"resource": "g", "rules": [{"score": 1}]}, "l:rules:0:expression"),
        ("properties", "p", {"sets": {"stonith-enable": True}}, "p:sets:stonith-enable"),
        ("properties", "p", {"sets": [{"id-ref": "a", "score": 1}]}, "p:sets:0:score"),
        ("properties", "p", {"sets": None}, ""),
        ("properties", "p", None, "p"),
        ("resource_defaults", "d", {"sets": {"priority": "x"}}, "d:sets:priority"),
        ("order", "o", {"first": "a"}, "o:then"),
    ],
)
def test_make_refuses(kind, id, spec, path):
    if not path:
        assert in_pillar(pillar_config.make(kind, id, spec).spec) == {"sets": {}}
        return
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.make(kind, id, spec)
    assert [error.path for error in caught.value.errors] == [path]


def test_the_section_alone():
    pacemaker = full()["pacemaker"]
    # No node is known there, so every name of one will do.
    pacemaker["locations"]["prefer-fs1"]["node"] = "elsewhere"
    assert {o.kind for o in pillar_config.check_pacemaker(pacemaker)} == set(KINDS)
    del pacemaker["resources"]["fs"]
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check_pacemaker(pacemaker)
    assert [error.path for error in caught.value.errors] == [
        "fsha:pacemaker:groups:VoiceServices:members"
    ]


# --- agents ----------------------------------------------------------------------------------

Parameter = agent_types.Parameter
IPADDR2 = agent_types.AgentMetadata(
    {
        # As the real agent has it: required, with an empty default.
        "ip": Parameter(required=True, unique="ip", default=""),
        "nic": Parameter(),
        "cidr_netmask": Parameter(type="integer"),
        "arp_count": Parameter(required=True, type="integer", default="5"),
        "unique_clone_address": Parameter(type="boolean", default="false"),
    },
    ("start", "stop"),
)
# As fence agents have it: the old name is required as well, and so is what the cluster tells.
FENCE = agent_types.AgentMetadata(
    {
        "ip": Parameter(required=True, older=("ipaddr",)),
        "ipaddr": Parameter(),
        "plug": Parameter(required=True, older=("port",)),
        "port": Parameter(required=True),
        "passwd": Parameter(type="integer"),
        "method": Parameter(type="select", default="onoff", options=("onoff", "cycle")),
    }
)
PING = agent_types.AgentMetadata(
    {
        "host_list": Parameter(required=True),
        # ocf:pacemaker:ping has "5s" as the default of this "integer".
        "dampen": Parameter(type="integer", default=".%F"),
        "attempts": Parameter(type="integer", default="3"),
        "timeout": Parameter(type="integer"),
    }
)
REMOTE = agent_types.AgentMetadata(
    {
        "server": Parameter(unique="address"),
        "port": Parameter(unique="address", default="3121"),
    }
)
AGENTS = {
    "ocf:heartbeat:IPaddr2": IPADDR2,
    "lsb:FSSofia": agent_types.AgentMetadata({}),
    "stonith:fence_ipmilan": FENCE,
    "ocf:pacemaker:ping": PING,
    "ocf:pacemaker:remote": REMOTE,
}


def agent_errors(*places, known=(), agents=AGENTS, base=None):
    config = pillar_config.check(changed(*places, base=base))
    with pytest.raises(ConfigErrors) as caught:
        validate_agents.check_agents(config, agents.get, known)
    return [(error.path.removeprefix("fsha:"), error.message) for error in caught.value.errors]


def accepted(*places):
    validate_agents.check_agents(check(*places), AGENTS.get)


def resource(name, agent, **params):
    return f"pacemaker:resources:{name}", {"agent": agent, "params": params}


def test_known_agents():
    accepted((f"{IP}:params:OCF_CHECK_LEVEL", 10))


def test_unknown_agent():
    found = agent_errors((f"{FS}:agent", "lsb:FSSofa"), known=["lsb:FSSofia", "lsb:ssh"])
    assert [path for path, _ in found] == [f"{FS}:agent"]
    assert 'did you mean "lsb:FSSofia"?' in found[0][1]


def test_an_unknown_agent_of_a_template_is_told_once():
    places = [
        ("pacemaker:templates:t", {"agent": "ocf:heartbeat:IPadr2"}),
        ("pacemaker:resources:a", {"template": "t"}),
        ("pacemaker:resources:b", {"template": "t"}),
    ]
    found = agent_errors(*places, known=["ocf:heartbeat:IPaddr2"])
    assert [path for path, _ in found] == ["pacemaker:templates:t:agent"]
    assert 'did you mean "ocf:heartbeat:IPaddr2"?' in found[0][1]


@pytest.mark.parametrize(
    ("place", "path", "part"),
    [
        ((f"{IP}:params:nick", "eth0"), f"{IP}:params:nick", 'did you mean "nic"?'),
        ((f"{IP}:params:ip", GONE), f"{IP}:params:ip", "this key is missing"),
        ((f"{IP}:params:cidr_netmask", "24x"), f"{IP}:params:cidr_netmask", "a whole number"),
        ((f"{IP}:params:cidr_netmask", "255.255.255.0"), f"{IP}:params:cidr_netmask",
         'not "255.255.255.0"'),
        ((f"{IP}:params:unique_clone_address", "maybe"), f"{IP}:params:unique_clone_address",
         "true or false"),
        ((f"{IP}:params", [{"values": {"ip": "10.101.20.219"}},
                           {"rule": "defined a", "values": {"nicc": "eth1"}}]),
         f"{IP}:params:nicc", 'did you mean "nic"?'),
        (resource("f", "stonith:fence_ipmilan", ip="192.0.2.1", method="onof"),
         "pacemaker:resources:f:params:method", 'one of onoff, cycle is expected'),
        (resource("f", "stonith:fence_ipmilan", ip="192.0.2.1", pcm_host_list="fs1"),
         "pacemaker:resources:f:params:pcm_host_list", "a parameter of stonith:fence_ipmilan"),
        (resource("f", "stonith:fence_ipmilan"), "pacemaker:resources:f:params:ip", "requires it"),
        (resource("p", "ocf:pacemaker:ping", host_list="a", attempts="many"),
         "pacemaker:resources:p:params:attempts", "a whole number"),
    ],
)  # fmt: skip
def test_one_parameter_is_wrong(place, path, part):
    found = agent_errors(place)
    assert [at for at, _ in found] == [path]
    assert part in found[0][1]
    assert found[0][1].endswith((".", "?"))


@pytest.mark.parametrize(
    "place",
    [
        (f"{IP}:params:cidr_netmask", "+24"),
        (f"{IP}:params:unique_clone_address", "t"),
        resource("f", "stonith:fence_ipmilan", ip="192.0.2.1", pcmk_host_list="fs1"),
        resource("f", "stonith:fence_ipmilan", ipaddr="192.0.2.1", method="Cycle"),
        resource("p", "ocf:pacemaker:ping", host_list="a", dampen="5s", timeout="2s"),
        (f"{IP}:params", [{"rule": "defined a", "values": {"nic": "eth1"}}]),
    ],
)
def test_what_agents_of_the_field_accept(place):
    accepted(place)


def test_a_value_that_may_be_a_secret_is_not_shown():
    found = agent_errors(resource("f", "stonith:fence_ipmilan", ip="192.0.2.1", passwd=SECRET))
    assert [path for path, _ in found] == ["pacemaker:resources:f:params:passwd"]
    assert SECRET not in found[0][1]


SECRET = "H4rdToGuess-9471"


def test_a_template_brings_parameters():
    template = ("pacemaker:templates:t",
                {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "10.101.20.218"}})  # fmt: skip
    accepted(template, ("pacemaker:resources:a", {"template": "t", "params": {"nic": "eth0"}}))
    found = agent_errors(
        ("pacemaker:templates:t", {"agent": "ocf:heartbeat:IPaddr2", "params": {"nik": "eth0"}}),
        ("pacemaker:resources:a", {"template": "t"}),
        ("pacemaker:resources:b", {"template": "t", "params": {"ip": "10.101.20.217"}}),
    )
    assert [path for path, _ in found] == [
        "pacemaker:templates:t:params:nik", "pacemaker:resources:a:params:ip",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("places", "path"),
    [
        ([resource("ip2", "ocf:heartbeat:IPaddr2", ip="10.101.20.219")], "ip2:params:ip"),
        ([("pacemaker:templates:t",
           {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "10.101.20.218"}}),
          ("pacemaker:resources:a", {"template": "t"}),
          ("pacemaker:resources:b", {"template": "t"})], "b:params:ip"),
        ([resource("r1", "ocf:pacemaker:remote", server="a", port=3121),
          resource("r2", "ocf:pacemaker:remote", server="a")], "r2:params:server"),
        ([resource("r1", "ocf:pacemaker:remote", server="a", port=1),
          resource("r2", "ocf:pacemaker:remote", server="a", port=1)], "r2:params:port"),
    ],
)  # fmt: skip
def test_values_that_no_two_resources_share(places, path):
    found = agent_errors(*places)
    assert [at for at, _ in found] == [f"pacemaker:resources:{path}"]
    assert "a value of its own is expected" in found[0][1]


@pytest.mark.parametrize(
    "places",
    [
        [resource("r1", "ocf:pacemaker:remote", server="a", port=1),
         resource("r2", "ocf:pacemaker:remote", server="a", port=2)],
        [resource("r1", "ocf:pacemaker:remote", server="7"),
         resource("r2", "ocf:pacemaker:remote", port="7")],
        [resource("r1", "ocf:pacemaker:remote"), resource("r2", "ocf:pacemaker:remote")],
        [resource("a", "ocf:heartbeat:IPaddr2", ip="10.101.20.218", nic="eth0")],
    ],
)  # fmt: skip
def test_values_that_differ(places):
    accepted(*places)


def test_agents_of_every_kind_of_place():
    names = pillar_config.agents(pillar_config.check(full()))
    assert names[0] == "ocf:heartbeat:IPaddr2"
    assert {"lsb:FSSofia", "stonith:external/ipmi", "systemd:postgresql"} < set(names)
    assert len(set(names)) == len(names)


def test_metadata_survives_the_way_through_salt():
    for metadata in AGENTS.values():
        sent = json.loads(json.dumps(dataclasses.asdict(metadata)))
        parameters = {
            name: agent_types.Parameter(
                **{key: tuple(v) if isinstance(v, list) else v for key, v in parameter.items()}
            )
            for name, parameter in sent["parameters"].items()
        }
        assert agent_types.AgentMetadata(parameters, tuple(sent["actions"])) == metadata


def test_the_check_needs_neither_lxml_nor_salt():
    # A minion that was never synced has no lxml, and must still tell what is wrong.
    utils = Path(pillar_config.__file__).parents[2]
    code = (
        "import sys; sys.modules['lxml'] = None; sys.modules['salt'] = None\n"
        f"sys.path.insert(0, {str(utils)!r})\n"
        "import fshalib.pillar.config, fshalib.lint.runner\n"
        f"fshalib.lint.runner.lint(fshalib.pillar.config.check({full()!r}))\n"
    )
    subprocess.run([sys.executable, "-I", "-B", "-c", code], check=True, timeout=60)


def test_the_host_is_a_node_by_its_name_or_by_an_address():
    config = check()
    node = config.nodes[0]
    pillar_config.check_host(config, node.name, [])
    pillar_config.check_host(config, "another", ["127.0.0.1", node.ips[0]])
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check_host(config, f"{node.name}x", ["127.0.0.1"])
    said = str(caught.value)
    assert said.startswith("fsha:nodes: ")
    assert f'did you mean "{node.name}"' in said
