"""Permanent attributes and capacities of nodes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_node"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def _stage(kind, name, transaction, form, options):
    told = returns.spec(form, options, STATE_INTERNAL_KEYWORDS)
    return __states__["pacemaker_cib.staged"](name, kind, told, transaction)


def attributes(name, transaction=None, form=None, **options):
    """Make sure that a node has these permanent attributes and capacities.

    Attributes that are not named, or that others have set (``standby``), are left alone.

    name
        The node's name.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:nodes:NODE`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        fs1:
          pacemaker_node.attributes:
            - attributes: {site: east}
            - transaction: voice
    """
    return _stage("node", name, transaction, form, options)
