"""Values that nobody may read: told by the name of the parameter."""

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

    Fencing agents take passwords as parameters; what comes from here may be logged.
    """
    if isinstance(data, Mapping):
        return {name: _masked_pair(str(name), held) for name, held in data.items()}
    if isinstance(data, (list, tuple)):
        return [masked(item) for item in data]
    return data


def _masked_pair(name: str, held: Any) -> Any:
    if not _SECRET_NAME.search(name.rsplit(":", 1)[-1]):
        return masked(held)
    if isinstance(held, Mapping):
        return {part: None if text is None else SECRET for part, text in held.items()}
    return None if held is None else SECRET
