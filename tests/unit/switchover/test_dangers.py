"""A node's own maintenance, and where it ends in two holders."""

import dataclasses

import pytest
from lxml import etree

from fshalib.switchover import dangers


def put_into_maintenance(root, name="fs1"):
    node = root.find(f"configuration/nodes/node[@uname='{name}']")
    holder = etree.SubElement(node, "instance_attributes", id=f"{name}-attributes")
    etree.SubElement(holder, "nvpair", id=f"{name}-m", name="maintenance", value="true")
    return root


def in_maintenance_mode(root):
    section = root.find("configuration/crm_config")
    holder = section.find("cluster_property_set")
    if holder is None:
        holder = etree.SubElement(section, "cluster_property_set", id="cib-bootstrap-options")
    etree.SubElement(holder, "nvpair", id="mode", name="maintenance-mode", value="true")
    return root


def seen(status, serves="fs1", **state):
    """Return the status with fs1 in some state and the service where it is said to be."""
    nodes = tuple(dataclasses.replace(n, **state) if n.name == "fs1" else n for n in status.nodes)
    places = (serves,) if serves else ()
    resources = tuple(dataclasses.replace(r, nodes=places) for r in status.resources)
    return dataclasses.replace(status, nodes=nodes, resources=resources)


def test_without_maintenance_there_is_no_danger(status, pair):
    assert dangers.maintenance(status, pair) == ()
    assert dangers.maintenance(seen(status, online=False, serves=""), pair) == ()


def test_a_node_that_serves_in_its_own_maintenance(status, pair):
    (danger,) = dangers.maintenance(status, put_into_maintenance(pair))
    assert (danger.kind, danger.node) == (dangers.SERVES, "fs1")
    assert "both hold 10.101.20.219" in danger.text
    said = str(danger)
    assert "Do not stop Pacemaker there" in said
    assert "crm_attribute --node fs1 --name maintenance --lifetime forever --delete" in said
    assert "fsha.failover" in said
    assert "fsha.maintenance on" in said


def test_the_other_nodes_maintenance_and_that_of_the_whole_cluster_are_no_danger(status, pair):
    put_into_maintenance(pair, "fs2")
    assert dangers.maintenance(status, pair) == ()
    put_into_maintenance(pair)
    assert dangers.maintenance(status, in_maintenance_mode(pair)) == ()


@pytest.mark.parametrize("state", [{"online": False}, {"pending": True}, {"unclean": True}])
def test_a_node_that_left_in_maintenance_may_still_hold_the_address(status, pair, state):
    (danger,) = dangers.maintenance(seen(status, serves="", **state), put_into_maintenance(pair))
    assert (danger.kind, danger.node) == (dangers.LEFT, "fs1")
    assert "fs1 left in maintenance and MAY STILL HOLD 10.101.20.219" in danger.text
    assert "salt-call --local fsha.maintenance on reason=" in danger.advice


def test_it_says_when_the_other_node_has_taken_over(status, pair):
    away = seen(status, serves="fs2", online=False)
    (danger,) = dangers.maintenance(away, put_into_maintenance(pair))
    assert "which fs2 holds as well" in danger.text
    assert "ip address show" in danger.advice


def test_in_maintenance_mode_it_says_to_leave_that_on(status, pair):
    away = seen(status, serves="", online=False)
    root = in_maintenance_mode(put_into_maintenance(pair))
    (danger,) = dangers.maintenance(away, root)
    assert "leave maintenance mode on until Pacemaker runs on fs1 again" in danger.advice


def test_a_node_that_left_without_the_service_is_no_danger(status, pair):
    away = seen(status, serves="fs2", online=False)
    for op in pair.xpath("//node_state[@uname='fs1']//lrm_rsc_op"):
        op.set("operation", "stop")
    assert dangers.maintenance(away, put_into_maintenance(pair)) == ()


def twice(status, *, managed):
    """Return the status with the address on both nodes."""
    resources = tuple(
        dataclasses.replace(r, nodes=("fs1", "fs2"), managed=managed) if r.id == "ip_shared" else r
        for r in status.resources
    )
    return dataclasses.replace(status, resources=resources)


def test_what_runs_twice_and_is_left_so_by_maintenance(status, pair):
    root = in_maintenance_mode(pair)
    (danger,) = dangers.maintenance(twice(status, managed=False), root)
    assert (danger.kind, danger.node) == (dangers.TWICE, "fs1")
    assert danger.text.startswith("TWO HOLDERS of 10.101.20.219: ip_shared runs on fs1 and fs2")
    assert "freeswitch.calls" in danger.advice
    assert "crm_resource --refresh" in danger.advice


def test_what_the_cluster_will_put_right_by_itself_is_no_danger(status, pair):
    assert dangers.maintenance(twice(status, managed=True), pair) == ()
