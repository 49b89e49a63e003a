"""Keep corosync.conf: the same text on every node, checked by corosync before use.

.. code-block:: yaml

    /etc/corosync/corosync.conf:
      corosync_config.managed:
        - cluster_name: voice
        - nodes:
            fs1: {addresses: [10.0.0.1/24, 10.0.1.1/24]}
            fs2: {addresses: [10.0.0.2/24, 10.0.1.2/24]}
        - totem: {token: 3000}

The state only writes the file; ``corosync_service.running`` makes a running corosync read it.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.corosync import build, diff, parser, semantics
from fshalib.corosync import conf as corosync_conf
from fshalib.events import event, journal, returns
from fshalib.system import files

if TYPE_CHECKING:
    __context__: dict[str, Any]
    __low__: dict[str, Any]
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "corosync_config"

MODE = 0o644
_DEVICE = re.compile(rb"^[ \t]*device[ \t:]*\{", re.MULTILINE)
SUBJECT = "corosync.conf"
# What a test run would have written, for corosync_service.running later in the same run.
WANTED = "fsha.corosync.wanted"
WANTED_KEY = "fsha.corosync.key"

EFFECTS = {
    diff.NONE: "; corosync already runs with these values",
    diff.RELOAD: "; corosync needs a reload",
    diff.RESTART: "; corosync needs a restart",
}


def __virtual__():
    """Load always: corosync may be installed earlier in the same run."""
    return __virtualname__


def managed(
    name="/etc/corosync/corosync.conf",
    cluster_name=None,
    nodes=None,
    transport="knet",
    crypto=None,
    totem=None,
    links=None,
    quorum=None,
    logging=None,
    allow_restart=False,
):
    """Make sure that corosync.conf means the desired configuration.

    name
        The file.
    cluster_name
        The cluster's name.
    nodes
        ``{name: {id: 1, addresses: [one per link, prefix length allowed]}}``, in order; the
        names are those of ``uname -n``. ``id`` defaults to the position.
    transport
        ``knet``, ``udpu`` or ``udp`` (multicast).
    crypto
        ``{cipher: aes256, hash: sha256}``, which are the defaults; with udpu and udp none.
    totem
        Further options of the totem section (milliseconds where they are times).
    links
        Options per link by position: ``knet_link_priority``, ``mcastaddr``, ``mcastport`` …
    quorum
        Further options of the quorum section; ``two_node`` is derived.
    logging
        Options of the logging section.
    allow_restart
        Write a change that needs a restart of corosync although Pacemaker runs on this node.

    Only the meaning counts: a file by pcs, crmsh or a person that means the same to corosync
    stays, byte for byte. Settings that the pillar has no key for (``cluster_uuid``, a quorum
    device, ``uidgid``) stay in the file; beside a quorum device the formula writes no ``two_node``,
    and refuses one that the pillar asks for. The state refuses a change that needs a restart of a
    cluster in service, and writes nothing: a node that boots with another configuration than its
    peer does not find it.
    """
    settings = {"transport": transport, "crypto": crypto, "totem": totem, "links": links}
    settings |= {"quorum": quorum, "logging": logging}
    try:
        old, broken, kept, text, changes = _compared(name, cluster_name, nodes, settings)
        if not changes:
            return returns.unchanged(name, _same(name, old, kept))
        refusal, effect = _ahead(name, text, allow_restart)
    except (parser.ConfError, CommandExecutionError) as error:
        return returns.failed(name, str(error))
    report = corosync_conf.as_changes(changes)
    drifted = broken or not (old is None or corosync_conf.is_packaged_default(old))
    if drifted and not __low__.get("__prereq__"):
        _tell(name, report, refusal)
    if refusal:
        return returns.failed(name, refusal)
    if __opts__["test"]:
        __context__[WANTED] = {name: text}
        return returns.changed(name, report, f"{name} would be written{effect}.", test=True)
    return _write(name, text, kept.conf, report, effect)


SETTINGS = ("transport", "crypto", "totem", "links", "quorum", "logging")


def allowed(name="/etc/corosync/corosync.conf", cluster_name=None, nodes=None, **settings):
    """Ask whether :func:`managed` would be refused, before a run touches anything on the host.

    name, cluster_name, nodes, settings
        As for :func:`managed`.

    What would be refused fails the state, and is told by the event of :func:`managed`; with
    ``failhard`` the run ends there. A test run says the same and sends nothing.
    """
    given = {key: settings[key] for key in SETTINGS if key in settings}
    try:
        old, broken, _, text, changes = _compared(name, cluster_name, nodes, given)
        refusal, _ = _ahead(name, text, False) if changes else ("", "")
    except (parser.ConfError, CommandExecutionError) as error:
        return returns.failed(name, str(error))
    if not refusal:
        return returns.unchanged(name, f"{name} may be as the pillar wants it.")
    drifted = broken or not (old is None or corosync_conf.is_packaged_default(old))
    if drifted and not __opts__["test"]:
        _tell(name, corosync_conf.as_changes(changes), refusal)
    return returns.failed(name, refusal)


def _compared(name, cluster_name, nodes, settings):
    """Return the file, whether it is broken, what is kept of it, the wanted text, and changes."""
    wanted = build.from_settings(cluster_name or "", build.nodes_from(nodes or {}), **settings)
    old, broken = _read(Path(name))
    if broken and _DEVICE.search(files.read(Path(name)) or b""):
        raise parser.ConfError(
            f"{name} can't be read as a corosync.conf, and has a quorum device, which must not be "
            "lost: mend the file by hand (corosync -t names the line)."
        )
    diff.check_device(old, settings.get("quorum") or {})
    kept = diff.kept(old, wanted)
    known = semantics.ClusterFacts(**__salt__["corosync.known"](name))
    changes = diff.difference(old, kept.conf, known)
    return old, broken, kept, parser.render(kept.conf), changes


def _read(path: Path) -> tuple[parser.Conf | None, bool]:
    """Return the file as data, and whether it exists but can't be read."""
    content = files.read(path)
    if content is None:
        return None, False
    try:
        return parser.parse(content.decode("utf-8", "surrogateescape")), False
    except parser.ParseError:
        return None, True


def _same(name: str, old: parser.Conf | None, kept: diff.Kept) -> str:
    told = [f"{name} says what is wanted."]
    if old and corosync_conf.flatten(old) != corosync_conf.flatten(kept.conf):
        told = [f"{name} says what is wanted in other words, and stays as it is."]
    if kept.paths:
        told.append(f"Not the formula's, and left alone: {', '.join(kept.paths)}.")
    return " ".join(told)


def _ahead(name: str, text: str, allow_restart: bool) -> tuple[str, str]:
    """Return why the configuration must not be written, and what makes it effective."""
    if not __salt__["corosync.installed"]():
        return "", ""
    judged = __salt__["corosync.test_config"](text)
    if not judged["result"]:
        return f"{name} stays as it is, corosync refuses the new one: {judged['comment']}", ""
    key = __context__.get(WANTED_KEY)
    refusal = __salt__["corosync.guard"](text=text, fingerprint=key, allow_restart=allow_restart)
    if refusal:
        return f"{name} stays as it is. {refusal}", ""
    pending = __salt__["corosync.pending"](text=text, fingerprint=key)
    if not pending["running"]:
        return "", ""
    return "", EFFECTS[pending["class"]]


def _tell(name: str, report: dict[str, Any], refusal: str) -> None:
    fire = journal.firing(__salt__["event.send"], __opts__)
    test = bool(__opts__["test"])
    event.send_drift(fire, SUBJECT, __opts__["id"], name, report, refusal, test)


def _write(name, text, conf, report, effect):
    try:
        files.replace(Path(name), text.encode("utf-8", "surrogateescape"), MODE)
    except OSError as error:
        return returns.failed(name, f"{name} cannot be written: {error.strerror}.")
    now, _ = _read(Path(name))
    left = diff.difference(now, conf)
    if left:
        paths = ", ".join(change.path for change in left)
        return returns.failed(name, f"{name} was written, but still differs: {paths}.", report)
    return returns.changed(name, report, f"{name} is written{effect}.", test=False)
