"""What the service is and where it may run: facts that several checks of the lint look at.

The service is FreeSWITCH's profiles and their floating addresses, and what they can't run without.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fshalib.agents import is_vip, is_voice
from fshalib.cib.kinds import KINDS
from fshalib.cib.objects import CONTAINERS, Object
from fshalib.cib.values import INFINITY, UnitError, parse_boolean, read_score
from fshalib.lint.rule_truth import holds, score_there
from fshalib.lint.ties import beside, holders, named_by, tied
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

# --- what it is ------------------------------------------------------------------------------


def voices(config: Config) -> list[Object]:
    """Return the resources that are FreeSWITCH's profiles, by our agents or by other people's.

    A clone of the switch itself is none: what it runs is on every node.
    """
    held = {id for clone in config.pacemaker.of("clone") for id in clone.members}
    return [
        item
        for item in config.pacemaker.primitives()
        if is_voice(item.agent, config.freeswitch.service) and item.id not in held
    ]


def addresses(config: Config) -> list[Object]:
    """Return the resources that are floating addresses; a cloned one does not float."""
    held = {id for _, ids in cloned(config) for id in ids}
    return [
        item for item in config.pacemaker.primitives() if is_vip(item.agent) and item.id not in held
    ]


def cloned(config: Config) -> Iterator[tuple[Object, tuple[str, ...]]]:
    """Yield each clone with the primitives in it."""
    groups = {group.id: group.members for group in config.pacemaker.of("group")}
    for clone in config.pacemaker.of("clone"):
        yield clone, tuple(id for one in clone.members for id in groups.get(one, (one,)))


def served(config: Config) -> list[Object]:
    """Return what callers need: the profiles and the floating addresses."""
    return [*voices(config), *addresses(config)]


def leaders(config: Config) -> list[Object]:
    """Return the profiles, and where the switch is but a clone the addresses in their place."""
    return voices(config) or addresses(config)


def service(config: Config) -> tuple[str, ...]:
    """Return what has to run for callers: what they need, and the other members of its groups."""
    ids = [item.id for item in served(config)]
    groups = [group.members for group in config.pacemaker.of("group") if {*group.members} & {*ids}]
    return tuple(dict.fromkeys((*ids, *(id for members in groups for id in members))))


def levels(config: Config, id: str) -> list[tuple[Keys, Mapping[str, str]]]:
    """Return the meta attributes that a primitive has, the first of a name first: who gives them.

    Its own, its template's, those of what contains it, and the defaults.
    """
    item = next(one for one in config.pacemaker.of("primitive") if one.id == id)
    template = str(item.spec.get("template", ""))
    given = [item, *(one for one in config.pacemaker.of("template") if one.id == template)]
    found: list[tuple[Keys, Mapping[str, str]]] = [
        (("pacemaker", KINDS[one.kind].key, one.id), one.values("meta"))
        for one in (*given, *holders(config, id))
    ]
    return [*found, (("pacemaker", "rsc_defaults"), config.pacemaker.values("resource_defaults"))]


def settings(config: Config, id: str, name: str) -> list[tuple[Keys, str]]:
    """Return who gives a meta attribute to a primitive, and what it says, the first first."""
    return [(home, str(level[name])) for home, level in levels(config, id) if name in level]


def needs(config: Config, id: str) -> frozenset[str]:
    """Return what has to run on the same node so that a resource does, and what contains these."""
    needed = tied(config, through_clones=True).needs([id])
    return needed | {holder.id for one in needed for holder in holders(config, one)}


def unit(config: Config, id: str) -> frozenset[str]:
    """Return all that has to run beside a resource for it to be whole: needs, and its group."""
    groups = [group for group in config.pacemaker.of("group") if id in group.members]
    mates = [id, *(member for group in groups for member in group.members)]
    return frozenset[str]().union(*(needs(config, mate) for mate in mates))


def inside(config: Config, id: str) -> frozenset[str]:
    """Return the primitives that a constraint means by an id: itself, members, a tag's objects."""
    inner = [item.members for item in config.pacemaker.objects if item.id == id and item.members]
    tags = [tag.spec.get("references", ()) for tag in config.pacemaker.of("tag") if tag.id == id]
    if not inner and not tags:
        known = any(item.id == id for item in config.pacemaker.of("primitive"))
        return frozenset([id] if known else [])
    return frozenset[str]().union(*(inside(config, str(m)) for ids in (*inner, *tags) for m in ids))


def units(config: Config) -> tuple[frozenset[str], ...]:
    """Return the :func:`unit` of each profile and floating address, each once."""
    return tuple(dict.fromkeys(unit(config, item.id) for item in served(config)))


# --- where it may run ------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """One score of a location constraint.

    keys
        Where it stands in the pillar.
    resources
        What it is for.
    nodes, perhaps
        Where it holds for certain, and where a rule may make it hold.
    exclusive
        Whether what it is for may run nowhere but on nodes that are named like this.
    """

    keys: Keys
    resources: frozenset[str]
    value: int
    nodes: frozenset[str]
    perhaps: frozenset[str]
    exclusive: bool = False


def scores(config: Config) -> Iterator[Score]:
    """Yield the scores that always hold of all location constraints."""
    names = [node.name for node in config.nodes]
    for item in config.pacemaker.of("location"):
        spec = item.spec
        if spec.get("lifetime") or str(spec.get("role", "Started")).lower() != "started":
            continue
        keys: Keys = ("pacemaker", "locations", item.id)
        resources = frozenset(_located(config, item))
        exclusive = spec.get("resource-discovery") == "exclusive"
        if "node" in spec:
            nodes = frozenset({str(spec["node"])})
            value = _value(spec.get("score", "0"))
            yield Score((*keys, "score"), resources, value, nodes, frozenset(), exclusive)
        for number, rule in enumerate(spec.get("rules", ())):
            here = (*keys, "rules", number, "score")
            for value, nodes, perhaps in _by_rule(config, rule, names):
                yield Score(here, resources, value, nodes, perhaps, exclusive)


def _by_rule(
    config: Config, rule: Mapping[str, Any], names: Iterable[str]
) -> Iterator[tuple[int, frozenset[str], frozenset[str]]]:
    """Yield each score of a rule, where it holds for certain, and where it may."""
    where: dict[int, tuple[set[str], set[str]]] = {}
    for name in names:
        truth, score = holds(config, rule, name), score_there(config, rule, name)
        if truth is False:
            continue
        sure, perhaps = where.setdefault(score or 0, (set(), set()))
        (perhaps if truth is None or score is None else sure).add(name)
    for score, (sure, perhaps) in where.items():
        yield score, frozenset(sure), frozenset(perhaps)
    if not where:
        yield 0, frozenset(), frozenset()  # it holds nowhere, but names the resource


def _located(config: Config, item: Object) -> Iterator[str]:
    """Yield the resources that a location is for, those behind a tag or a pattern, too."""
    tags = {tag.id: tag.spec.get("references", ()) for tag in config.pacemaker.of("tag")}
    for name in named_by(item):
        yield from tags.get(name, (name,))
    if "rsc-pattern" in item.spec:
        yield from _matching(config, str(item.spec["rsc-pattern"]))


def _matching(config: Config, pattern: str) -> Iterator[str]:
    # Pacemaker looks at what nothing contains, and ! turns the pattern round.
    plain = pattern.removeprefix("!")
    try:
        wanted = re.compile(plain)
    except re.error:
        return
    for kind in ("primitive", *CONTAINERS):
        for item in config.pacemaker.of(kind):
            outer = not holders(config, item.id)
            if outer and bool(wanted.search(item.id)) != (plain != pattern):
                yield item.id


def _value(text: object) -> int:
    return read_score(str(text)) or 0


def placed_by(config: Config, id: str) -> frozenset[str]:
    """Return a primitive and what contains it, as far as their scores are its own.

    Of a group only the first member has its scores.
    """
    placed = [id]
    for holder in holders(config, id):
        if placed[-1] not in holder.members[:1]:
            break
        placed.append(holder.id)
    return frozenset(placed)


def sum_of(told: Iterable[Score], node: str) -> int:
    """Return the sum of scores on a node as Pacemaker adds: minus infinity is stronger than all."""
    values = [score.value for score in told if node in score.nodes]
    if min(values, default=0) <= -INFINITY:
        return -INFINITY
    return min(sum(values), INFINITY)


def barring(config: Config, ids: frozenset[str], node: str) -> list[Keys]:
    """Return what keeps some resources from ever running on a node: keys in the pillar."""
    told = [*scores(config)]
    found: list[Keys] = []
    for id in (item.id for item in config.pacemaker.primitives() if item.id in ids):
        own = _own(config, told, id)
        if sum_of(own, node) + _from_dependents(config, told, id, node, sum_of(own, node)) < 0:
            found += [s.keys[:3] for s in own if s.value < 0 and node in s.nodes]
        outer = [id, *(holder.id for holder in holders(config, id))]
        alone = [score for score in told if score.exclusive and outer[-1] in score.resources]
        if alone and not _names(alone, node):
            found += [(*score.keys[:3], "resource-discovery") for score in alone]
        about = [score for score in told if score.resources & {*outer}]
        if not is_symmetric(config) and not _names(about, node):
            found.append(("pacemaker", "properties", "symmetric-cluster"))
    return list(dict.fromkeys(found))


def _own(config: Config, told: Iterable[Score], id: str) -> list[Score]:
    placed = placed_by(config, id)
    return [score for score in told if score.resources & placed]


def _from_dependents(config: Config, told: list[Score], id: str, node: str, own: int) -> int:
    """Return what makes good for a negative score: what depends on a resource prefers the node.

    Simulated with Pacemaker 2.1.5: that counts for what it depends on directly, and a dislike
    does not count at all. The next member of a group depends on the one before it.
    """
    if own >= 0 or own <= -INFINITY:
        return 0
    dependents = {one for one, other in tied(config).pairs if other == id}
    more = (sum_of(_own(config, told, one), node) for one in dependents)
    return min(sum(max(0, value) for value in more), INFINITY)


def _names(told: Iterable[Score], node: str) -> bool:
    """Tell whether any of some scores is, or may be, about a node."""
    return any(node in score.nodes | score.perhaps for score in told)


def is_symmetric(config: Config) -> bool:
    """Tell whether a resource may run on a node that no location names for it."""
    told = config.pacemaker.values("properties").get("symmetric-cluster", "true")
    try:
        return parse_boolean(told)
    except UnitError:
        return True


# --- where it prefers to run -----------------------------------------------------------------


@dataclass(frozen=True)
class Pull:
    """A preference that brings the service back to a node, a second interruption.

    score
        The score and where it stands.
    weight, stickiness
        What all preferences weigh together, and what keeps the service where it is.
    harmless
        A score in its place that does not; ``0`` when there is none.
    """

    score: Score
    weight: int
    stickiness: int
    harmless: int


def pulls(config: Config) -> list[Pull]:
    """Return the preferences that weigh more than the stickiness of all that moves together."""
    found: dict[Keys, Pull] = {}
    for ids in dict.fromkeys(beside(config, item.id) for item in served(config)):
        usable = _usable(config, ids)
        stickiness = _stickiness(config, ids)
        told = [one for one in scores(config) if one.resources & ids]
        about = [one for one in told if _depends_on_node(one, usable)]
        finite = [one for one in about if abs(one.value) < INFINITY]
        infinite = [one for one in about if one.value >= INFINITY]
        strong = {name for one in infinite for name in one.nodes | one.perhaps}
        weight, pulling = _difference(finite, usable)
        if strong and not usable <= strong:
            room = _room(stickiness, weight)
            found.update({one.keys: Pull(one, INFINITY, stickiness, room) for one in infinite})
        rest = weight
        # Without any stickiness whatever is preferred comes back: that is another finding.
        for part, one in pulling if stickiness > 0 else ():
            if rest <= stickiness:
                break
            rest -= part
            room = _room(stickiness, weight - part) * (1 if one.value > 0 else -1)
            found.update({one.keys: Pull(one, weight, stickiness, room)})
    return [*found.values()]


def _room(stickiness: int, others: int) -> int:
    """Return what a preference may weigh beside others: half of what outweighs it, or less."""
    half, left = stickiness // 2, stickiness - others
    # Where the others alone are too much, they are a finding of their own.
    return min(half, left) if left > 0 else half


def _usable(config: Config, ids: frozenset[str]) -> frozenset[str]:
    wanted = frozenset(one for id in ids for one in needs(config, id))
    names = [node.name for node in config.nodes]
    return frozenset(name for name in names if not barring(config, wanted, name))


def _stickiness(config: Config, ids: frozenset[str]) -> int:
    """Return what keeps all of some resources where they are."""
    found = [
        _value(settings(config, item.id, "resource-stickiness")[0][1])
        for item in config.pacemaker.of("primitive")
        if item.id in ids and settings(config, item.id, "resource-stickiness")
    ]
    return min(sum(found), INFINITY)


def _depends_on_node(score: Score, usable: frozenset[str]) -> bool:
    """Tell whether a score is for some nodes and not for others, whatever else decides."""
    named = (score.nodes | score.perhaps) & usable
    return bool(named) and named != usable


def _difference(told: list[Score], usable: frozenset[str]) -> tuple[int, list[tuple[int, Score]]]:
    """Return by how much one node is preferred to another, and what makes it so, most first."""

    def on(score: Score, node: str) -> int:
        return score.value if node in score.nodes | score.perhaps else 0

    if len(usable) < 2:
        return 0, []
    sums = {name: sum(on(score, name) for score in told) for name in sorted(usable)}
    best, worst = max(sums, key=sums.__getitem__), min(sums, key=sums.__getitem__)
    parts = [(on(score, best) - on(score, worst), score) for score in told]
    pulling = sorted((one for one in parts if one[0] > 0), key=lambda one: -one[0])
    return sums[best] - sums[worst], pulling
