"""Fencing levels: which devices are tried for which node. Devices are resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_fencing"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def level(name, transaction=None, spec=None, **options):
    """Make sure that a fencing level is configured exactly so.

    name
        The level's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:fencing_levels:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        fence-fs1-first:
          pacemaker_fencing.level:
            - target: fs1
            - index: 1
            - devices: [ipmi-fs1]
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](
        name, "fencing_level", spec, transaction, options=options
    )


def absent(name, transaction=None):
    """Make sure that a fencing level is not configured; references to it are removed too.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](
        name, "fencing_level", transaction=transaction, absent=True
    )
