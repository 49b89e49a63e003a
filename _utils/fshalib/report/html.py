"""One HTML page that shows a pair: the nodes drawn, the checklist, what happened, the gaps.

The page needs no network and no script. Everything in it may be missing, and every text in it may
be hostile: it is escaped, and wrapped where it is long.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import jinja2

from fshalib.events import journal as events_journal
from fshalib.report import template as report_template

FORM = "%Y-%m-%dT%H:%M:%SZ"
MOST = 20
"""Entries of a kind that are shown."""
LONGEST = 400
"""Characters of a value that are shown."""

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What the page shows.

    ``status`` as ``fsha.status as_data=True`` returns it, ``check`` as ``fsha.check as_data=True``
    does, ``journal`` the entries of the journal, oldest first. ``status`` and ``check`` may be
    empty, then ``why`` says why.
    """

    node: str
    at: str
    status: Data = field(default_factory=dict)
    check: Data = field(default_factory=dict)
    journal: Sequence[Data] = ()
    why: str = ""


def page(facts: Facts) -> str:
    """Return the whole page."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(report_template.PAGE)
    return template.render(
        style=report_template.STYLE,
        facts=facts,
        title=facts.status.get("cluster") or "the pair",
        drawing=drawing(facts.status),
        counts=_counts(facts.check),
        lines=sorted(facts.check.get("lines", ()), key=lambda line: _RANK[line["verdict"]]),
        actions=[{**_NO_REMARK, **action} for action in _actions(facts.status)],
        changes=changes(facts.journal),
        chart=chart(gaps(facts.journal)),
        moves=moves(facts.journal),
    )


_RANK = {"fail": 0, "warn": 1, "skip": 2, "pass": 3}


_NO_REMARK = {"by": "", "reason": "", "since": "", "until": None}


def _counts(check: Data) -> dict[str, int]:
    verdicts = [line["verdict"] for line in check.get("lines", ())]
    return {word: verdicts.count(word) for word in _RANK}


def _actions(status: Data) -> list[Data]:
    return list((status.get("actions") or {}).get("actions", ()))


# --- the drawing -----------------------------------------------------------------------------


def drawing(status: Data) -> dict[str, Any]:
    """Return what is drawn: nodes with their place and resources, and links between them."""
    nodes = [
        {
            "name": node["name"],
            "state": node["state"],
            "serves": node["name"] == (status.get("service") or {}).get("node"),
            "dc": node.get("dc", False),
            "resources": _resources_on(status, node["name"]),
        }
        for node in status.get("nodes", ())
    ]
    links: dict[int, bool] = {}
    for link in status.get("rings", ()):
        number = link["link"]
        links[number] = links.get(number, True) and bool(link["connected"])
    height = 96 + 26 * max((len(node["resources"]) for node in nodes), default=0)
    return {
        "nodes": nodes,
        "links": [{"number": number, "up": up} for number, up in sorted(links.items())],
        "height": max(height, 130),
        "vips": list((status.get("service") or {}).get("vips", ())),
    }


def _resources_on(status: Data, node: str) -> list[dict[str, Any]]:
    found = []
    for item in status.get("resources", ()):
        if node in item.get("nodes", ()):
            bad = [word for word in ("failed", "blocked", "orphaned") if item.get(word)]
            bad += [] if item.get("managed", True) else ["unmanaged"]
            word = ", ".join(bad) or item.get("role", "")
            found.append({"id": item["id"], "word": word, "bad": bool(bad)})
    return found


# --- what happened ---------------------------------------------------------------------------


def changes(journal: Iterable[Data]) -> list[dict[str, Any]]:
    """Return the last drifts, commits and refusals, newest first, with their differences."""
    kinds = ("drift", "commit", "refused")
    found = [entry for entry in journal if entry.get("kind") in kinds]
    return [
        {
            "at": entry["at"],
            "kind": entry["kind"],
            "node": entry["node"],
            "subject": entry["subject"],
            "test": bool(entry.get("test")),
            "rows": differences((entry["data"] or {}).get("changes") or {}),
        }
        for entry in reversed(found[-MOST:])
    ]


def differences(tree: Any, path: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """Return the rows ``what``, ``old`` and ``new`` of a tree of changes, however deep it is."""
    if isinstance(tree, Mapping) and tree and set(tree) <= {"old", "new"}:
        old, new = (_shown(tree.get(key)) for key in ("old", "new"))
        return [{"what": " ".join(path), "old": old, "new": new}]
    if isinstance(tree, Mapping):
        return [row for key, part in tree.items() for row in differences(part, (*path, str(key)))]
    return [{"what": " ".join(path), "old": "", "new": _shown(tree)}]


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


# --- the chart -------------------------------------------------------------------------------

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 16, 40
STEPS = tuple(digit * 10.0**power for power in range(-1, 4) for digit in (1, 2, 5))
ONE_DAY = 3 * 86400
"""Seconds in which the time of day tells more than the year."""


@dataclass(frozen=True)
class Gap:
    """One move: when, how long no call was taken (seconds; ``None``: not known), and how."""

    at: datetime
    seconds: float | None
    verb: str
    ok: bool


def moves(journal: Iterable[Data]) -> list[dict[str, Any]]:
    """Return the last switchovers, newest first, as the table has them."""
    found = events_journal.switchovers(map(dict, journal))
    return [_move(move) for move in reversed(found[-MOST:])]


def _move(move: Data) -> dict[str, Any]:
    seconds = _number(move.get("gap"))
    verb = str(move.get("verb") or "switchover")
    calls = move.get("calls") or {}
    kept, before = calls.get("kept"), calls.get("before")
    return {
        "at": str(move["at"]).replace("T", " ").removesuffix("Z"),
        "what": f"{_VERBS.get(verb, verb)} {_direction(move)}",
        "by": str(move.get("by") or ""),
        "failed": "" if move["ok"] else str(move.get("why") or "no reason is known"),
        "why": str(move.get("why") or "") if move["ok"] else "",
        "gap": "not known" if seconds is None else _told_gap(seconds, move),
        "calls": _told_calls(kept, before),
    }


_VERBS = {events_journal.UNPLANNED: "unplanned failover"}


def _direction(move: Data) -> str:
    """Return where a move went, or was to go: of one that failed ``new`` is where it returned."""
    target = move.get("target") or (move.get("new") if move["ok"] else "")
    return f"to {target}" if target else f"from {move.get('old')}"


def _told_calls(kept: Any, before: Any) -> str:
    if kept is None:
        return "not known"
    return f"{kept} came back" if before is None else f"{kept} of {before}"


def _told_gap(seconds: float, move: Data) -> str:
    """Return a gap as precisely as it is known: the cluster counts in whole seconds."""
    if move.get("verb") == events_journal.UNPLANNED:
        return f"about {seconds:.0f} s"
    return f"{'at least ' if move.get('silent_before') else ''}{seconds:.2f} s"


def gaps(journal: Iterable[Data]) -> list[Gap]:
    """Return all switchovers and failovers of the journal, oldest first."""
    return [
        Gap(_time(move["at"]), _number(move.get("gap")), str(move.get("verb", "")), move["ok"])
        for move in events_journal.switchovers(map(dict, journal))
    ]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _time(text: str) -> datetime:
    return datetime.strptime(text, FORM).replace(tzinfo=timezone.utc)


def chart(found: Sequence[Gap]) -> dict[str, Any] | None:
    """Return where everything of the chart stands, in its own pixels; ``None`` without a gap."""
    known = [gap.seconds for gap in found if gap.seconds is not None]
    if not known:
        return None
    step = next((s for s in STEPS if max(known) / s <= 5), STEPS[-1])
    top = step * max(1, math.ceil(max(known) / step))
    first, last = found[0].at, found[-1].at
    span = (last - first).total_seconds()

    def x(at: datetime) -> float:
        share = (at - first).total_seconds() / span if span else 0.5
        return round(LEFT + 8 + share * (WIDTH - LEFT - RIGHT - 16), 1)

    def y(seconds: float) -> float:
        return round(HEIGHT - BOTTOM - seconds / top * (HEIGHT - TOP - BOTTOM), 1)

    ticks = [round(step * number, 2) for number in range(round(top / step) + 1)]
    spec = "%m-%d %H:%M" if span < ONE_DAY else "%Y-%m-%d"
    shown = [first] if not span else [first, first + (last - first) / 2, last]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "bottom": HEIGHT - BOTTOM,
        "ticks": [{"label": f"{tick:g}", "y": y(tick)} for tick in ticks],
        "days": [{"label": at.strftime(spec), "x": x(at)} for at in shown],
        "points": [
            {
                "x": x(gap.at),
                # Nobody knows how long it was: that is not to look like the shortest.
                "y": TOP if gap.seconds is None else y(gap.seconds),
                "kind": "failed"
                if not gap.ok
                else "failover"
                if gap.verb == events_journal.UNPLANNED
                else "done",
                "text": f"{gap.at.strftime('%Y-%m-%d %H:%M')} UTC, {gap.verb}: "
                + ("not known" if gap.seconds is None else f"{gap.seconds:g} s")
                + ("" if gap.ok else ", failed"),
            }
            for gap in found
            if gap.seconds is not None or not gap.ok
        ],
    }
