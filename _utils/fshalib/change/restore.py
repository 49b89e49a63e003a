"""The target that brings a configuration back to an earlier one."""

from collections.abc import Iterable, Mapping

from fshalib.cib import shared_nvsets
from fshalib.cib.compare import owned_names, removal_of, removals, without_operators
from fshalib.cib.document import (
    OWNERSHIP_TAG,
    CibError,
    Document,
    Element,
)
from fshalib.cib.element_schema import OTHER
from fshalib.cib.kinds import KINDS, normal
from fshalib.cib.leaving import copy_without_leaving
from fshalib.cib.merge import merge
from fshalib.cib.objects import Object
from fshalib.cib.ownership import OPERATOR_CONSTRAINT, OPERATOR_OPTIONS, manageable, own, owned_ids
from fshalib.cib.read import locate, read, read_all, strangers
from fshalib.cib.references import remove_hollow, remove_object
from fshalib.cib.target import Target


class CannotRestore(CibError):
    """An earlier configuration holds, or lacks, what no object can express."""

    def __init__(self, lost: tuple[str, ...]) -> None:
        self.lost = lost
        super().__init__(
            f"This configuration can't be restored object by object, for it differs in what the "
            f"formula cannot express: {'; '.join(lost)}. Change that by hand first."
        )


def restored(live: Element, point: Element) -> Target:
    """Return the target that brings a configuration back to an earlier one.

    What operators do on purpose (standby, maintenance, target-role, bans) stays as it is now.

    live, point
        The trees of the CIB as it is and as it was; neither is changed.

    Raises :class:`CibError`.
    """
    point = copy_without_leaving(point)
    document, then = Document(copy_without_leaving(live)), Document(point)
    _refuse_what_is_lost(document, then)
    items = [
        _without_their_settings(document, then, item)
        for item in read_all(point)
        if not _is_operators(item.id) and not _has_left(document, item)
    ]
    items += _said_since(document, items)
    present = manageable(document)
    wanted = {item.id for item in items}
    going = [id for id in present if id not in wanted and not _is_operators(id)]
    described = {id: removal_of(document, id) for id in going}
    found = merge(document, items, None, _options(document))
    for id in going:
        remove_object(document, id)
    remove_hollow(document)
    left = frozenset(manageable(document))
    removed = tuple(id for id in present if id not in left)
    own(document, _owned_again(document, then, items) & frozenset(document.ids()))
    found |= removals(live, removed, described)
    return Target(live, document.root, found, (), (), removed)


_OPERATOR_PAIRS: Mapping[str, tuple[str, frozenset[str]]] = {
    "properties": ("sets", OPERATOR_OPTIONS),
    "node": ("attributes", frozenset({"standby", "maintenance"})),
}


def _said_since(document: Document, items: Iterable[Object]) -> list[Object]:
    """Return, as empty, the objects that stay but of which an earlier CIB said nothing."""
    known = {(item.kind, item.id) for item in items}
    return [
        Object(item.kind, item.id)
        for item in read_all(document.root)
        if item.kind in shared_nvsets.PAIRED and (item.kind, item.id) not in known
    ]


def _options(document: Document) -> frozenset[str]:
    """Return the ids of all single options, and of their sets with rules, but for operators'."""
    sections = [KINDS[kind].section for kind in shared_nvsets.PAIRED]
    theirs = frozenset().union(*(names for _, names in _OPERATOR_PAIRS.values()))
    return frozenset(
        child.get("id", "")
        for section in document.configuration.iterchildren(*sections)
        for child in section.iter("*")
        if child.get("name") not in theirs or child.tag != "nvpair"
    )


def _refuse_what_is_lost(document: Document, then: Document) -> None:
    """Refuse to go back to what no object can express, unless it is still there as it was."""
    now = {(item.kind, item.id): normal(item) for item in read_all(document.root)}
    lost = [
        f"{item.id}: {', '.join(item.spec[OTHER])}"
        for item in read_all(then.root)
        if item.spec.get(OTHER) and now.get((item.kind, item.id)) != normal(item)
    ]
    lost += [what for what in strangers(then.root) if what not in strangers(document.root)]
    lost += [what for what in strangers(document.root) if what not in strangers(then.root)]
    if lost:
        raise CannotRestore(tuple(lost))


def _has_left(document: Document, item: Object) -> bool:
    """Tell whether an object is a node that is no longer there: only the cluster adds nodes."""
    return item.kind == "node" and locate(document, KINDS["node"], item.id) is None


def _without_their_settings(document: Document, then: Document, item: Object) -> Object:
    """Return an object of an earlier CIB without what operators had set in it at that time.

    What is there no longer comes back as it was; what the formula had set is no operator's.
    """
    if read(document, item) is None:
        return item
    if item.kind not in _OPERATOR_PAIRS:
        bare = Object(item.kind, item.id)
        return without_operators(item, bare) if "meta" in item.spec else item
    key, names = _OPERATOR_PAIRS[item.kind]
    names -= owned_names(locate(then, KINDS[item.kind], item.id), owned_ids(then))
    return item.with_sets(key, item.sets(key).without(names))


def _owned_again(document: Document, then: Document, items: Iterable[Object]) -> frozenset[str]:
    """Return what was owned: objects by their ids, single options by their names."""
    before = owned_ids(then)
    found = set(before)
    for item in items:
        if item.kind in shared_nvsets.PAIRED:
            names = owned_names(locate(then, KINDS[item.kind], item.id), before)
            element = locate(document, KINDS[item.kind], item.id)
            pairs = () if element is None else element.iter("nvpair")
            found |= {pair.get("id", "") for pair in pairs if pair.get("name") in names}
    return frozenset(found)


def _is_operators(id: str) -> bool:
    return id == OWNERSHIP_TAG or OPERATOR_CONSTRAINT.match(id) is not None
