"""What holds for every CIB and every pillar, tried on random ones.

An ordinary run tries some thousands of cases; ``FSHA_HYPOTHESIS=long pytest FILE`` tries twenty
times as many.
"""

from __future__ import annotations

import copy
import os
import random
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from fshalib.cib import document, ownership
from fshalib.cib import read as cib_read
from fshalib.cib.document import Document, parse, render
from fshalib.cib.kinds import KINDS, normal
from fshalib.cib.members import RESOURCE_TAGS
from fshalib.cib.merge import merge
from fshalib.cib.objects import Object
from fshalib.cib.read import read, read_all
from fshalib.cib.target import DesiredObjects, target
from tests.unit import schemas
from tests.unit.build import obj
from tests.unit.schemas import faults
from tests.unit.strategies import Respeller, configurations, texts

LONG = os.environ.get("FSHA_HYPOTHESIS") == "long"


def tries(count: int) -> settings:
    """Return how often a test is tried; a loaded machine must not make a slow try a failure."""
    return settings(
        deadline=None,
        max_examples=count * 20 if LONG else count,
        # The ordinary run tries the same cases every time; the long one always new ones.
        derandomize=not LONG,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


Key = tuple[str, str]
# What keeps its former value where the pillar has none.
UNTOLD = {
    **dict.fromkeys(("primitive", "template", "group", "clone", "bundle"), ("description",)),
    "node": ("description", "score"),
}


def empty(schema: str = "pacemaker-3.9") -> etree._Element:
    root = parse(document.EMPTY)
    root.set("validate-with", schema)
    nodes = root.find("configuration/nodes")
    for number, name in enumerate(("fs1", "fs2"), 1):
        etree.SubElement(nodes, "node", {"id": str(number), "uname": name})
    return root


def live(objects: Iterable[Object], schema: str = "pacemaker-3.9") -> etree._Element:
    """Return the CIB that holds exactly these objects, as fsha itself would have written it."""
    return target(empty(schema), DesiredObjects(tuple(objects), complete=True)).root


def keyed(objects: Iterable[Object]) -> dict[Key, Mapping]:
    """Return normal forms by kind and id; nodes and options that say nothing are left out."""
    found = {(o.kind, o.id): normal(o) for o in objects if o.id != document.OWNERSHIP_TAG}
    return {key: spec for key, spec in found.items() if spec or key[0] not in SHARED_KINDS}


SHARED_KINDS = ("node", "properties", "resource_defaults", "operation_defaults")


def forms(root: etree._Element) -> dict[Key, Mapping]:
    return keyed(read_all(root))


def expected(before: Iterable[Object], after: Iterable[Object]) -> dict[Key, Mapping]:
    """Return what a cluster says that went from one configuration to the other."""
    known = {(o.kind, o.id): o for o in before}
    found = {(o.kind, o.id): o for o in after}
    for (kind, id), item in known.items():
        if kind == "node":
            found.setdefault((kind, id), Object(kind, id, {}))
        if (kind, id) in found:
            now = found[kind, id]
            kept = {k: item.spec[k] for k in UNTOLD.get(kind, ()) if k in item.spec}
            found[kind, id] = Object(kind, id, {**kept, **now.spec})
    return keyed(found.values())


def ids(objects: Iterable[Object]) -> set[str]:
    return {o.id for o in objects if o.kind not in SHARED_KINDS}


def objects_only(found: Mapping[Key, Mapping]) -> dict[Key, Mapping]:
    return {key: spec for key, spec in found.items() if key[0] not in SHARED_KINDS}


def uses_a_set(item: Object) -> bool:
    return any(one.id_ref for key in ("params", "meta") for one in item.sets(key))


def own_xml(root: etree._Element, id: str) -> str:
    """Return an object's XML without the resources that it contains."""
    element = copy.deepcopy(cib_read.find(root, id))
    for child in list(element.iterchildren(*RESOURCE_TAGS)):
        element.remove(child)
    return etree.tostring(element, encoding="unicode", with_tail=False)


def assert_sound(root: etree._Element) -> None:
    """Assert what the schema demands, and what it lets pass."""
    assert faults(root) == []
    own = [e.get("id") for e in root.find("configuration").iter("*")
           if e.get("id") and e.tag not in ("obj_ref", "resource_ref", "role", "node",
                                            "acl_target")]  # fmt: skip
    assert [id for id, count in Counter(own).items() if count > 1] == []
    taken = {e.get("id") for e in root.find("configuration").iter("*") if e.tag != "obj_ref"}
    assert {e.get("id") for e in root.iter("obj_ref")} <= taken


# --- from any state to any other -------------------------------------------------------------


@given(configurations())
@tries(200)
def test_merging_into_nothing_gives_exactly_what_is_wanted(objects):
    root = empty()
    merge(root, objects)
    assert forms(root) == keyed(objects)
    assert set(ownership.manageable(Document(root))) == ids(objects)
    assert_sound(root)


@given(configurations(), configurations())
@tries(400)
def test_from_any_state_to_any_other_and_no_further(before, after):
    start = live(before)
    found = target(start, DesiredObjects(after, complete=True))
    assert forms(found.root) == expected(before, after)
    assert set(ownership.manageable(Document(found.root))) == ids(after)
    assert_sound(found.root)
    again = target(parse(render(found.root)), DesiredObjects(after, complete=True))
    assert again.changes == {}
    assert again.empty
    # And the other way round: nothing of the one is left in the other.
    back = target(found.root, DesiredObjects((), complete=True))
    assert {k for k in forms(back.root) if k[0] != "node"} == set()
    assert ownership.owned(back.root) == set()
    assert_sound(back.root)


@pytest.mark.parametrize("schema", ["pacemaker-3.0", "pacemaker-4.0"])
def test_older_and_newer_schemas_are_served_too(schema):
    schemas.schema(schema)

    @given(configurations(schema), configurations(schema))
    @tries(120)
    def served(before, after):
        found = target(live(before, schema), DesiredObjects(after, complete=True))
        wanted = expected(before, after)
        # No tag of the oldest schemas can name a user, so nobody knows whose they are.
        left = {key: spec for key, spec in forms(found.root).items()
                if key in wanted or key[0] != "acl_user" or schema != "pacemaker-3.0"}  # fmt: skip
        assert left == wanted
        assert_sound(found.root)

    served()


@given(configurations(), configurations())
@tries(200)
def test_changes_name_exactly_the_objects_that_differ(before, after):
    start = live(before)
    text = render(start)
    found = target(start, DesiredObjects(after, complete=True))
    old, new = keyed(before), expected(before, after)
    differing = {key[1] for key in {*old, *new} if old.get(key) != new.get(key)}
    # Which set is another's by its id counts too, but the values have not changed by it.
    assert differing <= set(found.changes)
    assert all("ids" in found.changes[id] for id in set(found.changes) - differing)
    assert set(found.removed) == ids(before) - ids(after)
    assert render(start) == text


@given(configurations(), configurations())
@tries(200)
def test_what_does_not_change_keeps_its_xml(before, after):
    start = live(before)
    found = target(start, DesiredObjects(after, complete=True))
    old = keyed(before)
    same = [o for o in after if old.get((o.kind, o.id)) == normal(o)]
    for item in same:
        if item.kind not in SHARED_KINDS and item.id not in found.changes:
            assert own_xml(start, item.id) == own_xml(found.root, item.id)


@given(configurations(), configurations(), st.data())
@tries(150)
def test_the_order_of_staging_does_not_matter(before, after, data):
    start = live(before)
    shuffled = tuple(data.draw(st.permutations(after)))
    one = target(start, DesiredObjects(after, complete=True))
    other = target(start, DesiredObjects(shuffled, complete=True))
    assert forms(one.root) == forms(other.root)
    assert one.changes == other.changes
    assert_sound(other.root)


@given(configurations(), st.integers(0, 2**32), configurations())
@tries(400)
def test_another_spelling_is_no_difference(objects, seed, after):
    root = live(objects)
    Respeller(random.Random(seed)).cib(root)
    text = render(root)
    found = target(root, DesiredObjects(objects, complete=True))
    assert found.changes == {}
    assert render(found.root) == text
    # Whatever the spelling, the way leads to the same place.
    assert forms(target(root, DesiredObjects(after, complete=True)).root) == expected(
        objects, after
    )


# --- other people's ---------------------------------------------------------------------------


@given(configurations(), st.data())
@tries(150)
def test_what_is_not_named_stays_when_the_run_is_not_the_whole(before, data):
    start = live(before)
    extra = Object("primitive", "extra", {"agent": "ocf:pacemaker:Dummy"})
    single = [o.id for o in before if KINDS[o.kind].section == "constraints" or o.kind == "alert"]
    spoken_of = {id for o in before if o.kind == "tag" for id in o.spec["references"]}
    single = [id for id in single if id not in spoken_of]
    gone = tuple(data.draw(st.lists(st.sampled_from(single), unique=True)) if single else [])
    found = target(start, DesiredObjects((extra,), absent=gone))
    rest = tuple(o for o in before if o.id not in gone)
    assert forms(found.root) == keyed((*rest, extra))
    assert set(found.removed) == set(gone)
    assert_sound(found.root)
    assert found.drifted == gone or set(found.drifted) == set(gone)


@given(configurations(), st.data())
@tries(150)
def test_whatever_is_removed_leaves_nothing_that_dangles(before, data):
    start = live(before)
    things = sorted(ids(before))
    gone = data.draw(st.lists(st.sampled_from(things), unique=True, max_size=3)) if things else []
    # What others take their values from does not go before they do.
    gone += [o.id for o in before if o.spec.get("template") in gone or uses_a_set(o)]
    found = target(start, DesiredObjects(absent=tuple(gone)))
    assert set(gone) <= set(found.removed)
    assert not set(gone) & set(ownership.manageable(Document(found.root)))
    assert_sound(found.root)


@given(configurations(), configurations())
@tries(150)
def test_a_purge_leaves_what_is_wanted_and_an_operators_own(before, after):
    start = live(before)
    ownership.own(Document(start), ())
    found = target(start, DesiredObjects(after, complete=True, purge=True))
    wanted = objects_only(expected(before, after))
    left = objects_only(forms(found.root))
    moves = [key for key in left if key[1].startswith("cli-") and key not in wanted]
    assert {key: spec for key, spec in left.items() if key not in moves} == wanted
    assert_sound(found.root)


@given(configurations(), configurations(), st.integers(0, 2**32))
@tries(250)
def test_what_others_have_written_stays(before, after, seed):
    """Node attributes, cluster properties and an operator's word, wherever they stand."""
    chance = random.Random(seed)
    start = live(before)
    theirs = write_as_others(start, chance)
    found = target(start, DesiredObjects(after, complete=True))
    pairs = {e.get("id"): dict(e.attrib) for e in found.root.iter("nvpair")}
    left = {o.id for o in after}
    for id, owner, attributes in theirs:
        if owner in ("fs1", "fs2", "properties"):
            assert pairs[id] == attributes
        elif owner in left:
            sets = cib_read.find(found.root, owner).findall("meta_attributes")
            values = {p.get("name"): p.get("value") for nvset in sets for p in nvset}
            assert values["target-role"] == attributes["value"]
    assert_sound(found.root)
    assert target(found.root, DesiredObjects(after, complete=True)).empty
    owned = ownership.owned(found.root)
    assert not owned & {id for id, owner, _ in theirs}


def write_as_others(root, chance):
    """Let operators and other tools write into a CIB; return id, owner and attributes."""
    found = []

    def pair(parent, id, name, value, owner):
        attributes = {"id": id, "name": name, "value": value}
        etree.SubElement(parent, "nvpair", attributes)
        found.append((id, owner, attributes))

    def plain(element, tag):
        sets = [s for s in element.findall(tag) if s.find("rule") is None and s.get("id")]
        if sets and chance.random() < 0.5:
            return chance.choice(sets)
        new = etree.Element(tag, {"id": f"theirs-{chance.getrandbits(40)}"})
        element.insert(0, new)
        return new

    for node in root.iter("node"):
        name = node.get("uname")
        pair(plain(node, "instance_attributes"), f"{name}-standby", "standby", "on", name)
        pair(plain(node, "utilization"), f"{name}-disk", "disk", "5", name)
    options = root.find("configuration/crm_config")
    pair(plain(options, "cluster_property_set"), "dcv", "dc-version", "2.1.5", "properties")
    pair(plain(options, "cluster_property_set"), "mm", "maintenance-mode", "yes", "properties")
    for resource in root.find("configuration/resources").iter("primitive", "group", "clone"):
        role = chance.choice(["Stopped", "Started"])
        name = resource.get("id")
        pair(plain(resource, "meta_attributes"), f"{name}-tr", "target-role", role, name)
    return found


# --- writing and reading ----------------------------------------------------------------------


@given(configurations())
@tries(200)
def test_what_is_read_is_written_and_read_the_same(objects):
    root = live(objects)
    once = read_all(root)
    assert not any("other" in item.spec for item in once)
    assert cib_read.strangers(root) == ()
    ours = {(o.kind, o.id): o for o in once if o.id != document.OWNERSHIP_TAG}
    again = read_all(parse(render(live(ours.values()))))
    assert {(o.kind, o.id): o for o in again if o.id != document.OWNERSHIP_TAG} == ours


@given(texts)
@tries(200)
def test_every_value_survives_writing_and_reading(text):
    spec = {"agent": "ocf:pacemaker:Dummy", "params": {"ip": text}, "meta": {"note": text}}
    item = obj("primitive", "p", {**spec, "description": text})
    root = empty()
    merge(root, [item])
    assert read(parse(render(root)), item) == item
