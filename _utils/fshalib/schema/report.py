"""Mistakes in input: the place of each, and a sentence about it."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fshalib.errors import InputError

Key = str | int
Keys = tuple[Key, ...]

SHOWN = 60
"""A message shows at most this many characters of a value or key."""

# What XML 1.0 cannot hold, and what does not belong in one line of text.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_MAX_BITS = 64


@dataclass(frozen=True)
class ConfigError:
    """One mistake: the path of the key (``fsha:nodes:fs1:addresses``) and what was expected."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the whole sentence as it is shown to people."""
        return f"{self.path}: {self.message}"


class ConfigErrors(InputError):
    """Input is wrong; ``errors`` holds every mistake in the order of the input."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass
class Report:
    """Collects mistakes with their keys, and the keys that fsha no longer reads."""

    mistakes: list[tuple[Keys, str]] = field(default_factory=list)
    retired: list[Keys] = field(default_factory=list)

    def add(self, keys: Keys, message: str) -> None:
        """Note a mistake at ``keys``, once only."""
        if (keys, message) not in self.mistakes:
            self.mistakes.append((keys, message))

    def errors(self, raw: object, root: str = "fsha") -> tuple[ConfigError, ...]:
        """Return the mistakes in the order of the keys in ``raw``."""
        ordered = sorted(self.mistakes, key=lambda item: _position(raw, item[0]))
        return tuple(ConfigError(path(keys, root), message) for keys, message in ordered)

    def raise_for(self, raw: object, root: str = "fsha") -> None:
        """Raise :class:`ConfigErrors` when there is any mistake."""
        if self.mistakes:
            raise ConfigErrors(self.errors(raw, root))


@dataclass(frozen=True)
class Location:
    """A place in the input, and the report for its mistakes."""

    report: Report
    keys: Keys = ()

    def below(self, *keys: Key) -> "Location":
        """Return the place below this one."""
        return Location(self.report, (*self.keys, *keys))

    def error(self, message: str) -> None:
        """Report a mistake at this place."""
        self.report.add(self.keys, message)

    def retire(self) -> None:
        """Note that fsha no longer reads the key at this place; that is no mistake."""
        self.report.retired.append(self.keys)


def _position(raw: object, keys: Keys) -> tuple[int, ...]:
    """Return the position of ``keys`` in ``raw``; a missing key comes last."""
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
    """Return a mapping of an unchecked pillar, empty if there is none at these keys.

    The pillar check reports what is wrong; a look at the cluster goes on without it.
    """
    value = given(raw, *keys)
    return value if isinstance(value, Mapping) else {}


def path(keys: Keys, root: str = "fsha") -> str:
    """Return keys as people write them: ``fsha:nodes:fs1:addresses``."""
    names = [printable(key) if isinstance(key, str) else str(key) for key in keys]
    return ":".join([root, *names] if root else names)


def printable(text: str, limit: int = SHOWN) -> str:
    """Return text for a message: one line, and not too long."""
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
    """Return a plain value as a message may show it, else only its type."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
        return f"the number {value}"
    if isinstance(value, float):
        return f"the number {value}"
    return quoted(value) if isinstance(value, str) else what(value)


# A name this near to a known one is a slip of the pen, also where other names are allowed.
SLIP = 0.85
NAME = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{1,200}")


def nearest(text: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name nearest to ``text``, if any is near; case does not count."""
    by_fold = {_fold(name): name for name in names}
    close = difflib.get_close_matches(_fold(text[:200]), list(by_fold), n=1, cutoff=cutoff)
    return by_fold[close[0]] if close else None


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


def text(value: object) -> str:
    """Return a plain value as the cluster stores it: ``True`` is ``true``, ``3`` is ``3``.

    Raises :class:`TypeError` for anything else (``None``, a list, a mapping) and
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
