"""The door for input: every mistake in the pillar is told before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fsha_config
import fsha_lint
import fsha_state

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
        config = fsha_config.check(__pillar__.get(name))
        addresses = [*__grains__.get("ipv4", []), *__grains__.get("ipv6", [])]
        fsha_config.check_host(config, __grains__["nodename"], addresses)
    except fsha_config.ConfigErrors as error:
        return fsha_state.failed(name, str(error))
    count = len(config.pacemaker.objects)
    ret = fsha_state.unchanged(
        name, f"The pillar is sound: {len(config.nodes)} nodes, {count} cluster objects."
    )
    advice = fsha_lint.summary(fsha_lint.lint(config))
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
        config = fsha_config.check(__pillar__.get(name))
        missing = "pacemaker.agent" not in __salt__ or not __salt__["cmd.has_exec"]("crm_resource")
        if missing and __opts__["test"]:
            return fsha_state.not_yet(name, "The agents are not installed yet; would check them.")
        if "pacemaker.agent" not in __salt__:
            return fsha_state.failed(name, "The agents can't be asked before lxml is in place.")
        _ask_agents(config)
    except (fsha_config.ConfigErrors, CommandExecutionError) as error:
        return fsha_state.failed(name, str(error))
    return fsha_state.unchanged(name, "Every agent is installed and knows its parameters.")


def _ask_agents(config: fsha_config.Config) -> None:
    """Ask every agent about itself, and for a missing one, which others there are."""
    told = {agent: _metadata(agent) for agent in fsha_config.agents(config)}
    # The formula lays it down later in the same run; it has no parameters to check.
    later = {fsha_config.FSSOFIA} if config.freeswitch.init_script else set()
    if __opts__["test"]:
        later |= {agent for agent in told if agent.startswith(OWN_AGENTS)}
    spaces = {_space(agent) for agent, found in told.items() if found is None}
    known = [name for space in sorted(spaces) for name in __salt__["pacemaker.agents"](space)]
    fsha_config.check_agents(config, told.get, [*known, *later], later)


def _space(agent: str) -> str:
    return agent.rpartition(":")[0]


def _metadata(agent: str) -> fsha_config.AgentMetadata | None:
    found = __salt__["pacemaker.agent"](agent)
    return None if found is None else fsha_config.agent_metadata(found)
