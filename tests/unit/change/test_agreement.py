"""A change in which both nodes have a word: each counts its own calls, and one of them makes it."""

import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from lxml import etree

from fshalib.change import admission, agreement
from fshalib.change import commit as change_commit
from fshalib.change import plan as change_plan
from fshalib.change.agreement import ATTRIBUTE, Note
from fshalib.change.guard import Calls, Verdict
from fshalib.cib import document
from fshalib.cib.target import DesiredObjects
from fshalib.pillar.guard_policy import Policy
from fshalib.system import programs
from tests.unit.build import obj

NODES = ("fs1", "fs2")
NOTHING = "<pacemaker-result><actions/></pacemaker-result>"
BOTH = (
    "<pacemaker-result><cluster_status><resources>"
    '<resource id="s:0"><node name="fs1"/></resource><resource id="s:1"><node name="fs2"/>'
    "</resource></resources></cluster_status><actions>"
    '<rsc_action action="restart" resource="s:0" node="fs1"/>'
    '<rsc_action action="restart" resource="s:1" node="fs2"/></actions></pacemaker-result>'
)
FIRST = BOTH.replace('<rsc_action action="restart" resource="s:1" node="fs2"/>', "")
CIB = (
    '<cib admin_epoch="0" epoch="3" num_updates="1" dc-uuid="1"><configuration><crm_config>'
    '<cluster_property_set id="cib-bootstrap-options"><nvpair id="h" name="have-watchdog" '
    'value="true"/></cluster_property_set></crm_config><nodes><node id="1" uname="fs1"/>'
    '<node id="2" uname="fs2"/></nodes><resources><clone id="c"><primitive id="s" class="ocf" '
    'provider="fsha" type="FSSwitch"/></clone></resources><constraints/></configuration><status/>'
    "</cib>"
)
DUMMY = obj("primitive", "extra", {"agent": "ocf:heartbeat:Dummy"})
WATCHDOG = obj("properties", "cib-bootstrap-options", {"sets": {"stonith-watchdog-timeout": "10s"}})


class Cluster:
    """One CIB and one set of attributes for two nodes, each with a runner of its own."""

    def __init__(self, foreseen):
        self.cib, self.foreseen = CIB, foreseen
        self.notes, self.patches, self.calls = {}, [], dict.fromkeys(NODES, 0)
        self.sbd = dict.fromkeys(NODES, True)
        self._candidates = {}
        self._lock = threading.Lock()

    def runner(self, node):
        def run(argv, stdin=None, timeout=30.0, env=None):
            with self._lock:
                code, out = self._answer(node, argv)
            return programs.Completed(tuple(argv), code, out, "", 0.0)

        return run

    def _answer(self, node, argv):
        if argv[0] == "attrd_updater":
            return self._attribute(argv)
        match argv:
            case ["cibadmin", "--query"]:
                return 0, self.cib
            case ["crm_node", _]:
                return 0, f"{node}\n"
            case ["crm_simulate", *_]:
                return 0, self.foreseen
            case ["systemctl", *_]:
                return 0 if self.sbd[node] else 3, ""
            case ["crm_mon", *_]:
                return 0, "<pacemaker-result><summary/><nodes/></pacemaker-result>"
            case ["crm_diff", _, old, _, new]:
                self._candidates[node] = [Path(path).read_text("utf-8") for path in (old, new)]
                return 1, "<diff/>"
            case ["cibadmin", "--patch", *_]:
                return self._patched(node), ""
        assert argv[0] in ("crm_verify", "crm_resource"), argv
        return 0, ""

    def _patched(self, node):
        old, new = self._candidates[node]
        if old != self.cib:
            return 103
        self.cib = new
        self.patches.append(node)
        return 0

    def _attribute(self, argv):
        match argv:
            case [_, _, name, "--query", *_]:
                assert name == ATTRIBUTE
                return (0, self._attributes()) if self.notes else (78, "")
            case [_, _, _, "--update", value, _, where]:
                self.notes[where] = value
            case [_, _, _, "--delete", _, where]:
                self.notes.pop(where, None)
        self._moved()
        return 0, ""

    def _moved(self):
        """Let the version go on: an attribute is part of the CIB's status."""
        root = document.parse(self.cib)
        root.set("num_updates", str(int(root.get("num_updates")) + 1))
        self.cib = document.render(root)

    def _attributes(self):
        root = etree.Element("pacemaker-result")
        for host, value in self.notes.items():
            etree.SubElement(root, "attribute", name=ATTRIBUTE, host=host, value=value)
        return etree.tostring(root, encoding="unicode")

    def guard(self, node, **policy):
        return change_plan.Guard(Policy(**policy), lambda: Calls(self.calls[node], node))


def make(*objects):
    return change_plan.wanting(DesiredObjects(objects or (DUMMY,)))


def nap(_seconds):
    time.sleep(0.01)


def on(nodes, work):
    """Do something on several nodes at once, and return what came of it, node → answer."""
    answers = {}

    def begin(node):
        try:
            answers[node] = work(node)
        except change_commit.CommitRefused as error:
            answers[node] = error

    threads = [threading.Thread(target=begin, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return answers


def admitted(cluster, nodes=NODES, objects=(), patience=10.0, **policy):
    def admit(node):
        guard = cluster.guard(node, **policy)
        door = admission.Door(guard, patience, cluster.runner(node), nap)
        return door.admit(make(*objects), test=False)

    return on(nodes, admit)


def committed(cluster, nodes=NODES, objects=(), **policy):
    def commit(node):
        guard = cluster.guard(node, **policy)
        committer = change_commit.Committer(guard, None, 10, cluster.runner(node), nap)
        return committer.commit(make(*objects))

    return on(nodes, commit)


@pytest.fixture
def both(monkeypatch):
    """A cluster whose change interrupts calls on both nodes."""
    monkeypatch.delenv("CIB_file", raising=False)
    return Cluster(BOTH)


def test_without_calls_both_are_admitted(both):
    seen = admitted(both)
    assert {node: admission.kind for node, admission in seen.items()} == {
        "fs1": "allowed",
        "fs2": "allowed",
    }
    assert seen["fs1"].plan.verdict.reason == "fs2 has no calls and allows it"


def test_without_calls_one_of_them_commits_and_the_other_sees_it(both):
    done = committed(both)
    assert len(both.patches) == 1
    assert sorted(outcome.committed for outcome in done.values()) == [False, True]
    assert 'id="extra"' in both.cib


@pytest.mark.parametrize("work", [admitted, committed])
def test_calls_on_one_node_refuse_it_on_both_at_once(both, work):
    both.calls["fs2"] = 7
    seen = work(both)
    verdicts = {node: answer.plan.verdict for node, answer in seen.items()}
    assert {verdict.kind for verdict in verdicts.values()} == {"refused"}
    assert "fs2 refuses it: it still has 7 call legs" in str(verdicts["fs1"])
    assert "wait for fewer calls on fs2, then apply it on fs1 and fs2 at the same time" in str(
        verdicts["fs1"]
    )
    assert (verdicts["fs1"].by, verdicts["fs2"].by) == ("fs2", "")
    assert both.patches == []


def test_once_the_calls_have_ended_it_goes(both):
    both.calls["fs2"] = 7
    committed(both)
    both.calls["fs2"] = 0
    # As if a minute had gone by.
    both.notes.clear()
    assert {answer.kind for answer in admitted(both).values()} == {"allowed"}
    committed(both)
    assert len(both.patches) == 1


def test_one_node_alone_is_told_to_apply_it_on_both(both):
    seen = admitted(both, ["fs1"], patience=0.05)["fs1"]
    assert seen.kind == "elsewhere"
    assert str(seen.plan.verdict) == (
        "Not on this node alone: restart of s on fs1 and fs2 interrupts no calls on fs1 and an "
        "unknown number of calls on fs2; the calls on fs2 matter as well, which only fs2 can "
        "count, and no verdict came from fs2 within 0 s. To do it: apply it on fs1 and fs2 at "
        f"the same time, or override for one run with: {change_commit.change_guard.OVERRIDE}"
    )
    assert both.notes == {}


def test_the_ceiling_is_for_both_nodes_together(both):
    both.calls = {"fs1": 2, "fs2": 2}
    assert {a.kind for a in admitted(both, calls=4).values()} == {"allowed"}
    seen = admitted(both, calls=3)
    assert {a.kind for a in seen.values()} == {"refused"}
    assert "allows no more than 3, and all nodes together have 4 call legs" in str(
        seen["fs1"].plan.verdict
    )


def test_an_old_note_lets_nothing_through(both):
    about = agreement.mark(make()(document.parse(CIB)))
    old = int(datetime.now(timezone.utc).timestamp() - 60)
    both.notes["fs2"] = str(Note("allowed", about, old, 0))
    guard = both.guard("fs1")
    committer = change_commit.Committer(guard, None, 0.05, both.runner("fs1"), nap)
    with pytest.raises(change_commit.CommitRefused, match="no verdict came from fs2 within 0 s"):
        committer.commit(make())
    assert both.patches == []


def test_calls_that_came_up_after_the_verdict_are_told_to_the_other_node_at_once(monkeypatch):
    cluster = Cluster(FIRST)
    assert {a.kind for a in admitted(cluster).values()} == {"allowed"}
    cluster.calls["fs1"] = 1
    begun = time.monotonic()
    seen = committed(cluster)
    assert time.monotonic() - begun < 5
    assert "fs1 refuses it: it still has 1 call leg;" in f"{seen['fs2'].plan.verdict.reason};"


@pytest.mark.parametrize("work", ["commit", "admit"])
def test_what_the_other_nodes_commit_stops_is_no_reason_to_refuse_it(both, work):
    """The switch restarts for this very change while this node counts."""
    runner = both.runner("fs2")

    def count():
        if not both.patches:
            about = agreement.mark(make()(document.parse(CIB)))
            now = int(datetime.now(timezone.utc).timestamp())
            both.notes["fs2"] = str(Note("allowed", about, now, 0))
            assert committed(both, ["fs1"])["fs1"].committed
        return Calls(None, "fs2", "it restarts")

    guard = change_plan.Guard(Policy(), count)
    if work == "commit":
        plan = change_commit.Committer(guard, None, 10, runner, nap).commit(make()).plan
    else:
        plan = admission.Door(guard, 0.0, runner, nap).admit(make(), test=False).plan
    assert (plan.empty, plan.verdict.kind) == (True, "allowed")


def test_what_another_node_has_just_refused_is_not_made_on_this_one():
    cluster = Cluster(NOTHING)
    door = admission.Door(cluster.guard("fs2"), 0.0, cluster.runner("fs2"), nap)
    door.admit(make(), test=False, objections=["its configuration is broken"])
    refused = committed(cluster, ["fs1"])["fs1"]
    assert str(refused.plan.verdict).startswith("Refused: ")
    assert "fs2 refuses it, see its own return" in str(refused)
    assert committed(cluster, ["fs1"], override=True)["fs1"].committed


# --- the watchdog ---------------------------------------------------------------------------


def test_a_watchdog_that_interrupts_calls_on_the_dcs_node():
    cluster = Cluster(FIRST)
    assert {a.kind for a in admitted(cluster, objects=(WATCHDOG,)).values()} == {"allowed"}
    committed(cluster, objects=(WATCHDOG,))
    assert cluster.patches == ["fs1"]


def test_a_watchdog_without_calls_is_committed_once():
    cluster = Cluster(NOTHING)
    assert {a.kind for a in admitted(cluster, objects=(WATCHDOG,)).values()} == {"allowed"}
    committed(cluster, objects=(WATCHDOG,))
    assert len(cluster.patches) == 1


def test_without_sbd_on_the_other_node_no_node_commits():
    cluster = Cluster(FIRST)
    cluster.sbd["fs2"] = False
    for work in (admitted, committed):
        seen = work(cluster, objects=(WATCHDOG,))
        assert {answer.plan.verdict.kind for answer in seen.values()} == {"refused"}
        assert "fs2 refuses it, see its own return" in str(seen["fs1"].plan.verdict)
        assert "sbd does not run on fs2" in str(seen["fs2"].plan.verdict)
    assert cluster.patches == []


# --- notes -----------------------------------------------------------------------------------


def test_a_note_is_read_as_it_was_written():
    for note in (Note("allowed", "ab", 5), Note("refused", "ab", 5, 0), Note("refused", "x", 1, 9)):
        assert agreement.parse(str(note)) == note


@pytest.mark.parametrize("value", ["", "allowed", "allowed:ab:", "allowed::5", "elsewhere:ab:5"])
def test_anything_else_is_no_note(value):
    assert agreement.parse(value) is None


def test_a_verdict_that_awaits_nobody_stays_as_it_is():
    verdict = Verdict("allowed", "r", "c")
    assert agreement.agreed(verdict, {"fs2": Note("refused", "ab", 5)}) == verdict
