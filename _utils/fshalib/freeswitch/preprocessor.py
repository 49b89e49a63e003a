"""FreeSWITCH's preprocessor: the configuration as the switch reads it, with the place of lines.

Facts (``switch_xml.c`` of FreeSWITCH 1.11, and measured): it works line by line before the XML is
parsed, in comments as well. A path is relative to the including file. A line with ``<include>``,
``<?`` or ``X-PRE-PROCESS`` is left out as a whole. ``$${name}`` is replaced by a variable. The
parser then accepts two dashes in a comment and a bare ampersand, which XML forbids. A file that
it may not read is left out, with a line in its log.
"""

import glob
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lxml import etree

from fshalib.errors import FreeSwitchError

DEEPEST = 100
"""The depth of includes that FreeSWITCH follows."""

Read = Callable[[Path], str]


class SwitchConfError(FreeSwitchError):
    """FreeSWITCH's configuration has a mistake; nothing was written."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}.")


@dataclass(frozen=True)
class Line:
    """A line of the whole configuration, with its file and number."""

    file: Path
    number: int
    text: str

    @property
    def place(self) -> str:
        """``FILE:LINE``."""
        return f"{self.file}:{self.number}"


@dataclass(frozen=True)
class Whole:
    """A configuration with all includes in their places, parsed."""

    root: etree._Element
    lines: tuple[Line, ...] = field(repr=False)

    def place(self, element: etree._Element) -> str:
        """Return an element's place: ``FILE:LINE``."""
        return _line(self.lines, cast(int | None, element.sourceline) or 1).place


def whole(root: Path, read: Read) -> Whole:
    """Return a configuration as FreeSWITCH would load it.

    root
        ``freeswitch.xml``.
    read
        Returns a file's text; raises :class:`OSError`.

    Raises :class:`SwitchConfError` with file and line for a mistake that it would refuse.
    """
    lines = tuple(expanded(root, read))
    if not lines:
        raise SwitchConfError(str(root), "it is empty")
    text = _BARE.sub("&amp;", without_comments("\n".join(line.text for line in lines)))
    parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
    try:
        return Whole(etree.fromstring(text.encode("utf-8", "surrogateescape"), parser), lines)
    except etree.XMLSyntaxError as error:
        reason = re.sub(r", line \d+, column \d+.*", "", str(error.msg))
        # lxml counts the lines of the joined text.
        reason = re.sub(r"line (\d+)", lambda match: _line(lines, int(match[1])).place, reason)
        at = _line(lines, error.lineno or 1).place
        raise SwitchConfError(at, f"it is not well-formed XML: {reason}") from error


_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def without_comments(text: str) -> str:
    """Return a text of the same length, with blanks in the place of comments."""
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _line(lines: tuple[Line, ...], number: int) -> Line:
    return lines[min(max(number, 1), len(lines)) - 1]


# --- line by line ----------------------------------------------------------------------------


def expanded(root: Path, read: Read) -> Iterator[Line]:
    """Yield the lines of a configuration with all includes in their places.

    root
        ``freeswitch.xml``.

    Variables that the switch or another program sets are left as they are.

    Raises :class:`SwitchConfError` for a file that can't be read, and for a circle.
    """
    yield from _Preprocessor(read, {"conf_dir": str(root.parent)}).file(root, 0)


@dataclass(frozen=True)
class _Preprocessor:
    """The state of one reading of a configuration."""

    read: Read
    variables: dict[str, str]

    def file(self, path: Path, depth: int) -> Iterator[Line]:
        """Yield the lines of a file, with its includes."""
        if depth > DEEPEST:
            raise SwitchConfError(str(path), "files include each other in a circle")
        in_comment = False
        for number, raw in enumerate(read_text(path, str(path), self.read).split("\n"), start=1):
            if "<include>" in raw or "</include>" in raw or "<?" in raw:
                continue
            if in_comment and "-->" not in raw:
                continue
            text = raw.partition("-->")[2] if in_comment else self.replaced(raw)
            in_comment = False
            at = Line(path, number, text)
            if "x-pre-process" in text.lower():
                yield from self.obey(_directive(text), at, depth)
            elif "<!--#" in text:
                before, _, rest = text.partition("<!--#")
                command, end, after = rest.partition("-->")
                in_comment = not end
                yield Line(path, number, before + after)
                yield from self.obey(_hash(command), at, depth)
            else:
                yield at

    def replaced(self, text: str) -> str:
        """Return a line with known variables replaced."""
        return re.sub(r"\$\$\{([^{}]*)\}", lambda f: self.variables.get(f[1], f[0]), text)

    def obey(self, directive: tuple[str, str] | None, at: Line, depth: int) -> Iterator[Line]:
        """Execute a directive; yield the lines that it includes."""
        command, data = directive or ("", "")
        name, given, value = data.partition("=")
        if command == "set" and given:
            self.variables[name.strip()] = value.lstrip(" ")
        elif command in ("exec-set", "env-set", "stun-set"):
            self.variables.pop(name.strip(), None)
        elif command == "include" and "$${" not in data:
            for path in self.matching(data, at):
                yield from self.file(path, depth + 1)

    def matching(self, pattern: str, at: Line) -> list[Path]:
        """Return the files of an include, in their order."""
        # "../x" must have one name: new files are compared by name.
        target = os.path.normpath(at.file.parent / pattern)
        if glob.has_magic(target):
            return [Path(name) for name in sorted(glob.glob(target))]  # noqa: PTH207  as glob(3)
        if read_if_there(Path(target), self.read) is None:
            raise SwitchConfError(at.place, f"it includes {target}, which is not there")
        return [Path(target)]


def _directive(text: str) -> tuple[str, str] | None:
    """Return command and data of a line with ``X-PRE-PROCESS``, if it is one."""
    match = re.search(r"(?P<sign>.?)x-pre-process(?P<rest>.*)", text, re.IGNORECASE)
    if not match or match["sign"] != "<":
        return None
    rest = match["rest"].partition("/>")[0]
    quoted = re.search(r'cmd[^=]*=[^"]*"([^"]*)".*?data[^=]*=[^"]*"([^"]*)', rest, re.IGNORECASE)
    return (quoted[1].lower(), quoted[2]) if quoted else None


def _hash(text: str) -> tuple[str, str]:
    """Return command and data of ``<!--#command "data"-->``."""
    command, _, data = text.partition(" ")
    quoted = re.search(r'"([^"]*)"', data)
    return command.lower(), quoted[1] if quoted else data


def read_text(path: Path, name: str, read: Read) -> str:
    """Return a file's text; raises :class:`SwitchConfError` under a name of its own."""
    try:
        return read(path)
    except OSError as error:
        raise SwitchConfError(name, f"it can't be read ({error.strerror})") from error


def read_if_there(path: Path, read: Read) -> str | None:
    """Return a file's text, or ``None``."""
    try:
        return read(path)
    except OSError:
        return None
