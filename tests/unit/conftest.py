"""What the tests of the cluster's library share: samples, and a stand-in for the runner."""

from pathlib import Path

import pytest

from fshalib.change import agreement
from fshalib.cib import document
from fshalib.pacemaker import status as pacemaker_status
from fshalib.system import programs

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def sample():
    """Return the text of a sample, such as ``pair.xml``."""

    def read(name):
        return (SAMPLES / name).read_text(encoding="utf-8")

    return read


@pytest.fixture
def pair(sample):
    """Return the CIB of a pair that serves."""
    return document.parse(sample("pair.xml"))


@pytest.fixture
def status(sample):
    """Return the status of that pair."""
    return pacemaker_status.parse_status(sample("status-serving.xml"))


class Tools:
    """Stands in for ``fshalib.system.programs.run``: answers in turn, keeps what it was asked."""

    def __init__(self):
        self.answers = {}
        self.calls = []

    def say(self, *argv, out="", err="", code=0):
        """Give the next answer to the program (and first arguments); the last one stays."""
        answer = programs.Completed(argv, code, out, err, 0.0)
        self.answers.setdefault(argv, []).append(answer)
        return self

    def hang(self, *argv):
        """Let a program run out of time."""
        self.answers.setdefault(argv, []).append(programs.ToolTimeout(argv, 1.0))
        return self

    def __call__(self, argv, stdin=None, timeout=30.0, env=None):
        self.calls.append((list(argv), stdin, env))
        for length in range(len(argv), 0, -1):
            waiting = self.answers.get(tuple(argv[:length]))
            if waiting:
                answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                if isinstance(answer, Exception):
                    raise answer
                return answer
        raise AssertionError(f"nobody told what {argv} answers")

    def count(self, *argv):
        """Return how often a program was run with these first arguments."""
        return sum(call[: len(argv)] == list(argv) for call, _, _ in self.calls)


@pytest.fixture
def no_notes():
    """Return a function that lets tools say that no node has noted anything."""

    def say(tools, here="fs1"):
        asked = ("attrd_updater", "--name", agreement.ATTRIBUTE, "--query")
        tools.say(*asked, code=programs.EX_CONFIG).say("attrd_updater")
        return tools.say("crm_node", out=f"{here}\n")

    return say


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.delenv("CIB_file", raising=False)
    return Tools()


NODES = {
    "freeswitch-dev": {"addresses": ["10.101.20.110/24", "10.101.21.110/24"]},
    "ubuntu-v20z": {"addresses": ["10.101.20.220/24", "10.101.21.220/24"]},
}


@pytest.fixture
def nodes():
    return {name: dict(facts) for name, facts in NODES.items()}
