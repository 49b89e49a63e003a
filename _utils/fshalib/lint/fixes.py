"""The change of the pillar that mends a finding: keys and what stands there afterwards.

Each mend is a function from the configuration and the finding's key to such a change. Where it
takes more than the pillar (a fence device, a password, another cable) there is none, and the words
of ``fshalib.lint.rules`` have to do.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from fshalib.agents import FSSOFIA, FSSWITCH, is_fencing, is_fssofia_script, is_vip
from fshalib.cib.kinds import BY_KEY
from fshalib.cib.nvset import in_pillar
from fshalib.cib.objects import Object, Operation, operations
from fshalib.cib.values import parse_duration, score_value
from fshalib.lint.pillar_change import PM, PillarChange, leads_into_sets
from fshalib.lint.rules_failover import HELD_NODES, HOLDS, QUORUM_OF_TWO, is_pair
from fshalib.lint.rules_operations import (
    LONGEST_INTERVAL,
    METADATA,
    SHORTEST_TIMEOUT,
    needed_time,
    timeout_of,
)
from fshalib.lint.ties import beside, holders, named_by, starts_before
from fshalib.lint.topology import addresses, leaders, needs, pulls, settings, voices
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

MONITOR = {"name": "monitor", "interval": "5s", "timeout": "20s"}
DEEP = {"name": "monitor", "interval": "30s", "timeout": "30s", "params": {"OCF_CHECK_LEVEL": 10}}
STICKINESS, THRESHOLD, FORGET = "100", "1", "10min"
TOKEN = 3000
MOST_FAILURES = 10
"""More of them before a resource moves are as good as no threshold."""
SHORTEST_MEMORY = 60_000
"""Milliseconds after which a failure may be forgotten."""
_DEFAULTS: Keys = (PM, "rsc_defaults")


def change(code: str, keys: Keys, config: Config) -> PillarChange:
    """Return the change that mends a finding, empty when words have to do.

    code, keys
        As the check has told them.
    config
        What it was told of.
    """
    mend = MENDS.get(code)
    found = dict(mend(config, keys)) if mend else {}
    gone = [str(one[2]) for one, value in found.items() if value is None and len(one) == 3]
    if any(leads_into_sets(config, one) for one in found) or _tagged(config, gone):
        return {}
    return found


def _tagged(config: Config, ids: Iterable[str]) -> bool:
    """Tell whether a tag names any of some objects: it would name nothing without them."""
    named = {id for tag in config.pacemaker.of("tag") for id in tag.spec.get("references", ())}
    return bool(named & set(ids))


# --- helpers ---------------------------------------------------------------------------------


def _object(config: Config, keys: Keys) -> Object:
    """Return the object that a key belongs to."""
    kind = BY_KEY[str(keys[1])].name
    return next(item for item in config.pacemaker.of(kind) if item.id == keys[2])


def _home(item: Object) -> Keys:
    return (PM, next(key for key, kind in BY_KEY.items() if kind.name == item.kind), item.id)


def _operations(item: Object) -> list[dict[str, Any]]:
    return [in_pillar(operation) for operation in item.spec.get("operations", ())]


def _free(config: Config, id: str) -> str:
    """Return an id that no object has."""
    taken = {item.id for item in config.pacemaker.objects}
    numbered = (f"{id}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (id, *numbered) if one not in taken)


def _named(config: Config, id: str) -> bool:
    """Tell whether a constraint names a resource."""
    return any(
        id in named_by(item)
        for kind in ("location", "colocation", "order", "ticket")
        for item in config.pacemaker.of(kind)
    )


def _default(
    config: Config, items: Iterable[Object], name: str, value: str, bad: Callable[[str], bool]
) -> PillarChange:
    """Return the change that gives a default to all, and takes it from what says otherwise."""
    given = config.pacemaker.values("resource_defaults").get(name, "")
    told = [one for item in items for one in settings(config, item.id, name)]
    found: dict[Keys, Any] = {
        (*home, "meta", name): None for home, text in told if home != _DEFAULTS and bad(text)
    }
    if not given or bad(given):
        found.update({(*_DEFAULTS, name): value})
    return found


# --- one for each finding --------------------------------------------------------------------


def _gone(_config: Config, keys: Keys) -> PillarChange:
    return {keys: None}


def _quorate(config: Config, keys: Keys) -> PillarChange:
    """Leave the quorum of a pair to two_node, as it is by default."""
    found: dict[Keys, Any] = {keys: None}
    for name in () if is_pair(config) else QUORUM_OF_TWO:
        if name in config.corosync.quorum:
            found.update({("corosync", "quorum", name): None})
    return found


def _card(config: Config, keys: Keys) -> PillarChange:
    nic = _object(config, keys).values("params").get("nic", "")
    return {keys: nic.partition(":")[0]}


def _without(config: Config, keys: Keys) -> PillarChange:
    """Take a resource out of the pillar, if nothing but groups with other members name it."""
    id = keys[2]
    groups = [group for group in config.pacemaker.of("group") if id in group.members]
    if _named(config, str(id)) or any(len(group.members) == 1 for group in groups):
        return {}
    rest = {(*_home(g), "members"): [one for one in g.members if one != id] for g in groups}
    return {keys: None, **rest}


def _finite(config: Config, keys: Keys) -> PillarChange:
    item = _object(config, keys)
    score = next(pull.harmless for pull in pulls(config) if pull.score.keys == keys)
    if score == 0:
        return {}  # without stickiness there is none
    if keys[3] == "score":
        return {keys: str(score)}
    rules = [dict(rule) for rule in item.spec["rules"]]
    rules[int(keys[4])]["score"] = str(score)
    return {(*keys[:3], "rules"): rules}


def _no_clone(config: Config, keys: Keys) -> PillarChange:
    return {} if _named(config, str(keys[2])) else {keys: None}


def _own_id(config: Config, keys: Keys) -> PillarChange:
    id = _free(config, str(keys[2]).removeprefix("cli-"))
    return {keys: None, (*keys[:2], id): dict(_object(config, keys).spec)}


def _one_rule_each(config: Config, keys: Keys) -> PillarChange:
    item = _object(config, keys)
    found: dict[Keys, Any] = {keys[:3]: None}
    for number, rule in enumerate(item.spec["rules"], start=1):
        id = _free(config, f"{item.id}-{number}")
        found.update({(*keys[:2], id): {**item.spec, "rules": [rule]}})
    return found


def _threshold(config: Config, _keys: Keys) -> PillarChange:
    def bad(text: str) -> bool:
        return score_value(text) == 0 or score_value(text) > MOST_FAILURES

    items = [i for i in config.pacemaker.primitives() if not is_fencing(i.agent)]
    found = dict(_default(config, items, "migration-threshold", THRESHOLD, bad))
    if "failure-timeout" not in config.pacemaker.values("resource_defaults"):
        found.update({(*_DEFAULTS, "failure-timeout"): FORGET})
    return found


def _forget(config: Config, _keys: Keys) -> PillarChange:
    bad: Callable[[str], bool] = lambda text: parse_duration(text) < SHORTEST_MEMORY  # noqa: E731
    return _default(config, leaders(config), "failure-timeout", FORGET, bad)


def _stay(config: Config, _keys: Keys) -> PillarChange:
    bad: Callable[[str], bool] = lambda text: score_value(text) <= 0  # noqa: E731
    return _default(config, leaders(config), "resource-stickiness", STICKINESS, bad)


def _free_interval(config: Config, item: Object, seconds: int) -> str:
    """Return an interval that no monitor has: name and interval tell operations apart."""
    users = [one for one in config.pacemaker.primitives()
             if item.id in (one.id, one.spec.get("template"))]  # fmt: skip
    taken = {
        parse_duration(operation.interval)
        for one in (item, *users)
        for operation in operations(one)
        if operation.name == "monitor"
    }
    free = (n for n in range(seconds, seconds + 1 + len(taken)) if n * 1000 not in taken)
    return f"{next(free)}s"


def _monitored(config: Config, keys: Keys) -> PillarChange:
    item = _object(config, keys)
    kept = [one for one in _operations(item) if one.get("name") != "monitor" or "role" in one]
    return {keys: [{**MONITOR, "interval": _free_interval(config, item, 5)}, *kept]}


def _monitored_fence(config: Config, keys: Keys) -> PillarChange:
    monitor = {"name": "monitor", "interval": "60s", "timeout": "60s"}
    kept = [one for one in _operations(_object(config, keys)) if one.get("name") != "monitor"]
    return {keys: [monitor, *kept]}


def _patient(config: Config, keys: Keys) -> PillarChange:
    item = _object(config, keys)
    found = _operations(item)
    one = found[int(keys[4])]
    told = parse_duration(timeout_of(config, Operation("monitor", attributes=one)))
    if told < SHORTEST_TIMEOUT:
        one["timeout"] = MONITOR["timeout"]
    if parse_duration(str(one["interval"])) > LONGEST_INTERVAL:
        one["interval"] = _free_interval(config, item, 5)
    return {keys[:4]: found}


def _patient_with_agent(config: Config, keys: Keys) -> PillarChange:
    item = next(one for one in config.pacemaker.primitives() if one.id == keys[2])
    found = _operations(_object(config, keys))
    whole = {one.name: one for one in operations(item)}
    for name, limit in needed_time(config, item).items():
        told = whole.get(name, Operation(name))
        if parse_duration(timeout_of(config, told)) < limit.least:
            named = next((one for one in found if one.get("name") == name), None)
            if named is None:
                found.append(named := {"name": name})
            named["timeout"] = f"{-(-limit.least // 15_000) * 15}s"
    return {keys: found}


def _no_bind(_config: Config, keys: Keys) -> PillarChange:
    return {keys: False}


def _our_agent(config: Config, keys: Keys) -> PillarChange:
    # Nothing but the init script does what FSSofia does: another agent starts the switch itself.
    profiles = " ".join(config.freeswitch.profiles)
    item = _object(config, keys)
    alone = len(voices(config)) == 1 and not config.network.nonlocal_bind
    if not is_fssofia_script(item.agent) or not alone or not profiles or item.values("params"):
        return {}
    operations = [
        {**MONITOR, "timeout": "15s"}, DEEP,
        {"name": "start", "timeout": "60s"}, {"name": "stop", "timeout": "90s"},
    ]  # fmt: skip
    return {
        (*keys, "agent"): FSSOFIA,
        (*keys, "params"): {"profiles": profiles},
        (*keys, "operations"): operations,
    }


def _address_first(config: Config, keys: Keys) -> PillarChange:
    if keys[1] == "resources":
        near = beside(config, str(keys[2]))
        return _ordered(config, next(i.id for i in addresses(config) if i.id in near), keys[2])
    agents = {item.id: item.agent for item in config.pacemaker.primitives()}
    members = _object(config, keys).members
    return {keys: sorted(members, key=lambda one: not is_vip(agents.get(one, "")))}


def _tied(config: Config, keys: Keys) -> PillarChange:
    vip = next(item.id for item in addresses(config))
    id = str(keys[2])
    first = {} if starts_before(config, vip, id) else _ordered(config, vip, id)
    return {**_joined(config, id, vip), **first}


def _with_holders(config: Config, id: object) -> set[str]:
    return {str(id), *(item.id for item in holders(config, str(id)))}


def _joined(config: Config, id: str, other: str) -> PillarChange:
    """Keep a resource on the node of another one, by the constraint of the two if there is one."""
    names, others = _with_holders(config, id), _with_holders(config, other)
    for item in config.pacemaker.of("colocation"):
        spec = item.spec
        plain = not spec.get("lifetime") and spec.get("node-attribute", "#uname") == "#uname"
        if plain and spec.get("resource") in names and spec.get("with") in others:
            return {(*_home(item), "score"): "INFINITY"}
    new = _free(config, f"{id}-with-{other}")
    told = {"resource": id, "with": other, "score": "INFINITY"}
    return {(PM, "colocations", new): told}


def _ordered(config: Config, first: object, then: object) -> PillarChange:
    """Start a resource before another one, in place of the order of the two if there is one."""
    names, others = _with_holders(config, first), _with_holders(config, then)
    old = [
        item
        for item in config.pacemaker.of("order")
        for one, other in [(item.spec.get("first"), item.spec.get("then"))]
        if (one in names and other in others) or (other in names and one in others)
    ]
    left = [one for one in config.pacemaker.objects if one not in old]
    rest = replace(config.pacemaker, objects=tuple(left))
    if starts_before(replace(config, pacemaker=rest), str(then), str(first)):
        return {}  # a third thing puts them the other way round
    new = _free(config, f"{first}-then-{then}")
    gone: dict[Keys, Any] = {_home(item): None for item in old}
    return {**gone, (PM, "orders", new): {"first": first, "then": then}}


def _released(config: Config, keys: Keys) -> PillarChange:
    if keys[1] in ("properties", "rsc_defaults") or keys[-1] == "influence":
        return {keys: None}
    item = _object(config, keys)
    if item.kind == "node":
        told = item.values("attributes")
        return {(*keys, "attributes", name): None for name in HELD_NODES if name in told}
    told = item.values("meta")
    return {
        (*keys, "meta", name): None
        for name, holds in HOLDS.items()
        if name in told and holds(told[name])
    }


def _minded(config: Config, keys: Keys) -> PillarChange:
    if keys[1] == "op_defaults":
        return {keys: None}
    found = _operations(_object(config, keys))
    for name in ("on-fail", "enabled"):
        found[int(keys[4])].pop(name, None)
    return {keys[:4]: found}


def _flagged(config: Config, keys: Keys) -> PillarChange:
    if config.freeswitch.configuration is None:
        return {}  # the switch's configuration is somebody else's
    told = config.freeswitch.configuration.get("profiles", {})
    names = _object(config, keys).values("params").get("profiles", "").split()
    return {
        ("freeswitch", "configuration", "profiles", name, "standby"): "hot"
        for name in names
        if told.get(name, {}).get("standby") != "hot"
    }


def _token(_config: Config, keys: Keys) -> PillarChange:
    return {keys: TOKEN}


def _deep(config: Config, keys: Keys) -> PillarChange:
    item = _object(config, keys)
    return {keys: [*_operations(item), {**DEEP, "interval": _free_interval(config, item, 30)}]}


def _long_enough(config: Config, keys: Keys) -> PillarChange:
    found = _operations(_object(config, keys))
    found[int(keys[4])]["timeout"] = "15s"
    return {keys[:4]: found}


def _switch_agent(config: Config, keys: Keys) -> PillarChange:
    least = METADATA[FSSWITCH]
    template = _object(config, keys).spec.get("template")
    home = (PM, "templates", str(template)) if template else keys
    kept = [one for one in _operations(_object(config, home)) if one.get("name") not in least]
    more = [{"name": name, "timeout": f"{seconds}s"} for name, seconds in least.items()]
    return {(*home, "agent"): FSSWITCH, (*home, "operations"): [*kept, *more]}


def _with_switch(config: Config, keys: Keys) -> PillarChange:
    ids = {item.id for item in leaders(config)}
    group = next((g.id for g in config.pacemaker.of("group") if ids & set(g.members)), None)
    service = group or next(iter(sorted(ids)), None)
    if service is None:
        return {}
    clone = str(keys[2])
    found: dict[Keys, Any] = {}
    if not any(clone in needs(config, id) for id in ids):
        found.update(_joined(config, service, clone))
    if not any(starts_before(config, clone, id) for id in ids):
        found.update(_ordered(config, clone, service))
    return found


def _interleaved(_config: Config, keys: Keys) -> PillarChange:
    return {(*keys, "meta", "interleave"): True}


MENDS: Mapping[str, Callable[[Config, Keys], PillarChange]] = {
    "nic-alias": _card,
    "send-arp": _without,
    "infinite-preference": _finite,
    "strong-preference": _finite,
    "cli-id": _own_id,
    "several-rules": _one_rule_each,
    "migration-threshold": _threshold,
    "split-brain": _quorate,
    "lost-quorum": _quorate,
    "no-monitor": _monitored,
    "no-fence-monitor": _monitored_fence,
    "monitor-times": _patient,
    "agent-timeout": _patient_with_agent,
    "nonlocal-bind": _no_bind,
    "not-managed": _gone,
    "retired-key": _gone,
    "stop-can-fail": _our_agent,
    "wait-for-all": _gone,
    "failure-timeout": _forget,
    "vip-after-switch": _address_first,
    "not-together": _tied,
    "cloned-vip": _no_clone,
    "comes-back": _stay,
    "only-one-node": _gone,
    "held-by-pillar": _released,
    "failure-ignored": _minded,
    "hot-flag": _flagged,
    "token": _token,
    "no-deep-check": _deep,
    "switch-by-systemd": _switch_agent,
    "switch-apart": _with_switch,
    "switch-not-interleaved": _interleaved,
    "short-monitor": _long_enough,
}
WORDS_ONLY = frozenset(
    {"no-fencing", "no-fence-device", "no-service", "published-password", "single-link"}
)
"""Findings that no change of the pillar alone can mend."""
