"""Play a change of a running pair through the plan: no cluster, only Pacemaker's own tools.

Nothing here needs more than the standard library, lxml and ``_utils``, so that it runs on a
bare node, too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fshalib.change import plan as change_plan
from fshalib.change.plan import Make, Plan
from fshalib.cib import document, target
from fshalib.cib.document import Element
from fshalib.pacemaker import tools
from fshalib.pillar import config, export_cib
from fshalib.system import programs
from fshalib.system.programs import Runner
from tests.golden.changes import GONE, REFUSED, Change, Edit

RUNNING = Path(__file__).with_name("running.xml")


@dataclass(frozen=True)
class Played:
    """What came of a change; without a plan where the candidate was refused."""

    live: str
    make: Make
    transition: tuple[str, ...]
    plan: Plan | None


def play(change: Change, root: Element | None = None, run: Runner = programs.run) -> Played:
    """Return what the cluster would do about a change.

    root
        The pair as it runs, in place of ``running.xml``.
    """
    root = running() if root is None else root
    before = edited(export_cib.export(root).pacemaker, change.given)
    live = document.render(wanting(before)(root).root)
    make = wanting(edited(before, change.edits))
    try:
        plan = change_plan.make_plan(live, make, run=run)
    except tools.InvalidCib:
        return Played(live, make, (REFUSED,), None)
    return Played(live, make, texts(plan), plan)


def running() -> Element:
    """Return the CIB of the running pair."""
    return document.parse(RUNNING.read_text(encoding="utf-8"))


def wanting(pacemaker: dict[str, Any]) -> Make:
    """Return what makes the target of a run with this section ``pacemaker`` of the pillar."""
    objects = config.check_pacemaker(pacemaker)
    return change_plan.wanting(target.DesiredObjects(objects, complete=True))


def texts(plan: Plan) -> tuple[str, ...]:
    """Return a plan's transition without the reasons, which Pacemaker words anew at times."""
    return tuple(str(replace(action, reason="")) for action in plan.transition.actions)


def edited(pacemaker: dict[str, Any], edits: Iterable[Edit]) -> dict[str, Any]:
    """Return a section ``pacemaker`` with edits; the one that is given stays as it is."""
    pacemaker = copy.deepcopy(pacemaker)
    for path, value in edits:
        *outer, last = path.split(":")
        held: Any = pacemaker
        for key in outer:
            held = held[int(key)] if isinstance(held, list) else held.setdefault(key, {})
        if isinstance(held, list):
            held.insert(int(last), value)
        elif value is GONE:
            del held[last]
        else:
            held[last] = value
    return pacemaker


def pacemaker_version(run: Runner = programs.run) -> str:
    """Return the version of Pacemaker's tools, such as ``2.1.5``."""
    said = run(["crm_simulate", "--version"]).out
    found = re.search(r"[0-9]+(\.[0-9]+)+", said)
    if found is None:
        raise ValueError(f"a version is expected, not {said!r}")
    return found[0]
