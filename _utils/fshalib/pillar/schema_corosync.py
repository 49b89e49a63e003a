"""The pillar's section ``corosync``."""

from fshalib.corosync.options import CIPHERS, HASHES, TRANSPORTS
from fshalib.pillar.field_types import (
    ABSOLUTE,
    HIDDEN_PATH,
    MILLISECONDS,
    PORT,
    YES_NO,
    Address,
    SecretKey,
)
from fshalib.schema.types import Choice, Field, ListOf, Record, Text, Whole

_TOTEM_MILLISECONDS = {
    "token": "time without the token until a node counts as lost (corosync: 3000)",
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
    "netmtu": "longest packet (65536 with knet, otherwise 1500)",
    "knet_mtu": "longest packet of knet; 0: knet measures it (0)",
    "knet_pmtud_interval": "seconds between two searches for the MTU (30)",
    "knet_compression_threshold": "bytes below which nothing is compressed (100)",
    "knet_compression_level": "level of the compression",
    "config_version": "version of the configuration (0)",
    "threads": "threads for sending; no effect with knet (0)",
}
_WORD = Text("a word of letters, digits, dots, - and _", r"[A-Za-z0-9._-]{1,64}")

TOTEM = Record(
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
        "keyfile": Field(HIDDEN_PATH, "path of the authkey (/etc/corosync/authkey)"),
        "block_unlisted_ips": Field(YES_NO, "drop packets of hosts that are not nodes (yes)"),
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

LINK = Record(
    {
        "knet_link_priority": Field(
            Whole(0, 255), "priority in passive mode; the highest has the traffic (1)", example=2
        ),
        "knet_ping_interval": Field(MILLISECONDS, "pause between two pings (token / 4)"),
        "knet_ping_timeout": Field(MILLISECONDS, "silence until the link is down (token / 2)"),
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

QUORUM = Record(
    {
        "wait_for_all": Field(
            YES_NO,
            "wait for all nodes before the first quorum; default: yes with two nodes, otherwise no",
            example=True,
        ),
        "expected_votes": Field(Whole(1), "votes of the whole cluster (by nodes)"),
        "two_node": Field(
            YES_NO,
            "quorum rules for a pair; derived from the number of nodes, and left out where the "
            "file has a quorum device",
        ),
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
LOGGING = Record(
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

COROSYNC = Record(
    {
        "transport": Field(
            Choice(TRANSPORTS),
            "knet: up to 8 links, encrypted; udpu (unicast) and udp (multicast): one link, in "
            "the clear",
            "knet",
        ),
        "crypto": Field(
            Record(
                {
                    "cipher": Field(
                        Choice(CIPHERS),
                        "cipher; default: aes256 with knet, otherwise none",
                        example="aes256",
                    ),
                    "hash": Field(
                        Choice(HASHES),
                        "hash; default: sha256 with knet, otherwise none",
                        example="sha256",
                    ),
                }
            ),
            "how the cluster's traffic is protected; only knet can do it",
            {},
        ),
        "authkey": Field(
            SecretKey(),
            "the cluster's key, the same on all nodes; crypto needs this or authkey_file",
        ),
        "authkey_file": Field(
            HIDDEN_PATH,
            "a file on the minion with the key, which you have put there",
            example="/etc/fsha/authkey",
        ),
        "totem": Field(TOTEM, "more options of corosync.conf's totem section", {}),
        "links": Field(
            ListOf(LINK, "a list with a mapping for each link", keyed=True),
            "options per link, link 0 first",
            [],
        ),
        "quorum": Field(QUORUM, "options of corosync.conf's quorum section", {}),
        "logging": Field(LOGGING, "options of corosync.conf's logging section", {}),
    }
)
