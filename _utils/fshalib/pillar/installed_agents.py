"""Check a pillar against the agents that are installed on this node.

In a module of its own, so that a pillar can be checked where lxml is not there yet.
"""

from fshalib.agents import FSSOFIA_SCRIPT, OURS
from fshalib.pacemaker import agent_metadata, tools
from fshalib.pillar import config as pillar_config
from fshalib.pillar import validate_agents
from fshalib.pillar.config import Config
from fshalib.system import programs
from fshalib.system.programs import Runner


def check(config: Config, test: bool = False, run: Runner = programs.run) -> None:
    """Check every primitive and template against what its agent says of itself.

    config
        The checked pillar.
    test
        Whether this is a test run, before which the formula's own agents need not be there.

    Raises :class:`ConfigErrors` for mistakes, :class:`programs.RunError` when an agent, or the
    cluster's tool, can't be asked.
    """
    metadata = {agent: agent_metadata.ask(agent, run) for agent in pillar_config.agents(config)}
    # The formula lays it down later in the same run; it has no parameters to check.
    later = {FSSOFIA_SCRIPT} if config.freeswitch.init_script else set()
    if test:
        later |= {agent for agent in metadata if agent.startswith(OURS)}
    # For a missing agent, which others there are.
    spaces = {agent.rpartition(":")[0] for agent, known in metadata.items() if known is None}
    known = [name for space in sorted(spaces) for name in tools.agents(space, run)]
    validate_agents.check_agents(config, metadata.get, [*known, *later], later)
