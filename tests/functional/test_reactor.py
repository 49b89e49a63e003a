"""The reactor of docs/events.md, word for word, in Salt's own reactor."""

import re
from pathlib import Path

import pytest
import salt.config
import salt.loader
import salt.utils.reactor
import yaml

from tests.functional.pair import states

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/events.md").read_text(encoding="utf-8")
# By the path in a block's first line.
FILES = dict(re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", TEXT, re.M | re.S))
NODES = {"fs1": {"addresses": ["10.101.20.110/24"]}, "fs2": {"addresses": ["10.101.20.220/24"]}}
# The minions have other names than their nodes; a second pair has the same master.
PILLARS = {
    "fs1.example.com": {"fsha": {"nodes": NODES}},
    "fs2.example.com": {"fsha": {"nodes": NODES}},
    "pbx1.example.com": {"fsha": {"nodes": {"pbx1": {}, "pbx2": {}}}},
    "web.example.com": {},
}


@pytest.fixture(scope="module")
def reactor(tmp_path_factory):
    """Salt's reactor, with both files of docs/events.md where the document puts them."""
    root = tmp_path_factory.mktemp("master")
    (root / "srv/reactor").mkdir(parents=True)
    (root / "srv/reactor/fsha.sls").write_text(FILES["reactor/fsha.sls"], encoding="utf-8")
    opts = salt.config.master_config(None)
    opts.update(root_dir=str(root), cachedir=str(root / "cache"), sock_dir=str(root / "run"))
    opts.update(extension_modules=str(root / "cache/extmods"), pki_dir=str(root / "pki"))
    opts.update(file_roots={"base": [str(root / "srv")]}, lazy_loader_strict_matching=True)
    opts.update(yaml.safe_load(FILES["/etc/salt/master.d/fsha.conf"]))
    return salt.utils.reactor.Reactor(opts)


@pytest.fixture
def react(reactor):
    """Return a function that gives the reactor an event and returns its orders."""

    def run(tag, event):
        data = {"id": event["minion"], "tag": tag, "data": event}
        return reactor.reactions(tag, data, reactor.list_reactors(tag))

    return run


@pytest.fixture
def minions(opts):
    """Return a function that returns the minions that an order goes to."""

    def match(order):
        assert order["tgt_type"] == "compound"
        return {
            name
            for name, pillar in PILLARS.items()
            if salt.loader.matchers({**opts, "id": name, "pillar": pillar, "grains": {}})[
                "compound_match.match"
            ](order["tgt"])
        }

    return match


@pytest.fixture
def drifted(high, pillar, cib_file, events):
    """The event of a test run that has found a drift, from the minion fs1.example.com."""
    pillar["fsha"] = {"nodes": NODES}
    high(*states())
    cib_file.by_hand("crm_attribute", "-n", "stonith-enabled", "-v", "true")
    events()
    high(*states(), test=True)
    ((tag, event),) = events()
    return tag.replace("/fs1/", "/fs1.example.com/"), {**event, "minion": "fs1.example.com"}


def test_drift_is_corrected_on_both_nodes_of_the_pair(react, minions, drifted):
    # The DC has sent the event; only the node that carries the calls may be able to correct it.
    (order,) = react(*drifted)
    assert minions(order) == {"fs1.example.com", "fs2.example.com"}
    assert order["state"] == "local"
    assert order["fun"] == "state.apply"
    assert order["arg"] == ["fsha"]
    assert order["kwarg"] == {"queue": True}


def file_drift(**more):
    data = {"resource": "corosync.conf", "action": "would_change", "changes": {}, "reason": ""}
    return "fsha/drift/fs2.example.com/corosync.conf", {
        "kind": "drift", "minion": "fs2.example.com", "test": True, "data": data, **more,
    }  # fmt: skip


def test_a_file_is_corrected_on_the_node_that_has_it(react, minions):
    (order,) = react(*file_drift())
    assert minions(order) == {"fs2.example.com"}


def test_what_a_run_has_corrected_is_left_alone(react):
    assert react(*file_drift(test=False)) == []


def test_other_peoples_objects_are_left_alone(react, drifted):
    tag, event = drifted
    event["data"].update(action="reported", drifted=[], unmanaged=["theirs"])
    assert react(tag, event) == []
