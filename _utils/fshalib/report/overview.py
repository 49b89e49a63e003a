"""How the pair is: what ``fsha.status`` returns and the report shows."""

import dataclasses
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fshalib.checks import checks_cluster, collect
from fshalib.checks.minion import Minion
from fshalib.cib.document import Element
from fshalib.errors import RunError
from fshalib.freeswitch import client
from fshalib.pacemaker.status import Status
from fshalib.schema import report as schema_report
from fshalib.switchover import drill, lock, operator_settings, settings_text
from fshalib.switchover import service as switchover_service
from fshalib.switchover.cluster import Cluster
from fshalib.switchover.dangers import Danger
from fshalib.switchover.operator_action import FAIL_COUNT, OperatorAction

Data = dict[str, Any]


def overview(minion: Minion, cluster: Cluster, now: datetime) -> Data:
    """Return how the pair is, seen from this node; the keys are those of ``fsha.status``.

    now
        The time, with its time zone.

    Raises :class:`errors.LiveError` when the cluster can't be asked.
    """
    status, root = cluster.status(), cluster.cib()
    service, notes = _service(status, root)
    actions = _operator_actions(minion.pillar, status, root)
    running = cluster.running_verbs()
    me = cluster.this_node()
    notes += [lock.description(verb, time.time(), me) for verb in running]
    rings, why = minion.links()
    notes += [why] if why else []
    profiles, more = _profiles(minion.pillar)
    notes += more
    last_change = settings_text.last_change(root)
    threats = (
        *collect.threats(status, root, me, minion.ask_facts),
        *_of_the_address(status, root, me),
    )
    return {
        "cluster": _cluster_name(minion.pillar, root),
        "node": me,
        "last_drill": drill.last(cluster, minion.last_drill()),
        "dc": status.dc,
        "quorate": status.quorate,
        "nodes": [{"name": n.name, "state": n.word, "dc": n.dc} for n in status.nodes],
        "rings": rings,
        "service": service,
        "resources": [dataclasses.asdict(r) for r in status.resources],
        "profiles": profiles,
        "fail_counts": [dataclasses.asdict(f) for f in status.fail_counts],
        "failures": _failures(status),
        "leftovers": settings_text.as_lines(actions, last_change, now),
        "operations": [dataclasses.asdict(verb) for verb in running],
        "actions": settings_text.as_data(actions, last_change),
        "notes": notes,
        "dangers": [dataclasses.asdict(danger) for danger in threats],
    }


def _of_the_address(status: Status, root: Element, me: str) -> list[Danger]:
    """Return what the network says against the floating addresses."""
    try:
        service = switchover_service.find_service(root)
    except switchover_service.SwitchoverRefused:
        return []
    active = status.serving(*service.members)
    findings = collect.arp_findings(service, active, me) if active else None
    return [
        Danger(finding.kind, active, finding.text, checks_cluster.address_advice(finding, active))
        for finding in findings or ()
    ]


def _failures(status: Status) -> list[str]:
    counts = [f"{f.resource}: fail count {f.count} on {f.node}" for f in status.fail_counts]
    return [*map(str, status.failures), *counts]


def _cluster_name(pillar: Mapping[str, Any], root: Element) -> str:
    """Return the cluster's name, which corosync gives to Pacemaker."""
    pair = root.find("configuration/crm_config//nvpair[@name='cluster-name']")
    in_pillar = schema_report.section(pillar, "fsha", "cluster").get("name")
    return str((pair.get("value") if pair is not None else in_pillar) or "")


def _service(status: Status, root: Element) -> tuple[Data, list[str]]:
    """Return which service there is and where, and why that is not clear."""
    try:
        service = switchover_service.find_service(root)
    except switchover_service.SwitchoverRefused as error:
        several = [
            {"id": service.id, "node": status.serving(*service.members)}
            for service in switchover_service.services(root)
        ]
        return {"id": "", "node": "", "vips": [], "several": several}, list(error.reasons)
    node = status.serving(*service.members)
    return {"id": service.id, "node": node, "vips": list(service.vips), "several": []}, []


def _operator_actions(
    pillar: Mapping[str, Any], status: Status, root: Element
) -> list[OperatorAction]:
    """Return what operators have set; fail counts have a place of their own on the screen."""
    ours = operator_settings.attributes_in_pillar(
        schema_report.section(pillar, "fsha", "pacemaker")
    )
    actions: Iterable[OperatorAction] = operator_settings.actions(root, status, ours)
    return [action for action in actions if action.kind != FAIL_COUNT]


def _profiles(pillar: Mapping[str, Any]) -> tuple[Data, list[str]]:
    """Return the profiles of this node's switch, and what is to be said of it."""
    where = client.access(pillar)
    try:
        profiles = dict(client.profiles(where))
        paused = client.ask("fsctl pause_check inbound", where).strip() == "true"
    except RunError as error:
        return {}, [str(error)]
    if paused:
        return profiles, [
            "new calls are refused here (the switch is paused): fsha.undrain ends that"
        ]
    return profiles, []
