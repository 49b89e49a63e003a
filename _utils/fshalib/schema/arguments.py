"""What an operator gives to a verb, by the names of the arguments, before the verb looks at it.

Salt reads words of a command line as YAML, and hands on what a schedule or a reactor has. So any
argument may come as anything, and an empty ``test`` must not become a real run.
"""

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from fshalib.errors import ArgumentError, raising
from fshalib.schema.report import CONTROL

P = ParamSpec("P")
T = TypeVar("T")


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


_NAME = "text of one line"
_PATH = "a file's name"
_SECONDS = "a number of seconds"
_ARGUMENTS: Mapping[str, tuple[Callable[[object], object], str]] = {
    **dict.fromkeys(
        ("absent", "allow_restart", "as_data", "complete", "force", "override", "test"),
        (_flag, "true or false"),
    ),
    **dict.fromkeys(
        ("by", "node", "reason", "resource", "run", "target", "transaction"), (_text, _NAME)
    ),
    **dict.fromkeys(("cib", "corosync_conf", "file"), (_file, _PATH)),
    "pillar": (_pillar, "a pillar, or the name of a file"),
    **dict.fromkeys(("patience", "settle_timeout"), (_number, _SECONDS)),
}


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """Return a verb that is given its arguments in the types that it expects.

    function
        Which of its arguments are looked at goes by their names. It raises :class:`ArgumentError`
        for one that is nothing of the kind.
    """
    known = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        given = known.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            if name in _ARGUMENTS:
                needed = known.parameters[name].default is inspect.Parameter.empty
                given.arguments[name] = _checked(name, value, needed)
        return function(*given.args, **given.kwargs)

    return call


def _checked(name: str, value: Any, needed: bool) -> object:
    check, expected = _ARGUMENTS[name]
    try:
        if not needed or value is not None:
            return check(value)
    except (TypeError, ValueError):
        pass
    raise ArgumentError(f"{name}: {expected} is expected, not {value!r:.80}")


def verb(
    failed: type[Exception], wrong: type[Exception]
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return the decorator of a verb: it checks arguments, and turns errors into Salt's.

    failed, wrong
        As for :func:`errors.raising`.
    """
    turned = raising(failed, wrong)
    return lambda function: turned(checked(function))
