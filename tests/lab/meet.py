"""Runs in both nodes at once: each commits changes of its own, in the same moments.

    meet.py FOLDER ME OTHER ROUNDS

FOLDER is seen by both. In each round they wait for each other, commit, and wait again; then each
prints, as a line of JSON, what it was told of its commit and what it finds in the CIB.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "_utils"))

from fshalib.change import commit as change_commit
from fshalib.change import plan
from fshalib.cib import document, target
from fshalib.errors import LiveError
from fshalib.pacemaker import tools
from fshalib.pillar import config
from fshalib.system import programs

PATIENCE = 60.0
LOOK_EVERY = 0.002
SETTLE = ["crm_resource", "--wait"]


class Meeting:
    """One of the two, who meets the other one in a folder."""

    def __init__(self, folder: Path, me: str, other: str) -> None:
        self.folder, self.me, self.other = folder, me, other

    def at(self, place: str) -> None:
        """Return in the moment when the other one is here, too."""
        (self.folder / f"{place}.{self.me}").touch()
        deadline = time.monotonic() + PATIENCE
        while not (self.folder / f"{place}.{self.other}").exists():
            if time.monotonic() > deadline:
                sys.exit(f"{self.other} has not come to {place} within {PATIENCE:g} s")
            time.sleep(LOOK_EVERY)

    def round(self, number: int) -> dict[str, Any]:
        self.at(f"{number}.begin")
        told = self.commit(number)
        self.at(f"{number}.committed")
        found = {"round": number, **told, "seen": seen()}
        # Nobody goes on before both have looked.
        self.at(f"{number}.seen")
        return found

    def commit(self, number: int) -> dict[str, Any]:
        """Commit, and return what a person would be told of it."""

        def run(argv: Sequence[str], **options: Any) -> programs.Completed:
            """Run a program; waiting for the cluster to settle is waiting for the other one.

            Nothing starts or stops here, and the worst that can happen while a node waits is that
            the other one commits.
            """
            if argv[: len(SETTLE)] != SETTLE:
                return programs.run(argv, **options)
            self.at(f"{number}.committed")
            return programs.Completed(tuple(argv), programs.EX_OK, "", "", 0.0)

        points = change_commit.Points(self.folder / f"points.{self.me}", keep=number)
        committer = change_commit.Committer(points=points, run=run, sleep=briefly)
        try:
            done = committer.commit(plan.wanting(wanted(self.me, number)), "meet")
        except LiveError as error:
            return {"committed": False, "error": str(error)}
        told = {f.name: getattr(done, f.name) for f in dataclasses.fields(done) if f.name != "plan"}
        return {**told, "error": ""}


def briefly(seconds: float) -> None:
    """Sleep less than a committer asks for, so that the two come closer still."""
    time.sleep(seconds / 10)


def wanted(me: str, number: int) -> target.DesiredObjects:
    """Return a changed parameter and a new constraint: both nodes write in the same two places."""
    id = f"meet-{me}"
    primitive = {
        "agent": "ocf:pacemaker:Dummy",
        "params": {"fake": number},
        # It never runs: what counts here is the CIB alone.
        "meta": {"target-role": "Stopped"},
    }
    location = {"resource": id, "node": me, "score": number}
    return target.DesiredObjects(
        (
            config.make("primitive", id, primitive),
            config.make("location", f"{id}-{number}", location),
        )
    )


def seen() -> dict[str, Any]:
    """Return what the meetings have left in the CIB."""
    root = document.parse(tools.query())
    constraints = [e.get("id", "") for e in root.iterfind("configuration/constraints/*")]
    return {
        "epoch": document.version(root).epoch,
        "values": [
            [pair.getparent().getparent().get("id"), pair.get("value")]
            for pair in root.iterfind("configuration//nvpair[@name='fake']")
        ],
        "constraints": [id for id in constraints if id.startswith("meet-")],
    }


if __name__ == "__main__":
    folder, me, other, rounds = sys.argv[1:]
    meeting = Meeting(Path(folder), me, other)
    for number in range(1, int(rounds) + 1):
        sys.stdout.write(json.dumps(meeting.round(number)) + "\n")
