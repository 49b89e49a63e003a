"""The bans by which a switchover moves a service, and holds it."""

import copy
import itertools
from collections.abc import Sequence
from typing import Protocol, cast

from lxml import etree

from fshalib.cib import references
from fshalib.cib.document import Element

BANNED = "fsha-banned-"
"""The transient attribute, with the service's name, by which it notes which nodes it bans."""
NOBODY = "-"
"""What it says when there is no ban of a switchover's."""


def ban_id(resource: str, node: str) -> str:
    """Return the id of a ban, the same that ``crm_resource --ban`` gives it."""
    return f"cli-ban-{resource}-on-{node}"


class Banned(Protocol):
    """What is moved by bans, as ``switchover.service.Service``."""

    @property
    def bases(self) -> Sequence[str]:
        """The resources to ban, so that all of it moves."""

    @property
    def parts(self) -> Sequence[str]:
        """All resources of which a ban keeps it from a node."""


def bans_of(root: Element, resource: str) -> dict[str, str]:
    """Return the bans in force on one resource, node → id."""
    prefix = ban_id(resource, "")
    # The node is part of the id: a ban with a lifetime names it in a rule only.
    return {
        e.get("id", "").removeprefix(prefix): e.get("id", "")
        for e in root.iterfind("configuration/constraints/rsc_location")
        if e.get("rsc") == resource and e.get("id", "").startswith(prefix)
    }


def bans(root: Element, service: Banned) -> dict[str, dict[str, str]]:
    """Return the bans in force on any part of a service, node → resource → id."""
    found: dict[str, dict[str, str]] = {}
    for part in service.parts:
        for node, id in bans_of(root, part).items():
            found.setdefault(node, {})[part] = id
    return found


def with_bans(root: Element, service: Banned, nodes: Sequence[str]) -> Element:
    """Return a copy of a CIB in which exactly these nodes are banned for a service."""
    return rebanned(root, service, nodes, [*bans(root, service)])


def rebanned(root: Element, service: Banned, ban: Sequence[str], lift: Sequence[str]) -> Element:
    """Return a copy of a CIB with some nodes banned and other bans lifted; the rest stays.

    A node that stands in both is banned. A ban is put on each base, so that all of the service
    moves, and lifted from every part.
    """
    new = copy.deepcopy(root)
    for node, by_part in bans(new, service).items():
        for id in by_part.values() if node in lift and node not in ban else ():
            references.remove(new, id)
    constraints = cast(Element, new.find("configuration/constraints"))
    for node, base in itertools.product(dict.fromkeys(ban), service.bases):
        if node not in bans_of(new, base):
            etree.SubElement(
                constraints,
                "rsc_location",
                {
                    "id": ban_id(base, node),
                    "rsc": base,
                    "role": "Started",
                    "node": node,
                    "score": "-INFINITY",
                },
            )
    return new


def is_held(root: Element, resource: str, node: str) -> bool:
    """Tell whether a ban of a node is a switchover's own, and none that somebody made by hand.

    A switchover notes both nodes before it bans or lifts anything, and afterwards what is left.
    """
    noted = notes_of(root, f"{BANNED}{resource}") or notes_of(root, PREVIOUS)
    return any(node in value.split() for value in noted)


def held(root: Element, service: Banned) -> list[str]:
    """Return the nodes from which a switchover keeps a service."""
    return [
        node
        for node, by_part in bans(root, service).items()
        if any(is_held(root, part, node) for part in by_part)
    ]


def by_hand(root: Element, service: Banned, node: str) -> dict[str, str]:
    """Return the bans of a node that somebody made by hand, resource → id."""
    found = bans(root, service).get(node, {})
    return {part: id for part, id in found.items() if not is_held(root, part, node)}


def notes_of(root: Element, attribute: str) -> list[str]:
    """Return what the nodes' copies of a transient attribute say."""
    found = root.xpath(
        "status/node_state/transient_attributes//nvpair[@name=$name]/@value", name=attribute
    )
    return [str(value) for value in cast("list[str]", found)]


PREVIOUS = "fsha-previous-node"
"""The transient attribute by which a switchover notes where the service was before."""
