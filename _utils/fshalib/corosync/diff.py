"""Compare two corosync.conf: the changes, what makes them effective, and what stays.

Settings of the old file that the pillar has no key for stay (:func:`kept`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fshalib.corosync import oddities
from fshalib.corosync.build import SettingsError
from fshalib.corosync.comparable import Side, settled, side_of
from fshalib.corosync.conf import ConfChange, flatten, inner, is_packaged_default, node_id
from fshalib.corosync.options import (
    IDENTITY,
    LINK_RELOAD,
    SECRET,
    TOTEM_KEYS,
    TOTEM_RELOAD,
    TRUTH,
)
from fshalib.corosync.parser import Conf, Entry, Option, Section, UnwritableError, join, render
from fshalib.corosync.semantics import DEFAULTS, NOTHING_KNOWN, RING, UNUSED, ClusterFacts, plain

NONE = "none"
RELOAD = "reload"
RESTART = "restart"
# votequorum_readconfig() in exec/votequorum.c reads these at run time too.
_QUORUM_RELOAD = frozenset({"expected_votes", "two_node"})
# A device without a model is none.
_DEVICE_MODEL = "quorum.device.model"
# The first is for pcs only; an operator sets the second so that corosync stops waiting.
_NOT_COROSYNCS = frozenset({"totem.cluster_uuid", "quorum.cancel_wait_for_all"})


@dataclass(frozen=True)
class Kept:
    """A corosync.conf with the settings that stay, and those settings alone with their paths."""

    conf: Conf
    rest: tuple[tuple[str, Entry], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the settings that stay."""
        return tuple(dict.fromkeys(path for path, _ in self.rest))


def difference(
    old: Conf | None, new: Conf, known: ClusterFacts = NOTHING_KNOWN
) -> tuple[ConfChange, ...]:
    """Return the settings with another meaning, removed ones last; see :func:`normal`.

    Without an old file all settings are new. A change shows the texts of the files; if they are
    equal, their meaning.
    """
    if old is None:
        return tuple(_change(path, None, text) for path, text in flatten(new).items())
    return _compare(side_of(old, known, new), side_of(new, known, old))


def _compare(before: Side, after: Side) -> tuple[ConfChange, ...]:
    olds, news = settled(before, after)
    changes = []
    for path in (*news, *(path for path in olds if path not in news)):
        if olds.get(path) == news.get(path):
            continue
        old = before.texts.get(path, olds.get(path))
        new = after.texts.get(path, news.get(path))
        changes.append(
            _change(path, *((old, new) if old != new else (olds.get(path), news.get(path))))
        )
    return tuple(changes)


def _change(path: str, old: str | None, new: str | None) -> ConfChange:
    if path in SECRET:
        return ConfChange(path, "(secret)" if old else None, "(secret)" if new else None)
    return ConfChange(path, old, new)


def change_class(changes: Sequence[ConfChange]) -> str:
    """Return what makes the changes effective in a running corosync.

    :data:`RELOAD` if ``corosync-cfgtool -R`` is enough for all, :data:`RESTART` if at least one
    needs a restart, :data:`NONE` without changes.
    An unknown key needs a restart. So does a quorum device that goes: with a reload the pair would
    lose its vote while the daemon of the device still runs.
    Source: ``exec/cfg.c``, ``exec/totemconfig.c`` and ``exec/votequorum.c`` of corosync 3.1.7 and
    3.1.9.
    """
    if not changes:
        return NONE
    return RESTART if restart_paths(changes) else RELOAD


def restart_paths(changes: Sequence[ConfChange]) -> tuple[str, ...]:
    """Return the paths of the changes that need a restart."""
    complete = _complete_nodes(changes) - _renamed_nodes(changes)
    device_goes = any(c.path == _DEVICE_MODEL and c.new is None for c in changes)
    return tuple(
        c.path
        for c in changes
        if not _reloadable(c, complete) or (device_goes and c.path.startswith("quorum.device"))
    )


def _complete_nodes(changes: Sequence[ConfChange]) -> set[str]:
    """Return the node sections that come or go with their nodeid and an address."""
    result: set[str] = set()
    nodes = [c for c in changes if c.path.startswith("nodelist.node[")]
    for side in ([c for c in nodes if c.old is None], [c for c in nodes if c.new is None]):
        numbered = {_section_of(c.path) for c in side if _key_of(c.path) == "nodeid"}
        result |= numbered & {_section_of(c.path) for c in side if RING.fullmatch(_key_of(c.path))}
    return result


def _renamed_nodes(changes: Sequence[ConfChange]) -> set[str]:
    """Return node sections that take over the nodeid of a section that goes away."""
    ids = [c for c in changes if c.path.startswith("nodelist.") and c.path.endswith(".nodeid")]
    gone = {c.old for c in ids if c.new is None}
    return {_section_of(c.path) for c in ids if c.old is None and c.new in gone}


def _section_of(path: str) -> str:
    return path.rpartition("].")[0]


def _key_of(path: str) -> str:
    return path.rpartition("].")[2]


def _reloadable(change: ConfChange, complete: set[str]) -> bool:
    section, _, key = change.path.rpartition(".")
    if section.startswith("nodelist.node["):
        # A node or a link may come or go; one that stays must keep its name, number, address.
        comes_or_goes = change.old is None or change.new is None
        return (
            key == "quorum_votes"
            or _section_of(change.path) in complete
            or (comes_or_goes and RING.fullmatch(key) is not None)
        )
    if section.startswith("totem.interface["):
        return key in LINK_RELOAD
    if section == "totem":
        return key in TOTEM_RELOAD or change.path in _NOT_COROSYNCS
    if section == "quorum":
        return key in _QUORUM_RELOAD or change.path in _NOT_COROSYNCS
    return section.startswith(("logging", "quorum.device"))


def of_cmap(cmap: Mapping[str, str]) -> Conf:
    """Return the configuration that a running corosync has read.

    cmap
        The output of ``corosync-cmapctl`` as :func:`status.parse_cmap` returns it. Keys that
        corosync adds itself are left out.
    """
    nested: dict[str, Any] = {}
    for key, value in cmap.items():
        *sections, last = _cmap_place(key)
        inner = nested
        for name in sections:
            inner = inner.setdefault(f"{name}{{", {})
        if last:
            inner[last] = value
    return Conf(_cmap_entries(nested))


def _cmap_place(key: str) -> list[str]:
    """Return the sections of a key and its name in the last one; empty for keys to leave out."""
    names = key.split(".")
    if names[0] not in _IN_CMAP or key == "nodelist.local_node_pos" or names[-1] == "bindnetaddr":
        return [""]
    if key.startswith("totem.interface."):
        # corosync does not know keys outside a link.
        return [names[0], f"interface[{names[2]}", names[3]] if len(names) == 4 else [""]
    if key.startswith("nodelist.node.") and len(names) > 3:
        return [names[0], f"node[{names[2]}", *names[3:]]
    if key.startswith("logging.logger_subsys.") and len(names) == 4:
        return [names[0], f"logger_subsys[{names[2]}", names[3]]
    return names


def _cmap_entries(nested: Mapping[str, Any]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for key, value in nested.items():
        if isinstance(value, str):
            entries.append(Option(key, value))
            continue
        name, _, of = key[:-1].partition("[")
        numbered = (Option("linknumber", of),) if name == "interface" else ()
        entries.append(Section(name, (*numbered, *_cmap_entries(value))))
    return tuple(entries)


_IN_CMAP = ("totem", "nodelist", "quorum", "logging", "system")


def running_difference(
    conf: Conf, cmap: Mapping[str, str], known: ClusterFacts = NOTHING_KNOWN
) -> tuple[ConfChange, ...]:
    """Compare a running corosync (old) with the file (new).

    Both are compared by their meaning, see :func:`normal`; settings that corosync never reads do
    not count.
    """
    runs = of_cmap(cmap)
    desired = side_of(conf, known, runs).only(
        lambda path: (
            path.partition(".")[0] in _IN_CMAP
            and path not in _NOT_COROSYNCS
            and not path.endswith("].bindnetaddr")
        )
    )
    # Without a multicast address in the file corosync makes one from the cluster's name.
    has = side_of(runs, known, conf).only(
        lambda path: (
            path not in _NOT_COROSYNCS
            and (path in desired.values or not path.endswith("].mcastaddr"))
        )
    )
    return _compare(has, desired)


# --- settings that the pillar has no key for ---------------------------------------------

_GOVERNED: Mapping[str, frozenset[str]] = {
    "totem": TOTEM_KEYS
    | {"cluster_name", "crypto_cipher", "crypto_hash", "interface", "key", "secauth"}
    | {"transport", "version"},
    "nodelist": frozenset({"node"}),
    "nodelist.node": frozenset({"name", "nodeid"}),
    "quorum": frozenset({"provider", "votes", "wait_for_all", "expected_votes"})
    | {path.removeprefix("quorum.") for path in DEFAULTS if path.startswith("quorum.")},
    "logging": frozenset({"logfile"})
    | {path.removeprefix("logging.") for path in DEFAULTS if path.startswith("logging.")},
}
# corosync does not start with one of these and a quorum device; corosync -t takes them.
_NOT_WITH_A_DEVICE = ("allow_downscale", "auto_tie_breaker", "last_man_standing", "two_node")


def has_device(conf: Conf) -> bool:
    """Tell whether a configuration has a quorum device."""
    return any(device.options().get("model") for device in inner(conf, "quorum", "device"))


def check_device(old: Conf | None, quorum: Mapping[str, Any]) -> None:
    """Check that the pillar does not ask for what a quorum device in the old file excludes.

    old
        The configuration on the host.
    quorum
        The pillar's ``quorum``, without what the formula adds.

    Raises :class:`build.SettingsError`.
    """
    asked = [key for key in _NOT_WITH_A_DEVICE if _is_on(quorum.get(key))]
    if old is not None and asked and has_device(old):
        raise SettingsError(
            f"corosync:quorum:{asked[0]}",
            f"corosync.conf has a quorum device, and corosync does not start with both. Take "
            f"{asked[0]} out of the pillar; or take the device out of the cluster (pcs quorum "
            "device remove), and run this again.",
        )


def _is_on(value: object) -> bool:
    return TRUTH.get(str(value).lower(), str(value) not in ("None", "0", "")) not in (0, False)


def kept(old: Conf | None, desired: Conf) -> Kept:
    """Return the desired configuration with the old settings that the pillar has no key for.

    The formula writes the whole file, but changes only settings that the pillar has a key for.
    The rest stays: ``cluster_uuid`` of pcs, a quorum device, ``quorum_votes`` of a node,
    ``logger_subsys``, ``uidgid``, ``system`` and other sections, keys of other versions. So the
    rest is no difference, and no other change loses it.

    A setting that contradicts or hides the desired ones does not stay, and so is a difference:
    ``key`` beside the authkey, unknown keys of a link, and a section that the desired file has as
    well. A quorum device always stays, and the ``two_node`` of a pair goes: corosync does not start
    with both. Nothing stays of the
    packages' one-node example, of settings without a use in corosync 3.1 (:data:`UNUSED`), and
    of text that could not be written as it was read. What corosync refuses stays as it is meant.
    """
    if old is None or is_packaged_default(old):
        return Kept(desired, ())
    old = plain(oddities.meant(old, only_refused=True))
    if has_device(old):
        desired = _without_two_node(desired)
    keeper = _Keeper(old)
    entries = [keeper.with_rest(e) if isinstance(e, Section) else e for e in desired.entries]
    return Kept(Conf((*entries, *keeper.others())), tuple(keeper.rest))


def _without_two_node(conf: Conf) -> Conf:
    two_node = Option("two_node", "1")
    return Conf(
        tuple(
            Section(e.name, tuple(i for i in e.entries if i != two_node))
            if isinstance(e, Section) and e.name == "quorum"
            else e
            for e in conf.entries
        )
    )


class _Keeper:
    """Finds the settings of a configuration that the pillar has no key for."""

    def __init__(self, old: Conf) -> None:
        self._old = old
        self.rest: list[tuple[str, Entry]] = []

    def with_rest(self, section: Section) -> Section:
        """Return one of the formula's sections with the other settings of the old ones."""
        if section.name == "nodelist":
            nodes = (self._node(e) if isinstance(e, Section) else e for e in section.entries)
            section = Section(section.name, tuple(nodes))
        return self._filled(section.name, section.name, self._old.sections(section.name), section)

    def _node(self, section: Section) -> Section:
        options = section.options()
        name, number = options.get("name", ""), node_id(options)
        olds = [(node, node.options()) for node in inner(self._old, "nodelist", "node")]
        same = [node for node, has in olds if name and has.get("name") == name] or [
            node for node, has in olds if number and node_id(has) == number
        ]
        return self._filled("nodelist.node", f"nodelist.node[{name}]", same[:1], section)

    def _filled(self, kind: str, path: str, olds: Sequence[Section], section: Section) -> Section:
        rest = [e for old in olds for e in old.entries if _is_rest(kind, e, section)]
        self.rest += [(_path_of(path, entry), entry) for entry in rest]
        inner = tuple(e for e in rest if isinstance(e, Section))
        options = tuple(e for e in section.entries if isinstance(e, Option))
        sections = tuple(e for e in section.entries if isinstance(e, Section))
        more = tuple(e for e in rest if isinstance(e, Option))
        return Section(section.name, (*options, *more, *sections, *inner))

    def others(self) -> list[Entry]:
        """Return the entries outside the formula's sections."""
        rest = [e for e in self._old.entries if _name_of(e) not in _GOVERNED and _is_writable(e)]
        self.rest += [(_path_of("", entry), entry) for entry in rest]
        return rest


def _is_rest(kind: str, entry: Entry, section: Section) -> bool:
    name = _name_of(entry)
    if name in _GOVERNED[kind] or join(kind, name) in UNUSED or not _is_writable(entry):
        return False
    if kind == "nodelist.node" and re.fullmatch(r"ring[0-9]+_addr", name):
        return False
    return name not in {_name_of(e) for e in section.entries}


def _name_of(entry: Entry) -> str:
    return entry.key if isinstance(entry, Option) else entry.name


def _path_of(above: str, entry: Entry) -> str:
    """Return the path of a setting, or of a section with its key."""
    path = join(above, _name_of(entry))
    if isinstance(entry, Option):
        return path
    options = entry.options()
    of = next((options[key] for key in IDENTITY.get(path, ()) if key in options), "")
    return f"{path}[{of}]" if of else path


def _is_writable(entry: Entry) -> bool:
    try:
        render(Conf((entry,)))
    except UnwritableError:
        return False
    return True
