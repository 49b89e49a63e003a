"""What the tests of switchovers and of the verbs of operators share: a pair, and a context."""

import time

import pytest

from fshalib.pacemaker.simulate import parse_transition
from fshalib.switchover import lock
from fshalib.switchover.context import Context
from tests.unit.switchover.fakes import Checked, Cluster, FreeSwitch


@pytest.fixture
def cluster(status, pair, sample):
    # Its agents have no monitor, so that nobody waits for their first word.
    for operation in pair.xpath("//op[@name='monitor']"):
        operation.getparent().remove(operation)
    return Cluster(status, pair, parse_transition(sample("transition-move.xml")))


@pytest.fixture
def events():
    """What has been sent to the bus: kind, subject, data."""
    return []


@pytest.fixture
def context(cluster, events):
    """Return what makes a context of alice's; parts of it can be given."""

    def make(**parts):
        given = {
            "by": "alice",
            "test": False,
            "cluster": cluster,
            "freeswitch": FreeSwitch(*[0] * 9),
            "check": Checked,
            "send": lambda *event: events.append(event),
            "progress": lambda _verb: lambda _phase, _facts: None,
        }
        return Context(**{**given, **parts})

    return make


@pytest.fixture
def running(cluster):
    """Return what lets a verb of bob's run on the other node, or be interrupted there."""

    def make(verb="failover", old="fs1", new="fs2", phase="move", node="fs2", since=None):
        begun = time.time() if since is None else since
        way = (verb, "bob", node, "VoiceServices", old, new)
        what = lock.RunningVerb(*way, since=begun, beat=begun, phase=phase)
        cluster.attributes[lock.ATTRIBUTE] = {node: what.text}
        return what

    return make
