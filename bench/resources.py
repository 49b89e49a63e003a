"""The same resources for all tools: as pillar, as crmsh's text, as commands of pcs, as a CIB."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab import Node

NOTHING, ONE, NONE = CASES = ("from nothing", "one change", "no change")

AGENT = "ocf:pacemaker:Dummy"
MONITOR = {"interval": "10s", "timeout": "20s"}
NODES = ("fs1", "fs2")
PREFERENCE = 50
PLAYED_AT_ONCE = 20


@dataclass(frozen=True)
class Setup:
    """What there is to reconcile: so many resources.

    grouped
        Not each by itself, but two by two in groups, with a preferred node for each group, as
        in a voice cluster an address and the switch that answers on it.
    """

    count: int
    grouped: bool = False

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.count} resources{' in groups' if self.grouped else ''}"

    @property
    def key(self) -> str:
        """What is in the name of its files."""
        return f"{self.count}{'-grouped' if self.grouped else ''}"

    def params(self, case: str) -> Mapping[str, Mapping[str, str]]:
        """Return id → parameters; with the change, one in the middle has another value."""
        odd = self.count // 2 if case == ONE else -1
        return {
            _id(n): {"state": f"/run/{_id(n)}.state", "fake": "two" if n == odd else "one"}
            for n in range(self.count)
        }

    @property
    def groups(self) -> Mapping[str, Sequence[str]]:
        """Group → members."""
        pairs = range(0, self.count if self.grouped else 0, 2)
        return {f"group-{n:04}": (_id(n), _id(n + 1)) for n in pairs}


def _id(number: int) -> str:
    return f"r{number:04}"


# --- for each tool ---------------------------------------------------------------------------


def as_pillar(setup: Setup, case: str) -> str:
    """Return the pillar, in JSON, which is YAML too."""
    operations = [{"name": "monitor", **MONITOR}]
    pacemaker = {
        "resources": {
            id: {"agent": AGENT, "params": params, "operations": operations}
            for id, params in setup.params(case).items()
        },
        "groups": {id: {"members": members} for id, members in setup.groups.items()},
        "locations": {
            f"{id}-prefers": {"resource": id, "node": NODES[0], "score": PREFERENCE}
            for id in setup.groups
        },
    }
    return json.dumps({"fsha": {"pacemaker": pacemaker}})


def as_crm_text(setup: Setup, case: str) -> str:
    """Return what ``crm configure show`` would write."""
    lines = [
        f"primitive {id} {AGENT} params {_pairs(params)} op monitor {_pairs(MONITOR)}"
        for id, params in setup.params(case).items()
    ]
    lines += [f"group {id} {' '.join(members)}" for id, members in setup.groups.items()]
    lines += [f"location {id}-prefers {id} {PREFERENCE}: {NODES[0]}" for id in setup.groups]
    return "".join(f"{line}\n" for line in lines)


def as_pcs_commands(file: str, setup: Setup, case: str) -> list[str]:
    """Return a command for each resource, and for the change one more."""
    wanted, before = setup.params(case), setup.params(NONE)
    pcs = f"pcs -f {file} resource"
    if case == NOTHING:
        return [
            f"{pcs} create {id} {AGENT} {_pairs(params)} op monitor {_pairs(MONITOR)}"
            for id, params in wanted.items()
        ]
    looks = [f"{pcs} config {id}" for id in wanted]
    changed = [id for id in wanted if wanted[id] != before[id]]
    return [*looks, *(f"{pcs} update {id} {_pairs(wanted[id])}" for id in changed)]


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in values.items())


# --- CIBs ------------------------------------------------------------------------------------


def bare_cib(node: Node) -> str:
    """Return a CIB of the node's own Pacemaker with two nodes online and no resource."""
    root = ET.fromstring(node.run(["cibadmin", "--empty"]).out)
    # Without quorum nothing would start.
    root.set("have-quorum", "1")
    options = _below(root, "configuration/crm_config", "cluster_property_set", id="options")
    ET.SubElement(options, "nvpair", id="fencing", name="stonith-enabled", value="false")
    for id, name in enumerate(NODES, start=1):
        one = {"id": str(id), "uname": name}
        _below(root, "configuration/nodes", "node", **one)
        state = _below(
            root, "status", "node_state", **one,
            in_ccm="true", crmd="online", join="member", expected="member",
        )  # fmt: skip
        ET.SubElement(ET.SubElement(state, "lrm", id=str(id)), "lrm_resources")
    return ET.tostring(root, encoding="unicode")


def running(node: Node, cib: str, room: str) -> ET.Element:
    """Return the status that a CIB has when all of its resources run.

    The cluster's own simulation starts them, few at a time: its time grows with the square.

    room
        A directory on the node for its files.
    """
    root = ET.fromstring(cib)
    status = _at(root, "status")
    histories = {held.get("id"): _at(held, "lrm_resources") for held in status.iter("lrm")}
    whole = list(_at(root, "configuration/resources"))
    for first in range(0, len(whole), PLAYED_AT_ONCE):
        text = ET.tostring(_part(root, whole[first : first + PLAYED_AT_ONCE]), encoding="unicode")
        argv = ["crm_simulate", "--simulate", "--quiet", f"--save-output={room}/played"]
        node.run([*argv, "--xml-pipe"], input=text)
        for held in ET.fromstring(node.read(f"{room}/played")).iter("lrm"):
            histories[held.get("id")].extend(_at(held, "lrm_resources"))
    return status


def _part(root: ET.Element, some: Sequence[ET.Element]) -> ET.Element:
    """Return a CIB with some of its resources and what is said of these, with nothing running."""
    part = copy.deepcopy(root)
    ids = {element.get("id") for resource in some for element in resource.iter()}
    _at(part, "configuration/resources")[:] = some
    constraints = _at(part, "configuration/constraints")
    constraints[:] = [one for one in constraints if one.get("rsc") in ids]
    for tags in part.findall("configuration/tags"):
        _at(part, "configuration").remove(tags)
    for history in part.iter("lrm_resources"):
        history.clear()
    return part


def with_status(cib: str, status: ET.Element) -> str:
    """Return a CIB with another status."""
    root = ET.fromstring(cib)
    _at(root, "status")[:] = list(status)
    return ET.tostring(root, encoding="unicode")


def _at(root: ET.Element, path: str) -> ET.Element:
    found = root.find(path)
    if found is None:
        raise ValueError(f"<{root.tag}> has no {path}")
    return found


def _below(root: ET.Element, path: str, tag: str, **attributes: str) -> ET.Element:
    return ET.SubElement(_at(root, path), tag, attributes)
