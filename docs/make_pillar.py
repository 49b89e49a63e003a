"""Write docs/pillar.md and the formula's defaults from the definitions that check the pillar.

Run it after a change of ``_utils/fshalib/pillar/schema.py``, ``_utils/fshalib/cib/kinds.py``,
``_utils/fshalib/cib/options.py`` or ``docs/examples.yaml``::

    python docs/make_pillar.py
"""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "_utils"))

from fshalib.cib.kinds import BY_KEY  # noqa: E402
from fshalib.cib.nvset_field import OneOrSeveral, set_section  # noqa: E402
from fshalib.cib.resource_schema import VALUES  # noqa: E402
from fshalib.pillar.schema import PILLAR  # noqa: E402
from fshalib.schema.types import (  # noqa: E402
    REQUIRED,
    UNSET,
    Field,
    ListOf,
    Named,
    Record,
    ValueType,
    defaults,
)

TARGET = HERE / "pillar.md"
DEFAULTS = HERE.parent / "fsha" / "parameters" / "defaults.yaml"
DEFAULTS_HEAD = """\
# The formula's defaults. Pillar data below the key fsha is merged over them.
# Made by docs/make_pillar.py from _utils/fshalib/pillar/schema.py; do not edit, run "make docs".
# docs/pillar.md explains every key.
"""
EXAMPLES = yaml.safe_load((HERE / "examples.yaml").read_text(encoding="utf-8"))
HEAD = """\
# Pillar reference

<!-- Made by docs/make_pillar.py from the definitions that check the pillar; do not edit. -->

All keys stand below the key `fsha`. Paths are in Salt's form (`fsha:cluster:name`). Words in
capitals stand for names that you choose, `N` for a position in a list, counted from 0. A key that
is not listed here is refused, and the message suggests the nearest known name.
[pillar.example](../pillar.example) is a complete pillar to start from;
[examples/article.sls](../examples/article.sls) is a small one.

Where the cluster expects text, you can write YAML's numbers and `true` or `false`. Durations are
`2s`, `2000ms`, `5min`, `1h` or ISO 8601 (`PT2S`); a bare number is seconds. Scores are whole
numbers, `INFINITY` or `-INFINITY`. Defaults in parentheses apply without the key; most are those of
corosync or Pacemaker. No message shows a secret (`authkey`, `password`).
"""
RULES = """
### Rule expressions

    #uname eq freeswitch-dev
    pingd lt 1 or not_defined pingd
    site ne "main building"
    load number:gt 4

    date in_range start=2026-12-24 duration days=3
    (date spec hours=9-16 weekdays=1-5 or site eq east) and defined ready
    resource ocf:heartbeat:IPaddr2 and op monitor interval=5s

A test is `ATTRIBUTE OPERATION VALUE` with the operations `lt`, `lte`, `eq`, `gte`, `gt` and `ne`,
or `defined ATTRIBUTE`, `not_defined ATTRIBUTE`. A type (`string`, `integer`, `number`, `version`)
and a colon may precede the operation. `param NAME` or `meta NAME` in place of the value takes it
from the resource. Dates are `date gt DATE`, `date lt DATE`, `date in_range start=DATE end=DATE`
(or `duration PART=N …` in place of the end) and `date spec PART=RANGE …`. In the rules of
`rsc_defaults` and `op_defaults`, `resource CLASS:PROVIDER:TYPE` (each part may be empty) and
`op NAME interval=DURATION` say what the set applies to. Tests are joined by `and` or by `or`; use
brackets to combine both. Text with spaces or brackets stands in double quotes.
"""
PLACES = {"nodes": "NODE", "nodes:NODE:interfaces": "NIC", "pacemaker:nodes": "NODE"}
OBJECTS = """\
Each kind of object has an example below, and beside it the same object as `crm configure show`
prints it (crmsh leaves out `ocf:heartbeat:`). No two ids of the section may be equal, and that
includes ids of parts of objects. In place of a resource a constraint can name a tag, or a template:
then it applies to all resources of the template.
"""
SETS = """
### Sets with rules

In place of a mapping of parameters, meta attributes or options you can write a list of sets. For
each name, the set with the highest score counts, of those that have the name and a true rule.

"""
Table = tuple[str, str, Record]


def inner(kind: ValueType, at: str) -> tuple[str, ValueType]:
    """Return what a list or a mapping of names is made of, and its path."""
    if isinstance(kind, Named):
        return f"{at}:{PLACES.get(at, 'ID')}", kind.item
    if isinstance(kind, OneOrSeveral):
        return inner(kind.values, at) if isinstance(kind.values, Record) else (at, kind)
    if isinstance(kind, ListOf):
        return f"{at}:N", kind.item
    return at, kind


def tables(section: Record, at: str, doc: str) -> Iterator[Table]:
    """Yield every mapping with known keys: its path, its meaning and itself."""
    yield at, doc, section
    for name, known in section.fields.items():
        path, kind = inner(known.kind, f"{at}:{name}" if at else name)
        if isinstance(kind, Record):
            yield from tables(kind, path, known.doc)


def default(known: Field) -> str:
    """Return the default as it stands in the table."""
    if known.default is REQUIRED:
        return "**required**"
    if known.default is UNSET:
        return f"({known.theirs})" if known.theirs else ""
    return f"`{json.dumps(known.default)}`"


def rows(section: Record) -> Iterator[str]:
    """Yield the lines of a table."""
    yield "| key | what is expected | default | meaning |"
    yield "|---|---|---|---|"
    others = {name: old for old, name in section.aliases.items()}
    for name, known in section.fields.items():
        also = f" (or `{others[name]}`)" if name in others else ""
        example = "" if known.example is UNSET else f"; example: `{json.dumps(known.example)}`"
        cells = (f"`{name}`{also}", known.kind.expected, default(known), f"{known.doc}{example}")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def example(at: str) -> list[str]:
    """Return the lines of the example that goes to a path, if it is that of a kind of object."""
    if at == "pacemaker":
        return [OBJECTS]
    parts = at.split(":")
    kind = BY_KEY.get(parts[1]) if parts[0] == "pacemaker" and len(parts) in (2, 3) else None
    return [*shown_twice(EXAMPLES["examples"][kind.name]), ""] if kind else []


def shown_twice(one: dict[str, str]) -> list[str]:
    """Return an example as it stands in the pillar and as crmsh prints it."""
    pillar, crm = (one[key].rstrip("\n") for key in ("pillar", "crm"))
    return ["```yaml", pillar, "```", "", "```", crm, "```"]


def render() -> str:
    """Return the whole reference."""
    lines = [HEAD]
    shown: dict[int, str] = {}
    for at, doc, section in tables(PILLAR, "", ""):
        depth = "##" if ":" not in at else "###"
        title = f"{depth} fsha{':' if at else ''}{at}"
        lines += [title, "", *([doc[0].upper() + doc[1:] + ".", ""] if doc else []), *example(at)]
        first = shown.setdefault(id(section), at)
        if first == at:
            lines += [*rows(section), ""]
        else:
            lines += [f"The keys of `fsha:{first}`.", ""]
    sets = "\n".join([*shown_twice(EXAMPLES["sets"]), "", *rows(set_section(VALUES))]) + "\n"
    return "\n".join(lines).rstrip("\n") + "\n" + SETS + sets + RULES


def render_defaults() -> str:
    """Return the file of defaults, which the formula's templates read."""
    return DEFAULTS_HEAD + "\n".join(yaml_lines(defaults(PILLAR))) + "\n"


def yaml_lines(data: dict[str, object], indent: str = "") -> Iterator[str]:
    """Yield a mapping as lines of YAML: mappings as blocks, lists and empty mappings in a line."""
    for name, value in data.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}:"
            yield from yaml_lines(value, f"{indent}  ")
        else:
            flow = None if isinstance(value, (dict, list)) else False
            text = yaml.safe_dump({name: value}, default_flow_style=flow, width=math.inf)
            yield from textwrap.indent(text, indent).splitlines()


def main() -> None:
    """Write the files."""
    TARGET.write_text(render(), encoding="utf-8")
    DEFAULTS.write_text(render_defaults(), encoding="utf-8")


if __name__ == "__main__":
    main()
