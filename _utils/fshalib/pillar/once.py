"""Check the whole pillar once per run.

Several states and verbs of one run need the checked pillar. This module keeps the last result; a
reload of ``fshalib`` drops it together with its classes.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from fshalib.pillar import config
from fshalib.pillar.config import Config

_LAST: dict[bytes, Config] = {}


def checked(raw: object) -> Config:
    """Check a pillar as :func:`fshalib.pillar.config.check` does; the same pillar only once.

    raw
        The pillar's ``fsha``. Two pillars are the same if keys, values and their order are equal.

    Returns the configuration; callers share it and must not change it.

    Raises :class:`ConfigErrors`, each time anew.
    """
    # repr distinguishes 1, true and "1".
    digest = hashlib.sha256(repr(raw).encode("utf-8", "surrogatepass")).digest()
    pillar = _LAST.get(digest)
    if pillar is None:
        pillar = config.check(raw)
        _LAST.clear()
        _LAST[digest] = pillar
    return pillar


def checked_here(raw: object, grains: Mapping[str, Any]) -> Config:
    """Return the checked pillar of the host that has these grains.

    raw
        The pillar's ``fsha``.

    Raises :class:`ConfigErrors`, also for a host that is none of the nodes.
    """
    pillar = checked(raw)
    addresses = [*grains.get("ipv4", []), *grains.get("ipv6", [])]
    config.check_host(pillar, grains["nodename"], addresses)
    return pillar
