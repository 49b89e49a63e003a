"""Run programs. Nothing else in the library does.

Arguments are lists and never pass a shell, every call is bounded in time, secrets go
through standard input or a file. The output comes back as data; the exit codes
that fsha knows have names here.

``CIB_file`` in the environment makes Pacemaker's tools work on a file instead of a
cluster; it is passed on, so everything above works without a cluster too.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fshalib.errors import RunError as RunError

# Exit codes of Pacemaker's tools (crm_exit_e in its include/crm/common/results.h).
EX_OK = 0
EX_ERROR = 1
EX_INSUFFICIENT_PRIV = 4
EX_NOSUCH = 105
EX_USAGE = 64
EX_UNAVAILABLE = 69
EX_CONFIG = 78
EX_DISCONNECT = 102
EX_OLD = 103
EX_QUORUM = 106
EX_TIMEOUT = 124
# crm_diff: 0 the same, 1 different, above that an error.
EX_DIFFERENT = 1
# fs_cli: no connection, or the password was refused (it says the same for both).
FS_CLI_NO_CONNECTION = 255
FS_CLI_TIMEOUT = 254

SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_TIMEOUT = 30.0


class ToolMissing(RunError):
    """A program is not installed."""

    def __init__(self, program: str) -> None:
        self.program = program
        super().__init__(f"{program} is not installed on this node.")


class ToolTimeout(RunError):
    """A program did not answer in time and was ended."""

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        self.argv = tuple(argv)
        self.seconds = seconds
        super().__init__(f"{argv[0]} did not answer within {seconds:g} s and was ended.")


class ToolFailed(RunError):
    """A program ended with an exit code that means failure."""

    def __init__(self, completed: "Completed") -> None:
        self.completed = completed
        lines = (completed.err or completed.out).strip().splitlines()
        detail = f": {lines[-1].strip()}" if lines else "."
        super().__init__(f"{completed.argv[0]} failed (exit code {completed.code}){detail}")


@dataclass(frozen=True)
class Completed:
    """The result of a program that ran to its end."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float


Runner = Callable[..., Completed]
"""The signature of :func:`run`; pure code takes one as an argument, tests give another."""


def which(program: str) -> str | None:
    """Return the path of ``program``, looking into the administrator's directories too."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":" + SBIN)


def run(
    argv: Sequence[str],
    stdin: str | bytes | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run a program to its end and return its result, whatever the exit code.

    argv
        The program and its arguments; no shell sees them. No secret belongs here: every
        user of the machine can read argument lists.
    stdin
        Text (or bytes) for its standard input; without it the input is empty.
    timeout
        Seconds after which the program is ended.
    env
        Variables to add to the environment.

    Raises :class:`ToolMissing` and :class:`ToolTimeout`.
    """
    program = which(argv[0])
    if program is None:
        raise ToolMissing(argv[0])
    environment = {**os.environ, "PATH": os.environ.get("PATH", "") + ":" + SBIN, "LC_ALL": "C"}
    environment.update(env or {})
    data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin or b""
    begun = time.monotonic()
    with subprocess.Popen(
        [program, *argv[1:]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            out, err = _communicate(process, data, timeout)
        except subprocess.TimeoutExpired as expired:
            raise ToolTimeout(argv, timeout) from expired
    return Completed(
        argv=tuple(argv),
        code=process.returncode,
        out=out.decode("utf-8", "surrogateescape"),
        err=err.decode("utf-8", "surrogateescape"),
        seconds=time.monotonic() - begun,
    )


def _communicate(
    process: subprocess.Popen[bytes], data: bytes, timeout: float
) -> tuple[bytes, bytes]:
    try:
        return process.communicate(data, timeout=timeout)
    except BaseException:
        # With its children: they would keep the pipes open.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        raise


def check(
    argv: Sequence[str],
    stdin: str | bytes | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    env: Mapping[str, str] | None = None,
    allowed: Sequence[int] = (EX_OK,),
) -> Completed:
    """Run a program as :func:`run` does; an exit code that is not allowed is an error.

    Raises :class:`ToolFailed` besides what :func:`run` raises.
    """
    completed = run(argv, stdin=stdin, timeout=timeout, env=env)
    if completed.code not in allowed:
        raise ToolFailed(completed)
    return completed
