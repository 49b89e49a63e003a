"""Export the corosync.conf of a running cluster, whoever wrote it, as this formula's pillar.

A note names everything that is not in the pillar: settings that stay in the file, assumptions,
and settings that the formula would change. The last step of :func:`export` is its proof: it
builds corosync.conf from the new pillar, and each setting with another meaning becomes a note.

Pure functions: the host's networks, names and addresses are arguments.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fshalib.cib.values import FALSE_WORDS, TRUE_WORDS
from fshalib.corosync import build, comparable, diff, oddities, options, semantics
from fshalib.corosync import comparable as corosync_comparable
from fshalib.corosync import conf as corosync_conf
from fshalib.corosync.parser import Conf
from fshalib.corosync.semantics import ClusterFacts
from fshalib.pillar import schema_corosync
from fshalib.pillar.export_corosync_check import built_conf, compare
from fshalib.pillar.export_corosync_nodes import (
    Host,
    Listed,
    is_number,
    link_numbers,
    listed_nodes,
    pillar_nodes,
)
from fshalib.pillar.export_notes import Notes, interfaces, reason
from fshalib.schema import types
from fshalib.schema.report import Location, Report, quoted
from fshalib.schema.types import INVALID, Flag, Whole

AUTHKEY = semantics.DEFAULTS["totem.keyfile"]

# The formula writes these from other keys of the pillar, or always the same.
_WRITTEN = frozenset(
    {"version", "cluster_name", "transport", "crypto_cipher", "crypto_hash", "provider"}
)


@dataclass(frozen=True)
class ExportedCorosync:
    """Pillar data below ``fsha``, and a sentence about everything that is not in it."""

    pillar: dict[str, Any]
    notes: tuple[str, ...]


def export(
    conf: Conf,
    networks: Sequence[str] = (),
    names: Mapping[int, str] | None = None,
    hosts: Mapping[str, Sequence[str]] | None = None,
) -> ExportedCorosync:
    """Return the pillar that the formula writes this corosync.conf from.

    networks
        The host's networks (``10.101.20.0/24``, or its addresses with prefix lengths), for the
        prefix length of each node's address.
    names
        The CIB's names of nodes by nodeid, for nodes without a name in the file.
    hosts
        Addresses of host names in the resolver's order, for nodes whose addresses are names.

    Returns the keys ``cluster``, ``nodes`` and ``corosync``, without the formula's defaults.
    Without a note of a reload or a restart, the file means the same to corosync as the formula's,
    and stays as it is.

    Raises :class:`ValueError` for text that is no network.

    .. code-block:: python

        exported = export(conf.parse(text), ["10.101.20.0/24"])
    """
    notes = Notes(_theirs(conf))
    if len(conf.sections("nodelist")) > 1:
        notes.add(
            "nodelist",
            "there are several; corosync overlays their nodes in order, and the pillar has the "
            "result.",
        )
    _odd(conf, notes)
    # What corosync refuses can't be what runs; what it takes may be.
    runs = semantics.plain(oddities.meant(conf, only_refused=True))
    conf = semantics.plain(oddities.meant(conf))
    known = ClusterFacts(names or {}, hosts or {})
    host_networks = tuple(ipaddress.ip_interface(text).network for text in networks)
    listed = listed_nodes(conf, known)
    numbers = link_numbers(conf, listed)
    nodes = pillar_nodes(listed, numbers, Host(host_networks, conf, known.hosts), notes)
    name = corosync_conf.options_of(conf, "totem").get("cluster_name", "")
    pillar: dict[str, Any] = {"cluster": {"name": name} if name else {}, "nodes": nodes}
    stand_ins = _stand_ins(nodes, numbers, _transport(conf))
    pillar["corosync"] = _corosync(conf, stand_ins, numbers, notes)
    _no_cluster(listed, notes)
    compare(runs, pillar, stand_ins, known, notes)
    return ExportedCorosync(pillar, tuple(notes.texts))


def _odd(conf: Conf, notes: Notes) -> None:
    """Note what corosync does not read as it is meant."""
    for oddity in oddities.find(conf):
        if oddity.meant is None:
            notes.reasons[oddity.path] = oddity.text
        else:
            notes.add(oddity.path, f"{oddity.text}; the pillar has {quoted(oddity.meant)}.")


# --- corosync --------------------------------------------------------------------------------


def _transport(conf: Conf) -> str:
    """Return the transport for the pillar."""
    transport = corosync_conf.options_of(conf, "totem").get("transport", options.KNET)
    return transport if transport in options.TRANSPORTS else options.KNET


def _theirs(conf: Conf) -> Mapping[str, str]:
    """Return corosync's defaults for this file."""
    result = dict(semantics.DEFAULTS)
    if corosync_conf.options_of(conf, "totem").get("secauth") == "on":
        result["totem.crypto_cipher"] = options.DEFAULT_CRYPTO["cipher"]
        result["totem.crypto_hash"] = options.DEFAULT_CRYPTO["hash"]
    return result


def _stand_ins(
    nodes: Mapping[str, Mapping[str, Any]], numbers: Sequence[int], transport: str
) -> tuple[build.RingNode, ...]:
    """Return valid nodes in place of the file's, with as many links; two without a nodelist.

    With them corosync.conf can be built even if the file's nodes have mistakes.
    """
    links = min(max(len(numbers), 1), options.MAX_LINKS[transport])
    texts = [text for node in nodes.values() for text in node["addresses"]]
    only_v6 = bool(texts) and all(":" in text for text in texts)
    start = ipaddress.ip_address("2001:db8::" if only_v6 else "10.0.0.0")
    return tuple(
        build.RingNode(name, n, tuple(str(start + (link << 16) + n) for link in range(links)))
        for n, name in enumerate(nodes or ("a", "b"), start=1)
    )


def _corosync(
    conf: Conf,
    nodes: Sequence[build.RingNode],
    numbers: Sequence[int],
    notes: Notes,
) -> dict[str, Any]:
    transport = _transport(conf)
    usual = corosync_conf.flatten(build.from_settings("a", nodes, transport))
    result: dict[str, Any] = {
        "transport": "" if transport == options.KNET else transport,
        "crypto": _crypto(conf, transport, usual, notes),
        "totem": _settings(conf, "totem", schema_corosync.TOTEM, usual, notes),
        "links": _links(conf, transport, numbers, notes),
        "quorum": _quorum(conf, len(nodes), usual, notes),
        "logging": _settings(conf, "logging", schema_corosync.LOGGING, usual, notes),
    }
    result = {key: value for key, value in result.items() if value}
    if comparable.needs_key(built_conf("a", nodes, result)):
        result["authkey_file"] = _authkey_file(result.get("totem", {}), notes)
    return result


def _settings(
    conf: Conf,
    name: str,
    schema: types.Record,
    usual: Mapping[str, str],
    notes: Notes,
) -> dict[str, Any]:
    """Return a section's settings that the pillar must name.

    These are settings that differ from the formula's defaults, and missing settings for which the
    formula would write something else than corosync's own default.
    """
    given = {f"{name}.{key}": text for key, text in corosync_conf.options_of(conf, name).items()}
    added = {p: notes.theirs[p] for p in usual if p in notes.theirs and p not in given}
    result = {}
    for path, raw in {**given, **added}.items():
        section, _, key = path.partition(".")
        text = corosync_comparable.spelled(path, raw)
        known = section == name and key in schema.fields and key not in _WRITTEN
        if known and usual.get(path) != text:
            value = _value(path, text, schema.fields[key].kind, notes)
            if value is not INVALID:
                result[key] = value
    return result


def _value(path: str, text: str, kind: types.ValueType, notes: Notes) -> object:
    """Return a setting's text as the pillar's value."""
    value: object = text
    if isinstance(kind, Flag) and text.lower() in TRUE_WORDS | FALSE_WORDS:
        value = text.lower() in TRUE_WORDS
    elif isinstance(kind, Whole) and is_number(text):
        value = int(text)
    checked = kind.check(value, Location(Report()))
    if checked is INVALID:
        notes.reasons[path] = f"the pillar takes {kind.expected}"
    return checked


def _crypto(
    conf: Conf, transport: str, usual: Mapping[str, str], notes: Notes
) -> dict[str, object]:
    totem = corosync_conf.options_of(conf, "totem")
    given = {
        kind: totem.get(f"crypto_{kind}", notes.theirs[f"totem.crypto_{kind}"])
        for kind in ("cipher", "hash")
    }
    if transport != options.KNET:
        reason = "corosync 3 encrypts with transport knet only"
        notes.reasons.update(dict.fromkeys(("totem.crypto_cipher", "totem.crypto_hash"), reason))
        return {}
    fields = schema_corosync.COROSYNC.fields["crypto"].kind.fields  # type: ignore[attr-defined]
    result = {}
    for kind, text in given.items():
        path = f"totem.crypto_{kind}"
        if text != usual[path]:
            result[kind] = _value(path, text, fields[kind].kind, notes)
    result = {kind: value for kind, value in result.items() if value is not INVALID}
    if result.get("hash") == "none" and result.get("cipher") != "none":
        notes.reasons["totem.crypto_hash"] = "a cipher needs a hash, and corosync refuses this"
        del result["hash"]
    return result


def _authkey_file(totem: Mapping[str, Any], notes: Notes) -> str:
    """Return the path of the authkey; the key itself is never exported."""
    keyfile = str(totem.get("keyfile", AUTHKEY))
    if keyfile != AUTHKEY:
        notes.add(
            "totem.keyfile",
            f"corosync reads the key from {keyfile}, which authkey_file names; the formula would "
            f"put that key at {AUTHKEY} as well.",
        )
    return keyfile


def _links(
    conf: Conf, transport: str, numbers: Sequence[int], notes: Notes
) -> list[dict[str, object]]:
    result: list[dict[str, object]] = [{} for _ in numbers[: options.MAX_LINKS[transport]]]
    for link in interfaces(conf):
        number = corosync_conf.link_number(link)
        path = f"totem.interface[{number}]"
        position = numbers.index(int(number)) if _is_link(number, numbers) else len(result)
        for key, text in link.options().items():
            if position >= len(result):
                notes.reasons[f"{path}.{key}"] = "the nodes have no such link"
            elif key in options.LINK_KEYS[transport]:
                kind = schema_corosync.LINK.fields[key].kind
                spelled = corosync_comparable.spelled(f"totem.interface.{key}", text)
                value = _value(f"{path}.{key}", spelled, kind, notes)
                result[position].update({} if value is INVALID else {key: value})
            elif key in schema_corosync.LINK.fields and not reason(f"{path}.{key}"):
                notes.reasons[f"{path}.{key}"] = f"transport {transport} does not use it"
    while result and not result[-1]:
        result.pop()
    return result


def _is_link(number: str, numbers: Sequence[int]) -> bool:
    return is_number(number) and int(number) in numbers


def _quorum(conf: Conf, count: int, usual: Mapping[str, str], notes: Notes) -> dict[str, Any]:
    result = _settings(conf, "quorum", schema_corosync.QUORUM, usual, notes)
    if _device_votes(conf) and not result.get("two_node"):
        result.pop("two_node", None)  # beside a device that votes the formula writes none
    if result.get("two_node") and count != 2:
        notes.reasons["quorum.two_node"] = f"two_node is for two nodes, there are {count}"
        del result["two_node"]
    elif result.get("auto_tie_breaker") and result.get("two_node", count == 2):
        notes.reasons["quorum.two_node"] = "corosync switches it off beside auto_tie_breaker"
        result["two_node"] = False
    return result


def _device_votes(conf: Conf) -> bool:
    """Tell whether there is a quorum device whose vote counts; without a number it has one."""
    devices = corosync_conf.inner(conf, "quorum", "device")
    votes = [corosync_conf.numeral(device.options().get("votes", "1")) for device in devices]
    return diff.has_device(conf) and "0" not in votes


def _no_cluster(listed: Sequence[Listed], notes: Notes) -> None:
    """Note that there are no nodes to export; the pillar check refuses such a pillar."""
    nodes = [build.RingNode(n.name, 0, tuple(n.links.values())) for n in listed]
    if corosync_conf.only_loopback(nodes):
        problem = "this is the one-node example of the packages, and no cluster to take over"
    elif not listed:
        problem = "there is no nodelist; put each node with its addresses into the pillar"
    else:
        return
    notes.add("nodelist", f"{problem}; the pillar is refused as it is.")
    notes.refused.add("fsha:nodes")
