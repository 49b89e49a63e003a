"""corosync.conf as sections and options: read and written."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from fshalib.errors import CorosyncError

# fgets buffer in coroparse.c, less the line's end and the terminating zero.
MAX_LINE = 510


class ConfError(CorosyncError):
    """A corosync.conf cannot be read, written or built."""


class ParseError(ConfError):
    """Text is not a corosync.conf."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"corosync.conf line {line}: {reason}.")


class UnwritableError(ConfError):
    """A key, section name or value that corosync's reader would not read back."""

    def __init__(self, path: str, text: str, reason: str) -> None:
        self.path = path
        self.text = text
        self.reason = reason
        super().__init__(f"{path}: {text!r} cannot stand in corosync.conf: {reason}.")


@dataclass(frozen=True)
class Option:
    """One ``key: value`` line."""

    key: str
    value: str


@dataclass(frozen=True)
class Section:
    """A named pair of braces, and its entries in order."""

    name: str
    entries: tuple["Entry", ...] = ()

    def options(self) -> dict[str, str]:
        """Return the section's own lines; the last of a repeated key wins, as in corosync."""
        return {e.key: e.value for e in self.entries if isinstance(e, Option)}

    def sections(self, name: str) -> "tuple[Section, ...]":
        """Return the sections called ``name`` directly within this one."""
        return tuple(e for e in self.entries if isinstance(e, Section) and e.name == name)


Entry = Option | Section


@dataclass(frozen=True)
class Conf:
    """A whole corosync.conf."""

    entries: tuple[Entry, ...] = ()

    def sections(self, name: str) -> tuple[Section, ...]:
        """Return the top level sections called ``name``."""
        return tuple(e for e in self.entries if isinstance(e, Section) and e.name == name)


def parse(text: str) -> Conf:
    """Read the text of a corosync.conf; comments are lost, unknown keys and order are not.

    Raises :class:`ParseError` for what corosync's reader would refuse as well.
    """
    stack: list[tuple[str, int, list[Entry]]] = [("", 0, [])]
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r").strip(" \t")
        if not line or line.startswith("#"):
            continue
        _parse_line(stack, number, line)
    if len(stack) > 1:
        raise ParseError(stack[-1][1], f'section "{stack[-1][0]}" is not closed')
    return Conf(tuple(stack[0][2]))


def _parse_line(stack: list[tuple[str, int, list[Entry]]], number: int, line: str) -> None:
    if "{" in line:
        name, _, rest = line.partition("{")
        name = name.strip(" \t").rstrip(" \t:")
        if not name:
            raise ParseError(number, "a section name is missing before the opening brace")
        if rest.strip(" \t"):
            raise ParseError(number, f"there is text after the opening brace{_comment(rest)}")
        stack.append((name, number, []))
    elif ":" in line:
        key, _, value = line.partition(":")
        key = key.strip(" \t")
        if not key:
            raise ParseError(number, "a key is missing before the colon")
        stack[-1][2].append(Option(key, value.strip(" \t")))
    elif line == "}":
        if len(stack) == 1:
            raise ParseError(number, "a closing brace has no section to close")
        name, _, entries = stack.pop()
        stack[-1][2].append(Section(name, tuple(entries)))
    else:
        raise ParseError(
            number, f'"{line}" is neither a section nor a "key: value" line{_why(line)}'
        )


def _comment(rest: str) -> str:
    return "; corosync has no comments behind a brace" if rest.strip().startswith("#") else ""


def _why(line: str) -> str:
    """Return what a line may be meant as that corosync does not read."""
    blank = odd_blank(line)
    if blank:
        return f"; there is a {blank} in it, which is no blank to corosync"
    if line.startswith("}"):
        return _comment(line[1:])
    key, equals, value = line.partition("=")
    return f'; is it meant as "{key.strip()}: {value.strip()}"?' if equals else ""


def odd_blank(text: str) -> str:
    """Return the name of a character in a text that looks like a blank and is none to corosync.

    Its blanks are the space and the tab. Returns ``""`` for a text without such a character.
    """
    for char in text:
        category = unicodedata.category(char)
        if (category in ("Zs", "Zl", "Zp", "Cf") and char != " ") or char in "\v\f\x85":
            name = unicodedata.name(char, "control character").lower()
            return f"{name} (U+{ord(char):04X})"
    return ""


def render(conf: Conf) -> str:
    """Write a corosync.conf; the same data gives the same text everywhere.

    Raises :class:`UnwritableError` for data that corosync would read back differently.
    """
    blocks = ["\n".join(_lines(entry, "", 0)) + "\n" for entry in conf.entries]
    return "\n".join(blocks)


def _lines(entry: Entry, path: str, depth: int) -> Iterable[str]:
    indent = "    " * depth
    if isinstance(entry, Option):
        here = join(path, entry.key)
        _writable(here, entry.key, ":{}")
        _writable(here, entry.value, "{", empty=True)
        line = f"{indent}{entry.key}: {entry.value}".rstrip(" ")
        if len(line.encode("utf-8", "surrogateescape")) > MAX_LINE:
            raise UnwritableError(here, entry.value[:20] + "…", "the line is too long")
        yield line
        return
    here = join(path, entry.name)
    _writable(here, entry.name, ":{}")
    yield f"{indent}{entry.name} {{"
    for inner in entry.entries:
        yield from _lines(inner, here, depth + 1)
    yield f"{indent}}}"


def _writable(path: str, text: str, forbidden: str, empty: bool = False) -> None:
    if not text and not empty:
        raise UnwritableError(path, text, "it is empty")
    if text != text.strip(" \t\r"):
        raise UnwritableError(path, text, "it begins or ends with white space")
    if text.startswith("#") and forbidden != "{":
        raise UnwritableError(path, text, "it begins with #, which makes it a comment")
    for char in "\n\r\0" + forbidden:
        if char in text:
            raise UnwritableError(path, text, f"it contains {char!r}")


def join(path: str, name: str) -> str:
    """Return the path of a name within a section."""
    return f"{path}.{name}" if path else name
