"""Rules about operations that prevent a failover: ignored failures, short timeouts, no monitor.

The checks are for :mod:`rules_failover`. A finding's place is the operation in the pillar, which
may be in a template.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fshalib.agents import FSSOFIA, FSSWITCH, is_fencing, is_fssofia_script
from fshalib.cib.kinds import KINDS
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.objects import Object, Operation, operations
from fshalib.cib.values import UnitError, parse_boolean, parse_duration
from fshalib.lint.finding import Finding
from fshalib.lint.topology import needs, served
from fshalib.pillar.config import Config
from fshalib.pillar.validate_freeswitch import DRAIN_REST, DRAIN_TIME
from fshalib.schema.report import Keys

DEFAULT_TIMEOUT = "20s"
"""Pacemaker's timeout of an operation that names none."""
METADATA: Mapping[str, Mapping[str, int]] = {
    FSSOFIA: {"start": 60, "stop": 90},
    FSSWITCH: {"start": 60, "stop": 60},
}
"""Seconds that our agents' metadata asks for, by agent and operation."""
SHORTEST_MONITOR = 8000
"""Milliseconds that ocf:fsha:FSSofia may need to tell a hung switch from a slow one."""
SHORTEST_TIMEOUT, LONGEST_INTERVAL = 5000, 30_000
"""Milliseconds: a busy node takes that long for a monitor; callers wait that long for a failover.
"""

_STAYS = frozenset({"ignore", "block", "stop"})
STAYS: Mapping[str, frozenset[str]] = {
    "monitor": _STAYS,
    "start": _STAYS,
    "stop": frozenset({"ignore"}),
}
"""Operation → values of on-fail with which the service does not start on another node."""


# --- operations in the pillar ----------------------------------------------------------------


def written(config: Config) -> Iterator[tuple[Object, str]]:
    """Yield templates and primitives as in the pillar, each with its agent."""
    agents = {item.id: item.agent for item in config.pacemaker.primitives()}
    for item in (*config.pacemaker.of("template"), *config.pacemaker.of("primitive")):
        yield item, agents.get(item.id, item.agent)


def numbered(item: Object) -> list[tuple[Keys, Operation]]:
    """Return an object's own operations, each with its key in the pillar."""
    home: Keys = ("pacemaker", KINDS[item.kind].key, item.id, "operations")
    return [
        ((*home, number), Operation(operation["name"], operation.get("interval", "0s"), operation))
        for number, operation in enumerate(item.spec.get("operations", ()))
        if "name" in operation
    ]


def timeout_of(config: Config, operation: Operation) -> str:
    """Return the timeout of an operation, its own or the default."""
    given = config.pacemaker.values("operation_defaults").get("timeout", DEFAULT_TIMEOUT)
    return str(operation.attributes.get("timeout", given))


@dataclass(frozen=True)
class Limit:
    """The least time of an operation in milliseconds, and the words for a shorter one."""

    least: int
    why: str


def needed_time(config: Config, item: Object) -> Mapping[str, Limit]:
    """Return the least times of start and stop for one of our agents, by the operation's name."""
    switch = config.freeswitch
    if is_fssofia_script(item.agent) and switch.init_script:
        timeouts = {"start": switch.start_timeout, "stop": switch.stop_timeout}
        # The script gives up after that time; the cluster must wait a moment longer.
        return {
            name: Limit(
                seconds * 1000 + 1, f"not longer than freeswitch:{name}_timeout ({seconds}s)"
            )
            for name, seconds in timeouts.items()
        }
    asked = METADATA.get(item.agent, {})
    limits = {
        name: Limit(seconds * 1000, f"shorter than the agent's metadata asks for ({seconds}s)")
        for name, seconds in asked.items()
    }
    params = item.values("params")
    if item.agent == FSSOFIA and params.get("stop_mode") == "drain":
        time = params.get("drain_time", str(DRAIN_TIME))
        seconds = int(time) + DRAIN_REST if time.isdecimal() else 0
        if seconds * 1000 > limits["stop"].least:
            limits["stop"] = Limit(seconds * 1000, f"shorter than drain_time needs ({seconds}s)")
    return limits


def monitors(item: Object) -> list[tuple[Keys, Operation]]:
    """Return an object's own monitors that repeat and check a running resource."""
    return [
        (keys, operation)
        for keys, operation in numbered(item)
        if operation.name == "monitor"
        and parse_duration(operation.interval) > 0
        and str(operation.attributes.get("role", "Started")).lower() != "stopped"
    ]


def _is_off(text: object) -> bool:
    try:
        return not parse_boolean(str(text))
    except UnitError:
        return False


# --- checks ----------------------------------------------------------------------------------


def ignored(config: Config) -> Iterator[Finding]:
    """Find operations whose failures the cluster ignores."""
    for item, agent in written(config):
        # A fence device that fails moves nothing.
        for keys, operation in numbered(item) if not is_fencing(agent) else ():
            attributes = operation.attributes
            if attributes.get("on-fail") in STAYS.get(operation.name, ()):
                message = f"on-fail of the {operation.name} is {attributes['on-fail']}"
                yield "failure-ignored", keys, message
            if operation.name == "monitor" and _is_off(attributes.get("enabled", "true")):
                yield "failure-ignored", keys, "the monitor is not enabled"
    given = config.pacemaker.values("operation_defaults")
    home: Keys = ("pacemaker", "op_defaults")
    # Every resource has a start and a stop, and they have this default.
    if given.get("on-fail") in _STAYS:
        message = f"on-fail is {given['on-fail']} by default for all operations"
        yield "failure-ignored", (*home, "on-fail"), message
    if _is_off(given.get("enabled", "true")):
        message = "monitors are disabled by default"
        yield "failure-ignored", (*home, "enabled"), message


def short(config: Config) -> Iterator[Finding]:
    """Find monitors of FSSofia with a timeout that is too short to be sure."""
    for item, agent in written(config):
        for keys, operation in numbered(item) if agent == FSSOFIA else ():
            timeout = timeout_of(config, operation)
            if operation.name == "monitor" and parse_duration(timeout) < SHORTEST_MONITOR:
                yield "short-monitor", keys, f"its timeout is {timeout}"


def hasty(config: Config) -> Iterator[Finding]:
    """Find monitors with a short timeout, and resources of the service with rare monitors."""
    for item, agent in written(config):
        for keys, operation in monitors(item) if agent != FSSOFIA else ():
            timeout = timeout_of(config, operation)
            if parse_duration(timeout) < SHORTEST_TIMEOUT:
                message = f"the timeout is {timeout} (every {operation.interval})"
                yield "monitor-times", keys, message
    ids = frozenset(id for item in served(config) for id in needs(config, item.id))
    templates = {item.id: item for item in config.pacemaker.of("template")}
    rare: dict[Keys, str] = {}
    for item in config.pacemaker.of("primitive"):
        template = templates.get(str(item.spec.get("template", "")))
        repeated = [*monitors(item), *(monitors(template) if template else ())]
        if repeated and item.id in ids:
            keys, often = min(repeated, key=lambda entry: parse_duration(entry[1].interval))
            if parse_duration(often.interval) > LONGEST_INTERVAL:
                rare[keys] = f"it is checked only every {often.interval}"
    for keys, message in rare.items():
        yield "monitor-times", keys, message


def deep(config: Config) -> Iterator[Finding]:
    """Find FSSofias without a monitor by SIP OPTIONS."""
    for item in config.pacemaker.primitives():
        if item.agent != FSSOFIA:
            continue
        levels = [
            operation.attributes.get("params", NO_SETS).plain_values().get("OCF_CHECK_LEVEL", "0")
            for operation in operations(item)
            if operation.name == "monitor"
        ]
        if not any(level.isdecimal() and int(level) >= 10 for level in levels):
            keys = ("pacemaker", "resources", item.id, "operations")
            yield "no-deep-check", keys, "no monitor uses SIP OPTIONS"
