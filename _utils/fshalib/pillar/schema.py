"""The schema of fsha's pillar: every key with its type, default, example and meaning.

This schema is the one definition of the pillar. ``fshalib.pillar.config`` checks with it, and
``docs/make_pillar.py`` makes ``docs/pillar.md`` and ``fsha/parameters/defaults.yaml`` from it.

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
from fshalib.pillar.schema_store import RECOVERY_STORE
from fshalib.schema.types import REQUIRED, Choice, Field, ListOf, Named, Record, Text, Whole

CLUSTER = Record(
    {
        "name": Field(
            Text(
                "a name of letters, digits, dots, - and _",
                r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}",
            ),
            "name of the cluster in corosync.conf: the same on both nodes, and different from "
            "every other cluster on the network",
            "voice",
        ),
        "unmanaged": Field(
            Choice(("report", "purge", "ignore")),
            "what happens to other people's objects in the CIB: those that the pillar does not "
            "name and the cluster does not write itself",
            "report",
        ),
        "membership_timeout": Field(
            SECONDS, "seconds to wait until every link is connected and the pair has quorum", 120
        ),
        "require_all_nodes": Field(
            YES_NO,
            "whether a run fails while a node or a link is away. With `false` it goes on where the "
            "cluster has a quorum and a DC, and warns; the first run waits for all nodes anyway",
            False,
        ),
        "settle_timeout": Field(
            SECONDS, "seconds to wait after a change until the cluster is idle again", 120
        ),
        "restore_points": Field(
            Whole(1, 10000),
            "how many restore points each node keeps (the CIB before each of its commits)",
            20,
        ),
    }
)

_TIME = Text('a time of day in quotes ("02:00")', r"([01]?[0-9]|2[0-4]):[0-5][0-9]")
GUARD = Record(
    {
        "calls": Field(
            Ceiling(),
            "how many call legs a change may interrupt, or `any`; a bridged call has two legs",
            0,
        ),
        "unknown": Field(
            Choice(("refuse", "allow")),
            "what happens if calls can't be counted although FreeSWITCH should be up",
            "refuse",
        ),
        "window": Field(
            Record(
                {
                    "days": Field(
                        ListOf(Choice(DAYS), "a list of days (mon, tue …)", 1, distinct=True),
                        "days on which the window begins; default: every day",
                        example=["sat", "sun"],
                    ),
                    "from": Field(_TIME, "when it begins; default: midnight", example="02:00"),
                    "to": Field(
                        _TIME,
                        "when it ends, also on the next day; default: 24:00",
                        example="05:00",
                    ),
                    "timezone": Field(
                        Text("the name of a time zone", r"[A-Za-z0-9_+/-]{1,64}"),
                        "time zone of the window; default: the host's",
                        example="Europe/Berlin",
                    ),
                }
            ),
            "when a change may interrupt the running voice service; default: always",
        ),
        "override": Field(
            YES_NO,
            'allow any cost; better for one run, on the command line: pillar=\'{"fsha": '
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
            "corosync's nodeid, at most 65535 with knet; default: the node's position, counted "
            "from 1. Never change it on a running cluster",
            example=1,
        ),
        "addresses": Field(
            ListOf(HOST_ADDRESS, f"a list with {HOST_ADDRESS.expected} for each link", 1),
            "one address per link, with its prefix length, link 0 first; every node has the same "
            "number of addresses. On one link they may be in different networks, with a route "
            "between them, but with transport udp",
            REQUIRED,
            ["10.101.20.110/24", "10.101.21.110/24"],
        ),
        "aliases": Field(
            ListOf(HOST, "a list of host names", distinct=True),
            "more names of the node for /etc/hosts",
            [],
            ["freeswitch-dev.redfonelabs.com"],
        ),
        "interfaces": Field(
            Named(STANZA, INTERFACE),
            "static interfaces of the node; written only if network:interfaces is true",
            {},
            {"eth0": {"address": "10.101.20.110/24", "gateway": "10.101.20.1"}},
        ),
    }
)

NODES = Named(NODE, NODE_NAME, "a mapping of two or more nodes by name", low=2)

NETWORK = Record(
    {
        "hosts": Field(YES_NO, "whether to keep all nodes in /etc/hosts", True),
        "interfaces": Field(YES_NO, "whether to write the nodes' static interfaces", False),
        "nonlocal_bind": Field(
            YES_NO,
            "whether programs may bind to an address that the host does not have at the moment "
            "(net.ipv4.ip_nonlocal_bind and net.ipv6.ip_nonlocal_bind)",
            True,
        ),
    }
)


def _objects(kind: Kind) -> Field:
    """Return the pillar's key for one kind of object."""
    if kind.one:
        sets = kind.schema.fields[0]
        return Field(sets.field.kind, kind.doc, {}, sets.field.example)
    names = NODE_NAME if kind.name == "node" else ID
    return Field(Named(kind.schema.section, names, f"a mapping of {kind.word}s"), kind.doc, {})


PACEMAKER = Record({kind.key: _objects(kind) for kind in KINDS.values()})

LOOKUP = Record(
    {
        "packages": Field(
            ListOf(Text("a package's name", r"[a-z0-9A-Z][a-z0-9A-Z+.:_-]*"), "a list of packages"),
            "packages of the cluster",
            example=["corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents"],
        ),
        "store_packages": Field(
            ListOf(Text("a package's name", r"[a-z0-9A-Z][a-z0-9A-Z+.:_-]*"), "a list of packages"),
            "packages of the recovery store on the pair",
            example=["postgresql"],
        ),
        "settings_dir": Field(
            ABSOLUTE, "directory of the init scripts' settings", example="/etc/default"
        ),
    },
    # Until version 0.2: pillars copied from an older pillar.example may name it.
    retired=frozenset({"lxml_package"}),
)

PILLAR = Record(
    {
        "cluster": Field(CLUSTER, "the cluster as a whole", {}),
        "nodes": Field(NODES, "the nodes, by the name that `uname -n` prints", REQUIRED),
        "network": Field(NETWORK, "what the formula does to the host's network", {}),
        "corosync": Field(COROSYNC, "membership and messaging", {}),
        "pacemaker": Field(PACEMAKER, "what the cluster runs, and where", {}),
        "guard": Field(GUARD, "what a change of the cluster may interrupt", {}),
        "freeswitch": Field(FREESWITCH, "FreeSWITCH and its Event Socket", {}),
        "recovery_store": Field(
            RECOVERY_STORE, "where the rows are from which calls are recovered", {}
        ),
        "fonebridge": Field(
            FONEBRIDGE,
            "a RedFone foneBRIDGE that follows the service, for ocf:fsha:fonebridge: writes "
            "/etc/fsha/fonebridge.conf",
        ),
        "lookup": Field(
            LOOKUP, "what differs between platforms; parameters/platforms.yaml has the values", {}
        ),
    },
    "a mapping (cluster, nodes, network, corosync, pacemaker, guard, freeswitch, "
    "recovery_store, fonebridge)",
)
