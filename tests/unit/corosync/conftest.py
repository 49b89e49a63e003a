"""What the tests of corosync's states and verbs share: files loaded as Salt would, outputs."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[3]
SAMPLES = Path(__file__).parent / "samples"


class Tools:
    """Stands in for ``fshalib.system.programs.run``: answers by the program and its arguments."""

    def __init__(self):
        self.answers = {}
        self.calls = []

    def say(self, argv, out="", err="", code=0):
        self.answers[tuple(argv)] = SimpleNamespace(out=out, err=err, code=code)

    def running(self, sample):
        """Answer as a node did when it was in the state that the samples are named after."""

        def text(kind):
            return (SAMPLES / f"{sample}.{kind}").read_text()

        stats = text("stats")
        self.say(["corosync-cmapctl"], text("cmap"))
        self.say(
            ["corosync-cmapctl", "-m", "stats", "stats.knet."],
            stats,
            code=0 if stats.strip() else 1,
        )
        quorum = text("quorum")
        self.say(
            ["corosync-quorumtool", "-s"], quorum, code=2 if "Quorate:          No" in quorum else 0
        )
        return self

    def stopped(self):
        self.say(
            ["corosync-cmapctl"],
            err="Failed to initialize the cmap API. Error CS_ERR_LIBRARY\n",
            code=1,
        )
        return self

    def __call__(self, argv, stdin=None, timeout=None, env=None):
        self.calls.append((tuple(argv), stdin))
        return self.answers[tuple(argv)]


@pytest.fixture
def tools():
    return Tools()


class Loaded:
    """One file of ``_modules`` or ``_states`` with the names that Salt gives it."""

    def __init__(self, folder, name):
        spec = importlib.util.spec_from_file_location(
            f"loaded_{folder}_{name}", ROOT / folder / f"{name}.py"
        )
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.salt = {}
        self.context = {}
        self.low = {}
        self.opts = {"test": False, "id": "fs1"}
        self.module.__salt__ = self.salt
        self.module.__context__ = self.context
        self.module.__low__ = self.low
        self.module.__opts__ = self.opts

    def __getattr__(self, name):
        return getattr(self.module, name)


@pytest.fixture
def load():
    return Loaded


@pytest.fixture
def bus():
    """Events that were sent, as (tag, data)."""

    class Bus(list):
        def send(self, tag, data):
            self.append((tag, data))
            return True

    return Bus()
