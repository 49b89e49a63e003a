"""Which pairs of several sets hold at once, where rules and scores decide between them."""

from collections.abc import Iterator, Mapping, Sequence

from fshalib.cib.nvset import NvSet

Case = Mapping[str, int]
"""What holds at once: the name of each pair → the number of the set that gives it."""


def cases(sets: Sequence[NvSet]) -> Iterator[Case]:
    """Yield what holds when no rule does, and then what holds when one of them does.

    sets
        In the order in which they stand, each with pairs of its own.
    """
    by_score = sorted(range(len(sets)), key=lambda number: -sets[number].weight)
    ruled = [number for number in by_score if sets[number].rule is not None]
    for holding in (None, *ruled):
        yield _first(sets, [n for n in by_score if n == holding or n not in ruled])


def values(sets: Sequence[NvSet], case: Case) -> dict[str, str]:
    """Return the pairs of a case."""
    return {name: sets[number].values[name] for name, number in case.items()}


def _first(sets: Sequence[NvSet], numbers: Sequence[int]) -> Case:
    found: dict[str, int] = {}
    for number in numbers:
        for name in sets[number].values:
            found.setdefault(name, number)
    return found
