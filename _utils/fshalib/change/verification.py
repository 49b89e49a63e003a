"""What Pacemaker's own judge makes of a target: what it has against the live CIB is no news."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fshalib.cib import damage, document, obsolete, read
from fshalib.cib.document import CibError, Element
from fshalib.cib.target import Target
from fshalib.pacemaker import tools
from fshalib.pacemaker import version as pacemaker_version
from fshalib.system import programs
from fshalib.system.programs import Runner

# Where in the text of a CIB a schema's error is; a change elsewhere moves it.
_LINE = re.compile(r"^[^:]*: line [0-9]+: ")


class OldSchema(CibError):
    """The schema of the live CIB is too old for what is wanted of it."""

    def __init__(self, schema: str, errors: tuple[str, ...]) -> None:
        self.schema, self.errors = schema, errors
        super().__init__(
            f"The CIB is of the schema {schema}, which does not know all that is wanted of it: run "
            f"{obsolete.UPGRADE} first (crm_verify: {'; '.join(errors)})."
        )


class DamagedValue(CibError):
    """The installed Pacemaker would not keep a value as it is."""

    def __init__(self, owner: str, name: str, what: str, version: str) -> None:
        self.owner, self.name, self.what, self.version = owner, name, what, version
        super().__init__(f"{owner}: {name}: {damage.sentence(what, version)}")


@dataclass(frozen=True)
class Verified:
    """What ``crm_verify`` says: its warnings, and the errors that it has of the live CIB too."""

    warnings: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


def verified(target: Target, run: Runner = programs.run) -> Verified:
    """Return what ``crm_verify`` has to say of a target.

    Raises :class:`tools.InvalidCib` for errors that the live CIB has not, :class:`OldSchema` where
    its schema is the reason, :class:`programs.RunError`.
    """
    try:
        return Verified(_verify(target.root, run))
    except tools.InvalidCib as invalid:
        known = frozenset(map(_bare, _errors(target.live, run)))
        new = tuple(error for error in invalid.errors if _bare(error) not in known)
        if not new:
            return Verified(before=invalid.errors)
        if obsolete.is_old(target.live):
            raise OldSchema(target.live.get("validate-with", ""), new) from invalid
        raise tools.InvalidCib(new) from invalid


def check_values(target: Target, run: Runner = programs.run) -> None:
    """Check that Pacemaker keeps what is new in a target as it is.

    Raises :class:`DamagedValue`, :class:`programs.RunError`.
    """
    known = {text for _, _, text in _texts(target.live)}
    new = [(e, name, damage.damaged(text)) for e, name, text in _texts(target.root)
           if text not in known]  # fmt: skip
    bad = [(element, name, what) for element, name, what in new if what]
    version = pacemaker_version.installed(run) if bad else ""
    if pacemaker_version.older(version, damage.SAFE_SINCE):
        element, name, what = bad[0]
        owner = read.owning_object(element)
        raise DamagedValue("" if owner is None else read.object_name(owner), name, what, version)


def _texts(root: Element) -> Iterator[tuple[Element, str, str]]:
    for element in root.iterfind("configuration//*"):
        for name, text in element.attrib.items():
            yield element, element.get("name", "") if name == "value" else str(name), str(text)


def _verify(root: Element, run: Runner) -> tuple[str, ...]:
    # Without the status: what runs is no fault of the configuration, and crm_verify takes a
    # resource that is still active on two nodes for one.
    return tools.verify(document.render(document.configuration_only(root)), run)


def _errors(root: Element, run: Runner) -> tuple[str, ...]:
    try:
        _verify(root, run)
    except tools.InvalidCib as invalid:
        return invalid.errors
    return ()


def _bare(error: str) -> str:
    return _LINE.sub("", error)
