"""One line of the checklist."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fshalib.checks.collect import View

PASS, WARN, FAIL, SKIP = "pass", "warn", "fail", "skip"


@dataclass(frozen=True)
class Line:
    """One line: what was looked at, on which ``node``, what was seen, and what to do about it."""

    name: str
    title: str
    verdict: str
    evidence: str
    advice: str = ""
    node: str = ""
    blocks: bool = False

    @property
    def where(self) -> str:
        """What was looked at, and on which node."""
        return f"{self.title} on {self.node}" if self.node else self.title


Check = Callable[[View], Iterable[Line]]
