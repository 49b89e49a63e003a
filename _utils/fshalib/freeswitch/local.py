"""The FreeSWITCH of this node, as drains and switchovers want it."""

from collections.abc import Mapping
from typing import Any

from fshalib.freeswitch import calls as freeswitch_calls
from fshalib.freeswitch import client
from fshalib.freeswitch.client import Access
from fshalib.system import programs
from fshalib.system.programs import Runner


class LocalSwitch:
    """The FreeSWITCH of this node.

    where
        How it is asked.

    Every method raises :class:`programs.RunError` when it does not answer.
    """

    def __init__(self, where: Access, run: Runner = programs.run) -> None:
        self._where = where
        self._run = run

    def ask(self, command: str) -> str:
        """Return its answer to a command."""
        return client.ask(command, self._where, self._run).strip()

    def calls(self) -> Mapping[str, Any]:
        """Return its calls by kind, see ``freeswitch.calls``."""
        return freeswitch_calls.report(self._sessions(), self.ask).as_data()

    def legs(self) -> int:
        """Return how many call legs it has."""
        return sum(self._sessions().values())

    def is_ready(self) -> bool:
        """Tell whether it could take calls; one that does not answer could not."""
        try:
            return self.ask("fsctl ready_check") == "true"
        except client.SwitchUnreachable:
            return False

    def pause(self) -> None:
        """Let it refuse new calls."""
        self.ask("fsctl pause inbound")
        if not self.paused():
            raise client.SwitchUnreachable("it does not stop taking calls (fsctl pause)")

    def paused(self) -> bool:
        """Tell whether it refuses new calls."""
        return self.ask("fsctl pause_check inbound") == "true"

    def resume(self) -> None:
        """Let it take new calls again."""
        self.ask("fsctl resume")

    def _sessions(self) -> dict[str, int]:
        found = client.parse_bound(self.ask("sofia xmlstatus"))
        return {profile.name: profile.sessions for profile in found}
