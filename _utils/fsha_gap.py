"""How long nobody answers on an address: asked again and again while something moves."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

EVERY = 0.02
"""Seconds between two questions, which is how exact a gap is."""
ASKERS = 24
"""Questions at the same time: each waits for its answer while the next one is asked."""


@dataclass(frozen=True, order=True)
class Sample:
    """One question: when it was asked (seconds, of any clock), and whether it was answered."""

    at: float
    answered: bool


def longest(samples: Iterable[Sample]) -> float | None:
    """Return the longest time between two questions in a row that were answered, in seconds.

    ``0.0`` when every question was answered, ``None`` when fewer than two were: a gap needs an
    end and a beginning.
    """
    ordered = sorted(samples)
    answered = [sample.at for sample in ordered if sample.answered]
    if len(answered) < 2:
        return None
    if all(s.answered for s in ordered if answered[0] <= s.at <= answered[-1]):
        return 0.0
    return max(after - before for before, after in itertools.pairwise(answered))


class Watch:
    """Asks all the while that it is entered; ``gap`` then is the longest silence.

    ask
        The question; returns what was answered, ``""`` for silence. It is asked from several
        threads, and has to end by itself.
    """

    def __init__(
        self,
        ask: Callable[[], str],
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._every = every
        self._clock = clock
        self._samples: list[Sample] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, name="fsha-gap", daemon=True)

    @property
    def gap(self) -> float | None:
        """The longest silence so far, in seconds, see :func:`longest`."""
        found = longest(list(self._samples))
        return None if found is None else round(found, 2)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        with ThreadPoolExecutor(ASKERS, thread_name_prefix="fsha-gap") as pool:
            while not self._over.wait(self._every):
                pool.submit(self._sample)

    def _sample(self) -> None:
        at = self._clock()
        self._samples.append(Sample(at, bool(self._ask())))
