"""The recovery store of the pair: a PostgreSQL on each node, replicated both ways.

It has the rows from which the other node recovers calls and knows registrations. Its part of the
pillar is ``fsha:recovery_store``; docs/freeswitch.md explains it.

:depends: PostgreSQL 15 or later, installed by the formula
"""

from __future__ import annotations

import importlib
import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib import errors
from fshalib.freeswitch.event_socket import Access
from fshalib.pillar import once
from fshalib.schema import arguments
from fshalib.store import config as store_config
from fshalib.store import health, installing, server, setup

if TYPE_CHECKING:
    __grains__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]

__virtualname__ = "recovery_store"

AUTHKEY = Path("/etc/corosync/authkey")
_salts_errors = arguments.verb(CommandExecutionError, SaltInvocationError)


def __virtual__():
    """Load always: PostgreSQL may be installed within a run."""
    return __virtualname__


@_salts_errors
def status():
    """Return what this node finds of the pair's stores: a list of ``level`` and ``text``.

    CLI Example:

    .. code-block:: bash

        salt-call --local recovery_store.status
    """
    return [finding.as_data() for finding in health.look(store_config.load())]


@_salts_errors
@arguments.typed(pillar=arguments.NAME, test=arguments.FLAG)
def set_up(pillar="fsha", test=None):
    """Make this node's store as the pillar wants it: files, server, tables, publications, keeper.

    pillar
        The pillar's top-level key.
    test
        Only tell what would be changed; without it, as the minion is set.

    Returns ``changes``, without secrets, and ``restarted``. The peer is not needed; see
    :func:`status` for how the two are joined.

    CLI Example:

    .. code-block:: bash

        salt 'fs*' recovery_store.set_up test=True
    """
    testing = __opts__.get("test") if test is None else test
    wanted = setup.plan(_wish(once.checked(__pillar__.get(pillar))), _authkey(), server.newest())
    done = setup.changes(wanted) if testing else setup.apply(wanted)
    return {"changes": {k: dict(v) for k, v in done.changes.items()}, "restarted": done.restarted}


@_salts_errors
@arguments.typed(pillar=arguments.NAME, test=arguments.FLAG)
def tear_down(pillar="fsha", test=None):
    """Take this node's store away, with the rows in it. A switch must not use it any more.

    pillar
        The pillar's top-level key.
    test
        Only tell what would be taken away; without it, as the minion is set.

    Returns the paths.

    CLI Example:

    .. code-block:: bash

        salt-call --local recovery_store.tear_down test=True
    """
    testing = __opts__.get("test") if test is None else test
    switch = once.checked(__pillar__.get(pillar)).freeswitch.service
    return list(installing.left(switch) if testing else installing.remove(switch))


def _wish(config: Any) -> setup.Wish:
    name = __grains__["nodename"]
    own = [node for node in config.nodes if node.name == name]
    peers = [node for node in config.nodes if node.name != name]
    if len(own) != 1 or len(peers) != 1:
        known = ", ".join(node.name for node in config.nodes)
        raise errors.StoreError(
            f"this node is {name}, and fsha:nodes has {known}: two are expected"
        )
    switch, store = config.freeswitch, config.recovery_store
    install = switch.install or {}
    prefix = install.get("prefix", "") if install.get("method") == "prefix" else ""
    access = Access(switch.fs_cli, switch.host, switch.port, switch.password_file)
    return setup.Wish(
        node=name, number=own[0].id, addresses=_bare(own[0]), peer=peers[0].name,
        peer_number=peers[0].id, peer_addresses=_bare(peers[0]), port=store.port,
        keep_megabytes=store.keep_megabytes, vips=switch.vips, switch=switch.service,
        access=access, prefix=prefix,
    )  # fmt: skip


def _bare(node: Any) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_interface(address).ip) for address in node.addresses)


def _authkey() -> bytes:
    try:
        return AUTHKEY.read_bytes()
    except OSError as error:
        raise errors.StoreError(
            f"{AUTHKEY}: {error.strerror}; the store's password comes from corosync's key"
        ) from error
