"""The cluster's properties as its Pacemaker reads them."""

import pytest

from fshalib.cib import properties
from fshalib.cib.document import parse

OLD, NEW = "3.16.1", "3.20.5"


def root(*sets, feature_set=OLD):
    given = f'crm_feature_set="{feature_set}"' if feature_set else ""
    inner = "".join(
        f'<cluster_property_set id="{id}" {more}>{rule}'
        + "".join(f'<nvpair id="{id}-{n}" name="{n}" value="{v}"/>' for n, v in values.items())
        + "</cluster_property_set>"
        for id, more, rule, values in sets
    )
    return parse(
        f'<cib {given} validate-with="pacemaker-3.9"><configuration><crm_config>{inner}'
        "</crm_config><nodes/><resources/><constraints/></configuration></cib>"
    )


BOOTSTRAP = "cib-bootstrap-options"
RULE = '<rule id="r" score="1"><expression id="e" attribute="x" operation="defined"/></rule>'


@pytest.mark.parametrize(
    ("feature_set", "known"),
    [
        ("3.16.1", False),
        ("3.20.1", False),
        ("3.20.5", True),
        ("4.0", True),
        ("", None),
        ("x", None),
    ],
)
def test_whether_the_new_names_are_known(feature_set, known):
    assert properties.knows_new_names(root(feature_set=feature_set)) is known


@pytest.mark.parametrize(("feature_set", "value"), [(OLD, None), (NEW, "false"), ("", "false")])
def test_a_new_name_is_its_older_one_where_it_is_known(feature_set, value):
    found = root((BOOTSTRAP, "", "", {"fencing-enabled": "false"}), feature_set=feature_set)
    assert properties.read(found).get("stonith-enabled") == value


@pytest.mark.parametrize(("feature_set", "value"), [(OLD, "true"), (NEW, "false")])
def test_the_new_name_comes_first_where_it_is_known(feature_set, value):
    both = {"stonith-enabled": "true", "fencing-enabled": "false"}
    found = root((BOOTSTRAP, "", "", both), feature_set=feature_set)
    assert properties.read(found)["stonith-enabled"] == value


def test_the_bootstrap_options_come_first_and_then_the_highest_score():
    found = root(
        ("one", 'score="1"', "", {"a": "1", "b": "1", "c": "1"}),
        ("two", 'score="2"', "", {"a": "2", "b": "2"}),
        ("ruled", 'score="9"', RULE, {"a": "9", "d": "9"}),
        (BOOTSTRAP, "", "", {"a": "0"}),
    )
    assert properties.read(found) == {"a": "0", "b": "2", "c": "1"}
