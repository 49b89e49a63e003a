"""What speaks against a run on this host, known before anything is touched."""

import os
from types import SimpleNamespace

import pytest

from fshalib.change import objections
from fshalib.change.objections import switch_configuration
from fshalib.freeswitch import client, config_files
from fshalib.freeswitch.preprocessor import SwitchConfError
from fshalib.pillar import recovery_store
from tests.unit.freeswitch.test_config import FILES

WANTED = {"switchname": "voice", "profiles": {"internal": {"standby": "hot"}}}


@pytest.fixture
def conf(tmp_path, monkeypatch):
    """A sound configuration of FreeSWITCH."""
    monkeypatch.setattr(client, "group_of", lambda _service: None)
    for name, text in FILES.items():
        path = tmp_path / "conf" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "conf"


def against(conf, wanted=WANTED, install=None):
    configuration = wanted and {"directory": str(conf), **wanted}
    return switch_configuration(
        SimpleNamespace(configuration=configuration, install=install, service="freeswitch")
    )


def test_a_sound_configuration_is_no_objection(conf):
    before = {path: path.read_bytes() for path in conf.rglob("*.xml")}
    assert against(conf) == ()
    assert before == {path: path.read_bytes() for path in conf.rglob("*.xml")}


def test_a_profile_that_is_missing(conf):
    (reason,) = against(conf, {"profiles": {"nosuch": {"standby": "hot"}}})
    assert reason.startswith("sip_profiles/nosuch.xml: ")


def test_a_file_that_is_not_sound(conf):
    (conf / "sip_profiles/internal.xml").write_text("<profile>\n</settings>\n", encoding="utf-8")
    (reason,) = against(conf)
    assert "sip_profiles/internal.xml" in reason


def test_a_data_source_whose_file_is_missing(conf):
    (reason,) = against(conf, {"core_db_dsn_file": str(conf / "nosuch.dsn")})
    assert "nosuch.dsn" in reason


def test_a_store_that_the_run_has_yet_to_make_is_no_objection(conf):
    store = recovery_store.with_store(WANTED, "pair")
    assert store["core_db_dsn_file"] == store["profiles"]["internal"]["odbc_dsn_file"]
    assert against(conf, store) == ()
    # Only the run itself needs it.
    with pytest.raises(SwitchConfError, match="can't be read"):
        config_files.planned(store, conf, "freeswitch")


@pytest.mark.parametrize("mode", ["external", "none"])
def test_another_store_leaves_the_switch_alone(mode):
    assert recovery_store.with_store(WANTED, mode) == WANTED


def test_a_data_source_of_the_operators_stands():
    given = {"core_db_dsn": "x", "profiles": {"internal": {"odbc_dsn_file": "/y"}, "other": None}}
    assert recovery_store.with_store(given, "pair") == {
        "core_db_dsn": "x",
        "profiles": {
            "internal": {"odbc_dsn_file": "/y"},
            "other": {"odbc_dsn_file": recovery_store.OWN_STORE},
        },
    }


def test_a_group_that_is_not_there(conf):
    (reason,) = against(conf, {**WANTED, "group": "nosuchgroup"})
    assert reason == "freeswitch:configuration:group: there is no group nosuchgroup on this node."


def test_a_directory_that_cant_be_written_to(conf, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _mode: "autoload" not in str(path))
    assert against(conf) == (f"{conf}/autoload_configs can't be written to",)


def test_a_directory_that_is_missing(tmp_path, monkeypatch):
    assert "it can't be read (No such file or directory)" in against(tmp_path / "conf")[0]
    # The package brings it along.
    assert against(tmp_path / "conf", install={"method": "package"}) == ()
    assert against(tmp_path / "conf", install={"method": "prefix"})


def test_what_is_left_of_the_formula_has_to_be_removable(conf, monkeypatch):
    monkeypatch.setattr(config_files, "noted", lambda: (conf,))
    assert against(conf, wanted=None) == ()
    (files,) = objections.planned(
        SimpleNamespace(configuration=WANTED | {"directory": str(conf)}, install=None, service="x")
    )
    files.write()
    assert against(conf, wanted=None) == ()
    monkeypatch.setattr(os, "access", lambda path, _mode: not str(path).endswith("fsha"))
    assert against(conf, wanted=None) == (f"{conf}/fsha can't be written to",)
