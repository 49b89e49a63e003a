"""Let an agent itself judge its parameters, through ``crm_resource --validate``."""

from collections.abc import Mapping
from dataclasses import dataclass

from fshalib.pacemaker.tools import tree
from fshalib.system import programs
from fshalib.system.programs import Runner, ToolFailed

TIMEOUT = 25.0
OCF_ERR_CONFIGURED = 6
"""An agent's exit code for what is wrong on every node: Pacemaker then tries no other one."""


@dataclass(frozen=True)
class Validation:
    """What an agent said to its parameters: its exit code, and why."""

    code: int
    reason: str


def validate(
    agent: str, params: Mapping[str, str], run: Runner = programs.run
) -> Validation | None:
    """Let an OCF agent judge parameters on this node; ``None`` when it can't be asked.

    agent
        Its whole name, ``ocf:fsha:FSSofia``.

    Raises :class:`programs.ToolMissing` and :class:`programs.ToolTimeout`.
    """
    standard, provider, kind = agent.split(":", 2)
    whose = [f"--class={standard}", f"--provider={provider}", f"--agent={kind}"]
    options = [f"--option={name}={value}" for name, value in sorted(params.items())]
    argv = ["crm_resource", "--validate", *whose, *options, "--output-as=xml"]
    done = run(argv, timeout=TIMEOUT)
    try:
        status = tree(done).find(".//agent-status")
    except ToolFailed:
        status = None
    if status is None:
        # It is not installed, or the tool is of another time.
        return None
    reason = status.get("reason") or status.get("message") or f"exit code {status.get('code')}"
    return Validation(int(status.get("code", "1")), reason.rstrip("."))
