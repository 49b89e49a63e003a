"""The target of a run: the live CIB with the desired objects merged in.

Ids, order, and all that the operator or the cluster itself wrote stay. So the patch between the
two is nothing but the change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from fshalib.cib import shared_nvsets
from fshalib.cib.compare import Defaults, removal_of, removals
from fshalib.cib.document import (
    Document,
    Element,
    render,
)
from fshalib.cib.kinds import ONE_IDS
from fshalib.cib.leaving import copy_without_leaving
from fshalib.cib.merge import merge
from fshalib.cib.objects import Object
from fshalib.cib.ownership import (
    OPERATOR_CONSTRAINT,
    left_behind,
    manageable,
    own,
    owned_ids,
    to_own,
)
from fshalib.cib.references import UnknownReference, dangling, remove_hollow, remove_object

PROPERTY_SET = ONE_IDS["properties"]


@dataclass(frozen=True)
class DesiredObjects:
    """The objects that a run desires in the CIB.

    objects
        Must exist, exactly as they are here.
    absent
        Ids of objects to remove.
    complete
        Whether ``objects`` is all that the formula manages; then other objects that it managed
        before are removed too.
    purge
        Whether other people's objects are removed as well.
    """

    objects: tuple[Object, ...] = ()
    absent: tuple[str, ...] = ()
    complete: bool = False
    purge: bool = False


@dataclass(frozen=True)
class Target:
    """The CIB that a run desires, beside the one it started from.

    ``changes`` is object → path → ``{"old": …, "new": …}``. ``drifted`` are the changed objects
    that fsha had set before, ``removed`` those that go, ``unmanaged`` other people's objects.
    """

    live: Element
    root: Element
    changes: Mapping[str, Mapping[str, Mapping[str, Any]]]
    drifted: tuple[str, ...]
    unmanaged: tuple[str, ...]
    removed: tuple[str, ...] = ()

    @cached_property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        if self.changes:
            return False
        # Only the configuration can differ.
        mine, theirs = (cast(Element, r.find("configuration")) for r in (self.root, self.live))
        return render(mine) == render(theirs)


def unmanaged(document: Document, desired: DesiredObjects) -> tuple[str, ...]:
    """Return the ids of objects that neither the pillar names nor fsha manages.

    An operator's bans and moves are not among them: fsha reports them, and never purges them.
    """
    known = {item.id for item in desired.objects} | owned_ids(document) | set(desired.absent)
    return tuple(
        id for id in manageable(document) if id not in known and not OPERATOR_CONSTRAINT.match(id)
    )


def target(live: Element, desired: DesiredObjects, defaults: Defaults | None = None) -> Target:
    """Return the CIB that a run desires, with the difference for people.

    live
        The live CIB; it is not changed.
    desired
        See :class:`DesiredObjects`.
    defaults
        Returns the defaults of an agent's parameters; called only if they count.

    Raises :class:`CibError`.
    """
    document = Document(copy_without_leaving(live))
    before = owned_ids(document)
    present = manageable(document)
    names = {item.id for item in desired.objects}
    others = unmanaged(document, desired)
    gone = set(desired.absent) | (before if desired.complete else set())
    gone |= set(others) if desired.purge else set()
    gone -= names
    going = [id for id in present if id in gone]
    described = {id: removal_of(document, id) for id in going}
    objects = list(desired.objects)
    objects += left_behind(document, objects, before) if desired.complete else []
    delta = merge(document, objects, defaults, leaving=going)
    for id in going:
        remove_object(document, id)
    remove_hollow(document)
    for owner, id in dangling(document):
        if (owner, id) not in dangling(Document(live)):
            raise UnknownReference(owner, id)
    left = frozenset(manageable(document))
    removed = tuple(id for id in present if id not in left)
    ours = to_own(document, desired.objects)
    kept = ours if desired.complete else (before & frozenset(document.ids())) | ours
    own(document, kept - frozenset(removed))
    delta |= removals(live, removed, described)
    return Target(
        live=live,
        root=document.root,
        changes=delta,
        drifted=tuple(id for id in delta if _is_drift(id, objects, before, others)),
        unmanaged=others,
        removed=removed,
    )


def _is_drift(
    id: str, objects: Iterable[Object], before: frozenset[str], others: Sequence[str]
) -> bool:
    """Tell whether a change is in something that the formula had set before."""
    sets = {o.id for o in objects if o.kind in shared_nvsets.PAIRED}
    return id in before or id in others or (id in sets and bool(before))
