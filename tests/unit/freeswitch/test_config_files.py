"""The formula's files in FreeSWITCH's configuration, on the disk."""

import os
import stat

import pytest

from fshalib.freeswitch import client
from fshalib.freeswitch.config import DesiredConfig
from fshalib.freeswitch.config_files import (
    MODE,
    USUAL,
    ConfigFiles,
    forget,
    group_number,
    note,
    noted,
)
from fshalib.freeswitch.preprocessor import SwitchConfError

OWN = '<include><param name="a" value="1"/></include>'


@pytest.fixture
def ours(tmp_path):
    """Files of which one is new, one the user's with an include more, one to go."""
    (tmp_path / "user.xml").write_text("<x/>", encoding="utf-8")
    (tmp_path / "fsha").mkdir()
    gone = tmp_path / "fsha/gone.xml"
    gone.write_text(OWN, encoding="utf-8")
    new = {tmp_path / "user.xml": "<x/><!-- fsha -->", tmp_path / "fsha/new.xml": OWN, gone: None}
    return ConfigFiles(tmp_path, DesiredConfig(), new, os.getgid())


def test_changes_are_told_by_file_and_parameter(ours):
    changes = ours.changes()
    assert changes["fsha/new.xml"] == {"a": {"old": None, "new": "1"}}
    assert changes["fsha/gone.xml"] == {"a": {"old": "1", "new": None}}
    assert changes["user.xml"] == {"include": {"old": None, "new": "the formula's file"}}
    assert set(ours.params(changes)) == {"fsha/new.xml", "fsha/gone.xml"}


def test_what_is_written_is_there_and_what_goes_is_gone(ours):
    ours.write()
    assert (ours.directory / "fsha/new.xml").read_text(encoding="utf-8") == OWN
    assert stat.S_IMODE((ours.directory / "fsha/new.xml").stat().st_mode) == MODE
    assert not (ours.directory / "fsha/gone.xml").exists()


@pytest.mark.parametrize("more", [(), ("theirs.xml",)])
def test_the_formulas_directory_goes_with_its_last_file(tmp_path, more):
    own = tmp_path / "fsha"
    own.mkdir()
    for name in ("gone.xml", *more):
        (own / name).touch()
    ConfigFiles(tmp_path, DesiredConfig(), {own / "gone.xml": None}, os.getgid()).write()
    assert own.exists() is bool(more)
    ConfigFiles(tmp_path, DesiredConfig(), {}, os.getgid()).write()
    assert own.exists() is bool(more)


def test_the_group_is_the_pillars_the_switchs_or_the_files(tmp_path, monkeypatch):
    (tmp_path / "freeswitch.xml").touch()
    monkeypatch.setattr(client, "group_of", lambda service: {"up": 77}.get(service))
    assert group_number("root", tmp_path, "up") == 0
    assert group_number(None, tmp_path, "up") == 77
    assert group_number(None, tmp_path, "down") == (tmp_path / "freeswitch.xml").stat().st_gid
    with pytest.raises(SwitchConfError, match="there is no group nosuch on this node"):
        group_number("nosuch", tmp_path, "up")


def test_configurations_of_the_formula_are_remembered(tmp_path):
    known = tmp_path / "lib/directories"
    assert noted(known) == (USUAL,)
    note(USUAL, known)
    assert not known.exists()
    for directory in (tmp_path / "a", tmp_path / "b", tmp_path / "a"):
        note(directory, known)
    assert noted(known) == (USUAL, tmp_path / "a", tmp_path / "b")
    forget(tmp_path / "a", known)
    assert noted(known) == (USUAL, tmp_path / "b")
    forget(tmp_path / "b", known)
    assert not known.exists()
