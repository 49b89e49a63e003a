"""The journal: events that stay."""

import threading

import pytest

from fshalib.errors import ArgumentError
from fshalib.events import event as events_event
from fshalib.events import journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fsha" / "journal.jsonl"


def sent(path, kind=events_event.FAILOVER, fire=lambda *_: True, **data):
    opts = {journal.OPTION: str(path)}
    events_event.send(journal.firing(fire, opts), kind, "voice", "fs1", data)


def test_an_event_is_fired_and_kept(path):
    fired = []
    sent(path, fire=lambda *event: fired.append(event), phase="started")
    assert fired[0][0] == "fsha/failover/fs1/voice"
    (entry,) = journal.read(path)
    assert (entry["kind"], entry["subject"], entry["node"]) == ("failover", "voice", "fs1")
    assert entry["data"] == {"phase": "started"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_journal_that_cant_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "fsha").write_text("", encoding="utf-8")
    fired = []
    sent(tmp_path / "fsha" / "journal.jsonl", fire=lambda *e: fired.append(e))
    assert len(fired) == 1
    assert "an event is not kept: the journal" in caplog.text


def test_a_torn_line_is_left_out(path):
    sent(path, phase="started")
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"kind":"failover","da\n[1]\n{"kind":"failover","data":3}\n{"torn')
    sent(path, phase="finished")
    assert [e["data"]["phase"] for e in journal.read(path)] == ["started", "finished"]


def test_kinds_and_the_last_ones(path):
    for number in range(5):
        sent(path, events_event.COMMIT, number=number)
    sent(path, events_event.DRIFT)
    found = journal.read(path, [events_event.COMMIT], limit=2)
    assert [e["data"]["number"] for e in found] == [3, 4]
    assert journal.read(path.with_name("none")) == []


def test_it_forgets_the_older_half(path, monkeypatch):
    monkeypatch.setattr(journal, "LARGEST", 3000)
    for number in range(100):
        sent(path, number=number)
    numbers = [e["data"]["number"] for e in journal.read(path)]
    assert numbers == list(range(numbers[0], 100))
    assert path.stat().st_size < 3300


def test_many_write_at_once(path):
    def write():
        for _ in range(20):
            sent(path, text="x" * 500)

    threads = [threading.Thread(target=write) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.read(path)) == 100


def test_switchovers_and_drills(path):
    for verb, phase in (("failover", "started"), ("failover", "finished"), ("drill", "failed"),
                        ("drill", "finished"), ("drill", "started")):  # fmt: skip
        sent(path, verb=verb, phase=phase, gap=0.4, way="back")
    sent(path, verb="drill", phase="finished", gap=0.9, way="there")
    entries = journal.read(path)
    found = journal.switchovers(entries)
    assert [(e["verb"], e["ok"]) for e in found] == [
        ("failover", True), ("drill", False), ("drill", True), ("drill", True)
    ]  # fmt: skip
    assert journal.last_drill(entries)["gap"] == 0.4
    assert journal.last_drill([]) is None


def test_the_newest_come_first(tmp_path):
    file = tmp_path / "journal"
    for number, kind in enumerate(("drift", "commit", "drift")):
        line = {"kind": kind, "data": {"number": number}}
        journal.append(file, line)
    assert [e["data"]["number"] for e in journal.newest(file, 2)] == [2, 1]
    assert [e["data"]["number"] for e in journal.newest(file, 9, "drift")] == [2, 0]


def test_what_was_done_can_be_asked_for_as_well(path):
    for verb in ("failover", "drill", "failback", "drill"):
        sent(path, verb=verb, phase="finished")
    sent(path, events_event.OPERATOR, verb="standby")
    for verb, number in (("drill", 2), ("failback", 1), ("standby", 1), ("unplanned", 0)):
        found = journal.newest(path, 9, verb)
        assert [e["data"]["verb"] for e in found] == [verb] * number
    assert len(journal.newest(path, 1, "drill")) == 1
    assert len(journal.newest(path, 9, "failover")) == 4


@pytest.mark.parametrize(
    ("limit", "kind", "said"),
    [
        (0, None, "limit: a whole"),
        (True, None, "limit: "),
        ("5", None, "limit: "),
        (1, "x", "kind: "),
    ],
)
def test_what_nobody_can_ask_for(tmp_path, limit, kind, said):
    with pytest.raises(ArgumentError, match=said):
        journal.newest(tmp_path / "journal", limit, kind)
