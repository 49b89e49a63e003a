"""Write an element in the words of the CIB's own, older or newer, schema."""

from fshalib.cib import normalize
from fshalib.cib.document import Document, Element, schema

# The first schema with the new names of roles, and the first without the old ones.
_PROMOTED_SINCE, _PROMOTED_ONLY = (3, 7), (4, 0)
_ROLE_ATTRIBUTES = ("role", "rsc-role", "with-rsc-role")
_OLD_ROLES = {"Promoted": "Master", "Unpromoted": "Slave"}
# The first schema in which a rule needs no score.
_RULES_WITHOUT_SCORE = (3, 9)
_SCORED = {"score", "score-attribute", "id-ref"}


def fit_to_schema(document: Document, new: Element) -> None:
    """Change an element's roles, rules and attributes to those of the CIB's schema."""
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
