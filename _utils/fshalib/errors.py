"""The errors of the library: one base, and the families below it.

An error's text is for people: what could not be done, where, and what to do. Its attributes are the
same facts as data.
"""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class FshaError(Exception):
    """Something could not be done, or makes no sense; the text says why and what to do."""

    @property
    def data(self) -> dict[str, object]:
        """The facts of the text, by name."""
        return {name: fact for name, fact in vars(self).items() if not name.startswith("_")}


# --- what somebody has written -----------------------------------------------------------------


class ArgumentError(FshaError):
    """An argument of a verb is none that it takes."""


class InputError(FshaError):
    """A pillar, or a part of one, is wrong."""


class ValueTextError(InputError, ValueError):
    """A single value is not of the type that it should be."""


# --- the live pair -------------------------------------------------------------------------------


class LiveError(FshaError):
    """The live pair could not be asked or changed: a program, the CIB, a commit, a lock."""


class RunError(LiveError):
    """A program could not do what was asked of it."""


class CibError(LiveError):
    """A CIB is none, or what is wanted of it cannot be."""


class CommitError(LiveError):
    """A change of the CIB was not committed, or not to its end."""


class LockError(FshaError):
    """One verb on the pair at a time: the lock is somebody else's, or can't be taken."""


class SwitchoverError(FshaError):
    """A switchover is refused or has failed; the text says why and what to do."""


# --- files and other programs' data -------------------------------------------------------------


class HistoryError(FshaError):
    """A restore point cannot be read or written."""


class CorosyncError(FshaError):
    """What corosync has, or is to get, makes no sense."""


class FreeSwitchError(FshaError):
    """What FreeSWITCH has, or answers, makes no sense."""


def raising(
    failed: type[Exception], wrong: type[Exception]
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator that turns the library's errors into somebody else's, Salt's.

    failed
        Is raised for any error, with the same text.
    wrong
        Is raised instead for an :class:`ArgumentError`.

    The decorated function keeps its name, its signature and its docstring.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except ArgumentError as error:
                raise wrong(str(error)) from error
            except FshaError as error:
                raise failed(str(error)) from error

        return call

    return decorate


class StoreError(FshaError):
    """The recovery store is not what it should be, or does not answer."""
