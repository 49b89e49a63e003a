"""Checks of resources against the metadata of their agents."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fshalib.agents import OURS, is_fencing
from fshalib.cib.objects import Object
from fshalib.cib.secrets import masked
from fshalib.cib.values import FALSE_WORDS, TRUE_WORDS, UnitError, parse_duration
from fshalib.pacemaker.agent import AgentMetadata, Parameter
from fshalib.pillar import own_agents
from fshalib.pillar.config import Config, Pacemaker
from fshalib.pillar.own_agents import COMMON_PARAMETERS
from fshalib.schema.report import (
    ConfigError,
    ConfigErrors,
    Keys,
    Location,
    Report,
    path,
    printable,
    quoted,
    suggestion,
)


def check_agents(
    config: Config,
    metadata: Callable[[str], AgentMetadata | None],
    known: Sequence[str] = (),
    later: Collection[str] = (),
) -> None:
    """Check every primitive against the metadata of its agent, once agents are installed.

    metadata
        Returns what an agent says of itself, by its name, or ``None`` for an agent that is not
        there.
    known
        Names of installed agents, for the suggestion of the nearest one.
    later
        Names of agents that need not be there yet.

    Raises :class:`ConfigErrors` for unknown agents; for unknown and missing parameters; for
    values of another type; and for values that two resources share and may not.
    """
    report = Report()
    uses = [(use, metadata(use.agent)) for use in _uses(config.pacemaker)]
    for use, found in uses:
        at = Location(report, use.keys)
        if found is not None:
            _parameters(use, found, at.below("params"))
            _operations(use, found, at.below("operations"))
        elif use.names_agent and use.agent not in later:
            at.below("agent").error(
                f"an installed resource agent is expected, {quoted(use.agent)} is not on "
                f"this node{suggestion(use.agent, known)}"
            )
    _unique([(use, found) for use, found in uses if found is not None and use.complete], report)
    if report.mistakes:
        raise ConfigErrors(ConfigError(path(keys), message) for keys, message in report.mistakes)


@dataclass(frozen=True)
class _Use:
    """A resource or a template that runs an agent.

    own
        The parameters that it gives itself, name and value of each.
    params
        Those with which the agent runs, its template's among them.
    operations
        The names of its own operations, by their place in the pillar.
    complete
        Whether that is all: not for a template, and not where rules decide.
    """

    keys: Keys
    id: str
    agent: str
    own: Sequence[tuple[str, str]]
    params: Mapping[str, str]
    operations: Mapping[int, str]
    names_agent: bool = True
    complete: bool = True


def _uses(pacemaker: Pacemaker) -> Iterator[_Use]:
    for item in pacemaker.of("template"):
        keys = ("pacemaker", "templates", item.id)
        names = _operation_names(item)
        yield _Use(keys, item.id, item.agent, _given(item), {}, names, complete=False)
    for item, whole in zip(pacemaker.of("primitive"), pacemaker.primitives(), strict=True):
        # With rules, or sets of others, what it is given depends on more than this.
        plain = not whole.sets("params").conditional
        keys = ("pacemaker", "resources", item.id)
        params = whole.values("params")
        if whole.agent:
            names, names_agent = _operation_names(item), bool(item.agent)
            yield _Use(
                keys, item.id, whole.agent, _given(item), params, names, names_agent, plain
            )  # fmt: skip


def _operation_names(item: Object) -> dict[int, str]:
    operations = enumerate(item.spec.get("operations", ()))
    return {number: str(one["name"]) for number, one in operations if "name" in one}


def _given(item: Object) -> list[tuple[str, str]]:
    return [pair for one in item.sets("params") for pair in one.values.items()]


def _parameters(use: _Use, found: AgentMetadata, at: Location) -> None:
    older = {name for parameter in found.parameters.values() for name in parameter.older}
    for name, value in use.own:
        parameter = found.parameters.get(name)
        if parameter is not None:
            # Our own agents take what they say and no more.
            strict = use.agent.startswith(OURS)
            expected = (own_agents.unfit if strict else _unfit)(parameter, value)
            shown = quoted(masked({name: value})[name])
            if expected:
                at.below(name).error(f"{expected} is expected by {use.agent}, not {shown}.")
        elif not _common(name, use.agent) and name not in older:
            at.below(name).error(
                f"a parameter of {use.agent} is expected{suggestion(name, found.parameters)}"
            )
    for name, parameter in found.parameters.items() if use.complete else ():
        told = any(known in use.params for known in (name, *parameter.older))
        if _required(name, parameter, use.agent) and not told:
            at.below(name).error(f"this key is missing; {use.agent} requires it.")


_EVERY = frozenset(
    {
        *("start", "stop", "monitor", "status", "reload", "reload-agent", "validate-all"),
        *("promote", "demote", "notify", "migrate_to", "migrate_from", "meta-data"),
    }
)
"""Operations that Pacemaker knows; an agent's metadata may leave some of them out."""


def _operations(use: _Use, found: AgentMetadata, at: Location) -> None:
    """Report operations that nobody knows: Pacemaker orders them, and each is a failure."""
    known = dict.fromkeys((*found.actions, *sorted(_EVERY)))
    for number, name in use.operations.items():
        if name not in known:
            at.below(number, "name").error(
                f"an operation of {use.agent} is expected, not {quoted(name)}"
                f"{suggestion(name, known)}"
            )


def _common(name: str, agent: str) -> bool:
    """Tell whether a parameter is of every agent, or one of fencing that Pacemaker itself reads."""
    fencing = is_fencing(agent)
    return name in COMMON_PARAMETERS or (fencing and name.startswith(("pcmk_", "provides")))


def _required(name: str, parameter: Parameter, agent: str) -> bool:
    # Which node is to be fenced the cluster tells the agent itself.
    told_later = is_fencing(agent) and name in ("port", "plug")
    return parameter.required and not parameter.default and not told_later


def _is_number(text: str) -> bool:
    """Tell whether text is a whole number, or a duration: agents call both an integer."""
    try:
        parse_duration(text.lstrip("+-"))
    except UnitError:
        return False
    return True


def _is_boolean(text: str) -> bool:
    return text.strip().lower() in (TRUE_WORDS | FALSE_WORDS | {"t", "f"})


_TYPES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "integer": (_is_number, "a whole number"),
    "boolean": (_is_boolean, "true or false"),
}


def _unfit(parameter: Parameter, value: str) -> str:
    """Return what is expected in place of a value of another type; ``""`` when it fits."""
    words = parameter.options
    if parameter.type == "select" and words:
        fits = value.casefold() in {word.casefold() for word in words}
        return "" if fits else f"one of {', '.join(words)}"
    test, expected = _TYPES.get(parameter.type, (None, ""))
    # An agent whose own default is of another type means something else by it.
    if test is None or test(value) or (parameter.default and not test(parameter.default)):
        return ""
    return expected


def _unique(uses: Sequence[tuple[_Use, AgentMetadata]], report: Report) -> None:
    """Report values that an agent wants for one resource alone and two give."""
    taken: dict[tuple[object, ...], str] = {}
    for use, found in uses:
        for group, names in _groups(use, found).items():
            values = tuple(use.params.get(n, found.parameters[n].default) for n in names)
            other = taken.setdefault((use.agent, group, *values), use.id)
            if other != use.id:
                first = next(name for name in names if name in use.params)
                Location(report, use.keys).below("params", first).error(
                    f"a value of its own is expected by {use.agent}, this is that of "
                    f"{printable(other)}."
                )


def _groups(use: _Use, found: AgentMetadata) -> Mapping[str, list[str]]:
    """Return the groups of unique parameters of which a resource gives any."""
    groups: dict[str, list[str]] = {}
    for name, parameter in sorted(found.parameters.items()):
        if parameter.unique:
            groups.setdefault(parameter.unique, []).append(name)
    return {g: names for g, names in groups.items() if any(n in use.params for n in names)}
