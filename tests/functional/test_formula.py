"""FORMULA is one that Salt's own package manager builds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_spm_builds_the_formula(tmp_path):
    sources = tmp_path / "fsha"
    sources.mkdir()
    for name in ("FORMULA", "pillar.example"):
        shutil.copy(ROOT / name, sources)
    for name in ("fsha", "_modules", "_states", "_utils"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "spm").write_text(
        f"spm_build_dir: {tmp_path}/built\nspm_db: {tmp_path}/packages.db\n"
        f"spm_cache_dir: {tmp_path}/cache\nspm_logfile: {tmp_path}/log\n"
    )
    spm = Path(sys.executable).parent / "spm"
    env = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [spm, "-c", tmp_path, "build", sources],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (package,) = (tmp_path / "built").glob("fsha-*.spm")
    with tarfile.open(package) as held:
        names = held.getnames()
    for name in (
        "FORMULA",
        "fsha/init.sls",
        "fsha/pacemaker/cib.sls",
        "fsha/parameters/kinds.yaml",
        "_states/pacemaker_resource.py",
        "_utils/fshalib/cib/kinds.py",
    ):
        assert f"fsha/{name}" in names
