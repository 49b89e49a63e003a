"""Describe what a mapping may hold, check it, and tell every mistake in one sentence.

A description is a tree of kinds (:class:`Section`, :class:`Named`, :class:`ListOf`,
:class:`Text` …). The same tree checks a pillar, fills in defaults and makes the pillar
reference, so that the three never differ. Nothing here knows what fsha's pillar holds: that
is ``fshalib.pillar.schema``.

A check never stops at the first mistake and never raises for bad input: it reports to a
:class:`Report` and returns :data:`INVALID` in place of what cannot be used.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

Key = str | int
Keys = tuple[Key, ...]

SHOWN = 60
"""So many characters of a value, or of a key, are shown in a message at most."""

# What XML 1.0 cannot hold, and what does not belong in one line of text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MAX_BITS = 64


class _Mark:
    """A value that is none of a pillar's own."""

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


# --- errors --------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConfigError:
    """One mistake: the path of the key (``fsha:nodes:fs1:addresses``) and what was expected."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the whole sentence as it is shown to people."""
        return f"{self.path}: {self.message}"


class ConfigErrors(Exception):  # noqa: N818  it is many errors
    """Input is wrong; ``errors`` holds every mistake in the order of the input."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass
class Report:
    """Collects mistakes with the keys that lead to them."""

    found: list[tuple[Keys, str]] = field(default_factory=list)

    def add(self, keys: Keys, message: str) -> None:
        """Note a mistake at ``keys``; the same one twice counts once."""
        if (keys, message) not in self.found:
            self.found.append((keys, message))

    def errors(self, raw: object, root: str = "fsha") -> tuple[ConfigError, ...]:
        """Return the mistakes in the order in which the keys stand in ``raw``."""
        ordered = sorted(self.found, key=lambda item: _position(raw, item[0]))
        return tuple(ConfigError(path(keys, root), message) for keys, message in ordered)

    def raise_for(self, raw: object, root: str = "fsha") -> None:
        """Raise :class:`ConfigErrors` when there is any mistake."""
        if self.found:
            raise ConfigErrors(self.errors(raw, root))


@dataclass(frozen=True)
class At:
    """A place in the input and where to report about it."""

    report: Report
    keys: Keys = ()

    def below(self, *keys: Key) -> "At":
        """Return the place below this one."""
        return At(self.report, (*self.keys, *keys))

    def error(self, message: str) -> None:
        """Report a mistake at this place."""
        self.report.add(self.keys, message)


def _position(raw: object, keys: Keys) -> tuple[int, ...]:
    """Return where ``keys`` stand in ``raw``; a key that is not there comes last."""
    places = []
    for key in keys:
        if isinstance(raw, Mapping):
            names = list(raw)
            place = names.index(key) if key in names else len(names)
            raw = raw.get(key)
        elif isinstance(key, int) and isinstance(raw, (list, tuple)) and key < len(raw):
            place, raw = key, raw[key]
        else:
            place = 0
        places.append(place)
    return tuple(places)


def given(raw: object, *keys: Key) -> object:
    """Return what was given at ``keys``, or ``None``."""
    for key in keys:
        if isinstance(raw, Mapping):
            raw = raw.get(key)
        elif isinstance(raw, (list, tuple)) and isinstance(key, int) and key < len(raw):
            raw = raw[key]
        else:
            return None
    return raw


def section(raw: object, *keys: str) -> Mapping[str, Any]:
    """Return a mapping of an unchecked pillar, an empty one for whatever is none on the way there.

    What is wrong with it is for the pillar check to say, and no reason not to look at a cluster.
    """
    found = given(raw, *keys)
    return found if isinstance(found, Mapping) else {}


def path(keys: Keys, root: str = "fsha") -> str:
    """Return keys as people write them: ``fsha:nodes:fs1:addresses``."""
    names = [printable(key) if isinstance(key, str) else str(key) for key in keys]
    return ":".join([root, *names] if root else names)


# --- showing values ------------------------------------------------------------------------


def printable(text: str, limit: int = SHOWN) -> str:
    """Return text on one line and not too long, so that it can stand in a message."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:limit])
    return shown if len(text) <= limit else shown + "…"


def quoted(text: str) -> str:
    """Return text in double quotes, printable."""
    return f'"{printable(text)}"'


def what(value: object) -> str:
    """Name the type of a value without showing the value itself."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (type(None), "nothing (the key has no value)"),
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        (Mapping, "a mapping"),
        ((list, tuple), "a list"),
    )
    for kind, name in names:
        if isinstance(value, kind):
            return name
    return f"a value of type {type(value).__name__}"


def show(value: object) -> str:
    """Return a plain value as it may be shown; of anything else only what it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
        return f"the number {value}"
    if isinstance(value, float):
        return f"the number {value}"
    return quoted(value) if isinstance(value, str) else what(value)


# So near to a known name is a slip of the pen, where other names may be given too.
_SLIP = 0.85
_NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{1,200}")


def nearest(text: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that comes nearest to ``text``, if any is near; case does not count."""
    by_fold = {_fold(name): name for name in names}
    found = difflib.get_close_matches(_fold(text[:200]), list(by_fold), n=1, cutoff=cutoff)
    return by_fold[found[0]] if found else None


def _fold(text: str) -> str:
    return text.casefold().replace("_", "-")


def suggestion(text: str, names: Iterable[str], at_most: int = 12) -> str:
    """Return a question with the nearest name, or the list of names, or nothing.

    Either ends the sentence: ``; did you mean "token"?`` or ``; known: a, b.``.
    """
    names = list(names)
    near = nearest(text, names)
    if near is not None:
        return f'; did you mean "{printable(near)}"?'
    if 0 < len(names) <= at_most:
        return f"; known: {', '.join(printable(name) for name in names)}."
    return "."


# --- plain values as the cluster's text ----------------------------------------------------


def text(value: object) -> str:
    """Return a plain value as the cluster stores it: ``True`` is ``true``, ``3`` is ``3``.

    Raises :class:`TypeError` for what is no plain value (``None``, a list, a mapping) and
    for numbers of more than 64 bits.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
        return str(value)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, str):
        return value
    raise TypeError(f"text, a number, true or false is expected, not {what(value)}.")


# --- kinds ---------------------------------------------------------------------------------


class Kind(Protocol):
    """Something that can be expected of a value."""

    @property
    def expected(self) -> str:
        """What is expected, in words that go before "is expected"."""

    def check(self, value: object, at: At) -> object:
        """Return the value as it will be used, or report and return :data:`INVALID`."""


def _refuse(at: At, expected: str, shown: str) -> _Mark:
    at.error(f"{expected} is expected, not {shown}.")
    return INVALID


@dataclass(frozen=True)
class Flag:
    """``true`` or ``false``."""

    expected: str = "true or false"

    def check(self, value: object, at: At) -> object:
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

    def check(self, value: object, at: At) -> object:
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

    YAML reads a bare ``off`` or ``on`` as false or true: where only the word can be meant,
    it is taken for it. ``synonyms`` are older words and the one that is used instead.
    """

    words: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict)

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        first = ", ".join(self.words[:-1])
        return f"{first} or {self.words[-1]}" if first else self.words[-1]

    def check(self, value: object, at: At) -> object:
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

    ``hidden`` values never stand in a message: secrets, and what people mistake for a place
    to put one.
    """

    expected: str = "text"
    pattern: str = r"[\s\S]+"
    test: Callable[[str], bool] | None = None
    hidden: bool = False

    def check(self, value: object, at: At) -> object:
        """Return the text."""
        if not isinstance(value, str):
            return _refuse(at, self.expected, what(value) if self.hidden else show(value))
        good = (
            re.fullmatch(self.pattern, value, re.ASCII) is not None
            and _CONTROL.search(value) is None
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

    def check(self, value: object, at: At) -> object:
        """Return the text."""
        try:
            plain = text(value)
        except TypeError:
            return _refuse(at, self.expected, self._shown(value))
        if _CONTROL.search(re.sub(r"[\t\n\r]", "", plain) if self.lines else plain):
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

    item: Kind
    expected: str
    low: int = 0
    high: int | None = None
    keyed: bool = False
    distinct: bool = False

    def check(self, value: object, at: At) -> object:
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

    def _unique(self, items: list[object], at: At) -> object:
        twice = [item for index, item in enumerate(items) if item in items[:index]]
        for item in twice:
            at.error(f"{show(item)} is in this list twice; each is expected once.")
        return INVALID if twice else items


@dataclass(frozen=True)
class Field:
    """What is known of one key of a :class:`Section`.

    ``theirs`` is the default that corosync or Pacemaker has when the key is left out.
    """

    kind: Kind
    doc: str
    default: object = UNSET
    example: object = UNSET
    theirs: str = ""


@dataclass(frozen=True)
class Section:
    """A mapping with known keys.

    ``aliases`` are other names of keys; ``elsewhere`` says of keys that people may look for
    here where their like is given. ``others`` is what keys that are not known may hold, as
    long as they are no slip of the pen for a known one; without it they are refused.
    """

    fields: Mapping[str, Field]
    expected: str = "a mapping"
    aliases: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    others: Kind | None = None

    def check(self, value: object, at: At) -> object:
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

    def _known(self, key: object, at: At) -> str | None:
        if not isinstance(key, str):
            at.error(f"a name is expected as a key, not {show(key)}.")
            return None
        if key in self.elsewhere:
            at.below(key).error(self.elsewhere[key])
            return None
        name = self.aliases.get(key, key)
        if name in self.fields:
            return name
        names = [*self.fields, *self.aliases]
        if self.others is not None and nearest(key, names, _SLIP) is None:
            if _NAME.fullmatch(key):
                return key
            at.below(key).error(f"a name without spaces is expected, not {quoted(key)}.")
            return None
        at.below(key).error(f"a known key is expected{suggestion(key, names)}")
        return None

    def _kind(self, name: str) -> Kind:
        known = self.fields.get(name)
        return cast(Kind, self.others) if known is None else known.kind

    def _default(self, name: str, known: Field, at: At) -> object:
        if known.default is REQUIRED:
            at.below(name).error(f"this key is missing; {known.kind.expected} is expected.")
            return INVALID
        if known.default is UNSET:
            return UNSET
        return known.kind.check(known.default, at.below(name))


@dataclass(frozen=True)
class Named:
    """A mapping whose keys are names that the user gives.

    What is below a name is kept, as far as it is good, even when something in it is wrong,
    so that other places may still refer to the name.
    """

    item: Kind
    name: Text
    expected: str = "a mapping"
    low: int = 0

    def check(self, value: object, at: At) -> object:
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
            if self.name.check(key, At(Report())) is INVALID:
                here.error(f"{self.name.expected} is expected as a name, not {quoted(key)}.")
            checked = self.item.check(item, here)
            result[key] = {} if checked is INVALID else checked
        return result


# --- defaults --------------------------------------------------------------------------------


def defaults(section: Section) -> dict[str, object]:
    """Return the nested mapping of all defaults, as ``parameters/defaults.yaml`` holds it."""
    result: dict[str, object] = {}
    for name, known in section.fields.items():
        if isinstance(known.kind, Section):
            inner = defaults(known.kind)
            if inner or known.default is not UNSET:
                result[name] = inner
        elif known.default is not UNSET and known.default is not REQUIRED:
            result[name] = known.default
    return result
