"""What runs together and what starts first, by groups, colocations and orders."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from fshalib.cib.objects import Object
from fshalib.cib.ties import Ties, in_a_row, ties
from fshalib.cib.values import FALSE_WORDS, read_score
from fshalib.pillar.config import Config


def holders(config: Config, id: str) -> list[Object]:
    """Return what contains a resource, innermost first."""
    found: list[Object] = []
    for kind in ("group", "clone", "bundle"):
        ids = {id, *(holder.id for holder in found)}
        found += [item for item in config.pacemaker.of(kind) if ids & set(item.members)]
    return found


def named_by(item: Object) -> set[str]:
    """Return every resource that a constraint names."""
    names = {str(item.spec[key]) for key in ("resource", "with", "first", "then")
             if key in item.spec}  # fmt: skip
    for one in item.spec.get("sets", ()):
        names |= {str(id) for id in one.get("resources", ())}
    return names


def tied(config: Config, through_clones: bool = False) -> Ties:
    """Return the ties of the configuration, see ``cib.ties``."""
    return ties(config.pacemaker.objects, through_clones)


def beside(config: Config, id: str) -> frozenset[str]:
    """Return all that always runs on the same node as a resource, it, and their groups.

    What is with a clone is with nothing: that runs on every node.
    """
    near = tied(config).beside([id])
    groups = (group for group in config.pacemaker.of("group") if near & {*group.members})
    return near | {group.id for group in groups}


def starts_before(config: Config, first: str, then: str) -> bool:
    """Tell whether a resource never starts before another one has."""
    return _end(then, begins=True) in _reached(_end(first), [*_steps(config)])


def _reached(start: str, pairs: list[tuple[str, str]]) -> frozenset[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += [other for first, other in pairs if first == one]
    return frozenset(found)


def _end(id: str, begins: bool = False) -> str:
    """Return the word for the moment at which a resource begins to start, or has started."""
    return f"{'begins' if begins else 'started'} {id}"


def _steps(config: Config) -> Iterator[tuple[str, str]]:
    """Yield what follows on what at a start, where that always holds."""
    for item in config.pacemaker.primitives():
        yield _end(item.id, begins=True), _end(item.id)
    for kind in ("group", "clone", "bundle"):
        for item in config.pacemaker.of(kind):
            for one, other in itertools.pairwise(item.members):
                yield _end(one), _end(other, begins=True)
            yield from (
                (_end(item.id, begins=True), _end(one, begins=True)) for one in item.members
            )
            yield from ((_end(one), _end(item.id)) for one in item.members[-1:])
    for _, first, then in orders(config):
        yield _end(first), _end(then, begins=True)


def orders(config: Config, of_all: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield the id of each strict order with what always starts first, and what then.

    of_all
        Leave out what waits only for any one of several (``require-all: false``).
    """
    for item in config.pacemaker.of("order"):
        spec = item.spec
        actions = {str(spec.get(key, "start")) for key in ("first-action", "then-action")}
        if spec.get("lifetime") or not actions <= {"start", "promote"}:
            continue
        if "first" in spec and is_strict(spec):
            yield item.id, str(spec["first"]), str(spec["then"])
        sets = spec.get("sets", ())
        for one in sets:
            if in_a_row(one) and is_strict({**spec, **one}):
                for first, then in itertools.pairwise(one.get("resources", ())):
                    yield item.id, str(first), str(then)
        for one, other in itertools.pairwise(sets if is_strict(spec) else ()):
            if not (of_all and str(one.get("require-all", "true")).lower() in FALSE_WORDS):
                pairs = itertools.product(one.get("resources", ()), other.get("resources", ()))
                yield from ((item.id, str(first), str(then)) for first, then in pairs)


def is_strict(spec: Mapping[str, Any]) -> bool:
    """Tell whether an order always holds: of kind Mandatory, which is the default."""
    if "kind" in spec:
        return str(spec["kind"]).lower() == "mandatory"
    return (read_score(str(spec.get("score", "INFINITY"))) or 0) > 0
