"""Walk through the spec of an object, field by field, on every level."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from fshalib.cib.element_schema import ElementSchema, Spec
from fshalib.cib.fields import Several, Single, Within
from fshalib.cib.kinds import KINDS
from fshalib.cib.nvset import NvSets
from fshalib.cib.nvset_field import Sets
from fshalib.cib.operations import Operations
from fshalib.schema.report import Keys


def parts(shape: ElementSchema, spec: Spec, keys: Keys = ()) -> Iterator[tuple[Any, Any, Keys]]:
    """Yield each part that a spec has, on every level, with its value and its place."""
    for key, outer in shape.by_key.items():
        if key not in spec:
            continue
        part = outer.part if isinstance(outer, Within) else outer
        value, here = spec[key], (*keys, key)
        yield part, value, here
        if isinstance(part, Single):
            yield from parts(part.shape, value, here)
        elif isinstance(part, (Several, Operations)):
            for number, item in enumerate(value):
                yield from parts(part.shape, item, (*here, number))


def items(shape: ElementSchema, spec: Spec, *kinds: type) -> Iterator[tuple[Any, Spec, Keys]]:
    """Yield the parts of some kinds that hold several sets, or rules, with each item."""
    for part, value, keys in parts(shape, spec):
        if isinstance(part, kinds):
            found = value.as_items() if isinstance(part, Sets) else value
            for number, item in enumerate(found):
                yield part, item, (*keys, number)


def from_pillar(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of an object that stands as in the pillar, with values as in the CIB.

    Nothing is checked; what :func:`fshalib.cib.nvset.in_pillar` made of a spec becomes it again.
    """
    made = copy.deepcopy(dict(spec))
    for part, value, keys in list(parts(KINDS[kind].shape, made)):
        if isinstance(part, Sets):
            holder: Any = made
            for key in keys[:-1]:
                holder = holder[key]
            holder[keys[-1]] = NvSets.of(value)
    return made
