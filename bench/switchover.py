"""The gap of a planned switchover, seen from outside by SIP OPTIONS, three ways side by side.

The article's pair moved by ``crm_resource --move``, and ``fsha.failover`` with cold and with hot
standby. The article's own location constraint is left out: against it ``--move`` does nothing.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import calls
from bench.table import aligned
from lab import Lab, Node, voice

CALLS = 10
HEAD = ("pair", "moved by", "gap, median", "least", "most", "to verified", "calls kept", "ratio")
NOTE = """\
Seconds without a yes to SIP OPTIONS on the floating address, as a probe outside saw it; seconds
from the command until it had verified that the other node serves; calls that survived, of those
that were up. Ratio: the median gap as a part of the article's.
"""


@dataclass(frozen=True)
class Way:
    """One way to build a pair and to switch it over."""

    name: str
    command: str
    standby: str
    pillar: Callable[[], dict[str, Any]]
    move: Callable[[Lab, Node, Node], None]


@dataclass(frozen=True)
class Run:
    """One switchover: its gap, seconds until it was verified, calls that were up and survived."""

    gap: float
    seconds: float
    placed: int
    kept: int


def article() -> dict[str, Any]:
    """Return the article's pair, without its own infinite preference."""
    pillar = voice.example("examples/article.sls")
    pillar["pacemaker"]["locations"] = {}
    return pillar


def _by_hand(lab: Lab, _old: Node, new: Node) -> None:
    new.run(["crm_resource", "--move", "--resource", "VoiceServices", "--node", new.name])
    lab.wait(lambda: voice.serving(lab) == new.name, 120, "the service to move")
    new.run(["crm_resource", "--clear", "--resource", "VoiceServices"])


def _failover(lab: Lab, old: Node, new: Node) -> None:
    done = lab.salt_call(old, "fsha.failover", new.name, timeout=180)
    if not done.value["result"]:
        sys.exit(done.value["comment"])


WAYS = (
    Way("the article's", "crm_resource --move", "cold", article, _by_hand),
    Way("cold standby", "fsha.failover", "cold", lambda: calls.with_agent("cold")("recover"),
        _failover),
    Way("hot standby", "fsha.failover", "hot", lambda: calls.with_agent("hot")("recover"),
        _failover),
)  # fmt: skip


def report(lab: Lab, runs: int, ways: Sequence[Way] = WAYS, placed: int = CALLS) -> list[str]:
    """Measure on a lab that is up, with its database, and return the lines to print.

    Args:
        lab: its nodes are made bare for every way.
        runs: switchovers of each way.
        ways: which ways; ratios are to the first one.
        placed: calls that are up in each switchover.

    """
    rows: list[Sequence[str]] = [HEAD]
    first = 0.0
    for way in ways:
        _build(lab, way)
        found = [_measure(lab, way, placed) for _ in range(runs)]
        gaps = [one.gap for one in found]
        median = statistics.median(gaps)
        first = first or median
        kept, up = sum(one.kept for one in found), sum(one.placed for one in found)
        numbers = (median, min(gaps), max(gaps), statistics.median(one.seconds for one in found))
        shown = [f"{number:.2f}" for number in numbers]
        rows.append((way.name, way.command, *shown, f"{kept} of {up}", f"{median / first:.2f}"))
        lab.progress("bench", ", ".join(map(" ".join, zip(HEAD, rows[-1], strict=True))))
    return [NOTE, *aligned(rows)]


def _build(lab: Lab, way: Way) -> None:
    lab.reset()
    voice.standby(lab, way.standby)
    voice.give(lab, way.pillar())
    applied = voice.apply(lab)
    if applied.failed:
        sys.exit("\n".join(applied.failed))
    voice.restart_standby(lab)


def _measure(lab: Lab, way: Way, placed: int) -> Run:
    calls.wait_ready(lab)
    old = lab.nodes[voice.serving(lab)]
    new = next(node for node in lab.nodes.values() if node is not old)
    tracked = lab.recovery_rows() + placed
    with lab.calls(placed, ringing=0, held=0) as up, lab.probe() as probe:
        probe.wait_answered_by(old.name)
        lab.wait(lambda: lab.recovery_rows() >= tracked, calls.PATIENCE, "the rows of the calls")
        begun = time.monotonic()
        way.move(lab, old, new)
        seconds = time.monotonic() - begun
        probe.wait_answered_by(new.name)
        calls.wait_heard_or_ended(up, placed)
    gap = probe.result.longest
    counts = up.result.counts("answered")
    return Run(gap.seconds if gap else 0.0, seconds, counts.placed, counts.survived)
