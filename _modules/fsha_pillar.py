"""The check of this minion's pillar, for the SLS: while they render, no state has run yet."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

import fshalib

importlib.reload(fshalib)
from fshalib import errors
from fshalib.pacemaker import version
from fshalib.pillar import kept_values, once, platform
from fshalib.schema import arguments
from fshalib.schema.report import ConfigErrors, section
from fshalib.system.programs import RunError

try:
    from fshalib.pillar import installed_agents
except ImportError:
    installed_agents = None  # before lxml is there

if TYPE_CHECKING:
    __grains__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha_pillar"

_salts_errors = errors.raising(CommandExecutionError, SaltInvocationError)


def __virtual__():
    """Load always."""
    return __virtualname__


@_salts_errors
@arguments.typed(name=arguments.NAME)
def mistakes(name="fsha"):
    """Return the mistakes in this minion's pillar, as text; empty if it is sound.

    name
        The pillar's top-level key.

    CLI Example:

    .. code-block:: bash

        salt '*' fsha_pillar.mistakes
    """
    raw = __pillar__.get(name)
    trouble = platform.trouble(__grains__, section(raw, "lookup"))
    if trouble:
        return trouble
    try:
        config = once.checked_here(raw, __grains__)
        kept_values.check(config, lambda: version.installed() or platform.pacemaker(__grains__))
    except (ConfigErrors, RunError) as error:
        return str(error)
    return ""


@_salts_errors
@arguments.typed(name=arguments.NAME)
def agent_mistakes(name="fsha"):
    """Return what this node's agents have against the pillar, as text; empty if it is nothing.

    name
        The pillar's top-level key.

    Agents that are not installed yet are not asked, nor is a pillar that :func:`mistakes` refuses.

    CLI Example:

    .. code-block:: bash

        salt '*' fsha_pillar.agent_mistakes
    """
    if installed_agents is None or not __salt__["cmd.has_exec"]("crm_resource"):
        return ""
    try:
        pillar = once.checked(__pillar__.get(name))
    except ConfigErrors:
        return ""
    try:
        installed_agents.check(pillar, test=True)
    except (ConfigErrors, RunError) as error:
        return str(error)
    return ""
