"""What the simulator is asked, and what its answers mean."""

from pathlib import Path

import pytest
from lxml import etree

from fshalib.cib import document
from fshalib.lint import foreign_cib, judged, runner, simulated
from fshalib.system import programs
from tests.unit.lint.test_obstacles import SAMPLE


def sample(name):
    return document.parse((SAMPLE / f"{name}.xml").read_text(encoding="utf-8"))


class Simulator:
    """Stand in for ``crm_simulate``: the address is where each answer says."""

    def __init__(self, *answers, code=0):
        self.answers, self.code = [*answers], code
        self.asked = []

    def __call__(self, argv, stdin, timeout):
        self.asked.append((argv, stdin))
        nodes = "".join(f'<node name="{name}"/>' for name in self.answers.pop(0).split())
        saved = Path(argv[argv.index("--save-output") + 1])
        saved.write_text(stdin, encoding="utf-8")
        out = (
            "<pacemaker-result><revised_cluster_status><resources>"
            f'<resource id="vip">{nodes}</resource></resources></revised_cluster_status>'
            "</pacemaker-result>"
        )
        return programs.Completed(tuple(argv), self.code, out, "it ended badly", 0.0)


@pytest.mark.parametrize(
    ("answers", "losses"),
    [
        (["fs1", "fs2"], []),
        (["fs1", ""], ["when fs1 fails, vip starts on no other node"]),
        # What a lost node still seems to run is not elsewhere.
        (["fs2", "fs2"], ["when fs2 fails, vip starts on no other node"]),
        ([""], ["vip starts on no node at all"]),
    ],
)
def test_the_node_that_serves_fails(answers, losses):
    simulator = Simulator(*answers)
    answer = simulated.ask(sample("yes-pair"), ["vip"], simulator)
    assert [str(loss) for loss in answer.losses] == losses
    assert answer.runs == len(simulator.asked) == len(answers)
    failing = [argv[argv.index("--node-fail") + 1] for argv, _ in simulator.asked[1:]]
    assert failing == answers[0].split()[: len(failing)]


def test_several_are_named_in_one_sentence():
    assert str(simulated.Loss("fs1", ("vip", "fs"))) == (
        "when fs1 fails, vip, fs start on no other node"
    )


def test_without_a_status_all_nodes_are_up_with_quorum():
    root = simulated.with_nodes_up(sample("yes-ping"))
    states = root.findall("status/node_state")
    assert [state.get("uname") for state in states] == ["fs1", "fs2"]
    assert root.get("have-quorum") == "1"
    pinged = [p.get("value") for p in root.iter("nvpair") if p.get("name") == "pingd"]
    assert pinged == ["1000", "1000"]


@pytest.mark.parametrize("name", ["no-node-away", "no-quorum"])
def test_a_status_stays_as_it_is(name):
    root = sample(name)
    assert simulated.with_nodes_up(root) is root


def test_the_others_elect_a_dc():
    root = sample("no-failed-there")
    simulator = Simulator("fs1", "fs2")
    simulated.ask(root, ["vip"], simulator)
    assert [etree.fromstring(text).get("dc-uuid") for _, text in simulator.asked] == ["1", "2"]


def test_the_simulator_adds_an_error_at_the_resource():
    root = sample("yes-pair")
    config, advices = foreign_cib.read_and_lint(root, {})
    told = judged.judged(root, config, advices, Simulator("fs1", "fs2"))
    # The stand-in knows nothing of the other member of the group.
    (advice,) = told.advices[len(advices) :]
    assert (advice.code, advice.path) == ("simulated", "fsha:pacemaker:resources:fs")
    assert advice.severity == "error"
    assert told.note == (
        "Not everything starts elsewhere when the node that serves fails (crm_simulate ran 2 times)"
    )
    page = runner.page(told.advices, told.note).splitlines()
    assert page[-2] == f"{told.note}."
    assert page[-1].startswith("It will NOT fail over")


def test_without_the_simulator_the_rules_judge_alone():
    def missing(argv, *_args, **_more):
        raise programs.ToolMissing(argv[0])

    root = sample("yes-pair")
    config, advices = foreign_cib.read_and_lint(root, {})
    told = judged.judged(root, config, advices, missing)
    assert (told.advices, told.answer) == (advices, None)
    assert told.note == "crm_simulate is not installed here: this is judged by the rules alone"


def test_what_the_simulator_can_not_play_is_judged_by_the_rules():
    root = sample("yes-pair")
    config, advices = foreign_cib.read_and_lint(root, {})
    told = judged.judged(root, config, advices, Simulator("fs1", code=-6))
    assert (told.advices, told.answer) == (advices, None)
    assert "can't play this CIB" in told.note
    assert "it ended badly" in told.note


def test_without_a_service_nothing_is_asked():
    root = document.parse(document.EMPTY)
    config, advices = foreign_cib.read_and_lint(root, {})
    told = judged.judged(root, config, advices, Simulator())
    assert (told.answer, told.note) == (None, "")
