"""Print fsha's figures beside those of doing the same without it, from one run on one lab.

    python -m bench [--runs N] [--only service|switchover|engine|calls] [--calls N]

Absolute seconds say more about the machine than about fsha: read the ratios.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from bench import byhand, calls, engine, switchover
from lab import Lab, Node, voice

PARTS = ("service", "switchover", "engine", "calls")


def main() -> int:
    """Measure and print; return the exit code of a program."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=10, help="switchovers of each kind")
    parser.add_argument("--only", choices=PARTS, help="one part of the figures")
    parser.add_argument("--calls", type=int, default=50, help="answered calls in each scenario")
    parser.add_argument("--lab", default="fshabench", help="the lab's name; it is made anew")
    options = parser.parse_args()
    lab = Lab(options.lab)
    lab.down()
    lines: list[str] = []
    try:
        lab.up(database=True)
        if options.only in (None, "service"):
            lines += _service(lab)
            lab.reset()
        if options.only in (None, "switchover"):
            lines += switchover.report(lab, options.runs)
            lab.reset()
        if options.only in (None, "engine"):
            lines += engine.report(lab)
        if options.only in (None, "calls"):
            lines += calls.report(lab, options.calls)
    finally:
        lab.down()
    print("\n".join(lines))
    return 0


def _service(lab: Lab) -> list[str]:
    rows = [*_bare_to_serving(lab), *_no_change(lab)]
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


def _no_change(lab: Lab) -> list[tuple[str, str, str]]:
    node = next(iter(lab.nodes.values()))
    applied = voice.apply(lab, node.name)
    count = len(applied.states[node.name])
    states = "\n".join(f"noop-{n}:\n  test.nop: []" for n in range(count))
    lab.outside.write("/srv/salt/noop.sls", states + "\n")
    fsha = statistics.median(_timed(lambda: _call(node, "fsha")) for _ in range(5))
    noop = statistics.median(_timed(lambda: _call(node, "noop")) for _ in range(5))
    return [_row(f"no-change run, {count} states", fsha, f"{count} no-op states", noop)]


def _call(node: Node, sls: str) -> None:
    node.run(["salt-call", "state.apply", sls], timeout=120)


if __name__ == "__main__":
    sys.exit(main())
