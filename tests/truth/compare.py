"""Compare what lint says of a CIB with what the cluster's scheduler does."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

from fshalib.cib import document
from fshalib.cib.document import CibError, Element
from fshalib.lint import foreign_cib, judged, runner, sources, topology
from fshalib.lint.finding import ERROR, Advice

MISS, FALSE_ALARM = "miss", "false alarm"
YES, NO = "yes, both", "no, both"
LINT_ALONE = "lint alone"
NOT_PLAYED, NO_SERVICE = "not played", "no service"
WORDS = (MISS, FALSE_ALARM, YES, NO, LINT_ALONE, NOT_PLAYED, NO_SERVICE)

NODE_LOSS = frozenset({
    "failed-there", "held-by-pillar", "kept-apart", "left-behind", "lost-quorum",
    "no-fence-device", "no-quorum", "no-room", "no-service", "node-away",
    "not-granted", "only-one-node", "waits-for-nothing",
})  # fmt: skip
"""Errors that say that the service does not start elsewhere when its node is lost."""
OTHER_ERRORS = frozenset({
    "cloned-vip", "failure-ignored", "migration-threshold", "no-monitor", "node-maintenance",
    "not-together", "not-understood", "refused-file", "refused-parameter", "split-brain",
    "vip-after-switch",
})  # fmt: skip
"""Errors about something else, which no failed node shows."""
UNSEEN = frozenset({"no-fence-device"})
"""Errors that the simulator can't show: it takes every fencing for done, also without a device."""
_OTHER_KEYS = ("critical", "influence", "shutdown-lock")
"""What ``held-by-pillar`` also says: it is about failures of resources, and a shutdown."""
MAY_SHOW = frozenset({"held-by-pillar", "may-part", "not-together"})
"""Findings that a failed node may show, or not."""


@dataclass(frozen=True)
class Comparison:
    """One CIB: how lint and the scheduler agree, and what each of them says."""

    name: str
    word: str
    findings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    heeded: bool = True
    """Whether lint with the simulator says no wherever the simulator does."""

    def __str__(self) -> str:
        """Return one line."""
        said = ", ".join(self.findings) or "nothing"
        done = "; ".join(self.losses) or "everything starts elsewhere"
        return f"{self.word:<12} {self.name}: lint has {said}; crm_simulate: {done}"


def compare(name: str, text: str, any_service: bool = False) -> Comparison:
    """Compare lint by its rules alone with the scheduler.

    name
        What to call the CIB.
    text
        Its XML.
    any_service
        Whether a CIB without a service gets one: its first resource becomes an address.
    """
    try:
        root = document.parse(text)
        config, advices = foreign_cib.read_and_lint(root, {}, new_names=sources.new_names(root))
    except CibError as error:
        return Comparison(name, NOT_PLAYED, losses=(str(error),))
    if any_service and not topology.service(config):
        root = with_service(root)
        config, advices = foreign_cib.read_and_lint(root, {}, new_names=sources.new_names(root))
    if not topology.service(config):
        return Comparison(name, NO_SERVICE)
    verdict = judged.judged(root, config, advices)
    if verdict.answer is None:
        return Comparison(name, NOT_PLAYED, losses=(verdict.note,))
    findings = tuple(dict.fromkeys(a.code for a in advices if says_no(a)))
    losses = tuple(map(str, verdict.answer.losses))
    agreed = {(True, True): NO, (False, False): YES, (False, True): MISS}
    word = agreed.get((bool(findings), bool(losses)), FALSE_ALARM)
    maybe = tuple(a.code for a in advices if a.code in MAY_SHOW)
    if word == MISS and maybe:
        word, findings = NO, maybe
    if word == FALSE_ALARM and UNSEEN & {*findings}:
        word = LINT_ALONE
    whole = runner.verdict(verdict.advices)
    return Comparison(name, word, findings, losses, not losses or "NOT" in whole)


def says_no(advice: Advice) -> bool:
    """Tell whether advice says that a lost node's service does not start elsewhere."""
    last = advice.path.rpartition(":")[2]
    return (
        advice.severity == ERROR and advice.code in NODE_LOSS
        and not (advice.code == "held-by-pillar" and last in _OTHER_KEYS)
    )  # fmt: skip


def with_service(root: Element) -> Element:
    """Return a CIB whose first plain resource is a floating address."""
    made = copy.deepcopy(root)
    for item in made.iterfind("configuration/resources//primitive"):
        inside = {str(outer.tag) for outer in item.iterancestors()}
        if item.get("class") in (None, "stonith") or item.get("type") == "remote":
            continue
        if not inside & {"clone", "master", "bundle", "template"}:
            history = [e for e in made.iter("lrm_resource") if e.get("id") == item.get("id")]
            for element in (item, *history):
                for key, value in (
                    ("class", "ocf"), ("provider", "heartbeat"), ("type", "IPaddr2"),
                ):  # fmt: skip
                    element.set(key, value)
            break
    return made


def files(folder: Path) -> list[Path]:
    """Return the CIBs of a folder, or a file as it is."""
    return sorted(folder.glob("*.xml")) if folder.is_dir() else [folder]
