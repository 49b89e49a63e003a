"""Pillars for the tests: a good one, and a way to change one place in it."""

from __future__ import annotations

import base64
import copy
import random
from typing import Any

from fshalib.cib import document

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


def full() -> dict[str, Any]:
    """Return a pillar without a mistake, with every kind of object and every part of them."""
    raw = pillar()
    pacemaker = raw["pacemaker"]
    pacemaker["op_defaults"] = [
        {"values": {"timeout": "30s"}},
        {"id": "slow", "rule": "resource ::IPaddr2 and op start", "values": {"timeout": 90}},
    ]
    pacemaker["nodes"] = {
        "fs1": {"attributes": {"site": "east"}, "utilization": {"cpu": 4}, "description": "left"},
        "far": {"type": "remote"},
    }
    pacemaker["templates"] = {
        "address": {
            "agent": "ocf:heartbeat:IPaddr2",
            "params": {"nic": "eth0"},
            "operations": [{"name": "monitor", "interval": "10s", "role": "Started"}],
        }
    }
    pacemaker["resources"] |= {
        "ip_carrier": {
            "template": "address",
            "params": [
                {"score": 2, "rule": "#uname eq fs2 and defined ready", "values": {"nic": "eth2"}},
                {"id": "carrier", "values": {"ip": "10.101.20.218"}},
            ],
        },
        "ip_trunk": {"template": "address", "params": [{"id-ref": "carrier"}]},
        "ping": {
            "agent": "ocf:pacemaker:ping",
            "params": {"host_list": "10.101.20.1"},
            "operations": [
                {
                    "name": "monitor",
                    "interval": "10s",
                    "params": {"OCF_CHECK_LEVEL": 10},
                    "meta": [{"rule": "date spec hours=9-16", "values": {"timeout": "60s"}}],
                }
            ],
        },
        "database": {"agent": "systemd:postgresql"},
        "media": {"agent": "ocf:heartbeat:anything", "utilization": {"cpu": 2}},
        "far": {"agent": "ocf:pacemaker:remote", "params": {"server": "192.0.2.9"}},
        "fence-fs1": {"agent": "stonith:external/ipmi", "params": {"passwd": "s3cret-ipmi"}},
        "fence-fs2": {"agent": "stonith:fence_ipmilan", "params": {"ip": "192.0.2.2"}},
    }
    pacemaker["clones"] = {
        "ping-clone": {"resource": "ping", "meta": {"clone-max": 2}},
        "database-clone": {"resource": "database", "meta": {"promotable": True}},
    }
    pacemaker["bundles"] = {
        "media-bundle": {
            "podman": {"image": "registry.example/media:1", "replicas": 2},
            "network": {"ip-range-start": "10.101.20.230", "ports": [{"id": "sip", "port": 5060}]},
            "storage": [{"source-dir": "/srv/media", "target-dir": "/srv"}],
            "resource": "media",
        }
    }
    pacemaker["locations"] |= {
        "by-pattern": {"rsc-pattern": "^ip_", "node": "far", "score": "-INFINITY"},
        "by-sets": {
            "sets": [{"resources": ["ip_shared", "ip_carrier"], "role": "Started"}],
            "rules": [
                {
                    "score-attribute": "weight",
                    "expression": "(#uname eq fs1 or #uname eq fs2) and pingd gt 0",
                }
            ],
            "resource-discovery": "exclusive",
        },
    }
    pacemaker["colocations"] = {
        "with-database": {
            "resource": "VoiceServices",
            "with": "database-clone",
            "with-role": "Promoted",
            "score": "INFINITY",
            "lifetime": [{"expression": "#uname ne fs2"}],
        },
        "apart": {
            "score": -10,
            "sets": [{"id": "set-1", "resources": ["ip_carrier", "media-bundle"]}],
        },
    }
    pacemaker["orders"] = {
        "database-first": {
            "first": "database-clone",
            "first-action": "promote",
            "then": "VoiceServices",
            "then-action": "start",
            "kind": "Mandatory",
        },
        "helpers-first": {
            "kind": "Optional",
            "sets": [
                {"resources": ["ping-clone", "far"], "sequential": False, "require-all": False},
                {"resources": ["VoiceServices"], "action": "start"},
            ],
        },
    }
    pacemaker["tickets"] = {
        "by-site": {"ticket": "site-a", "resource": "VoiceServices", "loss-policy": "stop"}
    }
    pacemaker["fencing_levels"] = {
        "fs1-first": {"target": "fs1", "index": 1, "devices": ["fence-fs1"]},
        "fs2-first": {
            "target-attribute": "site",
            "target-value": "west",
            "index": 1,
            "devices": ["fence-fs2", "fence-fs1"],
        },
    }
    pacemaker["acl_roles"] = {
        "operator": {
            "permissions": [
                {"kind": "write", "xpath": "//constraints"},
                {"kind": "deny", "object-type": "nvpair", "attribute": "value"},
                {"id": "see-all", "kind": "read", "xpath": "/cib"},
            ]
        }
    }
    pacemaker["acl_users"] = {"alice": {"roles": ["operator"]}}
    pacemaker["acl_groups"] = {"noc": {"roles": ["operator"]}}
    pacemaker["tags"] = {"addresses": {"references": ["ip_shared", "ip_carrier"]}}
    pacemaker["alerts"] = {
        "log": {
            "path": "/usr/share/pacemaker/alerts/alert_file.sh",
            "meta": {"timeout": "15s", "enabled": True},
            "params": {"debug_exec_order": "default"},
            "select": {"events": ["nodes"], "attributes": ["site"]},
            "recipients": [{"id": "to-log", "value": "/var/log/events", "meta": {"timeout": 5}}],
        }
    }
    return raw


def empty_cib(*nodes: str) -> str:
    """Return the text of a CIB with nothing in it but nodes."""
    known = "".join(f'<node id="{n}" uname="{name}"/>' for n, name in enumerate(nodes, start=1))
    text = document.EMPTY.replace("pacemaker-3.0", "pacemaker-3.9")
    return text.replace("<nodes/>", f"<nodes>{known}</nodes>")


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
