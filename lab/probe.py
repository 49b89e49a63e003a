"""Who answers on the VIP, and for how long nobody says yes: SIP OPTIONS every few milliseconds.

:class:`Probe` starts :mod:`lab.prober` in the outside namespace and turns what it saw into a
:class:`ProbeResult`.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

from lab import sh
from lab.errors import LabError, LabTimeoutError
from lab.net import Network
from lab.settings import OUTSIDE, SIP_PORT, VIP

DEFAULT_INTERVAL = 0.005
DEFAULT_THRESHOLD = 0.1
START_SECONDS = 10.0
OK, REDIRECTED = 200, 300


@dataclass(frozen=True)
class Answer:
    """One answer: ``at`` seconds since the epoch, number of the request, who sent it, its status.

    A switch that takes no calls, such as one in hot standby, answers with 503.
    """

    at: float
    number: int
    node: str
    status: int = OK

    @property
    def yes(self) -> bool:
        """True when a call would have been taken."""
        return self.status < REDIRECTED


@dataclass(frozen=True)
class Gap:
    """A time with no answer, or none that says yes.

    ``start`` and length in ``seconds``, the start counted from the probe's own; who answered before
    and after (None: nobody had answered yet, or nobody did any more).
    """

    start: float
    seconds: float
    from_node: str | None
    to_node: str | None


@dataclass(frozen=True)
class ProbeResult:
    """What a probe saw.

    ``seconds`` of probing, requests ``sent`` and ``answered``, ``gaps`` longer than ``threshold``
    seconds in order, ``answered_by`` node → answers, ``stall``: the longest time the prober itself
    failed to send, for judging whether a short gap was its own.
    """

    seconds: float
    sent: int
    answered: int
    gaps: tuple[Gap, ...]
    answered_by: dict[str, int]
    threshold: float
    stall: float
    started: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def longest(self) -> Gap | None:
        """The longest gap, None when there was none."""
        return max(self.gaps, key=lambda gap: gap.seconds, default=None)

    def as_dict(self) -> dict[str, object]:
        """Return it as data for JSON, with the longest gap's seconds under ``longest``."""
        longest = self.longest
        return {**dataclasses.asdict(self), "longest": longest.seconds if longest else 0.0}


def find_gaps(
    answers: Sequence[Answer], started: float, ended: float, threshold: float
) -> tuple[Gap, ...]:
    """Return every time longer than *threshold* seconds without a yes between start and end."""
    gaps = []
    last, last_node = started, None
    for answer in sorted((a for a in answers if a.yes), key=lambda item: item.at):
        if answer.at - last > threshold:
            gaps.append(Gap(last - started, answer.at - last, last_node, answer.node))
        last, last_node = max(last, answer.at), answer.node
    if ended - last > threshold:
        gaps.append(Gap(last - started, ended - last, last_node, None))
    return tuple(gaps)


def summarize(
    answers: Sequence[Answer], summary: dict[str, float], errors: dict[str, int], threshold: float
) -> ProbeResult:
    """Return the result of a probe from its answers and the worker's closing words."""
    unique = {answer.number: answer for answer in reversed(answers)}
    started, ended = summary["started"], summary["ended"]
    return ProbeResult(
        seconds=ended - started,
        sent=int(summary["sent"]),
        answered=len(unique),
        gaps=find_gaps(answers, started, ended, threshold),
        answered_by=dict(Counter(answer.node for answer in unique.values())),
        threshold=threshold,
        stall=summary["stall"],
        started=started,
        errors=errors,
    )


class Probe:
    """A running probe, as a context manager; :attr:`result` is there after leaving it.

    with lab.probe() as probe:
        lab.nodes["freeswitch-dev"].power_off()
        probe.wait_answered_by("ubuntu-v20z", timeout=60)
    print(probe.result.longest)
    """

    def __init__(
        self,
        network: Network,
        *,
        interval: float = DEFAULT_INTERVAL,
        threshold: float = DEFAULT_THRESHOLD,
        address: str = VIP,
        port: int = SIP_PORT,
        on_answer: Callable[[Answer], None] | None = None,
    ) -> None:
        self._network = network
        self._options = [str(interval), address, str(port)]
        self._threshold = threshold
        self._on_answer = on_answer
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._answers: list[Answer] = []
        self._summary: dict[str, float] = {}
        self._errors: dict[str, int] = {}
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._result: ProbeResult | None = None

    @property
    def result(self) -> ProbeResult:
        """What the probe saw; raises LabError before its end."""
        if self._result is None:
            raise LabError("the probe still runs: leave its context first")
        return self._result

    @property
    def last(self) -> Answer | None:
        """The latest answer so far."""
        with self._changed:
            return self._answers[-1] if self._answers else None

    def wait_answered_by(self, node: str, timeout: float = 30) -> Answer:
        """Wait until *node* says yes from now on and return its answer."""
        return self._wait(lambda a: a.node == node, f"an answer of {node} on the VIP", timeout)

    def wait_answered(self, timeout: float = 30) -> Answer:
        """Wait until anybody says yes from now on and return the answer."""
        return self._wait(lambda _: True, "an answer on the VIP", timeout)

    def _wait(self, wanted: Callable[[Answer], bool], what: str, timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        with self._changed:
            seen = len(self._answers)
            while True:
                for answer in self._answers[seen:]:
                    if answer.yes and wanted(answer):
                        return answer
                seen = len(self._answers)
                if not self._changed.wait(max(deadline - time.monotonic(), 0)):
                    last = self._answers[-1].node if self._answers else "no answer at all"
                    raise LabTimeoutError(what, timeout, last)

    def __enter__(self) -> Probe:
        argv, env = sh.python_module("lab.prober", *self._options)
        if not self._network.exists(OUTSIDE):
            raise LabError(f"lab {self._network.name} is not up: there is nothing to probe")
        namespace = self._network.namespace(OUTSIDE)
        self._process = sh.stream(["ip", "netns", "exec", namespace, *argv], env=env)
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        if not self._ready.wait(START_SECONDS):
            sh.stop(self._process)
            raise LabError("the probe did not start: is the lab up?")
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
        self._reader.join(START_SECONDS)
        code = sh.stop(self._process)
        if self._summary:
            self._result = summarize(self._answers, self._summary, self._errors, self._threshold)
        elif kind is None:
            raise LabError(f"the probe broke off with exit code {code}")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - sh.stream opens it as a pipe
        for line in process.stdout:
            self._take(json.loads(line))
        with self._changed:
            self._changed.notify_all()

    def _take(self, message: dict[str, object]) -> None:
        if "answer" in message:
            answer = Answer(*message["answer"])  # type: ignore[misc]
            with self._changed:
                self._answers.append(answer)
                self._changed.notify_all()
            if self._on_answer is not None:
                self._on_answer(answer)
        elif "summary" in message:
            self._summary = dict(message["summary"])  # type: ignore[call-overload]
            self._errors = dict(message["errors"])  # type: ignore[call-overload]
        else:
            self._ready.set()
