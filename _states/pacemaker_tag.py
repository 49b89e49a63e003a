"""Tags: names for several objects at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_tag"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def present(name, transaction=None, spec=None, **options):
    """Make sure that a tag is configured exactly so.

    name
        The tag's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:tags:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        voice:
          pacemaker_tag.present:
            - references: [ip_shared, fs]
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "tag", spec, transaction, options=options)


def absent(name, transaction=None):
    """Make sure that a tag is not configured; references to it are removed too.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "tag", transaction=transaction, absent=True)
