"""Read the metadata of a resource agent, with lxml.

Its types are in ``fshalib.pacemaker.agent``: the pillar check runs before lxml is installed.

Facts: the OCF Resource Agent API 1.0 and 1.1. Real agents depart from it: ``required`` and
``unique`` are written ``1``, ``true`` or ``yes`` (``unique-group`` in 1.1), a type may be missing
or in capitals, a parameter may occur twice, and text may surround the document.
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
    """The metadata of an agent can't be read."""

    def __init__(self, agent: str, reason: Exception) -> None:
        self.agent, self.reason = agent, reason
        super().__init__(f"{agent}: {reason}")


def ask(agent: str, run: Runner = programs.run) -> AgentMetadata | None:
    """Return the metadata of an installed agent; ``None`` if it is not installed.

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
        The output of ``crm_resource --show-metadata AGENT``. Entities are not resolved, nothing is
        fetched, and text around the document is ignored.

    Raises :class:`MetadataError`.
    """
    root = _root(xml)
    elements: dict[str, etree._Element] = {}
    for element in root.iterfind(".//parameters/parameter"):
        name = (element.get("name") or "").strip()
        if name:
            # The first one counts; some agents repeat a parameter as an obsolete one.
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
    by_new: dict[str, tuple[str, ...]] = {}
    for name, element in elements.items():
        old = element.get("obsoletes")
        names = [(name, old)] if old else []
        names += [(e.get("name", ""), name) for e in element.iterfind("deprecated/replaced-with")]
        for new, older in names:
            by_new[new] = (*by_new.get(new, ()), older)
    return by_new


def _parameter(element: etree._Element, older: tuple[str, ...]) -> Parameter:
    content = element.find("content")
    kind = None if content is None else content.get("type")
    options = () if content is None else content.findall("option")
    return Parameter(
        # A replaced parameter is not required, even if the agent marks it so.
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
