"""What keeps the service from starting on another node: constraints, tickets, room, states.

Each check looks at the service as a whole, with all that it needs. Where a CIB is judged its state
counts as well: nodes that are away, failures that are remembered, tickets that are granted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from fshalib.cib.objects import Object, operations
from fshalib.cib.values import INFINITY, UnitError, parse_boolean, parse_duration, read_score
from fshalib.lint.finding import ERROR, WARNING, Finding, KnownFinding
from fshalib.lint.rule_truth import attributes
from fshalib.lint.ties import holders, orders, starts_before, tied
from fshalib.lint.topology import barring, inside, needs, served, service, settings, units
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

KNOWN: Mapping[str, KnownFinding] = {
    "only-one-node": KnownFinding(
        "The service may not run on the other node, so it stops and does not fail over",
        "Pacemaker Explained, location constraints: a negative score forbids a node; so does "
        "resource-discovery exclusive on another node, or symmetric-cluster false for a node "
        "without a score. A member of a group that is not the first needs a score of its own that "
        "is not negative",
        "remove the constraint, or give it a score that is not negative",
        ERROR,
    ),
    "kept-apart": KnownFinding(
        "The two never run on one node. When a node fails, only one of them is left, and it is "
        "not the service",
        "Pacemaker Explained, colocation: with -INFINITY the resource waits for the other one",
        "remove the constraint, or give it a finite score (-100)",
        ERROR,
    ),
    "waits-for-nothing": KnownFinding(
        "The service starts only after another resource, which can't start then",
        "Pacemaker Explained, ordering: kind Mandatory is the default",
        "let the other resource run on both nodes, or make the order kind: Optional",
        ERROR,
    ),
    "not-granted": KnownFinding(
        "What needs a ticket runs only while the ticket is granted, and it is not",
        "Pacemaker Explained, tickets: a site starts without any",
        "crm_ticket --ticket TICKET --grant --force, or remove the constraint",
        ERROR,
    ),
    "needs-ticket": KnownFinding(
        "What needs a ticket runs only while the ticket is granted. Somebody, or booth, has to "
        "grant it",
        "Pacemaker Explained, tickets: a site starts without any",
        "remove the constraint, unless this is one site of several",
        WARNING,
    ),
    "may-part": KnownFinding(
        "The cluster may place them on different nodes. What needs all of them then runs nowhere",
        "simulated with Pacemaker 2.1.5; Pacemaker Explained, colocation",
        "put all of it into one group, or tie the two by a colocation (INFINITY)",
        WARNING,
    ),
    "no-room": KnownFinding(
        "The other node has too little of what the service needs, so the cluster does not start it "
        "there",
        "Pacemaker Explained, utilization and placement-strategy: a node without a value has 0",
        "give the node enough, or the resources less, or remove placement-strategy",
        ERROR,
    ),
    "node-away": KnownFinding(
        "The service can't start on a node that is not in the cluster",
        "the status section of the CIB: node_state",
        "bring the node back: start its Pacemaker, and look at its corosync-cfgtool -s",
        ERROR,
    ),
    "no-quorum": KnownFinding(
        "Without quorum the cluster starts nothing",
        "the CIB's have-quorum; Pacemaker Explained, no-quorum-policy",
        "bring enough nodes back",
        ERROR,
    ),
    "failed-there": KnownFinding(
        "The failure is remembered, and the cluster does not use the node again for this resource",
        "Pacemaker Explained, migration-threshold and failure-timeout",
        "look at the failure, then crm_resource --cleanup --resource RESOURCE --node NODE",
        ERROR,
    ),
}
HELD_NODES = ("standby", "maintenance")
"""Attributes of a node on which nothing is started then."""


# --- which nodes are left ----------------------------------------------------------------------


def hindered(config: Config, ids: frozenset[str], node: str) -> list[Finding]:
    """Return why some resources can't all run on a node, nothing if they can."""
    found: list[Finding] = [("only-one-node", keys, node) for keys in barring(config, ids, node)]
    keys: Keys = ("pacemaker", "nodes", node)
    told = attributes(config, node)
    found += [
        ("held-by-pillar", keys, f"the node is in {name}")
        for name in HELD_NODES
        if is_true(told.get(name, "false"))
    ]
    if config.state is None:
        return found
    if node not in config.state.online:
        found.append(("node-away", keys, "the node is not online"))
    elif told.get("shutdown", "0") != "0":
        found.append(("node-away", keys, "the node is shutting down"))
    found += [
        ("failed-there", ("pacemaker", "resources", id), f"it can't run on {node}: {why}")
        for id, (why, when) in config.state.refused.get(node, {}).items()
        if id in ids and not _is_forgotten(config, id, when)
    ]
    if any(_is_ill(config, *pair) for pair in told.items()):
        found.append(("node-away", keys, "the node's health is bad"))
    return [*found, *_failures(config, ids, node)]


def _failures(config: Config, ids: Iterable[str], node: str) -> Iterator[Finding]:
    """Yield the resources that have failed on a node too often to start there again."""
    state = config.state
    told = state.attributes.get(node, {}) if state else {}
    for item in config.pacemaker.of("primitive") if told else ():
        if item.id not in ids:
            continue
        name = f"fail-count-{item.id}"
        ignored = {
            f"{op.name}_{parse_duration(op.interval)}"
            for op in operations(item)
            if op.attributes.get("on-fail") == "ignore"
        }
        keys_of = (n for n in told if n.partition("#")[0] == name)
        counts = [read_score(told[n]) or 0 for n in keys_of if n.partition("#")[2] not in ignored]
        given = settings(config, item.id, "migration-threshold")
        threshold = read_score(given[0][1]) if given else INFINITY
        times = [told[n] for n in told if n.partition("#")[0] == f"last-failure-{item.id}"]
        when = max((int(text) for text in times if text.isdecimal()), default=0)
        if threshold and sum(counts) >= threshold and not _is_forgotten(config, item.id, when):
            keys = ("pacemaker", "resources", item.id)
            yield "failed-there", keys, f"it has failed on {node} (fail count {sum(counts)})"


def _is_forgotten(config: Config, id: str, when: int) -> bool:
    """Tell whether a failure is older than the failure-timeout.

    when
        Its time in seconds since 1970, 0 when that is not known.
    """
    given = settings(config, id, "failure-timeout")
    now = config.state.now if config.state else None
    try:
        lasts = parse_duration(given[0][1]) / 1000 if given else 0
    except UnitError:
        lasts = 0
    return now is not None and bool(when and lasts) and now.timestamp() >= when + lasts


def _is_ill(config: Config, name: str, value: str) -> bool:
    """Tell whether an attribute of a node's health keeps everything off the node."""
    strategy = config.pacemaker.values("properties").get("node-health-strategy", "none")
    bad = {"migrate-on-red": {"red"}, "only-green": {"red", "yellow"}}.get(strategy, set())
    return name.startswith("#health") and value.lower() in bad


def usable(config: Config, ids: frozenset[str]) -> list[str]:
    """Return the nodes on which some resources may run."""
    return [node.name for node in config.nodes if not hindered(config, ids, node.name)]


def nodes_left(config: Config) -> Iterator[Finding]:
    """Find what leaves the service fewer than two nodes."""
    barred: dict[Keys, list[str]] = {}
    others: dict[Finding, None] = {}
    for ids in units(config):
        found = {node.name: hindered(config, ids, node.name) for node in config.nodes}
        if sum(not why for why in found.values()) >= 2:
            continue
        if len(found) < 2:
            others["node-away", ("nodes",), "there is no other node"] = None
        for code, keys, message in (one for why in found.values() for one in why):
            if code == "only-one-node":
                barred[keys] = list(dict.fromkeys([*barred.get(keys, []), message]))
            else:
                others[code, keys, message] = None
    for keys, nodes in barred.items():
        yield "only-one-node", keys, f"{' and '.join(nodes)} may never run the service"
    yield from others


def is_true(text: str) -> bool:
    """Tell whether a text is true to Pacemaker; what it does not understand is not."""
    try:
        return parse_boolean(text)
    except UnitError:
        return False


# --- what the service waits for ----------------------------------------------------------------


def _waiting(config: Config) -> Iterator[Finding]:
    serving = frozenset(service(config))
    for ids in units(config):
        nodes = usable(config, ids)
        before = _before(config, ids, ids & serving)
        loop = [id for id in sorted(ids & serving) if before and starts_before(config, id, id)]
        if loop:
            message = f"{' and '.join(loop)} would start after itself"
            yield "waits-for-nothing", ("pacemaker", "orders", before[0][0]), message
            continue
        for order, first, then in before:
            places = [{*_places(config, id)} for id in inside(config, first) - ids]
            lost = [node for node in nodes if any(not place - {node} for place in places)]
            if not all(places) or lost:
                when = f" when {' or '.join(lost)} fails" if all(places) else ""
                message = f"{then} waits for {first}, which starts nowhere{when}"
                yield "waits-for-nothing", ("pacemaker", "orders", order), message


def _before(
    config: Config, ids: frozenset[str], serving: frozenset[str]
) -> list[tuple[str, str, str]]:
    """Return the orders before some resources, and those before these.

    serving
        Those whose groups wait as well. Simulated with Pacemaker 2.1.5: what runs beside a group
        starts also while an order keeps that group from starting.
    """
    every = list(orders(config, of_all=True))
    found: list[tuple[str, str, str]] = []
    parts = {item.id for item in config.pacemaker.of("primitive")} & ids
    waiting = {*parts, *(holder.id for id in serving for holder in holders(config, id))}
    while more := [one for one in every if one[2] in waiting and one not in found]:
        found += more
        for _, first, _ in more:
            waiting |= {first, *inside(config, first)}
    return found


def _places(config: Config, id: str) -> list[str]:
    """Return the nodes on which a resource may run, none if it is kept stopped."""
    wanted = needs(config, id)
    stopped = any(
        text.strip().lower() == "stopped"
        for item in config.pacemaker.of("primitive")
        if item.id in wanted
        for _, text in settings(config, item.id, "target-role")[:1]
    )
    return [] if stopped or _without_ticket(config, wanted) else usable(config, wanted)


def _kept_apart(config: Config) -> Iterator[Finding]:
    for ids in units(config):
        nodes = usable(config, ids)
        for constraint, one, other, promoted in _apart(config):
            others = inside(config, other)
            keys: Keys = ("pacemaker", "colocations", constraint)
            if not inside(config, one) & ids:
                continue
            if others & ids:
                yield "kept-apart", keys, f"{one} never runs where {other} does, and needs it there"
                continue
            cloned = not promoted and any(
                holder.kind != "group" for id in others for holder in holders(config, id)
            )
            places = {place for id in others for place in _places(config, id)} & {*nodes}
            # What it keeps away from takes one node, and a clone all of its nodes.
            if places and len(nodes) - (len(places) if cloned else 1) < 2:
                yield "kept-apart", keys, f"{one} never runs where {other} does"


def _apart(config: Config) -> Iterator[tuple[str, str, str, bool]]:
    """Yield the id of each colocation of minus infinity, who stays away, and from what.

    The last is whether it stays away only from the promoted instance of a clone.
    """
    for item in config.pacemaker.of("colocation"):
        spec = item.spec
        roles = [str(spec.get(key, "Started")).lower() for key in ("role", "with-role")]
        one = roles[1] in ("promoted", "master")
        if spec.get("lifetime") or roles[0] != "started" or "with" not in spec:
            continue
        if not one and roles[1] != "started":
            continue
        if (read_score(str(spec.get("score", "0"))) or 0) <= -INFINITY:
            yield item.id, str(spec["resource"]), str(spec["with"]), one


def _tickets(config: Config) -> Iterator[Finding]:
    for ids in units(config):
        for constraint, ticket in _without_ticket(config, ids):
            keys: Keys = ("pacemaker", "tickets", constraint)
            if config.state is None:
                yield "needs-ticket", keys, f"the service needs the ticket {ticket}"
            else:
                yield "not-granted", keys, f"the ticket {ticket} is not granted"


def _without_ticket(config: Config, ids: frozenset[str]) -> list[tuple[str, str]]:
    """Return the constraints of tickets that nobody is known to have granted."""
    granted = config.state.tickets if config.state else frozenset()
    found = []
    for item in config.pacemaker.of("ticket"):
        named = [(str(item.spec.get("resource", "")), str(item.spec.get("role", "Started")))]
        for one in item.spec.get("sets", ()):
            named += [(str(id), str(one.get("role", "Started"))) for id in one.get("resources", ())]
        ticket = str(item.spec.get("ticket", ""))
        about = (id for id, role in named if role.lower() == "started")
        if ticket not in granted and any(inside(config, id) & ids for id in about):
            found.append((item.id, ticket))
    return found


def _parting(config: Config) -> Iterator[Finding]:
    known = tied(config)
    for item in served(config):
        bases = sorted(known.bases([item.id]))
        if not any({*bases} <= known.needs([id]) for id in bases):
            message = f"{item.id} needs {' and '.join(bases)}, and nothing keeps these together"
            yield "may-part", ("pacemaker", "resources", item.id), message


# --- room --------------------------------------------------------------------------------------


def _room(config: Config) -> Iterator[Finding]:
    strategy = config.pacemaker.values("properties").get("placement-strategy", "default")
    if strategy not in ("utilization", "minimal", "balanced"):
        return
    for ids in units(config):
        needed: dict[str, int] = {}
        for item in config.pacemaker.primitives():
            for name, text in item.values("utilization").items() if item.id in ids else ():
                needed[name] = needed.get(name, 0) + (read_score(text) or 0)
        small = {name: _lack(config, name, needed) for name in usable(config, ids)}
        short = {name: lack for name, lack in small.items() if lack}
        for name, lack in short.items() if len(small) - len(short) < 2 else ():
            keys: Keys = ("pacemaker", "nodes", name, "utilization")
            yield "no-room", keys, f"the service needs more {' and '.join(lack)} than {name} has"


def _lack(config: Config, node: str, needed: Mapping[str, int]) -> list[str]:
    given = next((n for n in config.pacemaker.of("node") if n.id == node), Object("node", node))
    has = given.values("utilization")
    return [name for name, value in needed.items() if (read_score(has.get(name, "0")) or 0) < value]


def _quorum_now(config: Config) -> Iterator[Finding]:
    policy = config.pacemaker.values("properties").get("no-quorum-policy", "stop")
    if config.state and not config.state.quorate and policy != "ignore":
        keys = ("pacemaker", "properties", "no-quorum-policy")
        yield "no-quorum", keys, f"the cluster has no quorum now, and the policy is {policy}"


CHECKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    nodes_left, _kept_apart, _parting, _waiting, _tickets, _room, _quorum_now,
)  # fmt: skip
