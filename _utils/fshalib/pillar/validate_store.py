"""Mistakes in the pillar's section ``recovery_store`` that only the rest of the pillar shows."""

from collections.abc import Mapping
from typing import Any

from fshalib.pillar.schema_store import PAIR
from fshalib.schema.report import Location

NODES = 2


def check(data: Mapping[str, Any], at: Location) -> None:
    """Report what the section and the rest of the pillar say against each other."""
    store = data.get("recovery_store", {})
    nodes = data.get("nodes", {})
    if store.get("mode") == PAIR and nodes and len(nodes) != NODES:
        at.below("recovery_store", "mode").error(
            f"external is expected with {len(nodes)} nodes: the store of the pair is for two."
        )
