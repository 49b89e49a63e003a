"""The runner: what it makes of what minions tell."""

import importlib.util
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from salt.exceptions import SaltInvocationError

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 9, 1, tzinfo=timezone.utc)


@pytest.fixture
def runner():
    spec = importlib.util.spec_from_file_location("runner", ROOT / "_runners" / "fsha.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__opts__ = {}
    return module


def told(active="fs1", cluster="voice", nodes=("fs1", "fs2"), legs=3, verdict="pass", **more):
    return {
        "fsha.status": {
            "cluster": cluster,
            "nodes": [{"name": name} for name in nodes],
            "service": {"node": active},
            "profiles": {"internal": legs, "external": None},
            "actions": {"actions": []},
            "last_drill": "2026-08-20T00:00:00Z",
            **more,
        },
        "fsha.check": {"verdict": verdict, "summary": "OK: 21 checks"},
    }


def test_a_pair_in_one_line(runner):
    found = runner._pairs({"fs1": told(), "fs2": told(legs=0, verdict="warn")})
    (pair,) = found
    assert (pair["cluster"], pair["active"], pair["calls"]) == ("voice", "fs1", 3)
    assert runner._line(pair, NOW) == (
        "voice: fs1 serves; PASS; 3 call legs; nothing held; drill 12 days ago"
    )


def test_a_minion_that_does_not_answer(runner):
    actions = {"actions": [{"kind": "hold"}, {"kind": "standby"}, {"kind": "hold"}]}
    more = {"actions": actions, "last_drill": ""}
    web = "'fsha.status' is not there"
    (pair,) = runner._pairs({"fs2": told(**more), "fs1": False, "web": web})
    assert runner._line(pair, NOW) == (
        "voice: fs1 serves; PASS; calls ?; hold, standby; no drill on record; no answer from fs1"
    )
    assert runner._chosen(pair) == "fs2"


def test_minions_have_names_of_their_own(runner):
    domain = "example.com"
    answers = {f"{n}.{domain}": told("fs2", node=n, legs=5 if n == "fs2" else 0)
               for n in ("fs1", "fs2")}  # fmt: skip
    (pair,) = runner._pairs(answers)
    assert (pair["active"], pair["calls"], pair["silent"]) == ("fs2", 5, [])
    assert runner._chosen(pair) == "fs2.example.com"


def test_a_pair_that_cannot_be_asked_says_why(runner, client):
    trace = (
        "Traceback (most recent call last):\n  File x\n"
        "salt.exceptions.CommandExecutionError: Pacemaker does not run on this node.\n"
    )
    client.answers = {
        "fs1": {"fsha.status": trace, "fsha.check": {}},
        "web": {"fsha.status": "KeyError: 'fsha.status'"},
        "db": False,
    }
    assert runner.status() == "fs1: Pacemaker does not run on this node."
    client.answers["fs2"] = told("")
    assert "no answer from fs1" in runner.status()
    assert "fs1: Pacemaker does not run" in runner.status()


def test_pairs_of_one_name_are_kept_apart(runner):
    answers = {"a1": told("a1", nodes=("a1", "a2")), "b1": told("", nodes=("b1", "b2"))}
    found = runner._pairs(answers)
    assert [pair["nodes"] for pair in found] == [["a1", "a2"], ["b1", "b2"]]
    assert "DOES NOT SERVE" in runner._line(found[1], NOW)


class Client:
    def __init__(self, answers, moved=None):
        self.answers, self.moved, self.asked = answers, moved, []

    def cmd(self, tgt, fun, *args, **kwargs):
        self.asked.append((tgt, fun, kwargs.get("kwarg")))
        return self.answers if isinstance(fun, list) else {tgt: self.moved}


@pytest.fixture
def client(runner, monkeypatch):
    found = Client({"fs1": told(), "fs2": told()}, {"result": True, "comment": "moved"})
    module = SimpleNamespace(client=SimpleNamespace(get_local_client=lambda **_: found))
    monkeypatch.setattr(runner, "salt", module)
    return found


def test_the_node_that_serves_is_asked_to_move_it(runner, client):
    done = runner.failover("voice", drain=30)
    assert done == {"result": True, "comment": "moved", "minion": "fs1"}
    tgt, fun, kwarg = client.asked[-1]
    assert (tgt, fun, kwarg["drain"]) == ("fs1", "fsha.failover", 30)
    assert kwarg["by"].endswith("(master)")


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        (["nosuch"], {}, "knows a pair 'nosuch'"),
        (["voice"], {"drain": "soon"}, "have to be numbers"),
    ],
)
def test_what_cannot_be_moves_nothing(runner, client, args, kwargs, said):
    done = runner.failover(*args, **kwargs)
    assert done["result"] is False
    assert said in done["comment"]
    assert all(isinstance(fun, list) for _, fun, _ in client.asked)


@pytest.mark.parametrize("test", [None, True, False])
def test_a_test_is_what_the_minion_is_set_to_unless_it_is_said(runner, client, test):
    runner.failover("voice", test=test)
    assert client.asked[-1][2]["test"] is test


def test_two_pairs_of_one_name_move_neither(runner, client):
    client.answers["x1"] = told("x1", nodes=("x1", "x2"))
    assert "2 pairs are called 'voice'" in runner.failover("voice")["comment"]


def test_no_answer_says_where_to_look(runner, client):
    client.moved = None
    done = runner.failover("voice")
    assert (done["result"], done["minion"]) == (False, "fs1")
    assert done["comment"].startswith("It is not known whether it was moved: fs1 gave no answer")
    assert "salt-run fsha.status" in done["comment"]


def test_status(runner, client):
    assert runner.status().startswith("voice: fs1 serves")
    assert runner.status(as_data=True)[0]["cluster"] == "voice"
    client.answers = {}
    assert "No minion knows of a pair" in runner.status()
    with pytest.raises(SaltInvocationError):
        runner.status(timeout="soon")


# --- a pair that has split -------------------------------------------------------------------


def half(me, other, active="", state="OFFLINE", **more):
    nodes = [{"name": me, "state": "online"}, {"name": other, "state": state}]
    answer = told(active, node=me, **more)
    answer["fsha.status"]["nodes"] = nodes
    return answer


BOTH = {"fs1": half("fs1", "fs2", "fs1"), "fs2": half("fs2", "fs1", "fs2")}


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (BOTH, "fs1 and fs2 each say that they serve"),
        (
            {"fs1": half("fs1", "fs2", "fs1", "UNCLEAN"), "fs2": half("fs2", "fs1")},
            "fs1 and fs2 each see the other one as lost; fs1 says that it serves",
        ),
        (
            {"fs1": half("fs1", "fs2"), "fs2": half("fs2", "fs1")},
            "fs1 and fs2 each see the other one as lost; neither serves",
        ),
        (
            {"fs1": half("fs1", "fs2", "fs1", dangers=[{"kind": "split", "text": "SPLIT: x"}])},
            "SPLIT: x",
        ),
    ],
)
def test_two_nodes_that_contradict_each_other_have_split(runner, answers, why):
    (pair,) = runner._pairs(answers)
    assert (pair["verdict"], pair["active"], pair["split"]) == ("split", "", why)
    line = runner._line(pair, NOW)
    assert line.startswith(f"voice: THE PAIR HAS SPLIT: {why.removeprefix('SPLIT: ')}; stop Pace")
    assert "serves;" not in line.partition("; SPLIT;")[2]


@pytest.mark.parametrize(
    "answers",
    [
        {"fs1": half("fs1", "fs2", "fs1")},
        {"fs1": half("fs1", "fs2", "fs1", "pending"), "fs2": half("fs2", "fs1")},
        {"fs1": told(), "fs2": told(legs=0)},
    ],
)
def test_a_node_that_is_away_is_no_split(runner, answers):
    (pair,) = runner._pairs(answers)
    assert (pair["split"], pair["active"]) == ("", "fs1")


def test_a_pair_that_has_split_comes_first_and_is_not_moved(runner, client):
    client.answers = {"a1": told("a1", cluster="alpha", nodes=("a1", "a2")), **BOTH}
    assert runner.status().startswith("voice: THE PAIR HAS SPLIT")
    done = runner.failover("voice")
    assert done["result"] is False
    assert done["comment"].startswith("Nothing was moved: voice HAS SPLIT: fs1 and fs2 each say")
    assert all(isinstance(fun, list) for _, fun, _ in client.asked)


@pytest.mark.parametrize("value", ["nan", "inf", -1, True, None, [], "soon", float("nan")])
def test_what_is_no_time(runner, monkeypatch, value):
    with pytest.raises(SaltInvocationError, match="timeout: a number is expected"):
        runner.status(timeout=value)
    monkeypatch.setattr(
        runner, "_ask", lambda *_: {"fs1": told(cluster="5"), "fs2": told(cluster="5")}
    )
    # A name of digits comes as a number from a command line.
    for given in ({"drain": value}, {"timeout": value}):
        done = runner.failover(5, **given)
        assert "drain and timeout have to be numbers" in done["comment"]
