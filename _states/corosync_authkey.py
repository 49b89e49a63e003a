"""Keep corosync's shared key. It is never shown: not in changes, comments, logs or events.

.. code-block:: yaml

    /etc/corosync/authkey:
      corosync_authkey.present:
        - source_file: /etc/fsha/authkey
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError
from salt.utils.data import traverse_dict_and_list

import fshalib

importlib.reload(fshalib)
from fshalib.corosync import authkey
from fshalib.events import event, journal, returns
from fshalib.system import files

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __low__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "corosync_authkey"

MODE = 0o400
SUBJECT = "authkey"
# The key that a test run would have written, for the corosync_* states after this one.
WANTED = "fsha.corosync.key"


def __virtual__():
    """Load always: corosync may be installed earlier in the same run."""
    return __virtualname__


def present(
    name="/etc/corosync/authkey",
    key=None,
    source_file=None,
    key_pillar=None,
    allow_restart=False,
):
    """Make sure that the key file holds this key, readable by root only (0400).

    name
        The file.
    key
        The key in Base64; 128 to 4096 bytes decoded. Give ``source_file`` instead to keep it
        out of pillar.
    source_file
        A file on this node that holds the raw key.
    key_pillar
        The path of the key in the pillar, ``fsha:corosync:authkey``. The key is then in no
        rendered SLS, which Salt logs at level debug.
    allow_restart
        Replace the key although Pacemaker runs on this node. corosync uses it after a restart,
        and finds no peer until the peer has the new key too.
    """
    path = Path(name)
    try:
        wanted = _wanted(key or _from_pillar(key_pillar), source_file)
        if wanted is None:
            return returns.unchanged(name, f"{name} is not managed: no key is given.")
        changes = _changes(path, wanted)
        refusal = _refusal(path, wanted, changes, allow_restart)
    except authkey.AuthkeyError as error:
        return returns.failed(name, f"{name}: {error}")
    except (OSError, CommandExecutionError) as error:
        return returns.failed(name, f"{name}: {error}")
    if not changes:
        return returns.unchanged(name, f"{name} holds the key.")
    if changes.get("key") != "created" and not __low__.get("__prereq__"):
        _tell(name, changes, refusal)
    if refusal:
        return returns.failed(name, refusal)
    if __opts__["test"]:
        __context__[WANTED] = authkey.fingerprint(wanted)
        return returns.changed(name, changes, f"{name} would be written.", test=True)
    return _write(path, wanted, changes)


def allowed(name="/etc/corosync/authkey", key=None, source_file=None, key_pillar=None):
    """Ask whether :func:`present` would be refused, before a run touches anything on the host.

    name, key, source_file, key_pillar
        As for :func:`present`.

    What would be refused fails the state, and is told by the event of :func:`present`; with
    ``failhard`` the run ends there. A test run says the same and sends nothing. A host without a
    key passes.
    """
    path = Path(name)
    try:
        if files.read(path) is None:
            return returns.unchanged(name, f"{name} is not there yet.")
        wanted = _wanted(key or _from_pillar(key_pillar), source_file)
        changes = {} if wanted is None else _changes(path, wanted)
        refusal = "" if wanted is None else _refusal(path, wanted, changes, False)
    except authkey.AuthkeyError as error:
        return returns.failed(name, f"{name}: {error}")
    except (OSError, CommandExecutionError) as error:
        return returns.failed(name, f"{name}: {error}")
    if not refusal:
        return returns.unchanged(name, f"{name} may be as the pillar wants it.")
    if not __opts__["test"]:
        _tell(name, changes, refusal)
    return returns.failed(name, refusal)


def _refusal(path: Path, wanted: bytes, changes: dict[str, Any], allow_restart: bool) -> str:
    if changes.get("key") != "changed":
        return ""
    fingerprint = authkey.fingerprint(wanted)
    return __salt__["corosync.guard_key"](fingerprint, str(path), allow_restart=allow_restart)


def _write(path: Path, wanted: bytes, changes: dict[str, Any]) -> dict[str, Any]:
    name = str(path)
    try:
        if "key" in changes:
            files.replace(path, wanted, MODE, owned_by=(0, 0))
        else:
            files.restrict(path, MODE, (0, 0))
        left = _changes(path, wanted)
    except OSError as error:
        return returns.failed(name, f"{name} cannot be written: {error}")
    if left:
        return returns.failed(name, f"{name} was written, but still differs.", changes)
    return returns.changed(name, changes, f"{name} is written.", test=False)


def _from_pillar(path: str | None) -> str | None:
    return traverse_dict_and_list(__pillar__, path, None) if path else None


def _wanted(key: str | None, source_file: str | None) -> bytes | None:
    if key and source_file:
        raise authkey.AuthkeyError("give key or source_file, not both.")
    if source_file:
        return authkey.check(Path(source_file).read_bytes())
    return authkey.decode(key) if key else None


def _changes(path: Path, wanted: bytes) -> dict[str, Any]:
    has = files.read(path)
    if has is None:
        return {"key": "created"}
    changes: dict[str, Any] = {}
    if not authkey.same(has, wanted):
        changes["key"] = "changed"
    permissions = files.mode(path)
    if permissions is not None and permissions != MODE:
        changes["mode"] = {"old": f"{permissions:04o}", "new": f"{MODE:04o}"}
    if files.owner(path) != (0, 0):
        changes["owner"] = "changed"
    return changes


def _tell(name: str, changes: dict[str, Any], refusal: str) -> None:
    fire = journal.firing(__salt__["event.send"], __opts__)
    test = bool(__opts__["test"])
    event.send_drift(fire, SUBJECT, __opts__["id"], name, changes, refusal, test)
