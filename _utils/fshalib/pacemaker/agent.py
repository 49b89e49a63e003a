"""The metadata of a resource agent, as data.

Its reader is another module: the pillar check runs before lxml is installed.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """The metadata of one parameter.

    ``unique`` names a group of parameters; no two resources may have the same values for it. It
    is the parameter itself in OCF 1.0, and ``""`` if resources may share the value. ``options``
    are the values of a parameter of type select; ``older`` are deprecated names of the parameter.
    """

    required: bool = False
    unique: str = ""
    type: str = "string"
    default: str | None = None
    options: tuple[str, ...] = ()
    older: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgentMetadata:
    """The metadata of an agent; ``actions`` are the names of its operations."""

    parameters: Mapping[str, Parameter]
    actions: tuple[str, ...] = ()

    @property
    def defaults(self) -> dict[str, str]:
        """The parameters' defaults, by name."""
        texts = {name: parameter.default for name, parameter in self.parameters.items()}
        return {name: text for name, text in texts.items() if text is not None}
