"""What a resource agent says of itself, as data.

Apart from its reader, so that a pillar can be checked where lxml is not there yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass


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

    @property
    def defaults(self) -> dict[str, str]:
        """The parameters' defaults, by name."""
        texts = {name: parameter.default for name, parameter in self.parameters.items()}
        return {name: text for name, text in texts.items() if text is not None}
