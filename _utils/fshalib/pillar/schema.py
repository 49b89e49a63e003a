"""What the pillar of fsha may hold: every key with its kind, default, example and meaning.

This tree is the one definition of the pillar. It checks (``fshalib.pillar.config``), it holds the
defaults that ``fsha/parameters/defaults.yaml`` repeats, and ``docs/pillar.md`` is made from it.

Names and meanings of corosync's options are those of corosync.conf(5) and votequorum(5).
"""

from fshalib.cib.field_types import HOST, ID, NODE_NAME
from fshalib.cib.kinds import KINDS, Kind
from fshalib.corosync.conf import CIPHERS, HASHES, MAX_NODEID, TRANSPORTS
from fshalib.pillar.field_types import (
    ABSOLUTE,
    HIDDEN_PATH,
    HOST_OR_ADDRESS,
    INTERFACE,
    MILLISECONDS,
    PASSWORD,
    PORT,
    PROFILE,
    Address,
    Ceiling,
    SecretKey,
)
from fshalib.pillar.guard_policy import DAYS
from fshalib.schema.types import REQUIRED, Choice, Field, Flag, ListOf, Named, Section, Text, Whole

YES_NO = Flag()
SECONDS = Whole(1, 86400, "seconds")
ADDRESS = Address(prefix=False, example="10.101.20.219")
HOST_ADDRESS = Address(prefix=True, example="10.101.20.110/24")

CLUSTER = Section(
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
GUARD = Section(
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
            Section(
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

STANZA = Section(
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

NODE = Section(
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

NETWORK = Section(
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

_TOTEM_MILLISECONDS = {
    "token": "time without the token after which a node counts as lost (corosync: 3000)",
    "consensus": "time to agree on a new membership (1.2 x token)",
    "token_retransmit": "when to send the token again (by token)",
    "hold": "how long to hold the token when idle (by token)",
    "join": "wait for join messages (50)",
    "send_join": "random wait before a join message (0)",
    "merge": "wait before looking for a partition (200)",
    "downcheck": "wait before looking at a downed interface again (1000)",
    "token_coefficient": "added to token for every node beyond two (650)",
    "max_network_delay": "estimated delay of the network (50)",
}
_TOTEM_NUMBERS = {
    "token_warning": "percentage of token after which a late token is logged (75)",
    "token_retransmits_before_loss_const": "resends before the token counts as lost (4)",
    "fail_recv_const": "rotations without an expected message (2500)",
    "seqno_unchanged_const": "rotations without traffic before hold (30)",
    "heartbeat_failures_allowed": "heartbeats that may fail; 0 is off (0)",
    "window_size": "messages per rotation (50)",
    "max_messages": "messages per node and token (17)",
    "miss_count_const": "token receipts before a resend is asked for (5)",
    "netmtu": "longest packet (65536 with knet, else 1500)",
    "knet_mtu": "longest packet of knet; 0 finds it out (0)",
    "knet_pmtud_interval": "seconds between two searches for the MTU (30)",
    "knet_compression_threshold": "bytes below which nothing is compressed (100)",
    "knet_compression_level": "level of the compression",
    "config_version": "version of the configuration (0)",
    "threads": "threads for sending; without effect with knet (0)",
}
_WORD = Text("a word of letters, digits, dots, - and _", r"[A-Za-z0-9._-]{1,64}")

TOTEM = Section(
    {
        **{name: Field(MILLISECONDS, doc) for name, doc in _TOTEM_MILLISECONDS.items()},
        **{name: Field(Whole(), doc) for name, doc in _TOTEM_NUMBERS.items()},
        "link_mode": Field(
            Choice(("passive", "active", "rr")), "how knet uses several links (passive)"
        ),
        "ip_version": Field(
            Choice(("ipv4", "ipv6", "ipv4-6", "ipv6-4")), "which addresses of a host name to use"
        ),
        "crypto_model": Field(Choice(("nss", "openssl", "gcrypt")), "library for crypto (nss)"),
        "knet_compression_model": Field(_WORD, "compression (none)", example="lz4"),
        "keyfile": Field(HIDDEN_PATH, "where the authkey lies (/etc/corosync/authkey)"),
        "block_unlisted_ips": Field(YES_NO, "drop packets of hosts that are no node (yes)"),
        "cancel_token_hold_on_retransmit": Field(YES_NO, "never hold with resends pending (no)"),
        "clear_node_high_bit": Field(YES_NO, "for node ids made of addresses (no)"),
    },
    elsewhere={
        "version": "the formula writes this itself; leave it out.",
        "cluster_name": "the formula writes this itself; give fsha:cluster:name.",
        "transport": "the formula writes this itself; give fsha:corosync:transport.",
        "crypto_cipher": "the formula writes this itself; give fsha:corosync:crypto:cipher.",
        "crypto_hash": "the formula writes this itself; give fsha:corosync:crypto:hash.",
        "secauth": "the formula writes this itself; give fsha:corosync:crypto.",
        "key": "a key does not belong in corosync.conf; give fsha:corosync:authkey.",
        "interface": "the formula writes this itself; give fsha:corosync:links.",
        "nodeid": "the formula writes this itself; give fsha:nodes:NODE:id.",
    },
)

LINK = Section(
    {
        "knet_link_priority": Field(
            Whole(0, 255), "priority in passive mode; the highest carries (1)", example=2
        ),
        "knet_ping_interval": Field(MILLISECONDS, "pause between two pings (token / 4)"),
        "knet_ping_timeout": Field(MILLISECONDS, "silence after which it is down (token / 2)"),
        "knet_ping_precision": Field(Whole(), "pings that make the average latency (2048)"),
        "knet_pong_count": Field(Whole(), "answers after which the link is up (2)"),
        "knet_transport": Field(Choice(("udp", "sctp")), "protocol below knet (udp)"),
        "mcastport": Field(PORT, "UDP port (5405, one more for each further link)", example=5405),
        "mcastaddr": Field(
            Address(False, "239.255.1.1", multicast=True),
            "transport udp: multicast address",
            example="239.255.1.1",
        ),
        "bindnetaddr": Field(Address(False, "10.101.20.0"),
                             "transport udp: network to bind to"),
        "broadcast": Field(YES_NO, "transport udp: broadcast in place of multicast (no)"),
        "ttl": Field(Whole(0, 255), "transport udp: hops that a packet may take (1)"),
    },
    aliases={"link_priority": "knet_link_priority"},
)  # fmt: skip

QUORUM = Section(
    {
        "wait_for_all": Field(
            YES_NO,
            "be quorate for the first time only when all nodes were seen; with two nodes yes "
            "unless it is given here",
            example=True,
        ),
        "expected_votes": Field(Whole(1), "votes of the whole cluster (by nodes)"),
        "two_node": Field(YES_NO, "quorum rules for a pair; derived from the number of nodes"),
        "last_man_standing": Field(YES_NO, "lower the expected votes as nodes leave (no)"),
        "last_man_standing_window": Field(MILLISECONDS, "wait before that (10000)"),
        "auto_tie_breaker": Field(YES_NO, "let one half of an even split go on (no)"),
        "auto_tie_breaker_node": Field(
            Text("lowest, highest or node ids", r"lowest|highest|[0-9]+( [0-9]+)*"), "which half"
        ),
        "allow_downscale": Field(YES_NO, "lower the expected votes on a clean leave (no)"),
        "expected_votes_tracking": Field(YES_NO, "follow the highest number of nodes seen (no)"),
    }
)

_LEVELS = ("alert", "crit", "debug", "emerg", "err", "info", "notice", "warning")
LOGGING = Section(
    {
        "to_syslog": Field(YES_NO, "log to syslog (yes)"),
        "to_logfile": Field(YES_NO, "log to the file (yes)"),
        "to_stderr": Field(YES_NO, "log to the journal through stderr (no)"),
        "logfile": Field(ABSOLUTE, "the file (/var/log/corosync/corosync.log)"),
        "logfile_priority": Field(Choice(_LEVELS), "what goes to the file (info)"),
        "syslog_priority": Field(Choice(_LEVELS), "what goes to syslog (info)"),
        "syslog_facility": Field(
            Choice(("daemon", *(f"local{n}" for n in range(8)))), "syslog's facility (daemon)"
        ),
        "debug": Field(Choice(("off", "on", "trace")), "log far more (off)"),
        "timestamp": Field(Choice(("off", "on", "hires")), "time on each line (hires)"),
        "fileline": Field(YES_NO, "file and line on each line (off)"),
        "function_name": Field(YES_NO, "function on each line (off)"),
        "blackbox": Field(YES_NO, "keep a flight recorder in memory (on)"),
    }
)

COROSYNC = Section(
    {
        "transport": Field(
            Choice(TRANSPORTS),
            "knet: up to 8 links, encrypted; udpu (unicast) and udp (multicast): one link, in "
            "the clear",
            "knet",
        ),
        "crypto": Field(
            Section(
                {
                    "cipher": Field(
                        Choice(CIPHERS), "cipher; with knet aes256, else none", example="aes256"
                    ),
                    "hash": Field(
                        Choice(HASHES), "hash; with knet sha256, else none", example="sha256"
                    ),
                }
            ),
            "how the cluster's traffic is protected; only knet can",
            {},
        ),
        "authkey": Field(
            SecretKey(),
            "the cluster's key, the same on all nodes; give this or authkey_file when there is "
            "crypto",
        ),
        "authkey_file": Field(
            HIDDEN_PATH,
            "a file on the minion that holds the key, put there by other means",
            example="/etc/fsha/authkey",
        ),
        "totem": Field(TOTEM, "further options of corosync.conf's totem section", {}),
        "links": Field(
            ListOf(LINK, "a list with a mapping for each link", keyed=True),
            "options per link, link 0 first",
            [],
        ),
        "quorum": Field(QUORUM, "options of corosync.conf's quorum section", {}),
        "logging": Field(LOGGING, "options of corosync.conf's logging section", {}),
    }
)


def _objects(kind: Kind) -> Field:
    """Return what the pillar may hold for one kind of object."""
    if kind.one:
        part = kind.shape.parts[0]
        return Field(part.field.kind, kind.doc, {}, part.field.example)
    names = NODE_NAME if kind.name == "node" else ID
    return Field(Named(kind.shape.section, names, f"a mapping of {kind.word}s"), kind.doc, {})


PACEMAKER = Section({kind.key: _objects(kind) for kind in KINDS.values()})

_DSN = Text(
    "a data source of visible characters (pgsql://host=… dbname=… user=… password=…)",
    r"[ -~]{1,1024}",
    hidden=True,
)
_RELATIVE = Text(
    "a path below the configuration's directory", r"(?!.*\.\.)[A-Za-z0-9._+@/-]{1,200}"
)

SWITCH_PROFILE = Section(
    {
        "file": Field(
            _RELATIVE, "the profile's file (sip_profiles/NAME.xml)", example="sip_profiles/in.xml"
        ),
        "vip": Field(
            ADDRESS, "the floating address: sip-ip, rtp-ip, ext-sip-ip and ext-rtp-ip are set to it"
        ),
        "standby": Field(
            Choice(("cold", "hot")), "what it does where it does not serve: profile-standby"
        ),
        "track_calls": Field(
            YES_NO, "write a row for each answered call; false leaves it to the profile (true)"
        ),
        "odbc_dsn": Field(_DSN, "data source of the registrations, shared by both nodes"),
        "odbc_dsn_file": Field(
            HIDDEN_PATH, "a file on the minion that holds it", example="/etc/fsha/freeswitch.dsn"
        ),
    }
)

CONFIGURATION = Section(
    {
        "directory": Field(ABSOLUTE, "FreeSWITCH's configuration (/etc/freeswitch)"),
        "switchname": Field(HOST, "the same name for both switches", example="voice"),
        "core_db_dsn": Field(
            _DSN, "data source of the core database, from which calls are recovered"
        ),
        "core_db_dsn_file": Field(
            HIDDEN_PATH, "a file on the minion that holds it", example="/etc/fsha/freeswitch.dsn"
        ),
        "group": Field(
            Text("a group's name", r"[A-Za-z_][A-Za-z0-9_.-]{0,31}"),
            "the group that the switch runs with, which may read what the formula writes (that of "
            "the running switch; else that of freeswitch.xml)",
        ),
        "restart": Field(
            Choice(("never", "passive")),
            "passive: restart the switch of a node that neither serves nor has calls, when only "
            "that makes a change effective (never)",
        ),
        "auto_clear_sql": Field(
            YES_NO,
            "whether a start deletes the rows of channels and calls under its switchname, the "
            "other node's as well; false only once the tables are there, for FreeSWITCH then makes "
            "none and does not start without them (true)",
        ),
        "profiles": Field(
            Named(SWITCH_PROFILE, PROFILE, "a mapping of profiles by name"),
            "what is set in each SIP profile, with auto-restart off",
        ),
    }
)

INSTALL = Section(
    {
        "method": Field(
            Choice(("none", "package", "repository", "prefix")),
            "none: it is there; package: the distribution's; repository: SignalWire's, with a "
            "token; prefix: built from source, with a unit to run it",
            REQUIRED,
        ),
        "packages": Field(
            ListOf(Text("a package's name", r"[a-z0-9][a-z0-9+.-]*"), "a list of packages", 1),
            "package, repository: what to install (freeswitch-meta-all)",
            example=["freeswitch"],
        ),
        "url": Field(
            Text("an https URL", r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~/-]*"),
            "repository: where it is (SignalWire's for Debian)",
        ),
        "suite": Field(
            Text("a suite's name", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}"),
            "repository: its suite (the distribution's code name)",
            example="bookworm",
        ),
        "components": Field(
            ListOf(Text("a component's name", r"[a-z0-9][a-z0-9._/-]*"), "a list of names", 1),
            "repository: its components (main)",
            example=["main"],
        ),
        "key_url": Field(
            Text("an https URL", r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~/-]*"),
            "repository: its key, as it is put into a keyring (SignalWire's)",
        ),
        "key_hash": Field(
            Text("a SHA-256 sum (64 hexadecimal digits)", r"(?:sha256=)?[0-9a-f]{64}"),
            "repository: what the key has to be",
        ),
        "token": Field(
            Text("a token", r"[!-~]{1,256}", hidden=True),
            "repository: SignalWire's personal access token; goes into a file for root",
        ),
        "prefix": Field(ABSOLUTE, "prefix: where it was installed to (/usr/local/freeswitch)"),
    }
)

FREESWITCH = Section(
    {
        "profiles": Field(
            ListOf(PROFILE, "a list of one or more profile names", 1, distinct=True),
            "SIP profiles that follow the VIP",
            ["internal"],
        ),
        "fs_cli": Field(ABSOLUTE, "FreeSWITCH's command line client", "/usr/bin/fs_cli"),
        "host": Field(HOST_OR_ADDRESS, "host of the Event Socket", "127.0.0.1"),
        "port": Field(PORT, "port of the Event Socket", 8021),
        "password": Field(
            PASSWORD,
            "the Event Socket's password, written to password_file; without it that file is "
            "expected to exist",
        ),
        "password_file": Field(
            HIDDEN_PATH,
            "file with the Event Socket's password, readable by root only",
            "/etc/fsha/event_socket.password",
        ),
        "service": Field(
            Text("a systemd unit without its suffix", r"[A-Za-z0-9_.@-]{1,100}"),
            "the systemd unit that runs the switch",
            "freeswitch",
        ),
        "install": Field(
            INSTALL, "how FreeSWITCH gets onto the nodes; without it, it is expected to be there"
        ),
        "configuration": Field(
            CONFIGURATION,
            "what FreeSWITCH is told by files that the formula includes in its configuration; "
            "without it, nothing is touched",
        ),
        "init_script": Field(YES_NO, "lay down /etc/init.d/FSSofia and /etc/default/FSSofia", True),
        "start_timeout": Field(
            Whole(1, 3600, "seconds"), "seconds FSSofia waits until all profiles run", 45
        ),
        "stop_timeout": Field(
            Whole(1, 3600, "seconds"), "seconds FSSofia waits until all profiles are gone", 60
        ),
        "recover": Field(YES_NO, "take over the peer's calls (sofia recover) after a start", True),
        "vips": Field(
            ListOf(ADDRESS, "a list of addresses", distinct=True),
            "floating addresses of the profiles; without any, those of the IPaddr2 resources in "
            "the group that holds FSSofia",
            [],
        ),
    }
)

SPAN = Section(
    {
        "framing": Field(Choice(("esf", "sf", "ccs", "cas")), "framing of the line", REQUIRED),
        "encoding": Field(Choice(("b8zs", "hdb3", "ami")), "line code", REQUIRED),
        "crc4": Field(YES_NO, "CRC-4 multiframes (E1)", example=True),
        "rbs": Field(YES_NO, "robbed bit signalling"),
        "loopback": Field(YES_NO, "send back what comes in"),
        "slave": Field(YES_NO, "take the clock from the line (before firmware 2.0)"),
        "dejitter": Field(YES_NO, "smooth the clock"),
        "longhaul": Field(Whole(0, 3), "build-out of a long line"),
        "shorthaul": Field(Whole(0, 4), "build-out of a short line"),
    }
)

FONEBRIDGE = Section(
    {
        "device": Field(
            Text("an address or a name of letters, digits and dots", r"[A-Za-z0-9.]{1,253}"),
            "the foneBRIDGE's address for configuration",
            REQUIRED,
            example="192.168.1.254",
        ),
        "port": Field(Whole(1, 2), "the foneBRIDGE's Ethernet port that sends to the nodes (1)"),
        "priorities": Field(
            ListOf(Whole(0, 3), "a list of four numbers from 0 to 3", 4, 4),
            "the four spans as sources of the clock, by priority (firmware 2.0 and later)",
            example=[0, 1, 2, 3],
        ),
        "spans": Field(
            Named(SPAN, Text("span1 to span4", r"span[1-4]"), "a mapping of spans by name", low=1),
            "the lines; the same on both nodes, so that a takeover is one short gap",
            REQUIRED,
        ),
    }
)

LOOKUP = Section(
    {
        "packages": Field(
            ListOf(Text("a package's name", r"[a-z0-9A-Z][a-z0-9A-Z+.:_-]*"), "a list of packages"),
            "packages of the cluster",
            example=["corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents"],
        ),
        "lxml_package": Field(
            Text("a package's name", r"[a-z0-9A-Z][a-z0-9A-Z+.:_-]*"),
            "package with lxml for the distribution's Python",
            example="python3-lxml",
        ),
        "settings_dir": Field(
            ABSOLUTE, "where settings of init scripts lie", example="/etc/default"
        ),
    }
)

PILLAR = Section(
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
