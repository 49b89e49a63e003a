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


def walk(schema: ElementSchema, spec: Spec, keys: Keys = ()) -> Iterator[tuple[Any, Any, Keys]]:
    """Yield each field of a spec, on every level, with its value and its place."""
    for key, outer in schema.by_key.items():
        if key not in spec:
            continue
        field = outer.inner if isinstance(outer, Within) else outer
        value, here = spec[key], (*keys, key)
        yield field, value, here
        if isinstance(field, Single):
            yield from walk(field.schema, value, here)
        elif isinstance(field, (Several, Operations)):
            for number, item in enumerate(value):
                yield from walk(field.schema, item, (*here, number))


def items(schema: ElementSchema, spec: Spec, *kinds: type) -> Iterator[tuple[Any, Spec, Keys]]:
    """Yield each item of the fields of some types (sets, rules), with its field and its place."""
    for field, value, keys in walk(schema, spec):
        if isinstance(field, kinds):
            entries = value.as_items() if isinstance(field, Sets) else value
            for number, item in enumerate(entries):
                yield field, item, (*keys, number)


def from_pillar(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of an object from pillar data with values as in the CIB.

    Nothing is checked; this is the inverse of :func:`fshalib.cib.nvset.in_pillar`.
    """
    copied = copy.deepcopy(dict(spec))
    for field, value, keys in list(walk(KINDS[kind].schema, copied)):
        if isinstance(field, Sets):
            holder: Any = copied
            for key in keys[:-1]:
                holder = holder[key]
            holder[keys[-1]] = NvSets.of(value)
    return copied
