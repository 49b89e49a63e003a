"""The key, the ghost, and the file."""

import base64
import stat

import pytest

import fsha_authkey
import fsha_file
import fsha_ghost

KEY = bytes(range(256))

GHOST = """<cib epoch="5" num_updates="4" admin_epoch="0"><configuration>
<crm_config/><nodes><node id="1" uname="node1"/></nodes><resources/><constraints/>
</configuration><status><node_state id="1" uname="node1"/></status></cib>"""


class TestKey:
    def test_base64_with_line_breaks_is_taken(self):
        assert fsha_authkey.decode(base64.encodebytes(KEY).decode()) == KEY

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
        with pytest.raises(fsha_authkey.AuthkeyError, match=word) as caught:
            fsha_authkey.decode(text)
        assert text not in str(caught.value)

    def test_the_shortest_and_the_longest_are_taken(self):
        assert len(fsha_authkey.check(KEY[:128])) == 128
        assert len(fsha_authkey.check(KEY * 16)) == 4096


class TestGhost:
    def test_the_packages_one_node_cib_is_a_ghost(self):
        found = fsha_ghost.contents(GHOST)
        assert found == fsha_ghost.Contents(("node1",), ())
        assert fsha_ghost.is_ghost(found, ["fs1", "fs2"])

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
        assert not fsha_ghost.is_ghost(fsha_ghost.contents(GHOST.replace(old, new)), ["fs1"])

    def test_a_broken_cib_is_an_error(self):
        with pytest.raises(fsha_ghost.GhostError):
            fsha_ghost.contents("<cib>")


class TestFile:
    def test_it_is_replaced_as_a_whole_and_nothing_else_is_left(self, tmp_path):
        path = tmp_path / "deep" / "corosync.conf"
        fsha_file.replace(path, b"one", 0o644)
        fsha_file.replace(path, b"two", 0o400)
        assert path.read_bytes() == b"two"
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
        assert [p.name for p in path.parent.iterdir()] == ["corosync.conf"]

    def test_a_link_stays_a_link(self, tmp_path):
        target, link = tmp_path / "target", tmp_path / "link"
        target.write_bytes(b"old")
        link.symlink_to(target)
        fsha_file.replace(link, b"new", 0o644)
        assert link.is_symlink()
        assert target.read_bytes() == b"new"

    def test_a_failure_leaves_the_old_content_and_no_litter(self, tmp_path, monkeypatch):
        path = tmp_path / "f"
        path.write_bytes(b"old")
        monkeypatch.setattr(fsha_file.os, "fsync", _no_space)
        with pytest.raises(OSError, match="No space"):
            fsha_file.replace(path, b"new", 0o644)
        assert path.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["f"]

    def test_a_file_that_is_not_there_has_nothing(self, tmp_path):
        path = tmp_path / "none"
        asked = (fsha_file.read, fsha_file.mode, fsha_file.owner, fsha_file.changed_at)
        assert [ask(path) for ask in asked] == [None] * 4


def _no_space(_handle):
    raise OSError(28, "No space left on device")
