"""Rules as text, as data and as XML."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from fshalib.cib import rule as rules
from fshalib.cib import rule_xml
from fshalib.cib.element_schema import below
from fshalib.cib.rule import Date, Join, OfOperation, OfResource
from tests.unit.strategies import default_rules

QUICK = settings(deadline=None, max_examples=150)


@pytest.mark.parametrize(
    ("text", "join", "terms"),
    [
        ("#uname eq fs1", "and", [rules.Test("#uname", "eq", "fs1")]),
        (
            "pingd lt 1 or not_defined pingd",
            "or",
            [rules.Test("pingd", "lt", "1"), rules.Test("pingd", "not_defined")],
        ),
        ('site ne "main building"', "and", [rules.Test("site", "ne", "main building")]),
        ("load number:gt 4", "and", [rules.Test("load", "gt", "4", "number")]),
        (
            "defined a and defined b and c string:gte x",
            "and",
            [
                rules.Test("a", "defined"),
                rules.Test("b", "defined"),
                rules.Test("c", "gte", "x", "string"),
            ],
        ),
        ('  a   eq "and"  ', "and", [rules.Test("a", "eq", "and")]),
        (r'a eq "say \"hi\" \\ "', "and", [rules.Test("a", "eq", 'say "hi" \\ ')]),
        ('"two words" eq ""', "and", [rules.Test("two words", "eq", "")]),
        ("load gt param limit", "and", [rules.Test("load", "gt", "limit", None, "param")]),
        ("site eq meta site", "and", [rules.Test("site", "eq", "site", None, "meta")]),
        ("date gt 2026-01-01", "and", [Date("gt", start="2026-01-01")]),
        ('date lt "2026-01-01 12:00"', "and", [Date("lt", end="2026-01-01 12:00")]),
        (
            "date in_range start=2026-01-01 end=2026-02-01",
            "and",
            [Date("in_range", "2026-01-01", "2026-02-01")],
        ),
        (
            "date in_range start=2026-01-01 duration months=2 days=1",
            "and",
            [Date("in_range", "2026-01-01", parts={"months": "2", "days": "1"})],
        ),
        (
            "date spec hours=9-16 weekdays=1-5",
            "and",
            [Date("spec", parts={"hours": "9-16", "weekdays": "1-5"})],
        ),
        ('date spec hours="9-16"', "and", [Date("spec", parts={"hours": "9-16"})]),
        ("resource ocf:heartbeat:IPaddr2", "and", [OfResource("ocf", "heartbeat", "IPaddr2")]),
        ("resource ::IPaddr2", "and", [OfResource(type="IPaddr2")]),
        ("op monitor", "and", [OfOperation("monitor")]),
        ("op monitor interval=10s", "and", [OfOperation("monitor", "10s")]),
        (
            "(#uname eq fs1 or #uname eq fs2) and defined pingd",
            "and",
            [
                Join("or", (rules.Test("#uname", "eq", "fs1"), rules.Test("#uname", "eq", "fs2"))),
                rules.Test("pingd", "defined"),
            ],
        ),
    ],
)
def test_parse(text, join, terms):
    assert rules.parse(text) == Join(join, tuple(terms))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'a test like "#uname eq NODE"'),
        ("#uname", "a comparison and a value"),
        ("#uname eq", 'a value after "#uname eq"'),
        ("#uname equ fs1", 'did you mean "eq"'),
        ("a nummber:lt 1", 'did you mean "number"'),
        ("a eq 1 b eq 2", '"and" or "or" is expected, not "b"'),
        ("a eq 1 and", "a test like"),
        ("a eq 1 and b eq 2 or c eq 3", 'only "and" or only "or"'),
        ("defined", 'an attribute after "defined"'),
        ("defined and", "an attribute is expected"),
        ("and eq 1", "an attribute is expected"),
        ('a eq "open', "a closing double quote"),
        ('a "eq" 1', "an operation"),
        ("(a eq 1", "a closing bracket"),
        ("a eq 1)", '"and" or "or" is expected, not ")"'),
        ("(" * 20 + "a eq 1" + ")" * 20, "at most 16 brackets"),
        ("date", 'one of gt, lt, in_range, spec after "date"'),
        ("date gte 2026-01-01", "one of gt, lt, in_range, spec is expected"),
        ("date gt", 'a date after "gt"'),
        ("date in_range", '"start=…" is expected'),
        ("date in_range begin=1", "one of start, end is expected"),
        ("date in_range start=2026-01-01 duration", '"years=…" is expected'),
        ("date spec hour=9", 'did you mean "hours"'),
        ("date spec hours=", 'a value after "hours="'),
        ("resource IPaddr2", "CLASS:PROVIDER:TYPE"),
        ("op", "an operation's name"),
        ("op monitor interval=", "a value after"),
    ],
)
def test_refused(text, reason):
    with pytest.raises(rules.RuleError) as caught:
        rules.parse(text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "a eq 1 and b eq 2",
            "b eq 2 and a eq 1",
            "(b eq 2 and a eq 1)",
            "(a eq 1) and ((b eq 2))",
        ),
        ("a eq 1", "(a eq 1)", "a string:eq 1", "((a string:eq 1))"),
        ("a eq 1 or b eq 2 or c eq 3", "a eq 1 or (b eq 2 or c eq 3)"),
        ("a eq 1 or b eq 2", "(a eq 1 or b eq 2)", "((b eq 2 or a eq 1))"),
        ("date spec hours=9 weekdays=1", "date spec weekdays=1 hours=9"),
        ("op monitor interval=60s", "op monitor interval=1min", "op monitor interval=PT1M"),
    ],
)
def test_spellings_of_one_rule(spellings):
    assert len({rules.canonical(rules.parse(text)) for text in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a eq 1 and b eq 2", "a eq 1 or b eq 2"),
        ("a eq 1", "a number:eq 1"),
        ("a lt 1", "a string:lt 1"),
        ("a eq 1 and (b eq 2 or c eq 3)", "(a eq 1 and b eq 2) or c eq 3"),
        ("a eq param x", 'a eq "param x"'),
        ("date gt 2026-01-01", "date lt 2026-01-01"),
        ("op monitor", "op monitor interval=0"),
        ("resource ocf::", "resource ::ocf"),
    ],
)
def test_what_means_something_else_is_something_else(one, other):
    assert rules.canonical(rules.parse(one)) != rules.canonical(rules.parse(other))


def test_what_no_term_can_express_is_named():
    element = etree.fromstring(
        '<rule id="r" boolean-op="or"><expression id="e" attribute="a" operation="eq" value="1" '
        'odd="1"/><rule id="n" score="5" role="Master"><date_expression id="d" operation="gt" '
        'start="2026-01-01" odd="1"><odd/></date_expression></rule><odd/></rule>'
    )
    rule, strange = rule_xml.read(element)
    assert rules.render(rule) == "a eq 1 or (date gt 2026-01-01)"
    assert strange == (
        "odd of <expression>",
        "role of <rule>",
        "odd of <date_expression>",
        "<odd> in <date_expression>",
        "<odd> in a rule",
    )


def test_a_rule_without_a_test_is_named():
    assert rule_xml.read(etree.fromstring('<rule id="r"/>'))[1] == ("a rule without a test",)


@given(default_rules)
@QUICK
def test_text_data_and_xml_say_the_same(text):
    rule = rules.parse(text)
    assert rules.render(rule) == text
    element = etree.Element("rule")
    rule_xml.write(element, rule, below)
    assert rule_xml.read(etree.fromstring(etree.tostring(element))) == (rule, ())
    once = rules.canonical(rule)
    assert rules.canonical(rules.parse(once)) == once


@given(st.text() | st.lists(st.sampled_from(
    ["and", "or", "defined", "eq", "number:lt", '"', '"a b"', "a", "#uname", "1", "\\", "(", ")",
     "date", "gt", "spec", "hours=9", "in_range", "start=1", "duration", "days=", "resource",
     "::", "op", "interval=5", "param"]
)).map(" ".join))  # fmt: skip
@QUICK
def test_any_text_is_read_or_refused(text):
    try:
        rule = rules.parse(text)
    except rules.RuleError:
        return
    assert rules.parse(rules.render(rule)) == rule
