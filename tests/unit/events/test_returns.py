"""What states return."""

from fshalib.events import returns


def test_what_states_return():
    changes = {"a": {"old": 1, "new": 2}}
    assert returns.unchanged("n", "fine") == {
        "name": "n",
        "result": True,
        "changes": {},
        "comment": "fine",
    }
    assert returns.changed("n", changes, "c", test=True)["result"] is None
    assert returns.changed("n", changes, "c", test=False)["result"] is True
    assert returns.changed("n", changes, "c", test=True)["changes"] == changes
    assert returns.failed("n", "bad")["result"] is False
    assert returns.failed("n", "bad", changes)["changes"] == changes
    assert returns.not_yet("n", "wait")["result"] is None
