"""Look at corosync: its configuration, its ring, and what a reload would bring.

Nothing here changes a cluster but :func:`reload_`. The states ``corosync_*`` are built on
these verbs.

:depends: corosync's command-line tools
"""

from __future__ import annotations

import dataclasses
import importlib
import ipaddress
import socket
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib.corosync import authkey as corosync_authkey
from fshalib.corosync import build, comparable, diff, parser, semantics
from fshalib.corosync import conf as corosync_conf
from fshalib.corosync import packaged_cluster as corosync_packaged
from fshalib.corosync import status as corosync_status
from fshalib.schema import arguments
from fshalib.system import files as system_files
from fshalib.system import programs

if TYPE_CHECKING:
    __salt__: dict[str, Any]

__virtualname__ = "corosync"
__func_alias__ = {"reload_": "reload"}

CONFIG = "/etc/corosync/corosync.conf"
AUTHKEY = "/etc/corosync/authkey"
# corosync makes it when it starts, in the foreground too (exec/main.c, corosync_flock).
PIDFILE = "/run/corosync.pid"
CIB_DIRECTORY = "/var/lib/pacemaker/cib"
STATE_DIRECTORY = "/var/lib/corosync"
PACEMAKER = "pacemaker"
KEY_IN_USE = "fsha.authkey"
JUDGE = "corosync"
CFGTOOL = "corosync-cfgtool"
RELOAD_TIMEOUT = 30.0
_salts_errors = arguments.verb(CommandExecutionError, SaltInvocationError)


def __virtual__():
    """Load always: whether corosync is installed may change within a run."""
    return __virtualname__


@_salts_errors
def installed():
    """Tell whether corosync itself is installed.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.installed
    """
    return programs.which(JUDGE) is not None


@_salts_errors
def status():
    """Return the ring as this node sees it.

    The keys: ``running``; then, when it does, ``local`` and ``members`` and ``nodes`` (each
    ``{nodeid, name}``), ``cluster_name``, ``transport``, ``quorate``, ``expected_votes``,
    ``total_votes``, ``waiting`` (for all nodes, ``wait_for_all``), and ``links`` (each
    ``{node, number, address, connected, mtu}``). When it does not, ``reason``.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.status
    """
    try:
        ring = corosync_status.read(programs.run)
    except (corosync_status.NotRunningError, programs.ToolMissing) as error:
        return {"running": False, "reason": str(error)}
    return {"running": True, **corosync_status.as_data(ring)}


@_salts_errors
def faults(nodes):
    """Return what keeps the ring from being whole, as a list of sentences; empty is healthy.

    nodes
        The cluster's nodes as in pillar: ``{name: {id: 1, addresses: [one per link]}}``.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.faults '{fs1: {addresses: [10.0.0.1]}, fs2: {addresses: [10.0.0.2]}}'
    """
    try:
        wanted = build.nodes_from(nodes)
        return list(corosync_status.faults(_with_known(corosync_status.read(programs.run)), wanted))
    except (corosync_status.NotRunningError, programs.ToolMissing) as error:
        return [str(error)]


@_salts_errors
@arguments.typed(path=arguments.PATH)
def config(path=CONFIG):
    """Return a corosync.conf as data; sections that may repeat are lists.

    path
        The file.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.config
    """
    return corosync_conf.as_data(_parse(path))


@_salts_errors
@arguments.typed(path=arguments.PATH)
def known(path=CONFIG):
    """Return what is known of the nodes in a corosync.conf beyond what it says.

    path
        The file.

    Returns ``{"names": {nodeid: name}, "hosts": {host name: [addresses]}}``: how the CIB on
    disk calls the nodes, if one has no name in the file, and what this host's resolver says
    of addresses that are names. Both are empty where the file is missing or is none.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.known
    """
    try:
        found = _known(_parse(path))
    except CommandExecutionError:
        found = semantics.NOTHING_KNOWN
    hosts = {name: list(addresses) for name, addresses in found.hosts.items()}
    return {"names": dict(found.names), "hosts": hosts}


@_salts_errors
def test_config(text):
    """Let corosync itself judge a configuration, without touching the one in use.

    text
        The whole corosync.conf.

    Returns ``{"result": bool, "comment": str}``; the comment is corosync's own sentence. The
    authkey is not what is judged: where it is not there yet, a throw-away one stands in.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.test_config "$(cat corosync.conf)"
    """
    if not isinstance(text, str):
        return {"result": False, "comment": f"a corosync.conf is expected, not {text!r}."}
    try:
        return _judge(text)
    except (parser.ConfError, programs.RunError) as error:
        return {"result": False, "comment": str(error)}


def _judge(text: str) -> dict[str, Any]:
    conf = parser.parse(text)
    with tempfile.TemporaryDirectory(prefix="fsha-corosync-") as directory:
        file = Path(directory, "corosync.conf")
        spare_key = Path(directory, "authkey")
        spare_key.write_bytes(bytes(range(256)))
        keyfile = None if Path(AUTHKEY).exists() else str(spare_key)
        file.write_text(parser.render(corosync_conf.for_judge(conf, keyfile)), encoding="utf-8")
        done = programs.run([JUDGE, "-t", "-c", str(file)])
        if done.code == 0:
            return {"result": True, "comment": "corosync accepts the configuration."}
        said = corosync_conf.judges_sentence(f"{done.err}\n{done.out}", str(file))
    return {"result": False, "comment": said or f"corosync -t: exit code {done.code}."}


@_salts_errors
@arguments.typed(
    path=arguments.PATH,
    text=arguments.TEXT | arguments.NONE,
    authkey=arguments.PATH,
    fingerprint=arguments.TEXT | arguments.NONE,
)
def pending(path=CONFIG, text=None, authkey=AUTHKEY, fingerprint=None):
    """Return how the running corosync differs from a configuration, and what would bring it.

    path
        The file to compare with.
    text
        Compare with this corosync.conf instead of the file.
    authkey
        The key file; another key than the one in use needs a restart.
    fingerprint
        Of a key that the file is going to hold, instead of the one it holds.

    Returns ``{"running": bool, "class": "none"|"reload"|"restart", "changes": {path: {old,
    new}}, "restart_paths": […], "nodes": [{nodeid, name}], "default": bool}``, where ``old``
    is what runs and ``default`` tells that the packages' one-node example runs. What means
    the same to corosync is no change.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.pending
    """
    conf = _parse(path) if text is None else _parse_text(text)
    try:
        cmap = corosync_status.read_cmap(programs.run)
    except (corosync_status.NotRunningError, programs.ToolMissing):
        return {
            "running": False,
            "class": diff.NONE,
            "changes": {},
            "restart_paths": [],
            "nodes": [],
            "default": False,
        }
    known_ = _known(conf, diff.of_cmap(cmap))
    changes = list(diff.running_difference(conf, cmap, known_))
    if _encrypted(cmap) and comparable.needs_key(conf) and _other_key(cmap, authkey, fingerprint):
        changes.append(corosync_conf.ConfChange("authkey", "the one in use", "another one"))
    nodes = corosync_status.configured(cmap)
    return {
        "running": True,
        "class": diff.change_class(changes),
        "changes": corosync_conf.as_changes(changes),
        "restart_paths": list(diff.restart_paths(changes)),
        "nodes": [{"nodeid": node.id, "name": node.name} for node in nodes],
        "default": corosync_conf.only_loopback(nodes),
    }


@_salts_errors
def reload_():
    """Make every corosync of the cluster read its corosync.conf again.

    Only what can be changed at run time takes effect; :func:`pending` tells what that is.
    Every node reads its own file, so put the new one on all of them.

    CLI Example:

    .. code-block:: bash

        salt 'fs1' corosync.reload
    """
    done = programs.run([CFGTOOL, "-R"], timeout=RELOAD_TIMEOUT)
    said = (done.err.strip() or done.out.strip()).splitlines()
    if done.code != 0:
        return {
            "result": False,
            "comment": f"corosync refused the reload: {said[-1] if said else done.code}",
        }
    return {"result": True, "comment": "corosync has read its configuration again."}


@_salts_errors
@arguments.typed(
    path=arguments.PATH,
    text=arguments.TEXT | arguments.NONE,
    fingerprint=arguments.TEXT | arguments.NONE,
    allow_restart=arguments.FLAG,
)
def guard(path=CONFIG, text=None, fingerprint=None, allow_restart=False):
    """Return why this node must not be given a configuration now; empty if it may.

    path, text, fingerprint
        As for :func:`pending`.
    allow_restart
        Whoever asks accepts that the resources on this node stop.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.guard
    """
    ahead = pending(path, text=text, fingerprint=fingerprint)
    if allow_restart or ahead["class"] != diff.RESTART or not _pacemaker_runs():
        return ""
    if ahead["default"] and not _cib().resources:
        return ""
    return (
        f"A restart of corosync would be needed for {', '.join(ahead['restart_paths'])}; it "
        "stops every resource on this node and is refused while Pacemaker runs here. Stop "
        "Pacemaker on this node first (its resources move), or set allow_restart: true."
    )


@_salts_errors
@arguments.typed(authkey=arguments.PATH)
def note_key(authkey=AUTHKEY):
    """Let the running corosync remember which authkey it has read, if that is certain.

    The fingerprint is kept in corosync's own map of keys, so it is gone when corosync is.
    Without it nobody could tell whether an authkey that was changed and changed back is the
    one in use.

    authkey
        The key file.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.note_key
    """
    try:
        cmap = corosync_status.read_cmap(programs.run)
        key = system_files.read(Path(authkey))
        if KEY_IN_USE in cmap or key is None or not _older_than_corosync(authkey):
            return False
        line = f"{KEY_IN_USE} str {corosync_authkey.fingerprint(key)}\n"
        return programs.run([corosync_status.CMAPCTL, "-p", "/dev/stdin"], stdin=line).code == 0
    except (corosync_status.NotRunningError, programs.ToolMissing):
        return False
    except OSError as error:
        raise CommandExecutionError(str(error)) from error


@_salts_errors
@arguments.typed(
    fingerprint=arguments.TEXT | arguments.NONE,
    authkey=arguments.PATH,
    allow_restart=arguments.FLAG,
)
def guard_key(fingerprint, authkey=AUTHKEY, allow_restart=False):
    """Return why the authkey of this node must not be replaced now; empty if it may.

    fingerprint
        Of the new key, from ``fshalib.corosync.authkey.fingerprint``.
    authkey
        The key file.
    allow_restart
        Whoever asks accepts that the resources on this node stop.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.guard_key 0123456789abcdef
    """
    try:
        cmap = corosync_status.read_cmap(programs.run)
    except (corosync_status.NotRunningError, programs.ToolMissing):
        return ""
    default = corosync_conf.only_loopback(corosync_status.configured(cmap))
    # A file that was changed after the start is not what is in use; nor is one that differs
    # from what corosync remembers.
    noted = cmap.get(KEY_IN_USE)
    harmless = noted == fingerprint if noted else not _older_than_corosync(authkey)
    if allow_restart or harmless or default or not _encrypted(cmap) or not _pacemaker_runs():
        return ""
    return (
        "Another authkey than the one in use is refused while Pacemaker runs here: after the "
        "next reload or restart this node would no longer understand its peer. Stop "
        "Pacemaker and corosync on all nodes first, or set allow_restart: true."
    )


@_salts_errors
@arguments.typed(path=arguments.PATH, text=arguments.TEXT | arguments.NONE)
def packaged_cluster(path=CONFIG, text=None):
    """Return what a cluster that is not ours left on disk: its nodes, and the files.

    path, text
        The wanted configuration, as for :func:`pending`.

    Returns ``{"nodes": […], "files": […]}``, both empty when the CIB on disk is missing, has
    a resource, or knows one of the wanted nodes.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.packaged_cluster
    """
    conf = _parse(path) if text is None else _parse_text(text)
    found = _cib()
    names = [node.name for node in corosync_conf.nodes_of(conf)]
    if not corosync_packaged.is_ghost(found, names):
        return {"nodes": [], "files": []}
    files = [
        str(file)
        for directory, pattern in ((CIB_DIRECTORY, "cib*"), (STATE_DIRECTORY, "ringid_*"))
        for file in sorted(Path(directory).glob(pattern))
        if file.is_file()
    ]
    return {"nodes": list(found.nodes), "files": files}


# The old name, until version 0.2.
ghost = packaged_cluster


@_salts_errors
@arguments.typed(path=arguments.PATH)
def forget_ghost(path=CONFIG):
    """Remove what :func:`packaged_cluster` finds. Refuses while corosync or Pacemaker runs.

    path
        The wanted configuration.

    Returns what was removed, in the shape of :func:`packaged_cluster`.

    CLI Example:

    .. code-block:: bash

        salt '*' corosync.forget_ghost
    """
    found = packaged_cluster(path)
    if not found["files"]:
        return found
    if pending(path)["running"] or _pacemaker_runs():
        raise CommandExecutionError("Stop Pacemaker and corosync first: their files are in use.")
    for file in found["files"]:
        Path(file).unlink(missing_ok=True)
    return found


def _pacemaker_runs() -> bool:
    return bool(__salt__["service.status"](PACEMAKER))


def _cib() -> corosync_packaged.Contents:
    content = system_files.read(Path(CIB_DIRECTORY, "cib.xml"))
    if content is None:
        return corosync_packaged.Contents((), ())
    return corosync_packaged.contents(content.decode("utf-8", "surrogateescape"))


def _parse(path: str) -> parser.Conf:
    try:
        content = system_files.read(Path(path))
    except (OSError, TypeError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandExecutionError(f"{path} can't be read: {why}.") from error
    if content is None:
        raise CommandExecutionError(f"{path} does not exist.")
    return _parse_text(content.decode("utf-8", "surrogateescape"), path)


def _parse_text(text: str, path: str = "text") -> parser.Conf:
    if not isinstance(text, str):
        raise CommandExecutionError(f"{path}: a corosync.conf is expected, not {text!r}.")
    try:
        return parser.parse(text)
    except parser.ConfError as error:
        raise CommandExecutionError(f"{path}: {error}") from error


def _known(*confs: parser.Conf) -> semantics.ClusterFacts:
    nameless = any(map(comparable.nameless, confs))
    names = {name for conf in confs for name in comparable.host_names(conf)}
    return semantics.ClusterFacts(_unames() if nameless else {}, {n: _addresses(n) for n in names})


def _addresses(name: str) -> list[str]:
    """Return the addresses of a host name, in the resolver's order."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM, proto=socket.IPPROTO_UDP)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]


def _unames() -> dict[int, str]:
    """Return the nodes' names by nodeid, as the CIB on disk has them; no lxml is needed for it."""
    content = system_files.read(Path(CIB_DIRECTORY, "cib.xml"))
    try:
        root = ET.fromstring(content or b"<cib/>")  # noqa: S314  root's own file
    except ET.ParseError:
        return {}
    nodes = [(n.get("id", ""), n.get("uname")) for n in root.iterfind("configuration/nodes/node")]
    return {int(number): name for number, name in nodes if name and number.isdecimal()}


def _with_known(ring: corosync_status.RingStatus) -> corosync_status.RingStatus:
    """Return a ring with its nodes' names and addresses, where the file says them otherwise."""
    names = all(member.name != str(member.nodeid) for member in ring.nodes)
    if names and all(map(_is_address, (link.address for link in ring.links))):
        return ring
    conf = diff.of_cmap(corosync_status.read_cmap(programs.run))
    known_ = _known(conf)
    called = comparable.names_of(conf, known_)
    others = {member.name: called.get(member.nodeid, member.name) for member in ring.nodes}

    def member(one):
        return dataclasses.replace(one, name=called.get(one.nodeid, one.name))

    def link(one):
        address = semantics.resolve(conf, one.address, known_.hosts) or one.address
        return dataclasses.replace(one, node=others.get(one.node, one.node), address=address)

    return dataclasses.replace(
        ring,
        local=member(ring.local),
        nodes=tuple(map(member, ring.nodes)),
        members=tuple(map(member, ring.members)),
        links=tuple(map(link, ring.links)),
    )


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _encrypted(cmap: dict[str, str]) -> bool:
    return comparable.needs_key(diff.of_cmap(cmap))


def _other_key(cmap: dict[str, str], path: str, fingerprint: str | None) -> bool:
    """Tell whether the wanted key is another one than the running corosync read."""
    on_disk = _fingerprint(path)
    wanted = fingerprint or on_disk
    in_use = cmap.get(KEY_IN_USE) or (on_disk if _older_than_corosync(path) else None)
    return wanted is not None and wanted != in_use


def _fingerprint(path: str) -> str | None:
    key = system_files.read(Path(path))
    return None if key is None else corosync_authkey.fingerprint(key)


def _older_than_corosync(path: str) -> bool:
    """Tell whether a file is as it was when the running corosync started."""
    changed, started = (system_files.changed_at(Path(file)) for file in (path, PIDFILE))
    return changed is None or started is None or changed <= started
