"""A file is replaced in one step."""

import stat

import pytest

from fshalib.system import files


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
