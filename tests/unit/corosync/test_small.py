"""The key, the ghost, and the file."""

import base64
import stat

import pytest

from fshalib.corosync import authkey, packaged_cluster
from fshalib.system import files

KEY = bytes(range(256))

GHOST = """<cib epoch="5" num_updates="4" admin_epoch="0"><configuration>
<crm_config/><nodes><node id="1" uname="node1"/></nodes><resources/><constraints/>
</configuration><status><node_state id="1" uname="node1"/></status></cib>"""


class TestKey:
    def test_base64_with_line_breaks_is_taken(self):
        assert authkey.decode(base64.encodebytes(KEY).decode()) == KEY

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("%%%", "Base64"),
            (base64.b64encode(KEY[:127]).decode(), "127 bytes"),
            (base64.b64encode(KEY * 17).decode(), "4352 bytes"),
            (base64.b64encode(b"changeme" * 20).decode(), "not random"),
            ("ü", "Base64"),
        ],
    )
    def test_a_weak_key_is_refused_and_never_told(self, text, word):
        with pytest.raises(authkey.AuthkeyError, match=word) as caught:
            authkey.decode(text)
        assert text not in str(caught.value)

    def test_the_shortest_and_the_longest_are_taken(self):
        assert len(authkey.check(KEY[:128])) == 128
        assert len(authkey.check(KEY * 16)) == 4096


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


class TestFile:
    def test_it_is_replaced_as_a_whole_and_nothing_else_is_left(self, tmp_path):
        path = tmp_path / "deep" / "corosync.conf"
        files.replace(path, b"one", 0o644)
        files.replace(path, b"two", 0o400)
        assert path.read_bytes() == b"two"
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
        assert [p.name for p in path.parent.iterdir()] == ["corosync.conf"]

    def test_a_link_stays_a_link(self, tmp_path):
        target, link = tmp_path / "target", tmp_path / "link"
        target.write_bytes(b"old")
        link.symlink_to(target)
        files.replace(link, b"new", 0o644)
        assert link.is_symlink()
        assert target.read_bytes() == b"new"

    def test_a_failure_leaves_the_old_content_and_no_litter(self, tmp_path, monkeypatch):
        path = tmp_path / "f"
        path.write_bytes(b"old")
        monkeypatch.setattr(files.os, "fsync", _no_space)
        with pytest.raises(OSError, match="No space"):
            files.replace(path, b"new", 0o644)
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["f"]

    def test_a_file_that_is_not_there_has_nothing(self, tmp_path):
        path = tmp_path / "none"
        asked = (files.read, files.mode, files.owner, files.changed_at)
        assert [ask(path) for ask in asked] == [None] * 4


def _no_space(_handle):
    raise OSError(28, "No space left on device")
