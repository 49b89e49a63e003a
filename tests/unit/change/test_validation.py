"""The formula's own agents judge what a change gives them, before anything is written."""

import pytest

from fshalib.change import commit as change_commit
from fshalib.change import plan as change_plan
from fshalib.change.guard import Calls
from fshalib.cib import document
from fshalib.cib.target import DesiredObjects
from fshalib.pacemaker import validate_agent
from fshalib.pillar.guard_policy import Policy
from tests.unit.build import obj

AGENT = "ocf:fsha:FSSofia"
VALIDATE = ("crm_resource", "--validate", "--class=ocf", "--provider=fsha", "--agent=FSSofia")
RELOAD = """<pacemaker-result><cluster_status><resources><resource id="fs">
<node name="fs1"/></resource></resources></cluster_status><actions>
<rsc_action action="reload" resource="fs" node="fs1"/></actions></pacemaker-result>"""


def answer(code, reason=""):
    """Return what crm_resource prints for an agent's answer (Pacemaker 2.1.5, shortened)."""
    return {
        "out": '<pacemaker-result api-version="2.25"><resource-agent-action action="validate" '
        f'class="ocf" type="FSSofia" provider="fsha"><agent-status code="{code}" message="-" '
        f'execution_code="0" reason="{reason}"/></resource-agent-action></pacemaker-result>',
        "code": code,
    }


def live(*params, extra=""):
    """Return a CIB whose service is the formula's own agent, with sets of parameters."""
    sets = "".join(
        f'<instance_attributes id="set-{number}">'
        + "".join(f'<nvpair id="set-{number}-{n}" name="{n}" value="{v}"/>' for n, v in one.items())
        + "</instance_attributes>"
        for number, one in enumerate(params)
    )
    return (
        '<cib admin_epoch="0" epoch="3" num_updates="1"><configuration><crm_config/><nodes/>'
        f'<resources><primitive id="fs" class="ocf" provider="fsha" type="FSSofia">{sets}'
        f"</primitive>{extra}</resources><constraints/></configuration><status/></cib>"
    )


LIVE = live({"profiles": "internal"})


@pytest.fixture
def cluster(tools, no_notes):
    """A cluster that reloads the agent, and has it in order."""
    no_notes(tools)
    tools.say("cibadmin", "--query", out=LIVE).say("crm_verify")
    tools.say("crm_simulate", out=RELOAD)
    return tools.say("crm_diff", out="<diff/>", code=1).say(*VALIDATE, **answer(0))


def service(**params):
    return obj("primitive", "fs", {"agent": AGENT, "params": {"profiles": "internal", **params}})


def wanting(*objects):
    return change_plan.wanting(DesiredObjects(objects))


def plan(cluster, *objects, cib=LIVE, legs=3, node="fs1", **policy):
    guard = change_plan.Guard(Policy(**policy), lambda: Calls(legs, node))
    return change_plan.make_plan(cib, wanting(*objects), guard, cluster)


def commit(cluster, *objects, **policy):
    guard = change_plan.Guard(Policy(**policy), lambda: Calls(3, "fs1"))
    committer = change_commit.Committer(guard=guard, settle=5, run=cluster, sleep=len)
    return committer.commit(wanting(*objects))


def test_the_agent_is_asked_for_the_new_parameters_by_a_list(cluster):
    found = plan(cluster, service(stop_mode="drain", options_targets="10.0.0.1:5060 b:5060"))
    assert found.verdict.allowed
    [argv] = [call[0] for call in cluster.calls if call[0][:2] == ["crm_resource", "--validate"]]
    assert argv == [
        *VALIDATE,
        "--option=options_targets=10.0.0.1:5060 b:5060",
        "--option=profiles=internal",
        "--option=stop_mode=drain",
        "--output-as=xml",
    ]
    assert found.doubts == {}


def test_what_keeps_its_parameters_is_not_asked(cluster):
    spec = {"agent": AGENT, "params": {"profiles": "internal"}, "meta": {"priority": "7"}}
    plan(cluster, obj("primitive", "fs", spec))
    assert cluster.count("crm_resource", "--validate") == 0


def test_other_peoples_agents_are_not_asked(cluster):
    plan(
        cluster, obj("primitive", "vip", {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "x"}})
    )
    assert cluster.count("crm_resource", "--validate") == 0


def test_a_refusal_of_the_agent_is_one_sentence_and_nothing_is_written(cluster):
    cluster.answers.pop(VALIDATE)
    cluster.say(*VALIDATE, **answer(6, "drain_time is too long for this switch"))
    with pytest.raises(change_commit.CommitRefused) as caught:
        commit(cluster, service(drain_time="7"), override=True)
    assert str(caught.value) == (
        "Not committed. Refused: fs would run on no node; fs, ocf:fsha:FSSofia refuses its "
        "parameters: drain_time is too long for this switch. To do it: correct the value"
    )
    assert cluster.count("cibadmin", "--patch") == 0


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"stop_mode": "recovery"}, "one of hangup, drain, recover is expected"),
        ({"drain_time": "2min"}, "drain_time: a whole number without a unit is expected"),
        ({"stop_mode": "recover", "recover": "false"}, "recover: true is expected beside"),
    ],
)
def test_an_agent_that_is_older_or_not_there_lets_no_typo_pass(cluster, params, words):
    cluster.answers.pop(VALIDATE)
    cluster.say(*VALIDATE, err="not a known resource", code=64)
    found = plan(cluster, service(**params))
    assert found.verdict.kind == "refused"
    assert words in found.verdict.reason
    assert "Refused: fs would run on no node; " in change_plan.summary(found)
    # The table suffices.
    assert cluster.count("crm_resource", "--validate") == 0


def test_before_there_is_a_cluster_no_typo_passes_either():
    found = change_plan.make_first_plan(document.EMPTY, wanting(service(stop_mode="x")))
    assert found.verdict.kind == "refused"
    assert change_plan.make_first_plan(document.EMPTY, wanting(service())).verdict.allowed


def test_where_the_agent_is_not_there_the_change_goes_on(cluster):
    cluster.answers.pop(VALIDATE)
    cluster.say(*VALIDATE, err="not a known resource", code=64)
    found = plan(cluster, service(stop_mode="drain"))
    assert found.verdict.allowed
    assert found.doubts == {}


def test_what_is_wrong_on_this_node_alone_is_a_warning(cluster):
    cluster.answers.pop(VALIDATE)
    cluster.say(*VALIDATE, **answer(5, "password_file=/x is empty"))
    # The service is on the other node.
    cluster.answers["crm_node",] = []
    cluster.say("crm_node", out="fs2\n")
    found = plan(cluster, service(stop_mode="drain"))
    assert found.verdict.allowed
    [warning] = change_plan.as_data(found)["warnings"]
    words = "on this node ocf:fsha:FSSofia refuses its parameters: password_file=/x is empty."
    assert warning == f"fs: {words}"
    assert warning in change_plan.summary(found)


def test_a_reload_that_fails_here_stops_the_service_and_is_the_guards_business(cluster):
    cluster.answers.pop(VALIDATE)
    cluster.say(*VALIDATE, **answer(5, "password_file=/x is empty"))
    found = plan(cluster, service(stop_mode="drain"))
    assert found.verdict.kind == "refused"
    assert found.verdict.interrupted == ("fs",)
    assert found.verdict.cost.startswith("stop of fs on fs1 interrupts 3 call legs")
    assert plan(cluster, service(stop_mode="drain"), override=True).verdict.allowed


def test_a_reload_that_succeeds_interrupts_nothing(cluster):
    found = plan(cluster, service(stop_mode="drain"))
    assert (found.verdict.allowed, found.verdict.interrupted) == (True, ())


def test_a_refused_reload_counts_as_a_stop(cluster):
    found = plan(cluster, service(stop_mode="recovery"))
    assert found.verdict.interrupted == ("fs",)


def test_an_agent_that_does_not_answer_is_told_and_holds_nothing_up(cluster):
    cluster.answers.pop(VALIDATE)
    cluster.hang(*VALIDATE)
    found = plan(cluster, service(stop_mode="drain"))
    assert found.verdict.allowed
    [text] = found.doubts["fs"]
    assert text.startswith("ocf:fsha:FSSofia could not be asked: crm_resource did not answer")


def test_where_a_file_stands_in_for_the_cluster_no_agent_is_asked(cluster, monkeypatch):
    monkeypatch.setenv("CIB_file", "/x")
    assert plan(cluster, service(stop_mode="drain")).verdict.allowed
    assert cluster.count("crm_resource", "--validate") == 0
    assert plan(cluster, service(stop_mode="recovery")).verdict.kind == "refused"


RULED = [
    {"values": {"profiles": "internal"}},
    {"values": {"stop_mode": "recovery"}, "rule": "#uname eq fs2", "score": "1"},
]


@pytest.mark.parametrize("node", ["fs1", "fs2"])
def test_a_set_with_a_rule_is_judged_wherever_it_holds(cluster, node):
    item = obj("primitive", "fs", {"agent": AGENT, "params": RULED})
    assert plan(cluster, item, node=node).verdict.kind == "refused"


def test_each_set_with_a_rule_is_asked_for(cluster):
    sets = [RULED[0], {**RULED[1], "values": {"stop_mode": "drain"}}]
    plan(cluster, obj("primitive", "fs", {"agent": AGENT, "params": sets}))
    assert cluster.count("crm_resource", "--validate") == 2


def test_what_a_template_and_a_reference_give_counts(cluster):
    template = obj("template", "sofia", {"agent": AGENT, "params": {"drain_time": "1m"}})
    item = obj("primitive", "two", {"template": "sofia", "params": {"profiles": "other"}})
    assert "two, drain_time" in plan(cluster, template, item).verdict.reason
    referring = [{"values": {"profiles": "b"}}, {"id-ref": "socket"}]
    named = [{"id": "socket", "values": {"profiles": "a", "port": "8021x"}}]
    one = obj("primitive", "one", {"agent": AGENT, "params": named})
    other = obj("primitive", "other", {"agent": AGENT, "params": referring})
    found = plan(cluster, one, other)
    assert "other, port: a whole number" in found.verdict.reason


def test_removing_a_resource_with_a_typo_is_no_reason_to_refuse(cluster):
    cluster.answers["crm_simulate",] = []
    cluster.say("crm_simulate", out="<pacemaker-result><actions/></pacemaker-result>")
    make = change_plan.wanting(DesiredObjects(absent=("fs",)))
    cib = live({"profiles": "internal", "stop_mode": "recovery"})
    assert change_plan.make_plan(cib, make, None, cluster).verdict.allowed


def test_correcting_a_typo_is_allowed(cluster):
    cib = live({"profiles": "internal", "stop_mode": "recovery"})
    assert plan(cluster, service(stop_mode="recover"), cib=cib).verdict.allowed


def test_the_tool_of_another_time_is_no_verdict(tools):
    tools.say(*VALIDATE, out="no XML", code=6)
    assert validate_agent.validate(AGENT, {}, tools) is None


def test_a_start_that_fails_here_needs_no_name_of_this_node(tools):
    tools.say("crm_verify").say(
        "crm_simulate", out="<pacemaker-result><actions/></pacemaker-result>"
    )
    tools.say(*VALIDATE, **answer(5, "fs_cli=/x is no program"))
    found = change_plan.make_plan(document.EMPTY, wanting(service()), None, tools)
    assert found.verdict.allowed
    assert list(found.doubts) == ["fs"]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"name": "monitro"}, "operation monitro: an operation of ocf:fsha:FSSofia is expected"),
        ({"params": {"stop_mode": "recovery"}}, "operation monitor: stop_mode: one of hangup"),
        ({"params": {"OCF_CHECK_LEVEL": "x"}}, "OCF_CHECK_LEVEL: a whole number is expected"),
    ],
)
def test_what_an_operation_gives_is_judged_as_well(cluster, operation, words):
    operations = [{"name": "monitor", "interval": "30s", **operation}]
    spec = {"agent": AGENT, "params": {"profiles": "internal"}, "operations": operations}
    verdict = plan(cluster, obj("primitive", "fs", spec), override=True).verdict
    assert not verdict.allowed
    assert words in verdict.reason


def test_an_operation_more_is_no_reason_to_ask_the_agent(cluster):
    operations = [{"name": "monitor", "interval": "9s", "params": {"OCF_CHECK_LEVEL": "10"}}]
    spec = {"agent": AGENT, "params": {"profiles": "internal"}, "operations": operations}
    assert plan(cluster, obj("primitive", "fs", spec)).verdict.allowed
    assert cluster.count("crm_resource", "--validate") == 0
