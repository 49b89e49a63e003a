"""How the pair is, as data, and the page in a file."""

import dataclasses
from datetime import datetime, timezone

import pytest
from lxml import etree

from fshalib.checks import pair as checks_pair
from fshalib.checks.minion import Minion
from fshalib.freeswitch import client
from fshalib.pacemaker import tools
from fshalib.report import overview, page, text
from fshalib.switchover import arp
from tests.unit.switchover.fakes import Cluster
from tests.unit.switchover.test_dangers import put_into_maintenance

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=timezone.utc)
LINK = {"node": "fs2", "number": 0, "address": "192.0.2.2", "connected": True, "mtu": 1}


@pytest.fixture
def minion(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "profiles", lambda _where: {"internal": 2})
    monkeypatch.setattr(client, "ask", lambda _command, _where: "false\n")
    monkeypatch.setattr(overview.collect, "arp_findings", lambda *_: ())
    opts = {"id": "minion1", "fsha.journal": str(tmp_path / "journal")}
    return Minion(
        opts,
        {"fsha": {"cluster": {"name": "voice"}}},
        fire=lambda _tag, _event: None,
        ring=lambda: {"running": True, "links": [LINK]},
        state_run=lambda: "",
        ask_facts=lambda _name: None,
    )


@pytest.fixture
def cluster(status, pair):
    return Cluster(status, pair)


def test_the_pair_as_data(minion, cluster):
    data = overview.overview(minion, cluster, NOW)
    assert (data["cluster"], data["node"], data["dc"]) == ("voice", "fs1", "fs1")
    assert data["service"] == {
        "id": "VoiceServices",
        "node": "fs1",
        "vips": ["10.101.20.219"],
        "several": [],
    }
    assert data["rings"] == [{"node": "fs2", "link": 0, "address": "192.0.2.2", "connected": True}]
    assert data["profiles"] == {"internal": 2}
    assert (data["notes"], data["operations"], data["actions"]["actions"]) == ([], [], [])
    assert data["dangers"] == []


def test_a_node_that_serves_in_its_own_maintenance_is_a_danger(minion, cluster):
    put_into_maintenance(cluster.root)
    (danger,) = overview.overview(minion, cluster, NOW)["dangers"]
    assert (danger["kind"], danger["node"]) == ("serves", "fs1")
    assert text.screen(overview.overview(minion, cluster, NOW)).startswith(f"!!  {danger['text']}")


def test_an_address_that_nobody_answers_for_is_a_danger(minion, cluster, monkeypatch):
    finding = arp.ArpFinding(arp.SILENT, "nobody answers for 10.101.20.219 on the network")
    monkeypatch.setattr(overview.collect, "arp_findings", lambda *_: (finding,))
    data = overview.overview(minion, cluster, NOW)
    (danger,) = data["dangers"]
    assert "fsha.failover moves the service" in danger["advice"]
    assert "VoiceServices serves on fs1, VIP 10.101.20.219, BUT NOBODY ANSWERS" in text.screen(data)


def test_a_lost_node_that_is_up_is_a_split(minion, cluster, monkeypatch):
    nodes = tuple(dataclasses.replace(n, online=n.name == "fs1") for n in cluster.seen.nodes)
    cluster.seen = dataclasses.replace(cluster.seen, nodes=nodes)
    monkeypatch.setattr(overview.collect.tools, "noted", lambda *_: {})
    assert [d["kind"] for d in overview.overview(minion, cluster, NOW)["dangers"]] == ["lost"]
    theirs = {"switch": {}, "cluster": {"serves": ["VoiceServices"], "away": ["fs1"]}}
    asked = dataclasses.replace(minion, ask_facts=lambda _name: theirs)
    page = text.screen(overview.overview(asked, cluster, NOW))
    assert page.startswith("!!  SPLIT: this node sees fs2 as OFFLINE, but it is up")
    assert "serves on fs1, VIP 10.101.20.219, AS THIS NODE SEES IT" in page


def test_what_can_not_be_asked_is_a_note(minion, cluster, monkeypatch):
    def down(_where):
        raise client.SwitchUnreachable("it is down")

    monkeypatch.setattr(client, "profiles", down)
    silent = Minion(
        minion.opts, {}, minion.fire, lambda: {"running": False, "reason": "no corosync"},
        minion.state_run, minion.ask_facts,
    )  # fmt: skip
    data = overview.overview(silent, cluster, NOW)
    assert (data["rings"], data["profiles"], data["cluster"]) == ([], {}, "")
    assert data["notes"] == [
        "rings: no corosync",
        "FreeSWITCH does not answer on this node: it is down.",
    ]


def test_a_switch_that_is_paused_is_a_note(minion, cluster, monkeypatch):
    monkeypatch.setattr(client, "ask", lambda _command, _where: "true\n")
    assert "the switch is paused" in overview.overview(minion, cluster, NOW)["notes"][0]


def test_two_services_are_both_named(minion, cluster):
    group = cluster.root.find("configuration/resources/group")
    other = etree.SubElement(group.getparent(), "group", id="Other")
    etree.SubElement(other, "primitive", id="fs9", **{"class": "lsb", "type": "FSSofia"})
    service = overview.overview(minion, cluster, NOW)["service"]
    assert [one["id"] for one in service["several"]] == ["VoiceServices", "Other"]


def test_the_page_is_written_also_without_a_cluster(minion, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(checks_pair, "check", lambda _minion, _cluster: ())
    file = tmp_path / "pair.html"
    assert page.write(str(file), minion, cluster)["comment"] == f"Written to {file}."
    assert file.stat().st_mode & 0o777 == 0o600
    cluster.status = lost
    assert page.write(str(file), minion, cluster)["result"] is True
    assert "Pacemaker does not run on this node" in file.read_text(encoding="utf-8")
    done = page.write("/proc/nowhere/pair.html", minion, cluster)
    assert (done["result"], done["comment"].startswith("Not written: ")) == (False, True)


def lost():
    raise tools.ClusterDown()
