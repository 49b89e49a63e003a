"""Whether a rule holds on a node: in a pillar, and in a CIB whose state is known."""

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from fshalib.cib.state import State
from fshalib.lint import rule_truth
from fshalib.pillar import config
from tests.unit.lint.test_rules import CLEAN
from tests.unit.pillars import changed

NOW = datetime(2026, 11, 30, tzinfo=timezone.utc)
NODE = ("pacemaker:nodes:fs1:attributes", {"site": "B", "load": "10", "version": "1.10.2"})


def known(**state):
    made = config.check(changed(*CLEAN, NODE))
    return replace(made, state=State(frozenset({"fs1", "fs2"}), True, now=NOW, **state))


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("#uname eq fs1", True),
        ("#uname eq FS1", True),
        ("#uname ne fs1", False),
        ("site eq b", True),
        ("site eq a", False),
        ("site ne a", True),
        ("defined site", True),
        ("not_defined site", False),
        ("load gt 9", True),
        ("load gt 9.5", True),
        ("load lt 9", False),
        ("load string:lt 9", True),
        ("load gt nine", False),
        ("version version:gt 1.9", True),
        ("version version:eq 1.10.2", True),
        ("missing ne a", True),
        ("missing eq a", False),
        ("missing lt 5", False),
        ("missing gt 5", False),
        ("not_defined missing", True),
        ("site eq b and load gt 9", True),
        ("site eq a or load gt 9", True),
        ("#is_dc eq true", None),
        ("date lt 2027-01-01", True),
        ("date gt 2027-01-01", False),
        ("date in_range start=2026-01-01 end=2027-01-01", True),
        ("date in_range start=2026-12-01", False),
        ('date lt "some day"', False),
        ("date spec hours=9-16", None),
    ],
)
def test_with_a_state(expression, truth):
    assert rule_truth.holds(known(), {"expression": expression}, "fs1") is truth


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("site eq b", True),
        ("missing eq a", None),
        ("not_defined pingd", None),
        ("date lt 2027-01-01", None),
        ("site eq a and missing eq a", False),
    ],
)
def test_a_pillar_does_not_know_what_agents_write(expression, truth):
    made = config.check(changed(*CLEAN, NODE))
    assert rule_truth.holds(made, {"expression": expression}, "fs1") is truth


def test_a_transient_attribute_comes_before_the_nodes_own():
    made = known(attributes={"fs1": {"site": "a"}})
    assert rule_truth.holds(made, {"expression": "site eq a"}, "fs1") is True
    assert rule_truth.attributes(made, "fs2") == {}


@pytest.mark.parametrize(
    ("rule", "score"),
    [
        ({"score": "-INFINITY"}, -1_000_000),
        ({}, 0),
        ({"score-attribute": "load"}, 10),
        ({"score-attribute": "missing"}, 0),
        ({"score-attribute": "site"}, 0),
    ],
)
def test_a_score_may_be_an_attribute(rule, score):
    assert rule_truth.score_there(known(), rule, "fs1") == score


def test_a_score_of_an_attribute_is_unknown_to_a_pillar():
    made = config.check(changed(*CLEAN))
    assert rule_truth.score_there(made, {"score-attribute": "missing"}, "fs1") is None
