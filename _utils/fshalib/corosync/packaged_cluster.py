"""Recognise what the packages' one-node cluster leaves behind.

Distributions start corosync and Pacemaker when they are installed, with one node called
``node1`` on 127.0.0.1. Its CIB stays on disk, and a real cluster that starts on it shows a
node that does not exist.
"""

import xml.etree.ElementTree as ET
from collections.abc import Collection
from dataclasses import dataclass

from fshalib.errors import CorosyncError


class GhostError(CorosyncError):
    """The CIB on disk cannot be read."""


@dataclass(frozen=True)
class Contents:
    """What a CIB on disk holds: the names of its nodes, the ids of its resources."""

    nodes: tuple[str, ...]
    resources: tuple[str, ...]


def contents(xml: str) -> Contents:
    """Return what a CIB holds.

    Raises :class:`GhostError`.
    """
    try:
        root = ET.fromstring(xml)  # noqa: S314  root's own file, no entities in a CIB
    except ET.ParseError as error:
        raise GhostError(f"the CIB on disk is not XML: {error}.") from error
    nodes = (node.get("uname", node.get("id", "")) for node in root.iterfind(".//nodes/node"))
    resources = (item.get("id", "") for item in root.iterfind("./configuration/resources/*"))
    return Contents(tuple(nodes), tuple(resources))


def is_ghost(found: Contents, names: Collection[str]) -> bool:
    """Tell whether a CIB belongs to a cluster that never was one of ours.

    names
        The nodes of the wanted cluster.

    It must hold no resource, and nodes of which none is wanted.
    """
    return bool(found.nodes) and not found.resources and not set(found.nodes) & set(names)
