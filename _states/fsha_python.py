"""Install lxml into Salt's own Python.

Salt on Linux comes without lxml. Its place depends on how Salt was installed: as a package with
its own Python (onedir), in a virtual environment, or with the distribution's Python.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from typing import TYPE_CHECKING, Any

from salt.exceptions import CommandExecutionError

import fshalib

importlib.reload(fshalib)
from fshalib.events import returns

if TYPE_CHECKING:
    __grains__: dict[str, Any]
    __opts__: dict[str, Any]
    __salt__: dict[str, Any]

__virtualname__ = "fsha_python"

# By os_family; the name is the same on every platform that the formula knows.
PACKAGE = "python3-lxml"
BY_HAND = {
    "onedir": "salt-pip install lxml",
    "virtual environment": f"{sys.executable} -m pip install lxml",
    "distribution": f"apt-get install {PACKAGE}",
}
# What pip gives as reasons, wherever it stands: its last line is often advice ("note:", "hint:").
# A reason of one word ("error: subprocess-exited-with-error") helps nobody.
REASON = re.compile(
    r"""^\s*(?:error: |.*connection broken by .*?(?:>: |\): |, '))"""
    r"""(\S+ .+?)\.?(?:["']\)+': /\S*)?$""",
    re.IGNORECASE | re.MULTILINE,
)


def __virtual__():
    """Load always: the other modules load after it."""
    return __virtualname__


def _own_environment() -> str:
    """Return the kind of Salt's Python: onedir, virtual environment, distribution."""
    # Salt's own package brings a Python of its own, which says so by this name.
    if hasattr(sys, "RELENV"):
        return "onedir"
    return "virtual environment" if sys.prefix != sys.base_prefix else "distribution"


def _importable() -> bool:
    importlib.invalidate_caches()
    try:
        # Not "lxml": what a broken installation left of it is found, too.
        return importlib.util.find_spec("lxml.etree") is not None
    except ModuleNotFoundError:
        return False


def lxml(name="lxml"):
    """Make sure that Salt's own Python can import lxml.

    name
        The library's name for pip, also with a version: ``lxml==6.1.0``.

    .. code-block:: yaml

        lxml in Salt's own Python:
          fsha_python.lxml:
            - name: lxml
            - reload_modules: true
    """
    kind = _own_environment()
    if _importable():
        return returns.unchanged(name, f"Salt's Python ({kind}, {sys.prefix}) has lxml.")
    changes = {"lxml": {"old": None, "new": f"installed in {kind} {sys.prefix}"}}
    if __opts__["test"]:
        comment = (
            f"lxml would be installed in Salt's Python ({kind}, {sys.prefix}). "
            "Until then the cluster's configuration can't be compared."
        )
        return returns.changed(name, changes, comment, True)
    said = _install(name, kind)
    if not _importable():
        return returns.failed(
            name, f"lxml can't be put into Salt's Python ({kind}, {sys.prefix}): {said}"
        )
    return returns.changed(name, changes, f"lxml is installed in {kind} {sys.prefix}.", False)


def _install(name: str, kind: str) -> str:
    """Install lxml where Salt's Python finds it; return why it may be missing and what to do."""
    by_hand = f"Install it by hand with '{BY_HAND[kind]}' and run again."
    try:
        if kind == "distribution":
            __salt__["pkg.install"](PACKAGE)
            return f"the package manager did not bring it. {by_hand}"
        done = __salt__["pip.install"](name)
    except CommandExecutionError as error:
        return f"{error}. {by_hand}"
    if done.get("retcode") == 0:
        return f"pip says that it is installed, but not in {', '.join(filter(None, sys.path))}."
    said = (done.get("stderr") or done.get("stdout") or "pip said nothing").strip()
    reasons = dict.fromkeys(REASON.findall(said)) or said.splitlines()[-1:]
    return f"{'; '.join(reasons)}. {by_hand}"
