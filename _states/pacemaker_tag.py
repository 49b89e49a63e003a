"""Tags: names for several objects at once."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_tag"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def _stage(kind, name, transaction, form, options):
    told = returns.spec(form, options, STATE_INTERNAL_KEYWORDS)
    return __states__["pacemaker_cib.staged"](name, kind, told, transaction)


def present(name, transaction=None, form=None, **options):
    """Make sure that a tag is configured exactly so.

    name
        The tag's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:tags:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        voice:
          pacemaker_tag.present:
            - references: [ip_shared, fs]
            - transaction: voice
    """
    return _stage("tag", name, transaction, form, options)


def absent(name, transaction=None):
    """Make sure that a tag is not configured; what refers to it goes with it.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "tag", {}, transaction, True)
