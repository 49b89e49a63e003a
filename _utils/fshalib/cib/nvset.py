"""Sets of name-value pairs (nvpairs) as data.

The pillar writes one set without a rule as a mapping, others as a list of sets. Within the
library both are :class:`NvSets`. ``fshalib.cib.nvset_field`` makes them from the pillar and from
the CIB; :func:`in_pillar` and :func:`shown` turn them back into plain data.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fshalib.cib.values import UnitError, score_value

FIRST = "cib-bootstrap-options"
"""The id of the set of properties that comes before all others, whatever their scores."""


def score_of(text: str | None) -> int:
    """Return the score of a set; text that is no score counts as 0."""
    try:
        return score_value(text or "0")
    except UnitError:
        return 0


@dataclass(frozen=True)
class NvSet:
    """One set: its nvpairs, its rule, and its score among other sets.

    ``id_ref`` names another set to use in place of nvpairs; ``id`` is kept only if an ``id-ref``
    points to it.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    rule: str | None = None
    score: str | None = None
    id: str | None = None
    id_ref: str | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "NvSet":
        """Make a set from an item of a list in the pillar."""
        keys = ("rule", "score", "id")
        texts = {key: data[key] for key in keys if key in data}
        return cls(data.get("values", {}), id_ref=data.get("id-ref"), **texts)

    @property
    def plain(self) -> bool:
        """Whether it has neither a rule nor an ``id-ref``."""
        return self.rule is None and self.id_ref is None

    @property
    def weight(self) -> int:
        """The score as a number."""
        return score_of(self.score)

    def without(self, names: Collection[str]) -> "NvSet":
        """Return the set without the nvpairs of some names."""
        return replace(self, values={n: v for n, v in self.values.items() if n not in names})

    def as_item(self) -> dict[str, Any]:
        """Return the set as the pillar writes it in a list."""
        texts = {"id-ref": self.id_ref, "score": self.score, "id": self.id, "rule": self.rule}
        values = {} if self.id_ref is not None else {"values": dict(self.values)}
        return {**{key: text for key, text in texts.items() if text is not None}, **values}


@dataclass(frozen=True)
class NvSets:
    """All sets of one kind that an object has: ``params``, ``meta``, ``utilization`` and so on.

    ``listed`` tells whether the pillar writes a list. An empty mapping is no set, any other
    mapping is one set without rule or score.
    """

    sets: tuple[NvSet, ...] = ()
    listed: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, data: Mapping[str, str] | Iterable[Mapping[str, Any]]) -> "NvSets":
        """Make sets from the pillar's data: a mapping, or a list of sets."""
        if isinstance(data, Mapping):
            return cls((NvSet(dict(data)),) if data else ())
        return cls(tuple(map(NvSet.of, data)), listed=True)

    @classmethod
    def several(cls, sets: Iterable[NvSet]) -> "NvSets":
        """Make sets that the pillar writes as a list."""
        return cls(tuple(sets), listed=True)

    def __iter__(self) -> Iterator[NvSet]:
        """Yield the sets in their order."""
        return iter(self.sets)

    def __bool__(self) -> bool:
        """Tell whether there is any set."""
        return bool(self.sets)

    @property
    def conditional(self) -> tuple[NvSet, ...]:
        """The sets with a rule or an ``id-ref``."""
        return tuple(nvset for nvset in self if not nvset.plain)

    def plain_values(self) -> dict[str, str]:
        """Return the values of all sets without a rule; the first of a name counts."""
        values: dict[str, str] = {}
        for nvset in self:
            for name, text in nvset.values.items() if nvset.rule is None else ():
                values.setdefault(name, text)
        return values

    def without(self, names: Collection[str], conditional: bool = False) -> "NvSets":
        """Return the sets without the nvpairs of some names.

        conditional
            Whether sets with a rule lose them too.
        """
        sets = (nvset.without(names) if nvset.plain or conditional else nvset for nvset in self)
        return self._with(sets)

    def with_values(self, more: Mapping[str, str]) -> "NvSets":
        """Return the sets with more nvpairs in the first plain one; names with a value keep it."""
        known = self.plain_values()
        left = {name: text for name, text in more.items() if name not in known}
        if not left:
            return self
        sets = list(self)
        first = next((number for number, nvset in enumerate(sets) if nvset.plain), len(sets))
        nvset = sets[first] if first < len(sets) else NvSet()
        sets[first : first + 1] = [replace(nvset, values={**nvset.values, **left})]
        return self._with(sets)

    def _with(self, sets: Iterable[NvSet]) -> "NvSets":
        """Return other sets in the same notation."""
        return replace(self, sets=tuple(nvset for nvset in sets if self.listed or nvset.values))

    def as_items(self) -> list[dict[str, Any]]:
        """Return the sets as the pillar writes them in a list."""
        return [nvset.as_item() for nvset in self]

    def in_pillar(self) -> dict[str, str] | list[dict[str, Any]]:
        """Return the sets as the pillar writes them."""
        return self.as_items() if self.listed else self.plain_values()

    def shown(self) -> dict[str, str] | list[dict[str, Any]]:
        """Return the sets for a difference: as in the pillar, without empty keys."""
        if not self.listed:
            return self.plain_values()
        return [{key: value for key, value in item.items() if value} for item in self.as_items()]


NO_SETS = NvSets()


def in_pillar(data: Any) -> Any:
    """Return a spec, or any data within one, as the pillar writes it."""
    return _convert(data, NvSets.in_pillar)


def shown(data: Any) -> Any:
    """Return a normal form, or any data within one, as people see it."""
    return _convert(data, NvSets.shown)


def _convert(data: Any, turn: Callable[[NvSets], Any]) -> Any:
    if isinstance(data, NvSets):
        return turn(data)
    if isinstance(data, Mapping):
        return {key: _convert(value, turn) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_convert(value, turn) for value in data]
    return data
