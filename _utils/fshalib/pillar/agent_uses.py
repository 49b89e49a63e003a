"""With which parameters the resources of a checked pillar run their agents, and where each stands.

What counts are a resource's own sets, those of its template, those that an ``id-ref`` means, and
of several that give the same parameter the one with the highest score.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fshalib.cib.cases import cases
from fshalib.cib.nvset import NO_SETS, NvSet
from fshalib.pillar.validate_objects import agent_of
from fshalib.schema.report import Keys

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """The value of a parameter, and the keys in the pillar that lead to it.

    right
        Whether it is text; if not, that is reported already.
    """

    value: str
    keys: Keys
    right: bool = True


Case = Mapping[str, Given]
"""What holds at once, by the names of the parameters."""


@dataclass(frozen=True)
class Use:
    """A resource that runs an agent, or a template.

    keys
        The keys that lead to it.
    cases
        What it may be given: first what always holds, then beside it what each rule adds.
    ruled
        The parameters that any rule decides on.
    operations
        Its operations and its template's, and where each stands.
    complete
        Whether all that it may be given is in its first case.
    """

    keys: Keys
    id: str
    agent: str
    cases: tuple[Case, ...]
    ruled: frozenset[str]
    operations: tuple[tuple[Keys, Data], ...]
    complete: bool

    @property
    def plain(self) -> dict[str, str]:
        """The parameters that always hold."""
        return {name: given.value for name, given in self.cases[0].items()}


def resources(pacemaker: Data) -> Iterator[Use]:
    """Yield each resource that runs an agent."""
    for id, item in pacemaker.get("resources", {}).items():
        agent = agent_of(pacemaker, item)
        if agent:
            yield _use(pacemaker, ("resources", id), item, agent)


def templates(pacemaker: Data) -> Iterator[Use]:
    """Yield each template, with nothing but what stands in it."""
    for id, item in pacemaker.get("templates", {}).items():
        yield _use(pacemaker, ("templates", id), item, str(item.get("agent", "")))


@dataclass(frozen=True)
class _Placed:
    """A set, and the keys that lead to its pairs."""

    nvset: NvSet
    keys: Keys


def _use(pacemaker: Data, keys: tuple[str, str], item: Data, agent: str) -> Use:
    name = str(item.get("template", ""))
    template = pacemaker.get("templates", {}).get(name, {})
    own = [*_own(keys, item), *_own(("templates", name), template)]
    placed = [*_resolved(pacemaker, own)]
    sets = [one.nvset for one in placed]
    found = (
        {name: _given(placed[number], name) for name, number in case.items()}
        for case in cases(sets)
    )
    ruled = frozenset(name for one in sets if one.rule is not None for name in one.values)
    operations = _operations(keys, item, ("templates", name), template)
    complete = not ruled and len(placed) == len(own)
    return Use(("pacemaker", *keys), keys[1], agent, tuple(found), ruled, operations, complete)


def _given(placed: _Placed, name: str) -> Given:
    value: object = placed.nvset.values[name]
    return Given(str(value), (*placed.keys, name), isinstance(value, str))


def _resolved(pacemaker: Data, sets: Iterable[_Placed]) -> Iterator[_Placed]:
    """Yield sets, and in place of a reference the set that it means, if a resource has it."""
    for one in sets:
        if one.nvset.id_ref is None:
            yield one
        else:
            yield from (o for o in _all(pacemaker) if o.nvset.id == one.nvset.id_ref)


def _all(pacemaker: Data) -> Iterator[_Placed]:
    for key in ("resources", "templates"):
        for id, item in pacemaker.get(key, {}).items():
            yield from _own((key, id), item)


def _own(keys: Sequence[str], item: Data) -> Iterator[_Placed]:
    params = item.get("params", NO_SETS)
    for number, one in enumerate(params):
        place = (number, "values") if params.listed else ()
        yield _Placed(one, ("pacemaker", *keys, "params", *place))


def _operations(
    keys: Sequence[str], item: Data, template_keys: Sequence[str], template: Data
) -> tuple[tuple[Keys, Data], ...]:
    own = [*_placed_operations(keys, item)]
    known = {(one.get("name"), one.get("interval")) for _, one in own}
    inherited = [
        (place, one)
        for place, one in _placed_operations(template_keys, template)
        if (one.get("name"), one.get("interval")) not in known
    ]
    return (*own, *inherited)


def _placed_operations(keys: Sequence[str], item: Data) -> Iterator[tuple[Keys, Data]]:
    for number, one in enumerate(item.get("operations", ())):
        yield ("pacemaker", *keys, "operations", number), one
