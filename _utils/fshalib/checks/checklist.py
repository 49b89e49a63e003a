"""Is the pair ready to switch over? A checklist, each line with its evidence and what to do.

Every check is a function from what has been looked at to lines. A check that fails and ``blocks``
stands in the way of a switchover; one that only fails says that a failover would not go well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from fshalib.checks.checks_cluster import (
    addresses,
    could_move,
    failures,
    fenced,
    fencing,
    leftovers,
    membership,
    operations,
    quorum,
    rings,
    service,
    settled,
    twice,
    two_holders,
)
from fshalib.checks.checks_freeswitch import gateways, strays, switches
from fshalib.checks.checks_nodes import (
    alike,
    certificates,
    clocks,
    database,
    drill,
    files,
    hosts,
    known,
    recovery,
    routers,
    sbd,
)
from fshalib.checks.checks_store import stores
from fshalib.checks.collect import View
from fshalib.checks.line import FAIL, PASS, SKIP, WARN, Check, Line

COMPARED = frozenset({"agents", "config", "ghosts", "nonlocal_bind", "switchname", "version"})
"""Lines that go by what all nodes have told of themselves, which may be long ago."""
TOLD = frozenset({
    "certificate", "disk", "gateways", "packages", "rings", "router", "rows", "sbd",
    "state-run", "store", "switch",
})  # fmt: skip
"""Lines that go by what their node has told of itself."""
LOOKED_AT_BY_A_SWITCHOVER = frozenset({"failover", "failures", "leftovers"})
"""Lines that a switchover looks at by itself, for its own way."""


def lines(view: View) -> tuple[Line, ...]:
    """Return the whole checklist, in the order in which a person would look."""
    return tuple(dated(view, line) for check in CHECKS for line in check(view))


def dated(view: View, line: Line) -> Line:
    """Return a line that tells its age when it goes by facts of long ago.

    What was well then need not be well now, so it is not said to have passed.
    """
    if line.name not in COMPARED | TOLD:
        return line
    nodes = sorted(view.facts) if line.name in COMPARED else [line.node]
    old = [node for node in nodes if view.facts.get(node) and not view.is_fresh(node)]
    if not old:
        return line
    ages = [f"{view.age(node)} minutes ago" + ("" if line.node else f" on {node}") for node in old]
    word = SKIP if line.verdict == PASS else line.verdict
    return replace(line, verdict=word, evidence=f"{line.evidence} (as of {', '.join(ages)})")


def verdict(found: Iterable[Line]) -> str:
    """Return the worst verdict: ``fail``, ``warn`` or ``pass``."""
    verdicts = {line.verdict for line in found}
    return next((v for v in (FAIL, WARN) if v in verdicts), PASS)


def summary(found: Iterable[Line]) -> str:
    """Return the one line that monitoring shows."""
    seen = list(found)
    bad = [line for line in seen if line.verdict == FAIL]
    weak = [line for line in seen if line.verdict == WARN]
    shown = "; ".join(f"{line.where}: {line.evidence}" for line in (bad or weak)[:3])
    word = {FAIL: "FAIL", WARN: "WARN", PASS: "OK"}[verdict(seen)]
    counts = f"{len(seen)} checks, {len(bad)} fail, {len(weak)} warn"
    return f"{word}: {counts}{f' ({shown})' if shown else ''}"


def obstacles(found: Iterable[Line]) -> tuple[str, ...]:
    """Return what stands in the way of a switchover, as sentences."""
    return tuple(
        f"{line.where[:1].lower()}{line.where[1:]}: {line.evidence}"
        + (f"; {line.advice}" if line.advice else "")
        for line in found
        if line.verdict == FAIL and line.blocks
    )


def as_text(found: Iterable[Line]) -> str:
    """Return the checklist as a page."""
    words = {PASS: "ok  ", WARN: "WARN", FAIL: "FAIL", SKIP: "--  "}
    shown = []
    for line in found:
        where = f" [{line.node}]" if line.node else ""
        shown.append(f"{words[line.verdict]}  {line.title}{where}: {line.evidence}")
        if line.advice and line.verdict in (WARN, FAIL):
            shown.append(f"      -> {line.advice}")
    return "\n".join(shown)


def as_data(found: Iterable[Line]) -> list[dict[str, Any]]:
    """Return it as plain data for Salt's returns."""
    return [asdict(line) for line in found]


@dataclass(frozen=True)
class Checklist:
    """The checklist, as a switchover looks at it (see ``switchover.context.Checked``)."""

    lines: tuple[Line, ...]

    def obstacles(self) -> tuple[str, ...]:
        """Return what stands in the way of a switchover."""
        return obstacles(line for line in self.lines if line.name not in LOOKED_AT_BY_A_SWITCHOVER)

    def failures(self) -> str:
        """Return what has failed, ``""`` for nothing."""
        failed = [line for line in self.lines if line.verdict == FAIL]
        return "; ".join(f"{line.title.lower()}: {line.evidence}" for line in failed)

    def summary(self) -> str:
        """Return the one line that monitoring shows."""
        return summary(self.lines)

    def not_passed(self) -> list[dict[str, Any]]:
        """Return the lines that did not pass, as data."""
        return as_data(line for line in self.lines if line.verdict != PASS)


def report(found: Sequence[Line], node: str, at: str) -> dict[str, Any]:
    """Return what ``fsha.check as_data=True`` returns.

    node, at
        Who has looked, and when.
    """
    return {
        "verdict": verdict(found),
        "summary": summary(found),
        "at": at,
        "node": node,
        "lines": as_data(found),
    }


CHECKS: tuple[Check, ...] = (
    two_holders,
    service,
    membership,
    quorum,
    rings,
    settled,
    twice,
    addresses,
    could_move,
    failures,
    leftovers,
    operations,
    fencing,
    fenced,
    sbd,
    known,
    clocks,
    switches,
    stores,
    strays,
    alike,
    files,
    routers,
    gateways,
    certificates,
    recovery,
    database,
    hosts,
    drill,
)
