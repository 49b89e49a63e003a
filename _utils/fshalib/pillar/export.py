"""A pillar out of a cluster that runs: its CIB, its corosync.conf, and its host."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fshalib.agents import FSSOFIA, carries_calls, is_fssofia_script
from fshalib.cib import agent, read
from fshalib.cib.document import Element
from fshalib.corosync import parser
from fshalib.corosync.parser import Conf
from fshalib.errors import ArgumentError
from fshalib.pillar import export_cib, export_corosync

COROSYNC_CONF = "/etc/corosync/corosync.conf"

EVENT_SOCKET = (
    "freeswitch: the Event Socket's password is not exported, and without it no call is counted: "
    "give it as password, or put it into the file that password_file names"
)

Notes = list[str]
Pillar = dict[str, Any]


@dataclass(frozen=True)
class Host:
    """What an export asks of the host.

    ``networks`` returns the networks of its addresses, ``resolved`` the addresses of the host names
    in a corosync.conf (its path).
    """

    networks: Callable[[], Sequence[str]]
    resolved: Callable[[str], Mapping[str, Sequence[str]]]


def corosync_conf(path: str | None) -> Conf:
    """Return a corosync.conf as data.

    path
        The file; without it, the host's.

    Raises :class:`errors.ArgumentError` for a file that can't be read or is none.
    """
    if path is not None and (not isinstance(path, str) or not path):
        raise ArgumentError(f"corosync_conf: a path is expected, not {path!r}.")
    where = Path(path or COROSYNC_CONF)
    try:
        return parser.parse(where.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArgumentError(f"{where} can't be read: {error.strerror}.") from error
    except (ValueError, parser.ConfError) as error:
        raise ArgumentError(f"{where}: {str(error).rstrip('.')}.") from error


def corosync(path: str | None, root: Element, host: Host) -> tuple[Pillar, Notes]:
    """Return what a corosync.conf says, as a pillar, and notes about it.

    path
        The file; without it, the host's.
    root
        The CIB, which knows the nodes' names.

    Raises :class:`errors.ArgumentError` for a given file that can't be read or is none; of the
    host's own that is a note.
    """
    try:
        conf = corosync_conf(path)
    except ArgumentError as error:
        if path is not None:
            raise
        return {}, [f"nodes and corosync: {str(error).rstrip('.')}"]
    return of_conf(conf, path, root, host)


def of_conf(conf: Conf, path: str | None, root: Element, host: Host) -> tuple[Pillar, Notes]:
    """Return what a corosync.conf says that has been read; see :func:`corosync`."""
    hosts = host.resolved(path or COROSYNC_CONF)
    exported = export_corosync.export(conf, host.networks(), read.node_names(root), hosts)
    return dict(exported.pillar), list(exported.notes)


def pillar(
    root: Element, corosync: tuple[Pillar, Notes], nonlocal_bind: bool | None
) -> tuple[Pillar, Notes]:
    """Return the whole pillar of a cluster, with its secrets, and notes about it.

    corosync
        What :func:`corosync` returned.
    nonlocal_bind
        Whether the host lets programs bind addresses that it has not, ``None`` if unknown.
    """
    result, notes = dict(corosync[0]), [*corosync[1]]
    bind = _bind(root, nonlocal_bind)
    if bind is not None:
        result["network"] = {"nonlocal_bind": bind}
    if bind is not None and nonlocal_bind not in (None, bind):
        notes.append(f"network:nonlocal_bind: {_BINDS[bind]}")
    if nonlocal_bind is not None:
        script = any(map(is_fssofia_script, agent.names(root).values()))
        result["freeswitch"] = {"init_script": script}
    cib = export_cib.export(root, result)
    result["pacemaker"] = cib.pacemaker
    notes += cib.notes
    if _has_voice(root):
        notes.append(EVENT_SOCKET)
    return result, notes


_BINDS = {
    False: "this host has it, and a cold standby can't do with it; the next run turns it off",
    True: "this host has it not, and a hot standby can't do without it; the next run turns it on",
}


def _bind(root: Element, nonlocal_bind: bool | None) -> bool | None:
    """Return the setting that goes with the standby of FSSofia; without that, the host's."""
    agents = agent.names(root)
    sofia = [e for e in root.iter("primitive") if agents.get(e.get("id", "")) == FSSOFIA]
    if not sofia:
        return nonlocal_bind
    pairs = [pair for e in sofia for pair in e.iterfind("instance_attributes/nvpair")]
    return any(p.get("name") == "standby" and p.get("value") == "hot" for p in pairs)


def _has_voice(root: Element) -> bool:
    return any(map(carries_calls, agent.names(root).values()))


def without_secrets(result: Pillar, notes: Notes) -> tuple[Pillar, Notes]:
    """Return a pillar without its secrets, which the notes then name."""
    shown, secrets = export_cib.without_secrets(result["pacemaker"], "pacemaker")
    more = [f"{path}: a secret, left out here; file=PATH writes it" for path in secrets]
    return {**result, "pacemaker": shown}, [*notes, *more]
