"""Whether a run may begin: who judges, who waits, and what is noted for the other node."""

from datetime import datetime, timezone

import pytest

from fshalib.change import admission, agreement
from fshalib.change.admission import Door
from fshalib.change.agreement import ATTRIBUTE
from fshalib.change.guard import ALLOWED, ELSEWHERE, REFUSED, Calls
from fshalib.change.plan import Guard, wanting
from fshalib.cib import document
from fshalib.cib.target import DesiredObjects
from fshalib.pillar import config
from fshalib.pillar.guard_policy import Policy
from fshalib.system import programs
from tests.unit.build import obj
from tests.unit.pillars import pillar

DUMMY = obj("primitive", "extra", {"agent": "ocf:heartbeat:Dummy"})
NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
CHANGE = wanting(DesiredObjects((DUMMY,)))
NOTHING = wanting(DesiredObjects())


@pytest.fixture
def cluster(tools, sample, no_notes):
    """A cluster in which the change restarts the service on fs1."""
    no_notes(tools)
    tools.say("cibadmin", "--query", out=sample("pair.xml"))
    tools.say("crm_verify").say("crm_simulate", out=sample("transition-restart.xml"))
    return tools


def door(tools, legs, node, patience=0.0):
    return Door(Guard(Policy(), lambda: Calls(legs, node), lambda: NOW), patience, tools)


def asked(tools, program):
    return [argv for argv, *_ in tools.calls if argv[0] == program]


def about(sample, make=CHANGE):
    return agreement.mark(make(document.parse(sample("pair.xml"))))


def note(kind, of, ago=0, calls=""):
    return f"{kind}:{of}:{NOW.timestamp() - ago:.0f}{calls}"


def noted(tools, **notes):
    asked = ("attrd_updater", "--name", ATTRIBUTE, "--query")
    tools.answers[asked] = []
    tools.say(*asked, out=answer(**notes))


def written(tools):
    return [argv for argv in asked(tools, "attrd_updater") if "--update" in argv]


def answer(**notes):
    inner = "".join(
        f'<attribute name="{ATTRIBUTE}" host="{n}" value="{v}"/>' for n, v in notes.items()
    )
    return f"<pacemaker-result><attributes>{inner}</attributes></pacemaker-result>"


def test_a_run_that_changes_nothing_is_not_simulated(cluster):
    seen = door(cluster, 5, "fs1").admit(NOTHING, test=False)
    assert (seen.kind, seen.plan.empty) == (ALLOWED, True)
    assert [argv for argv, *_ in cluster.calls] == [["cibadmin", "--query"]]


@pytest.mark.parametrize("legs", [0, 2])
def test_the_node_with_the_calls_judges_and_notes_its_verdict(cluster, sample, legs):
    kind = REFUSED if legs else ALLOWED
    assert door(cluster, legs, "fs1").admit(CHANGE, test=False).kind == kind
    ((*_, value, _, node),) = written(cluster)
    assert (value, node) == (note(kind, about(sample), calls=f":{legs}"), "fs1")


@pytest.mark.parametrize("node", ["fs1", "fs2"])
def test_a_test_run_notes_nothing_and_waits_for_nobody(cluster, node):
    seen = door(cluster, 2, node, 60).admit(CHANGE, test=True)
    assert seen.kind == (REFUSED if node == "fs1" else ELSEWHERE)
    assert asked(cluster, "attrd_updater") == []


@pytest.mark.parametrize("kind", [ALLOWED, REFUSED])
def test_the_other_node_takes_its_verdict_over(cluster, sample, kind):
    noted(cluster, fs1=note(kind, about(sample)))
    seen = door(cluster, 0, "fs2").admit(CHANGE, test=False)
    assert (seen.kind, seen.by) == (kind, "fs1")
    word = "allows it" if kind == ALLOWED else "refuses it, see its own return"
    assert seen.plan.verdict.reason == f"fs1 {word}"


@pytest.mark.parametrize(
    "value",
    [
        note(REFUSED, "{mark}", ago=60),
        note(ALLOWED, "{mark}", ago=600),
        note(ALLOWED, "another"),
        "nonsense",
        "allowed:{mark}:soon",
        "",
    ],
)
def test_a_verdict_of_another_run_is_none(cluster, sample, value):
    noted(cluster, fs1=value.replace("{mark}", about(sample)))
    seen = door(cluster, 0, "fs2").admit(CHANGE, test=False)
    assert seen.kind == ELSEWHERE
    assert "no verdict came from fs1 within 0 s" in str(seen.plan.verdict)
    assert "apply it on fs1" in str(seen.plan.verdict)


def test_the_refusal_of_another_node_names_its_calls(cluster, sample):
    noted(cluster, fs1=note(REFUSED, about(sample), calls=":7"))
    verdict = door(cluster, 0, "fs2").admit(CHANGE, test=False).plan.verdict
    assert verdict.reason == "fs1 refuses it: it still has 7 call legs (a bridged call has two)"
    assert verdict.allow.startswith("wait for fewer calls on fs1, then apply it on fs1, or ")


def test_a_node_that_waited_in_vain_takes_its_note_back(cluster):
    assert door(cluster, 0, "fs2").admit(CHANGE, test=False).kind == ELSEWHERE
    words = [argv for argv in asked(cluster, "attrd_updater") if "--query" not in argv]
    assert ["--update" in words[0], "--delete" in words[-1], len(words)] == [True, True, 2]


def test_what_else_speaks_against_the_run_refuses_it(cluster, sample):
    why = ["sip_profiles/internal.xml: it isn't there."]
    seen = door(cluster, 0, "fs1").admit(CHANGE, test=False, objections=why)
    assert str(seen.plan.verdict) == (
        "Refused: the run would fail halfway; sip_profiles/internal.xml: it isn't there. "
        "To do it: mend that first"
    )
    ((*_, value, _, _),) = written(cluster)
    assert value.startswith(f"{REFUSED}:{about(sample)}:")


def test_it_refuses_a_run_as_well_that_leaves_the_cluster_as_it_is(cluster):
    assert door(cluster, 0, "fs1").admit(NOTHING, test=False, objections=["no"]).kind == REFUSED
    assert written(cluster) == []


def test_without_a_cluster_nobody_is_asked(tools):
    tools.say("cibadmin", "--query", code=programs.EX_DISCONNECT)
    seen = door(tools, 0, "fs1").admit(CHANGE, test=False)
    assert (seen.kind, seen.plan) == (ALLOWED, None)


def test_the_mark_is_that_of_the_configuration_alone(sample):
    text = sample("pair.xml")
    busier = text.replace('num_updates="', 'num_updates="1')
    one, other = (agreement.mark(CHANGE(document.parse(cib))) for cib in (text, busier))
    assert one == other != about(sample, NOTHING)


def test_what_a_pillar_does_not_set_is_wanted_too():
    raw = pillar()
    raw["pacemaker"].pop("rsc_defaults")
    wanted = admission.desired(config.check(raw))
    assert {"properties", "resource_defaults", "operation_defaults"} <= {
        item.kind for item in wanted.objects
    }
    assert (wanted.complete, wanted.purge) == (True, False)
