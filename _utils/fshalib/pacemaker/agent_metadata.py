"""What a resource agent says of itself: its metadata, read with lxml.

In a module of its own, so that input can be checked where lxml is not there yet.

Facts: the OCF Resource Agent API 1.0 and 1.1. Agents of the field depart from it: ``required``
and ``unique`` are written ``1``, ``true`` or ``yes`` (``unique-group`` in 1.1), a type may be
missing or stand in capitals, a parameter may be named twice, text may surround the document.
"""

from collections.abc import Mapping

from lxml import etree

from fshalib.cib.values import TRUE_WORDS
from fshalib.errors import FshaError
from fshalib.pacemaker import tools
from fshalib.pacemaker.agent import AgentMetadata, Parameter
from fshalib.system import programs
from fshalib.system.programs import Runner


class MetadataError(FshaError, ValueError):
    """Text is not the metadata of a resource agent."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The resource agent's metadata cannot be read: {reason}.")


class AgentError(programs.RunError):
    """An agent can't be asked about itself."""

    def __init__(self, agent: str, reason: Exception) -> None:
        self.agent, self.reason = agent, reason
        super().__init__(f"{agent}: {reason}")


def ask(agent: str, run: Runner = programs.run) -> AgentMetadata | None:
    """Return what an installed agent says of itself; ``None`` when it is not installed.

    agent
        Its name, ``ocf:heartbeat:IPaddr2``.

    Raises :class:`AgentError`.
    """
    try:
        text = tools.metadata(agent, run)
        return None if text is None else parse_metadata(text)
    except (programs.RunError, MetadataError) as error:
        raise AgentError(agent, error) from error


def parse_metadata(xml: str) -> AgentMetadata:
    """Read an agent's metadata.

    xml
        What ``crm_resource --show-metadata AGENT`` printed. Entities are not resolved, nothing
        is fetched, and what precedes or follows the document is passed over.

    Raises :class:`MetadataError`.
    """
    root = _root(xml)
    elements: dict[str, etree._Element] = {}
    for element in root.iterfind(".//parameters/parameter"):
        name = (element.get("name") or "").strip()
        if name:
            # The first one counts; some agents name a parameter again as an obsolete one.
            elements.setdefault(name, element)
    older = _older(elements)
    parameters = {name: _parameter(e, older.get(name, ())) for name, e in elements.items()}
    actions = [element.get("name", "") for element in root.iterfind(".//actions/action")]
    return AgentMetadata(parameters, tuple(dict.fromkeys(name for name in actions if name)))


def _root(xml: str) -> etree._Element:
    start, end = xml.find("<resource-agent"), xml.rfind("</resource-agent>")
    if start < 0 or end < start:
        raise MetadataError("there is no <resource-agent> in it")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    document = xml[start : end + len("</resource-agent>")]
    try:
        return etree.fromstring(document.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as wrong:
        raise MetadataError(f"line {wrong.lineno or 1} is not well-formed XML") from None


def _older(elements: Mapping[str, etree._Element]) -> dict[str, tuple[str, ...]]:
    """Return the deprecated names of parameters, by the name that replaces them.

    Fencing agents write ``obsoletes`` beside the new name, OCF 1.1 ``replaced-with`` below the
    old one.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name, element in elements.items():
        old = element.get("obsoletes")
        pairs = [(name, old)] if old else []
        pairs += [(e.get("name", ""), name) for e in element.iterfind("deprecated/replaced-with")]
        for new, older in pairs:
            found[new] = (*found.get(new, ()), older)
    return found


def _parameter(element: etree._Element, older: tuple[str, ...]) -> Parameter:
    content = element.find("content")
    kind = None if content is None else content.get("type")
    options = () if content is None else content.findall("option")
    return Parameter(
        # What is replaced by another one is not required, whatever the agent says.
        required=_true(element.get("required")) and not _deprecated(element),
        unique=_unique(element),
        type=(kind or "string").lower(),
        default=None if content is None else content.get("default"),
        options=tuple(option.get("value", "") for option in options),
        older=older,
    )


def _deprecated(element: etree._Element) -> bool:
    return _true(element.get("deprecated")) or element.find("deprecated") is not None


def _unique(element: etree._Element) -> str:
    own = element.get("name", "") if _true(element.get("unique")) else ""
    return element.get("unique-group") or own


def _true(text: str | None) -> bool:
    return text is not None and text.strip().lower() in TRUE_WORDS
