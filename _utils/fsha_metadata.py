"""What a resource agent says of itself: its metadata, read with lxml.

In a module of its own, so that input can be checked where lxml is not there yet.

Facts: the OCF Resource Agent API 1.0 and 1.1. Agents of the field depart from it: ``required``
and ``unique`` are written ``1``, ``true`` or ``yes`` (``unique-group`` in 1.1), a type may be
missing or stand in capitals, a parameter may be named twice, text may surround the document.
"""

from lxml import etree

from fsha_config import AgentMetadata, Parameter
from fsha_units import TRUE_WORDS


class MetadataError(ValueError):
    """Text is not the metadata of a resource agent."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The resource agent's metadata cannot be read: {reason}.")


def parse_metadata(xml: str) -> AgentMetadata:
    """Read an agent's metadata.

    xml
        What ``crm_resource --show-metadata AGENT`` printed. Entities are not resolved, nothing
        is fetched, and what precedes or follows the document is passed over.

    Raises :class:`MetadataError`.
    """
    root = _root(xml)
    parameters: dict[str, Parameter] = {}
    for element in root.iterfind(".//parameters/parameter"):
        name = (element.get("name") or "").strip()
        if name:
            # The first one counts; some agents name a parameter again as an obsolete one.
            parameters.setdefault(name, _parameter(element))
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


def _parameter(element: etree._Element) -> Parameter:
    content = element.find("content")
    kind = None if content is None else content.get("type")
    return Parameter(
        required=_true(element.get("required")),
        unique=_true(element.get("unique")) or bool(element.get("unique-group")),
        type=(kind or "string").lower(),
        default=None if content is None else content.get("default"),
    )


def _true(text: str | None) -> bool:
    return text is not None and text.strip().lower() in TRUE_WORDS
