"""What a person means in corosync.conf and corosync does not; corosync itself is the judge."""

import os
import shutil
import subprocess

import pytest

from fshalib.corosync import conf as fc
from fshalib.corosync import oddities, parser

CONF = """
totem {
    version: 2
    cluster_name: voice
    transport: udpu
    token: 3000
}
nodelist {
    node {
        ring0_addr: 127.0.0.1
        name: fs1
        nodeid: 1
    }
    node {
        ring0_addr: 192.0.2.77
        name: fs2
        nodeid: 2
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
}
logging {
    to_stderr: yes
    to_syslog: no
}
"""
TOKEN = "token: 3000"
NBSP, BOM = "\u00a0", "\ufeff"

# What is changed, the path, words of the sentence, what is meant, whether corosync refuses it.
ODD = [
    ("192.0.2.77", "192.0.2.77 # second", "nodelist.node[fs2].ring0_addr", "no comments behind a",
     "192.0.2.77", True),
    (TOKEN, "token: 3000 // ms", "totem.token", "no comments behind a", "3000", True),
    (TOKEN, "token: 3000;", "totem.token", "no comments behind a", "3000", True),
    (TOKEN, 'token: "3000"', "totem.token", "quotes", "3000", True),
    (TOKEN, f"token:{NBSP}3000", "totem.token", "no-break space (U+00A0)", "3000", True),
    ("transport: udpu", "transport: udpu # unicast", "totem.transport", "comments", "udpu", True),
    ("two_node: 1", "two_node: 1 # pair", "quorum.two_node", "comments", "1", True),
    ("to_syslog: no", "to_syslog: no # x", "logging.to_syslog", "comments", "no", True),
    ("name: fs2", "name: fs2 # second", "nodelist.node[fs2 # second].name", "comments", "fs2",
     False),
    ("name: voice", "name: voice # x", "totem.cluster_name", "comments", "voice", False),
    ("votequorum", "votequorum # x", "quorum.provider", "comments", "corosync_votequorum", False),
    (TOKEN, "clear_node_high_bit: yes # x", "totem.clear_node_high_bit", "comments", "yes", False),
    (TOKEN, "tokn: 3000", "totem.tokn", 'is "token" meant?', None, False),
    (TOKEN, "Token: 3000", "totem.Token", 'is "token" meant?', None, False),
    ("two_node", "two_nodes", "quorum.two_nodes", 'is "two_node" meant?', None, False),
    ("name: fs2", "nmae: fs2", "nodelist.node[2].nmae", 'is "name" meant?', None, False),
    ("to_syslog", "to_sylog", "logging.to_sylog", 'is "to_syslog" meant?', None, False),
    (TOKEN, "wholly: other", "totem.wholly", "does not know this key", None, False),
    (TOKEN, f"{NBSP}token: 3000", f"totem.{NBSP}token", "no-break space (U+00A0)", "token", True),
    ("logging {", f"{BOM}logging {{", f"{BOM}logging", "(U+FEFF)", "logging", True),
    (TOKEN, "interfaces {\nlinknumber: 0\n}", "totem.interfaces", 'is "interface" meant?', None,
     False),
    ("quorum {", "node {\nring0_addr: 192.0.2.3\n}\nquorum {", "node", "belongs into nodelist",
     None, False),
    ("quorum {", "interface {\nringnumber: 0\n}\nquorum {", "interface", "belongs into totem",
     None, False),
    ("quorum {", "service {\nname: pacemaker\n}\nquorum {", "service", "nothing in it counts",
     None, False),
    ("quorum {", "stray: 1\nquorum {", "stray", "outside of all sections", None, False),
]  # fmt: skip
COLUMNS = ("before", "after", "path", "words", "meant", "refused")


def odd(before, after):
    text = CONF.replace(before, after, 1)
    assert text != CONF
    return text


@pytest.mark.parametrize(COLUMNS, ODD)
def test_one_sentence_says_what_it_is(before, after, path, words, meant, refused):
    (oddity,) = oddities.find(parser.parse(odd(before, after)))
    assert (oddity.path, oddity.meant, oddity.refused) == (path, meant, refused)
    assert words in oddity.text
    assert oddity.text.isprintable()


@pytest.mark.skipif(shutil.which("corosync", path=f"{os.environ['PATH']}:/usr/sbin") is None,
                    reason="corosync is not installed")  # fmt: skip
@pytest.mark.parametrize(COLUMNS, [(CONF[:9], CONF[:9], "", "", "", False), *ODD])
def test_corosync_judges_the_same(before, after, path, words, meant, refused, tmp_path):
    file = tmp_path / "corosync.conf"
    file.write_text(CONF.replace(before, after, 1), encoding="utf-8")
    env = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    done = subprocess.run(["corosync", "-t", "-c", str(file)], capture_output=True, env=env)
    assert (done.returncode != 0) == refused, done.stderr


@pytest.mark.parametrize(COLUMNS, [row for row in ODD if row[4]])
def test_what_is_meant_is_a_sound_file(before, after, path, words, meant, refused):
    conf = parser.parse(odd(before, after))
    assert oddities.find(oddities.meant(conf)) == ()
    # What corosync takes as it is stands for itself where only what it refuses is mended.
    left = oddities.find(oddities.meant(conf, only_refused=True))
    assert bool(left) != refused


def test_what_corosync_knows_is_not_odd():
    assert oddities.find(parser.parse(CONF)) == ()
    assert oddities.meant(parser.parse(CONF)) == parser.parse(CONF)
    plain = """
    totem {
        interface {
            linknumber: 0
            knet_link_priority: 2
            member {
                memberaddr: 192.0.2.1
            }
        }
    }
    logging {
        logger_subsys {
            subsys: QUORUM
            debug: off
        }
    }
    quorum {
        device {
            model: net
            votes: 1
            net {
                host: 192.0.2.9 # the third room
                algorithm: ffsplit
            }
            heuristics {
                mode: on
                exec_ping: /usr/bin/ping -c 1 192.0.2.1
            }
        }
    }
    uidgid {
        uid: hacluster
    }
    system {
        sched_rr: no
    }
    """
    (oddity,) = oddities.find(parser.parse(plain))
    assert (oddity.path, oddity.refused) == ("quorum.device.net.host", False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("totem { # a comment\n}\n", "no comments behind a brace"),
        ("totem {\n} # end\n", "no comments behind a brace"),
        ("totem {\ntoken = 3000\n}\n", 'as "token: 3000"'),
        (f"totem {{\n{NBSP}\n}}\n", "no-break space (U+00A0)"),
        (f"{BOM}# a comment\n", "(U+FEFF)"),
    ],
)
def test_what_is_no_line_of_it_is_said_as_what_it_is(text, words):
    with pytest.raises(parser.ParseError) as caught:
        parser.parse(text)
    assert words in str(caught.value)


def test_a_key_is_never_shown():
    conf = parser.parse("totem {\nkey: c2VjcmV0 # mine\n}\n")
    assert oddities.find(conf) == ()
    assert fc.flatten(oddities.meant(conf)) == fc.flatten(conf)
