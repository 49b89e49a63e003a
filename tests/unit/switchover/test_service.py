"""A switchover's decisions: what moves, where to, why not, and by which ban."""

import dataclasses

import pytest
from lxml import etree

from fshalib.cib import document, read
from fshalib.pacemaker import simulate as pacemaker_simulate
from fshalib.pacemaker.simulate import Action, Transition, parse_transition
from fshalib.pacemaker.status import FailCount
from fshalib.switchover.bans import (
    ban_id,
    bans,
    bans_of,
    by_hand,
    held,
    is_held,
    rebanned,
    with_bans,
)
from fshalib.switchover.preflight import (
    choose_target,
    has_failed,
    is_lost,
    obstacles,
    simulate,
    stays,
    unproven,
    would_serve,
)
from fshalib.switchover.service import Service, SwitchoverRefused, find_service, previous_node

VOICE = Service("VoiceServices", ("ip_shared", "fs"), ("10.101.20.219",))


def cib(resources):
    return document.parse(
        f"<cib><configuration><resources>{resources}</resources></configuration></cib>"
    )


VIP = '<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>'
OTHER = '<primitive id="x" class="ocf" provider="heartbeat" type="Dummy"/>'


def test_the_service_is_the_group_that_holds_freeswitch(pair):
    assert find_service(pair) == VOICE
    assert find_service(pair, "VoiceServices") == VOICE


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({}, 0),
        ({"stop_mode": "recover", "drain_time": "30"}, 0),
        ({"stop_mode": "drain"}, 60),
        ({"stop_mode": "drain", "drain_time": "300"}, 300),
    ],
)
def test_a_stop_may_wait_for_calls(told, seconds):
    pairs = "".join(f'<nvpair name="{name}" value="{text}"/>' for name, text in told.items())
    fs = (
        '<primitive id="fs" class="ocf" provider="fsha" type="FSSofia">'
        f"<instance_attributes>{pairs}</instance_attributes></primitive>"
    )
    assert find_service(cib(f'<group id="g">{VIP}{fs}</group>')).drain == seconds


def test_without_freeswitch_it_is_what_holds_the_floating_address():
    assert find_service(cib(VIP + OTHER)).id == "vip"
    switch = '<clone id="c"><primitive id="s" class="systemd" type="freeswitch"/></clone>'
    voice = f'<group id="g">{VIP}<primitive id="fs" class="lsb" type="FSSofia"/></group>'
    assert find_service(cib(switch + voice)).id == "g"


def test_an_address_of_ipv6_alone_is_part_of_the_service():
    pair = '<nvpair name="ipv6addr" value="2001:db8::1/64"/>'
    vip = (
        '<primitive id="vip" class="ocf" provider="heartbeat" type="IPv6addr">'
        f"<instance_attributes>{pair}</instance_attributes></primitive>"
    )
    clone = '<clone id="c"><primitive id="s" class="systemd" type="freeswitch"/></clone>'
    service = find_service(cib(vip + clone))
    assert (service.id, service.vips) == ("vip", ("2001:db8::1",))


def test_beside_a_clone_of_the_switch_it_is_what_holds_the_floating_address():
    clone = '<clone id="c"><primitive id="fs" class="systemd" type="freeswitch"/></clone>'
    assert find_service(cib(VIP + clone)).id == "vip"
    assert find_service(cib(clone)).id == "c"


@pytest.mark.parametrize(
    ("resources", "name", "reason"),
    [
        ("", None, "it is not clear what to switch over (resources: none)"),
        (OTHER, None, "it is not clear what to switch over (resources: x)"),
        (
            VIP + VIP.replace("vip", "vip2"),
            None,
            "(resources: vip, vip2); name one with resource=ID",
        ),
        (VIP + OTHER, "nix", "there is no resource nix (resources: vip, x)"),
    ],
)
def test_a_service_that_is_not_clear_is_refused(resources, name, reason):
    with pytest.raises(SwitchoverRefused) as caught:
        find_service(cib(resources), name)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("Nothing was moved: ")


TIED = '<rsc_colocation id="c" score="INFINITY" rsc="fs" with-rsc="vip"/>'


def tied(constraints=TIED, more=""):
    """Return an address and a switch that no group holds."""
    fs = '<primitive id="fs" class="systemd" type="freeswitch.service"/>'
    root = cib(VIP + fs + more)
    section = etree.SubElement(root.find("configuration"), "constraints")
    section.extend(etree.fromstring(f"<x>{constraints}</x>"))
    return root


def test_what_a_colocation_ties_is_one_service():
    service = find_service(tied())
    assert (service.id, service.members) == ("fs", ("vip", "fs"))
    assert (service.bases, service.parts) == (("vip",), ("vip", "fs"))
    assert service.starts_switch
    assert find_service(tied(), "vip") == service
    assert find_service(tied(""), "vip").members == ("vip",)


def test_only_what_serves_counts_of_all_that_runs_beside_it():
    web = TIED.replace('"c"', '"w"').replace('rsc="fs"', 'rsc="x"')
    assert find_service(tied(TIED + web, OTHER)).members == ("vip", "fs")
    other = web.replace('with-rsc="vip"', 'with-rsc="fs"').replace('rsc="x"', 'rsc="vip2"')
    ip = VIP.replace('"vip"', '"vip2"')
    assert find_service(tied(TIED + other, ip)).members == ("vip", "fs", "vip2")


def test_without_a_known_freeswitch_all_beside_an_address_counts():
    own = tied()
    next(e for e in own.iter("primitive") if e.get("id") == "fs").set("type", "voice.service")
    service = find_service(own)
    assert (service.id, service.members, service.bases) == ("vip", ("vip", "fs"), ("vip",))


def test_addresses_that_are_tied_are_one_service_beside_a_clone_of_the_switch():
    clone = '<clone id="cl"><primitive id="s" class="systemd" type="freeswitch.service"/></clone>'
    ip = VIP.replace('"vip"', '"vip2"')
    root = cib(VIP + ip + clone)
    section = etree.SubElement(root.find("configuration"), "constraints")
    for rsc, other in (("vip", "cl"), ("vip2", "cl"), ("vip2", "vip")):
        attributes = {"id": f"{rsc}-{other}", "score": "INFINITY", "rsc": rsc, "with-rsc": other}
        etree.SubElement(section, "rsc_colocation", attributes)
    service = find_service(root)
    assert (service.id, service.members, service.starts_switch) == ("vip", ("vip", "vip2"), False)


def test_a_hold_on_the_base_is_the_services_and_a_ban_of_another_part_is_not():
    service = find_service(tied())
    banned = with_bans(tied(), service, ["fs1"])
    assert [e.get("id") for e in banned.iter("rsc_location")] == ["cli-ban-vip-on-fs1"]
    assert bans(banned, service) == {"fs1": {"vip": "cli-ban-vip-on-fs1"}}
    etree.SubElement(
        banned.find("configuration/constraints"),
        "rsc_location",
        {"id": "cli-ban-fs-on-fs2", "rsc": "fs", "node": "fs2", "score": "-INFINITY"},
    )
    noted = "".join(
        f'<nvpair id="{n}" name="fsha-banned-{n}" value="{v}"/>'
        for n, v in (("vip", "fs1"), ("fs", "-"))
    )
    banned.append(
        etree.fromstring(
            '<status><node_state id="1" uname="fs1"><transient_attributes id="1">'
            f'<instance_attributes id="s">{noted}</instance_attributes></transient_attributes>'
            "</node_state></status>"
        )
    )
    assert held(banned, service) == ["fs1"]
    assert by_hand(banned, service, "fs1") == {}
    assert by_hand(banned, service, "fs2") == {"fs": "cli-ban-fs-on-fs2"}
    lifted = rebanned(banned, service, [], ["fs1", "fs2"])
    assert list(lifted.iter("rsc_location")) == []


# --- bans ------------------------------------------------------------------------------------


def test_a_ban_is_written_and_lifted_without_a_trace(pair):
    before = document.render(pair)
    banned = with_bans(pair, VOICE, ["fs1"])
    assert document.render(pair) == before
    assert bans_of(banned, "VoiceServices") == {"fs1": "cli-ban-VoiceServices-on-fs1"}
    element = read.find(banned, ban_id("VoiceServices", "fs1"))
    assert dict(element.attrib) == {
        "id": "cli-ban-VoiceServices-on-fs1",
        "rsc": "VoiceServices",
        "role": "Started",
        "node": "fs1",
        "score": "-INFINITY",
    }
    assert with_bans(banned, VOICE, []).xpath("count(//rsc_location)") == 1
    assert with_bans(banned, VOICE, ["fs1"]).xpath("count(//rsc_location)") == 2


def test_one_ban_takes_the_place_of_another(pair):
    there = with_bans(pair, VOICE, ["fs1"])
    back = with_bans(there, VOICE, ["fs2"])
    assert bans_of(back, "VoiceServices") == {"fs2": "cli-ban-VoiceServices-on-fs2"}


def test_a_ban_with_a_lifetime_names_its_node_in_its_id_only(pair):
    constraints = pair.find("configuration/constraints")
    constraints.append(
        etree.fromstring(
            '<rsc_location id="cli-ban-VoiceServices-on-fs2" rsc="VoiceServices" role="Started">'
            '<rule id="r" score="-INFINITY"><expression id="e" attribute="#uname" operation="eq" '
            'value="fs2"/><date_expression id="d" operation="lt" end="2040-01-01"/></rule>'
            "</rsc_location>"
        )
    )
    assert bans_of(pair, "VoiceServices") == {"fs2": "cli-ban-VoiceServices-on-fs2"}


def test_bans_of_other_resources_and_preferences_are_no_bans(pair):
    other = with_bans(pair, Service("VoiceServices-on", (), ()), ["fs1"])
    assert bans_of(other, "VoiceServices") == {}
    assert bans_of(with_bans(other, VOICE, []), "VoiceServices-on") != {}


# --- where to --------------------------------------------------------------------------------


def test_in_a_pair_the_target_is_the_other_node(status):
    assert choose_target(status, "fs1", None) == "fs2"
    assert choose_target(status, "fs1", "fs2") == "fs2"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("fs1", "the service runs on fs1 already"),
        ("fs9", "fs9 is no node of this cluster (nodes: fs1, fs2)"),
    ],
)
def test_a_target_that_cannot_be_is_refused(status, target, reason):
    with pytest.raises(SwitchoverRefused) as caught:
        choose_target(status, "fs1", target)
    assert caught.value.reasons == (reason,)


def test_among_three_nodes_a_target_has_to_be_named(status):
    third = dataclasses.replace(status.nodes[1], name="fs3")
    more = dataclasses.replace(status, nodes=(*status.nodes, third))
    with pytest.raises(SwitchoverRefused, match="one of: fs2, fs3"):
        choose_target(more, "fs1", None)
    alone = dataclasses.replace(status, nodes=status.nodes[:1])
    with pytest.raises(SwitchoverRefused, match="no other node"):
        choose_target(alone, "fs1", None)


# --- whether ---------------------------------------------------------------------------------


def test_a_healthy_peer_has_no_obstacles(status):
    assert obstacles(status, VOICE, "fs2") == ()


@pytest.mark.parametrize(
    ("flag", "word"),
    [
        ({"standby": True}, "standby"),
        ({"online": False}, "OFFLINE"),
        ({"unclean": True}, "UNCLEAN"),
        ({"pending": True}, "pending"),
        ({"maintenance": True}, "maintenance"),
    ],
)
def test_a_peer_that_is_not_online_is_an_obstacle(status, flag, word):
    peer = dataclasses.replace(status.nodes[1], **flag)
    seen = dataclasses.replace(status, nodes=(status.nodes[0], peer))
    assert obstacles(seen, VOICE, "fs2") == (f"fs2 is {word}",)


def test_every_obstacle_is_told(status):
    parts = tuple(dataclasses.replace(part, managed=False) for part in status.resources)
    counts = (
        FailCount("fs", "fs2", "1000000"),
        FailCount("fs", "fs1", "3"),
        FailCount("other", "fs2", "1"),
    )
    seen = dataclasses.replace(
        status, quorate=False, maintenance=True, resources=parts, fail_counts=counts
    )
    found = obstacles(seen, VOICE, "fs9")
    assert found == (
        "fs9 is unknown",
        "the cluster has no quorum",
        "the cluster is in maintenance mode",
        "ip_shared is not managed by the cluster",
        "fs is not managed by the cluster",
    )
    (failed,) = (text for text in obstacles(seen, VOICE, "fs2") if "fail count" in text)
    assert failed.startswith("fs has failed on fs2 (fail count 1000000)")
    assert "crm_resource --cleanup --resource fs --node fs2" in failed


def test_a_node_in_maintenance_of_its_own_can_not_be_left(status):
    nodes = tuple(dataclasses.replace(n, maintenance=n.name == "fs1") for n in status.nodes)
    parts = tuple(dataclasses.replace(r, managed=False) for r in status.resources)
    seen = dataclasses.replace(status, nodes=nodes, resources=parts)
    (found,) = obstacles(seen, VOICE, "fs2")
    assert "fs1 is in maintenance of its own" in found
    assert "'crm_attribute --node fs1 --name maintenance --delete'" in found


@pytest.mark.parametrize(
    ("held", "failed"),
    [
        ((), False),
        ((FailCount("fs", "fs2", "1"),), True),
        ((FailCount("fs", "fs1", "1"),), False),
        ((FailCount("other", "fs2", "1"),), False),
    ],
)
def test_a_target_has_failed_with_the_first_fail_count_on_it(status, held, failed):
    assert has_failed(dataclasses.replace(status, fail_counts=held), VOICE, "fs2") is failed


def test_a_target_that_is_lost(status):
    assert is_lost(status, "fs2") == ""
    away = tuple(dataclasses.replace(n, online=n.name != "fs2") for n in status.nodes)
    assert is_lost(dataclasses.replace(status, nodes=away), "fs2") == "fs2 is OFFLINE"
    assert is_lost(status, "fs9") == "fs9 is gone"


def test_where_a_transition_leaves_the_service(sample):
    moved = parse_transition(sample("transition-move.xml"))
    assert would_serve(moved, VOICE) == "fs2"
    assert not stays(moved, VOICE)
    assert stays(Transition((Action("start", "other", "fs1"),), {}), VOICE)


@pytest.mark.parametrize(
    "placement",
    [
        {},
        {"ip_shared": ("fs1",)},
        {"ip_shared": ("fs1",), "fs": ("fs2",)},
        {"ip_shared": (), "fs": ()},
        {"ip_shared": ("fs1", "fs2"), "fs": ("fs1", "fs2")},
    ],
)
def test_a_service_in_pieces_serves_nowhere(placement):
    assert would_serve(Transition((), placement), VOICE) == ""


def test_the_simulation_is_asked_about_the_cib_it_is_given(pair, sample, tools):
    tools.say("crm_simulate", out=sample("transition-move.xml"))
    assert isinstance(simulate(pair, tools), pacemaker_simulate.Transition)
    ((_argv, stdin, _env),) = tools.calls
    assert stdin == document.render(pair)


def test_the_node_before_is_remembered_on_any_node(pair):
    assert previous_node(pair, "fs2") is None
    state = next(e for e in pair.iter("node_state") if e.get("uname") == "fs2")
    state.append(
        etree.fromstring(
            '<transient_attributes id="2"><instance_attributes id="status-2">'
            '<nvpair id="s" name="fsha-previous-node" value="fs1"/></instance_attributes>'
            "</transient_attributes>"
        )
    )
    assert previous_node(pair, "fs2") == "fs1"
    assert previous_node(pair, "fs1") is None


def test_bans_of_other_nodes_stay_when_a_pairs_are_changed(pair):
    banned = with_bans(pair, VOICE, ["fs1", "fs3"])
    moved = rebanned(banned, VOICE, ["fs2"], ["fs1", "fs2"])
    assert set(bans_of(moved, "VoiceServices")) == {"fs2", "fs3"}
    assert set(bans_of(rebanned(moved, VOICE, [], ["fs2"]), "VoiceServices")) == {"fs3"}


def start(member, call, rc="0"):
    return f'<lrm_rsc_op operation="start" call-id="{call}" rc-code="{rc}" interval="0"/>', member


def monitor(member, call, rc="0", interval="5000"):
    text = (
        f'<lrm_rsc_op operation="monitor" call-id="{call}" rc-code="{rc}" interval="{interval}"/>'
    )
    return text, member


def with_history(pair, *ops):
    """Return the pair with these operations on fs2."""
    root = document.parse(document.render(pair))
    (state,) = root.findall("status/node_state[@uname='fs2']")
    for child in list(state):
        state.remove(child)
    inner = "".join(f'<lrm_resource id="{member}">{text}</lrm_resource>' for text, member in ops)
    state.append(etree.fromstring(f"<lrm><lrm_resources>{inner}</lrm_resources></lrm>"))
    return root


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        ([], ("ip_shared", "fs")),
        ([start("fs", 9), monitor("fs", 10), start("ip_shared", 8), monitor("ip_shared", 11)], ()),
        # One of two monitors has not ended, or failed.
        ([start("fs", 9), monitor("fs", 10), monitor("fs", 12, "193", "30000"),
          monitor("ip_shared", 11)], ("fs",)),
        ([monitor("ip_shared", 11), start("fs", 9), monitor("fs", 10, "7")], ("fs",)),
        # What was said before the start, and what a probe said, is no word on it.
        ([monitor("ip_shared", 11), monitor("fs", 8), start("fs", 9)], ("fs",)),
        ([monitor("ip_shared", 11), start("fs", 9), monitor("fs", 10, interval="0")], ("fs",)),
    ],
)  # fmt: skip
def test_the_agents_word_is_waited_for(pair, ops, expected):
    assert unproven(with_history(pair, *ops), VOICE, "fs2") == expected


def test_without_a_monitor_nobody_can_say_it(pair):
    root = with_history(pair)
    for op in root.findall(".//primitive[@id='fs']//op"):
        op.getparent().remove(op)
    assert unproven(root, VOICE, "fs2") == ("ip_shared",)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, False),
        ({"fsha-previous-node": "fs2"}, True),  # by an older version
        ({"fsha-previous-node": "fs2", "fsha-banned-VoiceServices": "-"}, False),
        ({"fsha-previous-node": "fs2", "fsha-banned-VoiceServices": "fs2"}, True),
        (
            {"fsha-previous-node": "fs2", "fsha-banned-VoiceServices": "fs1 fs2"},
            True,
        ),
        ({"fsha-previous-node": "fs2", "fsha-banned-VoiceServices": "fs1"}, False),
    ],
)
def test_a_ban_by_hand_is_no_hold(pair, told, expected):
    pairs = "".join(f'<nvpair id="{n}" name="{n}" value="{v}"/>' for n, v in told.items())
    next(pair.iter("node_state")).append(
        etree.fromstring(
            f'<transient_attributes id="1"><instance_attributes id="s">{pairs}'
            "</instance_attributes></transient_attributes>"
        )
    )
    assert is_held(pair, "VoiceServices", "fs2") is expected
