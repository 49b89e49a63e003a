"""Give the lab's nodes a pillar with the secrets that no example carries.

A pillar of the repository is used as it is; the cluster's key and the Event Socket's password
come from a second pillar file, as they would for a user who keeps secrets apart.
"""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path
from typing import Any

import yaml

from lab.core import Lab
from lab.identity import PASSWORD_FILE

TOP = "base:\n  '*':\n    - fsha\n    - fsha_secrets\n"
KEY_BYTES = 256


def example(path: str | Path = "pillar.example") -> dict[str, Any]:
    """Return a pillar of the repository as data: what stands below its key ``fsha``."""
    text = (Path(__file__).parent.parent / path).read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)["fsha"]
    return data


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
    lab.outside.write("/srv/pillar/fsha_secrets.sls", json.dumps({"fsha": told}), 0o600)
    lab.pillar(json.dumps({"fsha": pillar}, indent=1) + "\n", refresh=False)
    lab.outside.write("/srv/pillar/top.sls", TOP, 0o600)
    awake = [node.name for node in lab.nodes.values() if node.running]
    if awake:
        lab.salt(awake, "saltutil.refresh_pillar", wait=True)


def _password(lab: Lab) -> str:
    node = next(iter(lab.nodes.values()))
    return node.read(PASSWORD_FILE).strip()


def _key(lab: Lab) -> str:
    """Return the lab's own key; every node of one lab gets the same."""
    path = "/srv/pillar/authkey"
    if not lab.outside.exists(path):
        key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        lab.outside.write(path, key, 0o600)
    return lab.outside.read(path).strip()
