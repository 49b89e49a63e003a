"""What callers hear when the service moves: which calls survive, and the longest gap in the audio.

For each way to build the pair (:class:`Pair`) and each :class:`Event` with calls up. The calls that
are lost cost a scenario :data:`PATIENCE`, since nothing tells that they will not come back.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.table import aligned
from lab import VIP, CallsResult, Lab, LabTimeoutError, Node, voice
from lab.calls import ANSWERED, HELD, RINGING, Calls, Counts

PATIENCE = 8.0
SETTLE_SECONDS = 120.0
RINGING_CALLS = 5
HELD_CALLS = 5
MONITOR = "2s"
DRAIN_SECONDS = 5
HEAD = ("standby", "event", ANSWERED, RINGING, HELD, "BYE", "dead", "median gap", "worst gap")
NOTE = f"""\
Calls that survive, of those that were up, by kind; how many got a BYE, how many were dead without
one. The longest gap in the audio of each answered call that survived, as its caller heard it:
median and worst of the calls, in seconds, with a packet every 40 ms. UDP, the monitor every
{MONITOR}, PostgreSQL as the recovery database, corosync's token 3 s.
"""
Pillar = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """A way to build the pair: ``standby`` is cold or hot, ``pillar`` takes a stop mode."""

    name: str
    standby: str
    modes: Sequence[str]
    pillar: Callable[[str], Pillar]


@dataclass(frozen=True)
class Event:
    """What happens to the node that serves; ``happen`` takes the lab, that node, the other."""

    name: str
    happen: Callable[[Lab, Node, Node], None]


# --- pairs ---------------------------------------------------------------------------------


def with_init_script(_: str) -> Pillar:
    """Return the recommended pillar with ``lsb:FSSofia``, which can only hang up."""
    pillar = voice.example("pillar.example")
    pillar["network"]["nonlocal_bind"] = False
    pillar["freeswitch"]["init_script"] = True
    _watch(pillar, {"agent": "lsb:FSSofia"})
    return pillar


def with_agent(standby: str) -> Callable[[str], Pillar]:
    """Return what makes the pillar with ``ocf:fsha:FSSofia`` for a stop mode."""

    def pillar(mode: str) -> Pillar:
        told = voice.example("pillar.example")
        told["network"]["nonlocal_bind"] = standby == "hot"
        params = {
            "profiles": "internal",
            "vips": VIP,
            "standby": standby,
            "stop_mode": mode,
            "drain_time": DRAIN_SECONDS,
        }
        _watch(told, {"agent": "ocf:fsha:FSSofia", "params": params})
        return told

    return pillar


def _watch(pillar: Pillar, resource: dict[str, Any]) -> None:
    """Make this the resource ``fs`` of the pillar, watched closely."""
    operations = [
        {"name": "monitor", "interval": MONITOR, "timeout": "15s"},
        {"name": "start", "timeout": "60s"},
        {"name": "stop", "timeout": "90s"},
    ]
    pillar["pacemaker"]["resources"]["fs"] = {**resource, "operations": operations}


MODES = ("hangup", "drain", "recover")
PAIRS = (
    Pair("cold, lsb", "cold", ("hangup",), with_init_script),
    Pair("cold", "cold", MODES, with_agent("cold")),
    Pair("hot", "hot", MODES, with_agent("hot")),
)


# --- events --------------------------------------------------------------------------------


def _switch_over(lab: Lab, old: Node, new: Node) -> None:
    done = lab.salt_call(old, "fsha.failover", new.name, timeout=180)
    if not isinstance(done.value, dict) or not done.value["result"]:
        sys.exit(f"no switchover: {done.value}")


def _kill_switch(lab: Lab, old: Node, new: Node) -> None:
    old.kill("freeswitch")
    _wait_serving(lab, new)


def _cut_power(lab: Lab, old: Node, new: Node) -> None:
    old.power_off()
    _wait_serving(lab, new)


def _wait_serving(lab: Lab, new: Node) -> None:
    serves = f"the service on {new.name}"
    lab.wait(
        lambda: voice.cluster(new).serving("VoiceServices") == new.name, SETTLE_SECONDS, serves
    )


CRASHES = (Event("switch killed", _kill_switch), Event("node without power", _cut_power))


# --- scenarios -----------------------------------------------------------------------------


def report(
    lab: Lab, answered: int, pairs: Sequence[Pair] = PAIRS, crashes: Sequence[Event] = CRASHES
) -> list[str]:
    """Measure on a lab that is up, with its database, and return the lines to print.

    Args:
        lab: its nodes are made bare for every pair.
        answered: how many calls with audio are up in each scenario.
        pairs: which ways to build the pair.
        crashes: what happens to each pair beside the switchovers of its stop modes.

    """
    rows: list[Sequence[str]] = [HEAD]
    stall = 0.0
    for pair in pairs:
        build(lab, pair)
        used = pair.modes[0]
        for event, mode in _events(pair, crashes):
            lab.progress("bench", f"{pair.name}: {event.name}")
            if mode != used:
                _use(lab, pair, mode)
                used = mode
            result = measure(lab, event, answered)
            stall = max(stall, result.stall)
            rows.append((pair.name, event.name, *cells(result)))
            lab.progress("bench", ", ".join(map(" ".join, zip(HEAD, rows[-1], strict=True))))
    return [NOTE, *aligned(rows), "", f"longest stall of the callers themselves: {stall:.2f} s"]


def _events(pair: Pair, crashes: Sequence[Event]) -> list[tuple[Event, str]]:
    """Return every event of a pair with the stop mode to use, ordered so that few are changed."""
    planned = [(Event(f"switchover, {mode}", _switch_over), mode) for mode in pair.modes]
    return planned + [(event, pair.modes[-1]) for event in crashes]


def build(lab: Lab, pair: Pair) -> None:
    """Make the nodes bare and a pair of them that serves."""
    lab.reset()
    voice.standby(lab, pair.standby)
    _use(lab, pair, pair.modes[0])
    voice.restart_standby(lab)
    wait_ready(lab)


def _use(lab: Lab, pair: Pair, mode: str) -> None:
    voice.give(lab, pair.pillar(mode))
    applied = voice.apply(lab)
    if applied.failed:
        sys.exit("\n".join(applied.failed))


def measure(lab: Lab, event: Event, answered: int) -> CallsResult:
    """Let an event happen with calls up, wait until all is well again, return what was heard."""
    wait_ready(lab)
    old = lab.nodes[voice.serving(lab)]
    new = next(node for node in lab.nodes.values() if node is not old)
    tracked = lab.recovery_rows() + answered + HELD_CALLS
    calls = lab.calls(answered, ringing=RINGING_CALLS, held=HELD_CALLS)
    with calls:
        # A call younger than its row would be lost whatever is done.
        lab.wait(lambda: lab.recovery_rows() == tracked, PATIENCE, "the rows of the calls")
        event.happen(lab, old, new)
        wait_heard_or_ended(calls, answered)
    _repair(lab, old, new)
    return calls.result


def wait_heard_or_ended(calls: Calls, answered: int) -> None:
    """Wait until every call is heard again or has ended; calls that died silently end the wait."""
    with contextlib.suppress(LabTimeoutError):  # calls that are lost without a word
        calls.wait(lambda now: now.heard + now.ended >= answered, "audio or an end", PATIENCE)


def _repair(lab: Lab, old: Node, new: Node) -> None:
    if not old.running:
        old.boot()
        lab.wait(
            lambda: voice.cluster(new).node(old.name).word == "online", SETTLE_SECONDS, "both nodes"
        )
    new.run(["crm_resource", "--cleanup"])
    wait_ready(lab)


def wait_ready(lab: Lab) -> None:
    """Wait until the cluster is at rest, one node serves and both switches could."""
    node = next(iter(lab.nodes.values()))
    node.run(["crm_resource", "--wait", "--timeout=90s"], timeout=SETTLE_SECONDS)
    lab.wait(lambda: bool(voice.serving(lab)), SETTLE_SECONDS, "a node that serves")
    for each in lab.nodes.values():
        lab.wait(
            lambda each=each: each.unit_state("freeswitch") == "active",
            SETTLE_SECONDS,
            f"the switch of {each.name}",
        )


def cells(result: CallsResult) -> list[str]:
    """Return a scenario's columns from the third on."""
    counts = [result.counts(kind) for kind in (ANSWERED, RINGING, HELD)]
    gaps = (result.median_gap, result.worst_gap)
    return [
        *map(_kept, counts),
        str(sum(count.by_switch for count in counts)),
        str(sum(count.lost for count in counts)),
        *("-" if gap is None else f"{gap:.2f}" for gap in gaps),
    ]


def _kept(counts: Counts) -> str:
    return f"{counts.survived} of {counts.placed}"
