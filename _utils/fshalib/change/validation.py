"""What the formula's own agents make of the parameters that a change gives them.

Pacemaker tries no other node when an agent calls its parameters wrong (OCF_ERR_CONFIGURED), so the
service would be down on all of them. What is wrong on this node alone is no reason to refuse.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fshalib.agents import OURS
from fshalib.cib.cases import cases, values
from fshalib.cib.document import Document, Element
from fshalib.cib.nvset import NvSet
from fshalib.cib.target import Target
from fshalib.pacemaker import validate_agent
from fshalib.pillar import own_agents
from fshalib.system import programs
from fshalib.system.programs import Runner


@dataclass(frozen=True)
class Judgement:
    """What the agents say, as sentences by the resource's id.

    refused
        What is wrong on every node.
    doubts
        What is wrong on this node alone, or could not be found out.
    failing_here
        The resources that the agent would run on other nodes, but not on this one.
    """

    refused: Mapping[str, Sequence[str]] = field(default_factory=dict)
    doubts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    failing_here: frozenset[str] = frozenset()


def judge(target: Target, run: Runner | None = programs.run) -> Judgement:
    """Return what the formula's agents make of what is new to them in a target.

    target
        The change; resources that keep their parameters are not looked at.
    run
        Asks the agents; ``None`` where they are not to be asked.

    Raises :class:`programs.RunError`.
    """
    before = _uses(target.live)
    changed = {id: use for id, use in _uses(target.root).items() if use != before.get(id)}
    answers = {id: [*_answers(use, before.get(id), run)] for id, use in changed.items()}
    refused = {id: _texts(a for a in given if a.refuses) for id, given in answers.items()}
    doubts = {id: _texts(a for a in given if not a.refuses) for id, given in answers.items()}
    failing = {id for id, given in answers.items() if any(a.fails_here for a in given)}
    return Judgement(
        {id: texts for id, texts in refused.items() if texts},
        {id: texts for id, texts in doubts.items() if texts},
        frozenset(failing),
    )


@dataclass(frozen=True)
class _Answer:
    """What is wrong with parameters; without a ``code`` the agent did not answer in time."""

    code: int | None
    reason: str

    @property
    def refuses(self) -> bool:
        return self.code == validate_agent.OCF_ERR_CONFIGURED

    @property
    def fails_here(self) -> bool:
        return self.code is not None and not self.refuses


def _texts(answers: Iterable[_Answer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(answer.reason for answer in answers))


def _answers(use: "_Use", before: "_Use | None", run: Runner | None) -> Iterator[_Answer]:
    """Yield what is wrong with a resource: by the table, else as the agent says it."""
    known = [_Answer(validate_agent.OCF_ERR_CONFIGURED, text) for text in _table_says(use)]
    yield from known
    same = before is not None and before.cases == use.cases
    if known or run is None or same:
        return
    for params in use.cases:
        try:
            answer = validate_agent.validate(use.agent, params, run)
        except programs.ToolTimeout as error:
            yield _Answer(None, f"{use.agent} could not be asked: {str(error).rstrip('.')}")
            continue
        if answer is not None and answer.code != programs.EX_OK:
            yield _Answer(answer.code, f"{use.agent} refuses its parameters: {answer.reason}")


def _table_says(use: "_Use") -> Iterator[str]:
    """Yield what the agent would refuse, as far as that is known without it."""
    for params in use.cases:
        for name, message in own_agents.mistakes(use.agent, params):
            yield f"{name}: {message.rstrip('.')}"
    for name in own_agents.missing(use.agent, use.cases[0]) if len(use.cases) == 1 else ():
        yield f"{name} is missing"
    for name, given in use.operations:
        wrong = own_agents.operation_mistake(use.agent, name)
        messages = [wrong] if wrong else []
        messages += [
            f"{key}: {message}"
            for key, value in given.items()
            if (message := own_agents.value_mistake(use.agent, key, value))
        ]
        yield from (f"operation {name}: {message.rstrip('.')}" for message in messages)


# --- what a CIB gives to its agents -------------------------------------------------------------


@dataclass(frozen=True)
class _Use:
    """An agent of the formula, and what it may be given: without rules, and with each of them.

    operations
        The name of each operation, and what it gives the agent beside that.
    """

    agent: str
    cases: tuple[Mapping[str, str], ...]
    operations: tuple[tuple[str, Mapping[str, str]], ...]


def _uses(root: Element) -> dict[str, _Use]:
    """Return the resources that run an agent of the formula."""
    document = Document(root)
    found: dict[str, _Use] = {}
    for primitive in root.iterfind("configuration/resources//primitive"):
        template = document.find(primitive.get("template", ""))
        source = primitive if template is None else template
        agent = ":".join(source.get(key, "") for key in ("class", "provider", "type"))
        if agent.startswith(OURS):
            elements = [primitive] if template is None else [primitive, template]
            sets = [_nvset(e, document) for one in elements for e in one.iterfind(_SETS)]
            possible = tuple(values(sets, case) for case in cases(sets))
            ops = (op for one in elements for op in one.iterfind("operations/op"))
            given = tuple((op.get("name", ""), _given(op, document)) for op in ops)
            found[primitive.get("id", "")] = _Use(agent, possible, given)
    return found


def _given(op: Element, document: Document) -> dict[str, str]:
    """Return what an operation gives its agent, of several values the first."""
    pairs = [pair for one in op.iterfind(_SETS) for pair in _nvset(one, document).values.items()]
    return dict(reversed(pairs))


_SETS = "instance_attributes"


def _nvset(element: Element, document: Document) -> NvSet:
    """Return a set, or the one that it refers to; of a rule only that there is one counts."""
    element = _meant(element, document)
    pairs = [(pair, _meant(pair, document)) for pair in element.iterfind("nvpair")]
    return NvSet(
        {p.get("name", m.get("name", "")): m.get("value", "") for p, m in pairs},
        rule=None if element.find("rule") is None else "a rule",
        score=element.get("score"),
    )


def _meant(element: Element, document: Document) -> Element:
    id = element.get("id-ref")
    other = None if id is None else document.find(id)
    return element if other is None else other
