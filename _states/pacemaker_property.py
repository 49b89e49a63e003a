"""Cluster options, and the defaults of all resources.

.. code-block:: yaml

    cib-bootstrap-options:
      pacemaker_property.present:
        - values: {stonith-enabled: false, no-quorum-policy: ignore}
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
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def present(name, values, transaction=None):
    """Make sure that cluster options have these values; options not named are left alone.

    name
        The id of the property set, as a rule ``cib-bootstrap-options``.
    values
        Option → value.
    transaction
        The transaction to add them to; without one they are committed at once.
    """
    spec = {"id": name, "values": values}
    return __states__["pacemaker_cib.staged"](name, "properties", spec, transaction)


def resource_defaults(name, values, transaction=None):
    """Make sure that the defaults of all resources are exactly these.

    name
        The id of the set, used when the cluster has none yet.
    values
        Meta attribute → value.
    transaction
        The transaction to add them to; without one they are committed at once.
    """
    spec = {"id": name, "values": values}
    return __states__["pacemaker_cib.staged"](name, "resource_defaults", spec, transaction)
