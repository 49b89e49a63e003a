"""The library's rooms stand on floors: each imports only what stands below it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "_utils/fshalib"
# From the ground up; agents.py and errors.py lie below all of them.
ROOMS = (
    "system",
    "events",
    "schema",
    "cib",
    "pacemaker",
    "corosync",
    "freeswitch",
    "store",
    "pillar",
    "lint",
    "change",
    "switchover",
    "checks",
    "report",
)
GROUND = {"agents", "errors"}
FILES = sorted(LIBRARY.rglob("*.py"))
LONGEST = 400
# Files that are longer, each with its reason.
LONG = {
    "freeswitch/config.py": "the fragments, their includes, and the proof of their effect",
}


def modules(file: Path) -> set[str]:
    """Return the full names of the modules of the library that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "fshalib"}


def room(file: Path) -> str:
    return file.relative_to(LIBRARY).parts[0]


def name(file: Path) -> str:
    return str(file.relative_to(LIBRARY))


def test_every_folder_is_a_room():
    assert {p.name for p in LIBRARY.iterdir() if p.is_dir() and p.name != "__pycache__"} == set(
        ROOMS
    )


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_is_short_or_has_a_reason(file):
    lines = len(file.read_text(encoding="utf-8").splitlines())
    # A file that has become short again leaves the table.
    assert (lines > LONGEST) == (name(file) in LONG), lines


def test_each_long_file_exists_and_has_a_reason():
    assert {name(file) for file in FILES} >= set(LONG)
    assert all(LONG.values())


@pytest.mark.parametrize("file", [f for f in FILES if f.parent != LIBRARY], ids=name)
def test_imports_go_down(file):
    for module in modules(file):
        target = module.split(".")[1]
        if target not in GROUND:
            assert ROOMS.index(target) <= ROOMS.index(room(file)), module


@pytest.mark.parametrize("file", [f for f in FILES if f.parent == LIBRARY], ids=name)
def test_the_ground_stands_on_nothing(file):
    assert modules(file) == set()


@pytest.mark.parametrize("file", [f for f in FILES if f.name == "__init__.py"], ids=name)
def test_an_init_is_a_docstring(file):
    # The pillar is checked before lxml is there, so a room may import nothing by itself.
    body = ast.parse(file.read_text(encoding="utf-8")).body
    assert ast.get_docstring(ast.Module(body, [])), "it says what the room is for"
    assert file.parent == LIBRARY or len(body) == 1


@pytest.mark.parametrize("file", FILES, ids=name)
def test_nothing_of_salt(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        assert not any(name.split(".")[0] == "salt" for name in names)
