"""The whole pillar of a cluster: the section of its CIB fits the rest of it."""

import pytest

from fshalib.pillar import config, export
from tests.unit.build import cib, pairs

COROSYNC = {
    "nodes": {
        "fs1": {"addresses": ["10.101.20.110/24"]},
        "fs2": {"addresses": ["10.101.20.220/24"]},
    },
    "corosync": {"authkey_file": "/etc/fsha/authkey"},
}
SOFIA = '<primitive id="fs" class="ocf" provider="fsha" type="FSSofia">{}</primitive>'


@pytest.mark.parametrize(
    ("standby", "host", "expected", "note"),
    [
        ("cold", True, False, "the next run turns it off"),
        ("cold", False, False, ""),
        ("cold", None, False, ""),
        ("hot", False, True, "the next run turns it on"),
        ("hot", True, True, ""),
        ("hot", None, True, ""),
    ],
)
def test_what_a_host_may_bind_goes_with_the_standby(standby, host, expected, note):
    params = pairs("instance_attributes", "i", profiles="internal", standby=standby)
    root = cib(SOFIA.format(params))
    pillar, notes = export.pillar(root, (COROSYNC, []), host)
    assert pillar["network"] == {"nonlocal_bind": expected}
    assert pillar["pacemaker"]["resources"]["fs"]["params"]["standby"] == standby
    told = [n for n in notes if "nonlocal_bind" in n]
    assert [note in n for n in told] == ([True] if note else [])
    config.check(pillar)


def test_without_the_agent_the_host_stays_as_it_is():
    assert export.pillar(cib(), (COROSYNC, []), True)[0]["network"] == {"nonlocal_bind": True}
    assert "network" not in export.pillar(cib(), (COROSYNC, []), None)[0]


def test_a_name_that_corosync_does_not_know_is_left_out():
    bad = '<rsc_location id="l" rsc="a" node="fs3" score="5"/>'
    root = cib('<primitive id="a" class="systemd" type="a"/>', bad,
               nodes='<node id="3" uname="fs3"/>')  # fmt: skip
    pillar, notes = export.pillar(root, (COROSYNC, []), None)
    assert "locations" not in pillar["pacemaker"]
    assert any('locations:l:node: the name of a node is expected, there is no "fs3"' in n
               for n in notes)  # fmt: skip
    config.check(pillar)
