import pytest

from fshalib.corosync import build
from fshalib.corosync import conf as fc
from fshalib.corosync import diff as fcc
from fshalib.corosync import status as fr

WANTED = (
    build.RingNode("freeswitch-dev", 1, ("10.101.20.110", "10.101.21.110")),
    build.RingNode("ubuntu-v20z", 2, ("10.101.20.220", "10.101.21.220")),
)
ONE_LINK = tuple(build.RingNode(n.name, n.id, n.addresses[:1]) for n in WANTED)


def test_a_whole_ring_is_read_and_has_no_fault(tools):
    ring = fr.read(tools.running("knet-ok"))
    assert ring.local == fr.Member(1, "freeswitch-dev")
    assert (ring.cluster_name, ring.transport) == ("voice", "knet")
    assert (ring.quorate, ring.expected_votes, ring.total_votes) == (True, 2, 2)
    assert ring.members == (fr.Member(1, "freeswitch-dev"), fr.Member(2, "ubuntu-v20z"))
    assert ring.links == (
        fr.Link("ubuntu-v20z", 0, "10.101.20.220", True, 1397),
        fr.Link("ubuntu-v20z", 1, "10.101.21.220", True, 1397),
    )
    assert fr.faults(ring, WANTED) == ()


def test_a_cut_link_is_named_with_its_node_and_address(tools):
    ring = fr.read(tools.running("knet-cut1"))
    assert fr.faults(ring, WANTED) == ("link 1 to ubuntu-v20z (10.101.21.220): not connected",)


def test_a_node_that_left_is_missing_and_so_are_its_links(tools):
    assert fr.faults(fr.read(tools.running("knet-one")), WANTED) == (
        "ubuntu-v20z (nodeid 2): not a member of the cluster",
        "link 0 to ubuntu-v20z (10.101.20.220): not connected",
        "link 1 to ubuntu-v20z (10.101.21.220): not connected",
    )


def test_a_partition_without_quorum_says_why(tools):
    found = fr.faults(fr.read(tools.running("knet-noquorum")), WANTED)
    assert found[0] == (
        "not quorate: 1 of 2 expected votes; votequorum waits until it has seen all nodes once "
        "(wait_for_all)"
    )


def test_udp_has_one_link_that_follows_membership(tools):
    ring = fr.read(tools.running("udp-ok"))
    assert ring.links == (fr.Link("ubuntu-v20z", 0, "10.101.20.220", True, None),)
    assert fr.faults(ring, ONE_LINK) == ()
    assert fr.faults(fr.read(tools.running("udpu-one")), ONE_LINK) == (
        "ubuntu-v20z (nodeid 2): not a member of the cluster",
        "link 0 to ubuntu-v20z (10.101.20.220): not connected",
    )


def test_a_stranger_and_links_that_do_not_run_are_named(tools):
    ring = fr.read(tools.running("knet-ok"))
    wanted = (WANTED[0], build.RingNode("fs2", 2, ("10.101.20.220",)))
    assert fr.faults(ring, wanted) == (
        "fs2 (nodeid 2): not a member of the cluster",
        "ubuntu-v20z (nodeid 2): in the running cluster, but not one of the configured nodes",
        "link 0 to fs2 (10.101.20.220): not in the running configuration",
    )


def test_a_link_to_another_address_is_named(tools):
    ring = fr.read(tools.running("knet-ok"))
    wanted = (WANTED[0], build.RingNode("ubuntu-v20z", 2, ("10.101.20.9", "10.101.21.220")))
    assert fr.faults(ring, wanted) == (
        "link 0 to ubuntu-v20z (10.101.20.9): runs to 10.101.20.220 instead",
    )


def test_a_stopped_corosync_is_told_with_its_words(tools):
    with pytest.raises(fr.NotRunningError, match="CS_ERR_LIBRARY"):
        fr.read(tools.stopped())


def test_an_output_without_quorum_is_an_error_not_a_guess():
    with pytest.raises(fr.UnreadableError, match="Quorate"):
        fr.parse_quorum("something else\n")
    with pytest.raises(fr.UnreadableError, match="Total votes"):
        fr.parse_quorum("Quorate: Yes\nExpected votes: 2\n")


def test_status_is_plain_data(tools):
    data = fr.as_data(fr.read(tools.running("knet-ok")))
    assert data["local"] == {"nodeid": 1, "name": "freeswitch-dev"}
    assert data["links"][1]["number"] == 1
    assert isinstance(data["members"], list)


class TestRunning:
    CONF = build.from_settings(
        "voice", WANTED, totem={"token": 1500}, links=[{"link_priority": 2}, {"link_priority": 1}]
    )

    def test_the_file_that_corosync_was_started_with_does_not_differ(self, tools):
        cmap = fr.read_cmap(tools.running("knet-ok"))
        assert fcc.running_difference(self.CONF, cmap) == ()

    def test_what_corosync_fills_in_by_itself_does_not_count(self, tools):
        cmap = fr.read_cmap(tools.running("udp-ok"))
        conf = build.from_settings("voice", ONE_LINK, transport="udp", totem={"token": 1500})
        assert fcc.running_difference(conf, cmap) == ()

    def test_a_changed_file_differs_and_the_running_value_is_the_old_one(self, tools):
        cmap = fr.read_cmap(tools.running("knet-ok"))
        conf = build.from_settings("voice", WANTED, totem={"token": 3000}, links=[{}, {}])
        assert fcc.running_difference(conf, cmap) == (
            # corosync's own defaults are no settings: 3000 and, for link 1, a priority of 1.
            fc.ConfChange("totem.interface[0].knet_link_priority", "2", None),
            fc.ConfChange("totem.token", "1500", "3000"),
        )


def test_a_node_without_a_nodeid_has_the_one_that_corosync_makes():
    cmap = {
        "totem.transport": "udpu",
        "totem.clear_node_high_bit": "yes",
        "nodelist.node.0.ring0_addr": "192.168.76.1",
        "nodelist.node.1.ring0_addr": "192.168.76.2",
        "nodelist.node.1.nodeid": "2",
    }
    assert [node.id for node in fr.configured(cmap)] == [1084771329, 2]
