"""The only module of the lab that starts programs: argument lists, time limits, no shell."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lab.errors import HostNotReadyError, LabCommandError, LabTimeoutError
from lab.settings import HOST_PROGRAMS, PROJECT_ROOT

EXIT_TIMEOUT = 124  # as of timeout(1)
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
KILL_GRACE_SECONDS = 5.0
# A long command dies with us, even when we are killed.
WITH_US = ("setpriv", "--pdeathsig", "KILL")

_running: set[subprocess.Popen[str]] = set()
_running_lock = threading.Lock()


@dataclass(frozen=True)
class Completed:
    """A program that ended.

    ``argv`` as given by the caller, ``code`` the exit code (negative: killed by that signal,
    124: ran out of time), ``out`` and ``err`` decoded, ``seconds`` of wall clock.
    """

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    @property
    def ok(self) -> bool:
        """True when the exit code is 0."""
        return self.code == 0


def program(name: str) -> str:
    """Return the full path of a host program.

    Raises HostNotReadyError with the package to install when it is missing.
    """
    found = shutil.which(name, path=f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}")
    if found is None:
        package = HOST_PROGRAMS.get(name, name)
        raise HostNotReadyError(f"{name} is not installed: run apt-get install {package}")
    return found


def _argv(argv: Sequence[str]) -> list[str]:
    return [program(argv[0]) if "/" not in argv[0] else argv[0], *argv[1:]]


def run(
    argv: Sequence[str],
    *,
    input: str | None = None,
    timeout: float = 60,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    shown: Sequence[str] | None = None,
    where: str = "",
) -> Completed:
    """Run a program to its end and return what it said.

    Args:
        argv: program and arguments; a bare program name is looked up on the host.
        input: text for its stdin; None gives it an empty stdin.
        timeout: seconds; then the whole process group is killed.
        check: raise when the exit code is not 0.
        env: the complete environment; None keeps ours.
        shown: the argument list to show in errors (without a prefix such as nsenter).
        where: machine name for errors.

    Raises:
        LabCommandError: exit code is not 0 and *check*.
        LabTimeoutError: out of time (whatever *check* says).

    """
    started = time.monotonic()
    named = tuple(shown if shown is not None else argv)
    process = subprocess.Popen(
        _argv(argv),
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if env is None else dict(env),
        start_new_session=True,
        text=True,
        errors="replace",
    )
    try:
        out, err = process.communicate(input, timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(process)
        out, err = process.communicate()
        last = (err or out).strip()[-500:]
        what = f"the end of {' '.join(named)} {where}".strip()
        raise LabTimeoutError(what, timeout, last) from None
    except BaseException:
        kill_group(process)
        raise
    done = Completed(named, process.returncode, out, err, time.monotonic() - started)
    if check and not done.ok:
        raise LabCommandError(done, where)
    return done


def attached(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
    """Run a program on our own stdin, stdout and stderr and return its exit code."""
    process = subprocess.Popen(_argv(argv), env=None if env is None else dict(env))
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # The terminal gave the program the same interrupt: its exit code tells the outcome.
            continue
        return code if code >= 0 else 128 - code


def logged(
    argv: Sequence[str],
    log: Path,
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    shown: Sequence[str] | None = None,
) -> None:
    """Run a long program with its output going to *log*, each line also to *on_line*.

    It ends when we end, whatever ends us, and when :func:`kill_logged` is called.

    Raises LabCommandError with the end of the log when it fails, LabTimeoutError when it is late.
    """
    started = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8", errors="replace") as sink:
        process = subprocess.Popen(
            _argv([*WITH_US, *_argv(argv)]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            start_new_session=True,
            text=True,
            errors="replace",
        )
        with _running_lock:
            _running.add(process)
        try:
            tail = _pump(process, sink, on_line, started + timeout)
        except BaseException:
            kill_group(process)
            raise
        finally:
            with _running_lock:
                _running.discard(process)
    named = tuple(shown if shown is not None else argv)
    done = Completed(named, process.wait(), "\n".join(tail), "", time.monotonic() - started)
    if not done.ok:
        raise LabCommandError(done, f"this host (whole log: {log})")


def kill_logged() -> None:
    """End every program that :func:`logged` runs in any thread; its callers get an error."""
    with _running_lock:
        for process in _running:
            kill_group(process)


def _pump(
    process: subprocess.Popen[str],
    sink: IO[str],
    on_line: Callable[[str], None] | None,
    deadline: float,
) -> list[str]:
    """Copy the output line by line; return the last lines."""
    tail: list[str] = []
    assert process.stdout is not None  # noqa: S101 - sh.stream opens it as a pipe
    for line in process.stdout:
        sink.write(line)
        tail = [*tail[-40:], line.rstrip("\n")]
        if on_line is not None:
            on_line(line.rstrip("\n"))
        if time.monotonic() > deadline:
            raise LabTimeoutError(f"the end of {process.args!r}", 0, tail[-1])
    return tail


def stream(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, stderr: IO[str] | None = None
) -> subprocess.Popen[str]:
    """Start a program with pipes on stdin and stdout, to talk line by line; the caller ends it."""
    return subprocess.Popen(
        _argv(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=None if env is None else dict(env),
        start_new_session=True,
        text=True,
        bufsize=1,
        errors="replace",
    )


def stop(process: subprocess.Popen[str], grace: float = KILL_GRACE_SECONDS) -> int:
    """Close a streamed program's stdin, give it *grace* seconds to end, then kill its group."""
    if process.stdin is not None and not process.stdin.closed:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    try:
        code = process.wait(grace)
    except subprocess.TimeoutExpired:
        kill_group(process)
        code = process.wait()
    if process.stdout is not None:
        process.stdout.close()
    return code


def kill_group(process: subprocess.Popen[str]) -> None:
    """SIGKILL the process group of a program that was started here."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def python_module(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return argument list and environment that run a module of this project with our Python."""
    env = {
        "PATH": SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PROJECT_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return [sys.executable, "-m", module, *arguments], env
