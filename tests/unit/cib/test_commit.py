"""Plan, patch, commit, settle: what is asked of the cluster, and in which order."""

import pytest

import fsha_cib
import fsha_cluster
import fsha_commit
import fsha_run
from fsha_cib import Wanted
from fsha_model import Agent, Primitive, Properties

DUMMY = Primitive("extra", Agent("ocf", "Dummy", "heartbeat"), {"passwd": "hunter2"})
NOTHING = "<pacemaker-result><actions/></pacemaker-result>"


@pytest.fixture
def cluster(tools, sample):
    """A cluster that takes the change that it is asked for."""
    tools.say("cibadmin", "--query", out=sample("pair.xml"))
    tools.say("crm_verify").say("crm_simulate", out=sample("transition-restart.xml"))
    tools.say("crm_diff", out="<diff/>", code=1)
    tools.say("crm_resource", "--wait").say("crm_mon", out=sample("status-serving.xml"))
    return tools


@pytest.fixture
def naps():
    return []


def commit(tools, naps, *objects, **rest):
    return fsha_commit.commit(Wanted(objects, **rest), 5, tools, naps.append)


def test_a_plan_writes_nothing(cluster, sample):
    plan = fsha_commit.make_plan(sample("pair.xml"), Wanted((DUMMY,)), cluster)
    assert [call[0][0] for call in cluster.calls] == ["crm_verify", "crm_simulate"]
    (_, candidate, _), (_, simulated, _) = cluster.calls
    assert candidate == simulated
    assert str(fsha_cib.version(fsha_cib.parse(candidate))) == "0.6.0"
    assert plan.transition.interrupted == ("ip_shared", "fs")


def test_an_empty_plan_asks_nobody(tools, sample):
    plan = fsha_commit.make_plan(sample("pair.xml"), Wanted(), tools)
    assert plan.empty
    assert tools.calls == []
    assert fsha_commit.summary(plan) == "The cluster would then: do nothing."


def test_a_commit_is_one_patch_and_settles(cluster, naps, sample):
    cluster.say("cibadmin", "--patch")
    outcome = commit(cluster, naps, DUMMY)
    assert [call[0][:2] for call in cluster.calls] == [
        ["cibadmin", "--query"],
        ["crm_verify", "--verbose"],
        ["crm_simulate", "--simulate"],
        ["crm_diff", "--original"],
        ["cibadmin", "--patch"],
        ["crm_resource", "--wait"],
        ["crm_mon", "-1"],
        ["cibadmin", "--query"],
    ]
    assert (outcome.committed, outcome.attempts, outcome.settled) == (True, 1, True)
    # The version is the one that the cluster has afterwards, here that of the sample.
    afterwards = str(fsha_cib.version(fsha_cib.parse(sample("pair.xml"))))
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
    assert all(0 < nap <= fsha_commit.JITTER for nap in naps)


def test_what_the_other_node_has_done_meanwhile_is_not_done_again(cluster, naps, sample):
    live = fsha_cib.parse(sample("pair.xml"))
    done = fsha_cib.render(fsha_cib.target(live, Wanted((DUMMY,))).root)
    cluster.say("cibadmin", "--query", out=done)
    cluster.say("cibadmin", "--patch", code=103)
    outcome = commit(cluster, naps, DUMMY)
    assert (outcome.committed, outcome.attempts) == (False, 2)
    assert cluster.count("cibadmin", "--patch") == 1


def test_a_cib_that_never_stands_still_is_given_up(cluster, naps):
    cluster.say("cibadmin", "--patch", code=103)
    with pytest.raises(fsha_commit.Contended) as caught:
        commit(cluster, naps, DUMMY)
    assert caught.value.attempts == cluster.count("cibadmin", "--patch") == fsha_commit.ATTEMPTS
    assert "Somebody else is changing the cluster" in str(caught.value)


def test_a_candidate_that_is_refused_is_not_written(cluster, naps):
    cluster.answers.pop(("crm_verify",))
    cluster.say("crm_verify", err="(main) \terror: no good\n", code=78)
    with pytest.raises(fsha_cluster.InvalidCib):
        commit(cluster, naps, DUMMY)
    assert cluster.count("crm_diff") == cluster.count("cibadmin", "--patch") == 0


def test_no_quorum_is_told_and_not_tried_again(cluster, naps):
    cluster.say("cibadmin", "--patch", code=106)
    with pytest.raises(fsha_cluster.NoQuorum):
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


def test_a_cluster_that_dies_after_the_commit_does_not_hide_it(cluster, naps):
    cluster.say("cibadmin", "--patch")
    cluster.answers[("crm_resource", "--wait")] = []
    cluster.say("crm_resource", "--wait", code=102)
    outcome = commit(cluster, naps, DUMMY)
    assert outcome.committed
    (problem,) = outcome.problems
    assert "Pacemaker does not run on this node" in problem


@pytest.mark.parametrize("program", ["crm_simulate", "crm_mon"])
def test_a_tool_that_talks_nonsense_is_an_error_or_a_problem(cluster, naps, program):
    cluster.say("cibadmin", "--patch")
    cluster.answers[(program,)] = []
    cluster.say(program, out="Segmentation fault")
    if program == "crm_mon":
        assert "gave no status" in commit(cluster, naps, DUMMY).problems[0]
    else:
        with pytest.raises(fsha_run.RunError, match="gave no transition"):
            commit(cluster, naps, DUMMY)


# --- edits that are no objects --------------------------------------------------------------


def edited(root):
    new = fsha_cib.copy.deepcopy(root)
    fsha_cib.merge(new, [Properties({"maintenance-mode": "true"})])
    return new


def test_an_edit_is_committed_with_the_next_version(cluster, naps):
    cluster.say("cibadmin", "--patch", code=103).say("cibadmin", "--patch")
    assert fsha_commit.change(edited, cluster, naps.append)
    assert cluster.count("cibadmin", "--patch") == 2
    assert len(naps) == 1


def test_an_edit_of_nothing_writes_nothing(cluster, naps):
    assert not fsha_commit.change(fsha_cib.copy.deepcopy, cluster, naps.append)
    assert cluster.count("crm_diff") == 0


def test_an_edit_that_is_always_late_is_given_up(cluster, naps):
    cluster.say("cibadmin", "--patch", code=103)
    with pytest.raises(fsha_commit.Contended):
        fsha_commit.change(edited, cluster, naps.append)


# --- for people and events -------------------------------------------------------------------


def test_no_secret_leaves_a_plan(cluster, sample):
    plan = fsha_commit.make_plan(sample("pair.xml"), Wanted((DUMMY,)), cluster)
    assert "hunter2" not in repr(fsha_commit.as_data(plan))
    assert "hunter2" not in fsha_commit.summary(plan)


def test_a_plan_in_a_few_lines(tools, sample):
    tools.say("crm_verify", err="x\twarning: old\n", code=78)
    tools.say("crm_simulate", out=sample("transition-restart.xml"))
    vip = Primitive(
        "ip_shared", Agent("ocf", "IPaddr2", "heartbeat"), {"ip": "10.101.20.220", "nic": "eth0"}
    )
    wanted = Wanted((vip, DUMMY), absent=("voice-prefers-fs1",))
    plan = fsha_commit.make_plan(sample("pair.xml"), wanted, tools)
    assert fsha_commit.summary(plan).splitlines() == [
        "ip_shared: operations:monitor 5s {'timeout': '20s'} → (none), "
        "params:ip 10.101.20.219 → 10.101.20.220, params:nic (none) → eth0",
        "extra: new",
        "voice-prefers-fs1: removed",
        "The cluster would then: restart ip_shared on fs1 (resource definition change); "
        "restart fs on fs1 (required ip_shared start).",
        "crm_verify warns: warning: old",
    ]
    assert fsha_commit.as_data(plan) == {
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
                        "meta": {},
                        "operations": {},
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
    }


def test_a_plan_for_a_host_without_the_clusters_tools():
    plan = fsha_commit.make_first_plan(fsha_cib.EMPTY, Wanted((DUMMY,)))
    assert not plan.empty
    assert fsha_commit.summary(plan).splitlines() == [
        "extra: new",
        "What the cluster would then do can't be told before it is installed.",
    ]


def test_a_change_of_the_ownership_alone_is_said(tools, sample):
    tools.say("crm_verify").say("crm_simulate", out=NOTHING)
    held = fsha_cib.read(
        fsha_cib.parse(sample("pair.xml")), Primitive("fs", Agent("lsb", "FSSofia"))
    )
    plan = fsha_commit.make_plan(sample("pair.xml"), Wanted((held,)), tools)
    assert fsha_commit.summary(plan).splitlines() == [
        "only the list of what fsha manages changes",
        "The cluster would then: do nothing.",
    ]
