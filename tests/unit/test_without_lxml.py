"""Verbs and states load where lxml is missing: each says by itself what it lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("_modules/*.py"), *ROOT.glob("_states/*.py")])
CODE = """
import importlib.util, sys
sys.modules["lxml"] = None
sys.path.insert(0, sys.argv[1])
for path in sys.argv[2:]:
    spec = importlib.util.spec_from_file_location("loaded", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_it_loads(file):
    argv = [sys.executable, "-W", "ignore", "-c", CODE, str(ROOT / "_utils"), str(file)]
    subprocess.run(argv, check=True, timeout=60)
