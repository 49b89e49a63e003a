"""The change of the pillar that mends a finding: keys and their new values.

Each mend is a function from the configuration and the finding's key to such a change. A finding
that needs more than the pillar (a fence device, a password, another cable) has none, only the words
of ``fshalib.lint.rules``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from fshalib.agents import FSSOFIA, FSSWITCH, is_fencing, is_fssofia_script, is_vip
from fshalib.cib.objects import Object
from fshalib.cib.values import parse_duration, score_value
from fshalib.lint.fixes_operations import (
    DEEP,
    MONITOR,
    monitored,
    monitored_fence,
    with_agent_timeouts,
    with_deep_check,
    with_good_times,
    with_longer_monitor,
    without_ignored_failures,
)
from fshalib.lint.obstacles import HELD_NODES
from fshalib.lint.pillar_change import (
    PM,
    PillarChange,
    home_of,
    leads_into_sets,
    object_at,
    operations_of,
)
from fshalib.lint.rules_failover import HOLDS, QUORUM_OF_TWO, is_pair
from fshalib.lint.rules_operations import METADATA
from fshalib.lint.ties import beside, holders, named_by, starts_before
from fshalib.lint.topology import addresses, leaders, needs, pulls, settings, voices
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

STICKINESS, THRESHOLD, FORGET = "100", "1", "10min"
TOKEN = 3000
MOST_FAILURES = 10
"""A higher threshold is as good as none."""
SHORTEST_MEMORY = 60_000
"""Milliseconds after which a failure may be forgotten."""
_DEFAULTS: Keys = (PM, "rsc_defaults")


def change(code: str, keys: Keys, config: Config) -> PillarChange:
    """Return the change that mends a finding, empty if no change of the pillar does.

    code, keys
        The finding's code and its key in the pillar.
    config
        The checked configuration with the finding.
    """
    mend = MENDS.get(code)
    fix = dict(mend(config, keys)) if mend else {}
    removed = [str(place[2]) for place, value in fix.items() if value is None and len(place) == 3]
    if any(leads_into_sets(config, place) for place in fix) or _tagged(config, removed):
        return {}
    return fix


def _tagged(config: Config, ids: Iterable[str]) -> bool:
    """Tell whether a tag names any of some objects; without them it would refer to nothing."""
    named = {id for tag in config.pacemaker.of("tag") for id in tag.spec.get("references", ())}
    return bool(named & set(ids))


# --- helpers ---------------------------------------------------------------------------------


def _free_id(config: Config, id: str) -> str:
    """Return a free id, with a number if the given one is taken."""
    taken = {item.id for item in config.pacemaker.objects}
    numbered = (f"{id}-{number}" for number in range(2, len(taken) + 3))
    return next(candidate for candidate in (id, *numbered) if candidate not in taken)


def _named(config: Config, id: str) -> bool:
    """Tell whether a constraint names a resource."""
    return any(
        id in named_by(item)
        for kind in ("location", "colocation", "order", "ticket")
        for item in config.pacemaker.of(kind)
    )


def _with_default(
    config: Config, items: Iterable[Object], name: str, value: str, bad: Callable[[str], bool]
) -> PillarChange:
    """Return the change that sets a default for all, and removes bad values of single resources."""
    given = config.pacemaker.values("resource_defaults").get(name, "")
    places = [place for item in items for place in settings(config, item.id, name)]
    fix: dict[Keys, Any] = {
        (*home, "meta", name): None for home, text in places if home != _DEFAULTS and bad(text)
    }
    if not given or bad(given):
        fix.update({(*_DEFAULTS, name): value})
    return fix


# --- one for each finding --------------------------------------------------------------------


def _remove_key(_config: Config, keys: Keys) -> PillarChange:
    return {keys: None}


def _quorate(config: Config, keys: Keys) -> PillarChange:
    """Leave the quorum of a pair to two_node, which is the default."""
    fix: dict[Keys, Any] = {keys: None}
    for name in () if is_pair(config) else QUORUM_OF_TWO:
        if name in config.corosync.quorum:
            fix.update({("corosync", "quorum", name): None})
    return fix


def _card_of_alias(config: Config, keys: Keys) -> PillarChange:
    nic = object_at(config, keys).values("params").get("nic", "")
    return {keys: nic.partition(":")[0]}


def _without(config: Config, keys: Keys) -> PillarChange:
    """Remove a resource from the pillar, if only groups with other members name it."""
    id = keys[2]
    groups = [group for group in config.pacemaker.of("group") if id in group.members]
    if _named(config, str(id)) or any(len(group.members) == 1 for group in groups):
        return {}
    rest = {
        (*home_of(g), "members"): [member for member in g.members if member != id] for g in groups
    }
    return {keys: None, **rest}


def _finite_score(config: Config, keys: Keys) -> PillarChange:
    item = object_at(config, keys)
    score = next(pull.harmless for pull in pulls(config) if pull.score.keys == keys)
    if score == 0:
        return {}  # without stickiness no score is harmless
    if keys[3] == "score":
        return {keys: str(score)}
    rules = [dict(rule) for rule in item.spec["rules"]]
    rules[int(keys[4])]["score"] = str(score)
    return {(*keys[:3], "rules"): rules}


def _no_clone(config: Config, keys: Keys) -> PillarChange:
    return {} if _named(config, str(keys[2])) else {keys: None}


def _own_id(config: Config, keys: Keys) -> PillarChange:
    id = _free_id(config, str(keys[2]).removeprefix("cli-"))
    return {keys: None, (*keys[:2], id): dict(object_at(config, keys).spec)}


def _one_rule_each(config: Config, keys: Keys) -> PillarChange:
    item = object_at(config, keys)
    fix: dict[Keys, Any] = {keys[:3]: None}
    for number, rule in enumerate(item.spec["rules"], start=1):
        id = _free_id(config, f"{item.id}-{number}")
        fix.update({(*keys[:2], id): {**item.spec, "rules": [rule]}})
    return fix


def _threshold(config: Config, _keys: Keys) -> PillarChange:
    def bad(text: str) -> bool:
        return score_value(text) == 0 or score_value(text) > MOST_FAILURES

    items = [i for i in config.pacemaker.primitives() if not is_fencing(i.agent)]
    fix = dict(_with_default(config, items, "migration-threshold", THRESHOLD, bad))
    if "failure-timeout" not in config.pacemaker.values("resource_defaults"):
        fix.update({(*_DEFAULTS, "failure-timeout"): FORGET})
    return fix


def _failure_timeout(config: Config, _keys: Keys) -> PillarChange:
    bad: Callable[[str], bool] = lambda text: parse_duration(text) < SHORTEST_MEMORY  # noqa: E731
    return _with_default(config, leaders(config), "failure-timeout", FORGET, bad)


def _stickiness(config: Config, _keys: Keys) -> PillarChange:
    bad: Callable[[str], bool] = lambda text: score_value(text) <= 0  # noqa: E731
    return _with_default(config, leaders(config), "resource-stickiness", STICKINESS, bad)


def _no_bind(_config: Config, keys: Keys) -> PillarChange:
    return {keys: False}


def _our_agent(config: Config, keys: Keys) -> PillarChange:
    # Only the init script does the same as FSSofia; other agents start the switch itself.
    profiles = " ".join(config.freeswitch.profiles)
    item = object_at(config, keys)
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
    members = object_at(config, keys).members
    return {keys: sorted(members, key=lambda member: not is_vip(agents.get(member, "")))}


def _together(config: Config, keys: Keys) -> PillarChange:
    vip = next(item.id for item in addresses(config))
    id = str(keys[2])
    first = {} if starts_before(config, vip, id) else _ordered(config, vip, id)
    return {**_colocated(config, id, vip), **first}


def _with_holders(config: Config, id: object) -> set[str]:
    return {str(id), *(item.id for item in holders(config, str(id)))}


def _colocated(config: Config, id: str, other: str) -> PillarChange:
    """Keep a resource on the node of another one; an existing constraint of the two is changed."""
    names, others = _with_holders(config, id), _with_holders(config, other)
    for item in config.pacemaker.of("colocation"):
        spec = item.spec
        plain = not spec.get("lifetime") and spec.get("node-attribute", "#uname") == "#uname"
        if plain and spec.get("resource") in names and spec.get("with") in others:
            return {(*home_of(item), "score"): "INFINITY"}
    new = _free_id(config, f"{id}-with-{other}")
    new_spec = {"resource": id, "with": other, "score": "INFINITY"}
    return {(PM, "colocations", new): new_spec}


def _ordered(config: Config, first: object, then: object) -> PillarChange:
    """Start a resource before another one; an existing order of the two is replaced."""
    names, others = _with_holders(config, first), _with_holders(config, then)
    old = [
        item
        for item in config.pacemaker.of("order")
        for before, after in [(item.spec.get("first"), item.spec.get("then"))]
        if (before in names and after in others) or (after in names and before in others)
    ]
    left = [before for before in config.pacemaker.objects if before not in old]
    rest = replace(config.pacemaker, objects=tuple(left))
    if starts_before(replace(config, pacemaker=rest), str(then), str(first)):
        return {}  # a third thing puts them the other way round
    new = _free_id(config, f"{first}-then-{then}")
    gone: dict[Keys, Any] = {home_of(item): None for item in old}
    return {**gone, (PM, "orders", new): {"first": first, "then": then}}


def _without_holds(config: Config, keys: Keys) -> PillarChange:
    if keys[1] in ("properties", "rsc_defaults") or keys[-1] == "influence":
        return {keys: None}
    item = object_at(config, keys)
    if item.kind == "node":
        values = item.values("attributes")
        return {(*keys, "attributes", name): None for name in HELD_NODES if name in values}
    values = item.values("meta")
    return {
        (*keys, "meta", name): None
        for name, holds in HOLDS.items()
        if name in values and holds(values[name])
    }


def _hot_profiles(config: Config, keys: Keys) -> PillarChange:
    if config.freeswitch.configuration is None:
        return {}  # the switch's configuration is somebody else's
    profiles = config.freeswitch.configuration.get("profiles", {})
    names = object_at(config, keys).values("params").get("profiles", "").split()
    return {
        ("freeswitch", "configuration", "profiles", name, "standby"): "hot"
        for name in names
        if profiles.get(name, {}).get("standby") != "hot"
    }


def _token(_config: Config, keys: Keys) -> PillarChange:
    return {keys: TOKEN}


def _switch_agent(config: Config, keys: Keys) -> PillarChange:
    least = METADATA[FSSWITCH]
    template = object_at(config, keys).spec.get("template")
    home = (PM, "templates", str(template)) if template else keys
    kept = [
        operation
        for operation in operations_of(object_at(config, home))
        if operation.get("name") not in least
    ]
    more = [{"name": name, "timeout": f"{seconds}s"} for name, seconds in least.items()]
    return {(*home, "agent"): FSSWITCH, (*home, "operations"): [*kept, *more]}


def _with_switch(config: Config, keys: Keys) -> PillarChange:
    ids = {item.id for item in leaders(config)}
    group = next((g.id for g in config.pacemaker.of("group") if ids & set(g.members)), None)
    service = group or next(iter(sorted(ids)), None)
    if service is None:
        return {}
    clone = str(keys[2])
    fix: dict[Keys, Any] = {}
    if not any(clone in needs(config, id) for id in ids):
        fix.update(_colocated(config, service, clone))
    if not any(starts_before(config, clone, id) for id in ids):
        fix.update(_ordered(config, clone, service))
    return fix


def _interleaved(_config: Config, keys: Keys) -> PillarChange:
    return {(*keys, "meta", "interleave"): True}


def _announced_later(_config: Config, keys: Keys) -> PillarChange:
    return {(*keys, "params", "arp_bg"): "true"}


def _over_udp(config: Config, _keys: Keys) -> PillarChange:
    """Leave the protocol of each link to its default."""
    links = [
        {name: value for name, value in link.items() if name != "knet_transport"}
        for link in config.corosync.links
    ]
    return {("corosync", "links"): links}


MENDS: Mapping[str, Callable[[Config, Keys], PillarChange]] = {
    "nic-alias": _card_of_alias,
    "send-arp": _without,
    "infinite-preference": _finite_score,
    "strong-preference": _finite_score,
    "cli-id": _own_id,
    "several-rules": _one_rule_each,
    "migration-threshold": _threshold,
    "split-brain": _quorate,
    "lost-quorum": _quorate,
    "no-monitor": monitored,
    "no-fence-monitor": monitored_fence,
    "monitor-times": with_good_times,
    "agent-timeout": with_agent_timeouts,
    "nonlocal-bind": _no_bind,
    "not-managed": _remove_key,
    "retired-key": _remove_key,
    "stop-can-fail": _our_agent,
    "wait-for-all": _remove_key,
    "failure-timeout": _failure_timeout,
    "vip-after-switch": _address_first,
    "not-together": _together,
    "cloned-vip": _no_clone,
    "comes-back": _stickiness,
    "only-one-node": _remove_key,
    "kept-apart": _remove_key,
    "needs-ticket": _remove_key,
    "held-by-pillar": _without_holds,
    "failure-ignored": without_ignored_failures,
    "hot-flag": _hot_profiles,
    "token": _token,
    "no-deep-check": with_deep_check,
    "switch-by-systemd": _switch_agent,
    "switch-apart": _with_switch,
    "switch-not-interleaved": _interleaved,
    "short-monitor": with_longer_monitor,
    "ipv6-announcement": _announced_later,
    "link-sctp": _over_udp,
}
WORDS_ONLY = frozenset(
    {"failed-there", "may-part", "no-fence-device", "no-fencing", "no-quorum", "no-room"}
    | {"no-service", "node-away", "not-granted", "published-password", "single-link"}
    | {"transport-udp", "transport-udpu", "no-cipher", "routed-link", "vip-elsewhere"}
    | {"ipv6-dad", "slow-bmc", "short-fencing", "waits-for-nothing"}
)
"""Findings that no change of the pillar alone mends."""
