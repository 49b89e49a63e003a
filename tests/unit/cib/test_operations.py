"""Operations that several resources share: read, compared, merged, and built anew."""

import pytest

from fshalib.cib.document import EMPTY, parse
from fshalib.cib.nvset import in_pillar
from fshalib.cib.read import read_all
from fshalib.cib.target import DesiredObjects, target
from fshalib.pillar import config
from fshalib.schema.report import ConfigErrors
from tests.unit.build import applied, cib, dummy, ids, patch, primitive

SCHEMA = "pacemaker-3.9"
OWN = '<operations id="ops"><op id="a-mon" name="monitor" interval="10s"/></operations>'
SHARED = dummy("a", OWN) + dummy("b", '<operations id-ref="ops"/>')
MONITOR = {"name": "monitor", "interval": "10s"}
A = primitive("a", operations=[{"id": "ops"}, MONITOR])
B = primitive("b", operations=[{"id-ref": "ops"}])


def test_they_are_read_with_the_id_that_others_use():
    first, second = (in_pillar(item.spec["operations"]) for item in read_all(cib(SHARED)))
    assert first == [{"id": "ops"}, MONITOR]
    assert second == [{"id-ref": "ops"}]


def test_an_id_that_nobody_uses_does_not_count():
    (item,) = read_all(cib(dummy("a", OWN)))
    assert item.spec["operations"] == [MONITOR]


def test_they_change_nothing_where_they_are():
    root = cib(SHARED, schema=SCHEMA)
    assert patch(root, applied(root, A, B)) == []


@pytest.mark.parametrize("items", [(A, B), (B, A)], ids=["own first", "user first"])
def test_they_can_be_built_anew(items):
    empty = parse(EMPTY)
    empty.set("validate-with", SCHEMA)
    root = applied(empty, *items)
    assert root.find(".//primitive[@id='a']/operations").get("id") == "ops"
    assert root.find(".//primitive[@id='b']/operations").get("id-ref") == "ops"
    assert target(root, DesiredObjects(items, complete=True)).empty


def test_a_list_gets_the_id_once_another_resource_uses_it():
    root = cib(dummy("a", OWN.replace(' id="ops"', "")) + dummy("b"), schema=SCHEMA)
    found = applied(root, A, B)
    assert ids(found, "operations", "op") == ["ops", "a-mon", None]
    assert target(found, DesiredObjects((A, B))).empty


def test_operations_beside_a_reference_are_never_used():
    inner = '<operations id-ref="ops"><op id="x" name="stop" interval="0"/></operations>'
    item = read_all(cib(dummy("a", OWN) + dummy("b", inner)))[1]
    assert item.spec["operations"] == [{"id-ref": "ops"}]
    assert item.spec["unused"] == ["x: there is an id-ref"]


@pytest.mark.parametrize(
    ("operations", "sentence"),
    [
        ([{"id": "ops", "name": "monitor"}], "name is not expected beside id; give it an item."),
        ([{"id": "a"}, {"id": "b"}], "one id is expected for all operations of a resource."),
    ],
)
def test_an_id_stands_alone_and_once(operations, sentence):
    with pytest.raises(ConfigErrors) as caught:
        config.make("primitive", "a", {"agent": "ocf:heartbeat:Dummy", "operations": operations})
    assert [error.message for error in caught.value.errors] == [sentence]


def test_the_id_is_the_only_one_of_its_name():
    own = {"agent": "ocf:heartbeat:Dummy", "operations": [{"id": "b"}, MONITOR]}
    with pytest.raises(ConfigErrors) as caught:
        config.check_pacemaker({"resources": {"a": own, "b": {"agent": "ocf:heartbeat:Dummy"}}})
    assert "an id of its own is expected" in str(caught.value)
