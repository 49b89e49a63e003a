"""Alerts: programs that the cluster tells of events."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.state import STATE_INTERNAL_KEYWORDS

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_alert"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def _stage(kind, name, transaction, form, options):
    told = returns.spec(form, options, STATE_INTERNAL_KEYWORDS)
    return __states__["pacemaker_cib.staged"](name, kind, told, transaction)


def present(name, transaction=None, form=None, **options):
    """Make sure that an alert is configured exactly so.

    name
        The alert's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    form, options
        What it says: the keys of ``fsha:pacemaker:alerts:ID`` in docs/pillar.md, each as an
        argument or all of them as the mapping ``form``.

    .. code-block:: yaml

        to-syslog:
          pacemaker_alert.present:
            - path: /usr/share/pacemaker/alerts/alert_file.sh
            - recipients: [{value: /var/log/cluster-events}]
            - transaction: voice
    """
    return _stage("alert", name, transaction, form, options)


def absent(name, transaction=None):
    """Make sure that an alert is not configured; what refers to it goes with it.

    name
        Its id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "alert", {}, transaction, True)
