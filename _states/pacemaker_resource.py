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

from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fsha_poll
import fsha_state

if TYPE_CHECKING:
    __instance_id__: str
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]
    __states__: dict[str, Any]

__virtualname__ = "pacemaker_resource"


def __virtual__():
    """Load always: what is missing is said by the function that needs it."""
    return __virtualname__


def present(
    name,
    agent=None,
    params=None,
    meta=None,
    operations=None,
    members=None,
    transaction=None,
):
    """Make sure that a primitive, or a group, is configured exactly so.

    name
        The resource's id.
    agent
        For a primitive: its agent, ``ocf:heartbeat:IPaddr2`` or ``lsb:FSSofia``.
    params
        For a primitive: the agent's parameters, name → value.
    meta
        Meta attributes, name → value. ``target-role``, ``is-managed`` and ``maintenance``
        are an operator's and left alone unless they are named here.
    operations
        For a primitive: a list of ``{name, interval, timeout, …}``.
    members
        For a group: the ids of its primitives, in starting order.
    transaction
        The transaction to add it to; without one it is committed at once.

    Returns ``changes`` as ``{path: {"old": …, "new": …}}``, the same under ``test=True``.
    """
    if (agent is None) == (members is None):
        return fsha_state.failed(
            name, f"{name}: either an agent (a primitive) or members (a group) is expected."
        )
    if members is not None:
        spec: dict[str, Any] = {"id": name, "members": members, "meta": meta or {}}
        kind = "group"
    else:
        kind = "primitive"
        spec = {
            "id": name,
            "agent": agent,
            "params": params or {},
            "meta": meta or {},
            "operations": operations or [],
        }
    return __states__["pacemaker_cib.staged"](name, kind, spec, transaction)


def absent(name, transaction=None):
    """Make sure that a resource is not configured; what refers to it goes with it.

    name
        The resource's id.
    transaction
        The transaction to add the removal to; without one it is committed at once.
    """
    return __states__["pacemaker_cib.staged"](name, "primitive", {"id": name}, transaction, True)


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
        return fsha_state.not_yet(name, f"{name}: no cluster yet; would wait until it serves.")
    try:
        found = __salt__["pacemaker.serving"](name)
        if not found["node"] and not test:
            found = fsha_poll.until(
                lambda: __salt__["pacemaker.serving"](name), lambda f: bool(f["node"]), timeout
            )
    except CommandExecutionError as error:
        if test:
            return fsha_state.not_yet(name, f"{name}: no cluster yet; would wait until it serves.")
        return fsha_state.failed(name, str(error))
    except SaltInvocationError as error:
        return fsha_state.failed(name, str(error))
    if found["node"]:
        return fsha_state.unchanged(name, f"{name} serves on {found['node']}.")
    if test:
        return fsha_state.not_yet(name, f"{name} does not serve; would wait for it.")
    return fsha_state.failed(name, f"{name} does not serve after {timeout} s: {found['why']}")
