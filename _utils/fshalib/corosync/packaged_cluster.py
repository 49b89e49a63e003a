"""Recognise the CIB of the packages' one-node cluster.

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
    """The contents of a CIB on disk: the names of its nodes, the ids of its resources."""

    nodes: tuple[str, ...]
    resources: tuple[str, ...]


def contents(xml: str) -> Contents:
    """Return the nodes and resources of a CIB.

    Raises :class:`GhostError`.
    """
    try:
        root = ET.fromstring(xml)  # noqa: S314  root's own file, no entities in a CIB
    except ET.ParseError as error:
        raise GhostError(f"the CIB on disk is not XML: {error}.") from error
    nodes = (node.get("uname", node.get("id", "")) for node in root.iterfind(".//nodes/node"))
    resources = (item.get("id", "") for item in root.iterfind("./configuration/resources/*"))
    return Contents(tuple(nodes), tuple(resources))


def is_ghost(on_disk: Contents, names: Collection[str]) -> bool:
    """Tell whether a CIB is that of a packaged cluster: no resources, and only unknown nodes.

    names
        The nodes of the desired cluster.
    """
    return bool(on_disk.nodes) and not on_disk.resources and not set(on_disk.nodes) & set(names)
