"""Rules about the time that fencing takes: the service waits for all of it.

See :mod:`rules`: each check is a function from the configuration to findings, and what is known
of a finding stands in :data:`KNOWN`.
"""

from collections.abc import Iterator, Mapping

from fshalib.agents import asks_bmc
from fshalib.cib.objects import Object
from fshalib.cib.values import UnitError, parse_duration
from fshalib.lint.finding import HINT, Finding, KnownFinding
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

QUESTIONS = 5
"""What a reboot asks a BMC: status, off, status, on, status."""
DEFAULT_TIMEOUT = "60s"
"""Pacemaker's stonith-timeout."""
SHORTEST_TIMEOUT = 60_000
"""Milliseconds: five answers of a BMC that takes ten seconds for each, and some more."""

KNOWN: Mapping[str, KnownFinding] = {
    "slow-bmc": KnownFinding(
        "A reboot asks the BMC five times (status, off, status, on, status), and the service "
        "starts after the last answer. With 10 s for each answer this was 55 s. After the timeout "
        "fencing counts as failed, and the service waits for the next try",
        "measured with fence_ipmilan and Pacemaker 2.1.5; Pacemaker Explained, stonith-timeout",
        "measure one answer (time the fence agent with -o status), and keep stonith-timeout, or "
        "pcmk_reboot_timeout of the device, above six of them. pcmk_reboot_action: off takes two "
        "questions less, and the node then stays off",
        HINT,
    ),
    "short-fencing": KnownFinding(
        "Fencing that is not done by then counts as failed, and the service stays where it is. A "
        "reboot takes five answers of the BMC",
        "Pacemaker Explained, stonith-timeout and pcmk_reboot_timeout: 60s by default",
        "remove the timeout, or give it at least six times what one answer takes",
    ),
}

_RESOURCES: Keys = ("pacemaker", "resources")


def _slow(config: Config) -> Iterator[Finding]:
    given = config.pacemaker.values("properties").get("stonith-timeout", DEFAULT_TIMEOUT)
    for item in config.pacemaker.primitives():
        if not asks_bmc(item.agent):
            continue
        params = item.values("params")
        own = f"pcmk_{'off' if _stays_off(config, item) else 'reboot'}_timeout"
        limit = params.get(own, given)
        keys = (*_RESOURCES, item.id)
        if _milliseconds(limit) < SHORTEST_TIMEOUT and not _stays_off(config, item):
            name = own if own in params else "stonith-timeout"
            yield "short-fencing", keys, f"{name} is {limit}, for {QUESTIONS} answers of the BMC"
        elif not _stays_off(config, item) and params.get("method") != "cycle":
            message = f"a reboot waits for {QUESTIONS} answers of the BMC, at most {limit} for all"
            yield "slow-bmc", keys, message


def _stays_off(config: Config, item: Object) -> bool:
    action = config.pacemaker.values("properties").get("stonith-action", "reboot")
    return "off" in (item.values("params").get("pcmk_reboot_action"), action)


def _milliseconds(text: str) -> int:
    try:
        return parse_duration(text)
    except UnitError:
        return SHORTEST_TIMEOUT


CHECKS = (_slow,)
