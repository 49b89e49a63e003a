"""The mark of a resource that is stopped only in order to be removed."""

import copy
from typing import cast

from fshalib.cib.document import (
    Element,
)

LEAVING = "fsha-leaving"
"""The meta attribute of a resource that is only stopped in order to be removed: by which run."""


def leaving(root: Element) -> frozenset[str]:
    """Return the names of the runs that are just removing resources."""
    return frozenset(who for pair in _marks(root) if (who := pair.get("value")))


def _marks(root: Element) -> list[Element]:
    pairs = root.iterfind("configuration/resources//meta_attributes/nvpair")
    return [pair for pair in pairs if pair.get("name") == LEAVING]


def left_halfway(root: Element) -> Element:
    """Return a CIB in which nobody goes on removing what is stopped for that."""
    new = copy.deepcopy(root)
    for pair in _marks(new):
        pair.set("value", "")
    return new


def copy_without_leaving(root: Element) -> Element:
    """Return a copy of a CIB in which nothing is stopped for the sake of its removal."""
    new = copy.deepcopy(root)
    for pair in _marks(new):
        told = cast(Element, pair.getparent())
        cast(Element, told.getparent()).remove(told)
    return new
