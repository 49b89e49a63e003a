"""Notes of an export: settings outside the pillar, assumptions, changes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fshalib.corosync import conf as corosync_conf
from fshalib.corosync import diff, parser
from fshalib.corosync.conf import ConfChange
from fshalib.corosync.parser import Conf, Section
from fshalib.schema.report import printable

BRACKETS = re.compile(r"\[.*?\](?=[.\[]|$)")
NO_RINGS = "corosync 3 has no redundant rings, several links need transport knet"
COST = {diff.RELOAD: "a reload", diff.RESTART: "a restart"}
_SHOWN = 200
_REASONS: Mapping[str, str] = {
    "totem.cluster_uuid": "corosync does not use it, only pcs does",
    "totem.key": "a key is never exported, put it into the file that authkey_file names",
    "totem.nodeid": "the pillar gives each node its id",
    "totem.vsftype": "corosync 3 does not know it",
    **dict.fromkeys(
        (
            "totem.rrp_autorecovery_check_timeout",
            "totem.rrp_mode",
            "totem.rrp_problem_count_mcast_threshold",
            "totem.rrp_problem_count_threshold",
            "totem.rrp_problem_count_timeout",
            "totem.rrp_token_expired_timeout",
        ),
        NO_RINGS,
    ),
    "totem.interface.ringnumber": (
        "it is the old name of linknumber; corosync 3 takes a section without linknumber for link 0"
    ),
    "totem.interface.bindnetaddr": "with a nodelist corosync takes the address from there",
    "totem.interface.member.memberaddr": "with a nodelist corosync takes the nodes from there",
    "nodelist.node.quorum_votes": "in the pillar each node has one vote",
    "quorum.device": "the pillar has no quorum device",
    "quorum.votes": "the nodes have their votes in the nodelist",
    "logging.logger_subsys": "the pillar sets logging for all subsystems at once",
    "logging.logging_daemon": "the pillar sets logging for all daemons at once",
    "uidgid": "a file in /etc/corosync/uidgid.d says the same",
}


@dataclass
class Notes:
    """Collects notes.

    ``theirs`` are corosync's defaults. ``covered`` are paths of corosync.conf, and ``refused``
    paths of the pillar, that have a note; ``reasons`` tell for a path why the pillar has no key
    for it.
    """

    theirs: Mapping[str, str]
    texts: list[str] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, sentence: str, *covered: str) -> None:
        """Note a sentence about a path; the paths in ``covered`` need no other note."""
        self.texts.append(f"{printable(path, _SHOWN)}: {sentence}")
        self.covered.update(covered)

    def changed(self, change: ConfChange) -> None:
        """Note a setting that the formula would change."""
        old, new = (shown(change.path, text) for text in (change.old, change.new))
        deed = "leave it out" if change.new is None else "write it"
        why = f"{self._why(change.path)}the formula would {deed}, which takes"
        cost = COST[diff.change_class((change,))]
        self.add(change.path, f"{old} → {new}: {why} {cost} of corosync.", change.path)

    def kept(self, path: str, text: str, *covered: str) -> None:
        """Note a setting that the pillar has no key for; the formula keeps it in the file."""
        why = self._why(path) or "the pillar has no place for it; "
        self.add(path, f"{why}the formula keeps it in the file ({text}).", *covered)

    def unused(self, path: str, text: str) -> None:
        """Note a setting that has no effect in corosync."""
        why = self._why(path)
        effect = "it has no effect in corosync, and the formula would leave it out"
        self.add(path, f"{why}{effect} ({shown(path, text)}).", path)

    def _why(self, path: str) -> str:
        why = self.reasons.get(path, reason(path))
        return f"{why}{' ' if why.endswith('?') else '; '}" if why else ""

    def knows(self, path: str) -> bool:
        """Tell whether a note was made about a path of corosync.conf."""
        return below(path, self.covered, ".[")


def below(path: str, tops: Iterable[str], separators: str) -> bool:
    """Tell whether a path lies at or below one of others."""
    return any(path == t or path.startswith(tuple(t + c for c in separators)) for t in tops)


def reason(path: str) -> str:
    """Return why a setting has no place in the pillar, if a reason is known."""
    return _REASONS.get(BRACKETS.sub("", path), "")


def shown(path: str, text: str | None) -> str:
    """Return a value for a note; never a key, nor text that may be one by mistake."""
    if text is None:
        return "nothing"
    key = path.rpartition(".")[2]
    if key == "key" or (key == "keyfile" and not text.startswith("/")):
        return "(secret)"
    return printable(text, _SHOWN) or '""'


def interfaces(conf: Conf) -> tuple[Section, ...]:
    """Return the sections that hold options of links."""
    return tuple(link for totem in conf.sections("totem") for link in totem.sections("interface"))


def content(path: str, entry: parser.Entry) -> str:
    """Return the value of an option, or the entries of a section, on one line."""
    return listing(entry) if isinstance(entry, Section) else shown(path, entry.value)


def listing(section: Section) -> str:
    """Return the entries of a section on one line."""
    top = f"{section.name}."
    flat = corosync_conf.flatten(Conf((section,)))
    texts = (f"{path.removeprefix(top)}: {shown(path, text)}" for path, text in flat.items())
    return ", ".join(texts) or "it is empty"
