"""Checks of the cluster: membership, rings, failures, fencing, the service, who could take over."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fshalib.agents import is_fencing, is_vip
from fshalib.checks import split
from fshalib.checks.collect import View
from fshalib.checks.line import FAIL, PASS, SKIP, WARN, Line
from fshalib.cib import agent
from fshalib.switchover import arp, operator_action, operator_settings
from fshalib.switchover.preflight import would_serve


def two_holders(view: View) -> Iterator[Line]:
    """Nothing threatens to let two nodes have the address."""
    for danger in view.dangers:
        certain = danger.kind != split.LOST
        yield Line(
            "holders",
            "Two holders",
            FAIL if certain else WARN,
            danger.text,
            danger.advice,
            danger.node,
            blocks=certain,
        )
    if not view.dangers:
        yield Line("holders", "Two holders", PASS, "nothing threatens to let two nodes serve")


def membership(view: View) -> Iterator[Line]:
    """Every node is a member, and there is a DC."""
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


def quorum(view: View) -> Iterator[Line]:
    """The cluster is quorate."""
    ok = view.status.quorate
    yield Line(
        "quorum",
        "Quorum",
        PASS if ok else FAIL,
        "there is quorum"
        if ok
        else "there is no quorum"
        if view.status.dc
        else "not known: there is no DC at the moment",
        "" if ok else "see corosync-quorumtool -s: without quorum the cluster starts nothing",
        blocks=True,
    )


def rings(view: View) -> Iterator[Line]:
    """Every link of every node is connected."""
    if view.links is None:
        yield Line(
            "rings", "Ring links", WARN, "the links can't be read", "is corosync running here?"
        )
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
                "check the network of that link: one more fault cuts the pair in two",
                node,
            )
    if not any(seen.values()):
        yield Line("rings", "Ring links", PASS, f"all {len(view.links)} links are connected")


def down(links: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the links that are not connected, as words."""
    return [f"link {link['number']} to {link['node']}" for link in links if not link["connected"]]


def settled(view: View) -> Iterator[Line]:
    """Nothing starts, stops or moves at the moment."""
    if view.pending is None:
        return
    actions = "; ".join(str(action) for action in view.pending.actions)
    dc = view.status.dc
    yield Line(
        "settled",
        "Cluster idle",
        WARN if actions or not dc else PASS,
        f"the cluster is about to: {actions}" if actions else f"the DC ({dc or 'none'}) is idle",
        "wait until it is done (crm_resource --wait)" if actions else "",
    )


def failures(view: View) -> Iterator[Line]:
    """No resource has failed."""
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


def leftovers(view: View) -> Iterator[Line]:
    """No operator action stands in the way."""
    done = [
        a
        for a in operator_settings.actions(view.root, view.status)
        if a.kind != operator_action.FAIL_COUNT
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
            f"when it is no longer needed: {action.hint}",
            action.node,
            blocks=stands,
        )


_IN_THE_WAY = frozenset(
    {
        operator_action.MAINTENANCE_MODE,
        operator_action.STOP_ALL,
        operator_action.NODE_MAINTENANCE,
    }
)


def operations(view: View) -> Iterator[Line]:
    """No switchover goes on, and none was interrupted."""
    for told in view.operations:
        yield Line("operations", "Operations", WARN, told)
    if not view.operations:
        yield Line("operations", "Operations", PASS, "none is running")


def fencing(view: View) -> Iterator[Line]:
    """Fencing is on, and a device is running for each node."""
    if split.has_fencing(view.root):
        devices = [id for id, kind in agent.names(view.root).items() if is_fencing(kind)]
        idle = [id for id in devices if not view.status.active(id)]
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
            "there is no fencing: a node that hangs may keep the address",
            "configure a fence device, and set stonith-enabled: true",
        )


def fenced(view: View) -> Iterator[Line]:
    """No node was fenced without success."""
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
            f"{event.action} is running" if pending else f"{event.action} has failed{at}{why}",
            "wait for its end"
            if pending
            else f"repair the fence device; then stonith_admin --cleanup --history {event.target}",
            event.target,
            blocks=pending,
        )
    if not bad:
        times = len(view.status.fenced)
        done = f"{times} times; the last one of each node succeeded" if times else "never needed"
        yield Line("fence-history", "Fencing lately", PASS, done)


def twice(view: View) -> Iterator[Line]:
    """The service runs on one node only."""
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


def service(view: View) -> Iterator[Line]:
    """There is one service, and it runs."""
    if view.service is None:
        yield Line("service", "Service", FAIL, "no voice service is configured", blocks=True)
        return
    if view.active:
        yield Line("service", "Service", PASS, f"{view.service.id} serves on {view.active}")
        yield from _address_left_behind(view.service.id, view)
    else:
        why = "; ".join(view.status.complaints(*view.service.members))
        yield Line(
            "service",
            "Service",
            FAIL,
            f"{view.service.id} does not serve: {why}",
            "see fsha.status",
            blocks=True,
        )


def _address_left_behind(id: str, view: View) -> Iterator[Line]:
    addresses = [name for name, kind in agent.names(view.root).items() if is_vip(kind)]
    if addresses and view.service and not view.service.vips:
        yield Line(
            "service-address",
            "Service address",
            WARN,
            f"no floating address moves with {id}: nothing ties {' or '.join(addresses)} to it",
            "tie them by a group or a colocation; fsha.lint cib=live shows how",
        )


def could_move(view: View) -> Iterator[Line]:
    """The cluster would start all of the service on the other node."""
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
        f"the cluster would not start it elsewhere; it would: {actions}",
        "fsha.lint and 'crm_simulate -sL' show why",
        blocks=True,
    )


def addresses(view: View) -> Iterator[Line]:
    """The node that serves is the one that answers for its addresses, and it can be reached."""
    if view.arp_findings is None:
        yield Line("vip", "Floating address", SKIP, "the network can't be asked from here")
        return
    kinds = {finding.kind: finding for finding in view.arp_findings}
    for kind, first in kinds.items():
        texts = "; ".join(f.text for f in view.arp_findings if f.kind == kind)
        advice = address_advice(first, view.active)
        # An address that nobody can reach is a reason to switch over, not one against it.
        blocks = kind in (arp.SECOND, arp.CUT_OFF)
        yield Line("vip", "Floating address", FAIL, texts, advice, blocks=blocks)
    if not view.arp_findings:
        yield Line("vip", "Floating address", PASS, "only one node answers for it")


def address_advice(finding: arp.ArpFinding, active: str) -> str:
    """Return what to do about a finding, with the service on the node ``active``."""
    return _ADDRESS_ADVICE[finding.kind].format(active=active)


_ADDRESS_ADVICE = {
    arp.SECOND: "two holders take each other's calls: find the second one",
    arp.SILENT: "no call arrives: fsha.failover moves the service to the other node; then look at "
    "the network of {active}. Where the master can't be reached: salt-call --local fsha.failover",
    arp.MISSING: "no call arrives: the cluster puts it back at its next monitor; if it does not, "
    "fsha.failover moves the service",
    arp.CUT_OFF: "mend this node's network first: it could not serve",
}
