"""The change that each finding comes with: once it is made the finding has gone."""

import copy
import itertools

import pytest
import yaml

from fshalib.lint import fixes, obstacles, runner
from fshalib.lint.pillar_change import applied, put_and_removed
from fshalib.pillar import config
from fshalib.schema.report import path
from tests.unit import pillars
from tests.unit.lint import test_rules as test_lint
from tests.unit.lint import test_rules_failover as test_lint_failover
from tests.unit.lint import test_rules_network
from tests.unit.pillars import changed, with_key

CASES = [
    *((case[0], case[1], case[2]) for case in test_lint.test_one_advice.pytestmark[0].args[1]),
    *test_lint_failover.CASES,
    *test_rules_network.CASES,
]


def keys(text):
    return tuple(text.removeprefix("fsha:").split(":"))


def mended(raw, advice):
    """Return a pillar with the change that an advice comes with, as a user would make it."""
    found = applied(raw, dict.fromkeys(map(keys, advice.remove)))
    return merged(found, advice.change)


def merged(raw, more):
    """Merge as people, and Salt's pillars, do: mappings into each other, all else replaces."""
    found = copy.deepcopy(raw)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = merged(found[key], value) if both else value
    return found


def judged(raw):
    return runner.lint(config.check(raw))


@pytest.mark.parametrize(
    ("places", "code", "where"), [c for c in CASES if c[1] not in fixes.WORDS_ONLY]
)
def test_a_finding_goes_with_its_change(places, code, where):
    raw = changed(*test_lint.CLEAN, *places)
    before = judged(raw)
    advice = next(a for a in before if (a.code, a.path) == (code, f"fsha:{where}"))
    assert advice.change or advice.remove
    after = judged(mended(raw, advice))
    assert (code, advice.path) not in [(a.code, a.path) for a in after]
    # Nothing else gets worse: with quorum kept, fencing that is off is still to be told.
    assert {a.code for a in after} <= {a.code for a in before} | {"no-fencing"}


def in_templates(raw):
    """Return a pillar in which each resource is made from a template of its own."""
    found = copy.deepcopy(raw)
    told = found["pacemaker"]
    for id, item in list(told.get("resources", {}).items()):
        if "template" not in item:
            told.setdefault("templates", {})[f"t-{id}"] = item
            told["resources"][id] = {"template": f"t-{id}"}
    return found


PILLARS = [changed(*test_lint.CLEAN, *case[0]) for case in CASES] + [pillars.full()]


@pytest.mark.parametrize("raw", PILLARS)
def test_each_finding_of_what_templates_say_goes_with_its_change(raw):
    before = judged(in_templates(raw))
    for advice in before:
        told = config.check(in_templates(raw))
        where = next(k for c in runner.ALL_CHECKS for f, k, _ in c(told)
                     if (f, path(k)) == (advice.code, advice.path))  # fmt: skip
        fixes.change(advice.code, where, told)  # it does not fail
        if advice.change or advice.remove:
            after = judged(mended(in_templates(raw), advice))
            assert (advice.code, advice.path) not in [(a.code, a.path) for a in after]


OF_A_CIB = set(obstacles.KNOWN) & fixes.WORDS_ONLY
"""What no pillar shows, see ``test_obstacles.py``."""


@pytest.mark.parametrize("code", sorted(fixes.WORDS_ONLY - OF_A_CIB))
def test_what_takes_more_than_the_pillar(code):
    places = next((c[0] for c in CASES if c[1] == code), None)
    found = test_lint_failover.one_link() if places is None else test_lint.everything(*places)
    (advice,) = [a for a in found if a.code == code]
    assert (advice.change, advice.remove) == ({}, ())


def test_every_finding_has_a_change_or_words_alone():
    assert set(fixes.MENDS) | fixes.WORDS_ONLY == set(runner.ALL_KNOWN)
    assert not set(fixes.MENDS) & fixes.WORDS_ONLY


def test_the_articles_pair_can_be_mended_change_by_change():
    raw = with_key(
        yaml.safe_load((test_lint.ROOT / "examples/article.sls").read_text(encoding="utf-8"))[
            "fsha"
        ]
    )
    seen = set()
    while advice := next((a for a in judged(raw) if a.change or a.remove), None):
        assert (advice.code, advice.path) not in seen
        seen.add((advice.code, advice.path))
        raw = mended(raw, advice)
    assert {a.code for a in judged(raw)} <= {"no-fencing", "single-link", "transport-udpu"}
    assert len(seen) >= 10


def test_the_page_has_it_as_yaml_to_paste():
    page = runner.page(test_lint.example("examples/article.sls"))
    assert "  In the pillar, remove fsha:pacemaker:properties:no-quorum-policy" in page
    block = page.partition("fsha:pacemaker:rsc_defaults: ")[2].partition("  In the pillar:\n")[2]
    lines = itertools.takewhile(lambda line: line.startswith("    "), block.splitlines())
    assert yaml.safe_load("\n".join(lines))["fsha"]["pacemaker"]["rsc_defaults"] == {
        "migration-threshold": "1", "failure-timeout": "10min"
    }  # fmt: skip


@pytest.mark.parametrize(
    "sets", [[{"values": {"resource-stickiness": 0, "migration-threshold": 1}}]]
)
def test_several_sets_are_for_people_to_mend(sets):
    found = test_lint.everything(("pacemaker:rsc_defaults", sets))
    (advice,) = [a for a in found if a.code == "comes-back"]
    assert (advice.change, advice.remove) == ({}, ())


def test_what_a_tag_names_stays():
    tag = ("pacemaker:tags:t", {"references": ["arp", "fs"]})
    found = test_lint.everything(("pacemaker:resources:arp", test_lint.ARP), tag)
    (advice,) = [a for a in found if a.code == "send-arp"]
    assert (advice.change, advice.remove) == ({}, ())


def test_a_new_object_gets_an_id_that_is_free():
    rules = [{"score": s, "expression": "defined a"} for s in (1, 2)]
    taken = {"resource": "fs", "node": "fs1", "score": 1}
    raw = changed(
        *test_lint.CLEAN,
        ("pacemaker:locations:l", {"resource": "VoiceServices", "rules": rules}),
        ("pacemaker:locations:l-1", taken),
    )
    (advice,) = [a for a in judged(raw) if a.code == "several-rules"]
    locations = mended(raw, advice)["pacemaker"]["locations"]
    assert locations["l-1"] == taken
    assert {"l-1-2", "l-2"} < set(locations)
    assert "several-rules" not in [a.code for a in judged(mended(raw, advice))]


def test_put_and_removed():
    told = {("a", "b"): 1, ("a", "c"): None, ("d",): [2]}
    assert put_and_removed(told) == ({"a": {"b": 1}, "d": [2]}, (("a", "c"),))
    assert applied({"a": {"c": 3, "e": 4}}, told) == {"a": {"b": 1, "e": 4}, "d": [2]}
