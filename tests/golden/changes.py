"""Changes of a running pair's pillar, and what the cluster says that it would do about each.

The pair is ``running.xml``: on ubuntu-v20z the group VoiceServices (ip_shared, fs) and an
unpromoted instance of state-clone; on freeswitch-dev spare and the promoted instance; on both
watch-clone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

GONE = object()
"""The value of what an edit takes out of the pillar."""
REFUSED = "crm_verify refuses it"
"""Stands in for the transition of a change that is not planned any further."""

Edit = tuple[str, Any]
"""A path in the section ``pacemaker``, with colons; and the new value, or :data:`GONE`."""


@dataclass(frozen=True)
class Change:
    """A change of the pillar, and the transition that it makes.

    given
        What the pillar and the cluster hold beforehand, beside what is in ``running.xml``.
    since_3
        The transition of Pacemaker 3, where it is another.
    """

    name: str
    edits: tuple[Edit, ...]
    transition: tuple[str, ...] = ()
    given: tuple[Edit, ...] = ()
    since_3: tuple[str, ...] | None = None

    def expected(self, pacemaker: str) -> tuple[str, ...]:
        """Return the transition of a version of Pacemaker, such as ``2.1.5``."""
        later = int(pacemaker.partition(".")[0]) >= 3
        return self.since_3 if later and self.since_3 is not None else self.transition


ACTIVE, PASSIVE = "ubuntu-v20z", "freeswitch-dev"

RESTARTED = ("restart ip_shared on ubuntu-v20z", "restart fs on ubuntu-v20z")
MOVED = (
    "move ip_shared from ubuntu-v20z to freeswitch-dev",
    "move fs from ubuntu-v20z to freeswitch-dev",
)
STOPPED = ("stop ip_shared on ubuntu-v20z", "stop fs on ubuntu-v20z")
ALL_STOPPED = (
    *STOPPED,
    "stop spare on freeswitch-dev",
    "stop watch:0 on freeswitch-dev",
    "stop watch:1 on ubuntu-v20z",
    "stop state:0 on freeswitch-dev",
    "stop state:1 on ubuntu-v20z",
)


def _location(node: str, score: int | str, resource: str = "VoiceServices", **more: Any) -> Edit:
    return "locations:where", {"resource": resource, "node": node, "score": score, **more}


def _ban(expression: str) -> Edit:
    rule = {"expression": expression, "score": "-INFINITY"}
    return "locations:where", {"resource": "VoiceServices", "rules": [rule]}


def _nodes(key: str, name: str, active: object, passive: object) -> Edit:
    return "nodes", {ACTIVE: {key: {name: active}}, PASSIVE: {key: {name: passive}}}


def _tie(resource: str, other: str, score: str) -> Edit:
    return "colocations:tie", {"resource": resource, "with": other, "score": score}


def _members(*members: str) -> Edit:
    return "groups:VoiceServices:members", list(members)


SECOND: Edit = (
    "resources:second",
    {
        "agent": "ocf:heartbeat:IPaddr2",
        "params": {"ip": "10.101.20.218", "cidr_netmask": 24},
    },
)
DEVICE: Edit = (
    "resources:fence",
    {
        "agent": "stonith:fence_ipmilan",
        "params": {"ip": "10.101.21.9", "username": "fsha"},
    },
)
FENCING: Edit = ("properties:stonith-enabled", True)

CHANGES = (
    # --- nothing, or nothing but words
    Change("nothing", ()),
    Change(
        "other words for the same",
        (
            ("resources:ip_shared:operations:0:interval", "5000ms"),
            ("resources:fs:operations:1:timeout", "1min"),
            ("properties:cluster-recheck-interval", "PT2M"),
            ("clones:watch-clone:meta:interleave", "yes"),
        ),
    ),
    Change("description", (("resources:fs:description", "the switch"),)),
    # --- parameters
    Change("address of the VIP", (("resources:ip_shared:params:ip", "10.101.20.218"),), RESTARTED),
    Change("interface of the VIP", (("resources:ip_shared:params:nic", "eth1"),), RESTARTED),
    Change("interface of the VIP left out", (("resources:ip_shared:params:nic", GONE),), RESTARTED),
    Change(
        "prefix length of the VIP", (("resources:ip_shared:params:cidr_netmask", 25),), RESTARTED
    ),
    Change(
        "reloadable parameter",
        (("resources:spare:params:fake", "two"),),
        ("reload spare on freeswitch-dev",),
    ),
    Change(
        "parameter that can't be reloaded",
        (("resources:spare:params:state", "/run/other"),),
        ("restart spare on freeswitch-dev",),
    ),
    Change(
        "reloadable parameter of a clone",
        (("resources:watch:params", {"fake": "two"}),),
        ("reload watch:0 on freeswitch-dev", "reload watch:1 on ubuntu-v20z"),
    ),
    Change(
        "parameter of a promotable clone",
        (("resources:state:params", {"state": "/run/other"}),),
        ("restart state:0 on freeswitch-dev", "restart state:1 on ubuntu-v20z"),
    ),
    # --- operations
    Change("monitor interval", (("resources:fs:operations:0:interval", "7s"),)),
    Change("monitor timeout", (("resources:fs:operations:0:timeout", "25s"),)),
    Change("start timeout", (("resources:fs:operations:1:timeout", "80s"),)),
    Change("on-fail of a monitor", (("resources:ip_shared:operations:0:on-fail", "standby"),)),
    Change(
        "second monitor", (("resources:fs:operations:3", {"name": "monitor", "interval": "1min"}),)
    ),
    Change("monitor switched off", (("resources:fs:operations:0:enabled", False),)),
    Change("monitor left out", (("resources:spare:operations", GONE),)),
    Change("default timeout of operations", (("op_defaults", {"timeout": "30s"}),)),
    # --- meta attributes
    Change("migration-threshold", (("resources:fs:meta", {"migration-threshold": 3}),)),
    Change("stickiness", (("rsc_defaults:resource-stickiness", 200),)),
    Change("defaults left out", (("rsc_defaults", GONE),)),
    Change(
        "resource disabled",
        (("resources:spare:meta", {"target-role": "Stopped"}),),
        ("stop spare on freeswitch-dev",),
    ),
    Change("group disabled", (("groups:VoiceServices:meta", {"target-role": "Stopped"}),), STOPPED),
    Change(
        "promotable clone held back",
        (("clones:state-clone:meta:target-role", "Unpromoted"),),
        ("demote state:0 on freeswitch-dev",),
    ),
    Change("resource unmanaged", (("resources:fs:meta", {"is-managed": False}),)),
    Change(
        "parameter of an unmanaged resource",
        (("resources:spare:params:state", "/run/other"),),
        given=(("resources:spare:meta", {"is-managed": False}),),
    ),
    Change("resource not critical", (("resources:fs:meta", {"critical": False}),)),
    # --- preferences and bans; the stickiness of the group is that of both members
    Change("preference below the stickiness", (_location(PASSIVE, 150),)),
    Change("preference above the stickiness", (_location(PASSIVE, 250),), MOVED),
    Change("infinite preference", (_location(PASSIVE, "INFINITY"),), MOVED),
    Change(
        "preference flipped below the stickiness",
        (_location(PASSIVE, 50),),
        given=(_location(ACTIVE, 50),),
    ),
    Change(
        "infinite preference flipped",
        (_location(PASSIVE, "INFINITY"),),
        MOVED,
        given=(_location(ACTIVE, "INFINITY"),),
    ),
    Change(
        "preference left out",
        (("locations:where", GONE),),
        given=(_location(ACTIVE, "INFINITY"),),
    ),
    Change(
        "stickiness below a preference",
        (("rsc_defaults:resource-stickiness", 10),),
        MOVED,
        given=(_location(PASSIVE, 50),),
    ),
    Change("active node forbidden", (_location(ACTIVE, "-INFINITY"),), MOVED),
    Change("active node forbidden to a member", (_location(ACTIVE, "-INFINITY", "fs"),), MOVED),
    Change("passive node forbidden", (_location(PASSIVE, "-INFINITY"),)),
    Change("active node forbidden by rule", (_ban(f"#uname eq {ACTIVE}"),), MOVED),
    Change(
        "node attribute that a rule looks at",
        (_nodes("attributes", "site", "west", "east"),),
        MOVED,
        given=(_nodes("attributes", "site", "east", "west"), _ban("site ne east")),
    ),
    Change("node attribute of no use", (_nodes("attributes", "site", "east", "west"),)),
    Change(
        "active node in standby",
        (_nodes("attributes", "standby", "on", "off"),),
        (*MOVED, "stop watch:1 on ubuntu-v20z", "stop state:1 on ubuntu-v20z"),
    ),
    Change(
        "preference of the promoted role",
        (_location(ACTIVE, 100, "state-clone", role="Promoted"),),
        ("demote state:0 on freeswitch-dev", "promote state:1 on ubuntu-v20z"),
    ),
    Change(
        "node forbidden to a clone",
        (_location(ACTIVE, "-INFINITY", "watch-clone"),),
        ("stop watch:1 on ubuntu-v20z",),
    ),
    # --- groups
    Change("order in the group", (_members("fs", "ip_shared"),)),
    Change(
        "member at the end",
        (SECOND, _members("ip_shared", "fs", "second")),
        ("start second on ubuntu-v20z",),
    ),
    Change(
        "member in the middle",
        (SECOND, _members("ip_shared", "second", "fs")),
        ("start second on ubuntu-v20z", "restart fs on ubuntu-v20z"),
    ),
    Change(
        "member in front",
        (SECOND, _members("second", "ip_shared", "fs")),
        ("start second on ubuntu-v20z", *RESTARTED),
    ),
    Change(
        "running resource joins the group",
        (_members("ip_shared", "fs", "spare"),),
        ("move spare from freeswitch-dev to ubuntu-v20z",),
    ),
    Change("first member leaves the group", (_members("fs"),)),
    Change("last member leaves the group", (_members("ip_shared"),)),
    Change(
        "last member removed",
        (_members("ip_shared"), ("resources:fs", GONE)),
        ("stop fs on ubuntu-v20z",),
    ),
    Change("group dissolved", (("groups", GONE),)),
    Change("group renamed", (("groups", {"voice": {"members": ["ip_shared", "fs"]}}),)),
    # --- resources
    Change(
        "agent replaced",
        (("resources:spare:agent", "ocf:heartbeat:Dummy"),),
        ("restart spare on freeswitch-dev",),
    ),
    Change(
        "agent of the switch replaced",
        (("resources:fs:agent", "systemd:freeswitch"),),
        ("restart fs on ubuntu-v20z",),
    ),
    Change("new resource", (SECOND,), ("start second on freeswitch-dev",)),
    Change("resource removed", (("resources:spare", GONE),), ("stop spare on freeswitch-dev",)),
    Change(
        "service removed",
        (("groups", GONE), ("resources:fs", GONE), ("resources:ip_shared", GONE)),
        ("stop fs on ubuntu-v20z", "stop ip_shared on ubuntu-v20z"),
    ),
    Change(
        "resource cloned",
        (("clones:spare-clone", {"resource": "spare"}),),
        ("start spare:1 on ubuntu-v20z",),
    ),
    Change(
        "resource taken from a template",
        (
            ("templates:base", {"agent": "ocf:pacemaker:Dummy", "params": {"fake": "one"}}),
            ("resources:spare:template", "base"),
            ("resources:spare:agent", GONE),
            ("resources:spare:params", GONE),
        ),
    ),
    # --- clones
    Change(
        "clone-max", (("clones:watch-clone:meta:clone-max", 1),), ("stop watch:1 on ubuntu-v20z",)
    ),
    Change("interleave", (("clones:watch-clone:meta:interleave", False),)),
    Change("notify", (("clones:watch-clone:meta:notify", True),)),
    Change(
        "promotable",
        (("clones:state-clone:meta:promotable", False),),
        ("restart state:0 on freeswitch-dev",),
    ),
    Change(
        "promoted-max",
        (("clones:state-clone:meta:promoted-max", 2),),
        ("promote state:1 on ubuntu-v20z",),
    ),
    Change(
        "clone removed",
        (("clones:watch-clone", GONE), ("resources:watch", GONE)),
        ("stop watch on freeswitch-dev", "stop watch on ubuntu-v20z"),
    ),
    # --- colocations, orders, tickets
    Change(
        "colocation",
        (_tie("spare", "VoiceServices", "INFINITY"),),
        ("move spare from freeswitch-dev to ubuntu-v20z",),
    ),
    Change(
        "colocation of the service",
        (_tie("VoiceServices", "spare", "INFINITY"),),
        ("move spare from freeswitch-dev to ubuntu-v20z",),
    ),
    Change("colocation apart", (_tie("spare", "VoiceServices", "-INFINITY"),)),
    Change("order", (("orders:first", {"first": "VoiceServices", "then": "spare"}),)),
    Change(
        "ticket that nobody has",
        (("tickets:site", {"ticket": "a", "resource": "VoiceServices", "loss-policy": "stop"}),),
        STOPPED,
    ),
    # --- the cluster as a whole
    Change("no-quorum-policy", (("properties:no-quorum-policy", "freeze"),)),
    Change("maintenance mode", (("properties:maintenance-mode", True),)),
    Change(
        "address of the VIP in maintenance mode",
        (("resources:ip_shared:params:ip", "10.101.20.218"),),
        given=(("properties:maintenance-mode", True),),
    ),
    Change("stop-all-resources", (("properties:stop-all-resources", True),), ALL_STOPPED),
    Change("symmetric-cluster", (("properties:symmetric-cluster", False),), ALL_STOPPED),
    Change("fencing without a device", (FENCING,), (REFUSED,)),
    Change("fencing with a device", (FENCING, DEVICE), ("start fence on freeswitch-dev",)),
    # --- what places nothing
    Change("tag", (("tags:voice", {"references": ["fs", "ip_shared"]}),)),
    Change(
        "permissions",
        (
            ("acl_roles:operator", {"permissions": [{"kind": "read", "xpath": "/cib"}]}),
            ("acl_users:alice", {"roles": ["operator"]}),
        ),
    ),
    Change(
        "alert",
        (
            (
                "alerts:told",
                {
                    "path": "/usr/share/pacemaker/alerts/alert_file.sh",
                    "recipients": [{"value": "/var/log/cluster-events"}],
                },
            ),
        ),
    ),
    # --- utilization
    Change("utilization", (("resources:fs:utilization", {"cpu": 2}),)),
    Change(
        "utilization that the active node can't bear",
        (
            ("properties:placement-strategy", "utilization"),
            ("resources:fs:utilization", {"cpu": 2}),
            _nodes("utilization", "cpu", 1, 4),
        ),
        MOVED,
    ),
)
