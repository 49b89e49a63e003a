"""Labs of two bare nodes and a master outside: one for the whole run, or two side by side.

Two labs mostly wait for their own clusters, so ``-n 2`` takes little more than half the time.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from lab import Lab, voice

BARE = frozenset({"test_4_article", "test_6_engine", "test_7_agent", "test_91_install"})
LATE = frozenset({"test_9_clean", "test_92_bench", "test_93_salt_ssh", "test_94_store"})
"""Files that begin with bare nodes; the others go on with the pair that the one before has left."""
NODES = ("freeswitch-dev", "ubuntu-v20z")


class TwoLabs(LoadScopeScheduling):
    """Runs the files of each kind in one lab, in their order, which counts.

    The late ones go to the lab that is free first.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        return "bare" if file in BARE else "late" if file in LATE else "shared"


def pytest_xdist_make_scheduler(config, log):
    """Share the tests out to two labs."""
    return TwoLabs(config, log)


@pytest.fixture(scope="session")
def lab(worker_id):
    """A lab of the tests' own, bare at first."""
    name = os.environ.get("FSHA_LAB_TEST", "fshatest")
    lab = Lab(name if worker_id == "master" else f"{name}{worker_id}")
    lab.down()
    freeswitch = os.environ.get("FSHA_LAB_FREESWITCH")
    lab.up(
        release=os.environ.get("FSHA_LAB_RELEASE", "bookworm"),
        freeswitch=freeswitch,
        # A stand-in's calls are recovered from a file that both nodes see.
        database=bool(freeswitch),
    )
    yield lab
    lab.down()


@pytest.fixture(scope="session")
def pair(lab):
    """The recommended pair, serving."""
    voice.give(lab, voice.example("pillar.example"))
    applied = voice.apply(lab)
    assert applied.failed == []
    assert sorted(applied.states) == sorted(NODES)
    return lab


@pytest.fixture
def quiet(pair):
    """The pair in sync: what a test has changed on purpose it has to have put right."""
    wait_settled(pair)
    return pair


def wait_settled(lab):
    node = next(iter(lab.nodes.values()))
    node.run(["crm_resource", "--wait", "--timeout=60s"], timeout=90)
    assert voice.serving(lab)


PEER = "/etc/salt/master.d/peer.conf"


def let_minions_ask(lab):
    """Let each minion ask the other one for its facts, if they may not yet."""
    if lab.outside.exists(PEER):
        return
    lab.outside.write(PEER, "peer:\n  .*:\n    - fsha.facts\n")
    lab.outside.run(["systemctl", "restart", "salt-master"])
    for node in lab.nodes.values():
        node.run(["systemctl", "restart", "salt-minion"])
    lab.wait_minions(lab.nodes.values())
