"""A cluster, a FreeSWITCH and a network that do what a test says."""

import contextlib
import dataclasses
import time

from fshalib.pacemaker.simulate import Transition
from fshalib.switchover import bans, lock


class Held:
    """The pair, held by a verb."""

    def __init__(self, cluster, running):
        self.cluster = cluster
        self.running = cluster.running = running

    def phase(self, name):
        self.running = self.cluster.running = dataclasses.replace(self.running, phase=name)


class Cluster:
    """A pair whose service is on fs1 until a ban of it is written."""

    on_file = False
    me = "fs1"

    def __init__(self, status, pair, moved=None):
        self.seen = status
        self.root = pair
        self.moved = moved
        self.changes = []
        self.attributes = {}
        self.broken = None
        self.running = None

    def this_node(self):
        if isinstance(self.me, Exception):
            raise self.me
        return self.me

    def status(self):
        return self.seen

    def settle(self, _seconds):
        pass

    def cib(self):
        return self.root

    def change(self, edit):
        if self.broken:
            raise self.broken
        self.root = edit(self.root)
        self.changes.append(self.root)
        if self.bans():
            self.moves_to("fs2")

    def simulate(self, root):
        return self.moved if bans.bans_of(root, "VoiceServices") else Transition((), {})

    def outcome(self, root):
        return root

    def note(self, name, value, nodes):
        self.attributes[name] = dict.fromkeys(nodes, value)

    def noted(self, name):
        return self.attributes.get(name, {})

    def forget(self, name, node):
        del self.attributes[name][node]

    def running_verbs(self):
        return lock.all_of(self.noted(lock.ATTRIBUTE).values())

    def going_on(self, _me):
        return tuple(verb for verb in self.running_verbs() if verb.goes_on(time.time()))

    def interrupted(self, me):
        alive = self.going_on(me)
        return tuple(verb for verb in self.running_verbs() if verb not in alive)

    @contextlib.contextmanager
    def hold(self, running):
        for other in self.going_on(running.node):
            raise lock.Busy(other)
        yield Held(self, running)
        self.running = None

    def bans(self):
        return set(bans.bans_of(self.root, "VoiceServices"))

    def moves_to(self, *nodes):
        moved = tuple(dataclasses.replace(r, nodes=nodes) for r in self.seen.resources)
        self.seen = dataclasses.replace(self.seen, resources=moved)

    def puts_into_standby(self, name):
        nodes = tuple(dataclasses.replace(n, standby=n.name == name) for n in self.seen.nodes)
        self.seen = dataclasses.replace(self.seen, nodes=nodes)


class FreeSwitch:
    """A FreeSWITCH that has some legs left at each look."""

    def __init__(self, *legs):
        self.left = list(legs)
        self.said = []
        self.let_in = False
        self.meanwhile = lambda: None

    def calls(self):
        return {"legs": 2, "survive": 2}

    def legs(self):
        self.meanwhile()
        return self.left.pop(0)

    def is_ready(self):
        return True

    def paused(self):
        return "pause" in self.said and not self.let_in

    def pause(self):
        self.said.append("pause")

    def resume(self):
        self.said.append("resume")


class Network:
    """A network on which every address is where it should be."""

    def __init__(self, **faults):
        self.faults = faults

    def served(self, address, _port, _seconds):
        return address != self.faults.get("silent")

    def disagreement(self, address, *, held_here):
        return self.faults.get("arp")

    def cut_off(self, address):
        return self.faults.get("cut_off", "")


class Checked:
    """A checklist on which something stands in the way, or has failed."""

    def __init__(self, obstacles=(), failures=""):
        self._obstacles, self._failures = obstacles, failures

    def obstacles(self):
        return self._obstacles

    def failures(self):
        return self._failures

    def summary(self):
        return "OK: 3 checks"

    def not_passed(self):
        return []
