"""A timeout of the watchdog is committed only where sbd runs on every node."""

import pytest

from fshalib.change import commit as change_commit
from fshalib.change import plan as change_plan
from fshalib.change import watchdog
from fshalib.change.guard import Calls
from fshalib.cib import document
from fshalib.cib.target import DesiredObjects
from fshalib.pillar.guard_policy import Policy
from tests.unit.build import obj

NOTHING = "<pacemaker-result><actions/></pacemaker-result>"


def live(have="true", dc="1", timeout=None, name="stonith-watchdog-timeout", nodes=2):
    pairs = {"have-watchdog": have, name: timeout}
    inner = "".join(
        f'<nvpair id="o-{n}" name="{n}" value="{v}"/>' for n, v in pairs.items() if v is not None
    )
    members = "".join(f'<node id="{n}" uname="fs{n}"/>' for n in range(1, nodes + 1))
    return (
        f'<cib admin_epoch="0" epoch="3" num_updates="1" dc-uuid="{dc}"><configuration>'
        f'<crm_config><cluster_property_set id="cib-bootstrap-options">{inner}'
        f"</cluster_property_set></crm_config><nodes>{members}</nodes><resources/><constraints/>"
        "</configuration><status/></cib>"
    )


def properties(**values):
    sets = {name.replace("_", "-"): value for name, value in values.items()}
    return obj("properties", "cib-bootstrap-options", {"sets": sets})


WANTED = properties(stonith_watchdog_timeout="10s")


def node(tools, name, sbd=True):
    """Return the tools of a node, on which sbd runs or does not."""
    tools.say("crm_verify").say("crm_simulate", out=NOTHING).say("crm_node", out=f"{name}\n")
    return tools.say("systemctl", "is-active", "sbd", code=0 if sbd else 3)


def verdict(tools, cib, wanted=WANTED, **policy):
    make = change_plan.wanting(DesiredObjects((wanted,)))
    guard = change_plan.Guard(Policy(**policy), lambda: Calls(0, "fs1"))
    return change_plan.make_plan(cib, make, guard, tools).verdict


def test_the_node_that_is_not_the_dc_knows_both(tools):
    assert verdict(node(tools, "fs2"), live()).allowed


@pytest.mark.parametrize("override", [False, True])
def test_without_sbd_here(tools, override):
    found = verdict(node(tools, "fs2", sbd=False), live(), override=override)
    assert str(found) == (
        "Refused: Pacemaker would go down on every node at once; "
        "stonith-watchdog-timeout is set and sbd does not run on fs2. To do it: set up sbd on "
        "every node first, or leave stonith-watchdog-timeout out"
    )


@pytest.mark.parametrize("have", ["false", None])
def test_without_sbd_on_the_dc(tools, have):
    found = verdict(node(tools, "fs2"), live(have))
    assert found.kind == "refused"
    assert "sbd does not run on fs1 (have-watchdog is not true)" in found.reason


def test_the_dc_leaves_it_to_the_other_node(tools):
    found = verdict(node(tools, "fs1"), live())
    assert found.kind == "elsewhere"
    assert "fs1 can't tell whether sbd runs on fs2" in found.reason
    assert found.allow == "apply it on fs2"


def test_the_dc_waits_for_the_other_node_and_then_says_so(tools, monkeypatch, no_notes):
    node(no_notes(tools), "fs1").say("cibadmin", "--query", out=live())
    monkeypatch.setattr(change_commit, "ELSEWHERE_PATIENCE", 0.0)
    committer = change_commit.Committer(settle=5, run=tools, sleep=len)
    with pytest.raises(change_commit.CommitRefused, match="apply it on fs2"):
        committer.commit(change_plan.wanting(DesiredObjects((WANTED,))))
    assert tools.count("cibadmin", "--patch") == 0


def test_of_a_third_node_nobody_knows(tools):
    found = verdict(node(tools, "fs2"), live(nodes=3))
    assert found.kind == "refused"
    assert "can't tell whether sbd runs on fs3" in found.reason


@pytest.mark.parametrize("value", ["0", "0s", "-1"])
def test_what_needs_no_sbd(tools, value):
    wanted = properties(stonith_watchdog_timeout=value)
    assert verdict(node(tools, "fs1", sbd=False), live("false"), wanted).allowed
    assert tools.count("systemctl") == 0


def test_where_it_is_set_already_other_changes_go_on(tools):
    wanted = properties(stonith_watchdog_timeout="20s", no_quorum_policy="stop")
    assert verdict(node(tools, "fs1", sbd=False), live(timeout="10s"), wanted).allowed


@pytest.mark.parametrize("line", ["SBD_WATCHDOG_TIMEOUT=5", 'SBD_WATCHDOG_TIMEOUT="5s"  '])
@pytest.mark.parametrize("before", [None, "20s"])
def test_pacemaker_goes_down_as_well_when_sbd_is_slower(tools, tmp_path, monkeypatch, line, before):
    settings = tmp_path / "sbd"
    settings.write_text(f"#SBD_WATCHDOG_TIMEOUT=1\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(watchdog, "SETTINGS", (tmp_path / "missing", settings))
    cib = live(timeout=before)
    for value, allowed in (("3s", False), ("5s", False), ("10s", True), ("-1", True)):
        found = verdict(node(tools, "fs2"), cib, properties(stonith_watchdog_timeout=value))
        assert found.allowed is allowed, (value, found)
        if not allowed:
            assert f"stonith-watchdog-timeout is {value}, and sbd here needs 5 s" in found.reason


def test_a_set_with_a_rule_counts(tools):
    one = {"values": {"stonith-watchdog-timeout": "10s"}, "rule": "#uname eq fs1", "score": "1"}
    wanted = obj("properties", "cib-bootstrap-options", {"sets": [one]})
    assert verdict(node(tools, "fs2", sbd=False), live(), wanted).kind == "refused"


def test_a_file_is_judged_by_what_it_says(tools, monkeypatch):
    monkeypatch.setenv("CIB_file", "/x")
    node(tools, "fs1", sbd=False)
    assert verdict(tools, live()).allowed
    assert verdict(tools, live("false")).kind == "refused"


def test_before_there_is_a_cluster_only_this_node_is_looked_at(tools):
    assert verdict(node(tools, "fs1"), document.EMPTY).allowed
    tools.answers.pop(("systemctl", "is-active", "sbd"))
    found = verdict(node(tools, "fs1", sbd=False), document.EMPTY)
    assert "sbd does not run on this node" in found.reason
