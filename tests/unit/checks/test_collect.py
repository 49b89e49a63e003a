"""What the checklist looks at: whom it asks, and what it makes of silence."""

import dataclasses
import json

import pytest

from fshalib.checks import collect, node_facts
from fshalib.checks.checklist import lines
from fshalib.cib import document
from fshalib.switchover import arp
from fshalib.system import icmp

MINE = {"node": "fs1", "at": "2026-09-01T12:00:00Z", "switch": {"running": False, "why": "down"}}
THEIRS = {**MINE, "node": "fs2", "last_drill": "2026-08-01T04:00:00Z"}
NOTED = {**THEIRS, "last_drill": "2026-07-01T04:00:00Z"}
LINKS = tuple(
    {"number": n, "node": node, "address": f"192.0.2.{n}{node[-1]}", "connected": n != 0}
    for node in ("fs1", "fs2")
    for n in range(3)
)
ANSWER = icmp.ClockAnswer(0.1, 0.01)


def noted(facts):
    attribute = f'<attribute name="{node_facts.ATTRIBUTE}" value="{{}}" host="fs2"/>'
    text = json.dumps(facts).replace('"', "&quot;")
    return f"<pacemaker-result>{attribute.format(text)}<status code='0'/></pacemaker-result>"


@pytest.fixture
def world(sample, tools):
    """The cluster would move the service; facts of fs2 are noted; fs2 answers for no address."""
    tools.say("crm_simulate", out=sample("transition-move.xml"))
    tools.say("attrd_updater", "--name", node_facts.ATTRIBUTE, out=noted(NOTED))
    tools.say("attrd_updater", out="<pacemaker-result><status code='0'/></pacemaker-result>")
    tools.say("ip", "-json", "address", out='[{"ifname": "eth0"}]')
    tools.say("ip", "-json", "link", out='[{"flags": ["UP", "LOWER_UP"]}]')
    return tools.say(arp.PROBE, code=arp.NOBODY)


def gather(status, root, tools, ask_node=lambda _: THEIRS, ask_clock=lambda _: ANSWER):
    return collect.gather(status, root, MINE, LINKS, ask_node, ask_clock, tools)


def test_the_whole_pair(status, pair, world):
    view = gather(status, pair, world)
    assert (view.me, view.active, view.peers) == ("fs1", "fs1", ("fs2",))
    assert view.facts == {"fs1": MINE, "fs2": THEIRS}
    assert view.clocks == {"fs2": ANSWER}
    assert view.arp_findings == ()
    assert view.last_drill == THEIRS["last_drill"]
    assert [action.resource for action in view.after.actions] == ["ip_shared", "fs"]
    assert {line.name for line in lines(view)} >= {"service", "vip", "failover", "offset"}


def test_a_node_that_is_silent_is_known_by_what_it_has_noted(status, pair, world):
    assert gather(status, pair, world, ask_node=lambda _: None).facts["fs2"] == NOTED


def without_fs2(status):
    away = tuple(dataclasses.replace(n, online=n.name == "fs1") for n in status.nodes)
    return dataclasses.replace(status, nodes=away)


def test_a_node_that_has_stopped_is_not_asked(status, pair, world):
    pair.find("status/node_state[@uname='fs2']").set("expected", "down")
    asked = []
    view = gather(without_fs2(status), pair, world, asked.append)
    assert asked == []
    assert view.facts["fs2"] == NOTED
    assert view.dangers == ()


def test_a_node_that_was_lost_is_asked_whether_it_is_up(status, pair, world):
    silent = gather(without_fs2(status), pair, world, lambda _: None)
    assert silent.facts["fs2"] == NOTED
    assert [danger.kind for danger in silent.dangers] == ["lost"]
    theirs = {**THEIRS, "cluster": {"serves": ["VoiceServices"], "away": ["fs1"]}}
    view = gather(without_fs2(status), pair, world, lambda _: theirs)
    assert [danger.kind for danger in view.dangers] == ["split"]
    assert [(one.verdict, one.blocks) for one in lines(view) if one.name == "holders"] == [
        ("fail", True)
    ]


def test_a_second_holder_shows_that_a_lost_node_is_up(status, pair, world):
    world.answers.pop((arp.PROBE,))
    world.say(arp.PROBE, out="02:00:00:00:00:02")
    view = gather(without_fs2(status), pair, world, lambda _: None)
    assert [danger.kind for danger in view.dangers] == ["split"]


def test_clocks_are_asked_over_the_links_that_are_connected_until_one_answers():
    asked = []
    assert collect.clocks(LINKS, "fs1", asked.append) == {"fs2": None}
    assert asked == ["192.0.2.12", "192.0.2.22"]
    assert collect.clocks(LINKS, "fs1", lambda _: ANSWER) == {"fs2": ANSWER}
    assert collect.clocks((), "fs1", asked.append) == {}


def test_without_a_service_nothing_of_it_is_asked(status, world):
    empty = document.parse(
        "<cib><configuration><resources/><constraints/></configuration><status/></cib>"
    )
    view = gather(status, empty, world)
    assert (view.service, view.active, view.after, view.arp_findings) == (None, "", None, None)
    assert world.count("ip") == 0


def test_an_address_that_is_not_in_a_network_of_this_node_is_not_asked_for(status, pair, world):
    world.answers.pop(("ip", "-json", "address"))
    world.say("ip", "-json", "address", out="[]").say("ip", "-json", "route", code=2)
    assert gather(status, pair, world).arp_findings is None
