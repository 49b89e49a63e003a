"""Wait for a condition, with a time limit and a line in the log."""

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
    """Look again and again until the condition is met or the time is up.

    look
        Returns the present state.
    done
        Tells whether that state is the one to wait for.
    timeout, interval
        Seconds in all, and between two looks.
    what
        Names the condition for the log; without it nothing is logged.

    Returns the last state, whether the condition is met or not.
    """
    begun = logged = clock()
    while True:
        seen = look()
        now = clock()
        if done(seen) or now - begun >= timeout:
            return seen
        if what and now - logged >= TELL_EVERY:
            logged = now
            log.info("%s: still waiting after %.0f of %.0f s", what, now - begun, timeout)
        sleep(min(interval, max(timeout - (now - begun), 0.01)))
