"""Lint with the tools at hand: the rules give the reasons, ``crm_simulate`` has the last word."""

from dataclasses import dataclass

from fshalib.cib import document, target
from fshalib.cib.document import Element
from fshalib.lint import simulated, topology
from fshalib.lint.finding import Advice
from fshalib.lint.simulated import Answer
from fshalib.pillar.config import Config
from fshalib.system import programs
from fshalib.system.programs import Runner


@dataclass(frozen=True)
class Judged:
    """All advice, what the simulator answered, and one sentence on what it was asked."""

    advices: tuple[Advice, ...]
    answer: Answer | None
    note: str


def judged(
    root: Element, config: Config, advices: tuple[Advice, ...], run: Runner = programs.run
) -> Judged:
    """Let the simulator judge what the rules have judged.

    root
        The CIB.
    config
        The same as a configuration.
    advices
        What the rules found in it.
    """
    ids = topology.service(config)
    if not ids:
        return Judged(advices, None, "")
    try:
        answer = simulated.ask(root, ids, run)
    except programs.ToolMissing:
        note = "crm_simulate is not installed here: this is judged by the rules alone"
        return Judged(advices, None, note)
    except programs.RunError as error:
        note = f"crm_simulate can't play this CIB: this is judged by the rules alone. {error}"
        return Judged(advices, None, note.rstrip("."))
    return Judged((*advices, *simulated.findings(answer)), answer, _note(answer))


def _note(answer: Answer) -> str:
    asked = f"crm_simulate ran {answer.runs} times"
    if answer.losses:
        return f"Not everything starts elsewhere when the node that serves fails ({asked})"
    return f"Everything starts elsewhere when the node that serves fails ({asked})"


def built(config: Config) -> Element:
    """Return the CIB that a pillar makes of an empty one, for the simulator.

    config
        A checked configuration.
    """
    root = document.parse(document.EMPTY)
    nodes = root.find("configuration/nodes")
    assert nodes is not None  # noqa: S101  it is in EMPTY
    for node in config.nodes:
        nodes.append(nodes.makeelement("node", {"id": str(node.id), "uname": node.name}))
    return target.target(root, target.DesiredObjects(config.pacemaker.objects)).root
