"""The check of the pillar: reports every mistake before the formula changes anything."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns
from fshalib.lint import runner
from fshalib.pacemaker import version
from fshalib.pillar import kept_values, once, platform
from fshalib.schema.report import ConfigErrors, section
from fshalib.system.programs import RunError

try:
    from fshalib.pillar import installed_agents
except ImportError:
    # lxml is not there yet; Salt loads this file again once it is.
    installed_agents = None

if TYPE_CHECKING:
    __grains__: dict[str, Any]
    __opts__: dict[str, Any]
    __pillar__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha_pillar"


def __virtual__():
    """Load always."""
    return __virtualname__


def checked(name="fsha"):
    """Check the platform and the pillar; one warning lists what works but is not advised.

    name
        The pillar's top-level key.

    .. code-block:: yaml

        fsha:
          fsha_pillar.checked:
            - failhard: true
    """
    raw = __pillar__.get(name)
    trouble = platform.trouble(__grains__, section(raw, "lookup"))
    if trouble:
        return returns.failed(name, trouble)
    try:
        config = once.checked_here(raw, __grains__)
        kept_values.check(config, lambda: version.installed() or platform.pacemaker(__grains__))
    except (ConfigErrors, RunError) as error:
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

    A test run on a host without the cluster's packages does not check them.
    """
    test = __opts__["test"]
    try:
        config = once.checked(__pillar__.get(name))
        if test and (installed_agents is None or not __salt__["cmd.has_exec"]("crm_resource")):
            return returns.not_yet(name, "The agents are not installed yet; would check them.")
        if installed_agents is None:
            return returns.failed(name, "The agents can't be asked before lxml is in place.")
        kept_values.check(config, version.installed)
        installed_agents.check(config, test)
    except (ConfigErrors, RunError) as error:
        return returns.failed(name, str(error))
    return returns.unchanged(name, "Every agent is installed and knows its parameters.")
