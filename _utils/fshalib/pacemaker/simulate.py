"""The effects of a change: the cluster's own simulation, as data and for people."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from lxml import etree

from fshalib.system import programs

HANDED_OVER = "hand over"
"""What becomes of a resource that is removed and goes on running; crm_simulate can't know it."""

# crm_simulate's name of an action → the text for people.
_TEXTS = {
    "start": "start {resource} on {node}",
    "stop": "stop {resource} on {node}",
    "restart": "restart {resource} on {node}",
    "recover": "recover {resource} on {node}",
    "reload": "reload {resource} on {node}",
    "move": "move {resource} from {source} to {node}",
    "migrate": "migrate {resource} from {source} to {node}",
    "promote": "promote {resource} on {node}",
    "demote": "demote {resource} on {node}",
    "re-promote": "re-promote {resource} on {node}",
    HANDED_OVER: "leave {resource} on {node} to systemd, running",
}
INTERRUPTING = frozenset({"stop", "restart", "recover", "move", "demote", "re-promote"})
RELOADING = frozenset({"reload", "reload-agent"})
"""What interrupts nothing while the agent takes the new parameters, and stops it otherwise."""
QUIET = frozenset({"leave", "none"})


@dataclass(frozen=True)
class Action:
    """One action of the cluster on a resource, or on a node if ``resource`` is empty."""

    action: str
    resource: str
    node: str
    source: str = ""
    reason: str = ""
    blocked: bool = False

    def __str__(self) -> str:
        """Return the action for people."""
        template = _TEXTS.get(self.action, "{action} {resource} on {node}")
        if not self.resource:
            template = "{action} {node}"
        text = template.format(
            action=self.action, resource=self.resource, node=self.node, source=self.source
        )
        blocked = " (blocked)" if self.blocked else ""
        return f"{text}{blocked}{f' ({self.reason})' if self.reason else ''}"


@dataclass(frozen=True)
class Transition:
    """The next actions of the cluster, and the nodes of each resource before and afterwards."""

    actions: tuple[Action, ...]
    placement: Mapping[str, tuple[str, ...]]
    before: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def interrupted(self) -> tuple[str, ...]:
        """The resources that run now and would stop, also for a moment only."""
        return tuple(
            dict.fromkeys(
                a.resource for a in self.actions if a.action in INTERRUPTING and not a.blocked
            )
        )

    @property
    def reloaded(self) -> frozenset[str]:
        """The resources that get new parameters while they run."""
        return frozenset(
            without_instance(a.resource) for a in self.actions if a.action in RELOADING
        )


def with_handed_over(transition: Transition, ids: Collection[str]) -> Transition:
    """Return a transition in which some resources are not stopped but left running."""
    actions = (
        replace(action, action=HANDED_OVER, node=action.source or action.node, reason="")
        if action.action == "stop" and without_instance(action.resource) in ids
        else action
        for action in transition.actions
    )
    return replace(transition, actions=tuple(actions))


_INSTANCE = re.compile(r":[0-9]+$", re.ASCII)


def without_instance(resource: str) -> str:
    """Return the resource of a clone's instance, as ``crm_mon`` names it: ``fs:1`` is ``fs``."""
    return _INSTANCE.sub("", resource)


class NoTransition(programs.RunError):
    """The simulation's answer cannot be understood."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"crm_simulate gave no transition: {reason}.")


def parse_transition(text: str) -> Transition:
    """Return the transition from the XML of ``crm_simulate --output-as=xml``.

    With ``--run`` the output lacks the placement afterwards.

    Raises :class:`NoTransition`.
    """
    try:
        root = etree.fromstring(
            text.encode("utf-8", "replace"), etree.XMLParser(resolve_entities=False)
        )
    except etree.XMLSyntaxError as error:
        raise NoTransition(str(error)) from error
    return Transition(
        actions=tuple(_actions(root.findall("actions/*"))),
        placement=_placement(root.find("revised_cluster_status/resources")),
        before=_placement(root.find("cluster_status/resources")),
    )


def _actions(elements: Sequence[etree._Element]) -> list[Action]:
    return [
        Action(
            # A node is fenced or shut down, a resource started, stopped, …
            action=e.get("action") or e.get("task", "").lower(),
            resource=e.get("resource", ""),
            node=e.get("dest") or e.get("node") or e.get("source") or "",
            source=e.get("source", ""),
            reason=e.get("reason", ""),
            blocked=e.get("blocked") == "true",
        )
        for e in elements
        if e.tag in ("node_action", "rsc_action") and e.get("action") not in QUIET
    ]


def _placement(resources: etree._Element | None) -> dict[str, tuple[str, ...]]:
    """Return id → nodes; the instances of a clone count as one resource."""
    placement: dict[str, tuple[str, ...]] = {}
    for resource in [] if resources is None else resources.iter("resource"):
        nodes = (cast(str, node.get("name")) for node in resource.findall("node"))
        id = resource.get("id", "")
        placement[id] = tuple(dict.fromkeys((*placement.get(id, ()), *nodes)))
    return placement
