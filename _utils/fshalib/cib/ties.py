"""Ties: what may run only where something else does, by groups and mandatory colocations.

The guard, a switchover and the lint go by this one reading. Simulated with Pacemaker 2.1.5: each
member of a group, or of a set in a row, depends on the one before it. A group depends by its first
member, and what depends on a group needs its last one. One set depends on the next set likewise.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.cib.objects import Object
from fshalib.cib.values import FALSE_WORDS, INFINITY, UnitError, score_value

Pair = tuple[str, str]
"""A primitive, and another one without which it can't run on a node."""


@dataclass(frozen=True)
class Ties:
    """The ties between the primitives of a configuration; a bundle without one counts as one."""

    pairs: tuple[Pair, ...]

    def needs(self, ids: Iterable[str]) -> frozenset[str]:
        """Return what has to run on the same node so that resources do, and these."""
        return _reached(ids, _following(self.pairs))

    def beside(self, ids: Iterable[str]) -> frozenset[str]:
        """Return what runs on the node of these resources whenever it runs, and these.

        That is what they need, and whatever needs any of it. What two resources have in common that
        need both of them ties those no further: they part when it stops.
        """
        turned = ((other, one) for one, other in self.pairs)
        return _reached(self.needs(ids), _following(turned))

    def bases(self, ids: Iterable[str]) -> frozenset[str]:
        """Return those of all that resources need which depend on nothing but each other."""
        needed = {id: self.needs([id]) for id in self.needs(ids)}
        return frozenset(
            id for id, more in needed.items() if all(id in needed[other] for other in more)
        )


def ties(objects: Iterable[Object], through_clones: bool = False) -> Ties:
    """Return the ties of a configuration.

    objects
        What it consists of, from a pillar or from a CIB (``cib.read.read_all``).
    through_clones
        Whether what needs a clone counts as tied to what is in it. It is on a node of the clone,
        but a clone is on other nodes as well.
    """
    names = _Names(tuple(objects), through_clones)
    groups = (item for item in names.objects if item.kind == "group")
    pairs = [pair for group in groups for pair in _chain(group.members)]
    for item in names.objects:
        if item.kind == "colocation":
            pairs += _pairs(item.spec, names)
    return Ties(tuple(dict.fromkeys(pair for pair in pairs if not names.cloned & {*pair})))


class _Names:
    """What a constraint can name, and which primitives that means."""

    def __init__(self, objects: tuple[Object, ...], through_clones: bool) -> None:
        self.objects = objects
        self._containers = {o.id: o for o in objects if o.members}
        self._several: dict[str, tuple[str, ...]] = {}
        for item in objects:
            template = item.spec.get("template")
            if item.kind == "primitive" and template:
                self._several[str(template)] = (*self._several.get(str(template), ()), item.id)
            elif item.kind == "tag":
                self._several[item.id] = tuple(map(str, item.spec.get("references", ())))
        self._known = {o.id for o in objects if o.kind in ("primitive", "bundle")}
        clones = [] if through_clones else [o.id for o in objects if o.kind == "clone"]
        self.cloned = frozenset(id for clone in clones for id in self._inside(clone))

    def _inside(self, id: str) -> set[str]:
        members = self._containers[id].members if id in self._containers else ()
        return {id}.union(*map(self._inside, members))

    def dependent(self, id: str) -> list[str]:
        """Return the primitives that depend when this depends."""
        return self._ends(id, first=True)

    def needed(self, id: str) -> list[str]:
        """Return the primitives that have to run when this is needed."""
        return self._ends(id, first=False)

    def _ends(self, id: str, first: bool, seen: frozenset[str] = frozenset()) -> list[str]:
        if id in seen:
            return []
        if id in self._containers:
            members = self._containers[id].members
            return self._ends(members[0 if first else -1], first, seen | {id})
        if id in self._several:
            inner = self._several[id]
            return [end for one in inner for end in self._ends(one, first, seen | {id})]
        return [id] if id in self._known else []


def _pairs(spec: Mapping[str, Any], names: _Names) -> Iterator[Pair]:
    """Yield the pairs of a colocation; one for a time only, or of an attribute, ties nothing."""
    if spec.get("lifetime") or spec.get("node-attribute", "#uname") != "#uname":
        return
    if "sets" in spec:
        yield from _in_sets(spec, names)
    elif is_mandatory(spec):
        ends = str(spec.get("resource", "")), str(spec.get("with", ""))
        yield from itertools.product(names.dependent(ends[0]), names.needed(ends[1]))


def _in_sets(spec: Mapping[str, Any], names: _Names) -> Iterator[Pair]:
    sets = [(one, [str(id) for id in one.get("resources", ())]) for one in spec["sets"]]
    for one, ids in sets:
        if in_a_row(one) and is_mandatory({"score": spec.get("score", "0"), **one}):
            for id, other in _chain(ids):
                yield from itertools.product(names.dependent(id), names.needed(other))
    for (one, ids), (next_one, others) in itertools.pairwise(sets) if is_mandatory(spec) else ():
        dependent = ids[:1] if in_a_row(one) else ids
        needed = others[-1:] if in_a_row(next_one) else others
        for id, other in itertools.product(dependent, needed):
            yield from itertools.product(names.dependent(id), names.needed(other))


def _chain(ids: Iterable[str]) -> Iterator[Pair]:
    return ((later, earlier) for earlier, later in itertools.pairwise(ids))


def in_a_row(one: Mapping[str, Any]) -> bool:
    """Tell whether the members of a set depend on each other in their order."""
    return str(one.get("sequential", "true")).strip().lower() not in FALSE_WORDS


def is_mandatory(spec: Mapping[str, Any]) -> bool:
    """Tell whether a colocation, or a set of one, always holds: its score is 0 by default."""
    try:
        return score_value(str(spec.get("score", "0"))) >= INFINITY
    except UnitError:
        return False


def _following(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one, other in pairs:
        found.setdefault(one, []).append(other)
    return found


def _reached(ids: Iterable[str], following: Mapping[str, list[str]]) -> frozenset[str]:
    reached: set[str] = set()
    todo = [*ids]
    while todo:
        id = todo.pop()
        if id not in reached:
            reached.add(id)
            todo += following.get(id, ())
    return frozenset(reached)
