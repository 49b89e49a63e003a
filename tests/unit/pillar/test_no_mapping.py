"""A malformed pillar keeps nobody from looking at the cluster."""

import pytest

from fshalib.freeswitch import client, recovery_db
from fshalib.schema import report
from fshalib.switchover import operator_settings


@pytest.mark.parametrize(
    "pillar",
    [
        {},
        {"fsha": None},
        {"fsha": "voice"},
        {"fsha": ["freeswitch"]},
        {"fsha": {"freeswitch": "x", "pacemaker": "y", "cluster": 1}},
        {"fsha": {"freeswitch": {"configuration": ["x"]}}},
    ],
)
def test_a_pillar_that_makes_no_sense_keeps_nobody_from_looking(pillar):
    assert report.section(pillar, "fsha", "cluster") == {}
    assert client.access(pillar).port == 8021
    assert recovery_db.ask_pillars(pillar) is None
    assert operator_settings.attributes_in_pillar(report.section(pillar, "fsha", "pacemaker")) == {}


def test_a_resource_that_is_no_mapping_says_nothing():
    told = {"resources": {"vip": "ocf:heartbeat:IPaddr2", "fs": {"meta": {"is-managed": False}}}}
    assert operator_settings.attributes_in_pillar(told) == {
        "vip": frozenset(),
        "fs": frozenset({"is-managed"}),
    }
