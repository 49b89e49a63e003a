"""The parameters of the formula's own agents, and what is wrong with values of them.

Other people's agents take more than their metadata admits; these take exactly what stands here.
A test holds the table against the metadata of the agents themselves.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping

from fshalib.agents import FONEBRIDGE, FSSOFIA, FSSWITCH, LEAVE_RUNNING
from fshalib.cib.values import FALSE_WORDS, TRUE_WORDS
from fshalib.pacemaker.agent import Parameter
from fshalib.schema.report import quoted, suggestion


def _text(default: str | None = None, required: bool = False) -> Parameter:
    return Parameter(required=required, default=default)


def _number(default: str) -> Parameter:
    return Parameter(type="integer", default=default)


def _boolean(default: str) -> Parameter:
    return Parameter(type="boolean", default=default)


def _select(default: str, *options: str) -> Parameter:
    return Parameter(type="select", default=default, options=options)


_EVENT_SOCKET = {
    "fs_cli": _text("/usr/bin/fs_cli"),
    "host": _text("127.0.0.1"),
    "port": _number("8021"),
    "password_file": _text("/etc/fsha/event_socket.password"),
    "switch_process": _text("freeswitch"),
}

PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    FSSOFIA: {
        **_EVENT_SOCKET,
        "profiles": _text(required=True),
        "vips": _text(""),
        "standby": _select("cold", "cold", "hot"),
        "stop_mode": _select("hangup", "hangup", "drain", "recover"),
        "drain_time": _number("60"),
        "flush_ms": _number("500"),
        "recover": _boolean("true"),
        "cold_start": _select("flush", "flush", "recover"),
        "arp_check": _boolean("true"),
        "ipv6_guard": _boolean("false"),
        "options_targets": _text(""),
        "switch_wait": _number("20"),
        "bind_wait": _number("20"),
        "runtime_dir": _text("/run/fsha/FSSofia"),
    },
    FSSWITCH: {
        **_EVENT_SOCKET,
        "service": _text("freeswitch"),
        "restart_wait": _number("30"),
        LEAVE_RUNNING: _boolean("false"),
        "runtime_dir": _text("/run/fsha/FSSwitch"),
        "fssofia_dir": _text("/run/fsha/FSSofia"),
    },
    FONEBRIDGE: {
        "nic": _text(required=True),
        "config": _text("/etc/fsha/fonebridge.conf"),
        "fonulator": _text("/usr/bin/fonulator"),
        "counters": _text("/proc/dahdi/dynamic-ethmf"),
        "device_mac": _text(""),
        "attempt_timeout": _number("12"),
        "runtime_dir": _text("/run/fsha"),
    },
}
"""What each agent of the formula takes, by its name."""

_ACTIONS = ("start", "stop", "monitor", "validate-all", "meta-data")
ACTIONS: Mapping[str, frozenset[str]] = {
    FSSOFIA: frozenset({*_ACTIONS, "reload", "reload-agent"}),
    FSSWITCH: frozenset({*_ACTIONS, "reload-agent"}),
    FONEBRIDGE: frozenset(_ACTIONS),
}
"""The operations that each agent of the formula has, by its name."""

CHECK_LEVEL = "OCF_CHECK_LEVEL"
"""How deep a monitor is to look."""
COMMON_PARAMETERS = frozenset({CHECK_LEVEL, "trace_ra", "trace_dir", "trace_file"})
"""Parameters of every OCF agent (ocf-shellfuncs) that its metadata does not name."""

# The shell takes a number that begins with 0 for an octal one.
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_PORT = 65535


def unfit(parameter: Parameter, value: str) -> str:
    """Return what an agent of the formula expects in place of a value; ``""`` when it fits.

    parameter
        What the agent's metadata says of the parameter.
    """
    if value == "" and parameter.default is not None:
        return ""  # The agent takes its default.
    if parameter.type == "select" and value not in parameter.options:
        return f"one of {', '.join(parameter.options)}"
    if parameter.type == "integer" and not _NUMBER.fullmatch(value):
        return "a whole number without a unit"
    if parameter.type == "boolean" and value.lower() not in TRUE_WORDS | FALSE_WORDS:
        return "true or false"
    return ""


def mistakes(agent: str, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what an agent of the formula would refuse on every node: parameter and sentence.

    agent
        The agent's name; for another one there are none.
    values
        All that is given to it. That a required parameter is missing is not looked at.
    """
    known = PARAMETERS.get(agent)
    for name, value in values.items() if known is not None else ():
        message = value_mistake(agent, name, value)
        if message:
            yield name, message
    if agent == FSSOFIA and values.get("stop_mode") == "recover":
        recover = values.get("recover") or "true"
        if recover.lower() in FALSE_WORDS:
            yield (
                "recover",
                "true is expected beside stop_mode: recover, which leaves the calls for the other "
                "node to take over; or give another stop_mode.",
            )


def missing(agent: str, values: Mapping[str, str]) -> list[str]:
    """Return the parameters that an agent of the formula requires and is not given."""
    known = PARAMETERS.get(agent, {})
    return [name for name, one in known.items() if one.required and name not in values]


def operation_mistake(agent: str, name: str) -> str:
    """Return the sentence about an operation that an agent of the formula does not have."""
    known = ACTIONS[agent]
    if name in known:
        return ""
    # Pacemaker would order it all the same, and take the refusal for a failure on each node.
    return f"an operation of {agent} is expected, not {quoted(name)}{suggestion(name, known)}"


def spelt(word: str) -> str:
    """Return the one spelling of an address; other text as it is."""
    return str(ipaddress.ip_address(word)) if is_vip(word) else word


def value_mistake(agent: str, name: str, value: str) -> str:
    """Return the sentence about one value for an agent of the formula; ``""`` when it fits."""
    known = PARAMETERS[agent]
    if name == CHECK_LEVEL:
        # With another word the agent would never look deeper.
        return "" if value.isdecimal() else f"a whole number is expected, not {quoted(value)}."
    if name in COMMON_PARAMETERS:
        return ""
    if name not in known:
        names = (*known, *COMMON_PARAMETERS)
        return f"a parameter of {agent} is expected{suggestion(name, names)}"
    expected = unfit(known[name], value)
    if not expected and (value or known[name].default is None):
        words = _WORDS.get((agent, name)) or _WORDS.get(("", name))
        expected = words(value) if words else ""
    return f"{expected} is expected by {agent}, not {quoted(value)}." if expected else ""


# --- what the types leave open ----------------------------------------------------------------

_BLANKS = re.compile(r"[ \t\n]+")
_PROFILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNIT = re.compile(r"[A-Za-z0-9@:_.][A-Za-z0-9@:_.-]*")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NUMERIC = re.compile(r"[0-9.]+")
_TARGET = re.compile(r"(?:(?P<host>[^:\[\]]+)|\[(?P<ipv6>[^\[\]]+)\]):(?P<port>[1-9][0-9]{0,4})")
_PATH = re.compile(r"/[A-Za-z0-9._+@/-]*")
_PROCESS = re.compile(r"[A-Za-z0-9_.+:@-]{1,15}")
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")


def words(value: str) -> list[str]:
    """Return the words of a parameter as a shell splits it, and nothing else."""
    return [word for word in _BLANKS.split(value) if word]


def is_vip(word: str) -> bool:
    """Tell whether a word is an address alone: no prefix length, no interface."""
    try:
        return bool(ipaddress.ip_address(word)) and "%" not in word
    except ValueError:
        return False


def _is_host(word: str) -> bool:
    """Tell whether a word is an address, or a host's name that is not one gone wrong."""
    return is_vip(word) or bool(_HOST.fullmatch(word) and not _NUMERIC.fullmatch(word))


def _is_target(word: str) -> bool:
    match = _TARGET.fullmatch(word)
    if match is None or int(match["port"]) > _PORT:
        return False
    ipv6 = match["ipv6"]
    return _is_host(match["host"]) if ipv6 is None else ":" in ipv6 and is_vip(ipv6)


def _each(test: Callable[[str], object], expected: str) -> Callable[[str], str]:
    """Return the check of a parameter that is a row of words."""
    return lambda value: "" if all(map(test, words(value))) else expected


def _profiles(value: str) -> str:
    names = words(value)
    if not names:
        return "the name of a Sofia profile"
    if not all(map(_PROFILE.fullmatch, names)):
        return "names of Sofia profiles (letters, digits, dots, - and _), separated by blanks,"
    return ""


def _between(least: int, most: int) -> Callable[[str], str]:
    expected = f"a whole number from {least} to {most}"
    return lambda value: "" if least <= int(value) <= most else expected


def _matches(pattern: re.Pattern[str], expected: str) -> Callable[[str], str]:
    """Return the check of a parameter that is one word."""
    return lambda value: "" if pattern.fullmatch(value) else expected


_path = _matches(_PATH, "an absolute path (letters, digits, dots, + - @ _)")

_WORDS: Mapping[tuple[str, str], Callable[[str], str]] = {
    (FSSOFIA, "profiles"): _profiles,
    (FSSOFIA, "vips"): _each(
        is_vip, "a row of addresses without prefix length (10.101.20.219), separated by blanks,"
    ),
    (FSSOFIA, "options_targets"): _each(
        _is_target,
        "ADDRESS:PORT ([ADDRESS]:PORT for IPv6), several of them separated by blanks,",
    ),
    (FSSOFIA, "bind_wait"): _between(1, 10**9),
    (FSSWITCH, "service"): _matches(_UNIT, "the name of a systemd unit"),
    (FONEBRIDGE, "nic"): _matches(_INTERFACE, "the name of an interface"),
    (FONEBRIDGE, "device_mac"): _matches(_MAC, "a MAC address (00:50:c2:65:d0:01)"),
    (FONEBRIDGE, "attempt_timeout"): _between(1, 10**9),
    ("", "host"): lambda value: "" if _is_host(value) else "an address or a host's name",
    ("", "switch_process"): _matches(
        _PROCESS, "a process's name as in /proc/PID/comm (15 characters at most)"
    ),
    **{
        ("", name): _path
        for name in (
            *("fs_cli", "password_file", "runtime_dir", "fssofia_dir"),
            *("config", "fonulator", "counters"),
        )
    },
    ("", "port"): _between(1, _PORT),
}
