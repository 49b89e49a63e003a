"""Describe what a mapping may hold, check it, and report each mistake in one sentence.

A schema nests types of values (:class:`Record`, :class:`Named`, :class:`ListOf`, :class:`Text`
…). The same schema checks a pillar, fills in defaults and makes the pillar reference, so the
three never differ. The schema of fsha's pillar is ``fshalib.pillar.schema``.

A check reports every mistake to a :class:`Report` and never raises for bad input. In place of
a wrong value it returns :data:`INVALID`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from fshalib.schema.report import (
    CONTROL,
    NAME,
    SLIP,
    Location,
    Report,
    nearest,
    quoted,
    show,
    suggestion,
    text,
    what,
)


class _Mark:
    """A value that no pillar holds."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


INVALID: Final = _Mark("INVALID")
"""Stands for a value that was reported as wrong."""

UNSET: Final = _Mark("UNSET")
"""The default of a key that may be left out and then has no value."""

REQUIRED: Final = _Mark("REQUIRED")
"""The default of a key that must be given."""


# --- types of values ------------------------------------------------------------------------


class ValueType(Protocol):
    """Something that can be expected of a value."""

    @property
    def expected(self) -> str:
        """What is expected, in words that go before "is expected"."""

    def check(self, value: object, at: Location) -> object:
        """Return the value as it will be used, or report and return :data:`INVALID`."""


def _refuse(at: Location, expected: str, shown: str) -> _Mark:
    at.error(f"{expected} is expected, not {shown}.")
    return INVALID


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``."""

    expected: str = "true or false"

    def check(self, value: object, at: Location) -> object:
        """Return the bool."""
        return value if isinstance(value, bool) else _refuse(at, self.expected, show(value))


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds, both included; ``unit`` for the reference."""

    low: int = 0
    high: int = 2**31 - 1
    unit: str = ""

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        unit = f" of {self.unit}" if self.unit else ""
        if self.high == 2**31 - 1:
            return f"a whole number{unit} from {self.low} on"
        return f"a whole number{unit} from {self.low} to {self.high}"

    def check(self, value: object, at: Location) -> object:
        """Return the int."""
        if isinstance(value, bool) or not isinstance(value, int):
            shown = f"the text {show(value)}" if isinstance(value, str) else show(value)
            return _refuse(at, self.expected, shown)
        if not self.low <= value <= self.high:
            return _refuse(at, self.expected, show(value))
        return value


@dataclass(frozen=True)
class Choice:
    """One of a few words.

    YAML reads a bare ``off`` or ``on`` as false or true; if only the word can be meant, the
    check takes it. ``synonyms`` are older words, each with the present one.
    """

    words: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        first = ", ".join(self.words[:-1])
        return f"{first} or {self.words[-1]}" if first else self.words[-1]

    def check(self, value: object, at: Location) -> object:
        """Return the word in the spelling of the list."""
        if isinstance(value, bool):
            meant = ("on", "yes", "true") if value else ("off", "no", "false")
            value = next((word for word in self.words if word in meant), value)
        if isinstance(value, str):
            for word in (*self.words, *self.synonyms):
                if word.casefold() == value.casefold():
                    return self.synonyms.get(word, word)
            near = nearest(value, self.words)
            hint = f' (did you mean "{near}"?)' if near else ""
            return _refuse(at, self.expected, f"{quoted(value)}{hint}")
        return _refuse(at, self.expected, show(value))


@dataclass(frozen=True)
class Text:
    """One line of text, which ``pattern`` must match whole and ``test`` must accept.

    No message shows a ``hidden`` value: a secret, or a key that people may put one into.
    """

    expected: str = "text"
    pattern: str = r"[\s\S]+"
    test: Callable[[str], bool] | None = None
    hidden: bool = False

    def check(self, value: object, at: Location) -> object:
        """Return the text."""
        if not isinstance(value, str):
            return _refuse(at, self.expected, what(value) if self.hidden else show(value))
        good = (
            re.fullmatch(self.pattern, value, re.ASCII) is not None
            and CONTROL.search(value) is None
            and (self.test is None or self.test(value))
        )
        if good:
            return value
        return _refuse(at, self.expected, "what is given" if self.hidden else quoted(value))


@dataclass(frozen=True)
class Plain:
    """Text, a number, true or false, turned into the cluster's text; values are not shown.

    ``convert`` makes the canonical text out of it, or raises :class:`ValueError`; ``lines``
    takes text of several lines.
    """

    expected: str = "text, a number, true or false"
    convert: Callable[[str], str] | None = None
    hidden: bool = True
    lines: bool = False

    def check(self, value: object, at: Location) -> object:
        """Return the text."""
        try:
            plain = text(value)
        except TypeError:
            return _refuse(at, self.expected, self._shown(value))
        if CONTROL.search(re.sub(r"[\t\n\r]", "", plain) if self.lines else plain):
            return _refuse(at, self.expected, "text with control characters")
        if self.convert is None:
            return plain
        try:
            return self.convert(plain)
        except ValueError:
            return _refuse(at, self.expected, self._shown(value))

    def _shown(self, value: object) -> str:
        return what(value) if self.hidden else show(value)


@dataclass(frozen=True)
class ListOf:
    """A list; ``keyed`` puts the position of an item into the path of its mistakes."""

    item: ValueType
    expected: str
    low: int = 0
    high: int | None = None
    keyed: bool = False
    distinct: bool = False

    def check(self, value: object, at: Location) -> object:
        """Return a list, or :data:`INVALID` when any item is wrong."""
        if not isinstance(value, (list, tuple)):
            return _refuse(at, self.expected, what(value))
        if len(value) < self.low:
            amount = f"{len(value)} of them" if value else "an empty list"
            return _refuse(at, self.expected, amount)
        if self.high is not None and len(value) > self.high:
            return _refuse(at, f"at most {self.high} in this list", str(len(value)))
        items = [
            self.item.check(item, at.below(index) if self.keyed else at)
            for index, item in enumerate(value)
        ]
        if any(item is INVALID for item in items):
            return INVALID
        return items if not self.distinct else self._unique(items, at)

    def _unique(self, items: list[object], at: Location) -> object:
        twice = [item for index, item in enumerate(items) if item in items[:index]]
        for item in twice:
            at.error(f"{show(item)} is in this list twice; each is expected once.")
        return INVALID if twice else items


@dataclass(frozen=True)
class Field:
    """One key of a :class:`Record`.

    ``theirs`` is the default that corosync or Pacemaker has when the key is left out.
    """

    kind: ValueType
    doc: str
    default: object = UNSET
    example: object = UNSET
    theirs: str = ""


@dataclass(frozen=True)
class Record:
    """A mapping with known keys.

    ``aliases`` are other names of keys. ``elsewhere`` has keys that belong to another place, each
    with a sentence that names the place. ``others`` is the type of unknown keys; without it they
    are refused, and so is a slip of the pen for a known key. ``retired`` are keys of older
    versions: their values are left out.
    """

    fields: Mapping[str, Field]
    expected: str = "a mapping"
    aliases: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    others: ValueType | None = None
    retired: frozenset[str] = frozenset()

    def check(self, value: object, at: Location) -> object:
        """Return a dict with every good value and every default; bad keys are left out."""
        if not isinstance(value, Mapping):
            return _refuse(at, self.expected, what(value))
        given: dict[str, object] = {}
        for key, item in value.items():
            name = self._known(key, at)
            if name is None:
                continue
            if name in given:
                at.below(key).error(f'"{name}" is expected only once; this is its other name.')
                continue
            given[name] = self._kind(name).check(item, at.below(key))
        for name, known in self.fields.items():
            if name not in given:
                given[name] = self._default(name, known, at)
        return {n: given[n] for n in given if given[n] is not INVALID and given[n] is not UNSET}

    def _known(self, key: object, at: Location) -> str | None:
        if not isinstance(key, str):
            at.error(f"a name is expected as a key, not {show(key)}.")
            return None
        if key in self.elsewhere:
            at.below(key).error(self.elsewhere[key])
            return None
        if key in self.retired:
            at.below(key).retire()
            return None
        name = self.aliases.get(key, key)
        if name in self.fields:
            return name
        names = [*self.fields, *self.aliases]
        if self.others is not None and nearest(key, names, SLIP) is None:
            if NAME.fullmatch(key):
                return key
            at.below(key).error(f"a name without spaces is expected, not {quoted(key)}.")
            return None
        at.below(key).error(f"a known key is expected{suggestion(key, names)}")
        return None

    def _kind(self, name: str) -> ValueType:
        known = self.fields.get(name)
        return cast(ValueType, self.others) if known is None else known.kind

    def _default(self, name: str, known: Field, at: Location) -> object:
        if known.default is REQUIRED:
            at.below(name).error(f"this key is missing; {known.kind.expected} is expected.")
            return INVALID
        if known.default is UNSET:
            return UNSET
        return known.kind.check(known.default, at.below(name))


@dataclass(frozen=True)
class Named:
    """A mapping whose keys are names that the user gives.

    A name with a wrong item is kept with the good values of the item: other places may still
    refer to the name.
    """

    item: ValueType
    name: Text
    expected: str = "a mapping"
    low: int = 0

    def check(self, value: object, at: Location) -> object:
        """Return a dict of the items by name, in order; a wrong item is an empty dict."""
        if not isinstance(value, Mapping):
            return _refuse(at, self.expected, what(value))
        if len(value) < self.low:
            shown = f"{len(value)}" if value else "an empty mapping"
            return _refuse(at, self.expected, shown)
        result: dict[str, object] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                at.error(f"{self.name.expected} is expected as a key, not {show(key)}.")
                continue
            here = at.below(key)
            if self.name.check(key, Location(Report())) is INVALID:
                here.error(f"{self.name.expected} is expected as a name, not {quoted(key)}.")
            checked = self.item.check(item, here)
            result[key] = {} if checked is INVALID else checked
        return result


# --- defaults --------------------------------------------------------------------------------


def defaults(section: Record) -> dict[str, object]:
    """Return the nested mapping of all defaults, as ``parameters/defaults.yaml`` holds it."""
    result: dict[str, object] = {}
    for name, known in section.fields.items():
        if isinstance(known.kind, Record):
            inner = defaults(known.kind)
            if inner or known.default is not UNSET:
                result[name] = inner
        elif known.default is not UNSET and known.default is not REQUIRED:
            result[name] = known.default
    return result
