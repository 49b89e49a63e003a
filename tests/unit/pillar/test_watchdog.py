"""A timeout of the watchdog without sbd is refused at the door."""

import pytest

from fshalib.cib import document
from fshalib.lint import rules
from fshalib.pillar import config as pillar_config
from fshalib.pillar import export_cib
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import pillar

BOTH = pytest.mark.parametrize("name", ["stonith-watchdog-timeout", "fencing-watchdog-timeout"])


def with_properties(properties, **resources):
    raw = pillar()
    raw["pacemaker"]["properties"] = properties
    raw["pacemaker"]["resources"].update(resources)
    return raw


@BOTH
@pytest.mark.parametrize("more", [{}, {"have-watchdog": False}])
def test_without_sbd_both_nodes_would_go_down(name, more):
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check(with_properties({name: "10s", **more}))
    [error] = caught.value.errors
    assert error.path == f"fsha:pacemaker:properties:{name}"
    assert "sbd is expected to run on every node" in error.message
    assert "give have-watchdog: true" in error.message


def test_in_a_set_with_a_rule():
    sets = [
        {"values": {"no-quorum-policy": "stop"}},
        {"values": {"stonith-watchdog-timeout": 5}, "rule": "#uname eq fs1"},
    ]
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check(with_properties(sets))
    keys = "fsha:pacemaker:properties:1:values:stonith-watchdog-timeout"
    assert [error.path for error in caught.value.errors] == [keys]


@BOTH
@pytest.mark.parametrize("value", [0, "0s", -1])
def test_what_does_no_harm(name, value):
    pillar_config.check(with_properties({name: value}))


@BOTH
def test_where_sbd_runs(name):
    pillar_config.check(with_properties({name: "10s", "have-watchdog": True}))
    sbd = {"agent": "stonith:external/sbd", "params": {"sbd_device": "/dev/sdb1"}}
    pillar_config.check(with_properties({name: "10s"}, sbd=sbd))


def fencing_advices(properties):
    config = pillar_config.check(with_properties(properties))
    return {found[0] for check in rules.CHECKS for found in check(config)} & {
        "no-fence-device",
        "not-managed",
    }


@pytest.mark.parametrize(
    ("properties", "advices"),
    [
        ({"stonith-watchdog-timeout": "10s", "have-watchdog": True}, set()),
        ({"stonith-watchdog-timeout": -1, "have-watchdog": True}, set()),
        ({"stonith-watchdog-timeout": -1}, {"no-fence-device"}),
        ({"stonith-watchdog-timeout": 0}, {"no-fence-device"}),
        ({"have-watchdog": True}, {"no-fence-device", "not-managed"}),
    ],
)
def test_only_with_sbd_a_watchdog_is_fencing(properties, advices):
    assert fencing_advices({"stonith-enabled": True, **properties}) == advices


CIB = (
    '<cib admin_epoch="0" epoch="3" num_updates="1"><configuration><crm_config>'
    '<cluster_property_set id="cib-bootstrap-options">{}</cluster_property_set></crm_config>'
    "<nodes/><resources/><constraints/></configuration><status/></cib>"
)


def exported(**values):
    pairs = "".join(
        f'<nvpair id="{n}" name="{n.replace("_", "-")}" value="{v}"/>' for n, v in values.items()
    )
    return export_cib.export(document.parse(CIB.format(pairs))).pacemaker.get("properties", {})


def test_an_export_says_that_sbd_runs():
    found = exported(stonith_watchdog_timeout="10s", have_watchdog="true")
    assert found == {"stonith-watchdog-timeout": "10s", "have-watchdog": True}
    pillar_config.check(with_properties(found))
    assert exported(stonith_enabled="true", have_watchdog="true") == {"stonith-enabled": True}
