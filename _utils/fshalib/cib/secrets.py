"""Hide secrets; the name of a parameter marks its value as one."""

import re
from collections.abc import Mapping
from typing import Any

_SECRET_NAME = re.compile(
    r"passw|pass$|passphrase|passcode|secret|credential|community|token$|conninfo|_kg$"
    r"|(^|[_-])(psk|pin)$|(^|auth|api|access|private)[_-]?key$",
    re.IGNORECASE,
)
SECRET = "(secret)"  # noqa: S105  the word that stands for one


def masked(data: Any) -> Any:
    """Return data for people and events, with the values of secret-looking names hidden.

    Fencing agents take passwords as parameters. The returned data may be logged.
    """
    if isinstance(data, Mapping):
        return {name: _masked_value(str(name), value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [masked(item) for item in data]
    return data


def _masked_value(name: str, value: Any) -> Any:
    if not _SECRET_NAME.search(name.rsplit(":", 1)[-1]):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: None if text is None else SECRET for key, text in value.items()}
    return None if value is None else SECRET
