"""What the formula adds to FreeSWITCH's configuration, and what it refuses to break."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fshalib.freeswitch import config as fsc
from fshalib.freeswitch import preprocessor as fsx
from fshalib.freeswitch.config import (
    DesiredConfig,
    ProfileConfig,
    candidate,
    fragments,
    overlay,
    verified,
)
from fshalib.freeswitch.preprocessor import SwitchConfError

DSN = "pgsql://host=10.101.20.1 dbname=fs user=fs password=s3cr\"et<&>'"
FILES = {
    "freeswitch.xml": """<?xml version="1.0"?>
<document type="freeswitch/xml">
  <!-- two -- dashes are fine for FreeSWITCH -->
  <X-PRE-PROCESS cmd="set" data="domain=$${local_ip_v4}"/>
  <section name="configuration">
    <X-PRE-PROCESS cmd="include" data="autoload_configs/*.xml"/>
  </section>
</document>
""",
    "autoload_configs/switch.conf.xml": """<configuration name="switch.conf">
  <settings>
    <!-- </settings> not here -->
    <param name="switchname" value="mine"/>
  </settings>
</configuration>
""",
    "autoload_configs/sofia.conf.xml": """<configuration name="sofia.conf">
  <global_settings><param name="log-level" value="0"/></global_settings>
  <profiles>
    <X-PRE-PROCESS cmd="include" data="../sip_profiles/*.xml"/>
  </profiles>
</configuration>
""",
    "autoload_configs/pre_load_modules.conf.xml": """<configuration name="pre_load_modules.conf">
  <modules>
    <!-- <load module="mod_pgsql"/> -->
  </modules>
</configuration>
""",
    "sip_profiles/internal.xml": """<profile name="internal">
  <settings>
    <param name="sip-ip" value="10.0.0.1"/>
  </settings>
</profile>
""",
}
WANTED = DesiredConfig(
    "voice", DSN, False, (ProfileConfig("internal", "sip_profiles/internal.xml", "10.0.0.9", True),)
)


@pytest.fixture
def conf(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def read(path):
    return Path(path).read_text(encoding="utf-8")


def last(text, name):
    """Return the value that counts for FreeSWITCH, which reads parameters in order."""
    plain = fsx.without_comments(text)
    root = etree.fromstring(plain.encode())
    return [p.get("value") for p in root.iter("param") if p.get("name") == name][-1]


def whole(conf, new):
    lines = fsx.expanded(conf / "freeswitch.xml", overlay(new, read))
    return "\n".join(line.text for line in lines)


def test_what_is_added_counts_and_nothing_else_is_touched(conf):
    new = verified(WANTED, conf, read)
    text = whole(conf, new)
    assert last(text, "switchname") == "voice"
    assert last(text, "core-db-dsn") == DSN
    assert last(text, "sip-ip") == last(text, "ext-rtp-ip") == "10.0.0.9"
    assert last(text, "profile-standby") == last(text, "track-calls") == "true"
    assert last(text, "auto-restart") == last(text, "auto-clear-sql") == "false"
    assert last(text, "core-non-sqlite-db-required") == "true"
    assert '<load module="mod_pgsql"/>' in fsx.without_comments(text)
    for name, before in FILES.items():
        after = new.get(conf / name, before)
        kept = [line for line in after.split("\n") if "fsha/" not in line and line.strip()]
        original = [line for line in before.split("\n") if line.strip()]
        # A section on one line is opened up; all that was said is still there, in its order.
        assert "".join(kept).replace(" ", "") == "".join(original).replace(" ", "")


def test_a_second_time_there_is_nothing_to_do(conf):
    for path, text in candidate(WANTED, conf, read).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert candidate(WANTED, conf, read) == {}


def test_a_module_that_is_loaded_is_not_loaded_twice(conf):
    path = conf / "autoload_configs/pre_load_modules.conf.xml"
    path.write_text(read(path).replace("<!-- ", "").replace(" -->", ""), encoding="utf-8")
    new = candidate(WANTED, conf, read)
    assert path not in new


def test_what_is_not_wanted_is_left_to_the_user(conf):
    assert candidate(DesiredConfig(), conf, read) == {}
    only = DesiredConfig(profiles=(ProfileConfig("internal", "sip_profiles/internal.xml"),))
    (one,) = [f for f in fragments(only) if "profile" in f.path]
    assert dict(one.lines) == {"track-calls": "true"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("sip_profiles/internal.xml", None, "can't be read"),
        ("sip_profiles/internal.xml", '<profile name="other"><settings></settings></profile>',
         "the profile internal is expected in it and no other, not that of other"),
        ("autoload_configs/switch.conf.xml", "<configuration/>", "has no <settings>"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_should_be(conf, name, text, words):
    path = conf / name
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    with pytest.raises(SwitchConfError, match=words) as caught:
        candidate(WANTED, conf, read)
    assert caught.value.path == name


@pytest.mark.parametrize(
    ("name", "text", "where", "words"),
    [
        ("sip_profiles/internal.xml", '<profile name="internal">\n<settings>\n', "internal.xml",
         "not well-formed XML"),
        ("sip_profiles/x.xml", "<profile>\n<a></b>\n</profile>\n", "x.xml:2",
         "not well-formed XML"),
        ("freeswitch.xml", '<d>\n<X-PRE-PROCESS cmd="include" data="gone.xml"/>\n</d>\n',
         "freeswitch.xml:2", "which is not there"),
        ("freeswitch.xml", '<d>\n<X-PRE-PROCESS cmd="include" data="freeswitch.xml"/>\n</d>\n',
         "freeswitch.xml", "in a circle"),
    ],
)  # fmt: skip
def test_a_configuration_that_could_not_be_loaded_is_told_with_its_place(
    conf, name, text, where, words
):
    (conf / name).write_text(text, encoding="utf-8")
    with pytest.raises(SwitchConfError, match=words) as caught:
        fsx.whole(conf / "freeswitch.xml", read)
    assert where in str(caught.value)


@pytest.mark.parametrize("value", ["$${hostname}", "two\nlines"])
def test_values_that_freeswitch_would_replace_are_refused(value):
    with pytest.raises(SwitchConfError, match="which FreeSWITCH replaces"):
        fragments(DesiredConfig(switchname=value))
    with pytest.raises(SwitchConfError) as caught:
        fragments(DesiredConfig(core_db_dsn=f"secret{value}"))
    assert "secret" not in str(caught.value)


def test_secrets_are_in_no_change_and_no_repr():
    (one, *_) = fragments(WANTED)
    shown = fsc.differences(None, one.text)
    assert shown["core-db-dsn"] == {"old": None, "new": "(secret)"}
    assert shown["switchname"] == {"old": None, "new": "voice"}
    assert "s3cr" not in repr(WANTED)
    assert fsc.differences(one.text, one.text) == {}


def test_tables_are_made_unless_told_otherwise():
    """On an empty database a FreeSWITCH that may not clear does not start."""
    (switch, *_) = fragments(DesiredConfig(core_db_dsn=DSN))
    assert "auto-clear-sql" not in switch.lines


def test_two_nodes_that_agree_have_the_same_digest():
    other = DesiredConfig("voice", DSN + "x", False, WANTED.profiles)
    assert fsc.digest(WANTED) == fsc.digest(DesiredConfig("voice", DSN, False, WANTED.profiles))
    assert fsc.digest(WANTED) != fsc.digest(other)


PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)


@given(PLAIN.filter(lambda text: "$${" not in text))
def test_every_value_is_read_back_as_it_was_given(value):
    (one,) = fragments(DesiredConfig(switchname=value))
    # FreeSWITCH leaves these lines out, whatever else stands in them.
    lines = fsx.expanded(Path("/x"), lambda _: one.text)
    text = fsx.without_comments("\n".join(line.text for line in lines))
    root = etree.fromstring(f"<s>{text}</s>")
    # A value with a directive's name in it never reaches FreeSWITCH: its line is left out.
    assert [p.get("value") for p in root.iter("param")] == [value]


@given(st.lists(st.sampled_from(["<a/>", "<!-- x -->", "  ", "</settings>", "\n", "<settings>"])))
def test_an_include_is_added_once_and_the_rest_is_kept(parts):
    text = "<settings>" + "".join(parts) + "</settings>\n"
    one = fragments(DesiredConfig(switchname="v"))[0]
    once = fsc.with_include(text, one, Path("/etc/freeswitch"))
    assert fsc.with_include(once, one, Path("/etc/freeswitch")) == once
    line = fsc.directive("/etc/freeswitch/fsha/switch.xml")
    assert [x.strip() for x in once.split("\n")].count(line) == 1
    assert "".join(x for x in once.split("\n") if line not in x).replace(" ", "") == text.replace(
        "\n", ""
    ).replace(" ", "")


# --- whether it takes effect -----------------------------------------------------------------


@pytest.mark.parametrize("other", ["10.0.0.1", "$${local_ip_v4}", "auto"])
def test_a_second_rtp_ip_is_refused_since_freeswitch_takes_several_in_turn(conf, other):
    path = conf / "sip_profiles/internal.xml"
    path.write_text(
        read(path).replace("</settings>", f'<param name="rtp-ip" value="{other}"/>\n</settings>'),
        encoding="utf-8",
    )
    with pytest.raises(SwitchConfError, match="take the two in turn") as caught:
        verified(WANTED, conf, read)
    assert caught.value.path == f"{path}:4"


@pytest.mark.parametrize("other", ["10.0.0.9", "$${vip}", "2001:db8::1"])
def test_an_rtp_ip_that_does_no_harm_may_stay(conf, other):
    path = conf / "sip_profiles/internal.xml"
    path.write_text(
        read(path).replace("</settings>", f'<param name="rtp-ip" value="{other}"/>\n</settings>'),
        encoding="utf-8",
    )
    root = conf / "freeswitch.xml"
    line = '<X-PRE-PROCESS cmd="set" data="vip=10.0.0.9"/>\n  <section'
    root.write_text(read(root).replace("<section", line), encoding="utf-8")
    assert path in verified(WANTED, conf, read)


def test_a_file_that_freeswitch_does_not_read_is_told(conf):
    path = conf / "autoload_configs/sofia.conf.xml"
    path.write_text(read(path).replace("../sip_profiles/*.xml", "../other/*.xml"), encoding="utf-8")
    with pytest.raises(SwitchConfError, match=r"has the profile internal of sofia\.conf; is"):
        verified(WANTED, conf, read)


def test_what_would_be_overruled_is_told(conf):
    path = conf / "autoload_configs/switch.conf.xml"
    for path_, text in candidate(WANTED, conf, read).items():
        path_.parent.mkdir(exist_ok=True)
        path_.write_text(text, encoding="utf-8")
    after = '<param name="SwitchName" value="mine"/>\n</settings>\n</configuration>'
    path.write_text(read(path).replace("</settings>\n</configuration>", after), encoding="utf-8")
    with pytest.raises(SwitchConfError, match="after the formula's, and would count") as caught:
        verified(WANTED, conf, read)
    assert str(path) in caught.value.path
    assert "mine" not in str(caught.value)


def test_the_first_settings_are_those_that_freeswitch_reads(conf):
    path = conf / "sip_profiles/internal.xml"
    text = read(path).replace("</profile>", "<settings>\n</settings>\n</profile>")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SwitchConfError, match="FreeSWITCH would not read track-calls"):
        verified(WANTED, conf, read)


def test_a_value_with_which_freeswitch_leaves_its_line_out(conf):
    with pytest.raises(SwitchConfError, match=r"would not read switchname in fsha/switch.xml"):
        verified(DesiredConfig("an x-pre-process"), conf, read)


def test_what_is_no_longer_wanted_goes(conf):
    before = {name: read(conf / name) for name in FILES}
    for path, text in candidate(WANTED, conf, read).items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (conf / "fsha" / "mine.xml").write_text("<include/>", encoding="utf-8")
    new = candidate(DesiredConfig("voice"), conf, read)
    gone = {path.name for path, text in new.items() if text is None}
    assert gone == {"sofia.xml", "pre_load.xml", "profile_internal.xml"}
    profile = conf / "sip_profiles/internal.xml"
    assert new[profile] == before["sip_profiles/internal.xml"]
    sofia = "autoload_configs/sofia.conf.xml"
    assert new[conf / sofia] == before[sofia]
    assert "fsha/" not in whole(conf, verified(DesiredConfig(), conf, read))


def test_what_only_a_start_makes_effective():
    changed = {
        "fsha/switch.xml": ["switchname"],
        "fsha/sofia.xml": ["auto-restart"],
        "fsha/profile_a.xml": ["sip-ip", "track-calls", "profile-standby"],
        "fsha/profile_b.xml": ["sip-ip"],
        "fsha/profile_c.xml": ["track-calls"],
    }
    assert fsc.restarts(changed, ["a", "c"]) == {"": ["switchname"], "a": ["sip-ip"]}


def test_data_sources_from_files(tmp_path):
    path = tmp_path / "dsn"
    path.write_text("pgsql://secret\n", encoding="utf-8")
    told = {"core_db_dsn_file": str(path), "profiles": {"a": {"odbc_dsn_file": str(path)}}}
    wanted = fsc.from_pillar(told, read)
    assert wanted.core_db_dsn == wanted.profiles[0].odbc_dsn == "pgsql://secret"
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(SwitchConfError, match="it is empty; a data source is expected"):
        fsc.from_pillar(told, read)
    with pytest.raises(SwitchConfError, match="can't be read"):
        fsc.from_pillar({"core_db_dsn_file": str(tmp_path / "none")}, read)
