"""Where the CIB comes from that a lint judges."""

import pytest

from fshalib.errors import ArgumentError, CibError
from fshalib.lint import sources
from fshalib.pacemaker import tools


def test_a_cib_from_a_file_and_from_the_cluster(sample, tmp_path, monkeypatch):
    file = tmp_path / "cib.xml"
    file.write_text(sample("pair.xml"), encoding="utf-8")
    assert sources.cib(str(file)).tag == "cib"
    monkeypatch.setattr(tools, "query", lambda: sample("pair.xml"))
    assert sources.cib(sources.LIVE).get("epoch") == sources.cib(str(file)).get("epoch")


def test_a_file_that_is_none(tmp_path):
    file = tmp_path / "cib.xml"
    with pytest.raises(ArgumentError, match="can't be read: No such file"):
        sources.cib(str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(ArgumentError, match="is no XML"):
        sources.cib(str(file))
    file.write_text("no cib", encoding="utf-8")
    with pytest.raises(CibError):
        sources.cib(str(file))
