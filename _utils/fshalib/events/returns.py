"""What every state of the formula returns, so that all of them speak alike."""

from collections.abc import Mapping
from typing import Any

Return = dict[str, Any]


def unchanged(name: str, comment: str) -> Return:
    """Return for a state that is as it should be."""
    return {"name": name, "result": True, "changes": {}, "comment": comment}


def failed(name: str, comment: str, changes: Mapping[str, Any] | None = None) -> Return:
    """Return for a state that could not do its work; ``changes`` are those that did happen."""
    return {"name": name, "result": False, "changes": dict(changes or {}), "comment": comment}


def changed(name: str, changes: Mapping[str, Any], comment: str, test: bool) -> Return:
    """Return for a state that has changed something, or would in a test run."""
    return {
        "name": name,
        "result": None if test else True,
        "changes": dict(changes),
        "comment": comment,
    }


def not_yet(name: str, comment: str) -> Return:
    """Return for a state that, in a test run, cannot know before another one has run."""
    return {"name": name, "result": None, "changes": {}, "comment": comment}


def spec(given: Mapping[str, Any] | None, options: Mapping[str, Any], internal: Any) -> Return:
    """Return the keys of an object from a state's arguments.

    given
        The state's argument ``spec``: all keys as one mapping.
    options
        Its further arguments: single keys.
    internal
        Salt's own arguments, which it passes to every state that takes any.
    """
    single = {n: v for n, v in options.items() if n not in internal and not n.startswith("__")}
    return {**(given or {}), **single}
