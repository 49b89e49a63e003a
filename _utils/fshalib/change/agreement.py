"""How the nodes agree on one change: each notes its own verdict, and reads those of the others.

    own verdict → note ─┐
    others' notes ──────┴→ allowed by all that have a word in it, refused by one, or still awaited

A node counts its own calls only, and knows only of itself whether sbd runs. So a change that
interrupts calls on both nodes takes the word of both. A note is a transient attribute: the
verdict, a mark of the configuration that it is about, the time, and the call legs.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import cast

from fshalib.change.guard import ALLOWED, ELSEWHERE, REFUSED, Verdict, amount, joined
from fshalib.cib import document
from fshalib.cib.document import Element
from fshalib.cib.target import Target
from fshalib.pacemaker import tools
from fshalib.pillar.guard_policy import PATH
from fshalib.system.programs import Runner

ATTRIBUTE = "fsha-verdict"
"""The transient attribute in which a node notes its verdict for the others."""
RENEW = 8.0
"""Seconds after which a node that says the same notes it again."""


@dataclass(frozen=True)
class Note:
    """What a node has noted: its verdict, about which change, when (epoch, seconds), its calls."""

    kind: str
    mark: str
    at: int
    calls: int | None = None

    def __str__(self) -> str:
        """Return the attribute's value."""
        calls = "" if self.calls is None else f":{self.calls}"
        return f"{self.kind}:{self.mark}:{self.at}{calls}"


def parse(value: str) -> Note | None:
    """Return what an attribute's value says; ``None`` for one that is no note."""
    kind, mark, at, *rest = [*value.split(":"), "", ""][:4]
    if kind not in (ALLOWED, REFUSED) or not mark or not at.isdecimal():
        return None
    return Note(kind, mark, int(at), int(rest[0]) if rest[0].isdecimal() else None)


def mark(target: Target) -> str:
    """Return a short hash of a target: the same on two nodes that want the same of the same CIB.

    The target has passwords and the hash stands in the CIB, so it is one that is slow to guess by.
    """
    text = document.render(cast(Element, target.root.find("configuration")))
    return hashlib.scrypt(text.encode(), salt=b"fsha", n=2**14, r=8, p=1, dklen=8).hex()


def write(verdict: Verdict, about: str, now: float, run: Runner) -> None:
    """Let the other nodes know what this one has against a change, or that it has nothing.

    A note that says the same and is not old stays: each new one changes the CIB's version, and the
    commit would have to read and plan again.
    """
    if tools.on_file():
        return
    kind = REFUSED if verdict.kind == REFUSED else ALLOWED
    note, here = Note(kind, about, int(now), verdict.calls), tools.local_node(run)
    before = parse(tools.noted(ATTRIBUTE, run).get(here, ""))
    if before is None or replace(before, at=note.at) != note or note.at - before.at >= RENEW:
        tools.note(ATTRIBUTE, str(note), [here], run)


def withdraw(run: Runner) -> None:
    """Take this node's note back, since its run ends without the change."""
    if not tools.on_file():
        tools.forget(ATTRIBUTE, tools.local_node(run), run)


def read(about: str, since: Mapping[str, float], run: Runner) -> dict[str, Note]:
    """Return what the nodes have noted about one change, node → note.

    about
        The change's mark.
    since
        Kind → the time (epoch, seconds) since which such a note counts.

    Raises :class:`errors.RunError`.
    """
    parsed = {node: parse(value) for node, value in tools.noted(ATTRIBUTE, run).items()}
    return {
        node: note
        for node, note in parsed.items()
        if note is not None and note.mark == about and note.at >= since[note.kind]
    }


def agreed(verdict: Verdict, noted: Mapping[str, Note], ceiling: int | None = None) -> Verdict:
    """Return a verdict with the word of the nodes that it awaits; unchanged while one is missing.

    noted
        What the nodes have noted about this change.
    ceiling
        So many call legs may be interrupted in all; ``None`` for any number.
    """
    words = {node: noted[node] for node in verdict.awaits if node in noted}
    for node, note in words.items():
        if note.kind == REFUSED:
            return _refused_by(node, note, verdict)
    if verdict.kind != ELSEWHERE or not words or missing(verdict, words):
        return verdict
    legs = (verdict.calls or 0) + sum(note.calls or 0 for note in words.values())
    if ceiling is not None and legs > ceiling:
        return replace(
            verdict,
            kind=REFUSED,
            reason=f"{PATH}:calls allows no more than {ceiling}, and all nodes together have "
            f"{amount(legs)}",
            allow=f"wait for fewer calls, then {verdict.allow}",
        )
    reason = joined([_allowed_by(node, note) for node, note in words.items()])
    return replace(verdict, kind=ALLOWED, reason=reason, allow="", by=verdict.awaits[0])


def _allowed_by(node: str, note: Note) -> str:
    has = "" if note.calls is None else f" has {amount(note.calls)} and"
    return f"{node}{has} allows it"


def missing(verdict: Verdict, notes: Collection[str]) -> list[str]:
    """Return the awaited nodes that have noted nothing."""
    return [node for node in verdict.awaits if node not in notes]


def unanswered(verdict: Verdict, nodes: list[str], seconds: float) -> Verdict:
    """Return a verdict for people after waiting in vain for the word of some nodes."""
    nothing = f"no verdict came from {joined(nodes)}" if nodes else "the change was not made"
    return replace(verdict, reason=f"{verdict.reason}, and {nothing} within {seconds:.0f} s")


def _refused_by(node: str, note: Note, verdict: Verdict) -> Verdict:
    if note.calls:
        reason = f"{node} refuses it: it still has {amount(note.calls)}"
        allow = f"wait for fewer calls on {node}, then {verdict.allow}" if verdict.allow else ""
    else:
        reason, allow = f"{node} refuses it, see its own return", ""
    return replace(verdict, kind=REFUSED, reason=reason, allow=allow, by=node)


def vetoed(verdict: Verdict, notes: Mapping[str, Note], run: Runner) -> Verdict:
    """Return a verdict that allows a change, unless another node has just refused the same one."""
    refusing = [node for node, note in notes.items() if note.kind == REFUSED]
    others = [node for node in refusing if node != tools.local_node(run)]
    return _refused_by(others[0], notes[others[0]], verdict) if others else verdict
