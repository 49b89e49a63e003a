"""Primitives and groups in a Pacemaker cluster.

.. code-block:: yaml

    ip_shared:
      pacemaker_resource.present:
        - agent: ocf:heartbeat:IPaddr2
        - params: {ip: 10.101.20.219, nic: eth0, cidr_netmask: 24}
        - operations: [{name: monitor, interval: 5s, timeout: 20s}]
        - transaction: voice

    VoiceServices:
      pacemaker_resource.present:
        - members: [ip_shared, fs]
        - transaction: voice

    voice:
      pacemaker_cib.committed: []
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns
from fshalib.system import poll

if TYPE_CHECKING:
    __instance_id__: str
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_resource"


def __virtual__():
    """Load always: a function reports what it lacks when it is called."""
    return __virtualname__


def present(name, transaction=None, spec=None, **options):
    """Make sure that a primitive, or a group, is configured exactly so.

    name
        The resource's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:resources:ID`` in docs/pillar.md (``agent``, ``params``,
        ``meta``, ``operations`` …), or with ``members`` those of ``fsha:pacemaker:groups:ID``:
        each as an argument, or all of them as the mapping ``spec``.
        The meta attributes ``target-role``, ``is-managed`` and ``maintenance`` belong to the
        operator, and stay unless they are named here.

    A staged resource changes nothing yet: the difference is in the comment, and in the changes of
    ``pacemaker_cib.committed``.
    """
    keys = {*(spec or options.get("form") or {}), *options}
    if ("agent" in keys or "template" in keys) == ("members" in keys):
        return returns.failed(
            name, f"{name}: either an agent (a primitive) or members (a group) is expected."
        )
    kind = "group" if "members" in keys else "primitive"
    return __states__["pacemaker_cib.staged"](name, kind, spec, transaction, options=options)


def template(name, transaction=None, spec=None, **options):
    """Make sure that a template is configured exactly so.

    name
        The template's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:templates:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        vip-template:
          pacemaker_resource.template:
            - agent: ocf:heartbeat:IPaddr2
            - params: {cidr_netmask: 24}
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "template", spec, transaction, options=options)


def clone(name, transaction=None, spec=None, **options):
    """Make sure that a clone, promotable or not, is configured exactly so.

    name
        The clone's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:clones:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        ping-clone:
          pacemaker_resource.clone:
            - resource: ping
            - meta: {interleave: true}
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "clone", spec, transaction, options=options)


def bundle(name, transaction=None, spec=None, **options):
    """Make sure that a bundle is configured exactly so.

    name
        The bundle's id.
    transaction
        The transaction to add it to; without one it is committed at once.
    spec, options
        The keys of ``fsha:pacemaker:bundles:ID`` in docs/pillar.md: each as an argument,
        or all of them as the mapping ``spec``.

    .. code-block:: yaml

        fs-bundle:
          pacemaker_resource.bundle:
            - podman: {image: 'registry.example/fs:1.11'}
            - transaction: voice
    """
    return __states__["pacemaker_cib.staged"](name, "bundle", spec, transaction, options=options)


def absent(name, transaction=None):
    """Make sure that a resource is not configured; references to it are removed too.

    name
        The resource's id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](
        name, "primitive", transaction=transaction, absent=True
    )


def running(name, timeout=120):
    """Wait until a resource, or every member of a group, is started on exactly one node.

    name
        The id of the primitive or group.
    timeout
        Seconds to wait.

    .. code-block:: yaml

        VoiceServices:
          pacemaker_resource.running:
            - timeout: 120
    """
    test = __opts__["test"]
    if "pacemaker.serving" not in __salt__:
        return returns.not_yet(name, f"{name}: no cluster yet; would wait until it serves.")
    try:
        found = __salt__["pacemaker.serving"](name)
        if not found["node"] and not test:
            found = poll.until(
                lambda: __salt__["pacemaker.serving"](name), lambda f: bool(f["node"]), timeout
            )
    except CommandExecutionError as error:
        if test:
            return returns.not_yet(name, f"{name}: no cluster yet; would wait until it serves.")
        return returns.failed(name, str(error))
    except SaltInvocationError as error:
        return returns.failed(name, str(error))
    if found["node"]:
        return returns.unchanged(name, f"{name} serves on {found['node']}.")
    if test:
        return returns.not_yet(name, f"{name} does not serve; would wait for it.")
    return returns.failed(name, f"{name} does not serve after {timeout} s: {found['why']}")
