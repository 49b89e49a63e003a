"""A change of the pillar as data: values to merge, and keys to remove."""

from collections.abc import Mapping
from typing import Any

from fshalib.cib.kinds import BY_KEY
from fshalib.cib.nvset import in_pillar
from fshalib.cib.objects import Object
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

PM = "pacemaker"
PillarChange = Mapping[Keys, Any]
"""Key → its new value, ``None`` to remove it. No key leads into a list."""


def object_at(config: Config, keys: Keys) -> Object:
    """Return the object of a key in the pillar."""
    kind = BY_KEY[str(keys[1])].name
    return next(item for item in config.pacemaker.of(kind) if item.id == keys[2])


def home_of(item: Object) -> Keys:
    """Return the key of an object in the pillar."""
    return (PM, next(key for key, kind in BY_KEY.items() if kind.name == item.kind), item.id)


def operations_of(item: Object) -> list[dict[str, Any]]:
    """Return an object's operations as pillar data."""
    return [in_pillar(operation) for operation in item.spec.get("operations", ())]


def applied(raw: Mapping[str, Any], change: PillarChange) -> dict[str, Any]:
    """Return a pillar with a change applied.

    raw
        The mapping below ``fsha``.
    """
    pillar = dict(raw)
    for keys, value in change.items():
        pillar = _put(pillar, keys, value)
    return pillar


def _put(raw: Mapping[str, Any], keys: Keys, value: Any) -> dict[str, Any]:
    key, *rest = keys
    merged = dict(raw)
    if rest:
        merged[str(key)] = _put(merged.get(str(key)) or {}, tuple(rest), value)
    elif value is None:
        merged.pop(str(key), None)
    else:
        merged[str(key)] = value
    return merged


def put_and_removed(change: PillarChange) -> tuple[dict[str, Any], tuple[Keys, ...]]:
    """Return the new values of a change, as a mapping below ``fsha``, and the keys to remove."""
    put = {keys: value for keys, value in change.items() if value is not None}
    return applied({}, put), tuple(keys for keys, value in change.items() if value is None)


def leads_into_sets(config: Config, keys: Keys) -> bool:
    """Tell whether a key leads into values that the pillar has as a list of sets."""
    if keys[:1] != (PM,) or str(keys[1]) not in BY_KEY:
        return False
    kind = BY_KEY[str(keys[1])]
    items = [o for o in config.pacemaker.of(kind.name) if kind.one or o.id in keys[2:3]]
    if not items:
        return False
    spec: Any = in_pillar(items[0].spec)
    for key in ("sets",) if kind.one else keys[3:-1]:
        spec = spec.get(key, {}) if isinstance(spec, Mapping) else spec
    return not isinstance(spec, Mapping)
