"""Sets of name-value pairs as data: in one form, however the pillar or the CIB writes them.

The pillar writes a mapping where one set always holds, and a list of sets otherwise. Within the
library both are :class:`NvSets`, made where the pillar or the CIB is read
(``fshalib.cib.nvset_field``). :func:`in_pillar` and :func:`shown` turn them back where they leave
the library.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fshalib.cib.values import UnitError, score_value


def score_of(text: str | None) -> int:
    """Return the score of a set; what is no score counts as 0."""
    try:
        return score_value(text or "0")
    except UnitError:
        return 0


@dataclass(frozen=True)
class NvSet:
    """One set: its pairs, and when and before which others they hold.

    ``id_ref`` names another set to use in place of pairs; ``id`` is kept only where an ``id-ref``
    points to it.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    rule: str | None = None
    score: str | None = None
    id: str | None = None
    id_ref: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "NvSet":
        """Make a set of what the pillar says of one in a list."""
        keys = ("rule", "score", "id")
        texts = {key: data[key] for key in keys if key in data}
        return cls(data.get("values", {}), id_ref=data.get("id-ref"), **texts)

    @property
    def plain(self) -> bool:
        """Whether it always holds, with pairs of its own."""
        return self.rule is None and self.id_ref is None

    @property
    def weight(self) -> int:
        """The score as a number."""
        return score_of(self.score)

    def without(self, names: Collection[str]) -> "NvSet":
        """Return the set without the pairs of some names."""
        return replace(self, values={n: v for n, v in self.values.items() if n not in names})

    def as_item(self) -> dict[str, Any]:
        """Return the set as the pillar writes it in a list."""
        texts = {"id-ref": self.id_ref, "score": self.score, "id": self.id, "rule": self.rule}
        values = {} if self.id_ref is not None else {"values": dict(self.values)}
        return {**{key: text for key, text in texts.items() if text is not None}, **values}


@dataclass(frozen=True)
class NvSets:
    """All sets of one kind that an object has: ``params``, ``meta``, ``utilization`` and so on.

    ``listed`` is the notation alone: whether the pillar writes a list. A mapping is no set when
    it is empty, else one set of nothing but pairs.
    """

    sets: tuple[NvSet, ...] = ()
    listed: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, data: Mapping[str, str] | Iterable[Mapping[str, Any]]) -> "NvSets":
        """Make sets of what the pillar says: a mapping, or a list of sets."""
        if isinstance(data, Mapping):
            return cls((NvSet(dict(data)),) if data else ())
        return cls(tuple(map(NvSet.of, data)), listed=True)

    @classmethod
    def several(cls, sets: Iterable[NvSet]) -> "NvSets":
        """Make sets that are written as a list."""
        return cls(tuple(sets), listed=True)

    def __iter__(self) -> Iterator[NvSet]:
        """Yield the sets as they stand."""
        return iter(self.sets)

    def __bool__(self) -> bool:
        """Tell whether there is any set."""
        return bool(self.sets)

    @property
    def conditional(self) -> tuple[NvSet, ...]:
        """The sets that hold by a rule, or stand for another set."""
        return tuple(one for one in self if not one.plain)

    def plain_values(self) -> dict[str, str]:
        """Return the values of all sets without a rule, the first of a name first."""
        found: dict[str, str] = {}
        for one in self:
            for name, text in one.values.items() if one.rule is None else ():
                found.setdefault(name, text)
        return found

    def without(self, names: Collection[str], conditional: bool = False) -> "NvSets":
        """Return the sets without the pairs of some names.

        conditional
            Whether sets that hold by a rule lose them too.
        """
        left = (one.without(names) if one.plain or conditional else one for one in self)
        return self._with(left)

    def with_values(self, more: Mapping[str, str]) -> "NvSets":
        """Return the sets with more pairs in the first plain one; what is there already stays."""
        known = self.plain_values()
        left = {name: text for name, text in more.items() if name not in known}
        if not left:
            return self
        sets = list(self)
        first = next((number for number, one in enumerate(sets) if one.plain), len(sets))
        one = sets[first] if first < len(sets) else NvSet()
        sets[first : first + 1] = [replace(one, values={**one.values, **left})]
        return self._with(sets)

    def _with(self, sets: Iterable[NvSet]) -> "NvSets":
        """Return other sets in the same notation."""
        return replace(self, sets=tuple(one for one in sets if self.listed or one.values))

    def as_items(self) -> list[dict[str, Any]]:
        """Return the sets as the pillar writes them in a list."""
        return [one.as_item() for one in self]

    def in_pillar(self) -> dict[str, str] | list[dict[str, Any]]:
        """Return the sets as the pillar writes them."""
        return self.as_items() if self.listed else self.plain_values()

    def shown(self) -> dict[str, str] | list[dict[str, Any]]:
        """Return the sets as a difference shows them: as in the pillar, without empty keys."""
        if not self.listed:
            return self.plain_values()
        return [{key: held for key, held in one.items() if held} for one in self.as_items()]


NO_SETS = NvSets()


def in_pillar(data: Any) -> Any:
    """Return a spec, or a part of one, as the pillar writes it."""
    return _turned(data, NvSets.in_pillar)


def shown(data: Any) -> Any:
    """Return a normal form, or a part of one, as people see it."""
    return _turned(data, NvSets.shown)


def _turned(data: Any, turn: Callable[[NvSets], Any]) -> Any:
    if isinstance(data, NvSets):
        return turn(data)
    if isinstance(data, Mapping):
        return {key: _turned(held, turn) for key, held in data.items()}
    if isinstance(data, (list, tuple)):
        return [_turned(held, turn) for held in data]
    return data
