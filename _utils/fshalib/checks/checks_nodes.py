"""Checks of the nodes: clocks, files, gateways of the network, database, hosts, drill."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from fshalib.change import watchdog
from fshalib.checks.collect import STALE, View, parse_time
from fshalib.checks.line import FAIL, PASS, SKIP, WARN, Line
from fshalib.cib.watchdog import TIMEOUT
from fshalib.freeswitch import recovery_db

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


def known(view: View) -> Iterator[Line]:
    """The facts about each node are there, and young enough."""
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
        age = view.now - parse_time(facts["at"])
        if age < -AHEAD and view.clocks.get(node) is None:
            yield Line(
                "clock",
                "Clock",
                WARN,
                f"it is {-age.total_seconds():.0f} s ahead of the clock of {view.me}",
                "synchronise both by NTP: times in logs, rules and remarks differ",
                node,
            )
        old = node != view.me and age > STALE
        yield Line(
            "facts",
            "Facts",
            WARN if old else PASS,
            f"{int(max(age.total_seconds(), 0) // 60)} minutes old",
            f"salt {node} fsha.check renews them" if old else "",
            node,
        )


def clocks(view: View) -> Iterator[Line]:
    """The clocks are synchronised, and in step with each other."""
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
        advice = "synchronise both by NTP: times in logs, rules and remarks differ"
        verdict_ = WARN if apart else PASS
        yield Line("offset", "Clock", verdict_, said, advice if apart else "", node)


_ALIKE: Mapping[str, tuple[str, str]] = {
    "version": (
        "Version",
        "install the same version on both: the data of a recovered call depends on it",
    ),
    "switchname": ("Switchname", "give both the same name: registrations are stored under it"),
    "config": (
        "Configuration",
        "it has profiles, database, RTP ports and dialplan; freeswitch.config_hash names the files",
    ),
}


def alike(view: View) -> Iterator[Line]:
    """What has to be the same on both nodes is the same."""
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
        return f"different in {', '.join(apart)}"
    shown = ", ".join(f"{value or 'none'} on {node}" for node, value in sorted(values.items()))
    return f"different: {shown}"


def files(view: View) -> Iterator[Line]:
    """The agents and ``ip_nonlocal_bind`` are the same on both nodes."""
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


def routers(view: View) -> Iterator[Line]:
    """The default gateway answers."""
    for node, facts in sorted(view.facts.items()):
        for address, answers in sorted(((facts or {}).get("routers") or {}).items()):
            said = {True: "answers", False: "DOES NOT ANSWER", None: "can't be asked by ARP"}
            yield Line(
                "router",
                "Network gateway",
                SKIP if answers is None else PASS if answers else FAIL,
                f"{address} {said[answers]}",
                "check this node's cable, switch port and router: calls can't get through here"
                if answers is False
                else "",
                node,
                blocks=answers is False and node in view.peers and view.is_fresh(node),
            )


def certificates(view: View) -> Iterator[Line]:
    """No TLS certificate ends soon."""
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
                f"{name} expired {-days} days ago" if over else f"{name} expires in {days} days",
                "renew it, and restart the profile" if days < EXPIRES else "",
                node,
            )


def recovery(view: View) -> Iterator[Line]:
    """Yield what the recovery database itself says, as this node sees it."""
    told = (view.facts.get(view.me) or {}).get("recovery")
    if told is None:
        return
    title, keeps = "Recovery database", bool(view.service and view.service.keeps)
    mend = "calls go on, but none can be recovered: repair it before you switch over"
    if "why" in told:
        yield Line("database", title, FAIL, told["why"], mend, view.me, keeps)
    elif not told["writable"]:
        yield Line("database", title, FAIL, "it can't be written to", mend, view.me, keeps)
    else:
        slow = told["seconds"] > recovery_db.SLOW
        advice = "find out what keeps it busy: recovering calls takes as long" if slow else ""
        said = f"writable, and answers in {told['seconds']:g} s"
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
        f"{number} belong to a switch that no longer runs"
        if number
        else "only those of live calls",
        "the next start would ring those phones: run fs_cli -x 'sofia recover flush' while no "
        "node serves"
        if number
        else "",
    )


def database(view: View) -> Iterator[Line]:
    """The recovery database answers."""
    for node, switch in sorted(view.switches().items()):
        if not switch.get("answers", True):
            yield Line(
                "rows",
                "Recovery database",
                FAIL,
                "the switch gets no answer from it",
                "calls go on, but none can be recovered: repair it before you switch over",
                node,
                blocks=bool(view.service and view.service.keeps),
            )


def sbd(view: View) -> Iterator[Line]:
    """Where a timeout of the watchdog is set, sbd runs on every node."""
    for node, facts in sorted(view.facts.items()) if watchdog.relies_on_sbd(view.root) else ():
        if facts is not None and facts.get("sbd") is False:
            yield Line(
                "sbd",
                "Watchdog",
                FAIL,
                f"{TIMEOUT} is set and sbd does not run: Pacemaker will not start here again",
                f"start sbd, or delete the property: crm_attribute --name {TIMEOUT} --delete",
                node,
            )


def hosts(view: View) -> Iterator[Line]:
    """Disk space, a locked package manager, a state run, a young uptime of each host."""
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
                "free some space: the cluster stops if it can't write" if worst != PASS else "",
                node,
            )
        if facts.get("locked"):
            yield Line(
                "packages",
                "Packages",
                WARN,
                f"{facts['locked']} is locked",
                "an installation is running: wait for its end",
                node,
            )
        if facts.get("state_run"):
            yield Line(
                "state-run",
                "State run",
                WARN,
                f"{facts['state_run']} is running",
                "wait for its end: only one run at a time should change the pair",
                node,
            )
        if facts.get("queued_jobs"):
            yield Line(
                "schedule",
                "Schedule",
                WARN,
                f"queue is true for {', '.join(facts['queued_jobs'])}: if such a job meets another "
                "state run, Salt repeats it later without its arguments, as a real highstate",
                "take queue (or state_queue) out of the schedule, the pillar or the minion's "
                "configuration: what finds another run at work then fails, and comes again",
                node,
            )
        if facts.get("unread_arguments"):
            yield Line(
                "schedule-arguments",
                "Schedule",
                WARN,
                f"Salt ignores {'; '.join(facts['unread_arguments'])}: a test run there is none",
                "give arguments of scheduled jobs as args and kwargs (kwargs: {test: true})",
                node,
            )
        if facts.get("synchronised") is False:
            yield Line(
                "clock",
                "Clock",
                WARN,
                "it is not synchronised by NTP",
                "start chrony or systemd-timesyncd: times in logs and rules differ",
                node,
            )


def drill(view: View) -> Iterator[Line]:
    """The last drill is not too long ago."""
    if not view.last_drill:
        yield Line(
            "drill",
            "Last drill",
            WARN,
            "none is recorded on either node",
            "salt-call fsha.drill proves that the pair can switch over and back",
        )
        return
    age = view.now - parse_time(view.last_drill)
    yield Line(
        "drill",
        "Last drill",
        WARN if age > DRILL else PASS,
        f"{age.days} days ago",
        "run another one: salt-call fsha.drill" if age > DRILL else "",
    )
