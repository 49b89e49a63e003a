"""FreeSWITCH's settings for a pair, in fragments that the user's own files include."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "freeswitch_config"


def __virtual__():
    """Load always."""
    return __virtualname__


def managed(name, pillar="fsha", patience=60):
    """Make sure that FreeSWITCH has the settings that a pair needs, and that its files load.

    name
        FreeSWITCH's configuration, ``/etc/freeswitch``.
    pillar
        The pillar's top-level key; the settings are at ``freeswitch:configuration`` below it.
        They have passwords, so they are in no rendered SLS.
    patience
        Seconds to wait until the other nodes have the same configuration.

    See ``freeswitch.configure``.

    .. code-block:: yaml

        /etc/freeswitch:
          freeswitch_config.managed: []
    """
    test = __opts__["test"]
    if "freeswitch.configure" not in __salt__:
        if test:
            return returns.not_yet(name, "lxml is not here yet; would look at it then.")
        return returns.failed(name, "FreeSWITCH can't be configured before lxml is in place.")
    done = __salt__["freeswitch.configure"](name, pillar=pillar, patience=patience, test=test)
    return _told(name, done)


def absent(name, directory=None, pillar="fsha", patience=60):
    """Make sure that FreeSWITCH's configuration holds nothing of the formula's.

    name
        Free to choose.
    directory
        FreeSWITCH's configuration; without it, each that this node has had configured, and
        ``/etc/freeswitch``.
    pillar, patience
        As for :func:`managed`.

    See ``freeswitch.unconfigure``.

    .. code-block:: yaml

        fsha-gone:
          freeswitch_config.absent: []
    """
    if "freeswitch.unconfigure" not in __salt__:
        if __opts__["test"]:
            return returns.not_yet(name, "lxml is not here yet; would look at it then.")
        return returns.failed(name, "FreeSWITCH's configuration can't be read without lxml.")
    done = __salt__["freeswitch.unconfigure"](
        directory, pillar=pillar, patience=patience, test=__opts__["test"]
    )
    return _told(name, done)


def _told(name: str, done: dict[str, Any]) -> dict[str, Any]:
    """Return what a verb has done as a state does."""
    test = __opts__["test"]
    if done["result"] is False:
        return returns.failed(name, done["comment"], done["changes"])
    if not done["changes"]:
        told = returns.not_yet if done["result"] is None else returns.unchanged
        return told(name, done["comment"])
    return returns.changed(name, done["changes"], done["comment"], test=test)
