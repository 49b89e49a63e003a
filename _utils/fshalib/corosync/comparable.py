"""Normal forms of corosync.conf, to compare two of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from fshalib.corosync.conf import inner, node_id, walk
from fshalib.corosync.nodeids import numbered, with_sections
from fshalib.corosync.parser import Conf, Option, Section
from fshalib.corosync.semantics import (
    EMPTY,
    NOTHING_KNOWN,
    ClusterFacts,
    Meaning,
    ip,
    plain,
    resolve,
    rings,
    spelled_value,
)


@dataclass(frozen=True)
class Side:
    """One of two configurations to compare: its texts, and their meaning to corosync.

    ``literal`` is true if its ``ip_version`` has no effect.
    """

    texts: Mapping[str, str]
    values: Mapping[str, str]
    literal: bool

    def only(self, fits: Callable[[str], bool]) -> "Side":
        """Return the side with only those values whose paths fit."""
        return replace(self, values={p: v for p, v in self.values.items() if fits(p)})


def side_of(conf: Conf, known: ClusterFacts, beside: Conf = EMPTY) -> Side:
    """Return the texts and the meaning of a configuration, to compare it with another one."""
    named, assumed = with_names(_full(conf, known), known, _full(beside, known))
    meaning = Meaning(named, known)
    settings = {s.path: s for s in walk(named.entries, merge=True) if s.path not in assumed}
    values = {path: meaning.of(setting) for path, setting in settings.items()}
    unsaid = {path: value for path, value in meaning.unsaid().items() if path not in settings}
    return Side(
        texts={path: setting.value for path, setting in settings.items()},
        values={**unsaid, **{p: v for p, v in values.items() if v is not None}},
        literal=meaning.literal(),
    )


def _full(conf: Conf, known: ClusterFacts) -> Conf:
    return numbered(plain(conf), known.hosts)


def with_names(conf: Conf, known: ClusterFacts, beside: Conf) -> tuple[Conf, frozenset[str]]:
    """Give each node the name that Pacemaker uses for it.

    If that is not known, the node gets the name that ``beside`` has for its nodeid or its
    address, so the two can be compared. Returns the configuration, and the paths of those names.
    """
    nodes = [node.options() for node in inner(conf, "nodelist", "node")]
    taken = {options.get("name", "") for options in nodes}
    others = {}
    for node in inner(beside, "nodelist", "node"):
        for key in _marks(beside, node.options(), known):
            others[key] = node.options().get("name", "")
    assumed = set()

    def name_of(options: Mapping[str, str]) -> str:
        name = _pacemakers_name(options, known)
        if not name:
            names = (others.get(key, "") for key in _marks(conf, options, known))
            name = next((n for n in names if n not in taken), "")
            assumed.add(f"nodelist.node[{name}].name")
        taken.add(name)
        return name

    def named(section: Section) -> Section:
        if section.name != "node" or section.options().get("name"):
            return section
        name = name_of(section.options())
        added = (Option("name", name),) if name else ()
        return Section(section.name, (*section.entries, *added))

    return with_sections(conf, "nodelist", named), frozenset(assumed)


def _marks(conf: Conf, options: Mapping[str, str], known: ClusterFacts) -> list[str]:
    """Return the keys that identify a node: its nodeid, then its first address."""
    address = next((resolve(conf, text, known.hosts) for text in rings(options)), None)
    number = node_id(options)
    return [mark for mark in (str(number or ""), address) if mark]


def _pacemakers_name(options: Mapping[str, str], known: ClusterFacts) -> str:
    """Return Pacemaker's name of a node without a name, if it is known."""
    address = options.get("ring0_addr", "")
    return known.names.get(node_id(options), "") or ("" if ip(address) else address)


def settled(first: Side, second: Side) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values of two sides without settings that have no effect on a difference.

    With the same two_node on both sides, a wait_for_all that equals it is its default. If
    two_node changes, an explicit wait_for_all stays, and only an implicit one changes with it.
    """
    two_node = first.values.get("quorum.two_node", "0")
    follows = two_node == second.values.get("quorum.two_node", "0")

    def values(side: Side) -> dict[str, str]:
        result = dict(side.values)
        if first.literal and second.literal:
            result.pop("totem.ip_version", None)
        if follows and result.get("quorum.wait_for_all") == two_node:
            del result["quorum.wait_for_all"]
        return result

    return values(first), values(second)


def names_of(conf: Conf, known: ClusterFacts = NOTHING_KNOWN) -> dict[int, str]:
    """Return Pacemaker's names of the nodes by nodeid, without unknown ones."""
    named, _ = with_names(_full(conf, known), known, EMPTY)
    options = [node.options() for node in inner(named, "nodelist", "node")]
    return {node_id(has): has["name"] for has in options if has.get("name")}


def nameless(conf: Conf) -> bool:
    """Tell whether there is a node without a name of its own."""
    return not all(node.options().get("name") for node in inner(conf, "nodelist", "node"))


def host_names(conf: Conf) -> tuple[str, ...]:
    """Return the host names that nodes have in place of addresses."""
    texts = [text for node in inner(conf, "nodelist", "node") for text in rings(node.options())]
    return tuple(dict.fromkeys(text for text in texts if text and not ip(text)))


def needs_key(conf: Conf) -> bool:
    """Tell whether the configuration encrypts or signs, and so reads the authkey."""
    values = normal(conf)
    return any(f"totem.crypto_{kind}" in values for kind in ("cipher", "hash"))


def normal(conf: Conf, known: ClusterFacts = NOTHING_KNOWN) -> dict[str, str]:
    """Return the normal form for corosync 3.1: settings by path, in one spelling.

    Two files mean the same to corosync if their normal forms are equal:

    - Defaults are left out (:data:`DEFAULTS`). So are ``wait_for_all: 1`` beside
      ``two_node: 1``, and an ``expected_votes`` that is the sum of the nodes' votes.
    - Numbers, booleans and addresses have one spelling. A host name becomes the address that
      corosync chooses from those in ``known``.
    - ``secauth`` becomes its cipher and hash.
    - A node without a nodeid gets the one that corosync makes of its address (:func:`numbered`).
    - A node without a name gets Pacemaker's: that of the CIB, else its ``ring0_addr`` if it is
      a host name.
    - Several sections about one link, or one subsystem of the log, become one. A subsystem that
      logs as all others do is left out.
    - Settings without effect are left out: :data:`UNUSED`, ``bindnetaddr`` and ``member`` beside
      a nodelist, ``mcastaddr`` without multicast, options of knet with another transport,
      ``votes`` beside a nodelist, ``key`` beside a ``keyfile``, a ``logfile`` that nothing goes
      to, and an ``ip_version`` if no address is a host name. Settings that corosync would refuse
      stay.

    Sections are joined as by :func:`plain`.
    """
    side = side_of(conf, known)
    return settled(side, side)[0]


def unused(conf: Conf) -> dict[str, str]:
    """Return the settings without effect, by path; see :func:`normal`.

    ``secauth`` has one.
    """
    named, _ = with_names(plain(conf), NOTHING_KNOWN, EMPTY)
    meaning = Meaning(named, NOTHING_KNOWN)
    settings = (s for s in walk(named.entries, merge=True) if s.kind != "totem.secauth")
    return {s.path: s.value for s in settings if meaning.is_unused(s.kind, s.value)}


def spelled(path: str, text: str) -> str:
    """Return a setting's value in its normal spelling.

    path
        Of a setting outside repeated sections (``totem.token``).
    """
    return spelled_value(path, text)
