"""A minion that is running uses a new release at its next job, without a restart.

A real master and two real minions, one that forks its jobs and one that runs them in threads, each
with a verb in its schedule. The verb of each release calls a function that only the library of the
same release has, so a job that mixes two releases fails.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import salt.client
import salt.config
import salt.utils.event
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
MINIONS = {"forks": {"multiprocessing": True}, "threads": {"multiprocessing": False}}
HOURLY = {"seconds": 3600, "run_on_start": False}
START_SECONDS = 60
JOB_SECONDS = 120
NEXT_SECONDS = 60

PROBE = """

from fshalib.events import event as _event


def probe():
    return _event.of_{release}()
"""
FLAT_LIBRARY = 'def newest():\n    return "flat"\n'
FLAT_VERB = '''import fsha_event

__virtualname__ = "fsha"


def probe():
    """Return the release of the library.

    CLI Example:

    .. code-block:: bash

        salt-call fsha.probe
    """
    return fsha_event.newest()
'''


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


class Pair:
    """A master and its minions on the loopback, with everything that they write in one folder."""

    def __init__(self, root):
        self.root = root
        self.tree = root / "srv"
        self.tree.mkdir()
        (self.tree / "top.sls").write_text("base: {'*': [fsha]}\n")
        self.publish, self.answer = free_ports(2)
        self.processes = []
        self.open = contextlib.ExitStack()

    def configure(self, kind, name, **settings):
        folder = self.root / name
        folder.mkdir()
        places = {
            "root_dir": str(folder),
            "pki_dir": str(folder / "pki"),
            "cachedir": str(folder / "cache"),
            "sock_dir": str(folder / "run"),
            "log_file": str(folder / "log"),
            "pidfile": str(folder / "pid"),
        }
        config = {**places, "user": getpass.getuser(), "publish_port": self.publish, **settings}
        (folder / kind).write_text(yaml.safe_dump(config))
        return folder

    def start(self, kind, folder):
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        # As on a host: with bytecode, for an old one must not be used either.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        program = [BIN / f"salt-{kind}", "-c", folder, "-l", "quiet"]
        self.processes.append(
            subprocess.Popen(
                program,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )

    def bring_up(self):
        master = self.configure(
            "master",
            "m",
            interface="127.0.0.1",
            ret_port=self.answer,
            open_mode=True,
            worker_threads=3,
            file_roots={"base": [str(self.tree)]},
            pillar_roots={"base": []},
            # A new file of a release is there at once.
            fileserver_list_cache_time=0,
        )
        self.start("master", master)
        opts = salt.config.master_config(str(master / "master"))
        self.bus = self.open.enter_context(
            salt.utils.event.get_event("master", opts=opts, listen=True)
        )
        assert self.bus.connect_pub(timeout=START_SECONDS), (master / "log").read_text()
        for name, settings in MINIONS.items():
            folder = self.configure(
                "minion",
                name,
                id=name,
                master="127.0.0.1",
                master_port=self.answer,
                acceptance_wait_time=1,
                random_reauth_delay=0,
                mine_enabled=False,
                enable_fqdns_grains=False,
                enable_gpu_grains=False,
                # The minion's process looks at it all the time; the test says when it runs.
                schedule={"probe": {**HOURLY, "function": "fsha.probe"}},
                **settings,
            )
            self.start("minion", folder)
        self.of_each_minion("minion_start", lambda _event: True, START_SECONDS)
        self.client = self.open.enter_context(salt.client.LocalClient(mopts=opts))

    def end(self):
        self.open.close()
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(START_SECONDS)
            finally:
                # What a daemon has left of its own session.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def job(self, function, *arguments, **named):
        """Run a job on all minions and return what each has returned."""
        returns = self.client.cmd("*", function, arguments, timeout=JOB_SECONDS, kwarg=named)
        assert set(returns) == set(MINIONS)
        return returns

    def scheduled(self):
        """Run the job of the schedule now, and return what it returns of each minion."""
        ran = self.job("schedule.run_job", "probe", force=True)
        assert all(answer["result"] for answer in ran.values()), ran
        events = self.of_each_minion(
            "salt/job/", lambda event: event.get("schedule") == "probe", NEXT_SECONDS
        )
        return {name: event["return"] for name, event in events.items()}

    def of_each_minion(self, tag, is_meant, seconds):
        """Return the first event of this kind from each minion."""
        end = time.monotonic() + seconds
        events = {}
        while set(events) != set(MINIONS):
            assert time.monotonic() < end, f"no {tag} of {set(MINIONS) - set(events)}: {events}"
            event = self.bus.get_event(wait=1, tag=tag)
            if event is not None and is_meant(event):
                events.setdefault(event["id"], event)
        return events

    def write_flat(self):
        """Write a release as they were before the library was a package."""
        for folder, name, text in (
            ("_utils", "fsha_event.py", FLAT_LIBRARY),
            ("_modules", "fsha.py", FLAT_VERB),
        ):
            (self.tree / folder).mkdir()
            (self.tree / folder / name).write_text(text)

    def write(self, release):
        """Write this formula, with a verb and a function of the library that only `release` has."""
        for name in ("_utils", "_modules", "_states", "fsha"):
            shutil.rmtree(self.tree / name, ignore_errors=True)
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.tree / name, ignore=ignored)
        with (self.tree / "_utils/fshalib/events/event.py").open("a") as library:
            library.write(f'\n\ndef of_{release}():\n    return "{release}"\n')
        with (self.tree / "_modules/fsha.py").open("a") as verbs:
            verbs.write(PROBE.format(release=release))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    running = Pair(tmp_path_factory.mktemp("up"))
    try:
        running.bring_up()
        running.write_flat()
        running.job("saltutil.sync_all")
        assert running.scheduled() == dict.fromkeys(MINIONS, "flat")
        yield running
    finally:
        running.end()


WAYS = {
    "sync_all": ("saltutil.sync_all", (), {}),
    "state.apply": ("state.apply", ("fsha",), {"test": True}),
    "highstate": ("state.highstate", (), {"test": True}),
}


# The first of them replaces the flat release, each other one the release before it.
@pytest.mark.parametrize("way", WAYS)
def test_the_next_job_is_of_the_new_release(pair, way):
    release = way.replace(".", "_")
    everywhere = dict.fromkeys(MINIONS, release)
    function, arguments, named = WAYS[way]

    pair.write(release)
    for minion, answer in pair.job(function, *arguments, **named).items():
        assert isinstance(answer, dict), (minion, answer)
    assert pair.scheduled() == everywhere
    assert pair.job("fsha.probe") == everywhere
