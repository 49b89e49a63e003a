"""The guard of this node: the pillar's policy, and the calls of its own FreeSWITCH."""

import dataclasses
import shlex
from collections.abc import Mapping
from typing import Any

from fshalib.agents import FREESWITCH
from fshalib.change import guard as change_guard
from fshalib.change.guard import Calls, Way
from fshalib.change.plan import Guard
from fshalib.errors import ArgumentError, RunError
from fshalib.freeswitch import client
from fshalib.pacemaker import tools
from fshalib.pillar import guard_policy
from fshalib.pillar.config import Config
from fshalib.schema import report


def guard(given: Mapping[str, Any] | None, pillar: Mapping[str, Any], *, override: bool) -> Guard:
    """Return what the operator allows.

    given
        What may be interrupted; ``None`` for what the pillar says.
    pillar
        This minion's pillar.
    override
        Allow whatever it costs.

    Raises :class:`errors.ArgumentError`.
    """
    text = report.section(pillar, "fsha", "guard") if given is None else given
    try:
        policy = guard_policy.policy(text if text else {})
    except guard_policy.PolicyError as error:
        raise ArgumentError(str(error)) from error
    if override:
        policy = dataclasses.replace(policy, override=True)
    service = report.section(pillar, "fsha", "freeswitch").get("service") or FREESWITCH
    return Guard(policy, lambda: calls_here(client.access(pillar)), service=str(service))


def of_config(config: Config, pillar: Mapping[str, Any]) -> Guard:
    """Return the guard of a checked pillar; ``pillar`` tells how FreeSWITCH is asked."""
    access = client.access(pillar)
    return Guard(config.guard, lambda: calls_here(access), service=config.freeswitch.service)


def way(transaction: str) -> Way:
    """Return how a transaction is committed by hand, for the guard's advice."""
    return Way(
        elsewhere="stage and commit it on {}",
        override=f"salt-call pacemaker.commit {shlex.quote(transaction)} override=True",
        together="stage and commit it on {} at the same time",
    )


def calls_here(access: client.Access) -> Calls:
    """Return the call legs on this node's FreeSWITCH.

    Raises :class:`errors.RunError` when the cluster does not know this node.
    """
    node = tools.local_node()
    try:
        legs = change_guard.legs(client.profiles(access))
    except RunError as error:
        return Calls(None, node, str(error))
    return Calls(legs, node)
