"""What holds for every CIB and every pillar, tried on random ones."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fsha_cib
import fsha_normal
from fsha_cib import Wanted, merge, parse, read, render, target
from fsha_model import Agent, Group, Location, Primitive
from tests.unit.cib.strategies import Respeller, texts, wanted

# A loaded machine must not make a slow example a failure.
QUICK = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])

SECTIONS = (
    "crm_config",
    "nodes",
    "resources",
    "constraints",
    "rsc_defaults",
    "tags",
)


def empty():
    return parse(fsha_cib.EMPTY)


def live(objects):
    """Return the CIB that holds exactly these objects, as fsha itself would have written it."""
    return target(empty(), Wanted(objects, complete=True)).root


def forms(root, objects):
    return {(type(o), o.id): fsha_normal.normal(read(root, o)) for o in objects}


def wanted_forms(objects):
    return {(type(o), o.id): fsha_normal.normal(o) for o in objects}


def ids(objects):
    return {o.id for o in objects if isinstance(o, (Primitive, Group, Location))}


def assert_sound(root):
    """Assert what the schema demands and a merge could spoil."""
    configuration = root.find("configuration")
    own = [
        e.get("id")
        for e in configuration.iter("*")
        if e.get("id") and e.tag not in ("obj_ref", "resource_ref")
    ]
    assert [i for i, count in Counter(own).items() if count > 1] == []
    order = [child.tag for child in configuration]
    assert order == sorted(order, key=SECTIONS.index)
    assert [g.get("id") for g in configuration.iter("group") if g.find("primitive") is None] == []
    resources = {e.get("id") for e in configuration.find("resources").iter("primitive", "group")}
    assert {c.get("rsc") for c in configuration.iter("rsc_location")} <= resources
    assert {e.get("id") for e in configuration.iter("obj_ref")} <= set(own)


@given(wanted())
@QUICK
def test_merging_into_nothing_gives_exactly_what_is_wanted(objects):
    root = empty()
    merge(root, objects)
    assert forms(root, objects) == wanted_forms(objects)
    assert set(fsha_cib.manageable(root)) == ids(objects)
    assert_sound(root)


@given(wanted(), wanted())
@QUICK
def test_from_any_state_to_any_other_and_no_further(before, after):
    start = live(before)
    found = target(start, Wanted(after, complete=True))
    assert forms(found.root, after) == wanted_forms(after)
    assert set(fsha_cib.manageable(found.root)) == ids(after)
    assert fsha_cib.owned(found.root) == ids(after)
    assert_sound(found.root)
    again = target(parse(render(found.root)), Wanted(after, complete=True))
    assert again.empty
    assert again.changes == {}


@given(wanted(), wanted())
@QUICK
def test_a_target_leaves_the_live_cib_alone(before, after):
    start = live(before)
    text = render(start)
    target(start, Wanted(after, complete=True, purge=True))
    assert render(start) == text


@given(wanted(), wanted())
@QUICK
def test_changes_name_exactly_the_objects_that_differ(before, after):
    found = target(live(before), Wanted(after, complete=True))
    old, new = wanted_forms(before), wanted_forms(after)
    differing = {
        o.id
        for o in after
        if isinstance(o, (Primitive, Group, Location))
        and old.get((type(o), o.id)) != new[type(o), o.id]
    }
    gone = ids(before) - ids(after)
    named = {i for i in found.changes if i not in ("cib-bootstrap-options", "rsc-options")}
    assert named == differing | gone
    assert set(found.removed) == gone


@given(wanted(), wanted())
@QUICK
def test_what_does_not_change_keeps_its_xml(before, after):
    start = live(before)
    found = target(start, Wanted(after, complete=True))
    old = wanted_forms(before)
    for item in after:
        same = old.get((type(item), item.id)) == fsha_normal.normal(item)
        if same and isinstance(item, (Primitive, Location)):
            one, other = fsha_cib.find(start, item.id), fsha_cib.find(found.root, item.id)
            assert render(one) == render(other)


@given(wanted(), st.randoms(use_true_random=False))
@QUICK
def test_another_spelling_is_no_difference(objects, chance: random.Random):
    root = live(objects)
    Respeller(chance).cib(root)
    found = target(root, Wanted(objects, complete=True))
    assert found.changes == {}
    assert found.empty


@given(wanted(), wanted(), st.data())
@QUICK
def test_the_order_of_staging_does_not_matter(before, after, data):
    start = live(before)
    shuffled = tuple(data.draw(st.permutations(after)))
    one = target(start, Wanted(after, complete=True))
    other = target(start, Wanted(shuffled, complete=True))
    assert forms(one.root, after) == forms(other.root, after)
    assert one.changes == other.changes


@given(wanted(), st.data())
@QUICK
def test_what_is_not_named_stays_when_the_run_is_not_the_whole(before, data):
    start = live(before)
    extra = Primitive("extra", Agent("ocf", "Dummy", "pacemaker"))
    single = [o.id for o in before if isinstance(o, Location)]
    gone = tuple(data.draw(st.lists(st.sampled_from(single), unique=True)) if single else [])
    found = target(start, Wanted((extra,), absent=gone))
    rest = tuple(o for o in before if o.id not in gone)
    assert forms(found.root, rest) == wanted_forms(rest)
    assert fsha_cib.owned(found.root) == ids(rest) | {"extra"}
    assert set(found.removed) == set(gone)
    assert_sound(found.root)


@given(texts)
@QUICK
def test_every_value_survives_writing_and_reading(text):
    item = Primitive("p", Agent("ocf", "Dummy", "pacemaker"), {"ip": text}, {"note": text})
    root = empty()
    merge(root, [item])
    assert read(parse(render(root)), item) == item
