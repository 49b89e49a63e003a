"""Labs for the whole run, of two bare nodes and a master outside each: one, or two side by side.

With ``-n 2 --dist loadgroup`` the files run in two labs, which mostly wait for their own clusters.
"""

from __future__ import annotations

import os

import pytest

from lab import Lab, voice

SECOND_LAB = frozenset(
    {"test_4_article", "test_6_engine", "test_7_agent", "test_9_clean", "test_91_install"}
)
"""Files that begin with bare nodes; the others share one pair, and stay together."""
NODES = ("freeswitch-dev", "ubuntu-v20z")


def pytest_collection_modifyitems(items):
    """Say which files stay together."""
    for item in items:
        second = item.path.stem in SECOND_LAB
        item.add_marker(pytest.mark.xdist_group("second lab" if second else "first lab"))


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
