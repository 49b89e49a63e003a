"""What older schemas of the CIB do not know, written as they know it."""

from fshalib.cib import normalize
from fshalib.cib.document import Document, Element, schema

# Roles had other names before this schema, and only the new ones since the other.
_PROMOTED_SINCE, _PROMOTED_ONLY = (3, 7), (4, 0)
_ROLE_ATTRIBUTES = ("role", "rsc-role", "with-rsc-role")
_OLD_ROLES = {"Promoted": "Master", "Unpromoted": "Slave"}
# A rule that scores nothing need not say so since this schema.
_RULES_WITHOUT_SCORE = (3, 9)
_SCORED = {"score", "score-attribute", "id-ref"}


def fit_to_schema(document: Document, new: Element) -> None:
    """Spell what older and newer schemas write differently as the CIB's schema has it."""
    known = schema(document.root)
    if known == (0, 0):
        return
    for element in new.iter("*"):
        _fit_roles(element, known)
        unscored = element.tag == "rule" and not _SCORED & {*map(str, element.attrib)}
        if unscored and known < _RULES_WITHOUT_SCORE:
            element.set("score", "0")
        if "masters" in element.attrib and known >= _PROMOTED_ONLY:
            element.set("promoted-max", element.attrib.pop("masters"))


def _fit_roles(element: Element, known: tuple[int, int]) -> None:
    for name in _ROLE_ATTRIBUTES:
        text = element.get(name)
        if text is not None:
            role = normalize.value("role", text)
            if known < _PROMOTED_SINCE:
                element.set(name, _OLD_ROLES.get(role, role))
            elif known >= _PROMOTED_ONLY:
                element.set(name, role)
