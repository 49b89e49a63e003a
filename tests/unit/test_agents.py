"""The one table of agent names."""

import re
from pathlib import Path

import pytest

from fshalib import agents

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r'"(ocf:[\w:]+|lsb:\w+|stonith:)"')
ELSEWHERE = {"cib/agent.py": {"ocf:heartbeat:IPaddr2"}}
"""Examples in the reference."""


@pytest.mark.parametrize(
    ("agent", "fences"),
    [("stonith:fence_ipmilan", True), ("ocf:fsha:FSSofia", False), ("", False)],
)
def test_what_fences_nodes(agent, fences):
    assert agents.is_fencing(agent) is fences


def test_no_other_file_has_names_of_its_own():
    library = ROOT / "_utils/fshalib"
    files = [f for folder in (library, ROOT / "_states", ROOT / "_modules") for f in
             folder.rglob("*.py") if f.name != "agents.py" or f.parent != library]  # fmt: skip
    assert len(files) > 100
    found = {}
    for file in files:
        names = set(NAMES.findall(file.read_text(encoding="utf-8")))
        names -= ELSEWHERE.get("/".join(file.parts[-2:]), set())
        if names:
            found[str(file)] = names
    assert found == {}


def test_our_agents_are_on_the_disk():
    scripts = {file.name for file in (ROOT / "fsha/files/ocf").iterdir()}
    ours = {agents.FSSOFIA, agents.FSSWITCH}
    assert {name.removeprefix(agents.OURS) for name in ours} <= scripts
