import ipaddress
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fshalib.corosync import build, comparable, options, parser, status
from fshalib.corosync import conf as fc
from fshalib.corosync import diff as fcc
from fshalib.corosync import semantics as fcm
from fshalib.pillar import config, schema_corosync
from fshalib.pillar import export_corosync as fe
from fshalib.schema.report import ConfigErrors
from fshalib.schema.types import Choice, Flag, Text, Whole

MANY = 6000 if os.environ.get("FSHA_HYPOTHESIS") == "long" else 300
SAMPLES = Path(__file__).parents[1] / "corosync/samples"
NETWORKS = ["10.101.20.0/24", "10.101.21.0/24"]
SETTINGS = ("transport", "crypto", "totem", "links", "quorum", "logging")
PACEMAKER = {"properties": {"stonith-enabled": False}}
DEFAULT_KEY = {"authkey_file": "/etc/corosync/authkey"}


def export(text, networks=NETWORKS, **known):
    return fe.export(parser.parse(text), networks, **known)


def built(pillar):
    """Build corosync.conf as the formula does."""
    given_ = {key: pillar["corosync"][key] for key in SETTINGS if key in pillar["corosync"]}
    return build.from_settings(
        pillar["cluster"]["name"], build.nodes_from(pillar["nodes"]), **given_
    )


def accepted(pillar):
    return config.check({**pillar, "pacemaker": PACEMAKER})


def about(exported, path):
    """Return the one note about a path."""
    (note,) = [note for note in exported.notes if note.startswith(f"{path}: ")]
    return note


PAIR = """
nodelist {
    node {
        ring0_addr: 10.101.20.110
        name: fs1
        nodeid: 1
    }
    node {
        ring0_addr: 10.101.20.220
        name: fs2
        nodeid: 2
    }
}
"""
TOTEM = """
totem {
    version: 2
    cluster_name: voice
    transport: knet
    crypto_cipher: aes256
    crypto_hash: sha256
}
"""
QUORUM = """
quorum {
    provider: corosync_votequorum
    two_node: 1
}
"""
LOGGING = """
logging {
    to_stderr: no
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    to_syslog: yes
}
"""
WHOLE = TOTEM + PAIR + QUORUM + LOGGING
PAIR_NODES = {
    "fs1": {"id": 1, "addresses": ["10.101.20.110/24"]},
    "fs2": {"id": 2, "addresses": ["10.101.20.220/24"]},
}


class TestOwn:
    def test_what_the_formula_writes_by_default_is_short(self):
        exported = export(WHOLE)
        assert exported.notes == ()
        assert exported.pillar == {
            "cluster": {"name": "voice"},
            "nodes": PAIR_NODES,
            "corosync": DEFAULT_KEY,
        }
        accepted(exported.pillar)

    @pytest.mark.parametrize(
        "sample", ["knet-ok", "knet-cut1", "knet-noquorum", "knet-one", "udp-ok", "udpu-one"]
    )
    def test_what_ran_in_the_lab(self, sample):
        conf = of_cmap((SAMPLES / f"{sample}.cmap").read_text())
        exported = fe.export(conf, NETWORKS)
        assert exported.notes == ()
        assert fcc.difference(conf, built(exported.pillar)) == ()
        accepted(exported.pillar)

    def test_two_links_with_options(self, nodes):
        links = [{"knet_link_priority": 2}, {"knet_link_priority": 1, "knet_transport": "sctp"}]
        conf = build.from_settings("voice", build.nodes_from(nodes), links=links)
        exported = fe.export(conf, NETWORKS)
        assert exported.notes == ()
        assert exported.pillar["corosync"]["links"] == links
        assert exported.pillar["nodes"]["ubuntu-v20z"] == {
            "id": 2,
            "addresses": ["10.101.20.220/24", "10.101.21.220/24"],
        }

    def test_a_link_without_options_between_others(self, nodes):
        conf = build.from_settings("v", build.nodes_from(nodes), links=[{}, {"mcastport": 5500}])
        exported = fe.export(conf, NETWORKS)
        assert exported.pillar["corosync"]["links"] == [{}, {"mcastport": 5500}]

    def test_ipv6(self):
        nodes = (build.RingNode("a", 1, ("2001:db8::1",)), build.RingNode("b", 2, ("2001:db8::2",)))
        exported = fe.export(build.from_settings("voice", nodes), ["2001:db8::/48"])
        assert exported.notes == ()
        assert exported.pillar["nodes"]["a"]["addresses"] == ["2001:db8::1/48"]
        assert "totem" not in exported.pillar["corosync"]

    def test_multicast_as_in_the_article(self):
        links = [{"mcastaddr": "226.94.1.1", "mcastport": 5405}]
        nodes = build.nodes_from(PAIR_NODES)
        exported = fe.export(build.from_settings("voice", nodes, "udp", links=links), NETWORKS)
        assert exported.notes == ()
        assert exported.pillar["corosync"] == {"transport": "udp", "links": links}
        accepted(exported.pillar)

    def test_values_are_what_the_pillar_wants(self):
        conf = build.from_settings(
            "voice",
            build.nodes_from(PAIR_NODES),
            crypto={"cipher": "aes128"},
            totem={"token": 1500, "block_unlisted_ips": False},
            quorum={"wait_for_all": False, "two_node": False},
            logging={"debug": "on", "to_syslog": False, "timestamp": "on"},
        )
        exported = fe.export(conf, NETWORKS)
        assert exported.notes == ()
        assert exported.pillar["corosync"] == {
            "crypto": {"cipher": "aes128"},
            "totem": {"token": 1500, "block_unlisted_ips": False},
            "quorum": {"wait_for_all": False, "two_node": False},
            "logging": {"debug": "on", "to_syslog": False, "timestamp": "on"},
            **DEFAULT_KEY,
        }

    def test_without_crypto_no_key_is_asked_for(self):
        crypto = {"cipher": "none", "hash": "none"}
        conf = build.from_settings("voice", build.nodes_from(PAIR_NODES), crypto=crypto)
        assert fe.export(conf, NETWORKS).pillar["corosync"] == {"crypto": crypto}

    def test_a_key_elsewhere_is_the_source_and_that_is_told(self):
        totem = {"keyfile": "/srv/key"}
        conf = build.from_settings("voice", build.nodes_from(PAIR_NODES), totem=totem)
        exported = fe.export(conf, NETWORKS)
        assert exported.pillar["corosync"] == {"totem": totem, "authkey_file": "/srv/key"}
        assert "/etc/corosync/authkey" in about(exported, "totem.keyfile")


PCS = """
totem {
    version: 2
    cluster_name: voice
    transport: knet
    ip_version: ipv4
    crypto_cipher: aes256
    crypto_hash: sha256
    cluster_uuid: 5a1b3c
}
nodelist {
    node {
        ring0_addr: fs1
        name: fs1
        nodeid: 1
    }
    node {
        ring0_addr: 10.101.20.220
        name: fs2
        nodeid: 2
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
logging {
    to_logfile: yes
    logfile: /var/log/cluster/corosync.log
    to_syslog: yes
    timestamp: on
}
"""

CRMSH = """
# Please read the corosync.conf.5 manual page
totem {
    version: 2
    cluster_name: hacluster
    secauth: on
    crypto_hash: sha1
    crypto_cipher: aes256
    rrp_mode: passive
    transport: udpu
    interface {
        ringnumber: 0
        bindnetaddr: 10.101.20.0
        mcastport: 5405
        ttl: 1
    }
}
logging {
    fileline: off
    to_stderr: no
    to_logfile: no
    logfile: /var/log/cluster/corosync.log
    to_syslog: yes
    debug: off
    timestamp: on
    logger_subsys {
        subsys: QUORUM
        debug: off
    }
}
nodelist {
    node {
        ring0_addr: 10.101.20.110
        nodeid: 1
    }
    node {
        ring0_addr: 10.101.20.220
        nodeid: 2
    }
}
quorum {
    provider: corosync_votequorum
    expected_votes: 2
    two_node: 1
}
"""


class TestForeign:
    def test_pcs_with_names_resolved(self):
        exported = export(PCS, hosts={"fs1": ["10.101.20.110"]})
        assert exported.pillar == {
            "cluster": {"name": "voice"},
            "nodes": PAIR_NODES,
            "corosync": {
                "totem": {"ip_version": "ipv4"},
                "logging": {
                    "logfile": "/var/log/cluster/corosync.log",
                    "timestamp": "on",
                    "to_stderr": True,
                },
                **DEFAULT_KEY,
            },
        }
        assert "10.101.20.110" in about(exported, "nodelist.node[fs1].ring0_addr")
        assert "only pcs" in about(exported, "totem.cluster_uuid")
        assert len(exported.notes) == 2
        accepted(exported.pillar)

    def test_pcs_with_a_name_that_nobody_resolves(self):
        exported = export(PCS)
        assert exported.pillar["nodes"]["fs1"]["addresses"] == ["fs1"]
        assert "host name" in about(exported, "nodelist.node[fs1].ring0_addr")
        with pytest.raises(ConfigErrors):
            accepted(exported.pillar)
        # The rest is compared all the same.
        assert "only pcs" in about(exported, "totem.cluster_uuid")

    def test_crmsh_with_names_from_the_cib(self):
        exported = export(CRMSH, names={1: "fs1", 2: "fs2"})
        assert exported.pillar == {
            "cluster": {"name": "hacluster"},
            "nodes": PAIR_NODES,
            "corosync": {
                "transport": "udpu",
                "links": [{"mcastport": 5405}],
                "quorum": {"expected_votes": 2},
                "logging": {
                    "fileline": False,
                    "to_logfile": False,
                    "logfile": "/var/log/cluster/corosync.log",
                    "debug": "off",
                    "timestamp": "on",
                },
            },
        }
        for path, word in {
            "nodelist.node[1]": "how Pacemaker calls it",
            "nodelist.node[2]": "fs2",
            "totem.crypto_cipher": "aes256 → none",
            "totem.crypto_hash": "sha1 → none",
            "totem.rrp_mode": "knet",
            "totem.interface[0].ringnumber": "linknumber",
            "totem.interface[0].bindnetaddr": "nodelist",
            "logging.logger_subsys[QUORUM]": "debug: off",
        }.items():
            assert word in about(exported, path)
        assert len(exported.notes) == 8
        accepted(exported.pillar)

    def test_secauth_with_knet_is_said_with_crypto(self):
        text = WHOLE.replace("crypto_cipher: aes256", "secauth: on")
        exported = export(text.replace("    crypto_hash: sha256\n", ""))
        assert exported.pillar["corosync"] == DEFAULT_KEY
        assert exported.notes == ()

    def test_what_is_not_there_keeps_its_meaning(self):
        exported = export("totem {\nversion: 2\ncluster_name: voice\n}\n" + PAIR)
        assert exported.pillar["corosync"] == {
            "crypto": {"cipher": "none", "hash": "none"},
            "quorum": {"two_node": False},
            "logging": {"to_stderr": True, "to_logfile": False},
        }
        assert len(exported.notes) == 1
        assert "would write it, which takes a restart" in about(exported, "quorum.provider")

    def test_the_version_of_written_out_addresses_is_none_of_their_business(self):
        text = WHOLE.replace("10.101.20.", "2001:db8::")
        exported = export(text, ["2001:db8::/64"])
        assert exported.pillar["corosync"] == DEFAULT_KEY
        assert exported.notes == ()

    def test_the_packages_example(self):
        text = TOTEM + "nodelist {\nnode {\nname: node1\nnodeid: 1\nring0_addr: 127.0.0.1\n}\n}"
        exported = export(text + LOGGING, ["127.0.0.0/8"])
        assert "one-node example" in about(exported, "nodelist")
        assert not any("fsha:nodes" in note for note in exported.notes)

    def test_one_node_is_not_enough_for_the_pillar(self):
        text = TOTEM + "nodelist {\nnode {\nname: a\nnodeid: 1\nring0_addr: 10.101.20.1\n}\n}"
        assert "two or more" in about(export(text), "fsha:nodes")

    def test_no_nodelist(self):
        text = (
            "totem {\nversion: 2\ntransport: udp\ninterface {\nringnumber: 0\n"
            "bindnetaddr: 10.101.20.0\nmcastaddr: 226.94.1.1\n}\n}\n" + QUORUM + LOGGING
        )
        exported = export(text)
        assert exported.pillar["nodes"] == {}
        assert exported.pillar["corosync"]["links"] == [
            {"bindnetaddr": "10.101.20.0", "mcastaddr": "226.94.1.1"}
        ]
        assert "put each node with its addresses" in about(exported, "nodelist")
        assert "nothing → voice" in about(exported, "totem.cluster_name")


# As it is often built by hand: neither nodeid nor name.
NAMELESS = """
totem {
version: 2
transport: udpu
cluster_name: kamailio
}
quorum {
provider: corosync_votequorum
two_node: 1
}
nodelist {
node {
ring0_addr: 192.168.76.1
}
node {
ring0_addr: 192.168.76.2
}
}
logging {
to_logfile: yes
logfile: /var/log/corosync/corosync.log
to_stderr: no
}
"""


class TestNodes:
    def node(self, *lines):
        return "nodelist {\nnode {\n" + "\n".join(lines) + "\n}\n}\n"

    def test_a_name_is_that_of_the_address_when_it_is_a_host_name(self):
        text = WHOLE.replace("name: fs1", "").replace("10.101.20.110", "fs1")
        text = text.replace("        \n", "")
        exported = export(text, hosts={"fs1": ["10.101.20.110"]})
        assert exported.pillar["nodes"] == PAIR_NODES
        assert "how Pacemaker calls it" in about(exported, "nodelist.node[1]")

    def test_without_any_name_the_address_stands_in(self):
        text = WHOLE.replace("        name: fs1\n", "")
        exported = export(text)
        assert list(exported.pillar["nodes"]) == ["10.101.20.110", "fs2"]
        assert "uname -n" in about(exported, "nodelist.node[1]")
        assert len(exported.notes) == 1

    def test_a_prefix_length_that_nobody_knows_is_assumed(self):
        exported = export(WHOLE, [])
        assert exported.pillar["nodes"] == PAIR_NODES
        assert len(exported.notes) == 2
        assert "/24 is assumed" in about(exported, "nodelist.node[fs1].ring0_addr")

    def test_what_is_assumed_holds_both_nodes(self):
        text = WHOLE.replace("10.101.20.220", "10.101.21.220")
        exported = export(text, [])
        assert exported.pillar["nodes"]["fs2"]["addresses"] == ["10.101.21.220/23"]
        accepted(exported.pillar)

    def test_the_smallest_network_that_holds_both_is_taken(self):
        networks = ["10.101.20.110/32", "10.101.20.0/22", "10.0.0.0/8"]
        exported = export(WHOLE, networks)
        assert exported.pillar["nodes"]["fs1"]["addresses"] == ["10.101.20.110/22"]

    def test_an_address_of_this_host_will_do_for_a_network(self):
        assert export(WHOLE, ["10.101.20.110/24"]).notes == ()

    @pytest.mark.parametrize("number", ["0", "70000", "x", "²", ""])
    def test_an_id_that_the_pillar_does_not_take(self, number):
        exported = export(WHOLE.replace("nodeid: 2", f"nodeid: {number}"))
        assert "id" not in exported.pillar["nodes"]["fs2"]
        assert "by its position, 2" in about(exported, "nodelist.node[fs2].nodeid")
        assert len(exported.notes) == 1

    def test_no_id(self):
        exported = export(WHOLE.replace("        nodeid: 2\n", ""))
        assert "there is no nodeid; " in about(exported, "nodelist.node[fs2].nodeid")

    @pytest.mark.parametrize(("more", "number"), [("", 3232254977), ("yes", 1084771329)])
    def test_an_id_that_corosync_makes_of_the_address(self, more, number):
        text = NAMELESS.replace("version: 2", f"version: 2\nclear_node_high_bit: {more}")
        exported = export(text, ["192.168.76.0/24"], names={number: "proxy1", number + 1: "proxy2"})
        assert exported.pillar["nodes"] == {
            "proxy1": {"id": number, "addresses": ["192.168.76.1/24"]},
            "proxy2": {"id": number + 1, "addresses": ["192.168.76.2/24"]},
        }
        assert "the same to corosync" in about(exported, "nodelist.node[192.168.76.1].nodeid")
        assert "restart" not in "".join(exported.notes)
        accepted(exported.pillar)

    def test_an_id_that_is_used_twice_is_refused(self):
        exported = export(WHOLE.replace("nodeid: 2", "nodeid: 1"))
        assert "refuse this pillar" in about(exported, "fsha:nodes:fs2:id")

    def test_different_links_per_node(self):
        more = "ring0_addr: 10.101.20.110\n        ring1_addr: 10.101.21.110"
        exported = export(WHOLE.replace("ring0_addr: 10.101.20.110", more))
        assert "no address on link 1" in about(exported, "nodelist.node[fs2].ring1_addr")
        assert len(exported.notes) == 1

    def test_links_with_a_gap_move_up(self):
        text = WHOLE
        for last in ("110", "220"):
            ring = f"ring0_addr: 10.101.20.{last}"
            text = text.replace(ring, f"{ring}\n        ring3_addr: 10.101.21.{last}")
        link = "    interface {\n        linknumber: 3\n        knet_link_priority: 9\n    }\n}"
        exported = export(text.replace("sha256\n}", f"sha256\n{link}"))
        assert exported.pillar["corosync"]["links"] == [{}, {"knet_link_priority": 9}]
        assert "link 3 becomes link 1" in about(exported, "nodelist.node.ring3_addr")
        assert "9 → nothing" in about(exported, "totem.interface[3].knet_link_priority")

    def test_what_else_is_said_of_a_node(self):
        exported = export(WHOLE.replace("nodeid: 2", "nodeid: 2\nquorum_votes: 3\nfoo: bar"))
        assert "one vote" in about(exported, "nodelist.node[fs2].quorum_votes")
        assert "keeps it in the file (bar)" in about(exported, "nodelist.node[fs2].foo")
        assert len(exported.notes) == 2

    def test_two_nodes_of_one_name(self):
        exported = export(WHOLE.replace("name: fs2", "name: fs1"))
        note = about(exported, "nodelist.node[fs1#2]")
        assert "10.101.20.220" in note
        assert list(exported.pillar["nodes"]) == ["fs1"]

    def test_a_name_that_no_host_can_have(self):
        exported = export(WHOLE.replace("name: fs2", "name: fs-"))
        assert "host name" in about(exported, "fsha:nodes:fs-")

    @pytest.mark.parametrize(
        ("networks", "lengths"),
        [
            (["10.101.20.64/26"], (26, 26)),
            (["10.101.20.110/32"], (32, 32)),
            (["10.99.0.7/28"], (28, 28)),
            (["10.101.20.0/25", "10.99.0.0/16"], (25, 16)),
            ([], (13, 13)),
        ],
    )
    def test_nodes_in_different_networks(self, networks, lengths):
        exported = export(WHOLE.replace("10.101.20.220", "10.99.0.7"), networks)
        nodes = exported.pillar["nodes"].values()
        assert tuple(int(n["addresses"][0].partition("/")[2]) for n in nodes) == lengths
        accepted(exported.pillar)

    def test_a_name_with_an_underscore(self):
        assert export(WHOLE.replace("name: fs2", "name: fs_2")).notes == ()


class TestNotAsItIsMeant:
    def test_a_comment_behind_an_address_is_no_host_name(self):
        exported = export(WHOLE.replace("10.101.20.220", "10.101.20.220 # second"))
        assert exported.pillar["nodes"]["fs2"]["addresses"] == ["10.101.20.220/24"]
        (note,) = exported.notes
        assert note.startswith("nodelist.node[fs2].ring0_addr: corosync has no comments behind a")
        assert "refuses this file" in note
        assert 'the pillar has "10.101.20.220"' in note
        accepted(exported.pillar)

    def test_what_corosync_takes_otherwise_is_a_change(self):
        exported = export(WHOLE.replace("corosync_votequorum", "corosync_votequorum # x"))
        one, other = exported.notes
        assert "takes all of it as the value" in one
        assert "takes a restart of corosync" in other

    def test_a_misspelt_key_is_kept_and_asked_about(self):
        exported = export(WHOLE.replace("version: 2", "version: 2\ntokn: 1000"))
        assert "totem" not in exported.pillar["corosync"]
        (note,) = exported.notes
        assert 'is "token" meant? the formula keeps it in the file (1000)' in note

    def test_a_section_that_counts_for_nothing(self):
        exported = export(f"{WHOLE}service {{\nname: pacemaker\n}}\n")
        assert "nothing in it counts; the formula keeps it" in about(exported, "service")


class TestNotInThePillar:
    @pytest.mark.parametrize(
        ("before", "after", "path", "word"),
        [
            ("version: 2", "version: 2\nfoo: bar", "totem.foo", "keeps it in the file (bar)"),
            ("version: 2", "version: 3", "totem.version", "3 → 2"),
            ("version: 2", "version: 2\ntoken: many", "totem.token", "the pillar takes"),
            ("version: 2", "version: 2\nvsftype: none", "totem.vsftype", "corosync 3"),
            ("transport: knet", "transport: iba", "totem.transport", "iba → knet"),
            ("aes256", "3des", "totem.crypto_cipher", "the pillar takes none"),
            ("sha256", "none", "totem.crypto_hash", "needs a hash"),
            ("to_syslog: yes", "to_syslog: maybe", "logging.to_syslog", "true or false"),
            ("two_node: 1", "two_node: 1\nvotes: 1", "quorum.votes", "no effect in corosync"),
            ("corosync_votequorum", "other", "quorum.provider", "other → corosync_vote"),
            (QUORUM, f"{QUORUM}\nsystem {{\nsched_rr: no\n}}\n", "system", "sched_rr: no"),
            (QUORUM, f"{QUORUM}\nuidgid {{\nuid: hacl\n}}\n", "uidgid", "uidgid.d"),
            (QUORUM, f"{QUORUM}\nstray: 1\n", "stray", "keeps it in the file (1)"),
            ("cluster_name: voice", "cluster_name: a b", "fsha:cluster:name", "a name of"),
        ],
    )
    def test_it_is_named_once_and_nothing_else_is(self, before, after, path, word):
        exported = export(WHOLE.replace(before, after, 1))
        assert word in about(exported, path)
        assert len(exported.notes) == 1

    @pytest.mark.parametrize("more", ["", "two_node: 0\n"])
    def test_a_quorum_device_is_named_and_votes(self, more):
        device = f"{more}device {{\nmodel: net\nvotes: 1\nnet {{\nhost: q1\n}}\n}}"
        exported = export(WHOLE.replace("two_node: 1", device))
        assert "model: net, votes: 1, net.host: q1" in about(exported, "quorum.device")
        assert "quorum" not in exported.pillar["corosync"]
        assert len(exported.notes) == 1

    @pytest.mark.parametrize("device", ["model: net\nvotes: 0", "votes: 1"])
    def test_a_quorum_device_without_a_vote_is_not_counted(self, device):
        exported = export(WHOLE.replace("two_node: 1", f"device {{\n{device}\n}}"))
        assert exported.pillar["corosync"]["quorum"] == {"two_node": False}

    def test_two_sections_of_one_name_are_both_named(self):
        both = "uidgid {\nuid: a\n}\nuidgid {\nuid: b\n}\n"
        notes = [note for note in export(WHOLE + both).notes if note.startswith("uidgid")]
        assert ["uid[a]: a" in notes[0], "uid[b]: b" in notes[1]] == [True, True]

    def test_two_node_is_for_two(self):
        third = "node {\nname: c\nnodeid: 3\nring0_addr: 10.101.20.3\n}\n"
        exported = export(WHOLE.replace("nodelist {\n", f"nodelist {{\n{third}"))
        assert "there are 3" in about(exported, "quorum.two_node")
        assert len(exported.notes) == 1
        accepted(exported.pillar)

    def test_options_of_a_link_that_no_node_has(self):
        link = "interface {\nlinknumber: 4\nknet_link_priority: 9\n}\n"
        exported = export(WHOLE.replace("totem {\n", f"totem {{\n{link}"))
        assert "no such link" in about(exported, "totem.interface[4].knet_link_priority")
        assert "links" not in exported.pillar["corosync"]

    def test_redundant_rings_of_corosync_2(self):
        text = WHOLE.replace("transport: knet", "transport: udpu")
        text = re.sub(r" +crypto.*\n", "", text)
        for last in ("110", "220"):
            ring = f"ring0_addr: 10.101.20.{last}"
            text = text.replace(ring, f"{ring}\n        ring1_addr: 10.101.21.{last}")
        exported = export(text)
        assert "2 addresses" in about(exported, "fsha:corosync:transport")

    def test_a_section_in_a_link_and_in_a_node(self):
        text = WHOLE.replace("nodeid: 2", "nodeid: 2\nextra {\na: b\n}")
        text = text.replace("totem {\n", "totem {\ninterface {\nmember {\nmemberaddr: x\n}\n}\n")
        exported = export(text)
        assert "no effect in corosync" in about(exported, "totem.interface[0].member.memberaddr")
        assert "a: b" in about(exported, "nodelist.node[fs2].extra")
        assert len(exported.notes) == 2


class TestSecrets:
    def test_a_key_in_the_file_is_named_and_never_shown(self):
        text = WHOLE.replace("version: 2", "version: 2\nkey: S3CRET\nkeyfile: S3CRET", 1)
        exported = export(text + "other {\nkey: S3CRET\n}\n")
        assert "S3CRET" not in repr(exported)
        assert "never exported" in about(exported, "totem.key")
        assert "absolute path" in about(exported, "totem.keyfile")


# --- random ----------------------------------------------------------------------------------


def of_cmap(text):
    """Return the corosync.conf that a running corosync has read."""
    sections = {"totem": {}, "nodelist": {}, "quorum": {}, "logging": {}}
    cmap = status.parse_cmap(text)
    udp = cmap["totem.transport"] == "udp"
    for key, value in cmap.items():
        top, *rest = key.split(".")
        if top in sections and rest[-1] not in ("bindnetaddr", "local_node_pos"):
            # corosync fills these in where the file has none.
            if not udp and rest[-1] in ("mcastport", "mcastaddr"):
                continue
            inner = sections[top]
            for name in rest[:-1]:
                inner = inner.setdefault(name, {})
            inner[rest[-1]] = value
    return parser.Conf(
        tuple(parser.Section(name, entries_of(inner)) for name, inner in sections.items())
    )


def entries_of(data):
    result = []
    for key, value in data.items():
        if isinstance(value, str):
            result.append(parser.Option(key, value))
            continue
        for number, inner in value.items():
            more = (parser.Option("linknumber", number),) if key == "interface" else ()
            result.append(parser.Section(key, (*more, *entries_of(inner))))
    return tuple(result)


def values_of(kind):
    if isinstance(kind, Flag):
        return st.booleans()
    if isinstance(kind, Whole):
        return st.integers(kind.low, min(kind.high, 2**31 - 1))
    if isinstance(kind, Choice):
        return st.sampled_from(kind.words)
    if isinstance(kind, Text):
        return st.from_regex(re.compile(kind.pattern, re.ASCII), fullmatch=True)
    return st.sampled_from(["239.255.1.1", "226.94.1.1"])


def options_of(section, names):
    fields = {name: values_of(section.fields[name].kind) for name in sorted(names)}
    fields.update(
        {"bindnetaddr": st.just("10.101.20.0")} if "bindnetaddr" in fields else {},
    )
    return st.fixed_dictionaries({}, optional=fields)


CRYPTO = st.one_of(
    st.just({}),
    st.just({"cipher": "none", "hash": "none"}),
    st.builds(
        lambda cipher, digest: {"cipher": cipher, "hash": digest},
        st.sampled_from(options.CIPHERS),
        st.sampled_from([name for name in options.HASHES if name != "none"]),
    ),
)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)


@st.composite
def pillars(draw):
    """Draw the sections of a pillar that the formula takes."""
    transport = draw(st.sampled_from(options.TRANSPORTS))
    count = draw(st.integers(2, 4))
    links = draw(st.integers(1, options.MAX_LINKS[transport]))
    names = draw(st.lists(NAMES, min_size=count, max_size=count, unique=True))
    ids = draw(st.lists(st.integers(1, 65535), min_size=count, max_size=count, unique=True))
    base = draw(st.sampled_from(["10.{}.0.{}/16", "2001:db8:{}::{}/48"]))
    nodes = {
        name: {"id": number, "addresses": [base.format(link, n) for link in range(links)]}
        for n, (name, number) in enumerate(zip(names, ids, strict=True), start=1)
    }
    quorum = draw(options_of(schema_corosync.QUORUM, schema_corosync.QUORUM.fields))
    if count != 2 and quorum.get("two_node"):
        del quorum["two_node"]
    if count == 2 and quorum.get("two_node", True):
        quorum.pop("auto_tie_breaker", None)
    link = options_of(schema_corosync.LINK, options.LINK_KEYS[transport])
    totem = set(schema_corosync.TOTEM.fields) - {"keyfile"}
    corosync = {
        "transport": transport,
        "crypto": draw(CRYPTO) if transport == options.KNET else {},
        "totem": draw(options_of(schema_corosync.TOTEM, totem)),
        "links": draw(st.lists(link, max_size=links)),
        "quorum": quorum,
        "logging": draw(options_of(schema_corosync.LOGGING, schema_corosync.LOGGING.fields)),
    }
    return {"cluster": {"name": draw(NAMES)}, "nodes": nodes, "corosync": corosync}


def networks_of(pillar):
    texts = [text for node in pillar["nodes"].values() for text in node["addresses"]]
    return sorted({str(ipaddress.ip_interface(text).network) for text in texts})


ANY_NAME = st.sampled_from(
    [
        "totem", "nodelist", "quorum", "logging", "interface", "node", "device", "logger_subsys",
        "system", "uidgid",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "version", "cluster_name", "transport", "crypto_cipher", "crypto_hash", "secauth",
        "rrp_mode", "token", "ip_version", "keyfile", "linknumber", "ringnumber", "bindnetaddr",
        "mcastport", "ttl", "knet_link_priority", "name", "nodeid", "ring0_addr", "ring1_addr",
        "ring3_addr", "quorum_votes", "provider", "two_node", "expected_votes", "wait_for_all",
        "to_stderr", "to_logfile", "logfile", "debug", "subsys", "x",
    ]
)  # fmt: skip
TEXTS = st.sampled_from(
    [
        "", "0", "1", "2", "01", "70000", "x", "fs1", "a]b", "a.b", "10.0.0.1", "10.0.0.2",
        "10.0.1.3", "127.0.0.1", "2001:DB8::1", "fe80::1%eth0", "10.0.0.0", "udp", "udpu", "knet",
        "none", "aes256", "sha1", "on", "off", "yes", "no", "/srv/key", "²", "ü" * 99,
    ]
)  # fmt: skip
OPTIONS = st.builds(parser.Option, KEYS, TEXTS)


def sections(name, inner):
    return st.builds(parser.Section, name, st.lists(inner, max_size=5).map(tuple))


def pieces(*known):
    """Draw what may stand in a section: options, sections that belong there, and others."""
    return st.one_of(OPTIONS, *known, sections(ANY_NAME, OPTIONS))


TOPS = st.one_of(
    OPTIONS,
    sections(ANY_NAME, pieces()),
    sections(st.just("totem"), pieces(sections(st.just("interface"), pieces()))),
    sections(st.just("nodelist"), pieces(sections(st.just("node"), pieces()))),
    sections(st.just("quorum"), pieces()),
    sections(st.just("logging"), pieces()),
)
JUNK = st.builds(
    lambda sound, junk: parser.Conf((*sound, *junk)),
    st.sampled_from([(), parser.parse(WHOLE).entries]),
    st.lists(TOPS, max_size=6),
)


class TestRandom:
    @settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(pillars())
    def test_what_the_formula_wrote_comes_back_without_a_note(self, pillar):
        conf = parser.parse(parser.render(built(pillar)))
        exported = fe.export(conf, networks_of(pillar))
        assert exported.notes == ()
        assert fcc.difference(conf, built(exported.pillar)) == ()
        accepted(exported.pillar)
        again = fe.export(built(exported.pillar), networks_of(pillar))
        assert again == exported

    @settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(JUNK)
    def test_nothing_is_dropped_in_silence(self, conf):
        exported = fe.export(conf, hosts={"x": "10.0.0.9"})
        conf = fcm.plain(conf)
        again = rebuilt(exported.pillar)
        flat = fc.flatten(again)
        mine, theirs = comparable.normal(conf), comparable.normal(again)
        same = {path for path in fc.flatten(conf) if mine.get(path) == theirs.get(path)}
        for path, text in fc.flatten(conf).items():
            if flat.get(path) != text and not path.startswith("nodelist.node"):
                assert mentioned(path, exported.notes) or path in same, path
        for section in (n for part in conf.sections("nodelist") for n in part.sections("node")):
            for key, text in section.options().items():
                assert said_of_node(key, text, exported), (key, text)


def rebuilt(pillar):
    """Build from a pillar; from one whose nodes are wrong, with others in their place."""
    cluster = pillar["cluster"] or {"name": "voice"}
    links = options.MAX_LINKS[pillar["corosync"].get("transport", "knet")]
    sound = {
        name: {"id": n, "addresses": [f"10.{link}.0.{n}" for link in range(links)]}
        for n, name in enumerate(pillar["nodes"] or ("a", "b"), start=1)
    }
    try:
        return built({**pillar, "cluster": cluster})
    except build.SettingsError:
        return built({**pillar, "cluster": cluster, "nodes": sound})


def mentioned(path, notes):
    """Tell whether a note is about a setting, or about what it stands in."""
    heads = [note.partition(": ")[0] for note in notes]
    # Two sections about one thing are one to corosync, or each has a note under the same path.
    return any(
        _within(one, head)
        for said in heads
        for head in (said, re.sub(r"#[0-9]+\]", "]", said))
        for one in (path, re.sub(r"#[0-9]+\]", "]", path))
    )


def said_of_node(key, text, exported):
    """Tell whether a node's setting is in the pillar or in a note."""
    nodes = exported.pillar["nodes"]
    if key == "name" and (text in nodes or not text):
        return True
    if key == "nodeid" and text.isdecimal() and any(
        node.get("id") == int(text) for node in nodes.values()
    ):  # fmt: skip
        return True
    if re.fullmatch("ring[0-7]_addr", key):
        addresses = [a.partition("/")[0] for node in nodes.values() for a in node["addresses"]]
        return text.lower() in addresses or any(text in note for note in exported.notes)
    return any(f".{key}: " in note or f"{key}: " in note for note in exported.notes)


def _within(path, head):
    return path == head or path.startswith((f"{head}.", f"{head}["))
