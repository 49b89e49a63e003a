"""Mends of operations: monitors, timeouts, ignored failures. See ``fshalib.lint.fixes``."""

from fshalib.cib.objects import Object, Operation, operations
from fshalib.cib.values import parse_duration
from fshalib.lint.pillar_change import PillarChange, object_at, operations_of
from fshalib.lint.rules_operations import (
    LONGEST_INTERVAL,
    SHORTEST_TIMEOUT,
    needed_time,
    timeout_of,
)
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

MONITOR = {"name": "monitor", "interval": "5s", "timeout": "20s"}
DEEP = {"name": "monitor", "interval": "30s", "timeout": "30s", "params": {"OCF_CHECK_LEVEL": 10}}


def free_interval(config: Config, item: Object, seconds: int) -> str:
    """Return an interval that no monitor has; name and interval identify an operation."""
    users = [user for user in config.pacemaker.primitives()
             if item.id in (user.id, user.spec.get("template"))]  # fmt: skip
    taken = {
        parse_duration(operation.interval)
        for user in (item, *users)
        for operation in operations(user)
        if operation.name == "monitor"
    }
    free = (n for n in range(seconds, seconds + 1 + len(taken)) if n * 1000 not in taken)
    return f"{next(free)}s"


def monitored(config: Config, keys: Keys) -> PillarChange:
    """Give a resource a monitor."""
    item = object_at(config, keys)
    kept = [
        operation
        for operation in operations_of(item)
        if operation.get("name") != "monitor" or "role" in operation
    ]
    return {keys: [{**MONITOR, "interval": free_interval(config, item, 5)}, *kept]}


def monitored_fence(config: Config, keys: Keys) -> PillarChange:
    """Give a fence device a monitor."""
    monitor = {"name": "monitor", "interval": "60s", "timeout": "60s"}
    kept = [
        operation
        for operation in operations_of(object_at(config, keys))
        if operation.get("name") != "monitor"
    ]
    return {keys: [monitor, *kept]}


def with_good_times(config: Config, keys: Keys) -> PillarChange:
    """Give a monitor a longer timeout, a shorter interval, or both."""
    item = object_at(config, keys)
    items = operations_of(item)
    operation = items[int(keys[4])]
    timeout = parse_duration(timeout_of(config, Operation("monitor", attributes=operation)))
    if timeout < SHORTEST_TIMEOUT:
        operation["timeout"] = MONITOR["timeout"]
    if parse_duration(str(operation["interval"])) > LONGEST_INTERVAL:
        operation["interval"] = free_interval(config, item, 5)
    return {keys[:4]: items}


def with_agent_timeouts(config: Config, keys: Keys) -> PillarChange:
    """Give start and stop the time that the agent needs."""
    item = next(primitive for primitive in config.pacemaker.primitives() if primitive.id == keys[2])
    items = operations_of(object_at(config, keys))
    by_name = {own.name: own for own in operations(item)}
    for name, limit in needed_time(config, item).items():
        operation = by_name.get(name, Operation(name))
        if parse_duration(timeout_of(config, operation)) < limit.least:
            given = next((i for i in items if i.get("name") == name), None)
            if given is None:
                items.append(given := {"name": name})
            given["timeout"] = f"{-(-limit.least // 15_000) * 15}s"
    return {keys: items}


def without_ignored_failures(config: Config, keys: Keys) -> PillarChange:
    """Remove on-fail and enabled from an operation, or from the defaults."""
    if keys[1] == "op_defaults":
        return {keys: None}
    items = operations_of(object_at(config, keys))
    for name in ("on-fail", "enabled"):
        items[int(keys[4])].pop(name, None)
    return {keys[:4]: items}


def with_deep_check(config: Config, keys: Keys) -> PillarChange:
    """Add a monitor by SIP OPTIONS."""
    item = object_at(config, keys)
    return {keys: [*operations_of(item), {**DEEP, "interval": free_interval(config, item, 30)}]}


def with_longer_monitor(config: Config, keys: Keys) -> PillarChange:
    """Give a monitor of FSSofia enough time."""
    items = operations_of(object_at(config, keys))
    items[int(keys[4])]["timeout"] = "15s"
    return {keys[:4]: items}
