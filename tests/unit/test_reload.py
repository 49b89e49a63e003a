"""A reload of the library forgets what was imported of an older one, and mends a broken import."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

import fshalib


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A package with the ``__init__.py`` of fshalib, a module and a room."""
    folder = tmp_path / "reloadedlib"
    (folder / "room").mkdir(parents=True)
    shutil.copy(Path(fshalib.__file__), folder)
    for name in ("agents.py", "room/__init__.py", "room/file.py"):
        (folder / name).write_text("VALUE = 'old'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == folder.name]:
        del sys.modules[name]


def values():
    """Return what a file that begins with a reload sees of the library."""
    importlib.reload(importlib.import_module("reloadedlib"))
    from reloadedlib import agents
    from reloadedlib.room import file

    return agents.VALUE, file.VALUE


def change(file):
    """Change a file but not its size."""
    before = file.stat()
    file.write_text("VALUE = 'new'\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))


def test_what_has_not_changed_is_kept(library):
    values()
    kept = sys.modules["reloadedlib.room.file"]
    assert values() == ("old", "old")
    assert sys.modules["reloadedlib.room.file"] is kept


@pytest.mark.parametrize(
    ("name", "seen"), [("agents.py", ("new", "old")), ("room/file.py", ("old", "new"))]
)
def test_what_has_changed_is_imported_again(library, name, seen):
    assert values() == ("old", "old")
    change(library / name)
    assert values() == seen


@pytest.mark.parametrize("text", [None, "", '"""The library.'], ids=["none", "empty", "half"])
def test_an_import_in_the_middle_of_a_sync_does_not_last(library, text):
    init = library / "__init__.py"
    whole = init.read_text()
    init.unlink() if text is None else init.write_text(text)
    importlib.invalidate_caches()
    try:
        importlib.import_module("reloadedlib.agents")
    except SyntaxError:
        assert text
    init.write_text(whole)
    change(library / "agents.py")
    assert values() == ("new", "old")
