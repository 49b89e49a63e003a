"""Alerts: programs that the cluster runs on events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_alert"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def present(name, transaction=None, spec=None, **options):
    """Make sure that an alert is configured exactly so.

    name
        The alert's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:alerts:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        to-syslog:
          pacemaker_alert.present:
            - path: /usr/share/pacemaker/alerts/alert_file.sh
            - recipients: [{value: /var/log/cluster-events}]
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "alert", spec, transaction, options=options)


def absent(name, transaction=None):
    """Make sure that an alert is not configured; references to it are removed too.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "alert", transaction=transaction, absent=True)
