"""The pillar's sections ``freeswitch`` and ``fonebridge``."""

from fshalib.cib.field_types import HOST
from fshalib.pillar.field_types import (
    ABSOLUTE,
    ADDRESS,
    HIDDEN_PATH,
    HOST_OR_ADDRESS,
    PASSWORD,
    PORT,
    PROFILE,
    YES_NO,
)
from fshalib.schema.types import REQUIRED, Choice, Field, ListOf, Named, Record, Text, Whole

_DSN = Text(
    "a data source of visible characters (pgsql://host=… dbname=… user=… password=…)",
    r"[ -~]{1,1024}",
    hidden=True,
)
_RELATIVE = Text(
    "a path below the configuration's directory", r"(?!.*\.\.)[A-Za-z0-9._+@/-]{1,200}"
)

SWITCH_PROFILE = Record(
    {
        "file": Field(
            _RELATIVE, "the profile's file (sip_profiles/NAME.xml)", example="sip_profiles/in.xml"
        ),
        "vip": Field(
            ADDRESS, "the floating address, for sip-ip, rtp-ip, ext-sip-ip and ext-rtp-ip"
        ),
        "standby": Field(
            Choice(("cold", "hot")), "what it does on the standby node; hot sets profile-standby"
        ),
        "track_calls": Field(
            YES_NO, "write a row for each answered call; false: as the profile has it (true)"
        ),
        "odbc_dsn": Field(_DSN, "data source of the registrations, shared by both nodes"),
        "odbc_dsn_file": Field(
            HIDDEN_PATH, "a file on the minion that has it", example="/etc/fsha/freeswitch.dsn"
        ),
    }
)

CONFIGURATION = Record(
    {
        "directory": Field(ABSOLUTE, "FreeSWITCH's configuration (/etc/freeswitch)"),
        "switchname": Field(HOST, "the same name for both switches", example="voice"),
        "core_db_dsn": Field(
            _DSN, "data source of the core database, from which calls are recovered"
        ),
        "core_db_dsn_file": Field(
            HIDDEN_PATH, "a file on the minion that has it", example="/etc/fsha/freeswitch.dsn"
        ),
        "group": Field(
            Text("a group's name", r"[A-Za-z_][A-Za-z0-9_.-]{0,31}"),
            "the switch's group, which may read what the formula writes (that of the running "
            "switch, otherwise that of freeswitch.xml)",
        ),
        "restart": Field(
            Choice(("never", "passive")),
            "passive: if a change needs a restart, restart a switch that neither serves nor has "
            "calls (never)",
        ),
        "auto_clear_sql": Field(
            YES_NO,
            "whether a start deletes the rows of channels and calls of its switchname, also those "
            "of the other node. Set false only when the tables exist: FreeSWITCH then makes none "
            "and does not start without them (true)",
        ),
        "profiles": Field(
            Named(SWITCH_PROFILE, PROFILE, "a mapping of profiles by name"),
            "settings of each SIP profile; auto-restart is switched off",
        ),
    }
)

INSTALL = Record(
    {
        "method": Field(
            Choice(("none", "package", "repository", "prefix")),
            "none: it is installed already; package: from the distribution; repository: from "
            "SignalWire, with a token; prefix: built from source, and the formula writes a unit",
            REQUIRED,
        ),
        "packages": Field(
            ListOf(Text("a package's name", r"[a-z0-9][a-z0-9+.-]*"), "a list of packages", 1),
            "package, repository: what to install (freeswitch-meta-all)",
            example=["freeswitch"],
        ),
        "url": Field(
            Text("an https URL", r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[A-Za-z0-9._~/-]*"),
            "repository: its URL (SignalWire's for Debian)",
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
            "repository: URL of its key, as a keyring (SignalWire's)",
        ),
        "key_hash": Field(
            Text("a SHA-256 sum (64 hexadecimal digits)", r"(?:sha256=)?[0-9a-f]{64}"),
            "repository: checksum of the key",
        ),
        "token": Field(
            Text("a token", r"[!-~]{1,256}", hidden=True),
            "repository: SignalWire's personal access token; only root can read the file with it",
        ),
        "prefix": Field(ABSOLUTE, "prefix: where FreeSWITCH is installed (/usr/local/freeswitch)"),
    }
)

FREESWITCH = Record(
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
            "the Event Socket's password; the formula writes it to password_file. Without it that "
            "file must exist",
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
            INSTALL, "how to install FreeSWITCH; without it, FreeSWITCH must be installed"
        ),
        "configuration": Field(
            CONFIGURATION,
            "settings that the formula adds to FreeSWITCH's configuration; without it, the formula "
            "does not touch the configuration",
        ),
        "init_script": Field(YES_NO, "write /etc/init.d/FSSofia and /etc/default/FSSofia", True),
        "start_timeout": Field(
            Whole(1, 3600, "seconds"), "seconds FSSofia waits until all profiles run", 45
        ),
        "stop_timeout": Field(
            Whole(1, 3600, "seconds"), "seconds FSSofia waits until all profiles are gone", 60
        ),
        "recover": Field(
            YES_NO, "recover the other node's calls after a start (sofia recover)", True
        ),
        "vips": Field(
            ListOf(ADDRESS, "a list of addresses", distinct=True),
            "floating addresses of the profiles; default: those of the IPaddr2 resources that "
            "share a group or a colocation with FSSofia",
            [],
        ),
    }
)

SPAN = Record(
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

FONEBRIDGE = Record(
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
            "the lines, the same on both nodes; then a takeover is one short gap",
            REQUIRED,
        ),
    }
)
