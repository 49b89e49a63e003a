"""The mark of a resource that a run stops, or lets go of, before it removes it."""

import copy
from typing import cast

from fshalib.cib.document import (
    Element,
)

LEAVING = "fsha-leaving"
"""The meta attribute of a resource that is stopped for its removal; its value names the run."""
AWAY = "fsha-away-"
"""How the ids of locations begin that keep the cluster from looking for what it lets go of."""


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


def let_go(root: Element) -> list[tuple[str, str]]:
    """Return the resources that are let go of while they run, each with a node."""
    return [(e.get("rsc", ""), e.get("node", "")) for e in _locations(root)]


def _locations(root: Element) -> list[Element]:
    locations = root.iterfind("configuration/constraints/rsc_location")
    return [e for e in locations if e.get("id", "").startswith(AWAY)]


def copy_without_leaving(root: Element) -> Element:
    """Return a copy of a CIB without marks, without their sets and the locations beside them."""
    new = copy.deepcopy(root)
    for location in _locations(new):
        cast(Element, location.getparent()).remove(location)
    for nvpair in _marks(new):
        parent = cast(Element, nvpair.getparent())
        cast(Element, parent.getparent()).remove(parent)
    return new
