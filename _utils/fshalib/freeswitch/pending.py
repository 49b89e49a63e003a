"""The changes that a running FreeSWITCH has not read yet, and how it reads them.

Measured on FreeSWITCH 1.11.3: after a rescan with another ``sip-ip`` the profile offers that
address in its answers while its socket stays on the old one, so nothing sent to it arrives;
with another ``odbc-dsn`` it asks for tables that do not exist. So a profile with such a change
is not rescanned but left to a restart.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lxml import etree

from fshalib.agents import is_unit
from fshalib.cib import agent
from fshalib.freeswitch import client, config
from fshalib.pacemaker import tools
from fshalib.system import files, programs

Ask = Callable[[str], str]


@dataclass(frozen=True)
class Pending:
    """The changes that are written and not in effect.

    core
        The ``core_uuid`` of the switch that runs without it, ``""`` if it could not be asked.
    changed
        Fragment → names of parameters.
    at
        The time of the last write (epoch, seconds).
    """

    core: str
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: float = 0.0

    def with_changes(self, changes: Mapping[str, Mapping[str, Any]]) -> "Pending":
        """Return it with changes that were just written."""
        merged = {path: tuple(names) for path, names in self.changed.items()}
        for path, params in changes.items():
            merged[path] = tuple(dict.fromkeys((*merged.get(path, ()), *params)))
        return Pending(self.core, merged, time.time())

    def without(self, paths: Iterable[str]) -> "Pending":
        """Return it without some fragments."""
        gone = set(paths)
        left = {path: names for path, names in self.changed.items() if path not in gone}
        return Pending(self.core, left, self.at)


def load(path: Path, now: "Running | None" = None) -> Pending:
    """Return the pending changes from a file.

    now
        The running switch; changes from before its start are in effect.
    """
    try:
        data = json.loads(files.read(path) or b"{}")
        changed = {str(file): tuple(map(str, names)) for file, names in data["changed"].items()}
        kept = Pending(str(data["core"]), changed, float(data["at"]))
    except (ValueError, KeyError, AttributeError, TypeError):
        # No file yet, one cut off by a crash, or somebody else's: nothing is known.
        kept = Pending("")
    if now is None:
        return kept
    same = kept.core == now.core if kept.core else now.started < kept.at
    return replace(kept, core=now.core) if same else Pending(now.core)


def save(pending: Pending, path: Path) -> None:
    """Write the pending changes to a file. Raises :class:`OSError`."""
    if not pending.changed:
        path.unlink(missing_ok=True)
        return
    data = {"core": pending.core, "changed": pending.changed, "at": pending.at}
    files.replace(path, json.dumps(data).encode(), 0o600)


@dataclass(frozen=True)
class Running:
    """A running switch: its profiles with their call legs, and the profiles that serve.

    started
        When it was started (epoch, seconds).
    """

    core: str
    started: float
    sessions: Mapping[str, int]
    serves: tuple[str, ...]

    @property
    def legs(self) -> int:
        """All call legs."""
        return sum(self.sessions.values())


def running(ask: Ask) -> Running:
    """Return the running switch.

    ask
        Returns the switch's answer to a command.

    Raises :class:`client.SwitchUnreachable`.
    """
    core = ask("global_getvar core_uuid")
    sessions = {
        profile.name: profile.sessions for profile in client.parse_bound(ask("sofia xmlstatus"))
    }
    started = time.time() - int(ask("uptime s"))
    return Running(core, started, sessions, client.stamped(core))


def current(pending: Pending, now: Running) -> Pending:
    """Return what is still pending, without profiles that have started since the write."""
    started = {
        f"{config.OWN}/profile_{name}.xml"
        for name in _profiles(pending)
        if name not in now.sessions or client.stamped_at(name) > pending.at
    }
    return pending.without(started)


def _profiles(pending: Pending) -> list[str]:
    start = f"{config.OWN}/profile_"
    named = (path for path in pending.changed if path.startswith(start))
    return [path.removeprefix(start).removesuffix(".xml") for path in named]


def take_up(
    pending: Pending, now: Running, hot: Iterable[str], managed: Iterable[str], ask: Ask
) -> tuple[Pending, tuple[str, ...]]:
    """Let a switch read its files again, but for changes that need a restart.

    hot
        Profiles that are in standby while they don't serve.
    managed
        Profiles that may be rescanned for a change common to all profiles.
    ask
        Returns the switch's answer to a command.

    Returns the changes that wait for a restart, and the profiles that were rescanned.

    Raises :class:`client.SwitchUnreachable`, also if the switch refuses the files.
    """
    answer = ask("reloadxml")
    if "[Success]" not in answer:
        raise client.SwitchUnreachable(f"reloadxml answered {answer!r}")
    left = config.restarts(pending.changed, now.sessions)
    common = f"{config.OWN}/sofia.xml" in pending.changed
    candidates = dict.fromkeys([*_profiles(pending), *(managed if common else ())])
    read = tuple(name for name in candidates if name in now.sessions and name not in left)
    for name in read:
        ask(f"sofia profile {name} rescan")
    if set(read) & set(hot) & set(now.serves):
        # A rescan puts a hot profile into standby, also one that serves.
        ask("sofia global standby off")
    kept = {f"{config.OWN}/profile_{name}.xml" for name in left if name}
    kept |= {f"{config.OWN}/{name}.xml" for name in ("switch", "pre_load") if "" in left}
    return pending.without(path for path in pending.changed if path not in kept), read


def told(left: Mapping[str, Iterable[str]]) -> str:
    """Return for people the changes that wait for a restart: ``switchname, sip-ip of internal``."""
    return ", ".join(
        f"{name} of {scope}" if scope else name for scope, names in left.items() for name in names
    )


# --- a switch that is restarted --------------------------------------------------------------


def is_in(root: etree._Element, service: str) -> bool:
    """Tell whether the cluster runs the switch: its systemd unit is in the CIB."""
    return any(is_unit(name, service) for name in agent.names(root).values())


def restart_by_cluster(node: str, seconds: float, run: programs.Runner = programs.run) -> None:
    """Let the cluster stop and start its resources on a node that does not serve.

    This is a transient standby; a reboot would end it as well. Pacemaker 2.1.5 loses the result
    of a probe while systemd stops the unit, and then waits 90 s. So only the cluster restarts
    its units.

    node
        The node's name in the cluster.
    seconds
        How long the cluster may take for each half.

    Raises :class:`programs.RunError`.
    """
    tools.note("standby", "on", [node], run)
    try:
        tools.settle(seconds, run)
    finally:
        tools.forget("standby", node, run)
    tools.settle(seconds, run)
