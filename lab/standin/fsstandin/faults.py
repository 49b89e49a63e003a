"""Faults that a test can switch on; the real switch has none of these commands.

    standin fault bind-fail           no profile can bind from now on
    standin fault hang-esl            the Event Socket accepts connections and says nothing
    standin fault deaf                profiles stay RUNNING in every status and answer no SIP
    standin fault refuse-stop         every profile stop is refused as in the first 10 s
    standin fault slow-start SECONDS  the next starts take that much longer
    standin fault die-on-start        the next starts end with exit code 1
    standin fault off                 none of them
    standin fault show                what is on

The same words work as an Event Socket command (``fs_cli -x 'standin fault deaf'``). They are kept
in a file, one fault per line, so they last over a restart and can be set while the switch is down.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from .config import ConfigError, config_path, load

KINDS = ("bind-fail", "hang-esl", "deaf", "refuse-stop", "slow-start", "die-on-start")
USAGE = "-USAGE: standin fault " + "|".join([*KINDS, "off", "show"]) + "\n"


CACHE_SECONDS = 0.05


class Faults:
    """The faults kept in the file ``path``; what was read is believed for 50 ms."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, float] = {}
        self._read_at = float("-inf")

    def on(self, kind: str) -> bool:
        """Tell whether the fault ``kind`` is on."""
        return kind in self._read()

    def seconds(self, kind: str) -> float:
        """Return the argument of ``kind`` in seconds; 0.0 when it is off."""
        return self._read().get(kind, 0.0)

    def command(self, words: list[str]) -> str:
        """Run ``fault WORD [SECONDS]`` and return the reply, ``+OK ...`` or a usage line."""
        if len(words) < 2 or words[0] != "fault":
            return USAGE
        kind = words[1]
        if kind == "show":
            return "+OK " + (" ".join(sorted(self._read())) or "none") + "\n"
        if kind == "off":
            self.path.unlink(missing_ok=True)
            self._read_at = float("-inf")
            return "+OK none\n"
        if kind not in KINDS:
            return USAGE
        try:
            seconds = float(words[2]) if kind == "slow-start" else 0.0
        except (IndexError, ValueError):
            return USAGE
        self._write({**self._read(), kind: seconds})
        return f"+OK {kind}\n"

    def _read(self) -> dict[str, float]:
        now = time.monotonic()
        if now - self._read_at >= CACHE_SECONDS:
            self._known = self._load()
            self._read_at = now
        return self._known

    def _load(self) -> dict[str, float]:
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        found: dict[str, float] = {}
        for line in lines:
            kind, _, seconds = line.strip().partition(" ")
            if kind in KINDS:
                found[kind] = float(seconds or 0)
        return found

    def _write(self, faults: dict[str, float]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{kind} {seconds:g}\n" for kind, seconds in faults.items())
        candidate = self.path.with_name(self.path.name + ".new")
        candidate.write_text(text, encoding="utf-8")
        candidate.replace(self.path)
        self._read_at = float("-inf")


def main(argv: list[str]) -> int:
    """Run ``standin fault ...`` from a shell; 0 when done, 2 on wrong usage, 1 without config."""
    try:
        config = load(config_path())
    except ConfigError as error:
        print(f"standin: {error}", file=sys.stderr)
        return 1
    reply = Faults(config.fault_file).command(argv)
    print(reply, end="", file=sys.stdout if reply.startswith("+OK") else sys.stderr)
    return 0 if reply.startswith("+OK") else 2
