"""Wait for a condition, bounded, saying what is being waited for."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)

INTERVAL = 0.5
TELL_EVERY = 5.0


def until(
    look: Callable[[], T],
    done: Callable[[T], bool],
    timeout: float,
    what: str = "",
    interval: float = INTERVAL,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Look again and again until what is seen will do, or the time is up.

    look
        Returns what is to be seen now.
    done
        Tells whether that will do.
    timeout, interval
        Seconds in all, and between two looks.
    what
        What is waited for, for the log.

    Returns what was seen last, whether it will do or not.
    """
    begun = told = clock()
    while True:
        seen = look()
        now = clock()
        if done(seen) or now - begun >= timeout:
            return seen
        if what and now - told >= TELL_EVERY:
            told = now
            log.info("%s: still waiting after %.0f of %.0f s", what, now - begun, timeout)
        sleep(min(interval, max(timeout - (now - begun), 0.01)))
