"""Labs of two bare nodes and a master outside: one for the whole run, or two side by side.

Two labs mostly wait for their own clusters. With ``-n 2 --dist loadgroup`` the files of one group
(``pytestmark`` at their head) run in one lab, in their order, which counts: ``SHARED`` tests go on
with the pair that the others have left, ``BARE`` ones begin with bare nodes.
"""

from __future__ import annotations

import os

import pytest

from lab import Lab, voice

SHARED = pytest.mark.xdist_group("shared")
BARE = pytest.mark.xdist_group("bare")
NODES = ("freeswitch-dev", "ubuntu-v20z")


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
