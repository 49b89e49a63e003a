"""Cluster options, and the defaults of all resources and of all operations.

.. code-block:: yaml

    cib-bootstrap-options:
      pacemaker_property.present:
        - values: {stonith-enabled: false, no-quorum-policy: stop}
        - transaction: voice

    rsc-options:
      pacemaker_property.resource_defaults:
        - values: {resource-stickiness: 100}
        - transaction: voice
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_property"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def present(name, values, transaction=None):
    """Make sure that cluster options have these values; other options stay as they are.

    name
        A name for the options as a whole, as a rule ``cib-bootstrap-options``; an option in
        another set is changed there.
    values
        Option → value, or a list of sets with rules.
    transaction
        The transaction to add them to; without one they are committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "properties", {"sets": values}, transaction)


def resource_defaults(name, values, transaction=None):
    """Make sure that the defaults of all resources are exactly these.

    name
        A name for them as a whole, as a rule ``rsc-options``.
    values
        Meta attribute → value, or a list of sets with rules.
    transaction
        The transaction to add them to; without one they are committed at once.
    """
    return __states__["pacemaker_cib.staged"](
        name, "resource_defaults", {"sets": values}, transaction
    )


def operation_defaults(name, values, transaction=None):
    """Make sure that the defaults of all operations are exactly these.

    name
        A name for them as a whole, as a rule ``op-options``.
    values
        Option → value, or a list of sets with rules.
    transaction
        The transaction to add them to; without one they are committed at once.
    """
    return __states__["pacemaker_cib.staged"](
        name, "operation_defaults", {"sets": values}, transaction
    )
