"""The names of the resource agents that fsha knows, and what each one is: the one table.

A whole name stands in the pillar (``ocf:fsha:FSSofia``); ``cib.agent`` makes it of the attributes
of the CIB. Nobody else compares names or types: one agent has several spellings
(``systemd:freeswitch``, ``systemd:freeswitch.service``, ``service:freeswitch``).
"""

from collections.abc import Mapping

# --- whole names -------------------------------------------------------------------------------

OUR_PROVIDER = "fsha"
OURS = f"ocf:{OUR_PROVIDER}:"
"""How the names of the formula's own agents begin."""
FSSOFIA = f"{OURS}FSSofia"
"""Serves FreeSWITCH's profiles."""
FSSWITCH = f"{OURS}FSSwitch"
"""Runs FreeSWITCH itself, as a clone."""
FONEBRIDGE = f"{OURS}fonebridge"
"""Points a foneBRIDGE at the node that serves."""
LEAVE_RUNNING = "leave_running"
"""FSSwitch's parameter with which a stop leaves the switch to systemd."""
FSSOFIA_SCRIPT = "lsb:FSSofia"
"""The init script that does what FSSofia does."""

IPADDR2 = "ocf:heartbeat:IPaddr2"
IPADDR = "ocf:heartbeat:IPaddr"
SENDARP = "ocf:heartbeat:SendArp"
"""Announces an address that it does not hold."""
ADDRESS_PARAMETER = {
    IPADDR2: "ip",
    IPADDR: "ip",
    SENDARP: "ip",
    "ocf:heartbeat:IPv6addr": "ipv6addr",
}
"""Agents that hold or announce an address, and the parameter that names it."""

FREESWITCH = "freeswitch"
"""The name of FreeSWITCH's service, unless the pillar has another one."""

REMOTE = "ocf:pacemaker:remote"
"""Makes a host a remote node."""
_FENCING_CLASS = "stonith"

# --- types, as the CIB has them ------------------------------------------------------------------

_VOICE = frozenset({"fssofia", "freeswitch"})
"""What serves calls, in lower case: other people write FreeSWITCH in many ways."""
_VIPS = {"IPaddr2": "ip", "IPaddr": "ip", "IPv6addr": "ipv6addr"}
_BMCS = (
    *(f"fence_{name}" for name in ("ipmilan", "idrac", "ilo", "imm", "drac", "redfish", "rsa")),
    "fence_openipmi",
    "ipmi",
    "riloe",
)
"""How the names of agents begin that ask a management processor, which may be slow."""
_ADDRESS_CLASSES = frozenset({"ocf", "heartbeat"})
_HOST_CLASSES = frozenset({"systemd", "service", "lsb", "upstart"})
"""Classes that start a service of the host; ``service`` stands for whichever there is."""


def _split(agent: str) -> tuple[str, str, str]:
    """Return class, provider and type; ``ocf::heartbeat:IPaddr2`` is what old tools print."""
    standard, *rest = [part for part in agent.split(":") if part] or [""]
    standard = standard.lower()
    if standard == "ocf":
        provider = rest.pop(0) if len(rest) > 1 else "heartbeat"
        return standard, provider, ":".join(rest)
    kind = ":".join(rest)
    return standard, "", kind.removesuffix(".service") if standard in _HOST_CLASSES else kind


def plain(agent: str) -> str:
    """Return the one spelling of an agent's whole name.

    ``systemd:freeswitch.service`` is ``systemd:freeswitch``, and ``ocf:IPaddr2`` is heartbeat's.
    """
    return ":".join(part for part in _split(agent) if part)


def is_unit(agent: str, service: str) -> bool:
    """Tell whether an agent starts a service of the host, by systemd or a script.

    agent
        Its whole name, in any spelling.
    service
        The name of the service, with or without ``.service``. An instance of its template
        (``freeswitch@one``) counts as well.
    """
    standard, _, kind = _split(agent)
    name = service.removesuffix(".service")
    return standard in _HOST_CLASSES and name in (kind, kind.partition("@")[0])


def is_by_systemd(agent: str) -> bool:
    """Tell whether the cluster lets systemd run an agent."""
    return _split(agent)[0] in ("systemd", "service")


def is_fssofia_script(agent: str) -> bool:
    """Tell whether an agent is the formula's init script, whatever class starts it."""
    return is_unit(agent, "FSSofia")


def is_switch_unit(agent: str, service: str = FREESWITCH) -> bool:
    """Tell whether an agent starts FreeSWITCH itself as a service of the host.

    service
        The name that the service has here.
    """
    return is_unit(agent, service) or is_unit(agent.lower(), FREESWITCH)


def is_voice(agent: str, service: str = FREESWITCH) -> bool:
    """Tell whether an agent serves calls: FSSofia, or FreeSWITCH by whatever agent.

    agent
        Its whole name, in any spelling.
    service
        The name of FreeSWITCH's service on these hosts.
    """
    standard, _, kind = _split(agent)
    if standard in _HOST_CLASSES:
        return is_switch_unit(agent, service) or is_unit(agent.lower(), "fssofia")
    return standard != _FENCING_CLASS and kind.lower() in _VOICE


def starts_switch(agent: str) -> bool:
    """Tell whether an agent starts FreeSWITCH itself: FSSofia needs one that runs."""
    kind = _split(agent)[2].lower()
    return plain(agent) == FSSWITCH or (is_voice(agent) and kind != "fssofia")


def carries_calls(agent: str, service: str = FREESWITCH) -> bool:
    """Tell whether calls end when an agent stops: the profiles, and FreeSWITCH itself.

    service
        The name of FreeSWITCH's service on these hosts.
    """
    return is_voice(agent, service) or plain(agent) == FSSWITCH


def is_vip(agent: str) -> bool:
    """Tell whether an agent holds a floating address, of IPv4 or IPv6."""
    standard, _, kind = _split(agent)
    return standard in _ADDRESS_CLASSES and kind in _VIPS


def held_address(agent: str, given: Mapping[str, str]) -> str:
    """Return the floating address that an agent holds, without its prefix length; or ``""``.

    given
        The agent's parameters.
    """
    if not is_vip(agent):
        return ""
    # A value of another kind, which is reported elsewhere, is no address.
    return str(given.get(_VIPS[_split(agent)[2]], "")).partition("/")[0]


def is_ping(agent: str) -> bool:
    """Tell whether an agent asks other hosts and writes into an attribute how many answer."""
    return _split(agent)[0] == "ocf" and _split(agent)[2] in ("ping", "pingd")


def is_fencing(agent: str) -> bool:
    """Tell whether an agent, by its whole name, fences nodes."""
    return _split(agent)[0] == _FENCING_CLASS


def asks_bmc(agent: str) -> bool:
    """Tell whether an agent fences a node by the node's own management processor."""
    standard, _, kind = _split(agent)
    return standard == _FENCING_CLASS and kind.removeprefix("external/").startswith(_BMCS)
