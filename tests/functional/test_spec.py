"""An object's keys reach a state one by one, as the mapping spec, or by its old name form."""

import pytest

PATH = "/usr/bin/true"
OLD = "The argument form is called spec now. Rename it: form goes with version 0.2."


def warnings(ret):
    return [warning for warning in ret.filtered.get("warnings", []) if warning == OLD]


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": PATH, "description": "a"},
        {"spec": {"path": PATH, "description": "a"}},
        {"form": {"path": PATH, "description": "a"}},
        {"spec": {"path": PATH, "description": "b"}, "description": "a"},
    ],
    ids=["keys", "spec", "form", "both"],
)
def test_each_way_writes_the_same(high, cib_file, arguments):
    ret = high(("told", "pacemaker_alert", "present", arguments))["told"]
    assert ret.result is True, ret.comment
    assert cib_file.get("//alert") == {"id": "told", "path": PATH, "description": "a"}
    assert warnings(ret) == ([OLD] if "form" in arguments else [])


@pytest.mark.parametrize("name", ["spec", "form"])
@pytest.mark.parametrize(
    "keys", [{"members": ["ip_shared", "fs"]}, {"agent": "lsb:x"}, {"template": "t"}]
)
def test_a_resource_is_a_primitive_or_a_group_by_its_keys(high, cib_file, name, keys):
    state = ("new", "pacemaker_resource", "present", {name: keys, "transaction": "t"})
    ret = high(state)["new"]
    assert "either an agent" not in ret.comment
    assert warnings(ret) == ([OLD] if name == "form" else [])
    both = {name: {**keys, "members": ["x"], "agent": "lsb:x"}, "transaction": "t"}
    assert "either an agent" in high(("new", "pacemaker_resource", "present", both))["new"].comment


def test_the_state_behind_them_knows_the_old_name(high, cib_file):
    arguments = {"kind": "alert", "form": {"path": PATH}, "transaction": "t"}
    ret = high(("told", "pacemaker_cib", "staged", arguments))["told"]
    assert ret.result is True
    assert "told differs and is staged for t" in ret.comment
    assert warnings(ret) == [OLD]
