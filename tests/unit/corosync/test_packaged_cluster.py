"""The one-node cluster that the packages start."""

import pytest

from fshalib.corosync import packaged_cluster

GHOST = """<cib epoch="5" num_updates="4" admin_epoch="0"><configuration>
<crm_config/><nodes><node id="1" uname="node1"/></nodes><resources/><constraints/>
</configuration><status><node_state id="1" uname="node1"/></status></cib>"""


class TestGhost:
    def test_the_packages_one_node_cib_is_a_ghost(self):
        found = packaged_cluster.contents(GHOST)
        assert found == packaged_cluster.Contents(("node1",), ())
        assert packaged_cluster.is_ghost(found, ["fs1", "fs2"])

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('uname="node1"/></nodes>', 'uname="fs1"/></nodes>'),
            ("<resources/>", '<resources><primitive id="ip"/></resources>'),
            ('<node id="1" uname="node1"/></nodes>', "</nodes>"),
        ],
    )
    def test_a_cib_with_anything_of_value_is_none(self, old, new):
        assert old in GHOST
        assert not packaged_cluster.is_ghost(
            packaged_cluster.contents(GHOST.replace(old, new)), ["fs1"]
        )

    def test_a_broken_cib_is_an_error(self):
        with pytest.raises(packaged_cluster.GhostError):
            packaged_cluster.contents("<cib>")
