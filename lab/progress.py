"""Progress lines with elapsed time, one per step: plain text, also in a log file."""

from __future__ import annotations

import sys
import threading
import time
from typing import TextIO

BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


class Progress:
    """Writes ``[ 12.3 s] subject: what`` lines; colour only on a terminal; safe from threads."""

    def __init__(self, sink: TextIO | None = None, *, quiet: bool = False) -> None:
        self._sink = sink if sink is not None else sys.stderr
        self._quiet = quiet
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._colour = self._sink.isatty()

    @property
    def seconds(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._started

    def __call__(self, subject: str, what: str) -> None:
        """Say that *subject* has come to *what*."""
        if self._quiet:
            return
        stamp = f"[{self.seconds:6.1f} s]"
        if self._colour:
            stamp, subject = f"{DIM}{stamp}{RESET}", f"{BOLD}{subject}{RESET}"
        with self._lock:
            print(f"{stamp} {subject}: {what}", file=self._sink, flush=True)
