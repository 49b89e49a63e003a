"""Rules as text, as data and as XML: ``#uname eq fs1``, ``date spec hours=9-16``.

The grammar is close to what ``crm configure show`` and ``pcs constraint`` write::

    rule        = term { "and" term } | term { "or" term }      one of the two on each level
    term        = "(" rule ")" | test | date | resource | operation
    test        = ("defined" | "not_defined") attribute
                | attribute [type ":"] comparison value
    type        = "string" | "integer" | "number" | "version"
    comparison  = "lt" | "lte" | "eq" | "gte" | "gt" | "ne"
    value       = word | ("param" | "meta") word                of the resource, not literal
    date        = "date" "gt" date | "date" "lt" date
                | "date" "in_range" {"start=" date | "end=" date} ["duration" {part "=" number}]
                | "date" "spec" {part "=" range}
    resource    = "resource" [class] ":" [provider] ":" [type]
    operation   = "op" name ["interval=" duration]

A word with spaces or parentheses, or one that is also a keyword, is in double quotes. Within
them a backslash makes the next character a plain one.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fshalib.cib.values import UnitError, duration_text, parse_duration
from fshalib.errors import ValueTextError

UNARY = ("defined", "not_defined")
BINARY = ("lt", "lte", "eq", "gte", "gt", "ne")
TYPES = ("string", "integer", "number", "version")
JOINS = ("and", "or")
SOURCES = ("param", "meta")
DATES = ("gt", "lt", "in_range", "spec")
DURATION_PARTS = (
    "years", "months", "weeks", "days", "hours", "minutes", "seconds",
    "monthdays", "weekdays", "yearsdays", "weekyears", "moon",
)  # fmt: skip
SPEC_PARTS = (
    "years", "months", "monthdays", "hours", "minutes", "seconds", "yeardays",
    "weekyears", "weeks", "weekdays", "moon", "yearsdays",
)  # fmt: skip
_KEYWORDS = frozenset(
    {*UNARY, *BINARY, *JOINS, *SOURCES, "date", "resource", "op", "duration", "(", ")"}
)
MAX_DEPTH = 16

# Order matters: a quote opens a quoted word, parentheses stand alone, the rest is a bare word.
_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([()])|([^\s"()]+))', re.DOTALL)
_BARE = re.compile(r'[^\s"()]+')


class RuleError(ValueTextError):
    """A text is not a rule; the message says what was expected, without the end of the sentence."""


# --- rules as data -------------------------------------------------------------------------


@dataclass(frozen=True)
class Test:
    """A test of a node attribute: ``#uname eq fs1``, ``defined pingd``.

    ``source`` is ``param`` or ``meta`` when the value names one of the resource's.
    """

    attribute: str
    operation: str
    value: str | None = None
    type: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Date:
    """A test of the date: ``gt``, ``lt``, ``in_range`` or ``spec``; ``parts`` name → number."""

    operation: str
    start: str | None = None
    end: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OfResource:
    """In a set of defaults: for resources of this agent."""

    standard: str | None = None
    provider: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class OfOperation:
    """In a set of defaults: for operations of this name."""

    name: str
    interval: str | None = None


@dataclass(frozen=True)
class Join:
    """Terms joined by ``and`` or by ``or``."""

    word: str
    terms: tuple["Term", ...]


Term = Test | Date | OfResource | OfOperation | Join


# --- text → data ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Word:
    text: str
    quoted: bool

    def means(self, *words: str) -> bool:
        return not self.quoted and self.text in words


class _Words:
    """The words of a text, taken one after the other."""

    def __init__(self, text: str) -> None:
        self._words = _split(text)
        self._at = 0
        self.depth = 0

    def peek(self) -> _Word | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def next_means(self, *words: str) -> bool:
        word = self.peek()
        return word is not None and word.means(*words)

    def take(self, expected: str) -> _Word:
        word = self.peek()
        if word is None:
            raise RuleError(f"{expected} is expected at the end")
        self._at += 1
        return word


def _split(text: str) -> list[_Word]:
    words: list[_Word] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise RuleError("a closing double quote is expected")
        quoted, bracket, bare = match.groups()
        word = (
            _Word(_unescape(quoted), True) if quoted is not None else _Word(bracket or bare, False)
        )
        words.append(word)
        position = match.end()
    return words


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def parse(text: str) -> Join:
    """Read the text of a rule.

    text
        ``'#uname eq fs1'``, ``'pingd lt 1 or not_defined pingd'``.

    Returns its terms; a single one is joined by ``and``.

    Raises :class:`RuleError`.
    """
    words = _Words(text)
    rule = _rule(words)
    left = words.peek()
    if left is not None:
        raise RuleError(f'"and" or "or" is expected, not "{left.text}"')
    return rule


def _rule(words: _Words) -> Join:
    terms = [_term(words)]
    joins: list[str] = []
    while words.next_means(*JOINS):
        joins.append(words.take("a join").text)
        terms.append(_term(words))
    if len(set(joins)) > 1:
        raise RuleError('only "and" or only "or" is expected between brackets')
    return Join(joins[0] if joins else "and", tuple(terms))


def _term(words: _Words) -> Term:
    first = words.take('a test like "#uname eq NODE" or "defined ATTRIBUTE"')
    for keyword, reader in _TERMS.items():
        if first.means(keyword):
            return reader(words)
    if first.means(*UNARY):
        return Test(_name(words.take(f'an attribute after "{first.text}"')), first.text)
    return _comparison(_name(first), words)


def _brackets(words: _Words) -> Join:
    words.depth += 1
    if words.depth > MAX_DEPTH:
        raise RuleError(f"at most {MAX_DEPTH} brackets within each other are expected")
    rule = _rule(words)
    if not words.take("a closing bracket").means(")"):
        raise RuleError("a closing bracket is expected")
    words.depth -= 1
    return rule


def _comparison(attribute: str, words: _Words) -> Test:
    kind, operation = _operation(words.take(f'a comparison and a value after "{attribute}"'))
    value = words.take(f'a value after "{attribute} {operation}"')
    if value.means(*SOURCES):
        name = words.take(f'a name after "{value.text}"')
        return Test(attribute, operation, name.text, kind, value.text)
    return Test(attribute, operation, value.text, kind)


def _name(word: _Word) -> str:
    if not word.text or word.means(*_KEYWORDS):
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


def _date(words: _Words) -> Date:
    operation = words.take(f'one of {", ".join(DATES)} after "date"')
    if not operation.means(*DATES):
        raise RuleError(f"one of {', '.join(DATES)} is expected{_near(operation.text, DATES)}")
    if operation.text in ("gt", "lt"):
        date = words.take(f'a date after "{operation.text}"').text
        return Date("gt", start=date) if operation.text == "gt" else Date("lt", end=date)
    if operation.text == "spec":
        return Date("spec", parts=_assignments(words, SPEC_PARTS))
    ends = _assignments(words, ("start", "end"))
    duration: dict[str, str] = {}
    if words.next_means("duration"):
        words.take("duration")
        duration = _assignments(words, DURATION_PARTS)
    return Date("in_range", ends.get("start"), ends.get("end"), duration)


def _assignments(words: _Words, names: tuple[str, ...]) -> dict[str, str]:
    """Take the words ``name=value`` that follow."""
    values: dict[str, str] = {}
    while True:
        word = words.peek()
        if word is None or word.quoted or "=" not in word.text:
            break
        name, _, text = words.take("a part").text.partition("=")
        if name not in names:
            raise RuleError(f"one of {', '.join(names)} is expected{_near(name, names)}")
        if not text:
            text = words.take(f'a value after "{name}="').text
        values[name] = text
    if not values:
        raise RuleError(f'"{names[0]}=…" is expected')
    return values


def _of_resource(words: _Words) -> OfResource:
    parts = words.take('CLASS:PROVIDER:TYPE after "resource"').text.split(":")
    if len(parts) != 3:
        raise RuleError('CLASS:PROVIDER:TYPE (each may be empty) is expected after "resource"')
    standard, provider, kind = (part or None for part in parts)
    return OfResource(standard, provider, kind)


def _of_operation(words: _Words) -> OfOperation:
    name = words.take('an operation\'s name after "op"').text
    word = words.peek()
    if word is not None and not word.quoted and word.text.startswith("interval="):
        return OfOperation(name, _assignments(words, ("interval",))["interval"])
    return OfOperation(name)


_TERMS: Mapping[str, Callable[[_Words], Term]] = {
    "(": _brackets,
    "date": _date,
    "resource": _of_resource,
    "op": _of_operation,
}


# --- data → text ---------------------------------------------------------------------------


def render(rule: Join) -> str:
    """Return a rule as text that :func:`parse` reads back the same."""
    return f" {rule.word} ".join(_render_term(term) for term in rule.terms)


def _render_term(term: Term) -> str:
    if isinstance(term, Join):
        return f"({render(term)})"
    if isinstance(term, Date):
        return _render_date(term)
    if isinstance(term, OfResource):
        parts = (term.standard, term.provider, term.type)
        return f"resource {_quote(':'.join(part or '' for part in parts))}"
    if isinstance(term, OfOperation):
        every = "" if term.interval is None else f" {_pair('interval', term.interval)}"
        return f"op {_quote(term.name)}{every}"
    return _render_test(term)


def _render_test(test: Test) -> str:
    attribute = _quote(test.attribute)
    if test.operation in UNARY:
        return f"{test.operation} {attribute}"
    operation = test.operation if test.type is None else f"{test.type}:{test.operation}"
    source = "" if test.source is None else f"{test.source} "
    return f"{attribute} {operation} {source}{_quote(test.value or '')}"


def _render_date(date: Date) -> str:
    words = ["date", date.operation]
    if date.operation in ("gt", "lt"):
        return " ".join(
            [*words, _quote((date.start if date.operation == "gt" else date.end) or "")]
        )
    ends = {"start": date.start, "end": date.end}
    words += [_pair(name, text) for name, text in ends.items() if text is not None]
    if date.parts and date.operation == "in_range":
        words.append("duration")
    return " ".join([*words, *(_pair(name, text) for name, text in date.parts.items())])


def _pair(name: str, text: str) -> str:
    return f"{name}={_quote(text)}"


def _quote(text: str) -> str:
    if _BARE.fullmatch(text) and text not in _KEYWORDS:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


# --- normal form ---------------------------------------------------------------------------


def canonical(rule: Join) -> str:
    """Return a rule's text in normal form.

    The order of terms, brackets around one term and a type that is the default do not count.
    """
    return render(_flat(rule))


def _flat(rule: Join) -> Join:
    terms: list[Term] = []
    for term in rule.terms:
        flat = _flat(term) if isinstance(term, Join) else _plain(term)
        if isinstance(flat, Join) and (flat.word == rule.word or len(flat.terms) == 1):
            terms.extend(flat.terms)
        else:
            terms.append(flat)
    if len(terms) == 1 and isinstance(terms[0], Join):
        return terms[0]
    word = rule.word if len(terms) > 1 else "and"
    return Join(word, tuple(sorted(terms, key=_render_term)))


def _plain(term: Term) -> Term:
    if isinstance(term, Test):
        # crm_resource spells out that names are compared as text, which is the default.
        implied = term.operation in ("eq", "ne") and term.type == "string"
        return Test(
            term.attribute, term.operation, term.value, None if implied else term.type, term.source
        )
    if isinstance(term, OfOperation) and term.interval is not None:
        try:
            return OfOperation(term.name, duration_text(parse_duration(term.interval)))
        except UnitError:
            return term
    if isinstance(term, Date):
        return Date(term.operation, term.start, term.end, dict(sorted(term.parts.items())))
    return term
