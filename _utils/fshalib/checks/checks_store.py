"""Checks of the recovery store on the pair: do rows go both ways."""

from collections.abc import Iterator

from fshalib.checks.collect import View
from fshalib.checks.line import FAIL, PASS, WARN, Line

_VERDICTS = {"ok": PASS, "warn": WARN, "fail": FAIL}


def stores(view: View) -> Iterator[Line]:
    """Each node has the rows of the other, from which it would recover calls."""
    for node, facts in sorted(view.facts.items()):
        for finding in (facts or {}).get("store", ()):
            verdict = _VERDICTS.get(finding["level"], WARN)
            remedy = "" if verdict == PASS else "journalctl -u fsha-recovery-store-keeper says more"
            yield Line("store", "Recovery store", verdict, finding["text"], remedy, node)
