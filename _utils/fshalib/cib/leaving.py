"""The mark of a resource that a run stops before it removes it."""

import copy
from typing import cast

from fshalib.cib.document import (
    Element,
)

LEAVING = "fsha-leaving"
"""The meta attribute of a resource that is stopped for its removal; its value names the run."""


def leaving(root: Element) -> frozenset[str]:
    """Return the names of the runs that are removing resources now."""
    return frozenset(who for pair in _marks(root) if (who := pair.get("value")))


def _marks(root: Element) -> list[Element]:
    pairs = root.iterfind("configuration/resources//meta_attributes/nvpair")
    return [pair for pair in pairs if pair.get("name") == LEAVING]


def left_halfway(root: Element) -> Element:
    """Return a CIB whose marks name no run, as after a run that ended halfway."""
    new = copy.deepcopy(root)
    for pair in _marks(new):
        pair.set("value", "")
    return new


def copy_without_leaving(root: Element) -> Element:
    """Return a copy of a CIB without marks and without their sets."""
    new = copy.deepcopy(root)
    for pair in _marks(new):
        nvset = cast(Element, pair.getparent())
        cast(Element, nvset.getparent()).remove(nvset)
    return new
