"""Permanent attributes and capacities of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_node"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def attributes(name, transaction=None, spec=None, **options):
    """Make sure that a node has these permanent attributes and capacities.

    Attributes that are not named, or that others have set (``standby``), stay as they are.

    name
        The node's name.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:nodes:NODE`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        fs1:
          pacemaker_node.attributes:
            - attributes: {site: east}
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "node", spec, transaction, options=options)
