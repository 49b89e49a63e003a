"""What a resource agent says of itself, as data.

Apart from its reader, so that a pillar can be checked where lxml is not there yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Parameter:
    """What an agent says of one of its parameters.

    ``unique`` names the group of parameters whose values together no two resources may share:
    the parameter itself in OCF 1.0, ``""`` where sharing is fine. ``options`` are the values of
    a parameter of type select; ``older`` are deprecated names of the same thing.
    """

    required: bool = False
    unique: str = ""
    type: str = "string"
    default: str | None = None
    options: tuple[str, ...] = ()
    older: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgentMetadata:
    """What an agent says of itself; ``actions`` are the names of its operations."""

    parameters: Mapping[str, Parameter]
    actions: tuple[str, ...] = ()


def agent_metadata(data: Mapping[str, Any]) -> AgentMetadata:
    """Make metadata of what ``dataclasses.asdict`` made of it, as a Salt function returns it."""
    parameters = {name: _parameter(item) for name, item in data["parameters"].items()}
    return AgentMetadata(parameters, tuple(data["actions"]))


def _parameter(item: Mapping[str, Any]) -> Parameter:
    # What was sent on the way has lists for tuples.
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in item.items()}
    return Parameter(**values)
