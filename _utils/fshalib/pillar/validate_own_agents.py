"""Rules for what the pillar gives to the formula's own agents, wherever it stands.

An agent gets the parameters of its resource, and with each operation what that operation adds. A
value that it refuses, or an operation that it does not have, stops the service on every node.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fshalib.agents import FSSOFIA, held_address
from fshalib.cib.nvset import NO_SETS
from fshalib.pillar import own_agents
from fshalib.pillar.agent_uses import Case, Use
from fshalib.schema.report import Keys, Location, quoted

Data = Mapping[str, Any]


def check(pacemaker: Data, uses: Collection[Use], templates: Collection[Use], at: Location) -> None:
    """Report what an agent of the formula would refuse, or never get.

    pacemaker
        The checked section ``fsha:pacemaker``.
    uses
        The resources that run an agent.
    templates
        The templates.
    at
        Where ``fsha`` stands.
    """
    for use in (*templates, *uses):
        _parameters(use, at)
        _operations(use, at)
    for use in uses:
        _required(use, at)
    _misplaced(pacemaker, uses, at)
    _held(uses, at)


def _parameters(use: Use, at: Location) -> None:
    """Report what the agent would refuse on every node."""
    for case in use.cases:
        values = {name: given.value for name, given in case.items() if given.right}
        for name, message in own_agents.mistakes(use.agent, values):
            at.below(*case[name].keys).error(message)


def _required(use: Use, at: Location) -> None:
    for name in own_agents.missing(use.agent, use.plain) if use.complete else ():
        at.below(*use.keys, "params", name).error(f"this key is missing; {use.agent} requires it.")


def _operations(use: Use, at: Location) -> None:
    """Report operations that the agent does not have, and what they would give it."""
    for keys, operation in use.operations if use.agent in own_agents.PARAMETERS else ():
        name = operation.get("name")
        message = own_agents.operation_mistake(use.agent, name) if name else ""
        if message:
            at.below(*keys, "name").error(message)
        for place, name, value in _pairs(operation, "params"):
            wrong = own_agents.value_mistake(use.agent, name, value)
            if wrong:
                at.below(*keys, *place).error(wrong)


def _pairs(item: Data, key: str) -> Iterator[tuple[Keys, str, str]]:
    """Yield the keys, the name and the value of each pair of some sets."""
    sets = item.get(key, NO_SETS)
    for number, nvset in enumerate(sets):
        place = (number, "values") if sets.listed else ()
        for name, value in nvset.values.items():
            if isinstance(value, str):
                yield (key, *place, name), name, value


# --- parameters among meta attributes ----------------------------------------------------------


def _misplaced(pacemaker: Data, uses: Collection[Use], at: Location) -> None:
    """Report parameters of our agents that stand among meta attributes, where nobody reads them."""
    for use in uses:
        names = set(own_agents.PARAMETERS.get(use.agent, ()))
        _among_meta(pacemaker.get(str(use.keys[1]), {}).get(use.id, {}), names, use.keys, at)
        for keys, operation in use.operations:
            _among_meta(operation, names, keys, at)
    # Any agent may read its own; a group, a clone and the defaults have none.
    ours = {use.agent for use in uses if use.agent in own_agents.PARAMETERS}
    names = {name for agent in ours for name in own_agents.PARAMETERS[agent]}
    for key in ("groups", "clones", "bundles"):
        for id, spec in pacemaker.get(key, {}).items():
            _among_meta(spec, names, ("pacemaker", key, id), at)
    for key in ("rsc_defaults", "op_defaults"):
        for place, name, _ in _pairs(pacemaker, key):
            _report_misplaced(name, names, at.below("pacemaker", *place))


def _among_meta(item: Data, names: Collection[str], keys: Keys, at: Location) -> None:
    for place, name, _ in _pairs(item, "meta"):
        _report_misplaced(name, names, at.below(*keys, *place))


def _report_misplaced(name: str, names: Collection[str], at: Location) -> None:
    if name in names:
        at.error(
            f"a meta attribute is expected. {name} is a parameter of an agent of the formula and "
            "has no effect here; give it in the params of the resource."
        )


# --- floating addresses ---------------------------------------------------------------------------


def _held(uses: Collection[Use], at: Location) -> None:
    """Report an address in ``vips`` that no resource of the pillar holds."""
    held = {address for use in uses for address in _addresses(use)}
    for use in uses if held else ():
        for case in use.cases if use.agent == FSSOFIA else ():
            _are_held(case, held, at)


def _addresses(use: Use) -> Iterator[str]:
    for case in use.cases:
        values = {name: given.value for name, given in case.items() if given.right}
        address = held_address(use.agent, values)
        if address:
            yield own_agents.spelt(address)


def _are_held(case: Case, held: Collection[str], at: Location) -> None:
    if "vips" not in case:
        return
    for word in own_agents.words(case["vips"].value):
        if own_agents.is_vip(word) and own_agents.spelt(word) not in held:
            at.below(*case["vips"].keys).error(
                f"the address of a resource is expected ({', '.join(sorted(held))}), not "
                f"{quoted(word)}: where it is missing no call is recovered."
            )
