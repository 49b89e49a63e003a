"""The types of a verb's arguments: one sentence for what is of none of them.

A command line, a state, a reactor and Salt's API give arguments of any type, and Python itself
would take many of them.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from fshalib.errors import ArgumentError
from fshalib.schema.report import CONTROL, show

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """What an argument may be: in words, and as a test."""

    expected: str
    fits: Callable[[object], bool]

    def __or__(self, other: "Kind") -> "Kind":
        """Return a kind that is either."""
        words = " or ".join(word for word in (self.expected, other.expected) if word)
        return Kind(words, lambda value: self.fits(value) or other.fits(value))


def _is_line(value: object) -> bool:
    return isinstance(value, str) and value != "" and CONTROL.search(value) is None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_seconds(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and float(value) >= 0 and math.isfinite(float(value))  # type: ignore[arg-type]


def _is_flag(value: object) -> bool:
    # A number of YAML counts, as it does in Salt.
    return value is None or (isinstance(value, (bool, int)) and value in (0, 1))


NONE = Kind("", lambda value: value is None)
"""Nothing: what the argument is without being given."""
FLAG = Kind("true or false", _is_flag)
LINE = Kind("one line of text", _is_line)
TEXT = Kind("text", lambda value: isinstance(value, str))
PATH = Kind("the path of a file", _is_line)
FOLDER = Kind("the path of a directory", _is_line)
NAME = Kind("a name", _is_line)
COUNT = Kind("a whole number from 0 on", _is_count)
SECONDS = Kind("a number of seconds", _is_seconds)
MAPPING = Kind("a mapping", lambda value: isinstance(value, Mapping))
LIST = Kind("a list of text", lambda value: isinstance(value, (list, tuple))
            and all(isinstance(item, str) for item in value))  # fmt: skip


def typed(**kinds: Kind) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that checks the arguments of a verb before it runs.

    kinds
        What each argument may be, by its name; others are not looked at.

    The verb raises :class:`errors.ArgumentError` for the first one of another type.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        names = list(inspect.signature(function).parameters)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            # Too many or unknown arguments are Python's to refuse, and Salt's to explain.
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            for name, kind in kinds.items():
                if name in given and not kind.fits(given[name]):
                    expected = kind.expected
                    raise ArgumentError(f"{name}: {expected} is expected, not {show(given[name])}.")
            return function(*args, **kwargs)

        return call

    return decorate
