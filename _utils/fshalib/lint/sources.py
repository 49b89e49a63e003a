"""Where the CIB that is to be judged comes from: the cluster that runs here, or a file."""

from pathlib import Path

from fshalib.cib import document, properties
from fshalib.cib.document import Element
from fshalib.errors import ArgumentError
from fshalib.pacemaker import tools

LIVE = "live"


def cib(source: str) -> Element:
    """Return a CIB.

    source
        :data:`LIVE`, or the path of its XML.

    Raises :class:`errors.ArgumentError` for a file that can't be read, :class:`errors.LiveError`.
    """
    if source == LIVE:
        return document.parse(tools.query())
    try:
        text = Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise ArgumentError(f"{source} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ArgumentError(f"{source} is no XML: {error}.") from error
    return document.parse(text)


def new_names(root: Element) -> bool:
    """Tell whether the Pacemaker that is to read a CIB knows the new names of properties.

    Without a feature set in the CIB it is the one whose tools are on this host. Where there are
    none, a new one is assumed.

    Raises :class:`errors.RunError`.
    """
    known = properties.knows_new_names(root)
    version = tools.version() if known is None else None
    return known is not False and (version is None or version >= properties.NEW_NAMES_IN)
