"""FreeSWITCH's preprocessor: the whole configuration as the switch reads it, with places.

Facts (``switch_xml.c`` of FreeSWITCH 1.11, and measured): everything is done line by line, before
anything is parsed, in comments as well; a path is relative to the including file; a line with
``<include>``, ``<?`` or ``X-PRE-PROCESS`` is left out, whatever else stands in it; ``$${name}`` is
replaced by a variable. Its parser then takes what XML forbids: two dashes in a comment, a bare
ampersand. A file that it may not read it leaves out, with a line in its log.
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
"""Includes in includes, as many as FreeSWITCH follows."""

Read = Callable[[Path], str]


class SwitchConfError(FreeSwitchError):
    """FreeSWITCH's configuration is not as it has to be; nothing was written."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}.")


@dataclass(frozen=True)
class Line:
    """A line of the whole configuration, and where it stands."""

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
        """Return where an element stands: ``FILE:LINE``."""
        return _line(self.lines, cast(int | None, element.sourceline) or 1).place


def whole(root: Path, read: Read) -> Whole:
    """Return a configuration as FreeSWITCH would load it.

    root
        ``freeswitch.xml``.
    read
        Returns a file's text; raises :class:`OSError`.

    Raises :class:`SwitchConfError` with file and line for what it could not load.
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
        # What lxml calls a line is one of the whole.
        reason = re.sub(r"line (\d+)", lambda found: _line(lines, int(found[1])).place, reason)
        at = _line(lines, error.lineno or 1).place
        raise SwitchConfError(at, f"it is no well-formed XML: {reason}") from error


_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def without_comments(text: str) -> str:
    """Return a text of the same length, with blanks in the place of comments."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


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
    """What one reading of a configuration carries along."""

    read: Read
    variables: dict[str, str]

    def file(self, path: Path, depth: int) -> Iterator[Line]:
        """Yield what a file comes to."""
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
                before, _, told = text.partition("<!--#")
                command, end, after = told.partition("-->")
                in_comment = not end
                yield Line(path, number, before + after)
                yield from self.obey(_hash(command), at, depth)
            else:
                yield at

    def replaced(self, text: str) -> str:
        """Return a line with the variables that are known here."""
        return re.sub(r"\$\$\{([^{}]*)\}", lambda f: self.variables.get(f[1], f[0]), text)

    def obey(self, told: tuple[str, str] | None, at: Line, depth: int) -> Iterator[Line]:
        """Do what a directive says; yield what it includes."""
        command, data = told or ("", "")
        name, given, value = data.partition("=")
        if command == "set" and given:
            self.variables[name.strip()] = value.lstrip(" ")
        elif command in ("exec-set", "env-set", "stun-set"):
            self.variables.pop(name.strip(), None)
        elif command == "include" and "$${" not in data:
            for path in self.matching(data, at):
                yield from self.file(path, depth + 1)

    def matching(self, pattern: str, at: Line) -> list[Path]:
        """Return the files that an include means, in their order."""
        # "../x" has to be the same file under the same name, since what is new is known by it.
        target = os.path.normpath(at.file.parent / pattern)
        if glob.has_magic(target):
            return [Path(name) for name in sorted(glob.glob(target))]  # noqa: PTH207  as glob(3)
        if read_if_there(Path(target), self.read) is None:
            raise SwitchConfError(at.place, f"it includes {target}, which is not there")
        return [Path(target)]


def _directive(text: str) -> tuple[str, str] | None:
    """Return command and data of a line with ``X-PRE-PROCESS``, if it is one."""
    found = re.search(r"(?P<sign>.?)x-pre-process(?P<rest>.*)", text, re.IGNORECASE)
    if not found or found["sign"] != "<":
        return None
    rest = found["rest"].partition("/>")[0]
    told = re.search(r'cmd[^=]*=[^"]*"([^"]*)".*?data[^=]*=[^"]*"([^"]*)', rest, re.IGNORECASE)
    return (told[1].lower(), told[2]) if told else None


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
