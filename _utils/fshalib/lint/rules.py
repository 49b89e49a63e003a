"""Rules: what works but is not advised, with the reason and the mend.

Each check is a function from the configuration to findings with their places. The reason, source
and mend of a finding are in :data:`KNOWN`. A new check is one entry and one function.
"""

from collections.abc import Callable, Iterator, Mapping

from fshalib.agents import IPADDR2, SENDARP, is_fencing, is_fssofia_script
from fshalib.cib import watchdog
from fshalib.cib.kinds import KINDS
from fshalib.cib.objects import Object, Operation, operations
from fshalib.cib.options import SERVER_WRITTEN
from fshalib.cib.values import INFINITY, parse_boolean, parse_duration, score_value
from fshalib.lint.finding import ERROR, HINT, Finding, KnownFinding
from fshalib.lint.fixes import MOST_FAILURES
from fshalib.lint.rules_operations import hasty, monitors, needed_time, timeout_of
from fshalib.lint.topology import cloned, needs, pulls, served, settings
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys, quoted

PUBLISHED_PASSWORDS = frozenset({"ClueCon"})


KNOWN: Mapping[str, KnownFinding] = {
    "nic-alias": KnownFinding(
        "For today's kernels an alias is only a label on an address, not an interface. The agents "
        "need the name of the card",
        "metadata of ocf:heartbeat:IPaddr2, parameters nic and iflabel",
        "name only the card (eth0); put a label into iflabel",
    ),
    "send-arp": KnownFinding(
        "IPaddr2 announces its address to the network by itself, five times. A second announcer "
        "is only one more resource that can fail and move the group",
        "ocf:heartbeat:IPaddr2, parameters arp_count and arp_bg",
        "remove the SendArp resource from the group and from resources",
    ),
    "infinite-preference": KnownFinding(
        "No stickiness outweighs infinity. A switchover away from the preferred node does nothing "
        "or is undone at once. A repaired node pulls all calls back, which interrupts them again",
        "Pacemaker Explained, scores: INFINITY plus anything is INFINITY",
        "use a score below the resource-stickiness of all members together, at most half of it",
    ),
    "strong-preference": KnownFinding(
        "A preference above the stickiness of all members pulls the calls back as soon as a "
        "repaired node returns, which interrupts them again",
        "Pacemaker Explained, resource-stickiness: that of a group is the sum of its members'",
        "use a score below the resource-stickiness of all members together, at most half of it",
    ),
    "cli-id": KnownFinding(
        "Ids that begin with cli- belong to crm_resource. Its --move replaces such a constraint, "
        "its --clear removes it, and the next run of the formula puts it back",
        "crm_resource(8), --move, --ban and --clear",
        "give the constraint an id of its own (prefer-NODE)",
    ),
    "migration-threshold": KnownFinding(
        "Without a migration-threshold a resource that fails is restarted on its node, however "
        "often. Only a failed start makes it fail over, and not even that with "
        "start-failure-is-fatal: false",
        "Pacemaker Explained, meta attribute migration-threshold: INFINITY by default",
        "set migration-threshold: 1 and a failure-timeout in rsc_defaults",
        ERROR,
    ),
    "split-brain": KnownFinding(
        "With fencing off and lost quorum ignored, a cut between the nodes gives both of them the "
        "floating address, and each takes over the other's calls",
        "votequorum(5), two_node; Pacemaker Explained, no-quorum-policy",
        "remove no-quorum-policy: ignore (corosync's two_node, on by default, gives the survivor "
        "quorum), and configure fencing",
        ERROR,
    ),
    "no-fencing": KnownFinding(
        "Without fencing a node that hangs may keep the floating address, and a failed stop "
        "blocks the failover",
        "Pacemaker Explained, stonith-enabled",
        "configure a fence device on real hosts and set stonith-enabled: true",
    ),
    "no-fence-device": KnownFinding(
        "With fencing on and no fence device the cluster starts nothing. If the device is "
        "stopped, the cluster waits for ever for a lost node to be fenced",
        "Pacemaker Explained, stonith-enabled; crm_verify refuses a configuration without a device",
        "add a resource of class stonith, or set stonith-enabled: false where there is no fencing",
        ERROR,
    ),
    "no-monitor": KnownFinding(
        "The cluster notices no failure of a resource without a monitor",
        "Pacemaker Explained, resource operations",
        "add {name: monitor, interval: 5s, timeout: 20s} to its operations",
        ERROR,
    ),
    "no-fence-monitor": KnownFinding(
        "Without a monitor, a broken fence device shows only when a node must be fenced, and then "
        "the failover waits",
        "Pacemaker Explained, fencing: a monitor asks the device for its status",
        "add {name: monitor, interval: 60s, timeout: 60s} to its operations",
    ),
    "monitor-times": KnownFinding(
        "The two numbers are easily swapped. timeout is how long one monitor may take: a short "
        "one turns a busy moment into a failover. interval is the pause between two monitors: in "
        "that time nobody notices a failure",
        "Pacemaker Explained, operation properties",
        "give the monitor a timeout of 20s, and one monitor of each resource an interval of 5s",
    ),
    "agent-timeout": KnownFinding(
        "The cluster gives up before the agent does, and counts a slow start or stop as a "
        "failure. Without fencing a failed stop blocks the failover",
        "lsb:FSSofia, START_TIMEOUT and STOP_TIMEOUT; metadata of ocf:fsha:FSSofia and FSSwitch; "
        "Pacemaker Explained: 20s for an operation that names no timeout",
        "give the operation a longer timeout (start 60s, stop 90s)",
    ),
    "nonlocal-bind": KnownFinding(
        "The profiles then also run on the standby node, register gateways and answer requests "
        "there. The formula's own FSSofia recognizes the active node by a stamp from its start. "
        "Any other script reports the profiles as active on both nodes; the cluster then stops "
        "them on both and starts one again",
        "Pacemaker Explained, multiple-active; ip-sysctl, ip_nonlocal_bind",
        "set network:nonlocal_bind: false, unless the standby must have its profiles ready",
    ),
    "not-managed": KnownFinding(
        "The cluster writes it itself, or its schema refuses it today (corosync counts the votes "
        "now). The formula ignores it",
        "Pacemaker's options-3.0.rng and upgrade-2.10.xsl; votequorum(5)",
        "remove it from the pillar",
        HINT,
    ),
    "retired-key": KnownFinding(
        "The formula does not read this key, and version 0.2 will refuse it",
        "CHANGELOG.md",
        "remove the key from the pillar",
        HINT,
    ),
    "several-rules": KnownFinding(
        "Pacemaker 3 accepts only one rule per constraint",
        "Pacemaker 3.0.0 release notes",
        "make one constraint for each rule",
        HINT,
    ),
    "published-password": KnownFinding(
        "Everybody knows FreeSWITCH's default password, and the Event Socket gives full control "
        "of the switch",
        "FreeSWITCH, event_socket.conf.xml",
        "choose your own password, and keep it in an encrypted pillar",
        HINT,
    ),
}

_RESOURCES: Keys = ("pacemaker", "resources")
_PROPERTIES: Keys = ("pacemaker", "properties")


# --- checks ----------------------------------------------------------------------------------


def _nic_aliases(config: Config) -> Iterator[Finding]:
    for item in (*config.pacemaker.of("template"), *config.pacemaker.of("primitive")):
        nic = item.values("params").get("nic", "")
        if ":" in nic:
            keys = ("pacemaker", KINDS[item.kind].key, item.id, "params", "nic")
            yield "nic-alias", keys, f"{quoted(nic)} is an alias, not a network card"


def _announcers(config: Config) -> Iterator[Finding]:
    owners = {
        item.values("params").get("ip"): item.id
        for item in config.pacemaker.primitives()
        if item.agent == IPADDR2
    }
    for item in config.pacemaker.primitives():
        ip = item.values("params").get("ip")
        if item.agent == SENDARP and ip in owners:
            owner = owners[ip]
            yield "send-arp", (*_RESOURCES, item.id), f"SendArp announces the address of {owner}"


def _preferences(config: Config) -> Iterator[Finding]:
    for pull in pulls(config):
        if pull.score.value >= INFINITY:
            yield "infinite-preference", pull.score.keys, "the preference is infinite"
        else:
            message = (
                f"preferences add up to {pull.weight}, the stickiness of all members to "
                f"{pull.stickiness}"
            )
            yield "strong-preference", pull.score.keys, message


def _ids_of_the_tool(config: Config) -> Iterator[Finding]:
    for item in config.pacemaker.of("location"):
        if item.id.startswith("cli-"):
            message = "the id belongs to crm_resource"
            yield "cli-id", ("pacemaker", "locations", item.id), message


def _several_rules(config: Config) -> Iterator[Finding]:
    for item in config.pacemaker.of("location"):
        if len(item.spec.get("rules", ())) > 1:
            keys = ("pacemaker", "locations", item.id, "rules")
            yield (
                "several-rules",
                keys,
                f"there are {len(item.spec['rules'])} rules in one constraint",
            )


def _thresholds(config: Config) -> Iterator[Finding]:
    needed = frozenset(id for item in served(config) for id in needs(config, item.id))
    in_clones = {id for _, ids in cloned(config) for id in ids}
    without: dict[str, list[str]] = {}
    for item in config.pacemaker.primitives():
        # An instance of a clone can't move; it counts only if the service depends on it.
        if (
            _is_fence(item)
            or (item.id in in_clones and item.id not in needed)
            or _leaves(config, item)
        ):
            continue
        values = settings(config, item.id, "migration-threshold")
        threshold = score_value(values[0][1]) if values else INFINITY
        if threshold in (0, INFINITY):
            by_rule = not values and _by_rule(config, "migration-threshold")
            why = "except by a rule" if by_rule else ""
            without.setdefault(why, []).append(item.id)
        elif threshold > MOST_FAILURES:
            without.setdefault(f"below {threshold}", []).append(item.id)
    for why, ids in without.items():
        message = f"there is no migration-threshold {why} for {', '.join(ids)}".replace("  ", " ")
        yield "migration-threshold", ("pacemaker", "rsc_defaults"), message


def _leaves(config: Config, item: Object) -> bool:
    """Tell whether the first failure of a resource empties the node, with any threshold."""
    given = config.pacemaker.values("operation_defaults").get("on-fail", "")
    reactions = {str(op.attributes.get("on-fail", given)) for _, op in monitors(item)}
    return bool(reactions) and reactions <= {"standby", "fence"}


def _by_rule(config: Config, name: str) -> bool:
    """Tell whether a default is set only in a set with a rule."""
    given = config.pacemaker.of("resource_defaults")
    return any(name in nvset.values for item in given for nvset in item.sets("sets").conditional)


def _fencing(config: Config) -> Iterator[Finding]:
    values = config.pacemaker.values("properties")
    keys = (*_PROPERTIES, "stonith-enabled")
    if parse_boolean(values.get("stonith-enabled", "true")):
        if not _can_fence(config, values):
            any_at_all = any(_is_fence(item) for item in config.pacemaker.primitives())
            lack = "all fence devices are stopped" if any_at_all else "there is no fence device"
            yield "no-fence-device", keys, f"fencing is on, and {lack}"
    elif values.get("no-quorum-policy") == "ignore":
        message = "fencing is off and lost quorum is ignored"
        yield "split-brain", (*_PROPERTIES, "no-quorum-policy"), message
    else:
        yield "no-fencing", keys, "fencing is off"


def _can_fence(config: Config, values: Mapping[str, str]) -> bool:
    devices = any(
        _is_fence(item) and not _is_stopped(config, item) for item in config.pacemaker.primitives()
    )
    return devices or _watchdog_fences(config, values)


def _watchdog_fences(config: Config, values: Mapping[str, str]) -> bool:
    """Tell whether the watchdog of a lost node fences it, which takes sbd and no resource."""
    # A pillar that is sound has have-watchdog only as true, beside the timeout.
    sbd = watchdog.is_true(values.get(watchdog.HAVE)) or watchdog.HAVE in config.pacemaker.ignored
    return sbd and watchdog.counts(values.get(watchdog.TIMEOUT))


def _is_fence(item: Object) -> bool:
    return is_fencing(item.agent)


def _is_stopped(config: Config, item: Object) -> bool:
    # To Pacemaker a device with target-role Stopped is switched off.
    return [text.lower() for _, text in settings(config, item.id, "target-role")][:1] == ["stopped"]


def _monitors(config: Config) -> Iterator[Finding]:
    for item in config.pacemaker.primitives():
        elsewhere = any("id-ref" in operation for operation in item.spec.get("operations", ()))
        if not monitors(item) and not elsewhere:
            keys = (*_RESOURCES, item.id, "operations")
            code = "no-fence-monitor" if _is_fence(item) else "no-monitor"
            yield code, keys, "there is no monitor with an interval"
    yield from hasty(config)


def _agent_timeouts(config: Config) -> Iterator[Finding]:
    for item in config.pacemaker.primitives():
        keys = (*_RESOURCES, item.id, "operations")
        by_name = {op.name: op for op in operations(item)}
        for name, limit in needed_time(config, item).items():
            timeout = timeout_of(config, by_name.get(name, Operation(name)))
            if parse_duration(timeout) < limit.least:
                own = name in by_name and "timeout" in by_name[name].attributes
                by = "" if own else ", the default,"
                message = f"the timeout of {name} ({timeout}){by} is {limit.why}"
                yield "agent-timeout", keys, message


def _fssofias(config: Config) -> list[Object]:
    return [item for item in config.pacemaker.primitives() if is_fssofia_script(item.agent)]


def _nonlocal_bind(config: Config) -> Iterator[Finding]:
    if config.network.nonlocal_bind and _fssofias(config):
        message = "the standby may bind the floating address too"
        yield "nonlocal-bind", ("network", "nonlocal_bind"), message


def _not_managed(config: Config) -> Iterator[Finding]:
    values = config.pacemaker.values("properties")
    needed = {watchdog.HAVE} if watchdog.counts(values.get(watchdog.TIMEOUT)) else frozenset()
    for name in (n for n in config.pacemaker.ignored if n not in needed):
        by = "is written by the cluster itself" if name in SERVER_WRITTEN else "is obsolete"
        yield "not-managed", (*_PROPERTIES, name), f"this property {by}"


def _retired(config: Config) -> Iterator[Finding]:
    for keys in config.retired:
        yield "retired-key", keys, "this key has no effect any more"


def _passwords(config: Config) -> Iterator[Finding]:
    if config.freeswitch.password in PUBLISHED_PASSWORDS:
        message = "this is FreeSWITCH's default password"
        yield "published-password", ("freeswitch", "password"), message


CHECKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    _fencing,
    _preferences,
    _ids_of_the_tool,
    _several_rules,
    _thresholds,
    _monitors,
    _agent_timeouts,
    _nic_aliases,
    _announcers,
    _nonlocal_bind,
    _not_managed,
    _retired,
    _passwords,
)
