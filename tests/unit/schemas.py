"""The cluster's own judge of a CIB, in process: Pacemaker's RELAX NG schemas."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest
from lxml import etree

# The variable is Pacemaker's own.
DIRECTORY = Path(os.environ.get("PCMK_schema_directory", "/usr/share/pacemaker"))  # noqa: SIM112


@functools.cache
def schema(name: str) -> etree.RelaxNG:
    """Return a schema by the name that ``validate-with`` has; skip without it."""
    path = DIRECTORY / f"{name}.rng"
    if not path.exists():
        pytest.skip(
            f"there is no {path}: pacemaker-cli-utils is missing (make host) or older than the "
            "schema; PCMK_schema_directory may name another directory"
        )
    return etree.RelaxNG(etree.parse(str(path)))


def faults(root: etree._Element, name: str = "") -> list[str]:
    """Return what the schema of a CIB has against it; dangling references are among it."""
    judge = schema(name or root.get("validate-with"))
    # Ids and references are those of a whole document, so each CIB has one of its own.
    text = etree.tostring(root)
    if judge.validate(etree.fromstring(text)):
        return []
    return [str(error) for error in judge.error_log] or ["refused without a reason"]
