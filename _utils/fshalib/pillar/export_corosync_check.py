"""The proof of an export: the settings that the formula would still change."""

from collections.abc import Mapping, Sequence
from typing import Any

from fshalib.corosync import build, comparable, diff, options, parser
from fshalib.corosync import conf as corosync_conf
from fshalib.corosync.parser import Conf, Section
from fshalib.corosync.semantics import ClusterFacts
from fshalib.pillar import config, schema
from fshalib.pillar.export_notes import Notes, below, content
from fshalib.schema.report import ConfigErrors


def compare(
    conf: Conf,
    pillar: Mapping[str, Any],
    stand_ins: Sequence[build.RingNode],
    known: ClusterFacts,
    notes: Notes,
) -> None:
    """Note mistakes of the pillar, settings that are not in it, and remaining differences."""
    sound = _check(pillar, notes)
    name = pillar["cluster"].get("name") or _default_name()
    try:
        nodes: Sequence[build.RingNode] = build.nodes_from(pillar["nodes"])
        built = built_conf(name, nodes, pillar["corosync"])
    except build.SettingsError as wrong:
        if sound:
            notes.add(wrong.path, f"the formula would refuse this pillar: {wrong.message}")
        # The nodes have their notes; compare the rest.
        built = _without_nodes(built_conf(name, stand_ins, pillar["corosync"]))
        conf = _without_nodes(conf)
    kept = diff.kept(conf, built)
    for path, entry in [(p, e) for p, e in kept.rest if not notes.knows(p)]:
        notes.kept(path, content(path, entry), path)
    writes = corosync_conf.flatten(built)
    for path, text in comparable.unused(conf).items():
        if writes.get(path) != text and not notes.knows(path):
            notes.unused(path, text)
    for change in diff.difference(conf, kept.conf, known):
        if not notes.knows(change.path):
            notes.changed(change)


def _check(pillar: Mapping[str, Any], notes: Notes) -> bool:
    """Note the mistakes in the pillar; tell whether it has none at all."""
    try:
        config.check(pillar)
    except ConfigErrors as wrong:
        for error in wrong.errors:
            if not below(error.path, notes.refused, ":"):
                notes.add(error.path, f"the formula would refuse this pillar: {error.message}")
        return False
    return True


def built_conf(
    name: str, nodes: Sequence[build.RingNode], corosync: Mapping[str, Any]
) -> parser.Conf:
    """Build corosync.conf as the state ``corosync_config.managed`` does."""
    return build.from_settings(
        name,
        nodes,
        transport=corosync.get("transport", options.KNET),
        crypto=corosync.get("crypto"),
        totem=corosync.get("totem"),
        links=corosync.get("links"),
        quorum=corosync.get("quorum"),
        logging=corosync.get("logging"),
    )


def _default_name() -> str:
    return str(schema.CLUSTER.fields["name"].default)


def _without_nodes(conf: Conf) -> Conf:
    """Return a configuration whose nodelist has no node in it."""
    return Conf(
        tuple(
            Section(e.name, tuple(inner for inner in e.entries if not _is_node(inner)))
            if isinstance(e, Section) and e.name == "nodelist"
            else e
            for e in conf.entries
        )
    )


def _is_node(entry: parser.Entry) -> bool:
    return isinstance(entry, Section) and entry.name == "node"
