"""The CIB engine beside other tools: seconds, processes, memory; see ``bench/tools.py``.

From nothing means two nodes online with nothing on them; in the other cases every resource
runs, and the status that comes with that is in the CIB. The tools take turns, so that whatever
else the machine does meets all of them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench import resources, tools
from bench.resources import CASES, NONE, NOTHING, Setup
from bench.table import aligned
from bench.tools import Crmsh, Floor, Fsha, Pcs, Tool
from lab import Lab, LabCommandError, Node

SETUPS = (Setup(10), Setup(100), Setup(1000), Setup(1000, grouped=True))
TURNS = 3
LONG = 20.0
"""Seconds from which once is enough, and counting processes takes too long."""
PCS_MOST = 100
PCS_PATIENCE = 180.0
KIB_PER_MIB = 1024

HEAD = ("reconciling", "fsha", "its memory", "crm load update", "pcs -f per object", "bare floor")
NOTE = """\
Seconds, processes started, and in brackets the ratio of fsha's seconds to these; memory at its
peak, of fsha itself and in brackets of the largest of the cluster's tools that it starts.
"""
SALT_CALL = ["salt-call", "--local", "--file-root=/srv/salt", "--out=json"]


@dataclass(frozen=True)
class Figure:
    """What one tool took; ``told`` stands in place of seconds that there are not."""

    seconds: float | None = None
    processes: int | None = None
    told: str = "-"


def report(lab: Lab, setups: Sequence[Setup] = SETUPS, turns: int = TURNS) -> list[str]:
    """Measure on a bare node of a lab that is up, and return the lines to print.

    Args:
        lab: only its first node is used.
        setups: how many resources, in which arrangement.
        turns: how often each tool does each case; the median counts.

    """
    node = next(iter(lab.nodes.values()))
    tools.install(node)
    before = os.getloadavg()[0]
    table: list[Sequence[str]] = [HEAD]
    each: dict[str, float] = {}
    for setup in setups:
        race = _Race(node, setup, each, turns)
        if setup is setups[0]:
            race.warm_up()
        for case in CASES:
            lab.progress("bench", f"{setup}, {case}")
            ours, *others = _shown(race.figures(case))
            table.append((f"{setup}, {case}", ours, race.memory(), *others))
    load = f"load of this machine: {before:.1f} before, {os.getloadavg()[0]:.1f} after"
    return [NOTE, *aligned(table), "", *_salt(race.fsha, turns), load]


def _shown(figures: Sequence[Figure]) -> list[str]:
    ours = figures[0].seconds
    return [_cell(figure, None if figure is figures[0] else ours) for figure in figures]


def _cell(figure: Figure, ours: float | None) -> str:
    if figure.seconds is None:
        return figure.told
    count = "-" if figure.processes is None else str(figure.processes)
    ratio = f"  ({ours / figure.seconds:.2f})" if ours is not None else ""
    return f"{figure.seconds:6.2f} s {count:>4}{ratio}"


class _Race:
    """All tools with one setup; its cases are to be run in their order.

    each
        Case → the seconds that pcs took for each resource; what is measured is noted there.
    """

    def __init__(self, node: Node, setup: Setup, each: dict[str, float], turns: int) -> None:
        self._setup, self._each, self._turns = setup, each, turns
        crm = Crmsh(node, setup)
        self.fsha, self._pcs = Fsha(node, setup), Pcs(node, setup)
        self._tools: list[Tool] = [self.fsha, crm, self._pcs, Floor(crm)]
        for tool in self._tools:
            tool.prepare()

    def warm_up(self) -> None:
        """Let every tool fill its caches."""
        for tool in self._tools:
            tool.run(NOTHING)

    def figures(self, case: str) -> list[Figure]:
        """Run all tools in turns, and return what each took, fsha's first."""
        told = {tool: self._excuse(tool, case) for tool in self._tools}
        taken: dict[Tool, list[float]] = {tool: [] for tool in self._tools if not told[tool]}
        for tool in [tool for _turn in range(self._turns) for tool in list(taken)]:
            if told[tool] or max(taken[tool], default=0) > LONG:
                continue
            try:
                taken[tool].append(tool.run(case))
            except LabCommandError as error:
                print(error, file=sys.stderr)
                told[tool] = "failed"
        done = [tool for tool in taken if not told[tool]]
        for tool in done:
            if tool.wrote(case) != (case != NONE):
                sys.exit(f"{tool.name}, {case}: it has written what it should not, or nothing")
        if self._pcs in done:
            self._each[case] = taken[self._pcs][0] / self._setup.count
        found = {tool: self._figure(tool, case, taken[tool]) for tool in done}
        if case == NOTHING:
            self._let_run(done)
        return [found.get(tool, Figure(told=told[tool])) for tool in self._tools]

    def _excuse(self, tool: Tool, case: str) -> str:
        """Return why a tool is not run, ``""`` if it is."""
        each = self._each.get(case) if tool is self._pcs else None
        count = self._setup.count
        if each and (count > PCS_MOST or each * count > PCS_PATIENCE):
            return f"not run ({each:.2f} s each)"
        return "" if case == NOTHING or tool.ready else "-"

    def _figure(self, tool: Tool, case: str, taken: Sequence[float]) -> Figure:
        seconds = statistics.median(taken)
        return Figure(seconds, None if seconds > LONG else tool.processes(case))

    def _let_run(self, done: Sequence[Tool]) -> None:
        """Make of what the tools have written the CIBs in which all of it runs."""
        status = None
        for tool in done:
            cib = tool.node.read(tool.file)
            if status is None:
                status = resources.running(tool.node, cib, tools.ROOM)
            tool.node.write(tool.base, resources.with_status(cib, status))
            tool.ready = True

    def memory(self) -> str:
        """Return the peak of fsha's memory in its last run, for people."""
        if not self.fsha.said:
            return "-"
        said = json.loads(self.fsha.said)
        own, largest = (said[name] / KIB_PER_MIB for name in ("own_kib", "tools_kib"))
        return f"{own:3.0f} MiB  ({largest:.0f})"


def _salt(fsha: Fsha, turns: int) -> list[str]:
    """Return what Salt itself adds, where nothing is to change."""
    if not fsha.ready:
        return []
    fsha.set_up(NONE)
    plan = [*SALT_CALL, "fsha.plan", f"pillar={fsha.pillar(NONE)}"]
    ping = [*SALT_CALL, "test.ping"]
    fsha.node.run([*SALT_CALL, "saltutil.sync_all"], timeout=180)
    seconds = [[_call(fsha, argv) for argv in (plan, ping)] for _turn in range(turns)]
    planned, pinged = (statistics.median(taken) for taken in zip(*seconds, strict=True))
    return [
        f"salt-call fsha.plan, {fsha.setup}, {NONE}: {planned:.2f} s, "
        f"salt-call test.ping {pinged:.2f} s, ratio {planned / pinged:.2f}"
    ]


def _call(fsha: Fsha, argv: Sequence[str]) -> float:
    done = fsha.node.run(argv, timeout=300, env={"CIB_file": fsha.file})
    answer = json.loads(done.out)["local"]
    if answer is not True and not answer["result"]:
        sys.exit(answer["comment"])
    return done.seconds
