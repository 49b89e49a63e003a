"""What is wrong with the parameters of the formula's own agents in a cluster.

The check of a pillar refuses the same; these reach a cluster by other people's tools.
"""

from collections.abc import Iterator

from fshalib.cib import cases
from fshalib.cib.nvset import NO_SETS
from fshalib.cib.objects import Object, operations
from fshalib.lint.finding import ERROR, KnownFinding
from fshalib.pillar import own_agents
from fshalib.pillar.config import Config
from fshalib.schema.report import Keys

REFUSED = KnownFinding(
    "The agent refuses its next start with that on every node (exit code 6), and then the service "
    "stays down",
    "metadata of the agent; Pacemaker Explained, OCF_ERR_CONFIGURED is a fatal error",
    "give it what the agent takes",
    ERROR,
)


def refused(config: Config) -> Iterator[tuple[Keys, str]]:
    """Yield what an agent of the formula would refuse: the keys in a pillar, and a sentence."""
    for item in config.pacemaker.primitives():
        if item.agent in own_agents.PARAMETERS:
            # A value can be wrong in several cases.
            wrong = dict([*_parameters(item), *_operations(item)])
            for keys, message in wrong.items():
                yield ("pacemaker", "resources", item.id, *keys), message


def _parameters(item: Object) -> Iterator[tuple[Keys, str]]:
    sets = [*item.sets("params")]
    for case in cases.cases(sets):
        for name, message in own_agents.mistakes(item.agent, cases.values(sets, case)):
            yield ("params", name), message


def _operations(item: Object) -> Iterator[tuple[Keys, str]]:
    for operation in operations(item):
        keys: Keys = ("operations", operation.name)
        message = own_agents.operation_mistake(item.agent, operation.name)
        if message:
            yield keys, message
        given = operation.attributes.get("params", NO_SETS).plain_values()
        for name, value in given.items():
            message = own_agents.value_mistake(item.agent, name, value)
            if message:
                yield (*keys, "params", name), message
