"""Defaults, example and reference say what the definitions say."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

import fsha_config
import fsha_corosync
import fsha_options
import fsha_schema
import fsha_tree
from tests.unit.config.pillars import with_key

ROOT = Path(__file__).resolve().parents[3]
PILLAR_EXAMPLE = ROOT / "pillar.example"
ARTICLE = ROOT / "examples" / "article.sls"

# Sections that hold the options of corosync and Pacemaker: an example shows some of them.
OPTIONS = (
    fsha_tree.TOTEM,
    fsha_tree.LINK,
    fsha_tree.QUORUM,
    fsha_tree.LOGGING,
    fsha_tree.META_SECTION,
    fsha_tree.PROPERTIES_SECTION,
    fsha_tree.OPERATION_SECTION,
)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def generator():
    path = ROOT / "docs" / "make_pillar.py"
    spec = importlib.util.spec_from_file_location("make_pillar", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sections(kind):
    """Yield every section of the tree."""
    while hasattr(kind, "item"):
        kind = kind.item
    if isinstance(kind, fsha_schema.Section):
        yield kind
        for known in kind.fields.values():
            yield from sections(known.kind)


ALL = list(sections(fsha_tree.PILLAR))


def test_defaults_file():
    given = load(ROOT / "fsha" / "parameters" / "defaults.yaml")
    assert given == fsha_schema.defaults(fsha_tree.PILLAR)


def test_the_reference_is_what_the_generator_makes():
    made = generator().render()
    assert (ROOT / "docs" / "pillar.md").read_text(encoding="utf-8") == made, (
        "docs/pillar.md is out of date: run python docs/make_pillar.py"
    )


def test_every_key_is_in_the_reference():
    text = (ROOT / "docs" / "pillar.md").read_text(encoding="utf-8")
    for section in ALL:
        for name, known in section.fields.items():
            assert f"| `{name}`" in text
            assert known.doc
            assert known.doc in text


@pytest.mark.parametrize("path", [PILLAR_EXAMPLE, ARTICLE], ids=lambda path: path.name)
def test_examples_are_sound(path):
    config = fsha_config.check(with_key(load(path)["fsha"]))
    assert [node.name for node in config.nodes] == ["freeswitch-dev", "ubuntu-v20z"]
    assert config.freeswitch.vips == ("10.101.20.219",)


def test_the_example_lacks_nothing_but_the_key():
    with pytest.raises(fsha_config.ConfigErrors) as caught:
        fsha_config.check(load(PILLAR_EXAMPLE)["fsha"])
    assert [error.path for error in caught.value.errors] == ["fsha:corosync:authkey"]


def test_the_article_needs_no_key():
    assert fsha_config.check(load(ARTICLE)["fsha"]).corosync.authkey is None


def test_every_own_key_is_in_the_example_with_a_comment():
    text = PILLAR_EXAMPLE.read_text(encoding="utf-8")
    for section in ALL:
        if any(section is one for one in OPTIONS):
            continue
        for name in section.fields:
            assert re.search(rf"\b{name}\b", text), f"{name} is missing in pillar.example"


def test_values_in_the_example_are_the_defaults_or_explained_choices():
    raw = load(PILLAR_EXAMPLE)["fsha"]
    defaults = fsha_schema.defaults(fsha_tree.PILLAR)
    differing = {
        f"{part}:{name}"
        for part in ("cluster", "network", "freeswitch")
        for name in raw[part]
        if raw[part][name] != defaults[part][name]
    }
    assert differing == {"network:nonlocal_bind"}


def test_no_key_and_no_password_is_published():
    for path in (PILLAR_EXAMPLE, ARTICLE):
        raw = load(path)["fsha"]
        assert not {"authkey", "authkey_file"} & set(raw["corosync"])
        assert "password" not in raw["freeswitch"]
        assert not re.search(r"[A-Za-z0-9+/]{60,}", path.read_text(encoding="utf-8"))


def test_the_article_as_it_stands():
    raw = load(ARTICLE)["fsha"]
    pacemaker = raw["pacemaker"]
    assert list(raw["nodes"]) == ["freeswitch-dev", "ubuntu-v20z"]
    assert [n["addresses"] for n in raw["nodes"].values()] == [
        ["10.101.20.110/24"], ["10.101.20.220/24"],
    ]  # fmt: skip
    assert pacemaker == {
        "properties": {
            "expected-quorum-votes": 1, "stonith-enabled": False, "no-quorum-policy": "ignore",
        },
        "rsc_defaults": {"resource-stickiness": 100},
        "resources": {
            "fs": {
                "agent": "lsb:FSSofia",
                "meta": {"target-role": "Started"},
                "operations": [{"name": "monitor", "interval": 2, "timeout": 8}],
            },
            "ip_shared": {
                "agent": "ocf:heartbeat:IPaddr2",
                "params": {"ip": "10.101.20.219", "nic": "eth0:0"},
            },
            "ip_shared_arp": {
                "agent": "ocf:heartbeat:SendArp",
                "params": {"ip": "10.101.20.219", "nic": "eth0:0"},
            },
        },
        "groups": {"VoiceServices": {"members": ["ip_shared", "ip_shared_arp", "fs"]}},
        "locations": {
            "cli-prefer-VoiceServices": {
                "resource": "VoiceServices",
                "rules": [
                    {
                        "id": "cli-prefer-rule-VoiceServices",
                        "score": "inf",
                        "expression": "#uname eq ubuntu-v20z",
                    }
                ],
            }
        },
    }  # fmt: skip


def test_corosync_options_are_those_that_can_be_written():
    assert set(fsha_tree.TOTEM.fields) == set(fsha_corosync.TOTEM_KEYS)
    known = {name for names in fsha_corosync.LINK_KEYS.values() for name in names}
    assert set(fsha_tree.LINK.fields) == known
    assert dict(fsha_tree.LINK.aliases) == dict(fsha_corosync.LINK_ALIASES)


def test_defaults_and_examples_pass_their_own_check():
    for section in ALL:
        for name, known in section.fields.items():
            for value in (known.default, known.example):
                if value in (fsha_schema.UNSET, fsha_schema.REQUIRED):
                    continue
                report = fsha_schema.Report()
                known.kind.check(value, fsha_schema.At(report))
                partly = isinstance(known.kind, (fsha_schema.Section, fsha_schema.Named))
                assert report.found == [] or (partly and value == {}), (name, report.found)


def test_aliases_lead_to_known_properties():
    assert set(fsha_options.PROPERTY_ALIASES.values()) <= set(fsha_options.PROPERTIES)
    assert not set(fsha_options.PROPERTY_ALIASES) & set(fsha_options.PROPERTIES)
