"""Defaults, example and reference say what the definitions say."""

import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

from fshalib.cib import document, kinds, options
from fshalib.cib import target as cib_target
from fshalib.cib.kinds import BY_KEY, KINDS
from fshalib.corosync import options as corosync_options
from fshalib.pillar import config as pillar_config
from fshalib.pillar import schema, schema_corosync
from fshalib.schema import report as schema_report
from fshalib.schema import types
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import empty_cib, with_key
from tests.unit.schemas import faults

ROOT = Path(__file__).resolve().parents[3]
PILLAR_EXAMPLE = ROOT / "pillar.example"
ARTICLE = ROOT / "examples" / "article.sls"
REFERENCE = ROOT / "docs" / "pillar.md"
OBJECTS = ROOT / "docs" / "examples.yaml"


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
    if isinstance(kind, types.Record):
        yield kind
        for known in kind.fields.values():
            yield from sections(known.kind)


ALL = list(sections(schema.PILLAR))
# Sections that hold the options of corosync and Pacemaker, of which an example shows some, and the
# objects of the cluster, which docs/examples.yaml shows.
OPTIONS = [
    schema_corosync.TOTEM,
    schema_corosync.LINK,
    schema_corosync.QUORUM,
    schema_corosync.LOGGING,
    *(one for known in schema.PACEMAKER.fields.values() for one in sections(known.kind)),
]


def test_defaults_file():
    given = load(ROOT / "fsha" / "parameters" / "defaults.yaml")
    # In the same order, for people look things up in both.
    assert json.dumps(given) == json.dumps(types.defaults(schema.PILLAR))


def test_the_defaults_file_is_what_the_generator_makes():
    given = (ROOT / "fsha" / "parameters" / "defaults.yaml").read_text(encoding="utf-8")
    assert given == generator().render_defaults(), (
        "fsha/parameters/defaults.yaml is out of date: run make docs"
    )


@pytest.mark.parametrize(
    "data",
    [
        {"a": {"b": {"c": "on", "d": "5"}, "e": {}}, "f": [], "g": ["x: y", "#z"], "h": None},
        {"long": "word " * 40, "text": "a\nb", "list": ["word"] * 60, "yes": True, "number": 5},
    ],
)
def test_defaults_of_any_kind_survive_the_file(data):
    assert yaml.safe_load("\n".join(generator().yaml_lines(data))) == data


def test_the_reference_is_what_the_generator_makes():
    made = generator().render()
    assert REFERENCE.read_text(encoding="utf-8") == made, (
        "docs/pillar.md is out of date: run python docs/make_pillar.py"
    )


def test_every_key_is_in_the_reference():
    text = REFERENCE.read_text(encoding="utf-8")
    for section in ALL:
        for name, known in section.fields.items():
            assert f"| `{name}`" in text
            assert known.doc
            assert known.doc in text


def objects():
    """Return the examples of objects: the section of the pillar that they make together."""
    given = load(OBJECTS)
    found = {key: dict(value) for key, value in given["context"].items()}
    for one in (given["sets"], *given["examples"].values()):
        for key, forms in yaml.safe_load(one["pillar"]).items():
            found.setdefault(key, {}).update(forms)
    return found


def example_config():
    raw = with_key(load(PILLAR_EXAMPLE)["fsha"])
    return pillar_config.check({**raw, "pacemaker": objects()})


EACH_EXAMPLE = load(OBJECTS)["examples"].items()


def test_every_kind_has_an_example():
    given = load(OBJECTS)["examples"]
    assert list(given) == list(KINDS)
    for name, one in given.items():
        assert list(yaml.safe_load(one["pillar"])) == [KINDS[name].key]


def test_the_examples_of_objects_are_one_sound_pillar():
    config = example_config()
    assert {item.kind for item in config.pacemaker.objects} == set(KINDS)
    live = document.parse(empty_cib(*(node.name for node in config.nodes)))
    wanted = cib_target.DesiredObjects(config.pacemaker.objects)
    target = cib_target.target(live, wanted)
    assert faults(target.root) == []
    assert cib_target.target(target.root, wanted).changes == {}


@pytest.mark.parametrize(("kind", "one"), EACH_EXAMPLE, ids=[kind for kind, _ in EACH_EXAMPLE])
def test_both_forms_of_an_example_are_in_the_reference(kind, one):
    text = REFERENCE.read_text(encoding="utf-8")
    below = text.partition(f"\n### fsha:pacemaker:{KINDS[kind].key}")[2].partition("\n### ")[0]
    assert f"```yaml\n{one['pillar']}```" in below
    assert f"```\n{one['crm']}```" in below


def leaves(data):
    """Yield every single value of an example as crmsh would write it."""
    if isinstance(data, dict):
        for value in data.values():
            yield from leaves(value)
    elif isinstance(data, list):
        for value in data:
            yield from leaves(value)
    elif not isinstance(data, bool):
        yield str(data).removeprefix("ocf:heartbeat:").replace("INFINITY", "inf")


@pytest.mark.parametrize(("kind", "one"), EACH_EXAMPLE, ids=[kind for kind, _ in EACH_EXAMPLE])
def test_both_forms_of_an_example_say_the_same(kind, one):
    said = yaml.safe_load(one["pillar"])[KINDS[kind].key]
    # crmsh hides what may be a password, and a fencing level has no id there.
    hidden = {"/etc/fsha/ipmi-password"}
    names = set() if KINDS[kind].one or kind == "fencing_level" else set(said)
    assert {text for text in leaves(said) if text not in one["crm"]} <= hidden
    assert {name for name in names if name not in one["crm"]} == set()


def test_every_group_of_keys_is_named_in_the_example():
    text = PILLAR_EXAMPLE.read_text(encoding="utf-8")
    for key in BY_KEY:
        assert re.search(rf"\b{key}\b", text), f"{key} is missing in pillar.example"


@pytest.mark.parametrize("path", [PILLAR_EXAMPLE, ARTICLE], ids=lambda path: path.name)
def test_examples_are_sound(path):
    config = pillar_config.check(with_key(load(path)["fsha"]))
    assert [node.name for node in config.nodes] == ["freeswitch-dev", "ubuntu-v20z"]
    assert config.freeswitch.vips == ("10.101.20.219",)


def test_the_example_lacks_nothing_but_the_key():
    with pytest.raises(ConfigErrors) as caught:
        pillar_config.check(load(PILLAR_EXAMPLE)["fsha"])
    assert [error.path for error in caught.value.errors] == ["fsha:corosync:authkey"]


def test_the_article_needs_no_key():
    assert pillar_config.check(load(ARTICLE)["fsha"]).corosync.authkey is None


def test_every_own_key_is_in_the_example_with_a_comment():
    text = PILLAR_EXAMPLE.read_text(encoding="utf-8")
    for section in ALL:
        if any(section is one for one in OPTIONS):
            continue
        for name in section.fields:
            assert re.search(rf"\b{name}\b", text), f"{name} is missing in pillar.example"


def test_values_in_the_example_are_the_defaults_or_explained_choices():
    raw = load(PILLAR_EXAMPLE)["fsha"]
    defaults = types.defaults(schema.PILLAR)
    differing = {
        f"{part}:{name}"
        for part in ("cluster", "network", "freeswitch")
        for name in raw[part]
        if raw[part][name] != defaults[part][name]
    }
    assert differing == {"network:nonlocal_bind", "freeswitch:init_script"}


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
    assert set(schema_corosync.TOTEM.fields) == set(corosync_options.TOTEM_KEYS)
    known = {name for names in corosync_options.LINK_KEYS.values() for name in names}
    assert set(schema_corosync.LINK.fields) == known
    assert dict(schema_corosync.LINK.aliases) == dict(corosync_options.LINK_ALIASES)


def test_defaults_and_examples_pass_their_own_check():
    for section in ALL:
        for name, known in section.fields.items():
            for value in (known.default, known.example):
                if value in (types.UNSET, types.REQUIRED):
                    continue
                report = schema_report.Report()
                known.kind.check(value, schema_report.Location(report))
                partly = isinstance(known.kind, (types.Record, types.Named))
                assert report.mistakes == [] or (partly and value == {}), (name, report.mistakes)


def test_shapes_and_tables_agree():
    assert {kind.key for kind in KINDS.values()} == set(schema.PACEMAKER.fields)
    for kind in KINDS.values():
        keys = [part.key for part in kind.schema.fields]
        assert len(keys) == len(set(keys))
        assert set(kinds.ONE_IDS) == {k.name for k in KINDS.values() if k.one}


def test_aliases_lead_to_known_properties():
    assert set(options.PROPERTY_ALIASES.values()) <= set(options.PROPERTIES)
    assert not set(options.PROPERTY_ALIASES) & set(options.PROPERTIES)
