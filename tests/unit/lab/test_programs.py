"""Programs are run, timed, killed and found again."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from lab import cgroups, disk, processes, sh
from lab.errors import HostNotReadyError, LabCommandError, LabTimeoutError
from lab.launch import Spec
from lab.settings import Machine


def test_run_returns_all_it_said():
    done = sh.run([sys.executable, "-c", "import sys; print(input()); sys.exit(3)"], input="é",
                  check=False)  # fmt: skip
    assert (done.code, done.out, done.ok) == (3, "é\n", False)


def test_a_failure_carries_the_command():
    with pytest.raises(LabCommandError) as caught:
        sh.run(["/bin/sh", "-c", "echo why >&2; exit 4"], where="node1")
    assert caught.value.completed.code == 4
    assert "why" in str(caught.value)
    assert "node1" in str(caught.value)


def test_out_of_time_kills_the_whole_group(tmp_path):
    mark = tmp_path / "pid"
    child = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with pytest.raises(LabTimeoutError, match="waited"):
        sh.run([sys.executable, "-c", code], timeout=1.5)
    left = processes.process(int(mark.read_text()))
    assert left is None or not processes.wait_gone([left], 5)


def test_a_missing_program_names_its_package(monkeypatch):
    monkeypatch.setattr(sh, "SYSTEM_PATH", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(HostNotReadyError, match="apt-get install systemd-container"):
        sh.program("systemd-nspawn")


def test_logged_passes_lines_on_and_keeps_them(tmp_path):
    lines = []
    sh.logged(["/bin/sh", "-c", "echo a; echo b >&2"], tmp_path / "log", timeout=10,
              on_line=lines.append)  # fmt: skip
    assert sorted(lines) == ["a", "b"]
    assert sorted((tmp_path / "log").read_text().split()) == ["a", "b"]


def test_logged_failure_shows_the_end_of_the_log(tmp_path):
    with pytest.raises(LabCommandError, match="the reason"):
        sh.logged(["/bin/sh", "-c", "echo the reason; exit 1"], tmp_path / "log", timeout=10)


def test_kill_logged_ends_what_another_thread_runs(tmp_path):
    failed = threading.Event()
    started = threading.Event()

    def work():
        try:
            sh.logged(["/bin/sh", "-c", "echo go; sleep 60"], tmp_path / "log", timeout=100,
                      on_line=lambda _: started.set())  # fmt: skip
        except LabCommandError:
            failed.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert started.wait(10)
    sh.kill_logged()
    assert failed.wait(10)


def test_stream_talks_and_ends_with_stdin():
    process = sh.stream([sys.executable, "-c", "import sys\nfor l in sys.stdin: print(l, end='')"])
    assert process.stdin is not None
    process.stdin.write("hello\n")
    process.stdin.flush()
    assert process.stdout is not None
    assert process.stdout.readline() == "hello\n"
    assert sh.stop(process) == 0


def test_a_process_is_not_mistaken_for_a_later_one():
    child = subprocess.Popen(["/bin/sleep", "60"])
    seen = processes.process(child.pid)
    assert seen is not None
    assert seen.alive()
    assert not processes.Process(seen.pid, seen.started + 1).alive()
    processes.Process(seen.pid, seen.started + 1).kill()
    assert seen.alive()
    seen.kill()
    assert processes.wait_gone([seen], 5) == []
    child.wait()


def test_launchers_are_found_by_their_machine():
    argument = json.dumps({"argv": ["x", "--machine=fshalab.t1.node"]})
    code = "import time; time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code, "lab.launch", argument])
    try:
        deadline = time.monotonic() + 5
        while not processes.launchers("fshalab.t1.") and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [item.pid for item in processes.launchers("fshalab.t1.")] == [child.pid]
        assert processes.launchers("fshalab.t2.") == []
    finally:
        child.kill()
        child.wait()


def test_supervisors_are_found_by_their_machine(tmp_path):
    code = "import time; time.sleep(60)"
    argv = ["systemd-nspawn", "-c", code, "--machine=fshalab.t1.node"]
    child = subprocess.Popen(argv, executable=sys.executable)
    try:
        deadline = time.monotonic() + 5
        while not processes.supervisors("fshalab.t1.") and time.monotonic() < deadline:
            time.sleep(0.01)
        found = processes.supervisors("fshalab.t1.")
        assert {name: item.pid for name, item in found.items()} == {"fshalab.t1.node": child.pid}
        assert processes.leader(found["fshalab.t1.node"]) is None
    finally:
        child.kill()
        child.wait()


def test_memory_of_ourselves_is_some_mib():
    own = processes.process(os.getpid())
    assert own is not None
    assert processes.memory_mib([own]) > 1


def test_spec_survives_its_way_through_the_command_line():
    spec = Spec(argv=["a"], env={"B": "c"}, target="/t", binds=[("/x", "/y", True)], chroot=True)
    command, env = spec.command(own_pids=True)
    assert command[0] == "unshare"
    assert "--kill-child" in command
    told = json.loads(command[-1])
    assert told["binds"] == [["/x", "/y", True]]
    assert Spec(**told).argv == ["a"]
    assert env["PYTHONPATH"]


MOUNTS = {
    "hybrid": (
        "29 28 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "37 28 0:34 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
        "38 28 0:35 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"],
    ),
    "unified": (
        "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
        ["/sys/fs/cgroup"],
    ),
    "none": ("1 0 254:0 / / rw - ext4 /dev/vda rw\n", []),
}


@pytest.mark.parametrize("kind", MOUNTS)
def test_cgroup_hierarchies(kind):
    text, expected = MOUNTS[kind]
    assert [str(path) for path in cgroups.roots(text)] == expected


@pytest.mark.parametrize(("kib", "fits"), [(8 << 20, True), (2 << 20, False)])
def test_memory_disk_needs_room(kib, fits):
    text = f"MemTotal: 9 kB\nMemAvailable:   {kib} kB\n"
    assert disk.fits_in_memory(text) is fits
    assert disk.fits_in_memory("MemTotal: 99999999 kB\n") is False


def test_a_disk_on_disk_is_removed_with_all_in_it(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "NEEDED_AVAILABLE", 1 << 60)
    where = tmp_path / "lab"
    assert disk.create(where) is False
    (where / "a" / "b").mkdir(parents=True)
    (where / "file").write_text("")
    (where / "link").symlink_to("a")
    disk.remove(where)
    disk.remove(where)
    assert not where.exists()


def test_interface_names_fit_the_kernel():
    from lab.settings import LINKS, MACHINES

    names = [machine.port(link) for machine in MACHINES for link in LINKS]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 15
    assert Machine("x", 110).mac(LINKS[1]) == "52:54:00:65:01:6e"
