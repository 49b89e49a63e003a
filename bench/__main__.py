"""Print fsha's figures beside those of doing the same without it, from one run on one lab.

    python -m bench [--runs N] [--only service|switchover|engine|calls] [--calls N]

Absolute seconds say more about the machine than about fsha: read the ratios.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import byhand, calls, engine, switchover
from bench.resources import Setup
from lab import Lab, Node, voice

PARTS = ("service", "switchover", "engine", "calls")


@dataclass(frozen=True)
class Size:
    """How much is measured: switchovers of each way, calls in each scenario, turns of each tool."""

    runs: int = 10
    answered: int = 50
    turns: int = engine.TURNS
    applies: int = 5
    ways: Sequence[switchover.Way] = switchover.WAYS
    setups: Sequence[Setup] = engine.SETUPS
    pairs: Sequence[calls.Pair] = calls.PAIRS
    crashes: Sequence[calls.Event] = calls.CRASHES


SMALLEST = Size(
    runs=1,
    answered=2,
    turns=1,
    applies=1,
    ways=(switchover.WAYS[0], switchover.WAYS[-1]),
    setups=engine.SETUPS[:1],
    pairs=(calls.Pair("cold", "cold", ("recover",), calls.with_agent("cold")),),
    crashes=calls.CRASHES[:1],
)
"""Every part once, for a test of the bench itself; its figures say nothing."""


def main() -> int:
    """Measure and print; return the exit code of a program."""
    full = Size()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=full.runs, help="switchovers of each kind")
    parser.add_argument("--only", choices=PARTS, help="one part of the figures")
    parser.add_argument(
        "--calls", type=int, default=full.answered, help="answered calls in each scenario"
    )
    parser.add_argument("--lab", default="fshabench", help="the lab's name; it is made anew")
    options = parser.parse_args()
    size = dataclasses.replace(full, runs=options.runs, answered=options.calls)
    lab = Lab(options.lab)
    lab.down()
    lines: list[str] = []
    try:
        lab.up(database=True)
        for part in PARTS:
            if options.only in (None, part):
                lines += measure(lab, part, size)
    finally:
        lab.down()
    print("\n".join(lines))
    return 0


def measure(lab: Lab, part: str, size: Size) -> list[str]:
    """Measure one part of :data:`PARTS` and return the lines to print.

    Args:
        lab: a lab that is up, with a database; its nodes are made bare first.
        part: what is measured.
        size: how much of it.

    """
    lab.reset()
    if part == "service":
        return _service(lab, size.applies)
    if part == "switchover":
        return switchover.report(lab, size.runs, size.ways, min(size.answered, switchover.CALLS))
    if part == "engine":
        return engine.report(lab, size.setups, size.turns)
    return calls.report(lab, size.answered, size.pairs, size.crashes)


def _service(lab: Lab, applies: int) -> list[str]:
    rows = [*_bare_to_serving(lab), *_no_change(lab, applies)]
    return ["\t".join(row).expandtabs(44) for row in rows]


def _row(what: str, seconds: float, other: str, others: float) -> tuple[str, str, str]:
    return what, f"{seconds:.2f} s", f"{other} {others:.2f} s, ratio {seconds / others:.2f}"


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


# --- bare hosts to serving -----------------------------------------------------------------


def _bare_to_serving(lab: Lab) -> list[tuple[str, str, str]]:
    with_hands = _timed(lambda: byhand.build(lab))
    lab.reset()
    voice.give(lab, voice.example("pillar.example"))
    with_salt = _timed(lambda: _apply(lab))
    return [_row("bare hosts to serving, fsha", with_salt, "the same by hand", with_hands)]


def _apply(lab: Lab) -> None:
    applied = voice.apply(lab)
    if applied.failed:
        sys.exit("\n".join(applied.failed))


# --- nothing to change ---------------------------------------------------------------------


def _no_change(lab: Lab, applies: int) -> list[tuple[str, str, str]]:
    node = next(iter(lab.nodes.values()))
    applied = voice.apply(lab, node.name)
    count = len(applied.states[node.name])
    states = "\n".join(f"noop-{n}:\n  test.nop: []" for n in range(count))
    lab.outside.write("/srv/salt/noop.sls", states + "\n")
    fsha = statistics.median(_timed(lambda: _call(node, "fsha")) for _ in range(applies))
    noop = statistics.median(_timed(lambda: _call(node, "noop")) for _ in range(applies))
    return [_row(f"no-change run, {count} states", fsha, f"{count} no-op states", noop)]


def _call(node: Node, sls: str) -> None:
    node.run(["salt-call", "state.apply", sls], timeout=120)


if __name__ == "__main__":
    sys.exit(main())
