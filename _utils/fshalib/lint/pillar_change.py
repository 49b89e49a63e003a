"""A change of the pillar as data: merged into it, and taken out of it."""

from collections.abc import Mapping
from typing import Any

from fshalib.cib.kinds import BY_KEY
from fshalib.cib.nvset import in_pillar
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

PillarChange = Mapping[Keys, Any]
"""Key → what is to stand there; ``None`` to take it away. No key leads into a list."""


def applied(raw: Mapping[str, Any], told: PillarChange) -> dict[str, Any]:
    """Return a pillar with a change made in it.

    raw
        The mapping below ``fsha``.
    """
    found = dict(raw)
    for keys, value in told.items():
        found = _put(found, keys, value)
    return found


def _put(raw: Mapping[str, Any], keys: Keys, value: Any) -> dict[str, Any]:
    key, *rest = keys
    found = dict(raw)
    if rest:
        found[str(key)] = _put(found.get(str(key)) or {}, tuple(rest), value)
    elif value is None:
        found.pop(str(key), None)
    else:
        found[str(key)] = value
    return found


def put_and_removed(told: PillarChange) -> tuple[dict[str, Any], tuple[Keys, ...]]:
    """Return what a change puts, as a mapping below ``fsha``, and the keys that it takes away."""
    put = {keys: value for keys, value in told.items() if value is not None}
    return applied({}, put), tuple(keys for keys, value in told.items() if value is None)


def leads_into_sets(config: Config, keys: Keys) -> bool:
    """Tell whether a key leads into values that the pillar writes as several sets."""
    if keys[:1] != (PM,) or str(keys[1]) not in BY_KEY:
        return False
    kind = BY_KEY[str(keys[1])]
    found = [o for o in config.pacemaker.of(kind.name) if kind.one or o.id in keys[2:3]]
    if not found:
        return False
    spec: Any = in_pillar(found[0].spec)
    for key in ("sets",) if kind.one else keys[3:-1]:
        spec = spec.get(key, {}) if isinstance(spec, Mapping) else spec
    return not isinstance(spec, Mapping)


PM = "pacemaker"
