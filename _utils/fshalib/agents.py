"""The names of the resource agents that fsha knows: the one table.

A whole name stands in the pillar (``ocf:fsha:FSSofia``); the CIB has its type alone in an attribute
of its own (``FSSofia``). The sets differ on purpose, each is for what its text says.
"""

# --- whole names -------------------------------------------------------------------------------

OUR_PROVIDER = "fsha"
OURS = f"ocf:{OUR_PROVIDER}:"
"""How the names of the formula's own agents begin."""
FSSOFIA = f"{OURS}FSSofia"
"""Serves FreeSWITCH's profiles."""
FSSWITCH = f"{OURS}FSSwitch"
"""Runs FreeSWITCH itself, as a clone."""
LEAVE_RUNNING = "leave_running"
"""FSSwitch's parameter with which a stop leaves the switch to systemd."""
FSSOFIA_SCRIPT = "lsb:FSSofia"
"""The init script that does what FSSofia does."""
FSSOFIAS = frozenset({FSSOFIA, FSSOFIA_SCRIPT})

IPADDR2 = "ocf:heartbeat:IPaddr2"
IPADDR = "ocf:heartbeat:IPaddr"
SENDARP = "ocf:heartbeat:SendArp"
"""Announces an address that it does not hold."""
ADDRESSES = frozenset({IPADDR2, IPADDR, "ocf:IPaddr2", "ocf:IPaddr"})
"""Agents that hold a floating address; heartbeat is the provider of what names none."""
ADDRESS_PARAMETER = {
    IPADDR2: "ip",
    IPADDR: "ip",
    SENDARP: "ip",
    "ocf:heartbeat:IPv6addr": "ipv6addr",
}
"""Agents that hold or announce an address, and the parameter that names it."""

REMOTE = "ocf:pacemaker:remote"
"""Makes a host a remote node."""
FENCING = "stonith:"
"""How the names of fencing agents begin."""

# --- types, as the CIB has them ------------------------------------------------------------------

FSSOFIA_TYPE = "FSSofia"
VOICE_AGENTS = frozenset({FSSOFIA_TYPE, "freeswitch"})
"""What a switchover takes for the voice service."""
VIP_AGENTS = frozenset({"IPaddr2", "IPaddr"})
"""What a switchover takes for its floating addresses."""
CALLS_AGENTS = VOICE_AGENTS | {"FSSwitch"}
"""What calls end with when it stops: beyond what a switchover moves, FreeSWITCH itself."""
CALLS_VIP_AGENTS = VIP_AGENTS | {"IPv6addr"}
"""Addresses that calls come in by: one of IPv6 alone can carry calls as well."""
VOICE_TYPES_IN_LOWER_CASE = frozenset({kind.lower() for kind in VOICE_AGENTS})
"""What a lint takes for FreeSWITCH, however other people write it."""


def is_fencing(agent: str) -> bool:
    """Tell whether an agent, by its whole name, fences nodes."""
    return agent.startswith(FENCING)
