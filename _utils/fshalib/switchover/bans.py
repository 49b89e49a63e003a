"""The bans by which a switchover moves a service, and holds it."""

import copy
from collections.abc import Sequence
from typing import cast

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


def bans(root: Element, resource: str) -> dict[str, str]:
    """Return the bans in force on a resource, node → id."""
    prefix = ban_id(resource, "")
    # The node is part of the id: a ban with a lifetime names it in a rule only.
    return {
        e.get("id", "").removeprefix(prefix): e.get("id", "")
        for e in root.iterfind("configuration/constraints/rsc_location")
        if e.get("rsc") == resource and e.get("id", "").startswith(prefix)
    }


def with_bans(root: Element, resource: str, nodes: Sequence[str]) -> Element:
    """Return a copy of a CIB in which exactly these nodes are banned for a resource."""
    new = copy.deepcopy(root)
    constraints = cast(Element, new.find("configuration/constraints"))
    for node, id in bans(new, resource).items():
        if node not in nodes:
            references.remove(new, id)
    held = bans(new, resource)
    for node in nodes:
        if node not in held:
            etree.SubElement(
                constraints,
                "rsc_location",
                {
                    "id": ban_id(resource, node),
                    "rsc": resource,
                    "role": "Started",
                    "node": node,
                    "score": "-INFINITY",
                },
            )
    return new


def rebanned(root: Element, resource: str, ban: Sequence[str], lift: Sequence[str]) -> Element:
    """Return a copy of a CIB with some nodes banned and other bans lifted; the rest stays.

    A node that stands in both is banned.
    """
    kept = [node for node in bans(root, resource) if node not in lift]
    return with_bans(root, resource, list(dict.fromkeys([*kept, *ban])))


def is_held(root: Element, resource: str, node: str) -> bool:
    """Tell whether a ban of a node is a switchover's own, and none that somebody made by hand.

    A switchover notes both nodes before it bans or lifts anything, and afterwards what is left.
    """
    noted = notes_of(root, f"{BANNED}{resource}") or notes_of(root, PREVIOUS)
    return any(node in value.split() for value in noted)


def held(root: Element, resource: str) -> list[str]:
    """Return the nodes from which a switchover keeps a resource."""
    return [node for node in bans(root, resource) if is_held(root, resource, node)]


def notes_of(root: Element, attribute: str) -> list[str]:
    """Return what the nodes' copies of a transient attribute say."""
    found = root.xpath(
        "status/node_state/transient_attributes//nvpair[@name=$name]/@value", name=attribute
    )
    return [str(value) for value in cast("list[str]", found)]


PREVIOUS = "fsha-previous-node"
"""The transient attribute by which a switchover notes where the service was before."""
