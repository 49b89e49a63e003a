"""README's gitfs_remotes, word for word, against a bare repository on this machine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import salt.config
import salt.fileserver
import yaml

ROOT = Path(__file__).parents[2]
SERVED = ("fsha", "_modules", "_runners", "_states", "_utils")
ASKED = (
    "fsha/init.sls",
    "fsha/map.jinja",
    "_modules/fsha.py",
    "_runners/fsha.py",
    "_states/fsha_pillar.py",
    "_utils/fshalib/__init__.py",
)
# The project's branch; Salt looks for master unless it is told otherwise.
BRANCH = "main"


def configuration():
    """Return the master's configuration, as README has it for gitfs."""
    blocks = re.findall(
        r"^ *```yaml\n(.*?)^ *```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S
    )
    (block,) = [text for text in blocks if "gitfs_remotes" in text]
    return yaml.safe_load(block)


def git(*args, cwd):
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *args], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def remote(tmp_path):
    """A bare repository with the formula on its branch."""
    work = tmp_path / "work"
    for name in SERVED:
        shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
    git("init", "--quiet", f"--initial-branch={BRANCH}", cwd=work)
    git("add", "--all", cwd=work)
    git("commit", "--quiet", "--message=The formula", cwd=work)
    git("clone", "--quiet", "--bare", str(work), str(tmp_path / "fsha.git"), cwd=tmp_path)
    return f"file://{tmp_path}/fsha.git"


@pytest.fixture
def server(tmp_path, remote):
    """A master's file server with README's configuration and the address of that repository."""
    words = configuration()
    (entry,) = words["gitfs_remotes"]
    (options,) = entry.values()
    opts = salt.config.master_config(None)
    own = {"root_dir": str(tmp_path), "cachedir": str(tmp_path / "cache")}
    own.update(sock_dir=str(tmp_path / "run"), file_roots={"base": []})
    return salt.fileserver.Fileserver(
        {**opts, **own, **words, "gitfs_remotes": [{remote: options}]}
    )


def test_a_master_serves_the_formula_from_its_repository(server):
    server.update()
    served = {name: server.find_file(name, "base")["rel"] for name in ASKED}
    assert served == {name: name for name in ASKED}
