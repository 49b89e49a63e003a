"""The pillar is checked against agents that are asked once each, on this node."""

from dataclasses import replace

import pytest

from fshalib.cib.nvset import NvSets
from fshalib.cib.objects import Object
from fshalib.pacemaker import agent_metadata
from fshalib.pacemaker.agent import AgentMetadata, Parameter
from fshalib.pillar import config as pillar_config
from fshalib.pillar import installed_agents, validate_agents
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import changed

DUMMY = """<resource-agent name="Dummy"><parameters>
<parameter name="state"><content type="string" default="/run/d"/></parameter>
<parameter name="fake"><content type="string"/></parameter>
</parameters><actions><action name="start"/></actions></resource-agent>"""
NAME = "ocf:heartbeat:Dummy"
ASK = ("crm_resource", "--show-metadata")


@pytest.fixture
def asked(tools):
    """Tools that know one agent, and list two."""
    tools.say(*ASK, code=105)
    tools.say(*ASK, NAME, out=DUMMY)
    listed = "<agents><agent>Dummy</agent><agent>ping</agent></agents>"
    return tools.say("crm_resource", "--list-agents", out=listed)


def pillar(init_script=True, **resources):
    places = (("pacemaker", {"resources": resources}), ("freeswitch:init_script", init_script))
    return pillar_config.check(changed(*places))


def mistakes(config, tools, test=False):
    with pytest.raises(ConfigErrors) as caught:
        installed_agents.check(config, test, tools)
    return "\n".join(map(str, caught.value.errors))


def test_an_agent_is_asked_and_parsed_into_one_type(asked):
    told = AgentMetadata({"state": Parameter(default="/run/d"), "fake": Parameter()}, ("start",))
    assert agent_metadata.ask(NAME, asked) == told
    assert told.defaults == {"state": "/run/d"}
    assert agent_metadata.ask("ocf:heartbeat:Nix", asked) is None


def test_what_is_no_metadata_names_the_agent(tools):
    tools.say(*ASK, out="nothing")
    with pytest.raises(agent_metadata.AgentError, match=f"^{NAME}: .*cannot be read"):
        agent_metadata.ask(NAME, tools)


def test_a_tool_that_does_not_answer_names_the_agent(tools):
    tools.hang(*ASK)
    with pytest.raises(agent_metadata.AgentError, match=f"^{NAME}: crm_resource did not answer"):
        agent_metadata.ask(NAME, tools)


def test_each_agent_is_asked_once(asked):
    installed_agents.check(pillar(a={"agent": NAME}, b={"agent": NAME}), run=asked)
    assert asked.count(*ASK) == 1
    assert asked.count("crm_resource", "--list-agents") == 0


def test_a_parameter_that_no_agent_has_is_told(asked):
    config = pillar(a={"agent": NAME, "params": {"stat": "x"}})
    assert "fsha:pacemaker:resources:a:params:stat" in mistakes(config, asked)


def test_of_a_missing_agent_the_nearest_is_named(asked):
    told = mistakes(pillar(a={"agent": "ocf:heartbeat:Dumy"}), asked)
    assert '"ocf:heartbeat:Dumy" is not on this node; did you mean "ocf:heartbeat:Dummy"?' in told


def test_the_init_script_need_not_be_there_unless_somebody_else_lays_it_down(asked):
    fs = {"agent": "lsb:FSSofia"}
    installed_agents.check(pillar(fs=fs), run=asked)
    assert "lsb:FSSofia" in mistakes(pillar(fs=fs, init_script=False), asked)


def test_our_own_agents_need_not_be_there_before_a_test_run(asked):
    config = pillar(bridge={"agent": "ocf:fsha:fonebridge", "params": {"nic": "eth1"}})
    installed_agents.check(config, True, asked)
    assert "ocf:fsha:fonebridge" in mistakes(config, asked)


FONEBRIDGE = """<resource-agent name="fonebridge"><parameters>
<parameter name="nic" required="1"><content type="string"/></parameter>
<parameter name="wait"><content type="integer" default="12"/></parameter>
<parameter name="quiet"><content type="boolean" default="false"/></parameter>
<parameter name="mode"><content type="select" default="a"><option value="a"/></content></parameter>
</parameters></resource-agent>"""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("wait", "2min", "a whole number without a unit"),
        ("wait", "012", "a whole number without a unit"),
        ("quiet", "ja", "true or false"),
        ("mode", "A", "one of a"),
    ],
)
def test_our_own_agents_take_exactly_what_their_metadata_says(name, value, expected):
    agent = "ocf:fsha:fonebridge"
    known = agent_metadata.parse_metadata(FONEBRIDGE)
    params = NvSets.of({"nic": "eth1", name: value})
    item = Object("primitive", "bridge", {"agent": agent, "params": params})
    config = replace(pillar(), pacemaker=pillar_config.Pacemaker((item,)))
    with pytest.raises(ConfigErrors) as caught:
        validate_agents.check_agents(config, {agent: known}.get)
    assert str(caught.value) == (
        f"fsha:pacemaker:resources:bridge:params:{name}: {expected} is expected by {agent}, not "
        f'"{value}".'
    )


@pytest.mark.parametrize(("name", "wrong"), [("monitro", True), ("Stop", True), ("notify", False)])
def test_an_operation_that_nobody_knows(name, wrong):
    agent = "ocf:heartbeat:anything"
    operations = [{"name": "monitor", "interval": "5s"}, {"name": name}]
    item = Object("primitive", "x", {"agent": agent, "operations": operations})
    config = replace(pillar(), pacemaker=pillar_config.Pacemaker((item,)))
    known = {agent: AgentMetadata({}, ("start", "stop", "monitor"))}
    if wrong:
        with pytest.raises(ConfigErrors) as caught:
            validate_agents.check_agents(config, known.get)
        assert "fsha:pacemaker:resources:x:operations:1:name: an operation of" in str(caught.value)
        assert "did you mean" in str(caught.value)
    else:
        validate_agents.check_agents(config, known.get)
