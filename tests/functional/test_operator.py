"""What operators set on purpose, with who, why and until when, on a CIB in a file."""

import base64
import json
import secrets
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from lxml import etree
from salt.exceptions import CommandExecutionError, SaltInvocationError

from fshalib.change import annotation
from fshalib.cib import document
from fshalib.switchover import lock, request
from fshalib.system import programs
from tests.functional.conftest import ROOT, TOOLS

STANDBY = "//nodes/node[@uname='fs2']//nvpair[@name='standby']"
ANNOTATION = "//nodes/node[@uname='fs2']//nvpair[@name='fsha-standby']"
MODE = "//crm_config//nvpair[@name='maintenance-mode']"


@pytest.fixture
def fsha(loaders, cib_file, events):
    events()
    return loaders.modules.fsha


def value(cib_file, path):
    return cib_file.root.xpath(path)[0].get("value")


def overdue(monkeypatch):
    """Make every annotation from now on one of an hour ago."""
    now, hour = datetime.now(timezone.utc), timedelta(hours=1)
    since, until = ((now - age).strftime(annotation.FORM) for age in (hour, hour / 2))
    monkeypatch.setattr(
        "fshalib.change.annotation.annotate",
        lambda by, reason, *_: annotation.Annotation(by, reason, since, until),
    )


def test_standby_and_online(fsha, cib_file, events):
    done = fsha.standby("fs2", reason="new  disk", ttl="2h", by="alice")
    assert done == {
        "result": True, "comment": "Done: fs2 is in standby.", "changes": {"fs2": "standby"}
    }  # fmt: skip
    assert value(cib_file, STANDBY) == "on"
    noted = json.loads(value(cib_file, ANNOTATION))
    assert (noted["by"], noted["reason"]) == ("alice", "new disk")
    ((tag, event),) = events()
    assert tag == "fsha/operator/fs1/fs2"
    assert (event["data"]["verb"], event["data"]["by"]) == ("standby", "alice")
    (action,) = fsha.status(as_data=True)["actions"]["actions"]
    assert (action["by"], action["reason"], action["until"]) == (
        "alice", "new disk", noted["until"]
    )  # fmt: skip
    assert action["hint"] == "salt-call fsha.online fs2"
    assert "by alice" in fsha.status()
    assert fsha.standby("fs2", reason="again", by="bob")["result"] is True
    assert json.loads(value(cib_file, ANNOTATION))["by"] == "bob"
    assert fsha.online("fs2", by="alice")["comment"] == "Done: fs2 is online."
    assert (cib_file.count(STANDBY), cib_file.count(ANNOTATION)) == (0, 0)
    assert fsha.online("fs2")["comment"] == "Nothing to do: fs2 is online."


def test_maintenance_on_and_off(fsha, cib_file):
    assert fsha.maintenance("on", reason="kernel", by="alice")["result"] is True
    assert value(cib_file, MODE) == "true"
    (action,) = fsha.status(as_data=True)["actions"]["actions"]
    assert (action["kind"], action["by"], action["hint"]) == (
        "maintenance-mode", "alice", "salt-call fsha.maintenance off"
    )  # fmt: skip
    assert "maintenance mode" in fsha.failover()["comment"]
    assert fsha.maintenance("off")["result"] is True
    assert cib_file.count(MODE) == 0
    assert fsha.status(as_data=True)["actions"]["actions"] == []


def test_a_test_run_sets_nothing(fsha, cib_file, events):
    before = cib_file.text
    for would in (
        fsha.maintenance("on", reason="kernel", test=True),
        fsha.standby("fs2", reason="disk", test=True),
    ):
        # Salt takes None for a failure.
        assert would["result"] is True
        assert would["comment"].startswith("Would be set: ")
    assert cib_file.text == before
    assert events() == []


@pytest.mark.parametrize(
    ("verb", "args", "kwargs", "said"),
    [
        ("standby", ["fs2"], {}, "a reason is expected"),
        ("standby", ["fs2"], {"reason": " "}, "a reason is expected"),
        ("standby", ["fs9"], {"reason": "x"}, "fs9 is no node of this cluster"),
        ("standby", ["fs2"], {"reason": "x", "ttl": "soon"}, "ttl: a duration such as 2h"),
        ("standby", ["fs2"], {"reason": "x", "ttl": 0}, "ttl: more than nothing"),
        ("standby", ["fs1"], {"reason": "x"}, "VoiceServices serves on fs1: fsha.failover"),
        ("maintenance", ["maybe"], {"reason": "x"}, "on or off is expected"),
        ("maintenance", ["on"], {}, "a reason is expected"),
    ],
)
def test_bad_input_sets_nothing(fsha, cib_file, events, verb, args, kwargs, said):
    before = cib_file.text
    done = getattr(fsha, verb)(*args, **kwargs)
    assert done["result"] is False
    assert said in done["comment"]
    assert cib_file.text == before
    assert events() == []


def test_no_such_argument(fsha):
    with pytest.raises(SaltInvocationError, match="no argument resaon"):
        fsha.maintenance("on", resaon="x")


def test_drift_reports_escalate_when_it_was_to_have_ended(fsha, high, events, monkeypatch):
    overdue(monkeypatch)
    fsha.maintenance("on", reason="kernel", by="alice")
    events()
    run = high(("fsha", "pacemaker_cib", "committed", {}))
    assert "OVERDUE, it was to end" in run["fsha"].comment
    ((tag, event),) = [e for e in events() if "overdue" in e[0]]
    assert tag == "fsha/overdue/fs1/cib"
    assert "alice" in event["data"]["actions"][0]


@pytest.mark.parametrize("until", ['"tomorrow"', "5", "null"])
def test_an_annotation_that_is_somebody_elses_is_none(fsha, cib_file, until):
    root = cib_file.root
    text = f'{{"by":"x","reason":"y","since":"2026-09-01T08:00:00Z","until":{until}}}'
    holder = etree.SubElement(
        root.find("configuration/nodes/node[@uname='fs2']"), "instance_attributes", id="n"
    )
    for name, value in (("standby", "on"), ("fsha-standby", text)):
        etree.SubElement(holder, "nvpair", id=f"n-{name}", name=name, value=value)
    cib_file.path.write_text(document.render(root), encoding="utf-8")
    assert "in standby" in fsha.status()
    assert fsha.check(as_data=True)["verdict"] == "fail"


def test_a_page_and_a_pillar_that_cannot_be_written(fsha, cib_file, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    place = str(tmp_path / "file" / "below")
    assert "Not written: " in fsha.report(place)["comment"]
    with pytest.raises(CommandExecutionError, match="is not written"):
        fsha.export(file=place)


def test_history_is_newest_first(fsha):
    fsha.maintenance("on", reason="kernel", by="alice")
    fsha.maintenance("off", by="bob")
    found = fsha.history(2, kind="operator")
    assert [(e["data"]["by"], e["subject"]) for e in found] == [("bob", "off"), ("alice", "on")]
    for bad in ({"limit": 0}, {"limit": "many"}, {"kind": "nosuch"}):
        with pytest.raises(SaltInvocationError):
            fsha.history(**bad)


def test_answers_come_as_pages_as_well(loaders, fsha, cib_file):
    fsha.maintenance("on", reason="kernel", by="alice")
    assert "operator on maintenance: by alice; reason kernel" in fsha.history(1, as_data=False)
    assert fsha.notice(as_data=False).startswith("Nothing new: ")
    assert fsha.notice() is None
    fsha.maintenance("off")
    assert fsha.drill(as_data=False).startswith("Skipped: fs1 serves")
    loaders.context.pop("retcode", None)
    assert fsha.failover(test=True, as_data=False).startswith("VoiceServices would move from fs1")
    assert "retcode" not in loaders.context
    said = fsha.failback(as_data=False)
    assert said.startswith("NOT DONE: Nothing was moved: there is no earlier switchover to undo")
    assert fsha.failback()["result"] is False


@pytest.mark.parametrize("out", [[], ["--out=json"]], ids=["a person", "a program"])
def test_a_person_at_the_terminal_gets_a_page(cib_file, tmp_path, out):
    conf = {
        "id": "fs1",
        "root_dir": str(tmp_path),
        "file_client": "local",
        "module_dirs": [str(ROOT)],
        "lazy_loader_strict_matching": True,
        "fsha.journal": str(tmp_path / "journal"),
    }
    (tmp_path / "minion").write_text(json.dumps(conf), encoding="utf-8")
    program = Path(sys.executable).with_name("salt-call")
    argv = [str(program), f"--config-dir={tmp_path}", "--local", "--retcode-passthrough", *out]
    done = subprocess.run(
        [*argv, "fsha.failback"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    told = json.loads(done.stdout)["local"]["comment"] if out else done.stdout
    assert "Nothing was moved: there is no earlier switchover to undo" in told
    assert ("phases" in done.stdout or "hold:" in done.stdout) is False


def test_a_plan_of_a_switchover_moves_nothing(fsha, cib_file, events):
    before = cib_file.text
    plan = fsha.failover(test=True)
    assert plan["result"] is True
    assert (plan["old"], plan["new"]) == ("fs1", "fs2")
    assert "VoiceServices would move from fs1 to fs2." in plan["comment"]
    assert any("fs2" in action for action in plan["plan"]["transition"])
    assert cib_file.text == before
    assert events() == []


PREFERS = '<rsc_location id="l" rsc="VoiceServices" node="fs1" score="200000"/>'


@pytest.mark.parametrize("prefers", [False, True])
def test_a_plan_of_a_switchover_announces_a_hold(fsha, cib_file, prefers):
    """The cluster's own simulation tells what it would do after the move."""
    root = cib_file.root
    if prefers:
        root.find("configuration/constraints").append(etree.fromstring(PREFERS))
    cib_file.path.write_text(document.render(root), encoding="utf-8")
    plan = fsha.failover(test=True)
    assert (plan["result"], plan["hold"]) == (True, prefers)
    said = "The configuration prefers fs1, so the ban of fs1 would be kept as a hold"
    assert (said in plan["comment"]) is prefers
    assert ("Nothing fails over to fs1 meanwhile." in plan["comment"]) is prefers


def test_only_the_node_that_serves_can_refuse_calls(fsha):
    assert "only fs1 itself can refuse new calls" in fsha.failover(drain=5)["comment"]
    assert "drain has to lie between" in fsha.failover(drain=99999)["comment"]
    assert "not drain='soon'" in fsha.failover(drain="soon")["comment"]


# --- is it ready? ----------------------------------------------------------------------------


def test_the_checklist_as_a_page_and_as_data(loaders, fsha):
    data = fsha.check(as_data=True)
    names = {line["name"]: line for line in data["lines"]}
    assert data["verdict"] == "fail"
    assert names["switch"]["verdict"] == "fail"  # there is none here
    assert names["service"]["evidence"] == "VoiceServices serves on fs1"
    assert names["failover"]["verdict"] == "pass"
    assert names["facts"]["verdict"] in ("pass", "warn")
    page = fsha.check()
    assert page.splitlines()[0].startswith("FAIL: ")
    assert "FAIL  Switch [fs1]:" in page


def test_the_exit_code_is_for_monitoring(cib_file, tmp_path):
    conf = {
        "id": "fs1",
        "root_dir": str(tmp_path),
        "file_client": "local",
        "module_dirs": [str(ROOT)],
        "lazy_loader_strict_matching": True,
        "fsha.journal": str(tmp_path / "journal"),
    }
    (tmp_path / "minion").write_text(json.dumps(conf), encoding="utf-8")
    program = Path(sys.executable).with_name("salt-call")
    argv = [str(program), f"--config-dir={tmp_path}", "--local", "--retcode-passthrough"]
    done = subprocess.run(
        [*argv, "fsha.check"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "FAIL: " in done.stdout


def test_no_cluster_is_a_line_as_well(fsha, monkeypatch, tmp_path):
    monkeypatch.setenv("CIB_file", str(tmp_path / "none.xml"))
    data = fsha.check(as_data=True)
    assert data["verdict"] == "fail"
    assert [line["name"] for line in data["lines"]] == ["cluster"]


def test_a_drill_is_for_the_node_that_serves(fsha, cib_file):
    before = cib_file.text
    done = fsha.drill()
    assert (done["result"], done["skipped"]) == (True, True)
    assert "fs1 serves" in done["comment"]
    assert fsha.drill(max_calls="many")["result"] is False
    assert cib_file.text == before


def test_a_drill_that_cannot_be_is_skipped_with_an_event(fsha, cib_file, events, monkeypatch):
    real = request.Arguments
    monkeypatch.setattr(
        "fshalib.switchover.request.Arguments", lambda b, by, _, res: real(b, by, "fs1", res)
    )
    cib_file.by_hand("crm_attribute", "-N", "fs2", "-n", "standby", "-v", "on", "-t", "nodes")
    before = cib_file.text
    done = fsha.drill(by="cron")
    assert (done["result"], done["skipped"]) == (False, True)
    assert done["comment"] == "Skipped: fs2 is standby."
    ((tag, event),) = events()
    assert tag == "fsha/failover/fs1/VoiceServices"
    assert (event["data"]["phase"], event["data"]["by"]) == ("skipped", "cron")
    assert cib_file.text == before
    # Whoever says what can't be is told so, and no bus.
    assert fsha.drill(timeout="soon")["skipped"] is False
    assert events() == []


# --- a page to look at -----------------------------------------------------------------------


def test_the_report_is_written_for_root_alone(fsha, tmp_path):
    fsha.maintenance("on", reason="kernel", by="alice")
    target = tmp_path / "pair.html"
    assert fsha.report(str(target))["result"] is True
    assert target.stat().st_mode & 0o777 == 0o600
    page = target.read_text(encoding="utf-8")
    assert "VoiceServices serves on fs1" in page
    assert "by alice since" in page
    done = fsha.report("/proc/nowhere/pair.html")
    assert done["result"] is False
    assert "Not written" in done["comment"]


def test_a_report_without_a_cluster_says_so(fsha, tmp_path, monkeypatch):
    monkeypatch.setenv("CIB_file", str(tmp_path / "none.xml"))
    target = tmp_path / "pair.html"
    assert fsha.report(str(target))["result"] is True
    assert "Nothing was checked" in target.read_text(encoding="utf-8")


def test_the_lint_needs_no_cluster(loaders, monkeypatch, tmp_path):
    monkeypatch.setenv("CIB_file", str(tmp_path / "none.xml"))
    told = yaml.safe_load((ROOT / "examples" / "article.sls").read_text(encoding="utf-8"))
    told["fsha"]["corosync"]["authkey"] = base64.b64encode(secrets.token_bytes(256)).decode()
    page = loaders.modules.fsha.lint(told)
    assert page.splitlines()[-1].startswith("It will NOT fail over as it should")
    data = loaders.modules.fsha.lint(told, as_data=True)
    assert data[0]["severity"] in ("error", "warning", "hint")
    with pytest.raises(CommandExecutionError, match="The pillar has mistakes"):
        loaders.modules.fsha.lint({"fsha": {"nodes": {}}})


@pytest.fixture
def minions_pillar(loaders, monkeypatch):
    """Return what gives the minion a pillar as Salt does: a verb sees it through a view."""

    def give(pillar):
        monkeypatch.setitem(loaders.modules.pack, "__pillar__", pillar)

    return give


def test_the_minions_own_pillar_is_taken(fsha, minions_pillar):
    told = yaml.safe_load((ROOT / "examples" / "article.sls").read_text(encoding="utf-8"))
    told["fsha"]["corosync"]["authkey"] = base64.b64encode(secrets.token_bytes(256)).decode()
    minions_pillar({**told, "other": {"x": 1}})
    assert fsha.lint() == fsha.lint(told)
    assert fsha.plan() == fsha.plan(told)
    assert fsha.plan()["changes"]


@pytest.mark.parametrize("pillar", [{}, {"other": {"nodes": {}}}, {"fsha": None}])
def test_a_minion_without_a_pillar_of_ours_is_told_once(fsha, minions_pillar, pillar):
    minions_pillar(pillar)
    said = "a pillar with the key fsha is expected"
    with pytest.raises(CommandExecutionError, match=said):
        fsha.lint()
    assert said in fsha.plan()["comment"]
    assert fsha.plan()["comment"].count("\n") == 0


def test_every_verb_takes_the_pillar_as_salt_gives_it(loaders, fsha, minions_pillar, tmp_path):
    """Salt's own pillar is no plain mapping; whoever takes it for one fails on every minion."""
    minions_pillar({"fsha": {"freeswitch": {"password": "x"}, "guard": {"calls": 3}}})
    assert fsha.status().startswith("VoiceServices serves on fs1")
    assert fsha.check(as_data=True)["lines"]
    assert fsha.facts()["switch"]["running"] is False
    assert fsha.failover(test=True)["plan"]["transition"]
    assert fsha.report(str(tmp_path / "pair.html"))["result"] is True
    assert loaders.modules.freeswitch.status()["running"] is False
    assert loaders.modules.freeswitch.configure(str(tmp_path))["result"] is False
    plan = loaders.modules.pacemaker.plan("mine")
    assert plan["guard"]["allowed"] is True


def test_a_failure_on_the_checklist_stands_in_the_way(fsha, cib_file, events, monkeypatch):
    from fshalib.checks import checklist
    from fshalib.checks import line as checks_line

    line = checks_line.Line(
        "switch", "Switch", "fail", "it is down", "start it", "fs2", blocks=True
    )
    monkeypatch.setattr(checklist, "lines", lambda _view: (line,))
    before = cib_file.text
    done = fsha.failover()
    assert done["result"] is False
    assert "switch on fs2: it is down; start it; force=True goes on" in done["comment"]
    assert cib_file.text == before
    assert events() == []
    plan = fsha.failover(test=True)
    assert plan["plan"]["checks"][0]["evidence"] == "it is down"
    assert plan["result"] is False
    assert plan["comment"].startswith("It would be refused now: switch on fs2: it is down; ")
    assert fsha.failover(force=True, test=True)["result"] is True
    # On a file nothing ever moves, but it was tried.
    assert "did not take VoiceServices over" in fsha.failover(force=True, timeout=0.3)["comment"]


def test_the_lint_of_a_cluster_that_runs(fsha, cib_file, tmp_path):
    found = fsha.lint(cib="live", as_data=True)
    saved = tmp_path / "cib.xml"
    saved.write_text(cib_file.text, encoding="utf-8")
    assert fsha.lint(cib=str(saved), as_data=True) == found
    assert {"no-fencing"} <= {one["code"] for one in found}
    assert fsha.lint(cib="live").splitlines()[-1].startswith("It will ")
    saved.write_text("no cib", encoding="utf-8")
    with pytest.raises(CommandExecutionError):
        fsha.lint(cib=str(saved))
    with pytest.raises(SaltInvocationError, match="can't be read"):
        fsha.lint(cib=str(tmp_path / "none"))
    with pytest.raises(SaltInvocationError, match="not both"):
        fsha.lint({"fsha": {}}, cib="live")


# --- one at a time ---------------------------------------------------------------------------


@pytest.fixture
def alice(monkeypatch):
    """Let a switchover of alice's go on, on the other node."""
    now = time.time()
    what = lock.RunningVerb(
        "failover", "alice", "fs2", "VoiceServices", "fs1", "fs2", now, now, phase="move"
    )
    monkeypatch.setattr("fshalib.pacemaker.tools.noted", lambda *_: {"fs2": what.text})


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("standby", {"node": "fs2", "reason": "x"}),
        ("maintenance", {"state": "on", "reason": "x"}),
        ("drain", {}),
        ("undrain", {}),
        ("failover", {"force": True}),
    ],
)
@pytest.mark.usefixtures("alice")
def test_whoever_comes_second_is_refused(fsha, cib_file, events, verb, args):
    before = cib_file.text
    done = getattr(fsha, verb)(**args)
    assert done["result"] is False
    said = "there is a failover of VoiceServices from fs1 to fs2 by alice on fs2 since "
    assert said in done["comment"]
    assert cib_file.text == before
    assert events() == []


@pytest.fixture
def killed(monkeypatch):
    """Let a switchover of bob's on the other node have been killed, in a phase of one's choice."""
    monkeypatch.setattr("fshalib.switchover.lock.TWICE", 0)
    forgotten = []
    monkeypatch.setattr(
        "fshalib.pacemaker.tools.forget", lambda name, node, *_: forgotten.append((name, node))
    )

    def in_phase(phase):
        what = lock.RunningVerb(
            "failover", "bob", "fs2", "VoiceServices", "fs1", "fs2", 1.0, 1.0, phase=phase
        )
        monkeypatch.setattr(
            "fshalib.pacemaker.tools.noted",
            lambda name, *_: {"fs2": what.text} if name == lock.ATTRIBUTE else {},
        )
        return forgotten

    return in_phase


@pytest.mark.parametrize(
    ("phase", "said"),
    [("check", "; it is forgotten."), ("drain", "fsha.undrain on fs2 lets it take new calls.")],
)
def test_what_was_killed_before_it_moved_is_just_forgotten(
    fsha, cib_file, events, killed, phase, said
):
    before, forgotten = cib_file.text, killed(phase)
    assert "fsha.failback forget it" in fsha.status()
    shown = fsha.failback(test=True)
    assert shown["comment"].endswith("it would be forgotten.")
    assert forgotten == []
    done = fsha.failback()
    assert done["result"] is True
    assert done["comment"].startswith("Nothing had moved of the failover of VoiceServices from fs1")
    assert done["comment"].endswith(said)
    assert forgotten == [(lock.ATTRIBUTE, "fs2")]
    assert cib_file.text == before
    assert events() == []


@pytest.mark.parametrize("phase", ["move", "verify", "clean up"])
def test_what_was_killed_while_it_served_where_it_was_is_forgotten(fsha, events, killed, phase):
    forgotten = killed(phase)
    done = fsha.failback()
    assert done["result"] is True
    assert done["comment"].startswith(
        "Nothing was moved: VoiceServices serves on fs1, as before the failover of VoiceServices "
    )
    assert (lock.ATTRIBUTE, "fs2") in forgotten
    assert events() == []


def test_a_plan_says_who_is_at_it(fsha, alice, events):
    plan = fsha.failover(test=True)
    assert plan["result"] is False
    assert plan["comment"].startswith("It would be refused now: there is a failover of Voice")
    assert "VoiceServices would move from fs1 to fs2." in plan["comment"]
    assert events() == []


# --- what can't be moves nothing -------------------------------------------------------------


@pytest.mark.parametrize("verb", ["failover", "failback", "drill"])
@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"timeout": "soon"}, "have to be numbers"),
        ({"timeout": 0}, "timeout has to lie between"),
        ({"timeout": "inf"}, "timeout has to lie between"),
        ({"sip_port": 70000}, "sip_port has to be a whole number between"),
        ({"sip_port": "sip"}, "have to be numbers"),
        ({"resource": "nosuch"}, "there is no resource nosuch"),
    ],
)
def test_numbers_and_names_that_are_none(fsha, cib_file, events, verb, args, said):
    refused(fsha, cib_file, events, verb, args, said)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nosuch", "nosuch is no node of this cluster (nodes: fs1, fs2)"),
        ("fs1", "the service runs on fs1 already"),
        ("", " is no node of this cluster"),
    ],
)
def test_targets_that_are_none(fsha, cib_file, events, target, said):
    refused(fsha, cib_file, events, "failover", {"target": target}, said)


def test_a_cluster_of_one_node(fsha, cib_file, events):
    root = cib_file.root
    for path in ("configuration/nodes/node[@uname='fs2']", "status/node_state[@uname='fs2']"):
        for element in root.findall(path):
            element.getparent().remove(element)
    cib_file.path.write_text(document.render(root), encoding="utf-8")
    refused(fsha, cib_file, events, "failover", {}, "there is no other node in this cluster")


@pytest.mark.parametrize("verb", ["failover", "failback", "drill"])
def test_no_cluster_to_ask(fsha, events, monkeypatch, tmp_path, verb):
    monkeypatch.setenv("CIB_file", str(tmp_path / "none.xml"))
    done = getattr(fsha, verb)()
    assert done["result"] is False
    assert done["comment"].count("\n") == 0
    assert events() == []


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("failover", {}),
        ("failover", {"test": True}),
        ("failback", {}),
        ("drill", {}),
        ("standby", {"reason": "x"}),
        ("standby", {"node": "fs2", "reason": "x"}),
        ("online", {}),
        ("maintenance", {"state": "on", "reason": "x"}),
        ("status", {}),
        ("facts", {}),
        ("notice", {}),
        ("export", {}),
        ("lint", {"cib": "live"}),
    ],
)
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (programs.EX_INSUFFICIENT_PRIV, "run as root"),
        (programs.EX_DISCONNECT, "does not run on this node"),
    ],
    ids=["not root", "no cluster"],
)
def test_whoever_can_not_ask_the_cluster(
    loaders, events, monkeypatch, tmp_path, verb, args, code, said
):
    for name in ("cibadmin", "crm_mon", "crm_node", "attrd_updater"):
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{TOOLS}")
    monkeypatch.delenv("CIB_file", raising=False)
    try:
        comment = getattr(loaders.modules.fsha, verb)(**args)["comment"]
    except CommandExecutionError as error:
        comment = str(error)
    assert said in comment
    assert "\n" not in comment
    assert events() == []


def test_a_hold_that_is_in_force(fsha, cib_file, events):
    root = cib_file.root
    root.find("configuration/constraints").append(
        etree.fromstring('<rsc_location id="cli-ban-VoiceServices-on-fs2" rsc="VoiceServices" '
                         'role="Started" node="fs2" score="-INFINITY"/>')
    )  # fmt: skip
    cib_file.path.write_text(document.render(root), encoding="utf-8")
    said = "fs2 was banned by hand (cli-ban-VoiceServices-on-fs2)"
    refused(fsha, cib_file, events, "failover", {}, said)


def refused(fsha, cib_file, events, verb, args, said):
    """See that nothing is moved, and one sentence says why."""
    before = cib_file.text
    done = getattr(fsha, verb)(**args)
    assert done["result"] is False
    assert said in done["comment"]
    assert "\n" not in done["comment"]
    assert cib_file.text == before
    assert events() == []
