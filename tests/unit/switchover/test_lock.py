"""One operation at a time, with an attrd of the test's own."""

import dataclasses
import itertools
import json
import os
import subprocess
from xml.sax.saxutils import quoteattr

import pytest

from fshalib.pacemaker import tools
from fshalib.switchover import lock
from fshalib.switchover.lock import BEAT, SILENT, Busy, Holder, RunningVerb
from fshalib.system import programs

NOW = 1_800_000_000.0


class Attrd:
    """The attribute on all nodes, written and asked by its tools."""

    def __init__(self, locks):
        self.locks = locks
        self.values = {}
        self.before_query = []

    def __call__(self, argv, **_):
        told = dict(itertools.pairwise(argv))
        code, out = 0, ""
        if "--query" in argv:
            while self.before_query:
                self.before_query.pop()()
            lines = [
                f"<attribute name={quoteattr(told['--name'])} host={quoteattr(host)} "
                f"value={quoteattr(value)}/>"
                for host, value in self.values.items()
            ]
            code = 0 if lines else programs.EX_CONFIG
            out = f"<pacemaker-result>{''.join(lines)}</pacemaker-result>"
        elif "--delete" in argv:
            self.values.pop(told["--node"], None)
        else:
            self.values[told["--node"]] = told["--update"]
        return programs.Completed(tuple(argv), code, out, "", 0.0)


@pytest.fixture
def attrd(monkeypatch, tmp_path):
    monkeypatch.delenv(tools.CIB_FILE, raising=False)
    monkeypatch.setattr(lock, "TWICE", 0.1)
    monkeypatch.setattr(lock, "_SILENT", set())
    return Attrd(tmp_path / "run")


def operation(node="fs1", by="alice", since=NOW, **more):
    return RunningVerb("failover", by, node, "voice", "fs1", "fs2", since, since, **more)


def hold(attrd, what, now=NOW):
    return Holder(what, attrd, lambda: now, attrd.locks / what.node)


def test_it_is_there_while_it_lasts(attrd):
    with hold(attrd, operation()) as held:
        assert lock.known(attrd) == (held.running,)
        held.phase(lock.MOVE)
        (seen,) = lock.known(attrd)
        assert (seen.phase, seen.by, seen.new) == ("move", "alice", "fs2")
    assert attrd.values == {}


def test_what_moves_nothing_is_told_without_a_way_back():
    drain = dataclasses.replace(operation(), verb="drain", old="", new="", phase="drain")
    said = lock.description(drain, NOW + SILENT + 1)
    assert "fsha.undrain there takes them again" in said
    assert "fsha.failback" not in said


def test_what_is_broken_off_stays_as_interrupted(attrd):
    def interrupted(held):
        held.phase(lock.DRAIN)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hold(attrd, operation()) as held:
        interrupted(held)
    (left,) = lock.known(attrd)
    assert "WAS INTERRUPTED (phase drain)" in lock.description(left, NOW + SILENT + 1)
    assert "goes on (phase drain)" in lock.description(left, NOW)


def test_a_cluster_that_is_gone_at_the_end_changes_nothing(attrd, caplog):
    def gone(argv, **_):
        if "--delete" in argv:
            raise programs.ToolMissing(argv[0])
        return attrd(argv)

    with Holder(operation(), gone, lambda: NOW, attrd.locks / "fs1"):
        pass
    assert "not said that it has ended" in caplog.text


@pytest.mark.parametrize("node", ["fs1", "fs2"])
def test_the_second_one_is_refused_with_who_and_since_when(attrd, node):
    with hold(attrd, operation()), pytest.raises(Busy) as refused:
        hold(attrd, operation(node, "bob", NOW + 3), NOW + 3).__enter__()
    text = str(refused.value)
    assert "failover of voice from fs1 to fs2 by alice on fs1 since 08:00:00 UTC" in text
    assert attrd.values == {}


@pytest.mark.parametrize("node", ["fs1", "fs2"])
def test_of_two_at_the_same_moment_at_most_one_goes_on(attrd, node):
    first = hold(attrd, operation())

    def other():
        attrd.values[node] = operation(node, "bob", NOW + 1).text

    # Written after the first look, and before the word of the first one has come back.
    first._write, write = (lambda: (write(), other())), first._write
    with pytest.raises(Busy):
        first.__enter__()
    # What the other one wrote is still there.
    assert [o.by for o in lock.known(attrd)] == ["bob"]


def test_one_that_has_fallen_silent_was_interrupted(attrd):
    attrd.values["fs2"] = operation("fs2", "bob", phase="move").text
    later = NOW + SILENT + 1
    assert lock.interrupted("fs1", attrd, lambda: NOW) == ()
    assert [one.by for one in lock.interrupted("fs1", attrd, lambda: later)] == ["bob"]
    with hold(attrd, operation(since=later), later):
        assert len(attrd.values) == 2


def test_one_whose_node_has_another_clock_goes_on_while_it_says_so(attrd):
    bobs = operation("fs2", "bob", NOW - 1000, phase="move")
    attrd.values["fs2"] = bobs.text

    def speaking(argv, **_):
        done = attrd(argv)
        attrd.values["fs2"] = dataclasses.replace(bobs, beat=NOW - 995).text
        return done

    assert lock.interrupted("fs1", speaking, lambda: NOW) == ()
    attrd.values["fs2"] = bobs.text
    with pytest.raises(Busy, match="by bob"):
        Holder(operation(), speaking, lambda: NOW, attrd.locks / "fs1").__enter__()
    # Nobody says anything any more.
    assert [one.by for one in lock.interrupted("fs1", attrd, lambda: NOW)] == ["bob"]


def test_what_was_silent_at_two_looks_is_not_waited_for_again(attrd, monkeypatch):
    monkeypatch.setattr(lock, "TWICE", 0.2)
    attrd.values["fs2"] = operation("fs2", "bob", NOW - 1000).text
    asked = []

    def run(argv, **_):
        asked.append(argv)
        return attrd(argv)

    assert len(lock.interrupted("fs1", run, lambda: NOW)) == 1
    assert len(asked) > 2
    asked.clear()
    assert len(lock.interrupted("fs1", run, lambda: NOW)) == 1
    assert len(asked) == 1
    # A further word is another text.
    attrd.values["fs2"] = operation("fs2", "bob", NOW - 5).text
    with pytest.raises(Busy):
        hold(attrd, operation()).__enter__()


def test_it_speaks_before_it_looks_again(attrd, monkeypatch):
    """Else two that begin at once, with clocks apart, would each take the other one for dead."""
    monkeypatch.setattr(lock, "BEAT", 0.01)
    words = []

    def run(argv, **_):
        if "--update" in argv:
            words.append(argv)
            if len(words) < 4:
                return programs.Completed(tuple(argv), 0, "", "", 0.0)  # attrd is slow
        return attrd(argv)

    with Holder(operation(), run, lambda: NOW, attrd.locks / "fs1"):
        assert len(words) >= 4


def test_two_of_one_node_in_the_same_moment(attrd):
    """They would write the same attribute, and take each other's word for their own."""
    with hold(attrd, operation()), pytest.raises(Busy, match="by alice on fs1"):
        hold(attrd, operation()).__enter__()
    with hold(attrd, operation()):
        pass  # the lock was given back, by both


def test_a_lock_without_a_word_is_somebodys(attrd, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE", 0.05)
    with hold(attrd, operation()):
        attrd.values.clear()
        with pytest.raises(Busy, match="by somebody else on fs1"):
            hold(attrd, operation()).__enter__()


def test_a_lock_that_cannot_be_taken_is_one_sentence(attrd, tmp_path):
    (tmp_path / "run").write_text("no directory", encoding="utf-8")
    with pytest.raises(lock.NotLocked, match="fs1 can't be opened: "):
        hold(attrd, operation()).__enter__()


@pytest.mark.parametrize(
    ("phase", "new", "expected"),
    [("check", "fs2", False), ("drain", "fs2", False), ("move", "fs2", True),
     ("verify", "fs2", True), ("clean up", "fs2", True), ("drain", "", False)],
)  # fmt: skip
def test_how_far_it_has_got(phase, new, expected):
    one = dataclasses.replace(operation(), phase=phase, new=new)
    assert one.may_have_moved is expected


def test_of_its_own_processes_a_node_knows_at_once(attrd):
    with subprocess.Popen(["sleep", "60"]) as process:
        mark = lock.process_of(process.pid)
        one = operation(process=mark)
        assert one.goes_on(NOW, "fs1")
        process.kill()
    assert lock.process_of(process.pid) == ""
    assert not one.goes_on(NOW, "fs1")
    assert one.goes_on(NOW, "fs2")
    # Another process under that number is another one.
    mine = operation(process=f"{os.getpid()} 1")
    assert not mine.goes_on(NOW, "fs1")


def test_it_says_again_that_it_goes_on(attrd, monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0.01)
    clock = iter(range(10**9))
    beats = (operation(), attrd, lambda: NOW + next(clock) / 100, attrd.locks / "fs1")
    with Holder(*beats) as held:
        first = held.running.beat
        lock.poll.until(lambda: held.running.beat, lambda b: b > first + 0.1, 5)
        assert held.running.beat > first + 0.1
    assert BEAT < SILENT / 2


@pytest.mark.parametrize(
    "text", ["", "soon", "[]", "{}", json.dumps({"verb": "x"}), json.dumps({"nosuch": 1})]
)
def test_what_is_no_operation_is_none(text):
    assert lock.parse(text) is None


def test_parse_and_render():
    assert lock.parse(operation().text) == operation()
    late = dataclasses.replace(operation(), since=NOW + 1)
    assert lock.all_of([late.text, "", operation().text]) == (operation(), late)
