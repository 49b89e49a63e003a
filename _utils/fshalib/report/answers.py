"""What verbs answer, as a page that a person reads: a switchover, a drill, the history."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fshalib.schema.report import printable

Answer = Mapping[str, Any]

LONGEST = 200
_VERDICTS = {"warn": "WARN", "fail": "FAIL", "skip": "--"}


def switchover(answer: Answer) -> str:
    """Return what ``fsha.failover`` or ``fsha.failback`` answers, as a page."""
    lines = [*_sentences(answer), *_figures(answer)]
    for check in (answer.get("plan") or {}).get("checks", ()):
        where = f" [{check['node']}]" if check["node"] else ""
        word = _VERDICTS.get(check["verdict"], check["verdict"])
        lines.append(f"{word:6s}{check['title']}{where}: {check['evidence']}")
        lines += [f"      -> {check['advice']}"] if check["advice"] else []
    return "\n".join(lines)


def drill(answer: Answer) -> str:
    """Return what ``fsha.drill`` answers, as a page."""
    lines = _sentences(answer)
    for title in ("there", "back"):
        if title in answer:
            lines.append(f"{title}:")
            lines += [f"  {line}" for line in _figures(answer[title])]
    return "\n".join(lines)


def _sentences(answer: Answer) -> list[str]:
    word = "" if answer["result"] else "NOT DONE: "
    return f"{word}{answer['comment']}".splitlines()


def _figures(answer: Answer) -> list[str]:
    phases = answer.get("phases") or ()
    lines = [f"{phase['name']:12s}{phase['seconds']:g} s" for phase in phases]
    if answer.get("gap") is not None:
        lines.append(f"{'gap':12s}{answer['gap']:g} s without a new call")
    calls = answer.get("calls") or {}
    told = {"before": "were up", "expected": "were expected back", "kept": "came back"}
    parts = [f"{calls[k]} {text}" for k, text in told.items() if calls.get(k) is not None]
    return [*lines, f"{'call legs':12s}{', '.join(parts)}"] if parts else lines


def history(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return entries of the journal, one line each, in the order in which they are given."""
    if not entries:
        return "Nothing of that kind is kept on this node."
    return "\n".join(map(_entry, entries))


def _entry(entry: Mapping[str, Any]) -> str:
    data = entry["data"]
    what = [entry["kind"], entry["subject"], *_ways(data)]
    facts = [f"{key} {data[key]}" for key in ("by", "why", "reason", "action") if data.get(key)]
    if isinstance(data.get("gap"), (int, float)):
        facts.append(f"gap {data['gap']:g} s")
    if isinstance(data.get("changes"), Mapping) and data["changes"]:
        facts.append(f"changes {', '.join(map(str, data['changes']))}")
    test = " (test)" if entry.get("test") else ""
    shown = f"{' '.join(map(str, what))}{test}{': ' if facts else ''}{'; '.join(facts)}"
    return f"{entry['at']}  {printable(shown, LONGEST)}"


def _ways(data: Mapping[str, Any]) -> Iterable[str]:
    for key in ("verb", "phase"):
        if data.get(key):
            yield str(data[key])
    if data.get("old") and data.get("new"):
        yield f"from {data['old']} to {data['new']}"


def notice(move: Mapping[str, Any] | None) -> str:
    """Return what ``fsha.notice`` has noticed, as a sentence."""
    if move is None:
        return "Nothing new: the service has not moved by itself since this node last looked."
    gap = "" if move["gap"] is None else f" It was away for {move['gap']:g} s."
    kept = (move.get("calls") or {}).get("kept")
    calls = "" if kept is None else f" {kept} calls came back."
    return f"It moved by itself from {move['old']} to {move['new']}: {move['why']}.{gap}{calls}"
