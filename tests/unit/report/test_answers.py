"""What verbs answer, as a page."""

from fshalib.report import answers

CHECK = {"title": "Fencing", "node": "fs2", "verdict": "warn", "evidence": "none", "advice": "buy"}
ENTRY = {"at": "2026-09-01T08:00:00Z", "kind": "failover", "subject": "voice", "node": "fs1",
         "test": False}  # fmt: skip


def test_the_plan_of_a_switchover():
    plan = {"result": True, "comment": "a would move.\nNo calls are up.", "gap": None,
            "plan": {"checks": [CHECK, {**CHECK, "node": "", "advice": ""}]}}  # fmt: skip
    assert answers.switchover(plan).splitlines() == [
        "a would move.",
        "No calls are up.",
        "WARN  Fencing [fs2]: none",
        "      -> buy",
        "WARN  Fencing: none",
    ]


def test_a_switchover_that_was_refused():
    refused = {"result": False, "comment": "Nothing was moved: busy.", "gap": None}
    assert answers.switchover(refused) == "NOT DONE: Nothing was moved: busy."


def test_a_drill_with_what_each_way_has_cost():
    way = {"gap": 0.4, "phases": [{"name": "move", "seconds": 1.5}],
           "calls": {"before": 2, "expected": None, "kept": 2}}  # fmt: skip
    page = answers.drill({"result": True, "comment": "There and back.", "there": way, "back": way})
    assert page.splitlines() == [
        "There and back.",
        "there:",
        "  move        1.5 s",
        "  gap         0.4 s without a new call",
        "  call legs   2 were up, 2 came back",
        "back:",
        "  move        1.5 s",
        "  gap         0.4 s without a new call",
        "  call legs   2 were up, 2 came back",
    ]
    assert answers.drill({"result": True, "comment": "Skipped: x."}) == "Skipped: x."


def test_the_history_has_one_line_for_each_entry():
    data = {
        "verb": "drill",
        "phase": "finished",
        "old": "fs1",
        "new": "fs2",
        "by": "al",
        "gap": 0.5,
    }
    told = {"verb": "standby", "by": "bob", "reason": "a\nline"}
    drift = {"action": "corrected", "changes": {"vip": {}}}
    page = answers.history([
        {**ENTRY, "data": data},
        {**ENTRY, "kind": "operator", "subject": "fs2", "data": told},
        {**ENTRY, "kind": "drift", "subject": "cib", "test": True, "data": drift},
    ])  # fmt: skip
    assert page.splitlines() == [
        "2026-09-01T08:00:00Z  failover voice drill finished from fs1 to fs2: by al; gap 0.5 s",
        "2026-09-01T08:00:00Z  operator fs2 standby: by bob; reason a?line",
        "2026-09-01T08:00:00Z  drift cib (test): action corrected; changes vip",
    ]
    assert answers.history([]) == "Nothing of that kind is kept on this node."


def test_what_was_noticed_is_a_sentence():
    assert answers.notice(None).startswith("Nothing new: ")
    move = {"old": "fs1", "new": "fs2", "gap": 3.0, "why": "fs1 was lost", "calls": {"kept": 4}}
    assert answers.notice(move) == (
        "It moved by itself from fs1 to fs2: fs1 was lost. It was away for 3 s. 4 calls came back."
    )
    bare = {**move, "gap": None, "calls": None}
    assert answers.notice(bare) == "It moved by itself from fs1 to fs2: fs1 was lost."
