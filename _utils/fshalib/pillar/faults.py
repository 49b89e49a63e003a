"""Every mistake in a section ``fsha:pacemaker``, with its keys, for whoever mends it: an export."""

from collections.abc import Collection, Mapping
from typing import Any

from fshalib.pillar import validate, validate_objects
from fshalib.pillar.schema import PACEMAKER, PILLAR
from fshalib.schema.report import Keys, Location, Report

Fault = tuple[Keys, str]
"""The keys below ``fsha:pacemaker`` that lead to a mistake, and the sentence about it."""

_SECTION = "pacemaker"


def faults(
    section: Mapping[str, Any], rest: Mapping[str, Any], nodes: Collection[str]
) -> tuple[Fault, ...]:
    """Return the mistakes that the pillar check finds in a section ``fsha:pacemaker``.

    section
        The section, unchecked.
    rest
        The pillar around it; without ``nodes`` in it, the section is checked alone.
    nodes
        The names of the cluster's nodes, in case ``rest`` has none.
    """
    report = Report()
    at = Location(report)
    raw = {**rest, _SECTION: section}
    if "nodes" in rest:
        data = PILLAR.check(raw, at)
    else:
        data = {_SECTION: PACEMAKER.check(section, at.below(_SECTION))}
    if isinstance(data, dict):
        validate.check(data, raw, at)
        validate_objects.operations_used(data.get(_SECTION, {}), at.below(_SECTION))
        if "nodes" not in rest:
            known: dict[str, Any] = {name: {} for name in nodes}
            validate_objects.named_nodes(data[_SECTION], known, at.below(_SECTION))
    return tuple((keys[1:], text) for keys, text in report.mistakes if keys[:1] == (_SECTION,))
