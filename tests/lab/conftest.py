"""One lab for the whole run: two bare nodes, a master outside."""

from __future__ import annotations

import os

import pytest

from lab import Lab, voice

NODES = ("freeswitch-dev", "ubuntu-v20z")


@pytest.fixture(scope="session")
def lab():
    """A lab of the tests' own, bare at first."""
    lab = Lab(os.environ.get("FSHA_LAB_TEST", "fshatest"))
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
