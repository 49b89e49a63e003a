"""Run all rules over a configuration, and show the findings."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import yaml

from fshalib.lint import (
    fixes,
    obstacles,
    pillar_change,
    rules_failover,
    rules_fencing,
    rules_network,
)
from fshalib.lint.finding import ERROR, SEVERITIES, Advice, KnownFinding
from fshalib.lint.rules import CHECKS, KNOWN
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys, path

log = logging.getLogger(__name__)

ALL_KNOWN: Mapping[str, KnownFinding] = {
    **KNOWN,
    **rules_failover.KNOWN,
    **obstacles.KNOWN,
    **rules_network.KNOWN,
    **rules_fencing.KNOWN,
}
ALL_CHECKS = (*CHECKS, *rules_failover.CHECKS, *rules_network.CHECKS, *rules_fencing.CHECKS)


def lint(config: Config) -> tuple[Advice, ...]:
    """Return the advice on a checked configuration.

    config
        The result of ``fshalib.pillar.config.check``.
    """
    findings = [finding for look in ALL_CHECKS for finding in look(config)]
    return tuple(_advice(config, *finding) for finding in findings)


def _advice(config: Config, code: str, keys: Keys, message: str) -> Advice:
    known = ALL_KNOWN[code]
    texts = (known.reason, known.source, known.mend, known.severity)
    try:
        change = fixes.change(code, keys, config)
    except (LookupError, TypeError, ValueError):
        # Every run of the formula lints: a change that can't be made must not end the run.
        log.exception("%s at %s has no change of the pillar", code, path(keys))
        change = {}
    put, removed = pillar_change.put_and_removed(change)
    return Advice(code, path(keys), message, *texts, put, tuple(map(path, removed)))


def summary(advices: Iterable[Advice]) -> str:
    """Return one text with all advice, each reason once; empty without advice."""
    by_code: dict[str, list[Advice]] = {}
    for advice in advices:
        by_code.setdefault(advice.code, []).append(advice)
    if not by_code:
        return ""
    lines = ["This works, but is not advised:"]
    for number, (code, same) in enumerate(by_code.items(), start=1):
        known = ALL_KNOWN[code]
        lines.append(f"{number}. {' '.join(f'{a.path}: {a.message}.' for a in same)}")
        lines.append(f"   Why: {known.reason} ({known.source}).")
        lines.append(f"   Instead: {known.mend}.")
    return "\n".join(lines)


def verdict(advices: Iterable[Advice]) -> str:
    """Return one line that tells whether the cluster will fail over."""
    counts = {word: sum(a.severity == word for a in advices) for word in SEVERITIES}
    counted = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts.items() if n)
    if counts[ERROR]:
        return f"It will NOT fail over as it should: {counted}."
    return f"It will fail over; {counted}." if counted else "It will fail over; no findings."


def page(advices: Iterable[Advice], reason: str = "") -> str:
    """Return all advice as blocks of text, the worst first, with the verdict at the end.

    reason
        What else the verdict rests on, without a full stop; it stands before it.
    """
    ordered = sorted(advices, key=lambda advice: SEVERITIES.index(advice.severity))
    blocks = [
        f"{advice.severity.upper()}  {advice.path}: {advice.message}.\n"
        f"  Why: {advice.reason} ({advice.source}).\n"
        f"  Instead: {advice.mend}.{_change(advice)}"
        for advice in ordered
    ]
    return "\n".join([*blocks, *([f"{reason}."] if reason else []), verdict(ordered)])


def _change(advice: Advice) -> str:
    """Return the lines with the change of the pillar."""
    lines = [f"  In the pillar, remove {path}" for path in advice.remove]
    if advice.change:
        text = yaml.safe_dump({"fsha": advice.change}, default_flow_style=None, sort_keys=False)
        lines += ["  In the pillar:", *(f"    {line}" for line in text.splitlines())]
    return "".join(f"\n{line}" for line in lines)


def as_data(advices: Iterable[Advice]) -> list[dict[str, Any]]:
    """Return advice as plain data for Salt's returns."""
    return [asdict(advice) for advice in advices]
