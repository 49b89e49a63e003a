"""Will it really fail over? What in a configuration keeps a failover from being one.

See :mod:`rules`: each check is a function from the configuration to findings, and what is known
of a finding stands in :data:`KNOWN`.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping

from fshalib.agents import FSSOFIA, FSSWITCH, is_by_systemd, is_switch_unit, is_vip, is_voice
from fshalib.cib.objects import Object
from fshalib.cib.values import INFINITY, UnitError, parse_boolean, parse_duration, score_value
from fshalib.lint import obstacles, rules_operations
from fshalib.lint.finding import ERROR, HINT, Finding, KnownFinding
from fshalib.lint.ties import beside, holders, starts_before
from fshalib.lint.topology import (
    addresses,
    cloned,
    leaders,
    needs,
    served,
    settings,
    units,
    voices,
)
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

SLOWEST_TOKEN, FASTEST_TOKEN = 5000, 1000
"""Milliseconds of corosync's token: more makes a failover slow, less makes a pause a death."""

_RESOURCES: Keys = ("pacemaker", "resources")

KNOWN: Mapping[str, KnownFinding] = {
    "stop-can-fail": KnownFinding(
        "After a failed stop the cluster fences the node. Without fencing it blocks the resource "
        "on its node, and there is no failover",
        "Pacemaker Explained, on-fail of a stop: fence, or block without fencing",
        "use ocf:fsha:FSSofia, whose stop ends with a kill (in place of an agent that starts the "
        "switch itself; add ocf:fsha:FSSwitch as a clone), or configure fencing",
    ),
    "wait-for-all": KnownFinding(
        "After a power cut a node that boots alone then starts the service, although the other "
        "node may serve behind a broken network",
        "votequorum(5): two_node enables wait_for_all, unless it is overridden",
        "remove quorum:wait_for_all, or set it to 1",
    ),
    "lost-quorum": KnownFinding(
        "The remaining node has no quorum. The cluster stops the service there and does not start "
        "it",
        "votequorum(5): two_node, auto_tie_breaker; Pacemaker Explained, no-quorum-policy",
        "remove two_node and auto_tie_breaker: a pair has two_node by default",
        ERROR,
    ),
    "failure-timeout": KnownFinding(
        "A node that has failed once is not used again until somebody cleans up. After the second "
        "failure no node is left. Failures that are forgotten too soon never reach a threshold",
        "Pacemaker Explained, meta attribute failure-timeout: 0 (never) by default",
        "set failure-timeout: 10min beside the migration-threshold",
    ),
    "vip-after-switch": KnownFinding(
        "The profiles start before their address is there. A cold profile can't bind, and a hot "
        "one must not recover calls",
        "Pacemaker Explained, groups start in the order of their members; a colocation is not an "
        "order",
        "put the IPaddr2 before FSSofia in the group, or add an order (kind Mandatory)",
        ERROR,
    ),
    "not-together": KnownFinding(
        "Nothing keeps the profiles on the node of their address. After a failover they may be on "
        "two nodes, and no call gets through",
        "Pacemaker Explained, colocation: without a score it has no effect",
        "put both into one group, the address first",
        ERROR,
    ),
    "no-service": KnownFinding(
        "The cluster runs nothing that callers need, so nothing fails over",
        "examples/keeps_calls.sls",
        "add an IPaddr2 and an ocf:fsha:FSSofia, as a group",
        ERROR,
    ),
    "cloned-vip": KnownFinding(
        "A clone runs on all nodes at once. Two nodes then have the same address, or run the "
        "calls of the same profile, and nothing moves",
        "Pacemaker Explained, clones",
        "clone only the switch (ocf:fsha:FSSwitch), and keep address and profiles as a group",
        ERROR,
    ),
    "comes-back": KnownFinding(
        "Without stickiness the service moves again when a node comes back, which interrupts calls",
        "Pacemaker Explained, resource-stickiness: 0 by default",
        "set rsc_defaults: resource-stickiness: 100",
    ),
    "held-by-pillar": KnownFinding(
        "With this setting the service does not start on another node after a failure",
        "Pacemaker Explained: target-role, is-managed, maintenance, critical and influence, "
        "standby, and the properties with these names",
        "remove it from the pillar; for a limited time use fsha.maintenance",
        ERROR,
    ),
    "failure-ignored": KnownFinding(
        "The cluster records the failure and does not start the service on another node. If a "
        "failed stop is ignored, the address may stay on two nodes",
        "Pacemaker Explained, operation properties: on-fail, enabled",
        "remove on-fail (or enabled) from the operation, or from op_defaults",
        ERROR,
    ),
    "hot-flag": KnownFinding(
        "Without the flag a profile on the standby node answers calls, registers gateways and "
        "expires registrations while the other node serves. No status shows it",
        "FreeSWITCH's mod_sofia, parameter profile-standby",
        "set freeswitch:configuration:profiles:NAME:standby: hot, or make sure that the profile's "
        "own XML has profile-standby",
    ),
    "single-link": KnownFinding(
        "One broken cable or switch cuts the pair in two",
        "corosync.conf(5): up to eight links with transport knet",
        "give each node a second address in another network",
        HINT,
    ),
    "token": KnownFinding(
        "It is how long a node may be silent before it counts as dead. A much higher value delays "
        "every failover; a much lower one turns a busy moment into a failover",
        "corosync.conf(5), token: 3000 ms by default",
        "set totem:token between 1000 and 5000, or remove it",
        HINT,
    ),
    "no-deep-check": KnownFinding(
        "A profile may run and not answer calls. Only SIP OPTIONS shows that",
        "ocf:fsha:FSSofia, monitor of depth 10",
        "add {name: monitor, interval: 30s, timeout: 30s, params: {OCF_CHECK_LEVEL: 10}}",
        HINT,
    ),
    "switch-by-systemd": KnownFinding(
        "Pacemaker sets Restart=no for the unit, and counts a switch that was killed to keep its "
        "calls as failed. On Pacemaker 2.1.5 a cleanup while it starts leaves a fail count of "
        "INFINITY",
        "measured; Pacemaker's drop-in for units that it starts",
        "use ocf:fsha:FSSwitch for the clone, see examples/keeps_calls.sls",
    ),
    "switch-apart": KnownFinding(
        "The service may start on a node whose switch does not work",
        "Pacemaker Explained, ordering and colocation",
        "add a colocation of the group with the clone (INFINITY), and an order: clone, then group",
    ),
    "switch-not-interleaved": KnownFinding(
        "A second clone that depends on this one would wait for all of its nodes. Anything that "
        "is not a clone is not affected",
        "Pacemaker Explained, clone option interleave: false by default; simulated",
        "set meta: {interleave: true} on the clone",
        HINT,
    ),
    "short-monitor": KnownFinding(
        "FSSofia needs several seconds to be sure that a switch hangs. A shorter timeout turns a "
        "slow answer into a failover",
        "ocf:fsha:FSSofia: 1.5 s to connect, 2.5 s for each answer",
        "give its monitor a timeout of 15s",
    ),
}


def _fences(config: Config) -> bool:
    return parse_boolean(config.pacemaker.values("properties").get("stonith-enabled", "true"))


def _stops(config: Config) -> Iterator[Finding]:
    if _fences(config):
        return
    for item in voices(config):
        if item.agent != FSSOFIA:
            message = f"a stop of {item.agent} that takes too long fails, and there is no fencing"
            yield "stop-can-fail", (*_RESOURCES, item.id), message


def _waiting(config: Config) -> Iterator[Finding]:
    told = config.corosync.quorum.get("wait_for_all")
    if len(config.nodes) == 2 and told in (0, False, "0", "false"):
        yield "wait-for-all", ("corosync", "quorum", "wait_for_all"), "it is switched off"


QUORUM_OF_TWO = ("two_node", "auto_tie_breaker", "auto_tie_breaker_node")
"""What decides which of two nodes keeps quorum."""


def is_pair(config: Config) -> bool:
    """Tell whether there are two nodes of which each keeps quorum alone (two_node)."""
    told = config.corosync.quorum.get("two_node", True)
    return len(config.nodes) == 2 and told not in (0, False, "0", "false")


def _quorum(config: Config) -> Iterator[Finding]:
    policy = config.pacemaker.values("properties").get("no-quorum-policy", "stop")
    if len(config.nodes) != 2 or is_pair(config) or policy == "ignore":
        return
    told = config.corosync.quorum
    if told.get("auto_tie_breaker"):
        node = told.get("auto_tie_breaker_node", "lowest")
        message = f"only one node keeps quorum when it is alone ({node})"
        yield "lost-quorum", ("corosync", "quorum", "auto_tie_breaker"), message
    else:
        message = "it is switched off, and 1 of 2 votes is not a majority"
        yield "lost-quorum", ("corosync", "quorum", "two_node"), message


def _forgetting(config: Config) -> Iterator[Finding]:
    keys = ("pacemaker", "rsc_defaults", "failure-timeout")
    for item in leaders(config):
        threshold = settings(config, item.id, "migration-threshold")
        if not threshold or score_value(threshold[0][1]) in (0, INFINITY):
            continue  # that is another finding
        timeout = settings(config, item.id, "failure-timeout")
        if not timeout or parse_duration(timeout[0][1]) == 0:
            yield "failure-timeout", keys, f"failures of {item.id} are never forgotten"
            continue
        often = [parse_duration(one.interval) for _, one in rules_operations.monitors(item)]
        forgotten = parse_duration(timeout[0][1]) <= min(often, default=0)
        if score_value(threshold[0][1]) > 1 and forgotten:
            message = f"failures of {item.id} are forgotten before a monitor finds the next one"
            yield "failure-timeout", keys, message


def _together(config: Config) -> Iterator[Finding]:
    vips = [item.id for item in addresses(config)]
    for item in voices(config) if vips else ():
        near = beside(config, item.id)
        own = [id for id in vips if id in near]
        if not own:
            message = f"nothing keeps {item.id} together with {' or '.join(vips)}"
            yield "not-together", (*_RESOURCES, item.id), message
            continue
        grouped = False
        for group in config.pacemaker.of("group"):
            if item.id in group.members and set(group.members) & set(own):
                grouped = True
                late = [id for id in _after(group.members, item.id) if id in vips]
                if late:
                    keys = ("pacemaker", "groups", group.id, "members")
                    yield "vip-after-switch", keys, f"{', '.join(late)} comes after {item.id}"
        if not grouped and not any(starts_before(config, id, item.id) for id in own):
            message = f"nothing starts {' or '.join(own)} before {item.id}"
            yield "vip-after-switch", (*_RESOURCES, item.id), message


def _cloned(config: Config) -> Iterator[Finding]:
    agents = {item.id: item.agent for item in config.pacemaker.primitives()}
    for clone, ids in cloned(config):
        if clone.values("meta").get("clone-max") == "1":
            continue
        # The switch itself may be a clone, by whatever agent; its profiles may not.
        inner = ids != clone.members
        moving = [
            id
            for id in ids
            if is_vip(agents.get(id, ""))
            or agents.get(id) == FSSOFIA
            or (inner and is_voice(agents.get(id, ""), config.freeswitch.service))
        ]
        if moving:
            message = f"{' and '.join(moving)} would run on every node"
            yield "cloned-vip", ("pacemaker", "clones", clone.id), message


def _after(members: tuple[str, ...], id: str) -> tuple[str, ...]:
    return members[members.index(id) + 1 :]


def _staying(config: Config) -> Iterator[Finding]:
    for item in leaders(config):
        found = settings(config, item.id, "resource-stickiness")
        if not found or score_value(found[0][1]) <= 0:
            keys = ("pacemaker", "rsc_defaults", "resource-stickiness")
            yield "comes-back", keys, f"{item.id} does not stay on its node"


HOLDS: Mapping[str, Callable[[str], bool]] = {  # meta attribute → does it hold a resource still?
    "target-role": lambda text: text.lower() == "stopped",
    "is-managed": lambda text: not parse_boolean(text),
    "maintenance": parse_boolean,
    "critical": lambda text: not parse_boolean(text),
}
HELD_PROPERTIES: Mapping[str, str] = {
    "maintenance-mode": "the whole cluster is in maintenance mode",
    "stop-all-resources": "all resources are stopped",
    "shutdown-lock": "resources of a node that is shut down wait until it comes back",
}


def _held(config: Config) -> Iterator[Finding]:
    ids = frozenset[str]().union(*units(config))
    profiles = [item.id for item in voices(config)]
    told: dict[tuple[Keys, str], str] = {}
    for item in config.pacemaker.primitives():
        for name, holds in HOLDS.items() if item.id in ids else ():
            found = settings(config, item.id, name)
            # What nothing else stands before may be uncritical: it moves all the same.
            if name != "critical" or item.id in profiles:
                told.update({(home, name): text for home, text in found[:1] if _is(holds, text)})
    for (home, name), text in told.items():
        keys = (*home, name) if len(home) == 2 else home
        yield "held-by-pillar", keys, f"{name} is {text}"
    values = config.pacemaker.values("properties")
    for name, message in HELD_PROPERTIES.items():
        if _is(parse_boolean, values.get(name, "false")):
            yield "held-by-pillar", ("pacemaker", "properties", name), message
    yield from _without_influence(config)


def _without_influence(config: Config) -> Iterator[Finding]:
    names = [
        {one for item in items for one in (item.id, *(h.id for h in holders(config, item.id)))}
        for items in (voices(config), addresses(config))
    ]
    for item in config.pacemaker.of("colocation"):
        named = item.spec.get("resource"), item.spec.get("with")
        aloof = not _is(parse_boolean, str(item.spec.get("influence", "true")))
        if aloof and named[0] in names[0] and named[1] in names[1]:
            keys = ("pacemaker", "colocations", item.id, "influence")
            yield "held-by-pillar", keys, f"a failure of {named[0]} does not move {named[1]}"


def _is(judge: Callable[[str], bool], text: str) -> bool:
    try:
        return judge(text)
    except UnitError:
        return False


def _flags(config: Config) -> Iterator[Finding]:
    told = (config.freeswitch.configuration or {}).get("profiles", {})
    for item in config.pacemaker.primitives():
        params = item.values("params")
        if item.agent != FSSOFIA or params.get("standby") != "hot":
            continue
        without = [
            name
            for name in params.get("profiles", "").split()
            if told.get(name, {}).get("standby") != "hot"
        ]
        if without:
            message = f"the formula does not set the standby flag for {', '.join(without)}"
            yield "hot-flag", (*_RESOURCES, item.id, "params", "standby"), message


def _ring(config: Config) -> Iterator[Finding]:
    for node in config.nodes[:1]:
        networks = [ipaddress.ip_interface(address).network for address in node.addresses]
        if len(networks) == 1:
            given = ("corosync", "links") if config.corosync.links else ()
            yield "single-link", given or ("nodes", node.name, "addresses"), "there is one link"
        elif len(set(networks)) < len(networks):
            message = "two links are in the same network, with one card and one switch"
            yield "single-link", ("nodes", node.name, "addresses"), message
    token = config.corosync.totem.get("token")
    if token is not None and not FASTEST_TOKEN <= int(token) <= SLOWEST_TOKEN:
        yield "token", ("corosync", "totem", "token"), f"it is {token} ms"


def _nothing(config: Config) -> Iterator[Finding]:
    if not served(config) and not any(True for _ in _cloned(config)):
        message = "there is neither a floating address nor FreeSWITCH"
        yield "no-service", _RESOURCES, message


def _switches(config: Config) -> Iterator[Finding]:
    for item in config.pacemaker.primitives():
        clones = [c for c in config.pacemaker.of("clone") if item.id in c.members]
        by_host = is_switch_unit(item.agent, config.freeswitch.service)
        if clones and by_host and is_by_systemd(item.agent):
            yield "switch-by-systemd", (*_RESOURCES, item.id), f"the agent is {item.agent}"
        for clone in clones if by_host or item.agent == FSSWITCH else ():
            keys = ("pacemaker", "clones", clone.id)
            if not _is(parse_boolean, str(clone.values("meta").get("interleave", "false"))):
                yield "switch-not-interleaved", keys, "interleave is not set"
            missing = _missing(config, clone)
            if missing:
                yield "switch-apart", keys, f"nothing is {' or '.join(missing)} with it"


def _missing(config: Config, clone: Object) -> list[str]:
    """Return what is missing between the service and the clone of its switch."""
    ids = [item.id for item in leaders(config)]
    found = []
    if not any(clone.id in needs(config, id) for id in ids):
        found.append("colocated")
    if not any(starts_before(config, clone.id, id) for id in ids):
        found.append("ordered")
    return found


CHECKS = (
    _nothing, _held, _cloned, _together, *obstacles.CHECKS, rules_operations.ignored,
    rules_operations.short, _stops, _waiting, _quorum, _forgetting, _staying, _switches,
    rules_operations.deep, _flags, _ring,
)  # fmt: skip
