"""What two spellings have in common, what differs, and what nobody may read."""

import pytest

from fshalib.cib import secrets
from fshalib.cib.kinds import normal
from fshalib.cib.normalize import changes, value
from fshalib.cib.secrets import masked
from tests.unit.build import obj

DUMMY = "ocf:heartbeat:Dummy"


def spec(object_kind, **given):
    return normal(obj(object_kind, "x", given))


def dummy(**given):
    return spec("primitive", agent=DUMMY, **given)


@pytest.mark.parametrize(
    ("name", "spellings", "canonical"),
    [
        ("score", ["INFINITY", "+INFINITY", "1000000", "+1000001"], "INFINITY"),
        ("score", ["-INFINITY", "-1000000"], "-INFINITY"),
        ("resource-stickiness", ["100", "+100"], "100"),
        ("timeout", ["2", "2s", "2 s", "2000ms", "2sec", "PT2S"], "2s"),
        ("interval", ["0", "0s", "0ms"], "0s"),
        ("start-delay", ["1500ms", "1500 msec"], "1500ms"),
        ("failure-timeout", ["5min", "300", "PT5M"], "300s"),
        ("is-managed", ["true", "yes", "ON", "y", "1"], "true"),
        ("stonith-enabled", ["false", "no", "Off", "n", "0"], "false"),
        ("role", ["Master", "Promoted", "promoted"], "Promoted"),
        ("target-role", ["slave", "Unpromoted"], "Unpromoted"),
        ("target-role", ["started", "Started"], "Started"),
    ],
)
def test_spellings_of_one_value(name, spellings, canonical):
    assert {value(name, text) for text in spellings} == {canonical}


@pytest.mark.parametrize(
    ("name", "text"),
    [("score", "much"), ("timeout", "soon"), ("enabled", "maybe"), ("no-quorum-policy", "Stop")],
)
def test_what_does_not_parse_or_has_no_unit_stays_as_it_is(name, text):
    assert value(name, text) == text


# --- objects ---------------------------------------------------------------------------------


def test_parameters_are_the_agents_own_and_compared_letter_by_letter():
    assert dummy(params={"timeout": "20"}) != dummy(params={"timeout": "20s"})
    assert dummy(meta={"failure-timeout": "20"}) == dummy(meta={"failure-timeout": "20s"})


def test_unordered_things_have_no_order_and_ordered_ones_do():
    start, monitor = {"name": "start", "timeout": "20"}, {"name": "monitor", "interval": "5"}
    again = [{"name": "monitor", "interval": "5000ms"}, {"name": "start", "timeout": "20s"}]
    assert dummy(params={"a": "1", "b": "2"}, operations=[start, monitor]) == dummy(
        params={"b": "2", "a": "1"}, operations=again
    )
    assert spec("group", members=["a", "b"]) != spec("group", members=["b", "a"])
    assert spec("tag", references=["a", "b"]) == spec("tag", references=["b", "a"])
    assert spec("acl_user", roles=["a", "b"]) != spec("acl_user", roles=["b", "a"])


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("primitive", {"agent": "ocf:IPaddr2"}, {"agent": "ocf:heartbeat:IPaddr2"}),
        ("location", {"resource-discovery": "always", "role": "started"}, {}),
        ("colocation", {"score": "0", "role": "Started", "node-attribute": "#uname"}, {}),
        ("order", {"kind": "Mandatory", "symmetrical": "yes", "require-all": "1"}, {}),
        ("order", {"score": "5"}, {"kind": "Mandatory"}),
        ("order", {"score": "0"}, {"kind": "Optional"}),
        ("order", {"kind": "Serialize", "symmetrical": "no"}, {"kind": "Serialize"}),
        ("order", {"first-action": "promote", "then-action": "promote"},
         {"first-action": "promote"}),
        ("ticket", {"role": "Master"}, {"role": "Promoted"}),
        ("node", {"type": "member"}, {}),
        ("bundle", {"podman": {"image": "i", "masters": "1"}},
         {"podman": {"image": "i", "promoted-max": "1", "replicas-per-host": "1"}}),
        ("bundle", {"network": {"add-host": "true"}}, {}),
        ("alert", {"path": "/a", "select": {"events": []}}, {"path": "/a"}),
        ("alert", {"select": {"attributes": ["b", "a"]}},
         {"select": {"attributes": ["a", "b"], "events": ["attributes"]}}),
        ("clone", {"meta": {"master-max": "1"}}, {"meta": {"promoted-max": "1"}}),
        ("properties", {"sets": {"fencing-enabled": "no", "dc-version": "3"}},
         {"sets": {"stonith-enabled": "false"}}),
        ("properties", {"sets": [{"values": {"a": "1"}}, {"values": {"a": "2", "b": "3"}}]},
         {"sets": {"a": "1", "b": "3"}}),
        ("resource_defaults", {"sets": [{"score": "5", "values": {"priority": "1"}}]},
         {"sets": {"priority": "+1"}}),
    ],
)  # fmt: skip
def test_two_ways_to_say_the_same(kind, one, other):
    assert spec(kind, **one) == spec(kind, **other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("primitive", {"agent": "lsb:a"}, {"agent": "systemd:a"}),
        ("location", {"node": "fs1", "score": "5"}, {"node": "fs1", "score": "6"}),
        ("colocation", {"resource": "a", "with": "b"}, {"resource": "b", "with": "a"}),
        ("order", {"kind": "Serialize"}, {"kind": "Serialize", "symmetrical": "true"}),
        ("order", {"sets": [{"resources": ["a", "b"]}]}, {"sets": [{"resources": ["b", "a"]}]}),
        ("fencing_level", {"devices": ["a", "b"]}, {"devices": ["b", "a"]}),
        ("alert", {"select": {"events": ["nodes"]}}, {"select": {"events": ["fencing"]}}),
        ("primitive", {"operations": [{"name": "monitor", "interval": "5s"}]}, {}),
    ],
)
def test_two_things_that_differ(kind, one, other):
    assert spec(kind, **one) != spec(kind, **other)


def test_members_without_an_order_between_them_have_none():
    def order(sequential, *ids):
        return spec("order", sets=[{"resources": list(ids), "sequential": sequential}])

    assert order("no", "a", "b") == order("false", "b", "a")
    assert order("yes", "a", "b") != order("true", "b", "a")


# --- several sets ------------------------------------------------------------------------------


def test_sets_count_in_the_order_of_their_scores():
    night = {"rule": "date spec hours=0-6", "values": {"a": "1"}}
    first, second = {**night, "score": "10"}, {"values": {"a": "2"}, "score": "5"}
    assert dummy(params=[first, second]) == dummy(params=[second, first])
    assert dummy(params=[first, second]) != dummy(params=[{**first, "score": "4"}, second])
    assert dummy(params=[night, {"values": {"b": "2"}}]) != dummy(
        params=[{"values": {"b": "2"}}, night]
    )


def test_plain_sets_are_one_and_the_first_of_a_name_counts():
    sets = [{"values": {"a": "1"}}, {"values": {"a": "2", "b": "3"}, "score": "-1"}]
    assert dummy(params=sets) == dummy(params={"a": "1", "b": "3"})
    ruled = {"rule": "#uname eq fs1", "values": {"a": "9"}, "score": "100"}
    assert dummy(params=[*sets, ruled]) == dummy(
        params=[ruled, {"values": {"a": "1"}}, {"values": {"b": "3"}, "score": "-1"}]
    )


@pytest.mark.parametrize("text", ["inf", "-inf", "Infinity", "infinity"])
def test_infinity_that_pacemaker_reads_as_zero_is_none(text):
    assert value("resource-stickiness", text) == text
    wanted, live = ({"resource-stickiness": score} for score in ("INFINITY", text))
    assert dummy(meta=wanted) != dummy(meta=live)


@pytest.mark.parametrize("sets", [{}, [], [{"values": {}}], [{"score": "5", "values": {}}]])
def test_nothing_is_nothing(sets):
    assert dummy(params=sets, meta=sets, utilization=sets, operations=[]) == {"agent": DUMMY}


def test_rules_are_compared_without_their_ids_and_order():
    one = [
        {"id": "r1", "score": "+INFINITY", "expression": "#uname eq fs1 and defined pingd"},
        {"id": "r2", "score": "5", "expression": "#uname eq fs1"},
    ]
    other = [
        {"score": "+5", "expression": "(#uname string:eq fs1)"},
        {"score": "INFINITY", "expression": "defined pingd and #uname eq fs1"},
    ]
    assert spec("location", rules=one) == spec("location", rules=other)
    either = [{**one[0], "expression": "#uname eq fs1 or defined pingd"}]
    assert spec("location", rules=one[:1]) != spec("location", rules=either)
    as_master = [{**one[1], "role": "Master"}]
    assert spec("location", rules=as_master) == spec(
        "location", rules=[{**one[1], "role": "Promoted"}]
    )
    assert spec("location", rules=as_master) != spec("location", rules=one[1:])


def test_what_the_cluster_writes_itself_is_no_option():
    held = {"dc-version": "2.1.5", "last-lrm-refresh": "1", "stonith-timeout": "60"}
    assert spec("properties", sets=held) == {"values": {"stonith-timeout": "60s"}}


def test_what_cannot_be_expressed_is_a_difference_and_what_is_unused_none():
    assert dummy(other=["b", "a"]) == {"agent": DUMMY, "other": ["a", "b"]}
    assert dummy(unused=["a"]) == dummy()


# --- differences for people --------------------------------------------------------------------


def test_changes_have_paths():
    old = {"agent": "a", "params": {"x": "1", "y": "2"}, "members": ["a"]}
    new = {"agent": "a", "params": {"x": "3", "z": "4"}, "members": ["a", "b"]}
    assert changes(old, new) == {
        "params:x": {"old": "1", "new": "3"},
        "params:y": {"old": "2", "new": None},
        "params:z": {"old": None, "new": "4"},
        "members": {"old": ["a"], "new": ["a", "b"]},
    }
    assert changes(None, new) == {"object": {"old": None, "new": new}}
    assert changes(old, None) == {"object": {"old": old, "new": None}}
    assert changes(old, dict(old)) == changes(None, None) == {}


def test_the_first_parameter_and_the_last_are_told_like_any_other():
    one = {"params": {"x": "1"}, "operations": {"monitor 5s": {"timeout": "9s"}, "start 0s": {}}}
    assert changes({}, one) == {
        "params:x": {"old": None, "new": "1"},
        "operations:monitor 5s": {"old": None, "new": {"timeout": "9s"}},
        "operations:start 0s": {"old": None, "new": {}},
    }
    assert changes({"network": {}}, {}) == {"network": {"old": {}, "new": None}}


@pytest.mark.parametrize(
    "name",
    [
        "passwd",
        "password",
        "admin_passwd",
        "pass",
        "login_pass",
        "secret",
        "SecretKey",
        "credentials",
        "community",
        "key",
        "authkey",
        "api_key",
        "apikey",
        "access_key",
        "private-key",
        "token",
        "auth_token",
        "passphrase",
        "passcode",
        "psk",
        "sip_pin",
        "hexadecimal_kg",
        "primary_conninfo_opt",
    ],
)
def test_no_secret_is_shown_at_any_depth(name):
    def fence(secret, sets=False):
        values = {name: secret, "ip": "10.0.0.9"}
        ruled = [{"rule": "#uname eq fs1", "values": values}]
        return spec("primitive", agent="stonith:fence_ipmilan", params=ruled if sets else values)

    new, old = fence("hunter2"), fence("hunter1")
    for delta in (
        changes(None, new),
        changes(old, new),
        changes(new, None),
        changes(new, {}),
        changes(old, fence("hunter2", sets=True)),
    ):
        shown = masked({"fence": delta, "list": [delta], "nothing": None})
        assert "hunter" not in repr(shown)
        assert secrets.SECRET in repr(shown)


def test_masking_shows_that_a_secret_came_or_went():
    shown = masked({"params:passwd": {"old": None, "new": "hunter2"}})
    assert shown == {"params:passwd": {"old": None, "new": secrets.SECRET}}


@pytest.mark.parametrize("name", ["ip", "nic", "monkey", "timeout", "passive", "bypass_mode"])
def test_other_values_are_shown(name):
    assert masked({name: "x"}) == {name: "x"}
