"""The check of the whole pillar, made once in a run.

Several states and verbs of one run need the checked pillar. The last result is kept here, beside
the classes that it is made of: a reload of ``fshalib`` that drops an old library drops it too.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from fshalib.pillar import config
from fshalib.pillar.config import Config

_LAST: dict[bytes, Config] = {}


def checked(raw: object) -> Config:
    """Return what :func:`fshalib.pillar.config.check` returns; the same pillar is checked once.

    raw
        The pillar's ``fsha``. Only a pillar with the same keys and values in the same order is the
        same. Nobody may change what is returned.

    Raises :class:`ConfigErrors`, each time anew.
    """
    # repr tells 1 from true and "1", which compare as equal or look alike in other notations.
    digest = hashlib.sha256(repr(raw).encode("utf-8", "surrogatepass")).digest()
    found = _LAST.get(digest)
    if found is None:
        found = config.check(raw)
        _LAST.clear()
        _LAST[digest] = found
    return found


def checked_here(raw: object, grains: Mapping[str, Any]) -> Config:
    """Return the checked pillar of the host that has these grains.

    raw
        The pillar's ``fsha``.

    Raises :class:`ConfigErrors`, also for a host that is none of the nodes.
    """
    found = checked(raw)
    addresses = [*grains.get("ipv4", []), *grains.get("ipv6", [])]
    config.check_host(found, grains["nodename"], addresses)
    return found
