"""Give the lab's nodes a pillar with the secrets that no example carries.

A pillar of the repository is used as it is; the cluster's key and the Event Socket's password
come from a second pillar file, as they would for a user who keeps secrets apart.
"""

from __future__ import annotations

import base64
import json
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import database
from lab.core import Lab, Node
from lab.errors import LabCommandError, LabError
from lab.identity import PASSWORD_FILE, STANDIN_SETTINGS
from lab.settings import VIP

PROJECT_ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(PROJECT_ROOT / "_utils"))

from fshalib.pacemaker.status import NoStatus, Status, parse_status  # noqa: E402  found by the line above

TOP = "base:\n  '*':\n    - fsha\n    - fsha_secrets\n"
KEY_BYTES = 256
NOT_CONNECTED = 102
"""The exit code of Pacemaker's tools where Pacemaker does not run (CRM_EX_DISCONNECT)."""


def example(path: str | Path = "pillar.example") -> dict[str, Any]:
    """Return a pillar file as data: what stands below its key ``fsha``.

    Args:
        path: plain YAML; a relative one may be the project's.

    Raises:
        LabError: it cannot be read, or is no such pillar.

    """
    found = next((p for p in (Path(path), PROJECT_ROOT / path) if p.is_file()), Path(path))
    try:
        data = yaml.safe_load(found.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabError(f"{path} can't be taken for a pillar: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("fsha"), dict):
        raise LabError(
            f"{path} is no pillar of the formula: a mapping with the key fsha is expected"
        )
    told: dict[str, Any] = data["fsha"]
    return told


def give(lab: Lab, pillar: dict[str, Any]) -> None:
    """Make this the minions' pillar, with secrets of the lab's own beside it.

    Args:
        lab: a lab that is up.
        pillar: what stands below the key ``fsha``.

    """
    corosync = pillar.get("corosync")
    encrypted = isinstance(corosync, dict) and corosync.get("transport", "knet") == "knet"
    told: dict[str, Any] = {"freeswitch": {"password": _password(lab)}}
    if encrypted:
        told["corosync"] = {"authkey": _key(lab)}
    lab.outside.write("/srv/pillar/fsha_secrets.sls", yaml.safe_dump({"fsha": told}), 0o600)
    lab.pillar(yaml.safe_dump({"fsha": pillar}, sort_keys=False), refresh=False)
    lab.outside.write("/srv/pillar/top.sls", TOP, 0o600)
    awake = [node.name for node in lab.nodes.values() if node.running]
    if awake:
        lab.salt(awake, "saltutil.refresh_pillar", wait=True)


def standby(lab: Lab, model: str, pillar: dict[str, Any] | None = None) -> None:
    """Configure the switches for a standby model, so that their calls can be recovered.

    A stand-in is told directly. A real FreeSWITCH is told by the formula: what it takes is added to
    the pillar. Give the pillar that fits (``network: nonlocal_bind`` is true for hot) and apply it
    afterwards, then :func:`restart_standby`.

    Args:
        lab: a lab that is up, for a real switch with its database.
        model: ``cold`` or ``hot``; hot profiles start with the standby flag.
        pillar: what stands below the key ``fsha``, for a real switch.

    """
    setup = lab.setup()
    if setup is not None and setup.freeswitch:
        if pillar is None or not setup.database_password:
            raise LabError("a real FreeSWITCH needs a pillar to configure it, and the database")
        pillar.setdefault("freeswitch", {})["configuration"] = _configuration(
            Path(setup.freeswitch), model, database.dsn(setup.database_password)
        )
        return
    for node in lab.nodes.values():
        settings = json.loads(node.read(STANDIN_SETTINGS))
        for profile in settings["profiles"]:
            profile["standby"] = model == "hot"
        node.write(STANDIN_SETTINGS, json.dumps(settings, indent=2) + "\n")


def _configuration(prefix: Path, model: str, dsn: str) -> dict[str, Any]:
    directories = (prefix / "etc" / "freeswitch", prefix / "conf")
    directory = next((d for d in directories if (d / "freeswitch.xml").is_file()), None)
    if directory is None:
        raise LabError(f"{prefix} has no freeswitch.xml in etc/freeswitch or conf")
    return {
        "directory": str(directory),
        "switchname": "voice",
        "core_db_dsn": dsn,
        "restart": "passive",
        "profiles": {"internal": {"vip": VIP, "standby": model, "odbc_dsn": dsn}},
    }


def restart_standby(lab: Lab) -> None:
    """Restart the switch of every node that does not serve; a hot one binds from now on.

    Only after the formula allowed it to bind an address that it does not hold.
    """
    active = serving(lab)
    for node in lab.nodes.values():
        if node.name != active:
            node.run(["systemctl", "restart", "freeswitch"])


def _password(lab: Lab) -> str:
    """Return the Event Socket's password, which is the same on every node; one may be off."""
    node = next(node for node in lab.nodes.values() if node.running)
    return node.read(PASSWORD_FILE).strip()


def _key(lab: Lab) -> str:
    """Return the lab's own key; every node of one lab gets the same."""
    path = "/srv/pillar/authkey"
    if not lab.outside.exists(path):
        key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        lab.outside.write(path, key, 0o600)
    return lab.outside.read(path).strip()


@dataclass(frozen=True)
class Applied:
    """What ``state.apply fsha`` came to, minion by minion."""

    states: dict[str, dict[str, dict[str, Any]]]
    complaints: dict[str, str]
    seconds: float

    @property
    def failed(self) -> list[str]:
        """Every state that failed, and every run that did not take place, as sentences."""
        bad = [
            f"{minion}: {state['__id__']}: {state['comment']}"
            for minion, states in self.states.items()
            for state in states.values()
            if state["result"] is False
        ]
        return bad + [f"{minion}: {said}" for minion, said in self.complaints.items()]

    @property
    def changes(self) -> dict[str, Any]:
        """What changed, or would, as ``minion state-id`` → changes."""
        return {
            f"{minion} {state['__id__']}": state["changes"]
            for minion, states in self.states.items()
            for state in states.values()
            if state["changes"]
        }

    def state(self, minion: str, state_id: str) -> dict[str, Any]:
        """Return one state's return by its id in the SLS."""
        return next(s for s in self.states[minion].values() if s["__id__"] == state_id)


def apply(lab: Lab, target: str = "*", *, test: bool = False, timeout: float = 400) -> Applied:
    """Run ``salt TARGET state.apply fsha`` on the lab's master.

    Args:
        lab: a lab that is up, with a pillar.
        target: which minions.
        test: only look.
        timeout: seconds for all of it.

    """
    begun = time.monotonic()
    returns = lab.salt(
        target, "state.apply", "fsha", timeout=timeout, **({"test": True} if test else {})
    )
    states: dict[str, dict[str, dict[str, Any]]] = {}
    complaints: dict[str, str] = {}
    for minion, value in returns.items():
        if isinstance(value, dict):
            states[minion] = value
        else:
            complaints[minion] = str(value)
    return Applied(states, complaints, time.monotonic() - begun)


def cluster(node: Node) -> Status:
    """Return the cluster's status as a node sees it."""
    return parse_status(node.run(["crm_mon", "-1", "--inactive", "--output-as=xml"]).out)


def cluster_if_up(node: Node) -> Status | None:
    """Return the cluster's status as a node sees it, ``None`` while Pacemaker is not up there."""
    try:
        return cluster(node)
    except NoStatus:
        # pacemakerd runs and the CIB's daemon does not answer yet: crm_mon ends with 0.
        return None
    except LabCommandError as error:
        if error.completed.code == NOT_CONNECTED:
            return None
        raise


def serving(lab: Lab, group: str = "VoiceServices") -> str:
    """Return the node where the voice group serves, ``""`` for none.

    Asked is the first node that runs and whose cluster is up.
    """
    for node in lab.nodes.values():
        status = cluster_if_up(node) if node.running else None
        if status is not None:
            return status.serving(group)
    return ""
