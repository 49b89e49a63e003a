"""What a good pillar becomes."""

import subprocess
import sys
from pathlib import Path

import pytest

import fsha_config
import fsha_options
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
from tests.unit.config.pillars import GONE, changed, pillar

IP = "pacemaker:resources:ip_shared"
FS = "pacemaker:resources:fs"


def check(*places):
    return fsha_config.check(changed(*places))


def test_objects():
    assert check().pacemaker.objects == (
        Properties({"stonith-enabled": "false", "no-quorum-policy": "stop"}),
        ResourceDefaults({"resource-stickiness": "100", "migration-threshold": "1"}),
        Primitive(
            "ip_shared",
            Agent("ocf", "IPaddr2", "heartbeat"),
            {"ip": "10.101.20.219", "nic": "eth0", "cidr_netmask": "24"},
            {},
            (Operation("monitor", "5s", {"timeout": "20s"}),),
        ),
        Primitive(
            "fs",
            Agent("lsb", "FSSofia"),
            {},
            {"target-role": "Started"},
            (
                Operation("monitor", "5", {"timeout": "20"}),
                Operation("start", "0s", {"timeout": "60s"}),
                Operation("stop", "0s", {"timeout": "90s"}),
            ),
        ),
        Group("VoiceServices", ("ip_shared", "fs")),
        Location("prefer-fs1", "VoiceServices", "fs1", "50"),
        Location(
            "by-rule",
            "VoiceServices",
            rules=(Rule("10", (Expression("#uname", "eq", "fs2"),), "rule-1"),),
        ),
    )


def test_nodes():
    first, second = check().nodes
    assert (first.name, first.id, first.ips) == ("fs1", 1, ("10.101.20.110", "10.101.21.110"))
    assert first.addresses == ("10.101.20.110/24", "10.101.21.110/24")
    assert first.interfaces == (fsha_config.Interface("eth0", "10.101.20.110/24", "10.101.20.1"),)
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


@pytest.mark.parametrize(
    ("places", "vips"),
    [
        ((), ("10.101.20.219",)),
        ((("freeswitch:vips", ["10.101.21.9"]),), ("10.101.21.9",)),
        ((("pacemaker:groups:VoiceServices:members", ["fs"]),), ()),
        (((f"{FS}:agent", "lsb:other"),), ()),
    ],
)
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
    assert fsha_config.properties({name: given}) == Properties({name: text})


@pytest.mark.parametrize(("new", "old"), sorted(fsha_options.PROPERTY_ALIASES.items()))
def test_both_names_of_a_property(new, old):
    kind = fsha_options.PROPERTIES[old].kind
    value = kind.words[0] if hasattr(kind, "words") else "true" if old.startswith("stop") else 1
    assert list(fsha_config.properties({new: value}).values) == [old]


def test_properties_that_are_left_alone():
    config = check(
        ("pacemaker:properties:dc-version", "2.1.5"),
        ("pacemaker:properties:expected-quorum-votes", 1),
        ("pacemaker:properties:last-lrm-refresh", 1299964019),
    )
    assert set(config.pacemaker.properties.values) == {"stonith-enabled", "no-quorum-policy"}
    assert config.pacemaker.ignored == (
        "dc-version", "expected-quorum-votes", "last-lrm-refresh",
    )  # fmt: skip
    assert fsha_config.properties({"dc-version": "2.1.5"}) == Properties({})


def test_nothing_given_nothing_managed():
    config = check(("pacemaker:properties", {}), ("pacemaker:rsc_defaults", {}))
    assert config.pacemaker.properties is None
    assert config.pacemaker.resource_defaults is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (3, "3"), ("x", "x"), (2.0, "2"), (2.5, "2.5"), ("", "")],
)
def test_text(value, text):
    assert fsha_config.text(value) == text


@pytest.mark.parametrize("value", [None, [], {}, b"x", pytest.param(10**5000, id="huge")])
def test_no_text(value):
    with pytest.raises(TypeError):
        fsha_config.text(value)


# --- single objects --------------------------------------------------------------------------


def test_makers():
    assert fsha_config.primitive("a", "ocf:pacemaker:Dummy", {"fail": True}, {"priority": "+5"}, [
        {"name": "monitor", "interval": "10s", "on-fail": "Restart", "enabled": "yes"}
    ]) == Primitive(
        "a", Agent("ocf", "Dummy", "pacemaker"), {"fail": "true"}, {"priority": "5"},
        (Operation("monitor", "10s", {"on-fail": "restart", "enabled": "true"}),),
    )  # fmt: skip
    assert fsha_config.group("g", ["a", "b"], {"priority": 1}) == Group(
        "g", ("a", "b"), {"priority": "1"}
    )
    assert fsha_config.location("l", "g", "fs1", "inf") == Location("l", "g", "fs1", "INFINITY")
    assert fsha_config.location("l", "g", None, None, [{"score": 1, "expression": "defined a"}])
    assert fsha_config.resource_defaults({"priority": 1}) == ResourceDefaults({"priority": "1"})
    assert fsha_config.resource_defaults({}, "other").id == "other"


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: fsha_config.primitive("a", "ocf:Dummy"), "a:agent"),
        (lambda: fsha_config.primitive("a", None), "a:agent"),
        (lambda: fsha_config.primitive("a", "lsb:x", params=[]), "a:params"),
        (lambda: fsha_config.primitive("a", "lsb:x", params={"b": 1}), "a:params"),
        (lambda: fsha_config.primitive("a", "lsb:x", operations=[{}]), "a:operations:0:name"),
        (lambda: fsha_config.primitive("1", "lsb:x"), "id"),
        (lambda: fsha_config.primitive(None, "lsb:x"), "id"),
        (lambda: fsha_config.group("g", []), "g:members"),
        (lambda: fsha_config.location("l", "g"), "l:node"),
        (lambda: fsha_config.location("l", "g", "fs1"), "l:score"),
        (lambda: fsha_config.location("l", "g", "fs1", "x"), "l:score"),
        (lambda: fsha_config.location("l", "g", rules=[{"score": 1}]), "l:rules:0:expression"),
        (lambda: fsha_config.properties({"stonith": True}), "cib-bootstrap-options:stonith"),
        (lambda: fsha_config.properties(None), "cib-bootstrap-options"),
        (lambda: fsha_config.resource_defaults({"x": 1}), "rsc-options:x"),
    ],
)
def test_makers_refuse(make, path):
    with pytest.raises(fsha_config.ConfigErrors) as caught:
        make()
    assert [error.path for error in caught.value.errors] == [path]


# --- agents ----------------------------------------------------------------------------------

IPADDR2 = fsha_config.AgentMetadata(
    {
        # As the real agent has it: required, with an empty default.
        "ip": fsha_config.Parameter(required=True, unique=True, default=""),
        "nic": fsha_config.Parameter(),
        "cidr_netmask": fsha_config.Parameter(),
        "arp_count": fsha_config.Parameter(required=True, default="5"),
    },
    ("start", "stop"),
)


def metadata(agent):
    known = {"ocf:heartbeat:IPaddr2": IPADDR2, "lsb:FSSofia": fsha_config.AgentMetadata({})}
    return known.get(str(agent))


def agent_errors(*places, known=()):
    with pytest.raises(fsha_config.ConfigErrors) as caught:
        fsha_config.check_agents(check(*places), metadata, known)
    return [(error.path.removeprefix("fsha:"), error.message) for error in caught.value.errors]


def test_known_agents():
    fsha_config.check_agents(check((f"{IP}:params:OCF_CHECK_LEVEL", 10)), metadata)


def test_unknown_agent():
    found = agent_errors((f"{FS}:agent", "lsb:FSSofa"), known=["lsb:FSSofia", "lsb:ssh"])
    assert [path for path, _ in found] == [f"{FS}:agent"]
    assert 'did you mean "lsb:FSSofia"?' in found[0][1]


def test_unknown_parameter():
    found = agent_errors((f"{IP}:params:nick", "eth0"))
    assert [path for path, _ in found] == [f"{IP}:params:nick"]
    assert 'did you mean "nic"?' in found[0][1]


def test_missing_parameter():
    found = agent_errors((f"{IP}:params:ip", GONE))
    assert [path for path, _ in found] == [f"{IP}:params:ip"]
    assert "missing" in found[0][1]


def test_parameters_of_every_fence_device():
    config = check(
        ("pacemaker:resources:fence-fs1",
         {"agent": "stonith:fence_dummy", "params": {"pcmk_host_list": "fs1"}})
    )  # fmt: skip
    fsha_config.check_agents(config, lambda a: metadata(a) or fsha_config.AgentMetadata({}))


def test_metadata_survives_the_way_through_salt():
    import dataclasses

    assert fsha_config.agent_metadata(dataclasses.asdict(IPADDR2)) == IPADDR2


def test_the_check_needs_neither_lxml_nor_salt():
    # A minion that was never synced has no lxml, and must still tell what is wrong.
    utils = Path(fsha_config.__file__).parent
    code = (
        "import sys; sys.modules['lxml'] = None; sys.modules['salt'] = None\n"
        f"sys.path.insert(0, {str(utils)!r})\n"
        "import fsha_config, fsha_lint\n"
        f"fsha_lint.lint(fsha_config.check({pillar()!r}))\n"
    )
    subprocess.run([sys.executable, "-I", "-B", "-c", code], check=True, timeout=60)


def test_the_host_is_a_node_by_its_name_or_by_an_address():
    config = check()
    node = config.nodes[0]
    fsha_config.check_host(config, node.name, [])
    fsha_config.check_host(config, "another", ["127.0.0.1", node.ips[0]])
    with pytest.raises(fsha_config.ConfigErrors) as caught:
        fsha_config.check_host(config, f"{node.name}x", ["127.0.0.1"])
    said = str(caught.value)
    assert said.startswith("fsha:nodes: ")
    assert f'did you mean "{node.name}"' in said
