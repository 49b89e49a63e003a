"""Lint a cluster that somebody else built, by its CIB and without a pillar.

The path of a finding is the key in the pillar that ``fsha.export`` would make.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from fshalib.agents import is_fencing
from fshalib.cib import agent, ownership, properties, read
from fshalib.cib import rule as cib_rule
from fshalib.cib.document import OWNERSHIP_TAG, Element
from fshalib.cib.element_schema import OTHER, UNUSED
from fshalib.cib.kinds import KINDS
from fshalib.cib.normalize import SCORES
from fshalib.cib.nvset import NvSet, NvSets, in_pillar
from fshalib.cib.objects import Object
from fshalib.cib.options import PROPERTY_ALIASES
from fshalib.cib.spec import from_pillar
from fshalib.cib.values import UnitError, parse_boolean, read_score, score_text
from fshalib.corosync.oddities import Oddity
from fshalib.lint import rules_own_agents, runner, simulated
from fshalib.lint.finding import ERROR, HINT, Advice, KnownFinding
from fshalib.pacemaker import history, transient
from fshalib.pillar import config as pillar_config
from fshalib.schema.report import ConfigErrors, path, printable

NOT_UNDERSTOOD = KnownFinding(
    "The cluster does not understand it either, and silently uses its default",
    "Pacemaker's schema accepts any text here; the log of crm_verify has more",
    "give it a valid value",
    ERROR,
)
_TOOL = "crm_resource(8), --move, --ban and --clear"
LEFT_BEHIND = KnownFinding(
    "It was made by crm_resource --ban and lasts until somebody clears it. Whatever fails, the "
    "service does not go to that node",
    _TOOL,
    "crm_resource --clear --resource RESOURCE, when the reason is gone",
    ERROR,
)
LEFT_BAN = KnownFinding(
    "It was made by crm_resource --ban and lasts until somebody clears it. What it names does not "
    "go to that node. The service itself still has another node",
    _TOOL,
    "crm_resource --clear --resource RESOURCE, when the reason is gone",
)
LEFT_PREFERENCE = KnownFinding(
    "It was made by crm_resource --move and lasts until somebody clears it. The service fails "
    "over, and comes back to that node as soon as it can, which interrupts calls again",
    _TOOL,
    "crm_resource --clear --resource RESOURCE, when the reason is gone",
)
LEFT_OVER = KnownFinding(
    "It was made by crm_resource for a limited time. That time is over, and it has no effect any "
    "more",
    "crm_resource(8), --lifetime and --expired",
    "crm_resource --clear --expired",
    HINT,
)
NODE_MAINTENANCE = KnownFinding(
    "A node's own maintenance ends when Pacemaker stops there, while what runs there goes on. The "
    "other node then starts the service as well, and both hold the floating address",
    "measured with Pacemaker 2.1.5; crm_simulate of 3.0.0 decides the same",
    "crm_attribute --node NODE --name maintenance --delete. To stop Pacemaker there, move the "
    "service first, or set maintenance-mode for the whole cluster (fsha.maintenance on)",
    ERROR,
)
NEW_NAME = KnownFinding(
    "Pacemaker has this name since 3.0.2. The Pacemaker of this cluster is older: it ignores the "
    "property, and its default holds",
    "options.c of Pacemaker 3.0.1 and 3.0.2; measured with 2.1.5",
    "set it under its older name, which every version knows",
)
MISREAD = KnownFinding(
    "corosync takes it otherwise than it is meant",
    "coroparse.c of corosync 3.1; corosync -t",
    "mend it in corosync.conf on every node",
)
NOT_READ = KnownFinding(
    "Links, quorum and encryption are not judged without it",
    "corosync.conf(5)",
    "give its path as corosync_conf",
)
UNKNOWN = frozenset({"hot-flag", "routed-link", "vip-elsewhere"})
"""Findings that need more than the CIB and corosync.conf."""
KNOWN: Mapping[str, KnownFinding] = {
    "not-understood": NOT_UNDERSTOOD,
    "left-behind": LEFT_BEHIND,
    "left-ban": LEFT_BAN,
    "left-preference": LEFT_PREFERENCE,
    "left-over": LEFT_OVER,
    "refused-parameter": rules_own_agents.REFUSED,
    "node-maintenance": NODE_MAINTENANCE,
    "new-name": NEW_NAME,
    "misread": MISREAD,
    "refused-file": replace(MISREAD, reason="corosync refuses this file", severity=ERROR),
    "not-read": NOT_READ,
}


LEFT = frozenset({"left-ban", "left-behind", "left-preference", "left-over"})
"""Findings about a constraint that crm_resource has made."""


def lint(
    root: Element,
    corosync: Mapping[str, Any],
    *,
    new_names: bool | None = None,
    odd: Iterable[Oddity] = (),
) -> tuple[Advice, ...]:
    """Return the advice on a running or saved cluster.

    root
        Its CIB.
    corosync
        Its corosync.conf as pillar data; empty if that is not known.
    new_names
        Whether its Pacemaker knows the new names of properties; without it by the CIB.
    odd
        What its corosync does not read as it is meant.

    Raises :class:`config.ConfigErrors` for mistakes in the data of corosync.conf.
    """
    return read_and_lint(root, corosync, new_names=new_names, odd=odd)[1]


def read_and_lint(
    root: Element,
    corosync: Mapping[str, Any],
    *,
    new_names: bool | None = None,
    odd: Iterable[Oddity] = (),
) -> tuple[pillar_config.Config, tuple[Advice, ...]]:
    """Return the configuration of a cluster, as far as it is sound, and the advice on it.

    Takes and raises what :func:`lint` does.
    """
    own = [*map(_misread, odd), *_maintained(root)]
    sound: list[Object] = []
    left: list[Object] = []
    now = datetime.now(timezone.utc)
    known = properties.knows_new_names(root) if new_names is None else new_names
    own += _new_names(root) if known is False else []
    for given in map(_as_read, read.read_all(root)):
        item = _as_named(given, known is not False) if given.kind == "properties" else given
        left += [item] if _is_left(item) else []
        faults = tuple(_faults(item))
        own += faults
        if faults and KINDS[item.kind].one:
            names = {fault.path.rpartition(":")[2] for fault in faults}
            sets = item.sets("sets").without(names, conditional=True)
            sound.append(Object(item.kind, item.id, {"sets": sets}))
        elif item.id != OWNERSHIP_TAG:
            sound += [item] if not faults else _as_understood(item)
    state = transient.state(simulated.with_nodes_up(root), now)
    config = replace(pillar_config.of_cib(sound, corosync, read.hosts(root)), state=state)
    own += [
        _advice("refused-parameter", path(keys), message)
        for keys, message in rules_own_agents.refused(config)
    ]
    advices = [advice for advice in runner.lint(config) if advice.code not in UNKNOWN]
    for item in left:
        about = [advice for advice in advices if _is_at(advice, item)]
        advices = [advice for advice in advices if advice not in about]
        own.append(_left_advice(item, now, about))
    return config, (*own, *advices)


def _is_at(advice: Advice, item: Object) -> bool:
    where = _path_of(item)
    return advice.path == where or advice.path.startswith(f"{where}:")


def _path_of(item: Object) -> str:
    return path(("pacemaker", KINDS[item.kind].key, item.id))


def _left_advice(item: Object, now: datetime, about: Iterable[Advice]) -> Advice:
    """Return the advice on a constraint of crm_resource, by what it does.

    about
        What the rules find in it: whether it keeps the service from the last other node.
    """
    where = item.spec.get("node", "a node")
    score = item.spec.get("score", "a rule")
    text = f"a move or ban has left it behind ({score} for {where})"
    bars = any(advice.severity == ERROR for advice in about)
    return _advice(_left(item, now, bars), _path_of(item), text)


def _misread(oddity: Oddity) -> Advice:
    code = "refused-file" if oddity.refused else "misread"
    return _advice(code, printable(f"corosync.conf:{oddity.path}", 200), oddity.text)


def not_read(why: str) -> Advice:
    """Return the advice about a corosync.conf that can't be read."""
    return _advice("not-read", "corosync.conf", why)


def _new_names(root: Element) -> Iterator[Advice]:
    """Find properties whose names the Pacemaker of this cluster does not know yet."""
    pairs = root.iterfind("configuration/crm_config/cluster_property_set/nvpair")
    for name in dict.fromkeys(pair.get("name", "") for pair in pairs):
        if properties.is_new(name):
            older = PROPERTY_ALIASES[name]
            keys = ("pacemaker", "properties", name)
            yield _advice("new-name", path(keys), f"this Pacemaker knows it as {older} only")


def _as_named(item: Object, new_names: bool) -> Object:
    """Return properties under the older names, without those that this Pacemaker ignores."""
    named: list[NvSet] = []
    for nvset in item.sets("sets"):
        values = properties.resolved(nvset.values) if new_names else nvset.values
        named.append(replace(nvset, values=values).without(PROPERTY_ALIASES))
    given = item.sets("sets")
    return item.with_sets("sets", replace(given, sets=tuple(named)))


def _maintained(root: Element) -> Iterator[Advice]:
    """Find nodes in maintenance of their own on which something runs that may run once only."""
    if properties.is_on(properties.read(root), "maintenance-mode", False):
        return  # nothing is started anywhere
    everywhere = {
        p.get("id")
        for tag in ("clone", "master", "bundle")
        for e in root.iter(tag)
        for p in e.iter()
    }
    fencing = {id for id, name in agent.names(root).items() if is_fencing(name)}
    for node in root.iterfind("configuration/nodes/node"):
        name = node.get("uname", "")
        own = [*history.running(root, name)]
        ids = [id for id in own if id not in everywhere and id not in fencing]
        held = node.iterfind("instance_attributes/nvpair[@name='maintenance']")
        if ids and any(map(_is_true, held)):
            keys = ("pacemaker", "nodes", name, "attributes", "maintenance")
            told = f"{name} is in maintenance of its own, and {', '.join(ids)} ran there last"
            yield _advice("node-maintenance", path(keys), told)


def _is_true(pair: Element) -> bool:
    try:
        return parse_boolean(pair.get("value", ""))
    except UnitError:
        return False


def _as_read(item: Object) -> Object:
    """Return an object with its scores as Pacemaker reads them: ``1.0`` is 1."""
    spec = {key: _read_scores(value) for key, value in item.spec.items()}
    return Object(item.kind, item.id, spec)


def _read_scores(sets: Any) -> Any:
    if not isinstance(sets, NvSets):
        return sets
    return replace(sets, sets=tuple(replace(s, values=_scores_read(s.values)) for s in sets))


def _scores_read(values: Mapping[str, str]) -> dict[str, str]:
    read_as = {name: read_score(text) for name, text in values.items() if name in SCORES}
    return {
        **values,
        **{name: score_text(score) for name, score in read_as.items() if score is not None},
    }


def _faults(item: Object) -> Iterator[Advice]:
    keys = ("pacemaker", KINDS[item.kind].key, item.id)
    try:
        pillar_config.make(item.kind, item.id, _known(item))
    except ConfigErrors as wrong:
        # Its sentences begin with the object's id; properties and defaults have none in the pillar.
        own = f"{item.id}:sets:" if KINDS[item.kind].one else ""
        for error in wrong.errors:
            where = f"{path(keys[:2])}:{error.path.removeprefix(own)}"
            yield _advice("not-understood", where, error.message)


def _is_left(item: Object) -> bool:
    return item.kind == "location" and bool(ownership.OPERATOR_CONSTRAINT.match(item.id))


def _known(item: Object) -> dict[str, Any]:
    """Return an object as pillar data, without unreadable and unused content."""
    values = {key: value for key, value in item.spec.items() if key not in (OTHER, UNUSED)}
    spec: dict[str, Any] = in_pillar(values)
    return spec


def _as_understood(item: Object) -> list[Object]:
    """Return an object without the values that the cluster does not understand; none if invalid."""
    spec: Any = _known(item)
    try:
        pillar_config.make(item.kind, item.id, spec)
    except ConfigErrors as wrong:
        for error in wrong.errors:
            _take_out(spec, error.path.removeprefix(f"{item.id}:").split(":"))
    try:
        pillar_config.make(item.kind, item.id, spec)
    except ConfigErrors:
        return []
    return [Object(item.kind, item.id, from_pillar(item.kind, spec))]


def _take_out(spec: Any, keys: Sequence[str]) -> None:
    for key in keys[:-1]:
        if isinstance(spec, list):
            spec = spec[int(key)] if key.isdecimal() and int(key) < len(spec) else None
        else:
            spec = spec.get(key) if isinstance(spec, dict) else None
    if isinstance(spec, dict):
        spec.pop(keys[-1], None)


def _left(item: Object, now: datetime, bars: bool) -> str:
    """Return the code of the finding for a constraint of crm_resource."""
    rules = item.spec.get("rules", ())
    if rules and all(_is_over(str(rule.get("expression", "")), now) for rule in rules):
        return "left-over"
    scores = [read_score(str(one.get("score", "0"))) or 0 for one in (item.spec, *rules)]
    if min(scores) >= 0:
        return "left-preference"
    return "left-behind" if bars else "left-ban"


def _is_over(expression: str, now: datetime) -> bool:
    """Tell whether the time of a rule is over."""
    try:
        rule = cib_rule.parse(expression)
    except cib_rule.RuleError:
        return False
    ends = [term.end for term in rule.terms if isinstance(term, cib_rule.Date) and term.end]
    return rule.word == "and" and any(_is_before(end, now) for end in ends)


def _is_before(text: str, now: datetime) -> bool:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)) < now


def _advice(code: str, where: str, message: str) -> Advice:
    known = KNOWN[code]
    text = message.rstrip(".")
    return Advice(code, where, text, known.reason, known.source, known.mend, known.severity)
