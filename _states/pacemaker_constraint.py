"""Constraints: where resources run, with what, in which order, and with which ticket."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_constraint"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def _stage(kind, name, transaction, form, options):
    told = returns.spec(form, options, STATE_INTERNAL_KEYWORDS)
    return __states__["pacemaker_cib.staged"](name, kind, told, transaction)


def location(name, transaction=None, form=None, **options):
    """Make sure that a location constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:locations:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        voice-prefers-fs1:
          pacemaker_constraint.location:
            - resource: VoiceServices
            - node: fs1
            - score: 50
            - transaction: voice
    """
    return _stage("location", name, transaction, form, options)


def colocation(name, transaction=None, form=None, **options):
    """Make sure that a colocation constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:colocations:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        fs-with-vip:
          pacemaker_constraint.colocation:
            - resource: fs
            - with: ip_shared
            - score: INFINITY
            - transaction: voice
    """
    return _stage("colocation", name, transaction, form, options)


def order(name, transaction=None, form=None, **options):
    """Make sure that an order constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:orders:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        vip-before-fs:
          pacemaker_constraint.order:
            - first: ip_shared
            - then: fs
            - transaction: voice
    """
    return _stage("order", name, transaction, form, options)


def ticket(name, transaction=None, form=None, **options):
    """Make sure that a ticket constraint is configured exactly so.

    name
        The constraint's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:tickets:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        voice-at-site-a:
          pacemaker_constraint.ticket:
            - ticket: site-a
            - resource: VoiceServices
            - loss-policy: stop
            - transaction: voice
    """
    return _stage("ticket", name, transaction, form, options)


def absent(name, transaction=None):
    """Make sure that a constraint is not configured; what refers to it goes with it.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "location", {}, transaction, True)
