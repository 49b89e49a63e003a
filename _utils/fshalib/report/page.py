"""The verb report: one HTML page of the pair, in a file that root alone may read."""

from pathlib import Path
from typing import Any

from fshalib.checks import checklist, node_facts, pair
from fshalib.checks.minion import Minion
from fshalib.errors import LiveError
from fshalib.events import journal
from fshalib.report import html, overview
from fshalib.switchover.cluster import Cluster
from fshalib.system import files


def write(file: str, minion: Minion, cluster: Cluster) -> dict[str, Any]:
    """Write the page; a cluster that can't be asked is said on it.

    file
        Where to.
    """
    status, checked, why = {}, {}, ""
    me = pair.node_name(minion, cluster)
    try:
        status = overview.overview(minion, cluster, pair.now())
        lines = pair.check_or_say(minion, cluster)
        checked = checklist.report(lines, me, _now())
    except LiveError as error:
        why = str(error)
    try:
        entries = journal.read(journal.place(minion.opts))
    except journal.JournalError as error:
        return {"result": False, "comment": f"Not written: {error}"}
    facts = html.Facts(me, _now(), status, checked, entries, why)
    try:
        files.replace(Path(file), html.page(facts).encode("utf-8", "replace"), 0o600)
    except OSError as error:
        why = f"{error.filename or file}: {error.strerror}"
        return {"result": False, "comment": f"Not written: {why}"}
    return {"result": True, "comment": f"Written to {file}."}


def _now() -> str:
    return pair.now().strftime(node_facts.FORM)
