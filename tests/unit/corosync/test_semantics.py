"""What a corosync.conf means, whoever wrote it: equal where corosync behaves alike, else not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fshalib.corosync import build, comparable, options, parser
from fshalib.corosync import conf as fc
from fshalib.corosync import diff as fcc
from fshalib.corosync import semantics as fcm
from fshalib.pillar import config, schema_corosync
from fshalib.pillar import export_corosync as fe
from tests.unit.pillar.test_export_corosync import JUNK, MANY, PACEMAKER, built, values_of

KNET = """\
totem {
    version: 2
    cluster_name: voice
    transport: knet
    crypto_cipher: aes256
    crypto_hash: sha256
    token: 3000
}
nodelist {
    node {
        ring0_addr: 10.101.20.110
        ring1_addr: 10.101.21.110
        name: fs1
        nodeid: 1
    }
    node {
        ring0_addr: 10.101.20.220
        ring1_addr: 10.101.21.220
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
HOSTS = {"fs1": ["10.101.20.110"], "fs2": ["10.101.20.220"]}


def same(one, other, known=fcm.NOTHING_KNOWN):
    old, new = parser.parse(one), parser.parse(other)
    changes = fcc.difference(old, new, known)
    assert fcc.difference(new, old, known) == () or changes
    return changes == ()


def interface(*lines):
    """Return a change of KNET that adds a section about a link."""
    return "token: 3000\n    interface {\n" + "".join(f"    {line}\n" for line in lines) + "    }"


def with_lines(section, *lines):
    return KNET.replace(f"{section} {{\n", f"{section} {{\n" + "".join(f"{x}\n" for x in lines), 1)


@pytest.mark.parametrize(
    "path",
    [path for path in fcm.DEFAULTS if path.partition(".")[0] in ("totem", "quorum", "logging")],
)
def test_a_default_that_is_said_says_nothing(path):
    section, _, key = path.rpartition(".")
    if section == "totem.interface":
        line = f"interface {{\nlinknumber: 1\n{key}: {fcm.DEFAULTS[path]}\n}}"
        assert same(with_lines("totem", line), KNET)
    elif not parser.parse(KNET).sections(section)[0].options().get(key):
        assert same(with_lines(section, f"{key}: {fcm.DEFAULTS[path]}"), KNET)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("token: 3000", "token: 03000"),
        ("    token: 3000\n", ""),
        ("token: 3000", "token: 3000\n    secauth: on"),
        ("crypto_cipher: aes256\n    crypto_hash: sha256", "secauth: on"),
        ("two_node: 1", "two_node: 1\n    wait_for_all: 1"),
        ("two_node: 1", "two_node: 1\n    expected_votes: 2"),
        ("to_syslog: yes", "to_syslog: on"),
        ("to_syslog: yes", "to_syslog: yes\n    syslog_priority: INFO"),
        ("token: 3000", "token: 3000\n    ip_version: ipv4"),
        ("token: 3000", interface("ringnumber: 1")),
        ("token: 3000", interface("bindnetaddr: 10.101.20.0")),
        ("token: 3000", interface("linknumber: 1", "mcastport: 5406")),
        ("token: 3000", "token: 3000\n    rrp_mode: passive"),
        ("10.101.20.110", "fs1"),
        ("        name: fs1\n", ""),
    ],
)  # fmt: skip
def test_other_words_for_the_same(before, after):
    known = fcm.ClusterFacts({1: "fs1", 2: "fs2"}, HOSTS)
    assert before in KNET
    assert same(KNET.replace(before, after), KNET, known)


@pytest.mark.parametrize(
    ("before", "after", "path", "cost"),
    [
        ("token: 3000", "token: 3001", "totem.token", "reload"),
        ("aes256", "aes128", "totem.crypto_cipher", "restart"),
        ("crypto_cipher: aes256\n    crypto_hash: sha256", "secauth: off", "totem.crypto_hash",
         "restart"),
        ("two_node: 1", "two_node: 0", "quorum.two_node", "reload"),
        ("two_node: 1", "two_node: 1\n    wait_for_all: 0", "quorum.wait_for_all", "restart"),
        ("two_node: 1", "two_node: 1\n    expected_votes: 3", "quorum.expected_votes", "reload"),
        ("10.101.20.110", "10.101.20.111", "nodelist.node[fs1].ring0_addr", "restart"),
        ("10.101.20.110", "fs3", "nodelist.node[fs1].ring0_addr", "restart"),
        ("token: 3000", interface("linknumber: 1", "mcastport: 5405"),
         "totem.interface[1].mcastport", "restart"),
        ("token: 3000", interface("ringnumber: 1", "knet_link_priority: 2"),
         "totem.interface[0].knet_link_priority", "reload"),
        ("timestamp: on", "timestamp: off", "logging.timestamp", "reload"),
        ("timestamp: on", "logging_daemon {\nname: corosync\ntimestamp: off\n}",
         "logging.timestamp", "reload"),
        ("quorum {", "nodelist {\nnode {\nnodeid: 9\n}\n}\nquorum {",
         "nodelist.node[fs1].nodeid", "restart"),
        ("token: 3000", "token: 3000\n    cluster_uuid: 1", "totem.cluster_uuid", "reload"),
        ("token: 3000", "token: 3000\n    knet_compression_model: none",
         "totem.knet_compression_model", "reload"),
        ("token: 3000", "token: 3000\n    brand_new: 1", "totem.brand_new", "restart"),
    ],
)  # fmt: skip
def test_what_corosync_would_do_otherwise_is_a_difference(before, after, path, cost):
    assert before in KNET
    old, new = parser.parse(KNET), parser.parse(KNET.replace(before, after))
    for changes in (fcc.difference(old, new), fcc.difference(new, old)):
        assert path in [change.path for change in changes]
        assert fcc.change_class(changes) == cost


# --- what others build is taken over as it is ---------------------------------------------------

PCS = KNET.replace("    token: 3000\n", "    ip_version: ipv4-6\n    cluster_uuid: 5a1b\n").replace(
    "10.101.20.110", "fs1").replace("10.101.20.220", "fs2")  # fmt: skip
CRMSH = """\
# Please read the corosync.conf.5 manual page
totem {
    version: 2
    cluster_name: hacluster
    clear_node_high_bit: yes
    interface {
        linknumber: 0
        knet_link_priority: 1
    }
    transport: knet
    crypto_hash: sha1
    crypto_cipher: aes256
    token: 5000
    join: 60
    max_messages: 20
    token_retransmits_before_loss_const: 10
}
logging {
    fileline: off
    to_stderr: no
    to_logfile: yes
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
    expected_votes: 2
    two_node: 1
}
"""
PACKAGED = """\
# Please read the corosync.conf.5 manual page
system {
    allow_knet_handle_fallback: yes
}
totem {
    version: 2
    cluster_name: debian
    crypto_cipher: none
    crypto_hash: none
}
logging {
    fileline: off
    to_stderr: yes
    to_logfile: yes
    logfile: /var/log/corosync/corosync.log
    to_syslog: yes
    debug: off
    logger_subsys {
        subsys: QUORUM
        debug: off
    }
}
quorum {
    provider: corosync_votequorum
}
nodelist {
    node {
        nodeid: 1
        ring0_addr: 10.101.20.110
    }
    node {
        nodeid: 2
        ring0_addr: 10.101.20.220
    }
}
"""
BY_HAND = """\
totem {
  version: 2
  secauth: off
  cluster_name: voice
  transport: udpu
  interface {
    ringnumber: 0
    bindnetaddr: 10.101.20.0
    mcastport: 5405
  }
}
nodelist {
  node {
    ring0_addr: fs1
    nodeid: 1
  }
  node {
    ring0_addr: fs2
    nodeid: 2
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
  wait_for_all: 0
}
logging {
  to_syslog: yes
}
"""


@pytest.mark.parametrize("text", [KNET, PCS, CRMSH, PACKAGED, BY_HAND],
                         ids=["own", "pcs", "crmsh", "packaged", "by hand"])  # fmt: skip
def test_a_foreign_file_is_adopted_without_a_change(text):
    conf = parser.parse(text)
    known = fcm.ClusterFacts({1: "fs1", 2: "fs2"}, HOSTS)
    exported = fe.export(conf, ["10.101.20.0/24", "10.101.21.0/24"], known.names, known.hosts)
    assert not [note for note in exported.notes if "restart" in note or "reload" in note]
    config.check({**exported.pillar, "pacemaker": PACEMAKER})
    kept = fcc.kept(conf, built(exported.pillar))
    assert fcc.difference(conf, kept.conf, known) == ()
    # What it would be written as, if something else changed, means the same as well.
    assert fcc.difference(parser.parse(parser.render(kept.conf)), conf, known) == ()


def test_what_the_formula_cannot_say_is_kept_when_it_writes():
    device = "device {\n    model: net\n    net {\n    host: q1\n    }\n    }"
    text = PCS.replace("two_node: 1", device) + "system {\n    sched_rr: no\n}\n"
    old = parser.parse(text)
    nodes = build.nodes_from(
        {
            "fs1": {"addresses": ["10.101.20.110/24", "10.101.21.110/24"]},
            "fs2": {"addresses": ["10.101.20.220/24", "10.101.21.220/24"]},
        }
    )
    # The two_node of a pair, which the formula adds by itself, is not written beside the device.
    wanted = build.from_settings("voice", nodes, totem={"token": 1500})
    assert fc.flatten(wanted)["quorum.two_node"] == "1"
    kept = fcc.kept(old, wanted)
    assert set(kept.paths) == {"totem.cluster_uuid", "quorum.device", "system"}
    written = fc.flatten(parser.parse(parser.render(kept.conf)))
    assert written["totem.cluster_uuid"] == "5a1b"
    assert written["quorum.device.net.host"] == "q1"
    assert "quorum.two_node" not in written
    assert written["system.sched_rr"] == "no"
    assert written["totem.token"] == "1500"


def test_what_corosync_refuses_is_kept_as_it_is_meant():
    odd = "\ufefflogging {\n    debug: off # quiet\n}\nlogging {\n    logger_subsys {\n"
    old = parser.parse(f"{PCS}{odd}        subsys: CPG\n        debug: on # loud\n    }}\n}}\n")
    nodes = build.nodes_from({"a": {"addresses": ["10.0.0.1"]}, "b": {"addresses": ["10.0.0.2"]}})
    written = fc.flatten(fcc.kept(old, build.from_settings("voice", nodes)).conf)
    assert "\ufefflogging.debug" not in written
    assert written["logging.logger_subsys[CPG].debug"] == "on"


# --- random respelling --------------------------------------------------------------------------


@st.composite
def respelled(draw):
    """Draw the same configuration in other words, each of them drawn or not."""
    text = KNET
    for before, after in (
        ("token: 3000", "token: 0003000"),
        ("to_syslog: yes", "to_syslog: on"),
        ("two_node: 1", "two_node: 01"),
        ("    timestamp: on\n", "    timestamp: on\n    debug: off\n    fileline: off\n"),
        ("transport: knet", "link_mode: passive"),
        ("    version: 2\n", "\tversion:2   \n# a comment\n\n"),
        ("quorum {", "quorum {\n    last_man_standing: 0"),
    ):
        if draw(st.booleans()):
            text = text.replace(before, after)
    conf = parser.parse(text)
    order = draw(st.permutations(conf.entries))
    return parser.Conf(
        tuple(parser.Section(e.name, tuple(draw(st.permutations(e.entries)))) for e in order)
    )


@settings(max_examples=200, deadline=None)
@given(respelled())
def test_any_spelling_and_order_means_the_same(conf):
    assert comparable.normal(conf) == comparable.normal(parser.parse(KNET))
    assert fcc.difference(conf, parser.parse(KNET)) == ()


@settings(max_examples=MANY, deadline=None)
@given(JUNK)
def test_what_was_put_together_stays_so(conf):
    once = fcm.plain(conf)
    assert fcm.plain(once) == once
    assert comparable.normal(once) == comparable.normal(conf)
    assert fcc.difference(conf, once) == ()


# --- random changes -----------------------------------------------------------------------------

# Each default of these hangs on other settings; they are above.
ELSEWHERE = {"ip_version", "wait_for_all", "expected_votes", "mcastport", "bindnetaddr"}
KINDS = {
    **{
        ("totem", key): schema_corosync.TOTEM.fields[key].kind
        for key in schema_corosync.TOTEM.fields
    },
    **{
        ("quorum", key): schema_corosync.QUORUM.fields[key].kind
        for key in schema_corosync.QUORUM.fields
    },
    **{
        ("logging", key): schema_corosync.LOGGING.fields[key].kind
        for key in schema_corosync.LOGGING.fields
    },
    **{
        ("links", key): schema_corosync.LINK.fields[key].kind
        for key in options.LINK_KEYS[options.KNET]
    },
}
PLACES = st.sampled_from([place for place in KINDS if place[1] not in ELSEWHERE])


def said(place, value):
    """Return a setting's path, the path of its default, and the text that the formula writes."""
    section, key = place
    where = {"links": "totem.interface"}.get(section, section)
    nodes = build.nodes_from({name: {"addresses": [f"{a}/24"]} for name, (a,) in HOSTS.items()})
    wanted = {section: [{key: value}] if section == "links" else {key: value}}
    path = f"totem.interface[0].{key}" if section == "links" else f"{section}.{key}"
    return path, f"{where}.{key}", fc.flatten(build.from_settings("voice", nodes, **wanted))[path]


def with_setting(path, text):
    """Return KNET with one setting more, over what it says of it."""
    head, _, key = path.rpartition(".")
    option = parser.Option(key, text)
    added = parser.Section("interface", (option,)) if "[" in head else option
    return parser.Conf(
        (*parser.parse(KNET).entries, parser.Section(head.partition(".")[0], (added,)))
    )


@settings(max_examples=MANY, deadline=None)
@given(PLACES, st.data())
def test_every_other_value_is_a_difference_and_only_the_default_is_none(place, data):
    # For many numbers, 0 asks for the default.
    values = values_of(KINDS[place]).filter(lambda value: value is False or value != 0)
    one, other = data.draw(values), data.draw(values)
    path, kind, text = said(place, one)
    changes = fcc.difference(with_setting(path, text), with_setting(path, said(place, other)[2]))
    assert (path in [change.path for change in changes]) is (one != other)
    assert (fcc.change_class(changes) != fcc.NONE) is (one != other)
    bare = fcc.difference(parser.parse(KNET), with_setting(path, text))
    unsaid = fc.flatten(parser.parse(KNET)).get(path, fcm.DEFAULTS.get(kind))
    assert (path in [change.path for change in bare]) is (text != unsaid)


def test_ports_count_by_two_with_broadcast():
    ports = parser.parse(with_lines("totem", "interface {\nlinknumber: 1\nmcastport: 5406\n}"))
    link = "interface {\nlinknumber: 0\nbroadcast: yes\n}"
    text = with_lines("totem", link)
    assert "totem.interface[1].mcastport" not in comparable.normal(ports)
    both = parser.Conf((*parser.parse(text).entries, *ports.sections("totem")))
    assert comparable.normal(both)["totem.interface[1].mcastport"] == "5406"
