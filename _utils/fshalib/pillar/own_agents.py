"""The parameters of the formula's own agents, and what is wrong with values of them.

Other people's agents take more than their metadata admits; these take exactly what stands here.
A test holds the table against the metadata of the agents themselves.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping

from fshalib.agents import FONEBRIDGE, FSSOFIA, FSSWITCH, LEAVE_RUNNING
from fshalib.cib.values import FALSE_WORDS
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

COMMON_PARAMETERS = frozenset({"OCF_CHECK_LEVEL", "trace_ra", "trace_dir", "trace_file"})
"""Parameters of every OCF agent (ocf-shellfuncs) that its metadata does not name."""

# What ocf_is_true of ocf-shellfuncs takes for true, less a word of German; the rest is false to it.
_TRUE = frozenset({"yes", "true", "1", "YES", "TRUE", "True", "on", "ON"})
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
    if parameter.type == "boolean" and not (value in _TRUE or value.lower() in FALSE_WORDS):
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


def value_mistake(agent: str, name: str, value: str) -> str:
    """Return the sentence about one value for an agent of the formula; ``""`` when it fits."""
    known = PARAMETERS[agent]
    if name in COMMON_PARAMETERS:
        return ""
    if name not in known:
        return f"a parameter of {agent} is expected{suggestion(name, known)}"
    expected = unfit(known[name], value)
    if not expected and (value or known[name].default is None):
        words = _WORDS.get((agent, name)) or _WORDS.get(("", name))
        expected = words(value) if words else ""
    return f"{expected} is expected by {agent}, not {quoted(value)}." if expected else ""


# --- what the types leave open ----------------------------------------------------------------

_BLANKS = re.compile(r"[ \t\n]+")
_PROFILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNIT = re.compile(r"[A-Za-z0-9@:_.][A-Za-z0-9@:_.-]*")
_TARGET = re.compile(r"(?:[0-9A-Za-z._-]+|\[(?P<ipv6>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{1,5})")


def words(value: str) -> list[str]:
    """Return the words of a parameter as a shell splits it, and nothing else."""
    return [word for word in _BLANKS.split(value) if word]


def is_vip(word: str) -> bool:
    """Tell whether a word is an address alone: no prefix length, no interface."""
    try:
        return bool(ipaddress.ip_address(word)) and "%" not in word
    except ValueError:
        return False


def _is_target(word: str) -> bool:
    match = _TARGET.fullmatch(word)
    if match is None or not 1 <= int(match["port"]) <= _PORT:
        return False
    return match["ipv6"] is None or is_vip(match["ipv6"])


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


def _service(value: str) -> str:
    return "" if _UNIT.fullmatch(value) else "the name of a systemd unit"


def _nic(value: str) -> str:
    fits = value and not value.startswith(".") and "/" not in value
    return "" if fits else "the name of an interface"


_WORDS: Mapping[tuple[str, str], Callable[[str], str]] = {
    (FSSOFIA, "profiles"): _profiles,
    (FSSOFIA, "vips"): _each(
        is_vip, "a row of addresses without prefix length (10.101.20.219), separated by blanks,"
    ),
    (FSSOFIA, "options_targets"): _each(
        _is_target,
        "ADDRESS:PORT ([ADDRESS]:PORT for IPv6), several of them separated by blanks,",
    ),
    (FSSWITCH, "service"): _service,
    (FONEBRIDGE, "nic"): _nic,
    (FONEBRIDGE, "attempt_timeout"): _between(1, 10**9),
    ("", "port"): _between(1, _PORT),
}
