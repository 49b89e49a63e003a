"""What lint says of the sample is what the cluster's scheduler does, and the tool says so."""

import subprocess
import sys
from pathlib import Path

import pytest

from fshalib.cib import document
from fshalib.lint import foreign_cib, judged, obstacles, rules, rules_failover, runner
from fshalib.lint.finding import ERROR
from fshalib.pillar import config as pillar_config
from fshalib.system import programs
from tests.truth import compare
from tests.unit.lint.test_rules import CLEAN
from tests.unit.pillars import changed

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests/truth/sample"
FILES = sorted(SAMPLE.glob("*.xml"))
EXPECTED = {"yes": compare.YES, "no": compare.NO}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_lint_agrees_with_the_scheduler(file):
    row = compare.compare(file.stem, file.read_text(encoding="utf-8"))
    assert row.word == EXPECTED[file.stem.partition("-")[0]], str(row)
    assert row.heeded


def test_every_error_is_about_a_lost_node_or_about_something_else():
    known = {**rules.KNOWN, **rules_failover.KNOWN, **obstacles.KNOWN, **foreign_cib.KNOWN}
    errors = {code for code, text in known.items() if text.severity == ERROR}
    assert errors == compare.NODE_LOSS | compare.OTHER_ERRORS
    assert not compare.NODE_LOSS & compare.OTHER_ERRORS


def counted(runs):
    """Return a runner that notes each program that it runs."""

    def run(argv, *args, **more):
        runs.append(argv[0])
        return programs.run(argv, *args, **more)

    return run


def test_the_simulator_has_the_last_word_in_two_runs():
    root = document.parse((SAMPLE / "no-room.xml").read_text(encoding="utf-8"))
    config, _ = foreign_cib.read_and_lint(root, {})
    runs = []
    told = judged.judged(root, config, (), run=counted(runs))
    assert runs == ["crm_simulate", "crm_simulate"]
    assert [a.message for a in told.advices] == ["when fs1 fails, vip starts on no other node"]
    assert runner.verdict(told.advices).startswith("It will NOT fail over")


def test_a_pillar_is_played_as_well():
    config = pillar_config.check(changed(*CLEAN))
    told = judged.judged(judged.built(config), config, ())
    assert told.advices == ()
    assert told.note.startswith("Everything starts elsewhere when the node that serves fails")
    never = ("pacemaker:locations:never", {"resource": "fs", "node": "fs2", "score": -1})
    config = pillar_config.check(changed(*CLEAN, never))
    told = judged.judged(judged.built(config), config, ())
    assert [a.message for a in told.advices] == ["when fs1 fails, fs starts on no other node"]


def tool(*arguments):
    argv = [sys.executable, "-m", "tests.truth", *map(str, arguments)]
    return subprocess.run(argv, cwd=ROOT, text=True, capture_output=True, timeout=300, check=False)


def test_the_tool_prints_what_differs_and_how_often(tmp_path):
    good = SAMPLE / "yes-pair.xml"
    done = tool(good)
    assert (done.returncode, done.stderr) == (0, "")
    assert "    1 yes, both\n" in done.stdout
    assert "yes-pair.xml" not in done.stdout
    assert "yes-pair.xml" in tool("--all", good).stdout
    (tmp_path / "none.xml").write_text(document.EMPTY, encoding="utf-8")
    assert tool(tmp_path).returncode == 2


def test_the_tool_gives_a_cib_a_service_when_it_is_asked_to(tmp_path):
    text = (SAMPLE / "yes-pair.xml").read_text(encoding="utf-8")
    (tmp_path / "other.xml").write_text(text.replace("IPaddr2", "Dummy"), encoding="utf-8")
    assert "    1 no service\n" in tool(tmp_path).stdout
    assert "    1 yes, both\n" in tool("--any", tmp_path).stdout


def test_the_tool_fails_after_a_miss(tmp_path):
    # A default for one type of resource: the rules do not look at that, the scheduler does.
    stopped = (
        '<rsc_defaults><meta_attributes id="stopped"><rule id="s-r" boolean-op="and" score="1">'
        '<rsc_expression id="s-e" class="ocf" provider="heartbeat" type="IPaddr2"/></rule>'
        '<nvpair id="s-t" name="target-role" value="Stopped"/></meta_attributes>'
    )
    text = (SAMPLE / "yes-pair.xml").read_text(encoding="utf-8")
    (tmp_path / "miss.xml").write_text(text.replace("<rsc_defaults>", stopped), encoding="utf-8")
    done = tool(tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("miss         miss.xml: lint has nothing; crm_simulate: vip")
    assert "    0 miss of lint with crm_simulate" in done.stdout
