"""Ask the cluster's own scheduler whether the service starts elsewhere when its node fails.

``crm_simulate`` plays two things: the cluster settles as its CIB stands, and then the node that
serves fails. It runs once for the first, and once for each node that serves. Nothing is changed.
"""

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from fshalib.agents import is_ping
from fshalib.cib import document
from fshalib.cib.document import Element
from fshalib.lint.finding import ERROR, Advice, KnownFinding
from fshalib.pacemaker import simulate, tools, transient
from fshalib.schema.report import path
from fshalib.system import programs
from fshalib.system.programs import Runner

SIMULATED = KnownFinding(
    "The cluster's own scheduler decides so",
    "crm_simulate --node-fail",
    "look at the other findings; 'crm_simulate --simulate --xml-file FILE --show-scores' tells "
    "which node gets which score",
    ERROR,
)
CODE = "simulated"
HOSTS, MULTIPLIER = "host_list", "multiplier"


@dataclass(frozen=True)
class Loss:
    """What does not start elsewhere when a node fails; without a node, what runs nowhere now."""

    node: str
    resources: tuple[str, ...]

    def __str__(self) -> str:
        """Return one sentence without a full stop."""
        names = ", ".join(self.resources)
        verb = "starts" if len(self.resources) == 1 else "start"
        if self.node:
            return f"when {self.node} fails, {names} {verb} on no other node"
        return f"{names} {verb} on no node at all"


@dataclass(frozen=True)
class Answer:
    """What the simulator said, and how often it ran for that."""

    losses: tuple[Loss, ...]
    runs: int


def ask(root: Element, ids: Collection[str], run: Runner = programs.run) -> Answer:
    """Let the node that serves fail.

    root
        A CIB. Without a status its nodes are taken for online, with quorum.
    ids
        The resources that have to run.
    run
        Runs ``crm_simulate``.

    Raises :class:`programs.RunError` when the simulator is missing or can't play this CIB.
    """
    first = tools.play(document.render(with_nodes_up(root)), run=run)
    serving = _serving(first.out, ids)
    idle = serving.pop("", ())
    losses = [Loss("", idle)] if idle else []
    for node, own in serving.items():
        after = _nodes(tools.play(_with_other_dc(first.cib, node), fail=node, run=run).out)
        lost = tuple(id for id in own if not after.get(id, frozenset()) - {node})
        losses += [Loss(node, lost)] if lost else []
    return Answer(tuple(losses), 1 + len(serving))


def _with_other_dc(cib: str, node: str) -> str:
    """Return a CIB whose DC is not on a node: the others elect one when it fails."""
    root = document.parse(cib)
    states = {state.get("uname"): state for state in root.iterfind("status/node_state")}
    online = [states[name] for name in transient.online_nodes(root) if name != node]
    others = [s.get("id", "") for s in online if s.find(".//nvpair[@name='shutdown']") is None]
    if node not in states or root.get("dc-uuid") != states[node].get("id") or not others:
        return cib
    root.set("dc-uuid", others[0])
    return document.render(root)


def _serving(out: str, ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return each node with what it runs of some resources; ``""`` for what runs nowhere."""
    placed = _nodes(out)
    serving: dict[str, tuple[str, ...]] = {}
    for id in ids:
        node = min(placed.get(id, frozenset()), default="")
        serving[node] = (*serving.get(node, ()), id)
    return serving


def _nodes(out: str) -> dict[str, frozenset[str]]:
    """Return the nodes of each resource after a transition."""
    found: dict[str, frozenset[str]] = {}
    for id, nodes in simulate.parse_transition(out).placement.items():
        plain = simulate.without_instance(id)
        found[plain] = found.get(plain, frozenset()) | {*nodes}
    return found


def with_nodes_up(root: Element) -> Element:
    """Return a CIB whose nodes are online: as it is if its status says so of any node.

    What a ping resource would write is written, as if all of its hosts answered.
    """
    if transient.online_nodes(root):
        return root
    made = copy.deepcopy(root)
    made.set("have-quorum", "1")
    for status in made.findall("status"):
        made.remove(status)
    status = etree.SubElement(made, "status")
    for node in made.iterfind("configuration/nodes/node"):
        if node.get("type", "member") not in ("member", "normal"):
            continue
        id, name = node.get("id", ""), node.get("uname", "")
        here = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
        state = etree.SubElement(status, "node_state", {"id": id, "uname": name, **here})
        etree.SubElement(etree.SubElement(state, "lrm", {"id": id}), "lrm_resources")
        _write(state, f"status-{id}", _pinged(made))
    return made


def _write(state: Element, id: str, values: Mapping[str, str]) -> None:
    outer = etree.SubElement(state, "transient_attributes", {"id": state.get("id", "")})
    inner = etree.SubElement(outer, "instance_attributes", {"id": id})
    for name, value in values.items():
        etree.SubElement(inner, "nvpair", {"id": f"{id}-{name}", "name": name, "value": value})


def _pinged(root: Element) -> dict[str, str]:
    """Return the attributes that ping resources write when all of their hosts answer."""
    found = {}
    for item in root.iterfind("configuration/resources//primitive"):
        if is_ping(":".join(item.get(key, "") for key in ("class", "provider", "type"))):
            pairs = item.iterfind("instance_attributes/nvpair")
            values = {pair.get("name"): pair.get("value", "") for pair in pairs}
            each = values.get(MULTIPLIER, "1")
            count = len(values.get(HOSTS, "").split()) * (int(each) if each.isdecimal() else 1)
            found[values.get("name", "pingd")] = str(count)
    return found


def findings(answer: Answer) -> tuple[Advice, ...]:
    """Return what the simulator has found, as advice."""
    known = SIMULATED
    texts = (known.reason, known.source, known.mend, known.severity)
    return tuple(
        Advice(CODE, path(("pacemaker", "resources", loss.resources[0])), str(loss), *texts)
        for loss in answer.losses
    )
