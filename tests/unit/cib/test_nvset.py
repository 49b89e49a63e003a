"""Sets of pairs: one form for a mapping and for a list, and the way back."""

import pytest

from fshalib.cib.nvset import NO_SETS, NvSet, NvSets, in_pillar, shown
from fshalib.cib.spec import from_pillar

RULED = {"score": "5", "rule": "a eq 1", "values": {"x": "1", "y": "2"}}
OTHERS = {"id-ref": "theirs"}
PLAIN = {"id": "mine", "values": {"x": "3", "z": "4"}}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"a": "1", "b": ""},
        [],
        [{"values": {}}],
        [{"values": {"a": "1"}}],
        [RULED, OTHERS, PLAIN],
    ],
)
def test_sets_go_back_to_the_pillar_as_they_came(given):
    assert NvSets.of(given).in_pillar() == given


def test_a_mapping_and_a_list_of_one_set_are_the_same():
    assert NvSets.of({"a": "1"}) == NvSets.of([{"values": {"a": "1"}}])
    assert NvSets.of({"a": "1"}) != NvSets.of([{"values": {"a": "1"}, "score": "1"}])


def test_an_empty_mapping_is_no_set_and_a_listed_one_is():
    assert not NvSets.of({})
    assert NvSets.of({}) == NO_SETS
    assert NvSets.of([{"values": {}}])


def test_the_first_value_of_a_name_counts_and_rules_do_not():
    sets = NvSets.of([RULED, PLAIN, {"values": {"x": "9", "v": "5"}}])
    assert sets.plain_values() == {"x": "3", "z": "4", "v": "5"}
    assert list(sets.plain_values()) == ["x", "z", "v"]
    assert sets.conditional == (NvSet.of(RULED),)


def test_names_are_dropped_from_plain_sets_or_from_all():
    sets = NvSets.of([RULED, OTHERS, PLAIN])
    assert sets.without({"x"}).in_pillar() == [RULED, OTHERS, {"id": "mine", "values": {"z": "4"}}]
    everywhere = sets.without({"x"}, conditional=True).in_pillar()
    assert everywhere == [{**RULED, "values": {"y": "2"}}, OTHERS, {**PLAIN, "values": {"z": "4"}}]


def test_a_mapping_that_loses_all_names_is_no_set_and_a_listed_set_stays():
    assert not NvSets.of({"x": "1"}).without({"x"})
    assert NvSets.of([{"values": {"x": "1"}}]).without({"x"}).in_pillar() == [{"values": {}}]


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ({}, {"z": "0", "n": "1"}),
        ({"z": "7"}, {"z": "7", "n": "1"}),
        ([], [{"values": {"z": "0", "n": "1"}}]),
        ([RULED], [RULED, {"values": {"z": "0", "n": "1"}}]),
        ([RULED, PLAIN], [RULED, {"id": "mine", "values": {"x": "3", "z": "4", "n": "1"}}]),
    ],
)
def test_pairs_are_added_to_the_first_plain_set_unless_they_are_there(given, then):
    assert NvSets.of(given).with_values({"z": "0", "n": "1"}).in_pillar() == then


def test_a_difference_shows_no_empty_keys():
    assert NvSets.of([{"rule": "a eq 1", "values": {}}]).shown() == [{"rule": "a eq 1"}]
    assert shown({"a": [NvSets.of({"x": "1"})]}) == {"a": [{"x": "1"}]}


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("properties", {"sets": [RULED, PLAIN]}),
        ("primitive", {"agent": "lsb:a", "params": {"x": "1"}, "meta": [RULED],
                       "operations": [{"name": "start", "params": {"y": "2"}}, OTHERS]}),
        ("alert", {"path": "/a", "recipients": [{"value": "v", "meta": {"timeout": "5s"}}]}),
        # The sets of a constraint are sets of resources.
        ("order", {"sets": [{"resources": ["a", "b"]}]}),
    ],
)  # fmt: skip
def test_a_spec_goes_to_the_pillar_and_comes_back(kind, spec):
    made = from_pillar(kind, spec)
    assert in_pillar(made) == spec
    assert from_pillar(kind, in_pillar(made)) == made
    assert ("params" not in made) or isinstance(made["params"], NvSets)
