"""Rule expressions of location constraints as text: ``#uname eq fs1``, ``defined pingd``.

The grammar is that of ``crm configure show`` without dates::

    expressions = expression { ("and" | "or") expression }     only one of the two in a rule
    expression  = ("defined" | "not_defined") attribute
                | attribute [type ":"] operation value
    type        = "string" | "integer" | "number" | "version"
    operation   = "lt" | "lte" | "eq" | "gte" | "gt" | "ne"

An attribute or value with spaces, or one that could be taken for a keyword, stands in double
quotes, in which a backslash takes the next character as it is.
"""

import difflib
import re
from dataclasses import dataclass

from fsha_model import Expression, Rule

UNARY = ("defined", "not_defined")
BINARY = ("lt", "lte", "eq", "gte", "gt", "ne")
TYPES = ("string", "integer", "number", "version")
JOINS = ("and", "or")
_KEYWORDS = frozenset({*UNARY, *BINARY, *JOINS, "date"})

# Order matters: a quote opens a quoted word, whatever else is not white space is a bare one.
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', re.DOTALL)
_BARE = re.compile(r'[^\s"]+')


class RuleError(ValueError):
    """A text is not a rule expression; the message is half a sentence on what was expected."""


@dataclass(frozen=True)
class _Word:
    text: str
    quoted: bool

    def means(self, words: tuple[str, ...]) -> bool:
        return not self.quoted and self.text in words


def parse_expressions(text: str) -> tuple[str, tuple[Expression, ...]]:
    """Read the text of a rule.

    text
        ``'#uname eq fs1'``, ``'pingd lt 1 or not_defined pingd'``.

    Returns the joining word (``and`` when there is nothing to join) and the expressions.

    Raises :class:`RuleError`.
    """
    words = _words(text)
    expressions: list[Expression] = []
    joins: list[str] = []
    while True:
        expression, words = _expression(words)
        expressions.append(expression)
        if not words:
            break
        if not words[0].means(JOINS):
            raise RuleError(f'"and" or "or" is expected after "{render_expression(expression)}"')
        joins.append(words[0].text)
        words = words[1:]
    if len(set(joins)) > 1:
        raise RuleError('only "and" or only "or" is expected in one rule; use two rules')
    return (joins[0] if joins else "and"), tuple(expressions)


def _words(text: str) -> list[_Word]:
    words: list[_Word] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleError("a closing double quote is expected")
        quoted, bare = match.groups()
        word = _Word(bare, False) if quoted is None else _Word(_unescape(quoted), True)
        words.append(word)
        position = match.end()
    return words


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _expression(words: list[_Word]) -> tuple[Expression, list[_Word]]:
    if not words:
        raise RuleError('an expression like "#uname eq NODE" or "defined ATTRIBUTE" is expected')
    first, rest = words[0], words[1:]
    if first.means(("date",)):
        raise RuleError("a node attribute is expected (date expressions are not supported)")
    if first.means(UNARY):
        if not rest:
            raise RuleError(f'an attribute is expected after "{first.text}"')
        return Expression(_name(rest[0]), first.text), rest[1:]
    attribute = _name(first)
    if len(rest) < 2:
        raise RuleError(f'an operation and a value are expected after "{attribute}"')
    kind, operation = _operation(rest[0])
    return Expression(attribute, operation, rest[1].text, kind), rest[2:]


def _name(word: _Word) -> str:
    if not word.text or (not word.quoted and word.text in _KEYWORDS):
        raise RuleError(f'an attribute is expected, not "{word.text}"')
    return word.text


def _operation(word: _Word) -> tuple[str | None, str]:
    kind, colon, operation = word.text.rpartition(":")
    if word.quoted or operation not in BINARY:
        raise RuleError(f"an operation ({', '.join(BINARY)}) is expected{_near(operation, BINARY)}")
    if colon and kind not in TYPES:
        raise RuleError(f"a type ({', '.join(TYPES)}) is expected{_near(kind, TYPES)}")
    return (kind if colon else None), operation


def _near(text: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(text.lower(), names, n=1)
    return f', not "{text}" (did you mean "{near[0]}"?)' if near else f', not "{text}"'


def render_expression(expression: Expression) -> str:
    """Return one expression as text that :func:`parse_expressions` reads back the same."""
    attribute = _quote(expression.attribute)
    if expression.operation in UNARY:
        return f"{expression.operation} {attribute}"
    operation = expression.operation
    if expression.type is not None:
        operation = f"{expression.type}:{operation}"
    return f"{attribute} {operation} {_quote(expression.value or '')}"


def render_expressions(rule: Rule) -> str:
    """Return a rule's expressions as the pillar writes them, joined by its ``boolean_op``."""
    return f" {rule.boolean_op} ".join(render_expression(e) for e in rule.expressions)


def _quote(text: str) -> str:
    if _BARE.fullmatch(text) and text not in _KEYWORDS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
