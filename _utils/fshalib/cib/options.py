"""The options that Pacemaker knows: cluster properties, meta attributes, operation attributes.

Facts: the metadata of Pacemaker 2.1.5's daemons, ``lib/common/options.c`` of 3.0.2, and the
schemas ``options-*.rng`` and ``resources-*.rng``. A name that 4.0 refuses (``remove-after-stop``,
``stonith-action: poweroff``) is unknown here, or read as its successor. Both the ``stonith-``
names and the ``fencing-`` names of 3.0.2 are known. Values become the one spelling that every
version's schema accepts: booleans ``true`` and ``false``, scores with ``INFINITY`` spelt out.
"""

from collections.abc import Mapping

from fshalib.cib.values import (
    BOOLEAN_EXPECTED,
    DURATION_EXPECTED,
    SCORE_EXPECTED,
    UnitError,
    duration_text,
    parse_boolean,
    parse_duration,
    parse_score,
)
from fshalib.schema.types import Choice, Field, Plain, Record, ValueType


def _duration(text: str) -> str:
    # Timeouts of Pacemaker 2.1 know no ISO 8601, so that spelling is not passed on.
    milliseconds = parse_duration(text)
    stripped = text.strip()
    return duration_text(milliseconds) if stripped.startswith("P") else stripped


def _timeout(text: str) -> str:
    return "-1" if text.strip() == "-1" else _duration(text)


def _boolean(text: str) -> str:
    return "true" if parse_boolean(text) else "false"


def _percentage(text: str) -> str:
    digits = text.strip().removesuffix("%").strip()
    if not (digits.isascii() and digits.isdigit() and int(digits[:4]) <= 100):
        raise UnitError(text, "a percentage")
    return f"{int(digits)}%"


def _integer(text: str) -> str:
    digits = text.strip()
    if not digits.removeprefix("-").isdecimal() or not digits.isascii() or len(digits) > 10:
        raise UnitError(text, "a whole number")
    return str(int(digits))


def _plain_word(text: str) -> str:
    if not text.strip():
        raise UnitError(text, "text")
    return text


SCORE = Plain(SCORE_EXPECTED, parse_score, hidden=False)
DURATION = Plain(DURATION_EXPECTED, _duration, hidden=False)
TIMEOUT = Plain(DURATION_EXPECTED.replace(")", ", or -1)"), _timeout, hidden=False)
BOOLEAN = Plain(BOOLEAN_EXPECTED, _boolean, hidden=False)
PERCENTAGE = Plain("a percentage (80%)", _percentage, hidden=False)
INTEGER = Plain("a whole number", _integer, hidden=False)
STRING = Plain("text", _plain_word)
_ROLES = ("Stopped", "Started", "Promoted", "Unpromoted", "Master", "Slave")
ROLE = Choice(_ROLES)
# crmsh wrote it to take an operator's role back; the cluster reads it as no value.
TARGET_ROLE = Choice((*_ROLES, "#default"))

_FENCING_ACTION = Choice(("reboot", "off"), {"poweroff": "off"})


def _option(kind: ValueType, theirs: str, doc: str) -> Field:
    return Field(kind, doc, theirs=theirs)


PROPERTY_ALIASES: Mapping[str, str] = {
    "fencing-enabled": "stonith-enabled",
    "fencing-action": "stonith-action",
    "fencing-timeout": "stonith-timeout",
    "fencing-max-attempts": "stonith-max-attempts",
    "fencing-watchdog-timeout": "stonith-watchdog-timeout",
    "fencing-reaction": "fence-reaction",
    "stop-removed-resources": "stop-orphan-resources",
    "cancel-removed-actions": "stop-orphan-actions",
}
"""Names of Pacemaker 3.0.2 and the older names that all versions understand."""

SERVER_WRITTEN = frozenset(
    {"dc-version", "cluster-infrastructure", "cluster-name", "have-watchdog", "last-lrm-refresh"}
)
"""Properties that the cluster writes itself: accepted in a pillar, and left alone."""

WITHOUT_EFFECT = frozenset({"expected-quorum-votes"})
"""Properties that the schema refuses since Pacemaker 2.0 (options-3.0.rng), for corosync counts
the votes: accepted in a pillar, and left alone."""

PROPERTIES: Mapping[str, Field] = {
    "no-quorum-policy": _option(
        Choice(("stop", "freeze", "ignore", "demote", "fence", "suicide")), "stop",
        "what a node does with its resources when it has no quorum"),
    "stonith-enabled": _option(BOOLEAN, "true", "whether failed nodes are fenced"),
    "stonith-action": _option(_FENCING_ACTION, "reboot", "what fencing does to a node"),
    "stonith-timeout": _option(DURATION, "60s", "how long fencing may take"),
    "stonith-max-attempts": _option(
        SCORE, "10", "how often fencing of a node is tried before the cluster stops trying"),
    "stonith-watchdog-timeout": _option(
        TIMEOUT, "0",
        "when a lost node counts as fenced by its own watchdog; needs sbd on every node, see "
        "have-watchdog"),
    "fence-reaction": _option(
        Choice(("stop", "panic")), "stop", "what a node does if it learns that it was fenced"),
    "concurrent-fencing": _option(BOOLEAN, "false", "whether several nodes are fenced at once"),
    "startup-fencing": _option(
        BOOLEAN, "true", "whether nodes that were never seen are fenced at the start"),
    "priority-fencing-delay": _option(
        DURATION, "0s", "head start in a fencing race for the node with the weightier resources"),
    "fence-remote-without-quorum": _option(
        BOOLEAN, "false", "whether remote nodes may be fenced without quorum"),
    "symmetric-cluster": _option(BOOLEAN, "true", "whether resources may run on any node"),
    "maintenance-mode": _option(
        BOOLEAN, "false", "whether the cluster leaves all resources alone"),
    "start-failure-is-fatal": _option(
        BOOLEAN, "true", "whether one failed start bans a resource from the node"),
    "enable-startup-probes": _option(
        BOOLEAN, "true", "whether a starting node is checked for running resources"),
    "shutdown-lock": _option(
        BOOLEAN, "false", "whether resources wait for a node that was shut down cleanly"),
    "shutdown-lock-limit": _option(DURATION, "0", "how long they wait; 0: for ever"),
    "stop-all-resources": _option(BOOLEAN, "false", "whether everything is stopped"),
    "stop-orphan-resources": _option(
        BOOLEAN, "true", "whether resources without a configuration are stopped"),
    "stop-orphan-actions": _option(
        BOOLEAN, "true", "whether operations without a configuration are cancelled"),
    "cluster-recheck-interval": _option(
        DURATION, "15min", "how often time-based settings, such as failure-timeout, are checked"),
    "cluster-delay": _option(DURATION, "60s", "estimated round trip of an action on the network"),
    "dc-deadtime": _option(DURATION, "20s", "how long a starting node waits for the others"),
    "election-timeout": _option(DURATION, "2min", "how long the election of a DC may take"),
    "shutdown-escalation": _option(DURATION, "20min", "how long a node's shutdown may take"),
    "join-integration-timeout": _option(DURATION, "3min", "do not change this"),
    "join-finalization-timeout": _option(DURATION, "30min", "do not change this"),
    "transition-delay": _option(DURATION, "0s", "pause before a transition starts"),
    "node-pending-timeout": _option(
        DURATION, "0s", "how long a node may be a member without joining before it is fenced"),
    "load-threshold": _option(PERCENTAGE, "80%", "CPU load above which fewer actions are run"),
    "node-action-limit": _option(INTEGER, "0", "actions at once per node; 0: twice the cores"),
    "batch-limit": _option(INTEGER, "0", "actions at once in the cluster; 0: by load"),
    "migration-limit": _option(INTEGER, "-1", "live migrations at once per node"),
    "placement-strategy": _option(
        Choice(("default", "utilization", "minimal", "balanced")), "default",
        "how resources are spread over nodes"),
    "node-health-strategy": _option(
        Choice(("none", "migrate-on-red", "only-green", "progressive", "custom")), "none",
        "how health attributes of nodes count"),
    "node-health-base": _option(SCORE, "0", "base score with strategy progressive"),
    "node-health-green": _option(SCORE, "0", "score of a green health attribute"),
    "node-health-yellow": _option(SCORE, "0", "score of a yellow health attribute"),
    "node-health-red": _option(SCORE, "-INFINITY", "score of a red health attribute"),
    "enable-acl": _option(BOOLEAN, "false", "whether access control lists are enforced"),
    "cluster-ipc-limit": _option(INTEGER, "500", "backlog of a client before it is cut off"),
    "pe-error-series-max": _option(INTEGER, "-1", "inputs kept of transitions with errors"),
    "pe-warn-series-max": _option(INTEGER, "5000", "inputs kept of transitions with warnings"),
    "pe-input-series-max": _option(INTEGER, "4000", "inputs kept of other transitions"),
    **{
        name: _option(STRING, "", "the cluster writes it; accepted and ignored")
        for name in sorted(SERVER_WRITTEN)
    },
    "have-watchdog": _option(
        STRING, "",
        "the cluster writes it; beside stonith-watchdog-timeout, true says that sbd runs on every "
        "node; accepted and ignored"),
    "expected-quorum-votes": _option(
        STRING, "", "obsolete, because corosync counts the votes; accepted and ignored"),
}  # fmt: skip

META: Mapping[str, Field] = {
    "target-role": _option(
        TARGET_ROLE, "Started",
        "the state that the cluster keeps the resource in"),
    "resource-stickiness": _option(
        SCORE, "0 (1 for a clone)", "how much a resource prefers to stay where it runs"),
    "migration-threshold": _option(
        SCORE, "INFINITY", "failures on a node after which the resource leaves it"),
    "failure-timeout": _option(DURATION, "0", "time after which a failure is forgotten; 0: never"),
    "priority": _option(SCORE, "0", "which resources are kept when not all can run"),
    "is-managed": _option(BOOLEAN, "true", "whether the cluster may start and stop the resource"),
    "maintenance": _option(BOOLEAN, "false", "whether the cluster leaves the resource alone"),
    "critical": _option(
        BOOLEAN, "true", "true: its failure moves the group; false: it only stops this resource"),
    "multiple-active": _option(
        Choice(("block", "stop_only", "stop_start", "stop_unexpected")), "stop_start",
        "what happens if the resource runs twice"),
    "requires": _option(
        Choice(("nothing", "quorum", "fencing", "unfencing")), "by fencing",
        "what must be true before the resource may start"),
    "allow-migrate": _option(BOOLEAN, "by agent", "whether the resource may move live"),
    "allow-unhealthy-nodes": _option(
        BOOLEAN, "false", "whether the resource ignores the health of nodes"),
    "clone-max": _option(INTEGER, "nodes", "clone: how many instances run"),
    "clone-node-max": _option(INTEGER, "1", "clone: how many of them on one node"),
    "clone-min": _option(INTEGER, "0", "clone: how many must run before what depends on it"),
    "globally-unique": _option(BOOLEAN, "false", "clone: whether instances differ"),
    "ordered": _option(BOOLEAN, "false", "clone: whether instances start one after the other"),
    "interleave": _option(
        BOOLEAN, "false", "clone: whether what depends on it waits for its own node only"),
    "notify": _option(BOOLEAN, "false", "clone: whether instances are notified of each other"),
    "promotable": _option(BOOLEAN, "false", "clone: whether instances have two roles"),
    "promoted-max": _option(INTEGER, "1", "promotable clone: how many are promoted"),
    "promoted-node-max": _option(INTEGER, "1", "promotable clone: how many on one node"),
    "master-max": _option(INTEGER, "1", "older name of promoted-max"),
    "master-node-max": _option(INTEGER, "1", "older name of promoted-node-max"),
    "container-attribute-target": _option(STRING, "", "for bundles"),
    "remote-node": _option(STRING, "", "name of the guest node, if the resource is one"),
    "remote-addr": _option(STRING, "", "address of the guest node"),
    "remote-port": _option(INTEGER, "3121", "port of the guest node"),
    "remote-connect-timeout": _option(DURATION, "60s", "timeout of the connection to the guest"),
    "remote-allow-migrate": _option(BOOLEAN, "true", "whether the guest node may move live"),
}  # fmt: skip

_NAME = Plain("the name of an operation (monitor, start, stop, …)", _plain_word, hidden=False)

OPERATION: Mapping[str, Field] = {
    "name": Field(_NAME, "monitor, start, stop, …", example="monitor"),
    "interval": _option(DURATION, "0s", "pause between two runs; 0: only when needed"),
    "timeout": _option(DURATION, "20s", "how long it may take before it counts as failed"),
    "on-fail": _option(
        Choice(("ignore", "block", "demote", "stop", "restart", "standby", "fence",
                "restart-container")), "restart (stop: fence, or block without fencing)",
        "what happens when it fails"),
    "enabled": _option(BOOLEAN, "true", "whether the operation runs at all"),
    "record-pending": _option(BOOLEAN, "true", "whether it is shown while it runs"),
    "role": _option(ROLE, "", "only for resources in this role"),
    "start-delay": _option(DURATION, "0s", "wait before the first run; do not use"),
    "interval-origin": _option(STRING, "", "time that intervals count from (ISO 8601)"),
    "description": _option(STRING, "", "a note for people"),
}  # fmt: skip


def section(fields: Mapping[str, Field], expected: str) -> Record:
    """Return the options as a section of the pillar."""
    aliases = PROPERTY_ALIASES if fields is PROPERTIES else {}
    return Record(fields, expected, aliases)
