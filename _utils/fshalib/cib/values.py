"""The cluster's scalar values: scores, durations and booleans in all their spellings.

Each parser takes text from a CIB or a pillar. It raises :class:`UnitError` for text that the
cluster would not understand, or would silently read as zero.

Facts: ``pcmk_parse_score``, ``pcmk__parse_ms`` and ``crm_str_to_boolean`` of Pacemaker
(lib/common/scores.c and strings.c), and ISO 8601 durations as its ``iso8601`` tool has them.
"""

import re

from fshalib.errors import ValueTextError

INFINITY = 1_000_000
"""Pacemaker's largest score; whatever is greater counts as infinite."""

TRUE_WORDS = frozenset({"true", "yes", "on", "y", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "n", "0"})

_SCORE = re.compile(r"([+-]?)(?:(inf(?:inity)?)|([0-9]{1,18}))", re.IGNORECASE | re.ASCII)
_PLAIN = re.compile(r"([0-9]{1,15})\s*([a-z]*)", re.IGNORECASE | re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9})S)?"
    # Pacemaker takes these without the T as well; an M would be months there.
    r"|(?:(?P<plain_hours>[0-9]{1,9})H)?(?:(?P<plain_seconds>[0-9]{1,9})S)?)?",
    re.ASCII,
)
_MICROSECOND = frozenset({"us", "usec"})
_MILLISECONDS = {
    "": 1000, "s": 1000, "sec": 1000,
    "ms": 1, "msec": 1,
    "m": 60_000, "min": 60_000,
    "h": 3_600_000, "hr": 3_600_000,
}  # fmt: skip
_ISO_MILLISECONDS = {
    "weeks": 604_800_000,
    "days": 86_400_000,
    "hours": 3_600_000,
    "minutes": 60_000,
    "seconds": 1000,
}


class UnitError(ValueTextError):
    """A text is not a value of the expected kind; ``expected`` names the kind in words."""

    def __init__(self, text: str, expected: str) -> None:
        self.text = text
        self.expected = expected
        super().__init__(f'{expected} is expected, not "{text}".')


SCORE_EXPECTED = "a score (a whole number, INFINITY or -INFINITY)"
DURATION_EXPECTED = "a duration (2s, 2000ms, 5min, 1h, PT2S; a bare number is seconds)"
BOOLEAN_EXPECTED = "true or false"


def parse_score(text: str) -> str:
    """Return a score in its one canonical spelling.

    text
        ``"100"``, ``"+100"``, ``"inf"``, ``"-INFINITY"`` …, in any case.

    Returns ``"100"``, ``"-5"``, ``"INFINITY"`` or ``"-INFINITY"``: Pacemaker itself only
    understands infinity in capitals and spelt out.

    Raises :class:`UnitError`.
    """
    return score_text(score_value(text))


def score_value(text: str) -> int:
    """Return a score as a number from -1000000 to 1000000, which stand for infinity.

    Raises :class:`UnitError`.
    """
    match = _SCORE.fullmatch(text.strip())
    if match is None:
        raise UnitError(text, SCORE_EXPECTED)
    sign, infinite, digits = match.groups()
    size = INFINITY if infinite else min(int(digits), INFINITY)
    return -size if sign == "-" else size


_READ = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_COLORS = {"red": -INFINITY, "yellow": 0, "green": 0}


def read_score(text: str) -> int | None:
    """Return a score as Pacemaker reads it, ``None`` for what it reads no number in.

    It takes the whole number at the beginning: ``1.0`` is 1, ``5s`` is 5. Infinity has to be in
    capitals.
    """
    if text.lower() in _COLORS:
        return _COLORS[text.lower()]
    if text.lstrip("+-") == "INFINITY" and len(text) <= len("-INFINITY"):
        return -INFINITY if text[0] == "-" else INFINITY
    match = _READ.match(text)
    return max(-INFINITY, min(int(match[1]), INFINITY)) if match else None


def score_text(value: int) -> str:
    """Return a number as the CIB spells a score, clipped at infinity."""
    if value >= INFINITY:
        return "INFINITY"
    if value <= -INFINITY:
        return "-INFINITY"
    return str(value)


def is_infinite(text: str) -> bool:
    """Tell whether a score is plus or minus infinity. Raises :class:`UnitError`."""
    return abs(score_value(text)) == INFINITY


def is_zero_score(text: str) -> bool:
    """Tell whether a score is zero; the cluster reads one that does not parse as zero."""
    try:
        return score_value(text) == 0
    except UnitError:
        return True


def parse_duration(text: str) -> int:
    """Return a duration in milliseconds.

    text
        ``"2"`` (seconds), ``"2s"``, ``"2000ms"``, ``"5 min"``, ``"1h"``, ``"PT2S"`` …
        Years and months are refused, for they have no fixed length, and so are fractions,
        which Pacemaker drops without a word.

    Raises :class:`UnitError`.
    """
    stripped = text.strip()
    if stripped[:1] == "P":
        return _parse_iso(text, stripped)
    match = _PLAIN.fullmatch(stripped)
    if match is None:
        raise UnitError(text, DURATION_EXPECTED)
    number, unit = int(match.group(1)), match.group(2).lower()
    if unit in _MICROSECOND:
        return number // 1000
    if unit not in _MILLISECONDS:
        raise UnitError(text, DURATION_EXPECTED)
    return number * _MILLISECONDS[unit]


def _parse_iso(text: str, stripped: str) -> int:
    match = _ISO.fullmatch(stripped)
    groups = {} if match is None else match.groupdict()
    parts = {k.removeprefix("plain_"): v for k, v in groups.items() if v is not None}
    if not parts or stripped.endswith("T"):
        raise UnitError(text, DURATION_EXPECTED)
    return sum(int(count) * _ISO_MILLISECONDS[name] for name, count in parts.items())


def duration_text(milliseconds: int) -> str:
    """Return milliseconds in the shortest spelling that every Pacemaker reads: ``2s``, ``1500ms``.

    milliseconds
        A whole number, not negative.
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{seconds}s"


def parse_boolean(text: str) -> bool:
    """Return the truth of ``true``, ``yes``, ``on``, ``y``, ``1`` and their opposites.

    Raises :class:`UnitError`.
    """
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise UnitError(text, BOOLEAN_EXPECTED)
