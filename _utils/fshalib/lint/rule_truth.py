"""Tell whether a rule holds on a node, as far as the configuration, or the CIB's state, tells."""

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from fshalib.cib import rule as cib_rule
from fshalib.cib.values import read_score
from fshalib.pillar.config import Config

_NUMBER = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def holds(config: Config, rule: Mapping[str, Any], node: str) -> bool | None:
    """Tell whether a rule of a location holds on a node; ``None`` when that can't be known.

    config
        The configuration. In a pillar alone nobody knows the attributes that agents write.
    rule
        The rule as pillar data.
    node
        The node's name.
    """
    if "expression" not in rule or "role" in rule:
        return None
    try:
        return _truth(config, cib_rule.parse(str(rule["expression"])), node)
    except cib_rule.RuleError:
        return None


def score_there(config: Config, rule: Mapping[str, Any], node: str) -> int | None:
    """Return the score of a rule on a node where it holds; ``None`` when that can't be known."""
    if "score-attribute" not in rule:
        return read_score(str(rule.get("score", "0"))) or 0
    name = str(rule["score-attribute"])
    text = attributes(config, node).get(name)
    if text is None:
        return None if config.state is None else 0
    return read_score(text) or 0


def attributes(config: Config, node: str) -> Mapping[str, str]:
    """Return the attributes of a node: its own, and before these the transient ones."""
    own = (item.values("attributes") for item in config.pacemaker.of("node") if item.id == node)
    transient = config.state.attributes.get(node, {}) if config.state else {}
    return {**next(own, {}), **transient}


def _truth(config: Config, term: cib_rule.Term, node: str) -> bool | None:
    if isinstance(term, cib_rule.Join):
        truths = [_truth(config, one, node) for one in term.terms]
        decides = term.word == "or"
        if decides in truths:
            return decides
        return None if None in truths else not decides
    if isinstance(term, cib_rule.Date):
        return None if config.state is None else _in_time(term, config.state.now)
    if not isinstance(term, cib_rule.Test) or term.source:
        return None
    known = {"#uname": node, "#kind": "cluster", **attributes(config, node)}
    if term.attribute in known:
        return _test(term, known[term.attribute])
    if config.state is None or term.attribute.startswith("#"):
        return None
    return _test(term, None)


def _in_time(term: cib_rule.Date, now: datetime | None) -> bool | None:
    """Tell whether a date term holds; ``None`` for parts of a date. No date holds never."""
    if now is None or term.operation == "spec" or term.parts:
        return None
    try:
        start, end = (_moment(text) for text in (term.start, term.end))
    except ValueError:
        return False
    if term.operation == "gt":
        return start is not None and now > start
    if term.operation == "lt":
        return end is not None and now < end
    return (start is None or now >= start) and (end is None or now <= end)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _test(term: cib_rule.Test, value: str | None) -> bool | None:
    """Judge a test of an attribute; ``None`` is the value of one that the node has not."""
    if term.operation in cib_rule.UNARY:
        return (value is not None) == (term.operation == "defined")
    wanted = term.value or ""
    if value is None:
        return term.operation == "ne"
    order = _order(term, value, wanted)
    return {
        "lt": order < 0, "lte": order <= 0, "eq": order == 0,
        "gte": order >= 0, "gt": order > 0, "ne": order != 0,
    }.get(term.operation)  # fmt: skip


def _order(term: cib_rule.Test, value: str, wanted: str) -> int:
    """Compare as Pacemaker does: for more or less numbers, but text where there are none."""
    kind = term.type or ("string" if term.operation in ("eq", "ne") else "number")
    pair: tuple[Any, Any] = (value.casefold(), wanted.casefold())
    if kind == "version":
        pair = (_version(value), _version(wanted))
    elif kind != "string":
        numbers = [_NUMBER.match(text) for text in (value, wanted)]
        if numbers[0] and numbers[1]:
            pair = (float(numbers[0][0]), float(numbers[1][0]))
        if kind == "integer" and numbers[0] and numbers[1]:
            pair = (int(pair[0]), int(pair[1]))
    return int(pair[0] > pair[1]) - int(pair[0] < pair[1])


def _version(text: str) -> list[int]:
    return [int(part) for part in re.findall(r"[0-9]+", text)]
