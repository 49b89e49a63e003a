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

CONFIGURATION = Record(
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

INSTALL = Record(
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
            "the lines; the same on both nodes, so that a takeover is one short gap",
            REQUIRED,
        ),
    }
)
