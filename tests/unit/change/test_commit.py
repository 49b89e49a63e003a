"""Plan, patch, commit, settle: what is asked of the cluster, and in which order."""

import copy
from pathlib import Path

import pytest

from fshalib.change import commit as change_commit
from fshalib.change import parting, restore_points, stop_first
from fshalib.change import plan as change_plan
from fshalib.change.guard import Calls
from fshalib.cib import document, merge, read
from fshalib.cib import target as cib_target
from fshalib.cib.target import DesiredObjects
from fshalib.pacemaker import tools as pacemaker_tools
from fshalib.pillar.guard_policy import Policy
from fshalib.system import programs
from tests.unit.build import obj

DUMMY = obj("primitive", "extra", {"agent": "ocf:heartbeat:Dummy", "params": {"passwd": "hunter2"}})
NOTHING = "<pacemaker-result><actions/></pacemaker-result>"


@pytest.fixture
def cluster(tools, sample, no_notes):
    """A cluster that takes the change that it is asked for."""
    no_notes(tools)
    tools.say("cibadmin", "--query", out=sample("pair.xml"))
    tools.say("crm_verify").say("crm_simulate", out=sample("transition-restart.xml"))
    tools.say("crm_diff", out="<diff/>", code=1)
    tools.say("crm_resource", "--wait").say("crm_mon", out=sample("status-serving.xml"))
    return tools


@pytest.fixture
def naps():
    return []


def guard(legs=0, node="fs1", **policy):
    """Return a guard of a node on which there are so many call legs."""
    return change_plan.Guard(Policy(**policy), lambda: Calls(legs, node))


def wanting(*objects, **rest):
    return change_plan.wanting(DesiredObjects(objects, **rest))


def committer(tools, naps, **rest):
    return change_commit.Committer(
        **{"guard": guard(), "settle": 5, **rest}, run=tools, sleep=naps.append
    )


def commit(tools, naps, *objects, **rest):
    return committer(tools, naps).commit(wanting(*objects, **rest))


def test_a_plan_writes_nothing(cluster, sample):
    plan = change_plan.make_plan(sample("pair.xml"), wanting(DUMMY), guard(), cluster)
    assert [call[0][0] for call in cluster.calls] == ["crm_verify", "crm_simulate"]
    (_, judged, _), (_, candidate, _) = cluster.calls
    # What runs is the simulation's business, and no fault of the configuration.
    assert len(document.parse(judged).find("status")) == 0
    assert len(document.parse(candidate).find("status")) > 0
    assert str(document.version(document.parse(candidate))) == "0.6.0"
    assert plan.transition.interrupted == ("ip_shared", "fs")


def test_an_empty_plan_asks_nobody(tools, sample):
    plan = change_plan.make_plan(sample("pair.xml"), wanting(), guard(), tools)
    assert plan.empty
    assert tools.calls == []
    assert change_plan.summary(plan) == "The cluster would then: do nothing."


def test_a_commit_is_one_patch_and_settles(cluster, naps, sample):
    cluster.say("cibadmin", "--patch")
    outcome = commit(cluster, naps, DUMMY)
    assert [call[0][:2] for call in cluster.calls] == [
        ["cibadmin", "--query"],
        ["crm_verify", "--verbose"],
        ["crm_simulate", "--run"],
        ["attrd_updater", "--name"],
        ["crm_diff", "--original"],
        ["cibadmin", "--patch"],
        ["cibadmin", "--query"],
        ["crm_resource", "--wait"],
        ["crm_mon", "-1"],
    ]
    assert (outcome.committed, outcome.attempts, outcome.settled) == (True, 1, True)
    # The version is the one that the cluster has afterwards, here that of the sample.
    afterwards = str(document.version(document.parse(sample("pair.xml"))))
    assert (outcome.version, outcome.problems) == (afterwards, ())
    assert naps == []


def test_nothing_to_do_is_no_commit(cluster, naps):
    outcome = commit(cluster, naps)
    assert (outcome.committed, outcome.attempts) == (False, 1)
    assert cluster.count("cibadmin", "--patch") == 0


def test_a_cib_that_moves_is_read_and_planned_again(cluster, naps):
    stale = {"code": 103, "err": "Update was older than existing configuration"}
    cluster.say("cibadmin", "--patch", **stale).say("cibadmin", "--patch", **stale)
    cluster.say("cibadmin", "--patch")
    outcome = commit(cluster, naps, DUMMY)
    assert (outcome.committed, outcome.attempts) == (True, 3)
    assert cluster.count("crm_verify") == 3
    assert cluster.count("cibadmin", "--query") == 4
    assert len(naps) == 2
    assert all(0 < nap <= change_commit.JITTER for nap in naps)


def test_what_the_other_node_has_done_meanwhile_is_not_done_again(cluster, naps, sample):
    live = document.parse(sample("pair.xml"))
    done = document.render(cib_target.target(live, DesiredObjects((DUMMY,))).root)
    cluster.say("cibadmin", "--query", out=done)
    cluster.say("cibadmin", "--patch", code=103)
    outcome = commit(cluster, naps, DUMMY)
    assert (outcome.committed, outcome.attempts) == (False, 2)
    assert cluster.count("cibadmin", "--patch") == 1


def test_a_cib_that_never_stands_still_is_given_up(cluster, naps):
    cluster.say("cibadmin", "--patch", code=103)
    with pytest.raises(change_commit.Contended) as caught:
        commit(cluster, naps, DUMMY)
    assert caught.value.attempts == cluster.count("cibadmin", "--patch") == change_commit.ATTEMPTS
    assert "Somebody else is changing the cluster" in str(caught.value)


def test_a_candidate_that_is_refused_is_not_written(cluster, naps):
    cluster.answers.pop(("crm_verify",))
    cluster.say("crm_verify", err="(main) \terror: no good\n", code=78)
    cluster.say("crm_verify")  # of the live CIB
    with pytest.raises(pacemaker_tools.InvalidCib):
        commit(cluster, naps, DUMMY)
    assert cluster.count("crm_diff") == cluster.count("cibadmin", "--patch") == 0


def test_no_quorum_is_told_and_not_tried_again(cluster, naps):
    cluster.say("cibadmin", "--patch", code=106)
    with pytest.raises(pacemaker_tools.NoQuorum):
        commit(cluster, naps, DUMMY)
    assert cluster.count("cibadmin", "--patch") == 1


def test_a_cluster_that_stays_busy_is_told(cluster, naps):
    cluster.say("cibadmin", "--patch")
    cluster.answers[("crm_resource", "--wait")] = []
    cluster.say("crm_resource", "--wait", code=124)
    outcome = commit(cluster, naps, DUMMY)
    assert (outcome.committed, outcome.settled) == (True, False)


def test_what_fails_of_what_was_touched_is_told(cluster, naps, sample):
    cluster.say("cibadmin", "--patch")
    cluster.answers[("crm_mon",)] = []
    cluster.say("crm_mon", out=sample("status-trouble.xml"))
    outcome = commit(cluster, naps, DUMMY)
    assert outcome.problems == (
        "fs stop failed on fs1 (error): profile internal won't stop",
        "ip_shared migrate_to failed on fs2 (error)",
        "fs is blocked on fs1",
    )


def test_what_had_failed_before_is_not_the_commits(cluster, naps, sample):
    """Nobody has cleaned it up since."""
    failed = '<lrm_rsc_op id="fs_last_failure_0" operation_key="fs_monitor_5000" call-id="{}"/>'
    after = sample("status-failed.xml")
    assert 'op_key="fs_monitor_5000"' in after
    assert 'call="4"' in after
    for call, problems in (("4", 0), ("3", 1)):
        before = sample("pair.xml").replace(
            '<lrm_resource id="fs" class="lsb" type="FSSofia">',
            f'<lrm_resource id="fs" class="lsb" type="FSSofia">{failed.format(call)}', 1
        )  # fmt: skip
        cluster.answers[("cibadmin", "--query")] = []
        cluster.answers[("crm_mon",)] = []
        cluster.say("cibadmin", "--query", out=before).say("cibadmin", "--patch")
        cluster.say("crm_mon", out=after)
        told = commit(cluster, naps, DUMMY).problems
        assert len([one for one in told if "fs monitor failed on fs1" in one]) == problems, told


def test_a_cluster_that_dies_after_the_commit_does_not_hide_it(cluster, naps):
    cluster.say("cibadmin", "--patch")
    cluster.answers[("crm_resource", "--wait")] = []
    cluster.say("crm_resource", "--wait", code=102)
    outcome = commit(cluster, naps, DUMMY)
    assert outcome.committed
    (problem,) = outcome.problems
    assert "Pacemaker does not run on this node" in problem


def test_what_an_earlier_failure_keeps_from_starting_is_a_problem(cluster, naps, sample):
    """Nothing has failed since the commit, and yet it does not run."""
    idle = sample("status-serving.xml").replace(
        "<resources>",
        '<resources><resource id="extra" resource_agent="ocf:heartbeat:Dummy" role="Stopped" '
        'active="false" orphaned="false" blocked="false" managed="true" failed="false"/>',
    )
    history = '<resource_history id="extra" fail-count="1000000"/></node></node_history>'
    cluster.answers[("crm_mon",)] = []
    remembered = idle.replace("</node>\n  </node_history>", f"{history}")
    assert remembered != idle
    cluster.say("crm_mon", out=remembered).say("cibadmin", "--patch")
    (problem,) = commit(cluster, naps, DUMMY).problems
    assert "extra runs on no node: it failed earlier on" in problem
    assert "crm_resource --cleanup --resource extra" in problem


@pytest.mark.parametrize("program", ["crm_simulate", "crm_mon"])
def test_a_tool_that_talks_nonsense_is_an_error_or_a_problem(cluster, naps, program):
    cluster.say("cibadmin", "--patch")
    cluster.answers[(program,)] = []
    cluster.say(program, out="Segmentation fault")
    if program == "crm_mon":
        assert "gave no status" in commit(cluster, naps, DUMMY).problems[0]
    else:
        with pytest.raises(programs.RunError, match="gave no transition"):
            commit(cluster, naps, DUMMY)


# --- the guard -------------------------------------------------------------------------------


def test_calls_stop_a_commit_before_anything_is_written(cluster, naps):
    with pytest.raises(change_commit.CommitRefused) as caught:
        committer(cluster, naps, guard=guard(214)).commit(wanting(DUMMY))
    assert "interrupts 214 call legs" in str(caught.value)
    assert str(caught.value).startswith("Not committed. Refused: ")
    assert cluster.count("crm_diff") == cluster.count("cibadmin", "--patch") == 0


@pytest.mark.parametrize("policy", [{"calls": 214}, {"calls": None}, {"override": True}])
def test_what_the_operator_allows_is_committed(cluster, naps, policy):
    cluster.say("cibadmin", "--patch")
    outcome = committer(cluster, naps, guard=guard(214, **policy)).commit(wanting(DUMMY))
    assert outcome.committed


def test_a_change_that_stops_nothing_asks_nobody_about_calls(cluster, naps):
    cluster.answers[("crm_simulate",)] = []
    cluster.say("crm_simulate", out=NOTHING).say("cibadmin", "--patch")

    def never():
        raise AssertionError("calls were counted")

    outcome = committer(cluster, naps, guard=change_plan.Guard(Policy(), never)).commit(
        wanting(DUMMY)
    )
    assert outcome.committed


def test_the_node_without_the_calls_leaves_it_to_the_other(cluster, naps, sample):
    live = document.parse(sample("pair.xml"))
    done = document.render(cib_target.target(live, DesiredObjects((DUMMY,))).root)
    cluster.say("cibadmin", "--query", out=sample("pair.xml"))
    cluster.say("cibadmin", "--query", out=done)
    outcome = committer(cluster, naps, guard=guard(0, "fs2")).commit(wanting(DUMMY))
    assert not outcome.committed
    assert outcome.plan.empty
    assert naps == [change_commit.LOOK_EVERY]
    assert cluster.count("cibadmin", "--patch") == 0


def test_the_node_without_the_calls_waits_no_longer_than_it_may(cluster, naps):
    quick = committer(cluster, naps, guard=guard(0, "fs2"), settle=0)
    with pytest.raises(
        change_commit.CommitRefused, match="the calls are on fs1, which only fs1 can count"
    ):
        quick.commit(wanting(DUMMY))


# --- stopped, then removed -------------------------------------------------------------------


def test_what_runs_is_stopped_before_it_is_removed(cluster, naps, sample):
    cluster.say("cibadmin", "--patch")
    stopped = sample("status-serving.xml").replace('id="fs"', 'id="other"')
    cluster.answers[("crm_mon",)] = []
    cluster.say("crm_mon", out=stopped)
    seen = []
    run = cluster.__call__

    def watch(argv, **kwargs):
        if argv[0] == "crm_diff":
            seen.append(document.parse(Path(argv[-1]).read_text(encoding="utf-8")))
        return run(argv, **kwargs)

    absent = change_plan.wanting(DesiredObjects(absent=("fs",)))
    outcome = change_commit.Committer(guard(), None, 5, watch, naps.append).commit(absent)
    assert outcome.committed
    parked, target = seen
    fs = read.find(parked, "fs")
    assert fs.getparent().tag == "resources"
    assert fs.find("meta_attributes/nvpair[@name='target-role']").get("value") == "Stopped"
    assert read.find(target, "fs") is None
    assert cluster.count("cibadmin", "--patch") == 2


def halfway(sample, who):
    """Return the text of a CIB in which a run has stopped fs in order to remove it."""
    live = document.parse(sample("pair.xml"))
    found = cib_target.target(live, DesiredObjects(absent=("fs",)))
    return document.render(stop_first.stopped_first(found, {"fs": ("fs1",)}, who))


def gone(sample):
    live = document.parse(sample("pair.xml"))
    return document.render(cib_target.target(live, DesiredObjects(absent=("fs",))).root)


def says_in_turn(cluster, *cibs):
    cluster.answers[("cibadmin", "--query")] = []
    for cib in cibs:
        cluster.say("cibadmin", "--query", out=cib)


def has_stopped(cluster, sample):
    cluster.answers[("crm_mon",)] = []
    cluster.say("crm_mon", out=sample("status-serving.xml").replace('id="fs"', 'id="other"'))


def test_what_another_run_has_removed_after_this_one_stopped_it(cluster, naps, sample):
    """It was stopped here, so it is told here."""
    says_in_turn(cluster, sample("pair.xml"), gone(sample))
    cluster.say("cibadmin", "--patch")
    has_stopped(cluster, sample)
    outcome = committer(cluster, naps).commit(wanting(absent=("fs",)))
    assert outcome.committed
    assert "fs" in outcome.plan.target.changes
    assert cluster.count("cibadmin", "--patch") == 1


def test_what_another_run_is_just_removing_is_left_to_it(cluster, naps, sample):
    says_in_turn(cluster, halfway(sample, "other"), halfway(sample, "other"), gone(sample))
    outcome = committer(cluster, naps).commit(wanting(absent=("fs",)))
    assert (outcome.committed, outcome.plan.empty) == (False, True)
    assert naps == [change_commit.LOOK_EVERY] * 2
    assert cluster.count("cibadmin", "--patch") == 0


@pytest.mark.parametrize("who", ["dead", ""])
def test_what_a_run_left_halfway_is_finished(cluster, naps, sample, who):
    """A run that has died is waited for, one that has given up is not."""
    says_in_turn(cluster, halfway(sample, who))
    cluster.say("cibadmin", "--patch")
    has_stopped(cluster, sample)
    outcome = committer(cluster, naps, settle=0.01).commit(wanting(absent=("fs",)))
    assert outcome.committed
    assert bool(naps) == bool(who)


def test_a_patch_that_comes_too_late_after_the_stop_is_made_anew(cluster, naps, sample):
    cluster.say("cibadmin", "--patch").say("cibadmin", "--patch", code=103, err="older")
    cluster.say("cibadmin", "--patch")
    has_stopped(cluster, sample)
    outcome = committer(cluster, naps).commit(wanting(absent=("fs",)))
    assert outcome.committed
    assert cluster.count("cibadmin", "--patch") == 3
    assert cluster.count("crm_mon") == 2


def test_what_does_not_stop_is_not_removed(cluster, naps, sample):
    says_in_turn(cluster, sample("pair.xml"), halfway(sample, "this"))
    cluster.say("cibadmin", "--patch")
    with pytest.raises(parting.NotStopped, match="Not removed, since it still runs: fs on fs1"):
        committer(cluster, naps, name="this").commit(wanting(absent=("fs",)))
    # The second patch says that nobody is at it any more.
    assert cluster.count("cibadmin", "--patch") == 2


# --- handed over -----------------------------------------------------------------------------


@pytest.fixture
def unit(cluster, sample):
    """The same cluster with FreeSWITCH's own unit in the group, and no calls to be asked about."""
    cluster.answers[("cibadmin", "--query")] = []
    live = sample("pair.xml").replace('class="lsb" type="FSSofia"', UNIT)
    cluster.say("cibadmin", "--query", out=live)
    cluster.answers[("crm_simulate",)] = []
    stop = '<rsc_action action="stop" resource="fs" node="fs1"/>'
    before = '<resources><resource id="fs"><node name="fs1"/></resource></resources>'
    cluster.say(
        "crm_simulate",
        out=f"<pacemaker-result><cluster_status>{before}</cluster_status><actions>{stop}</actions>"
        "</pacemaker-result>",
    )
    cluster.say("cibadmin", "--patch").say("crm_resource", "--refresh")
    return cluster


UNIT = 'class="systemd" type="freeswitch"'


def parked(unit, sample):
    """Let the second look at the CIB find the halfway state."""
    live = document.parse(sample("pair.xml").replace('class="lsb" type="FSSofia"', UNIT))
    found = cib_target.target(live, DesiredObjects(absent=("fs",)))
    halfway = stop_first.stopped_first(found, {"fs": ("fs1",)}, "run")
    says_in_turn(unit, document.render(live), document.render(halfway))


def test_a_switch_that_is_removed_goes_on_running(unit, naps, sample):
    parked(unit, sample)
    has_stopped(unit, sample)
    outcome = committer(unit, naps, guard=guard(5), name="run").commit(wanting(absent=("fs",)))
    assert outcome.committed
    assert [str(a) for a in outcome.plan.transition.actions] == [
        "leave fs on fs1 to systemd, running"
    ]
    asked = [call for call, *_ in unit.calls if call[0] == "crm_resource" and "--refresh" in call]
    assert asked == [
        ["crm_resource", "--refresh", "--resource", "fs", "--node", node] for node in ("fs1", "fs2")
    ]
    assert unit.count("cibadmin", "--patch") == 2


def test_what_the_cluster_does_not_forget_is_not_removed(unit, naps, sample, monkeypatch):
    monkeypatch.setattr(parting, "FORGETTING", 0.0)
    parked(unit, sample)
    with pytest.raises(parting.NotStopped, match="still runs: fs on fs1"):
        committer(unit, naps, name="run").commit(wanting(absent=("fs",)))
    # The halfway state, and the note that nobody is at it any more.
    assert unit.count("cibadmin", "--patch") == 2


def test_a_unit_that_the_pillar_does_not_name_is_stopped(unit, naps, sample):
    has_stopped(unit, sample)
    given = change_plan.Guard(Policy(calls=None), lambda: Calls(0, "fs1"), service="voice")
    outcome = committer(unit, naps, guard=given).commit(wanting(absent=("fs",)))
    assert [str(a) for a in outcome.plan.transition.actions] == ["stop fs on fs1"]
    assert unit.count("crm_resource", "--refresh") == 0


def test_fail_counts_of_what_is_gone_are_forgotten(cluster, naps, sample):
    """With them it could not start if it came back under its name."""
    pairs = "".join(
        f'<nvpair id="n{n}" name="{name}" value="1"/>'
        for n, name in enumerate(
            ("fail-count-fs#start_0", "last-failure-fs#start_0", "fail-count-fs2#start_0", "pingd")
        )
    )
    state = (
        '<node_state uname="fs1" id="1"><transient_attributes id="1"><instance_attributes id="i">'
        f"{pairs}</instance_attributes></transient_attributes></node_state></status>"
    )
    left = gone(sample).replace("</status>", state).replace("<status/>", f"<status>{state}")
    says_in_turn(cluster, sample("pair.xml"), sample("pair.xml"), left)
    cluster.say("cibadmin", "--patch")
    has_stopped(cluster, sample)
    assert committer(cluster, naps).commit(wanting(absent=("fs",))).problems == ()
    forgotten = [argv for argv, *_ in cluster.calls if "--delete" in argv]
    assert [argv[2] for argv in forgotten] == ["fail-count-fs#start_0", "last-failure-fs#start_0"]
    assert all(argv[3:] == ["--delete", "--node", "fs1"] for argv in forgotten)


# --- restore points --------------------------------------------------------------------------


@pytest.fixture
def points(tmp_path):
    return change_commit.Points(tmp_path / "restore", node="fs1", author="fs1")


def test_a_commit_leaves_the_cib_before_it(cluster, naps, points, sample):
    cluster.say("cibadmin", "--patch")
    outcome = committer(cluster, naps, points=points).commit(wanting(DUMMY), "voice")
    cib, point = restore_points.read(points.directory, outcome.point)
    assert cib == sample("pair.xml")
    assert (point.note.transaction, point.note.version) == ("voice", "0.5.12")
    assert point.note.committed == outcome.version
    assert "extra: new" in point.note.summary
    assert "hunter2" not in repr(point.note)


def test_a_stale_attempt_leaves_no_point(cluster, naps, points):
    cluster.say("cibadmin", "--patch", code=103).say("cibadmin", "--patch")
    outcome = committer(cluster, naps, points=points).commit(wanting(DUMMY))
    assert outcome.attempts == 2
    assert len(restore_points.points(points.directory)) == 1


@pytest.mark.parametrize("code", [78, 106, 124])
def test_a_patch_that_is_not_taken_leaves_no_point(cluster, naps, points, code):
    """Else runs that fail, one after the other, would push out every good one."""
    cluster.say("cibadmin", "--patch", code=code)
    with pytest.raises(programs.RunError):
        committer(cluster, naps, points=points).commit(wanting(DUMMY))
    assert restore_points.points(points.directory) == ()


def test_a_refusal_leaves_no_point(cluster, naps, points):
    with pytest.raises(change_commit.CommitRefused):
        committer(cluster, naps, points=points, guard=guard(1)).commit(wanting(DUMMY))
    assert restore_points.points(points.directory) == ()


def test_without_a_point_nothing_is_written(cluster, naps, points):
    points.directory.write_text("in the way", encoding="utf-8")
    with pytest.raises(restore_points.HistoryError):
        committer(cluster, naps, points=points).commit(wanting(DUMMY))
    assert cluster.count("cibadmin", "--patch") == 0


# --- edits that are no objects --------------------------------------------------------------


def edited(root):
    new = copy.deepcopy(root)
    options = {"sets": {"maintenance-mode": "true"}}
    merge.merge(new, [obj("properties", "cib-bootstrap-options", options)])
    return new


def test_an_edit_is_committed_with_the_next_version(cluster, naps):
    cluster.say("cibadmin", "--patch", code=103).say("cibadmin", "--patch")
    assert change_commit.change(edited, cluster, naps.append)
    assert cluster.count("cibadmin", "--patch") == 2
    assert len(naps) == 1


def test_an_edit_of_nothing_writes_nothing(cluster, naps):
    assert not change_commit.change(copy.deepcopy, cluster, naps.append)
    assert cluster.count("crm_diff") == 0


def test_an_edit_that_is_always_late_is_given_up(cluster, naps):
    cluster.say("cibadmin", "--patch", code=103)
    with pytest.raises(change_commit.Contended):
        change_commit.change(edited, cluster, naps.append)


# --- for people and events -------------------------------------------------------------------


def test_no_secret_leaves_a_plan(cluster, sample):
    plan = change_plan.make_plan(sample("pair.xml"), wanting(DUMMY), guard(), cluster)
    assert "hunter2" not in repr(change_plan.as_data(plan))
    assert "hunter2" not in change_plan.summary(plan)


def test_a_plan_in_a_few_lines(tools, sample):
    tools.say("crm_verify", err="x\twarning: old\n", code=78)
    tools.say("crm_simulate", out=sample("transition-restart.xml"))
    params = {"ip": "10.101.20.220", "nic": "eth0"}
    vip = obj("primitive", "ip_shared", {"agent": "ocf:heartbeat:IPaddr2", "params": params})
    wanted = wanting(vip, DUMMY, absent=("voice-prefers-fs1",))
    plan = change_plan.make_plan(sample("pair.xml"), wanted, guard(3), tools)
    assert change_plan.summary(plan).splitlines() == [
        "ip_shared: operations:monitor 5s {'timeout': '20s'} → (none), "
        "params:ip 10.101.20.219 → 10.101.20.220, params:nic (none) → eth0",
        "extra: new",
        "voice-prefers-fs1: removed",
        "The cluster would then: restart ip_shared on fs1 (resource definition change); "
        "restart fs on fs1 (required ip_shared start).",
        f"{plan.verdict}",
        "crm_verify warns: warning: old",
    ]
    assert change_plan.as_data(plan) == {
        "changes": {
            "ip_shared": {
                "operations:monitor 5s": {"old": {"timeout": "20s"}, "new": None},
                "params:ip": {"old": "10.101.20.219", "new": "10.101.20.220"},
                "params:nic": {"old": None, "new": "eth0"},
            },
            "extra": {
                "object": {
                    "old": None,
                    "new": {
                        "agent": "ocf:heartbeat:Dummy",
                        "params": {"passwd": "(secret)"},
                    },
                }
            },
            "voice-prefers-fs1": {
                "object": {
                    "old": {"resource": "VoiceServices", "node": "fs1", "score": "50"},
                    "new": None,
                }
            },
        },
        "drifted": [],
        "unmanaged": ["VoiceServices", "fs"],
        "transition": [
            "restart ip_shared on fs1 (resource definition change)",
            "restart fs on fs1 (required ip_shared start)",
        ],
        "interrupted": {"ip_shared": ["fs1"], "fs": ["fs1"]},
        "guard": plan.verdict.as_data(),
        "warnings": ["warning: old"],
    }
    assert not plan.verdict.allowed
    assert "restart of ip_shared and fs on fs1 interrupts 3 call legs" in plan.verdict.cost


def test_a_plan_for_a_host_without_the_clusters_tools():
    plan = change_plan.make_first_plan(document.EMPTY, wanting(DUMMY))
    assert not plan.empty
    assert change_plan.summary(plan).splitlines() == [
        "extra: new",
        "What the cluster would then do can't be told before it is installed.",
    ]


def test_a_change_of_the_ownership_alone_is_said(tools, sample):
    tools.say("crm_verify").say("crm_simulate", out=NOTHING)
    held = read.read(document.parse(sample("pair.xml")), obj("primitive", "fs"))
    plan = change_plan.make_plan(sample("pair.xml"), wanting(held), guard(), tools)
    assert change_plan.summary(plan).splitlines() == [
        "only the list of what fsha manages changes",
        "The cluster would then: do nothing.",
    ]
