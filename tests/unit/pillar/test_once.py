"""The pillar is checked once in a run, and no other pillar gets its result."""

import copy
import importlib
import sys

import pytest

import fshalib
from fshalib.lint import runner
from fshalib.pillar import config, once
from fshalib.schema.report import ConfigErrors
from tests.unit.pillars import full


@pytest.fixture
def checks(monkeypatch):
    """The pillars that were checked."""
    made = []
    check = config.check

    def counted(raw):
        made.append(raw)
        return check(raw)

    monkeypatch.setattr(config, "check", counted)
    monkeypatch.setattr(once, "_LAST", {})
    return made


def test_the_same_pillar_is_checked_once(checks):
    first = once.checked(full())
    assert once.checked(copy.deepcopy(full())) is first
    assert len(checks) == 1
    assert first == config.check(full())


def _calls_as_a_flag(raw):
    raw["guard"] = {"calls": True}


def _nodes_the_other_way_round(raw):
    raw["nodes"] = dict(reversed(raw["nodes"].items()))


def _another_password(raw):
    raw["freeswitch"] = {**raw.get("freeswitch", {}), "password": "another-one"}


def test_a_pillar_that_was_changed_in_place_is_checked_again(checks):
    raw = full()
    first = once.checked(raw)
    _another_password(raw)
    assert once.checked(raw).freeswitch.password == "another-one" != first.freeswitch.password
    assert len(checks) == 2


def test_the_order_of_nodes_makes_another_pillar(checks):
    raw = full()
    first = once.checked(raw)
    _nodes_the_other_way_round(raw)
    assert [node.name for node in once.checked(raw).nodes] == ["fs2", "fs1"]
    assert [node.name for node in first.nodes] == ["fs1", "fs2"]


def test_true_is_not_taken_for_one(checks):
    raw = {**full(), "guard": {"calls": 1}}
    once.checked(raw)
    _calls_as_a_flag(raw)
    with pytest.raises(ConfigErrors, match="fsha:guard:calls"):
        once.checked(raw)


@pytest.mark.parametrize("raw", [None, "text", [], {}, {"nodes": {"\ud800": {}}}])
def test_a_mistake_is_told_each_time(raw, checks):
    for _ in range(2):
        with pytest.raises(ConfigErrors):
            once.checked(raw)
    assert len(checks) == 2


def test_only_the_last_pillar_is_kept(checks):
    once.checked(full())
    once.checked({**full(), "guard": {"calls": 1}})
    once.checked(full())
    assert len(checks) == 3


def test_who_reads_the_result_leaves_it_as_it_is(checks):
    kept = once.checked(full())
    before = repr(kept)
    runner.lint(kept)
    kept.pacemaker.primitives()
    assert repr(kept) == before


def test_a_newer_library_checks_anew(monkeypatch):
    known = {
        name: module for name, module in sys.modules.items() if name.split(".")[0] == "fshalib"
    }
    package = dict(vars(fshalib))
    old = once.checked(full())
    try:
        monkeypatch.setattr(fshalib, "_at_import", {})
        importlib.reload(fshalib)
        from fshalib.pillar import config as new_config
        from fshalib.pillar import once as new_once

        made = new_once.checked(full())
        assert isinstance(made, new_config.Config)
        assert not isinstance(old, new_config.Config)
        assert once.checked(full()) is old
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "fshalib"]:
            del sys.modules[name]
        sys.modules.update(known)
        vars(fshalib).update(package)
