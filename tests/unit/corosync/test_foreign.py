"""Clusters that others built: exported, checked, applied again, and nothing at all happens.

``foreign`` has what the generators of pcs 0.11 and 0.12 and crmsh 4.4 and 5.0 write for a pair,
Debian's packaged file as it is and with its example made a pair, and one written by hand.
crmsh 4.4 is without the cipher of its profile, with which corosync 3 refuses ``udpu``. Beside
each lies what corosync 3.1.7 had in its cmap when it ran with that file.
"""

from pathlib import Path

import pytest

from fshalib.corosync import comparable, parser, status
from fshalib.corosync import conf as fc
from fshalib.corosync import diff as fcc
from fshalib.corosync import semantics as fcm
from fshalib.pillar import config as pillar_config
from fshalib.pillar import export_corosync as fe
from tests.unit.pillar.test_export_corosync import NETWORKS, PACEMAKER, SETTINGS, built

FOREIGN = Path(__file__).parent / "foreign"
PAIRS = ("pcs-0.11", "pcs-0.12", "crmsh-4.4", "crmsh-5.0", "debian-pair", "by-hand")
KNOWN = fcm.ClusterFacts(
    {1: "fs1", 2: "fs2"}, {"fs1": ["10.101.20.110"], "fs2": ["10.101.20.220"]}
)  # fmt: skip
of_pairs = pytest.mark.parametrize("pair", PAIRS)


def read(pair):
    return (FOREIGN / f"{pair}.conf").read_text()


def exported(pair):
    """Return a pair's pillar, as the formula takes it."""
    found = fe.export(parser.parse(read(pair)), NETWORKS, KNOWN.names, KNOWN.hosts)
    pillar_config.check({**found.pillar, "pacemaker": PACEMAKER})
    return found


@of_pairs
def test_the_file_that_the_pillar_gives_means_the_same(pair):
    old = parser.parse(read(pair))
    kept = fcc.kept(old, built(exported(pair).pillar))
    written = parser.parse(parser.render(kept.conf))
    for one, other in ((old, kept.conf), (old, written), (written, old)):
        changes = fcc.difference(one, other, KNOWN)
        assert (changes, fcc.change_class(changes)) == ((), fcc.NONE)
    assert comparable.normal(written, KNOWN) == comparable.normal(old, KNOWN)


@of_pairs
def test_no_note_tells_of_a_reload_or_a_restart(pair):
    assert not [n for n in exported(pair).notes if "reload" in n or "restart" in n]


@pytest.mark.parametrize("name", [*PAIRS, "log-daemon", "two-nodelists"])
def test_a_corosync_that_runs_with_it_has_nothing_to_take_over(name):
    cmap = status.parse_cmap((FOREIGN / f"{name}.cmap").read_text())
    conf = parser.parse(read(name))
    kept = fcc.kept(conf, built(exported(name).pillar)).conf if name in PAIRS else conf
    assert fcc.running_difference(conf, cmap, KNOWN) == ()
    assert fcc.running_difference(kept, cmap, KNOWN) == ()


def test_what_a_logging_daemon_says_of_corosync_is_said_of_the_log():
    conf = parser.parse(read("log-daemon"))
    settings = fe.export(conf, NETWORKS).pillar["corosync"]["logging"]
    assert (settings["debug"], settings.get("to_syslog", True)) == ("on", True)
    meaning = comparable.normal(conf)
    assert meaning["logging.debug"] == "on"
    assert "logging.to_syslog" not in meaning
    # The first of a repeated key counts in a subsystem, so it logs as all others do.
    assert not [path for path in meaning if "QUORUM" in path]
    # The pillar wins over such a section, which would otherwise hide what it says.
    quiet = built(exported("crmsh-5.0").pillar)
    assert "logging.debug" in [c.path for c in fcc.difference(conf, fcc.kept(conf, quiet).conf)]


def test_a_second_nodelist_lies_over_the_first():
    conf = parser.parse(read("two-nodelists"))
    found = fe.export(conf, NETWORKS)
    assert found.pillar["nodes"]["fs1"] == {"id": 7, "addresses": ["10.101.20.110/24"]}
    assert list(found.pillar["nodes"]) == ["fs1", "fs2"]
    assert [note for note in found.notes if note.startswith("nodelist: there are several")]
    assert comparable.normal(conf)["nodelist.node[fs1].quorum_votes"] == "2"


@pytest.fixture
def config(load, bus, tmp_path):
    state = load("_states", "corosync_config")
    state.salt.update(
        {
            "event.send": bus.send,
            "corosync.installed": lambda: True,
            "corosync.test_config": lambda _text: {"result": True, "comment": ""},
            "corosync.guard": lambda **_: "",
            "corosync.pending": lambda **_: {"running": True, "class": "none"},
            "corosync.known": lambda _path: {"names": KNOWN.names, "hosts": KNOWN.hosts},
        }
    )
    state.__dict__["file"] = tmp_path / "corosync.conf"
    return state


def apply(state, pillar, test=False, **totem):
    state.opts["test"] = test
    settings = {key: pillar["corosync"][key] for key in SETTINGS if key in pillar["corosync"]}
    settings["totem"] = {**settings.get("totem", {}), **totem}
    return state.managed(
        str(state.file),
        cluster_name=pillar["cluster"]["name"],
        nodes=pillar["nodes"],
        **settings,
    )


@of_pairs
@pytest.mark.parametrize("test", [True, False], ids=["test", "real"])
def test_the_state_leaves_it_alone(config, bus, pair, test):
    config.file.write_text(read(pair))
    ret = apply(config, exported(pair).pillar, test)
    assert (ret["result"], ret["changes"], bus) == (True, {}, [])
    assert config.file.read_text() == read(pair)


@pytest.mark.parametrize(
    ("pair", "paths"),
    [
        ("pcs-0.11", ["totem.cluster_uuid"]),
        ("pcs-0.12", ["totem.cluster_uuid", "quorum.device.net.host", "quorum.device.votes"]),
        ("crmsh-4.4", ["logging.logger_subsys[QUORUM].debug"]),
        ("by-hand", ["amf.mode", "uidgid.uid[0]", "uidgid.gid[0]"]),
    ],
)
def test_what_is_not_the_formulas_survives_a_change_and_is_named(config, pair, paths):
    config.file.write_text(read(pair))
    before = fc.flatten(parser.parse(read(pair)))
    found = exported(pair)
    ret = apply(config, found.pillar, token=7777)
    assert list(ret["changes"]) == ["totem.token"]
    after = fc.flatten(parser.parse(config.file.read_text()))
    assert {path: after[path] for path in paths} == {path: before[path] for path in paths}
    for path in paths:
        assert any(path.startswith(note.partition(":")[0].partition("[")[0])
                   for note in found.notes), path  # fmt: skip


def test_the_packages_example_is_nobodys_cluster():
    conf = parser.parse(read("debian"))
    assert fc.is_packaged_default(conf)
    assert fcc.kept(conf, built(exported("debian-pair").pillar)).rest == ()
