"""Pillars for the tests: a good one, and a way to change one place in it."""

from __future__ import annotations

import base64
import copy
import random
from typing import Any

GONE = object()
"""In place of a value: take the key away."""


def random_key(length: int = 256, seed: int = 1) -> str:
    """Return Base64 of bytes that look random and are the same in every run."""
    return base64.b64encode(random.Random(seed).randbytes(length)).decode("ascii")


def pillar() -> dict[str, Any]:
    """Return a pillar without a mistake, with something of everything."""
    return {
        "cluster": {"name": "voice"},
        "nodes": {
            "fs1": {
                "addresses": ["10.101.20.110/24", "10.101.21.110/24"],
                "aliases": ["fs1.example.org"],
                "interfaces": {"eth0": {"address": "10.101.20.110/24", "gateway": "10.101.20.1"}},
            },
            "fs2": {"addresses": ["10.101.20.220/24", "10.101.21.220/24"]},
        },
        "corosync": {
            "authkey": random_key(),
            "totem": {"token": 3000},
            "links": [{"knet_link_priority": 2}, {"link_priority": 1}],
            "quorum": {"wait_for_all": True},
            "logging": {"debug": False},
        },
        "pacemaker": {
            "properties": {"stonith-enabled": False, "no-quorum-policy": "stop"},
            "rsc_defaults": {"resource-stickiness": 100, "migration-threshold": 1},
            "resources": {
                "ip_shared": {
                    "agent": "ocf:heartbeat:IPaddr2",
                    "params": {"ip": "10.101.20.219", "nic": "eth0", "cidr_netmask": 24},
                    "operations": [{"name": "monitor", "interval": "5s", "timeout": "20s"}],
                },
                "fs": {
                    "agent": "lsb:FSSofia",
                    "meta": {"target-role": "Started"},
                    "operations": [
                        {"name": "monitor", "interval": 5, "timeout": 20},
                        {"name": "start", "timeout": "60s"},
                        {"name": "stop", "timeout": "90s"},
                    ],
                },
            },
            "groups": {"VoiceServices": {"members": ["ip_shared", "fs"]}},
            "locations": {
                "prefer-fs1": {"resource": "VoiceServices", "node": "fs1", "score": 50},
                "by-rule": {
                    "resource": "VoiceServices",
                    "rules": [{"id": "rule-1", "score": 10, "expression": "#uname eq fs2"}],
                },
            },
        },
        "freeswitch": {"profiles": ["internal", "external"], "password": "s3cret-event-socket"},
    }


def with_key(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an example with the key that examples do not carry, if it needs one."""
    if raw["corosync"].get("transport", "knet") != "knet":
        return raw
    return {**raw, "corosync": {**raw["corosync"], "authkey": random_key()}}


def changed(*places: tuple[str, Any], base: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the good pillar with values put at paths (``corosync:totem:token``)."""
    raw = copy.deepcopy(pillar() if base is None else base)
    for path, value in places:
        *parents, last = (int(part) if part.isdecimal() else part for part in path.split(":"))
        target: Any = raw
        for part in parents:
            target = target[part] if isinstance(part, int) else target.setdefault(part, {})
        if value is GONE:
            del target[last]
        else:
            target[last] = copy.deepcopy(value)
    return raw
