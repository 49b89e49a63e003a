"""The options of corosync.conf: names, limits, defaults, which change takes a restart."""

import re
from collections.abc import Mapping

KNET = "knet"
UDPU = "udpu"
UDP = "udp"
TRANSPORTS = (KNET, UDPU, UDP)

MAX_LINKS = {KNET: 8, UDPU: 1, UDP: 1}
MAX_NODEID = 2**32 - 1


def max_nodeid(transport: str) -> int:
    """Return the highest nodeid that corosync takes; knet has no more than KNET_MAX_HOST."""
    return 65535 if transport == KNET else MAX_NODEID


CIPHERS = ("none", "aes128", "aes192", "aes256")
HASHES = ("none", "md5", "sha1", "sha256", "sha384", "sha512")
DEFAULT_CRYPTO = {"cipher": "aes256", "hash": "sha256"}
DEFAULT_LOGGING: Mapping[str, str] = {
    "to_stderr": "no",
    "to_logfile": "yes",
    "logfile": "/var/log/corosync/corosync.log",
    "to_syslog": "yes",
}

# Read again on a reload: totem_volatile_config_read() in exec/totemconfig.c, and
# cmap.c for config_version, which it tracks.
TOTEM_RELOAD = frozenset(
    {
        "block_unlisted_ips",
        "cancel_token_hold_on_retransmit",
        "config_version",
        "consensus",
        "downcheck",
        "fail_recv_const",
        "heartbeat_failures_allowed",
        "hold",
        "join",
        "knet_compression_level",
        "knet_compression_model",
        "knet_compression_threshold",
        "knet_mtu",
        "knet_pmtud_interval",
        "max_messages",
        "max_network_delay",
        "merge",
        "miss_count_const",
        "send_join",
        "seqno_unchanged_const",
        "token",
        "token_coefficient",
        "token_retransmit",
        "token_retransmits_before_loss_const",
        "token_warning",
        "window_size",
    }
)
# Read at start only, or refused on a reload (remove_ro_entries() in exec/cfg.c). Newer
# builds can change crypto and key on a reload, but only if every node has the new file at
# that moment, which a node by node run cannot promise: for fsha they need a restart.
TOTEM_RESTART = frozenset(
    {
        "clear_node_high_bit",
        "crypto_model",
        "ip_version",
        "keyfile",
        "link_mode",
        "netmtu",
        "threads",
    }
)
TOTEM_KEYS = TOTEM_RELOAD | TOTEM_RESTART
"""Names that ``totem`` settings may have beside those with a setting of their own."""

LINK_KEYS: Mapping[str, frozenset[str]] = {
    KNET: frozenset(
        {
            "knet_link_priority",
            "knet_ping_interval",
            "knet_ping_precision",
            "knet_ping_timeout",
            "knet_pong_count",
            "knet_transport",
            "mcastport",
        }
    ),
    UDPU: frozenset({"mcastport"}),
    UDP: frozenset({"bindnetaddr", "broadcast", "mcastaddr", "mcastport", "ttl"}),
}
LINK_ALIASES: Mapping[str, str] = {"link_priority": "knet_link_priority"}
LINK_RELOAD = frozenset(
    {
        "knet_link_priority",
        "knet_ping_interval",
        "knet_ping_precision",
        "knet_ping_timeout",
        "knet_pong_count",
    }
)
# How corosync spells true and false differs from key to key (coroparse.c, logconfig.c).
BOOLEANS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("debug", "fileline", "function_name", "timestamp", "blackbox"), ("off", "on")),
    **dict.fromkeys(
        (
            "allow_downscale",
            "auto_tie_breaker",
            "expected_votes_tracking",
            "last_man_standing",
            "master_wins",
            "two_node",
            "wait_for_all",
        ),
        ("0", "1"),
    ),
    **dict.fromkeys(
        (
            "block_unlisted_ips",
            "broadcast",
            "cancel_token_hold_on_retransmit",
            "clear_node_high_bit",
            "to_logfile",
            "to_stderr",
            "to_syslog",
        ),
        ("no", "yes"),
    ),
}
TRUTH = {"false": 0, "no": 0, "off": 0, "true": 1, "yes": 1, "on": 1}
SECRET = frozenset({"totem.key"})
# The keys of sections that may come more than once.
IDENTITY: Mapping[str, tuple[str, ...]] = {
    "nodelist.node": ("name", "nodeid", "ring0_addr"),
    "totem.interface": ("linknumber",),
    "logging.logger_subsys": ("subsys",),
    "logging.logging_daemon": ("name",),
}
# Several of these with one key are one section to corosync: it keeps a value for each option.
MERGED = frozenset({"totem.interface", "logging.logger_subsys"})
NUMBER = re.compile(r"[+-]?[0-9]{1,20}")
