"""From any cluster's CIB to a pillar that changes nothing of it.

The CIBs are those of Pacemaker's own scheduler tests: found beside the project, or where
``FSHA_CIB_CORPUS`` says.
"""

import os
from pathlib import Path

import pytest
import yaml

from fshalib.cib import document, read, target
from fshalib.cib.kinds import normal
from fshalib.pillar import config, export_cib
from fshalib.pillar.export_cib import export, without_secrets
from fshalib.schema import report as schema_report
from tests.unit.build import cib, dummy

ROOT = Path(__file__).resolve().parents[3]
CORPUS = Path(os.environ.get("FSHA_CIB_CORPUS", ROOT.parent / "shared" / "cib-corpus"))
CIBS = sorted(CORPUS.glob("*.xml")) or [None]

# What these hold the cluster itself does not understand, and takes for a default or for zero.
NOT_EXPRESSED = {
    "bug-1573.xml": ["no_quorum-policy"],
    "colocation-influence.xml": ['influence: true or false is expected, not "invalid"'],
    # It has levels for a node that is not there.
    "remote-reconnect-delay.xml": [
        "fencing_levels:cts-remote-rhel7-4.1:target",
        "fencing_levels:cts-remote-rhel7-4.2:target",
    ],
    "intervals.xml": ["rsc6:operations:0:timeout"],
    "rsc_dep3.xml": ["rsc1:meta:priority", "rsc2:meta:priority"],
}
LEFT_TO_OTHERS = (" is the cluster's own, and stays", " is an operator's, and stays",
                  "the cluster never uses it", "an operator's move or ban",
                  "cibadmin --upgrade")  # fmt: skip


def objects(pillar):
    """Return the objects of an exported section, as the formula makes them of a pillar file."""
    text = yaml.safe_dump(pillar, sort_keys=False)
    return config.check_kinds(yaml.safe_load(text))


@pytest.mark.parametrize("file", CIBS, ids=lambda f: f.name if f else "none")
def test_every_cib_is_a_pillar_that_changes_nothing(file):
    if file is None:
        pytest.skip("there is no collection of CIBs beside the project (FSHA_CIB_CORPUS)")
    root = document.parse(file.read_text(encoding="utf-8"))
    found = export(root)
    notes = [n for n in found.notes if not any(words in n for words in LEFT_TO_OTHERS)]
    expected = NOT_EXPRESSED.get(file.name, [])
    assert len(notes) == len(expected), notes
    assert all(part in note for part, note in zip(expected, sorted(notes), strict=True))

    wanted = objects(found.pacemaker)
    same = target.target(root, target.DesiredObjects(wanted))
    assert {id for id in same.changes if not any(f":{id}:" in note for note in notes)} == set()

    empty = document.parse(document.EMPTY)
    empty.set("validate-with", root.get("validate-with"))
    built = target.target(empty, target.DesiredObjects(wanted)).root
    again = {(o.kind, o.id): normal(o) for o in read.read_all(built)}
    for item in wanted:
        assert again[item.kind, item.id] == normal(item)


def test_values_are_written_as_people_would(sample):
    found = export(document.parse(sample("pair.xml"))).pacemaker
    assert found["properties"] == {"stonith-enabled": False}
    assert found["rsc_defaults"] == {"resource-stickiness": 100}
    assert found["locations"]["voice-prefers-fs1"]["score"] == 50
    assert found["resources"]["ip_shared"]["params"] == {"ip": "10.101.20.219"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [("5", 5), ("-5", -5), ("05", "05"), ("true", True), ("yes", "yes"), ("", ""), ("1e3", "1e3")],
)
def test_plain_values_come_back_as_they_were(text, shown):
    assert export_cib._plain(text) == shown
    assert schema_report.text(shown) == text


def test_what_a_cib_of_another_world_holds_is_named(sample):
    text = (
        sample("pair.xml")
        .replace("<constraints>", '<constraints><rsc_weird id="w"/>')
        .replace("</configuration>", "<surprise/></configuration>")
    )
    notes = "\n".join(export(document.parse(text)).notes)
    assert "<surprise>: the formula knows no such thing" in notes
    assert "<rsc_weird> w in <constraints>: the formula knows no such thing" in notes


def test_an_attribute_that_no_pillar_has_is_named(sample):
    text = sample("pair.xml").replace(
        '<group id="VoiceServices"', '<group color="red" id="VoiceServices"'
    )
    notes = "\n".join(export(document.parse(text)).notes)
    assert "groups:VoiceServices: color='red' of <group> can't be expressed" in notes


def test_secrets_are_hidden_by_name_wherever_they_are():
    pillar = {
        "resources": {
            "f": {"params": {"passwd": "x", "ip": "y"}},
            "g": {"params": [{"values": {"token": "z"}}]},
        }
    }
    shown, paths = without_secrets(pillar, "pacemaker")
    assert shown["resources"]["f"]["params"] == {"passwd": "(secret)", "ip": "y"}
    assert paths == (
        "pacemaker:resources:f:params:passwd",
        "pacemaker:resources:g:params:0:values:token",
    )


def test_a_resource_that_uses_another_ones_meta_attributes_is_exported():
    sets = '<meta_attributes id="m"><nvpair id="mp" name="priority" value="5"/></meta_attributes>'
    used = '<meta_attributes id-ref="m"/>'
    found = export(cib(dummy("a", sets) + dummy("b", used)))
    assert found.pacemaker["resources"]["a"]["meta"] == [{"id": "m", "values": {"priority": 5}}]
    assert found.pacemaker["resources"]["b"]["meta"] == [{"id-ref": "m"}]
    assert found.notes == ()
