"""Is the pair ready to switch over? A checklist, each line with its evidence and what to do.

Every check is a function from what has been looked at to lines. A check that fails and ``blocks``
stands in the way of a switchover; one that only fails says that a failover would not go well.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from fshalib.checks import node_facts
from fshalib.cib.target import Element
from fshalib.freeswitch import recovery_db
from fshalib.pacemaker.simulate import Transition
from fshalib.pacemaker.status import Status
from fshalib.switchover import operator_settings
from fshalib.switchover.service import Service, would_serve
from fshalib.system import programs

PASS, WARN, FAIL, SKIP = "pass", "warn", "fail", "skip"
ORDER = (FAIL, WARN, SKIP, PASS)
STALE = timedelta(minutes=30)
"""Facts of another node that are older may no longer be true."""
OFFSET = 0.05
"""Seconds between two clocks that are in step: logs of both nodes can then be laid side by side."""
EXPIRES = 21
"""Days in which a certificate can still be renewed in peace."""
LAG = 5.0
"""Seconds that the copy of the database may lag behind."""
AHEAD = timedelta(seconds=2)
"""Facts are noted before they are read: later ones come from a clock that is ahead."""
DRILL = timedelta(days=92)
SHORT_UPTIME = 30
LITTLE_SPACE, NO_SPACE = 15, 5
"""Per cent of a file system that is free."""
GOOD_GATEWAYS = frozenset({"REGED", "NOREG"})


@dataclass(frozen=True)
class Line:
    """One line: what was looked at, on which ``node``, what was seen, and what to do about it."""

    name: str
    title: str
    verdict: str
    evidence: str
    advice: str = ""
    node: str = ""
    blocks: bool = False

    @property
    def where(self) -> str:
        """What was looked at, and on which node."""
        return f"{self.title} on {self.node}" if self.node else self.title


@dataclass(frozen=True)
class View:
    """Everything that was looked at.

    ``links`` as ``corosync.status`` has them, ``None`` when the ring can't be read. ``after`` is
    what the cluster would do if the service had to leave its node. ``facts`` node → its facts,
    ``None`` where there are none. ``wire`` what the network says against the floating addresses,
    ``None`` when it can't be asked. ``clocks`` node → how far its clock is ahead of ours, for those
    that were asked. ``operations`` are sentences.
    """

    status: Status
    root: Element
    service: Service | None
    me: str
    now: datetime
    links: tuple[Mapping[str, Any], ...] | None = None
    pending: Transition | None = None
    after: Transition | None = None
    facts: Mapping[str, node_facts.Facts | None] = field(default_factory=dict)
    wire: tuple[str, ...] | None = None
    clocks: Mapping[str, programs.ClockAnswer | None] = field(default_factory=dict)
    operations: tuple[str, ...] = ()
    last_drill: str = ""

    @property
    def active(self) -> str:
        """The node that serves, ``""`` for none."""
        return self.status.serving(self.service.id) if self.service else ""

    @property
    def peers(self) -> tuple[str, ...]:
        """The nodes that do not serve."""
        return tuple(node.name for node in self.status.nodes if node.name != self.active)

    def is_fresh(self, node: str) -> bool:
        """Tell whether what is known of a node is its own, or young enough to go by."""
        facts = self.facts.get(node)
        return facts is not None and (node == self.me or self.now - _time(facts["at"]) <= STALE)

    def switches(self) -> dict[str, node_facts.Facts]:
        """Return the facts of the switches that are known and run."""
        found = {node: facts["switch"] for node, facts in self.facts.items() if facts}
        return {node: switch for node, switch in found.items() if switch.get("running")}


Check = Callable[[View], Iterable[Line]]


def lines(view: View) -> tuple[Line, ...]:
    """Return the whole checklist, in the order in which a person would look."""
    return tuple(line for check in CHECKS for line in check(view))


def verdict(found: Iterable[Line]) -> str:
    """Return the worst verdict: ``fail``, ``warn`` or ``pass``."""
    verdicts = {line.verdict for line in found}
    return next((v for v in (FAIL, WARN) if v in verdicts), PASS)


def summary(found: Iterable[Line]) -> str:
    """Return the one line that monitoring shows."""
    seen = list(found)
    bad = [line for line in seen if line.verdict == FAIL]
    weak = [line for line in seen if line.verdict == WARN]
    shown = "; ".join(f"{line.where}: {line.evidence}" for line in (bad or weak)[:3])
    word = {FAIL: "FAIL", WARN: "WARN", PASS: "OK"}[verdict(seen)]
    counts = f"{len(seen)} checks, {len(bad)} fail, {len(weak)} warn"
    return f"{word}: {counts}{f' ({shown})' if shown else ''}"


def obstacles(found: Iterable[Line]) -> tuple[str, ...]:
    """Return what stands in the way of a switchover, as sentences."""
    return tuple(
        f"{line.where[:1].lower()}{line.where[1:]}: {line.evidence}"
        + (f"; {line.advice}" if line.advice else "")
        for line in found
        if line.verdict == FAIL and line.blocks
    )


def as_text(found: Iterable[Line]) -> str:
    """Return the checklist as a page."""
    words = {PASS: "ok  ", WARN: "WARN", FAIL: "FAIL", SKIP: "--  "}
    shown = []
    for line in found:
        where = f" [{line.node}]" if line.node else ""
        shown.append(f"{words[line.verdict]}  {line.title}{where}: {line.evidence}")
        if line.advice and line.verdict in (WARN, FAIL):
            shown.append(f"      -> {line.advice}")
    return "\n".join(shown)


def as_data(found: Iterable[Line]) -> list[dict[str, Any]]:
    """Return it as plain data for Salt's returns."""
    return [asdict(line) for line in found]


# --- the cluster -----------------------------------------------------------------------------


def _membership(view: View) -> Iterator[Line]:
    away = [f"{n.name} is {n.word}" for n in view.status.nodes if n.word != "online"]
    if len(view.status.nodes) < 2:
        away.append("the cluster has one node")
    names = ", ".join(node.name for node in view.status.nodes)
    yield Line(
        "membership",
        "Nodes",
        FAIL if away else PASS,
        "; ".join(away) or f"{names} are online",
        "bring the node back before you switch over to it" if away else "",
        blocks=True,
    )


def _quorum(view: View) -> Iterator[Line]:
    ok = view.status.quorate
    yield Line(
        "quorum",
        "Quorum",
        PASS if ok else FAIL,
        "there is quorum"
        if ok
        else "there is no quorum"
        if view.status.dc
        else "there is no DC just now, which would know",
        "" if ok else "see corosync-quorumtool -s: without quorum nothing is started",
        blocks=True,
    )


def _rings(view: View) -> Iterator[Line]:
    if view.links is None:
        yield Line("rings", "Ring links", WARN, "they can't be read", "is corosync up here?")
        return
    seen = {view.me: down(view.links)}
    # A link can fail one way only.
    seen |= {
        node: (f or {}).get("links_down", []) for node, f in view.facts.items() if node != view.me
    }
    for node, links in sorted(seen.items()):
        if links:
            yield Line(
                "rings",
                "Ring links",
                WARN,
                f"not connected: {', '.join(links)}",
                "look at the network of that link: the pair is one fault away from being cut",
                node,
            )
    if not any(seen.values()):
        yield Line("rings", "Ring links", PASS, f"all {len(view.links)} links are connected")


def down(links: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the links that are not connected, as words."""
    return [f"link {link['number']} to {link['node']}" for link in links if not link["connected"]]


def _settled(view: View) -> Iterator[Line]:
    if view.pending is None:
        return
    actions = "; ".join(str(action) for action in view.pending.actions)
    dc = view.status.dc
    yield Line(
        "settled",
        "Cluster at rest",
        WARN if actions or not dc else PASS,
        f"the cluster is about to: {actions}" if actions else f"the DC ({dc or 'none'}) is idle",
        "wait for it (crm_resource --wait)" if actions else "",
    )


def _failures(view: View) -> Iterator[Line]:
    members = set(view.service.members) if view.service else set()
    counts = view.status.fail_counts
    if not counts:
        yield Line("failures", "Fail counts", PASS, "none")
    for held in counts:
        stands = held.resource in members and held.node in view.peers
        yield Line(
            "failures",
            "Fail counts",
            FAIL if stands else WARN,
            f"{held.resource} has failed there (fail count {held.count})",
            f"find out why, then crm_resource --cleanup --resource {held.resource} "
            f"--node {held.node}",
            held.node,
            blocks=stands,
        )


def _leftovers(view: View) -> Iterator[Line]:
    done = [
        a
        for a in operator_settings.actions(view.root, view.status)
        if a.kind != operator_settings.FAIL_COUNT
    ]
    if not done:
        yield Line("leftovers", "Set by operators", PASS, "nothing")
    for action in done:
        stands = action.kind in _IN_THE_WAY
        by = f", by {action.by}: {action.reason}" if action.by else ""
        late = " OVERDUE" if action.is_overdue(view.now) else ""
        yield Line(
            "leftovers",
            "Set by operators",
            FAIL if stands or late else WARN,
            f"{action.subject}: {action.what}{by}{late}",
            f"when it is done with: {action.hint}",
            action.node,
            blocks=stands,
        )


_IN_THE_WAY = frozenset(
    {
        operator_settings.MAINTENANCE_MODE,
        operator_settings.STOP_ALL,
        operator_settings.NODE_MAINTENANCE,
    }
)


def _operations(view: View) -> Iterator[Line]:
    for told in view.operations:
        yield Line("operations", "Operations", WARN, told)
    if not view.operations:
        yield Line("operations", "Operations", PASS, "nobody is at it")


def _fencing(view: View) -> Iterator[Line]:
    properties = {
        pair.get("name"): pair.get("value", "")
        for pair in view.root.iterfind("configuration/crm_config/cluster_property_set/nvpair")
    }
    on = properties.get("stonith-enabled", "true").lower() in ("true", "on", "yes", "y", "1")
    devices = [e for e in view.root.iter("primitive") if e.get("class") == "stonith"]
    if on and devices:
        idle = [d.get("id", "") for d in devices if not view.status.active(d.get("id", ""))]
        word = f"not started: {', '.join(idle)}" if idle else f"{len(devices)} devices are started"
        yield Line(
            "fencing",
            "Fencing",
            FAIL if idle else PASS,
            word,
            "a node that hangs can't be fenced" if idle else "",
        )
    else:
        yield Line(
            "fencing",
            "Fencing",
            WARN,
            "it is off: a node that hangs may keep the address",
            "configure a fence device, and stonith-enabled: true",
        )


def _fenced(view: View) -> Iterator[Line]:
    last = {event.target: event for event in reversed(view.status.fenced)}
    bad = [event for event in last.values() if event.outcome != "success"]
    for event in bad:
        pending = event.outcome == "pending"
        why = f": {event.reason}" if event.reason else ""
        at = f" at {event.completed}" if event.completed else ""
        yield Line(
            "fence-history",
            "Fencing lately",
            FAIL if pending else WARN,
            f"{event.action} is going on" if pending else f"{event.action} has failed{at}{why}",
            "wait for its end"
            if pending
            else f"mend the fence device; then stonith_admin --cleanup --history {event.target}",
            event.target,
            blocks=pending,
        )
    if not bad:
        times = len(view.status.fenced)
        done = f"{times} times, the last of each node succeeded" if times else "never needed"
        yield Line("fence-history", "Fencing lately", PASS, done)


def _twice(view: View) -> Iterator[Line]:
    clones = {
        p.get("id")
        for tag in ("clone", "master", "bundle")
        for clone in view.root.iter(tag)
        for p in clone.iter("primitive")
    }
    twice = [r for r in view.status.resources if len(r.nodes) > 1 and r.id not in clones]
    for item in twice:
        yield Line(
            "twice",
            "Once each",
            FAIL,
            f"{item.id} runs on {' and '.join(item.nodes)}",
            "stop it by hand on the node that should not have it",
            blocks=True,
        )
    if not twice:
        yield Line("twice", "Once each", PASS, "no resource runs twice")


def _service(view: View) -> Iterator[Line]:
    if view.service is None:
        yield Line("service", "Service", FAIL, "no voice service is configured", blocks=True)
        return
    if view.active:
        yield Line("service", "Service", PASS, f"{view.service.id} serves on {view.active}")
    else:
        why = "; ".join(view.status.complaints(view.service.id))
        yield Line(
            "service",
            "Service",
            FAIL,
            f"{view.service.id} does not serve: {why}",
            "see fsha.status",
            blocks=True,
        )


def _could_move(view: View) -> Iterator[Line]:
    if view.after is None or view.service is None or not view.active:
        return
    target = would_serve(view.after, view.service)
    if target and target != view.active:
        yield Line("failover", "Failover", PASS, f"the cluster would start all of it on {target}")
        return
    actions = "; ".join(str(action) for action in view.after.actions) or "nothing"
    yield Line(
        "failover",
        "Failover",
        FAIL,
        f"the cluster would not start it elsewhere, but do: {actions}",
        "fsha.lint and 'crm_simulate -sL' say what holds it back",
        blocks=True,
    )


def _wire(view: View) -> Iterator[Line]:
    if view.wire is None:
        yield Line("vip", "Floating address", SKIP, "the network can't be asked from here")
    elif view.wire:
        yield Line(
            "vip",
            "Floating address",
            FAIL,
            "; ".join(view.wire),
            "two holders take each other's calls: find the second one",
            blocks=True,
        )
    else:
        yield Line("vip", "Floating address", PASS, "on one node, as the network sees it")


# --- the nodes -------------------------------------------------------------------------------


def _known(view: View) -> Iterator[Line]:
    for node, facts in sorted(view.facts.items()):
        if facts is None:
            yield Line(
                "facts",
                "Facts",
                WARN,
                "nothing is known of this node's switch and files",
                f"run fsha.check there once: salt {node} fsha.check",
                node,
            )
            continue
        age = view.now - _time(facts["at"])
        if age < -AHEAD and view.clocks.get(node) is None:
            yield Line(
                "clock",
                "Clock",
                WARN,
                f"it is {-age.total_seconds():.0f} s ahead of the clock of {view.me}",
                "keep both in step by NTP: times in logs, rules and remarks differ",
                node,
            )
        old = node != view.me and age > STALE
        yield Line(
            "facts",
            "Facts",
            WARN if old else PASS,
            f"{int(max(age.total_seconds(), 0) // 60)} minutes old",
            f"salt {node} fsha.check brings them up to date" if old else "",
            node,
        )


def _clocks(view: View) -> Iterator[Line]:
    for node, clock in sorted(view.clocks.items()):
        if clock is None:
            said = "it can't be compared: no answer to an ICMP timestamp request"
            yield Line("offset", "Clock", SKIP, said, node=node)
            continue
        apart = abs(clock.ahead) - clock.within > OFFSET
        word = "ahead of" if clock.ahead > 0 else "behind"
        said = (
            f"{abs(clock.ahead):g} s {word} that of {view.me}"
            if apart
            else f"in step with that of {view.me} ({clock.ahead:+g} s, to {clock.within:g} s)"
        )
        advice = "keep both in step by NTP: times in logs, rules and remarks differ"
        verdict_ = WARN if apart else PASS
        yield Line("offset", "Clock", verdict_, said, advice if apart else "", node)


def _time(text: str) -> datetime:
    return datetime.strptime(text, node_facts.FORM).replace(tzinfo=timezone.utc)


def _switches(view: View) -> Iterator[Line]:
    for node, facts in sorted(view.facts.items()):
        if facts is None:
            continue
        switch = facts["switch"]
        if not switch.get("running"):
            yield Line(
                "switch",
                "Switch",
                FAIL,
                switch.get("why", "it does not run"),
                "start it; a service without a switch can't go there",
                node,
                blocks=node in view.peers and view.is_fresh(node),
            )
            continue
        bad = []
        if not switch.get("ready"):
            bad.append("it is not ready")
        if switch.get("paused"):
            bad.append("it refuses new calls")
        uptime = switch.get("uptime")
        if uptime is not None and uptime < SHORT_UPTIME:
            bad.append(f"it is up for {uptime} s only")
        yield Line(
            "switch",
            "Switch",
            WARN if bad else PASS,
            "; ".join(bad) or f"{switch['version']} answers",
            "fsha.undrain lets it take calls" if switch.get("paused") else "",
            node,
        )


_ALIKE: Mapping[str, tuple[str, str]] = {
    "version": ("Version", "install the same on both: a recovered call is data of that version"),
    "switchname": ("Switchname", "give both the same: registrations are kept by it"),
    "config": (
        "Configuration",
        "profiles, database, RTP ports and dialplan come from it: freeswitch.config_hash names "
        "the files",
    ),
}


def _alike(view: View) -> Iterator[Line]:
    switches = view.switches()
    if len(switches) < 2:
        return
    for key, (title, advice) in _ALIKE.items():
        values = {node: switch.get(key) for node, switch in switches.items()}
        if len({repr(value) for value in values.values()}) == 1:
            yield Line(key, title, PASS, "the same on both nodes")
        else:
            yield Line(key, title, WARN, _difference(values), advice)


def _difference(values: Mapping[str, Any]) -> str:
    if all(isinstance(value, dict) for value in values.values()):
        keys = sorted({key for value in values.values() for key in value})
        apart = [k for k in keys if len({repr(value.get(k)) for value in values.values()}) > 1]
        return f"not the same in {', '.join(apart)}"
    shown = ", ".join(f"{value or 'none'} on {node}" for node, value in sorted(values.items()))
    return f"not the same: {shown}"


def _files(view: View) -> Iterator[Line]:
    known = {node: facts for node, facts in view.facts.items() if facts}
    for key, title, advice in (
        ("agents", "Agents", "apply the formula on both nodes"),
        ("nonlocal_bind", "ip_nonlocal_bind", "apply the formula on both nodes"),
    ):
        values = {node: facts.get(key, "") for node, facts in known.items()}
        if len(values) < 2:
            return
        same = len(set(values.values())) == 1
        yield Line(
            key,
            title,
            PASS if same else FAIL,
            "the same on both nodes" if same else _difference(values),
            "" if same else advice,
        )


def _routers(view: View) -> Iterator[Line]:
    for node, facts in sorted(view.facts.items()):
        for address, answers in sorted(((facts or {}).get("routers") or {}).items()):
            said = {True: "answers", False: "DOES NOT ANSWER", None: "can't be asked by ARP"}
            yield Line(
                "router",
                "Network gateway",
                SKIP if answers is None else PASS if answers else FAIL,
                f"{address} {said[answers]}",
                "look at this node's cable, switch port and router: calls can't get through here"
                if answers is False
                else "",
                node,
                blocks=answers is False and node in view.peers and view.is_fresh(node),
            )


def _certificates(view: View) -> Iterator[Line]:
    for node, switch in sorted(view.switches().items()):
        for name, days in sorted((switch.get("certificates") or {}).items()):
            if days is None:
                yield Line("certificate", "Certificate", WARN, f"{name} can't be read", node=node)
                continue
            over = days < 0
            yield Line(
                "certificate",
                "Certificate",
                FAIL if over else WARN if days < EXPIRES else PASS,
                f"{name} ran out {-days} days ago" if over else f"{name} runs out in {days} days",
                "renew it, and restart the profile" if days < EXPIRES else "",
                node,
            )


def _gateways(view: View) -> Iterator[Line]:
    switch = view.switches().get(view.active)
    if not switch or not switch.get("gateways"):
        return
    down = [
        f"{name} ({state or 'unknown'})"
        for name, state in switch["gateways"].items()
        if state not in GOOD_GATEWAYS
    ]
    yield Line(
        "gateways",
        "Gateways",
        WARN if down else PASS,
        f"not registered: {', '.join(down)}"
        if down
        else f"all {len(switch['gateways'])} are registered",
        "ask the carrier, or look at freeswitch.gateways" if down else "",
        view.active,
    )


def _recovery(view: View) -> Iterator[Line]:
    """Yield what the recovery database itself says, as this node sees it."""
    told = (view.facts.get(view.me) or {}).get("recovery")
    if told is None:
        return
    title, keeps = "Recovery database", bool(view.service and view.service.keeps)
    mend = "calls go on, but none can be recovered: mend it before you move"
    if "why" in told:
        yield Line("database", title, FAIL, told["why"], mend, view.me, keeps)
    elif not told["writable"]:
        yield Line("database", title, FAIL, "it can't be written to", mend, view.me, keeps)
    else:
        slow = told["seconds"] > recovery_db.SLOW
        advice = "see what keeps it busy: recovering takes as long" if slow else ""
        said = f"writable, it answers in {told['seconds']:g} s"
        yield Line("database", title, WARN if slow else PASS, said, advice, view.me)
        yield from _copies(view, told.get("copies") or {})
        yield from _ghosts(view, told["rows"])


def _copies(view: View, copies: Mapping[str, float]) -> Iterator[Line]:
    for name, lag in sorted(copies.items()):
        late = lag > LAG
        yield Line(
            "database-copy",
            "Database copy",
            WARN if late else PASS,
            f"{name} is {lag:g} s behind",
            "if the database fails over to it, calls of that time can't be recovered"
            if late
            else "",
            view.me,
        )


def _ghosts(view: View, rows: Mapping[str, int]) -> Iterator[Line]:
    switches = view.switches()
    if len(switches) < len(view.status.nodes):
        return  # the rows of a switch that nothing is known of may be those of live calls
    number = recovery_db.ghosts(rows, [switch["core"] for switch in switches.values()])
    yield Line(
        "ghosts",
        "Rows of calls",
        WARN if number else PASS,
        f"{number} are of a switch that no longer runs" if number else "none but of live calls",
        "the next start would ring for them: fs_cli -x 'sofia recover flush' while none serves"
        if number
        else "",
    )


def _database(view: View) -> Iterator[Line]:
    for node, switch in sorted(view.switches().items()):
        if not switch.get("answers", True):
            yield Line(
                "rows",
                "Recovery database",
                FAIL,
                "the switch gets no answer from it",
                "calls go on, but none can be recovered: mend it before you move",
                node,
                blocks=bool(view.service and view.service.keeps),
            )


def _hosts(view: View) -> Iterator[Line]:
    for node, facts in sorted(view.facts.items()):
        if facts is None:
            continue
        for name, free in facts.get("disks", {}).items():
            worst = FAIL if free < NO_SPACE else WARN if free < LITTLE_SPACE else PASS
            yield Line(
                "disk",
                "Disk",
                worst,
                f"{free} % of {name} is free",
                "make room: the cluster stops when it can't write" if worst != PASS else "",
                node,
            )
        if facts.get("locked"):
            yield Line(
                "packages",
                "Packages",
                WARN,
                f"{facts['locked']} is locked",
                "an installation is going on: wait for its end",
                node,
            )
        if facts.get("state_run"):
            yield Line(
                "state-run",
                "State run",
                WARN,
                f"{facts['state_run']} is running",
                "wait for its end: two that change the pair at once are one too many",
                node,
            )
        if facts.get("synchronised") is False:
            yield Line(
                "clock",
                "Clock",
                WARN,
                "it is not kept in step by NTP",
                "start chrony or systemd-timesyncd: times in logs and rules differ",
                node,
            )


def _drill(view: View) -> Iterator[Line]:
    if not view.last_drill:
        yield Line(
            "drill",
            "Last drill",
            WARN,
            "none is on record here",
            "salt-call fsha.drill proves that the pair does what it is for",
        )
        return
    age = view.now - _time(view.last_drill)
    yield Line(
        "drill",
        "Last drill",
        WARN if age > DRILL else PASS,
        f"{age.days} days ago",
        "run another one: salt-call fsha.drill" if age > DRILL else "",
    )


CHECKS: tuple[Check, ...] = (
    _service,
    _membership,
    _quorum,
    _rings,
    _settled,
    _twice,
    _wire,
    _could_move,
    _failures,
    _leftovers,
    _operations,
    _fencing,
    _fenced,
    _known,
    _clocks,
    _switches,
    _alike,
    _files,
    _routers,
    _gateways,
    _certificates,
    _recovery,
    _database,
    _hosts,
    _drill,
)
