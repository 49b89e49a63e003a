"""Talk to the lab's Salt: jobs from the master, ``salt-call`` in a node, the master's event bus."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from lab import sh
from lab.errors import LabCommandError, LabError, LabTimeoutError
from lab.machine import Container
from lab.settings import COMMAND_ENVIRONMENT

LISTENER = "/usr/local/lib/fsha-lab/events.py"
SALT_PYTHON = "/opt/salt/bin/python3"
LISTEN_SECONDS = 30.0
# How much longer than its own patience the salt command may take until it has said so.
SLACK = 30.0

Event = tuple[str, dict[str, Any]]


class Returns(dict[str, Any]):
    """Minion id → what it returned; ``code`` and ``completed`` of the ``salt`` command."""

    def __init__(self, values: dict[str, Any], completed: sh.Completed) -> None:
        super().__init__(values)
        self.completed = completed
        self.code = completed.code


@dataclass(frozen=True)
class Returned:
    """What ``salt-call`` returned: ``value``, exit ``code`` and the whole ``completed`` command."""

    value: Any
    code: int
    completed: sh.Completed


def arguments(args: Sequence[object], kwargs: dict[str, object]) -> list[str]:
    """Return Salt's command-line form of positional and keyword arguments.

    Text is passed as it is (Salt reads it as YAML), everything else as JSON.
    """

    def text(value: object) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    return [*(text(arg) for arg in args), *(f"{key}={text(arg)}" for key, arg in kwargs.items())]


def first_json_object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object that starts a line of *text*, None if there is none.

    Warnings of Salt or Python before and after it are skipped.
    """
    decoder = json.JSONDecoder()
    start = 0
    while (start := text.find("{", start)) >= 0:
        if start == 0 or text[start - 1] == "\n":
            try:
                value = decoder.raw_decode(text, start)[0]
            except json.JSONDecodeError:
                start += 1
                continue
            return dict(value)
        start += 1
    return None


def salt(
    outside: Container,
    target: str | Sequence[str],
    fun: str,
    args: Sequence[object],
    kwargs: dict[str, object],
    timeout: float,
) -> Returns:
    """Run ``salt TARGET FUN …`` on the master; see :meth:`lab.Lab.salt`."""
    chosen = [target] if isinstance(target, str) else ["-L", ",".join(target)]
    # Without so much patience the command asks busy minions whether they are still at it, and on a
    # machine under load takes a late answer for none.
    patience = f"--timeout={int(timeout)}"
    argv = ["salt", "--static", "--out=json", patience, *chosen, fun]
    done = outside.run([*argv, *arguments(args, kwargs)], timeout=timeout + SLACK, check=False)
    values = first_json_object(done.out)
    if values is None:
        raise LabCommandError(done, outside.name)
    return Returns(values, done)


def salt_call(
    node: Container,
    fun: str,
    args: Sequence[object],
    kwargs: dict[str, object],
    *,
    local: bool,
    timeout: float,
) -> Returned:
    """Run ``salt-call FUN …`` in a node; see :meth:`lab.Lab.salt_call`."""
    argv = ["salt-call", "--out=json", "--retcode-passthrough"]
    if local:
        argv += ["--local", "--file-root=/srv/salt"]
    done = node.run([*argv, fun, *arguments(args, kwargs)], timeout=timeout, check=False)
    values = first_json_object(done.out)
    if values is None or "local" not in values:
        raise LabCommandError(done, node.name)
    return Returned(values["local"], done.code, done)


class EventListener:
    """Collects what passes on the master's event bus, from the moment it has heard itself.

    Use as a context manager. On leaving, everything sent before is in :attr:`events`: the
    listener sends an end mark through the same bus and collects until it comes back.

        with lab.events("fsha/") as bus:
            lab.salt("*", "state.apply", "fsha", test=True)
        assert len(bus.events) == 1
    """

    def __init__(self, outside: Container, prefix: str) -> None:
        self._outside = outside
        self._prefix = prefix
        self._process: subprocess.Popen[str] | None = None
        self._arrived: queue.Queue[str] = queue.Queue()
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._reader: threading.Thread | None = None
        self._complete = False

    @property
    def events(self) -> list[Event]:
        """Tag and data of every event so far, in the order of the bus."""
        with self._changed:
            return list(self._events)

    def tagged(self, prefix: str) -> list[Event]:
        """Return the events whose tag starts with *prefix*."""
        return [event for event in self.events if event[0].startswith(prefix)]

    def wait(self, prefix: str, count: int = 1, timeout: float = 30) -> list[Event]:
        """Wait until *count* events with a tag that starts with *prefix* have come.

        Raises LabTimeoutError after *timeout* seconds.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [event for event in self._events if event[0].startswith(prefix)]
                if len(found) >= count:
                    return found
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    what = f"{count} event(s) tagged {prefix}…"
                    raise LabTimeoutError(what, timeout, f"{len(found)} of them")

    def __enter__(self) -> EventListener:
        argv = self._outside.enter([SALT_PYTHON, LISTENER, self._prefix])
        self._process = sh.stream(argv, env=COMMAND_ENVIRONMENT)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        try:
            said = self._arrived.get(timeout=LISTEN_SECONDS)
        except queue.Empty:
            said = "nothing"
        if said != "listening":
            sh.stop(self._process)
            raise LabError(f"can't listen on the master's event bus: the listener said {said}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None or self._reader is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._reader.join(LISTEN_SECONDS)
        code = sh.stop(self._process)
        if kind is None and not self._complete:
            raise LabError(f"the event listener broke off with exit code {code}")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - sh.stream opens it as a pipe
        for line in process.stdout:
            message = json.loads(line)
            if "event" in message:
                with self._changed:
                    self._events.append((message["event"], message["data"]))
                    self._changed.notify_all()
            elif message["said"] == "end":
                self._complete = True
            else:
                self._arrived.put(message["said"])
        self._arrived.put("the end")
