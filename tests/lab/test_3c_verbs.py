"""Every verb is called on a real minion, by ``salt`` and by ``salt-call``.

What only Salt does is seen only here: its own pillar, how it passes arguments and takes returns.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import voice
from lab.saltbus import arguments
from tests.functional.test_salts_view import VERBS

ONLY_LOOK = {"test": True}
"""A verb that moves or changes something only looks."""
LOOKING = {
    "fsha.failover", "fsha.failback", "fsha.drill", "fsha.drain", "fsha.undrain", "fsha.standby",
    "fsha.online", "freeswitch.pause", "freeswitch.resume", "freeswitch.recover",
}  # fmt: skip
WITHOUT = {
    f"{module}.{verb}": ONLY_LOOK if f"{module}.{verb}" in LOOKING else {}
    for module, verbs in VERBS.items()
    for verb in sorted(verbs)
}
"""All of them, with nothing said."""
NODES = {"freeswitch-dev": {"addresses": ["10.101.20.110"]}, "ubuntu-v20z": {"addresses": []}}
WITH = {
    "fsha.status": {"as_data": True},
    "fsha.plan": {"override": True},
    "fsha.lint": {"as_data": True},
    "fsha.report": {"file": "/root/pair.html"},
    "fsha.export": {"as_data": True},
    "fsha.check": {"as_data": True},
    "fsha.notice": {"as_data": True},
    "fsha.history": {"limit": 3, "kind": "failover"},
    "fsha.failover": {"timeout": 30, "sip_port": 0, "force": True, **ONLY_LOOK},
    "fsha.failback": {"timeout": 30, "by": "alice", **ONLY_LOOK},
    "fsha.drill": {"max_calls": 3, **ONLY_LOOK},
    "fsha.drain": {"seconds": 5, **ONLY_LOOK},
    "fsha.undrain": {"by": "alice", **ONLY_LOOK},
    "fsha.standby": {"reason": "new disk", "ttl": "2h", "force": True, **ONLY_LOOK},
    "fsha.online": {"node": "ubuntu-v20z", **ONLY_LOOK},
    "fsha.maintenance": {"state": "on", "reason": "a new kernel", **ONLY_LOOK},
    "pacemaker.stage": {"kind": "properties", "transaction": "mine", "id": "cib-bootstrap-options",
                        "spec": {"values": {"no-quorum-policy": "ignore"}}},
    "pacemaker.plan": {"transaction": "mine"},
    "pacemaker.restore": {"number": 1, **ONLY_LOOK},
    "pacemaker.agent": {"name": "ocf:heartbeat:IPaddr2"},
    "pacemaker.agents": {"space": "ocf:heartbeat"},
    "pacemaker.serving": {"name": "VoiceServices"},
    "corosync.faults": {"nodes": NODES},
    "corosync.config": {"path": "/etc/corosync/corosync.conf"},
    "corosync.known": {"path": "/etc/corosync/corosync.conf"},
    "corosync.test_config": {"text": "totem { version: 2 }"},
    "corosync.pending": {"path": "/etc/corosync/corosync.conf"},
    "corosync.guard": {"allow_restart": True},
    "corosync.guard_key": {"fingerprint": "0123456789abcdef"},
    "corosync.packaged_cluster": {"path": "/etc/corosync/corosync.conf"},
    "freeswitch.registrations": {"limit": 3},
    "freeswitch.config_hash": {"exclude": ["vars.xml"]},
    "freeswitch.pause": {"direction": "both", **ONLY_LOOK},
    "freeswitch.resume": {"direction": "inbound", **ONLY_LOOK},
    "freeswitch.recover": {"profile": "internal", "vips": ["10.101.20.219"], **ONLY_LOOK},
    "freeswitch.configure": {"directory": "/etc/freeswitch", **ONLY_LOOK},
}  # fmt: skip
"""Those that take something, with something."""
UNSOUND = ("Traceback", "has no attribute", "is not available", "a pillar with the key fsha")


def unsound(text):
    return [word for word in UNSOUND if word in text]


@pytest.mark.parametrize("calls", [WITHOUT, WITH], ids=["without arguments", "with arguments"])
def test_every_verb_answers_to_salt_call(quiet, calls):
    """The two nodes share the work."""
    nodes = sorted(quiet.nodes)

    def called(number, fun):
        node = quiet.nodes[nodes[number % len(nodes)]]
        argv = ["salt-call", "--out=json", fun, *arguments((), calls[fun])]
        done = node.run(argv, timeout=120, check=False)
        return fun, unsound(done.out + done.err), done

    with ThreadPoolExecutor(len(nodes)) as pool:
        answers = list(pool.map(called, range(len(calls)), calls))
    assert [(fun, words, done.err) for fun, words, done in answers if words] == []
    assert voice.serving(quiet)


@pytest.mark.parametrize("calls", [WITHOUT, WITH], ids=["without arguments", "with arguments"])
def test_every_verb_answers_to_the_master(quiet, calls):
    minion = voice.serving(quiet)

    def called(fun):
        given = arguments((), calls[fun])
        return fun, quiet.salt(minion, fun, *given, timeout=120).completed

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(called, calls))
    assert [(fun, done.out) for fun, done in answers if unsound(done.out)] == []
    assert voice.serving(quiet) == minion


def test_what_the_minions_own_pillar_says_is_told(quiet):
    node = quiet.nodes[voice.serving(quiet)]
    assert quiet.salt_call(node, "fsha.lint").value.splitlines()[-1].startswith("It will ")
    plan = quiet.salt_call(node, "fsha.plan").value
    assert (plan["result"], plan["changes"]) == (True, {})
