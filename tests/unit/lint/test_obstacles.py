"""What keeps the service from the other node, in CIBs of one fault each.

``tests/functional/test_truth.py`` asks the cluster's scheduler about the same CIBs.
"""

from pathlib import Path

import pytest

from fshalib.cib import document
from fshalib.lint import finding, foreign_cib, obstacles, runner
from fshalib.pillar import config
from tests.unit.lint.test_rules import CLEAN
from tests.unit.pillars import changed

SAMPLE = Path(__file__).parents[2] / "truth/sample"
EXPECTED = {
    "no-apart": ("kept-apart", "colocations:c1"),
    "no-apart-and-together": ("kept-apart", "colocations:c2"),
    "no-apart-from-clone": ("kept-apart", "colocations:c1"),
    "no-attribute": ("only-one-node", "locations:l1"),
    "no-attribute-missing": ("only-one-node", "locations:l1"),
    "no-attribute-more": ("only-one-node", "locations:l1"),
    "no-attribute-transient": ("only-one-node", "locations:l1"),
    "no-bad-health": ("node-away", "nodes:fs2"),
    "no-clone-banned": ("only-one-node", "locations:l1"),
    "no-failed-there": ("failed-there", "resources:vip"),
    "no-group-first-minus-one": ("only-one-node", "locations:l1"),
    "no-group-member-minus-one": ("only-one-node", "locations:l1"),
    "no-ids-are-names": ("held-by-pillar", "nodes:fs2"),
    "no-inside-of-clone": ("only-one-node", "locations:l1"),
    "no-node-away": ("node-away", "nodes:fs2"),
    "no-not-installed": ("failed-there", "resources:vip"),
    "no-order-beside": ("waits-for-nothing", "orders:o1"),
    "no-order-circle": ("waits-for-nothing", "orders:o1"),
    "no-order-on-banned": ("waits-for-nothing", "orders:o1"),
    "no-order-on-stopped": ("waits-for-nothing", "orders:o1"),
    "no-order-through": ("waits-for-nothing", "orders:o2"),
    "no-other-node": ("node-away", "fsha:nodes"),
    "no-prefer-minus-infinity": ("left-behind", "locations:cli-prefer-vip"),
    "no-quorum": ("no-quorum", "properties:no-quorum-policy"),
    "no-room": ("no-room", "nodes:fs2:utilization"),
    "no-room-named": ("no-room", "nodes:fs2:utilization"),
    "no-score-attribute": ("only-one-node", "locations:l1"),
    "no-standby-transient": ("held-by-pillar", "nodes:fs2"),
    "no-ticket": ("not-granted", "tickets:t"),
    "no-ticket-of-set": ("not-granted", "tickets:t"),
    "no-two-bases": ("vip-after-switch", "resources:fs"),
}
"""Each CIB whose service does not start on the other node: the code, and the place."""


def errors(name):
    """Return code and place of each error, and the verdict."""
    root = document.parse((SAMPLE / f"{name}.xml").read_text(encoding="utf-8"))
    advices = [a for a in foreign_cib.lint(root, {}) if a.severity == finding.ERROR]
    found = {(a.code, a.path.removeprefix("fsha:pacemaker:")) for a in advices}
    return found, runner.verdict(advices)


YES = sorted(path.stem for path in SAMPLE.glob("yes-*.xml"))
NO = sorted(path.stem for path in SAMPLE.glob("no-*.xml"))


def test_each_cib_of_the_sample_has_its_place_here():
    assert set(NO) == set(EXPECTED)
    assert len(YES) + len(NO) == len([*SAMPLE.iterdir()])


@pytest.mark.parametrize("name", NO)
def test_what_keeps_it_from_the_other_node(name):
    found, verdict = errors(name)
    assert found == {EXPECTED[name]}
    assert verdict.startswith("It will NOT")


@pytest.mark.parametrize("name", YES)
def test_what_keeps_it_from_nowhere(name):
    found, verdict = errors(name)
    assert found == set()
    assert verdict.startswith("It will fail over")


def test_a_ban_of_something_else_is_a_warning():
    root = document.parse((SAMPLE / "yes-ban-of-another.xml").read_text(encoding="utf-8"))
    (advice,) = [a for a in foreign_cib.lint(root, {}) if a.path.endswith(":cli-ban-x-on-fs2")]
    assert (advice.code, advice.severity) == ("left-ban", "warning")


def test_two_that_may_part_are_a_warning():
    root = document.parse((SAMPLE / "no-two-bases.xml").read_text(encoding="utf-8"))
    (advice,) = [a for a in foreign_cib.lint(root, {}) if a.code == "may-part"]
    assert advice.message == "fs needs vip and x, and nothing keeps these together"
    assert (advice.path, advice.severity) == ("fsha:pacemaker:resources:fs", "warning")


def test_a_pillar_alone_does_not_know_who_grants_a_ticket():
    ticket = {"ticket": "site", "resource": "VoiceServices"}
    raw = changed(*CLEAN, ("pacemaker:tickets:t", ticket))
    (advice,) = [a for a in runner.lint(config.check(raw)) if a.code == "needs-ticket"]
    assert (advice.path, advice.severity) == ("fsha:pacemaker:tickets:t", "warning")
    assert advice.remove == ("fsha:pacemaker:tickets:t",)


def test_every_obstacle_is_met_by_some_cib():
    known = set(obstacles.KNOWN) - {"needs-ticket", "may-part"}
    assert known <= {code for code, _ in EXPECTED.values()}


@pytest.mark.parametrize("code", sorted(obstacles.KNOWN))
def test_every_obstacle_has_its_words(code):
    known = obstacles.KNOWN[code]
    assert all(text and not text.endswith(".") for text in (known.reason, known.source, known.mend))
