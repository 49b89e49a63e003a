"""Show fsha's returns as the page of text that they bring along."""

from __future__ import annotations

import salt.output.nested

__virtualname__ = "fsha_screen"


def __virtual__():
    """Load always."""
    return __virtualname__


def output(ret, **kwargs):
    """Return the ``screen`` of each minion's answer, and anything else as Salt shows it."""
    if not isinstance(ret, dict):
        return str(ret)
    shown = [
        f"{minion}:\n{data['screen']}"
        if isinstance(data, dict) and isinstance(data.get("screen"), str)
        else _nested(minion, data)
        for minion, data in ret.items()
    ]
    return "\n".join(shown)


def _nested(minion, data):
    salt.output.nested.__opts__ = __opts__  # noqa: F821  given by Salt's loader
    return salt.output.nested.output({minion: data})
