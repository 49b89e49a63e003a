"""How long an address takes no new calls: asked again and again while something moves."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

EVERY = 0.02
"""Seconds between two questions."""
ASKERS = 24
"""Questions at the same time: each waits for its answer while the next one is asked."""
UNNOTICED = 0.1
"""Seconds below which a pause between two answers is none: a busy host makes some of its own."""


def longest(answers: Iterable[float]) -> float | None:
    """Return the longest pause between two answers that say yes, in seconds.

    answers
        When each such answer came, in any order (seconds, of any clock). Not when it was asked
        for: a question can wait in a host that looks for the address, and be answered late.

    ``0.0`` when no pause was longer than :data:`UNNOTICED`, ``None`` for fewer than two answers.
    """
    ordered = sorted(answers)
    if len(ordered) < 2:
        return None
    pause = max(after - before for before, after in itertools.pairwise(ordered))
    return pause if pause > UNNOTICED else 0.0


class Watch:
    """Asks all the while that it is entered; ``gap`` then is the longest time without a yes.

    ask
        The question; tells whether it was answered with a yes. It is asked from several threads,
        and has to end by itself.
    """

    def __init__(
        self,
        ask: Callable[[], bool],
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._every = every
        self._clock = clock
        self._answers: list[float] = []
        self._begun = self._ended = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="fsha-gap", daemon=True)

    @property
    def gap(self) -> float | None:
        """The longest time without a yes so far, in seconds, ``None`` when there was none at all.

        One that went on when the watch began counts from there, one at its end until then.
        """
        ends = [self._begun, *([self._ended] if self._ended else [])]
        found = longest([*ends, *self._answers]) if self._answers else None
        return None if found is None else round(found, 2)

    def __enter__(self) -> "Watch":
        self._begun = self._clock()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = self._clock()
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        with ThreadPoolExecutor(ASKERS, thread_name_prefix="fsha-gap") as pool:
            while not self._over.wait(self._every):
                pool.submit(self._sample)

    def _sample(self) -> None:
        if self._ask():
            self._answers.append(self._clock())
