"""Whether a change makes Pacemaker rely on sbd, and whether that runs on every node.

Pacemaker ends itself as well where the timeout is no longer than that of sbd
(``pcmk__valid_stonith_watchdog_timeout``), which it has from the settings of sbd on its node.

A node knows of itself, and by ``have-watchdog`` of the DC. So of a pair the node that is not the DC
knows both, and the DC awaits its word.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from fshalib.cib.document import Element
from fshalib.cib.target import Target
from fshalib.cib.values import parse_duration
from fshalib.cib.watchdog import HAVE, NAMES, SBD, TIMEOUT, is_true, needs_sbd
from fshalib.pacemaker import tools
from fshalib.system.files import read
from fshalib.system.programs import Runner


@dataclass(frozen=True)
class Obstacle:
    """Why a change may not be committed by this node, and what would allow it.

    ``awaits`` are the nodes whose word is enough, if any.
    """

    reason: str
    remedy: str
    awaits: tuple[str, ...] = ()


def judge(target: Target, run: Runner) -> Obstacle | None:
    """Return what stands in the way of a change that needs sbd; ``None`` for any other one.

    Raises :class:`programs.RunError`.
    """
    if not relies_on_sbd(target.root):
        return None
    short = _too_short(target)
    if short:
        return short
    if relies_on_sbd(target.live):
        return None
    members = {
        node.get("id", ""): node.get("uname", "")
        for node in target.live.iterfind("configuration/nodes/node")
        if node.get("type", "member") == "member"
    }
    dc = members.get(target.live.get("dc-uuid", ""), "")
    if (dc or tools.on_file()) and not _have_watchdog(target.live):
        return _missing(dc or "the nodes", f" ({HAVE} is not true)")
    if tools.on_file():
        return None
    here = tools.local_node(run) if members else "this node"
    if not tools.runs(SBD, run):
        return _missing(here)
    unknown = [name for name in members.values() if name not in (here, dc)]
    others = [name for name in members.values() if name != here]
    if dc == here and len(others) == 1:
        return _unknown(others, here, awaited=True)
    return _unknown(unknown, here) if unknown else None


def _missing(where: str, why: str = "") -> Obstacle:
    reason = f"{TIMEOUT} is set and sbd does not run on {where}{why}"
    return Obstacle(reason, f"set up sbd on every node first, or leave {TIMEOUT} out")


def _too_short(target: Target) -> Obstacle | None:
    """Return what is wrong with a new value that sbd here has not even noticed when it is over."""
    least = sbd_timeout()
    if not least or tools.on_file():
        return None
    before = {value for name in NAMES for value in _values(target.live, name)}
    for value in (value for name in NAMES for value in _values(target.root, name)):
        if value not in before and needs_sbd(value) and parse_duration(value) <= least:
            return Obstacle(
                f"{TIMEOUT} is {value}, and sbd here needs {least // 1000} s "
                "(SBD_WATCHDOG_TIMEOUT)",
                f"give {TIMEOUT} twice that time",
            )
    return None


SETTINGS = (Path("/etc/default/sbd"), Path("/etc/sysconfig/sbd"))
_SBD_TIMEOUT = re.compile(
    r"^[ \t]*SBD_WATCHDOG_TIMEOUT=[\"']?([0-9]+[a-z]*)[\"']?[ \t]*$", re.MULTILINE
)


def sbd_timeout() -> int:
    """Return in how many milliseconds sbd ends this node; 0 where its settings do not say."""
    texts = [(read(path) or b"").decode("utf-8", "replace") for path in SETTINGS]
    given = [value for text in texts for value in _SBD_TIMEOUT.findall(text)]
    return parse_duration(given[-1]) if given else 0


def _unknown(nodes: list[str], here: str, awaited: bool = False) -> Obstacle:
    names = " and ".join(nodes)
    reason = f"{TIMEOUT} is set and {here} can't tell whether sbd runs on {names}"
    by_hand = f"see that it does, and set it with crm_attribute --name {TIMEOUT} --update VALUE"
    if awaited:
        return Obstacle(reason, f"apply it on {names}", tuple(nodes))
    return Obstacle(reason, by_hand)


def relies_on_sbd(root: Element) -> bool:
    """Tell whether a CIB has a timeout of the watchdog, with a rule or without."""
    return any(needs_sbd(value) for name in NAMES for value in _values(root, name))


def _have_watchdog(root: Element) -> bool:
    return any(map(is_true, _values(root, HAVE)))


def _values(root: Element, name: str) -> list[str]:
    """Return the values of a property, with rules or without."""
    pairs = root.iterfind("configuration/crm_config/cluster_property_set/nvpair")
    return [pair.get("value", "") for pair in pairs if pair.get("name") == name]
