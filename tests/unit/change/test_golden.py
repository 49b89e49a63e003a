"""What a change of a running pair makes the cluster do, as Pacemaker's own scheduler says it."""

import pytest

from fshalib.change import plan as change_plan
from fshalib.cib import document
from fshalib.pacemaker import simulate, tools
from fshalib.pillar import export_cib
from fshalib.system import programs
from tests.golden import rehearsal
from tests.golden.changes import ACTIVE, CHANGES, DEVICE, FENCING, REFUSED, Change

pytestmark = pytest.mark.skipif(
    programs.which("crm_simulate") is None, reason="crm_simulate is not installed on this host"
)

BY_NAME = {change.name: change for change in CHANGES}
VOICE = {"ip_shared", "fs"}
HARMLESS = {"start", "reload", "promote"}


@pytest.fixture(scope="module")
def version():
    return rehearsal.pacemaker_version()


@pytest.fixture(autouse=True)
def on_file(tmp_path, monkeypatch):
    """Let a copy of the pair's CIB stand in for the cluster."""
    file = tmp_path / "cib.xml"
    file.write_bytes(rehearsal.RUNNING.read_bytes())
    monkeypatch.setenv("CIB_file", str(file))
    yield
    assert file.read_bytes() == rehearsal.RUNNING.read_bytes()


def nobody(argv, stdin=None, timeout=0.0, env=None):
    raise AssertionError(f"nothing is to be asked, but {argv} is")


def test_every_change_has_a_name_of_its_own():
    assert len(BY_NAME) == len(CHANGES)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_transition(change, version):
    played = rehearsal.play(change)
    assert played.transition == change.expected(version)
    if played.plan is None:
        return
    told = [text.split()[:2] for text in played.transition]
    stopped = {resource for word, resource in told if word not in HARMLESS} & VOICE
    interrupted = change_plan.as_data(played.plan)["interrupted"]
    assert interrupted == {id: [ACTIVE] for id in stopped}
    done = document.render(played.plan.target.root)
    assert change_plan.make_plan(done, played.make, run=nobody).empty


@pytest.mark.parametrize("name", ["nothing", "other words for the same"])
def test_where_nothing_changes_nobody_is_asked(name):
    played = rehearsal.play(BY_NAME[name], run=nobody)
    assert played.plan.empty
    assert played.plan.target.changes == {}


def test_the_pair_is_adopted_at_rest():
    root = rehearsal.running()
    make = rehearsal.wanting(export_cib.export(root).pacemaker)
    plan = change_plan.make_plan(document.render(root), make)
    assert (plan.empty, plan.target.changes, plan.transition.actions) == (False, {}, ())
    assert plan.transition.before["fs"] == (ACTIVE,)


@pytest.mark.parametrize("change", [c for c in CHANGES if c.given], ids=lambda c: c.name)
def test_what_is_given_moves_nothing_by_itself(change):
    assert rehearsal.play(Change(change.name, change.given)).transition == ()


def test_what_is_refused_is_told_why():
    played = rehearsal.play(BY_NAME["fencing without a device"])
    assert played.transition == (REFUSED,)
    with pytest.raises(tools.InvalidCib, match="start-up disabled"):
        change_plan.make_plan(played.live, played.make)


def test_a_node_that_would_be_fenced_is_in_the_plan():
    root = rehearsal.running()
    lost = root.find(f"status/node_state[@uname='{ACTIVE}']")
    lost.attrib.update({"in_ccm": "false", "crmd": "offline", "join": "down"})
    played = rehearsal.play(Change("fencing while a node is lost", (FENCING, DEVICE)), root)
    assert played.transition[0] == f"fence (reboot) {ACTIVE}"
    assert set(played.plan.verdict.interrupted) == VOICE


def test_a_role_that_is_given_up_for_a_moment_is_an_interruption():
    text = (
        '<pacemaker-result><actions><rsc_action action="re-promote" resource="state:0" '
        'role="Promoted" source="fs1"/></actions></pacemaker-result>'
    )
    transition = simulate.parse_transition(text)
    assert [str(action) for action in transition.actions] == ["re-promote state:0 on fs1"]
    assert transition.interrupted == ("state:0",)
