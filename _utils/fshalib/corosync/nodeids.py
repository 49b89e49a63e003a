"""The nodeids that corosync makes of addresses, for nodes without one in corosync.conf."""

from collections.abc import Callable, Mapping, Sequence

from fshalib.corosync.conf import options_of
from fshalib.corosync.options import KNET
from fshalib.corosync.parser import Conf, Option, Section
from fshalib.corosync.semantics import ip, resolve


def numbered(conf: Conf, hosts: Mapping[str, Sequence[str]]) -> Conf:
    """Return a configuration with the nodeid that corosync makes for each node without one.

    Without knet it is the IPv4 address of the first link as a number, without its highest bit if
    ``clear_node_high_bit`` is ``yes``. With knet corosync refuses such a node, and it stays so.

    conf
        As ``semantics.plain`` returns it.
    hosts
        As in ``semantics.ClusterFacts``.
    """
    totem = options_of(conf, "totem")

    def with_id(node: Section) -> Section:
        options = node.options()
        address = resolve(conf, options.get("ring0_addr", ""), hosts)
        number = nodeid_of(address or "", totem)
        if "nodeid" in options or node.name != "node" or number is None:
            return node
        return Section(node.name, (*node.entries, Option("nodeid", str(number))))

    return with_sections(conf, "nodelist", with_id)


def nodeid_of(address: str, totem: Mapping[str, str]) -> int | None:
    """Return the nodeid that corosync makes of a node's address; ``None`` if it makes none.

    totem
        The options of the section ``totem``.
    """
    literal = ip(address)
    if totem.get("transport", KNET) == KNET or not literal or literal.version != 4:
        return None
    cleared = totem.get("clear_node_high_bit") == "yes"
    return int(literal) & (0x7FFFFFFF if cleared else 0xFFFFFFFF)


def with_sections(conf: Conf, name: str, change: Callable[[Section], Section]) -> Conf:
    """Return a configuration with the sections within all of one name changed."""
    return Conf(
        tuple(
            Section(e.name, tuple(change(i) if isinstance(i, Section) else i for i in e.entries))
            if isinstance(e, Section) and e.name == name
            else e
            for e in conf.entries
        )
    )
