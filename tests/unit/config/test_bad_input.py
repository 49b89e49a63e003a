"""Each mistake is told with the path of its key and with what was expected."""

import base64
import re

import pytest

import fsha_config
from tests.unit.config.pillars import GONE, changed, pillar, random_key

IP = "pacemaker:resources:ip_shared"
FS = "pacemaker:resources:fs"


def mistakes(raw):
    with pytest.raises(fsha_config.ConfigErrors) as caught:
        fsha_config.check(raw)
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
    ("nodes:fs2:addresses", ["10.101.22.220/24", "10.101.21.220/24"], "", "link 0"),
    ("nodes:fs2:addresses", ["10.101.20.220/24", "10.101.21.220/25"], "", "link 1"),
    ("nodes:fs2:addresses", ["fd00::2/64", "10.101.21.220/24"], "", "10.101.20.0/24"),
    ("nodes:fs2:addresses", ["10.101.20.110/24", "10.101.21.220/24"], "", "that of fs1, link 0"),
    ("nodes:fs2:id", 1, "", "that of fs1"),
    ("nodes:fs1:id", 2, "nodes:fs2:id", "by the node's position"),
    ("nodes:fs1:id", 0, "", "from 1 to 65535"),
    ("nodes:fs1:id", 65536, "", "from 1 to 65535"),
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
    (f"{FS}:agent", "upstart:freeswitch", "", "known class"),
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
    (f"{IP}:params:nic", "eth0\n", "", "line ends"),
    (f"{IP}:params:ip", "10.101.22.219", "", "10.101.20.0/24, 10.101.21.0/24"),
    (f"{IP}:params:ip", "10.101.20.110", "", "that of fs1"),
    (f"{IP}:params:ip", "10.101.20.255", "", "first or last"),
    (f"{IP}:params:ip", "10.101.20.219/24", "", "cidr_netmask"),
    (f"{IP}:params:ip", "ten", "", 'not "ten"'),
    (f"{IP}:params:ip", "fd00::1", "", "network of a link"),
    ("pacemaker:resources:fs-arp",
     {"agent": "ocf:heartbeat:SendArp", "params": {"ip": "192.0.2.1", "nic": "eth0"}},
     "pacemaker:resources:fs-arp:params:ip", "network of a link"),
    ("pacemaker:resources:1st", {"agent": "lsb:x"}, "", "an id"),
    ("pacemaker:resources:a b", {"agent": "lsb:x"}, "", "an id"),
    ("pacemaker:resources:a&b", {"agent": "lsb:x"}, "", "an id"),
    ("pacemaker:groups:VoiceServices:members", [], "", "an empty list"),
    ("pacemaker:groups:VoiceServices:members", GONE, "", "missing"),
    ("pacemaker:groups:VoiceServices:members", ["ip_shard", "fs"], "", 'did you mean "ip_shared"'),
    ("pacemaker:groups:VoiceServices:members", ["fs", "fs"], "", "twice"),
    ("pacemaker:groups:VoiceServices:members", "fs", "", "a list"),
    ("pacemaker:groups:Other", {"members": ["fs"]}, "pacemaker:groups:Other:members",
     "in group VoiceServices already"),
    ("pacemaker:groups:Other", {"members": ["VoiceServices"]}, "pacemaker:groups:Other:members",
     "is a group"),
    ("pacemaker:locations:fs", {"resource": "fs", "node": "fs1", "score": 1}, "",
     "that of a resource"),
    ("pacemaker:locations:rsc-options", {"resource": "fs", "node": "fs1", "score": 1}, "",
     "resource defaults"),
    ("pacemaker:locations:by-rule:rules:0:id", "fs", "", "that of a resource"),
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
    ("freeswitch:vips", ["10.9.9.9"], "", "network of a link"),
    ("lookup:packages", "corosync", "", "a list"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "value", "path", "part"), ONE_MISTAKE)
def test_one_mistake_is_one_sentence(where, value, path, part):
    error = only(changed((where, value)))
    assert error.path == f"fsha:{path or where}"
    assert part in error.message
    assert error.message.endswith((".", "?"))
    assert "\n" not in str(error)


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


@pytest.mark.parametrize("where", SECTIONS)
@pytest.mark.parametrize(
    ("value", "shown"), [(None, "nothing"), ([], "a list"), ("x", "text"), (3, "a number")]
)
def test_a_mapping_is_expected(where, value, shown):
    first = next(e for e in mistakes(changed((where, value))) if e.path == f"fsha:{where}")
    assert "mapping" in first.message
    assert shown in first.message


@pytest.mark.parametrize("raw", [None, [], "text", 5, True, 1.5, object(), b"bytes"])
def test_the_whole_is_a_mapping(raw):
    error = only(raw)
    assert error.path == "fsha"
    assert error.message.startswith("a mapping")


@pytest.mark.parametrize("name", ["fs_1", "-fs", "fs.", "a" * 65, "fs 1", "", "f/s", "fs:1"])
def test_node_names_are_host_names(name):
    raw = changed(("nodes", {name: {"addresses": ["10.1.1.1/24"]},
                             "fs2": {"addresses": ["10.1.1.2/24"]}}))  # fmt: skip
    assert any("uname -n" in str(error) for error in mistakes(raw))


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
    config = fsha_config.check(changed(("corosync:authkey", wrapped)))
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
        told = repr(fsha_config.check(raw))
    except fsha_config.ConfigErrors as error:
        told = str(error) + repr(error.errors)
    assert SECRET not in told


def test_secrets_are_not_in_the_configuration_that_is_shown():
    config = fsha_config.check(changed(("freeswitch:password", SECRET)))
    assert config.freeswitch.password == SECRET
    assert SECRET not in repr(config)
    assert repr(config.corosync.authkey) not in repr(config)


def test_all_mistakes_are_told_in_the_order_of_the_pillar():
    raw = changed(
        ("freeswitch:port", 0),
        ("cluster:nmae", 1),
        (f"{IP}:params:ip", "10.9.9.9"),
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
    with pytest.raises(fsha_config.ConfigErrors) as caught:
        fsha_config.check(raw)
    assert str(caught.value).splitlines() == [str(error) for error in caught.value.errors]


def test_keys_that_are_no_text():
    raw = {**pillar(), 5: {}}
    assert "name is expected as a key, not the number 5" in only(raw).message
    groups = {None: {}, **pillar()["pacemaker"]["groups"]}
    assert "an id (" in only(changed(("pacemaker:groups", groups))).message
