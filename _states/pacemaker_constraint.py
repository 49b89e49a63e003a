"""Constraints: where resources run, with what, in which order, and with which ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_constraint"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def location(name, transaction=None, spec=None, **options):
    """Make sure that a location constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:locations:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        voice-prefers-fs1:
          pacemaker_constraint.location:
            - resource: VoiceServices
            - node: fs1
            - score: 50
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "location", spec, transaction, options=options)


def colocation(name, transaction=None, spec=None, **options):
    """Make sure that a colocation constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:colocations:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        fs-with-vip:
          pacemaker_constraint.colocation:
            - resource: fs
            - with: ip_shared
            - score: INFINITY
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](
        name, "colocation", spec, transaction, options=options
    )


def order(name, transaction=None, spec=None, **options):
    """Make sure that an order constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:orders:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        vip-before-fs:
          pacemaker_constraint.order:
            - first: ip_shared
            - then: fs
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "order", spec, transaction, options=options)


def ticket(name, transaction=None, spec=None, **options):
    """Make sure that a ticket constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:tickets:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        voice-at-site-a:
          pacemaker_constraint.ticket:
            - ticket: site-a
            - resource: VoiceServices
            - loss-policy: stop
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "ticket", spec, transaction, options=options)


def absent(name, transaction=None):
    """Make sure that a constraint is not configured; references to it are removed too.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](
        name, "location", transaction=transaction, absent=True
    )
