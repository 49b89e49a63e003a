"""Each mistake is told with the path of its key and with what was expected."""

import base64
import re

import pytest

from fshalib.cib.kinds import KINDS
from fshalib.pillar import config as pillar_config
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import GONE, changed, full, pillar, random_key

IP = "pacemaker:resources:ip_shared"
FS = "pacemaker:resources:fs"
FB = "fonebridge"
SPANS = {"span1": {"framing": "ccs", "encoding": "hdb3"}}


def mistakes(raw):
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check(raw)
    return caught.value.errors


def only(raw):
    errors = mistakes(raw)
    assert len(errors) == 1, [str(error) for error in errors]
    return errors[0]


# One change of the good pillar, and the one mistake that it makes: path (below fsha) and a part
# of the message. An empty path means that of the change.
ONE_MISTAKE = [
    # Unknown keys, with the nearest name.
    ("nodse", {}, "", 'did you mean "nodes"'),
    ("cluster:nmae", "x", "", 'did you mean "name"'),
    ("cluster:unmanaged", "repport", "", 'did you mean "report"'),
    ("nodes:fs1:adresses", [], "", 'did you mean "addresses"'),
    ("network:non_local_bind", True, "", 'did you mean "nonlocal_bind"'),
    ("corosync:totem:tokn", 1, "", 'did you mean "token"'),
    ("corosync:totem:cluster_name", "x", "", "fsha:cluster:name"),
    ("corosync:totem:key", "topsecret", "", "fsha:corosync:authkey"),
    ("corosync:quorum:waitforall", True, "", 'did you mean "wait_for_all"'),
    ("corosync:logging:to_sylog", True, "", 'did you mean "to_syslog"'),
    ("corosync:crypto", {"cypher": "aes256"}, "corosync:crypto:cypher", 'did you mean "cipher"'),
    ("corosync:links", [{"knet_link_prio": 1}], "corosync:links:0:knet_link_prio", "priority"),
    ("pacemaker:resurces", {}, "", 'did you mean "resources"'),
    ("pacemaker:properties:stonith-enable", 1, "", 'did you mean "stonith-enabled"'),
    ("pacemaker:properties:fencing-enable", 1, "", 'did you mean "fencing-enabled"'),
    ("pacemaker:properties:no_quorum_policy", "stop", "", 'did you mean "no-quorum-policy"'),
    ("pacemaker:rsc_defaults:resource-stickyness", 1, "", 'did you mean "resource-stickiness"'),
    (f"{FS}:agnt", "x", "", 'did you mean "agent"'),
    (f"{FS}:meta:targetrole", "Started", "", 'did you mean "target-role"'),
    (f"{FS}:operations:0:intervall", "2s", "", 'did you mean "interval"'),
    ("pacemaker:groups:VoiceServices:member", [], "", 'did you mean "members"'),
    ("pacemaker:locations:prefer-fs1:nod", "x", "", 'did you mean "node"'),
    ("freeswitch:profile", [], "", 'did you mean "profiles"'),
    # Nodes.
    ("nodes", {}, "", "an empty mapping"),
    ("nodes", {"fs1": {"addresses": ["10.1.1.1/24"]}}, "", "two or more nodes"),
    ("nodes:fs2:addresses", GONE, "", "this key is missing"),
    ("nodes:fs2:addresses", [], "", "an empty list"),
    ("nodes:fs2:addresses", ["10.101.20.220", "10.101.21.220/24"], "", 'not "10.101.20.220"'),
    ("nodes:fs2:addresses", ["10.101.20.x/24", "10.101.21.220/24"], "", 'not "10.101.20.x/24"'),
    ("nodes:fs2:addresses", ["10.101.20.220/33", "10.101.21.220/24"], "", "/33"),
    ("nodes:fs2:addresses", ["10.101.20.0/24", "10.101.21.220/24"], "", "first or last"),
    ("nodes:fs2:addresses", ["127.0.0.1/8", "10.101.21.220/24"], "", "loopback"),
    ("nodes:fs2:addresses", ["224.0.0.5/8", "10.101.21.220/24"], "", "multicast"),
    ("nodes:fs2:addresses", "10.101.20.220/24", "", "a list"),
    ("nodes:fs2:addresses", ["10.101.20.220/24"], "", "fs1 has 2, this node has 1"),
    ("nodes:fs2:addresses", ["fd00::2/64", "10.101.21.220/24"], "", "an IPv4 address"),
    ("nodes:fs2:addresses", ["10.101.20.110/24", "10.101.21.220/24"], "", "that of fs1, link 0"),
    ("nodes:fs2:id", 1, "", "that of fs1"),
    ("nodes:fs1:id", 2, "nodes:fs2:id", "by the node's position"),
    ("nodes:fs1:id", 0, "", "from 1 to 4294967295"),
    ("nodes:fs1:id", 65536, "", "up to 65535 is expected with transport knet"),
    ("nodes:fs1:id", "1", "", 'the text "1"'),
    ("nodes:fs1:id", True, "", "not true"),
    ("nodes:fs1:aliases", ["fs2"], "", '"fs2" is taken'),
    ("nodes:fs1:aliases", ["not a name"], "", "host name"),
    ("nodes:fs1:interfaces:eth0:gateway", "10.9.9.1", "", "10.101.20.0/24"),
    ("nodes:fs1:interfaces:eth0:address", "10.101.20.220/24", "", "that of fs2"),
    ("nodes:fs1:interfaces:eth0:address", GONE, "", "missing"),
    ("nodes:fs1:interfaces", {"eth0:0": {"address": "10.101.20.9/24"}},
     "nodes:fs1:interfaces:eth0:0", "network interface"),
    # Corosync.
    ("cluster:name", "two words", "", '"two words"'),
    ("cluster:membership_timeout", 0, "", "seconds from 1"),
    ("cluster:settle_timeout", "2min", "", "whole number"),
    ("corosync:transport", "knett", "", 'did you mean "knet"'),
    ("corosync:crypto", {"cipher": "aes512"}, "corosync:crypto:cipher", "aes"),
    ("corosync:crypto", {"cipher": "aes256", "hash": "none"}, "corosync:crypto:hash", "a hash"),
    ("corosync:authkey", GONE, "", "corosync-keygen"),
    ("corosync:authkey_file", "/etc/fsha/authkey", "", "not both"),
    ("corosync:links", [{}, {}, {}], "", "at most 2"),
    ("corosync:links", [{"mcastaddr": "239.1.1.1"}], "corosync:links:0:mcastaddr", "udp"),
    ("corosync:links", [{"mcastport": 70000}], "corosync:links:0:mcastport", "65535"),
    ("corosync:links", {"0": {}}, "", "a list"),
    ("corosync:totem:token", "3000", "", 'the text "3000"'),
    ("corosync:totem:token", 3000.5, "", "whole number"),
    ("corosync:totem:link_mode", "aktive", "", 'did you mean "active"'),
    ("corosync:quorum:auto_tie_breaker_node", "first", "", "lowest"),
    ("corosync:quorum:auto_tie_breaker", True, "", "false is expected with two_node"),
    ("corosync:logging:logfile", "corosync.log", "", "absolute path"),
    # Pacemaker.
    ("pacemaker:properties:no-quorum-policy", "ignor", "", 'did you mean "ignore"'),
    ("pacemaker:properties:stonith-enabled", "maybe", "", "true or false"),
    ("pacemaker:properties:stonith-timeout", "60x", "", "duration"),
    ("pacemaker:properties:load-threshold", "150%", "", "percentage"),
    ("pacemaker:properties:batch-limit", "many", "", "whole number"),
    ("pacemaker:properties:fencing-enabled", True, "", "only once"),
    ("pacemaker:rsc_defaults:resource-stickiness", "1x", "", "score"),
    ("pacemaker:rsc_defaults:failure-timeout", "10 days", "", "duration"),
    ("pacemaker:rsc_defaults:is-managed", None, "", "nothing"),
    (f"{FS}:meta:target-role", "Startet", "", 'did you mean "Started"'),
    (f"{FS}:agent", "lsbb:FSSofia", "", 'did you mean "lsb"'),
    (f"{FS}:agent", "docker:freeswitch", "", "known class"),
    (f"{FS}:agent", "ocf:IPaddr2", "", 'did you mean "ocf:heartbeat:IPaddr2"'),
    (f"{FS}:agent", "lsb:", "", "resource agent"),
    (f"{FS}:agent", "lsb:a b", "", "resource agent"),
    (f"{FS}:agent", GONE, "", "missing"),
    (f"{FS}:params", {"a": 1}, "", "class lsb"),
    (f"{FS}:operations", {"monitor": {}}, "", "a list of operations"),
    (f"{FS}:operations:0:name", GONE, "", "missing"),
    (f"{FS}:operations:0:interval", "2x", "", "duration"),
    (f"{FS}:operations:0:timeout", "eight", "", "duration"),
    (f"{FS}:operations:0:on-fail", "restrat", "", 'did you mean "restart"'),
    (f"{FS}:operations:0:enabled", "maybe", "", "true or false"),
    (f"{FS}:operations:1", {"name": "monitor", "interval": "5000ms"}, "", "every 5000 ms"),
    (f"{IP}:params:nic", None, "", "nothing"),
    (f"{IP}:params:nic", ["eth0"], "", "a list"),
    (f"{IP}:params:nic", "eth0\x07", "", "not text with control characters"),
    (f"{IP}:params:nic", "eth0\x7f", "", "control characters"),
    (f"{IP}:params:nic", "eth0\ud800", "", "control characters"),
    (f"{IP}:params:nic", b"eth0", "", "a value of type bytes"),
    (f"{IP}:params:nic\n", "eth0", f"{IP}:params:nic?", "a parameter's name"),
    (f"{IP}:params:ip", "10.101.20.110", "", "that of fs1"),
    (f"{IP}:params:ip", "10.101.20.255", "", "first or last"),
    (f"{IP}:params:ip", "10.101.20.219/24", "", "cidr_netmask"),
    (f"{IP}:params:ip", "ten", "", 'not "ten"'),
    ("pacemaker:resources:1st", {"agent": "lsb:x"}, "", "an id"),
    ("pacemaker:resources:a b", {"agent": "lsb:x"}, "", "an id"),
    ("pacemaker:resources:a&b", {"agent": "lsb:x"}, "", "an id"),
    ("pacemaker:groups:VoiceServices:members", [], "", "an empty list"),
    ("pacemaker:groups:VoiceServices:members", GONE, "", "missing"),
    ("pacemaker:groups:VoiceServices:members", ["ip_shard", "fs"], "", 'did you mean "ip_shared"'),
    ("pacemaker:groups:VoiceServices:members", ["fs", "fs"], "", "twice"),
    ("pacemaker:groups:VoiceServices:members", "fs", "", "a list"),
    ("pacemaker:groups:Other", {"members": ["fs"]}, "pacemaker:groups:Other:members",
     "in VoiceServices already"),
    ("pacemaker:groups:Other", {"members": ["VoiceServices"]}, "pacemaker:groups:Other:members",
     "is a group"),
    ("pacemaker:locations:fs", {"resource": "fs", "node": "fs1", "score": 1}, "",
     "that of a primitive already"),
    ("pacemaker:locations:rsc-options", {"resource": "fs", "node": "fs1", "score": 1}, "",
     "that of the defaults of resources"),
    ("pacemaker:locations:by-rule:rules:0:id", "fs", "", "that of a primitive"),
    ("pacemaker:locations:prefer-fs1:resource", "VoiceService", "", 'mean "VoiceServices"'),
    ("pacemaker:locations:prefer-fs1:node", "fs3", "", 'did you mean "fs'),
    ("pacemaker:locations:prefer-fs1:score", "1x", "", "score"),
    ("pacemaker:locations:prefer-fs1:score", GONE, "", "missing"),
    ("pacemaker:locations:prefer-fs1:node", GONE, "", "missing"),
    ("pacemaker:locations:prefer-fs1:rules", [{"score": 1, "expression": "defined a"}],
     "pacemaker:locations:prefer-fs1:node", "beside rules"),
    ("pacemaker:locations:by-rule:rules", [], "pacemaker:locations:by-rule:node", "missing"),
    ("pacemaker:locations:by-rule:rules:0:score", GONE, "", "missing"),
    ("pacemaker:locations:by-rule:rules:0:expression", "#uname eq fs3", "", 'mean "fs'),
    ("pacemaker:locations:by-rule:rules:0:expression", "#uname equals fs1", "", "an operation"),
    ("pacemaker:locations:by-rule:rules:0:expression", 5, "", "rule expression"),
    # FreeSWITCH.
    ("freeswitch:profiles", [], "", "an empty list"),
    ("freeswitch:profiles", ["my profile"], "", '"my profile"'),
    ("freeswitch:profiles", ["it's"], "", "profile's name"),
    ("freeswitch:profiles", ["$(reboot)"], "", "profile's name"),
    ("freeswitch:profiles", ["a<b>"], "", "profile's name"),
    ("freeswitch:profiles", ["-x"], "", "profile's name"),
    ("freeswitch:profiles", ["internal", "internal"], "", "twice"),
    ("freeswitch:fs_cli", "fs_cli", "", "absolute path"),
    ("freeswitch:port", "8021", "", 'the text "8021"'),
    ("freeswitch:port", 0, "", "from 1 to 65535"),
    ("freeswitch:host", "a b", "", "host name"),
    ("freeswitch:password_file", "password", "", "absolute path"),
    ("freeswitch:password", "two\nlines", "", "visible"),
    ("freeswitch:password", 1234, "", "a number"),
    ("freeswitch:init_script", "yes", "", "true or false"),
    (FB, {"spans": SPANS}, f"{FB}:device", "missing"),
    (FB, {"device": "fone-bridge", "spans": SPANS}, f"{FB}:device", "letters, digits and dots"),
    (FB, {"device": "fb", "spans": {"span5": SPANS["span1"]}}, f"{FB}:spans:span5", "span1 to"),
    (FB, {"device": "fb", "spans": SPANS, "priorities": [0]}, f"{FB}:priorities", "four numbers"),
    ("lookup:packages", "corosync", "", "a list"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "path", "part"), ONE_MISTAKE)
def test_one_mistake_is_one_sentence(where, value, path, part):
    told_once(changed((where, value)), path or where, part)


def told_once(raw, path, part):
    error = only(raw)
    assert error.path == f"fsha:{path}"
    assert part in error.message
    assert error.message.endswith((".", "?"))
    assert "\n" not in str(error)


PM = "pacemaker"
CARRIER = f"{PM}:resources:ip_carrier"
APART = {"sets": [{"resources": ["ip_carrier", "media-bundle"]}]}

# The same for a pillar with every kind of object.


def with_agent(**params):
    """Return a good pillar with the OCF agent and a second profile's address."""
    raw = pillar()
    raw["network"] = {"nonlocal_bind": params.get("standby") == "hot"}
    given = {"profiles": "internal", **params}
    raw["pacemaker"]["resources"]["fs"] = {
        "agent": "ocf:fsha:FSSofia",
        "params": given,
        "operations": [{"name": "stop", "timeout": "90s"}],
    }
    return raw


@pytest.mark.parametrize(
    ("params", "more", "where", "words"),
    [
        ({"standby": "hot"}, {"network": {"nonlocal_bind": False}}, "standby", "bind: true"),
        ({}, {"network": {"nonlocal_bind": True}}, "standby", "standby: hot is expected"),
        ({"standby": "hot", "vips": "2001:db8::1"}, {}, "standby", "ipv6_guard: true"),
        ({"stop_mode": "drain", "drain_time": 80}, {}, "timeout", "needs a timeout of 100s"),
    ],
)  # fmt: skip
def test_the_agents_own_rules(params, more, where, words):
    raw = {**with_agent(**params), **more}
    ipv6 = {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "2001:db8:0::1"}}
    raw["pacemaker"]["resources"]["ip6"] = ipv6
    raw["nodes"]["fs1"]["interfaces"]["eth2"] = {"address": "2001:db8::9/64"}
    error = only(raw)
    assert error.path.endswith(where)
    assert words in error.message


@pytest.mark.parametrize(
    ("operations", "defaults", "where"),
    [
        ([], {}, "operations"),
        ([{"name": "stop"}], {"timeout": "30s"}, "operations:0:timeout"),
        ([{"name": "stop"}], {"timeout": "80s"}, None),
        ([], {"timeout": "80s"}, None),
        ([{"id-ref": "others"}], {}, None),
    ],
)
def test_a_stop_that_drains_is_judged_by_the_default_as_well(operations, defaults, where):
    raw = with_agent(stop_mode="drain")
    raw["pacemaker"]["resources"]["fs"]["operations"] = operations
    raw["pacemaker"]["op_defaults"] = defaults
    if where is None:
        pillar_config.check(raw)
    else:
        error = only(raw)
        assert error.path == f"fsha:pacemaker:resources:fs:{where}"
        assert "needs a timeout of 80s at least" in error.message


def test_two_groups_that_claim_one_profile():
    raw = with_agent()
    resources = raw["pacemaker"]["resources"]
    resources["again"] = {"agent": "ocf:fsha:FSSofia", "params": {"profiles": "other internal"}}
    error = only(raw)
    assert error.path == "fsha:pacemaker:resources:again:params:profiles"
    assert '"internal" is that of fs' in error.message


def test_the_init_script_claims_its_profiles_too():
    raw = with_agent()
    raw["pacemaker"]["resources"]["again"] = {"agent": "lsb:FSSofia"}
    error = only(raw)
    assert error.path == "fsha:pacemaker:resources:again:agent"
    assert '"internal" (fsha:freeswitch:profiles) is that of fs already' in error.message


def configured(raw, **profile):
    raw.setdefault("freeswitch", {})["configuration"] = {"profiles": {"internal": profile}}
    return raw


@pytest.mark.parametrize(
    ("params", "profile", "where", "words"),
    [
        ({"standby": "hot"}, {"standby": "cold"}, "standby", "hot is expected, as fs has it"),
        ({}, {"standby": "hot"}, "standby", "cold is expected, as fs has it"),
        ({}, {"vip": "10.101.20.7"}, "vip", "would not follow the service"),
        ({}, {"odbc_dsn": "a", "odbc_dsn_file": "/b"}, "odbc_dsn_file", "not both"),
    ],
)
def test_what_the_switch_is_told_goes_with_the_agent(params, profile, where, words):
    error = only(configured(with_agent(**params), **profile))
    assert error.path == f"fsha:freeswitch:configuration:profiles:internal:{where}"
    assert words in error.message


def test_the_init_script_knows_no_hot_standby():
    error = only(configured(pillar(), standby="hot"))
    assert "lsb:FSSofia, which never takes a profile out of standby" in error.message


@pytest.mark.parametrize(
    ("params", "profile"),
    [
        ({"standby": "hot"}, {"standby": "hot", "vip": "10.101.20.219", "odbc_dsn": "x"}),
        ({}, {"standby": "cold", "odbc_dsn_file": "/x"}),
        ({}, {}),
    ],
)
def test_what_goes_with_the_agent(params, profile):
    config = pillar_config.check(configured(with_agent(**params), **profile))
    assert config.freeswitch.configuration["profiles"] == {"internal": profile}


@pytest.mark.parametrize("params", [{}, {"standby": "hot", "stop_mode": "recover"}])
def test_the_agent_is_sound(params):
    raw = with_agent(**params)
    config = pillar_config.check(raw)
    assert config.freeswitch.vips


ONE_MISTAKE_IN_FULL = [
    # Keys and words that nothing knows, with the nearest one.
    (f"{PM}:op_default", {}, "", 'did you mean "op_defaults"'),
    (f"{PM}:fencing_level", {}, "", 'did you mean "fencing_levels"'),
    (f"{PM}:nodes:fs1:atributes", {}, "", 'did you mean "attributes"'),
    (f"{PM}:nodes:far:type", "remot", "", 'did you mean "remote"'),
    (f"{PM}:templates:address:agnet", "x", "", 'did you mean "agent"'),
    (f"{CARRIER}:tempate", "address", "", 'did you mean "template"'),
    (f"{PM}:clones:ping-clone:resorce", "ping", "", 'did you mean "resource"'),
    (f"{PM}:clones:ping-clone:meta:clone-maxx", 1, "", 'did you mean "clone-max"'),
    (f"{PM}:bundles:media-bundle:podman:replica", 1, "", 'did you mean "replicas"'),
    (f"{PM}:bundles:media-bundle:network:control_port", 1, "", 'did you mean "control-port"'),
    (f"{PM}:bundles:media-bundle:storage:0:source_dir", "/x", "", 'did you mean "source-dir"'),
    (f"{PM}:locations:by-sets:resource-discovery", "exclusiv", "", 'did you mean "exclusive"'),
    (f"{PM}:colocations:with-database:with-rol", "Started", "", 'did you mean "with-role"'),
    (f"{PM}:colocations:with-database:with-role", "Promotd", "", 'did you mean "Promoted"'),
    (f"{PM}:orders:database-first:first-action", "promot", "", 'did you mean "promote"'),
    (f"{PM}:orders:database-first:kind", "Mandatry", "", 'did you mean "Mandatory"'),
    (f"{PM}:orders:helpers-first:sets:0:sequental", True, "", 'did you mean "sequential"'),
    (f"{PM}:tickets:by-site:loss-policy", "fense", "", 'did you mean "fence"'),
    (f"{PM}:fencing_levels:fs1-first:device", ["x"], "", 'did you mean "devices"'),
    (f"{PM}:acl_roles:operator:permissions:0:kind", "wirte", "", 'did you mean "write"'),
    (f"{PM}:acl_users:alice:rols", ["x"], "", 'did you mean "roles"'),
    (f"{PM}:tags:addresses:reference", ["x"], "", 'did you mean "references"'),
    (f"{PM}:alerts:log:select:events", ["node"], "", 'did you mean "nodes"'),
    (f"{PM}:alerts:log:recipients:0:valu", "x", "", 'did you mean "value"'),
    (f"{PM}:op_defaults:0:vales", {}, "", 'did you mean "values"'),
    (f"{PM}:op_defaults:0:values:time-out", "2s", "", 'did you mean "timeout"'),
    # What is missing.
    (f"{PM}:templates:address:agent", GONE, "", "missing"),
    (f"{CARRIER}:template", GONE, f"{CARRIER}:agent", "agent or template is expected"),
    (f"{PM}:clones:ping-clone:resource", GONE, "", "missing"),
    (f"{PM}:bundles:media-bundle:podman", GONE, "", "podman or docker or rkt is expected"),
    (f"{PM}:bundles:media-bundle:podman:image", GONE, "", "missing"),
    (f"{PM}:bundles:media-bundle:network:ports:0:port", GONE, "", "port or range is expected"),
    (f"{PM}:bundles:media-bundle:storage:0:target-dir", GONE, "", "missing"),
    (f"{PM}:bundles:media-bundle:storage:0:source-dir", GONE, "", "or source-dir-root is"),
    (f"{PM}:locations:by-pattern:rsc-pattern", GONE, f"{PM}:locations:by-pattern:resource",
     "resource or rsc-pattern or sets is expected"),
    (f"{PM}:locations:by-sets:rules:0:expression", GONE, "", "a rule expression is expected"),
    (f"{PM}:colocations:with-database:with", GONE, "", "with is expected beside resource"),
    (f"{PM}:colocations:with-database:resource", GONE, "", "resource or sets is expected"),
    (f"{PM}:colocations:with-database:lifetime:0:expression", GONE, "", "rule expression"),
    (f"{PM}:colocations:apart:sets", [], f"{PM}:colocations:apart:resource", "resource or sets"),
    (f"{PM}:colocations:apart:sets:0:resources", GONE, "", "resources or id-ref is expected"),
    (f"{PM}:orders:database-first:then", GONE, "", "then is expected beside first"),
    (f"{PM}:orders:database-first:first", GONE, "", "first or sets is expected"),
    (f"{PM}:tickets:by-site:ticket", GONE, "", "missing"),
    (f"{PM}:tickets:by-site:resource", GONE, "", "resource or sets is expected"),
    (f"{PM}:fencing_levels:fs1-first:target", GONE, "", "target or target-pattern or"),
    (f"{PM}:fencing_levels:fs1-first:index", GONE, "", "missing"),
    (f"{PM}:fencing_levels:fs1-first:devices", GONE, "", "missing"),
    (f"{PM}:fencing_levels:fs1-first:devices", [], "", "an empty list"),
    (f"{PM}:fencing_levels:fs2-first:target-value", GONE, "", "beside target-attribute"),
    (f"{PM}:acl_roles:operator:permissions:0:kind", GONE, "", "missing"),
    (f"{PM}:acl_roles:operator:permissions:0:xpath", GONE, "", "xpath or reference or"),
    (f"{PM}:tags:addresses:references", GONE, "", "missing"),
    (f"{PM}:tags:addresses:references", [], "", "an empty list"),
    (f"{PM}:alerts:log:path", GONE, "", "missing"),
    (f"{PM}:alerts:log:recipients:0:value", GONE, "", "missing"),
    (f"{PM}:op_defaults:0:values", GONE, "", "values or id-ref is expected"),
    (f"{PM}:resources:ping:operations:0:name", GONE, "", "the name of an operation"),
    (f"{PM}:resources:ping:operations:0:meta:0:values", GONE, "", "values or id-ref"),
    # What excludes each other.
    (f"{CARRIER}:agent", "ocf:heartbeat:IPaddr2", f"{CARRIER}:template", "beside agent"),
    (f"{PM}:bundles:media-bundle:docker", {"image": "x"}, "", "not expected beside podman"),
    (f"{PM}:bundles:media-bundle:podman", {"image": "x", "masters": 1, "promoted-max": 1},
     f"{PM}:bundles:media-bundle:podman:masters", "beside promoted-max"),
    (f"{PM}:bundles:media-bundle:network:ports:0:range", "5060-5070", "", "beside port"),
    (f"{PM}:bundles:media-bundle:network:ports:0", {"range": "1-2", "internal-port": 3},
     f"{PM}:bundles:media-bundle:network:ports:0:internal-port", "beside range"),
    (f"{PM}:bundles:media-bundle:storage:0:source-dir-root", "/x", "", "beside source-dir"),
    (f"{PM}:locations:by-pattern:resource", "fs", f"{PM}:locations:by-pattern:rsc-pattern",
     "beside resource"),
    (f"{PM}:locations:by-sets:role", "Started", "", "not expected beside sets"),
    (f"{PM}:locations:by-sets:node", "fs1", "", "not expected beside rules"),
    (f"{PM}:locations:by-rule:rules:0:score-attribute", "weight", "", "beside score"),
    (f"{PM}:locations:by-sets:rules", [{"id-ref": "rule-1", "score": 1}],
     f"{PM}:locations:by-sets:rules:0:score", "not expected beside id-ref"),
    (f"{PM}:colocations:with-database:sets", APART["sets"], "", "not expected beside resource"),
    (f"{PM}:colocations:apart:with", "fs", "", "not expected beside sets"),
    (f"{PM}:colocations:apart:node-attribute", "site", "", "not expected beside sets"),
    (f"{PM}:orders:helpers-first:sets:0:id-ref", "set-1",
     f"{PM}:orders:helpers-first:sets:0:resources", "not expected beside id-ref"),
    (f"{PM}:orders:helpers-first:then", "fs", "", "not expected beside sets"),
    (f"{PM}:orders:helpers-first:then-action", "start", "", "not expected beside sets"),
    (f"{PM}:orders:database-first:score", 1, "", "not expected beside kind"),
    (f"{PM}:tickets:by-site:sets", APART["sets"], "", "not expected beside resource"),
    (f"{PM}:fencing_levels:fs1-first:target-pattern", "fs.*", "", "not expected beside target"),
    (f"{PM}:fencing_levels:fs1-first:target-value", "x", "", "only beside target-attribute"),
    (f"{PM}:acl_roles:operator:permissions:0:object-type", "x", "", "not expected beside xpath"),
    (f"{PM}:acl_roles:operator:permissions:0:attribute", "x", "", "only beside object-type"),
    (f"{PM}:resources:ip_trunk:params:0:values", {"nic": "x"}, "", "not expected beside id-ref"),
    (f"{PM}:resources:ping:operations:0:id-ref", "x", f"{PM}:resources:ping:operations:0:name",
     "not expected beside id-ref"),
    (f"{PM}:resources:ping:operations", [{"id-ref": "x"}, {"name": "stop"}],
     f"{PM}:resources:ping:operations:0:id-ref", "no other operations"),
    (f"{PM}:resources:ping:operations", [{"name": "stop", "start-delay": 1,
                                          "interval-origin": "2026-01-01"}],
     f"{PM}:resources:ping:operations:0:interval-origin", "beside start-delay"),
    (f"{PM}:resources:database:params", {"a": 1}, "", "class systemd take none"),
    # What is not there, or of another kind.
    (f"{CARRIER}:template", "adress", "", 'did you mean "address"'),
    (f"{CARRIER}:template", "fs", "", "the id of a template is expected"),
    (f"{PM}:groups:VoiceServices:members", ["ip_shared", "fss"], "", 'did you mean "fs"'),
    (f"{PM}:groups:VoiceServices:members", ["ip_shared", "ping-clone"], "", "is a clone"),
    (f"{PM}:groups:VoiceServices:members", ["ip_shared", "address"], "", 'there is no "address"'),
    (f"{PM}:groups:VoiceServices:members", ["fs", "ping"], f"{PM}:clones:ping-clone:resource",
     "in VoiceServices already"),
    (f"{PM}:clones:ping-clone:resource", "pin", "", 'did you mean "ping"'),
    (f"{PM}:clones:ping-clone:resource", "database-clone", "", "primitives or groups are expected"),
    (f"{PM}:clones:ping-clone:resource", "database", f"{PM}:clones:database-clone:resource",
     "in ping-clone already"),
    (f"{PM}:bundles:media-bundle:resource", "VoiceServices", "", "primitives are expected"),
    (f"{PM}:bundles:media-bundle:resource", "medea", "", 'did you mean "media"'),
    (f"{PM}:colocations:with-database:with", "databse-clone", "", 'mean "database-clone"'),
    (f"{PM}:colocations:apart:sets:0:resources", ["ip_carier"], "", 'did you mean "ip_carrier"'),
    (f"{PM}:orders:database-first:then", "VoiceService", "", 'did you mean "VoiceServices"'),
    (f"{PM}:tickets:by-site:resource", "VoiceService", "", 'did you mean "VoiceServices"'),
    (f"{PM}:fencing_levels:fs1-first:devices", ["fence-fs3"], "", 'did you mean "fence-fs'),
    (f"{PM}:fencing_levels:fs1-first:devices", ["fs"], "", "with the agent lsb:FSSofia"),
    (f"{PM}:fencing_levels:fs1-first:devices", ["ip_carrier"], "", "ocf:heartbeat:IPaddr2"),
    (f"{PM}:acl_users:alice:roles", ["operatr"], "", 'did you mean "operator"'),
    (f"{PM}:acl_groups:noc:roles", ["alice"], "", 'there is no "alice"'),
    (f"{PM}:tags:addresses:references", ["ip_shard"], "", 'did you mean "ip_shared"'),
    (f"{PM}:resources:ip_trunk:params:0:id-ref", "carier", "", 'did you mean "carrier"'),
    (f"{PM}:resources:ip_trunk:params:0:id-ref", "rule-1", "", "the id of a set is expected"),
    (f"{PM}:resources:ip_trunk:params:0:id-ref", "slow", "", 'there is no "slow"'),
    (f"{CARRIER}:params:1:values", {}, f"{PM}:resources:ip_trunk:params:0:id-ref", "there is no"),
    (f"{PM}:rsc_defaults", [{"id-ref": "slwo"}], f"{PM}:rsc_defaults:0:id-ref", 'mean "slow"'),
    (f"{PM}:locations:by-sets:rules", [{"id-ref": "rule1"}],
     f"{PM}:locations:by-sets:rules:0:id-ref", 'did you mean "rule-1"'),
    (f"{PM}:orders:helpers-first:sets:0", {"id-ref": "set1"},
     f"{PM}:orders:helpers-first:sets:0:id-ref", 'did you mean "set-1"'),
    # Names of nodes.
    (f"{PM}:nodes:fs3", {}, "", 'did you mean "fs'),
    (f"{PM}:nodes:far2", {}, "", 'did you mean "far"'),
    (f"{PM}:nodes:fs-", {}, "", "uname -n"),
    (f"{PM}:locations:by-pattern:node", "farr", "", 'did you mean "far"'),
    (f"{PM}:locations:by-pattern:node", "media-bundle-x", "", "the name of a node"),
    (f"{PM}:locations:by-sets:rules:0:expression", "(#uname eq fs1 or #uname ne fs4) and a eq 1",
     "", 'did you mean "fs'),
    (f"{PM}:colocations:with-database:lifetime:0:expression", "#uname ne fs4", "",
     'there is no "fs4"'),
    (f"{CARRIER}:params:0:rule", "defined a or (#uname eq FS4)", "", 'there is no "FS4"'),
    (f"{PM}:op_defaults:1:rule", "#uname eq fs4", "", 'there is no "fs4"'),
    (f"{PM}:fencing_levels:fs1-first:target", "fs11", "", 'did you mean "fs1"'),
    # Twice.
    (f"{PM}:groups:VoiceServices:members", ["fs", "ip_shared", "fs"], "", "twice"),
    (f"{PM}:colocations:apart:sets:0:resources", ["fs", "fs"], "", "twice"),
    (f"{PM}:acl_users:alice:roles", ["operator", "operator"], "", "twice"),
    (f"{PM}:tags:addresses:references", ["fs", "fs"], "", "twice"),
    (f"{PM}:alerts:log:select:events", ["nodes", "nodes"], "", "twice"),
    # Ids.
    (f"{PM}:templates:fs", {"agent": "lsb:x"}, f"{PM}:resources:fs", "that of a template already"),
    (f"{PM}:clones:fs", {"resource": "VoiceServices"}, "", "that of a primitive already"),
    (f"{PM}:tags:prefer-fs1", {"references": ["fs"]}, "", "that of a location constraint"),
    (f"{PM}:alerts:operator", {"path": "/x"}, "", "that of an ACL role already"),
    (f"{PM}:acl_roles:op-options", {}, "", "that of the defaults of operations"),
    (f"{PM}:op_defaults:1:id", "fs", "", "that of a primitive already"),
    (f"{PM}:op_defaults:1:id", "carrier", f"{CARRIER}:params:1:id", "that of a set already"),
    (f"{PM}:colocations:apart:sets:0:id", "rule-1", "", "that of a rule already"),
    (f"{PM}:bundles:media-bundle:network:ports:0:id", "slow", "", "that of a set already"),
    (f"{PM}:alerts:log:recipients:0:id", "see-all", "", "that of a part of an object"),
    (f"{PM}:fencing_levels:a b", {"target": "fs1", "index": 1, "devices": ["fence-fs1"]}, "",
     "an id ("),
    (f"{PM}:tags:a\nb", {"references": ["fs"]}, f"{PM}:tags:a?b", "an id ("),
    (f"{PM}:op_defaults:1:id", "two words", "", "an id ("),
    (f"{PM}:acl_roles:operator:permissions:2:id", "1st", "", "an id ("),
    # Rules.
    (f"{CARRIER}:params:0:rule", "#uname equals fs1", "", "an operation"),
    (f"{CARRIER}:params:0:rule", "(#uname eq fs1", "", "a closing bracket"),
    (f"{CARRIER}:params:0:rule", "a eq 1 and b eq 2 or c eq 3", "", 'only "and" or only "or"'),
    (f"{CARRIER}:params:0:rule", "date after 2026-01-01", "", "gt, lt, in_range, spec"),
    (f"{CARRIER}:params:0:rule", "date spec hour=9", "", 'did you mean "hours"'),
    (f"{CARRIER}:params:0:rule", "", "", "a rule expression"),
    (f"{CARRIER}:params:0:rule", "b" * 500, "", "a rule expression"),
    (f"{PM}:op_defaults:1:rule", "resource IPaddr2", "", "CLASS:PROVIDER:TYPE"),
    (f"{PM}:colocations:with-database:lifetime:0:expression", "defined", "", "an attribute"),
    (f"{PM}:locations:by-sets:rules:0:expression", "a nummber:lt 1", "", 'did you mean "number"'),
    (f"{PM}:locations:by-sets:rules:0:expression", None, "", "nothing"),
    # Scores, durations, booleans, whole numbers.
    (f"{PM}:nodes:fs1:score", "1x", "", "a score"),
    (f"{PM}:colocations:apart:score", "infinite", "", "a score"),
    (f"{PM}:colocations:apart:sets:0:score", [1], "", "a score"),
    (f"{PM}:locations:by-pattern:score", 1.5, "", "a score"),
    (f"{PM}:locations:by-rule:rules:0:score", "ten", "", "a score"),
    (f"{CARRIER}:params:0:score", "high", "", "a score"),
    (f"{PM}:clones:ping-clone:meta:priority", "first", "", "a score"),
    (f"{PM}:op_defaults:0:values:timeout", "soon", "", "a duration"),
    (f"{PM}:resources:ping:operations:0:interval", "-5", "", "a duration"),
    (f"{PM}:templates:address:operations:0:timeout", "1 day", "", "a duration"),
    (f"{PM}:alerts:log:meta:timeout", "x", "", "a duration"),
    (f"{PM}:alerts:log:recipients:0:meta:timeout", "P1M", "", "a duration"),
    (f"{PM}:alerts:log:meta:enabled", "maybe", "", "true or false"),
    (f"{PM}:clones:database-clone:meta:promotable", 2, "", "true or false"),
    (f"{PM}:orders:helpers-first:sets:0:sequential", "x", "", "true or false"),
    (f"{PM}:orders:database-first:symmetrical", "x", "", "true or false"),
    (f"{PM}:colocations:with-database:influence", "invalid", "", "true or false"),
    (f"{PM}:bundles:media-bundle:network:add-host", "x", "", "true or false"),
    (f"{PM}:resources:ping:operations:0:enabled", [], "", "true or false"),
    (f"{PM}:clones:ping-clone:meta:clone-max", "two", "", "a whole number"),
    (f"{PM}:bundles:media-bundle:podman:replicas", 1.5, "", "a whole number"),
    (f"{PM}:bundles:media-bundle:network:ports:0:port", "sip", "", "a whole number"),
    (f"{PM}:bundles:media-bundle:network:ports:0", {"range": "5060:5070"},
     f"{PM}:bundles:media-bundle:network:ports:0:range", "a range of ports"),
    (f"{PM}:fencing_levels:fs1-first:index", "first", "", "a whole number"),
    (f"{PM}:fencing_levels:fs1-first:index", 0, "", "from 1 on"),
    (f"{PM}:fencing_levels:fs1-first:index", -1, "", "from 1 on"),
    # Other kinds of values.
    (f"{PM}:templates:address:agent", "ocf:IPaddr2", "", 'mean "ocf:heartbeat:IPaddr2"'),
    (f"{PM}:templates:address:params", "nic=eth0", "", "a mapping of parameters"),
    (f"{PM}:op_defaults:0", "timeout=2s", "", "a set (values, rule, score)"),
    (f"{PM}:nodes:fs1:attributes:site", ["east"], "", "a list"),
    (f"{PM}:nodes:fs1:utilization:cpu", None, "", "nothing"),
    (f"{PM}:clones:ping-clone:resource", ["ping"], "", "an id ("),
    (f"{PM}:bundles:media-bundle:podman", "x", "", "a mapping"),
    (f"{PM}:bundles:media-bundle:podman:image", "a\x00b", "", "control characters"),
    (f"{PM}:bundles:media-bundle:storage", {}, "", "a list"),
    (f"{PM}:locations:by-sets:sets", ["fs"], f"{PM}:locations:by-sets:sets:0", "a set of"),
    (f"{PM}:orders:helpers-first:sets", {}, "", "a list of sets"),
    (f"{PM}:tickets:by-site:ticket", "a\nb", "", "a name"),
    (f"{PM}:fencing_levels:fs1-first:devices", "fence-fs1", "", "a list"),
    (f"{PM}:fencing_levels:fs1-first:devices", ["a,b"], "", "an id ("),
    (f"{PM}:acl_roles:operator:permissions", {}, "", "a list"),
    (f"{PM}:acl_users:alice:roles", "operator", "", "a list"),
    (f"{PM}:alerts:log:path", "a\nb", "", "control characters"),
    (f"{PM}:alerts:log:select", ["nodes"], "", "a mapping"),
    (f"{PM}:alerts:log:recipients", ["/var/log/x"], f"{PM}:alerts:log:recipients:0", "a mapping"),
    (f"{PM}:resources:media:description", "a\nb", "", "control characters"),
    (f"{PM}:resources:ping:operations:0:params:OCF_CHECK_LEVEL", {}, "", "a mapping"),
    # Addresses that a template brings.
    (f"{CARRIER}:params:1:values:ip", "10.101.20.110", f"{CARRIER}:params:ip", "that of fs1"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "path", "part"), ONE_MISTAKE_IN_FULL)
def test_one_mistake_in_any_kind_is_one_sentence(where, value, path, part):
    told_once(changed((where, value), base=full()), path or where, part)


def test_every_kind_meets_bad_input():
    keys = {where.split(":")[1] for where, *_ in ONE_MISTAKE_IN_FULL if ":" in where}
    keys |= {where.split(":")[1] for where, *_ in ONE_MISTAKE if where.startswith(PM)}
    assert keys >= {kind.key for kind in KINDS.values()}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        # All that a value may hold.
        (f"{IP}:params:description", 'two\nlines\twith a tab\r\nand "quotes" \' < ]]> & ü 🎺'),
        (f"{IP}:params:iflabel", "x" * 65536),
        (f"{PM}:nodes:fs1:attributes:text", "a\nb"),
        (f"{PM}:alerts:log:params:script", "#!/bin/sh\necho $(id) `id` ${IFS}\n"),
        (f"{FS}:description", "x" * 65536),
        (f"{PM}:acl_roles:operator:permissions:0:xpath", "//*[@id='<&>\"']"),
        # The other spellings and forms.
        (f"{PM}:locations:by-pattern:node", "FAR"),
        (f"{PM}:locations:by-pattern:node", "media-bundle-0"),
        (f"{PM}:locations:by-pattern:node", "Fs2"),
        (f"{PM}:fencing_levels:fs1-first:target", "far"),
        (f"{PM}:resources:media:meta", {"remote-node": "guest-1"}),
        (f"{PM}:colocations:with-database:resource", "addresses"),
        (f"{PM}:orders:database-first:then", "address"),
        (f"{PM}:orders:helpers-first:sets:1:resources", ["address", "addresses"]),
        (f"{PM}:locations:by-sets:rules", [{"id-ref": "rule-1"}]),
        (f"{PM}:orders:helpers-first:sets:0", {"id-ref": "set-1"}),
        (f"{PM}:rsc_defaults", [{"id-ref": "slow"}]),
        (f"{PM}:resources:ping:operations", [{"id-ref": "ping-operations"}]),
        (f"{PM}:bundles:media-bundle:resource", GONE),
        (f"{PM}:acl_roles:nobody", {}),
        (f"{PM}:acl_users:fs", {"roles": ["operator"]}),
        (f"{FS}:agent", "upstart:freeswitch"),
        (f"{FS}:agent", "lsb:/usr/local/bin/FSSofia"),
        (f"{FS}:meta:target-role", "#default"),
        (f"{FS}:meta:my-own", "value"),
        (f"{PM}:tags:addresses:references", ["alice", "log", "by-site", "fs1-first", "address"]),
    ],
)
def test_what_is_good(where, value):
    pillar_config.check(changed((where, value), base=full()))


def test_a_guest_node_is_a_node():
    guest = ("pacemaker:resources:media:meta", {"remote-node": "guest-1"})
    place = ("pacemaker:locations:by-pattern:node", "guest-1")
    pillar_config.check(changed(guest, place, base=full()))
    assert only(changed(place, base=full())).path.endswith("by-pattern:node")


def test_levels_may_name_devices_that_are_made_from_a_template():
    template = ("pacemaker:templates:fence", {"agent": "stonith:fence_dummy"})
    device = ("pacemaker:resources:fence-x", {"template": "fence"})
    level = ("pacemaker:fencing_levels:fs1-first:devices", ["fence-x"])
    pillar_config.check(changed(template, device, level, base=full()))


@pytest.mark.parametrize("other", ["ip_shared", "prefer-fs1", "rule-1", "cib-bootstrap-options"])
def test_one_id_for_two_things(other):
    raw = changed(
        ("pacemaker:groups", {other: {"members": ["ip_shared", "fs"]}}),
        ("pacemaker:locations:prefer-fs1:resource", other),
        ("pacemaker:locations:by-rule:resource", other),
    )
    assert "an id of its own is expected" in only(raw).message


def test_a_colon_in_an_id():
    raw = pillar()
    raw["pacemaker"]["resources"]["a:b"] = {"agent": "lsb:x"}
    assert "an id (" in only(raw).message


SECTIONS = ["cluster", "network", "corosync", "pacemaker", "freeswitch", "nodes", "lookup",
            "corosync:totem", "corosync:quorum", "corosync:logging", "corosync:crypto",
            "pacemaker:properties", "pacemaker:rsc_defaults", "pacemaker:resources",
            "pacemaker:groups", "pacemaker:locations", "nodes:fs1", FS, IP,
            f"{IP}:params", f"{FS}:meta", "pacemaker:groups:VoiceServices",
            "pacemaker:locations:prefer-fs1"]  # fmt: skip


# In place of these a list of sets may stand.
SETS = ["pacemaker:properties", "pacemaker:rsc_defaults", f"{IP}:params", f"{FS}:meta"]


@pytest.mark.parametrize("where", SECTIONS)
@pytest.mark.parametrize(
    ("value", "shown"), [(None, "nothing"), ([], "a list"), ("x", "text"), (3, "a number")]
)
def test_a_mapping_is_expected(where, value, shown):
    if value == [] and where in SETS:
        pillar_config.check(changed((where, value), (f"{IP}:params", {"ip": "10.101.20.219"})))
        return
    first = next(e for e in mistakes(changed((where, value))) if e.path == f"fsha:{where}")
    assert "mapping" in first.message
    assert shown in first.message


@pytest.mark.parametrize("raw", [None, [], "text", 5, True, 1.5, object(), b"bytes"])
def test_the_whole_is_a_mapping(raw):
    error = only(raw)
    assert error.path == "fsha"
    assert error.message.startswith("a mapping")


@pytest.mark.parametrize("name", ["fs-", "-fs", "fs.", "a" * 65, "fs 1", "", "f/s", "fs:1"])
def test_node_names_are_host_names(name):
    raw = changed(("nodes", {name: {"addresses": ["10.1.1.1/24"]},
                             "fs2": {"addresses": ["10.1.1.2/24"]}}))  # fmt: skip
    assert any("uname -n" in str(error) for error in mistakes(raw))


UDP = ("corosync", {"transport": "udp"})
TTL = ("corosync", {"transport": "udp", "links": [{"ttl": 2}]})
ROUTED = ("nodes", {"pbx_1": {"addresses": ["10.1.1.1/24"]},
                    "pbx_2": {"addresses": ["10.2.2.2/24"]}})  # fmt: skip
APART_FROM_THE_RING = ("pacemaker", {"resources": {"ip": {
    "agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "192.0.2.9"}}}})  # fmt: skip


@pytest.mark.parametrize(
    "places",
    [
        (ROUTED, APART_FROM_THE_RING, ("corosync:links", [])),
        (("nodes:fs2:addresses", ["10.101.22.220/24", "10.101.21.220/25"]),),
        (
            ("nodes:fs1:addresses", ["10.0.0.1/32", "fd00::1/128"]),
            ("nodes:fs2:addresses", ["10.9.9.9/32", "fd09::1/128"]),
        ),
        (("nodes:fs1:interfaces", {"eth0": {"address": "10.9.9.9/32", "gateway": "10.0.0.1"}}),),
        (ROUTED, APART_FROM_THE_RING, TTL),
        (ROUTED, APART_FROM_THE_RING, ("corosync", {"transport": "udpu"})),
        (
            ("nodes:fs1:id", 172818709),
            ("nodes:fs1:addresses", ["10.101.20.110/24"]),
            ("nodes:fs2:addresses", ["10.101.20.220/24"]),
            ("corosync", {"transport": "udpu"}),
        ),
        ((f"{IP}:params:ip", "10.9.9.9"),),
        ((f"{IP}:params:ip", "fd00::1"),),
        (("freeswitch:vips", ["10.9.9.9"]),),
    ],
)
def test_networks_as_others_have_built_them(places):
    assert pillar_config.check(changed(*places)).nodes


def test_multicast_is_not_routed():
    broadcast = ("corosync", {"transport": "udp", "links": [{"ttl": 2, "broadcast": True}]})
    for corosync in (UDP, broadcast):
        error = only(changed(ROUTED, APART_FROM_THE_RING, corosync))
        assert error.path == "fsha:nodes:pbx_2:addresses"
        assert "no router passes on" in error.message


def test_names_that_differ_in_case_only():
    raw = changed(("nodes:FS1", {"addresses": ["10.101.20.5/24", "10.101.21.5/24"]}))
    assert only(raw).path == "fsha:nodes:FS1"


@pytest.mark.parametrize("transport", ["udpu", "udp"])
def test_crypto_is_for_knet(transport):
    raw = changed(
        ("corosync:transport", transport),
        ("corosync:crypto", {"cipher": "aes256", "hash": "sha1"}),
        ("corosync:links", []),
        ("nodes:fs1:addresses", ["10.101.20.110/24"]),
        ("nodes:fs2:addresses", ["10.101.20.220/24"]),
    )
    error = only(raw)
    assert error.path == "fsha:corosync:crypto"
    assert "corosync 3 cannot encrypt" in error.message


@pytest.mark.parametrize("transport", ["udpu", "udp"])
def test_udp_has_one_link(transport):
    error = only(changed(("corosync:transport", transport), ("corosync:links", [])))
    assert error.path == "fsha:corosync:transport"
    assert "1 link(s), but the nodes have 2 addresses" in error.message


def test_knet_has_eight_links():
    raw = changed(
        ("nodes:fs1:addresses", [f"10.1.{link}.1/24" for link in range(9)]),
        ("nodes:fs2:addresses", [f"10.1.{link}.2/24" for link in range(9)]),
        (f"{IP}:params:ip", "10.1.0.3"),
    )
    assert only(raw).path == "fsha:corosync:transport"


@pytest.mark.parametrize("address", ["10.1.1.1", "239.1.1", "239.1.1.1/24", 5])
def test_mcastaddr_is_multicast(address):
    raw = changed(
        ("corosync:transport", "udp"),
        ("corosync:links", [{"mcastaddr": address}]),
        ("nodes:fs1:addresses", ["10.101.20.110/24"]),
        ("nodes:fs2:addresses", ["10.101.20.220/24"]),
    )
    error = only(raw)
    assert error.path == "fsha:corosync:links:0:mcastaddr"
    assert "multicast" in error.message


def encoded(key):
    return base64.b64encode(key).decode("ascii")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not base64!",
        "schlüssel",
        random_key(127),
        random_key(4097),
        encoded(b"\0" * 256),
        encoded(b"secret" * 50),
        encoded(bytes(range(256))),
        encoded(bytes(range(0, 256, 2)) * 2),
        encoded(b"0123456789abcdef" * 16),
        encoded(random_key(64).encode("ascii")[:64] * 8),
        None,
        5,
        ["a"],
        {"a": "b"},
    ],
)
def test_weak_keys(key):
    error = only(changed(("corosync:authkey", key)))
    assert error.path == "fsha:corosync:authkey"
    if isinstance(key, str) and key:
        assert key not in str(error)


@pytest.mark.parametrize("length", [128, 129, 4096])
def test_good_keys(length):
    key = random_key(length)
    wrapped = re.sub("(.{64})", r"\1\n", key)
    config = pillar_config.check(changed(("corosync:authkey", wrapped)))
    assert config.corosync.authkey == base64.b64decode(key)


SECRET = "H4rdToGuess-9471"


@pytest.mark.parametrize(
    "where",
    [
        "freeswitch:password", "freeswitch:password_file", "freeswitch:passwrod", "freeswitch",
        "corosync:authkey", "corosync:authkey_file", "corosync:autkey", "corosync:totem:key",
        "corosync:totem:keyfile", "corosync", f"{IP}:params", f"{FS}:params",
    ],
)  # fmt: skip
@pytest.mark.parametrize("wrap", [str, lambda s: [s], lambda s: {"x": [s]}, lambda s: s + "\n"])
def test_secrets_in_the_wrong_place_are_not_shown(where, wrap):
    raw = changed((where, wrap(SECRET)))
    try:
        told = repr(pillar_config.check(raw))
    except ConfigErrors as error:
        told = str(error) + repr(error.errors)
    assert SECRET not in told


def test_secrets_are_not_in_the_configuration_that_is_shown():
    config = pillar_config.check(changed(("freeswitch:password", SECRET)))
    assert config.freeswitch.password == SECRET
    assert SECRET not in repr(config)
    assert repr(config.corosync.authkey) not in repr(config)


def test_all_mistakes_are_told_in_the_order_of_the_pillar():
    raw = changed(
        ("freeswitch:port", 0),
        ("cluster:nmae", 1),
        (f"{IP}:params:ip", "10.101.20.255"),
        ("pacemaker:groups:VoiceServices:members", ["fss"]),
        ("nodes:fs1:addresses", []),
        (f"{FS}:agent", "lbs:x"),
    )
    assert [error.path for error in mistakes(raw)] == [
        "fsha:cluster:nmae",
        "fsha:nodes:fs1:addresses",
        "fsha:pacemaker:resources:ip_shared:params:ip",
        "fsha:pacemaker:resources:fs:agent",
        "fsha:pacemaker:groups:VoiceServices:members",
        "fsha:freeswitch:port",
    ]


def test_the_text_of_the_exception_is_every_sentence_on_a_line():
    raw = changed(("freeswitch:port", 0), ("cluster:nmae", 1))
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check(raw)
    assert str(caught.value).splitlines() == [str(error) for error in caught.value.errors]


def test_keys_that_are_no_text():
    raw = {**pillar(), 5: {}}
    assert "name is expected as a key, not the number 5" in only(raw).message
    groups = {None: {}, **pillar()["pacemaker"]["groups"]}
    assert "an id (" in only(changed(("pacemaker:groups", groups))).message
