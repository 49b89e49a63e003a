"""What an operator gives to a verb, before the verb looks at it: read by name, checked by type.

Salt reads words of a command line as YAML, and hands on what a schedule, a reactor or its API has.
So any argument may come as anything, and an empty ``test`` must not become a real run.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from fshalib.errors import ArgumentError, raising
from fshalib.schema.report import CONTROL, show

P = ParamSpec("P")
T = TypeVar("T")

# --- checked by type -----------------------------------------------------------------------------


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


_TYPED: dict[Callable[..., Any], frozenset[str]] = {}
"""The arguments of each verb whose types are checked."""


def _shown(value: object) -> str:
    return "nothing" if value is None else show(value)


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
                    raise ArgumentError(
                        f"{name}: {expected} is expected, not {_shown(given[name])}."
                    )
            return function(*args, **kwargs)

        _TYPED[call] = frozenset(kinds)
        return call

    return decorate


# --- read by name ---------------------------------------------------------------------------------

_TRUTH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def _flag(value: object) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    word = str(value).lower() if isinstance(value, (str, int)) else ""
    if word not in _TRUTH:
        raise ValueError
    return _TRUTH[word]


def _text(value: object) -> str | None:
    """Return text of one line; a number is text that YAML has read."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError
    text = str(value)
    if CONTROL.search(text):
        raise ValueError
    return text


def _file(value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise ValueError
    return _text(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError
    return int(number) if number.is_integer() else number


def _pillar(value: object) -> object:
    if isinstance(value, str) and CONTROL.search(value):
        raise ValueError
    return value


_ARGUMENTS: Mapping[str, tuple[Callable[[object], object], str]] = {
    **dict.fromkeys(
        ("absent", "allow_restart", "as_data", "complete", "force", "override", "test"),
        (_flag, FLAG.expected),
    ),
    **dict.fromkeys(
        ("by", "node", "reason", "resource", "run", "target", "transaction"), (_text, LINE.expected)
    ),
    **dict.fromkeys(("cib", "corosync_conf", "file"), (_file, PATH.expected)),
    "pillar": (_pillar, f"{PATH.expected} or {MAPPING.expected}"),
    **dict.fromkeys(("patience", "settle_timeout"), (_number, SECONDS.expected)),
}


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """Return a verb that is given its arguments in the types that it expects.

    function
        Which of its arguments are looked at goes by their names. It raises :class:`ArgumentError`
        for one that is nothing of the kind.
    """
    known = inspect.signature(function)
    typed_ones = _TYPED.get(function, frozenset())

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        given = known.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            if name in _ARGUMENTS:
                needed = known.parameters[name].default is inspect.Parameter.empty
                given.arguments[name] = _read(name, value, needed, name in typed_ones)
        return function(*given.args, **given.kwargs)

    return call


def _read(name: str, value: Any, needed: bool, checked_later: bool) -> object:
    check, expected = _ARGUMENTS[name]
    try:
        if not needed or value is not None:
            return check(value)
    except (TypeError, ValueError):
        pass
    if checked_later:
        return value
    raise ArgumentError(f"{name}: {expected} is expected, not {_shown(value)}.")


def verb(
    failed: type[Exception], wrong: type[Exception]
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return the decorator of a verb: it checks arguments, and turns errors into Salt's.

    failed, wrong
        As for :func:`errors.raising`.
    """
    turned = raising(failed, wrong)
    return lambda function: turned(checked(function))
