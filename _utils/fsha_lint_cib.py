"""The same judgement of a cluster that somebody else built: from its CIB, without a pillar.

A path in a finding is the key that the thing has in the pillar that ``fsha.export`` makes of it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import fsha_cib
import fsha_config
import fsha_lint
from fsha_advice import ERROR, Advice, Known
from fsha_document import OWNERSHIP_TAG, Element
from fsha_model import Object
from fsha_objects import KINDS
from fsha_schema import path
from fsha_shape import OTHER, UNUSED

NOT_UNDERSTOOD = Known(
    "The cluster does not understand it either, and takes its default without a word",
    "Pacemaker's schema takes any text here; crm_verify says more in its log",
    "give it a value of the kind that is expected",
    ERROR,
)
LEFT_BEHIND = Known(
    "It was made by crm_resource --move or --ban and lasts until somebody clears it: the service "
    "stays on, or away from, that node whatever fails",
    "crm_resource(8), --move, --ban and --clear",
    "crm_resource --clear --resource RESOURCE, once the reason has gone",
    ERROR,
)
UNKNOWN = frozenset({"hot-flag"})
"""Findings about what neither the CIB nor corosync.conf can tell."""
KNOWN: Mapping[str, Known] = {"not-understood": NOT_UNDERSTOOD, "left-behind": LEFT_BEHIND}


def lint(root: Element, told: Mapping[str, Any]) -> tuple[Advice, ...]:
    """Return everything that is not advised in a running or saved cluster.

    root
        Its CIB.
    told
        What its corosync.conf says, in the shape of the pillar; empty when that is not known.

    Raises :class:`fsha_config.ConfigErrors` when what corosync.conf says is no configuration.
    """
    own: list[Advice] = []
    sound: list[Object] = []
    for item in fsha_cib.read_all(root):
        faults = tuple(_faults(item))
        own += faults
        if faults and KINDS[item.kind].one:
            sound.append(_without(item, {fault.path.rpartition(":")[2] for fault in faults}))
        elif not faults and item.id != OWNERSHIP_TAG:
            sound.append(item)
    config = fsha_config.of_cib(sound, told, fsha_cib.node_names(root).values())
    return (*own, *(a for a in fsha_lint.lint(config) if a.code not in UNKNOWN))


def _faults(item: Object) -> Iterator[Advice]:
    keys = ("pacemaker", KINDS[item.kind].key, item.id)
    if item.kind == "location" and fsha_cib.OPERATOR_CONSTRAINT.match(item.id):
        where = item.form.get("node", "a node")
        score = item.form.get("score", "a rule")
        told = f"it is left of a move or ban ({score} for {where})"
        yield _advice("left-behind", path(keys), told)
        return
    form = {key: value for key, value in item.form.items() if key not in (OTHER, UNUSED)}
    try:
        fsha_config.make(item.kind, item.id, form)
    except fsha_config.ConfigErrors as wrong:
        # Its sentences begin with the object's id, which properties and defaults have not.
        own = f"{item.id}:sets:" if KINDS[item.kind].one else ""
        for error in wrong.errors:
            where = f"{path(keys[:2])}:{error.path.removeprefix(own)}"
            yield _advice("not-understood", where, error.message)


def _without(item: Object, names: Collection[str]) -> Object:
    """Return properties or defaults without some names."""
    sets = item.form.get("sets", {})

    def rest(values: Mapping[str, str]) -> dict[str, str]:
        return {name: text for name, text in values.items() if name not in names}

    if isinstance(sets, Mapping):
        return Object(item.kind, item.id, {"sets": rest(sets)})
    left = [{**one, "values": rest(one.get("values", {}))} for one in sets]
    return Object(item.kind, item.id, {"sets": left})


def _advice(code: str, where: str, message: str) -> Advice:
    known = KNOWN[code]
    told = message.rstrip(".")
    return Advice(code, where, told, known.reason, known.source, known.mend, known.severity)
