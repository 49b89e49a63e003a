"""The lab's exceptions: each carries the data, the text is made at the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.sh import Completed


class LabError(Exception):
    """Something the lab can't do; the message says what, where and what to do."""


class LabCommandError(LabError):
    """A program ended with an exit code that was not expected; ``.completed`` has all of it."""

    def __init__(self, completed: Completed, where: str = "") -> None:
        self.completed = completed
        self.where = where
        super().__init__(completed, where)

    def __str__(self) -> str:
        done = self.completed
        place = f" on {self.where}" if self.where else ""
        said = (done.err.strip() or done.out.strip() or "it said nothing")[-4000:]
        return (
            f"command failed{place} with exit code {done.code} after {done.seconds:.1f} s: "
            f"{' '.join(done.argv)}\n{said}"
        )


class LabTimeoutError(LabError):
    """A bounded wait ran out; ``.what`` is what was waited for."""

    def __init__(self, what: str, seconds: float, last: str = "") -> None:
        self.what = what
        self.seconds = seconds
        self.last = last
        super().__init__(what, seconds, last)

    def __str__(self) -> str:
        seen = f"; last seen: {self.last}" if self.last else ""
        return f"waited {self.seconds:.0f} s for {self.what}, in vain{seen}"


class HostNotReadyError(LabError):
    """The host lacks something that the lab needs."""
