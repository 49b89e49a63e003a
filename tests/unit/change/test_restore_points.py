"""Restore points: numbered, whole or not there, for root's eyes only, and never in the way."""

import dataclasses
import errno
import fcntl
import json
import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fshalib.change import restore_points
from fshalib.change.restore_points import (
    RESTORE,
    HistoryError,
    HistoryUnreadable,
    HistoryUnwritable,
    NoSuchPoint,
    Note,
    Point,
    PointUnreadable,
    complete,
    discard,
    points,
    prune,
    read,
    save,
)
from fshalib.system import files as system_files

UTILS = Path(restore_points.__file__).parents[2]

NOTE = Note(
    when="2026-08-20T12:11:28Z",
    node="fs1",
    transaction="fsha",
    version="0.12.3",
    author="fs1.example.org",
    reason="state.apply",
    summary=("fs: meta:migration-threshold 3 → 5", "The cluster would then: do nothing."),
)


@pytest.fixture
def history(tmp_path):
    return tmp_path / "var" / "history"


def numbers(directory):
    return [point.number for point in points(directory)]


def files(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


# --- what is saved can be read ---------------------------------------------------------------


def test_a_point_is_read_as_it_was_saved(history):
    assert save(history, "<cib/>", NOTE) == 1
    assert read(history, 1) == ("<cib/>", Point(1, NOTE))
    assert points(history) == (Point(1, NOTE),)


@pytest.mark.parametrize(
    "cib",
    ["", "<cib a='ü→\u202e'/>\r\n\t", "<cib>\ud800</cib>", "x" * 3_000_000],
    ids=["empty", "signs", "lone surrogate", "large"],
)
def test_the_text_is_kept_to_the_last_character(history, cib):
    assert read(history, save(history, cib, NOTE))[0] == cib


def test_points_come_newest_first(history):
    for number in (1, 2, 3):
        assert save(history, f"<cib epoch='{number}'/>", NOTE) == number
    assert numbers(history) == [3, 2, 1]
    assert read(history, 2)[0] == "<cib epoch='2'/>"


def test_a_restore_is_told_from_a_commit(history):
    save(history, "<cib/>", dataclasses.replace(NOTE, kind=RESTORE, reason="restore of 7"))
    assert points(history)[0].note.kind == "restore"


def test_where_nothing_was_saved_there_are_no_points(history):
    assert points(history) == ()
    assert prune(history) == ()
    assert not history.exists()


def test_the_file_can_be_read_without_fsha(history):
    save(history, "<cib/>", NOTE)
    data = json.loads((history / "00000001.json").read_text())
    assert data["cib"] == "<cib/>"
    assert data["note"]["version"] == "0.12.3"
    assert list(data) == ["note", "cib"]


def test_only_root_can_read_them(history):
    old = os.umask(0)
    try:
        save(history, "<cib/>", NOTE)
        complete(history, 1, "0.13.0")
    finally:
        os.umask(old)
    assert stat.S_IMODE(history.stat().st_mode) == 0o700
    for path in history.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


# --- the version after it --------------------------------------------------------------------


def test_the_version_after_the_commit_is_filled_in(history):
    save(history, "<cib/>", NOTE)
    save(history, "<cib b=''/>", NOTE)
    done = complete(history, 1, "0.14.0")
    assert done == Point(1, dataclasses.replace(NOTE, committed="0.14.0"))
    assert read(history, 1) == ("<cib/>", done)
    assert read(history, 2)[1].note.committed == ""
    assert numbers(history) == [2, 1]


def test_a_point_that_is_gone_cannot_be_completed(history):
    with pytest.raises(NoSuchPoint):
        complete(history, 1, "0.14.0")
    assert not history.exists()
    save(history, "<cib/>", NOTE)
    with pytest.raises(NoSuchPoint):
        complete(history, 2, "0.14.0")
    assert numbers(history) == [1]


# --- numbers ---------------------------------------------------------------------------------


def test_the_oldest_are_pruned_and_numbers_go_on(history):
    for _ in range(25):
        save(history, "<cib/>", NOTE, keep=3)
    assert numbers(history) == [25, 24, 23]
    assert save(history, "<cib/>", NOTE, keep=3) == 26


def test_commits_that_do_not_come_to_their_end_take_no_good_point_with_them(history):
    for _ in range(3):
        complete(history, save(history, "<cib/>", NOTE, keep=4), "0.1.0")
    for _ in range(10):
        save(history, "<cib/>", NOTE, keep=4)
    assert numbers(history) == [13, 3, 2, 1]


def test_twenty_are_kept_unless_told_otherwise(history):
    for _ in range(23):
        save(history, "<cib/>", NOTE)
    assert numbers(history) == list(range(23, 3, -1))


def test_pruning_tells_what_went(history):
    for _ in range(5):
        save(history, "<cib/>", NOTE)
    assert prune(history, 2) == (3, 2, 1)
    assert prune(history, 2) == ()
    assert numbers(history) == [5, 4]


@pytest.mark.parametrize("keep", [0, -1])
def test_the_newest_point_is_never_pruned(history, keep):
    save(history, "<cib/>", NOTE)
    assert save(history, "<cib/>", NOTE, keep=keep) == 2
    assert numbers(history) == [2]


def test_a_number_is_not_used_again_when_its_point_is_removed(history):
    save(history, "<cib/>", NOTE)
    assert save(history, "<cib/>", NOTE) == 2
    discard(history, 2)
    discard(history, 2)
    assert save(history, "<cib/>", NOTE) == 3
    assert numbers(history) == [3, 1]
    for path in history.glob("*.json"):
        path.unlink()
    assert save(history, "<cib/>", NOTE) == 4


@pytest.mark.parametrize("noted", [b"", b"nonsense and more of it", b"-5", b"\xff\x00", b"0"])
def test_a_noted_number_that_makes_no_sense_is_made_good(history, noted):
    for _ in range(4):
        save(history, "<cib/>", NOTE)
    (history / ".last").write_bytes(noted)
    assert save(history, "<cib/>", NOTE) == 5
    assert (history / ".last").read_bytes() == b"00000005"
    discard(history, 5)
    assert save(history, "<cib/>", NOTE) == 6


def test_numbers_may_grow_longer_than_their_width(history):
    save(history, "<cib/>", NOTE)
    (history / ".last").write_bytes(b"99999999")
    assert save(history, "<cib/>", NOTE) == 100_000_000
    assert save(history, "<cib/>", NOTE) == 100_000_001
    assert numbers(history) == [100_000_001, 100_000_000, 1]


SAVING = """
import sys, fshalib.change.restore_points as h
from pathlib import Path
note = h.Note("2026-08-20T12:11:28Z", "fs1", "t", "0.1.0")
for i in range(15):
    number = h.save(Path(sys.argv[1]), "<cib/>" * 2000, note, keep=int(sys.argv[2]))
    if i % 5 == 4:
        h.complete(Path(sys.argv[1]), number, "0.2.0")
    print(number)
"""


def start(program, *argv):
    return subprocess.Popen(
        [sys.executable, "-c", program, *(str(arg) for arg in argv)],
        env={**os.environ, "PYTHONPATH": str(UTILS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_save_at_once_never_get_the_same_number(history):
    running = [start(SAVING, history, 1000) for _ in range(6)]
    given = []
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        given += [int(line) for line in out.split()]
    assert sorted(given) == list(range(1, 91))
    assert numbers(history) == list(range(90, 0, -1))
    assert [p.number for p in points(history) if p.note.committed] != []


def test_threads_that_save_at_once_never_get_the_same_number(history):
    given = []
    workers = [
        threading.Thread(
            target=lambda: given.extend(save(history, "<cib/>", NOTE, 99) for _ in range(5))
        )
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(given) == list(range(1, 21))


def test_whoever_lists_meanwhile_sees_whole_points_only(history):
    save(history, "<cib/>", NOTE)
    # Two are kept only, so that points go while they are being listed.
    process = start(SAVING, history, 2)
    while process.poll() is None:
        for point in points(history):
            assert point.note.when == NOTE.when
    assert process.communicate()[1] == ""
    assert len(points(history)) == 2


# --- what does not belong there --------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README", b"hello"),
        ("7.json", b"{}"),
        ("000000007.json", b"{}"),
        ("00000007.xml", b"<cib/>"),
        ("00000007.json~", b"{}"),
        ("-0000007.json", b"{}"),
        ("\u0660" * 8 + ".json", b"{}"),
        (".00000007.json.abc", b"{"),
        ("9" * 200 + ".json", b"{}"),
    ],
)
def test_foreign_files_are_left_out_and_take_no_number(history, name, content):
    save(history, "<cib/>", NOTE)
    (history / name).write_bytes(content)
    assert numbers(history) == [1]
    assert save(history, "<cib/>", NOTE) == 2


BROKEN = {
    "empty": b"",
    "torn": b'{"note": {"when": "2026',
    "no JSON": b"<cib/>",
    "no text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"42",
    "deep": b"[" * 100_000,
    "no CIB": b'{"note": {}}',
    "a CIB that is no text": b'{"note": {}, "cib": 5}',
    "no notes": b'{"cib": "<cib/>"}',
    "notes that are no mapping": b'{"cib": "<cib/>", "note": []}',
    "notes of the wrong kind": b'{"cib": "<cib/>", "note": {"when": 5}}',
    "a summary of the wrong kind": b'{"cib": "<cib/>", "note": {"summary": "x"}}',
    "a summary with a number": b'{"cib": "<cib/>", "note": {"summary": [1]}}',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_point_breaks_nothing_else(history, content):
    save(history, "<cib/>", NOTE)
    save(history, "<cib/>", NOTE)
    (history / "00000002.json").write_bytes(content)
    assert numbers(history) == [1]
    assert save(history, "<cib/>", NOTE) == 3
    with pytest.raises(PointUnreadable, match=r"^Restore point 2 can't be read: ") as caught:
        read(history, 2)
    assert caught.value.number == 2
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_what_is_no_file_is_told_and_not_waited_for(history):
    save(history, "<cib/>", NOTE)
    (history / "00000002.json").mkdir()
    os.mkfifo(history / "00000003.json")
    (history / "00000004.json").symlink_to(history / "nowhere")
    assert numbers(history) == [1]
    for number in (2, 3):
        with pytest.raises(PointUnreadable, match="no regular file"):
            read(history, number)
    with pytest.raises(NoSuchPoint):
        read(history, 4)
    assert save(history, "<cib/>", NOTE) == 5


def test_notes_of_another_version_of_fsha_are_read(history):
    save(history, "<cib/>", NOTE)
    data = {"note": {"when": NOTE.when, "more": {}}, "cib": "<cib/>", "format": 2}
    (history / "00000002.json").write_text(json.dumps(data))
    expected = Note(when=NOTE.when, node="", transaction="", version="", kind="")
    assert read(history, 2)[1].note == expected


def test_what_a_killed_process_has_left_goes_with_the_next_point(history):
    save(history, "<cib/>", NOTE)
    left = history / ".00000002.json.k4x_9"
    left.write_bytes(b'{"note":')
    others = history / ".00000002.txt"
    others.write_bytes(b"")
    assert numbers(history) == [1]
    save(history, "<cib/>", NOTE)
    assert not left.exists()
    assert others.exists()


# --- errors ----------------------------------------------------------------------------------


def test_a_number_that_is_not_there_is_told_with_those_that_are(history):
    with pytest.raises(NoSuchPoint) as caught:
        read(history, 5)
    assert str(caught.value).startswith(
        "There is no restore point 5 on this node (there are: none)"
    )
    for _ in range(3):
        save(history, "<cib/>", NOTE)
    for number in (5, 0, -1):
        with pytest.raises(NoSuchPoint) as caught:
            read(history, number)
        assert (caught.value.number, caught.value.existing) == (number, (3, 2, 1))
        said = f"There is no restore point {number} on this node (there are: 3, 2, 1). Each node "
        assert str(caught.value).startswith(f"{said}counts its own")


@pytest.mark.parametrize("function", ["replace", "mkstemp", "fsync"])
def test_a_full_disk_leaves_the_older_points_as_they_are(history, monkeypatch, function):
    save(history, "<cib/>", NOTE, keep=2)
    save(history, "<cib/>", NOTE, keep=2)
    before = {name: text for name, text in files(history).items() if name.endswith(".json")}

    def full(*_args, **_keywords):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        owner = {"replace": system_files, "mkstemp": system_files.tempfile, "fsync": os}[function]
        patched.setattr(owner, function, full)
        with pytest.raises(HistoryUnwritable) as caught:
            save(history, "<cib/>", NOTE, keep=2)
        with pytest.raises(HistoryUnwritable):
            complete(history, 2, "0.14.0")
    assert caught.value.directory == history
    assert caught.value.reason == "No space left on device"
    assert str(caught.value) == (
        f"No restore point can be written to {history}: No space left on device. "
        "Those that are there stay as they are."
    )
    after = files(history)
    after.pop(".last")
    assert after == before
    assert save(history, "<cib/>", NOTE, keep=2) > 2
    assert len(points(history)) == 2


LIMITED = """
import resource, sys, fshalib.change.restore_points as h
from pathlib import Path
note = h.Note("2026-08-20T12:11:28Z", "fs1", "t", "0.1.0")
h.save(Path(sys.argv[1]), "<cib/>", note)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    h.save(Path(sys.argv[1]), "<cib/>" * 10000, note)
except h.HistoryUnwritable as error:
    print(error.reason)
"""


def test_a_write_that_breaks_off_in_the_middle_leaves_nothing(history):
    out, err = start(LIMITED, history).communicate(timeout=60)
    assert (out, err) == ("File too large\n", "")
    assert sorted(files(history)) == [".last", "00000001.json"]
    assert numbers(history) == [1]


KILLED = """
import os, sys, fshalib.change.restore_points as h
from pathlib import Path
note = h.Note("2026-08-20T12:11:28Z", "fs1", "t", "0.1.0")
h.save(Path(sys.argv[1]), "<cib/>", note)
os.fchmod = lambda *_: os.kill(os.getpid(), 9)
h.save(Path(sys.argv[1]), "<cib/>", note)
"""


def test_a_process_that_is_killed_while_it_writes_stands_in_nobodys_way(history):
    process = start(KILLED, history)
    process.communicate(timeout=60)
    assert process.returncode == -9
    torn = [name for name in files(history) if re.match(r"\.00000002\.json\.", name)]
    assert len(torn) == 1
    assert numbers(history) == [1]
    assert save(history, "<cib/>", NOTE) == 3
    assert sorted(files(history)) == [".last", "00000001.json", "00000003.json"]


def test_points_that_cannot_be_pruned_do_not_undo_a_save(history, monkeypatch):
    save(history, "<cib/>", NOTE)

    def refuse(self, missing_ok=False):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    assert save(history, "<cib/>", NOTE, keep=1) == 2
    with pytest.raises(HistoryUnwritable, match="Operation not permitted"):
        prune(history, 1)


def test_where_no_directory_can_be_it_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "history"):
        with pytest.raises(HistoryUnwritable):
            save(directory, "<cib/>", NOTE)
        with pytest.raises(HistoryUnreadable) as caught:
            points(directory)
        assert str(caught.value) == (
            f"The restore points in {directory} can't be read: Not a directory."
        )
        with pytest.raises(HistoryUnreadable):
            read(directory, 1)


def test_a_link_in_the_place_of_the_lock_is_not_followed(history, tmp_path):
    history.mkdir(parents=True)
    (history / ".last").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HistoryUnwritable):
        save(history, "<cib/>", NOTE)
    assert not (tmp_path / "elsewhere").exists()


def test_a_lock_that_is_not_given_back_is_not_waited_for_for_ever(history, monkeypatch):
    save(history, "<cib/>", NOTE)
    monkeypatch.setattr(restore_points, "PATIENCE", 0.2)
    with (history / ".last").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(HistoryUnwritable) as caught:
            save(history, "<cib/>", NOTE)
        assert caught.value.reason == "another process has been writing for 0.2 s"
        assert numbers(history) == [1]
    assert save(history, "<cib/>", NOTE) == 2


def test_an_error_in_between_gives_the_lock_back(history, monkeypatch):
    def broken(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(system_files, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        save(history, "<cib/>", NOTE)
    monkeypatch.undo()
    monkeypatch.setattr(restore_points, "PATIENCE", 0.0)
    assert save(history, "<cib/>", NOTE) == 2


def test_no_secret_of_a_torn_point_gets_into_its_error(history):
    save(history, '<cib><nvpair name="passwd" value="hunter2"/></cib>', NOTE)
    path = history / "00000001.json"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(PointUnreadable) as caught:
        read(history, 1)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_every_error_is_one_of_the_history():
    for error in (NoSuchPoint, PointUnreadable, HistoryUnreadable, HistoryUnwritable):
        assert issubclass(error, HistoryError)
