"""The door for input: every mistake in the pillar is told before anything is touched."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns
from fshalib.lint import runner
from fshalib.pacemaker import agent as agent_types
from fshalib.pillar import config as pillar_config
from fshalib.pillar import validate_agents
from fshalib.schema.report import ConfigErrors

if TYPE_CHECKING:
    __grains__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha_pillar"

OWN_AGENTS = "ocf:fsha:"


def __virtual__():
    """Load always."""
    return __virtualname__


def checked(name="fsha"):
    """Check the pillar and say in one warning what works but is not advised.

    name
        The pillar's top-level key.

    .. code-block:: yaml

        fsha:
          fsha_pillar.checked:
            - failhard: true
    """
    try:
        config = pillar_config.check(__pillar__.get(name))
        addresses = [*__grains__.get("ipv4", []), *__grains__.get("ipv6", [])]
        pillar_config.check_host(config, __grains__["nodename"], addresses)
    except ConfigErrors as error:
        return returns.failed(name, str(error))
    count = len(config.pacemaker.objects)
    ret = returns.unchanged(
        name, f"The pillar is sound: {len(config.nodes)} nodes, {count} cluster objects."
    )
    advice = runner.summary(runner.lint(config))
    if advice:
        ret["warnings"] = [advice]
    return ret


def agents_known(name="fsha"):
    """Check resources against the metadata of their agents, as installed on this node.

    name
        The pillar's top-level key.

    In a test run on a host without the cluster's packages there is nothing to ask yet.
    """
    try:
        config = pillar_config.check(__pillar__.get(name))
        missing = "pacemaker.agent" not in __salt__ or not __salt__["cmd.has_exec"]("crm_resource")
        if missing and __opts__["test"]:
            return returns.not_yet(name, "The agents are not installed yet; would check them.")
        if "pacemaker.agent" not in __salt__:
            return returns.failed(name, "The agents can't be asked before lxml is in place.")
        _ask_agents(config)
    except (ConfigErrors, CommandExecutionError) as error:
        return returns.failed(name, str(error))
    return returns.unchanged(name, "Every agent is installed and knows its parameters.")


def _ask_agents(config: pillar_config.Config) -> None:
    """Ask every agent about itself, and for a missing one, which others there are."""
    told = {agent: _metadata(agent) for agent in pillar_config.agents(config)}
    # The formula lays it down later in the same run; it has no parameters to check.
    later = {pillar_config.FSSOFIA} if config.freeswitch.init_script else set()
    if __opts__["test"]:
        later |= {agent for agent in told if agent.startswith(OWN_AGENTS)}
    spaces = {_space(agent) for agent, found in told.items() if found is None}
    known = [name for space in sorted(spaces) for name in __salt__["pacemaker.agents"](space)]
    validate_agents.check_agents(config, told.get, [*known, *later], later)


def _space(agent: str) -> str:
    return agent.rpartition(":")[0]


def _metadata(agent: str) -> agent_types.AgentMetadata | None:
    found = __salt__["pacemaker.agent"](agent)
    return None if found is None else agent_types.agent_metadata(found)
