"""Fencing levels: which devices are tried for which node. Devices are resources."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_fencing"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def _stage(kind, name, transaction, form, options):
    told = returns.spec(form, options, STATE_INTERNAL_KEYWORDS)
    return __states__["pacemaker_cib.staged"](name, kind, told, transaction)


def level(name, transaction=None, form=None, **options):
    """Make sure that a fencing level is configured exactly so.

    name
        The level's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:fencing_levels:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        fence-fs1-first:
          pacemaker_fencing.level:
            - target: fs1
            - index: 1
            - devices: [ipmi-fs1]
            - transaction: voice
    """
    return _stage("fencing_level", name, transaction, form, options)


def absent(name, transaction=None):
    """Make sure that a fencing level is not configured; what refers to it goes with it.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "fencing_level", {}, transaction, True)
