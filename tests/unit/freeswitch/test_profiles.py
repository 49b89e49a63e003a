"""The switch's own words as data, its stamps, and the hashes of its configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fshalib.freeswitch import client
from fshalib.freeswitch.client import SwitchUnreachable, parse_bound, parse_gateways, stamped
from fshalib.freeswitch.config_hash import config_hash, differences

PROFILES = """<?xml version="1.0" encoding="ISO-8859-1"?>
<profiles>
<profile><name>internal</name><type>profile</type>
<data>sip:mod_sofia@10.101.20.219:5060</data><state>RUNNING (3)</state></profile>
<profile><name>v6</name><type>profile</type>
<data>sip:mod_sofia@[2001:db8::1]:5080</data><state>RUNNING (0)</state></profile>
<alias><name>a.b</name><type>alias</type><data>internal</data><state>ALIASED</state></alias>
</profiles>"""
GATEWAYS = """<?xml version="1.0"?><gateways><gateway><name>carrier</name>
<profile>external</profile><state>REGED</state><status>UP</status><password>s3cret</password>
</gateway></gateways>"""


def test_profiles_with_where_they_are_bound():
    found = {profile.name: profile for profile in parse_bound(PROFILES)}
    assert set(found) == {"internal", "v6"}
    assert found["internal"].as_data() == {
        "state": "RUNNING",
        "sessions": 3,
        "address": "10.101.20.219",
        "port": 5060,
    }
    assert (found["v6"].address, found["v6"].port) == ("2001:db8::1", 5080)


def test_gateways_without_their_passwords():
    assert parse_gateways(GATEWAYS) == {
        "carrier": {"profile": "external", "state": "REGED", "status": "UP"}
    }


@pytest.mark.parametrize(
    "text", ["-ERR sofia xmlstatus Command not found!", "", "Invalid Profile!"]
)
def test_what_is_no_xml_is_told(text):
    with pytest.raises(SwitchUnreachable, match="is no XML"):
        parse_bound(text)


def test_entities_are_not_resolved():
    text = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><profiles>&e;</profiles>'
    assert parse_bound(text) == ()


def test_only_stamps_of_this_very_switch_count(tmp_path):
    for place, uuid in (("lsb/internal", "u1"), ("ocf/fs/external", "u1"), ("ocf/fs/old", "u0")):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{uuid}\n123 456\n", encoding="ascii")
    (tmp_path / "lsb" / ".home").mkdir()
    places = (str(tmp_path / "lsb"), str(tmp_path / "ocf" / "*"))
    assert stamped("u1", places) == ("external", "internal")
    assert stamped("u2", places) == ()
    assert client.STAMPS == ("/run/FSSofia", "/run/fsha/FSSofia/*")


# --- hashes -----------------------------------------------------------------------------------


def tree(directory, **files):
    for name, text in files.items():
        path = directory / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory


FILES = {
    "freeswitch.xml": "<document/>",
    "vars.xml": "<include/>",
    "sip_profiles__internal.xml": "<profile/>",
    "dialplan__default__01.xml": "<extension/>",
}


def test_what_must_be_the_same_and_what_a_node_makes_itself(tmp_path):
    one = tree(tmp_path / "a", **FILES)
    other = tree(tmp_path / "b", **FILES, **{"tls__wss.pem": "key", "x.xml~": "old"})
    assert config_hash(one) == config_hash(other)
    assert set(config_hash(one)["parts"]) == {"sip_profiles", "dialplan", "other"}


def test_what_differs_is_named_by_part_and_file(tmp_path):
    one = tree(tmp_path / "a", **FILES)
    changed = {**FILES, "sip_profiles__internal.xml": "<profile name='b'/>", "directory__1.xml": ""}
    other = tree(tmp_path / "b", **changed)
    mine, theirs = config_hash(one), config_hash(other)
    assert mine["hash"] != theirs["hash"]
    assert mine["parts"]["dialplan"] == theirs["parts"]["dialplan"]
    assert differences(mine["files"], theirs["files"]) == {
        "sip_profiles": ["sip_profiles/internal.xml"],
        "directory": ["directory/1.xml"],
    }
    left_out = ["sip_profiles/*", "directory/*"]
    assert config_hash(one, left_out) == config_hash(other, left_out)


NAMES = st.dictionaries(st.sampled_from(["a", "dialplan/b", "directory/c"]), st.text(max_size=3))


@given(NAMES, NAMES)
def test_no_difference_if_and_only_if_the_same(one, other):
    found = differences(one, other)
    assert (found == {}) == (one == other)
    assert found == differences(other, one)
