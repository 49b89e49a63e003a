"""The platform: whether the formula knows it, and whether it has a cluster of this generation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NEEDED = "fsha needs Corosync 3 and Pacemaker 2.1"
FAMILIES = ("Debian", "RedHat", "Suse")
"""Values of the grain ``os_family`` for which fsha/parameters/platforms.yaml has packages."""
LOOKUP = ("packages", "settings_dir")
"""What the pillar has to name on any other platform."""
# The first release that has both. In Debian's family each system counts releases of its own.
_OLDEST_OF_SYSTEM = {"Debian": 12, "Ubuntu": 22}
_OLDEST_OF_FAMILY = {"RedHat": 8, "Suse": 16}

# The Pacemaker of releases that have one before 2.1.8.
_PACEMAKER = {("Debian", 12): "2.1.5", ("Ubuntu", 22): "2.1.2", ("Ubuntu", 24): "2.1.6"}


def pacemaker(grains: Mapping[str, Any]) -> str:
    """Return the Pacemaker that a platform brings, ``""`` if that is not known to be an old one."""
    return _PACEMAKER.get((grains.get("os", ""), grains.get("osmajorrelease", 0)), "")


def trouble(grains: Mapping[str, Any], lookup: object) -> str:
    """Return why the formula can't work on this platform, as one sentence; empty if it can.

    grains
        Salt's grains of the host: ``os``, ``os_family``, ``osrelease``, ``osmajorrelease``.
    lookup
        The pillar's ``fsha:lookup``, as it was given.
    """
    system = grains.get("os", "this host")
    family = grains.get("os_family", "unknown")
    if family not in FAMILIES:
        return _unknown(system, family, lookup)
    oldest = _OLDEST_OF_SYSTEM.get(system) or _OLDEST_OF_FAMILY.get(family)
    release = grains.get("osmajorrelease")
    # Rolling releases have no number.
    if oldest is None or not isinstance(release, int) or release >= oldest:
        return ""
    return (
        f"{system} {grains.get('osrelease', release)} is too old: {NEEDED}, and they come with "
        f"release {oldest}."
    )


def _unknown(system: str, family: str, lookup: object) -> str:
    """Return what the pillar has to name on a platform without packages of its own here."""
    given = lookup if isinstance(lookup, Mapping) else {}
    missing = [f"fsha:lookup:{key}" for key in LOOKUP if not given.get(key)]
    if not missing:
        return ""
    return (
        f"fsha does not know the packages of {system} (os_family: {family}): set "
        f"{' and '.join(missing)} in the pillar. {NEEDED}."
    )
