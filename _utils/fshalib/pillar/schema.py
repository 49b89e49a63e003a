"""What the pillar of fsha may hold: every key with its kind, default, example and meaning.

This tree is the one definition of the pillar. It checks (``fshalib.pillar.config``), it holds the
defaults that ``fsha/parameters/defaults.yaml`` repeats, and ``docs/pillar.md`` is made from it.

Names and meanings of corosync's options are those of corosync.conf(5) and votequorum(5).
"""

from fshalib.cib.field_types import HOST, ID, NODE_NAME
from fshalib.cib.kinds import KINDS, Kind
from fshalib.corosync.options import MAX_NODEID
from fshalib.pillar.field_types import (
    ABSOLUTE,
    ADDRESS,
    HOST_ADDRESS,
    INTERFACE,
    SECONDS,
    YES_NO,
    Ceiling,
)
from fshalib.pillar.guard_policy import DAYS
from fshalib.pillar.schema_corosync import COROSYNC
from fshalib.pillar.schema_freeswitch import FONEBRIDGE, FREESWITCH
from fshalib.schema.types import REQUIRED, Choice, Field, ListOf, Named, Record, Text, Whole

CLUSTER = Record(
    {
        "name": Field(
            Text(
                "a name of letters, digits, dots, - and _",
                r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            ),
            "name of the cluster in corosync.conf; the same on both nodes, different from that "
            "of every other cluster on the network",
            "voice",
        ),
        "unmanaged": Field(
            Choice(("report", "purge", "ignore")),
            "what happens to objects in the CIB that neither the pillar names nor the cluster "
            "keeps for itself",
            "report",
        ),
        "membership_timeout": Field(
            SECONDS, "seconds to wait until every link is connected and the pair is quorate", 120
        ),
        "settle_timeout": Field(
            SECONDS, "seconds to wait after a change until the cluster is at rest again", 120
        ),
        "restore_points": Field(
            Whole(1, 10000),
            "restore points that each node keeps: the CIB as it was before each of its commits",
            20,
        ),
    }
)

_TIME = Text('a time of day in quotes ("02:00")', r"([01]?[0-9]|2[0-4]):[0-5][0-9]")
GUARD = Record(
    {
        "calls": Field(
            Ceiling(),
            "so many call legs may be interrupted by a change, or `any` number; a bridged call has "
            "two legs",
            0,
        ),
        "unknown": Field(
            Choice(("refuse", "allow")),
            "what happens when calls can't be counted although FreeSWITCH should be up",
            "refuse",
        ),
        "window": Field(
            Record(
                {
                    "days": Field(
                        ListOf(Choice(DAYS), "a list of days (mon, tue …)", 1, distinct=True),
                        "days on which it begins; without it every day",
                        example=["sat", "sun"],
                    ),
                    "from": Field(_TIME, "when it begins; without it at midnight", example="02:00"),
                    "to": Field(
                        _TIME,
                        "when it ends, maybe the next day; without it at 24:00",
                        example="05:00",
                    ),
                    "timezone": Field(
                        Text("the name of a time zone", r"[A-Za-z0-9_+/-]{1,64}"),
                        "whose clock; without it the host's",
                        example="Europe/Berlin",
                    ),
                }
            ),
            "when a change may interrupt the running voice service at all; without it always",
        ),
        "override": Field(
            YES_NO,
            'allow whatever it costs; for one run, by the command line: pillar=\'{"fsha": '
            '{"guard": {"override": true}}}\'',
            False,
        ),
    }
)

STANZA = Record(
    {
        "address": Field(
            HOST_ADDRESS,
            "static address of the interface, with its prefix length",
            REQUIRED,
            "10.101.20.110/24",
        ),
        "gateway": Field(
            ADDRESS, "default gateway; must lie in the interface's network", example="10.101.20.1"
        ),
    }
)

NODE = Record(
    {
        "id": Field(
            Whole(1, MAX_NODEID),
            "corosync's nodeid; without it the node's position, counted from 1. Never change it "
            "on a running cluster",
            example=1,
        ),
        "addresses": Field(
            ListOf(HOST_ADDRESS, f"a list with {HOST_ADDRESS.expected} for each link", 1),
            "one address per link, with its prefix length, link 0 first; every node has the same "
            "number of them, in the same networks",
            REQUIRED,
            ["10.101.20.110/24", "10.101.21.110/24"],
        ),
        "aliases": Field(
            ListOf(HOST, "a list of host names", distinct=True),
            "further names of the node for /etc/hosts",
            [],
            ["freeswitch-dev.redfonelabs.com"],
        ),
        "interfaces": Field(
            Named(STANZA, INTERFACE),
            "static interfaces of the node, written only with network:interfaces",
            {},
            {"eth0": {"address": "10.101.20.110/24", "gateway": "10.101.20.1"}},
        ),
    }
)

NODES = Named(NODE, NODE_NAME, "a mapping of two or more nodes by name", low=2)

NETWORK = Record(
    {
        "hosts": Field(YES_NO, "keep entries for all nodes in /etc/hosts", True),
        "interfaces": Field(YES_NO, "write the nodes' static interfaces", False),
        "nonlocal_bind": Field(
            YES_NO,
            "let programs bind to an address that the host does not hold at the moment "
            "(net.ipv4.ip_nonlocal_bind and its IPv6 twin)",
            True,
        ),
    }
)


def _objects(kind: Kind) -> Field:
    """Return what the pillar may hold for one kind of object."""
    if kind.one:
        part = kind.shape.parts[0]
        return Field(part.field.kind, kind.doc, {}, part.field.example)
    names = NODE_NAME if kind.name == "node" else ID
    return Field(Named(kind.shape.section, names, f"a mapping of {kind.word}s"), kind.doc, {})


PACEMAKER = Record({kind.key: _objects(kind) for kind in KINDS.values()})

LOOKUP = Record(
    {
        "packages": Field(
            ListOf(Text("a package's name", r"[a-z0-9A-Z][a-z0-9A-Z+.:_-]*"), "a list of packages"),
            "packages of the cluster",
            example=["corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents"],
        ),
        "settings_dir": Field(
            ABSOLUTE, "where settings of init scripts lie", example="/etc/default"
        ),
    },
    # Until version 0.2: pillars copied from an older pillar.example may name it.
    retired=frozenset({"lxml_package"}),
)

PILLAR = Record(
    {
        "cluster": Field(CLUSTER, "the cluster as a whole", {}),
        "nodes": Field(NODES, "the nodes by name, which is what `uname -n` prints", REQUIRED),
        "network": Field(NETWORK, "what the formula does to the host's network", {}),
        "corosync": Field(COROSYNC, "membership and messaging", {}),
        "pacemaker": Field(PACEMAKER, "what the cluster runs, and where", {}),
        "guard": Field(GUARD, "what a change of the cluster may interrupt", {}),
        "freeswitch": Field(FREESWITCH, "FreeSWITCH and its Event Socket", {}),
        "fonebridge": Field(
            FONEBRIDGE,
            "a RedFone foneBRIDGE that follows the service, for ocf:fsha:fonebridge: writes "
            "/etc/fsha/fonebridge.conf",
        ),
        "lookup": Field(
            LOOKUP, "what differs between platforms; parameters/os_family has a value for each", {}
        ),
    },
    "a mapping (cluster, nodes, network, corosync, pacemaker, guard, freeswitch, fonebridge)",
)
