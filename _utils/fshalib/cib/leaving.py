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
    return frozenset(who for nvpair in _marks(root) if (who := nvpair.get("value")))


def _marks(root: Element) -> list[Element]:
    nvpairs = root.iterfind("configuration/resources//meta_attributes/nvpair")
    return [nvpair for nvpair in nvpairs if nvpair.get("name") == LEAVING]


def left_halfway(root: Element) -> Element:
    """Return a CIB whose marks name no run, as after a run that ended halfway."""
    new = copy.deepcopy(root)
    for nvpair in _marks(new):
        nvpair.set("value", "")
    return new


def copy_without_leaving(root: Element) -> Element:
    """Return a copy of a CIB without marks and without their sets."""
    new = copy.deepcopy(root)
    for nvpair in _marks(new):
        parent = cast(Element, nvpair.getparent())
        cast(Element, parent.getparent()).remove(parent)
    return new
