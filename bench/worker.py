"""One run of fsha's engine as a process of its own; runs in a node, with Salt's Python.

    worker.py UTILS PILLAR

UTILS is the directory with fsha's modules, PILLAR a pillar in JSON. It does what a run does
once Salt has the pillar: check it, make the objects, compare, plan, commit, and report. Salt
itself, with its own seconds, is left out. Prints one line of JSON. The memory of the tools
that it starts is never told below its own at that moment: so Linux counts it.

A minion runs modules that Salt has copied into its cache directory, where Python keeps the
``.pyc`` beside them. So UTILS is a writable copy, and a run before has warmed it up.
"""

from __future__ import annotations

import json
import resource
import sys
from datetime import datetime, timezone
from pathlib import Path


def main(utils: str, pillar: str) -> None:
    """Reconcile, and print what came of it and the memory that it took at its peak."""
    sys.path.insert(0, utils)
    from fshalib.change import commit, plan
    from fshalib.cib.target import DesiredObjects
    from fshalib.pillar import config
    from fshalib.switchover import operator_settings, settings_text

    data = json.loads(Path(pillar).read_text("utf-8"))["fsha"]
    objects = config.check_pacemaker(data["pacemaker"])
    wanted = DesiredObjects(objects, complete=True)
    outcome = commit.Committer().commit(plan.wanting(wanted))
    report = plan.as_data(outcome.plan)
    live = outcome.plan.target.live
    actions = operator_settings.actions(live, None, operator_settings.attributes_of(objects))
    last = settings_text.last_change(live)
    report["actions"] = settings_text.as_lines(actions, last, datetime.now(timezone.utc))
    report["comment"] = plan.summary(outcome.plan)
    answer = {
        "committed": outcome.committed,
        "changes": len(report["changes"]),
        "own_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "tools_kib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
