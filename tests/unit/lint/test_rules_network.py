"""How the ring's packets travel, where addresses are, and how long fencing takes."""

import pytest

from fshalib.lint import rules_fencing, rules_network, runner
from fshalib.pillar import config
from tests.unit.lint.test_rules import CLEAN, FENCE, IP
from tests.unit.pillars import GONE, changed

CLEAR = ("corosync", {"transport": "udpu"})
ONE_LINK = [
    ("nodes:fs1:addresses", ["10.101.20.110/24"]),
    ("nodes:fs2:addresses", ["10.101.20.220/24"]),
    ("nodes:fs1:interfaces", {}),
]
FENCED = "pacemaker:resources:fence"
BMC = {**FENCE, "agent": "stonith:fence_ipmilan"}
SIX = f"{IP}:params:ip", "2001:db8::9"
NO_NIC = f"{IP}:params:nic", GONE
SECOND = "nodes:fs2:addresses"
CASES = [
    ([CLEAR, *ONE_LINK], "transport-udpu", "corosync:transport"),
    ([("corosync", {"transport": "udp"}), *ONE_LINK], "transport-udp", "corosync:transport"),
    ([("corosync:crypto", {"cipher": "none"})], "no-cipher", "corosync:crypto:cipher"),
    ([("corosync:crypto", {"cipher": "none", "hash": "none"}), ("corosync:authkey", GONE)],
     "no-cipher", "corosync:crypto:cipher"),
    ([("corosync:links", [{}, {"knet_transport": "sctp"}])], "link-sctp",
     "corosync:links:1:knet_transport"),
    ([(SECOND, ["10.101.22.220/24", "10.101.21.220/24"])], "routed-link", SECOND),
    ([(SECOND, ["10.101.20.220/24", "10.101.21.220/25"])], "routed-link", SECOND),
    ([(f"{IP}:params:ip", "10.9.9.9"), NO_NIC], "vip-elsewhere", f"{IP}:params:ip"),
    ([SIX, (f"{IP}:params:nodad", True)], "ipv6-announcement", IP),
    ([SIX, (f"{IP}:params:arp_bg", "yes")], "ipv6-dad", IP),
    ([(FENCED, BMC)], "slow-bmc", FENCED),
    ([(FENCED, {**BMC, "agent": "stonith:external/ipmi"})], "slow-bmc", FENCED),
    ([(FENCED, {**BMC, "agent": "stonith:fence_ilo5"}),
      ("pacemaker:properties:stonith-timeout", "5min")], "slow-bmc", FENCED),
    ([(FENCED, BMC), ("pacemaker:properties:stonith-timeout", "50s")], "short-fencing", FENCED),
    ([(FENCED, {**BMC, "params": {"pcmk_reboot_timeout": "30s"}})], "short-fencing", FENCED),
]  # fmt: skip
KNOWN = {**rules_network.KNOWN, **rules_fencing.KNOWN}


def advices(*places):
    found = runner.lint(config.check(changed(*CLEAN, *places)))
    return [advice for advice in found if advice.code in KNOWN]


@pytest.mark.parametrize(("places", "code", "where"), CASES)
def test_one_advice(places, code, where):
    assert [(a.code, a.path) for a in advices(*places)] == [(code, f"fsha:{where}")]


@pytest.mark.parametrize(
    "places",
    [
        [],
        [("corosync:links", [{"knet_transport": "udp"}])],
        # Addresses without a network of their own are meant to be routed.
        [("nodes:fs1:addresses", ["10.0.0.1/32", "10.0.1.1/32"]), ("nodes:fs1:interfaces", {}),
         (SECOND, ["10.0.0.2/32", "10.0.1.2/32"])],
        [(f"{IP}:params:ip", "10.9.9.9")],
        [(f"{IP}:params:ip", "10.9.9.9"), NO_NIC,
         ("nodes:fs2:interfaces", {"eth5": {"address": "10.9.9.1/24"}})],
        [SIX, (f"{IP}:params:arp_bg", True), (f"{IP}:params:nodad", "1")],
        [(FENCED, {**BMC, "params": {"pcmk_reboot_action": "off"}})],
        [(FENCED, {**BMC, "params": {"method": "cycle"}})],
        [(FENCED, BMC), ("pacemaker:properties:stonith-action", "off")],
        [(FENCED, {**FENCE, "agent": "stonith:fence_apc"}),
         ("pacemaker:properties:stonith-timeout", "30s")],
    ],
)  # fmt: skip
def test_nothing_to_say(places):
    assert advices(*places) == []


def test_what_is_signed_is_told_from_what_is_not():
    (signed,) = advices(("corosync:crypto", {"cipher": "none"}))
    assert signed.message == "the ring is signed, but not encrypted"
    (neither,) = advices(
        ("corosync:crypto", {"cipher": "none", "hash": "none"}), ("corosync:authkey", GONE)
    )
    assert neither.message == "the ring is neither encrypted nor signed"


def test_the_time_of_fencing_is_the_devices_own_or_that_of_all():
    (own,) = advices((FENCED, {**BMC, "params": {"pcmk_reboot_timeout": "150s"}}))
    assert "at most 150s for all" in own.message
    (default,) = advices((FENCED, BMC))
    assert "at most 60s for all" in default.message


def test_everything_known_is_found_by_some_test():
    assert {code for _, code, _ in CASES} == set(KNOWN)
