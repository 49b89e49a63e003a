"""A switchover from first to last, with a cluster that does what a test says."""

import copy
import threading
from dataclasses import replace

import pytest
from lxml import etree

from fshalib.freeswitch import client
from fshalib.pacemaker import tools
from fshalib.pacemaker.simulate import Action, Transition
from fshalib.switchover import bans, lock, operate, verification
from fshalib.switchover import request as switchover_request
from fshalib.switchover import service as switchover_service
from fshalib.switchover.arp import ArpFinding
from fshalib.switchover.request import Bounds, Request
from fshalib.switchover.service import find_service
from fshalib.switchover.switchover import Switchover
from fshalib.system import programs
from tests.unit.switchover.fakes import Cluster, FreeSwitch, Network

GIVEN = operate.Given(None, 0.5, 0)


def switch_over(cluster, switch=None, drain=0.0, network=None, sip_port=0, **more):
    """Return what became of it, and the phases that were told."""
    told = []
    service = find_service(cluster.root)
    bounds = Bounds(timeout=1.0, sip_port=sip_port, drain=drain)
    request = Request("failover", service, "fs1", "fs2", ("fs1",), bounds, "alice", "fs1", **more)
    done = Switchover(
        request,
        cluster,
        switch or FreeSwitch(),
        lambda phase, _: told.append(phase),
        network or Network(),
    ).run()
    return done, told


def test_from_first_to_last(cluster):
    done, told = switch_over(cluster)
    assert done.result is True, done.comment
    assert told == ["started", "check", "move", "verify", "clean up", "finished"]
    assert (done.facts["old"], done.facts["new"], done.facts["hold"]) == ("fs1", "fs2", False)
    assert len(cluster.changes) == 2  # the ban, and its end
    assert [phase["name"] for phase in done.facts["phases"]] == told[1:-1]


def test_a_drain_waits_and_lets_the_standby_take_calls_again(cluster):
    switch = FreeSwitch(4, 2, 0)
    done, told = switch_over(cluster, switch, drain=30.0)
    assert done.result is True
    assert told.count("draining") == 3
    assert switch.said == ["pause", "resume"]
    assert done.facts["calls"]["drained"] is True


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (lambda cluster: cluster.puts_into_standby("fs2"), "fs2 is standby"),
        (lambda cluster: cluster.moves_to("fs2"), "has come to fs2 meanwhile"),
        (lambda cluster: cluster.moves_to(), "runs nowhere"),
    ],
)
def test_what_has_changed_in_the_drain_moves_nothing(cluster, meanwhile, said):
    switch = FreeSwitch(0)
    switch.meanwhile = lambda: meanwhile(cluster)
    done, told = switch_over(cluster, switch, drain=30.0)
    assert done.result is False
    assert done.comment.startswith("Nothing was moved: ")
    assert said in done.comment
    assert cluster.changes == []
    assert switch.said == ["pause", "resume"]
    assert told[-1] == "failed"
    assert "move" not in told


def test_a_switch_that_is_lost_in_the_drain_moves_nothing(cluster):
    switch = FreeSwitch()

    def lost():
        raise client.SwitchUnreachable("it is down")

    switch.meanwhile = lost
    done, _ = switch_over(cluster, switch, drain=30.0)
    assert done.comment.endswith("Nothing was moved.")
    assert cluster.changes == []
    assert switch.said == ["pause", "resume"]


def test_a_node_that_serves_on_takes_calls_again(cluster):
    cluster.broken = tools.NoQuorum()
    switch = FreeSwitch(0)
    done, _ = switch_over(cluster, switch, drain=30.0)
    assert done.result is False
    assert "was broken off: " in done.comment
    assert "a ban may be left" in done.comment
    assert switch.said == ["pause", "resume"]


def test_without_a_drain_the_switch_is_left_alone(cluster):
    cluster.broken = programs.ToolMissing("cibadmin")
    switch = FreeSwitch()
    switch_over(cluster, switch)
    assert switch.said == []


def test_an_earlier_switchover_that_was_interrupted_is_put_right(cluster):
    def operation(service, new):
        way = ("failover", "bob", "fs2", service, "fs2", new)
        return lock.RunningVerb(*way, since=1.0, beat=1.0).text

    kept = {"fs3": operation("Other", "fs1"), "fs4": operation("VoiceServices", "")}
    cluster.attributes["fsha-operation"] = {"fs2": operation("VoiceServices", "fs1"), **kept}
    assert switch_over(cluster)[0].result is True
    assert cluster.attributes["fsha-operation"] == kept


def test_what_was_interrupted_after_its_move_is_finished(cluster):
    cluster.moves_to("fs2")
    done, told = switch_over(cluster, moved=True)
    assert done.result is True
    assert "what was interrupted is done" in done.comment
    assert told == ["started", "verify", "clean up", "finished"]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"silent": "10.101.20.219"}, "nobody answers SIP on 10.101.20.219 port 5060"),
        ({"arp": ArpFinding("second", "another host answers")}, "another host answers"),
        (
            {"silent": "10.101.20.219", "cut_off": "eth0 of this node has no link"},
            "whether 10.101.20.219 answers can't be seen from here: eth0 of this node has no link",
        ),
    ],
)
def test_what_does_not_serve_there_is_said(cluster, faults, said, monkeypatch):
    monkeypatch.setattr(verification, "SIP_PATIENCE", 0.0)
    done, told = switch_over(cluster, network=Network(**faults), sip_port=5060)
    assert done.result is False
    assert done.comment.startswith(f"VoiceServices runs on fs2, but {said}. Look at fsha.status on")
    assert done.facts["why"] == said
    assert told[-1] == "failed"


WEB = "10.101.20.220"
VIP = "10.101.20.219"


class Answering(Network):
    """A network on which only some addresses take calls, before the move and after it."""

    def __init__(self, cluster, before, after):
        super().__init__()
        self.cluster, self.before, self.after = cluster, before, after

    def served(self, address, _port, _seconds):
        moved = self.cluster.seen.active("VoiceServices") == ("fs2",)
        return address in (self.after if moved else self.before)


@pytest.mark.parametrize(
    ("before", "after", "silent"),
    [
        ([VIP], [VIP], []),  # the second address has something else than SIP
        ([WEB], [WEB], []),
        ([VIP, WEB], [VIP, WEB], []),
        ([VIP, WEB], [VIP], [WEB]),
        ([VIP], [], [VIP]),
        ([VIP], [WEB], [VIP]),
        ([], [VIP], []),  # what did not answer before is the reason to move, as a rule
        ([], [], [VIP, WEB]),
    ],
)
def test_what_answered_before_the_move_has_to_answer_after_it(
    cluster, before, after, silent, monkeypatch
):
    for name in ("SIP_PATIENCE", "BEFORE_PATIENCE"):
        monkeypatch.setattr(verification, name, 0.0)
    group = cluster.root.find("configuration/resources/group")
    group.append(
        etree.fromstring(
            '<primitive id="web_ip" class="ocf" provider="heartbeat" type="IPaddr2">'
            '<instance_attributes id="web_ip-i">'
            f'<nvpair id="web_ip-i-ip" name="ip" value="{WEB}"/></instance_attributes></primitive>'
        )
    )
    web = replace(cluster.seen.resources[0], id="web_ip")
    cluster.seen = replace(cluster.seen, resources=(*cluster.seen.resources, web))
    places = {**cluster.moved.placement, "web_ip": ("fs2",)}
    cluster.moved = replace(cluster.moved, placement=places)
    network = Answering(cluster, before, after)
    done, _ = switch_over(cluster, network=network, sip_port=5060)
    assert done.result is (not silent)
    assert [vip for vip in (VIP, WEB) if f"nobody answers SIP on {vip} port" in done.comment] == (
        silent
    )


class Watched(Network):
    """An address that a watch has asked for before anybody else has his answer."""

    def __init__(self, cluster, silent_on=""):
        super().__init__()
        self.cluster, self.silent_on = cluster, silent_on
        self.watched = threading.Event()

    def served(self, address, port, seconds):
        node = self.cluster.seen.serving("VoiceServices")
        if node == "fs2" and seconds == verification.WATCH_SECONDS:
            self.watched.set()
        elif node == "fs2":
            assert self.watched.wait(10)
        return node != self.silent_on


def test_a_silence_that_went_on_before_is_not_told_as_the_gap_of_the_switchover(cluster):
    done, _ = switch_over(cluster, network=Watched(cluster, silent_on="fs1"), sip_port=5060)
    assert done.result is True
    assert done.facts["silent_before"] is True
    said = f"No new call was taken for at least {done.facts['gap']:g} s: 10.101.20.219 did not "
    assert f"{said}answer when the switchover began." in done.comment


def test_an_address_that_answered_has_its_gap_measured(cluster):
    done, _ = switch_over(cluster, network=Watched(cluster), sip_port=5060)
    assert "silent_before" not in done.facts
    assert f"No new call was taken for {done.facts['gap']:g} s." in done.comment


# --- killed at any point ---------------------------------------------------------------------


class Killed(BaseException):
    """The process is no more."""


class World(Cluster):
    """A pair that does what its CIB says, until a write that does not come to its end."""

    def __init__(self, status, pair, *, home=""):
        super().__init__(status, pair)
        self.home = home
        self.on_file = True
        self.writes = 0
        self.last_write = None
        self.torn = False
        self.moves = 0

    def running_verbs(self):
        return (self.running,) if self.running else ()

    def going_on(self, _me):
        return ()

    def forget(self, _name, _node):
        self.running = None

    def _count(self):
        self.writes += 1
        if self.writes == self.last_write and not self.torn:
            raise Killed

    def _end(self):
        if self.writes == self.last_write and self.torn:
            raise Killed

    def change(self, edit):
        self._count()
        self.root = edit(self.root)
        self._end()
        self.settle()

    def note(self, name, value, nodes):
        self._count()
        for state in self.root.iter("node_state"):
            if state.get("uname") in nodes:
                holder = state.find("transient_attributes/instance_attributes")
                if holder is None:
                    holder = etree.SubElement(
                        etree.SubElement(state, "transient_attributes"), "instance_attributes"
                    )
                for pair in holder.findall(f"nvpair[@name='{name}']"):
                    holder.remove(pair)
                etree.SubElement(holder, "nvpair", name=name, value=value)
        self._end()

    def place(self, root):
        """Return where a CIB puts the service, ``""`` for nowhere."""
        banned = set(bans.bans_of(root, "VoiceServices"))
        nodes = [self.home, *self.seen.active("VoiceServices"), "fs1", "fs2"]
        return next((node for node in nodes if node and node not in banned), "")

    def settle(self, _seconds=0):
        node = self.place(self.root)
        self.moves += node != self.seen.serving("VoiceServices")
        self.moves_to(*([node] if node else []))

    def simulate(self, root):
        place = self.place(root)
        there = self.seen.serving("VoiceServices") == place
        actions = () if there else (Action("move", "ip_shared", place),)
        return Transition(actions, dict.fromkeys(("ip_shared", "fs"), (place,) if place else ()))


@pytest.fixture
def world(cluster, status):
    """Return what makes a pair; the service's home is where it goes when nothing keeps it away."""
    return lambda home="": World(status, copy.deepcopy(cluster.root), home=home)


def give(world, verb):
    """Give an request as a person does; return what became of it, or why it was refused."""
    arguments = switchover_request.Arguments(Bounds(timeout=0.5, sip_port=0), "alice", "fs1")
    interrupted = (world.running,) if world.running else ()
    try:
        if verb == "failover":
            request, _ = switchover_request.failover(
                world.seen, world.root, arguments, None, interrupted, world.simulate
            )
        else:
            request, _ = switchover_request.failback(
                world.seen, world.root, arguments, world.simulate
            )
    except switchover_service.SwitchoverRefused as refused:
        return str(refused)
    return Switchover(request, world, FreeSwitch(), lambda *_: None, Network()).run()


@pytest.mark.parametrize("torn", [False, True], ids=["before it", "behind it"])
@pytest.mark.parametrize("home", ["", "fs2"], ids=["stays", "is held"])
def test_a_failback_of_what_was_killed_leaves_it_where_it_was(world, context, home, torn):
    """An earlier switchover has noted the way that the killed one was about to go."""
    last_write = 0
    while True:
        last_write += 1
        made = world(home)
        assert give(made, "failover").result is True
        assert made.seen.serving("VoiceServices") == "fs2"
        made.writes, made.last_write, made.torn = 0, last_write, torn
        try:
            give(made, "failover")
        except Killed:
            made.last_write = None
        else:
            break
        moves = made.moves
        was = made.seen.serving("VoiceServices")
        done = operate.failback(context(cluster=made), GIVEN, False)
        assert (done["result"], made.running) == (True, None), (last_write, done)
        assert made.seen.serving("VoiceServices") == "fs2", (last_write, done)
        assert made.bans() == set()
        if was == "fs2":
            assert made.moves == moves, (last_write, done)
            assert "it is forgotten" in done["comment"]
    assert last_write > 5


@pytest.mark.parametrize("home", ["", "fs1"], ids=["stays", "is held"])
@pytest.mark.parametrize("verb", ["failover", "failback"])
@pytest.mark.parametrize("forgotten", [False, True], ids=["known", "forgotten"])
@pytest.mark.parametrize("resolver", ["failover", "failback"])
def test_wherever_it_is_killed_a_further_order_resolves_it(world, home, verb, forgotten, resolver):
    """Both verbs are tried in turn, as a person would; one of them has to bring it in request."""
    last_write = 0
    while True:
        last_write += 1
        made = world(home)
        if verb == "failback":
            assert give(made, "failover").result is True
            assert made.bans() == ({"fs1"} if home else set())
        made.writes, made.last_write = 0, last_write
        try:
            done = give(made, verb)
        except Killed:
            made.last_write = None
        else:
            assert done.result is True
            break
        if forgotten:
            made.running = None  # its node was restarted since
        first = give(made, resolver)
        second = "failback" if resolver == "failover" else "failover"
        told = [first] if getattr(first, "result", False) else [first, give(made, second)]
        assert getattr(told[-1], "result", False) is True, (last_write, told)
        # It serves, and nothing is left but a hold that is wanted and can be undone.
        assert made.seen.serving("VoiceServices")
        if made.bans():
            assert give(made, "failback").result is True
        assert made.bans() == set()
    assert last_write > 5
