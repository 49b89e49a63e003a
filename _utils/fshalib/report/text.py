"""The status screen: what a tired person needs to see first, on one page."""

from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 78


def screen(data: Mapping[str, Any]) -> str:
    """Return the status (see ``fsha.status``) as a page of plain text."""
    lines = [*_dangers(data), _headline(data), "-" * WIDTH]
    lines += _table("node", [_node(node) for node in data["nodes"]])
    lines += _table("ring", [_link(link) for link in data["rings"]] or ["(not known)"])
    lines += _table("resource", [_resource(item) for item in data["resources"]] or ["(none)"])
    profiles = [_profile(item) for item in data["profiles"].items()]
    lines += _table("profile", profiles or ["none runs on this node"])
    for title in ("failures", "leftovers", "notes"):
        lines += _table(title.rstrip("s") if title == "notes" else title, data[title])
    return "\n".join(lines)


def _dangers(data: Mapping[str, Any]) -> list[str]:
    """Return what threatens and what to do, before all else; what is certain comes first."""
    found = sorted(data.get("dangers", ()), key=lambda danger: danger["kind"] != "split")
    pairs = ((f"!!  {one['text']}", f"    -> {one['advice']}") for one in found)
    return [line for pair in pairs for line in pair]


def _headline(data: Mapping[str, Any]) -> str:
    service = data["service"]
    if service.get("several"):
        where = "; ".join(_serving(one["id"], one["node"]) for one in service["several"])
    elif not service["id"]:
        where = "no voice service is configured"
    else:
        vips = f", VIP {', '.join(service['vips'])}" if service["node"] and service["vips"] else ""
        where = f"{_serving(service['id'], service['node'])}{vips}"
        if service["node"]:
            where += "".join(sorted({_BUT[one["kind"]] for one in _doubts(data)}))
    # Without a DC, as while a new one is elected, crm_mon says nothing of the quorum.
    unknown = "quorum not known" if not data["dc"] else "NO QUORUM"
    quorum = "quorate" if data["quorate"] else unknown
    return f"{where}   [{quorum}, DC {data['dc'] or 'none'}]"


_BUT = {
    "split": ", AS THIS NODE SEES IT",
    "second": ", AND ANOTHER HOST ANSWERS",
    "silent": ", BUT NOBODY ANSWERS",
    "missing": ", BUT THE ADDRESS IS NOT THERE",
}
"""What a danger means for the words that a service serves."""


def _doubts(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [danger for danger in data.get("dangers", ()) if danger["kind"] in _BUT]


def _serving(id: str, node: str) -> str:
    return f"{id} serves on {node}" if node else f"{id} DOES NOT SERVE"


def _table(title: str, rows: Sequence[str]) -> list[str]:
    return [f"{title if number == 0 else '':10s}{row}" for number, row in enumerate(rows)]


def _padded(text: str, width: int) -> str:
    """Return a cell of a table; what is too long for it still ends with a blank."""
    return f"{text:{width - 1}s} "


def _node(node: Mapping[str, Any]) -> str:
    return f"{_padded(node['name'], 32)}{node['state']}{'  (DC)' if node['dc'] else ''}"


def _link(link: Mapping[str, Any]) -> str:
    state = "connected" if link["connected"] else "NOT CONNECTED"
    peer = f"link {link['link']} to {link['node']}"
    return f"{_padded(peer, 32)}{state}  {link['address']}"


def _resource(item: Mapping[str, Any]) -> str:
    marks = [word for word in ("failed", "blocked", "orphaned") if item[word]]
    marks += [] if item["managed"] else ["unmanaged"]
    where = ", ".join(item["nodes"]) or "-"
    columns = (_padded(item["id"], 24), _padded(item["role"], 10), _padded(where, 24))
    shown = f"{''.join(columns)}{item['agent']}"
    return f"{shown}  {' '.join(m.upper() for m in marks)}".rstrip()


def _profile(item: tuple[str, Any]) -> str:
    name, sessions = item
    state = "not running" if sessions is None else f"RUNNING, {sessions} sessions"
    return f"{_padded(name, 24)}{state}"
