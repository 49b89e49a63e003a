import pytest
from hypothesis import given
from hypothesis import strategies as st

import fsha_rules as rules
from fsha_model import Expression, Rule


@pytest.mark.parametrize(
    ("text", "join", "expressions"),
    [
        ("#uname eq fs1", "and", [Expression("#uname", "eq", "fs1")]),
        (
            "pingd lt 1 or not_defined pingd",
            "or",
            [Expression("pingd", "lt", "1"), Expression("pingd", "not_defined")],
        ),
        ('site ne "main building"', "and", [Expression("site", "ne", "main building")]),
        ("load number:gt 4", "and", [Expression("load", "gt", "4", "number")]),
        (
            "defined a and defined b and c string:gte x",
            "and",
            [
                Expression("a", "defined"),
                Expression("b", "defined"),
                Expression("c", "gte", "x", "string"),
            ],
        ),
        ('  a   eq "and"  ', "and", [Expression("a", "eq", "and")]),
        (r'a eq "say \"hi\" \\ "', "and", [Expression("a", "eq", 'say "hi" \\ ')]),
        ('"two words" eq ""', "and", [Expression("two words", "eq", "")]),
    ],
)
def test_parse(text, join, expressions):
    assert rules.parse_expressions(text) == (join, tuple(expressions))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an expression like"),
        ("#uname", "an operation and a value are expected"),
        ("#uname eq", "an operation and a value are expected"),
        ("#uname equ fs1", 'did you mean "eq"'),
        ("a nummber:lt 1", 'did you mean "number"'),
        ("a eq 1 b eq 2", '"and" or "or" is expected after "a eq 1"'),
        ("a eq 1 and", "an expression like"),
        ("a eq 1 and b eq 2 or c eq 3", 'only "and" or only "or"'),
        ("defined", "an attribute is expected"),
        ("defined and", "an attribute is expected"),
        ("and eq 1", "an attribute is expected"),
        ('a eq "open', "a closing double quote"),
        ("date gt 2024-01-01", "date expressions are not supported"),
        ('a "eq" 1', "an operation"),
    ],
)
def test_refused(text, reason):
    with pytest.raises(rules.RuleError) as caught:
        rules.parse_expressions(text)
    assert reason in str(caught.value)


anything = st.text(max_size=12)
names = st.text(min_size=1, max_size=12) | st.sampled_from(["and", "or", "defined", "date", "eq"])
binary = st.builds(
    Expression,
    names,
    st.sampled_from(rules.BINARY),
    anything | names,
    st.none() | st.sampled_from(rules.TYPES),
)
unary = st.builds(Expression, names, st.sampled_from(rules.UNARY))


@given(st.lists(binary | unary, min_size=1, max_size=4), st.sampled_from(rules.JOINS))
def test_what_is_rendered_is_read_back_the_same(expressions, join):
    join = join if len(expressions) > 1 else "and"
    rule = Rule("1", tuple(expressions), boolean_op=join)
    assert rules.parse_expressions(rules.render_expressions(rule)) == (join, tuple(expressions))


@given(st.text() | st.lists(st.sampled_from(
    ["and", "or", "defined", "eq", "number:lt", '"', '"a b"', "a", "#uname", "1", "\\"]
)).map(" ".join))  # fmt: skip
def test_any_text_is_read_or_refused(text):
    try:
        join, expressions = rules.parse_expressions(text)
    except rules.RuleError:
        return
    rule = Rule("1", expressions, boolean_op=join)
    assert rules.parse_expressions(rules.render_expressions(rule)) == (join, expressions)
