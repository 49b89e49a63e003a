"""Constraints: where resources prefer, or refuse, to run.

.. code-block:: yaml

    voice-prefers-fs1:
      pacemaker_constraint.location:
        - resource: VoiceServices
        - node: fs1
        - score: 50
        - transaction: voice
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_constraint"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def location(name, resource, node=None, score=None, rules=None, transaction=None):
    """Make sure that a location constraint is configured exactly so.

    name
        The constraint's id.
    resource
        The id of the primitive or group.
    node, score
        A node and how much the resource likes it: a number, ``INFINITY`` or ``-INFINITY``.
    rules
        Instead of node and score: a list of ``{score, expression, id}``, as
        ``{score: 50, expression: "#uname eq fs1"}``.
    transaction
        The transaction to add it to; without one it is committed at once.
    """
    spec = {"id": name, "resource": resource, "node": node, "score": score, "rules": rules or []}
    return __states__["pacemaker_cib.staged"](name, "location", spec, transaction)


def absent(name, transaction=None):
    """Make sure that a constraint is not configured.

    name
        The constraint's id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "location", {"id": name}, transaction, True)
