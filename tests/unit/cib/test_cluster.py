"""Exit codes and outputs of Pacemaker's tools, and what they mean."""

import pytest

import fsha_cluster
import fsha_run


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (102, fsha_cluster.ClusterDown),
        (69, fsha_cluster.ClusterDown),
        (4, fsha_cluster.NotPermitted),
        (106, fsha_cluster.NoQuorum),
        (103, fsha_cluster.StaleCib),
        (64, fsha_cluster.ToolTooOld),
        (1, fsha_run.ToolFailed),
        (-9, fsha_run.ToolFailed),
    ],
)
@pytest.mark.parametrize(
    ("ask", "program"),
    [
        (fsha_cluster.query, "cibadmin"),
        (fsha_cluster.status, "crm_mon"),
        (lambda run: fsha_cluster.simulate("<cib/>", run), "crm_simulate"),
        (lambda run: fsha_cluster.apply_patch("<diff/>", run), "cibadmin"),
        (fsha_cluster.local_node, "crm_node"),
        (lambda run: fsha_cluster.metadata("ocf:heartbeat:Dummy", run), "crm_resource"),
        (lambda run: fsha_cluster.settle(5, run), "crm_resource"),
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
    assert fsha_cluster.query(tools) == "<cib/>"
    assert fsha_cluster.local_node(tools) == "fs1"
    assert fsha_cluster.metadata("lsb:FSSofia", tools) == "<resource-agent/>"


def test_an_agent_that_is_not_installed_has_no_metadata(tools):
    tools.say("crm_resource", code=105)
    assert fsha_cluster.metadata("ocf:heartbeat:Nix", tools) is None


def test_installed_agents_have_their_full_names(tools):
    tools.say(
        "crm_resource",
        out="<pacemaker-result><agents><agent>Dummy</agent><agent>IPaddr2</agent></agents>"
        "</pacemaker-result>",
    )
    found = fsha_cluster.agents("ocf:heartbeat", tools)
    assert found == ("ocf:heartbeat:Dummy", "ocf:heartbeat:IPaddr2")
    assert tools.calls[0][0][:3] == ["crm_resource", "--list-agents", "ocf:heartbeat"]


@pytest.mark.parametrize("code", [1, 105])
def test_an_unknown_provider_has_no_agents(tools, code):
    tools.say("crm_resource", code=code)
    assert fsha_cluster.agents("ocf:nix", tools) == ()


def test_a_list_of_agents_that_is_no_xml_is_an_error(tools):
    tools.say("crm_resource", out="Segmentation fault")
    with pytest.raises(fsha_run.ToolFailed, match="Segmentation fault"):
        fsha_cluster.agents("lsb", tools)


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
    assert fsha_cluster.verify("<cib/>", tools) == ()
    ((argv, stdin, _env),) = tools.calls
    assert (argv, stdin) == (["crm_verify", "--verbose", "--xml-pipe"], "<cib/>")


def test_warnings_do_not_refuse_a_candidate(tools):
    tools.say("crm_verify", err=WARNED, code=78)
    assert fsha_cluster.verify("<cib/>", tools) == (
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
    with pytest.raises(fsha_cluster.InvalidCib) as caught:
        fsha_cluster.verify("<cib/>", tools)
    assert list(caught.value.errors) == errors


# --- patches ---------------------------------------------------------------------------------


def test_a_patch_is_made_of_two_private_files(tools):
    seen = {}

    def run(argv, **_rest):
        for name in ("--original", "--new"):
            path = fsha_cluster.Path(argv[argv.index(name) + 1])
            seen[name] = (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777, path)
        return fsha_run.Completed(tuple(argv), 1, "<diff/>", "", 0.0)

    assert fsha_cluster.patch("<cib é/>", "<cib b/>", run) == "<diff/>"
    assert [seen[name][:2] for name in seen] == [("<cib é/>", 0o600), ("<cib b/>", 0o600)]
    assert not any(path.parent.exists() for _, _, path in seen.values())


def test_no_difference_is_no_patch_and_an_error_is_one(tools):
    tools.say("crm_diff", code=0)
    assert fsha_cluster.patch("<cib/>", "<cib/>", tools) == ""
    tools.answers.clear()
    tools.say("crm_diff", code=65, err="could not parse")
    with pytest.raises(fsha_run.ToolFailed, match="could not parse"):
        fsha_cluster.patch("<cib/>", "<cib/>", tools)


def test_a_patch_is_committed_through_standard_input_with_its_version(tools):
    tools.say("cibadmin")
    fsha_cluster.apply_patch("<diff/>", tools)
    ((argv, stdin, _env),) = tools.calls
    assert (argv, stdin) == (["cibadmin", "--patch", "--xml-pipe"], "<diff/>")


# --- settling --------------------------------------------------------------------------------


def test_settling_is_bounded(tools):
    tools.say("crm_resource", code=0)
    fsha_cluster.settle(7.9, tools)
    assert tools.calls[0][0] == ["crm_resource", "--wait", "--timeout=7s"]


def test_a_cluster_that_stays_busy_has_not_settled(tools):
    tools.say("crm_resource", code=124)
    with pytest.raises(fsha_cluster.NotSettled, match="within 3 s"):
        fsha_cluster.settle(3, tools)
    tools.answers.clear()
    tools.hang("crm_resource")
    with pytest.raises(fsha_cluster.NotSettled):
        fsha_cluster.settle(3, tools)


def test_a_file_never_has_to_settle(tools, monkeypatch):
    monkeypatch.setenv("CIB_file", "/nowhere")
    fsha_cluster.settle(3, tools)
    assert tools.calls == []
    assert fsha_cluster.on_file()
