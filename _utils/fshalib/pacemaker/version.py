"""Which Pacemaker is installed here. Without lxml: the pillar check asks before that is there."""

import re
from typing import Any

from fshalib.system import programs
from fshalib.system.programs import Runner

_VERSION = re.compile(r"Pacemaker ([0-9]+(?:\.[0-9]+)*)")


def installed(run: Runner = programs.run) -> str:
    """Return the version of Pacemaker's tools on this node, ``""`` where there are none."""
    try:
        done = run(["crm_verify", "--version"])
    except programs.ToolMissing:
        return ""
    match = _VERSION.search(done.out)
    return match.group(1) if match else ""


def older(version: str, than: tuple[int, ...]) -> bool:
    """Tell whether a version is older than another; not if it is unknown."""
    parts: tuple[Any, ...] = tuple(int(part) for part in version.split(".") if part.isdecimal())
    return bool(parts) and parts < than
