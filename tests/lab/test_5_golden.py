"""The golden transitions, by the scheduler of the nodes' own Pacemaker."""

from __future__ import annotations

import json

from tests.golden.changes import CHANGES

PLAY = ("/opt/salt/bin/python", "-B", "/srv/formula/tests/golden", "/srv/formula")


def test_every_change_makes_the_transition_that_is_written(pair):
    node = pair.nodes["freeswitch-dev"]
    found = json.loads(node.run(PLAY, timeout=180).out)
    expected = {change.name: list(change.expected(found["pacemaker"])) for change in CHANGES}
    assert found["transitions"] == expected
