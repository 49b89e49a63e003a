"""What two spellings have in common, what differs, and what nobody may read."""

import pytest

import fsha_normal
from fsha_model import Agent, Expression, Group, Location, Operation, Primitive, Properties, Rule
from fsha_normal import changes, masked, normal, value


@pytest.mark.parametrize(
    ("name", "spellings", "canonical"),
    [
        ("score", ["INFINITY", "+INFINITY", "inf", "1000000", "+1000001"], "INFINITY"),
        ("score", ["-INFINITY", "-inf", "-1000000"], "-INFINITY"),
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


def test_unordered_things_have_no_order_and_ordered_ones_do():
    one = (Operation("start", "0s", {"timeout": "20"}), Operation("monitor", "5"))
    other = (Operation("monitor", "5000ms"), Operation("start", "0", {"timeout": "20s"}))
    agent = Agent("ocf", "Dummy", "heartbeat")
    left = Primitive("p", agent, {"a": "1", "b": "2"}, {}, one)
    assert normal(left) == normal(Primitive("p", agent, {"b": "2", "a": "1"}, {}, other))
    assert normal(Group("g", ("a", "b"))) != normal(Group("g", ("b", "a")))


def test_rules_are_compared_without_their_ids_and_order():
    first, second = Expression("#uname", "eq", "fs1"), Expression("pingd", "defined")
    one = Location("l", "g", rules=(Rule("inf", (first, second), "r1"), Rule("5", (first,), "r2")))
    other = Location(
        "l", "g", rules=(Rule("+5", (first,), None, "or"), Rule("INFINITY", (second, first)))
    )
    assert normal(one) == normal(other)
    both = Location("l", "g", rules=(Rule("INFINITY", (first, second), None, "or"),))
    assert normal(Location("l", "g", rules=one.rules[:1])) != normal(both)


def test_comparing_as_text_is_the_default_for_equality_only():
    def form(operation, kind):
        return fsha_normal.rule(Rule("5", (Expression("x", operation, "7", kind),)))

    assert form("eq", "string") == form("eq", None)
    assert form("eq", "number") != form("eq", None)
    assert form("lt", "string") != form("lt", None)


def test_what_the_cluster_writes_itself_is_no_option():
    held = Properties({"dc-version": "2.1.5", "last-lrm-refresh": "1", "stonith-timeout": "60"})
    assert normal(held) == {"values": {"stonith-timeout": "60s"}}


def test_changes_have_paths():
    old = {"agent": "a", "params": {"x": "1", "y": "2"}, "meta": {}}
    new = {"agent": "a", "params": {"x": "3", "z": "4"}, "meta": {}}
    assert changes(old, new) == {
        "params:x": {"old": "1", "new": "3"},
        "params:y": {"old": "2", "new": None},
        "params:z": {"old": None, "new": "4"},
    }
    assert changes(None, new) == {"object": {"old": None, "new": new}}
    assert changes(old, None) == {"object": {"old": old, "new": None}}
    assert changes(old, dict(old)) == changes(None, None) == {}


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
    ],
)
def test_no_secret_is_shown_at_any_depth(name):
    item = Primitive(
        "fence", Agent("stonith", "fence_ipmilan"), {name: "hunter2", "ip": "10.0.0.9"}
    )
    old = Primitive("fence", Agent("stonith", "fence_ipmilan"), {name: "hunter1", "ip": "10.0.0.9"})
    for delta in (
        changes(None, normal(item)),
        changes(normal(old), normal(item)),
        changes(normal(item), None),
    ):
        shown = masked({"fence": delta, "list": [delta], "nothing": None})
        assert "hunter" not in repr(shown)
        assert fsha_normal.SECRET in repr(shown)


def test_masking_shows_that_a_secret_came_or_went():
    shown = masked({"params:passwd": {"old": None, "new": "hunter2"}})
    assert shown == {"params:passwd": {"old": None, "new": fsha_normal.SECRET}}


@pytest.mark.parametrize("name", ["ip", "nic", "monkey", "timeout", "passive", "bypass_mode"])
def test_other_values_are_shown(name):
    assert masked({name: "x"}) == {name: "x"}
