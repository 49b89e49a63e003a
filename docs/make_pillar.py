"""Write docs/pillar.md from the definitions that check the pillar.

Run it after a change of ``_utils/fsha_tree.py`` or ``_utils/fsha_options.py``::

    python docs/make_pillar.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "_utils"))

from fsha_schema import REQUIRED, UNSET, Field, Kind, ListOf, Named, Section  # noqa: E402
from fsha_tree import PILLAR  # noqa: E402

TARGET = HERE / "pillar.md"
HEAD = """\
# Pillar reference

<!-- Made by docs/make_pillar.py from the definitions that check the pillar; do not edit. -->

Everything stands below the key `fsha`. Paths are written as Salt writes them
(`fsha:cluster:name`); words in capitals stand for names that you give, `N` for a position in a
list, counted from 0. A key that is not listed here is refused, with the nearest name that is.
[pillar.example](../pillar.example) is a whole pillar to start from, and
[examples/article.sls](../examples/article.sls) a small one.

YAML's numbers and `true` or `false` may stand wherever the cluster wants text. Durations are `2s`,
`2000ms`, `5min`, `1h` or ISO 8601 (`PT2S`), a bare number is seconds; scores are whole numbers,
`INFINITY` or `-INFINITY`. Defaults in parentheses are those of corosync or Pacemaker, which hold
when the key is left out. A secret (`authkey`, `password`) is never shown in a message.
"""
RULES = """
### Rule expressions

    #uname eq freeswitch-dev
    pingd lt 1 or not_defined pingd
    site ne "main building"
    load number:gt 4

A test is `ATTRIBUTE OPERATION VALUE` with the operations `lt`, `lte`, `eq`, `gte`, `gt` and `ne`,
or `defined ATTRIBUTE`, `not_defined ATTRIBUTE`. A type (`string`, `integer`, `number`, `version`)
and a colon may stand before the operation. Several tests are joined by `and` or by `or`, not by
both in one rule. What holds spaces stands in double quotes.
"""
PLACES = {
    "nodes": "NODE",
    "nodes:NODE:interfaces": "NIC",
    "pacemaker:resources": "ID",
    "pacemaker:groups": "ID",
    "pacemaker:locations": "ID",
    "pacemaker:resources:ID:params": "NAME",
}
Table = tuple[str, str, Section]


def inner(kind: Kind, at: str) -> tuple[str, Kind]:
    """Return what a list or a mapping of names is made of, and its path."""
    if isinstance(kind, Named):
        return f"{at}:{PLACES[at]}", kind.item
    if isinstance(kind, ListOf):
        return f"{at}:N", kind.item
    return at, kind


def tables(section: Section, at: str, doc: str) -> Iterator[Table]:
    """Yield every mapping with known keys: its path, its meaning and itself."""
    yield at, doc, section
    for name, known in section.fields.items():
        path, kind = inner(known.kind, f"{at}:{name}" if at else name)
        if isinstance(kind, Section):
            yield from tables(kind, path, known.doc)


def default(known: Field) -> str:
    """Return the default as it stands in the table."""
    if known.default is REQUIRED:
        return "**required**"
    if known.default is UNSET:
        return f"({known.theirs})" if known.theirs else ""
    return f"`{json.dumps(known.default)}`"


def rows(section: Section) -> Iterator[str]:
    """Yield the lines of a table."""
    yield "| key | what is expected | default | meaning |"
    yield "|---|---|---|---|"
    others = {name: old for old, name in section.aliases.items()}
    for name, known in section.fields.items():
        also = f" (or `{others[name]}`)" if name in others else ""
        example = "" if known.example is UNSET else f"; example: `{json.dumps(known.example)}`"
        cells = (f"`{name}`{also}", known.kind.expected, default(known), f"{known.doc}{example}")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def render() -> str:
    """Return the whole reference."""
    lines = [HEAD]
    shown: dict[int, str] = {}
    for at, doc, section in tables(PILLAR, "", ""):
        depth = "##" if ":" not in at else "###"
        title = f"{depth} fsha{':' if at else ''}{at}"
        lines += [title, "", *([doc[0].upper() + doc[1:] + ".", ""] if doc else [])]
        first = shown.setdefault(id(section), at)
        if first == at:
            lines += [*rows(section), ""]
        else:
            lines += [f"The keys of `fsha:{first}`.", ""]
    return "\n".join(lines).rstrip("\n") + "\n" + RULES


def main() -> None:
    """Write the file."""
    TARGET.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
