"""The fencing of a node by its own watchdog, as the CIB's properties have it.

Pacemaker ends itself on a node where ``stonith-watchdog-timeout`` is set and sbd does not run
(``pcmk__valid_stonith_watchdog_timeout``), and again at each start. A negative value takes what sbd
has, and so means nothing without it.
"""

from fshalib.cib.options import PROPERTY_ALIASES
from fshalib.cib.values import TRUE_WORDS, UnitError, parse_duration

TIMEOUT = "stonith-watchdog-timeout"
NAMES = (TIMEOUT, *(new for new, old in PROPERTY_ALIASES.items() if old == TIMEOUT))
"""The property, and the name that it has in Pacemaker 3."""
HAVE = "have-watchdog"
"""What the DC writes: whether sbd runs on it."""
SBD = "sbd"


def needs_sbd(value: str | None) -> bool:
    """Tell whether a value of the timeout ends Pacemaker where sbd does not run."""
    try:
        return parse_duration(value or "0") > 0
    except UnitError:
        return False


def counts(value: str | None) -> bool:
    """Tell whether a value of the timeout makes a lost node count as fenced, where sbd runs."""
    return needs_sbd(value) or (value or "").strip().startswith("-")


def is_true(value: str | None) -> bool:
    """Tell whether a value of ``have-watchdog`` says that sbd runs."""
    return (value or "").strip().lower() in TRUE_WORDS
