"""The same resources for all tools: as pillar, as crmsh's text, as commands of pcs, as a CIB."""

from __future__ import annotations

import copy
import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence

from lab import Node

NOTHING, ONE, NONE = CASES = ("from nothing", "one change", "no change")

AGENT = "ocf:pacemaker:Dummy"
MONITOR = {"interval": "10s", "timeout": "20s"}
NODES = ("fs1", "fs2")
PLAYED_AT_ONCE = 25

Resources = Mapping[str, Mapping[str, str]]
"""Id → parameters."""


def wanted(count: int, case: str) -> Resources:
    """Return what a case wants; with the change, one in the middle has another value."""
    odd = count // 2 if case == ONE else -1
    return {
        f"r{n:04}": {"state": f"/run/r{n:04}.state", "fake": "two" if n == odd else "one"}
        for n in range(count)
    }


# --- for each tool ---------------------------------------------------------------------------


def as_pillar(resources: Resources) -> str:
    """Return the pillar, in JSON, which is YAML too."""
    found = {
        id: {"agent": AGENT, "params": params, "operations": [{"name": "monitor", **MONITOR}]}
        for id, params in resources.items()
    }
    return json.dumps({"fsha": {"pacemaker": {"resources": found}}})


def as_crm_text(resources: Resources) -> str:
    """Return what ``crm configure show`` would write."""
    return "".join(
        f"primitive {id} {AGENT} params {_pairs(params)} op monitor {_pairs(MONITOR)}\n"
        for id, params in resources.items()
    )


def as_pcs_commands(file: str, count: int, case: str) -> list[str]:
    """Return a command for each resource, and for the change one more."""
    resources, before = wanted(count, case), wanted(count, NONE)
    pcs = f"pcs -f {file} resource"
    if case == NOTHING:
        return [
            f"{pcs} create {id} {AGENT} {_pairs(params)} op monitor {_pairs(MONITOR)}"
            for id, params in resources.items()
        ]
    looks = [f"{pcs} config {id}" for id in resources]
    changed = [id for id in resources if resources[id] != before[id]]
    return [*looks, *(f"{pcs} update {id} {_pairs(resources[id])}" for id in changed)]


def _pairs(values: Mapping[str, str]) -> str:
    return " ".join(f"{name}={text}" for name, text in values.items())


# --- CIBs ------------------------------------------------------------------------------------


def bare_cib(node: Node) -> str:
    """Return a CIB of the node's own Pacemaker with two nodes online and no resource."""
    root = ET.fromstring(node.run(["cibadmin", "--empty"]).out)
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
    bare = copy.deepcopy(root)
    resources = list(_at(root, "configuration/resources"))
    status = _at(root, "status")
    by_node = {held.get("id"): _at(held, "lrm_resources") for held in status.iter("lrm")}
    for first in range(0, len(resources), PLAYED_AT_ONCE):
        played = _played(node, bare, resources[first : first + PLAYED_AT_ONCE], room)
        for held in played.iter("lrm"):
            by_node[held.get("id")].extend(_at(held, "lrm_resources"))
    return status


def _played(node: Node, bare: ET.Element, resources: Sequence[ET.Element], room: str) -> ET.Element:
    _at(bare, "configuration/resources")[:] = resources
    argv = ["crm_simulate", "--simulate", "--quiet", "--xml-pipe", f"--save-output={room}/played"]
    node.run(argv, input=ET.tostring(bare, encoding="unicode"))
    return ET.fromstring(node.read(f"{room}/played"))


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
