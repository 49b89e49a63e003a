"""The lab's command line: ``python -m lab [--lab NAME] COMMAND``, run as root."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from lab import host, sh
from lab.cache import Cache
from lab.calls import DEFAULT_PTIME, KINDS, Calls, CallsResult
from lab.core import DEFAULT_NAME, Lab
from lab.errors import LabError
from lab.probe import DEFAULT_INTERVAL, DEFAULT_THRESHOLD, Gap, Probe, ProbeResult
from lab.progress import Progress
from lab.settings import (
    COMMAND_ENVIRONMENT,
    DEFAULT_RELEASE,
    PROJECT_ROOT,
    RELEASES,
    RUN_ROOT,
    cache_root,
)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
MILLISECONDS = 1000

Command = Callable[[Lab, argparse.Namespace], int]


def _up(lab: Lab, options: argparse.Namespace) -> int:
    lab.up(
        options.release,
        freeswitch=options.freeswitch,
        database=options.database,
        fresh=options.fresh,
    )
    return EXIT_OK


def _down(lab: Lab, _: argparse.Namespace) -> int:
    lab.down()
    lab.progress("lab", f"{lab.name} is gone, nothing is left of it")
    return EXIT_OK


def _status(lab: Lab, options: argparse.Namespace) -> int:
    status = lab.status()
    print(json.dumps(status, indent=2) if options.json else status_screen(status))
    return EXIT_OK


def status_screen(status: dict[str, Any]) -> str:
    """Return the status data as a screen for people."""
    if "machines" not in status:
        left = status["leftovers"]
        return "\n".join(
            [f"lab {status['lab']} is down" + (", but there is still:" if left else "")]
            + [f"  {item}" for item in left]
        )
    holders = status["vip"]["holders"]
    lines = [
        f"lab {status['lab']}: Debian {status['release']}, FreeSWITCH: {status['freeswitch']}",
        f"VIP {status['vip']['address']}: {' and '.join(holders) if holders else 'on no node'}",
    ]
    for name, machine in status["machines"].items():
        if machine["power"] == "off":
            lines.append(f"{name}: off")
            continue
        lines.append(f"{name}: on, {machine['memory_mib']} MiB")
        for interface, held in machine["addresses"].items():
            cable = machine["links"].get(interface)
            lines.append(f"  {interface}  {' '.join(held)}{f'  cable {cable}' if cable else ''}")
        units = (f"{unit}: {state}" for unit, state in machine["units"].items())
        lines.append("  " + "  ".join(units))
    lines += _fault_lines(status["faults"])
    return "\n".join(lines)


def _fault_lines(faults: dict[str, Any]) -> list[str]:
    lines = [f"fault: cable of {name} link {number} is out" for name, number in faults["down"]]
    if faults["partition"]:
        lines.append("fault: the nodes can't hear each other (partition)")
    lines += [f"fault: {n} link {i} loses {p} % each way" for n, i, p in faults["loss"] if p]
    lines += [f"fault: {n} link {i} delays {ms} ms each way" for n, i, ms in faults["delay"] if ms]
    return lines


def _exec(lab: Lab, options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise LabError("exec needs a command: exec NODE CMD…")
    return sh.attached(lab.node(options.node).enter(command), env=COMMAND_ENVIRONMENT)


def _shell(lab: Lab, options: argparse.Namespace) -> int:
    env = {**COMMAND_ENVIRONMENT, "TERM": "xterm"}
    return sh.attached(lab.node(options.node).enter(["bash", "-l"]), env=env)


def _pillar(lab: Lab, options: argparse.Namespace) -> int:
    if options.example == (options.file is not None):
        raise LabError("pillar needs either FILE or --example")
    # Only this command needs what the project's virtual environment brings.
    from lab import voice

    source = PROJECT_ROOT / "pillar.example" if options.example else options.file
    voice.give(lab, voice.example(source))
    lab.progress("salt", f"{source} is the pillar of all minions")
    return EXIT_OK


def _reset(lab: Lab, options: argparse.Namespace) -> int:
    lab.reset(options.nodes or None)
    return EXIT_OK


def _kill(lab: Lab, options: argparse.Namespace) -> int:
    pid = lab.node(options.node).kill(options.process)
    lab.progress(f"machine {options.node}", f"killed {options.process} (process {pid})")
    return EXIT_OK


def _power(lab: Lab, options: argparse.Namespace) -> int:
    if options.state == "on":
        lab.power_on(options.node)
    else:
        lab.power_off(options.node)
    lab.progress(f"machine {options.node}", f"power {options.state}")
    return EXIT_OK


def _link(lab: Lab, options: argparse.Namespace) -> int:
    change = lab.link_up if options.state == "up" else lab.link_down
    change(options.node, options.link)
    return EXIT_OK


def _loss(lab: Lab, options: argparse.Namespace) -> int:
    lab.loss(options.node, options.link, options.percent, delay_ms=options.delay)
    return EXIT_OK


def _partition(lab: Lab, _: argparse.Namespace) -> int:
    lab.partition()
    return EXIT_OK


def _heal(lab: Lab, _: argparse.Namespace) -> int:
    lab.heal()
    return EXIT_OK


def _probe(lab: Lab, options: argparse.Namespace) -> int:
    probe = lab.probe(
        interval=options.interval_ms / MILLISECONDS, threshold=options.threshold_ms / MILLISECONDS
    )
    with probe:
        _watch(probe, lab.progress, options.seconds)
    if options.json:
        print(json.dumps(probe.result.as_dict(), indent=2))
    else:
        print(probe_screen(probe.result))
    return EXIT_OK


def _watch(probe: Probe, progress: Progress, seconds: float | None) -> None:
    """Say who answers whenever that changes, until the time is over or Ctrl-C."""
    deadline = None if seconds is None else time.monotonic() + seconds
    shown: str | None = ""
    try:
        while deadline is None or time.monotonic() < deadline:
            last = probe.last
            silent = last is None or time.time() - last.at > DEFAULT_THRESHOLD * 2
            now = None if silent or last is None or not last.yes else last.node
            if now != shown:
                progress("probe", f"{now} takes calls" if now else "nobody takes calls")
                shown = now
            time.sleep(0.05)
    except KeyboardInterrupt:
        progress("probe", "interrupted, here is what it saw")


def probe_screen(result: ProbeResult) -> str:
    """Return a probe's result as text for people."""
    share = 100 * result.answered / result.sent if result.sent else 0.0
    lines = [
        f"{result.seconds:.1f} s, {result.sent} OPTIONS sent, {result.answered} answered "
        f"({share:.1f} %)" + "".join(f", {n} by {who}" for who, n in result.answered_by.items()),
    ]
    lines += [gap_line(gap) for gap in result.gaps]
    if result.longest is None:
        lines.append(f"no gap above {result.threshold * MILLISECONDS:.0f} ms")
    else:
        lines.append(f"longest gap {result.longest.seconds:.3f} s")
    if result.stall > result.threshold:
        lines.append(
            f"note: this machine was so busy that the probe itself stalled {result.stall:.3f} s"
        )
    return "\n".join(lines)


def gap_line(gap: Gap) -> str:
    """Return one gap as a line for people."""
    before, after = gap.from_node or "nobody", gap.to_node or "nobody"
    return f"gap of {gap.seconds:.3f} s at {gap.start:.3f} s: {before} → {after}"


def _calls(lab: Lab, options: argparse.Namespace) -> int:
    ptime = options.ptime_ms / MILLISECONDS
    calls = lab.calls(options.answered, ringing=options.ringing, held=options.held, ptime=ptime)
    with calls:
        lab.progress("calls", f"{options.answered + options.ringing + options.held} calls are up")
        _keep_up(calls, lab.progress, options.seconds)
    result = calls.result
    print(json.dumps(result.as_dict(), indent=2) if options.json else calls_screen(result))
    return EXIT_OK


def _keep_up(calls: Calls, progress: Progress, seconds: float | None) -> None:
    """Say how the calls stand whenever that changes, until the time is over or Ctrl-C."""
    deadline = None if seconds is None else time.monotonic() + seconds
    shown = None
    try:
        while deadline is None or time.monotonic() < deadline:
            now = calls.now
            if now != shown:
                told = f"{now.heard} heard, {now.ended} ended, {now.reinvited} re-invited"
                progress("calls", told)
                shown = now
            time.sleep(0.1)
    except KeyboardInterrupt:
        progress("calls", "interrupted, hanging up")


def calls_screen(result: CallsResult) -> str:
    """Return what callers saw as a short table for people."""
    rows: list[tuple[str, ...]] = [
        ("kind", "calls", "survived", "ended by switch", "lost", "refused")
    ]
    counted = [counts for counts in map(result.counts, KINDS) if counts.placed]
    rows += [tuple(map(str, dataclasses.astuple(counts))) for counts in counted]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    if result.worst_gap is None or result.median_gap is None:
        lines.append("no answered call survived")
    else:
        lines.append(
            f"longest gap heard: {result.worst_gap:.3f} s, median of the calls "
            f"{result.median_gap:.3f} s"
        )
    lines.append(f"re-INVITEs: {sum(call.reinvites for call in result.calls)}")
    if result.stall > DEFAULT_THRESHOLD:
        lines.append(f"note: this machine was so busy that callers stalled {result.stall:.3f} s")
    return "\n".join(lines)


def _doctor(_: Lab, __: argparse.Namespace) -> int:
    found = host.problems()
    for sentence in found:
        print(sentence)
    if not found:
        print("this machine has all that the lab needs")
    return EXIT_FAILED if found else EXIT_OK


def _install_host_packages(lab: Lab, _: argparse.Namespace) -> int:
    missing = host.missing_packages()
    lab.progress("host", f"installing {' '.join(missing)}" if missing else "all packages are there")
    host.install_packages()
    return EXIT_OK


def _prune(lab: Lab, _: argparse.Namespace) -> int:
    used = set()
    for path in RUN_ROOT.glob("*/lab.json"):
        setup = Lab(path.parent.name).setup()
        if setup is not None:
            used.update(setup.places().stages())
    for removed in Cache(cache_root(), lab.progress).prune(used):
        lab.progress("cache", f"removed {removed.name}")
    return EXIT_OK


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m lab",
        description="Two bare Debian nodes, their networks and the outside world on one machine.",
    )
    top.add_argument("--lab", metavar="NAME", help=f"which lab ($FSHA_LAB, else {DEFAULT_NAME})")
    commands = top.add_subparsers(dest="name", metavar="COMMAND", required=True)

    def add(name: str, run: Command, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    up = add("up", _up, "bring the lab up; no-op when it is up")
    up.add_argument("--release", choices=RELEASES, help=f"Debian (default {DEFAULT_RELEASE})")
    up.add_argument("--freeswitch", metavar="PREFIX", help="a real FreeSWITCH installation")
    up.add_argument("--database", action="store_true", help="a PostgreSQL outside for recovery")
    up.add_argument("--fresh", action="store_true", help="remove what is there first")
    add("down", _down, "remove the lab, whatever state it is in")
    status = add("status", _status, "what runs where, who holds the VIP, which faults are set")
    status.add_argument("--json", action="store_true")
    execute = add("exec", _exec, "run a command in a machine; its exit code is ours")
    execute.add_argument("node", metavar="NODE")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD")
    add("shell", _shell, "a shell in a machine").add_argument("node", metavar="NODE")
    pillar = add("pillar", _pillar, "make FILE the pillar of all minions")
    pillar.add_argument("file", nargs="?", metavar="FILE")
    pillar.add_argument("--example", action="store_true", help="the project's pillar.example")
    reset = add("reset", _reset, "make nodes bare again (default: both)")
    reset.add_argument("nodes", nargs="*", metavar="NODE")
    _add_faults(add)
    probe = add("probe", _probe, "SIP OPTIONS to the VIP from outside; who answers and every gap")
    probe.add_argument("--seconds", type=float, help="how long (default: until Ctrl-C)")
    probe.add_argument("--interval-ms", type=float, default=DEFAULT_INTERVAL * MILLISECONDS)
    probe.add_argument("--threshold-ms", type=float, default=DEFAULT_THRESHOLD * MILLISECONDS)
    probe.add_argument("--json", action="store_true")
    calls = add("calls", _calls, "calls from outside to the VIP: which survive, every gap heard")
    calls.add_argument("answered", type=int, metavar="N", help="calls with audio")
    calls.add_argument("--ringing", type=int, default=0, metavar="N", help="calls never answered")
    calls.add_argument("--held", type=int, default=0, metavar="N", help="calls put on hold")
    calls.add_argument("--seconds", type=float, help="how long (default: until Ctrl-C)")
    calls.add_argument("--ptime-ms", type=float, default=DEFAULT_PTIME * MILLISECONDS)
    calls.add_argument("--json", action="store_true")
    add("prune", _prune, "remove cached parts that no lab uses")
    add("doctor", _doctor, "say what this machine lacks for the lab")
    add("install-host-packages", _install_host_packages, "install the packages it lacks")
    return top


def _add_faults(add: Callable[[str, Command, str], argparse.ArgumentParser]) -> None:
    kill = add("kill", _kill, "SIGKILL the main process of a service in a node")
    kill.add_argument("node", metavar="NODE")
    kill.add_argument("process", metavar="SERVICE")
    power = add("power", _power, "switch a node off, as if by its plug, or on")
    power.add_argument("state", choices=("off", "on"))
    power.add_argument("node", metavar="NODE")
    link = add("link", _link, "pull a node's cable or plug it in")
    link.add_argument("state", choices=("down", "up"))
    link.add_argument("node", metavar="NODE")
    link.add_argument("link", nargs="?", type=int, metavar="LINK", help="0 or 1 (default both)")
    loss = add("loss", _loss, "lose packets of a node on a link, each way; 0 ends it")
    loss.add_argument("node", metavar="NODE")
    loss.add_argument("link", type=int, metavar="LINK")
    loss.add_argument("percent", type=float, metavar="PERCENT")
    loss.add_argument("--delay", type=float, metavar="MS", help="also delay, each way")
    add("partition", _partition, "the nodes don't hear each other, both hear the outside")
    add("heal", _heal, "end every network fault")


def _terminate(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code: int = options.run(Lab(options.lab), options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code
