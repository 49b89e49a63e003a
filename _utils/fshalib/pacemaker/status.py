"""The cluster's state as data, from the XML of ``crm_mon``."""

import html
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from fshalib.system import programs

# How crm_mon writes a score of INFINITY.
INFINITY = "1000000"


class NoStatus(programs.RunError):
    """What should be the cluster's status is something else."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"crm_mon gave no status: {reason}.")


@dataclass(frozen=True)
class NodeStatus:
    """A cluster node as the cluster sees it."""

    name: str
    online: bool
    standby: bool
    maintenance: bool
    pending: bool
    unclean: bool
    dc: bool

    @property
    def word(self) -> str:
        """The one word for this node's state."""
        for flag, word in (
            (self.unclean, "UNCLEAN"),
            (self.pending, "pending"),
            (not self.online, "OFFLINE"),
            (self.maintenance, "maintenance"),
            (self.standby, "standby"),
        ):
            if flag:
                return word
        return "online"


@dataclass(frozen=True)
class Resource:
    """A primitive as the cluster sees it."""

    id: str
    agent: str
    role: str
    nodes: tuple[str, ...]
    group: str = ""
    managed: bool = True
    failed: bool = False
    blocked: bool = False
    orphaned: bool = False

    @property
    def started(self) -> bool:
        """Whether it runs on exactly one node and has not failed there."""
        return len(self.nodes) == 1 and not self.failed and self.role in ("Started", "Promoted")


@dataclass(frozen=True)
class Failure:
    """An operation that failed; ``op_key`` and ``call`` tell it from others on its node."""

    resource: str
    operation: str
    node: str
    exitstatus: str
    reason: str
    when: str
    op_key: str = ""
    call: str = ""

    def __str__(self) -> str:
        """Return the failure as a person reads it."""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.resource} {self.operation} failed on {self.node} ({self.exitstatus}){reason}"


@dataclass(frozen=True)
class FailCount:
    """How often a resource has failed on a node since the last cleanup."""

    resource: str
    node: str
    count: str


@dataclass(frozen=True)
class FenceEvent:
    """What became of the last time that a node was to be fenced.

    ``outcome``: ``success``, ``failed`` or ``pending``; ``completed`` as crm_mon writes it.
    """

    target: str
    action: str
    outcome: str
    completed: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Status:
    """All of it."""

    dc: str
    quorate: bool
    nodes: tuple[NodeStatus, ...] = ()
    resources: tuple[Resource, ...] = ()
    failures: tuple[Failure, ...] = ()
    fail_counts: tuple[FailCount, ...] = ()
    bans: tuple[str, ...] = ()
    fenced: tuple[FenceEvent, ...] = ()
    maintenance: bool = False

    def resource(self, *ids: str) -> tuple[Resource, ...]:
        """Return the primitives of these ids, and all members of the groups of these ids."""
        return tuple(r for r in self.resources if {r.id, r.group} & set(ids))

    def node(self, name: str) -> NodeStatus | None:
        """Return the node of this name."""
        return next((n for n in self.nodes if n.name == name), None)

    def active(self, *ids: str) -> tuple[str, ...]:
        """Return the nodes where anything of these resources or groups runs."""
        return tuple(dict.fromkeys(n for r in self.resource(*ids) for n in r.nodes))

    def serving(self, *ids: str) -> str:
        """Return the one node where every part of all these is started, or ``""``."""
        parts = self.resource(*ids)
        nodes = self.active(*ids)
        if parts and len(nodes) == 1 and all(part.started for part in parts):
            return nodes[0]
        return ""

    def complaints(self, *ids: str) -> tuple[str, ...]:
        """Return why resources or groups do not serve."""
        parts = self.resource(*ids)
        if not parts:
            return (f"there is no resource {' or '.join(ids)} in the cluster",)
        stopped = [f"{p.id} is {p.role} {_where(p)}{_trouble(p)}" for p in parts if not p.started]
        if not stopped:
            stopped = [f"it runs on {', '.join(self.active(*ids))}"]
        failed = [str(f) for f in self.failures if f.resource in {p.id for p in parts}]
        return (*stopped, *failed)


def _where(resource: Resource) -> str:
    return f"on {', '.join(resource.nodes)}" if resource.nodes else "everywhere"


def _trouble(resource: Resource) -> str:
    marks = (("has failed", resource.failed), ("is blocked", resource.blocked))
    return "".join(f" and {words}" for words, holds in marks if holds)


def _true(element: etree._Element, name: str) -> bool:
    return element.get(name) == "true"


def parse_status(text: str) -> Status:
    """Return the status from ``crm_mon -1 --output-as=xml --inactive``.

    Raises :class:`NoStatus`.
    """
    try:
        root = etree.fromstring(
            text.encode("utf-8", "replace"), etree.XMLParser(resolve_entities=False)
        )
    except etree.XMLSyntaxError as error:
        raise NoStatus(str(error)) from error
    if root.find("summary") is None:
        raise NoStatus(_instead(root))
    dc = root.find("summary/current_dc")
    options = root.find("summary/cluster_options")
    return Status(
        dc="" if dc is None else dc.get("name", ""),
        quorate=dc is not None and _true(dc, "with_quorum"),
        nodes=tuple(_node(e) for e in root.findall("nodes/node")),
        resources=tuple(_resources(root.findall("resources//resource"))),
        failures=tuple(_failure(e) for e in root.findall("failures/failure")),
        fail_counts=tuple(_fail_counts(root.findall("node_history/node"))),
        bans=tuple(e.get("id", "") for e in root.findall("bans/ban")),
        fenced=tuple(_fence_event(e) for e in root.findall("fence_history/fence_event")),
        maintenance=options is not None and _true(options, "maintenance-mode"),
    )


def _instead(root: etree._Element) -> str:
    """Return what a document without a status says: Pacemaker starts, stops, or has lost corosync.

    Pacemaker's tools then write of ``pacemakerd``, or nothing but their exit status.
    """
    daemon, status = root.find("pacemakerd"), root.find("status")
    words = [
        "" if daemon is None else f"pacemakerd: {daemon.get('state', '')}",
        "" if status is None or status.get("code") == "0" else status.get("message", ""),
        *(error.text or "" for error in root.iterfind("status/errors/error")),
    ]
    if root.tag not in ("pacemaker-result", "crm_mon"):
        return f"its root is <{root.tag}> without a summary"
    shown = "; ".join(word.strip() for word in words if word.strip())
    return (
        f"the cluster is not ready on this node{f' ({shown})' if shown else ''}. It starts, stops, "
        "or corosync has ended: look at 'systemctl status corosync pacemaker', start what is not "
        "running, and ask again in a minute"
    )


def _node(element: etree._Element) -> NodeStatus:
    return NodeStatus(
        name=element.get("name", ""),
        online=_true(element, "online"),
        standby=_true(element, "standby") or _true(element, "standby_onfail"),
        maintenance=_true(element, "maintenance"),
        pending=_true(element, "pending"),
        unclean=_true(element, "unclean"),
        dc=_true(element, "is_dc"),
    )


def _resources(elements: Iterable[etree._Element]) -> Iterable[Resource]:
    for element in elements:
        groups = [a.get("id", "") for a in element.iterancestors("group")]
        yield Resource(
            id=element.get("id", ""),
            agent=element.get("resource_agent", ""),
            role=element.get("role", ""),
            nodes=tuple(node.get("name", "") for node in element.findall("node")),
            group=groups[0] if groups else "",
            managed=_true(element, "managed"),
            failed=_true(element, "failed"),
            blocked=_true(element, "blocked"),
            orphaned=_true(element, "orphaned"),
        )


def _failure(element: etree._Element) -> Failure:
    key, task = element.get("op_key", ""), element.get("task", "")
    return Failure(
        resource=key.rpartition(f"_{task}_")[0] or key,
        operation=task,
        node=element.get("node", ""),
        exitstatus=element.get("exitstatus", ""),
        # Pacemaker 2.1 escapes it once more than XML wants it.
        reason=html.unescape(element.get("exitreason", "")),
        when=element.get("last-rc-change", ""),
        op_key=element.get("op_key", ""),
        call=element.get("call", ""),
    )


def _fence_event(element: etree._Element) -> FenceEvent:
    return FenceEvent(
        target=element.get("target", ""),
        action=element.get("action", ""),
        outcome=element.get("status", ""),
        completed=element.get("completed", ""),
        reason=element.get("exit-reason", ""),
    )


def _fail_counts(nodes: Iterable[etree._Element]) -> Iterable[FailCount]:
    for node in nodes:
        for history in node.findall("resource_history"):
            count = history.get("fail-count", "0")
            if count != "0":
                shown = "INFINITY" if count == INFINITY else count
                yield FailCount(history.get("id", ""), node.get("name", ""), shown)
