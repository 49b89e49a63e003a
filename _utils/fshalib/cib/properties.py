"""The cluster's properties as its Pacemaker reads them, under the names that all versions know."""

import re
from collections.abc import Mapping

from fshalib.cib.document import Element
from fshalib.cib.kinds import ONE_IDS
from fshalib.cib.nvset import score_of
from fshalib.cib.options import PROPERTY_ALIASES
from fshalib.cib.values import UnitError, parse_boolean

NEW_NAMES_IN = (3, 0, 2)
"""The first version of Pacemaker with the names ``fencing-…``."""
NEW_NAMES_SINCE = (3, 20, 5)
"""Its feature set."""


def knows_new_names(root: Element) -> bool | None:
    """Tell whether the Pacemaker of a CIB knows the new names; ``None`` if the CIB does not tell.

    An older one ignores such a property, and its default holds.
    """
    text = root.get("crm_feature_set", "")
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})*", text):
        return None
    return tuple(map(int, text.split("."))) >= NEW_NAMES_SINCE


def resolved(values: Mapping[str, str]) -> dict[str, str]:
    """Return properties under the older names; where both are given the new one counts."""
    older = {PROPERTY_ALIASES[name]: text for name, text in values.items() if is_new(name)}
    return {**{name: text for name, text in values.items() if not is_new(name)}, **older}


def is_new(name: str) -> bool:
    """Tell whether this is the new name of a property."""
    return name in PROPERTY_ALIASES


def read(root: Element, new_names: bool | None = None) -> dict[str, str]:
    """Return the properties of a CIB, without those that only a rule gives.

    new_names
        Whether its Pacemaker knows the new names; without it by the CIB, else yes.
    """
    sets = [
        one
        for one in root.iterfind("configuration/crm_config/cluster_property_set")
        if one.find("rule") is None
    ]
    first = ONE_IDS["properties"]
    values: dict[str, str] = {}
    for one in sorted(sets, key=lambda s: (s.get("id") != first, -score_of(s.get("score")))):
        for pair in one.iterfind("nvpair"):
            if pair.get("name") is not None and pair.get("value") is not None:
                values.setdefault(pair.get("name", ""), pair.get("value", ""))
    known = knows_new_names(root) if new_names is None else new_names
    if known is False:
        return {name: text for name, text in values.items() if not is_new(name)}
    return resolved(values)


def is_on(values: Mapping[str, str], name: str, default: bool) -> bool:
    """Return a property that is a boolean; Pacemaker takes the default for what is none."""
    try:
        return parse_boolean(values[name])
    except (KeyError, UnitError):
        return default
