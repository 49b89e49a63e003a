"""Advice on a cluster that somebody else built, with the commands that mend it."""

import re
import shlex

import pytest

from fshalib.cib import document
from fshalib.errors import ArgumentError
from fshalib.lint import sources
from fshalib.pacemaker import tools
from fshalib.pillar import export
from fshalib.report import foreign
from fshalib.switchover import operator_settings

HOST = export.Host(networks=lambda: ["192.0.2.0/24"], resolved=lambda _path: {})
CIB = """<cib {feature_set} validate-with="pacemaker-3.9"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="p1" name="{fencing}" value="false"/>{properties}</cluster_property_set></crm_config>
<nodes><node id="1" uname="fs1">{fs1}</node><node id="2" uname="fs2"/></nodes>
<resources><group id="voice">{group}
<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2">
<instance_attributes id="v"><nvpair id="vi" name="ip" value="192.0.2.9"/></instance_attributes>
<operations><op id="vo" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
<primitive id="fs" class="systemd" type="freeswitch">
<operations><op id="fo" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
</group></resources>
<constraints>{constraints}</constraints>
<rsc_defaults><meta_attributes id="rsc-options">
<nvpair id="d1" name="resource-stickiness" value="100"/>
<nvpair id="d2" name="migration-threshold" value="1"/>
<nvpair id="d3" name="failure-timeout" value="10min"/>{defaults}</meta_attributes></rsc_defaults>
</configuration><status/></cib>"""
PARTS = dict.fromkeys(("properties", "fs1", "group", "constraints", "defaults"), "")
CONF = """totem {
  version: 2
  cluster_name: ha
  transport: knet
  crypto_cipher: aes256
  crypto_hash: sha256
}
nodelist {
  node {
    ring0_addr: 192.0.2.1
    ring1_addr: 198.51.100.1
    name: fs1
    nodeid: 1
  }
  node {
    ring0_addr: 192.0.2.2
    ring1_addr: 198.51.100.2
    name: fs2
    nodeid: 2
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
}
"""


def nvpair(id, name, value):
    return f'<nvpair id="{id}" name="{name}" value="{value}"/>'


def attributes(name, value="true"):
    return f'<instance_attributes id="n1">{nvpair("n1a", name, value)}</instance_attributes>'


def meta(name, value):
    return f'<meta_attributes id="m1">{nvpair("m1a", name, value)}</meta_attributes>'


@pytest.fixture
def lint(tmp_path):
    def judge(conf=None, fencing="stonith-enabled", feature_set="3.16.1", **parts):
        given = f'crm_feature_set="{feature_set}"' if feature_set else ""
        text = CIB.format(**{**PARTS, "fencing": fencing, "feature_set": given, **parts})
        (tmp_path / "cib.xml").write_text(text, encoding="utf-8")
        judge.root = document.parse(text)
        path = None
        if conf is not None:
            path = str(tmp_path / "corosync.conf")
            (tmp_path / "corosync.conf").write_text(conf, encoding="utf-8")
        return foreign.lint(str(tmp_path / "cib.xml"), path, HOST).advices

    return judge


def codes(advices):
    return {advice.code for advice in advices}


PREFER = '<rsc_location id="cli-prefer-voice" rsc="voice" node="fs2" score="INFINITY"/>'
BAN = '<rsc_location id="cli-ban-voice-on-fs1" rsc="voice" node="fs1" score="-INFINITY"/>'
OVER = (
    '<rsc_location id="cli-prefer-voice" rsc="voice"><rule id="r" score="INFINITY" '
    'boolean-op="and"><expression id="e" attribute="#uname" operation="eq" value="fs2"/>'
    '<date_expression id="d" operation="lt" end="2020-01-01"/></rule></rsc_location>'
)


@pytest.mark.parametrize(
    ("parts", "code", "command"),
    [
        ({"fs1": attributes("standby", "on")}, "held-by-pillar",
         "crm_attribute --node fs1 --name standby"),
        ({"fs1": attributes("maintenance")}, "held-by-pillar",
         "crm_attribute --node fs1 --name maintenance"),
        ({"properties": nvpair("p2", "maintenance-mode", "true")}, "held-by-pillar",
         "crm_attribute --name maintenance-mode --delete"),
        ({"properties": nvpair("p2", "stop-all-resources", "true")}, "held-by-pillar",
         "crm_attribute --name stop-all-resources --delete"),
        ({"group": meta("target-role", "Stopped")}, "held-by-pillar",
         "crm_resource --resource voice --meta --delete-parameter target-role"),
        ({"group": meta("is-managed", "false")}, "held-by-pillar",
         "crm_resource --resource voice --meta --delete-parameter is-managed"),
        ({"defaults": nvpair("d4", "target-role", "Stopped")}, "held-by-pillar", "d4"),
        ({"constraints": PREFER}, "left-preference",
         "crm_resource --clear --resource voice --node fs2"),
        ({"constraints": BAN}, "left-behind", "crm_resource --clear --resource voice --node fs1"),
        ({"constraints": OVER}, "left-over", "cli-prefer-voice"),
    ],
)  # fmt: skip
def test_what_is_set_by_hand_comes_with_its_command(lint, parts, code, command):
    (advice,) = [a for a in lint(**parts) if a.code == code]
    hint = advice.mend.removesuffix(", when the reason is gone")
    assert command in hint
    assert hint in [a.hint for a in operator_settings.actions(lint.root)]
    assert (advice.change, advice.remove) == ({}, ())
    assert "RESOURCE" not in advice.mend
    assert shlex.split(hint)[0] in ("crm_attribute", "crm_resource", "cibadmin")


def test_what_is_not_an_operators_is_a_change_of_the_exported_pillar(lint):
    found = lint(properties=nvpair("p2", "no-quorum-policy", "ignore"))
    (advice,) = [a for a in found if a.code == "split-brain"]
    assert advice.remove == ("fsha:pacemaker:properties:no-quorum-policy",)
    page = foreign.page(found)
    assert "fsha.export makes of this cluster" in page
    assert "apply that pillar as it is first" in page
    assert page.splitlines()[-1].startswith("It will NOT fail over")
    assert "fsha.export" not in foreign.page(())


@pytest.mark.parametrize(
    ("feature_set", "version", "found"),
    [
        ("3.16.1", (3, 0, 2), {"no-fence-device", "new-name"}),
        ("3.20.5", (2, 1, 5), {"no-fencing"}),
        ("", (2, 1, 5), {"no-fence-device", "new-name"}),
        ("", (3, 0, 2), {"no-fencing"}),
        ("", None, {"no-fencing"}),
    ],
)
def test_the_new_name_of_an_option(lint, monkeypatch, feature_set, version, found):
    monkeypatch.setattr(tools, "version", lambda: version)
    advices = lint(fencing="fencing-enabled", feature_set=feature_set)
    assert codes(advices) & {"no-fence-device", "no-fencing", "new-name"} == found
    for advice in advices:
        if advice.code == "new-name":
            assert advice.path == "fsha:pacemaker:properties:fencing-enabled"
            assert "stonith-enabled" in advice.message


def test_the_tools_of_this_host_have_a_version():
    class Answer:
        out = "Pacemaker 2.1.5\nWritten by somebody\n"

    assert tools.version(lambda _argv: Answer) == (2, 1, 5)


# --- corosync.conf ---------------------------------------------------------------------------


def test_a_corosync_conf_that_cant_be_read_is_said(lint, tmp_path, monkeypatch):
    for text in ("totem {\n", "\xff"):
        with pytest.raises(ArgumentError, match=r"corosync\.conf"):
            lint(conf=text)
    with pytest.raises(ArgumentError, match="can't be read: No such file"):
        foreign.lint(str(tmp_path / "cib.xml"), str(tmp_path / "none"), HOST)
    for wrong in (5, True, "", ["a"]):
        with pytest.raises(ArgumentError, match="a path is expected"):
            foreign.lint(str(tmp_path / "cib.xml"), wrong, HOST)


def test_the_hosts_own_that_cant_be_read_is_a_finding(lint, tmp_path, monkeypatch):
    lint()
    monkeypatch.delenv("CIB_file", raising=False)
    monkeypatch.setattr(export, "COROSYNC_CONF", str(tmp_path / "none"))
    monkeypatch.setattr(sources, "cib", lambda _source: lint.root)
    (advice,) = [a for a in foreign.lint("live", None, HOST).advices if a.code == "not-read"]
    assert "No such file" in advice.message
    assert "not-read" not in codes(lint())


DEVICE = "device {\n model: net\n votes: 1\n net {\n host: q1\n algorithm: ffsplit\n }\n }"


def test_a_quorum_device_is_counted(lint):
    assert "lost-quorum" not in codes(lint(CONF))
    assert "lost-quorum" not in codes(lint(CONF.replace("two_node: 1", DEVICE)))
    without = DEVICE.replace("votes: 1", "votes: 0")
    assert "lost-quorum" in codes(lint(CONF.replace("two_node: 1", without)))
    assert "lost-quorum" in codes(lint(CONF.replace("two_node: 1", "")))


def test_what_corosync_misreads_is_a_finding(lint):
    odd = CONF.replace("198.51.100.1", "198.51.100.1 # second").replace("two_node", "twonode")
    found = {a.code: a for a in lint(odd)}
    assert found["refused-file"].path == "corosync.conf:nodelist.node[fs1].ring1_addr"
    assert found["refused-file"].severity == "error"
    assert found["misread"].path == "corosync.conf:quorum.twonode"
    assert re.search('is "two_node" meant', found["misread"].message)
