"""Fencing by a watchdog needs sbd on every node; without it Pacemaker goes down on all of them."""

from collections.abc import Iterator, Mapping
from typing import Any

from fshalib.agents import is_fencing
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.watchdog import HAVE, NAMES, SBD, TIMEOUT, is_true, needs_sbd
from fshalib.schema.report import Location, given

Data = Mapping[str, Any]


def check(pacemaker: Data, raw: object, at: Location) -> None:
    """Report a timeout of the watchdog where nothing in the pillar says that sbd runs.

    pacemaker
        The checked section.
    raw
        The section as it was given, for the name that was given to the property.
    at
        Where the section stands.
    """
    sets = pacemaker.get("properties", NO_SETS)
    if _says_sbd(pacemaker):
        return
    for number, one in enumerate(sets):
        if needs_sbd(one.values.get(TIMEOUT)):
            keys = ("properties", number, "values") if sets.listed else ("properties",)
            name = next((n for n in NAMES if given(raw, *keys, n) is not None), TIMEOUT)
            at.below(*keys, name).error(
                "sbd is expected to run on every node with it, else Pacemaker goes down on all of "
                f"them at once and at every start; give {HAVE}: true beside it where sbd runs, or "
                "leave it out."
            )


def _says_sbd(pacemaker: Data) -> bool:
    told = pacemaker.get("properties", NO_SETS).plain_values().get(HAVE)
    return is_true(told) or any(SBD in agent for agent in _agents(pacemaker))


def _agents(pacemaker: Data) -> Iterator[str]:
    for key in ("resources", "templates"):
        for item in pacemaker.get(key, {}).values():
            agent = str(item.get("agent", ""))
            if is_fencing(agent):
                yield agent
