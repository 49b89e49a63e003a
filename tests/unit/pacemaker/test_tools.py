"""Exit codes and outputs of Pacemaker's tools, and what they mean."""

import pytest

from fshalib.pacemaker import tools as pacemaker_tools
from fshalib.pacemaker import validate_agent
from fshalib.system import programs


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (102, pacemaker_tools.ClusterDown),
        (69, pacemaker_tools.ClusterDown),
        (4, pacemaker_tools.NotPermitted),
        (106, pacemaker_tools.NoQuorum),
        (103, pacemaker_tools.StaleCib),
        (64, pacemaker_tools.ToolTooOld),
        (1, programs.ToolFailed),
        (-9, programs.ToolFailed),
    ],
)
@pytest.mark.parametrize(
    ("ask", "program"),
    [
        (pacemaker_tools.query, "cibadmin"),
        (pacemaker_tools.status, "crm_mon"),
        (lambda run: pacemaker_tools.simulate("<cib/>", run), "crm_simulate"),
        (lambda run: pacemaker_tools.apply_patch("<diff/>", run), "cibadmin"),
        (pacemaker_tools.local_node, "crm_node"),
        (lambda run: pacemaker_tools.metadata("ocf:heartbeat:Dummy", run), "crm_resource"),
        (lambda run: pacemaker_tools.settle(5, run), "crm_resource"),
    ],
)
def test_every_tool_is_judged_alike(tools, ask, program, code, error):
    tools.say(program, err="it went wrong", code=code)
    with pytest.raises(error) as caught:
        ask(tools)
    assert "\n" not in str(caught.value)


def test_answers_are_returned(tools):
    tools.say("cibadmin", "--query", out="<cib/>").say("crm_node", out="fs1\n")
    tools.say("crm_resource", "--show-metadata", out="<resource-agent/>")
    assert pacemaker_tools.query(tools) == "<cib/>"
    assert pacemaker_tools.local_node(tools) == "fs1"
    assert pacemaker_tools.metadata("lsb:FSSofia", tools) == "<resource-agent/>"


def test_an_agent_that_is_not_installed_has_no_metadata(tools):
    tools.say("crm_resource", code=105)
    assert pacemaker_tools.metadata("ocf:heartbeat:Nix", tools) is None


def test_installed_agents_have_their_full_names(tools):
    tools.say(
        "crm_resource",
        out="<pacemaker-result><agents><agent>Dummy</agent><agent>IPaddr2</agent></agents>"
        "</pacemaker-result>",
    )
    found = pacemaker_tools.agents("ocf:heartbeat", tools)
    assert found == ("ocf:heartbeat:Dummy", "ocf:heartbeat:IPaddr2")
    assert tools.calls[0][0][:3] == ["crm_resource", "--list-agents", "ocf:heartbeat"]


@pytest.mark.parametrize("code", [1, 105])
def test_an_unknown_provider_has_no_agents(tools, code):
    tools.say("crm_resource", code=code)
    assert pacemaker_tools.agents("ocf:nix", tools) == ()


def test_a_list_of_agents_that_is_no_xml_is_an_error(tools):
    tools.say("crm_resource", out="Segmentation fault")
    with pytest.raises(programs.ToolFailed, match="Segmentation fault"):
        pacemaker_tools.agents("lsb", tools)


# --- crm_verify, as Pacemaker 2.1.5 says it -----------------------------------------------

WARNED = """\
(unpack_config) \twarning: Support for stonith-action of 'poweroff' is deprecated (use 'off')
(rsc_action_default) \twarning: error-announcer has no monitor
crm_verify: Warnings found during check: config may not be valid
"""
SCHEMA = """\
element rsc_location: validity error : IDREF attribute rsc references an unknown ID "nix"
Entity: line 1: element primitive: Relax-NG validity error : Invalid attribute foo
(main) \terror: CIB did not pass schema validation
crm_verify: Errors found during check: config not valid
"""
MIXED = """\
(unpack_config) \twarning: something is old
(is_op_dup) \terror: Operation o2 is duplicate of o
(is_op_dup) \terror: Operation o2 is duplicate of o
crm_verify: Errors found during check: config not valid
"""


def test_a_good_candidate_has_no_warnings(tools):
    tools.say("crm_verify")
    assert pacemaker_tools.verify("<cib/>", tools) == ()
    ((argv, stdin, _env),) = tools.calls
    assert (argv, stdin) == (["crm_verify", "--verbose", "--xml-pipe"], "<cib/>")


def test_warnings_do_not_refuse_a_candidate(tools):
    tools.say("crm_verify", err=WARNED, code=78)
    assert pacemaker_tools.verify("<cib/>", tools) == (
        "warning: Support for stonith-action of 'poweroff' is deprecated (use 'off')",
        "warning: error-announcer has no monitor",
    )


@pytest.mark.parametrize(
    ("said", "code", "errors"),
    [
        (SCHEMA, 78, [*SCHEMA.splitlines()[:2], "error: CIB did not pass schema validation"]),
        (MIXED, 78, ["error: Operation o2 is duplicate of o"]),
        ("crm_verify: something new\n", 76, ["crm_verify: something new"]),
        ("", 70, ["exit code 70"]),
    ],
)
def test_errors_refuse_a_candidate(tools, said, code, errors):
    tools.say("crm_verify", err=said, code=code)
    with pytest.raises(pacemaker_tools.InvalidCib) as caught:
        pacemaker_tools.verify("<cib/>", tools)
    assert list(caught.value.errors) == errors


# --- patches ---------------------------------------------------------------------------------


def test_a_patch_is_made_of_two_private_files(tools):
    seen = {}

    def run(argv, **_rest):
        for name in ("--original", "--new"):
            path = pacemaker_tools.Path(argv[argv.index(name) + 1])
            seen[name] = (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777, path)
        return programs.Completed(tuple(argv), 1, "<diff/>", "", 0.0)

    assert pacemaker_tools.patch("<cib é/>", "<cib b/>", run) == "<diff/>"
    assert [seen[name][:2] for name in seen] == [("<cib é/>", 0o600), ("<cib b/>", 0o600)]
    assert not any(path.parent.exists() for _, _, path in seen.values())


def test_no_difference_is_no_patch_and_an_error_is_one(tools):
    tools.say("crm_diff", code=0)
    assert pacemaker_tools.patch("<cib/>", "<cib/>", tools) == ""
    tools.answers.clear()
    tools.say("crm_diff", code=65, err="could not parse")
    with pytest.raises(programs.ToolFailed, match="could not parse"):
        pacemaker_tools.patch("<cib/>", "<cib/>", tools)


def test_a_patch_is_committed_through_standard_input_with_its_version(tools):
    tools.say("cibadmin")
    pacemaker_tools.apply_patch("<diff/>", tools)
    ((argv, stdin, _env),) = tools.calls
    assert (argv, stdin) == (["cibadmin", "--patch", "--xml-pipe"], "<diff/>")


# --- settling --------------------------------------------------------------------------------


def test_settling_is_bounded(tools):
    tools.say("crm_resource", code=0)
    pacemaker_tools.settle(7.9, tools)
    assert tools.calls[0][0] == ["crm_resource", "--wait", "--timeout=7s"]


def test_a_cluster_that_stays_busy_has_not_settled(tools):
    tools.say("crm_resource", code=124)
    with pytest.raises(pacemaker_tools.NotSettled, match="within 3 s"):
        pacemaker_tools.settle(3, tools)
    tools.answers.clear()
    tools.hang("crm_resource")
    with pytest.raises(pacemaker_tools.NotSettled):
        pacemaker_tools.settle(3, tools)


def test_a_file_never_has_to_settle(tools, monkeypatch):
    monkeypatch.setenv("CIB_file", "/nowhere")
    pacemaker_tools.settle(3, tools)
    assert tools.calls == []
    assert pacemaker_tools.on_file()


@pytest.mark.skipif(
    programs.which("crm_resource") is None, reason="crm_resource is not installed on this host"
)
def test_an_agent_is_asked_by_the_real_tool(tmp_path):
    dummy = "ocf:pacemaker:Dummy"
    state = {"state": f"{tmp_path}/state"}
    assert validate_agent.validate(dummy, {**state, "op_sleep": "0"}).code == 0
    refused = validate_agent.validate(dummy, {**state, "op_sleep": "a b; true"})
    assert (refused.code, refused.reason) == (6, "not configured")
    assert validate_agent.validate("ocf:pacemaker:Nobody", {}) is None
