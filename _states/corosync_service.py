"""Make corosync run with the configuration on disk: start it, reload it or restart it.

.. code-block:: yaml

    corosync:
      corosync_service.running:
        - require:
          - corosync_config: /etc/corosync/corosync.conf
          - corosync_authkey: /etc/corosync/authkey

The state compares the configuration of the running corosync with the file. So the next run
completes one that was interrupted between writing and reloading, and no ``watch`` is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.corosync import diff
from fshalib.events import returns
from fshalib.system import poll

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "corosync_service"

PACEMAKER = "pacemaker"
# The states before this one leave here what they would have written in a test run.
WANTED = "fsha.corosync.wanted"
WANTED_KEY = "fsha.corosync.key"
ANSWER_TIMEOUT = 20.0
ENABLED = {"old": False, "new": True}


def __virtual__():
    """Load always: corosync may be installed earlier in the same run."""
    return __virtualname__


def running(
    name="corosync", config="/etc/corosync/corosync.conf", enable=True, allow_restart=False
):
    """Make sure that corosync runs with the configuration on disk, also after a boot.

    name
        The service.
    config
        The file that it reads.
    enable
        Start it at boot.
    allow_restart
        Restart corosync, and Pacemaker with it, although Pacemaker runs on this node.

    The state reloads a running corosync if that is enough. It refuses a restart while Pacemaker
    runs here, because every resource on this node would stop. The packages' one-node cluster
    without resources is an exception: the state stops it, removes its files, and starts the real
    cluster.
    """
    text = __context__.get(WANTED, {}).get(config)
    try:
        if not __salt__["corosync.installed"]() or not _there(config, text):
            if __opts__["test"]:
                changes = {name: "started", **({"enabled": ENABLED} if enable else {})}
                comment = f"{name} would be started once it is installed."
                return returns.changed(name, changes, comment, test=True)
            return returns.failed(name, f"{name} is not installed, or {config} is missing.")
        return _running(name, config, text, enable, allow_restart)
    except CommandExecutionError as error:
        return returns.failed(name, str(error))


def _there(config: str, text: str | None) -> bool:
    return text is not None or __salt__["file.file_exists"](config)


def _running(name, config, text, enable, allow_restart):
    key = __context__.get(WANTED_KEY)
    pending = __salt__["corosync.pending"](config, text=text, fingerprint=key)
    action = _action(pending)
    if action == "restarted":
        refusal = __salt__["corosync.guard"](
            config, text=text, fingerprint=key, allow_restart=allow_restart
        )
        if refusal:
            return returns.failed(name, refusal)
    changes = _changes(name, config, text, enable, action, pending)
    if changes and __opts__["test"]:
        return returns.changed(name, changes, _comment(name, action, "would be "), test=True)
    problem = _act(name, config, action, changes) if changes else ""
    if problem:
        return returns.failed(name, problem, changes)
    if not __opts__["test"]:
        __salt__["corosync.note_key"]()
    if not changes:
        return returns.unchanged(name, f"{name} runs with {config}.")
    return returns.changed(name, changes, _comment(name, action, "is "), test=False)


def _changes(name, config, text, enable, action, pending) -> dict[str, Any]:
    changes = {name: action, **pending["changes"]} if action else {}
    packaged = __salt__["corosync.packaged_cluster"](config, text=text)
    if action in ("started", "restarted") and packaged["nodes"]:
        changes["ghost"] = {"old": ", ".join(packaged["nodes"]), "new": None}
    if enable and not __salt__["service.enabled"](name):
        changes["enabled"] = ENABLED
    return changes


def _action(pending) -> str:
    if not pending["running"]:
        return "started"
    return {diff.RELOAD: "reloaded", diff.RESTART: "restarted"}.get(pending["class"], "")


def _comment(name: str, action: str, verb: str) -> str:
    return f"{name} {verb}{action or 'enabled'}."


def _act(name: str, config: str, action: str, changes: dict[str, Any]) -> str:
    """Start, reload or restart corosync and check the result; return the faults."""
    if "enabled" in changes:
        __salt__["service.enable"](name)
    does = {"started": _start, "reloaded": _reload, "restarted": _restart}.get(action)
    problem = does(name, config) if does else ""
    if problem or not does:
        return problem
    now = poll.until(
        lambda: __salt__["corosync.pending"](config),
        lambda seen: seen["running"] and seen["class"] == diff.NONE,
        ANSWER_TIMEOUT,
        what=f"{name} to run with {config}",
    )
    if not now["running"]:
        return f"{name} does not answer; see journalctl -u {name}."
    if now["class"] != diff.NONE:
        return f"{name} still runs with other values of {', '.join(now['changes'])}."
    return ""


def _reload(_name: str, _config: str) -> str:
    done = __salt__["corosync.reload"]()
    return "" if done["result"] else done["comment"]


def _restart(name: str, config: str) -> str:
    pacemaker = __salt__["service.status"](PACEMAKER)
    for service in (PACEMAKER, name) if pacemaker else (name,):
        if not __salt__["service.stop"](service):
            return f"{service} could not be stopped; see journalctl -u {service}."
    problem = _start(name, config)
    if problem or not pacemaker:
        return problem
    if not __salt__["service.start"](PACEMAKER):
        return f"{PACEMAKER} could not be started again; see journalctl -u {PACEMAKER}."
    return ""


def _start(name: str, config: str) -> str:
    # Pacemaker reads the CIB when it starts: only now, with both stopped, may it go.
    __salt__["corosync.forget_ghost"](config)
    if not __salt__["service.start"](name):
        return f"{name} could not be started; see journalctl -u {name}."
    return ""
