"""What an advice is: what was found where, how bad it is, why, who says so, what to change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fshalib.schema.report import Keys

ERROR, WARNING, HINT = "error", "warning", "hint"
SEVERITIES = (ERROR, WARNING, HINT)
"""It will not fail over, or not in the way one thinks; it may not; it could do so better."""

Finding = tuple[str, Keys, str]
"""What a check yields: a code, the key in the pillar, and what was found there."""


@dataclass(frozen=True)
class KnownFinding:
    """What is known of a finding, wherever it is found."""

    reason: str
    source: str
    mend: str
    severity: str = WARNING


@dataclass(frozen=True)
class Advice:
    """One thing that is not advised; ``path`` is the key in the pillar that it is about.

    ``change`` is what mends it: a mapping to merge into the pillar below ``fsha``, and ``remove``
    the keys to take out of it. Both are empty where ``mend`` takes more than the pillar.
    """

    code: str
    path: str
    message: str
    reason: str
    source: str
    mend: str
    severity: str = WARNING
    change: Mapping[str, Any] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
