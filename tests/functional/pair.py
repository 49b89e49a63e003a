"""The pair of the sample CIB, as states."""

PROPERTIES = ("cib-bootstrap-options", "pacemaker_property", "present")
DEFAULTS = ("rsc-options", "pacemaker_property", "resource_defaults")
VIP = ("ip_shared", "pacemaker_resource", "present")
FS = ("fs", "pacemaker_resource", "present")
GROUP = ("VoiceServices", "pacemaker_resource", "present")
LOCATION = ("voice-prefers-fs1", "pacemaker_constraint", "location")

VALUES = {
    PROPERTIES: {"values": {"stonith-enabled": False}},
    DEFAULTS: {"values": {"resource-stickiness": 100}},
    VIP: {
        "agent": "ocf:heartbeat:IPaddr2",
        "params": {"ip": "10.101.20.219"},
        "operations": [{"name": "monitor", "interval": 5, "timeout": "20s"}],
    },
    FS: {"agent": "lsb:FSSofia", "operations": [{"name": "monitor", "interval": "5s"}]},
    GROUP: {"members": ["ip_shared", "fs"]},
    LOCATION: {"resource": "VoiceServices", "node": "fs1", "score": 50},
}


def states(transaction="voice", changed=None, without=(), **committed):
    """Return the pair's states, staged and committed as one transaction.

    changed
        State → the values that it has instead.
    without
        States to leave out.
    committed
        Arguments of ``pacemaker_cib.committed``.
    """
    values = {**VALUES, **(changed or {})}
    staged = [
        (*state, {**kwargs, "transaction": transaction})
        for state, kwargs in values.items()
        if state not in without
    ]
    return [*staged, (transaction, "pacemaker_cib", "committed", {"complete": True, **committed})]
