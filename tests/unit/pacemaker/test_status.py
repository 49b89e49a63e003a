"""What crm_mon says, as data."""

import pytest

from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker.status import parse_status
from fshalib.system import programs


def test_a_pair_that_serves(sample):
    status = parse_status(sample("status-serving.xml"))
    assert (status.dc, status.quorate, status.maintenance) == ("fs1", True, False)
    assert [(n.name, n.word, n.dc) for n in status.nodes] == [
        ("fs1", "online", True),
        ("fs2", "online", False),
    ]
    assert [(r.id, r.agent, r.role, r.nodes, r.group) for r in status.resources] == [
        ("ip_shared", "ocf:heartbeat:IPaddr2", "Started", ("fs1",), "VoiceServices"),
        ("fs", "lsb:FSSofia", "Started", ("fs1",), "VoiceServices"),
    ]
    assert status.serving("VoiceServices") == "fs1"
    assert status.serving("fs") == "fs1"
    assert (status.failures, status.fail_counts, status.bans) == ((), (), ())


def test_a_failure_with_its_fail_count(sample):
    status = parse_status(sample("status-failed.xml"))
    (failure,) = status.failures
    assert (failure.resource, failure.operation, failure.node) == ("fs", "monitor", "fs1")
    assert str(failure) == "fs monitor failed on fs1 (not running): Simulated action result"
    assert status.fail_counts == (pacemaker_status.FailCount("fs", "fs1", "1"),)


def test_what_became_of_fencing():
    status = parse_status(
        "<pacemaker-result><summary/><fence_history>"
        '<fence_event status="failed" action="reboot" target="fs2" client="x" origin="fs1" '
        'completed="2026-09-01 10:00:00Z" exit-reason="no route"/>'
        '<fence_event status="pending" action="off" target="fs1" client="x" origin="fs2"/>'
        "</fence_history></pacemaker-result>"
    )
    assert status.fenced == (
        pacemaker_status.FenceEvent("fs2", "reboot", "failed", "2026-09-01 10:00:00Z", "no route"),
        pacemaker_status.FenceEvent("fs1", "off", "pending"),
    )


def test_all_that_can_be_wrong_has_its_word(sample):
    status = parse_status(sample("status-trouble.xml"))
    assert [node.word for node in status.nodes] == [
        "online",
        "standby",
        "OFFLINE",
        "maintenance",
        "pending",
        "UNCLEAN",
    ]
    assert not status.quorate
    assert status.maintenance
    assert status.bans == ("cli-ban-VoiceServices-on-fs1",)
    ip_shared, fs, ping, old_vip = status.resources
    assert not ip_shared.managed
    assert fs.blocked
    assert fs.failed
    assert ping.group == ""
    assert old_vip.orphaned
    assert [f"{c.resource} {c.node} {c.count}" for c in status.fail_counts] == [
        "fs fs1 INFINITY",
        "ip_shared fs2 2",
    ]


def test_an_operation_with_an_underscore_is_told_from_its_resource(sample):
    failures = parse_status(sample("status-trouble.xml")).failures
    assert [(f.resource, f.operation) for f in failures] == [
        ("fs", "stop"),
        ("ip_shared", "migrate_to"),
    ]


def test_a_group_that_is_in_two_places_does_not_serve_and_says_why(sample):
    status = parse_status(sample("status-trouble.xml"))
    assert status.serving("VoiceServices") == ""
    assert status.active("VoiceServices") == ("fs1", "fs2")
    assert status.complaints("VoiceServices") == (
        "ip_shared is Started on fs1, fs2",
        "fs is Started on fs1 and has failed and is blocked",
        "fs stop failed on fs1 (error): profile internal won't stop",
        "ip_shared migrate_to failed on fs2 (error)",
    )
    assert status.complaints("ping") == ("ping is Stopped everywhere",)
    assert status.complaints("nix") == ("there is no resource nix in the cluster",)


def test_members_that_run_apart_do_not_serve(sample):
    text = sample("status-serving.xml")
    start = text.index('<resource id="fs"')
    text = text[:start] + text[start:].replace('<node name="fs1"', '<node name="fs2"', 1)
    status = parse_status(text)
    assert status.serving("VoiceServices") == ""
    assert status.complaints("VoiceServices") == ("it runs on fs1, fs2",)


def test_no_dc_is_no_quorum(sample):
    text = sample("status-serving.xml")
    line = next(line for line in text.splitlines() if "current_dc" in line)
    status = parse_status(text.replace(line, '<current_dc present="false"/>'))
    assert (status.dc, status.quorate) == ("", False)


@pytest.mark.parametrize("text", ["", "crm_mon: Error", "<pacemaker-result/>", "<a>"])
def test_anything_else_is_no_status(text):
    with pytest.raises(pacemaker_status.NoStatus, match=r"^crm_mon gave no status: "):
        parse_status(text)


def test_no_status_is_an_error_of_the_runner():
    assert issubclass(pacemaker_status.NoStatus, programs.RunError)


@pytest.mark.parametrize(
    ("inner", "shown"),
    [
        ('<pacemakerd sys_from="x" state="shutting_down"/><status code="0" message="OK"/>',
         "(pacemakerd: shutting_down)"),
        ('<status code="0" message="OK"><errors><error>Could not connect to the CIB: no device'
         "</error></errors></status>", "(Could not connect to the CIB: no device)"),
        ('<status code="102" message="Not connected"/>', "(Not connected)"),
        ('<status code="0" message="OK"/>', "on this node. It starts"),
    ],
)  # fmt: skip
def test_a_cluster_that_is_not_ready(inner, shown):
    with pytest.raises(pacemaker_status.NoStatus) as caught:
        parse_status(f"<pacemaker-result>{inner}</pacemaker-result>")
    said = str(caught.value)
    assert shown in said
    assert "systemctl status corosync pacemaker" in said
