"""What a long command is doing, for the person who waits for it."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


class Progress:
    """Writes one line per phase, with the seconds since the begin; in bold on a terminal.

    stream
        Where to, standard error; ``None`` for a command whose caller can't see it.
    name
        The command.
    """

    def __init__(
        self, stream: TextIO | None, name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._name = name
        self._clock = clock
        self._begun = clock()

    def __call__(self, phase: str, facts: Mapping[str, Any]) -> None:
        """Say that a phase has begun."""
        if self._stream is None:
            return
        seconds = self._clock() - self._begun
        shown = " ".join(
            _shown(key, value) for key, value in facts.items() if _is_shown(key, value)
        )
        try:
            word = f"{BOLD}{phase}{PLAIN}" if self._stream.isatty() else phase
            line = f"[{seconds:6.1f} s] {self._name}: {word} {shown}".rstrip()
            print(line, file=self._stream, flush=True)
        except (OSError, ValueError):
            # Whoever looked on has gone; what is going on must not end with that.
            self._stream = None


def _is_shown(key: str, value: Any) -> bool:
    told = key not in ("verb", "by", "phases", "calls", "result")
    return told and value not in (None, "", []) and isinstance(value, (str, int, float))


def _shown(key: str, value: Any) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return f"{key}={text}"
