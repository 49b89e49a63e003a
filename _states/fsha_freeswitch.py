"""Files of a node for FreeSWITCH: password, repository token, settings of the init script."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Any

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns
from fshalib.pillar import once
from fshalib.schema.report import ConfigErrors

if TYPE_CHECKING:
    __pillar__: dict[str, Any]
    __states__: dict[str, Any]

__virtualname__ = "fsha_freeswitch"


def __virtual__():
    """Load always."""
    return __virtualname__


def password(name, pillar="fsha"):
    """Make sure that a file holds the Event Socket's password, readable by root only.

    name
        The file.
    pillar
        The pillar's top-level key; the password is at ``freeswitch:password`` below it. It is in
        no rendered SLS, which Salt logs at level debug.

    .. code-block:: yaml

        /etc/fsha/event_socket.password:
          fsha_freeswitch.password: []
    """
    try:
        secret = once.checked(__pillar__.get(pillar)).freeswitch.password
    except ConfigErrors as error:
        return returns.failed(name, str(error))
    if secret is None:
        return returns.failed(name, f"{pillar}:freeswitch:password: this key is missing.")
    return __states__["file.managed"](
        name,
        contents=secret,
        mode="0400",
        makedirs=True,
        dir_mode="0700",
        show_changes=False,
    )


def repository_token(name, url, pillar="fsha"):
    """Make sure that apt has the token for FreeSWITCH's repository, readable by root only.

    name
        The file, below ``/etc/apt/auth.conf.d``.
    url
        The repository.
    pillar
        The pillar's top-level key; the token is at ``freeswitch:install:token`` below it.

    .. code-block:: yaml

        /etc/apt/auth.conf.d/freeswitch.conf:
          fsha_freeswitch.repository_token:
            - url: https://freeswitch.signalwire.com/repo/deb/debian-release/
    """
    try:
        install = once.checked(__pillar__.get(pillar)).freeswitch.install or {}
    except ConfigErrors as error:
        return returns.failed(name, str(error))
    token = install.get("token")
    if not token:
        return returns.unchanged(name, "No token is given; the repository is asked without one.")
    host = url.partition("://")[2].partition("/")[0]
    return __states__["file.managed"](
        name,
        contents=f"machine {host} login signalwire password {token}",
        mode="0600",
        show_changes=False,
    )


def settings(name, source, pillar="fsha"):
    """Make sure that the init script's settings are those of the pillar.

    name
        The file, ``/etc/default/FSSofia``.
    source
        Its template.
    pillar
        The pillar's top-level key. Without floating addresses in the pillar, the settings have
        those of the group with the profiles.

    .. code-block:: yaml

        /etc/default/FSSofia:
          fsha_freeswitch.settings:
            - source: salt://fsha/files/FSSofia.default.jinja
    """
    try:
        config = once.checked(__pillar__.get(pillar))
    except ConfigErrors as error:
        return returns.failed(name, str(error))
    told = dataclasses.asdict(config.freeswitch)
    for other in ("password", "install", "configuration", "service"):
        told.pop(other)
    return __states__["file.managed"](
        name, source=source, template="jinja", mode="0644", makedirs=True, context=told
    )
