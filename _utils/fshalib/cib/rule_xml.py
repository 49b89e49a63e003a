"""Rules as XML: read from a CIB, written to one."""

from collections.abc import Callable, Mapping
from typing import Any

from fshalib.cib.rule import (
    DURATION_PARTS,
    SPEC_PARTS,
    UNARY,
    Date,
    Join,
    OfOperation,
    OfResource,
    Term,
    Test,
)

_TEST_WORDS = {"attribute", "operation", "value", "type", "value-source"}
_JOIN_WORDS = {"boolean-op", "score", "score-attribute", "role"}


def read(element: Any) -> tuple[Join, tuple[str, ...]]:
    """Return the terms of a ``<rule>``, and notes on what no term can express.

    The attributes of the outermost rule (score, role) are for the caller.
    """
    strange: list[str] = []
    rule = _read_join(element, strange)
    return rule, tuple(strange)


def _read_join(element: Any, strange: list[str]) -> Join:
    terms = []
    for child in element.iterchildren(tag="*"):
        reader = _READERS.get(str(child.tag))
        if reader is None:
            strange.append(f"<{child.tag}> in a rule")
            continue
        terms.append(reader(child, strange))
    if not terms:
        strange.append("a rule without a test")
    return Join(element.get("boolean-op", "and").lower(), tuple(terms))


def _read_nested(element: Any, strange: list[str]) -> Join:
    # The score of a rule within a rule is never used; the cluster's own tools write one.
    _unknown(element, {"boolean-op", "score"}, strange)
    return _read_join(element, strange)


def _unknown(element: Any, known: set[str], strange: list[str]) -> None:
    strange.extend(
        f"{name} of <{element.tag}>" for name in element.attrib if name not in known | {"id"}
    )


def _read_test(element: Any, strange: list[str]) -> Test:
    _unknown(element, _TEST_WORDS, strange)
    operation = element.get("operation", "")
    source = element.get("value-source")
    if operation in UNARY:
        return Test(element.get("attribute", ""), operation)
    return Test(
        element.get("attribute", ""),
        operation,
        element.get("value", ""),
        element.get("type"),
        None if source == "literal" else source,
    )


def _read_date(element: Any, strange: list[str]) -> Date:
    _unknown(element, {"operation", "start", "end"}, strange)
    operation = element.get("operation", "in_range")
    parts: dict[str, str] = {}
    for child in element.iterchildren(tag="*"):
        if child.tag not in ("duration", "date_spec"):
            strange.append(f"<{child.tag}> in <date_expression>")
            continue
        _unknown(child, {*DURATION_PARTS, *SPEC_PARTS}, strange)
        parts.update({str(n): str(v) for n, v in child.attrib.items() if n != "id"})
    operation = "spec" if operation == "date_spec" else operation
    return Date(operation, element.get("start"), element.get("end"), parts)


def _read_resource(element: Any, strange: list[str]) -> OfResource:
    _unknown(element, {"class", "provider", "type"}, strange)
    return OfResource(element.get("class"), element.get("provider"), element.get("type"))


def _read_operation(element: Any, strange: list[str]) -> OfOperation:
    _unknown(element, {"name", "interval"}, strange)
    return OfOperation(element.get("name", ""), element.get("interval"))


_READERS: Mapping[str, Callable[[Any, list[str]], Term]] = {
    "rule": _read_nested,
    "expression": _read_test,
    "date_expression": _read_date,
    "rsc_expression": _read_resource,
    "op_expression": _read_operation,
}

Below = Callable[[Any, str, Mapping[str, str | None]], Any]
"""Makes an element below another: parent, tag, attributes (``None`` is left out)."""


def write(element: Any, rule: Join, below: Below) -> None:
    """Write a rule's terms into a ``<rule>``."""
    if len(rule.terms) > 1:
        element.set("boolean-op", rule.word)
    for term in rule.terms:
        if isinstance(term, Join):
            write(below(element, "rule", {}), term, below)
        elif isinstance(term, Date):
            _write_date(element, term, below)
        else:
            below(element, *_attributes(term))


def _write_date(element: Any, term: Date, below: Below) -> None:
    operation = "date_spec" if term.operation == "spec" else term.operation
    attributes = {"operation": operation, "start": term.start, "end": term.end}
    date = below(element, "date_expression", attributes)
    if term.parts:
        below(date, "date_spec" if term.operation == "spec" else "duration", term.parts)


def _attributes(term: Test | OfResource | OfOperation) -> tuple[str, dict[str, str | None]]:
    if isinstance(term, OfResource):
        parts = {"class": term.standard, "provider": term.provider, "type": term.type}
        return "rsc_expression", parts
    if isinstance(term, OfOperation):
        return "op_expression", {"name": term.name, "interval": term.interval}
    return "expression", {
        "attribute": term.attribute,
        "operation": term.operation,
        "value": term.value,
        "type": term.type,
        "value-source": term.source,
    }
